//! Signing in by a name and a password.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::App;
use crate::support::app::resource;
use crate::support::browser::{Browser, PASSWORD, form, give_password};
use crate::support::client::Client;

const SIGN_IN: &str = "/app/sign-in";

#[test]
fn a_user_signs_in_by_name_or_address_and_out_again() {
    let app = App::start();
    let ada = app.user("ada");
    give_password(&app, &ada);
    for name in ["ada", "ADA", " ada ", "ada@example.com", "Ada@Example.com"] {
        let mut browser = Browser::new(&app);
        assert!(!browser.is_in());
        let answer = browser.sign_in(name, PASSWORD).expect(303);
        assert_eq!(answer.header("Location"), Some("/app"));
        assert!(browser.is_in(), "{name}");
        let page = browser.get("/app/settings").expect(200);
        let gone = browser.clone();
        browser.send_form(&page, "/app/settings/sign-out", &[]).expect(303);
        assert!(!browser.is_in());
        // The cookie that somebody has kept opens nothing.
        assert!(!gone.clone().is_in(), "signing out ends the session on the server");
    }
    assert_eq!(app.count("sessions"), 0);
    let told =
        |action: &str| app.count(&format!("audit_events WHERE action = '{action}' AND resource_id = '{}'", ada.id));
    assert_eq!((told("sign_in"), told("sign_out"), told("refuse_sign_in")), (5, 5, 0));
}

#[test]
fn who_is_sent_to_sign_in_comes_back() {
    let app = App::start();
    give_password(&app, &app.user("ada"));
    let mut browser = Browser::new(&app);
    let sent = browser.get("/app/settings?done=password&x=a%26b").expect(303);
    let place = sent.header("Location").unwrap().to_owned();
    let page = browser.get(&place).expect(200);
    let next = form(&page, SIGN_IN).field("next").to_owned();
    assert_eq!(next, "/app/settings?done=password&x=a%26b");
    let answer = browser.send_form(&page, SIGN_IN, &[("name", "ada"), ("password", PASSWORD)]).expect(303);
    assert_eq!(answer.header("Location"), Some(next.as_str()));
    // Who is in already goes on at once.
    assert_eq!(browser.get(&place).expect(303).header("Location"), Some(next.as_str()));
}

#[test]
fn nobody_is_led_to_another_site() {
    let app = App::start();
    give_password(&app, &app.user("ada"));
    let long = format!("/{}", "x".repeat(4000));
    let elsewhere = [
        "//e.example",
        "/\\e.example",
        "/\t/e.example",
        "/.//e.example",
        "/a/..//e.example",
        "https:e.example",
        "https://e.example",
        "javascript:alert(1)",
        "/\r\nLocation: https://e.example",
        &long,
    ];
    for wanted in elsewhere {
        let mut browser = Browser::new(&app);
        let query: String = url::form_urlencoded::byte_serialize(wanted.as_bytes()).collect();
        let page = browser.get(&format!("{SIGN_IN}?next={query}")).expect(200);
        let shown = form(&page, SIGN_IN).field("next").to_owned();
        // Also if the form is not the one that was shown.
        let fields = [("name", "ada"), ("password", PASSWORD), ("next", wanted)];
        let answer = browser.send_form(&page, SIGN_IN, &fields).expect(303);
        let led = answer.header("Location").unwrap().to_owned();
        let again = browser.get(&format!("{SIGN_IN}?next={query}")).expect(303);
        for place in [&shown, &led, again.header("Location").unwrap()] {
            let base = url::Url::parse(&browser.origin).unwrap();
            let there = base.join(place).unwrap();
            assert_eq!(there.origin(), base.origin(), "{wanted:?} leads to {place:?}");
            assert!(place.starts_with('/') && !place.starts_with("//"), "{wanted:?} leads to {place:?}");
        }
    }
}

#[test]
fn a_wrong_password_says_nothing_of_the_user() {
    let app = App::start();
    let ada = app.user("ada");
    give_password(&app, &ada);
    app.user("bob");
    let said = |name: &str, password: &str| {
        let mut browser = Browser::new(&app);
        let answer = browser.sign_in(name, password).expect(422);
        assert!(browser.session().is_none());
        assert!(!answer.text.contains(password), "a password is shown");
        let token = form(&answer, SIGN_IN).field("form-token").to_owned();
        let name = name.replace('\0', "");
        answer.text.replace(&token, "").replace(&format!("value=\"{name}\""), "value=\"\"")
    };
    // Bob has no password, eve is not there.
    let wrong = said("ada", "another password");
    for name in ["bob", "eve", "ada@example.org", "x\u{0}y"] {
        assert_eq!(said(name, "another password"), wrong, "{name}");
    }
    assert!(wrong.contains("The name or the password is not right."));
    let recorded = "audit_events WHERE action = 'refuse_sign_in'";
    let deadline = Instant::now() + Duration::from_secs(10);
    while app.count(recorded) < 2 {
        assert!(Instant::now() < deadline, "refusals are recorded");
        std::thread::sleep(Duration::from_millis(10));
    }
    // Of each user once a minute.
    said("ada", "another password");
    give_password(&app, &app.user("carol"));
    said("carol", "another password");
    while app.count(recorded) < 3 {
        assert!(Instant::now() < deadline, "refusals are recorded");
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(app.count(&format!("{recorded} AND resource_id = '{}'", ada.id)), 1);
}

/// Who asks for a user that there is not waits as long as for one that there is: one password is hashed in either case.
#[test]
fn an_unknown_user_costs_as_much() {
    let app = App::start();
    give_password(&app, &app.user("ada"));
    let time = |name: &str| {
        let mut browser = Browser::new(&app);
        let page = browser.get(SIGN_IN).expect(200);
        let began = Instant::now();
        browser.send_form(&page, SIGN_IN, &[("name", name), ("password", "another password")]).expect(422);
        began.elapsed()
    };
    let least = |name: &str| (0..4).map(|_| time(name)).min().unwrap();
    let (known, unknown) = (least("ada"), least("eve"));
    assert!(unknown * 2 > known && known * 2 > unknown, "known {known:?}, unknown {unknown:?}");
}

#[test]
fn who_is_not_to_sign_in_does_not() {
    let (app, ada) = App::with_acme();
    let bob = app.user("bob");
    give_password(&app, &bob);
    let program = ada.service_account("acme", "robot");
    app.sql("UPDATE all_users SET suspended_at = now() WHERE username = 'bob'");
    for (name, password) in [
        ("bob", PASSWORD),
        ("robot", ""),
        // Tokens of the API do not open the console.
        ("ada", ada.client.secret()),
        ("robot", program.client.secret()),
        (ada.client.secret(), ada.client.secret()),
        ("ada", ""),
        ("", ""),
        ("ada", &"x".repeat(7000)),
    ] {
        let mut browser = Browser::new(&app);
        browser.sign_in(name, password).expect(422);
        assert!(browser.session().is_none());
    }
    // Nor does a token in place of the cookie, or a session in place of a token.
    app.with(ada.client.secret()).get("/app/settings").expect(303);
    let mut browser = Browser::new(&app);
    let name = format!("latchkey-session-{}", app.address.port());
    browser.cookies.insert(name, ada.client.secret().to_owned());
    assert!(!browser.is_in());
    let eve = app.user("eve");
    let session = Browser::of(&app, &eve).session().unwrap().to_owned();
    app.with(&session).get("/api/v2/account/details").expect(401);
}

#[test]
fn a_name_is_tried_only_so_often() {
    let app = App::start();
    give_password(&app, &app.user("ada"));
    give_password(&app, &app.user("bob"));
    let mut browser = Browser::new(&app);
    for _ in 0..10 {
        browser.sign_in("ada", "another password").expect(422);
    }
    // Also the right one, and whether or not there is such a user.
    for _ in 0..10 {
        browser.sign_in("eve", "another password").expect(422);
    }
    for name in ["ada", "ADA", "eve"] {
        let refused = browser.sign_in(name, PASSWORD).expect(429);
        assert!(refused.header("Retry-After").unwrap().parse::<u32>().unwrap() > 0);
        assert!(refused.text.contains("Signing in was tried too often"));
    }
    browser.sign_in("bob", PASSWORD).expect(303);
    // The API is as before.
    app.anonymous().get("/api/v2/ping").expect(204);
}

#[test]
fn a_network_tries_only_so_often() {
    let app = App::start();
    let mut browser = Browser::new(&app);
    let page = browser.get(SIGN_IN).expect(200);
    // Some come back while they are tried: one a second.
    let refused = (0..120).find(|nth| {
        let fields = [("name", &*format!("user-{nth}")), ("password", "another password")];
        browser.send_form(&page, SIGN_IN, &fields).status == 429
    });
    assert!(refused.is_some_and(|tries| tries >= 60), "{refused:?}");
}

/// Another host name than the machine's own, without TLS: a cookie could be read on the way, so there is no form.
#[test]
fn without_tls_there_is_a_sentence_and_no_form() {
    let app = App::start();
    let client = app.anonymous();
    for host in ["tokens.example:8080", "192.0.2.1", "localhost.example"] {
        let answer = client.send("GET", SIGN_IN, &[("Host", host)], None).expect(403);
        assert!(answer.text.contains("--public-url") && !answer.text.contains("<form"), "{}", answer.text);
        client.send("GET", "/app/settings", &[("Host", host)], None).expect(403);
    }
    client.send("GET", SIGN_IN, &[("Host", "localhost:8080")], None).expect(200);
}

/// Behind a proxy that speaks TLS the public URL says so, and cookies are closed to everything else.
#[test]
fn with_a_public_url_cookies_are_the_hosts_own() {
    let app = App::with_public_url("https://tokens.example");
    give_password(&app, &app.user("ada"));
    let mut browser = Browser::new(&app);
    browser.origin = "https://tokens.example".to_owned();
    let answer = browser.sign_in("ada", PASSWORD).expect(303);
    let cookie = answer.header("Set-Cookie").unwrap();
    assert!(cookie.starts_with("__Host-latchkey-session=lks_"), "another cookie");
    for part in ["; HttpOnly", "; SameSite=Lax", "; Secure", "; Path=/", "; Max-Age=604800"] {
        assert!(cookie.contains(part), "no {part}");
    }
    assert!(browser.is_in());
    // Whoever has opened it elsewhere is told where to go.
    let mut lost = Browser::new(&app);
    let refused = lost.sign_in("ada", PASSWORD).expect(403);
    assert!(refused.text.contains("https://tokens.example") && refused.text.contains("--public-url"));
    let below = App::with_public_url("https://example.com/latchkey");
    assert!(below.anonymous().get(SIGN_IN).expect(403).text.contains("has a path"));
}

#[test]
fn a_session_begins_with_a_name_of_its_own() {
    let app = App::start();
    let ada = app.user("ada");
    give_password(&app, &ada);
    let name = format!("latchkey-session-{}", app.address.port());
    // One of somebody's own making, one of another user, one that was good before.
    let other = Browser::of(&app, &app.user("bob")).session().unwrap().to_owned();
    let made = "lks_000000000000000000000000000000000000000000000000A";
    for before in [made, &other] {
        let mut browser = Browser::new(&app);
        let page = browser.get(SIGN_IN).expect(200);
        browser.cookies.insert(name.clone(), before.to_owned());
        browser.send_form(&page, SIGN_IN, &[("name", "ada"), ("password", PASSWORD)]).expect(303);
        assert_ne!(browser.session(), Some(before));
        // What the browser was in before has ended.
        let mut kept = Browser::new(&app);
        kept.cookies.insert(name.clone(), before.to_owned());
        assert!(!kept.is_in());
    }
}

/// Two tabs that show the form, the first one sent last: both are signed in at the end, in one session.
#[test]
fn two_tabs_sign_in() {
    let app = App::start();
    give_password(&app, &app.user("ada"));
    let mut browser = Browser::new(&app);
    let (first, second) = (browser.get(SIGN_IN).expect(200), browser.get(SIGN_IN).expect(200));
    for tab in [&second, &first] {
        browser.send_form(tab, SIGN_IN, &[("name", "ada"), ("password", PASSWORD)]).expect(303);
        assert!(browser.is_in());
    }
    assert_eq!(app.count("sessions"), 1);
}

#[test]
fn a_form_has_its_media_type() {
    let app = App::start();
    let ada = app.user("ada");
    let mut browser = Browser::of(&app, &ada);
    let origin = browser.origin.clone();
    for kind in ["text/plain", "multipart/form-data; boundary=x", "application/json", ""] {
        let headers = [("Origin", &*origin), ("Content-Type", kind)];
        browser.send("POST", SIGN_IN, &headers, Some(b"x=y")).expect(415);
        browser.send("POST", "/app/settings/sign-out", &headers, Some(b"x=y")).expect(415);
    }
    let many = vec![("x".to_owned(), String::new()); 1001];
    browser.post(SIGN_IN, &many).expect(400);
    let large = vec![("x".to_owned(), "y".repeat(9000))];
    browser.post(SIGN_IN, &large).expect(413);
    // Who has not seen the form is not even read.
    Browser::new(&app).post(SIGN_IN, &large).expect(403);
}

/// A password change by the API ends all sessions: whoever changes it there has lost it.
#[test]
fn the_api_ends_sessions_too() {
    let app = App::start();
    let ada = app.user("ada");
    let mut browser = Browser::of(&app, &ada);
    let new = json!({"current_password": PASSWORD, "password": "another password", "password_confirmation": "another password"});
    ada.client.patch("/api/v2/account/password", &resource("users", new)).expect(200);
    assert!(!browser.is_in());
    let client: Client = app.anonymous();
    client.get("/app").expect(303);
}
