//! The owner of a new token: what is locked for it, who may make one, and beside what it steps. The API and the console both
//! go this way.

use diesel::{OptionalExtension, PgConnection};

use super::issue::{self, Mint};
use super::store::{self, Slot};
use super::{Owner, Token, TokenAttributes, life, named};
use crate::access::{Action, Caller, Permit, Target};
use crate::credential::{Kind, Secret};
use crate::ids::{OrganizationId, TeamId, UserId, WorkspaceId};
use crate::jsonapi::{Error, Result};
use crate::teams::{self, Team};
use crate::workspaces::{self, Workspace};
use crate::{organizations, users};

/// Whose a new token is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NewOwner {
    Team(TeamId),
    Workspace(WorkspaceId),
    /// A person, or a service account of the organization that the request is about.
    User(UserId),
    /// The organization that the request is about, or the reader of its audit trail, by the kind.
    Organization(Kind),
}

/// The same, locked.
pub(crate) enum LockedOwner {
    Team(Box<Team>),
    Workspace(Box<Workspace>),
    User(Owner, UserId),
    Organization(OrganizationId, Kind),
}

impl NewOwner {
    /// Checks that a team or a workspace is in the organization that a request is about, where nothing but this names it.
    ///
    /// # Errors
    /// 404 if it is not.
    pub(crate) fn check_within(
        self,
        connection: &mut PgConnection,
        organization: Option<OrganizationId>,
    ) -> Result<()> {
        let within = match self {
            Self::Team(id) => teams::find(connection, id)?.0.organization_id,
            Self::Workspace(id) => workspaces::find(connection, id)?.organization_id,
            Self::User(_) | Self::Organization(_) => return Ok(()),
        };
        if Some(within) == organization { Ok(()) } else { Err(Error::not_found()) }
    }

    /// Locks what nobody may change while the token is made. The caller must be authenticated again after it.
    ///
    /// # Errors
    /// 404 if there is no such owner.
    pub(crate) fn lock(self, connection: &mut PgConnection, caller: &Caller) -> Result<LockedOwner> {
        Ok(match self {
            Self::Team(id) => LockedOwner::Team(Box::new(teams::lock(connection, id)?.0)),
            Self::Workspace(id) => LockedOwner::Workspace(Box::new(workspaces::lock(connection, id)?)),
            Self::User(user) => {
                // The user is a service account if the request is about an organization by it.
                let owner = Owner::of_user(user, caller.organization_id);
                // A person makes only their own: those who are being deleted are authenticated again.
                if let Owner::ServiceAccount(organization, account) = owner {
                    organizations::hold(connection, organization)?;
                    users::hold(connection, account)?;
                }
                LockedOwner::User(owner, user)
            }
            Self::Organization(kind) => {
                let organization = organizations::lock_own(connection, caller)?;
                store::lock_current(connection, owner_of_kind(organization, kind))?;
                LockedOwner::Organization(organization, kind)
            }
        })
    }
}

impl LockedOwner {
    /// Asks the access table whether the caller may make the token.
    ///
    /// # Errors
    /// 404 or 403, as the table says.
    pub(crate) fn may(&self, connection: &mut PgConnection, caller: &Caller) -> Result<Permit> {
        match self {
            Self::Team(team) => caller.may(Action::CreateTeamToken, Target::TeamToken(team.facts(), None)),
            Self::Workspace(workspace) => {
                let role = workspaces::rights(connection, caller, workspace.id)?.map(|rights| rights.role);
                caller.may(Action::CreateWorkspaceToken, Target::Workspace(role))
            }
            Self::User(Owner::ServiceAccount(..), user) => {
                caller.may(Action::ChangeServiceAccountToken, Target::User(*user))
            }
            Self::User(_, user) => caller.may(Action::ChangeUserToken, Target::User(*user)),
            Self::Organization(..) => caller.may(Action::CreateOrganizationToken, Target::Organization),
        }
    }

    /// Makes the token. That of an organization steps in the place of the one before.
    ///
    /// # Errors
    /// As [`issue::issue`], and 422 for a description that another token of the team has.
    pub(crate) fn issue(
        &self,
        connection: &mut PgConnection,
        caller: &Caller,
        mint: Mint<'_>,
        attributes: &TokenAttributes,
    ) -> Result<(Token, Secret)> {
        let description = attributes.description.clone().flatten();
        let mut new = |owner, slot| issue::issue(connection, caller, mint, (owner, slot), attributes);
        match self {
            Self::Team(team) => {
                let other = store::of_description(connection, team.id, description.as_deref()).optional()?;
                if let Some(other) = other {
                    return Err(life::description_taken(connection, caller, &other));
                }
                let slot = (Owner::Team(team.organization_id, team.id), Slot::Described(description.as_deref()));
                issue::issue(connection, caller, mint, slot, attributes)
            }
            Self::Workspace(workspace) => {
                let description = named(description, caller.now);
                new(Owner::Workspace(workspace.organization_id, workspace.id), Slot::OneMore(Some(&description)))
            }
            Self::User(owner, _) => new(*owner, Slot::OneMore(description.as_deref())),
            Self::Organization(organization, kind) => new(owner_of_kind(*organization, *kind), Slot::OneOfKind),
        }
    }
}

pub(super) fn owner_of_kind(organization: OrganizationId, kind: Kind) -> Owner {
    if kind == Kind::AuditTrails { Owner::AuditTrails(organization) } else { Owner::Organization(organization) }
}
