//! Which workspaces may read a workspace's state: kept and returned, as there is no state.

use serde_json::{Value, json};

use crate::support::App;
use crate::support::app::{User, identifiers, resource};
use crate::support::client::Answer;

fn scene() -> (App, User, String) {
    let (app, ada) = App::with_acme();
    let id = ada.workspace("acme", "prod");
    (app, ada, format!("/api/v2/workspaces/{id}/relationships/remote-state-consumers"))
}

fn names(list: &Answer) -> Vec<&str> {
    list.body["data"].as_array().unwrap().iter().map(|one| one["attributes"]["name"].as_str().unwrap()).collect()
}

fn these(ids: &[&str]) -> Value {
    identifiers("workspaces", ids)
}

/// Makes so many workspaces by SQL, which are called `n1`, `n2` and so on.
fn many(app: &App, how_many: usize) {
    app.sql(&format!(
        "INSERT INTO workspaces (id, organization_id, project_id, name) \
         SELECT new_id(), id, id, 'n' || n FROM organizations, generate_series(1, {how_many}) AS n"
    ));
}

fn consume_all(app: &App, where_: &str) {
    app.sql(&format!(
        "INSERT INTO remote_state_consumers SELECT prod.id, other.id, prod.organization_id \
         FROM workspaces AS prod, workspaces AS other WHERE prod.name = 'prod' AND other.name LIKE 'n%' {where_}"
    ));
}

#[test]
fn consumers_are_added_taken_away_and_replaced() {
    let (_app, ada, path) = scene();
    let [a, b, c] = ["a", "b", "c"].map(|name| ada.workspace("acme", name));
    let list = || ada.client.get(&path).expect(200);
    assert_eq!(names(&list()), [""; 0]);
    ada.client.post(&path, &these(&[&b, &a])).expect(204);
    ada.client.post(&path, &these(&[&b, &b])).expect(204);
    assert_eq!(names(&list()), ["a", "b"]);
    // Whole workspaces, as go-tfe has them, and many of them.
    let mut whole = ada.client.get(&format!("/api/v2/workspaces/{c}")).expect(200).body["data"].clone();
    whole["attributes"]["name"] = "ignored".into();
    ada.client.patch(&path, &json!({"data": vec![whole; 300]})).expect(204);
    assert_eq!(names(&list()), ["c"]);
    assert_eq!(list().body["data"][0]["attributes"]["permissions"]["can-update"], true);
    ada.client.post(&path, &these(&[&a])).expect(204);
    ada.client.delete_with(&path, &these(&[&c, &b])).expect(204);
    assert_eq!(names(&list()), ["a"]);
    // It is that workspace's and no other's.
    let others = format!("/api/v2/workspaces/{a}/relationships/remote-state-consumers");
    assert_eq!(names(&ada.client.get(&others).expect(200)), [""; 0]);
    ada.client.patch(&path, &these(&[])).expect(204);
    assert_eq!(names(&list()), [""; 0]);
}

#[test]
fn what_is_deleted_consumes_no_more() {
    let (app, ada, path) = scene();
    let a = ada.workspace("acme", "a");
    ada.client.post(&path, &these(&[&a])).expect(204);
    ada.client.delete(&format!("/api/v2/workspaces/{a}")).expect(204);
    assert_eq!(names(&ada.client.get(&path).expect(200)), [""; 0]);
    // Who takes it away afterwards is right, too.
    ada.client.delete_with(&path, &these(&[&a])).expect(204);
    ada.client.post(&path, &these(&[&a])).expect(404);
    assert_eq!(app.count("remote_state_consumers"), 0);
}

#[test]
fn the_rows_go_with_a_workspace_on_either_side() {
    let (app, ada, path) = scene();
    let a = ada.workspace("acme", "a");
    let others = format!("/api/v2/workspaces/{a}/relationships/remote-state-consumers");
    let prod = path.split('/').nth(4).unwrap().to_owned();
    ada.client.post(&path, &these(&[&a])).expect(204);
    ada.client.post(&others, &these(&[&prod])).expect(204);
    ada.client.delete(&format!("/api/v2/workspaces/{a}")).expect(204);
    crate::support::process::until("the rows are gone", || app.count("remote_state_consumers") == 0);
}

#[test]
fn a_workspace_that_shares_its_state_in_its_project_tells_just_of_that() {
    let (_app, ada, path) = scene();
    let prod = "/api/v2/organizations/acme/workspaces/prod";
    let core = ada.project("acme", "core");
    let (near, far) = (ada.workspace("acme", "near"), ada.workspace_in(&core, "acme", "far"));
    ada.client.post(&path, &these(&[&near, &far])).expect(204);
    let sharing = |within_project: bool| {
        let settings = json!({"global-remote-state": false, "project-remote-state": within_project});
        ada.client.patch(prod, &resource("workspaces", settings)).expect(200);
        ada.client.get(&path).expect(200)
    };
    assert_eq!(names(&sharing(true)), ["near"]);
    assert_eq!(sharing(true).body["meta"]["pagination"]["total-count"], 1);
    assert_eq!(names(&sharing(false)), ["far", "near"]);
}

#[test]
fn a_long_list_has_pages() {
    let (app, ada, path) = scene();
    many(&app, 105);
    consume_all(&app, "");
    let first = ada.client.get(&format!("{path}?page[size]=100")).expect(200);
    assert_eq!(first.ids().len(), 100);
    let pagination = &first.body["meta"]["pagination"];
    assert_eq!((&pagination["next-page"], &pagination["total-count"]), (&json!(2), &json!(105)));
    assert_eq!(ada.client.get(&format!("{path}?page[size]=100&page[number]=2")).expect(200).ids().len(), 5);
    assert_eq!(ada.client.get(&format!("{path}?page[size]=60&page[after]=")).expect(200).ids().len(), 60);
    let backwards = ada.client.get(&format!("{path}?sort=-name&page[size]=1")).expect(200);
    assert_eq!(names(&backwards), ["n99"]);
}

#[test]
fn there_are_at_most_a_thousand() {
    let (app, ada, path) = scene();
    many(&app, 1000);
    consume_all(&app, "");
    let one_more = ada.workspace("acme", "more");
    assert_eq!(ada.client.post(&path, &these(&[&one_more])).expect(422).blamed(), ["/data"]);
    assert_eq!(app.count("remote_state_consumers"), 1000);
    ada.client.patch(&path, &these(&[&one_more])).expect(204);
    ada.client.patch(&path, &these(&vec![one_more.as_str(); 1001])).expect(422);
}

#[test]
fn a_consumer_is_of_the_same_organization_and_seen() {
    let (app, ada, path) = scene();
    let prod = path.split('/').nth(4).unwrap().to_owned();
    let (seen, hidden) = (ada.workspace("acme", "seen"), ada.workspace("acme", "hidden"));
    ada.organization("other");
    let foreign = ada.workspace("other", "foreign");
    let team = ada.team("acme", "ci");
    ada.give_access(&team, &prod, "admin");
    ada.give_access(&team, &seen, "read");
    let token = app.with(&ada.team_token(&team).secret());
    for change in ["POST", "PATCH"] {
        for (client, sent, blamed) in [
            (&ada.client, [&seen, &foreign], "/data/1/id"),
            (&ada.client, [&"ws-nothing".to_owned(), &seen], "/data/0/id"),
            (&token, [&seen, &hidden], "/data/1/id"),
        ] {
            let body = these(&sent.map(String::as_str)).to_string();
            let headers = [("Content-Type", "application/vnd.api+json")];
            let refused = client.send(change, &path, &headers, Some(body.as_bytes())).expect(404);
            assert_eq!(refused.blamed(), [blamed], "{change}");
        }
    }
    assert_eq!(app.count("remote_state_consumers"), 0);
    // What one does not see is not in the list, either.
    ada.client.post(&path, &these(&[&hidden])).expect(204);
    token.post(&path, &these(&[&seen])).expect(204);
    assert_eq!(names(&ada.client.get(&path).expect(200)), ["hidden", "seen"]);
    let theirs = token.get(&path).expect(200);
    assert_eq!((names(&theirs), &theirs.body["meta"]["pagination"]["total-count"]), (vec!["seen"], &json!(1)));
    let reader = ada.team("acme", "readers");
    ada.give_access(&reader, &prod, "write");
    let reader = app.with(&ada.team_token(&reader).secret());
    assert_eq!(names(&reader.get(&path).expect(200)), [""; 0]);
    reader.post(&path, &these(&[&prod])).expect(404);
}

#[test]
fn a_change_is_an_event_and_what_changes_nothing_is_none() {
    let (app, ada, path) = scene();
    let a = ada.workspace("acme", "a");
    let events = || app.count("audit_events WHERE action = 'update' AND meta ? 'remote-state-consumers'");
    ada.client.post(&path, &these(&[&a])).expect(204);
    ada.client.post(&path, &these(&[&a])).expect(204);
    ada.client.patch(&path, &these(&[&a])).expect(204);
    assert_eq!(events(), 1);
    ada.client.delete_with(&path, &these(&[&a])).expect(204);
    ada.client.delete_with(&path, &these(&[&a])).expect(204);
    assert_eq!(events(), 2);
}

#[test]
fn state_is_shared_with_everybody_or_with_the_project() {
    let (_app, ada, path) = scene();
    let prod = path.split("/relationships").next().unwrap();
    assert_eq!(ada.client.get(prod).expect(200).attribute("global-remote-state"), true);
    let change = |attributes: Value| ada.client.patch(prod, &resource("workspaces", attributes));
    for wrong in
        [json!({"project-remote-state": true}), json!({"project-remote-state": true, "global-remote-state": true})]
    {
        let refused = change(wrong).expect(422);
        assert_eq!(refused.blamed(), ["/data/attributes/project-remote-state"]);
        assert_eq!(refused.body["errors"][0]["title"], "invalid attribute");
        assert_eq!(
            refused.detail(),
            "Project remote state cannot be enabled when global remote state sharing is enabled"
        );
    }
    let shared = change(json!({"project-remote-state": true, "global-remote-state": false})).expect(200);
    assert_eq!(shared.attribute("project-remote-state"), true);
    change(json!({"global-remote-state": true})).expect(422);
}
