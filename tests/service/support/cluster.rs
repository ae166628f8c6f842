//! One throw-away PostgreSQL for all tests, and a database of its own for each.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};

use diesel::{Connection, PgConnection, RunQueryDsl, sql_query};
use latchkey::database::migrations::migrate;
use latchkey::database::private::{Durability, PrivateCluster};

const TEMPLATE: &str = "latchkey_template";

struct Cluster {
    folder: PathBuf,
    postgres: PrivateCluster,
    databases: Mutex<Vec<String>>,
}

static CLUSTER: OnceLock<Cluster> = OnceLock::new();

/// Starts PostgreSQL with the migrated template, the first time.
pub fn get() {
    cluster();
}

fn cluster() -> &'static Cluster {
    CLUSTER.get_or_init(|| {
        let folder = folder("tests");
        let postgres = PrivateCluster::start(&folder, Durability::Throwaway).expect("PostgreSQL starts");
        execute(&postgres.url_of("postgres"), &format!("CREATE DATABASE {TEMPLATE}"));
        migrate(&postgres.url_of(TEMPLATE)).expect("the template is migrated");
        Cluster { folder, postgres, databases: Mutex::default() }
    })
}

/// A folder that also PostgreSQL's unprivileged user can reach. Who asks for it removes it.
pub fn folder(name: &str) -> PathBuf {
    let folder = tempfile::Builder::new().prefix(&format!("latchkey-{name}-")).tempdir().unwrap().keep();
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o711)).unwrap();
    folder
}

/// Where the logs of services that tests run as processes go.
pub fn logs() -> PathBuf {
    let logs = cluster().folder.join("logs");
    std::fs::create_dir_all(&logs).unwrap();
    logs
}

/// PostgreSQL's own log.
pub fn postgres_log() -> PathBuf {
    cluster().folder.join("postgres.log")
}

/// The URL of a new database with every table and no row.
pub fn new_database() -> String {
    clone(TEMPLATE)
}

fn clone(template: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("test{}", COUNT.fetch_add(1, Ordering::Relaxed));
    let cluster = cluster();
    execute(&cluster.postgres.url_of("postgres"), &format!("CREATE DATABASE {name} TEMPLATE {template}"));
    let url = cluster.postgres.url_of(&name);
    cluster.databases.lock().unwrap().push(url.clone());
    url
}

/// The URL of a copy of a database, to which nobody may be connected.
pub fn copy_of(url: &str) -> String {
    let name = url.rsplit('/').next().unwrap().split('?').next().unwrap();
    clone(name)
}

/// Drops a copy of a database to which nobody is connected any more, unsearched: what it tells another copy tells, too.
pub fn discard(url: &str) {
    let cluster = cluster();
    cluster.databases.lock().unwrap().retain(|known| known != url);
    let name = url.rsplit('/').next().unwrap().split('?').next().unwrap();
    execute(&cluster.postgres.url_of("postgres"), &format!("DROP DATABASE {name} WITH (FORCE)"));
}

/// The URLs of all databases that tests used.
pub fn databases() -> Vec<String> {
    cluster().databases.lock().unwrap().clone()
}

/// Runs one statement.
pub fn execute(url: &str, statement: &str) {
    let mut connection = PgConnection::establish(url).unwrap();
    sql_query(statement).execute(&mut connection).unwrap();
}

/// Stops PostgreSQL and removes everything.
pub fn remove() {
    let Cluster { folder, postgres, .. } = cluster();
    postgres.clone().stop_and_remove().unwrap();
    remove_folder(folder);
}

/// Removes a folder that [`folder`] made.
pub fn remove_folder(folder: &Path) {
    let _ = std::fs::remove_dir_all(folder);
}
