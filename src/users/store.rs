//! The queries of users.

use diesel::prelude::*;

use super::{NewUser, Rank, User};
use crate::database::schema::{memberships, users};
use crate::database::{schema::lower, violated_key};
use crate::ids::{OrganizationId, UserId};

/// Why a user was not made.
#[derive(Debug, thiserror::Error)]
pub enum NotCreated {
    /// Somebody has the name.
    #[error("the user name {0:?} has already been taken")]
    UsernameTaken(String),
    /// Somebody has the address.
    #[error("the email address {0:?} has already been taken")]
    EmailTaken(String),
    /// The database refused.
    #[error(transparent)]
    Database(#[from] diesel::result::Error),
    /// The first token was not made.
    #[error(transparent)]
    Token(#[from] crate::jsonapi::Error),
}

/// Makes a user.
pub fn create(connection: &mut PgConnection, new: &NewUser) -> Result<User, NotCreated> {
    diesel::insert_into(users::table)
        .values((
            users::id.eq(UserId::generate()),
            users::username.eq(&new.username),
            users::email.eq(&new.email),
            users::site_admin.eq(new.rank == Rank::SiteAdmin),
        ))
        .returning(User::as_returning())
        .get_result(connection)
        .map_err(|fault| match violated_key(&fault) {
            Some("users_username_key") => NotCreated::UsernameTaken(new.username.clone()),
            Some("users_email_key") => NotCreated::EmailTaken(new.email.clone()),
            _ => NotCreated::Database(fault),
        })
}

/// Whether there is any user yet.
pub fn any(connection: &mut PgConnection) -> QueryResult<bool> {
    diesel::select(diesel::dsl::exists(users::table.select(users::id))).get_result(connection)
}

/// A user by id.
pub fn find(connection: &mut PgConnection, id: UserId) -> QueryResult<User> {
    users::table.find(id).select(User::as_select()).first(connection)
}

/// Users by name, without regard to case.
pub fn by_usernames(connection: &mut PgConnection, names: &[String]) -> QueryResult<Vec<User>> {
    let names: Vec<String> = names.iter().map(|name| name.to_lowercase()).collect();
    users::table.filter(lower(users::username).eq_any(names)).select(User::as_select()).load(connection)
}

/// Whether two users are active members of one organization.
pub fn share_an_organization(connection: &mut PgConnection, one: UserId, other: UserId) -> QueryResult<bool> {
    let theirs = diesel::alias!(memberships as theirs);
    diesel::select(diesel::dsl::exists(
        memberships::table
            .inner_join(
                theirs.on(theirs
                    .field(memberships::organization_id)
                    .eq(memberships::organization_id)
                    .and(theirs.field(memberships::user_id).eq(other))
                    .and(theirs.field(memberships::status).eq("active"))),
            )
            .filter(memberships::user_id.eq(one))
            .filter(memberships::status.eq("active")),
    ))
    .get_result(connection)
}

/// Whether a user is an active member of an organization.
pub fn is_member(connection: &mut PgConnection, organization: OrganizationId, user: UserId) -> QueryResult<bool> {
    diesel::select(diesel::dsl::exists(
        memberships::table
            .filter(memberships::organization_id.eq(organization))
            .filter(memberships::user_id.eq(user))
            .filter(memberships::status.eq("active")),
    ))
    .get_result(connection)
}

/// Makes whoever else wants to make users wait until the transaction's end.
pub fn lock_all(connection: &mut PgConnection) -> QueryResult<()> {
    diesel::sql_query("LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE").execute(connection)?;
    Ok(())
}
