//! `organizations/:name/workspaces`, `organizations/:name/workspaces/:name` and `workspaces/:id`; what is about their tags,
//! locks and remote-state consumers is beside this.

use diesel::{OptionalExtension, PgConnection};

use super::render::{render, render_one};
use super::tags::TagAttributes;
use super::view::{TAGS, WORKSPACES};
use super::{
    Workspace, WorkspaceAttributes, consumer_http, lock_http, move_http, organization_tag_http, schema, store,
    tag_http, write,
};
use crate::access::{Action, Caller, Permit, Target};
use crate::database::page::sort_keys;
use crate::http::openapi::Sends;
use crate::http::{Allowed, Endpoint, OneResource, PathParams, Read, Reply, Route, Section, Write};
use crate::ids::{ProjectId, WorkspaceId};
use crate::jsonapi::{Error, Pages, QuerySpec, Relationships, ResourceBody, Result, Search, is_name};
use crate::organizations::{self, ORGANIZATIONS};
use crate::projects::{self, PROJECTS, Project};
use crate::tag_bindings::{self, BINDING, BindingAttributes, EFFECTIVE_BINDINGS};
use crate::teams::TEAMS;
use crate::users::USERS;

// Shipped clients ask for all of these. There are no runs and no state, so that only the organization, the project, the
// tag bindings and who has locked it add anything.
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
    ..QuerySpec::show(&[&WORKSPACES, &ORGANIZATIONS, &PROJECTS, &EFFECTIVE_BINDINGS, &USERS, &TEAMS])
};
const LIST: QuerySpec = QuerySpec {
    pages: Pages::Both,
    sort: sort_keys!(Workspace),
    default_sort: "name",
    q: Search::Text,
    search: &["name", "wildcard-name", "tags", "exclude-tags"],
    filters: &["project.id", tag_bindings::TAGGED[0], tag_bindings::TAGGED[1]],
    ignored: &[tag_bindings::STRAY],
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
            move_http::endpoints(),
        ]
        .into_iter()
        .flatten()
        .collect(),
        kinds: schema::all(),
    }
}

/// Tags and tag bindings that are sent with a workspace, and its project.
fn tagged(sends: Sends) -> Sends {
    let tag = Sends::attributes::<TagAttributes>(&[TAGS.name]);
    let binding = Sends::attributes::<BindingAttributes>(&[BINDING]).requires(&["key"]);
    sends.related_to_any(TAGS.name, &tag).related_to_any(BINDING, &binding).may_relate_to_one("project", PROJECTS.name)
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
            .allows(&[Action::UpdateWorkspace, Action::MoveWorkspace])
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
            .allows(&[Action::UpdateWorkspace, Action::MoveWorkspace])
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
    caller.may(action, Target::WorkspaceWith(rights))
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
    let (mut call, workspace) = call.lock_named(|connection, caller, path, _| lock(connection, caller, path))?;
    let permit = call.find(|connection, caller| may(connection, caller, action, &workspace))?;
    Ok((call.permitted(permit)?, workspace))
}

/// The workspace that the path names, locked.
fn lock(connection: &mut PgConnection, caller: &Caller, path: &PathParams) -> Result<Workspace> {
    let id = find(connection, caller, path)?.id;
    // Nobody else has a role in any of the organization's workspaces, and so a lock to ask for.
    if caller.rights_in_own(id).is_none() {
        caller.may(Action::ListWorkspaces, Target::Organization)?;
    }
    Ok(store::lock(connection, id)?)
}

fn list(call: Read<'_>) -> Result<Reply> {
    let call = call.may(Target::Organization)?;
    let organization = organizations::find(call.connection, call.caller.organization()?)?;
    let found = store::list(call.connection, organization.id, call.caller.visible_workspaces(), &call.query)?;
    let rendered = render(call.connection, &call.caller, &organization, &call.query, &found.rows)?;
    Ok(call.page(rendered.resources, found.info).include(rendered.included))
}

fn create(call: Write<'_, ResourceBody<WorkspaceAttributes>>) -> Result<Reply> {
    let (mut call, project) = call.lock_named(|connection, caller, _, body| {
        // Nobody else sees any of the organization's projects, and so has a lock to ask for.
        caller.may(Action::ListProjects, Target::Organization)?;
        let organization = organizations::hold(connection, caller.organization()?)?;
        // What is wrong with the body is told by the next step.
        let Some(body) = body else { return Ok(None) };
        match project_of(&body.relationships)? {
            Some(id) => Ok(projects::hold(connection, organization.id, id).optional()?),
            None => Ok(Some(projects::hold_default(connection, organization.id)?)),
        }
    })?;
    let (project, permit) = call.find_by_input(|connection, caller, _| {
        let project = project.ok_or_else(no_such_project)?;
        let permit = may_create(connection, caller, &project)?;
        Ok((project, permit))
    })?;
    let (mut call, body) = call.permitted(permit)?.take_input();
    let workspace = write::create(call.connection, &call.caller, &project, body)?;
    call.check_again(|connection, caller| may_create(connection, caller, &project))?;
    shown(call, &workspace)
}

/// The project that the relationships of a workspace name, if they do.
fn project_of(relationships: &Relationships) -> Result<Option<ProjectId>> {
    let id = relationships.to_one("project", PROJECTS.name)?;
    id.map(|id| id.parse().map_err(|_| no_such_project())).transpose()
}

fn no_such_project() -> Error {
    Error::not_found_at(
        "/data/relationships/project/data/id",
        "There is no such project in the workspace's organization",
    )
}

fn may_create(connection: &mut PgConnection, caller: &Caller, project: &Project) -> Result<Permit> {
    let rights = projects::rights(connection, caller, project.id)?;
    match caller.may(Action::CreateWorkspace, Target::Project(rights)) {
        Err(_) if rights.is_none() && project.is_default() => Err(Error::not_found_at(
            "/data/relationships/project",
            "The workspace would be in the organization's default project, where the caller may make none; name another one",
        )),
        Err(_) if rights.is_none() => Err(no_such_project()),
        permitted => permitted,
    }
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
    let (mut call, (workspace, project)) = call.lock_named(|connection, caller, path, body| {
        let workspace = lock(connection, caller, path)?;
        let named = body.map(|body| project_of(&body.relationships)).transpose()?.flatten();
        let id = named.unwrap_or(workspace.project_id);
        let project = projects::hold(connection, workspace.organization_id, id).optional()?;
        Ok((workspace, project))
    })?;
    let permit = call.find(|connection, caller| may_write(connection, caller, &workspace))?;
    let project = project.ok_or_else(no_such_project)?;
    let (mut call, body) = call.permitted(permit)?.take_input();
    let body = body.about(&[&workspace.id.to_string()])?;
    let source = workspace.project_id;
    check_move(call.connection, &call.caller, (workspace.id, source), &project)?;
    let workspace = write::update(call.connection, &call.caller, workspace, &project, body)?;
    call.check_again(|connection, caller| {
        check_move(connection, caller, (workspace.id, source), &project)?;
        may_write(connection, caller, &workspace)
    })?;
    shown(call, &workspace)
}

/// Who may not change a workspace may still move it.
fn may_write(connection: &mut PgConnection, caller: &Caller, workspace: &Workspace) -> Result<Permit> {
    may(connection, caller, Action::UpdateWorkspace, workspace).or_else(|refused| {
        let rights = projects::rights(connection, caller, workspace.project_id)?;
        caller.may(Action::MoveWorkspace, Target::Project(rights)).map_err(|_| refused)
    })
}

/// Nothing to check where a workspace stays in its project.
fn check_move(
    connection: &mut PgConnection,
    caller: &Caller,
    from: (WorkspaceId, ProjectId),
    to: &Project,
) -> Result<()> {
    if from.1 == to.id {
        return Ok(());
    }
    if projects::rights(connection, caller, to.id)?.is_none() {
        return Err(no_such_project());
    }
    let refused = move_http::refusals(connection, caller, &[from], to.id)?.into_values().next();
    refused.map_or(Ok(()), |refused| Err(refused.with_pointer("/data/relationships/project")))
}

fn destroy(call: Write<'_>) -> Result<Reply> {
    let (call, workspace) = locked(call, Action::DeleteWorkspace)?;
    write::delete(call.connection, &call.caller, &workspace)?;
    Ok(call.done())
}
