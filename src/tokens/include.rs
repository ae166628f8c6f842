//! What `include` adds to tokens: whose they are, who made them, and the tokens before and after them. However many tokens
//! there are, it takes at most ten queries.

use std::collections::{BTreeSet, HashMap};

use diesel::PgConnection;

use super::view::{self, TOKENS};
use super::{Token, right, store};
use crate::access::{Action, Caller, Target};
use crate::credential::Kind;
use crate::ids::{OrganizationId, TeamId, TokenId, UserId, WorkspaceId};
use crate::jsonapi::{Query, Resource, ResourceType, Result};
use crate::organizations::{self, ORGANIZATIONS, Organization};
use crate::teams::{self, TEAMS};
use crate::users::{self, USERS};
use crate::workspaces::{self, WORKSPACES};

/// What a client can ask to include.
pub(super) const INCLUDE: &[&str] =
    &["created-by", "organization", "replaced-by", "replaces", "team", "user", "workspace"];

/// All types that can be in a document of tokens.
pub(super) const TYPES: &[&ResourceType] = &[&TOKENS, &USERS, &TEAMS, &WORKSPACES, &ORGANIZATIONS];

/// What a query asks for, by type.
#[derive(Default)]
struct Wanted {
    users: BTreeSet<UserId>,
    teams: BTreeSet<TeamId>,
    workspaces: BTreeSet<WorkspaceId>,
    organizations: BTreeSet<OrganizationId>,
    tokens: BTreeSet<TokenId>,
}

impl Wanted {
    fn of(query: &Query, tokens: &[Token]) -> Self {
        let mut wanted = Self::default();
        for token in tokens {
            if query.includes("created-by") {
                wanted.users.extend(token.created_by_user_id);
                wanted.teams.extend(token.created_by_team_id);
                wanted.workspaces.extend(token.created_by_workspace_id);
                wanted.organizations.extend(token.created_by_organization_id);
            }
            if query.includes("user") {
                wanted.users.extend(token.user_id);
            }
            if query.includes("team") {
                wanted.teams.extend(token.team_id);
            }
            if query.includes("workspace") {
                wanted.workspaces.extend(token.workspace_id);
            }
            if query.includes("organization") {
                wanted.organizations.extend(token.organization_id);
            }
            if query.includes("replaces") {
                wanted.tokens.extend(token.replaces);
            }
            if query.includes("replaced-by") {
                wanted.tokens.extend(token.replaced_by);
            }
        }
        // No resource is twice in a document.
        for token in tokens {
            wanted.tokens.remove(&token.id);
        }
        wanted
    }
}

/// An organization, and the caller in it.
struct Place {
    organization: Organization,
    caller: Caller,
}

/// What the query asks to include of tokens that the caller may read, as far as the caller sees it.
///
/// # Errors
/// The database's own.
pub(super) fn included(
    connection: &mut PgConnection,
    caller: &Caller,
    query: &Query,
    tokens: &[Token],
) -> Result<Vec<Resource>> {
    let Wanted { users, teams, workspaces, organizations, tokens: neighbours } = Wanted::of(query, tokens);
    let mut included = vec![];
    if !(teams.is_empty() && workspaces.is_empty() && organizations.is_empty()) {
        let places = places(connection, caller, tokens)?;
        let seen = |place: &&Place| place.caller.can(Action::SeeOrganization, Target::Organization);
        let named = organizations.iter().filter_map(|id| places.get(id)).filter(seen);
        included.extend(named.map(|place| organizations::organization(&place.organization, &place.caller)));
        let teams: Vec<TeamId> = teams.into_iter().collect();
        included.extend(teams::render_seen(connection, &teams, |organization| {
            places.get(&organization).map(|place| (&place.caller, place.organization.name.as_str()))
        })?);
        let workspaces: Vec<WorkspaceId> = workspaces.into_iter().collect();
        included.extend(workspaces::render_seen(connection, &workspaces, |organization| {
            places.get(&organization).map(|place| (&place.caller, &place.organization))
        })?);
    }
    if !users.is_empty() {
        let users: Vec<UserId> = users.into_iter().collect();
        included.extend(users::find_all(connection, &users)?.iter().map(users::public));
    }
    if !neighbours.is_empty() {
        let neighbours: Vec<TokenId> = neighbours.into_iter().collect();
        let found = store::find_all_including_revoked(connection, &neighbours)?;
        included.extend(found.iter().filter(|token| reads_like_its_neighbour(caller, token)).map(view::token));
    }
    Ok(included)
}

/// Whether a caller who reads a token reads its neighbour, which has the same owner. So it is with users' and workspaces'
/// tokens; a token of a team or an organization may read itself alone.
fn reads_like_its_neighbour(caller: &Caller, neighbour: &Token) -> bool {
    let of_everybody = caller.organization_id.is_none() && caller.can(Action::ListEveryToken, Target::Organization);
    caller.is_token(neighbour.id)
        || of_everybody
        || match (neighbour.kind, neighbour.team_id) {
            (Kind::User | Kind::Workspace, _) => true,
            (Kind::Team, Some(id)) => {
                let facts = right::facts_of_team(neighbour, id);
                caller.can(Action::ReadTeamToken, Target::TeamToken(facts, Some(neighbour.id)))
            }
            _ => caller.can(Action::ReadOrganizationToken, Target::Organization),
        }
}

/// The organizations of tokens, with the caller in each.
fn places(connection: &mut PgConnection, caller: &Caller, tokens: &[Token]) -> Result<HashMap<OrganizationId, Place>> {
    let ids: BTreeSet<OrganizationId> = tokens.iter().filter_map(|token| token.organization_id).collect();
    let ids: Vec<OrganizationId> = ids.into_iter().collect();
    let organizations = organizations::find_all(connection, &ids)?;
    let there: Vec<OrganizationId> = organizations.iter().map(|organization| organization.id).collect();
    let callers = match there.as_slice() {
        [id] if caller.organization_id == Some(*id) => vec![caller.clone()],
        _ => caller.in_each(connection, &there)?,
    };
    let place = |(organization, caller): (Organization, Caller)| (organization.id, Place { organization, caller });
    Ok(organizations.into_iter().zip(callers).map(place).collect())
}
