//! The end of what is kept for a while: tokens that were revoked long ago, and days of use that are too old
//! (docs/design.md §3, rules 6 and 7). And a grace that is over becomes a fact, which no clock takes back. Tokens that are
//! merely expired or switched off stay: nobody has ended them for good.
//!
//! Every replica looks at its start and then about once a minute. A batch is one transaction; the replica that does it
//! has a lock, and the others leave it to that one.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use diesel::{Connection, PgConnection};
use serde_json::json;

use super::store;
use crate::audit::{self, Actor, Event};
use crate::database::Database;
use crate::deletions;
use crate::jsonapi::{Result, time};
use crate::worker::Worker;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How often is looked, unless tokens are kept for less than that.
const EVERY: Duration = Duration::from_secs(60);

/// The most tokens, and the most days of use, that are removed in one transaction.
const BATCH: usize = 500;

/// How long revoked tokens are kept: from a second to a hundred years.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention(Duration);

/// A text is no retention.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a number of days, or a time such as 90d, 12h or 30m, from a second to a hundred years")]
pub struct InvalidRetention;

impl Default for Retention {
    fn default() -> Self {
        Self(90 * DAY)
    }
}

impl FromStr for Retention {
    type Err = InvalidRetention;

    fn from_str(text: &str) -> Result<Self, InvalidRetention> {
        let days = text.parse::<u32>().ok().map(|days| days * DAY);
        let time = days.or_else(|| humantime::parse_duration(text).ok()).ok_or(InvalidRetention)?;
        let fits = (Duration::from_secs(1)..=36_525 * DAY).contains(&time);
        if fits { Ok(Self(time)) } else { Err(InvalidRetention) }
    }
}

impl fmt::Display for Retention {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", humantime::format_duration(self.0))
    }
}

impl Retention {
    fn seconds(self) -> i64 {
        i64::try_from(self.0.as_secs()).unwrap_or(i64::MAX)
    }

    fn every(self) -> Duration {
        EVERY.min(self.0)
    }
}

/// Begins to remove what is over. A stop waits for the batch that is under way.
///
/// # Errors
/// When the operating system gives no thread.
pub fn remove_old_tokens(retention: Retention, database: Database) -> std::io::Result<Worker> {
    Worker::start("retention", move |stopping| {
        loop {
            while stopping.goes_on() && end_graces(&database) {}
            while stopping.goes_on() && remove_some(&database, retention) {}
            if !stopping.wait(retention.every()) {
                return;
            }
        }
    })
}

/// Makes facts of a batch of graces that are over, and answers whether there may be more. A transaction of its own, so that
/// locks on tokens are taken in one order.
fn end_graces(database: &Database) -> bool {
    let ended = database.blocking(|connection| Ok(store::end_graces(connection, BATCH)? == BATCH));
    ended.unwrap_or_else(|fault| {
        log::warn!("graces that are over are no facts yet: {fault}");
        false
    })
}

/// Removes a batch, and answers whether there may be more. What cannot be removed now is there the next time.
fn remove_some(database: &Database, retention: Retention) -> bool {
    let removed = database.blocking(move |connection| {
        connection.transaction(|connection| {
            if !store::lock_removal(connection)? {
                return Ok(false);
            }
            let full_of_tokens = remove_tokens(connection, retention)? == BATCH;
            let full_of_days = store::remove_usage(connection, BATCH)? == BATCH;
            let most = i64::try_from(BATCH).unwrap_or(i64::MAX);
            let full_of_owners = deletions::remove_unnamed(connection, retention.seconds(), most)?;
            Ok(full_of_tokens || full_of_days || full_of_owners)
        })
    });
    removed.unwrap_or_else(|fault| {
        log::warn!("old tokens are not removed yet: {fault}");
        false
    })
}

fn remove_tokens(connection: &mut PgConnection, retention: Retention) -> Result<usize> {
    let removed = store::remove_revoked(connection, retention.seconds(), BATCH)?;
    let events = removed.iter().map(|token| {
        let meta = json!({
            "kind": token.kind,
            "team": token.team_id,
            "workspace": token.workspace_id,
            "description": token.description,
            "revoked-at": token.revoked_at.map(time),
        });
        Event::new(token.organization_id, "authentication_token", token.id, "remove").meta(meta)
    });
    let events: Vec<Event> = events.collect();
    audit::record(connection, &Actor::system(), &events)?;
    Ok(removed.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retention_is_a_number_of_days_or_a_time() {
        let read = |text: &str| text.parse::<Retention>().map(|retention| retention.0.as_secs());
        assert_eq!(read("90"), Ok(90 * 86_400));
        assert_eq!(read("90d"), Ok(90 * 86_400));
        assert_eq!(read("1d 12h"), Ok(36 * 3600));
        assert_eq!(read("1s"), Ok(1));
        assert_eq!(read("36525"), Ok(36_525 * 86_400));
        for wrong in
            ["", "0", "0s", "999ms", "-1", "-1d", "36526", "36525d 1s", "4294967295", "90 days ago", "x", "1.5"]
        {
            assert_eq!(read(wrong), Err(InvalidRetention), "{wrong:?}");
        }
        assert_eq!(Retention::default().to_string().parse(), Ok(Retention::default()));
    }
}
