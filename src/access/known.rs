//! Secrets from addresses that have brought too many bad ones (docs/limits.md).
//!
//! Among them may be good ones, of others behind the same address, so none is refused unseen. Instead all that wait are
//! looked up at once, with one statement at a time: a flood of them takes one connection, however large it is.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use actix_web::rt;
use diesel::prelude::*;
use tokio::sync::oneshot;

use crate::credential::Digest;
use crate::database::Database;
use crate::database::schema::tokens;
use crate::jsonapi::{Error, Result};

/// How many are looked up with one statement.
const BATCH: usize = 1000;

/// Tells known secrets from others.
#[derive(Clone)]
pub(super) struct Known {
    database: Database,
    queue: Arc<Mutex<Queue>>,
}

#[derive(Default)]
struct Queue {
    waiting: Vec<(Digest, oneshot::Sender<Result<bool>>)>,
    /// Whether somebody looks up what waits.
    worked: bool,
}

/// Whoever looks up what waits.
struct Working {
    known: Known,
    ended: bool,
}

impl Known {
    pub(super) fn new(database: Database) -> Self {
        Self { database, queue: Arc::default() }
    }

    /// Whether there is a token with this secret, good or not.
    ///
    /// # Errors
    /// 503 when the database is away.
    pub(super) async fn is_known(&self, digest: &Digest) -> Result<bool> {
        let (sender, answer) = oneshot::channel();
        let begins = {
            let mut queue = self.queue();
            queue.waiting.push((digest.clone(), sender));
            !std::mem::replace(&mut queue.worked, true)
        };
        if begins {
            // Not in this request: its client may go away.
            rt::spawn(Working { known: self.clone(), ended: false }.work());
        }
        answer.await.unwrap_or_else(|_| Err(Error::unavailable("The service is stopping; try again soon")))
    }

    /// What waits, or none, and then nobody works.
    fn next(&self) -> Option<Vec<(Digest, oneshot::Sender<Result<bool>>)>> {
        let mut queue = self.queue();
        queue.waiting.retain(|(_, sender)| !sender.is_closed());
        let most = queue.waiting.len().min(BATCH);
        queue.worked = most > 0;
        queue.worked.then(|| queue.waiting.drain(..most).collect())
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Working {
    async fn work(mut self) {
        while let Some(batch) = self.known.next() {
            let (digests, senders): (Vec<Digest>, Vec<_>) = batch.into_iter().unzip();
            let found =
                self.known.database.run(move |connection| known(connection, &digests), |_, found| Ok(found)).await;
            for (nth, sender) in senders.into_iter().enumerate() {
                let answer = found.as_ref().map(|found| found.get(nth).copied().unwrap_or(false)).map_err(Clone::clone);
                // Who has gone in the meantime is not told.
                let _ = sender.send(answer);
            }
        }
        self.ended = true;
    }
}

impl Drop for Working {
    /// Where its thread stops in the middle, nobody waits for it any longer.
    fn drop(&mut self) {
        if !self.ended {
            *self.known.queue() = Queue::default();
        }
    }
}

/// Of each secret, whether there is a token with it.
fn known(connection: &mut PgConnection, digests: &[Digest]) -> Result<Vec<bool>> {
    let all: Vec<&[u8]> = digests.iter().map(|digest| digest.as_bytes().as_slice()).collect();
    let found: Vec<Vec<u8>> =
        tokens::table.filter(tokens::token_hash.eq_any(all)).select(tokens::token_hash).load(connection)?;
    Ok(digests.iter().map(|digest| found.iter().any(|found| found == digest.as_bytes())).collect())
}
