//! Passwords: hashed with argon2id (RFC 9106), with the parameters that OWASP recommends.

use std::num::NonZeroU32;
use std::sync::{Condvar, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use argon2::password_hash::rand_core::OsRng;
use argon2::password_hash::{self, Output, ParamsString, PasswordHash, Salt, SaltString};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use governor::Quota;
use secrecy::{ExposeSecret, SecretString};

use crate::access::RateLimit;
use crate::ids::UserId;
use crate::jsonapi::{Error, Result};

/// So many passwords are hashed at once. Each takes 19 MiB of memory and most of a tenth of a second of a processor.
const AT_ONCE: usize = 2;

/// The version of argon2 that is written and read.
const VERSION: Version = Version::V0x13;

/// So often a user may be asked for a password that turns out to be wrong, and then twice a minute.
const TRIES: NonZeroU32 = NonZeroU32::MIN.saturating_add(9);
const A_MINUTE: NonZeroU32 = NonZeroU32::MIN.saturating_add(1);

static HASHING: LazyLock<Places> = LazyLock::new(|| Places::new(AT_ONCE));
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
    let hash = || -> password_hash::Result<String> {
        // 19 MiB, two passes, one lane.
        let params = Params::new(19 * 1024, 2, 1, None)?;
        let salt = SaltString::generate(&mut OsRng);
        let output = HASHING.take().hash(password, salt.as_salt(), &params, Params::DEFAULT_OUTPUT_LEN)?;
        let hash = PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(VERSION.into()),
            params: ParamsString::try_from(&params)?,
            salt: Some(salt.as_salt()),
            hash: Some(output),
        };
        Ok(hash.to_string())
    };
    hash().map_err(internal)
}

/// The hash of nothing that anybody knows, with the parameters of every other.
const NOBODYS: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGtub3dzIGl0$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Whether a password is the one that was hashed. Where none was, this takes as long, and it is not.
pub(super) fn matches_any(password: &SecretString, hash: Option<&str>) -> Result<bool> {
    let matches = matches(password, hash.unwrap_or(NOBODYS))?;
    Ok(matches && hash.is_some())
}

/// Whether a password is so long that it was never taken.
pub(super) fn is_too_long(password: &SecretString) -> bool {
    password.expose_secret().chars().count() > *LENGTH.end()
}

/// Whether a password is the one that was hashed.
pub(super) fn matches(password: &SecretString, hash: &str) -> Result<bool> {
    let matches = || -> password_hash::Result<bool> {
        let hash = PasswordHash::new(hash)?;
        let (Some(salt), Some(expected)) = (hash.salt, hash.hash) else { return Ok(false) };
        let output = HASHING.take().hash(password, salt, &Params::try_from(&hash)?, expected.len())?;
        // In constant time.
        Ok(output == expected)
    };
    matches().map_err(internal)
}

/// A few places for which threads wait. Each has the memory that hashing takes: what each thread allocated for itself
/// would stay with its allocator, and there are many threads.
struct Places {
    free: Mutex<Vec<Vec<Block>>>,
    freed: Condvar,
}

struct Place<'a> {
    places: &'a Places,
    memory: Vec<Block>,
}

impl Places {
    fn new(count: usize) -> Self {
        Self { free: Mutex::new(vec![Vec::new(); count]), freed: Condvar::new() }
    }

    fn take(&self) -> Place<'_> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let mut free = self.freed.wait_while(free, |free| free.is_empty()).unwrap_or_else(PoisonError::into_inner);
        Place { places: self, memory: free.pop().unwrap_or_default() }
    }
}

impl Place<'_> {
    /// The argon2id of a password, of so many bytes.
    fn hash(
        &mut self,
        password: &SecretString,
        salt: Salt<'_>,
        params: &Params,
        length: usize,
    ) -> password_hash::Result<Output> {
        let mut decoded = [0; Salt::MAX_LENGTH];
        let salt = salt.decode_b64(&mut decoded)?;
        // Nothing of another password is left in it.
        self.memory.clear();
        self.memory.resize(params.block_count(), Block::default());
        let argon2 = Argon2::new(Algorithm::Argon2id, VERSION, params.clone());
        Output::init_with(length, |output| {
            let password = password.expose_secret().as_bytes();
            Ok(argon2.hash_password_into_with_memory(password, salt, output, &mut self.memory)?)
        })
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let memory = std::mem::take(&mut self.memory);
        self.places.free.lock().unwrap_or_else(PoisonError::into_inner).push(memory);
        self.places.freed.notify_one();
    }
}

fn internal(fault: password_hash::Error) -> Error {
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

    /// Who asks for a user that there is not waits as long as for one that there is.
    #[test]
    fn where_there_is_no_password_as_much_is_done() {
        let hash = hash(&"correct horse".into()).unwrap();
        let (nobodys, somebodys) = (PasswordHash::new(NOBODYS).unwrap(), PasswordHash::new(&hash).unwrap());
        assert_eq!((nobodys.params, nobodys.hash.unwrap().len()), (somebodys.params, somebodys.hash.unwrap().len()));
        assert!(!matches_any(&"correct horse".into(), None).unwrap());
        assert!(matches_any(&"correct horse".into(), Some(&hash)).unwrap());
    }

    /// What the crate's own way makes is known as well, and the other way round.
    #[test]
    fn the_hash_is_that_of_everybody_else() {
        use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};

        let argon2 = Argon2::new(Algorithm::Argon2id, VERSION, Params::new(19 * 1024, 2, 1, None).unwrap());
        let theirs = argon2.hash_password(b"correct horse", &SaltString::generate(&mut OsRng)).unwrap().to_string();
        assert!(matches(&"correct horse".into(), &theirs).unwrap());
        let ours = hash(&"correct horse".into()).unwrap();
        let ours = PasswordHash::new(&ours).unwrap();
        assert!(argon2.verify_password(b"correct horse", &ours).is_ok());
        assert!(argon2.verify_password(b"correct horsf", &ours).is_err());
    }

    #[test]
    fn no_more_threads_than_places_hash_at_once() {
        let places = Places::new(2);
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
