//! The ends by which lists of tokens are sorted: copies of `ends-at`, which an index can hold. After an organization's TTL
//! policies have changed they are rewritten here, and the lists say so meanwhile. What a token is and shows never goes by
//! them.
//!
//! Every replica looks once a second. A batch is one transaction, and the organization that has waited longest has its turn.

use std::time::Duration;

use diesel::dsl::{IntervalDsl, exists, now};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Timestamptz, Uuid as SqlUuid};
use uuid::Uuid;

use crate::database::Database;
use crate::database::schema::{end_rewrites, statement_timestamp};
use crate::ids::OrganizationId;
use crate::worker::Worker;

const EVERY: Duration = Duration::from_secs(1);

/// The most tokens in one transaction.
const BATCH: i64 = 500;

/// How long a request that had begun before a policy changed may still make a token, in seconds: longer than any lives.
const LATE_SECONDS: i32 = 60;

/// Begins to rewrite. A stop waits for the batch that is under way.
///
/// # Errors
/// When the operating system gives no thread.
pub fn rewrite_ends(database: Database) -> std::io::Result<Worker> {
    Worker::start("ends", move |stopping| {
        loop {
            while stopping.goes_on() && rewrite_some(&database) {}
            if !stopping.wait(EVERY) {
                return;
            }
        }
    })
}

/// Whether some tokens of an organization are still sorted by ends that they had before.
pub(super) fn are_old(connection: &mut PgConnection, organization: OrganizationId) -> QueryResult<bool> {
    let rewritten = end_rewrites::table.find(organization.uuid()).filter(end_rewrites::looked.eq(false));
    diesel::select(exists(rewritten)).get_result(connection)
}

/// Rewrites a batch, and answers whether there may be more. What cannot be done now is there the next time.
fn rewrite_some(database: &Database) -> bool {
    let done = database.blocking(|connection| Ok(connection.transaction(rewrite_batch)?));
    done.unwrap_or_else(|fault| {
        log::warn!("the order of tokens is not brought up to the policies yet: {fault}");
        false
    })
}

fn rewrite_batch(connection: &mut PgConnection) -> QueryResult<bool> {
    let due = end_rewrites::table
        .filter(end_rewrites::due_at.le(now))
        .order(end_rewrites::due_at)
        .select((end_rewrites::organization_id, end_rewrites::after_id, end_rewrites::looked))
        .for_update()
        .skip_locked();
    let Some((organization, after, looked)) = due.first::<(Uuid, Uuid, bool)>(connection).optional()? else {
        return Ok(false);
    };
    let this = end_rewrites::table.find(organization);
    match rewrite(connection, organization, after)? {
        Some(last) => {
            let turn = (end_rewrites::after_id.eq(last), end_rewrites::due_at.eq(statement_timestamp()));
            diesel::update(this).set(turn).execute(connection)?
        }
        None if looked => diesel::delete(this).execute(connection)?,
        None => {
            let later = now.into_sql::<Timestamptz>() + LATE_SECONDS.seconds();
            let again = (end_rewrites::looked.eq(true), end_rewrites::after_id.eq(Uuid::nil()));
            diesel::update(this).set((again, end_rewrites::due_at.eq(later))).execute(connection)?
        }
    };
    Ok(true)
}

/// Rewrites the tokens after this one, and answers which was the last; none if there are no more.
fn rewrite(connection: &mut PgConnection, organization: Uuid, after: Uuid) -> QueryResult<Option<Uuid>> {
    #[derive(QueryableByName)]
    struct Last {
        #[diesel(sql_type = Nullable<SqlUuid>)]
        id: Option<Uuid>,
    }
    let last: Last = diesel::sql_query(
        "WITH batch AS MATERIALIZED (SELECT id, current_end(tokens) AS ends FROM tokens \
           WHERE organization_id = $1 AND id > $2 ORDER BY id LIMIT $3 FOR NO KEY UPDATE), \
         rewritten AS (UPDATE tokens SET sorted_end = batch.ends FROM batch \
           WHERE tokens.id = batch.id AND sorted_end IS DISTINCT FROM batch.ends) \
         SELECT (SELECT id FROM batch ORDER BY id DESC LIMIT 1) AS id",
    )
    .bind::<SqlUuid, _>(organization)
    .bind::<SqlUuid, _>(after)
    .bind::<BigInt, _>(BATCH)
    .get_result(connection)?;
    Ok(last.id)
}
