//! The requests and answers in `fixtures/documents`, which tests hold the service to, as examples.

use std::sync::LazyLock;

use serde_json::Value;
use utoipa::openapi::example::{Example, ExampleBuilder};

macro_rules! documents {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("../../../fixtures/documents/", $name, ".json")))),+]
    };
}

/// All of them; a test fails when one is not here.
const DOCUMENTS: &[(&str, &str)] = documents![
    "account-details",
    "account-details-of-a-team",
    "account-update",
    "authentication-token-delete",
    "authentication-token-show",
    "effective-tag-bindings-list",
    "authentication-token-usage",
    "entitlement-set-show",
    "error-400-json",
    "error-400-query",
    "error-401",
    "error-403",
    "error-403-owners",
    "error-404",
    "error-404-unknown-user",
    "error-405",
    "error-406",
    "error-409",
    "error-413",
    "error-415",
    "error-422",
    "error-422-ability-not-registered",
    "error-422-description-taken",
    "error-422-owners",
    "leaked-tokens-report",
    "membership-accept",
    "membership-create",
    "membership-delete",
    "membership-list",
    "membership-list-own",
    "membership-show",
    "organization-abilities-list",
    "organization-abilities-update",
    "organization-authentication-tokens-list",
    "organization-create",
    "organization-delete",
    "organization-list",
    "organization-list-by-cursor",
    "organization-show",
    "organization-team-tokens-delete",
    "organization-team-tokens-list",
    "organization-token-create",
    "organization-token-delete",
    "organization-token-show",
    "organization-update",
    "tag-bindings-list",
    "tag-bindings-update",
    "team-access-create",
    "team-access-delete",
    "team-access-list",
    "team-access-show",
    "team-access-update",
    "team-create",
    "team-delete",
    "team-list",
    "team-memberships-add",
    "team-memberships-list",
    "team-memberships-remove",
    "team-show",
    "team-show-to-a-member",
    "team-token-create",
    "team-token-delete",
    "team-token-show",
    "team-tokens-create",
    "team-tokens-list",
    "team-update",
    "team-users-add",
    "team-users-remove",
    "ttl-policies-list",
    "ttl-policies-update",
    "ttl-policies-update-by-a-list",
    "user-show",
    "user-tokens-create",
    "user-tokens-list",
    "workspace-create",
    "workspace-delete",
    "workspace-list",
    "workspace-show",
    "workspace-show-by-name",
    "workspace-tags-add",
    "workspace-tags-list",
    "workspace-tags-remove",
    "workspace-update",
];

/// A request with its answer.
pub(super) struct Exchange {
    pub(super) name: &'static str,
    method: String,
    path: String,
    status: u64,
    /// The document sent, if one was.
    pub(super) request: Option<Value>,
    /// The document answered, if one was.
    pub(super) response: Option<Value>,
}

static EXCHANGES: LazyLock<Vec<Exchange>> = LazyLock::new(|| DOCUMENTS.iter().filter_map(read).collect());

fn read((name, text): &(&'static str, &'static str)) -> Option<Exchange> {
    let exchange: Value = serde_json::from_str(&filled(text)).ok()?;
    let request = &exchange["request"];
    Some(Exchange {
        name,
        method: request["method"].as_str()?.to_owned(),
        path: request["path"].as_str()?.split('?').next()?.to_owned(),
        status: exchange["response"]["status"].as_u64()?,
        request: request.get("document").cloned(),
        response: exchange["response"].get("document").cloned(),
    })
}

/// Puts values that could be into the place of what is different each time.
fn filled(text: &str) -> String {
    const ID: &str = "1BvXkqGFw3cDy6ne5Mpz";
    let mut text = text.to_owned();
    for kind in ["org", "team", "user", "ou", "at", "ws", "tws", "tag", "tb"] {
        for nth in 1..=9 {
            text = text.replace(&format!("<{kind}-{nth}>"), &format!("{kind}-{ID}{nth}"));
        }
    }
    text.replace("<time>", "2026-07-14T09:30:00.000Z")
        .replace("<day>", "2026-07-14")
        .replace("<prefix>", "lkt_4vXQ0d")
        .replace("<host>", "latchkey.example")
        .replace("<request-id>", "0190b0a4-7d2c-7c3e-8a55-2f1f6f0c9d11")
}

/// What was answered to this route with this status.
pub(super) fn of(method: &'static str, path: &str, status: u16) -> impl Iterator<Item = &'static Exchange> + use<> {
    let parts: Vec<String> = path.split('/').map(str::to_owned).collect();
    EXCHANGES.iter().filter(move |exchange| {
        let theirs: Vec<&str> = exchange.path.split('/').collect();
        let same = |(part, other): (&String, &&str)| part.starts_with('{') || part == other;
        let path = theirs.len() == parts.len() && parts.iter().zip(&theirs).all(same);
        path && exchange.method == method && exchange.status == u64::from(status)
    })
}

/// The refusals with this status.
pub(super) fn refusals(status: u16) -> impl Iterator<Item = (&'static str, Value)> {
    let found = EXCHANGES.iter().filter(move |exchange| exchange.status == u64::from(status));
    found.filter_map(|exchange| Some((exchange.name, exchange.response.clone()?)))
}

/// A value as an example.
pub(super) fn told(value: Value) -> Example {
    ExampleBuilder::new().value(Some(value)).build()
}
