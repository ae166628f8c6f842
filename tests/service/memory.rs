//! How much memory a release build takes when nobody asks it anything. `make test-memory` runs it.

use std::time::Duration;

use crate::support::process::{Folder, Served, admin_secret, release_binary};
use crate::support::say;

const LIMIT: u64 = 64 * 1024;

#[test]
#[ignore = "it measures a release build: make test-memory"]
fn a_release_build_idles_in_little_memory() {
    let Some(binary) = release_binary("the memory of a release build is not measured") else { return };
    let data = Folder::new();
    let service = Served::start_program(&binary, &data);
    let admin = service.with(&admin_secret(&data));
    for _ in 0..200 {
        admin.get("/api/v2/account/details").expect(200);
        admin.get("/api/v2/organizations").expect(200);
    }
    std::thread::sleep(Duration::from_secs(2));
    let resident = resident(service.id());
    say(&format!("memory: a release build idles with {:.1} MiB resident, limit 64 MiB", resident as f64 / 1024.0));
    assert!(resident < LIMIT, "{resident} KiB");
    assert!(service.stop());
}

/// The resident memory of a process in KiB; its children (PostgreSQL is none: pg_ctl lets go of it) do not count.
fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
