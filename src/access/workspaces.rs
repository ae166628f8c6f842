//! What a caller is, and may do, in a workspace, and how far a token's own role caps that (docs/design.md §1, §4): computed
//! here, and nowhere else.

use super::{
    Caller, Grant, Level, OrganizationRights, Permission, Principal, ProjectGrant, Role, WorkspacePermissions,
};
use crate::ids::{TeamId, WorkspaceId};

/// What a caller is in a workspace, and what it may do there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkspaceRights {
    /// The highest role that the caller's teams or permissions give it, or that of the workspace's own token.
    pub role: Role,
    /// Of each permission the most that any of these gives.
    pub permissions: WorkspacePermissions,
    /// Whether access to its project lets one delete it, whatever the role.
    pub deletes: bool,
}

impl WorkspaceRights {
    /// Whether they include all that the others would give.
    fn covers(&self, others: &Self) -> bool {
        let deletes = self.deletes || self.role >= Role::Manager || !others.deletes;
        deletes && self.role >= others.role && self.permissions.joined(others.permissions) == self.permissions
    }

    const fn whole(role: Role, level: Level) -> Self {
        Self { role, permissions: level.permissions(), deletes: false }
    }

    fn capped(self, cap: Role) -> Self {
        let permissions = self.permissions.capped(cap.level().permissions());
        Self { role: self.role.min(cap), permissions, deletes: self.deletes && cap >= Role::Manager }
    }

    fn joined(self, other: Self) -> Self {
        Self {
            role: self.role.max(other.role),
            permissions: self.permissions.joined(other.permissions),
            deletes: self.deletes || other.deletes,
        }
    }
}

/// What access to the workspace gives.
impl From<Grant> for WorkspaceRights {
    fn from(grant: Grant) -> Self {
        Self { role: Role::of(grant.level), permissions: grant.permissions, deletes: false }
    }
}

/// What access to its project gives.
impl From<ProjectGrant> for WorkspaceRights {
    fn from(grant: ProjectGrant) -> Self {
        let permissions = grant.permissions;
        Self { role: grant.role(), permissions: permissions.in_workspaces(), deletes: permissions.deletes }
    }
}

/// Which of an organization's workspaces a caller sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VisibleWorkspaces {
    All,
    /// Those that these teams have access to, or to whose projects they have.
    OfTeams(Vec<TeamId>),
    /// Its own, to a workspace's token.
    Own(WorkspaceId),
}

impl Caller {
    /// What the caller is in a workspace where its teams' accesses give this, those to the workspace and those to its
    /// project; none if it is nothing there, so that the workspace does not exist for it.
    pub fn rights_in(&self, given: impl IntoIterator<Item = WorkspaceRights>) -> Option<WorkspaceRights> {
        let rights = everywhere(&self.rights).into_iter().chain(given).reduce(WorkspaceRights::joined)?;
        Some(rights.capped(self.role))
    }

    /// Whether the caller would be more in a workspace where it was given `then` than it is where it is given `now`; by
    /// whichever of its tokens, so that no cap counts.
    pub fn gains(
        &self,
        now: impl IntoIterator<Item = WorkspaceRights>,
        then: impl IntoIterator<Item = WorkspaceRights>,
    ) -> bool {
        let whole = |given: &mut dyn Iterator<Item = WorkspaceRights>| {
            everywhere(&self.rights).into_iter().chain(given).reduce(WorkspaceRights::joined)
        };
        match (whole(&mut now.into_iter()), whole(&mut then.into_iter())) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(now), Some(then)) => !now.covers(&then),
        }
    }

    /// What a workspace's own token is in its workspace: what its role says. Of what is there beside tokens and settings
    /// it only sees that it is.
    #[must_use]
    pub fn rights_in_own(&self, workspace: WorkspaceId) -> Option<WorkspaceRights> {
        let own = matches!(self.principal, Principal::Workspace { id, .. } if id == workspace);
        own.then(|| WorkspaceRights::whole(self.role, Level::Read))
    }

    /// Which workspaces the caller sees, for lists: those where [`Caller::rights_in`] finds it to be something.
    #[must_use]
    pub fn visible_workspaces(&self) -> VisibleWorkspaces {
        match (&self.principal, everywhere(&self.rights)) {
            (Principal::Workspace { id, .. }, _) => VisibleWorkspaces::Own(*id),
            (_, Some(_)) => VisibleWorkspaces::All,
            (_, None) => VisibleWorkspaces::OfTeams(self.rights.teams.iter().copied().collect()),
        }
    }
}

/// What somebody is in every workspace of the organization.
fn everywhere(OrganizationRights { owner, permissions, .. }: &OrganizationRights) -> Option<WorkspaceRights> {
    let holds = |any: &[Permission]| any.iter().any(|one| permissions.contains(one));
    if *owner {
        Some(WorkspaceRights::whole(Role::Owner, Level::Admin))
    } else if holds(&[Permission::ManageWorkspaces, Permission::ManageProjects]) {
        Some(WorkspaceRights::whole(Role::Admin, Level::Admin))
    } else if holds(&[Permission::ReadWorkspaces, Permission::ReadProjects]) {
        Some(WorkspaceRights::whole(Role::Viewer, Level::Read))
    } else {
        None
    }
}
