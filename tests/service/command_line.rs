//! The commands beside `serve`, and what a wrong command line gets: one line and an exit status.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::support::app::Acme;
use crate::support::client::Client;
use crate::support::cluster::Database;
use crate::support::process::{Folder, Served, latchkey, run};
use crate::support::{App, leaks};

/// The command failed with this status and said one line, which this answers.
#[track_caller]
pub fn refusal(output: &Output, status: i32) -> String {
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(status), "{said}");
    assert_eq!(said.lines().count(), 1, "one line: {said}");
    assert!(said.starts_with("latchkey: "), "{said}");
    assert!(!said.contains("panicked") && !said.contains("backtrace"), "{said}");
    assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
    said
}

/// What the command printed; it must have succeeded, and its log must hold no secret.
#[track_caller]
pub fn printed(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let leaked = leaks::look(&said, "standard error");
    assert!(leaked.is_empty(), "{leaked:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn help_shows_every_flag_with_its_variable() {
    type Flags = &'static [(&'static str, &'static str)];
    let commands: [(&[&str], Flags); 14] = [
        (
            &["serve"],
            &[
                ("--listen", "LATCHKEY_LISTEN"),
                ("--database-connections", "LATCHKEY_DATABASE_CONNECTIONS"),
                ("--tls-certificate", "LATCHKEY_TLS_CERTIFICATE"),
                ("--tls-key", "LATCHKEY_TLS_KEY"),
                ("--public-url", "LATCHKEY_PUBLIC_URL"),
                ("--encryption-key", "LATCHKEY_ENCRYPTION_KEY"),
                ("--revoked-retention", "LATCHKEY_REVOKED_RETENTION"),
                ("--audit-retention", "LATCHKEY_AUDIT_RETENTION"),
                ("--failed-authentications", "LATCHKEY_FAILED_AUTHENTICATIONS"),
                ("--trusted-proxies", "LATCHKEY_TRUSTED_PROXIES"),
                ("--connections-per-address", "LATCHKEY_CONNECTIONS_PER_ADDRESS"),
                ("--idle-timeout", "LATCHKEY_IDLE_TIMEOUT"),
                ("--idle-timeout-unauthenticated", "LATCHKEY_IDLE_TIMEOUT_UNAUTHENTICATED"),
                ("--default-token-ttl", "LATCHKEY_DEFAULT_TOKEN_TTL"),
                ("--challenge-basic", "LATCHKEY_CHALLENGE_BASIC"),
                ("--session-idle", "LATCHKEY_SESSION_IDLE"),
                ("--session-lifetime", "LATCHKEY_SESSION_LIFETIME"),
            ],
        ),
        (&["migrate"], &[]),
        (
            &["user", "create"],
            &[
                ("--email", "LATCHKEY_EMAIL"),
                ("--service-account", "LATCHKEY_SERVICE_ACCOUNT"),
                ("--organization", "LATCHKEY_ORGANIZATION"),
                ("--site-admin", "LATCHKEY_SITE_ADMIN"),
                ("--format", "LATCHKEY_FORMAT"),
            ],
        ),
        (&["user", "confirm-email"], &[("--email", "LATCHKEY_EMAIL")]),
        (&["user", "sign-in-link"], &[("--public-url", "LATCHKEY_PUBLIC_URL")]),
        (&["user", "disable"], &[]),
        (&["user", "enable"], &[]),
        (&["user", "delete"], &[]),
        (
            &["keys", "rotate"],
            &[("--encryption-key", "LATCHKEY_ENCRYPTION_KEY"), ("--new-encryption-key", "LATCHKEY_NEW_ENCRYPTION_KEY")],
        ),
        (&["keys", "list"], &[]),
        (&["organization", "plan"], &[]),
        (&["organization", "enable-user-tokens"], &[]),
        (&["audit"], &[("--since", "LATCHKEY_SINCE")]),
        (&["fixtures", "load"], &[]),
    ];
    let storage = [("--database-url", "DATABASE_URL"), ("--data-dir", "LATCHKEY_DATA_DIR")];
    for (command, own) in commands {
        let help = printed(&run(latchkey().args(command).arg("--help")));
        let flags: Vec<&str> =
            help.lines().filter_map(|line| line.trim().strip_prefix("--")?.split_whitespace().next()).collect();
        assert_eq!(
            flags.len(),
            own.len() + storage.len(),
            "{command:?} has flags that this test does not know: {help}"
        );
        // The lines are broken to fit the terminal.
        let options = help.split_once("Options:").unwrap().1;
        let text = options.split_whitespace().collect::<Vec<_>>().join(" ");
        for (flag, variable) in own.iter().chain(&storage) {
            let after = text.split_once(&format!("{flag} ")).unwrap_or_else(|| panic!("{command:?} {flag}: {help}")).1;
            let own_text = after.split_once(" --").map_or(after, |(own_text, _)| own_text);
            assert!(own_text.contains(&format!("[env: {variable}")), "{command:?} {flag}: {own_text}");
        }
    }
    let version = printed(&run(latchkey().arg("--version")));
    assert_eq!(version, format!("latchkey {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn variables_do_what_flags_do() {
    let database = Database::new();
    let data = Folder::new();
    let mut create = latchkey();
    create.args(["user", "create", "ada"]).env("DATABASE_URL", &database).env("LATCHKEY_DATA_DIR", &*data);
    create.env("LATCHKEY_EMAIL", "ada@example.com").env("LATCHKEY_SITE_ADMIN", "true").env("LATCHKEY_FORMAT", "json");
    let user: Value = serde_json::from_str(&printed(&run(&mut create))).unwrap();
    let app = App::on(database);
    let details = app.with(user["token"].as_str().unwrap()).get("/api/v2/account/details").expect(200);
    assert_eq!(details.attribute("email"), "ada@example.com");
    assert_eq!(details.attribute("is-site-admin"), true);

    let mut serve = latchkey();
    serve.arg("serve").env("LATCHKEY_LISTEN", app.address.to_string()).env("DATABASE_URL", &app.database_url);
    let said = refusal(&run(serve.env("LATCHKEY_DATA_DIR", &*data)), 1);
    assert!(said.contains(&app.address.to_string()), "{said}");
    let said = refusal(&run(latchkey().arg("serve").env("LATCHKEY_LISTEN", "here")), 2);
    assert!(said.contains("--listen"), "{said}");
    let said = refusal(&run(latchkey().arg("serve").env("LATCHKEY_DATABASE_CONNECTIONS", "0")), 2);
    assert!(said.contains("--database-connections"), "{said}");
}

#[test]
fn an_empty_database_url_is_none() {
    let data = Folder::new();
    let made = printed(&run(latchkey().args(["migrate", "--data-dir"]).arg(&*data).env("DATABASE_URL", "")));
    assert!(made.starts_with("Ran "), "{made}");
    assert!(data.join("postgres/PG_VERSION").exists());
}

#[test]
fn a_wrong_command_line_ends_in_one_line_and_status_2() {
    let wrong: [(&[&str], &str); 20] = [
        (&["serve", "--nonsense"], "--nonsense"),
        (&["serve", "--listen", "nowhere"], "--listen"),
        (&["serve", "--listen", "127.0.0.1:99999"], "--listen"),
        (&["serve", "--listen"], "--listen"),
        (&["serve", "--database-connections", "many"], "--database-connections"),
        (&["serve", "--revoked-retention", "soon"], "--revoked-retention"),
        (&["serve", "--revoked-retention", "0"], "--revoked-retention"),
        (&["serve", "--audit-retention", "0"], "--audit-retention"),
        (&["serve", "--trusted-proxies", "proxy.example.com"], "--trusted-proxies"),
        (&["serve", "--idle-timeout", "75"], "--idle-timeout"),
        (&["serve", "--connections-per-address", "0"], "--connections-per-address"),
        (&["server"], "server"),
        (&["user", "create", "ada"], "--email"),
        (&["user", "create", "--email", "ada@example.com"], "NAME"),
        (&["user", "create", "a b", "--email", "ada@example.com"], "NAME"),
        (&["user", "create", "ada", "--email", "nonsense"], "--email"),
        (&["user", "create", "ada", "--email", "ada@example.com", "--format", "yaml"], "--format"),
        (&["user", "confirm-email", "ada"], "--email"),
        (&["user", "disable"], "NAME"),
        (&["fixtures", "load"], "DIRECTORY"),
    ];
    for (arguments, culprit) in wrong {
        let said = refusal(&run(latchkey().args(arguments)), 2);
        assert!(said.contains(culprit), "{arguments:?}: {said}");
    }
}

#[test]
fn an_unreachable_database_ends_in_one_line_and_keeps_the_password() {
    let data = Folder::new();
    let urls = [
        "postgres://ada:sesame@127.0.0.1:1/latchkey",
        "postgres://ada@127.0.0.1:1/latchkey?password=sesame",
        "host=127.0.0.1 port=1 user=ada password=sesame",
        // What libpq itself would quote in its complaint.
        "postgres://ada:sesame%zz@127.0.0.1:1/latchkey",
        "postgres://ada:sesame@[::1/latchkey",
        "postgres://ada:x/sesame@127.0.0.1:1/latchkey",
        "host=127.0.0.1 password='sesame",
        "sesame",
    ];
    let commands: [&[&str]; 4] = [
        &["serve", "--listen", "127.0.0.1:0"],
        &["migrate"],
        &["user", "create", "ada", "--email", "ada@example.com"],
        &["fixtures", "load", "fixtures/demo"],
    ];
    for (nth, url) in urls.iter().enumerate() {
        let command = commands[nth % commands.len()];
        let mut attempt = latchkey();
        attempt.args(command).args(["--database-url", url, "--data-dir"]).arg(&*data);
        let said = refusal(&run(attempt.env("RUST_BACKTRACE", "1")), 1);
        assert!(said.contains("database"), "{url}: {said}");
        assert!(!said.contains("sesame"), "{url}: {said}");
    }
}

#[test]
fn a_used_address_ends_in_one_line() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let data = Folder::new();
    let said = refusal(&run(latchkey().args(["serve", "--listen", &address, "--data-dir"]).arg(&*data)), 1);
    assert!(said.contains(&address), "{said}");
    assert!(!data.join("postgres/postmaster.pid").exists(), "PostgreSQL was left running");
}

#[test]
fn a_useless_data_folder_ends_in_one_line() {
    let data = Folder::new();
    std::fs::write(&*data, "not a folder").unwrap();
    let said = refusal(&run(latchkey().args(["migrate", "--data-dir"]).arg(&*data)), 1);
    assert!(said.contains(data.to_str().unwrap()) && said.contains("--data-dir"), "{said}");
    std::fs::remove_file(&*data).unwrap();
}

fn create(data: &Path, name: &str, more: &[&str]) -> Command {
    let mut command = latchkey();
    command
        .args(["user", "create", name, "--email", &format!("{name}@example.com"), "--data-dir"])
        .arg(data)
        .args(more);
    command
}

/// The token in what `user create` printed for reading.
fn token_in(text: &str) -> String {
    let line = text.lines().find(|line| line.starts_with("token ")).expect(text);
    line.split_whitespace().nth(1).unwrap().to_owned()
}

#[test]
fn users_are_created_while_the_server_runs_and_while_not() {
    let data = Folder::new();
    // Before the first start, in an empty folder.
    let before = token_in(&printed(&run(&mut create(&data, "ada", &[]))));
    assert!(!data.join("postgres/postmaster.pid").exists(), "a command stops the PostgreSQL that it started");

    let service = Served::start(&data);
    let during: Value =
        serde_json::from_str(&printed(&run(&mut create(&data, "grace", &["--site-admin", "--format", "json"]))))
            .unwrap();
    let members: BTreeSet<&str> = during.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, BTreeSet::from(["id", "username", "token"]));
    assert_eq!(during["username"], "grace");

    let details = |secret: &str| service.with(secret).get("/api/v2/account/details").expect(200);
    assert_eq!(details(&before).attribute("username"), "ada");
    assert_eq!(details(&before).attribute("is-site-admin"), false);
    let grace = details(during["token"].as_str().unwrap());
    assert_eq!(grace.id(), during["id"].as_str().unwrap());
    assert_eq!(grace.attribute("is-site-admin"), true);
    assert!(service.stop());
}

#[test]
fn users_are_created_in_a_given_database() {
    let app = App::start();
    let data = Folder::new();
    let text = printed(&run(create(&data, "ada", &[]).args(["--database-url", &app.database_url])));
    assert!(
        text.starts_with("id  ") && text.contains("\nusername  ada\n") && text.contains("shown this once"),
        "{text}"
    );
    app.with(&token_in(&text)).get("/api/v2/account/details").expect(200);
    assert_eq!(app.count("audit_events WHERE resource_type = 'user' AND action = 'create'"), 1);
}

/// Also what belongs to no organization: a user's own tokens, and why one of them was revoked.
#[test]
fn the_audit_trail_of_everybody_is_printed() {
    let app = App::start();
    let (ada, data) = (app.user("ada"), Folder::new());
    ada.organization("acme");
    let path = format!("/api/v2/users/{}/authentication-tokens", ada.id);
    let body = json!({"data": {"type": "authentication-tokens", "attributes": {"description": "laptop"}}});
    let made = ada.client.post(&path, &body).expect(201);
    let report = json!({"data": [{"type": "leaked-tokens", "attributes": {"token": made.secret()}}]});
    app.anonymous().post("/api/v2/leaked-tokens", &report).expect(204);
    let print = |since: &[&str]| -> Vec<serde_json::Value> {
        let mut command = latchkey();
        command.args(["audit", "--database-url", &app.database_url, "--data-dir"]).arg(&*data).args(since);
        printed(&run(&mut command)).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let all = print(&[]);
    assert_eq!(i64::try_from(all.len()).unwrap(), app.count("audit_events"));
    let leak = all.iter().find(|event| event["resource"]["action"] == "leak").unwrap();
    assert_eq!((&leak["resource"]["id"], &leak["auth"]["organization_id"]), (&json!(made.id()), &json!(null)));
    assert!(all.iter().any(|event| event["resource"]["type"] == "organization"));
    let last = all.last().unwrap()["timestamp"].as_str().unwrap();
    assert!(print(&["--since", last]).is_empty());
    assert!(!run(latchkey().args(["audit", "--since", "yesterday", "--data-dir"]).arg(&*data)).status.success());
}

#[test]
fn somebody_leaves_by_the_command_line() {
    let acme = Acme::new();
    let bob = acme.app.user("bob");
    acme.ada.add_to_team(&acme.team, &bob);
    let made = bob.described_token(&acme.team, json!({"description": "deploys"}));
    let data = Folder::new();
    let command = |action: &str, name: &str| {
        let mut command = latchkey();
        command.args(["user", action, name, "--database-url", &acme.app.database_url, "--data-dir"]).arg(&*data);
        run(&mut command)
    };
    let works = || bob.client.get("/api/v2/account/details").status == 200;
    let told = format!("{}  team  acme/ci  \"deploys\"", made.id());
    let said = printed(&command("disable", "BOB"));
    assert!(said.starts_with("The tokens and sessions of bob are refused") && said.contains(&told), "{said}");
    assert!(!works());
    assert!(refusal(&command("disable", "bob"), 1).contains("suspended already"));
    assert_eq!(printed(&command("enable", "bob")), "The tokens and sessions of bob work again.\n");
    assert!(works());
    assert!(refusal(&command("enable", "bob"), 1).contains("not suspended"));
    let said = printed(&command("delete", "bob"));
    assert!(said.starts_with("The user bob is deleted.") && said.contains(&told), "{said}");
    assert!(!works());
    for action in ["disable", "enable", "delete"] {
        assert!(refusal(&command(action, "bob"), 1).contains("there is no user \"bob\""));
    }
    assert!(refusal(&command("delete", "ada"), 1).contains("acme"));
    let root = acme.app.site_admin("root");
    assert!(refusal(&command("disable", "root"), 1).contains("last site admin"));
    root.client.get("/api/v2/account/details").expect(200);
    let by_system = "audit_events WHERE actor_type = 'System' AND resource_type = 'user'";
    assert_eq!(acme.app.count(&format!("{by_system} AND action IN ('suspend', 'unsuspend', 'destroy')")), 3);
}

fn confirm(data: &Path, name: &str, email: &str) -> Command {
    let mut command = latchkey();
    command.args(["user", "confirm-email", name, "--email", email, "--data-dir"]).arg(data);
    command
}

fn ask(client: &Client, email: &str) {
    let wanted = json!({"data": {"type": "users", "attributes": {"email": email}}});
    client.patch("/api/v2/account/update", &wanted).expect(200);
}

#[test]
fn an_address_is_confirmed_while_the_server_runs_and_while_not() {
    let data = Folder::new();
    let secret = token_in(&printed(&run(&mut create(&data, "ada", &[]))));
    let service = Served::start(&data);
    let email = |service: &Served| {
        let details = service.with(&secret).get("/api/v2/account/details").expect(200);
        details.attribute("email").as_str().unwrap().to_owned()
    };
    ask(&service.with(&secret), "during@example.com");
    let said = printed(&run(&mut confirm(&data, "ada", "during@example.com")));
    assert_eq!(said, "The email address of ada is during@example.com now.\n");
    assert_eq!(email(&service), "during@example.com");
    ask(&service.with(&secret), "after@example.com");
    assert!(service.stop());
    printed(&run(&mut confirm(&data, "ADA", "After@example.com")));
    let service = Served::start(&data);
    assert_eq!(email(&service), "after@example.com");
    assert!(service.stop());
}

#[test]
fn an_address_that_nobody_asks_for_or_somebody_has_is_refused() {
    let app = App::start();
    let (ada, _bob) = (app.user("ada"), app.user("bob"));
    let data = Folder::new();
    let attempt = |name: &str, email: &str| {
        refusal(&run(confirm(&data, name, email).args(["--database-url", &app.database_url])), 1)
    };
    assert!(attempt("nobody", "new@example.com").contains("there is no user \"nobody\""));
    assert!(attempt("ada", "new@example.com").contains("does not ask for"));
    ask(&ada.client, "bob@example.com");
    assert!(attempt("ada", "new@example.com").contains("does not ask for"));
    assert!(attempt("ada", "bob@example.com").contains("has already been taken"));
    let details = ada.client.get("/api/v2/account/details").expect(200);
    assert_eq!(*details.attribute("email"), "ada@example.com");
    assert_eq!(*details.attribute("unconfirmed-email"), "bob@example.com");
}

#[test]
fn a_taken_name_or_address_is_refused() {
    let app = App::start();
    app.user("ada");
    let data = Folder::new();
    let attempt = |name: &str, email: &str| {
        let mut command = latchkey();
        command.args(["user", "create", name, "--email", email, "--database-url", &app.database_url, "--data-dir"]);
        refusal(&run(command.arg(&*data)), 1)
    };
    assert!(attempt("ada", "other@example.com").contains("name"));
    assert!(attempt("ADA", "other@example.com").contains("name"));
    assert!(attempt("other", "ada@example.com").contains("email"));
    assert_eq!((app.count("users"), app.count("tokens")), (1, 1), "a refused user leaves nothing");
}

#[test]
fn migrate_runs_once() {
    let data = Folder::new();
    let migrate = || printed(&run(latchkey().args(["migrate", "--data-dir"]).arg(&*data)));
    assert!(migrate().starts_with("Ran "));
    assert_eq!(migrate(), "The database is up to date.\n");
    assert!(!data.join("postgres/postmaster.pid").exists());
}

fn demo() -> String {
    format!("{}/fixtures/demo", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_demo_data_set_loads_and_its_tokens_work() {
    let app = App::start();
    let load = || run(latchkey().args(["fixtures", "load", &demo(), "--database-url", &app.database_url]));
    let text = printed(&load());
    let secret = |owner: &str| {
        let line = text.lines().find(|line| line.ends_with(owner)).unwrap_or_else(|| panic!("{owner}: {text}"));
        line.split_whitespace().next().unwrap().to_owned()
    };
    assert_eq!(text.lines().count(), 4 + 6, "four users' tokens and six of teams: {text}");

    let names = |client: &Client, path: &str| -> Vec<Value> {
        let listed = client.get(path).expect(200);
        let resources = listed.body["data"].as_array().unwrap();
        resources.iter().map(|one| one["attributes"]["name"].clone()).collect()
    };
    let grace = app.with(&secret("user grace"));
    assert_eq!(grace.get("/api/v2/account/details").expect(200).attribute("username"), "grace");
    assert_eq!(names(&grace, "/api/v2/organizations"), ["acme", "globex"].map(Value::from));
    assert_eq!(
        names(&grace, "/api/v2/organizations/acme/teams?sort=name"),
        ["auditors", "owners", "platform", "release", "robots"].map(Value::from)
    );
    assert_eq!(grace.get("/api/v2/organizations/acme/team-tokens").expect(200).ids().len(), 5);
    let ada = app.with(&secret("user ada"));
    assert_eq!(ada.get("/api/v2/account/details").expect(200).attribute("is-site-admin"), true);
    let people = app.with(&secret("team globex/people"));
    people.get("/api/v2/organizations/globex").expect(200);
    people.get("/api/v2/organizations/acme").expect(404);
    // It expired years ago.
    app.with(&secret("team acme/robots")).get("/api/v2/organizations/acme").expect(401);

    let tables = ["users", "organizations", "teams", "tokens", "audit_events"];
    let rows = || tables.map(|table| app.count(table));
    let before = rows();
    refusal(&load(), 1);
    assert_eq!(rows(), before, "a second load changes nothing");
}

#[test]
fn a_bad_data_set_is_refused_whole() {
    let app = App::start();
    let folder = tempfile::tempdir().unwrap();
    let write = |file: &str, text: &str| std::fs::write(folder.path().join(file), text).unwrap();
    let load = || {
        let mut command = latchkey();
        command.args(["fixtures", "load"]).arg(folder.path()).args(["--database-url", &app.database_url]);
        refusal(&run(&mut command), 1)
    };
    let user = json!({"type": "users", "id": "ada", "attributes": {"email": "ada@example.com"}});
    write("users.json", &json!({"data": [user]}).to_string());
    let organization = json!({"type": "organizations", "id": "acme", "attributes": {"email": "ops@example.com"},
        "relationships": {"owners": {"data": [{"type": "users", "id": "nobody"}]}}});
    write("organizations.json", &json!({"data": [organization]}).to_string());
    assert!(load().contains("nobody"));
    write("organizations.json", "{\"data\": [");
    assert!(load().contains("organizations.json"));
    write("organizations.json", "{\"data\": [{\"id\": \"acme\", \"attributes\": {}}]}");
    assert!(load().contains("email"));
    std::fs::write(folder.path().join("organizations.json"), b"{\"data\": \"\xff\"}").unwrap();
    assert!(load().contains("organizations.json"));
    assert_eq!((app.count("users"), app.count("organizations"), app.count("audit_events")), (0, 0, 0));

    // Which name is taken is said.
    app.user("eve").organization("Acme");
    let organization = json!({"type": "organizations", "id": "acme", "attributes": {"email": "ops@example.com"}});
    write("organizations.json", &json!({"data": [organization]}).to_string());
    let refused = load();
    assert!(refused.contains("\"acme\"") && refused.contains("Name has already been taken"), "{refused}");
    assert_eq!(app.count("users"), 1);

    let missing = run(latchkey().args(["fixtures", "load", "/nonexistent", "--database-url", &app.database_url]));
    assert!(refusal(&missing, 1).contains("/nonexistent"));
}

#[test]
fn a_data_set_in_which_nothing_is_known_is_refused() {
    let app = App::start();
    let folder = tempfile::tempdir().unwrap();
    let load = || {
        let mut command = latchkey();
        command.args(["fixtures", "load"]).arg(folder.path()).args(["--database-url", &app.database_url]);
        refusal(&run(&mut command), 1)
    };
    assert!(load().contains("nothing to load"));
    std::fs::write(folder.path().join("users.json"), "{\"data\": []}").unwrap();
    assert!(load().contains("nothing to load"));
    // It would be passed over.
    std::fs::write(folder.path().join("agents.json"), "{\"data\": []}").unwrap();
    let refused = load();
    assert!(refused.contains("agents.json") && refused.contains("abilities.json"), "{refused}");
    std::fs::remove_file(folder.path().join("agents.json")).unwrap();
    // Abilities are those of an organization in the set.
    let registry = |name: &str, organization: &str| {
        let relationships = json!({"organization": {"data": {"type": "organizations", "id": organization}}});
        let attributes = json!({"abilities": [{"name": name}]});
        let registry = json!({"data": {"type": "abilities", "attributes": attributes, "relationships": relationships}});
        std::fs::write(folder.path().join("abilities.json"), registry.to_string()).unwrap();
    };
    registry("agents:list", "nowhere");
    assert!(load().contains("\"nowhere\""));
    let organization = json!({"type": "organizations", "id": "acme", "attributes": {"email": "ops@example.com"}});
    std::fs::write(folder.path().join("organizations.json"), json!({"data": [organization]}).to_string()).unwrap();
    registry("tokens:create", "acme");
    assert!(load().contains("Latchkey's own"));
    assert_eq!((app.count("organizations"), app.count("abilities"), app.count("audit_events")), (0, 0, 0));
}

#[test]
fn the_eight_resources_are_a_data_set() {
    let app = App::start();
    let folder = format!("{}/fixtures/abilities", env!("CARGO_MANIFEST_DIR"));
    let text = printed(&run(latchkey().args(["fixtures", "load", &folder, "--database-url", &app.database_url])));
    let secret = text.strip_suffix("  user barbara\n").unwrap_or_else(|| panic!("{text}"));
    let owner = app.with(secret);
    let listed = owner.get("/api/v2/organizations/agent-base/abilities").expect(200);
    let names: BTreeSet<String> = listed.body["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["attributes"]["name"].as_str().unwrap().split(':').next().unwrap().to_owned())
        .collect();
    let resources =
        ["agents", "assistant", "executions", "integrations", "knowledge", "storage", "triggers", "webhooks"];
    assert_eq!(names, resources.map(str::to_owned).into());
    assert_eq!(app.count("audit_events WHERE resource_type = 'organization_abilities'"), 1);
    refusal(&run(latchkey().args(["fixtures", "load", &folder, "--database-url", &app.database_url])), 1);
}
