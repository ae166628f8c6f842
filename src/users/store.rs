//! The queries of users.

use diesel::prelude::*;

use super::{NewUser, Rank, User};
use crate::database::schema::{memberships, users};
use crate::database::{schema::lower, violated_key};
use crate::ids::{OrganizationId, UserId};
use crate::jsonapi::Error;

/// Why a user was not made.
#[derive(Debug, thiserror::Error)]
pub enum NotCreated {
    #[error("the user name {0:?} has already been taken")]
    UsernameTaken(String),
    #[error("the email address {0:?} has already been taken")]
    EmailTaken(String),
    #[error(transparent)]
    Database(#[from] diesel::result::Error),
    /// The first token was not made.
    #[error(transparent)]
    Token(#[from] crate::jsonapi::Error),
}

/// Why an address was not confirmed.
#[derive(Debug, thiserror::Error)]
pub enum NotConfirmed {
    #[error("there is no user {0:?}")]
    NoUser(String),
    /// The user has not asked for this address, or not any more.
    #[error("the user {username:?} does not ask for the email address {email:?}")]
    NotAsked { username: String, email: String },
    /// Somebody else has the address, and has come forward.
    #[error("the email address {0:?} has already been taken by another user")]
    Taken(String),
    #[error(transparent)]
    Database(#[from] diesel::result::Error),
    /// The invitations of the address could not be passed on.
    #[error(transparent)]
    Invitations(#[from] crate::jsonapi::Error),
}

/// Makes a user. Where an invitation has made one of this address already, that one gets the name and the rank.
pub fn create(connection: &mut PgConnection, new: &NewUser) -> Result<User, NotCreated> {
    let claimed = diesel::update(users::table.filter(lower(users::email.assume_not_null()).eq(lower(&new.email))))
        .filter(users::confirmed.eq(false))
        .set((
            users::username.eq(&new.username),
            users::site_admin.eq(new.rank == Rank::SiteAdmin),
            users::confirmed.eq(true),
            users::updated_at.eq(diesel::dsl::now),
        ))
        .returning(User::as_returning())
        .get_result(connection)
        .optional()
        .map_err(|fault| taken(fault, new))?;
    if let Some(user) = claimed {
        return Ok(user);
    }
    insert(connection, new).map_err(|fault| taken(fault, new))
}

/// Makes a user for an address that was invited, who cannot log in before somebody comes forward. The name is
/// free, because it holds an id of its own. Where another invitation makes the same user at this moment, it is
/// waited for, and that one is the user.
pub(crate) fn create_invited(connection: &mut PgConnection, email: &str) -> QueryResult<User> {
    let username = format!("invited-{}", uuid::Uuid::now_v7().simple());
    diesel::insert_into(users::table)
        .values((
            users::id.eq(UserId::generate()),
            users::username.eq(username),
            users::email.eq(email),
            users::confirmed.eq(false),
        ))
        .on_conflict_do_nothing()
        .execute(connection)?;
    users::table
        .filter(lower(users::email.assume_not_null()).eq(lower(email)))
        .select(User::as_select())
        .first(connection)
}

fn insert(connection: &mut PgConnection, new: &NewUser) -> QueryResult<User> {
    diesel::insert_into(users::table)
        .values((
            users::id.eq(UserId::generate()),
            users::username.eq(&new.username),
            users::email.eq(&new.email),
            users::site_admin.eq(new.rank == Rank::SiteAdmin),
            users::confirmed.eq(true),
        ))
        .returning(User::as_returning())
        .get_result(connection)
}

/// Makes a service account of an organization. Its membership is `memberships`' to make.
///
/// # Errors
/// 422 for a name that is taken.
pub(crate) fn create_service_account(
    connection: &mut PgConnection,
    organization: OrganizationId,
    username: &str,
) -> Result<User, Error> {
    diesel::insert_into(users::table)
        .values((
            users::id.eq(UserId::generate()),
            users::username.eq(username),
            users::site_admin.eq(false),
            users::confirmed.eq(true),
            users::organization_id.eq(organization),
        ))
        .returning(User::as_returning())
        .get_result(connection)
        .map_err(taken_by_another)
}

/// Keeps a user from being suspended or deleted until the transaction's end.
pub(crate) fn hold(connection: &mut PgConnection, id: UserId) -> QueryResult<()> {
    users::table.find(id).select(users::id).for_share().first::<UserId>(connection).map(drop)
}

fn taken(fault: diesel::result::Error, wanted: &NewUser) -> NotCreated {
    match violated_key(&fault) {
        Some("users_username_key") => NotCreated::UsernameTaken(wanted.username.clone()),
        Some("users_email_key") => NotCreated::EmailTaken(wanted.email.clone()),
        _ => NotCreated::Database(fault),
    }
}

/// A user by address, without regard to case.
pub(crate) fn by_email(connection: &mut PgConnection, email: &str) -> QueryResult<Option<User>> {
    users::table
        .filter(lower(users::email.assume_not_null()).eq(lower(email)))
        .select(User::as_select())
        .first(connection)
        .optional()
}

pub(crate) fn find_all(connection: &mut PgConnection, ids: &[UserId]) -> QueryResult<Vec<User>> {
    users::table.filter(users::id.eq_any(ids)).order(users::id).select(User::as_select()).load(connection)
}

/// Changes what users may change of themselves.
pub(super) fn update(connection: &mut PgConnection, changed: &User) -> Result<User, Error> {
    diesel::update(users::table.find(changed.id))
        .set((
            users::username.eq(&changed.username),
            users::email.eq(&changed.email),
            users::unconfirmed_email.eq(&changed.unconfirmed_email),
            users::updated_at.eq(diesel::dsl::now),
        ))
        .returning(User::as_returning())
        .get_result(connection)
        .map_err(taken_by_another)
}

fn taken_by_another(fault: diesel::result::Error) -> Error {
    match violated_key(&fault) {
        Some("users_username_key") => Error::attribute("/data/attributes/username", "Username has already been taken"),
        _ => fault.into(),
    }
}

/// Makes the address that a user of this name asks for the user's own.
pub(super) fn confirm_email(connection: &mut PgConnection, username: &str, email: &str) -> Result<User, NotConfirmed> {
    let user = users::table
        .filter(lower(users::username).eq(username.to_lowercase()))
        .select(User::as_select())
        .for_no_key_update()
        .first(connection)
        .optional()?
        .ok_or_else(|| NotConfirmed::NoUser(username.to_owned()))?;
    let asked = user.unconfirmed_email.filter(|asked| asked.eq_ignore_ascii_case(email));
    let Some(asked) = asked else {
        return Err(NotConfirmed::NotAsked { username: user.username, email: email.to_owned() });
    };
    diesel::update(users::table.find(user.id))
        .set((
            users::email.eq(asked),
            users::unconfirmed_email.eq(None::<String>),
            users::updated_at.eq(diesel::dsl::now),
        ))
        .returning(User::as_returning())
        .get_result(connection)
        .map_err(|fault| match violated_key(&fault) {
            Some("users_email_key") => NotConfirmed::Taken(email.to_owned()),
            _ => fault.into(),
        })
}

/// A user, and the hash of the user's password, locked until the transaction's end.
pub(crate) fn lock(connection: &mut PgConnection, id: UserId) -> QueryResult<(User, Option<String>)> {
    users::table.find(id).select((User::as_select(), users::password_hash)).for_no_key_update().first(connection)
}

/// Whoever may have a password and has this name or, where it has an `@`, this address, and the hash of the password.
pub(super) fn by_name_or_address(
    connection: &mut PgConnection,
    name: &str,
) -> QueryResult<Option<(UserId, Option<String>)>> {
    let persons = users::table
        .filter(users::organization_id.is_null())
        .filter(users::confirmed)
        .filter(users::suspended_at.is_null())
        .select((users::id, users::password_hash));
    // No name has one.
    if name.contains('@') {
        persons.filter(lower(users::email.assume_not_null()).eq(name.to_lowercase())).first(connection).optional()
    } else {
        persons.filter(lower(users::username).eq(name.to_lowercase())).first(connection).optional()
    }
}

/// The hash of a user's password; none if the user has none.
pub(crate) fn password_hash(connection: &mut PgConnection, id: UserId) -> QueryResult<Option<String>> {
    users::table.find(id).select(users::password_hash).first(connection)
}

/// Sets the hash of a user's password.
pub(super) fn set_password(connection: &mut PgConnection, id: UserId, hash: &str) -> QueryResult<()> {
    diesel::update(users::table.find(id))
        .set((users::password_hash.eq(hash), users::updated_at.eq(diesel::dsl::now)))
        .execute(connection)?;
    Ok(())
}

/// Whether there is any user yet.
pub fn any(connection: &mut PgConnection) -> QueryResult<bool> {
    diesel::select(diesel::dsl::exists(users::table.select(users::id))).get_result(connection)
}

pub fn find(connection: &mut PgConnection, id: UserId) -> QueryResult<User> {
    users::table.find(id).select(User::as_select()).first(connection)
}

/// Users by name, without regard to case.
pub fn by_usernames(connection: &mut PgConnection, names: &[String]) -> QueryResult<Vec<User>> {
    if names.is_empty() {
        return Ok(vec![]);
    }
    let names: Vec<String> = names.iter().map(|name| name.to_lowercase()).collect();
    users::table.filter(lower(users::username).eq_any(names)).select(User::as_select()).load(connection)
}

/// Whether a user who is not suspended is in an organization, or invited to it.
pub fn is_in(connection: &mut PgConnection, organization: OrganizationId, user: UserId) -> QueryResult<bool> {
    let inside = memberships::table
        .inner_join(users::table.on(users::id.eq(memberships::user_id)))
        .filter(memberships::organization_id.eq(organization))
        .filter(memberships::user_id.eq(user))
        .filter(users::suspended_at.is_null());
    diesel::select(diesel::dsl::exists(inside)).get_result(connection)
}

/// Makes whoever else wants to make users wait until the transaction's end.
pub fn lock_all(connection: &mut PgConnection) -> QueryResult<()> {
    diesel::sql_query("LOCK TABLE all_users IN SHARE ROW EXCLUSIVE MODE").execute(connection)?;
    Ok(())
}
