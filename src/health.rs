//! Is the service up, and which API does it speak: what load balancers and clients ask first, without a token.

use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

use crate::http::{Endpoint, Needs, Route, Services};
use crate::jsonapi::schema::{object, one_of, text};
use crate::jsonapi::{PublicUrl, QuerySpec, Result};

const JSON: &str = "application/json";

/// `TFP-API-Version`: the version of the HCP API whose routes are kept (docs/design.md §5).
const API_VERSION: &str = "2.6";

/// The release of Terraform Enterprise that clients may take the service for when they ask what it can do. The `tfe`
/// provider reads the second, and manages TTL policies from 2.0.1 on.
const LIKE_RELEASE: &str = "v202507-1";
const LIKE_VERSION: &str = "2.0.1";

/// The endpoints outside `/api/v2`.
pub(crate) fn probes() -> Vec<Endpoint> {
    let state = |word| object().required("status").property("status", one_of(&[word]));
    let versions = ["tfe.v2", "tfe.v2.1", "tfe.v2.2"];
    let services = versions.iter().fold(object(), |all, name| all.property(*name, text()));
    vec![
        Route::get("/health/live", "isLive", "The process answers")
            .gives(JSON, state("live"))
            .serve(Needs::Nothing, live),
        Route::get("/health/ready", "isReady", "The service can do its work; 503 while the database is away")
            .gives(JSON, state("ready"))
            .serve(Needs::Database, ready),
        Route::get("/.well-known/terraform.json", "discover", "Terraform's remote service discovery")
            .gives(JSON, services)
            .serve(Needs::Nothing, discovery),
    ]
}

/// `ping`, inside `/api/v2`.
pub(crate) fn ping() -> Vec<Endpoint> {
    vec![
        Route::get("/ping", "ping", "API version and product, in headers")
            .query(&QuerySpec::NONE)
            .serve(Needs::Nothing, pong),
    ]
}

/// The process answers. Whether the database does is `ready`'s question.
async fn live(_: HttpRequest, _: Services) -> Result<HttpResponse> {
    Ok(HttpResponse::Ok().json(json!({"status": "live"})))
}

/// The service can do its work; 503 while the database is away.
async fn ready(_: HttpRequest, services: Services) -> Result<HttpResponse> {
    services.authenticator.is_open().await?;
    Ok(HttpResponse::Ok().json(json!({"status": "ready"})))
}

async fn discovery(request: HttpRequest, _: Services) -> Result<HttpResponse> {
    // Relative to where the client asked, unless the service is reached elsewhere.
    let api = PublicUrl::configured(&request).map_or_else(|| "/api/v2/".to_owned(), |url| url.join("/api/v2/"));
    Ok(HttpResponse::Ok().json(json!({"tfe.v2": api, "tfe.v2.1": api, "tfe.v2.2": api})))
}

async fn pong(_: HttpRequest, _: Services) -> Result<HttpResponse> {
    Ok(HttpResponse::NoContent()
        .insert_header(("TFP-API-Version", API_VERSION))
        .insert_header(("TFP-AppName", "Latchkey"))
        .insert_header(("X-TFE-Version", LIKE_RELEASE))
        .insert_header(("X-TFE-Current-Version", LIKE_VERSION))
        .finish())
}
