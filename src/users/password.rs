//! Passwords: hashed with argon2id (RFC 9106), with the parameters that OWASP recommends.

use std::num::NonZeroU32;
use std::sync::{Condvar, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use argon2::password_hash::rand_core::OsRng;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use governor::Quota;
use secrecy::{ExposeSecret, SecretString};

use crate::access::RateLimit;
use crate::ids::UserId;
use crate::jsonapi::{Error, Result};

/// So many passwords are hashed at once. Each takes 19 MiB of memory and most of a tenth of a second of a processor.
const AT_ONCE: usize = 2;

/// So often a user may be asked for a password that turns out to be wrong, and then twice a minute.
const TRIES: NonZeroU32 = NonZeroU32::MIN.saturating_add(9);
const A_MINUTE: NonZeroU32 = NonZeroU32::MIN.saturating_add(1);

static HASHING: Places = Places { free: Mutex::new(AT_ONCE), freed: Condvar::new() };
static TRIED: LazyLock<RateLimit<UserId>> =
    LazyLock::new(|| RateLimit::new(Quota::per_minute(A_MINUTE).allow_burst(TRIES)));

const LENGTH: std::ops::RangeInclusive<usize> = 10..=1000;

/// Checks that a new password is long enough, and not so long that hashing it would be work for nothing.
pub(super) fn check_length(password: &SecretString) -> Result<()> {
    if LENGTH.contains(&password.expose_secret().chars().count()) {
        return Ok(());
    }
    let detail = format!("Password must be {} to {} characters long", LENGTH.start(), LENGTH.end());
    Err(Error::attribute("/data/attributes/password", detail))
}

/// Counts a try of a user's password.
///
/// # Errors
/// 429 when there were too many.
pub(super) fn count_try(user: UserId) -> Result<()> {
    let refused = |wait: Duration| {
        Error::too_many_requests("The password of this user was tried too often", wait.as_secs().saturating_add(1))
    };
    TRIED.check(&user).map_err(refused)
}

/// The hash of a password, with its salt and parameters, as a PHC string.
pub(super) fn hash(password: &SecretString) -> Result<String> {
    let _place = HASHING.take();
    let salt = SaltString::generate(&mut OsRng);
    let hashed = argon2id().and_then(|argon2| argon2.hash_password(password.expose_secret().as_bytes(), &salt));
    hashed.map(|hash| hash.to_string()).map_err(internal)
}

/// Whether a password is the one that was hashed.
pub(super) fn matches(password: &SecretString, hash: &str) -> Result<bool> {
    let _place = HASHING.take();
    let hash = PasswordHash::new(hash).map_err(internal)?;
    Ok(argon2id().map_err(internal)?.verify_password(password.expose_secret().as_bytes(), &hash).is_ok())
}

/// A few places for which threads wait.
struct Places {
    free: Mutex<usize>,
    freed: Condvar,
}

struct Place<'a>(&'a Places);

impl Places {
    fn take(&self) -> Place<'_> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let mut free = self.freed.wait_while(free, |free| *free == 0).unwrap_or_else(PoisonError::into_inner);
        *free -= 1;
        Place(self)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        *self.0.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.freed.notify_one();
    }
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

    #[test]
    fn no_more_threads_than_places_hash_at_once() {
        let places = Places { free: Mutex::new(2), freed: Condvar::new() };
        let (inside, most) = (Mutex::new(0), Mutex::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let _place = places.take();
                    let now = {
                        let mut inside = inside.lock().unwrap();
                        *inside += 1;
                        *inside
                    };
                    let mut seen = most.lock().unwrap();
                    *seen = now.max(*seen);
                    drop(seen);
                    std::thread::sleep(Duration::from_millis(5));
                    *inside.lock().unwrap() -= 1;
                });
            }
        });
        assert_eq!(*most.lock().unwrap(), 2);
    }
}
