//! PostgreSQL goes away, hangs or is killed: the service says so in time, and comes back by itself.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use latchkey::database::migrations::migrate;
use latchkey::database::private::{Durability, PrivateCluster};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;

use crate::support::app::{User, identifiers, resource};
use crate::support::client::Answer;
use crate::support::cluster::Database;
use crate::support::{App, cluster, leaks};

/// A service on a PostgreSQL of its own.
struct Scene {
    app: Option<App>,
    ada: User,
    team: String,
    token: Answer,
    postgres: PrivateCluster,
    folder: PathBuf,
}

impl Scene {
    fn set() -> Self {
        let folder = cluster::folder("outage");
        let postgres = PrivateCluster::start(&folder, Durability::Durable).expect("PostgreSQL starts");
        migrate(&postgres.url()).unwrap();
        let app = App::on(Database::elsewhere(postgres.url()));
        let ada = app.user("ada");
        ada.organization("acme");
        let team = ada.team("acme", "ci");
        let token = ada.team_token(&team);
        Self { app: Some(app), ada, team, token, postgres, folder }
    }

    fn app(&self) -> &App {
        self.app.as_ref().unwrap()
    }

    /// The postmaster and all its children; nothing if it does not run.
    fn processes(&self) -> Vec<Pid> {
        let Ok(file) = std::fs::read_to_string(self.postgres.path().join("postmaster.pid")) else { return vec![] };
        let postmaster: i32 = file.lines().next().unwrap().parse().unwrap();
        let children = std::fs::read_dir("/proc").unwrap().filter_map(|entry| {
            let pid: i32 = entry.unwrap().file_name().to_str()?.parse().ok()?;
            let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
            let parent = status.lines().find_map(|line| line.strip_prefix("PPid:"))?.trim().parse::<i32>().ok()?;
            (parent == postmaster).then_some(pid)
        });
        std::iter::once(postmaster).chain(children).map(Pid::from_raw).collect()
    }

    fn signal(&self, signal: Signal) {
        // A child may have ended since it was listed.
        for pid in self.processes() {
            let _ = kill(pid, signal);
        }
    }

    /// Every sort of request that needs the database, at the same time, and `ready` with them.
    fn assert_outage(&self) {
        let (app, ada, team, one) = (self.app(), &self.ada.client, &self.team, self.one());
        let organization = "/api/v2/organizations/acme";
        let list = format!("{organization}/team-tokens");
        let token = format!("/api/v2/authentication-tokens/{}", self.token.id());
        let members = format!("/api/v2/teams/{team}/relationships/users");
        let new_team = resource("teams", json!({"name": "ops"}));
        let described = resource("authentication-tokens", json!({"description": "x"}));
        let bob = identifiers("users", &["bob"]);
        let these = identifiers("authentication-tokens", &[&self.token.id()]);
        let requests: Vec<Box<dyn Fn() -> Answer + Send + Sync + '_>> = vec![
            Box::new(|| app.anonymous().get("/health/ready")),
            Box::new(|| ada.get("/api/v2/account/details")),
            Box::new(|| ada.get("/api/v2/organizations")),
            Box::new(|| ada.post("/api/v2/organizations", &resource("organizations", json!({"name": "x"})))),
            Box::new(|| ada.get(organization)),
            Box::new(|| ada.patch(organization, &resource("organizations", json!({})))),
            Box::new(|| ada.delete(organization)),
            Box::new(|| ada.get("/api/v2/organizations/acme/entitlement-set")),
            Box::new(|| ada.get("/api/v2/organizations/acme/teams")),
            Box::new(|| ada.post("/api/v2/organizations/acme/teams", &new_team)),
            Box::new(|| ada.get(&format!("/api/v2/teams/{team}"))),
            Box::new(|| ada.patch(&format!("/api/v2/teams/{team}"), &new_team)),
            Box::new(|| ada.delete(&format!("/api/v2/teams/{team}"))),
            Box::new(|| ada.post(&members, &bob)),
            Box::new(|| ada.delete_with(&members, &bob)),
            Box::new(|| ada.get(&one)),
            Box::new(|| ada.post_nothing(&one)),
            Box::new(|| ada.delete(&one)),
            Box::new(|| ada.get(&format!("{one}s"))),
            Box::new(|| ada.post(&format!("{one}s"), &described)),
            Box::new(|| ada.get(&list)),
            Box::new(|| ada.delete_with(&list, &these)),
            Box::new(|| ada.get(&token)),
            Box::new(|| ada.delete(&token)),
        ];
        std::thread::scope(|scope| {
            for request in &requests {
                scope.spawn(move || {
                    let asked = Instant::now();
                    let answer = request().expect(503);
                    assert!(asked.elapsed() < Duration::from_secs(3), "{:?}: {answer:?}", asked.elapsed());
                    assert!(answer.header("Retry-After").unwrap().parse::<u32>().unwrap() > 0);
                    let error = &answer.body["errors"][0];
                    assert_eq!(error["status"], "503");
                    assert!(error["detail"].as_str().unwrap().contains("database"), "{error}");
                    assert_eq!(error["id"].as_str(), answer.header("X-Request-Id"));
                });
            }
        });
        let asked = Instant::now();
        app.anonymous().get("/health/live").expect(200);
        app.anonymous().get("/api/v2/ping").expect(204);
        assert!(asked.elapsed() < Duration::from_millis(500));
    }

    fn one(&self) -> String {
        format!("/api/v2/teams/{}/authentication-token", self.team)
    }

    /// Waits until the service is ready; then everything must work.
    fn assert_recovery(&self) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while self.app().anonymous().get("/health/ready").status != 200 {
            assert!(Instant::now() < deadline, "the service does not come back");
            std::thread::sleep(Duration::from_millis(100));
        }
        for _ in 0..20 {
            self.ada.client.get(&self.one()).expect(200);
        }
        assert_eq!(self.ada.client.get(&self.one()).expect(200).id(), self.token.id(), "what got 503 was not done");
        self.ada.team_token(&self.team);
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        // A test that failed may have left it stopped.
        self.signal(Signal::SIGCONT);
        drop(self.app.take());
        let log = std::fs::read(self.folder.join("postgres.log")).unwrap_or_default();
        let _ = self.postgres.clone().stop_and_remove();
        cluster::remove_folder(&self.folder);
        leaks::fail_on(|| leaks::look(&String::from_utf8_lossy(&log), "PostgreSQL's log"));
    }
}

#[test]
fn while_postgresql_is_stopped_every_route_says_so_in_time() {
    let scene = Scene::set();
    scene.postgres.clone().stop().unwrap();
    // The pool's connections are dead, then there are none: both must be told in time.
    scene.assert_outage();
    scene.assert_outage();
}

#[test]
fn the_service_comes_back_by_itself() {
    let scene = Scene::set();
    scene.postgres.clone().stop().unwrap();
    scene.assert_outage();
    scene.postgres.revive().unwrap();
    scene.assert_recovery();
}

#[test]
fn a_hanging_postgresql_is_an_outage_too() {
    let scene = Scene::set();
    scene.signal(Signal::SIGSTOP);
    scene.assert_outage();
    scene.assert_outage();
    scene.signal(Signal::SIGCONT);
    scene.assert_recovery();
}

#[test]
fn what_got_503_is_not_done_later() {
    let scene = Scene::set();
    scene.signal(Signal::SIGSTOP);
    scene.ada.client.delete(&scene.one()).expect(503);
    scene.ada.client.delete("/api/v2/organizations/acme").expect(503);
    scene.signal(Signal::SIGCONT);
    std::thread::sleep(Duration::from_secs(1));
    scene.assert_recovery();
}

#[test]
fn uses_counted_during_an_outage_are_written_after_it() {
    let scene = Scene::set();
    let team = scene.app().with(&scene.token.secret());
    std::thread::sleep(Duration::from_millis(1100));
    (0..5).for_each(|_| drop(team.get("/api/v2/organizations/acme").expect(200)));
    scene.postgres.clone().stop().unwrap();
    std::thread::sleep(Duration::from_millis(1500));
    scene.postgres.revive().unwrap();
    let counted = "tokens WHERE kind = 'team' AND usage_count = 5";
    let deadline = Instant::now() + Duration::from_secs(15);
    while scene.app().count(counted) == 0 && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(200));
    }
    assert_eq!(scene.app().count(counted), 1);
}

#[test]
fn a_malformed_token_is_refused_even_during_an_outage() {
    let scene = Scene::set();
    scene.postgres.clone().stop().unwrap();
    scene.app().with("nonsense").get("/api/v2/account/details").expect(401);
    scene.app().anonymous().get("/api/v2/account/details").expect(401);
}

#[test]
fn what_was_answered_outlives_the_death_of_postgresql() {
    let scene = Scene::set();
    let path = format!("{}s", scene.one());
    let (stop, made) = (AtomicBool::new(false), Arc::new(Mutex::new(vec![])));
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let (path, stop, made, ada) = (&path, &stop, Arc::clone(&made), &scene.ada.client);
            scope.spawn(move || {
                for nth in 0.. {
                    let body = resource("authentication-tokens", json!({"description": format!("{writer}-{nth}")}));
                    let answer = ada.post(path, &body);
                    match answer.status {
                        201 => made.lock().unwrap().push(answer.secret()),
                        // Sent in the middle of a transaction, so that nobody knows whether it was committed.
                        503 => std::thread::sleep(Duration::from_millis(50)),
                        other => panic!("{other}: {:#}", answer.body),
                    }
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                }
            });
        }
        std::thread::sleep(Duration::from_millis(500));
        let before = made.lock().unwrap().len();
        scene.signal(Signal::SIGKILL);
        std::thread::sleep(Duration::from_millis(300));
        let revived = scene.postgres.revive();
        std::thread::sleep(Duration::from_secs(3));
        let after = made.lock().unwrap().len();
        stop.store(true, Ordering::Relaxed);
        revived.unwrap();
        assert!(before > 0 && after > before, "{before} tokens before, {after} after");
    });
    for secret in made.lock().unwrap().iter() {
        scene.app().with(secret).get("/api/v2/organizations/acme").expect(200);
    }
    // A change and its event were committed together, or not at all.
    let created = "audit_events WHERE resource_type = 'authentication_token' AND action = 'create'";
    assert_eq!(scene.app().count(created), scene.app().count("tokens"));
}
