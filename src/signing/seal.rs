//! Encryption at rest: ChaCha20-Poly1305 (RFC 8439), under a key that the database does not have.

use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};
use secrecy::{ExposeSecret, SecretBox, SecretSlice, SecretString};

use super::Error;

/// How many bytes an encryption key has, and a private key.
const LENGTH: usize = 32;

/// 32 bytes that nobody but the services of one database should know.
#[derive(Debug)]
pub struct EncryptionKey(SecretBox<[u8; LENGTH]>);

/// A text that is no encryption key. It is not told which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 32 random bytes in base64 or hex, such as `openssl rand -base64 32` prints")]
pub struct InvalidEncryptionKey;

impl FromStr for EncryptionKey {
    type Err = InvalidEncryptionKey;

    fn from_str(text: &str) -> Result<Self, InvalidEncryptionKey> {
        let base64 = [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD];
        let bytes = from_hex(text).or_else(|| base64.into_iter().find_map(|spelling| spelling.decode(text).ok()));
        let bytes: [u8; LENGTH] = bytes.and_then(|bytes| bytes.try_into().ok()).ok_or(InvalidEncryptionKey)?;
        Ok(Self(SecretBox::new(Box::new(bytes))))
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text.chars().map(|digit| digit.to_digit(16)?.try_into().ok()).collect();
    let digits = digits.filter(|digits| digits.len() == 2 * LENGTH)?;
    Some(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

impl EncryptionKey {
    /// A new one, as a text that parses.
    ///
    /// # Errors
    /// When the operating system gives no random numbers.
    pub fn generate() -> Result<SecretString, getrandom::Error> {
        let mut bytes = [0; LENGTH];
        getrandom::fill(&mut bytes)?;
        Ok(STANDARD.encode(bytes).into())
    }

    /// Encrypts a private key. The answer opens only together with the same `kid`.
    pub(super) fn seal(&self, kid: &str, private: &SecretBox<[u8; LENGTH]>) -> Result<Vec<u8>, Error> {
        self.cipher()?.seal(&bound_to(kid), private.expose_secret())
    }

    /// Decrypts a private key; none if it was not sealed so, with this key, for this `kid`.
    pub(super) fn open(&self, kid: &str, sealed: &[u8]) -> Option<SecretBox<[u8; LENGTH]>> {
        let opened = self.cipher().ok()?.open(&bound_to(kid), sealed)?;
        Some(SecretBox::new(Box::new(<[u8; LENGTH]>::try_from(opened.expose_secret()).ok()?)))
    }

    fn cipher(&self) -> Result<Cipher, Error> {
        let key = UnboundKey::new(&CHACHA20_POLY1305, self.0.expose_secret()).map_err(|_| Error::Cipher)?;
        Ok(Cipher(LessSafeKey::new(key)))
    }

    /// A cipher whose key is derived (HKDF, RFC 5869) from this one and from what is not kept here: who has one of the
    /// two opens nothing.
    ///
    /// # Errors
    /// None that can be expected.
    pub(crate) fn cipher_with(&self, other: &[u8], purpose: &'static str) -> Result<Cipher, Error> {
        let derived = Salt::new(HKDF_SHA256, self.0.expose_secret()).extract(other);
        let purpose = [purpose.as_bytes()];
        let key = derived.expand(&purpose, &CHACHA20_POLY1305).map_err(|_| Error::Cipher)?;
        Ok(Cipher(LessSafeKey::new(UnboundKey::from(key))))
    }
}

/// Encrypts under one key. The nonce is random, and stands before the text.
pub(crate) struct Cipher(LessSafeKey);

impl Cipher {
    /// Encrypts a text. It opens only together with the same `bound_to`.
    ///
    /// # Errors
    /// When the operating system gives no random numbers.
    pub(crate) fn seal(&self, bound_to: &[u8], text: &[u8]) -> Result<Vec<u8>, Error> {
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce)?;
        let mut text = text.to_vec();
        self.0
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(bound_to), &mut text)
            .map_err(|_| Error::Cipher)?;
        Ok([nonce.as_slice(), &text].concat())
    }

    /// Decrypts a text; none if it was not sealed so, with this key, for this `bound_to`.
    pub(crate) fn open(&self, bound_to: &[u8], sealed: &[u8]) -> Option<SecretSlice<u8>> {
        let (nonce, text) = sealed.split_at_checked(NONCE_LEN)?;
        let (nonce, mut text) = (Nonce::try_assume_unique_for_key(nonce).ok()?, text.to_vec());
        let length = self.0.open_in_place(nonce, Aad::from(bound_to), &mut text).ok()?.len();
        text.truncate(length);
        Some(text.into())
    }
}

/// A sealed key that was put into another row does not open.
fn bound_to(kid: &str) -> Vec<u8> {
    format!("latchkey signing key {kid}").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> EncryptionKey {
        STANDARD.encode([byte; LENGTH]).parse().unwrap()
    }

    #[test]
    fn a_key_is_32_bytes_in_base64_or_hex() {
        let spellings = [STANDARD.encode([255; 32]), URL_SAFE_NO_PAD.encode([255; 32]), "fF".repeat(32)];
        for text in spellings {
            assert_eq!(text.parse::<EncryptionKey>().unwrap().0.expose_secret(), &[255; 32], "{text}");
        }
        for text in ["", "key", &"f".repeat(63), &"g".repeat(64), &STANDARD.encode([1; 31]), &STANDARD.encode([1; 33])]
        {
            assert_eq!(text.parse::<EncryptionKey>().err(), Some(InvalidEncryptionKey), "{text}");
        }
        assert!(EncryptionKey::generate().unwrap().expose_secret().parse::<EncryptionKey>().is_ok());
    }

    #[test]
    fn a_sealed_key_opens_with_its_key_and_its_kid_alone() {
        let private = SecretBox::new(Box::new([3; LENGTH]));
        let sealed = key(1).seal("kid", &private).unwrap();
        assert_ne!(sealed, key(1).seal("kid", &private).unwrap(), "no nonce twice");
        assert_eq!(key(1).open("kid", &sealed).unwrap().expose_secret(), &[3; LENGTH]);
        assert!(key(2).open("kid", &sealed).is_none());
        assert!(key(1).open("other", &sealed).is_none());
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(key(1).open("kid", &changed).is_none(), "byte {at}");
            assert!(key(1).open("kid", &sealed[..at]).is_none(), "byte {at}");
        }
    }

    #[test]
    fn what_is_sealed_with_two_opens_with_both_alone() {
        let cipher = |byte: u8, other: &[u8], purpose| key(byte).cipher_with(other, purpose).unwrap();
        let sealed = cipher(1, b"other", "a").seal(b"place", b"text").unwrap();
        let opened = cipher(1, b"other", "a").open(b"place", &sealed).unwrap();
        assert_eq!(opened.expose_secret(), b"text");
        let wrong = [
            cipher(2, b"other", "a"),
            cipher(1, b"another", "a"),
            cipher(1, b"", "a"),
            cipher(1, b"other", "b"),
            key(1).cipher().unwrap(),
        ];
        assert!(wrong.iter().all(|wrong| wrong.open(b"place", &sealed).is_none()));
        assert!(cipher(1, b"other", "a").open(b"elsewhere", &sealed).is_none());
    }

    #[test]
    fn a_key_cannot_be_printed() {
        assert_eq!(format!("{:?}", key(7)), "EncryptionKey(SecretBox<[u8; 32]>([REDACTED]))");
    }
}
