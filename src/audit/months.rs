//! The tables of the months, ahead and behind, and the counts by the hour.
//!
//! Every replica looks at its start and then once a minute whether the tables of this month and of the next two are there,
//! and whether one is too old; whoever has the lock does it. Waiting for a table, it gives up after a second, so that nobody
//! waits behind it for longer.

use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};

use crate::database::Database;
use crate::jsonapi::Result;
use crate::retention::Retention;
use crate::worker::Worker;

/// How often what was added is added to the counts.
const OFTEN: Duration = Duration::from_secs(1);

/// How often the tables are looked at.
const SELDOM: Duration = Duration::from_secs(60);

/// The most additions that are added to the counts in one transaction.
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
    Worker::start("audit trail", move |stopping| {
        loop {
            if looked.elapsed() >= SELDOM.min(retention.time()) {
                looked = look(&database);
            }
            while stopping.goes_on()
                && attempt("events of the audit trail are not counted yet", || {
                    database.blocking(|connection| Ok(add_up(connection, BATCH)? == BATCH))
                })
                .unwrap_or(false)
            {}
            if !stopping.wait(OFTEN) {
                return;
            }
        }
    })
}

fn attempt<T>(failed: &str, work: impl FnOnce() -> Result<T>) -> Option<T> {
    work().inspect_err(|fault| log::warn!("{failed}: {fault}")).ok()
}

#[derive(QueryableByName)]
struct Named {
    #[diesel(sql_type = Text)]
    name: String,
}

/// Makes what is missing of this month and the next two, and removes the months that ended before the retention began.
fn keep_months(connection: &mut PgConnection, retention: Retention) -> Result<()> {
    connection.transaction(|connection| {
        let lock = diesel::dsl::sql::<Bool>("pg_try_advisory_xact_lock(").bind::<BigInt, _>(LOCK).sql(")");
        if !diesel::select(lock).get_result::<bool>(connection)? {
            return Ok(());
        }
        connection.batch_execute(
            "SET LOCAL lock_timeout = '1s'; \
             SELECT make_audit_month(now() + months * interval '1 month') FROM generate_series(0, 2) AS months",
        )?;
        let old: Vec<Named> = diesel::sql_query(
            "SELECT relname::text AS name FROM pg_class JOIN pg_inherits ON inhrelid = pg_class.oid \
             WHERE inhparent = 'audit_events'::regclass AND relname ~ '^audit_events_\\d{4}_\\d{2}$' \
             AND (to_date(right(relname, 7), 'YYYY_MM') + interval '1 month') AT TIME ZONE 'UTC' \
               <= now() - $1 * interval '1 second' ORDER BY relname",
        )
        .bind::<BigInt, _>(retention.seconds())
        .load(connection)?;
        for Named { name } in old {
            connection.batch_execute(&format!("DROP TABLE {name}"))?;
            log::info!("the events of {name} are removed: the audit trail is kept for {retention}");
        }
        remove_strays(connection, retention)?;
        Ok(())
    })
}

/// Removes events of no month, and counts, that are older than the retention, as far as they are in one batch.
fn remove_strays(connection: &mut PgConnection, retention: Retention) -> QueryResult<()> {
    for statement in [
        "DELETE FROM audit_events_other WHERE (id, occurred_at) IN (SELECT id, occurred_at FROM audit_events_other \
         WHERE occurred_at < date_trunc('month', now() - $1 * interval '1 second', 'UTC') LIMIT $2)",
        "DELETE FROM audit_event_hours WHERE (organization_id, hour) IN (SELECT organization_id, hour \
         FROM audit_event_hours WHERE hour < date_trunc('month', now() - $1 * interval '1 second', 'UTC') LIMIT $2)",
    ] {
        diesel::sql_query(statement)
            .bind::<BigInt, _>(retention.seconds())
            .bind::<BigInt, _>(BATCH)
            .execute(connection)?;
    }
    Ok(())
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
