//! One route in the words of the description.

use actix_web::http::StatusCode;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{HttpMethod, Operation, OperationBuilder, Parameter};
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{Ref, RefOr, Response, Schema};

use super::BEARER;
use super::examples;
use super::parameters;
use super::sends::Sends;
use crate::jsonapi::schema::{ERRORS, Named, document, identifier, list, named, text};
use crate::jsonapi::{MEDIA_TYPE, QuerySpec, ResourceType};

/// A route: what it is called, what it takes and what it answers.
pub(super) struct Route {
    method: HttpMethod,
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    details: Option<&'static str>,
    spec: Option<&'static QuerySpec>,
    values: Vec<(&'static str, RefOr<Schema>)>,
    meanings: Vec<(&'static str, &'static str)>,
    sends: Option<Sends>,
    conflicts: bool,
    limited: bool,
    answer: StatusCode,
    gives: Gives,
    needs: Needs,
}

/// What is in the answer.
enum Gives {
    Nothing,
    One(&'static ResourceType),
    List(&'static ResourceType),
    Identifiers(&'static ResourceType),
    /// Something else than JSON:API.
    Plain(&'static str, Box<RefOr<Schema>>),
}

/// What a route needs to answer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Needs {
    /// A token, which is looked up in the database.
    Token,
    Database,
    Nothing,
}

impl Route {
    const fn new(method: HttpMethod, path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self {
            method,
            path,
            id,
            summary,
            details: None,
            spec: None,
            values: vec![],
            meanings: vec![],
            sends: None,
            conflicts: false,
            limited: false,
            answer: StatusCode::NO_CONTENT,
            gives: Gives::Nothing,
            needs: Needs::Token,
        }
    }

    /// GET. The path is as in the room's `routes`, below `/api/v2` unless [`Route::outside`].
    pub(super) const fn get(path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self::new(HttpMethod::Get, path, id, summary)
    }

    pub(super) const fn post(path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self::new(HttpMethod::Post, path, id, summary)
    }

    pub(super) const fn patch(path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self::new(HttpMethod::Patch, path, id, summary)
    }

    pub(super) const fn delete(path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self::new(HttpMethod::Delete, path, id, summary)
    }

    pub(super) fn details(self, details: &'static str) -> Self {
        Self { details: Some(details), ..self }
    }

    /// With what the endpoint's query may hold.
    pub(super) fn query(self, spec: &'static QuerySpec) -> Self {
        Self { spec: Some(spec), ..self }
    }

    /// With what one of these parameters may hold.
    pub(super) fn values(mut self, parameter: &'static str, schema: impl Into<RefOr<Schema>>) -> Self {
        self.values.push((parameter, schema.into()));
        self
    }

    /// With 409 where the state of the resource forbids it.
    pub(super) fn conflicts(self) -> Self {
        Self { conflicts: true, ..self }
    }

    /// With 429 for an address that asks too often.
    pub(super) fn limited(self) -> Self {
        Self { limited: true, ..self }
    }

    /// With what one of these parameters means.
    pub(super) fn means(mut self, parameter: &'static str, meaning: &'static str) -> Self {
        self.meanings.push((parameter, meaning));
        self
    }

    pub(super) fn sends(self, sends: Sends) -> Self {
        Self { sends: Some(sends), ..self }
    }

    /// Answers one resource with 200.
    pub(super) fn gives(self, kind: &'static ResourceType) -> Self {
        Self { answer: StatusCode::OK, gives: Gives::One(kind), ..self }
    }

    /// Answers a resource just made with 201.
    pub(super) fn gives_new(self, kind: &'static ResourceType) -> Self {
        Self { answer: StatusCode::CREATED, gives: Gives::One(kind), ..self }
    }

    /// Answers a list with 200.
    pub(super) fn gives_list(self, kind: &'static ResourceType) -> Self {
        Self { answer: StatusCode::OK, gives: Gives::List(kind), ..self }
    }

    /// Answers a list of resource identifiers with 200.
    pub(super) fn gives_identifiers(self, kind: &'static ResourceType) -> Self {
        Self { answer: StatusCode::OK, gives: Gives::Identifiers(kind), ..self }
    }

    /// Answers something else than JSON:API with 200.
    pub(super) fn gives_plain(self, media_type: &'static str, schema: impl Into<RefOr<Schema>>) -> Self {
        Self { answer: StatusCode::OK, gives: Gives::Plain(media_type, Box::new(schema.into())), ..self }
    }

    /// Needs no token, but the database.
    pub(super) fn open(self) -> Self {
        Self { needs: Needs::Database, ..self }
    }

    /// Needs neither a token nor the database.
    pub(super) fn always(self) -> Self {
        Self { needs: Needs::Nothing, ..self }
    }

    /// The path with `/api/v2` before it, where the route is below that.
    pub(super) fn full_path(&self) -> String {
        let outside = ["/health/", "/.well-known/", "/docs"].iter().any(|start| self.path.starts_with(start));
        format!("{}{}", if outside { "" } else { "/api/v2" }, self.path)
    }

    pub(super) fn method(&self) -> HttpMethod {
        self.method.clone()
    }

    /// The schemas that the body refers to.
    pub(super) fn schemas(&self) -> Vec<Named> {
        self.sends.as_ref().map(Sends::schemas).unwrap_or_default()
    }

    pub(super) fn operation(&self, tag: &str) -> Operation {
        let operation = OperationBuilder::new()
            .tag(tag)
            .operation_id(Some(self.id))
            .summary(Some(self.summary))
            .description(self.details)
            .parameters(Some(self.parameters()))
            .request_body(self.sends.as_ref().map(|sends| sends.body(self.request_examples())))
            .response(self.answer.as_str(), self.response());
        let operation = match self.needs {
            Needs::Token => operation.security(SecurityRequirement::new::<_, [&str; 0], &str>(BEARER, [])),
            Needs::Database | Needs::Nothing => operation,
        };
        let refusals = self.refusals().into_iter();
        let refusals =
            refusals.map(|status| (status.as_str().to_owned(), Ref::from_response_name(refusal_name(status))));
        refusals.fold(operation, |operation, (status, reference)| operation.response(status, reference)).build()
    }

    fn parameters(&self) -> Vec<Parameter> {
        let mut all = parameters::of_path(self.path);
        all.extend(self.spec.map(parameters::of_query).unwrap_or_default());
        for (name, schema) in &self.values {
            for parameter in all.iter_mut().filter(|parameter| parameter.name == *name) {
                parameter.schema = Some(schema.clone());
            }
        }
        for (name, meaning) in &self.meanings {
            for parameter in all.iter_mut().filter(|parameter| parameter.name == *name) {
                parameter.description = Some((*meaning).to_owned());
            }
        }
        all
    }

    fn request_examples(&self) -> ContentBuilder {
        let found = examples::of(self.method_name(), &self.full_path(), self.answer.as_u16());
        let found = found.filter_map(|example| Some((example.name, example.request.clone()?)));
        ContentBuilder::new().examples_from_iter(found.map(|(name, value)| (name, examples::told(value))))
    }

    fn response(&self) -> Response {
        let response = ResponseBuilder::new()
            .description(self.answer.canonical_reason().unwrap_or_default())
            .header("X-Request-Id", HeaderBuilder::new().schema(Some(text())).build());
        let types = self.spec.map(|spec| spec.types).unwrap_or_default();
        let (media_type, schema): (_, RefOr<Schema>) = match &self.gives {
            Gives::Nothing => return response.build(),
            Gives::One(kind) => (MEDIA_TYPE, document(named(kind.name), types).into()),
            Gives::List(kind) => (MEDIA_TYPE, list(named(kind.name), types).into()),
            Gives::Identifiers(kind) => (MEDIA_TYPE, list(identifier(&[kind.name]), &[]).into()),
            Gives::Plain(media_type, schema) => (*media_type, RefOr::clone(schema)),
        };
        let found = examples::of(self.method_name(), &self.full_path(), self.answer.as_u16());
        let found = found.filter_map(|example| Some((example.name, examples::told(example.response.clone()?))));
        let content = ContentBuilder::new().schema(Some(schema)).examples_from_iter(found);
        response.content(media_type, content.build()).build()
    }

    /// The statuses with which the route can refuse a request that has the right method.
    fn refusals(&self) -> Vec<StatusCode> {
        let mut all = vec![StatusCode::NOT_ACCEPTABLE];
        if self.spec.is_some() {
            all.push(StatusCode::BAD_REQUEST);
        }
        if self.needs == Needs::Token {
            all.extend([StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN, StatusCode::NOT_FOUND]);
        }
        if self.needs != Needs::Nothing {
            all.push(StatusCode::SERVICE_UNAVAILABLE);
        }
        if self.limited {
            all.push(StatusCode::TOO_MANY_REQUESTS);
        }
        if self.conflicts || self.sends.is_some() {
            all.push(StatusCode::CONFLICT);
        }
        if self.sends.is_some() {
            all.extend([
                StatusCode::PAYLOAD_TOO_LARGE,
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                StatusCode::UNPROCESSABLE_ENTITY,
            ]);
        }
        all.sort();
        all
    }

    const fn method_name(&self) -> &'static str {
        match self.method {
            HttpMethod::Post => "POST",
            HttpMethod::Patch => "PATCH",
            HttpMethod::Delete => "DELETE",
            _ => "GET",
        }
    }
}

fn refusal_name(status: StatusCode) -> String {
    status.canonical_reason().unwrap_or_default().replace(' ', "")
}

/// Every way to refuse a request, by name.
pub(super) fn refusals() -> Vec<(String, Response)> {
    let told = [
        (StatusCode::BAD_REQUEST, "The query holds what the endpoint does not know, or the body is not a document"),
        (StatusCode::UNAUTHORIZED, "There is no token that works; the same body for every cause"),
        (StatusCode::FORBIDDEN, "The caller may see it, but not do this"),
        (StatusCode::NOT_FOUND, "It does not exist, or the caller may not see it"),
        (StatusCode::METHOD_NOT_ALLOWED, "The path does not know the method; `Allow` tells which it knows"),
        (StatusCode::NOT_ACCEPTABLE, "`Accept` rules JSON:API and JSON out"),
        (
            StatusCode::CONFLICT,
            "The body names another type or id than the path, or the state of the resource forbids it",
        ),
        (StatusCode::PAYLOAD_TOO_LARGE, "The body is larger than 1 MiB"),
        (StatusCode::UNSUPPORTED_MEDIA_TYPE, "The body is labelled neither as JSON:API nor as JSON"),
        (StatusCode::UNPROCESSABLE_ENTITY, "Values are not acceptable: one error object for each, with its pointer"),
        (
            StatusCode::TOO_MANY_REQUESTS,
            "The address asks too often; `Retry-After` tells in how many seconds it may again",
        ),
        (StatusCode::SERVICE_UNAVAILABLE, "The database is away; nothing was done"),
    ];
    told.into_iter().map(|(status, about)| (refusal_name(status), refusal(status, about))).collect()
}

fn refusal(status: StatusCode, about: &str) -> Response {
    let examples = examples::refusals(status.as_u16()).map(|(name, value)| (name, examples::told(value)));
    let content = ContentBuilder::new().schema(Some(named(ERRORS))).examples_from_iter(examples);
    let header = || HeaderBuilder::new().schema(Some(text())).build();
    let response = ResponseBuilder::new().description(about).header("X-Request-Id", header());
    let response = match status {
        StatusCode::UNAUTHORIZED => response.header("WWW-Authenticate", header()),
        StatusCode::METHOD_NOT_ALLOWED => response.header("Allow", header()),
        StatusCode::TOO_MANY_REQUESTS => response.header("Retry-After", header()),
        _ => response,
    };
    response.content(MEDIA_TYPE, content.build()).build()
}
