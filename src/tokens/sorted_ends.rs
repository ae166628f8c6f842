//! The ends by which lists of tokens are sorted: copies of `ends-at`, which an index can hold. After an organization's TTL
//! policies have changed they are rewritten here, and the lists say so meanwhile. What a token is and shows never goes by
//! them.
//!
//! Every replica looks once a second. A batch is one transaction, and the organization that has waited longest has its turn.

use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::dsl::{IntervalDsl, exists, now};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Timestamptz, Uuid as SqlUuid};
use uuid::Uuid;

use crate::database::schema::{end_rewrites, statement_timestamp};
use crate::database::{Database, lock_timed_out};
use crate::ids::OrganizationId;
use crate::worker::{Worker, attempt};

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
    Worker::repeat("ends", EVERY, move |_| {
        let some = || database.blocking(|connection| Ok(connection.transaction(rewrite_batch)?));
        attempt("the order of tokens is not brought up to the policies yet", some).unwrap_or(false)
    })
}

/// Whether some tokens may still be sorted by ends that they had before: of one organization, or of any. So it is until they
/// were looked at twice, which is longer than a page takes: who asks after reading one misses nothing.
pub(super) fn may_be_old(connection: &mut PgConnection, organization: Option<OrganizationId>) -> QueryResult<bool> {
    let rewritten = end_rewrites::table.into_boxed();
    let rewritten = match organization {
        Some(organization) => rewritten.filter(end_rewrites::organization_id.eq(organization.uuid())),
        None => rewritten,
    };
    diesel::select(exists(rewritten)).get_result(connection)
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
    let last = match connection.transaction(|connection| rewrite(connection, organization, after)) {
        Ok(last) => last,
        // Whatever is wrong with one organization's, such as that somebody holds a token: the others have their turn first.
        Err(fault) => {
            if !lock_timed_out(&fault) {
                log::error!(
                    "the ends of tokens of the organization {organization} are not brought up to its policies: {fault}"
                );
            }
            let later = now.into_sql::<Timestamptz>() + 1.seconds();
            diesel::update(this).set(end_rewrites::due_at.eq(later)).execute(connection)?;
            return Ok(true);
        }
    };
    match last {
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
    // Who waits for a token here holds those before it.
    connection.batch_execute("SET LOCAL lock_timeout = '500ms'")?;
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
