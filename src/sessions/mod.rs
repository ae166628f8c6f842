//! Sessions: browsers in which a person has signed in to the console, and links with which a password is set.
//!
//! Of a cookie and of a link only the SHA-256 is kept. Who may sign in is the business of `users`; how a session becomes a
//! caller, of `access`; cookies and pages, of `console`.

mod forms;
mod links;
mod model;
mod store;

pub(crate) use forms::{Spent, form_has_made, spend_form};
pub use links::NotMade;
pub(crate) use links::{find_link, make_link, spend_link};
pub use model::{Lifetime, NewSession, SESSIONS_MAX, Session};
pub(crate) use store::{confirm, confirmed_within, end, end_others, known_network, of_user, remove_old, start, touch};
