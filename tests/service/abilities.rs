//! The registry of abilities: once an organization has registered any, its tokens get no others (docs/design.md §1, §4).

use serde_json::{Value, json};

use crate::support::App;
use crate::support::app::{User, resource};
use crate::support::client::Answer;
use crate::support::process::until;

const ABILITIES: &str = "/api/v2/organizations/acme/abilities";

struct Scene {
    app: App,
    ada: User,
    team: String,
}

impl Scene {
    fn set() -> Self {
        let app = App::start();
        let ada = app.user("ada");
        ada.organization("acme");
        let team = ada.team("acme", "ci");
        Self { app, ada, team }
    }

    fn register(&self, names: &[&str]) -> Answer {
        let items: Vec<Value> = names.iter().map(|name| json!({"name": name, "description": null})).collect();
        self.ada.client.patch(ABILITIES, &registry(json!(items)))
    }

    fn team_token(&self, abilities: &[&str]) -> Answer {
        self.make(&format!("/api/v2/teams/{}/authentication-tokens", self.team), abilities)
    }

    fn make(&self, path: &str, abilities: &[&str]) -> Answer {
        let description = uuid::Uuid::now_v7().to_string();
        let attributes = json!({"description": description, "abilities": abilities});
        self.ada.client.post(path, &resource("authentication-tokens", attributes))
    }

    fn edit(&self, token: &str, abilities: &[&str]) -> Answer {
        let path = format!("/api/v2/authentication-tokens/{token}");
        self.ada.client.patch(&path, &resource("authentication-tokens", json!({ "abilities": abilities })))
    }
}

fn registry(items: Value) -> Value {
    resource("abilities", json!({ "abilities": items }))
}

#[track_caller]
fn assert_unregistered(answer: Answer) {
    let answer = answer.expect(422);
    assert_eq!(answer.blamed(), ["/data/attributes/abilities"]);
    assert!(answer.detail().contains("registered"), "{}", answer.detail());
}

#[test]
fn nothing_is_registered_at_first_and_tokens_get_any() {
    let scene = Scene::set();
    assert_eq!(scene.ada.client.get(ABILITIES).expect(200).body["data"], json!([]));
    let made = scene.team_token(&["agents:read", "storage:*"]).expect(201);
    assert_eq!(*made.attribute("abilities"), json!(["agents:read", "storage:*"]));
}

#[test]
fn a_registration_takes_the_place_of_the_one_before() {
    let scene = Scene::set();
    let two = json!([
        {"name": "webhooks:send", "description": "Send webhooks"},
        {"name": "agents:read", "description": null, "unknown": 7},
    ]);
    let set = scene.ada.client.patch(ABILITIES, &registry(two)).expect(200);
    let expected = json!([
        {"type": "abilities", "id": "agents:read", "attributes": {"name": "agents:read", "description": null}},
        {"type": "abilities", "id": "webhooks:send",
         "attributes": {"name": "webhooks:send", "description": "Send webhooks"}},
    ]);
    assert_eq!(set.body["data"], expected);
    assert_eq!(scene.ada.client.get(ABILITIES).expect(200).body["data"], expected);
    assert_eq!(scene.register(&["storage:*"]).expect(200).ids(), ["storage:*"]);
    assert_eq!(scene.ada.client.get(ABILITIES).expect(200).ids(), ["storage:*"]);
    assert_eq!(scene.register(&[]).expect(200).ids(), Vec::<String>::new());
    scene.team_token(&["whatever:read"]).expect(201);

    let names: Vec<String> = (0..1000).map(|nth| format!("thing-{nth:04}:read")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    assert_eq!(scene.register(&names).expect(200).ids(), names);
}

#[test]
fn a_wrong_registration_is_refused_whole() {
    let scene = Scene::set();
    scene.register(&["agents:read"]).expect(200);
    let list = "/data/attributes/abilities";
    let many: Vec<Value> = (0..1001).map(|nth| json!({"name": format!("thing-{nth}:read")})).collect();
    for (items, blamed) in [
        (json!(null), vec![list.to_owned()]),
        (json!("agents:read"), vec![list.to_owned()]),
        (json!(["agents:read"]), vec![format!("{list}/0")]),
        (json!([{}]), vec![format!("{list}/0")]),
        (json!([{"name": "agents"}]), vec![format!("{list}/0/name")]),
        (json!([{"name": "*"}]), vec![format!("{list}/0/name")]),
        (json!([{"name": "storage:read", "description": 7}]), vec![format!("{list}/0/description")]),
        (
            json!([{"name": "storage:read"}, {"name": "storage:read", "description": "x".repeat(256)}]),
            vec![format!("{list}/1/name"), format!("{list}/1/description")],
        ),
        (json!(many), vec![list.to_owned()]),
    ] {
        let answer = scene.ada.client.patch(ABILITIES, &registry(items.clone())).expect(422);
        assert_eq!(answer.blamed(), blamed, "{items}");
    }
    let nothing = scene.ada.client.patch(ABILITIES, &resource("abilities", json!({}))).expect(422);
    assert_eq!(nothing.blamed(), [list]);
    let longest = json!([{"name": "storage:read", "description": "ä".repeat(255)}]);
    assert_eq!(scene.ada.client.get(ABILITIES).ids(), ["agents:read"]);
    scene.ada.client.patch(ABILITIES, &registry(longest)).expect(200);
}

#[test]
fn tokens_of_every_kind_get_what_is_registered_and_no_other() {
    let scene = Scene::set();
    let workspace = scene.ada.workspace("acme", "prod");
    scene.register(&["agents:read", "webhooks:send"]).expect(200);
    for path in [
        format!("/api/v2/teams/{}/authentication-token", scene.team),
        format!("/api/v2/teams/{}/authentication-tokens", scene.team),
        format!("/api/v2/workspaces/{workspace}/authentication-tokens"),
        "/api/v2/organizations/acme/authentication-token".to_owned(),
        "/api/v2/organizations/acme/authentication-token?token=audit-trails".to_owned(),
    ] {
        scene.make(&path, &["webhooks:send"]).expect(201);
        scene.make(&path, &[]).expect(201);
        let before = scene.app.count("tokens");
        assert_unregistered(scene.make(&path, &["webhooks:send", "storage:read"]));
        assert_eq!(scene.app.count("tokens"), before, "{path}");
    }
}

#[test]
fn a_star_stands_for_every_verb() {
    let scene = Scene::set();
    scene.register(&["storage:*", "agents:read"]).expect(200);
    scene.team_token(&["storage:read", "storage:*", "agents:read"]).expect(201);
    for unknown in ["agents:*", "agents:write", "storages:read"] {
        assert_unregistered(scene.team_token(&[unknown]));
    }
}

#[test]
fn an_edit_adds_only_what_is_registered() {
    let scene = Scene::set();
    let token = scene.team_token(&["old:read"]).expect(201).id();
    scene.register(&["agents:read"]).expect(200);
    // What it holds stays, also beside something new.
    scene.edit(&token, &["old:read", "agents:read"]).expect(200);
    assert_unregistered(scene.edit(&token, &["old:read", "old:write"]));
    scene.edit(&token, &["agents:read"]).expect(200);
    assert_unregistered(scene.edit(&token, &["old:read"]));
    let description = resource("authentication-tokens", json!({"description": "new"}));
    scene.ada.client.patch(&format!("/api/v2/authentication-tokens/{token}"), &description).expect(200);
}

#[test]
fn what_a_token_holds_it_keeps_and_its_successor_inherits() {
    let scene = Scene::set();
    let token = scene.team_token(&["old:read"]).expect(201);
    scene.register(&["agents:read"]).expect(200);
    let path = format!("/api/v2/authentication-tokens/{}", token.id());
    assert_eq!(*scene.ada.client.get(&path).expect(200).attribute("abilities"), json!(["old:read"]));
    let successor = scene.ada.client.post_nothing(&format!("{path}/actions/regenerate")).expect(201);
    assert_eq!(*successor.attribute("abilities"), json!(["old:read"]));
}

#[test]
fn users_tokens_and_other_organizations_are_not_bound() {
    let scene = Scene::set();
    scene.ada.organization("other");
    scene.register(&["agents:read"]).expect(200);
    scene.make(&format!("/api/v2/users/{}/authentication-tokens", scene.ada.id), &["storage:read"]).expect(201);
    scene.make("/api/v2/organizations/other/authentication-token", &["storage:read"]).expect(201);
    assert_eq!(scene.ada.client.get("/api/v2/organizations/other/abilities").expect(200).body["data"], json!([]));
}

#[test]
fn a_registration_is_audited_and_one_that_changes_nothing_is_not() {
    let scene = Scene::set();
    scene.register(&["agents:read", "storage:*"]).expect(200);
    let changed = json!([
        {"name": "agents:read", "description": "Look at agents"},
        {"name": "webhooks:send", "description": null},
    ]);
    scene.ada.client.patch(ABILITIES, &registry(changed.clone())).expect(200);
    scene.ada.client.patch(ABILITIES, &registry(changed)).expect(200);
    let events = "audit_events WHERE resource_type = 'organization_abilities' AND action = 'update'";
    assert_eq!(scene.app.count(events), 2);
    let difference = json!({"added": ["webhooks:send"], "removed": ["storage:*"], "described-anew": ["agents:read"]});
    assert_eq!(scene.app.count(&format!("{events} AND meta = '{difference}' AND accessor_id = '{}'", scene.ada.id)), 1);
}

#[test]
fn an_organization_takes_its_abilities_with_it() {
    let scene = Scene::set();
    scene.register(&["agents:read"]).expect(200);
    assert_eq!(scene.app.count("abilities"), 1);
    scene.ada.client.delete("/api/v2/organizations/acme").expect(204);
    until("they have gone with it", || scene.app.count("abilities") == 0);
}
