//! The tests' own search for secrets finds them, in the test that leaked; and the tests' PostgreSQL ends with them.

use std::io::{BufRead, BufReader};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::json;

use crate::support::process::{alive, postmaster, until};
use crate::support::{App, cluster, leaks};

/// What the end of a service says of the leaks.
#[track_caller]
fn told_at_the_end_of(app: App) -> String {
    let panicked = catch_unwind(AssertUnwindSafe(|| drop(app))).expect_err("a leak fails the test");
    let text = panicked.downcast_ref::<String>().unwrap().clone();
    assert!(text.starts_with("secrets leaked:\n"), "{text}");
    text
}

#[test]
fn a_secret_in_the_database_fails_its_test() {
    let app = App::start();
    let secret = app.user("ada").client.secret().to_owned();
    app.sql(&format!("UPDATE users SET email = 'my token is {secret}'"));
    let told = told_at_the_end_of(app);
    assert!(told.contains("the database") && told.contains(&secret[..10]) && !told.contains(&secret), "{told}");
}

#[test]
fn the_inside_of_a_secret_in_the_database_fails_its_test() {
    let (app, ada) = App::with_acme();
    let token = ada.team_token(&ada.team("acme", "ci"));
    let inside = token.secret()[8..50].to_owned();
    app.sql(&format!("UPDATE tokens SET description = '<{inside}>' WHERE kind = 'team'"));
    let told = told_at_the_end_of(app);
    assert!(told.contains("the inside of lkt_"), "{told}");
}

#[test]
fn the_signature_of_a_jwt_in_the_database_fails_its_test() {
    let app = App::start();
    let ada = app.user("ada");
    let path = format!("/api/v2/users/{}/authentication-tokens", ada.id);
    let jwt = json!({"data": {"type": "authentication-tokens", "attributes": {"format": "jwt"}}});
    let secret = ada.client.post(&path, &jwt).expect(201).secret();
    let signature = secret.rsplit('.').next().unwrap();
    app.sql(&format!("UPDATE users SET email = '{signature}'"));
    let told = told_at_the_end_of(app);
    assert!(told.contains("the inside of eyJ"), "{told}");
}

#[test]
fn a_logged_secret_fails_the_test_that_made_it_and_no_other() {
    let (app, other) = (App::start(), App::start());
    log::info!("{} calls", app.user("ada").client.secret());
    drop(other);
    let told = told_at_the_end_of(app);
    assert!(told.contains("the log: lku_"), "{told}");
}

#[test]
fn a_secret_in_a_log_of_postgresql_fails_its_test() {
    let app = App::start();
    let secret = app.user("ada").client.secret().to_owned();
    // An invalid value is logged with its statement.
    let asked = catch_unwind(AssertUnwindSafe(|| app.sql(&format!("SELECT '{secret}'::int"))));
    assert!(asked.is_err());
    let told = told_at_the_end_of(app);
    assert!(told.contains("PostgreSQL's log: lku_"), "{told}");
}

#[test]
fn a_secret_in_a_file_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let (clean, log) = (folder.path().join("clean.log"), folder.path().join("serve.log"));
    let secret = latchkey::credential::Secret::generate(latchkey::credential::Kind::Team).unwrap();
    std::fs::write(&log, format!("DEBUG {}\n", secret.reveal())).unwrap();
    std::fs::write(&clean, format!("DEBUG {}…\n", &secret.reveal()[..10])).unwrap();
    assert_eq!(leaks::search_file(&clean), [""; 0]);
    assert_eq!(leaks::search_file(&log).len(), 1);
}

/// Says where PostgreSQL is, and waits to be killed.
#[test]
#[ignore = "another test runs it"]
fn a_process_that_is_killed() {
    let app = App::start();
    crate::support::say(&format!("cluster: {}", cluster::path().display()));
    std::thread::sleep(std::time::Duration::from_secs(60));
    drop(app);
}

#[test]
fn postgresql_and_its_folder_go_even_when_the_tests_are_killed() {
    let mut tests = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "secrets::a_process_that_is_killed"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(tests.stderr.take().unwrap()).lines().map_while(Result::ok);
    let folder = lines.find_map(|line| line.strip_prefix("cluster: ").map(str::to_owned)).expect("it starts");
    let folder = Path::new(&folder);
    let pid = postmaster(folder).unwrap();
    assert!(alive(pid));
    tests.kill().unwrap();
    tests.wait().unwrap();
    until("PostgreSQL's folder is removed", || !folder.exists());
    until("PostgreSQL ends", || !alive(pid));
}
