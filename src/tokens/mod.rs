//! Tokens: long-lived credentials, each owned by a user, a team, an organization or a workspace (DESIGN §1, §3).
//!
//! Here are the token, its kinds and its status. Who may do what with one is `access`'s business.

pub mod api;
mod resource;
mod secret;
mod store;
mod usage;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::Deserialize;
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use crate::database::schema::listed_tokens;
use crate::database::words::words;
use crate::ids::{OrganizationId, TeamId, TokenId, UserId};
use crate::jsonapi::{Moment, present};

pub(crate) use resource::{NAMES, TOKENS};
pub use secret::{Digest, NoRandomness, Secret};
pub(crate) use store::{NewToken, Of, create, lock_for_deletion};
pub use usage::{Usage, UsageWriter};

words! {
    /// What a token authenticates as.
    Kind {
        /// A user.
        User = "user",
        /// A team.
        Team = "team",
        /// An organization, as its owner.
        Organization = "organization",
        /// The reader of an organization's audit trail.
        AuditTrails = "audit-trails",
        /// A workspace.
        Workspace = "workspace",
    }
}

impl Kind {
    /// The letter in a secret's prefix: `lku_`, `lkt_`, … (DESIGN §2).
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

words! {
    /// What a token is good for now. Only an active one authenticates (DESIGN §3, rule 3).
    Status {
        /// Ended for good.
        Revoked = "revoked",
        /// Past its expiry.
        Expired = "expired",
        /// Switched off.
        Inactive = "inactive",
        /// Good.
        Active = "active",
    }
}

words! {
    /// What `filter[expiry_status]` can ask for.
    ExpiryStatus {
        /// Not expired.
        Active = "active",
        /// Expires within 7 days.
        ExpiringIn7Days = "expiring_in_7_days",
        /// Expires within 30 days.
        ExpiringIn30Days = "expiring_in_30_days",
        /// Past its expiry.
        Expired = "expired",
        /// Never expires.
        NoExpiration = "no_expiration",
    }
}

/// One credential, without its secret, beside the names that lists search and sort by.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = listed_tokens, check_for_backend(diesel::pg::Pg))]
pub struct Token {
    /// Its id.
    pub id: TokenId,
    /// What it authenticates as.
    pub kind: Kind,
    /// The organization that it belongs to; none for a user's token.
    pub organization_id: Option<OrganizationId>,
    /// Its owner, if that is a user.
    pub user_id: Option<UserId>,
    /// Its owner, if that is a team.
    pub team_id: Option<TeamId>,
    /// What its maker says of it; unique among a team's live tokens.
    pub description: Option<String>,
    /// The user who made it.
    pub created_by_user_id: Option<UserId>,
    /// The team that made it.
    pub created_by_team_id: Option<TeamId>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it stops working by itself; never, if none.
    pub expired_at: Option<DateTime<Utc>>,
    /// When it last authenticated a request.
    pub last_used_at: Option<DateTime<Utc>>,
    /// The owning team's name.
    pub team_name: Option<String>,
    /// Whether the owning team is the team `owners`.
    pub team_owners: Option<bool>,
    /// The owning team's `allow-member-token-management`.
    pub team_allows_members: Option<bool>,
    /// The name of the user, team or organization that made it.
    pub created_by_name: Option<String>,
    /// The name of the organization that made it.
    pub created_by_organization_name: Option<String>,
}

/// Who makes a token: kept with it as `created-by`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Creator {
    /// A user.
    User(UserId),
    /// A team, by its token.
    Team(TeamId),
    /// An organization, by its token.
    Organization(OrganizationId),
    /// The command line.
    System,
}

/// What a token authenticates as, when it is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// A user.
    User(UserId),
    /// A team in its organization.
    Team(OrganizationId, TeamId),
    /// An organization, as its owner.
    Organization(OrganizationId),
    /// The reader of an organization's audit trail.
    AuditTrails(OrganizationId),
}

impl Owner {
    /// The kind of token that it gets.
    #[must_use]
    pub const fn kind(self) -> Kind {
        match self {
            Self::User(_) => Kind::User,
            Self::Team(..) => Kind::Team,
            Self::Organization(_) => Kind::Organization,
            Self::AuditTrails(_) => Kind::AuditTrails,
        }
    }

    /// The organization that it belongs to; none for a user's.
    #[must_use]
    pub const fn organization(self) -> Option<OrganizationId> {
        match self {
            Self::User(_) => None,
            Self::Team(id, _) | Self::Organization(id) | Self::AuditTrails(id) => Some(id),
        }
    }
}

/// The most characters that a description may have.
pub const DESCRIPTION_MAX: u64 = 255;

/// What a client may say of a new token.
#[derive(Debug, Clone, Default, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct TokenAttributes {
    /// `description`: at most 255 characters; an empty string is one, null is none.
    #[serde(default, deserialize_with = "present")]
    #[validate(length(max = "DESCRIPTION_MAX", message = "Description must be at most 255 characters long"))]
    #[schema(max_length = 255)]
    pub description: Option<Option<String>>,
    /// `expired-at`: a time to come; null is never.
    #[validate(custom(function = "to_come"))]
    pub expired_at: Option<Moment>,
}

fn to_come(moment: &Moment) -> Result<(), ValidationError> {
    if moment.0 > Utc::now() {
        return Ok(());
    }
    Err(ValidationError::new("past").with_message("Expired at must be a time to come, or null for never".into()))
}
