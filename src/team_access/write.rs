//! Giving, changing and taking away access. One that is there must be locked.

use diesel::PgConnection;
use serde_json::json;

use super::{TeamAccess, TeamAccessAttributes, store};
use crate::access::{Caller, Grant, Level};
use crate::audit::{self, Event};
use crate::ids::WorkspaceId;
use crate::jsonapi::Result;
use crate::teams::Team;

/// Gives a team access to a workspace.
///
/// # Errors
/// 422 for permissions that do not fit the level, and for a team that has access already.
pub(super) fn create(
    connection: &mut PgConnection,
    caller: &Caller,
    team: &Team,
    workspace: WorkspaceId,
    attributes: &TeamAccessAttributes,
) -> Result<TeamAccess> {
    let level = attributes.access.unwrap_or(Level::Custom);
    let before = Grant { level, permissions: level.permissions() };
    let access = store::create(connection, team, workspace, &attributes.applied_to(before)?)?;
    record(connection, caller, &access, "create")?;
    Ok(access)
}

/// Changes a team's access.
///
/// # Errors
/// 422 for permissions that do not fit the level.
pub(super) fn update(
    connection: &mut PgConnection,
    caller: &Caller,
    access: &TeamAccess,
    changes: &TeamAccessAttributes,
) -> Result<TeamAccess> {
    let access = store::update(connection, access.id, &changes.applied_to(access.grant)?)?;
    record(connection, caller, &access, "update")?;
    Ok(access)
}

/// Takes a team's access away.
///
/// # Errors
/// The database's own.
pub(super) fn delete(connection: &mut PgConnection, caller: &Caller, access: &TeamAccess) -> Result<()> {
    store::delete(connection, access.id)?;
    record(connection, caller, access, "destroy")
}

fn record(connection: &mut PgConnection, caller: &Caller, access: &TeamAccess, action: &'static str) -> Result<()> {
    let about = json!({
        "team": access.team_id,
        "workspace": access.workspace_id,
        "access": access.grant.level,
        "permissions": access.grant.permissions,
    });
    let event = Event::new(Some(access.organization_id), "team_workspace", access.id, action).meta(about);
    Ok(audit::record(connection, &caller.actor(), &[event])?)
}
