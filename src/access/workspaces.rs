//! What a caller is, and may do, in a workspace, and how far a token's own role caps that (DESIGN §1, §4): computed
//! here, and nowhere else.

use super::{Caller, Permission, Principal, Role, Standing};
use crate::ids::{TeamId, WorkspaceId};
use crate::team_access::{Grant, Level, WorkspacePermissions};

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
