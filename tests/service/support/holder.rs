//! Locks that a test holds, while requests wait for them.

use std::time::{Duration, Instant};

use diesel::{Connection, PgConnection, RunQueryDsl, sql_query};

use super::App;

/// A connection of the test's own, in a transaction that holds locks. Dropping it takes the transaction back.
pub struct Holder<'a> {
    app: &'a App,
    connection: PgConnection,
}

impl<'a> Holder<'a> {
    pub fn of(app: &'a App, lock: &str) -> Self {
        let mut connection = PgConnection::establish(&app.database_url).unwrap();
        sql_query("BEGIN").execute(&mut connection).unwrap();
        let mut holder = Self { app, connection };
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
    pub fn until_waiting(&self, count: i64) {
        let deadline = Instant::now() + Duration::from_secs(5);
        let waiting = "pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        while self.app.count(waiting) != count {
            assert!(Instant::now() < deadline, "{count} requests should be waiting for a lock");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}
