//! Teams: groups of users inside one organization (docs/design.md §1).
//!
//! Here are the team, what a team may be permitted in its organization, and what a client may write of one.
//! The teams' tokens are in `tokens`.

mod http;
pub(crate) mod members;
mod model;
mod schema;
mod store;
mod view;
mod write;

pub(crate) use http::section;
pub use model::{AccessChanges, OWNERS, Permissions, Team, TeamAttributes, Visibility};
pub(crate) use model::{named_in_body, organization_of_team, render, render_seen};
pub(crate) use store::{
    ShownTeams, add_users, find, find_all, first_of, hold, holds_user, keeps_active_member, lock, lock_owners,
    owned_by_alone, shown,
};
pub(crate) use view::{TEAMS, identifier};
pub(crate) use write::make;
