//! Whom the server lets in: the role `latchkey`, for the user that runs the service and for root. It asks the
//! operating system who is at the other end of the socket (`peer`), so that there is no password to keep.
//!
//! The two files lie in the data folder and belong to the service, not to the account that runs PostgreSQL.

use std::fs::{self, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use nix::unistd::{User, geteuid};

use super::{Error, io_error};

const HBA: &str = "\
# Whom the private PostgreSQL lets in. Latchkey writes this file at each start.
local all latchkey peer map=latchkey
";

/// PostgreSQL's `hba_file` and `ident_file`.
#[derive(Debug, Clone)]
pub(super) struct Admission {
    hba: PathBuf,
    ident: PathBuf,
}

impl Admission {
    pub(super) fn in_folder(dir: &Path) -> Admission {
        Admission { hba: dir.join("postgres-hba.conf"), ident: dir.join("postgres-ident.conf") }
    }

    /// Writes both files.
    pub(super) fn write(&self) -> Result<(), Error> {
        let ourselves = User::from_uid(geteuid()).ok().flatten().map(|user| user.name);
        let ident: String = ourselves
            .iter()
            .map(String::as_str)
            .chain(["root"])
            .map(|name| format!("latchkey \"{name}\" latchkey\n"))
            .collect();
        for (path, text) in [(&self.hba, HBA), (&self.ident, &ident)] {
            let write = || {
                // In another's place, so that a server that reads it in this moment reads a whole one.
                let new = path.with_extension("new");
                let mut file = OpenOptions::new().create(true).truncate(true).write(true).open(&new)?;
                file.set_permissions(Permissions::from_mode(0o644))?;
                file.write_all(text.as_bytes())?;
                fs::rename(&new, path)
            };
            write().map_err(io_error("write", path))?;
        }
        Ok(())
    }

    /// The settings that name them, as pg_ctl hands them to a shell.
    pub(super) fn options(&self) -> String {
        let quoted = |path: &Path| path.to_string_lossy().replace('\'', r"'\''");
        format!(" -c hba_file='{}' -c ident_file='{}'", quoted(&self.hba), quoted(&self.ident))
    }

    /// Removes both files, for tests.
    pub(super) fn remove(&self) -> Result<(), Error> {
        [&self.hba, &self.ident]
            .into_iter()
            .try_for_each(|path| fs::remove_file(path).map_err(io_error("remove", path)))
    }
}
