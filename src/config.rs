//! Settings that commands share: where the database is, and where the data folder.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{StringValueParser, TypedValueParser};
use secrecy::{ExposeSecret, SecretString};

use crate::data_directory::{self, Access, DataDirectory, Purpose};
use crate::database::private::{self, Durability, PrivateCluster, Supervisor};
use crate::database::{StartError, migrations};
use crate::signing::{EncryptionKey, InvalidEncryptionKey};

/// Where state is kept.
#[derive(Debug, Clone, Args)]
pub struct Storage {
    /// PostgreSQL (13 or later) to use, such as postgres://user@host/latchkey; without it, Latchkey runs its own
    /// private one in the data folder
    // An empty one is none: so do shells and container files write a variable that is not set.
    #[arg(long, value_name = "URL", env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,

    /// Data folder: the private PostgreSQL and the first admin's token [default: /var/lib/latchkey for root, else
    /// $XDG_DATA_HOME/latchkey]
    #[arg(long, value_name = "DIR", env = "LATCHKEY_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
}

/// What secrets are encrypted with in the database.
#[derive(Debug, Clone, Args)]
pub struct Encryption {
    /// Key that signing keys and kept answers are encrypted with in the database: 32 random bytes in base64 or hex, the
    /// same for all services of a database [default: the file encryption-key in the data folder, made at the first
    /// start]
    // No parser that could refuse it: clap would show what it refuses.
    #[arg(long, value_name = "KEY", env = "LATCHKEY_ENCRYPTION_KEY", hide_env_values = true,
          value_parser = StringValueParser::new().map(SecretString::from))]
    pub encryption_key: Option<SecretString>,
}

impl Encryption {
    /// The key given, or else that of the data folder.
    ///
    /// # Errors
    /// When it is none, or the data folder cannot be written.
    pub fn key(&self, directory: &DataDirectory) -> Result<EncryptionKey, Error> {
        let given = self.encryption_key.as_ref().filter(|given| !given.expose_secret().is_empty());
        let new = || Ok(EncryptionKey::generate().map_err(std::io::Error::other)?.expose_secret().into());
        let (text, place) = match given {
            Some(given) => (given.clone(), "given with --encryption-key".to_owned()),
            None => {
                let path = directory.encryption_key_path();
                (directory.encryption_key(new)?, format!("in {}", path.display()))
            }
        };
        text.expose_secret().trim().parse().map_err(|fault| Error::EncryptionKey { place, fault })
    }
}

/// Why the storage could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The data folder.
    #[error(transparent)]
    DataDirectory(#[from] data_directory::Error),
    /// The private PostgreSQL.
    #[error(transparent)]
    Private(#[from] private::Error),
    /// The database.
    #[error(transparent)]
    Database(#[from] StartError),
    /// The encryption key is none.
    #[error("the encryption key {place} {fault}")]
    EncryptionKey {
        /// Where it comes from.
        place: String,
        /// What is wrong.
        fault: InvalidEncryptionKey,
    },
}

/// A database that is there and has this release's tables, and the data folder, if one is in use.
pub struct Opened {
    /// How to connect to the database.
    pub url: String,
    /// How many migrations had to be run.
    pub migrated: usize,
    /// The data folder; none where a database is given and no folder.
    pub directory: DataDirectory,
    cluster: Cluster,
}

/// Whose PostgreSQL it is.
enum Cluster {
    /// Somebody else's.
    Foreign,
    /// Ours, watched over for as long as the service runs.
    Watched(Supervisor),
    /// Ours, started for one command.
    Started(PrivateCluster),
}

impl Storage {
    /// Opens what the settings name, starting the private PostgreSQL where none is given, and migrates it.
    ///
    /// # Errors
    /// When the folder is in use or unusable, or the database is not to be had; each in one line.
    pub fn open(&self, purpose: Purpose) -> Result<Opened, Error> {
        let path = self.data_dir.clone().map_or_else(data_directory::default_path, Ok)?;
        let (directory, url, cluster): (_, String, _) = match self.database_url.as_ref().filter(|url| !url.is_empty()) {
            // State is in that database alone, and replicas may share a folder: no lock.
            Some(url) => (DataDirectory::open_unlocked(&path)?, url.clone(), Cluster::Foreign),
            None => {
                let directory = DataDirectory::open(&path, purpose)?;
                let (url, cluster) = private(&directory, purpose)?;
                (directory, url, cluster)
            }
        };
        match migrations::migrate(&url) {
            Ok(migrated) => Ok(Opened { url, migrated, directory, cluster }),
            Err(fault) => {
                cluster.close()?;
                Err(fault.into())
            }
        }
    }
}

fn private(directory: &DataDirectory, purpose: Purpose) -> Result<(String, Cluster), Error> {
    if let Access::BesideServer { .. } = directory.access() {
        return Ok((PrivateCluster::running(directory.path())?.url(), Cluster::Foreign));
    }
    let cluster = PrivateCluster::start(directory.path(), Durability::Durable)?;
    let url = cluster.url();
    let cluster = match purpose {
        Purpose::Serve => Cluster::Watched(Supervisor::watch(cluster)?),
        Purpose::Command => Cluster::Started(cluster),
    };
    Ok((url, cluster))
}

impl Opened {
    /// Whether Latchkey runs this database itself.
    #[must_use]
    pub const fn is_private(&self) -> bool {
        !matches!(self.cluster, Cluster::Foreign)
    }

    /// Stops the private PostgreSQL, if it was started here, and frees the data folder.
    ///
    /// # Errors
    /// When it does not stop.
    pub fn close(self) -> Result<(), Error> {
        self.cluster.close()
    }
}

impl Cluster {
    fn close(self) -> Result<(), Error> {
        match self {
            Self::Foreign => Ok(()),
            Self::Watched(supervisor) => Ok(supervisor.stop()?),
            Self::Started(cluster) => Ok(cluster.stop()?),
        }
    }
}
