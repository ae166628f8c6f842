//! The queries of project access.

use diesel::prelude::*;

use super::ProjectAccess;
use crate::access::{ProjectGrant, VisibleProjects};
use crate::database::page::{Listed, SortColumn, page};
use crate::database::schema::{projects, team_projects, teams as team_rows};
use crate::database::violated_key;
use crate::ids::{OrganizationId, ProjectAccessId, ProjectId, TeamId};
use crate::jsonapi::{Error, Page, Query, Result};
use crate::teams::{self, ShownTeams, Team};

impl Listed for ProjectAccess {
    const COLUMNS: &'static [SortColumn<Self>] = &[SortColumn::time("created-at", "created_at", |row| row.created_at)];

    fn id(&self) -> uuid::Uuid {
        self.id.uuid()
    }
}

#[derive(Debug, Clone)]
pub(super) enum ProjectAccessList {
    /// The access to one project; also just one team's.
    Project(ProjectId, ShownTeams, Option<TeamId>),
    /// One team's access to those projects that the caller sees.
    Team(TeamId, VisibleProjects),
}

/// A page of an organization's project access.
pub(super) fn list(
    connection: &mut PgConnection,
    organization: OrganizationId,
    of: ProjectAccessList,
    query: &Query,
) -> Result<Page<ProjectAccess>> {
    let projects_there = projects::table.filter(projects::organization_id.eq(organization)).select(projects::id);
    let mut found = team_projects::table
        .filter(team_projects::organization_id.eq(organization))
        // Rows of what was deleted are removed a little later.
        .filter(team_projects::project_id.eq_any(projects_there))
        .select(ProjectAccess::as_select())
        .into_boxed();
    match of {
        ProjectAccessList::Project(project, whose, team) => {
            found = found.filter(team_projects::project_id.eq(project));
            if let Some(team) = team {
                found = found.filter(team_projects::team_id.eq(team));
            }
            found = found.filter(team_projects::team_id.eq_any(teams::shown(organization, whose)));
        }
        ProjectAccessList::Team(team, visible) => {
            let there = teams::shown(organization, ShownTeams::All);
            found = found.filter(team_projects::team_id.eq(team)).filter(team_projects::team_id.eq_any(there));
            if let VisibleProjects::OfTeams(own) = visible {
                let theirs = diesel::alias!(team_projects as theirs);
                let seen = theirs
                    .filter(theirs.field(team_projects::team_id).eq_any(own))
                    .select(theirs.field(team_projects::project_id));
                found = found.filter(team_projects::project_id.eq_any(seen));
            }
        }
    }
    page(connection, found, query)
}

/// A team's access beside the team.
pub(super) fn find(connection: &mut PgConnection, id: ProjectAccessId) -> QueryResult<(ProjectAccess, Team)> {
    team_projects::table
        .inner_join(team_rows::table.on(team_rows::id.eq(team_projects::team_id)))
        .inner_join(projects::table.on(projects::id.eq(team_projects::project_id)))
        .filter(team_projects::id.eq(id))
        .select((ProjectAccess::as_select(), Team::as_select()))
        .first(connection)
}

/// The project that an access is about.
pub(super) fn project_of(connection: &mut PgConnection, id: ProjectAccessId) -> QueryResult<ProjectId> {
    team_projects::table.find(id).select(team_projects::project_id).first(connection)
}

/// Locks a team's access until the transaction's end.
pub(super) fn lock(connection: &mut PgConnection, id: ProjectAccessId) -> QueryResult<()> {
    let found = team_projects::table.find(id).select(team_projects::id);
    found.for_no_key_update().first::<ProjectAccessId>(connection)?;
    Ok(())
}

/// Gives a team access to a project of the same organization.
pub(super) fn create(
    connection: &mut PgConnection,
    team: &Team,
    project: ProjectId,
    grant: &ProjectGrant,
) -> Result<ProjectAccess> {
    diesel::insert_into(team_projects::table)
        .values((
            team_projects::id.eq(ProjectAccessId::generate()),
            team_projects::organization_id.eq(team.organization_id),
            team_projects::team_id.eq(team.id),
            team_projects::project_id.eq(project),
            team_projects::access.eq(grant.level),
            grant.permissions,
        ))
        .returning(ProjectAccess::as_returning())
        .get_result(connection)
        .map_err(|fault| match violated_key(&fault) {
            Some("team_projects_key") => {
                let detail = "Team has already been given access to this project";
                Error::attribute("/data/relationships/team/data", detail)
            }
            _ => fault.into(),
        })
}

/// Changes what an access holds.
pub(super) fn update(
    connection: &mut PgConnection,
    id: ProjectAccessId,
    grant: &ProjectGrant,
) -> QueryResult<ProjectAccess> {
    diesel::update(team_projects::table.find(id))
        .set((team_projects::access.eq(grant.level), grant.permissions))
        .returning(ProjectAccess::as_returning())
        .get_result(connection)
}

pub(super) fn delete(connection: &mut PgConnection, id: ProjectAccessId) -> QueryResult<usize> {
    diesel::delete(team_projects::table.find(id)).execute(connection)
}
