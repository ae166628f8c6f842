//! Who may do what: the one table (docs/design.md §4).
//!
//! It is data, to be read like the table in the documentation: an action, who may do it, and what everybody
//! else is answered. Routes ask it and hold no rules of their own.

use std::fmt;

use super::{InProject, Role};
use crate::access::Permission;
use crate::jsonapi::Error;

/// Something that a request wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    SeeOrganization,
    CreateOrganization,
    UpdateOrganization,
    /// Delete an organization with everything in it.
    DeleteOrganization,
    SeeTeam,
    CreateTeam,
    UpdateTeam,
    /// Delete a team with its tokens.
    DeleteTeam,
    /// Give permissions in the organization to a team.
    SetOrganizationAccess,
    /// Put users into a team, or take them out.
    ChangeTeamMembers,
    /// List the organization's team tokens; the list holds just those that one may read.
    ListTeamTokens,
    /// Look at a team's token.
    ReadTeamToken,
    /// Make a team's one descriptionless token, or its successor.
    RegenerateTeamToken,
    /// Make one more token for a team.
    CreateTeamToken,
    /// Issue the successor of a team's token that is named by its id.
    ReplaceTeamToken,
    /// Edit a team's token, or switch it off and on.
    EditTeamToken,
    DeleteTeamToken,
    /// Show the token that calls.
    ShowItself,
    /// Revoke the token that calls.
    EndItself,
    /// Issue the successor of the token that calls, which has `self-rotation`.
    RenewItself,
    /// Look at a person's token.
    ReadUserToken,
    /// Make a person's token, edit it, switch it off and on, or replace it.
    ChangeUserToken,
    /// Revoke a person's token.
    EndUserToken,
    /// Look at a service account's token.
    ReadServiceAccountToken,
    /// Make a service account's token, edit it, switch it off and on, or replace it.
    ChangeServiceAccountToken,
    /// Revoke a service account's token.
    EndServiceAccountToken,
    /// Look at a workspace's token.
    ReadWorkspaceToken,
    /// Make a token of a workspace.
    CreateWorkspaceToken,
    EditWorkspaceToken,
    /// Switch a workspace's token off and on.
    SwitchWorkspaceToken,
    /// Issue the successor of a workspace's token.
    ReplaceWorkspaceToken,
    DeleteWorkspaceToken,
    /// See who is in the organization.
    SeeMembers,
    /// See the addresses of who is in the organization.
    SeeAddresses,
    /// Invite somebody into the organization; into which teams is `ChangeTeamMembers`' business.
    InviteMembers,
    /// Invite somebody into the organization and into none of its teams.
    InviteWithoutTeam,
    /// Remove somebody from the organization.
    RemoveMembers,
    /// Make a service account, or end it.
    HandleServiceAccounts,
    /// See one's own membership, also before it is accepted.
    SeeOwnMembership,
    /// Accept or decline an invitation.
    AnswerInvitation,
    /// Read the audit trail of the organization whose token calls.
    ReadAuditTrail,
    /// Read the audit trail of an organization by its name.
    ReadOrganizationTrail,
    /// Read what happened to the caller's own account and tokens.
    ReadOwnTrail,
    /// Read the audit trail of everybody.
    ReadEveryTrail,
    /// Change the caller's own name, address or password.
    ChangeAccount,
    /// List the users of the whole installation.
    ListUsers,
    /// List the plans that an organization can show.
    ListPlans,
    /// Set the plan that an organization shows.
    SetPlan,
    /// List the tokens of everybody.
    ListEveryToken,
    /// Revoke any token, whosever it is.
    EndAnyToken,
    /// Suspend or delete any user, make one a site admin, and undo that.
    ChangeUsers,
    /// Look at the organization's own token, or its audit-trails token.
    ReadOrganizationToken,
    /// Make one of these, or its successor.
    CreateOrganizationToken,
    /// Edit one of these, switch it off and on, replace or revoke it.
    ChangeOrganizationToken,
    /// Look at the organization's TTL policies.
    SeeTtlPolicies,
    /// Set the organization's TTL policies.
    SetTtlPolicies,
    /// List all tokens of the organization; the list holds just those that one may read.
    ListTokens,
    /// Look at the abilities that the organization has registered.
    SeeAbilities,
    SetAbilities,
    /// List the organization's workspaces; the list holds just those that one sees.
    ListWorkspaces,
    SeeWorkspace,
    CreateWorkspace,
    UpdateWorkspace,
    /// Delete a workspace with its tokens.
    DeleteWorkspace,
    /// Lock a workspace, or take one's own lock off.
    LockWorkspace,
    /// Take anybody's lock off a workspace.
    ForceUnlockWorkspace,
    /// List the organization's tags; the list holds just those of workspaces that one sees.
    ListTags,
    /// Delete tags of the organization, and so take them from every workspace.
    DeleteTags,
    /// Look at a team's access to a workspace.
    SeeTeamAccess,
    /// Give a team access to a workspace, change it or take it away.
    HandleTeamAccess,
    /// List the organization's projects; the list holds just those that one sees.
    ListProjects,
    SeeProject,
    CreateProject,
    UpdateProject,
    /// Delete a project, which must be empty.
    DeleteProject,
    /// Move a workspace into a project, or out of it.
    MoveWorkspace,
    /// Look at a team's access to a project.
    SeeProjectAccess,
    /// Give a team access to a project, change it or take it away.
    HandleProjectAccess,
    /// Look at the tag keys that the organization has reserved.
    SeeReservedTagKeys,
    SetReservedTagKeys,
}

/// One way of being entitled to an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Whoever calls with a user's token.
    AnyUser,
    /// The same, but no service account.
    AnyPerson,
    SiteAdmin,
    /// A site admin, whether or not the request is about an organization.
    Administrator,
    /// An active member of the organization, or one of its own tokens.
    Member,
    /// The same, unless the team is secret.
    MemberUnlessSecret,
    /// A member of the team `owners`, that team's token, or the organization's token.
    Owner,
    /// A team of the caller's holds the permission.
    Holds(Permission),
    /// The same, but never over the team `owners`.
    HoldsOverOrdinaryTeam(Permission),
    /// The same over teams that the caller may see: those that are not secret, or that the caller is in.
    HoldsOverSeenTeam(Permission),
    /// A user in the team, or a token of the team.
    OfTheTeam,
    /// A user in the team while it has `allow-member-token-management`.
    TeamMemberWhileAllowed,
    /// The very token that calls, while its team has `allow-member-token-management`.
    ItselfWhileAllowed,
    /// The very token of a workspace that calls.
    Itself,
    /// Whoever calls, with whatever token.
    AnyToken,
    /// The very token that calls, if it has `self-rotation`.
    ItselfWithSelfRotation,
    /// The user whose token it is, with a user's token.
    OwnUser,
    /// The organization's audit-trails token, or its organization token.
    AuditReader,
    /// Whoever has at least this role in the workspace: by teams, as an owner, or as its own token.
    InWorkspace(Role),
    /// The same, but for the workspace's own tokens.
    InWorkspaceByTeams(Role),
    /// Whoever has a role in the workspace and sees the team.
    InWorkspaceSeeingTeam,
    /// Whoever may lock the workspace: by access that has `workspace-locking`, or by a permission that gives all access.
    LocksWorkspace,
    /// Whoever may delete the workspace by access to its project.
    DeletesByProject,
    /// Whoever may do this in the project.
    InProject(InProject),
    /// Whoever sees the project and the team.
    InProjectSeeingTeam,
}

impl Who {
    /// The least role that a token must have to change something by being one of these: `member` and `manager` change what
    /// an ordinary member may, `admin` what a team with every permission may, and only `owner` what is left.
    #[must_use]
    pub const fn least_role(self) -> Role {
        match self {
            Self::AnyUser | Self::AnyPerson | Self::SiteAdmin | Self::Administrator | Self::Owner => Role::Owner,
            Self::Holds(_) | Self::HoldsOverOrdinaryTeam(_) | Self::HoldsOverSeenTeam(_) => Role::Admin,
            Self::Member
            | Self::MemberUnlessSecret
            | Self::OfTheTeam
            | Self::TeamMemberWhileAllowed
            | Self::ItselfWhileAllowed
            | Self::Itself
            | Self::OwnUser
            | Self::AuditReader
            | Self::InWorkspace(_)
            | Self::InWorkspaceByTeams(_)
            | Self::InWorkspaceSeeingTeam
            | Self::LocksWorkspace
            | Self::DeletesByProject
            | Self::InProject(_)
            | Self::InProjectSeeingTeam => Role::Member,
            Self::AnyToken | Self::ItselfWithSelfRotation => Role::Viewer,
        }
    }
}

impl fmt::Display for Who {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AnyUser => out.write_str("any user"),
            Self::AnyPerson => out.write_str("any person"),
            Self::SiteAdmin | Self::Administrator => out.write_str("site admins"),
            Self::Member => out.write_str("members"),
            Self::MemberUnlessSecret => out.write_str("members, unless the team is secret"),
            Self::Owner => out.write_str("owners"),
            Self::Holds(permission) => write!(out, "teams with `{permission}`"),
            Self::HoldsOverOrdinaryTeam(permission) => {
                write!(out, "teams with `{permission}`, but not over the team `owners`")
            }
            Self::HoldsOverSeenTeam(permission) => {
                write!(out, "teams with `{permission}`, over teams that they see, but not over the team `owners`")
            }
            Self::OfTheTeam => out.write_str("the team itself"),
            Self::TeamMemberWhileAllowed => out.write_str("the team's users while it allows that"),
            Self::AnyToken => out.write_str("every token"),
            Self::ItselfWhileAllowed => out.write_str("the team's token itself while its team allows that"),
            Self::Itself => out.write_str("the workspace's token itself"),
            Self::OwnUser => out.write_str("the user"),
            Self::AuditReader => out.write_str("the organization's own tokens"),
            Self::InWorkspace(role) => write!(out, "who is at least {role} in the workspace"),
            Self::InWorkspaceByTeams(role) => {
                write!(out, "who is at least {role} in the workspace, but not its own tokens")
            }
            Self::ItselfWithSelfRotation => out.write_str("the token itself with `self-rotation`"),
            Self::InWorkspaceSeeingTeam => out.write_str("who has a role in the workspace and sees the team"),
            Self::LocksWorkspace => {
                out.write_str("who has `workspace-locking` in the workspace, but not its own tokens")
            }
            Self::DeletesByProject => out.write_str("who may delete workspaces by access to its project"),
            Self::InProject(what) => out.write_str(match what {
                InProject::See => "who sees the project",
                InProject::Update => "who may update the project",
                InProject::Delete => "who may delete the project",
                InProject::SeeTeams => "who may read the project's teams",
                InProject::ManageTeams => "who may manage the project's teams",
                InProject::CreateWorkspaces => "who may create workspaces in the project",
                InProject::MoveWorkspaces => "who may move workspaces in both projects",
            }),
            Self::InProjectSeeingTeam => out.write_str("who sees the project and the team"),
        }
    }
}

/// What a caller is answered who may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// 404, as if it did not exist.
    NotFound,
    /// 403 to who may do the other action, that is, to who sees the thing at all; 404 to the rest.
    ForbiddenToWhoMay(Action),
    /// 403 to everybody: there is nothing to hide.
    Forbidden,
}

/// Whether an action changes anything. Reading is never capped by the token's own role: a viewer's token sees what its
/// principal sees. For a change, [`Who::least_role`] says which role the token must have (docs/design.md §4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It only looks.
    Read,
    /// It only looks, but what a capped token is not to see.
    ReadUncapped,
    Write,
}

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Whether it changes anything.
    pub effect: Effect,
    /// Whoever is one of these may.
    pub may: &'static [Who],
    pub refusal: Refusal,
    /// What a 403 tells them.
    pub because: &'static str,
}

impl Action {
    /// The row of the table for this action.
    #[must_use]
    pub const fn rule(self) -> Rule {
        use Action as A;
        use Effect::{Read, ReadUncapped, Write};
        use Permission::{
            AccessSecretTeams, ManageMembership, ManageOrganizationAccess, ManageProjects, ManageTeams,
            ManageWorkspaces,
        };
        use Refusal::{Forbidden, ForbiddenToWhoMay, NotFound};
        use Who::{
            Administrator, AnyPerson, AnyToken, AnyUser, AuditReader, DeletesByProject, Holds, HoldsOverOrdinaryTeam,
            HoldsOverSeenTeam, InProjectSeeingTeam, InWorkspace, InWorkspaceByTeams, InWorkspaceSeeingTeam, Itself,
            ItselfWhileAllowed, ItselfWithSelfRotation, LocksWorkspace, Member, MemberUnlessSecret, OfTheTeam, OwnUser,
            Owner, SiteAdmin, TeamMemberWhileAllowed,
        };
        let (effect, may, refusal, because): (Effect, &'static [Who], _, _) = match self {
            A::SeeOrganization => (Read, &[Member, SiteAdmin], NotFound, ""),
            A::CreateOrganization => {
                (Write, &[AnyPerson], Forbidden, "Only a person's token may create an organization")
            }
            A::UpdateOrganization => (
                Write,
                &[Owner, SiteAdmin],
                ForbiddenToWhoMay(A::SeeOrganization),
                "Only owners of the organization and site admins may change it",
            ),
            A::DeleteOrganization => (
                Write,
                &[Owner, SiteAdmin],
                ForbiddenToWhoMay(A::SeeOrganization),
                "Only owners of the organization and site admins may delete it",
            ),
            A::SeeTeam => (
                Read,
                &[Owner, OfTheTeam, MemberUnlessSecret, SiteAdmin, Holds(ManageTeams), Holds(AccessSecretTeams)],
                NotFound,
                "",
            ),
            // The HCP API answers these three with 404 and never with 403.
            A::CreateTeam => (Write, &[Owner, Holds(ManageTeams)], NotFound, ""),
            A::UpdateTeam | A::DeleteTeam => (Write, &[Owner, HoldsOverOrdinaryTeam(ManageTeams)], NotFound, ""),
            A::SetOrganizationAccess => (
                Write,
                &[Owner, HoldsOverOrdinaryTeam(ManageOrganizationAccess)],
                ForbiddenToWhoMay(A::SeeOrganization),
                "Only owners and teams with manage-organization-access may set organization-access",
            ),
            A::ChangeTeamMembers => (
                Write,
                &[Owner, HoldsOverSeenTeam(ManageMembership), HoldsOverOrdinaryTeam(ManageTeams)],
                ForbiddenToWhoMay(A::SeeTeam),
                "Only owners and teams with manage-membership or manage-teams may change who is in a team, \
                 and only owners who is in the team owners",
            ),
            A::ListTeamTokens => (
                Read,
                &[Member],
                ForbiddenToWhoMay(A::SeeOrganization),
                "Only members of the organization may list its team tokens",
            ),
            A::ReadTeamToken => (
                Read,
                &[Owner, HoldsOverOrdinaryTeam(ManageTeams), TeamMemberWhileAllowed, ItselfWhileAllowed],
                NotFound,
                "",
            ),
            A::RegenerateTeamToken => (
                Write,
                &[Owner, HoldsOverOrdinaryTeam(ManageTeams), TeamMemberWhileAllowed, ItselfWhileAllowed],
                ForbiddenToWhoMay(A::SeeTeam),
                "Only owners, teams with manage-teams, and the team's members and its token itself while \
                 allow-member-token-management is true may make the team's token",
            ),
            A::CreateTeamToken => (
                Write,
                &[Owner, HoldsOverOrdinaryTeam(ManageTeams), TeamMemberWhileAllowed],
                ForbiddenToWhoMay(A::SeeTeam),
                "Only owners, teams with manage-teams, and the team's members while \
                 allow-member-token-management is true may make tokens for the team",
            ),
            A::ReplaceTeamToken => (
                Write,
                &[Owner, HoldsOverOrdinaryTeam(ManageTeams), TeamMemberWhileAllowed, ItselfWhileAllowed],
                ForbiddenToWhoMay(A::ReadTeamToken),
                "Only owners, teams with manage-teams, and the team's members and the token itself while \
                 allow-member-token-management is true may regenerate the team's tokens",
            ),
            A::EditTeamToken | A::DeleteTeamToken => (
                Write,
                &[Owner, HoldsOverOrdinaryTeam(ManageTeams), TeamMemberWhileAllowed],
                ForbiddenToWhoMay(A::ReadTeamToken),
                "Only owners, teams with manage-teams, and the team's members while \
                 allow-member-token-management is true may change or delete the team's tokens",
            ),
            A::ShowItself => (Read, &[AnyToken], NotFound, ""),
            A::EndItself => (Write, &[AnyToken], NotFound, ""),
            A::RenewItself => (Write, &[ItselfWithSelfRotation], NotFound, ""),
            A::ReadUserToken => (Read, &[OwnUser, Administrator], NotFound, ""),
            A::ChangeUserToken => (
                Write,
                &[OwnUser],
                ForbiddenToWhoMay(A::ReadUserToken),
                "Only the user may make and change their tokens; site admins see and end them",
            ),
            A::EndUserToken => (
                Write,
                &[OwnUser, Administrator],
                ForbiddenToWhoMay(A::ReadUserToken),
                "Only the user, and site admins whose token is not capped, may end the user's tokens",
            ),
            A::ReadServiceAccountToken => (Read, &[Owner, OwnUser, Administrator], NotFound, ""),
            A::ChangeServiceAccountToken => (
                Write,
                &[Owner, OwnUser],
                ForbiddenToWhoMay(A::ReadServiceAccountToken),
                "Only owners of the organization and the service account itself may make and change its tokens; site \
                 admins see and end them",
            ),
            A::EndServiceAccountToken => (
                Write,
                &[Owner, OwnUser, Administrator],
                ForbiddenToWhoMay(A::ReadServiceAccountToken),
                "Only owners of the organization, the service account itself, and site admins whose token is not \
                 capped, may end its tokens",
            ),
            A::ReadWorkspaceToken => (Read, &[InWorkspace(Role::Viewer)], NotFound, ""),
            A::CreateWorkspaceToken => (
                Write,
                &[InWorkspace(Role::Manager)],
                ForbiddenToWhoMay(A::SeeWorkspace),
                "Only who is owner, admin or manager in the workspace may make its tokens",
            ),
            A::EditWorkspaceToken => (
                Write,
                &[InWorkspace(Role::Manager)],
                ForbiddenToWhoMay(A::ReadWorkspaceToken),
                "Only who is owner, admin or manager in the workspace may edit its tokens",
            ),
            A::SwitchWorkspaceToken | A::DeleteWorkspaceToken => (
                Write,
                &[InWorkspace(Role::Admin)],
                ForbiddenToWhoMay(A::ReadWorkspaceToken),
                "Only who is owner or admin in the workspace may disable, enable or revoke its tokens",
            ),
            A::ReplaceWorkspaceToken => (
                Write,
                &[InWorkspace(Role::Admin), Itself],
                ForbiddenToWhoMay(A::ReadWorkspaceToken),
                "Only who is owner or admin in the workspace, and the token itself from the role member up, may \
                 regenerate its tokens",
            ),
            A::SeeMembers => (Read, &[Member, SiteAdmin], NotFound, ""),
            A::SeeAddresses => (Read, &[Owner, SiteAdmin, Holds(ManageMembership), Holds(ManageTeams)], NotFound, ""),
            // The HCP API answers this with 404 and never with 403.
            A::InviteMembers => (Write, &[Owner, Holds(ManageMembership), Holds(ManageTeams)], NotFound, ""),
            A::InviteWithoutTeam => (
                Write,
                &[Owner, Holds(ManageMembership)],
                ForbiddenToWhoMay(A::InviteMembers),
                "Only owners and teams with manage-membership may invite somebody into no team",
            ),
            A::RemoveMembers => (
                Write,
                &[Owner, Holds(ManageMembership)],
                ForbiddenToWhoMay(A::SeeMembers),
                "Only owners and teams with manage-membership may remove members",
            ),
            A::HandleServiceAccounts => (
                Write,
                &[Owner],
                ForbiddenToWhoMay(A::SeeMembers),
                "Only owners of the organization may make its service accounts and end them",
            ),
            A::SeeOwnMembership => (Read, &[OwnUser], NotFound, ""),
            A::AnswerInvitation => (Write, &[OwnUser], ForbiddenToWhoMay(A::SeeOwnMembership), ""),
            A::ReadAuditTrail => (Read, &[AuditReader], NotFound, ""),
            A::ReadOrganizationTrail => (
                ReadUncapped,
                &[Owner, SiteAdmin],
                ForbiddenToWhoMay(A::SeeOrganization),
                "Only owners of the organization and site admins may read its audit trail",
            ),
            A::ReadOwnTrail => (Read, &[AnyUser], NotFound, ""),
            A::ReadEveryTrail => (ReadUncapped, &[Administrator], NotFound, ""),
            A::ChangeAccount => (Write, &[AnyPerson], Forbidden, "Only a person's token has an account to change"),
            // Terraform Enterprise answers these with 404 and never with 403.
            A::ListUsers | A::ListPlans | A::ListEveryToken => (Read, &[Administrator], NotFound, ""),
            A::ChangeUsers | A::SetPlan | A::EndAnyToken => (Write, &[Administrator], NotFound, ""),
            A::ReadOrganizationToken => (Read, &[Owner, SiteAdmin], NotFound, ""),
            A::CreateOrganizationToken => (
                Write,
                &[Owner, SiteAdmin],
                ForbiddenToWhoMay(A::SeeOrganization),
                "Only owners of the organization and site admins may make its tokens",
            ),
            A::ChangeOrganizationToken => (Write, &[Owner, SiteAdmin], ForbiddenToWhoMay(A::ReadOrganizationToken), ""),
            A::SeeTtlPolicies => (
                Read,
                &[Owner, SiteAdmin],
                ForbiddenToWhoMay(A::SeeOrganization),
                "Only owners of the organization and site admins may see its TTL policies",
            ),
            A::SetTtlPolicies => (
                Write,
                &[Owner, SiteAdmin],
                ForbiddenToWhoMay(A::SeeOrganization),
                "Only owners of the organization and site admins may set its TTL policies",
            ),
            A::ListTokens => (
                Read,
                &[Member, SiteAdmin],
                ForbiddenToWhoMay(A::SeeOrganization),
                "Only members of the organization and site admins may list its tokens",
            ),
            A::SeeAbilities => (Read, &[Member, SiteAdmin], NotFound, ""),
            A::SetAbilities => (
                Write,
                &[Owner, SiteAdmin],
                ForbiddenToWhoMay(A::SeeOrganization),
                "Only owners of the organization and site admins may register abilities",
            ),
            // The HCP API answers all of these with 404 and never with 403. What a caller's role is: `workspaces`.
            A::ListWorkspaces => (Read, &[Member], NotFound, ""),
            A::SeeWorkspace => (Read, &[InWorkspace(Role::Viewer)], NotFound, ""),
            A::CreateWorkspace => (Write, &[Who::InProject(InProject::CreateWorkspaces)], NotFound, ""),
            A::UpdateWorkspace => (Write, &[InWorkspace(Role::Manager)], NotFound, ""),
            A::DeleteWorkspace => (Write, &[InWorkspaceByTeams(Role::Manager), DeletesByProject], NotFound, ""),
            A::HandleTeamAccess | A::ForceUnlockWorkspace => {
                (Write, &[InWorkspaceByTeams(Role::Manager)], NotFound, "")
            }
            A::LockWorkspace => (Write, &[LocksWorkspace], NotFound, ""),
            A::ListTags => (Read, &[Member], NotFound, ""),
            A::DeleteTags => (Write, &[Owner, Holds(ManageWorkspaces)], NotFound, ""),
            A::SeeTeamAccess => (Read, &[InWorkspaceByTeams(Role::Manager), InWorkspaceSeeingTeam], NotFound, ""),
            // What a caller may do in a project: `project`.
            A::ListProjects => (Read, &[Member], NotFound, ""),
            A::SeeProject => (Read, &[Who::InProject(InProject::See)], NotFound, ""),
            A::CreateProject => (Write, &[Owner, Holds(ManageProjects)], NotFound, ""),
            A::UpdateProject => (Write, &[Who::InProject(InProject::Update)], NotFound, ""),
            A::DeleteProject => (Write, &[Who::InProject(InProject::Delete)], NotFound, ""),
            A::MoveWorkspace => (
                Write,
                &[Who::InProject(InProject::MoveWorkspaces)],
                Forbidden,
                "Only who may move workspaces in both projects may move one from the one into the other",
            ),
            A::SeeProjectAccess => (Read, &[Who::InProject(InProject::SeeTeams), InProjectSeeingTeam], NotFound, ""),
            A::HandleProjectAccess => (Write, &[Who::InProject(InProject::ManageTeams)], NotFound, ""),
            A::SeeReservedTagKeys => (Read, &[Member, SiteAdmin], NotFound, ""),
            A::SetReservedTagKeys => (
                Write,
                &[Owner, SiteAdmin],
                ForbiddenToWhoMay(A::SeeOrganization),
                "Only owners of the organization and site admins may reserve tag keys",
            ),
        };
        Rule { effect, may, refusal, because }
    }
}

impl Refusal {
    /// The error that a refused caller gets; `may` tells whether the caller may do another action.
    pub(super) fn error(self, because: &str, may: impl Fn(Action) -> bool) -> Error {
        match self {
            Self::NotFound => Error::not_found(),
            Self::Forbidden => Error::forbidden(because),
            Self::ForbiddenToWhoMay(action) if may(action) => Error::forbidden(because),
            Self::ForbiddenToWhoMay(_) => Error::not_found(),
        }
    }
}
