//! Endpoints, and how actix gets to know them.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::{Method, StatusCode};
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use utoipa::openapi::{RefOr, Schema};

use crate::access::Action;
use crate::http::openapi::Sends;
use crate::jsonapi::schema::ResourceSchema;
use crate::jsonapi::{QuerySpec, ResourceType, Result};

/// Answers a request.
type Handler = Arc<dyn Fn(HttpRequest, Payload) -> Answering + Send + Sync>;

type Answering = Pin<Box<dyn Future<Output = Result<HttpResponse>>>>;

/// One route: all that the outside can know of it, and what answers.
pub(crate) struct Endpoint {
    pub(crate) about: Description,
    handler: Handler,
}

impl Endpoint {
    pub(super) fn new<F>(
        about: Description,
        handler: impl Fn(HttpRequest, Payload) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<HttpResponse>> + 'static,
    {
        let handler = Arc::new(move |request, payload| Box::pin(handler(request, payload)) as Answering);
        Self { about, handler }
    }
}

/// What the outside can know of an endpoint.
pub(crate) struct Description {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) id: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) details: Option<&'static str>,
    pub(crate) query: Option<&'static QuerySpec>,
    /// What one of the query's parameters may hold.
    pub(crate) values: Vec<(String, RefOr<Schema>)>,
    /// What one of the query's parameters means.
    pub(crate) meanings: Vec<(String, &'static str)>,
    pub(crate) body: Option<Sends>,
    /// Whether it answers 409 where the state of the resource forbids it.
    pub(crate) conflicts: bool,
    /// Whether it answers 422 though it takes no body.
    pub(crate) unprocessable: bool,
    /// Whether it takes an `Idempotency-Key`: it shows a secret, which is lost with its answer otherwise.
    pub(crate) idempotent: bool,
    pub(crate) status: StatusCode,
    pub(crate) answer: Answer,
    pub(crate) needs: Needs,
    /// What the caller must be allowed by the access table: one of these, by what the request is about.
    pub(crate) actions: &'static [Action],
}

/// What is in the answer.
pub(crate) enum Answer {
    Nothing,
    One(&'static ResourceType),
    List(&'static ResourceType),
    Identifiers(&'static ResourceType),
    /// Something else than JSON:API.
    Plain(&'static str, Box<RefOr<Schema>>),
}

/// What an endpoint needs to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needs {
    /// A token, which is looked up in the database.
    Token,
    Database,
    Nothing,
}

impl Description {
    pub(crate) const fn new(method: Method, path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self {
            method,
            path,
            id,
            summary,
            details: None,
            query: None,
            values: vec![],
            meanings: vec![],
            body: None,
            conflicts: false,
            unprocessable: false,
            idempotent: false,
            status: StatusCode::NO_CONTENT,
            answer: Answer::Nothing,
            needs: Needs::Token,
            actions: &[],
        }
    }

    /// Who may, in the words of the access table.
    pub(crate) fn who_may(&self) -> String {
        if self.needs != Needs::Token {
            return "anybody, without a token".to_owned();
        }
        let mut who: Vec<String> = vec![];
        for one in self.actions.iter().flat_map(|action| action.rule().may).map(ToString::to_string) {
            if !who.contains(&one) {
                who.push(one);
            }
        }
        if who.is_empty() { "every caller; only what it may see".to_owned() } else { who.join("; ") }
    }

    /// The path with `/api/v2` before it, where the endpoint is below that.
    pub(crate) fn full_path(&self) -> String {
        let outside = ["/health/", "/.well-known/", "/docs"].iter().any(|start| self.path.starts_with(start));
        format!("{}{}", if outside { "" } else { "/api/v2" }, self.path)
    }
}

/// The endpoints of a room, and the types of resource that it shows.
pub(crate) struct Section {
    pub(crate) tag: &'static str,
    pub(crate) about: &'static str,
    pub(crate) endpoints: Vec<Endpoint>,
    pub(crate) kinds: Vec<ResourceSchema>,
}

impl Section {
    /// The same with the endpoints of another room, which show this kind.
    pub(crate) fn and(mut self, endpoints: Vec<Endpoint>, kind: ResourceSchema) -> Self {
        self.endpoints.extend(endpoints);
        self.kinds.push(kind);
        self
    }
}

/// Makes one actix resource of all endpoints of a path, so that another method is 405 with `Allow`.
pub(crate) fn register<'a>(sections: impl IntoIterator<Item = &'a Section>, service: &mut ServiceConfig) {
    let mut paths: Vec<(String, Vec<&Endpoint>)> = vec![];
    for endpoint in sections.into_iter().flat_map(|section| &section.endpoints) {
        let path = endpoint.about.full_path();
        match paths.iter_mut().find(|(known, _)| *known == path) {
            Some((_, endpoints)) => endpoints.push(endpoint),
            None => paths.push((path, vec![endpoint])),
        }
    }
    for (path, endpoints) in paths {
        let routes = endpoints.into_iter().map(|endpoint| {
            let handler = Arc::clone(&endpoint.handler);
            let answer = move |request: HttpRequest, payload: web::Payload| handler(request, payload.into_inner());
            web::method(endpoint.about.method.clone()).to(answer)
        });
        service.service(routes.fold(web::resource(path), actix_web::Resource::route));
    }
}
