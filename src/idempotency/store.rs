//! The queries of kept answers.

use diesel::dsl::{IntervalDsl, now};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Timestamptz};

use crate::database::schema::kept_answers;
use crate::database::try_lock;
use crate::ids::TokenId;

/// For so long an answer is given again.
const MINUTES: i32 = 10;

#[derive(Queryable)]
pub(super) struct Kept {
    pub(super) token_id: TokenId,
    pub(super) content: Vec<u8>,
    pub(super) sealed_answer: Vec<u8>,
}

/// The answer that is kept under a name, if there is one that is not too old.
pub(super) fn find(connection: &mut PgConnection, name: &[u8; 32]) -> QueryResult<Option<Kept>> {
    kept_answers::table
        .filter(kept_answers::name.eq(name.as_slice()))
        .filter(kept_answers::created_at.gt(now.into_sql::<Timestamptz>() - MINUTES.minutes()))
        // A clock that has stepped back may bring an older one to life again.
        .order(kept_answers::created_at.desc())
        .select((kept_answers::token_id, kept_answers::content, kept_answers::sealed_answer))
        .first(connection)
        .optional()
}

/// Takes the lock on a name until the transaction's end, or answers that somebody has it. It ends with the connection, and
/// so with a service that is killed.
pub(super) fn claim(connection: &mut PgConnection, name: &[u8; 32]) -> QueryResult<bool> {
    let [a, b, c, d, e, f, g, h, ..] = *name;
    let lock = i64::from_be_bytes([a, b, c, d, e, f, g, h]);
    try_lock(connection, lock)
}

/// Writes an answer. The name must be claimed.
pub(super) fn insert(
    connection: &mut PgConnection,
    name: &[u8; 32],
    token: TokenId,
    content: &[u8; 32],
    sealed: &[u8],
) -> QueryResult<()> {
    diesel::insert_into(kept_answers::table)
        .values((
            kept_answers::name.eq(name.as_slice()),
            kept_answers::token_id.eq(token),
            kept_answers::content.eq(content.as_slice()),
            kept_answers::sealed_answer.eq(sealed),
        ))
        .execute(connection)?;
    Ok(())
}

/// Removes answers that are given no more, at most so many, and answers how many.
///
/// # Errors
/// The database's own.
pub(crate) fn remove_old(connection: &mut PgConnection, most: usize) -> QueryResult<usize> {
    diesel::sql_query(
        "DELETE FROM kept_answers AS answers USING (SELECT name, token_id FROM kept_answers \
         WHERE created_at <= now() - make_interval(mins => $1) ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED) AS old \
         WHERE answers.name = old.name AND answers.token_id = old.token_id",
    )
    .bind::<Integer, _>(MINUTES)
    .bind::<BigInt, _>(i64::try_from(most).unwrap_or(i64::MAX))
    .execute(connection)
}
