//! Administration: what site admins, and whoever runs the command line, do with users of the whole installation: list them,
//! suspend, delete, make site admins. What users do with their own account is in `users`.
//!
//! All changes take one lock and then the user's row (`change.rs`), so that of any number at once none leaves an organization
//! without an active owner, or the installation without a site admin.

mod change;
mod http;
mod store;
mod view;

pub use change::{confirm_email, delete, grant_admin, lock_by_name, revoke_admin, suspend, unsuspend};
pub(crate) use http::section;
pub use view::lines;
