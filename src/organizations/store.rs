//! The queries of organizations.

use diesel::dsl::sql;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Nullable, Uuid};
use serde_json::Value;

use super::{Organization, Settings};
use crate::database::page::{Listed, SortColumn, page};
use crate::database::schema::{lower, memberships, organizations, projects, team_members, teams, users};
use crate::database::{containing, violated_key};
use crate::ids::{MembershipId, OrganizationId, ProjectId, TeamId, TokenId, UserId};
use crate::jsonapi::{Error, Page, Query, Result};

impl Listed for Organization {
    const COLUMNS: &'static [SortColumn<Self>] = &[
        SortColumn::name("name", "name", |row| row.name.clone()),
        SortColumn::time("created-at", "created_at", |row| row.created_at),
    ];

    fn id(&self) -> uuid::Uuid {
        self.id.uuid()
    }
}

/// Whose organizations a list holds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Scope {
    All,
    /// Those that a user is an active member of, and that let this token of the user's in; without one, a session is, which
    /// all of them let in.
    Of(UserId, Option<TokenId>),
    Only(OrganizationId),
    /// None.
    Nothing,
}

pub(super) fn list(connection: &mut PgConnection, scope: Scope, query: &Query) -> Result<Page<Organization>> {
    let mut found = organizations::table.select(Organization::as_select()).into_boxed();
    found = match scope {
        Scope::All => found,
        Scope::Only(id) => found.filter(organizations::id.eq(id)),
        Scope::Nothing => found.filter(sql::<Bool>("false")),
        Scope::Of(user, token) => found
            .filter(
                organizations::id.eq_any(
                    memberships::table
                        .filter(memberships::user_id.eq(user))
                        .filter(memberships::status.eq("active"))
                        .select(memberships::organization_id),
                ),
            )
            .filter(lets_in(token)),
    };
    // `q` goes before `q[name]` and `q[email]`, as in the HCP API.
    if let Some(q) = query.q() {
        let pattern = containing(q);
        found = found.filter(organizations::name.ilike(pattern.clone()).or(organizations::email.ilike(pattern)));
    } else {
        if let Some(q) = query.q_in("name") {
            found = found.filter(organizations::name.ilike(containing(q)));
        }
        if let Some(q) = query.q_in("email") {
            found = found.filter(organizations::email.ilike(containing(q)));
        }
    }
    page(connection, found, query)
}

type Condition = Box<dyn BoxableExpression<organizations::table, Pg, SqlType = Bool>>;

/// Whether an organization lets a user's token in, if it lets any in and by the token's age: what the gate asks of one is
/// asked of each of several (docs/design.md §3, rule 4). Where no token calls, a session does, which is let in.
fn lets_in(token: Option<TokenId>) -> Condition {
    Box::new(
        sql::<Bool>(
            "NOT EXISTS (SELECT 1 FROM tokens LEFT JOIN token_ttl_policies AS policy \
             ON policy.organization_id = organizations.id AND policy.token_type = 'user' \
             WHERE (token_ends_at(tokens.created_at, tokens.expired_at, organizations.max_ttl_enabled, policy.max_ttl_ms, \
             policy.ended_before, policy.ended_max_ms) <= now() \
             OR tokens.organization_id IS NULL AND NOT organizations.user_tokens_enabled) AND tokens.id = ",
        )
        .bind::<Nullable<Uuid>, _>(token)
        .sql(")"),
    )
}

/// Whether a user is an active member of an organization that another user, who is not suspended, is in or invited to, and
/// that lets the first one's token in, if there is one.
pub(crate) fn shared(
    connection: &mut PgConnection,
    one: UserId,
    token: Option<TokenId>,
    other: UserId,
) -> QueryResult<bool> {
    let of = |user: UserId| memberships::table.filter(memberships::user_id.eq(user));
    let active = of(one).filter(memberships::status.eq("active"));
    let others = of(other)
        .filter(memberships::user_id.eq_any(users::table.filter(users::suspended_at.is_null()).select(users::id)));
    let shared = organizations::table
        .filter(organizations::id.eq_any(active.select(memberships::organization_id)))
        .filter(organizations::id.eq_any(others.select(memberships::organization_id)))
        .filter(lets_in(token));
    diesel::select(diesel::dsl::exists(shared)).get_result(connection)
}

pub(crate) fn find(connection: &mut PgConnection, id: OrganizationId) -> QueryResult<Organization> {
    organizations::table.find(id).select(Organization::as_select()).first(connection)
}

pub(crate) fn find_all(connection: &mut PgConnection, ids: &[OrganizationId]) -> QueryResult<Vec<Organization>> {
    organizations::table.filter(organizations::id.eq_any(ids)).select(Organization::as_select()).load(connection)
}

/// Organizations of these names, which are in lower case: of all, or only this one.
pub(crate) fn named(
    connection: &mut PgConnection,
    only: Option<OrganizationId>,
    names: &[String],
) -> QueryResult<Vec<(OrganizationId, String)>> {
    if names.is_empty() {
        return Ok(vec![]);
    }
    let found = organizations::table.filter(lower(organizations::name).eq_any(names)).into_boxed();
    let found = match only {
        Some(id) => found.filter(organizations::id.eq(id)),
        None => found,
    };
    found.select((organizations::id, organizations::name)).load(connection)
}

/// An organization by id, kept from being deleted until the transaction's end.
pub(crate) fn hold(connection: &mut PgConnection, id: OrganizationId) -> QueryResult<Organization> {
    organizations::table.find(id).select(Organization::as_select()).for_key_share().first(connection)
}

/// An organization by id, locked until the transaction's end.
pub(crate) fn lock(connection: &mut PgConnection, id: OrganizationId) -> QueryResult<Organization> {
    organizations::table.find(id).select(Organization::as_select()).for_no_key_update().first(connection)
}

/// An organization by name, without regard to case, locked until the transaction's end.
pub(crate) fn lock_named(connection: &mut PgConnection, name: &str) -> QueryResult<Option<Organization>> {
    organizations::table
        .filter(lower(organizations::name).eq(name.to_lowercase()))
        .select(Organization::as_select())
        .for_no_key_update()
        .first(connection)
        .optional()
}

/// Keeps a user from being suspended or deleted until the transaction's end.
pub(super) fn hold_user(connection: &mut PgConnection, id: UserId) -> QueryResult<()> {
    users::table.find(id).select(users::id).for_share().first::<UserId>(connection)?;
    Ok(())
}

/// Makes an organization as `new` describes it.
pub(super) fn create(connection: &mut PgConnection, new: &Organization) -> Result<Organization> {
    diesel::insert_into(organizations::table)
        .values((
            organizations::id.eq(new.id),
            organizations::name.eq(&new.name),
            organizations::email.eq(&new.email),
            organizations::max_ttl_enabled.eq(new.max_ttl_enabled),
            organizations::allowed_token_roles.eq(&new.allowed_token_roles),
            organizations::default_token_format.eq(new.default_token_format),
            organizations::default_token_ttl.eq(new.default_token_ttl),
            organizations::user_tokens_enabled.eq(new.user_tokens_enabled),
            organizations::plan.eq(new.plan),
            organizations::settings.eq(stored(&new.settings)?),
        ))
        .returning(Organization::as_returning())
        .get_result(connection)
        .map_err(taken)
}

/// Makes the default project of a new organization.
pub(super) fn create_default_project(
    connection: &mut PgConnection,
    organization: OrganizationId,
) -> QueryResult<ProjectId> {
    let project = ProjectId::default_of(organization);
    diesel::insert_into(projects::table)
        .values((
            projects::id.eq(project),
            projects::organization_id.eq(organization),
            projects::name.eq("Default Project"),
        ))
        .execute(connection)?;
    Ok(project)
}

/// Makes the team `owners` of a new organization, with these users as active members in it.
pub(super) fn create_owners(
    connection: &mut PgConnection,
    organization: OrganizationId,
    owners: &[UserId],
) -> QueryResult<TeamId> {
    let team = TeamId::generate();
    diesel::insert_into(teams::table)
        .values((
            teams::id.eq(team),
            teams::organization_id.eq(organization),
            teams::name.eq("owners"),
            teams::owners.eq(true),
            teams::visibility.eq("organization"),
        ))
        .execute(connection)?;
    let active = |user: &UserId| {
        (
            memberships::id.eq(MembershipId::generate()),
            memberships::organization_id.eq(organization),
            memberships::user_id.eq(*user),
            memberships::status.eq("active"),
        )
    };
    let inside = |user: &UserId| {
        (
            team_members::team_id.eq(team),
            team_members::user_id.eq(*user),
            team_members::organization_id.eq(organization),
        )
    };
    diesel::insert_into(memberships::table)
        .values(owners.iter().map(active).collect::<Vec<_>>())
        .execute(connection)?;
    diesel::insert_into(team_members::table)
        .values(owners.iter().map(inside).collect::<Vec<_>>())
        .execute(connection)?;
    Ok(team)
}

pub(super) fn update(connection: &mut PgConnection, changed: &Organization) -> Result<Organization> {
    diesel::update(organizations::table.find(changed.id))
        .set((
            organizations::name.eq(&changed.name),
            organizations::email.eq(&changed.email),
            organizations::max_ttl_enabled.eq(changed.max_ttl_enabled),
            organizations::allowed_token_roles.eq(&changed.allowed_token_roles),
            organizations::default_token_format.eq(changed.default_token_format),
            organizations::default_token_ttl.eq(changed.default_token_ttl),
            organizations::user_tokens_enabled.eq(changed.user_tokens_enabled),
            organizations::plan.eq(changed.plan),
            organizations::settings.eq(stored(&changed.settings)?),
            organizations::updated_at.eq(diesel::dsl::now),
        ))
        .returning(Organization::as_returning())
        .get_result(connection)
        .map_err(taken)
}

/// An organization by id, locked so that nobody holds it, until the transaction's end.
pub(super) fn lock_for_deletion(connection: &mut PgConnection, id: OrganizationId) -> QueryResult<Organization> {
    organizations::table.find(id).select(Organization::as_select()).for_update().first(connection)
}

fn stored(settings: &Settings) -> Result<Value> {
    serde_json::to_value(settings).map_err(|fault| {
        log::error!("an organization's settings cannot be written: {fault}");
        Error::internal()
    })
}

fn taken(fault: diesel::result::Error) -> Error {
    match violated_key(&fault) {
        Some("organizations_name_key") => Error::attribute("/data/attributes/name", "Name has already been taken"),
        _ => fault.into(),
    }
}
