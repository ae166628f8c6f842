//! The data folder: where Latchkey keeps its private PostgreSQL and the first
//! admin's token, the key that signing keys are encrypted with, and the lock
//! that says who may start that PostgreSQL.
//!
//! The lock is `flock(2)` on `<folder>/lock`, so the kernel frees it however
//! its holder ends. What the file says (`serve 123`) only explains the lock.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{env, process, thread};

use nix::unistd::geteuid;
use secrecy::{ExposeSecret, SecretString};

/// How long to wait for a command that holds the lock.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often to look whether the lock has become free.
const POLL: Duration = Duration::from_millis(50);

/// What is wrong with the data folder, in one line for the person who chose it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another server holds the lock.
    #[error(
        "another latchkey (process {pid}) is already serving from the data folder {}; \
         stop it or choose another with --data-dir",
        path.display()
    )]
    Served { pid: u32, path: PathBuf },
    /// A command held the lock for longer than anybody should wait.
    #[error(
        "another latchkey command{} has been using the data folder {} for {} seconds; \
         let it finish or choose another folder with --data-dir",
        pid.map(|pid| format!(" (process {pid})")).unwrap_or_default(),
        path.display(),
        PATIENCE.as_secs()
    )]
    Busy {
        /// The command's process id, if it has written one.
        pid: Option<u32>,
        path: PathBuf,
    },
    /// There is no place to put the data folder.
    #[error(
        "neither XDG_DATA_HOME nor HOME says where the data folder should be; \
         choose one with --data-dir"
    )]
    NoHome,
    #[error(
        "cannot {action} {}: {cause}; a data folder that this user may write can be chosen \
         with --data-dir",
        path.display()
    )]
    Io {
        /// What was tried, as a verb phrase.
        action: &'static str,
        /// What it was tried on.
        path: PathBuf,
        cause: io::Error,
    },
}

/// What a process opens the data folder for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// `latchkey serve`: needs the folder for itself.
    Serve,
    /// Any other command: uses a running server's PostgreSQL, or its own for a moment.
    Command,
}

impl Purpose {
    fn word(self) -> &'static str {
        match self {
            Purpose::Serve => "serve",
            Purpose::Command => "command",
        }
    }
}

/// Whether the opener may start and stop what lives in the folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// The lock is held: start and stop the private PostgreSQL at will.
    Exclusive,
    /// A server holds the lock: use its PostgreSQL, and leave it running.
    BesideServer { pid: u32 },
}

/// An open data folder; the lock, if held, is freed when this is dropped.
#[derive(Debug)]
pub struct DataDirectory {
    path: PathBuf,
    access: Access,
    _lock: Option<File>,
}

/// Where the data folder is unless `--data-dir` says otherwise (docs/design.md §6):
/// `/var/lib/latchkey` for root, else `$XDG_DATA_HOME/latchkey`, else
/// `~/.local/share/latchkey`.
///
/// # Errors
///
/// [`Error::NoHome`] if the user has no home directory.
pub fn default_path() -> Result<PathBuf, Error> {
    if geteuid().is_root() {
        return Ok(PathBuf::from("/var/lib/latchkey"));
    }
    // The XDG specification: a relative path is to be ignored.
    let from_xdg = env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let from_home = || env::home_dir().filter(|path| path.is_absolute()).map(|home| home.join(".local/share"));
    let parent = from_xdg.or_else(from_home).ok_or(Error::NoHome)?;
    Ok(parent.join("latchkey"))
}

impl DataDirectory {
    /// Opens the folder, makes it if it is missing, and takes its lock.
    ///
    /// A server refuses at once if another server holds the lock. A command then
    /// shares that server's PostgreSQL ([`Access::BesideServer`]). Both wait up
    /// to 30 seconds for a command that holds it.
    ///
    /// # Errors
    ///
    /// [`Error::Served`] and [`Error::Busy`] if the lock is taken, [`Error::Io`] if
    /// the folder cannot be made or written.
    pub fn open(path: &Path, purpose: Purpose) -> Result<DataDirectory, Error> {
        let path = make_folder(path)?;
        let lock_path = path.join("lock");
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&lock_path)
            .map_err(io_error("open the lock file", &lock_path))?;
        let access = acquire(&lock, &path, purpose)?;
        if access == Access::Exclusive {
            lock.set_len(0)
                .and_then(|()| writeln!(lock, "{} {}", purpose.word(), process::id()))
                .map_err(io_error("write the lock file", &lock_path))?;
        }
        Ok(DataDirectory { path, access, _lock: (access == Access::Exclusive).then_some(lock) })
    }

    /// The folder without its lock: for who keeps nothing but the admin's token in it, because the
    /// database is somebody else's.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if the folder cannot be made.
    pub fn open_unlocked(path: &Path) -> Result<DataDirectory, Error> {
        Ok(DataDirectory { path: make_folder(path)?, access: Access::Exclusive, _lock: None })
    }

    /// The folder's absolute path, without symbolic links.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether this process holds the folder or shares that of a server.
    pub fn access(&self) -> Access {
        self.access
    }

    /// Where the first admin's token is written.
    pub fn admin_token_path(&self) -> PathBuf {
        self.path.join("admin-token")
    }

    /// Writes the admin's token, and a newline, to [`Self::admin_token_path`].
    ///
    /// The file has mode 0600 from its first moment, and is there whole or not at
    /// all: it is written under another name, flushed to the disk and renamed.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if the file cannot be written.
    pub fn write_admin_token(&self, secret: &SecretString) -> Result<PathBuf, Error> {
        let path = self.admin_token_path();
        let unfinished = self.path.join("admin-token.new");
        let write = || -> io::Result<()> {
            match fs::remove_file(&unfinished) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
            writeln!(file, "{}", secret.expose_secret())?;
            file.sync_all()?;
            fs::rename(&unfinished, &path)?;
            File::open(&self.path)?.sync_all()
        };
        write().map_err(io_error("write the admin's token to", &path))?;
        Ok(path)
    }

    /// Where the key is that signing keys are encrypted with, unless one is given.
    pub fn encryption_key_path(&self) -> PathBuf {
        self.path.join("encryption-key")
    }

    /// What [`Self::encryption_key_path`] holds; the first time, the `new` key, for the owner's eyes only.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if the file cannot be read or written.
    pub fn encryption_key(&self, new: impl FnOnce() -> io::Result<SecretString>) -> Result<SecretString, Error> {
        let path = self.encryption_key_path();
        let read = || fs::read_to_string(&path).map(SecretString::from);
        match read() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                new()
                    .and_then(|key| self.write_encryption_key(&path, &key))
                    .map_err(io_error("write the encryption key to", &path))?;
                read()
            }
            known => known,
        }
        .map_err(io_error("read the encryption key in", &path))
    }

    /// The file is there whole or not at all, and whoever makes it first has made it: services may share the folder.
    fn write_encryption_key(&self, path: &Path, key: &SecretString) -> io::Result<()> {
        let unfinished = self.path.join(format!("encryption-key.{}", uuid::Uuid::now_v7()));
        let write = || -> io::Result<()> {
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
            writeln!(file, "{}", key.expose_secret())?;
            file.sync_all()?;
            match fs::hard_link(&unfinished, path) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
                _ => File::open(&self.path)?.sync_all(),
            }
        };
        let written = write();
        // Gone already, if it could not even be made.
        let _ = fs::remove_file(&unfinished);
        written
    }
}

/// Makes the folder if it is missing, and gives its canonical path.
fn make_folder(path: &Path) -> Result<PathBuf, Error> {
    if !path.is_dir() {
        // Root's PostgreSQL runs as another user, which must pass through here.
        let mode = if geteuid().is_root() { 0o711 } else { 0o700 };
        DirBuilder::new()
            .recursive(true)
            .mode(mode)
            .create(path)
            // Again, because a umask may have taken bits away.
            .and_then(|()| fs::set_permissions(path, Permissions::from_mode(mode)))
            .map_err(io_error("create the data folder", path))?;
    }
    fs::canonicalize(path).map_err(io_error("open the data folder", path))
}

/// Takes the lock, or finds out beside whom to work.
fn acquire(lock: &File, path: &Path, purpose: Purpose) -> Result<Access, Error> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(Access::Exclusive),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(cause)) => {
                return Err(io_error("lock", &path.join("lock"))(cause));
            }
        }
        // Sleeping before reading gives a new holder time to write its name
        // over that of the one before.
        thread::sleep(POLL);
        let pid = match (holder(path), purpose) {
            (Some((Purpose::Serve, pid)), Purpose::Serve) => {
                let path = path.to_owned();
                return Err(Error::Served { pid, path });
            }
            (Some((Purpose::Serve, pid)), Purpose::Command) => {
                return Ok(Access::BesideServer { pid });
            }
            (Some((Purpose::Command, pid)), _) => Some(pid),
            (None, _) => None,
        };
        if Instant::now() >= deadline {
            let path = path.to_owned();
            return Err(Error::Busy { pid, path });
        }
    }
}

/// Who holds the lock, as the lock file says.
fn holder(path: &Path) -> Option<(Purpose, u32)> {
    let text = fs::read_to_string(path.join("lock")).ok()?;
    let (word, pid) = text.trim_end().split_once(' ')?;
    let purpose = [Purpose::Serve, Purpose::Command].into_iter().find(|purpose| purpose.word() == word)?;
    Some((purpose, pid.parse().ok()?))
}

fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |cause| Error::Io { action, path, cause }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_server_is_refused_and_told_who_the_first_is() {
        let folder = tempfile::tempdir().unwrap();
        let first = DataDirectory::open(folder.path(), Purpose::Serve).unwrap();
        let second = DataDirectory::open(folder.path(), Purpose::Serve).unwrap_err();
        assert_eq!(
            second.to_string(),
            format!(
                "another latchkey (process {}) is already serving from the data folder {}; \
                 stop it or choose another with --data-dir",
                process::id(),
                first.path().display()
            )
        );
        drop(first);
        DataDirectory::open(folder.path(), Purpose::Serve).unwrap();
    }

    #[test]
    fn a_command_works_beside_a_server() {
        let folder = tempfile::tempdir().unwrap();
        let server = DataDirectory::open(folder.path(), Purpose::Serve).unwrap();
        let command = DataDirectory::open(folder.path(), Purpose::Command).unwrap();
        let pid = process::id();
        assert_eq!(server.access(), Access::Exclusive);
        assert_eq!(command.access(), Access::BesideServer { pid });
    }

    #[test]
    fn a_server_waits_for_a_command_to_finish() {
        let folder = tempfile::tempdir().unwrap();
        let command = DataDirectory::open(folder.path(), Purpose::Command).unwrap();
        let finishing = thread::spawn(move || {
            thread::sleep(Duration::from_millis(300));
            drop(command);
        });
        let server = DataDirectory::open(folder.path(), Purpose::Serve).unwrap();
        assert_eq!(server.access(), Access::Exclusive);
        finishing.join().unwrap();
    }

    #[test]
    fn the_name_of_a_dead_holder_bars_nobody() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("lock"), "serve 1\n").unwrap();
        DataDirectory::open(folder.path(), Purpose::Serve).unwrap();
        let text = fs::read_to_string(folder.path().join("lock")).unwrap();
        assert_eq!(text, format!("serve {}\n", process::id()));
    }

    #[test]
    fn a_new_folder_lets_only_root_s_postgres_through() {
        let parent = tempfile::tempdir().unwrap();
        let data = DataDirectory::open(&parent.path().join("a/b"), Purpose::Command).unwrap();
        let mode = fs::metadata(data.path()).unwrap().permissions().mode() & 0o777;
        let expected = if geteuid().is_root() { 0o711 } else { 0o700 };
        assert_eq!(mode, expected);
    }

    #[test]
    fn the_encryption_key_is_made_once_and_for_the_owner_s_eyes_only() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDirectory::open_unlocked(folder.path()).unwrap();
        let new = || Ok(uuid::Uuid::now_v7().to_string().into());
        let make = || data.encryption_key(new).unwrap().expose_secret().to_owned();
        let made: Vec<String> = thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(make)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(made.iter().all(|key| *key == made[0] && key.trim().parse::<uuid::Uuid>().is_ok()));
        assert_eq!(make(), made[0]);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing unfinished is left");
        let mode = fs::metadata(data.encryption_key_path()).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);
    }

    #[test]
    fn the_admin_token_is_for_the_owner_s_eyes_only() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDirectory::open(folder.path(), Purpose::Serve).unwrap();
        fs::write(data.path().join("admin-token.new"), "left by a crash").unwrap();
        for secret in ["lku_first", "lku_second"] {
            let path = data.write_admin_token(&secret.into()).unwrap();
            assert_eq!(path, data.admin_token_path());
            assert_eq!(fs::read_to_string(&path).unwrap(), format!("{secret}\n"));
            let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600);
        }
        assert!(!data.path().join("admin-token.new").exists());
    }
}
