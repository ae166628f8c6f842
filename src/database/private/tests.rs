//! The cluster's life, played through with real clusters under `/tmp`.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use diesel::sql_types::Integer;
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use nix::sys::signal::{Signal, kill};
use tempfile::TempDir;

use super::account::Account;
use super::binaries::Binaries;
use super::{Durability, Error, PrivateCluster, Supervisor, postmaster};

/// A data folder that PostgreSQL's user can reach; whatever still runs in it at the
/// end of a test is stopped.
struct Folder(TempDir);

impl Folder {
    fn new() -> Folder {
        let folder = tempfile::Builder::new().prefix("latchkey-").tempdir_in("/tmp").unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o711)).unwrap();
        Folder(folder)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn start(&self) -> PrivateCluster {
        PrivateCluster::start(self.path(), Durability::Throwaway).unwrap()
    }

    fn data(&self) -> PathBuf {
        self.path().join("postgres")
    }

    /// `kill -9` of the server.
    fn crash(&self) {
        let pid = postmaster::pid(&self.data()).unwrap();
        kill(pid, Signal::SIGKILL).unwrap();
        while postmaster::pid(&self.data()).is_some() {
            thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Some(pid) = postmaster::pid(&self.data()) {
            let _ = kill(pid, Signal::SIGQUIT);
        }
    }
}

/// Kills a first start in the middle of its initdb, whose programs go on for a
/// moment as they would after a `kill -9` of Latchkey, and starts again at once.
#[test]
fn a_first_start_that_was_killed_is_begun_anew() {
    if std::env::var_os("LATCHKEY_TEST_START_IN").is_some() {
        let folder = std::env::var_os("LATCHKEY_TEST_START_IN").unwrap();
        PrivateCluster::start(Path::new(&folder), Durability::Throwaway).unwrap();
        return;
    }
    let folder = Folder::new();
    let mut killed = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "database::private::tests::a_first_start_that_was_killed_is_begun_anew"])
        .env("LATCHKEY_TEST_START_IN", folder.path())
        .spawn()
        .unwrap();
    let made = |name: &str| {
        fs::read_dir(folder.path()).unwrap().any(|entry| entry.unwrap().file_name().to_string_lossy().starts_with(name))
    };
    while !made("postgres.new-") {
        thread::sleep(Duration::from_millis(1));
    }
    thread::sleep(Duration::from_millis(100));
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert!(!folder.data().exists());
    let cluster = folder.start();
    assert_eq!(number(&cluster.url(), "SELECT 1 AS number"), 1);
    cluster.stop_and_remove().unwrap();
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Integer)]
    number: i32,
}

fn number(url: &str, query: &str) -> i32 {
    let mut connection = PgConnection::establish(url).unwrap();
    let row: Row = sql_query(query).get_result(&mut connection).unwrap();
    row.number
}

fn execute(url: &str, query: &str) {
    let mut connection = PgConnection::establish(url).unwrap();
    sql_query(query).execute(&mut connection).unwrap();
}

#[test]
fn data_outlives_a_stop_and_a_warm_start_is_quick() {
    let folder = Folder::new();
    let begun = Instant::now();
    let cluster = PrivateCluster::start(folder.path(), Durability::Durable).unwrap();
    println!("first start, durable: {:?}", begun.elapsed());
    assert_eq!(number(&cluster.url(), "SELECT 1 AS number"), 1);
    execute(&cluster.url(), "CREATE TABLE kept AS SELECT 42 AS number");
    let begun = Instant::now();
    cluster.stop().unwrap();
    println!("stop: {:?}", begun.elapsed());
    assert!(postmaster::pid(&folder.data()).is_none());

    let begun = Instant::now();
    let cluster = PrivateCluster::start(folder.path(), Durability::Durable).unwrap();
    println!("warm start, durable: {:?}", begun.elapsed());
    assert_eq!(number(&cluster.url(), "SELECT number FROM kept"), 42);
    cluster.stop().unwrap();
}

#[test]
fn a_crash_of_the_server_is_recovered_from() {
    let folder = Folder::new();
    let start = || PrivateCluster::start(folder.path(), Durability::Durable).unwrap();
    let cluster = start();
    execute(&cluster.url(), "CREATE TABLE kept AS SELECT 42 AS number");
    folder.crash();
    assert!(!cluster.is_running());
    let begun = Instant::now();
    let cluster = start();
    println!("start after kill -9 of the server: {:?}", begun.elapsed());
    assert_eq!(number(&cluster.url(), "SELECT number FROM kept"), 42);
    cluster.stop_and_remove().unwrap();
}

#[test]
fn a_server_left_behind_is_adopted() {
    let folder = Folder::new();
    let left = folder.start();
    let pid = postmaster::pid(&folder.data());
    drop(left);
    let begun = Instant::now();
    let adopted = folder.start();
    println!("adoption: {:?}", begun.elapsed());
    assert!(pid.is_some());
    assert_eq!(postmaster::pid(&folder.data()), pid);
    adopted.stop_and_remove().unwrap();
}

#[test]
fn a_server_that_is_stopping_is_waited_for() {
    let folder = Folder::new();
    drop(folder.start());
    kill(postmaster::pid(&folder.data()).unwrap(), Signal::SIGINT).unwrap();
    let cluster = folder.start();
    assert_eq!(number(&cluster.url(), "SELECT 1 AS number"), 1);
    cluster.stop_and_remove().unwrap();
}

#[test]
fn a_command_attaches_to_a_running_server() {
    let folder = Folder::new();
    let path = folder.path().to_owned();
    let attaching = thread::spawn(move || PrivateCluster::running(&path).unwrap());
    let cluster = folder.start();
    let address = attaching.join().unwrap();
    assert_eq!(address.url(), cluster.url());
    assert_eq!(number(&address.url_of("template1"), "SELECT 1 AS number"), 1);
    cluster.stop_and_remove().unwrap();
}

#[test]
fn what_a_killed_initdb_left_is_removed() {
    let folder = Folder::new();
    let unfinished = folder.path().join("postgres.new-1");
    fs::create_dir(&unfinished).unwrap();
    fs::write(unfinished.join("PG_VERSION"), "15\n").unwrap();
    let cluster = folder.start();
    assert!(!unfinished.exists());
    cluster.stop_and_remove().unwrap();
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn the_cluster_and_its_socket_are_closed_to_others() {
    let folder = Folder::new();
    let cluster = folder.start();
    for name in ["postgres", "postgres-socket"] {
        let metadata = fs::metadata(folder.path().join(name)).unwrap();
        assert_eq!(metadata.mode() & 0o777, 0o700);
        assert_ne!(metadata.uid(), 0);
    }
    let query = "SELECT count(*)::int AS number FROM pg_settings \
                 WHERE name = 'listen_addresses' AND setting = ''";
    assert_eq!(number(&cluster.url(), query), 1);
    cluster.stop_and_remove().unwrap();
}

#[test]
fn a_folder_with_an_odd_and_long_name_works() {
    let folder = Folder::new();
    let odd = folder.path().join(format!("it's \"$HOME\", `x` {}", "ü".repeat(40)));
    fs::create_dir(&odd).unwrap();
    fs::set_permissions(&odd, Permissions::from_mode(0o711)).unwrap();
    let cluster = PrivateCluster::start(&odd, Durability::Throwaway).unwrap();
    assert_eq!(number(&cluster.url(), "SELECT 1 AS number"), 1);
    cluster.stop_and_remove().unwrap();
}

#[test]
fn a_failing_start_shows_the_end_of_the_log() {
    let folder = Folder::new();
    folder.start().stop().unwrap();
    fs::write(folder.data().join("postgresql.auto.conf"), "nonsense = 1\n").unwrap();
    let error = PrivateCluster::start(folder.path(), Durability::Throwaway).unwrap_err();
    let message = error.to_string();
    assert!(message.contains("unrecognized configuration parameter \"nonsense\""), "{message}");
}

#[test]
fn a_folder_that_postgres_cannot_pass_is_named() {
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    let folder = Folder::new();
    let closed = folder.path().join("closed");
    fs::create_dir_all(closed.join("data")).unwrap();
    fs::set_permissions(&closed, Permissions::from_mode(0o700)).unwrap();
    let error = PrivateCluster::start(&closed.join("data"), Durability::Throwaway).unwrap_err();
    assert!(matches!(error, Error::CannotPass { folder, .. } if folder == closed));
}

#[test]
fn the_supervisor_revives_a_crashed_server_and_does_not_revive_a_stopped_one() {
    let folder = Folder::new();
    let supervisor = Supervisor::watch(folder.start()).unwrap();
    folder.crash();
    let begun = Instant::now();
    PrivateCluster::running(folder.path()).unwrap();
    println!("revived by the supervisor: {:?}", begun.elapsed());
    let url = supervisor.cluster().url();
    assert_eq!(number(&url, "SELECT 1 AS number"), 1);
    supervisor.stop().unwrap();
    thread::sleep(Duration::from_millis(700));
    assert!(postmaster::pid(&folder.data()).is_none());
}

/// Runs a query with `psql` as the account that owns the cluster; `None` where there is no `psql`.
fn psql_as_the_account(folder: &Folder, role: &str) -> Option<std::process::Output> {
    let account = Account::owner(&fs::metadata(folder.data()).unwrap());
    let psql = Binaries::find(&folder.data(), &account).unwrap().initdb().with_file_name("psql");
    let mut command = account.command(&psql);
    command.arg("--host").arg(folder.path().join("postgres-socket")).args(["-U", role, "-c", "SELECT 1", "latchkey"]);
    psql.exists().then(|| command.output().unwrap())
}

#[test]
fn who_runs_postgresql_is_not_let_into_the_database() {
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    let folder = Folder::new();
    let cluster = folder.start();
    for role in ["latchkey", "postgres"] {
        let Some(output) = psql_as_the_account(&folder, role) else { return };
        assert!(!output.status.success(), "{role} was let in");
    }
    cluster.stop_and_remove().unwrap();
}

#[test]
fn the_service_is_no_superuser_and_reads_no_file() {
    let folder = Folder::new();
    let cluster = PrivateCluster::start(folder.path(), Durability::Durable).unwrap();
    let query = "SELECT count(*)::int AS number FROM pg_roles WHERE rolname = current_user \
                 AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls \
                 OR pg_has_role(oid, 'pg_read_server_files', 'MEMBER') OR pg_has_role(oid, 'pg_execute_server_program', 'MEMBER'))";
    assert_eq!(number(&cluster.url(), query), 0);
    let mut connection = PgConnection::establish(&cluster.url()).unwrap();
    for forbidden in ["SELECT pg_read_file('/etc/hostname')", "COPY (SELECT 1) TO PROGRAM 'true'"] {
        assert!(sql_query(forbidden).execute(&mut connection).is_err(), "{forbidden}");
    }
    cluster.stop_and_remove().unwrap();
}

/// What the service gets in its environment, its encryption key above all, is not for the database.
#[test]
fn postgresql_gets_nothing_of_our_environment_but_what_it_needs() {
    let folder = Folder::new();
    let cluster = folder.start();
    assert!(std::env::vars_os().any(|(name, _)| name == "CARGO_MANIFEST_DIR"), "something to look for");
    let pid = postmaster::pid(&folder.data()).unwrap();
    let Ok(environment) = fs::read(format!("/proc/{pid}/environ")) else { return };
    let names: Vec<&str> =
        std::str::from_utf8(&environment).unwrap().split('\0').filter_map(|line| line.split('=').next()).collect();
    let known = [
        "PATH",
        "LD_LIBRARY_PATH",
        "DYLD_LIBRARY_PATH",
        "TMPDIR",
        "LC_ALL",
        "PGDATA",
        "PGLOCALEDIR",
        "PGSYSCONFDIR",
        "PWD",
        "SHLVL",
        "_",
        "",
    ];
    let others: Vec<&&str> = names.iter().filter(|name| !known.contains(*name) && !name.starts_with("PG_")).collect();
    assert!(others.is_empty(), "{others:?}");
    cluster.stop_and_remove().unwrap();
}

/// What whoever runs code as the account could do to hang the supervisor, or to have root write elsewhere.
#[test]
fn a_pipe_in_the_place_of_the_lock_file_hangs_nobody() {
    let folder = Folder::new();
    let cluster = folder.start();
    let lock_file = postmaster::lock_file(&folder.data());
    let kept = fs::read(&lock_file).unwrap();
    fs::remove_file(&lock_file).unwrap();
    nix::unistd::mkfifo(&lock_file, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let begun = Instant::now();
    assert!(!cluster.is_running());
    let fault = cluster.revive().unwrap_err().to_string();
    assert!(fault.contains("it is not a plain file of"), "{fault}");
    assert!(begun.elapsed() < Duration::from_secs(10));
    fs::remove_file(&lock_file).unwrap();
    fs::write(&lock_file, kept).unwrap();
    let owner = fs::metadata(folder.data()).unwrap();
    std::os::unix::fs::chown(&lock_file, Some(owner.uid()), Some(owner.gid())).unwrap();
    cluster.stop_and_remove().unwrap();
}
