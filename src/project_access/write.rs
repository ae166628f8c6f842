//! Giving, changing and taking away access to projects. The project must be locked.

use diesel::PgConnection;
use serde_json::{Map, Value, json};

use super::model::members;
use super::{ProjectAccess, ProjectAccessAttributes, store};
use crate::access::{Caller, ProjectGrant, ProjectLevel};
use crate::audit::{self, Event};
use crate::ids::ProjectId;
use crate::jsonapi::{Error, Result};
use crate::projects;
use crate::teams::Team;

/// Gives a team access to a project.
///
/// # Errors
/// 422 for permissions that do not fit the level, and for a team that has access already; 403 for more than the caller has.
pub(super) fn create(
    connection: &mut PgConnection,
    caller: &Caller,
    team: &Team,
    project: ProjectId,
    attributes: &ProjectAccessAttributes,
) -> Result<ProjectAccess> {
    let level = attributes.access.unwrap_or(ProjectLevel::Custom);
    let grant = attributes.applied_to(ProjectGrant { level, permissions: level.permissions() })?;
    check_gives(connection, caller, project, &grant)?;
    let access = store::create(connection, team, project, &grant)?;
    record(connection, caller, &access, "create")?;
    Ok(access)
}

/// Changes a team's access.
///
/// # Errors
/// 422 for permissions that do not fit the level, 403 for more than the caller has.
pub(super) fn update(
    connection: &mut PgConnection,
    caller: &Caller,
    access: &ProjectAccess,
    changes: &ProjectAccessAttributes,
) -> Result<ProjectAccess> {
    let grant = changes.applied_to(access.grant)?;
    check_takes(connection, caller, access)?;
    check_gives(connection, caller, access.project_id, &grant)?;
    let access = store::update(connection, access.id, &grant)?;
    record(connection, caller, &access, "update")?;
    Ok(access)
}

/// Takes a team's access away.
///
/// # Errors
/// 403 for more than the caller has.
pub(super) fn delete(connection: &mut PgConnection, caller: &Caller, access: &ProjectAccess) -> Result<()> {
    check_takes(connection, caller, access)?;
    store::delete(connection, access.id)?;
    record(connection, caller, access, "destroy")
}

/// Nobody gives more than they have: who manages the teams of a project by custom access would make admins of them, and of
/// themselves.
fn check_gives(connection: &mut PgConnection, caller: &Caller, project: ProjectId, grant: &ProjectGrant) -> Result<()> {
    if covers(connection, caller, project, grant)? {
        return Ok(());
    }
    let detail = "Nobody may give a team more than they may do in the project themselves";
    Err(Error::forbidden(detail).with_pointer("/data/attributes/access"))
}

/// Nor does anybody take away more than they have: a reader who manages the teams would shut the admins out.
fn check_takes(connection: &mut PgConnection, caller: &Caller, access: &ProjectAccess) -> Result<()> {
    if covers(connection, caller, access.project_id, &access.grant)? {
        return Ok(());
    }
    Err(Error::forbidden("Nobody may change the access of a team that may do more in the project than they themselves"))
}

fn covers(connection: &mut PgConnection, caller: &Caller, project: ProjectId, grant: &ProjectGrant) -> Result<bool> {
    Ok(projects::rights(connection, caller, project)?.is_some_and(|rights| rights.cover(grant)))
}

fn record(connection: &mut PgConnection, caller: &Caller, access: &ProjectAccess, action: &'static str) -> Result<()> {
    let mut permissions: Map<String, Value> = Map::new();
    for (object, name, value) in members(&access.grant.permissions) {
        permissions.entry(object).or_insert_with(|| json!({}))[name] = value;
    }
    let about = json!({
        "team": access.team_id,
        "project": access.project_id,
        "access": access.grant.level,
        "permissions": permissions,
    });
    let event = Event::new(Some(access.organization_id), "team_project", access.id, action).meta(about);
    Ok(audit::record(connection, &caller.actor(), &[event])?)
}
