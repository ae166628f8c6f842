//! A request that waits for a lock, or for a name, while its caller's right is taken away: it finds what is true now.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use diesel::{Connection, PgConnection, RunQueryDsl, sql_query};
use serde_json::{Value, json};

use crate::support::App;
use crate::support::app::{Acme, FIRST_PASSWORD, User, identifiers, project_access, resource, team_access};
use crate::support::client::{Answer, MEDIA_TYPE};
use crate::support::holder::Holder;

/// What a request is answered that waits for a lock while something happens. That gets the lock's holder, and lets
/// go of it.
fn waiting(app: &App, lock: &str, request: impl FnOnce() -> Answer + Send, meanwhile: impl FnOnce(Holder)) -> Answer {
    let holder = Holder::of(app, lock);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(request);
        holder.until_waiting(1);
        meanwhile(holder);
        waiting.join().unwrap()
    })
}

fn invitation(email: &str, team: &str) -> Value {
    let mut invitation = resource("organization-memberships", json!({ "email": email }));
    invitation["data"]["relationships"] = json!({"teams": identifiers("teams", &[team])});
    invitation
}

/// A request, the row that is locked before it comes, and whether it goes by what its caller is in the organization.
struct Waiting {
    request: (&'static str, String, Value),
    lock: String,
    by_standing: bool,
}

/// Every request that waits for a lock. The owner bob sends them.
fn every_waiting_request(ada: &User, bob: &User, app: &App) -> Vec<Waiting> {
    let (ci, owners) = (ada.team("acme", "ci"), ada.owners_team("acme"));
    let (workspace, carl) = (ada.workspace("acme", "prod"), app.user("carl"));
    ada.add_to_team(&ci, &carl);
    let access = ada.give_access(&ci, &workspace, "read");
    let project = ada.project("acme", "core");
    let project_grant = ada.give_project_access(&ci, &project, json!({"access": "read"}));
    let reserved = resource("reserved-tag-keys", json!({"key": "env"}));
    let reserved = ada.client.post("/api/v2/organizations/acme/reserved-tag-keys", &reserved).expect(201).id();
    let other = ada.team("acme", "other");
    ada.team_token(&ci);
    let described = ada.described_token(&ci, json!({"description": "nightly"})).id();
    ada.client.post_nothing("/api/v2/organizations/acme/authentication-token").expect(201).secret();
    let memberships = "/api/v2/organizations/acme/organization-memberships";
    let carls = ada.client.get(&format!("{memberships}?filter[email]=carl@example.com")).expect(200).ids().remove(0);
    let invited = invitation("new@example.com", &ci);
    let zoe = app.user("zoe");
    zoe.organization("elsewhere");
    let elsewhere = "/api/v2/organizations/elsewhere/organization-memberships";
    let of_bob = invitation("bob@example.com", &zoe.team("elsewhere", "ops"));
    let bobs = zoe.client.post(elsewhere, &of_bob).expect(201).id();
    let policies = json!({"token-ttl-policies": [{"token-type": "team", "max-ttl-ms": 86_400_000}]});
    app.give_passwords();
    let password = json!({
        "current_password": FIRST_PASSWORD,
        "password": "correct horse",
        "password_confirmation": "correct horse",
    });

    let team = "SELECT FROM teams WHERE name = 'ci' FOR NO KEY UPDATE";
    let organization = "SELECT FROM organizations WHERE name = 'acme' FOR UPDATE";
    let described_row = "SELECT FROM tokens WHERE description = 'nightly' FOR UPDATE";
    let (prod, prod_access) = ("SELECT FROM workspaces FOR UPDATE", "SELECT FROM team_workspaces FOR UPDATE");
    let core = "SELECT FROM projects WHERE name = 'core' FOR UPDATE";
    let user = "SELECT FROM users WHERE username = 'bob' FOR UPDATE";
    let tokens = identifiers("authentication-tokens", &[&described]);
    let (users, theirs) = (identifiers("users", &["carl"]), identifiers("organization-memberships", &[&carls]));
    let new = |kind| resource(kind, json!({"name": "newer"}));
    let nothing = || Value::Null;
    let tags = format!("/api/v2/workspaces/{workspace}/relationships/tags");
    let tag = json!({"data": [{"type": "tags", "attributes": {"name": "app"}}]});
    ada.client.post(&tags, &tag).expect(204);
    let tag = ada.client.get(&tags).expect(200).ids().remove(0);
    let another = json!({"data": [{"type": "tags", "attributes": {"name": "new"}}]});
    let consumers = format!("workspaces/{workspace}/relationships/remote-state-consumers");
    let itself = || identifiers("workspaces", &[&workspace]);
    let rows = [
        ("POST", format!("workspaces/{workspace}/actions/lock"), nothing(), prod),
        ("POST", format!("workspaces/{workspace}/actions/unlock"), nothing(), prod),
        ("POST", format!("workspaces/{workspace}/actions/force-unlock"), nothing(), prod),
        ("POST", format!("workspaces/{workspace}/actions/safe-delete"), nothing(), prod),
        ("POST", consumers.clone(), itself(), prod),
        ("PATCH", consumers.clone(), itself(), prod),
        ("DELETE", consumers, itself(), prod),
        ("POST", format!("workspaces/{workspace}/relationships/tags"), another.clone(), prod),
        // For a new tag the organization is locked.
        ("POST", format!("workspaces/{workspace}/relationships/tags"), another, organization),
        ("POST", format!("tags/{tag}/relationships/workspaces"), itself(), prod),
        ("POST", format!("tags/{tag}/relationships/workspaces"), itself(), "SELECT FROM tags FOR UPDATE"),
        (
            "DELETE",
            "organizations/acme/tags".to_owned(),
            identifiers("tags", &[&tag]),
            "SELECT FROM tags FOR KEY SHARE",
        ),
        ("POST", format!("teams/{ci}/authentication-token"), nothing(), team),
        ("DELETE", format!("teams/{ci}/authentication-token"), nothing(), team),
        ("POST", format!("teams/{ci}/authentication-tokens"), resource("authentication-tokens", json!({})), team),
        ("DELETE", format!("authentication-tokens/{described}"), nothing(), described_row),
        ("DELETE", "organizations/acme/team-tokens".to_owned(), tokens, described_row),
        ("POST", "organizations/acme/authentication-token".to_owned(), nothing(), organization),
        ("DELETE", "organizations/acme/authentication-token".to_owned(), nothing(), organization),
        ("PATCH", format!("teams/{ci}"), new("teams"), team),
        ("DELETE", format!("teams/{ci}"), nothing(), team),
        ("POST", "organizations/acme/teams".to_owned(), new("teams"), organization),
        ("POST", format!("teams/{ci}/relationships/users"), users.clone(), team),
        ("DELETE", format!("teams/{ci}/relationships/users"), users, team),
        ("POST", format!("teams/{ci}/relationships/organization-memberships"), theirs.clone(), team),
        ("DELETE", format!("teams/{ci}/relationships/organization-memberships"), theirs, team),
        ("POST", "organizations/acme/organization-memberships".to_owned(), invited, team),
        ("DELETE", format!("organization-memberships/{carls}"), nothing(), "SELECT FROM teams WHERE owners FOR UPDATE"),
        ("PATCH", "organizations/acme".to_owned(), new("organizations"), organization),
        ("DELETE", "organizations/acme".to_owned(), nothing(), organization),
        (
            "PATCH",
            "organizations/acme/token-ttl-policies".to_owned(),
            resource("organization-token-ttl-policies", policies),
            organization,
        ),
        ("POST", "organizations/acme/workspaces".to_owned(), new("workspaces"), organization),
        ("PATCH", format!("workspaces/{workspace}"), new("workspaces"), prod),
        ("DELETE", "organizations/acme/workspaces/prod".to_owned(), nothing(), prod),
        (
            "PATCH",
            format!("team-workspaces/{access}"),
            resource("team-workspaces", json!({"access": "write"})),
            prod_access,
        ),
        ("DELETE", format!("team-workspaces/{access}"), nothing(), prod_access),
        ("POST", "organizations/acme/projects".to_owned(), new("projects"), organization),
        ("PATCH", format!("projects/{project}"), new("projects"), core),
        ("DELETE", format!("projects/{project}"), nothing(), core),
        (
            "POST",
            format!("projects/{project}/relationships/workspaces"),
            identifiers("workspaces", &[&workspace]),
            core,
        ),
        ("POST", "team-projects".to_owned(), project_access(&other, &project, json!({"access": "read"})), core),
        (
            "PATCH",
            format!("team-projects/{project_grant}"),
            resource("team-projects", json!({"access": "write"})),
            core,
        ),
        ("DELETE", format!("team-projects/{project_grant}"), nothing(), core),
        (
            "POST",
            "organizations/acme/reserved-tag-keys".to_owned(),
            resource("reserved-tag-keys", json!({"key": "new"})),
            organization,
        ),
        ("DELETE", format!("reserved-tag-keys/{reserved}"), nothing(), organization),
    ];
    let invited_row = "SELECT FROM memberships WHERE status = 'invited' FOR UPDATE";
    let own_rows = [
        ("POST", format!("organization-memberships/{bobs}/actions/accept"), nothing(), invited_row),
        ("PATCH", "account/update".to_owned(), resource("users", json!({"username": "robert"})), user),
        ("PATCH", "account/password".to_owned(), resource("users", password), user),
    ];
    ada.add_to_team(&owners, bob);
    let of = |by_standing| {
        move |(method, path, body, lock): (&'static str, String, Value, &str)| Waiting {
            request: (method, format!("/api/v2/{path}"), body),
            lock: lock.to_owned(),
            by_standing,
        }
    };
    rows.into_iter().map(of(true)).chain(own_rows.into_iter().map(of(false))).collect()
}

impl Waiting {
    fn send(&self, app: &App, secret: &str) -> Answer {
        let (method, path, body) = &self.request;
        let bytes = body.to_string().into_bytes();
        let headers: &[_] = if body.is_null() { &[] } else { &[("Content-Type", "application/vnd.api+json")] };
        app.with(secret).send(method, path, headers, (!body.is_null()).then_some(bytes.as_slice()))
    }
}

#[test]
fn who_is_removed_while_waiting_is_refused() {
    let app = App::start();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    ada.organization("acme");
    let mut wrong = vec![];
    for row in every_waiting_request(&ada, &bob, &app).iter().filter(|row| row.by_standing) {
        let before = app.count("audit_events");
        let send = || row.send(&app, bob.client.secret());
        let answer = waiting(&app, &row.lock, send, |mut holder| {
            let of_bob = "WHERE user_id = (SELECT id FROM users WHERE username = 'bob')";
            holder.run(&format!("DELETE FROM memberships {of_bob}"));
            holder.release();
        });
        if answer.status != 404 || app.count("audit_events") != before {
            wrong.push(format!("{:?}: {}", row.request, answer.status));
        }
        ada.add_to_team(&ada.owners_team("acme"), &bob);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_token_that_is_revoked_while_it_waits_is_refused() {
    let app = App::start();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    ada.organization("acme");
    let tokens = format!("/api/v2/users/{}/authentication-tokens", bob.id);
    let mut wrong = vec![];
    for row in every_waiting_request(&ada, &bob, &app) {
        let token = bob.client.post(&tokens, &resource("authentication-tokens", json!({}))).expect(201);
        let before = app.count("audit_events");
        let send = || row.send(&app, &token.secret());
        let answer = waiting(&app, &row.lock, send, |holder| {
            bob.client.delete(&format!("/api/v2/authentication-tokens/{}", token.id())).expect(204);
            holder.release();
        });
        if answer.status != 401 || app.count("audit_events") != before + 1 {
            wrong.push(format!("{:?}: {}", row.request, answer.status));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn who_leaves_a_team_while_waiting_makes_no_token_of_it() {
    let scene = Acme::new();
    let bob = scene.app.user("bob");
    scene.ada.add_to_team(&scene.team, &bob);
    let users = format!("/api/v2/teams/{}/relationships/users", scene.team);
    let holder = Holder::of(&scene.app, "SELECT FROM teams WHERE name = 'ci' FOR NO KEY UPDATE");
    std::thread::scope(|scope| {
        let removal = scope.spawn(|| scene.ada.client.delete_with(&users, &identifiers("users", &["bob"])));
        holder.until_waiting(1);
        let token = scope.spawn(|| bob.client.post_nothing(&scene.one()));
        holder.until_waiting(2);
        holder.release();
        removal.join().unwrap().expect(204);
        token.join().unwrap().expect(404);
    });
    assert_eq!(scene.app.count("tokens WHERE kind = 'team'"), 0);
}

#[test]
fn a_permission_that_is_taken_away_while_its_holder_waits_is_gone() {
    let scene = Acme::new();
    let mia = scene.app.user("mia");
    let access = |manage_teams| json!({"name": "managers", "organization-access": {"manage-teams": manage_teams}});
    let managers = scene.ada.team_with("acme", access(true));
    scene.ada.add_to_team(&managers, &mia);
    let lock = "SELECT FROM teams WHERE name = 'ci' FOR NO KEY UPDATE";
    let answer = waiting(
        &scene.app,
        lock,
        || mia.client.post_nothing(&scene.one()),
        |holder| {
            scene.ada.client.patch(&format!("/api/v2/teams/{managers}"), &resource("teams", access(false))).expect(200);
            holder.release();
        },
    );
    answer.expect(404);
    assert_eq!(scene.app.count("tokens WHERE kind = 'team'"), 0);
}

#[test]
fn a_token_that_is_revoked_while_it_replaces_itself_has_no_successor() {
    let scene = Acme::new();
    for path in [scene.one(), "/api/v2/organizations/acme/authentication-token".to_owned()] {
        let token = scene.ada.client.post_nothing(&path).expect(201);
        let itself = scene.app.with(&token.secret());
        let holder =
            Holder::of(&scene.app, "SELECT FROM tokens WHERE kind <> 'user' AND revoked_at IS NULL FOR NO KEY UPDATE");
        std::thread::scope(|scope| {
            let by_id = format!("/api/v2/authentication-tokens/{}", token.id());
            let ada = &scene.ada.client;
            let revocation = scope.spawn(move || ada.delete(&by_id));
            holder.until_waiting(1);
            let successor = scope.spawn(|| itself.post_nothing(&path));
            holder.until_waiting(2);
            holder.release();
            revocation.join().unwrap().expect(204);
            successor.join().unwrap().expect(401);
        });
        assert_eq!(scene.app.count("tokens WHERE kind <> 'user' AND revoked_at IS NULL"), 0, "{path}");
    }
}

#[test]
fn who_is_being_removed_does_not_come_back() {
    let scene = Acme::new();
    let bob = scene.app.user("bob");
    let seen = resource("teams", json!({"visibility": "organization"}));
    scene.ada.client.patch(&format!("/api/v2/teams/{}", scene.team), &seen).expect(200);
    let hosting = json!({"name": "hosts", "organization-access": {"manage-membership": true},
        "abilities": ["agents:*", "storage:*"]});
    let hosts = scene.ada.team_with("acme", hosting);
    scene.ada.add_to_team(&hosts, &bob);
    let users = format!("/api/v2/teams/{}/relationships/users", scene.team);
    let removal = "DELETE FROM memberships WHERE user_id = (SELECT id FROM users WHERE username = 'bob')";
    let himself = || bob.client.post(&users, &identifiers("users", &["bob"]));
    waiting(&scene.app, removal, himself, Holder::release).expect(404);
    assert_eq!(scene.app.count("memberships"), 1);

    scene.ada.add_to_team(&hosts, &bob);
    let holder = Holder::of(&scene.app, removal);
    let memberships = "/api/v2/organizations/acme/organization-memberships";
    bob.client.post(memberships, &invitation("bob@example.com", &scene.team)).expect(422);
    holder.release();
    assert_eq!(scene.app.count("memberships"), 1);
}

#[test]
fn who_accepts_while_declining_stays() {
    let scene = Acme::new();
    let bob = scene.app.user("bob");
    let memberships = "/api/v2/organizations/acme/organization-memberships";
    let id = scene.ada.client.post(memberships, &invitation("bob@example.com", &scene.team)).expect(201).id();
    let lock = "UPDATE memberships SET status = 'active' WHERE status = 'invited'";
    let decline = || bob.client.delete(&format!("/api/v2/organization-memberships/{id}"));
    waiting(&scene.app, lock, decline, Holder::release).expect(403);
    assert_eq!(scene.app.count("memberships"), 2);
}

#[test]
fn a_name_that_passes_to_another_organization_while_one_waits_names_none() {
    let app = App::start();
    let bob = app.user("bob");
    bob.organization("acme");
    bob.organization("mine");
    let lock = "SELECT FROM organizations WHERE name = 'acme' FOR UPDATE";
    let answer = waiting(
        &app,
        lock,
        || bob.client.delete("/api/v2/organizations/acme"),
        |mut holder| {
            holder.run("UPDATE organizations SET name = 'kept' WHERE name = 'acme'");
            holder.run("UPDATE organizations SET name = 'acme' WHERE name = 'mine'");
            holder.release();
        },
    );
    answer.expect(404);
    assert_eq!(app.count("organizations WHERE name IN ('kept', 'acme')"), 2);
}

/// Who has been given access by a team, and is in a loop of giving it again, does not have it back once it is taken away.
#[test]
fn access_that_was_taken_away_does_not_come_back() {
    let app = App::start();
    let (ada, mal) = (app.user("ada"), app.user("mal"));
    ada.organization("acme");
    let (devs, workspace) = (ada.team("acme", "devs"), ada.workspace("acme", "prod"));
    ada.add_to_team(&devs, &mal);
    let again = team_access(&devs, &workspace, json!({"access": "admin"}));
    for round in 0..15 {
        let access = ada.give_access(&devs, &workspace, "admin");
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(|| {
                    while !stop.load(Ordering::SeqCst) {
                        let answer = mal.client.post("/api/v2/team-workspaces", &again);
                        assert!([404, 422, 429, 503].contains(&answer.status), "round {round}: {}", answer.body);
                    }
                });
            }
            std::thread::sleep(Duration::from_millis(100));
            ada.client.delete(&format!("/api/v2/team-workspaces/{access}")).expect(204);
            std::thread::sleep(Duration::from_millis(150));
            stop.store(true, Ordering::SeqCst);
        });
        mal.client.get(&format!("/api/v2/workspaces/{workspace}")).expect(404);
        assert_eq!(app.count("team_workspaces"), 0, "round {round}");
    }
}

/// A write that waits for a name which another transaction is writing looks again at its caller afterwards.
#[test]
fn a_right_that_is_taken_away_during_a_wait_for_a_name_is_gone() {
    let organizations = "organizations (id, name, email)";
    let rows: [(&str, &str, &str, Value, String); 9] = [
        ("POST", "organizations/acme/teams", "teams", json!({"name": "newer"}), teams_row()),
        ("PATCH", "teams/{ci}", "teams", json!({"name": "newer"}), teams_row()),
        ("POST", "organizations/acme/workspaces", "workspaces", json!({"name": "newer"}), workspaces_row()),
        ("PATCH", "workspaces/{prod}", "workspaces", json!({"name": "newer"}), workspaces_row()),
        ("POST", "organizations/acme/projects", "projects", json!({"name": "newer"}), projects_row()),
        ("PATCH", "projects/{core}", "projects", json!({"name": "newer"}), projects_row()),
        (
            "POST",
            "organizations",
            "organizations",
            json!({"name": "newer", "email": "a@example.com"}),
            format!("INSERT INTO {organizations} VALUES (gen_random_uuid(), 'newer', 'a@example.com')"),
        ),
        (
            "PATCH",
            "organizations/acme",
            "organizations",
            json!({"name": "newer"}),
            format!("INSERT INTO {organizations} VALUES (gen_random_uuid(), 'newer', 'a@example.com')"),
        ),
        ("PATCH", "account/update", "users", json!({"username": "newer"}), users_row()),
    ];
    for (method, path, kind, attributes, holds_the_name) in rows {
        let (app, ada) = App::with_acme();
        let (ci, prod) = (ada.team("acme", "ci"), ada.workspace("acme", "prod"));
        let core = ada.project("acme", "core");
        let path = path.replace("{ci}", &ci).replace("{prod}", &prod).replace("{core}", &core);
        let path = format!("/api/v2/{path}");
        let body = resource(kind, attributes).to_string();
        let mut holder = PgConnection::establish(&app.database_url).unwrap();
        sql_query("BEGIN").execute(&mut holder).unwrap();
        sql_query(&holds_the_name).execute(&mut holder).unwrap();
        let answer = std::thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                let headers = [("Content-Type", MEDIA_TYPE)];
                ada.client.send(method, &path, &headers, Some(body.as_bytes()))
            });
            std::thread::sleep(Duration::from_millis(500));
            assert!(!waiting.is_finished(), "{method} {path} waits for the name");
            app.sql("UPDATE tokens SET revoked_at = now()");
            sql_query("ROLLBACK").execute(&mut holder).unwrap();
            waiting.join().unwrap()
        });
        assert_eq!(answer.status, 401, "{method} {path}: {}", answer.body);
        assert_eq!(
            app.count("audit_events WHERE action = 'update' OR meta ->> 'name' = 'newer'"),
            0,
            "{method} {path}"
        );
    }
}

fn teams_row() -> String {
    "INSERT INTO teams (id, organization_id, name) SELECT gen_random_uuid(), id, 'newer' FROM organizations".to_owned()
}

fn workspaces_row() -> String {
    "INSERT INTO workspaces (id, organization_id, project_id, name) \
     SELECT gen_random_uuid(), id, id, 'newer' FROM organizations"
        .to_owned()
}

fn projects_row() -> String {
    "INSERT INTO projects (id, organization_id, name) SELECT gen_random_uuid(), id, 'newer' FROM organizations"
        .to_owned()
}

fn users_row() -> String {
    "INSERT INTO users (id, username, email) VALUES (gen_random_uuid(), 'newer', 'new@example.com')".to_owned()
}
