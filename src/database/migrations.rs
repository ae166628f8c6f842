//! The migrations, embedded in the binary and run at start (docs/design.md §6).

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::StartError;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!();

/// Any number, as long as nothing else on the same database locks it.
const ADVISORY_LOCK: i64 = 0x1a7c_4b3e;

/// Brings the database's tables up to this release, and answers how many migrations that took.
///
/// Replicas may start together: an advisory lock lets one at a time through, and the others find nothing to do.
///
/// # Errors
/// When the database cannot be reached or refuses a migration; each migration is a transaction of its own.
pub fn migrate(url: &str) -> Result<usize, StartError> {
    let mut connection = super::connect(url).map_err(|fault| StartError::unreachable(url, &fault))?;
    // The lock is the session's: the connection's end gives it back, whatever happens before.
    diesel::sql_query("SELECT pg_advisory_lock($1)")
        .bind::<BigInt, _>(ADVISORY_LOCK)
        .execute(&mut connection)
        .map_err(|fault| StartError::Migration(fault.to_string()))?;
    connection
        .run_pending_migrations(MIGRATIONS)
        .map(|run| run.len())
        .map_err(|fault| StartError::Migration(fault.to_string()))
}
