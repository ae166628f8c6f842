//! Projects: what they are, the default one, moving workspaces between them, and tags that workspaces inherit.

use std::thread;

use serde_json::{Value, json};

use crate::support::App;
use crate::support::app::{User, identifiers, resource, workspace_in};
use crate::support::client::Answer;
use crate::support::holder::Holder;
use crate::support::process::until;

const ALL: &str = "/api/v2/organizations/acme/projects";
const WORKSPACES: &str = "/api/v2/organizations/acme/workspaces";

fn new(attributes: Value) -> Value {
    resource("projects", attributes)
}

fn one(id: &str) -> String {
    format!("/api/v2/projects/{id}")
}

fn workspace(id: &str) -> String {
    format!("/api/v2/workspaces/{id}")
}

fn bindings(pairs: &[(&str, &str)]) -> Value {
    let binding =
        |(key, value): &(&str, &str)| json!({"type": "tag-bindings", "attributes": {"key": key, "value": value}});
    json!({"data": pairs.iter().map(binding).collect::<Vec<_>>()})
}

fn tagged(kind: &str, attributes: Value, pairs: &[(&str, &str)]) -> Value {
    let mut document = resource(kind, attributes);
    document["data"]["relationships"] = json!({"tag-bindings": bindings(pairs)});
    document
}

/// `key=value` of each resource in a list.
fn told(list: &Value) -> Vec<String> {
    let text = |binding: &Value, name: &str| binding["attributes"][name].as_str().unwrap().to_owned();
    let binding = |binding: &Value| format!("{}={}", text(binding, "key"), text(binding, "value"));
    list.as_array().unwrap().iter().map(binding).collect()
}

fn names(answer: &Answer) -> Vec<&str> {
    answer.body["data"].as_array().unwrap().iter().map(|one| one["attributes"]["name"].as_str().unwrap()).collect()
}

fn project_of(answer: &Answer) -> &str {
    answer.body["data"]["relationships"]["project"]["data"]["id"].as_str().unwrap()
}

fn default_project(ada: &User) -> String {
    let shown = ada.client.get("/api/v2/organizations/acme").expect(200);
    shown.body["data"]["relationships"]["default-project"]["data"]["id"].as_str().unwrap().to_owned()
}

#[test]
fn an_organization_has_its_default_project_from_the_start() {
    let (app, ada) = App::with_acme();
    let shown = ada.client.get("/api/v2/organizations/acme?include=default-project").expect(200);
    let included = &shown.body["included"][0];
    assert_eq!((&included["type"], &included["attributes"]["name"]), (&json!("projects"), &json!("Default Project")));
    assert_eq!(included["id"], default_project(&ada));
    let listed = ada.client.get("/api/v2/organizations?include=default-project").expect(200);
    assert_eq!(listed.body["included"][0]["id"], included["id"]);
    let alone = ada.client.get(&one(&default_project(&ada))).expect(200);
    assert_eq!(alone.attribute("description"), "");
    ada.project("acme", "alpha");
    ada.project("acme", "Beta");
    assert_eq!(names(&ada.client.get(ALL).expect(200)), ["Default Project", "alpha", "Beta"]);
    assert_eq!(names(&ada.client.get(&format!("{ALL}?q=default")).expect(200)), ["Default Project"]);
    assert_eq!(names(&ada.client.get(&format!("{ALL}?sort=-name")).expect(200)), ["Default Project", "Beta", "alpha"]);
    assert_eq!(names(&ada.client.get(&format!("{ALL}?filter[names]=ALPHA,beta")).expect(200)), ["alpha", "Beta"]);
    // It can be called something else, and never goes.
    ada.client.patch(&one(&default_project(&ada)), &new(json!({"name": "Main"}))).expect(200);
    ada.client.delete(&one(&default_project(&ada))).expect(403);
    assert_eq!(
        project_of(&ada.client.get(&workspace(&ada.workspace("acme", "prod"))).expect(200)),
        default_project(&ada)
    );
    // A stranger's is another one.
    let zoe = app.user("zoe");
    zoe.organization("elsewhere");
    zoe.client.get(&one(&default_project(&ada))).expect(404);
}

#[test]
fn a_project_is_made_changed_and_deleted() {
    let (app, ada) = App::with_acme();
    let attributes =
        json!({"name": "Core services", "description": "What all need", "default-execution-mode": "local"});
    let made = ada.client.post(ALL, &tagged("projects", attributes, &[("env", "prod"), ("area", "")])).expect(201);
    assert!(made.id().starts_with("prj-") && made.id().len() == 20);
    assert_eq!(made.header("Location"), Some(one(&made.id()).as_str()));
    assert_eq!(made.attribute("default-execution-mode"), "local");
    assert_eq!(
        made.attribute("setting-overwrites"),
        &json!({"default-execution-mode": true, "default-agent-pool": false})
    );
    assert_eq!(made.attribute("is-unified"), false);
    assert_eq!(made.attribute("permissions")["can-update"], true);
    assert_eq!(ada.client.get(&one(&made.id())).expect(200).body["data"], made.body["data"]);
    let change = new(json!({"description": null, "auto-destroy-activity-duration": "14d",
        "setting-overwrites": {"default-execution-mode": false}}));
    let changed = ada.client.patch(&one(&made.id()), &change).expect(200);
    assert_eq!((changed.attribute("description"), changed.attribute("name")), (&json!(""), &json!("Core services")));
    assert_eq!(changed.attribute("auto-destroy-activity-duration"), "14d");
    assert_eq!(changed.attribute("default-execution-mode"), "remote");
    let cleared = new(json!({"auto-destroy-activity-duration": null}));
    let cleared = ada.client.patch(&one(&made.id()), &cleared).expect(200);
    assert_eq!(cleared.attribute("auto-destroy-activity-duration"), &Value::Null);
    let included = ada.client.get(&format!("{}?include=effective_tag_bindings", one(&made.id()))).expect(200);
    assert_eq!(told(&included.body["included"]), ["env=prod", "area="]);
    ada.client.delete(&one(&made.id())).expect(204);
    ada.client.delete(&one(&made.id())).expect(404);
    ada.client.get(&one(&made.id())).expect(404);
    ada.client.post(ALL, &new(json!({"name": "core services"}))).expect(201);
    let events = "audit_events WHERE resource_type = 'project' AND action";
    assert_eq!(app.count(&format!("{events} = 'create'")), 3);
    assert_eq!((app.count(&format!("{events} = 'update'")), app.count(&format!("{events} = 'destroy'"))), (2, 1));
}

#[test]
fn a_wrong_project_is_blamed() {
    let (_app, ada) = App::with_acme();
    ada.project("acme", "alpha");
    for name in ["ab", &"x".repeat(41), " abc", "abc ", "a/b/c", "ábc", "a\tbc"] {
        let refused = ada.client.post(ALL, &new(json!({"name": name}))).expect(422);
        assert_eq!(refused.blamed(), ["/data/attributes/name"], "{name}");
        assert!(refused.detail().starts_with("Name may only contain"), "{}", refused.detail());
        assert_eq!(refused.body["errors"][0]["title"], "invalid attribute");
    }
    let taken = ada.client.post(ALL, &new(json!({"name": "ALPHA"}))).expect(422);
    assert!(taken.detail().contains("has already been taken"), "{}", taken.detail());
    for (attribute, value) in [
        ("description", json!("x".repeat(257))),
        ("auto-destroy-activity-duration", json!("14")),
        ("default-execution-mode", json!("nowhere")),
        ("default-agent-pool-id", json!("apool-1")),
    ] {
        let refused = ada.client.post(ALL, &new(json!({"name": "new", attribute: value}))).expect(422);
        assert_eq!(refused.blamed(), [format!("/data/attributes/{attribute}")]);
    }
    let duration =
        ada.client.post(ALL, &new(json!({"name": "new", "auto-destroy-activity-duration": "1w"}))).expect(422);
    let words = "Auto destroy activity duration has an incorrect format, we expect up to 4 numeric digits and 1 unit ('d' \
                 or 'h')";
    assert_eq!(duration.detail(), words);
    let many: Vec<String> = (0..11).map(|n| format!("n{n}")).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|key| (key.as_str(), "")).collect();
    let refused = ada.client.post(ALL, &tagged("projects", json!({"name": "new"}), &many)).expect(422);
    assert_eq!(refused.blamed(), ["/data/relationships/tag-bindings/data"]);
}

#[test]
fn the_bindings_of_a_project_are_added_and_replaced() {
    let (_app, ada) = App::with_acme();
    let path = one(&ada.project("acme", "core"));
    let list = |of: &str| told(&ada.client.get(&format!("{path}/{of}")).expect(200).body["data"]);
    let added = ada.client.patch(&format!("{path}/tag-bindings"), &bindings(&[("z", "1"), ("a", "")])).expect(200);
    assert_eq!(told(&added.body["data"]), ["z=1", "a="]);
    ada.client.patch(&format!("{path}/tag-bindings"), &bindings(&[("z", "2")])).expect(200);
    assert_eq!(
        (list("tag-bindings"), list("effective-tag-bindings")),
        (vec!["z=2".into(), "a=".into()], vec!["z=2".into(), "a=".into()])
    );
    let replace = format!("{path}/relationships/tag-bindings");
    ada.client.patch(&replace, &bindings(&[("b", "3")])).expect(204);
    assert_eq!(list("tag-bindings"), ["b=3"]);
    ada.client.patch(&replace, &bindings(&[])).expect(204);
    assert_eq!(list("tag-bindings"), Vec::<String>::new());
    ada.client.patch(&path, &tagged("projects", json!({}), &[("c", "4")])).expect(200);
    ada.client.patch(&path, &new(json!({"description": "says nothing of tags"}))).expect(200);
    assert_eq!(list("tag-bindings"), ["c=4"]);
    ada.client.patch(&path, &tagged("projects", json!({}), &[])).expect(200);
    assert_eq!(list("tag-bindings"), Vec::<String>::new());
}

#[test]
fn a_project_with_workspaces_stays_until_they_have_gone() {
    let (app, ada) = App::with_acme();
    let core = ada.project("acme", "core");
    let prod = ada.workspace_in(&core, "acme", "prod");
    let refused = ada.client.delete(&one(&core)).expect(403);
    assert!(refused.detail().contains("workspaces"), "{}", refused.detail());
    let token = format!("{}/authentication-tokens", workspace(&prod));
    ada.client.post(&token, &resource("authentication-tokens", json!({}))).expect(201);
    ada.client.delete(&workspace(&prod)).expect(204);
    // A deleted workspace whose token is still kept stands in nobody's way.
    ada.client.delete(&one(&core)).expect(204);
    until("the deletions are over", || app.count("deletions WHERE NOT looked") == 0);
    assert_eq!(app.count("all_projects WHERE name = 'core' AND deleted_at IS NOT NULL"), 1);
}

#[test]
fn workspaces_are_made_in_projects_and_moved() {
    let (app, ada) = App::with_acme();
    let (core, edge) = (ada.project("acme", "core"), ada.project("acme", "edge"));
    let made = ada.client.post(WORKSPACES, &workspace_in(&core, json!({"name": "prod"}))).expect(201);
    assert_eq!(project_of(&made), core);
    ada.workspace("acme", "bare");
    let in_project = |project: &str| {
        let list = ada.client.get(&format!("{WORKSPACES}?filter[project][id]={project}")).expect(200);
        names(&list).iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()
    };
    assert_eq!((in_project(&core), in_project(&edge)), (vec!["prod".to_owned()], vec![]));
    assert_eq!(in_project(&default_project(&ada)), ["bare"]);
    assert_eq!(in_project("prj-nothing"), Vec::<String>::new());
    let shown = ada.client.get(&format!("{}?include=project", workspace(&made.id()))).expect(200);
    assert_eq!(
        (&shown.body["included"][0]["type"], &shown.body["included"][0]["id"]),
        (&json!("projects"), &json!(core))
    );
    let moved = ada.client.patch(&workspace(&made.id()), &workspace_in(&edge, json!({"name": "live"}))).expect(200);
    assert_eq!((project_of(&moved), moved.attribute("name")), (edge.as_str(), &json!("live")));
    let by_name = ada.client.patch(&format!("{WORKSPACES}/live"), &workspace_in(&core, json!({}))).expect(200);
    assert_eq!(project_of(&by_name), core);
    assert_eq!(app.count(&format!("audit_events WHERE action = 'update' AND meta ->> 'project' = '{core}'")), 1);
    // What says nothing of projects moves nothing.
    let same =
        ada.client.patch(&workspace(&made.id()), &resource("workspaces", json!({"auto-apply": true}))).expect(200);
    assert_eq!(project_of(&same), core);

    let zoe = app.user("zoe");
    zoe.organization("elsewhere");
    let foreign = zoe.project("elsewhere", "foreign");
    for project in ["prj-nothing", &foreign, &made.id()] {
        let created = ada.client.post(WORKSPACES, &workspace_in(project, json!({"name": "new"})));
        for refused in [created, ada.client.patch(&workspace(&made.id()), &workspace_in(project, json!({})))] {
            assert_eq!(refused.expect(404).blamed(), ["/data/relationships/project/data/id"], "{project}");
        }
    }
    let mut wrong = workspace_in(&core, json!({"name": "new"}));
    wrong["data"]["relationships"]["project"]["data"]["type"] = "teams".into();
    assert_eq!(ada.client.post(WORKSPACES, &wrong).expect(422).blamed(), ["/data/relationships/project/data/type"]);
}

#[test]
fn many_workspaces_move_together_or_not_at_all() {
    let (app, ada) = App::with_acme();
    let (core, edge) = (ada.project("acme", "core"), ada.project("acme", "edge"));
    let inside = ada.workspace_in(&core, "acme", "inside");
    let (first, second) = (ada.workspace("acme", "first"), ada.workspace("acme", "second"));
    let into = |project: &str| format!("{}/relationships/workspaces", one(project));
    let all = |ids: &[&str]| identifiers("workspaces", ids);
    ada.client.post(&into(&edge), &all(&[&inside, &first, &first])).expect(204);
    let in_edge = || ada.client.get(&format!("{WORKSPACES}?filter[project][id]={edge}")).expect(200).ids();
    assert_eq!(in_edge(), [first.clone(), inside.clone()]);
    let moves = format!("audit_events WHERE action = 'update' AND meta ->> 'project' = '{edge}'");
    assert_eq!(app.count(&moves), 2);
    ada.client.post(&into(&edge), &all(&[&inside])).expect(204);
    assert_eq!(app.count(&moves), 2, "what is there already has not moved");
    let refused = ada.client.post(&into(&edge), &all(&[&second, "ws-nothing"])).expect(403);
    assert!(refused.detail().ends_with(": ws-nothing"), "{}", refused.detail());
    assert_eq!(in_edge().len(), 2);
    ada.client.post(&into("prj-nothing"), &all(&[&second])).expect(404);
    // It needs the right in every project.
    let team = ada.team("acme", "ci");
    let token = app.with(&ada.team_token(&team).secret());
    token.post(&into(&core), &all(&[&first])).expect(404);
    let moving = json!({"access": "custom", "workspace-access": {"move": true}});
    let there = ada.give_project_access(&team, &core, json!({"access": "read"}));
    token.post(&into(&core), &all(&[&first])).expect(403);
    ada.client.patch(&format!("/api/v2/team-projects/{there}"), &resource("team-projects", moving.clone())).expect(200);
    let refused = token.post(&into(&core), &all(&[&first])).expect(403);
    assert!(refused.detail().ends_with(&first), "{}", refused.detail());
    let mut level = moving;
    level["workspace-access"]["variables"] = "read".into();
    level["workspace-access"]["state-versions"] = "read".into();
    ada.give_project_access(&team, &edge, level);
    token.post(&into(&core), &all(&[&first])).expect(204);
}

#[test]
fn workspaces_without_their_own_settings_show_those_of_their_project() {
    let (_app, ada) = App::with_acme();
    let attributes =
        json!({"name": "core", "default-execution-mode": "local", "auto-destroy-activity-duration": "14d"});
    let core = ada.client.post(ALL, &new(attributes)).expect(201).id();
    let prod = workspace(&ada.workspace_in(&core, "acme", "prod"));
    let shown = |expected: [Value; 2]| {
        let shown = ada.client.get(&prod).expect(200);
        let names = ["execution-mode", "auto-destroy-activity-duration"];
        assert_eq!(names.map(|name| shown.attribute(name).clone()), expected);
    };
    shown([json!("local"), json!("14d")]);
    let change = |attributes: Value| ada.client.patch(&prod, &resource("workspaces", attributes)).expect(200);
    change(json!({"execution-mode": "remote", "auto-destroy-activity-duration": "3h"}));
    shown([json!("remote"), json!("3h")]);
    change(json!({"setting-overwrites": {"execution-mode": false}, "auto-destroy-activity-duration": null}));
    shown([json!("local"), json!("14d")]);
    change(json!({"auto-destroy-at": "2031-05-17T00:00:00Z"}));
    shown([json!("local"), Value::Null]);
}

#[test]
fn a_workspace_inherits_the_bindings_that_it_lacks() {
    let (_app, ada) = App::with_acme();
    let core = ada.client.post(ALL, &tagged("projects", json!({"name": "core"}), &[("env", "prod"), ("cost", "7")]));
    let core = core.expect(201).id();
    let prod = ada.workspace_in(&core, "acme", "prod");
    ada.client
        .patch(&format!("{}/tag-bindings", workspace(&prod)), &bindings(&[("env", "own"), ("a", "b")]))
        .expect(200);
    let effective = ada.client.get(&format!("{}/effective-tag-bindings", workspace(&prod))).expect(200);
    assert_eq!(told(&effective.body["data"]), ["env=own", "a=b", "cost=7"]);
    let own = &effective.body["data"][0];
    assert!(own.get("links").is_none() && own.get("relationships").is_none(), "{own}");
    let inherited = &effective.body["data"][2];
    assert_eq!(inherited["links"]["inherited-from"], one(&core));
    assert_eq!(inherited["relationships"]["inherited-from"]["data"], json!({"type": "projects", "id": core}));
    let own = ada.client.get(&format!("{}/tag-bindings", workspace(&prod))).expect(200);
    assert_eq!(told(&own.body["data"]), ["env=own", "a=b"]);
    for path in [workspace(&prod), WORKSPACES.to_owned()] {
        let shown = ada.client.get(&format!("{path}?include=effective_tag_bindings")).expect(200);
        assert_eq!(told(&shown.body["included"]), ["env=own", "a=b", "cost=7"]);
    }
    // Elsewhere it has those of the other project.
    ada.client.patch(&workspace(&prod), &workspace_in(&default_project(&ada), json!({}))).expect(200);
    let effective = ada.client.get(&format!("{}/effective-tag-bindings", workspace(&prod))).expect(200);
    assert_eq!(told(&effective.body["data"]), ["env=own", "a=b"]);
}

#[test]
fn workspaces_and_projects_are_found_by_their_bindings() {
    let (_app, ada) = App::with_acme();
    let core = ada.client.post(ALL, &tagged("projects", json!({"name": "core"}), &[("env", "prod")])).expect(201).id();
    ada.client.post(ALL, &tagged("projects", json!({"name": "edge"}), &[("env", "test"), ("b", "")])).expect(201);
    ada.workspace_in(&core, "acme", "inherits");
    let own = ada.workspace_in(&core, "acme", "own");
    ada.client
        .patch(&format!("{}/tag-bindings", workspace(&own)), &bindings(&[("env", "test"), ("a", "b")]))
        .expect(200);
    ada.workspace("acme", "bare");
    let found = |path: &str, query: &str| {
        let list = ada.client.get(&format!("{path}?{query}")).expect(200);
        names(&list).iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()
    };
    let key = |n: u8, key: &str| format!("filter[tagged][{n}][key]={key}");
    let value = |n: u8, value: &str| format!("filter[tagged][{n}][value]={value}");
    assert_eq!(found(WORKSPACES, &key(0, "env")), ["inherits", "own"]);
    assert_eq!(found(WORKSPACES, &format!("{}&{}", key(0, "env"), value(0, ""))), ["inherits", "own"]);
    assert_eq!(found(WORKSPACES, &format!("{}&{}", key(0, "env"), value(0, "prod"))), ["inherits"]);
    assert_eq!(found(WORKSPACES, &format!("{}&{}", key(0, "env"), value(0, "test"))), ["own"]);
    let both = format!("{}&{}&{}&{}", key(0, "env"), value(0, "test"), key(1, "a"), value(1, "b"));
    // Just as go-tfe sends it.
    let both = format!("{both}&TagBindings=%7B+env+test%7D&TagBindings=%7B+a+b%7D");
    assert_eq!(found(WORKSPACES, &both), ["own"]);
    assert_eq!(found(WORKSPACES, &format!("{}&{}", key(0, "env"), key(1, "none"))), Vec::<String>::new());
    assert_eq!(found(ALL, &key(0, "env")), ["core", "edge"]);
    assert_eq!(found(ALL, &format!("{}&{}&TagBindings=x", key(7, "env"), value(7, "test"))), ["edge"]);
    assert_eq!(found(ALL, &format!("{}&{}", key(0, "env"), key(1, "b"))), ["edge"]);
    let alone = ada.client.get(&format!("{ALL}?{}", value(3, "x"))).expect(400);
    assert_eq!(alone.blamed(), ["filter[tagged][3][value]"]);
}

#[test]
fn so_many_bindings_can_be_asked_for_and_each_once() {
    let (_app, ada) = App::with_acme();
    let filters = |numbers: &[usize]| {
        numbers.iter().map(|n| format!("filter[tagged][{n}][key]=env")).collect::<Vec<_>>().join("&")
    };
    let twenty: Vec<usize> = (0..20).collect();
    let more: Vec<usize> = (0..21).collect();
    for list in [ALL, WORKSPACES] {
        ada.client.get(&format!("{list}?{}", filters(&twenty))).expect(200);
        ada.client.get(&format!("{list}?{}", filters(&more))).expect(400);
        ada.client.get(&format!("{list}?{}", filters(&[0, 0]))).expect(400);
        let values = "filter[tagged][0][value]=a&filter[tagged][0][value]=b";
        let twice = ada.client.get(&format!("{list}?{}&{values}", filters(&[0]))).expect(400);
        assert!(twice.detail().contains("more than once"), "{}", twice.detail());
    }
}

#[test]
fn of_two_projects_of_one_name_that_are_made_at_once_one_is() {
    let (app, ada) = App::with_acme();
    for round in 0..5 {
        let path = format!("{ALL}?fields[projects]=name");
        let statuses: Vec<u16> = thread::scope(|scope| {
            let make = || ada.client.post(&path, &new(json!({"name": format!("same {round}")}))).status;
            let all: Vec<_> = (0..4).map(|_| scope.spawn(make)).collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
        assert_eq!(statuses.iter().filter(|status| **status == 422).count(), 3, "{statuses:?}");
    }
    assert_eq!(app.count("projects WHERE name LIKE 'same%'"), 5);
}

/// Who puts a workspace into a project holds it; who deletes a project lets nobody in.
#[test]
fn a_project_does_not_go_while_a_workspace_is_put_into_it() {
    let (app, ada) = App::with_acme();
    let bare = ada.workspace("acme", "bare");
    for (put, put_first) in [("create", true), ("create", false), ("move", true), ("move", false)] {
        let name = format!("{put} {put_first}");
        let core = ada.project("acme", &name);
        let put = || match put {
            "create" => ada.client.post(WORKSPACES, &workspace_in(&core, json!({"name": "inside"}))),
            _ => ada.client.patch(&workspace(&bare), &workspace_in(&core, json!({}))),
        };
        let delete = || ada.client.delete(&one(&core));
        let (first, second): (&(dyn Fn() -> Answer + Sync), &(dyn Fn() -> Answer + Sync)) =
            if put_first { (&put, &delete) } else { (&delete, &put) };
        let holder = Holder::of(&app, &format!("SELECT FROM projects WHERE name = '{name}' FOR UPDATE"));
        let answers = thread::scope(|scope| {
            let first = scope.spawn(first);
            holder.until_waiting(1);
            let second = scope.spawn(second);
            holder.until_waiting(2);
            holder.release();
            [first.join().unwrap().status, second.join().unwrap().status]
        });
        match (name.as_str(), put_first) {
            ("create true", _) => assert_eq!(answers, [201, 403], "{name}"),
            (_, true) => assert_eq!(answers, [200, 403], "{name}"),
            (_, false) => assert_eq!(answers, [204, 404], "{name}"),
        }
        assert_eq!(app.count("workspaces WHERE NOT EXISTS (SELECT FROM projects WHERE id = project_id)"), 0, "{name}");
    }
}

#[test]
fn projects_go_with_their_organization() {
    let (app, ada) = App::with_acme();
    let team = ada.team("acme", "ci");
    for n in 0..3 {
        let project = ada.project("acme", &format!("project {n}"));
        ada.workspace_in(&project, "acme", &format!("inside-{n}"));
        ada.give_project_access(&team, &project, json!({"access": "read"}));
    }
    let keys = "/api/v2/organizations/acme/reserved-tag-keys";
    ada.client.post(keys, &resource("reserved-tag-keys", json!({"key": "env"}))).expect(201);
    let core = default_project(&ada);
    ada.client.delete("/api/v2/organizations/acme").expect(204);
    ada.client.get(&one(&core)).expect(404);
    until("what it held is removed", || app.count("deletions WHERE NOT looked") == 0);
    let left = ["team_projects", "reserved_tag_keys", "projects", "all_projects WHERE deleted_at IS NULL"];
    assert_eq!(left.map(|table| app.count(table)), [0; 4]);
}
