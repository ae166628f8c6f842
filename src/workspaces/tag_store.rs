//! The queries of tags, and of which workspace has which.
//!
//! Who gives tags to a workspace, or takes them away, has locked the workspace. A tag that is given is held, and one that is
//! deleted is locked, so that of the two that is later which waits for the other.

use std::collections::HashMap;

use diesel::dsl::count_star;
use diesel::pg::Pg;
use diesel::prelude::*;

use super::store::within_reach;
use super::tags::{MAX_TAGS_OF_ORGANIZATION, Tag};
use crate::access::VisibleWorkspaces;
use crate::database::containing;
use crate::database::page::{Listed, SortColumn, page};
use crate::database::schema::{tags, workspace_tags, workspaces};
use crate::ids::{OrganizationId, TagId, WorkspaceId};
use crate::jsonapi::{Error, Page, Query, Result};
use crate::organizations;

impl Listed for Tag {
    const COLUMNS: &'static [SortColumn<Self>] = &[
        SortColumn::text("name", "name", |row| row.name.clone()),
        SortColumn::time("created-at", "created_at", |row| row.created_at),
    ];

    fn id(&self) -> uuid::Uuid {
        self.id.uuid()
    }
}

/// The filter of a list that leaves out what a workspace has.
pub(super) const EXCLUDE: &str = "exclude.taggable.id";

/// Those of an organization's tags that a caller sees: all, if it sees all workspaces; else those of workspaces that it
/// sees.
fn seen<'a>(organization: OrganizationId, visible: VisibleWorkspaces) -> tags::BoxedQuery<'a, Pg> {
    let found = tags::table.filter(tags::organization_id.eq(organization)).into_boxed();
    if visible == VisibleWorkspaces::All {
        return found;
    }
    let theirs = within_reach(organization, visible).select(workspaces::id);
    let given = workspace_tags::table.filter(workspace_tags::workspace_id.eq_any(theirs));
    found.filter(tags::id.eq_any(given.select(workspace_tags::tag_id)))
}

/// A page of those of an organization's tags that a caller sees.
pub(super) fn list(
    connection: &mut PgConnection,
    organization: OrganizationId,
    visible: VisibleWorkspaces,
    query: &Query,
) -> Result<Page<Tag>> {
    let mut found = seen(organization, visible.clone()).select(Tag::as_select());
    if let Some(part) = query.q() {
        found = found.filter(tags::name.ilike(containing(part)));
    }
    // An id that is no workspace's, or is hidden, leaves nothing out.
    if let Some(workspace) = query.filter(EXCLUDE).and_then(|id| id.parse::<WorkspaceId>().ok()) {
        let reached = within_reach(organization, visible).filter(workspaces::id.eq(workspace));
        let given = workspace_tags::table.filter(workspace_tags::workspace_id.eq_any(reached.select(workspaces::id)));
        found = found.filter(tags::id.ne_all(given.select(workspace_tags::tag_id)));
    }
    page(connection, found, query)
}

/// A page of a workspace's tags.
pub(super) fn of_workspace(connection: &mut PgConnection, workspace: WorkspaceId, query: &Query) -> Result<Page<Tag>> {
    let given = workspace_tags::table.filter(workspace_tags::workspace_id.eq(workspace));
    let mut found =
        tags::table.filter(tags::id.eq_any(given.select(workspace_tags::tag_id))).select(Tag::as_select()).into_boxed();
    if let Some(part) = query.parameter("name").filter(|part| !part.is_empty()) {
        found = found.filter(tags::name.ilike(containing(part)));
    }
    page(connection, found, query)
}

/// How many of the workspaces that a caller sees have each of some tags of an organization; none of those that no
/// workspace has.
pub(super) fn instances(
    connection: &mut PgConnection,
    organization: OrganizationId,
    visible: VisibleWorkspaces,
    tags: &[Tag],
) -> QueryResult<HashMap<TagId, i64>> {
    if tags.is_empty() {
        return Ok(HashMap::new());
    }
    let ids: Vec<TagId> = tags.iter().map(|tag| tag.id).collect();
    let counted: Vec<(TagId, i64)> = workspace_tags::table
        .filter(workspace_tags::tag_id.eq_any(ids))
        .filter(workspace_tags::workspace_id.eq_any(within_reach(organization, visible).select(workspaces::id)))
        .group_by(workspace_tags::tag_id)
        .select((workspace_tags::tag_id, count_star()))
        .load(connection)?;
    Ok(counted.into_iter().collect())
}

/// Those of some tags of an organization that a caller sees.
pub(super) fn find_seen(
    connection: &mut PgConnection,
    organization: OrganizationId,
    visible: VisibleWorkspaces,
    ids: &[TagId],
) -> QueryResult<Vec<Tag>> {
    if ids.is_empty() {
        return Ok(vec![]);
    }
    seen(organization, visible).filter(tags::id.eq_any(ids)).select(Tag::as_select()).load(connection)
}

/// The ids of an organization's tags of these names, kept from being deleted until the transaction's end. Those that are
/// missing are made, for which the organization is locked; one that is deleted at this very moment is left out, as if it
/// were deleted a moment later.
///
/// # Errors
/// 422 at the place `pointer` for too many.
pub(super) fn hold_named(
    connection: &mut PgConnection,
    organization: OrganizationId,
    names: &[String],
    pointer: &str,
) -> Result<Vec<TagId>> {
    let of_organization = || tags::table.filter(tags::organization_id.eq(organization));
    let named = || of_organization().filter(tags::name.eq_any(names));
    let there: Vec<String> = named().select(tags::name).load(connection)?;
    let missing: Vec<&String> = names.iter().filter(|name| !there.contains(name)).collect();
    if !missing.is_empty() {
        // One request at a time makes tags, so that they can be counted.
        organizations::lock(connection, organization)?;
        let new = |name: &&String| {
            (tags::id.eq(TagId::generate()), tags::organization_id.eq(organization), tags::name.eq((*name).clone()))
        };
        let new: Vec<_> = missing.iter().map(new).collect();
        diesel::insert_into(tags::table).values(new).on_conflict_do_nothing().execute(connection)?;
        let number: i64 = of_organization().count().get_result(connection)?;
        if usize::try_from(number).is_ok_and(|number| number > MAX_TAGS_OF_ORGANIZATION) {
            let detail = format!("An organization can have at most {MAX_TAGS_OF_ORGANIZATION} tags");
            return Err(Error::attribute(pointer, detail));
        }
    }
    Ok(named().order(tags::id).select(tags::id).for_key_share().load(connection)?)
}

/// A tag, kept from being deleted until the transaction's end.
pub(super) fn hold(connection: &mut PgConnection, id: TagId) -> QueryResult<Tag> {
    tags::table.find(id).select(Tag::as_select()).for_key_share().first(connection)
}

/// Those of some tags of an organization that are there, locked for their deletion.
pub(super) fn lock_all(
    connection: &mut PgConnection,
    organization: OrganizationId,
    ids: &[TagId],
) -> QueryResult<Vec<Tag>> {
    tags::table
        .filter(tags::organization_id.eq(organization))
        .filter(tags::id.eq_any(ids))
        .order(tags::id)
        .select(Tag::as_select())
        .for_update()
        .load(connection)
}

/// Deletes tags, which are locked, and so takes them from every workspace.
pub(super) fn delete(connection: &mut PgConnection, tags_locked: &[Tag]) -> QueryResult<usize> {
    let ids = tags_locked.iter().map(|tag| tag.id);
    diesel::delete(tags::table.filter(tags::id.eq_any(ids))).execute(connection)
}

/// Gives tags to workspaces of the same organization. Answers the workspaces that did not have one of them.
pub(super) fn give(
    connection: &mut PgConnection,
    organization: OrganizationId,
    workspaces: &[WorkspaceId],
    given: &[TagId],
) -> QueryResult<Vec<WorkspaceId>> {
    let row = |workspace: WorkspaceId, tag: TagId| {
        (
            workspace_tags::workspace_id.eq(workspace),
            workspace_tags::tag_id.eq(tag),
            workspace_tags::organization_id.eq(organization),
        )
    };
    let rows: Vec<_> =
        workspaces.iter().flat_map(|workspace| given.iter().map(move |tag| row(*workspace, *tag))).collect();
    diesel::insert_into(workspace_tags::table)
        .values(rows)
        .on_conflict_do_nothing()
        .returning(workspace_tags::workspace_id)
        .get_results(connection)
}

/// Takes the tags of these names from a workspace. Answers how many it had.
pub(super) fn take(
    connection: &mut PgConnection,
    organization: OrganizationId,
    workspace: WorkspaceId,
    names: &[String],
) -> QueryResult<usize> {
    let named = tags::table.filter(tags::organization_id.eq(organization)).filter(tags::name.eq_any(names));
    let of_workspace = workspace_tags::table.filter(workspace_tags::workspace_id.eq(workspace));
    let taken = of_workspace.filter(workspace_tags::tag_id.eq_any(named.select(tags::id)));
    diesel::delete(taken).execute(connection)
}

/// Takes all tags but these from a workspace. Answers how many it had.
pub(super) fn take_others(connection: &mut PgConnection, workspace: WorkspaceId, kept: &[TagId]) -> QueryResult<usize> {
    let of_workspace = workspace_tags::table.filter(workspace_tags::workspace_id.eq(workspace));
    diesel::delete(of_workspace.filter(workspace_tags::tag_id.ne_all(kept))).execute(connection)
}

/// How many tags each of some workspaces has.
pub(super) fn numbers(
    connection: &mut PgConnection,
    workspaces: &[WorkspaceId],
) -> QueryResult<HashMap<WorkspaceId, i64>> {
    let counted: Vec<(WorkspaceId, i64)> = workspace_tags::table
        .filter(workspace_tags::workspace_id.eq_any(workspaces))
        .group_by(workspace_tags::workspace_id)
        .select((workspace_tags::workspace_id, count_star()))
        .load(connection)?;
    Ok(counted.into_iter().collect())
}
