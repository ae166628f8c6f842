//! Counting the use of tokens (docs/design.md §3, rule 7): in memory, and about once a second into the database.
//!
//! A request never waits for it. A clean stop writes what is left; a crash loses at most the last second. A use counts
//! for the day (UTC) on which it happened, also if it is written after midnight.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;

use crate::database::Database;
use crate::ids::TokenId;
use crate::worker::Worker;

const EVERY: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Copy)]
struct Used {
    count: i64,
    last: DateTime<Utc>,
}

/// What was used since the last time it was written.
#[derive(Debug, Clone, Default)]
pub struct Usage(Arc<Mutex<HashMap<(TokenId, NaiveDate), Used>>>);

impl Usage {
    /// Counts one use of a token, now.
    pub fn record(&self, token: TokenId) {
        self.record_at(token, Utc::now());
    }

    fn record_at(&self, token: TokenId, time: DateTime<Utc>) {
        self.add((token, time.date_naive()), Used { count: 1, last: time });
    }

    fn add(&self, day: (TokenId, NaiveDate), more: Used) {
        let mut uses = self.uses();
        let used = uses.entry(day).or_insert(Used { count: 0, last: more.last });
        used.count += more.count;
        used.last = used.last.max(more.last);
    }

    /// Writes what was counted. What the database does not take stays counted, as does what was used of a token that
    /// somebody has locked: nobody else's count waits for that. Answers whether there is such a one.
    fn write(&self, database: &Database) -> bool {
        let counted = std::mem::take(&mut *self.uses());
        if counted.is_empty() {
            return false;
        }
        let rows: Vec<_> = counted
            .iter()
            .map(|(&(token, date), &Used { count, last })| Counted { token, date, count, last })
            .collect();
        match database.blocking(move |connection| Ok(write(connection, &rows)?)) {
            Ok(locked) => {
                let kept = counted.into_iter().filter(|((token, _), _)| locked.contains(token));
                kept.for_each(|(day, used)| self.add(day, used));
                !locked.is_empty()
            }
            Err(fault) => {
                log::warn!("the use of {} tokens is not written yet: {fault}", counted.len());
                counted.into_iter().for_each(|(day, used)| self.add(day, used));
                false
            }
        }
    }

    /// A thread that panicked while counting leaves counts that are still true.
    fn uses(&self) -> MutexGuard<'_, HashMap<(TokenId, NaiveDate), Used>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Uses of a token on one day (UTC) that were counted and are not written yet.
#[derive(Debug, Clone, Copy)]
struct Counted {
    token: TokenId,
    /// The day on which it was used.
    date: NaiveDate,
    count: i64,
    /// The last of these times.
    last: DateTime<Utc>,
}

/// Adds up what was counted since the last time, in one statement: both sums are written, or none. Answers the tokens that
/// somebody else has locked, of which nothing is written. What is counted of a token that has been removed is dropped.
fn write(connection: &mut PgConnection, counted: &[Counted]) -> QueryResult<HashSet<TokenId>> {
    #[derive(QueryableByName)]
    struct Locked {
        #[diesel(sql_type = diesel::sql_types::Uuid)]
        id: TokenId,
    }
    let ids: Vec<uuid::Uuid> = counted.iter().map(|used| used.token.uuid()).collect();
    let dates: Vec<NaiveDate> = counted.iter().map(|used| used.date).collect();
    let counts: Vec<i64> = counted.iter().map(|used| used.count).collect();
    let times: Vec<DateTime<Utc>> = counted.iter().map(|used| used.last).collect();
    // Who has not locked a token does not write its days.
    diesel::sql_query(
        "WITH used AS (SELECT * FROM unnest($1, $2, $3, $4) AS used (id, date, count, last)), \
         sums AS (SELECT id, sum(count)::bigint AS count, max(last) AS last FROM used GROUP BY id), \
         locked AS (SELECT tokens.id FROM tokens JOIN sums USING (id) FOR NO KEY UPDATE OF tokens SKIP LOCKED), \
         written AS (UPDATE tokens SET usage_count = usage_count + sums.count, \
         last_used_at = greatest(last_used_at, sums.last) FROM sums JOIN locked USING (id) WHERE tokens.id = sums.id \
         RETURNING tokens.id), \
         days AS (INSERT INTO token_usage_days (token_id, date, count) \
         SELECT used.id, used.date, used.count FROM used JOIN written USING (id) ORDER BY used.id, used.date \
         ON CONFLICT (token_id, date) DO UPDATE SET count = token_usage_days.count + excluded.count) \
         SELECT tokens.id FROM tokens JOIN sums USING (id) WHERE tokens.id NOT IN (SELECT id FROM locked)",
    )
    .bind::<diesel::sql_types::Array<diesel::sql_types::Uuid>, _>(ids)
    .bind::<diesel::sql_types::Array<diesel::sql_types::Date>, _>(dates)
    .bind::<diesel::sql_types::Array<diesel::sql_types::BigInt>, _>(counts)
    .bind::<diesel::sql_types::Array<diesel::sql_types::Timestamptz>, _>(times)
    .load::<Locked>(connection)
    .map(|locked| locked.into_iter().map(|token| token.id).collect())
}

/// How often, and how many times, a stop tries to write what was used of tokens that somebody has locked.
const AGAIN: (Duration, u32) = (Duration::from_millis(100), 20);

/// Begins to write what is counted. A stop writes what is left, and waits for a locked token only so long.
///
/// # Errors
/// When the operating system gives no thread.
pub fn write_usage(usage: Usage, database: Database) -> std::io::Result<Worker> {
    Worker::start("usage", move |stopping| {
        while stopping.wait(EVERY) {
            usage.write(&database);
        }
        for _ in 0..AGAIN.1 {
            if !usage.write(&database) {
                return;
            }
            std::thread::sleep(AGAIN.0);
        }
        log::warn!("the last use of tokens that somebody has locked is not written");
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_use_counts_for_the_day_on_which_it_happened() {
        let (usage, token) = (Usage::default(), TokenId::generate());
        let times = ["2031-05-17T23:59:59.9Z", "2031-05-18T01:59:00+02:00", "2031-05-18T00:00:00Z"];
        let times = times.map(|time| DateTime::parse_from_rfc3339(time).unwrap().to_utc());
        times.iter().for_each(|time| usage.record_at(token, *time));
        let counted = |day: u32| {
            let uses = usage.uses();
            let used = uses[&(token, NaiveDate::from_ymd_opt(2031, 5, day).unwrap())];
            (used.count, used.last)
        };
        assert_eq!(counted(17), (2, times[0]));
        assert_eq!(counted(18), (1, times[2]));
    }
}
