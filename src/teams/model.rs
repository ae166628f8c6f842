//! The team, and what a client may write of one.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::Deserialize;
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use super::{store, view};
use crate::access::{Action, Caller, OrganizationRef, Permission, Target, TeamFacts};
use crate::credential::{Ability, valid_abilities};
use crate::database::schema::teams;
use crate::database::text_enum::{TextEnum, text_enum};
use crate::ids::{OrganizationId, TeamId};
use crate::jsonapi::{Error, Resource, Result, present};

/// The name of the team that is made with every organization.
pub const OWNERS: &str = "owners";

text_enum! {
    pub enum Visibility {
        /// Its members, owners, and who manages teams or accesses secret ones.
        Secret = "secret",
        /// Every member of the organization.
        Organization = "organization",
    }
}

/// A team as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = teams, check_for_backend(diesel::pg::Pg))]
pub struct Team {
    pub id: TeamId,
    /// The organization that it is in.
    pub organization_id: OrganizationId,
    /// Its name, unique in the organization without regard to case.
    pub name: String,
    pub description: Option<String>,
    /// Whether it is the team `owners`.
    pub owners: bool,
    pub visibility: Visibility,
    /// Its id at an identity provider.
    pub sso_team_id: Option<String>,
    /// Whether its members may handle its tokens.
    pub allow_member_token_management: bool,
    /// What it may do in the organization.
    #[diesel(deserialize_as = Vec<Permission>)]
    pub organization_access: Permissions,
    /// What its tokens and its members may reach at other services; the team `owners` has every ability.
    pub abilities: Vec<Ability>,
    pub created_at: DateTime<Utc>,
}

impl Team {
    /// A team as it is before its maker says anything of it: secret, without permissions and without a name.
    #[must_use]
    pub fn new(organization: OrganizationId) -> Self {
        Self {
            id: TeamId::generate(),
            organization_id: organization,
            name: String::new(),
            description: None,
            owners: false,
            visibility: Visibility::Secret,
            sso_team_id: None,
            allow_member_token_management: true,
            organization_access: Permissions::default(),
            abilities: vec![],
            created_at: Utc::now(),
        }
    }

    /// What the access table needs to know of it.
    #[must_use]
    pub fn facts(&self) -> TeamFacts {
        TeamFacts {
            id: self.id,
            owners: self.owners,
            secret: self.visibility == Visibility::Secret,
            allows_members: self.allow_member_token_management,
        }
    }

    /// Whether it holds a permission; the team `owners` holds all.
    #[must_use]
    pub fn holds(&self, permission: Permission) -> bool {
        self.owners || self.organization_access.0.contains(&permission)
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Permissions(pub BTreeSet<Permission>);

impl From<Vec<Permission>> for Permissions {
    fn from(permissions: Vec<Permission>) -> Self {
        Self(permissions.into_iter().collect())
    }
}

/// `organization-access` as a client writes it: some permissions given, some taken, the rest left as they are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccessChanges(BTreeMap<Permission, bool>);

impl<'de> Deserialize<'de> for AccessChanges {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let given = BTreeMap::<String, Option<bool>>::deserialize(from)?;
        // Unknown members are ignored, and null leaves a permission as it is (docs/design.md §5).
        let known = given.into_iter().filter_map(|(name, value)| Some((Permission::of_word(&name)?, value?)));
        Ok(Self(known.collect()))
    }
}

impl AccessChanges {
    /// Whether it takes a permission away.
    #[must_use]
    pub fn take_any(&self) -> bool {
        self.0.values().any(|given| !given)
    }

    /// The permissions after the change.
    #[must_use]
    pub fn applied_to(&self, permissions: &Permissions) -> Permissions {
        let mut changed = permissions.clone();
        for (permission, given) in &self.0 {
            if *given {
                changed.0.insert(*permission);
            } else {
                changed.0.remove(permission);
            }
        }
        changed
    }
}

/// What a client may write of a team.
#[derive(Debug, Clone, Default, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct TeamAttributes {
    /// `name`: 1 to 90 letters, digits, hyphens, underscores, slashes and, but for its ends, spaces.
    #[validate(custom(function = "valid_team_name"))]
    #[schema(pattern = "^[A-Za-z0-9_/-]([A-Za-z0-9_ /-]{0,88}[A-Za-z0-9_/-])?$")]
    pub name: Option<String>,
    /// `description`: at most 1000 characters; null for none.
    #[serde(default, deserialize_with = "present")]
    #[validate(length(max = 1000))]
    #[schema(max_length = 1000)]
    pub description: Option<Option<String>>,
    /// `visibility`.
    pub visibility: Option<Visibility>,
    /// `sso-team-id`: at most 256 characters; null for none.
    #[serde(default, deserialize_with = "present")]
    #[validate(length(max = 256))]
    #[schema(max_length = 256)]
    pub sso_team_id: Option<Option<String>>,
    /// `allow-member-token-management`.
    pub allow_member_token_management: Option<bool>,
    /// `organization-access`; null changes nothing.
    pub organization_access: Option<AccessChanges>,
    /// `abilities`: what its tokens and its members may reach at other services, at most 100, each once; null for the team
    /// `owners`, which has every one.
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "valid_abilities"))]
    #[schema(max_items = 100)]
    pub abilities: Option<Option<Vec<Ability>>>,
}

fn valid_team_name(name: &str) -> Result<(), ValidationError> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'/' | b' ');
    if (1..=90).contains(&name.len()) && name.bytes().all(fits) && name.trim() == name {
        return Ok(());
    }
    let message = "Name must be 1 to 90 characters long, hold only letters, digits, hyphens, underscores, slashes and \
                   spaces, and neither begin nor end with a space";
    Err(ValidationError::new("name").with_message(message.into()))
}

/// The organization of the team that a path names.
pub(crate) fn organization_of_team(id: &str) -> OrganizationRef {
    OrganizationRef::Team(id.parse().ok())
}

/// The team that a body names to be given access to a thing of the caller's organization.
///
/// # Errors
/// 404 that points at the team, if there is none there that the caller sees.
pub(crate) fn named_in_body(connection: &mut PgConnection, caller: &Caller, id: &str, thing: &str) -> Result<Team> {
    let unknown = || {
        let detail = format!("There is no such team in the {thing}'s organization");
        Error::not_found_at("/data/relationships/team/data/id", detail)
    };
    let found = store::find(connection, id.parse().map_err(|_| unknown())?).optional()?;
    let (team, _) = found.ok_or_else(unknown)?;
    let seen =
        team.organization_id == caller.organization()? && caller.can(Action::SeeTeam, Target::Team(team.facts()));
    if seen { Ok(team) } else { Err(unknown()) }
}

/// Teams of an organization as resources, for rooms that include them in their documents.
pub(crate) fn render(
    connection: &mut PgConnection,
    caller: &Caller,
    organization: &str,
    teams: &[Team],
) -> Result<Vec<Resource>> {
    let members = store::members(connection, teams, view::NAMED_IN_LIST_MAX)?;
    Ok(view::teams(teams, organization, &members, caller))
}

/// Those of these teams that the caller sees, as resources, for documents about several organizations: `place` tells who the
/// caller is in one, and its name.
pub(crate) fn render_seen<'a>(
    connection: &mut PgConnection,
    ids: &[TeamId],
    place: impl Fn(OrganizationId) -> Option<(&'a Caller, &'a str)>,
) -> Result<Vec<Resource>> {
    let sees = |team: &Team| {
        place(team.organization_id).is_some_and(|(caller, _)| caller.can(Action::SeeTeam, Target::Team(team.facts())))
    };
    let mut seen = store::find_all(connection, ids)?;
    seen.retain(sees);
    seen.sort_by_key(|team| team.organization_id);
    let members = store::members(connection, &seen, view::NAMED_INCLUDED_MAX)?;
    let of_each = seen.chunk_by(|one, other| one.organization_id == other.organization_id).filter_map(|teams| {
        let (caller, organization) = place(teams.first()?.organization_id)?;
        Some(view::teams(teams, organization, &members, caller))
    });
    Ok(of_each.flatten().collect())
}
