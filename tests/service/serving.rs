//! The service as a process: its first start, its hard and clean ends, and what it does when PostgreSQL ends first.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::geteuid;
use serde_json::json;

use crate::support::app::resource;
use crate::support::client::Client;
use crate::support::cluster::Database;
use crate::support::process::{
    Folder, Served, admin_secret, alive, latchkey, postmaster, private_database, run, until,
};

/// What a restart may take here. The promise is two seconds for a release build on an idle machine, which
/// `quick_start` measures; this one shares its cores with every other test.
const RESTART: Duration = Duration::from_secs(10);

/// Makes an organization with a team and a token, and answers the team's path and the secret.
fn tokened_team(admin: &Client) -> (String, String) {
    let organization = resource("organizations", json!({"name": "acme", "email": "ops@example.com"}));
    admin.post("/api/v2/organizations", &organization).expect(201);
    let team = admin.post("/api/v2/organizations/acme/teams", &resource("teams", json!({"name": "ci"}))).expect(200);
    let path = format!("/api/v2/teams/{}", team.id());
    let secret = admin.post_nothing(&format!("{path}/authentication-token")).expect(201).secret();
    (path, secret)
}

#[test]
fn the_first_start_says_all_that_one_needs() {
    let data = Folder::new();
    let service = Served::start(&data);
    let token = data.join("admin-token");
    assert_eq!(std::fs::metadata(&token).unwrap().permissions().mode() & 0o777, 0o600);
    let secret = admin_secret(&data);
    let said = &service.greeting;
    assert!(said.contains(&format!("http://{}", service.address)), "{said}");
    assert!(said.contains(data.to_str().unwrap()), "{said}");
    assert!(said.contains(token.to_str().unwrap()), "{said}");
    assert!(!said.contains(&secret), "the greeting shows the secret");
    assert!(said.lines().count() <= 6, "a few lines: {said}");

    let link = said.lines().find_map(|line| line.trim().strip_prefix("console")).expect("a link to open");
    let link = link.split_whitespace().next().unwrap();
    let page =
        Client::new(service.address, None).get(link.strip_prefix(&format!("http://{}", service.address)).unwrap());
    assert!(page.expect(200).text.contains("admin"));

    let curl = said.lines().find_map(|line| line.trim().strip_prefix("try").map(str::trim)).expect("a line to paste");
    let output = run(Command::new("sh").args(["-c", curl]).env("no_proxy", "*"));
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect(curl);
    assert_eq!(document["data"]["attributes"]["username"], "admin", "{document:#}");
    let details = service.with(&secret).get("/api/v2/account/details").expect(200);
    assert_eq!(details.attribute("is-site-admin"), &json!(true));
}

/// Some programs send a user name and a password only when they are asked, as curl does with `--anyauth`.
#[test]
fn a_password_is_asked_for_where_a_flag_says_so() {
    let data = Folder::new();
    for (flags, asks) in [(&[][..], false), (&["--challenge-basic"][..], true)] {
        let service =
            Served::spawn(latchkey().arg("--data-dir").arg(&*data).args(["--listen", "127.0.0.1:0"]).args(flags));
        let details = format!("http://{}/api/v2/account/details", service.address);
        let heads = run(Command::new("curl").args(["--silent", "--head", "--request", "GET", &details]));
        let heads = String::from_utf8_lossy(&heads.stdout).to_lowercase();
        let challenges = heads.lines().filter_map(|line| line.strip_prefix("www-authenticate: "));
        let expected: &[&str] =
            &[r#"bearer realm="latchkey""#, r#"basic realm="latchkey", charset="utf-8""#][..if asks { 2 } else { 1 }];
        assert_eq!(challenges.collect::<Vec<_>>(), expected);
        let user = format!("anybody:{}", admin_secret(&data));
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--anyauth", "--user", &user, "--output", "/dev/null", "--write-out", "%{http_code}"]);
        let status = run(curl.arg(&details).env("no_proxy", "*")).stdout;
        assert_eq!(String::from_utf8_lossy(&status), if asks { "200" } else { "401" });
        assert!(service.stop());
    }
}

#[test]
fn a_killed_service_finds_its_data_again() {
    let data = Folder::new();
    let service = Served::start(&data);
    let admin = admin_secret(&data);
    let (team, secret) = tokened_team(&service.with(&admin));
    service.kill();

    let began = Instant::now();
    let service = Served::start(&data);
    let took = began.elapsed();
    assert!(took < RESTART, "the restart took {took:?}");
    assert_eq!(admin_secret(&data), admin, "a second start makes no second admin");
    service.with(&secret).get(&team).expect(200);
    service.with(&admin).get("/api/v2/organizations/acme").expect(200);
    assert!(service.stop());
}

#[test]
fn a_killed_postgresql_is_adopted_or_started_again() {
    let data = Folder::new();
    let service = Served::start(&data);
    let admin = admin_secret(&data);
    let (team, secret) = tokened_team(&service.with(&admin));
    let postgres = postmaster(&data).unwrap();
    service.kill();
    assert!(alive(postgres), "PostgreSQL outlives a killed service");

    // Adopted as it is.
    let service = Served::start(&data);
    assert_eq!(postmaster(&data), Some(postgres));
    service.kill();

    // As after a power cut: nothing runs, and postmaster.pid is still there.
    kill(postgres, Signal::SIGKILL).unwrap();
    until("PostgreSQL is gone", || !alive(postgres));
    assert_eq!(postmaster(&data), Some(postgres));
    let service = Served::start(&data);
    service.with(&secret).get(&team).expect(200);
    assert!(service.stop());
}

#[test]
fn a_clean_stop_stops_postgresql_and_loses_no_use() {
    let data = Folder::new();
    let service = Served::start(&data);
    let (team, secret) = tokened_team(&service.with(&admin_secret(&data)));
    let client = service.with(&secret);
    for _ in 0..25 {
        client.get(&team).expect(200);
    }
    assert!(service.stop(), "SIGTERM ends it with status 0");
    assert_eq!(postmaster(&data), None, "PostgreSQL was stopped, too");

    let service = Served::start(&data);
    let url = private_database(&data);
    let output = run(Command::new("psql")
        .args(["-AtX", &url, "-c"])
        .arg("SELECT usage_count, last_used_at IS NOT NULL FROM tokens WHERE kind = 'team'"));
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "25|t", "{output:?}");
    assert!(service.stop());
}

#[test]
fn a_second_service_on_the_same_folder_refuses() {
    let data = Folder::new();
    let service = Served::start(&data);
    let output = run(latchkey().args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(&*data));
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains("already serving") && said.contains(&service.id().to_string()), "{said}");
    service.with(&admin_secret(&data)).get("/api/v2/account/details").expect(200);
}

#[test]
fn postgresql_is_started_again_while_the_service_runs() {
    let data = Folder::new();
    let service = Served::start(&data);
    let (team, secret) = tokened_team(&service.with(&admin_secret(&data)));
    let client = service.with(&secret);
    let postgres = postmaster(&data).unwrap();
    kill(postgres, Signal::SIGKILL).unwrap();
    client.get("/health/live").expect(200);
    until("the service works again", || match client.get(&team).status {
        200 => true,
        503 => false,
        other => panic!("{other} while PostgreSQL is away"),
    });
    client.get("/health/ready").expect(200);
    assert_ne!(postmaster(&data), Some(postgres));
    assert!(service.stop());
}

#[test]
fn a_private_postgresql_is_private() {
    let data = Folder::new();
    let service = Served::start(&data);
    let postgres = postmaster(&data).unwrap();
    let process = PathBuf::from(format!("/proc/{postgres}"));
    assert_ne!(std::fs::metadata(&process).unwrap().uid(), 0, "PostgreSQL runs as root");
    let cluster = std::fs::metadata(data.join("postgres")).unwrap();
    assert_eq!(cluster.permissions().mode() & 0o077, 0, "others look into the cluster");
    let owner = std::fs::metadata(&process).unwrap().uid();
    assert_eq!(cluster.uid(), owner);
    assert!(!geteuid().is_root() || owner != geteuid().as_raw());

    // The fourth line of postmaster.pid is the TCP port, the fifth the socket's folder, the sixth the TCP address.
    let lock = std::fs::read_to_string(data.join("postgres/postmaster.pid")).unwrap();
    let lines: Vec<&str> = lock.lines().collect();
    assert_eq!(lines[5].trim(), "", "PostgreSQL listens on a network: {lock}");
    let socket = std::fs::metadata(lines[4]).unwrap();
    assert_eq!(socket.permissions().mode() & 0o077, 0, "others reach the socket");
    assert!(service.stop());
}

#[test]
fn a_given_database_needs_no_other() {
    let data = Folder::new();
    let database = Database::new();
    let service = Served::on(&database, &data, &[]);
    let (team, secret) = tokened_team(&service.with(&admin_secret(&data)));
    service.with(&secret).get(&team).expect(200);
    assert!(!data.join("postgres").exists(), "a private PostgreSQL was made for nothing");
    assert!(service.stop());
}

#[test]
fn many_replicas_make_one_admin() {
    let database = Database::new();
    let folders: Vec<Folder> = (0..3).map(|_| Folder::new()).collect();
    let services: Vec<Served> = std::thread::scope(|scope| {
        let start = |data: &Folder| Served::on(&database, data, &[]);
        let starting: Vec<_> = folders.iter().map(|data| scope.spawn(move || start(data))).collect();
        starting.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let having: Vec<&Folder> = folders.iter().filter(|data| data.join("admin-token").exists()).collect();
    assert_eq!(having.len(), 1, "exactly one of the replicas makes the admin");
    let secret = admin_secret(having[0]);
    for service in &services {
        service.with(&secret).get("/api/v2/account/details").expect(200);
    }
    for service in services {
        assert!(service.stop());
    }
}
