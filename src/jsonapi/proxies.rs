//! Proxies that are trusted: what they say of where a request comes from and where it was sent to is believed.

use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use actix_web::HttpRequest;
use actix_web::http::header::HeaderMap;
use actix_web::web::Data;
use ipnet::IpNet;

/// The addresses of proxies that are trusted; none unless told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

/// A text that is no list of networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be addresses and networks such as 10.0.0.0/8,fd00::/8,192.0.2.7")]
pub struct InvalidProxies;

impl FromStr for TrustedProxies {
    type Err = InvalidProxies;

    fn from_str(text: &str) -> Result<Self, InvalidProxies> {
        let network = |text: &str| {
            let text = text.trim();
            text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).map_err(|_| InvalidProxies)
        };
        Ok(Self(text.split(',').map(network).collect::<Result<_, _>>()?))
    }
}

impl TrustedProxies {
    /// Whether an address is one of theirs.
    #[must_use]
    pub fn trust(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    fn of(request: &HttpRequest) -> Option<&Self> {
        request.app_data::<Data<Self>>().map(|proxies| proxies.get_ref())
    }

    /// Whether a trusted proxy has sent this request.
    pub(crate) fn sent(request: &HttpRequest) -> bool {
        let peer = request.peer_addr().map(|peer| peer.ip());
        Self::of(request).zip(peer).is_some_and(|(proxies, peer)| proxies.trust(peer))
    }

    /// The address that a request comes from: who has connected; behind trusted proxies the last one in `X-Forwarded-For`
    /// that is none of them. None if that is a trusted proxy itself, which asks in nobody's name.
    #[must_use]
    pub fn client(request: &HttpRequest) -> Option<IpAddr> {
        // What cannot be read is one client, whoever it is.
        const UNKNOWN: IpAddr = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
        let peer = request.peer_addr().map_or(UNKNOWN, |peer| peer.ip());
        match Self::of(request) {
            Some(proxies) if proxies.trust(peer) => {
                let forwarded = last_to_first(request.headers(), "x-forwarded-for");
                let addresses = forwarded.map(|text| address(text).unwrap_or(UNKNOWN));
                addresses.into_iter().find(|address| !proxies.trust(*address))
            }
            _ => Some(peer),
        }
    }
}

/// The members of a header that is a list, the last one first: each proxy adds its own at the end.
pub(crate) fn last_to_first<'h>(headers: &'h HeaderMap, name: &'static str) -> impl Iterator<Item = &'h str> {
    let lines: Vec<&str> = headers.get_all(name).map(|line| line.to_str().unwrap_or_default()).collect();
    lines.into_iter().rev().flat_map(|line| line.rsplit(',')).map(str::trim)
}

/// An address, also with a port, as some proxies write it.
fn address(text: &str) -> Option<IpAddr> {
    let with_port = || text.parse::<std::net::SocketAddr>().map(|with_port| with_port.ip());
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    bare.parse::<IpAddr>().or_else(|_| with_port()).ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn client(peer: &str, forwarded: &[&str]) -> Option<String> {
        let proxies: TrustedProxies = "10.0.0.0/8, fd00::/8,192.0.2.7".parse().unwrap();
        let mut request =
            TestRequest::default().peer_addr(format!("{peer}:1").parse().unwrap()).app_data(Data::new(proxies));
        for line in forwarded {
            request = request.append_header(("X-Forwarded-For", *line));
        }
        TrustedProxies::client(&request.to_http_request()).map(|address| address.to_string())
    }

    #[test]
    fn who_is_not_trusted_speaks_for_itself_alone() {
        assert_eq!(client("198.51.100.1", &["203.0.113.5"]).unwrap(), "198.51.100.1");
        assert_eq!(client("192.0.2.8", &["10.0.0.1"]).unwrap(), "192.0.2.8");
    }

    #[test]
    fn the_last_address_that_is_not_trusted_is_the_clients() {
        assert_eq!(client("10.1.2.3", &["203.0.113.5"]).unwrap(), "203.0.113.5");
        assert_eq!(client("192.0.2.7", &["1.1.1.1, 203.0.113.5,10.0.0.9"]).unwrap(), "203.0.113.5");
        assert_eq!(client("[::ffff:10.0.0.1]", &["1.1.1.1", "203.0.113.5", "fd00::2"]).unwrap(), "203.0.113.5");
        assert_eq!(client("[fd00::1]", &["[2001:db8::1]:443"]).unwrap(), "2001:db8::1");
        assert_eq!(client("[fd00::1]", &["203.0.113.5:9"]).unwrap(), "203.0.113.5");
        assert_eq!(client("10.0.0.1", &["1.1.1.1, unknown"]).unwrap(), "::");
        assert_eq!(client("10.0.0.1", &["10.0.0.2"]), None);
        assert_eq!(client("10.0.0.1", &[]), None);
    }

    #[test]
    fn only_addresses_and_networks_are_proxies() {
        for text in ["", "10.0.0.0/33", "proxy.example.com", "10.0.0.1,", "10.0.0.1;10.0.0.2", "*"] {
            assert_eq!(text.parse::<TrustedProxies>(), Err(InvalidProxies), "{text}");
        }
    }
}
