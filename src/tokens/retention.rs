//! The end of what is kept for a while: tokens that were revoked long ago, days of use that are too old
//! (docs/design.md §3, rules 6 and 7), answers that are given no more, and sessions that are over. And a grace that is over becomes a fact,
//! which no clock takes back. Tokens that are merely expired or switched off stay: nobody has ended them for good.
//!
//! Every replica looks at its start and then about once a minute. A batch is one transaction; the replica that does it
//! has a lock, and the others leave it to that one.

use std::time::Duration;

use diesel::{Connection, PgConnection};
use serde_json::json;

use super::store;
use crate::audit::{self, Actor, Event};
use crate::database::Database;
use crate::deletions;
use crate::idempotency;
use crate::jsonapi::{Result, time};
use crate::retention::Retention;
use crate::sessions;
use crate::worker::{Worker, attempt};

/// How often is looked, unless tokens are kept for less than that.
const EVERY: Duration = Duration::from_secs(60);

/// The most tokens, days of use and answers that are removed in one transaction.
const BATCH: usize = 500;

/// Begins to remove what is over. A stop waits for the batch that is under way.
///
/// # Errors
/// When the operating system gives no thread.
pub fn remove_old_tokens(retention: Retention, database: Database) -> std::io::Result<Worker> {
    Worker::repeat("retention", EVERY.min(retention.time()), move |_| {
        // What is left of owners is looked for once the tokens have gone that name them.
        end_graces(&database) || remove_some(&database, retention) || remove_owners(&database, retention)
    })
}

/// Makes facts of a batch of graces that are over, and answers whether there may be more. A transaction of its own, so that
/// locks on tokens are taken in one order.
fn end_graces(database: &Database) -> bool {
    let ended = || database.blocking(|connection| Ok(store::end_graces(connection, BATCH)? == BATCH));
    attempt("graces that are over are no facts yet", ended).unwrap_or(false)
}

/// Removes a batch, and answers whether there may be more. What cannot be removed now is there the next time.
fn remove_some(database: &Database, retention: Retention) -> bool {
    removed("old tokens are not removed yet", database, move |connection| {
        let removed = [
            remove_tokens(connection, retention)?,
            store::remove_usage(connection, BATCH)?,
            idempotency::remove_old(connection, BATCH)?,
            sessions::remove_old(connection, BATCH)?,
        ];
        Ok(removed.contains(&BATCH))
    })
}

/// Removes a batch of what was deleted and is named no more, and answers whether there may be more.
fn remove_owners(database: &Database, retention: Retention) -> bool {
    removed("what was deleted is not removed yet", database, move |connection| {
        let most = i64::try_from(BATCH).unwrap_or(i64::MAX);
        Ok(deletions::remove_unnamed(connection, retention.seconds(), most)?)
    })
}

/// Removes a batch in a transaction, unless another replica does it, and answers whether there may be more.
fn removed(failed: &str, database: &Database, remove: impl Fn(&mut PgConnection) -> Result<bool>) -> bool {
    let removed = || {
        database.blocking(|connection| {
            connection.transaction(|connection| Ok(store::lock_removal(connection)? && remove(connection)?))
        })
    };
    attempt(failed, removed).unwrap_or(false)
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
        Event::new(token.organization_id, "authentication_token", token.id, "remove").of_user(token.user_id).meta(meta)
    });
    let events: Vec<Event> = events.collect();
    audit::record(connection, &Actor::system(), &events)?;
    Ok(removed.len())
}
