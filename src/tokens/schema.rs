//! Tokens in the words of the OpenAPI description.

use utoipa::openapi::schema::AnyOfBuilder;
use utoipa::openapi::{KnownFormat, Schema, SchemaFormat};

use super::filters;
use super::view::{ATTRIBUTES, RELATIONSHIPS, TOKENS, USAGE_DAYS};
use crate::http::Route;
use crate::jsonapi::schema::{ResourceSchema, count, text, time};

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
        route.values(filter.written(), (filter.schema)()).means(filter.written(), filter.about)
    })
}

pub(super) fn token() -> ResourceSchema {
    let kind = ResourceSchema::new(&TOKENS, "A long-lived credential").declared(ATTRIBUTES);
    RELATIONSHIPS.iter().fold(kind, |kind, relationship| kind.one(relationship.name, relationship.types))
}
