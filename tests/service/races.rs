//! Many requests at once: the rules hold, and nobody is answered with a fault of the server.

use std::collections::BTreeMap;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use diesel::{Connection, PgConnection, RunQueryDsl, sql_query};
use serde_json::{Value, json};

use crate::support::App;
use crate::support::app::{User, identifiers, resource};
use crate::support::client::Answer;

/// Sends these requests at the same moment, each on a thread of its own. One that is answered with 429 or 503 is sent again, as its
/// `Retry-After` asks.
fn at_once(requests: Vec<Box<dyn Fn() -> Answer + Send + '_>>) -> Vec<Answer> {
    let barrier = Barrier::new(requests.len());
    let barrier = &barrier;
    std::thread::scope(|scope| {
        let threads: Vec<_> = requests
            .into_iter()
            .map(|request| {
                scope.spawn(move || {
                    barrier.wait();
                    patiently(request)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

fn patiently(request: impl Fn() -> Answer) -> Answer {
    for _ in 0..20 {
        let answer = request();
        if ![429, 503].contains(&answer.status) {
            return answer;
        }
        let seconds = answer.header("Retry-After").expect("a 429 or 503 says when to try again").parse().unwrap();
        std::thread::sleep(Duration::from_secs(seconds));
    }
    panic!("the service is overloaded for ever");
}

/// The same request this many times at once.
fn times<'a>(count: usize, request: impl Fn(usize) -> Answer + Send + Clone + 'a) -> Vec<Answer> {
    let requests = (0..count).map(|nth| -> Box<dyn Fn() -> Answer + Send + 'a> {
        let request = request.clone();
        Box::new(move || request(nth))
    });
    at_once(requests.collect())
}

/// How often each status was answered.
fn statuses(answers: &[Answer]) -> BTreeMap<u16, usize> {
    let mut statuses = BTreeMap::new();
    answers.iter().for_each(|answer| *statuses.entry(answer.status).or_default() += 1);
    statuses
}

struct Scene {
    app: App,
    ada: User,
    team: String,
}

impl Scene {
    fn set() -> Self {
        let app = App::start();
        let ada = app.user("ada");
        ada.organization("acme");
        let team = ada.team("acme", "ci");
        Self { app, ada, team }
    }

    fn one(&self) -> String {
        format!("/api/v2/teams/{}/authentication-token", self.team)
    }

    fn works(&self, secret: &str) -> bool {
        let answer = self.app.with(secret).get("/api/v2/organizations/acme");
        assert!(matches!(answer.status, 200 | 401), "{answer:?}");
        answer.status == 200
    }

    fn assert_one_live(&self, answers: &[Answer]) {
        let secrets = answers.iter().filter(|answer| answer.status == 201).map(Answer::secret);
        assert_eq!(secrets.filter(|secret| self.works(secret)).count(), 1);
        assert_eq!(self.app.count("tokens WHERE kind = 'team' AND revoked_at IS NULL"), 1);
    }
}

#[test]
fn of_64_new_tokens_of_a_team_one_is_live() {
    let scene = Scene::set();
    let answers = times(64, |_| scene.ada.client.post_nothing(&scene.one()));
    assert_eq!(statuses(&answers), BTreeMap::from([(201, 64)]));
    scene.assert_one_live(&answers);
    let destroyed = "audit_events WHERE resource_type = 'authentication_token' AND action = 'destroy'";
    assert_eq!(scene.app.count(destroyed), 63);
}

#[test]
fn of_64_regenerations_by_the_token_itself_one_wins() {
    let scene = Scene::set();
    let itself = scene.app.with(&scene.ada.team_token(&scene.team).secret());
    let answers = times(64, |_| itself.post_nothing(&scene.one()));
    let statuses = statuses(&answers);
    assert_eq!(statuses.get(&201), Some(&1), "{statuses:?}");
    assert!(statuses.keys().all(|status| matches!(status, 201 | 401 | 403)), "{statuses:?}");
    scene.assert_one_live(&answers);
}

#[test]
fn a_description_is_given_once() {
    let scene = Scene::set();
    for attributes in [json!({"description": "ci"}), json!({"description": ""}), json!({})] {
        let body = resource("authentication-tokens", attributes);
        let answers = times(32, |_| scene.ada.client.post(&format!("{}s", scene.one()), &body));
        assert_eq!(statuses(&answers), BTreeMap::from([(201, 1), (422, 31)]), "{body}");
    }
    assert_eq!(scene.app.count("tokens WHERE kind = 'team'"), 3);
}

#[test]
fn a_new_organizations_name_is_given_once() {
    let scene = Scene::set();
    let answers = times(16, |nth| {
        let name = if nth % 2 == 0 { "rush" } else { "RUSH" };
        let body = resource("organizations", json!({"name": name, "email": "a@example.com"}));
        scene.ada.client.post("/api/v2/organizations", &body)
    });
    assert_eq!(statuses(&answers), BTreeMap::from([(201, 1), (422, 15)]));
    assert_eq!(scene.app.count("teams WHERE owners"), 2, "of acme and of the one new organization");
}

#[test]
fn a_new_teams_name_is_given_once() {
    let scene = Scene::set();
    let answers = times(16, |nth| {
        let body = resource("teams", json!({"name": if nth % 2 == 0 { "rush" } else { "Rush" }}));
        scene.ada.client.post("/api/v2/organizations/acme/teams", &body)
    });
    assert_eq!(statuses(&answers), BTreeMap::from([(200, 1), (422, 15)]));
}

#[test]
fn owners_who_remove_each_other_leave_one() {
    let app = App::start();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    ada.organization("acme");
    let owners = ada.owners_team("acme");
    let path = format!("/api/v2/teams/{owners}/relationships/users");
    for round in 0..30 {
        ada.add_to_team(&owners, &bob);
        let answers = at_once(vec![
            Box::new(|| ada.client.delete_with(&path, &identifiers("users", &["bob"]))),
            Box::new(|| bob.client.delete_with(&path, &identifiers("users", &["ada"]))),
        ]);
        let statuses = statuses(&answers);
        assert_eq!(statuses.get(&204), Some(&1), "round {round}: {statuses:?}");
        assert!(statuses.keys().all(|status| matches!(status, 204 | 403 | 404)), "round {round}: {statuses:?}");
        assert_eq!(app.count("team_members JOIN teams ON teams.id = team_id WHERE owners"), 1, "round {round}");
        // Whoever is left lets Ada in again and leaves.
        if answers[1].status == 204 {
            bob.add_to_team(&owners, &ada);
            ada.client.delete_with(&path, &identifiers("users", &["bob"])).expect(204);
        }
    }
}

#[test]
fn overlapping_lists_are_deleted_without_deadlock() {
    let scene = Scene::set();
    let list = "/api/v2/organizations/acme/team-tokens";
    for round in 0..5 {
        let make = |n| scene.ada.described_token(&scene.team, json!({"description": format!("{round}-{n}")})).id();
        let ids: Vec<String> = (0..10).map(make).collect();
        let answers = times(16, |nth| {
            // Each names the same tokens, beginning with another one, every second in the opposite order.
            let mut mine: Vec<&str> = ids.iter().map(String::as_str).collect();
            mine.rotate_left(nth % 10);
            if nth % 2 == 1 {
                mine.reverse();
            }
            scene.ada.client.delete_with(list, &identifiers("authentication-tokens", &mine))
        });
        assert_eq!(statuses(&answers), BTreeMap::from([(204, 1), (404, 15)]), "round {round}");
    }
    assert_eq!(scene.app.count("audit_events WHERE action = 'destroy'"), 50);
}

#[test]
fn a_token_is_deleted_once() {
    let scene = Scene::set();
    let id = scene.ada.team_token(&scene.team).id();
    let list = "/api/v2/organizations/acme/team-tokens";
    let answers = times(24, |nth| match nth % 3 {
        0 => scene.ada.client.delete(&scene.one()),
        1 => scene.ada.client.delete(&format!("/api/v2/authentication-tokens/{id}")),
        _ => scene.ada.client.delete_with(list, &identifiers("authentication-tokens", &[&id])),
    });
    assert_eq!(statuses(&answers), BTreeMap::from([(204, 1), (404, 23)]));
    assert_eq!(scene.app.count("audit_events WHERE action = 'destroy'"), 1);
}

#[test]
fn a_team_that_goes_while_tokens_are_made_leaves_none() {
    let scene = Scene::set();
    for round in 0..5 {
        let team = scene.ada.team("acme", "passing");
        let path = format!("/api/v2/teams/{team}");
        let answers = times(16, |nth| {
            let body = resource("authentication-tokens", json!({"description": format!("nr {nth}")}));
            match nth {
                8 => scene.ada.client.delete(&path),
                _ if nth % 2 == 0 => scene.ada.client.post_nothing(&format!("{path}/authentication-token")),
                _ => scene.ada.client.post(&format!("{path}/authentication-tokens"), &body),
            }
        });
        assert!(
            answers.iter().all(|answer| matches!(answer.status, 201 | 204 | 404)),
            "round {round}: {:?}",
            statuses(&answers)
        );
        let made = answers.iter().filter(|answer| answer.status == 201);
        assert!(made.clone().all(|answer| !scene.works(&answer.secret())), "round {round}");
        assert_eq!(scene.app.count("tokens WHERE kind = 'team'"), 0, "round {round}");
    }
}

#[test]
fn a_team_that_goes_while_its_tokens_are_deleted_ends_in_no_deadlock() {
    let scene = Scene::set();
    let list = "/api/v2/organizations/acme/team-tokens";
    for round in 0..5 {
        let team = scene.ada.team("acme", "passing");
        // The later a token is made, the sooner it expires: a team's tokens may go in another order than that of ids.
        let make = |n| {
            let expired_at = format!("20{}-01-01T00:00:00Z", 90 - n);
            scene.ada.described_token(&team, json!({"description": format!("{n}"), "expired-at": expired_at}))
        };
        let tokens: Vec<Answer> = (0..30).map(make).collect();
        let used = AtomicBool::new(true);
        let ids: Vec<String> = tokens.iter().map(Answer::id).collect();
        let all: Vec<&str> = ids.iter().map(String::as_str).collect();
        std::thread::scope(|scope| {
            let user = scope.spawn(|| {
                while used.load(Ordering::Relaxed) {
                    for token in &tokens {
                        scene.works(&token.secret());
                    }
                }
            });
            let answers = times(9, |nth| match nth {
                4 => scene.ada.client.delete(&format!("/api/v2/teams/{team}")),
                _ => scene.ada.client.delete_with(list, &identifiers("authentication-tokens", &all)),
            });
            used.store(false, Ordering::Relaxed);
            assert!(
                answers.iter().all(|answer| matches!(answer.status, 204 | 404)),
                "round {round}: {:?}",
                statuses(&answers)
            );
            user.join().unwrap();
        });
        assert_eq!(scene.app.count("tokens WHERE kind = 'team'"), 0, "round {round}");
    }
}

#[test]
fn an_organization_that_goes_while_it_is_changed_leaves_nothing() {
    let app = App::start();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    for round in 0..5 {
        ada.organization("passing");
        let team = ada.team("passing", "ci");
        let organization = "/api/v2/organizations/passing";
        let answers = times(16, |nth| match nth % 4 {
            _ if nth == 9 => ada.client.delete(organization),
            0 => ada.client.post_nothing(&format!("/api/v2/teams/{team}/authentication-token")),
            1 => {
                let body = resource("teams", json!({"name": format!("team-{nth}")}));
                ada.client.post(&format!("{organization}/teams"), &body)
            }
            2 => {
                let path = format!("/api/v2/teams/{team}/relationships/users");
                ada.client.post(&path, &identifiers("users", &[&bob.username]))
            }
            _ => ada.client.patch(organization, &resource("organizations", json!({"email": "b@example.com"}))),
        });
        let fine = |answer: &Answer| matches!(answer.status, 200 | 201 | 204 | 404);
        assert!(answers.iter().all(fine), "round {round}: {:?}", statuses(&answers));
        for rows in ["organizations", "teams", "memberships", "team_members", "tokens WHERE kind = 'team'"] {
            assert_eq!(app.count(rows), 0, "round {round}: {rows}");
        }
    }
}

#[test]
fn a_user_is_added_to_a_team_once() {
    let scene = Scene::set();
    let bob = scene.app.user("bob");
    let path = format!("/api/v2/teams/{}/relationships/users", scene.team);
    let answers = times(16, |_| scene.ada.client.post(&path, &identifiers("users", &[&bob.username])));
    assert_eq!(statuses(&answers), BTreeMap::from([(204, 16)]));
    assert_eq!(scene.app.count("audit_events WHERE resource_type = 'team_member' AND action = 'create'"), 2);
    assert_eq!(scene.app.count("memberships"), 2);
}

/// A connection of the test's own, in a transaction that holds locks.
struct Holder<'a> {
    app: &'a App,
    connection: PgConnection,
}

impl<'a> Holder<'a> {
    fn of(app: &'a App, lock: &str) -> Self {
        let mut connection = PgConnection::establish(&app.database_url).unwrap();
        sql_query("BEGIN").execute(&mut connection).unwrap();
        let mut holder = Self { app, connection };
        holder.run(lock);
        holder
    }

    fn run(&mut self, statement: &str) {
        sql_query(statement).execute(&mut self.connection).unwrap();
    }

    fn release(mut self) {
        self.run("COMMIT");
    }

    /// Returns when so many requests wait for a lock.
    fn until_waiting(&self, count: i64) {
        let deadline = Instant::now() + Duration::from_secs(5);
        // What counts the use of tokens may wait for a token, too.
        let waiting = "pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' \
                       AND query NOT LIKE '%usage_count + used%'";
        while self.app.count(waiting) != count {
            assert!(Instant::now() < deadline, "{count} requests should be waiting for a lock");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// What a request is answered that waits for a lock while something happens. That gets the lock's holder, and lets
/// go of it.
fn waiting<'a>(
    app: &'a App,
    lock: &str,
    request: impl FnOnce() -> Answer + Send,
    meanwhile: impl FnOnce(Holder<'a>),
) -> Answer {
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
    let password = json!({"password": "correct horse", "password_confirmation": "correct horse"});

    let team = "SELECT FROM teams WHERE name = 'ci' FOR NO KEY UPDATE";
    let organization = "SELECT FROM organizations WHERE name = 'acme' FOR UPDATE";
    let described_row = "SELECT FROM tokens WHERE description = 'nightly' FOR UPDATE";
    let (prod, prod_access) = ("SELECT FROM workspaces FOR UPDATE", "SELECT FROM team_workspaces FOR UPDATE");
    let user = "SELECT FROM users WHERE username = 'bob' FOR UPDATE";
    let tokens = identifiers("authentication-tokens", &[&described]);
    let (users, theirs) = (identifiers("users", &["carl"]), identifiers("organization-memberships", &[&carls]));
    let new = |kind| resource(kind, json!({"name": "new"}));
    let nothing = || Value::Null;
    let rows = [
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
    let scene = Scene::set();
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
    let scene = Scene::set();
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
    let scene = Scene::set();
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
    let scene = Scene::set();
    let bob = scene.app.user("bob");
    let seen = resource("teams", json!({"visibility": "organization"}));
    scene.ada.client.patch(&format!("/api/v2/teams/{}", scene.team), &seen).expect(200);
    let hosting = json!({"name": "hosts", "organization-access": {"manage-membership": true}});
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
    let scene = Scene::set();
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
    let again = crate::support::app::team_access(&devs, &workspace, json!({"access": "admin"}));
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
    let rows: [(&str, &str, &str, Value, String); 7] = [
        ("POST", "organizations/acme/teams", "teams", json!({"name": "new"}), teams_row()),
        ("PATCH", "teams/{ci}", "teams", json!({"name": "new"}), teams_row()),
        ("POST", "organizations/acme/workspaces", "workspaces", json!({"name": "new"}), workspaces_row()),
        ("PATCH", "workspaces/{prod}", "workspaces", json!({"name": "new"}), workspaces_row()),
        (
            "POST",
            "organizations",
            "organizations",
            json!({"name": "new", "email": "a@example.com"}),
            format!("INSERT INTO {organizations} VALUES (gen_random_uuid(), 'new', 'a@example.com')"),
        ),
        (
            "PATCH",
            "organizations/acme",
            "organizations",
            json!({"name": "new"}),
            format!("INSERT INTO {organizations} VALUES (gen_random_uuid(), 'new', 'a@example.com')"),
        ),
        ("PATCH", "account/update", "users", json!({"username": "new"}), users_row()),
    ];
    for (method, path, kind, attributes, holds_the_name) in rows {
        let app = App::start();
        let ada = app.user("ada");
        ada.organization("acme");
        let (ci, prod) = (ada.team("acme", "ci"), ada.workspace("acme", "prod"));
        let path = format!("/api/v2/{}", path.replace("{ci}", &ci).replace("{prod}", &prod));
        let body = resource(kind, attributes).to_string();
        let mut holder = PgConnection::establish(&app.database_url).unwrap();
        sql_query("BEGIN").execute(&mut holder).unwrap();
        sql_query(&holds_the_name).execute(&mut holder).unwrap();
        let answer = std::thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                let headers = [("Content-Type", crate::support::client::MEDIA_TYPE)];
                ada.client.send(method, &path, &headers, Some(body.as_bytes()))
            });
            std::thread::sleep(Duration::from_millis(500));
            assert!(!waiting.is_finished(), "{method} {path} waits for the name");
            app.sql("UPDATE tokens SET revoked_at = now()");
            sql_query("ROLLBACK").execute(&mut holder).unwrap();
            waiting.join().unwrap()
        });
        assert_eq!(answer.status, 401, "{method} {path}: {}", answer.body);
        assert_eq!(app.count("audit_events WHERE action = 'update' OR meta ->> 'name' = 'new'"), 0, "{method} {path}");
    }
}

fn teams_row() -> String {
    "INSERT INTO teams (id, organization_id, name) SELECT gen_random_uuid(), id, 'new' FROM organizations".to_owned()
}

fn workspaces_row() -> String {
    "INSERT INTO workspaces (id, organization_id, name) SELECT gen_random_uuid(), id, 'new' FROM organizations"
        .to_owned()
}

fn users_row() -> String {
    "INSERT INTO users (id, username, email) VALUES (gen_random_uuid(), 'new', 'new@example.com')".to_owned()
}
