//! `include` on tokens: whose they are, who made them, and the tokens before and after them (docs/tokens.md).

use std::collections::BTreeSet;

use diesel::RunQueryDsl as _;
use serde_json::{Value, json};

use crate::support::App;
use crate::support::app::{Acme, resource};
use crate::support::client::{Answer, Client};

const ALL: &str = "include=created-by,organization,replaced-by,replaces,team,user,workspace";

/// Type and id of what is included.
fn included(answer: &Answer) -> BTreeSet<(String, String)> {
    let resources = answer.body["included"].as_array().cloned().unwrap_or_default();
    let known: BTreeSet<(String, String)> = resources
        .iter()
        .map(|one| (one["type"].as_str().unwrap().to_owned(), one["id"].as_str().unwrap().to_owned()))
        .collect();
    assert_eq!(known.len(), resources.len(), "each once");
    known
}

fn set(some: &[(&str, &str)]) -> BTreeSet<(String, String)> {
    some.iter().map(|(kind, id)| ((*kind).to_owned(), (*id).to_owned())).collect()
}

#[test]
fn every_answer_that_shows_a_token_includes_what_is_asked_for() {
    let scene = Acme::new();
    let client = &scene.ada.client;
    let workspace = scene.ada.workspace("acme", "prod");
    let (ada, team) = (scene.ada.id.as_str(), scene.team.as_str());
    let of_team = set(&[("users", ada), ("teams", team), ("organizations", "acme")]);
    let new = |description: &str| resource("authentication-tokens", json!({ "description": description }));
    scene.ada.add_to_team(team, &scene.app.user("ben"));
    let made = client.post(&format!("{}s?{ALL}", scene.one()), &new("a")).expect(201);
    assert!(!made.secret().is_empty());
    assert_eq!(included(&made), of_team);
    let named = |answer: &Answer, kind: &str| {
        let resources = answer.body["included"].as_array().unwrap().clone();
        resources.into_iter().find(|one| one["type"] == kind).unwrap()["attributes"].clone()
    };
    assert_eq!(named(&made, "users")["username"], "ada");
    assert_eq!(named(&made, "teams")["name"], "ci");
    // Who is in it is another matter.
    let shown = made.body["included"].as_array().unwrap().iter().find(|one| one["type"] == "teams").unwrap();
    assert!(shown["relationships"]["users"]["data"].is_null(), "{shown:#}");
    let one = format!("/api/v2/authentication-tokens/{}", made.id());
    assert_eq!(included(&client.get(&format!("{one}?{ALL}")).expect(200)), of_team);
    assert_eq!(included(&client.get(&one).expect(200)), set(&[]));
    assert_eq!(included(&client.get(&format!("{one}?include=team")).expect(200)), set(&[("teams", team)]));
    assert_eq!(included(&client.patch(&format!("{one}?{ALL}"), &new("b")).expect(200)), of_team);
    assert_eq!(included(&client.post_nothing(&format!("{one}/actions/disable?{ALL}")).expect(200)), of_team);
    client.post_nothing(&format!("{one}/actions/enable")).expect(200);
    let grace = resource("authentication-tokens", json!({"grace-period-seconds": 600}));
    let successor = client.post(&format!("{one}/actions/regenerate?{ALL}"), &grace).expect(201);
    let with = |id: &str| {
        let mut all = of_team.clone();
        all.insert(("authentication-tokens".to_owned(), id.to_owned()));
        all
    };
    assert_eq!(included(&successor), with(&made.id()));
    assert_eq!(included(&client.get(&format!("{one}?{ALL}")).expect(200)), with(&successor.id()));
    // A token of a team reads itself, and not its neighbour.
    let current = scene.app.with(&successor.secret());
    current.get(&one).expect(404);
    let current = current.get(&format!("/api/v2/authentication-tokens/current?{ALL}")).expect(200);
    assert_eq!(included(&current), of_team);
    // It sees itself, also as the predecessor of its successor.
    let renewing = resource("authentication-tokens", json!({"description": "z", "self-rotation": true}));
    let renewing = client.post(&format!("{}s", scene.one()), &renewing).expect(201);
    let path = format!("/api/v2/authentication-tokens/{}/actions/regenerate?include=replaces", renewing.id());
    let renewed = scene.app.with(&renewing.secret()).post_nothing(&path).expect(201);
    assert!(!renewed.secret().is_empty());
    assert_eq!(included(&renewed), set(&[("authentication-tokens", &renewing.id())]));
    // Nor does the reader of the trail see its predecessor.
    let trail = "/api/v2/organizations/acme/authentication-token?token=audit-trails";
    let reader = client.post_nothing(trail).expect(201).id();
    let next = client.post(&format!("/api/v2/authentication-tokens/{reader}/actions/regenerate"), &grace).expect(201);
    let ask = |by: &Client| {
        included(&by.get(&format!("/api/v2/authentication-tokens/{}?include=replaces", next.id())).expect(200))
    };
    assert_eq!(ask(client), set(&[("authentication-tokens", &reader)]));
    assert_eq!(ask(&scene.app.with(&next.secret())), set(&[]));
    // Both are in the list, and so neither is included.
    let whole = client.get(&format!("/api/v2/organizations/acme/authentication-tokens?{ALL}")).expect(200);
    assert_eq!(included(&whole), of_team);

    let of_workspace = format!("/api/v2/workspaces/{workspace}/authentication-tokens?{ALL}");
    let manager = resource("authentication-tokens", json!({"role": "manager"}));
    let made = client.post(&of_workspace, &manager).expect(201);
    assert_eq!(included(&made), set(&[("users", ada), ("workspaces", &workspace), ("organizations", "acme")]));
    // What its token does not see is left out.
    let own = scene.app.with(&made.secret()).post_nothing(&of_workspace);
    assert_eq!(own.status, 400, "a body is needed");
    let own = scene.app.with(&made.secret()).post(&of_workspace, &new("c")).expect(201);
    assert_eq!(included(&own), set(&[("workspaces", &workspace)]));
    let listed = client.get(&of_workspace).expect(200);
    assert_eq!(included(&listed), set(&[("users", ada), ("workspaces", &workspace), ("organizations", "acme")]));

    let mine = client.get(&format!("/api/v2/users/{ada}/authentication-tokens?{ALL}")).expect(200);
    assert_eq!(included(&mine), set(&[("users", ada)]));
    let organization = "/api/v2/organizations/acme/authentication-token";
    let made = client.post_nothing(&format!("{organization}?{ALL}")).expect(201);
    assert_eq!(included(&made), set(&[("users", ada), ("organizations", "acme")]));
    let fields = client.get(&format!("{one}?include=team&fields[teams]=name")).expect(200);
    assert_eq!(fields.body["included"][0]["attributes"], json!({"name": "ci"}));
    let unknown = client.get(&format!("{one}?include=users")).expect(400);
    assert_eq!(unknown.body["errors"][0]["source"]["parameter"], json!("include"));
}

#[test]
fn a_replayed_answer_includes_what_the_first_one_did() {
    let scene = Acme::new();
    let path = format!("{}s?include=team", scene.one());
    let body = resource("authentication-tokens", json!({"description": "a"})).to_string();
    let headers = [("Content-Type", "application/vnd.api+json"), ("Idempotency-Key", "one")];
    let ask = || scene.ada.client.send("POST", &path, &headers, Some(body.as_bytes())).expect(201);
    let (first, again) = (ask(), ask());
    assert_eq!(first.body, again.body);
    assert_eq!(first.secret(), again.secret());
    assert_eq!(included(&first), set(&[("teams", &scene.team)]));
}

/// How many statements the one connection of the service has run.
fn statements(app: &App) -> i64 {
    let runs = "coalesce(sum(generic_plans + custom_plans), 0)::bigint FROM pg_prepared_statements";
    app.pool
        .blocking(|connection| {
            Ok(diesel::select(diesel::dsl::sql::<diesel::sql_types::BigInt>(runs)).get_result(connection)?)
        })
        .unwrap()
}

/// However many tokens a page has, what is included beside them takes the same few statements.
#[test]
fn the_statements_of_a_list_do_not_grow_with_it() {
    let app = App::with_connections(1);
    let ada = app.user("ada");
    ada.organization("acme");
    let make = |path: String, attributes: Value| {
        ada.client.post(&format!("/api/v2/{path}"), &resource("authentication-tokens", attributes)).expect(201).id()
    };
    // Of each kind one token with an owner of its own, and of each team's one the predecessor.
    let ids: Vec<String> = (0..10)
        .flat_map(|nth| {
            let (team, workspace) = (ada.team("acme", &format!("t{nth}")), ada.workspace("acme", &format!("w{nth}")));
            let old = make(format!("teams/{team}/authentication-tokens"), json!({"description": "a"}));
            let grace = json!({"grace-period-seconds": 600});
            let new = make(format!("authentication-tokens/{old}/actions/regenerate"), grace);
            [new, make(format!("workspaces/{workspace}/authentication-tokens"), json!({}))]
        })
        .collect();
    let managers = json!({"name": "m", "organization-access": {"manage-teams": true, "manage-workspaces": true}});
    let bob = app.user("bob");
    ada.add_to_team(&ada.team_with("acme", managers), &bob);
    // The organization, the maker of all, and the teams, workspaces and predecessors.
    let seen = 1 + 1 + 3 * 10;
    for client in [&ada.client, &bob.client] {
        let run = |include: &str, ids: &[String]| {
            let list = "/api/v2/organizations/acme/authentication-tokens";
            let path = format!("{list}?filter[id]={}&{include}", ids.join(","));
            // What the service does beside requests comes on top now and then.
            let once = || {
                let before = statements(&app);
                let answer = client.get(&path).expect(200);
                assert_eq!(answer.ids().len(), ids.len());
                let included = answer.body["included"].as_array().map_or(0, Vec::len);
                assert!(include.is_empty() || ids.len() < 20 || included == seen, "{included}");
                statements(&app) - before
            };
            (0..5).map(|_| once()).min().unwrap()
        };
        let (plain, few, many) = (run("", &ids), run(ALL, &ids[..2]), run(ALL, &ids));
        assert!(plain > 0 && few > plain, "{plain}, {few}");
        assert!(many <= few && many <= plain + 10, "{plain} without, {few} for two, {many} for twenty");
    }
}

/// A team that somebody does not see is not shown to them beside a token that they do.
#[test]
fn what_the_caller_does_not_see_is_left_out() {
    let scene = Acme::new();
    let (root, eve) = (scene.app.site_admin("root"), scene.app.user("eve"));
    eve.organization("evil");
    let secret = eve.team("evil", "hidden");
    eve.team_token(&secret);
    let workspace = eve.workspace("evil", "lab");
    let tokens = format!("/api/v2/workspaces/{workspace}/authentication-tokens");
    eve.client.post(&tokens, &resource("authentication-tokens", json!({}))).expect(201);
    scene.ada.team_token(&scene.team);
    let everybody = format!("/api/v2/admin/authentication-tokens?{ALL}&page[size]=500");
    let seen = included(&root.client.get(&everybody).expect(200));
    let of =
        |kind: &str| seen.iter().filter(|(one, _)| one == kind).map(|(_, id)| id.as_str()).collect::<BTreeSet<_>>();
    assert_eq!(of("organizations"), BTreeSet::from(["acme", "evil"]));
    assert_eq!(of("teams"), BTreeSet::from([scene.team.as_str(), secret.as_str()]));
    // Site admins have no role in workspaces.
    assert_eq!(of("workspaces"), BTreeSet::new());
}

#[test]
fn neighbours_and_makers_can_be_filtered_by() {
    let scene = Acme::new();
    let client = &scene.ada.client;
    let first = scene.ada.described_token(&scene.team, json!({"description": "a"}));
    assert!(!first.secret().is_empty());
    let again = |id: &str| {
        let path = format!("/api/v2/authentication-tokens/{id}/actions/regenerate");
        client.post(&path, &resource("authentication-tokens", json!({"grace-period-seconds": 600}))).expect(201)
    };
    let second = again(&first.id());
    let third = again(&second.id());
    assert!(!second.secret().is_empty() && !third.secret().is_empty());
    let found = |question: String| {
        client.get(&format!("/api/v2/organizations/acme/authentication-tokens?{question}")).expect(200).ids()
    };
    assert_eq!(found(format!("filter[replaces]={}", first.id())), [second.id()]);
    assert_eq!(found(format!("filter[replaces]={},{}", first.id(), second.id())).len(), 2);
    assert_eq!(found(format!("filter[replaced_by]={}", third.id())), [second.id()]);
    assert_eq!(found(format!("filter[replaces]={}", third.id())), Vec::<String>::new());
    assert_eq!(Value::from(found("filter[replaces]=nonsense".to_owned())), json!([]));
}
