//! How often an address may ask where no token is needed.
//!
//! The address is the one that has connected. Behind a proxy that is the proxy, and all who come through it share one
//! measure: what a client says of its own address (`X-Forwarded-For`) anybody can say.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpRequest;
use governor::clock::{Clock, DefaultClock};
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::jsonapi::{Error, Result};

/// So many requests at once, and then one a second.
const AT_ONCE: NonZeroU32 = NonZeroU32::MIN.saturating_add(59);

/// So many addresses are remembered; then those that may ask again as often as anybody are forgotten.
const MOST: usize = 10_000;

/// Which addresses have asked lately, for all threads of this replica.
#[derive(Clone)]
pub struct AddressLimit(Arc<RateLimiter<IpAddr, HashMapStateStore<IpAddr>, DefaultClock>>);

impl Default for AddressLimit {
    fn default() -> Self {
        Self(Arc::new(RateLimiter::hashmap(Quota::per_second(NonZeroU32::MIN).allow_burst(AT_ONCE))))
    }
}

impl AddressLimit {
    /// Checks that the address of a request has not asked too often.
    ///
    /// # Errors
    /// 429 if it has.
    pub fn check_request(&self, request: &HttpRequest) -> Result<()> {
        self.check(request.peer_addr().map_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED), |peer| peer.ip()))
    }

    fn check(&self, address: IpAddr) -> Result<()> {
        if self.0.len() >= MOST {
            self.0.retain_recent();
            // Where even that many have asked lately, refusing is better than growing without bound.
            if self.0.len() >= MOST {
                return Err(refused(Duration::from_secs(60)));
            }
        }
        let wait = |until: governor::NotUntil<_>| refused(until.wait_time_from(DefaultClock::default().now()));
        self.0.check_key(&network(address)).map_err(wait)
    }
}

/// Whoever has one IPv6 address has 2⁶⁴ of them.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
        address @ IpAddr::V4(_) => address,
    }
}

fn refused(wait: Duration) -> Error {
    Error::too_many_requests("Too many requests from this address", wait.as_secs().saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(limit: &AddressLimit, address: &str) -> usize {
        (0..100).filter(|_| limit.check(address.parse().unwrap()).is_ok()).count()
    }

    #[test]
    fn each_address_has_its_own_measure() {
        let limit = AddressLimit::default();
        assert_eq!(admitted(&limit, "192.0.2.1"), 60);
        assert_eq!(admitted(&limit, "192.0.2.2"), 60);
        assert_eq!(admitted(&limit, "::ffff:192.0.2.2"), 0);
        assert_eq!(limit.check("192.0.2.1".parse().unwrap()).unwrap_err().status(), 429);
    }

    #[test]
    fn the_addresses_of_one_network_share_a_measure() {
        let limit = AddressLimit::default();
        assert_eq!(admitted(&limit, "2001:db8:0:1::1"), 60);
        assert_eq!(admitted(&limit, "2001:db8:0:1:ffff::2"), 0);
        assert_eq!(admitted(&limit, "2001:db8:0:2::1"), 60);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let limit = AddressLimit::default();
        let addresses = (0..=u32::try_from(MOST).unwrap() + 5).map(|nth| IpAddr::V4(nth.into()));
        addresses.for_each(|address| drop(limit.check(address)));
        assert!(limit.0.len() <= MOST);
    }
}
