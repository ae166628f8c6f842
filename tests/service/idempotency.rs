//! A request with an `Idempotency-Key` is done once, and sent again it gets the same answer (docs/design.md §5).

use std::collections::BTreeSet;

use diesel::sql_types::{Binary, Text};
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use serde_json::{Value, json};

use crate::races::times;
use crate::support::App;
use crate::support::app::{Acme, ENCRYPTION_KEY, User, resource};
use crate::support::client::{Answer, Client, MEDIA_TYPE};
use crate::support::everything::Everything;
use crate::support::holder::Holder;
use crate::support::routes::{description, routes};

const KEY: &str = "8e03978e-40d5-43e8-bc93-6894a57f9324";

/// How an answer says that it was given before.
const REPLAYED: &str = "Idempotent-Replayed";

fn post_with(client: &Client, path: &str, key: &str, body: &Value) -> Answer {
    let headers = [("Content-Type", MEDIA_TYPE), ("Idempotency-Key", key)];
    client.send("POST", path, &headers, Some(body.to_string().as_bytes()))
}

fn post(client: &Client, path: &str, body: &Value) -> Answer {
    post_with(client, path, KEY, body)
}

fn token(attributes: Value) -> Value {
    resource("authentication-tokens", attributes)
}

fn own_tokens(user: &User) -> String {
    format!("/api/v2/users/{}/authentication-tokens", user.id)
}

fn one_more(scene: &Acme) -> String {
    format!("{}s", scene.one())
}

#[track_caller]
fn assert_first(answer: &Answer) {
    assert_eq!((answer.status, answer.header(REPLAYED)), (201, None), "{}", answer.body);
}

/// Checks that an answer is another one once more.
#[track_caller]
fn assert_again(answer: &Answer, first: &Answer) {
    assert_eq!((answer.status, answer.header(REPLAYED)), (201, Some("true")), "{}", answer.body);
    assert_eq!(answer.body, first.body);
    for name in ["Location", "Content-Type", "Vary", "Cache-Control"] {
        assert_eq!(answer.header(name), first.header(name), "{name}");
    }
}

/// Makes all kept answers older.
fn age(app: &App, time: &str) {
    app.sql(&format!("UPDATE kept_answers SET created_at = created_at - interval '{time}'"));
}

#[test]
fn every_route_that_makes_a_token_takes_a_key_and_no_other() {
    let world = Everything::new();
    let description = description(&world.app);
    let mut seen = 0;
    for route in routes(&description) {
        let name = route.name();
        let makes_tokens = route.operation["responses"]["201"].to_string().contains("schemas/authentication-tokens\"");
        let parameters = route.operation["parameters"].as_array().cloned().unwrap_or_default();
        let declared = parameters.iter().find(|parameter| parameter["name"] == "Idempotency-Key");
        assert_eq!(declared.is_some(), makes_tokens, "{name}");
        let Some(parameter) = declared else { continue };
        assert_eq!((&parameter["in"], &parameter["required"]), (&json!("header"), &json!(false)), "{name}");
        for status in ["400", "409", "422"] {
            assert!(route.operation["responses"][status].is_object(), "{name}: {status}");
        }
        assert!(route.operation["responses"]["201"]["headers"][REPLAYED].is_object(), "{name}");

        let path = world.target(&route);
        let body = if path.ends_with("regenerate") { json!({}) } else { json!({"description": "ephemeral"}) };
        let tokens = world.app.count("tokens");
        let first = post(&world.ada.client, &path, &token(body.clone()));
        assert_first(&first);
        assert_again(&post(&world.ada.client, &path, &token(body.clone())), &first);
        assert_eq!(world.app.count("tokens"), tokens + 1, "{name}");
        world.app.with(&first.secret()).get("/api/v2/authentication-tokens/current").expect(200);
        seen += 1;
    }
    assert_eq!(seen, 6);
    let audit_trails = "/api/v2/organizations/acme/authentication-token?token=audit-trails";
    let first = post_with(&world.ada.client, audit_trails, "another", &token(json!({})));
    assert_first(&first);
    assert_again(&post_with(&world.ada.client, audit_trails, "another", &token(json!({}))), &first);
}

#[test]
fn without_a_key_nothing_is_kept_or_looked_up() {
    let scene = Acme::new();
    // Whoever looked would wait.
    let _holder = Holder::of(&scene.app, "LOCK TABLE kept_answers IN ACCESS EXCLUSIVE MODE");
    let own = own_tokens(&scene.ada);
    let [one, other] = [(); 2].map(|()| scene.ada.client.post(&own, &token(json!({}))).expect(201));
    assert_ne!(one.secret(), other.secret());
}

#[test]
fn elsewhere_the_header_means_nothing() {
    let scene = Acme::new();
    let (teams, body) = ("/api/v2/organizations/acme/teams", resource("teams", json!({"name": "new"})));
    let made = post_with(&scene.ada.client, teams, "not one", &body).expect(200);
    assert_eq!(made.header(REPLAYED), None);
    post(&scene.ada.client, teams, &body).expect(422);
    assert_eq!(scene.app.count("kept_answers"), 0);
}

#[test]
fn another_request_under_the_same_key_is_refused() {
    let scene = Acme::new();
    let (own, body) = (own_tokens(&scene.ada), token(json!({"description": "a"})));
    let first = post(&scene.ada.client, &own, &body);
    assert_first(&first);
    let others = [
        post(&scene.ada.client, &own, &token(json!({"description": "b"}))),
        post(&scene.ada.client, &format!("{own}?fields[authentication-tokens]=token"), &body),
    ];
    for other in others {
        let other = other.expect(422);
        assert_eq!(other.blamed(), ["Idempotency-Key"]);
    }
    assert_eq!(scene.app.count("tokens WHERE kind = 'user'"), 2);
    // In quotes it is the same key, and the first answer is there still.
    assert_again(&post_with(&scene.ada.client, &own, &format!("\"{KEY}\""), &body), &first);
}

#[test]
fn what_is_no_key_is_refused_to_who_may_make_a_token() {
    let scene = Acme::new();
    let (path, body) = (one_more(&scene), token(json!({"description": "a", "role": "king"})));
    for wrong in ["", "two words", "\"open", &"k".repeat(256)] {
        let refused = post_with(&scene.ada.client, &path, wrong, &token(json!({}))).expect(400);
        assert_eq!(refused.blamed(), ["Idempotency-Key"], "{wrong:?}");
        let both = post_with(&scene.ada.client, &path, wrong, &body).expect(400);
        assert_eq!(both.blamed(), ["/data/attributes/role", "Idempotency-Key"]);
        post_with(&scene.app.user(&format!("eve{}", wrong.len())).client, &path, wrong, &body).expect(404);
    }
    assert_eq!(scene.app.count("tokens WHERE kind = 'team'"), 0);
}

#[test]
fn another_caller_or_another_route_is_another_request() {
    let scene = Acme::new();
    let (own, body) = (own_tokens(&scene.ada), token(json!({"description": "a"})));
    let bob = scene.app.user("bob");
    let other_token = scene.app.with(&scene.ada.client.post(&own, &token(json!({}))).expect(201).secret());
    let other_team = scene.ada.team("acme", "other");
    let requests: [(&Client, String); 6] = [
        (&scene.ada.client, own.clone()),
        (&other_token, own.clone()),
        (&bob.client, own_tokens(&bob)),
        (&scene.ada.client, one_more(&scene)),
        (&scene.ada.client, scene.one()),
        (&scene.ada.client, format!("/api/v2/teams/{other_team}/authentication-tokens")),
    ];
    let secrets: BTreeSet<String> = requests
        .iter()
        .map(|(client, path)| {
            let first = post(client, path, &body);
            assert_first(&first);
            first.secret()
        })
        .collect();
    assert_eq!(secrets.len(), requests.len());
    for (client, path) in &requests {
        let again = post(client, path, &body).expect(201);
        assert!(again.header(REPLAYED) == Some("true") && secrets.contains(&again.secret()), "{path}");
    }
}

/// A name says nothing of the organization that had it before.
#[test]
fn an_answer_stays_with_its_organization() {
    let app = App::start();
    let root = app.site_admin("root");
    let ada = app.user("ada");
    ada.organization("acme");
    let path = "/api/v2/organizations/acme/authentication-token";
    let first = post(&root.client, path, &token(json!({})));
    assert_first(&first);
    let renamed = resource("organizations", json!({"name": "kept"}));
    ada.client.patch("/api/v2/organizations/acme", &renamed).expect(200);
    app.user("eve").organization("acme");
    let other = post(&root.client, path, &token(json!({})));
    assert_first(&other);
    assert_ne!(other.secret(), first.secret());
}

#[test]
fn of_32_at_once_one_is_done() {
    let scene = Acme::new();
    let old = scene.ada.described_token(&scene.team, json!({"description": "old"})).id();
    let requests = [
        (own_tokens(&scene.ada), json!({"description": "a"}), "kind = 'user'"),
        (one_more(&scene), json!({"description": "a"}), "kind = 'team' AND NOT revoked"),
        (scene.one(), json!({}), "kind = 'team' AND NOT revoked"),
        (format!("/api/v2/authentication-tokens/{old}/actions/regenerate"), json!({}), "kind = 'team'"),
    ];
    for (path, body, counted) in requests {
        let before = scene.app.count(&format!("tokens WHERE {counted}"));
        let answers = times(32, |_| post(&scene.ada.client, &path, &token(body.clone())));
        let made: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 201).collect();
        let first: Vec<&&Answer> = made.iter().filter(|answer| answer.header(REPLAYED).is_none()).collect();
        assert_eq!(first.len(), 1, "{path}");
        assert!(made.iter().all(|answer| answer.body == first[0].body), "{path}");
        for other in answers.iter().filter(|answer| answer.status != 201) {
            // Or there were too many of the caller's.
            let refused = other.status == 409 && other.blamed() == ["Idempotency-Key"];
            assert!(refused || other.status == 429, "{path}: {}", other.body);
        }
        assert_eq!(scene.app.count(&format!("tokens WHERE {counted}")), before + 1, "{path}");
        assert_again(&post(&scene.ada.client, &path, &token(body)), first[0]);
    }
}

#[test]
fn while_one_is_under_way_another_is_refused_by_every_replica() {
    let scene = Acme::new();
    let replica = App::on(scene.app.database_url.clone());
    let there = replica.with(scene.ada.client.secret());
    let (own, body) = (own_tokens(&scene.ada), token(json!({})));
    // The first has made its token, and cannot write its event.
    let holder = Holder::of(&scene.app, "LOCK TABLE audit_events IN EXCLUSIVE MODE");
    let first = std::thread::scope(|scope| {
        let first = scope.spawn(|| post(&scene.ada.client, &own, &body));
        holder.until_waiting(1);
        for client in [&scene.ada.client, &there] {
            let refused = post(client, &own, &body).expect(409);
            assert_eq!(refused.blamed(), ["Idempotency-Key"]);
            assert_eq!(refused.header("Retry-After"), Some("1"));
        }
        holder.release();
        first.join().unwrap()
    });
    assert_first(&first);
    assert_again(&post(&there, &own, &body), &first);
}

#[test]
fn who_dies_on_the_way_does_not_keep_the_key() {
    let scene = Acme::new();
    let (own, body) = (own_tokens(&scene.ada), token(json!({})));
    let holder = Holder::of(&scene.app, "LOCK TABLE audit_events IN EXCLUSIVE MODE");
    std::thread::scope(|scope| {
        let first = scope.spawn(|| post(&scene.ada.client, &own, &body));
        holder.until_waiting(1);
        // What PostgreSQL sees when a service is killed.
        let waiting = "pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        scene.app.sql(&format!("SELECT pg_terminate_backend(pid) FROM {waiting}"));
        first.join().unwrap().expect(503);
    });
    holder.release();
    assert_eq!(scene.app.count("tokens WHERE kind = 'user'"), 1);
    assert_first(&post(&scene.ada.client, &own, &body));
}

#[test]
fn a_token_and_its_answer_are_kept_together() {
    let scene = Acme::new();
    let (own, body) = (own_tokens(&scene.ada), token(json!({})));
    scene.app.sql("ALTER TABLE kept_answers ADD CONSTRAINT none CHECK (false)");
    post(&scene.ada.client, &own, &body).expect(500);
    assert_eq!(scene.app.count("tokens"), 1);
    scene.app.sql("ALTER TABLE kept_answers DROP CONSTRAINT none");
    assert_first(&post(&scene.ada.client, &own, &body));
}

#[test]
fn what_failed_is_done_when_it_is_sent_again() {
    let scene = Acme::new();
    let (path, body) = (one_more(&scene), token(json!({"description": "a"})));
    let other = scene.ada.described_token(&scene.team, json!({"description": "a"})).id();
    let refused = post(&scene.ada.client, &path, &body).expect(422);
    assert_eq!(refused.body["errors"][0]["meta"]["token"], other);
    assert_eq!(scene.app.count("kept_answers"), 0);
    scene.ada.client.delete(&format!("/api/v2/authentication-tokens/{other}")).expect(204);
    let first = post(&scene.ada.client, &path, &body);
    assert_first(&first);
    // Now the description is taken, by what the request itself has made.
    assert_again(&post(&scene.ada.client, &path, &body), &first);
}

#[test]
fn after_ten_minutes_a_key_is_new() {
    let scene = Acme::new();
    let (own, body) = (own_tokens(&scene.ada), token(json!({})));
    let first = post(&scene.ada.client, &own, &body);
    age(&scene.app, "9 minutes");
    assert_again(&post(&scene.ada.client, &own, &body), &first);
    age(&scene.app, "1 minute");
    let second = post(&scene.ada.client, &own, &body);
    assert_first(&second);
    assert_ne!(second.secret(), first.secret());
    assert_again(&post(&scene.ada.client, &own, &body), &second);
}

/// The answer is that of then, whatever has become of the token.
#[test]
fn an_answer_outlives_its_token() {
    let scene = Acme::new();
    let (own, body) = (own_tokens(&scene.ada), token(json!({})));
    let first = post(&scene.ada.client, &own, &body);
    scene.ada.client.delete(&format!("/api/v2/authentication-tokens/{}", first.id())).expect(204);
    assert_again(&post(&scene.ada.client, &own, &body), &first);
    assert!(!scene.works(&first.secret()));
    scene.app.sql(&format!("DELETE FROM tokens WHERE token_prefix = '{}'", &first.secret()[..10]));
    assert_again(&post(&scene.ada.client, &own, &body), &first);
}

#[test]
fn who_has_lost_the_right_gets_no_answer_again() {
    let scene = Acme::new();
    let bob = scene.app.user("bob");
    scene.ada.add_to_team(&scene.team, &bob);
    let seen = |allows: bool| json!({"visibility": "organization", "allow-member-token-management": allows});
    let set = |allows| {
        let path = format!("/api/v2/teams/{}", scene.team);
        scene.ada.client.patch(&path, &resource("teams", seen(allows))).expect(200);
    };
    set(true);
    let (path, body) = (one_more(&scene), token(json!({"description": "a"})));
    let first = post(&bob.client, &path, &body);
    set(false);
    post(&bob.client, &path, &body).expect(403);
    set(true);
    assert_again(&post(&bob.client, &path, &body), &first);
    let membership = bob.memberships().remove(0);
    scene.ada.client.delete(&format!("/api/v2/organization-memberships/{membership}")).expect(204);
    post(&bob.client, &path, &body).expect(404);
    scene.app.sql("UPDATE tokens SET revoked = true, revoked_at = now() WHERE description = 'first token'");
    post(&bob.client, &path, &body).expect(401);
}

/// A token that was capped since gets none of more than it may give now.
#[test]
fn who_may_give_less_now_gets_no_answer_again() {
    let scene = Acme::new();
    let own = own_tokens(&scene.ada);
    let capped = scene.ada.client.post(&own, &token(json!({}))).expect(201);
    let client = scene.app.with(&capped.secret());
    let bodies = [json!({"description": "a"}), json!({"description": "b", "role": "member"})].map(token);
    let keys = ["a", "b"];
    let first: Vec<Answer> = keys.iter().zip(&bodies).map(|(key, body)| post_with(&client, &own, key, body)).collect();
    first.iter().for_each(assert_first);
    let cap = token(json!({"role": "member"}));
    scene.ada.client.patch(&format!("/api/v2/authentication-tokens/{}", capped.id()), &cap).expect(200);
    let refused = post_with(&client, &own, "a", &bodies[0]).expect(403);
    assert_eq!(refused.blamed(), ["/data/attributes/role"]);
    assert_again(&post_with(&client, &own, "b", &bodies[1]), &first[1]);
}

/// Nor does one whose end has come nearer get a secret that outlives it.
#[test]
fn who_ends_sooner_now_gets_no_answer_again() {
    let scene = Acme::new();
    let own = own_tokens(&scene.ada);
    let cut = scene.ada.client.post(&own, &token(json!({}))).expect(201);
    let client = scene.app.with(&cut.secret());
    let made = |end: &str| token(json!({"description": end, "expired-at": end}));
    let bodies = ["2031-01-01T00:00:00.000Z", "2030-01-01T00:00:00.000Z"].map(made);
    let first: Vec<Answer> =
        ["a", "b"].iter().zip(&bodies).map(|(key, body)| post_with(&client, &own, key, body)).collect();
    first.iter().for_each(assert_first);
    let sooner = token(json!({"expired-at": "2030-06-01T00:00:00.000Z"}));
    scene.ada.client.patch(&format!("/api/v2/authentication-tokens/{}", cut.id()), &sooner).expect(200);
    post_with(&client, &own, "a", &bodies[0]).expect(403);
    assert_again(&post_with(&client, &own, "b", &bodies[1]), &first[1]);
}

/// Nor one that has lost an ability that it gave away.
#[test]
fn who_has_lost_an_ability_gets_no_answer_again() {
    let scene = Acme::new();
    let own = own_tokens(&scene.ada);
    let cut = scene.ada.client.post(&own, &token(json!({"abilities": ["agents:read", "agents:write"]}))).expect(201);
    let client = scene.app.with(&cut.secret());
    let bodies = ["agents:write", "agents:read"].map(|ability| token(json!({"abilities": [ability]})));
    let first: Vec<Answer> =
        ["a", "b"].iter().zip(&bodies).map(|(key, body)| post_with(&client, &own, key, body)).collect();
    first.iter().for_each(assert_first);
    let fewer = token(json!({"abilities": ["agents:read"]}));
    scene.ada.client.patch(&format!("/api/v2/authentication-tokens/{}", cut.id()), &fewer).expect(200);
    let refused = post_with(&client, &own, "a", &bodies[0]).expect(403);
    assert_eq!(refused.blamed(), ["/data/attributes/abilities"]);
    assert_again(&post_with(&client, &own, "b", &bodies[1]), &first[1]);
}

#[test]
fn a_token_that_replaces_itself_may_ask_again_while_it_lives() {
    let scene = Acme::new();
    let itself = scene.ada.team_token(&scene.team);
    let client = scene.app.with(&itself.secret());
    let path = format!("/api/v2/authentication-tokens/{}/actions/regenerate", itself.id());
    let graceful = token(json!({"grace-period-seconds": 600}));
    let first = post(&client, &path, &graceful);
    assert_first(&first);
    assert_again(&post(&client, &path, &graceful), &first);

    let successor = scene.app.with(&first.secret());
    assert_first(&post(&successor, &scene.one(), &token(json!({}))));
    post(&successor, &scene.one(), &token(json!({}))).expect(401);
}

#[test]
fn an_answer_that_cannot_be_opened_names_its_token() {
    let scene = Acme::new();
    let (own, body) = (own_tokens(&scene.ada), token(json!({})));
    let first = post(&scene.ada.client, &own, &body);
    let other = App::with_keys(scene.app.database_url.clone(), &"55".repeat(32), None);
    let refused = post(&other.with(scene.ada.client.secret()), &own, &body).expect(409);
    assert_eq!(refused.blamed(), ["Idempotency-Key"]);
    assert_eq!(refused.body["errors"][0]["meta"]["token"], first.id());
    assert_eq!(scene.app.count("tokens"), 2);
    assert_again(&post(&scene.ada.client, &own, &body), &first);
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    text: String,
    #[diesel(sql_type = Binary)]
    sealed_answer: Vec<u8>,
}

fn rows(app: &App) -> Vec<Row> {
    let mut connection = PgConnection::establish(&app.database_url).unwrap();
    let all = "SELECT kept_answers::text AS text, sealed_answer FROM kept_answers ORDER BY created_at";
    sql_query(all).load(&mut connection).unwrap()
}

/// That no table holds the secret itself is searched for at the end of every test.
#[test]
fn the_row_opens_only_in_its_place_and_with_both_keys() {
    let scene = Acme::new();
    let body = token(json!({"description": "a"}));
    let paths = [own_tokens(&scene.ada), one_more(&scene)];
    let [first, second] = [&paths[0], &paths[1]].map(|path| post(&scene.ada.client, path, &body));
    let hex = |text: &str| text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
    let rows = rows(&scene.app);
    assert_eq!(rows.len(), 2);
    for row in &rows {
        for text in [KEY, &first.secret(), &second.secret()] {
            assert!(!row.text.contains(text) && !row.text.contains(&hex(text)), "{text}");
        }
        let encryption_key = [0x6a; 32];
        assert_eq!(encryption_key.map(|byte| format!("{byte:02x}")).concat(), ENCRYPTION_KEY);
        let key = LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, &encryption_key).unwrap());
        let (nonce, sealed) = row.sealed_answer.split_at(12);
        let nonce = Nonce::try_assume_unique_for_key(nonce).unwrap();
        assert!(key.open_in_place(nonce, Aad::empty(), &mut sealed.to_vec()).is_err());
    }
    // What was sealed for one route is not given on another one, though key, body and caller are the same.
    let swap = |columns: &str| {
        let set = columns.split(' ').map(|column| format!("{column} = other.{column}")).collect::<Vec<_>>().join(", ");
        let other = "kept_answers AS other WHERE kept_answers.name <> other.name";
        scene.app.sql(&format!("UPDATE kept_answers SET {set} FROM {other}"));
    };
    for columns in ["sealed_answer", "sealed_answer token_id", "token_id"] {
        swap(columns);
        for path in &paths {
            post(&scene.ada.client, path, &body).expect(409);
        }
        swap(columns);
        assert_again(&post(&scene.ada.client, &paths[0], &body), &first);
        assert_again(&post(&scene.ada.client, &paths[1], &body), &second);
    }
}
