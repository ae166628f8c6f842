//! When a token ends: revoked for good is a fact, no token outlives the one that made it, and no time is beyond what can
//! be shown (docs/design.md §3, rules 4 to 6 and 8).

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::support::App;
use crate::support::app::{Acme, resource};
use crate::support::client::Answer;
use crate::support::holder::Holder;

const HERE: &str = "/api/v2/organizations/acme";

fn token(attributes: Value) -> Value {
    resource("authentication-tokens", attributes)
}

fn path(id: &str) -> String {
    format!("/api/v2/authentication-tokens/{id}")
}

fn expired_at(answer: &Answer) -> Option<DateTime<Utc>> {
    answer.attribute("expired-at").as_str().map(|text| text.parse().unwrap())
}

fn in_hours(hours: i64) -> String {
    (Utc::now() + TimeDelta::hours(hours)).trunc_subsecs(0).to_rfc3339()
}

/// The database's clock steps back by an hour, which is what a row looks like whose times lie an hour ahead.
fn step_the_clock_back(app: &App) {
    app.sql("UPDATE tokens SET revoked_at = revoked_at + interval '1 hour' WHERE revoked_at IS NOT NULL");
}

#[test]
fn no_clock_makes_a_revoked_token_good() {
    let Acme { app, ada, team } = Acme::new();
    let works = |secret: &str| app.with(secret).get(HERE).status == 200;
    let by_description = |name: &str| ada.described_token(&team, json!({"description": name}));

    let deleted = by_description("deleted");
    ada.client.delete(&path(&deleted.id())).expect(204);
    let by_action = by_description("by its action");
    ada.client.post_nothing(&format!("{}/actions/revoke", path(&by_action.id()))).expect(200);
    let itself = by_description("by itself");
    app.with(&itself.secret()).delete("/api/v2/authentication-tokens/current").expect(204);
    let jwt = ada.described_token(&team, json!({"description": "signed", "format": "jwt"}));
    ada.client.delete(&path(&jwt.id())).expect(204);
    let many = by_description("one of many");
    let list = crate::support::app::identifiers("authentication-tokens", &[&many.id()]);
    ada.client.delete_with("/api/v2/organizations/acme/team-tokens", &list).expect(204);
    let first = ada.team_token(&team);
    let second = ada.team_token(&team);
    let regenerated = by_description("regenerated");
    let successor = ada.client.post_nothing(&format!("{}/actions/regenerate", path(&regenerated.id()))).expect(201);
    let leaked = by_description("leaked");
    let report = json!({"data": [{"type": "leaked-tokens", "attributes": {"token": leaked.secret()}}]});
    app.anonymous().post("/api/v2/leaked-tokens", &report).expect(204);
    let expired = by_description("expired");
    app.sql("UPDATE tokens SET expired_at = now() - interval '1 minute' WHERE description = 'expired'");
    by_description("expired").secret();

    step_the_clock_back(&app);
    let dead = [&deleted, &by_action, &itself, &jwt, &many, &first, &regenerated, &leaked, &expired];
    for answer in dead {
        let id = answer.id();
        assert!(!works(&answer.secret()), "{id} works again");
        let shown = ada.client.get(&path(&id));
        assert!(shown.status == 404 || *shown.attribute("status") == "revoked", "{id}: {}", shown.body);
    }
    assert!(works(&second.secret()) && works(&successor.secret()));
    // Nor is what was revoked in the way of a new one.
    by_description("deleted").secret();
    ada.team_token(&team).secret();
}

/// Only a grace is a matter of the clock, and no longer once it is over.
#[test]
fn a_grace_that_is_over_becomes_a_fact() {
    let Acme { app, ada, team } = Acme::new();
    let old = ada.described_token(&team, json!({"description": "nightly"}));
    let grace = token(json!({"grace-period-seconds": 3600}));
    ada.client.post(&format!("{}/actions/regenerate", path(&old.id())), &grace).expect(201).secret();
    app.with(&old.secret()).get(HERE).expect(200);
    assert_eq!(app.count("tokens WHERE revoked"), 0);
    app.sql("UPDATE tokens SET revoked_at = now() - interval '1 second' WHERE revoked_at IS NOT NULL");
    app.with(&old.secret()).get(HERE).expect(401);
    // A service looks at its start, and then every minute.
    let database = app.database_url.clone();
    let again = App::on(database);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while again.count("tokens WHERE revoked") == 0 {
        assert!(std::time::Instant::now() < deadline, "the grace becomes a fact");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    step_the_clock_back(&again);
    again.with(&old.secret()).get(HERE).expect(401);
}

#[test]
fn no_token_makes_one_that_outlives_it() {
    let Acme { app, ada, team } = Acme::new();
    let users = format!("/api/v2/users/{}/authentication-tokens", ada.id);
    let short = ada.client.post(&users, &token(json!({"expired-at": in_hours(1)}))).expect(201);
    let end = expired_at(&short).unwrap();
    let by_short = app.with(&short.secret());
    let tokens = format!("/api/v2/teams/{team}/authentication-tokens");

    // What asks for nothing ends with its maker, and what asks for more is refused.
    for (path, body) in [
        (&users, json!({})),
        (&tokens, json!({"description": "a"})),
        (&tokens, json!({"description": "b", "expired-at": null})),
    ] {
        let made = by_short.post(path, &token(body)).expect(201);
        assert!(!made.secret().is_empty());
        assert_eq!(expired_at(&made), Some(end), "{path}");
    }
    let later = json!({"description": "c", "expired-at": in_hours(2)});
    let refused = by_short.post(&tokens, &token(later)).expect(422);
    assert_eq!(refused.blamed(), ["/data/attributes/expired-at"]);
    assert!(refused.detail().ends_with("the token that calls ends then"), "{}", refused.detail());
    let sooner = json!({"description": "c", "expired-at": end - TimeDelta::minutes(5)});
    by_short.post(&tokens, &token(sooner)).expect(201).secret();

    // It does not lengthen its own life, or that of others.
    let forever = token(json!({"expired-at": null}));
    assert_eq!(expired_at(&by_short.patch(&path(&short.id()), &forever).expect(200)), Some(end));
    by_short.patch(&path(&short.id()), &token(json!({"expired-at": in_hours(3)}))).expect(422);
    let long = ada.described_token(&team, json!({"description": "long"}));
    assert!(!long.secret().is_empty());
    by_short.patch(&path(&long.id()), &token(json!({"expired-at": in_hours(3)}))).expect(422);
    let renamed =
        by_short.patch(&path(&long.id()), &token(json!({"description": "longer", "expired-at": null}))).expect(200);
    assert_eq!(expired_at(&renamed), None, "what is unchanged is no change");

    // Its own successor, and that of another, end with it.
    let regenerate = |id: &str| format!("{}/actions/regenerate", path(id));
    by_short.post(&regenerate(&long.id()), &token(json!({"expired-at": in_hours(3)}))).expect(422);
    let successor = by_short.post_nothing(&regenerate(&long.id())).expect(201);
    assert!(!successor.secret().is_empty());
    assert_eq!(expired_at(&successor), Some(end));
    let own = by_short.post_nothing(&regenerate(&short.id())).expect(201);
    assert!(!own.secret().is_empty());
    assert_eq!(expired_at(&own), Some(end));

    // Who has a token without an end still gives any.
    assert_eq!(expired_at(&ada.client.patch(&path(&own.id()), &forever).expect(200)), None);
}

#[test]
fn no_time_is_beyond_what_can_be_shown() {
    let Acme { app, ada, team } = Acme::new();
    let tokens = format!("/api/v2/teams/{team}/authentication-tokens");
    let last = ada.described_token(&team, json!({"description": "forever", "expired-at": "9999-12-31T23:59:59Z"}));
    assert!(!last.secret().is_empty());
    // Years later, its successor would end in the year 10000.
    app.sql("UPDATE tokens SET created_at = created_at - interval '3 years' WHERE description = 'forever'");
    let successor = ada.client.post_nothing(&format!("{}/actions/regenerate", path(&last.id()))).expect(201);
    assert!(!successor.secret().is_empty());
    assert_eq!(successor.attribute("expired-at"), "9999-12-31T23:59:59.999Z");
    let first = ada.client.get(&format!("{tokens}?sort=-expired-at&page[size]=1&page[after]=")).expect(200);
    assert_eq!(first.ids(), [successor.id()]);
    for leap in ["9999-12-31T23:59:60Z", "2031-05-17T10:00:60Z"] {
        let refused = ada.client.post(&tokens, &token(json!({"description": leap, "expired-at": leap}))).expect(422);
        assert_eq!(refused.blamed(), ["/data/attributes/expired-at"], "{leap}");
        ada.client.patch(&path(&successor.id()), &token(json!({ "expired-at": leap }))).expect(422);
        let list = format!("{HERE}/authentication-tokens?filter[expires-before]={leap}");
        assert_eq!(ada.client.get(&list).expect(400).blamed(), ["filter[expires-before]"]);
    }
}

/// What GET shows, PATCH takes, also where the organization chose the time.
#[test]
fn what_is_shown_can_be_sent_back() {
    let Acme { app: _app, ada, team } = Acme::new();
    let enforce = resource("organizations", json!({"max-ttl-enabled": true}));
    ada.client.patch(HERE, &enforce).expect(200);
    let policies = |ms: i64| {
        let policies = json!({"token-ttl-policies": [{"token-type": "team", "max-ttl-ms": ms}]});
        ada.client.patch(&format!("{HERE}/token-ttl-policies"), &resource("organization-token-ttl-policies", policies))
    };
    policies(604_800_000).expect(200);
    for nth in 0..50 {
        let made = ada.described_token(&team, json!({"description": format!("rt{nth}")}));
        assert!(!made.secret().is_empty());
        let back = token(json!({"description": format!("changed{nth}"), "expired-at": made.attribute("expired-at")}));
        let changed = ada.client.patch(&path(&made.id()), &back).expect(200);
        assert_eq!(changed.attribute("expired-at"), made.attribute("expired-at"));
        // Also when the policy has become shorter than what was given under it.
        if nth == 49 {
            policies(86_400_000).expect(200);
            ada.client.patch(&path(&made.id()), &back).expect(200);
        }
    }
}

/// Every token shows and ends itself, whatever its kind, its role and the settings of its team.
#[test]
fn every_token_knows_and_ends_itself() {
    let Acme { app, ada, team } = Acme::new();
    let workspace = ada.workspace("acme", "prod");
    let closed = ada.team_with("acme", json!({"name": "closed", "allow-member-token-management": false}));
    let make = |path: &str, attributes: Value| {
        ada.client.post(&format!("/api/v2/{path}"), &token(attributes)).expect(201).secret()
    };
    let users = format!("users/{}/authentication-tokens", ada.id);
    let viewer = json!({"description": "viewer", "role": "viewer"});
    let made = [
        make(&users, viewer.clone()),
        make(&format!("teams/{team}/authentication-tokens"), viewer.clone()),
        make(&format!("teams/{closed}/authentication-token"), json!({})),
        make("organizations/acme/authentication-token", json!({})),
        make("organizations/acme/authentication-token?token=audit-trails", json!({})),
        make(&format!("workspaces/{workspace}/authentication-tokens"), viewer),
    ];
    let current = "/api/v2/authentication-tokens/current";
    for secret in &made {
        let client = app.with(secret);
        let shown = client.get(current).expect(200);
        assert!(secret.starts_with(shown.attribute("token-prefix").as_str().unwrap()));
        assert_eq!(*shown.attribute("token"), Value::Null);
        assert_eq!(client.get(&path(&shown.id())).expect(200).id(), shown.id());
        client.delete(current).expect(204);
        client.get(current).expect(401);
        let told = format!("audit_events WHERE action = 'destroy' AND resource_id = '{}'", shown.id());
        assert_eq!(app.count(&told), 1);
    }
    app.anonymous().get(current).expect(401);
    app.anonymous().delete(current).expect(401);
}

/// What shipped versions of the `tfe` provider send to end an ephemeral token: its id in the place of its team's.
#[test]
fn a_tokens_id_in_the_place_of_its_teams_ends_it() {
    let Acme { app, ada, team } = Acme::new();
    let kept = ada.team_token(&team);
    let ephemeral = ada.described_token(&team, json!({"description": "ephemeral-team-token-1"}));
    let delete = |id: &str| format!("/api/v2/teams/{id}/authentication-token");
    let eve = app.user("eve");
    eve.organization("elsewhere");
    eve.client.delete(&delete(&ephemeral.id())).expect(404);
    app.with(&ephemeral.secret()).get(HERE).expect(200);
    ada.client.delete(&delete(&ephemeral.id())).expect(204);
    app.with(&ephemeral.secret()).get(HERE).expect(401);
    ada.client.delete(&delete(&ephemeral.id())).expect(404);
    app.with(&kept.secret()).get(HERE).expect(200);
}

/// A token that was replaced, and works only for its grace, does not make one for longer.
#[test]
fn a_token_in_its_grace_makes_none_that_outlives_it() {
    let Acme { app, ada, team: _team } = Acme::new();
    let users = format!("/api/v2/users/{}/authentication-tokens", ada.id);
    let old = ada.client.post(&users, &token(json!({}))).expect(201);
    let grace = token(json!({"grace-period-seconds": 3600}));
    ada.client.post(&format!("{}/actions/regenerate", path(&old.id())), &grace).expect(201).secret();
    let made = app.with(&old.secret()).post(&users, &token(json!({}))).expect(201);
    assert!(!made.secret().is_empty());
    assert!(expired_at(&made).unwrap() < Utc::now() + TimeDelta::minutes(61));
}

/// Nor does a token that ends give power to one that goes on.
#[test]
fn a_token_that_ends_gives_no_more_to_one_that_outlives_it() {
    let Acme { app, ada, team } = Acme::new();
    let users = format!("/api/v2/users/{}/authentication-tokens", ada.id);
    let short = ada.client.post(&users, &token(json!({"expired-at": in_hours(1)}))).expect(201);
    let viewer = ada.described_token(&team, json!({"description": "viewer", "role": "viewer"}));
    assert!(!viewer.secret().is_empty());
    let raise = token(json!({"role": "owner"}));
    app.with(&short.secret()).patch(&path(&viewer.id()), &raise).expect(403);
    app.with(&short.secret()).patch(&path(&viewer.id()), &token(json!({"description": "other"}))).expect(200);
    ada.client.patch(&path(&viewer.id()), &raise).expect(200);
}

/// Sets the longest life of a kind of token in `acme`.
fn at_most(acme: &Acme, kind: &str, ms: i64) {
    let policies = json!({"token-ttl-policies": [{"token-type": kind, "max-ttl-ms": ms}]});
    let policies = resource("organization-token-ttl-policies", policies);
    acme.ada.client.patch(&format!("{HERE}/token-ttl-policies"), &policies).expect(200);
}

fn enforce(acme: &Acme, enforced: bool) {
    let change = resource("organizations", json!({ "max-ttl-enabled": enforced }));
    acme.ada.client.patch(HERE, &change).expect(200);
}

const MINUTE: i64 = 60_000;

/// What a policy has ended stays ended, whatever becomes of the policy.
#[test]
fn a_policy_that_is_relaxed_revives_nothing() {
    let acme = Acme::new();
    let bob = acme.app.user("bob");
    acme.ada.add_to_team(&acme.team, &bob);
    at_most(&acme, "team", 10 * MINUTE);
    at_most(&acme, "user", 60 * MINUTE);
    let [old, new] = ["old", "new"].map(|name| acme.ada.described_token(&acme.team, json!({"description": name})));
    acme.app.sql("UPDATE tokens SET created_at = created_at - interval '20 minutes' WHERE description = 'old'");
    acme.app.sql(
        "UPDATE tokens SET created_at = now() - interval '2 hours' FROM users \
                  WHERE users.id = user_id AND username = 'bob'",
    );
    let of_bob = || bob.client.get(HERE).status;
    // As long as nothing is enforced, all is good.
    assert!(acme.works(&old.secret()) && acme.works(&new.secret()) && of_bob() == 200);
    enforce(&acme, true);
    let relaxations: [&dyn Fn(); 4] =
        [&|| {}, &|| at_most(&acme, "team", 100 * MINUTE), &|| enforce(&acme, false), &|| {
            at_most(&acme, "user", 1000 * MINUTE)
        }];
    for relax in relaxations {
        relax();
        assert!(!acme.works(&old.secret()) && acme.works(&new.secret()));
        assert_eq!(of_bob(), 404);
        let shown = acme.ada.client.get(&path(&old.id())).expect(200);
        assert_eq!(*shown.attribute("status"), "expired");
        let at = |name: &str| shown.attribute(name).as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
        assert_eq!(at("ends-at") - at("created-at"), TimeDelta::minutes(10), "the end does not move");
    }
    // What bob has elsewhere is not this organization's to end.
    bob.client.get("/api/v2/account/details").expect(200);
    let later = acme.ada.described_token(&acme.team, json!({"description": "later"}));
    assert!(acme.works(&later.secret()));
    assert_eq!(*later.attribute("ends-at"), Value::Null);
    let successor = acme.ada.client.post_nothing(&format!("{}/actions/regenerate", path(&old.id()))).expect(201);
    assert!(acme.works(&successor.secret()));
}

/// The default maximum, which nobody has set, ends for good as well.
#[test]
fn the_default_maximum_is_kept_to_when_it_is_relaxed() {
    let acme = Acme::new();
    let old = acme.ada.team_token(&acme.team);
    acme.app.sql("UPDATE tokens SET created_at = created_at - interval '3 years' WHERE team_id IS NOT NULL");
    enforce(&acme, true);
    assert!(!acme.works(&old.secret()));
    at_most(&acme, "team", 4 * 365 * 24 * 60 * MINUTE);
    assert!(!acme.works(&old.secret()));
    enforce(&acme, false);
    assert!(!acme.works(&old.secret()));
    let set = acme.ada.client.get(&format!("{HERE}/token-ttl-policies")).expect(200);
    let maxima = set.body["data"].as_array().unwrap().iter().map(|policy| &policy["attributes"]["max-ttl-ms"]);
    let (ours, default) = (json!(4 * 365 * 24 * 60 * MINUTE), json!(2 * 365 * 24 * 60 * MINUTE));
    let mut maxima: Vec<&Value> = maxima.collect();
    maxima.sort_by_key(|max| max.as_i64());
    assert_eq!(maxima, [&default, &default, &default, &ours], "no other maximum is set");
}

/// One truth about the end: the attribute, the filters and what happens.
#[test]
fn ends_at_tells_the_end_that_a_policy_makes() {
    let acme = Acme::new();
    let token = acme.ada.described_token(&acme.team, json!({"description": "old"}));
    assert_eq!(*token.attribute("ends-at"), Value::Null);
    at_most(&acme, "team", 60 * MINUTE);
    enforce(&acme, true);
    let shown = acme.ada.client.get(&path(&token.id())).expect(200);
    assert_eq!(*shown.attribute("expired-at"), Value::Null);
    let instant =
        |answer: &Answer, name: &str| -> DateTime<Utc> { answer.attribute(name).as_str().unwrap().parse().unwrap() };
    assert_eq!(instant(&shown, "ends-at") - instant(&shown, "created-at"), TimeDelta::hours(1));
    let found = |filter: String| {
        let list = acme.ada.client.get(&format!("{HERE}/authentication-tokens?{filter}")).expect(200);
        list.ids().contains(&token.id())
    };
    let at = |minutes: i64| (Utc::now() + TimeDelta::minutes(minutes)).format("%Y-%m-%dT%H:%M:%SZ");
    assert!(
        found(format!("filter[expires-before]={}", at(61))) && !found(format!("filter[expires-before]={}", at(58)))
    );
    assert!(found(format!("filter[expires-after]={}", at(58))) && !found(format!("filter[expires-after]={}", at(61))));
    assert!(found("filter[expiry_status]=expiring_in_7_days".to_owned()));
    // It is read-only: what is shown can be sent back.
    let back = token_attributes(&shown);
    let changed = acme.ada.client.patch(&path(&token.id()), &resource("authentication-tokens", back)).expect(200);
    assert_eq!(changed.attribute("ends-at"), shown.attribute("ends-at"));
}

/// What a client that reads, changes nothing and writes back sends of a token.
fn token_attributes(shown: &Answer) -> Value {
    let mut attributes = shown.body["data"]["attributes"].clone();
    attributes
        .as_object_mut()
        .unwrap()
        .retain(|name, _| ["description", "expired-at", "ends-at", "role", "abilities"].contains(&name.as_str()));
    attributes
}

/// Lists go by the end that a token really has, also after a policy has changed; until all are sorted anew, they say so.
#[test]
fn lists_are_sorted_by_the_end_that_counts() {
    let acme = Acme::new();
    let of_team = format!("/api/v2/teams/{}/authentication-tokens", acme.team);
    let make = |name: &str, hours: i64| {
        let made = acme.ada.described_token(&acme.team, json!({"description": name, "expired-at": in_hours(hours)}));
        assert!(!made.secret().is_empty());
        made.id()
    };
    // By their own expiry; by the policy, the older ones end first.
    let [first, second, third] = [("first", 30), ("second", 20), ("third", 10)].map(|(name, hours)| make(name, hours));
    let listed = || acme.ada.client.get(&of_team).expect(200);
    assert_eq!(listed().ids(), [&third, &second, &first].map(String::as_str));
    acme.app.sql("UPDATE tokens SET created_at = created_at - interval '50 minutes' WHERE description = 'first'");
    acme.app.sql("UPDATE tokens SET created_at = created_at - interval '40 minutes' WHERE description = 'second'");

    at_most(&acme, "team", 60 * MINUTE);
    enforce(&acme, true);
    let rewrites = || acme.app.count("end_rewrites WHERE NOT looked");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while rewrites() > 0 {
        assert!(std::time::Instant::now() < deadline, "all are sorted anew");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let sorted = listed();
    assert_eq!(sorted.ids(), [&first, &second, &third].map(String::as_str));
    // What a late request makes may still be in another place.
    assert_eq!(sorted.body["meta"]["sorted-by-old-ends"], json!(true));
    // Page by page as well, and the other way.
    let page = |after: &str| {
        let list = format!("{of_team}?page[size]=1&sort=-expired-at&page[after]={after}");
        let page = acme.ada.client.get(&list).expect(200);
        (page.ids(), page.body["data"][0]["meta"]["page"]["cursor"].as_str().map(str::to_owned))
    };
    let (ids, cursor) = page("");
    assert_eq!(ids, [third.as_str()]);
    assert_eq!(page(&cursor.unwrap()).0, [second.as_str()]);

    // One that a late request makes by what it knew before is found by the second look.
    acme.app.sql("UPDATE tokens SET sorted_end = NULL WHERE description = 'first'");
    acme.app.sql("UPDATE end_rewrites SET due_at = now()");
    while acme.app.count("end_rewrites") > 0 {
        assert!(std::time::Instant::now() < deadline, "the second look ends it");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let sorted = listed();
    assert_eq!(sorted.ids(), [&first, &second, &third].map(String::as_str));
    assert_eq!(sorted.body["meta"]["sorted-by-old-ends"], Value::Null);
    // A new one and an edited one are in their place at once.
    let fourth = make("fourth", 1);
    acme.ada.client.patch(&path(&third), &token(json!({"expired-at": in_hours(0)}))).expect(422);
    let soon = (Utc::now() + TimeDelta::minutes(5)).to_rfc3339();
    acme.ada.client.patch(&path(&third), &token(json!({ "expired-at": soon }))).expect(200);
    assert_eq!(listed().ids(), [&third, &first, &second, &fourth].map(String::as_str));
}

/// What a policy has ended holds its description no more, as what has expired by itself.
#[test]
fn a_description_is_free_when_a_policy_has_ended_its_token() {
    let acme = Acme::new();
    let of_team = format!("/api/v2/teams/{}/authentication-tokens", acme.team);
    let make = || acme.ada.client.post(&of_team, &token(json!({"description": "nightly"})));
    let old = make().expect(201);
    acme.app.sql("UPDATE tokens SET created_at = created_at - interval '2 hours' WHERE description = 'nightly'");
    make().expect(422);
    at_most(&acme, "team", 60 * MINUTE);
    enforce(&acme, true);
    assert!(!acme.works(&old.secret()));
    assert!(acme.works(&make().expect(201).secret()));
    make().expect(422);
}

/// A policy lets no new token of a user live so long; an older one is not ended by an edit, and can be shortened.
#[test]
fn an_edit_ends_no_older_token_of_a_user() {
    let acme = Acme::new();
    let bob = acme.app.user("bob");
    acme.ada.add_to_team(&acme.team, &bob);
    let tokens = format!("/api/v2/users/{}/authentication-tokens", bob.id);
    let older = bob.client.post(&tokens, &token(json!({"expired-at": in_hours(9000)}))).expect(201);
    assert!(!older.secret().is_empty());
    acme.app.sql("UPDATE tokens SET created_at = created_at - interval '5 days' WHERE expired_at IS NOT NULL");
    at_most(&acme, "user", 24 * 60 * MINUTE);
    enforce(&acme, true);
    let change = |end: Value| bob.client.patch(&path(&older.id()), &token(json!({ "expired-at": end })));
    let works = || acme.app.with(&older.secret()).get("/api/v2/account/details").status;
    for longer in [Value::Null, json!(in_hours(9001))] {
        assert_eq!(change(longer).expect(422).blamed(), ["/data/attributes/expired-at"]);
        assert_eq!(works(), 200);
    }
    change(json!(in_hours(24))).expect(200);
    assert_eq!(works(), 200);
}

/// Until then the lists by expiry say so, and no other ones.
#[test]
fn lists_tell_that_they_are_not_sorted_anew_yet() {
    let acme = Acme::new();
    assert!(!acme.ada.described_token(&acme.team, json!({"description": "a"})).secret().is_empty());
    let (root, bob) = (acme.app.site_admin("root"), acme.app.user("bob"));
    bob.organization("beta");
    // The service cannot write it, and goes on with others.
    let holder = Holder::of(&acme.app, "SELECT FROM tokens WHERE description = 'a' FOR UPDATE");
    at_most(&acme, "team", 60 * MINUTE);
    let policies = json!({"token-ttl-policies": [{"token-type": "team", "max-ttl-ms": MINUTE}]});
    let policies = resource("organization-token-ttl-policies", policies);
    bob.client.patch("/api/v2/organizations/beta/token-ttl-policies", &policies).expect(200);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    let looked = "end_rewrites JOIN organizations ON organizations.id = organization_id WHERE name = 'beta' AND looked";
    while acme.app.count(looked) == 0 {
        assert!(std::time::Instant::now() < deadline, "another organization has its turn");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let told = |path: &str| acme.ada.client.get(path).expect(200).body["meta"]["sorted-by-old-ends"].clone();
    let [of_team, all] =
        [format!("/api/v2/teams/{}/authentication-tokens", acme.team), format!("{HERE}/authentication-tokens")];
    for (list, tells) in [
        (of_team.clone(), true),
        (format!("{HERE}/team-tokens"), true),
        (format!("{all}?sort=kind,-expired-at"), true),
        (all.clone(), false),
        (format!("{of_team}?sort=-created-at"), false),
    ] {
        assert_eq!(told(&list), if tells { json!(true) } else { Value::Null }, "{list}");
    }
    let everybody = |sort: &str| {
        let list = format!("/api/v2/admin/authentication-tokens?sort={sort}");
        root.client.get(&list).expect(200).body["meta"]["sorted-by-old-ends"].clone()
    };
    assert_eq!((everybody("expired-at"), everybody("created-at")), (json!(true), Value::Null));
    holder.release();
    while acme.app.count("end_rewrites WHERE NOT looked") > 0 {
        assert!(std::time::Instant::now() < deadline, "all are sorted anew");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    acme.app.sql("UPDATE end_rewrites SET due_at = now()");
    while told(&of_team) != Value::Null {
        assert!(std::time::Instant::now() < deadline, "all were looked at twice");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert_eq!(everybody("expired-at"), Value::Null);
}

/// A user's token belongs to no organization; a new one is held to the shortest maximum of those that its user is in.
#[test]
fn a_new_user_token_ends_by_the_strictest_of_the_users_organizations() {
    let acme = Acme::new();
    let bob = acme.app.user("bob");
    acme.ada.add_to_team(&acme.team, &bob);
    bob.organization("lax");
    let tokens = format!("/api/v2/users/{}/authentication-tokens", bob.id);
    let make = |attributes: Value| bob.client.post(&tokens, &token(attributes));
    let older = make(json!({})).expect(201);
    assert!(!older.secret().is_empty());
    let of_user = |organization: &str, owner: &crate::support::app::User, ms: i64| {
        let here = format!("/api/v2/organizations/{organization}");
        let policies = json!({"token-ttl-policies": [{"token-type": "user", "max-ttl-ms": ms}]});
        let policies = resource("organization-token-ttl-policies", policies);
        owner.client.patch(&format!("{here}/token-ttl-policies"), &policies).expect(200);
        let enforced = resource("organizations", json!({"max-ttl-enabled": true}));
        owner.client.patch(&here, &enforced).expect(200);
    };
    let lives = |made: &Answer| {
        assert!(!made.secret().is_empty());
        let end = expired_at(made)?;
        Some((end - made.attribute("created-at").as_str().unwrap().parse::<DateTime<Utc>>().unwrap()).num_minutes())
    };
    of_user("lax", &bob, 500 * MINUTE);
    assert_eq!(lives(&make(json!({})).expect(201)), Some(500));
    of_user("acme", &acme.ada, 100 * MINUTE);
    assert_eq!(lives(&make(json!({})).expect(201)), Some(100));
    let refused = make(json!({"expired-at": in_hours(3)})).expect(422);
    assert_eq!(refused.blamed(), ["/data/attributes/expired-at"]);
    assert!(refused.detail().contains("an organization that the user is in"), "{}", refused.detail());
    assert!(!make(json!({"expired-at": in_hours(1)})).expect(201).secret().is_empty());
    // Nor does a successor or an edit live longer.
    let successor = bob.client.post_nothing(&format!("{}/actions/regenerate", path(&older.id()))).expect(201);
    assert_eq!(lives(&successor), Some(100));
    bob.client.patch(&path(&successor.id()), &token(json!({"expired-at": in_hours(3)}))).expect(422);
    // Who is only invited is not held to it, nor who has left.
    let zoe = acme.app.user("zoe");
    let mut invitation = resource("organization-memberships", json!({"email": "zoe@example.com"}));
    let teams = crate::support::app::identifiers("teams", &[acme.team.as_str()]);
    invitation["data"]["relationships"] = json!({ "teams": teams });
    acme.ada.client.post(&format!("{HERE}/organization-memberships"), &invitation).expect(201);
    let of_zoe = format!("/api/v2/users/{}/authentication-tokens", zoe.id);
    assert_eq!(lives(&zoe.client.post(&of_zoe, &token(json!({}))).expect(201)), None);
    let membership = acme.ada.client.get(&format!("{HERE}/organization-memberships?q=bob")).expect(200).ids().remove(0);
    acme.ada.client.delete(&format!("/api/v2/organization-memberships/{membership}")).expect(204);
    assert_eq!(lives(&make(json!({})).expect(201)), Some(500));
}
