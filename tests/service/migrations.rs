//! Every migration is named in order, can be taken back, and can be applied again.

use std::path::{Path, PathBuf};
use std::process::Command;

use diesel::connection::SimpleConnection;
use diesel::sql_types::{BigInt, Bool};
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use latchkey::database::migrations::migrate;
use latchkey::ttl_policies::DEFAULT_MAX_TTL_MS;

use serde_json::json;

use crate::support::App;
use crate::support::app::resource;
use crate::support::cluster::Database;

/// The folders of the migrations, in the order in which diesel runs them.
fn folders() -> Vec<PathBuf> {
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let paths = std::fs::read_dir(all).unwrap().map(|entry| entry.unwrap().path());
    let mut folders: Vec<_> = paths.filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

/// What the tables, views and indexes are, without what differs from run to run.
fn schema(url: &str) -> String {
    let dump =
        Command::new("pg_dump").args(["--schema-only", "--no-owner", url]).output().expect("pg_dump is installed");
    assert!(dump.status.success(), "{}", String::from_utf8_lossy(&dump.stderr));
    let text = String::from_utf8(dump.stdout).unwrap();
    text.lines().filter(|line| !line.starts_with('\\')).map(|line| format!("{line}\n")).collect()
}

#[test]
fn migrations_are_named_by_date_and_numbered_in_order() {
    for (folder, number) in folders().iter().zip(1..) {
        let name = folder.file_name().unwrap().to_str().unwrap();
        let (version, title) = name.split_once('_').unwrap_or_else(|| panic!("{name} has no title"));
        let digits = |text: &str, count| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
        let parts: Vec<&str> = version.split('-').collect();
        let [year, month, day, counted] = parts[..] else { panic!("{name} is not YYYY-MM-DD-NNNNNN_name") };
        assert!(digits(year, 4) && digits(month, 2) && digits(day, 2), "{name} does not begin with a date");
        assert_eq!(counted, format!("{number:06}"), "{name} is out of order");
        assert!(title.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{name} is not in snake_case");
    }
}

#[test]
fn every_migration_can_be_taken_back_and_applied_again() {
    let url = Database::new();
    let before = schema(&url);
    let mut connection = PgConnection::establish(&url).unwrap();
    for migration in folders().iter().rev() {
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

#[test]
fn the_default_maximum_is_the_same_in_sql_and_in_rust() {
    #[derive(QueryableByName)]
    struct Ends {
        #[diesel(sql_type = BigInt)]
        by_default: i64,
        #[diesel(sql_type = Bool)]
        never: bool,
    }
    let url = Database::new();
    let mut connection = PgConnection::establish(&url).unwrap();
    let ends: Ends = sql_query(
        "SELECT (extract(epoch FROM token_ends_at('epoch', NULL, true, NULL, NULL, NULL)) * 1000)::bigint AS by_default, \
         token_ends_at('epoch', NULL, false, NULL, NULL, NULL) IS NULL \
         AND token_ends_at('epoch', NULL, NULL, NULL, NULL, NULL) IS NULL AS never",
    )
    .get_result(&mut connection)
    .unwrap();
    assert_eq!(ends.by_default, DEFAULT_MAX_TTL_MS);
    assert!(ends.never, "without a policy in force, a token without expiry never ends");
}

/// PostgreSQL puts the function's expression in place of its call, or each authentication would pay for the call.
#[test]
fn when_a_token_ends_is_computed_without_a_call() {
    #[derive(QueryableByName)]
    struct Line {
        #[diesel(sql_type = diesel::sql_types::Text, column_name = "QUERY PLAN")]
        text: String,
    }
    let url = Database::new();
    let mut connection = PgConnection::establish(&url).unwrap();
    let plan: Vec<Line> =
        sql_query("EXPLAIN (VERBOSE, COSTS OFF) SELECT ends_at FROM listed_tokens").load(&mut connection).unwrap();
    let plan: Vec<String> = plan.into_iter().map(|line| line.text).collect();
    let plan = plan.join("\n");
    assert!(plan.contains("max_ttl_ms") && !plan.contains("token_ends_at") && !plan.contains("default_max"), "{plan}");
}

/// A migration that must wait for a lock lets those through who come after it, and tries again.
#[test]
fn a_migration_waits_for_a_lock_only_so_long() {
    let url = Database::new();
    let mut connection = PgConnection::establish(&url).unwrap();
    let lists = folders().into_iter().find(|folder| folder.ends_with("2026-11-26-000004_token_lists")).unwrap();
    connection.batch_execute(&std::fs::read_to_string(lists.join("down.sql")).unwrap()).unwrap();
    connection.batch_execute("DELETE FROM __diesel_schema_migrations WHERE version LIKE '%000004'").unwrap();
    let mut holder = PgConnection::establish(&url).unwrap();
    holder.batch_execute("BEGIN; LOCK TABLE tokens IN ACCESS EXCLUSIVE MODE").unwrap();
    #[derive(QueryableByName)]
    struct Waits {
        #[diesel(sql_type = Bool)]
        long: bool,
    }
    let waits = "SELECT coalesce(bool_or(clock_timestamp() - state_change > interval '2.8 s'), false) AS long \
                 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    std::thread::scope(|scope| {
        let migrating = scope.spawn(|| migrate(&url).unwrap());
        for _ in 0..50 {
            std::thread::sleep(std::time::Duration::from_millis(100));
            assert!(!sql_query(waits).get_result::<Waits>(&mut connection).unwrap().long);
        }
        assert!(!migrating.is_finished());
        holder.batch_execute("ROLLBACK").unwrap();
        assert_eq!(migrating.join().unwrap(), 1);
    });
    assert_eq!(migrate(&url).unwrap(), 0);
}

/// As docs/operations.md has it: what was dumped is there again, and the tokens in it work.
#[test]
fn a_backup_can_be_restored() {
    let (app, ada) = App::with_acme();
    let team = ada.team_with("acme", json!({"name": "ci", "abilities": ["agents:read"]}));
    let token = ada.described_token(&team, json!({"description": "a", "labels": {"a": "b"}}));
    assert!(!token.secret().is_empty());
    let workspace = ada.workspace("acme", "prod");
    let narrow = resource("workspaces", json!({"allowed-token-roles": ["viewer"]}));
    ada.client.patch(&format!("/api/v2/workspaces/{workspace}"), &narrow).expect(200);
    let narrow = resource("organizations", json!({"allowed-token-roles": ["viewer", "owner"]}));
    ada.client.patch("/api/v2/organizations/acme", &narrow).expect(200);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("latchkey.dump");
    let done = |command: &mut Command| {
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    done(Command::new("pg_dump").arg("-Fc").arg("--file").arg(&file).arg(&*app.database_url));
    let restored = Database::empty();
    done(Command::new("pg_restore").args(["--no-owner", "--exit-on-error", "--dbname", &restored]).arg(&file));
    let again = App::on(restored);
    let list = "/api/v2/organizations/acme/authentication-tokens";
    let (before, after) = (ada.client.get(list).expect(200), again.with(ada.client.secret()).get(list).expect(200));
    assert_eq!(before.body["data"], after.body["data"]);
}
