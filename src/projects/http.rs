//! `organizations/:name/projects` and `projects/:id`.

use diesel::PgConnection;

use super::view::{self, PROJECTS};
use super::{Project, ProjectAttributes, store, tag_http, write};
use crate::access::{Action, Caller, Permit, Target};
use crate::database::page::sort_keys;
use crate::http::openapi::Sends;
use crate::http::{Allowed, Endpoint, OneResource, Read, Reply, Route, Section, Write};
use crate::jsonapi::{Error, Pages, QuerySpec, ResourceBody, Result, Search};
use crate::organizations;
use crate::tag_bindings::{self, BINDING, BindingAttributes, EFFECTIVE_BINDINGS};

const SHOW: QuerySpec =
    QuerySpec { include: &[EFFECTIVE_BINDINGS.name], ..QuerySpec::show(&[&PROJECTS, &EFFECTIVE_BINDINGS]) };
const LIST: QuerySpec = QuerySpec {
    pages: Pages::Both,
    sort: sort_keys!(Project),
    default_sort: "created-at",
    q: Search::Text,
    filters: &["names", tag_bindings::TAGGED[0], tag_bindings::TAGGED[1]],
    ignored: &[tag_bindings::STRAY],
    ..SHOW
};

const NEW: OneResource<ProjectAttributes> =
    OneResource::new(&[PROJECTS.name]).requires(&["name"]).related(with_bindings).long();
const CHANGES: OneResource<ProjectAttributes> =
    OneResource::changes(&[PROJECTS.name], "project").related(with_bindings).long();

/// The endpoints of projects.
pub(crate) fn section() -> Section {
    Section {
        tag: "projects",
        about: "Named groups of workspaces, and which teams have access to them",
        endpoints: endpoints().into_iter().chain(tag_http::endpoints()).collect(),
        kinds: vec![view::schema()],
    }
}

fn with_bindings(sends: Sends) -> Sends {
    let binding = Sends::attributes::<BindingAttributes>(&[BINDING]).requires(&["key"]);
    sends.related_to_any(BINDING, &binding)
}

fn endpoints() -> Vec<Endpoint> {
    let (many, one) = ("/organizations/{organization}/projects", "/projects/{project}");
    vec![
        Route::get(many, "listProjects", "List the projects that the caller has access to")
            .details("The default project comes first.")
            .query(&LIST)
            .lists(&PROJECTS)
            .allows(&[Action::ListProjects])
            .read(list),
        Route::post(many, "createProject", "Make a project")
            .query(&SHOW)
            .body(NEW)
            .creates(&PROJECTS)
            .allows(&[Action::CreateProject])
            .write(create),
        Route::get(one, "showProject", "Show a project")
            .query(&SHOW)
            .shows(&PROJECTS)
            .allows(&[Action::SeeProject])
            .read(show),
        Route::patch(one, "updateProject", "Change a project")
            .query(&SHOW)
            .body(CHANGES)
            .shows(&PROJECTS)
            .allows(&[Action::UpdateProject])
            .write(update),
        Route::delete(one, "deleteProject", "Delete a project that has no workspaces")
            .details("The default project, and one with workspaces, stays: 403.")
            .query(&QuerySpec::NONE)
            .allows(&[Action::DeleteProject])
            .write(destroy),
    ]
}

/// The project that the path names, if the caller may see it.
pub(super) fn visible<'c, I>(mut call: Read<'c, I>) -> Result<(Allowed<'c, I>, Project)> {
    let id = call.path("project")?;
    let (project, permit) = call.find(|connection, caller| {
        let project = store::find(connection, caller.organization()?, id)?;
        Ok((project, may(connection, caller, Action::SeeProject, id)?))
    })?;
    Ok((call.permitted(permit)?, project))
}

fn may(connection: &mut PgConnection, caller: &Caller, action: Action, id: crate::ids::ProjectId) -> Result<Permit> {
    let rights = super::rights(connection, caller, id)?;
    caller.may(action, Target::Project(rights))
}

/// The project that the path names, locked, if the caller may do `action` to it.
pub(super) fn locked<'c, I>(call: Write<'c, I>, action: Action) -> Result<(Allowed<'c, I>, Project)> {
    let id = call.path("project")?;
    let (mut call, project) = call.lock(|connection, caller| {
        // Nobody else has a part in any of the organization's projects, and so a lock to ask for.
        caller.may(Action::ListProjects, Target::Organization)?;
        let deletes = action == Action::DeleteProject;
        Ok(if deletes { store::lock_for_deletion(connection, id)? } else { store::lock(connection, id)? })
    })?;
    let permit = call.find(|connection, caller| may(connection, caller, action, id))?;
    Ok((call.permitted(permit)?, project))
}

fn list(call: Read<'_>) -> Result<Reply> {
    let call = call.may(Target::Organization)?;
    let organization = organizations::find(call.connection, call.caller.organization()?)?;
    let found = store::list(call.connection, organization.id, call.caller.visible_projects(), &call.query)?;
    let rendered = view::render(call.connection, &call.caller, &organization, &call.query, &found.rows)?;
    Ok(call.page(rendered.resources, found.info).include(rendered.included))
}

fn create(call: Write<'_, ResourceBody<ProjectAttributes>>) -> Result<Reply> {
    let (call, organization) =
        call.lock(|connection, caller| Ok(organizations::hold(connection, caller.organization()?)?))?;
    let (mut call, body) = call.may(Target::Organization)?.take_input();
    let project = write::create(call.connection, &call.caller, organization.id, body)?;
    call.check_again(|_, caller| caller.may(Action::CreateProject, Target::Organization))?;
    shown(call, &project)
}

fn show(call: Read<'_>) -> Result<Reply> {
    let (call, project) = visible(call)?;
    shown(call, &project)
}

fn shown(call: Allowed<'_>, project: &Project) -> Result<Reply> {
    let organization = organizations::find(call.connection, project.organization_id)?;
    let one = std::slice::from_ref(project);
    let rendered = view::render(call.connection, &call.caller, &organization, &call.query, one)?;
    let document = rendered.into_one().ok_or_else(Error::not_found)?;
    Ok(call.document(document))
}

fn update(call: Write<'_, ResourceBody<ProjectAttributes>>) -> Result<Reply> {
    let (call, project) = locked(call, Action::UpdateProject)?;
    let (mut call, body) = call.take_input();
    let project = write::update(call.connection, &call.caller, project, body)?;
    call.check_again(|connection, caller| may(connection, caller, Action::UpdateProject, project.id))?;
    shown(call, &project)
}

fn destroy(call: Write<'_>) -> Result<Reply> {
    let (call, project) = locked(call, Action::DeleteProject)?;
    write::delete(call.connection, &call.caller, &project)?;
    Ok(call.done())
}
