//! The queries of team access.

use diesel::prelude::*;

use super::TeamAccess;
use crate::access::{Grant, VisibleWorkspaces};
use crate::database::page::{Listed, SortColumn, page};
use crate::database::schema::{team_projects, team_workspaces, teams as team_rows, workspaces};
use crate::database::violated_key;
use crate::ids::{OrganizationId, TeamAccessId, TeamId, WorkspaceId};
use crate::jsonapi::{Error, Page, Query, Result};
use crate::teams::{self, ShownTeams, Team};

impl Listed for TeamAccess {
    const COLUMNS: &'static [SortColumn<Self>] = &[SortColumn::time("created-at", "created_at", |row| row.created_at)];

    fn id(&self) -> uuid::Uuid {
        self.id.uuid()
    }
}

#[derive(Debug, Clone)]
pub(super) enum TeamAccessList {
    /// The access to one workspace; also just one team's.
    Workspace(WorkspaceId, ShownTeams, Option<TeamId>),
    /// One team's access to those workspaces that the caller sees.
    Team(TeamId, VisibleWorkspaces),
}

/// A page of an organization's team access.
pub(super) fn list(
    connection: &mut PgConnection,
    organization: OrganizationId,
    of: TeamAccessList,
    query: &Query,
) -> Result<Page<TeamAccess>> {
    let workspaces_there =
        workspaces::table.filter(workspaces::organization_id.eq(organization)).select(workspaces::id);
    let mut found = team_workspaces::table
        .filter(team_workspaces::organization_id.eq(organization))
        // Rows of what was deleted are removed a little later.
        .filter(team_workspaces::workspace_id.eq_any(workspaces_there))
        .select(TeamAccess::as_select())
        .into_boxed();
    match of {
        TeamAccessList::Workspace(workspace, whose, team) => {
            found = found.filter(team_workspaces::workspace_id.eq(workspace));
            if let Some(team) = team {
                found = found.filter(team_workspaces::team_id.eq(team));
            }
            found = found.filter(team_workspaces::team_id.eq_any(teams::shown(organization, whose)));
        }
        TeamAccessList::Team(team, visible) => {
            let there = teams::shown(organization, ShownTeams::All);
            found = found.filter(team_workspaces::team_id.eq(team)).filter(team_workspaces::team_id.eq_any(there));
            found = match visible {
                VisibleWorkspaces::All => found,
                VisibleWorkspaces::Own(id) => found.filter(team_workspaces::workspace_id.eq(id)),
                VisibleWorkspaces::OfTeams(own) => {
                    let theirs = diesel::alias!(team_workspaces as theirs);
                    let seen = theirs
                        .filter(theirs.field(team_workspaces::team_id).eq_any(own.clone()))
                        .select(theirs.field(team_workspaces::workspace_id));
                    let projects = team_projects::table.filter(team_projects::team_id.eq_any(own));
                    let by_projects = workspaces::table
                        .filter(workspaces::project_id.eq_any(projects.select(team_projects::project_id)))
                        .select(workspaces::id);
                    let within = team_workspaces::workspace_id.eq_any(seen);
                    found.filter(within.or(team_workspaces::workspace_id.eq_any(by_projects)))
                }
            };
        }
    }
    page(connection, found, query)
}

/// A team's access beside the team.
pub(super) fn find(connection: &mut PgConnection, id: TeamAccessId) -> QueryResult<(TeamAccess, Team)> {
    team_workspaces::table
        .inner_join(team_rows::table.on(team_rows::id.eq(team_workspaces::team_id)))
        .inner_join(workspaces::table.on(workspaces::id.eq(team_workspaces::workspace_id)))
        .filter(team_workspaces::id.eq(id))
        .select((TeamAccess::as_select(), Team::as_select()))
        .first(connection)
}

/// The workspace that an access is about.
pub(super) fn workspace_of(connection: &mut PgConnection, id: TeamAccessId) -> QueryResult<WorkspaceId> {
    team_workspaces::table.find(id).select(team_workspaces::workspace_id).first(connection)
}

/// Locks a team's access until the transaction's end.
pub(super) fn lock(connection: &mut PgConnection, id: TeamAccessId) -> QueryResult<()> {
    team_workspaces::table
        .find(id)
        .select(team_workspaces::id)
        .for_no_key_update()
        .first::<TeamAccessId>(connection)?;
    Ok(())
}

/// Gives a team access to a workspace of the same organization.
pub(super) fn create(
    connection: &mut PgConnection,
    team: &Team,
    workspace: WorkspaceId,
    grant: &Grant,
) -> Result<TeamAccess> {
    diesel::insert_into(team_workspaces::table)
        .values((
            team_workspaces::id.eq(TeamAccessId::generate()),
            team_workspaces::organization_id.eq(team.organization_id),
            team_workspaces::team_id.eq(team.id),
            team_workspaces::workspace_id.eq(workspace),
            team_workspaces::access.eq(grant.level),
            grant.permissions,
        ))
        .returning(TeamAccess::as_returning())
        .get_result(connection)
        .map_err(|fault| match violated_key(&fault) {
            Some("team_workspaces_key") => Error::attribute(
                "/data/relationships/team/data",
                "Team has already been given access to this workspace",
            ),
            _ => fault.into(),
        })
}

/// Changes what an access holds.
pub(super) fn update(connection: &mut PgConnection, id: TeamAccessId, grant: &Grant) -> QueryResult<TeamAccess> {
    diesel::update(team_workspaces::table.find(id))
        .set((team_workspaces::access.eq(grant.level), grant.permissions))
        .returning(TeamAccess::as_returning())
        .get_result(connection)
}

pub(super) fn delete(connection: &mut PgConnection, id: TeamAccessId) -> QueryResult<usize> {
    diesel::delete(team_workspaces::table.find(id)).execute(connection)
}
