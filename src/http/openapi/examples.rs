//! The requests and answers in `fixtures/documents`, which tests hold the service to, as examples.

use std::sync::LazyLock;

use include_dir::{Dir, File, include_dir};
use serde_json::Value;
use utoipa::openapi::example::{Example, ExampleBuilder};

static DOCUMENTS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/fixtures/documents");

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

static EXCHANGES: LazyLock<Vec<Exchange>> = LazyLock::new(|| DOCUMENTS.files().filter_map(read).collect());

fn read(file: &'static File<'static>) -> Option<Exchange> {
    let name = file.path().file_stem()?.to_str()?;
    let exchange: Value = serde_json::from_str(&filled(file.contents_utf8()?)).ok()?;
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
    const ID: &str = "1BvXkqGFw3cDy6n";
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
