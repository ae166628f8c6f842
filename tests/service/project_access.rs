//! Access of teams to projects: what each level holds, what it gives in the workspaces of the project, and who may give it.

use serde_json::{Value, json};

use crate::support::App;
use crate::support::app::{Acme, User, identifiers, project_access, resource, workspace_in};
use crate::support::client::{Answer, Client};

const ALL: &str = "/api/v2/team-projects";
const WORKSPACES: &str = "/api/v2/organizations/acme/workspaces";

struct World {
    app: App,
    ada: User,
    team: String,
    project: String,
    /// A workspace in the project.
    workspace: String,
}

fn world() -> World {
    let (app, ada) = App::with_acme();
    let (team, project) = (ada.team("acme", "ci"), ada.project("acme", "core"));
    let workspace = ada.workspace_in(&project, "acme", "prod");
    World { app, ada, team, project, workspace }
}

impl World {
    fn add(&self, attributes: Value) -> Answer {
        self.ada.client.post(ALL, &project_access(&self.team, &self.project, attributes))
    }

    fn change(&self, id: &str, attributes: Value) -> Answer {
        self.ada.client.patch(&one(id), &resource("team-projects", attributes))
    }

    fn token_of(&self, team: &str) -> Client {
        self.app.with(&self.ada.team_token(team).secret())
    }

    fn path(&self) -> String {
        format!("/api/v2/workspaces/{}", self.workspace)
    }
}

fn one(id: &str) -> String {
    format!("{ALL}/{id}")
}

/// What a level holds in the project, and in its workspaces.
fn held(level: &str) -> (Value, Value) {
    let (settings, teams, sets) = match level {
        "read" | "write" => ("read", "none", "read"),
        "maintain" => ("read", "none", "write"),
        "admin" => ("delete", "manage", "write"),
        _ => ("read", "none", "none"),
    };
    let (runs, mocks, states, variables) = match level {
        "read" => ("read", "none", "read", "read"),
        "custom" => ("read", "none", "none", "none"),
        _ => ("apply", "read", "write", "write"),
    };
    let (writes, maintains) = (!["read", "custom"].contains(&level), ["maintain", "admin"].contains(&level));
    let inside = json!({"runs": runs, "sentinel-mocks": mocks, "state-versions": states, "variables": variables,
        "locking": writes, "create": maintains, "move": maintains, "delete": maintains, "run-tasks": maintains,
        "policy-overrides": maintains});
    (json!({"settings": settings, "teams": teams, "variable-sets": sets}), inside)
}

fn shown(answer: &Answer) -> (Value, Value) {
    (answer.attribute("project-access").clone(), answer.attribute("workspace-access").clone())
}

#[test]
fn each_level_holds_what_it_should() {
    let world = world();
    for level in ["read", "write", "maintain", "admin", "custom"] {
        let made = world.add(json!({"access": level})).expect(201);
        assert!(made.id().starts_with("tprj-") && made.id().len() == 21);
        assert_eq!((made.attribute("access"), shown(&made)), (&json!(level), held(level)));
        let relationships = &made.body["data"]["relationships"];
        assert_eq!(relationships["team"]["data"]["id"], world.team);
        assert_eq!(relationships["project"]["data"]["id"], world.project);
        assert_eq!(world.ada.client.get(&one(&made.id())).expect(200).body["data"], made.body["data"]);
        world.ada.client.delete(&one(&made.id())).expect(204);
        world.ada.client.get(&one(&made.id())).expect(404);
    }
    let id = world.add(json!({"access": "read"})).expect(201).id();
    for level in ["admin", "maintain", "write", "read"] {
        assert_eq!(shown(&world.change(&id, json!({"access": level})).expect(200)), held(level));
    }
    let taken = world.add(json!({"access": "write"})).expect(422);
    assert_eq!(taken.blamed(), ["/data/relationships/team/data"]);
    let events = |action: &str| {
        world.app.count(&format!("audit_events WHERE resource_type = 'team_project' AND action = '{action}'"))
    };
    assert_eq!((events("create"), events("update"), events("destroy")), (6, 4, 5));
}

#[test]
fn custom_permissions_are_chosen_one_by_one() {
    let world = world();
    let chosen = json!({"access": "custom", "project-access": {"settings": "update"},
        "workspace-access": {"runs": "plan", "move": true, "state-versions": "read-outputs"}});
    let made = world.add(chosen).expect(201);
    let (mut own, mut inside) = held("custom");
    (own["settings"], inside["runs"]) = (json!("update"), json!("plan"));
    (inside["move"], inside["state-versions"]) = (json!(true), json!("read-outputs"));
    assert_eq!(shown(&made), (own.clone(), inside.clone()));
    let more = json!({"project-access": {"teams": "read"}, "workspace-access": {"delete": true, "move": false}});
    let changed = world.change(&made.id(), more).expect(200);
    own["teams"] = json!("read");
    (inside["delete"], inside["move"]) = (json!(true), json!(false));
    assert_eq!(shown(&changed), (own, inside));
    // A fixed level has its own; custom again begins with them.
    world.change(&made.id(), json!({"access": "write"})).expect(200);
    let (own, mut inside) = held("write");
    inside["locking"] = json!(false);
    let custom = json!({"access": "custom", "workspace-access": {"locking": false}});
    assert_eq!(shown(&world.change(&made.id(), custom).expect(200)), (own, inside));
}

#[test]
fn a_wrong_access_is_blamed() {
    let world = world();
    for (attributes, blamed) in [
        (json!({"access": "plan"}), "/data/attributes/access"),
        (
            json!({"access": "custom", "project-access": {"settings": "none"}}),
            "/data/attributes/project-access/settings",
        ),
        (json!({"access": "custom", "workspace-access": {"runs": "all"}}), "/data/attributes/workspace-access/runs"),
        (json!({"access": "custom", "workspace-access": {"move": "yes"}}), "/data/attributes/workspace-access/move"),
        (json!({"access": "read", "workspace-access": {"runs": "apply"}}), "/data/attributes/workspace-access/runs"),
        (json!({"access": "write", "project-access": {"teams": "read"}}), "/data/attributes/project-access/teams"),
        (json!({}), "/data/attributes/access"),
    ] {
        assert_eq!(world.add(attributes.clone()).expect(422).blamed(), [blamed], "{attributes}");
    }
    // What pytfe calls it.
    let mut named = project_access(&world.team, &world.project, json!({"access": "admin"}));
    named["data"]["type"] = "team-project-access".into();
    let other = world.ada.client.post(ALL, &named).expect(201).id();
    world.ada.client.delete(&one(&other)).expect(204);
    // Writing back what was read is no choice.
    world.add(json!({"access": "read", "workspace-access": {"runs": "read"}})).expect(201);
    let nowhere = project_access(&world.team, "prj-nothing", json!({"access": "read"}));
    world.ada.client.post(ALL, &nowhere).expect(404);
    let nobody = project_access("team-nothing", &world.project, json!({"access": "read"}));
    let nobody = world.ada.client.post(ALL, &nobody).expect(404);
    assert_eq!(nobody.blamed(), ["/data/relationships/team/data/id"]);
    assert_eq!(world.ada.client.get(ALL).expect(400).blamed(), ["filter[project][id]"]);
}

/// docs/design.md §4: a level on a project is a role in each of its workspaces, and in no other one.
#[test]
fn each_level_is_a_role_in_the_workspaces_of_the_project() {
    let world = world();
    let token = world.token_of(&world.team);
    let other = world.ada.workspace("acme", "other");
    token.get(&world.path()).expect(404);
    let runs = |runs: &str| json!({"access": "custom", "workspace-access": {"runs": runs}});
    for (attributes, role) in [
        (json!({"access": "read"}), "viewer"),
        (json!({"access": "write"}), "member"),
        (json!({"access": "maintain"}), "manager"),
        (json!({"access": "admin"}), "admin"),
        (runs("read"), "viewer"),
        (runs("plan"), "member"),
        (runs("apply"), "member"),
    ] {
        let id = world.add(attributes.clone()).expect(201).id();
        let (manages, administers) = (["manager", "admin"].contains(&role), role == "admin");
        let shown = token.get(&world.path()).expect(200);
        assert_eq!(shown.attribute("permissions")["can-update"], manages, "{attributes}");
        assert_eq!(shown.attribute("permissions")["can-destroy"], manages, "{attributes}");
        let list = token.get(WORKSPACES).expect(200);
        assert_eq!(list.ids(), [world.workspace.as_str()], "{attributes}");
        token.get(&format!("/api/v2/workspaces/{other}")).expect(404);
        let projects = token.get("/api/v2/organizations/acme/projects").expect(200);
        assert_eq!(projects.ids(), [world.project.as_str()], "{attributes}");
        let change = resource("workspaces", json!({"auto-apply": true}));
        token.patch(&world.path(), &change).expect(if manages { 200 } else { 404 });
        // Its tokens go by the role, too.
        let tokens = format!("{}/authentication-tokens", world.path());
        let made = world.ada.client.post(&tokens, &resource("authentication-tokens", json!({"role": "viewer"})));
        let made = format!("/api/v2/authentication-tokens/{}", made.expect(201).id());
        token.get(&made).expect(200);
        let all = token.get("/api/v2/organizations/acme/authentication-tokens?filter[kind]=workspace").expect(200);
        assert_eq!(all.ids().len(), 1, "{attributes}");
        let new = resource("authentication-tokens", json!({"role": role}));
        let own = token.post(&tokens, &new).expect(if manages { 201 } else { 403 });
        if manages {
            world.ada.client.delete(&format!("/api/v2/authentication-tokens/{}", own.id())).expect(204);
            let higher = if administers { "owner" } else { "admin" };
            token.post(&tokens, &resource("authentication-tokens", json!({"role": higher}))).expect(403);
        }
        token.delete(&made).expect(if administers { 204 } else { 403 });
        if !administers {
            world.ada.client.delete(&made).expect(204);
        }
        world.ada.client.delete(&one(&id)).expect(204);
        token.get(&world.path()).expect(404);
        assert_eq!(token.get(WORKSPACES).expect(200).ids(), Vec::<String>::new());
    }
}

#[test]
fn the_higher_of_access_to_project_and_workspace_counts() {
    let world = world();
    let token = world.token_of(&world.team);
    let change = resource("workspaces", json!({"auto-apply": true}));
    let access = world.ada.give_access(&world.team, &world.workspace, "read");
    let id = world.add(json!({"access": "maintain"})).expect(201).id();
    token.patch(&world.path(), &change).expect(200);
    world.change(&id, json!({"access": "read"})).expect(200);
    token.patch(&world.path(), &change).expect(404);
    let admin = resource("team-workspaces", json!({"access": "admin"}));
    world.ada.client.patch(&format!("/api/v2/team-workspaces/{access}"), &admin).expect(200);
    token.patch(&world.path(), &change).expect(200);
    // Of permissions the most that either gives.
    world.change(&id, json!({"access": "custom", "workspace-access": {"runs": "apply"}})).expect(200);
    let read = resource("team-workspaces", json!({"access": "read"}));
    world.ada.client.patch(&format!("/api/v2/team-workspaces/{access}"), &read).expect(200);
    let shown = token.get(&world.path()).expect(200);
    assert_eq!(shown.attribute("permissions")["can-queue-apply"], true);
    assert_eq!(shown.attribute("permissions")["can-read-variable"], true);
}

#[test]
fn the_flags_of_custom_access_let_one_make_move_and_delete_workspaces() {
    let world = world();
    let token = world.token_of(&world.team);
    let edge = world.ada.project("acme", "edge");
    let id = world.add(json!({"access": "custom"})).expect(201).id();
    let there = world.ada.give_project_access(&world.team, &edge, json!({"access": "custom"}));
    let flag = |access: &str, name: &str, value: bool| {
        world.change(access, json!({"workspace-access": {name: value}})).expect(200);
    };
    let new = workspace_in(&world.project, json!({"name": "new"}));
    token.post(WORKSPACES, &new).expect(404);
    flag(&id, "create", true);
    let made = token.post(WORKSPACES, &new).expect(201).id();
    let default = token.post(WORKSPACES, &resource("workspaces", json!({"name": "elsewhere"}))).expect(404);
    assert_eq!(default.blamed(), ["/data/relationships/project"], "it says which project it would be");
    let path = format!("/api/v2/workspaces/{made}");
    token.delete(&path).expect(404);
    flag(&id, "delete", true);
    assert_eq!(token.get(&path).expect(200).attribute("permissions")["can-destroy"], true);
    token.delete(&path).expect(204);

    let into = |project: &str| workspace_in(project, json!({}));
    token.patch(&world.path(), &into(&edge)).expect(404);
    flag(&id, "move", true);
    // It needs the right in both.
    let refused = token.patch(&world.path(), &into(&edge)).expect(403);
    assert_eq!(refused.blamed(), ["/data/relationships/project"]);
    flag(&there, "move", true);
    let other = workspace_in(&edge, json!({"name": "renamed"}));
    token.patch(&world.path(), &other).expect(404);
    token.patch(&world.path(), &into(&edge)).expect(200);
    flag(&id, "move", false);
    token.patch(&world.path(), &into(&world.project)).expect(403);
    // A project that one does not see is none.
    let hidden = world.ada.project("acme", "hidden");
    let unseen = token.patch(&world.path(), &into(&hidden)).expect(404);
    assert_eq!(unseen.blamed(), ["/data/relationships/project/data/id"]);
    assert_eq!(
        token.post(WORKSPACES, &workspace_in(&hidden, json!({"name": "new"}))).expect(404).blamed(),
        unseen.blamed()
    );
}

#[test]
fn permissions_in_the_organization_reach_every_project() {
    let scene = Acme::new();
    let ada = &scene.ada;
    let core = ada.project("acme", "core");
    let prod = ada.workspace_in(&core, "acme", "prod");
    let (project, workspace) = (format!("/api/v2/projects/{core}"), format!("/api/v2/workspaces/{prod}"));
    let description = resource("projects", json!({"description": "changed"}));
    let change = resource("workspaces", json!({"auto-apply": true}));
    for (permission, sees, updates, workspaces) in [
        ("manage-projects", 200, 200, 200),
        ("read-projects", 200, 404, 404),
        ("manage-workspaces", 200, 404, 200),
        ("read-workspaces", 404, 404, 404),
        ("manage-teams", 404, 404, 404),
    ] {
        let holder = scene.holder_of(permission, &permission.replace('-', "_"));
        holder.client.get(&project).expect(sees);
        holder.client.patch(&project, &description).expect(updates);
        holder.client.get(&workspace).expect(if permission == "manage-teams" { 404 } else { 200 });
        holder.client.patch(&workspace, &change).expect(workspaces);
        let made = workspace_in(&core, json!({"name": permission}));
        holder.client.post(WORKSPACES, &made).expect(if workspaces == 200 { 201 } else { 404 });
        let projects = "/api/v2/organizations/acme/projects";
        let new = resource("projects", json!({"name": permission}));
        holder.client.post(projects, &new).expect(if permission == "manage-projects" { 201 } else { 404 });
        let shown = holder.client.get("/api/v2/organizations/acme").expect(200);
        assert_eq!(shown.attribute("permissions")["can-create-project"], permission == "manage-projects");
        assert_eq!(shown.attribute("permissions")["can-create-workspace"], workspaces == 200, "{permission}");
    }
}

/// Nobody makes more of a team than they are themselves.
#[test]
fn who_manages_teams_by_custom_access_gives_no_more_than_they_have() {
    let world = world();
    let token = world.token_of(&world.team);
    let custom =
        json!({"access": "custom", "project-access": {"teams": "manage"}, "workspace-access": {"runs": "plan"}});
    let own = world.add(custom).expect(201).id();
    let open = world.ada.team_with("acme", json!({"name": "open", "visibility": "organization"}));
    let give = |attributes: Value| token.post(ALL, &project_access(&open, &world.project, attributes));
    for more in [
        json!({"access": "admin"}),
        json!({"access": "write"}),
        json!({"access": "custom", "workspace-access": {"delete": true}}),
        json!({"access": "custom", "workspace-access": {"runs": "apply"}}),
    ] {
        assert_eq!(give(more.clone()).expect(403).blamed(), ["/data/attributes/access"], "{more}");
    }
    token.patch(&one(&own), &resource("team-projects", json!({"access": "admin"}))).expect(403);
    let given = give(json!({"access": "custom", "workspace-access": {"runs": "plan"}})).expect(201).id();
    token.delete(&one(&given)).expect(204);
    // Nor do they take more than they have from others.
    let admins = world.ada.give_project_access(&open, &world.project, json!({"access": "admin"}));
    token.patch(&one(&admins), &resource("team-projects", json!({"access": "custom"}))).expect(403);
    token.delete(&one(&admins)).expect(403);
    assert_eq!(world.ada.client.get(&one(&admins)).expect(200).attribute("access"), "admin");
}

/// Who may only move a workspace does not become its manager by moving it.
#[test]
fn a_workspace_moves_to_where_its_mover_may_do_no_more_in_it() {
    let world = world();
    let token = world.token_of(&world.team);
    let edge = world.ada.project("acme", "edge");
    let here = world.add(json!({"access": "custom", "workspace-access": {"move": true}})).expect(201).id();
    let there = world.ada.give_project_access(&world.team, &edge, json!({"access": "maintain"}));
    let by_path = || token.patch(&world.path(), &workspace_in(&edge, json!({})));
    let all = identifiers("workspaces", &[&world.workspace]);
    let by_list = || token.post(&format!("/api/v2/projects/{edge}/relationships/workspaces"), &all);
    let refused = by_path().expect(403);
    assert_eq!(refused.blamed(), ["/data/relationships/project"]);
    assert!(refused.detail().contains("more"), "{}", refused.detail());
    by_list().expect(403);
    let levelled = json!({"access": "custom", "workspace-access": {"delete": true, "move": true}});
    world.ada.client.patch(&one(&there), &resource("team-projects", levelled)).expect(200);
    by_path().expect(403);
    world.change(&here, json!({"access": "maintain"})).expect(200);
    by_path().expect(200);
    by_list().expect(204);
}

#[test]
fn the_role_of_a_token_caps_what_access_to_a_project_gives() {
    let world = world();
    world.add(json!({"access": "admin"})).expect(201);
    let new = workspace_in(&world.project, json!({"name": "new"}));
    let project = format!("/api/v2/projects/{}", world.project);
    let change = resource("projects", json!({"description": "changed"}));
    for (role, updates, creates) in
        [("viewer", 404, 404), ("member", 404, 404), ("manager", 404, 201), ("admin", 200, 201), ("owner", 200, 201)]
    {
        let made = world.ada.described_token(&world.team, json!({"description": role, "role": role}));
        let token = world.app.with(&made.secret());
        token.get(&project).expect(200);
        token.patch(&project, &change).expect(updates);
        let made = token.post(WORKSPACES, &new).expect(creates);
        if creates == 201 {
            token.delete(&format!("/api/v2/workspaces/{}", made.id())).expect(204);
        }
    }
}

#[test]
fn lists_hold_the_access_of_teams_that_one_sees() {
    let world = world();
    let token = world.token_of(&world.team);
    let own = world.add(json!({"access": "read"})).expect(201).id();
    let secret = world.ada.team("acme", "secret");
    let open = world.ada.team_with("acme", json!({"name": "open", "visibility": "organization"}));
    let read = || json!({"access": "read"});
    let of_secret = world.ada.give_project_access(&secret, &world.project, read());
    let of_open = world.ada.give_project_access(&open, &world.project, read());
    let list = format!("{ALL}?filter[project][id]={}", world.project);
    assert_eq!(world.ada.client.get(&list).expect(200).ids(), [own.clone(), of_secret.clone(), of_open.clone()]);
    let encoded = list.replace('[', "%5B").replace(']', "%5D");
    assert_eq!(token.get(&encoded).expect(200).ids(), [own.clone(), of_open.clone()]);
    token.get(&one(&of_secret)).expect(404);
    world.change(&own, json!({"access": "custom", "project-access": {"teams": "read"}})).expect(200);
    assert_eq!(token.get(&list).expect(200).ids().len(), 3);
    token.get(&one(&of_secret)).expect(200);
    let of_one = format!("{list}&filter[team][id]={open}&include=team,project");
    let of_one = world.ada.client.get(&of_one).expect(200);
    assert_eq!((of_one.ids(), of_one.body["included"].as_array().unwrap().len()), (vec![of_open], 2));
    let of_team = format!("{ALL}?filter[team][id]={}", world.team);
    assert_eq!(token.get(&of_team).expect(200).ids(), [own]);
    // What went with its team is gone.
    world.ada.client.delete(&format!("/api/v2/teams/{secret}")).expect(204);
    assert_eq!(world.ada.client.get(&list).expect(200).ids().len(), 2);
    world.ada.client.get(&one(&of_secret)).expect(404);
}
