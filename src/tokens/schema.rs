//! Tokens in the words of the OpenAPI description.

use utoipa::openapi::schema::AnyOfBuilder;
use utoipa::openapi::{KnownFormat, Schema, SchemaFormat};

use super::view::{TOKENS, USAGE_DAYS};
use super::{TokenAttributes, filters};
use crate::access::Role;
use crate::credential::{Format, Kind, Status};
use crate::http::Route;
use crate::jsonapi::schema::{ResourceSchema, count, one_of, or_null, text, time};
use crate::organizations::ORGANIZATIONS;
use crate::teams::TEAMS;
use crate::users::USERS;
use crate::workspaces::WORKSPACES;

/// A day, or a time.
pub(super) fn since() -> Schema {
    let day = text().format(Some(SchemaFormat::KnownFormat(KnownFormat::Date)));
    AnyOfBuilder::new().item(day).item(time()).build().into()
}

pub(super) fn usage_day() -> ResourceSchema {
    let day = || text().format(Some(SchemaFormat::KnownFormat(KnownFormat::Date)));
    ResourceSchema::new(&USAGE_DAYS, "How often a token was used on a day (UTC)")
        .attribute("date", day())
        .attribute("count", count(0))
}

/// A list with the filters that all lists of tokens have.
pub(super) fn filtered<I: Send + 'static>(route: Route<I>) -> Route<I> {
    let route = route.means("q", "Only what holds this text in its description, prefix or owner's name, in any case");
    filters::all().fold(route, |route, filter| {
        let name = format!("filter[{}]", filter.name);
        route.values(name.clone(), (filter.schema)()).means(name, filter.about)
    })
}

pub(super) fn token() -> ResourceSchema {
    let secret = || or_null(text()).description(Some("The secret, in the answer that makes the token; later null"));
    ResourceSchema::new(&TOKENS, "A long-lived credential")
        .attribute("kind", one_of(&Kind::ALL.map(Kind::as_str)))
        .written_or_null::<TokenAttributes>(&["description"])
        .attribute("role", one_of(&Role::ALL.map(Role::as_str)))
        .written::<TokenAttributes>(&["abilities"])
        .attribute("status", one_of(&Status::ALL.map(Status::as_str)))
        .attribute("token-prefix", text().description(Some("The first 10 characters of the secret")))
        .attribute("format", one_of(&Format::ALL.map(Format::as_str)))
        .attribute("usage-count", count(0))
        .attributes(&["created-at", "updated-at"], time)
        .attributes(&["last-used-at", "expired-at", "disabled-at", "revoked-at"], || or_null(time()))
        .attribute("token", secret())
        .one("user", &[USERS.name])
        .one("team", &[TEAMS.name])
        .one("organization", &[ORGANIZATIONS.name])
        .one("workspace", &[WORKSPACES.name])
        .one("created-by", &[USERS.name, TEAMS.name, ORGANIZATIONS.name])
        .one("replaces", &[TOKENS.name])
        .one("replaced-by", &[TOKENS.name])
}
