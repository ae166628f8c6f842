//! How often something may happen, for each of many keys: so many times at once, and then at a steady rate.

use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

/// So many keys are remembered; then those that may go on as often as anybody are forgotten.
pub(super) const MOST: usize = 10_000;

/// What has happened lately, for all threads of this replica.
#[derive(Debug)]
pub struct RateLimit<K: Hash + Eq + Clone>(Arc<RateLimiter<K, HashMapStateStore<K>, DefaultClock>>);

impl<K: Hash + Eq + Clone> Clone for RateLimit<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K: Hash + Eq + Clone> RateLimit<K> {
    /// So often for each key.
    #[must_use]
    pub fn new(quota: Quota) -> Self {
        Self(Arc::new(RateLimiter::hashmap(quota)))
    }

    /// Counts one time.
    ///
    /// # Errors
    /// How long to wait, when it is one too many.
    pub fn check(&self, key: &K) -> Result<(), Duration> {
        if self.0.len() >= MOST {
            self.0.retain_recent();
            // Where even that many were there lately, refusing is better than growing without bound.
            if self.0.len() >= MOST {
                return Err(Duration::from_secs(60));
            }
        }
        self.0.check_key(key).map_err(|until| until.wait_time_from(DefaultClock::default().now()))
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
    fn what_is_remembered_is_bounded() {
        let limit = RateLimit::new(Quota::per_minute(ONE));
        for key in 0..MOST + 5 {
            let _ = limit.check(&key);
        }
        assert!(limit.0.len() <= MOST);
        assert!(limit.check(&(MOST + 5)).is_err());
    }
}
