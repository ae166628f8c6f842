//! The queries of sessions.

use std::time::Duration;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Integer, Uuid};

use super::{NewSession, SESSIONS_MAX, Session};
use crate::credential::{BrowserSecret, BrowserUse};
use crate::database::schema::{sessions, sign_in_links, statement_timestamp};
use crate::ids::{SessionId, UserId};
use crate::jsonapi::{Error, Result};

/// Whether a session still goes on: a condition on the row.
const GOES_ON: &str =
    "least(sessions.ends_at, sessions.seen_at + sessions.idle_ms * interval '1 millisecond') > statement_timestamp()";

/// Begins a session of a user, who must be locked. Beyond [`SESSIONS_MAX`] the one that was used the longest ago ends.
///
/// # Errors
/// The database's own, and 500 where there are no random numbers.
pub(crate) fn start(connection: &mut PgConnection, new: &NewSession) -> Result<(Session, BrowserSecret)> {
    let secret = BrowserSecret::generate(BrowserUse::Session).map_err(|fault| {
        log::error!("no session can begin: {fault}");
        Error::internal()
    })?;
    let milliseconds = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    diesel::sql_query(
        "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE user_id = $1 ORDER BY seen_at DESC, id DESC \
         OFFSET $2)",
    )
    .bind::<Uuid, _>(new.user)
    .bind::<BigInt, _>(SESSIONS_MAX - 1)
    .execute(connection)?;
    let ends_at = diesel::dsl::sql("statement_timestamp() + interval '1 millisecond' * ")
        .bind::<BigInt, _>(milliseconds(new.lifetime.whole));
    let session = diesel::insert_into(sessions::table)
        .values((
            sessions::id.eq(SessionId::generate()),
            sessions::user_id.eq(new.user),
            sessions::secret_hash.eq(secret.digest().as_bytes().as_slice()),
            sessions::idle_ms.eq(milliseconds(new.lifetime.idle)),
            sessions::ends_at.eq(ends_at),
            sessions::network.eq(&new.network),
            sessions::agent.eq(&new.agent),
        ))
        .returning(Session::as_returning())
        .get_result(connection)?;
    Ok((session, secret))
}

/// A session is being used. Its row is written once a minute at most, or ten times while it may be idle.
pub(crate) fn touch(connection: &mut PgConnection, id: SessionId) -> QueryResult<()> {
    diesel::sql_query(
        "UPDATE sessions SET seen_at = statement_timestamp() WHERE id = $1 AND seen_at < statement_timestamp() - \
         least(interval '1 minute', idle_ms * interval '100 microseconds')",
    )
    .bind::<Uuid, _>(id)
    .execute(connection)?;
    Ok(())
}

/// Those of a user that go on, the newest first.
pub(crate) fn of_user(connection: &mut PgConnection, user: UserId) -> QueryResult<Vec<Session>> {
    sessions::table
        .filter(sessions::user_id.eq(user))
        .filter(diesel::dsl::sql::<Bool>(GOES_ON))
        .order((sessions::created_at.desc(), sessions::id))
        .select(Session::as_select())
        .load(connection)
}

/// Ends a session of a user, and answers whether there was one.
pub(crate) fn end(connection: &mut PgConnection, user: UserId, id: SessionId) -> QueryResult<bool> {
    let own = sessions::table.filter(sessions::user_id.eq(user)).filter(sessions::id.eq(id));
    Ok(diesel::delete(own).execute(connection)? > 0)
}

/// Ends all sessions of a user but this one, and answers how many there were. Links to sign in with end as well: whoever
/// ends the others does not want them to come back.
pub(crate) fn end_others(connection: &mut PgConnection, user: UserId, but: Option<SessionId>) -> QueryResult<usize> {
    diesel::delete(sign_in_links::table.find(user)).execute(connection)?;
    let others =
        sessions::table.filter(sessions::user_id.eq(user)).filter(sessions::id.nullable().is_distinct_from(but));
    diesel::delete(others).execute(connection)
}

/// The user has entered the password again in this session.
pub(crate) fn confirm(connection: &mut PgConnection, id: SessionId) -> QueryResult<()> {
    diesel::update(sessions::table.find(id))
        .set(sessions::confirmed_at.eq(statement_timestamp()))
        .execute(connection)?;
    Ok(())
}

/// Whether the password was entered in this session within the last so many minutes.
pub(crate) fn confirmed_within(connection: &mut PgConnection, id: SessionId, minutes: i32) -> QueryResult<bool> {
    let lately = diesel::dsl::sql::<Bool>("confirmed_at > statement_timestamp() - interval '1 minute' * ")
        .bind::<Integer, _>(minutes);
    let confirmed = sessions::table.find(id).filter(lately);
    diesel::select(diesel::dsl::exists(confirmed)).get_result(connection)
}

/// Whether a user has a session that began in this network and goes on.
pub(crate) fn known_network(connection: &mut PgConnection, user: UserId, network: &str) -> QueryResult<bool> {
    let there = sessions::table
        .filter(sessions::user_id.eq(user))
        .filter(sessions::network.eq(network))
        .filter(diesel::dsl::sql::<Bool>(GOES_ON));
    diesel::select(diesel::dsl::exists(there)).get_result(connection)
}

/// Removes sessions and links that are over, at most so many of each, and answers how many sessions.
pub(crate) fn remove_old(connection: &mut PgConnection, most: usize) -> QueryResult<usize> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    diesel::sql_query("DELETE FROM sign_in_links WHERE ends_at <= now()").execute(connection)?;
    diesel::sql_query(format!(
        "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE NOT ({GOES_ON}) LIMIT $1 FOR UPDATE SKIP LOCKED)"
    ))
    .bind::<BigInt, _>(most)
    .execute(connection)
}
