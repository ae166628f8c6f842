//! Latchkey's own PostgreSQL, for who has no other (docs/design.md §6): made by the
//! machine's `initdb`, kept in the data folder, reached through a Unix socket
//! only, run by an unprivileged user.
//!
//! `binaries` finds the programs, `account` says as whom they run, `socket` where
//! they listen, `admission` whom they let in; `postmaster` reads what a running one says of itself, `cluster`
//! starts and stops it, `supervisor` starts it again.

mod account;
mod admission;
mod binaries;
mod cluster;
mod postmaster;
mod socket;
mod supervisor;
#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};

pub use cluster::{Durability, PrivateCluster};
pub use socket::Address;
pub use supervisor::Supervisor;

/// Why the private PostgreSQL does not run, and what would make it run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The machine has no server binaries of PostgreSQL 13 or later.
    #[error(
        "{}; install PostgreSQL with `{install}`, or use a PostgreSQL elsewhere with --database-url",
        too_old.as_ref().map_or_else(
            || "no PostgreSQL is installed here".to_owned(),
            |versions| format!("Latchkey needs PostgreSQL 13 or later, but only {versions} is installed here")
        )
    )]
    NotInstalled {
        /// The versions that are installed, if any: all older than 13.
        too_old: Option<String>,
        /// The command that installs PostgreSQL.
        install: String,
    },
    /// The data was made by a major version that is not installed.
    #[error(
        "the data in {} is of PostgreSQL {wanted}, but only {found} is installed here; \
         install PostgreSQL {wanted} again, or convert the data with pg_upgrade",
        data.display()
    )]
    OtherVersion {
        data: PathBuf,
        /// The major version that made it.
        wanted: u32,
        /// The versions that are installed.
        found: String,
    },
    /// `LATCHKEY_POSTGRES_BIN` names a folder without the programs.
    #[error(
        "LATCHKEY_POSTGRES_BIN is {}, but initdb, pg_ctl and postgres are not all in that \
         folder; name the one that holds them",
        folder.display()
    )]
    NotABinaryFolder { folder: PathBuf },
    /// Root has nobody to run PostgreSQL as.
    #[error(
        "PostgreSQL refuses to run as root, and the account `latchkey-postgres` cannot be made; \
         make it with `useradd --system --user-group latchkey-postgres`, or start Latchkey as another user"
    )]
    NoAccount,
    /// The cluster belongs to root, as which PostgreSQL refuses to run.
    #[error(
        "{} belongs to root, as which PostgreSQL refuses to run; \
         give it to its own user with `chown -R latchkey-postgres {}`",
        data.display(),
        data.display()
    )]
    OwnedByRoot { data: PathBuf },
    /// The user that runs PostgreSQL cannot reach the data folder.
    #[error(
        "the user {user}, as which PostgreSQL runs, cannot pass through {} on the way to its \
         data; allow it with `chmod o+x {}`, or choose another folder with --data-dir",
        folder.display(),
        folder.display()
    )]
    CannotPass {
        /// The user that is kept out.
        user: String,
        /// The folder that keeps it out.
        folder: PathBuf,
    },
    /// The data folder's name cannot be handed to PostgreSQL.
    #[error(
        "PostgreSQL cannot use the data folder {path:?}: its name must be UTF-8 without control \
         characters; choose another with --data-dir"
    )]
    UnusableName { path: PathBuf },
    /// The socket's folder is not one that only our PostgreSQL can write.
    #[error(
        "{} must be a folder of mode 0700 that belongs to {user}, and is not, so somebody else \
         may have made it; remove it",
        folder.display()
    )]
    NotOurs {
        folder: PathBuf,
        /// To whom it should belong.
        user: String,
    },
    #[error("cannot {action} {}: {cause}", path.display())]
    Io {
        /// What was tried, as a verb phrase.
        action: &'static str,
        /// What it was tried on.
        path: PathBuf,
        cause: io::Error,
    },
    /// One of PostgreSQL's programs failed.
    #[error("{program} failed: {said}")]
    Failed {
        program: String,
        /// The last lines that it said.
        said: String,
    },
    #[error("the private PostgreSQL did not start; the end of {} says:\n{said}", log.display())]
    NotStarted {
        log: PathBuf,
        /// The last lines of it.
        said: String,
    },
    /// PostgreSQL was met while starting or stopping, and did not come to an end of it.
    #[error(
        "the private PostgreSQL in {} accepted no connection within {seconds} seconds; \
         its log is {}",
        data.display(),
        log.display()
    )]
    NotReady {
        data: PathBuf,
        log: PathBuf,
        /// How long it was waited for.
        seconds: u64,
    },
}

fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |cause| Error::Io { action, path, cause }
}
