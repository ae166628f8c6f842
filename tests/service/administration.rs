//! Site admins and users: listing, suspending, deleting, making site admins (docs/design.md §3, rule 11).

use std::sync::Barrier;

use serde_json::{Value, json};

use crate::support::App;
use crate::support::app::{Acme, User, identifiers, resource};
use crate::support::client::Answer;
use crate::support::process::until;

/// `acme`, a site admin, and bob, who is in `ci` and has made a token of it.
struct Scene {
    acme: Acme,
    root: User,
    bob: User,
    made: Answer,
}

impl Scene {
    fn set() -> Self {
        let acme = Acme::new();
        let (root, bob) = (acme.app.site_admin("root"), acme.app.user("bob"));
        acme.ada.add_to_team(&acme.team, &bob);
        let made = bob.described_token(&acme.team, json!({"description": "deploys"}));
        Self { acme, root, bob, made }
    }

    fn suspend(&self, user: &User) -> Answer {
        act(&self.root, user, "suspend")
    }

    fn delete(&self, user: &User) -> Answer {
        self.root.client.delete(&format!("/api/v2/admin/users/{}", user.id))
    }

    /// What `filter[created-by-former-member]` finds among acme's tokens.
    fn by_former_members(&self, asked: bool) -> Vec<String> {
        let list = "/api/v2/organizations/acme/authentication-tokens";
        self.acme.ada.client.get(&format!("{list}?filter[created-by-former-member]={asked}")).expect(200).ids()
    }

    fn events(&self, condition: &str) -> i64 {
        self.acme.app.count(&format!("audit_events WHERE {condition}"))
    }
}

/// `POST /admin/users/:id/actions/…`
fn act(admin: &User, user: &User, action: &str) -> Answer {
    admin.client.post_nothing(&format!("/api/v2/admin/users/{}/actions/{action}", user.id))
}

fn works(user: &User) -> bool {
    let answer = user.client.get("/api/v2/account/details");
    assert!(matches!(answer.status, 200 | 401), "{answer:?}");
    answer.status == 200
}

#[test]
fn site_admins_list_all_users() {
    let scene = Scene::set();
    let zoe = scene.acme.app.user("zoe");
    scene.suspend(&zoe).expect(200);
    let list = |query: &str| scene.root.client.get(&format!("/api/v2/admin/users{query}")).expect(200);
    let all = list("");
    assert_eq!(all.ids(), [&scene.acme.ada.id, &scene.bob.id, &scene.root.id, &zoe.id].map(String::clone));
    assert_eq!(all.body["meta"]["status-counts"], json!({"total": 4, "suspended": 1, "admin": 1}));
    for (query, found) in [
        ("?q=BO", vec![&scene.bob]),
        ("?q=zoe@example", vec![&zoe]),
        ("?filter[admin]=true", vec![&scene.root]),
        ("?filter[suspended]=true", vec![&zoe]),
        ("?filter[suspended]=false&filter[admin]=false&sort=-username", vec![&scene.bob, &scene.acme.ada]),
        ("?page[size]=1&page[number]=2", vec![&scene.bob]),
    ] {
        assert_eq!(list(query).ids(), found.iter().map(|user| user.id.clone()).collect::<Vec<_>>(), "{query}");
    }
    assert!(list("?page[size]=2&page[after]=").body["meta"]["status-counts"].is_null());
    let bob = list("?q=bob&include=organizations").body;
    let shown = &bob["data"][0];
    assert_eq!(shown["attributes"]["email"], "bob@example.com");
    assert_eq!(
        (&shown["attributes"]["is-admin"], &shown["attributes"]["is-suspended"]),
        (&json!(false), &json!(false))
    );
    let acme = json!([{"type": "organizations", "id": "acme"}]);
    assert_eq!(shown["relationships"]["organizations"]["data"], acme);
    assert_eq!(bob["included"][0]["id"], "acme");
    let refused = scene.root.client.get("/api/v2/admin/users?filter[admin]=yes&filter[suspended]=1").expect(400);
    assert_eq!(refused.blamed(), ["filter[admin]", "filter[suspended]"]);
}

#[test]
fn organizations_of_a_user_are_named_up_to_a_number() {
    let scene = Scene::set();
    scene.acme.app.sql(
        "INSERT INTO organizations (id, name, email) \
         SELECT new_id(), 'org' || n, 'a@example.com' FROM generate_series(1, 120) AS n",
    );
    scene.acme.app.sql(
        "INSERT INTO memberships (id, organization_id, user_id, status) \
         SELECT new_id(), organizations.id, users.id, 'active' FROM organizations, users \
         WHERE name LIKE 'org%' AND username = 'bob'",
    );
    let list = scene.root.client.get("/api/v2/admin/users?q=bob").expect(200).body;
    let one = scene.suspend(&scene.bob).expect(200).body;
    for (shown, named) in [(&list["data"][0], 20), (&one["data"], 100)] {
        assert_eq!(shown["relationships"]["organizations"]["data"].as_array().unwrap().len(), named);
        assert_eq!(shown["meta"]["organizations-count"], 121);
    }
}

#[test]
fn the_tokens_of_a_suspended_user_are_refused_until_the_suspension_ends() {
    let scene = Scene::set();
    let membership = scene.bob.memberships().remove(0);
    let token = scene.bob.token_id(&scene.acme.app);
    let suspended = scene.suspend(&scene.bob).expect(200);
    assert_eq!(*suspended.attribute("is-suspended"), true);
    assert!(!works(&scene.bob));
    let refused = format!("action = 'refuse' AND resource_id = '{token}' AND meta->>'status' = 'inactive'");
    assert_eq!(scene.events(&refused), 1);
    assert_eq!(scene.acme.app.count("tokens WHERE revoked OR disabled_at IS NOT NULL"), 0);
    assert_eq!(scene.acme.app.count("listed_tokens WHERE kind = 'user' AND status = 'inactive'"), 1);
    // What a membership makes others see, it does not meanwhile; it can be ended.
    scene.acme.ada.client.get(&format!("/api/v2/users/{}", scene.bob.id)).expect(404);
    let team = scene.acme.app.with(&scene.made.secret());
    team.get(&format!("/api/v2/users/{}", scene.bob.id)).expect(404);
    scene.acme.ada.client.get(&format!("/api/v2/organization-memberships/{membership}")).expect(200);
    scene.suspend(&scene.bob).expect(400);

    let back = act(&scene.root, &scene.bob, "unsuspend").expect(200);
    assert_eq!(*back.attribute("is-suspended"), false);
    assert!(works(&scene.bob));
    scene.bob.client.get("/api/v2/organizations/acme").expect(200);
    scene.acme.ada.client.get(&format!("/api/v2/users/{}", scene.bob.id)).expect(200);
    act(&scene.root, &scene.bob, "unsuspend").expect(400);
}

#[test]
fn what_somebody_has_made_is_told_when_they_leave() {
    let scene = Scene::set();
    let acme = &scene.acme;
    let workspace = acme.ada.workspace("acme", "app");
    acme.ada.give_access(&acme.team, &workspace, "admin");
    let of_workspace = format!("/api/v2/workspaces/{workspace}/authentication-tokens");
    let of_workspace = scene.bob.client.post(&of_workspace, &resource("authentication-tokens", json!({}))).expect(201);
    let switched_off = scene.bob.described_token(&acme.team, json!({"description": "off"}));
    let act = format!("/api/v2/authentication-tokens/{}/actions/disable", switched_off.id());
    scene.bob.client.post_nothing(&act).expect(200);
    // What is over, somebody else's, or bob's own is not told.
    let over = scene.bob.described_token(&acme.team, json!({"description": "over"}));
    scene.bob.client.delete(&format!("/api/v2/authentication-tokens/{}", over.id())).expect(204);
    acme.ada.described_token(&acme.team, json!({"description": "ada's"}));
    let own = format!("/api/v2/users/{}/authentication-tokens", scene.bob.id);
    scene.bob.client.post(&own, &resource("authentication-tokens", json!({"description": "own"}))).expect(201);

    let told = |answer: &Answer| -> Vec<(String, Value)> {
        let created = &answer.body["meta"]["created-tokens"];
        assert_eq!(created["filter"], format!("filter[created-by]={}", scene.bob.id));
        let tokens = created["tokens"].as_array().unwrap();
        assert_eq!(created["total"], tokens.len());
        tokens.iter().map(|token| (token["id"].as_str().unwrap().to_owned(), token.clone())).collect()
    };
    let first = told(&scene.suspend(&scene.bob).expect(200));
    assert_eq!(
        first.iter().map(|(id, _)| id).collect::<Vec<_>>(),
        [&scene.made.id(), &of_workspace.id(), &switched_off.id()]
    );
    let deploys = json!({
        "id": scene.made.id(), "kind": "team", "organization": "acme", "owner-name": "ci", "description": "deploys",
        "status": "active",
    });
    assert_eq!(first[0].1, deploys);
    assert_eq!((&first[1].1["kind"], &first[1].1["owner-name"]), (&json!("workspace"), &json!("app")));
    assert_eq!(first[2].1["status"], "inactive");
    assert_eq!(told(&scene.delete(&scene.bob).expect(200)), first);
}

#[test]
fn of_many_tokens_that_somebody_has_made_100_are_told() {
    let scene = Scene::set();
    scene.acme.app.sql(
        "INSERT INTO tokens (id, kind, organization_id, team_id, description, token_hash, token_prefix, created_by_user_id) \
         SELECT new_id(), 'team', teams.organization_id, teams.id, 'bulk ' || n, \
         sha256(convert_to('bulk' || n, 'UTF8')), 'lkt_000000', users.id \
         FROM teams, users, generate_series(1, 250) AS n WHERE teams.name = 'ci' AND username = 'bob'",
    );
    let created = scene.delete(&scene.bob).expect(200).body["meta"]["created-tokens"].clone();
    assert_eq!((&created["total"], created["tokens"].as_array().unwrap().len()), (&json!(251), 100));
}

#[test]
fn who_is_deleted_is_gone_and_what_they_made_keeps_their_name() {
    let scene = Scene::set();
    let acme = &scene.acme;
    let tokens = [scene.bob.token_id(&acme.app)];
    scene.delete(&scene.bob).expect(200);
    assert!(!works(&scene.bob));
    assert_eq!(acme.app.count("memberships"), 1);
    let of_bob =
        |kind: &str| format!("resource_type = '{kind}' AND resource_id = '{}' AND action = 'destroy'", scene.bob.id);
    for kind in ["user", "organization_user", "team_member"] {
        assert_eq!(scene.events(&format!("{} AND accessor_description = 'root'", of_bob(kind))), 1, "{kind}");
    }
    until("each token's end is told", || {
        scene.events(&format!(
            "action = 'destroy' AND resource_id = '{}' AND meta->'ended-with'->>'type' = 'user'",
            tokens[0]
        )) == 1
    });
    for client in [&acme.ada.client, &scene.root.client] {
        client.get(&format!("/api/v2/users/{}", scene.bob.id)).expect(404);
    }
    assert_eq!(scene.root.client.get("/api/v2/admin/users?q=bob").expect(200).ids(), [""; 0]);
    for action in ["suspend", "unsuspend", "grant_admin", "revoke_admin"] {
        act(&scene.root, &scene.bob, action).expect(404);
    }
    scene.delete(&scene.bob).expect(404);
    // The name and the address are free; the new bob is nobody whom the old one was.
    let new = acme.app.user("bob");
    assert_eq!(new.memberships(), [""; 0]);
    let made = format!("/api/v2/authentication-tokens/{}", scene.made.id());
    let shown = acme.ada.client.get(&made).expect(200);
    let created_by = &shown.body["data"]["relationships"]["created-by"]["data"];
    assert_eq!(*created_by, json!({"type": "users", "id": scene.bob.id}));
    assert_eq!(*shown.attribute("created-by-name"), "bob");
    acme.app.with(&scene.made.secret()).get("/api/v2/organizations/acme").expect(200);
}

#[test]
fn tokens_are_found_whose_maker_is_no_member_any_more() {
    let scene = Scene::set();
    let acme = &scene.acme;
    let adas = acme.ada.described_token(&acme.team, json!({"description": "ada's"})).id();
    let by_a_team = acme.app.with(&acme.ada.team_token(&acme.ada.owners_team("acme")).secret());
    let path = format!("/api/v2/teams/{}/authentication-tokens", acme.team);
    let by_a_team =
        by_a_team.post(&path, &resource("authentication-tokens", json!({"description": "team's"}))).expect(201);
    let found = [scene.made.id()];
    let none = [""; 0];
    assert_eq!(scene.by_former_members(true), none);
    scene.suspend(&scene.bob).expect(200);
    assert_eq!(scene.by_former_members(true), found);
    act(&scene.root, &scene.bob, "unsuspend").expect(200);
    assert_eq!(scene.by_former_members(true), none);
    let membership = scene.bob.memberships().remove(0);
    acme.ada.client.delete(&format!("/api/v2/organization-memberships/{membership}")).expect(204);
    assert_eq!(scene.by_former_members(true), found);
    // Invited again is not yet a member.
    let users = format!("/api/v2/teams/{}/relationships/users", acme.team);
    acme.ada.client.post(&users, &identifiers("users", &["bob"])).expect(204);
    assert_eq!(scene.by_former_members(true), found);
    scene.bob.accept(&scene.bob.memberships()[0]);
    assert_eq!(scene.by_former_members(true), none);
    scene.delete(&scene.bob).expect(200);
    assert_eq!(scene.by_former_members(true), found);
    assert!([adas, by_a_team.id()].iter().all(|other| scene.by_former_members(false).contains(other)));
    assert!(!scene.by_former_members(false).contains(&scene.made.id()));
    let by_bob = format!("filter[created-by]={}", scene.bob.id);
    let list = format!("/api/v2/organizations/acme/authentication-tokens?{by_bob}&filter[status]=active");
    assert_eq!(acme.ada.client.get(&list).expect(200).ids(), found);
    // A user's own tokens are nobody else's.
    let own = format!("/api/v2/users/{}/authentication-tokens?filter[created-by-former-member]=true", acme.ada.id);
    assert_eq!(acme.ada.client.get(&own).expect(200).ids(), none);
}

/// What the filter asks of each token is answered by an index, and no other organization's tokens are read for it.
#[test]
fn tokens_of_former_members_are_found_by_index() {
    use diesel::prelude::*;
    #[derive(QueryableByName)]
    struct Line {
        #[diesel(sql_type = diesel::sql_types::Text, column_name = "QUERY PLAN")]
        line: String,
    }
    let scene = Scene::set();
    let app = &scene.acme.app;
    for statement in [
        "INSERT INTO organizations (id, name, email) \
         SELECT new_id(), 'org' || n, 'a@example.com' FROM generate_series(1, 50) AS n",
        "INSERT INTO users (id, username, email) \
         SELECT new_id(), 'user' || n, n || '@example.com' FROM generate_series(1, 1000) AS n",
        "INSERT INTO memberships (id, organization_id, user_id, status) \
         SELECT new_id(), organizations.id, users.id, 'active' FROM organizations, users \
         WHERE name LIKE 'org%' AND username LIKE 'user%' AND (hashtext(name || username) % 5) = 0",
        "INSERT INTO tokens (id, kind, organization_id, token_hash, token_prefix, created_by_user_id, revoked, revoked_at) \
         SELECT new_id(), 'organization', organizations.id, sha256(convert_to(name || username, 'UTF8')), \
         'lkt_000000', users.id, true, now() FROM organizations, users \
         WHERE name LIKE 'org%' AND username LIKE 'user%' AND (hashtext(name || username) % 2) = 0",
        "ANALYZE",
    ] {
        app.sql(statement);
    }
    let mut connection = PgConnection::establish(&app.database_url).unwrap();
    let lines: Vec<Line> = diesel::sql_query(
        "EXPLAIN (COSTS OFF) SELECT * FROM listed_tokens AS t \
         WHERE organization_id = (SELECT id FROM organizations WHERE name = 'org1') AND organization_id IS NOT NULL \
         AND created_by_user_id IS NOT NULL AND NOT EXISTS (SELECT FROM memberships \
           JOIN users ON users.id = memberships.user_id WHERE memberships.organization_id = t.organization_id \
           AND memberships.user_id = t.created_by_user_id AND memberships.status = 'active' AND suspended_at IS NULL) \
         ORDER BY created_at DESC, id LIMIT 21",
    )
    .load(&mut connection)
    .unwrap();
    let plan: Vec<String> = lines.into_iter().map(|line| line.line).collect();
    let reads_all = |table: &str| plan.iter().any(|line| line.contains(&format!("Seq Scan on {table}")));
    assert!(!reads_all("tokens") && !reads_all("memberships"), "{plan:#?}");
}

#[test]
fn the_last_active_owner_stays() {
    let scene = Scene::set();
    let (acme, ada) = (&scene.acme, &scene.acme.ada);
    ada.organization("elsewhere");
    for answer in [scene.suspend(ada), scene.delete(ada)] {
        let detail = answer.expect(422).detail();
        assert!(detail.ends_with(": acme, elsewhere"), "{detail}");
    }
    assert!(works(ada));
    ada.client.delete("/api/v2/organizations/elsewhere").expect(204);
    // Who is only invited, or suspended, is no other owner.
    let owners = ada.owners_team("acme");
    let users = format!("/api/v2/teams/{owners}/relationships/users");
    let zoe = acme.app.user("zoe");
    ada.client.post(&users, &identifiers("users", &["zoe"])).expect(204);
    scene.suspend(ada).expect(422);
    zoe.accept(&zoe.memberships()[0]);
    scene.suspend(&zoe).expect(200);
    scene.suspend(ada).expect(422);
    scene.delete(ada).expect(422);
    ada.client.delete_with(&users, &identifiers("users", &["ada"])).expect(403);
    let memberships = "/api/v2/organizations/acme/organization-memberships";
    let own = ada.client.get(&format!("{memberships}?filter[email]=ada@example.com")).expect(200).ids().remove(0);
    ada.client.delete(&format!("/api/v2/organization-memberships/{own}")).expect(403);
    act(&scene.root, &zoe, "unsuspend").expect(200);
    scene.suspend(ada).expect(200);
    // Whoever is suspended already can go; the other one cannot.
    scene.suspend(&zoe).expect(422);
    scene.delete(ada).expect(200);
    scene.delete(&zoe).expect(422);
    zoe.client.get("/api/v2/organizations/acme").expect(200);
}

#[test]
fn site_admins_are_made_and_the_last_one_stays() {
    let scene = Scene::set();
    let root = &scene.root;
    for answer in [scene.suspend(root), scene.delete(root), act(root, root, "revoke_admin")] {
        answer.expect(422);
    }
    let granted = act(root, &scene.bob, "grant_admin").expect(200);
    assert_eq!(*granted.attribute("is-admin"), true);
    act(root, &scene.bob, "grant_admin").expect(400);
    assert_eq!(scene.bob.client.get("/api/v2/admin/users").expect(200).ids().len(), 3);
    // Also with another one there, nobody does it to themselves.
    for answer in [scene.suspend(root), scene.delete(root), act(root, root, "revoke_admin")] {
        let detail = answer.expect(422).detail();
        assert!(detail.contains("nobody to themselves"), "{detail}");
    }
    let revoked = act(&scene.bob, root, "revoke_admin").expect(200);
    assert_eq!(*revoked.attribute("is-admin"), false);
    root.client.get("/api/v2/admin/users").expect(404);
    act(&scene.bob, root, "revoke_admin").expect(400);
}

#[test]
fn every_change_is_told_beside_it() {
    let scene = Scene::set();
    let told = |action: &str| {
        let about = format!("resource_type = 'user' AND resource_id = '{}' AND action = '{action}'", scene.bob.id);
        scene.events(&format!(
            "{about} AND accessor_description = 'root' AND organization_id IS NULL AND meta->>'username' = 'bob'"
        ))
    };
    for action in ["suspend", "unsuspend", "grant_admin", "revoke_admin"] {
        act(&scene.root, &scene.bob, action).expect(200);
        // What changes nothing leaves no event.
        act(&scene.root, &scene.bob, action).expect(400);
        assert_eq!(told(action), 1, "{action}");
    }
}

/// Sends requests at the same moment.
fn at_once<'a>(requests: Vec<Box<dyn Fn() -> Answer + Send + 'a>>) -> Vec<u16> {
    let barrier = &Barrier::new(requests.len());
    std::thread::scope(|scope| {
        let send = |request: Box<dyn Fn() -> Answer + Send + 'a>| {
            scope.spawn(move || {
                barrier.wait();
                request().status
            })
        };
        let sent: Vec<_> = requests.into_iter().map(send).collect();
        sent.into_iter().map(|answer| answer.join().unwrap()).collect()
    })
}

const ACTIVE_OWNERS: &str = "team_members JOIN teams ON teams.id = team_id AND owners \
     JOIN memberships AS m ON m.organization_id = team_members.organization_id AND m.user_id = team_members.user_id \
     JOIN users ON users.id = m.user_id \
     WHERE suspended_at IS NULL AND status = 'active'";

#[test]
fn of_owners_who_are_suspended_and_removed_at_once_one_stays() {
    let app = App::start();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    let (root, toor) = (app.site_admin("root"), app.site_admin("toor"));
    ada.organization("acme");
    let owners = ada.owners_team("acme");
    let users = format!("/api/v2/teams/{owners}/relationships/users");
    ada.add_to_team(&owners, &bob);
    let memberships = "/api/v2/organizations/acme/organization-memberships";
    let of_bob = ada.client.get(&format!("{memberships}?filter[email]=bob@example.com")).expect(200).ids().remove(0);
    for round in 0..40 {
        let bobs_removal = || match round % 4 {
            0 => act(&toor, &bob, "suspend"),
            1 => ada.client.delete_with(&users, &identifiers("users", &["bob"])),
            2 => ada.client.delete(&format!("/api/v2/organization-memberships/{of_bob}")),
            _ => bob.client.delete_with(&users, &identifiers("users", &["bob"])),
        };
        let statuses = at_once(vec![Box::new(|| act(&root, &ada, "suspend")), Box::new(bobs_removal)]);
        let left = app.count(ACTIVE_OWNERS);
        assert_eq!(left, 1, "round {round}: {statuses:?}");
        assert!(statuses.iter().all(|status| matches!(status, 200 | 204 | 401 | 403 | 404 | 422)), "{statuses:?}");
        // As before.
        app.sql("UPDATE users SET suspended_at = NULL");
        app.sql(
            "INSERT INTO team_members (team_id, user_id, organization_id) SELECT teams.id, user_id, organization_id \
             FROM memberships JOIN teams USING (organization_id) WHERE owners ON CONFLICT DO NOTHING",
        );
        if app.count("memberships") == 1 {
            // The id of bob's membership is a new one.
            ada.add_to_team(&owners, &bob);
            app.sql(&format!(
                "UPDATE memberships SET id = '{}' WHERE user_id = (SELECT id FROM users WHERE username = 'bob')",
                of_bob.parse::<latchkey::ids::MembershipId>().unwrap().uuid()
            ));
        }
    }
}

#[test]
fn of_many_owners_who_are_deleted_at_once_one_stays_in_each_organization() {
    let app = App::start();
    let admins: Vec<User> = (0..4).map(|n| app.site_admin(&format!("root{n}"))).collect();
    for round in 0..5 {
        let owners: Vec<User> = (0..4).map(|n| app.user(&format!("owner-{round}-{n}"))).collect();
        for (nth, name) in ["one", "two"].iter().enumerate() {
            let name = format!("{name}-{round}");
            owners[nth].organization(&name);
            let team = owners[nth].owners_team(&name);
            owners
                .iter()
                .enumerate()
                .filter(|(n, _)| *n != nth)
                .for_each(|(_, other)| owners[nth].add_to_team(&team, other));
        }
        let requests = admins.iter().zip(&owners).map(|(admin, owner)| -> Box<dyn Fn() -> Answer + Send + '_> {
            Box::new(move || admin.client.delete(&format!("/api/v2/admin/users/{}", owner.id)))
        });
        let mut statuses = at_once(requests.collect());
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 200, 200, 422], "round {round}");
    }
}

#[test]
fn site_admins_who_shut_each_other_out_leave_one() {
    let app = App::start();
    for round in 0..10 {
        let names = (0..4).map(|n| format!("root-{round}-{n}"));
        let admins: Vec<User> = names.map(|name| app.site_admin(&name)).collect();
        app.sql(&format!("UPDATE users SET site_admin = false WHERE username NOT LIKE 'root-{round}-%'"));
        let requests = (0..4).map(|n| -> Box<dyn Fn() -> Answer + Send + '_> {
            let (admin, other) = (&admins[n], &admins[(n + 1) % 4]);
            Box::new(move || match n % 3 {
                0 => act(admin, other, "suspend"),
                1 => act(admin, other, "revoke_admin"),
                _ => admin.client.delete(&format!("/api/v2/admin/users/{}", other.id)),
            })
        });
        let statuses = at_once(requests.collect());
        assert!(app.count("users WHERE site_admin AND suspended_at IS NULL") >= 1, "round {round}: {statuses:?}");
        assert!(statuses.iter().all(|status| matches!(status, 200 | 401 | 404 | 422)), "round {round}: {statuses:?}");
    }
}

#[test]
fn who_is_suspended_while_making_an_organization_leaves_none_without_an_owner() {
    let app = App::start();
    let root = app.site_admin("root");
    for round in 0..20 {
        let zoe = app.user(&format!("zoe-{round}"));
        let new = resource("organizations", json!({"name": format!("org-{round}"), "email": "a@example.com"}));
        at_once(vec![
            Box::new(|| act(&root, &zoe, "suspend")),
            Box::new(|| zoe.client.post("/api/v2/organizations", &new)),
        ]);
        assert_eq!(app.count("organizations"), app.count(ACTIVE_OWNERS), "round {round}");
        app.sql("DELETE FROM organizations");
    }
}
