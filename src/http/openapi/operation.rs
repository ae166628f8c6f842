//! One endpoint in the words of the description.

use actix_web::http::StatusCode;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, OperationBuilder, Parameter};
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{Ref, RefOr, Response, Schema};

use super::examples;
use super::parameters;
use super::sends::Sends;
use super::{BASIC, BEARER};
use crate::http::{Answer, Description, Needs};
use crate::jsonapi::MEDIA_TYPE;
use crate::jsonapi::schema::{ERRORS, Named, document, identifier, list, named, one_of, text};

impl Description {
    /// The schemas that the body refers to.
    pub(super) fn schemas(&self) -> Vec<Named> {
        self.body.as_ref().map(Sends::schemas).unwrap_or_default()
    }

    /// The operation.
    pub(super) fn operation(&self, tag: &str) -> Operation {
        let operation = OperationBuilder::new()
            .tag(tag)
            .operation_id(Some(self.id))
            .summary(Some(self.summary))
            .description(self.details)
            .parameters(Some(self.parameters()))
            .request_body(self.body.as_ref().map(|sends| sends.body(self.request_examples())))
            .response(self.status.as_str(), self.response());
        let operation = match self.needs {
            // Either of the two.
            Needs::Token => [BEARER, BASIC].into_iter().fold(operation, |operation, scheme| {
                operation.security(SecurityRequirement::new::<_, [&str; 0], &str>(scheme, []))
            }),
            Needs::Database | Needs::Nothing => operation,
        };
        let refusals = self.refusals().into_iter();
        let refusals =
            refusals.map(|status| (status.as_str().to_owned(), Ref::from_response_name(refusal_name(status))));
        refusals.fold(operation, |operation, (status, reference)| operation.response(status, reference)).build()
    }

    fn parameters(&self) -> Vec<Parameter> {
        let mut all = parameters::of_path(self.path);
        if self.idempotent {
            all.push(parameters::idempotency_key());
        }
        all.extend(self.query.map(parameters::of_query).unwrap_or_default());
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
        let found = examples::of(self.method_name(), &self.full_path(), self.status.as_u16());
        let found = found.filter_map(|example| Some((example.name, example.request.clone()?)));
        ContentBuilder::new().examples_from_iter(found.map(|(name, value)| (name, examples::told(value))))
    }

    fn response(&self) -> Response {
        let response = ResponseBuilder::new()
            .description(self.status.canonical_reason().unwrap_or_default())
            .header("X-Request-Id", HeaderBuilder::new().schema(Some(text())).build());
        let response = if self.idempotent {
            let replayed = HeaderBuilder::new().schema(Some(one_of(&["true"])));
            let about = "There if this answer was given before, to the same request with the same `Idempotency-Key`";
            response.header("Idempotent-Replayed", replayed.description(Some(about)).build())
        } else {
            response
        };
        let types = self.query.map(|known| known.types).unwrap_or_default();
        let (media_type, schema): (_, RefOr<Schema>) = match &self.answer {
            Answer::Nothing => return response.build(),
            Answer::One(kind) => (MEDIA_TYPE, document(named(kind.name), types).into()),
            Answer::List(kind) => (MEDIA_TYPE, list(named(kind.name), types).into()),
            Answer::Identifiers(kind) => (MEDIA_TYPE, list(identifier(&[kind.name]), &[]).into()),
            Answer::Plain(media_type, schema) => (*media_type, RefOr::clone(schema)),
        };
        let found = examples::of(self.method_name(), &self.full_path(), self.status.as_u16());
        let found = found.filter_map(|example| Some((example.name, examples::told(example.response.clone()?))));
        let content = ContentBuilder::new().schema(Some(schema)).examples_from_iter(found);
        response.content(media_type, content.build()).build()
    }

    /// The statuses with which the route can refuse a request that has the right method.
    fn refusals(&self) -> Vec<StatusCode> {
        let mut all = vec![StatusCode::NOT_ACCEPTABLE];
        if self.query.is_some() {
            all.extend([StatusCode::BAD_REQUEST, StatusCode::URI_TOO_LONG]);
        }
        if self.needs == Needs::Token {
            all.extend([StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN, StatusCode::NOT_FOUND]);
        }
        if self.needs != Needs::Nothing {
            all.push(StatusCode::SERVICE_UNAVAILABLE);
        }
        if self.needs != Needs::Nothing {
            all.push(StatusCode::TOO_MANY_REQUESTS);
        }
        if self.idempotent {
            all.extend([StatusCode::BAD_REQUEST, StatusCode::UNPROCESSABLE_ENTITY]);
        }
        if self.conflicts || self.idempotent || self.body.is_some() {
            all.push(StatusCode::CONFLICT);
        }
        if self.unprocessable || self.body.is_some() {
            all.push(StatusCode::UNPROCESSABLE_ENTITY);
        }
        if self.body.is_some() {
            all.extend([
                StatusCode::REQUEST_TIMEOUT,
                StatusCode::PAYLOAD_TOO_LARGE,
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
            ]);
        }
        all.sort();
        all
    }

    /// The method, as the examples spell it.
    fn method_name(&self) -> &'static str {
        match self.method.as_str() {
            "POST" => "POST",
            "PATCH" => "PATCH",
            "DELETE" => "DELETE",
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
            "The body names another type or id than the path, the state of the resource forbids it, or a request with \
             the same `Idempotency-Key` is under way",
        ),
        (StatusCode::REQUEST_TIMEOUT, "The body was not here in time"),
        (StatusCode::URI_TOO_LONG, "The query string is longer than it may be"),
        (StatusCode::PAYLOAD_TOO_LARGE, "The body is larger than it may be"),
        (StatusCode::UNSUPPORTED_MEDIA_TYPE, "The body is labelled neither as JSON:API nor as JSON"),
        (
            StatusCode::UNPROCESSABLE_ENTITY,
            "Values are not acceptable: one error object for each, with its pointer; or a rule forbids it, which the error \
             names; or the `Idempotency-Key` was that of another request",
        ),
        (
            StatusCode::TOO_MANY_REQUESTS,
            "The address asks too often or brings too many tokens that are not good, or the caller has too much under \
             way; `Retry-After` tells in how many seconds to ask again",
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
