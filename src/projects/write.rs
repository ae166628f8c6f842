//! Making, changing and deleting projects. One that is there must be locked.

use diesel::PgConnection;
use serde_json::json;

use super::{Project, ProjectAttributes, store};
use crate::access::Caller;
use crate::audit::{self, Event};
use crate::deletions::{self, Deleted};
use crate::ids::OrganizationId;
use crate::jsonapi::{Error, ResourceBody, Result};
use crate::tag_bindings::Bindings;

/// Makes a project in an organization, which is held.
///
/// # Errors
/// 422 for a name that is taken or settings that do not fit.
pub(super) fn create(
    connection: &mut PgConnection,
    caller: &Caller,
    organization: OrganizationId,
    body: ResourceBody<ProjectAttributes>,
) -> Result<Project> {
    let tag_bindings = Bindings::related(&body.relationships)?.unwrap_or_default();
    let new = Project { tag_bindings, ..Project::new(organization).changed(body.attributes)? };
    let project = store::create(connection, &new)?;
    record(connection, caller, &project, "create")?;
    Ok(project)
}

/// Changes a project.
///
/// # Errors
/// As for [`create`].
pub(super) fn update(
    connection: &mut PgConnection,
    caller: &Caller,
    project: Project,
    body: ResourceBody<ProjectAttributes>,
) -> Result<Project> {
    let bindings = Bindings::related(&body.relationships)?;
    let changed = project.changed(body.attributes)?;
    let changed = Project { tag_bindings: bindings.unwrap_or(changed.tag_bindings), ..changed };
    let project = store::update(connection, &changed)?;
    record(connection, caller, &project, "update")?;
    Ok(project)
}

/// Gives a project these tag bindings instead of those that it had.
///
/// # Errors
/// 422 for too many.
pub(super) fn bind(
    connection: &mut PgConnection,
    caller: &Caller,
    project: Project,
    bindings: Bindings,
) -> Result<Project> {
    let tag_bindings = bindings.checked("/data")?;
    if tag_bindings == project.tag_bindings {
        return Ok(project);
    }
    let changed = store::update(connection, &Project { tag_bindings, ..project })?;
    record(connection, caller, &changed, "update")?;
    Ok(changed)
}

/// Deletes a project, into which nothing can be put meanwhile.
///
/// # Errors
/// 403 for the default project, and for one with workspaces, as the HCP API has it.
pub(super) fn delete(connection: &mut PgConnection, caller: &Caller, project: &Project) -> Result<()> {
    if project.is_default() {
        return Err(Error::forbidden("The default project of an organization cannot be deleted"));
    }
    if store::has_workspaces(connection, project.id)? {
        let detail =
            "A project with workspaces cannot be deleted: move them into another project, or delete them, first";
        return Err(Error::forbidden(detail));
    }
    let event = event(project, "destroy");
    deletions::mark(connection, Deleted::Project(project.id), &event)?;
    Ok(audit::record(connection, &caller.actor(), &[event])?)
}

fn record(connection: &mut PgConnection, caller: &Caller, project: &Project, action: &'static str) -> Result<()> {
    Ok(audit::record(connection, &caller.actor(), &[event(project, action)])?)
}

fn event(project: &Project, action: &'static str) -> Event {
    let about = json!({"name": project.name, "tag-bindings": project.tag_bindings.told()});
    Event::new(Some(project.organization_id), "project", project.id, action).meta(about)
}
