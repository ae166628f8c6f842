//! How tokens look on the wire.

use chrono::NaiveDate;

use serde_json::Value;

use super::Token;
use crate::credential::{Secret, Status};
use crate::ids::TokenId;
use crate::jsonapi::{Identifier, Resource, ResourceType, time};
use crate::{organizations, teams, users, workspaces};

pub(crate) const TOKENS: ResourceType = ResourceType {
    name: "authentication-tokens",
    fields: &[
        "kind",
        "description",
        "role",
        "abilities",
        "status",
        "token-prefix",
        "format",
        "usage-count",
        "created-at",
        "updated-at",
        "last-used-at",
        "expired-at",
        "disabled-at",
        "revoked-at",
        "token",
        "user",
        "team",
        "organization",
        "workspace",
        "created-by",
        "replaces",
        "replaced-by",
    ],
};

/// The type `token-usage-days`.
pub(crate) const USAGE_DAYS: ResourceType = ResourceType { name: "token-usage-days", fields: &["date", "count"] };

/// What a client may call the type: shipped ones use the singular, too (docs/design.md §5).
pub(crate) const NAMES: &[&str] = &[TOKENS.name, "authentication-token"];

/// A token, without its secret.
pub(super) fn token(token: &Token) -> Resource {
    let resource = Resource::new(&TOKENS, token.id)
        .attribute("kind", token.kind)
        .attribute("description", &token.description)
        .attribute("role", token.role)
        .attribute("abilities", &token.abilities)
        .attribute("status", token.status)
        .attribute("token-prefix", &token.token_prefix)
        .attribute("format", token.format)
        .attribute("usage-count", token.usage_count)
        .attribute("created-at", time(token.created_at))
        .attribute("updated-at", time(token.updated_at))
        .attribute("last-used-at", token.last_used_at.map(time))
        .attribute("expired-at", token.expired_at.map(time))
        .attribute("disabled-at", token.disabled_at.map(time))
        .attribute("revoked-at", token.revoked_at.map(time))
        .attribute("token", ())
        .to_one("created-by", created_by(token))
        .to_one("replaces", token.replaces.map(identifier))
        .to_one("replaced-by", token.replaced_by.map(identifier))
        .link_self(format!("/api/v2/authentication-tokens/{}", token.id));
    let owners = [
        ("user", token.user_id.map(users::identifier)),
        ("team", token.team_id.map(teams::identifier)),
        ("workspace", token.workspace_id.map(workspaces::identifier)),
        ("organization", token.organization_name.as_deref().map(organizations::identifier)),
    ];
    let told = owners.into_iter().filter(|(_, owner)| owner.is_some());
    told.fold(resource, |resource, (name, owner)| resource.to_one(name, owner))
}

/// A token just made: the one answer that shows its secret.
pub(super) fn created(new: &Token, secret: &Secret) -> Resource {
    token(new).attribute("token", secret.reveal())
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
    let organization = || token.created_by_organization_name.as_deref().map(organizations::identifier);
    user.or_else(team).or_else(organization)
}
