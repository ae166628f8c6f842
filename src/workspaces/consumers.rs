//! Which workspaces may read a workspace's state (`remote-state-consumers`). Latchkey has no state: it keeps who may, and says
//! it to clients that configure it. The workspace's row must be locked by whoever changes them.

use diesel::prelude::*;

use super::Workspace;
use super::store::within_reach;
use crate::access::VisibleWorkspaces;
use crate::database::page::page;
use crate::database::schema::{remote_state_consumers as consumers, workspaces};
use crate::ids::{OrganizationId, WorkspaceId};
use crate::jsonapi::{Page, Query, Result};

/// A workspace can have as many.
pub const MAX_CONSUMERS: usize = 1000;

/// What becomes of a workspace's consumers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ConsumerChange {
    Add,
    Remove,
    Replace,
}

/// A page of those of a workspace's consumers that are within reach; of a workspace that shares its state just in its
/// project, those that are in it.
pub(super) fn list(
    connection: &mut PgConnection,
    workspace: &Workspace,
    visible: VisibleWorkspaces,
    query: &Query,
) -> Result<Page<Workspace>> {
    let of_workspace = consumers::table.filter(consumers::workspace_id.eq(workspace.id));
    let mut found = within_reach(workspace.organization_id, visible)
        .filter(workspaces::id.eq_any(of_workspace.select(consumers::consumer_id)))
        .select(Workspace::as_select());
    if workspace.settings.project_remote_state {
        found = found.filter(workspaces::project_id.eq(workspace.project_id));
    }
    page(connection, found, query)
}

/// Those of some workspaces of an organization that are within reach.
pub(super) fn reached(
    connection: &mut PgConnection,
    organization: OrganizationId,
    visible: VisibleWorkspaces,
    ids: &[WorkspaceId],
) -> QueryResult<Vec<WorkspaceId>> {
    within_reach(organization, visible).filter(workspaces::id.eq_any(ids)).select(workspaces::id).load(connection)
}

/// Adds consumers of the same organization. Answers how many are new.
pub(super) fn add(
    connection: &mut PgConnection,
    organization: OrganizationId,
    workspace: WorkspaceId,
    added: &[WorkspaceId],
) -> QueryResult<usize> {
    let row = |consumer: &WorkspaceId| {
        (
            consumers::workspace_id.eq(workspace),
            consumers::consumer_id.eq(*consumer),
            consumers::organization_id.eq(organization),
        )
    };
    let rows: Vec<_> = added.iter().map(row).collect();
    diesel::insert_into(consumers::table).values(rows).on_conflict_do_nothing().execute(connection)
}

/// Takes consumers away. Answers how many there were of them.
pub(super) fn remove(
    connection: &mut PgConnection,
    workspace: WorkspaceId,
    removed: &[WorkspaceId],
) -> QueryResult<usize> {
    let of_workspace = consumers::table.filter(consumers::workspace_id.eq(workspace));
    diesel::delete(of_workspace.filter(consumers::consumer_id.eq_any(removed))).execute(connection)
}

/// Takes all consumers but these away. Answers how many there were of them.
pub(super) fn remove_others(
    connection: &mut PgConnection,
    workspace: WorkspaceId,
    kept: &[WorkspaceId],
) -> QueryResult<usize> {
    let of_workspace = consumers::table.filter(consumers::workspace_id.eq(workspace));
    diesel::delete(of_workspace.filter(consumers::consumer_id.ne_all(kept))).execute(connection)
}

/// How many consumers a workspace has; those that are deleted are no more.
pub(super) fn number(connection: &mut PgConnection, workspace: WorkspaceId) -> QueryResult<i64> {
    let of_workspace = consumers::table.filter(consumers::workspace_id.eq(workspace));
    of_workspace
        .filter(consumers::consumer_id.eq_any(workspaces::table.select(workspaces::id)))
        .count()
        .get_result(connection)
}
