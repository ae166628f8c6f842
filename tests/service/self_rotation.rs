//! Tokens that renew themselves, and lives that are told in seconds (docs/design.md §3, rules 4 and 5).

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::support::app::{Acme, resource};
use crate::support::client::{Answer, Client};

fn token(attributes: Value) -> Value {
    resource("authentication-tokens", attributes)
}

fn at(id: &str) -> String {
    format!("/api/v2/authentication-tokens/{id}")
}

fn renew(client: &Client, id: &str, attributes: Value) -> Answer {
    client.post(&format!("{}/actions/regenerate", at(id)), &token(attributes))
}

fn time(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap().parse().unwrap()
}

fn soon(seconds: i64) -> String {
    (Utc::now() + TimeDelta::seconds(seconds)).to_rfc3339()
}

/// Each kind of token, whatever its role.
#[test]
fn a_token_renews_itself_if_its_maker_says_so() {
    let scene = Acme::new();
    let workspace = scene.ada.workspace("acme", "prod");
    let owners = scene.ada.owners_team("acme");
    for path in [
        format!("/api/v2/teams/{}/authentication-tokens", scene.team),
        format!("/api/v2/teams/{owners}/authentication-token"),
        format!("/api/v2/workspaces/{workspace}/authentication-tokens"),
        format!("/api/v2/users/{}/authentication-tokens", scene.ada.id),
        "/api/v2/organizations/acme/authentication-token".to_owned(),
        "/api/v2/organizations/acme/authentication-token?token=audit-trails".to_owned(),
    ] {
        let make = |more: Value| {
            let mut attributes = json!({"role": "viewer", "expires-in-seconds": 3600});
            if path.ends_with(&format!("{}/authentication-tokens", scene.team)) {
                attributes["description"] = json!(uuid::Uuid::now_v7().to_string());
            }
            attributes.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            scene.ada.client.post(&path, &token(attributes)).expect(201)
        };
        let plain = make(json!({}));
        assert_eq!(*plain.attribute("self-rotation"), json!(false), "{path}");
        let refused = renew(&scene.app.with(&plain.secret()), &plain.id(), json!({}));
        assert!([403, 404].contains(&refused.status), "{path}: {}", refused.status);

        let old = make(json!({"self-rotation": true}));
        let client = scene.app.with(&old.secret());
        let new = renew(&client, &old.id(), json!({})).expect(201);
        for same in ["self-rotation", "role", "kind", "description", "rotates-until"] {
            assert_eq!(new.attribute(same), old.attribute(same), "{path}: {same}");
        }
        // It outlives the one that made it.
        assert!(time(new.attribute("expired-at")) > time(old.attribute("expired-at")), "{path}");
        // Both work for a minute, unless asked otherwise.
        let ends = time(scene.ada.client.get(&at(&old.id())).expect(200).attribute("revoked-at"));
        let grace = (ends - Utc::now()).num_seconds();
        assert!((50..=60).contains(&grace), "{path}: {grace}");
        client.get("/api/v2/authentication-tokens/current").expect(200);
        renew(&client, &old.id(), json!({})).expect(409);
        let next = scene.app.with(&new.secret());
        let last = renew(&next, &new.id(), json!({"grace-period-seconds": 0})).expect(201);
        next.get("/api/v2/authentication-tokens/current").expect(401);
        // It does so to itself alone. Of some kinds there is one, whose place another one takes.
        let another = make(json!({"self-rotation": true}));
        let itself = scene.app.with(&last.secret());
        let ended = path.contains("/authentication-token?") || path.ends_with("/authentication-token");
        let still = itself.get("/api/v2/authentication-tokens/current").status;
        assert_eq!(still, if ended { 401 } else { 200 }, "{path}");
        let refused = renew(&itself, &another.id(), json!({})).status;
        assert!(if ended { refused == 401 } else { [403, 404].contains(&refused) }, "{path}: {refused}");
    }
}

#[test]
fn a_chain_ends_where_its_maker_has_said() {
    let scene = Acme::new();
    let path = format!("/api/v2/users/{}/authentication-tokens", scene.ada.id);
    let make = |client: &Client, attributes: Value| client.post(&path, &token(attributes));
    let until = soon(5400);
    let old = json!({"self-rotation": true, "rotates-until": until, "expires-in-seconds": 3600});
    let old = make(&scene.ada.client, old).expect(201);
    let client = scene.app.with(&old.secret());
    let too_long = renew(&client, &old.id(), json!({"expired-at": soon(6000)})).expect(422);
    assert_eq!(too_long.blamed(), ["/data/attributes/expired-at"]);
    assert!(too_long.detail().contains("rotates-until"), "{}", too_long.detail());
    renew(&client, &old.id(), json!({"expires-in-seconds": 6000})).expect(422);
    // As long as its own life, and no longer than that.
    let backdated =
        format!("UPDATE tokens SET created_at = created_at - interval '1 hour' WHERE id = '{}'", uuid(&old));
    scene.app.sql(&backdated);
    let new = renew(&client, &old.id(), json!({})).expect(201);
    let end = time(new.attribute("expired-at"));
    assert!((end - time(old.attribute("rotates-until"))).num_seconds().abs() <= 1, "{end}");
    // Nobody gives more than they have: a token that ends makes no chain that goes on.
    let ends = scene.app.with(&make(&scene.ada.client, json!({"expires-in-seconds": 600})).expect(201).secret());
    let cut = make(&ends, json!({"self-rotation": true})).expect(201);
    assert_eq!(cut.attribute("rotates-until"), cut.attribute("expired-at"));
    let refused = make(&ends, json!({"self-rotation": true, "rotates-until": soon(900)})).expect(422);
    assert_eq!(refused.blamed(), ["/data/attributes/rotates-until"]);
    make(&scene.ada.client, json!({"rotates-until": soon(900)})).expect(422);
    make(&scene.ada.client, json!({"self-rotation": true, "rotates-until": soon(-5)})).expect(422);

    let edit = |client: &Client, id: &str, attributes: Value| client.patch(&at(id), &token(attributes));
    let plain = make(&scene.ada.client, json!({})).expect(201).id();
    let on = edit(&ends, &plain, json!({"self-rotation": true})).expect(200);
    assert_eq!(on.attribute("rotates-until"), cut.attribute("rotates-until"), "within the own end");
    edit(&ends, &plain, json!({"rotates-until": null})).expect(200);
    let whole = edit(&scene.ada.client, &plain, json!({"rotates-until": null})).expect(200);
    assert_eq!(*whole.attribute("rotates-until"), Value::Null);
    edit(&ends, &plain, json!({"description": "what is there stays"})).expect(200);
    let shown = scene.ada.client.get(&at(&plain)).expect(200).body["data"]["attributes"].clone();
    assert_eq!(edit(&scene.ada.client, &plain, shown.clone()).expect(200).body["data"]["attributes"], shown);
    let off = edit(&scene.ada.client, &plain, json!({"self-rotation": false})).expect(200);
    assert_eq!((off.attribute("self-rotation"), off.attribute("rotates-until")), (&json!(false), &Value::Null));
    // By somebody else, the successor's chain is within their end, too.
    let chain = make(&scene.ada.client, json!({"self-rotation": true})).expect(201);
    assert!(!chain.secret().is_empty());
    let successor = renew(&ends, &chain.id(), json!({})).expect(201);
    assert!(!successor.secret().is_empty());
    assert_eq!(successor.attribute("rotates-until"), cut.attribute("rotates-until"));
    // So is its own end, and what somebody else replaces has no grace unless that is asked for.
    assert_eq!(successor.attribute("expired-at"), cut.attribute("expired-at"));
    scene.app.with(&chain.secret()).get("/api/v2/authentication-tokens/current").expect(401);
}

fn uuid(answer: &Answer) -> uuid::Uuid {
    answer.id().parse::<latchkey::ids::TokenId>().unwrap().uuid()
}

/// `rotates-until` lets a chain go on for longer than its first link; it ends none earlier.
#[test]
fn what_renews_itself_late_loses_nothing() {
    let scene = Acme::new();
    let path = format!("/api/v2/users/{}/authentication-tokens", scene.ada.id);
    let long = json!({"expires-in-seconds": 86_400, "self-rotation": true, "rotates-until": soon(600)});
    let old = scene.ada.client.post(&path, &token(long)).expect(201);
    scene.app.sql("UPDATE tokens SET rotates_until = now() - interval '1 minute' WHERE self_rotation");
    let new = renew(&scene.app.with(&old.secret()), &old.id(), json!({})).expect(201);
    assert_eq!(new.attribute("status"), "active");
    assert_eq!(new.attribute("expired-at"), old.attribute("expired-at"));
}

/// An answer that was lost can be asked for again, also where the owner has lost an ability since.
#[test]
fn a_lost_answer_is_given_again() {
    let scene = Acme::new();
    let attributes = json!({"description": "a", "self-rotation": true, "abilities": ["agents:read"]});
    let old = scene.ada.described_token(&scene.team, attributes);
    let client = scene.app.with(&old.secret());
    let path = format!("{}/actions/regenerate", at(&old.id()));
    let ask = || client.send("POST", &path, &[("Idempotency-Key", "once")], None).expect(201);
    let narrow = resource("teams", json!({"abilities": []}));
    scene.ada.client.patch(&format!("/api/v2/teams/{}", scene.team), &narrow).expect(200);
    let (first, again) = (ask(), ask());
    assert_eq!(first.secret(), again.secret());
}

#[test]
fn a_policy_binds_each_link_of_a_chain() {
    let scene = Acme::new();
    let policy = json!({"token-ttl-policies": [{"token-type": "team", "max-ttl-ms": 3_600_000}]});
    let policies = "/api/v2/organizations/acme/token-ttl-policies";
    scene.ada.client.patch(policies, &resource("organization-token-ttl-policies", policy)).expect(200);
    let enabled = resource("organizations", json!({"max-ttl-enabled": true}));
    scene.ada.client.patch("/api/v2/organizations/acme", &enabled).expect(200);
    let old = scene.ada.described_token(&scene.team, json!({"description": "a", "self-rotation": true}));
    let new = renew(&scene.app.with(&old.secret()), &old.id(), json!({})).expect(201);
    assert!(!new.secret().is_empty());
    let left = new.attribute("expires-in-seconds").as_i64().unwrap();
    assert!((3590..=3600).contains(&left), "{left}");
    renew(&scene.app.with(&new.secret()), &new.id(), json!({"expires-in-seconds": 4000})).expect(422);
}

#[test]
fn of_many_who_renew_one_token_at_once_one_does() {
    let scene = Acme::new();
    let old = scene.ada.described_token(&scene.team, json!({"description": "a", "self-rotation": true}));
    let (id, secret) = (old.id(), old.secret());
    let ask = || {
        let answer = renew(&scene.app.with(&secret), &id, json!({}));
        if answer.status == 201 {
            assert!(!answer.secret().is_empty());
        }
        answer.status
    };
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let asking: Vec<_> = (0..32).map(|_| scope.spawn(ask)).collect();
        asking.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| [201, 409, 429].contains(status)), "{statuses:?}");
}

#[test]
fn a_life_can_be_told_in_seconds() {
    let scene = Acme::new();
    let path = format!("/api/v2/users/{}/authentication-tokens", scene.ada.id);
    let make = |attributes: Value| scene.ada.client.post(&path, &token(attributes));
    let made = make(json!({"expires-in-seconds": 600})).expect(201);
    let length = (time(made.attribute("expired-at")) - time(made.attribute("created-at"))).num_milliseconds();
    assert_eq!(length, 600_000);
    let left = made.attribute("expires-in-seconds").as_i64().unwrap();
    assert!((590..=600).contains(&left), "{left}");
    assert_eq!(*make(json!({})).expect(201).attribute("expires-in-seconds"), Value::Null);
    for (wrong, blamed) in [
        (json!({"expires-in-seconds": 0}), "expires-in-seconds"),
        (json!({"expires-in-seconds": -1}), "expires-in-seconds"),
        (json!({"expires-in-seconds": 3_153_600_001_i64}), "expires-in-seconds"),
        (json!({"expires-in-seconds": "600"}), "expires-in-seconds"),
        (json!({"expires-in-seconds": 600, "expired-at": soon(900)}), "expires-in-seconds"),
    ] {
        assert_eq!(make(wrong.clone()).expect(422).blamed(), [format!("/data/attributes/{blamed}")], "{wrong}");
    }
    make(json!({"expires-in-seconds": 600, "expired-at": null})).expect(201);
    scene.app.sql(
        "UPDATE tokens SET created_at = now() - interval '2 hours', expired_at = now() - interval '1 hour' \
                   WHERE expired_at IS NOT NULL",
    );
    let over = scene.ada.client.get(&at(&made.id())).expect(200);
    assert_eq!(*over.attribute("expires-in-seconds"), json!(0));
}
