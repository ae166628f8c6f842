//! The token, its owner, and what a client may write of one.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use super::jwt::Form;
use super::labels::{Labels, valid_labels};
use crate::access::Role;
use crate::audit::Event;
use crate::credential::{Ability, Creator, Format, Kind, Status, valid_abilities};
use crate::database::schema::listed_tokens;
use crate::database::text_enum::text_enum;
use crate::ids::{OrganizationId, TeamId, TokenId, UserId, WorkspaceId};
use crate::jsonapi::{Timestamp, present};
use crate::ttl_policies::Governed;

text_enum! {
    /// What `filter[expiry_status]` can ask for.
    pub enum ExpiryStatus {
        Active = "active",
        /// Expires within 7 days.
        ExpiringIn7Days = "expiring_in_7_days",
        /// Expires within 30 days.
        ExpiringIn30Days = "expiring_in_30_days",
        Expired = "expired",
        /// Never expires.
        NoExpiration = "no_expiration",
    }
}

/// One credential, without its secret, beside the names that lists search and sort by.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = listed_tokens, check_for_backend(diesel::pg::Pg))]
pub struct Token {
    pub id: TokenId,
    pub kind: Kind,
    /// The organization that it belongs to; none for a person's token.
    pub organization_id: Option<OrganizationId>,
    /// Its owner, if that is a user.
    pub user_id: Option<UserId>,
    /// Its owner, if that is a team.
    pub team_id: Option<TeamId>,
    /// Its owner, if that is a workspace.
    pub workspace_id: Option<WorkspaceId>,
    /// What its maker says of it; unique among a team's live tokens.
    pub description: Option<String>,
    /// The first 10 characters of its secret.
    pub token_prefix: String,
    pub format: Format,
    /// The most that its principal is by it.
    pub role: Role,
    /// What it may reach at other services of what its owner may; none for all of that.
    pub abilities: Option<Vec<Ability>>,
    /// What it may reach now: its own, of its owner's, of those that its organization has registered; `*` is every one.
    pub effective_abilities: Vec<String>,
    /// Whether it may issue its own successor, whatever its role.
    pub self_rotation: bool,
    /// The latest end of such a successor; none for no limit.
    pub rotates_until: Option<DateTime<Utc>>,
    /// Its maker's own keys and values.
    pub labels: Labels,
    /// Whether its JWT says them.
    pub labels_in_jwt: bool,
    /// The user who made it.
    pub created_by_user_id: Option<UserId>,
    /// The team that made it.
    pub created_by_team_id: Option<TeamId>,
    /// The organization that made it.
    pub created_by_organization_id: Option<OrganizationId>,
    /// The workspace that made it.
    pub created_by_workspace_id: Option<WorkspaceId>,
    pub created_at: DateTime<Utc>,
    /// When it was last changed; use is no change.
    pub updated_at: DateTime<Utc>,
    /// When it stops working by itself; never, if none.
    pub expired_at: Option<DateTime<Utc>>,
    /// When it ends by itself: then, or earlier by its organization's TTL policy.
    pub ends_at: Option<DateTime<Utc>>,
    /// In how many seconds that is; 0 if it is over.
    pub ends_in_seconds: Option<i64>,
    /// The same as lists are sorted by: a copy, which is older for a moment after a policy has changed.
    pub sorted_end: Option<DateTime<Utc>>,
    /// Since when it is switched off.
    pub disabled_at: Option<DateTime<Utc>>,
    /// When it was ended for good; during the grace after a regeneration, when it will be.
    pub revoked_at: Option<DateTime<Utc>>,
    /// What whoever revoked it said of that.
    pub revocation_reason: Option<String>,
    /// When it last authenticated a request.
    pub last_used_at: Option<DateTime<Utc>>,
    /// How many requests it has authenticated.
    pub usage_count: i64,
    /// The token that it succeeds.
    pub replaces: Option<TokenId>,
    pub replaced_by: Option<TokenId>,
    pub status: Status,
    pub team_name: Option<String>,
    /// Whether the owning team is the team `owners`.
    pub team_owners: Option<bool>,
    pub team_allows_members: Option<bool>,
    /// The name of the organization that it belongs to.
    pub organization_name: Option<String>,
    /// The name of what it authenticates as.
    pub owner_name: Option<String>,
    /// The name of the user, team, organization or workspace that made it.
    pub created_by_name: Option<String>,
}

/// What a token authenticates as, when it is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// A person.
    User(UserId),
    /// A service account in its organization.
    ServiceAccount(OrganizationId, UserId),
    /// A team in its organization.
    Team(OrganizationId, TeamId),
    /// An organization, as its owner.
    Organization(OrganizationId),
    /// The reader of an organization's audit trail.
    AuditTrails(OrganizationId),
    /// A workspace in its organization.
    Workspace(OrganizationId, WorkspaceId),
}

impl Owner {
    /// A user: a service account if it is in an organization for good.
    #[must_use]
    pub const fn of_user(id: UserId, organization: Option<OrganizationId>) -> Self {
        match organization {
            Some(organization) => Self::ServiceAccount(organization, id),
            None => Self::User(id),
        }
    }

    /// The kind of token that it gets.
    #[must_use]
    pub const fn kind(self) -> Kind {
        match self {
            Self::User(_) | Self::ServiceAccount(..) => Kind::User,
            Self::Team(..) => Kind::Team,
            Self::Organization(_) => Kind::Organization,
            Self::AuditTrails(_) => Kind::AuditTrails,
            Self::Workspace(..) => Kind::Workspace,
        }
    }

    /// The organization that it belongs to; none for a person's.
    #[must_use]
    pub const fn organization(self) -> Option<OrganizationId> {
        match self {
            Self::User(_) => None,
            Self::ServiceAccount(id, _)
            | Self::Team(id, _)
            | Self::Organization(id)
            | Self::AuditTrails(id)
            | Self::Workspace(id, _) => Some(id),
        }
    }

    /// Whose policies say how long its tokens may live.
    #[must_use]
    pub const fn governed(self) -> Governed {
        match self {
            Self::User(id) => Governed::ByOrganizationsOf(id),
            Self::ServiceAccount(id, _)
            | Self::Team(id, _)
            | Self::Organization(id)
            | Self::AuditTrails(id)
            | Self::Workspace(id, _) => Governed::By(id, self.kind()),
        }
    }

    /// The user that it is, if it is one; and so on below.
    #[must_use]
    pub const fn user(self) -> Option<UserId> {
        if let Self::User(id) | Self::ServiceAccount(_, id) = self { Some(id) } else { None }
    }

    #[must_use]
    pub const fn team(self) -> Option<TeamId> {
        if let Self::Team(_, id) = self { Some(id) } else { None }
    }

    #[must_use]
    pub const fn workspace(self) -> Option<WorkspaceId> {
        if let Self::Workspace(_, id) = self { Some(id) } else { None }
    }
}

impl Token {
    /// What it authenticates as; none for a row that the table's own conditions do not let be.
    #[must_use]
    pub fn owner(&self) -> Option<Owner> {
        match self.kind {
            Kind::User => self.user_id.map(|id| Owner::of_user(id, self.organization_id)),
            Kind::Team => self.organization_id.zip(self.team_id).map(|(within, id)| Owner::Team(within, id)),
            Kind::Organization => self.organization_id.map(Owner::Organization),
            Kind::AuditTrails => self.organization_id.map(Owner::AuditTrails),
            Kind::Workspace => {
                self.organization_id.zip(self.workspace_id).map(|(within, id)| Owner::Workspace(within, id))
            }
        }
    }
}

/// A token to be made.
pub(crate) struct NewToken<'a> {
    pub(crate) owner: Owner,
    /// What its maker says of it.
    pub(crate) description: Option<&'a str>,
    /// When it stops working by itself.
    pub(crate) expired_at: Option<DateTime<Utc>>,
    /// The most that its principal is by it.
    pub(crate) role: Role,
    /// What it may reach at other services of what its owner may; none for all of that.
    pub(crate) abilities: Option<&'a [Ability]>,
    /// Whether it may issue its own successor, and the latest end of that.
    pub(crate) rotation: Rotation,
    /// Its maker's own keys and values.
    pub(crate) labels: &'a Labels,
    /// Whether its JWT says them.
    pub(crate) labels_in_jwt: bool,
    /// What its secret is to be.
    pub(crate) form: Form<'a>,
    /// The token that it succeeds.
    pub(crate) replaces: Option<TokenId>,
    pub(crate) created_by: Creator,
}

/// Whether a token may issue its own successor (docs/design.md §3, rule 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rotation {
    /// Whether it may.
    pub(crate) itself: bool,
    /// The latest end of such a successor; none for no limit.
    pub(crate) until: Option<DateTime<Utc>>,
}

impl Rotation {
    const NONE: Self = Self { itself: false, until: None };
}

static NO_LABELS: Labels = Labels(BTreeMap::new());

impl<'a> NewToken<'a> {
    /// An opaque token that never expires, of the role `owner`, made by the command line.
    pub(crate) const fn of(owner: Owner) -> Self {
        Self {
            owner,
            description: None,
            expired_at: None,
            role: Role::Owner,
            abilities: None,
            rotation: Rotation::NONE,
            labels: &NO_LABELS,
            labels_in_jwt: false,
            form: Form::Opaque,
            replaces: None,
            created_by: Creator::System,
        }
    }

    /// The same with what its maker says of it, as far as nothing else has a say in that.
    pub(super) fn asked(owner: Owner, attributes: &'a TokenAttributes) -> Self {
        Self {
            labels: attributes.labels.as_ref().unwrap_or(&NO_LABELS),
            labels_in_jwt: attributes.labels_in_jwt == Some(true),
            ..Self::of(owner)
        }
    }

    /// A token that is what another one was.
    pub(super) fn successor_of(token: &'a Token, owner: Owner) -> Self {
        Self {
            description: token.description.as_deref(),
            role: token.role,
            abilities: token.abilities.as_deref(),
            rotation: Rotation { itself: token.self_rotation, until: token.rotates_until },
            labels: &token.labels,
            labels_in_jwt: token.labels_in_jwt,
            replaces: Some(token.id),
            ..Self::of(owner)
        }
    }
}

impl Token {
    /// The token after the changes that need no look at its organization.
    pub(super) fn changed(self, changes: TokenChanges) -> Self {
        let description = changes.description.unwrap_or(self.description);
        Self {
            description: match self.kind {
                Kind::Workspace => Some(named(description, self.created_at)),
                _ => description,
            },
            role: changes.role.unwrap_or(self.role),
            abilities: changes.abilities.unwrap_or(self.abilities),
            labels: changes.labels.unwrap_or(self.labels),
            ..self
        }
    }
}

/// What happened to a token, as the audit trail tells it: one shape for all.
pub(super) fn event(token: &Token, action: &'static str) -> Event {
    let meta = json!({
        "kind": token.kind,
        "team": token.team_id,
        "workspace": token.workspace_id,
        "description": token.description,
        "role": token.role,
        "abilities": token.abilities,
        "self-rotation": token.self_rotation,
        "labels": token.labels,
    });
    Event::new(token.organization_id, "authentication_token", token.id, action).of_user(token.user_id).meta(meta)
}

/// The most characters that a description may have.
pub const DESCRIPTION_MAX: u64 = 255;

/// What its maker says of a workspace's token, or a name by which it can be found; each has one.
pub(super) fn named(description: Option<String>, made_at: DateTime<Utc>) -> String {
    let said = description.filter(|text| !text.trim().is_empty());
    said.unwrap_or_else(|| format!("Unnamed, {}", made_at.format("%Y-%m-%d")))
}

/// What a client may say of a new token.
#[derive(Debug, Clone, Default, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct TokenAttributes {
    /// `description`: at most 255 characters; an empty string is one, null is none. Without one, a workspace's token is
    /// called `Unnamed` and the day.
    #[serde(default, deserialize_with = "present")]
    #[validate(length(max = "DESCRIPTION_MAX"))]
    #[schema(max_length = 255)]
    pub description: Option<Option<String>>,
    /// `expired-at`: a time to come; null is never.
    #[validate(custom(function = "to_come"))]
    pub expired_at: Option<Timestamp>,
    /// `role`: the most that the token's principal is by it, and what a workspace's token is in its workspace. Without
    /// it, `viewer` for a workspace, else what the maker's own token is capped to, which is usually `owner`, no cap.
    pub role: Option<Role>,
    /// `abilities`: of its owner's, at most 100, each once; null for all of them, also those that the owner gets later, and
    /// so it is without it, for who may give them all.
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "valid_abilities"))]
    #[schema(max_items = 100)]
    pub abilities: Option<Option<Vec<Ability>>>,
    /// `format`: what the secret is to be; without it, what the workspace or the organization prefers, at first `opaque`.
    pub format: Option<Format>,
    /// `expires-in-seconds`: the same as `expired-at`, counted from now, from 1 to 3153600000 (a hundred years); not
    /// together with it.
    #[validate(range(min = 1, max = "LONGEST_LIFE", message = "Expires in seconds must be from 1 to 3153600000"))]
    #[schema(minimum = 1, maximum = 3_153_600_000_i64)]
    pub expires_in_seconds: Option<i64>,
    /// `self-rotation`: whether the token may issue its own successor, whatever its role.
    pub self_rotation: Option<bool>,
    /// `rotates-until`: the latest end of such a successor; null is none. No later than the end of the token that asks.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Timestamp>)]
    pub rotates_until: Option<Option<Timestamp>>,
    /// `labels`: at most 20 keys with a text each.
    #[validate(custom(function = "valid_labels"))]
    pub labels: Option<Labels>,
    /// `labels-in-jwt`: whether the JWT says them, as they are when it is made.
    pub labels_in_jwt: Option<bool>,
    /// `status`: only `active`; a token can be disabled once it is made.
    #[validate(custom(function = "made_active"))]
    #[schema(value_type = Option<String>, pattern = "^active$")]
    pub status: Option<Status>,
}

/// What a client may change of a token.
#[derive(Debug, Clone, Default, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct TokenChanges {
    /// `description`: at most 255 characters; an empty string is one, null is none, which a team's token that has one
    /// cannot become. Without one, a workspace's token is called `Unnamed` and the day when it was made.
    #[serde(default, deserialize_with = "present")]
    #[validate(length(max = "DESCRIPTION_MAX"))]
    #[schema(max_length = 255)]
    pub description: Option<Option<String>>,
    /// `expired-at`: a time to come; null is never, or as late as the organization allows.
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "to_come"))]
    #[schema(value_type = Option<Timestamp>)]
    pub expired_at: Option<Option<Timestamp>>,
    /// `status`: `active` or `inactive` switches it; any other only as it is.
    pub status: Option<Status>,
    /// `role`: the most that the token's principal is by it.
    pub role: Option<Role>,
    /// `abilities`: of its owner's, at most 100, each once, in the place of those before; null for all of them.
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "valid_abilities"))]
    #[schema(max_items = 100)]
    pub abilities: Option<Option<Vec<Ability>>>,
    /// `self-rotation`: whether the token may issue its own successor, whatever its role.
    pub self_rotation: Option<bool>,
    /// `rotates-until`: the latest end of such a successor; null is none. No later than the end of the token that asks.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Timestamp>)]
    pub rotates_until: Option<Option<Timestamp>>,
    /// `labels`: at most 20 keys with a text each, in the place of those before. What a JWT says of them stays.
    #[validate(custom(function = "valid_labels"))]
    pub labels: Option<Labels>,
}

/// What a client may say when a token is revoked.
#[derive(Debug, Clone, Default, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Revocation {
    /// `revocation-reason`: why, in at most 255 characters; kept and shown.
    #[validate(length(max = "DESCRIPTION_MAX"))]
    #[schema(max_length = 255)]
    pub revocation_reason: Option<String>,
}

/// What a client may say when a token is to be replaced.
#[derive(Debug, Clone, Default, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Replacement {
    /// `grace-period-seconds`: how long the old token goes on working, from 0 to 604800 (a week). Without it none, or 60 of
    /// a token that replaces itself.
    #[validate(range(min = 0, max = "GRACE_MAX", message = "Grace period seconds must be from 0 to 604800"))]
    #[schema(minimum = 0, maximum = 604_800)]
    pub grace_period_seconds: Option<i32>,
    /// `expires-in-seconds` of the successor, counted from now; not together with `expired-at`.
    #[validate(range(min = 1, max = "LONGEST_LIFE", message = "Expires in seconds must be from 1 to 3153600000"))]
    #[schema(minimum = 1, maximum = 3_153_600_000_i64)]
    pub expires_in_seconds: Option<i64>,
    /// `expired-at` of the successor: a time to come; null is never. Without it, the successor lives as long as the old
    /// token did.
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "to_come"))]
    #[schema(value_type = Option<Timestamp>)]
    pub expired_at: Option<Option<Timestamp>>,
    /// `status` of the successor: only `active`; it can be disabled once it is made.
    #[validate(custom(function = "made_active"))]
    #[schema(value_type = Option<String>, pattern = "^active$")]
    pub status: Option<Status>,
}

/// For so many days before today it is told how often a token was used (docs/design.md §3, rule 7).
pub const USAGE_KEPT_DAYS: i64 = 90;

/// The most seconds that `expires-in-seconds` takes: a hundred years.
const LONGEST_LIFE: i64 = 3_153_600_000;

/// The grace after a token has replaced itself, in seconds, unless it asks for another (docs/design.md §3, rule 5).
pub const SELF_ROTATION_GRACE: i32 = 60;

/// The longest grace after a regeneration, in seconds: a week (docs/design.md §3, rule 5).
pub const GRACE_MAX: i32 = 604_800;

fn made_active(status: &Status) -> Result<(), ValidationError> {
    if *status == Status::Active {
        return Ok(());
    }
    let message = "Status of a new token can only be active: disable it once it is made";
    Err(ValidationError::new("status").with_message(message.into()))
}

fn to_come(timestamp: &Timestamp) -> Result<(), ValidationError> {
    if timestamp.0 > Utc::now() {
        return Ok(());
    }
    Err(ValidationError::new("past").with_message("Expired at must be a time to come, or null for never".into()))
}
