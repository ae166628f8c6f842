//! What may be done in a project: levels of access, what each of them holds, and what a caller is there.

use diesel::prelude::*;

use super::{
    Caller, OrganizationRights, Permission, Role, Runs, SentinelMocks, StateVersions, Variables, WorkspacePermissions,
};
use crate::database::schema::team_projects;
use crate::database::text_enum::text_enum;
use crate::ids::TeamId;

text_enum! {
    pub enum ProjectLevel {
        Read = "read",
        Write = "write",
        /// Manages the project's workspaces, makes, moves and deletes them.
        Maintain = "maintain",
        /// The same, and changes the project itself, and who has access to it.
        Admin = "admin",
        /// What was chosen, permission by permission.
        Custom = "custom",
    }
}

text_enum! {
    /// What may be done to the project itself, the least first.
    pub enum ProjectSettings {
        Read = "read",
        Update = "update",
        Delete = "delete",
    }
}

text_enum! {
    /// What may be done about the access of teams to the project, the least first.
    pub enum ProjectTeams {
        None = "none",
        Read = "read",
        Manage = "manage",
    }
}

text_enum! {
    /// What may be done with the project's sets of variables, the least first.
    pub enum VariableSets {
        None = "none",
        Read = "read",
        Write = "write",
    }
}

/// What a team may do in a project and in its workspaces, thing by thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = team_projects, check_for_backend(diesel::pg::Pg))]
pub struct ProjectPermissions {
    pub settings: ProjectSettings,
    pub teams: ProjectTeams,
    pub variable_sets: VariableSets,
    pub runs: Runs,
    pub variables: Variables,
    pub state_versions: StateVersions,
    pub sentinel_mocks: SentinelMocks,
    pub locking: bool,
    pub run_tasks: bool,
    pub policy_overrides: bool,
    /// Whether workspaces may be made in the project,
    pub creates: bool,
    /// moved into it and out of it,
    pub moves: bool,
    /// and deleted.
    pub deletes: bool,
}

impl ProjectPermissions {
    /// What of it is about each of the project's workspaces.
    #[must_use]
    pub const fn in_workspaces(self) -> WorkspacePermissions {
        WorkspacePermissions {
            runs: self.runs,
            variables: self.variables,
            state_versions: self.state_versions,
            sentinel_mocks: self.sentinel_mocks,
            workspace_locking: self.locking,
            run_tasks: self.run_tasks,
            policy_overrides: self.policy_overrides,
        }
    }

    const fn with_in_workspaces(self, permissions: WorkspacePermissions) -> Self {
        let WorkspacePermissions { runs, variables, state_versions, sentinel_mocks, .. } = permissions;
        let WorkspacePermissions { workspace_locking: locking, run_tasks, policy_overrides, .. } = permissions;
        Self { runs, variables, state_versions, sentinel_mocks, locking, run_tasks, policy_overrides, ..self }
    }

    /// Of each permission the greater of the two.
    fn joined(self, other: Self) -> Self {
        Self {
            settings: self.settings.max(other.settings),
            teams: self.teams.max(other.teams),
            variable_sets: self.variable_sets.max(other.variable_sets),
            creates: self.creates || other.creates,
            moves: self.moves || other.moves,
            deletes: self.deletes || other.deletes,
            ..self.with_in_workspaces(self.in_workspaces().joined(other.in_workspaces()))
        }
    }

    /// What is left of it to who comes by a token of this role. Looking is never capped.
    fn capped(self, cap: Role) -> Self {
        let manages = cap >= Role::Manager;
        let administers = cap >= Role::Admin;
        Self {
            settings: if administers { self.settings } else { ProjectSettings::Read },
            teams: if administers { self.teams } else { self.teams.min(ProjectTeams::Read) },
            variable_sets: if manages { self.variable_sets } else { self.variable_sets.min(VariableSets::Read) },
            creates: self.creates && manages,
            moves: self.moves && manages,
            deletes: self.deletes && manages,
            ..self.with_in_workspaces(self.in_workspaces().capped(cap.level().permissions()))
        }
    }
}

impl ProjectLevel {
    /// What the level holds, as the HCP API documents it; of a custom one, what it holds unless more is chosen.
    #[must_use]
    pub const fn permissions(self) -> ProjectPermissions {
        let least = ProjectPermissions {
            settings: ProjectSettings::Read,
            teams: ProjectTeams::None,
            variable_sets: VariableSets::None,
            runs: Runs::Read,
            variables: Variables::None,
            state_versions: StateVersions::None,
            sentinel_mocks: SentinelMocks::None,
            locking: false,
            run_tasks: false,
            policy_overrides: false,
            creates: false,
            moves: false,
            deletes: false,
        };
        let read = ProjectPermissions {
            variable_sets: VariableSets::Read,
            variables: Variables::Read,
            state_versions: StateVersions::Read,
            ..least
        };
        let write = ProjectPermissions {
            runs: Runs::Apply,
            variables: Variables::Write,
            state_versions: StateVersions::Write,
            sentinel_mocks: SentinelMocks::Read,
            locking: true,
            ..read
        };
        let maintain = ProjectPermissions {
            variable_sets: VariableSets::Write,
            run_tasks: true,
            policy_overrides: true,
            creates: true,
            moves: true,
            deletes: true,
            ..write
        };
        match self {
            Self::Custom => least,
            Self::Read => read,
            Self::Write => write,
            Self::Maintain => maintain,
            Self::Admin => {
                ProjectPermissions { settings: ProjectSettings::Delete, teams: ProjectTeams::Manage, ..maintain }
            }
        }
    }
}

/// A level and what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = team_projects, check_for_backend(diesel::pg::Pg))]
pub struct ProjectGrant {
    #[diesel(column_name = access)]
    pub level: ProjectLevel,
    #[diesel(embed)]
    pub permissions: ProjectPermissions,
}

impl ProjectGrant {
    /// What it makes of a team in each of the project's workspaces.
    #[must_use]
    pub fn role(&self) -> Role {
        match self.level {
            ProjectLevel::Read => Role::Viewer,
            ProjectLevel::Write => Role::Member,
            ProjectLevel::Maintain => Role::Manager,
            ProjectLevel::Admin => Role::Admin,
            ProjectLevel::Custom if self.permissions.runs == Runs::Read => Role::Viewer,
            ProjectLevel::Custom => Role::Member,
        }
    }
}

/// Something that one may do in a project by one's rights there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InProject {
    See,
    Update,
    Delete,
    SeeTeams,
    ManageTeams,
    CreateWorkspaces,
    MoveWorkspaces,
}

/// What a caller is in a project, and what it may do there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProjectRights {
    /// What it is in each of the project's workspaces by this.
    pub role: Role,
    /// Of each permission the most that anything gives.
    pub permissions: ProjectPermissions,
}

impl ProjectRights {
    const fn whole(role: Role, level: ProjectLevel) -> Self {
        Self { role, permissions: level.permissions() }
    }

    fn joined(self, other: Self) -> Self {
        Self { role: self.role.max(other.role), permissions: self.permissions.joined(other.permissions) }
    }

    /// Whether they include all that this would give.
    #[must_use]
    pub fn cover(&self, grant: &ProjectGrant) -> bool {
        self.role >= grant.role() && self.permissions.joined(grant.permissions) == self.permissions
    }

    pub(super) fn allow(&self, what: InProject) -> bool {
        let may = self.permissions;
        match what {
            InProject::See => true,
            InProject::Update => may.settings >= ProjectSettings::Update,
            InProject::Delete => may.settings >= ProjectSettings::Delete,
            InProject::SeeTeams => may.teams >= ProjectTeams::Read,
            InProject::ManageTeams => may.teams >= ProjectTeams::Manage,
            InProject::CreateWorkspaces => may.creates,
            InProject::MoveWorkspaces => may.moves,
        }
    }
}

impl From<ProjectGrant> for ProjectRights {
    fn from(grant: ProjectGrant) -> Self {
        Self { role: grant.role(), permissions: grant.permissions }
    }
}

/// Which of an organization's projects a caller sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VisibleProjects {
    All,
    /// Those that these teams have access to.
    OfTeams(Vec<TeamId>),
}

impl Caller {
    /// What the caller is in a project that its teams have these accesses to; none if it is nothing there, so that the
    /// project does not exist for it.
    pub fn rights_in_project(&self, grants: impl IntoIterator<Item = ProjectGrant>) -> Option<ProjectRights> {
        let given = grants.into_iter().map(ProjectRights::from);
        let ProjectRights { role, permissions } =
            everywhere(&self.rights).into_iter().chain(given).reduce(ProjectRights::joined)?;
        Some(ProjectRights { role: role.min(self.role), permissions: permissions.capped(self.role) })
    }

    /// Which projects the caller sees, for lists: those where [`Caller::rights_in_project`] finds it to be something.
    #[must_use]
    pub fn visible_projects(&self) -> VisibleProjects {
        match everywhere(&self.rights) {
            Some(_) => VisibleProjects::All,
            None => VisibleProjects::OfTeams(self.rights.teams.iter().copied().collect()),
        }
    }
}

/// What somebody is in every project of the organization.
fn everywhere(OrganizationRights { owner, permissions, .. }: &OrganizationRights) -> Option<ProjectRights> {
    let by = |permission, rights: ProjectRights| permissions.contains(&permission).then_some(rights);
    // Whoever manages every workspace makes them where they should be, and sees where that can be.
    let maintain = ProjectLevel::Maintain.permissions();
    let of_workspaces = ProjectRights {
        role: Role::Admin,
        permissions: ProjectPermissions { variable_sets: VariableSets::None, ..maintain },
    };
    [
        owner.then_some(ProjectRights::whole(Role::Owner, ProjectLevel::Admin)),
        by(Permission::ManageProjects, ProjectRights::whole(Role::Admin, ProjectLevel::Admin)),
        by(Permission::ManageWorkspaces, of_workspaces),
        by(Permission::ReadProjects, ProjectRights::whole(Role::Viewer, ProjectLevel::Read)),
    ]
    .into_iter()
    .flatten()
    .reduce(ProjectRights::joined)
}
