//! How often something may happen, for each of many keys: so many times at once, and then at a steady rate.

use std::hash::{BuildHasher, Hash, RandomState};
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

/// There are so many counters. A key has one by its hash, under a secret of this process: nobody can choose keys that share
/// the counter of somebody else, and however many keys there are, none is refused for want of room.
const COUNTERS: u64 = 1 << 16;

/// What has happened lately, for all threads of this replica.
#[derive(Debug)]
pub struct RateLimit<K> {
    counters: Arc<RateLimiter<u64, HashMapStateStore<u64>, DefaultClock>>,
    secret: Arc<RandomState>,
    keys: PhantomData<fn(&K)>,
}

impl<K> Clone for RateLimit<K> {
    fn clone(&self) -> Self {
        Self { counters: Arc::clone(&self.counters), secret: Arc::clone(&self.secret), keys: PhantomData }
    }
}

impl<K: Hash> RateLimit<K> {
    /// So often for each key.
    #[must_use]
    pub fn new(quota: Quota) -> Self {
        Self { counters: Arc::new(RateLimiter::hashmap(quota)), secret: Arc::default(), keys: PhantomData }
    }

    /// Counts one time.
    ///
    /// # Errors
    /// How long to wait, when it is one too many.
    pub fn check(&self, key: &K) -> Result<(), Duration> {
        let counter = self.secret.hash_one(key) % COUNTERS;
        self.counters.check_key(&counter).map_err(|until| until.wait_time_from(DefaultClock::default().now()))
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    const ONE: NonZeroU32 = NonZeroU32::MIN;

    #[test]
    fn each_key_has_its_own_measure() {
        let limit = RateLimit::new(Quota::per_minute(ONE).allow_burst(ONE.saturating_add(4)));
        let passed = |key: u32| (0..10).filter(|_| limit.check(&key).is_ok()).count();
        assert_eq!((passed(1), passed(2), passed(1)), (5, 5, 0));
        let wait = limit.check(&1).unwrap_err();
        assert!((Duration::from_secs(58)..=Duration::from_secs(60)).contains(&wait), "{wait:?}");
    }

    #[test]
    fn what_is_remembered_is_bounded_and_refuses_nobody_for_it() {
        let limit = RateLimit::new(Quota::per_minute(ONE).allow_burst(ONE.saturating_add(19)));
        for key in 0..200_000_u64 {
            let _ = limit.check(&key);
        }
        assert!(limit.counters.len() <= usize::try_from(COUNTERS).unwrap());
        assert!(limit.check(&u64::MAX).is_ok());
    }
}
