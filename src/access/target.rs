//! What an action is done to, and in which organization.

use super::{ProjectRights, Role, WorkspaceRights};
use crate::ids::{
    MembershipId, ProjectAccessId, ProjectId, ReservedTagKeyId, TagId, TeamAccessId, TeamId, TokenId, UserId,
    WorkspaceId,
};

/// The organization that a request is about, as its path names it. A path that does not parse names none.
#[derive(Debug, Clone)]
pub enum OrganizationRef {
    /// None: the request is about the caller, or about many organizations.
    None,
    /// The organization of this name.
    Organization(Option<String>),
    /// The organization that this team is in.
    Team(Option<TeamId>),
    /// The organization that this token belongs to; none for a person's token.
    Token(Option<TokenId>),
    /// The organization that this membership is in.
    Membership(Option<MembershipId>),
    /// The organization that this workspace is in.
    Workspace(Option<WorkspaceId>),
    /// The organization that this team access is in.
    TeamAccess(Option<TeamAccessId>),
    /// The organization that this service account is in; none for a person.
    User(Option<UserId>),
    /// The organization that has this tag.
    Tag(Option<TagId>),
    /// The organization that this project is in.
    Project(Option<ProjectId>),
    /// The organization that this team's access to a project is in.
    ProjectAccess(Option<ProjectAccessId>),
    /// The organization that has reserved this key.
    ReservedTagKey(Option<ReservedTagKeyId>),
}

/// What the table needs to know of a team.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TeamFacts {
    pub id: TeamId,
    /// Whether it is the team `owners`.
    pub owners: bool,
    /// Whether only some may see it.
    pub secret: bool,
    pub allows_members: bool,
}

impl TeamFacts {
    /// A secret team that the caller is not in, to ask whether the caller sees every team.
    #[must_use]
    pub fn of_any_secret_team() -> Self {
        Self { id: TeamId::generate(), owners: false, secret: true, allows_members: false }
    }
}

/// What an action is to be done to, beside the organization that it happens in.
#[derive(Debug, Clone, Copy)]
pub enum Target {
    /// The organization itself, or something new in it.
    Organization,
    Team(TeamFacts),
    /// A team's token; none where it is not known whether there is one.
    TeamToken(TeamFacts, Option<TokenId>),
    User(UserId),
    /// The token that calls, and whether it has `self-rotation`.
    Itself {
        rotates: bool,
    },
    /// A workspace, by the role that the caller has in it.
    Workspace(Option<Role>),
    /// A workspace's token, by the role that the caller has in the workspace.
    WorkspaceToken(Option<Role>, TokenId),
    /// A team's access to a workspace, by the role that the caller has in the workspace.
    TeamAccess(TeamFacts, Option<Role>),
    /// A workspace, by all that the caller may do in it.
    WorkspaceWith(Option<WorkspaceRights>),
    /// A project, by what the caller is in it.
    Project(Option<ProjectRights>),
    /// A team's access to a project, by what the caller is in the project.
    ProjectAccess(TeamFacts, Option<ProjectRights>),
}

impl Target {
    pub(super) const fn team(&self) -> Option<&TeamFacts> {
        match self {
            Self::Team(team) | Self::TeamToken(team, _) | Self::TeamAccess(team, _) | Self::ProjectAccess(team, _) => {
                Some(team)
            }
            Self::Organization
            | Self::User(_)
            | Self::Itself { .. }
            | Self::Workspace(_)
            | Self::WorkspaceWith(_)
            | Self::WorkspaceToken(..)
            | Self::Project(_) => None,
        }
    }

    pub(super) const fn role(&self) -> Option<Role> {
        match self {
            Self::Workspace(role) | Self::WorkspaceToken(role, _) | Self::TeamAccess(_, role) => *role,
            Self::WorkspaceWith(Some(rights)) => Some(rights.role),
            Self::WorkspaceWith(None)
            | Self::Organization
            | Self::Team(_)
            | Self::TeamToken(..)
            | Self::User(_)
            | Self::Itself { .. }
            | Self::Project(_)
            | Self::ProjectAccess(..) => None,
        }
    }

    /// What the caller is in the project.
    pub(super) const fn in_project(&self) -> Option<&ProjectRights> {
        match self {
            Self::Project(Some(rights)) | Self::ProjectAccess(_, Some(rights)) => Some(rights),
            _ => None,
        }
    }
}
