//! The OpenAPI description of every route, made from the code: query parameters from the endpoint's [`QuerySpec`],
//! request attributes from the structs that read them, examples from `fixtures/documents`.
//!
//! To describe a new route, take three lines in the `routes` of its room's file here; a test names what is missing:
//!
//! ```text
//! Route::get("/teams/{team}/things", "listThings", "Things of a team").query(&http::LIST).gives_list(&THINGS),
//! Route::post("/teams/{team}/things", "createThing", "Make a thing").query(&http::WRITE)
//!     .sends(Sends::attributes::<ThingAttributes>(&[THINGS.name]).requires(&["name"])).gives_new(&THINGS),
//! ```
//!
//! A new type is one more [`ResourceSchema`] in the `kinds` of the room, a new room one more line in [`ROOMS`], and a new
//! document in `fixtures/documents` one more name in `examples.rs`. What a plain parameter or a filter may hold, if that
//! is less than any text, is said with [`Route::values`].

mod examples;
mod memberships;
mod organizations;
mod page;
mod parameters;
mod route;
mod sends;
mod service;
mod users;
mod workspaces;

use std::sync::LazyLock;

use actix_web::http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use actix_web::web::{ServiceConfig, get, resource};
use actix_web::{HttpRequest, HttpResponse};
use utoipa::openapi::path::HttpMethod;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{Components, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, Paths, Server};

use crate::http::{Endpoint, Section, register};
use crate::jsonapi::schema::{self, Named, ResourceSchema};
use crate::jsonapi::{Query, QuerySpec, Result};
pub(crate) use sends::Sends;

/// The name of the one way to authenticate.
const BEARER: &str = "token";

const ABOUT: &str = "A self-hosted authority for long-lived API tokens that speaks JSON:API 1.1 and the v2 API of HCP \
     Terraform.\n\nRequests and answers are `application/vnd.api+json`; `application/json` is taken, too. A method that \
     a path does not know is answered with 405 and `Allow`. HEAD is GET without the body. Every answer has the id of \
     its request in `X-Request-Id`, and every error object has it as `id`. Attributes that are not known are ignored, \
     parameters that are not known are 400.";

/// Every room, in the order of the description.
const ROOMS: [fn() -> Section; 10] = [
    service::room,
    users::room,
    organizations::room,
    memberships::room,
    crate::teams::section,
    crate::tokens::section,
    workspaces::room,
    crate::ttl_policies::section,
    crate::abilities::section,
    crate::audit::section,
];

#[must_use]
pub fn description() -> OpenApi {
    let mut schemas = schema::shared();
    let mut paths = Paths::new();
    let mut tags = vec![];
    for room in ROOMS.iter().map(|room| room()) {
        tags.push(TagBuilder::new().name(room.tag).description(Some(room.about)).build());
        schemas.extend(room.kinds.into_iter().map(ResourceSchema::finish));
        for Endpoint { about, .. } in room.endpoints {
            schemas.extend(about.schemas());
            let method = match about.method.as_str() {
                "POST" => HttpMethod::Post,
                "PATCH" => HttpMethod::Patch,
                "DELETE" => HttpMethod::Delete,
                _ => HttpMethod::Get,
            };
            paths.add_path_operation(about.full_path(), vec![method], about.operation(room.tag));
        }
    }
    let info = InfoBuilder::new().title("Latchkey").version(env!("CARGO_PKG_VERSION")).description(Some(ABOUT));
    let license = LicenseBuilder::new().name(env!("CARGO_PKG_LICENSE")).build();
    OpenApiBuilder::new()
        .info(info.license(Some(license)))
        .servers(Some([Server::new("/")]))
        .paths(paths)
        .components(Some(components(schemas)))
        .tags(Some(tags))
        .build()
}

fn components(schemas: Vec<Named>) -> Components {
    let mut components = Components::new();
    components.schemas.extend(schemas);
    for (name, response) in route::refusals() {
        components.responses.insert(name, response.into());
    }
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some(
            "A token of a user, a team or an organization: `lku_…`, `lkt_…`, `lko_…` or `lka_…`, or a JWT",
        ))
        .build();
    components.add_security_scheme(BEARER, SecurityScheme::Http(bearer));
    components
}

/// Makes routes of all endpoints.
pub(crate) fn endpoint_routes(service: &mut ServiceConfig) {
    static SECTIONS: LazyLock<Vec<Section>> = LazyLock::new(|| ROOMS.iter().map(|room| room()).collect());
    register(SECTIONS.iter(), service);
}

/// `openapi.json`, inside `/api/v2`.
pub fn description_route(service: &mut ServiceConfig) {
    service.service(resource("/openapi.json").route(get().to(show)));
}

/// `docs`, outside of it: the same for people.
pub fn page_route(service: &mut ServiceConfig) {
    service.service(resource("/docs").route(get().to(read)));
}

async fn show(request: HttpRequest) -> Result<HttpResponse> {
    static TEXT: LazyLock<String> = LazyLock::new(|| description().to_json().unwrap_or_default());
    Query::of(&request, &QuerySpec::NONE)?;
    Ok(HttpResponse::Ok().content_type("application/json").body(TEXT.as_str()))
}

async fn read() -> HttpResponse {
    static PAGE: LazyLock<page::Page> = LazyLock::new(|| page::Page::of(&description()));
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((CONTENT_SECURITY_POLICY, PAGE.policy.as_str()))
        .insert_header((REFERRER_POLICY, "no-referrer"))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(PAGE.html.as_str())
}
