//! `account/details` and `users/:id`.

use serde_json::json;

use crate::support::App;
use crate::support::app::{identifiers, resource};

#[test]
fn account_details_show_the_user_who_calls() {
    let app = App::start();
    let ada = app.user("ada");
    let account = ada.client.get("/api/v2/account/details").expect(200);
    // Clients of the HCP API want a text there. No other host is asked for it.
    assert!(account.attribute("avatar-url").as_str().unwrap().starts_with("data:image/"));
    assert_eq!(account.body["data"]["type"], "users");
    assert_eq!(account.id(), ada.id);
    assert_eq!(*account.attribute("username"), "ada");
    assert_eq!(*account.attribute("email"), "ada@example.com");
    assert_eq!(*account.attribute("is-service-account"), false);
    assert_eq!(*account.attribute("is-site-admin"), false);
    let root = app.site_admin("root").client.get("/api/v2/account/details").expect(200);
    assert_eq!(*root.attribute("is-site-admin"), true);
}

#[test]
fn account_details_of_a_team_token_show_a_service_account() {
    let (app, ada) = App::with_acme();
    let team = ada.team("acme", "ci");
    let secret = ada.team_token(&team).secret();
    let account = app.with(&secret).get("/api/v2/account/details").expect(200);
    assert_eq!(account.body["data"]["type"], "users");
    assert!(account.id().starts_with("user-"));
    assert_eq!(*account.attribute("is-service-account"), true);
    assert_eq!(*account.attribute("is-site-admin"), false);
    let behind = &account.body["data"]["relationships"]["authenticated-resource"]["data"];
    assert_eq!((&behind["type"], &behind["id"]), (&"teams".into(), &team.into()));
}

#[test]
fn users_see_their_own_email() {
    let app = App::start();
    let ada = app.user("ada");
    let shown = ada.client.get(&format!("/api/v2/users/{}", ada.id)).expect(200);
    assert_eq!(*shown.attribute("email"), "ada@example.com");
}

#[test]
fn a_fellow_member_is_seen_without_the_email() {
    let app = App::start();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    ada.organization("acme");
    ada.add_to_team(&ada.team("acme", "ci"), &bob);
    let shown = bob.client.get(&format!("/api/v2/users/{}", ada.id)).expect(200);
    assert_eq!(*shown.attribute("username"), "ada");
    let attributes = shown.body["data"]["attributes"].as_object().unwrap();
    for private in ["email", "unconfirmed-email", "is-site-admin", "two-factor"] {
        assert!(!attributes.contains_key(private), "{private}");
    }
}

#[test]
fn a_stranger_is_not_seen() {
    let app = App::start();
    let (ada, eve) = (app.user("ada"), app.user("eve"));
    ada.organization("acme");
    eve.organization("eves");
    let mut hidden = eve.client.get(&format!("/api/v2/users/{}", ada.id)).expect(404);
    let mut absent = eve.client.get("/api/v2/users/user-nobody").expect(404);
    hidden.body["errors"][0]["id"].take();
    absent.body["errors"][0]["id"].take();
    assert_eq!(hidden.body, absent.body);
}

#[test]
fn a_fellowship_that_is_over_is_over_at_once() {
    let app = App::start();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    ada.organization("acme");
    ada.add_to_team(&ada.team("acme", "ci"), &bob);
    bob.client.get(&format!("/api/v2/users/{}", ada.id)).expect(200);
    app.sql("DELETE FROM memberships WHERE user_id = (SELECT id FROM users WHERE username = 'bob')");
    bob.client.get(&format!("/api/v2/users/{}", ada.id)).expect(404);
}

#[test]
fn a_token_that_is_too_old_for_an_organization_sees_nobody_in_it() {
    let app = App::start();
    let (ada, bob, zoe) = (app.user("ada"), app.user("bob"), app.user("zoe"));
    ada.organization("acme");
    zoe.organization("elsewhere");
    ada.add_to_team(&ada.team("acme", "ci"), &bob);
    zoe.add_to_team(&zoe.team("elsewhere", "ci"), &bob);
    let enforce = |enforced: bool| {
        let change = resource("organizations", json!({"max-ttl-enabled": enforced}));
        ada.client.patch("/api/v2/organizations/acme", &change).expect(200);
    };
    app.sql(
        "UPDATE tokens SET created_at = now() - interval '731 days' WHERE user_id <> \
             (SELECT id FROM users WHERE username = 'ada')",
    );
    // What has ended there stays ended.
    for (enforced, status) in [(false, 200), (true, 404), (false, 404)] {
        enforce(enforced);
        bob.client.get(&format!("/api/v2/users/{}", ada.id)).expect(status);
        bob.client.get(&format!("/api/v2/users/{}", zoe.id)).expect(200);
    }
}

#[test]
fn who_is_invited_is_seen_and_sees_nobody() {
    let app = App::start();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    ada.organization("acme");
    let team = ada.team("acme", "ci");
    let ci = app.with(&ada.team_token(&team).secret());
    let bobs = format!("/api/v2/users/{}", bob.id);
    ci.get(&bobs).expect(404);
    let users = format!("/api/v2/teams/{team}/relationships/users");
    ada.client.post(&users, &identifiers("users", &["bob"])).expect(204);
    let included = ada.client.get(&format!("/api/v2/teams/{team}?include=users")).expect(200);
    for client in [&ada.client, &ci] {
        // As it is included elsewhere, without the address.
        assert_eq!(client.get(&bobs).expect(200).body["data"], included.body["included"][0]);
    }
    bob.client.get(&format!("/api/v2/users/{}", ada.id)).expect(404);
    ada.client.delete(&format!("/api/v2/organization-memberships/{}", bob.memberships()[0])).expect(204);
    ada.client.get(&bobs).expect(404);
}

#[test]
fn a_team_token_sees_the_members_of_its_organization() {
    let app = App::start();
    let (ada, eve) = (app.user("ada"), app.user("eve"));
    ada.organization("acme");
    let ci = app.with(&ada.team_token(&ada.team("acme", "ci")).secret());
    let shown = ci.get(&format!("/api/v2/users/{}", ada.id)).expect(200);
    assert!(!shown.body["data"]["attributes"].as_object().unwrap().contains_key("email"));
    ci.get(&format!("/api/v2/users/{}", eve.id)).expect(404);
}

#[test]
fn a_site_admin_sees_every_user() {
    let app = App::start();
    let (ada, root) = (app.user("ada"), app.site_admin("root"));
    let shown = root.client.get(&format!("/api/v2/users/{}", ada.id)).expect(200);
    assert_eq!(*shown.attribute("username"), "ada");
}

#[test]
fn an_account_has_no_secrets() {
    let app = App::start();
    let ada = app.user("ada");
    let account = ada.client.get("/api/v2/account/details").expect(200);
    let text = account.body.to_string();
    assert!(!text.contains("lku_") && !text.contains("\"password"), "{text}");
}
