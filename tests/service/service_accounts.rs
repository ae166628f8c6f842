//! Service accounts (docs/design.md §4): users who are a program's, in one organization, and whose tokens its owners handle.

use std::sync::Barrier;

use diesel::{Connection, PgConnection, RunQueryDsl, sql_query};
use serde_json::{Value, json};

use crate::command_line::printed;
use crate::jwt::part;
use crate::races::times;
use crate::support::app::{Acme, User, identifiers, resource};
use crate::support::client::Answer;
use crate::support::process::{Folder, latchkey, run, until};

const ACCOUNTS: &str = "/api/v2/organizations/acme/service-accounts";
const TOKENS: &str = "/api/v2/organizations/acme/authentication-tokens";

/// `acme`, and its service account `bot`, which is in no team.
struct Scene {
    acme: Acme,
    bot: User,
}

impl Scene {
    fn set() -> Self {
        let acme = Acme::new();
        let bot = acme.ada.service_account("acme", "bot");
        Self { acme, bot }
    }

    /// A token of the account that ada makes.
    fn token(&self, attributes: Value) -> Answer {
        self.acme.ada.client.post(&tokens_of(&self.bot), &resource("authentication-tokens", attributes))
    }

    fn organization(&self, attributes: Value) {
        self.acme.ada.client.patch("/api/v2/organizations/acme", &resource("organizations", attributes)).expect(200);
    }

    fn put_into(&self, team: &str) {
        let path = format!("/api/v2/teams/{team}/relationships/users");
        self.acme.ada.client.post(&path, &identifiers("users", &["bot"])).expect(204);
    }

    /// The path of the account's one membership.
    fn membership(&self) -> String {
        let own = self.bot.memberships();
        assert_eq!(own.len(), 1);
        format!("/api/v2/organization-memberships/{}", own[0])
    }

    fn works(&self) -> bool {
        self.acme.works(self.bot.client.secret())
    }

    fn refused_by_the_database(&self, statement: &str) -> bool {
        let mut connection = PgConnection::establish(&self.acme.app.database_url).unwrap();
        sql_query(statement).execute(&mut connection).is_err()
    }
}

fn tokens_of(user: &User) -> String {
    format!("/api/v2/users/{}/authentication-tokens", user.id)
}

fn account(username: &str) -> Value {
    resource("users", json!({"username": username}))
}

#[test]
fn owners_make_them_and_members_see_them() {
    let scene = Scene::set();
    let Acme { app, ada, team } = &scene.acme;
    let (bob, zoe) = (app.user("bob"), app.user("zoe"));
    ada.add_to_team(team, &bob);
    let made = ada.client.post(ACCOUNTS, &account("crawler")).expect(201);
    assert_eq!((made.attribute("username"), made.attribute("is-service-account")), (&json!("crawler"), &json!(true)));
    let membership = made.body["data"]["relationships"]["organization-membership"]["data"]["id"].as_str().unwrap();
    let shown = ada.client.get(&format!("/api/v2/organization-memberships/{membership}")).expect(200);
    assert_eq!((shown.attribute("status"), shown.attribute("email")), (&json!("active"), &json!("")));
    assert_eq!(shown.body["data"]["relationships"]["user"]["data"]["id"], json!(made.id()));
    assert_eq!(bob.client.get(ACCOUNTS).expect(200).ids(), [scene.bot.id.clone(), made.id()]);
    assert_eq!(bob.client.get(&format!("{ACCOUNTS}?sort=-username&q=CRAWL")).expect(200).ids(), [made.id()]);
    assert_eq!(scene.bot.client.get(&format!("/api/v2/users/{}", made.id())).expect(200).id(), made.id());

    bob.client.post(ACCOUNTS, &account("another")).expect(403);
    zoe.client.post(ACCOUNTS, &account("another")).expect(404);
    zoe.client.get(ACCOUNTS).expect(404);
    for taken in ["crawler", "BOT", "zoe"] {
        assert_eq!(ada.client.post(ACCOUNTS, &account(taken)).expect(422).blamed(), ["/data/attributes/username"]);
    }
    assert_eq!(ada.client.post(ACCOUNTS, &account("no name")).expect(422).blamed(), ["/data/attributes/username"]);
    assert_eq!(ada.client.post(ACCOUNTS, &resource("users", json!({}))).expect(422).blamed().len(), 1);
    for resource in ["user", "organization_user"] {
        let told = format!("resource_type = '{resource}' AND resource_id = '{}' AND action = 'create'", made.id());
        assert_eq!(app.count(&format!("audit_events WHERE organization_id IS NOT NULL AND {told}")), 1, "{resource}");
    }
}

#[test]
fn the_command_line_makes_one_with_a_token() {
    let scene = Scene::set();
    let data = Folder::new();
    let create = |more: &[&str]| {
        let mut command = latchkey();
        command.args(["user", "create", "--data-dir"]).arg(&*data).args(more);
        run(command.args(["--database-url", &scene.acme.app.database_url]))
    };
    let made = create(&["crawler", "--service-account", "--organization", "Acme", "--format", "json"]);
    let made: Value = serde_json::from_str(&printed(&made)).unwrap();
    let crawler = scene.acme.app.with(made["token"].as_str().unwrap());
    let details = crawler.get("/api/v2/account/details").expect(200);
    assert_eq!((details.id().as_str(), details.attribute("email")), (made["id"].as_str().unwrap(), &json!("")));
    assert_eq!(*details.attribute("is-service-account"), json!(true));
    crawler.get("/api/v2/organizations/acme").expect(200);
    assert_eq!(scene.acme.ada.client.get(ACCOUNTS).expect(200).ids().len(), 2);
    for (wrong, status) in [
        (&["crawler", "--service-account", "--organization", "acme"][..], 1),
        (&["other", "--service-account", "--organization", "nowhere"], 1),
        (&["other", "--service-account"], 2),
        (&["other", "--organization", "acme", "--email", "other@example.com"], 2),
        (&["other", "--service-account", "--organization", "acme", "--email", "other@example.com"], 2),
        (&["other", "--service-account", "--organization", "acme", "--site-admin"], 2),
        (&["other"], 2),
    ] {
        let refused = create(wrong);
        assert_eq!(refused.status.code(), Some(status), "{wrong:?}");
        assert_eq!(String::from_utf8(refused.stderr).unwrap().lines().count(), 1, "{wrong:?}");
    }
    let unconfirmed = run(latchkey()
        .args(["user", "confirm-email", "bot", "--email", "bot@example.com", "--data-dir"])
        .arg(&*data)
        .args(["--database-url", &scene.acme.app.database_url]));
    assert!(!unconfirmed.status.success());
}

/// By name and by address it is as if there were none.
#[test]
fn nobody_gets_it_into_another_organization() {
    let scene = Scene::set();
    let Acme { app, ada, .. } = &scene.acme;
    let zoe = app.user("zoe");
    zoe.organization("elsewhere");
    let theirs = zoe.team("elsewhere", "theirs");
    let put_in = format!("/api/v2/teams/{theirs}/relationships/users");
    let answer = |name: &str| {
        let mut body = zoe.client.post(&put_in, &identifiers("users", &[name])).expect(404).body;
        body["errors"][0]["id"] = Value::Null;
        body.to_string().replace(name, "…")
    };
    assert_eq!(answer("bot"), answer("nobody"));
    let by_id = identifiers("organization-memberships", &[&scene.bot.memberships()[0]]);
    zoe.client.post(&format!("/api/v2/teams/{theirs}/relationships/organization-memberships"), &by_id).expect(404);
    zoe.client.get(&format!("/api/v2/users/{}", scene.bot.id)).expect(404);
    // What it shows as an address is none.
    let mut invitation = resource("organization-memberships", json!({"email": ""}));
    invitation["data"]["relationships"] = json!({"teams": identifiers("teams", &[&theirs])});
    zoe.client.post("/api/v2/organizations/elsewhere/organization-memberships", &invitation).expect(422);

    let elsewhere = "SELECT gen_random_uuid(), organizations.id, users.id, 'active' FROM users, organizations \
                     WHERE username = 'bot' AND name = 'elsewhere'";
    for statement in [
        &format!("INSERT INTO memberships (id, organization_id, user_id, status) {elsewhere}"),
        "UPDATE memberships SET organization_id = (SELECT id FROM organizations WHERE name = 'elsewhere') \
         WHERE user_id = (SELECT id FROM users WHERE username = 'bot')",
        "UPDATE memberships SET user_id = (SELECT id FROM users WHERE username = 'bot') \
         WHERE user_id = (SELECT id FROM users WHERE username = 'zoe')",
        "UPDATE memberships SET status = 'invited' WHERE user_id = (SELECT id FROM users WHERE username = 'bot')",
        "UPDATE all_users SET organization_id = (SELECT id FROM organizations WHERE name = 'elsewhere') \
         WHERE username = 'bot'",
        "UPDATE all_users SET organization_id = NULL, email = 'bot@example.com' WHERE username = 'bot'",
        "UPDATE all_users SET email = 'bot@example.com' WHERE username = 'bot'",
        "UPDATE all_users SET unconfirmed_email = 'bot@example.com' WHERE username = 'bot'",
        "UPDATE all_users SET password_hash = 'x' WHERE username = 'bot'",
        "UPDATE all_users SET site_admin = true WHERE username = 'bot'",
        "UPDATE all_users SET email = NULL WHERE username = 'zoe'",
        "UPDATE tokens SET organization_id = (SELECT id FROM organizations WHERE name = 'elsewhere') \
         WHERE user_id = (SELECT id FROM users WHERE username = 'bot')",
    ] {
        assert!(scene.refused_by_the_database(statement), "{statement}");
    }
    assert_eq!(ada.client.get(ACCOUNTS).expect(200).ids(), [scene.bot.id]);
}

#[test]
fn it_has_no_account_to_change_and_makes_no_organization() {
    let scene = Scene::set();
    let bot = &scene.bot.client;
    bot.patch("/api/v2/account/update", &resource("users", json!({"email": "bot@example.com"}))).expect(403);
    let password = json!({"password": "correct horse", "password_confirmation": "correct horse"});
    bot.patch("/api/v2/account/password", &resource("users", password)).expect(403);
    let new = json!({"name": "bots", "email": "bot@example.com"});
    bot.post("/api/v2/organizations", &resource("organizations", new)).expect(403);
    let details = bot.get("/api/v2/account/details").expect(200);
    assert_eq!(details.attribute("permissions")["can-change-password"], json!(false));
    bot.get("/api/v2/account/audit-trail").expect(200);
    let root = scene.acme.app.site_admin("root");
    root.client.post_nothing(&format!("/api/v2/admin/users/{}/actions/grant_admin", scene.bot.id)).expect(422);
    assert_eq!(*root.client.get("/api/v2/admin/users?q=bot").expect(200).ids(), [scene.bot.id]);
}

#[test]
fn owners_handle_its_tokens_as_those_of_a_team() {
    let scene = Scene::set();
    let Acme { app, ada, team } = &scene.acme;
    let (bob, root) = (app.user("bob"), app.site_admin("root"));
    ada.add_to_team(team, &bob);
    let made = scene.token(json!({"description": "crawls"})).expect(201);
    assert!(made.secret().starts_with("lku_"));
    let related = |name: &str| made.body["data"]["relationships"][name]["data"]["id"].clone();
    assert_eq!((related("user"), related("organization")), (json!(scene.bot.id), json!("acme")));
    assert_eq!(related("created-by"), json!(ada.id));
    app.with(&made.secret()).get("/api/v2/organizations/acme").expect(200);

    let found =
        |user: &User, query: &str| user.client.get(&format!("{TOKENS}?{query}&sort=created-at")).expect(200).ids();
    let first = scene.bot.token_id(app);
    let both = [first.clone(), made.id()];
    for query in ["filter[kind]=user", "filter[name]=svc_access", "q=bot"] {
        assert_eq!(found(ada, query), both, "{query}");
        assert_eq!(found(&root, query), both, "{query}");
        assert_eq!(found(&scene.bot, query), both, "{query}");
        assert_eq!(found(&bob, query), [""; 0], "{query}");
    }
    assert_eq!(found(ada, "filter[name]=personal_access"), [""; 0]);
    for (user, listed) in [(ada, &both[..]), (&root, &both), (&scene.bot, &both), (&bob, &[])] {
        assert_eq!(user.client.get(&tokens_of(&scene.bot)).expect(200).ids(), listed, "{}", user.username);
    }
    let all = "/api/v2/admin/authentication-tokens?filter[organization]=acme&filter[user]=bot";
    assert_eq!(root.client.get(all).expect(200).ids().len(), 2);

    let by_id = format!("/api/v2/authentication-tokens/{}", made.id());
    let change = resource("authentication-tokens", json!({"description": "crawls at night"}));
    for (user, status) in [(&bob, 404), (&root, 403), (ada, 200), (&scene.bot, 200)] {
        assert_eq!(user.client.patch(&by_id, &change).status, status, "{}", user.username);
        let again = user.client.post_nothing(&format!("{by_id}/actions/disable"));
        assert_eq!(again.status, status, "{}", user.username);
        ada.client.post_nothing(&format!("{by_id}/actions/enable")).expect(200);
    }
    let next = ada.client.post_nothing(&format!("{by_id}/actions/regenerate")).expect(201);
    assert_eq!(next.body["data"]["relationships"]["user"]["data"]["id"], json!(scene.bot.id));
    app.with(&made.secret()).get("/api/v2/account/details").expect(401);
    root.client.delete(&format!("/api/v2/authentication-tokens/{}", next.id())).expect(204);
    app.with(&next.secret()).get("/api/v2/account/details").expect(401);

    // Both trails tell of them.
    let told = |of: &str| {
        let event = format!("resource_id = '{}' AND action = 'create' AND organization_id IS NOT NULL", made.id());
        app.count(&format!("audit_events WHERE {event} AND {of}"))
    };
    assert_eq!((told("user_id IS NOT NULL"), told("user_id IS NULL")), (1, 0));
}

/// It makes its own, and no more than it has.
#[test]
fn it_handles_its_own_tokens_as_any_user() {
    let scene = Scene::set();
    let app = &scene.acme.app;
    let other = scene.acme.ada.service_account("acme", "other");
    let make = |user: &User, attributes: Value| {
        scene.bot.client.post(&tokens_of(user), &resource("authentication-tokens", attributes))
    };
    let made = make(&scene.bot, json!({"role": "member"})).expect(201);
    assert_eq!(made.body["data"]["relationships"]["created-by"]["data"]["id"], json!(scene.bot.id));
    let path = tokens_of(&scene.bot);
    let higher = resource("authentication-tokens", json!({"role": "owner"}));
    app.with(&made.secret()).post(&path, &higher).expect(403);
    make(&other, json!({})).expect(404);
    assert_eq!(scene.bot.client.get(&tokens_of(&other)).expect(200).ids(), [""; 0]);
    scene.bot.client.delete(&format!("/api/v2/authentication-tokens/{}", made.id())).expect(204);

    let renewing = make(&scene.bot, json!({"self-rotation": true, "role": "viewer"})).expect(201);
    let renew = format!("/api/v2/authentication-tokens/{}/actions/regenerate", renewing.id());
    let next = app.with(&renewing.secret()).post_nothing(&renew).expect(201);
    assert_eq!(next.attribute("role"), "viewer");
    app.with(&next.secret()).get("/api/v2/organizations/acme").expect(200);
}

#[test]
fn its_rights_are_those_of_its_teams() {
    let scene = Scene::set();
    let Acme { ada, team, .. } = &scene.acme;
    let token = format!("/api/v2/teams/{team}/authentication-token");
    scene.bot.client.post_nothing(&token).expect(404);
    scene.put_into(team);
    scene.bot.client.post_nothing(&token).expect(201);
    let new_team = resource("teams", json!({"name": "new"}));
    scene.bot.client.post("/api/v2/organizations/acme/teams", &new_team).expect(404);
    scene.put_into(&ada.owners_team("acme"));
    scene.bot.client.post("/api/v2/organizations/acme/teams", &new_team).expect(200);
}

#[test]
fn what_the_organization_says_of_tokens_binds_its_tokens() {
    let scene = Scene::set();
    let Acme { app, ada, team } = &scene.acme;
    scene.put_into(team);
    let abilities = |answer: &Answer| answer.attribute("effective-abilities").clone();
    let before = scene.token(json!({})).expect(201);
    assert_eq!(abilities(&before), json!(["agents:*", "storage:*"]));
    let beyond = scene.token(json!({"abilities": ["builds:read"]})).expect(422);
    assert_eq!(beyond.blamed(), ["/data/attributes/abilities"]);

    let registered = json!({"abilities": [{"name": "agents:read"}, {"name": "builds:read"}]});
    ada.client.patch("/api/v2/organizations/acme/abilities", &resource("abilities", registered)).expect(200);
    scene.organization(json!({"default-token-format": "jwt", "allowed-token-roles": ["viewer", "member"]}));
    let made = scene.token(json!({})).expect(201);
    assert_eq!((made.attribute("format"), made.attribute("role")), (&json!("jwt"), &json!("member")));
    assert_eq!(abilities(&made), json!(["agents:read"]));
    let claims = part(&made.secret(), 1);
    let organization = app.text("SELECT id::text FROM organizations").parse::<uuid::Uuid>().unwrap();
    let organization = latchkey::ids::OrganizationId::from(organization).to_string();
    assert_eq!((&claims["kind"], &claims["sub"]), (&json!("user"), &json!(scene.bot.id)));
    assert_eq!((&claims["organization"], &claims["abilities"]), (&json!(organization), &json!(["agents:read"])));
    assert_eq!(scene.token(json!({"role": "owner"})).expect(422).blamed(), ["/data/attributes/role"]);
    let shown = ada.client.get(&format!("/api/v2/authentication-tokens/{}", before.id())).expect(200);
    assert_eq!(shown.attribute("role"), "member", "what is there is narrowed, too");

    // An owner has every ability, but for Latchkey's own, which are listed or not there.
    scene.put_into(&ada.owners_team("acme"));
    let made = scene.token(json!({})).expect(201);
    assert_eq!(abilities(&made), json!(["agents:read", "builds:read"]));
    assert_eq!(part(&made.secret(), 1)["abilities"], abilities(&made));
}

#[test]
fn the_ttl_policy_for_users_binds_its_tokens() {
    let scene = Scene::set();
    let Acme { app, ada, .. } = &scene.acme;
    let policies = json!([{"token-type": "user", "max-ttl-ms": 86_400_000}]);
    let policies = resource("organization-token-ttl-policies", json!({ "token-ttl-policies": policies }));
    scene.organization(json!({"max-ttl-enabled": true}));
    ada.client.patch("/api/v2/organizations/acme/token-ttl-policies", &policies).expect(200);
    let late = scene.token(json!({"expired-at": "2099-01-01T00:00:00Z"})).expect(422);
    assert_eq!(late.blamed(), ["/data/attributes/expired-at"]);
    let made = scene.token(json!({})).expect(201);
    assert!(made.attribute("expires-in-seconds").as_i64().is_some_and(|seconds| seconds <= 86_400));
    app.sql("UPDATE tokens SET created_at = now() - interval '2 days' WHERE organization_id IS NOT NULL");
    // It opens nothing anywhere, for it is of nowhere else.
    scene.bot.client.get("/api/v2/account/details").expect(401);
}

#[test]
fn its_end_is_that_of_its_membership() {
    let scene = Scene::set();
    let Acme { app, ada, team } = &scene.acme;
    let max = app.user("max");
    ada.add_to_team(
        &ada.team_with("acme", json!({"name": "hosts", "organization-access": {"manage-membership": true}})),
        &max,
    );
    scene.put_into(team);
    let membership = scene.membership();
    for (user, status) in [(&max, 403), (&scene.bot, 403), (&app.user("zoe"), 404)] {
        assert_eq!(user.client.delete(&membership).status, status, "{}", user.username);
    }
    assert!(scene.works());
    ada.client.delete(&membership).expect(204);
    assert!(!scene.works());
    assert_eq!(ada.client.get(ACCOUNTS).expect(200).ids(), [""; 0]);
    ada.client.get(&format!("/api/v2/users/{}", scene.bot.id)).expect(404);
    assert_eq!(ada.client.get(&format!("{TOKENS}?filter[kind]=user")).expect(200).ids(), [""; 0]);
    let trashed = ada.client.get(&format!("{TOKENS}?filter[kind]=user&filter[trashed]=only")).expect(200);
    assert_eq!(trashed.ids().len(), 1);
    for (resource, action) in [("user", "destroy"), ("organization_user", "destroy"), ("team_member", "destroy")] {
        let told = format!("resource_type = '{resource}' AND action = '{action}' AND organization_id IS NOT NULL");
        assert_eq!(
            app.count(&format!("audit_events WHERE resource_id = '{}' AND {told}", scene.bot.id)),
            1,
            "{resource}"
        );
    }
    until("its token has its own end", || {
        app.count("audit_events WHERE action = 'destroy' AND meta->'ended-with'->>'type' = 'user'") == 1
    });
    // The name is free.
    ada.client.post(ACCOUNTS, &account("bot")).expect(201);
}

#[test]
fn it_ends_with_its_organization() {
    let scene = Scene::set();
    let Acme { app, ada, .. } = &scene.acme;
    ada.client.delete("/api/v2/organizations/acme").expect(204);
    scene.bot.client.get("/api/v2/account/details").expect(401);
    assert_eq!(app.count("users WHERE username = 'bot'"), 0);
    let root = app.site_admin("root");
    assert_eq!(root.client.get("/api/v2/admin/users?q=bot").expect(200).ids(), [""; 0]);
    until("its token has its own end", || {
        app.count("audit_events WHERE action = 'destroy' AND meta->'ended-with'->>'type' = 'organization'") == 1
    });
    until("its name is free", || app.count("all_users WHERE username = 'bot' AND deleted_at IS NULL") == 0);
    ada.organization("acme");
    ada.client.post(ACCOUNTS, &account("bot")).expect(201);
}

#[test]
fn site_admins_suspend_and_delete_it() {
    let scene = Scene::set();
    let root = scene.acme.app.site_admin("root");
    let act =
        |action: &str| root.client.post_nothing(&format!("/api/v2/admin/users/{}/actions/{action}", scene.bot.id));
    let made = scene.token(json!({"description": "by ada"})).expect(201);
    scene.bot.client.post(&tokens_of(&scene.bot), &resource("authentication-tokens", json!({}))).expect(201);
    let suspended = act("suspend").expect(200);
    assert_eq!(suspended.body["meta"]["created-tokens"]["total"], json!(0), "its own are no others'");
    assert!(!scene.works());
    act("unsuspend").expect(200);
    assert!(scene.works());
    root.client.delete(&format!("/api/v2/admin/users/{}", scene.bot.id)).expect(200);
    assert!(!scene.works());
    scene.token(json!({})).expect(404);
    // Who goes may know the secrets of those that they have made.
    let bob = scene.acme.app.user("bob");
    scene.acme.ada.add_to_team(&scene.acme.ada.owners_team("acme"), &bob);
    let other = bob.service_account("acme", "other");
    let gone = root.client.delete(&format!("/api/v2/admin/users/{}", bob.id)).expect(200);
    assert_eq!(gone.body["meta"]["created-tokens"]["tokens"][0]["id"], json!(other.token_id(&scene.acme.app)));
    assert_eq!(made.attribute("kind"), "user");
}

/// It cannot sign in: an organization keeps an owner who is a person.
#[test]
fn it_is_never_the_last_owner() {
    let scene = Scene::set();
    let Acme { app, ada, .. } = &scene.acme;
    let (owners, root) = (ada.owners_team("acme"), app.site_admin("root"));
    scene.put_into(&owners);
    let path = format!("/api/v2/teams/{owners}/relationships/users");
    let out = identifiers("users", &["ada"]);
    ada.client.delete_with(&path, &out).expect(403);
    scene.bot.client.delete_with(&path, &out).expect(403);
    scene.bot.client.delete(&format!("/api/v2/organization-memberships/{}", ada.memberships()[0])).expect(403);
    root.client.delete(&format!("/api/v2/admin/users/{}", ada.id)).expect(422);
    root.client.post_nothing(&format!("/api/v2/admin/users/{}/actions/suspend", ada.id)).expect(422);
    // It is itself no owner whom anything needs.
    root.client.post_nothing(&format!("/api/v2/admin/users/{}/actions/suspend", scene.bot.id)).expect(200);
    root.client.post_nothing(&format!("/api/v2/admin/users/{}/actions/unsuspend", scene.bot.id)).expect(200);
    let bob = app.user("bob");
    ada.add_to_team(&owners, &bob);
    let answers = times(2, |nth| {
        let (who, name) = if nth == 0 { (ada, "ada") } else { (&bob, "bob") };
        who.client.delete_with(&path, &identifiers("users", &[name]))
    });
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 403]);
    let persons = "team_members JOIN users ON users.id = user_id AND users.organization_id IS NULL WHERE team_id = \
                   (SELECT id FROM teams WHERE owners)";
    assert_eq!(app.count(persons), 1);
}

/// Of many who make one of a name, one does; and no token outlives the account, however they race.
#[test]
fn many_at_once() {
    let scene = Scene::set();
    let Acme { app, ada, .. } = &scene.acme;
    let answers = times(8, |_| ada.client.post(ACCOUNTS, &account("crawler")));
    let made = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!((made, answers.iter().filter(|answer| answer.status == 422).count()), (1, 7));
    assert_eq!(app.count("memberships"), 3);

    let membership = scene.membership();
    let barrier = Barrier::new(2);
    let answers = std::thread::scope(|scope| {
        let making = scope.spawn(|| {
            barrier.wait();
            (0..20).map(|_| scene.token(json!({}))).collect::<Vec<_>>()
        });
        barrier.wait();
        ada.client.delete(&membership).expect(204);
        making.join().unwrap()
    });
    for answer in answers {
        assert!(matches!(answer.status, 201 | 404), "{answer:?}");
        if answer.status == 201 {
            app.with(&answer.secret()).get("/api/v2/account/details").expect(401);
        }
    }
    let live = "listed_tokens JOIN all_users ON all_users.id = user_id AND username = 'bot' WHERE status <> 'revoked'";
    assert_eq!(app.count(live), 0);
}
