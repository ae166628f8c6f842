//! Tokens of workspaces (docs/design.md §4): who manages them, and what they do.

use serde_json::{Value, json};

use crate::support::App;
use crate::support::app::{User, resource};
use crate::support::client::{Answer, Client};
use crate::support::process::until;

struct Scene {
    app: App,
    ada: User,
    prod: String,
}

impl Scene {
    fn set() -> Self {
        let app = App::start();
        let ada = app.user("ada");
        ada.organization("acme");
        let prod = ada.workspace("acme", "prod");
        Self { app, ada, prod }
    }

    fn path(&self) -> String {
        format!("/api/v2/workspaces/{}/authentication-tokens", self.prod)
    }

    fn token(&self, attributes: Value) -> Answer {
        self.ada.client.post(&self.path(), &resource("authentication-tokens", attributes)).expect(201)
    }

    /// Somebody in a team that has access of a level to the workspace, or these permissions in the organization.
    fn somebody(&self, name: &str, level: Option<&str>, access: Value) -> Client {
        let user = self.app.user(name);
        let team = self.ada.team_with("acme", json!({"name": name, "organization-access": access}));
        self.ada.add_to_team(&team, &user);
        if let Some(level) = level {
            self.ada.give_access(&team, &self.prod, level);
        }
        self.app.with(user.client.secret())
    }
}

#[test]
fn a_workspace_token_tells_of_its_workspace_and_its_maker() {
    let scene = Scene::set();
    let token = scene.token(json!({"description": "integration", "expired-at": "2099-01-01T00:00:00.000Z"}));
    let secret = regex::Regex::new("^lkw_[0-9A-Za-z]{49}$").unwrap();
    assert!(secret.is_match(&token.secret()));
    assert_eq!(token.attribute("kind"), "workspace");
    assert_eq!(token.attribute("token-prefix"), &json!(token.secret()[..10]));
    let related = |answer: &Answer, name: &str| answer.body["data"]["relationships"][name]["data"].clone();
    assert_eq!(related(&token, "workspace"), json!({"type": "workspaces", "id": scene.prod}));
    assert_eq!(related(&token, "organization"), json!({"type": "organizations", "id": "acme"}));
    assert_eq!(related(&token, "created-by"), json!({"type": "users", "id": scene.ada.id}));
    let listed = scene.ada.client.get(&scene.path()).expect(200);
    assert_eq!(listed.ids(), [token.id()]);
    assert_eq!(listed.body["data"][0]["attributes"]["token"], json!(null));
    let shown = scene.ada.client.get(&format!("/api/v2/authentication-tokens/{}", token.id())).expect(200);
    assert_eq!(shown.attribute("description"), "integration");
}

/// The matrix of docs/design.md §4: owner and admin all, manager create and edit, member and viewer look.
#[test]
fn who_manages_them_goes_by_the_role_in_the_workspace() {
    let scene = Scene::set();
    let nothing = || json!({});
    // Who, and what they are answered: list, show, create, edit, disable, enable, delete.
    let looks = [200, 200, 403, 403, 403, 403, 403];
    let manages = [200, 200, 201, 200, 403, 403, 403];
    let all = [200, 200, 201, 200, 200, 200, 204];
    let none = [404; 7];
    let cases = [
        ("reader", Some("read"), nothing(), looks),
        ("planner", Some("plan"), nothing(), looks),
        ("writer", Some("write"), nothing(), looks),
        ("customer", Some("custom"), nothing(), looks),
        ("chief", Some("admin"), nothing(), manages),
        ("every-reader", None, json!({"read-workspaces": true}), looks),
        ("every-manager", None, json!({"manage-workspaces": true}), all),
        ("both", Some("admin"), json!({"read-workspaces": true}), manages),
        ("nobody", None, json!({"manage-teams": true, "manage-membership": true}), none),
    ];
    let mut callers: Vec<(&str, Client, [u16; 7])> = cases
        .map(|(name, level, access, expected)| (name, scene.somebody(name, level, access), expected))
        .into_iter()
        .collect();
    callers.push(("owner", scene.app.with(scene.ada.client.secret()), all));
    for (name, client, expected) in callers {
        let id = scene.token(json!({"description": name})).id();
        let one = format!("/api/v2/authentication-tokens/{id}");
        let change = resource("authentication-tokens", json!({"description": "edited"}));
        let statuses = [
            client.get(&scene.path()).status,
            client.get(&one).status,
            client.post(&scene.path(), &resource("authentication-tokens", json!({}))).status,
            client.patch(&one, &change).status,
            client.post_nothing(&format!("{one}/actions/disable")).status,
            client.post_nothing(&format!("{one}/actions/enable")).status,
            client.delete(&one).status,
        ];
        assert_eq!(statuses, expected, "{name}");
    }
}

#[test]
fn a_manager_gives_at_most_the_own_role() {
    let scene = Scene::set();
    let chief = scene.somebody("chief", Some("admin"), json!({}));
    let ask = |attributes: Value| chief.post(&scene.path(), &resource("authentication-tokens", attributes));
    assert_eq!(ask(json!({})).expect(201).attribute("role"), "manager");
    ask(json!({"role": "viewer"})).expect(201);
    let refused = ask(json!({"role": "admin"})).expect(403);
    assert_eq!(refused.blamed(), ["/data/attributes/role"]);
    let owners = scene.token(json!({"role": "owner"})).id();
    let edit = |id: &str, attributes: Value| {
        chief.patch(&format!("/api/v2/authentication-tokens/{id}"), &resource("authentication-tokens", attributes))
    };
    edit(&owners, json!({"description": "renamed"})).expect(200);
    edit(&owners, json!({"role": "member"})).expect(200);
    edit(&owners, json!({"role": "owner"})).expect(403);
}

#[test]
fn it_sees_its_workspace_and_nothing_else() {
    let scene = Scene::set();
    let lab = scene.ada.workspace("acme", "lab");
    let open = scene.ada.team_with("acme", json!({"name": "open", "visibility": "organization"}));
    scene.ada.give_access(&open, &scene.prod, "read");
    let team_token = scene.ada.team_token(&open);
    let client = scene.app.with(&scene.token(json!({})).secret());
    let prod = client.get(&format!("/api/v2/workspaces/{}", scene.prod)).expect(200);
    assert_eq!(prod.attribute("name"), "prod");
    assert_eq!(prod.attribute("permissions")["can-update"], json!(false));
    client.get("/api/v2/organizations/acme/workspaces/prod").expect(200);
    let included = client.get(&format!("/api/v2/workspaces/{}?include=organization", scene.prod)).expect(200);
    assert!(included.body["included"].as_array().is_none_or(Vec::is_empty), "{:#}", included.body);
    assert_eq!(client.get("/api/v2/organizations").expect(200).ids(), [""; 0]);
    assert_eq!(client.get("/api/v2/organization-memberships").expect(200).ids(), [""; 0]);
    for hidden in [
        format!("workspaces/{lab}"),
        "organizations/acme".to_owned(),
        "organizations/acme/workspaces".to_owned(),
        "organizations/acme/workspaces/lab".to_owned(),
        "organizations/acme/teams".to_owned(),
        "organizations/acme/team-tokens".to_owned(),
        "organizations/acme/organization-memberships".to_owned(),
        "organization/audit-trail".to_owned(),
        format!("teams/{open}"),
        format!("teams/{open}/authentication-tokens"),
        format!("authentication-tokens/{}", team_token.id()),
        format!("users/{}", scene.ada.id),
        format!("team-workspaces?filter[workspace][id]={}", scene.prod),
        format!("team-workspaces?filter[team][id]={open}"),
    ] {
        client.get(&format!("/api/v2/{hidden}")).expect(404);
    }
    let account = client.get("/api/v2/account/details").expect(200);
    assert_eq!(
        account.body["data"]["relationships"]["authenticated-resource"]["data"],
        json!({"type": "workspaces", "id": scene.prod})
    );
}

#[test]
fn it_does_not_see_its_siblings() {
    let scene = Scene::set();
    let (own, sibling) = (scene.token(json!({})), scene.token(json!({})));
    let client = scene.app.with(&own.secret());
    assert_eq!(client.get(&scene.path()).expect(200).ids(), [own.id()]);
    client.get(&format!("/api/v2/authentication-tokens/{}", own.id())).expect(200);
    client.get(&format!("/api/v2/authentication-tokens/{}", sibling.id())).expect(404);
}

#[test]
fn it_changes_nothing_but_that_it_can_end_itself() {
    let scene = Scene::set();
    let own = scene.token(json!({}));
    let client = scene.app.with(&own.secret());
    let one = format!("/api/v2/authentication-tokens/{}", own.id());
    client.post(&scene.path(), &resource("authentication-tokens", json!({}))).expect(403);
    client.patch(&one, &resource("authentication-tokens", json!({"description": "x"}))).expect(403);
    for action in ["disable", "enable", "regenerate"] {
        client.post_nothing(&format!("{one}/actions/{action}")).expect(403);
    }
    client.patch(&format!("/api/v2/workspaces/{}", scene.prod), &resource("workspaces", json!({}))).expect(404);
    client.delete(&format!("/api/v2/workspaces/{}", scene.prod)).expect(404);
    client.delete(&one).expect(204);
    client.get(&one).expect(401);
}

#[test]
fn descriptions_need_not_be_unique() {
    let scene = Scene::set();
    let (one, two) = (scene.token(json!({"description": "same"})), scene.token(json!({"description": "same"})));
    scene.token(json!({}));
    scene.token(json!({}));
    for token in [one, two] {
        scene.app.with(&token.secret()).get(&format!("/api/v2/workspaces/{}", scene.prod)).expect(200);
    }
}

#[test]
fn they_end_with_their_workspace() {
    let scene = Scene::set();
    let client = scene.app.with(&scene.token(json!({})).secret());
    scene.ada.client.delete(&format!("/api/v2/workspaces/{}", scene.prod)).expect(204);
    client.get("/api/v2/account/details").expect(401);
    let live = "tokens WHERE kind = 'workspace' AND NOT revoked";
    until("its row says so", || scene.app.count(live) == 0);
}

#[test]
fn a_ttl_policy_for_workspace_tokens_holds() {
    let scene = Scene::set();
    let before = scene.token(json!({}));
    let client = scene.app.with(&before.secret());
    let policies = "/api/v2/organizations/acme/token-ttl-policies";
    let told = |answer: &Answer| -> Vec<String> {
        let rows = answer.body["data"].as_array().unwrap();
        rows.iter().map(|row| row["attributes"]["token-type"].as_str().unwrap().to_owned()).collect()
    };
    let shown = scene.ada.client.get(policies).expect(200);
    assert!(!told(&shown).contains(&"workspace".to_owned()), "shipped clients know of no such kind");
    let policy = json!({"token-ttl-policies": [{"token-type": "workspace", "max-ttl-ms": 3_600_000}]});
    let set = scene.ada.client.patch(policies, &resource("organization-token-ttl-policies", policy)).expect(200);
    assert!(told(&set).contains(&"workspace".to_owned()));
    let enabled = resource("organizations", json!({"max-ttl-enabled": true}));
    scene.ada.client.patch("/api/v2/organizations/acme", &enabled).expect(200);
    client.get("/api/v2/account/details").expect(200);
    let too_long = resource("authentication-tokens", json!({"expired-at": "2099-01-01T00:00:00Z"}));
    let refused = scene.ada.client.post(&scene.path(), &too_long).expect(422);
    assert_eq!(refused.blamed(), ["/data/attributes/expired-at"]);
    assert!(scene.token(json!({})).attribute("expired-at").is_string());
    scene.app.sql("UPDATE tokens SET created_at = created_at - interval '2 hours' WHERE kind = 'workspace'");
    client.get("/api/v2/account/details").expect(401);
    let shown = scene.ada.client.get(&format!("/api/v2/authentication-tokens/{}", before.id())).expect(200);
    assert_eq!(shown.attribute("status"), "expired");
}
