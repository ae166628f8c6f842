//! Users: persons and service accounts (docs/design.md §1).
//!
//! Their tokens are in `tokens`, what they are in an organization in `memberships`.

mod account;
mod http;
mod membership;
mod model;
mod password;
mod schema;
mod store;
mod view;

pub(crate) use http::section;
pub(crate) use membership::{MEMBERSHIPS, add_members, membership, membership_identifier, shows_address};
pub use membership::{Membership, MembershipStatus};
pub use model::{AccountAttributes, NewUser, PasswordAttributes, Rank, User};
pub(crate) use model::{confirm_email, end};
pub use store::{NotConfirmed, NotCreated};
pub(crate) use store::{
    any, by_email, by_usernames, create, create_invited, create_service_account, find_all, hold, lock, lock_all,
};
pub(crate) use view::{USERS, administered, identifier, public, service_account};
