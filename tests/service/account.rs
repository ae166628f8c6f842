//! `account/update` and `account/password`: what users change of themselves.

use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};
use serde_json::{Value, json};

use crate::support::app::{FIRST_PASSWORD, User, identifiers, resource};
use crate::support::{App, leaks};

const UPDATE: &str = "/api/v2/account/update";
const PASSWORD: &str = "/api/v2/account/password";

fn change(attributes: Value) -> Value {
    resource("users", attributes)
}

fn new_password(current: Option<&str>, password: &str) -> Value {
    let mut attributes = json!({"password": password, "password_confirmation": password});
    if let Some(current) = current {
        attributes["current_password"] = current.into();
    }
    change(attributes)
}

fn hash(app: &App, user: &User) -> Option<String> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Nullable<Text>)]
        password_hash: Option<String>,
    }
    let mut connection = PgConnection::establish(&app.database_url).unwrap();
    let query = diesel::sql_query("SELECT password_hash FROM users WHERE username = $1");
    query.bind::<Text, _>(&user.username).get_result::<Row>(&mut connection).unwrap().password_hash
}

/// Confirms an address as the command line does; answers why not.
fn confirm(app: &App, username: &str, email: &str) -> Result<(), String> {
    PgConnection::establish(&app.database_url)
        .unwrap()
        .transaction(|connection| latchkey::administration::confirm_email(connection, username, email))
        .map(|_| ())
        .map_err(|fault| fault.to_string())
}

#[test]
fn a_user_changes_the_name_and_asks_for_an_address() {
    let app = App::start();
    // Also site admins wait.
    let ada = app.site_admin("ada");
    let wanted = json!({"username": "ada-l", "email": "ada@lovelace.example"});
    let changed = ada.client.patch(UPDATE, &change(wanted)).expect(200);
    assert_eq!(changed.id(), ada.id);
    let told = || ada.client.get("/api/v2/account/details").expect(200);
    for answer in [&changed, &told()] {
        assert_eq!(*answer.attribute("username"), "ada-l");
        assert_eq!(*answer.attribute("email"), "ada@example.com");
        assert_eq!(*answer.attribute("unconfirmed-email"), "ada@lovelace.example");
    }
    confirm(&app, "Ada-L", "ada@lovelace.example").unwrap();
    assert_eq!(*told().attribute("email"), "ada@lovelace.example");
    assert_eq!(*told().attribute("unconfirmed-email"), Value::Null);
    assert_eq!(app.count("audit_events WHERE resource_type = 'user' AND action = 'confirm_email'"), 1);
}

#[test]
fn an_address_that_nobody_confirmed_gets_no_invitation() {
    let app = App::start();
    let (ada, eve) = (app.user("ada"), app.user("eve"));
    ada.organization("acme");
    eve.client.patch(UPDATE, &change(json!({"email": "carl@example.com"}))).expect(200);
    let mut invitation = resource("organization-memberships", json!({"email": "carl@example.com"}));
    invitation["data"]["relationships"] = json!({"teams": identifiers("teams", &[&ada.team("acme", "ci")])});
    ada.client.post("/api/v2/organizations/acme/organization-memberships", &invitation).expect(201);
    assert!(eve.client.get("/api/v2/organization-memberships").expect(200).ids().is_empty());
    // It goes to who comes forward with the address.
    let carl = app.user("carl");
    assert_eq!(carl.client.get("/api/v2/organization-memberships").expect(200).ids().len(), 1);
    assert!(confirm(&app, "eve", "carl@example.com").unwrap_err().contains("already been taken"));
}

/// An invitation holds an address for nobody: whoever is confirmed to have it has the invitations, too.
#[test]
fn an_invitation_squats_no_address() {
    let app = App::start();
    let (ada, eve, tim) = (app.user("ada"), app.user("eve"), app.user("tim"));
    ada.organization("acme");
    eve.organization("evil");
    tim.client.patch(UPDATE, &change(json!({"email": "tim@new.example"}))).expect(200);
    let invite = |by: &User, organization: &str, team: &str| {
        let mut invitation = resource("organization-memberships", json!({"email": "Tim@new.example"}));
        invitation["data"]["relationships"] = json!({"teams": identifiers("teams", &[team])});
        let path = format!("/api/v2/organizations/{organization}/organization-memberships");
        by.client.post(&path, &invitation).expect(201).id()
    };
    let (ci, ops) = (ada.team("acme", "ci"), ada.team("acme", "ops"));
    // Tim is in acme already, by his old address.
    ada.add_to_team(&ops, &tim);
    let [own] = &tim.memberships()[..] else { panic!("tim is in acme") };
    let theirs = invite(&eve, "evil", &eve.team("evil", "bait"));
    invite(&ada, "acme", &ci);
    let by_old_address = tim.client.get("/api/v2/organizations/acme").expect(200);
    confirm(&app, "tim", "tim@new.example").unwrap();
    let mut memberships = tim.memberships();
    memberships.sort();
    let mut expected = vec![own.clone(), theirs.clone()];
    expected.sort();
    assert_eq!(memberships, expected);
    assert_eq!(app.count("users WHERE NOT confirmed"), 0);
    // In acme he stays what he was: an invitation changes no member. Of evil he is no member before he accepts.
    tim.client.get(&format!("/api/v2/teams/{ops}")).expect(200);
    tim.client.get(&format!("/api/v2/teams/{ci}")).expect(404);
    let told = |of: &str, action: &str, organization: &str| {
        app.count(&format!(
            "audit_events JOIN organizations ON organizations.id = organization_id WHERE name = '{organization}' \
             AND resource_id {of} '{}' AND action = '{action}' AND resource_type IN ('organization_user', 'team_member') \
             AND actor_type = 'System'",
            tim.id
        ))
    };
    assert_eq!((told("=", "create", "evil"), told("<>", "destroy", "evil")), (2, 2));
    assert_eq!((told("=", "create", "acme"), told("<>", "destroy", "acme")), (0, 2));
    assert_eq!(by_old_address.body, tim.client.get("/api/v2/organizations/acme").expect(200).body);
    tim.client.get("/api/v2/organizations/evil").expect(404);
    tim.client.delete(&format!("/api/v2/organization-memberships/{theirs}")).expect(204);
}

#[test]
fn the_last_address_asked_for_is_the_one() {
    let app = App::start();
    let ada = app.user("ada");
    let ask = |email: &str| ada.client.patch(UPDATE, &change(json!({ "email": email }))).expect(200);
    ask("first@example.com");
    ask("second@example.com");
    // What else changes leaves it waiting.
    let changed = ada.client.patch(UPDATE, &change(json!({"username": "ada-l"}))).expect(200);
    assert_eq!(*changed.attribute("unconfirmed-email"), "second@example.com");
    let refused = confirm(&app, "ada-l", "first@example.com").unwrap_err();
    assert!(refused.contains("does not ask for"), "{refused}");
    // Asking for what one has takes back what one asked for.
    let back = ask("ada@example.com");
    assert_eq!(*back.attribute("unconfirmed-email"), Value::Null);
    confirm(&app, "ada-l", "second@example.com").unwrap_err();
    confirm(&app, "ada-l", "ada@example.com").unwrap_err();
    assert_eq!(*ada.client.get("/api/v2/account/details").expect(200).attribute("email"), "ada@example.com");
}

#[test]
fn an_address_is_held_by_who_is_first_to_be_confirmed() {
    let app = App::start();
    let (ada, bob, joe) = (app.user("ada"), app.user("bob"), app.user("joe"));
    // Nobody learns whose address it is.
    for (user, email) in [(&ada, "new@example.com"), (&bob, "NEW@example.com"), (&joe, "ada@example.com")] {
        let asked = user.client.patch(UPDATE, &change(json!({ "email": email }))).expect(200);
        assert_eq!(*asked.attribute("unconfirmed-email"), email);
    }
    assert!(confirm(&app, "joe", "ada@example.com").unwrap_err().contains("already been taken"));
    confirm(&app, "bob", "new@example.com").unwrap();
    assert!(confirm(&app, "ada", "new@example.com").unwrap_err().contains("already been taken"));
    assert_eq!(*bob.client.get("/api/v2/account/details").expect(200).attribute("email"), "NEW@example.com");
}

#[test]
fn what_is_not_said_stays_as_it_is() {
    let app = App::start();
    let ada = app.user("ada");
    ada.client.patch(UPDATE, &change(json!({}))).expect(200);
    // What is read-only is ignored.
    let wanted = json!({"username": "ada-l", "is-site-admin": true, "is-service-account": true});
    let changed = ada.client.patch(UPDATE, &change(wanted)).expect(200);
    assert_eq!(*changed.attribute("email"), "ada@example.com");
    assert_eq!(*changed.attribute("is-site-admin"), false);
    assert_eq!(*changed.attribute("is-service-account"), false);
}

#[test]
fn a_name_is_given_once_without_regard_to_case() {
    let app = App::start();
    let ada = app.user("ada");
    app.user("bob");
    for (attributes, blamed) in [
        (json!({"username": "bob"}), "/data/attributes/username"),
        (json!({"username": "BOB"}), "/data/attributes/username"),
    ] {
        let refused = ada.client.patch(UPDATE, &change(attributes)).expect(422);
        assert_eq!(refused.blamed(), [blamed]);
        assert!(refused.detail().contains("already been taken"), "{}", refused.detail());
    }
    // One's own in another case is free, and so is the address.
    let wanted = json!({"username": "Ada", "email": "Ada@example.com"});
    let changed = ada.client.patch(UPDATE, &change(wanted)).expect(200);
    assert_eq!(*changed.attribute("email"), "Ada@example.com");
    assert_eq!(*changed.attribute("unconfirmed-email"), Value::Null);
}

#[test]
fn a_wrong_name_or_address_is_refused() {
    let app = App::start();
    let ada = app.user("ada");
    for (name, email) in [("", ""), ("a b", "nobody"), ("a.b", "@"), ("ä", "a@b@c"), (&"x".repeat(91), "a@")] {
        let refused = ada.client.patch(UPDATE, &change(json!({"username": name, "email": email}))).expect(422);
        let mut blamed = refused.blamed();
        blamed.sort();
        assert_eq!(blamed, ["/data/attributes/email", "/data/attributes/username"], "{name:?} {email:?}");
    }
    ada.client.patch(UPDATE, &change(json!({"username": 7}))).expect(422);
    ada.client.patch(UPDATE, &change(json!({"email": format!("{}@example.com", "x".repeat(250))}))).expect(422);
    assert_eq!(*ada.client.get("/api/v2/account/details").expect(200).attribute("username"), "ada");
}

#[test]
fn the_id_of_another_user_is_refused() {
    let app = App::start();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    app.give_passwords();
    for path in [UPDATE, PASSWORD] {
        let mut body = new_password(Some(FIRST_PASSWORD), "a long password");
        body["data"]["id"] = bob.id.clone().into();
        let refused = ada.client.patch(path, &body).expect(409);
        assert_eq!(refused.blamed(), ["/data/id"]);
        body["data"]["id"] = ada.id.clone().into();
        ada.client.patch(path, &body).expect(200);
    }
}

#[test]
fn only_users_have_an_account_to_change() {
    let (app, ada) = App::with_acme();
    let token = app.with(&ada.team_token(&ada.owners_team("acme")).secret());
    token.patch(UPDATE, &change(json!({"username": "owners"}))).expect(403);
    token.patch(PASSWORD, &new_password(None, "a long password")).expect(403);
    app.anonymous().patch(UPDATE, &change(json!({"username": "x"}))).expect(401);
    app.anonymous().patch(PASSWORD, &new_password(None, "a long password")).expect(401);
}

#[test]
fn a_new_name_is_told_everywhere() {
    let app = App::start();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    ada.organization("acme");
    let team = ada.team("acme", "ci");
    ada.add_to_team(&team, &bob);
    bob.client.patch(UPDATE, &change(json!({"username": "robert"}))).expect(200);
    assert_eq!(*ada.client.get(&format!("/api/v2/users/{}", bob.id)).expect(200).attribute("username"), "robert");
    let list = "/api/v2/organizations/acme/organization-memberships?q=robert";
    assert_eq!(ada.client.get(list).expect(200).ids().len(), 1);
    bob.client.get(&format!("/api/v2/teams/{team}")).expect(200);
}

#[test]
fn a_first_password_is_not_set_by_a_token() {
    let app = App::start();
    let ada = app.user("ada");
    let refused = ada.client.patch(PASSWORD, &new_password(None, "a long password")).expect(422);
    assert_eq!(refused.blamed(), ["/data/attributes/current_password"]);
    assert!(refused.detail().contains("sign-in-link"), "{}", refused.detail());
    assert_eq!(hash(&app, &ada), None);
}

#[test]
fn a_password_is_stored_as_an_argon2id_hash_and_never_shown() {
    let app = App::start();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    let password = "the same for both";
    app.give_passwords();
    let answers =
        [&ada, &bob].map(|user| user.client.patch(PASSWORD, &new_password(Some(FIRST_PASSWORD), password)).expect(200));
    let hashes = [&ada, &bob].map(|user| hash(&app, user).unwrap());
    assert!(hashes.iter().all(|hash| hash.starts_with("$argon2id$v=19$")), "{hashes:?}");
    assert_ne!(hashes[0], hashes[1], "each has a salt of its own");
    for answer in answers.iter().chain(&[ada.client.get("/api/v2/account/details").expect(200)]) {
        let text = answer.body.to_string();
        assert!(!text.contains(password) && !text.contains("argon2"), "{text}");
    }
}

#[test]
fn a_password_is_changed_by_who_knows_it() {
    let app = App::start();
    let ada = app.user("ada");
    app.give_passwords();
    ada.client.patch(PASSWORD, &new_password(Some(FIRST_PASSWORD), "correct horse")).expect(200);
    let before = hash(&app, &ada);
    for wrong in [None, Some("correct horsf"), Some("")] {
        let refused = ada.client.patch(PASSWORD, &new_password(wrong, "battery staple")).expect(422);
        assert_eq!(refused.blamed(), ["/data/attributes/current_password"], "{wrong:?}");
    }
    assert_eq!(hash(&app, &ada), before);
    ada.client.patch(PASSWORD, &new_password(Some("correct horse"), "battery staple")).expect(200);
    ada.client.patch(PASSWORD, &new_password(Some("correct horse"), "correct horse")).expect(422);
    ada.client.patch(PASSWORD, &new_password(Some("battery staple"), "correct horse")).expect(200);
}

#[test]
fn a_password_is_confirmed_and_long_enough() {
    let app = App::start();
    let ada = app.user("ada");
    let password = "/data/attributes/password";
    let confirmation = "/data/attributes/password_confirmation";
    for (attributes, blamed) in [
        (json!({"password": "correct horse", "password_confirmation": "correct horsf"}), confirmation),
        (json!({"password": "correct horse"}), confirmation),
        (json!({"password": "123456789", "password_confirmation": "123456789"}), password),
        (json!({"password": "x".repeat(1001), "password_confirmation": "x".repeat(1001)}), password),
        (json!({"password_confirmation": "correct horse"}), password),
        (json!({"password": 1234567890, "password_confirmation": 1234567890}), password),
    ] {
        let refused = ada.client.patch(PASSWORD, &change(attributes.clone())).expect(422);
        assert!(refused.blamed().iter().any(|one| one == blamed), "{attributes}: {:?}", refused.blamed());
    }
    assert_eq!(hash(&app, &ada), None);
    for fits in ["ten-chars.", "zehn Äöüß!", &"x".repeat(1000)] {
        app.give_passwords();
        ada.client.patch(PASSWORD, &new_password(Some(FIRST_PASSWORD), fits)).expect(200);
    }
}

#[test]
fn every_token_goes_on_when_the_password_changes() {
    let (app, ada) = App::with_acme();
    let tokens = format!("/api/v2/users/{}/authentication-tokens", ada.id);
    let other = ada.client.post(&tokens, &resource("authentication-tokens", json!({}))).expect(201).secret();
    let team = ada.team_token(&ada.owners_team("acme")).secret();
    app.give_passwords();
    ada.client.patch(PASSWORD, &new_password(Some(FIRST_PASSWORD), "battery staple")).expect(200);
    for secret in [ada.client.secret(), &other, &team] {
        app.with(secret).get("/api/v2/organizations/acme").expect(200);
    }
}

#[test]
fn a_password_is_in_no_log_and_in_no_database() {
    let app = App::start();
    let ada = app.user("ada");
    let words = ["Zaunkoenig-eins", "Zaunkoenig-zwei", "Zaunkoenig-drei"];
    app.give_passwords();
    ada.client.patch(PASSWORD, &new_password(Some(FIRST_PASSWORD), words[0])).expect(200);
    ada.client.patch(PASSWORD, &new_password(Some(words[0]), words[1])).expect(200);
    ada.client.patch(PASSWORD, &new_password(Some(words[2]), words[2])).expect(422);
    let mismatched = json!({"current_password": words[1], "password": words[2], "password_confirmation": "Zaunkoenig"});
    ada.client.patch(PASSWORD, &change(mismatched)).expect(422);
    let wrong_type = json!({"password": ["Zaunkoenig-vier"]});
    let refused = ada.client.patch(PASSWORD, &change(wrong_type)).expect(422);
    assert!(!refused.body.to_string().contains("Zaunkoenig"), "{:#}", refused.body);
    assert!(!leaks::dump(&app.database_url).contains("Zaunkoenig"));
    assert!(!leaks::logged().contains("Zaunkoenig"));
}

#[test]
fn every_change_is_audited() {
    let app = App::start();
    let ada = app.user("ada");
    ada.client.patch(UPDATE, &change(json!({"email": "new@example.com"}))).expect(200);
    app.give_passwords();
    ada.client.patch(PASSWORD, &new_password(Some(FIRST_PASSWORD), "correct horse")).expect(200);
    let about = format!("audit_events WHERE resource_type = 'user' AND resource_id = '{}'", ada.id);
    assert_eq!(app.count(&format!("{about} AND action = 'update'")), 1);
    assert_eq!(app.count(&format!("{about} AND action = 'update_password'")), 1);
    ada.client.patch(UPDATE, &change(json!({"email": "nonsense"}))).expect(422);
    assert_eq!(app.count(&format!("{about} AND action = 'update'")), 1, "a refused change leaves no event");
}
