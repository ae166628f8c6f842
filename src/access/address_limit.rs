//! How often an address may ask where no token is needed, and how often it may bring a token that is not good.
//!
//! The address is the one that has connected, or that a trusted proxy names ([`TrustedProxies`]). Behind a proxy that is not
//! trusted all share one measure: what a client says of its own address anybody can say.

use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use actix_web::HttpRequest;
use governor::Quota;

use super::rate_limit::RateLimit;
use crate::connections::network;
use crate::jsonapi::{Error, Result, TrustedProxies};

/// For how long at least an address is over its limit once it was refused, though its next try may come sooner: what comes
/// in bursts is doubted as well, and that costs a good token nothing.
const DOUBTED: Duration = Duration::from_secs(30);

/// So many addresses are doubted at one time.
const MOST: usize = 10_000;

/// Which addresses have asked lately.
#[derive(Debug, Clone)]
pub struct AddressLimit {
    times: RateLimit<IpAddr>,
    /// Who was refused, and until when each is doubted.
    over: Arc<Mutex<HashMap<IpAddr, Instant>>>,
}

impl AddressLimit {
    /// So many times at once, and then as many in a minute.
    #[must_use]
    pub fn per_minute(times: NonZeroU32) -> Self {
        Self { times: RateLimit::new(Quota::per_minute(times)), over: Arc::default() }
    }

    /// Checks that the address of a request has not asked too often.
    ///
    /// # Errors
    /// 429 if it has.
    pub fn check_request(&self, request: &HttpRequest) -> Result<()> {
        TrustedProxies::client(request).map_or(Ok(()), |address| self.check(address))
    }

    /// Whether the address of a request was refused lately. Nothing is counted.
    #[must_use]
    pub fn is_over(&self, request: &HttpRequest) -> bool {
        TrustedProxies::client(request)
            .is_some_and(|address| self.over().get(&network(address)).is_some_and(|until| *until > Instant::now()))
    }

    fn check(&self, address: IpAddr) -> Result<()> {
        let network = network(address);
        self.times.check(&network).map_err(|wait| {
            self.remember(network, wait);
            Error::too_many_requests("Too many requests from this address", wait.as_secs().saturating_add(1))
        })
    }

    fn remember(&self, network: IpAddr, wait: Duration) {
        let (mut over, now) = (self.over(), Instant::now());
        if over.len() >= MOST {
            over.retain(|_, until| *until > now);
        }
        if over.len() < MOST {
            over.insert(network, now + wait.max(DOUBTED));
        }
    }

    /// A thread that panicked here has left a map that is whole.
    fn over(&self) -> MutexGuard<'_, HashMap<IpAddr, Instant>> {
        self.over.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn admitted(limit: &AddressLimit, address: &str) -> usize {
        (0..100).filter(|_| limit.check(address.parse().unwrap()).is_ok()).count()
    }

    #[test]
    fn each_address_has_its_own_measure() {
        let limit = AddressLimit::per_minute(NonZeroU32::new(60).unwrap());
        assert_eq!(admitted(&limit, "192.0.2.1"), 60);
        assert_eq!(admitted(&limit, "192.0.2.2"), 60);
        assert_eq!(admitted(&limit, "::ffff:192.0.2.2"), 0);
        assert_eq!(limit.check("192.0.2.1".parse().unwrap()).unwrap_err().status(), 429);
    }

    /// The next try of a large measure comes in a fraction of a second; what comes in bursts is doubted all the same.
    #[test]
    fn who_was_refused_is_doubted_for_a_while() {
        let limit = AddressLimit::per_minute(NonZeroU32::new(6000).unwrap());
        let from = |address: &str| TestRequest::get().peer_addr(address.parse().unwrap()).to_http_request();
        let (one, other) = (from("192.0.2.1:1"), from("192.0.2.2:1"));
        assert!(!limit.is_over(&one));
        while limit.check_request(&one).is_ok() {}
        std::thread::sleep(Duration::from_millis(200));
        assert!(limit.is_over(&one) && !limit.is_over(&other));
    }

    #[test]
    fn the_addresses_of_one_network_share_a_measure() {
        let limit = AddressLimit::per_minute(NonZeroU32::new(60).unwrap());
        assert_eq!(admitted(&limit, "2001:db8:0:1::1"), 60);
        assert_eq!(admitted(&limit, "2001:db8:0:1:ffff::2"), 0);
        assert_eq!(admitted(&limit, "2001:db8:0:2::1"), 60);
    }
}
