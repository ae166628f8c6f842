//! The queries of administration.

use diesel::dsl::{count, count_star, sql};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};

use crate::database::containing;
use crate::database::page::{Listed, SortColumn, page};
use crate::database::schema::{statement_timestamp, users};
use crate::ids::{OrganizationId, UserId};
use crate::jsonapi::{Page, Query, Result};
use crate::users::{MembershipStatus, User};

impl Listed for User {
    const COLUMNS: &'static [SortColumn<Self>] = &[
        SortColumn::name("username", "username", |row| row.username.clone()),
        SortColumn::text_or_null("email", "email", |row| row.email.clone()),
        SortColumn::time("created-at", "created_at", |row| row.created_at),
    ];

    fn id(&self) -> uuid::Uuid {
        self.id.uuid()
    }
}

/// Which users a list holds, where it does not hold all.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    pub(super) admin: Option<bool>,
    pub(super) suspended: Option<bool>,
}

/// A page of the users of the installation.
pub(super) fn list(connection: &mut PgConnection, wanted: Wanted, query: &Query) -> Result<Page<User>> {
    let mut found = users::table.select(User::as_select()).into_boxed();
    if let Some(q) = query.q() {
        let pattern = containing(q);
        found = found.filter(users::username.ilike(pattern.clone()).or(users::email.assume_not_null().ilike(pattern)));
    }
    if let Some(admin) = wanted.admin {
        found = found.filter(users::site_admin.eq(admin));
    }
    if let Some(suspended) = wanted.suspended {
        found = found.filter(users::suspended_at.is_not_null().eq(suspended));
    }
    page(connection, found, query)
}

/// How many users there are, how many of them are suspended, and how many are site admins.
pub(super) fn status_counts(connection: &mut PgConnection) -> QueryResult<(i64, i64, i64)> {
    users::table
        .select((
            count_star(),
            count(users::id).aggregate_filter(users::suspended_at.is_not_null()),
            count(users::id).aggregate_filter(users::site_admin),
        ))
        .first(connection)
}

/// An organization that a user is an active member of.
#[derive(QueryableByName)]
pub(super) struct Place {
    #[diesel(sql_type = SqlUuid)]
    pub(super) user_id: UserId,
    #[diesel(sql_type = SqlUuid)]
    pub(super) organization_id: OrganizationId,
    #[diesel(sql_type = Text)]
    pub(super) name: String,
    /// In how many organizations the user is.
    #[diesel(sql_type = BigInt)]
    pub(super) all: i64,
}

/// The organizations that users are active members of, by name, at most so many of each user.
pub(super) fn places(connection: &mut PgConnection, of: &[UserId], most: i64) -> QueryResult<Vec<Place>> {
    diesel::sql_query(
        "SELECT user_id, organization_id, name, \"all\" FROM (SELECT memberships.user_id, memberships.organization_id, \
           organizations.name, count(*) OVER (PARTITION BY memberships.user_id) AS \"all\", \
           row_number() OVER (PARTITION BY memberships.user_id ORDER BY organizations.name) AS nth \
           FROM memberships JOIN organizations ON organizations.id = memberships.organization_id \
           WHERE memberships.user_id = ANY($1) AND memberships.status = $2) AS found \
         WHERE nth <= $3 ORDER BY user_id, nth",
    )
    .bind::<Array<SqlUuid>, _>(of)
    .bind::<Text, _>(MembershipStatus::Active)
    .bind::<BigInt, _>(most)
    .load(connection)
}

/// Any number, as long as nothing else on the same database locks it.
const CHANGES_LOCK: i64 = 0x1a7c_4b50;

/// Takes the lock under which users are suspended, deleted, and made or unmade site admins, until the transaction's end.
pub(super) fn lock_changes(connection: &mut PgConnection) -> QueryResult<()> {
    diesel::sql_query("SELECT pg_advisory_xact_lock($1)").bind::<BigInt, _>(CHANGES_LOCK).execute(connection)?;
    Ok(())
}

pub(super) fn set_suspended(connection: &mut PgConnection, id: UserId, suspended: bool) -> QueryResult<User> {
    let since = sql::<Nullable<Timestamptz>>(if suspended { "statement_timestamp()" } else { "NULL" });
    diesel::update(users::table.find(id))
        .set((users::suspended_at.eq(since), users::updated_at.eq(statement_timestamp())))
        .returning(User::as_returning())
        .get_result(connection)
}

pub(super) fn set_site_admin(connection: &mut PgConnection, id: UserId, admin: bool) -> QueryResult<User> {
    diesel::update(users::table.find(id))
        .set((users::site_admin.eq(admin), users::updated_at.eq(statement_timestamp())))
        .returning(User::as_returning())
        .get_result(connection)
}

/// Whether there is a site admin beside this user who is not suspended. To rely on the answer, hold the lock.
pub(super) fn another_admin(connection: &mut PgConnection, id: UserId) -> QueryResult<bool> {
    let others = users::table
        .filter(users::site_admin)
        .filter(users::suspended_at.is_null())
        .filter(users::confirmed)
        .filter(users::id.ne(id));
    diesel::select(diesel::dsl::exists(others)).get_result(connection)
}
