//! Tokens in the words of the OpenAPI description.

use utoipa::openapi::schema::AnyOfBuilder;
use utoipa::openapi::{KnownFormat, Schema, SchemaFormat};

use super::view::{TOKENS, USAGE_DAYS};
use super::{ExpiryStatus, Stale, TokenAttributes, Trashed, UNUSED_DAYS_MAX};
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
    const TIMES: [(&str, &str); 10] = [
        ("filter[created-after]", "Only what was made later"),
        ("filter[created-before]", "Only what was made earlier"),
        ("filter[updated-after]", "Only what was changed later"),
        ("filter[updated-before]", "Only what was changed earlier"),
        ("filter[last-used-after]", "Only what was last used later"),
        ("filter[last-used-before]", "Only what was last used earlier; not what never was"),
        ("filter[expires-after]", "Only whose `expired-at` is later; not what never expires"),
        ("filter[expires-before]", "Only whose `expired-at` is earlier; not what never expires"),
        ("filter[revoked-after]", "Only what was revoked later, also what is revoked by now"),
        ("filter[revoked-before]", "Only what was revoked earlier, also what is revoked by now"),
    ];
    let route = route
        .means("q", "Only what holds this text in its description, prefix or owner's name, in any case")
        .values("filter[kind]", one_of(&Kind::ALL.map(Kind::as_str)))
        .values("filter[status]", one_of(&Status::ALL.map(Status::as_str)))
        .means(
            "filter[status]",
            "Only what stands so; several with commas. With `revoked`, also what is revoked by now",
        )
        .values("filter[role]", one_of(&Role::ALL.map(Role::as_str)))
        .means(
            "filter[ability]",
            "Only whose abilities cover one of these, by name or as `resource:*`; several with commas",
        )
        .means("filter[id]", "Only these, by id; several with commas")
        .means("filter[description]", "Only this very description, commas and all; several by repeating the filter")
        .means("filter[team]", "Only those of these teams, by id; several with commas")
        .means("filter[workspace]", "Only those of these workspaces, by id; several with commas")
        .means(
            "filter[created-by]",
            "Only what these made: users and teams by id, organizations by id or name; several with commas",
        )
        .values("filter[unused-for-days]", count(0).maximum(Some(UNUSED_DAYS_MAX)))
        .means("filter[unused-for-days]", "Only what was not used for so many days, or was made before and never used")
        .values("filter[stale]", one_of(&Stale::ALL.map(Stale::as_str)))
        .means(
            "filter[stale]",
            "`true`: only what is active and was not used for 90 days, or never and was made 30 days ago; `false`: \
             only the rest",
        )
        .values("filter[expiry_status]", one_of(&ExpiryStatus::ALL.map(ExpiryStatus::as_str)))
        .values("filter[trashed]", one_of(&Trashed::ALL.map(Trashed::as_str)))
        .means("filter[trashed]", "`with`: also what is revoked, which is left out without it; `only`: nothing else");
    TIMES.into_iter().fold(route, |route, (filter, meaning)| route.values(filter, time()).means(filter, meaning))
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
