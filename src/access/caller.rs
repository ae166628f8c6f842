//! The caller: who a request acts as, and the one place where the table is asked.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use diesel::PgConnection;

use super::table::Effect;
use super::{Action, OrganizationRef, Permission, Role, Target, TeamFacts, Who, store};
use crate::audit::Actor;
use crate::credential::{Abilities, Ability, Creator};
use crate::ids::{OrganizationId, SessionId, TeamId, TokenId, UserId, WorkspaceId};
use crate::jsonapi::{Error, Result};

/// Who a request acts as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    User {
        id: UserId,
        username: String,
        /// Whether the user is a site admin.
        site_admin: bool,
        /// The one organization that a service account is in; none for a person.
        organization: Option<OrganizationId>,
    },
    /// A team, by its token.
    Team {
        id: TeamId,
        name: String,
        /// The organization that it is in.
        organization: OrganizationId,
    },
    /// An organization, by its token.
    Organization { id: OrganizationId, name: String },
    /// The reader of an organization's audit trail.
    AuditTrails { organization: OrganizationId },
    /// A workspace, by its token.
    Workspace {
        id: WorkspaceId,
        name: String,
        /// The organization that it is in.
        organization: OrganizationId,
    },
}

impl Principal {
    /// The key of the row that it is.
    #[must_use]
    pub const fn key(&self) -> uuid::Uuid {
        match self {
            Self::User { id, .. } => id.uuid(),
            Self::Team { id, .. } => id.uuid(),
            Self::Organization { id, .. } | Self::AuditTrails { organization: id } => id.uuid(),
            Self::Workspace { id, .. } => id.uuid(),
        }
    }
}

/// What a principal is in the organization that the request is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrganizationRights {
    /// An active member, or one of the organization's own tokens.
    pub member: bool,
    /// A member of the team `owners`, that team's token, or the organization's token.
    pub owner: bool,
    /// The teams that a user is in, or the one team whose token calls.
    pub teams: BTreeSet<TeamId>,
    /// What those teams may do in the organization.
    pub permissions: BTreeSet<Permission>,
    /// What those teams, or the workspace whose token calls, may reach at other services.
    pub abilities: BTreeSet<Ability>,
}

/// What has authenticated a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthenticatedBy {
    Token(TokenId),
    /// A person's session in the console.
    Session(SessionId),
}

impl AuthenticatedBy {
    /// The key of its row.
    #[must_use]
    pub const fn key(self) -> uuid::Uuid {
        match self {
            Self::Token(id) => id.uuid(),
            Self::Session(id) => id.uuid(),
        }
    }
}

/// An accepted request's principal, where it stands, and by which token or session it came.
#[derive(Debug, Clone)]
pub struct Caller {
    /// What authenticated the request.
    pub by: AuthenticatedBy,
    /// The token's own role: the most that the principal is by it.
    pub role: Role,
    /// Those that its token has of its principal's; none for all of them.
    pub abilities: Option<Vec<Ability>>,
    /// What the token's maker said of it.
    pub token_description: Option<String>,
    /// When the token ends by itself; none if never, and of a session: what is made in one outlives it.
    pub ends_at: Option<DateTime<Utc>>,
    /// When the transaction began, by the database's clock: what is made in it is made at this time.
    pub now: DateTime<Utc>,
    /// Who the request acts as.
    pub principal: Principal,
    /// What the request's path names.
    pub organization_ref: OrganizationRef,
    /// The organization that the request is about, if it exists.
    pub organization_id: Option<OrganizationId>,
    pub rights: OrganizationRights,
    /// The request's id, for the audit trail.
    pub request_id: String,
}

/// Proof that the access table was asked, and permits something. Only this room makes one.
#[derive(Debug, Clone, Copy)]
pub struct Permit {
    action: Option<Action>,
}

impl Permit {
    /// What was permitted; none for what anybody may.
    #[must_use]
    pub const fn action(self) -> Option<Action> {
        self.action
    }

    /// For what shows the callers nothing but their own.
    #[must_use]
    pub const fn for_own() -> Self {
        Self { action: None }
    }
}

impl Caller {
    /// Checks that the caller may do `action`.
    ///
    /// # Errors
    /// 404 or 403, as the table says.
    pub fn may(&self, action: Action, target: Target) -> Result<Permit> {
        if self.can(action, target) {
            return Ok(Permit { action: Some(action) });
        }
        let rule = action.rule();
        let uncapped = self.role != Role::Owner && self.can_as(Role::Owner, action, target);
        let capped = || format!("The token that calls has the role {}, which does not suffice for this", self.role);
        let because = if uncapped { capped() } else { rule.because.to_owned() };
        Err(rule.refusal.error(&because, |other| self.can(other, target)))
    }

    /// Whether the caller has a part in the organization that the request is about, if there is one: what is known
    /// without another query, and asked before a request of a stranger can wait for anything.
    #[must_use]
    pub fn takes_part(&self) -> bool {
        let own = match self.principal {
            Principal::User { organization, .. } => organization,
            Principal::Organization { id, .. } => Some(id),
            Principal::Team { organization, .. }
            | Principal::AuditTrails { organization }
            | Principal::Workspace { organization, .. } => Some(organization),
        };
        self.organization_id.is_none_or(|place| self.rights.member || self.is_site_admin() || own == Some(place))
    }

    /// Whether the caller may do `action`.
    #[must_use]
    pub fn can(&self, action: Action, target: Target) -> bool {
        self.can_as(self.role, action, target)
    }

    fn can_as(&self, cap: Role, action: Action, target: Target) -> bool {
        let rule = action.rule();
        // Looking is never capped: a viewer's token sees what its principal sees.
        let cap = if rule.effect == Effect::Read { Role::Owner } else { cap };
        rule.may.iter().any(|who| cap >= who.least_role() && self.is(*who, target, cap))
    }

    /// Whether the caller has every one of these permissions and abilities.
    #[must_use]
    pub fn has_all(&self, permissions: &BTreeSet<Permission>, abilities: &[Ability]) -> bool {
        let OrganizationRights { owner, permissions: held, abilities: reached, .. } = &self.rights;
        let reaches = |ability: &Ability| reached.iter().any(|own| own.covers(ability));
        *owner || (permissions.is_subset(held) && abilities.iter().all(reaches))
    }

    /// What the principal may reach in the organization that the request is about, whatever its token lists: owners, and
    /// site admins whose token is not capped, everything; others what their teams or their workspace may.
    #[must_use]
    pub fn reach(&self) -> Abilities {
        if self.rights.owner || (self.is_site_admin() && self.role == Role::Owner) {
            Abilities::Every
        } else {
            Abilities::These(self.rights.abilities.iter().cloned().collect())
        }
    }

    /// Whether the caller may give this ability, when its principal has `reach` and is an owner or not (docs/design.md §3,
    /// rule 8).
    fn may_give(&self, ability: &Ability, reach: &Abilities, owner: bool) -> bool {
        let listed = self.abilities.as_ref().is_none_or(|own| own.iter().any(|own| own.covers(ability)));
        let owners_alone = !ability.is_latchkeys_own() || (owner && self.role == Role::Owner);
        listed && owners_alone && reach.cover(ability)
    }

    /// Checks that the caller may give these abilities, when its principal has `reach` and is an owner or not.
    ///
    /// # Errors
    /// 403 with a pointer for the first that it may not give.
    pub fn check_gives(&self, abilities: &[Ability], reach: &Abilities, owner: bool) -> Result<()> {
        abilities.iter().find(|ability| !self.may_give(ability, reach, owner)).map_or(Ok(()), |ability| {
            let detail = format!("The caller does not have the ability {ability}, and so cannot give it");
            Err(Error::forbidden(&detail).with_pointer("/data/attributes/abilities"))
        })
    }

    /// The caller as it stands now that a transaction holds its locks: while it waited for them, its token may have
    /// been revoked, its user removed, its team's permissions taken away. Who takes away the right that a request
    /// goes by takes the same lock.
    ///
    /// # Errors
    /// 401 if the token is not good any more, 404 if the path names another organization now.
    pub fn reauthenticated(&self, connection: &mut PgConnection) -> Result<Self> {
        let found = store::authenticate(connection, &store::Key::Id(self.by), &self.organization_ref)?;
        let good = found.filter(store::Authenticated::is_good).ok_or_else(Error::unauthorized)?;
        let again = good.into_caller(self.organization_ref.clone(), self.request_id.clone())?;
        // A name may have passed to another organization, in which this one's rights say nothing.
        if again.organization_id == self.organization_id { Ok(again) } else { Err(Error::not_found()) }
    }

    /// The organization that the request is about.
    ///
    /// # Errors
    /// 404 if there is none.
    pub fn organization(&self) -> Result<OrganizationId> {
        self.organization_id.ok_or_else(Error::not_found)
    }

    /// The token that calls; none where a session does.
    #[must_use]
    pub const fn token(&self) -> Option<TokenId> {
        match self.by {
            AuthenticatedBy::Token(id) => Some(id),
            AuthenticatedBy::Session(_) => None,
        }
    }

    /// The session that calls; none where a token does.
    #[must_use]
    pub const fn session(&self) -> Option<SessionId> {
        match self.by {
            AuthenticatedBy::Session(id) => Some(id),
            AuthenticatedBy::Token(_) => None,
        }
    }

    /// Whether this very token calls.
    #[must_use]
    pub fn is_token(&self, token: TokenId) -> bool {
        self.token() == Some(token)
    }

    /// The user, if a user's token calls, or a session.
    #[must_use]
    pub const fn user(&self) -> Option<UserId> {
        match self.principal {
            Principal::User { id, .. } => Some(id),
            _ => None,
        }
    }

    /// Whether a site admin calls.
    #[must_use]
    pub const fn is_site_admin(&self) -> bool {
        matches!(self.principal, Principal::User { site_admin: true, .. })
    }

    /// The caller as the maker of a token.
    #[must_use]
    pub const fn creator(&self) -> Creator {
        match self.principal {
            Principal::User { id, .. } => Creator::User(id),
            Principal::Team { id, .. } => Creator::Team(id),
            Principal::Organization { id, .. } => Creator::Organization(id),
            Principal::AuditTrails { organization } => Creator::Organization(organization),
            Principal::Workspace { id, .. } => Creator::Workspace(id),
        }
    }

    /// The caller as the audit trail names it.
    #[must_use]
    pub fn actor(&self) -> Actor {
        let (accessor_id, description) = match &self.principal {
            Principal::User { id, username, .. } => (id.to_string(), username.clone()),
            Principal::Team { id, name, .. } => (id.to_string(), name.clone()),
            Principal::Organization { id, name } => (id.to_string(), name.clone()),
            Principal::AuditTrails { organization } => (organization.to_string(), "audit-trails".to_owned()),
            Principal::Workspace { id, name, .. } => (id.to_string(), name.clone()),
        };
        Actor::client(accessor_id, description, self.token(), self.request_id.clone())
            .with_token_described(self.token_description.clone())
    }

    /// The same caller in each of some organizations, for a list of them.
    ///
    /// # Errors
    /// The database's own.
    pub fn in_each(&self, connection: &mut PgConnection, organizations: &[OrganizationId]) -> Result<Vec<Self>> {
        let mut rights_in_each = store::rights_in_each(connection, self, organizations)?;
        let there = |id: &OrganizationId| Self {
            organization_id: Some(*id),
            rights: rights_in_each.remove(id).unwrap_or_default(),
            ..self.clone()
        };
        Ok(organizations.iter().map(there).collect())
    }

    /// The same caller, as the owner of an organization that it has just made.
    #[must_use]
    pub fn as_owner_of(&self, organization: OrganizationId) -> Self {
        let rights = OrganizationRights { member: true, owner: true, ..OrganizationRights::default() };
        Self { organization_id: Some(organization), rights, ..self.clone() }
    }

    /// Whether the caller is one of these, when its token caps it to a role.
    fn is(&self, who: Who, target: Target, cap: Role) -> bool {
        let OrganizationRights { member, owner, teams, permissions, .. } = &self.rights;
        let secret = target.team().is_some_and(|team| team.secret);
        let ordinary = target.team().is_none_or(|team| !team.owners);
        let in_team = target.team().is_some_and(|team| teams.contains(&team.id));
        let allowed = target.team().is_some_and(|team| team.allows_members);
        // An owner who is capped to an admin holds every permission that a team can have.
        let capped_owner = *owner && cap != Role::Owner;
        let holds = |permission| permissions.contains(&permission) || capped_owner;
        let in_workspace = |least| target.role().is_some_and(|role| role >= least);
        let of_workspace = matches!(self.principal, Principal::Workspace { .. });
        let sees = |team: &TeamFacts| self.can(Action::SeeTeam, Target::Team(*team));
        match who {
            Who::AnyUser => self.user().is_some(),
            Who::AnyPerson => matches!(self.principal, Principal::User { organization: None, .. }),
            Who::SiteAdmin => self.organization_id.is_some() && self.is_site_admin(),
            Who::Administrator => self.is_site_admin(),
            Who::Member => *member,
            Who::MemberUnlessSecret => *member && !secret,
            Who::Owner => *owner,
            Who::Holds(permission) => holds(permission),
            Who::HoldsOverOrdinaryTeam(permission) => holds(permission) && ordinary,
            Who::HoldsOverSeenTeam(permission) => {
                let seen = !secret || in_team || holds(Permission::AccessSecretTeams);
                holds(permission) && ordinary && seen
            }
            Who::OfTheTeam => in_team,
            Who::TeamMemberWhileAllowed => in_team && allowed && self.user().is_some(),
            Who::ItselfWhileAllowed => {
                allowed && matches!(target, Target::TeamToken(_, Some(token)) if self.is_token(token))
            }
            Who::AnyToken => true,
            Who::Itself => matches!(target, Target::WorkspaceToken(_, token) if self.is_token(token)),
            Who::ItselfWithSelfRotation => matches!(target, Target::Itself { rotates: true }),
            Who::AuditReader => {
                matches!(self.principal, Principal::AuditTrails { .. } | Principal::Organization { .. })
            }
            // A role in a workspace is capped where it is computed.
            Who::InWorkspace(least) => in_workspace(least),
            Who::InWorkspaceByTeams(least) => !of_workspace && in_workspace(least),
            Who::InWorkspaceSeeingTeam => target.role().is_some() && target.team().is_some_and(sees),
            Who::LocksWorkspace => {
                matches!(target, Target::WorkspaceWith(Some(rights)) if rights.permissions.workspace_locking)
            }
            Who::DeletesByProject => matches!(target, Target::WorkspaceWith(Some(rights)) if rights.deletes),
            Who::InProject(what) => target.in_project().is_some_and(|rights| rights.allow(what)),
            Who::InProjectSeeingTeam => target.in_project().is_some() && target.team().is_some_and(sees),
            Who::OwnUser => matches!(target, Target::User(user) if self.user() == Some(user)),
        }
    }
}
