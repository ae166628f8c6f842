//! Memberships: users in organizations (docs/design.md §1): inviting, accepting, listing, ending. The row itself, and how
//! it looks, is in `users`.
//!
//! A team can hold only users who are members of its organization; the database sees to that, and a membership's
//! end takes its user out of every team.

mod end;
mod http;
mod invite;
mod model;
mod schema;
mod service_account;
mod store;
mod view;

pub(crate) use end::{end_of_user, lock_of_user, pass_on};
pub(crate) use http::section;
use model::event;
pub use model::{InvitationAttributes, ServiceAccountAttributes};
pub(crate) use service_account::create_service_account;
