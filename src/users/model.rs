//! The user, and what a client may write of one.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use validator::Validate;

use super::store;
use super::store::NotConfirmed;
use crate::audit::{self, Actor, Event};
use crate::database::schema::users;
use crate::deletions::{self, Deleted};
use crate::ids::{OrganizationId, UserId};
use crate::sessions;

/// A user as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = users, check_for_backend(diesel::pg::Pg))]
pub struct User {
    pub id: UserId,
    /// The user's name, unique without regard to case.
    pub username: String,
    /// The user's address, unique without regard to case; a service account has none.
    pub email: Option<String>,
    /// The address that the user asks for, while nobody has confirmed it.
    pub unconfirmed_email: Option<String>,
    /// Whether the user administers the whole installation.
    pub site_admin: bool,
    /// The one organization that a service account is in; none for a person.
    pub organization_id: Option<OrganizationId>,
    /// Whether somebody has come forward as this user; false for whom an invitation made.
    pub confirmed: bool,
    pub created_at: DateTime<Utc>,
    /// Since when the user's tokens are refused, if they are.
    pub suspended_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUser {
    /// 1 to 90 letters, digits, hyphens and underscores.
    pub username: String,
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

/// What users may write of themselves.
#[derive(Debug, Clone, Default, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct AccountAttributes {
    /// `username`: 1 to 90 letters, digits, hyphens and underscores.
    #[validate(custom(function = "crate::jsonapi::valid_name"))]
    #[schema(pattern = "^[A-Za-z0-9_-]{1,90}$")]
    pub username: Option<String>,
    /// `email`: an e-mail address. It waits as `unconfirmed-email` until somebody who runs the service confirms it.
    #[validate(email, length(max = 254))]
    #[schema(format = "email", max_length = 254)]
    pub email: Option<String>,
}

#[derive(Default, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct PasswordAttributes {
    /// `current_password`: required where one is set.
    #[schema(value_type = Option<String>)]
    pub current_password: Option<SecretString>,
    /// `password`: 10 to 1000 characters.
    #[schema(value_type = Option<String>, min_length = 10, max_length = 1000)]
    pub password: Option<SecretString>,
    /// `password_confirmation`: the same once more.
    #[schema(value_type = Option<String>)]
    pub password_confirmation: Option<SecretString>,
}

impl User {
    /// Whether this is a program's account.
    #[must_use]
    pub const fn is_service_account(&self) -> bool {
        self.organization_id.is_some()
    }

    /// Something that happened to the account, in the trail of the user and, of a service account, of its organization.
    #[must_use]
    pub fn event(&self, action: &'static str) -> Event {
        Event::of_account(self.id, action).within(self.organization_id).meta(json!({"username": self.username}))
    }

    /// The same user, who asks for another address. Invitations go by address: it stays what it is until somebody
    /// else confirms the new one. One's own, also in another case, needs nobody.
    pub(super) fn asking_for(self, email: String) -> Self {
        if self.email.as_ref().is_some_and(|own| email.eq_ignore_ascii_case(own)) {
            Self { email: Some(email), unconfirmed_email: None, ..self }
        } else {
            Self { unconfirmed_email: Some(email), ..self }
        }
    }
}

/// Makes the address that a user asks for the user's own, in the transaction that the connection is in. Nobody may have it.
///
/// # Errors
/// When there is no such user, the user asks for another address or none, or somebody else has it.
pub(crate) fn confirm_email(connection: &mut PgConnection, username: &str, email: &str) -> Result<User, NotConfirmed> {
    let user = store::confirm_email(connection, username, email)?;
    audit::record(connection, &Actor::system(), &[Event::of_account(user.id, "confirm_email")])?;
    Ok(user)
}

/// Ends a user, who must be locked with all memberships: the tokens are refused from now on, and the name is free. The
/// memberships are `memberships`' to end.
///
/// # Errors
/// The database's own.
pub(crate) fn end(connection: &mut PgConnection, actor: &Actor, user: &User) -> QueryResult<()> {
    let event = user.event("destroy");
    sessions::end_others(connection, user.id, None)?;
    deletions::mark(connection, Deleted::User(user.id), &event)?;
    audit::record(connection, actor, &[event])
}
