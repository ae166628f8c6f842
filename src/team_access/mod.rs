//! Team access: what a team may do in a workspace (`team-workspaces`, docs/design.md §1).
//!
//! Here are the levels and the permissions that each of them holds. What role a level makes of a caller, and what
//! a role may do, is in `access`.

mod http;
mod model;
mod schema;
mod store;
mod view;
mod write;

pub(crate) use http::endpoints;
pub use model::{
    Grant, Level, Runs, SentinelMocks, StateVersions, TeamAccess, TeamAccessAttributes, Variables, WorkspacePermissions,
};
pub(crate) use schema::access as access_schema;
pub(crate) use store::grants;
pub(crate) use view::TEAM_WORKSPACES;
