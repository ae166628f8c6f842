//! Access: who is calling (bearer token → principal), and what they may do (the one table, [`table`]).
//!
//! [`Gate`] lets a request in: it finds the token's principal and the principal's standing in the organization
//! that the request is about, in one round trip, and then does the request's work on the same connection.

mod address_limit;
mod caller;
mod gate;
mod permission;
mod refusals;
mod role;
mod store;
pub mod table;
mod target;
mod visible;
mod workspaces;

pub use address_limit::{AddressLimit, WithinLimit};
pub use caller::{Caller, Principal, Standing};
pub use gate::{Gate, Visitor};
pub use permission::Permission;
pub use role::Role;
pub use table::{Action, Who};
pub use target::{Place, Subject, TeamFacts};
pub use visible::{Beyond, TokenReach};
pub use workspaces::{WorkspaceReach, WorkspaceStanding};
