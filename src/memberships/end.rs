//! Ending memberships.

use diesel::{PgConnection, QueryResult};
use serde_json::json;

use super::{event, store};
use crate::access::{Action, Caller, Permit, Target};
use crate::audit::{self, Actor, Event};
use crate::ids::UserId;
use crate::jsonapi::{Error, Result};
use crate::organizations;
use crate::teams::{self, Team};
use crate::users::{self, Membership, MembershipStatus};

/// Asks the access table whether the caller may end a membership: users decline their own invitations, others remove. The
/// end of a service account's is that of the account.
///
/// # Errors
/// 404 or 403, as the table says.
pub(super) fn may(caller: &Caller, membership: &Membership) -> Result<Permit> {
    if declines(caller, membership) {
        caller.may(Action::AnswerInvitation, Target::User(membership.user_id))
    } else if membership.service_account {
        caller.may(Action::HandleServiceAccounts, Target::Organization)
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

/// Ends a membership, which is locked with the team `owners`; a service account with it.
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
    if teams::holds_user(connection, owners, user)? {
        if !declines(caller, membership) {
            caller.may(Action::ChangeTeamMembers, Target::Team(owners.facts()))?;
        }
        if !teams::keeps_active_member(connection, owners.id, &[user])? {
            return Err(Error::forbidden("The last owner of an organization cannot be removed from it"));
        }
        // It may have waited for somebody's suspension: the caller's.
        caller.reauthenticated(connection)?;
    }
    if membership.service_account {
        let (account, _) = users::lock(connection, user)?;
        users::end(connection, &caller.actor(), &account)?;
    }
    let left = store::leave_teams(connection, organization, user)?;
    store::delete(connection, membership.id)?;
    let event = |resource, about| event(organization, resource, user, "destroy", about);
    let mut events: Vec<Event> = left.iter().map(|team| event("team_member", json!({ "team": team }))).collect();
    events.push(event("organization_user", json!({})));
    Ok(audit::record(connection, &caller.actor(), &events)?)
}

/// Locks all memberships of a user, so that nobody puts the user into a team: before the user's row is locked.
pub(crate) fn lock_of_user(connection: &mut PgConnection, user: UserId) -> QueryResult<()> {
    store::lock_of_user(connection, user)
}

/// Ends all memberships of a user, who is no organization's last owner; they must be locked.
pub(crate) fn end_of_user(connection: &mut PgConnection, actor: &Actor, user: UserId) -> QueryResult<()> {
    let left = store::leave_all_teams(connection, user)?;
    let ended = store::delete_of_user(connection, user)?;
    let of_teams = left
        .into_iter()
        .map(|(organization, team)| event(organization, "team_member", user, "destroy", json!({ "team": team })));
    let whole =
        ended.into_iter().map(|organization| event(organization, "organization_user", user, "destroy", json!({})));
    audit::record(connection, actor, &of_teams.chain(whole).collect::<Vec<_>>())
}

/// Passes invitations of a user, whose memberships are locked, on to another one, but for organizations of which that one is
/// a member or invited already: there the invitation stays as it is.
pub(crate) fn pass_on(connection: &mut PgConnection, actor: &Actor, from: UserId, to: UserId) -> QueryResult<()> {
    let mut events = vec![];
    for (organization, teams) in store::pass_on(connection, from, to)? {
        for (user, action) in [(from, "destroy"), (to, "create")] {
            events.push(event(organization, "organization_user", user, action, json!({"from": from, "to": to})));
            let of_team = |team| event(organization, "team_member", user, action, json!({"team": team}));
            events.extend(teams.iter().map(of_team));
        }
    }
    audit::record(connection, actor, &events)
}
