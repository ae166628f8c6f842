//! The queries of projects.

use std::collections::{BTreeSet, HashMap};

use diesel::dsl::exists;
use diesel::prelude::*;
use diesel::result::Error as DieselError;
use serde::Serialize;
use serde_json::Value;

use super::Project;
use crate::access::{ProjectGrant, VisibleProjects};
use crate::database::page::{Listed, SortColumn, page};
use crate::database::schema::{lower, projects, team_projects, workspaces};
use crate::database::{containing, violated_key};
use crate::ids::{OrganizationId, ProjectId, TeamId};
use crate::jsonapi::{Error, Page, Query, Result};
use crate::tag_bindings;

impl Listed for Project {
    const COLUMNS: &'static [SortColumn<Self>] = &[
        SortColumn::name("name", "name", |row| row.name.clone()),
        SortColumn::time("created-at", "created_at", |row| row.created_at),
    ];

    fn id(&self) -> uuid::Uuid {
        self.id.uuid()
    }
}

/// A page of those of an organization's projects that are within reach.
pub(super) fn list(
    connection: &mut PgConnection,
    organization: OrganizationId,
    visible: VisibleProjects,
    query: &Query,
) -> Result<Page<Project>> {
    let mut found =
        projects::table.filter(projects::organization_id.eq(organization)).select(Project::as_select()).into_boxed();
    if let VisibleProjects::OfTeams(teams) = visible {
        let theirs = team_projects::table.filter(team_projects::team_id.eq_any(teams));
        found = found.filter(projects::id.eq_any(theirs.select(team_projects::project_id)));
    }
    if let Some(q) = query.q() {
        found = found.filter(projects::name.ilike(containing(q)));
    }
    if let Some(names) = query.filter_list("names") {
        let names: Vec<String> = names.iter().map(|name| name.to_lowercase()).collect();
        found = found.filter(lower(projects::name).eq_any(names));
    }
    for asked in tag_bindings::asked(query)? {
        found = found.filter(projects::tag_bindings.contains(asked.contained()));
    }
    page(connection, found, query)
}

/// An organization's project by id.
pub(super) fn find(connection: &mut PgConnection, organization: OrganizationId, id: ProjectId) -> QueryResult<Project> {
    let found = projects::table.find(id).filter(projects::organization_id.eq(organization));
    found.select(Project::as_select()).first(connection)
}

/// Projects by id, as far as there are such.
pub(crate) fn find_all(connection: &mut PgConnection, ids: &[ProjectId]) -> QueryResult<Vec<Project>> {
    if ids.is_empty() {
        return Ok(vec![]);
    }
    projects::table.filter(projects::id.eq_any(ids)).select(Project::as_select()).load(connection)
}

/// An organization's project by id, kept as it is until the transaction's end, with the access to it: whoever changes that
/// locks it.
pub(crate) fn hold(connection: &mut PgConnection, organization: OrganizationId, id: ProjectId) -> QueryResult<Project> {
    let found = projects::table.find(id).filter(projects::organization_id.eq(organization));
    found.select(Project::as_select()).for_share().first(connection)
}

/// The same of several, in one order, so that two requests never wait for each other.
pub(crate) fn hold_all(
    connection: &mut PgConnection,
    organization: OrganizationId,
    ids: &BTreeSet<ProjectId>,
) -> QueryResult<()> {
    let found = projects::table.filter(projects::organization_id.eq(organization)).filter(projects::id.eq_any(ids));
    found.order(projects::id).select(projects::id).for_share().load::<ProjectId>(connection).map(|_| ())
}

/// The same of an organization's default project.
pub(crate) fn hold_default(connection: &mut PgConnection, organization: OrganizationId) -> QueryResult<Project> {
    hold(connection, organization, ProjectId::default_of(organization))
}

/// A project by id, locked until the transaction's end.
pub(crate) fn lock(connection: &mut PgConnection, id: ProjectId) -> QueryResult<Project> {
    projects::table.find(id).select(Project::as_select()).for_no_key_update().first(connection)
}

/// A project by id, locked so that nothing is put into it, until the transaction's end.
pub(super) fn lock_for_deletion(connection: &mut PgConnection, id: ProjectId) -> QueryResult<Project> {
    projects::table.find(id).select(Project::as_select()).for_update().first(connection)
}

/// Whether any workspace is in a project.
pub(super) fn has_workspaces(connection: &mut PgConnection, id: ProjectId) -> QueryResult<bool> {
    diesel::select(exists(workspaces::table.filter(workspaces::project_id.eq(id)))).get_result(connection)
}

/// Makes a project as `new` describes it.
pub(super) fn create(connection: &mut PgConnection, new: &Project) -> Result<Project> {
    diesel::insert_into(projects::table)
        .values((
            projects::id.eq(new.id),
            projects::organization_id.eq(new.organization_id),
            projects::name.eq(&new.name),
            projects::description.eq(&new.description),
            projects::settings.eq(stored(&new.settings)?),
            projects::tag_bindings.eq(stored(&new.tag_bindings)?),
        ))
        .returning(Project::as_returning())
        .get_result(connection)
        .map_err(taken)
}

pub(super) fn update(connection: &mut PgConnection, changed: &Project) -> Result<Project> {
    diesel::update(projects::table.find(changed.id))
        .set((
            projects::name.eq(&changed.name),
            projects::description.eq(&changed.description),
            projects::settings.eq(stored(&changed.settings)?),
            projects::tag_bindings.eq(stored(&changed.tag_bindings)?),
            projects::updated_at.eq(diesel::dsl::now),
        ))
        .returning(Project::as_returning())
        .get_result(connection)
        .map_err(taken)
}

fn stored(part: &impl Serialize) -> Result<Value> {
    serde_json::to_value(part).map_err(|fault| {
        log::error!("a part of a project cannot be written: {fault}");
        Error::internal()
    })
}

fn taken(fault: DieselError) -> Error {
    match violated_key(&fault) {
        Some("projects_name_key") => Error::attribute("/data/attributes/name", "Name has already been taken"),
        _ => fault.into(),
    }
}

/// What each of some projects grants to some teams.
pub(crate) fn grants(
    connection: &mut PgConnection,
    projects: &[ProjectId],
    teams: &BTreeSet<TeamId>,
) -> QueryResult<HashMap<ProjectId, Vec<ProjectGrant>>> {
    let mut grants: HashMap<_, Vec<_>> = HashMap::new();
    if projects.is_empty() || teams.is_empty() {
        return Ok(grants);
    }
    let given: Vec<(ProjectId, ProjectGrant)> = team_projects::table
        .filter(team_projects::project_id.eq_any(projects))
        .filter(team_projects::team_id.eq_any(teams))
        .select((team_projects::project_id, ProjectGrant::as_select()))
        .load(connection)?;
    for (project, grant) in given {
        grants.entry(project).or_default().push(grant);
    }
    Ok(grants)
}
