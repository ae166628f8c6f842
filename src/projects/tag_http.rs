//! `projects/:id/tag-bindings`, `projects/:id/relationships/tag-bindings` and `projects/:id/effective-tag-bindings`.

use super::http::{locked, visible};
use super::view;
use super::write;
use crate::access::Action;
use crate::http::{Endpoint, Read, Reply, ResourceList, Route, Write};
use crate::jsonapi::{MAX_IDENTIFIERS, QuerySpec, ResourceBody, Result};
use crate::tag_bindings::{BINDING, BINDINGS, BindingAttributes, Bindings, EFFECTIVE_BINDINGS};

const OWN: QuerySpec = QuerySpec::show(&[&BINDINGS]);
const EFFECTIVE: QuerySpec = QuerySpec::show(&[&EFFECTIVE_BINDINGS]);

const SENT: ResourceList<BindingAttributes> = ResourceList::up_to(MAX_IDENTIFIERS, &[BINDING]).requires(&["key"]);

/// The endpoints of a project's tag bindings.
pub(super) fn endpoints() -> Vec<Endpoint> {
    let bindings = "/projects/{project}/tag-bindings";
    vec![
        Route::get(bindings, "listProjectTagBindings", "List the tag bindings of a project")
            .query(&OWN)
            .lists(&BINDINGS)
            .allows(&[Action::SeeProject])
            .read(list),
        Route::patch(bindings, "addProjectTagBindings", "Give a project more tag bindings, or others of the same keys")
            .query(&OWN)
            .body(SENT)
            .lists(&BINDINGS)
            .allows(&[Action::UpdateProject])
            .write(add),
        Route::patch(
            "/projects/{project}/relationships/tag-bindings",
            "replaceProjectTagBindings",
            "Give a project these tag bindings in the place of all before",
        )
        .query(&QuerySpec::NONE)
        .body(SENT)
        .allows(&[Action::UpdateProject])
        .write(replace),
        Route::get(
            "/projects/{project}/effective-tag-bindings",
            "listEffectiveProjectTagBindings",
            "List the tag bindings that are in force in a project: its own",
        )
        .query(&EFFECTIVE)
        .lists(&EFFECTIVE_BINDINGS)
        .allows(&[Action::SeeProject])
        .read(list_effective),
    ]
}

fn list(call: Read<'_>) -> Result<Reply> {
    let (call, project) = visible(call)?;
    Ok(call.list(project.tag_bindings.resources(project.id.uuid())))
}

fn list_effective(call: Read<'_>) -> Result<Reply> {
    let (call, project) = visible(call)?;
    Ok(call.list(view::effective_bindings(&project)))
}

fn add(call: Write<'_, Vec<ResourceBody<BindingAttributes>>>) -> Result<Reply> {
    let (call, project) = locked(call, Action::UpdateProject)?;
    let (call, sent) = call.take_input();
    let all = project.tag_bindings.clone().and(Bindings::sent(sent));
    let project = write::bind(call.connection, &call.caller, project, all)?;
    Ok(call.list(project.tag_bindings.resources(project.id.uuid())))
}

fn replace(call: Write<'_, Vec<ResourceBody<BindingAttributes>>>) -> Result<Reply> {
    let (call, project) = locked(call, Action::UpdateProject)?;
    let (call, sent) = call.take_input();
    write::bind(call.connection, &call.caller, project, Bindings::sent(sent))?;
    Ok(call.done())
}
