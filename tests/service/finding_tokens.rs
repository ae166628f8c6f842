//! `organizations/:name/authentication-tokens`, and the filters that all lists of tokens have: each alone, what is
//! refused, who sees what, and any combination against a plain model.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fmt::Write as _;

use chrono::{DateTime, SecondsFormat, SubsecRound, TimeDelta, Utc};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::App;
use crate::support::app::{User, resource};
use crate::support::client::{Answer, Client};
use crate::token_lists::{walk_links, walk_numbers};

const KEY: &str = "0123456789012345678901234567890123456789012";
const LIST: &str = "/api/v2/organizations/acme/authentication-tokens";

const TEAMS: [&str; 3] = ["Build_1", "build-2", "ops"];
const WORKSPACES: [&str; 2] = ["prod", "Lab-1"];

/// What the model knows of a token.
#[derive(Debug, Clone)]
struct Row {
    id: Uuid,
    kind: &'static str,
    /// Which of the teams or workspaces it belongs to.
    owner: usize,
    description: Option<&'static str>,
    prefix: &'static str,
    format: &'static str,
    role: &'static str,
    abilities: Vec<&'static str>,
    maker: Maker,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    last_used_at: Option<DateTime<Utc>>,
    expired_at: Option<DateTime<Utc>>,
    disabled_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
    usage_count: i64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Maker {
    Ada,
    Team(usize),
    Organization,
    Nobody,
}

impl Row {
    fn new(kind: &'static str, description: &'static str, now: DateTime<Utc>) -> Self {
        Self {
            id: Uuid::now_v7(),
            kind,
            owner: 0,
            description: Some(description),
            prefix: "lkt_abcdef",
            format: "opaque",
            role: "owner",
            abilities: vec![],
            maker: Maker::Ada,
            created_at: now - TimeDelta::days(1),
            updated_at: now - TimeDelta::days(1),
            last_used_at: None,
            expired_at: None,
            disabled_at: None,
            revoked_at: None,
            usage_count: 0,
        }
    }

    fn public_id(&self) -> String {
        format!("at-{}", bs58::encode(self.id.as_bytes()).into_string())
    }

    fn status(&self, now: DateTime<Utc>) -> &'static str {
        let over = |time: Option<DateTime<Utc>>| time.is_some_and(|time| time <= now);
        match self {
            _ if over(self.revoked_at) => "revoked",
            _ if over(self.expired_at) => "expired",
            _ if self.disabled_at.is_some() => "inactive",
            _ => "active",
        }
    }

    fn owner_name(&self) -> &'static str {
        match self.kind {
            "team" => TEAMS[self.owner],
            "workspace" => WORKSPACES[self.owner],
            "user" => "ada",
            _ => "acme",
        }
    }

    fn maker_name(&self) -> Option<&'static str> {
        match self.maker {
            Maker::Ada => Some("ada"),
            Maker::Team(nth) => Some(TEAMS[nth]),
            Maker::Organization => Some("acme"),
            Maker::Nobody => None,
        }
    }
}

/// The organization `acme` with teams and workspaces, and another one like it.
struct World {
    app: App,
    ada: User,
    acme: String,
    teams: Vec<String>,
    workspaces: Vec<String>,
    now: DateTime<Utc>,
}

impl World {
    fn build() -> Self {
        let app = App::start();
        let ada = app.user("ada");
        let acme = ada.organization("acme").attribute("external-id").as_str().unwrap().to_owned();
        let teams = TEAMS.map(|team| ada.team("acme", team)).to_vec();
        let workspaces = WORKSPACES.map(|workspace| ada.workspace("acme", workspace)).to_vec();
        // What is nobody's to see in `acme`.
        let eve = app.user("eve");
        eve.organization("evil");
        eve.team_token(&eve.team("evil", "ops"));
        // Random rows need not be such as the service would let them come about.
        app.sql("DROP INDEX tokens_one_per_team, tokens_one_per_organization");
        let now = DateTime::from_timestamp_micros(Utc::now().timestamp_micros()).unwrap();
        Self { app, ada, acme, teams, workspaces, now }
    }

    /// Inserts rows, in one statement.
    fn insert(&self, rows: &[Row]) {
        if rows.is_empty() {
            return;
        }
        let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
        let time = |time: Option<DateTime<Utc>>| time.map_or("NULL".to_owned(), |time| quoted(&time.to_rfc3339()));
        let named = |table: &str, name: &str| {
            let acme = "organization_id = (SELECT id FROM organizations WHERE name = 'acme')";
            format!("(SELECT id FROM {table} WHERE name = '{name}' AND {acme})")
        };
        let acme = "(SELECT id FROM organizations WHERE name = 'acme')";
        let ada = "(SELECT id FROM users WHERE username = 'ada')";
        let mut values = vec![];
        for row in rows {
            let id = row.id;
            let none = || "NULL".to_owned();
            let owners = match row.kind {
                "user" => [ada.to_owned(), none(), none(), none()],
                "team" => [none(), acme.to_owned(), named("teams", TEAMS[row.owner]), none()],
                "workspace" => [none(), acme.to_owned(), none(), named("workspaces", WORKSPACES[row.owner])],
                _ => [none(), acme.to_owned(), none(), none()],
            };
            let makers = match row.maker {
                Maker::Ada => [ada.to_owned(), none(), none()],
                Maker::Team(nth) => [none(), named("teams", TEAMS[nth]), none()],
                Maker::Organization => [none(), none(), acme.to_owned()],
                Maker::Nobody => [none(), none(), none()],
            };
            let mut value = format!("('{id}', '{}', {}", row.kind, owners.join(", "));
            write!(value, ", {}, sha256('{id}')", row.description.map_or_else(none, quoted)).unwrap();
            write!(value, ", '{}', '{}', '{}'", row.prefix, row.format, row.role).unwrap();
            write!(value, ", '{{{}}}', {}", row.abilities.join(","), makers.join(", ")).unwrap();
            for moment in [
                Some(row.created_at),
                Some(row.updated_at),
                row.last_used_at,
                row.expired_at,
                row.disabled_at,
                row.revoked_at,
            ] {
                write!(value, ", {}", time(moment)).unwrap();
            }
            let signed_with = if row.format == "jwt" { quoted(KEY) } else { "null".to_owned() };
            values.push(format!("{value}, {}, {signed_with})", row.usage_count));
        }
        // What a row that is a JWT was signed with: a key that is out of use.
        self.app.sql(&format!(
            "INSERT INTO signing_keys (kid, public_key, retired_at) \
             VALUES ('{KEY}', decode(repeat('00', 32), 'hex'), now()) ON CONFLICT DO NOTHING"
        ));
        self.app.sql(&format!(
            "INSERT INTO tokens (id, kind, user_id, organization_id, team_id, workspace_id, description, token_hash, \
             token_prefix, format, role, abilities, created_by_user_id, created_by_team_id, \
             created_by_organization_id, created_at, updated_at, last_used_at, expired_at, disabled_at, revoked_at, \
             usage_count, signing_key) VALUES {}",
            values.join(", ")
        ));
    }

    fn clear(&self) {
        self.app.sql("DELETE FROM tokens WHERE organization_id IS NOT NULL");
    }

    /// The descriptions of what a question finds, sorted.
    #[track_caller]
    fn found(&self, question: &str) -> BTreeSet<String> {
        descriptions(&self.ada.client.get(&format!("{LIST}?page[size]=100&{question}")).expect(200))
    }
}

fn descriptions(answer: &Answer) -> BTreeSet<String> {
    let data = answer.body["data"].as_array().unwrap();
    data.iter().map(|token| token["attributes"]["description"].as_str().unwrap_or("(none)").to_owned()).collect()
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// A token of each kind and status, each with something of its own, by description.
fn one_of_each(world: &World) -> Vec<Row> {
    let now = world.now;
    let days = |days: i64| now + TimeDelta::days(days);
    let team = Row {
        role: "viewer",
        abilities: vec!["agents:read"],
        created_at: days(-200),
        last_used_at: Some(days(-100)),
        ..Row::new("team", "team", now)
    };
    let other = Row {
        owner: 1,
        abilities: vec!["agents:*", "hooks:send"],
        maker: Maker::Team(1),
        created_at: days(-40),
        updated_at: days(-20),
        ..Row::new("team", "a,b", now)
    };
    let empty = Row {
        owner: 1,
        role: "admin",
        maker: Maker::Organization,
        created_at: days(-20),
        last_used_at: Some(days(-10)),
        expired_at: Some(days(3)),
        ..Row::new("team", "", now)
    };
    let workspace =
        Row { created_at: days(-300), disabled_at: Some(days(-1)), ..Row::new("workspace", "workspace", now) };
    let organization =
        Row { maker: Maker::Nobody, expired_at: Some(days(-2)), ..Row::new("organization", "organization", now) };
    let audit = Row { expired_at: Some(days(20)), ..Row::new("audit-trails", "audit", now) };
    let revoked = Row { revoked_at: Some(days(-5)), created_at: days(-400), ..Row::new("team", "revoked", now) };
    let grace = Row { owner: 2, revoked_at: Some(days(1)), ..Row::new("team", "grace", now) };
    let own = Row::new("user", "own", now);
    vec![team, other, empty, workspace, organization, audit, revoked, grace, own]
}

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
        ("filter[created-by]=ada".into(), set(&[])),
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
        ("status", "disabled", "revoked, expired, inactive, active"),
        ("status", "", "Must name at least one of revoked"),
        ("role", "root", "viewer, member, manager, admin, owner"),
        ("ability", "agents", "resource:verb"),
        ("ability", "", "Must name at least one ability"),
        ("ability", "agents:read,Agents:read", "resource:verb"),
        ("expiry_status", "soon", "expiring_in_7_days"),
        ("trashed", "", "with or only"),
        ("trashed", "without", "with or only"),
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
        ("created-after", "2026-01-01", "RFC 3339"),
        ("created-before", "2026-01-01T00:00:00", "RFC 3339"),
        ("updated-after", "2026-02-30T00:00:00Z", "RFC 3339"),
        ("last-used-before", "2026-01-01T00:00:00+02:00", "%2B"),
        ("expires-before", "9999-12-31T23:59:59-12:00", "RFC 3339"),
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
    for value in ["0000-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z", "2016-12-31T23:59:60Z"] {
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
    for filter in ["id", "team", "workspace", "created-by"] {
        for value in ["", "nonsense", "at-", "team-0OIl", &world.ada.id[1..], &"x".repeat(3000), "'", "%25"] {
            assert_eq!(world.found(&format!("filter[{filter}]={value}")), set(&[]), "{filter} {value}");
        }
    }
    // Ids of another type.
    assert_eq!(world.found(&format!("filter[team]={}", world.workspaces[0])), set(&[]));
    assert_eq!(world.found(&format!("filter[workspace]={}", world.teams[1])), set(&[]));
    assert_eq!(world.found(&format!("filter[id]={}", world.teams[1])), set(&[]));
    // One that names something, beside one that does not.
    assert_eq!(world.found(&format!("filter[team]=nonsense,{}", world.teams[1])), set(&["a,b", ""]));
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

/// One filter of a question: its name, and its values as a client writes them.
#[derive(Debug, Clone)]
struct Filter {
    name: &'static str,
    values: Vec<String>,
}

/// A question to a list. Values that begin with `#` stand for ids that are known only when it is asked.
#[derive(Debug, Clone)]
struct Question {
    filters: Vec<Filter>,
    q: &'static str,
    sort: Vec<(&'static str, bool)>,
    size: usize,
    snake: bool,
    chosen: Vec<Index>,
}

const KINDS: [&str; 4] = ["team", "organization", "audit-trails", "workspace"];
const STATUSES: [&str; 4] = ["active", "inactive", "expired", "revoked"];
const ROLES: [&str; 5] = ["viewer", "member", "manager", "admin", "owner"];
const DESCRIPTIONS: [&str; 9] = ["", "nightly", "Nightly", "a,b", "a", "b", "50%", "a_b", "axb"];
const ABILITIES: [&str; 5] = ["agents:read", "agents:*", "agents:write", "hooks:send", "hooks:*"];
const PREFIXES: [&str; 3] = ["lkt_aaaaaa", "lkt_AAAAAA", "lkw_b0b0b0"];
const SORTS: [&str; 16] = [
    "description",
    "kind",
    "role",
    "status",
    "token-prefix",
    "format",
    "usage-count",
    "created-at",
    "updated-at",
    "last-used-at",
    "expired-at",
    "disabled-at",
    "revoked-at",
    "owner-name",
    "team-name",
    "created-by",
];
/// Half a day beside these days are the times of tokens, so that none is near the border of any filter.
const DAYS: [i64; 11] = [-400, -91, -90, -31, -30, -8, -1, 0, 6, 29, 400];
const PAST: usize = 7;

fn time_of(now: DateTime<Utc>, days: i64, micros: i64) -> DateTime<Utc> {
    (now + TimeDelta::hours(24 * days + 12)).trunc_subsecs(0) + TimeDelta::microseconds(micros)
}

/// Times of which many are equal, and some differ in less than is shown.
fn times(now: DateTime<Utc>, days: &'static [i64]) -> impl Strategy<Value = DateTime<Utc>> + Clone {
    (select(days), select(&[0_i64, 1, 400, 1000, 1001][..])).prop_map(move |(days, micros)| time_of(now, days, micros))
}

fn rows(now: DateTime<Utc>) -> impl Strategy<Value = Row> {
    let past = || times(now, &DAYS[..PAST]);
    let any_time = || times(now, &DAYS);
    let maybe = |chance: f64| prop::option::weighted(chance, past());
    let maker = select(vec![Maker::Ada, Maker::Team(0), Maker::Team(1), Maker::Organization, Maker::Nobody]);
    let whose = (select(&KINDS[..]), 0..2_usize, maker);
    let said = (
        prop::option::weighted(0.8, select(&DESCRIPTIONS[..])),
        select(&PREFIXES[..]),
        select(vec!["opaque", "jwt"]),
        select(&ROLES[..]),
        subsequence(&ABILITIES[..], 0..3),
    );
    let when = (past(), past(), maybe(0.6), prop::option::weighted(0.5, any_time()), maybe(0.3));
    // Half of what is revoked is in its grace.
    let ended = prop::option::weighted(0.3, any_time());
    (any::<u128>().no_shrink(), whose, said, when, ended, 0..3_i64).prop_map(
        |(id, whose, said, when, revoked_at, uses)| {
            let (kind, owner, maker) = whose;
            let (description, prefix, format, role, abilities) = said;
            let (created_at, updated_at, last_used_at, expired_at, disabled_at) = when;
            Row {
                id: Uuid::from_u128(id),
                kind,
                owner,
                description,
                prefix,
                format,
                role,
                abilities,
                maker,
                created_at,
                updated_at,
                last_used_at,
                expired_at,
                disabled_at,
                revoked_at,
                // More than 10, so that order is not that of texts.
                usage_count: uses * 9,
            }
        },
    )
}

fn filters(now: DateTime<Utc>) -> impl Strategy<Value = Filter> {
    let words = |name: &'static str, words: &'static [&'static str], most: usize| {
        let texts = |words: Vec<&str>| words.into_iter().map(str::to_owned).collect();
        subsequence(words, 1..=most).prop_map(move |words| Filter { name, values: texts(words) }).boxed()
    };
    let moments = select(vec![
        "created-after",
        "created-before",
        "updated-after",
        "updated-before",
        "last-used-after",
        "last-used-before",
        "expires-after",
        "expires-before",
        "revoked-after",
        "revoked-before",
    ]);
    // Some of these are the very times of tokens.
    let moments = (moments, times(now, &DAYS), any::<bool>()).prop_map(|(name, time, whole)| {
        let precision = if whole { SecondsFormat::Secs } else { SecondsFormat::Micros };
        Filter { name, values: vec![time.to_rfc3339_opts(precision, true)] }
    });
    prop_oneof![
        2 => words("kind", &["user", "team", "organization", "audit-trails", "workspace"], 4),
        2 => words("status", &STATUSES, 4),
        1 => words("role", &ROLES, 4),
        1 => words("ability", &ABILITIES, 2),
        1 => words("id", &["#0", "#1", "#2", "at-nonsense"], 4),
        1 => words("description", &DESCRIPTIONS, 4),
        1 => words("team", &["#team-0", "#team-1", "nonsense"], 3),
        1 => words("workspace", &["#workspace-0", "#workspace-1"], 2),
        1 => words("created-by", &["#ada", "#team-0", "#acme", "Acme", "nobody"], 3),
        1 => words("unused-for-days", &["0", "1", "30", "89", "90", "91", "399", "400"], 1),
        1 => words("stale", &["true", "false"], 1),
        1 => words("expiry_status", &["active", "expiring_in_7_days", "expiring_in_30_days", "expired", "no_expiration"], 2),
        3 => words("trashed", &["with", "only"], 1),
        4 => moments,
    ]
}

fn questions(now: DateTime<Utc>) -> impl Strategy<Value = Question> {
    let sort = prop::collection::vec((select(&SORTS[..]), any::<bool>()), 0..4);
    let q = prop_oneof![3 => Just(""), 2 => select(&["build", "NIGHT", "_", "%", ",", "lkt_a", "acme", "b0B"][..])];
    let chosen = prop::collection::vec(any::<Index>(), 3);
    (prop::collection::vec(filters(now), 0..4), q, sort, 2..30_usize, any::<bool>(), chosen).prop_map(
        |(mut filters, q, mut sort, size, snake, chosen)| {
            let mut seen = BTreeSet::new();
            filters.retain(|filter| seen.insert(filter.name));
            seen.clear();
            sort.retain(|(key, _)| seen.insert(key));
            Question { filters, q, sort, size, snake, chosen }
        },
    )
}

impl Question {
    /// Puts ids in the place of what stands for them.
    fn resolved(&self, world: &World, rows: &[Row]) -> Self {
        let id = |text: &String| match text.strip_prefix('#') {
            Some("ada") => world.ada.id.clone(),
            Some("acme") => world.acme.clone(),
            Some("team-0") => world.teams[0].clone(),
            Some("team-1") => world.teams[1].clone(),
            Some("workspace-0") => world.workspaces[0].clone(),
            Some("workspace-1") => world.workspaces[1].clone(),
            Some(_) if rows.is_empty() => "at-none".to_owned(),
            Some(nth) => self.chosen[nth.parse::<usize>().unwrap()].get(rows).public_id(),
            None => text.clone(),
        };
        let resolve = |filter: &Filter| Filter { name: filter.name, values: filter.values.iter().map(id).collect() };
        Self { filters: self.filters.iter().map(resolve).collect(), ..self.clone() }
    }

    /// The path with all but the page; ends in `?` or `&`.
    fn path(&self) -> String {
        let mut path = format!("{LIST}?");
        for Filter { name, values } in &self.filters {
            let name = if self.snake { name.replace('-', "_") } else { (*name).to_owned() };
            let values: Vec<String> = values.iter().map(|value| encoded(value)).collect();
            // A description can hold a comma.
            let separator = if name == "description" { format!("&filter[{name}]=") } else { ",".to_owned() };
            write!(path, "filter[{name}]={}&", values.join(&separator)).unwrap();
        }
        if !self.q.is_empty() {
            write!(path, "q={}&", encoded(self.q)).unwrap();
        }
        if !self.sort.is_empty() {
            let keys: Vec<String> =
                self.sort.iter().map(|(key, down)| format!("{}{key}", if *down { "-" } else { "" })).collect();
            write!(path, "sort={}&", keys.join(",")).unwrap();
        }
        path
    }

    /// What the list must hold of these rows, in its order.
    fn answer<'a>(&self, world: &World, rows: &'a [Row]) -> Vec<&'a Row> {
        let named = |name: &str| self.filters.iter().any(|filter| filter.name == name);
        let by_status =
            self.filters.iter().any(|filter| filter.name == "status" && filter.values.contains(&"revoked".into()));
        let revoked = named("trashed") || named("revoked-after") || named("revoked-before") || by_status;
        let mut found: Vec<&Row> = rows
            .iter()
            .filter(|row| self.finds(world, row))
            .filter(|row| self.filters.iter().all(|filter| passes(world, row, filter)))
            .filter(|row| revoked || row.status(world.now) != "revoked")
            .collect();
        let newest = [("created-at", true)];
        let sort = if self.sort.is_empty() { &newest } else { self.sort.as_slice() };
        found.sort_by(|one, other| compare(world, one, other, sort));
        found
    }

    /// Whether a row passes the search and all filters but those by status.
    fn finds(&self, world: &World, row: &Row) -> bool {
        let q = self.q.to_lowercase();
        let texts = [row.description.unwrap_or_default(), row.prefix, row.owner_name()];
        texts.iter().any(|text| text.to_lowercase().contains(&q))
            && self.filters.iter().all(|filter| holds(world, row, filter))
    }
}

/// Whether a row passes a filter; those by status pass everything.
fn holds(world: &World, row: &Row, Filter { name, values }: &Filter) -> bool {
    let among = |text: &str| values.iter().any(|value| value == text);
    let value = &values[0];
    let span = |time: Option<DateTime<Utc>>, name: &str| {
        let asked = value.parse::<DateTime<Utc>>().unwrap();
        // As shown: in milliseconds.
        time.map(|time| time.trunc_subsecs(3))
            .is_some_and(|time| if name.ends_with("-after") { time > asked } else { time < asked })
    };
    let before = |time: DateTime<Utc>, days: i64| time < world.now - TimeDelta::days(days);
    let unused = |days: i64, never: i64| match row.last_used_at {
        Some(time) => before(time, days),
        None => before(row.created_at, never),
    };
    match *name {
        "kind" => among(row.kind),
        "role" => among(row.role),
        "ability" => values.iter().any(|asked| {
            let (resource, _) = asked.split_once(':').unwrap();
            row.abilities.iter().any(|ability| ability == asked || *ability == format!("{resource}:*"))
        }),
        "id" => among(&row.public_id()),
        "description" => row.description.is_some_and(among),
        "team" => row.kind == "team" && among(&world.teams[row.owner]),
        "workspace" => row.kind == "workspace" && among(&world.workspaces[row.owner]),
        "created-by" => match row.maker {
            Maker::Ada => among(&world.ada.id),
            Maker::Team(nth) => among(&world.teams[nth]),
            Maker::Organization => among(&world.acme) || among("Acme"),
            Maker::Nobody => false,
        },
        "created-after" | "created-before" => span(Some(row.created_at), name),
        "updated-after" | "updated-before" => span(Some(row.updated_at), name),
        "last-used-after" | "last-used-before" => span(row.last_used_at, name),
        "expires-after" | "expires-before" => span(row.expired_at, name),
        "revoked-after" | "revoked-before" => span(row.revoked_at, name),
        "unused-for-days" => unused(value.parse().unwrap(), value.parse().unwrap()),
        "stale" => (row.status(world.now) == "active" && unused(90, 30)) == (value == "true"),
        "expiry_status" => values.iter().any(|status| {
            let within =
                |days| row.expired_at.is_some_and(|at| at > world.now && at <= world.now + TimeDelta::days(days));
            match status.as_str() {
                "active" => row.expired_at.is_none_or(|at| at > world.now),
                "expiring_in_7_days" => within(7),
                "expiring_in_30_days" => within(30),
                "expired" => row.expired_at.is_some_and(|at| at <= world.now),
                _ => row.expired_at.is_none(),
            }
        }),
        "status" | "trashed" => true,
        other => panic!("{other}"),
    }
}

/// Whether a row passes a filter by status.
fn passes(world: &World, row: &Row, Filter { name, values }: &Filter) -> bool {
    let status = row.status(world.now);
    match *name {
        "status" => values.iter().any(|value| value == status),
        "trashed" => values[0] == "with" || status == "revoked",
        _ => true,
    }
}

/// Nulls last ascending, first descending; ties by the ascending id.
fn compare(world: &World, one: &Row, other: &Row, sort: &[(&str, bool)]) -> Ordering {
    fn nulls_last<T: Ord>(one: Option<T>, other: Option<T>) -> Ordering {
        (one.is_none(), one).cmp(&(other.is_none(), other))
    }
    let team = |row: &Row| (row.kind == "team").then(|| TEAMS[row.owner]);
    for (key, descending) in sort {
        let order = match *key {
            "description" => nulls_last(one.description, other.description),
            "kind" => one.kind.cmp(other.kind),
            "role" => one.role.cmp(other.role),
            "status" => one.status(world.now).cmp(other.status(world.now)),
            "token-prefix" => one.prefix.cmp(other.prefix),
            "format" => one.format.cmp(other.format),
            "usage-count" => one.usage_count.cmp(&other.usage_count),
            "created-at" => one.created_at.cmp(&other.created_at),
            "updated-at" => one.updated_at.cmp(&other.updated_at),
            "last-used-at" => nulls_last(one.last_used_at, other.last_used_at),
            "expired-at" => nulls_last(one.expired_at, other.expired_at),
            "disabled-at" => nulls_last(one.disabled_at, other.disabled_at),
            "revoked-at" => nulls_last(one.revoked_at, other.revoked_at),
            "owner-name" => one.owner_name().cmp(other.owner_name()),
            "team-name" => nulls_last(team(one), team(other)),
            "created-by" => nulls_last(one.maker_name(), other.maker_name()),
            other => panic!("{other}"),
        };
        let order = if *descending { order.reverse() } else { order };
        if order != Ordering::Equal {
            return order;
        }
    }
    one.id.cmp(&other.id)
}

/// The same cases in every run: what fails here fails everywhere.
fn runner(cases: u32) -> TestRunner {
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 60, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, b"the same cases in every run: 32."))
}

fn ids(rows: &[&Row]) -> Vec<String> {
    rows.iter().map(|row| row.public_id()).collect()
}

#[test]
fn any_combination_finds_what_a_plain_model_finds() {
    let world = World::build();
    let now = world.now;
    let case = (prop::collection::vec(rows(now), 0..50), prop::collection::vec(questions(now), 5));
    let checked = runner(16).run(&case, |(rows, questions)| {
        world.clear();
        world.insert(&rows);
        for question in questions {
            let question = question.resolved(&world, &rows);
            let (path, size) = (question.path(), question.size);
            let expected = ids(&question.answer(&world, &rows));
            prop_assert_eq!(walk_numbers(&world.ada.client, &path, size), expected.clone(), "by numbers: {}", path);
            let start = format!("{path}page[size]={size}&page[after]=");
            let pages = walk_links(&world.ada.client, &start, "next", || {});
            prop_assert!(pages.iter().rev().skip(1).all(|page| page.len() == size), "full pages: {}", path);
            prop_assert_eq!(pages.concat(), expected, "by cursors: {}", path);
            let told = world.ada.client.get(&path).expect(200).body["meta"]["status-counts"].clone();
            let count = |status: &str| {
                rows.iter().filter(|row| row.status(now) == status && question.finds(&world, row)).count()
            };
            let counts: serde_json::Map<_, _> =
                STATUSES.iter().map(|status| ((*status).to_owned(), count(status).into())).collect();
            prop_assert_eq!(told, Value::from(counts), "counts: {}", path);
        }
        Ok(())
    });
    checked.unwrap_or_else(|fault| panic!("{fault}"));
}

#[test]
fn rows_that_come_during_a_walk_by_cursor_disturb_none() {
    let world = World::build();
    let now = world.now;
    let many = |most: usize| prop::collection::vec(rows(now), most / 2..most);
    let checked = runner(12).run(&(many(50), questions(now), many(60)), |(rows, question, new)| {
        world.clear();
        world.insert(&rows);
        let question = question.resolved(&world, &rows);
        let start = format!("{}page[size]={}&page[after]=", question.path(), question.size.min(9));
        let mut new = new.chunks(4);
        let pages = walk_links(&world.ada.client, &start, "next", || world.insert(new.next().unwrap_or_default()));
        let found = pages.concat();
        let distinct: BTreeSet<&String> = found.iter().collect();
        prop_assert_eq!(distinct.len(), found.len(), "a row came twice: {}", start);
        let old: BTreeSet<String> = rows.iter().map(Row::public_id).collect();
        let found_old: Vec<String> = found.iter().filter(|id| old.contains(*id)).cloned().collect();
        prop_assert_eq!(found_old, ids(&question.answer(&world, &rows)), "{}", start);
        Ok(())
    });
    checked.unwrap_or_else(|fault| panic!("{fault}"));
}
