//! Sessions: their list, their ends, and what they are good for.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::App;
use crate::support::app::{User, resource};
use crate::support::browser::{Browser, PASSWORD, form, forms, give_password};
use crate::support::leaks;

const SETTINGS: &str = "/app/settings";

#[test]
fn ones_own_sessions_are_listed_and_ended() {
    let app = App::start();
    let ada = app.user("ada");
    give_password(&app, &ada);
    let [mut one, mut two, mut three] = [(); 3].map(|()| Browser::of(&app, &ada));
    Browser::of(&app, &app.user("bob"));
    let end = "/app/settings/sessions/end";
    let page = one.get(SETTINGS).expect(200);
    let ends: Vec<_> = forms(&page).into_iter().filter(|form| form.action == end).collect();
    assert_eq!(ends.len(), 3, "those of bob are not there");
    assert_eq!(page.text.matches("(this one)").count(), 1);
    let other = ends.iter().find(|form| !form.html.contains("Sign out here")).unwrap();
    let done = one.post(end, &other.fields).expect(303);
    let notice = one.get(done.header("Location").unwrap()).expect(200);
    assert!(notice.text.contains("The session has ended."));
    assert_eq!([one.is_in(), two.is_in(), three.is_in()].iter().filter(|is_in| **is_in).count(), 2);
    // Once more: it is not there.
    one.post(end, &other.fields).expect(404);
    Browser::of(&app, &ada);
    let page = one.get(SETTINGS).expect(200);
    one.send_form(&page, "/app/settings/sessions/end-others", &[]).expect(303);
    assert_eq!((one.is_in(), two.is_in(), three.is_in()), (true, false, false));
    assert_eq!(app.count("sessions"), 2, "bob's goes on");
}

#[test]
fn nobody_ends_the_session_of_another() {
    let app = App::start();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    let (mut of_ada, mut of_bob) = (Browser::of(&app, &ada), Browser::of(&app, &bob));
    let page = of_ada.get(SETTINGS).expect(200);
    let session = form(&page, "/app/settings/sessions/end").field("session").to_owned();
    let page = of_bob.get(SETTINGS).expect(200);
    for session in [session.as_str(), "ses-1111111111111111", "", "x"] {
        of_bob.send_form(&page, "/app/settings/sessions/end", &[("session", session)]).expect(404);
    }
    assert!(of_ada.is_in());
}

#[test]
fn a_new_password_ends_the_other_sessions() {
    let app = App::start();
    let ada = app.user("ada");
    let (mut here, mut elsewhere) = (Browser::of(&app, &ada), Browser::of(&app, &ada));
    let page = here.get(SETTINGS).expect(200);
    let change = "/app/settings/password";
    let new = "another password";
    for (current, password, confirmation, said) in [
        ("wrong", new, new, "Current password is not right."),
        (PASSWORD, "short", "short", "Password must be 10 to 1000 characters long."),
        (PASSWORD, new, "another", "Password confirmation must be the same as password."),
    ] {
        let fields = [("current_password", current), ("password", password), ("password_confirmation", confirmation)];
        let refused = here.send_form(&page, change, &fields).expect(422);
        assert!(refused.text.contains(said) && refused.text.contains("aria-invalid"), "{}", refused.text);
        assert!(!refused.text.contains(new), "a password is shown");
    }
    assert!(elsewhere.is_in());
    let fields = [("current_password", PASSWORD), ("password", new), ("password_confirmation", new)];
    here.send_form(&page, change, &fields).expect(303);
    assert_eq!((here.is_in(), elsewhere.is_in()), (true, false));
    Browser::new(&app).sign_in("ada", PASSWORD).expect(422);
    Browser::new(&app).sign_in("ada", new).expect(303);
    // Tokens are no sessions.
    ada.client.get("/api/v2/account/details").expect(200);
}

#[test]
fn who_is_suspended_or_deleted_is_out_at_once() {
    let app = App::start();
    let admin = app.site_admin("root");
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    let (mut of_ada, mut of_bob) = (Browser::of(&app, &ada), Browser::of(&app, &bob));
    let page = of_ada.get(SETTINGS).expect(200);
    let act = |user: &User, action: &str| {
        admin.client.post_nothing(&format!("/api/v2/admin/users/{}/actions/{action}", user.id)).expect(200);
    };
    act(&ada, "suspend");
    assert!(!of_ada.is_in());
    of_ada.send_form(&page, "/app/settings/sign-out", &[]).expect(303);
    assert_eq!(app.count("audit_events WHERE action = 'sign_out'"), 0);
    Browser::new(&app).sign_in("ada", PASSWORD).expect(422);
    act(&ada, "unsuspend");
    assert!(of_ada.is_in());
    admin.client.delete(&format!("/api/v2/admin/users/{}", bob.id)).expect(200);
    assert!(!of_bob.is_in());
    assert_eq!(app.count("sessions"), 1);
}

/// A session is an owner's that no role caps, and no policy about tokens is about it.
#[test]
fn policies_for_tokens_say_nothing_of_sessions() {
    let (app, ada) = App::with_acme();
    ada.team("acme", "ci");
    let mut browser = Browser::of(&app, &ada);
    let policy = resource("organizations", json!({"user-tokens-enabled": false}));
    ada.client.patch("/api/v2/organizations/acme", &policy).expect(200);
    ada.client.get("/api/v2/organizations/acme").expect(401);
    assert!(browser.get("/app").expect(200).text.contains("acme"));
    browser.get("/app/acme/tokens").expect(200);
    let enabled = "UPDATE all_organizations SET user_tokens_enabled = true, max_ttl_enabled = true";
    let policy = "INSERT INTO token_ttl_policies (organization_id, token_type, max_ttl_ms) \
                  SELECT id, 'user', 86400000 FROM all_organizations";
    app.in_one_transaction(&[enabled, policy, "UPDATE sessions SET created_at = now() - interval '3 days'"]);
    browser.get("/app/acme/tokens").expect(200);
}

#[test]
fn a_session_ends_by_itself() {
    let app = App::start();
    let ada = app.user("ada");
    let mut browser = Browser::of(&app, &ada);
    // Idle for too long, though not yet at its end; and at its end, though just used.
    for past in ["seen_at = now() - interval '13 hours'", "ends_at = now(), seen_at = now()"] {
        app.sql(&format!("UPDATE sessions SET {past}"));
        assert!(!browser.is_in(), "{past}");
        browser.sign_in("ada", PASSWORD).expect(303);
    }
    app.sql("UPDATE sessions SET seen_at = now() - interval '11 hours'");
    assert!(browser.is_in());
    let recent = "sessions WHERE seen_at > now() - interval '1 minute'";
    assert_eq!(app.count(recent), 1, "being used is kept in mind");
    assert!(browser.is_in());
}

/// What is over is removed in the background: at the start, and once a minute.
#[test]
fn old_sessions_go() {
    let app = App::start();
    let ada = app.user("ada");
    Browser::of(&app, &ada);
    app.sql("UPDATE sessions SET ends_at = now()");
    app.sql("INSERT INTO sign_in_links SELECT user_id, secret_hash, now() FROM sessions");
    let _replica = App::on(app.database_url.clone());
    let deadline = Instant::now() + Duration::from_secs(20);
    while app.count("sessions") + app.count("sign_in_links") > 0 {
        assert!(Instant::now() < deadline, "old sessions are removed");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_user_has_only_so_many_sessions() {
    let app = App::start();
    let ada = app.user("ada");
    let mut first = Browser::of(&app, &ada);
    // As if each had begun at some other time, from another network.
    app.sql("UPDATE sessions SET seen_at = now() - interval '1 hour'");
    for nth in 1..20 {
        let id = latchkey::ids::SessionId::generate().uuid();
        app.sql(&format!(
            "INSERT INTO sessions (id, user_id, secret_hash, idle_ms, ends_at, network, agent) \
             SELECT '{id}', user_id, decode(repeat(md5('{nth}'), 2), 'hex'), idle_ms, ends_at, network, agent \
             FROM sessions LIMIT 1"
        ));
    }
    assert_eq!(app.count("sessions"), 20);
    let mut last = Browser::of(&app, &ada);
    assert_eq!(app.count("sessions"), 20);
    assert!(last.is_in() && !first.is_in(), "the one that was used the longest ago has ended");
}

#[test]
fn nothing_of_a_session_is_in_the_database() {
    let app = App::start();
    let ada = app.user("ada");
    let browser = Browser::of(&app, &ada);
    let secret = browser.session().unwrap();
    assert_eq!(secret.len(), 53);
    let dump = leaks::dump(&app.database_url);
    assert!(!dump.contains(&secret[10..40]), "the secret is in the database");
    assert_eq!(leaks::look(&dump, "the database"), Vec::<String>::new());
}

#[test]
fn the_password_is_entered_again() {
    let app = App::start();
    let ada = app.user("ada");
    let mut browser = Browser::of(&app, &ada);
    app.sql("UPDATE sessions SET confirmed_at = now() - interval '1 hour'");
    let (confirm, fresh) = ("/app/settings/confirm", "sessions WHERE confirmed_at > now() - interval '1 minute'");
    let page = browser.get(&format!("{confirm}?next=/app%3Fq%3Da")).expect(200);
    let refused = browser.send_form(&page, confirm, &[("current_password", "wrong password")]).expect(422);
    assert!(refused.text.contains("The password is not right."));
    assert_eq!(app.count(fresh), 0);
    let done = browser.send_form(&refused, confirm, &[("current_password", PASSWORD)]).expect(303);
    assert_eq!(done.header("Location"), Some("/app?q=a"));
    assert_eq!(app.count(fresh), 1);
    let done =
        browser.send_form(&page, confirm, &[("current_password", PASSWORD), ("next", "//e.example")]).expect(303);
    assert_eq!(done.header("Location"), Some("/app"));
    for _ in 0..10 {
        browser.send_form(&page, confirm, &[("current_password", "wrong password")]);
    }
    browser.send_form(&page, confirm, &[("current_password", PASSWORD)]).expect(429);
}
