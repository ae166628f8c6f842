//! The endpoints of tokens: those below an owner ([`of_owners`]), those of any one token ([`by_id`]), and reports of leaked
//! ones.

mod by_id;
mod of_owners;

pub(crate) use of_owners::NEWEST_FIRST;

use super::include::{INCLUDE, TYPES, included};
use super::issue::Mint;
use super::leaked::{self, Found, LEAKED_TOKENS, LeakedAttributes, REPORTED_MAX};
use super::{Token, life, schema, view};
use crate::credential::Secret;
use crate::http::{Allowed, Anyone, Endpoint, Made, Reply, ResourceList, Route, Section, Services};
use crate::jsonapi::{QuerySpec, Result};

const SHOW: QuerySpec = QuerySpec { include: INCLUDE, ..QuerySpec::show(TYPES) };
/// What other systems call the attributes of a token. Dropped in silence, they would make one that never ends, or may more.
const WORDS: &[(&str, &str)] = &[
    ("name", "description"),
    ("label", "description"),
    ("title", "description"),
    ("scope", "role, and what it may do at other services abilities,"),
    ("scopes", "abilities"),
    ("permissions", "abilities"),
    ("expire-at", "expired-at"),
    ("expires", "expired-at"),
    ("expires-at", "expired-at"),
    ("expires-on", "expired-at"),
    ("expiration", "expired-at"),
    ("expiration-date", "expired-at"),
    ("expiry", "expired-at"),
];
const REPORTS: ResourceList<LeakedAttributes> =
    ResourceList::up_to(REPORTED_MAX, &[LEAKED_TOKENS]).requires(&["token"]);

/// The endpoints of tokens.
pub(crate) fn section() -> Section {
    Section {
        tag: "tokens",
        about: "Long-lived credentials. The secret is in one answer: the one that makes the token, which can be asked \
                for once more with an `Idempotency-Key`",
        endpoints: [of_owners::endpoints(), by_id::endpoints(), leaked_tokens()].into_iter().flatten().collect(),
        kinds: vec![schema::token(), schema::usage_day()],
    }
}

fn leaked_tokens() -> Vec<Endpoint> {
    vec![
        Route::post(
            "/leaked-tokens",
            "reportLeakedTokens",
            "Report secrets that were found somewhere; no token needed",
        )
        .details(
            "Those that are real are revoked at once, and the audit trail tells where they were found. The answer is \
             the same whether or not any is real. An address may ask 60 times at once and then once a second.",
        )
        .query(&QuerySpec::NONE)
        .body(REPORTS)
        .prepare(|_, reports| Ok(Found::in_reports(&reports)))
        .write_for_anyone(report_leaked),
    ]
}

/// Answers with a token, and with what the query asks to include.
fn one<I>(call: Allowed<'_, I>, token: &Token) -> Result<Reply> {
    let included = included(call.connection, &call.caller, &call.query, std::slice::from_ref(token))?;
    Ok(call.one(view::token(token)).include(included))
}

/// Answers with a token as [`one`], and records that somebody has looked at it.
fn shown<I>(call: Allowed<'_, I>, token: &Token) -> Result<Reply> {
    life::record_look(call.connection, &call.caller, token)?;
    one(call, token)
}

/// Revokes a token.
fn revoked<I>(call: Allowed<'_, I>, token: Token) -> Result<Reply> {
    life::revoke(call.connection, &call.caller, &[token], None)?;
    Ok(call.done())
}

/// What a request makes tokens with.
pub(crate) const fn mint(services: &Services) -> Mint<'_> {
    Mint { signer: &services.signer, default_ttl: services.default_token_ttl }
}

/// A token just made, with its secret and with what the query asks to include.
fn made<I>(call: &mut Allowed<'_, I>, (token, secret): (Token, Secret)) -> Result<Made> {
    let included = included(call.connection, &call.caller, &call.query, std::slice::from_ref(&token))?;
    Ok(view::created(&token, &secret).include(included))
}

/// Revokes those that are real, all or none, and answers the same whether or not any is.
fn report_leaked(call: Anyone<'_, Found>) -> Result<Reply> {
    let (call, found) = call.take_input();
    leaked::report(call.connection, &call.request_id, found)?;
    Ok(call.done())
}
