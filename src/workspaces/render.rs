//! Workspaces as resources, with what a query asks to include.

use std::collections::{BTreeSet, HashMap};

use diesel::PgConnection;

use super::lock::Locker;
use super::view::{self, EFFECTIVE_BINDINGS, LOCKED_BY};
use super::{Workspace, store};
use crate::access::{Action, Caller, Grant, Target};
use crate::ids::{OrganizationId, TeamId, UserId, WorkspaceId};
use crate::jsonapi::{Document, Error, Query, Resource, Result};
use crate::organizations::{self, Organization};
use crate::{teams, users};

/// Workspaces as resources, and what the query asks to include of them.
///
/// # Errors
/// The database's own.
pub(super) fn with_included(
    connection: &mut PgConnection,
    query: &Query,
    caller: &Caller,
    organization: &Organization,
    rendered: Vec<(&Workspace, Resource)>,
) -> Result<(Vec<Resource>, Vec<Resource>)> {
    let mut included = vec![];
    let seen = caller.can(Action::SeeOrganization, Target::Organization);
    if query.includes("organization") && seen && !rendered.is_empty() {
        included.push(organizations::organization(organization, caller));
    }
    if query.includes(LOCKED_BY) {
        let lockers = rendered.iter().filter_map(|(workspace, _)| workspace.locked_by());
        included.extend(lockers_seen(connection, caller, organization, lockers)?);
    }
    let bindings = query.includes(EFFECTIVE_BINDINGS.name);
    let mut resources = vec![];
    for (workspace, resource) in rendered {
        if bindings {
            included.extend(view::effective_bindings(workspace));
            resources.push(view::with_effective_bindings(resource, workspace));
        } else {
            resources.push(resource);
        }
    }
    Ok((resources, included))
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

/// Those of an organization's workspaces that the caller sees, each as a resource.
pub(super) fn render_all<'a>(
    connection: &mut PgConnection,
    caller: &Caller,
    organization: &Organization,
    workspaces: &'a [Workspace],
) -> Result<Vec<(&'a Workspace, Resource)>> {
    let ids: Vec<WorkspaceId> = workspaces.iter().map(|workspace| workspace.id).collect();
    let grants = store::grants(connection, &ids, &caller.rights.teams)?;
    let render = |workspace: &'a Workspace| Some((workspace, render_by(&grants, caller, organization, workspace)?));
    Ok(workspaces.iter().filter_map(render).collect())
}

/// A workspace as a resource, if the caller sees it.
fn render_by(
    grants: &HashMap<WorkspaceId, Vec<(TeamId, Grant)>>,
    caller: &Caller,
    organization: &Organization,
    workspace: &Workspace,
) -> Option<Resource> {
    let theirs = grants.get(&workspace.id).into_iter().flatten().filter(|(team, _)| caller.rights.teams.contains(team));
    let by_teams = caller.rights_in(theirs.map(|(_, grant)| *grant));
    let rights = caller.rights_in_own(workspace.id).or(by_teams)?;
    Some(view::workspace(workspace, organization, caller, &rights))
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
    let seen = |workspace: &Workspace| {
        let (caller, organization) = place(workspace.organization_id)?;
        render_by(&grants, caller, organization, workspace)
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
    let rendered = render_all(connection, caller, &organization, std::slice::from_ref(workspace))?;
    let (resources, included) = with_included(connection, query, caller, &organization, rendered)?;
    let resource = resources.into_iter().next().ok_or_else(Error::not_found)?;
    Ok(Document::one(resource).include(included))
}
