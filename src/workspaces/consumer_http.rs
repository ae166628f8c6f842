//! `workspaces/:id/relationships/remote-state-consumers`.

use std::collections::HashSet;

use super::consumers::{self, ConsumerChange};
use super::http::{locked, visible};
use super::render::render;
use super::view::WORKSPACES;
use super::{Workspace, write};
use crate::access::Action;
use crate::database::page::sort_keys;
use crate::http::{Endpoint, Identifiers, Read, Reply, Route, Write};
use crate::ids::WorkspaceId;
use crate::jsonapi::{Error, Pages, QuerySpec, Result};
use crate::organizations;

const LIST: QuerySpec = QuerySpec {
    pages: Pages::Both,
    sort: sort_keys!(Workspace),
    default_sort: "name",
    ..QuerySpec::list(&[&WORKSPACES])
};

/// Some clients send whole workspaces; all but type and id is ignored.
const SENT: Identifiers = Identifiers(&[WORKSPACES.name]);

pub(super) fn endpoints() -> Vec<Endpoint> {
    let path = "/workspaces/{workspace}/relationships/remote-state-consumers";
    vec![
        Route::get(path, "listRemoteStateConsumers", "List the workspaces that may read its state")
            .details(
                "The list holds those that the caller sees, with `project-remote-state` just those of the same project. \
                 Latchkey has no state: this is kept for clients that set it.",
            )
            .query(&LIST)
            .lists(&WORKSPACES)
            .allows(&[Action::SeeWorkspace])
            .read(list),
        Route::post(path, "addRemoteStateConsumers", "Let more workspaces read its state")
            .query(&QuerySpec::NONE)
            .body(SENT)
            .allows(&[Action::UpdateWorkspace])
            .write(|call| change(call, ConsumerChange::Add)),
        Route::patch(path, "replaceRemoteStateConsumers", "Let these workspaces read its state, and no other")
            .query(&QuerySpec::NONE)
            .body(SENT)
            .allows(&[Action::UpdateWorkspace])
            .write(|call| change(call, ConsumerChange::Replace)),
        Route::delete(path, "removeRemoteStateConsumers", "Let workspaces no more read its state")
            .query(&QuerySpec::NONE)
            .body(SENT)
            .allows(&[Action::UpdateWorkspace])
            .write(|call| change(call, ConsumerChange::Remove)),
    ]
}

fn list(call: Read<'_>) -> Result<Reply> {
    let (call, workspace) = visible(call)?;
    let organization = organizations::find(call.connection, workspace.organization_id)?;
    let found = consumers::list(call.connection, &workspace, call.caller.visible_workspaces(), &call.query)?;
    let rendered = render(call.connection, &call.caller, &organization, &call.query, &found.rows)?;
    Ok(call.page(rendered.resources, found.info))
}

/// A new consumer must be a workspace of the same organization that the caller sees. What is no consumer stays none.
fn change(call: Write<'_, Vec<String>>, change: ConsumerChange) -> Result<Reply> {
    let (call, workspace) = locked(call, Action::UpdateWorkspace)?;
    let (call, sent) = call.take_input();
    let ids: Vec<Option<WorkspaceId>> = sent.iter().map(|id| id.parse().ok()).collect();
    let named: Vec<WorkspaceId> = ids.iter().copied().flatten().collect();
    if change != ConsumerChange::Remove {
        let seen = call.caller.visible_workspaces();
        let reached = consumers::reached(call.connection, workspace.organization_id, seen, &named)?;
        let reached: HashSet<WorkspaceId> = reached.into_iter().collect();
        let unknown = |id: &Option<WorkspaceId>| id.is_none_or(|id| !reached.contains(&id));
        Error::check(ids.iter().enumerate().filter(|(_, id)| unknown(id)).map(|(nth, _)| {
            let detail = "There is no such workspace in the organization";
            Error::not_found_at(format!("/data/{nth}/id"), detail)
        }))?;
    }
    write::set_consumers(call.connection, &call.caller, &workspace, change, &named)?;
    Ok(call.done())
}
