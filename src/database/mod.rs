//! The database: the one door through which every request reaches PostgreSQL, its tables and migrations.
//!
//! diesel blocks, so nothing calls it on an async worker: [`Database::run`] borrows a pooled connection on a
//! blocking thread. Queries do not belong here; each room keeps its own in its `store`.

mod error;
pub(crate) mod jsonb;
pub mod migrations;
pub mod page;
mod pool;
pub mod private;
pub mod schema;
pub(crate) mod text_enum;

pub(crate) use error::lock_timed_out;
pub use error::violated_key;
pub(crate) use pool::try_lock;
pub use pool::{Database, StartError, connect, containing, ping};
