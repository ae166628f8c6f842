//! The one query that every request begins with: secret → token or session → principal → rights.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, Binary, Bool, Nullable, Text, Timestamptz, Uuid};

use super::{AuthenticatedBy, Caller, OrganizationRef, OrganizationRights, Principal, Role};
use crate::access::Permission;
use crate::credential::{Ability, Digest, Kind, Status};
use crate::database::schema::{memberships, team_members, teams};
use crate::database::text_enum::TextEnum;
use crate::ids::{OrganizationId, SessionId, TeamId, TokenId, UserId, WorkspaceId};
use crate::jsonapi::{Error, Result};

/// A token or a session that was found by its secret, its owner, and the owner's rights in the organization. A session is
/// like a token of a person that is not capped and that no organization's policies are about.
#[derive(Debug, Queryable)]
pub(super) struct Authenticated {
    key: uuid::Uuid,
    session: bool,
    kind: Kind,
    status: Status,
    role: Role,
    abilities: Option<Vec<Ability>>,
    description: Option<String>,
    ends_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
    replaced: bool,
    organization: Option<OrganizationId>,
    organization_name: Option<String>,
    user: Option<UserId>,
    username: Option<String>,
    site_admin: Option<bool>,
    team: Option<TeamId>,
    team_name: Option<String>,
    workspace: Option<WorkspaceId>,
    workspace_name: Option<String>,
    requested_organization: Option<OrganizationId>,
    active_member: bool,
    shut_out: bool,
    owner: Option<bool>,
    teams: Option<Vec<TeamId>>,
    permissions: Option<String>,
    reached: Option<String>,
}

/// A token that was presented and is not good any more.
#[derive(Debug, Clone, Copy)]
pub(super) struct Refused {
    pub(super) token: TokenId,
    pub(super) organization: Option<OrganizationId>,
    pub(super) user: Option<UserId>,
    pub(super) status: Status,
    /// Whether it has a successor.
    pub(super) replaced: bool,
}

/// By what a token or a session is looked up.
#[derive(Debug, Clone)]
pub(super) enum Key {
    /// The SHA-256 of a token's secret.
    Token(Digest),
    /// The SHA-256 of a session's secret.
    Session(Digest),
    /// The id, once the secret has been seen.
    Id(AuthenticatedBy),
}

impl Key {
    const fn is_session(&self) -> bool {
        matches!(self, Self::Session(_) | Self::Id(AuthenticatedBy::Session(_)))
    }
}

/// Looks a token or a session up, with the rights of its principal.
pub(super) fn authenticate(
    connection: &mut PgConnection,
    key: &Key,
    organization_ref: &OrganizationRef,
) -> Result<Option<Authenticated>> {
    let named = match organization_ref {
        OrganizationRef::None => None,
        OrganizationRef::Organization(name) => name.clone(),
        OrganizationRef::Team(id) => id.map(|id| id.uuid().to_string()),
        OrganizationRef::Token(id) => id.map(|id| id.uuid().to_string()),
        OrganizationRef::Membership(id) => id.map(|id| id.uuid().to_string()),
        OrganizationRef::Workspace(id) => id.map(|id| id.uuid().to_string()),
        OrganizationRef::TeamAccess(id) => id.map(|id| id.uuid().to_string()),
        OrganizationRef::User(id) => id.map(|id| id.uuid().to_string()),
        OrganizationRef::Tag(id) => id.map(|id| id.uuid().to_string()),
        OrganizationRef::Project(id) => id.map(|id| id.uuid().to_string()),
        OrganizationRef::ProjectAccess(id) => id.map(|id| id.uuid().to_string()),
        OrganizationRef::ReservedTagKey(id) => id.map(|id| id.uuid().to_string()),
    };
    let lookup = Lookup { key, find_organization: find_organization(organization_ref), named };
    Ok(lookup.get_result(connection).optional()?)
}

const fn find_organization(organization_ref: &OrganizationRef) -> &'static str {
    match organization_ref {
        OrganizationRef::None => "SELECT NULL::uuid AS id FROM (SELECT place_name.value) AS nowhere WHERE false",
        OrganizationRef::Organization(_) => "SELECT id FROM organizations WHERE lower(name) = lower(place_name.value)",
        OrganizationRef::Team(_) => "SELECT organization_id AS id FROM teams WHERE id = place_name.value::uuid",
        OrganizationRef::Membership(_) => {
            "SELECT organization_id AS id FROM memberships WHERE id = place_name.value::uuid"
        }
        OrganizationRef::Workspace(_) => {
            "SELECT organization_id AS id FROM workspaces WHERE id = place_name.value::uuid"
        }
        OrganizationRef::TeamAccess(_) => {
            "SELECT organization_id AS id FROM team_workspaces WHERE id = place_name.value::uuid"
        }
        OrganizationRef::User(_) => "SELECT organization_id AS id FROM users WHERE id = place_name.value::uuid",
        OrganizationRef::Tag(_) => "SELECT organization_id AS id FROM tags WHERE id = place_name.value::uuid",
        OrganizationRef::Project(_) => "SELECT organization_id AS id FROM projects WHERE id = place_name.value::uuid",
        OrganizationRef::ProjectAccess(_) => {
            "SELECT organization_id AS id FROM team_projects WHERE id = place_name.value::uuid"
        }
        OrganizationRef::ReservedTagKey(_) => {
            "SELECT organization_id AS id FROM reserved_tag_keys WHERE id = place_name.value::uuid"
        }
        OrganizationRef::Token(_) => "SELECT organization_id AS id FROM tokens WHERE id = place_name.value::uuid",
    }
}

impl Authenticated {
    pub(super) fn is_good(&self) -> bool {
        self.status == Status::Active
    }

    pub(super) fn by(&self) -> AuthenticatedBy {
        if self.session {
            AuthenticatedBy::Session(SessionId::from(self.key))
        } else {
            AuthenticatedBy::Token(TokenId::from(self.key))
        }
    }

    /// The token that opens nothing, and why; none if it is good, or a session.
    pub(super) fn refused_token(&self) -> Option<Refused> {
        match self.by() {
            AuthenticatedBy::Token(token) if !self.is_good() => Some(Refused {
                token,
                organization: self.organization,
                user: self.user,
                status: self.status,
                replaced: self.replaced,
            }),
            _ => None,
        }
    }

    /// The caller that this makes, if the token or the session is good.
    ///
    /// # Errors
    /// 401 for a user whom the organization knows and lets in by no token.
    pub(super) fn into_caller(self, organization_ref: OrganizationRef, request_id: String) -> Result<Caller> {
        if self.shut_out {
            return Err(Error::unauthorized());
        }
        let (by, principal) = (self.by(), self.principal()?);
        let own_organization = self.organization.is_some() && self.organization == self.requested_organization;
        let member = match self.kind {
            Kind::User => self.active_member,
            Kind::Team | Kind::Organization => own_organization,
            Kind::AuditTrails | Kind::Workspace => false,
        };
        let rights = OrganizationRights {
            member,
            owner: member && (self.kind == Kind::Organization || self.owner == Some(true)),
            teams: self.teams.into_iter().flatten().collect(),
            permissions: words(self.permissions.as_deref()).filter_map(Permission::of_word).collect(),
            abilities: words(self.reached.as_deref()).filter_map(|word| word.parse().ok()).collect(),
        };
        Ok(Caller {
            by,
            role: self.role,
            abilities: self.abilities,
            token_description: self.description,
            ends_at: self.ends_at.filter(|_| !self.session),
            now: self.now,
            principal,
            organization_ref,
            organization_id: self.requested_organization,
            rights,
            request_id,
        })
    }

    fn principal(&self) -> Result<Principal> {
        let principal = match self.kind {
            Kind::User => self.user.zip(self.username.clone()).map(|(id, username)| Principal::User {
                id,
                username,
                site_admin: self.site_admin == Some(true),
                organization: self.organization,
            }),
            Kind::Team => self
                .team
                .zip(self.team_name.clone())
                .zip(self.organization)
                .map(|((id, name), organization)| Principal::Team { id, name, organization }),
            Kind::Organization => self
                .organization
                .zip(self.organization_name.clone())
                .map(|(id, name)| Principal::Organization { id, name }),
            Kind::AuditTrails => self.organization.map(|organization| Principal::AuditTrails { organization }),
            Kind::Workspace => self
                .workspace
                .zip(self.workspace_name.clone())
                .zip(self.organization)
                .map(|((id, name), organization)| Principal::Workspace { id, name, organization }),
        };
        principal.ok_or_else(Error::unauthorized)
    }
}

/// What a team gives to who is in it, and to its tokens.
#[derive(Queryable, Selectable)]
#[diesel(table_name = teams, check_for_backend(Pg))]
struct OwnTeam {
    organization_id: OrganizationId,
    id: TeamId,
    owners: bool,
    organization_access: Vec<Permission>,
    abilities: Vec<Ability>,
}

/// The words of a text that has commas between them.
fn words(text: Option<&str>) -> impl Iterator<Item = &str> {
    text.into_iter().flat_map(|words| words.split(','))
}

/// Where the caller stands in each of some organizations, as far as the caller has a part in them.
pub(super) fn rights_in_each(
    connection: &mut PgConnection,
    caller: &Caller,
    organizations: &[OrganizationId],
) -> Result<HashMap<OrganizationId, OrganizationRights>> {
    let (user, own_team) = match caller.principal {
        Principal::User { id, .. } => (Some(id), None),
        Principal::Team { id, .. } => (None, Some(id)),
        Principal::Organization { id, .. } => {
            return Ok(HashMap::from([(
                id,
                OrganizationRights { member: true, owner: true, ..OrganizationRights::default() },
            )]));
        }
        Principal::AuditTrails { .. } | Principal::Workspace { .. } => return Ok(HashMap::new()),
    };
    let active = memberships::table
        .filter(memberships::user_id.nullable().eq(user))
        .filter(memberships::status.eq("active"))
        .filter(memberships::organization_id.eq_any(organizations));
    let members: Vec<OrganizationId> = active.select(memberships::organization_id).load(connection)?;
    let mut rights_in_each: HashMap<_, _> = members
        .into_iter()
        .map(|id| (id, OrganizationRights { member: true, ..OrganizationRights::default() }))
        .collect();
    let in_team = team_members::table.filter(team_members::user_id.nullable().eq(user)).select(team_members::team_id);
    let mine: Vec<OwnTeam> = teams::table
        .filter(teams::organization_id.eq_any(organizations))
        .filter(teams::id.eq_any(in_team).or(teams::id.nullable().eq(own_team)))
        .select(OwnTeam::as_select())
        .load(connection)?;
    for team in mine {
        let of_team = || OrganizationRights { member: true, ..OrganizationRights::default() };
        let rights = match own_team {
            Some(_) => Some(rights_in_each.entry(team.organization_id).or_insert_with(of_team)),
            // In a team, but only invited.
            None => rights_in_each.get_mut(&team.organization_id),
        };
        if let Some(rights) = rights {
            rights.owner |= team.owners;
            rights.teams.insert(team.id);
            rights.permissions.extend(team.organization_access);
            rights.abilities.extend(team.abilities);
        }
    }
    Ok(rights_in_each)
}

/// Sessions as if they were tokens of persons that no policy is about: without a time of making, no maximum ends them.
const SESSIONS: &str = "(SELECT id, 'user'::text AS kind, false AS revoked, NULL::timestamptz AS revoked_at, \
    NULL::timestamptz AS created_at, least(ends_at, seen_at + idle_ms * interval '1 millisecond') AS expired_at, \
    NULL::timestamptz AS disabled_at, 'owner'::text AS role, NULL::text[] AS abilities, NULL::text AS description, \
    NULL::uuid AS organization_id, user_id, NULL::uuid AS team_id, NULL::uuid AS workspace_id, secret_hash \
    FROM sessions) AS tokens";

/// The query as one text, so that its plan is cached; diesel's own `sql_query` never is.
struct Lookup<'a> {
    key: &'a Key,
    find_organization: &'static str,
    named: Option<String>,
}

impl Query for Lookup<'_> {
    type SqlType = (
        Uuid,
        Bool,
        Text,
        Text,
        Text,
        Nullable<Array<Text>>,
        Nullable<Text>,
        Nullable<Timestamptz>,
        Timestamptz,
        Bool,
        Nullable<Uuid>,
        Nullable<Text>,
        Nullable<Uuid>,
        Nullable<Text>,
        Nullable<Bool>,
        Nullable<Uuid>,
        Nullable<Text>,
        Nullable<Uuid>,
        Nullable<Text>,
        Nullable<Uuid>,
        Bool,
        Bool,
        Nullable<Bool>,
        Nullable<Array<Uuid>>,
        Nullable<Text>,
        Nullable<Text>,
    );
}

impl QueryId for Lookup<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl RunQueryDsl<PgConnection> for Lookup<'_> {}

impl QueryFragment<Pg> for Lookup<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let key: &'b Key = self.key;
        let session = key.is_session();
        // Not `now()`: that is when the transaction began, before what was revoked while it waited.
        out.push_sql("SELECT tokens.id, ");
        out.push_sql(if session { "true" } else { "false" });
        out.push_sql(
            ", tokens.kind, \
             CASE WHEN tokens.revoked OR tokens.revoked_at <= statement_timestamp() \
               OR num_nonnulls(own_user.deleted_at, own_team.deleted_at, own_workspace.deleted_at, \
                 organizations.deleted_at) > 0 THEN 'revoked' \
             WHEN token_ends_at(tokens.created_at, tokens.expired_at, organizations.max_ttl_enabled, policy.max_ttl_ms, \
               policy.ended_before, policy.ended_max_ms) <= statement_timestamp() THEN 'expired' \
             WHEN tokens.disabled_at IS NOT NULL OR own_user.suspended_at IS NOT NULL THEN 'inactive' \
             ELSE 'active' END, \
             CASE WHEN organizations.allowed_token_roles IS NULL AND own_workspace.allowed_token_roles IS NULL \
               THEN tokens.role \
               ELSE capped_role(tokens.role, organizations.allowed_token_roles, own_workspace.allowed_token_roles) END, \
             tokens.abilities, tokens.description, \
             least(tokens.revoked_at, token_ends_at( \
               tokens.created_at, tokens.expired_at, organizations.max_ttl_enabled, policy.max_ttl_ms, \
               policy.ended_before, policy.ended_max_ms)), \
             now(), \
             tokens.revoked_at IS NOT NULL AND EXISTS (SELECT FROM tokens AS successor \
               WHERE successor.replaces = tokens.id), \
             tokens.organization_id, organizations.name, tokens.user_id, own_user.username, own_user.site_admin, \
             tokens.team_id, own_team.name, tokens.workspace_id, own_workspace.name, place.id, membership.id IS NOT NULL, \
",
        );
        // That an organization lets no tokens of users in says nothing of sessions.
        out.push_sql(if session { "false AND " } else { "" });
        out.push_sql(
            "tokens.kind = 'user' AND tokens.organization_id IS NULL AND (membership.id IS NOT NULL OR own_user.site_admin) AND EXISTS ( \
               SELECT FROM organizations AS here WHERE here.id = place.id AND NOT here.user_tokens_enabled), \
             standing.owner, standing.teams, standing.permissions, \
             coalesce(standing.abilities, array_to_string(own_workspace.abilities, ',')) \
             FROM ",
        );
        out.push_sql(if session { SESSIONS } else { "tokens" });
        out.push_sql(
            " LEFT JOIN all_users AS own_user ON own_user.id = tokens.user_id \
             LEFT JOIN all_teams AS own_team ON own_team.id = tokens.team_id \
             LEFT JOIN all_workspaces AS own_workspace ON own_workspace.id = tokens.workspace_id \
             LEFT JOIN all_organizations AS organizations ON organizations.id = tokens.organization_id \
             LEFT JOIN token_ttl_policies AS policy ON policy.organization_id = tokens.organization_id \
               AND policy.token_type = replace(tokens.kind, '-', '_') \
             CROSS JOIN (SELECT ",
        );
        out.push_bind_param::<Nullable<Text>, _>(&self.named)?;
        out.push_sql("::text AS value) AS place_name LEFT JOIN LATERAL (");
        out.push_sql(self.find_organization);
        out.push_sql(
            ") AS place ON true \
             LEFT JOIN LATERAL (SELECT memberships.id FROM memberships \
               JOIN organizations AS here ON here.id = memberships.organization_id \
               LEFT JOIN token_ttl_policies AS policy ON policy.organization_id = here.id \
                 AND policy.token_type = 'user' \
               WHERE memberships.organization_id = place.id AND memberships.user_id = tokens.user_id \
                 AND memberships.status = 'active' \
                 AND (token_ends_at(tokens.created_at, tokens.expired_at, here.max_ttl_enabled, policy.max_ttl_ms, \
                   policy.ended_before, policy.ended_max_ms) <= statement_timestamp()) IS NOT TRUE \
             ) AS membership ON true \
             LEFT JOIN LATERAL ( \
               SELECT bool_or(mine.owners) AS owner, array_agg(mine.id) AS teams, \
                 string_agg(array_to_string(mine.organization_access, ','), ',') AS permissions, \
                 string_agg(array_to_string(mine.abilities, ','), ',') AS abilities \
               FROM (SELECT tokens.team_id AS id UNION ALL SELECT team_id FROM team_members \
                 WHERE membership.id IS NOT NULL AND team_members.user_id = tokens.user_id \
                 AND team_members.organization_id = place.id) AS own \
               JOIN teams AS mine ON mine.id = own.id AND mine.organization_id = place.id \
             ) AS standing ON true \
             WHERE ",
        );
        match key {
            Key::Token(digest) => {
                out.push_sql("tokens.token_hash = ");
                out.push_bind_param::<Binary, _>(digest.as_bytes().as_slice())
            }
            Key::Session(digest) => {
                out.push_sql("tokens.secret_hash = ");
                out.push_bind_param::<Binary, _>(digest.as_bytes().as_slice())
            }
            Key::Id(AuthenticatedBy::Token(id)) => {
                out.push_sql("tokens.id = ");
                out.push_bind_param::<Uuid, _>(id)
            }
            Key::Id(AuthenticatedBy::Session(id)) => {
                out.push_sql("tokens.id = ");
                out.push_bind_param::<Uuid, _>(id)
            }
        }
    }
}
