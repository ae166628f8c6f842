//! `organizations/:name/workspaces`, `organizations/:name/workspaces/:name` and `workspaces/:id`; what is about their tags,
//! locks and remote-state consumers is beside this.

use diesel::PgConnection;

use super::render::{render_all, render_one, with_included};
use super::tags::{BindingAttributes, TagAttributes};
use super::view::{BINDINGS, EFFECTIVE_BINDINGS, TAGS, WORKSPACES};
use super::{
    Workspace, WorkspaceAttributes, consumer_http, lock_http, organization_tag_http, schema, store, tag_http, write,
};
use crate::access::{Action, Caller, Permit, Target, WorkspaceRights};
use crate::database::page::sort_keys;
use crate::http::openapi::Sends;
use crate::http::{Allowed, Endpoint, OneResource, PathParams, Read, Reply, Route, Section, Write};
use crate::jsonapi::{Error, Pages, QuerySpec, ResourceBody, Result, Search, is_name};
use crate::organizations::{self, ORGANIZATIONS};
use crate::teams::TEAMS;
use crate::users::USERS;

// Shipped clients ask for all of these. There are no runs, no state and no projects, so that only the organization, the tag
// bindings and who has locked it add anything.
pub(super) const SHOW: QuerySpec = QuerySpec {
    include: &[
        "organization",
        "current-configuration-version",
        "current-run",
        "current-state-version",
        "effective-tag-bindings",
        "locked-by",
        "outputs",
        "project",
        "readme",
    ],
    ..QuerySpec::show(&[&WORKSPACES, &ORGANIZATIONS, &EFFECTIVE_BINDINGS, &USERS, &TEAMS])
};
const LIST: QuerySpec = QuerySpec {
    pages: Pages::Both,
    sort: sort_keys!(Workspace),
    default_sort: "name",
    q: Search::Text,
    search: &["name", "wildcard-name", "tags", "exclude-tags"],
    ..SHOW
};

const NEW: OneResource<WorkspaceAttributes> =
    OneResource::new(&[WORKSPACES.name]).requires(&["name"]).related(tagged).long();
const CHANGES: OneResource<WorkspaceAttributes> = OneResource::any(&[WORKSPACES.name]).related(tagged).long();

/// The endpoints of workspaces, and of the access that teams have to them.
pub(crate) fn section() -> Section {
    Section {
        tag: "workspaces",
        about: "Named things in an organization, and which teams have access to them",
        endpoints: [
            of_organization(),
            by_name(),
            by_id(),
            lock_http::endpoints(),
            tag_http::endpoints(),
            organization_tag_http::endpoints(),
            consumer_http::endpoints(),
        ]
        .into_iter()
        .flatten()
        .collect(),
        kinds: schema::all(),
    }
}

/// Tags and tag bindings that are sent with a workspace.
fn tagged(sends: Sends) -> Sends {
    let tag = Sends::attributes::<TagAttributes>(&[TAGS.name]);
    let binding = Sends::attributes::<BindingAttributes>(&[BINDINGS.name]).requires(&["key"]);
    sends.related_to_any(TAGS.name, &tag).related_to_any(BINDINGS.name, &binding)
}

fn of_organization() -> Vec<Endpoint> {
    let path = "/organizations/{organization}/workspaces";
    vec![
        Route::get(path, "listWorkspaces", "List the workspaces that the caller has a role in")
            .query(&LIST)
            .means("search[wildcard-name]", "Only what has this name, where `*` stands for anything, in any case")
            .means("search[tags]", "Only what has all of these tags, with commas")
            .means("search[exclude-tags]", "Only what has none of these tags, with commas")
            .lists(&WORKSPACES)
            .allows(&[Action::ListWorkspaces])
            .read(list),
        Route::post(path, "createWorkspace", "Make a workspace")
            .query(&SHOW)
            .body(NEW)
            .creates(&WORKSPACES)
            .allows(&[Action::CreateWorkspace])
            .write(create),
    ]
}

fn by_name() -> Vec<Endpoint> {
    let path = "/organizations/{organization}/workspaces/{workspace}";
    vec![
        Route::get(path, "showWorkspaceByName", "Show a workspace by its name")
            .query(&SHOW)
            .shows(&WORKSPACES)
            .allows(&[Action::SeeWorkspace])
            .read(show),
        Route::patch(path, "updateWorkspaceByName", "Change a workspace by its name")
            .query(&SHOW)
            .body(CHANGES)
            .shows(&WORKSPACES)
            .allows(&[Action::UpdateWorkspace])
            .write(update),
        Route::delete(path, "deleteWorkspaceByName", "Delete a workspace by its name")
            .query(&QuerySpec::NONE)
            .allows(&[Action::DeleteWorkspace])
            .write(destroy),
    ]
}

fn by_id() -> Vec<Endpoint> {
    let path = "/workspaces/{workspace}";
    vec![
        Route::get(path, "showWorkspace", "Show a workspace")
            .query(&SHOW)
            .shows(&WORKSPACES)
            .allows(&[Action::SeeWorkspace])
            .read(show),
        Route::patch(path, "updateWorkspace", "Change a workspace")
            .query(&SHOW)
            .body(CHANGES)
            .shows(&WORKSPACES)
            .allows(&[Action::UpdateWorkspace])
            .write(update),
        Route::delete(path, "deleteWorkspace", "Delete a workspace")
            .query(&QuerySpec::NONE)
            .allows(&[Action::DeleteWorkspace])
            .write(destroy),
    ]
}

/// The workspace that a path names: by its id, or by its name in an organization.
fn find(connection: &mut PgConnection, caller: &Caller, path: &PathParams) -> Result<Workspace> {
    if !path.has("organization") {
        return Ok(store::find(connection, path.get("workspace")?)?);
    }
    let name = path.text("workspace");
    if !is_name(name) {
        return Err(Error::not_found());
    }
    Ok(store::find_named(connection, caller.organization()?, name)?)
}

pub(super) fn may(
    connection: &mut PgConnection,
    caller: &Caller,
    action: Action,
    workspace: &Workspace,
) -> Result<Permit> {
    let rights = super::rights(connection, caller, workspace.id)?;
    caller.may(action, Target::Workspace(rights.map(|rights| rights.role)))
}

/// The workspace that the path names, if the caller may see it.
pub(super) fn visible<'c, I>(mut call: Read<'c, I>) -> Result<(Allowed<'c, I>, Workspace)> {
    let (workspace, permit) = call.find_by_path(|connection, caller, path| {
        let workspace = find(connection, caller, path)?;
        let permit = may(connection, caller, Action::SeeWorkspace, &workspace)?;
        Ok((workspace, permit))
    })?;
    Ok((call.permitted(permit)?, workspace))
}

/// The workspace that the path names, with its row locked, if the caller may do `action` to it.
pub(super) fn locked<'c, I>(call: Write<'c, I>, action: Action) -> Result<(Allowed<'c, I>, Workspace)> {
    locked_for(call, action, |rights| Target::Workspace(rights.map(|rights| rights.role)))
}

/// The same, where the access table is asked about another target in the workspace.
pub(super) fn locked_for<'c, I>(
    call: Write<'c, I>,
    action: Action,
    target: impl FnOnce(Option<WorkspaceRights>) -> Target,
) -> Result<(Allowed<'c, I>, Workspace)> {
    let (mut call, workspace) = call.lock_named(|connection, caller, path, _| {
        let id = find(connection, caller, path)?.id;
        // Nobody else has a role in any of the organization's workspaces, and so a lock to ask for.
        if caller.rights_in_own(id).is_none() {
            caller.may(Action::ListWorkspaces, Target::Organization)?;
        }
        Ok(store::lock(connection, id)?)
    })?;
    let permit = call.find(|connection, caller| {
        let rights = super::rights(connection, caller, workspace.id)?;
        caller.may(action, target(rights))
    })?;
    Ok((call.permitted(permit)?, workspace))
}

fn list(call: Read<'_>) -> Result<Reply> {
    let call = call.may(Target::Organization)?;
    let organization = organizations::find(call.connection, call.caller.organization()?)?;
    let found = store::list(call.connection, organization.id, call.caller.visible_workspaces(), &call.query)?;
    let rendered = render_all(call.connection, &call.caller, &organization, &found.rows)?;
    let (resources, included) = with_included(call.connection, &call.query, &call.caller, &organization, rendered)?;
    Ok(call.page(resources, found.info).include(included))
}

fn create(call: Write<'_, ResourceBody<WorkspaceAttributes>>) -> Result<Reply> {
    let (call, organization) =
        call.lock(|connection, caller| Ok(organizations::hold(connection, caller.organization()?)?))?;
    let (mut call, body) = call.may(Target::Organization)?.take_input();
    let workspace = write::create(call.connection, &call.caller, organization.id, body)?;
    call.check_again(|_, caller| caller.may(Action::CreateWorkspace, Target::Organization))?;
    shown(call, &workspace)
}

fn show(call: Read<'_>) -> Result<Reply> {
    let (call, workspace) = visible(call)?;
    shown(call, &workspace)
}

pub(super) fn shown(call: Allowed<'_>, workspace: &Workspace) -> Result<Reply> {
    let document = render_one(call.connection, &call.caller, &call.query, workspace)?;
    Ok(call.document(document))
}

fn update(call: Write<'_, ResourceBody<WorkspaceAttributes>>) -> Result<Reply> {
    let (call, workspace) = locked(call, Action::UpdateWorkspace)?;
    let (mut call, body) = call.take_input();
    let body = body.about(&[&workspace.id.to_string()])?;
    let workspace = write::update(call.connection, &call.caller, workspace, body)?;
    call.check_again(|connection, caller| may(connection, caller, Action::UpdateWorkspace, &workspace))?;
    shown(call, &workspace)
}

fn destroy(call: Write<'_>) -> Result<Reply> {
    let (call, workspace) = locked(call, Action::DeleteWorkspace)?;
    write::delete(call.connection, &call.caller, &workspace)?;
    Ok(call.done())
}
