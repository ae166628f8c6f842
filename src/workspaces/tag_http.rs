//! `workspaces/:id/relationships/tags`, `workspaces/:id/tag-bindings` and `workspaces/:id/effective-tag-bindings`.

use super::http::may;
use super::http::{locked, visible};
use super::tags::{self, TAG, Tag, TagAttributes};
use super::view::{self, TAGS};
use super::write::TagChange;
use super::{Workspace, render, tag_store, write};
use crate::access::Action;
use crate::database::page::sort_keys;
use crate::http::{Allowed, Endpoint, Read, Reply, ResourceList, Route, Write};
use crate::ids::OrganizationId;
use crate::jsonapi::{MAX_IDENTIFIERS, Page, Pages, QuerySpec, ResourceBody, Result};
use crate::organizations;
use crate::tag_bindings::{BINDING, BINDINGS, BindingAttributes, Bindings, EFFECTIVE_BINDINGS};

/// `name` is how shipped clients search here.
const TAGS_OF_ONE: QuerySpec = QuerySpec {
    pages: Pages::Both,
    sort: sort_keys!(Tag),
    default_sort: "name",
    parameters: &["name"],
    ..QuerySpec::list(&[&TAGS])
};
const BINDINGS_OF_ONE: QuerySpec = QuerySpec::show(&[&BINDINGS]);
const EFFECTIVE_BINDINGS_OF_ONE: QuerySpec = QuerySpec::show(&[&EFFECTIVE_BINDINGS]);

/// Tags by name or by id.
const SENT_TAGS: ResourceList<TagAttributes> = ResourceList::up_to(MAX_IDENTIFIERS, &[TAG]);
const SENT_BINDINGS: ResourceList<BindingAttributes> =
    ResourceList::up_to(MAX_IDENTIFIERS, &[BINDING]).requires(&["key"]);

/// The endpoints of a workspace's tags.
pub(super) fn endpoints() -> Vec<Endpoint> {
    let tags = "/workspaces/{workspace}/relationships/tags";
    let bindings = "/workspaces/{workspace}/tag-bindings";
    vec![
        Route::get(tags, "listWorkspaceTags", "List the tags of a workspace")
            .query(&TAGS_OF_ONE)
            .means("name", "Only what holds this text in its name, in any case")
            .lists(&TAGS)
            .allows(&[Action::SeeWorkspace])
            .read(list),
        Route::post(tags, "addWorkspaceTags", "Give a workspace more tags")
            .query(&QuerySpec::NONE)
            .body(SENT_TAGS)
            .allows(&[Action::UpdateWorkspace])
            .write(add),
        Route::delete(tags, "removeWorkspaceTags", "Take tags from a workspace")
            .query(&QuerySpec::NONE)
            .body(SENT_TAGS)
            .allows(&[Action::UpdateWorkspace])
            .write(remove),
        Route::get(bindings, "listTagBindings", "List the tag bindings of a workspace")
            .query(&BINDINGS_OF_ONE)
            .lists(&BINDINGS)
            .allows(&[Action::SeeWorkspace])
            .read(list_bindings),
        Route::patch(bindings, "addTagBindings", "Give a workspace more tag bindings, or others of the same keys")
            .query(&BINDINGS_OF_ONE)
            .body(SENT_BINDINGS)
            .lists(&BINDINGS)
            .allows(&[Action::UpdateWorkspace])
            .write(bind),
        Route::get(
            "/workspaces/{workspace}/effective-tag-bindings",
            "listEffectiveTagBindings",
            "List the tag bindings of a workspace, inherited ones included",
        )
        .details("Its own, and those of its project whose keys it lacks.")
        .query(&EFFECTIVE_BINDINGS_OF_ONE)
        .lists(&EFFECTIVE_BINDINGS)
        .allows(&[Action::SeeWorkspace])
        .read(list_effective_bindings),
    ]
}

fn list(call: Read<'_>) -> Result<Reply> {
    let (call, workspace) = visible(call)?;
    let found = tag_store::of_workspace(call.connection, workspace.id, &call.query)?;
    shown(call, workspace.organization_id, found)
}

/// A page of an organization's tags, each with the number of workspaces that have it.
pub(super) fn shown(call: Allowed<'_>, organization: OrganizationId, found: Page<Tag>) -> Result<Reply> {
    let seen = call.caller.visible_workspaces();
    let organization = organizations::find(call.connection, organization)?;
    let instances = tag_store::instances(call.connection, organization.id, seen, &found.rows)?;
    let instances = |tag: &Tag| instances.get(&tag.id).copied().unwrap_or_default();
    let resources = found.rows.iter().map(|tag| view::tag(tag, &organization.name, instances(tag))).collect();
    Ok(call.page(resources, found.info))
}

fn add(call: Write<'_, Vec<ResourceBody<TagAttributes>>>) -> Result<Reply> {
    let (mut call, workspace, sent) = sent_tags(call)?;
    write::set_tags(call.connection, &call.caller, &workspace, TagChange::Give(&sent))?;
    // It may have waited for the organization, in which it has made new tags.
    call.check_again(|connection, caller| may(connection, caller, Action::UpdateWorkspace, &workspace))?;
    Ok(call.done())
}

fn remove(call: Write<'_, Vec<ResourceBody<TagAttributes>>>) -> Result<Reply> {
    let (call, workspace, sent) = sent_tags(call)?;
    write::set_tags(call.connection, &call.caller, &workspace, TagChange::Take(&sent))?;
    Ok(call.done())
}

/// The workspace, locked, and the names of the tags in the body.
fn sent_tags<'c>(call: Write<'c, Vec<ResourceBody<TagAttributes>>>) -> Result<(Allowed<'c>, Workspace, Vec<String>)> {
    let (call, workspace) = locked(call, Action::UpdateWorkspace)?;
    let (call, sent) = call.take_input();
    let names = tags::names(call.connection, &call.caller, &sent)?;
    Ok((call, workspace, tags::sorted(names)))
}

fn list_bindings(call: Read<'_>) -> Result<Reply> {
    let (call, workspace) = visible(call)?;
    Ok(call.list(workspace.tag_bindings.resources(workspace.id.uuid())))
}

fn list_effective_bindings(call: Read<'_>) -> Result<Reply> {
    let (call, workspace) = visible(call)?;
    let bindings = render::effective_bindings(call.connection, &workspace)?;
    Ok(call.list(bindings))
}

/// Adds bindings, or gives another value to those that are there.
fn bind(call: Write<'_, Vec<ResourceBody<BindingAttributes>>>) -> Result<Reply> {
    let (call, workspace) = locked(call, Action::UpdateWorkspace)?;
    let (call, sent) = call.take_input();
    let workspace = write::bind(call.connection, &call.caller, workspace, Bindings::sent(sent))?;
    Ok(call.list(workspace.tag_bindings.resources(workspace.id.uuid())))
}
