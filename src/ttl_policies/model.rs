//! The kinds of policy, what a client may write of them, and when a token expires under them.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::PgConnection;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::store;
use super::view::POLICIES;
use crate::access::Caller;
use crate::credential::Kind;
use crate::database::text_enum::text_enum;
use crate::ids::{OrganizationId, UserId};
use crate::jsonapi::{Body, Error, ResourceBody, Result, Timestamp};

use super::view::id;

/// The maximum where none is set: two years.
pub const DEFAULT_MAX_TTL_MS: i64 = 2 * 365 * 24 * 60 * 60 * 1000;

/// The shortest maximum that can be set, one minute, and the longest, a hundred years.
pub const MAX_TTL_MS_RANGE: std::ops::RangeInclusive<i64> = 60_000..=100 * 365 * 24 * 60 * 60 * 1000;

text_enum! {
    /// The kinds of token that a policy can be made for, as the HCP API spells them.
    pub enum TokenType {
        Organization = "organization",
        Team = "team",
        /// User tokens, as far as they are used in the organization.
        User = "user",
        AuditTrails = "audit_trails",
        /// Metrics tokens, which Latchkey has none of: stored and returned.
        Metrics = "metrics",
        /// Workspace tokens, which the HCP API has none of.
        Workspace = "workspace",
    }
}

impl TokenType {
    const fn of(kind: Kind) -> Self {
        match kind {
            Kind::Organization => Self::Organization,
            Kind::Team => Self::Team,
            Kind::User => Self::User,
            Kind::AuditTrails => Self::AuditTrails,
            Kind::Workspace => Self::Workspace,
        }
    }
}

/// The policy of one kind of token in an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Which tokens it holds for.
    pub token_type: TokenType,
    /// How long they may live, in milliseconds.
    pub max_ttl_ms: i64,
    /// When it was first set, and last; none for the default.
    pub set: Option<(DateTime<Utc>, DateTime<Utc>)>,
}

/// What a client may write.
#[derive(Debug, Clone, Default, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct PolicyAttributes {
    /// `token-ttl-policies`: at least one, each kind once.
    #[schema(min_items = 1)]
    pub token_ttl_policies: Option<Vec<PolicyItem>>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct PolicyItem {
    /// `token-type`.
    pub token_type: TokenType,
    /// `max-ttl-ms`: from a minute to a hundred years, in milliseconds.
    #[schema(minimum = 60_000, maximum = 3_153_600_000_000_i64)]
    pub max_ttl_ms: i64,
}

/// What a client may write of a policy that is a resource of its own.
#[derive(Debug, Clone, Copy, Default, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct OnePolicyAttributes {
    /// `token-type`: each kind once.
    pub token_type: Option<TokenType>,
    /// `max-ttl-ms`: from a minute to a hundred years, in milliseconds.
    #[schema(minimum = 60_000, maximum = 3_153_600_000_000_i64)]
    pub max_ttl_ms: Option<i64>,
}

/// The policies that a request sets, in either of the forms that shipped clients send.
pub(crate) enum SentPolicies {
    /// One resource with a list of policies in it, as go-tfe sends.
    InOne(Vec<PolicyItem>),
    /// A list of resources, as pytfe sends.
    Each(Vec<ResourceBody<OnePolicyAttributes>>),
}

impl SentPolicies {
    /// Parses a body; `name` is the organization's.
    pub(super) fn of(body: &Body, name: &str) -> Result<Self> {
        let types = &[POLICIES.name];
        if let Some(each) = body.resources::<OnePolicyAttributes>(types, &["token-type", "max-ttl-ms"])? {
            return Ok(Self::Each(each));
        }
        let one = body.resource::<PolicyAttributes>(types, &["token-ttl-policies"])?.about(&[name])?;
        let items = one.attributes.token_ttl_policies.unwrap_or_default();
        checked(items, "/data/attributes/token-ttl-policies", "").map(Self::InOne)
    }

    /// The policies, if they are those of this organization and can be set together.
    pub(super) fn items(self, organization: OrganizationId) -> Result<Vec<PolicyItem>> {
        match self {
            Self::InOne(items) => Ok(items),
            Self::Each(resources) => items_of(resources, organization),
        }
    }
}

fn items_of(
    resources: Vec<ResourceBody<OnePolicyAttributes>>,
    organization: OrganizationId,
) -> Result<Vec<PolicyItem>> {
    let mut items = vec![];
    for resource in resources {
        let OnePolicyAttributes { token_type: Some(token_type), max_ttl_ms: Some(max_ttl_ms) } = resource.attributes
        else {
            // Both are required, so that neither can be missing here.
            return Err(Error::internal());
        };
        resource.about(&[&id(organization, token_type)])?;
        items.push(PolicyItem { token_type, max_ttl_ms });
    }
    checked(items, "/data", "/attributes")
}

/// The same policies, if they can be set together. They are at the pointer `list`, and their members at `below` in each.
fn checked(items: Vec<PolicyItem>, list: &str, below: &str) -> Result<Vec<PolicyItem>> {
    if items.is_empty() {
        return Err(Error::attribute(list, "Must hold at least one policy"));
    }
    let mut faults = vec![];
    for (nth, item) in items.iter().enumerate() {
        let mut fault =
            |name: &str, detail| faults.push(Error::attribute(format!("{list}/{nth}{below}/{name}"), detail));
        if items[..nth].iter().any(|before| before.token_type == item.token_type) {
            fault("token-type", format!("The policy of the token type {} can be set only once", item.token_type));
        }
        if !MAX_TTL_MS_RANGE.contains(&item.max_ttl_ms) {
            let (least, most) = (MAX_TTL_MS_RANGE.start(), MAX_TTL_MS_RANGE.end());
            fault("max-ttl-ms", format!("Max ttl ms must be from {least} to {most}"));
        }
    }
    Error::check(faults)?;
    Ok(items)
}

/// Whose policies say how long a token may live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Governed {
    /// An organization's, for this kind of token.
    By(OrganizationId, Kind),
    /// As a person's token belongs to no organization: those of every one in which the person is active.
    ByOrganizationsOf(UserId),
}

/// The latest time at which a token may expire that is made at `created_at`; none for whenever its maker likes.
///
/// # Errors
/// The database's own.
pub fn latest_expiry(
    connection: &mut PgConnection,
    governed: Governed,
    created_at: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>> {
    let max_ttl_ms = match governed {
        Governed::By(organization, kind) => store::in_force(connection, organization, TokenType::of(kind))?,
        Governed::ByOrganizationsOf(user) => store::shortest_of_user(connection, user)?,
    };
    let longest = |max_ttl_ms| created_at.checked_add_signed(TimeDelta::milliseconds(max_ttl_ms));
    Ok(max_ttl_ms.map(|max_ttl_ms| longest(max_ttl_ms).unwrap_or(Timestamp::MAX).min(Timestamp::MAX)))
}

/// The latest end that whoever makes a token may give it.
#[derive(Debug, Clone, Copy)]
pub struct LatestEnd {
    /// None if there is no such end.
    pub at: Option<DateTime<Utc>>,
    /// Why it may be no later, for a 422.
    pub because: &'static str,
}

impl LatestEnd {
    /// The end of the token that calls (docs/design.md §3, rule 8).
    #[must_use]
    pub const fn of(caller: &Caller) -> Self {
        Self { at: caller.ends_at, because: "the token that calls ends then" }
    }
}

/// When a token that is made at `created_at` will expire: when its maker asks for, within what policies and its maker
/// allow (docs/design.md §3, rules 4 and 8).
///
/// # Errors
/// 422 if the maker asks for more.
pub fn expiry(
    connection: &mut PgConnection,
    within: LatestEnd,
    governed: Governed,
    created_at: DateTime<Utc>,
    asked: Option<DateTime<Utc>>,
) -> Result<Option<DateTime<Utc>>> {
    let by_policy = latest_expiry(connection, governed, created_at)?;
    let latest = earliest(by_policy, within.at);
    match (asked, latest) {
        (Some(asked), Some(latest)) if asked > latest => {
            let because = match governed {
                _ if Some(latest) != by_policy => within.because.to_owned(),
                Governed::By(_, kind) => {
                    format!("the organization lets {} tokens live no longer", TokenType::of(kind))
                }
                Governed::ByOrganizationsOf(_) => {
                    "an organization that the user is in lets user tokens live no longer".to_owned()
                }
            };
            let detail = format!("Expired at must be no later than {}: {because}", crate::jsonapi::time(latest));
            Err(Error::attribute("/data/attributes/expired-at", detail))
        }
        (asked, latest) => Ok(asked.or(latest)),
    }
}

/// The earlier of two ends; none if neither ever comes.
#[must_use]
pub fn earliest(one: Option<DateTime<Utc>>, other: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
    one.into_iter().chain(other).min()
}
