//! The membership, and what a client may write of one.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;
use validator::Validate;

use crate::audit::Event;
use crate::database::schema::listed_memberships;
use crate::database::text_enum::text_enum;
use crate::ids::{MembershipId, OrganizationId, UserId};

text_enum! {
    /// How far a user's membership has come.
    pub enum Status {
        /// Asked, but has not accepted.
        Invited = "invited",
        Active = "active",
    }
}

/// A user in an organization.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = listed_memberships, check_for_backend(diesel::pg::Pg))]
pub struct Membership {
    pub id: MembershipId,
    pub organization_id: OrganizationId,
    pub user_id: UserId,
    /// How far it has come.
    pub status: Status,
    pub created_at: DateTime<Utc>,
    pub organization_name: String,
    pub username: String,
    pub email: String,
    /// Whether the user is a program's account.
    pub service_account: bool,
    /// Whether that is for others to know; not while the user is invited by name.
    pub email_known: bool,
}

/// What a client may write of a new membership.
#[derive(Debug, Clone, Default, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct InvitationAttributes {
    /// `email`: the address to invite.
    #[validate(email, length(max = 254))]
    #[schema(format = "email", max_length = 254)]
    pub email: Option<String>,
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
