//! The migrations, embedded in the binary and run at start (docs/design.md §6).

use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::StartError;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!();

/// Any number, as long as nothing else on the same database locks it.
const ADVISORY_LOCK: i64 = 0x1a7c_4b3e;

/// How long a replica waits before it asks for the lock again.
const BETWEEN_TRIES: Duration = Duration::from_millis(100);

/// A migration that waits for a lock holds up all who come after it, the release before among them. So it waits no
/// longer than this, and tries again, so often.
const LOCK_TIMEOUT: &str = "SET lock_timeout = '2s'";
const TRIES: u32 = 60;
const BETWEEN_ATTEMPTS: Duration = Duration::from_secs(1);

/// Brings the database's tables up to this release, and answers how many migrations that took.
///
/// Replicas may start together: an advisory lock lets one at a time through, and the others find nothing to do.
///
/// # Errors
/// When the database cannot be reached or refuses a migration; each migration is a transaction of its own.
pub fn migrate(url: &str) -> Result<usize, StartError> {
    let mut connection = super::connect(url).map_err(|fault| StartError::unreachable(url, &fault))?;
    // The lock is the session's: the connection's end gives it back, whatever happens before. Whoever waits asks again and
    // again: a statement that waited would hold a snapshot, and `CREATE INDEX CONCURRENTLY` waits for all of these.
    while !try_lock(&mut connection).map_err(|fault| StartError::Migration(fault.to_string()))? {
        std::thread::sleep(BETWEEN_TRIES);
    }
    run(&mut connection).map_err(|fault| StartError::Migration(fault.to_string()))
}

fn run(connection: &mut PgConnection) -> diesel::migration::Result<usize> {
    connection.batch_execute(LOCK_TIMEOUT)?;
    let pending = connection.pending_migrations(MIGRATIONS)?.len();
    let mut tries = 1;
    loop {
        match connection.run_pending_migrations(MIGRATIONS) {
            Ok(_) => return Ok(pending),
            Err(fault) if tries < TRIES && fault.to_string().contains("lock timeout") => {
                log::warn!("a migration waits for a lock; trying again");
                std::thread::sleep(BETWEEN_ATTEMPTS);
                tries += 1;
            }
            Err(fault) => return Err(fault),
        }
    }
}

fn try_lock(connection: &mut PgConnection) -> QueryResult<bool> {
    let lock = diesel::dsl::sql::<Bool>("pg_try_advisory_lock(").bind::<BigInt, _>(ADVISORY_LOCK).sql(")");
    diesel::select(lock).get_result(connection)
}
