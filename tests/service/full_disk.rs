//! The disk under the private PostgreSQL is full: the service says 503 and acknowledges nothing that is not so, and
//! goes on by itself once there is room again.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use diesel::prelude::*;
use diesel::sql_query;
use nix::sys::signal::{Signal, kill};
use serde_json::json;

use crate::support::app::resource;
use crate::support::client::{Answer, Client};
use crate::support::process::{Served, admin_secret, alive, postmaster, private_database, until};
use crate::support::{cluster, leaks, say};

/// Enough for a new cluster, and soon full.
const SIZE: &str = "size=160m,mode=0711";

/// PostgreSQL is started again at once, then after up to 30 seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// A small disk with a data folder on it.
struct Disk {
    root: PathBuf,
}

impl Disk {
    /// None where nobody may mount one.
    fn mount() -> Option<Self> {
        let root = cluster::folder("disk");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", SIZE, "tmpfs"]).arg(&root).output();
        if mounted.as_ref().is_ok_and(|output| output.status.success()) {
            return Some(Self { root });
        }
        cluster::remove_folder(&root);
        say(&format!("\n*** SKIPPED: a full disk cannot be tried, because nothing can be mounted: {mounted:?} ***\n"));
        None
    }

    fn data(&self) -> PathBuf {
        self.root.join("latchkey")
    }

    /// Takes all the room that is left.
    fn fill(&self) {
        let mut ballast = std::fs::File::options().append(true).create(true).open(self.root.join("ballast")).unwrap();
        for size in [1 << 20, 1 << 12, 1] {
            let piece = vec![0; size];
            while ballast.write_all(&piece).is_ok() {}
        }
    }

    fn make_room(&self) {
        std::fs::remove_file(self.root.join("ballast")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if let Some(pid) = postmaster(&self.data()) {
            let _ = kill(pid, Signal::SIGQUIT);
            until("PostgreSQL ends", || !alive(pid));
        }
        let log = std::fs::read(self.data().join("postgres.log")).unwrap_or_default();
        // Lazily: a process of PostgreSQL may still be about to end.
        let _ = Command::new("umount").arg("--lazy").arg(&self.root).status();
        cluster::remove_folder(&self.root);
        leaks::fail_on(|| leaks::look(&String::from_utf8_lossy(&log), "PostgreSQL's log"));
    }
}

/// An organization's team, seen by the admin.
struct Team {
    admin: Client,
    path: String,
}

impl Team {
    fn new(admin: Client) -> Self {
        let organization = resource("organizations", json!({"name": "acme", "email": "ops@example.com"}));
        admin.post("/api/v2/organizations", &organization).expect(201);
        let team =
            admin.post("/api/v2/organizations/acme/teams", &resource("teams", json!({"name": "ci"}))).expect(200);
        let path = format!("/api/v2/teams/{}/authentication-tokens", team.id());
        Self { admin, path }
    }

    /// Asks for a token with a long description.
    fn ask_for_token(&self) -> Answer {
        let description = format!("{} {}", uuid::Uuid::now_v7(), "x".repeat(200));
        self.admin.post(&self.path, &resource("authentication-tokens", json!({ "description": description })))
    }

    /// Makes tokens until one is refused because of the disk.
    fn until_refused(&self) -> Vec<Answer> {
        let mut made = vec![];
        let deadline = Instant::now() + PATIENCE;
        loop {
            assert!(Instant::now() < deadline, "{} tokens fit on a full disk", made.len());
            let answer = self.ask_for_token();
            if answer.status == 503 {
                assert!(answer.header("Retry-After").is_some());
                return made;
            }
            made.push(answer.expect(201));
        }
    }

    fn works(&self, token: &Answer) -> bool {
        match self.admin.as_another(&token.secret()).get("/api/v2/authentication-tokens/current").status {
            200 => true,
            401 => false,
            other => panic!("{other}"),
        }
    }

    fn revoke(&self, token: &Answer) -> u16 {
        self.admin.delete(&format!("/api/v2/authentication-tokens/{}", token.id())).status
    }

    fn until_ready(&self) {
        let deadline = Instant::now() + PATIENCE;
        while self.admin.get("/health/ready").status != 200 {
            assert!(Instant::now() < deadline, "the service does not come back");
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// Fills PostgreSQL's log of changes, so that it needs another file for it.
fn fill_write_ahead_log(data: &Path) {
    let mut connection = PgConnection::establish(&private_database(data)).unwrap();
    for _ in 0..40 {
        if sql_query("SELECT pg_logical_emit_message(false, '', repeat('x', 1000000))")
            .execute(&mut connection)
            .is_err()
        {
            return;
        }
    }
    panic!("the log of changes fits on a full disk");
}

#[test]
fn a_full_disk_is_told_and_nothing_is_lost_by_it() {
    let Some(disk) = Disk::mount() else { return };
    let service = Served::start_best(&disk.data(), None);
    let team = Team::new(service.with(&admin_secret(&disk.data())));
    let mut tokens: Vec<Answer> = (0..4).map(|_| team.ask_for_token().expect(201)).collect();
    assert_eq!(team.revoke(&tokens[0]), 204);

    // No table can grow any more.
    disk.fill();
    tokens.extend(team.until_refused());
    team.admin.get("/health/live").expect(200);
    let revoked = team.revoke(&tokens[1]);
    assert!(matches!(revoked, 204 | 503), "{revoked}");

    // PostgreSQL itself ends, and cannot start.
    fill_write_ahead_log(&disk.data());
    tokens.extend(team.until_refused());
    assert_eq!(team.revoke(&tokens[2]), 503);
    team.admin.get("/health/live").expect(200);

    disk.make_room();
    team.until_ready();
    let dead = |nth: usize| nth == 0 || (nth == 1 && revoked == 204);
    for (nth, token) in tokens.iter().enumerate() {
        assert_eq!(team.works(token), !dead(nth), "token {nth} of {}", tokens.len());
    }
    assert_eq!(team.revoke(&tokens[2]), 204);
    assert!(!team.works(&tokens[2]));
    assert!(team.works(&team.ask_for_token().expect(201)));
    assert!(service.stop());
}
