//! The console, as a browser without scripts meets it.

mod every_page;
mod links;
mod sessions;
mod sign_in;
mod tokens;
