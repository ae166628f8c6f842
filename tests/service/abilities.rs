//! What tokens may reach at other services: their own abilities, of their owner's, of those that their organization has
//! registered (docs/design.md §1, §4).

use serde_json::{Value, json};

use crate::support::App;
use crate::support::app::{User, resource};
use crate::support::client::Answer;
use crate::support::process::until;

const ABILITIES: &str = "/api/v2/organizations/acme/abilities";

struct Scene {
    app: App,
    ada: User,
    team: String,
}

impl Scene {
    fn set() -> Self {
        let (app, ada) = App::with_acme();
        let abilities = json!(["agents:read", "storage:*", "webhooks:*", "old:*", "whatever:read"]);
        let team = ada.team_with("acme", json!({"name": "ci", "abilities": abilities}));
        Self { app, ada, team }
    }

    /// What a team or a workspace may reach from now on.
    fn give(&self, path: &str, kind: &str, abilities: Value) -> Answer {
        self.ada.client.patch(path, &resource(kind, json!({ "abilities": abilities })))
    }

    fn effective(&self, token: &str) -> Value {
        let shown = self.ada.client.get(&format!("/api/v2/authentication-tokens/{token}")).expect(200);
        shown.attribute("effective-abilities").clone()
    }

    fn register(&self, names: &[&str]) -> Answer {
        let items: Vec<Value> = names.iter().map(|name| json!({"name": name, "description": null})).collect();
        self.ada.client.patch(ABILITIES, &registry(json!(items)))
    }

    fn team_token(&self, abilities: &[&str]) -> Answer {
        self.make(&format!("/api/v2/teams/{}/authentication-tokens", self.team), abilities)
    }

    fn make(&self, path: &str, abilities: &[&str]) -> Answer {
        let description = uuid::Uuid::now_v7().to_string();
        let attributes = json!({"description": description, "abilities": abilities});
        self.ada.client.post(path, &resource("authentication-tokens", attributes))
    }

    fn edit(&self, token: &str, abilities: &[&str]) -> Answer {
        let path = format!("/api/v2/authentication-tokens/{token}");
        self.ada.client.patch(&path, &resource("authentication-tokens", json!({ "abilities": abilities })))
    }
}

fn registry(items: Value) -> Value {
    resource("abilities", json!({ "abilities": items }))
}

#[track_caller]
fn assert_unregistered(answer: Answer) {
    let answer = answer.expect(422);
    assert_eq!(answer.blamed(), ["/data/attributes/abilities"]);
    assert!(answer.detail().contains("registered"), "{}", answer.detail());
}

#[test]
fn nothing_is_registered_at_first_and_tokens_get_any() {
    let scene = Scene::set();
    assert_eq!(scene.ada.client.get(ABILITIES).expect(200).body["data"], json!([]));
    let made = scene.team_token(&["agents:read", "storage:*"]).expect(201);
    assert_eq!(*made.attribute("abilities"), json!(["agents:read", "storage:*"]));
}

#[test]
fn a_registration_takes_the_place_of_the_one_before() {
    let scene = Scene::set();
    let endpoints = json!([{"methods": ["POST", "PUT"], "path": "/api/webhook/*"}]);
    let two = json!([
        {"name": "webhooks:send", "description": "Send webhooks", "endpoints": endpoints},
        {"name": "agents:read", "description": null, "unknown": 7},
    ]);
    let set = scene.ada.client.patch(ABILITIES, &registry(two)).expect(200);
    let expected = json!([
        {"type": "abilities", "id": "agents:read",
         "attributes": {"name": "agents:read", "description": null, "endpoints": []}},
        {"type": "abilities", "id": "webhooks:send",
         "attributes": {"name": "webhooks:send", "description": "Send webhooks", "endpoints": endpoints}},
    ]);
    assert_eq!(set.body["data"], expected);
    assert_eq!(scene.ada.client.get(ABILITIES).expect(200).body["data"], expected);
    assert_eq!(scene.register(&["storage:*"]).expect(200).ids(), ["storage:*"]);
    assert_eq!(scene.ada.client.get(ABILITIES).expect(200).ids(), ["storage:*"]);
    assert_eq!(scene.register(&[]).expect(200).ids(), Vec::<String>::new());
    scene.team_token(&["whatever:read"]).expect(201);

    let names: Vec<String> = (0..1000).map(|nth| format!("thing-{nth:04}:read")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    assert_eq!(scene.register(&names).expect(200).ids(), names);
}

#[test]
fn a_wrong_registration_is_refused_whole() {
    let scene = Scene::set();
    scene.register(&["agents:read"]).expect(200);
    let list = "/data/attributes/abilities";
    let many: Vec<Value> = (0..1001).map(|nth| json!({"name": format!("thing-{nth}:read")})).collect();
    for (items, blamed) in [
        (json!(null), vec![list.to_owned()]),
        (json!("agents:read"), vec![list.to_owned()]),
        (json!(["agents:read"]), vec![format!("{list}/0")]),
        (json!([{}]), vec![format!("{list}/0")]),
        (json!([{"name": "agents"}]), vec![format!("{list}/0/name")]),
        (json!([{"name": "*"}]), vec![format!("{list}/0/name")]),
        (json!([{"name": "storage:read", "description": 7}]), vec![format!("{list}/0/description")]),
        (
            json!([{"name": "storage:read"}, {"name": "storage:read", "description": "x".repeat(256)}]),
            vec![format!("{list}/1/name"), format!("{list}/1/description")],
        ),
        (json!(many), vec![list.to_owned()]),
        (json!([{"name": "tokens:introspect"}]), vec![format!("{list}/0/name")]),
        (
            json!([{"name": "a:b", "endpoints": [{"methods": [], "path": "/a"}, {"methods": ["GET", "GET"], "path": "/"}]}]),
            vec![format!("{list}/0/endpoints/1/path")],
        ),
        (
            json!([{"name": "a:b", "endpoints": [{"methods": [], "path": "/a"}, {"methods": ["GET", "GET"], "path": "/b"}]}]),
            vec![format!("{list}/0/endpoints/0/methods"), format!("{list}/0/endpoints/1/methods")],
        ),
        (
            json!([{"name": "a:b", "endpoints": vec![json!({"methods": ["GET"], "path": "/a"}); 21]}]),
            vec![format!("{list}/0/endpoints")],
        ),
        (
            json!([{"name": "a:b", "endpoints": [{"methods": ["FETCH"], "path": "/a"}]}]),
            vec![format!("{list}/0/endpoints/0/methods/0")],
        ),
    ] {
        let answer = scene.ada.client.patch(ABILITIES, &registry(items.clone())).expect(422);
        assert_eq!(answer.blamed(), blamed, "{items}");
    }
    let nothing = scene.ada.client.patch(ABILITIES, &resource("abilities", json!({}))).expect(422);
    assert_eq!(nothing.blamed(), [list]);
    let longest = json!([{"name": "storage:read", "description": "ä".repeat(255)}]);
    assert_eq!(scene.ada.client.get(ABILITIES).ids(), ["agents:read"]);
    scene.ada.client.patch(ABILITIES, &registry(longest)).expect(200);
}

#[test]
fn tokens_of_every_kind_get_what_is_registered_and_no_other() {
    let scene = Scene::set();
    let workspace = scene.ada.workspace("acme", "prod");
    scene
        .give(&format!("/api/v2/workspaces/{workspace}"), "workspaces", json!(["webhooks:*", "storage:*"]))
        .expect(200);
    scene.register(&["agents:read", "webhooks:send"]).expect(200);
    for path in [
        format!("/api/v2/teams/{}/authentication-token", scene.team),
        format!("/api/v2/teams/{}/authentication-tokens", scene.team),
        format!("/api/v2/workspaces/{workspace}/authentication-tokens"),
        "/api/v2/organizations/acme/authentication-token".to_owned(),
    ] {
        scene.make(&path, &["webhooks:send"]).expect(201);
        scene.make(&path, &[]).expect(201);
        let before = scene.app.count("tokens");
        assert_unregistered(scene.make(&path, &["webhooks:send", "storage:read"]));
        assert_eq!(scene.app.count("tokens"), before, "{path}");
    }
    // Whoever reads the trail reaches nothing else.
    let trail = "/api/v2/organizations/acme/authentication-token?token=audit-trails";
    scene.make(trail, &[]).expect(201);
    let refused = scene.make(trail, &["webhooks:send"]).expect(422);
    assert!(refused.detail().contains("has none"), "{}", refused.detail());
}

#[test]
fn a_star_stands_for_every_verb() {
    let scene = Scene::set();
    scene.register(&["storage:*", "agents:read"]).expect(200);
    scene.team_token(&["storage:read", "storage:*", "agents:read"]).expect(201);
    scene.give(&format!("/api/v2/teams/{}", scene.team), "teams", json!(["agents:*"])).expect(422);
    for unknown in ["agents:*", "agents:write", "storages:read"] {
        assert_eq!(scene.team_token(&[unknown]).expect(422).blamed(), ["/data/attributes/abilities"], "{unknown}");
    }
}

#[test]
fn an_edit_adds_only_what_is_registered() {
    let scene = Scene::set();
    let token = scene.team_token(&["old:read"]).expect(201).id();
    scene.register(&["agents:read"]).expect(200);
    // What it holds stays, also beside something new.
    scene.edit(&token, &["old:read", "agents:read"]).expect(200);
    assert_unregistered(scene.edit(&token, &["old:read", "old:write"]));
    scene.edit(&token, &["agents:read"]).expect(200);
    assert_unregistered(scene.edit(&token, &["old:read"]));
    let description = resource("authentication-tokens", json!({"description": "new"}));
    scene.ada.client.patch(&format!("/api/v2/authentication-tokens/{token}"), &description).expect(200);
}

#[test]
fn what_a_token_holds_it_keeps_and_its_successor_inherits() {
    let scene = Scene::set();
    let token = scene.team_token(&["old:read"]).expect(201);
    scene.register(&["agents:read"]).expect(200);
    let path = format!("/api/v2/authentication-tokens/{}", token.id());
    assert_eq!(*scene.ada.client.get(&path).expect(200).attribute("abilities"), json!(["old:read"]));
    let successor = scene.ada.client.post_nothing(&format!("{path}/actions/regenerate")).expect(201);
    assert_eq!(*successor.attribute("abilities"), json!(["old:read"]));
    // It reaches nothing by that.
    assert_eq!(*successor.attribute("effective-abilities"), json!([]));
}

#[test]
fn users_tokens_and_other_organizations_are_not_bound() {
    let scene = Scene::set();
    scene.ada.organization("other");
    scene.register(&["agents:read"]).expect(200);
    scene.make(&format!("/api/v2/users/{}/authentication-tokens", scene.ada.id), &["storage:read"]).expect(201);
    scene.make("/api/v2/organizations/other/authentication-token", &["storage:read"]).expect(201);
    assert_eq!(scene.ada.client.get("/api/v2/organizations/other/abilities").expect(200).body["data"], json!([]));
}

#[test]
fn a_registration_is_audited_and_one_that_changes_nothing_is_not() {
    let scene = Scene::set();
    scene.register(&["agents:read", "storage:*"]).expect(200);
    let changed = json!([
        {"name": "agents:read", "description": "Look at agents"},
        {"name": "webhooks:send", "description": null},
    ]);
    scene.ada.client.patch(ABILITIES, &registry(changed.clone())).expect(200);
    scene.ada.client.patch(ABILITIES, &registry(changed)).expect(200);
    let events = "audit_events WHERE resource_type = 'organization_abilities' AND action = 'update'";
    assert_eq!(scene.app.count(events), 2);
    let difference = json!({"added": ["webhooks:send"], "removed": ["storage:*"], "described-anew": ["agents:read"]});
    assert_eq!(scene.app.count(&format!("{events} AND meta = '{difference}' AND accessor_id = '{}'", scene.ada.id)), 1);
}

#[test]
fn an_organization_takes_its_abilities_with_it() {
    let scene = Scene::set();
    scene.register(&["agents:read"]).expect(200);
    assert_eq!(scene.app.count("abilities"), 1);
    scene.ada.client.delete("/api/v2/organizations/acme").expect(204);
    until("they have gone with it", || scene.app.count("abilities") == 0);
}

/// A token has all that its owner has unless it lists fewer, of what is registered, at every moment.
#[test]
fn a_token_reaches_what_its_owner_does_and_never_more() {
    let scene = Scene::set();
    let workspace = scene.ada.workspace("acme", "prod");
    let (team, prod) = (format!("/api/v2/teams/{}", scene.team), format!("/api/v2/workspaces/{workspace}"));
    assert_eq!(*scene.ada.client.get(&prod).expect(200).attribute("abilities"), json!([]));
    let make =
        |path: &str, attributes: Value| scene.ada.client.post(path, &resource("authentication-tokens", attributes));
    let whole = make(&format!("{team}/authentication-token"), json!({})).expect(201);
    assert_eq!(*whole.attribute("abilities"), Value::Null);
    let all = json!(["agents:read", "old:*", "storage:*", "webhooks:*", "whatever:read"]);
    let mut effective = whole.attribute("effective-abilities").clone();
    effective.as_array_mut().unwrap().sort_by_key(Value::to_string);
    assert_eq!(effective, all);
    let part = scene.team_token(&["storage:read", "webhooks:*"]).expect(201).id();
    let none = scene.team_token(&[]).expect(201).id();
    let of_workspace = make(&format!("{prod}/authentication-tokens"), json!({})).expect(201).id();
    let of_all = make("/api/v2/organizations/acme/authentication-token", json!({})).expect(201).id();
    let owners = scene.ada.owners_team("acme");
    let of_owners = make(&format!("/api/v2/teams/{owners}/authentication-token"), json!({})).expect(201).id();
    assert_eq!(scene.effective(&part), json!(["storage:read", "webhooks:*"]));
    assert_eq!(scene.effective(&none), json!([]));
    assert_eq!(scene.effective(&of_workspace), json!([]));
    assert_eq!(scene.effective(&of_all), json!(["*"]));
    assert_eq!(scene.effective(&of_owners), json!(["*"]));

    scene.give(&team, "teams", json!(["storage:*", "agents:read"])).expect(200);
    assert_eq!(scene.effective(&part), json!(["storage:read"]), "at once");
    assert_eq!(scene.effective(&whole.id()), json!(["storage:*", "agents:read"]));
    let itself = scene.app.with(&whole.secret()).get("/api/v2/authentication-tokens/current").expect(200);
    assert_eq!(*itself.attribute("effective-abilities"), json!(["storage:*", "agents:read"]));
    scene.register(&["agents:*", "storage:read"]).expect(200);
    assert_eq!(scene.effective(&whole.id()), json!(["agents:read", "storage:read"]));
    assert_eq!(scene.effective(&of_all), json!(["agents:*", "storage:read"]));
    let found = |ability: &str| {
        let list = format!("/api/v2/organizations/acme/authentication-tokens?filter[ability]={ability}");
        let mut ids = scene.ada.client.get(&list).expect(200).ids();
        ids.sort();
        ids
    };
    let sorted = |mut ids: Vec<String>| {
        ids.sort();
        ids
    };
    assert_eq!(found("agents:read"), sorted(vec![whole.id(), of_all.clone(), of_owners.clone()]));
    assert_eq!(found("storage:read"), sorted(vec![whole.id(), of_all.clone(), of_owners.clone(), part]));
    assert_eq!(found("agents:*"), sorted(vec![of_all, of_owners]));
    assert_eq!(found("storage:*"), Vec::<String>::new());
    assert_eq!(found("tokens:introspect"), Vec::<String>::new());
}

#[test]
fn abilities_are_given_by_who_has_them() {
    let scene = Scene::set();
    let mia = scene.app.user("mia");
    let managers =
        json!({"name": "managers", "organization-access": {"manage-teams": true}, "abilities": ["storage:*"]});
    let managers = scene.ada.team_with("acme", managers);
    scene.ada.add_to_team(&managers, &mia);
    let ci = format!("/api/v2/teams/{}", scene.team);
    let by_mia = |abilities: Value| mia.client.patch(&ci, &resource("teams", json!({ "abilities": abilities })));
    // What the team has already is no gift, and can be taken from it.
    by_mia(json!(["agents:read", "storage:*"])).expect(200);
    assert_eq!(by_mia(json!(["agents:write"])).expect(403).blamed(), ["/data/attributes/abilities"]);
    by_mia(json!(["storage:read"])).expect(200);
    by_mia(json!(["agents:read"])).expect(403);
    scene.give(&ci, "teams", json!(["agents:read", "storage:read"])).expect(200);

    let make = |client: &crate::support::client::Client, abilities: Value| {
        let attributes = json!({"description": uuid::Uuid::now_v7().to_string(), "abilities": abilities});
        client.post(&format!("{ci}/authentication-tokens"), &resource("authentication-tokens", attributes))
    };
    make(&mia.client, json!(["storage:read"])).expect(201);
    assert_eq!(make(&mia.client, json!(["agents:read"])).expect(403).blamed(), ["/data/attributes/abilities"]);
    make(&mia.client, Value::Null).expect(403);
    let refused = make(&scene.ada.client, json!(["webhooks:send"])).expect(422);
    assert!(refused.detail().contains("agents:read, storage:read"), "{}", refused.detail());
    // Who says nothing gives what they may.
    let cut = mia.client.post_nothing(&format!("{ci}/authentication-token")).expect(201);
    assert_eq!(*cut.attribute("abilities"), json!(["storage:read"]));
    let whole = scene.ada.team_token(&scene.team);
    assert_eq!(*whole.attribute("abilities"), Value::Null);
    let whole = format!("/api/v2/authentication-tokens/{}", whole.id());
    mia.client.post_nothing(&format!("{whole}/actions/regenerate")).expect(403);
    let edit = |client: &crate::support::client::Client, abilities: Value| {
        client.patch(&whole, &resource("authentication-tokens", json!({ "abilities": abilities })))
    };
    edit(&mia.client, json!(["agents:read"])).expect(200);
    edit(&mia.client, json!(["storage:read"])).expect(200);
    edit(&mia.client, Value::Null).expect(403);
    edit(&scene.ada.client, Value::Null).expect(200);
    let nothing = edit(&scene.ada.client, json!(["storage:read", "storage:write"])).expect(422);
    assert_eq!(nothing.blamed(), ["/data/attributes/abilities"]);

    // A token gives no more than it lists, also where its principal has more.
    let users = format!("/api/v2/users/{}/authentication-tokens", scene.ada.id);
    let of_ada = |client: &crate::support::client::Client, attributes: Value| {
        client.post(&users, &resource("authentication-tokens", attributes))
    };
    let listing = of_ada(&scene.ada.client, json!({"abilities": ["storage:*"]})).expect(201);
    let listing = scene.app.with(&listing.secret());
    make(&listing, json!(["agents:read"])).expect(403);
    assert_eq!(*of_ada(&listing, json!({})).expect(201).attribute("abilities"), json!(["storage:*"]));
    of_ada(&listing, json!({"abilities": null})).expect(403);
    let one = listing.post_nothing(&format!("{ci}/authentication-token")).expect(201);
    assert_eq!(*one.attribute("abilities"), json!(["storage:read"]));
}

#[test]
fn a_users_token_reaches_what_their_teams_do() {
    let scene = Scene::set();
    let ben = scene.app.user("ben");
    let users = format!("/api/v2/users/{}/authentication-tokens", ben.id);
    let make = |abilities: Value| {
        ben.client.post(&users, &resource("authentication-tokens", json!({ "abilities": abilities })))
    };
    let whole = make(Value::Null).expect(201).id();
    let effective = |id: &str| {
        let shown = ben.client.get(&format!("/api/v2/authentication-tokens/{id}")).expect(200);
        shown.attribute("effective-abilities").clone()
    };
    assert_eq!(effective(&whole), json!([]));
    make(json!(["storage:read"])).expect(422);
    // Who is only invited has nothing of the team's.
    let members = format!("/api/v2/teams/{}/relationships/users", scene.team);
    scene.ada.client.post(&members, &crate::support::app::identifiers("users", &["ben"])).expect(204);
    assert_eq!(effective(&whole), json!([]));
    make(json!(["storage:read"])).expect(422);
    ben.accept(&ben.memberships()[0]);
    assert_eq!(effective(&whole), json!(["agents:read", "old:*", "storage:*", "webhooks:*", "whatever:read"]));
    let part = make(json!(["storage:read"])).expect(201).id();
    scene.give(&format!("/api/v2/teams/{}", scene.team), "teams", json!(["agents:read"])).expect(200);
    assert_eq!(effective(&part), json!([]));
    ben.organization("bens");
    assert_eq!(effective(&whole), json!(["*", "agents:read"]));
    assert_eq!(effective(&part), json!(["storage:read"]));
}

#[test]
fn latchkeys_own_abilities_are_given_by_owners_alone_and_listed() {
    let scene = Scene::set();
    let own = "/api/v2/organizations/acme/authentication-token";
    let make = |client: &crate::support::client::Client, abilities: Value| {
        client.post(own, &resource("authentication-tokens", json!({ "abilities": abilities })))
    };
    scene.register(&["agents:read"]).expect(200);
    let made = make(&scene.ada.client, json!(["tokens:introspect"])).expect(201);
    assert_eq!(*made.attribute("effective-abilities"), json!(["tokens:introspect"]));
    let whole = make(&scene.ada.client, Value::Null).expect(201);
    assert_eq!(*whole.attribute("effective-abilities"), json!(["agents:read"]), "it is no part of every ability");
    let users = format!("/api/v2/users/{}/authentication-tokens", scene.ada.id);
    let admin = scene.ada.client.post(&users, &resource("authentication-tokens", json!({"role": "admin"}))).expect(201);
    let admin = scene.app.with(&admin.secret());
    let team = format!("/api/v2/teams/{}", scene.team);
    let give = |client: &crate::support::client::Client| {
        client.patch(&team, &resource("teams", json!({"abilities": ["tokens:introspect"]})))
    };
    give(&admin).expect(403);
    give(&scene.ada.client).expect(200);
    assert_eq!(
        *scene.team_token(&["tokens:introspect"]).expect(201).attribute("effective-abilities"),
        json!(["tokens:introspect"])
    );
}

/// Also not by the way of a token that has everything, and in an organization that has registered others.
#[test]
fn latchkeys_own_abilities_are_given_in_no_other_way() {
    let scene = Scene::set();
    let users = format!("/api/v2/users/{}/authentication-tokens", scene.ada.id);
    let make = |client: &crate::support::client::Client, attributes: Value| {
        client.post(&users, &resource("authentication-tokens", attributes))
    };
    let own = || json!({"abilities": ["tokens:introspect"]});
    let member = scene.app.with(&make(&scene.ada.client, json!({"role": "member"})).expect(201).secret());
    make(&member, own()).expect(403);
    let whole = make(&member, json!({})).expect(201).id();
    let edit = |client: &crate::support::client::Client| {
        client.patch(&format!("/api/v2/authentication-tokens/{whole}"), &resource("authentication-tokens", own()))
    };
    assert_eq!(edit(&member).expect(403).blamed(), ["/data/attributes/abilities"]);
    scene.register(&["agents:read"]).expect(200);
    edit(&member).expect(403);
    make(&scene.ada.client, own()).expect(201);
    edit(&scene.ada.client).expect(200);
    let found = format!("{users}?filter[ability]=tokens:introspect");
    assert_eq!(scene.ada.client.get(&found).expect(200).ids().len(), 2);
}

/// What a token has already may stay when it is listed, also what is Latchkey's own.
#[test]
fn a_token_that_had_all_may_list_what_it_had() {
    let scene = Scene::set();
    let ben = scene.app.user("ben");
    scene.ada.add_to_team(&scene.team, &ben);
    let team = format!("/api/v2/teams/{}", scene.team);
    scene.give(&team, "teams", json!(["tokens:introspect", "storage:read"])).expect(200);
    let made = ben.client.post_nothing(&format!("{team}/authentication-token")).expect(201);
    assert_eq!(*made.attribute("abilities"), Value::Null);
    let edit = |abilities: Value| {
        let path = format!("/api/v2/authentication-tokens/{}", made.id());
        ben.client.patch(&path, &resource("authentication-tokens", json!({ "abilities": abilities })))
    };
    edit(json!(["tokens:introspect"])).expect(200);
    edit(json!(["tokens:introspect", "tokens:read"])).expect(422);
    // What is Latchkey's own, a member gives to no other token of the team, nor to another team.
    let one_more = |abilities: Value| {
        let attributes = json!({"description": "one more", "abilities": abilities});
        ben.client.post(&format!("{team}/authentication-tokens"), &resource("authentication-tokens", attributes))
    };
    assert_eq!(one_more(json!(["tokens:introspect"])).expect(403).blamed(), ["/data/attributes/abilities"]);
    one_more(json!(["storage:read"])).expect(201);
    let managers = json!({"name": "managers", "organization-access": {"manage-teams": true}});
    scene.ada.add_to_team(&scene.ada.team_with("acme", managers), &ben);
    let other = scene.ada.team("acme", "other");
    let reach = |abilities: Value| {
        ben.client.patch(&format!("/api/v2/teams/{other}"), &resource("teams", json!({ "abilities": abilities })))
    };
    for beyond in ["tokens:introspect", "storage:write"] {
        assert_eq!(reach(json!([beyond])).expect(403).blamed(), ["/data/attributes/abilities"], "{beyond}");
    }
    reach(json!(["storage:read"])).expect(200);
    // Nor does a token give it without a word, also that of an owner.
    let users = format!("/api/v2/users/{}/authentication-tokens", scene.ada.id);
    let listing = resource("authentication-tokens", json!({"abilities": ["storage:*", "tokens:introspect"]}));
    let listing = scene.app.with(&scene.ada.client.post(&users, &listing).expect(201).secret());
    let silent = listing.post(&users, &resource("authentication-tokens", json!({}))).expect(201);
    assert_eq!(*silent.attribute("abilities"), json!(["storage:*"]));
    listing.post(&users, &resource("authentication-tokens", json!({"abilities": ["tokens:introspect"]}))).expect(201);
}

/// Who says nothing gives what they may, in the shortest list of that, or is asked for one.
#[test]
fn what_a_maker_may_give_is_listed_shortly() {
    let scene = Scene::set();
    let mia = scene.app.user("mia");
    let verbs = |nth: usize| (0..100).map(|verb| format!("many:verb-{}", nth * 100 + verb)).collect::<Vec<_>>();
    for (nth, access) in [json!({"manage-teams": true}), json!({})].into_iter().enumerate() {
        let team = json!({"name": format!("m{nth}"), "organization-access": access, "abilities": verbs(nth)});
        scene.ada.add_to_team(&scene.ada.team_with("acme", team), &mia);
    }
    let wide = scene.ada.team_with("acme", json!({"name": "wide", "abilities": ["many:*"]}));
    let path = format!("/api/v2/teams/{wide}/authentication-token");
    let refused = mia.client.post_nothing(&path).expect(422);
    assert_eq!(refused.blamed(), ["/data/attributes/abilities"]);
    let some = resource("authentication-tokens", json!({"abilities": verbs(0)}));
    mia.client.post(&path, &some).expect(201);
    let both = scene.ada.team_with("acme", json!({"name": "both", "abilities": ["many:*", "many:verb-1"]}));
    scene.ada.add_to_team(&both, &mia);
    let users = format!("/api/v2/users/{}/authentication-tokens", mia.id);
    let listing = resource("authentication-tokens", json!({"abilities": ["many:*", "many:verb-1"]}));
    let listing = scene.app.with(&mia.client.post(&users, &listing).expect(201).secret());
    let made = listing.post(&users, &resource("authentication-tokens", json!({}))).expect(201);
    assert_eq!(*made.attribute("abilities"), json!(["many:*"]));
}

/// A successor may be given more later; whoever holds the old secret gets none of that.
#[test]
fn the_holder_of_an_old_secret_gets_nothing_of_what_its_successor_is_given() {
    let scene = Scene::set();
    let users = format!("/api/v2/users/{}/authentication-tokens", scene.ada.id);
    let old = resource("authentication-tokens", json!({"abilities": ["storage:read"]}));
    let old = scene.ada.client.post(&users, &old).expect(201);
    let holder = scene.app.with(&old.secret());
    let at = |id: &str| format!("/api/v2/authentication-tokens/{id}/actions/regenerate");
    let grace = resource("authentication-tokens", json!({"grace-period-seconds": 600}));
    let headers = [("Content-Type", crate::support::client::MEDIA_TYPE), ("Idempotency-Key", "once")];
    let once = || holder.send("POST", &at(&old.id()), &headers, Some(grace.to_string().as_bytes()));
    let new = once().expect(201).id();
    assert_eq!(once().expect(201).id(), new, "a lost answer is given again");
    let wider = resource("authentication-tokens", json!({"abilities": null}));
    scene.ada.client.patch(&format!("/api/v2/authentication-tokens/{new}"), &wider).expect(200);
    // Nor do they get its secret by asking once more.
    assert_eq!(once().expect(403).blamed(), ["/data/attributes/abilities"]);
    assert_eq!(holder.post_nothing(&at(&new)).expect(403).blamed(), ["/data/attributes/abilities"]);
}

#[test]
fn nobody_puts_themselves_into_a_team_that_reaches_more() {
    let scene = Scene::set();
    let mia = scene.app.user("mia");
    let managers = json!({"name": "managers", "organization-access": {"manage-teams": true}});
    let managers = scene.ada.team_with("acme", managers);
    scene.ada.add_to_team(&managers, &mia);
    let join = || {
        let path = format!("/api/v2/teams/{}/relationships/users", scene.team);
        mia.client.post(&path, &crate::support::app::identifiers("users", &["mia"]))
    };
    join().expect(403);
    let reach = json!(["agents:read", "storage:*", "webhooks:*", "old:*", "whatever:read"]);
    scene.give(&format!("/api/v2/teams/{managers}"), "teams", reach).expect(200);
    join().expect(204);
}

#[test]
fn the_team_owners_has_every_ability() {
    let scene = Scene::set();
    let owners = format!("/api/v2/teams/{}", scene.ada.owners_team("acme"));
    assert_eq!(*scene.ada.client.get(&owners).expect(200).attribute("abilities"), Value::Null);
    scene.give(&owners, "teams", Value::Null).expect(200);
    assert_eq!(scene.give(&owners, "teams", json!([])).expect(422).blamed(), ["/data/attributes/abilities"]);
    let ci = format!("/api/v2/teams/{}", scene.team);
    for wrong in [Value::Null, json!(["x"]), json!(["a:b", "a:b"]), json!("a:b")] {
        let refused = scene.give(&ci, "teams", wrong.clone()).expect(422);
        assert!(refused.blamed()[0].starts_with("/data/attributes/abilities"), "{wrong}");
    }
    let many: Vec<String> = (0..101).map(|nth| format!("thing-{nth}:read")).collect();
    scene.give(&ci, "teams", json!(many)).expect(422);
    let about = format!(
        "audit_events WHERE resource_type = 'team' AND action = 'update' AND meta @> '{}'",
        json!({"abilities": ["a:b"]})
    );
    scene.give(&ci, "teams", json!(["a:b"])).expect(200);
    assert_eq!(scene.app.count(&about), 1);
}
