//! What a cluster's `postmaster.pid` says: which process serves the cluster, and
//! whether it accepts connections. Read directly, because it is asked twice a second.

use std::fs::{self, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use nix::sys::signal::kill;
use nix::unistd::Pid;

use super::account::Account;
use super::{Error, io_error};

/// Which line of `postmaster.pid` holds the state, from 0 (PostgreSQL's
/// `LOCK_FILE_LINE_PM_STATUS`, in all versions from 10 on).
const STATE_LINE: usize = 7;

/// The most that PostgreSQL writes into such a file, in bytes.
const LONGEST: u64 = 64 * 1024;

/// Where a cluster's server is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Gone,
    /// A server runs, but accepts no connection yet, or none any more.
    Changing,
    Ready,
}

/// The file in which the server of the cluster in `data` says that it runs.
pub(super) fn lock_file(data: &Path) -> PathBuf {
    data.join("postmaster.pid")
}

/// The state of the server of the cluster in `data`, which is the account's.
pub(super) fn state(data: &Path, account: &Account) -> State {
    let Ok(text) = account.read(&lock_file(data)) else {
        return State::Gone;
    };
    if !pid_in(&text).is_some_and(|pid| serves(pid, data)) {
        return State::Gone;
    }
    match text.lines().nth(STATE_LINE).map(str::trim) {
        Some("ready") => State::Ready,
        _ => State::Changing,
    }
}

/// Lets a new server start if the process id in `lock_file`, which a crashed one
/// left, belongs to another process now: PostgreSQL would take it for its predecessor.
///
/// This is common in containers, where each start hands out the same numbers, and
/// whose first process may not reap the dead. The rest of the file stays, so that
/// PostgreSQL can still find processes which the crashed server left behind (it
/// looks who uses its shared memory).
pub(super) fn forget_recycled_pid(lock_file: &Path, data: &Path, account: &Account) -> Result<(), Error> {
    let forget = || -> io::Result<()> {
        // Read and written through one descriptor: between two, the account could put something else there.
        let mut file = account.open(lock_file, OpenOptions::new().read(true).write(true))?;
        let mut text = String::new();
        Read::take(&mut file, LONGEST).read_to_string(&mut text)?;
        if pid_in(&text).is_some_and(|pid| lives(pid) && !serves(pid, data)) {
            let rest = text.split_once('\n').map_or("", |(_, rest)| rest);
            file.set_len(0)?;
            file.rewind()?;
            // No process has this number: Linux ends at 2^22.
            write!(file, "{}\n{rest}", i32::MAX)?;
        }
        Ok(())
    };
    match forget() {
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done.map_err(io_error("look into", lock_file)),
    }
}

/// The process id of the server of the cluster in `data`, if one runs.
#[cfg(test)]
pub(super) fn pid(data: &Path) -> Option<Pid> {
    let text = fs::read_to_string(lock_file(data)).ok()?;
    pid_in(&text).filter(|pid| serves(*pid, data))
}

fn pid_in(text: &str) -> Option<Pid> {
    let number: i32 = text.lines().next()?.trim().parse().ok()?;
    (number > 0).then(|| Pid::from_raw(number))
}

fn lives(pid: Pid) -> bool {
    kill(pid, None).is_ok()
}

/// Whether the process lives and is the server of this cluster: it was started
/// with `-D` and this path. A zombie has no arguments, and so serves nothing.
fn serves(pid: Pid, data: &Path) -> bool {
    lives(pid)
        && match fs::read(format!("/proc/{pid}/cmdline")) {
            Ok(arguments) => arguments.split(|byte| *byte == 0).any(|argument| argument == data.as_os_str().as_bytes()),
            // There is no /proc on this system: believe the file.
            Err(_) => true,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recycled_process_id_is_not_taken_for_the_server() {
        let data = tempfile::tempdir().unwrap();
        let file = lock_file(data.path());
        let rest = "/d\n1\n5432\n/s\n\n  17 42\nready   \n";
        fs::write(&file, format!("{}\n{rest}", std::process::id())).unwrap();
        if !Path::new("/proc/self/cmdline").exists() {
            return;
        }
        let account = Account::owner(&fs::metadata(data.path()).unwrap());
        assert_eq!(state(data.path(), &account), State::Gone);
        forget_recycled_pid(&file, data.path(), &account).unwrap();
        let text = fs::read_to_string(&file).unwrap();
        assert_eq!(text, format!("2147483647\n{rest}"));
    }

    #[test]
    fn a_dead_server_is_gone_and_its_file_is_left_to_postgresql() {
        let data = tempfile::tempdir().unwrap();
        let file = lock_file(data.path());
        fs::write(&file, "2147483646\n/d\n").unwrap();
        let account = Account::owner(&fs::metadata(data.path()).unwrap());
        assert_eq!(state(data.path(), &account), State::Gone);
        forget_recycled_pid(&file, data.path(), &account).unwrap();
        assert!(fs::read_to_string(&file).unwrap().starts_with("2147483646\n"));
    }

    /// What whoever runs code as the account would do, to have root write a file for it.
    #[test]
    fn a_link_in_the_place_of_the_file_is_not_written_through() {
        let data = tempfile::tempdir().unwrap();
        let account = Account::owner(&fs::metadata(data.path()).unwrap());
        let (file, wanted) = (lock_file(data.path()), data.path().join("wanted"));
        let lines = format!("{}\nssh-ed25519 …\n", std::process::id());
        fs::write(&wanted, &lines).unwrap();
        std::os::unix::fs::symlink(&wanted, &file).unwrap();
        assert!(forget_recycled_pid(&file, data.path(), &account).is_err());
        fs::remove_file(&file).unwrap();
        fs::hard_link(&wanted, &file).unwrap();
        assert!(forget_recycled_pid(&file, data.path(), &account).is_err());
        assert_eq!(fs::read_to_string(&wanted).unwrap(), lines);
    }
}
