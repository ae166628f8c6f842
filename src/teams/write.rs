//! Making, changing and deleting teams. The team, or its organization, must be locked.

use diesel::PgConnection;

use super::{AccessChanges, OWNERS, Permissions, Team, TeamAttributes, store};
use crate::abilities;
use crate::access::{Action, Caller, Permit, Target};
use crate::audit::{self, Actor, Event};
use crate::deletions::{self, Deleted};
use crate::ids::OrganizationId;
use crate::jsonapi::{Error, Result};

/// Makes a team.
///
/// # Errors
/// 403 for permissions that the caller may not give, 422 for a name that is taken.
pub(crate) fn create(
    connection: &mut PgConnection,
    caller: &Caller,
    organization: OrganizationId,
    attributes: TeamAttributes,
) -> Result<Team> {
    let new = changed(connection, caller, Team::new(organization), attributes)?;
    make(connection, &caller.actor(), &new)
}

/// Makes a team as `new` describes it.
///
/// # Errors
/// 422 for a name that is taken.
pub(crate) fn make(connection: &mut PgConnection, actor: &Actor, new: &Team) -> Result<Team> {
    let team = store::create(connection, new)?;
    record(connection, actor, &team, "create")?;
    Ok(team)
}

/// Changes a team. A new name comes first, for which it may have to wait, and then the caller is asked about `again`: what
/// else changes may take the caller's own right away.
///
/// # Errors
/// As for [`create`], and 422 for a change that the team `owners` does not take.
pub(crate) fn update(
    connection: &mut PgConnection,
    caller: &Caller,
    team: Team,
    changes: TeamAttributes,
    again: impl FnOnce(&mut PgConnection) -> Result<Permit>,
) -> Result<Team> {
    let changed = changed(connection, caller, team.clone(), changes)?;
    if changed.name != team.name {
        store::update(connection, &Team { name: changed.name.clone(), ..team })?;
        again(connection)?;
    }
    let team = store::update(connection, &changed)?;
    record(connection, &caller.actor(), &team, "update")?;
    Ok(team)
}

/// Deletes a team with its tokens.
///
/// # Errors
/// 403 for the team `owners`.
pub(crate) fn delete(connection: &mut PgConnection, caller: &Caller, team: &Team) -> Result<()> {
    if team.owners {
        return Err(Error::forbidden("The team owners cannot be deleted"));
    }
    let event = event(team, "destroy");
    deletions::mark(connection, Deleted::Team(team.id), &event)?;
    Ok(audit::record(connection, &caller.actor(), &[event])?)
}

/// Where a request has a team's abilities.
const ABILITIES: &str = "/data/attributes/abilities";

/// The team after a change, if the caller may change all of that.
fn changed(connection: &mut PgConnection, caller: &Caller, team: Team, changes: TeamAttributes) -> Result<Team> {
    let organization_access = match &changes.organization_access {
        Some(access) => access.applied_to(&team.organization_access),
        None => team.organization_access.clone(),
    };
    if team.owners {
        owners_stay_owners(&changes)?;
    } else if organization_access != team.organization_access {
        caller.may(Action::SetOrganizationAccess, Target::Team(team.facts()))?;
    }
    let abilities = match (changes.abilities, team.owners) {
        (None, _) | (Some(None), true) => team.abilities.clone(),
        (Some(_), true) => return Err(Error::attribute(ABILITIES, "The team owners has every ability: null")),
        (Some(None), false) => return Err(Error::attribute(ABILITIES, "Abilities must be a list")),
        (Some(Some(asked)), false) => {
            abilities::check_reach(connection, caller, team.organization_id, &team.abilities, &asked)?;
            asked
        }
    };
    Ok(Team {
        name: changes.name.unwrap_or(team.name),
        description: changes.description.unwrap_or(team.description),
        visibility: changes.visibility.unwrap_or(team.visibility),
        sso_team_id: changes.sso_team_id.unwrap_or(team.sso_team_id),
        allow_member_token_management: changes
            .allow_member_token_management
            .unwrap_or(team.allow_member_token_management),
        organization_access: if team.owners { Permissions::default() } else { organization_access },
        abilities,
        ..team
    })
}

/// The team `owners` keeps its name and every permission (docs/design.md §1).
fn owners_stay_owners(changes: &TeamAttributes) -> Result<()> {
    if changes.name.as_ref().is_some_and(|name| name != OWNERS) {
        return Err(Error::attribute("/data/attributes/name", "The team owners cannot be renamed"));
    }
    if changes.organization_access.as_ref().is_some_and(AccessChanges::take_any) {
        return Err(Error::attribute(
            "/data/attributes/organization-access",
            "The team owners has every permission, and none can be taken from it",
        ));
    }
    Ok(())
}

fn record(connection: &mut PgConnection, actor: &Actor, team: &Team, action: &'static str) -> Result<()> {
    Ok(audit::record(connection, actor, &[event(team, action)])?)
}

fn event(team: &Team, action: &'static str) -> Event {
    let about = serde_json::json!({"name": team.name, "abilities": team.abilities});
    Event::new(Some(team.organization_id), "team", team.id, action).meta(about)
}
