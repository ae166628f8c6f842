//! The search for secrets: none that a test made may be in a log or in a database.
//!
//! Each service and each database is searched at its end, in the thread of its test, so that the test fails that
//! leaked. Services inside this process share one log, and databases one PostgreSQL with its log; there, what is found
//! is told by the database in which the secret was made, or by everybody if nobody knows it.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex, Once, RwLock};

use diesel::sql_types::Text;
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use log::{LevelFilter, Log, Metadata, Record};
use regex::Regex;

use super::cluster;

/// What a secret looks like, also one that is a JWT (docs/design.md §2), and what browsers show: sessions, links, guests.
static SECRET: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"lk[utowaslg]_[0-9A-Za-z]{49}|eyJ[0-9A-Za-z_-]+\.eyJ[0-9A-Za-z_-]+\.[0-9A-Za-z_-]{86}").unwrap()
});

/// What is random in a secret, beyond the prefix that is shown.
const INSIDE: Range<usize> = 10..47;

/// What can hold the inside of a secret.
static RANDOM: LazyLock<Regex> = LazyLock::new(|| Regex::new("[0-9A-Za-z_-]{37,}").unwrap());

/// Every secret that was made so far, by its inside.
static KNOWN: LazyLock<RwLock<HashMap<String, Known>>> = LazyLock::new(RwLock::default);

struct Known {
    prefix: String,
    /// [`cluster::Database::origin`] of the service that made it, if that runs inside this process.
    origin: Option<Arc<str>>,
}

static LOGGED: Mutex<String> = Mutex::new(String::new());

struct Capture;

impl Log for Capture {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let mut logged = LOGGED.lock().unwrap();
        writeln!(logged, "{} {}: {}", record.level(), record.target(), record.args()).unwrap();
    }

    fn flush(&self) {}
}

/// Where the logs that services share ended at some time.
pub struct Mark {
    log: usize,
    postgres: u64,
}

/// The end of the logs, which are kept from the first call on: those of services down to their own debug lines.
pub fn mark() -> Mark {
    static CAPTURED: Once = Once::new();
    CAPTURED.call_once(|| {
        log::set_logger(&Capture).unwrap();
        log::set_max_level(LevelFilter::Debug);
    });
    let postgres = std::fs::metadata(cluster::postgres_log()).unwrap().len();
    Mark { log: LOGGED.lock().unwrap().len(), postgres }
}

/// Remembers the secrets in a text that a client got.
pub fn remember(text: &str) {
    remember_of(text, None);
}

/// The same of a service with this [`cluster::Database::origin`].
pub fn remember_of(text: &str, origin: Option<&Arc<str>>) {
    let secrets: Vec<&str> = SECRET.find_iter(text).map(|found| found.as_str()).collect();
    if secrets.is_empty() {
        return;
    }
    let mut known = KNOWN.write().unwrap();
    for secret in secrets {
        let made = || Known { prefix: secret[..INSIDE.start].to_owned(), origin: origin.cloned() };
        known.entry(inside(secret).to_owned()).or_insert_with(made);
    }
}

/// What is random in a secret; of a JWT, in its signature: anybody can guess the rest.
fn inside(secret: &str) -> &str {
    let last_part = secret.rfind('.').map_or(0, |dot| dot + 1);
    &secret[last_part..][INSIDE]
}

/// What services inside this process have logged so far.
pub fn logged() -> String {
    LOGGED.lock().unwrap().clone()
}

/// Every leak in a text: anything of the form of a secret, and the inside of every one that is known. "place: …".
pub fn look(text: &str, place: &str) -> Vec<String> {
    look_for(text, place, |_| true)
}

/// The same for secrets that were made where `wanted` says, or nobody knows where.
fn look_for(text: &str, place: &str, wanted: impl Fn(&str) -> bool) -> Vec<String> {
    let mut found = BTreeSet::new();
    let known = KNOWN.read().unwrap();
    let is_wanted = |inside: &str| {
        let origin = known.get(inside).and_then(|known| known.origin.as_deref());
        origin.is_none_or(&wanted)
    };
    for secret in SECRET.find_iter(text).map(|secret| secret.as_str()) {
        if is_wanted(inside(secret)) {
            found.insert(format!("{place}: {}…", &secret[..INSIDE.start]));
        }
    }
    // One pass over the text, however many secrets there are.
    for run in RANDOM.find_iter(text).map(|run| run.as_str()) {
        for start in 0..=run.len() - INSIDE.len() {
            let window = &run[start..start + INSIDE.len()];
            if let Some(Known { prefix, .. }) = known.get(window)
                && is_wanted(window)
            {
                found.insert(format!("{place}: the inside of {prefix}…"));
            }
        }
    }
    found.into_iter().collect()
}

/// The leaks in what was logged since then, of secrets that services of this origin made.
pub fn search_logs(since: &Mark, origin: &str) -> Vec<String> {
    let logged = LOGGED.lock().unwrap()[since.log..].to_owned();
    let mut found = look_for(&logged, "the log", |other| other == origin);
    let mut bytes = vec![];
    let mut log = std::fs::File::open(cluster::postgres_log()).unwrap();
    log.seek(SeekFrom::Start(since.postgres)).unwrap();
    log.read_to_end(&mut bytes).unwrap();
    found.extend(look_for(&String::from_utf8_lossy(&bytes), "PostgreSQL's log", |other| other == origin));
    found
}

/// The leaks in a file that one service has for itself.
pub fn search_file(file: &Path) -> Vec<String> {
    look(&String::from_utf8_lossy(&std::fs::read(file).unwrap()), &file.display().to_string())
}

/// The leaks in a database.
pub fn search_database(url: &str) -> Vec<String> {
    look(&dump(url), &format!("the database {url}"))
}

/// Every row of every table in a database, as text.
pub fn dump(url: &str) -> String {
    #[derive(QueryableByName)]
    struct Found {
        #[diesel(sql_type = Text)]
        text: String,
    }
    let mut connection = PgConnection::establish(url).unwrap();
    let mut ask = |query: &str| -> Vec<String> {
        let found: Vec<Found> = sql_query(query).load(&mut connection).unwrap();
        found.into_iter().map(|found| found.text).collect()
    };
    let tables = ask("SELECT oid::regclass::text AS text FROM pg_class \
                      WHERE relkind IN ('r', 'm') AND relnamespace NOT IN ('pg_catalog'::regnamespace, \
                      'information_schema'::regnamespace, 'pg_toast'::regnamespace)");
    assert!(!tables.is_empty(), "{url} has no table");
    let rows =
        |table: &String| format!("SELECT string_agg(t::text, E'\\n') AS text FROM {table} AS t HAVING count(*) > 0");
    ask(&tables.iter().map(rows).collect::<Vec<_>>().join(" UNION ALL ")).join("\n")
}

/// Fails the test if the search finds something; a test that fails already is left alone.
pub fn fail_on(search: impl FnOnce() -> Vec<String>) {
    if std::thread::panicking() {
        return;
    }
    let found = search();
    assert!(found.is_empty(), "secrets leaked:\n{}", found.join("\n"));
}
