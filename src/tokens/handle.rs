//! Finding tokens and locking them for what is to be done with them. The API and the console both go this way.

use diesel::PgConnection;

use super::filters::Filters;
use super::right::TokenOperation;
use super::store::{self, TokenList};
use super::{Token, life, lists};
use crate::access::Caller;
use crate::ids::TokenId;
use crate::jsonapi::{Error, Page, Query, Result};

/// A page of those tokens of a list that the caller may read.
///
/// # Errors
/// 400 for filters and cursors that are none.
pub(crate) fn list(
    connection: &mut PgConnection,
    caller: &Caller,
    of: TokenList,
    query: &Query,
) -> Result<Page<Token>> {
    let filters = Filters::of(query)?.looked_up(connection, caller)?;
    lists::list(connection, of, &caller.visible_tokens(), query, &filters)
}

/// A token, whether or not it is revoked, locked until the transaction's end for an operation. The caller must be
/// authenticated again after it, and allowed the operation.
///
/// # Errors
/// 404 if there is none, or it is another person's.
pub(crate) fn lock(
    connection: &mut PgConnection,
    caller: &Caller,
    operation: TokenOperation,
    id: TokenId,
) -> Result<Token> {
    if matches!(operation, TokenOperation::Edit | TokenOperation::Replace) {
        life::lock_owner(connection, id)?;
    }
    store::lock(connection, caller, id)?;
    Ok(store::find_including_revoked(connection, id)?)
}

/// Several tokens for their revocation, locked in one order, so that requests that lock several take turns.
///
/// # Errors
/// 404 if one of them is not there, or is another person's.
pub(crate) fn lock_several(connection: &mut PgConnection, caller: &Caller, ids: &[TokenId]) -> Result<Vec<Token>> {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    ids.iter().try_for_each(|id| store::lock(connection, caller, *id))?;
    let tokens = store::find_all_including_revoked(connection, &ids)?;
    if tokens.len() == ids.len() { Ok(tokens) } else { Err(Error::not_found()) }
}
