//! Roles: what a caller is, and may do, in a workspace, and how far a token's own role caps that (DESIGN §1, §4):
//! computed here, and nowhere else.

use super::{Caller, Principal, Standing};
use crate::database::text_enum::text_enum;
use crate::ids::{TeamId, WorkspaceId};
use crate::team_access::{Grant, Level, WorkspacePermissions};
use crate::teams::Permission;

text_enum! {
    /// What somebody is in a workspace, and what a token caps its principal to; the lowest first.
    pub enum Role {
        /// By access `read`, or `read-workspaces`. A token of this role only looks.
        Viewer = "viewer",
        /// By access `write`, `plan` or `custom`. A token of this role does what an ordinary member may.
        Member = "member",
        /// By access `admin`. A token of this role does, beyond a member, what is a manager's in a workspace.
        Manager = "manager",
        /// By `manage-workspaces`. A token of this role has all its principal's permissions in the organization, and of
        /// an owner's all there are; what is for owners alone it does not.
        Admin = "admin",
        /// By the team `owners`, or as the organization itself. A token of this role is not capped.
        Owner = "owner",
    }
}

impl Role {
    /// What access of a level makes of a team.
    #[must_use]
    pub const fn of(level: Level) -> Self {
        match level {
            Level::Read => Self::Viewer,
            Level::Plan | Level::Write | Level::Custom => Self::Member,
            Level::Admin => Self::Manager,
        }
    }

    /// The level whose permissions are the most that the role has.
    const fn level(self) -> Level {
        match self {
            Self::Viewer => Level::Read,
            Self::Member => Level::Write,
            Self::Manager | Self::Admin | Self::Owner => Level::Admin,
        }
    }
}

/// What a caller is in a workspace, and what all of its teams together may do there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkspaceStanding {
    /// The highest role of the caller's teams.
    pub role: Role,
    /// Of each permission the most that any of the caller's teams has.
    pub permissions: WorkspacePermissions,
}

impl WorkspaceStanding {
    const fn whole(role: Role, level: Level) -> Self {
        Self { role, permissions: level.permissions() }
    }

    const fn given(grant: Grant) -> Self {
        Self { role: Role::of(grant.level), permissions: grant.permissions }
    }

    fn capped(self, cap: Role) -> Self {
        let permissions = self.permissions.capped(cap.level().permissions());
        Self { role: self.role.min(cap), permissions }
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
        let standing = everywhere(&self.standing).into_iter().chain(given).reduce(WorkspaceStanding::joined)?;
        Some(standing.capped(self.role))
    }

    /// What a workspace's own token is in its workspace: it sees it.
    #[must_use]
    pub fn standing_in_own(&self, workspace: WorkspaceId) -> Option<WorkspaceStanding> {
        let own = matches!(self.principal, Principal::Workspace { id, .. } if id == workspace);
        own.then(|| WorkspaceStanding::whole(Role::Viewer, Level::Read))
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
        Some(WorkspaceStanding::whole(Role::Owner, Level::Admin))
    } else if permissions.contains(&Permission::ManageWorkspaces) {
        Some(WorkspaceStanding::whole(Role::Admin, Level::Admin))
    } else if permissions.contains(&Permission::ReadWorkspaces) {
        Some(WorkspaceStanding::whole(Role::Viewer, Level::Read))
    } else {
        None
    }
}
