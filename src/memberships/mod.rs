//! Memberships: users in organizations (docs/design.md §1).
//!
//! A team can hold only users who are members of its organization; the database sees to that, and a membership's
//! end takes its user out of every team.

mod end;
mod http;
mod invite;
mod model;
mod schema;
mod store;
mod view;

pub(crate) use http::section;
use model::event;
pub use model::{InvitationAttributes, Membership, Status};
pub(crate) use store::add;
pub(crate) use view::{MEMBERSHIPS, identifier, membership};
