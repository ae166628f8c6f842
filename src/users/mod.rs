//! Users: persons and service accounts (DESIGN §1).
//!
//! Their tokens are in `tokens`, what they are in an organization in `memberships`.

pub mod api;
pub(crate) mod resource;
pub(crate) mod store;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde_json::json;

use crate::audit::{self, Actor, Event};
use crate::database::schema::users;
use crate::ids::UserId;
use crate::tokens::store::NewToken;
use crate::tokens::{self, Creator, Owner, Secret};

pub use store::NotCreated;

/// A user as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = users, check_for_backend(diesel::pg::Pg))]
pub struct User {
    /// The user's id.
    pub id: UserId,
    /// The user's name, unique without regard to case.
    pub username: String,
    /// The user's address, unique without regard to case.
    pub email: String,
    /// Whether the user administers the whole installation.
    pub site_admin: bool,
    /// Whether this is a program's account.
    pub service_account: bool,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// A new user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUser {
    /// 1 to 90 letters, digits, hyphens and underscores.
    pub username: String,
    /// An e-mail address.
    pub email: String,
    /// What the user may do in the whole installation.
    pub rank: Rank,
}

/// What a user may do in the whole installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rank {
    /// Nothing beyond what organizations grant.
    Ordinary,
    /// See every organization, change and delete it.
    SiteAdmin,
}

/// Makes a user with a first token, in the transaction that the connection is in. The secret is nowhere else from
/// here on.
///
/// # Errors
/// When the name or the address is taken, or the database fails.
pub fn create_with_token(connection: &mut PgConnection, new: &NewUser) -> Result<(User, Secret), NotCreated> {
    let user = store::create(connection, new)?;
    let token = NewToken {
        owner: Owner::User(user.id),
        description: Some("first token"),
        expired_at: None,
        created_by: Creator::System,
    };
    let (token, secret) = tokens::store::create(connection, &token)?;
    let about = json!({"kind": token.kind, "user": user.id});
    let events = [
        Event::new(None, "user", user.id, "create"),
        Event::new(None, "authentication_token", token.id, "create").meta(about),
    ];
    audit::record(connection, &Actor::system(), &events)?;
    Ok((user, secret))
}
