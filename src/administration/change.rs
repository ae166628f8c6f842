//! What changes of a user. The user must be locked.

use diesel::{OptionalExtension, PgConnection, QueryResult};

use super::store;
use crate::audit::{self, Actor};
use crate::ids::UserId;
use crate::jsonapi::{Error, Result};
use crate::memberships;
use crate::teams;
use crate::tokens::{self, MadeTokens};
use crate::users::{self, NotConfirmed, User};

/// The most tokens that the answer to a suspension or a deletion lists.
const TOKENS_TOLD: i64 = 100;

/// The most organizations that a refusal names.
const NAMED: i64 = 10;

/// Takes the lock under which users are changed, and locks a user by id.
///
/// # Errors
/// 404 if there is none.
pub(super) fn lock(connection: &mut PgConnection, id: UserId) -> Result<User> {
    store::lock_changes(connection)?;
    // Before the user's row, as whoever ends a membership does.
    memberships::lock_of_user(connection, id)?;
    let (user, _) = users::lock(connection, id)?;
    Ok(user)
}

/// The same by the name, without regard to case; none if there is none.
///
/// # Errors
/// The database's own.
pub fn lock_by_name(connection: &mut PgConnection, username: &str) -> Result<Option<User>> {
    let Some(found) = users::by_usernames(connection, &[username.to_owned()])?.pop() else { return Ok(None) };
    store::lock_changes(connection)?;
    memberships::lock_of_user(connection, found.id)?;
    // The user may have gone meanwhile, or have taken another name.
    let locked = users::lock(connection, found.id).optional()?.map(|(user, _)| user);
    Ok(locked.filter(|user| user.username.eq_ignore_ascii_case(username)))
}

/// Refuses all tokens of a user from now on, until [`unsuspend`]. Answers which tokens of others this person has made.
///
/// # Errors
/// 400 if the user is suspended already, 422 for the last owner of an organization and the last site admin.
pub fn suspend(connection: &mut PgConnection, actor: &Actor, user: &User) -> Result<(User, MadeTokens)> {
    if user.suspended_at.is_some() {
        return Err(Error::bad_request("suspended", "The user is suspended already"));
    }
    check_not_needed(connection, user, "suspended")?;
    let suspended = store::set_suspended(connection, user.id, true)?;
    audit::record(connection, actor, &[user.event("suspend")])?;
    Ok((suspended, tokens::made_by(connection, user.id, TOKENS_TOLD)?))
}

/// Lets a suspended user's tokens work again.
///
/// # Errors
/// 400 if the user is not suspended.
pub fn unsuspend(connection: &mut PgConnection, actor: &Actor, user: &User) -> Result<User> {
    if user.suspended_at.is_none() {
        return Err(Error::bad_request("not suspended", "The user is not suspended"));
    }
    let back = store::set_suspended(connection, user.id, false)?;
    audit::record(connection, actor, &[user.event("unsuspend")])?;
    Ok(back)
}

/// Deletes a user: the tokens are refused from now on, memberships end, name and address are free. Answers which tokens
/// of others this person has made.
///
/// # Errors
/// 422 for the last owner of an organization and the last site admin.
pub fn delete(connection: &mut PgConnection, actor: &Actor, user: &User) -> Result<MadeTokens> {
    check_not_needed(connection, user, "deleted")?;
    end(connection, actor, user)?;
    Ok(tokens::made_by(connection, user.id, TOKENS_TOLD)?)
}

fn end(connection: &mut PgConnection, actor: &Actor, user: &User) -> QueryResult<()> {
    users::end(connection, actor, user)?;
    memberships::end_of_user(connection, actor, user.id)
}

/// Makes the address that a user asks for the user's own. An invitation holds an address for nobody: where one has made a
/// user of it who has not come forward, that one ends, and the invitations are the user's. Where the user is a member or
/// invited already, the invitation ends, too: it was not to change what a member is.
///
/// # Errors
/// When there is no such user, the user asks for another address or none, or somebody else has it.
pub fn confirm_email(connection: &mut PgConnection, username: &str, email: &str) -> Result<User, NotConfirmed> {
    let user = users::by_usernames(connection, &[username.to_owned()])?.pop().filter(|user| !user.is_service_account());
    let invited = users::by_email(connection, email)?.filter(|user| !user.confirmed);
    if let (Some(user), Some(invited)) = (user, invited) {
        let (actor, invited) = (Actor::system(), lock(connection, invited.id)?);
        memberships::pass_on(connection, &actor, invited.id, user.id)?;
        end(connection, &actor, &invited)?;
    }
    users::confirm_email(connection, username, email)
}

/// Makes a user a site admin.
///
/// # Errors
/// 400 if the user is one already, 422 for a service account.
pub fn grant_admin(connection: &mut PgConnection, actor: &Actor, user: &User) -> Result<User> {
    if user.site_admin {
        return Err(Error::bad_request("site admin", "The user is a site admin already"));
    }
    if user.is_service_account() {
        return Err(Error::unprocessable("A service account is its organization's, and cannot be a site admin"));
    }
    let granted = store::set_site_admin(connection, user.id, true)?;
    audit::record(connection, actor, &[user.event("grant_admin")])?;
    Ok(granted)
}

/// Makes a site admin an ordinary user.
///
/// # Errors
/// 400 if the user is none, 422 for the last one.
pub fn revoke_admin(connection: &mut PgConnection, actor: &Actor, user: &User) -> Result<User> {
    if !user.site_admin {
        return Err(Error::bad_request("no site admin", "The user is no site admin"));
    }
    check_not_last_admin(connection, user, "revoked")?;
    let revoked = store::set_site_admin(connection, user.id, false)?;
    audit::record(connection, actor, &[user.event("revoke_admin")])?;
    Ok(revoked)
}

/// Refuses what would leave an organization without an active owner, or the installation without a site admin.
fn check_not_needed(connection: &mut PgConnection, user: &User, what: &str) -> Result<()> {
    check_not_last_admin(connection, user, what)?;
    let mut alone = teams::owned_by_alone(connection, user.id, NAMED + 1)?;
    if alone.is_empty() {
        return Ok(());
    }
    if i64::try_from(alone.len()).is_ok_and(|named| named > NAMED) {
        alone.pop();
        alone.push("others".to_owned());
    }
    let alone = alone.join(", ");
    Err(Error::unprocessable(format!("The last active owner of an organization cannot be {what}: {alone}")))
}

/// Who is suspended is no site admin who could be the last one.
fn check_not_last_admin(connection: &mut PgConnection, user: &User, what: &str) -> Result<()> {
    if user.site_admin && user.suspended_at.is_none() && !store::another_admin(connection, user.id)? {
        return Err(Error::unprocessable(format!("The last site admin cannot be {what}")));
    }
    Ok(())
}
