//! What a caller is, and may do, in a workspace (DESIGN §4): computed here, and nowhere else.

use super::{Caller, Standing};
use crate::database::words::words;
use crate::ids::TeamId;
use crate::team_access::{Grant, Level, WorkspacePermissions};
use crate::teams::Permission;

words! {
    /// What somebody is in a workspace, the lowest first.
    WorkspaceRole {
        /// By access `read`, or `read-workspaces`.
        Viewer = "viewer",
        /// By access `write`, `plan` or `custom`.
        Member = "member",
        /// By access `admin`.
        Manager = "manager",
        /// By `manage-workspaces`.
        Admin = "admin",
        /// By the team `owners`, or as the organization itself.
        Owner = "owner",
    }
}

impl WorkspaceRole {
    /// What access of a level makes of a team.
    #[must_use]
    pub const fn of(level: Level) -> Self {
        match level {
            Level::Read => Self::Viewer,
            Level::Plan | Level::Write | Level::Custom => Self::Member,
            Level::Admin => Self::Manager,
        }
    }
}

/// What a caller is in a workspace, and what all of its teams together may do there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkspaceStanding {
    /// The highest role of the caller's teams.
    pub role: WorkspaceRole,
    /// Of each permission the most that any of the caller's teams has.
    pub permissions: WorkspacePermissions,
}

impl WorkspaceStanding {
    const fn whole(role: WorkspaceRole, level: Level) -> Self {
        Self { role, permissions: level.permissions() }
    }

    const fn given(grant: Grant) -> Self {
        Self { role: WorkspaceRole::of(grant.level), permissions: grant.permissions }
    }

    fn joined(self, other: Self) -> Self {
        Self { role: self.role.max(other.role), permissions: self.permissions.joined(other.permissions) }
    }
}

/// Which of an organization's workspaces a caller sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorkspaceReach {
    /// All.
    Everything,
    /// Those that these teams have access to.
    OfTeams(Vec<TeamId>),
}

impl Caller {
    /// What the caller is in a workspace that its teams have these accesses to; none if it is nothing there, so that
    /// the workspace does not exist for it.
    pub fn standing_in(&self, grants: impl IntoIterator<Item = Grant>) -> Option<WorkspaceStanding> {
        let given = grants.into_iter().map(WorkspaceStanding::given);
        everywhere(&self.standing).into_iter().chain(given).reduce(WorkspaceStanding::joined)
    }

    /// Which workspaces the caller sees, for lists: those where [`Caller::standing_in`] finds it to be something.
    #[must_use]
    pub fn workspace_reach(&self) -> WorkspaceReach {
        match everywhere(&self.standing) {
            Some(_) => WorkspaceReach::Everything,
            None => WorkspaceReach::OfTeams(self.standing.teams.iter().copied().collect()),
        }
    }
}

/// What somebody is in every workspace of the organization.
fn everywhere(Standing { owner, permissions, .. }: &Standing) -> Option<WorkspaceStanding> {
    if *owner {
        Some(WorkspaceStanding::whole(WorkspaceRole::Owner, Level::Admin))
    } else if permissions.contains(&Permission::ManageWorkspaces) {
        Some(WorkspaceStanding::whole(WorkspaceRole::Admin, Level::Admin))
    } else if permissions.contains(&Permission::ReadWorkspaces) {
        Some(WorkspaceStanding::whole(WorkspaceRole::Viewer, Level::Read))
    } else {
        None
    }
}
