//! What clients send by mistake or on purpose: every route × every kind of badness, and the wire itself.

mod bodies;
mod fuzz;
mod paths;
mod queries;
mod tokens;
mod values;
mod wire;

use std::ops::Deref;

use serde_json::{Value, json};

use crate::support::app::{FIRST_PASSWORD, identifiers, project_access, resource, team_access};
use crate::support::client::{Answer, Client, MEDIA_TYPE};
use crate::support::everything::Everything;
use crate::support::routes::{Route, Takes, description, routes};

const PASSWORD: &str = "changed password";

/// Reading a token leaves an event as well, and is no change.
const CHANGES: &str = "audit_events WHERE action NOT IN ('show', 'refuse')";

const TABLES: [&str; 16] = [
    "users",
    "organizations",
    "memberships",
    "teams",
    "team_members",
    "tokens",
    "token_ttl_policies",
    "abilities",
    "workspaces WHERE locked_at IS NULL",
    "tags",
    "workspace_tags",
    "remote_state_consumers",
    "projects",
    "team_projects",
    "reserved_tag_keys",
    CHANGES,
];

/// A service with one of everything, its routes, and what a sweep must leave as it was.
struct World {
    everything: Everything,
    routes: Vec<Route>,
    /// A team that has no access to the workspace yet.
    other_team: String,
    rows: Vec<i64>,
}

impl Deref for World {
    type Target = Everything;

    fn deref(&self) -> &Everything {
        &self.everything
    }
}

impl World {
    fn new() -> Self {
        let everything = Everything::new();
        let routes: Vec<Route> =
            routes(&description(&everything.app)).into_iter().filter(|route| route.needs_token).collect();
        assert!(routes.len() > 60);
        let other_team = everything.ada.team("acme", "ops");
        let rows = TABLES.map(|table| everything.app.count(table)).to_vec();
        Self { everything, routes, other_team, rows }
    }

    /// Every route that takes a body.
    fn routes_with_body(&self) -> impl Iterator<Item = &Route> {
        self.routes.iter().filter(|route| route.takes != Takes::Nothing)
    }

    /// A path below `/api/v2/`, with every parameter filled.
    #[track_caller]
    fn below(&self, template: &str) -> String {
        self.path(&format!("/api/v2/{template}"))
    }

    /// A body that the route would take.
    fn good_body(&self, route: &Route) -> Option<Value> {
        let body = match &route.takes {
            Takes::Nothing => return None,
            Takes::Resource(kind) => match kind.as_str() {
                "users" if route.method == "POST" => resource("users", json!({"username": "changed"})),
                "users" => {
                    let current = json!({"current_password": FIRST_PASSWORD});
                    let mut document = resource("users", current);
                    for name in ["password", "password_confirmation"] {
                        document["data"]["attributes"][name] = PASSWORD.into();
                    }
                    document
                }
                "organization-memberships" => {
                    let mut invitation = resource("organization-memberships", json!({"email": "changed@example.com"}));
                    let teams = identifiers("teams", &[self.id("team")]);
                    invitation["data"]["relationships"] = json!({ "teams": teams });
                    invitation
                }
                "organization-token-ttl-policies" => {
                    let policies = json!([{"token-type": "team", "max-ttl-ms": 86_400_000}]);
                    resource("organization-token-ttl-policies", json!({"token-ttl-policies": policies}))
                }
                "subscription" => {
                    let mut subscription = resource("subscription", json!({}));
                    let plan = json!({"data": {"type": "feature-sets", "id": "business"}});
                    subscription["data"]["relationships"] = json!({ "feature-set": plan });
                    subscription
                }
                "abilities" => resource("abilities", json!({"abilities": [{"name": "agents:read"}]})),
                "team-workspaces" => team_access(&self.other_team, self.id("workspace"), json!({"access": "plan"})),
                "team-projects" => project_access(&self.other_team, self.id("project"), json!({"access": "write"})),
                "reserved-tag-keys" => resource(kind, json!({"key": "changed"})),
                "projects" => resource(kind, json!({"name": "changed"})),
                "organizations" | "teams" | "workspaces" => {
                    resource(kind, json!({"name": "changed", "email": "changed@example.com"}))
                }
                _ => panic!("no row for {}, which takes {kind}", route.name()),
            },
            Takes::LenientResource(kind) | Takes::LenientResourceOrNothing(kind) => {
                resource(kind, json!({"description": "changed"}))
            }
            Takes::Identifiers(kind) => match kind.as_str() {
                "organization-memberships" => identifiers(kind, &[self.id("membership")]),
                "users" => identifiers(kind, &["ada"]),
                "workspaces" => identifiers(kind, &[self.id("workspace")]),
                "authentication-tokens" => identifiers(kind, &[self.id("token")]),
                "tags" => identifiers(kind, &[self.id("tag")]),
                _ => panic!("no row for {}, which takes a list of {kind}", route.name()),
            },
            Takes::List(kind) => {
                let attributes = json!({"name": "changed", "key": "changed", "value": ""});
                json!({"data": [{"type": kind, "attributes": attributes}]})
            }
        };
        Some(body)
    }

    fn send_good(&self, client: &Client, route: &Route, target: &str) -> Answer {
        let body = self.good_body(route).map(|body| body.to_string());
        let headers: &[_] = if body.is_some() { &[("Content-Type", MEDIA_TYPE)] } else { &[] };
        client.send(&route.method, target, headers, body.as_deref().map(str::as_bytes))
    }

    fn send_body(&self, route: &Route, body: &[u8]) -> Answer {
        let target = self.target(route);
        self.client(route).send(&route.method, &target, &[("Content-Type", MEDIA_TYPE)], Some(body))
    }

    fn send(&self, method: &str, path: &str, body: &[u8]) -> Answer {
        self.ada.client.send(method, path, &[("Content-Type", MEDIA_TYPE)], Some(body))
    }

    #[track_caller]
    fn assert_unchanged(&self) {
        let rows = TABLES.map(|table| self.app.count(table)).to_vec();
        assert_eq!(rows, self.rows, "{TABLES:?}");
        let team = self.ada.client.get(&self.below("teams/{team}")).expect(200);
        assert_eq!((team.attribute("name"), team.attribute("users-count")), (&json!("ci"), &json!(1)));
        self.ada.client.get("/api/v2/organizations/acme").expect(200);
    }
}

/// A target with one more parameter in its query.
fn with_query(target: &str, query: &str) -> String {
    let separator = if target.contains('?') { '&' } else { '?' };
    format!("{target}{separator}{query}")
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
