//! The queries of signing keys.

use chrono::{DateTime, Utc};
use diesel::dsl::{now, sql};
use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use crate::database::schema::signing_keys;

#[derive(Queryable)]
pub(super) struct InUse {
    pub(super) kid: String,
    pub(super) public_key: Vec<u8>,
    pub(super) sealed_private_key: Vec<u8>,
}

/// A key without its private part.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct ListedKey {
    pub kid: String,
    pub created_at: DateTime<Utc>,
    /// When another one took its place.
    pub retired_at: Option<DateTime<Utc>>,
    /// Whether verifiers get it.
    pub published: bool,
}

/// The key in use, if there is one.
pub(super) fn in_use(connection: &mut PgConnection) -> QueryResult<Option<InUse>> {
    signing_keys::table
        .filter(signing_keys::retired_at.is_null())
        .select((signing_keys::kid, signing_keys::public_key, signing_keys::sealed_private_key.assume_not_null()))
        .first(connection)
        .optional()
}

/// Keeps others from making or retiring keys until the transaction's end. Who signs or reads them does not wait.
pub(super) fn lock(connection: &mut PgConnection) -> QueryResult<()> {
    diesel::sql_query("LOCK TABLE signing_keys IN SHARE ROW EXCLUSIVE MODE").execute(connection)?;
    Ok(())
}

/// Writes a key, which is in use from then on.
pub(super) fn insert(connection: &mut PgConnection, kid: &str, public: &[u8], sealed: &[u8]) -> QueryResult<()> {
    diesel::insert_into(signing_keys::table)
        .values((
            signing_keys::kid.eq(kid),
            signing_keys::public_key.eq(public),
            signing_keys::sealed_private_key.eq(sealed),
        ))
        .execute(connection)?;
    Ok(())
}

/// Retires the key in use, and forgets its private part.
pub(super) fn retire(connection: &mut PgConnection) -> QueryResult<()> {
    diesel::update(signing_keys::table.filter(signing_keys::retired_at.is_null()))
        .set((signing_keys::retired_at.eq(now), signing_keys::sealed_private_key.eq(None::<Vec<u8>>)))
        .execute(connection)?;
    Ok(())
}

/// The public keys that verifiers need, with their names, the newest first.
pub(crate) fn published(connection: &mut PgConnection) -> QueryResult<Vec<(String, Vec<u8>)>> {
    signing_keys::table
        .filter(is_published())
        .order((signing_keys::created_at.desc(), signing_keys::kid))
        .select((signing_keys::kid, signing_keys::public_key))
        .load(connection)
}

/// Every key that there ever was, the newest first.
///
/// # Errors
/// The database's own.
pub fn list(connection: &mut PgConnection) -> QueryResult<Vec<ListedKey>> {
    signing_keys::table
        .order((signing_keys::created_at.desc(), signing_keys::kid))
        .select((signing_keys::kid, signing_keys::created_at, signing_keys::retired_at, is_published()))
        .load(connection)
}

/// In use, or just retired: a token may have been under way at the rotation. Or with a token that works: the last one to
/// end is the last one in the index `tokens_signed`, however many there are. (`EXISTS` may be planned as a walk over all.)
fn is_published() -> SqlLiteral<Bool> {
    sql("(signing_keys.retired_at IS NULL OR signing_keys.retired_at > now() - interval '1 hour' \
         OR coalesce((SELECT coalesce(least(tokens.revoked_at, tokens.expired_at), 'infinity') AS ends_at FROM tokens \
           WHERE tokens.signing_key = signing_keys.kid ORDER BY ends_at DESC LIMIT 1) > now(), false))")
}
