//! The OpenAPI description of every endpoint, made from its declaration: query parameters from its `QuerySpec`,
//! attributes from the structs that read them, examples from `fixtures/documents`.

mod examples;
mod operation;
mod page;
mod parameters;
mod sends;

use utoipa::openapi::path::HttpMethod;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{Components, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, Paths, Server};

use super::{Endpoint, Section};
use crate::jsonapi::schema::{self, Named, ResourceSchema};
pub(crate) use page::Page;
pub(crate) use sends::Sends;

/// The name of the one way to authenticate.
const BEARER: &str = "token";
const BASIC: &str = "token-as-password";

const ABOUT: &str = "A self-hosted authority for long-lived API tokens that speaks JSON:API 1.1 and the v2 API of HCP \
     Terraform.\n\nRequests and answers are `application/vnd.api+json`; `application/json` is taken, too. A method that \
     a path does not know is answered with 405 and `Allow`. HEAD is GET without the body. Every answer has the id of \
     its request in `X-Request-Id`, and every error object has it as `id`. Attributes that are not known are ignored, \
     parameters that are not known are 400.";

/// The description of these endpoints.
pub(crate) fn description(sections: Vec<Section>) -> OpenApi {
    let mut schemas = schema::shared();
    let mut paths = Paths::new();
    let mut tags = vec![];
    for room in sections {
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
    for (name, response) in operation::refusals() {
        components.responses.insert(name, response.into());
    }
    let bearer = "A token of a user, a team, an organization or a workspace: `lku_…`, `lkt_…`, `lko_…`, `lka_…` or `lkw_…`, \
                  or a JWT";
    let basic = "The same as the password, with any user name, or as the user name, without a password";
    for (name, scheme, about) in [(BEARER, HttpAuthScheme::Bearer, bearer), (BASIC, HttpAuthScheme::Basic, basic)] {
        let scheme = HttpBuilder::new().scheme(scheme).description(Some(about)).build();
        components.add_security_scheme(name, SecurityScheme::Http(scheme));
    }
    components
}
