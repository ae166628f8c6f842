//! One try of a request that has a key.

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, RETRY_AFTER};
use diesel::PgConnection;
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};

use super::key::{HEADER, Key};
use super::store;
use crate::access::Caller;
use crate::ids::TokenId;
use crate::jsonapi::{Error, Result, Written};
use crate::signing::{Cipher, EncryptionKey};

/// What the answer is encrypted for, beside other uses of the encryption key.
const PURPOSE: &str = "latchkey idempotency";

/// A request, as it is told apart from others under the same key.
pub(crate) struct Request {
    /// Method and path.
    route: String,
    /// SHA-256 of query and body.
    content: [u8; 32],
}

/// What was answered before.
pub(crate) struct Answered {
    /// The token that was made.
    pub(crate) token: TokenId,
    pub(crate) document: Written,
}

/// One try of a request that has a key.
pub(crate) struct Attempt {
    /// SHA-256 of the key, the caller and the route.
    name: [u8; 32],
    content: [u8; 32],
    cipher: Cipher,
    /// What an earlier try was answered.
    answered: Option<Answered>,
}

impl Request {
    pub(crate) fn new(method: &str, path: &str, query: &str, body: &[u8]) -> Self {
        Self { route: format!("{method} {path}"), content: digest(&[query.as_bytes(), body]) }
    }
}

impl Attempt {
    /// The caller is a token, whose principal is always the same. Names can pass to other organizations, so that the
    /// organization counts which the path leads to, too.
    ///
    /// # Errors
    /// None that can be expected.
    pub(crate) fn new(key: &Key, caller: &Caller, request: &Request, encryption: &EncryptionKey) -> Result<Self> {
        let organization = caller.organization_id.map(|id| id.uuid().into_bytes()).unwrap_or_default();
        let name = digest(&[
            PURPOSE.as_bytes(),
            caller.by.key().as_bytes(),
            &organization,
            request.route.as_bytes(),
            key.reveal(),
        ]);
        let cipher = encryption.cipher_with(key.reveal(), PURPOSE)?;
        Ok(Self { name, content: request.content, cipher, answered: None })
    }

    /// What an earlier try was answered, without a lock.
    ///
    /// # Errors
    /// 422 where the key was that of another request, 409 where its answer cannot be opened.
    pub(crate) fn find(&self, connection: &mut PgConnection) -> Result<Option<Answered>> {
        let Some(kept) = store::find(connection, &self.name)? else { return Ok(None) };
        if kept.content != self.content {
            return Err(other_request());
        }
        let opened = self.cipher.open(&self.bound_to(kept.token_id), &kept.sealed_answer);
        let document = opened.and_then(|text| serde_json::from_slice(text.expose_secret()).ok());
        let document = document.ok_or_else(|| unopened(kept.token_id))?;
        Ok(Some(Answered { token: kept.token_id, document }))
    }

    /// The same try, with what was found for it.
    pub(crate) fn answered(self, answered: Option<Answered>) -> Self {
        Self { answered, ..self }
    }

    /// What an earlier try was answered; if there was none, the key is this one's until the transaction's end. Never
    /// waits.
    ///
    /// # Errors
    /// 409 while another try is under way; and as [`Attempt::find`].
    pub(crate) fn begin(&mut self, connection: &mut PgConnection) -> Result<Option<Answered>> {
        if let Some(answered) = self.answered.take() {
            return Ok(Some(answered));
        }
        if !store::claim(connection, &self.name)? {
            return Err(under_way());
        }
        // One that was under way at the first look may have ended.
        self.find(connection)
    }

    /// Keeps the answer for later tries, if the transaction is committed.
    ///
    /// # Errors
    /// When the database fails, or the operating system gives no random numbers.
    pub(crate) fn keep(&self, connection: &mut PgConnection, token: TokenId, document: &Written) -> Result<()> {
        let text = serde_json::to_vec(document).map_err(|_| Error::internal())?;
        let sealed = self.cipher.seal(&self.bound_to(token), &text)?;
        Ok(store::insert(connection, &self.name, token, &self.content, &sealed)?)
    }

    /// A sealed answer that was put into another row, or whose row was altered, does not open.
    fn bound_to(&self, token: TokenId) -> [u8; 32] {
        digest(&[&self.name, &self.content, token.uuid().as_bytes()])
    }
}

/// SHA-256 of texts, each with its length, so that no two lists are the same.
fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let with_length = |digest: Sha256, part: &&[u8]| {
        let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
        digest.chain_update(length.to_be_bytes()).chain_update(part)
    };
    parts.iter().fold(Sha256::new(), with_length).finalize().into()
}

fn other_request() -> Error {
    let detail = "The key was that of a request with another body or query; take a new one for each request";
    Error::new(StatusCode::UNPROCESSABLE_ENTITY, "key already used", detail).with_header_source(HEADER)
}

fn under_way() -> Error {
    Error::conflict(None, "A request with this key is under way; send it again when that one has ended")
        .with_header_source(HEADER)
        .with_header(RETRY_AFTER, HeaderValue::from_static("1"))
}

fn unopened(token: TokenId) -> Error {
    let detail = "A request with this key has made a token, but its answer cannot be read: it was encrypted with \
                  another encryption key. Regenerate the token, or revoke it";
    Error::conflict(None, detail).with_header_source(HEADER).with_meta("token", token.to_string())
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use chrono::Utc;

    use super::*;
    use crate::access::{AuthenticatedBy, OrganizationRef, OrganizationRights, Principal, Role};
    use crate::ids::OrganizationId;

    #[test]
    fn an_answer_opens_with_the_clients_key_alone() {
        let caller = Caller {
            by: AuthenticatedBy::Token(TokenId::generate()),
            role: Role::Owner,
            abilities: None,
            token_description: None,
            ends_at: None,
            now: Utc::now(),
            principal: Principal::AuditTrails { organization: OrganizationId::generate() },
            organization_ref: OrganizationRef::None,
            organization_id: None,
            rights: OrganizationRights::default(),
            request_id: String::new(),
        };
        let encryption: EncryptionKey = "6a".repeat(32).parse().unwrap();
        let attempt = |key: &'static str| {
            let headers = TestRequest::post().insert_header((HEADER, key)).to_http_request();
            let key = Key::of(headers.headers()).unwrap().unwrap();
            Attempt::new(&key, &caller, &Request::new("POST", "/tokens", "", b"{}"), &encryption).unwrap()
        };
        let (first, place) = (attempt("first"), attempt("first").bound_to(TokenId::generate()));
        let sealed = first.cipher.seal(&place, b"secret").unwrap();
        assert_eq!(attempt("first").cipher.open(&place, &sealed).unwrap().expose_secret(), b"secret");
        assert!(attempt("second").cipher.open(&place, &sealed).is_none());
    }

    #[test]
    fn no_two_lists_have_one_digest() {
        assert_ne!(digest(&[b"ab", b"c"]), digest(&[b"a", b"bc"]));
        assert_ne!(digest(&[b"ab"]), digest(&[b"ab", b""]));
    }
}
