//! How tokens look on the wire.

use super::{Secret, Token};
use crate::jsonapi::{Identifier, Resource, ResourceType, time};
use crate::{organizations, teams, users};

/// The type `authentication-tokens`.
pub(crate) const TOKENS: ResourceType = ResourceType {
    name: "authentication-tokens",
    fields: &["description", "created-at", "last-used-at", "expired-at", "token", "team", "created-by"],
};

/// What a client may call the type: shipped ones use the singular, too (DESIGN §5).
pub(crate) const NAMES: &[&str] = &[TOKENS.name, "authentication-token"];

/// A token, without its secret.
pub(super) fn token(token: &Token) -> Resource {
    let resource = Resource::new(&TOKENS, token.id)
        .attribute("description", &token.description)
        .attribute("created-at", time(token.created_at))
        .attribute("last-used-at", token.last_used_at.map(time))
        .attribute("expired-at", token.expired_at.map(time))
        .attribute("token", ())
        .to_one("created-by", created_by(token))
        .link_self(format!("/api/v2/authentication-tokens/{}", token.id));
    match token.team_id {
        Some(team) => resource.to_one("team", Some(teams::identifier(team))),
        None => resource,
    }
}

/// A token just made: the one answer that shows its secret.
pub(super) fn created(new: &Token, secret: &Secret) -> Resource {
    token(new).attribute("token", secret.reveal())
}

fn created_by(token: &Token) -> Option<Identifier> {
    let user = token.created_by_user_id.map(users::identifier);
    let team = || token.created_by_team_id.map(teams::identifier);
    let organization = || token.created_by_organization_name.as_deref().map(organizations::identifier);
    user.or_else(team).or_else(organization)
}
