//! Is the service up, and which API does it speak: what load balancers and clients ask first, without a token.

use actix_web::web::{Data, ServiceConfig, get, resource};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

use crate::access::Authenticator;
use crate::jsonapi::{PublicUrl, Query, QuerySpec, Result};

/// `TFP-API-Version`: the version of the HCP API whose routes are kept (docs/design.md §5).
const API_VERSION: &str = "2.6";

/// The release of Terraform Enterprise that clients may take the service for when they ask what it can do.
const LIKE_RELEASE: &str = "v202507-1";
const LIKE_VERSION: &str = "1.0.0";

/// The routes outside `/api/v2`.
pub fn routes(service: &mut ServiceConfig) {
    service
        .service(resource("/health/live").route(get().to(live)))
        .service(resource("/health/ready").route(get().to(ready)))
        .service(resource("/.well-known/terraform.json").route(get().to(discovery)));
}

/// `ping`, inside `/api/v2`.
pub fn ping_route(service: &mut ServiceConfig) {
    service.service(resource("/ping").route(get().to(ping)));
}

/// The process answers. Whether the database does is `ready`'s question.
async fn live() -> HttpResponse {
    HttpResponse::Ok().json(json!({"status": "live"}))
}

/// The service can do its work; 503 while the database is away.
async fn ready(authenticator: Data<Authenticator>) -> Result<HttpResponse> {
    authenticator.is_open().await?;
    Ok(HttpResponse::Ok().json(json!({"status": "ready"})))
}

async fn discovery(request: HttpRequest) -> HttpResponse {
    // Relative to where the client asked, unless the service is reached elsewhere.
    let api = PublicUrl::configured(&request).map_or_else(|| "/api/v2/".to_owned(), |url| url.join("/api/v2/"));
    HttpResponse::Ok().json(json!({"tfe.v2": api, "tfe.v2.1": api, "tfe.v2.2": api}))
}

async fn ping(request: HttpRequest) -> Result<HttpResponse> {
    Query::of(&request, &QuerySpec::NONE)?;
    Ok(HttpResponse::NoContent()
        .insert_header(("TFP-API-Version", API_VERSION))
        .insert_header(("TFP-AppName", "Latchkey"))
        .insert_header(("X-TFE-Version", LIKE_RELEASE))
        .insert_header(("X-TFE-Current-Version", LIKE_VERSION))
        .finish())
}
