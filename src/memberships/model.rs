//! What a client may write of a membership, and what the audit trail tells of one.

use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;
use validator::Validate;

use crate::audit::Event;
use crate::ids::{OrganizationId, UserId};

/// What a client may write of a new membership.
#[derive(Debug, Clone, Default, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct InvitationAttributes {
    /// `email`: the address to invite.
    #[validate(email, length(max = 254))]
    #[schema(format = "email", max_length = 254)]
    pub email: Option<String>,
}

/// What a client may write of a new service account.
#[derive(Debug, Clone, Default, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ServiceAccountAttributes {
    /// `username`: 1 to 90 letters, digits, hyphens and underscores, which no other user has. It stays.
    #[validate(custom(function = "crate::jsonapi::valid_name"))]
    #[schema(pattern = "^[A-Za-z0-9_-]{1,90}$")]
    pub username: Option<String>,
}

/// What happened to a user in an organization, as the audit trail tells it.
pub(super) fn event(
    organization: OrganizationId,
    resource: &'static str,
    user: UserId,
    action: &'static str,
    about: Value,
) -> Event {
    Event::new(Some(organization), resource, user, action).meta(about)
}
