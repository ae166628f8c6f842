//! Memberships: users in organizations (DESIGN §1).
//!
//! A team can hold only users who are members of its organization; the database sees to that.

pub(crate) mod resource;
pub(crate) mod store;

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use crate::database::schema::memberships;
use crate::database::words::words;
use crate::ids::{MembershipId, OrganizationId, UserId};

words! {
    /// How far a user's membership has come.
    Status {
        /// Asked, but has not accepted.
        Invited = "invited",
        /// A member.
        Active = "active",
    }
}

/// A user in an organization.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = memberships, check_for_backend(diesel::pg::Pg))]
pub struct Membership {
    /// Its id.
    pub id: MembershipId,
    /// The organization.
    pub organization_id: OrganizationId,
    /// The user.
    pub user_id: UserId,
    /// How far it has come.
    pub status: Status,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}
