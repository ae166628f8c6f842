//! The frame around every request: its id on the way in, error objects on the way out.
//!
//! Errors are rendered here and nowhere else, because only here is the request's id known (docs/design.md §5).

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS,
};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, HttpRequest, HttpResponse};

use super::{Error, check_request};

const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The id under which a request is found in errors, in the audit trail and in the log.
#[derive(Debug, Clone)]
pub struct RequestId(String);

/// The id of a request; empty outside the [`frame`].
pub fn request_id(request: &HttpRequest) -> String {
    request.extensions().get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default()
}

/// The middleware: gives the request its id, and turns every error, also the framework's own, into error objects with
/// that id.
///
/// # Errors
/// Those of middleware within; handlers' and extractors' errors are answers already.
pub async fn frame(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    // HEAD is GET without the body (RFC 9110 §9.3.2), which actix leaves out by itself.
    if request.method() == Method::HEAD {
        request.head_mut().method = Method::GET;
    }
    let id = uuid::Uuid::now_v7().to_string();
    request.extensions_mut().insert(RequestId(id.clone()));
    let (http_request, response) = next.call(request).await?.into_parts();
    let mut response = finished(&http_request, response.map_into_boxed_body(), &id);
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&id) {
        headers.insert(HEADER, value);
    }
    // Answers are for who asked, and some hold a secret; those that are for everybody say so themselves.
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    // No browser is to take an answer for a page; pages say themselves what they may do.
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if !headers.contains_key(CONTENT_SECURITY_POLICY) {
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
    }
    if http_request.app_config().secure() {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    Ok(ServiceResponse::new(http_request, response))
}

/// Holds a request's headers against what JSON:API requires, inside the API: pages and health have a type of their own.
/// Each endpoint asks, once it has seen that there is a bearer token where one is needed.
///
/// # Errors
/// 406 and 415.
pub fn negotiate(request: &HttpRequest) -> super::Result<()> {
    if request.path().starts_with("/api/") { check_request(request) } else { Ok(()) }
}

fn finished(request: &HttpRequest, response: HttpResponse, id: &str) -> HttpResponse {
    if let Some(fault) = response.error() {
        return render(fault, id);
    }
    if response.status() == StatusCode::METHOD_NOT_ALLOWED {
        let refusal = negotiate(request).err();
        return refusal.unwrap_or_else(|| Error::method_not_allowed(allowed(&response))).render(id);
    }
    response
}

fn allowed(response: &HttpResponse) -> Vec<Method> {
    let header = response.headers().get(ALLOW).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut methods: Vec<Method> = header.split(',').filter_map(|name| name.trim().parse().ok()).collect();
    if methods.contains(&Method::GET) {
        methods.push(Method::HEAD);
    }
    methods
}

/// A fault of ours is ready to be told; of the framework's own only the status is.
fn render(fault: &actix_web::Error, id: &str) -> HttpResponse {
    if let Some(error) = fault.as_error::<Error>() {
        return error.render(id);
    }
    let status = fault.as_response_error().status_code();
    if status.is_server_error() {
        log::error!("request {id} failed: {fault}");
        return Error::internal().render(id);
    }
    let title = status.canonical_reason().unwrap_or("bad request").to_lowercase();
    Error::new(status, title, fault.to_string()).render(id)
}
