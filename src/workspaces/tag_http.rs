//! `workspaces/:id/relationships/tags`, `workspaces/:id/tag-bindings` and `workspaces/:id/effective-tag-bindings`.

use super::http::{locked, visible};
use super::tags::{self, BINDING, BindingAttributes, TAG, TagAttributes};
use super::view::{self, BINDINGS, EFFECTIVE_BINDINGS, TAGS};
use super::{Workspace, write};
use crate::access::Action;
use crate::http::{Allowed, Endpoint, Read, Reply, ResourceList, Route, Write};
use crate::jsonapi::{MAX_IDENTIFIERS, PageInfo, QuerySpec, ResourceBody, Result};

/// `name` is how shipped clients search here.
const TAGS_OF_ONE: QuerySpec = QuerySpec { parameters: &["name"], ..QuerySpec::list(&[&TAGS]) };
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
        .details("There are no projects yet that a workspace could inherit others from.")
        .query(&EFFECTIVE_BINDINGS_OF_ONE)
        .lists(&EFFECTIVE_BINDINGS)
        .allows(&[Action::SeeWorkspace])
        .read(list_effective_bindings),
    ]
}

fn list(call: Read<'_>) -> Result<Reply> {
    let (call, workspace) = visible(call)?;
    let part = call.query.parameter("name").unwrap_or_default().to_lowercase();
    let found: Vec<&String> = workspace.tags.iter().filter(|name| name.contains(&part)).collect();
    let number = |number: i64| usize::try_from(number).unwrap_or(usize::MAX);
    let page = found.iter().skip(number(call.query.page().offset())).take(number(call.query.page().size()));
    let resources = page.map(|name| view::tag(workspace.organization_id, name)).collect();
    let total = i64::try_from(found.len()).unwrap_or(i64::MAX);
    Ok(call.page(resources, PageInfo::Numbered { total }))
}

fn add(call: Write<'_, Vec<ResourceBody<TagAttributes>>>) -> Result<Reply> {
    let (call, workspace, sent) = sent_tags(call)?;
    let all = tags::sorted(workspace.tags.iter().cloned().chain(sent).collect());
    write::set_tags(call.connection, &call.caller, workspace, all)?;
    Ok(call.done())
}

/// Takes tags away; what the workspace has not got stays away.
fn remove(call: Write<'_, Vec<ResourceBody<TagAttributes>>>) -> Result<Reply> {
    let (call, workspace, sent) = sent_tags(call)?;
    let rest = workspace.tags.iter().filter(|name| !sent.contains(name)).cloned().collect();
    write::set_tags(call.connection, &call.caller, workspace, rest)?;
    Ok(call.done())
}

/// The workspace, locked, and the names of the tags in the body.
fn sent_tags<'c>(call: Write<'c, Vec<ResourceBody<TagAttributes>>>) -> Result<(Allowed<'c>, Workspace, Vec<String>)> {
    let (call, workspace) = locked(call, Action::UpdateWorkspace)?;
    let (call, sent) = call.take_input();
    let names = tags::names(call.connection, &call.caller, &sent)?;
    Ok((call, workspace, names))
}

fn list_bindings(call: Read<'_>) -> Result<Reply> {
    let (call, workspace) = visible(call)?;
    Ok(call.list(view::bindings(&workspace)))
}

/// Those that a workspace has by itself: there are no projects that it could have any from.
fn list_effective_bindings(call: Read<'_>) -> Result<Reply> {
    let (call, workspace) = visible(call)?;
    Ok(call.list(view::effective_bindings(&workspace)))
}

/// Adds bindings, or gives another value to those that are there.
fn bind(call: Write<'_, Vec<ResourceBody<BindingAttributes>>>) -> Result<Reply> {
    let (call, workspace) = locked(call, Action::UpdateWorkspace)?;
    let (call, sent) = call.take_input();
    let workspace = write::bind(call.connection, &call.caller, workspace, tags::bindings(sent))?;
    Ok(call.list(view::bindings(&workspace)))
}
