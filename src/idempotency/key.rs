//! The header `Idempotency-Key`.

use actix_web::http::header::HeaderMap;
use secrecy::{ExposeSecret, SecretString};

use crate::jsonapi::{Error, Result};

pub(crate) const HEADER: &str = "Idempotency-Key";

/// The most characters of a key.
pub(crate) const KEY_MAX: usize = 255;

/// What a client calls a request, however often it sends it. Together with the encryption key it opens the answer, so it
/// is treated like a secret.
#[derive(Debug, Clone)]
pub(crate) struct Key(SecretString);

impl Key {
    /// The key of a request, if it has one: a string of RFC 9651 §3.3.3, as draft-ietf-httpapi-idempotency-key-header
    /// has it, or the same characters without quotes, as shipped clients send it.
    ///
    /// # Errors
    /// 400 for what is neither, and for two.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Option<Self>> {
        let mut values = headers.get_all(HEADER);
        let Some(value) = values.next() else { return Ok(None) };
        let text = value.to_str().ok().filter(|_| values.next().is_none()).and_then(unquoted);
        let text =
            text.filter(|text| (1..=KEY_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()));
        let detail =
            format!("Must be there once, with 1 to {KEY_MAX} visible characters of ASCII, in quotes or without");
        text.map(|text| Some(Self(text.into()))).ok_or_else(|| Error::header(HEADER, detail))
    }

    pub(super) fn reveal(&self) -> &[u8] {
        self.0.expose_secret().as_bytes()
    }
}

/// What stands between quotes, or the whole text if it does not begin with one; none if the quotes do not match.
fn unquoted(text: &str) -> Option<String> {
    let Some(quoted) = text.trim().strip_prefix('"') else { return Some(text.trim().to_owned()) };
    let (mut letters, mut string) = (quoted.chars(), String::new());
    loop {
        match letters.next()? {
            '"' => return letters.as_str().is_empty().then_some(string),
            '\\' => string.push(letters.next().filter(|letter| ['"', '\\'].contains(letter))?),
            letter => string.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn key(values: &[&'static str]) -> Option<String> {
        let request = values.iter().fold(TestRequest::post(), |request, value| request.append_header((HEADER, *value)));
        match Key::of(request.to_http_request().headers()) {
            Ok(key) => Some(String::from_utf8(key?.reveal().to_vec()).unwrap()),
            Err(fault) => {
                assert_eq!(fault.status(), 400);
                Some("400".to_owned())
            }
        }
    }

    #[test]
    fn a_key_is_a_string_or_a_bare_word() {
        assert_eq!(key(&[]), None);
        for (value, text) in [
            ("8e03978e-40d5-43e8-bc93-6894a57f9324", "8e03978e-40d5-43e8-bc93-6894a57f9324"),
            (r#""8e03978e-40d5""#, "8e03978e-40d5"),
            (r#" "a" "#, "a"),
            (r#""a\"b\\c""#, r#"a"b\c"#),
            (r#"a"b\c;d=1,e"#, r#"a"b\c;d=1,e"#),
        ] {
            assert_eq!(key(&[value]).as_deref(), Some(text), "{value}");
        }
        let longest = "k".repeat(KEY_MAX);
        assert_eq!(key(&[longest.clone().leak()]), Some(longest.clone()));
        assert_eq!(key(&[format!("\"{longest}\"").leak()]), Some(longest.clone()));
        for wrong in [
            "",
            " ",
            "a b",
            "é",
            "a\tb",
            r#""""#,
            r#"""#,
            r#""a"#,
            r#""a"b"#,
            r#""a";b=1"#,
            r#""a b""#,
            r#""a\b""#,
            r#""a\"#,
            format!("{longest}k").leak(),
        ] {
            assert_eq!(key(&[wrong]).as_deref(), Some("400"), "{wrong:?}");
        }
        assert_eq!(key(&["a", "a"]).as_deref(), Some("400"));
    }

    #[test]
    fn a_key_cannot_be_printed() {
        assert_eq!(format!("{:?}", Key("once".into())), "Key(SecretBox<str>([REDACTED]))");
    }
}
