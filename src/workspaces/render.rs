//! Workspaces as resources, with what a query asks to include.

use std::collections::{BTreeSet, HashMap};

use diesel::PgConnection;

use super::view::{self, EFFECTIVE_BINDINGS};
use super::{Workspace, store};
use crate::access::{Action, Caller, Grant, Target};
use crate::ids::{OrganizationId, TeamId, WorkspaceId};
use crate::jsonapi::{Document, Error, Query, Resource, Result};
use crate::organizations::{self, Organization};

/// Workspaces as resources, and what the query asks to include of them.
pub(super) fn with_included(
    query: &Query,
    caller: &Caller,
    organization: &Organization,
    rendered: Vec<(&Workspace, Resource)>,
) -> (Vec<Resource>, Vec<Resource>) {
    let mut included = vec![];
    let seen = caller.can(Action::SeeOrganization, Target::Organization);
    if query.includes("organization") && seen && !rendered.is_empty() {
        included.push(organizations::organization(organization, caller));
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
    (resources, included)
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
    let (resources, included) = with_included(query, caller, &organization, rendered);
    let resource = resources.into_iter().next().ok_or_else(Error::not_found)?;
    Ok(Document::one(resource).include(included))
}
