//! Safe retries: a request with an `Idempotency-Key` is done once, and whoever sends it again gets the same answer for
//! ten minutes, with the secret that is in it (docs/design.md §5).
//!
//! The answer is kept in a row, which is written in the transaction that made the token. It is encrypted with the
//! encryption key and the client's own key together, of which only a hash is kept. What is done once is not known here.

mod attempt;
mod key;
mod store;

pub(crate) use attempt::{Answered, Attempt, Request};
pub(crate) use key::{HEADER, KEY_MAX, Key};
pub(crate) use store::remove_old;
