//! What a token authenticates as, who made it, how it stands and what its secret is.

use crate::database::text_enum::text_enum;
use crate::ids::{OrganizationId, TeamId, UserId, WorkspaceId};

text_enum! {
    /// What a token authenticates as.
    pub enum Kind {
        User = "user",
        Team = "team",
        /// An organization, as its owner.
        Organization = "organization",
        /// The reader of an organization's audit trail.
        AuditTrails = "audit-trails",
        Workspace = "workspace",
    }
}

impl Kind {
    /// The letter in a secret's prefix: `lku_`, `lkt_`, … (docs/design.md §2).
    #[must_use]
    pub const fn letter(self) -> char {
        match self {
            Self::User => 'u',
            Self::Team => 't',
            Self::Organization => 'o',
            Self::AuditTrails => 'a',
            Self::Workspace => 'w',
        }
    }
}

text_enum! {
    /// How a token stands. Only an active one authenticates (docs/design.md §3, rule 3).
    pub enum Status {
        Revoked = "revoked",
        Expired = "expired",
        Inactive = "inactive",
        Active = "active",
    }
}

text_enum! {
    pub enum Format {
        /// A random text, which only Latchkey can judge.
        Opaque = "opaque",
        /// A JSON Web Token (RFC 7519), which anybody can verify by the published keys.
        Jwt = "jwt",
    }
}

/// Who makes a token: kept with it as `created-by`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Creator {
    User(UserId),
    /// A team, by its token.
    Team(TeamId),
    /// An organization, by its token.
    Organization(OrganizationId),
    /// A workspace, by its token.
    Workspace(WorkspaceId),
    System,
}

impl Creator {
    #[must_use]
    pub const fn user(self) -> Option<UserId> {
        if let Self::User(id) = self { Some(id) } else { None }
    }

    #[must_use]
    pub const fn team(self) -> Option<TeamId> {
        if let Self::Team(id) = self { Some(id) } else { None }
    }

    #[must_use]
    pub const fn organization(self) -> Option<OrganizationId> {
        if let Self::Organization(id) = self { Some(id) } else { None }
    }

    #[must_use]
    pub const fn workspace(self) -> Option<WorkspaceId> {
        if let Self::Workspace(id) = self { Some(id) } else { None }
    }
}
