//! `users/:id/authentication-tokens`: a user's tokens are that user's alone, but for site admins.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::App;
use crate::support::app::{User, resource};

fn tokens_of(user: &User) -> String {
    format!("/api/v2/users/{}/authentication-tokens", user.id)
}

fn described(description: &str) -> Value {
    resource("authentication-tokens", json!({"description": description}))
}

#[test]
fn a_user_makes_lists_shows_and_revokes_tokens() {
    let app = App::start();
    let ada = app.user("ada");
    let made = ada.client.post(&tokens_of(&ada), &described("laptop")).expect(201);
    assert!(made.secret().starts_with("lku_") && made.secret().len() == 53);
    assert_eq!(*made.attribute("description"), "laptop");
    assert_eq!(made.body["data"]["relationships"]["created-by"]["data"], json!({"type": "users", "id": ada.id}));
    let token = app.with(&made.secret());
    assert_eq!(token.get("/api/v2/account/details").expect(200).id(), ada.id);
    let list = ada.client.get(&tokens_of(&ada)).expect(200);
    assert_eq!(list.ids(), [ada.token_id(&app), made.id()]);
    assert!(list.body["data"].as_array().unwrap().iter().all(|token| token["attributes"]["token"].is_null()));
    let by_id = format!("/api/v2/authentication-tokens/{}", made.id());
    assert_eq!(*ada.client.get(&by_id).expect(200).attribute("token"), Value::Null, "the secret is shown once");
    ada.client.delete(&by_id).expect(204);
    token.get("/api/v2/account/details").expect(401);
    ada.client.get(&by_id).expect(404);
    assert_eq!(ada.client.get(&tokens_of(&ada)).expect(200).ids().len(), 1);
}

#[test]
fn there_may_be_any_number_also_of_equal_descriptions() {
    let app = App::start();
    let ada = app.user("ada");
    let bodies =
        [described("ci"), described("ci"), described(""), described(""), resource("authentication-tokens", json!({}))];
    let secrets: Vec<String> =
        bodies.iter().chain(&bodies).map(|body| ada.client.post(&tokens_of(&ada), body).expect(201).secret()).collect();
    for secret in &secrets {
        app.with(secret).get("/api/v2/account/details").expect(200);
    }
    assert_eq!(ada.client.get(&tokens_of(&ada)).expect(200).ids().len(), 11);
}

#[test]
fn what_is_asked_of_a_new_token_is_checked() {
    let app = App::start();
    let ada = app.user("ada");
    for (attributes, blamed) in [
        (json!({"expired-at": "2020-01-01T00:00:00Z"}), "/data/attributes/expired-at"),
        (json!({"expired-at": "soon"}), "/data/attributes/expired-at"),
        (json!({"description": "x".repeat(256)}), "/data/attributes/description"),
        (json!({"description": 7}), "/data/attributes/description"),
    ] {
        let refused = ada.client.post(&tokens_of(&ada), &resource("authentication-tokens", attributes)).expect(422);
        assert_eq!(refused.blamed(), [blamed]);
    }
    let refused = ada.client.post(&tokens_of(&ada), &resource("teams", json!({}))).expect(409);
    assert_eq!(refused.blamed(), ["/data/type"]);
    assert_eq!(app.count("tokens"), 1);
    // Shipped clients send the singular, an empty type, or none.
    for kind in ["authentication-token", ""] {
        ada.client.post(&tokens_of(&ada), &resource(kind, json!({}))).expect(201);
    }
    ada.client.post(&tokens_of(&ada), &json!({"data": {"attributes": {}}})).expect(201);
}

#[test]
fn the_list_is_sorted_and_paged() {
    let app = App::start();
    let ada = app.user("ada");
    let mut made = vec![ada.token_id(&app)];
    for nth in 0..4 {
        made.push(ada.client.post(&tokens_of(&ada), &described(&format!("token {nth}"))).expect(201).id());
    }
    let page = |query: &str| ada.client.get(&format!("{}?{query}", tokens_of(&ada))).expect(200);
    assert_eq!(page("page[size]=2").ids(), made[..2]);
    assert_eq!(page("page[size]=2&page[number]=3").ids(), made[4..]);
    assert_eq!(page("page[size]=2").body["meta"]["pagination"]["total-count"], 5);
    assert!(page("page[number]=9").ids().is_empty());
    made.reverse();
    assert_eq!(page("sort=-created-at").ids(), made);
    ada.client.get(&format!("{}?sort=nonsense", tokens_of(&ada))).expect(400);
}

#[test]
fn somebody_elses_list_is_empty() {
    let app = App::start();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    ada.organization("acme");
    ada.add_to_team(&ada.owners_team("acme"), &bob);
    let nobody = latchkey::ids::UserId::generate().to_string();
    for user in [&ada.id, &nobody] {
        let list = bob.client.get(&format!("/api/v2/users/{user}/authentication-tokens")).expect(200);
        assert_eq!(list.body["data"], json!([]));
        assert_eq!(list.body["meta"]["pagination"]["total-count"], 0);
    }
    assert_eq!(bob.client.get(&tokens_of(&bob)).expect(200).ids().len(), 1);
}

#[test]
fn nobody_makes_a_token_for_somebody_else() {
    let app = App::start();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    ada.organization("acme");
    ada.add_to_team(&ada.owners_team("acme"), &bob);
    let nobody = latchkey::ids::UserId::generate().to_string();
    for user in [&ada.id, &nobody] {
        bob.client.post(&format!("/api/v2/users/{user}/authentication-tokens"), &described("mine")).expect(404);
    }
    assert_eq!(app.count("tokens"), 2);
}

#[test]
fn a_token_of_somebody_else_is_not_there() {
    let app = App::start();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    ada.organization("acme");
    ada.add_to_team(&ada.owners_team("acme"), &bob);
    let path = format!("/api/v2/authentication-tokens/{}", ada.token_id(&app));
    bob.client.get(&path).expect(404);
    bob.client.delete(&path).expect(404);
    ada.client.get(&path).expect(200);
}

/// Site admins see them without secrets, and end them; nothing else, and nothing with a token that is capped.
#[test]
fn a_site_admin_sees_and_ends_the_tokens_of_users() {
    let app = App::start();
    let (ada, root) = (app.user("ada"), app.site_admin("root"));
    let made = ada.client.post(&tokens_of(&ada), &described("laptop")).expect(201);
    let by_id = format!("/api/v2/authentication-tokens/{}", made.id());
    assert!(root.client.get(&tokens_of(&ada)).expect(200).ids().contains(&made.id()));
    assert_eq!(*root.client.get(&by_id).expect(200).attribute("token"), Value::Null);
    root.client.post(&tokens_of(&ada), &described("another")).expect(403);
    root.client.patch(&by_id, &described("changed")).expect(403);
    for action in ["disable", "regenerate"] {
        root.client.post_nothing(&format!("{by_id}/actions/{action}")).expect(403);
    }
    let capped = resource("authentication-tokens", json!({"role": "admin"}));
    let capped = root.client.post(&tokens_of(&root), &capped).expect(201).secret();
    app.with(&capped).delete(&by_id).expect(403);
    root.client.delete(&by_id).expect(204);
    app.with(&made.secret()).get("/api/v2/account/details").expect(401);
    let told = format!("audit_events WHERE action = 'destroy' AND resource_id = '{}'", made.id());
    assert_eq!(app.count(&told), 1);
}

#[test]
fn tokens_of_teams_and_organizations_have_no_part_in_user_tokens() {
    let (app, ada) = App::with_acme();
    let organization = "/api/v2/organizations/acme/authentication-token";
    for secret in [
        ada.team_token(&ada.owners_team("acme")).secret(),
        ada.client.post_nothing(organization).expect(201).secret(),
        ada.client.post_nothing(&format!("{organization}?token=audit-trails")).expect(201).secret(),
    ] {
        let token = app.with(&secret);
        assert_eq!(token.get(&tokens_of(&ada)).expect(200).body["data"], json!([]));
        token.post(&tokens_of(&ada), &described("mine")).expect(404);
        let path = format!("/api/v2/authentication-tokens/{}", ada.token_id(&app));
        token.get(&path).expect(404);
        token.delete(&path).expect(404);
    }
    assert_eq!(app.count("tokens WHERE kind = 'user'"), 1);
}

#[test]
fn a_user_revokes_the_very_token_that_calls() {
    let app = App::start();
    let ada = app.user("ada");
    let other = app.with(&ada.client.post(&tokens_of(&ada), &described("other")).expect(201).secret());
    ada.client.delete(&format!("/api/v2/authentication-tokens/{}", ada.token_id(&app))).expect(204);
    ada.client.get("/api/v2/account/details").expect(401);
    assert_eq!(other.get(&tokens_of(&ada)).expect(200).ids().len(), 1);
}

#[test]
fn an_expired_token_opens_nothing() {
    let app = App::start();
    let ada = app.user("ada");
    let body = resource("authentication-tokens", json!({"expired-at": "2099-01-01T00:00:00Z"}));
    let made = ada.client.post(&tokens_of(&ada), &body).expect(201);
    assert_eq!(*made.attribute("expired-at"), "2099-01-01T00:00:00.000Z");
    app.with(&made.secret()).get("/api/v2/account/details").expect(200);
    app.sql("UPDATE tokens SET expired_at = now() - interval '1 second' WHERE expired_at IS NOT NULL");
    app.with(&made.secret()).get("/api/v2/account/details").expect(401);
    let of = |status: &str| ada.client.get(&format!("{}?filter[expiry_status]={status}", tokens_of(&ada))).ids();
    assert_eq!(of("expired"), [made.id()], "it stays listed");
    assert_eq!(of("no_expiration"), [ada.token_id(&app)]);
}

#[test]
fn a_user_token_stays_out_of_organizations() {
    let (_app, ada) = App::with_acme();
    ada.client.post(&tokens_of(&ada), &described("laptop")).expect(201);
    assert!(ada.client.get("/api/v2/organizations/acme/team-tokens").expect(200).ids().is_empty());
}

/// Programs that know nothing but user names and passwords.
#[test]
fn a_token_is_taken_in_place_of_a_password() {
    let app = App::start();
    let ada = app.user("ada");
    let secret = ada.client.secret();
    let with = |credentials: &str| {
        let header = format!("Basic {}", STANDARD.encode(credentials));
        app.anonymous().send("GET", "/api/v2/account/details", &[("Authorization", &*header)], None).status
    };
    for good in [format!("anything:{secret}"), format!(":{secret}"), format!("{secret}:"), format!("{secret}:x")] {
        assert_eq!(with(&good), 200);
    }
    assert_eq!(with(&format!("{secret}:{secret}")), 200);
    // Of two different ones nobody can tell which is meant.
    let other = app.user("bob").client.secret().to_owned();
    let both = [format!("{secret}:{other}"), format!("{other}:{secret}")];
    let bad = [secret.to_owned(), "ada:password".to_owned(), format!("ada:{secret}x"), String::new(), ":".to_owned()];
    for bad in bad.into_iter().chain(both) {
        assert_eq!(with(&bad), 401);
    }
    let raw = |header: &str| {
        app.anonymous().send("GET", "/api/v2/account/details", &[("Authorization", header)], None).expect(401)
    };
    raw("Basic");
    raw("Basic ====");
    // No browser opens a dialog.
    let refused = raw(&format!("Basic {}", STANDARD.encode([0xff, b':', 0xfe])));
    assert!(!refused.header("WWW-Authenticate").unwrap().contains("Basic"));
}

#[test]
fn site_admins_list_and_end_the_tokens_of_everybody() {
    let app = App::start();
    let (ada, bob, root) = (app.user("ada"), app.user("bob"), app.site_admin("root"));
    ada.organization("acme");
    bob.organization("beta");
    let of_team = ada.described_token(&ada.owners_team("acme"), json!({"description": "of acme"}));
    let of_beta = bob.client.post_nothing("/api/v2/organizations/beta/authentication-token").expect(201);
    assert!(!of_beta.secret().is_empty());
    let list = "/api/v2/admin/authentication-tokens";
    let found = |query: &str| root.client.get(&format!("{list}?{query}")).expect(200).ids();
    let all = found("");
    assert_eq!(all.len(), 5);
    assert_eq!(all[..2], [of_beta.id(), of_team.id()], "the newest first");
    assert_eq!(found("filter[organization]=ACME"), [of_team.id()]);
    assert_eq!(found("filter[organization]=beta"), [of_beta.id()]);
    let unknown = root.client.get(&format!("{list}?filter[organization]=beta,nowhere")).expect(400);
    assert_eq!(unknown.blamed(), ["filter[organization]"]);
    root.client.get(&format!("{list}?filter[user]=nobody")).expect(400);
    assert_eq!(found("filter[user]=Bob"), [bob.token_id(&app)]);
    assert_eq!(found(&format!("filter[user]={}&filter[kind]=user", ada.id)), [ada.token_id(&app)]);
    assert_eq!(found("filter[user]=bob&filter[organization]=acme"), Vec::<String>::new());
    assert_eq!(found("q=of acme"), [of_team.id()]);
    let by_cursor = root.client.get(&format!("{list}?page[size]=2&page[after]=")).expect(200);
    assert_eq!(by_cursor.ids(), all[..2]);
    assert!(by_cursor.body["data"].as_array().unwrap().iter().all(|token| token["attributes"]["token"].is_null()));
    for other in [&ada, &bob] {
        other.client.get(list).expect(404);
        other.client.delete(&format!("{list}/{}", of_team.id())).expect(404);
    }
    // Any of them can be ended, and whose it was is told.
    let works = app.with(&of_team.secret());
    works.get("/api/v2/organizations/acme").expect(200);
    root.client.delete(&format!("{list}/{}", of_team.id())).expect(204);
    works.get("/api/v2/organizations/acme").expect(401);
    root.client.delete(&format!("{list}/{}", of_team.id())).expect(404);
    root.client.delete(&format!("{list}/{}", bob.token_id(&app))).expect(204);
    bob.client.get("/api/v2/account/details").expect(401);
    let trail = ada.client.get("/api/v2/organizations/acme/audit-trail").expect(200);
    let told = trail.body["data"]
        .as_array()
        .unwrap()
        .iter()
        .any(|event| event["resource"]["id"] == of_team.id() && event["resource"]["action"] == "destroy");
    assert!(told);
    assert_eq!(
        app.count(&format!(
            "audit_events WHERE user_id IS NOT NULL AND action = 'destroy' AND resource_id = '{}'",
            bob.token_id(&app)
        )),
        1
    );
}
