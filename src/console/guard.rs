//! What proves that a form was shown by this service to the browser that sends it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;

use crate::credential::BrowserSecret;
use crate::jsonapi::{Error, Result};

/// The name of the field.
pub(super) const FIELD: &str = "form-token";

const SALT_LENGTH: usize = 16;

/// Makes and checks the token in each form, from the secret that only this browser has: that of its session, or, where nobody
/// has signed in, of a cookie for this alone. Nothing is kept of it. It is another one on every page, so that a compressed
/// page does not tell it.
#[derive(Clone)]
pub(super) struct Guard(hmac::Key);

impl Guard {
    pub(super) fn of(secret: &BrowserSecret) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret.reveal().as_bytes()))
    }

    /// A token for the forms of a page.
    ///
    /// # Errors
    /// 500 where there are no random numbers.
    pub(super) fn token(&self) -> Result<String> {
        let mut token = [0; SALT_LENGTH].to_vec();
        getrandom::fill(&mut token).map_err(|fault| {
            log::error!("no form can be shown: {fault}");
            Error::internal()
        })?;
        let tag = hmac::sign(&self.0, &token);
        token.extend_from_slice(tag.as_ref());
        Ok(URL_SAFE_NO_PAD.encode(token))
    }

    /// Whether a token was made for this browser.
    pub(super) fn accepts(&self, token: &str) -> bool {
        let Ok(token) = URL_SAFE_NO_PAD.decode(token) else { return false };
        let parts = token.split_at_checked(SALT_LENGTH);
        // In constant time.
        parts.is_some_and(|(salt, tag)| hmac::verify(&self.0, salt, tag).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::BrowserUse;

    #[test]
    fn a_token_is_good_in_one_browser() {
        let guard = || Guard::of(&BrowserSecret::generate(BrowserUse::Guest).unwrap());
        let (own, other) = (guard(), guard());
        let (one, two) = (own.token().unwrap(), own.token().unwrap());
        assert_ne!(one, two);
        assert!(own.accepts(&one) && own.accepts(&two));
        for token in [other.token().unwrap().as_str(), "", "AAAA", &one[1..], &format!("{one}A"), "ä"] {
            assert!(!own.accepts(token), "{token}");
        }
    }
}
