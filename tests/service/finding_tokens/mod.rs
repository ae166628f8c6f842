//! `organizations/:name/authentication-tokens`, and the filters that all lists of tokens have: each alone, what is
//! refused, who sees what (`each`), and any combination against a plain model (`model`).

mod each;
mod model;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use chrono::{DateTime, TimeDelta, Utc};
use latchkey::ids::TokenId;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;
use uuid::Uuid;

use crate::support::App;
use crate::support::app::{User, resource};
use crate::support::client::Answer;

const KEY: &str = "0123456789012345678901234567890123456789012";
const LIST: &str = "/api/v2/organizations/acme/authentication-tokens";

const TEAMS: [&str; 3] = ["Build_1", "build-2", "ops"];
const WORKSPACES: [&str; 2] = ["prod", "Lab-1"];
/// What the tokens of these may reach.
const OF_TEAMS: [&[&str]; 3] = [&["agents:*", "hooks:send"], &["agents:*", "hooks:*"], &["agents:read"]];
const OF_WORKSPACES: [&[&str]; 2] = [&["agents:read", "hooks:*"], &[]];

/// What the model knows of a token.
#[derive(Debug, Clone)]
struct Row {
    id: Uuid,
    kind: &'static str,
    /// Which of the teams or workspaces it belongs to.
    owner: usize,
    description: Option<&'static str>,
    prefix: &'static str,
    format: &'static str,
    role: &'static str,
    /// None for all that its owner has.
    abilities: Option<Vec<&'static str>>,
    labels: Vec<(&'static str, &'static str)>,
    maker: Maker,
    /// Which of the rows it succeeds, by id.
    replaces: Option<Uuid>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    last_used_at: Option<DateTime<Utc>>,
    expired_at: Option<DateTime<Utc>>,
    disabled_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
    usage_count: i64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Maker {
    Ada,
    /// Who was a member of `acme`, and is none any more.
    Bob,
    Team(usize),
    Organization,
    Nobody,
}

impl Row {
    fn new(kind: &'static str, description: &'static str, now: DateTime<Utc>) -> Self {
        Self {
            id: TokenId::generate().uuid(),
            kind,
            owner: 0,
            description: Some(description),
            prefix: "lkt_abcdef",
            format: "opaque",
            role: "owner",
            abilities: Some(vec![]),
            labels: vec![],
            maker: Maker::Ada,
            replaces: None,
            created_at: now - TimeDelta::days(1),
            updated_at: now - TimeDelta::days(1),
            last_used_at: None,
            expired_at: None,
            disabled_at: None,
            revoked_at: None,
            usage_count: 0,
        }
    }

    fn public_id(&self) -> String {
        TokenId::from(self.id).to_string()
    }

    fn status(&self, now: DateTime<Utc>) -> &'static str {
        let over = |time: Option<DateTime<Utc>>| time.is_some_and(|time| time <= now);
        match self {
            _ if over(self.revoked_at) => "revoked",
            _ if over(self.expired_at) => "expired",
            _ if self.disabled_at.is_some() => "inactive",
            _ => "active",
        }
    }

    /// Whether it reaches this: by what it lists, and by what its owner has.
    fn reaches(&self, asked: &str) -> bool {
        let (resource, _) = asked.split_once(':').unwrap();
        let covers = |abilities: &[&str]| {
            abilities.iter().any(|ability| *ability == asked || *ability == format!("{resource}:*"))
        };
        let owner = match self.kind {
            "team" => covers(OF_TEAMS[self.owner]),
            "workspace" => covers(OF_WORKSPACES[self.owner]),
            "audit-trails" => false,
            _ => true,
        };
        owner && self.abilities.as_deref().is_none_or(covers)
    }

    fn owner_name(&self) -> &'static str {
        match self.kind {
            "team" => TEAMS[self.owner],
            "workspace" => WORKSPACES[self.owner],
            "user" => "ada",
            _ => "acme",
        }
    }

    fn maker_name(&self) -> Option<&'static str> {
        match self.maker {
            Maker::Ada => Some("ada"),
            Maker::Bob => Some("bob"),
            Maker::Team(nth) => Some(TEAMS[nth]),
            Maker::Organization => Some("acme"),
            Maker::Nobody => None,
        }
    }
}

/// The organization `acme` with teams and workspaces, and another one like it.
struct World {
    app: App,
    ada: User,
    bob: User,
    acme: String,
    teams: Vec<String>,
    workspaces: Vec<String>,
    now: DateTime<Utc>,
}

impl World {
    fn build() -> Self {
        let app = App::start();
        let ada = app.user("ada");
        let acme = ada.organization("acme").attribute("external-id").as_str().unwrap().to_owned();
        let teams = TEAMS.map(|team| ada.team("acme", team)).to_vec();
        let workspaces = WORKSPACES.map(|workspace| ada.workspace("acme", workspace)).to_vec();
        for (ids, kind, reaches) in [(&teams, "teams", &OF_TEAMS[..]), (&workspaces, "workspaces", &OF_WORKSPACES)] {
            for (id, abilities) in ids.iter().zip(reaches) {
                let change = resource(kind, json!({ "abilities": abilities }));
                ada.client.patch(&format!("/api/v2/{kind}/{id}"), &change).expect(200);
            }
        }
        let bob = app.user("bob");
        // What is nobody's to see in `acme`.
        let eve = app.user("eve");
        eve.organization("evil");
        eve.team_token(&eve.team("evil", "ops"));
        // Random rows need not be such as the service would let them come about.
        app.sql("DROP INDEX tokens_one_per_team, tokens_one_per_organization");
        let now = DateTime::from_timestamp_micros(Utc::now().timestamp_micros()).unwrap();
        Self { app, ada, bob, acme, teams, workspaces, now }
    }

    /// Inserts rows, in one statement.
    fn insert(&self, rows: &[Row]) {
        if rows.is_empty() {
            return;
        }
        let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
        let time = |time: Option<DateTime<Utc>>| time.map_or("NULL".to_owned(), |time| quoted(&time.to_rfc3339()));
        let named = |table: &str, name: &str| {
            let acme = "organization_id = (SELECT id FROM organizations WHERE name = 'acme')";
            format!("(SELECT id FROM {table} WHERE name = '{name}' AND {acme})")
        };
        let acme = "(SELECT id FROM organizations WHERE name = 'acme')";
        let ada = "(SELECT id FROM users WHERE username = 'ada')";
        let bob = "(SELECT id FROM users WHERE username = 'bob')";
        let mut values = vec![];
        for row in rows {
            let id = row.id;
            let none = || "NULL".to_owned();
            let owners = match row.kind {
                "user" => [ada.to_owned(), none(), none(), none()],
                "team" => [none(), acme.to_owned(), named("teams", TEAMS[row.owner]), none()],
                "workspace" => [none(), acme.to_owned(), none(), named("workspaces", WORKSPACES[row.owner])],
                _ => [none(), acme.to_owned(), none(), none()],
            };
            let makers = match row.maker {
                Maker::Ada => [ada.to_owned(), none(), none()],
                Maker::Bob => [bob.to_owned(), none(), none()],
                Maker::Team(nth) => [none(), named("teams", TEAMS[nth]), none()],
                Maker::Organization => [none(), none(), acme.to_owned()],
                Maker::Nobody => [none(), none(), none()],
            };
            let mut value = format!("('{id}', '{}', {}", row.kind, owners.join(", "));
            write!(value, ", {}, sha256('{id}')", row.description.map_or_else(none, quoted)).unwrap();
            write!(value, ", '{}', '{}', '{}'", row.prefix, row.format, row.role).unwrap();
            let abilities = row.abilities.as_ref().map_or_else(none, |listed| format!("'{{{}}}'", listed.join(",")));
            write!(value, ", {abilities}, {}", makers.join(", ")).unwrap();
            for moment in [
                Some(row.created_at),
                Some(row.updated_at),
                row.last_used_at,
                row.expired_at,
                row.disabled_at,
                row.revoked_at,
            ] {
                write!(value, ", {}", time(moment)).unwrap();
            }
            let signed_with = if row.format == "jwt" { quoted(KEY) } else { "null".to_owned() };
            let labels: serde_json::Map<_, _> =
                row.labels.iter().map(|(key, text)| ((*key).to_owned(), json!(text))).collect();
            let replaces = row.replaces.map_or_else(none, |id| quoted(&id.to_string()));
            values.push(format!("{value}, {}, {signed_with}, '{}', {replaces})", row.usage_count, json!(labels)));
        }
        // What a row that is a JWT was signed with: a key that is out of use.
        self.app.sql(&format!(
            "INSERT INTO signing_keys (kid, public_key, retired_at) \
             VALUES ('{KEY}', decode(repeat('00', 32), 'hex'), now()) ON CONFLICT DO NOTHING"
        ));
        self.app.sql(&format!(
            "INSERT INTO tokens (id, kind, user_id, organization_id, team_id, workspace_id, description, token_hash, \
             token_prefix, format, role, abilities, created_by_user_id, created_by_team_id, \
             created_by_organization_id, created_at, updated_at, last_used_at, expired_at, disabled_at, revoked_at, \
             usage_count, signing_key, labels, replaces) VALUES {}",
            values.join(", ")
        ));
    }

    fn clear(&self) {
        self.app.sql("DELETE FROM tokens WHERE organization_id IS NOT NULL");
    }

    /// The descriptions of what a question finds, sorted.
    #[track_caller]
    fn found(&self, question: &str) -> BTreeSet<String> {
        descriptions(&self.ada.client.get(&format!("{LIST}?page[size]=100&{question}")).expect(200))
    }
}

fn descriptions(answer: &Answer) -> BTreeSet<String> {
    let data = answer.body["data"].as_array().unwrap();
    data.iter().map(|token| token["attributes"]["description"].as_str().unwrap_or("(none)").to_owned()).collect()
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// A token of each kind and status, each with something of its own, by description.
fn one_of_each(world: &World) -> Vec<Row> {
    let now = world.now;
    let days = |days: i64| now + TimeDelta::days(days);
    let team = Row {
        role: "viewer",
        abilities: Some(vec!["agents:read"]),
        created_at: days(-200),
        last_used_at: Some(days(-100)),
        ..Row::new("team", "team", now)
    };
    let other = Row {
        owner: 1,
        abilities: Some(vec!["agents:*", "hooks:send"]),
        labels: vec![("env", "prod")],
        maker: Maker::Team(1),
        created_at: days(-40),
        updated_at: days(-20),
        ..Row::new("team", "a,b", now)
    };
    let empty = Row {
        owner: 1,
        role: "admin",
        maker: Maker::Organization,
        created_at: days(-20),
        last_used_at: Some(days(-10)),
        expired_at: Some(days(3)),
        ..Row::new("team", "", now)
    };
    let workspace =
        Row { created_at: days(-300), disabled_at: Some(days(-1)), ..Row::new("workspace", "workspace", now) };
    let organization =
        Row { maker: Maker::Nobody, expired_at: Some(days(-2)), ..Row::new("organization", "organization", now) };
    let audit = Row { expired_at: Some(days(20)), ..Row::new("audit-trails", "audit", now) };
    let revoked = Row { revoked_at: Some(days(-5)), created_at: days(-400), ..Row::new("team", "revoked", now) };
    let grace = Row { owner: 2, revoked_at: Some(days(1)), ..Row::new("team", "grace", now) };
    let own = Row::new("user", "own", now);
    vec![team, other, empty, workspace, organization, audit, revoked, grace, own]
}
