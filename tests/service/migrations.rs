//! Every migration can be taken back, and applied again.

use std::path::Path;
use std::process::Command;

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use latchkey::database::migrations::migrate;

use crate::support::cluster::Database;

/// What the tables, views and indexes are, without what differs from run to run.
fn schema(url: &str) -> String {
    let dump =
        Command::new("pg_dump").args(["--schema-only", "--no-owner", url]).output().expect("pg_dump is installed");
    assert!(dump.status.success(), "{}", String::from_utf8_lossy(&dump.stderr));
    let text = String::from_utf8(dump.stdout).unwrap();
    text.lines().filter(|line| !line.starts_with('\\')).map(|line| format!("{line}\n")).collect()
}

#[test]
fn every_migration_can_be_taken_back_and_applied_again() {
    let url = Database::new();
    let before = schema(&url);
    let mut connection = PgConnection::establish(&url).unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let mut migrations: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    migrations.sort();
    for migration in migrations.iter().rev() {
        let down = std::fs::read_to_string(migration.join("down.sql")).unwrap();
        connection.batch_execute(&down).unwrap_or_else(|fault| panic!("{}: {fault}", migration.display()));
    }
    let empty = schema(&url);
    for left in ["CREATE VIEW", "CREATE FUNCTION", "CREATE TRIGGER"] {
        assert!(!empty.contains(left), "{left} is left:\n{empty}");
    }
    let tables: Vec<&str> = empty.lines().filter(|line| line.starts_with("CREATE TABLE")).collect();
    assert_eq!(tables, ["CREATE TABLE public.__diesel_schema_migrations ("]);
    connection.batch_execute("DELETE FROM __diesel_schema_migrations").unwrap();
    migrate(&url).unwrap();
    assert_eq!(schema(&url), before);
}
