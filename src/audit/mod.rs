//! The audit trail: what happened, by whom, in which organization (docs/design.md §3, rule 9).
//!
//! An event is written in the transaction of the change that it tells of, so that one is never there without
//! the other. The table is append-only, and old events go by the month (`months.rs`).

mod model;
mod months;
mod store;

pub use model::{Actor, Event, Recorded};
pub(crate) use model::{Asked, Looking, Trail};
pub use months::keep_audit_trail;
pub use store::{everything, record};
pub(crate) use store::{list, told_lately};
