//! Making, changing and deleting workspaces. One that is there must be locked.

use std::collections::BTreeMap;

use diesel::PgConnection;
use serde_json::json;

use super::tags::{self, Written};
use super::{Workspace, WorkspaceAttributes, store};
use crate::abilities;
use crate::access::{Caller, Role};
use crate::audit::{self, Event};
use crate::deletions::{self, Deleted};
use crate::ids::OrganizationId;
use crate::jsonapi::{Error, ResourceBody, Result};

/// Makes a workspace in an organization, which is locked.
///
/// # Errors
/// 422 for a name that is taken or settings that do not fit, 404 for a tag that nobody has.
pub(super) fn create(
    connection: &mut PgConnection,
    caller: &Caller,
    organization: OrganizationId,
    body: ResourceBody<WorkspaceAttributes>,
) -> Result<Workspace> {
    let tags = Written::read(connection, caller, &body.relationships)?;
    let new = changed(connection, caller, Workspace::new(organization), body.attributes)?;
    let workspace = store::create(connection, &tags.put_on(new)?)?;
    record(connection, caller, &workspace, "create")?;
    Ok(workspace)
}

/// Changes a workspace.
///
/// # Errors
/// As for [`create`].
pub(super) fn update(
    connection: &mut PgConnection,
    caller: &Caller,
    workspace: Workspace,
    body: ResourceBody<WorkspaceAttributes>,
) -> Result<Workspace> {
    let tags = Written::read(connection, caller, &body.relationships)?;
    let changed = changed(connection, caller, workspace, body.attributes)?;
    let changed = tags.put_on(changed)?;
    let workspace = store::update(connection, &changed)?;
    record(connection, caller, &workspace, "update")?;
    Ok(workspace)
}

/// The workspace after a change, if the caller may give it what it is to reach.
fn changed(
    connection: &mut PgConnection,
    caller: &Caller,
    workspace: Workspace,
    changes: WorkspaceAttributes,
) -> Result<Workspace> {
    let before = workspace.clone();
    let changed = workspace.changed(changes)?;
    abilities::check_reach(connection, caller, before.organization_id, &before.abilities, &changed.abilities)?;
    if changed.allowed_token_roles != before.allowed_token_roles {
        check_allows(connection, caller, &before, changed.allowed_token_roles.as_deref())?;
    }
    Ok(changed)
}

/// Nobody lets tokens have a role again that is higher than what they are in the workspace themselves: they would lift what
/// somebody else has narrowed.
fn check_allows(
    connection: &mut PgConnection,
    caller: &Caller,
    before: &Workspace,
    allowed: Option<&[Role]>,
) -> Result<()> {
    let allows = |roles: Option<&[Role]>, role: &Role| roles.is_none_or(|roles| roles.contains(role));
    let widened = |role: &Role| allows(allowed, role) && !allows(before.allowed_token_roles.as_deref(), role);
    let Some(highest) = Role::ALL.into_iter().filter(widened).max() else { return Ok(()) };
    match super::rights(connection, caller, before.id)? {
        Some(own) if highest <= own.role => Ok(()),
        _ => {
            let detail = format!("Only who is at least {highest} in the workspace may let its tokens have that role");
            Err(Error::forbidden(&detail).with_pointer("/data/attributes/allowed-token-roles"))
        }
    }
}

/// Deletes a workspace with its tokens.
///
/// # Errors
/// The database's own.
pub(super) fn delete(connection: &mut PgConnection, caller: &Caller, workspace: &Workspace) -> Result<()> {
    let event = event(workspace, "destroy");
    deletions::mark(connection, Deleted::Workspace(workspace.id), &event)?;
    Ok(audit::record(connection, &caller.actor(), &[event])?)
}

/// Gives a workspace these tags instead of those that it had.
///
/// # Errors
/// 422 for too many.
pub(super) fn set_tags(
    connection: &mut PgConnection,
    caller: &Caller,
    workspace: Workspace,
    tags: Vec<String>,
) -> Result<()> {
    tags::check_number(tags.len(), "/data")?;
    if tags == workspace.tags {
        return Ok(());
    }
    let changed = store::update(connection, &Workspace { tags, ..workspace })?;
    record_tags(connection, caller, &changed)
}

/// Adds tag bindings to a workspace, or gives another value to those that are there.
///
/// # Errors
/// 422 for too many.
pub(super) fn bind(
    connection: &mut PgConnection,
    caller: &Caller,
    workspace: Workspace,
    bindings: BTreeMap<String, String>,
) -> Result<Workspace> {
    let mut all = workspace.tag_bindings.clone();
    all.0.extend(bindings);
    tags::check_number(all.0.len(), "/data")?;
    if all == workspace.tag_bindings {
        return Ok(workspace);
    }
    let changed = store::update(connection, &Workspace { tag_bindings: all, ..workspace })?;
    record_tags(connection, caller, &changed)?;
    Ok(changed)
}

fn record(connection: &mut PgConnection, caller: &Caller, workspace: &Workspace, action: &'static str) -> Result<()> {
    Ok(audit::record(connection, &caller.actor(), &[event(workspace, action)])?)
}

fn event(workspace: &Workspace, action: &'static str) -> Event {
    let Workspace { name, abilities, allowed_token_roles, .. } = workspace;
    let about = json!({"name": name, "abilities": abilities, "allowed-token-roles": allowed_token_roles});
    Event::new(Some(workspace.organization_id), "workspace", workspace.id, action).meta(about)
}

fn record_tags(connection: &mut PgConnection, caller: &Caller, workspace: &Workspace) -> Result<()> {
    let Workspace { name, tags, tag_bindings, .. } = workspace;
    let event = Event::new(Some(workspace.organization_id), "workspace", workspace.id, "update")
        .meta(json!({"name": name, "tags": tags, "tag-bindings": tag_bindings.0}));
    Ok(audit::record(connection, &caller.actor(), &[event])?)
}
