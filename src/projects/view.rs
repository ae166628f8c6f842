//! How projects look on the wire, and in the words of the OpenAPI description.

use std::collections::HashMap;

use diesel::PgConnection;
use serde_json::{Value, json};

use super::{Project, ProjectAttributes, store};
use crate::access::{Action, Caller, ProjectGrant, ProjectRights, Target};
use crate::ids::ProjectId;
use crate::jsonapi::schema::{ResourceSchema, text, truth, truths};
use crate::jsonapi::{Compound, Identifier, Query, Resource, Result};
pub(crate) use crate::organizations::PROJECTS;
use crate::organizations::{self, ORGANIZATIONS, Organization};
use crate::tag_bindings::{self, EFFECTIVE_BINDINGS};

pub(super) fn schema() -> ResourceSchema {
    ResourceSchema::new(&PROJECTS, "A named group of workspaces")
        .written::<ProjectAttributes>(&["name", "default-execution-mode"])
        .written_or_null::<ProjectAttributes>(&["auto-destroy-activity-duration"])
        .attribute("description", text())
        .attribute("setting-overwrites", truths())
        .attribute("is-unified", truth())
        .attribute("permissions", truths())
        .one("organization", &[ORGANIZATIONS.name])
        .one("default-agent-pool", &["agent-pools"])
        .link("tag-bindings")
        .many("effective-tag-bindings", EFFECTIVE_BINDINGS.name)
}

/// A reference to a project.
pub(crate) fn identifier(id: ProjectId) -> Identifier {
    Identifier::new(PROJECTS.name, id)
}

/// The path of a project.
pub(crate) fn link(id: ProjectId) -> String {
    format!("/api/v2/projects/{id}")
}

/// A project as a caller sees it who is this in it.
fn project(project: &Project, organization: &Organization, caller: &Caller, rights: ProjectRights) -> Resource {
    let settings = &project.settings;
    let mode = settings.default_execution_mode;
    let pool = settings.default_agent_pool_id.as_ref().map(|id| Identifier::new("agent-pools", id));
    let overwrites = json!({"default-execution-mode": mode.is_some(), "default-agent-pool": pool.is_some()});
    let path = link(project.id);
    Resource::new(&PROJECTS, project.id)
        .attribute("name", &project.name)
        .attribute("description", &project.description)
        .attribute("auto-destroy-activity-duration", &settings.auto_destroy_activity_duration)
        .attribute("default-execution-mode", mode.unwrap_or(organization.settings.default_execution_mode))
        .attribute("setting-overwrites", overwrites)
        .attribute("is-unified", false)
        .attribute("permissions", permissions(caller, rights))
        .to_one("organization", Some(organizations::identifier(&organization.name)))
        .relation_link("organization", format!("/api/v2/organizations/{}", organization.name))
        .to_one("default-agent-pool", pool)
        .relation_link("tag-bindings", format!("{path}/tag-bindings"))
        .relation_link("effective-tag-bindings", format!("{path}/effective-tag-bindings"))
        .link_self(path)
}

fn permissions(caller: &Caller, rights: ProjectRights) -> Value {
    let can = |action| caller.can(action, Target::Project(Some(rights)));
    json!({
        "can-read": can(Action::SeeProject),
        "can-update": can(Action::UpdateProject),
        "can-destroy": can(Action::DeleteProject),
        "can-create-workspace": can(Action::CreateWorkspace),
        "can-move-workspace": can(Action::MoveWorkspace),
        "can-manage-teams": can(Action::HandleProjectAccess),
    })
}

/// Those of an organization's projects that the caller sees, with what the query asks to include.
pub(super) fn render(
    connection: &mut PgConnection,
    caller: &Caller,
    organization: &Organization,
    query: &Query,
    projects: &[Project],
) -> Result<Compound> {
    let seen = seen(connection, caller, organization, projects)?;
    if !query.includes(EFFECTIVE_BINDINGS.name) {
        return Ok(Compound { resources: seen.into_iter().map(|(_, resource)| resource).collect(), included: vec![] });
    }
    let mut compound = Compound::default();
    for (project, resource) in seen {
        let bindings = effective_bindings(project);
        compound.resources.push(tag_bindings::linked(resource, &bindings));
        compound.included.extend(bindings);
    }
    Ok(compound)
}

/// The bindings that are in force in a project: its own.
pub(super) fn effective_bindings(project: &Project) -> Vec<Resource> {
    tag_bindings::effective(project.id.uuid(), &project.tag_bindings, None)
}

/// Each of an organization's projects that the caller sees beside its resource.
fn seen<'a>(
    connection: &mut PgConnection,
    caller: &Caller,
    organization: &Organization,
    projects: impl IntoIterator<Item = &'a Project>,
) -> Result<Vec<(&'a Project, Resource)>> {
    let projects: Vec<&Project> = projects.into_iter().collect();
    let ids: Vec<ProjectId> = projects.iter().map(|project| project.id).collect();
    let grants = store::grants(connection, &ids, &caller.rights.teams)?;
    Ok(projects.into_iter().filter_map(|one| Some((one, seen_by(caller, organization, one, &grants)?))).collect())
}

/// A project as the caller sees it, if it does.
fn seen_by(
    caller: &Caller,
    organization: &Organization,
    one: &Project,
    grants: &HashMap<ProjectId, Vec<ProjectGrant>>,
) -> Option<Resource> {
    let rights = caller.rights_in_project(grants.get(&one.id).into_iter().flatten().copied())?;
    Some(project(one, organization, caller, rights))
}

/// Those of an organization's projects that the caller sees, as resources, for rooms that include them in their documents.
///
/// # Errors
/// The database's own.
pub(crate) fn render_seen<'a>(
    connection: &mut PgConnection,
    caller: &Caller,
    organization: &Organization,
    projects: impl IntoIterator<Item = &'a Project>,
) -> Result<Vec<Resource>> {
    let seen = seen(connection, caller, organization, projects)?;
    Ok(seen.into_iter().map(|(_, resource)| resource).collect())
}

/// The projects of these ids, for the workspaces that are in them.
///
/// # Errors
/// The database's own.
pub(crate) fn of_workspaces(
    connection: &mut PgConnection,
    ids: impl IntoIterator<Item = ProjectId>,
) -> Result<HashMap<ProjectId, Project>> {
    let mut ids: Vec<ProjectId> = ids.into_iter().collect();
    ids.sort_unstable();
    ids.dedup();
    Ok(store::find_all(connection, &ids)?.into_iter().map(|project| (project.id, project)).collect())
}

/// The default projects of some organizations, each as its caller sees it, if the caller does.
///
/// # Errors
/// The database's own.
pub(crate) fn defaults_of(
    connection: &mut PgConnection,
    organizations: &[(&Organization, &Caller)],
) -> Result<Vec<Resource>> {
    let ids = organizations.iter().map(|(organization, _)| ProjectId::default_of(organization.id));
    let ids: Vec<ProjectId> = ids.collect();
    // No team has access to another organization's project.
    let teams = organizations.iter().flat_map(|(_, caller)| &caller.rights.teams).copied().collect();
    let grants = store::grants(connection, &ids, &teams)?;
    let projects = of_workspaces(connection, ids)?;
    let seen = |(organization, caller): &(&Organization, &Caller)| {
        seen_by(caller, organization, projects.get(&ProjectId::default_of(organization.id))?, &grants)
    };
    Ok(organizations.iter().filter_map(seen).collect())
}
