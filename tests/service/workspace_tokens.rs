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
        let (app, ada) = App::with_acme();
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
    assert_eq!(ask(json!({})).expect(201).attribute("role"), "viewer");
    assert_eq!(ask(json!({"role": "manager"})).expect(201).attribute("role"), "manager");
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
    // To switch it, a manager is too little; to send what it shows is to ask for nothing.
    edit(&owners, json!({"status": "inactive"})).expect(403);
    assert_eq!(edit(&owners, json!({"status": "active"})).expect(200).attribute("status"), "active");
}

/// What a workspace reaches, its own token gives, and no more.
#[test]
fn it_gives_the_abilities_that_its_workspace_has() {
    let scene = Scene::set();
    let manager = scene.token(json!({"role": "manager"}));
    let client = scene.app.with(&manager.secret());
    let workspace = format!("/api/v2/workspaces/{}", scene.prod);
    let reach = |client: &Client, abilities: Value| {
        client.patch(&workspace, &resource("workspaces", json!({ "abilities": abilities })))
    };
    let make = |abilities: Value| {
        let attributes = json!({"description": "made", "abilities": abilities});
        client.post(&scene.path(), &resource("authentication-tokens", attributes))
    };
    assert_eq!(reach(&client, json!(["storage:read"])).expect(403).blamed(), ["/data/attributes/abilities"]);
    make(json!(["storage:read"])).expect(422);
    reach(&scene.ada.client, json!(["storage:*"])).expect(200);
    assert_eq!(
        reach(&client, json!(["storage:*", "agents:read"])).expect(403).blamed(),
        ["/data/attributes/abilities"]
    );
    let made = make(json!(["storage:read"])).expect(201);
    assert_eq!(*made.attribute("effective-abilities"), json!(["storage:read"]));
    for by in [&client, &scene.ada.client] {
        assert_eq!(by.get(&format!("{}?filter[created-by]=prod", scene.path())).expect(200).ids(), [made.id()]);
    }
    // What is there can be taken away, and what is left stays.
    reach(&client, json!(["storage:read"])).expect(200);
    reach(&client, json!(["storage:*"])).expect(403);
}

#[test]
fn it_sees_its_workspace_and_nothing_else() {
    let scene = Scene::set();
    let lab = scene.ada.workspace("acme", "lab");
    let open = scene.ada.team_with("acme", json!({"name": "open", "visibility": "organization"}));
    scene.ada.give_access(&open, &scene.prod, "read");
    let team_token = scene.ada.team_token(&open);
    let client = scene.app.with(&scene.token(json!({"role": "owner"})).secret());
    let prod = client.get(&format!("/api/v2/workspaces/{}", scene.prod)).expect(200);
    assert_eq!(prod.attribute("name"), "prod");
    assert_eq!(prod.attribute("permissions")["can-update"], json!(true));
    assert_eq!(prod.attribute("permissions")["can-destroy"], json!(false));
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

/// docs/design.md §4: within its own workspace only, each role as the one before and more.
#[test]
fn what_it_may_do_goes_by_its_role() {
    let scene = Scene::set();
    let (own_ends, own_renews) = ("ends itself", "renews itself");
    let everything = [
        "list",
        "show a sibling",
        own_renews,
        "edit the workspace",
        "tag it",
        "make",
        "edit",
        "disable",
        "enable",
        "regenerate",
        "revoke",
        own_ends,
    ];
    for (role, may) in [
        ("viewer", &["list", "show a sibling", own_ends][..]),
        ("member", &["list", "show a sibling", own_renews, own_ends]),
        ("manager", &["list", "show a sibling", own_renews, "edit the workspace", "tag it", "make", "edit", own_ends]),
        ("admin", &everything),
        ("owner", &everything),
    ] {
        let own = scene.token(json!({"role": role}));
        let client = scene.app.with(&own.secret());
        let sibling = scene.token(json!({"role": "viewer"})).id();
        let at = |id: &str| format!("/api/v2/authentication-tokens/{id}");
        let workspace = format!("/api/v2/workspaces/{}", scene.prod);
        let edit = resource("authentication-tokens", json!({"description": role}));
        let tag = json!({"data": [{"type": "tags", "attributes": {"name": role}}]});
        let action = |name: &str| client.post_nothing(&format!("{}/actions/{name}", at(&sibling)));
        for what in everything {
            let answer = match what {
                "list" => client.get(&scene.path()),
                "show a sibling" => client.get(&at(&sibling)),
                "renews itself" => {
                    let grace = resource("authentication-tokens", json!({"grace-period-seconds": 600}));
                    client.post(&format!("{}/actions/regenerate", at(&own.id())), &grace)
                }
                "edit the workspace" => client.patch(&workspace, &resource("workspaces", json!({"auto-apply": true}))),
                "tag it" => client.post(&format!("{workspace}/relationships/tags"), &tag),
                "make" => client.post(&scene.path(), &resource("authentication-tokens", json!({}))),
                "edit" => client.patch(&at(&sibling), &edit),
                "revoke" => client.delete(&at(&scene.token(json!({})).id())),
                "ends itself" => client.delete(&at(&own.id())),
                other => action(other),
            };
            let allowed = (200..300).contains(&answer.status);
            assert_eq!(allowed, may.contains(&what), "{role}: {what}: {}", answer.status);
            assert!(allowed || [403, 404].contains(&answer.status), "{role}: {what}: {}", answer.status);
        }
        // Never what is not the workspace's own.
        let other = scene.app.with(&scene.token(json!({"role": role})).secret());
        other.delete(&workspace).expect(404);
        other.get(&format!("/api/v2/team-workspaces?filter[workspace][id]={}", scene.prod)).expect(404);
        for hidden in
            ["organizations/acme", "organizations/acme/workspaces", "organizations/acme/authentication-tokens"]
        {
            other.get(&format!("/api/v2/{hidden}")).expect(404);
        }
    }
}

#[test]
fn it_lists_its_siblings_and_who_made_them() {
    let scene = Scene::set();
    let manager = scene.token(json!({"role": "manager"}));
    let client = scene.app.with(&manager.secret());
    let made = client.post(&scene.path(), &resource("authentication-tokens", json!({}))).expect(201);
    assert_eq!(made.attribute("role"), "viewer");
    let maker = &made.body["data"]["relationships"]["created-by"]["data"];
    assert_eq!(*maker, json!({"type": "workspaces", "id": scene.prod}));
    assert_eq!(made.attribute("created-by-name"), "prod");
    let lab = scene.ada.workspace("acme", "lab");
    let elsewhere = format!("/api/v2/workspaces/{lab}/authentication-tokens");
    scene.ada.client.post(&elsewhere, &resource("authentication-tokens", json!({}))).expect(201);
    let mut listed = scene.app.with(&made.secret()).get(&scene.path()).expect(200).ids();
    listed.sort();
    let mut expected = vec![manager.id(), made.id()];
    expected.sort();
    assert_eq!(listed, expected);
}

#[test]
fn a_role_is_given_up_to_the_own_one() {
    let scene = Scene::set();
    let ask = |by: &str, role: &str| {
        let client = scene.app.with(&scene.token(json!({"role": by})).secret());
        client.post(&scene.path(), &resource("authentication-tokens", json!({"role": role})))
    };
    assert_eq!(scene.token(json!({})).attribute("role"), "viewer", "asked for by nobody");
    ask("manager", "manager").expect(201);
    for (by, role) in [("manager", "admin"), ("manager", "owner"), ("admin", "owner")] {
        assert_eq!(ask(by, role).expect(403).blamed(), ["/data/attributes/role"]);
    }
    ask("admin", "admin").expect(201);
    ask("owner", "owner").expect(201);
}

/// What an organization and a workspace allow binds new tokens, edits, successors, and those that are there.
#[test]
fn roles_can_be_narrowed() {
    let scene = Scene::set();
    let narrow = |path: &str, kind: &str, roles: Value| {
        scene.ada.client.patch(path, &resource(kind, json!({"allowed-token-roles": roles})))
    };
    let workspace = format!("/api/v2/workspaces/{}", scene.prod);
    let before = scene.token(json!({"role": "owner"}));
    let client = scene.app.with(&before.secret());
    let own = scene.ada.client.post_nothing("/api/v2/organizations/acme/authentication-token").expect(201);
    let rename = resource("organizations", json!({"email": "own@example.com"}));
    scene.app.with(&own.secret()).patch("/api/v2/organizations/acme", &rename).expect(200);
    let shown = |id: &str| scene.ada.client.get(&format!("/api/v2/authentication-tokens/{id}")).expect(200);
    for wrong in [json!([]), json!(["viewer", "viewer"]), json!(["king"]), json!("viewer")] {
        let refused = narrow(&workspace, "workspaces", wrong).expect(422);
        assert!(refused.blamed()[0].starts_with("/data/attributes/allowed-token-roles"), "{:?}", refused.blamed());
    }
    let set = narrow(&workspace, "workspaces", json!(["viewer", "manager"])).expect(200);
    assert_eq!(*set.attribute("allowed-token-roles"), json!(["viewer", "manager"]));
    // One that was an owner's is a manager's now, as it is shown.
    assert_eq!(shown(&before.id()).attribute("role"), "manager");
    client.post(&scene.path(), &resource("authentication-tokens", json!({}))).expect(201);
    client.post_nothing(&format!("/api/v2/authentication-tokens/{}/actions/disable", before.id())).expect(403);
    let ask =
        |role: &str| scene.ada.client.post(&scene.path(), &resource("authentication-tokens", json!({"role": role})));
    ask("manager").expect(201);
    let refused = ask("member").expect(422);
    assert_eq!(refused.blamed(), ["/data/attributes/role"]);
    assert!(refused.detail().contains("viewer, manager"), "{}", refused.detail());
    let edit = |id: &str, attributes: Value| {
        let body = resource("authentication-tokens", attributes);
        scene.ada.client.patch(&format!("/api/v2/authentication-tokens/{id}"), &body)
    };
    edit(&before.id(), json!({"role": "admin"})).expect(422);
    edit(&before.id(), json!({"description": "still there"})).expect(200);

    let organization = "/api/v2/organizations/acme";
    let set = narrow(organization, "organizations", json!(["viewer", "member"])).expect(200);
    assert_eq!(*set.attribute("allowed-token-roles"), json!(["viewer", "member"]));
    // The highest that both allow.
    assert_eq!(shown(&before.id()).attribute("role"), "viewer");
    // That of the organization itself as well.
    assert_eq!(shown(&own.id()).attribute("role"), "member");
    scene.app.with(&own.secret()).patch(organization, &rename).expect(403);
    ask("manager").expect(422);
    ask("viewer").expect(201);
    let team = scene.ada.team("acme", "ci");
    assert_eq!(scene.ada.team_token(&team).attribute("role"), "member", "the highest of those that are allowed");
    scene.ada.client.post_nothing(&format!("{organization}/authentication-token")).expect(201);
    narrow(organization, "organizations", json!(["owner"])).expect(200);
    assert!(ask("viewer").expect(422).detail().contains("there is none"));
    assert_eq!(shown(&before.id()).attribute("role"), "viewer", "where nothing is allowed by both");
    let successor = format!("/api/v2/authentication-tokens/{}/actions/regenerate", before.id());
    assert_eq!(scene.ada.client.post_nothing(&successor).expect(422).blamed(), ["/data/attributes/role"]);
    narrow(organization, "organizations", Value::Null).expect(200);
    narrow(&workspace, "workspaces", Value::Null).expect(200);
    assert_eq!(shown(&before.id()).attribute("role"), "owner");
    // A user's token is no organization's.
    let users = format!("/api/v2/users/{}/authentication-tokens", scene.ada.id);
    narrow(organization, "organizations", json!(["viewer"])).expect(200);
    let own = scene.ada.client.post(&users, &resource("authentication-tokens", json!({}))).expect(201);
    assert_eq!(own.attribute("role"), "owner");
}

/// What somebody with a higher role has narrowed, nobody widens beyond their own.
#[test]
fn nobody_lets_roles_above_their_own_be_given_again() {
    let scene = Scene::set();
    let own = scene.token(json!({"role": "owner"}));
    let (client, chief) = (scene.app.with(&own.secret()), scene.somebody("chief", Some("admin"), json!({})));
    let workspace = format!("/api/v2/workspaces/{}", scene.prod);
    let narrow = |client: &Client, roles: Value| {
        client.patch(&workspace, &resource("workspaces", json!({"allowed-token-roles": roles})))
    };
    narrow(&scene.ada.client, json!(["viewer", "manager"])).expect(200);
    for by in [&client, &chief] {
        for wider in [Value::Null, json!(["viewer", "manager", "admin"]), json!(["owner"])] {
            assert_eq!(narrow(by, wider).expect(403).blamed(), ["/data/attributes/allowed-token-roles"]);
        }
        // What is there can be sent as it is, and a role up to the own one given.
        narrow(by, json!(["viewer", "manager"])).expect(200);
        narrow(by, json!(["viewer", "member", "manager"])).expect(200);
        narrow(by, json!(["viewer", "manager"])).expect(200);
    }
    narrow(&scene.ada.client, Value::Null).expect(200);
}

/// It learns nothing of who else is in the organization.
#[test]
fn it_names_only_makers_of_its_own_tokens() {
    let scene = Scene::set();
    scene.somebody("colleague", None, json!({}));
    let client = scene.app.with(&scene.token(json!({})).secret());
    let ask = |name: &str| client.get(&format!("{}?filter[created-by]={name}", scene.path()));
    assert_eq!(ask("Ada").expect(200).ids().len(), 1);
    let (hidden, unknown) = (ask("colleague").expect(400), ask("nobody").expect(400));
    assert_eq!(hidden.detail().replace("colleague", "nobody"), unknown.detail());
}

#[test]
fn a_workspace_or_its_organization_says_which_format_is_the_usual_one() {
    let scene = Scene::set();
    let format = |path: &str, kind: &str, format: Value| {
        scene.ada.client.patch(path, &resource(kind, json!({"default-token-format": format}))).expect(200)
    };
    let (organization, workspace) = ("/api/v2/organizations/acme", format!("/api/v2/workspaces/{}", scene.prod));
    assert_eq!(scene.token(json!({})).attribute("format"), "opaque");
    format(organization, "organizations", json!("jwt"));
    assert_eq!(scene.token(json!({})).attribute("format"), "jwt");
    assert_eq!(scene.token(json!({"format": "opaque"})).attribute("format"), "opaque");
    let team = scene.ada.team("acme", "ci");
    assert_eq!(scene.ada.team_token(&team).attribute("format"), "jwt");
    format(&workspace, "workspaces", json!("opaque"));
    assert_eq!(scene.token(json!({})).attribute("format"), "opaque");
    format(&workspace, "workspaces", Value::Null);
    assert_eq!(scene.token(json!({})).attribute("format"), "jwt");
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
