//! Forms that make a token: each is spent once, however often it is sent.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use crate::database::schema::spent_forms;
use crate::ids::{SessionId, TokenId};

/// What became of a form.
pub(crate) enum Spent {
    /// It is spent now: what it makes is made in the same transaction.
    Now,
    /// It was spent before, and made this token.
    Before { token: Option<TokenId>, at: DateTime<Utc> },
}

/// Spends a form of a session by its number. Who sends it at the same moment waits here for the end of the transaction.
///
/// # Errors
/// The database's own.
pub(crate) fn spend_form(connection: &mut PgConnection, session: SessionId, number: &str) -> QueryResult<Spent> {
    let spent = diesel::insert_into(spent_forms::table)
        .values((spent_forms::session_id.eq(session), spent_forms::number.eq(number)))
        .on_conflict_do_nothing()
        .execute(connection)?;
    if spent > 0 {
        return Ok(Spent::Now);
    }
    let before = spent_forms::table.find((session, number)).select((spent_forms::token_id, spent_forms::spent_at));
    let (token, at) = before.first(connection)?;
    Ok(Spent::Before { token, at })
}

/// Says which token a form has made that is being spent.
///
/// # Errors
/// The database's own.
pub(crate) fn form_has_made(
    connection: &mut PgConnection,
    session: SessionId,
    number: &str,
    token: TokenId,
) -> QueryResult<()> {
    diesel::update(spent_forms::table.find((session, number)))
        .set(spent_forms::token_id.eq(token))
        .execute(connection)?;
    Ok(())
}
