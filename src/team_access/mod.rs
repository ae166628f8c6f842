//! Team access: what a team may do in a workspace (`team-workspaces`, docs/design.md §1).
//!
//! Here are the levels and the permissions that each of them holds. What role a level makes of a caller, and what
//! a role may do, is in `access`.

pub mod http;
mod model;
mod store;
mod view;

pub use model::{
    Grant, Level, Runs, SentinelMocks, StateVersions, TeamAccess, TeamAccessAttributes, Variables, WorkspacePermissions,
};
pub(crate) use store::grants;
pub(crate) use view::TEAM_WORKSPACES;
