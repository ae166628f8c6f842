//! `projects/:id/relationships/workspaces`: moving many workspaces at once.

use std::collections::BTreeSet;

use diesel::PgConnection;

use super::http::check_moves_out;
use super::{WORKSPACES, Workspace, store, write};
use crate::access::{Action, Caller, Permit, Target};
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
        let ids: BTreeSet<WorkspaceId> = ids.into_iter().flatten().filter_map(|id| id.parse().ok()).collect();
        let organization = caller.organization()?;
        let workspaces = store::lock_all(connection, organization, &ids)?;
        Ok((projects::hold(connection, organization, id)?, workspaces))
    })?;
    let permit = call.find(|connection, caller| may_move_into(connection, caller, &project))?;
    let (call, ids) = call.permitted(permit)?.take_input();
    let refused = not_movable(call.connection, &call.caller, &workspaces, &ids)?;
    if !refused.is_empty() {
        let detail = format!("Workspace(s) not found, or you are not authorized to move them: {}", refused.join(", "));
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

/// Those of the ids that name no workspace which the caller may take out of its project.
fn not_movable<'a>(
    connection: &mut PgConnection,
    caller: &Caller,
    workspaces: &[Workspace],
    ids: &'a [String],
) -> Result<Vec<&'a str>> {
    let mut movable: BTreeSet<ProjectId> = BTreeSet::new();
    for project in workspaces.iter().map(|workspace| workspace.project_id).collect::<BTreeSet<_>>() {
        if check_moves_out(connection, caller, project).is_ok() {
            movable.insert(project);
        }
    }
    let may = |id: &str| {
        let moved = workspaces.iter().find(|workspace| id.parse() == Ok(workspace.id));
        moved.is_some_and(|workspace| movable.contains(&workspace.project_id))
    };
    Ok(ids.iter().map(String::as_str).filter(|id| !may(id)).collect())
}
