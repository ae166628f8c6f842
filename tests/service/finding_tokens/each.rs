//! Each filter alone.

use chrono::SecondsFormat;
use serde_json::{Value, json};

use super::*;
use crate::support::app::resource;
use crate::support::client::Client;

#[test]
fn each_filter_finds_what_it_names() {
    let world = World::build();
    world.clear();
    let rows = one_of_each(&world);
    world.insert(&rows);
    let days = |days: i64| encoded(&(world.now + TimeDelta::days(days)).to_rfc3339_opts(SecondsFormat::Micros, true));
    let all: &[&str] = &["team", "a,b", "", "workspace", "organization", "audit", "grace"];
    let without = |missing: &[&str]| -> BTreeSet<String> { &set(all) - &set(missing) };
    let id = rows[1].public_id();
    let (team, workspace, ada, acme) = (&world.teams[1], &world.workspaces[0], &world.ada.id, &world.acme);
    for (question, expected) in [
        (String::new(), set(all)),
        ("filter[kind]=team".into(), set(&["team", "a,b", "", "grace"])),
        ("filter[kind]=organization,audit-trails".into(), set(&["organization", "audit"])),
        ("filter[kind]=workspace".into(), set(&["workspace"])),
        ("filter[kind]=user".into(), set(&[])),
        ("filter[status]=active".into(), set(&["team", "a,b", "", "audit", "grace"])),
        ("filter[status]=inactive,expired".into(), set(&["workspace", "organization"])),
        ("filter[status]=revoked".into(), set(&["revoked"])),
        ("filter[role]=viewer".into(), set(&["team"])),
        ("filter[role]=viewer, admin".into(), set(&["team", ""])),
        ("filter[ability]=agents:read".into(), set(&["team", "a,b"])),
        ("filter[ability]=agents:write".into(), set(&["a,b"])),
        ("filter[ability]=agents:*".into(), set(&["a,b"])),
        ("filter[ability]=agent:read".into(), set(&[])),
        ("filter[ability]=hooks:send,hooks:get".into(), set(&["a,b"])),
        (format!("filter[id]={id}"), set(&["a,b"])),
        (format!("filter[id]={id},{}", rows[3].public_id()), set(&["a,b", "workspace"])),
        ("filter[description]=team".into(), set(&["team"])),
        ("filter[description]=Team".into(), set(&[])),
        ("filter[description]=tea".into(), set(&[])),
        ("filter[description]=a,b".into(), set(&["a,b"])),
        ("filter[description]=".into(), set(&[""])),
        ("filter[description]=team&filter[description]=a,b".into(), set(&["team", "a,b"])),
        (format!("filter[team]={team}"), set(&["a,b", ""])),
        (format!("filter[team]={},{}", world.teams[0], world.teams[2]), set(&["team", "grace"])),
        (format!("filter[workspace]={workspace}"), set(&["workspace"])),
        (format!("filter[workspace]={}", world.workspaces[1]), set(&[])),
        (format!("filter[created-by]={ada}"), without(&["a,b", "", "organization"])),
        (format!("filter[created-by]={team}"), set(&["a,b"])),
        ("filter[created-by]=acme".into(), set(&[""])),
        ("filter[created-by]=ACME".into(), set(&[""])),
        (format!("filter[created-by]={acme},{team}"), set(&["", "a,b"])),
        ("filter[created-by]=Ada".into(), without(&["a,b", "", "organization"])),
        ("filter[created-by]=build-2".into(), set(&["a,b"])),
        ("filter[team]=BUILD-2".into(), set(&["a,b", ""])),
        (format!("filter[team]=ops,{}", world.teams[0]), set(&["team", "grace"])),
        ("filter[workspace]=prod".into(), set(&["workspace"])),
        ("filter[name]=svc_access".into(), set(all)),
        ("filter[name]=personal_access,cli_access,cli_refresh,cli_activation".into(), set(&[])),
        ("filter[label][env]=prod".into(), set(&["a,b"])),
        ("filter[label][env]=lab".into(), set(&[])),
        (format!("filter[replaces]={id}"), set(&[])),
        (format!("filter[replaced-by]={id}"), set(&[])),
        (format!("filter[created-after]={}", days(-30)), without(&["team", "a,b", "workspace"])),
        (format!("filter[created-before]={}", days(-30)), set(&["team", "a,b", "workspace"])),
        (format!("filter[updated-after]={}", days(-10)), without(&["a,b"])),
        (format!("filter[updated-before]={}", days(-10)), set(&["a,b"])),
        (format!("filter[last-used-after]={}", days(-50)), set(&[""])),
        (format!("filter[last-used-before]={}", days(-50)), set(&["team"])),
        (format!("filter[expires-after]={}", days(1)), set(&["", "audit"])),
        (format!("filter[expires-before]={}", days(10)), set(&["", "organization"])),
        (format!("filter[revoked-after]={}", days(-1)), set(&["grace"])),
        (format!("filter[revoked-before]={}", days(-1)), set(&["revoked"])),
        (format!("filter[created-after]={}&filter[created-before]={}", days(-50), days(-10)), set(&["a,b", ""])),
        ("filter[unused-for-days]=0".into(), set(all)),
        ("filter[unused-for-days]=5".into(), set(&["team", "a,b", "", "workspace"])),
        ("filter[unused-for-days]=50".into(), set(&["team", "workspace"])),
        ("filter[unused-for-days]=36500".into(), set(&[])),
        ("filter[stale]=true".into(), set(&["team", "a,b"])),
        ("filter[stale]=false".into(), without(&["team", "a,b"])),
        ("filter[expiry_status]=expired".into(), set(&["organization"])),
        ("filter[expiry_status]=expiring_in_7_days".into(), set(&[""])),
        ("filter[expiry_status]=expiring_in_30_days".into(), set(&["", "audit"])),
        ("filter[expiry_status]=no_expiration".into(), without(&["", "organization", "audit"])),
        ("filter[kind]=team&filter[role]=owner&filter[stale]=true".into(), set(&["a,b"])),
        ("filter[kind]=team&filter[kind]=workspace&filter[status]=inactive".into(), set(&["workspace"])),
    ] {
        assert_eq!(world.found(&question), expected, "{question}");
    }
}

#[test]
fn revoked_tokens_are_left_out_unless_asked_for() {
    let world = World::build();
    world.clear();
    let now = world.now;
    let team = |description, revoked_at: Option<i64>| Row {
        revoked_at: revoked_at.map(|days| now + TimeDelta::days(days)),
        ..Row::new("team", description, now)
    };
    world.insert(&[team("live", None), team("revoked", Some(-1)), team("grace", Some(1))]);
    for (question, expected) in [
        ("", ["live", "grace"].as_slice()),
        ("filter[trashed]=with", &["live", "grace", "revoked"]),
        ("filter[trashed]=only", &["revoked"]),
        ("filter[status]=revoked", &["revoked"]),
        ("filter[status]=active", &["live", "grace"]),
        ("filter[status]=revoked,active", &["live", "grace", "revoked"]),
        ("filter[trashed]=with&filter[status]=active", &["live", "grace"]),
        ("filter[trashed]=only&filter[status]=active", &[]),
        ("filter[revoked-before]=2090-01-01T00:00:00Z", &["grace", "revoked"]),
        ("filter[revoked-after]=2020-01-01T00:00:00Z", &["grace", "revoked"]),
        ("filter[trashed]=only&filter[revoked-after]=2020-01-01T00:00:00Z", &["revoked"]),
        ("filter[stale]=false", &["live", "grace"]),
        ("filter[stale]=false&filter[trashed]=with", &["live", "grace", "revoked"]),
    ] {
        assert_eq!(world.found(question), set(expected), "{question}");
    }
}

#[test]
fn a_time_is_compared_as_it_is_shown() {
    let world = World::build();
    world.clear();
    let made = "2026-03-04T05:06:07.123456Z".parse::<DateTime<Utc>>().unwrap();
    world.insert(&[Row { created_at: made, ..Row::new("team", "one", world.now) }]);
    let answer = world.ada.client.get(LIST).expect(200);
    let shown = answer.body["data"][0]["attributes"]["created-at"].as_str().unwrap();
    assert_eq!(shown, "2026-03-04T05:06:07.123Z");
    for (question, expected) in [
        (format!("filter[created-after]={shown}"), false),
        (format!("filter[created-before]={shown}"), false),
        ("filter[created-after]=2026-03-04T05:06:07.122Z".into(), true),
        ("filter[created-before]=2026-03-04T05:06:07.124Z".into(), true),
        ("filter[created-after]=2026-03-04T05:06:07.122999Z".into(), true),
        ("filter[created-before]=2026-03-04T05:06:07.123001Z".into(), true),
        ("filter[created-after]=2026-03-04T07:06:07.122%2B02:00".into(), true),
        ("filter[created-after]=2026-03-04T05:06:07%2B02:00".into(), true),
        ("filter[created-before]=2026-03-04T05:06:07%2B02:00".into(), false),
    ] {
        assert_eq!(!world.found(&question).is_empty(), expected, "{question}");
    }
}

#[test]
fn both_spellings_of_a_filter_are_one() {
    let world = World::build();
    world.clear();
    world.insert(&one_of_each(&world));
    let year = "2020-01-01T00:00:00Z";
    let mut names = vec![
        ("created-by", world.ada.id.as_str()),
        ("unused-for-days", "5"),
        ("expiry-status", "no_expiration"),
        ("last-used-after", year),
        ("last-used-before", year),
    ];
    for name in ["created", "updated", "expires", "revoked"] {
        names.extend([(format!("{name}-after"), year), (format!("{name}-before"), year)].map(|(name, value)| {
            let name: &'static str = Box::leak(name.into_boxed_str());
            (name, value)
        }));
    }
    for (name, value) in names {
        let dashed = world.found(&format!("filter[{name}]={value}"));
        let snake = name.replace('-', "_");
        assert_eq!(dashed, world.found(&format!("filter[{snake}]={value}")), "{name}");
        let answer = world.ada.client.get(&format!("{LIST}?filter[{snake}]=-1"));
        if name != "created-by" {
            assert_eq!(answer.expect(400).blamed(), [format!("filter[{snake}]")]);
        }
    }
    let both = format!("filter[created-by]={}&filter[created_by]={}", world.ada.id, world.teams[1]);
    assert!(world.found(&both).is_superset(&set(&["team", "a,b"])));
}

#[test]
fn values_that_cannot_be_are_refused() {
    let world = World::build();
    let own = format!("/api/v2/users/{}/authentication-tokens", world.ada.id);
    for (filter, value, helpful) in [
        ("kind", "teams", "user, team, organization, audit-trails, workspace"),
        ("kind", "team,TEAM", "user, team, organization, audit-trails, workspace"),
        ("kind", "", "Must name at least one of user, team"),
        ("kind", ",", "Must name at least one of user, team"),
        ("status", "off", "active, inactive, disabled, expired, revoked"),
        ("name", "personal", "personal_access, svc_access"),
        ("status", "", "Must name at least one of active"),
        ("id", "", "Must name at least one id"),
        ("id", ",", "Must name at least one id"),
        ("replaces", "", "Must name at least one id"),
        ("replaced-by", ", ,", "Must name at least one id"),
        ("team", "", "the name of a team"),
        ("team", ",", "the name of a team"),
        ("workspace", "", "the name of a workspace"),
        ("created-by", "", "the name of a maker"),
        ("role", "root", "viewer, member, manager, admin, owner"),
        ("ability", "agents", "resource:verb"),
        ("ability", "", "Must name at least one ability"),
        ("ability", "agents:read,Agents:read", "resource:verb"),
        ("expiry_status", "soon", "expiring_in_7_days"),
        ("trashed", "", "with or only"),
        ("trashed", "within", "with or only or without"),
        ("trashed", "with,only", "with or only"),
        ("stale", "yes", "true or false"),
        ("stale", "", "true or false"),
        ("stale", "true,false", "true or false"),
        ("unused-for-days", "-1", "from 0 to 36500"),
        ("unused-for-days", "36501", "from 0 to 36500"),
        ("unused-for-days", "1.5", "from 0 to 36500"),
        ("unused-for-days", "", "from 0 to 36500"),
        ("unused-for-days", "%2B5", "from 0 to 36500"),
        ("unused-for-days", "99999999999999999999", "from 0 to 36500"),
        ("created-after", "", "RFC 3339"),
        ("created-after", "yesterday", "RFC 3339"),
        ("created-after", "2026-01-01", "offset"),
        ("created-before", "2026-01-01T00:00:00", "offset"),
        ("updated-after", "2026-02-30T00:00:00Z", "RFC 3339"),
        ("last-used-before", "2026-01-01T00:00:00+02:00", "%2B"),
        ("expires-before", "9999-12-31T23:59:59-12:00", "RFC 3339"),
        ("expires-after", "2016-12-31T23:59:60Z", "RFC 3339"),
        ("revoked-after", "2026-01-01T00:00:00Z,2027-01-01T00:00:00Z", "RFC 3339"),
    ] {
        for list in [LIST, "/api/v2/organizations/acme/team-tokens", &own] {
            let answer = world.ada.client.get(&format!("{list}?filter[{filter}]={value}")).expect(400);
            assert_eq!(answer.blamed(), [format!("filter[{filter}]")], "{value}");
            assert!(answer.detail().contains(helpful), "{filter} {value}: {}", answer.detail());
        }
    }
    for twice in ["stale=true", "trashed=with", "unused-for-days=1", "created-after=2026-01-01T00:00:00Z"] {
        let (name, value) = twice.split_once('=').unwrap();
        let question = format!("{LIST}?filter[{name}]={value}&filter[{}]={value}", name.replace('-', "_"));
        let answer = world.ada.client.get(&question).expect(400);
        assert_eq!(answer.blamed(), [format!("filter[{}]", name.replace('-', "_"))], "{twice}");
    }
    // The ends of what can be.
    for value in ["0000-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z"] {
        for side in ["after", "before"] {
            world.found(&format!("filter[created-{side}]={value}&filter[expires-{side}]={value}"));
        }
    }
}

#[test]
fn all_faults_of_a_query_are_told_together() {
    let world = World::build();
    let question = "filter[kind]=x&filter[created_after]=x&filter[colour]=red&sort=colour&page[size]=0&filter[stale]=x";
    let blamed = world.ada.client.get(&format!("{LIST}?{question}")).expect(400).blamed();
    let all = ["filter[colour]", "sort", "page[size]", "filter[kind]", "filter[created_after]", "filter[stale]"];
    assert_eq!(blamed, all);
    // Who may not know that there is such a list learns nothing of its filters.
    world.app.user("zoe").client.get(&format!("{LIST}?{question}")).expect(404);
}

#[test]
fn an_id_that_does_not_parse_finds_nothing() {
    let world = World::build();
    world.clear();
    world.insert(&one_of_each(&world));
    for filter in ["id", "replaces", "replaced-by"] {
        for value in ["nonsense", "at-", "team-0OIl", &world.ada.id[1..], &"x".repeat(3000), "'", "%25"] {
            assert_eq!(world.found(&format!("filter[{filter}]={value}")), set(&[]), "{filter} {value}");
        }
    }
    // Ids of another type.
    assert_eq!(world.found(&format!("filter[id]={}", world.teams[1])), set(&[]));
}

/// Of what has a name, what is neither a name nor an id is a fault: nothing found would read like no tokens. What somebody
/// does not see has no name for them.
#[test]
fn what_is_neither_an_id_nor_a_name_is_refused() {
    let world = World::build();
    let zoe = world.app.user("zoe");
    let open = world.ada.team_with("acme", json!({"name": "open", "visibility": "organization"}));
    world.ada.add_to_team(&open, &zoe);
    let ask = |client: &crate::support::client::Client, question: &str| client.get(&format!("{LIST}?{question}"));
    for filter in ["team", "workspace", "created-by"] {
        for value in ["nonsense", "at-", "team-0OIl", &world.ada.id[1..], &"x".repeat(3000), "'", "%25", "ops,nonsense"]
        {
            let refused = ask(&world.ada.client, &format!("filter[{filter}]={value}")).expect(400);
            assert_eq!(refused.blamed(), [format!("filter[{filter}]")], "{filter} {value}");
        }
        // An id that names nothing finds nothing.
        let unknown = "team-1tmoV9YFPLBcsTRM";
        if filter != "workspace" {
            assert_eq!(world.found(&format!("filter[{filter}]={unknown}")), set(&[]));
        }
    }
    ask(&world.ada.client, &format!("filter[team]={}", world.workspaces[0])).expect(400);
    ask(&world.ada.client, &format!("filter[workspace]={}", world.teams[1])).expect(400);
    ask(&world.ada.client, "filter[team]=nonsense&filter[workspace]=nonsense").expect(400);
    let root = world.app.site_admin("root");
    for filter in ["user", "organization", "team"] {
        let refused = root.client.get(&format!("/api/v2/admin/authentication-tokens?filter[{filter}]=")).expect(400);
        assert_eq!(refused.blamed(), [format!("filter[{filter}]")]);
    }
    // Zoe sees neither a secret team nor a workspace of other teams.
    ask(&zoe.client, "filter[team]=open").expect(200);
    let (hidden, unknown) = (ask(&zoe.client, "filter[team]=ops"), ask(&zoe.client, "filter[team]=nil"));
    assert_eq!((hidden.status, unknown.status), (400, 400));
    assert_eq!(hidden.detail().replace("ops", "nil"), unknown.detail());
    ask(&zoe.client, "filter[workspace]=prod").expect(400);
    // Of one's own tokens no name of an organization counts: of nobody's.
    let own = |question: &str| zoe.client.get(&format!("/api/v2/users/{}/authentication-tokens?{question}", zoe.id));
    for name in ["ops", "open", "nil"] {
        assert_eq!(own(&format!("filter[team]={name}")).status, 400);
        assert_eq!(own(&format!("filter[created-by]={name}")).status, 400);
    }
    assert_eq!(own("filter[workspace]=prod").status, 400);
    assert_eq!(own("filter[created-by]=ada").status, 400);
    assert_eq!(own("filter[created-by]=Zoe").expect(200).ids(), Vec::<String>::new(), "the command line made it");
    // Nor what another organization has.
    world.app.user("dan").organization("elsewhere");
    for name in ["elsewhere", "dan"] {
        ask(&world.ada.client, &format!("filter[created-by]={name}")).expect(400);
    }
}

#[test]
fn a_search_looks_into_description_prefix_and_owner() {
    let world = World::build();
    world.clear();
    let now = world.now;
    world.insert(&[
        Row { prefix: "lkt_QrStUv", ..Row::new("team", "50% off", now) },
        Row { owner: 1, ..Row::new("team", "Night_ly", now) },
        Row { prefix: "lkw_abcdef", ..Row::new("workspace", "other", now) },
        Row { prefix: "lko_abcdef", ..Row::new("organization", "own", now) },
        Row { prefix: "lko_abcdef", description: None, ..Row::new("organization", "", now) },
    ]);
    for (q, expected) in [
        ("build", ["50% off", "Night_ly"].as_slice()),
        ("BUILD_", &["50% off"]),
        ("qrst", &["50% off"]),
        ("lkt_", &["50% off", "Night_ly"]),
        ("%25", &["50% off"]),
        ("t_l", &["Night_ly"]),
        ("PROD", &["other"]),
        ("acme", &["own", "(none)"]),
        ("nothing", &[]),
        ("ada", &[]),
        ("", &["50% off", "Night_ly", "other", "own", "(none)"]),
    ] {
        assert_eq!(world.found(&format!("q={q}")), set(expected), "{q}");
    }
    assert_eq!(world.found("q=build&filter[description]=Night_ly"), set(&["Night_ly"]));
    // The HCP API's own list goes on to search teams' names alone.
    let team_tokens =
        |q: &str| world.ada.client.get(&format!("/api/v2/organizations/acme/team-tokens?q={q}")).ids().len();
    assert_eq!((team_tokens("build"), team_tokens("off"), team_tokens("lkt_")), (2, 0, 0));
    let of_workspace = format!("/api/v2/workspaces/{}/authentication-tokens?q=OTH", world.workspaces[0]);
    assert_eq!(descriptions(&world.ada.client.get(&of_workspace).expect(200)), set(&["other"]));
}

#[test]
fn counts_are_of_all_that_the_other_filters_find() {
    let world = World::build();
    world.clear();
    world.insert(&one_of_each(&world));
    let counts = |question: &str| {
        world.ada.client.get(&format!("{LIST}?{question}")).expect(200).body["meta"]["status-counts"].clone()
    };
    let told = |active: u8, inactive: u8, expired: u8, revoked: u8| json!({"active": active, "inactive": inactive, "expired": expired, "revoked": revoked});
    assert_eq!(counts(""), told(5, 1, 1, 1));
    for narrowing in
        ["filter[status]=active", "filter[trashed]=only", "filter[status]=revoked", "page[size]=1&page[number]=9"]
    {
        assert_eq!(counts(narrowing), told(5, 1, 1, 1), "{narrowing}");
    }
    assert_eq!(counts("filter[kind]=team&filter[status]=inactive"), told(4, 0, 0, 1));
    assert_eq!(counts("filter[stale]=true"), told(2, 0, 0, 0));
    assert_eq!(counts("filter[revoked-before]=2090-01-01T00:00:00Z"), told(1, 0, 0, 1));
    assert_eq!(counts("q=prod"), told(0, 1, 0, 0));
    assert_eq!(counts("q=nothing"), told(0, 0, 0, 0));
    assert_eq!(counts("page[after]="), Value::Null);
}

#[test]
fn every_list_of_tokens_has_the_filters() {
    let world = World::build();
    world.clear();
    world.insert(&one_of_each(&world));
    let found = |path: &str| descriptions(&world.ada.client.get(path).expect(200));
    let team = format!("/api/v2/teams/{}/authentication-tokens", world.teams[1]);
    let workspace = format!("/api/v2/workspaces/{}/authentication-tokens", world.workspaces[0]);
    let user = format!("/api/v2/users/{}/authentication-tokens", world.ada.id);
    let teams = "/api/v2/organizations/acme/team-tokens";
    for (path, expected) in [
        (format!("{team}?filter[ability]=hooks:send"), ["a,b"].as_slice()),
        (format!("{team}?filter[expiry_status]=no_expiration"), &["a,b"]),
        (format!("{team}?filter[team]={}", world.teams[0]), &[]),
        (format!("{workspace}?filter[status]=inactive"), &["workspace"]),
        (format!("{workspace}?filter[status]=active"), &[]),
        (format!("{user}?filter[description]=own&filter[kind]=user"), &["own"]),
        (format!("{user}?filter[kind]=team"), &[]),
        (format!("{user}?q=OW&sort=-usage-count,description"), &["own"]),
        (format!("{teams}?filter[trashed]=only"), &["revoked"]),
        (format!("{teams}?filter[stale]=true&sort=-updated-at"), &["team", "a,b"]),
        (format!("{teams}?filter[kind]=workspace"), &[]),
    ] {
        assert_eq!(found(&path), set(expected), "{path}");
    }
}

#[test]
fn the_newest_come_first() {
    let world = World::build();
    world.clear();
    let rows = one_of_each(&world);
    world.insert(&rows);
    let found = world.ada.client.get(LIST).expect(200).ids();
    assert_eq!(found, world.ada.client.get(&format!("{LIST}?sort=-created-at")).expect(200).ids());
    assert_ne!(found, world.ada.client.get(&format!("{LIST}?sort=created-at")).expect(200).ids());
    assert_eq!(found.last(), Some(&rows[3].public_id()));
}

#[test]
fn everybody_finds_just_what_they_may_read() {
    let app = App::start();
    let (ada, ben, mia, vic) = (app.user("ada"), app.user("ben"), app.user("mia"), app.user("vic"));
    let (zoe, root) = (app.user("zoe"), app.site_admin("root"));
    ada.organization("acme");
    zoe.organization("elsewhere");
    let (ci, ops) = (ada.team("acme", "ci"), ada.team("acme", "ops"));
    let locked = ada.team_with("acme", json!({"name": "locked", "allow-member-token-management": false}));
    let managers = ada.team_with("acme", json!({"name": "managers", "organization-access": {"manage-teams": true}}));
    let viewers = ada.team_with("acme", json!({"name": "viewers", "allow-member-token-management": false}));
    let readers = json!({"name": "readers", "organization-access": {"read-workspaces": true}});
    let readers = ada.team_with("acme", readers);
    for (team, user) in [(&ci, &ben), (&locked, &ben), (&managers, &mia), (&viewers, &vic)] {
        ada.add_to_team(team, user);
    }
    let rae = app.user("rae");
    ada.add_to_team(&readers, &rae);
    let (prod, lab) = (ada.workspace("acme", "prod"), ada.workspace("acme", "lab"));
    ada.give_access(&viewers, &prod, "read");
    let described = |team: &str, name: &str| ada.described_token(team, json!({ "description": name }));
    let ci_token = described(&ci, "ci");
    let other = described(&ci, "ci too");
    described(&ops, "ops");
    let locked_token = described(&locked, "locked");
    let owners_token = described(&ada.owners_team("acme"), "owners");
    let named = |name: &str| resource("authentication-tokens", json!({ "description": name }));
    let of_workspace = |workspace: &str, name: &str| {
        let path = format!("/api/v2/workspaces/{workspace}/authentication-tokens");
        ada.client.post(&path, &named(name)).expect(201)
    };
    let prod_token = of_workspace(&prod, "prod");
    of_workspace(&lab, "lab");
    let own = "/api/v2/organizations/acme/authentication-token";
    let organization = ada.client.post_nothing(own).expect(201);
    let audit = ada.client.post_nothing(&format!("{own}?token=audit-trails")).expect(201);
    ada.client.post(&format!("/api/v2/users/{}/authentication-tokens", ada.id), &named("ada's")).expect(201);

    let teams = ["ci", "ci too", "ops", "locked", "owners"].as_slice();
    let everything = [teams, &["prod", "lab", "(none)"]].concat();
    let sees = |client: &Client, expected: &[&str]| {
        let found = client.get(LIST).expect(200);
        assert_eq!(descriptions(&found), set(expected), "{}", client.get("/api/v2/account/details").body);
        found
    };
    for owner in [&ada.client, &app.with(&owners_token.secret()), &app.with(&organization.secret())] {
        let kinds = sees(owner, &everything).body["data"].as_array().unwrap().len();
        assert_eq!(kinds, 9, "both of the organization's own");
    }
    let admin = sees(&root.client, &["(none)"]);
    assert_eq!(admin.ids().into_iter().collect::<BTreeSet<_>>(), BTreeSet::from([organization.id(), audit.id()]));
    sees(&ben.client, &["ci", "ci too"]);
    sees(&mia.client, &["ci", "ci too", "ops", "locked"]);
    sees(&vic.client, &["prod"]);
    sees(&rae.client, &["prod", "lab"]);
    sees(&app.with(&ci_token.secret()), &["ci"]);
    sees(&app.with(&other.secret()), &["ci too"]);
    sees(&app.with(&locked_token.secret()), &[]);
    for outsider in [&zoe.client, &app.with(&audit.secret()), &app.with(&prod_token.secret())] {
        outsider.get(LIST).expect(404);
    }
    app.anonymous().get(LIST).expect(401);

    // Counts are told of the same tokens, and no filter reaches further.
    let counts = ben.client.get(LIST).expect(200).body["meta"]["status-counts"].clone();
    assert_eq!(counts, json!({"active": 2, "inactive": 0, "expired": 0, "revoked": 0}));
    for question in [format!("filter[team]={ops}"), "q=ops".into(), "filter[kind]=workspace,organization".into()] {
        assert!(ben.client.get(&format!("{LIST}?{question}")).expect(200).ids().is_empty(), "{question}");
    }
    assert_eq!(ada.client.get("/api/v2/organizations/ACME/authentication-tokens").expect(200).ids().len(), 9);
}
