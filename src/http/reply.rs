//! What a handler answers.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use serde_json::Value;

use crate::jsonapi::{Document, PageInfo, Query, Resource, paginate};

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
    Json(Value),
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
            Content::Json(value) => HttpResponse::build(status).json(value),
        }
    }
}
