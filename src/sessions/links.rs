//! Links with which a user sets a password: the first one, or a new one where the old one is lost.

use diesel::dsl::{IntervalDsl, now};
use diesel::prelude::*;
use diesel::sql_types::Timestamptz;

use crate::credential::{BrowserSecret, BrowserUse, Digest, RandomnessUnavailable};
use crate::database::schema::sign_in_links;
use crate::ids::UserId;

/// How long a link is good, in minutes.
const LIFE: i32 = 60;

/// Why a link was not made.
#[derive(Debug, thiserror::Error)]
pub enum NotMade {
    #[error(transparent)]
    Random(#[from] RandomnessUnavailable),
    #[error(transparent)]
    Database(#[from] diesel::result::Error),
}

/// Makes a link for a user; the one before is good no more.
///
/// # Errors
/// The database's own, and where there are no random numbers.
pub(crate) fn make_link(connection: &mut PgConnection, user: UserId) -> Result<BrowserSecret, NotMade> {
    let secret = BrowserSecret::generate(BrowserUse::SignInLink)?;
    let digest = secret.digest();
    let hash = digest.as_bytes().as_slice();
    let ends_at = now.into_sql::<Timestamptz>() + LIFE.minutes();
    let made = (sign_in_links::secret_hash.eq(hash), sign_in_links::ends_at.eq(ends_at));
    diesel::insert_into(sign_in_links::table)
        .values((sign_in_links::user_id.eq(user), made))
        .on_conflict(sign_in_links::user_id)
        .do_update()
        .set(made)
        .execute(connection)?;
    Ok(secret)
}

/// Whose link it is, if it is still good. Looking does not spend it.
pub(crate) fn find_link(connection: &mut PgConnection, digest: &Digest) -> QueryResult<Option<UserId>> {
    sign_in_links::table
        .filter(sign_in_links::secret_hash.eq(digest.as_bytes().as_slice()))
        .filter(sign_in_links::ends_at.gt(now))
        .select(sign_in_links::user_id)
        .first(connection)
        .optional()
}

/// Spends a link: of all who do so at one time, one is answered whose it was.
pub(crate) fn spend_link(connection: &mut PgConnection, digest: &Digest) -> QueryResult<Option<UserId>> {
    let good = sign_in_links::table
        .filter(sign_in_links::secret_hash.eq(digest.as_bytes().as_slice()))
        .filter(sign_in_links::ends_at.gt(now));
    diesel::delete(good).returning(sign_in_links::user_id).get_result(connection).optional()
}
