//! One throw-away PostgreSQL for all tests, and a database of its own for each service.

use std::ffi::OsStr;
use std::ops::Deref;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock};

use diesel::{Connection, PgConnection, RunQueryDsl, sql_query};
use latchkey::database::migrations::migrate;
use latchkey::database::private::{Durability, PrivateCluster};

use super::leaks;

const TEMPLATE: &str = "latchkey_template";

/// Waits until the process that holds its standard input ends, however it ends, then stops PostgreSQL at once and
/// removes the folder `$1`. PostgreSQL names its socket's folder in the fifth line of `postmaster.pid`.
const KEEPER: &str = r#"
    trap '' HUP INT TERM
    cat
    if { read -r pid; read -r _; read -r _; read -r _; read -r socket; } <"$1/postgres/postmaster.pid"; then
        kill -QUIT "$pid"
        tries=0
        while [ -e "$1/postgres/postmaster.pid" ] && [ $tries -lt 100 ]; do
            tries=$((tries + 1))
            sleep 0.1
        done
        rm -rf "$socket"
    fi
    rm -rf "$1"
"#;

struct Cluster {
    folder: PathBuf,
    postgres: PrivateCluster,
    /// Holds the standard input of [`KEEPER`].
    _keeper: Child,
}

static CLUSTER: LazyLock<Cluster> = LazyLock::new(|| {
    let folder = folder("tests");
    let mut keeper = Command::new("sh");
    keeper.args(["-c", KEEPER, "keeper"]).arg(&folder).stdin(Stdio::piped());
    let keeper = keeper.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("there is a shell");
    let postgres = PrivateCluster::start(&folder, Durability::Throwaway).expect("PostgreSQL starts");
    execute(&postgres.url_of("postgres"), &format!("CREATE DATABASE {TEMPLATE}"));
    migrate(&postgres.url_of(TEMPLATE)).expect("the template is migrated");
    Cluster { folder, postgres, _keeper: keeper }
});

/// A folder that also PostgreSQL's unprivileged user can reach. Who asks for it removes it.
pub fn folder(name: &str) -> PathBuf {
    let folder = tempfile::Builder::new().prefix(&format!("latchkey-{name}-")).tempdir().unwrap().keep();
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o711)).unwrap();
    folder
}

/// Removes a folder that [`folder`] made.
pub fn remove_folder(folder: &Path) {
    let _ = std::fs::remove_dir_all(folder);
}

pub fn path() -> &'static Path {
    &CLUSTER.folder
}

/// Where the logs of services go that tests run as processes.
pub fn logs() -> PathBuf {
    let logs = CLUSTER.folder.join("logs");
    std::fs::create_dir_all(&logs).unwrap();
    logs
}

pub fn postgres_log() -> PathBuf {
    CLUSTER.folder.join("postgres.log")
}

/// The URL of a database. When the last copy of it goes, the database is searched for secrets and dropped.
#[derive(Clone)]
pub struct Database(Arc<Kept>);

struct Kept {
    url: String,
    /// The database in which its first tokens were made: of a copy, that which it was copied from.
    origin: Arc<str>,
    /// Empty if it is not in the cluster of all tests.
    name: String,
}

impl Database {
    /// A new one with every table and no row.
    pub fn new() -> Self {
        Self::clone_of(TEMPLATE, None)
    }

    /// A new one without any table.
    pub fn empty() -> Self {
        Self::clone_of("template0", None)
    }

    /// One of another PostgreSQL, which is left as it is.
    pub fn elsewhere(url: String) -> Self {
        Self(Arc::new(Kept { origin: url.as_str().into(), url, name: String::new() }))
    }

    /// A copy of this one, to which nobody may be connected.
    pub fn copy(&self) -> Self {
        Self::clone_of(&self.0.name, Some(&self.0.origin))
    }

    fn clone_of(template: &str, origin: Option<&Arc<str>>) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("test{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let postgres = &CLUSTER.postgres;
        execute(&postgres.url_of("postgres"), &format!("CREATE DATABASE {name} TEMPLATE {template}"));
        let url = postgres.url_of(&name);
        let origin = origin.map_or_else(|| url.as_str().into(), Arc::clone);
        Self(Arc::new(Kept { url, origin, name }))
    }

    /// What the secrets made by its services are remembered with.
    pub fn origin(&self) -> &Arc<str> {
        &self.0.origin
    }
}

impl Deref for Database {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0.url
    }
}

impl AsRef<OsStr> for Database {
    fn as_ref(&self) -> &OsStr {
        self.0.url.as_ref()
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        if self.name.is_empty() {
            return;
        }
        let mut found = vec![];
        if !std::thread::panicking() {
            found = leaks::search_database(&self.url);
        }
        let drop = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        // A test that fails already must not panic again.
        let dropped = try_execute(&CLUSTER.postgres.url_of("postgres"), &drop);
        leaks::fail_on(|| {
            dropped.expect("the database is dropped");
            found
        });
    }
}

/// A new key whose id can be written (docs/design.md §2), as SQL.
const NEW_ID: &str = "overlay(overlay(gen_random_uuid()::text PLACING '8' FROM 15) PLACING '00000000' FROM 29)::uuid";

/// Runs a statement, in which `new_id()` makes a key as Latchkey does.
pub fn execute(url: &str, statement: &str) {
    try_execute(url, statement).unwrap();
}

fn try_execute(url: &str, statement: &str) -> Result<usize, Box<dyn std::error::Error>> {
    let mut connection = PgConnection::establish(url)?;
    Ok(sql_query(statement.replace("new_id()", NEW_ID)).execute(&mut connection)?)
}
