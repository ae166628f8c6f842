//! How workspaces look on the wire.

use serde_json::{Value, json};

use super::lock::Locker;
use super::tags::{TAG, Tag};
use super::{Workspace, settings::VcsRepo};
use crate::access::{Action, Caller, Runs, StateVersions, Target, Variables, WorkspaceRights};
use crate::ids::WorkspaceId;
use crate::jsonapi::{Identifier, Resource, ResourceType, time};
use crate::organizations::{self, ExecutionMode, Organization};
use crate::projects::{self, Project};

pub(crate) const WORKSPACES: ResourceType = ResourceType {
    name: "workspaces",
    fields: &[
        "actions",
        "agent-pool-id",
        "allow-destroy-plan",
        "assessments-enabled",
        "auto-apply",
        "auto-apply-run-trigger",
        "auto-destroy-at",
        "auto-destroy-activity-duration",
        "can-queue-destroy-plan",
        "created-at",
        "description",
        "environment",
        "execution-mode",
        "file-triggers-enabled",
        "global-remote-state",
        "project-remote-state",
        "inherits-project-auto-destroy",
        "latest-change-at",
        "lock-reason",
        "locked",
        "migration-environment",
        "name",
        "no-code-upgrade-available",
        "operations",
        "permissions",
        "queue-all-runs",
        "speculative-enabled",
        "source",
        "source-name",
        "source-url",
        "source-module-id",
        "structured-run-output-enabled",
        "terraform-version",
        "trigger-prefixes",
        "trigger-patterns",
        "vcs-repo",
        "vcs-repo-identifier",
        "working-directory",
        "updated-at",
        "resource-count",
        "apply-duration-average",
        "plan-duration-average",
        "policy-check-failures",
        "run-failures",
        "workspace-kpis-runs-count",
        "tag-names",
        "setting-overwrites",
        "hyok-enabled",
        "abilities",
        "allowed-token-roles",
        "default-token-format",
        "organization",
        "project",
        "agent-pool",
        "current-run",
        "ssh-key",
        "tags",
        "tag-bindings",
        "effective-tag-bindings",
        LOCKED_BY,
    ],
};

/// The relationship to who has locked a workspace.
pub(super) const LOCKED_BY: &str = "locked-by";

pub(crate) const TAGS: ResourceType =
    ResourceType { name: TAG, fields: &["name", "created-at", "instance-count", "organization"] };

/// A tag of an organization of this name, which so many workspaces that the caller sees have.
pub(super) fn tag(tag: &Tag, organization: &str, instances: i64) -> Resource {
    Resource::new(&TAGS, tag.id)
        .attribute("name", &tag.name)
        .attribute("created-at", time(tag.created_at))
        .attribute("instance-count", instances)
        .to_one("organization", Some(organizations::identifier(organization)))
}

/// A reference to a workspace.
pub(crate) fn identifier(id: WorkspaceId) -> Identifier {
    Identifier::new(WORKSPACES.name, id)
}

/// A workspace as a caller sees it who is this in it.
pub(super) fn workspace(
    workspace: &Workspace,
    project: &Project,
    organization: &Organization,
    caller: &Caller,
    rights: &WorkspaceRights,
) -> Resource {
    let settings = &workspace.settings;
    let default_mode = project.settings.default_execution_mode.unwrap_or(organization.settings.default_execution_mode);
    let mode = settings.execution_mode.unwrap_or(default_mode);
    let pool = settings.agent_pool_id.as_ref().map(|id| Identifier::new("agent-pools", id));
    let can_delete = caller.can(Action::DeleteWorkspace, Target::WorkspaceWith(Some(*rights)));
    let resource = without_runs(Resource::new(&WORKSPACES, workspace.id).attributes(settings));
    let resource = match workspace.locked_by().map(Locker::face) {
        Some((kind, id)) => resource.to_one(LOCKED_BY, Some(Identifier::new(kind, id))),
        None => resource,
    };
    resource
        .attribute("abilities", &workspace.abilities)
        .attribute("allowed-token-roles", &workspace.allowed_token_roles)
        .attribute("default-token-format", workspace.default_token_format)
        .attribute("actions", json!({ "is-destroyable": can_delete }))
        .attribute("auto-destroy-at", settings.auto_destroy_at.map(|moment| time(moment.0)))
        .attribute("auto-destroy-activity-duration", auto_destroy_duration(workspace, project))
        .attribute("created-at", time(workspace.created_at))
        .attribute("description", &workspace.description)
        .attribute("execution-mode", mode)
        .attribute("inherits-project-auto-destroy", settings.inherits_auto_destroy())
        .attribute("latest-change-at", time(workspace.updated_at))
        .attribute("lock-reason", &workspace.lock_reason)
        .attribute("locked", workspace.locked_at.is_some())
        .attribute("name", &workspace.name)
        .attribute("operations", mode != ExecutionMode::Local)
        .attribute("permissions", permissions(caller, rights))
        .attribute("source", "tfe-api")
        .attribute("tag-names", &workspace.tags)
        .attribute("updated-at", time(workspace.updated_at))
        .attribute("vcs-repo", settings.vcs_repo.as_ref().map(repository))
        .attribute("vcs-repo-identifier", settings.vcs_repo.as_ref().and_then(|repo| repo.identifier.as_ref()))
        .to_one("organization", Some(organizations::identifier(&organization.name)))
        .to_one("agent-pool", pool)
        .to_one("project", Some(projects::identifier(project.id)))
        .to_one("current-run", None)
        .to_one("ssh-key", None)
        .relation_link("tags", format!("/api/v2/workspaces/{}/relationships/tags", workspace.id))
        .relation_link("tag-bindings", format!("/api/v2/workspaces/{}/tag-bindings", workspace.id))
        .relation_link("effective-tag-bindings", format!("/api/v2/workspaces/{}/effective-tag-bindings", workspace.id))
        .link_self(format!("/api/v2/organizations/{}/workspaces/{}", organization.name, workspace.name))
        .link("self-html", format!("/app/{}/workspaces/{}", organization.name, workspace.name))
}

/// A workspace without a time and a duration of its own has the duration of its project.
fn auto_destroy_duration<'a>(workspace: &'a Workspace, project: &'a Project) -> Option<&'a String> {
    let own = workspace.settings.auto_destroy_activity_duration.as_ref();
    let inherits = own.is_none() && workspace.settings.auto_destroy_at.is_none();
    own.or(project.settings.auto_destroy_activity_duration.as_ref().filter(|_| inherits))
}

/// What the HCP API tells of runs and modules, which a token service has none of.
fn without_runs(resource: Resource) -> Resource {
    let resource = ["can-queue-destroy-plan", "no-code-upgrade-available"]
        .into_iter()
        .fold(resource, |resource, name| resource.attribute(name, false));
    let counts = ["resource-count", "policy-check-failures", "run-failures", "workspace-kpis-runs-count"];
    let averages = ["apply-duration-average", "plan-duration-average"];
    let resource = counts.into_iter().chain(averages).fold(resource, |resource, name| resource.attribute(name, 0));
    resource.attribute("environment", "default").attribute("source-module-id", ())
}

fn repository(repository: &VcsRepo) -> Value {
    json!({
        "branch": repository.branch,
        "display-identifier": repository.identifier,
        "identifier": repository.identifier,
        "ingress-submodules": repository.ingress_submodules,
        "oauth-token-id": repository.oauth_token_id,
        "github-app-installation-id": repository.github_app_installation_id,
        "tags-regex": repository.tags_regex,
        "tags": false,
        "repository-http-url": null,
        "service-provider": null,
        "webhook-url": null,
    })
}

fn permissions(caller: &Caller, rights: &WorkspaceRights) -> Value {
    let can = |action| caller.can(action, Target::Workspace(Some(rights.role)));
    let can_with = |action| caller.can(action, Target::WorkspaceWith(Some(*rights)));
    let (deletes, locks) = (can_with(Action::DeleteWorkspace), can_with(Action::LockWorkspace));
    let may = rights.permissions;
    json!({
        "can-update": can(Action::UpdateWorkspace),
        "can-destroy": deletes,
        "can-force-delete": deletes,
        "can-read-settings": can(Action::SeeWorkspace),
        "can-manage-run-tasks": may.run_tasks,
        "can-manage-hyok": false,
        "can-queue-run": may.runs >= Runs::Plan,
        "can-queue-apply": may.runs >= Runs::Apply,
        "can-queue-destroy": may.runs >= Runs::Apply,
        "can-read-variable": may.variables >= Variables::Read,
        "can-update-variable": may.variables >= Variables::Write,
        "can-read-state-versions": may.state_versions >= StateVersions::Read,
        "can-read-state-outputs": may.state_versions >= StateVersions::ReadOutputs,
        "can-create-state-versions": may.state_versions >= StateVersions::Write,
        "can-lock": locks,
        "can-unlock": locks,
        "can-force-unlock": can(Action::ForceUnlockWorkspace),
    })
}
