//! Team access: what each level holds and lets one do, and who may give it.

use serde_json::{Value, json};

use crate::support::App;
use crate::support::app::{User, resource, team_access};
use crate::support::client::Client;
use crate::support::process::until;

const ALL: &str = "/api/v2/team-workspaces";

struct World {
    app: App,
    ada: User,
    team: String,
    workspace: String,
}

fn world() -> World {
    let (app, ada) = App::with_acme();
    let (team, workspace) = (ada.team("acme", "ci"), ada.workspace("acme", "prod"));
    World { app, ada, team, workspace }
}

impl World {
    fn add(&self, attributes: Value) -> crate::support::client::Answer {
        self.ada.client.post(ALL, &team_access(&self.team, &self.workspace, attributes))
    }

    fn token_of(&self, team: &str) -> Client {
        self.app.with(&self.ada.team_token(team).secret())
    }
}

fn one(id: &str) -> String {
    format!("{ALL}/{id}")
}

fn change(attributes: Value) -> Value {
    resource("team-workspaces", attributes)
}

fn permissions(answer: &crate::support::client::Answer) -> [Value; 7] {
    ["runs", "variables", "state-versions", "sentinel-mocks", "workspace-locking", "run-tasks", "policy-overrides"]
        .map(|name| answer.attribute(name).clone())
}

fn held(level: &str) -> [Value; 7] {
    match level {
        "read" => {
            [json!("read"), json!("read"), json!("read"), json!("none"), json!(false), json!(false), json!(false)]
        }
        "plan" => {
            [json!("plan"), json!("read"), json!("read"), json!("none"), json!(false), json!(false), json!(false)]
        }
        "write" => {
            [json!("apply"), json!("write"), json!("write"), json!("read"), json!(true), json!(false), json!(false)]
        }
        "admin" => {
            [json!("apply"), json!("write"), json!("write"), json!("read"), json!(true), json!(true), json!(true)]
        }
        _ => [json!("read"), json!("none"), json!("none"), json!("none"), json!(false), json!(false), json!(false)],
    }
}

#[test]
fn each_level_holds_what_the_hcp_api_documents() {
    let world = world();
    for level in ["read", "plan", "write", "admin", "custom"] {
        let made = world.add(json!({"access": level})).expect(201);
        assert!(made.id().starts_with("tws-"));
        assert_eq!(made.attribute("access"), level);
        assert_eq!(permissions(&made), held(level), "{level}");
        let relationships = &made.body["data"]["relationships"];
        assert_eq!(relationships["team"]["data"]["id"], world.team);
        assert_eq!(relationships["workspace"]["data"]["id"], world.workspace);
        let read = world.ada.client.get(&one(&made.id())).expect(200);
        assert_eq!(read.body["data"], made.body["data"]);
        world.ada.client.delete(&one(&made.id())).expect(204);
        world.ada.client.get(&one(&made.id())).expect(404);
    }
    let id = world.add(json!({"access": "read"})).expect(201).id();
    for level in ["admin", "write", "plan", "read"] {
        let changed = world.ada.client.patch(&one(&id), &change(json!({"access": level}))).expect(200);
        assert_eq!(permissions(&changed), held(level), "{level}");
    }
}

#[test]
fn custom_permissions_are_chosen_one_by_one() {
    let world = world();
    let chosen = json!({"access": "custom", "runs": "apply", "state-versions": "read-outputs", "run-tasks": true});
    let made = world.add(chosen).expect(201);
    let [runs, variables, states, mocks, locking, tasks, overrides] = permissions(&made);
    assert_eq!([runs, variables, states, mocks], ["apply", "none", "read-outputs", "none"]);
    assert_eq!([locking, tasks, overrides], [false, true, false]);
    let more = change(json!({"variables": "write", "sentinel-mocks": "read", "workspace-locking": true}));
    let changed = world.ada.client.patch(&one(&made.id()), &more).expect(200);
    let [runs, variables, states, mocks, locking, tasks, _] = permissions(&changed);
    assert_eq!([runs, variables, states, mocks], ["apply", "write", "read-outputs", "read"]);
    assert_eq!([locking, tasks], [true, true]);
    // A fixed level has its own; custom again begins with them.
    world.ada.client.patch(&one(&made.id()), &change(json!({"access": "plan"}))).expect(200);
    let custom = change(json!({"access": "custom", "variables": "none"}));
    let changed = world.ada.client.patch(&one(&made.id()), &custom).expect(200);
    let [runs, variables, states, ..] = permissions(&changed);
    assert_eq!([runs, variables, states], ["plan", "none", "read"]);
}

#[test]
fn permissions_are_chosen_only_where_access_is_custom() {
    let world = world();
    let refused = world.add(json!({"access": "read", "runs": "apply", "run-tasks": true})).expect(422);
    assert_eq!(refused.blamed(), ["/data/attributes/runs", "/data/attributes/run-tasks"]);
    // Word for word: clients show it.
    let told = ["Runs", "Run tasks"].map(|name| {
        format!("{name} is read-only when access level is 'read'; use the 'custom' access level to set this attribute.")
    });
    let errors = refused.body["errors"].as_array().unwrap();
    for (error, detail) in errors.iter().zip(told) {
        assert_eq!((&error["title"], &error["detail"]), (&json!("invalid attribute"), &json!(detail)));
    }
    // Writing back what was read is no choice.
    let id = world.add(json!({"access": "read", "runs": "read", "run-tasks": false})).expect(201).id();
    let refused = world.ada.client.patch(&one(&id), &change(json!({"variables": "write"}))).expect(422);
    assert_eq!(refused.blamed(), ["/data/attributes/variables"]);
    let same = world.ada.client.get(&one(&id)).expect(200);
    assert_eq!(permissions(&same), held("read"));
}

#[test]
fn each_level_lets_one_do_what_its_role_may() {
    let world = world();
    let token = world.token_of(&world.team);
    let path = format!("/api/v2/workspaces/{}", world.workspace);
    let list = format!("{ALL}?filter[workspace][id]={}", world.workspace);
    token.get(&path).expect(404);
    token.get(&list).expect(404);
    let other = world.ada.team("acme", "other");
    for (level, manages) in [("read", false), ("plan", false), ("write", false), ("custom", false), ("admin", true)] {
        let id = world.add(json!({"access": level})).expect(201).id();
        let (ok, made, gone) = if manages { (200, 201, 204) } else { (404, 404, 404) };
        let seen = token.get(&path).expect(200);
        let told = seen.attribute("permissions");
        assert_eq!(told["can-update"], manages, "{level}");
        assert_eq!(told["can-destroy"], manages, "{level}");
        assert_eq!(told["can-queue-run"], ["plan", "write", "admin"].contains(&level), "{level}");
        assert_eq!(told["can-queue-apply"], ["write", "admin"].contains(&level), "{level}");
        assert_eq!(told["can-read-variable"], level != "custom", "{level}");
        assert_eq!(told["can-lock"], ["write", "admin"].contains(&level), "{level}");
        token.patch(&path, &resource("workspaces", json!({"auto-apply": true}))).expect(ok);
        assert_eq!(token.get(&list).expect(200).ids(), [id.as_str()], "{level}");
        token.get(&one(&id)).expect(200);
        // Who manages a workspace cannot give access to a secret team that is out of sight.
        token.post(ALL, &team_access(&other, &world.workspace, json!({"access": "read"}))).expect(404);
        let open = json!({"name": format!("open-{level}"), "visibility": "organization"});
        let open = world.ada.team_with("acme", open);
        token.post(ALL, &team_access(&open, &world.workspace, json!({"access": "read"}))).expect(made);
        token.patch(&one(&id), &change(json!({"access": level}))).expect(ok);
        token.delete(&one(&id)).expect(gone);
        if !manages {
            world.ada.client.delete(&one(&id)).expect(204);
        }
        token.get(&path).expect(404);
    }
    world.add(json!({"access": "admin"})).expect(201);
    token.delete(&path).expect(204);
}

#[test]
fn the_highest_role_of_all_teams_counts() {
    let world = world();
    let ben = world.app.user("ben");
    let path = format!("/api/v2/workspaces/{}", world.workspace);
    let teams = ["one", "two", "three"].map(|name| world.ada.team("acme", name));
    for team in &teams {
        world.ada.add_to_team(team, &ben);
    }
    let update = resource("workspaces", json!({"auto-apply": true}));
    world.ada.give_access(&teams[0], &world.workspace, "read");
    let plan = world.ada.give_access(&teams[1], &world.workspace, "custom");
    let custom = change(json!({"runs": "apply", "state-versions": "read-outputs"}));
    world.ada.client.patch(&one(&plan), &custom).expect(200);
    ben.client.patch(&path, &update).expect(404);
    let told = ben.client.get(&path).expect(200);
    // One team reads variables, the other applies runs: together they do both.
    assert_eq!(told.attribute("permissions")["can-queue-apply"], true);
    assert_eq!(told.attribute("permissions")["can-read-variable"], true);
    let admin = world.ada.give_access(&teams[2], &world.workspace, "admin");
    ben.client.patch(&path, &update).expect(200);
    world.ada.client.delete(&one(&admin)).expect(204);
    ben.client.patch(&path, &update).expect(404);
    // A team's own token has that team's role alone.
    world.token_of(&teams[0]).patch(&path, &update).expect(404);
    let list = ben.client.get("/api/v2/organizations/acme/workspaces").expect(200);
    assert_eq!(list.ids(), [world.workspace.as_str()]);
}

#[test]
fn access_is_listed_by_workspace_and_by_team() {
    let world = world();
    let (two, other) = (world.ada.team("acme", "two"), world.ada.workspace("acme", "other"));
    let first = world.ada.give_access(&world.team, &world.workspace, "read");
    let second = world.ada.give_access(&two, &world.workspace, "plan");
    let third = world.ada.give_access(&world.team, &other, "write");
    let list = |client: &Client, query: &str| client.get(&format!("{ALL}?{query}")).expect(200).ids();
    let (workspace, team) = (&world.workspace, &world.team);
    let ada = &world.ada.client;
    assert_eq!(list(ada, &format!("filter[workspace][id]={workspace}")), [first.clone(), second.clone()]);
    assert_eq!(
        list(ada, &format!("filter[workspace][id]={workspace}&sort=-created-at")),
        [second.clone(), first.clone()]
    );
    assert_eq!(list(ada, &format!("filter[team][id]={team}")), [first.clone(), third.clone()]);
    assert_eq!(
        list(ada, &format!("filter[workspace][id]={workspace}&filter[team][id]={team}")),
        std::slice::from_ref(&first)
    );
    assert_eq!(list(ada, &format!("filter[workspace][id]={workspace}&page[size]=1&page[number]=2")), [second]);
    assert_eq!(list(&world.token_of(team), &format!("filter[team][id]={team}")), [first, third]);
    let included = ada.get(&format!("{ALL}?filter[workspace][id]={workspace}&include=team,workspace")).expect(200);
    let kinds: Vec<&str> =
        included.body["included"].as_array().unwrap().iter().map(|one| one["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["teams", "teams", "workspaces"]);
}

#[test]
fn a_secret_teams_access_is_out_of_sight() {
    let world = world();
    let open = world.ada.team_with("acme", json!({"name": "open", "visibility": "organization"}));
    let [mine, opens, secret] = ["mine", "open", "secret"].map(|name| match name {
        "mine" => world.ada.give_access(&world.team, &world.workspace, "read"),
        "open" => world.ada.give_access(&open, &world.workspace, "read"),
        _ => world.ada.give_access(&world.ada.team("acme", "hidden"), &world.workspace, "read"),
    });
    let token = world.token_of(&world.team);
    let list = format!("{ALL}?filter[workspace][id]={}&include=team", world.workspace);
    assert_eq!(token.get(&list).expect(200).ids(), [mine.clone(), opens.clone()]);
    token.get(&one(&opens)).expect(200);
    token.get(&one(&secret)).expect(404);
    // A workspace's manager sees whose access there is, but not the secret team itself.
    world.ada.client.patch(&one(&mine), &change(json!({"access": "admin"}))).expect(200);
    let all = token.get(&list).expect(200);
    assert_eq!(all.ids(), [mine, opens, secret.clone()]);
    assert_eq!(all.body["included"].as_array().unwrap().len(), 2);
    token.get(&one(&secret)).expect(200);
    token.delete(&one(&secret)).expect(204);
}

#[test]
fn the_list_needs_a_filter() {
    let world = world();
    assert_eq!(world.ada.client.get(ALL).expect(400).blamed(), ["filter[workspace][id]"]);
    let unknown = format!("{ALL}?filter[workspace][id]={}&filter[x]=y", world.workspace);
    assert_eq!(world.ada.client.get(&unknown).expect(400).blamed(), ["filter[x]"]);
    for query in ["filter[workspace][id]=ws-x", "filter[team][id]=team-x", "filter[workspace][id]="] {
        world.ada.client.get(&format!("{ALL}?{query}")).expect(404);
    }
    world.app.anonymous().get(ALL).expect(401);
}

#[test]
fn one_team_has_one_access_to_a_workspace() {
    let world = world();
    world.add(json!({"access": "read"})).expect(201);
    let refused = world.add(json!({"access": "admin"})).expect(422);
    assert_eq!(refused.blamed(), ["/data/relationships/team/data"]);
    assert_eq!(world.app.count("team_workspaces"), 1);
}

#[test]
fn of_concurrent_requests_for_the_same_access_one_makes_it() {
    let world = world();
    let body = team_access(&world.team, &world.workspace, json!({"access": "write"}));
    let mut statuses: Vec<u16> = std::thread::scope(|scope| {
        let ask = || world.ada.client.clone().post(ALL, &body).status;
        let asked: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
        asked.into_iter().map(|one| one.join().unwrap()).collect()
    });
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 422, 422, 422, 422, 422, 422, 422]);
    assert_eq!(world.app.count("audit_events WHERE resource_type = 'team_workspace'"), 1);
}

#[test]
fn a_team_and_a_workspace_of_two_organizations_have_nothing_in_common() {
    let world = world();
    let zoe = world.app.user("zoe");
    zoe.organization("elsewhere");
    let (theirs, place) = (zoe.team("elsewhere", "ci"), zoe.workspace("elsewhere", "prod"));
    let id = world.add(json!({"access": "read"})).expect(201).id();
    for (team, workspace) in [(&theirs, &world.workspace), (&world.team, &place), (&theirs, &place)] {
        let body = team_access(team, workspace, json!({"access": "read"}));
        world.ada.client.post(ALL, &body).expect(404);
    }
    // Also not for somebody who sees both.
    world.ada.add_to_team(&world.ada.owners_team("acme"), &zoe);
    let body = team_access(&theirs, &world.workspace, json!({"access": "read"}));
    let refused = zoe.client.post(ALL, &body).expect(404);
    assert_eq!(refused.blamed(), ["/data/relationships/team/data/id"]);
    let mallory = world.app.user("mallory");
    mallory.organization("third");
    for client in [&mallory.client, &world.app.site_admin("root").client] {
        client.get(&one(&id)).expect(404);
        client.patch(&one(&id), &change(json!({"access": "admin"}))).expect(404);
        client.delete(&one(&id)).expect(404);
        client.get(&format!("{ALL}?filter[workspace][id]={}", world.workspace)).expect(404);
        client.get(&format!("{ALL}?filter[team][id]={}", world.team)).expect(404);
        let body = team_access(&world.team, &world.workspace, json!({"access": "read"}));
        client.post(ALL, &body).expect(404);
    }
    assert_eq!(world.app.count("team_workspaces"), 1);
}

#[test]
fn access_ends_with_its_team_or_its_workspace() {
    let world = world();
    let id = world.add(json!({"access": "read"})).expect(201).id();
    world.ada.client.delete(&format!("/api/v2/teams/{}", world.team)).expect(204);
    world.ada.client.get(&one(&id)).expect(404);
    let team = world.ada.team("acme", "again");
    let id = world.ada.give_access(&team, &world.workspace, "read");
    let token = world.token_of(&team);
    world.ada.client.delete(&format!("/api/v2/workspaces/{}", world.workspace)).expect(204);
    world.ada.client.get(&one(&id)).expect(404);
    assert_eq!(token.get("/api/v2/organizations/acme/workspaces").expect(200).ids(), Vec::<String>::new());
    until("the rows are removed", || world.app.count("team_workspaces") == 0);
}

#[test]
fn bad_input_is_blamed() {
    let world = world();
    for (attributes, blamed) in [
        (json!({}), "access"),
        (json!({"access": "owner"}), "access"),
        (json!({"access": null}), "access"),
        (json!({"access": "custom", "runs": "none"}), "runs"),
        (json!({"access": "custom", "variables": "apply"}), "variables"),
        (json!({"access": "custom", "state-versions": "all"}), "state-versions"),
        (json!({"access": "custom", "sentinel-mocks": "write"}), "sentinel-mocks"),
        (json!({"access": "custom", "workspace-locking": "yes"}), "workspace-locking"),
    ] {
        let refused = world.add(attributes.clone()).expect(422);
        assert_eq!(refused.blamed(), [format!("/data/attributes/{blamed}")], "{attributes}");
    }
    let alone = world.ada.client.post(ALL, &change(json!({"access": "read"}))).expect(422);
    assert_eq!(alone.blamed(), ["/data/relationships/team", "/data/relationships/workspace"]);
    let swapped = team_access(&world.workspace, &world.team, json!({"access": "read"}));
    world.ada.client.post(ALL, &swapped).expect(404);
    let nobody = team_access("team-nobody", &world.workspace, json!({"access": "read"}));
    assert_eq!(world.ada.client.post(ALL, &nobody).expect(404).blamed(), ["/data/relationships/team/data/id"]);
    world.ada.client.post(ALL, &resource("teams", json!({"access": "read"}))).expect(409);
    for id in ["tws-x", "x", world.team.as_str()] {
        world.ada.client.get(&one(id)).expect(404);
    }
}

#[test]
fn every_change_is_audited_once() {
    let world = world();
    let id = world.add(json!({"access": "read"})).expect(201).id();
    world.add(json!({"access": "read"})).expect(422);
    world.ada.client.patch(&one(&id), &change(json!({"access": "plan"}))).expect(200);
    world.ada.client.delete(&one(&id)).expect(204);
    let about = format!("audit_events WHERE resource_type = 'team_workspace' AND resource_id = '{id}'");
    for action in ["create", "update", "destroy"] {
        assert_eq!(world.app.count(&format!("{about} AND action = '{action}'")), 1, "{action}");
    }
    assert_eq!(world.app.count("audit_events WHERE resource_type = 'team_workspace'"), 3);
}
