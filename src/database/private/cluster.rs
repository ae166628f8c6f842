//! The cluster's life: made whole or not at all, started or adopted, stopped.
//!
//! In the data folder: `postgres` (the cluster), `postgres.new-…` (one that
//! is being made), `postgres-socket` (see `socket`), `postgres-hba.conf` and
//! `postgres-ident.conf` (see `admission`) and `postgres.log`.

use std::fs::{self, File, OpenOptions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{self, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::account::{Account, last_lines, run};
use super::admission::Admission;
use super::binaries::Binaries;
use super::postmaster::{self, State};
use super::socket::{self, Address};
use super::{Error, io_error};

/// How long PostgreSQL may take to start, to stop, or to make up its mind.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often to look at a PostgreSQL that is starting or stopping.
const POLL: Duration = Duration::from_millis(50);

/// The log is put aside at a start when it has become larger than this, in bytes.
const LARGEST_LOG: u64 = 10 * 1024 * 1024;

/// Settings that hold however much the data is worth.
const SETTINGS: [&str; 6] = [
    "listen_addresses=",
    "port=5432",
    "shared_buffers=64MB",
    "timezone=UTC",
    "log_checkpoints=off",
    // Some distributions switch it on; the log is ours to keep.
    "logging_collector=off",
];

/// What the data is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// What was committed outlives a crash of the machine. At most 100 connections.
    Durable,
    /// For tests: fast; a crash, even of the server alone, loses what was just committed.
    /// At most 300 connections.
    Throwaway,
}

impl Durability {
    fn settings(self) -> &'static [&'static str] {
        match self {
            Durability::Durable => &["max_connections=100"],
            Durability::Throwaway => {
                &["max_connections=300", "fsync=off", "synchronous_commit=off", "full_page_writes=off"]
            }
        }
    }
}

/// A PostgreSQL cluster of our own, which this process may start and stop.
///
/// Dropping it leaves PostgreSQL running; the next [`PrivateCluster::start`] adopts it.
/// Whoever starts or stops one must hold the lock of its
/// [`DataDirectory`](crate::data_directory::DataDirectory).
#[derive(Debug, Clone)]
pub struct PrivateCluster {
    data: PathBuf,
    log: PathBuf,
    account: Account,
    binaries: Binaries,
    durability: Durability,
    address: Address,
    admission: Admission,
}

impl PrivateCluster {
    /// Starts the cluster in the data folder `dir`, made first if there is none.
    ///
    /// A server that a killed Latchkey left behind is adopted as it is; one that is
    /// starting or stopping is waited for, up to 60 seconds.
    ///
    /// # Errors
    ///
    /// Any [`Error`]: each says what is in the way.
    pub fn start(dir: &Path, durability: Durability) -> Result<PrivateCluster, Error> {
        let dir = canonical(dir)?;
        let data = dir.join("postgres");
        let account = Account::for_cluster(&data)?;
        account.check_passage(&dir)?;
        let socket_folder = socket::folder_for(&dir);
        socket::make_folder(&socket_folder, &account)?;
        let cluster = PrivateCluster {
            binaries: Binaries::find(&data, &account)?,
            log: dir.join("postgres.log"),
            admission: Admission::in_folder(&dir),
            address: Address::new(socket_folder),
            data,
            account,
            durability,
        };
        cluster.initialize()?;
        cluster.revive()?;
        Ok(cluster)
    }

    /// The address of the cluster that another process runs in the data folder
    /// `dir`, once it accepts connections; it is waited for up to 60 seconds.
    ///
    /// # Errors
    ///
    /// [`Error::NotReady`] if it does not come up, [`Error::NotOurs`] if
    /// somebody else may have made the folder of its socket.
    pub fn running(dir: &Path) -> Result<Address, Error> {
        let dir = canonical(dir)?;
        let data = dir.join("postgres");
        let deadline = Instant::now() + PATIENCE;
        let ready = || {
            let owner = fs::symlink_metadata(&data).map(|metadata| Account::owner(&metadata));
            owner.is_ok_and(|account| postmaster::state(&data, &account) == State::Ready)
        };
        while !ready() {
            if Instant::now() >= deadline {
                return Err(not_ready(&data, &dir.join("postgres.log")));
            }
            thread::sleep(POLL);
        }
        let metadata = fs::symlink_metadata(&data).map_err(io_error("look at", &data))?;
        let socket_folder = socket::folder_for(&dir);
        socket::check_folder(&socket_folder, &Account::owner(&metadata))?;
        Ok(Address::new(socket_folder))
    }

    /// The cluster's own folder, inside the data folder.
    pub fn path(&self) -> &Path {
        &self.data
    }

    /// The connection URL of the database `latchkey`.
    pub fn url(&self) -> String {
        self.address.url()
    }

    /// The connection URL of another database of this cluster.
    pub fn url_of(&self, database: &str) -> String {
        self.address.url_of(database)
    }

    /// Whether the server's process lives. Reads two small files.
    pub fn is_running(&self) -> bool {
        postmaster::state(&self.data, &self.account) != State::Gone
    }

    /// Starts the server unless it runs, and returns once it accepts connections.
    ///
    /// # Errors
    ///
    /// [`Error::NotStarted`] with the end of the log, [`Error::NotReady`] after 60 seconds.
    pub fn revive(&self) -> Result<(), Error> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match postmaster::state(&self.data, &self.account) {
                State::Ready => return Ok(()),
                State::Changing => {}
                State::Gone => match self.launch() {
                    Ok(()) => return Ok(()),
                    Err(error) if is_passing(&error) && Instant::now() < deadline => {}
                    Err(error) => return Err(error),
                },
            }
            if Instant::now() >= deadline {
                return Err(not_ready(&self.data, &self.log));
            }
            thread::sleep(POLL);
        }
    }

    /// Stops the server cleanly: open connections are closed, their transactions
    /// rolled back, and all is written to the disk.
    ///
    /// # Errors
    ///
    /// [`Error::Failed`] if it has not ended after 60 seconds.
    pub fn stop(self) -> Result<(), Error> {
        self.shut_down("fast")
    }

    /// Stops the server and removes everything that it kept, for tests.
    ///
    /// # Errors
    ///
    /// As [`Self::stop`], and [`Error::Io`] if something cannot be removed.
    pub fn stop_and_remove(self) -> Result<(), Error> {
        self.shut_down("immediate")?;
        for folder in [&self.data, self.address.folder()] {
            fs::remove_dir_all(folder).map_err(io_error("remove", folder))?;
        }
        self.admission.remove()?;
        fs::remove_file(&self.log).map_err(io_error("remove", &self.log))
    }

    fn shut_down(&self, mode: &str) -> Result<(), Error> {
        if !self.is_running() {
            return Ok(());
        }
        let stopped = run(self.pg_ctl().args(["stop", "--wait", "-t", "60", "-m", mode]), "");
        // It may have ended by itself between the question and the order.
        if self.is_running() { stopped } else { Ok(()) }
    }

    /// Makes the cluster and its database `latchkey`, if there is none yet.
    ///
    /// This happens beside its final place, so that whoever is killed in the middle
    /// leaves nothing that looks like a cluster.
    fn initialize(&self) -> Result<(), Error> {
        self.remove_unfinished();
        if self.data.join("PG_VERSION").exists() {
            return Ok(());
        }
        // A name of its own, because the initdb of a killed Latchkey may still be
        // at work in the folder that it was given.
        let unfinished = self.data.with_extension(format!("new-{}", process::id()));
        // Without C.UTF-8 (macOS), only the case of ASCII letters is ignored in searches.
        if self.initdb(&unfinished, "C.UTF-8").is_err() {
            self.remove_unfinished();
            self.initdb(&unfinished, "C")?;
        }
        let mut single = self.account.command(&self.binaries.postgres());
        single.args(["--single", "-F", "-c", "exit_on_error=on", "-D"]);
        // The service is no superuser in its own database: what gets into it reads no file and runs no program.
        let role = match self.durability {
            Durability::Durable => "CREATE ROLE latchkey LOGIN",
            // Tests make and drop databases, also while autovacuum is at work in them.
            Durability::Throwaway => "CREATE ROLE latchkey LOGIN CREATEDB IN ROLE pg_signal_backend",
        };
        let statements = format!("{role}\nCREATE DATABASE latchkey OWNER latchkey\n");
        run(single.arg(&unfinished).arg("postgres"), &statements)?;
        if self.durability == Durability::Durable {
            let mut sync = self.account.command(&self.binaries.initdb());
            run(sync.args(["--sync-only", "-D"]).arg(&unfinished), "")?;
        }
        fs::rename(&unfinished, &self.data)
            .and_then(|()| File::open(self.data.parent().unwrap_or(&self.data))?.sync_all())
            .map_err(io_error("put the new cluster into", &self.data))
    }

    /// Removes what a killed or failed attempt at making the cluster has left.
    fn remove_unfinished(&self) {
        let unfinished = fs::read_dir(self.data.parent().unwrap_or(&self.data))
            .into_iter()
            .flatten()
            .flatten()
            .filter(|entry| entry.file_name().as_bytes().starts_with(b"postgres.new-"));
        for entry in unfinished {
            if let Err(error) = fs::remove_dir_all(entry.path()) {
                // It is in nobody's way; the next start tries again.
                log::warn!("cannot remove {}: {error}", entry.path().display());
            }
        }
    }

    fn initdb(&self, folder: &Path, locale: &str) -> Result<(), Error> {
        fs::create_dir(folder)
            .and_then(|()| fs::set_permissions(folder, fs::Permissions::from_mode(0o700)))
            .map_err(io_error("create the folder", folder))?;
        self.account.take(folder)?;
        let mut initdb = self.account.command(&self.binaries.initdb());
        // Whom the server lets in is said in `admission`; nobody ever comes in as this superuser.
        initdb.args(["--username=postgres", "--auth-local=peer", "--auth-host=reject", "--encoding=UTF8"]);
        initdb.args(["--no-sync", "--locale", locale, "-D"]);
        run(initdb.arg(folder), "")
    }

    /// Starts the server, and returns once it accepts connections.
    fn launch(&self) -> Result<(), Error> {
        for lock_file in [postmaster::lock_file(&self.data), self.address.lock_file()] {
            postmaster::forget_recycled_pid(&lock_file, &self.data, &self.account)?;
        }
        self.admission.write()?;
        let log = self.open_log()?;
        let old_length = log.metadata().map_or(0, |metadata| metadata.len());
        let copy = log.try_clone().map_err(io_error("open", &self.log))?;
        let mut pg_ctl = self.pg_ctl();
        // pg_ctl takes the server into a session of its own: Ctrl-C at our
        // terminal does not reach it. Its `--log` would not survive a `$` in the path.
        pg_ctl.args(["start", "--silent", "--wait", "-t", "60", "-o"]).arg(self.server_options());
        let status = pg_ctl
            .stdout(Stdio::from(log))
            .stderr(Stdio::from(copy))
            .status()
            .map_err(io_error("run", &self.binaries.pg_ctl()))?;
        if status.success() {
            return Ok(());
        }
        let text = fs::read(&self.log).unwrap_or_default();
        let new = usize::try_from(old_length).ok().and_then(|start| text.get(start..));
        Err(Error::NotStarted { log: self.log.clone(), said: last_lines(new.unwrap_or(&text)) })
    }

    /// A `pg_ctl` for this cluster.
    fn pg_ctl(&self) -> Command {
        let mut pg_ctl = self.account.command(&self.binaries.pg_ctl());
        // Not as `-D`, which pg_ctl would hand to a shell without due quoting.
        pg_ctl.env("PGDATA", &self.data);
        // An impatient second Ctrl-C must not interrupt a clean stop.
        pg_ctl.process_group(0);
        pg_ctl
    }

    /// The server's command line, as pg_ctl hands it to a shell.
    fn server_options(&self) -> String {
        let data = self.data.to_string_lossy().replace('\'', r"'\''");
        let socket = format!("unix_socket_directories={}", self.address.folder().display());
        let settings = SETTINGS.iter().chain(self.durability.settings());
        settings
            .copied()
            .chain([socket.as_str()])
            .fold(format!("-D '{data}'{}", self.admission.options()), |options, setting| {
                format!("{options} -c {setting}")
            })
    }

    /// Opens the log at its end; a large one is put aside first.
    fn open_log(&self) -> Result<File, Error> {
        if fs::metadata(&self.log).is_ok_and(|metadata| metadata.len() > LARGEST_LOG) {
            fs::rename(&self.log, self.log.with_extension("log.1"))
                .map_err(io_error("put aside the log", &self.log))?;
        }
        OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&self.log)
            .map_err(io_error("open the log", &self.log))
    }
}

/// The data folder's real path, which must survive PostgreSQL's files of lines.
fn canonical(dir: &Path) -> Result<PathBuf, Error> {
    let path = fs::canonicalize(dir).map_err(io_error("open the data folder", dir))?;
    match path.to_str() {
        Some(text) if !text.contains(char::is_control) => Ok(path),
        _ => Err(Error::UnusableName { path }),
    }
}

/// Whether a start failed because processes of a killed server are not gone yet.
fn is_passing(error: &Error) -> bool {
    matches!(error, Error::NotStarted { said, .. } if said.contains("is still in use"))
}

fn not_ready(data: &Path, log: &Path) -> Error {
    Error::NotReady { data: data.to_owned(), log: log.to_owned(), seconds: PATIENCE.as_secs() }
}
