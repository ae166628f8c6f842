//! Inviting users into an organization, and what they answer.

use diesel::PgConnection;
use serde_json::json;

use super::{InvitationAttributes, event, store};
use crate::access::{Action, Caller, Permit, Target};
use crate::audit;
use crate::ids::{MembershipId, TeamId};
use crate::jsonapi::{Error, ResourceBody, Result};
use crate::teams::{self, TEAMS, Team};
use crate::users::{self, Membership, MembershipStatus};

const POINTER: &str = "/data/relationships/teams";

/// An address, and the teams that its user is invited into.
pub(super) struct Invitation {
    email: String,
    /// By id, each once, with its position and its text in the body.
    teams: Vec<(usize, String, Option<TeamId>)>,
}

/// A team that an invitation names, locked; none if there is none.
pub(super) struct NamedTeam {
    position: usize,
    text: String,
    team: Option<Team>,
}

impl Invitation {
    /// Reads what a body asks for.
    ///
    /// # Errors
    /// 422 for what does not name teams.
    pub(super) fn of(body: ResourceBody<InvitationAttributes>) -> Result<Self> {
        let named = body.relationships.to_many("teams", TEAMS.name)?.unwrap_or_default();
        let mut teams: Vec<(usize, String, Option<TeamId>)> =
            named.iter().enumerate().map(|(nth, id)| (nth, (*id).to_owned(), id.parse().ok())).collect();
        teams.sort_by_key(|(_, _, id)| *id);
        teams.dedup_by(|(_, one, _), (_, other, _)| one == other);
        Ok(Self { email: body.attributes.email.unwrap_or_default(), teams })
    }

    /// Asks the access table whether the caller may send it; each team is asked for on its own.
    ///
    /// # Errors
    /// 404 or 403, as the table says.
    pub(super) fn may(&self, caller: &Caller) -> Result<Permit> {
        let action = if self.teams.is_empty() { Action::InviteWithoutTeam } else { Action::InviteMembers };
        caller.may(action, Target::Organization)
    }

    /// Locks the teams in one order, so that two invitations do not wait for each other.
    ///
    /// # Errors
    /// The database's own.
    pub(super) fn lock_teams(&self, connection: &mut PgConnection) -> Result<Vec<NamedTeam>> {
        let mut locked = vec![];
        for (position, text, id) in &self.teams {
            let team = id.map(|id| teams::lock(connection, id)).transpose().or_else(absent)?.map(|(team, _)| team);
            locked.push(NamedTeam { position: *position, text: text.clone(), team });
        }
        Ok(locked)
    }
}

fn absent<T>(fault: diesel::result::Error) -> Result<Option<T>> {
    if fault == diesel::result::Error::NotFound { Ok(None) } else { Err(fault.into()) }
}

/// Invites an address, and into teams of the caller's organization, which are locked.
///
/// # Errors
/// 403 or 404 for each team that the caller may not put users into, 422 for who is a member already.
pub(super) fn invite(
    connection: &mut PgConnection,
    caller: &Caller,
    invitation: &Invitation,
    named: Vec<NamedTeam>,
) -> Result<Membership> {
    let organization = caller.organization()?;
    let (mut into, mut faults) = (vec![], vec![]);
    for NamedTeam { position, text, team } in named {
        let pointer = format!("{POINTER}/data/{position}/id");
        // What one may not see is answered like what is not there.
        let seen = |team: &Team| caller.can(Action::SeeTeam, Target::Team(team.facts()));
        match team.filter(|team| team.organization_id == organization && seen(team)) {
            Some(team) => match caller.may(Action::ChangeTeamMembers, Target::Team(team.facts())) {
                Ok(_) => into.push(team),
                Err(refusal) => faults.push(refusal.with_pointer(pointer)),
            },
            None => faults.push(Error::not_found_at(pointer, format!("There is no team {text:?}"))),
        }
    }
    Error::check(faults)?;
    let user = match users::by_email(connection, &invitation.email)? {
        Some(user) => user,
        None => users::create_invited(connection, &invitation.email)?,
    };
    // Also not while somebody else removes the caller, which takes no lock on the teams.
    if caller.user() == Some(user.id) {
        return Err(store::taken());
    }
    let id = store::invite(connection, organization, user.id)?;
    let mut events = vec![event(organization, "organization_user", user.id, "create", json!({"status": "invited"}))];
    for team in &into {
        teams::add_users(connection, team, &[user.id])?;
        events.push(event(organization, "team_member", user.id, "create", json!({"team": team.id})));
    }
    audit::record(connection, &caller.actor(), &events)?;
    Ok(store::find(connection, id)?)
}

/// Makes the invited user a member; one who is a member already stays one. The membership must be locked.
///
/// # Errors
/// 404 if the invitation has been withdrawn.
pub(super) fn accept(connection: &mut PgConnection, caller: &Caller, id: MembershipId) -> Result<Membership> {
    let membership = store::find(connection, id)?;
    if membership.status == MembershipStatus::Invited && store::accept(connection, id)? == 1 {
        let about = json!({"status": "active"});
        let event = event(membership.organization_id, "organization_user", membership.user_id, "update", about);
        audit::record(connection, &caller.actor(), &[event])?;
    }
    Ok(store::find(connection, id)?)
}
