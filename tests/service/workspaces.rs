//! Workspaces: made, found, changed and deleted, and who sees which.

use serde_json::{Value, json};

use crate::support::App;
use crate::support::app::{User, resource};
use crate::support::process::until;

const ALL: &str = "/api/v2/organizations/acme/workspaces";

fn ada_of_acme(app: &App) -> User {
    let ada = app.user("ada");
    ada.organization("acme");
    ada
}

fn by_name(name: &str) -> String {
    format!("{ALL}/{name}")
}

fn by_id(id: &str) -> String {
    format!("/api/v2/workspaces/{id}")
}

fn workspace(attributes: Value) -> Value {
    resource("workspaces", attributes)
}

fn names(app: &App, secret: &str, query: &str) -> Vec<String> {
    let list = app.with(secret).get(&format!("{ALL}{query}")).expect(200);
    let data = list.body["data"].as_array().unwrap();
    data.iter().map(|one| one["attributes"]["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_workspace_is_made_and_found_by_name_and_by_id() {
    let app = App::start();
    let ada = ada_of_acme(&app);
    let made = ada.client.post(ALL, &workspace(json!({"name": "Prod", "description": "of all"}))).expect(201);
    assert!(made.id().starts_with("ws-"));
    assert_eq!(made.body["data"]["relationships"]["organization"]["data"]["id"], "acme");
    for path in [by_name("Prod"), by_name("prod"), by_id(&made.id())] {
        let found = ada.client.get(&path).expect(200);
        assert_eq!(found.body["data"], made.body["data"], "{path}");
    }
    for path in [by_name("nothing"), by_name("a.b"), by_id("ws-nothing"), by_id(&ada.owners_team("acme"))] {
        ada.client.get(&path).expect(404);
    }
}

#[test]
fn a_new_workspace_has_the_defaults_of_the_hcp_api() {
    let app = App::start();
    let ada = ada_of_acme(&app);
    let made = ada.client.post(ALL, &workspace(json!({"name": "prod"}))).expect(201);
    for (name, value) in [
        ("allow-destroy-plan", json!(true)),
        ("auto-apply", json!(false)),
        ("auto-destroy-at", Value::Null),
        ("description", Value::Null),
        ("execution-mode", json!("remote")),
        ("file-triggers-enabled", json!(true)),
        ("global-remote-state", json!(true)),
        ("inherits-project-auto-destroy", json!(true)),
        ("lock-reason", Value::Null),
        ("locked", json!(false)),
        ("operations", json!(true)),
        ("queue-all-runs", json!(false)),
        ("speculative-enabled", json!(true)),
        ("setting-overwrites", json!({"execution-mode": false, "agent-pool": false})),
        ("trigger-prefixes", json!([])),
        ("vcs-repo", Value::Null),
        ("working-directory", Value::Null),
    ] {
        assert_eq!(made.attribute(name), &value, "{name}");
    }
    assert_eq!(made.attribute("permissions")["can-update"], true);
    assert_eq!(made.attribute("actions")["is-destroyable"], true);
}

fn written() -> Value {
    json!({
        "name": "prod",
        "description": "",
        "agent-pool-id": "apool-1",
        "allow-destroy-plan": false,
        "assessments-enabled": true,
        "auto-apply": true,
        "auto-apply-run-trigger": true,
        "auto-destroy-at": "2031-05-17T08:00:00.000Z",
        "auto-destroy-activity-duration": "14d",
        "inherits-project-auto-destroy": false,
        "execution-mode": "agent",
        "file-triggers-enabled": false,
        "global-remote-state": false,
        "project-remote-state": true,
        "migration-environment": "old/prod",
        "queue-all-runs": true,
        "speculative-enabled": false,
        "source-name": "a script",
        "source-url": "https://example.com/script",
        "structured-run-output-enabled": false,
        "terraform-version": "~> 1.9.0",
        "trigger-prefixes": ["modules", "shared"],
        "trigger-patterns": [],
        "working-directory": "live/prod",
        "hyok-enabled": true,
        "setting-overwrites": {"execution-mode": true, "agent-pool": true},
        "abilities": ["storage:*", "agents:read"],
        "allowed-token-roles": ["viewer", "manager"],
        "default-token-format": "jwt",
    })
}

#[test]
fn every_setting_comes_back_as_it_was_written() {
    let app = App::start();
    let ada = ada_of_acme(&app);
    let id = ada.workspace("acme", "elsewhere");
    ada.client.delete(&by_id(&id)).expect(204);
    let made = ada.client.post(ALL, &workspace(written())).expect(201);
    let read = ada.client.get(&by_id(&made.id())).expect(200);
    for (name, value) in written().as_object().unwrap() {
        assert_eq!(made.attribute(name), value, "{name}");
        assert_eq!(read.attribute(name), value, "{name}");
    }
    assert_eq!(read.body["data"]["relationships"]["agent-pool"]["data"]["id"], "apool-1");
    // What a client reads it can write back.
    let again = ada.client.patch(&by_id(&made.id()), &workspace(written())).expect(200);
    for (name, value) in written().as_object().unwrap() {
        assert_eq!(again.attribute(name), value, "{name}");
    }
    let repository = json!({"identifier": "acme/infra", "oauth-token-id": "ot-1", "branch": "main"});
    let with = ada.client.patch(&by_name("prod"), &workspace(json!({"vcs-repo": repository}))).expect(200);
    assert_eq!(with.attribute("vcs-repo")["display-identifier"], "acme/infra");
    let change = workspace(json!({"vcs-repo": {"branch": "next"}}));
    let changed = ada.client.patch(&by_name("prod"), &change).expect(200);
    assert_eq!(changed.attribute("vcs-repo")["branch"], "next");
    assert_eq!(changed.attribute("vcs-repo")["oauth-token-id"], "ot-1");
    // pytfe sends this wherever nothing is said of a repository.
    let unsaid = ada.client.patch(&by_name("prod"), &workspace(json!({"vcs-repo": {}}))).expect(200);
    assert_eq!(unsaid.attribute("vcs-repo")["branch"], "next");
    let without = ada.client.patch(&by_name("prod"), &workspace(json!({"vcs-repo": null}))).expect(200);
    assert_eq!(without.attribute("vcs-repo"), &Value::Null);
}

#[test]
fn a_change_leaves_the_rest_alone() {
    let app = App::start();
    let ada = ada_of_acme(&app);
    let id = ada.client.post(ALL, &workspace(written())).expect(201).id();
    let change = workspace(json!({"name": "production", "auto-destroy-at": null, "unknown": 7}));
    ada.client.patch(&by_name("prod"), &change).expect(200);
    ada.client.get(&by_name("prod")).expect(404);
    let read = ada.client.get(&by_name("production")).expect(200);
    assert_eq!(read.id(), id);
    let mut expected = written();
    expected["name"] = json!("production");
    expected["auto-destroy-at"] = Value::Null;
    // Who says only when a workspace is to be destroyed says that instead of how long it may be idle.
    expected["auto-destroy-activity-duration"] = Value::Null;
    expected["inherits-project-auto-destroy"] = json!(true);
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(read.attribute(name), value, "{name}");
    }
}

#[test]
fn names_are_unique_in_their_organization_without_regard_to_case() {
    let app = App::start();
    let ada = ada_of_acme(&app);
    ada.organization("other");
    ada.workspace("acme", "prod");
    ada.workspace("acme", "test");
    ada.workspace("other", "prod");
    let refused = ada.client.post(ALL, &workspace(json!({"name": "PROD"}))).expect(422);
    assert_eq!(refused.blamed(), ["/data/attributes/name"]);
    assert_eq!(refused.detail(), "Name has already been taken");
    ada.client.patch(&by_name("test"), &workspace(json!({"name": "Prod"}))).expect(422);
    ada.client.patch(&by_name("prod"), &workspace(json!({"name": "Prod"}))).expect(200);
}

#[test]
fn the_list_is_searched_sorted_and_paged() {
    let app = App::start();
    let ada = ada_of_acme(&app);
    for name in ["web-prod", "api-prod", "api_test"] {
        ada.workspace("acme", name);
    }
    let secret = ada.client.secret();
    let list = |query: &str| names(&app, secret, query);
    assert_eq!(list(""), ["api-prod", "api_test", "web-prod"]);
    assert_eq!(list("?sort=-name"), ["web-prod", "api_test", "api-prod"]);
    assert_eq!(list("?sort=created-at"), ["web-prod", "api-prod", "api_test"]);
    assert_eq!(list("?search[name]=PROD"), ["api-prod", "web-prod"]);
    assert_eq!(list("?search[name]=_"), ["api_test"]);
    assert_eq!(list("?search[name]="), ["api-prod", "api_test", "web-prod"]);
    assert_eq!(list("?q=api"), ["api-prod", "api_test"]);
    assert_eq!(list("?search[wildcard-name]=*-prod"), ["api-prod", "web-prod"]);
    assert_eq!(list("?search[wildcard-name]=api*"), ["api-prod", "api_test"]);
    assert_eq!(list("?search[wildcard-name]=pi_"), Vec::<String>::new());
    assert_eq!(list("?page[size]=2&page[number]=2"), ["web-prod"]);
    let first = ada.client.get(&format!("{ALL}?page[size]=2&page[after]=")).expect(200);
    assert_eq!(first.ids().len(), 2);
    let next = first.body["links"]["next"].as_str().unwrap();
    let next = &next[next.find("/api").unwrap()..];
    assert_eq!(ada.client.get(next).expect(200).ids().len(), 1);
    ada.client.patch(&by_name("api-prod"), &workspace(json!({"auto-apply": true}))).expect(200);
    assert_eq!(list("?sort=-latest-change-at")[0], "api-prod");
}

#[test]
fn the_organization_and_the_project_are_included() {
    let app = App::start();
    let ada = ada_of_acme(&app);
    let id = ada.workspace("acme", "prod");
    for path in [by_id(&id), by_name("prod"), ALL.to_owned()] {
        let told = ada.client.get(&format!("{path}?include=organization,current_run,project")).expect(200);
        assert_eq!(told.body["included"].as_array().unwrap().len(), 2, "{path}");
        assert_eq!(told.body["included"][1]["attributes"]["name"], "Default Project");
        assert_eq!(told.body["included"][0]["id"], "acme");
        assert_eq!(told.body["included"][0]["attributes"]["permissions"]["can-create-workspace"], true);
    }
    let refused = ada.client.get(&format!("{ALL}?include=teams")).expect(400);
    assert!(refused.detail().contains("include parameter"), "{}", refused.detail());
}

#[test]
fn the_execution_mode_is_the_organizations_unless_overwritten() {
    let app = App::start();
    let ada = ada_of_acme(&app);
    let path = by_id(&ada.workspace("acme", "prod"));
    let local = resource("organizations", json!({"default-execution-mode": "local"}));
    ada.client.patch("/api/v2/organizations/acme", &local).expect(200);
    let mode = |overwritten: bool, mode: &str| {
        let read = ada.client.get(&path).expect(200);
        assert_eq!(read.attribute("execution-mode"), mode);
        assert_eq!(read.attribute("operations"), mode != "local");
        assert_eq!(read.attribute("setting-overwrites")["execution-mode"], overwritten);
    };
    mode(false, "local");
    for (change, overwritten, shown) in [
        (json!({"execution-mode": "remote"}), true, "remote"),
        (json!({"setting-overwrites": {"execution-mode": false, "agent-pool": false}}), false, "local"),
        (json!({"operations": true}), true, "remote"),
        (json!({"execution-mode": "agent", "agent-pool-id": "apool-1"}), true, "agent"),
        (json!({"operations": false}), true, "local"),
    ] {
        ada.client.patch(&path, &workspace(change)).expect(200);
        mode(overwritten, shown);
    }
}

#[test]
fn settings_that_cannot_be_together_are_refused() {
    let app = App::start();
    let ada = ada_of_acme(&app);
    let path = by_id(&ada.workspace("acme", "prod"));
    for (change, blamed) in [
        (json!({"operations": true, "execution-mode": "remote"}), "operations"),
        (json!({"execution-mode": "agent"}), "agent-pool-id"),
        (json!({"agent-pool-id": "apool-1"}), "agent-pool-id"),
        (json!({"setting-overwrites": {"execution-mode": true}}), "execution-mode"),
        (json!({"trigger-prefixes": ["a"], "trigger-patterns": ["b"]}), "trigger-patterns"),
        (json!({"trigger-patterns": ["b"], "file-triggers-enabled": false}), "trigger-patterns"),
        (json!({"vcs-repo": {"identifier": "acme/infra"}}), "vcs-repo/oauth-token-id"),
        (json!({"vcs-repo": {"oauth-token-id": "ot-1"}}), "vcs-repo/identifier"),
        (json!({"vcs-repo": {"identifier": "acme/infra", "oauth-token-id": ""}}), "vcs-repo/oauth-token-id"),
        (
            json!({"vcs-repo": {"identifier": "acme/infra", "oauth-token-id": "o", "branch": "b".repeat(257)}}),
            "vcs-repo/branch",
        ),
    ] {
        let refused = ada.client.patch(&path, &workspace(change.clone())).expect(422);
        assert_eq!(refused.blamed(), [format!("/data/attributes/{blamed}")], "{change}");
    }
    ada.client.patch(&path, &workspace(json!({"trigger-prefixes": ["a"]}))).expect(200);
    let patterns = ada.client.patch(&path, &workspace(json!({"trigger-patterns": ["b"]}))).expect(200);
    assert_eq!(patterns.attribute("trigger-prefixes"), &json!([]));
    // Whichever is sent takes the place of both, also if it is empty.
    let empty = ada.client.patch(&path, &workspace(json!({"trigger-prefixes": []}))).expect(200);
    assert_eq!(empty.attribute("trigger-patterns"), &json!([]));
    ada.client.patch(&path, &workspace(json!({"trigger-prefixes": ["a"], "trigger-patterns": []}))).expect(200);
    let empty = ada.client.patch(&path, &workspace(json!({"trigger-patterns": []}))).expect(200);
    assert_eq!(empty.attribute("trigger-prefixes"), &json!([]));
    ada.client.patch(&path, &workspace(json!({"trigger-patterns": ["b"]}))).expect(200);
    let refused = ada.client.patch(&path, &workspace(json!({"file-triggers-enabled": false}))).expect(422);
    assert_eq!(
        refused.detail(),
        "'trigger_patterns' cannot be populated when 'file_triggers_enabled' is set to false."
    );
}

#[test]
fn a_workspace_inherits_its_end_unless_it_has_one_of_its_own() {
    let app = App::start();
    let ada = ada_of_acme(&app);
    let path = by_id(&ada.workspace("acme", "prod"));
    let (at, duration) = ("2031-05-17T08:00:00.000Z", "14d");
    for (change, shown) in [
        (json!({"auto-destroy-at": at}), (json!(at), Value::Null, false)),
        (json!({"auto-destroy-activity-duration": duration}), (json!(at), json!(duration), false)),
        (json!({"auto-destroy-at": at}), (json!(at), Value::Null, false)),
        (json!({"auto-destroy-at": null}), (Value::Null, Value::Null, true)),
        (json!({"auto-destroy-activity-duration": duration}), (Value::Null, json!(duration), false)),
        (json!({"auto-apply": true}), (Value::Null, json!(duration), false)),
        // It follows from the two, whatever is written.
        (json!({"inherits-project-auto-destroy": true}), (Value::Null, json!(duration), false)),
        (json!({"auto-destroy-at": null}), (Value::Null, Value::Null, true)),
        (json!({"auto-destroy-activity-duration": "9h", "auto-destroy-at": at}), (json!(at), json!("9h"), false)),
        (json!({"auto-destroy-activity-duration": null, "auto-destroy-at": null}), (Value::Null, Value::Null, true)),
    ] {
        let changed = ada.client.patch(&path, &workspace(change.clone())).expect(200);
        let names = ["auto-destroy-at", "auto-destroy-activity-duration"];
        let [at, duration] = names.map(|name| changed.attribute(name).clone());
        let inherits = changed.attribute("inherits-project-auto-destroy") == true;
        assert_eq!((at, duration, inherits), shown, "{change}");
    }
    let wrong = workspace(json!({"auto-destroy-activity-duration": "14 days"}));
    assert_eq!(
        ada.client.patch(&path, &wrong).expect(422).detail(),
        "Auto destroy activity duration has an incorrect format, we expect up to 4 numeric digits and 1 unit ('d' or 'h')"
    );
}

#[test]
fn a_terraform_version_is_one_that_could_be() {
    let app = App::start();
    let ada = ada_of_acme(&app);
    let path = by_id(&ada.workspace("acme", "prod"));
    let set = |version: &str| ada.client.patch(&path, &workspace(json!({"terraform-version": version})));
    for version in [
        "latest",
        "1.9.8",
        "0.11.1",
        "v1.2",
        "1.5.0-beta1",
        "1.2.3-rc.1+meta",
        "~> 1.9.0",
        ">= 1.1, < 2.0, != 1.5.2",
        "=1",
    ] {
        assert_eq!(set(version).expect(200).attribute("terraform-version"), version);
    }
    for version in [
        "nonexisting",
        "",
        "1.",
        ".1",
        "1..2",
        "1.x",
        "~>",
        "~> ",
        "1.2,",
        "latest, 1.2",
        "=> 1.2",
        "1.2-",
        "1 2",
        "LATEST",
    ] {
        assert_eq!(set(version).expect(422).blamed(), ["/data/attributes/terraform-version"], "{version:?}");
    }
    let new = workspace(json!({"name": "new", "terraform-version": "nonexisting"}));
    ada.client.post(ALL, &new).expect(422);
}

/// The page itself comes with the console.
#[test]
fn a_workspace_links_to_its_page() {
    let app = App::start();
    let ada = ada_of_acme(&app);
    let path = by_id(&ada.workspace("acme", "prod"));
    let link = || ada.client.get(&path).expect(200).body["data"]["links"]["self-html"].clone();
    assert_eq!(link(), "/app/acme/workspaces/prod");
    ada.client.patch(&path, &workspace(json!({"name": "live"}))).expect(200);
    assert_eq!(link(), "/app/acme/workspaces/live");
}

#[test]
fn bad_attributes_are_blamed_one_by_one() {
    let app = App::start();
    let ada = ada_of_acme(&app);
    ada.workspace("acme", "prod");
    let long = "x".repeat(1001);
    for (name, value) in [
        ("name", json!("a b")),
        ("name", json!("")),
        ("name", json!(7)),
        ("description", json!(long)),
        ("auto-destroy-at", json!("tomorrow")),
        ("auto-destroy-activity-duration", json!("14 days")),
        ("execution-mode", json!("nowhere")),
        ("source-url", json!("no url")),
        ("terraform-version", json!("")),
        ("trigger-prefixes", json!([long])),
        ("working-directory", json!(long)),
    ] {
        let refused = ada.client.patch(&by_name("prod"), &workspace(json!({name: value}))).expect(422);
        assert_eq!(refused.blamed(), [format!("/data/attributes/{name}")], "{value}");
    }
    assert_eq!(ada.client.post(ALL, &workspace(json!({}))).expect(422).blamed(), ["/data/attributes/name"]);
    let other_type = resource("teams", json!({"name": "x"}));
    assert_eq!(ada.client.post(ALL, &other_type).expect(409).blamed(), ["/data/type"]);
    ada.client.post(ALL, &json!({"data": []})).expect(400);
}

#[test]
fn unknown_parameters_are_refused() {
    let app = App::start();
    let ada = ada_of_acme(&app);
    for query in
        ["search[nonsense]=a", "search=a", "search[name][x]=a", "filter[x]=a", "sort=description", "page[size]=0"]
    {
        let refused = ada.client.get(&format!("{ALL}?{query}")).expect(400);
        assert_eq!(refused.blamed().len(), 1, "{query}");
    }
    let twice = ada.client.get(&format!("{ALL}?search[name]=a&search[name]=b")).expect(400);
    assert_eq!(twice.blamed(), ["search[name]"]);
    ada.client.get("/api/v2/organizations/acme/teams?search[name]=a").expect(400);
}

#[test]
fn a_workspace_is_deleted_with_its_access_and_its_tokens() {
    let app = App::start();
    let ada = ada_of_acme(&app);
    let team = ada.team("acme", "ci");
    for (nth, path) in ["", "", "/actions/safe-delete", "/actions/safe-delete"].iter().enumerate() {
        let id = ada.workspace("acme", "prod");
        ada.give_access(&team, &id, "read");
        app.sql(
            "INSERT INTO tokens (id, kind, organization_id, workspace_id, token_hash, token_prefix) \
             SELECT new_id(), 'workspace', organization_id, id, sha256(uuid_send(id)), 'lkw_000000' FROM workspaces",
        );
        let workspace = if nth % 2 == 0 { by_id(&id) } else { by_name("prod") };
        let method = if path.is_empty() { "DELETE" } else { "POST" };
        let answer = ada.client.send(method, &format!("{workspace}{path}"), &[], None);
        answer.expect(204);
        ada.client.get(&by_id(&id)).expect(404);
        ada.client.delete(&by_id(&id)).expect(404);
        until("the access has gone", || app.count("team_workspaces") == 0);
        until("the tokens have ended", || app.count("tokens WHERE kind = 'workspace' AND NOT revoked") == 0);
    }
}

#[test]
fn every_change_is_audited_once() {
    let app = App::start();
    let ada = ada_of_acme(&app);
    let id = ada.workspace("acme", "prod");
    ada.client.post(ALL, &workspace(json!({"name": "prod"}))).expect(422);
    ada.client.patch(&by_id(&id), &workspace(json!({"auto-apply": true}))).expect(200);
    ada.client.delete(&by_id(&id)).expect(204);
    let about = format!("audit_events WHERE resource_type = 'workspace' AND resource_id = '{id}'");
    for action in ["create", "update", "destroy"] {
        assert_eq!(app.count(&format!("{about} AND action = '{action}'")), 1, "{action}");
    }
    assert_eq!(app.count("audit_events WHERE resource_type = 'workspace'"), 3);
}

#[test]
fn a_team_token_sees_just_its_teams_workspaces() {
    let app = App::start();
    let ada = ada_of_acme(&app);
    let (ci, other) = (ada.team("acme", "ci"), ada.team("acme", "other"));
    let [mine, theirs, nobodys] = ["mine", "theirs", "nobodys"].map(|name| ada.workspace("acme", name));
    ada.give_access(&ci, &mine, "read");
    ada.give_access(&other, &theirs, "admin");
    let secret = ada.team_token(&ci).secret();
    let token = app.with(&secret);
    assert_eq!(names(&app, &secret, ""), ["mine"]);
    let counted = token.get(ALL).expect(200);
    assert_eq!(counted.body["meta"]["pagination"]["total-count"], 1);
    token.get(&by_id(&mine)).expect(200);
    for hidden in [theirs, nobodys] {
        token.get(&by_id(&hidden)).expect(404);
    }
    token.get(&by_name("theirs")).expect(404);
    // A member of the team sees the same, and a member of no team nothing.
    let (ben, cleo) = (app.user("ben"), app.user("cleo"));
    ada.add_to_team(&ci, &ben);
    ada.add_to_team(&ada.team("acme", "empty"), &cleo);
    assert_eq!(names(&app, ben.client.secret(), ""), ["mine"]);
    assert_eq!(names(&app, cleo.client.secret(), ""), Vec::<String>::new());
}

#[test]
fn organization_permissions_give_a_role_everywhere() {
    let app = App::start();
    let ada = ada_of_acme(&app);
    ada.workspace("acme", "prod");
    let holding = |name: &str, permission: &str| {
        let access = json!({"name": name, "organization-access": {permission: true}});
        app.with(&ada.team_token(&ada.team_with("acme", access)).secret())
    };
    let (manager, reader) = (holding("managers", "manage-workspaces"), holding("readers", "read-workspaces"));
    let nobody = app.with(&ada.team_token(&ada.team("acme", "nobody")).secret());
    let change = workspace(json!({"auto-apply": true}));
    let new = workspace(json!({"name": "new"}));
    for (client, see, update, create) in
        [(&manager, 200, 200, 201), (&reader, 200, 404, 404), (&nobody, 404, 404, 404), (&ada.client, 200, 200, 422)]
    {
        client.get(&by_name("prod")).expect(see);
        client.patch(&by_name("prod"), &change).expect(update);
        client.post(ALL, &new).expect(create);
        let organization = client.get("/api/v2/organizations/acme").expect(200);
        assert_eq!(organization.attribute("permissions")["can-create-workspace"], create != 404);
    }
    let seen = reader.get(&by_name("prod")).expect(200);
    assert_eq!(seen.attribute("permissions")["can-update"], false);
    assert_eq!(seen.attribute("permissions")["can-read-variable"], true);
    assert_eq!(seen.attribute("permissions")["can-queue-run"], false);
    reader.delete(&by_name("prod")).expect(404);
    manager.delete(&by_name("prod")).expect(204);
}

#[test]
fn tenants_do_not_see_each_other() {
    let app = App::start();
    let ada = ada_of_acme(&app);
    let id = ada.workspace("acme", "prod");
    let (zoe, root) = (app.user("zoe"), app.site_admin("root"));
    zoe.organization("elsewhere");
    let token = app.with(&zoe.team_token(&zoe.owners_team("elsewhere")).secret());
    for client in [&zoe.client, &token, &root.client] {
        client.get(ALL).expect(404);
        client.post(ALL, &workspace(json!({"name": "new"}))).expect(404);
        for path in [by_id(&id), by_name("prod")] {
            client.get(&path).expect(404);
            client.patch(&path, &workspace(json!({"auto-apply": true}))).expect(404);
            client.delete(&path).expect(404);
            client.post_nothing(&format!("{path}/actions/safe-delete")).expect(404);
        }
    }
    app.anonymous().get(&by_id(&id)).expect(401);
    assert_eq!(app.count("workspaces"), 1);
}
