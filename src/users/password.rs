//! Passwords: hashed with argon2id (RFC 9106), with the parameters that OWASP recommends.

use argon2::password_hash::rand_core::OsRng;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use secrecy::{ExposeSecret, SecretString};

use crate::jsonapi::{Error, Result};

const LENGTH: std::ops::RangeInclusive<usize> = 10..=1000;

/// Checks that a new password is long enough, and not so long that hashing it would be work for nothing.
pub(super) fn check_length(password: &SecretString) -> Result<()> {
    if LENGTH.contains(&password.expose_secret().chars().count()) {
        return Ok(());
    }
    let detail = format!("Password must be {} to {} characters long", LENGTH.start(), LENGTH.end());
    Err(Error::attribute("/data/attributes/password", detail))
}

/// The hash of a password, with its salt and parameters, as a PHC string.
pub(super) fn hash(password: &SecretString) -> Result<String> {
    let salt = SaltString::generate(&mut OsRng);
    let hashed = argon2id().and_then(|argon2| argon2.hash_password(password.expose_secret().as_bytes(), &salt));
    hashed.map(|hash| hash.to_string()).map_err(internal)
}

/// Whether a password is the one that was hashed.
pub(super) fn matches(password: &SecretString, hash: &str) -> Result<bool> {
    let hash = PasswordHash::new(hash).map_err(internal)?;
    Ok(argon2id().map_err(internal)?.verify_password(password.expose_secret().as_bytes(), &hash).is_ok())
}

fn argon2id() -> Result<Argon2<'static>, argon2::password_hash::Error> {
    // 19 MiB, two passes, one lane.
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(19 * 1024, 2, 1, None)?))
}

fn internal(fault: argon2::password_hash::Error) -> Error {
    log::error!("a password cannot be hashed: {fault}");
    Error::internal()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_by_its_hash_alone() {
        let hash = hash(&"correct horse".into()).unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(matches(&"correct horse".into(), &hash).unwrap());
        assert!(!matches(&"correct horsf".into(), &hash).unwrap());
    }
}
