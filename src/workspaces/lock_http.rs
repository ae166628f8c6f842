//! `workspaces/:id/actions/lock`, `…/unlock`, `…/force-unlock`, and `…/safe-delete`, which a lock forbids.

use super::http::{SHOW, locked, shown};
use super::lock::{self, LockAttributes};
use super::view::WORKSPACES;
use crate::access::Action;
use crate::http::openapi::Sends;
use crate::http::{BodySpec, Endpoint, OneResource, PathParams, Reply, Route, Write};
use crate::jsonapi::{Body, QuerySpec, ResourceBody, Result};

/// A resource, or nothing, or no document at all but `{"reason": "…"}`: the HCP API documents the last, and pytfe sends it.
struct Reason(OneResource<LockAttributes>);

const REASON: Reason = Reason(OneResource::changes(&[WORKSPACES.name], "workspace").or_nothing());

impl BodySpec for Reason {
    type Parsed = ResourceBody<LockAttributes>;

    fn parse(&self, body: &Body, path: &PathParams) -> Result<Self::Parsed> {
        match body.bare_attributes("reason")? {
            Some(bare) => Ok(bare),
            None => self.0.parse(body, path),
        }
    }

    fn describe(&self) -> Sends {
        self.0.describe()
    }
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    let by_name = "/organizations/{organization}/workspaces/{workspace}/actions/safe-delete";
    let by_id = "/workspaces/{workspace}/actions/safe-delete";
    let unlock = "/workspaces/{workspace}/actions/unlock";
    let force_unlock = "/workspaces/{workspace}/actions/force-unlock";
    vec![
        Route::post("/workspaces/{workspace}/actions/lock", "lockWorkspace", "Lock a workspace")
            .details("The body may also be `{\"reason\": \"…\"}`, or absent. 409 if the workspace is locked already.")
            .query(&SHOW)
            .body(REASON)
            .shows(&WORKSPACES)
            .allows(&[Action::LockWorkspace])
            .write(lock),
        Route::post(unlock, "unlockWorkspace", "Take one's own lock off a workspace")
            .query(&SHOW)
            .shows(&WORKSPACES)
            .conflicts()
            .allows(&[Action::LockWorkspace])
            .write(unlock_own),
        Route::post(force_unlock, "forceUnlockWorkspace", "Take anybody's lock off a workspace")
            .query(&SHOW)
            .shows(&WORKSPACES)
            .conflicts()
            .allows(&[Action::ForceUnlockWorkspace])
            .write(force_unlock_any),
        Route::post(by_name, "safeDeleteWorkspaceByName", "Delete a workspace by its name, unless it is locked")
            .query(&QuerySpec::NONE)
            .conflicts()
            .allows(&[Action::DeleteWorkspace])
            .write(safe_delete),
        Route::post(by_id, "safeDeleteWorkspace", "Delete a workspace, unless it is locked")
            .query(&QuerySpec::NONE)
            .conflicts()
            .allows(&[Action::DeleteWorkspace])
            .write(safe_delete),
    ]
}

fn lock(call: Write<'_, ResourceBody<LockAttributes>>) -> Result<Reply> {
    let (call, workspace) = locked(call, Action::LockWorkspace)?;
    let (call, body) = call.take_input();
    let workspace = lock::lock(call.connection, &call.caller, &workspace, body.attributes)?;
    shown(call, &workspace)
}

fn unlock_own(call: Write<'_>) -> Result<Reply> {
    let (call, workspace) = locked(call, Action::LockWorkspace)?;
    let workspace = lock::unlock(call.connection, &call.caller, &workspace)?;
    shown(call, &workspace)
}

fn force_unlock_any(call: Write<'_>) -> Result<Reply> {
    let (call, workspace) = locked(call, Action::ForceUnlockWorkspace)?;
    let workspace = lock::force_unlock(call.connection, &call.caller, &workspace)?;
    shown(call, &workspace)
}

fn safe_delete(call: Write<'_>) -> Result<Reply> {
    let (call, workspace) = locked(call, Action::DeleteWorkspace)?;
    lock::safe_delete(call.connection, &call.caller, &workspace)?;
    Ok(call.done())
}
