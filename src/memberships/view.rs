//! How memberships look on the wire.

use super::Membership;
use crate::access::{Action, Caller, Target};
use crate::ids::{MembershipId, TeamId};
use crate::jsonapi::{Identifier, Resource, ResourceType, time};
use crate::{organizations, teams, users};

pub(crate) const MEMBERSHIPS: ResourceType = ResourceType {
    name: "organization-memberships",
    fields: &["status", "email", "created-at", "is-org-two-factor-required", "teams", "user", "organization"],
};

/// A reference to a membership.
pub(crate) fn identifier(id: MembershipId) -> Identifier {
    Identifier::new(MEMBERSHIPS.name, id)
}

/// A membership as the caller sees it: the address only to the member and to who can invite, and to these not while
/// they have invited by name.
pub(crate) fn membership(membership: &Membership, caller: &Caller) -> Resource {
    let resource = Resource::new(&MEMBERSHIPS, membership.id)
        .attribute("status", membership.status)
        .attribute("created-at", time(membership.created_at))
        .attribute("is-org-two-factor-required", ())
        .to_one("user", Some(users::identifier(membership.user_id)))
        .to_one("organization", Some(organizations::identifier(&membership.organization_name)))
        .link_self(format!("/api/v2/organization-memberships/{}", membership.id));
    let own = caller.user() == Some(membership.user_id);
    if own || (membership.email_known && caller.can(Action::SeeAddresses, Target::Organization)) {
        resource.attribute("email", &membership.email)
    } else {
        resource
    }
}

/// The same with the teams that the user is in, as far as the caller sees them.
pub(super) fn with_teams(membership: &Membership, caller: &Caller, teams: &[TeamId]) -> Resource {
    let teams = teams.iter().map(|team| teams::identifier(*team)).collect();
    self::membership(membership, caller).to_many("teams", teams)
}
