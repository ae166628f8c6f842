//! Tokens whose owner was deleted: a user, a team, a workspace, or the organization that they were in. They open nothing
//! from that moment on; here each gets its own end and its own event, which names that of the deletion (docs/design.md §3,
//! rule 9), and what else went with the owner is removed.
//!
//! Every replica looks once a second. A batch is one transaction, and each deletion takes its turn, so that a small one does
//! not wait for a big one. Replicas leave to each other what they have begun.

use std::time::Duration;

use diesel::{Connection, PgConnection};
use serde_json::json;
use uuid::Uuid;

use super::model::event;
use super::store;
use crate::audit::{self, Actor};
use crate::database::Database;
use crate::deletions::{self, Deletion};
use crate::jsonapi::Result;
use crate::worker::{Stopping, Worker, attempt};

const EVERY: Duration = Duration::from_secs(1);

/// The most deletions that are worked at in turn.
const AT_ONCE: i64 = 100;

/// The most tokens, and the most rows of each other table, in one transaction.
const BATCH: i64 = 500;

/// Begins to finish deletions. A stop waits for the batch that is under way.
///
/// # Errors
/// When the operating system gives no thread.
pub fn finish_deletions(database: Database) -> std::io::Result<Worker> {
    Worker::repeat("deletions", EVERY, move |stopping| go_round(&database, stopping))
}

/// Does a batch of each deletion that is due, and answers whether there may be more. What cannot be done now is there the
/// next time.
fn go_round(database: &Database, stopping: &Stopping) -> bool {
    let due = || database.blocking(|connection| Ok(deletions::due(connection, AT_ONCE)?));
    let mut more = false;
    for owner in attempt("deletions are not looked for", due).unwrap_or_default() {
        if !stopping.goes_on() {
            return false;
        }
        let some = || database.blocking(|connection| connection.transaction(|connection| do_some(connection, owner)));
        more |= attempt("a deletion is not finished yet", some).unwrap_or(false);
    }
    more
}

/// Does a batch of a deletion, and answers whether there may be more.
fn do_some(connection: &mut PgConnection, owner: Uuid) -> Result<bool> {
    let Some(deletion) = deletions::take(connection, owner)? else { return Ok(false) };
    let more_tokens = end_tokens(connection, &deletion)?;
    let more_parts = deletion.remove_parts(connection, BATCH)?;
    let more = more_tokens || more_parts;
    if more {
        deletion.goes_on(connection)?
    } else {
        deletion.nothing_left(connection)?
    }
    Ok(more)
}

fn end_tokens(connection: &mut PgConnection, deletion: &Deletion) -> Result<bool> {
    let ended = store::end_with_owner(connection, deletion, BATCH)?;
    let ended_with = json!({"type": deletion.kind, "id": deletion.owner(), "event": deletion.event});
    let told = ended.told.iter().map(|token| event(token, "destroy").and_meta("ended-with", ended_with.clone()));
    audit::record(connection, &Actor::system(), &told.collect::<Vec<_>>())?;
    Ok(ended.full)
}
