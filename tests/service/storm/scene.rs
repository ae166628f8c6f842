//! The service, the quiet tenant and the hostile ones.

use std::sync::Mutex;

use diesel::{Connection, PgConnection};
use latchkey::tokens;
use latchkey::users::{NewUser, Rank};
use nix::unistd::Pid;
use serde_json::json;

use crate::support::app::{FIRST_PASSWORD_HASH, resource};
use crate::support::client::{Answer, Client};
use crate::support::cluster;
use crate::support::leaks;
use crate::support::process::{Folder, Served, postmaster, private_database};

/// How many hostile users there are.
pub const HOSTILE: usize = 4;

/// The owner of an organization with a team.
pub struct Tenant {
    pub client: Client,
    pub organization: String,
    pub team: String,
}

pub struct Scene {
    pub service: Served,
    pub quiet: Tenant,
    pub hostile: Vec<Tenant>,
    pub database: String,
    data: Folder,
    /// How many answers the hostile ones got since [`Scene::answers`] was asked, and what was wrong with some.
    met: Mutex<(u64, Vec<String>)>,
}

impl Scene {
    /// Starts a service. The first of the hostile tenants has so many tokens.
    pub fn set(tokens: u32) -> Self {
        let data = Folder::new();
        let service = Served::start_best(&data, None);
        let database = private_database(&data);
        let tenant = |name: &str| Tenant::new(&service, &database, name);
        let quiet = tenant("quiet");
        let hostile: Vec<Tenant> = (0..HOSTILE).map(|nth| tenant(&format!("hostile{nth}"))).collect();
        many_tokens(&database, &hostile[0].organization, tokens);
        cluster::execute(&database, "ANALYZE tokens");
        Self { service, quiet, hostile, database, data, met: Mutex::default() }
    }

    /// Takes note of what a hostile request was answered. It may get none, and be told to wait; but the service never breaks.
    pub fn met(&self, answer: Result<Answer, ureq::Error>) {
        let Ok(answer) = answer else { return };
        let mut met = self.met.lock().unwrap();
        met.0 += 1;
        if answer.status >= 500 && answer.status != 503 {
            met.1.push(format!("a hostile request was answered {} {:#}", answer.status, answer.body));
        }
    }

    /// What the hostile ones met since this was asked last.
    pub fn answers(&self) -> (u64, Vec<String>) {
        std::mem::take(&mut self.met.lock().unwrap())
    }

    pub fn postmaster(&self) -> Pid {
        postmaster(&self.data).unwrap()
    }

    pub fn stop(self) {
        assert!(self.service.stop());
    }
}

impl Tenant {
    fn new(service: &Served, database: &str, name: &str) -> Self {
        let new = NewUser { username: name.to_owned(), email: format!("{name}@example.com"), rank: Rank::Ordinary };
        let made = PgConnection::establish(database)
            .unwrap()
            .transaction(|connection| tokens::create_user_with_token(connection, &new));
        let secret = made.map_err(|_| "the user is there already").unwrap().1;
        leaks::remember(secret.reveal());
        let client = service.with(secret.reveal());
        let organization = resource("organizations", json!({"name": name, "email": "admin@example.com"}));
        client.post("/api/v2/organizations", &organization).expect(201);
        let teams = format!("/api/v2/organizations/{name}/teams");
        let team = client.post(&teams, &resource("teams", json!({"name": "ci"}))).expect(200).id();
        cluster::execute(
            database,
            &format!("UPDATE users SET password_hash = '{FIRST_PASSWORD_HASH}' WHERE username = '{name}'"),
        );
        Self { client, organization: name.to_owned(), team }
    }
}

/// Gives the team of an organization so many tokens that nobody has the secrets of.
pub fn many_tokens(database: &str, organization: &str, count: u32) {
    cluster::execute(
        database,
        &format!(
            "INSERT INTO tokens (id, kind, organization_id, team_id, description, token_hash, token_prefix, created_at, \
             expired_at) \
             SELECT new_id(), 'team', teams.organization_id, teams.id, 'token number ' || n, \
             sha256((teams.id || '/' || n)::bytea), 'lkt_' || lpad(n::text, 6, '0'), now() - n * interval '1 second', \
             now() + n * interval '1 minute' \
             FROM teams JOIN organizations ON organizations.id = organization_id, generate_series(1, {count}) n \
             WHERE organizations.name = '{organization}' AND teams.name = 'ci'"
        ),
    );
}
