//! A user in an organization: the row, and how it looks. Inviting, accepting and ending are in `memberships`, and what
//! teams a member is in, in `teams`.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use super::view;
use crate::access::{Action, Caller, Target};
use crate::database::schema::{listed_memberships, memberships};
use crate::database::text_enum::text_enum;
use crate::ids::{MembershipId, OrganizationId, UserId};
use crate::jsonapi::{Identifier, Resource, ResourceType, time};
use crate::organizations;

text_enum! {
    /// How far a user's membership has come.
    pub enum MembershipStatus {
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
    pub status: MembershipStatus,
    pub created_at: DateTime<Utc>,
    pub organization_name: String,
    pub username: String,
    /// A service account has none.
    pub email: Option<String>,
    /// Whether the user is a program's account.
    pub service_account: bool,
    /// Whether that is for others to know; not while the user is invited by name.
    pub email_known: bool,
}

pub(crate) const MEMBERSHIPS: ResourceType = ResourceType {
    name: "organization-memberships",
    fields: &["status", "email", "created-at", "is-org-two-factor-required", "teams", "user", "organization"],
};

/// A reference to a membership.
pub(crate) fn membership_identifier(id: MembershipId) -> Identifier {
    Identifier::new(MEMBERSHIPS.name, id)
}

/// A membership as the caller sees it: the address only to the member and to who can invite, and to these not while
/// they have invited by name.
pub(crate) fn membership(membership: &Membership, caller: &Caller) -> Resource {
    let resource = Resource::new(&MEMBERSHIPS, membership.id)
        .attribute("status", membership.status)
        .attribute("created-at", time(membership.created_at))
        .attribute("is-org-two-factor-required", ())
        .to_one("user", Some(view::identifier(membership.user_id)))
        .to_one("organization", Some(organizations::identifier(&membership.organization_name)))
        .link_self(format!("/api/v2/organization-memberships/{}", membership.id));
    if shows_address(membership, caller) {
        resource.attribute("email", membership.email.as_deref().unwrap_or_default())
    } else {
        resource
    }
}

/// Whether the caller learns the address of a membership's user.
pub(crate) fn shows_address(membership: &Membership, caller: &Caller) -> bool {
    let own = caller.user() == Some(membership.user_id);
    own || (membership.email_known && caller.can(Action::SeeAddresses, Target::Organization))
}

/// Makes users members of an organization, or invites them by name, and answers who was neither yet. Who is a member
/// or invited stays what they are.
pub(crate) fn add_members(
    connection: &mut PgConnection,
    organization: OrganizationId,
    users: &[UserId],
    status: MembershipStatus,
) -> QueryResult<Vec<UserId>> {
    let rows: Vec<_> = users
        .iter()
        .map(|user| {
            (
                memberships::id.eq(MembershipId::generate()),
                memberships::organization_id.eq(organization),
                memberships::user_id.eq(user),
                memberships::status.eq(status),
                memberships::invited_by_name.eq(status == MembershipStatus::Invited),
            )
        })
        .collect();
    diesel::insert_into(memberships::table)
        .values(rows)
        .on_conflict((memberships::organization_id, memberships::user_id))
        .do_nothing()
        .returning(memberships::user_id)
        .get_results(connection)
}
