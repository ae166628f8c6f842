//! What may be done in a workspace: levels of access, and the permissions that each of them holds.

use diesel::prelude::*;
use serde::Serialize;

use crate::database::schema::team_workspaces;
use crate::database::text_enum::text_enum;

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

/// Why a permission cannot be chosen under a level that has its own: word for word what the HCP API says, as clients show it.
#[must_use]
pub fn read_only(permission: &str, level: &impl std::fmt::Display) -> String {
    let words = permission.replace('-', " ");
    let capital = words.chars().take(1).flat_map(char::to_uppercase).chain(words.chars().skip(1)).collect::<String>();
    format!(
        "{capital} is read-only when access level is '{level}'; use the 'custom' access level to set this attribute."
    )
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
