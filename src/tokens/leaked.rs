//! Reports of secrets that somebody has found somewhere: what one may say, and what of it is kept (docs/design.md §3, rule 10).

use std::collections::HashMap;

use diesel::PgConnection;
use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;
use url::Url;
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use super::model::event;
use super::{Token, store};
use crate::audit::{self, Actor, Event};
use crate::credential::{Digest, JWT_START, PREFIX_LENGTH, Secret, beginning_of_jwt};
use crate::ids::TokenId;
use crate::jsonapi::{ResourceBody, Result};

pub(crate) const LEAKED_TOKENS: &str = "leaked-tokens";

/// The most secrets that one request may report.
pub const REPORTED_MAX: usize = 100;

/// The most secrets that are looked for in one text of a report.
const IN_ONE_MAX: usize = 10;

/// So often a place is decoded.
const DECODED_MAX: usize = 5;

/// The most characters that a place may have.
const URL_MAX: usize = 2048;

/// The `revocation-reason` of what was reported.
const REASON: &str = "reported as leaked";

/// What a finder may say of a secret.
#[derive(Debug, Clone, Default, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct LeakedAttributes {
    /// `token`: the secret, or what looks like one.
    #[schema(value_type = Option<String>)]
    pub token: Option<SecretString>,
    /// `url`: where it was found, http or https, in at most 2048 characters.
    #[validate(custom(function = "valid_place"))]
    #[schema(max_length = 2048, format = "uri")]
    pub url: Option<String>,
}

fn valid_place(url: &str) -> Result<(), ValidationError> {
    let fits = url.chars().count() <= URL_MAX;
    if fits && Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host()) {
        return Ok(());
    }
    let message = format!("Url must be an http or https URL of at most {URL_MAX} characters");
    Err(ValidationError::new("url").with_message(message.into()))
}

/// What has the form of a secret among what was reported, with the place that is kept of it.
pub(super) struct Found(Vec<(Digest, Option<String>)>);

impl Found {
    /// Looks through reports, which takes no connection.
    pub(super) fn in_reports(reports: &[ResourceBody<LeakedAttributes>]) -> Self {
        let found = reports.iter().flat_map(|report| found(&report.attributes));
        Self(found.map(|(secret, place)| (secret.digest(), place)).collect())
    }
}

/// Revokes those of the reported secrets that are real, all or none, and records where each was found.
///
/// # Errors
/// The database's own.
pub(super) fn report(connection: &mut PgConnection, request_id: &str, Found(reports): Found) -> Result<()> {
    let actor = Actor::anybody("finder of leaked tokens", request_id.to_owned());
    let digests: Vec<Digest> = reports.iter().map(|(digest, _)| digest.clone()).collect();
    let found: HashMap<Digest, Token> = store::lock_by_secret(connection, &digests)?.into_iter().collect();
    let ids: Vec<TokenId> = found.values().map(|token| token.id).collect();
    store::revoke(connection, &ids, Some(REASON))?;
    // One for each place, also where the same secret was found in several.
    let told = |(digest, place): (Digest, Option<String>)| {
        let token = found.get(&digest)?;
        Some(event(token, "leak").and_meta("url", json!(place)).and_meta("revocation-reason", json!(REASON)))
    };
    let events: Vec<Event> = reports.into_iter().filter_map(told).collect();
    Ok(audit::record(connection, &actor, &events)?)
}

/// The secrets of one report, also those in its place, with what is kept of that.
fn found(report: &LeakedAttributes) -> Vec<(Secret, Option<String>)> {
    let secrets = secrets_of(report);
    let place = report.url.as_deref().and_then(|url| place(url, &secrets));
    secrets.into_iter().map(|secret| (secret, place.clone())).collect()
}

/// The secrets of one report, each once: a scanner's match often has its surroundings, and the place can hold one, too.
fn secrets_of(report: &LeakedAttributes) -> Vec<Secret> {
    let url = report.url.as_deref().unwrap_or_default();
    let decoded = decoded(url);
    let token = report.token.as_ref().map(ExposeSecret::expose_secret).unwrap_or_default();
    let mut secrets: Vec<Secret> =
        [token, url, &decoded].into_iter().flat_map(|text| Secret::find_all(text, IN_ONE_MAX)).collect();
    secrets.sort_by(|one, other| one.reveal().cmp(other.reveal()));
    secrets.dedup_by(|one, other| one.reveal() == other.reveal());
    secrets
}

/// An address without a name and password in it, and without secrets: a leak can be a part of the address itself, and
/// no secret may get into the audit trail.
fn place(url: &str, reported: &[Secret]) -> Option<String> {
    let mut url = Url::parse(url).ok()?;
    // Neither fails for an address with a host.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    let decoded = decoded(url.as_str());
    // Where a secret hides behind percent signs, only the host is told.
    if decoded != url.as_str() && without_secrets(&decoded, reported) != decoded {
        return Some(url.origin().ascii_serialization());
    }
    Some(without_secrets(url.as_str(), reported))
}

/// A text without the percent signs of a URL, also where it was encoded more than once.
fn decoded(url: &str) -> String {
    let decode = |text: &String| percent_decode_str(text).decode_utf8_lossy().into_owned();
    std::iter::successors(Some(url.to_owned()), |text| Some(decode(text)).filter(|decoded| decoded != text))
        .take(DECODED_MAX)
        .last()
        .unwrap_or_default()
}

/// A text with no more of a secret than its prefix, also where a secret's end is missing.
fn without_secrets(text: &str, reported: &[Secret]) -> String {
    let text =
        reported.iter().fold(text.to_owned(), |text, secret| text.replace(secret.reveal(), &hint(&secret.prefix())));
    let text = masked(&text, "lk", Secret::beginning, |piece| hint(&piece[..PREFIX_LENGTH]));
    masked(&text, JWT_START, beginning_of_jwt, |_| hint(JWT_START))
}

/// A text with a hint in the place of each piece that `start` begins, as far as it may belong to a secret, if it is longer
/// than a prefix.
fn masked(text: &str, start: &str, beginning: fn(&str) -> Option<&str>, hint: impl Fn(&str) -> String) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(start) {
        clean.push_str(&rest[..at]);
        let length = beginning(&rest[at..]).map_or(start.len(), str::len);
        let (piece, after) = rest[at..].split_at(length);
        if piece.len() > PREFIX_LENGTH {
            clean.push_str(&hint(piece));
        } else {
            clean.push_str(piece);
        }
        rest = after;
    }
    clean.push_str(rest);
    clean
}

fn hint(prefix: &str) -> String {
    format!("{prefix}…")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::Kind;

    #[test]
    fn a_place_is_an_address_of_the_web() {
        let longest = format!("https://example.com/{}", "x".repeat(2028));
        for good in ["https://example.com/a?b#c", "http://192.0.2.1:8080", "HTTPS://EXAMPLE.COM", &longest] {
            assert!(valid_place(good).is_ok(), "{good}");
        }
        for bad in
            ["", "example.com", "ftp://example.com", "file:///etc", "javascript:1", "https://", &format!("{longest}x")]
        {
            assert!(valid_place(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn no_secret_is_kept_of_a_place() {
        let [reported, other] = [Kind::Team, Kind::User].map(|kind| Secret::generate(kind).unwrap());
        let (one, two) = (reported.reveal(), other.reveal());
        let kept = |url: &str| place(url, std::slice::from_ref(&reported)).unwrap();
        let url = format!("https://ada:sesame@example.com/bulk_/lkt_x/{one}?a={two}{two}&b={}#lk", &two[..40]);
        let (first, second) = (reported.prefix(), other.prefix());
        let expected = format!("https://example.com/bulk_/lkt_x/{first}…?a={second}…{second}…&b={second}…#lk");
        assert_eq!(kept(&url), expected);
        let encoded = format!("https://example.com:8443/a/{}", one.replace('_', "%5F"));
        assert_eq!(kept(&encoded), "https://example.com:8443");
        let jwt = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl";
        assert_eq!(kept(&format!("https://example.com/?q={jwt}&a=eyJ0")), "https://example.com/?q=eyJ…&a=eyJ0");
        assert_eq!(kept(&format!("https://example.com/?q={}", &jwt[..30])), "https://example.com/?q=eyJ…");
        let twice = format!("https://example.com/a/{}", one.replace('_', "%255F"));
        assert_eq!(kept(&twice), "https://example.com");
        let glued = format!("https://example.com/{}_{}", "lkt_abcdefghlkt", &one[4..52]);
        assert!(!kept(&glued).contains(&one[4..30]), "{}", kept(&glued));
        let commit = "https://example.com/blob/0123456789abcdef0123456789abcdef01234567/talk_to_lkt_";
        assert_eq!(kept(commit), commit);
    }
}
