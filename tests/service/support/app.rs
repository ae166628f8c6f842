//! The service under test, on a free port and with a database of its own.

use std::net::SocketAddr;
use std::sync::mpsc::channel;
use std::thread::JoinHandle;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use diesel::{Connection, PgConnection};
use latchkey::connections::Rules;
use latchkey::jsonapi::TrustedProxies;
use latchkey::retention::{Kept, Retention};
use latchkey::server::{Listen, Service};
use latchkey::sessions::Lifetime;
use latchkey::tokens;
use latchkey::users::{NewUser, NotCreated, Rank};
use serde_json::{Value, json};

use super::client::{Answer, Client};
use super::cluster::{self, Database};
use super::leaks;

/// What services encrypt signing keys with, unless a test says otherwise.
pub const ENCRYPTION_KEY: &str = "6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a";

/// As many as `latchkey serve` has unless told otherwise.
const CONNECTIONS: u32 = 16;

/// What [`App::give_passwords`] gives.
pub const FIRST_PASSWORD: &str = "correct horse battery";
pub const FIRST_PASSWORD_HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$1ZIrlB3hOzP2radolgrtlA$e6qmVuQ7dmNKHTJjxllsnHen1ptesdcbCLyuZehP8Vs";

pub struct App {
    pub address: SocketAddr,
    pub database_url: Database,
    /// The service's own pool.
    pub pool: latchkey::database::Database,
    began: leaks::Mark,
    server: Option<(ServerHandle, JoinHandle<()>)>,
}

/// An organization `acme`, its owner ada, and its team `ci`.
pub struct Acme {
    pub app: App,
    pub ada: User,
    pub team: String,
}

/// A user with a token.
pub struct User {
    pub id: String,
    pub username: String,
    /// Calls with the user's token.
    pub client: Client,
}

impl App {
    /// Starts a service on an empty database.
    pub fn start() -> Self {
        Self::on(Database::new())
    }

    /// Starts a service on a database in which ada owns the organization `acme`, and answers ada as well.
    pub fn with_acme() -> (Self, User) {
        let app = Self::start();
        let ada = app.user("ada");
        ada.organization("acme");
        (app, ada)
    }

    /// Starts a service on a database that is there.
    pub fn on(database_url: Database) -> Self {
        Self::with_keys(database_url, ENCRYPTION_KEY, None)
    }

    /// Starts a service that has so many connections to an empty database.
    pub fn with_connections(connections: u32) -> Self {
        Self::serve(Database::new(), connections, ENCRYPTION_KEY, None)
    }

    /// The same with another encryption key, and the public URL that JWTs name.
    pub fn with_keys(database_url: Database, encryption_key: &str, public_url: Option<&str>) -> Self {
        Self::serve(database_url, CONNECTIONS, encryption_key, public_url)
    }

    /// Starts a service on an empty database that is reached under this URL.
    pub fn with_public_url(public_url: &str) -> Self {
        Self::with_keys(Database::new(), ENCRYPTION_KEY, Some(public_url))
    }

    /// Starts a service on an empty database that lets an address fail to authenticate so often.
    pub fn with_failures(failed_authentications: u32) -> Self {
        Self::serve_with(Database::new(), CONNECTIONS, ENCRYPTION_KEY, None, failed_authentications)
    }

    fn serve(database_url: Database, connections: u32, encryption_key: &str, public_url: Option<&str>) -> Self {
        // Tests bring many tokens that are not good.
        Self::serve_with(database_url, connections, encryption_key, public_url, 1_000_000)
    }

    fn serve_with(
        database_url: Database,
        connections: u32,
        encryption_key: &str,
        public_url: Option<&str>,
        failed_authentications: u32,
    ) -> Self {
        let began = leaks::mark();
        let failed_authentications = failed_authentications.try_into().unwrap();
        let pool = latchkey::database::Database::new(&database_url, connections);
        let database = pool.clone();
        let public_url = public_url.map(|url| url.parse().unwrap());
        let listen = Listen {
            address: "127.0.0.1:0".parse().unwrap(),
            tls: None,
            public_url,
            workers: 1,
            failed_authentications,
            trusted_proxies: TrustedProxies::default(),
            connections: Rules {
                per_address: 2000.try_into().unwrap(),
                idle: Duration::from_secs(75),
                idle_unauthenticated: Duration::from_secs(10),
            },
            default_token_ttl: None,
            challenge_basic: false,
            sessions: Lifetime { idle: Duration::from_secs(12 * 3600), whole: Duration::from_secs(7 * 86_400) },
        };
        let encryption = encryption_key.parse().unwrap();
        let (started, address) = channel();
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async {
                let kept = Kept { revoked_tokens: Retention::days(90), audit_events: Retention::days(400) };
                let service = Service::start(&database, encryption, listen, kept).unwrap();
                started.send((service.address(), service.handle())).unwrap();
                service.run().await.unwrap();
            });
        });
        let (address, handle) = address.recv().expect("the service starts");
        Self { address, database_url, pool, began, server: Some((handle, thread)) }
    }

    pub fn anonymous(&self) -> Client {
        Client::new(self.address, None).of(&self.database_url)
    }

    pub fn with(&self, secret: &str) -> Client {
        Client::new(self.address, Some(secret.to_owned())).of(&self.database_url)
    }

    pub fn user(&self, username: &str) -> User {
        self.new_user(username, Rank::Ordinary)
    }

    pub fn site_admin(&self, username: &str) -> User {
        self.new_user(username, Rank::SiteAdmin)
    }

    fn new_user(&self, username: &str, rank: Rank) -> User {
        let new = NewUser { username: username.to_owned(), email: format!("{username}@example.com"), rank };
        self.try_user(&new).unwrap()
    }

    /// A new user as the command line makes one, or why there is none.
    pub fn try_user(&self, new: &NewUser) -> Result<User, NotCreated> {
        let (user, secret) = PgConnection::establish(&self.database_url)
            .unwrap()
            .transaction(|connection| tokens::create_user_with_token(connection, new))?;
        leaks::remember_of(secret.reveal(), Some(self.database_url.origin()));
        Ok(User { id: user.id.to_string(), username: user.username, client: self.with(secret.reveal()) })
    }

    /// Gives every person [`FIRST_PASSWORD`], as a link to sign in with would.
    pub fn give_passwords(&self) {
        self.sql(&format!("UPDATE users SET password_hash = '{FIRST_PASSWORD_HASH}' WHERE organization_id IS NULL"));
    }

    /// Runs one statement on the service's database.
    pub fn sql(&self, statement: &str) {
        cluster::execute(&self.database_url, statement);
    }

    /// Runs statements on the service's database, all of them or none; again if something in the background was in the
    /// way.
    pub fn in_one_transaction(&self, statements: &[&str]) {
        use diesel::RunQueryDsl;
        let mut connection = PgConnection::establish(&self.database_url).unwrap();
        let mut run = || {
            connection.transaction::<_, diesel::result::Error, _>(|connection| {
                statements.iter().try_for_each(|statement| diesel::sql_query(*statement).execute(connection).map(drop))
            })
        };
        let deadlock = |fault: &diesel::result::Error| fault.to_string() == "deadlock detected";
        let done = (0..3).find_map(|_| Some(run()).filter(|done| !done.as_ref().is_err_and(deadlock)));
        done.expect("the way is free at last").unwrap();
    }

    /// The one text that a query finds.
    pub fn text(&self, query: &str) -> String {
        use diesel::prelude::*;
        let mut connection = PgConnection::establish(&self.database_url).unwrap();
        let text = diesel::dsl::sql::<diesel::sql_types::Text>(&format!("({query})"));
        diesel::select(text).get_result(&mut connection).unwrap()
    }

    /// How many rows a query finds.
    pub fn count(&self, from_where: &str) -> i64 {
        count(&self.database_url, from_where)
    }

    /// Stops the service as SIGTERM does, so that it writes what it has counted.
    pub fn stop(mut self) {
        self.wind_up();
    }

    fn wind_up(&mut self) {
        if let Some((handle, thread)) = self.server.take() {
            drop(handle.stop(true));
            let joined = thread.join();
            // A test that fails already must not panic again.
            assert!(joined.is_ok() || std::thread::panicking(), "the service ends well");
        }
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.wind_up();
        leaks::fail_on(|| leaks::search_logs(&self.began, self.database_url.origin()));
    }
}

impl Acme {
    pub fn new() -> Self {
        let (app, ada) = App::with_acme();
        let team = ada.team_with("acme", json!({"name": "ci", "abilities": ["agents:*", "storage:*"]}));
        Self { app, ada, team }
    }

    /// The path of the team's one token without a description.
    pub fn one(&self) -> String {
        format!("/api/v2/teams/{}/authentication-token", self.team)
    }

    /// The path of the team's tokens.
    pub fn many(&self) -> String {
        format!("{}s", self.one())
    }

    /// One more token for the team.
    pub fn token(&self, attributes: Value) -> Answer {
        self.ada.described_token(&self.team, attributes)
    }

    /// A user in the team.
    pub fn member(&self, username: &str) -> User {
        let member = self.app.user(username);
        self.ada.add_to_team(&self.team, &member);
        member
    }

    /// A user in a team of its own that has a permission in the organization.
    pub fn holder_of(&self, permission: &str, username: &str) -> User {
        let holder = self.app.user(username);
        let team = json!({"name": permission, "organization-access": {permission: true}});
        self.ada.add_to_team(&self.ada.team_with("acme", team), &holder);
        holder
    }

    /// Whether a token opens the organization.
    pub fn works(&self, secret: &str) -> bool {
        let answer = self.app.with(secret).get("/api/v2/organizations/acme");
        assert!(matches!(answer.status, 200 | 401), "{answer:?}");
        answer.status == 200
    }
}

impl User {
    /// Makes an organization; the user is its owner.
    pub fn organization(&self, name: &str) -> Answer {
        let attributes = json!({"name": name, "email": "admin@example.com"});
        self.client.post("/api/v2/organizations", &resource("organizations", attributes)).expect(201)
    }

    /// Makes a team, and answers its id.
    pub fn team(&self, organization: &str, name: &str) -> String {
        self.team_with(organization, json!({"name": name}))
    }

    /// Makes a team with these attributes, and answers its id.
    pub fn team_with(&self, organization: &str, attributes: Value) -> String {
        let path = format!("/api/v2/organizations/{organization}/teams");
        self.client.post(&path, &resource("teams", attributes)).expect(200).id()
    }

    /// Makes a service account with a token, as an owner of the organization.
    pub fn service_account(&self, organization: &str, username: &str) -> Self {
        let path = format!("/api/v2/organizations/{organization}/service-accounts");
        let id = self.client.post(&path, &resource("users", json!({"username": username}))).expect(201).id();
        let token = resource("authentication-tokens", json!({"description": "first token"}));
        let made = self.client.post(&format!("/api/v2/users/{id}/authentication-tokens"), &token).expect(201);
        Self { id, username: username.to_owned(), client: self.client.as_another(&made.secret()) }
    }

    /// The id of the token that the user calls with.
    pub fn token_id(&self, app: &App) -> String {
        use diesel::prelude::*;
        use latchkey::database::schema::tokens;
        let user: latchkey::ids::UserId = self.id.parse().unwrap();
        let mut connection = PgConnection::establish(&app.database_url).unwrap();
        let found = tokens::table.filter(tokens::user_id.eq(user)).select(tokens::id);
        found.first::<latchkey::ids::TokenId>(&mut connection).unwrap().to_string()
    }

    /// The id of the team `owners`.
    pub fn owners_team(&self, organization: &str) -> String {
        let path = format!("/api/v2/organizations/{organization}/teams?filter[names]=owners");
        let teams = self.client.get(&path).expect(200);
        teams.body["data"][0]["id"].as_str().unwrap().to_owned()
    }

    /// Puts another user into a team; one who is invited into the organization by it accepts.
    pub fn add_to_team(&self, team: &str, other: &Self) {
        let before = other.memberships();
        let path = format!("/api/v2/teams/{team}/relationships/users");
        self.client.post(&path, &identifiers("users", &[&other.username])).expect(204);
        for invited in other.memberships().iter().filter(|membership| !before.contains(membership)) {
            other.accept(invited);
        }
    }

    /// The ids of the user's memberships, also of those that wait for acceptance.
    pub fn memberships(&self) -> Vec<String> {
        self.client.get("/api/v2/organization-memberships?page[size]=100").expect(200).ids()
    }

    pub fn accept(&self, membership: &str) {
        self.client.post_nothing(&format!("/api/v2/organization-memberships/{membership}/actions/accept")).expect(200);
    }

    /// Makes a workspace, and answers its id.
    pub fn workspace(&self, organization: &str, name: &str) -> String {
        let path = format!("/api/v2/organizations/{organization}/workspaces");
        self.client.post(&path, &resource("workspaces", json!({"name": name}))).expect(201).id()
    }

    /// Gives a team access to a workspace, and answers the access' id.
    pub fn give_access(&self, team: &str, workspace: &str, level: &str) -> String {
        let body = team_access(team, workspace, json!({"access": level}));
        self.client.post("/api/v2/team-workspaces", &body).expect(201).id()
    }

    /// Makes a project, and answers its id.
    pub fn project(&self, organization: &str, name: &str) -> String {
        let path = format!("/api/v2/organizations/{organization}/projects");
        self.client.post(&path, &resource("projects", json!({"name": name}))).expect(201).id()
    }

    /// Makes a workspace in a project, and answers its id.
    pub fn workspace_in(&self, project: &str, organization: &str, name: &str) -> String {
        let path = format!("/api/v2/organizations/{organization}/workspaces");
        self.client.post(&path, &workspace_in(project, json!({"name": name}))).expect(201).id()
    }

    /// Gives a team access to a project, and answers the access' id.
    pub fn give_project_access(&self, team: &str, project: &str, attributes: Value) -> String {
        self.client.post("/api/v2/team-projects", &project_access(team, project, attributes)).expect(201).id()
    }

    /// Makes a team's one descriptionless token.
    pub fn team_token(&self, team: &str) -> Answer {
        self.client.post_nothing(&format!("/api/v2/teams/{team}/authentication-token")).expect(201)
    }

    /// Makes one more token for a team.
    pub fn described_token(&self, team: &str, attributes: Value) -> Answer {
        let path = format!("/api/v2/teams/{team}/authentication-tokens");
        self.client.post(&path, &resource("authentication-tokens", attributes)).expect(201)
    }
}

/// `{"data": {"type": …, "attributes": …}}`
pub fn resource(kind: &str, attributes: Value) -> Value {
    json!({"data": {"type": kind, "attributes": attributes}})
}

/// `{"data": [{"type": …, "id": …}, …]}`
pub fn identifiers(kind: &str, ids: &[&str]) -> Value {
    let data: Vec<Value> = ids.iter().map(|id| json!({"type": kind, "id": id})).collect();
    json!({ "data": data })
}

/// `{"data": {"type": "team-workspaces", …}}` about a team and a workspace.
pub fn team_access(team: &str, workspace: &str, attributes: Value) -> Value {
    let mut document = resource("team-workspaces", attributes);
    document["data"]["relationships"] = json!({
        "team": {"data": {"type": "teams", "id": team}},
        "workspace": {"data": {"type": "workspaces", "id": workspace}},
    });
    document
}

/// `{"data": {"type": "team-projects", …}}` about a team and a project.
pub fn project_access(team: &str, project: &str, attributes: Value) -> Value {
    let mut document = resource("team-projects", attributes);
    document["data"]["relationships"] = json!({
        "team": {"data": {"type": "teams", "id": team}},
        "project": {"data": {"type": "projects", "id": project}},
    });
    document
}

/// `{"data": {"type": "workspaces", …}}` that names a project.
pub fn workspace_in(project: &str, attributes: Value) -> Value {
    let mut document = resource("workspaces", attributes);
    document["data"]["relationships"] = json!({"project": {"data": {"type": "projects", "id": project}}});
    document
}

/// How many rows there are, `FROM` here and `WHERE` that.
pub fn count(database_url: &str, from_where: &str) -> i64 {
    use diesel::prelude::*;
    #[derive(diesel::QueryableByName)]
    struct Count {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        count: i64,
    }
    let mut connection = PgConnection::establish(database_url).unwrap();
    let counted = diesel::sql_query(format!("SELECT count(*) AS count FROM {from_where}"));
    counted.get_result::<Count>(&mut connection).unwrap().count
}
