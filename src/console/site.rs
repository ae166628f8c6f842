//! Where the browser is: the origin under which it knows the service, and the cookies that it may keep for it.

use actix_web::HttpRequest;
use actix_web::cookie::{Cookie, SameSite, time};
use actix_web::http::header::ORIGIN;
use url::{Host, Url};

use crate::credential::{BrowserSecret, BrowserUse};
use crate::jsonapi::PublicUrl;
use crate::sessions::Lifetime;

/// The origin of the pages. Cookies are safe there: by TLS, or because nothing leaves the machine.
#[derive(Debug, Clone)]
pub(super) struct Site {
    /// Without a path.
    base: Url,
}

/// Why no page with a form is shown, in a sentence for whoever runs the service.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Unsafe(pub(super) &'static str);

/// Whether pages with forms are shown at an address.
///
/// # Errors
/// Why not.
pub(crate) fn check_address(public_url: &PublicUrl) -> Result<(), Unsafe> {
    Site::at(public_url.as_str()).map(|_| ())
}

const PLAIN: Unsafe = Unsafe(
    "This page was asked for without TLS, so that no password may be entered here. Serve Latchkey with \
     --tls-certificate and --tls-key, or behind a proxy that speaks TLS, and say its address with \
     --public-url https://… (LATCHKEY_PUBLIC_URL). On the machine itself, http://localhost works.",
);

const BELOW_A_PATH: Unsafe = Unsafe(
    "The console needs a host of its own, and --public-url (LATCHKEY_PUBLIC_URL) has a path: cookies are for the whole \
     host, and other applications on it would get them.",
);

impl Site {
    /// Where a request was sent to.
    ///
    /// # Errors
    /// Why no page can be shown there.
    pub(super) fn of(request: &HttpRequest) -> Result<Self, Unsafe> {
        Self::at(PublicUrl::of(request).as_str())
    }

    fn at(url: &str) -> Result<Self, Unsafe> {
        let base = Url::parse(url).map_err(|_| PLAIN)?;
        let local = match base.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        match base.scheme() {
            _ if base.path() != "/" => Err(BELOW_A_PATH),
            "https" => Ok(Self { base }),
            "http" if local => Ok(Self { base }),
            _ => Err(PLAIN),
        }
    }

    /// The origin, without a path.
    pub(super) const fn base(&self) -> &Url {
        &self.base
    }

    fn origin(&self) -> String {
        self.base.origin().ascii_serialization()
    }

    fn is_secure(&self) -> bool {
        self.base.scheme() == "https"
    }

    /// Whether a page of this site has sent a request that changes something: browsers say so, and pages cannot make them
    /// say it. `Origin` is in every POST of a browser; `Sec-Fetch-Site` only where it trusts the connection.
    pub(super) fn has_sent(&self, request: &HttpRequest) -> bool {
        let header = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap_or_default());
        let (origin, fetched) = (header(ORIGIN.as_str()), header("sec-fetch-site"));
        (origin.is_some() || fetched.is_some())
            && origin.is_none_or(|origin| origin == self.origin())
            && fetched.is_none_or(|fetched| fetched == "same-origin")
    }

    /// The secret that the browser keeps for this site.
    pub(super) fn secret(&self, request: &HttpRequest, wanted: BrowserUse) -> Option<BrowserSecret> {
        let cookie = request.cookie(&self.cookie_name(wanted))?;
        BrowserSecret::parse(wanted, cookie.value())
    }

    /// The cookie of a session.
    pub(super) fn session_cookie(&self, secret: &BrowserSecret, lifetime: Lifetime) -> Cookie<'static> {
        let seconds = i64::try_from(lifetime.whole.as_secs()).unwrap_or(i64::MAX);
        self.cookie(BrowserUse::Session, secret.reveal(), Some(time::Duration::seconds(seconds)))
    }

    /// The cookie of a browser in which nobody has signed in. It goes with the browser's window.
    pub(super) fn guest_cookie(&self, secret: &BrowserSecret) -> Cookie<'static> {
        self.cookie(BrowserUse::Guest, secret.reveal(), None)
    }

    /// Takes the cookie of a session away.
    pub(super) fn no_session_cookie(&self) -> Cookie<'static> {
        self.cookie(BrowserUse::Session, "", Some(time::Duration::ZERO))
    }

    fn cookie(&self, wanted: BrowserUse, value: &str, max_age: Option<time::Duration>) -> Cookie<'static> {
        let cookie = Cookie::build(self.cookie_name(wanted), value.to_owned())
            .path("/")
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(self.is_secure());
        match max_age {
            Some(max_age) => cookie.max_age(max_age).finish(),
            None => cookie.finish(),
        }
    }

    /// Over TLS with the prefix that keeps other hosts from setting it (RFC 6265bis §4.1.3.2). Without, by its port: browsers
    /// give a cookie to every port of the host, where another service may run.
    fn cookie_name(&self, wanted: BrowserUse) -> String {
        let name = match wanted {
            BrowserUse::Guest => "latchkey-guest",
            BrowserUse::Session | BrowserUse::SignInLink => "latchkey-session",
        };
        if self.is_secure() {
            format!("__Host-{name}")
        } else {
            format!("{name}-{}", self.base.port_or_known_default().unwrap_or_default())
        }
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn a_form_is_shown_where_a_cookie_is_safe() {
        for url in
            ["https://tokens.example", "https://x:8443", "http://localhost:8080", "http://127.0.0.1", "http://[::1]:1"]
        {
            assert!(Site::at(url).is_ok(), "{url}");
        }
        for url in ["http://tokens.example", "http://192.0.2.1:8080", "http://localhost.example", "http://xlocalhost"] {
            assert!(Site::at(url).unwrap_err().0.contains("--public-url"), "{url}");
        }
        assert!(Site::at("https://example.com/latchkey").unwrap_err().0.contains("path"));
    }

    #[test]
    fn cookies_are_closed_to_scripts_other_sites_and_other_hosts() {
        let secret = BrowserSecret::generate(BrowserUse::Session).unwrap();
        let lifetime = Lifetime { idle: std::time::Duration::from_secs(1), whole: std::time::Duration::from_secs(60) };
        let written = |url: &str| Site::at(url).unwrap().session_cookie(&secret, lifetime).to_string();
        let value = secret.reveal();
        assert_eq!(
            written("https://tokens.example"),
            format!("__Host-latchkey-session={value}; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=60")
        );
        assert_eq!(
            written("http://localhost:8080"),
            format!("latchkey-session-8080={value}; HttpOnly; SameSite=Lax; Path=/; Max-Age=60")
        );
    }

    #[test]
    fn only_a_page_of_the_site_sends_forms() {
        let site = Site::at("https://tokens.example:8443").unwrap();
        let sent = |headers: &[(&str, &str)]| {
            let request = headers.iter().fold(TestRequest::post(), |request, header| request.append_header(*header));
            site.has_sent(&request.to_http_request())
        };
        let own = ("Origin", "https://tokens.example:8443");
        assert!(sent(&[own]));
        assert!(sent(&[("Sec-Fetch-Site", "same-origin")]));
        assert!(sent(&[own, ("Sec-Fetch-Site", "same-origin")]));
        for headers in [
            &[][..],
            &[("Origin", "null")],
            &[("Origin", "https://tokens.example")],
            &[("Origin", "http://tokens.example:8443")],
            &[("Origin", "https://evil.example")],
            &[("Sec-Fetch-Site", "same-site")],
            &[("Sec-Fetch-Site", "none")],
            &[own, ("Sec-Fetch-Site", "cross-site")],
            &[("Origin", "https://evil.example"), ("Sec-Fetch-Site", "same-origin")],
        ] {
            assert!(!sent(headers), "{headers:?}");
        }
    }
}
