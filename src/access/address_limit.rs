//! How often an address may ask where no token is needed, and how often it may bring a token that is not good.
//!
//! The address is the one that has connected, or that a trusted proxy names ([`TrustedProxies`]). Behind a proxy that is not
//! trusted all share one measure: what a client says of its own address anybody can say.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::time::Duration;

use actix_web::HttpRequest;
use governor::Quota;

use super::RateLimit;
use crate::jsonapi::{Error, Result, TrustedProxies};

/// Which addresses have asked lately.
#[derive(Debug, Clone)]
pub struct AddressLimit(RateLimit<IpAddr>);

impl AddressLimit {
    /// So many times at once, and then as many in a minute.
    #[must_use]
    pub fn per_minute(times: NonZeroU32) -> Self {
        Self(RateLimit::new(Quota::per_minute(times)))
    }

    /// Checks that the address of a request has not asked too often.
    ///
    /// # Errors
    /// 429 if it has.
    pub fn check_request(&self, request: &HttpRequest) -> Result<()> {
        TrustedProxies::client(request).map_or(Ok(()), |address| self.check(address))
    }

    fn check(&self, address: IpAddr) -> Result<()> {
        let refused = |wait: Duration| {
            Error::too_many_requests("Too many requests from this address", wait.as_secs().saturating_add(1))
        };
        self.0.check(&network(address)).map_err(refused)
    }
}

/// Whoever has one IPv6 address has 2⁶⁴ of them.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
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

    #[test]
    fn the_addresses_of_one_network_share_a_measure() {
        let limit = AddressLimit::per_minute(NonZeroU32::new(60).unwrap());
        assert_eq!(admitted(&limit, "2001:db8:0:1::1"), 60);
        assert_eq!(admitted(&limit, "2001:db8:0:1:ffff::2"), 0);
        assert_eq!(admitted(&limit, "2001:db8:0:2::1"), 60);
    }
}
