//! Locks of workspaces: who locks, who takes a lock off, and what a lock forbids.

use serde_json::{Value, json};

use crate::races::times;
use crate::support::App;
use crate::support::app::{User, resource};
use crate::support::client::{Answer, Client};

const CURRENTLY_LOCKED: &str =
    "Workspace is currently locked. Workspace must be unlocked before it can be safely deleted";

fn scene() -> (App, User, String) {
    let (app, ada) = App::with_acme();
    let id = ada.workspace("acme", "prod");
    (app, ada, format!("/api/v2/workspaces/{id}"))
}

fn act(client: &Client, workspace: &str, action: &str) -> Answer {
    client.post_nothing(&format!("{workspace}/actions/{action}"))
}

fn locked_by(answer: &Answer) -> &Value {
    &answer.body["data"]["relationships"]["locked-by"]
}

/// A team with access of a level, as its token.
fn team_with(app: &App, ada: &User, workspace: &str, level: &str) -> (String, Client) {
    let team = ada.team("acme", &format!("of-{level}"));
    ada.give_access(&team, workspace.rsplit('/').next().unwrap(), level);
    let client = app.with(&ada.team_token(&team).secret());
    (team, client)
}

#[test]
fn a_lock_tells_who_has_locked_and_why() {
    let (_app, ada, prod) = scene();
    let before = ada.client.get(&prod).expect(200);
    assert_eq!((before.attribute("locked"), locked_by(&before)), (&json!(false), &Value::Null));
    assert_eq!(before.attribute("lock-reason"), &Value::Null);
    let reason = resource("workspaces", json!({"reason": "Maintenance"}));
    let locked = ada.client.post(&format!("{prod}/actions/lock"), &reason).expect(200);
    for answer in [&locked, &ada.client.get(&prod).expect(200)] {
        assert_eq!(answer.attribute("locked"), true);
        assert_eq!(answer.attribute("lock-reason"), "Maintenance");
        assert_eq!(locked_by(answer)["data"], json!({"type": "users", "id": ada.id}));
    }
    let unlocked = act(&ada.client, &prod, "unlock").expect(200);
    for answer in [&unlocked, &ada.client.get(&prod).expect(200)] {
        assert_eq!((answer.attribute("locked"), locked_by(answer)), (&json!(false), &Value::Null));
        assert_eq!(answer.attribute("lock-reason"), &Value::Null);
    }
}

/// The HCP API documents the one without a document; go-tfe sends an empty type, pytfe no document.
#[test]
fn a_reason_comes_in_every_form_that_clients_send() {
    let (_app, ada, prod) = scene();
    let path = format!("{prod}/actions/lock");
    for (body, reason) in [
        (json!({"data": {"type": "", "attributes": {"reason": "a"}}}), json!("a")),
        (json!({"data": {"attributes": {}}}), Value::Null),
        (json!({"reason": "b"}), json!("b")),
        (json!({"reason": null}), Value::Null),
    ] {
        assert_eq!(ada.client.post(&path, &body).expect(200).attribute("lock-reason"), &reason, "{body}");
        act(&ada.client, &prod, "unlock").expect(200);
    }
    let long = "x".repeat(1001);
    for (body, status, blamed) in [
        (json!({"reason": 7}), 422, "/reason"),
        (json!({"reason": long}), 422, "/reason"),
        (json!({"reason": "a\0"}), 422, "/reason"),
        (json!({"data": {"attributes": {"reason": long}}}), 422, "/data/attributes/reason"),
        (json!({"data": {"type": "teams"}}), 409, "/data/type"),
        (json!({"data": {"id": "ws-other"}}), 409, "/data/id"),
        (json!({"why": "a"}), 400, ""),
    ] {
        assert_eq!(ada.client.post(&path, &body).expect(status).blamed(), [blamed], "{body}");
    }
    assert_eq!(ada.client.get(&prod).expect(200).attribute("locked"), false);
}

#[test]
fn a_lock_is_taken_off_by_who_has_locked() {
    let (app, ada, prod) = scene();
    let (team, token) = team_with(&app, &ada, &prod, "write");
    for action in ["unlock", "force-unlock"] {
        assert_eq!(act(&ada.client, &prod, action).expect(409).detail(), "The workspace is not locked");
    }
    let locked = act(&token, &prod, "lock").expect(200);
    assert_eq!(locked_by(&locked)["data"], json!({"type": "teams", "id": team}));
    for client in [&ada.client, &token] {
        let again = act(client, &prod, "lock").expect(409);
        assert!(again.detail().contains(&format!("is locked by Team {team}")), "{}", again.detail());
    }
    let refused = act(&ada.client, &prod, "unlock").expect(409);
    assert!(refused.detail().contains(&format!("is locked by Team {team}")), "{}", refused.detail());
    act(&token, &prod, "unlock").expect(200);
    act(&ada.client, &prod, "lock").expect(200);
    let refused = act(&token, &prod, "unlock").expect(409);
    assert!(refused.detail().contains(&format!("is locked by User {}", ada.id)), "{}", refused.detail());
    // Another token of the same user does.
    let tokens = format!("/api/v2/users/{}/authentication-tokens", ada.id);
    let other = ada.client.post(&tokens, &resource("authentication-tokens", json!({}))).expect(201);
    act(&app.with(&other.secret()), &prod, "unlock").expect(200);
}

#[test]
fn a_manager_takes_any_lock_off() {
    let (app, ada, prod) = scene();
    let (_, writer) = team_with(&app, &ada, &prod, "write");
    let (_, manager) = team_with(&app, &ada, &prod, "admin");
    act(&ada.client, &prod, "lock").expect(200);
    act(&writer, &prod, "force-unlock").expect(404);
    assert_eq!(act(&manager, &prod, "force-unlock").expect(200).attribute("locked"), false);
    act(&writer, &prod, "lock").expect(200);
    act(&ada.client, &prod, "force-unlock").expect(200);
}

#[test]
fn a_token_of_the_organization_locks_as_what_it_is_to_clients() {
    let (app, ada, prod) = scene();
    let own = "/api/v2/organizations/acme/authentication-token";
    let token = app.with(&ada.client.post_nothing(own).expect(201).secret());
    let face = token.get("/api/v2/account/details").expect(200).id();
    assert_eq!(locked_by(&act(&token, &prod, "lock").expect(200))["data"], json!({"type": "users", "id": face}));
    assert!(act(&ada.client, &prod, "unlock").expect(409).detail().contains("is locked by User"));
    act(&token, &prod, "unlock").expect(200);
}

/// Access `write`, `admin`, and a custom one with `workspace-locking`; no other, and no token of the workspace itself.
#[test]
fn who_may_lock_is_said_by_the_access() {
    let (app, ada, prod) = scene();
    for (level, locks) in [("read", false), ("plan", false), ("custom", false), ("write", true), ("admin", true)] {
        let (_, token) = team_with(&app, &ada, &prod, level);
        let told = token.get(&prod).expect(200);
        let told = told.attribute("permissions");
        assert_eq!((&told["can-lock"], &told["can-unlock"]), (&json!(locks), &json!(locks)), "{level}");
        assert_eq!(told["can-force-unlock"], level == "admin", "{level}");
        act(&token, &prod, "lock").expect(if locks { 200 } else { 404 });
        act(&token, &prod, "unlock").expect(if locks { 200 } else { 404 });
    }
    let custom = ada.team("acme", "lockers");
    let access = ada.give_access(&custom, prod.rsplit('/').next().unwrap(), "custom");
    let token = app.with(&ada.team_token(&custom).secret());
    let may = |locking: bool| {
        let change = resource("team-workspaces", json!({"workspace-locking": locking}));
        ada.client.patch(&format!("/api/v2/team-workspaces/{access}"), &change).expect(200);
    };
    may(true);
    act(&token, &prod, "lock").expect(200);
    may(false);
    act(&token, &prod, "unlock").expect(404);
    act(&ada.client, &prod, "force-unlock").expect(200);
    for role in ["owner", "viewer"] {
        let path = format!("{prod}/authentication-tokens");
        let made = ada.client.post(&path, &resource("authentication-tokens", json!({"role": role}))).expect(201);
        let own = app.with(&made.secret());
        act(&own, &prod, "lock").expect(404);
        act(&own, &prod, "force-unlock").expect(404);
        assert_eq!(own.get(&prod).expect(200).attribute("permissions")["can-lock"], false);
    }
    assert_eq!(ada.client.get(&prod).expect(200).attribute("locked"), false);
}

#[test]
fn what_is_locked_is_not_deleted_safely() {
    let (_app, ada, prod) = scene();
    let by_name = "/api/v2/organizations/acme/workspaces/prod";
    act(&ada.client, &prod, "lock").expect(200);
    for path in [&prod, by_name] {
        assert_eq!(act(&ada.client, path, "safe-delete").expect(409).detail(), CURRENTLY_LOCKED);
    }
    // It can be changed and deleted all the same.
    ada.client.patch(&prod, &resource("workspaces", json!({"auto-apply": true}))).expect(200);
    assert_eq!(ada.client.get(&prod).expect(200).attribute("locked"), true);
    ada.client.delete(&prod).expect(204);
    ada.workspace("acme", "prod");
    act(&ada.client, by_name, "safe-delete").expect(204);
}

#[test]
fn who_has_locked_is_included_for_who_sees_them() {
    let (app, ada, prod) = scene();
    let (team, token) = team_with(&app, &ada, &prod, "write");
    let reader = team_with(&app, &ada, &prod, "read").1;
    let included = |client: &Client, path: &str| {
        let told = client.get(&format!("{path}?include=locked_by")).expect(200);
        let all = told.body["included"].as_array().cloned().unwrap_or_default();
        all.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let list = "/api/v2/organizations/acme/workspaces";
    assert_eq!(included(&ada.client, &prod), [""; 0]);
    act(&token, &prod, "lock").expect(200);
    assert_eq!(included(&ada.client, &prod), [team.as_str()]);
    assert_eq!(included(&ada.client, list), [team]);
    // The team is secret.
    assert_eq!(included(&reader, &prod), [""; 0]);
    act(&token, &prod, "unlock").expect(200);
    act(&ada.client, &prod, "lock").expect(200);
    assert_eq!(included(&reader, &prod), [ada.id.as_str()]);
}

#[test]
fn each_is_an_event() {
    let (app, ada, prod) = scene();
    let reason = resource("workspaces", json!({"reason": "Maintenance"}));
    ada.client.post(&format!("{prod}/actions/lock"), &reason).expect(200);
    act(&ada.client, &prod, "lock").expect(409);
    act(&ada.client, &prod, "safe-delete").expect(409);
    act(&ada.client, &prod, "unlock").expect(200);
    act(&ada.client, &prod, "unlock").expect(409);
    act(&ada.client, &prod, "lock").expect(200);
    act(&ada.client, &prod, "force-unlock").expect(200);
    let events = |action: &str| {
        app.count(&format!(
            "audit_events WHERE resource_type = 'workspace' AND action = '{action}' \
             AND meta -> 'locked-by' ->> 'id' = '{}'",
            ada.id
        ))
    };
    assert_eq!((events("lock"), events("unlock"), events("force_unlock")), (2, 1, 1));
    assert_eq!(app.count("audit_events WHERE action = 'lock' AND meta ->> 'reason' = 'Maintenance'"), 1);
    assert_eq!(app.count("audit_events WHERE action = 'destroy'"), 0);
}

#[test]
fn of_many_who_lock_at_once_one_does() {
    let (app, ada, prod) = scene();
    let (_, token) = team_with(&app, &ada, &prod, "write");
    for round in 0..3 {
        let answers = times(8, |nth| act(if nth % 2 == 0 { &ada.client } else { &token }, &prod, "lock"));
        let count = |status: u16| answers.iter().filter(|answer| answer.status == status).count();
        assert_eq!((count(200), count(409)), (1, 7), "round {round}");
        act(&ada.client, &prod, "force-unlock").expect(200);
    }
}
