//! The service itself: is it up, which API does it speak, and this description.

use utoipa::openapi::schema::ArrayBuilder;

use super::route::Route;
use crate::http::Section;
use crate::jsonapi::QuerySpec;
use crate::jsonapi::schema::{object, one_of, text};

const JSON: &str = "application/json";

pub(super) fn room() -> Section {
    Section {
        tag: "service",
        about: "Is the service up, and which API does it speak: no token needed",
        endpoints: routes().into_iter().map(Into::into).collect(),
        kinds: vec![],
    }
}

fn routes() -> Vec<Route> {
    let state = |word| object().required("status").property("status", one_of(&[word]));
    let versions = ["tfe.v2", "tfe.v2.1", "tfe.v2.2"];
    let services = versions.iter().fold(object(), |all, name| all.property(*name, text()));
    let words = |all: &[&str]| all.iter().fold(object(), |key, name| key.property(*name, text()).required(*name));
    let keys = ArrayBuilder::new().items(words(&["kty", "crv", "x", "kid", "use", "alg"]));
    vec![
        Route::get("/health/live", "isLive", "The process answers").gives_plain(JSON, state("live")).always(),
        Route::get("/health/ready", "isReady", "The service can do its work; 503 while the database is away")
            .gives_plain(JSON, state("ready"))
            .open(),
        Route::get("/.well-known/terraform.json", "discover", "Terraform's remote service discovery")
            .gives_plain(JSON, services)
            .always(),
        Route::get("/.well-known/jwks.json", "showKeys", "The public keys of tokens that are JWTs, as a JWK set")
            .details("To be kept for as long as `Cache-Control` says, and fetched again for a `kid` that is not in it.")
            .gives_plain(JSON, object().required("keys").property("keys", keys))
            .open(),
        Route::get("/ping", "ping", "API version and product, in headers").query(&QuerySpec::NONE).always(),
        Route::get("/openapi.json", "describe", "This description")
            .query(&QuerySpec::NONE)
            .gives_plain(JSON, object())
            .always(),
        Route::get("/docs", "readDescription", "This description for people").gives_plain("text/html", text()).always(),
    ]
}
