//! What a handler answers.

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::Value;

use crate::ids::TokenId;
use crate::jsonapi::{Document, PageInfo, Query, Resource, Written, paginate};

/// Says that an answer is not the first of its request.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// A token just made, and how it looks with its secret. Only [`super::Allowed::once`] makes an answer of it.
pub(crate) struct Made {
    pub(super) token: TokenId,
    pub(super) resource: Resource,
    pub(super) included: Vec<Resource>,
}

impl Made {
    pub(crate) const fn new(token: TokenId, resource: Resource) -> Self {
        Self { token, resource, included: vec![] }
    }

    /// With these resources in `included`.
    pub(crate) fn include(self, included: Vec<Resource>) -> Self {
        Self { included, ..self }
    }
}

/// An answer. Only what the access table allowed makes one: see [`super::Allowed`].
#[derive(Debug)]
pub(crate) struct Reply {
    query: Query,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Nothing,
    Document(Box<Document>),
    Page(Box<Document>, PageInfo),
    /// A document that is kept for a retry, and whether this is one.
    Kept(Written, Try),
    Json(Value),
}

/// How often a request was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Try {
    First,
    Again,
}

impl Reply {
    pub(super) const fn nothing(query: Query) -> Self {
        Self { query, content: Content::Nothing }
    }

    pub(super) fn document(query: Query, document: Document) -> Self {
        Self { query, content: Content::Document(Box::new(document)) }
    }

    pub(super) const fn json(query: Query, value: Value) -> Self {
        Self { query, content: Content::Json(value) }
    }

    pub(super) const fn kept(query: Query, document: Written, nth: Try) -> Self {
        Self { query, content: Content::Kept(document, nth) }
    }

    pub(super) fn page(query: Query, resources: Vec<Resource>, extent: PageInfo) -> Self {
        Self { query, content: Content::Page(Box::new(Document::list(resources)), extent) }
    }

    /// With these resources in `included`.
    pub(crate) fn include(self, included: Vec<Resource>) -> Self {
        self.map(|document| document.include(included))
    }

    /// With this member in the document's `meta`.
    pub(crate) fn meta(self, key: &str, value: impl Into<Value>) -> Self {
        self.map(|document| document.meta(key, value))
    }

    fn map(self, change: impl FnOnce(Document) -> Document) -> Self {
        let content = match self.content {
            Content::Document(document) => Content::Document(Box::new(change(*document))),
            Content::Page(document, extent) => Content::Page(Box::new(change(*document)), extent),
            other => other,
        };
        Self { content, ..self }
    }

    /// The response, with the status that the endpoint declares.
    pub(super) fn respond(self, request: &HttpRequest, status: StatusCode) -> HttpResponse {
        match self.content {
            Content::Nothing => HttpResponse::new(status),
            Content::Document(document) => document.respond(&self.query, request, status),
            Content::Page(document, extent) => {
                paginate(*document, request, &self.query, &extent).respond(&self.query, request, status)
            }
            Content::Kept(document, nth) => {
                let mut response = document.respond(request, status);
                if nth == Try::Again {
                    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
                }
                response
            }
            Content::Json(value) => HttpResponse::build(status).json(value),
        }
    }
}
