//! A team's access to a workspace, and what a client may write of one.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use crate::access::{Grant, Level, Runs, SentinelMocks, StateVersions, Variables, WorkspacePermissions, read_only};
use crate::database::schema::team_workspaces;
use crate::ids::{OrganizationId, TeamAccessId, TeamId, WorkspaceId};
use crate::jsonapi::{Error, Result};

/// A team's access to a workspace as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = team_workspaces, check_for_backend(diesel::pg::Pg))]
pub struct TeamAccess {
    pub id: TeamAccessId,
    /// The organization that both are in.
    pub organization_id: OrganizationId,
    pub team_id: TeamId,
    pub workspace_id: WorkspaceId,
    /// What the team may do there.
    #[diesel(embed)]
    pub grant: Grant,
    pub created_at: DateTime<Utc>,
}

/// What a client may write.
#[derive(Debug, Clone, Copy, Default, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct TeamAccessAttributes {
    /// `access`.
    pub access: Option<Level>,
    /// `runs`; this and those below can differ from what the level holds only where the access is `custom`.
    pub runs: Option<Runs>,
    /// `variables`.
    pub variables: Option<Variables>,
    /// `state-versions`.
    pub state_versions: Option<StateVersions>,
    /// `sentinel-mocks`.
    pub sentinel_mocks: Option<SentinelMocks>,
    /// `workspace-locking`.
    pub workspace_locking: Option<bool>,
    /// `run-tasks`.
    pub run_tasks: Option<bool>,
    /// `policy-overrides`.
    pub policy_overrides: Option<bool>,
}

impl TeamAccessAttributes {
    /// The access after the change. A custom access that was not one before keeps what its level held.
    ///
    /// # Errors
    /// 422 for each permission that the level does not hold so.
    pub fn applied_to(self, before: Grant) -> Result<Grant> {
        let level = self.access.unwrap_or(before.level);
        let base = if level == Level::Custom { before.permissions } else { level.permissions() };
        let wanted = self.over(base);
        if level != Level::Custom {
            let fault = |name| Error::attribute(format!("/data/attributes/{name}"), read_only(name, &level));
            Error::check(different(wanted, base).into_iter().map(fault))?;
        }
        Ok(Grant { level, permissions: wanted })
    }

    fn over(self, base: WorkspacePermissions) -> WorkspacePermissions {
        WorkspacePermissions {
            runs: self.runs.unwrap_or(base.runs),
            variables: self.variables.unwrap_or(base.variables),
            state_versions: self.state_versions.unwrap_or(base.state_versions),
            sentinel_mocks: self.sentinel_mocks.unwrap_or(base.sentinel_mocks),
            workspace_locking: self.workspace_locking.unwrap_or(base.workspace_locking),
            run_tasks: self.run_tasks.unwrap_or(base.run_tasks),
            policy_overrides: self.policy_overrides.unwrap_or(base.policy_overrides),
        }
    }
}

/// The names of the permissions in which two sets differ.
fn different(one: WorkspacePermissions, other: WorkspacePermissions) -> Vec<&'static str> {
    [
        ("runs", one.runs != other.runs),
        ("variables", one.variables != other.variables),
        ("state-versions", one.state_versions != other.state_versions),
        ("sentinel-mocks", one.sentinel_mocks != other.sentinel_mocks),
        ("workspace-locking", one.workspace_locking != other.workspace_locking),
        ("run-tasks", one.run_tasks != other.run_tasks),
        ("policy-overrides", one.policy_overrides != other.policy_overrides),
    ]
    .into_iter()
    .filter_map(|(name, differs)| differs.then_some(name))
    .collect()
}
