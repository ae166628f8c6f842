//! What tests stand on: the throw-away PostgreSQL, the service under test, a client, and the search for secrets.

pub mod app;
pub mod authority;
pub mod browser;
pub mod client;
pub mod cluster;
pub mod everything;
pub mod holder;
pub mod leaks;
pub mod process;
pub mod routes;

use std::io::Write as _;

pub use app::App;

/// Says something that must be seen although the test passes: the test harness catches only what `println!` prints.
pub fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
