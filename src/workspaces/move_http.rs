//! `projects/:id/relationships/workspaces`: moving many workspaces at once.

use std::collections::{BTreeSet, HashMap};

use diesel::PgConnection;

use super::{WORKSPACES, Workspace, store, write};
use crate::access::{Action, Caller, Permit, Target, WorkspaceRights};
use crate::http::{Endpoint, Identifiers, Reply, Route, Write};
use crate::ids::{ProjectId, WorkspaceId};
use crate::jsonapi::{Error, QuerySpec, Result};
use crate::projects::{self, Project};

/// The endpoint by which many workspaces move.
pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Route::post("/projects/{project}/relationships/workspaces", "moveWorkspaces", "Move workspaces into a project")
            .details("All of them or none.")
            .query(&QuerySpec::NONE)
            .body(Identifiers(&[WORKSPACES.name]))
            .allows(&[Action::MoveWorkspace])
            .write(move_all),
    ]
}

fn move_all(call: Write<'_, Vec<String>>) -> Result<Reply> {
    let id: ProjectId = call.path("project")?;
    let (mut call, (project, workspaces)) = call.lock_named(|connection, caller, _, ids| {
        // Nobody else has a part in any of the organization's projects, and so a lock to ask for.
        caller.may(Action::ListProjects, Target::Organization)?;
        let organization = caller.organization()?;
        let ids: Vec<WorkspaceId> = ids.into_iter().flatten().filter_map(|id| id.parse().ok()).collect();
        let named = store::find_all(connection, &ids)?;
        let named: Vec<_> = named.iter().filter(|one| one.organization_id == organization).map(places).collect();
        // Only what the caller may move, so that nobody else takes a lock.
        let refused = refusals(connection, caller, &named, id)?;
        let movable = named.iter().map(|(id, _)| *id).filter(|id| !refused.contains_key(id)).collect();
        let workspaces = store::lock_all(connection, organization, &movable)?;
        Ok((projects::hold(connection, organization, id)?, workspaces))
    })?;
    let permit = call.find(|connection, caller| may_move_into(connection, caller, &project))?;
    let (call, ids) = call.permitted(permit)?.take_input();
    let there: Vec<_> = workspaces.iter().map(places).collect();
    let refused = refusals(call.connection, &call.caller, &there, project.id)?;
    let movable = workspaces.iter().map(|workspace| workspace.id).filter(|id| !refused.contains_key(id));
    let movable: BTreeSet<String> = movable.map(|id| id.to_string()).collect();
    let not: Vec<&str> = ids.iter().map(String::as_str).filter(|id| !movable.contains(*id)).collect();
    if !not.is_empty() {
        let detail = format!("Workspace(s) not found, or you are not authorized to move them: {}", not.join(", "));
        return Err(Error::forbidden(detail).with_pointer("/data"));
    }
    write::move_all(call.connection, &call.caller, &workspaces, &project)?;
    Ok(call.done())
}

fn may_move_into(connection: &mut PgConnection, caller: &Caller, project: &Project) -> Result<Permit> {
    let rights = projects::rights(connection, caller, project.id)?;
    caller.may(Action::SeeProject, Target::Project(rights))?;
    caller.may(Action::MoveWorkspace, Target::Project(rights))
}

const fn places(workspace: &Workspace) -> (WorkspaceId, ProjectId) {
    (workspace.id, workspace.project_id)
}

/// Why the caller cannot move some of these workspaces out of their projects into another one: they move by who may move
/// workspaces in both, and to where nobody who moves one may do more in it than before.
pub(super) fn refusals(
    connection: &mut PgConnection,
    caller: &Caller,
    workspaces: &[(WorkspaceId, ProjectId)],
    to: ProjectId,
) -> Result<HashMap<WorkspaceId, Error>> {
    let ids: Vec<WorkspaceId> = workspaces.iter().map(|(id, _)| *id).collect();
    let own = store::own_grants(connection, &ids, &caller.rights.teams)?;
    let projects: BTreeSet<ProjectId> = workspaces.iter().map(|(_, project)| *project).chain([to]).collect();
    let projects: Vec<ProjectId> = projects.into_iter().collect();
    let by_projects = projects::grants(connection, &projects, &caller.rights.teams)?;
    let by_project = |id| by_projects.get(&id).into_iter().flatten().copied();
    let may_move = |id| caller.may(Action::MoveWorkspace, Target::Project(caller.rights_in_project(by_project(id))));
    let given = |workspace, project| {
        let own = own.get(&workspace).into_iter().flatten().map(|(_, given)| *given);
        own.chain(by_project(project).map(WorkspaceRights::from))
    };
    let check = |workspace, from| -> Result<()> {
        may_move(from)?;
        may_move(to)?;
        if caller.gains(given(workspace, from), given(workspace, to)) {
            let detail = "Nobody moves a workspace to a project where they may do more in it than before";
            return Err(Error::forbidden(detail));
        }
        Ok(())
    };
    let refused = |(workspace, from): &(WorkspaceId, ProjectId)| Some((*workspace, check(*workspace, *from).err()?));
    Ok(workspaces.iter().filter(|(_, from)| *from != to).filter_map(refused).collect())
}
