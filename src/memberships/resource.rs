//! How memberships look on the wire.

use super::Membership;
use crate::ids::MembershipId;
use crate::jsonapi::{Identifier, Resource, ResourceType};
use crate::users::{self, User};

/// The type `organization-memberships`.
pub(crate) const MEMBERSHIPS: ResourceType = ResourceType {
    name: "organization-memberships",
    fields: &["status", "email", "created-at", "user", "organization"],
};

/// A reference to a membership.
pub(crate) fn identifier(id: MembershipId) -> Identifier {
    Identifier::new(MEMBERSHIPS.name, id)
}

/// A membership beside its user.
pub(crate) fn membership(membership: &Membership, user: &User, organization_name: &str) -> Resource {
    Resource::new(&MEMBERSHIPS, membership.id)
        .attribute("status", membership.status)
        .attribute("email", &user.email)
        .attribute("created-at", crate::jsonapi::time(membership.created_at))
        .to_one("user", Some(users::resource::identifier(user.id)))
        .to_one("organization", Some(Identifier::new("organizations", organization_name)))
        .link_self(format!("/api/v2/organization-memberships/{}", membership.id))
}
