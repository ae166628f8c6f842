//! Links with which a password is set.

use serde_json::json;

use crate::support::App;
use crate::support::app::resource;
use crate::support::browser::{Browser, PASSWORD, form, give_password};
use crate::support::leaks;
use crate::support::process::{latchkey, run};

/// What `latchkey user sign-in-link` prints.
fn link(app: &App, name: &str) -> Result<String, String> {
    let folder = tempfile::tempdir().unwrap();
    let mut command = latchkey();
    command.args(["user", "sign-in-link", name, "--database-url", &app.database_url, "--data-dir"]).arg(folder.path());
    let output = run(&mut command);
    let text = String::from_utf8(output.stdout).unwrap();
    leaks::remember(&text);
    let error = String::from_utf8(output.stderr).unwrap();
    if output.status.success() { Ok(text.trim().to_owned()) } else { Err(error) }
}

/// The path of a link.
fn path(link: &str) -> String {
    let path = link.strip_prefix("http://127.0.0.1:8080").unwrap_or_else(|| panic!("{}", "another address"));
    assert!(path.starts_with("/app/sign-in/lkl_"));
    path.to_owned()
}

#[test]
fn a_link_sets_a_password_once() {
    let app = App::start();
    let ada = app.user("ada");
    give_password(&app, &ada);
    let mut signed_in = Browser::of(&app, &ada);
    let path = path(&link(&app, "ada").unwrap());
    let mut browser = Browser::new(&app);
    // Looking does not spend it, however often.
    for _ in 0..3 {
        assert!(browser.get(&path).expect(200).text.contains("ada"));
    }
    assert!(signed_in.is_in());
    let page = browser.get(&path).expect(200);
    let refused = browser.send_form(&page, &path, &[("password", "short"), ("password_confirmation", "x")]).expect(422);
    assert!(refused.text.contains("10 to 1000 characters") && refused.text.contains("must be the same"));
    let new = [("password", "another password"), ("password_confirmation", "another password")];
    let done = browser.send_form(&page, &path, &new).expect(303);
    assert_eq!(done.header("Location"), Some("/app"));
    assert!(browser.is_in());
    assert!(!signed_in.is_in(), "all others end");
    let mut late = Browser::new(&app);
    late.get(&path).expect(404);
    let token = late.form_token();
    let fields = form(&page, &path).with(&[&new[..], &[("form-token", &token)]].concat());
    assert!(late.post(&path, &fields).expect(404).text.contains("good no more"));
    Browser::new(&app).sign_in("ada", PASSWORD).expect(422);
    Browser::new(&app).sign_in("ada", "another password").expect(303);
    let told =
        |action: &str| app.count(&format!("audit_events WHERE action = '{action}' AND resource_id = '{}'", ada.id));
    assert_eq!((told("create_sign_in_link"), told("update_password")), (1, 1));
}

#[test]
fn however_many_send_it_one_is_in() {
    let app = App::start();
    app.user("ada");
    let path = path(&link(&app, "ada").unwrap());
    let browsers: Vec<_> = (0..4)
        .map(|_| {
            let mut browser = Browser::new(&app);
            let page = browser.get(&path).expect(200);
            (browser, page)
        })
        .collect();
    let answers: Vec<u16> = std::thread::scope(|scope| {
        let sent: Vec<_> = browsers
            .into_iter()
            .map(|(mut browser, page)| {
                let path = &path;
                scope.spawn(move || {
                    let new = [("password", "another password"), ("password_confirmation", "another password")];
                    browser.send_form(&page, path, &new).status
                })
            })
            .collect();
        sent.into_iter().map(|sent| sent.join().unwrap()).collect()
    });
    let of = |status: u16| answers.iter().filter(|answer| **answer == status).count();
    assert_eq!((of(303), of(404)), (1, 3), "{answers:?}");
    assert_eq!(app.count("sessions"), 1);
}

#[test]
fn a_link_that_is_good_no_more_opens_nothing() {
    let (app, ada) = App::with_acme();
    ada.service_account("acme", "robot");
    let mut browser = Browser::new(&app);
    let old = path(&link(&app, "ada").unwrap());
    let new = path(&link(&app, "Ada").unwrap());
    browser.get(&old).expect(404);
    browser.get(&new).expect(200);
    app.sql("UPDATE sign_in_links SET ends_at = now()");
    browser.get(&new).expect(404);
    let again = path(&link(&app, "ada").unwrap());
    app.sql("UPDATE all_users SET suspended_at = now() WHERE username = 'ada'");
    browser.get(&again).expect(404);
    for (name, why) in [("ada", "is disabled"), ("eve", "there is no user"), ("robot", "service account")] {
        let refused = link(&app, name).unwrap_err();
        assert!(refused.contains(why), "{refused}");
    }
    for wrong in ["/app/sign-in/x", &again[..again.len() - 1], &again.replace("lkl_", "lks_")] {
        browser.get(wrong).expect(404);
    }
}

/// Whoever signs in by a link in a browser of somebody else's does not leave that session behind.
#[test]
fn a_link_ends_the_session_in_which_the_browser_was() {
    let app = App::start();
    let (ada, _eve) = (app.user("ada"), app.user("eve"));
    let mut browser = Browser::of(&app, &ada);
    let path = path(&link(&app, "eve").unwrap());
    let page = browser.get(&path).expect(200);
    let new = [("password", "another password"), ("password_confirmation", "another password")];
    browser.send_form(&page, &path, &new).expect(303);
    assert!(browser.get("/app/settings").expect(200).text.contains("eve"));
    assert_eq!(app.count("sessions"), 1, "ada's has ended");
}

#[test]
fn there_is_no_link_for_whom_an_invitation_made() {
    let (app, ada) = App::with_acme();
    let invitation = resource("organization-memberships", json!({"email": "new@example.com"}));
    ada.client.post("/api/v2/organizations/acme/organization-memberships", &invitation).expect(201);
    app.sql("UPDATE all_users SET username = 'invited' WHERE NOT confirmed");
    let refused = link(&app, "invited").unwrap_err();
    assert!(refused.contains("nobody has come forward"), "{refused}");
}

/// Who ends the other sessions does not want somebody with an old link to come back.
#[test]
fn a_link_ends_with_the_other_sessions() {
    let app = App::start();
    let ada = app.user("ada");
    let mut browser = Browser::of(&app, &ada);
    Browser::of(&app, &ada);
    let path = path(&link(&app, "ada").unwrap());
    let page = browser.get("/app/settings").expect(200);
    browser.send_form(&page, "/app/settings/sessions/end-others", &[]).expect(303);
    Browser::new(&app).get(&path).expect(404);
    assert!(browser.is_in());
}
