//! Who waits for whom: nobody for what another principal has under way (docs/limits.md).

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use diesel::RunQueryDsl as _;
use serde_json::json;

use crate::support::App;
use crate::support::app::{FIRST_PASSWORD, User, resource, team_access};
use crate::support::client::Answer;
use crate::support::holder::Holder;

const CI: &str = "SELECT FROM teams WHERE name = 'ci' FOR UPDATE";

/// What requests are answered that wait for a lock until nobody waits for a place any more. Meanwhile something else is
/// done, which must not wait.
fn under_lock<'a>(
    app: &App,
    lock: &str,
    requests: impl IntoIterator<Item = Box<dyn FnOnce() -> Answer + Send + 'a>>,
    meanwhile: impl FnOnce(),
) -> Vec<Answer> {
    let lock = Holder::of(app, lock);
    std::thread::scope(|scope| {
        let waiting: Vec<_> = requests.into_iter().map(|request| scope.spawn(request)).collect();
        std::thread::sleep(Duration::from_millis(500));
        let began = Instant::now();
        meanwhile();
        assert!(began.elapsed() < Duration::from_secs(1), "somebody else waited {:?}", began.elapsed());
        // Longer than those wait who have no place.
        std::thread::sleep(Duration::from_secs(3));
        drop(lock);
        waiting.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

fn boxed<'a>(request: impl FnOnce() -> Answer + Send + 'a) -> Box<dyn FnOnce() -> Answer + Send + 'a> {
    Box::new(request)
}

/// Four more owners of `acme`.
fn four_owners(app: &App, ada: &User) -> Vec<User> {
    let (team, members) = (ada.owners_team("acme"), (0..4).map(|nth| app.user(&format!("member{nth}"))));
    members.inspect(|member| ada.add_to_team(&team, member)).collect()
}

/// The owner of an organization of this name, and its team `ci`.
fn tenant(app: &App, name: &str, organization: &str) -> (User, String) {
    let owner = app.user(name);
    owner.organization(organization);
    let team = owner.team(organization, "ci");
    (owner, team)
}

/// How many of some answers have a status.
fn with(answers: &[Answer], status: u16) -> usize {
    answers.iter().filter(|answer| answer.status == status).count()
}

fn token_path(team: &str) -> String {
    format!("/api/v2/teams/{team}/authentication-token")
}

#[test]
fn one_principal_takes_a_quarter_of_the_connections_and_nobody_else_waits() {
    let app = App::with_connections(8);
    let (ada, team) = tenant(&app, "ada", "acme");
    let (zoe, _) = tenant(&app, "zoe", "zeta");
    let (client, path) = (&ada.client, &token_path(&team));
    let answers = under_lock(&app, CI, (0..12).map(|_| boxed(move || client.post_nothing(path))), || {
        for _ in 0..20 {
            zoe.client.get("/api/v2/organizations/zeta").expect(200);
            app.anonymous().get("/health/ready").expect(200);
        }
    });
    assert_eq!((with(&answers, 201), with(&answers, 429)), (2, 10));
    let refused = answers.iter().find(|answer| answer.status == 429).unwrap();
    assert_eq!((refused.header("Retry-After"), refused.header("X-RateLimit-Reset")), (Some("1"), Some("1")));
    // Reading is no other matter, and all places are free again.
    ada.client.get("/api/v2/organizations/acme").expect(200);
}

#[test]
fn one_organization_takes_half_of_the_connections() {
    let app = App::with_connections(8);
    let (ada, team) = tenant(&app, "ada", "acme");
    let (zoe, _) = tenant(&app, "zoe", "zeta");
    let (owners, path) = (four_owners(&app, &ada), &token_path(&team));
    let twice = owners.iter().chain(&owners).map(|owner| boxed(move || owner.client.post_nothing(path)));
    let answers = under_lock(&app, CI, twice, || {
        zoe.client.get("/api/v2/organizations/zeta").expect(200);
        // A stranger takes nothing of another organization's share, whichever it names.
        zoe.client.get("/api/v2/organizations/acme").expect(404);
    });
    assert_eq!((with(&answers, 201), with(&answers, 429)), (4, 4));
}

/// A list that took long is followed by others of its organization in turns, half as many at once as there are processors;
/// nobody else waits.
#[test]
fn long_lists_take_turns() {
    let app = App::with_connections(16);
    let (ada, _) = tenant(&app, "ada", "acme");
    let (zoe, _) = tenant(&app, "zoe", "zeta");
    let owners = four_owners(&app, &ada);
    let path = "/api/v2/organizations/acme/abilities";
    let (lock, look) = ("LOCK TABLE abilities", Duration::from_millis(400));
    let held = |time: Duration, asking: &dyn Fn() -> i64, requests: Vec<Box<dyn FnOnce() -> Answer + Send + '_>>| {
        let lock = Holder::of(&app, lock);
        std::thread::scope(|scope| {
            let waiting: Vec<_> = requests.into_iter().map(|request| scope.spawn(request)).collect();
            std::thread::sleep(time);
            let asked = asking();
            drop(lock);
            (asked, waiting.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>())
        })
    };
    // As many lists as reach the table wait for it.
    let here = "database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    let waiting = || app.count(&format!("pg_locks WHERE {here} AND relation = 'abilities'::regclass AND NOT granted"));
    let all = || owners.iter().map(|owner| boxed(move || owner.client.get(path))).collect::<Vec<_>>();
    let (asked, answers) = held(look, &waiting, all());
    assert_eq!((asked, with(&answers, 200)), (4, 4), "none was long yet");
    let (_, answers) = held(Duration::from_millis(800), &waiting, vec![boxed(|| ada.client.get(path))]);
    assert_eq!(with(&answers, 200), 1);
    let turns = i64::try_from(std::thread::available_parallelism().unwrap().get() / 2).unwrap().clamp(1, 4);
    let (asked, answers) = held(look, &waiting, all());
    assert_eq!((asked, with(&answers, 200)), (turns, 4), "all are answered, one after the other");
    // What is no list needs no turn, and another organization's lists are no matter of this one.
    let (asked, answers) = held(
        look,
        &|| {
            ada.client.get("/api/v2/organizations/acme").expect(200);
            waiting()
        },
        all().into_iter().chain([boxed(|| zoe.client.get("/api/v2/organizations/zeta/abilities"))]).collect(),
    );
    assert_eq!((asked, with(&answers, 200)), (turns + 1, 5));
}

/// Of a member who asks for long lists without end the other members see nothing but one turn more.
#[test]
fn nobody_keeps_the_others_from_their_turn() {
    let app = App::with_connections(16);
    let (ada, _) = tenant(&app, "ada", "acme");
    let owners = four_owners(&app, &ada);
    let path = "/api/v2/organizations/acme/abilities";
    let lock = || Holder::of(&app, "LOCK TABLE abilities");
    std::thread::scope(|scope| {
        let (held, asked) = (lock(), scope.spawn(|| ada.client.get(path)));
        std::thread::sleep(Duration::from_millis(800));
        drop(held);
        asked.join().unwrap().expect(200);
        let held = lock();
        let many: Vec<_> = (0..80).map(|_| scope.spawn(|| ada.client.get(path).status)).collect();
        std::thread::sleep(Duration::from_millis(500));
        let other = scope.spawn(|| owners[0].client.get(path));
        std::thread::sleep(Duration::from_millis(300));
        drop(held);
        other.join().unwrap().expect(200);
        let statuses: Vec<u16> = many.into_iter().map(|one| one.join().unwrap()).collect();
        assert!(statuses.contains(&429) && statuses.iter().all(|status| [200, 429].contains(status)), "{statuses:?}");
    });
}

/// Who waits for a lock longer than five seconds is told so, and nothing has happened.
#[test]
fn a_wait_for_a_lock_ends_before_the_answer_does() {
    let app = App::start();
    let (ada, team) = tenant(&app, "ada", "acme");
    let before = ada.team_token(&team).secret();
    let lock = Holder::of(&app, CI);
    let began = Instant::now();
    let answer = ada.client.post_nothing(&token_path(&team)).expect(503);
    assert_eq!(answer.detail(), "Another request was in the way; try again soon");
    assert!((4..8).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
    drop(lock);
    std::thread::sleep(Duration::from_millis(300));
    app.with(&before).get("/api/v2/organizations/acme").expect(200);
}

/// What a client has asked for that went away before the answer does not happen.
#[test]
fn who_has_gone_gets_no_commit() {
    let app = App::start();
    let (ada, team) = tenant(&app, "ada", "acme");
    let before = ada.team_token(&team).secret();
    let lock = Holder::of(&app, CI);
    let mut stream = TcpStream::connect(app.address).unwrap();
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Length: 0\r\n\r\n",
        token_path(&team),
        ada.client.secret()
    );
    stream.write_all(head.as_bytes()).unwrap();
    std::thread::sleep(Duration::from_millis(700));
    stream.shutdown(Shutdown::Both).unwrap();
    drop(stream);
    std::thread::sleep(Duration::from_millis(500));
    drop(lock);
    std::thread::sleep(Duration::from_millis(700));
    app.with(&before).get("/api/v2/organizations/acme").expect(200);
    assert_eq!(app.count("tokens WHERE kind = 'team'"), 1);
}

/// The operator's own setting would have every look after a wait see what was there before it.
#[test]
fn the_isolation_is_not_the_operators_to_choose() {
    let app = App::start();
    let (ada, team) = tenant(&app, "ada", "acme");
    let bob = app.user("bob");
    ada.add_to_team(&team, &bob);
    let name: String = app
        .pool
        .blocking(|connection| {
            Ok(diesel::select(diesel::dsl::sql::<diesel::sql_types::Text>("current_database()"))
                .get_result(connection)?)
        })
        .unwrap();
    app.sql(&format!("ALTER DATABASE {name} SET default_transaction_isolation = 'repeatable read'"));
    let strict = App::on(app.database_url.clone());
    let bob = strict.with(bob.client.secret());
    let mut lock = Holder::of(&app, CI);
    let answer = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| bob.post_nothing(&token_path(&team)));
        std::thread::sleep(Duration::from_millis(700));
        lock.run("DELETE FROM memberships WHERE user_id = (SELECT id FROM users WHERE username = 'bob')");
        lock.release();
        waiting.join().unwrap()
    });
    assert_eq!(answer.status, 404, "{}", answer.body);
}

#[test]
fn a_slow_body_takes_one_place_of_its_senders_own() {
    let app = App::with_connections(8);
    let (ada, _) = tenant(&app, "ada", "acme");
    let (zoe, _) = tenant(&app, "zoe", "zeta");
    let slow: Vec<TcpStream> = (0..10)
        .map(|_| {
            let mut stream = TcpStream::connect(app.address).unwrap();
            let head = format!(
                "POST /api/v2/organizations/acme/teams HTTP/1.1\r\nHost: x\r\nContent-Type: application/vnd.api+json\r\n\
                 Authorization: Bearer {}\r\nContent-Length: 1000\r\n\r\n{{",
                ada.client.secret()
            );
            stream.write_all(head.as_bytes()).unwrap();
            stream
        })
        .collect();
    std::thread::sleep(Duration::from_millis(500));
    zoe.client.post("/api/v2/organizations/zeta/teams", &resource("teams", json!({"name": "x"}))).expect(200);
    // Of ada's own places, both are taken, and whoever waits for one is told so.
    ada.client.delete("/api/v2/organizations/acme/team-tokens").expect(429);
    let refused = slow.into_iter().filter_map(|mut stream| {
        stream.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).ok().map(|()| answer)
    });
    assert_eq!(refused.filter(|answer| answer.ends_with(b"429")).count(), 8);
}

/// Hashing takes no connection, happens two at a time, and a user's password can be tried ten times.
#[test]
fn wrong_passwords_are_limited_and_nobody_else_waits() {
    let app = App::with_connections(8);
    let (ada, zoe) = (app.user("ada"), app.user("zoe"));
    let with = |current: Option<&str>, new: &str| {
        let mut attributes = json!({"password": new, "password_confirmation": new});
        current.into_iter().for_each(|current| attributes["current_password"] = current.into());
        resource("users", attributes)
    };
    let path = "/api/v2/account/password";
    app.give_passwords();
    let answers = std::thread::scope(|scope| {
        let wrong = with(Some("wrong"), "anything else");
        let tries: Vec<_> = (0..20)
            .map(|_| {
                let (ada, wrong) = (&ada, wrong.clone());
                scope.spawn(move || ada.client.patch(path, &wrong).status)
            })
            .collect();
        for _ in 0..10 {
            let began = Instant::now();
            zoe.client.get("/api/v2/account/details").expect(200);
            assert!(began.elapsed() < Duration::from_secs(1), "somebody else waited {:?}", began.elapsed());
        }
        tries.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(answers.iter().filter(|status| **status == 422).count(), 10, "{answers:?}");
    assert_eq!(answers.iter().filter(|status| **status == 429).count(), 10, "{answers:?}");
    // Nor does the right one help now; another user's does.
    let refused = ada.client.patch(path, &with(Some(FIRST_PASSWORD), "another one")).expect(429);
    assert!(refused.header("Retry-After").is_some());
    zoe.client.patch(path, &with(Some(FIRST_PASSWORD), "battery staple")).expect(200);
}

/// The share of an organization counts also where only the body names it.
#[test]
fn giving_team_access_counts_for_the_organization() {
    let app = App::with_connections(8);
    let (ada, team) = tenant(&app, "ada", "acme");
    let (zoe, _) = tenant(&app, "zoe", "zeta");
    let workspace = ada.workspace("acme", "prod");
    let (owners, body) = (four_owners(&app, &ada), &team_access(&team, &workspace, json!({"access": "read"})));
    let twice = owners.iter().chain(&owners);
    let twice = twice.map(|owner| boxed(move || owner.client.post("/api/v2/team-workspaces", body)));
    let answers = under_lock(&app, "SELECT FROM workspaces FOR UPDATE", twice, || {
        zoe.client.get("/api/v2/organizations/zeta").expect(200);
    });
    assert_eq!((with(&answers, 201), with(&answers, 422), with(&answers, 429)), (1, 3, 4));
}

/// Who waits for a place of a busy organization has all of their own for another one.
#[test]
fn a_busy_organization_takes_nobodys_places_elsewhere() {
    let app = App::with_connections(8);
    let (ada, team) = tenant(&app, "ada", "acme");
    let owners = ada.owners_team("acme");
    let (bob, carl, zoe) = (app.user("bob"), app.user("carl"), app.user("zoe"));
    [&bob, &carl, &zoe].iter().for_each(|member| ada.add_to_team(&owners, member));
    zoe.organization("zeta");
    let lock = Holder::of(&app, CI);
    std::thread::scope(|scope| {
        for member in [&bob, &bob, &carl, &carl] {
            scope.spawn(|| drop(member.client.post_nothing(&token_path(&team))));
        }
        std::thread::sleep(Duration::from_millis(300));
        let waiting: Vec<_> =
            (0..6).map(|_| scope.spawn(|| zoe.client.get("/api/v2/organizations/acme").status)).collect();
        std::thread::sleep(Duration::from_millis(300));
        let began = Instant::now();
        zoe.client.get("/api/v2/organizations/zeta").expect(200);
        assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
        assert!(waiting.into_iter().all(|thread| thread.join().unwrap() == 429));
        drop(lock);
    });
}
