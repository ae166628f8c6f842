//! What went wrong, as the client is told: one HTTP status and one or more error objects
//! (JSON:API "Errors", docs/design.md §5).
//!
//! An [`Error`] never carries the cause of a fault of ours; whoever turns such a cause into
//! [`Error::internal`] logs it first.

use std::fmt;

use actix_web::http::header::{
    ACCEPT_ENCODING, ALLOW, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, VARY, WWW_AUTHENTICATE,
};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpResponse, ResponseError};
use serde_json::{Map, Value, json};

use super::MEDIA_TYPE;

/// The result of anything that a client may be told about.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// At most this many error objects are sent, so that a small request cannot ask for a huge answer.
const MAX_OBJECTS: usize = 100;

/// At most this many characters of a detail are sent: some of them repeat what the client has sent.
const MAX_DETAIL: usize = 1000;

/// A refusal, ready to be sent: one HTTP status, one or more error objects, extra headers.
///
/// Make one with the constructor that names the case, join several with [`Error::and`].
#[derive(Debug, Clone)]
pub struct Error {
    status: StatusCode,
    objects: Vec<ErrorObject>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// One error object (JSON:API "Error Objects").
#[derive(Debug, Clone)]
struct ErrorObject {
    status: StatusCode,
    title: String,
    detail: String,
    source: Option<Source>,
    type_link: Option<&'static str>,
    meta: Map<String, Value>,
}

/// The part of the request that is to blame (JSON:API "Error Objects", `source`).
#[derive(Debug, Clone)]
enum Source {
    Pointer(String),
    Parameter(String),
    Header(&'static str),
}

impl Error {
    /// An error with one object and no source; prefer a constructor that names the case.
    pub fn new(status: StatusCode, title: impl Into<String>, detail: impl Into<String>) -> Self {
        let object = ErrorObject {
            status,
            title: title.into(),
            detail: shortened(detail.into()),
            source: None,
            type_link: None,
            meta: Map::new(),
        };
        Self { status, objects: vec![object], headers: Vec::new() }
    }

    /// 401 without a valid token: the same body for every cause (docs/design.md §4; RFC 6750 §3).
    pub fn unauthorized() -> Self {
        let challenge = HeaderValue::from_static(r#"Bearer realm="latchkey""#);
        Self::new(
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "A valid token is needed: send it as \"Authorization: Bearer <token>\"",
        )
        .with_header(WWW_AUTHENTICATE, challenge)
    }

    /// 403 for what the principal may see but not do (docs/design.md §4).
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", detail)
    }

    /// 404: the same body for what does not exist and for what may not be seen (docs/design.md §4).
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not found", "Not found, or you are not allowed to see it")
    }

    /// 404 for something that the body names: `pointer` says where.
    pub fn not_found_at(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not found", detail).with_pointer(pointer)
    }

    /// 405 with the methods that the path does know in `Allow` (RFC 9110 §15.5.6).
    pub fn method_not_allowed(allow: Vec<Method>) -> Self {
        let names: Vec<&str> = allow.iter().map(Method::as_str).collect();
        let names = names.join(", ");
        let error =
            Self::new(StatusCode::METHOD_NOT_ALLOWED, "method not allowed", format!("This path knows only: {names}"));
        // A method is a token (RFC 9110 §9.1), so its name is always a valid header value.
        match HeaderValue::from_str(&names) {
            Ok(value) => error.with_header(ALLOW, value),
            Err(_) => error,
        }
    }

    /// 400 for a request that cannot be understood.
    pub fn bad_request(title: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, title, detail)
    }

    /// 400 for a fault in the query parameter `name`, spelled as the client did (JSON:API "Query
    /// Parameters", docs/design.md §5).
    pub fn parameter(name: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::bad_request("invalid query parameter", detail).with_source(Source::Parameter(name.into()))
    }

    /// 400 for a header that cannot be understood.
    pub fn header(name: &'static str, detail: impl Into<String>) -> Self {
        Self::bad_request("invalid header", detail).with_header_source(name)
    }

    /// 422 for a value in the body that is well-formed but not acceptable; `pointer` is a JSON
    /// pointer into the request document (RFC 6901, docs/design.md §5).
    pub fn attribute(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid attribute", detail).with_pointer(pointer)
    }

    /// 422 for a request that is understood and cannot be followed, where no value of a body is to blame.
    pub fn unprocessable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "unprocessable", detail)
    }

    /// 409 for a request that contradicts the state of things or names the wrong type (JSON:API
    /// "Creating Resources": 409 Conflict).
    pub fn conflict(pointer: Option<&str>, detail: impl Into<String>) -> Self {
        let error = Self::new(StatusCode::CONFLICT, "conflict", detail);
        match pointer {
            Some(pointer) => error.with_pointer(pointer),
            None => error,
        }
    }

    /// 406 for an `Accept` that rules JSON:API out (JSON:API "Server Responsibilities").
    pub fn not_acceptable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_ACCEPTABLE, "not acceptable", detail).with_source(Source::Header("Accept"))
    }

    /// 415 for a body of a type that is not understood (JSON:API "Server Responsibilities").
    pub fn unsupported_media_type(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported media type", detail)
            .with_source(Source::Header("Content-Type"))
    }

    /// 408 for a body that did not come in time (RFC 9110 §15.5.9).
    pub fn request_timeout(seconds: u64) -> Self {
        let detail = format!("The body was not here within {seconds} s");
        Self::new(StatusCode::REQUEST_TIMEOUT, "request timeout", detail)
    }

    /// 414 for a query string of more than `limit` bytes.
    pub fn uri_too_long(limit: usize) -> Self {
        let detail = format!("A query string may hold at most {limit} bytes");
        Self::new(StatusCode::URI_TOO_LONG, "URI too long", detail)
    }

    /// 415 for a body that is compressed (RFC 9110 §12.5.3).
    pub fn unsupported_encoding() -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported media type", "The body must not be compressed")
            .with_source(Source::Header("Content-Encoding"))
            .with_header(ACCEPT_ENCODING, HeaderValue::from_static("identity"))
    }

    /// 413 for a body of more than `limit` bytes (docs/design.md §5).
    pub fn payload_too_large(limit: usize) -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "payload too large",
            format!("A request body may hold at most {limit} bytes"),
        )
    }

    /// 429 for who asks too often, to be tried again after so many seconds (RFC 6585 §4). go-tfe reads the second header.
    pub fn too_many_requests(what: &str, seconds: u64) -> Self {
        let detail = format!("{what}; try again in {seconds} s");
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too many requests", detail)
            .with_header(RETRY_AFTER, HeaderValue::from(seconds))
            .with_header(HeaderName::from_static("x-ratelimit-reset"), HeaderValue::from(seconds))
    }

    /// 503, to be tried again in a second.
    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "service unavailable", detail)
            .with_header(RETRY_AFTER, HeaderValue::from_static("1"))
    }

    /// 500, which says nothing of the cause; log the cause before.
    pub fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal server error",
            "The server could not answer; its log says why, under the id of this request",
        )
    }

    /// The same error with another title, where the HCP API prescribes one.
    pub fn with_title(mut self, title: impl Into<String>) -> Self {
        let title = title.into();
        for object in &mut self.objects {
            object.title.clone_from(&title);
        }
        self
    }

    /// The same error with `links.type`, which identifies a kind of error that a profile defines.
    pub fn with_type(mut self, uri: &'static str) -> Self {
        for object in &mut self.objects {
            object.type_link = Some(uri);
        }
        self
    }

    /// The same error with `source.pointer`, a JSON pointer into the request document (RFC 6901).
    pub fn with_pointer(self, pointer: impl Into<String>) -> Self {
        self.with_source(Source::Pointer(pointer.into()))
    }

    /// The same error with `source.header`, the name of the header that is to blame.
    pub fn with_header_source(self, name: &'static str) -> Self {
        self.with_source(Source::Header(name))
    }

    /// The same error with a member in the `meta` of its objects.
    pub fn with_meta(mut self, key: &str, value: impl Into<Value>) -> Self {
        let value = value.into();
        for object in &mut self.objects {
            object.meta.insert(key.to_owned(), value.clone());
        }
        self
    }

    /// The same error with one more response header.
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Both errors in one answer. Where the statuses differ the answer gets the most general one
    /// (JSON:API "Processing Errors"): 400 for client errors, 500 as soon as one is the server's.
    pub fn and(mut self, other: Self) -> Self {
        self.status = general_status(self.status, other.status);
        self.headers.extend(other.headers);
        self.objects.extend(other.objects);
        self.objects.truncate(MAX_OBJECTS);
        self
    }

    /// Both of two results, or the faults of both as one error.
    ///
    /// # Errors
    /// Theirs.
    pub fn both<A, B>(one: Result<A>, other: Result<B>) -> Result<(A, B)> {
        match (one, other) {
            (Ok(one), Ok(other)) => Ok((one, other)),
            (Err(fault), Ok(_)) | (Ok(_), Err(fault)) => Err(fault),
            (Err(fault), Err(more)) => Err(fault.and(more)),
        }
    }

    /// All of the faults as one error, or `Ok` if there are none.
    pub fn check(faults: impl IntoIterator<Item = Self>) -> Result<()> {
        match faults.into_iter().reduce(Self::and) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// The HTTP status of the answer.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Each fault: the pointer or the name of the parameter or header that it is laid to, if it is to any, and what is
    /// wrong in a sentence.
    pub fn faults(&self) -> impl Iterator<Item = (Option<&str>, &str)> {
        self.objects.iter().map(|object| {
            let place = object.source.as_ref().map(|source| match source {
                Source::Pointer(place) | Source::Parameter(place) => place.as_str(),
                Source::Header(name) => name,
            });
            (place, object.detail.as_str())
        })
    }

    /// After how many seconds to try again, where that is told.
    pub fn retry_after(&self) -> Option<&HeaderValue> {
        self.headers.iter().find(|(name, _)| name == RETRY_AFTER).map(|(_, value)| value)
    }

    /// Whether it is 404: there is no such thing, or the caller may not see it.
    pub fn is_not_found(&self) -> bool {
        self.status == StatusCode::NOT_FOUND
    }

    /// Whether it is 503: the request was not at fault, and may be sent again.
    pub fn is_unavailable(&self) -> bool {
        self.status == StatusCode::SERVICE_UNAVAILABLE
    }

    /// The answer, whose error objects carry the request's id (docs/design.md §5).
    pub fn render(&self, request_id: &str) -> HttpResponse {
        self.answer(Some(request_id))
    }

    fn with_source(mut self, source: Source) -> Self {
        for object in &mut self.objects {
            object.source = Some(source.clone());
        }
        self
    }

    fn answer(&self, request_id: Option<&str>) -> HttpResponse {
        let objects: Vec<Value> = self.objects.iter().map(|o| o.to_json(request_id)).collect();
        let mut response = HttpResponse::build(self.status);
        for (name, value) in &self.headers {
            response.insert_header((name.clone(), value.clone()));
        }
        response
            .insert_header((CONTENT_TYPE, MEDIA_TYPE))
            .insert_header((VARY, "Accept"))
            .body(json!({"jsonapi": {"version": "1.1"}, "errors": objects}).to_string())
    }
}

fn shortened(mut detail: String) -> String {
    if let Some((end, _)) = detail.char_indices().nth(MAX_DETAIL) {
        detail.truncate(end);
        detail.push('…');
    }
    detail
}

fn general_status(one: StatusCode, other: StatusCode) -> StatusCode {
    if one == other {
        one
    } else if one.is_server_error() || other.is_server_error() {
        StatusCode::INTERNAL_SERVER_ERROR
    } else {
        StatusCode::BAD_REQUEST
    }
}

impl ErrorObject {
    fn to_json(&self, request_id: Option<&str>) -> Value {
        let mut object = Map::new();
        if let Some(id) = request_id {
            object.insert("id".into(), id.into());
        }
        object.insert("status".into(), self.status.as_str().into());
        object.insert("title".into(), self.title.as_str().into());
        object.insert("detail".into(), self.detail.as_str().into());
        if let Some(source) = &self.source {
            let source = match source {
                Source::Pointer(pointer) => json!({ "pointer": pointer }),
                Source::Parameter(name) => json!({ "parameter": name }),
                Source::Header(name) => json!({ "header": name }),
            };
            object.insert("source".into(), source);
        }
        if let Some(uri) = self.type_link {
            object.insert("links".into(), json!({ "type": uri }));
        }
        if !self.meta.is_empty() {
            object.insert("meta".into(), self.meta.clone().into());
        }
        Value::Object(object)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status.as_u16())?;
        for object in &self.objects {
            write!(f, "; {}: {}", object.title, object.detail)?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        self.answer(None)
    }
}

/// What the tests of this room ask of an error: its document, and where it puts the blame.
#[cfg(test)]
pub(super) mod testing {
    use actix_web::body::MessageBody;

    use super::*;

    pub fn body_of(response: HttpResponse) -> Value {
        let bytes = response.into_body().try_into_bytes().ok().unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }

    pub fn objects(error: &Error) -> Vec<Value> {
        body_of(error.error_response())["errors"].as_array().unwrap().clone()
    }

    pub fn sources(error: &Error, kind: &str) -> Vec<String> {
        objects(error).iter().map(|object| object["source"][kind].as_str().unwrap_or("(none)").to_owned()).collect()
    }

    pub fn parameters(error: &Error) -> Vec<String> {
        sources(error, "parameter")
    }

    pub fn pointers(error: &Error) -> Vec<String> {
        sources(error, "pointer")
    }
}

#[cfg(test)]
mod tests {
    use super::testing::{body_of, objects};
    use super::*;

    #[test]
    fn an_error_object_has_a_string_status_and_the_request_id() {
        let response = Error::not_found().render("req-1");
        assert_eq!(response.status(), 404);
        assert_eq!(response.headers().get(CONTENT_TYPE).unwrap(), MEDIA_TYPE);
        let expected = json!([{
            "id": "req-1",
            "status": "404",
            "title": "not found",
            "detail": "Not found, or you are not allowed to see it",
        }]);
        assert_eq!(body_of(response)["errors"], expected);
    }

    #[test]
    fn headers_that_a_status_needs_are_sent() {
        let unauthorized = Error::unauthorized().error_response();
        let challenge = unauthorized.headers().get(WWW_AUTHENTICATE).unwrap();
        assert_eq!(challenge, r#"Bearer realm="latchkey""#);
        let allow = Error::method_not_allowed(vec![Method::GET, Method::POST]).error_response();
        assert_eq!(allow.headers().get(ALLOW).unwrap(), "GET, POST");
        let busy = Error::unavailable("later").error_response();
        assert_eq!(busy.headers().get(RETRY_AFTER).unwrap(), "1");
    }

    #[test]
    fn sources_are_named() {
        let object = objects(&Error::parameter("page[size]", "x")).remove(0);
        assert_eq!(object["source"], json!({"parameter": "page[size]"}));
        let object = objects(&Error::attribute("/data/attributes/name", "x")).remove(0);
        assert_eq!(object["source"], json!({"pointer": "/data/attributes/name"}));
        assert_eq!(object["title"], "invalid attribute");
        let object = objects(&Error::not_acceptable("x")).remove(0);
        assert_eq!(object["source"], json!({"header": "Accept"}));
    }

    #[test]
    fn joined_errors_keep_their_own_status_and_share_a_general_one() {
        let same = Error::parameter("a", "x").and(Error::parameter("b", "y"));
        assert_eq!(same.status(), 400);
        assert_eq!(objects(&same).len(), 2);

        let invalid = Error::attribute("/data", "x");
        assert_eq!(invalid.clone().and(invalid.clone()).status(), 422);
        let mixed = invalid.clone().and(Error::conflict(None, "y"));
        assert_eq!(mixed.status(), 400);
        let statuses: Vec<_> = objects(&mixed).iter().map(|o| o["status"].clone()).collect();
        assert_eq!(statuses, ["422", "409"]);
        assert_eq!(invalid.and(Error::internal()).status(), 500);
    }

    #[test]
    fn an_answer_does_not_grow_without_bound() {
        let faults = (0..10_000).map(|n| Error::parameter(n.to_string(), "unknown"));
        let error = Error::check(faults).unwrap_err();
        assert_eq!(objects(&error).len(), MAX_OBJECTS);
    }

    #[test]
    fn a_profile_error_has_its_type() {
        let error = Error::parameter("page[size]", "x").with_type("https://example.org/type").with_title("too large");
        let object = objects(&error).remove(0);
        assert_eq!(object["links"]["type"], "https://example.org/type");
        assert_eq!(object["title"], "too large");
    }
}
