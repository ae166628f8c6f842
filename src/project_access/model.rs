//! A team's access to a project, and what a client may write of one.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use validator::Validate;

use crate::access::{
    ProjectGrant, ProjectLevel, ProjectPermissions, ProjectSettings, ProjectTeams, Runs, SentinelMocks, StateVersions,
    VariableSets, Variables, read_only,
};
use crate::database::schema::team_projects;
use crate::ids::{OrganizationId, ProjectAccessId, ProjectId, TeamId};
use crate::jsonapi::{Error, Result};

/// A team's access to a project as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = team_projects, check_for_backend(diesel::pg::Pg))]
pub struct ProjectAccess {
    pub id: ProjectAccessId,
    /// The organization that both are in.
    pub organization_id: OrganizationId,
    pub team_id: TeamId,
    pub project_id: ProjectId,
    /// What the team may do there.
    #[diesel(embed)]
    pub grant: ProjectGrant,
    pub created_at: DateTime<Utc>,
}

/// What a client may write.
#[derive(Debug, Clone, Copy, Default, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct ProjectAccessAttributes {
    /// `access`.
    pub access: Option<ProjectLevel>,
    /// `project-access`; this and the next can differ from what the level holds only where the access is `custom`.
    pub project_access: Option<InProjectAttributes>,
    /// `workspace-access`.
    pub workspace_access: Option<InWorkspacesAttributes>,
}

/// What a team may do to the project itself.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct InProjectAttributes {
    /// `settings`.
    pub settings: Option<ProjectSettings>,
    /// `teams`.
    pub teams: Option<ProjectTeams>,
    /// `variable-sets`.
    pub variable_sets: Option<VariableSets>,
}

/// What a team may do in the project's workspaces.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct InWorkspacesAttributes {
    /// `runs`.
    pub runs: Option<Runs>,
    /// `sentinel-mocks`.
    pub sentinel_mocks: Option<SentinelMocks>,
    /// `state-versions`.
    pub state_versions: Option<StateVersions>,
    /// `variables`.
    pub variables: Option<Variables>,
    /// `create`: make workspaces in the project.
    pub create: Option<bool>,
    /// `locking`.
    pub locking: Option<bool>,
    /// `move`: move workspaces into the project and out of it.
    #[serde(rename = "move")]
    pub moves: Option<bool>,
    /// `delete`: delete workspaces of the project.
    pub delete: Option<bool>,
    /// `run-tasks`.
    pub run_tasks: Option<bool>,
    /// `policy-overrides`.
    pub policy_overrides: Option<bool>,
}

impl ProjectAccessAttributes {
    /// The access after the change. A custom access that was not one before keeps what its level held.
    ///
    /// # Errors
    /// 422 for each permission that the level does not hold so.
    pub fn applied_to(&self, before: ProjectGrant) -> Result<ProjectGrant> {
        let level = self.access.unwrap_or(before.level);
        let base = if level == ProjectLevel::Custom { before.permissions } else { level.permissions() };
        let wanted = self.over(base);
        if level != ProjectLevel::Custom {
            let (wanted, base) = (members(&wanted), members(&base));
            let different = wanted.iter().zip(&base).filter(|(one, other)| one != other);
            Error::check(different.map(|((object, name, _), _)| {
                Error::attribute(format!("/data/attributes/{object}/{name}"), read_only(name, &level))
            }))?;
        }
        Ok(ProjectGrant { level, permissions: wanted })
    }

    fn over(&self, base: ProjectPermissions) -> ProjectPermissions {
        let own = self.project_access.unwrap_or_default();
        let inside = self.workspace_access.unwrap_or_default();
        ProjectPermissions {
            settings: own.settings.unwrap_or(base.settings),
            teams: own.teams.unwrap_or(base.teams),
            variable_sets: own.variable_sets.unwrap_or(base.variable_sets),
            runs: inside.runs.unwrap_or(base.runs),
            variables: inside.variables.unwrap_or(base.variables),
            state_versions: inside.state_versions.unwrap_or(base.state_versions),
            sentinel_mocks: inside.sentinel_mocks.unwrap_or(base.sentinel_mocks),
            locking: inside.locking.unwrap_or(base.locking),
            run_tasks: inside.run_tasks.unwrap_or(base.run_tasks),
            policy_overrides: inside.policy_overrides.unwrap_or(base.policy_overrides),
            creates: inside.create.unwrap_or(base.creates),
            moves: inside.moves.unwrap_or(base.moves),
            deletes: inside.delete.unwrap_or(base.deletes),
        }
    }
}

pub(super) const IN_PROJECT: &str = "project-access";
pub(super) const IN_WORKSPACES: &str = "workspace-access";

/// Each permission: the object that it is a member of on the wire, its name there, and its value.
pub(super) fn members(permissions: &ProjectPermissions) -> [(&'static str, &'static str, Value); 13] {
    let may = permissions;
    [
        (IN_PROJECT, "settings", json!(may.settings)),
        (IN_PROJECT, "teams", json!(may.teams)),
        (IN_PROJECT, "variable-sets", json!(may.variable_sets)),
        (IN_WORKSPACES, "runs", json!(may.runs)),
        (IN_WORKSPACES, "sentinel-mocks", json!(may.sentinel_mocks)),
        (IN_WORKSPACES, "state-versions", json!(may.state_versions)),
        (IN_WORKSPACES, "variables", json!(may.variables)),
        (IN_WORKSPACES, "create", json!(may.creates)),
        (IN_WORKSPACES, "locking", json!(may.locking)),
        (IN_WORKSPACES, "move", json!(may.moves)),
        (IN_WORKSPACES, "delete", json!(may.deletes)),
        (IN_WORKSPACES, "run-tasks", json!(may.run_tasks)),
        (IN_WORKSPACES, "policy-overrides", json!(may.policy_overrides)),
    ]
}
