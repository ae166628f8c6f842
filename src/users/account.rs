//! What users change of their own account. It must be locked.

use diesel::PgConnection;
use secrecy::{ExposeSecret, SecretString};

use super::{AccountAttributes, PasswordAttributes, User, password, store};
use crate::access::Caller;
use crate::audit::{self, Event};
use crate::jsonapi::{Error, ResourceBody, Result};

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
    audit::record(connection, &caller.actor(), &[Event::new(None, "user", user.id, "update")])?;
    Ok(user)
}

/// A new password as it was sent, with its hash if it can be set: hashing takes long, and needs no connection.
pub(super) struct NewPassword {
    body: ResourceBody<PasswordAttributes>,
    hash: Result<String>,
}

impl NewPassword {
    /// Hashes the password.
    pub(super) fn prepare(body: ResourceBody<PasswordAttributes>) -> Result<Self> {
        let hash = hash(&body.attributes);
        Ok(Self { body, hash })
    }
}

/// The hash, if the confirmation is right and the length fits.
fn hash(wanted: &PasswordAttributes) -> Result<String> {
    let new = wanted.password.clone().unwrap_or_default();
    let confirmed = wanted.password_confirmation.as_ref().map(ExposeSecret::expose_secret);
    let unconfirmed = (confirmed != Some(new.expose_secret())).then(|| {
        let detail = "Password confirmation must be the same as password";
        Error::attribute("/data/attributes/password_confirmation", detail)
    });
    Error::check(unconfirmed.into_iter().chain(password::check_length(&new).err()))?;
    password::hash(&new)
}

/// Sets the password, if the one `before` is known.
///
/// # Errors
/// 409 for the id of somebody else, 422 with every fault of the password.
pub(super) fn change_password(
    connection: &mut PgConnection,
    caller: &Caller,
    user: &User,
    before: Option<&str>,
    new: NewPassword,
) -> Result<()> {
    let wanted = new.body.about(&[&user.id.to_string()])?.attributes;
    let unknown = (!knows(wanted.current_password.as_ref(), before)?)
        .then(|| Error::attribute("/data/attributes/current_password", "Current password is not right"));
    Error::check(unknown.into_iter().chain(new.hash.as_ref().err().cloned()))?;
    store::set_password(connection, user.id, &new.hash?)?;
    audit::record(connection, &caller.actor(), &[Event::new(None, "user", user.id, "update_password")])?;
    Ok(())
}

fn knows(current: Option<&SecretString>, before: Option<&str>) -> Result<bool> {
    match (current, before) {
        (_, None) => Ok(true),
        (None, Some(_)) => Ok(false),
        (Some(current), Some(before)) => password::matches(current, before),
    }
}
