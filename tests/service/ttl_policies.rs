//! `token-ttl-policies` and `max-ttl-enabled`: how long an organization lets tokens live (docs/design.md §3, rule 4).

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::support::App;
use crate::support::app::{User, identifiers, resource};
use crate::support::client::Answer;

const POLICIES: &str = "/api/v2/organizations/acme/token-ttl-policies";
const TOKEN: &str = "/api/v2/organizations/acme/authentication-token";
const TWO_YEARS: i64 = 63_072_000_000;
const DAY: i64 = 86_400_000;

fn scene() -> (App, User) {
    let (app, ada) = App::with_acme();
    (app, ada)
}

fn policies(items: Value) -> Value {
    resource("organization-token-ttl-policies", json!({ "token-ttl-policies": items }))
}

fn one(kind: &str, max_ttl_ms: i64) -> Value {
    policies(json!([{"token-type": kind, "max-ttl-ms": max_ttl_ms}]))
}

/// `type: milliseconds`, sorted.
fn told(answer: &Answer) -> Vec<String> {
    let policies = answer.body["data"].as_array().unwrap().iter();
    let mut told: Vec<String> = policies
        .map(|policy| {
            assert_eq!(policy["type"], "organization-token-ttl-policies");
            let attributes = &policy["attributes"];
            format!("{}: {}", attributes["token-type"].as_str().unwrap(), attributes["max-ttl-ms"])
        })
        .collect();
    told.sort();
    told
}

fn enforce(ada: &User, enabled: bool) {
    let change = resource("organizations", json!({"max-ttl-enabled": enabled}));
    let changed = ada.client.patch("/api/v2/organizations/acme", &change).expect(200);
    assert_eq!(*changed.attribute("max-ttl-enabled"), enabled);
}

fn time(answer: &Answer, attribute: &str) -> DateTime<Utc> {
    answer.attribute(attribute).as_str().unwrap_or_else(|| panic!("no {attribute}")).parse().unwrap()
}

/// A token of a description that no other has.
fn expiring(at: DateTime<Utc>) -> Value {
    let description = uuid::Uuid::now_v7().to_string();
    resource("authentication-tokens", json!({"expired-at": at.to_rfc3339(), "description": description}))
}

/// The `tfe` provider manages policies only of what says that it is 2.0.1 or later.
#[test]
fn the_provider_takes_the_service_for_one_that_has_policies() {
    let ping = App::start().anonymous().get("/api/v2/ping").expect(204);
    let version: Vec<u32> =
        ping.header("X-TFE-Current-Version").unwrap().split('.').map(|part| part.parse().unwrap()).collect();
    assert!(version.len() == 3 && version >= vec![2, 0, 1], "{version:?}");
    assert_ne!(ping.header("TFP-AppName"), Some("HCP Terraform"));
}

#[test]
fn every_kind_has_two_years_where_nothing_is_set() {
    let (_app, ada) = scene();
    let kinds = ["audit_trails", "organization", "team", "user"];
    assert_eq!(told(&ada.client.get(POLICIES).expect(200)), kinds.map(|kind| format!("{kind}: {TWO_YEARS}")));
    assert_eq!(*ada.client.get("/api/v2/organizations/acme").expect(200).attribute("max-ttl-enabled"), false);
}

#[test]
fn a_policy_is_set_and_the_others_stay() {
    let (_app, ada) = scene();
    let both =
        json!([{"token-type": "team", "max-ttl-ms": DAY}, {"token-type": "audit_trails", "max-ttl-ms": 2 * DAY}]);
    let expected = [
        format!("audit_trails: {}", 2 * DAY),
        format!("organization: {TWO_YEARS}"),
        format!("team: {DAY}"),
        format!("user: {TWO_YEARS}"),
    ];
    assert_eq!(told(&ada.client.patch(POLICIES, &policies(both)).expect(200)), expected);
    assert_eq!(told(&ada.client.get(POLICIES).expect(200)), expected);
    let changed = ada.client.patch(POLICIES, &one("team", 3 * DAY)).expect(200);
    assert!(told(&changed).contains(&format!("team: {}", 3 * DAY)));
    assert!(told(&changed).contains(&format!("audit_trails: {}", 2 * DAY)));
    let team = changed.body["data"].as_array().unwrap().iter().find(|one| one["attributes"]["token-type"] == "team");
    let [created, updated] = ["created-at", "updated-at"]
        .map(|name| team.unwrap()["attributes"][name].as_str().unwrap().parse::<DateTime<Utc>>().unwrap());
    assert!(created < updated, "{created} {updated}");
    // What is stored and means nothing here comes back as well.
    assert!(told(&ada.client.patch(POLICIES, &one("metrics", DAY)).expect(200)).contains(&format!("metrics: {DAY}")));
}

#[test]
fn a_wrong_policy_is_refused() {
    let (app, ada) = scene();
    let item = |kind: Value, ttl: Value| json!([{"token-type": kind, "max-ttl-ms": ttl}]);
    for items in [
        json!([]),
        json!(null),
        json!("team"),
        json!([7]),
        json!([{}]),
        json!([{"token-type": "team"}]),
        json!([{"max-ttl-ms": DAY}]),
        item(json!("robot"), json!(DAY)),
        item(json!("audit-trails"), json!(DAY)),
        item(json!("team"), json!(0)),
        item(json!("team"), json!(-1)),
        item(json!("team"), json!("1d")),
        item(json!("team"), json!(1.5)),
        item(json!("team"), json!(i64::MAX)),
        json!([{"token-type": "team", "max-ttl-ms": DAY}, {"token-type": "team", "max-ttl-ms": 2 * DAY}]),
    ] {
        let refused = ada.client.patch(POLICIES, &policies(items.clone())).expect(422);
        assert!(
            refused.blamed()[0].starts_with("/data/attributes/token-ttl-policies"),
            "{items}: {:?}",
            refused.blamed()
        );
    }
    let refused = ada.client.patch(POLICIES, &policies(json!([])).clone()).expect(422);
    assert_eq!(refused.body["errors"].as_array().unwrap().len(), 1);
    ada.client.patch(POLICIES, &resource("organization-token-ttl-policies", json!({}))).expect(422);
    ada.client.patch(POLICIES, &resource("organizations", json!({}))).expect(409);
    assert_eq!(app.count("token_ttl_policies"), 0);
}

/// What pytfe sends: a resource for each kind.
fn listed(items: &[(&str, i64)]) -> Value {
    let each = |(kind, ttl): &(&str, i64)| {
        let attributes = json!({"token-type": kind, "max-ttl-ms": ttl});
        json!({"type": "organization-token-ttl-policies", "attributes": attributes})
    };
    json!({"data": items.iter().map(each).collect::<Vec<_>>()})
}

#[test]
fn policies_may_come_as_a_list_of_resources() {
    let (app, ada) = scene();
    let changed = ada.client.patch(POLICIES, &listed(&[("team", DAY), ("audit_trails", 2 * DAY)])).expect(200);
    let expected = [
        format!("audit_trails: {}", 2 * DAY),
        format!("organization: {TWO_YEARS}"),
        format!("team: {DAY}"),
        format!("user: {TWO_YEARS}"),
    ];
    assert_eq!(told(&changed), expected);
    assert_eq!(told(&ada.client.get(POLICIES).expect(200)), expected);
    assert_eq!(app.count("audit_events WHERE resource_type = 'organization_token_ttl_policy'"), 1);
    // What was told can be sent back as it is, ids and all.
    ada.client.patch(POLICIES, &json!({"data": changed.body["data"]})).expect(200);
    assert_eq!(told(&ada.client.get(POLICIES).expect(200)), expected);
}

#[test]
fn a_list_with_a_wrong_policy_is_refused_whole() {
    let (app, ada) = scene();
    let policies = ada.client.get(POLICIES).expect(200).body["data"].clone();
    let kind = "organization-token-ttl-policies";
    let good = json!({"type": kind, "attributes": {"token-type": "team", "max-ttl-ms": DAY}});
    let with = |attributes: Value| json!({"type": kind, "attributes": attributes});
    let named = |id: &Value| json!({"type": kind, "id": id, "attributes": {"token-type": "user", "max-ttl-ms": DAY}});
    let attributes = "/data/1/attributes";
    for (second, status, place) in [
        (json!(7), 400, "/data/1".to_owned()),
        (json!([]), 400, "/data/1".to_owned()),
        (json!({"attributes": {}}), 400, "/data/1/type".to_owned()),
        (json!({"type": "teams"}), 409, "/data/1/type".to_owned()),
        (json!({"type": kind, "id": 7}), 400, "/data/1/id".to_owned()),
        (named(&policies[0]["id"]), 409, "/data/1/id".to_owned()),
        (json!({"type": kind, "attributes": 7}), 422, attributes.to_owned()),
        (with(json!({"max-ttl-ms": DAY})), 422, format!("{attributes}/token-type")),
        (with(json!({"token-type": "user"})), 422, format!("{attributes}/max-ttl-ms")),
        (with(json!({"token-type": "user", "max-ttl-ms": null})), 422, format!("{attributes}/max-ttl-ms")),
        (with(json!({"token-type": "robot", "max-ttl-ms": DAY})), 422, format!("{attributes}/token-type")),
        (with(json!({"token-type": "user", "max-ttl-ms": "1d"})), 422, format!("{attributes}/max-ttl-ms")),
        (with(json!({"token-type": "user", "max-ttl-ms": 59_999})), 422, format!("{attributes}/max-ttl-ms")),
        (with(json!({"token-type": "user", "max-ttl-ms": i64::MAX})), 422, format!("{attributes}/max-ttl-ms")),
        (with(json!({"token-type": "team", "max-ttl-ms": 2 * DAY})), 422, format!("{attributes}/token-type")),
    ] {
        let refused = ada.client.patch(POLICIES, &json!({"data": [good, second]})).expect(status);
        assert_eq!(refused.blamed(), [place], "{second}");
    }
    assert_eq!(ada.client.patch(POLICIES, &json!({"data": []})).expect(422).blamed(), ["/data"]);
    let many = json!({"data": vec![good; 1001]});
    assert_eq!(ada.client.patch(POLICIES, &many).expect(422).blamed(), ["/data"]);
    assert_eq!(app.count("token_ttl_policies"), 0);
}

#[test]
fn each_fault_of_a_policy_has_its_place() {
    let (_app, ada) = scene();
    let items = [("team", DAY), ("user", 0), ("team", -1)];
    let places = ["1/max-ttl-ms", "2/token-type", "2/max-ttl-ms"];
    let objects = items.map(|(kind, ttl)| json!({"token-type": kind, "max-ttl-ms": ttl}));
    let refused = ada.client.patch(POLICIES, &policies(json!(objects))).expect(422);
    assert_eq!(refused.blamed(), places.map(|place| format!("/data/attributes/token-ttl-policies/{place}")));
    let refused = ada.client.patch(POLICIES, &listed(&items)).expect(422);
    assert_eq!(refused.blamed(), places.map(|place| format!("/data/{}", place.replace('/', "/attributes/"))));
}

#[test]
fn owners_and_site_admins_set_policies() {
    let (app, ada) = scene();
    let (ben, zoe, root) = (app.user("ben"), app.user("zoe"), app.site_admin("root"));
    let all = json!({"manage-teams": true, "manage-membership": true, "manage-organization-access": true});
    let team = ada.team_with("acme", json!({"name": "managers", "organization-access": all}));
    ada.add_to_team(&team, &ben);
    let owners = app.with(&ada.team_token(&ada.owners_team("acme")).secret());
    let organization = app.with(&ada.client.post_nothing(TOKEN).expect(201).secret());
    for client in [&ada.client, &root.client, &owners, &organization] {
        client.get(POLICIES).expect(200);
        client.patch(POLICIES, &one("team", DAY)).expect(200);
    }
    let member = app.with(&ada.team_token(&team).secret());
    for client in [&ben.client, &member] {
        client.get(POLICIES).expect(403);
        client.patch(POLICIES, &one("team", 2 * DAY)).expect(403);
    }
    zoe.client.get(POLICIES).expect(404);
    zoe.client.patch(POLICIES, &one("team", 2 * DAY)).expect(404);
    assert_eq!(app.count(&format!("token_ttl_policies WHERE max_ttl_ms = {DAY}")), 1);
}

#[test]
fn a_change_is_audited() {
    let (app, ada) = scene();
    ada.client.patch(POLICIES, &one("team", DAY)).expect(200);
    ada.client.patch(POLICIES, &one("team", 0)).expect(422);
    assert_eq!(app.count("audit_events WHERE resource_type = 'organization_token_ttl_policy'"), 1);
}

#[test]
fn without_enforcement_a_policy_means_nothing() {
    let (app, ada) = scene();
    ada.client.patch(POLICIES, &one("organization", DAY)).expect(200);
    let made = ada.client.post_nothing(TOKEN).expect(201);
    assert_eq!(*made.attribute("expired-at"), Value::Null);
    app.sql("UPDATE tokens SET created_at = now() - interval '3 years'");
    app.with(&made.secret()).get("/api/v2/organizations/acme").expect(200);
    ada.client.post(TOKEN, &expiring(Utc::now() + TimeDelta::days(3000))).expect(201);
}

/// Every route that makes a token of the organization, and its kind in the policies.
fn makers(ada: &User) -> [(String, &'static str); 4] {
    let team = ada.team("acme", "ci");
    [
        (TOKEN.to_owned(), "organization"),
        (format!("{TOKEN}?token=audit-trails"), "audit_trails"),
        (format!("/api/v2/teams/{team}/authentication-token"), "team"),
        (format!("/api/v2/teams/{team}/authentication-tokens"), "team"),
    ]
}

#[test]
fn an_expiry_beyond_the_maximum_is_refused() {
    let (app, ada) = scene();
    enforce(&ada, true);
    for (path, kind) in makers(&ada) {
        ada.client.patch(POLICIES, &one(kind, 7 * DAY)).expect(200);
        let before = app.count("tokens WHERE revoked_at IS NULL");
        let refused = ada.client.post(&path, &expiring(Utc::now() + TimeDelta::days(8))).expect(422);
        assert_eq!(refused.blamed(), ["/data/attributes/expired-at"], "{path}");
        assert_eq!(app.count("tokens WHERE revoked_at IS NULL"), before);
        let wanted = Utc::now() + TimeDelta::days(6);
        let made = ada.client.post(&path, &expiring(wanted)).expect(201);
        assert!((time(&made, "expired-at") - wanted).num_milliseconds().abs() <= 1, "{path}");
    }
}

#[test]
fn an_absent_expiry_becomes_created_plus_maximum() {
    let (_app, ada) = scene();
    enforce(&ada, true);
    for (path, kind) in makers(&ada) {
        ada.client.patch(POLICIES, &one(kind, 7 * DAY)).expect(200);
        for attributes in [json!({"description": "first"}), json!({"expired-at": null, "description": "second"})] {
            let made = ada.client.post(&path, &resource("authentication-tokens", attributes)).expect(201);
            let lives = time(&made, "expired-at") - time(&made, "created-at");
            let off = (lives - TimeDelta::days(7)).num_milliseconds().abs();
            assert!(off < 2000, "{path}: {lives}");
        }
    }
}

#[test]
fn two_years_are_enforced_where_nothing_is_set() {
    let (app, ada) = scene();
    enforce(&ada, true);
    ada.client.post(TOKEN, &expiring(Utc::now() + TimeDelta::days(731))).expect(422);
    let made = ada.client.post_nothing(TOKEN).expect(201);
    let lives = time(&made, "expired-at") - time(&made, "created-at");
    assert!((lives - TimeDelta::milliseconds(TWO_YEARS)).num_seconds().abs() < 2, "{lives}");
    app.sql(
        "UPDATE tokens SET expired_at = NULL, created_at = now() - interval '729 days' WHERE kind = 'organization'",
    );
    app.with(&made.secret()).get("/api/v2/organizations/acme").expect(200);
    app.sql("UPDATE tokens SET created_at = now() - interval '731 days' WHERE kind = 'organization'");
    app.with(&made.secret()).get("/api/v2/organizations/acme").expect(401);
}

#[test]
fn an_older_token_stops_working_at_once_and_for_good() {
    let (app, ada) = scene();
    for (path, kind) in makers(&ada) {
        let made =
            ada.client.post(&path, &resource("authentication-tokens", json!({"description": "old"}))).expect(201);
        let token = app.with(&made.secret());
        let id = made.id();
        app.sql("UPDATE tokens SET created_at = now() - interval '10 days' WHERE kind <> 'user'");
        let details = "/api/v2/account/details";
        token.get(details).expect(200);
        ada.client.patch(POLICIES, &one(kind, 9 * DAY)).expect(200);
        token.get(details).expect(200);
        enforce(&ada, true);
        token.get(details).expect(401);
        ada.client.patch(POLICIES, &one(kind, 11 * DAY)).expect(200);
        token.get(details).expect(401);
        enforce(&ada, false);
        token.get(details).expect(401);
        ada.client.get(&format!("/api/v2/authentication-tokens/{id}")).expect(200);
        // Two of them are of one kind: the next one begins anew.
        app.sql("DELETE FROM token_ttl_policies");
    }
}

#[test]
fn each_kind_has_its_own_maximum() {
    let (app, ada) = scene();
    let organization = ada.client.post_nothing(TOKEN).expect(201).secret();
    let trail = ada.client.post_nothing(&format!("{TOKEN}?token=audit-trails")).expect(201).secret();
    let team = ada.team_token(&ada.team("acme", "ci")).secret();
    app.sql("UPDATE tokens SET created_at = now() - interval '10 days' WHERE kind <> 'user'");
    enforce(&ada, true);
    let status = |secret: &str| app.with(secret).get("/api/v2/account/details").status;
    let all = || [status(&organization), status(&trail), status(&team)];
    assert_eq!(all(), [200, 200, 200]);
    ada.client.patch(POLICIES, &one("organization", DAY)).expect(200);
    assert_eq!(all(), [401, 200, 200]);
    ada.client.patch(POLICIES, &one("audit_trails", DAY)).expect(200);
    assert_eq!(all(), [401, 401, 200]);
    ada.client.patch(POLICIES, &one("team", DAY)).expect(200);
    assert_eq!(all(), [401, 401, 401]);
}

#[test]
fn user_tokens_are_refused_in_that_organization_only() {
    let (app, ada) = scene();
    let (bob, zoe) = (app.user("bob"), app.user("zoe"));
    zoe.organization("elsewhere");
    let (here, there) = (ada.team("acme", "ci"), zoe.team("elsewhere", "theirs"));
    ada.add_to_team(&here, &bob);
    zoe.add_to_team(&there, &bob);
    let tokens = format!("/api/v2/users/{}/authentication-tokens", bob.id);
    app.sql("UPDATE tokens SET created_at = now() - interval '10 days' WHERE kind = 'user'");
    let fresh = app.with(&bob.client.post(&tokens, &resource("authentication-tokens", json!({}))).expect(201).secret());
    app.sql("UPDATE tokens SET created_at = now() WHERE user_id = (SELECT id FROM users WHERE username = 'ada')");
    ada.client.patch(POLICIES, &one("user", 9 * DAY)).expect(200);
    bob.client.get("/api/v2/organizations/acme").expect(200);
    enforce(&ada, true);
    let path = format!("/api/v2/teams/{here}");
    for path in ["/api/v2/organizations/acme", "/api/v2/organizations/acme/teams", &path] {
        bob.client.get(path).expect(404);
        fresh.get(path).expect(200);
    }
    bob.client.post_nothing(&format!("{path}/authentication-token")).expect(404);
    bob.client.get("/api/v2/organizations/elsewhere").expect(200);
    bob.client.get(&format!("/api/v2/teams/{there}")).expect(200);
    bob.client.get("/api/v2/account/details").expect(200);
    assert_eq!(bob.client.get("/api/v2/organizations").expect(200).ids(), ["elsewhere"], "nor is it listed");
    // A new one of hers is held to the maximum, and one of who is in no organization is not.
    let make = |user: &User, days: i64| {
        let expiring = expiring(Utc::now() + TimeDelta::days(days));
        user.client.post(&format!("/api/v2/users/{}/authentication-tokens", user.id), &expiring)
    };
    make(&ada, 900).expect(422);
    make(&ada, 8).expect(201);
    make(&app.user("eve"), 900).expect(201);
    // What has ended there stays ended there.
    enforce(&ada, false);
    bob.client.get("/api/v2/organizations/acme").expect(404);
    fresh.get("/api/v2/organizations/acme").expect(200);
    let users = format!("{path}/relationships/users");
    ada.client.delete_with(&users, &identifiers("users", &["bob"])).expect(204);
}
