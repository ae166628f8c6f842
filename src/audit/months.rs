//! The tables of the months, ahead and behind, and the counts by the hour.
//!
//! Every replica looks at its start and then once a minute whether the tables of this month and of the next two are there,
//! and whether one is too old; whoever has the lock does it. Waiting for a table, it gives up after a second, so that nobody
//! waits behind it for longer.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text, Timestamptz};

use crate::database::{Database, try_lock};
use crate::jsonapi::Result;
use crate::retention::Retention;
use crate::worker::{Worker, attempt};

/// How often what was added is added to the counts.
const OFTEN: Duration = Duration::from_secs(1);

/// How often the tables are looked at.
const SELDOM: Duration = Duration::from_secs(60);

/// The most additions that are added to the counts, and stray events that are removed, in one transaction.
const BATCH: i64 = 5000;

/// Any number, as long as nothing else on the same database locks it.
const LOCK: i64 = 0x1a7c_4b40;

/// Begins to make the tables of months to come, to remove old ones, and to count. A stop waits for what is under way.
///
/// # Errors
/// When the operating system gives no thread.
pub fn keep_audit_trail(retention: Retention, database: Database) -> std::io::Result<Worker> {
    let look = move |database: &Database| {
        attempt("the months of the audit trail are not looked after yet", || {
            database.blocking(move |connection| keep_months(connection, retention))
        });
        Instant::now()
    };
    // Once before anything is written: nothing is, where no service has run for months.
    let mut looked = look(&database);
    Worker::repeat("audit trail", OFTEN, move |_| {
        if looked.elapsed() >= SELDOM.min(retention.time()) {
            looked = look(&database);
        }
        let added = || database.blocking(|connection| Ok(add_up(connection, BATCH)? == BATCH));
        attempt("events of the audit trail are not counted yet", added).unwrap_or(false)
    })
}

/// A table of a month, from its first moment to that of the next one.
#[derive(QueryableByName)]
struct Month {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Timestamptz)]
    first: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    next: DateTime<Utc>,
}

/// Makes what is missing of this month and the next two, and removes the months that ended before the retention began, each in
/// a transaction of its own: as long as one holds a table, everybody who writes an event waits.
fn keep_months(connection: &mut PgConnection, retention: Retention) -> Result<()> {
    alone(connection, |connection| {
        connection.batch_execute(
            "SELECT make_audit_month(now() + months * interval '1 month') FROM generate_series(0, 2) AS months",
        )
    })?;
    let old: Vec<Month> = diesel::sql_query(
        "SELECT * FROM (SELECT relname::text AS name, to_date(right(relname, 7), 'YYYY_MM')::timestamp AT TIME ZONE 'UTC' AS first, \
           (to_date(right(relname, 7), 'YYYY_MM') + interval '1 month') AT TIME ZONE 'UTC' AS next \
           FROM pg_class JOIN pg_inherits ON inhrelid = pg_class.oid \
           WHERE inhparent = 'audit_events'::regclass AND relname ~ '^audit_events_\\d{4}_\\d{2}$') AS months \
         WHERE next <= now() - $1 * interval '1 second' ORDER BY first",
    )
    .bind::<BigInt, _>(retention.seconds())
    .load(connection)?;
    for month in old {
        alone(connection, |connection| drop_month(connection, &month))?;
        log::info!("the events of {} are removed: the audit trail is kept for {retention}", month.name);
    }
    while remove_strays(connection, retention)? == BATCH {}
    Ok(())
}

/// Does `work` in one transaction, unless another replica is at it.
fn alone(connection: &mut PgConnection, work: impl FnOnce(&mut PgConnection) -> QueryResult<()>) -> QueryResult<()> {
    connection.transaction(|connection| {
        if !try_lock(connection, LOCK)? {
            return Ok(());
        }
        connection.batch_execute("SET LOCAL lock_timeout = '1s'")?;
        work(connection)
    })
}

/// Drops a month with its counts: the events last, so that the table is held for a moment only.
fn drop_month(connection: &mut PgConnection, month: &Month) -> QueryResult<()> {
    // Additions first: that waits for who is adding them up, and then sees the sums.
    for counts in ["audit_event_additions", "audit_event_hours"] {
        diesel::sql_query(format!("DELETE FROM {counts} WHERE hour >= $1 AND hour < $2"))
            .bind::<Timestamptz, _>(month.first)
            .bind::<Timestamptz, _>(month.next)
            .execute(connection)?;
    }
    connection.batch_execute(&format!("DROP TABLE IF EXISTS {}", month.name))
}

/// Removes events of no month that are older than the retention, at most a batch, and takes them from the counts. Answers how
/// many there were.
fn remove_strays(connection: &mut PgConnection, retention: Retention) -> QueryResult<i64> {
    #[derive(QueryableByName)]
    struct Removed {
        #[diesel(sql_type = BigInt)]
        removed: i64,
    }
    diesel::sql_query(
        "WITH removed AS (DELETE FROM audit_events_other WHERE (id, occurred_at) IN (SELECT id, occurred_at \
           FROM audit_events_other WHERE occurred_at < date_trunc('month', now() - $1 * interval '1 second', 'UTC') \
           ORDER BY occurred_at LIMIT $2 FOR UPDATE SKIP LOCKED) RETURNING organization_id, occurred_at), \
         counted AS (INSERT INTO audit_event_additions (organization_id, hour, count) \
           SELECT organization_id, date_trunc('hour', occurred_at, 'UTC'), -count(*) FROM \
             (SELECT * FROM removed WHERE organization_id IS NOT NULL \
              UNION ALL SELECT '00000000-0000-0000-0000-000000000000', occurred_at FROM removed) AS of_trails GROUP BY 1, 2) \
         SELECT count(*) AS removed FROM removed",
    )
    .bind::<BigInt, _>(retention.seconds())
    .bind::<BigInt, _>(BATCH)
    .get_result::<Removed>(connection)
    .map(|done| done.removed)
}

/// Adds what was added to the counts by the hour, at most so many additions, and answers how many. Other replicas leave
/// those alone.
fn add_up(connection: &mut PgConnection, most: i64) -> QueryResult<i64> {
    #[derive(QueryableByName)]
    struct Added {
        #[diesel(sql_type = BigInt)]
        added: i64,
    }
    diesel::sql_query(
        "WITH added AS (DELETE FROM audit_event_additions WHERE id IN (SELECT id FROM audit_event_additions \
           ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED) RETURNING organization_id, hour, count), \
         summed AS (INSERT INTO audit_event_hours SELECT organization_id, hour, sum(count) FROM added GROUP BY 1, 2 \
           ORDER BY 1, 2 ON CONFLICT (organization_id, hour) \
           DO UPDATE SET count = audit_event_hours.count + excluded.count) \
         SELECT count(*) AS added FROM added",
    )
    .bind::<BigInt, _>(most)
    .get_result::<Added>(connection)
    .map(|done| done.added)
}
