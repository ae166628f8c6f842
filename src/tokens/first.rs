//! A user who is made outside of a request: with a first token, to begin with.

use diesel::{OptionalExtension, PgConnection};

use super::{NewToken, Owner, issue};
use crate::audit::{self, Actor, Event};
use crate::credential::Secret;
use crate::jsonapi::Result;
use crate::users::{self, NewUser, NotCreated, User};
use crate::{memberships, organizations};

/// Makes a user with a first token, in the transaction that the connection is in. The secret is nowhere else from
/// here on.
///
/// # Errors
/// When the name or the address is taken, or the database fails.
pub fn create_user_with_token(
    connection: &mut PgConnection,
    new: &NewUser,
) -> std::result::Result<(User, Secret), NotCreated> {
    let user = users::create(connection, new)?;
    audit::record(connection, &Actor::system(), &[Event::of_account(user.id, "create")])?;
    let secret = first_token(connection, &user)?;
    Ok((user, secret))
}

/// Makes a service account with a first token in the organization of this name, without regard to case; none if there is no
/// such organization.
///
/// # Errors
/// 422 for a name that is taken.
pub fn create_service_account_with_token(
    connection: &mut PgConnection,
    organization: &str,
    username: &str,
) -> Result<Option<(User, Secret)>> {
    let found = organizations::named(connection, None, &[organization.to_lowercase()])?.pop();
    let Some((organization, _)) = found else { return Ok(None) };
    let Some(organization) = organizations::hold(connection, organization).optional()? else { return Ok(None) };
    let user = memberships::create_service_account(connection, &Actor::system(), organization.id, username)?;
    let secret = first_token(connection, &user)?;
    Ok(Some((user, secret)))
}

fn first_token(connection: &mut PgConnection, user: &User) -> Result<Secret> {
    let owner = Owner::of_user(user.id, user.organization_id);
    let token = NewToken { description: Some("first token"), ..NewToken::of(owner) };
    issue::create(connection, &Actor::system(), &token, |_| vec![]).map(|(_, secret)| secret)
}
