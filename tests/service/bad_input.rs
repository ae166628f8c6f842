//! What clients send by mistake or on purpose: every route × every kind of badness, and the wire itself.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::App;
use crate::support::app::{User, identifiers, resource};
use crate::support::client::{Answer, Client, MEDIA_TYPE};

/// What a route takes as its body.
#[derive(Clone, Copy, PartialEq)]
enum Takes {
    Nothing,
    Resource(&'static str),
    /// A resource whose type may be empty or absent.
    Token,
    /// The same, or nothing at all.
    TokenOrNothing,
    Identifiers(&'static str),
    List(&'static str),
}

use Takes::{Identifiers, List, Nothing, Resource, Token, TokenOrNothing};

/// Every route behind a token that a user's token opens; `audit_trail` tries the one that none does.
const ROUTES: &[(&str, &str, Takes)] = &[
    ("GET", "account/details", Nothing),
    ("PATCH", "account/update", Resource("users")),
    ("PATCH", "account/password", Resource("users")),
    ("GET", "users/{user}", Nothing),
    ("GET", "users/{user}/authentication-tokens", Nothing),
    ("POST", "users/{user}/authentication-tokens", Token),
    ("GET", "organizations", Nothing),
    ("POST", "organizations", Resource("organizations")),
    ("GET", "organizations/{organization}", Nothing),
    ("PATCH", "organizations/{organization}", Resource("organizations")),
    ("DELETE", "organizations/{organization}", Nothing),
    ("GET", "organizations/{organization}/entitlement-set", Nothing),
    ("GET", "organizations/{organization}/authentication-token", Nothing),
    ("POST", "organizations/{organization}/authentication-token", TokenOrNothing),
    ("DELETE", "organizations/{organization}/authentication-token", Nothing),
    ("GET", "organizations/{organization}/token-ttl-policies", Nothing),
    ("PATCH", "organizations/{organization}/token-ttl-policies", Resource("organization-token-ttl-policies")),
    ("GET", "organizations/{organization}/abilities", Nothing),
    ("PATCH", "organizations/{organization}/abilities", Resource("abilities")),
    ("GET", "organizations/{organization}/organization-memberships", Nothing),
    ("POST", "organizations/{organization}/organization-memberships", Resource("organization-memberships")),
    ("GET", "organization-memberships", Nothing),
    ("GET", "organization-memberships/{membership}", Nothing),
    ("DELETE", "organization-memberships/{membership}", Nothing),
    ("POST", "organization-memberships/{membership}/actions/accept", Nothing),
    ("GET", "organizations/{organization}/teams", Nothing),
    ("POST", "organizations/{organization}/teams", Resource("teams")),
    ("GET", "teams/{team}", Nothing),
    ("PATCH", "teams/{team}", Resource("teams")),
    ("DELETE", "teams/{team}", Nothing),
    ("GET", "teams/{team}/relationships/users", Nothing),
    ("POST", "teams/{team}/relationships/users", Identifiers("users")),
    ("DELETE", "teams/{team}/relationships/users", Identifiers("users")),
    ("GET", "teams/{team}/relationships/organization-memberships", Nothing),
    ("POST", "teams/{team}/relationships/organization-memberships", Identifiers("organization-memberships")),
    ("DELETE", "teams/{team}/relationships/organization-memberships", Identifiers("organization-memberships")),
    ("GET", "teams/{team}/authentication-token", Nothing),
    ("POST", "teams/{team}/authentication-token", TokenOrNothing),
    ("DELETE", "teams/{team}/authentication-token", Nothing),
    ("GET", "teams/{team}/authentication-tokens", Nothing),
    ("POST", "teams/{team}/authentication-tokens", Token),
    ("GET", "organizations/{organization}/authentication-tokens", Nothing),
    ("GET", "organizations/{organization}/team-tokens", Nothing),
    ("DELETE", "organizations/{organization}/team-tokens", Identifiers("authentication-tokens")),
    ("GET", "organizations/{organization}/workspaces", Nothing),
    ("POST", "organizations/{organization}/workspaces", Resource("workspaces")),
    ("GET", "workspaces/{workspace}", Nothing),
    ("PATCH", "workspaces/{workspace}", Resource("workspaces")),
    ("DELETE", "workspaces/{workspace}", Nothing),
    ("POST", "workspaces/{workspace}/actions/safe-delete", Nothing),
    ("GET", "workspaces/{workspace}/relationships/tags", Nothing),
    ("POST", "workspaces/{workspace}/relationships/tags", List("tags")),
    ("DELETE", "workspaces/{workspace}/relationships/tags", List("tags")),
    ("GET", "workspaces/{workspace}/tag-bindings", Nothing),
    ("PATCH", "workspaces/{workspace}/tag-bindings", List("tag-bindings")),
    ("GET", "workspaces/{workspace}/effective-tag-bindings", Nothing),
    ("GET", "workspaces/{workspace}/relationships/remote-state-consumers", Nothing),
    ("GET", "authentication-tokens/{token}", Nothing),
    ("GET", "authentication-tokens/{token}/usage", Nothing),
    ("PATCH", "authentication-tokens/{token}", Token),
    ("DELETE", "authentication-tokens/{token}", Nothing),
    ("POST", "authentication-tokens/{token}/actions/disable", Nothing),
    ("POST", "authentication-tokens/{token}/actions/enable", Nothing),
    ("POST", "authentication-tokens/{token}/actions/regenerate", TokenOrNothing),
    ("POST", "authentication-tokens/{token}/actions/revoke", Nothing),
];

const LISTS: [&str; 12] = [
    "organizations",
    "users/{user}/authentication-tokens",
    "organizations/{organization}/organization-memberships",
    "organization-memberships",
    "teams/{team}/relationships/organization-memberships",
    "organizations/{organization}/teams",
    "teams/{team}/authentication-tokens",
    "organizations/{organization}/authentication-tokens",
    "organizations/{organization}/team-tokens",
    "organizations/{organization}/workspaces",
    "workspaces/{workspace}/authentication-tokens",
    "workspaces/{workspace}/relationships/tags",
];

const PASSWORD: &str = "changed password";

/// Reading a token leaves an event as well, and is no change.
const CHANGES: &str = "audit_events WHERE action NOT IN ('show', 'refuse')";

const TABLES: [&str; 10] = [
    "users",
    "organizations",
    "memberships",
    "teams",
    "team_members",
    "tokens",
    "token_ttl_policies",
    "abilities",
    "workspaces",
    CHANGES,
];

/// A service with something of everything, and what a sweep must leave as it was.
struct World {
    app: App,
    ada: User,
    team: String,
    token: String,
    membership: String,
    workspace: String,
    rows: Vec<i64>,
}

impl World {
    fn new() -> Self {
        let app = App::start();
        let ada = app.user("ada");
        ada.organization("acme");
        let team = ada.team("acme", "ci");
        ada.add_to_team(&team, &ada);
        let token = ada.team_token(&team).id();
        ada.client.post_nothing("/api/v2/organizations/acme/authentication-token").expect(201);
        let membership = ada.client.get("/api/v2/organization-memberships").expect(200).ids().remove(0);
        let workspace = ada.workspace("acme", "prod");
        let rows = TABLES.map(|table| app.count(table)).to_vec();
        Self { app, ada, team, token, membership, workspace, rows }
    }

    fn path(&self, pattern: &str) -> String {
        let path = pattern.replace("{organization}", "acme").replace("{team}", &self.team);
        let path = path.replace("{membership}", &self.membership).replace("{workspace}", &self.workspace);
        format!("/api/v2/{}", path.replace("{token}", &self.token).replace("{user}", &self.ada.id))
    }

    /// A body that the route would take.
    fn good_body(&self, takes: Takes) -> Option<Value> {
        match takes {
            Nothing => None,
            Resource("users") => {
                Some(resource("users", json!({"password": PASSWORD, "password_confirmation": PASSWORD})))
            }
            Resource("organization-memberships") => {
                let mut invitation = resource("organization-memberships", json!({"email": "changed@example.com"}));
                invitation["data"]["relationships"] = json!({"teams": identifiers("teams", &[&self.team])});
                Some(invitation)
            }
            Resource("organization-token-ttl-policies") => {
                let policies = json!([{"token-type": "team", "max-ttl-ms": 86_400_000}]);
                Some(resource("organization-token-ttl-policies", json!({"token-ttl-policies": policies})))
            }
            Resource("abilities") => Some(resource("abilities", json!({"abilities": [{"name": "agents:read"}]}))),
            Resource(kind) => Some(resource(kind, json!({"name": "changed", "email": "changed@example.com"}))),
            Token | TokenOrNothing => Some(resource("authentication-tokens", json!({"description": "changed"}))),
            Identifiers("organization-memberships") => {
                Some(identifiers("organization-memberships", &[&self.membership]))
            }
            Identifiers("users") => Some(identifiers("users", &["ada"])),
            Identifiers(kind) => Some(identifiers(kind, &[&self.token])),
            List(kind) => {
                let attributes = json!({"name": "changed", "key": "changed", "value": ""});
                Some(json!({"data": [{"type": kind, "attributes": attributes}]}))
            }
        }
    }

    fn send_good(&self, client: &Client, method: &str, path: &str, takes: Takes) -> Answer {
        let body = self.good_body(takes).map(|body| body.to_string());
        let headers: &[_] = if body.is_some() { &[("Content-Type", MEDIA_TYPE)] } else { &[] };
        client.send(method, path, headers, body.as_deref().map(str::as_bytes))
    }

    fn send_body(&self, method: &str, path: &str, body: &[u8]) -> Answer {
        self.ada.client.send(method, path, &[("Content-Type", MEDIA_TYPE)], Some(body))
    }

    #[track_caller]
    fn assert_unchanged(&self) {
        let rows = TABLES.map(|table| self.app.count(table)).to_vec();
        assert_eq!(rows, self.rows, "{TABLES:?}");
        let team = self.ada.client.get(&self.path("teams/{team}")).expect(200);
        assert_eq!((team.attribute("name"), team.attribute("users-count")), (&json!("ci"), &json!(1)));
        self.ada.client.get("/api/v2/organizations/acme").expect(200);
    }
}

/// Checks that an answer is a refusal of one of these statuses whose error objects name the fault.
#[track_caller]
fn assert_refused(answer: &Answer, statuses: &[u16], what: &str) {
    let body = &answer.body;
    assert!(statuses.contains(&answer.status), "{what}: {} {body:#}", answer.status);
    assert_eq!(answer.header("Content-Type"), Some(MEDIA_TYPE), "{what}");
    let errors = body["errors"].as_array().unwrap_or_else(|| panic!("{what}: {body:#}"));
    assert!(!errors.is_empty() && body.get("data").is_none(), "{what}: {body:#}");
    let request_id = answer.header("X-Request-Id").unwrap();
    for error in errors {
        assert_eq!(error["id"], request_id, "{what}");
        if errors.len() == 1 {
            assert_eq!(error["status"], answer.status.to_string(), "{what}");
        }
        for member in ["status", "title", "detail"] {
            let text = error[member].as_str().unwrap_or_default();
            assert!(!text.is_empty() && text.len() < 1000, "{what}: {member} in {error:#}");
        }
        let source = match answer.status {
            409 | 422 => "pointer",
            406 | 415 => "header",
            _ => continue,
        };
        assert!(error["source"][source].is_string(), "{what}: {error:#}");
    }
}

#[test]
fn no_route_takes_a_query_that_it_does_not_know() {
    let world = World::new();
    for (method, pattern, takes) in ROUTES {
        for (query, blamed) in [
            ("nonsense=1", "nonsense"),
            ("nonsense", "nonsense"),
            ("sort=nonsense", "sort"),
            ("sort=name,,", "sort"),
            ("filter[nonsense]=1", "filter[nonsense]"),
            ("filter=1", "filter"),
            ("include=nonsense", "include"),
            ("fields[nonsense]=name", "fields[nonsense]"),
            ("page=2", "page"),
            ("page[nonsense]=2", "page[nonsense]"),
            ("page[number]=0", "page[number]"),
            ("page[number]=-1", "page[number]"),
            ("page[number]=abc", "page[number]"),
            ("page[number]=99999999999999999999", "page[number]"),
            ("page[number]=", "page[number]"),
            ("page[size]=0", "page[size]"),
            ("page[after]=nonsense", "page[after]"),
            ("q=%00", "q"),
            ("q=%ff", "q"),
            ("q[nonsense]=1", "q[nonsense]"),
            ("Sort=name", "Sort"),
        ] {
            let path = format!("{}?{query}", world.path(pattern));
            let answer = world.send_good(&world.ada.client, method, &path, *takes);
            let what = format!("{method} {path}");
            assert_refused(&answer, &[400], &what);
            assert_eq!(answer.blamed(), [blamed], "{what}");
            assert!(answer.body["errors"][0]["source"]["parameter"].is_string(), "{what}");
        }
    }
    world.assert_unchanged();
}

#[test]
fn no_route_takes_a_path_that_names_nothing() {
    let world = World::new();
    let long = "x".repeat(4000);
    let organization_id = world.ada.client.get("/api/v2/organizations/acme").attribute("external-id").clone();
    let wrong = [
        "nonsense",
        "%00",
        "a%00b",
        "%ff",
        "%C3%28",
        "%F0%9F%92%A9",
        "%20",
        "..",
        "acme%2f..%2facme",
        "'%20OR%201=1",
        "team-",
        "team-0OIl",
        "team-1111111111111111111111",
        "TEAM-1111111111111111111111",
        "ws-1111111111111111111111",
        organization_id.as_str().unwrap(),
        &long,
    ];
    for (method, pattern, takes) in ROUTES.iter().filter(|(_, pattern, _)| pattern.contains('{')) {
        let (before, rest) = pattern.split_once('{').unwrap();
        let (kind, after) = rest.split_once('}').unwrap();
        let others = [
            ("team", &world.team),
            ("token", &world.token),
            ("user", &world.ada.id),
            ("membership", &world.membership),
            ("workspace", &world.workspace),
        ];
        let others = others.iter().filter(|(other, _)| *other != kind).map(|(_, id)| id.as_str());
        for id in wrong.iter().copied().chain(others) {
            let path = format!("/api/v2/{before}{id}{after}");
            let answer = world.send_good(&world.ada.client, method, &path, *takes);
            assert_refused(&answer, &[404], &format!("{method} {path}"));
        }
    }
    world.assert_unchanged();
}

#[test]
fn no_route_takes_a_body_that_is_no_document() {
    let world = World::new();
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let deep_attribute = format!(r#"{{"data":{{"type":"teams","attributes":{{"name":{deep}}}}}}}"#);
    let bodies: [&[u8]; 17] = [
        b"{",
        b"nonsense",
        b"null",
        b"7",
        b"\"data\"",
        b"[]",
        b"{}",
        b"{\"data\":null}",
        b"{\"data\":7}",
        b"{\"data\":\"teams\"}",
        b"{\"data\":{\"type\":\"teams\",}}",
        b"{\"data\":{}} x",
        b"{\"data\":{\"type\":\"\xff\"}}",
        b"{\"data\":{\"type\":\"\\ud800\"}}",
        b"\xef\xbb\xbf{\"data\":{}}",
        deep.as_bytes(),
        deep_attribute.as_bytes(),
    ];
    for (method, pattern, _) in ROUTES.iter().filter(|(.., takes)| *takes != Nothing) {
        for body in bodies {
            let path = world.path(pattern);
            let shown = String::from_utf8_lossy(&body[..body.len().min(40)]);
            assert_refused(&world.send_body(method, &path, body), &[400], &format!("{method} {path} {shown}"));
        }
    }
    for (method, pattern, takes) in ROUTES {
        if !matches!(takes, Nothing | TokenOrNothing) {
            let path = world.path(pattern);
            assert_refused(&world.send_body(method, &path, b""), &[400], &format!("{method} {path} with nothing"));
        }
    }
    world.assert_unchanged();
}

#[test]
fn no_route_takes_a_body_of_another_type() {
    let world = World::new();
    for (method, pattern, takes) in ROUTES {
        let path = world.path(pattern);
        let (kind, attributes) = match takes {
            Resource(kind) => (*kind, world.good_body(*takes).unwrap()["data"]["attributes"].clone()),
            Token | TokenOrNothing => ("authentication-tokens", json!({})),
            Nothing | Identifiers(_) | List(_) => continue,
        };
        let refused = |data: Value, status: u16, pointer: &str| {
            let body = json!({ "data": data }).to_string();
            let answer = world.send_body(method, &path, body.as_bytes());
            assert_refused(&answer, &[status], &format!("{method} {path} {body}"));
            assert_eq!(answer.blamed(), [pointer], "{method} {path} {body}");
        };
        refused(json!({"type": "nonsense", "attributes": attributes}), 409, "/data/type");
        refused(json!({"type": kind.to_uppercase(), "attributes": attributes}), 409, "/data/type");
        refused(json!({"type": 7, "attributes": attributes}), 400, "/data/type");
        // Policies may come as a list, but not of something else.
        let listed = pattern.ends_with("/token-ttl-policies");
        let (of, status, pointer) = if listed { ("nonsense", 409, "/data/0/type") } else { (kind, 400, "/data") };
        refused(json!([{"type": of, "attributes": attributes}]), status, pointer);
        refused(json!({"type": kind, "id": 7, "attributes": attributes}), 400, "/data/id");
        refused(json!({"type": kind, "attributes": []}), 422, "/data/attributes");
        refused(json!({"type": kind, "attributes": "name"}), 422, "/data/attributes");
        refused(json!({"type": kind, "attributes": attributes, "relationships": 7}), 422, "/data/relationships");
        if matches!(takes, Resource(_)) {
            refused(json!({"attributes": attributes}), 400, "/data/type");
            refused(json!({"type": "", "attributes": attributes}), 409, "/data/type");
        }
    }
    for (method, pattern, takes) in ROUTES.iter().filter(|(.., takes)| matches!(takes, List(_))) {
        let path = world.path(pattern);
        let good = world.good_body(*takes).unwrap()["data"][0].clone();
        for (wrong, status, pointer) in [
            (good.clone(), 400, "/data"),
            (json!([7]), 400, "/data/0"),
            (json!([good, {"type": "nonsense"}]), 409, "/data/1/type"),
            (json!([good, {"attributes": {}}]), 400, "/data/1/type"),
            (json!([{"type": good["type"], "attributes": 7}]), 422, "/data/0/attributes"),
        ] {
            let body = json!({ "data": wrong }).to_string();
            let answer = world.send_body(method, &path, body.as_bytes());
            assert_refused(&answer, &[status], &format!("{method} {path} {body}"));
            assert_eq!(answer.blamed(), [pointer], "{method} {path} {body}");
        }
    }
    world.assert_unchanged();
}

/// JSON:API "Client-Generated IDs" and "Updating Resources".
#[test]
fn no_route_takes_the_id_of_another_resource_or_one_for_a_new_one() {
    let world = World::new();
    for (method, pattern, takes) in
        ROUTES.iter().filter(|(.., takes)| !matches!(takes, Nothing | Identifiers(_) | List(_)))
    {
        let path = world.path(pattern);
        let mut body = world.good_body(*takes).unwrap();
        body["data"]["id"] = "another".into();
        let answer = world.send_body(method, &path, body.to_string().as_bytes());
        let about_one = *method == "PATCH" || pattern.contains("/actions/");
        let status = if about_one { 409 } else { 403 };
        assert_refused(&answer, &[status], &format!("{method} {path}"));
        assert_eq!(answer.blamed(), ["/data/id"], "{method} {path}");
    }
    world.assert_unchanged();
    let same = |kind: &str, id: &str| json!({"data": {"type": kind, "id": id, "attributes": {}}});
    world.ada.client.patch(&world.path("teams/{team}"), &same("teams", &world.team)).expect(200);
    for id in ["acme", "ACME", ""] {
        world.ada.client.patch("/api/v2/organizations/ACME", &same("organizations", id)).expect(200);
    }
}

#[test]
fn no_route_takes_a_body_of_another_media_type() {
    let world = World::new();
    for (method, pattern, takes) in ROUTES.iter().filter(|(.., takes)| *takes != Nothing) {
        let path = world.path(pattern);
        let body = world.good_body(*takes).unwrap().to_string();
        for media_type in [
            "",
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/xml",
            "application/json; charset=utf-8",
            "application/vnd.api+json; charset=utf-8",
            "application/vnd.api+json; ext=\"https://jsonapi.org/ext/atomic\"",
            "nonsense",
        ] {
            let headers = [("Content-Type", media_type)];
            let answer = world.ada.client.send(method, &path, &headers, Some(body.as_bytes()));
            assert_refused(&answer, &[415], &format!("{method} {path} as {media_type:?}"));
        }
        let answer = world.ada.client.send(method, &path, &[], Some(body.as_bytes()));
        assert_refused(&answer, &[415], &format!("{method} {path} without a type"));
    }
    world.assert_unchanged();
}

#[test]
fn no_route_answers_whom_it_cannot_please() {
    let world = World::new();
    for (method, pattern, takes) in ROUTES {
        let path = world.path(pattern);
        let body = world.good_body(*takes).map(|body| body.to_string());
        for accept in [
            "text/html",
            "application/vnd.api+json; charset=utf-8",
            "application/vnd.api+json; ext=\"https://jsonapi.org/ext/atomic\"",
            "application/vnd.api+json;q=0",
            "nonsense",
        ] {
            let headers = [("Content-Type", MEDIA_TYPE), ("Accept", accept)];
            let answer = world.ada.client.send(method, &path, &headers, body.as_deref().map(str::as_bytes));
            assert_refused(&answer, &[406], &format!("{method} {path} for {accept}"));
        }
    }
    world.assert_unchanged();
}

#[test]
fn no_route_takes_a_body_over_1_mib() {
    let world = World::new();
    for (method, pattern, takes) in ROUTES.iter().filter(|(.., takes)| *takes != Nothing) {
        let path = world.path(pattern);
        let mut body = world.good_body(*takes).unwrap().to_string();
        body.push_str(&" ".repeat(1024 * 1024 + 1 - body.len()));
        assert_refused(&world.send_body(method, &path, body.as_bytes()), &[413], &format!("{method} {path}"));
    }
    world.assert_unchanged();
    let mut largest = resource("teams", json!({"description": "fits"})).to_string();
    largest.push_str(&" ".repeat(1024 * 1024 - largest.len()));
    world.send_body("PATCH", &world.path("teams/{team}"), largest.as_bytes()).expect(200);
}

#[test]
fn no_route_lets_in_who_has_no_good_token() {
    let world = World::new();
    let secret = world.ada.client.secret().to_owned();
    let last = if secret.ends_with('0') { "1" } else { "0" };
    let mistyped = format!("{}{last}", &secret[..secret.len() - 1]);
    let clients = [world.app.anonymous(), world.app.with(&mistyped), world.app.with("nonsense")];
    for (method, pattern, takes) in ROUTES {
        for client in &clients {
            let path = world.path(pattern);
            let answer = world.send_good(client, method, &path, *takes);
            assert_refused(&answer, &[401], &format!("{method} {path}"));
            assert!(answer.header("WWW-Authenticate").unwrap().starts_with("Bearer"));
        }
    }
    world.assert_unchanged();
}

#[test]
fn no_path_takes_a_method_that_it_does_not_know() {
    let world = World::new();
    let mut known: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (method, pattern, _) in ROUTES {
        known.entry(pattern).or_default().insert(method);
    }
    for (pattern, methods) in known {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "NONSENSE"] {
            if methods.contains(method) {
                continue;
            }
            let path = world.path(pattern);
            let answer = world.ada.client.send(method, &path, &[], None);
            assert_refused(&answer, &[405], &format!("{method} {path}"));
            let allowed: BTreeSet<&str> = answer.header("Allow").unwrap().split(", ").collect();
            assert_eq!(allowed, with_head(&methods), "{method} {path}");
        }
    }
    world.assert_unchanged();
}

/// Where there is GET there is HEAD.
fn with_head<'a>(methods: &BTreeSet<&'a str>) -> BTreeSet<&'a str> {
    let head = methods.contains("GET").then_some("HEAD");
    methods.iter().copied().chain(head).collect()
}

#[test]
fn an_unknown_path_is_404() {
    let world = World::new();
    for path in ["/", "/api", "/api/v2", "/api/v2/", "/api/v2/nonsense", "/api/v2/teams", "/api/v2/%00", "/api/v2/%ff"]
    {
        for client in [&world.ada.client, &world.app.anonymous()] {
            assert_refused(&client.get(path), &[404], path);
        }
    }
}

#[test]
fn no_list_takes_a_page_that_cannot_be() {
    let world = World::new();
    for pattern in LISTS {
        for (query, parameter) in [
            ("page[number]=1.5", "page[number]"),
            ("page[number]=+1", "page[number]"),
            ("page[number]=0x1", "page[number]"),
            ("page[size]=-1", "page[size]"),
            ("page[size]=abc", "page[size]"),
            ("page[after]=%00", "page[after]"),
            ("page[before]=eyJ9", "page[before]"),
        ] {
            let path = format!("{}?{query}", world.path(pattern));
            let answer = world.ada.client.get(&path);
            assert_refused(&answer, &[400], &path);
            assert_eq!(answer.blamed(), [parameter], "{path}");
        }
        // There is such a page; it is just far behind the end.
        let far = format!("{}?page[number]=9223372036854775807&page[size]=100", world.path(pattern));
        assert!(world.ada.client.get(&far).status < 500, "{far}");
    }
}

#[test]
fn no_list_takes_the_same_parameter_twice() {
    let world = World::new();
    for pattern in LISTS {
        for (query, blamed) in [
            ("page[number]=1&page[number]=2", "page[number]"),
            ("page[size]=1&page[size]=2", "page[size]"),
            ("q=a&q=b", "q"),
        ] {
            let path = format!("{}?{query}", world.path(pattern));
            let answer = world.ada.client.get(&path);
            assert_refused(&answer, &[400], &path);
            let blames = answer.blamed();
            assert!(!blames.is_empty() && blames.iter().all(|one| one == blamed), "{path}: {blames:?}");
        }
    }
    let twice = "/api/v2/organizations?sort=nonsense&page[number]=0&filter[nonsense]=1";
    let every_fault = world.ada.client.get(twice);
    assert_refused(&every_fault, &[400], twice);
    assert_eq!(every_fault.blamed().into_iter().collect::<BTreeSet<_>>(), {
        BTreeSet::from(["sort", "page[number]", "filter[nonsense]"].map(String::from))
    });
}

#[test]
fn a_nul_character_is_refused_wherever_it_is() {
    let world = World::new();
    let send = |path: &str, method: &str, document: Value| {
        let answer = world.send_body(method, &world.path(path), document.to_string().as_bytes());
        assert_refused(&answer, &[422], &document.to_string());
        answer.blamed()
    };
    let name = resource("organizations", json!({"name": "a\0", "email": "a@example.com"}));
    assert_eq!(send("organizations", "POST", name), ["/data/attributes/name"]);
    let description = resource("teams", json!({"name": "a", "description": "\0"}));
    assert_eq!(send("organizations/{organization}/teams", "POST", description), ["/data/attributes/description"]);
    let description = resource("authentication-tokens", json!({"description": "a\0b"}));
    assert_eq!(send("teams/{team}/authentication-tokens", "POST", description), ["/data/attributes/description"]);
    let user = identifiers("users", &["ada\0"]);
    assert_eq!(send("teams/{team}/relationships/users", "POST", user), ["/data/0/id"]);
    let email = resource("users", json!({"email": "ada\0@example.com"}));
    assert_eq!(send("account/update", "PATCH", email), ["/data/attributes/email"]);
    let member = identifiers("organization-memberships", &["ou-\0"]);
    let path = "teams/{team}/relationships/organization-memberships";
    assert_eq!(send(path, "POST", member), ["/data/0/id"]);
    let role = resource("organizations", json!({"owners-team-saml-role-id": "\0"}));
    let role = send("organizations/{organization}", "PATCH", role);
    assert_eq!(role, ["/data/attributes/owners-team-saml-role-id"]);
    world.assert_unchanged();
}

#[test]
fn a_time_that_is_none_is_refused() {
    let world = World::new();
    for time in [
        json!("2026-13-45"),
        json!("yesterday"),
        json!(""),
        json!("2031-02-30T00:00:00Z"),
        json!("2031-05-17"),
        json!("2031-05-17T00:00:00"),
        json!("999999999-01-01T00:00:00Z"),
        json!("2020-01-01T00:00:00Z"),
        json!(1_900_000_000),
        json!(true),
        json!({"at": "2031-05-17T00:00:00Z"}),
    ] {
        for pattern in [
            "teams/{team}/authentication-token",
            "teams/{team}/authentication-tokens",
            "users/{user}/authentication-tokens",
            "organizations/{organization}/authentication-token",
            "organizations/{organization}/authentication-token?token=audit-trails",
        ] {
            let document = resource("authentication-tokens", json!({"description": "x", "expired-at": time}));
            let answer = world.ada.client.post(&world.path(pattern), &document);
            assert_refused(&answer, &[422], &time.to_string());
            assert_eq!(answer.blamed(), ["/data/attributes/expired-at"], "{time}");
        }
    }
    world.assert_unchanged();
}

#[test]
fn a_null_document_is_not_an_empty_one() {
    let world = World::new();
    let path = world.path("teams/{team}/authentication-token");
    for body in ["null", "{\"data\":null}", "{\"data\":[]}"] {
        assert_refused(&world.send_body("POST", &path, body.as_bytes()), &[400], body);
    }
    world.assert_unchanged();
}

/// The values of an object's members in their order are not the object.
#[test]
fn a_list_of_values_is_no_object() {
    let world = World::new();
    let workspace = world.path("workspaces/{workspace}");
    let organization = world.path("organizations/{organization}");
    for (path, kind, attributes) in [
        (&workspace, "workspaces", json!({"setting-overwrites": [true, true]})),
        (&workspace, "workspaces", json!({"setting-overwrites": [null, null]})),
        (&workspace, "workspaces", json!({"vcs-repo": ["acme/app", "main"]})),
        (&workspace, "workspaces", json!({"vcs-repo": []})),
        (
            &format!("{organization}/token-ttl-policies"),
            "organization-token-ttl-policies",
            json!({"token-ttl-policies": [["team", 86_400_000]]}),
        ),
        (&format!("{organization}/abilities"), "abilities", json!({"abilities": [["agents:read", "Look"]]})),
    ] {
        let refused = world.ada.client.patch(path, &resource(kind, attributes.clone())).expect(422);
        assert!(refused.detail().contains("an object"), "{attributes}: {}", refused.detail());
    }
    world.assert_unchanged();
}

#[test]
fn every_wrong_token_gets_the_same_401() {
    let world = World::new();
    let secret = world.ada.client.secret().to_owned();
    let revoked = world.ada.team_token(&world.team);
    world.ada.client.delete(&format!("/api/v2/authentication-tokens/{}", revoked.id())).expect(204);
    let expired = world.ada.described_token(&world.team, json!({"description": "expired"}));
    world.app.sql("UPDATE tokens SET expired_at = now() - interval '1 second' WHERE description = 'expired'");
    let disabled = world.ada.described_token(&world.team, json!({"description": "disabled"}));
    world.app.sql("UPDATE tokens SET disabled_at = now() WHERE description = 'disabled'");
    let get = |authorization: &str| {
        let headers = [("Authorization", authorization)];
        let mut answer = world.app.anonymous().send("GET", "/api/v2/account/details", &headers, None);
        assert_refused(&answer, &[401], authorization.split(' ').next().unwrap());
        answer.body["errors"][0]["id"].take();
        answer.body
    };
    let expected = get("");
    for authorization in [
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        format!("Basic {secret}"),
        format!("Token {secret}"),
        format!("Bearer {secret}x"),
        format!("Bearer {secret} x"),
        format!("Bearer \"{secret}\""),
        format!("Bearer {}", secret.to_lowercase()),
        format!("Bearer {}", &secret[1..]),
        format!("Bearer{secret}"),
        secret.clone(),
        format!("Bearer {}", "x".repeat(4000)),
        format!("Bearer {}", revoked.secret()),
        format!("Bearer {}", expired.secret()),
        format!("Bearer {}", disabled.secret()),
    ] {
        assert_eq!(get(&authorization), expected);
    }
    // Each character counts, also those of the checksum and of the prefix.
    for place in 0..secret.len() {
        let other = if secret.as_bytes()[place] == b'a' { "b" } else { "a" };
        let changed = format!("{}{other}{}", &secret[..place], &secret[place + 1..]);
        assert_eq!(get(&format!("Bearer {changed}")), expected);
    }
}

#[test]
fn a_scheme_is_bearer_in_any_case() {
    let world = World::new();
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let authorization = format!("{scheme} {}", world.ada.client.secret());
        let headers = [("Authorization", authorization.as_str())];
        world.app.anonymous().send("GET", "/api/v2/account/details", &headers, None).expect(200);
    }
}

#[test]
fn two_authorization_headers_are_no_authorization() {
    let world = World::new();
    let secret = world.ada.client.secret();
    let good = format!("Authorization: Bearer {secret}\r\n");
    let get =
        |headers: &str| speak(&world.app, format!("GET /api/v2/account/details HTTP/1.1\r\n{headers}").as_bytes());
    assert_eq!(status(&get(&format!("{good}{END}"))), 200);
    assert_eq!(status(&get(&format!("{good}{good}{END}"))), 401);
    assert_eq!(status(&get(&format!("{good}Authorization: Basic YTpi\r\n{END}"))), 401);
    assert_eq!(status(&get(&format!("Authorization: Basic YTpi\r\n{good}{END}"))), 401);
}

/// The end of a request's head.
const END: &str = "Host: latchkey\r\nConnection: close\r\n\r\n";

/// Sends bytes as they are, and reads until the server closes.
fn speak(app: &App, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(app.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.set_write_timeout(Some(Duration::from_secs(10))).unwrap();
    // A server may refuse, and close, before it has read everything.
    let _ = stream.write_all(bytes);
    let mut answer = vec![];
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

#[track_caller]
fn status(answer: &str) -> u16 {
    let line = answer.lines().next().unwrap_or_default();
    line.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or_else(|| panic!("no answer, but {answer:?}"))
}

#[test]
fn a_request_line_with_invalid_bytes_is_400() {
    let world = World::new();
    for line in [
        b"GET /api/v2/teams/\xff HTTP/1.1\r\n".as_slice(),
        b"GET /api/v2/teams/\0 HTTP/1.1\r\n",
        b"GET /api/v2/a b HTTP/1.1\r\n",
        b"GET nonsense HTTP/1.1\r\n",
        b"G\xffT / HTTP/1.1\r\n",
        b"GET / HTTP/9.9\r\n",
        b"nonsense\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n",
    ] {
        let answer = speak(&world.app, &[line, END.as_bytes()].concat());
        let status = status(&answer);
        assert!((400..500).contains(&status), "{:?}: {answer}", String::from_utf8_lossy(line));
    }
    world.assert_unchanged();
}

#[test]
fn a_header_over_the_limit_is_refused() {
    let world = World::new();
    for size in [200_000, 2_000_000] {
        let request = format!("GET /api/v2/ping HTTP/1.1\r\nX-Long: {}\r\n{END}", "x".repeat(size));
        let mut stream = TcpStream::connect(world.app.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let began = Instant::now();
        let _ = stream.write_all(request.as_bytes());
        let mut answer = vec![];
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer);
        // A reset while the client still writes can swallow the answer, but not turn it into a good one.
        assert!(answer.is_empty() || (400..500).contains(&status(&answer)), "{answer}");
        assert!(began.elapsed() < Duration::from_secs(9), "the server hangs up");
    }
    world.assert_unchanged();
}

#[test]
fn a_body_that_announces_10_mb_is_refused_before_it_is_sent() {
    let world = World::new();
    for (method, pattern, _) in ROUTES.iter().filter(|(.., takes)| *takes != Nothing) {
        let request = format!(
            "{method} {} HTTP/1.1\r\nAuthorization: Bearer {}\r\nContent-Type: {MEDIA_TYPE}\r\n\
             Content-Length: 10485760\r\n{END}",
            world.path(pattern),
            world.ada.client.secret()
        );
        let answer = speak(&world.app, request.as_bytes());
        assert_eq!(status(&answer), 413, "{answer}");
        assert!(answer.contains("\"status\":\"413\""), "{answer}");
    }
    world.assert_unchanged();
}

#[test]
fn a_chunked_body_over_1_mib_is_refused() {
    let world = World::new();
    let mut request = format!(
        "PATCH {} HTTP/1.1\r\nAuthorization: Bearer {}\r\nContent-Type: {MEDIA_TYPE}\r\n\
         Transfer-Encoding: chunked\r\n{END}",
        world.path("teams/{team}"),
        world.ada.client.secret()
    );
    let document = resource("teams", json!({"name": "changed"})).to_string();
    request.push_str(&format!("{:x}\r\n{document}\r\n", document.len()));
    for _ in 0..17 {
        request.push_str(&format!("10000\r\n{}\r\n", " ".repeat(0x10000)));
    }
    request.push_str("0\r\n\r\n");
    let answer = speak(&world.app, request.as_bytes());
    assert_eq!(status(&answer), 413, "{answer}");
    world.assert_unchanged();
}

#[test]
fn a_body_that_breaks_off_changes_nothing() {
    let world = World::new();
    let document = resource("teams", json!({"name": "changed"})).to_string();
    let head = format!(
        "PATCH {} HTTP/1.1\r\nAuthorization: Bearer {}\r\nContent-Type: {MEDIA_TYPE}\r\n",
        world.path("teams/{team}"),
        world.ada.client.secret()
    );
    for request in [
        format!("{head}Content-Length: {}\r\n{END}{document}", document.len() + 1),
        format!("{head}Transfer-Encoding: chunked\r\n{END}{:x}\r\n{document}\r\n", document.len()),
    ] {
        let mut stream = TcpStream::connect(world.app.address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        assert!(answer.is_empty() || (400..500).contains(&status(&answer)), "{answer}");
    }
    for wrong in [
        format!("{head}Content-Length: nonsense\r\n{END}{document}"),
        format!("{head}Content-Length: -1\r\n{END}{document}"),
        format!("{head}Content-Length: 1\r\nContent-Length: 2\r\n{END}{document}"),
        format!("{head}Transfer-Encoding: chunked\r\n{END}nonsense\r\n{document}\r\n0\r\n\r\n"),
    ] {
        let status = status(&speak(&world.app, wrong.as_bytes()));
        assert!((400..500).contains(&status), "{status}");
    }
    world.assert_unchanged();
}

/// RFC 9110 §9.1: GET and HEAD are what every server must support.
#[test]
fn head_is_get_without_a_body() {
    let world = World::new();
    for (_, pattern, _) in ROUTES.iter().filter(|(method, ..)| *method == "GET") {
        let path = world.path(pattern);
        let ask = |method: &str, path: &str| {
            let secret = world.ada.client.secret();
            speak(&world.app, format!("{method} {path} HTTP/1.1\r\nAuthorization: Bearer {secret}\r\n{END}").as_bytes())
        };
        for (path, expected) in [(path.clone(), 200), (format!("{path}?nonsense=1"), 400)] {
            let answer = ask("HEAD", &path);
            assert_eq!(status(&answer), expected, "HEAD {path}");
            assert!(answer.ends_with("\r\n\r\n"), "HEAD {path}: {answer}");
        }
    }
    // What comes next on the same connection is the next answer and not the body that was left out.
    let head = "HEAD /api/v2/nonsense HTTP/1.1\r\nHost: latchkey\r\n\r\n";
    let two = speak(&world.app, format!("{head}GET /api/v2/ping HTTP/1.1\r\n{END}").as_bytes());
    assert!(two.starts_with("HTTP/1.1 404") && two.contains("\r\n\r\nHTTP/1.1 204"), "{two}");
    world.assert_unchanged();
}
