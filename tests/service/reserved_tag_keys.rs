//! Reserved tag keys, and that a workspace does not override what its project says of them.

use serde_json::{Value, json};

use crate::support::App;
use crate::support::app::{resource, workspace_in};

const ALL: &str = "/api/v2/organizations/acme/reserved-tag-keys";

fn reserved(attributes: Value) -> Value {
    resource("reserved-tag-keys", attributes)
}

#[test]
fn keys_are_reserved_changed_and_given_free() {
    let (app, ada) = App::with_acme();
    let made = ada.client.post(ALL, &reserved(json!({"key": "cost-center"}))).expect(201);
    assert!(made.id().starts_with("rtk-"));
    assert_eq!((made.attribute("key"), made.attribute("disable-overrides")), (&json!("cost-center"), &json!(false)));
    let one = format!("/api/v2/reserved-tag-keys/{}", made.id());
    let changed = ada.client.patch(&one, &reserved(json!({"key": "env", "disable-overrides": true}))).expect(200);
    assert_eq!((changed.attribute("key"), changed.attribute("disable-overrides")), (&json!("env"), &json!(true)));
    ada.client.post(ALL, &reserved(json!({"key": "team", "disable-overrides": true}))).expect(201);
    let list = ada.client.get(ALL).expect(200);
    assert_eq!(list.body["meta"]["pagination"]["total-count"], 2);
    assert_eq!(list.body["data"][0]["attributes"]["key"], "env");
    for taken in [
        ada.client.post(ALL, &reserved(json!({"key": "team"}))),
        ada.client.patch(&one, &reserved(json!({"key": "team"}))),
    ] {
        assert_eq!(taken.expect(422).detail(), "Key has already been taken");
    }
    for wrong in ["", "no!", &"x".repeat(129)] {
        let refused = ada.client.post(ALL, &reserved(json!({"key": wrong}))).expect(422);
        assert!(refused.detail().starts_with("Key is invalid"), "{}", refused.detail());
    }
    ada.client.delete(&one).expect(204);
    ada.client.delete(&one).expect(404);
    let events = "audit_events WHERE resource_type = 'reserved_tag_key'";
    assert_eq!(app.count(events), 4);
}

#[test]
fn there_are_at_most_a_hundred() {
    let (app, ada) = App::with_acme();
    app.sql(
        "INSERT INTO reserved_tag_keys (id, organization_id, key) \
         SELECT new_id(), id, 'key ' || n FROM organizations, generate_series(1, 99) AS n",
    );
    ada.client.post(ALL, &reserved(json!({"key": "last"}))).expect(201);
    ada.client.post(ALL, &reserved(json!({"key": "one more"}))).expect(422);
}

#[test]
fn a_workspace_does_not_override_its_project() {
    let (_app, ada) = App::with_acme();
    let core = ada.project("acme", "core");
    let binding = |key: &str, value: &str| json!({"data": [{"type": "tag-bindings", "attributes": {"key": key, "value": value}}]});
    ada.client.patch(&format!("/api/v2/projects/{core}/tag-bindings"), &binding("env", "prod")).expect(200);
    let before = ada.workspace_in(&core, "acme", "before");
    let bindings = |workspace: &str| format!("/api/v2/workspaces/{workspace}/tag-bindings");
    ada.client.patch(&bindings(&before), &binding("env", "own")).expect(200);
    let key = ada.client.post(ALL, &reserved(json!({"key": "env", "disable-overrides": true}))).expect(201).id();
    let prod = ada.workspace_in(&core, "acme", "prod");
    let refused = ada.client.patch(&bindings(&prod), &binding("env", "own")).expect(422);
    assert!(refused.detail().contains("reserved"), "{}", refused.detail());
    assert!(
        !refused.detail().contains("core"),
        "who sees the workspace need not see the project: {}",
        refused.detail()
    );
    ada.client.patch(&bindings(&prod), &binding("env", "prod")).expect(200);
    ada.client.patch(&bindings(&prod), &binding("other", "own")).expect(200);
    let mut beside = workspace_in(&core, json!({"name": "new"}));
    beside["data"]["relationships"]["tag-bindings"] = binding("env", "own");
    let refused = ada.client.post("/api/v2/organizations/acme/workspaces", &beside).expect(422);
    assert_eq!(refused.blamed(), ["/data/relationships/tag-bindings/data"]);
    // What was there before gives way.
    let effective = format!("/api/v2/workspaces/{before}/effective-tag-bindings");
    let value = || ada.client.get(&effective).expect(200).body["data"][0]["attributes"]["value"].clone();
    assert_eq!(value(), "prod");
    // What is shown can be sent back, and nothing else.
    let mut same = resource("workspaces", json!({"description": "changed"}));
    same["data"]["relationships"] = json!({"tag-bindings": binding("env", "own")});
    ada.client.patch(&format!("/api/v2/workspaces/{before}"), &same).expect(200);
    same["data"]["relationships"] = json!({"tag-bindings": binding("env", "another")});
    ada.client.patch(&format!("/api/v2/workspaces/{before}"), &same).expect(422);
    let found = |value: &str| {
        let filters = format!("filter[tagged][0][key]=env&filter[tagged][0][value]={value}");
        let list = ada.client.get(&format!("/api/v2/organizations/acme/workspaces?{filters}")).expect(200);
        list.ids().contains(&before)
    };
    assert_eq!((found("prod"), found("own")), (true, false), "it is found by what is in force");
    ada.client.delete(&format!("/api/v2/reserved-tag-keys/{key}")).expect(204);
    assert_eq!(value(), "own");
    assert_eq!((found("prod"), found("own")), (false, true));
    ada.client.patch(&bindings(&prod), &binding("env", "own")).expect(200);
}
