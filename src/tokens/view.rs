//! How tokens look on the wire.

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Value, json};
use utoipa::PartialSchema;
use utoipa::openapi::{ArrayBuilder, RefOr, Schema};

use super::{Labels, Replacement, Token, TokenAttributes, TokenChanges};
use crate::access::Role;
use crate::credential::{Format, Kind, Secret, Status};
use crate::http::Made;
use crate::ids::TokenId;
use crate::jsonapi::schema::{self, Attribute, ToOne, count, or_null, text, truth, written_or_null};
use crate::jsonapi::{Attributes, Error, Identifier, Resource, ResourceBody, ResourceType, names, time};
use crate::organizations::{self, ORGANIZATIONS};
use crate::teams::{self, TEAMS};
use crate::users::{self, USERS};
use crate::workspaces::{self, WORKSPACES};

pub(crate) const TOKENS: ResourceType =
    ResourceType { name: "authentication-tokens", fields: names!(name of ATTRIBUTES, RELATIONSHIPS) };

/// The attributes of a token.
pub(super) const ATTRIBUTES: &[Attribute<Token>] = &[
    Attribute { name: "kind", schema: Kind::schema, value: |token| json!(token.kind) },
    Attribute {
        name: "description",
        schema: || written_or_null::<TokenAttributes>("description"),
        value: |token| json!(token.description),
    },
    Attribute { name: "role", schema: Role::schema, value: |token| json!(token.role) },
    Attribute {
        name: "abilities",
        schema: || written_or_null::<TokenAttributes>("abilities"),
        value: |token| json!(token.abilities),
    },
    Attribute {
        name: "effective-abilities",
        schema: effective_abilities,
        value: |token| json!(token.effective_abilities),
    },
    Attribute { name: "self-rotation", schema: || truth().into(), value: |token| json!(token.self_rotation) },
    Attribute { name: "rotates-until", schema: time_or_null, value: |token| json!(token.rotates_until.map(time)) },
    Attribute { name: "labels", schema: Labels::schema, value: |token| json!(token.labels) },
    Attribute { name: "labels-in-jwt", schema: || truth().into(), value: |token| json!(token.labels_in_jwt) },
    Attribute { name: "status", schema: Status::schema, value: |token| json!(token.status) },
    Attribute {
        name: "token-prefix",
        schema: || {
            text().description(Some("The first 10 characters of the secret; of a JWT, `eyJ…` and the last 6")).into()
        },
        value: |token| json!(token.token_prefix),
    },
    Attribute { name: "format", schema: Format::schema, value: |token| json!(token.format) },
    Attribute { name: "usage-count", schema: || count(0).into(), value: |token| json!(token.usage_count) },
    Attribute {
        name: "owner-name",
        schema: || {
            let about =
                "The name of the user, team, workspace or organization that it acts as, also of one that is gone";
            or_null(text()).description(Some(about)).into()
        },
        value: |token| json!(token.owner_name),
    },
    Attribute {
        name: "created-by-name",
        schema: || or_null(text()).description(Some("The name of its maker, also of one who is gone")).into(),
        value: |token| json!(token.created_by_name),
    },
    Attribute { name: "created-at", schema: || schema::time().into(), value: |token| json!(time(token.created_at)) },
    Attribute { name: "updated-at", schema: || schema::time().into(), value: |token| json!(time(token.updated_at)) },
    Attribute { name: "last-used-at", schema: time_or_null, value: |token| json!(token.last_used_at.map(time)) },
    Attribute { name: "expired-at", schema: time_or_null, value: |token| json!(token.expired_at.map(time)) },
    Attribute { name: "ends-at", schema: time_or_null, value: |token| json!(token.ends_at.map(time)) },
    Attribute {
        name: "expires-in-seconds",
        schema: || or_null(count(0)).description(Some("How long until `ends-at`; null is never")).into(),
        value: |token| json!(token.ends_in_seconds),
    },
    Attribute { name: "disabled-at", schema: time_or_null, value: |token| json!(token.disabled_at.map(time)) },
    Attribute { name: "revoked-at", schema: time_or_null, value: |token| json!(token.revoked_at.map(time)) },
    Attribute {
        name: "revocation-reason",
        schema: || or_null(text()).description(Some("What whoever revoked it said of that")).into(),
        value: |token| json!(token.revocation_reason),
    },
    Attribute {
        name: "token",
        schema: || {
            or_null(text()).description(Some("The secret, in the answer that makes the token; later null")).into()
        },
        value: |_| Value::Null,
    },
];

pub(super) const RELATIONSHIPS: &[ToOne] = &[
    ToOne { name: "user", types: &[USERS.name] },
    ToOne { name: "team", types: &[TEAMS.name] },
    ToOne { name: "organization", types: &[ORGANIZATIONS.name] },
    ToOne { name: "workspace", types: &[WORKSPACES.name] },
    ToOne { name: "created-by", types: &[USERS.name, TEAMS.name, ORGANIZATIONS.name, WORKSPACES.name] },
    ToOne { name: "replaces", types: &["authentication-tokens"] },
    ToOne { name: "replaced-by", types: &["authentication-tokens"] },
];

fn effective_abilities() -> RefOr<Schema> {
    let about = "What it may reach now: its own abilities, of its owner's, of those that its organization has registered. `*` \
                 is every one. Of a person's token: in one organization or another";
    ArrayBuilder::new().items(text()).description(Some(about)).into()
}

fn time_or_null() -> RefOr<Schema> {
    or_null(schema::time()).into()
}

/// The type `token-usage-days`.
pub(crate) const USAGE_DAYS: ResourceType = ResourceType { name: "token-usage-days", fields: &["date", "count"] };

/// What a client may call the type: shipped ones use the singular, too (docs/design.md §5).
pub(crate) const NAMES: &[&str] = &[TOKENS.name, "authentication-token"];

/// A token, without its secret.
pub(super) fn token(token: &Token) -> Resource {
    let resource = Resource::new(&TOKENS, token.id)
        .declared(ATTRIBUTES, token)
        .to_one("created-by", created_by(token))
        .to_one("replaces", token.replaces.map(identifier))
        .to_one("replaced-by", token.replaced_by.map(identifier))
        .link_self(format!("/api/v2/authentication-tokens/{}{}", token.id, trashed(token)));
    let owners = [
        ("user", token.user_id.map(users::identifier)),
        ("team", token.team_id.map(teams::identifier)),
        ("workspace", token.workspace_id.map(workspaces::identifier)),
        ("organization", token.organization_name.as_deref().map(organizations::identifier)),
    ];
    let told = owners.into_iter().filter(|(_, owner)| owner.is_some());
    told.fold(resource, |resource, (name, owner)| resource.to_one(name, owner))
}

/// What is revoked is shown only to who asks for it.
fn trashed(token: &Token) -> &'static str {
    if token.status == Status::Revoked { "?filter%5Btrashed%5D=with" } else { "" }
}

/// What a client may send back as it is, and not change. Whatever else cannot be changed moves by itself and is ignored.
pub(super) const READ_ONLY: [&str; 9] = [
    "kind",
    "format",
    "token",
    "created-at",
    "disabled-at",
    "revoked-at",
    "revocation-reason",
    "labels-in-jwt",
    "effective-abilities",
];

/// What a successor has as the token before it; a client may send it as it is.
pub(super) const INHERITED: [&str; 10] = [
    "kind",
    "format",
    "description",
    "role",
    "abilities",
    "effective-abilities",
    "labels",
    "labels-in-jwt",
    "self-rotation",
    "rotates-until",
];

/// The fault of an attribute of an edit that is another one than the token's.
pub(super) fn changed(token: &Token, sent: &ResourceBody<TokenChanges>, name: &str) -> Option<Error> {
    differs(token, sent, name, || format!("The attribute {name} cannot be changed"))
}

/// The same of an attribute that was sent for a successor.
pub(super) fn inherited(token: &Token, sent: &ResourceBody<Replacement>, name: &str) -> Option<Error> {
    let detail = || format!("A successor has the {name} of the token before it: edit the token, or make a new one");
    differs(token, sent, name, detail)
}

fn differs<A: Attributes>(
    token: &Token,
    sent: &ResourceBody<A>,
    name: &str,
    detail: impl Fn() -> String,
) -> Option<Error> {
    let attribute = ATTRIBUTES.iter().find(|attribute| attribute.name == name)?;
    let (is, sent_as) = ((attribute.value)(token), sent.sent(name)?);
    let moment = |value: &Value| value.as_str()?.parse::<DateTime<Utc>>().ok();
    let same = is == *sent_as || moment(&is).is_some_and(|is| moment(sent_as) == Some(is));
    (!same).then(|| Error::attribute(sent.pointer(&format!("attributes/{name}")), detail()))
}

/// A token just made: the one answer that shows its secret.
pub(super) fn created(new: &Token, secret: &Secret) -> Made {
    Made::new(new.id, token(new).attribute("token", secret.reveal()))
}

/// How often a token was used on a day. The id is made of both.
pub(super) fn usage_day(id: TokenId, date: NaiveDate, count: i64) -> Resource {
    Resource::new(&USAGE_DAYS, format!("{id}-{date}")).attribute("date", date.to_string()).attribute("count", count)
}

/// `status-counts`: how many tokens of each status there are.
pub(super) fn status_counts(counts: &[(Status, i64)]) -> Value {
    let of = |status| counts.iter().find(|(counted, _)| *counted == status).map_or(0, |(_, count)| *count);
    Status::ALL.into_iter().map(|status| (status.to_string(), Value::from(of(status)))).collect()
}

fn identifier(id: TokenId) -> Identifier {
    Identifier::new(TOKENS.name, id)
}

fn created_by(token: &Token) -> Option<Identifier> {
    let user = token.created_by_user_id.map(users::identifier);
    let team = || token.created_by_team_id.map(teams::identifier);
    let organization =
        || token.created_by_organization_id.and(token.created_by_name.as_deref()).map(organizations::identifier);
    let workspace = || token.created_by_workspace_id.map(workspaces::identifier);
    user.or_else(team).or_else(organization).or_else(workspace)
}
