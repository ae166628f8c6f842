//! The queries of teams and of who is in them.

use chrono::{DateTime, Utc};
use diesel::dsl::{count, count_star};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Text, Uuid as SqlUuid};

use super::{Team, Visibility};
use crate::access::Permission;
use crate::credential::Ability;
use crate::database::page::{Listed, SortColumn, page};
use crate::database::schema::{listed_memberships, lower, organizations, team_members, teams, users};
use crate::database::{containing, violated_key};
use crate::ids::{OrganizationId, TeamId, UserId};
use crate::jsonapi::{Error, Page, Query, Result};
use crate::users::{Membership, MembershipStatus, User};

impl Listed for Team {
    const COLUMNS: &'static [SortColumn<Self>] = &[
        SortColumn::name("name", "name", |row| row.name.clone()),
        SortColumn::time("created-at", "created_at", |row| row.created_at),
    ];

    fn id(&self) -> uuid::Uuid {
        self.id.uuid()
    }
}

/// Which of an organization's teams a list holds.
#[derive(Debug, Clone)]
pub(super) enum Scope {
    All,
    /// Those that are not secret, and these.
    OpenAnd(Vec<TeamId>),
}

/// A page of an organization's teams.
pub(super) fn list(
    connection: &mut PgConnection,
    organization: OrganizationId,
    scope: Scope,
    query: &Query,
) -> Result<Page<Team>> {
    let mut found = teams::table.filter(teams::organization_id.eq(organization)).select(Team::as_select()).into_boxed();
    if let Scope::OpenAnd(own) = scope {
        found = found.filter(teams::visibility.ne(Visibility::Secret).or(teams::id.eq_any(own)));
    }
    if let Some(q) = query.q() {
        found = found.filter(teams::name.ilike(containing(q)));
    }
    if let Some(names) = query.filter_list("names") {
        let names: Vec<String> = names.iter().map(|name| name.to_lowercase()).collect();
        found = found.filter(lower(teams::name).eq_any(names));
    }
    page(connection, found, query)
}

/// A team beside its organization's name.
pub(crate) fn find(connection: &mut PgConnection, id: TeamId) -> QueryResult<(Team, String)> {
    teams::table
        .inner_join(organizations::table.on(organizations::id.eq(teams::organization_id)))
        .filter(teams::id.eq(id))
        .select((Team::as_select(), organizations::name))
        .first(connection)
}

/// Which of an organization's teams a list is about.
#[derive(Debug, Clone)]
pub(crate) enum ShownTeams {
    All,
    /// Those that are not secret, and these.
    OpenAnd(Vec<TeamId>),
}

/// The ids of these teams, for a list of another room.
pub(crate) fn shown<'a>(organization: OrganizationId, which: ShownTeams) -> teams::BoxedQuery<'a, Pg, SqlUuid> {
    let all = teams::table.filter(teams::organization_id.eq(organization)).select(teams::id).into_boxed();
    match which {
        ShownTeams::All => all,
        ShownTeams::OpenAnd(own) => all.filter(teams::visibility.ne(Visibility::Secret).or(teams::id.eq_any(own))),
    }
}

/// Keeps a team of the organization from being deleted until the transaction's end, if there is such a team.
pub(crate) fn hold(connection: &mut PgConnection, organization: OrganizationId, id: TeamId) -> QueryResult<()> {
    let found = teams::table.find(id).filter(teams::organization_id.eq(organization)).select(teams::id);
    found.for_share().first::<TeamId>(connection).optional().map(|_| ())
}

/// A team beside its organization's name, with the team's row locked until the transaction's end: whoever changes who is in the team, or its
/// tokens, does so one after the other.
///
/// The organization is held before the team is locked. Its deletion goes the same way, so that the two never wait for
/// each other.
pub(crate) fn lock(connection: &mut PgConnection, id: TeamId) -> QueryResult<(Team, String)> {
    let organization = organizations::table
        .filter(organizations::id.eq_any(teams::table.find(id).select(teams::organization_id)))
        .select(organizations::name)
        .for_key_share()
        .first(connection)?;
    let team = teams::table.find(id).select(Team::as_select()).for_no_key_update().first(connection)?;
    Ok((team, organization))
}

/// Makes a team as `new` describes it.
pub(super) fn create(connection: &mut PgConnection, new: &Team) -> Result<Team> {
    diesel::insert_into(teams::table)
        .values((teams::id.eq(new.id), teams::organization_id.eq(new.organization_id), Written::of(new)))
        .returning(Team::as_returning())
        .get_result(connection)
        .map_err(taken)
}

pub(super) fn update(connection: &mut PgConnection, changed: &Team) -> Result<Team> {
    diesel::update(teams::table.find(changed.id))
        .set((Written::of(changed), teams::updated_at.eq(diesel::dsl::now)))
        .returning(Team::as_returning())
        .get_result(connection)
        .map_err(taken)
}

/// What can be written of a team.
#[derive(Insertable, AsChangeset)]
#[diesel(table_name = teams, treat_none_as_null = true)]
struct Written<'a> {
    name: &'a str,
    description: Option<&'a str>,
    visibility: Visibility,
    sso_team_id: Option<&'a str>,
    allow_member_token_management: bool,
    organization_access: Vec<Permission>,
    abilities: &'a [Ability],
}

impl<'a> Written<'a> {
    fn of(team: &'a Team) -> Self {
        Self {
            name: &team.name,
            description: team.description.as_deref(),
            visibility: team.visibility,
            sso_team_id: team.sso_team_id.as_deref(),
            allow_member_token_management: team.allow_member_token_management,
            organization_access: team.organization_access.0.iter().copied().collect(),
            abilities: &team.abilities,
        }
    }
}

fn taken(fault: diesel::result::Error) -> Error {
    match violated_key(&fault) {
        Some("teams_name_key") => Error::attribute("/data/attributes/name", "Name has already been taken"),
        _ => fault.into(),
    }
}

/// Puts users into a team and answers who was not in it before. They must be members of the organization.
pub(crate) fn add_users(connection: &mut PgConnection, team: &Team, users: &[UserId]) -> QueryResult<Vec<UserId>> {
    let rows: Vec<_> = users
        .iter()
        .map(|user| {
            (
                team_members::team_id.eq(team.id),
                team_members::user_id.eq(user),
                team_members::organization_id.eq(team.organization_id),
            )
        })
        .collect();
    diesel::insert_into(team_members::table)
        .values(rows)
        .on_conflict_do_nothing()
        .returning(team_members::user_id)
        .get_results(connection)
}

/// Takes users out of a team and answers who was in it.
pub(super) fn remove_users(connection: &mut PgConnection, team: TeamId, users: &[UserId]) -> QueryResult<Vec<UserId>> {
    diesel::delete(
        team_members::table.filter(team_members::team_id.eq(team)).filter(team_members::user_id.eq_any(users)),
    )
    .returning(team_members::user_id)
    .get_results(connection)
}

/// Whether a team has a member beside these users who is active in the organization and not suspended, and a person: a
/// service account cannot sign in. One who is, is kept
/// from being suspended or deleted until the transaction's end; a suspension that is under way is waited for.
pub(crate) fn keeps_active_member(
    connection: &mut PgConnection,
    team: TeamId,
    without: &[UserId],
) -> QueryResult<bool> {
    let found = diesel::sql_query(
        "SELECT users.id FROM team_members JOIN memberships USING (organization_id, user_id) \
         JOIN users ON users.id = team_members.user_id \
         WHERE team_members.team_id = $1 AND memberships.status = $2 AND users.suspended_at IS NULL \
         AND users.organization_id IS NULL AND users.id <> ALL($3) LIMIT 1 FOR SHARE OF users",
    )
    .bind::<SqlUuid, _>(team.uuid())
    .bind::<Text, _>(MembershipStatus::Active)
    .bind::<Array<SqlUuid>, _>(without)
    .execute(connection)?;
    Ok(found > 0)
}

/// The name of an organization.
#[derive(QueryableByName)]
struct Named {
    #[diesel(sql_type = Text)]
    name: String,
}

/// The names of organizations whose only active owner who is a person is this user, at most so many. To rely on the answer, hold the lock
/// under which users are suspended and deleted, and the user's row.
pub(crate) fn owned_by_alone(connection: &mut PgConnection, user: UserId, most: i64) -> QueryResult<Vec<String>> {
    let found: Vec<Named> = diesel::sql_query(
        "SELECT organizations.name FROM team_members AS own \
         JOIN teams ON teams.id = own.team_id AND teams.owners \
         JOIN organizations ON organizations.id = own.organization_id \
         JOIN users AS person ON person.id = own.user_id AND person.organization_id IS NULL \
         WHERE own.user_id = $1 AND NOT EXISTS (SELECT FROM team_members AS other \
           JOIN memberships ON memberships.organization_id = other.organization_id \
             AND memberships.user_id = other.user_id AND memberships.status = $2 \
           JOIN users ON users.id = other.user_id AND users.suspended_at IS NULL AND users.organization_id IS NULL \
           WHERE other.team_id = own.team_id AND other.user_id <> own.user_id) \
         ORDER BY lower(organizations.name) LIMIT $3",
    )
    .bind::<SqlUuid, _>(user.uuid())
    .bind::<Text, _>(MembershipStatus::Active)
    .bind::<BigInt, _>(most)
    .load(connection)?;
    Ok(found.into_iter().map(|found| found.name).collect())
}

/// Who is in some teams, as far as an answer tells it.
#[derive(Debug, Default)]
pub(super) struct Members {
    /// Users and their memberships, in the order of their joining, of those teams that have no more than asked for.
    pub(super) named: Vec<(TeamId, User, Membership)>,
    /// How many are in each of the others, and how many of them are persons.
    pub(super) counted: Vec<(TeamId, i64, i64)>,
}

/// Teams by id, as far as there are such.
pub(crate) fn find_all(connection: &mut PgConnection, ids: &[TeamId]) -> QueryResult<Vec<Team>> {
    if ids.is_empty() {
        return Ok(vec![]);
    }
    teams::table.filter(teams::id.eq_any(ids)).select(Team::as_select()).load(connection)
}

/// Who is in each of some teams, by name if they are at most `most`.
pub(super) fn members(connection: &mut PgConnection, teams: &[Team], most: i64) -> QueryResult<Members> {
    let ids: Vec<TeamId> = teams.iter().map(|team| team.id).collect();
    // Of one team, as many are read as are told, and one more; of several, first how many there are.
    if let [id] = ids.as_slice() {
        let named = named_members(connection, &[*id], most + 1)?;
        let more = i64::try_from(named.len()).is_ok_and(|read| read > most);
        return if more {
            Ok(Members { named: vec![], counted: count_members(connection, &ids)? })
        } else {
            Ok(Members { named, counted: vec![] })
        };
    }
    if ids.is_empty() {
        return Ok(Members::default());
    }
    let (small, counted): (Vec<_>, Vec<_>) =
        count_members(connection, &ids)?.into_iter().partition(|(_, all, _)| *all <= most);
    let small: Vec<TeamId> = small.into_iter().map(|(team, ..)| team).collect();
    let named = if small.is_empty() { vec![] } else { named_members(connection, &small, i64::MAX)? };
    Ok(Members { named, counted })
}

/// Users and their memberships in some teams, in the order of their joining, at most so many.
/// Teams of an organization by name, at most so many, for a choice among them.
pub(crate) fn first_of(
    connection: &mut PgConnection,
    organization: OrganizationId,
    most: i64,
) -> QueryResult<Vec<Team>> {
    teams::table
        .filter(teams::organization_id.eq(organization))
        .order((lower(teams::name), teams::id))
        .limit(most)
        .select(Team::as_select())
        .load(connection)
}

fn named_members(
    connection: &mut PgConnection,
    teams: &[TeamId],
    most: i64,
) -> QueryResult<Vec<(TeamId, User, Membership)>> {
    team_members::table
        .inner_join(users::table.on(users::id.eq(team_members::user_id)))
        .inner_join(
            listed_memberships::table.on(listed_memberships::organization_id
                .eq(team_members::organization_id)
                .and(listed_memberships::user_id.eq(team_members::user_id))),
        )
        .filter(team_members::team_id.eq_any(teams))
        .order((team_members::created_at, team_members::user_id))
        .select((team_members::team_id, User::as_select(), Membership::as_select()))
        .limit(most)
        .load(connection)
}

/// How many are in each of some teams, and how many of them are persons. Who is in no team is not told of.
fn count_members(connection: &mut PgConnection, teams: &[TeamId]) -> QueryResult<Vec<(TeamId, i64, i64)>> {
    team_members::table
        .inner_join(users::table.on(users::id.eq(team_members::user_id)))
        .filter(team_members::team_id.eq_any(teams))
        .group_by(team_members::team_id)
        .select((
            team_members::team_id,
            count_star(),
            count(users::id).aggregate_filter(users::organization_id.is_null()),
        ))
        .load(connection)
}

/// A user in a team.
#[derive(Debug, Clone, Copy, Queryable)]
pub(super) struct TeamUser {
    pub(super) id: UserId,
    created_at: DateTime<Utc>,
}

impl Listed for TeamUser {
    const COLUMNS: &'static [SortColumn<Self>] = &[SortColumn::time("created-at", "created_at", |row| row.created_at)];

    fn id(&self) -> uuid::Uuid {
        self.id.uuid()
    }
}

/// A page of the users in a team.
pub(super) fn list_users(connection: &mut PgConnection, team: TeamId, query: &Query) -> Result<Page<TeamUser>> {
    let found = users::table
        .inner_join(team_members::table.on(team_members::user_id.eq(users::id)))
        .filter(team_members::team_id.eq(team))
        .select((users::id, users::created_at));
    page(connection, found, query)
}

/// An organization's team `owners`, with its row locked until the transaction's end.
pub(crate) fn lock_owners(connection: &mut PgConnection, organization: OrganizationId) -> QueryResult<Team> {
    teams::table
        .filter(teams::organization_id.eq(organization))
        .filter(teams::owners.eq(true))
        .select(Team::as_select())
        .for_no_key_update()
        .first(connection)
}

/// Whether any of some users is in a team.
pub(super) fn any_in(connection: &mut PgConnection, team: TeamId, users: &[UserId]) -> QueryResult<bool> {
    let inside = team_members::table.filter(team_members::team_id.eq(team)).filter(team_members::user_id.eq_any(users));
    diesel::select(diesel::dsl::exists(inside)).get_result(connection)
}

/// Whether a user is in a team.
pub(crate) fn holds_user(connection: &mut PgConnection, team: &Team, user: UserId) -> QueryResult<bool> {
    diesel::select(diesel::dsl::exists(team_members::table.find((team.id, user)))).get_result(connection)
}
