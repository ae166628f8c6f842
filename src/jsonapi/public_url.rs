//! Where clients reach the service, for absolute links.

use std::str::FromStr;

use actix_web::HttpRequest;
use actix_web::http::header::HOST;
use actix_web::http::uri::Authority;
use actix_web::web::Data;
use url::Url;

use super::proxies::{TrustedProxies, last_to_first};

/// The scheme, host and path that clients reach the service under, without a slash at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl(String);

/// A text that is no address to reach a service under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an address such as https://tokens.example.com, without query and fragment")]
pub struct InvalidPublicUrl;

impl FromStr for PublicUrl {
    type Err = InvalidPublicUrl;

    fn from_str(text: &str) -> Result<Self, InvalidPublicUrl> {
        let url = Url::parse(text).map_err(|_| InvalidPublicUrl)?;
        let plain = url.has_host() && url.query().is_none() && url.fragment().is_none() && url.password().is_none();
        if !plain || !matches!(url.scheme(), "http" | "https") || !url.username().is_empty() {
            return Err(InvalidPublicUrl);
        }
        Ok(Self(url.as_str().trim_end_matches('/').to_owned()))
    }
}

impl PublicUrl {
    /// What is configured, if anything is.
    #[must_use]
    pub fn configured(request: &HttpRequest) -> Option<&Self> {
        request.app_data::<Data<Self>>().map(|configured| configured.get_ref())
    }

    /// What clients reach this service under: what is configured, or else what the request was sent to.
    #[must_use]
    pub fn of(request: &HttpRequest) -> Self {
        Self::configured(request).cloned().unwrap_or_else(|| {
            let listener = request.app_config();
            let own_scheme = if listener.secure() { "https" } else { "http" };
            let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
            let host = host.or_else(|| request.uri().authority().map(Authority::as_str));
            // Anybody can send these, and clients follow links with their token: only a proxy that is trusted is believed.
            let forwarded = |name| TrustedProxies::sent(request).then(|| last_to_first(request.headers(), name).next());
            let scheme = forwarded("x-forwarded-proto").flatten().unwrap_or(own_scheme);
            let host = forwarded("x-forwarded-host").flatten().or(host);
            // Nothing but a host and a port, of which a link can be made (RFC 3986 §3.2).
            let authority = host.and_then(|host| host.parse::<Authority>().ok());
            let there = authority.and_then(|authority| format!("{scheme}://{authority}").parse().ok());
            there.unwrap_or_else(|| Self(format!("{own_scheme}://{}", listener.local_addr())))
        })
    }

    /// The URL itself, without a slash at the end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The URL of a path of the service.
    #[must_use]
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_address_is_one() {
        let join = |text: &str| text.parse::<PublicUrl>().map(|url| url.join("/api/v2/ping"));
        assert_eq!(join("https://tokens.example.com/"), Ok("https://tokens.example.com/api/v2/ping".to_owned()));
        assert_eq!(join("http://[::1]:8080/base"), Ok("http://[::1]:8080/base/api/v2/ping".to_owned()));
        for text in ["", "tokens.example.com", "ftp://x", "https://x?y", "https://x#y", "https://a:b@x", "https://"] {
            assert_eq!(join(text), Err(InvalidPublicUrl), "{text}");
        }
    }
}
