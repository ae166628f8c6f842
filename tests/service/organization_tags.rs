//! The tags of an organization: found, given to workspaces, deleted.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::races::times;
use crate::support::App;
use crate::support::app::{User, identifiers, resource};
use crate::support::client::{Answer, Client};
use crate::support::holder::Holder;
use crate::support::process::until;

const TAGS: &str = "/api/v2/organizations/acme/tags";

fn scene() -> (App, User) {
    App::with_acme()
}

/// A workspace with these tags.
fn tagged(ada: &User, name: &str, tags: &[&str]) -> String {
    let id = ada.workspace("acme", name);
    give(ada, &id, tags).expect(204);
    id
}

fn give(ada: &User, workspace: &str, tags: &[&str]) -> Answer {
    let tags: Vec<Value> = tags.iter().map(|name| json!({"type": "tags", "attributes": {"name": name}})).collect();
    ada.client.post(&format!("/api/v2/workspaces/{workspace}/relationships/tags"), &json!({ "data": tags }))
}

/// `name=instance-count` of each tag in a list.
fn told(client: &Client, query: &str) -> Vec<String> {
    let list = client.get(&format!("{TAGS}{query}")).expect(200);
    let text = |tag: &Value| {
        format!("{}={}", tag["attributes"]["name"].as_str().unwrap(), tag["attributes"]["instance-count"])
    };
    list.body["data"].as_array().unwrap().iter().map(text).collect()
}

fn tag(ada: &User, name: &str) -> String {
    let list = ada.client.get(&format!("{TAGS}?q={name}")).expect(200);
    let data = list.body["data"].as_array().unwrap().clone();
    data.iter().find(|tag| tag["attributes"]["name"] == name).unwrap()["id"].as_str().unwrap().to_owned()
}

fn names(ada: &User, workspace: &str) -> Value {
    ada.client.get(&format!("/api/v2/workspaces/{workspace}")).expect(200).attribute("tag-names").clone()
}

fn of_tag(id: &str) -> String {
    format!("/api/v2/tags/{id}/relationships/workspaces")
}

#[test]
fn tags_are_listed_with_the_number_of_their_workspaces() {
    let (_app, ada) = scene();
    assert_eq!(told(&ada.client, ""), [""; 0]);
    let prod = tagged(&ada, "prod", &["web", "app"]);
    tagged(&ada, "test", &["app", "db"]);
    ada.organization("other");
    ada.workspace("other", "elsewhere");
    assert_eq!(told(&ada.client, ""), ["app=2", "db=1", "web=1"]);
    let list = ada.client.get(TAGS).expect(200);
    let one = &list.body["data"][0];
    assert_eq!(one["relationships"]["organization"]["data"], json!({"type": "organizations", "id": "acme"}));
    assert!(one["attributes"]["created-at"].as_str().unwrap().ends_with('Z'));
    // The same tag as that of a workspace.
    let of_one = ada.client.get(&format!("/api/v2/workspaces/{prod}/relationships/tags")).expect(200);
    assert_eq!(&of_one.body["data"][0], one);
    // A tag stays without a workspace.
    ada.client.delete(&format!("/api/v2/workspaces/{prod}")).expect(204);
    assert_eq!(told(&ada.client, ""), ["app=1", "db=1", "web=0"]);
    assert_eq!(ada.client.get("/api/v2/organizations/other/tags").expect(200).ids(), [""; 0]);
}

#[test]
fn tags_are_searched_sorted_and_paged() {
    let (_app, ada) = scene();
    let prod = tagged(&ada, "prod", &["web", "team:web", "b-b"]);
    let test = tagged(&ada, "test", &["b", "b:b"]);
    let list = |query: &str| told(&ada.client, query);
    assert_eq!(list("?q=WEB"), ["team:web=1", "web=1"]);
    assert_eq!(list("?q=_"), [""; 0]);
    assert_eq!(list("?sort=-name"), ["web=1", "team:web=1", "b:b=1", "b-b=1", "b=1"]);
    assert_eq!(list("?page[size]=2&page[number]=2"), ["b:b=1", "team:web=1"]);
    assert_eq!(list("?page[size]=2&page[after]="), ["b=1", "b-b=1"]);
    assert_eq!(list("?sort=created-at&page[size]=3").len(), 3);
    let exclude = |id: &str| list(&format!("?filter[exclude][taggable][id]={id}"));
    assert_eq!(exclude(&prod), ["b=1", "b:b=1"]);
    assert_eq!(exclude(&test), ["b-b=1", "team:web=1", "web=1"]);
    for no_workspace in ["ws-nothing", "", "x", &ada.id] {
        assert_eq!(exclude(no_workspace).len(), 5, "{no_workspace}");
    }
    assert_eq!(list(&format!("?filter[exclude][taggable][id]={test}&q=team")), ["team:web=1"]);
}

/// Who does not see every workspace learns nothing of those that are hidden.
#[test]
fn one_sees_the_tags_of_the_workspaces_that_one_sees() {
    let (app, ada) = scene();
    let mine = tagged(&ada, "mine", &["app", "own"]);
    let hidden = tagged(&ada, "hidden", &["app", "secret"]);
    let team = ada.team("acme", "ci");
    ada.give_access(&team, &mine, "admin");
    let token = app.with(&ada.team_token(&team).secret());
    assert_eq!(told(&token, ""), ["app=1", "own=1"]);
    assert_eq!(told(&token, &format!("?filter[exclude][taggable][id]={hidden}")), ["app=1", "own=1"]);
    assert_eq!(told(&token, &format!("?filter[exclude][taggable][id]={mine}")), [""; 0]);
    assert_eq!(told(&ada.client, ""), ["app=2", "own=1", "secret=1"]);
    let secret = tag(&ada, "secret");
    for body in [identifiers("workspaces", &[&mine]), identifiers("workspaces", &[]), json!({"data": 7})] {
        token.post(&of_tag(&secret), &body).expect(404);
    }
    assert_eq!(names(&ada, &mine), json!(["app", "own"]));
    // A workspace's own token is no member.
    let path = format!("/api/v2/workspaces/{mine}/authentication-tokens");
    let own = ada.client.post(&path, &resource("authentication-tokens", json!({"role": "owner"}))).expect(201);
    app.with(&own.secret()).get(TAGS).expect(404);
    let eve = app.user("eve");
    eve.client.get(TAGS).expect(404);
    eve.client.post(&of_tag(&secret), &identifiers("workspaces", &[&mine])).expect(404);
}

#[test]
fn a_tag_is_given_to_workspaces() {
    let (app, ada) = scene();
    tagged(&ada, "prod", &["app"]);
    let [a, b] = ["a", "b"].map(|name| ada.workspace("acme", name));
    let app_tag = tag(&ada, "app");
    ada.client.post(&of_tag(&app_tag), &identifiers("workspaces", &[&b, &a, &b])).expect(204);
    for workspace in [&a, &b] {
        let path = format!("/api/v2/workspaces/{workspace}/relationships/tags");
        assert_eq!(ada.client.get(&path).expect(200).ids(), [app_tag.as_str()]);
    }
    let events =
        || app.count("audit_events WHERE action = 'update' AND meta -> 'tags' ? 'app' AND meta ->> 'name' < 'c'");
    assert_eq!(events(), 2);
    ada.client.post(&of_tag(&app_tag), &identifiers("workspaces", &[&b])).expect(204);
    assert_eq!(events(), 2);
    assert_eq!(told(&ada.client, ""), ["app=3"]);
    assert_eq!(ada.client.post(&of_tag(&app_tag), &identifiers("workspaces", &[])).expect(422).blamed(), ["/data"]);
}

#[test]
fn a_tag_is_given_only_to_what_one_may_change() {
    let (app, ada) = scene();
    let mine = tagged(&ada, "mine", &["app"]);
    let (plain, seen, hidden) = (ada.workspace("acme", "a"), ada.workspace("acme", "b"), ada.workspace("acme", "c"));
    let team = ada.team("acme", "ci");
    for (workspace, level) in [(&mine, "read"), (&plain, "admin"), (&seen, "write")] {
        ada.give_access(&team, workspace, level);
    }
    ada.organization("other");
    let foreign = ada.workspace("other", "foreign");
    let token = app.with(&ada.team_token(&team).secret());
    let path = of_tag(&tag(&ada, "app"));
    for wrong in [&seen, &hidden, &foreign, &"ws-nothing".to_owned()] {
        let refused = token.post(&path, &identifiers("workspaces", &[&plain, wrong])).expect(404);
        assert_eq!(refused.blamed(), ["/data/1/id"], "{wrong}");
    }
    assert_eq!(names(&ada, &plain), json!([]));
    token.post(&path, &identifiers("workspaces", &[&plain])).expect(204);
    assert_eq!(names(&ada, &plain), json!(["app"]));
}

#[test]
fn a_deleted_tag_is_gone_from_every_workspace() {
    let (app, ada) = scene();
    let prod = tagged(&ada, "prod", &["app", "web"]);
    let test = tagged(&ada, "test", &["app", "db"]);
    let (app_tag, db) = (tag(&ada, "app"), tag(&ada, "db"));
    let unknown = ada.client.delete_with(TAGS, &identifiers("tags", &[&app_tag, "tag-nothing"])).expect(404);
    assert_eq!(unknown.blamed(), ["/data/1/id"]);
    assert_eq!(names(&ada, &prod), json!(["app", "web"]));
    ada.client.delete_with(TAGS, &identifiers("tags", &[&db, &app_tag, &db])).expect(204);
    assert_eq!((names(&ada, &prod), names(&ada, &test)), (json!(["web"]), json!([])));
    assert_eq!(told(&ada.client, ""), ["web=1"]);
    let list = "/api/v2/organizations/acme/workspaces?search[tags]=app";
    assert_eq!(ada.client.get(list).expect(200).ids(), [""; 0]);
    assert_eq!(ada.client.delete_with(TAGS, &identifiers("tags", &[&db])).expect(404).blamed(), ["/data/0/id"]);
    let events = "audit_events WHERE resource_type = 'tag' AND action = 'destroy' AND meta ->> 'name' IN ('app', 'db')";
    assert_eq!(app.count(events), 2);
    // Made again it is another one.
    give(&ada, &prod, &["app"]).expect(204);
    assert_ne!(tag(&ada, "app"), app_tag);
}

#[test]
fn tags_are_deleted_by_who_manages_all_workspaces() {
    let (app, ada) = scene();
    let prod = tagged(&ada, "prod", &["app"]);
    let team = ada.team("acme", "ci");
    ada.give_access(&team, &prod, "admin");
    let managers = ada.team_with("acme", json!({"name": "m", "organization-access": {"manage-workspaces": true}}));
    let one = identifiers("tags", &[&tag(&ada, "app")]);
    ada.organization("other");
    ada.client.delete_with("/api/v2/organizations/other/tags", &one).expect(404);
    let manages = |client: &Client| {
        let told = client.get("/api/v2/organizations/acme").expect(200);
        told.attribute("permissions")["can-manage-tags"] == true
    };
    let (token, manager) = (app.with(&ada.team_token(&team).secret()), app.with(&ada.team_token(&managers).secret()));
    assert_eq!((manages(&token), manages(&manager), manages(&ada.client)), (false, true, true));
    token.delete_with(TAGS, &one).expect(404);
    app.site_admin("root").client.delete_with(TAGS, &one).expect(404);
    assert_eq!(app.count("tags"), 1);
    manager.delete_with(TAGS, &one).expect(204);
}

#[test]
fn an_organization_has_so_many_tags_at_most() {
    let (app, ada) = scene();
    let prod = tagged(&ada, "prod", &["app"]);
    app.sql(
        "INSERT INTO tags (id, organization_id, name) \
         SELECT new_id(), id, 'n' || n FROM organizations, generate_series(2, 10000) AS n",
    );
    give(&ada, &prod, &["n7", "app"]).expect(204);
    assert_eq!(give(&ada, &prod, &["n8", "more"]).expect(422).blamed(), ["/data"]);
    let mut new = resource("workspaces", json!({"name": "new"}));
    new["data"]["relationships"] = json!({"tags": {"data": [{"type": "tags", "attributes": {"name": "more"}}]}});
    let refused = ada.client.post("/api/v2/organizations/acme/workspaces", &new).expect(422);
    assert_eq!(refused.blamed(), ["/data/relationships/tags/data"]);
    assert_eq!((app.count("tags"), names(&ada, &prod)), (10_000, json!(["app", "n7"])));
}

#[test]
fn a_workspace_has_so_many_tags_at_most() {
    let (app, ada) = scene();
    let (full, bare) = (tagged(&ada, "full", &["n1"]), ada.workspace("acme", "bare"));
    app.sql(
        "WITH more AS (INSERT INTO tags (id, organization_id, name) \
         SELECT new_id(), id, 'n' || n FROM organizations, generate_series(2, 100) AS n RETURNING id, organization_id) \
         INSERT INTO workspace_tags SELECT workspaces.id, more.id, more.organization_id FROM more, workspaces \
         WHERE workspaces.name = 'full'",
    );
    tagged(&ada, "other", &["last"]);
    let refused = ada.client.post(&of_tag(&tag(&ada, "last")), &identifiers("workspaces", &[&bare, &full])).expect(422);
    assert_eq!(refused.blamed(), ["/data/1"]);
    assert_eq!(names(&ada, &bare), json!([]));
}

/// Of the two that meet, one waits for the other, and what is true afterwards is as if one had come after the other.
#[test]
fn a_tag_that_is_deleted_while_it_is_given_is_gone() {
    let (app, ada) = scene();
    let prod = tagged(&ada, "prod", &["app"]);
    let test = ada.workspace("acme", "test");
    let one = identifiers("tags", &[&tag(&ada, "app")]);
    let by_id = of_tag(&tag(&ada, "app"));
    // It is being given: the deletion waits, and takes it from there, too.
    let holder = Holder::of(&app, "SELECT FROM tags FOR KEY SHARE");
    std::thread::scope(|scope| {
        let deletion = scope.spawn(|| ada.client.delete_with(TAGS, &one));
        holder.until_waiting(1);
        holder.release();
        deletion.join().unwrap().expect(204);
    });
    assert_eq!(names(&ada, &prod), json!([]));
    // It is being deleted: who gives it by its id waits, and finds none; by its name, it is as if deleted afterwards.
    give(&ada, &prod, &["app"]).expect(204);
    ada.client.post(&by_id, &identifiers("workspaces", &[&test])).expect(404);
    let by_id = of_tag(&tag(&ada, "app"));
    let holder = Holder::of(&app, "DELETE FROM tags");
    std::thread::scope(|scope| {
        let by_id = scope.spawn(|| ada.client.post(&by_id, &identifiers("workspaces", &[&test])));
        holder.until_waiting(1);
        let by_name = scope.spawn(|| give(&ada, &prod, &["app"]));
        holder.until_waiting(2);
        holder.release();
        by_id.join().unwrap().expect(404);
        by_name.join().unwrap().expect(204);
    });
    assert_eq!((names(&ada, &test), names(&ada, &prod)), (json!([]), json!([])));
    assert_eq!(app.count("workspace_tags"), 0);
}

#[test]
fn many_who_give_and_delete_tags_at_once_end_in_no_deadlock() {
    let (app, ada) = scene();
    let workspaces: Vec<String> = (0..4).map(|nth| ada.workspace("acme", &format!("w{nth}"))).collect();
    let set = |workspace: &str, tags: &[&str]| {
        let mut change = resource("workspaces", json!({}));
        let tags: Vec<Value> = tags.iter().map(|name| json!({"type": "tags", "attributes": {"name": name}})).collect();
        change["data"]["relationships"] = json!({"tags": {"data": tags}});
        ada.client.patch(&format!("/api/v2/workspaces/{workspace}"), &change)
    };
    for round in 0..5 {
        let ids = ada.client.get(TAGS).expect(200).ids();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let answers = times(12, |nth| match nth {
            0 if !ids.is_empty() => ada.client.delete_with(TAGS, &identifiers("tags", &ids)),
            1 | 2 => give(&ada, &workspaces[nth], &["c", "b", "a", "d"]),
            3 if !ids.is_empty() => {
                let all: Vec<&str> = workspaces.iter().rev().map(String::as_str).collect();
                ada.client.post(&of_tag(ids[0]), &identifiers("workspaces", &all))
            }
            _ if nth % 2 == 0 => set(&workspaces[nth % 4], &["a", "b", "e"]),
            _ => set(&workspaces[nth % 4], &["c", "d", "a"]),
        });
        let statuses: BTreeSet<u16> = answers.iter().map(|answer| answer.status).collect();
        assert!(statuses.iter().all(|status| [200, 204, 404].contains(status)), "round {round}: {statuses:?}");
    }
    assert_eq!(app.count("(SELECT FROM tags GROUP BY organization_id, name HAVING count(*) > 1) AS twice"), 0);
}

#[test]
fn tags_go_with_their_organization() {
    let (app, ada) = scene();
    tagged(&ada, "prod", &["app", "web"]);
    ada.client.delete("/api/v2/organizations/acme").expect(204);
    for rows in ["tags", "workspace_tags"] {
        until(rows, || app.count(rows) == 0);
    }
}
