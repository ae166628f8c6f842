//! Ending memberships.

use diesel::PgConnection;
use serde_json::json;

use super::{event, store};
use crate::access::{Action, Caller, Permit, Target};
use crate::audit::{self, Event};
use crate::jsonapi::{Error, Result};
use crate::organizations;
use crate::teams::{self, Team};
use crate::users::{Membership, MembershipStatus};

/// Asks the access table whether the caller may end a membership: users decline their own invitations, others remove.
///
/// # Errors
/// 404 or 403, as the table says.
pub(super) fn may(caller: &Caller, membership: &Membership) -> Result<Permit> {
    if declines(caller, membership) {
        caller.may(Action::AnswerInvitation, Target::User(membership.user_id))
    } else {
        caller.may(Action::RemoveMembers, Target::Organization)
    }
}

/// Whether it is an invitation of the caller's own.
fn declines(caller: &Caller, membership: &Membership) -> bool {
    let own = Target::User(membership.user_id);
    membership.status == MembershipStatus::Invited && caller.can(Action::SeeOwnMembership, own)
}

/// Locks a membership, with the organization's team `owners`. Whoever changes who the owners are takes turns here, so
/// that two removals cannot leave none.
///
/// # Errors
/// 404 if it has ended.
pub(super) fn lock(connection: &mut PgConnection, membership: Membership) -> Result<(Membership, Team)> {
    // The organization first, as its deletion does.
    organizations::hold(connection, membership.organization_id)?;
    let owners = teams::lock_owners(connection, membership.organization_id)?;
    let status = store::lock(connection, membership.id)?;
    Ok((Membership { status, ..membership }, owners))
}

/// Ends a membership, which is locked with the team `owners`.
///
/// # Errors
/// 403 for the last owner, and for an owner unless an owner asks.
pub(super) fn end(
    connection: &mut PgConnection,
    caller: &Caller,
    membership: &Membership,
    owners: &Team,
) -> Result<()> {
    let (organization, user) = (membership.organization_id, membership.user_id);
    if !declines(caller, membership) && teams::holds_user(connection, owners, user)? {
        caller.may(Action::ChangeTeamMembers, Target::Team(owners.facts()))?;
    }
    let left = store::leave_teams(connection, organization, user)?;
    store::delete(connection, membership.id)?;
    if teams::active_members(connection, owners)? == 0 {
        return Err(Error::forbidden("The last owner of an organization cannot be removed from it"));
    }
    let event = |resource, about| event(organization, resource, user, "destroy", about);
    let mut events: Vec<Event> = left.iter().map(|team| event("team_member", json!({ "team": team }))).collect();
    events.push(event("organization_user", json!({})));
    Ok(audit::record(connection, &caller.actor(), &events)?)
}
