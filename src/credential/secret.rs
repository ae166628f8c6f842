//! Secrets: how they are made, recognized and stored (docs/design.md §2). Those that are JWTs are made in `jwt`.
//!
//! A [`Secret`] is what a client sends; a [`Digest`] is all that is stored of it. They are two types so that
//! mixing them up does not compile, and a secret cannot be printed.

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest as _, Sha256};

use super::Kind;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const RANDOM_LENGTH: usize = 43;
const CHECKSUM_LENGTH: usize = 6;
/// `lk`, the kind's letter and `_`.
const START_LENGTH: usize = 4;
const LENGTH: usize = START_LENGTH + RANDOM_LENGTH + CHECKSUM_LENGTH;
/// How much of a secret is shown so that people can tell tokens apart.
pub(crate) const PREFIX_LENGTH: usize = 10;
/// How all JWTs begin: `{"` in base64url.
pub(crate) const JWT_START: &str = "eyJ";
/// The most characters of a JWT; none is made that is longer.
pub(crate) const JWT_MAX: usize = 16_384;
/// Of an Ed25519 signature, 64 bytes, in base64url.
const SIGNATURE_LENGTH: usize = 86;

/// The operating system could not give random numbers.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gives no random numbers: {0}")]
pub struct RandomnessUnavailable(#[from] getrandom::Error);

/// The string that authenticates: 53 characters, about 256 bits of them random, or a JWT.
#[derive(Clone, Debug)]
pub struct Secret(SecretString);

/// SHA-256 of a secret. The secret is long and random, or its signature is, so a fast hash without salt is enough.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Digest([u8; 32]);

impl Secret {
    /// A new secret for a token of the given kind.
    ///
    /// # Errors
    /// When the operating system's generator fails.
    pub fn generate(kind: Kind) -> Result<Self, RandomnessUnavailable> {
        Ok(Self(opaque(kind.letter())?))
    }

    /// The secret that a signed text is.
    pub(crate) const fn of_jwt(signed: SecretString) -> Self {
        Self(signed)
    }

    /// The secret that a text is, if it has the form of one and its checksum is right. Of a JWT, only the form is looked
    /// at: one that was not made here, or altered, has another digest than every token.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if is_jwt(text) {
            return Some(Self(text.into()));
        }
        (is_start(text) && is_opaque(text)).then(|| Self(text.into()))
    }

    /// Every secret in a text, whatever surrounds it: quotes, a variable's name, the end of a line. At most `most`.
    pub(crate) fn find_all(text: &str, most: usize) -> Vec<Self> {
        let opaque = text.match_indices("lk").filter_map(|(at, _)| Self::parse(text.get(at..at + LENGTH)?));
        opaque.chain(jwts_in(text)).take(most).collect()
    }

    /// As much of the start of a text as may belong to a secret; none if it does not start like one.
    pub(crate) fn beginning(text: &str) -> Option<&str> {
        let (start, rest) = text.split_at_checked(START_LENGTH)?;
        let length = rest.bytes().take(LENGTH - START_LENGTH).take_while(u8::is_ascii_alphanumeric).count();
        // Another one may begin in what seems to be its end: the `_` of that one cannot belong to this one.
        let before = length.saturating_sub(START_LENGTH - 1);
        let length = if rest.get(before..).is_some_and(is_start) { before } else { length };
        if is_start(start) { text.get(..START_LENGTH + length) } else { None }
    }

    /// What is stored of it.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest(Sha256::digest(self.0.expose_secret()).into())
    }

    /// `token-prefix`, 10 characters that tell it from others: its first ones, or of a JWT, which all begin alike, `eyJ…`
    /// and the last 6 of its signature.
    #[must_use]
    pub fn prefix(&self) -> String {
        let text = self.0.expose_secret();
        let end = text.len().saturating_sub(PREFIX_LENGTH - JWT_START.len() - 1);
        match text.get(end..) {
            Some(end) if text.starts_with(JWT_START) => format!("{JWT_START}…{end}"),
            _ => text.chars().take(PREFIX_LENGTH).collect(),
        }
    }

    /// The secret itself, for the one answer that shows it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        self.0.expose_secret()
    }
}

/// What a browser shows, where a program shows a token: the cookie of a session, or the code of a link to sign in with. It
/// has the form of a token's secret, with another letter, and opens nothing of the API.
#[derive(Clone, Debug)]
pub struct BrowserSecret(SecretString);

/// What a [`BrowserSecret`] is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BrowserUse {
    /// A session in the console.
    Session,
    /// A link with which a password is set.
    SignInLink,
    /// A browser in which nobody has signed in.
    Guest,
}

impl BrowserUse {
    const fn letter(self) -> char {
        match self {
            Self::Session => 's',
            Self::SignInLink => 'l',
            Self::Guest => 'g',
        }
    }
}

impl BrowserSecret {
    /// A new secret.
    ///
    /// # Errors
    /// When the operating system's generator fails.
    pub fn generate(wanted: BrowserUse) -> Result<Self, RandomnessUnavailable> {
        Ok(Self(opaque(wanted.letter())?))
    }

    /// The secret that a text is, if it has the form of one for this use and its checksum is right.
    #[must_use]
    pub fn parse(wanted: BrowserUse, text: &str) -> Option<Self> {
        let start = [b'l', b'k', wanted.letter() as u8, b'_'];
        (text.as_bytes().starts_with(&start) && is_opaque(text)).then(|| Self(text.into()))
    }

    /// What is stored of it.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest(Sha256::digest(self.0.expose_secret()).into())
    }

    /// The secret itself, for the browser that it is made for.
    #[must_use]
    pub fn reveal(&self) -> &str {
        self.0.expose_secret()
    }
}

impl Digest {
    /// The bytes that the database holds.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl std::fmt::Debug for Digest {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Digest(…)")
    }
}

/// `lk`, the letter of what it is for, `_`, random letters and digits, and a checksum.
fn opaque(letter: char) -> Result<SecretString, RandomnessUnavailable> {
    let mut text = String::with_capacity(LENGTH);
    text.push_str("lk");
    text.push(letter);
    text.push('_');
    push_random(&mut text, RANDOM_LENGTH)?;
    text.push_str(&checksum(&text));
    Ok(text.into())
}

/// Whether a text has the length, the letters and the checksum of such a secret, whatever it begins with.
fn is_opaque(text: &str) -> bool {
    let letters = || text.bytes().skip(START_LENGTH).all(|byte| byte.is_ascii_alphanumeric());
    let sum = || text.split_at_checked(LENGTH - CHECKSUM_LENGTH).is_some_and(|(body, sum)| checksum(body) == sum);
    text.len() == LENGTH && letters() && sum()
}

/// Whether a text begins with `lk`, the letter of a kind and `_`.
fn is_start(text: &str) -> bool {
    Kind::ALL.iter().any(|kind| text.as_bytes().starts_with(&[b'l', b'k', kind.letter() as u8, b'_']))
}

/// What has the form of a JWT in a text. Its cost is a small multiple of the text's length, whatever is in it.
fn jwts_in(text: &str) -> impl Iterator<Item = Secret> + '_ {
    let runs = text.split(|letter: char| !(letter.is_ascii() && is_of_jwt(letter as u8) || letter == '.'));
    runs.flat_map(|run| {
        let parts: Vec<&str> = run.split('.').collect();
        let found = parts.windows(3).flat_map(|three| {
            let signature = three[2].get(..SIGNATURE_LENGTH);
            // Something that ends in `eyJ` may stand before it, and it may itself hold another.
            let headers = three[0].match_indices(JWT_START).take(8).map(|(at, _)| &three[0][at..]);
            headers.filter_map(move |header| Secret::parse(&format!("{header}.{}.{}", three[1], signature?)))
        });
        found.collect::<Vec<_>>()
    })
}

fn is_of_jwt(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

/// As much of the start of a text as may belong to a JWT; none if it does not start like one.
pub(crate) fn beginning_of_jwt(text: &str) -> Option<&str> {
    let length = text.bytes().take_while(|byte| is_of_jwt(*byte) || *byte == b'.').count();
    if text.starts_with(JWT_START) { text.get(..length) } else { None }
}

/// Whether a text has the form of a JWT that is signed with Ed25519.
fn is_jwt(text: &str) -> bool {
    let is_base64url = |part: &str| !part.is_empty() && part.bytes().all(is_of_jwt);
    if text.len() > JWT_MAX || !text.starts_with(JWT_START) {
        return false;
    }
    let mut parts = text.split('.');
    let (Some(header), Some(claims), Some(signature), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    signature.len() == SIGNATURE_LENGTH && [header, claims, signature].into_iter().all(is_base64url)
}

/// Random letters and digits; bytes that would favour some of them are thrown away.
fn push_random(text: &mut String, length: usize) -> Result<(), RandomnessUnavailable> {
    const EVEN: u8 = 62 * 4;
    let whole = text.len() + length;
    let mut bytes = [0; 64];
    while text.len() < whole {
        getrandom::fill(&mut bytes)?;
        let even = bytes.iter().filter(|byte| **byte < EVEN);
        let letters = even.map(|byte| char::from(ALPHABET[usize::from(*byte % 62)]));
        text.extend(letters.take(whole - text.len()));
    }
    Ok(())
}

/// CRC-32 (ISO 3309) in base62, most significant digit first.
fn checksum(of: &str) -> String {
    let mut rest = crc32fast::hash(of.as_bytes());
    let mut digits = [b'0'; CHECKSUM_LENGTH];
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[(rest % 62) as usize];
        rest /= 62;
    }
    digits.iter().copied().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_has_the_form_that_scanners_look_for() {
        let form = regex::Regex::new(r"\Alk[utowa]_[0-9A-Za-z]{49}\z").unwrap();
        for kind in Kind::ALL {
            let secret = Secret::generate(kind).unwrap();
            assert!(form.is_match(secret.reveal()));
            assert_eq!(Secret::parse(secret.reveal()).unwrap().digest(), secret.digest());
            assert_eq!(secret.prefix().len(), 10);
        }
    }

    #[test]
    fn the_checksum_is_crc32_of_what_precedes_it() {
        // CRC-32 of "123456789" is 0xCBF43926 (the check value of the CRC catalogue): 3421780262 in base62.
        assert_eq!(checksum("123456789"), "3jZRME");
    }

    #[test]
    fn a_secret_with_any_character_changed_is_refused() {
        let secret = Secret::generate(Kind::Team).unwrap();
        for at in 0..LENGTH {
            let mut changed = secret.reveal().as_bytes().to_vec();
            changed[at] = if changed[at] == b'x' { b'y' } else { b'x' };
            assert!(Secret::parse(std::str::from_utf8(&changed).unwrap()).is_none(), "position {at}");
        }
    }

    #[test]
    fn what_is_no_secret_is_refused() {
        for text in ["", "lk", "lkt_", "lké_aaaa", &"é".repeat(30), &"a".repeat(53), &"lkt_".repeat(5000)] {
            assert!(Secret::parse(text).is_none());
        }
    }

    #[test]
    fn of_a_jwt_the_form_is_looked_at() {
        let signature = "s".repeat(SIGNATURE_LENGTH);
        let jwt = format!("eyJhbGciOi.eyJpc-_z.{signature}");
        assert_eq!(Secret::parse(&jwt).unwrap().prefix(), "eyJ…ssssss");
        let long = |length: usize| format!("eyJhbGciOi.{}.{signature}", "c".repeat(length - 12 - SIGNATURE_LENGTH));
        assert!(Secret::parse(&long(JWT_MAX)).is_some());
        for text in [
            long(JWT_MAX + 1),
            jwt[..jwt.len() - 1].to_owned(),
            format!("{jwt}s"),
            format!("{jwt}."),
            format!("{jwt}.{signature}"),
            jwt.replace('-', "+"),
            jwt.replace("eyJpc-_z", ""),
            jwt.replacen("eyJ", "eyK", 1),
            format!("eyJhbGciOi.{signature}"),
            "eyJhbGciOiJub25lIn0.e30.".to_owned(),
            "eyJ".to_owned(),
        ] {
            assert!(Secret::parse(&text).is_none(), "{text}");
        }
    }

    #[test]
    fn neither_secret_nor_digest_can_be_printed() {
        let secret = Secret::generate(Kind::User).unwrap();
        let printed = format!("{secret:?} {:?}", secret.digest());
        assert!(!printed.contains(&secret.reveal()[4..]));
        assert_eq!(printed, "Secret(SecretBox<str>([REDACTED])) Digest(…)");
    }

    #[test]
    fn a_secret_is_found_whatever_surrounds_it() {
        let secret = Secret::generate(Kind::Team).unwrap();
        let jwt = format!("eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ4In0.{}", "s".repeat(SIGNATURE_LENGTH));
        for text in [secret.reveal(), &jwt] {
            let all =
                |text: &str| Secret::find_all(text, 10).iter().map(|one| one.reveal().to_owned()).collect::<Vec<_>>();
            for surroundings in [
                "{}",
                "{}\n",
                " {}\r\n",
                "Bearer {}",
                "TFE_TOKEN={}",
                "\"{}\"",
                "lkt_{}",
                "x{}",
                "é{}é",
                "a={}&b=",
                "eyJ.{}",
            ] {
                assert_eq!(all(&surroundings.replace("{}", text)), [text], "{surroundings}");
            }
            assert_eq!(all(&format!("{text} {text}")), [text, text]);
            assert!(all(&text[1..]).is_empty() && all(&text[..text.len() - 1]).is_empty());
        }
        assert_eq!(Secret::find_all(&secret.reveal().repeat(30), 10).len(), 10);
        for monster in ["eyJ".repeat(300_000), "eyJ.".repeat(200_000), ".".repeat(900_000), "lkt_".repeat(200_000)] {
            let began = std::time::Instant::now();
            assert!(Secret::find_all(&monster, 10).is_empty());
            assert!(began.elapsed() < std::time::Duration::from_secs(10), "{:?}", began.elapsed());
        }
    }
}
