//! `organizations/:name/authentication-token`: the organization's own token, and with `?token=audit-trails` the one
//! that reads its audit trail.

use std::sync::Barrier;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::support::App;
use crate::support::app::{User, identifiers, resource};

const PATH: &str = "/api/v2/organizations/acme/authentication-token";
const TRAIL: &str = "/api/v2/organizations/acme/authentication-token?token=audit-trails";

fn scene() -> (App, User) {
    let (app, ada) = App::with_acme();
    (app, ada)
}

#[test]
fn an_organization_token_is_made_shown_and_deleted() {
    let (app, ada) = scene();
    for (path, prefix) in [(PATH, "lko_"), (TRAIL, "lka_")] {
        ada.client.get(path).expect(404);
        let made = ada.client.post_nothing(path).expect(201);
        assert!(made.secret().starts_with(prefix) && made.secret().len() == 53, "{path}");
        assert_eq!(made.body["data"]["type"], "authentication-tokens");
        assert_eq!(*made.attribute("description"), Value::Null);
        assert_eq!(*made.attribute("expired-at"), Value::Null);
        let shown = ada.client.get(path).expect(200);
        assert_eq!(shown.id(), made.id());
        assert_eq!(*shown.attribute("token"), Value::Null, "the secret is shown once");
        assert_eq!(shown.body["data"]["relationships"]["created-by"]["data"]["id"], ada.id);
        ada.client.delete(path).expect(204);
        app.with(&made.secret()).get("/api/v2/account/details").expect(401);
        ada.client.get(path).expect(404);
        ada.client.delete(path).expect(404);
    }
}

#[test]
fn the_two_kinds_are_apart() {
    let (app, ada) = scene();
    let organization = ada.client.post_nothing(PATH).expect(201);
    let trail = ada.client.post_nothing(TRAIL).expect(201);
    assert_ne!(organization.id(), trail.id());
    assert_eq!(ada.client.get(PATH).expect(200).id(), organization.id());
    assert_eq!(ada.client.get(TRAIL).expect(200).id(), trail.id());
    ada.client.delete(TRAIL).expect(204);
    ada.client.get(TRAIL).expect(404);
    app.with(&organization.secret()).get("/api/v2/organizations/acme").expect(200);
}

#[test]
fn another_kind_is_refused() {
    let (app, ada) = scene();
    for wrong in ["organization", "metrics", "", "Audit-Trails", "audit_trails"] {
        let path = format!("{PATH}?token={wrong}");
        for answer in [ada.client.get(&path), ada.client.post_nothing(&path), ada.client.delete(&path)] {
            let refused = answer.expect(400);
            assert_eq!(refused.body["errors"][0]["source"]["parameter"], "token", "{wrong:?}");
        }
    }
    assert_eq!(app.count("tokens WHERE kind <> 'user'"), 0);
}

#[test]
fn a_new_token_ends_the_one_before_at_once() {
    let (app, ada) = scene();
    for path in [PATH, TRAIL] {
        let first = ada.client.post_nothing(path).expect(201);
        let second = ada.client.post_nothing(path).expect(201);
        assert_ne!(first.id(), second.id());
        app.with(&first.secret()).get("/api/v2/organization/audit-trail").expect(401);
        app.with(&second.secret()).get("/api/v2/organization/audit-trail").expect(200);
        ada.client.get(&format!("/api/v2/authentication-tokens/{}", first.id())).expect(404);
    }
}

#[test]
fn of_32_tokens_made_at_once_exactly_one_works() {
    let (app, ada) = scene();
    for path in [PATH, TRAIL] {
        let barrier = Barrier::new(32);
        let secrets: Vec<String> = std::thread::scope(|scope| {
            let make = || {
                barrier.wait();
                loop {
                    let answer = ada.client.post_nothing(path);
                    if answer.status != 503 {
                        return answer.expect(201).secret();
                    }
                }
            };
            let threads: Vec<_> = (0..32).map(|_| scope.spawn(make)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let works = |secret: &&String| app.with(secret).get("/api/v2/organization/audit-trail").status == 200;
        assert_eq!(secrets.iter().filter(works).count(), 1, "{path}");
    }
    assert_eq!(app.count("tokens WHERE kind IN ('organization', 'audit-trails') AND revoked_at IS NULL"), 2);
}

#[test]
fn a_token_expires_when_its_maker_says() {
    let (app, ada) = scene();
    for path in [PATH, TRAIL] {
        let body = |expired_at: Value| resource("authentication-tokens", json!({"expired-at": expired_at}));
        for wrong in [json!("2020-01-01T00:00:00Z"), json!("tomorrow"), json!(7)] {
            let refused = ada.client.post(path, &body(wrong.clone())).expect(422);
            assert_eq!(refused.blamed(), ["/data/attributes/expired-at"], "{wrong}");
        }
        let made = ada.client.post(path, &body(json!("2099-12-31T23:59:59+01:00"))).expect(201);
        assert_eq!(*made.attribute("expired-at"), "2099-12-31T22:59:59.000Z");
        assert_eq!(ada.client.get(path).attribute("expired-at"), made.attribute("expired-at"));
        let token = app.with(&made.secret());
        token.get("/api/v2/organization/audit-trail").expect(200);
        app.sql("UPDATE tokens SET expired_at = now() - interval '1 second' WHERE kind <> 'user'");
        token.get("/api/v2/organization/audit-trail").expect(401);
    }
    let made = ada.client.post(PATH, &body_without_expiry()).expect(201);
    let created: DateTime<Utc> = made.attribute("created-at").as_str().unwrap().parse().unwrap();
    assert!((Utc::now() - created).num_seconds().abs() < 60);
}

fn body_without_expiry() -> Value {
    resource("authentication-tokens", json!({"expired-at": null}))
}

#[test]
fn created_by_names_who_made_it() {
    let (app, ada) = scene();
    let by = |made: &crate::support::client::Answer| {
        let maker = &made.body["data"]["relationships"]["created-by"]["data"];
        (maker["type"].as_str().unwrap().to_owned(), maker["id"].as_str().unwrap().to_owned())
    };
    let pair = |kind: &str, id: &str| (kind.to_owned(), id.to_owned());
    let first = ada.client.post_nothing(PATH).expect(201);
    assert_eq!(by(&first), pair("users", &ada.id));
    // The organization's token makes its own successor.
    let second = app.with(&first.secret()).post_nothing(PATH).expect(201);
    assert_eq!(by(&second), pair("organizations", "acme"));
    app.with(&first.secret()).get(PATH).expect(401);
    let owners = ada.owners_team("acme");
    let by_team = app.with(&ada.team_token(&owners).secret()).post_nothing(TRAIL).expect(201);
    assert_eq!(by(&by_team), pair("teams", &owners));
}

#[test]
fn the_organization_token_acts_as_an_owner() {
    let (app, ada) = scene();
    app.user("bob");
    let token = app.with(&ada.client.post_nothing(PATH).expect(201).secret());
    let change = resource("organizations", json!({"email": "new@example.com"}));
    token.patch("/api/v2/organizations/acme", &change).expect(200);
    let access = json!({"name": "ci", "organization-access": {"manage-teams": true}});
    let team = token.post("/api/v2/organizations/acme/teams", &resource("teams", access)).expect(200).id();
    let owners = ada.owners_team("acme");
    for team in [&team, &owners] {
        let one = format!("/api/v2/teams/{team}/authentication-token");
        token.post_nothing(&one).expect(201);
        token.get(&one).expect(200);
        token.delete(&one).expect(204);
        let users = format!("/api/v2/teams/{team}/relationships/users");
        token.post(&users, &identifiers("users", &["bob"])).expect(204);
        token.delete_with(&users, &identifiers("users", &["bob"])).expect(204);
    }
    let members = token.get("/api/v2/organizations/acme/organization-memberships").expect(200);
    assert_eq!(members.ids().len(), 2);
    assert_eq!(members.body["data"][0]["attributes"]["email"], "ada@example.com");
    token.get("/api/v2/organizations/acme/token-ttl-policies").expect(200);
    token.post_nothing(TRAIL).expect(201);
    token.delete(&format!("/api/v2/teams/{team}")).expect(204);
    token.delete("/api/v2/organizations/acme").expect(204);
}

#[test]
fn the_organization_token_is_no_user() {
    let (app, ada) = scene();
    for path in [PATH, TRAIL] {
        let token = app.with(&ada.client.post_nothing(path).expect(201).secret());
        let account = token.get("/api/v2/account/details").expect(200);
        assert_eq!(account.body["data"]["type"], "users");
        assert_eq!(*account.attribute("is-service-account"), true);
        assert_ne!(account.id(), ada.id);
        let behind = &account.body["data"]["relationships"]["authenticated-resource"]["data"];
        assert_eq!(behind["type"], "organizations");
        let new = resource("organizations", json!({"name": "another", "email": "a@example.com"}));
        token.post("/api/v2/organizations", &new).expect(403);
        token.patch("/api/v2/account/update", &resource("users", json!({"username": "x"}))).expect(403);
        let own = format!("/api/v2/users/{}/authentication-tokens", account.id());
        assert!(token.get(&own).expect(200).ids().is_empty());
        token.post(&own, &resource("authentication-tokens", json!({}))).expect(404);
        assert!(token.get("/api/v2/organization-memberships").expect(200).ids().is_empty());
    }
    assert_eq!(app.count("organizations"), 1);
}

#[test]
fn the_organization_token_sees_nothing_of_another_organization() {
    let (app, ada) = scene();
    let zoe = app.user("zoe");
    zoe.organization("elsewhere");
    let team = zoe.team_with("elsewhere", json!({"name": "open", "visibility": "organization"}));
    let membership = zoe.client.get("/api/v2/organization-memberships").expect(200).ids().remove(0);
    let their_token = zoe.client.post_nothing("/api/v2/organizations/elsewhere/authentication-token").expect(201);
    let token = app.with(&ada.client.post_nothing(PATH).expect(201).secret());
    for path in [
        "organizations/elsewhere".to_owned(),
        "organizations/elsewhere/teams".to_owned(),
        "organizations/elsewhere/team-tokens".to_owned(),
        "organizations/elsewhere/authentication-token".to_owned(),
        "organizations/elsewhere/organization-memberships".to_owned(),
        "organizations/elsewhere/token-ttl-policies".to_owned(),
        format!("teams/{team}"),
        format!("teams/{team}/relationships/organization-memberships"),
        format!("organization-memberships/{membership}"),
        format!("authentication-tokens/{}", their_token.id()),
        format!("users/{}", zoe.id),
    ] {
        token.get(&format!("/api/v2/{path}")).expect(404);
    }
    token.post_nothing("/api/v2/organizations/elsewhere/authentication-token").expect(404);
    token.delete("/api/v2/organizations/elsewhere").expect(404);
    let listed = token.get("/api/v2/organizations").expect(200);
    assert_eq!(listed.ids(), ["acme"]);
    zoe.client.get("/api/v2/organizations/elsewhere/authentication-token").expect(200);
}

#[test]
fn the_organization_token_ends_with_its_organization() {
    let (app, ada) = scene();
    let secrets = [PATH, TRAIL].map(|path| ada.client.post_nothing(path).expect(201).secret());
    ada.client.delete("/api/v2/organizations/acme").expect(204);
    for secret in secrets {
        app.with(&secret).get("/api/v2/account/details").expect(401);
    }
}

#[test]
fn the_audit_trails_token_reads_the_trail_and_nothing_else() {
    let (app, ada) = scene();
    let team = ada.team_with("acme", json!({"name": "open", "visibility": "organization"}));
    let team_token = ada.team_token(&team).id();
    let membership = ada.client.get("/api/v2/organization-memberships").expect(200).ids().remove(0);
    let made = ada.client.post_nothing(TRAIL).expect(201);
    let token = app.with(&made.secret());
    token.get("/api/v2/organization/audit-trail").expect(200);
    // But itself it sees.
    token.get(&format!("/api/v2/authentication-tokens/{}", made.id())).expect(200);
    for path in [
        "organizations/acme".to_owned(),
        "organizations/acme/entitlement-set".to_owned(),
        "organizations/acme/teams".to_owned(),
        "organizations/acme/team-tokens".to_owned(),
        "organizations/acme/authentication-token".to_owned(),
        "organizations/acme/authentication-token?token=audit-trails".to_owned(),
        "organizations/acme/organization-memberships".to_owned(),
        "organizations/acme/token-ttl-policies".to_owned(),
        format!("teams/{team}"),
        format!("teams/{team}/authentication-token"),
        format!("teams/{team}/relationships/users"),
        format!("teams/{team}/relationships/organization-memberships"),
        format!("organization-memberships/{membership}"),
        format!("authentication-tokens/{team_token}"),
        format!("users/{}", ada.id),
    ] {
        token.get(&format!("/api/v2/{path}")).expect(404);
    }
    token.post_nothing(TRAIL).expect(404);
    token.post("/api/v2/organizations/acme/teams", &resource("teams", json!({"name": "x"}))).expect(404);
    token.delete(&format!("/api/v2/teams/{team}")).expect(404);
    token.delete(&format!("/api/v2/authentication-tokens/{team_token}")).expect(404);
    token.delete("/api/v2/organizations/acme").expect(404);
    assert!(token.get("/api/v2/organizations").expect(200).ids().is_empty());
}

#[test]
fn a_member_neither_sees_nor_makes_these_tokens() {
    let (app, ada) = scene();
    let (ben, zoe, root) = (app.user("ben"), app.user("zoe"), app.site_admin("root"));
    let all = json!({"manage-teams": true, "manage-membership": true, "manage-organization-access": true});
    ada.add_to_team(&ada.team_with("acme", json!({"name": "managers", "organization-access": all})), &ben);
    for path in [PATH, TRAIL] {
        let id = ada.client.post_nothing(path).expect(201).id();
        ben.client.get(path).expect(404);
        let refused = ben.client.post_nothing(path).expect(403);
        assert!(refused.detail().contains("owners"), "{}", refused.detail());
        ben.client.delete(path).expect(404);
        ben.client.get(&format!("/api/v2/authentication-tokens/{id}")).expect(404);
        ben.client.delete(&format!("/api/v2/authentication-tokens/{id}")).expect(404);
        for answer in [zoe.client.get(path), zoe.client.post_nothing(path), zoe.client.delete(path)] {
            answer.expect(404);
        }
        assert_eq!(ada.client.get(path).expect(200).id(), id, "it is still the same");
        root.client.get(path).expect(200);
        root.client.post_nothing(path).expect(201);
        root.client.delete(path).expect(204);
    }
}

#[test]
fn a_token_is_found_and_revoked_by_its_id() {
    let (app, ada) = scene();
    for path in [PATH, TRAIL] {
        let made = ada.client.post_nothing(path).expect(201);
        let by_id = format!("/api/v2/authentication-tokens/{}", made.id());
        let shown = ada.client.get(&by_id).expect(200);
        assert_eq!(shown.id(), made.id());
        assert_eq!(*shown.attribute("token"), Value::Null);
        ada.client.delete(&by_id).expect(204);
        app.with(&made.secret()).get("/api/v2/account/details").expect(401);
        ada.client.get(&by_id).expect(404);
        ada.client.get(path).expect(404);
    }
}

#[test]
fn organization_tokens_are_no_team_tokens() {
    let (_app, ada) = scene();
    let team_token = ada.team_token(&ada.team("acme", "ci")).id();
    let own: Vec<String> = [PATH, TRAIL].iter().map(|path| ada.client.post_nothing(path).expect(201).id()).collect();
    let list = "/api/v2/organizations/acme/team-tokens";
    assert_eq!(ada.client.get(list).expect(200).ids(), [team_token]);
    for id in &own {
        ada.client.delete_with(list, &identifiers("authentication-tokens", &[id])).expect(404);
    }
    for path in [PATH, TRAIL] {
        ada.client.get(path).expect(200);
    }
}
