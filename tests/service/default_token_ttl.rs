//! `default-token-ttl` of an organization and `--default-token-ttl` of the service: how long a token lives whose maker does
//! not say (docs/design.md §3, rule 4).

use chrono::{DateTime, Days, Months, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::support::app::{Acme, resource};
use crate::support::client::{Answer, Client};
use crate::support::cluster::Database;
use crate::support::process::{Folder, Served, admin_secret};

const ORGANIZATION: &str = "/api/v2/organizations/acme";

fn default_ttl(acme: &Acme, ttl: Value) -> Answer {
    acme.ada.client.patch(ORGANIZATION, &resource("organizations", json!({ "default-token-ttl": ttl })))
}

fn token(attributes: Value) -> Value {
    resource("authentication-tokens", attributes)
}

fn time(answer: &Answer, attribute: &str) -> Option<DateTime<Utc>> {
    answer.attribute(attribute).as_str().map(|text| text.parse().unwrap())
}

#[track_caller]
fn lives_for_years(answer: &Answer, years: u32) {
    let end = time(answer, "created-at").unwrap().checked_add_months(Months::new(12 * years));
    assert_eq!(time(answer, "expired-at"), end);
}

#[test]
fn without_one_a_token_never_expires() {
    let acme = Acme::new();
    assert_eq!(*acme.ada.client.get(ORGANIZATION).expect(200).attribute("default-token-ttl"), Value::Null);
    for expiry in [json!({}), json!({"expired-at": null})] {
        let made = acme.ada.client.post(&acme.one(), &token(expiry)).expect(201);
        assert_eq!((time(&made, "expired-at"), time(&made, "ends-at")), (None, None));
    }
}

/// As HCP Terraform has it by now, and its clients' tests want it.
#[test]
fn a_token_of_any_kind_lives_so_long_where_nothing_is_said() {
    let acme = Acme::new();
    assert_eq!(*default_ttl(&acme, json!("2y")).expect(200).attribute("default-token-ttl"), "2y");
    let prod = acme.ada.workspace("acme", "prod");
    let own = format!("{ORGANIZATION}/authentication-token");
    let paths = [
        acme.one(),
        acme.many(),
        own.clone(),
        format!("{own}?token=audit-trails"),
        format!("/api/v2/workspaces/{prod}/authentication-tokens"),
    ];
    for path in &paths {
        for said in [json!({"description": "a"}), json!({"description": "b", "expired-at": null})] {
            let said = if path.ends_with('s') && path != &paths[3] { token(said) } else { token(json!({})) };
            let made = acme.ada.client.post(path, &said).expect(201);
            lives_for_years(&made, 2);
            let shown = acme.ada.client.get(&format!("/api/v2/authentication-tokens/{}", made.id())).expect(200);
            assert_eq!(shown.attribute("expired-at"), made.attribute("expired-at"), "{path}");
        }
    }
    // A user's token belongs to no organization.
    let of_ada = format!("/api/v2/users/{}/authentication-tokens", acme.ada.id);
    assert_eq!(time(&acme.ada.client.post(&of_ada, &token(json!({}))).expect(201), "expired-at"), None);
    default_ttl(&acme, Value::Null).expect(200);
    assert_eq!(time(&acme.ada.client.post_nothing(&acme.one()).expect(201), "expired-at"), None);
}

/// It is what happens by itself, and no limit.
#[test]
fn whoever_says_something_else_gets_it() {
    let acme = Acme::new();
    default_ttl(&acme, json!("90d")).expect(200);
    let later = (Utc::now() + TimeDelta::days(400)).to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
    let made = acme.ada.client.post(&acme.one(), &token(json!({ "expired-at": later }))).expect(201);
    assert_eq!(*made.attribute("expired-at"), later);
    let made = acme.ada.client.post(&acme.one(), &token(json!({"expires-in-seconds": 60}))).expect(201);
    assert_eq!(time(&made, "expired-at"), time(&made, "created-at").map(|at| at + TimeDelta::seconds(60)));
    // A successor lives as long as its predecessor did, and by default if that is asked for.
    let regenerate = format!("/api/v2/authentication-tokens/{}/actions/regenerate", made.id());
    let next = acme.ada.client.post_nothing(&regenerate).expect(201);
    assert_eq!(time(&next, "expired-at"), time(&next, "created-at").map(|at| at + TimeDelta::seconds(60)));
    let regenerate = format!("/api/v2/authentication-tokens/{}/actions/regenerate", next.id());
    let next = acme.ada.client.post(&regenerate, &token(json!({"expired-at": null}))).expect(201);
    let end = time(&next, "created-at").and_then(|at| at.checked_add_days(Days::new(90)));
    assert_eq!(time(&next, "expired-at"), end);
}

#[test]
fn what_ends_sooner_ends_it() {
    let acme = Acme::new();
    default_ttl(&acme, json!("2y")).expect(200);
    let policies = resource(
        "organization-token-ttl-policies",
        json!({"token-ttl-policies": [{"token-type": "team", "max-ttl-ms": 86_400_000}]}),
    );
    acme.ada.client.patch(&format!("{ORGANIZATION}/token-ttl-policies"), &policies).expect(200);
    acme.ada.client.patch(ORGANIZATION, &resource("organizations", json!({"max-ttl-enabled": true}))).expect(200);
    let made = acme.ada.client.post_nothing(&acme.one()).expect(201);
    assert_eq!(time(&made, "expired-at"), time(&made, "created-at").map(|at| at + TimeDelta::days(1)), "by the policy");
    acme.ada.client.patch(ORGANIZATION, &resource("organizations", json!({"max-ttl-enabled": false}))).expect(200);
    let of_ada = format!("/api/v2/users/{}/authentication-tokens", acme.ada.id);
    let short = acme.ada.client.post(&of_ada, &token(json!({"expires-in-seconds": 3600}))).expect(201);
    let by_short: Client = acme.app.with(&short.secret());
    let made = by_short.post_nothing(&acme.one()).expect(201);
    assert_eq!(made.attribute("expired-at"), short.attribute("expired-at"), "with the token that makes it");
}

#[test]
fn it_is_a_number_of_hours_days_or_years() {
    let acme = Acme::new();
    for ttl in ["1h", "90d", "9999y"] {
        default_ttl(&acme, json!(ttl)).expect(200);
    }
    // Beyond the calendar a token ends with it.
    let made = acme.ada.client.post_nothing(&acme.one()).expect(201);
    assert_eq!(*made.attribute("expired-at"), "9999-12-31T23:59:59.999Z");
    for ttl in [json!("2"), json!("0d"), json!("2 years"), json!("1m"), json!(90), json!(""), json!(["2y"])] {
        let refused = default_ttl(&acme, ttl.clone()).expect(422);
        assert_eq!(refused.blamed(), ["/data/attributes/default-token-ttl"], "{ttl}");
    }
}

/// For users' tokens, and organizations that say nothing.
#[test]
fn the_service_has_one_of_its_own() {
    let (data, database) = (Folder::new(), Database::new());
    let service = Served::on(&database, &data, &["--default-token-ttl", "1y"]);
    let admin = service.with(&admin_secret(&data));
    let me = admin.get("/api/v2/account/details").expect(200).id();
    let made = admin.post(&format!("/api/v2/users/{me}/authentication-tokens"), &token(json!({}))).expect(201);
    lives_for_years(&made, 1);
    let organization = json!({"name": "acme", "email": "admin@example.com"});
    admin.post("/api/v2/organizations", &resource("organizations", organization)).expect(201);
    let own = format!("{ORGANIZATION}/authentication-token");
    lives_for_years(&admin.post_nothing(&own).expect(201), 1);
    admin.patch(ORGANIZATION, &resource("organizations", json!({"default-token-ttl": "3y"}))).expect(200);
    lives_for_years(&admin.post_nothing(&own).expect(201), 3);
    assert!(service.stop());
}
