//! As whom PostgreSQL's programs run: as ourselves, or, since PostgreSQL refuses
//! to run as root, as an unprivileged user when we are root.

use std::fs::{self, Metadata};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::unistd::{Gid, Uid, User, getegid, geteuid};

use super::{Error, io_error};

/// How many lines of a failed program's output are shown.
const LINES_SHOWN: usize = 10;

/// The user that owns the cluster and runs PostgreSQL.
#[derive(Debug, Clone)]
pub(super) struct Account {
    uid: Uid,
    gid: Gid,
    name: String,
}

impl Account {
    /// Who runs the cluster in `data`: its owner if it exists, else, for root,
    /// `postgres` or `nobody`, else ourselves.
    pub(super) fn for_cluster(data: &Path) -> Result<Account, Error> {
        if !geteuid().is_root() {
            return Ok(Account::of(geteuid(), getegid()));
        }
        match fs::metadata(data) {
            Ok(metadata) if metadata.uid() == 0 => Err(Error::OwnedByRoot { data: data.to_owned() }),
            Ok(metadata) => Ok(Account::owner(&metadata)),
            Err(_) => ["postgres", "nobody"]
                .into_iter()
                .find_map(|name| User::from_name(name).ok().flatten())
                .map(|user| Account::of(user.uid, user.gid))
                .ok_or(Error::NoAccount),
        }
    }

    /// The account to which a file belongs.
    pub(super) fn owner(metadata: &Metadata) -> Account {
        Account::of(Uid::from_raw(metadata.uid()), Gid::from_raw(metadata.gid()))
    }

    fn of(uid: Uid, gid: Gid) -> Account {
        let user = User::from_uid(uid).ok().flatten();
        let name = user.map_or_else(|| uid.to_string(), |user| user.name);
        Account { uid, gid, name }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn owns(&self, metadata: &Metadata) -> bool {
        metadata.uid() == self.uid.as_raw()
    }

    /// Gives a file or folder of ours to this account.
    pub(super) fn take(&self, path: &Path) -> Result<(), Error> {
        if self.uid == geteuid() {
            return Ok(());
        }
        chown(path, Some(self.uid.as_raw()), Some(self.gid.as_raw())).map_err(io_error("change the owner of", path))
    }

    /// Checks that this account can get into `folder`, which needs the right to
    /// search it and everything above it.
    pub(super) fn check_passage(&self, folder: &Path) -> Result<(), Error> {
        for step in folder.ancestors() {
            let metadata = fs::metadata(step).map_err(io_error("look at", step))?;
            let right = if self.owns(&metadata) {
                0o100
            } else if metadata.gid() == self.gid.as_raw() {
                0o010
            } else {
                0o001
            };
            if metadata.mode() & right == 0 {
                return Err(Error::CannotPass { user: self.name.clone(), folder: step.to_owned() });
            }
        }
        Ok(())
    }

    /// A command that runs as this account, whatever our own surroundings are.
    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        // Our working directory may be closed to the account, and libpq's and
        // PostgreSQL's own variables (PGDATA, PGPORT, …) are meant for others.
        command.current_dir("/").env("LC_ALL", "C");
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PG") {
                command.env_remove(name);
            }
        }
        if self.uid != geteuid() {
            // std drops our supplementary groups along with this.
            command.uid(self.uid.as_raw()).gid(self.gid.as_raw());
        }
        command.stdin(Stdio::null());
        command
    }
}

/// Runs a command to its end with `input` on its standard input.
pub(super) fn run(command: &mut Command, input: &str) -> Result<(), Error> {
    let program = Path::new(command.get_program()).to_owned();
    let mut attempt = || -> io::Result<_> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            match stdin.write_all(input.as_bytes()) {
                // It ended without reading; its output tells why.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
                other => other?,
            }
        }
        child.wait_with_output()
    };
    let output = attempt().map_err(io_error("run", &program))?;
    if output.status.success() {
        return Ok(());
    }
    let said = if output.stderr.is_empty() { output.stdout } else { output.stderr };
    Err(Error::Failed { program: program.display().to_string(), said: last_lines(&said) })
}

/// The last few lines of a program's output, without blank ones.
pub(super) fn last_lines(output: &[u8]) -> String {
    let text = String::from_utf8_lossy(output);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let shown = lines.len().saturating_sub(LINES_SHOWN);
    lines.get(shown..).unwrap_or_default().join("\n")
}
