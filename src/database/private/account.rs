//! As whom PostgreSQL's programs run: as ourselves, or, since PostgreSQL refuses
//! to run as root, as an unprivileged user when we are root.
//!
//! That account is not trusted. Whoever runs code as it can put anything in the place of any file in its
//! folders, at any moment; so root opens such a file in one way only, [`Account::open`].

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::fcntl::OFlag;
use nix::unistd::{Gid, Uid, User, getegid, geteuid};

use super::{Error, io_error};

/// How many lines of a failed program's output are shown.
const LINES_SHOWN: usize = 10;

/// The account that is PostgreSQL's alone. Root makes it when it makes a cluster.
const OWN: &str = "latchkey-postgres";

/// How a system account is made: by shadow (most of Linux), and by busybox (Alpine).
const MAKE: [&[&str]; 2] = [
    &[
        "useradd",
        "--system",
        "--user-group",
        "--no-create-home",
        "--home-dir",
        "/nonexistent",
        "--shell",
        "/sbin/nologin",
        OWN,
    ],
    &["adduser", "-S", "-D", "-H", "-h", "/nonexistent", "-s", "/sbin/nologin", OWN],
];

/// What PostgreSQL's programs get of our environment: it also holds secrets, which are not for them.
const ENVIRONMENT: [&str; 4] = ["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR"];

/// The most that is read of a file of this account, in bytes.
const READ_MAX: u64 = 64 * 1024;

/// The user that owns the cluster and runs PostgreSQL.
#[derive(Debug, Clone)]
pub(super) struct Account {
    uid: Uid,
    gid: Gid,
    name: String,
}

impl Account {
    /// Who runs the cluster in `data`: its owner if it exists, else, for root, an
    /// account of its own, else ourselves.
    pub(super) fn for_cluster(data: &Path) -> Result<Account, Error> {
        if !geteuid().is_root() {
            return Ok(Account::of(geteuid(), getegid()));
        }
        match fs::symlink_metadata(data) {
            Ok(metadata) if metadata.uid() == 0 => Err(Error::OwnedByRoot { data: data.to_owned() }),
            Ok(metadata) => Ok(Account::owner(&metadata)),
            Err(_) => Account::named(OWN)
                .or_else(Account::make)
                // Where accounts cannot be made. Other PostgreSQLs of this machine run as this one; but never as
                // `nobody`, which any daemon may be.
                .or_else(|| Account::named("postgres"))
                .ok_or(Error::NoAccount),
        }
    }

    fn named(name: &str) -> Option<Account> {
        User::from_name(name).ok().flatten().map(|user| Account::of(user.uid, user.gid))
    }

    /// Makes the account [`OWN`], if this machine has a program for that.
    fn make() -> Option<Account> {
        MAKE.iter().filter_map(|line| line.split_first()).find_map(|(program, arguments)| {
            let made = Command::new(program).args(arguments).stdin(Stdio::null()).output();
            let made = made.is_ok_and(|output| output.status.success());
            // Another start may have made it at the same moment.
            let account = Account::named(OWN);
            if made && account.is_some() {
                log::info!("made the system account {OWN}, as which the private PostgreSQL runs");
            }
            account
        })
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

    /// Opens a file in a folder of this account: one descriptor, which is looked at before it is used. What is not a
    /// plain file of the account's own, with one name, is refused, and nothing that was put there makes us wait.
    ///
    /// # Errors
    /// The operating system's, and one for what is no such file.
    pub(super) fn open(&self, path: &Path, options: &mut OpenOptions) -> io::Result<File> {
        let file = options.custom_flags((OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK).bits()).open(path)?;
        let metadata = file.metadata()?;
        if metadata.is_file() && self.owns(&metadata) && metadata.nlink() == 1 {
            return Ok(file);
        }
        Err(io::Error::other(format!("it is not a plain file of {}'s", self.name)))
    }

    /// Reads a file in a folder of this account.
    ///
    /// # Errors
    /// As [`Account::open`].
    pub(super) fn read(&self, path: &Path) -> io::Result<String> {
        let mut text = String::new();
        self.open(path, OpenOptions::new().read(true))?.take(READ_MAX).read_to_string(&mut text)?;
        Ok(text)
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
        // Our working directory may be closed to the account.
        command.current_dir("/").env_clear().env("LC_ALL", "C");
        command.envs(ENVIRONMENT.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
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

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use super::*;

    #[test]
    fn only_a_plain_file_of_the_account_is_opened() {
        let folder = tempfile::tempdir().unwrap();
        let account = Account::owner(&fs::metadata(folder.path()).unwrap());
        let at = |name: &str| folder.path().join(name);
        fs::write(at("plain"), "text").unwrap();
        assert_eq!(account.read(&at("plain")).unwrap(), "text");
        fs::write(at("first"), "text").unwrap();
        fs::hard_link(at("first"), at("second")).unwrap();
        symlink(at("plain"), at("link")).unwrap();
        for other in ["first", "second", "link", "none", "."] {
            assert!(account.read(&at(other)).is_err(), "{other}");
        }
        let other = Account { uid: Uid::from_raw(account.uid.as_raw() + 1), ..account };
        assert!(other.read(&at("plain")).is_err());
    }

    #[test]
    fn a_pipe_in_the_place_of_a_file_makes_nobody_wait() {
        let folder = tempfile::tempdir().unwrap();
        let account = Account::owner(&fs::metadata(folder.path()).unwrap());
        let pipe = folder.path().join("pipe");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let (answered, answer) = channel();
        std::thread::spawn(move || {
            let both = account.open(&pipe, OpenOptions::new().read(true).write(true)).is_err();
            answered.send(both && account.read(&pipe).is_err())
        });
        assert_eq!(answer.recv_timeout(Duration::from_secs(10)), Ok(true));
    }
}
