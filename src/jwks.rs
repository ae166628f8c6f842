//! `/.well-known/jwks.json`: the public keys, for whoever verifies JWTs without asking.

use actix_web::http::header::{CACHE_CONTROL, ETAG, EntityTag, Header as _, IfNoneMatch};
use actix_web::{HttpRequest, HttpResponse};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use sha2::{Digest, Sha256};
use utoipa::openapi::ArrayBuilder;

use crate::http::{Endpoint, Needs, Route, Services};
use crate::jsonapi::Result;
use crate::jsonapi::schema::{object, text};
use crate::signing::{self, PublicJwk};

/// How long verifiers may keep the keys. They look again when they meet a `kid` that they do not know.
const CACHING: &str = "public, max-age=300";

/// The endpoint of the public keys.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    let names = ["kty", "crv", "x", "kid", "use", "alg"];
    let key = names.iter().fold(object(), |key, name| key.property(*name, text()).required(*name));
    let keys = object().required("keys").property("keys", ArrayBuilder::new().items(key));
    vec![
        Route::get("/.well-known/jwks.json", "showKeys", "The public keys of tokens that are JWTs, as a JWK set")
            .details("To be kept for as long as `Cache-Control` says, and fetched again for a `kid` that is not in it.")
            .gives("application/json", keys)
            .serve(Needs::Database, show),
    ]
}

/// A JWK set (RFC 7517 §5). It is empty until the first JWT is made.
async fn show(request: HttpRequest, services: Services) -> Result<HttpResponse> {
    let keys = services.authenticator.read_for_anybody(|connection| Ok(signing::published(connection)?)).await?;
    let keys: Vec<PublicJwk> = keys.into_iter().map(|(kid, public)| PublicJwk::new(kid, &public)).collect();
    let body = json!({ "keys": keys }).to_string();
    let tag = EntityTag::new_strong(URL_SAFE_NO_PAD.encode(Sha256::digest(&body)));
    let known = is_known(&request, &tag);
    let mut response = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header((CACHE_CONTROL, CACHING)).insert_header((ETAG, tag.to_string()));
    Ok(if known { response.finish() } else { response.content_type("application/json").body(body) })
}

/// Whether the client has this very answer (RFC 9110 §13.1.2).
fn is_known(request: &HttpRequest, tag: &EntityTag) -> bool {
    match IfNoneMatch::parse(request) {
        Ok(IfNoneMatch::Any) => true,
        Ok(IfNoneMatch::Items(known)) => known.iter().any(|one| one.weak_eq(tag)),
        Err(_) => false,
    }
}
