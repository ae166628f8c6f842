//! What tests stand on: the throw-away PostgreSQL, the service under test, a client, and the search for secrets.

pub mod app;
pub mod client;
pub mod cluster;
pub mod leaks;
pub mod process;

pub use app::App;

/// Makes everything ready, before the first test.
pub fn start() {
    leaks::capture_log();
    cluster::get();
}

/// Searches for secrets and cleans up, after the last test. Answers whether none was found.
pub fn end() -> bool {
    let found = leaks::search();
    cluster::remove();
    for leak in &found {
        eprintln!("SECRET LEAKED: {leak}");
    }
    if found.is_empty() {
        println!("secrets: {} were made, none is in a log or in a database", leaks::known());
    }
    found.is_empty()
}
