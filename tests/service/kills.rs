//! The service and its PostgreSQL are killed again and again while clients make, revoke and replace tokens. What was
//! acknowledged is there afterwards, and nothing else but what nobody knows (docs/design.md §3, rules 5, 6 and 9).

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use nix::sys::signal::{Signal, kill};
use serde_json::json;

use crate::support::app::resource;
use crate::support::client::{Answer, Client};
use crate::support::process::{Folder, Served, admin_secret, postmaster, private_database};
use crate::support::say;

/// How many clients write at a time.
const WRITERS: usize = 3;

/// How many changes are acknowledged between two kills.
const BETWEEN: usize = 10;

/// How long a killed service or PostgreSQL may take until changes are acknowledged again.
const PATIENCE: Duration = Duration::from_secs(40);

#[test]
fn what_was_acknowledged_outlives_a_few_kills() {
    assert_survives(3, 1);
}

#[test]
#[ignore = "it takes minutes: make storm"]
fn what_was_acknowledged_outlives_many_kills() {
    assert_survives(50, 10);
}

/// What a client knows of a token.
#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    Works,
    /// Its end, and the event of it, were acknowledged.
    Ended(&'static str),
    /// Its end was asked for, and nobody has said whether it came.
    Unknown,
}

#[derive(Debug)]
struct Token {
    id: String,
    secret: String,
    state: State,
}

/// What all clients know together.
#[derive(Default)]
struct Known {
    tokens: Mutex<Vec<Token>>,
    acknowledged: AtomicUsize,
    /// How many tokens were asked for without an answer.
    unanswered: AtomicUsize,
}

impl Known {
    fn made(&self, answer: &Answer) {
        let token = Token { id: answer.id(), secret: answer.secret(), state: State::Works };
        self.tokens.lock().unwrap().push(token);
    }

    /// A token that works; from now on nobody knows.
    fn take(&self) -> Option<String> {
        let mut tokens = self.tokens.lock().unwrap();
        let count = tokens.iter().filter(|token| token.state == State::Works).count();
        // Not always the newest.
        let taken = tokens.iter_mut().filter(|token| token.state == State::Works).nth(count / 2)?;
        taken.state = State::Unknown;
        Some(taken.id.clone())
    }

    fn ended(&self, id: &str, action: &'static str) {
        let mut tokens = self.tokens.lock().unwrap();
        tokens.iter_mut().find(|token| token.id == id).unwrap().state = State::Ended(action);
    }

    fn acknowledged(&self) -> usize {
        self.acknowledged.load(Ordering::SeqCst)
    }
}

/// The answer, if it is one: not that of a service that is killed, or whose database is.
fn acknowledged(answer: Result<Answer, ureq::Error>, status: u16) -> Option<Answer> {
    match answer {
        Ok(answer) if answer.status == 503 => None,
        Ok(answer) => Some(answer.expect(status)),
        Err(_) => None,
    }
}

/// Makes, revokes and replaces tokens of a team until it is stopped.
fn write(client: &Client, team: &str, known: &Known, stop: &AtomicBool) {
    let made_at = format!("/api/v2/teams/{team}/authentication-tokens");
    for nth in 0.. {
        if stop.load(Ordering::SeqCst) {
            return;
        }
        let done = match nth % 4 {
            0 | 1 => {
                let described = json!({"description": uuid::Uuid::now_v7().to_string()});
                let body = resource("authentication-tokens", described);
                let answer = acknowledged(client.try_with("POST", &made_at, Some(&body)), 201);
                answer.as_ref().map(|answer| known.made(answer))
            }
            2 => known.take().and_then(|id| {
                let path = format!("/api/v2/authentication-tokens/{id}");
                let answer = acknowledged(client.try_with("DELETE", &path, None), 204);
                answer.map(|_| known.ended(&id, "destroy"))
            }),
            _ => known.take().and_then(|id| {
                let path = format!("/api/v2/authentication-tokens/{id}/actions/regenerate");
                let answer = acknowledged(client.try_with("POST", &path, None), 201);
                answer.map(|answer| {
                    known.made(&answer);
                    known.ended(&id, "regenerate");
                })
            }),
        };
        if done.is_some() {
            known.acknowledged.fetch_add(1, Ordering::SeqCst);
        } else {
            known.unanswered.fetch_add(usize::from(nth % 4 != 2), Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Waits until so many more changes were acknowledged.
fn wait_for_more(known: &Known, more: usize) {
    let (before, deadline) = (known.acknowledged(), Instant::now() + PATIENCE);
    while known.acknowledged() < before + more {
        assert!(Instant::now() < deadline, "nothing is acknowledged any more");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn assert_survives(kills_of_service: usize, kills_of_postgresql: usize) {
    let data = Folder::new();
    let began = Instant::now();
    let service = Served::start_best(&data, None);
    let address = service.address;
    let admin = Client::new(address, Some(admin_secret(&data)));
    let organization = resource("organizations", json!({"name": "acme", "email": "ops@example.com"}));
    admin.post("/api/v2/organizations", &organization).expect(201);
    let team =
        admin.post("/api/v2/organizations/acme/teams", &resource("teams", json!({"name": "ci"}))).expect(200).id();
    let (known, stop) = (Known::default(), AtomicBool::new(false));
    let service = std::thread::scope(|scope| {
        for _ in 0..WRITERS {
            scope.spawn(|| write(&admin, &team, &known, &stop));
        }
        let mut service = service;
        // Also when a wait fails, so that the writers end.
        let _stop = StopAtEnd(&stop);
        for nth in 0..kills_of_service + kills_of_postgresql {
            // Not always at the same moment of a change.
            wait_for_more(&known, BETWEEN + nth % 7);
            let every = (kills_of_service + kills_of_postgresql) / kills_of_postgresql;
            if nth % every == every - 1 && nth / every < kills_of_postgresql {
                kill(postmaster(&data).unwrap(), Signal::SIGKILL).unwrap();
            } else {
                service.kill();
                service = Served::start_best(&data, Some(address));
            }
        }
        wait_for_more(&known, BETWEEN);
        service
    });
    let told = judge(&admin, &data, &team, &known);
    say(&format!(
        "kills: {kills_of_service} of the service and {kills_of_postgresql} of PostgreSQL within {:.0} s; {told}",
        began.elapsed().as_secs_f64()
    ));
    assert!(service.stop());
}

struct StopAtEnd<'a>(&'a AtomicBool);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Holds what there is against what was acknowledged.
fn judge(admin: &Client, data: &Path, team: &str, known: &Known) -> String {
    let tokens = known.tokens.lock().unwrap();
    let listed = listed(admin, team);
    let events = events(data);
    let told = |id: &str, action: &str| events.get(&(id.to_owned(), action.to_owned())).copied().unwrap_or_default();
    let mut unknown = 0;
    for Token { id, secret, state } in tokens.iter() {
        let works = match admin.as_another(secret).get("/api/v2/authentication-tokens/current").status {
            200 => true,
            // 429 once there were many: a good token always passes.
            401 | 429 => false,
            other => panic!("{other} for {id}"),
        };
        assert_eq!(works, listed.contains(id), "{id}: what works is listed, and nothing else");
        assert_eq!(told(id, "create"), 1, "{id}");
        let ends = told(id, "destroy") + told(id, "regenerate");
        match state {
            State::Works => assert!(works && ends == 0, "{id} is lost: {ends} events of its end"),
            State::Ended(action) => {
                assert!(!works, "{id} works after its end by {action}");
                assert_eq!((ends, told(id, action)), (1, 1), "{id}: the events of its end by {action}");
            }
            State::Unknown => {
                assert_eq!(works, ends == 0, "{id}: its end and the event of it come together");
                unknown += 1;
            }
        }
    }
    let ids: HashSet<&String> = tokens.iter().map(|token| &token.id).collect();
    let strangers = listed.iter().filter(|id| !ids.contains(id)).count();
    let unanswered = known.unanswered.load(Ordering::SeqCst);
    assert!(strangers <= unanswered, "{strangers} tokens that nobody asked for");
    assert!(events.values().all(|count| *count == 1), "an event is told twice");
    // Whether or not it was acknowledged, no token is there without its event, nor an event without its token.
    let made = events.keys().filter(|(_, action)| action == "create").count();
    assert_eq!(i64::try_from(made).unwrap(), count(data, "tokens"));
    let live = count(data, "tokens WHERE kind = 'team' AND revoked_at IS NULL");
    assert_eq!(live, i64::try_from(listed.len()).unwrap(), "a token works that is not listed");
    format!(
        "{} changes acknowledged, {unknown} ends and {unanswered} tokens asked for without an answer, of which {strangers} \
         are there",
        known.acknowledged()
    )
}

/// The ids of all tokens of the team.
fn listed(admin: &Client, team: &str) -> HashSet<String> {
    let (mut ids, mut number) = (HashSet::new(), 1);
    loop {
        let list = format!("/api/v2/teams/{team}/authentication-tokens?page[size]=100&page[number]={number}");
        let page = admin.get(&list).expect(200).ids();
        if page.is_empty() {
            return ids;
        }
        ids.extend(page);
        number += 1;
    }
}

#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = Text)]
    resource_id: String,
    #[diesel(sql_type = Text)]
    action: String,
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// How often each thing was told of each token.
fn events(data: &Path) -> HashMap<(String, String), i64> {
    let query = "SELECT resource_id, action, count(*) AS count FROM audit_events \
                 WHERE resource_type = 'authentication_token' AND action IN ('create', 'destroy', 'regenerate') GROUP BY 1, 2";
    let mut connection = PgConnection::establish(&private_database(data)).unwrap();
    let found: Vec<Counted> = diesel::sql_query(query).load(&mut connection).unwrap();
    found.into_iter().map(|row| ((row.resource_id, row.action), row.count)).collect()
}

fn count(data: &Path, from_where: &str) -> i64 {
    let mut connection = PgConnection::establish(&private_database(data)).unwrap();
    let count = diesel::dsl::sql::<BigInt>(&format!("(SELECT count(*) FROM {from_where})"));
    diesel::select(count).get_result(&mut connection).unwrap()
}
