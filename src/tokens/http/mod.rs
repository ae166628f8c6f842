//! The endpoints of tokens: those below an owner ([`of_owners`]), those of any one token ([`by_id`]), and reports of leaked
//! ones.

mod by_id;
mod of_owners;

pub(crate) use of_owners::NEWEST_FIRST;

use super::include::{INCLUDE, TYPES, included};
use super::issue::Mint;
use super::leaked::{self, Found, LEAKED_TOKENS, LeakedAttributes, REPORTED_MAX};
use super::view::{NAMES, TOKENS};
use super::{Revocation, Token, life, schema, view};
use crate::credential::Secret;
use crate::http::{
    Allowed, Anyone, Endpoint, Made, OneResource, OtherWords, Reply, ResourceList, Route, Section, Services,
};
use crate::jsonapi::{QuerySpec, ResourceBody, Result};

const SHOW: QuerySpec = QuerySpec { include: INCLUDE, ..QuerySpec::show(TYPES) };
/// What other systems call the attributes of a token. Dropped in silence, they would make one that never ends, or may more.
const WORDS: &[OtherWords] = &[
    OtherWords {
        here: "description",
        there: &["name", "label", "title", "displayname", "tokenname", "tokenlabel", "comment", "note", "notes"],
    },
    OtherWords {
        here: "expired-at",
        there: &[
            "expireat",
            "expires",
            "expiresat",
            "expireson",
            "expire",
            "expired",
            "expiredate",
            "expiresdate",
            "exp",
            "expiration",
            "expirationat",
            "expirationdate",
            "expirationtime",
            "expiry",
            "expiryat",
            "expirydate",
            "expirytime",
            "validuntil",
            "validto",
            "validtill",
            "notafter",
            "endat",
            "enddate",
        ],
    },
    OtherWords { here: "role, and what it may do at other services abilities,", there: &["scope"] },
    OtherWords { here: "role", there: &["roles", "tokenrole", "accesslevel", "accessrole"] },
    OtherWords {
        here: "abilities",
        there: &["ability", "scopes", "permission", "permissions", "capability", "capabilities", "privileges"],
    },
    OtherWords {
        here: "status",
        there: &[
            "enabled",
            "disabled",
            "active",
            "inactive",
            "isactive",
            "isenabled",
            "isdisabled",
            "revoked",
            "isrevoked",
            "state",
        ],
    },
    OtherWords { here: "labels", there: &["tags", "metadata"] },
    OtherWords { here: "format", there: &["tokenformat", "tokentype"] },
    OtherWords { here: "self-rotation", there: &["selfrotate", "selfrotating", "autorotate", "renewable"] },
];
/// What they call how long a token lives.
const LIFETIME: &[&str] = &[
    "ttl",
    "tokenttl",
    "ttlseconds",
    "timetolive",
    "lifetime",
    "maxage",
    "duration",
    "validfor",
    "expiresin",
    "expiresinsecs",
    "expiresinmins",
    "expiresinminutes",
    "expiresinhours",
    "expiresindays",
    "expiresatmins",
    "expiresafter",
    "expiresafterseconds",
];
const OF_NEW: &[OtherWords] = &[
    OtherWords { here: "expires-in-seconds", there: LIFETIME },
    // What GET shows, and nobody can set.
    OtherWords { here: "expired-at", there: &["endsat"] },
];
/// An edit takes no lifetime.
const OF_EDITED: &[OtherWords] = &[OtherWords { here: "expired-at", there: LIFETIME }];
const OF_SUCCESSORS: &[OtherWords] = &[OtherWords {
    here: "grace-period-seconds",
    there: &["grace", "graceperiod", "graceperiodseconds", "graceseconds", "overlap"],
}];
const OF_REVOKED: &[OtherWords] =
    &[OtherWords { here: "revocation-reason", there: &["reason", "revokereason", "revokedreason", "comment"] }];
/// What a client may say when it revokes any one token.
const REVOCATION: OneResource<Revocation> = OneResource::any(NAMES).or_nothing().misnamed(TOKENS.fields, &[OF_REVOKED]);
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

/// Revokes a token, for a reason if one was said.
fn revoked<I>(call: Allowed<'_, I>, token: Token, said: ResourceBody<Revocation>) -> Result<Reply> {
    let said = said.about(&[&token.id.to_string()])?.attributes;
    life::revoke(call.connection, &call.caller, &[token], said.revocation_reason.as_deref())?;
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
