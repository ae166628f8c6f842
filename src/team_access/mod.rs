//! Team access: what a team may do in a workspace (`team-workspaces`, docs/design.md §1).
//!
//! The levels, what each of them permits and what role it makes of a caller are in `access`.

mod http;
mod model;
mod schema;
mod store;
mod view;
mod write;

pub(crate) use http::endpoints;
pub use model::{TeamAccess, TeamAccessAttributes};
pub(crate) use schema::access as access_schema;
pub(crate) use view::TEAM_WORKSPACES;
