//! Counting the use of tokens (docs/design.md §3, rule 7): in memory, and about once a second into the database.
//!
//! A request never waits for it. A clean stop writes what is left; a crash loses at most the last second. A use counts
//! for the day (UTC) on which it happened, also if it is written after midnight.

use std::collections::HashMap;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};

use super::store::{self, Counted};
use crate::database::Database;
use crate::ids::TokenId;

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

    /// Writes what was counted. If the database does not take it, it stays counted.
    fn write(&self, database: &Database) {
        let counted = std::mem::take(&mut *self.uses());
        if counted.is_empty() {
            return;
        }
        let rows: Vec<_> = counted
            .iter()
            .map(|(&(token, date), &Used { count, last })| Counted { token, date, count, last })
            .collect();
        if let Err(fault) = database.blocking(move |connection| Ok(store::count_usage(connection, &rows)?)) {
            log::warn!("the use of {} tokens is not written yet: {fault}", counted.len());
            counted.into_iter().for_each(|(day, used)| self.add(day, used));
        }
    }

    /// A thread that panicked while counting leaves counts that are still true.
    fn uses(&self) -> MutexGuard<'_, HashMap<(TokenId, NaiveDate), Used>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The thread that writes usage.
#[derive(Debug)]
pub struct UsageWriter {
    stop: Sender<()>,
    thread: JoinHandle<()>,
}

impl UsageWriter {
    /// Begins to write.
    ///
    /// # Errors
    /// When the operating system gives no thread.
    pub fn start(usage: Usage, database: Database) -> std::io::Result<Self> {
        let (stop, stopped) = channel();
        let thread = std::thread::Builder::new().name("usage".to_owned()).spawn(move || {
            while stopped.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
                usage.write(&database);
            }
            usage.write(&database);
        })?;
        Ok(Self { stop, thread })
    }

    /// Writes what is left and ends.
    pub fn stop(self) {
        drop(self.stop);
        if self.thread.join().is_err() {
            log::error!("the last use of tokens was not written: its thread had panicked");
        }
    }
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
