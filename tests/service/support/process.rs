//! The `latchkey` binary as a process of its own.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::client::Client;
use super::{cluster, leaks, say};

/// The binary, without any setting that the environment of the tests may hold.
pub fn latchkey() -> Command {
    program(Path::new(env!("CARGO_BIN_EXE_latchkey")))
}

fn program(path: &Path) -> Command {
    let mut command = Command::new(path);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("LATCHKEY_") && text != "LATCHKEY_POSTGRES_BIN" {
            command.env_remove(name);
        }
    }
    command.env_remove("DATABASE_URL").env_remove("RUST_LOG");
    command
}

/// Answers whether something is `there` without which a test tells nothing. If it is not, says so loudly, and
/// fails where nothing may be skipped (`LATCHKEY_REQUIRE_CLIENTS=1`).
pub fn require(there: bool, lack: &str) -> bool {
    if !there {
        say(&format!("\n*** SKIPPED: {lack} ***\n"));
        let strict = std::env::var_os("LATCHKEY_REQUIRE_CLIENTS").is_some_and(|value| value == "1");
        assert!(!strict, "{lack}, and LATCHKEY_REQUIRE_CLIENTS=1 forbids to skip that");
    }
    there
}

/// The release build that `make test` or `make test-memory` has made, if one of them runs this.
pub fn release_binary(lack: &str) -> Option<PathBuf> {
    let binary = std::env::var_os("LATCHKEY_RELEASE_BINARY").map(PathBuf::from);
    require(
        binary.is_some(),
        &format!("{lack}: LATCHKEY_RELEASE_BINARY names no binary, run `make test` or `make test-memory`"),
    );
    binary
}

/// Runs a command to its end; what it printed is searched for secrets to remember.
pub fn run(command: &mut Command) -> Output {
    let output = command.stdin(Stdio::null()).output().unwrap();
    leaks::remember(&String::from_utf8_lossy(&output.stdout));
    output
}

/// A running `latchkey serve`, killed when dropped; then its log is searched for secrets.
pub struct Served {
    pub address: SocketAddr,
    /// What it said at its start.
    pub greeting: String,
    log: PathBuf,
    child: Child,
}

impl Served {
    /// Starts `latchkey serve` with a data folder and waits until it greets.
    pub fn start(data_dir: &Path) -> Self {
        Self::spawn(latchkey().arg("--data-dir").arg(data_dir))
    }

    /// The same on a database that is there, with these flags more.
    pub fn on(database_url: &str, data_dir: &Path, flags: &[&str]) -> Self {
        Self::spawn(latchkey().args(["--database-url", database_url, "--data-dir"]).arg(data_dir).args(flags))
    }

    /// The same as [`Served::start`] with another build of the service.
    pub fn start_program(binary: &Path, data_dir: &Path) -> Self {
        Self::run(program(binary), Command::new("").arg("--data-dir").arg(data_dir))
    }

    /// Starts the release build if `make` has made one, else the one of the tests, on an address or a free port.
    pub fn start_best(data_dir: &Path, address: Option<SocketAddr>) -> Self {
        let binary = std::env::var_os("LATCHKEY_RELEASE_BINARY").map(PathBuf::from);
        let binary = binary.unwrap_or_else(|| env!("CARGO_BIN_EXE_latchkey").into());
        let mut arguments = Command::new("");
        arguments.arg("--data-dir").arg(data_dir);
        if let Some(address) = address {
            arguments.arg("--listen").arg(address.to_string());
        }
        Self::run(program(&binary), &arguments)
    }

    /// Starts what `command` says, which must be `latchkey` with the arguments that come after `serve`.
    pub fn spawn(arguments: &mut Command) -> Self {
        Self::run(latchkey(), arguments)
    }

    fn run(mut command: Command, arguments: &Command) -> Self {
        command.arg("serve").args(arguments.get_args());
        // A flag among the arguments wins over it.
        command.env("LATCHKEY_LISTEN", "127.0.0.1:0");
        command.env("RUST_LOG", "debug");
        let log = new_log();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let stdout = child.stdout.take().unwrap();
        let mut greeting = String::new();
        let mut lines = BufReader::new(stdout).lines();
        for line in lines.by_ref().map_while(Result::ok) {
            greeting.push_str(&line);
            greeting.push('\n');
            if line.contains("try ") || line.contains("not here") {
                break;
            }
        }
        let address = greeting
            .split_whitespace()
            .find_map(|word| word.trim_start_matches("https://").trim_start_matches("http://").parse().ok())
            .unwrap_or_else(|| panic!("no greeting, but {:?}: {}", greeting, std::fs::read_to_string(&log).unwrap()));
        Self { address, greeting, log, child }
    }

    /// The file that it logs to.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// What it has logged so far.
    pub fn logged(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Calls it with a secret.
    pub fn with(&self, secret: &str) -> Client {
        Client::new(self.address, Some(secret.to_owned()))
    }

    /// `kill -9`.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, and waits for the end; answers whether it ended well.
    pub fn stop(mut self) -> bool {
        self.signal(Signal::SIGTERM);
        let deadline = Instant::now() + Duration::from_secs(20);
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.success();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        false
    }

    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap());
        kill(pid, signal).unwrap();
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        leaks::fail_on(|| leaks::search_file(&self.log));
    }
}

fn new_log() -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    cluster::logs().join(format!("serve-{}.log", COUNT.fetch_add(1, Ordering::Relaxed)))
}

/// The URL of the database that the service of a data folder runs.
pub fn private_database(data_dir: &Path) -> String {
    latchkey::database::private::PrivateCluster::running(data_dir).unwrap().url()
}

pub fn admin_secret(data_dir: &Path) -> String {
    let secret = std::fs::read_to_string(data_dir.join("admin-token")).unwrap().trim().to_owned();
    leaks::remember(&secret);
    secret
}

/// A data folder that is removed at the end; the log of its PostgreSQL is searched for secrets before.
pub struct Folder(PathBuf);

impl Folder {
    /// The name of a folder that is not there yet.
    pub fn new() -> Self {
        Self(cluster::folder("data").join("latchkey"))
    }
}

impl std::ops::Deref for Folder {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A test that failed may have left PostgreSQL running.
        if let Some(pid) = postmaster(self) {
            let _ = kill(pid, Signal::SIGQUIT);
            until("PostgreSQL ends", || !alive(pid));
        }
        let log = std::fs::read(self.join("postgres.log")).unwrap_or_default();
        cluster::remove_folder(self.0.parent().unwrap());
        leaks::fail_on(|| leaks::look(&String::from_utf8_lossy(&log), "PostgreSQL's log"));
    }
}

/// The process id in `postmaster.pid`, if the file is there.
pub fn postmaster(data: &Path) -> Option<Pid> {
    let text = std::fs::read_to_string(data.join("postgres/postmaster.pid")).ok()?;
    Some(Pid::from_raw(text.lines().next()?.trim().parse().ok()?))
}

/// Whether a process runs.
pub fn alive(pid: Pid) -> bool {
    // Who has ended and is not yet waited for by init has ended.
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit(')').next().unwrap_or_default().trim_start().starts_with('Z'))
}

/// Waits until something holds; fails after 20 seconds.
#[track_caller]
pub fn until(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < deadline, "{what}: not within 20 seconds");
        std::thread::sleep(Duration::from_millis(20));
    }
}
