//! Keys in use, the signer that signs with them, and their rotation.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use diesel::PgConnection;
use diesel::prelude::*;
use ring::signature::{Ed25519KeyPair, KeyPair};
use secrecy::{ExposeSecret, SecretBox, SecretString};
use serde::Serialize;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::seal::EncryptionKey;
use super::store;
use super::store::ListedKey;
use crate::audit::{self, Actor, Event};
use crate::jsonapi::PublicUrl;

/// `iss` where no public URL is configured. What a request was sent to would be the client's choice.
const NAMELESS: &str = "latchkey";

/// Why there is no signature.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The key in use was sealed with another encryption key.
    #[error(
        "the signing key {0} in the database is encrypted with another encryption key than the one given; all services \
         of a database need the same (--encryption-key, or the file encryption-key in the data folder); if it is lost: \
         latchkey keys rotate --new-encryption-key"
    )]
    OtherEncryptionKey(String),
    /// What opened is no key. Nobody but who has the encryption key can have written it.
    #[error("the signing key {0} in the database is damaged; make another with: latchkey keys rotate")]
    Damaged(String),
    /// The operating system could not give random numbers.
    #[error("the operating system gives no random numbers: {0}")]
    RandomnessUnavailable(#[from] getrandom::Error),
    /// The cipher refuses its work.
    #[error("the cipher refuses its work")]
    Cipher,
    /// The claims are no JSON.
    #[error("the claims cannot be written: {0}")]
    Claims(#[from] serde_json::Error),
    #[error(transparent)]
    Database(#[from] diesel::result::Error),
}

impl From<Error> for crate::jsonapi::Error {
    fn from(fault: Error) -> Self {
        match fault {
            Error::Database(fault) => fault.into(),
            fault => {
                log::error!("cannot sign or encrypt: {fault}");
                Self::internal()
            }
        }
    }
}

/// Signs for one service: in its name, with the key in use.
#[derive(Debug, Clone)]
pub struct Signer {
    issuer: Arc<str>,
    encryption: Arc<EncryptionKey>,
}

/// A JWT, and the `kid` of the key that has signed it.
pub struct Signed {
    pub jwt: SecretString,
    pub kid: String,
}

#[derive(Serialize)]
struct Header<'a> {
    alg: &'static str,
    typ: &'static str,
    kid: &'a str,
}

impl Signer {
    /// A signer in the name of the service's public URL.
    #[must_use]
    pub fn new(public_url: Option<&PublicUrl>, encryption: Arc<EncryptionKey>) -> Self {
        let issuer = public_url.map_or_else(|| NAMELESS.to_owned(), |url| url.join(""));
        Self { issuer: issuer.into(), encryption }
    }

    /// `iss`: the public URL, if one is configured.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Signs claims with the key in use, which is made if there is none yet: then the transaction that the connection is
    /// in makes it.
    ///
    /// # Errors
    /// When the key in use cannot be decrypted, or the database fails.
    pub fn sign(&self, connection: &mut PgConnection, claims: &impl Serialize) -> Result<Signed, Error> {
        let key = match store::in_use(connection)? {
            Some(row) => SigningKey::open(row, &self.encryption)?,
            None => first(connection, &self.encryption)?,
        };
        let header = Header { alg: "EdDSA", typ: "JWT", kid: &key.kid };
        let part = |json: Vec<u8>| URL_SAFE_NO_PAD.encode(json);
        let signed = format!("{}.{}", part(serde_json::to_vec(&header)?), part(serde_json::to_vec(claims)?));
        let signature = URL_SAFE_NO_PAD.encode(key.pair.sign(signed.as_bytes()));
        Ok(Signed { jwt: format!("{signed}.{signature}").into(), kid: key.kid })
    }
}

/// Checks that the key in use, if there is one, can be decrypted.
///
/// # Errors
/// When it cannot.
pub fn check(connection: &mut PgConnection, encryption: &EncryptionKey) -> Result<(), Error> {
    store::in_use(connection)?.map_or(Ok(()), |row| SigningKey::open(row, encryption).map(drop))
}

/// A key that can sign.
struct SigningKey {
    kid: String,
    pair: Ed25519KeyPair,
}

impl SigningKey {
    fn open(row: store::InUse, encryption: &EncryptionKey) -> Result<Self, Error> {
        let store::InUse { kid, public_key, sealed_private_key } = row;
        let Some(private) = encryption.open(&kid, &sealed_private_key) else {
            return Err(Error::OtherEncryptionKey(kid));
        };
        match Ed25519KeyPair::from_seed_and_public_key(private.expose_secret(), &public_key) {
            Ok(pair) => Ok(Self { kid, pair }),
            Err(_) => Err(Error::Damaged(kid)),
        }
    }

    /// A new key in the database. The lock must be held.
    fn make(connection: &mut PgConnection, encryption: &EncryptionKey) -> Result<Self, Error> {
        let mut private = SecretBox::new(Box::new([0; 32]));
        getrandom::fill(secrecy::ExposeSecretMut::expose_secret_mut(&mut private))?;
        let pair = Ed25519KeyPair::from_seed_unchecked(private.expose_secret()).map_err(|_| Error::Cipher)?;
        let public = pair.public_key().as_ref();
        let kid = thumbprint(public);
        store::insert(connection, &kid, public, &encryption.seal(&kid, &private)?)?;
        Ok(Self { kid, pair })
    }
}

/// The first key, unless another request has made it in the meantime.
fn first(connection: &mut PgConnection, encryption: &EncryptionKey) -> Result<SigningKey, Error> {
    store::lock(connection)?;
    if let Some(row) = store::in_use(connection)? {
        return SigningKey::open(row, encryption);
    }
    let key = SigningKey::make(connection, encryption)?;
    audit::record(connection, &Actor::system(), &[Event::new(None, "signing_key", &key.kid, "create")])?;
    Ok(key)
}

/// Whether a rotation may leave a key behind that cannot be decrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PreviousKey {
    /// It must be decrypted: the services that are running will be able to use the new one, too.
    MustDecrypt,
    /// The encryption key is another one from now on.
    MayBeLost,
}

/// What a rotation has done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotated {
    /// The key in use from now on.
    pub new: String,
    /// The key that was in use, if there was one.
    pub old: Option<String>,
}

/// Makes a new key, with which every JWT is signed from now on. The private part of the one before is deleted; its
/// public part is published for as long as tokens that it has signed may live.
///
/// # Errors
/// When the key before must be decrypted and cannot be, or the database fails.
pub fn rotate(
    connection: &mut PgConnection,
    encryption: &EncryptionKey,
    before: PreviousKey,
) -> Result<Rotated, Error> {
    connection.transaction(|connection| {
        store::lock(connection)?;
        let old = match (store::in_use(connection)?, before) {
            (Some(row), PreviousKey::MustDecrypt) => Some(SigningKey::open(row, encryption)?.kid),
            (row, _) => row.map(|row| row.kid),
        };
        store::retire(connection)?;
        let new = SigningKey::make(connection, encryption)?.kid;
        let event = Event::new(None, "signing_key", &new, "rotate").meta(json!({"retired": old}));
        audit::record(connection, &Actor::system(), &[event])?;
        Ok(Rotated { new, old })
    })
}

/// A public key as a JWK (RFC 7517, RFC 8037).
#[derive(Debug, Serialize)]
pub(crate) struct PublicJwk {
    kty: &'static str,
    crv: &'static str,
    x: String,
    kid: String,
    r#use: &'static str,
    alg: &'static str,
}

impl PublicJwk {
    pub(crate) fn new(kid: String, public: &[u8]) -> Self {
        Self { kty: "OKP", crv: "Ed25519", x: URL_SAFE_NO_PAD.encode(public), kid, r#use: "sig", alg: "EdDSA" }
    }
}

/// The JWK thumbprint (RFC 7638) of an Ed25519 public key: the name says which key it is.
fn thumbprint(public: &[u8]) -> String {
    let jwk = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, URL_SAFE_NO_PAD.encode(public));
    URL_SAFE_NO_PAD.encode(Sha256::digest(jwk))
}

/// A key as people see it.
impl ListedKey {
    #[must_use]
    pub const fn state(&self) -> &'static str {
        match (self.retired_at, self.published) {
            (None, _) => "in use",
            (Some(_), true) => "retired, published",
            (Some(_), false) => "retired",
        }
    }

    /// Since when it is so.
    #[must_use]
    pub fn since(&self) -> DateTime<Utc> {
        self.retired_at.unwrap_or(self.created_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kid_is_the_thumbprint_of_the_key() {
        // RFC 8037, appendix A.3.
        let public = URL_SAFE_NO_PAD.decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").unwrap();
        assert_eq!(thumbprint(&public), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }
}
