//! Where to go after signing in: a page of this site, whatever the link said that led there.

use url::Url;

/// Where to go when no place of this site is named.
pub(super) const HOME: &str = "/app";

/// The longest that is followed.
const LONGEST: usize = 2048;

/// The path and query of a page of the site at `base`, if a browser that is sent to `wanted` from there stays there; else
/// [`HOME`]. What counts is where the browser would go, and not what the text looks like, so the same is asked of the answer.
pub(super) fn safe(base: &Url, wanted: &str) -> String {
    let there = |text: &str| {
        let url = base.join(text).ok()?;
        let local = url.origin() == base.origin() && url.username().is_empty() && url.password().is_none();
        local.then_some(url)
    };
    let place = || {
        let url = there(wanted).filter(|_| !wanted.is_empty() && wanted.len() <= LONGEST)?;
        let place = url[url::Position::BeforePath..].to_owned();
        (there(&place)? == url).then_some(place)
    };
    place().unwrap_or_else(|| HOME.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(wanted: &str) -> String {
        safe(&Url::parse("https://tokens.example:8443").unwrap(), wanted)
    }

    #[test]
    fn a_page_of_the_site_survives_whole() {
        for wanted in
            ["/app", "/app/acme/tokens?filter[status]=active&q=a%20b", "/oauth/authorize?state=a%2Bb&x=1#f", "/"]
        {
            assert_eq!(next(wanted), wanted);
        }
        assert_eq!(next("https://tokens.example:8443/app/acme"), "/app/acme");
    }

    #[test]
    fn nobody_is_led_elsewhere() {
        let long = format!("/{}", "x".repeat(8192));
        for wanted in [
            "",
            "//e.example",
            "/\\e.example",
            "\\\\e.example",
            "/\t/e.example",
            "\t//e.example",
            "/\r\n/e.example",
            "/.//e.example",
            "/a/..//e.example",
            "/%2e//e.example",
            "https://e.example",
            "https://tokens.example/",
            "https://tokens.example:8443@e.example/",
            "https://me@tokens.example:8443/",
            "javascript:alert(1)",
            "data:text/html,x",
            &long,
        ] {
            assert_eq!(next(wanted), HOME, "{wanted:?}");
        }
        // Here the browser stays, however it looks.
        assert_eq!(next("/%5Ce.example"), "/%5Ce.example");
        assert_eq!(next("/%09/e.example"), "/%09/e.example");
        assert_eq!(next("e.example"), "/e.example");
        assert_eq!(next("https:e.example"), "/e.example");
    }
}
