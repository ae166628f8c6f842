//! A user who is made outside of a request: with a first token, to begin with.

use diesel::PgConnection;

use super::{NewToken, Owner, issue};
use crate::audit::{self, Actor, Event};
use crate::credential::Secret;
use crate::users::{self, NewUser, NotCreated, User};

/// Makes a user with a first token, in the transaction that the connection is in. The secret is nowhere else from
/// here on.
///
/// # Errors
/// When the name or the address is taken, or the database fails.
pub fn create_user_with_token(connection: &mut PgConnection, new: &NewUser) -> Result<(User, Secret), NotCreated> {
    let user = users::create(connection, new)?;
    let token = NewToken { description: Some("first token"), ..NewToken::of(Owner::User(user.id)) };
    audit::record(connection, &Actor::system(), &[Event::of_account(user.id, "create")])?;
    let (_, secret) = issue::create(connection, &Actor::system(), &token, |_| vec![])?;
    Ok((user, secret))
}
