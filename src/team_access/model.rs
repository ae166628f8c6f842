//! The levels of access, the permissions that each of them holds, and what a client may write.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::database::schema::team_workspaces;
use crate::database::text_enum::text_enum;
use crate::ids::{OrganizationId, TeamAccessId, TeamId, WorkspaceId};
use crate::jsonapi::{Error, Result};

text_enum! {
    pub enum Level {
        Read = "read",
        Plan = "plan",
        /// Applies runs, and writes variables and state.
        Write = "write",
        /// Changes the workspace itself, and who has access to it.
        Admin = "admin",
        /// What was chosen, permission by permission.
        Custom = "custom",
    }
}

text_enum! {
    /// What may be done with runs, the least first.
    pub enum Runs {
        Read = "read",
        Plan = "plan",
        Apply = "apply",
    }
}

text_enum! {
    /// What may be done with variables, the least first.
    pub enum Variables {
        None = "none",
        Read = "read",
        Write = "write",
    }
}

text_enum! {
    /// What may be done with state versions, the least first.
    pub enum StateVersions {
        None = "none",
        ReadOutputs = "read-outputs",
        Read = "read",
        Write = "write",
    }
}

text_enum! {
    /// What may be done with Sentinel mocks, the least first.
    pub enum SentinelMocks {
        None = "none",
        Read = "read",
    }
}

/// What a team may do in a workspace, thing by thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = team_workspaces, check_for_backend(diesel::pg::Pg))]
#[serde(rename_all = "kebab-case")]
pub struct WorkspacePermissions {
    pub runs: Runs,
    pub variables: Variables,
    pub state_versions: StateVersions,
    pub sentinel_mocks: SentinelMocks,
    pub workspace_locking: bool,
    pub run_tasks: bool,
    pub policy_overrides: bool,
}

impl WorkspacePermissions {
    /// Of each permission the greater of the two.
    #[must_use]
    pub fn joined(self, other: Self) -> Self {
        Self {
            runs: self.runs.max(other.runs),
            variables: self.variables.max(other.variables),
            state_versions: self.state_versions.max(other.state_versions),
            sentinel_mocks: self.sentinel_mocks.max(other.sentinel_mocks),
            workspace_locking: self.workspace_locking || other.workspace_locking,
            run_tasks: self.run_tasks || other.run_tasks,
            policy_overrides: self.policy_overrides || other.policy_overrides,
        }
    }
}

impl WorkspacePermissions {
    /// Of each permission the lesser of the two.
    #[must_use]
    pub fn capped(self, cap: Self) -> Self {
        Self {
            runs: self.runs.min(cap.runs),
            variables: self.variables.min(cap.variables),
            state_versions: self.state_versions.min(cap.state_versions),
            sentinel_mocks: self.sentinel_mocks.min(cap.sentinel_mocks),
            workspace_locking: self.workspace_locking && cap.workspace_locking,
            run_tasks: self.run_tasks && cap.run_tasks,
            policy_overrides: self.policy_overrides && cap.policy_overrides,
        }
    }
}

impl Level {
    /// What the level holds, as the HCP API documents it; of a custom one, what it holds unless more is chosen.
    #[must_use]
    pub const fn permissions(self) -> WorkspacePermissions {
        let least = WorkspacePermissions {
            runs: Runs::Read,
            variables: Variables::None,
            state_versions: StateVersions::None,
            sentinel_mocks: SentinelMocks::None,
            workspace_locking: false,
            run_tasks: false,
            policy_overrides: false,
        };
        let read = WorkspacePermissions { variables: Variables::Read, state_versions: StateVersions::Read, ..least };
        let write = WorkspacePermissions {
            runs: Runs::Apply,
            variables: Variables::Write,
            state_versions: StateVersions::Write,
            sentinel_mocks: SentinelMocks::Read,
            workspace_locking: true,
            ..least
        };
        match self {
            Self::Custom => least,
            Self::Read => read,
            Self::Plan => WorkspacePermissions { runs: Runs::Plan, ..read },
            Self::Write => write,
            Self::Admin => WorkspacePermissions { run_tasks: true, policy_overrides: true, ..write },
        }
    }
}

/// A level and what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = team_workspaces, check_for_backend(diesel::pg::Pg))]
pub struct Grant {
    #[diesel(column_name = access)]
    pub level: Level,
    #[diesel(embed)]
    pub permissions: WorkspacePermissions,
}

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
            Error::check(different(wanted, base).into_iter().map(|name| {
                Error::attribute(
                    format!("/data/attributes/{name}"),
                    format!("{name} can be chosen only where access is custom; {level} has its own"),
                )
            }))?;
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
