//! The queries of workspaces.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use diesel::dsl::not;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::result::Error as DieselError;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::Workspace;
use super::lock::{Locker, LockerKind};
use super::tags::searched;
use crate::access::{Grant, ProjectGrant, VisibleWorkspaces, WorkspaceRights};
use crate::database::page::{Listed, SortColumn, page};
use crate::database::schema::{
    lower, projects, statement_timestamp, tags, team_projects, team_workspaces, workspace_tags, workspaces,
};
use crate::database::{containing, violated_key};
use crate::ids::{OrganizationId, ProjectId, TeamId, WorkspaceId};
use crate::jsonapi::{Error, Page, Query, Result};
use crate::reserved_tag_keys;
use crate::tag_bindings;

impl Listed for Workspace {
    const COLUMNS: &'static [SortColumn<Self>] = &[
        SortColumn::name("name", "name", |row| row.name.clone()),
        SortColumn::time("created-at", "created_at", |row| row.created_at),
        SortColumn::time("latest-change-at", "updated_at", |row| row.updated_at),
    ];

    fn id(&self) -> uuid::Uuid {
        self.id.uuid()
    }
}

/// A page of those of an organization's workspaces that are within reach.
pub(super) fn list(
    connection: &mut PgConnection,
    organization: OrganizationId,
    visible: VisibleWorkspaces,
    query: &Query,
) -> Result<Page<Workspace>> {
    let mut found = within_reach(organization, visible).select(Workspace::as_select());
    for part in [query.q(), query.search("name")].into_iter().flatten() {
        found = found.filter(workspaces::name.ilike(containing(part)));
    }
    if let Some(pattern) = query.search("wildcard-name") {
        found = found.filter(workspaces::name.ilike(wildcards(pattern)));
    }
    let tagged = |names: Vec<String>| {
        let named = tags::table.filter(tags::organization_id.eq(organization)).filter(tags::name.eq_any(names));
        let given = workspace_tags::table.filter(workspace_tags::tag_id.eq_any(named.select(tags::id)));
        given.select(workspace_tags::workspace_id)
    };
    for name in query.search("tags").map(searched).unwrap_or_default() {
        found = found.filter(workspaces::id.eq_any(tagged(vec![name])));
    }
    if let Some(none) = query.search("exclude-tags") {
        found = found.filter(workspaces::id.ne_all(tagged(searched(none))));
    }
    if let Some(project) = query.filter("project.id") {
        // An id that does not parse finds nothing.
        let ids: Vec<ProjectId> = project.split(',').filter_map(|id| id.parse().ok()).collect();
        found = found.filter(workspaces::project_id.eq_any(ids));
    }
    let asked = tag_bindings::asked(query)?;
    let fixed = if asked.is_empty() { BTreeSet::new() } else { reserved_tag_keys::fixed(connection, organization)? };
    for asked in asked {
        let projects_with = |bindings| {
            let own = projects::table.filter(projects::organization_id.eq(organization));
            workspaces::project_id.eq_any(own.filter(projects::tag_bindings.contains(bindings)).select(projects::id))
        };
        let (own, inherited) = (workspaces::tag_bindings.contains(asked.contained()), projects_with(asked.contained()));
        // A workspace's own binding of a key goes before that of its project, but where the organization says otherwise.
        found = if fixed.contains(asked.key()) {
            found.filter(inherited.or(own.and(not(projects_with(asked.any())))))
        } else {
            found.filter(own.or(inherited.and(not(workspaces::tag_bindings.contains(asked.any())))))
        };
    }
    page(connection, found, query)
}

/// Those of an organization's workspaces that are within reach.
pub(super) fn within_reach<'a>(
    organization: OrganizationId,
    visible: VisibleWorkspaces,
) -> workspaces::BoxedQuery<'a, Pg> {
    let found = workspaces::table.filter(workspaces::organization_id.eq(organization)).into_boxed();
    match visible {
        VisibleWorkspaces::All => found,
        VisibleWorkspaces::Own(id) => found.filter(workspaces::id.eq(id)),
        VisibleWorkspaces::OfTeams(teams) => {
            let of_theirs = team_workspaces::table.filter(team_workspaces::team_id.eq_any(teams.clone()));
            let by_projects = team_projects::table.filter(team_projects::team_id.eq_any(teams));
            found.filter(
                workspaces::id
                    .eq_any(of_theirs.select(team_workspaces::workspace_id))
                    .or(workspaces::project_id.eq_any(by_projects.select(team_projects::project_id))),
            )
        }
    }
}

/// The `ILIKE` pattern of a name in which `*` stands for anything.
fn wildcards(pattern: &str) -> String {
    let escaped = |part: &str| {
        let contained = containing(part);
        contained[1..contained.len() - 1].to_owned()
    };
    pattern.split('*').map(escaped).collect::<Vec<_>>().join("%")
}

pub(crate) fn find(connection: &mut PgConnection, id: WorkspaceId) -> QueryResult<Workspace> {
    workspaces::table.find(id).select(Workspace::as_select()).first(connection)
}

/// An organization's workspace by name.
pub(super) fn find_named(
    connection: &mut PgConnection,
    organization: OrganizationId,
    name: &str,
) -> QueryResult<Workspace> {
    workspaces::table
        .filter(workspaces::organization_id.eq(organization))
        .filter(lower(workspaces::name).eq(name.to_lowercase()))
        .select(Workspace::as_select())
        .first(connection)
}

/// The workspaces of these names, which are in lower case, that are within reach in an organization.
pub(crate) fn named(
    connection: &mut PgConnection,
    organization: OrganizationId,
    visible: VisibleWorkspaces,
    names: &[String],
) -> QueryResult<Vec<(WorkspaceId, String)>> {
    if names.is_empty() {
        return Ok(vec![]);
    }
    let found = within_reach(organization, visible).filter(lower(workspaces::name).eq_any(names));
    found.select((workspaces::id, workspaces::name)).load(connection)
}

/// Workspaces by id, as far as there are such.
pub(super) fn find_all(connection: &mut PgConnection, ids: &[WorkspaceId]) -> QueryResult<Vec<Workspace>> {
    if ids.is_empty() {
        return Ok(vec![]);
    }
    workspaces::table.filter(workspaces::id.eq_any(ids)).select(Workspace::as_select()).load(connection)
}

/// A workspace by id, locked until the transaction's end, and its project held: whoever changes the access to one of the two
/// waits, and a right that is taken away while this waits is gone when it is asked for.
pub(crate) fn lock(connection: &mut PgConnection, id: WorkspaceId) -> QueryResult<Workspace> {
    let workspace: Workspace =
        workspaces::table.find(id).select(Workspace::as_select()).for_no_key_update().first(connection)?;
    crate::projects::hold(connection, workspace.organization_id, workspace.project_id)?;
    Ok(workspace)
}

/// Those of these workspaces that are in an organization, locked until the transaction's end, and their projects held.
pub(super) fn lock_all(
    connection: &mut PgConnection,
    organization: OrganizationId,
    ids: &BTreeSet<WorkspaceId>,
) -> QueryResult<Vec<Workspace>> {
    let found: Vec<Workspace> = workspaces::table
        .filter(workspaces::organization_id.eq(organization))
        .filter(workspaces::id.eq_any(ids))
        // In one order, so that two requests never wait for each other.
        .order(workspaces::id)
        .select(Workspace::as_select())
        .for_no_key_update()
        .load(connection)?;
    let projects: BTreeSet<ProjectId> = found.iter().map(|workspace| workspace.project_id).collect();
    crate::projects::hold_all(connection, organization, &projects)?;
    Ok(found)
}

/// Puts these workspaces into a project.
pub(super) fn move_all(connection: &mut PgConnection, ids: &[WorkspaceId], project: ProjectId) -> QueryResult<usize> {
    diesel::update(workspaces::table.filter(workspaces::id.eq_any(ids)))
        .set((workspaces::project_id.eq(project), workspaces::updated_at.eq(diesel::dsl::now)))
        .execute(connection)
}

/// Makes a workspace as `new` describes it, without tags.
pub(super) fn create(connection: &mut PgConnection, new: &Workspace) -> Result<Workspace> {
    diesel::insert_into(workspaces::table)
        .values((
            workspaces::id.eq(new.id),
            workspaces::organization_id.eq(new.organization_id),
            workspaces::project_id.eq(new.project_id),
            workspaces::name.eq(&new.name),
            workspaces::description.eq(&new.description),
            workspaces::settings.eq(stored(&new.settings)?),
            workspaces::tag_bindings.eq(stored(&new.tag_bindings)?),
            workspaces::abilities.eq(&new.abilities),
            workspaces::allowed_token_roles.eq(&new.allowed_token_roles),
            workspaces::default_token_format.eq(new.default_token_format),
        ))
        .returning(Workspace::as_returning())
        .get_result(connection)
        .map_err(taken)
}

pub(super) fn update(connection: &mut PgConnection, changed: &Workspace) -> Result<Workspace> {
    diesel::update(workspaces::table.find(changed.id))
        .set((
            workspaces::project_id.eq(changed.project_id),
            workspaces::name.eq(&changed.name),
            workspaces::description.eq(&changed.description),
            workspaces::settings.eq(stored(&changed.settings)?),
            workspaces::tag_bindings.eq(stored(&changed.tag_bindings)?),
            workspaces::abilities.eq(&changed.abilities),
            workspaces::allowed_token_roles.eq(&changed.allowed_token_roles),
            workspaces::default_token_format.eq(changed.default_token_format),
            workspaces::updated_at.eq(diesel::dsl::now),
        ))
        .returning(Workspace::as_returning())
        .get_result(connection)
        .map_err(taken)
}

/// Tells that workspaces have been changed just now.
pub(super) fn touch(connection: &mut PgConnection, ids: &[WorkspaceId]) -> QueryResult<Vec<Workspace>> {
    diesel::update(workspaces::table.filter(workspaces::id.eq_any(ids)))
        .set(workspaces::updated_at.eq(diesel::dsl::now))
        .returning(Workspace::as_returning())
        .get_results(connection)
}

/// Locks a workspace, which is not locked; not its row, but for who works on it.
pub(super) fn set_lock(
    connection: &mut PgConnection,
    id: WorkspaceId,
    by: Locker,
    reason: Option<&str>,
) -> QueryResult<Workspace> {
    let (kind, locker) = by.parts();
    diesel::update(workspaces::table.find(id))
        .set((
            workspaces::locked_at.eq(statement_timestamp().nullable()),
            workspaces::locked_by_type.eq(kind),
            workspaces::locked_by_id.eq(locker),
            workspaces::lock_reason.eq(reason),
        ))
        .returning(Workspace::as_returning())
        .get_result(connection)
}

/// Takes the lock off a workspace.
pub(super) fn take_lock_off(connection: &mut PgConnection, id: WorkspaceId) -> QueryResult<Workspace> {
    diesel::update(workspaces::table.find(id))
        .set((
            workspaces::locked_at.eq(None::<DateTime<Utc>>),
            workspaces::locked_by_type.eq(None::<LockerKind>),
            workspaces::locked_by_id.eq(None::<Uuid>),
            workspaces::lock_reason.eq(None::<String>),
        ))
        .returning(Workspace::as_returning())
        .get_result(connection)
}

fn stored(part: &impl Serialize) -> Result<Value> {
    serde_json::to_value(part).map_err(|fault| {
        log::error!("a part of a workspace cannot be written: {fault}");
        Error::internal()
    })
}

fn taken(fault: DieselError) -> Error {
    match violated_key(&fault) {
        Some("workspaces_name_key") => Error::attribute("/data/attributes/name", "Name has already been taken"),
        _ => fault.into(),
    }
}

/// What each of some workspaces grants by itself to which of some teams.
pub(super) fn own_grants(
    connection: &mut PgConnection,
    workspaces: &[WorkspaceId],
    teams: &BTreeSet<TeamId>,
) -> QueryResult<HashMap<WorkspaceId, Vec<(TeamId, WorkspaceRights)>>> {
    let mut grants: HashMap<_, Vec<_>> = HashMap::new();
    if workspaces.is_empty() || teams.is_empty() {
        return Ok(grants);
    }
    let given: Vec<(WorkspaceId, TeamId, Grant)> = team_workspaces::table
        .filter(team_workspaces::workspace_id.eq_any(workspaces))
        .filter(team_workspaces::team_id.eq_any(teams))
        .select((team_workspaces::workspace_id, team_workspaces::team_id, Grant::as_select()))
        .load(connection)?;
    for (workspace, team, grant) in given {
        grants.entry(workspace).or_default().push((team, WorkspaceRights::from(grant)));
    }
    Ok(grants)
}

/// What each of some workspaces, by itself and by its project, grants to which of some teams.
pub(super) fn grants(
    connection: &mut PgConnection,
    workspaces: &[WorkspaceId],
    teams: &BTreeSet<TeamId>,
) -> QueryResult<HashMap<WorkspaceId, Vec<(TeamId, WorkspaceRights)>>> {
    let mut grants = own_grants(connection, workspaces, teams)?;
    if workspaces.is_empty() || teams.is_empty() {
        return Ok(grants);
    }
    let by_projects: Vec<(WorkspaceId, TeamId, ProjectGrant)> = workspaces::table
        .inner_join(team_projects::table.on(team_projects::project_id.eq(workspaces::project_id)))
        .filter(workspaces::id.eq_any(workspaces))
        .filter(team_projects::team_id.eq_any(teams))
        .select((workspaces::id, team_projects::team_id, ProjectGrant::as_select()))
        .load(connection)?;
    for (workspace, team, grant) in by_projects {
        grants.entry(workspace).or_default().push((team, WorkspaceRights::from(grant)));
    }
    Ok(grants)
}
