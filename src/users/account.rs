//! What users change of their own account. It must be locked.

use diesel::PgConnection;
use secrecy::{ExposeSecret, SecretString};

use super::{AccountAttributes, PasswordAttributes, User, password, store};
use crate::access::{Action, Caller, Target};
use crate::audit::{self, Event};
use crate::http::Preparing;
use crate::ids::UserId;
use crate::jsonapi::{Error, Result};
use crate::sessions;

/// Changes the name, or asks for another address.
///
/// # Errors
/// 422 for a name or an address that is taken.
pub(super) fn update(
    connection: &mut PgConnection,
    caller: &Caller,
    user: User,
    changes: AccountAttributes,
) -> Result<User> {
    let changed = match changes.email {
        Some(email) => user.asking_for(email),
        None => user,
    };
    let changed = User { username: changes.username.unwrap_or(changed.username), ..changed };
    let user = store::update(connection, &changed)?;
    audit::record(connection, &caller.actor(), &[Event::of_account(user.id, "update")])?;
    Ok(user)
}

/// A new password, hashed, and the current one, compared: both take long, and need no connection.
pub(crate) struct NewPassword {
    /// The hash that the current password was compared with; none if the user has none yet.
    before: Option<String>,
    /// The hash of the new password, or all that is wrong with it and with the current one.
    hash: Result<String>,
}

impl NewPassword {
    /// Compares the current password, and hashes the new one if all is right. Nothing is hashed for who may not change
    /// an account.
    ///
    /// # Errors
    /// 429 when the password was tried too often, 503 when the database is away.
    pub(crate) fn prepare(preparing: &Preparing, wanted: &PasswordAttributes) -> Result<Self> {
        let may = preparing.caller.can(Action::ChangeAccount, Target::Organization);
        let Some(user) = preparing.caller.user().filter(|_| may) else {
            return Ok(Self { before: None, hash: Err(Error::not_found()) });
        };
        let before =
            preparing.services.authenticator.look_up(|connection| Ok(store::password_hash(connection, user)?))?;
        let unknown = match &before {
            Some(before) => (!knows(user, wanted.current_password.as_ref(), before)?).then(unknown),
            // A token that could set it would open the console.
            None => Some(never_set()),
        };
        let new = wanted.password.clone().unwrap_or_default();
        let faults = unknown.into_iter().chain(unconfirmed(wanted, &new)).chain(password::check_length(&new).err());
        let hash = Error::check(faults).and_then(|()| password::hash(&new));
        Ok(Self { before, hash })
    }
}

/// The hash of a first password, which is written twice.
///
/// # Errors
/// 422 with every fault of it.
pub(crate) fn first_password(wanted: &PasswordAttributes) -> Result<String> {
    let new = wanted.password.clone().unwrap_or_default();
    let faults = unconfirmed(wanted, &new).into_iter().chain(password::check_length(&new).err());
    Error::check(faults)?;
    password::hash(&new)
}

fn unknown() -> Error {
    Error::attribute("/data/attributes/current_password", "Current password is not right")
}

fn unconfirmed(wanted: &PasswordAttributes, new: &SecretString) -> Option<Error> {
    let confirmed = wanted.password_confirmation.as_ref().map(ExposeSecret::expose_secret);
    (confirmed != Some(new.expose_secret())).then(|| {
        let detail = "Password confirmation must be the same as password";
        Error::attribute("/data/attributes/password_confirmation", detail)
    })
}

/// Sets the password, if the one `before`, as the locked row has it, is still the one that was compared. All sessions end but
/// the one that calls.
///
/// # Errors
/// 422 with every fault of the password.
pub(crate) fn change_password(
    connection: &mut PgConnection,
    caller: &Caller,
    user: &User,
    before: Option<String>,
    new: NewPassword,
) -> Result<()> {
    let hash = new.hash?;
    if before != new.before {
        return Err(unknown());
    }
    store::set_password(connection, user.id, &hash)?;
    sessions::end_others(connection, user.id, caller.session())?;
    audit::record(connection, &caller.actor(), &[Event::of_account(user.id, "update_password")])?;
    Ok(())
}

fn never_set() -> Error {
    let detail = "There is no password yet. The first one is set by a link, which whoever runs the service makes with: \
                  latchkey user sign-in-link NAME";
    Error::attribute("/data/attributes/current_password", detail)
}

fn knows(user: UserId, current: Option<&SecretString>, before: &str) -> Result<bool> {
    let Some(current) = current else { return Ok(false) };
    password::count_try(user)?;
    password::matches(current, before)
}
