//! `organizations/:name/teams` and `teams/:id`.

use serde_json::{Value, json};

use crate::support::App;
use crate::support::app::{identifiers, resource};

#[test]
fn a_new_team_is_secret_and_its_members_may_handle_its_tokens() {
    let (_app, ada) = App::with_acme();
    let made = ada.client.post("/api/v2/organizations/acme/teams", &resource("teams", json!({"name": "ci"})));
    let made = made.expect(200);
    assert!(made.id().starts_with("team-"));
    assert_eq!(*made.attribute("name"), "ci");
    assert_eq!(*made.attribute("description"), Value::Null);
    assert_eq!(*made.attribute("visibility"), "secret");
    assert_eq!(*made.attribute("allow-member-token-management"), true);
    assert_eq!(*made.attribute("users-count"), 0);
    let access = made.attribute("organization-access").as_object().unwrap();
    assert!(access.contains_key("manage-teams") && access.values().all(|given| *given == false), "{access:?}");
    let relationships = &made.body["data"]["relationships"];
    assert_eq!(relationships["organization"]["data"], json!({"type": "organizations", "id": "acme"}));
    assert_eq!(relationships["users"]["data"], json!([]));
}

#[test]
fn a_team_has_what_its_maker_says() {
    let (_app, ada) = App::with_acme();
    let attributes = json!({
        "name": "ci", "description": "builds", "visibility": "organization", "sso-team-id": "sso-1",
        "allow-member-token-management": false, "organization-access": {"manage-workspaces": true},
    });
    let team = ada.team_with("acme", attributes);
    let shown = ada.client.get(&format!("/api/v2/teams/{team}")).expect(200);
    assert_eq!(*shown.attribute("description"), "builds");
    assert_eq!(*shown.attribute("visibility"), "organization");
    assert_eq!(*shown.attribute("sso-team-id"), "sso-1");
    assert_eq!(*shown.attribute("allow-member-token-management"), false);
    assert_eq!(shown.attribute("organization-access")["manage-workspaces"], true);
    assert_eq!(shown.attribute("organization-access")["manage-teams"], false);
}

#[test]
fn a_team_name_is_unique_without_regard_to_case() {
    let (app, ada) = App::with_acme();
    ada.team("acme", "Builders");
    let other = ada.team("acme", "other");
    for taken in ["builders", "BUILDERS", "Owners"] {
        let document = resource("teams", json!({"name": taken}));
        for refused in [
            ada.client.post("/api/v2/organizations/acme/teams", &document),
            ada.client.patch(&format!("/api/v2/teams/{other}"), &document),
        ] {
            let refused = refused.expect(422);
            assert_eq!(refused.blamed(), ["/data/attributes/name"]);
            assert_eq!(refused.detail(), "Name has already been taken");
        }
    }
    assert_eq!(app.count("teams"), 3);
}

#[test]
fn the_same_team_name_can_be_used_in_two_organizations() {
    let (_app, ada) = App::with_acme();
    ada.organization("other");
    assert_ne!(ada.team("acme", "ci"), ada.team("other", "ci"));
}

#[test]
fn a_team_name_holds_1_to_90_letters_digits_hyphens_underscores_slashes_and_spaces() {
    let (_app, ada) = App::with_acme();
    let create =
        |name: &str| ada.client.post("/api/v2/organizations/acme/teams", &resource("teams", json!({"name": name})));
    let list = "/api/v2/organizations/acme/teams";
    for name in ["a", "A-b_9", "team name with spaces", "team/name/with/slashes", "/", &"x".repeat(90)] {
        let made = create(name).expect(200);
        assert_eq!(*made.attribute("name"), name);
        let asked = name.replace(' ', "%20");
        assert_eq!(ada.client.get(&format!("{list}?filter[names]={asked}")).expect(200).ids(), [made.id()], "{name:?}");
        assert!(ada.client.get(&format!("{list}?q={asked}")).expect(200).ids().contains(&made.id()), "{name:?}");
    }
    for name in ["", " ", " a", "a ", "a.b", "ä", "a\n", "a\tb", "a,b", &"x".repeat(91)] {
        assert_eq!(create(name).expect(422).blamed(), ["/data/attributes/name"], "{name:?}");
    }
}

#[test]
fn team_attributes_are_validated() {
    let (_app, ada) = App::with_acme();
    let team = ada.team("acme", "ci");
    let path = format!("/api/v2/teams/{team}");
    let before = ada.client.get(&path).expect(200);
    for (attributes, pointer) in [
        (json!({"name": 7}), "name"),
        (json!({"description": ["a"]}), "description"),
        (json!({"description": "x".repeat(1001)}), "description"),
        (json!({"visibility": "everyone"}), "visibility"),
        (json!({"sso-team-id": {}}), "sso-team-id"),
        (json!({"allow-member-token-management": "yes"}), "allow-member-token-management"),
        (json!({"organization-access": true}), "organization-access"),
        (json!({"organization-access": {"manage-teams": "yes"}}), "organization-access/manage-teams"),
    ] {
        let refused = ada.client.patch(&path, &resource("teams", attributes)).expect(422);
        assert_eq!(refused.blamed(), [format!("/data/attributes/{pointer}")]);
    }
    let several = resource("teams", json!({"name": "a.b", "visibility": 1, "description": 2}));
    let refused = ada.client.patch(&path, &several).expect(422);
    let pointers = ["/data/attributes/description", "/data/attributes/name", "/data/attributes/visibility"];
    assert_eq!(refused.blamed(), pointers);
    let nameless = ada.client.post("/api/v2/organizations/acme/teams", &resource("teams", json!({}))).expect(422);
    assert_eq!(nameless.blamed(), ["/data/attributes/name"]);
    assert_eq!(ada.client.get(&path).expect(200).body["data"], before.body["data"]);
}

#[test]
fn a_team_is_changed_only_in_what_is_sent() {
    let (_app, ada) = App::with_acme();
    let team = ada.team_with("acme", json!({"name": "ci", "description": "builds", "sso-team-id": "sso-1"}));
    let path = format!("/api/v2/teams/{team}");
    let changes = json!({
        "name": "CI", "visibility": "organization", "users-count": 7, "permissions": {"can-destroy": false}, "colour": 1,
    });
    let changed = ada.client.patch(&path, &resource("teams", changes)).expect(200);
    assert_eq!(*changed.attribute("name"), "CI");
    assert_eq!(*changed.attribute("visibility"), "organization");
    assert_eq!(*changed.attribute("description"), "builds");
    assert_eq!(*changed.attribute("sso-team-id"), "sso-1");
    assert_eq!(*changed.attribute("users-count"), 0);
    assert_eq!(changed.attribute("permissions")["can-destroy"], true);
    assert_eq!(ada.client.get(&path).expect(200).body["data"], changed.body["data"]);
}

#[test]
fn null_takes_a_description_away_and_leaves_a_name() {
    let (_app, ada) = App::with_acme();
    let team = ada.team_with("acme", json!({"name": "ci", "description": "builds", "sso-team-id": "sso-1"}));
    let changes = json!({
        "name": null, "description": null, "sso-team-id": null, "visibility": null, "organization-access": null,
    });
    let changed = ada.client.patch(&format!("/api/v2/teams/{team}"), &resource("teams", changes)).expect(200);
    assert_eq!(*changed.attribute("name"), "ci");
    assert_eq!(*changed.attribute("description"), Value::Null);
    assert_eq!(*changed.attribute("sso-team-id"), Value::Null);
    assert_eq!(*changed.attribute("visibility"), "secret");
}

#[test]
fn organization_access_merges() {
    let (_app, ada) = App::with_acme();
    let team = ada.team_with("acme", json!({"name": "ci", "organization-access": {"manage-workspaces": true}}));
    let patch = |access: Value| {
        let document = resource("teams", json!({"organization-access": access}));
        let changed = ada.client.patch(&format!("/api/v2/teams/{team}"), &document).expect(200);
        let access = changed.attribute("organization-access").as_object().unwrap().clone();
        access.into_iter().filter(|(_, given)| *given == true).map(|(name, _)| name).collect::<Vec<_>>()
    };
    assert_eq!(patch(json!({"manage-teams": true})), ["manage-teams", "manage-workspaces"]);
    assert_eq!(patch(json!({"manage-workspaces": false, "manage-teams": null})), ["manage-teams"]);
    assert_eq!(patch(json!({"fly": true})), ["manage-teams"]);
    assert_eq!(patch(json!({})), ["manage-teams"]);
}

#[test]
fn organization_access_is_not_given_without_manage_organization_access() {
    let app = App::start();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    ada.organization("acme");
    let managers = ada.team_with("acme", json!({"name": "managers", "organization-access": {"manage-teams": true}}));
    ada.add_to_team(&managers, &bob);
    let team = ada.team("acme", "ci");
    let path = format!("/api/v2/teams/{team}");
    let giving = resource("teams", json!({"name": "new", "organization-access": {"manage-workspaces": true}}));
    for refused in [
        bob.client.post("/api/v2/organizations/acme/teams", &giving),
        bob.client.patch(&path, &giving),
        bob.client.patch(&format!("/api/v2/teams/{managers}"), &giving),
    ] {
        assert!(refused.expect(403).detail().contains("manage-organization-access"));
    }
    assert_eq!(app.count("teams"), 3);
    assert_eq!(*ada.client.get(&path).expect(200).attribute("name"), "ci");
    // Saying what is so already gives nothing.
    let same = resource("teams", json!({"description": "x", "organization-access": {"manage-workspaces": false}}));
    bob.client.patch(&path, &same).expect(200);
    let also = resource("teams", json!({"organization-access": {"manage-organization-access": true}}));
    ada.client.patch(&format!("/api/v2/teams/{managers}"), &also).expect(200);
    bob.client.patch(&path, &giving).expect(200);
}

#[test]
fn a_deleted_team_is_gone_with_its_tokens_and_permissions() {
    let app = App::start();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    ada.organization("acme");
    let team = ada.team_with("acme", json!({"name": "ci", "organization-access": {"manage-teams": true}}));
    ada.add_to_team(&team, &bob);
    let token = ada.team_token(&team);
    bob.team("acme", "made-by-bob");
    ada.client.delete(&format!("/api/v2/teams/{team}")).expect(204);
    ada.client.get(&format!("/api/v2/teams/{team}")).expect(404);
    ada.client.delete(&format!("/api/v2/teams/{team}")).expect(404);
    app.with(&token.secret()).get("/api/v2/account/details").expect(401);
    ada.client.get(&format!("/api/v2/authentication-tokens/{}", token.id())).expect(404);
    let another = resource("teams", json!({"name": "another"}));
    bob.client.post("/api/v2/organizations/acme/teams", &another).expect(404);
    bob.client.get("/api/v2/organizations/acme").expect(200);
    ada.team("acme", "ci");
}

#[test]
fn q_searches_team_names_without_regard_to_case() {
    let (_app, ada) = App::with_acme();
    let builders = ada.team("acme", "Builders");
    ada.team("acme", "testers");
    let found = |q: &str| ada.client.get(&format!("/api/v2/organizations/acme/teams?q={q}")).expect(200).ids();
    assert_eq!(found("BUILD"), [builders]);
    assert_eq!(found("ERS").len(), 3);
    assert!(found("%25").is_empty());
}

#[test]
fn filter_names_takes_a_list_with_commas_or_repeated() {
    let (_app, ada) = App::with_acme();
    let (ci, qa) = (ada.team("acme", "ci"), ada.team("acme", "qa"));
    let found = |query: &str| ada.client.get(&format!("/api/v2/organizations/acme/teams?{query}")).expect(200).ids();
    assert_eq!(found("filter[names]=ci,qa,nothing"), [ci.as_str(), &qa]);
    assert_eq!(found("filter[names]=ci&filter[names]=qa"), [ci.as_str(), &qa]);
    assert_eq!(found("filter[names]=CI"), [ci]);
    assert!(found("filter[names]=c").is_empty());
    assert_eq!(found("filter[names]=ci,qa&q=q"), [qa]);
}

#[test]
fn a_list_of_teams_is_sorted_and_paged() {
    let (_app, ada) = App::with_acme();
    let (b, a) = (ada.team("acme", "b"), ada.team("acme", "a"));
    let owners = ada.owners_team("acme");
    let list = |query: &str| ada.client.get(&format!("/api/v2/organizations/acme/teams?{query}")).expect(200);
    assert_eq!(list("sort=name").ids(), [&a, &b, &owners].map(String::clone));
    assert_eq!(list("sort=-name").ids(), [&owners, &b, &a].map(String::clone));
    let second = list("sort=name&page[size]=2&page[number]=2");
    assert_eq!(second.ids(), [owners]);
    assert_eq!(second.body["meta"]["pagination"]["total-count"], 3);
}

#[test]
fn users_can_be_included() {
    let app = App::start();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    ada.organization("acme");
    let team = ada.team("acme", "ci");
    ada.add_to_team(&team, &bob);
    ada.add_to_team(&team, &ada);
    let all = ada.client.get("/api/v2/organizations/acme/teams?include=users").expect(200);
    let included = all.body["included"].as_array().unwrap();
    let mut names: Vec<_> = included.iter().map(|user| user["attributes"]["username"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["ada", "bob"], "ada is in two teams and there once");
    assert!(included.iter().all(|user| user["type"] == "users" && user["attributes"].get("email").is_none()));
    let one = ada.client.get(&format!("/api/v2/teams/{team}?include=users")).expect(200);
    assert_eq!(one.body["included"].as_array().unwrap().len(), 2);
    let linkage = json!([{"type": "users", "id": bob.id}, {"type": "users", "id": ada.id}]);
    assert_eq!(one.body["data"]["relationships"]["users"]["data"], linkage);
}

#[test]
fn memberships_can_be_included() {
    let app = App::start();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    ada.organization("acme");
    let team = ada.team("acme", "ci");
    ada.add_to_team(&team, &bob);
    let one = ada.client.get(&format!("/api/v2/teams/{team}?include=organization-memberships")).expect(200);
    let membership = &one.body["included"][0];
    assert_eq!(membership["type"], "organization-memberships");
    assert_eq!(membership["attributes"]["status"], "active");
    assert_eq!(membership["relationships"]["user"]["data"]["id"], bob.id.as_str());
    let linked = &one.body["data"]["relationships"]["organization-memberships"]["data"];
    assert_eq!(*linked, json!([{"type": "organization-memberships", "id": membership["id"]}]));
}

#[test]
fn users_count_follows_who_is_in_the_team() {
    let app = App::start();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    ada.organization("acme");
    let team = ada.team("acme", "ci");
    let count = || ada.client.get(&format!("/api/v2/teams/{team}")).expect(200).attribute("users-count").clone();
    assert_eq!(count(), 0);
    ada.add_to_team(&team, &bob);
    assert_eq!(count(), 1);
    let path = format!("/api/v2/teams/{team}/relationships/users");
    ada.client.delete_with(&path, &identifiers("users", &["bob"])).expect(204);
    assert_eq!(count(), 0);
}

#[test]
fn a_secret_team_is_seen_by_its_members_and_by_who_may_see_secret_teams() {
    let (app, ada) = App::with_acme();
    let hidden = ada.team("acme", "hidden");
    let inside = app.user("inside");
    ada.add_to_team(&hidden, &inside);
    let managing = json!({"name": "managing", "organization-access": {"manage-teams": true}});
    let looking = json!({"name": "looking", "organization-access": {"access-secret-teams": true}});
    let (manager, looker) = (app.user("manager"), app.user("looker"));
    ada.add_to_team(&ada.team_with("acme", managing), &manager);
    ada.add_to_team(&ada.team_with("acme", looking), &looker);
    for who in [&ada, &inside, &manager, &looker] {
        who.client.get(&format!("/api/v2/teams/{hidden}")).expect(200);
        assert!(who.client.get("/api/v2/organizations/acme/teams").expect(200).ids().contains(&hidden));
    }
    app.with(&ada.team_token(&hidden).secret()).get(&format!("/api/v2/teams/{hidden}")).expect(200);
}

#[test]
fn a_secret_team_is_hidden_from_other_members() {
    let app = App::start();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    ada.organization("acme");
    let hidden = ada.team("acme", "hidden");
    let bobs = ada.team("acme", "bobs");
    ada.add_to_team(&bobs, &bob);
    bob.client.get(&format!("/api/v2/teams/{hidden}")).expect(404);
    let listed = bob.client.get("/api/v2/organizations/acme/teams").expect(200);
    assert_eq!(listed.ids(), [ada.owners_team("acme"), bobs.clone()]);
    assert_eq!(listed.body["meta"]["pagination"]["total-count"], 2);
    assert!(bob.client.get("/api/v2/organizations/acme/teams?filter[names]=hidden").expect(200).ids().is_empty());
    let members = format!("/api/v2/teams/{hidden}/relationships/users");
    bob.client.post(&members, &identifiers("users", &["bob"])).expect(404);
    bob.client.get(&format!("/api/v2/teams/{hidden}/authentication-tokens")).expect(404);
    app.with(&ada.team_token(&bobs).secret()).get(&format!("/api/v2/teams/{hidden}")).expect(404);
}

#[test]
fn an_open_team_is_seen_by_every_member() {
    let app = App::start();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    ada.organization("acme");
    let open = ada.team_with("acme", json!({"name": "open", "visibility": "organization"}));
    ada.add_to_team(&ada.team("acme", "bobs"), &bob);
    bob.client.get(&format!("/api/v2/teams/{open}")).expect(200);
    let closing = resource("teams", json!({"visibility": "secret"}));
    ada.client.patch(&format!("/api/v2/teams/{open}"), &closing).expect(200);
    bob.client.get(&format!("/api/v2/teams/{open}")).expect(404);
}

#[test]
fn permissions_tell_what_the_caller_may_do() {
    let app = App::start();
    let (ada, bob, joe) = (app.user("ada"), app.user("bob"), app.user("joe"));
    ada.organization("acme");
    let team = ada.team_with("acme", json!({"name": "ci", "visibility": "organization"}));
    ada.add_to_team(&team, &bob);
    let managing = json!({"name": "managing", "organization-access": {"manage-teams": true}});
    ada.add_to_team(&ada.team_with("acme", managing), &joe);
    let path = format!("/api/v2/teams/{team}");
    let of_ada = ada.client.get(&path).expect(200).attribute("permissions").clone();
    assert!(of_ada.as_object().unwrap().values().all(|can| *can == true), "{of_ada}");
    let of_joe = joe.client.get(&path).expect(200).attribute("permissions").clone();
    assert_eq!((&of_joe["can-destroy"], &of_joe["can-update-name"]), (&json!(true), &json!(true)));
    assert_eq!(of_joe["can-update-organization-access"], false);
    let of_bob = bob.client.get(&path).expect(200).attribute("permissions").clone();
    assert_eq!((&of_bob["can-destroy"], &of_bob["can-update-membership"]), (&json!(false), &json!(false)));
    assert_eq!((&of_bob["can-update-api-token"], &of_bob["can-view-api-token"]), (&json!(true), &json!(true)));
    let owners = format!("/api/v2/teams/{}", ada.owners_team("acme"));
    let of_ada = ada.client.get(&owners).expect(200).attribute("permissions").clone();
    assert_eq!((&of_ada["can-destroy"], &of_ada["can-update-name"]), (&json!(false), &json!(false)));
    let of_joe = joe.client.get(&owners).expect(200).attribute("permissions").clone();
    assert!(of_joe.as_object().unwrap().values().all(|can| *can == false), "{of_joe}");
}

#[test]
fn the_team_owners_cannot_be_renamed() {
    let (_app, ada) = App::with_acme();
    let path = format!("/api/v2/teams/{}", ada.owners_team("acme"));
    for name in ["others", "Owners"] {
        let refused = ada.client.patch(&path, &resource("teams", json!({"name": name}))).expect(422);
        assert_eq!(refused.blamed(), ["/data/attributes/name"]);
    }
    ada.client.patch(&path, &resource("teams", json!({"name": "owners"}))).expect(200);
}

#[test]
fn the_team_owners_cannot_be_deleted() {
    let app = App::start();
    let (ada, root) = (app.user("ada"), app.site_admin("root"));
    ada.organization("acme");
    let owners = ada.owners_team("acme");
    let refused = ada.client.delete(&format!("/api/v2/teams/{owners}")).expect(403);
    assert!(refused.detail().contains("owners"), "{}", refused.detail());
    assert_ne!(root.client.delete(&format!("/api/v2/teams/{owners}")).status, 204);
    ada.client.get(&format!("/api/v2/teams/{owners}")).expect(200);
}

#[test]
fn the_team_owners_keeps_every_permission() {
    let (_app, ada) = App::with_acme();
    let path = format!("/api/v2/teams/{}", ada.owners_team("acme"));
    let taking = resource("teams", json!({"organization-access": {"manage-teams": false}}));
    let refused = ada.client.patch(&path, &taking).expect(422);
    assert!(refused.blamed()[0].starts_with("/data/attributes/organization-access"));
    let shown = ada.client.get(&path).expect(200);
    let access = shown.attribute("organization-access").as_object().unwrap();
    assert!(access.values().all(|given| *given == true), "{access:?}");
}

#[test]
fn what_else_the_team_owners_is_can_be_changed() {
    let (_app, ada) = App::with_acme();
    let path = format!("/api/v2/teams/{}", ada.owners_team("acme"));
    let changes = json!({"description": "we", "sso-team-id": "sso-1", "organization-access": {"manage-teams": true}});
    let changed = ada.client.patch(&path, &resource("teams", changes)).expect(200);
    assert_eq!(*changed.attribute("description"), "we");
    assert_eq!(*changed.attribute("sso-team-id"), "sso-1");
}

#[test]
fn who_manages_teams_does_everything_but_to_owners() {
    let app = App::start();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    ada.organization("acme");
    let managers = ada.team_with("acme", json!({"name": "managers", "organization-access": {"manage-teams": true}}));
    ada.add_to_team(&managers, &bob);
    let by_token = app.with(&ada.team_token(&managers).secret());
    for (name, client) in [("by-bob", &bob.client), ("by-token", &by_token)] {
        let document = resource("teams", json!({"name": name}));
        let team = client.post("/api/v2/organizations/acme/teams", &document).expect(200).id();
        let path = format!("/api/v2/teams/{team}");
        client.patch(&path, &resource("teams", json!({"visibility": "organization"}))).expect(200);
        client.post(&format!("{path}/relationships/users"), &identifiers("users", &["ada"])).expect(204);
        client.post_nothing(&format!("{path}/authentication-token")).expect(201);
        client.delete(&path).expect(204);

        let owners = format!("/api/v2/teams/{}", ada.owners_team("acme"));
        client.patch(&owners, &resource("teams", json!({"description": "mine"}))).expect(404);
        client.delete(&owners).expect(404);
        client.post(&format!("{owners}/relationships/users"), &identifiers("users", &["bob"])).expect(403);
        client.delete_with(&format!("{owners}/relationships/users"), &identifiers("users", &["ada"])).expect(403);
        client.post_nothing(&format!("{owners}/authentication-token")).expect(403);
    }
    let owners = ada.client.get(&format!("/api/v2/teams/{}", ada.owners_team("acme"))).expect(200);
    assert_eq!((owners.attribute("users-count"), owners.attribute("description")), (&json!(1), &Value::Null));
}

#[test]
fn a_member_who_manages_nothing_finds_no_way_to_change_teams() {
    let app = App::start();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    ada.organization("acme");
    let team = ada.team("acme", "ci");
    ada.add_to_team(&team, &bob);
    let by_token = app.with(&ada.team_token(&team).secret());
    let document = resource("teams", json!({"name": "mine"}));
    for client in [&bob.client, &by_token] {
        client.post("/api/v2/organizations/acme/teams", &document).expect(404);
        client.patch(&format!("/api/v2/teams/{team}"), &document).expect(404);
        client.delete(&format!("/api/v2/teams/{team}")).expect(404);
    }
    assert_eq!(*ada.client.get(&format!("/api/v2/teams/{team}")).expect(200).attribute("name"), "ci");
    assert_eq!(app.count("teams"), 2);
}

#[test]
fn a_stranger_finds_no_team() {
    let app = App::start();
    let (ada, eve) = (app.user("ada"), app.user("eve"));
    ada.organization("acme");
    eve.organization("eves");
    let team = ada.team_with("acme", json!({"name": "open", "visibility": "organization"}));
    let document = resource("teams", json!({"name": "mine"}));
    let absent = "team-1111111111111111";
    for (hidden, absent) in [(&team, absent), (&ada.owners_team("acme"), absent)] {
        let ask = |id: &str| {
            let path = format!("/api/v2/teams/{id}");
            let users = identifiers("users", &["eve"]);
            [
                eve.client.get(&path),
                eve.client.patch(&path, &document),
                eve.client.delete(&path),
                eve.client.post(&format!("{path}/relationships/users"), &users),
                eve.client.delete_with(&format!("{path}/relationships/users"), &users),
                eve.client.post_nothing(&format!("{path}/authentication-token")),
            ]
        };
        for (mut seen, mut absent) in ask(hidden).into_iter().zip(ask(absent)) {
            assert_eq!((seen.status, absent.status), (404, 404));
            seen.body["errors"][0]["id"].take();
            absent.body["errors"][0]["id"].take();
            assert_eq!(seen.body, absent.body);
        }
    }
}

/// Who takes a right from their own team may do so, although they lack it afterwards.
#[test]
fn a_right_can_be_given_up() {
    let app = App::start();
    let (ada, mel) = (app.user("ada"), app.user("mel"));
    ada.organization("acme");
    let rights = json!({"manage-teams": true, "manage-organization-access": true});
    let team = ada.team_with("acme", json!({"name": "leads", "organization-access": rights}));
    ada.add_to_team(&team, &mel);
    let less = resource("teams", json!({"name": "former", "organization-access": {"manage-teams": false}}));
    mel.client.patch(&format!("/api/v2/teams/{team}"), &less).expect(200);
    mel.client.post("/api/v2/organizations/acme/teams", &resource("teams", json!({"name": "x"}))).expect(404);
}
