//! What can be done with a token after it is made: edit, disable, enable, regenerate, revoke (docs/design.md §3, rules 3 to 6
//! and 8).

use std::sync::Barrier;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::support::app::{Acme, resource};
use crate::support::client::{Answer, Client};

impl Acme {
    fn team_path(&self, rest: &str) -> String {
        format!("/api/v2/teams/{}/{rest}", self.team)
    }

    fn events(&self, action: &str, id: &str) -> i64 {
        let about = format!("resource_type = 'authentication_token' AND resource_id = '{id}'");
        self.app.count(&format!("audit_events WHERE {about} AND action = '{action}'"))
    }

    /// A token of ada's own, of a role.
    fn ada_as(&self, role: &str) -> Client {
        let path = format!("/api/v2/users/{}/authentication-tokens", self.ada.id);
        let token = self.ada.client.post(&path, &attributes(json!({"role": role}))).expect(201);
        assert_eq!(token.attribute("role"), role);
        self.app.with(&token.secret())
    }
}

fn attributes(attributes: Value) -> Value {
    resource("authentication-tokens", attributes)
}

fn path(id: &str) -> String {
    format!("/api/v2/authentication-tokens/{id}")
}

fn act(client: &Client, id: &str, action: &str) -> Answer {
    client.post_nothing(&format!("{}/actions/{action}", path(id)))
}

fn regenerate(client: &Client, id: &str, replacement: Value) -> Answer {
    client.post(&format!("{}/actions/regenerate", path(id)), &attributes(replacement))
}

fn time(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap_or_else(|| panic!("{value}")).parse().unwrap()
}

#[test]
fn an_edit_changes_what_can_be_edited_and_nothing_else() {
    let scene = Acme::new();
    let token = scene.token(json!({"description": "old"}));
    let change = json!({
        "description": "new", "expired-at": "2099-01-01T00:00:00.000Z", "role": "member", "abilities": ["agents:read"],
        // What moves by itself is ignored, as the HCP API does; `words` has what a client could mean.
        "token-prefix": "x", "usage-count": 7, "updated-at": "2000-01-01T00:00:00.000Z", "last-used-at": null,
    });
    let mut change = attributes(change);
    change["data"]["relationships"] = json!({"team": {"data": {"type": "teams", "id": "team-another"}}});
    let edited = scene.ada.client.patch(&path(&token.id()), &change).expect(200);
    for (name, value) in [
        ("description", json!("new")),
        ("expired-at", json!("2099-01-01T00:00:00.000Z")),
        ("role", json!("member")),
        ("abilities", json!(["agents:read"])),
        ("kind", json!("team")),
        ("status", json!("active")),
        ("token", json!(null)),
        ("format", json!("opaque")),
        ("disabled-at", json!(null)),
    ] {
        assert_eq!(edited.attribute(name), &value, "{name}");
    }
    assert_eq!(edited.attribute("created-at"), token.attribute("created-at"));
    assert!(time(edited.attribute("updated-at")) > time(token.attribute("updated-at")));
    assert_eq!(edited.body["data"]["relationships"]["team"]["data"]["id"], json!(scene.team));
    assert!(scene.works(&token.secret()), "the secret is the same");
    let shown = scene.ada.client.get(&path(&token.id())).expect(200);
    assert_eq!(shown.attribute("role"), "member");
}

#[test]
fn an_edit_of_one_attribute_leaves_the_others() {
    let scene = Acme::new();
    let all = json!({"description": "old", "expired-at": "2099-01-01T00:00:00.000Z", "role": "manager",
        "abilities": ["agents:read", "storage:*"]});
    let token = scene.token(all);
    for change in [json!({}), json!({"description": "old"}), json!({"role": "manager"})] {
        let same = scene.ada.client.patch(&path(&token.id()), &attributes(change)).expect(200);
        for name in ["description", "expired-at", "role", "abilities", "updated-at"] {
            assert_eq!(same.attribute(name), token.attribute(name), "{name}");
        }
    }
    assert_eq!(scene.events("update", &token.id()), 0, "what changes nothing is no change");
    let never = scene.ada.client.patch(&path(&token.id()), &attributes(json!({"expired-at": null}))).expect(200);
    assert_eq!(never.attribute("expired-at"), &json!(null));
    assert_eq!(never.attribute("description"), "old");
    for (change, blamed) in [
        (json!({"expired-at": "2020-01-01T00:00:00Z"}), "expired-at"),
        (json!({"expired-at": "soon"}), "expired-at"),
        (json!({"description": "x".repeat(256)}), "description"),
        (json!({"role": "king"}), "role"),
        (json!({"role": 7}), "role"),
    ] {
        let refused = scene.ada.client.patch(&path(&token.id()), &attributes(change)).expect(422);
        assert_eq!(refused.blamed(), [format!("/data/attributes/{blamed}")]);
    }
}

#[test]
fn an_edited_description_stays_unique_in_its_team() {
    let scene = Acme::new();
    let (one, two) = (scene.token(json!({"description": "one"})), scene.token(json!({"description": "two"})));
    let describe = |id: &str, description: Value| {
        scene.ada.client.patch(&path(id), &attributes(json!({ "description": description })))
    };
    let taken = describe(&two.id(), json!("one")).expect(422);
    assert_eq!(taken.blamed(), ["/data/attributes/description"]);
    assert_eq!(taken.detail(), "Validation failed: Description has already been taken");
    assert_eq!(in_the_way(&taken), &json!(one.id()));
    scene.ada.client.delete(&path(&one.id())).expect(204);
    describe(&two.id(), json!("one")).expect(200);
}

/// The token that an error names.
fn in_the_way(refused: &Answer) -> &Value {
    &refused.body["errors"][0]["meta"]["token"]
}

/// Whoever makes the team's one token ends the one before, and no edit puts another one into that place.
#[test]
fn no_edit_takes_a_description_away_from_a_token_of_a_team() {
    let scene = Acme::new();
    let describe = |id: &str, description: Value| {
        scene.ada.client.patch(&path(id), &attributes(json!({ "description": description })))
    };
    for description in ["deploy", ""] {
        let token = scene.token(json!({ "description": description }));
        let refused = describe(&token.id(), json!(null)).expect(422);
        assert_eq!(refused.blamed(), ["/data/attributes/description"]);
        scene.ada.team_token(&scene.team);
        assert!(scene.works(&token.secret()), "{description:?}");
    }
    let one = scene.ada.team_token(&scene.team);
    assert_eq!(describe(&one.id(), json!(null)).expect(200).attribute("description"), &Value::Null);
    // The other way round it leaves that place, and is ended no more.
    describe(&one.id(), json!("kept")).expect(200);
    scene.ada.team_token(&scene.team);
    assert!(scene.works(&one.secret()));
    // Other owners have no such place.
    let own = format!("/api/v2/users/{}/authentication-tokens", scene.ada.id);
    let own = scene.ada.client.post(&own, &attributes(json!({"description": "laptop"}))).expect(201);
    assert_eq!(describe(&own.id(), json!(null)).expect(200).attribute("description"), &Value::Null);
}

/// Whoever has lost an answer learns which token it made, if they may read that token.
#[test]
fn a_conflict_names_the_token_in_the_way() {
    let scene = Acme::new();
    let (one, one_more) = (scene.team_path("authentication-token"), scene.team_path("authentication-tokens"));
    let first = scene.token(json!({"description": "a"}));
    let taken = scene.ada.client.post(&one_more, &attributes(json!({"description": "a"}))).expect(422);
    assert_eq!(in_the_way(&taken), &json!(first.id()));
    let plain = scene.ada.client.post_nothing(&one).expect(201);
    assert_eq!(in_the_way(&scene.ada.client.post(&one_more, &attributes(json!({}))).expect(422)), &json!(plain.id()));
    // A description that an expired token has lost to another one.
    scene.app.sql("UPDATE tokens SET expired_at = now() WHERE description = 'a'");
    let second = scene.token(json!({"description": "b"}));
    scene.ada.client.patch(&path(&second.id()), &attributes(json!({"description": "a"}))).expect(200);
    let refused = act(&scene.ada.client, &first.id(), "regenerate").expect(422);
    assert_eq!(in_the_way(&refused), &json!(second.id()));

    let grace = json!({"grace-period-seconds": 60});
    let successor = regenerate(&scene.ada.client, &second.id(), grace.clone()).expect(201);
    let refused = act(&scene.ada.client, &second.id(), "regenerate").expect(409);
    assert_eq!(in_the_way(&refused), &json!(successor.id()));
    // A team's token reads no other one, not even its successor.
    let itself = scene.app.with(&plain.secret());
    regenerate(&itself, &plain.id(), grace).expect(201);
    let refused = act(&itself, &plain.id(), "regenerate").expect(409);
    assert_eq!(in_the_way(&refused), &Value::Null);
}

#[test]
fn a_token_that_is_over_cannot_be_edited() {
    let scene = Acme::new();
    let (expired, revoked) = (scene.token(json!({"description": "e"})), scene.token(json!({"description": "r"})));
    scene.app.sql("UPDATE tokens SET expired_at = now() WHERE description = 'e'");
    scene.ada.client.delete(&path(&revoked.id())).expect(204);
    let later = attributes(json!({"expired-at": "2099-01-01T00:00:00Z"}));
    scene.ada.client.patch(&path(&expired.id()), &later).expect(409);
    scene.ada.client.patch(&path(&revoked.id()), &later).expect(404);
    assert!(!scene.works(&expired.secret()));
}

#[test]
fn lowering_a_role_takes_effect_at_once() {
    let scene = Acme::new();
    let owners = scene.ada.owners_team("acme");
    let token = scene.ada.described_token(&owners, json!({"description": "automation"}));
    let client = scene.app.with(&token.secret());
    let rename = |expected| {
        client
            .patch(&format!("/api/v2/teams/{}", scene.team), &resource("teams", json!({"name": "ci"})))
            .expect(expected)
    };
    rename(200);
    scene.ada.client.patch(&path(&token.id()), &attributes(json!({"role": "viewer"}))).expect(200);
    rename(404);
    client.get(&format!("/api/v2/teams/{}", scene.team)).expect(200);
    let refused = client.post_nothing("/api/v2/organizations/acme/authentication-token").expect(403);
    assert!(refused.detail().contains("role viewer"), "{}", refused.detail());
    scene.ada.client.patch(&path(&token.id()), &attributes(json!({"role": "admin"}))).expect(200);
    rename(200);
}

#[test]
fn a_role_is_owner_unless_asked_otherwise() {
    let scene = Acme::new();
    let own = format!("/api/v2/users/{}/authentication-tokens", scene.ada.id);
    let workspace = scene.ada.workspace("acme", "prod");
    for path in [
        format!("/api/v2/teams/{}/authentication-tokens", scene.team),
        format!("/api/v2/workspaces/{workspace}/authentication-tokens"),
        "/api/v2/organizations/acme/authentication-token".to_owned(),
        own.clone(),
    ] {
        let made = scene.ada.client.post(&path, &attributes(json!({}))).expect(201);
        let usual = if path.contains("/workspaces/") { "viewer" } else { "owner" };
        assert_eq!(made.attribute("role"), usual, "{path}");
        assert_eq!(made.attribute("abilities"), &Value::Null, "{path}");
    }
    // A capped token gives what it has.
    let made = scene.ada_as("manager").post(&own, &attributes(json!({}))).expect(201);
    assert_eq!(made.attribute("role"), "manager");
}

#[test]
fn nobody_gives_a_role_above_their_own() {
    let scene = Acme::new();
    let member = scene.ada_as("member");
    let own = format!("/api/v2/users/{}/authentication-tokens", scene.ada.id);
    let refused = member.post(&own, &attributes(json!({"role": "manager"}))).expect(403);
    assert_eq!(refused.blamed(), ["/data/attributes/role"]);
    let viewer = member.post(&own, &attributes(json!({"role": "viewer"}))).expect(201);
    member.patch(&path(&viewer.id()), &attributes(json!({"role": "member"}))).expect(200);
    member.patch(&path(&viewer.id()), &attributes(json!({"role": "admin"}))).expect(403);
    let uncapped = scene.ada.client.post(&own, &attributes(json!({}))).expect(201);
    // Its secret would be that of an owner's token.
    act(&member, &uncapped.id(), "regenerate").expect(403);
    act(&member, &viewer.id(), "regenerate").expect(201);
    // The team's members make tokens up to their own token's role, too.
    let admin = scene.ada_as("admin");
    let team = format!("/api/v2/teams/{}/authentication-tokens", scene.team);
    admin.post(&team, &attributes(json!({"description": "a", "role": "owner"}))).expect(403);
    admin.post(&team, &attributes(json!({"description": "a", "role": "admin"}))).expect(201);
}

#[test]
fn nobody_gives_abilities_that_they_do_not_have() {
    let scene = Acme::new();
    let ben = scene.app.user("ben");
    scene.ada.add_to_team(&scene.team, &ben);
    let team = format!("/api/v2/teams/{}/authentication-tokens", scene.team);
    let asked =
        |description: &str, abilities: &[&str]| attributes(json!({"description": description, "abilities": abilities}));
    // A person's whole token may give what their teams have.
    let narrow = ben.client.post(&team, &asked("narrow", &["storage:*", "agents:read"])).expect(201);
    let own = format!("/api/v2/users/{}/authentication-tokens", ben.id);
    let limited = ben.client.post(&own, &asked("limited", &["storage:*"])).expect(201);
    let limited = scene.app.with(&limited.secret());
    limited.post(&team, &asked("a", &["storage:read"])).expect(201);
    limited.post(&team, &asked("b", &["storage:*"])).expect(201);
    let refused = limited.post(&team, &asked("c", &["storage:read", "agents:read"])).expect(403);
    assert_eq!(refused.blamed(), ["/data/attributes/abilities"]);
    assert!(refused.detail().contains("agents:read"));
    // What is there already may stay, and be taken away; more may not be added.
    let change =
        |abilities: &[&str]| limited.patch(&path(&narrow.id()), &attributes(json!({ "abilities": abilities })));
    change(&["agents:read"]).expect(200);
    change(&["agents:read", "storage:write"]).expect(200);
    change(&["agents:write"]).expect(403);
    act(&limited, &narrow.id(), "regenerate").expect(403);
    // One that lists none has those of its principal, whatever its role.
    let plain = scene.ada.team_token(&scene.team);
    let itself = format!("/api/v2/teams/{}/authentication-token", scene.team);
    let more = attributes(json!({"abilities": ["agents:read"]}));
    scene.app.with(&plain.secret()).post(&itself, &more).expect(201);
    scene.ada_as("admin").post(&team, &asked("d", &["agents:read"])).expect(201);
}

#[test]
fn abilities_are_validated() {
    let scene = Acme::new();
    let path = format!("/api/v2/teams/{}/authentication-tokens", scene.team);
    let ask = |abilities: Value| {
        scene.ada.client.post(&path, &attributes(json!({"description": "a", "abilities": abilities})))
    };
    let long = format!("{}:read", "a".repeat(60));
    let many: Vec<String> = (0..101).map(|nth| format!("agents:verb-{nth}")).collect();
    for wrong in [
        json!("agents:read"),
        json!([7]),
        json!(["agents"]),
        json!(["agents:"]),
        json!(["Agents:read"]),
        json!(["agents:re ad"]),
        json!(["*:read"]),
        json!(["*"]),
        json!(["agents:read:all"]),
        json!(["agents:read", "agents:read"]),
        json!([long]),
        json!(many),
    ] {
        let refused = ask(wrong.clone()).expect(422);
        assert!(refused.blamed()[0].starts_with("/data/attributes/abilities"), "{wrong}: {:?}", refused.blamed());
    }
    assert_eq!(scene.app.count("tokens WHERE kind = 'team'"), 0);
    let most: Vec<&str> = many.iter().map(String::as_str).take(100).collect();
    let made = ask(json!(most)).expect(201);
    assert_eq!(made.attribute("abilities"), &json!(most), "in the order in which they were given");
}

#[test]
fn a_disabled_token_stops_at_once_and_works_again_when_enabled() {
    let scene = Acme::new();
    let token = scene.token(json!({"description": "a"}));
    let disabled = act(&scene.ada.client, &token.id(), "disable").expect(200);
    assert_eq!(disabled.attribute("status"), "inactive");
    assert!((Utc::now() - time(disabled.attribute("disabled-at"))).num_seconds() < 60);
    assert!(!scene.works(&token.secret()));
    let enabled = act(&scene.ada.client, &token.id(), "enable").expect(200);
    assert_eq!(enabled.attribute("status"), "active");
    assert_eq!(enabled.attribute("disabled-at"), &json!(null));
    assert!(scene.works(&token.secret()));
}

#[test]
fn switching_twice_is_switching_once() {
    let scene = Acme::new();
    let token = scene.token(json!({"description": "a"}));
    act(&scene.ada.client, &token.id(), "enable").expect(200);
    let first = act(&scene.ada.client, &token.id(), "disable").expect(200);
    let second = act(&scene.ada.client, &token.id(), "disable").expect(200);
    assert_eq!(first.attribute("disabled-at"), second.attribute("disabled-at"));
    act(&scene.ada.client, &token.id(), "enable").expect(200);
    act(&scene.ada.client, &token.id(), "enable").expect(200);
    assert_eq!((scene.events("disable", &token.id()), scene.events("enable", &token.id())), (1, 1));
}

#[test]
fn what_is_over_cannot_be_switched() {
    let scene = Acme::new();
    let (expired, revoked) = (scene.token(json!({"description": "e"})), scene.token(json!({"description": "r"})));
    scene.app.sql("UPDATE tokens SET expired_at = now(), disabled_at = now() WHERE description = 'e'");
    act(&scene.ada.client, &revoked.id(), "revoke").expect(200);
    for action in ["enable", "disable"] {
        let refused = act(&scene.ada.client, &expired.id(), action).expect(409);
        assert!(refused.detail().contains("expired"), "{}", refused.detail());
        let refused = act(&scene.ada.client, &revoked.id(), action).expect(409);
        assert!(refused.detail().contains("revoked"), "{}", refused.detail());
    }
    assert!(!scene.works(&expired.secret()) && !scene.works(&revoked.secret()));
}

#[test]
fn a_successor_inherits_and_the_two_are_linked() {
    let scene = Acme::new();
    let all = json!({"description": "deploy", "role": "manager", "abilities": ["agents:read"]});
    let old = scene.token(all);
    let new = act(&scene.ada.client, &old.id(), "regenerate").expect(201);
    assert_ne!(new.id(), old.id());
    assert_ne!(new.secret(), old.secret());
    for name in ["kind", "description", "role", "abilities", "expired-at", "format"] {
        assert_eq!(new.attribute(name), old.attribute(name), "{name}");
    }
    assert_eq!(new.body["data"]["relationships"]["team"], old.body["data"]["relationships"]["team"]);
    assert_eq!(new.body["data"]["relationships"]["replaces"]["data"]["id"], json!(old.id()));
    let ended = act(&scene.ada.client, &old.id(), "revoke").expect(200);
    assert_eq!(ended.attribute("status"), "revoked");
    assert_eq!(ended.body["data"]["relationships"]["replaced-by"]["data"]["id"], json!(new.id()));
    assert!(scene.works(&new.secret()) && !scene.works(&old.secret()));
}

#[test]
fn a_successor_lives_as_long_as_the_token_before_it() {
    let scene = Acme::new();
    let in_an_hour = (Utc::now() + TimeDelta::hours(1)).to_rfc3339();
    let old = scene.token(json!({"description": "a", "expired-at": in_an_hour}));
    scene.app.sql("UPDATE tokens SET created_at = created_at - interval '1 day' WHERE description = 'a'");
    let new = act(&scene.ada.client, &old.id(), "regenerate").expect(201);
    let life = time(new.attribute("expired-at")) - time(new.attribute("created-at"));
    assert!((life - TimeDelta::hours(25)).num_seconds().abs() < 60, "{life}");
    // A TTL policy that came meanwhile shortens it.
    let policy = json!({"token-ttl-policies": [{"token-type": "team", "max-ttl-ms": 86_400_000}]});
    let policies = "/api/v2/organizations/acme/token-ttl-policies";
    scene.ada.client.patch(policies, &resource("organization-token-ttl-policies", policy)).expect(200);
    let enabled = resource("organizations", json!({"max-ttl-enabled": true}));
    scene.ada.client.patch("/api/v2/organizations/acme", &enabled).expect(200);
    let newest = act(&scene.ada.client, &new.id(), "regenerate").expect(201);
    let life = time(newest.attribute("expired-at")) - time(newest.attribute("created-at"));
    assert!((life - TimeDelta::days(1)).num_seconds().abs() < 60, "{life}");
}

#[test]
fn a_successors_expiry_can_be_chosen() {
    let scene = Acme::new();
    let old = scene.token(json!({"description": "a", "expired-at": "2090-01-01T00:00:00Z"}));
    let chosen = json!({"expired-at": "2099-01-01T00:00:00.000Z"});
    let new = regenerate(&scene.ada.client, &old.id(), chosen).expect(201);
    assert_eq!(new.attribute("expired-at"), "2099-01-01T00:00:00.000Z");
    let forever = regenerate(&scene.ada.client, &new.id(), json!({"expired-at": null})).expect(201);
    assert_eq!(forever.attribute("expired-at"), &json!(null));
    let past = regenerate(&scene.ada.client, &forever.id(), json!({"expired-at": "2020-01-01T00:00:00Z"})).expect(422);
    assert_eq!(past.blamed(), ["/data/attributes/expired-at"]);
    assert!(scene.works(&forever.secret()), "a refused request changes nothing");
}

#[test]
fn during_the_grace_both_work_and_after_it_one() {
    let scene = Acme::new();
    let old = scene.token(json!({"description": "a"}));
    let new = regenerate(&scene.ada.client, &old.id(), json!({"grace-period-seconds": 3})).expect(201);
    assert!(scene.works(&old.secret()) && scene.works(&new.secret()));
    let shown = scene.ada.client.get(&path(&old.id())).expect(200);
    assert_eq!(shown.attribute("status"), "active");
    let grace = time(shown.attribute("revoked-at")) - time(new.attribute("created-at"));
    assert!((grace - TimeDelta::seconds(3)).num_milliseconds().abs() < 1000, "{grace}");
    std::thread::sleep(Duration::from_millis(3200));
    assert!(!scene.works(&old.secret()) && scene.works(&new.secret()));
    scene.ada.client.get(&path(&old.id())).expect(404);
}

#[test]
fn a_grace_is_at_most_a_week() {
    let scene = Acme::new();
    let token = scene.token(json!({"description": "a"}));
    for wrong in [json!(-1), json!(604_801), json!("1h"), json!(1.5), json!(i64::MAX)] {
        let refused = regenerate(&scene.ada.client, &token.id(), json!({"grace-period-seconds": wrong})).expect(422);
        assert_eq!(refused.blamed(), ["/data/attributes/grace-period-seconds"], "{wrong}");
    }
    assert!(scene.works(&token.secret()));
    let week = regenerate(&scene.ada.client, &token.id(), json!({"grace-period-seconds": 604_800})).expect(201);
    assert!(scene.works(&token.secret()) && scene.works(&week.secret()));
    let none = regenerate(&scene.ada.client, &week.id(), json!({"grace-period-seconds": 0})).expect(201);
    assert!(!scene.works(&week.secret()) && scene.works(&none.secret()));
}

#[test]
fn what_has_a_successor_or_is_disabled_or_revoked_cannot_be_regenerated() {
    let scene = Acme::new();
    let token = scene.token(json!({"description": "a"}));
    act(&scene.ada.client, &token.id(), "disable").expect(200);
    act(&scene.ada.client, &token.id(), "regenerate").expect(409);
    act(&scene.ada.client, &token.id(), "enable").expect(200);
    let new = regenerate(&scene.ada.client, &token.id(), json!({"grace-period-seconds": 60})).expect(201);
    let refused = act(&scene.ada.client, &token.id(), "regenerate").expect(409);
    assert!(refused.detail().contains("successor"), "{}", refused.detail());
    scene.ada.client.delete(&path(&new.id())).expect(204);
    act(&scene.ada.client, &new.id(), "regenerate").expect(409);
}

#[test]
fn an_expired_token_can_be_regenerated() {
    let scene = Acme::new();
    let token = scene.token(json!({"description": "a"}));
    scene.app.sql(
        "UPDATE tokens SET created_at = now() - interval '2 hours', expired_at = now() - interval '1 hour' \
         WHERE description = 'a'",
    );
    let new = act(&scene.ada.client, &token.id(), "regenerate").expect(201);
    assert!(scene.works(&new.secret()) && !scene.works(&token.secret()));
}

#[test]
fn the_use_of_a_replaced_token_is_an_event_of_its_own() {
    let scene = Acme::new();
    let (replaced, revoked) = (scene.token(json!({"description": "a"})), scene.token(json!({"description": "b"})));
    act(&scene.ada.client, &replaced.id(), "regenerate").expect(201);
    act(&scene.ada.client, &revoked.id(), "revoke").expect(200);
    assert!(!scene.works(&replaced.secret()) && !scene.works(&revoked.secret()));
    assert_eq!(scene.events("refuse_replaced", &replaced.id()), 1);
    assert_eq!(scene.events("refuse", &replaced.id()), 0);
    assert_eq!((scene.events("refuse_replaced", &revoked.id()), scene.events("refuse", &revoked.id())), (0, 1));
}

#[test]
fn of_32_regenerations_at_once_one_succeeds() {
    let scene = Acme::new();
    let (plain, described) = (scene.ada.team_token(&scene.team), scene.token(json!({"description": "a"})));
    let own = "/api/v2/organizations/acme/authentication-token";
    let organization = scene.ada.client.post_nothing(own).expect(201);
    for (token, grace) in [(&plain, 0), (&described, 60), (&organization, 0)] {
        let barrier = Barrier::new(32);
        let answers: Vec<Answer> = std::thread::scope(|scope| {
            let (barrier, client) = (&barrier, &scene.ada.client);
            let one = move || {
                barrier.wait();
                regenerate(client, &token.id(), json!({"grace-period-seconds": grace}))
            };
            let threads: Vec<_> = (0..32).map(|_| scope.spawn(one)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let (new, refused): (Vec<&Answer>, Vec<&Answer>) = answers.iter().partition(|answer| answer.status == 201);
        assert_eq!(new.len(), 1);
        for answer in refused {
            assert_eq!(answer.status, 409, "{:#}", answer.body);
            assert!(answer.detail().contains("regenerated already"), "{}", answer.detail());
        }
        assert!(scene.works(&new[0].secret()));
        assert_eq!(scene.works(&token.secret()), grace > 0);
        assert_eq!(scene.events("regenerate", &token.id()), 1);
    }
    assert_eq!(scene.app.count("tokens WHERE replaces IS NOT NULL"), 3);
}

#[test]
fn after_a_grace_began_a_new_team_token_still_is_the_only_one() {
    let scene = Acme::new();
    let old = scene.ada.team_token(&scene.team);
    let new = regenerate(&scene.ada.client, &old.id(), json!({"grace-period-seconds": 3600})).expect(201);
    let newest = scene.ada.team_token(&scene.team);
    assert!(!scene.works(&old.secret()) && !scene.works(&new.secret()) && scene.works(&newest.secret()));
}

#[test]
fn a_team_token_regenerates_itself() {
    let scene = Acme::new();
    let old = scene.ada.team_token(&scene.team);
    let client = scene.app.with(&old.secret());
    let new = act(&client, &old.id(), "regenerate").expect(201);
    assert!(!scene.works(&old.secret()) && scene.works(&new.secret()));
    let by = &new.body["data"]["relationships"]["created-by"]["data"];
    assert_eq!(by, &json!({"type": "teams", "id": scene.team}));
    let locked = resource("teams", json!({"allow-member-token-management": false}));
    scene.ada.client.patch(&format!("/api/v2/teams/{}", scene.team), &locked).expect(200);
    act(&scene.app.with(&new.secret()), &new.id(), "regenerate").expect(404);
}

#[test]
fn revoking_is_final_and_can_be_asked_for_twice() {
    let scene = Acme::new();
    let token = scene.token(json!({"description": "a"}));
    let first = act(&scene.ada.client, &token.id(), "revoke").expect(200);
    assert_eq!(first.attribute("status"), "revoked");
    let second = act(&scene.ada.client, &token.id(), "revoke").expect(200);
    assert_eq!(first.attribute("revoked-at"), second.attribute("revoked-at"));
    assert!(!scene.works(&token.secret()));
    scene.ada.client.get(&path(&token.id())).expect(404);
    scene.ada.client.delete(&path(&token.id())).expect(404);
    assert_eq!(scene.events("destroy", &token.id()), 1);
}

#[test]
fn each_action_is_audited_once() {
    let scene = Acme::new();
    let token = scene.token(json!({"description": "a"}));
    scene.ada.client.patch(&path(&token.id()), &attributes(json!({"role": "admin"}))).expect(200);
    act(&scene.ada.client, &token.id(), "disable").expect(200);
    act(&scene.ada.client, &token.id(), "enable").expect(200);
    let new = act(&scene.ada.client, &token.id(), "regenerate").expect(201);
    act(&scene.ada.client, &new.id(), "revoke").expect(200);
    for (action, id) in [
        ("create", token.id()),
        ("update", token.id()),
        ("disable", token.id()),
        ("enable", token.id()),
        ("regenerate", token.id()),
        ("create", new.id()),
        ("destroy", new.id()),
    ] {
        assert_eq!(scene.events(action, &id), 1, "{action}");
    }
    // Without its event, none of it happens.
    let next = scene.token(json!({"description": "b"}));
    scene.app.sql("ALTER TABLE audit_events ADD CONSTRAINT full_disk CHECK (false) NOT VALID");
    for action in ["disable", "regenerate", "revoke"] {
        act(&scene.ada.client, &next.id(), action).expect(500);
    }
    scene.ada.client.patch(&path(&next.id()), &attributes(json!({"role": "admin"}))).expect(500);
    assert!(scene.works(&next.secret()));
    assert_eq!(scene.app.count("tokens WHERE description = 'b' AND role = 'owner'"), 1);
}
