//! The folder of the server's Unix socket, and the URL that leads there. Who can
//! reach the socket is let in, so nobody else may be able to.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use nix::unistd::geteuid;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest, Sha256};

use super::account::Account;
use super::{Error, io_error};

/// How many bytes a socket's path may have: `sun_path` ends at 104 or 108.
const LONGEST_SOCKET_PATH: usize = 100;

/// The name that PostgreSQL gives to the socket of port 5432.
const SOCKET_NAME: &str = ".s.PGSQL.5432";

/// Where a private cluster listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    folder: PathBuf,
}

impl Address {
    pub(super) fn new(folder: PathBuf) -> Address {
        Address { folder }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The file in which a server says that it listens here.
    pub(super) fn lock_file(&self) -> PathBuf {
        self.folder.join(format!("{SOCKET_NAME}.lock"))
    }

    /// The connection URL of the database `latchkey`.
    pub fn url(&self) -> String {
        self.url_of("latchkey")
    }

    /// The connection URL of another database of the cluster.
    pub fn url_of(&self, database: &str) -> String {
        let database = utf8_percent_encode(database, NON_ALPHANUMERIC);
        let folder = self.folder.to_string_lossy();
        let host = utf8_percent_encode(&folder, NON_ALPHANUMERIC);
        // The port is named because PGPORT would otherwise change it.
        format!("postgres://latchkey@/{database}?host={host}&port=5432")
    }
}

/// The folder for the socket of the cluster in the data folder `dir`: inside it,
/// or, if that path is too long for a socket or has characters that mean something
/// to a shell, to PostgreSQL's lists or to libpq, in `/tmp`.
pub(super) fn folder_for(dir: &Path) -> PathBuf {
    let inside = dir.join("postgres-socket");
    let socket = inside.join(SOCKET_NAME).to_string_lossy().into_owned();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    if socket.len() <= LONGEST_SOCKET_PATH && socket.chars().all(is_plain) {
        return inside;
    }
    let hash = Sha256::digest(dir.as_os_str().as_encoded_bytes());
    let name: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    Path::new("/tmp").join(format!("latchkey-{name}"))
}

/// Makes the folder for the account alone, or checks that it is that already.
pub(super) fn make_folder(folder: &Path, account: &Account) -> Result<(), Error> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) => account.take(folder)?,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let metadata = fs::symlink_metadata(folder).map_err(io_error("look at", folder))?;
            // Ours, but not yet given away, when we were killed in between.
            if metadata.is_dir() && metadata.uid() == geteuid().as_raw() {
                account.take(folder)?;
            }
        }
        Err(error) => return Err(io_error("create the folder", folder)(error)),
    }
    check_folder(folder, account)
}

/// Checks that the folder is the account's alone: in `/tmp`, anybody could have made it.
pub(super) fn check_folder(folder: &Path, account: &Account) -> Result<(), Error> {
    let metadata = fs::symlink_metadata(folder).map_err(io_error("look at", folder))?;
    if metadata.is_dir() && account.owns(&metadata) && metadata.mode() & 0o777 == 0o700 {
        return Ok(());
    }
    Err(Error::NotOurs { folder: folder.to_owned(), user: account.name().to_owned() })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_path_that_is_long_or_odd_gives_way_to_one_in_tmp() {
        let inside = folder_for(Path::new("/var/lib/latchkey"));
        assert_eq!(inside, Path::new("/var/lib/latchkey/postgres-socket"));
        let long = format!("/srv/{}", "x".repeat(80));
        for odd in [long.as_str(), "/srv/a,b", "/srv/it's", "/srv/$HOME", "/srv/é"] {
            let folder = folder_for(Path::new(odd));
            assert!(folder.starts_with("/tmp"), "{odd}");
            assert_eq!(folder, folder_for(Path::new(odd)));
        }
    }

    #[test]
    fn a_folder_that_others_could_enter_or_have_made_is_refused() {
        let parent = tempfile::tempdir().unwrap();
        let account = Account::owner(&fs::metadata(parent.path()).unwrap());
        let folder = parent.path().join("socket");
        make_folder(&folder, &account).unwrap();
        make_folder(&folder, &account).unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(matches!(make_folder(&folder, &account), Err(Error::NotOurs { .. })));
        let link = parent.path().join("link");
        symlink(parent.path(), &link).unwrap();
        assert!(matches!(make_folder(&link, &account), Err(Error::NotOurs { .. })));
    }

    #[test]
    fn the_url_encodes_what_a_url_reserves() {
        let address = Address::new("/srv/my data".into());
        assert_eq!(address.url_of("a/b"), "postgres://latchkey@/a%2Fb?host=%2Fsrv%2Fmy%20data&port=5432");
    }
}
