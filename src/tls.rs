//! TLS: a certificate and its key from PEM files, read again whenever the files change.
//!
//! A renewed certificate is used for the next connection; one that cannot be read leaves the old one in use and a
//! line in the log.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Why TLS cannot be offered.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read, or holds no such PEM.
    #[error("cannot read {what} from {path}: {cause}", path = path.display())]
    Unreadable {
        what: &'static str,
        path: PathBuf,
        /// Why it is not there.
        cause: rustls::pki_types::pem::Error,
    },
    /// The certificate and the key do not belong together, or are of no use.
    #[error("the TLS certificate and key cannot be used: {0}")]
    Unusable(#[from] rustls::Error),
    /// The operating system gives no thread to watch the files.
    #[error("cannot watch the TLS certificate: {0}")]
    Unwatched(#[from] std::io::Error),
}

/// Where the certificate chain and the private key are.
#[derive(Debug, Clone)]
pub struct Files {
    /// PEM: the server's certificate first, then those that sign it.
    pub certificate: PathBuf,
    /// PEM: the private key (PKCS#8, PKCS#1 or SEC1).
    pub key: PathBuf,
}

/// How to talk TLS with the certificate in the files, for as long as the process runs.
///
/// # Errors
/// When the files cannot be read, or do not belong together.
pub fn server_config(files: Files) -> Result<ServerConfig, Error> {
    let seen = files.changed_at();
    let current = Arc::new(Current(RwLock::new(Arc::new(files.load()?))));
    let watched = Arc::clone(&current);
    std::thread::Builder::new().name("tls".to_owned()).spawn(move || watch(&files, seen, &watched))?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(current);
    Ok(config)
}

/// The certificate that new connections get.
#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

fn watch(files: &Files, mut seen: [Option<SystemTime>; 2], current: &Current) {
    loop {
        std::thread::sleep(LOOK_EVERY);
        let changed = files.changed_at();
        if changed == seen {
            continue;
        }
        seen = changed;
        match files.load() {
            Ok(renewed) => {
                *current.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(renewed);
                log::info!("the TLS certificate in {} is in use", files.certificate.display());
            }
            Err(fault) => log::warn!("the TLS certificate stays as it was: {fault}"),
        }
    }
}

impl Files {
    fn load(&self) -> Result<CertifiedKey, Error> {
        let chain = CertificateDer::pem_file_iter(&self.certificate)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .and_then(
                |chain| if chain.is_empty() { Err(rustls::pki_types::pem::Error::NoItemsFound) } else { Ok(chain) },
            )
            .map_err(unreadable("a certificate", &self.certificate))?;
        let key = PrivateKeyDer::from_pem_file(&self.key).map_err(unreadable("a private key", &self.key))?;
        Ok(CertifiedKey::from_der(chain, key, &ring::default_provider())?)
    }

    /// When the files were changed last, as far as they are there. A link that points elsewhere counts as changed.
    fn changed_at(&self) -> [Option<SystemTime>; 2] {
        let changed = |path: &Path| std::fs::metadata(path).and_then(|about| about.modified()).ok();
        [changed(&self.certificate), changed(&self.key)]
    }
}

fn unreadable(what: &'static str, path: &Path) -> impl FnOnce(rustls::pki_types::pem::Error) -> Error {
    let path = path.to_owned();
    move |cause| Error::Unreadable { what, path, cause }
}
