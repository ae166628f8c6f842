//! Writing and reading audit events.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use diesel::dsl::{IntervalDsl, exists, now};
use diesel::prelude::*;
use diesel::sql_types::{Bool, Timestamptz};
use uuid::Uuid;

use super::{Actor, Asked, Event, Looking, Recorded, Trail};
use crate::database::schema::audit_events;
use crate::jsonapi::Timestamp;

/// The most events in one statement: PostgreSQL takes 65,535 parameters, and each event has thirteen.
const AT_ONCE: usize = 1000;

/// Writes events of what `actor` did, in the transaction that the connection is in.
///
/// # Errors
/// The database's own; the change must then be undone as well.
pub fn record(connection: &mut PgConnection, actor: &Actor, events: &[Event]) -> QueryResult<()> {
    let rows: Vec<_> = events
        .iter()
        .map(|event| {
            (
                audit_events::id.eq(event.id),
                audit_events::organization_id.eq(event.organization),
                audit_events::user_id.eq(event.user),
                audit_events::actor_type.eq(actor.kind),
                audit_events::accessor_id.eq(&actor.accessor_id),
                audit_events::accessor_description.eq(&actor.description),
                audit_events::token_id.eq(actor.token),
                audit_events::token_description.eq(&actor.token_description),
                audit_events::request_id.eq(&actor.request_id),
                audit_events::resource_type.eq(event.resource_type),
                audit_events::resource_id.eq(&event.resource_id),
                audit_events::action.eq(event.action),
                audit_events::meta.eq(&event.meta),
            )
        })
        .collect();
    for some in rows.chunks(AT_ONCE) {
        diesel::insert_into(audit_events::table).values(some).execute(connection)?;
    }
    Ok(())
}

/// Whether it was told lately that this happened to a token or a user, by the same actor.
pub(crate) fn told_lately(
    connection: &mut PgConnection,
    looking: Looking,
    what: impl ToString,
    by: &Actor,
) -> QueryResult<bool> {
    // Literals for the actions, as in the index.
    let is_looking = diesel::dsl::sql::<Bool>("action IN ('show', 'refuse', 'refuse_replaced', 'refuse_sign_in')");
    let told = audit_events::table
        .filter(audit_events::resource_id.eq(what.to_string()))
        .filter(audit_events::action.eq(looking.action()))
        .filter(is_looking)
        .filter(audit_events::occurred_at.gt(now.into_sql::<Timestamptz>() - looking.once_in().seconds()));
    match by.token {
        Some(token) => diesel::select(exists(told.filter(audit_events::token_id.eq(token)))).get_result(connection),
        // In a session, or of nobody who is known.
        None => {
            let same = audit_events::accessor_id.is_not_distinct_from(&by.accessor_id);
            let told = told.filter(audit_events::token_id.is_null()).filter(same);
            diesel::select(exists(told)).get_result(connection)
        }
    }
}

/// A page of the events of a trail after a time, oldest first, and how many there are.
///
/// Times are compared as they are shown, in milliseconds. Who polls with the last time that they saw gets each event once
/// and misses none: an event is served once its millisecond is over, and every transaction that had begun before it and
/// writes has ended, for what that one writes may have an earlier time.
pub(crate) fn list(
    connection: &mut PgConnection,
    asked: Asked,
    offset: i64,
    limit: i64,
) -> QueryResult<(Vec<Recorded>, i64)> {
    let (first, end) = match asked.since {
        Some(since) => {
            let settled = diesel::select(diesel::dsl::sql::<Timestamptz>(SETTLED)).get_result(connection)?;
            (after(since), settled)
        }
        None => (DateTime::UNIX_EPOCH, Timestamp::MAX),
    };
    let page = events(asked, first, end)
        .order((audit_events::occurred_at, audit_events::id))
        .select(Recorded::as_select())
        .offset(offset)
        .limit(limit)
        .load(connection)?;
    Ok((page, count(connection, asked, first, end)?))
}

/// The events of a trail from a time to another one.
fn events(
    Asked { trail, token, .. }: Asked,
    first: DateTime<Utc>,
    end: DateTime<Utc>,
) -> audit_events::BoxedQuery<'static, diesel::pg::Pg> {
    let events = audit_events::table
        .filter(audit_events::occurred_at.ge(first))
        .filter(audit_events::occurred_at.lt(end))
        .into_boxed();
    let events = match trail {
        Trail::Organization(id) => events.filter(audit_events::organization_id.eq(id)),
        Trail::User(id) => events.filter(audit_events::user_id.eq(id)),
        Trail::Everybody => events,
    };
    match token {
        Some(token) => events.filter(audit_events::token_id.eq(token)),
        None => events,
    }
}

/// How many events a trail has from a time to another one: by whole hours, and only at the two ends by the events. Those of a
/// user or by one token are few: they are counted.
fn count(connection: &mut PgConnection, asked: Asked, first: DateTime<Utc>, end: DateTime<Utc>) -> QueryResult<i64> {
    let (id, within) = match (asked.trail, asked.token) {
        (Trail::Organization(id), None) => (id.uuid(), "audit_events.organization_id = whole.organization_id AND"),
        (Trail::Everybody, None) => (Uuid::nil(), ""),
        (Trail::User(_), _) | (_, Some(_)) => return events(asked, first, end).count().get_result(connection),
    };
    diesel::sql_query(format!(
        "WITH asked AS (SELECT $1 AS organization_id, $2 AS first, $3 AS last), \
         whole AS (SELECT asked.*, date_trunc('hour', first, 'UTC') + interval '1 hour' AS from_hour, \
           date_trunc('hour', last, 'UTC') AS to_hour FROM asked) \
         SELECT ((SELECT count(*) FROM audit_events, whole \
             WHERE {within} occurred_at >= first AND occurred_at < least(from_hour, last)) \
           + (SELECT count(*) FROM audit_events, whole \
             WHERE {within} occurred_at >= greatest(from_hour, to_hour) AND occurred_at < last) \
           + coalesce((SELECT sum(count) FROM (SELECT * FROM audit_event_hours \
             UNION ALL SELECT organization_id, hour, count FROM audit_event_additions) AS hours, whole \
             WHERE hours.organization_id = whole.organization_id AND hour >= from_hour AND hour < to_hour), 0))::bigint \
           AS count"
    ))
    .bind::<diesel::sql_types::Uuid, _>(id)
    .bind::<Timestamptz, _>(first)
    .bind::<Timestamptz, _>(end)
    .get_result::<Count>(connection)
    .map(|found| found.count)
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    count: i64,
}

/// The first time that is shown as a later one.
fn after(time: DateTime<Utc>) -> DateTime<Utc> {
    time.trunc_subsecs(3) + TimeDelta::milliseconds(1)
}

/// Events of everybody that are shown with a later time than `since`, beyond one of them, oldest first: for the command
/// line.
///
/// # Errors
/// The database's own.
pub fn everything(
    connection: &mut PgConnection,
    since: DateTime<Utc>,
    beyond: Option<&Recorded>,
    most: i64,
) -> QueryResult<Vec<Recorded>> {
    let mut events = audit_events::table
        .filter(audit_events::occurred_at.ge(after(since)))
        .order((audit_events::occurred_at, audit_events::id))
        .select(Recorded::as_select())
        .limit(most)
        .into_boxed();
    if let Some(last) = beyond {
        let beside = audit_events::occurred_at.eq(last.occurred_at).and(audit_events::id.gt(last.id));
        events = events.filter(audit_events::occurred_at.gt(last.occurred_at).or(beside));
    }
    events.load(connection)
}

/// The time before which every event is there to be read.
const SETTLED: &str = "least(date_trunc('milliseconds', clock_timestamp()), \
     (SELECT min(xact_start) FROM pg_stat_activity \
      WHERE datname = current_database() AND backend_xid IS NOT NULL AND pid <> pg_backend_pid()))";
