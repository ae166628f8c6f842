//! Who is in a team: putting users in and taking them out, whichever route asks for it.

use diesel::PgConnection;
use serde_json::json;

use super::{Team, store};
use crate::access::{Caller, Principal};
use crate::audit::{self, Actor, Event};
use crate::ids::UserId;
use crate::jsonapi::{Error, Result};
use crate::users::{self, MembershipStatus};

/// Puts users into a team whose row is locked. Who is not in the organization yet is invited: nobody becomes a member
/// unasked.
///
/// # Errors
/// 403 for who would get permissions or abilities by it that they lack; 404 if the caller is removed from the organization at this
/// moment.
pub(crate) fn put_in(connection: &mut PgConnection, caller: &Caller, team: &Team, users: &[UserId]) -> Result<()> {
    // A team's token acts for those who are in the team.
    let joins = match caller.principal {
        Principal::User { id, .. } => users.contains(&id) && !caller.rights.teams.contains(&team.id),
        Principal::Team { id, .. } => store::any_in(connection, id, users)?,
        _ => false,
    };
    if joins && !caller.has_all(&team.organization_access.0, &team.abilities) {
        return Err(Error::forbidden(
            "Nobody puts themselves into a team that has permissions or abilities which they lack",
        ));
    }
    let joined = add(connection, &caller.actor(), team, users, MembershipStatus::Invited)?;
    // Who is being removed, which takes no lock on the team, does not let themselves in again.
    if caller.user().is_some_and(|own| joined.contains(&own)) { Err(Error::not_found()) } else { Ok(()) }
}

/// Puts users into a team, and makes those who are not in the organization yet members of this status; answers who
/// these were.
///
/// # Errors
/// The database's own.
pub(crate) fn add(
    connection: &mut PgConnection,
    actor: &Actor,
    team: &Team,
    users: &[UserId],
    status: MembershipStatus,
) -> Result<Vec<UserId>> {
    if users.is_empty() {
        return Ok(vec![]);
    }
    let joined = users::add_members(connection, team.organization_id, users, status)?;
    let added = store::add_users(connection, team, users)?;
    let about = json!({"team": team.id, "status": status});
    let mut events = events(team, "organization_user", &joined, "create");
    events = events.into_iter().map(|event| event.meta(about.clone())).collect();
    events.extend(self::events(team, "team_member", &added, "create"));
    audit::record(connection, actor, &events)?;
    Ok(joined)
}

/// Takes users out of a team whose row is locked; who is not in it stays out of it.
///
/// # Errors
/// 403 if the team `owners` would be left without an active member (docs/design.md §1).
pub(crate) fn take_out(connection: &mut PgConnection, caller: &Caller, team: &Team, users: &[UserId]) -> Result<()> {
    if team.owners {
        if !store::keeps_active_member(connection, team.id, users)? {
            return Err(Error::forbidden("The team owners always keeps at least one active member"));
        }
        // It may have waited for somebody's suspension: the caller's.
        caller.reauthenticated(connection)?;
    }
    let removed = store::remove_users(connection, team.id, users)?;
    Ok(audit::record(connection, &caller.actor(), &events(team, "team_member", &removed, "destroy"))?)
}

fn events(team: &Team, resource: &'static str, users: &[UserId], action: &'static str) -> Vec<Event> {
    let about = json!({"team": team.id});
    users
        .iter()
        .map(|user| Event::new(Some(team.organization_id), resource, user, action).meta(about.clone()))
        .collect()
}
