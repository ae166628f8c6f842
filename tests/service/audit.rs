//! Every change writes its event, in the transaction of the change (docs/design.md §3, rule 9).

use diesel::prelude::*;
use diesel::sql_types::{Jsonb, Nullable, Text};
use serde_json::{Value, json};

use crate::support::App;
use crate::support::app::{Acme, identifiers, resource};
use crate::support::client::Answer;

#[derive(Debug, QueryableByName)]
struct Event {
    #[diesel(sql_type = Text)]
    resource_type: String,
    #[diesel(sql_type = Text)]
    action: String,
    #[diesel(sql_type = Text)]
    resource_id: String,
    #[diesel(sql_type = Nullable<Text>)]
    organization: Option<String>,
    #[diesel(sql_type = Text)]
    actor_type: String,
    #[diesel(sql_type = Nullable<Text>)]
    accessor_id: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    accessor_description: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    owner_of_token: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    request_id: Option<String>,
    #[diesel(sql_type = Jsonb)]
    meta: Value,
}

impl Event {
    fn name(&self) -> String {
        format!("{} {}", self.resource_type, self.action)
    }
}

/// The whole trail, in order.
fn events(app: &App) -> Vec<Event> {
    let mut connection = PgConnection::establish(&app.database_url).unwrap();
    diesel::sql_query(
        "SELECT audit_events.*, organizations.name AS organization, \
         coalesce(users.username, teams.name) AS owner_of_token \
         FROM audit_events LEFT JOIN organizations ON organizations.id = audit_events.organization_id \
         LEFT JOIN tokens ON tokens.id = audit_events.token_id \
         LEFT JOIN users ON users.id = tokens.user_id LEFT JOIN teams ON teams.id = tokens.team_id \
         ORDER BY occurred_at, audit_events.id",
    )
    .load(&mut connection)
    .unwrap()
}

/// The events that `change` writes, and its answer.
fn events_of(app: &App, change: impl FnOnce() -> Answer) -> (Vec<Event>, Answer) {
    let before = events(app).len();
    let answer = change();
    (events(app).split_off(before), answer)
}

/// The names of the events that `change` writes, sorted.
fn names_of(app: &App, change: impl FnOnce() -> Answer) -> Vec<String> {
    let (events, answer) = events_of(app, change);
    assert!(matches!(answer.status, 200..=204), "{answer:?}");
    for event in &events {
        assert_eq!(event.request_id.as_deref(), answer.header("X-Request-Id"));
    }
    let mut names: Vec<String> = events.iter().map(Event::name).collect();
    names.sort();
    names
}

#[test]
fn every_change_writes_its_event() {
    let Acme { app, ada, .. } = Acme::new();
    app.user("bob");
    let client = &ada.client;
    let organization = resource("organizations", json!({"name": "other", "email": "a@example.com"}));
    assert_eq!(
        names_of(&app, || client.post("/api/v2/organizations", &organization)),
        ["organization create", "organization_user create", "project create", "team create", "team_member create"]
    );
    let change = resource("organizations", json!({"email": "b@example.com"}));
    assert_eq!(names_of(&app, || client.patch("/api/v2/organizations/other", &change)), ["organization update"]);
    let new = resource("teams", json!({"name": "ops"}));
    assert_eq!(names_of(&app, || client.post("/api/v2/organizations/acme/teams", &new)), ["team create"]);
    let id = client.get("/api/v2/organizations/acme/teams?filter[names]=ops").ids().remove(0);
    let team = format!("/api/v2/teams/{id}");
    let change = resource("teams", json!({"description": "x"}));
    assert_eq!(names_of(&app, || client.patch(&team, &change)), ["team update"]);

    let members = format!("{team}/relationships/users");
    let bob = identifiers("users", &["bob"]);
    assert_eq!(names_of(&app, || client.post(&members, &bob)), ["organization_user create", "team_member create"]);
    assert_eq!(names_of(&app, || client.delete_with(&members, &bob)), ["team_member destroy"]);

    let one = format!("{team}/authentication-token");
    assert_eq!(names_of(&app, || client.post_nothing(&one)), ["authentication_token create"]);
    let successor = ["authentication_token create", "authentication_token destroy"];
    assert_eq!(names_of(&app, || client.post_nothing(&one)), successor);
    assert_eq!(names_of(&app, || client.delete(&one)), ["authentication_token destroy"]);
    let described = |name: &str| resource("authentication-tokens", json!({"description": name}));
    let many = format!("{one}s");
    assert_eq!(names_of(&app, || client.post(&many, &described("a"))), ["authentication_token create"]);
    client.post(&many, &described("b")).expect(201);
    let single = client.post(&many, &described("c")).expect(201).id();
    let single = format!("/api/v2/authentication-tokens/{single}");
    assert_eq!(names_of(&app, || client.delete(&single)), ["authentication_token destroy"]);
    let ids = client.get(&many).expect(200).ids();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let all = identifiers("authentication-tokens", &ids);
    assert_eq!(
        names_of(&app, || client.delete_with("/api/v2/organizations/acme/team-tokens", &all)),
        ["authentication_token destroy", "authentication_token destroy"]
    );
    assert_eq!(names_of(&app, || client.delete(&team)), ["team destroy"]);
    assert_eq!(names_of(&app, || client.delete("/api/v2/organizations/other")), ["organization destroy"]);
}

#[test]
fn an_event_tells_who_did_what_by_which_token_in_which_request() {
    let scene = Acme::new();
    let (events, made) = events_of(&scene.app, || scene.ada.team_token(&scene.team));
    let [event] = &events[..] else { panic!("{events:?}") };
    assert_eq!(event.name(), "authentication_token create");
    assert_eq!(event.resource_id, made.id());
    assert_eq!(event.organization.as_deref(), Some("acme"));
    assert_eq!(event.actor_type, "Client");
    assert_eq!(event.accessor_id.as_deref(), Some(&*scene.ada.id));
    assert_eq!(event.accessor_description.as_deref(), Some("ada"));
    assert_eq!(event.owner_of_token.as_deref(), Some("ada"));
    assert!(event.request_id.is_some());
    assert_eq!(event.request_id.as_deref(), made.header("X-Request-Id"));
    assert_eq!(event.meta["team"], scene.team);
}

/// What binds tokens, and what a token may do, is told with each of its changes.
#[test]
fn an_event_tells_what_there_is_after_it() {
    let scene = Acme::new();
    let client = &scene.ada.client;
    let meta = |change: &dyn Fn() -> Answer| {
        let (events, answer) = events_of(&scene.app, change);
        assert!(matches!(answer.status, 200..=204), "{answer:?}");
        events.into_iter().map(|event| (event.action, event.meta)).collect::<Vec<_>>()
    };
    let roles = json!(["viewer", "member", "owner"]);
    let workspace = scene.ada.workspace("acme", "prod");
    for (path, kind) in
        [("/api/v2/organizations/acme", "organizations"), (&*format!("/api/v2/workspaces/{workspace}"), "workspaces")]
    {
        for roles in [&roles, &Value::Null] {
            let change = resource(kind, json!({"allowed-token-roles": roles}));
            let told = meta(&|| client.patch(path, &change));
            assert_eq!(told.len(), 1, "{told:?}");
            assert_eq!((&*told[0].0, &told[0].1["allowed-token-roles"]), ("update", roles), "{kind}");
        }
    }

    let token = |attributes: Value| resource("authentication-tokens", attributes);
    let made = scene.ada.described_token(&scene.team, json!({"description": "a", "role": "member"}));
    let path = format!("/api/v2/authentication-tokens/{}", made.id());
    for itself in [true, false] {
        let told = meta(&|| client.patch(&path, &token(json!({"self-rotation": itself}))));
        assert_eq!((&*told[0].0, &told[0].1["self-rotation"]), ("update", &json!(itself)));
    }
    let told = meta(&|| client.post_nothing(&format!("{path}/actions/regenerate")));
    let actions: Vec<&str> = told.iter().map(|(action, _)| action.as_str()).collect();
    assert_eq!(actions, ["regenerate", "create"]);
    for (action, meta) in &told {
        let of = (&meta["kind"], &meta["team"], &meta["role"]);
        assert_eq!(of, (&json!("team"), &json!(scene.team), &json!("member")), "{action}");
    }

    let leaked = scene.ada.described_token(&scene.team, json!({"description": "leaked"})).secret();
    let report = json!({"data": [{"type": "leaked-tokens", "attributes": {"token": leaked}}]});
    let told = meta(&|| scene.app.anonymous().post("/api/v2/leaked-tokens", &report));
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!((&*told[0].0, &told[0].1["revocation-reason"]), ("leak", &json!("reported as leaked")));
}

#[test]
fn a_team_token_acts_as_its_team() {
    let scene = Acme::new();
    let first = scene.ada.team_token(&scene.team);
    let itself = scene.app.with(&first.secret());
    let (events, second) = events_of(&scene.app, || itself.post_nothing(&scene.one()).expect(201));
    let about: Vec<_> = events.iter().map(|event| (event.action.as_str(), event.resource_id.as_str())).collect();
    assert_eq!(about, [("destroy", &*first.id()), ("create", &*second.id())]);
    for event in events {
        assert_eq!(event.accessor_id.as_deref(), Some(&*scene.team));
        assert_eq!(event.accessor_description.as_deref(), Some("ci"));
        assert_eq!(event.owner_of_token.as_deref(), Some("ci"));
    }
}

#[test]
fn a_refused_request_writes_no_event() {
    let scene = Acme::new();
    let token = scene.ada.team_token(&scene.team);
    let list = "/api/v2/organizations/acme/team-tokens";
    let eve = scene.app.user("eve");
    let before = events(&scene.app).len();
    eve.client.post_nothing(&scene.one()).expect(404);
    eve.client.delete(&format!("/api/v2/teams/{}", scene.team)).expect(404);
    scene.ada.client.delete_with(list, &identifiers("authentication-tokens", &[&token.id(), "at-x"])).expect(404);
    scene.ada.client.post(&scene.one(), &resource("teams", json!({}))).expect(409);
    scene.app.anonymous().post_nothing(&scene.one()).expect(401);
    assert_eq!(events(&scene.app).len(), before);
}

#[test]
fn reading_writes_an_event_for_a_token_alone() {
    let scene = Acme::new();
    let token = scene.ada.team_token(&scene.team).id();
    let before = events(&scene.app).len();
    for path in ["/api/v2/organizations/acme/team-tokens", "/api/v2/organizations/acme/teams"] {
        scene.ada.client.get(path).expect(200);
    }
    assert_eq!(events(&scene.app).len(), before);
    // Once an hour for each who looks.
    scene.ada.client.get(&scene.one()).expect(200);
    scene.ada.client.get(&format!("/api/v2/authentication-tokens/{token}")).expect(200);
    assert_eq!(events(&scene.app).len(), before + 1);
}

#[test]
fn without_its_event_no_change_happens() {
    let Acme { app, ada, team } = Acme::new();
    app.user("bob");
    let old = ada.team_token(&team);
    app.sql(
        "CREATE FUNCTION refuse_events() RETURNS trigger LANGUAGE plpgsql AS \
         $$ BEGIN RAISE EXCEPTION 'the disk of the trail is full'; END $$",
    );
    app.sql("CREATE TRIGGER full_disk BEFORE INSERT ON audit_events EXECUTE FUNCTION refuse_events()");
    let client = &ada.client;
    let one = format!("/api/v2/teams/{team}/authentication-token");
    let token = format!("/api/v2/authentication-tokens/{}", old.id());
    let members = format!("/api/v2/teams/{team}/relationships/users");
    let described = resource("authentication-tokens", json!({"description": "x"}));
    let organization = resource("organizations", json!({"name": "other", "email": "a@example.com"}));
    let before = state(&app);
    for answer in [
        client.post_nothing(&one),
        client.post(&format!("{one}s"), &described),
        client.delete(&one),
        client.delete(&token),
        client
            .delete_with("/api/v2/organizations/acme/team-tokens", &identifiers("authentication-tokens", &[&old.id()])),
        client.post(&members, &identifiers("users", &["bob"])),
        client.patch(&format!("/api/v2/teams/{team}"), &resource("teams", json!({"name": "new"}))),
        client.delete(&format!("/api/v2/teams/{team}")),
        client.post("/api/v2/organizations/acme/teams", &resource("teams", json!({"name": "ops"}))),
        client.post("/api/v2/organizations", &organization),
        client.patch("/api/v2/organizations/acme", &resource("organizations", json!({"email": "b@example.com"}))),
        client.delete("/api/v2/organizations/acme"),
    ] {
        let answer = answer.expect(500);
        assert!(!answer.body.to_string().contains("disk"), "{:#}", answer.body);
        assert_eq!(answer.body["errors"][0]["id"].as_str(), answer.header("X-Request-Id"));
    }
    assert_eq!(state(&app), before);
    app.with(&old.secret()).get("/api/v2/organizations/acme").expect(200);
    app.sql("DROP TRIGGER full_disk ON audit_events");
    client.post_nothing(&one).expect(201);
}

/// Everything in the database but how often tokens were used.
fn state(app: &App) -> Vec<i64> {
    let unchanged = "WHERE updated_at = created_at";
    [
        "audit_events".to_owned(),
        format!("organizations {unchanged}"),
        "organizations".to_owned(),
        format!("teams {unchanged}"),
        "teams".to_owned(),
        "team_members".to_owned(),
        "memberships".to_owned(),
        "tokens".to_owned(),
        "tokens WHERE revoked_at IS NULL".to_owned(),
    ]
    .iter()
    .map(|rows| app.count(rows))
    .collect()
}

#[test]
fn events_outlive_what_they_tell_of() {
    let scene = Acme::new();
    scene.ada.team_token(&scene.team);
    let before = events(&scene.app).len();
    scene.ada.client.delete("/api/v2/organizations/acme").expect(204);
    assert_eq!(events(&scene.app).len(), before + 1);
}

#[test]
fn the_trail_cannot_be_rewritten() {
    let scene = Acme::new();
    let before = events(&scene.app).len();
    let mut connection = PgConnection::establish(&scene.app.database_url).unwrap();
    for statement in [
        "UPDATE audit_events SET action = 'read'",
        "UPDATE audit_events SET action = 'read' WHERE false",
        "DELETE FROM audit_events",
        "TRUNCATE audit_events",
    ] {
        let fault = diesel::sql_query(statement).execute(&mut connection).expect_err(statement);
        assert!(fault.to_string().contains("append-only"), "{fault}");
    }
    assert_eq!(events(&scene.app).len(), before);
}

#[test]
fn no_event_holds_a_secret() {
    let scene = Acme::new();
    let token = scene.ada.team_token(&scene.team);
    let described = scene.ada.described_token(&scene.team, json!({"description": "x"}));
    let trail = format!("{:?}", events(&scene.app));
    for secret in [token.secret(), described.secret()] {
        assert!(!trail.contains(&secret[10..47]));
    }
}
