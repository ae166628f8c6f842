//! Workspaces as resources, with what a query asks to include.

use std::collections::{BTreeSet, HashMap};

use diesel::PgConnection;

use super::lock::Locker;
use super::view::{self, LOCKED_BY};
use super::{Workspace, store};
use crate::access::{Action, Caller, Target, WorkspaceRights};
use crate::ids::{OrganizationId, TeamId, UserId, WorkspaceId};
use crate::jsonapi::{Compound, Document, Error, Query, Resource, Result};
use crate::organizations::{self, Organization};
use crate::projects::{self, Project};
use crate::reserved_tag_keys;
use crate::tag_bindings::{self, EFFECTIVE_BINDINGS, Inherited};
use crate::{teams, users};

/// Those of an organization's workspaces that the caller sees, as resources, and what the query asks to include of them.
pub(super) fn render(
    connection: &mut PgConnection,
    caller: &Caller,
    organization: &Organization,
    query: &Query,
    workspaces: &[Workspace],
) -> Result<Compound> {
    let ids: Vec<WorkspaceId> = workspaces.iter().map(|workspace| workspace.id).collect();
    let grants = store::grants(connection, &ids, &caller.rights.teams)?;
    let projects = projects::of_workspaces(connection, workspaces.iter().map(|workspace| workspace.project_id))?;
    let mut rendered: Vec<(&Workspace, &Project, Resource)> = vec![];
    for workspace in workspaces {
        let Some(project) = projects.get(&workspace.project_id) else { continue };
        let resource = render_by(&grants, caller, organization, project, workspace);
        rendered.extend(resource.map(|resource| (workspace, project, resource)));
    }
    let mut included = vec![];
    let seen = caller.can(Action::SeeOrganization, Target::Organization);
    if query.includes("organization") && seen && !rendered.is_empty() {
        included.push(organizations::organization(organization, caller));
    }
    if query.includes("project") {
        included.extend(projects::render_seen(connection, caller, organization, projects.values())?);
    }
    if query.includes(LOCKED_BY) {
        let lockers = rendered.iter().filter_map(|(workspace, ..)| workspace.locked_by());
        included.extend(lockers_seen(connection, caller, organization, lockers)?);
    }
    if !query.includes(EFFECTIVE_BINDINGS.name) {
        let resources = rendered.into_iter().map(|(.., resource)| resource).collect();
        return Ok(Compound { resources, included });
    }
    let fixed = reserved_tag_keys::fixed(connection, organization.id)?;
    let mut resources = vec![];
    for (workspace, project, resource) in rendered {
        let bindings = effective(workspace, project, &fixed);
        resources.push(tag_bindings::linked(resource, &bindings));
        included.extend(bindings);
    }
    Ok(Compound { resources, included })
}

/// Those who have locked workspaces of an organization, as far as the caller sees them.
fn lockers_seen(
    connection: &mut PgConnection,
    caller: &Caller,
    organization: &Organization,
    lockers: impl Iterator<Item = Locker>,
) -> Result<Vec<Resource>> {
    let (mut users, mut teams): (BTreeSet<UserId>, BTreeSet<TeamId>) = Default::default();
    for locker in lockers {
        match locker {
            Locker::User(id) => drop(users.insert(id)),
            Locker::Team(id) => drop(teams.insert(id)),
            Locker::Organization(_) => {}
        }
    }
    let teams: Vec<TeamId> = teams.into_iter().collect();
    let here = |id| (id == organization.id).then_some((caller, organization.name.as_str()));
    let mut seen = teams::render_seen(connection, &teams, here)?;
    if !users.is_empty() && caller.can(Action::SeeMembers, Target::Organization) {
        let users: Vec<UserId> = users.into_iter().collect();
        seen.extend(users::find_all(connection, &users)?.iter().map(users::public));
    }
    Ok(seen)
}

/// The bindings that are in force in a workspace: its own, and those of its project whose keys it lacks.
pub(super) fn effective_bindings(connection: &mut PgConnection, workspace: &Workspace) -> Result<Vec<Resource>> {
    let projects = projects::of_workspaces(connection, [workspace.project_id])?;
    let project = projects.get(&workspace.project_id).ok_or_else(Error::not_found)?;
    let fixed = reserved_tag_keys::fixed(connection, workspace.organization_id)?;
    Ok(effective(workspace, project, &fixed))
}

fn effective(workspace: &Workspace, project: &Project, fixed: &BTreeSet<String>) -> Vec<Resource> {
    let (from, link) = (projects::identifier(project.id), projects::link(project.id));
    let inherited = Inherited { from, link, bindings: &project.tag_bindings, fixed };
    tag_bindings::effective(workspace.id.uuid(), &workspace.tag_bindings, Some(&inherited))
}

/// A workspace as a resource, if the caller sees it.
fn render_by(
    grants: &HashMap<WorkspaceId, Vec<(TeamId, WorkspaceRights)>>,
    caller: &Caller,
    organization: &Organization,
    project: &Project,
    workspace: &Workspace,
) -> Option<Resource> {
    let theirs = grants.get(&workspace.id).into_iter().flatten().filter(|(team, _)| caller.rights.teams.contains(team));
    let by_teams = caller.rights_in(theirs.map(|(_, given)| *given));
    let rights = caller.rights_in_own(workspace.id).or(by_teams)?;
    Some(view::workspace(workspace, project, organization, caller, &rights))
}

/// Those of these workspaces that the caller sees, as resources, for rooms that include them in their documents: `place`
/// tells who the caller is in an organization.
///
/// # Errors
/// The database's own.
pub(crate) fn render_seen<'a>(
    connection: &mut PgConnection,
    ids: &[WorkspaceId],
    place: impl Fn(OrganizationId) -> Option<(&'a Caller, &'a Organization)>,
) -> Result<Vec<Resource>> {
    let workspaces = store::find_all(connection, ids)?;
    let callers = || workspaces.iter().filter_map(|workspace| place(workspace.organization_id));
    let teams: BTreeSet<TeamId> = callers().flat_map(|(caller, _)| caller.rights.teams.iter().copied()).collect();
    let grants = store::grants(connection, ids, &teams)?;
    let projects = projects::of_workspaces(connection, workspaces.iter().map(|workspace| workspace.project_id))?;
    let seen = |workspace: &Workspace| {
        let (caller, organization) = place(workspace.organization_id)?;
        render_by(&grants, caller, organization, projects.get(&workspace.project_id)?, workspace)
    };
    Ok(workspaces.iter().filter_map(seen).collect())
}

pub(super) fn render_one(
    connection: &mut PgConnection,
    caller: &Caller,
    query: &Query,
    workspace: &Workspace,
) -> Result<Document> {
    let organization = organizations::find(connection, workspace.organization_id)?;
    let rendered = render(connection, caller, &organization, query, std::slice::from_ref(workspace))?;
    rendered.into_one().ok_or_else(Error::not_found)
}
