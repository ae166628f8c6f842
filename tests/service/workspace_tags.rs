//! Tags of workspaces, which are names, and tag bindings, which are keys with values.

use serde_json::{Value, json};

use crate::support::App;
use crate::support::app::{User, resource};
use crate::support::client::Answer;

const ALL: &str = "/api/v2/organizations/acme/workspaces";

fn scene() -> (App, User, String) {
    let (app, ada) = App::with_acme();
    let id = ada.workspace("acme", "prod");
    (app, ada, format!("/api/v2/workspaces/{id}"))
}

fn tag(name: &str) -> Value {
    json!({"type": "tags", "attributes": {"name": name}})
}

fn tags(names: &[&str]) -> Value {
    json!({"data": names.iter().map(|name| tag(name)).collect::<Vec<_>>()})
}

fn bindings(pairs: &[(&str, &str)]) -> Value {
    let binding =
        |(key, value): &(&str, &str)| json!({"type": "tag-bindings", "attributes": {"key": key, "value": value}});
    json!({"data": pairs.iter().map(binding).collect::<Vec<_>>()})
}

fn named(name: &str, relationships: Value) -> Value {
    let mut document = resource("workspaces", json!({ "name": name }));
    document["data"]["relationships"] = relationships;
    document
}

fn add(ada: &User, workspace: &str, names: &[&str]) -> Answer {
    ada.client.post(&format!("{workspace}/relationships/tags"), &tags(names))
}

fn names(ada: &User, workspace: &str) -> Value {
    ada.client.get(workspace).expect(200).attribute("tag-names").clone()
}

/// `key=value` of each resource in a list.
fn told(list: &Value) -> Vec<String> {
    let text = |binding: &Value, name: &str| binding["attributes"][name].as_str().unwrap().to_owned();
    let binding = |binding: &Value| format!("{}={}", text(binding, "key"), text(binding, "value"));
    list.as_array().unwrap().iter().map(binding).collect()
}

#[test]
fn a_workspace_is_made_with_tags_and_keeps_them() {
    let (_app, ada, _) = scene();
    let made = ada.client.post(ALL, &named("live", json!({"tags": tags(&["team:web", "app"])}))).expect(201);
    assert_eq!(made.attribute("tag-names"), &json!(["app", "team:web"]));
    let path = format!("/api/v2/workspaces/{}", made.id());
    // What says nothing of tags leaves them alone; what does replaces them.
    ada.client.patch(&path, &resource("workspaces", json!({"auto-apply": true}))).expect(200);
    assert_eq!(names(&ada, &path), json!(["app", "team:web"]));
    ada.client.patch(&path, &named("live", json!({"tags": tags(&["other"])}))).expect(200);
    assert_eq!(names(&ada, &path), json!(["other"]));
    ada.client.patch(&path, &named("live", json!({"tags": {"data": []}}))).expect(200);
    assert_eq!(names(&ada, &path), json!([]));
}

#[test]
fn tags_are_added_and_taken_away_by_name_and_by_id() {
    let (_app, ada, prod) = scene();
    let path = format!("{prod}/relationships/tags");
    add(&ada, &prod, &["b", "a"]).expect(204);
    add(&ada, &prod, &["b", "c"]).expect(204);
    let list = ada.client.get(&path).expect(200);
    let told: Vec<&Value> =
        list.body["data"].as_array().unwrap().iter().map(|tag| &tag["attributes"]["name"]).collect();
    assert_eq!(told, ["a", "b", "c"]);
    let ids = list.ids();
    let by_id = |id: &str| json!({"data": [{"type": "tags", "id": id}]});
    ada.client.delete_with(&path, &by_id(&ids[0])).expect(204);
    ada.client.delete_with(&path, &tags(&["b", "never"])).expect(204);
    assert_eq!(names(&ada, &prod), json!(["c"]));
    // What no workspace has any more is a tag all the same, until it is deleted.
    ada.client.post(&path, &by_id(&ids[0])).expect(204);
    assert_eq!(names(&ada, &prod), json!(["a", "c"]));
    let test = format!("/api/v2/workspaces/{}", ada.workspace("acme", "test"));
    ada.client.post(&format!("{test}/relationships/tags"), &by_id(&ids[2])).expect(204);
    assert_eq!(names(&ada, &test), json!(["c"]));
}

#[test]
fn tags_are_kept_in_lower_case_and_once() {
    let (_app, ada, prod) = scene();
    add(&ada, &prod, &["App", "aPP", "app"]).expect(204);
    assert_eq!(names(&ada, &prod), json!(["app"]));
    ada.client.delete_with(&format!("{prod}/relationships/tags"), &tags(&["APP"])).expect(204);
    assert_eq!(names(&ada, &prod), json!([]));
}

#[test]
fn a_tag_has_one_id_in_its_organization() {
    let (_app, ada, prod) = scene();
    ada.organization("other");
    let test = format!("/api/v2/workspaces/{}", ada.workspace("acme", "test"));
    let elsewhere = format!("/api/v2/workspaces/{}", ada.workspace("other", "prod"));
    let ids = [&prod, &test, &elsewhere].map(|workspace| {
        add(&ada, workspace, &["app"]).expect(204);
        ada.client.get(&format!("{workspace}/relationships/tags")).expect(200).ids().remove(0)
    });
    assert!(ids[0].starts_with("tag-"));
    assert_eq!(ids[0], ids[1]);
    assert_ne!(ids[0], ids[2]);
    let foreign = json!({"data": [{"type": "tags", "id": ids[2]}]});
    ada.client.post(&format!("{prod}/relationships/tags"), &foreign).expect(404);
}

#[test]
fn the_tags_of_a_workspace_are_searched_and_paged() {
    let (_app, ada, prod) = scene();
    add(&ada, &prod, &["web", "web:eu", "db"]).expect(204);
    let list = |query: &str| {
        let list = ada.client.get(&format!("{prod}/relationships/tags{query}")).expect(200);
        let data = list.body["data"].as_array().unwrap().clone();
        let names: Vec<Value> = data.iter().map(|tag| tag["attributes"]["name"].clone()).collect();
        (json!(names), list.body["meta"]["pagination"]["total-count"].clone())
    };
    assert_eq!(list("?name=WEB"), (json!(["web", "web:eu"]), json!(2)));
    assert_eq!(list("?page[size]=2"), (json!(["db", "web"]), json!(3)));
    assert_eq!(list("?page[size]=2&page[number]=2"), (json!(["web:eu"]), json!(3)));
    assert_eq!(list("?page[number]=9"), (json!([]), json!(3)));
}

#[test]
fn workspaces_are_searched_by_their_tags() {
    let (_app, ada, prod) = scene();
    add(&ada, &prod, &["app", "eu"]).expect(204);
    let test = format!("/api/v2/workspaces/{}", ada.workspace("acme", "test"));
    add(&ada, &test, &["app"]).expect(204);
    ada.workspace("acme", "bare");
    let found = |query: &str| {
        let list = ada.client.get(&format!("{ALL}?{query}")).expect(200);
        let data = list.body["data"].as_array().unwrap().clone();
        data.iter().map(|one| one["attributes"]["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(found("search[tags]=app"), ["prod", "test"]);
    assert_eq!(found("search[tags]=app, EU"), ["prod"]);
    assert_eq!(found("search[tags]=ap"), Vec::<String>::new());
    assert_eq!(found("search[exclude-tags]=eu"), ["bare", "test"]);
    assert_eq!(found("search[exclude-tags]=eu,app"), ["bare"]);
    assert_eq!(found("search[tags]=app&search[exclude-tags]=eu"), ["test"]);
    assert_eq!(found("search[tags]=&search[exclude-tags]="), ["bare", "prod", "test"]);
}

#[test]
fn bindings_are_added_and_changed_and_replaced() {
    let (_app, ada, prod) = scene();
    let path = format!("{prod}/tag-bindings");
    let list = |path: &str| told(&ada.client.get(path).expect(200).body["data"]);
    assert_eq!(list(&path), Vec::<String>::new());
    let added = ada.client.patch(&path, &bindings(&[("env", "prod"), ("cost", "")])).expect(200);
    assert_eq!(told(&added.body["data"]), ["env=prod", "cost="], "in the order of the request");
    let keyed = json!({"data": [{"type": "tag-bindings", "attributes": {"key": "bare", "value": null}}]});
    ada.client.patch(&path, &keyed).expect(200);
    let changed = ada.client.patch(&path, &bindings(&[("env", "Prod")])).expect(200);
    assert_eq!(told(&changed.body["data"]), ["env=Prod", "cost=", "bare="]);
    for path in [&path, &format!("{prod}/effective-tag-bindings")] {
        assert_eq!(list(path), ["env=Prod", "cost=", "bare="]);
    }
    // Beside the workspace they are all that there will be.
    ada.client.patch(&prod, &resource("workspaces", json!({"auto-apply": true}))).expect(200);
    assert_eq!(list(&path).len(), 3);
    ada.client.patch(&prod, &named("prod", json!({"tag-bindings": bindings(&[("a", "b")])}))).expect(200);
    assert_eq!(list(&path), ["a=b"]);
    ada.client.patch(&prod, &named("prod", json!({"tag-bindings": {"data": []}}))).expect(200);
    assert_eq!(list(&path), Vec::<String>::new());
    assert_eq!(names(&ada, &prod), json!([]), "they are no tags");
    let made = ada.client.post(ALL, &named("new", json!({"tag-bindings": bindings(&[("a", "b")])}))).expect(201);
    assert_eq!(list(&format!("/api/v2/workspaces/{}/tag-bindings", made.id())), ["a=b"]);
}

#[test]
fn effective_bindings_are_included() {
    let (_app, ada, prod) = scene();
    ada.workspace("acme", "bare");
    ada.client.patch(&format!("{prod}/tag-bindings"), &bindings(&[("env", "prod")])).expect(200);
    for path in [&prod, &format!("{ALL}/prod"), ALL] {
        let told_of = ada.client.get(&format!("{path}?include=effective_tag_bindings,organization")).expect(200);
        let included = told_of.body["included"].as_array().unwrap();
        let effective: Vec<&Value> = included.iter().filter(|one| one["type"] == "effective-tag-bindings").collect();
        assert_eq!((told(&json!(effective)), included.len()), (vec!["env=prod".to_owned()], 2), "{path}");
        let linked = told_of.body.to_string().matches(effective[0]["id"].as_str().unwrap()).count();
        assert_eq!(linked, 2, "{path}: it is linked to");
        // Without it there is a link, and nothing that a client could take for an empty binding.
        let bare = ada.client.get(path).expect(200);
        assert!(!bare.body.to_string().contains("\"tb-"), "{path}");
    }
}

#[test]
fn a_wrong_tag_is_blamed_at_its_place() {
    let (_app, ada, prod) = scene();
    let path = format!("{prod}/relationships/tags");
    let long = "x".repeat(256);
    let name = |name: Value| json!({"type": "tags", "attributes": {"name": name}});
    for (wrong, status, place) in [
        (name(json!("")), 422, "/attributes/name"),
        (name(json!("a b")), 422, "/attributes/name"),
        (name(json!(":a")), 422, "/attributes/name"),
        (name(json!("a-")), 422, "/attributes/name"),
        (name(json!("é")), 422, "/attributes/name"),
        (name(json!(long)), 422, "/attributes/name"),
        (name(json!(7)), 422, "/attributes/name"),
        (name(json!(null)), 422, "/attributes/name"),
        (json!({"type": "tags"}), 422, "/attributes/name"),
        (json!({"type": "tags", "id": "tag-nothing"}), 404, "/id"),
        (json!({"type": "tags", "id": 7}), 400, "/id"),
        (json!({"type": "tag", "attributes": {"name": "a"}}), 409, "/type"),
        (json!({"attributes": {"name": "a"}}), 400, "/type"),
        (json!("a"), 400, ""),
    ] {
        let both = json!({"data": [tag("good"), wrong]});
        for answer in [ada.client.post(&path, &both), ada.client.delete_with(&path, &both)] {
            assert_eq!(answer.expect(status).blamed(), [format!("/data/1{place}")], "{wrong}");
        }
        let beside = ada.client.patch(&prod, &named("prod", json!({ "tags": both }))).expect(status);
        assert_eq!(beside.blamed(), [format!("/data/relationships/tags/data/1{place}")], "{wrong}");
    }
    assert_eq!(ada.client.post(&path, &json!({"data": tag("a")})).expect(400).blamed(), ["/data"]);
    let one = ada.client.patch(&prod, &named("prod", json!({"tags": {"data": tag("a")}}))).expect(422);
    assert_eq!(one.blamed(), ["/data/relationships/tags/data"]);
    assert_eq!(names(&ada, &prod), json!([]));
}

#[test]
fn a_wrong_binding_is_blamed_at_its_place() {
    let (_app, ada, prod) = scene();
    let path = format!("{prod}/tag-bindings");
    let with = |attributes: Value| json!({"type": "tag-bindings", "attributes": attributes});
    for (wrong, status, place) in [
        (with(json!({"value": "a"})), 422, "/attributes/key"),
        (with(json!({"key": "", "value": "a"})), 422, "/attributes/key"),
        (with(json!({"key": "x".repeat(129), "value": "a"})), 422, "/attributes/key"),
        (with(json!({"key": "größe", "value": "a"})), 422, "/attributes/key"),
        (with(json!({"key": " a", "value": "a"})), 422, "/attributes/key"),
        (with(json!({"key": "a", "value": "x".repeat(257)})), 422, "/attributes/value"),
        (with(json!({"key": "a", "value": 7})), 422, "/attributes/value"),
        (json!({"type": "tags", "attributes": {"key": "a"}}), 409, "/type"),
    ] {
        let refused = ada.client.patch(&path, &json!({ "data": [wrong] })).expect(status);
        assert_eq!(refused.blamed(), [format!("/data/0{place}")], "{wrong}");
        let beside = named("prod", json!({"tag-bindings": {"data": [wrong]}}));
        let refused = ada.client.patch(&prod, &beside).expect(status);
        assert_eq!(refused.blamed(), [format!("/data/relationships/tag-bindings/data/0{place}")], "{wrong}");
    }
    let (key, value) = ("a _.:/=+@-".repeat(12), "é".repeat(256));
    ada.client.patch(&path, &bindings(&[(&key, &value)])).expect(200);
}

#[test]
fn there_are_at_most_a_hundred_tags_and_ten_bindings() {
    let (_app, ada, prod) = scene();
    let many: Vec<String> = (0..101).map(|n| format!("n{n}")).collect();
    let names: Vec<&str> = many.iter().map(String::as_str).collect();
    add(&ada, &prod, &names[..100]).expect(204);
    assert_eq!(add(&ada, &prod, &names[100..]).expect(422).blamed(), ["/data"]);
    add(&ada, &prod, &names[..100]).expect(204);
    let pairs: Vec<(&str, &str)> = names.iter().map(|name| (*name, "")).collect();
    let path = format!("{prod}/tag-bindings");
    ada.client.patch(&path, &bindings(&pairs[..10])).expect(200);
    ada.client.patch(&path, &bindings(&pairs[..10])).expect(200);
    assert_eq!(ada.client.patch(&path, &bindings(&pairs[10..11])).expect(422).blamed(), ["/data"]);
    for (name, sent) in [("tags", tags(&names)), ("tag-bindings", bindings(&pairs[..11]))] {
        let refused = ada.client.post(ALL, &named("new", json!({ name: sent }))).expect(422);
        assert_eq!(refused.blamed(), [format!("/data/relationships/{name}/data")]);
    }
}

#[test]
fn a_change_is_audited_and_what_changes_nothing_is_not() {
    let (app, ada, prod) = scene();
    let updates = || app.count("audit_events WHERE resource_type = 'workspace' AND action = 'update'");
    let path = format!("{prod}/relationships/tags");
    for (nth, change) in [
        add(&ada, &prod, &["app"]),
        ada.client.delete_with(&path, &tags(&["app"])),
        ada.client.patch(&format!("{prod}/tag-bindings"), &bindings(&[("a", "b")])),
    ]
    .iter()
    .enumerate()
    {
        assert!(change.status < 300, "{nth}");
    }
    assert_eq!(updates(), 3);
    add(&ada, &prod, &[]).expect(204);
    ada.client.delete_with(&path, &tags(&["app"])).expect(204);
    ada.client.patch(&format!("{prod}/tag-bindings"), &bindings(&[("a", "b")])).expect(200);
    add(&ada, &prod, &["no tag"]).expect(422);
    assert_eq!(updates(), 3);
}

#[test]
fn an_id_names_only_tags_that_one_sees() {
    let (app, ada, prod) = scene();
    add(&ada, &prod, &["hidden"]).expect(204);
    let id = ada.client.get(&format!("{prod}/relationships/tags")).expect(200).ids().remove(0);
    let lab = ada.workspace("acme", "lab");
    let team = ada.team("acme", "ci");
    ada.give_access(&team, &lab, "admin");
    let token = app.with(&ada.team_token(&team).secret());
    let tags = format!("/api/v2/workspaces/{lab}/relationships/tags");
    let by_id = json!({"data": [{"type": "tags", "id": id}]});
    token.post(&tags, &by_id).expect(404);
    ada.client.post(&tags, &by_id).expect(204);
    assert_eq!(token.get(&tags).expect(200).ids(), [id]);
}
