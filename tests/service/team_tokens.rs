//! A team's tokens, one at a time: `teams/:id/authentication-token(s)` and `authentication-tokens/:id`.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::support::app::{Acme, User, resource};
use crate::support::client::{Answer, Client};

impl Acme {
    /// A user in the organization who is in an open team, but not in `ci`.
    fn colleague(&self, username: &str) -> User {
        let colleague = self.app.user(username);
        let other = self.ada.team("acme", "others");
        self.ada.add_to_team(&other, &colleague);
        colleague
    }

    fn forbid_members(&self) {
        let attributes = json!({"allow-member-token-management": false});
        self.ada.client.patch(&format!("/api/v2/teams/{}", self.team), &resource("teams", attributes)).expect(200);
    }

    fn create(&self, client: &Client, attributes: Value) -> Answer {
        client.post(&self.many(), &resource("authentication-tokens", attributes))
    }
}

fn token(id: &str) -> String {
    format!("/api/v2/authentication-tokens/{id}")
}

#[track_caller]
fn assert_taken(answer: Answer) {
    let answer = answer.expect(422);
    assert_eq!(answer.body["errors"][0]["title"], "invalid attributes");
    assert_eq!(answer.detail(), "Validation failed: Description has already been taken");
    assert_eq!(answer.blamed(), ["/data/attributes/description"]);
}

#[test]
fn every_body_that_shipped_clients_send_makes_the_token() {
    let scene = Acme::new();
    let client = &scene.ada.client;
    assert!(scene.works(&client.post_nothing(&scene.one()).expect(201).secret()));
    for body in [
        json!({"data": {}}),
        json!({"data": {"type": ""}}),
        json!({"data": {"type": "authentication-token"}}),
        json!({"data": {"type": "authentication-tokens"}}),
        json!({"data": {"type": "authentication-token", "attributes": {}}}),
        json!({"data": {"type": "authentication-tokens", "attributes": {"expired-at": null}}}),
        json!({"data": {"attributes": {"expired-at": "2099-01-01T00:00:00Z"}}}),
    ] {
        assert!(scene.works(&client.post(&scene.one(), &body).expect(201).secret()), "{body}");
    }
    for (n, kind) in [json!(""), json!("authentication-token"), json!("authentication-tokens")].iter().enumerate() {
        let body = json!({"data": {"type": kind, "attributes": {"description": format!("nr {n}")}}});
        assert!(scene.works(&client.post(&scene.many(), &body).expect(201).secret()), "{body}");
    }
    client.post(&scene.many(), &json!({"data": {"attributes": {"description": "no type"}}})).expect(201);
}

#[test]
fn another_type_is_a_conflict() {
    let scene = Acme::new();
    for path in [scene.one(), scene.many()] {
        for kind in ["teams", "authentication_tokens", "Authentication-Tokens"] {
            let answer = scene.ada.client.post(&path, &resource(kind, json!({"description": "x"}))).expect(409);
            assert_eq!(answer.blamed(), ["/data/type"]);
        }
    }
    scene.ada.client.get(&scene.one()).expect(404);
}

#[test]
fn a_secret_is_of_the_documented_form() {
    let scene = Acme::new();
    let secret = scene.ada.team_token(&scene.team).secret();
    let (prefix, rest) = secret.split_at(4);
    assert_eq!((prefix, rest.len()), ("lkt_", 49));
    let (covered, check) = secret.split_at(47);
    assert_eq!(check, base62(crc32fast::hash(covered.as_bytes())));

    let mut mistyped = secret.clone().into_bytes();
    mistyped[20] = if mistyped[20] == b'A' { b'B' } else { b'A' };
    assert!(!scene.works(&String::from_utf8(mistyped).unwrap()));
    assert!(scene.works(&secret));
}

/// Six digits, the most significant first.
fn base62(mut number: u32) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut digits = [b'0'; 6];
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[(number % 62) as usize];
        number /= 62;
    }
    String::from_utf8(digits.to_vec()).unwrap()
}

#[test]
fn the_secret_is_shown_once() {
    let scene = Acme::new();
    let client = &scene.ada.client;
    let made = scene.ada.team_token(&scene.team);
    for path in [scene.one(), token(&made.id()), scene.many(), "/api/v2/organizations/acme/team-tokens".to_owned()] {
        let answer = client.get(&path).expect(200);
        assert!(!answer.body.to_string().contains(&made.secret()[4..]), "{path}");
        let data = &answer.body["data"];
        let shown = data.get(0).unwrap_or(data);
        assert_eq!(shown["id"], made.id());
        assert_eq!(shown["attributes"]["token"], Value::Null);
    }
}

#[test]
fn a_token_tells_of_its_team_its_maker_and_its_times() {
    let scene = Acme::new();
    let before = Utc::now() - TimeDelta::seconds(1);
    let attributes = json!({"description": "deploys", "expired-at": "2099-05-17T08:00:00Z"});
    let made = scene.create(&scene.ada.client, attributes).expect(201);
    let shown = scene.ada.client.get(&token(&made.id())).expect(200);
    for answer in [&made, &shown] {
        let data = &answer.body["data"];
        assert_eq!(data["type"], "authentication-tokens");
        assert!(answer.id().starts_with("at-"));
        assert_eq!(answer.attribute("description"), "deploys");
        assert_eq!(answer.attribute("expired-at"), "2099-05-17T08:00:00.000Z");
        assert_eq!(answer.attribute("last-used-at"), &Value::Null);
        let created_at: DateTime<Utc> = answer.attribute("created-at").as_str().unwrap().parse().unwrap();
        assert!(created_at > before && created_at <= Utc::now() + TimeDelta::seconds(1));
        let relationships = &data["relationships"];
        assert_eq!(relationships["team"]["data"], json!({"type": "teams", "id": scene.team}));
        assert_eq!(relationships["created-by"]["data"], json!({"type": "users", "id": scene.ada.id}));
    }
    assert_eq!(scene.ada.team_token(&scene.team).attribute("description"), &Value::Null);
}

#[test]
fn a_token_made_by_a_team_names_the_team_as_its_maker() {
    let scene = Acme::new();
    let first = scene.app.with(&scene.ada.team_token(&scene.team).secret());
    let second = first.post_nothing(&scene.one()).expect(201);
    let maker = &second.body["data"]["relationships"]["created-by"]["data"];
    assert_eq!(maker, &json!({"type": "teams", "id": scene.team}));
}

#[test]
fn a_new_token_ends_the_previous_one_at_once() {
    let scene = Acme::new();
    let old = scene.ada.team_token(&scene.team);
    let described = scene.create(&scene.ada.client, json!({"description": "stays"})).expect(201);
    assert!(scene.works(&old.secret()));
    let new = scene.ada.team_token(&scene.team);
    assert!(!scene.works(&old.secret()) && scene.works(&new.secret()) && scene.works(&described.secret()));
    assert_ne!(old.id(), new.id());
    scene.ada.client.get(&token(&old.id())).expect(404);
    assert_eq!(scene.ada.client.get(&scene.one()).expect(200).id(), new.id());
}

#[test]
fn a_deleted_token_is_gone_for_every_route() {
    let scene = Acme::new();
    let client = &scene.ada.client;
    let one = scene.ada.team_token(&scene.team);
    client.delete(&scene.one()).expect(204);
    let other = scene.create(client, json!({"description": "x"})).expect(201);
    client.delete(&token(&other.id())).expect(204);
    client.get(&scene.one()).expect(404);
    client.delete(&scene.one()).expect(404);
    for gone in [one, other] {
        assert!(!scene.works(&gone.secret()));
        client.get(&token(&gone.id())).expect(404);
        client.delete(&token(&gone.id())).expect(404);
    }
    assert!(client.get(&scene.many()).expect(200).ids().is_empty());
}

#[test]
fn a_description_is_unique_among_live_tokens() {
    let scene = Acme::new();
    let first = scene.create(&scene.ada.client, json!({"description": "ci"})).expect(201);
    assert_taken(scene.create(&scene.ada.client, json!({"description": "ci"})));
    assert!(scene.works(&first.secret()), "the refused request must not touch the token");
    scene.create(&scene.ada.client, json!({"description": "CI"})).expect(201);
    scene.create(&scene.ada.client, json!({"description": "ci "})).expect(201);
}

#[test]
fn the_same_description_serves_two_teams() {
    let scene = Acme::new();
    let other = scene.ada.team("acme", "other");
    scene.ada.described_token(&scene.team, json!({"description": "ci"}));
    scene.ada.described_token(&other, json!({"description": "ci"}));
}

#[test]
fn an_empty_description_is_one() {
    let scene = Acme::new();
    let descriptionless = scene.ada.team_token(&scene.team);
    let empty = scene.create(&scene.ada.client, json!({"description": ""})).expect(201);
    assert_eq!(empty.attribute("description"), "");
    assert!(scene.works(&descriptionless.secret()));
    assert_taken(scene.create(&scene.ada.client, json!({"description": ""})));
}

#[test]
fn a_description_is_free_again_after_deletion() {
    let scene = Acme::new();
    let first = scene.create(&scene.ada.client, json!({"description": "ci"})).expect(201);
    scene.ada.client.delete(&token(&first.id())).expect(204);
    scene.create(&scene.ada.client, json!({"description": "ci"})).expect(201);
}

#[test]
fn a_description_is_free_again_after_expiry() {
    let scene = Acme::new();
    let expired_at = json!("2099-01-01T00:00:00Z");
    let first = scene.create(&scene.ada.client, json!({"description": "ci", "expired-at": expired_at})).expect(201);
    assert_taken(scene.create(&scene.ada.client, json!({"description": "ci"})));
    scene.app.sql("UPDATE tokens SET expired_at = now() - interval '1 second' WHERE description = 'ci'");
    let second = scene.create(&scene.ada.client, json!({"description": "ci"})).expect(201);
    assert!(scene.works(&second.secret()) && !scene.works(&first.secret()));
}

#[test]
fn without_description_the_plural_route_makes_the_descriptionless_token_once() {
    let scene = Acme::new();
    let first = scene.create(&scene.ada.client, json!({})).expect(201);
    assert_eq!(scene.ada.client.get(&scene.one()).expect(200).id(), first.id());
    for nothing in [json!({}), json!({"description": null})] {
        let refused = scene.create(&scene.ada.client, nothing).expect(422);
        assert_eq!(refused.blamed(), ["/data/attributes/description"]);
        assert!(refused.detail().contains("Description is required"), "{}", refused.detail());
    }
    assert!(scene.works(&first.secret()));
    scene.app.sql("UPDATE tokens SET expired_at = now() - interval '1 second' WHERE kind = 'team'");
    let second = scene.create(&scene.ada.client, json!({"description": null})).expect(201);
    assert_eq!(scene.ada.client.get(&scene.one()).expect(200).id(), second.id());
}

#[test]
fn a_description_has_at_most_255_characters() {
    let scene = Acme::new();
    scene.create(&scene.ada.client, json!({"description": "ü".repeat(255)})).expect(201);
    let answer = scene.create(&scene.ada.client, json!({"description": "ü".repeat(256)})).expect(422);
    assert_eq!(answer.blamed(), ["/data/attributes/description"]);
}

#[test]
fn an_expiry_must_be_a_time_to_come() {
    let scene = Acme::new();
    let kept = scene.ada.team_token(&scene.team);
    let just_now = (Utc::now() - TimeDelta::seconds(1)).to_rfc3339();
    for time in [
        &just_now,
        "2001-01-01T00:00:00Z",
        "tomorrow",
        "",
        "2099-13-01T00:00:00Z",
        "2099-01-01",
        "4102444800",
        "9999-12-31T23:59:59-12:00",
    ] {
        for path in [scene.one(), scene.many()] {
            let attributes = json!({"description": "x", "expired-at": time});
            let answer = scene.ada.client.post(&path, &resource("authentication-tokens", attributes)).expect(422);
            assert_eq!(answer.blamed(), ["/data/attributes/expired-at"], "{time}");
        }
    }
    for value in [json!(4_102_444_800_u64), json!(true), json!([]), json!({})] {
        let answer = scene.create(&scene.ada.client, json!({"description": "x", "expired-at": value})).expect(422);
        assert_eq!(answer.blamed(), ["/data/attributes/expired-at"], "{value}");
    }
    assert!(scene.works(&kept.secret()), "a refused request must not end the token");
}

#[test]
fn an_expiry_may_have_an_offset_and_microseconds() {
    let scene = Acme::new();
    for (sent, answered) in [
        ("2099-05-17T10:00:00.123456+02:00", json!("2099-05-17T08:00:00.123Z")),
        ("2099-05-17T08:00:00-00:00", json!("2099-05-17T08:00:00.000Z")),
        ("2099-05-17t08:00:00z", json!("2099-05-17T08:00:00.000Z")),
        ("9999-12-31T23:59:59Z", json!("9999-12-31T23:59:59.000Z")),
    ] {
        let body = resource("authentication-token", json!({"expired-at": sent}));
        let made = scene.ada.client.post(&scene.one(), &body).expect(201);
        assert_eq!(made.attribute("expired-at"), &answered, "{sent}");
        assert_eq!(scene.ada.client.get(&scene.one()).expect(200).attribute("expired-at"), &answered, "{sent}");
    }
    let body = resource("authentication-token", json!({"expired-at": null}));
    assert_eq!(scene.ada.client.post(&scene.one(), &body).expect(201).attribute("expired-at"), &Value::Null);
}

#[test]
fn read_only_and_unknown_attributes_are_ignored() {
    let scene = Acme::new();
    let attributes = json!({
        "description": "x", "token": "mine", "created-at": "2001-01-01T00:00:00Z",
        "last-used-at": "2001-01-01T00:00:00Z", "colour": "red",
    });
    let made = scene.create(&scene.ada.client, attributes).expect(201);
    assert!(made.secret().starts_with("lkt_"));
    assert_eq!(made.attribute("last-used-at"), &Value::Null);
    assert!(!made.attribute("created-at").as_str().unwrap().starts_with("2001"));
    assert_eq!(made.body["data"]["attributes"].get("colour"), None);
}

#[test]
fn members_handle_their_teams_tokens_while_allowed() {
    let scene = Acme::new();
    let bob = scene.member("bob");
    bob.team_token(&scene.team);
    let made = bob.described_token(&scene.team, json!({"description": "bob's"}));
    bob.client.get(&token(&made.id())).expect(200);
    assert_eq!(bob.client.get(&scene.many()).expect(200).ids().len(), 2);
    bob.client.delete(&token(&made.id())).expect(204);
    bob.client.delete(&scene.one()).expect(204);

    let kept = scene.ada.team_token(&scene.team);
    scene.forbid_members();
    bob.client.post_nothing(&scene.one()).expect(403);
    scene.create(&bob.client, json!({"description": "bob's"})).expect(403);
    bob.client.get(&scene.one()).expect(404);
    bob.client.delete(&scene.one()).expect(404);
    bob.client.get(&token(&kept.id())).expect(404);
    bob.client.delete(&token(&kept.id())).expect(404);
    assert!(bob.client.get(&scene.many()).expect(200).ids().is_empty());
    assert!(scene.works(&kept.secret()));
    scene.ada.team_token(&scene.team);
}

#[test]
fn a_token_shows_and_regenerates_itself_while_allowed() {
    let scene = Acme::new();
    let first = scene.ada.team_token(&scene.team);
    let itself = scene.app.with(&first.secret());
    assert_eq!(itself.get(&scene.one()).expect(200).id(), first.id());
    assert_eq!(itself.get(&token(&first.id())).expect(200).id(), first.id());
    let second = itself.post_nothing(&scene.one()).expect(201);
    assert!(!scene.works(&first.secret()));

    scene.forbid_members();
    let itself = scene.app.with(&second.secret());
    itself.get(&scene.one()).expect(404);
    // By its id, every token sees itself.
    itself.get(&token(&second.id())).expect(200);
    itself.post_nothing(&scene.one()).expect(403);
    assert!(scene.works(&second.secret()));
}

#[test]
fn a_token_ends_itself_by_its_id_alone() {
    let scene = Acme::new();
    let made = scene.ada.team_token(&scene.team);
    let itself = scene.app.with(&made.secret());
    itself.delete(&scene.one()).expect(403);
    assert!(scene.works(&made.secret()));
    itself.delete(&token(&made.id())).expect(204);
    assert!(!scene.works(&made.secret()));
}

#[test]
fn a_described_token_cannot_regenerate_the_descriptionless_one() {
    let scene = Acme::new();
    let described = scene.create(&scene.ada.client, json!({"description": "x"})).expect(201);
    let itself = scene.app.with(&described.secret());
    itself.post_nothing(&scene.one()).expect(403);
    let descriptionless = scene.ada.team_token(&scene.team);
    itself.post_nothing(&scene.one()).expect(403);
    itself.get(&scene.one()).expect(404);
    scene.create(&itself, json!({"description": "y"})).expect(403);
    assert_eq!(itself.get(&token(&described.id())).expect(200).id(), described.id());
    assert!(scene.works(&descriptionless.secret()));
}

#[test]
fn manage_teams_handles_every_teams_tokens_but_the_owners() {
    let scene = Acme::new();
    let manager = scene.holder_of("manage-teams", "mia");
    let made = manager.team_token(&scene.team);
    manager.client.get(&token(&made.id())).expect(200);
    manager.client.delete(&token(&made.id())).expect(204);
    manager.described_token(&scene.team, json!({"description": "x"}));

    let owners = scene.ada.owners_team("acme");
    let of_owners = scene.ada.team_token(&owners);
    let path = format!("/api/v2/teams/{owners}/authentication-token");
    manager.client.post_nothing(&path).expect(403);
    manager.client.post(&format!("{path}s"), &resource("authentication-tokens", json!({}))).expect(403);
    manager.client.get(&path).expect(404);
    manager.client.delete(&path).expect(404);
    manager.client.delete(&token(&of_owners.id())).expect(404);
    assert!(scene.works(&of_owners.secret()));
}

#[test]
fn a_colleague_sees_no_token() {
    let scene = Acme::new();
    let made = scene.ada.team_token(&scene.team);
    let carol = scene.colleague("carol");
    for path in [scene.one(), token(&made.id())] {
        carol.client.get(&path).expect(404);
        carol.client.delete(&path).expect(404);
    }
    // The team is secret to her.
    carol.client.post_nothing(&scene.one()).expect(404);
    scene.create(&carol.client, json!({"description": "x"})).expect(404);
    carol.client.get(&scene.many()).expect(404);
    // Once she may see the team, she still may not make tokens for it.
    let open = resource("teams", json!({"visibility": "organization"}));
    scene.ada.client.patch(&format!("/api/v2/teams/{}", scene.team), &open).expect(200);
    carol.client.post_nothing(&scene.one()).expect(403);
    scene.create(&carol.client, json!({"description": "x"})).expect(403);
    carol.client.get(&scene.one()).expect(404);
    assert!(carol.client.get(&scene.many()).expect(200).ids().is_empty());
    assert!(scene.works(&made.secret()));
}

#[test]
fn a_stranger_sees_nothing() {
    let scene = Acme::new();
    let made = scene.ada.team_token(&scene.team);
    let eve = scene.app.user("eve");
    eve.organization("evil");
    let unknown = eve.client.get("/api/v2/teams/team-nothing/authentication-token").expect(404);
    for path in [scene.one(), token(&made.id()), scene.many()] {
        let answer = eve.client.get(&path).expect(404);
        assert_eq!(answer.detail(), unknown.detail());
    }
    for path in [scene.one(), token(&made.id())] {
        eve.client.delete(&path).expect(404);
    }
    eve.client.post_nothing(&scene.one()).expect(404);
    scene.create(&eve.client, json!({"description": "x"})).expect(404);
    // Nor does she learn from a bad request that the team is there.
    eve.client.post(&scene.one(), &resource("teams", json!({}))).expect(404);
    eve.client.get(&format!("{}?colour=red", scene.one())).expect(404);
    assert!(scene.works(&made.secret()));
}

#[test]
fn an_id_of_another_type_names_no_token() {
    let scene = Acme::new();
    let made = scene.ada.team_token(&scene.team);
    let number = made.id().trim_start_matches("at-").to_owned();
    for id in [format!("team-{number}"), number.clone(), format!("at-{number}1"), format!("AT-{number}"), "at-".into()]
    {
        scene.ada.client.get(&token(&id)).expect(404);
        scene.ada.client.delete(&token(&id)).expect(404);
    }
    let team = scene.team.replace("team-", "at-");
    scene.ada.client.get(&token(&team)).expect(404);
    scene.ada.client.post_nothing(&format!("/api/v2/teams/at-{number}/authentication-token")).expect(404);
    assert!(scene.works(&made.secret()));
}
