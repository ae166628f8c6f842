//! `teams/:id/relationships/users`: who is in a team.

use serde_json::{Value, json};

use crate::support::App;
use crate::support::app::{identifiers, resource};

#[test]
fn who_is_put_into_a_team_by_name_is_invited() {
    let app = App::start();
    let (ada, bob, joe) = (app.user("ada"), app.user("bob"), app.user("joe"));
    ada.organization("acme");
    let team = ada.team("acme", "ci");
    let path = format!("/api/v2/teams/{team}/relationships/users");
    ada.client.post(&path, &identifiers("users", &["bob", "joe"])).expect(204);
    assert_eq!(ada.client.get(&path).expect(200).ids().len(), 2);
    for user in [&bob, &joe] {
        for hidden in ["organizations/acme".to_owned(), format!("teams/{team}")] {
            user.client.get(&format!("/api/v2/{hidden}")).expect(404);
        }
        user.client.post_nothing(&format!("/api/v2/teams/{team}/authentication-token")).expect(404);
    }
    assert_eq!(app.count("memberships WHERE status = 'invited'"), 2);
    assert_eq!(app.count("audit_events WHERE meta ->> 'status' = 'invited'"), 2);
    bob.accept(&bob.memberships()[0]);
    bob.client.get(&format!("/api/v2/teams/{team}")).expect(200);
    joe.client.get(&format!("/api/v2/teams/{team}")).expect(404);
    // Asking again changes nothing about either.
    ada.client.post(&path, &identifiers("users", &["bob", "joe"])).expect(204);
    bob.client.get(&format!("/api/v2/teams/{team}")).expect(200);
    joe.client.get(&format!("/api/v2/teams/{team}")).expect(404);
}

#[test]
fn a_member_is_put_into_a_team_at_once() {
    let app = App::start();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    ada.organization("acme");
    ada.add_to_team(&ada.team("acme", "ops"), &bob);
    let team = ada.team("acme", "ci");
    let path = format!("/api/v2/teams/{team}/relationships/users");
    ada.client.post(&path, &identifiers("users", &["bob"])).expect(204);
    bob.client.get(&format!("/api/v2/teams/{team}")).expect(200);
}

#[test]
fn who_invites_by_name_is_not_told_the_address() {
    let app = App::start();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    ada.organization("acme");
    let team = ada.team("acme", "ci");
    let path = format!("/api/v2/teams/{team}/relationships/users");
    ada.client.post(&path, &identifiers("users", &["bob"])).expect(204);
    let membership = bob.memberships().remove(0);
    let list = "/api/v2/organizations/acme/organization-memberships";
    let of = |found: &[Value]| found.iter().filter(|one| one["id"] == membership).cloned().collect::<Vec<_>>();
    let told = || {
        let all = ada.client.get(list).expect(200);
        let one = ada.client.get(&format!("/api/v2/organization-memberships/{membership}")).expect(200);
        let of_team = ada.client.get(&format!("/api/v2/teams/{team}/relationships/organization-memberships"));
        let with_team = ada.client.get(&format!("/api/v2/teams/{team}?include=organization-memberships")).expect(200);
        let mut told = of(all.body["data"].as_array().unwrap());
        told.push(one.body["data"].clone());
        told.extend(of(of_team.expect(200).body["data"].as_array().unwrap()));
        told.extend(of(with_team.body["included"].as_array().unwrap()));
        told.iter().map(|one| one["attributes"]["email"].as_str().map(str::to_owned)).collect::<Vec<_>>()
    };
    let found = |search: &str| ada.client.get(&format!("{list}?{search}")).expect(200).ids().contains(&membership);
    assert_eq!(told(), [None, None, None, None]);
    assert!(!found("q=bob@example") && !found("filter[email]=bob@example.com") && found("q=bob"));
    // It is no secret to its owner.
    let own = bob.client.get("/api/v2/organization-memberships").expect(200);
    assert_eq!(own.body["data"][0]["attributes"]["email"], "bob@example.com");
    bob.accept(&membership);
    assert_eq!(told(), vec![Some("bob@example.com".to_owned()); 4]);
    assert!(found("q=bob@example") && found("filter[email]=bob@example.com"));
}

#[test]
fn a_user_name_is_found_without_regard_to_case() {
    let app = App::start();
    let (ada, bob) = (app.user("ada"), app.user("Bob"));
    ada.organization("acme");
    let team = ada.team("acme", "ci");
    let path = format!("/api/v2/teams/{team}/relationships/users");
    ada.client.post(&path, &identifiers("users", &["bOB"])).expect(204);
    bob.accept(&bob.memberships()[0]);
    bob.client.get(&format!("/api/v2/teams/{team}")).expect(200);
}

#[test]
fn an_unknown_user_is_named_and_nobody_is_added() {
    let app = App::start();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    ada.organization("acme");
    let path = format!("/api/v2/teams/{}/relationships/users", ada.team("acme", "ci"));
    let refused = ada.client.post(&path, &identifiers("users", &["bob", "nobody", &bob.id])).expect(404);
    assert_eq!(refused.blamed(), ["/data/1/id", "/data/2/id"]);
    assert!(refused.detail().contains("nobody"));
    assert_eq!(app.count("team_members"), 1);
    assert_eq!(app.count("memberships"), 1);
}

#[test]
fn adding_twice_is_adding_once() {
    let app = App::start();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    ada.organization("acme");
    let team = ada.team("acme", "ci");
    ada.add_to_team(&team, &bob);
    ada.add_to_team(&team, &bob);
    let path = format!("/api/v2/teams/{team}/relationships/users");
    ada.client.post(&path, &identifiers("users", &["bob", "bob", "BOB"])).expect(204);
    assert_eq!(*ada.client.get(&format!("/api/v2/teams/{team}")).expect(200).attribute("users-count"), 1);
}

#[test]
fn removing_who_is_not_in_the_team_changes_nothing() {
    let app = App::start();
    let ada = app.user("ada");
    app.user("bob");
    ada.organization("acme");
    let path = format!("/api/v2/teams/{}/relationships/users", ada.team("acme", "ci"));
    for absent in ["bob", "ada", "nobody"] {
        ada.client.delete_with(&path, &identifiers("users", &[absent])).expect(204);
    }
    assert_eq!(app.count("memberships"), 1);
}

#[test]
fn a_removed_member_stays_in_the_organization() {
    let app = App::start();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    ada.organization("acme");
    let team = ada.team("acme", "ci");
    ada.add_to_team(&team, &bob);
    let path = format!("/api/v2/teams/{team}/relationships/users");
    ada.client.delete_with(&path, &identifiers("users", &["bob"])).expect(204);
    bob.client.get("/api/v2/organizations/acme").expect(200);
    bob.client.get(&format!("/api/v2/teams/{team}")).expect(404);
}

#[test]
fn the_rights_of_a_removed_member_end_at_once() {
    let app = App::start();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    ada.organization("acme");
    let managers = ada.team_with("acme", json!({"name": "managers", "organization-access": {"manage-teams": true}}));
    ada.add_to_team(&managers, &bob);
    let made = bob.team("acme", "first");
    let path = format!("/api/v2/teams/{managers}/relationships/users");
    ada.client.delete_with(&path, &identifiers("users", &["bob"])).expect(204);
    let second = resource("teams", json!({"name": "second"}));
    bob.client.post("/api/v2/organizations/acme/teams", &second).expect(404);
    bob.client.post_nothing(&format!("/api/v2/teams/{managers}/authentication-token")).expect(404);
    bob.client.delete(&format!("/api/v2/teams/{made}")).expect(404);
}

#[test]
fn the_last_owner_cannot_be_removed() {
    let app = App::start();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    ada.organization("acme");
    let owners = ada.owners_team("acme");
    let path = format!("/api/v2/teams/{owners}/relationships/users");
    let refused = ada.client.delete_with(&path, &identifiers("users", &["ada"])).expect(403);
    assert!(refused.detail().contains("at least one active member"), "{}", refused.detail());
    ada.add_to_team(&owners, &bob);
    ada.client.delete_with(&path, &identifiers("users", &["ada", "bob"])).expect(403);
    assert_eq!(*ada.client.get(&format!("/api/v2/teams/{owners}")).expect(200).attribute("users-count"), 2);
    // Who was only invited cannot keep the organization.
    app.sql("UPDATE memberships SET status = 'invited' WHERE user_id = (SELECT id FROM users WHERE username = 'bob')");
    ada.client.delete_with(&path, &identifiers("users", &["ada"])).expect(403);
}

#[test]
fn an_owner_can_leave_while_another_stays() {
    let app = App::start();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    ada.organization("acme");
    let owners = ada.owners_team("acme");
    ada.add_to_team(&owners, &bob);
    let path = format!("/api/v2/teams/{owners}/relationships/users");
    ada.client.delete_with(&path, &identifiers("users", &["ada"])).expect(204);
    ada.client.delete("/api/v2/organizations/acme").expect(403);
    bob.client.delete("/api/v2/organizations/acme").expect(204);
}

#[test]
fn who_manages_membership_or_teams_changes_who_is_in_a_team() {
    let app = App::start();
    let ada = app.user("ada");
    app.user("joe");
    ada.organization("acme");
    let team = ada.team_with("acme", json!({"name": "open", "visibility": "organization"}));
    let path = format!("/api/v2/teams/{team}/relationships/users");
    for permission in ["manage-membership", "manage-teams"] {
        let manager = app.user(&format!("with-{permission}"));
        let managers = json!({"name": permission, "organization-access": {permission: true}});
        ada.add_to_team(&ada.team_with("acme", managers), &manager);
        manager.client.post(&path, &identifiers("users", &["joe"])).expect(204);
        manager.client.delete_with(&path, &identifiers("users", &["joe"])).expect(204);
    }
    app.with(&ada.team_token(&ada.owners_team("acme")).secret())
        .post(&path, &identifiers("users", &["joe"]))
        .expect(204);
}

#[test]
fn only_owners_change_who_is_an_owner() {
    let app = App::start();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    ada.organization("acme");
    let all = json!({"manage-membership": true, "manage-teams": true, "manage-organization-access": true});
    let managers = ada.team_with("acme", json!({"name": "managers", "organization-access": all}));
    ada.add_to_team(&managers, &bob);
    let path = format!("/api/v2/teams/{}/relationships/users", ada.owners_team("acme"));
    bob.client.post(&path, &identifiers("users", &["bob"])).expect(403);
    bob.client.delete_with(&path, &identifiers("users", &["ada"])).expect(403);
    ada.client.post(&path, &identifiers("users", &["bob"])).expect(204);
    bob.client.post(&path, &identifiers("users", &["bob"])).expect(204);
}

#[test]
fn a_member_who_manages_nothing_is_forbidden_to_add() {
    let app = App::start();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    app.user("joe");
    ada.organization("acme");
    let team = ada.team("acme", "ci");
    ada.add_to_team(&team, &bob);
    let path = format!("/api/v2/teams/{team}/relationships/users");
    let refused = bob.client.post(&path, &identifiers("users", &["joe"])).expect(403);
    assert!(refused.detail().contains("manage-membership"), "{}", refused.detail());
    bob.client.delete_with(&path, &identifiers("users", &["bob"])).expect(403);
    assert_eq!(app.count("team_members"), 2);
}

#[test]
fn malformed_identifiers_are_400_and_other_types_409() {
    let app = App::start();
    let ada = app.user("ada");
    app.user("bob");
    ada.organization("acme");
    let path = format!("/api/v2/teams/{}/relationships/users", ada.team("acme", "ci"));
    for (body, status, blamed) in [
        (json!({}), 400, vec![""]),
        (json!([]), 400, vec![""]),
        (json!({"data": null}), 400, vec!["/data"]),
        (json!({"data": {"type": "users", "id": "bob"}}), 400, vec!["/data"]),
        (json!({"data": ["bob"]}), 400, vec!["/data/0/type", "/data/0/id"]),
        (json!({"data": [{"type": "users"}]}), 400, vec!["/data/0/id"]),
        (json!({"data": [{"id": "bob"}]}), 400, vec!["/data/0/type"]),
        (json!({"data": [{"type": "users", "id": 7}]}), 400, vec!["/data/0/id"]),
        (json!({"data": [{"type": "users", "id": ""}]}), 400, vec!["/data/0/id"]),
        (json!({"data": [{"type": "teams", "id": "bob"}]}), 409, vec!["/data/0/type"]),
        (json!({"data": [{"type": "users", "id": "bob"}, {"type": "teams", "id": "x"}]}), 409, vec!["/data/1/type"]),
    ] {
        for answer in [ada.client.post(&path, &body), ada.client.delete_with(&path, &body)] {
            assert_eq!(answer.expect(status).blamed(), blamed, "{body}");
        }
    }
    assert_eq!(app.count("team_members"), 1);
}

#[test]
fn no_identifiers_change_nothing() {
    let (_app, ada) = App::with_acme();
    let path = format!("/api/v2/teams/{}/relationships/users", ada.team("acme", "ci"));
    ada.client.post(&path, &json!({"data": []})).expect(204);
    ada.client.delete_with(&path, &json!({"data": []})).expect(204);
}

#[test]
fn more_than_1000_identifiers_are_refused() {
    let (_app, ada) = App::with_acme();
    let path = format!("/api/v2/teams/{}/relationships/users", ada.team("acme", "ci"));
    let names: Vec<String> = (0..1001).map(|n| format!("user-{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let refused = ada.client.delete_with(&path, &identifiers("users", &names)).expect(422);
    assert_eq!(refused.blamed(), ["/data"]);
    assert!(refused.detail().contains("1000"), "{}", refused.detail());
    ada.client.delete_with(&path, &identifiers("users", &names[..1000])).expect(204);
}

#[test]
fn each_change_is_audited_once() {
    let app = App::start();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    ada.organization("acme");
    let team = ada.team("acme", "ci");
    let path = format!("/api/v2/teams/{team}/relationships/users");
    for _ in 0..2 {
        ada.client.post(&path, &identifiers("users", &["bob"])).expect(204);
    }
    for _ in 0..2 {
        ada.client.delete_with(&path, &identifiers("users", &["bob"])).expect(204);
    }
    let about_bob = format!("audit_events WHERE resource_type = 'team_member' AND resource_id = '{}'", bob.id);
    assert_eq!(app.count(&format!("{about_bob} AND action = 'create'")), 1);
    assert_eq!(app.count(&format!("{about_bob} AND action = 'destroy'")), 1);
}
