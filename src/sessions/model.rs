//! The session, and how long one may be.

use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use crate::database::schema::sessions;
use crate::ids::{SessionId, UserId};

/// The most sessions of one user at one time. One more ends the one that was used the longest ago.
pub const SESSIONS_MAX: i64 = 20;

/// How long a session may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetime {
    /// Without being used.
    pub idle: Duration,
    /// However often it is used.
    pub whole: Duration,
}

/// A browser in which a user has signed in.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = sessions, check_for_backend(diesel::pg::Pg))]
pub struct Session {
    pub id: SessionId,
    pub user_id: UserId,
    pub created_at: DateTime<Utc>,
    /// When it was used last, to the minute.
    pub seen_at: DateTime<Utc>,
    /// Its end, however often it is used.
    pub ends_at: DateTime<Utc>,
    /// Where it began: an IPv4 address, or the /64 of an IPv6 address.
    pub network: String,
    /// What the browser said that it is.
    pub agent: String,
}

/// A session that is to begin.
#[derive(Debug, Clone)]
pub struct NewSession {
    pub user: UserId,
    pub lifetime: Lifetime,
    /// Where the browser is, as far as that is known.
    pub network: String,
    /// What the browser says that it is, in at most 255 characters.
    pub agent: String,
}
