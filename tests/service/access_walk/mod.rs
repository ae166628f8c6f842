//! Every principal × every route, against the status that docs/design.md §4 asks for.
//!
//! The world is built once, and each part of the walk gets a copy; what a request has changed there is put back.
//! `docs/access.md` shows the table to people.

mod bodies;
mod cap;
mod page;
mod table;
mod world;

use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::support::App;
use crate::support::client::Answer;
use crate::support::routes::{description, routes};
use cap::{Cap, ROLES};
use table::TABLE;
use world::World;

/// The columns of the table, in its order, and how its heads abbreviate them.
const PRINCIPALS: [(&str, &str); 13] = [
    ("stranger", "str"),
    ("member", "mem"),
    ("team token", "tea"),
    ("manager", "man"),
    ("owner", "own"),
    ("owners' token", "ow'"),
    ("site admin", "adm"),
    ("invited", "inv"),
    ("membership manager", "mm"),
    ("organization token", "org"),
    ("audit-trails token", "aud"),
    ("workspace token", "wor"),
    ("service account", "sva"),
];

/// Secrets that open nothing, and no secret: 401 on every route that needs one.
const NOBODIES: [&str; 6] = ["anonymous", "expired", "revoked", "disabled", "mistyped", "unknown"];

/// What needs no token.
const OPEN: [(&str, u16); 7] = [
    ("/api/v2/ping", 204),
    ("/api/v2/openapi.json", 200),
    ("/.well-known/terraform.json", 200),
    ("/.well-known/jwks.json", 200),
    ("/health/live", 200),
    ("/health/ready", 200),
    ("/docs", 200),
];

/// Whoever finds a secret may report it.
const REPORT: &str = "/api/v2/leaked-tokens";

/// One row: a request, and what each of [`PRINCIPALS`] is answered.
struct Row {
    request: &'static str,
    body: fn(&World) -> Value,
    done: u16,
    cap: Cap,
    answers: &'static str,
}

const fn row(request: &'static str, body: fn(&World) -> Value, done: u16, cap: Cap, answers: &'static str) -> Row {
    Row { request, body, done, cap, answers }
}

impl Row {
    fn method(&self) -> &str {
        self.request.split_whitespace().next().unwrap()
    }

    /// Below `/api/v2`, with names in braces.
    fn path(&self) -> &str {
        self.request.split_whitespace().nth(1).unwrap().trim_end_matches(',')
    }

    /// What tells it from another row with the same method and path.
    fn note(&self) -> Option<&str> {
        self.request.split_once(", ").map(|(_, note)| note)
    }

    /// Each principal, and the status that it is answered.
    fn expected(&self) -> Vec<(&'static str, u16)> {
        let cells: Vec<&str> = self.answers.split_whitespace().collect();
        assert_eq!(cells.len(), PRINCIPALS.len(), "{}", self.request);
        let statuses = cells.iter().map(|cell| if *cell == "✓" { self.done } else { cell.parse().unwrap() });
        PRINCIPALS.iter().map(|(principal, _)| *principal).zip(statuses).collect()
    }

    fn send(&self, app: &App, caller: &str) -> Answer {
        let client = WORLD.client(app, caller);
        let document = (self.body)(&WORLD);
        let bytes = document.to_string().into_bytes();
        let headers: &[_] = if document.is_null() { &[] } else { &[("Content-Type", "application/vnd.api+json")] };
        let body = (!document.is_null()).then_some(bytes.as_slice());
        client.send(self.method(), &WORLD.path(self.path()), headers, body)
    }

    /// Whether the answer tells that the world is not any more what it was.
    fn changed(&self, answer: &Answer) -> bool {
        self.method() != "GET" && answer.status < 300
    }
}

static WORLD: LazyLock<World> = LazyLock::new(World::build);

/// Every principal, and everybody without a good token, makes each request.
fn walk(rows: &[Row]) {
    let mut wrong = vec![];
    let app = WORLD.copy(None);
    let mut unauthorized = None;
    for row in rows {
        for nobody in NOBODIES {
            let answer = row.send(&app, nobody);
            if answer.status != 401 {
                wrong.push(format!("{nobody}: {}: {} instead of 401", row.request, answer.status));
            }
            let mut body = answer.body;
            body["errors"][0]["id"] = Value::Null;
            assert_eq!(unauthorized.get_or_insert(body.clone()), &body, "every 401 is alike");
        }
        for (principal, expected) in row.expected() {
            let answer = row.send(&app, principal);
            if answer.status != expected {
                wrong.push(format!("{principal}: {}: {} instead of {expected}", row.request, answer.status));
            }
            if row.changed(&answer) {
                WORLD.put_back(&app);
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Every principal makes each request with a token of each role below owner.
fn walk_capped(rows: &[Row]) {
    let mut wrong = vec![];
    for role in &ROLES[..ROLES.len() - 1] {
        let app = WORLD.copy(Some(role));
        for row in rows {
            for (principal, uncapped) in row.expected() {
                let answer = row.send(&app, principal);
                let expected = row.cap.capped(principal, role, uncapped);
                if answer.status != expected {
                    let what = row.request;
                    wrong.push(format!("{principal} as {role}: {what}: {} instead of {expected}", answer.status));
                }
                if row.changed(&answer) {
                    WORLD.put_back(&app);
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_route_has_a_row_and_every_row_a_route() {
    let routes = routes(&description(&App::start()));
    assert!(routes.len() > 60);
    let mut without: Vec<String> = vec![];
    let rows: Vec<&Row> = TABLE.iter().flat_map(|(_, rows)| *rows).collect();
    let whole = |row: &Row| format!("/api/v2{}", row.path().split('?').next().unwrap());
    for route in &routes {
        let in_table = rows.iter().any(|row| row.method() == route.method && route.leads_to(&whole(row)));
        let open = OPEN.iter().any(|(path, _)| *path == route.path && route.method == "GET") || route.path == REPORT;
        if (in_table, open) != (route.needs_token, !route.needs_token) {
            without.push(route.name());
        }
    }
    assert!(without.is_empty(), "no row for:\n{}", without.join("\n"));
    for row in rows {
        let found = routes.iter().any(|route| row.method() == route.method && route.leads_to(&whole(row)));
        assert!(found, "no route for {}", row.request);
    }
}

#[test]
fn routes_without_a_token_need_none() {
    let app = App::start();
    for (path, status) in OPEN {
        app.anonymous().get(path).expect(status);
        app.with("nonsense").get(path).expect(status);
    }
    let unknown = latchkey::credential::Secret::generate(latchkey::credential::Kind::User).unwrap();
    let report = json!({"data": [{"type": "leaked-tokens", "attributes": {"token": unknown.reveal()}}]});
    for client in [app.anonymous(), app.with("nonsense"), app.with(unknown.reveal())] {
        client.post(REPORT, &report).expect(204);
    }
}
