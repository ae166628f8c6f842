//! Users: persons and service accounts (docs/design.md §1).
//!
//! Their tokens are in `tokens`, what they are in an organization in `memberships`.

mod account;
mod http;
mod membership;
mod model;
mod password;
mod schema;
mod sign_in;
mod store;
mod view;

pub(crate) use account::{NewPassword, change_password, first_password};
pub(crate) use http::section;
pub(crate) use membership::{MEMBERSHIPS, add_members, membership, membership_identifier, shows_address};
pub use membership::{Membership, MembershipStatus};
pub use model::{AccountAttributes, NewUser, PasswordAttributes, Rank, User};
pub(crate) use model::{confirm_email, end};
pub use sign_in::NoLink;
pub(crate) use sign_in::{Candidate, confirm, make_link, of_link, set_password_by_link, sign_in, sign_out};
pub use store::{NotConfirmed, NotCreated};
pub(crate) use store::{
    any, by_email, by_usernames, create, create_invited, create_service_account, find, find_all, hold, lock, lock_all,
    password_hash,
};
pub(crate) use view::{USERS, administered, identifier, public, service_account};
