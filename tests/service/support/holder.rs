//! Locks that a test holds, while requests wait for them.

use std::time::{Duration, Instant};

use diesel::{Connection, PgConnection, RunQueryDsl, sql_query};

use super::App;
use super::app::count;

/// A connection of the test's own, in a transaction that holds locks. Dropping it takes the transaction back.
pub struct Holder {
    database_url: String,
    connection: PgConnection,
}

impl Holder {
    pub fn of(app: &App, lock: &str) -> Self {
        Self::at(&app.database_url, lock)
    }

    /// In the database of a service that is a process of its own.
    pub fn at(database_url: &str, lock: &str) -> Self {
        let mut connection = PgConnection::establish(database_url).unwrap();
        sql_query("BEGIN").execute(&mut connection).unwrap();
        let mut holder = Self { database_url: database_url.to_owned(), connection };
        holder.run(lock);
        holder
    }

    pub fn run(&mut self, statement: &str) {
        sql_query(statement).execute(&mut self.connection).unwrap();
    }

    pub fn release(mut self) {
        self.run("COMMIT");
    }

    /// Returns when so many requests wait for a lock.
    pub fn until_waiting(&self, expected: i64) {
        let deadline = Instant::now() + Duration::from_secs(5);
        let waiting = "pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        while count(&self.database_url, waiting) != expected {
            assert!(Instant::now() < deadline, "{expected} requests should be waiting for a lock");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}
