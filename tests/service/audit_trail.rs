//! `organization/audit-trail`: reading what happened, in the HCP API's own form.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::support::App;
use crate::support::app::{User, identifiers, resource};
use crate::support::client::{Answer, Client};
use crate::support::process::{Folder, Served, until};

const TRAIL: &str = "/api/v2/organization/audit-trail";
const TOKEN: &str = "/api/v2/organizations/acme/authentication-token";

struct Scene {
    app: App,
    ada: User,
    reader: Client,
}

impl Scene {
    fn set() -> Self {
        let (app, ada) = App::with_acme();
        let made = ada.client.post_nothing(&format!("{TOKEN}?token=audit-trails")).expect(201);
        let reader = app.with(&made.secret());
        Self { app, ada, reader }
    }

    fn events(&self) -> Vec<Value> {
        self.reader.get(TRAIL).expect(200).body["data"].as_array().unwrap().clone()
    }

    /// The events that a request leaves, and its answer.
    fn told_of(&self, request: impl FnOnce() -> Answer) -> (Vec<Value>, Answer) {
        let before = self.events().len();
        let answer = request();
        (self.events().split_off(before), answer)
    }

    /// `type action` of the events that a request leaves, which must be done.
    #[track_caller]
    fn names_of(&self, request: impl FnOnce() -> Answer) -> Vec<String> {
        let (events, answer) = self.told_of(request);
        assert!(answer.status < 300, "{answer:?}");
        let mut names: Vec<String> = events.iter().map(name).collect();
        names.sort();
        names
    }
}

fn name(event: &Value) -> String {
    let resource = &event["resource"];
    format!("{} {}", resource["type"].as_str().unwrap(), resource["action"].as_str().unwrap())
}

fn keys(object: &Value) -> BTreeSet<&str> {
    object.as_object().unwrap_or_else(|| panic!("{object:#}")).keys().map(String::as_str).collect()
}

#[test]
fn the_trail_is_read_with_the_organizations_own_tokens() {
    let scene = Scene::set();
    let organization = scene.app.with(&scene.ada.client.post_nothing(TOKEN).expect(201).secret());
    for client in [&scene.reader, &organization] {
        let answer = client.get(TRAIL).expect(200);
        assert!(!answer.body["data"].as_array().unwrap().is_empty());
        assert!(answer.header("Content-Type").unwrap().starts_with("application/json"), "it is no JSON:API");
    }
}

#[test]
fn to_everybody_else_there_is_no_trail() {
    let scene = Scene::set();
    let root = scene.app.site_admin("root");
    let owners = scene.app.with(&scene.ada.team_token(&scene.ada.owners_team("acme")).secret());
    for client in [&scene.ada.client, &root.client, &owners] {
        client.get(TRAIL).expect(404);
    }
    scene.app.anonymous().get(TRAIL).expect(401);
    for method in ["POST", "PATCH", "PUT", "DELETE"] {
        scene.reader.send(method, TRAIL, &[], None).expect(405);
    }
}

#[test]
fn an_event_has_exactly_the_keys_of_the_hcp_api() {
    let scene = Scene::set();
    let answer = scene.reader.get(TRAIL).expect(200);
    assert_eq!(keys(&answer.body), BTreeSet::from(["data", "pagination"]));
    let pagination = ["current_page", "prev_page", "next_page", "total_pages", "total_count"];
    assert_eq!(keys(&answer.body["pagination"]), BTreeSet::from(pagination));
    let events = answer.body["data"].as_array().unwrap();
    for event in events {
        let whole = ["id", "version", "type", "timestamp", "auth", "request", "resource"];
        assert_eq!(keys(event), BTreeSet::from(whole));
        let auth = ["accessor_id", "description", "type", "impersonator_id", "organization_id"];
        // And what that API lacks.
        let beside = ["token_id", "token_description"];
        assert_eq!(keys(&event["auth"]), BTreeSet::from_iter(auth.into_iter().chain(beside)));
        assert_eq!(keys(&event["request"]), BTreeSet::from(["id"]));
        assert_eq!(keys(&event["resource"]), BTreeSet::from(["id", "type", "action", "meta"]));
        assert_eq!((&event["version"], &event["type"]), (&json!("0"), &json!("Resource")));
        event["timestamp"].as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
        assert!(["Client", "Impersonated", "System"].map(Value::from).contains(&event["auth"]["type"]));
    }
    let ids: BTreeSet<&str> = events.iter().map(|event| event["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), events.len());
}

/// "What did this credential do?"
#[test]
fn an_event_tells_by_which_token_it_was_done() {
    let scene = Scene::set();
    let owners = scene.ada.owners_team("acme");
    let described = scene.ada.described_token(&owners, json!({"description": "nightly"}));
    let by_team = scene.app.with(&described.secret());
    let make = |client: &Client, name: &str| {
        client.post("/api/v2/organizations/acme/teams", &resource("teams", json!({ "name": name }))).expect(200);
    };
    make(&by_team, "one");
    make(&scene.ada.client, "two");
    make(&by_team, "three");
    let done = |trail: &str, client: &Client, token: &str| {
        let answer = client.get(&format!("{trail}?filter[token]={token}")).expect(200);
        let events = answer.body["data"].as_array().unwrap().clone();
        assert_eq!(answer.body["pagination"]["total_count"], events.len());
        events
    };
    let by_name = "/api/v2/organizations/acme/audit-trail";
    for (trail, client) in [(TRAIL, &scene.reader), (by_name, &scene.ada.client)] {
        let events = done(trail, client, &described.id());
        assert_eq!(events.iter().map(name).collect::<Vec<_>>(), ["team create", "team create"]);
        for event in events {
            assert_eq!(event["auth"]["token_id"], described.id());
            assert_eq!(event["auth"]["token_description"], "nightly");
        }
    }
    // What a user says of a token is shown in the user's own trail alone.
    let users = format!("/api/v2/users/{}/authentication-tokens", scene.ada.id);
    let own = resource("authentication-tokens", json!({"description": "my laptop"}));
    let laptop = scene.ada.client.post(&users, &own).expect(201);
    make(&scene.app.with(&laptop.secret()), "four");
    let told = done(by_name, &scene.ada.client, &laptop.id());
    assert_eq!((told.len(), &told[0]["auth"]["token_description"]), (1, &Value::Null));
    let update = resource("users", json!({"username": "ada2"}));
    scene.app.with(&laptop.secret()).patch("/api/v2/account/update", &update).expect(200);
    let told = done("/api/v2/account/audit-trail", &scene.ada.client, &laptop.id());
    assert_eq!((told.len(), &told[0]["auth"]["token_description"]), (1, &json!("my laptop")));
    // Nor does she see what a site admin says of theirs.
    let root = scene.app.site_admin("root");
    let of_root = format!("/api/v2/users/{}/authentication-tokens", root.id);
    let glass = resource("authentication-tokens", json!({"description": "break-glass"}));
    let glass = root.client.post(&of_root, &glass).expect(201);
    let ended = format!("/api/v2/authentication-tokens/{}", laptop.id());
    scene.app.with(&glass.secret()).delete(&ended).expect(204);
    let told = done("/api/v2/account/audit-trail", &scene.ada.client, &glass.id());
    assert_eq!((told.len(), &told[0]["auth"]["token_description"]), (1, &Value::Null));
    let wrong = scene.reader.get(&format!("{TRAIL}?filter[token]=nightly")).expect(400);
    assert_eq!(wrong.blamed(), ["filter[token]"]);
    // Nothing of others.
    let eve = scene.app.user("eve").token_id(&scene.app);
    assert!(done(TRAIL, &scene.reader, &eve).is_empty());
}

#[test]
fn an_event_tells_who_did_what_in_which_request() {
    let scene = Scene::set();
    let external = scene.ada.client.get("/api/v2/organizations/acme").expect(200).attribute("external-id").clone();
    let new = resource("teams", json!({"name": "ci"}));
    let (events, answer) = scene.told_of(|| scene.ada.client.post("/api/v2/organizations/acme/teams", &new));
    let [event] = &events[..] else { panic!("{events:#?}") };
    assert_eq!(name(event), "team create");
    assert_eq!(event["resource"]["id"], answer.id());
    assert_eq!(event["request"]["id"], answer.header("X-Request-Id").unwrap());
    let auth = &event["auth"];
    assert_eq!((&auth["accessor_id"], &auth["description"]), (&json!(scene.ada.id), &json!("ada")));
    assert_eq!((&auth["type"], &auth["impersonator_id"]), (&json!("Client"), &Value::Null));
    assert_eq!(auth["organization_id"], external);
    let organization = scene.app.with(&scene.ada.client.post_nothing(TOKEN).expect(201).secret());
    let (events, _) = scene.told_of(|| organization.delete(&format!("/api/v2/teams/{}", answer.id())));
    assert_eq!(events[0]["auth"]["accessor_id"], external);
}

#[test]
fn events_come_since_a_time() {
    let scene = Scene::set();
    scene.app.sql(
        "INSERT INTO audit_events (id, organization_id, occurred_at, actor_type, resource_type, resource_id, action, \
         meta) SELECT new_id(), organizations.id, '2020-01-01T00:00:00Z'::timestamptz + day * interval '1 day', \
         'System', 'team', 'team-' || day, 'create', '{}' FROM organizations, generate_series(0, 9) AS day",
    );
    let since = |time: &str| {
        let answer = scene.reader.get(&format!("{TRAIL}?since={time}")).expect(200);
        let count = answer.body["data"].as_array().unwrap().len();
        assert_eq!(answer.body["pagination"]["total_count"], count);
        count
    };
    let all = scene.events();
    assert_eq!(since("1970-01-01T00:00:00Z"), all.len());
    let recent = all.len() - 10;
    assert_eq!(since("2020-01-05T12:00:00Z"), recent + 5);
    assert_eq!(since("2020-01-05T12:00:00.123%2B01:00"), recent + 5);
    assert_eq!(since("2020-06-01T00:00:00.000Z"), recent);
    assert_eq!(since("2099-01-01T00:00:00Z"), 0);
    // What go-tfe makes of a list without a page.
    assert_eq!(since("2020-01-05T12:00:00Z&ListOptions="), recent + 5);
    let times: Vec<&str> = all.iter().map(|event| event["timestamp"].as_str().unwrap()).collect();
    assert!(times.is_sorted(), "oldest first");
}

#[test]
fn a_page_holds_1000_events() {
    let scene = Scene::set();
    scene.app.sql(
        "INSERT INTO audit_events (id, organization_id, actor_type, resource_type, resource_id, action, meta) \
         SELECT new_id(), organizations.id, 'System', 'team', 'team-' || nth, 'create', '{}' \
         FROM organizations, generate_series(1, 1200) AS nth",
    );
    let total = scene.app.count("audit_events WHERE organization_id IS NOT NULL");
    let page = |query: &str| {
        let body = scene.reader.get(&format!("{TRAIL}{query}")).expect(200).body;
        (body["data"].as_array().unwrap().len() as i64, body["pagination"].clone())
    };
    let pagination = |current: i64, prev: Value, next: Value, pages: i64| json!({"current_page": current, "prev_page": prev, "next_page": next, "total_pages": pages, "total_count": total});
    assert_eq!(page(""), (1000, pagination(1, Value::Null, json!(2), 2)));
    assert_eq!(page("?page[number]=2"), (total - 1000, pagination(2, json!(1), Value::Null, 2)));
    let pages = (total + 499) / 500;
    assert_eq!(page("?page[size]=500&page[number]=2"), (500, pagination(2, json!(1), json!(3), pages)));
    assert_eq!(page("?page[number]=7").0, 0);
    assert_eq!(page(&format!("?page[number]={}", i64::MAX)).0, 0);
    let mut ids = BTreeSet::new();
    for number in 1..=2 {
        let body = scene.reader.get(&format!("{TRAIL}?page[number]={number}")).expect(200).body;
        ids.extend(body["data"].as_array().unwrap().iter().map(|event| event["id"].as_str().unwrap().to_owned()));
    }
    assert_eq!(ids.len() as i64, total, "no event twice, none left out");
}

#[test]
fn a_wrong_query_is_refused() {
    let scene = Scene::set();
    for (query, blamed) in [
        ("since=yesterday", "since"),
        ("since=2020-01-01", "since"),
        ("since=", "since"),
        ("page[number]=0", "page[number]"),
        ("page[size]=0", "page[size]"),
        ("page[size]=x", "page[size]"),
        ("sort=timestamp", "sort"),
        ("filter[action]=create", "filter[action]"),
        ("nonsense=1", "nonsense"),
        ("since=2020-01-01T00:00:00Z&since=2020-01-01T00:00:00Z", "since"),
    ] {
        let refused = scene.reader.get(&format!("{TRAIL}?{query}")).expect(400);
        assert_eq!(refused.blamed(), [blamed], "{query}");
        assert!(refused.body["errors"][0]["source"]["parameter"].is_string());
    }
}

#[test]
fn every_change_is_told() {
    let scene = Scene::set();
    let client = &scene.ada.client;
    let (bob, told) = (scene.app.user("bob"), |request: &dyn Fn() -> Answer| scene.names_of(request));
    let change = resource("organizations", json!({"email": "new@example.com"}));
    assert_eq!(told(&|| client.patch("/api/v2/organizations/acme", &change)), ["organization update"]);
    let new = resource("teams", json!({"name": "ci"}));
    assert_eq!(told(&|| client.post("/api/v2/organizations/acme/teams", &new)), ["team create"]);
    let team = client.get("/api/v2/organizations/acme/teams?filter[names]=ci").expect(200).ids().remove(0);
    let path = format!("/api/v2/teams/{team}");
    let rename = resource("teams", json!({"name": "ops"}));
    assert_eq!(told(&|| client.patch(&path, &rename)), ["team update"]);

    let mut invitation = resource("organization-memberships", json!({"email": "bob@example.com"}));
    invitation["data"]["relationships"] = json!({"teams": identifiers("teams", &[&team])});
    let list = "/api/v2/organizations/acme/organization-memberships";
    assert_eq!(told(&|| client.post(list, &invitation)), ["organization_user create", "team_member create"]);
    let membership = bob.client.get("/api/v2/organization-memberships").expect(200).ids().remove(0);
    let own = format!("/api/v2/organization-memberships/{membership}");
    let accept = format!("{own}/actions/accept");
    assert_eq!(told(&|| bob.client.post_nothing(&accept)), ["organization_user update"]);
    let inside = format!("{path}/relationships/organization-memberships");
    let named = identifiers("organization-memberships", &[&membership]);
    assert_eq!(told(&|| client.delete_with(&inside, &named)), ["team_member destroy"]);
    assert_eq!(told(&|| client.post(&inside, &named)), ["team_member create"]);
    scene.ada.add_to_team(&scene.ada.team("acme", "more"), &bob);
    let left = "team_member destroy";
    assert_eq!(
        told(&|| client.delete(&own)),
        ["organization_user destroy", left, left],
        "of every team that bob was in"
    );
    let teams = "(SELECT DISTINCT meta ->> 'team' FROM audit_events WHERE action = 'destroy' \
                 AND resource_type = 'team_member') AS teams";
    assert_eq!(scene.app.count(teams), 2);

    let policies = json!({"token-ttl-policies": [{"token-type": "team", "max-ttl-ms": 86_400_000}]});
    let policies = resource("organization-token-ttl-policies", policies);
    let path_of_policies = "/api/v2/organizations/acme/token-ttl-policies";
    assert_eq!(told(&|| client.patch(path_of_policies, &policies)), ["organization_token_ttl_policy update"]);

    let (create, destroy) = ("authentication_token create", "authentication_token destroy");
    for one in [TOKEN.to_owned(), format!("{path}/authentication-token")] {
        assert_eq!(told(&|| client.post_nothing(&one)), [create]);
        assert_eq!(told(&|| client.post_nothing(&one)), [create, destroy]);
        assert_eq!(told(&|| client.delete(&one)), [destroy]);
    }
    assert_eq!(told(&|| client.delete(&path)), ["team destroy"]);
    // Nobody's change leaves nobody's event.
    let (events, _) = scene.told_of(|| client.delete(&path).expect(404));
    assert!(events.is_empty());
}

#[test]
fn showing_a_token_is_told() {
    let scene = Scene::set();
    let client = &scene.ada.client;
    let made = client.post_nothing(TOKEN).expect(201);
    for path in [TOKEN.to_owned(), format!("/api/v2/authentication-tokens/{}", made.id())] {
        let (events, _) = scene.told_of(|| client.get(&path).expect(200));
        assert_eq!(events.iter().map(name).collect::<Vec<_>>(), ["authentication_token show"], "{path}");
        assert_eq!(events[0]["resource"]["id"], made.id());
        assert_eq!(events[0]["auth"]["accessor_id"], scene.ada.id);
        // As if an hour had passed.
        scene.app.sql("ALTER TABLE audit_events DISABLE TRIGGER USER");
        scene
            .app
            .sql("UPDATE audit_events SET occurred_at = occurred_at - interval '61 minutes' WHERE action = 'show'");
        scene.app.sql("ALTER TABLE audit_events ENABLE TRIGGER USER");
    }
}

#[test]
fn a_refused_sign_in_is_told_once_a_minute() {
    let scene = Scene::set();
    let team = scene.ada.team("acme", "ci");
    let made: Vec<Answer> = ["expired", "revoked", "disabled"]
        .iter()
        .map(|state| scene.ada.described_token(&team, json!({"description": state})))
        .collect();
    for (state, ending) in [("expired", "expired_at"), ("revoked", "revoked_at"), ("disabled", "disabled_at")] {
        scene.app.sql(&format!("UPDATE tokens SET {ending} = now() WHERE description = '{state}'"));
    }
    for (token, status) in made.iter().zip(["expired", "revoked", "inactive"]) {
        let dead = scene.app.with(&token.secret());
        let (events, answer) = scene.told_of(|| dead.get("/api/v2/organizations/acme").expect(401));
        let [event] = &events[..] else { panic!("{status}: {events:#?}") };
        assert_eq!(name(event), "authentication_token refuse");
        assert_eq!(event["resource"]["id"], token.id());
        assert_eq!(event["resource"]["meta"]["status"], status);
        assert_eq!(event["request"]["id"], answer.header("X-Request-Id").unwrap());
        let (events, _) = scene.told_of(|| {
            (0..5).for_each(|_| drop(dead.get("/api/v2/account/details").expect(401)));
            dead.post_nothing(TOKEN).expect(401)
        });
        assert!(events.is_empty(), "the same token again in the same minute: {events:#?}");
    }
    // A secret that was never issued belongs to nobody's trail.
    let unknown = latchkey::credential::Secret::generate(latchkey::credential::Kind::Team).unwrap();
    let (events, _) = scene.told_of(|| scene.app.with(unknown.reveal()).get("/api/v2/organizations/acme").expect(401));
    assert!(events.is_empty());
}

#[test]
fn one_organization_reads_nothing_of_another() {
    let scene = Scene::set();
    let zoe = scene.app.user("zoe");
    zoe.organization("elsewhere");
    let token = "/api/v2/organizations/elsewhere/authentication-token?token=audit-trails";
    let theirs = scene.app.with(&zoe.client.post_nothing(token).expect(201).secret());
    let team = zoe.team("elsewhere", "zebra");
    zoe.team_token(&team);
    scene.ada.team("acme", "aardvark");
    let trails = [&scene.reader, &theirs].map(|reader| reader.get(TRAIL).expect(200).body);
    let external = |body: &Value| {
        let ids = body["data"].as_array().unwrap().iter();
        ids.map(|event| event["auth"]["organization_id"].as_str().unwrap().to_owned()).collect::<BTreeSet<_>>()
    };
    assert_eq!(external(&trails[0]).len(), 1);
    assert!(external(&trails[0]).is_disjoint(&external(&trails[1])));
    for (trail, own, other) in [(&trails[0], "aardvark", "zebra"), (&trails[1], "zebra", "aardvark")] {
        let text = trail.to_string();
        assert!(text.contains(own) && !text.contains(other), "{text}");
    }
    assert!(!trails[0].to_string().contains(&zoe.id) && !trails[1].to_string().contains(&scene.ada.id));
    let ids = |body: &Value| {
        let events = body["data"].as_array().unwrap().iter();
        events.map(|event| event["id"].as_str().unwrap().to_owned()).collect::<BTreeSet<_>>()
    };
    assert!(ids(&trails[0]).is_disjoint(&ids(&trails[1])));
}

#[test]
fn events_cannot_be_changed_or_deleted() {
    use diesel::prelude::*;
    let scene = Scene::set();
    let before = scene.events();
    let mut connection = PgConnection::establish(&scene.app.database_url).unwrap();
    // Neither the whole nor the table of a month.
    for trail in ["audit_events".to_owned(), format!("audit_events_{}", Utc::now().format("%Y_%m"))] {
        for statement in ["UPDATE {} SET action = 'x'", "DELETE FROM {}", "TRUNCATE {}"] {
            let statement = statement.replace("{}", &trail);
            assert!(diesel::sql_query(&statement).execute(&mut connection).is_err(), "{statement}");
        }
    }
    assert_eq!(scene.events(), before);
}

/// Two writers, one of them slow, and a poller that asks with the last time that it saw: each event once, none missing.
#[test]
fn a_poller_gets_each_event_once_and_misses_none() {
    let scene = Scene::set();
    let app = &scene.app;
    let newest = |body: &Value| {
        body["data"].as_array().unwrap().last().map(|event| event["timestamp"].as_str().unwrap().to_owned())
    };
    let ids = |body: &Value| -> Vec<String> {
        body["data"].as_array().unwrap().iter().map(|event| event["id"].as_str().unwrap().to_owned()).collect()
    };
    let first = scene.reader.get(&format!("{TRAIL}?page[size]=1000")).expect(200).body;
    let mut since = newest(&first).unwrap();
    std::thread::sleep(Duration::from_millis(5));
    assert_eq!(ids(&scene.reader.get(&format!("{TRAIL}?since={since}")).expect(200).body), [""; 0]);
    let before = app.count("audit_events WHERE organization_id IS NOT NULL");
    let mut seen: Vec<String> = vec![];
    let done = std::sync::atomic::AtomicU32::new(0);
    let (write, organization) = (
        |hold: &str| {
            app.sql(&format!(
                "DO $$ BEGIN INSERT INTO audit_events (id, organization_id, actor_type, resource_type, resource_id, action) \
                 SELECT new_id(), id, 'System', 'test', 'x', 'update' FROM organizations; PERFORM pg_sleep({hold}); END $$"
            ));
        },
        app.count("organizations"),
    );
    assert_eq!(organization, 1);
    std::thread::scope(|scope| {
        for hold in ["0.2", "0.001"] {
            let (write, done) = (&write, &done);
            scope.spawn(move || {
                (0..if hold == "0.2" { 10 } else { 200 }).for_each(|_| write(hold));
                done.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            });
        }
        let (mut last_rounds, mut deadline) = (20, None);
        while last_rounds > 0 {
            // What comes late, while anything else in the cluster is slow, comes all the same; and then nothing more does.
            if done.load(std::sync::atomic::Ordering::SeqCst) == 2 {
                let deadline = *deadline.get_or_insert_with(|| Instant::now() + Duration::from_secs(20));
                if seen.len() >= 210 || Instant::now() > deadline {
                    last_rounds -= 1;
                }
            }
            let body = scene.reader.get(&format!("{TRAIL}?page[size]=1000&since={since}")).expect(200).body;
            seen.extend(ids(&body));
            since = newest(&body).unwrap_or(since);
            std::thread::sleep(Duration::from_millis(10));
        }
    });
    let all = app.count("audit_events WHERE organization_id IS NOT NULL") - before;
    let distinct: std::collections::BTreeSet<&String> = seen.iter().collect();
    assert_eq!((seen.len(), distinct.len()), (usize::try_from(all).unwrap(), seen.len()));
    assert!(all >= 210);
}

/// The events of the last three months and of the next ones, one on each day, as far as a condition on the day goes.
fn a_year_of_events(app: &App) {
    app.sql(
        "INSERT INTO audit_events (id, organization_id, occurred_at, actor_type, resource_type, resource_id, action) \
         SELECT new_id(), id, now() - day * interval '1 day', 'System', 'test', 'day-' || day, 'update' \
         FROM organizations, generate_series(-40, 500) AS day",
    );
}

#[test]
fn every_month_has_a_table_and_what_is_in_none_of_them_is_kept() {
    let scene = Scene::set();
    let months = "pg_inherits WHERE inhparent = 'audit_events'::regclass";
    until("this month, two to come, and the rest", || scene.app.count(months) == 4);
    assert_eq!(scene.app.count("audit_events_other"), 0);
    a_year_of_events(&scene.app);
    assert!(scene.app.count("audit_events_other") > 300);
    let of_test = "audit_events WHERE resource_type = 'test'";
    assert_eq!(scene.app.count(of_test), 541);
    // A table that is made later takes what belongs into it.
    let long_ago = "occurred_at >= date_trunc('month', now() - interval '200 days', 'UTC') AND resource_type = 'test'";
    let before = scene.app.count(&format!("audit_events WHERE {long_ago}"));
    let moved = "SELECT make_audit_month(now() - interval '200 days')";
    scene.app.sql(moved);
    assert_eq!(scene.app.count(months), 5);
    assert_eq!(scene.app.count(&format!("audit_events WHERE {long_ago}")), before);
    assert!(scene.app.count(&format!("audit_events_other WHERE {long_ago}")) < before);
    scene.app.sql(moved);
    assert_eq!(scene.app.count(of_test), 541);
}

#[test]
fn events_that_are_too_old_go_with_their_month() {
    let scene = Scene::set();
    a_year_of_events(&scene.app);
    // More hours than are removed in one batch, in months and in none.
    scene.app.sql(
        "INSERT INTO audit_events (id, organization_id, occurred_at, actor_type, resource_type, resource_id, action) \
         SELECT new_id(), id, now() - interval '435 days' - n * interval '1 hour', 'System', 'old', 'x', 'update' \
         FROM organizations, generate_series(1, 12000) AS n",
    );
    for days in [450, 480, 510, 540, 420, 100] {
        scene.app.sql(&format!("SELECT make_audit_month(now() - {days} * interval '1 day')"));
    }
    until("all are counted", || scene.app.count("audit_event_additions") == 0);
    let data = Folder::new();
    let service = Served::on(&scene.app.database_url, &data, &["--audit-retention", "400d"]);
    let first = "date_trunc('month', now() - interval '400 days', 'UTC')";
    until("they are gone", || scene.app.count(&format!("audit_events WHERE occurred_at < {first}")) == 0);
    assert!(service.stop());
    let kept = format!("generate_series(-40, 500) AS day WHERE now() - day * interval '1 day' >= {first}");
    let kept = scene.app.count(&kept);
    assert!((401 + 40..=432 + 40).contains(&kept));
    assert_eq!(scene.app.count("audit_events WHERE resource_type = 'test'"), kept);
    // The counts know it, too.
    let told = scene.reader.get(TRAIL).expect(200).body["pagination"]["total_count"].as_i64().unwrap();
    assert_eq!(told, scene.app.count("audit_events WHERE organization_id IS NOT NULL"));
}

/// Totals are exact at every distance, folded or not.
#[test]
fn a_total_is_exact_wherever_it_begins() {
    let scene = Scene::set();
    scene.app.sql(
        "INSERT INTO audit_events (id, organization_id, occurred_at, actor_type, resource_type, resource_id, action) \
         SELECT new_id(), id, now() - n * interval '7 minutes', 'System', 'test', 'n-' || n, 'update' \
         FROM organizations, generate_series(1, 300) AS n",
    );
    // The first ones before all is added up.
    for ago in [3000, 1000, 600, 121, 119, 61, 60, 59, 1, 0, 2000] {
        let since = Utc::now() - chrono::TimeDelta::minutes(ago);
        let since = since.format("%Y-%m-%dT%H:%M:%S%.3fZ");
        let body = scene.reader.get(&format!("{TRAIL}?since={since}")).expect(200).body;
        let listed = body["data"].as_array().unwrap().len();
        assert_eq!(body["pagination"]["total_count"], listed, "{since}");
        if ago == 121 {
            until("all is added up", || scene.app.count("audit_event_additions") == 0);
        }
    }
}

/// What a trail tells, as `type action`, without that somebody has looked at a token.
fn told(reader: &Client, path: &str) -> Vec<String> {
    let body = reader.get(path).expect(200).body;
    let events = body["data"].as_array().unwrap();
    assert_eq!(body["pagination"]["total_count"], events.len(), "{path}");
    events.iter().map(name).collect()
}

const OWN: &str = "/api/v2/account/audit-trail";
const OF_ACME: &str = "/api/v2/organizations/acme/audit-trail";
const ALL: &str = "/api/v2/admin/audit-trail";

#[test]
fn users_read_what_happened_to_their_account_and_their_tokens() {
    let scene = Scene::set();
    let (bob, root) = (scene.app.user("bob"), scene.app.site_admin("root"));
    let tokens = format!("/api/v2/users/{}/authentication-tokens", bob.id);
    let laptop = resource("authentication-tokens", json!({"description": "laptop"}));
    let made = bob.client.post(&tokens, &laptop).expect(201);
    bob.client.delete(&format!("/api/v2/authentication-tokens/{}", made.id())).expect(204);
    scene.app.with(&made.secret()).get("/api/v2/account/details").expect(401);
    // What happens in organizations, and to others, is not theirs.
    scene.ada.add_to_team(&scene.ada.team("acme", "ci"), &bob);
    let renamed = resource("users", json!({"username": "robert"}));
    bob.client.patch("/api/v2/account/update", &renamed).expect(200);
    let act = |action: &str| {
        root.client.post_nothing(&format!("/api/v2/admin/users/{}/actions/{action}", bob.id)).expect(200);
    };
    act("suspend");
    bob.client.get(OWN).expect(401);
    act("unsuspend");
    let token = "authentication_token";
    let expected = [
        "user create",
        &format!("{token} create"),
        &format!("{token} create"),
        &format!("{token} destroy"),
        &format!("{token} refuse"),
        "user update",
        "user suspend",
        &format!("{token} refuse"),
        "user unsuspend",
    ]
    .map(str::to_owned);
    assert_eq!(told(&bob.client, OWN), expected);
    // What others did names them.
    let events = bob.client.get(OWN).expect(200).body["data"].clone();
    assert_eq!(events[6]["auth"]["description"], "root");
    let since = events[5]["timestamp"].as_str().unwrap().to_owned();
    assert_eq!(told(&bob.client, &format!("{OWN}?since={since}")), expected[6..]);
    // A capped token sees what its user sees.
    scene.app.sql("UPDATE tokens SET role = 'viewer' WHERE kind = 'user'");
    assert_eq!(told(&bob.client, OWN), expected);
    assert_eq!(told(&scene.ada.client, OWN), ["user create", &format!("{token} create")].map(str::to_owned));
}

#[test]
fn owners_and_site_admins_read_the_trail_of_an_organization_by_its_name() {
    let scene = Scene::set();
    let root = scene.app.site_admin("root");
    let own = format!("/api/v2/users/{}/authentication-tokens", scene.ada.id);
    let private = resource("authentication-tokens", json!({"description": "zebra"}));
    let second = scene.app.with(&scene.ada.client.post(&own, &private).expect(201).secret());
    second.post("/api/v2/organizations/acme/teams", &resource("teams", json!({"name": "ci"}))).expect(200);
    let by_the_reader = scene.reader.get(TRAIL).expect(200).body;
    for client in [&scene.ada.client, &root.client] {
        let trail = client.get(OF_ACME).expect(200).body;
        assert_eq!(trail, by_the_reader);
        // Of a user's token it tells nothing but that its user did this.
        assert!(!trail.to_string().contains("zebra"));
    }
    scene.app.sql("UPDATE tokens SET role = 'admin' WHERE kind = 'user'");
    for client in [&scene.ada.client, &root.client] {
        client.get(OF_ACME).expect(403);
    }
}

#[test]
fn site_admins_read_the_trail_of_everybody() {
    let scene = Scene::set();
    let root = scene.app.site_admin("root");
    scene.app.user("bob");
    scene.ada.client.delete("/api/v2/organizations/acme").expect(204);
    root.client.get(OF_ACME).expect(404);
    let destroyed = "audit_events WHERE action = 'destroy' AND meta ? 'ended-with'";
    crate::support::process::until("the end of the reader's token is told", || scene.app.count(destroyed) == 1);
    let all = told(&root.client, ALL);
    assert_eq!(i64::try_from(all.len()).unwrap(), scene.app.count("audit_events"));
    assert!(
        ["organization destroy", "user create", "team create"].iter().all(|event| all.contains(&(*event).to_owned()))
    );
    // Counted by the hour as well as by the event.
    scene.app.sql(
        "INSERT INTO audit_events (id, organization_id, user_id, occurred_at, actor_type, resource_type, resource_id, action) \
         SELECT new_id(), NULL, NULL, now() - hours * interval '1 hour', 'System', 'signing_key', 'x', 'create' \
         FROM generate_series(1, 100) AS hours",
    );
    assert_eq!(told(&root.client, ALL).len(), all.len() + 100);
    let body = root.client.get(&format!("{ALL}?page[size]=10&page[number]=3")).expect(200).body;
    assert_eq!(body["data"].as_array().unwrap().len(), 10);
    scene.app.sql("UPDATE tokens SET role = 'admin' WHERE kind = 'user'");
    root.client.get(ALL).expect(404);
}

/// A trail reads its own events, however many others there are.
#[test]
fn a_trail_is_read_by_its_index() {
    use diesel::prelude::*;
    #[derive(QueryableByName)]
    struct Line {
        #[diesel(sql_type = diesel::sql_types::Text, column_name = "QUERY PLAN")]
        line: String,
    }
    let scene = Scene::set();
    scene.app.sql(
        "INSERT INTO audit_events (id, organization_id, user_id, occurred_at, actor_type, resource_type, resource_id, action) \
         SELECT new_id(), md5((n % 100)::text)::uuid, md5((n % 1000)::text)::uuid, now() - n * interval '1 s', \
         'System', 'user', 'x', 'update' FROM generate_series(1, 20000) AS n",
    );
    scene.app.sql("ANALYZE audit_events");
    let mut connection = PgConnection::establish(&scene.app.database_url).unwrap();
    for whose in ["organization_id = (SELECT id FROM organizations) AND", "user_id = (SELECT id FROM users) AND", ""] {
        let lines: Vec<Line> = diesel::sql_query(format!(
            "EXPLAIN (COSTS OFF) SELECT * FROM audit_events WHERE {whose} occurred_at >= now() - interval '400 days' \
             AND occurred_at < now() ORDER BY occurred_at, id LIMIT 1000"
        ))
        .load(&mut connection)
        .unwrap();
        let plan: Vec<String> = lines.into_iter().map(|line| line.line).collect();
        // Tables of other months are empty, and read in whatever way.
        let big: Vec<&String> = plan.iter().filter(|line| line.contains("audit_events_2")).collect();
        assert!(!big.is_empty());
        assert!(big.iter().any(|line| line.contains("Index") || line.contains("Bitmap")), "{whose}: {plan:#?}");
        let this_month = format!("Seq Scan on audit_events_{}", Utc::now().format("%Y_%m"));
        assert!(!plan.iter().any(|line| line.contains(&this_month)), "{whose}: {plan:#?}");
    }
}
