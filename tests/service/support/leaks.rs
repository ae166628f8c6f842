//! The search for secrets: none that a test made may be in a log or in a database.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;
use std::ops::Range;
use std::path::Path;
use std::process::Command;
use std::sync::{LazyLock, Mutex};

use log::{LevelFilter, Log, Metadata, Record};
use regex::Regex;

use super::cluster;

/// What a secret looks like, also one that is a JWT (DESIGN §2).
static SECRET: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"lk[utowa]_[0-9A-Za-z]{49}|eyJ[0-9A-Za-z_-]+\.eyJ[0-9A-Za-z_-]+\.[0-9A-Za-z_-]{86}").unwrap()
});

/// What is random in a secret, beyond the prefix that is shown.
const INSIDE: Range<usize> = 10..47;

/// What can hold the inside of a secret.
static RANDOM: LazyLock<Regex> = LazyLock::new(|| Regex::new("[0-9A-Za-z_-]{37,}").unwrap());

static KNOWN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
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

/// Keeps what services log that run inside this process, down to their own debug lines.
pub fn capture_log() {
    log::set_logger(&Capture).unwrap();
    log::set_max_level(LevelFilter::Debug);
}

/// Remembers the secrets in a text that a client got.
pub fn remember(text: &str) {
    let mut known = KNOWN.lock().unwrap();
    known.extend(SECRET.find_iter(text).map(|found| found.as_str().to_owned()));
}

/// What services inside this process have logged so far.
pub fn logged() -> String {
    LOGGED.lock().unwrap().clone()
}

/// How many secrets were made.
pub fn known() -> usize {
    KNOWN.lock().unwrap().len()
}

/// Where secrets are that should not be there: "database …: …".
pub fn search() -> Vec<String> {
    let mut found = vec![];
    look(&LOGGED.lock().unwrap(), "the log", &mut found);
    look_into(&cluster::postgres_log(), &mut found);
    for log in std::fs::read_dir(cluster::logs()).unwrap() {
        look_into(&log.unwrap().path(), &mut found);
    }
    for url in cluster::databases() {
        look(&dump(&url), &format!("the database {url}"), &mut found);
    }
    found
}

/// Looks for anything of the form of a secret, and for the random part of every one that is known.
pub fn look(text: &str, place: &str, found: &mut Vec<String>) {
    if let Some(secret) = SECRET.find(text) {
        found.push(format!("{place}: {}…", &secret.as_str()[..10]));
    }
    let known = KNOWN.lock().unwrap();
    // Of a JWT, the signature: anybody can guess the rest.
    let last_part = |secret: &'_ String| secret.rfind('.').map_or(0, |dot| dot + 1);
    let insides: HashMap<&str, &str> =
        known.iter().map(|secret| (&secret[last_part(secret)..][INSIDE], &secret[..10])).collect();
    // One pass over the text, however many secrets there are.
    for run in RANDOM.find_iter(text).map(|run| run.as_str()) {
        let windows = (0..=run.len() - INSIDE.len()).map(|start| &run[start..start + INSIDE.len()]);
        let leaks = windows.filter_map(|window| insides.get(window));
        found.extend(leaks.map(|prefix| format!("{place}: the inside of {prefix}…")));
    }
}

fn look_into(file: &Path, found: &mut Vec<String>) {
    let text = String::from_utf8_lossy(&std::fs::read(file).unwrap()).into_owned();
    look(&text, &file.display().to_string(), found);
}

/// Everything in a database, as text.
pub fn dump(url: &str) -> String {
    let dump = Command::new("pg_dump").args(["--data-only", url]).output().expect("pg_dump is installed");
    assert!(dump.status.success(), "{}", String::from_utf8_lossy(&dump.stderr));
    String::from_utf8(dump.stdout).unwrap()
}
