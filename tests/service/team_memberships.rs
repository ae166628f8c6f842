//! `teams/:id/relationships/organization-memberships` and the list of `teams/:id/relationships/users`.

use serde_json::json;

use crate::support::App;
use crate::support::app::{Acme, User, identifiers, resource};

struct Scene {
    app: App,
    ada: User,
    team: String,
    path: String,
}

impl Scene {
    fn set() -> Self {
        let Acme { app, ada, team } = Acme::new();
        let path = format!("/api/v2/teams/{team}/relationships/organization-memberships");
        Self { app, ada, team, path }
    }

    /// A member of the organization, through a team that plays no part.
    fn member(&self, name: &str) -> (User, String) {
        let user = self.app.user(name);
        let team = self.ada.team("acme", &format!("of-{name}"));
        self.ada.add_to_team(&team, &user);
        let id = self.membership(name);
        (user, id)
    }

    fn membership(&self, name: &str) -> String {
        let list = "/api/v2/organizations/acme/organization-memberships";
        self.ada.client.get(&format!("{list}?filter[email]={name}@example.com")).expect(200).ids().remove(0)
    }

    fn invite(&self, name: &str) -> String {
        let mut body = resource("organization-memberships", json!({"email": format!("{name}@example.com")}));
        let other = self.ada.team("acme", &format!("for-{name}"));
        body["data"]["relationships"] = json!({"teams": identifiers("teams", &[&other])});
        self.ada.client.post("/api/v2/organizations/acme/organization-memberships", &body).expect(201).id()
    }
}

fn memberships(ids: &[&str]) -> serde_json::Value {
    identifiers("organization-memberships", ids)
}

#[test]
fn members_are_put_in_and_taken_out_by_their_memberships() {
    let scene = Scene::set();
    let ((bob, bobs), (joe, joes)) = (scene.member("bob"), scene.member("joe"));
    let team = format!("/api/v2/teams/{}", scene.team);
    scene.ada.client.post(&scene.path, &memberships(&[&bobs, &joes, &bobs])).expect(204);
    scene.ada.client.post(&scene.path, &memberships(&[&bobs])).expect(204);
    assert_eq!(scene.ada.client.get(&scene.path).expect(200).ids().len(), 2);
    assert_eq!(*scene.ada.client.get(&team).expect(200).attribute("users-count"), 2);
    bob.client.get(&team).expect(200);
    scene.ada.client.delete_with(&scene.path, &memberships(&[&bobs])).expect(204);
    scene.ada.client.delete_with(&scene.path, &memberships(&[&bobs])).expect(204);
    assert_eq!(scene.ada.client.get(&scene.path).expect(200).ids(), [joes]);
    bob.client.get(&team).expect(404);
    bob.client.get("/api/v2/organizations/acme").expect(200);
    joe.client.get(&team).expect(200);
    scene.ada.client.post(&scene.path, &memberships(&[])).expect(204);
}

#[test]
fn an_invited_user_is_put_in_and_stays_invited() {
    let scene = Scene::set();
    let bob = scene.app.user("bob");
    let id = scene.invite("bob");
    scene.ada.client.post(&scene.path, &memberships(&[&id])).expect(204);
    let listed = scene.ada.client.get(&scene.path).expect(200);
    assert_eq!(listed.body["data"][0]["attributes"]["status"], "invited");
    let team = format!("/api/v2/teams/{}", scene.team);
    bob.client.get(&team).expect(404);
    bob.client.post_nothing(&format!("/api/v2/organization-memberships/{id}/actions/accept")).expect(200);
    bob.client.get(&team).expect(200);
}

#[test]
fn a_foreign_or_unknown_membership_is_named_and_nobody_is_added() {
    let scene = Scene::set();
    let zoe = scene.app.user("zoe");
    zoe.organization("elsewhere");
    let foreign = zoe.client.get("/api/v2/organization-memberships").expect(200).ids().remove(0);
    let unknown = latchkey::ids::MembershipId::generate().to_string();
    let (_, bobs) = scene.member("bob");
    let before = scene.app.count("team_members");
    for wrong in [foreign.as_str(), &unknown, "nonsense", &scene.team, "bob"] {
        for answer in [
            scene.ada.client.post(&scene.path, &memberships(&[&bobs, wrong])),
            scene.ada.client.delete_with(&scene.path, &memberships(&[&bobs, wrong])),
        ] {
            let refused = answer.expect(404);
            assert_eq!(refused.blamed(), ["/data/1/id"], "{wrong}");
            assert!(refused.detail().contains(wrong), "{}", refused.detail());
        }
    }
    assert_eq!(scene.app.count("team_members"), before);
    zoe.client.get(&scene.path).expect(404);
    zoe.client.post(&scene.path, &memberships(&[&foreign])).expect(404);
    zoe.client.delete_with(&scene.path, &memberships(&[&bobs])).expect(404);
}

#[test]
fn the_last_owner_cannot_be_taken_out() {
    let scene = Scene::set();
    let owners = scene.ada.owners_team("acme");
    let path = format!("/api/v2/teams/{owners}/relationships/organization-memberships");
    let (own, (_, bobs), invited) = (scene.membership("ada"), scene.member("bob"), scene.invite("joe"));
    scene.ada.client.delete_with(&path, &memberships(&[&own])).expect(403);
    scene.ada.client.post(&path, &memberships(&[&invited])).expect(204);
    scene.ada.client.delete_with(&path, &memberships(&[&own])).expect(403);
    scene.ada.client.post(&path, &memberships(&[&bobs])).expect(204);
    scene.ada.client.delete_with(&path, &memberships(&[&own, &bobs])).expect(403);
    scene.ada.client.delete_with(&path, &memberships(&[&own])).expect(204);
    scene.ada.client.get("/api/v2/organizations/acme").expect(200);
    scene.ada.client.delete("/api/v2/organizations/acme").expect(403);
}

#[test]
fn who_may_not_change_the_team_is_refused() {
    let scene = Scene::set();
    let ((bob, bobs), (joe, _)) = (scene.member("bob"), scene.member("joe"));
    scene.ada.client.post(&scene.path, &memberships(&[&bobs])).expect(204);
    bob.client.post(&scene.path, &memberships(&[&bobs])).expect(403);
    bob.client.delete_with(&scene.path, &memberships(&[&bobs])).expect(403);
    joe.client.post(&scene.path, &memberships(&[&bobs])).expect(404);
    joe.client.delete_with(&scene.path, &memberships(&[&bobs])).expect(404);
    let owners = format!("/api/v2/teams/{}/relationships/organization-memberships", scene.ada.owners_team("acme"));
    // Who manages members reaches the teams that they see.
    scene.ada.client.patch(&format!("/api/v2/teams/{}", scene.team), &visible()).expect(200);
    for permission in ["manage-membership", "manage-teams"] {
        let manager = scene.app.user(permission);
        let team = json!({"name": permission, "organization-access": {permission: true}});
        scene.ada.add_to_team(&scene.ada.team_with("acme", team), &manager);
        manager.client.delete_with(&scene.path, &memberships(&[&bobs])).expect(204);
        manager.client.post(&scene.path, &memberships(&[&bobs])).expect(204);
        manager.client.post(&owners, &memberships(&[&bobs])).expect(403);
        manager.client.delete_with(&owners, &memberships(&[&bobs])).expect(403);
    }
}

#[test]
fn identifiers_of_another_type_are_409() {
    let scene = Scene::set();
    scene.app.user("bob");
    for answer in [
        scene.ada.client.post(&scene.path, &identifiers("users", &["bob"])),
        scene.ada.client.delete_with(&scene.path, &identifiers("users", &["bob"])),
    ] {
        assert_eq!(answer.expect(409).blamed(), ["/data/0/type"]);
    }
    for wrong in [json!({}), json!({"data": null}), json!({"data": {"type": "organization-memberships", "id": "x"}})] {
        scene.ada.client.post(&scene.path, &wrong).expect(400);
        scene.ada.client.delete_with(&scene.path, &wrong).expect(400);
    }
}

#[test]
fn the_list_is_filtered() {
    let scene = Scene::set();
    let ((_, bobs), invited) = (scene.member("bob"), scene.invite("joe"));
    let bots = scene.ada.service_account("acme", "bot").memberships().remove(0);
    scene.ada.client.post(&scene.path, &memberships(&[&bobs, &bots, &invited])).expect(204);
    let ids = |query: &str| {
        let mut ids = scene.ada.client.get(&format!("{}?{query}", scene.path)).expect(200).ids();
        ids.sort();
        ids
    };
    let sorted = |ids: &[&String]| {
        let mut ids: Vec<String> = ids.iter().map(|id| (*id).clone()).collect();
        ids.sort();
        ids
    };
    assert_eq!(ids("filter[status]=active"), sorted(&[&bobs, &bots]));
    assert_eq!(ids("filter[status]=invited"), sorted(&[&invited]));
    assert_eq!(ids("filter[is_service_account]=true"), sorted(&[&bots]));
    assert_eq!(ids("filter[is_service_account]=false"), sorted(&[&bobs, &invited]));
    assert_eq!(ids("filter[is_service_account]=false&filter[status]=active"), sorted(&[&bobs]));
    for wrong in ["filter[status]=nonsense", "filter[is_service_account]=maybe", "filter[email]=x", "q=bob"] {
        let refused = scene.ada.client.get(&format!("{}?{wrong}", scene.path)).expect(400);
        assert_eq!(refused.blamed(), [wrong.split('=').next().unwrap()]);
    }
}

#[test]
fn the_list_is_sorted_and_paged() {
    let scene = Scene::set();
    let members = ["cleo", "bob", "dan"].map(|name| scene.member(name).1);
    scene.ada.client.post(&scene.path, &memberships(&[&members[2], &members[1], &members[0]])).expect(204);
    let ids = |query: &str| scene.ada.client.get(&format!("{}?{query}", scene.path)).expect(200).ids();
    let [cleo, bob, dan] = &members;
    assert_eq!(ids("sort=username"), [bob.clone(), cleo.clone(), dan.clone()]);
    assert_eq!(ids("sort=-username"), [dan.clone(), cleo.clone(), bob.clone()]);
    assert_eq!(ids("sort=username&page[size]=2"), [bob.clone(), cleo.clone()]);
    assert_eq!(ids("sort=username&page[size]=2&page[number]=2"), std::slice::from_ref(dan));
    let listed = scene.ada.client.get(&format!("{}?page[size]=2", scene.path)).expect(200);
    assert_eq!(listed.body["meta"]["pagination"]["total-count"], 3);
    let refused = scene.ada.client.get(&format!("{}?sort=nonsense", scene.path)).expect(400);
    assert_eq!(refused.blamed(), ["sort"]);
}

#[test]
fn the_list_is_shown_to_who_sees_the_team() {
    let scene = Scene::set();
    let ((bob, bobs), (joe, _)) = (scene.member("bob"), scene.member("joe"));
    scene.ada.client.post(&scene.path, &memberships(&[&bobs])).expect(204);
    let users = format!("/api/v2/teams/{}/relationships/users", scene.team);
    let token = scene.app.with(&scene.ada.team_token(&scene.team).secret());
    for path in [&scene.path, &users] {
        for client in [&scene.ada.client, &bob.client, &token] {
            assert_eq!(client.get(path).expect(200).ids().len(), 1);
        }
        joe.client.get(path).expect(404);
    }
}

#[test]
fn users_of_a_team_are_listed() {
    let scene = Scene::set();
    let ((bob, bobs), (joe, joes)) = (scene.member("bob"), scene.member("joe"));
    let users = format!("/api/v2/teams/{}/relationships/users", scene.team);
    assert_eq!(scene.ada.client.get(&users).expect(200).body["data"], json!([]));
    scene.ada.client.post(&scene.path, &memberships(&[&bobs, &joes])).expect(204);
    let listed = scene.ada.client.get(&users).expect(200);
    let mut ids = listed.ids();
    ids.sort();
    let mut expected = [bob.id, joe.id];
    expected.sort();
    assert_eq!(ids, expected);
    assert_eq!(listed.body["data"][0]["type"], "users");
}

#[test]
fn each_change_is_audited_once() {
    let scene = Scene::set();
    let (bob, bobs) = scene.member("bob");
    let about = format!("audit_events WHERE resource_type = 'team_member' AND resource_id = '{}'", bob.id);
    let about = format!("{about} AND meta ->> 'team' = '{}'", scene.team);
    for _ in 0..2 {
        scene.ada.client.post(&scene.path, &memberships(&[&bobs])).expect(204);
    }
    assert_eq!(scene.app.count(&format!("{about} AND action = 'create'")), 1);
    for _ in 0..2 {
        scene.ada.client.delete_with(&scene.path, &memberships(&[&bobs])).expect(204);
    }
    assert_eq!(scene.app.count(&format!("{about} AND action = 'destroy'")), 1);
}

fn visible() -> serde_json::Value {
    resource("teams", json!({"visibility": "organization"}))
}

/// By their permission to manage members, nobody reaches a team that they do not see, or gets permissions that they lack.
#[test]
fn who_manages_members_gets_no_more_by_it() {
    let scene = Scene::set();
    let mia = scene.app.user("mia");
    let hosts = json!({"name": "hosts", "organization-access": {"manage-membership": true}});
    scene.ada.add_to_team(&scene.ada.team_with("acme", hosts), &mia);
    let mias = scene.membership("mia");
    for visibility in ["secret", "organization"] {
        let rights = json!({"manage-teams": true, "manage-membership": true});
        let vault = json!({"name": visibility, "visibility": visibility, "organization-access": rights});
        let vault = scene.ada.team_with("acme", vault);
        let status = if visibility == "secret" { 404 } else { 403 };
        let users = format!("/api/v2/teams/{vault}/relationships/users");
        mia.client.post(&users, &identifiers("users", &["mia"])).expect(status);
        let members = format!("/api/v2/teams/{vault}/relationships/organization-memberships");
        mia.client.post(&members, &memberships(&[&mias])).expect(status);
        let mut invitation = resource("organization-memberships", json!({"email": "x@example.com"}));
        let nowhere = "team-1111111111111111";
        invitation["data"]["relationships"] = json!({"teams": identifiers("teams", &[&vault, nowhere])});
        let answer = mia.client.post("/api/v2/organizations/acme/organization-memberships", &invitation).expect(404);
        if visibility == "secret" {
            let errors = answer.body["errors"].as_array().unwrap();
            let ids = [vault.as_str(), nowhere];
            let alike = |error: &serde_json::Value| {
                let detail = error["detail"].as_str().unwrap().to_owned();
                ids.iter().fold(detail, |detail, id| detail.replace(id, "…"))
            };
            assert_eq!((errors.len(), alike(&errors[0])), (2, alike(&errors[1])));
        }
    }
    // Nor by a token of their team, which acts for them.
    let vaults = scene.ada.client.get("/api/v2/organizations/acme/teams?filter[names]=organization").expect(200).ids();
    let hosts = scene.ada.client.get("/api/v2/organizations/acme/teams?filter[names]=hosts").expect(200).ids();
    let token = scene.app.with(&scene.ada.team_token(&hosts[0]).secret());
    let users = format!("/api/v2/teams/{}/relationships/users", vaults[0]);
    token.post(&users, &identifiers("users", &["mia"])).expect(403);
    let joe = scene.member("joe").0;
    token.post(&users, &identifiers("users", &[&joe.username])).expect(204);
    // A team without permissions that mia lacks is another matter.
    let open = scene.ada.team_with("acme", json!({"name": "open", "visibility": "organization"}));
    let users = format!("/api/v2/teams/{open}/relationships/users");
    mia.client.post(&users, &identifiers("users", &["mia"])).expect(204);
}
