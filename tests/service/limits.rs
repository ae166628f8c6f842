//! What one caller can take, and that nobody else waits for it (docs/limits.md).

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use diesel::prelude::*;
use serde_json::{Value, json};

use crate::support::App;
use crate::support::app::{Acme, resource};
use crate::support::process::until;

/// The most statements that stay prepared on a connection.
const PREPARED_MAX: i64 = 250;

/// How many statements are prepared on the one connection of the service.
fn prepared(app: &App) -> i64 {
    app.pool
        .blocking(|connection| {
            Ok(diesel::select(diesel::dsl::sql::<diesel::sql_types::BigInt>("count(*) FROM pg_prepared_statements"))
                .get_result(connection)?)
        })
        .unwrap()
}

/// Every sort by two keys, in both directions, and every filter, alone and by twos.
pub fn questions() -> Vec<String> {
    let keys = [
        "description",
        "kind",
        "role",
        "status",
        "token-prefix",
        "created-at",
        "last-used-at",
        "expired-at",
        "team-name",
    ];
    let filters = [
        "filter[kind]=team,organization",
        "filter[role]=owner",
        "filter[status]=active",
        "filter[stale]=false",
        "filter[created-after]=2020-01-01T00:00:00Z",
        "filter[expiry_status]=expired,active",
        "filter[expiry_status]=active,expired,active",
        "filter[expiry_status]=no_expiration,expiring_in_7_days,expiring_in_30_days",
        "filter[unused-for-days]=3",
        "q=x",
    ];
    let signs = ["", "-"];
    let mut sorts = vec![];
    for one in keys {
        for other in keys.iter().filter(|other| **other != one) {
            for (first, second) in signs.iter().flat_map(|first| signs.map(|second| (first, second))) {
                sorts.push(format!("sort={first}{one},{second}{other}"));
            }
        }
    }
    let pairs = filters.iter().flat_map(|one| filters.iter().map(move |other| (one, other)));
    let pairs = pairs.filter(|(one, other)| one.split('=').next() != other.split('=').next());
    let pairs: Vec<String> = pairs.map(|(one, other)| format!("{one}&{other}")).collect();
    let alone = filters.iter().map(|filter| (*filter).to_owned());
    let pages = ["", "page[size]=1", "page[after]="].iter().map(|page| (*page).to_owned());
    pages.chain(alone).chain(pairs).chain(sorts).collect()
}

#[test]
fn statements_that_stay_prepared_are_bounded_whatever_is_asked_for() {
    let app = App::with_connections(1);
    let ada = app.user("ada");
    ada.organization("acme");
    let team = ada.team("acme", "ci");
    ada.described_token(&team, json!({"description": "nightly"})).secret();
    let lists = ["organizations/acme/authentication-tokens".to_owned(), format!("teams/{team}/authentication-tokens")];
    let mut most = 0;
    for question in questions() {
        for list in &lists {
            ada.client.get(&format!("/api/v2/{list}?{question}")).expect(200);
        }
        most = most.max(prepared(&app));
    }
    assert!(most > 5, "something stays prepared: {most}");
    assert!(most < 60, "lists alone keep {most} statements");
}

/// Whatever else comes to be asked for, such as changes of some attributes and not of others.
#[test]
fn a_connection_with_too_many_prepared_statements_is_replaced() {
    let app = App::with_connections(1);
    let mut most = 0;
    for nth in 0..300_i64 {
        let statement = format!("SELECT {nth} + ");
        // What a request with a statement of its own does.
        app.pool
            .blocking(move |connection| {
                Numbered { statement, one: 1 }.execute(connection)?;
                Ok(())
            })
            .unwrap();
        most = most.max(prepared(&app));
    }
    assert!(most > 200 && most <= PREPARED_MAX + 5, "{most} statements stay prepared");
}

/// A statement that stays prepared.
struct Numbered {
    statement: String,
    one: i32,
}

impl diesel::query_builder::QueryId for Numbered {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl diesel::query_builder::QueryFragment<diesel::pg::Pg> for Numbered {
    fn walk_ast<'b>(&'b self, mut out: diesel::query_builder::AstPass<'_, 'b, diesel::pg::Pg>) -> QueryResult<()> {
        out.push_sql(&self.statement);
        out.push_bind_param::<diesel::sql_types::Integer, _>(&self.one)
    }
}

impl RunQueryDsl<PgConnection> for Numbered {}

/// What is sent byte by byte, and the status of the answer; 0 if there is none within the time.
fn raw(app: &App, bytes: &[u8], patience: Duration) -> u16 {
    let mut stream = TcpStream::connect(app.address).unwrap();
    stream.set_read_timeout(Some(patience)).unwrap();
    let _ = stream.write_all(bytes);
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).map_or(0, |()| String::from_utf8_lossy(&answer[9..]).parse().unwrap())
}

#[test]
fn a_query_has_at_most_8_kib_and_100_parameters() {
    let Acme { app, ada, team } = Acme::new();
    let teams = "/api/v2/organizations/acme/teams";
    let ids = |count: usize| vec![team.as_str(); count].join(",");
    ada.client.get(&format!("{teams}?q={}", "x".repeat(8 * 1024 - 2))).expect(200);
    ada.client.get(&format!("{teams}?q={}", "x".repeat(8 * 1024 - 1))).expect(414);
    ada.client.get(&format!("/api/v2/organizations/acme/authentication-tokens?filter[team]={}", ids(100))).expect(200);
    let many = |count: usize| vec!["a"; count].join("&");
    let blamed = ada.client.get(&format!("{teams}?{}", many(100))).expect(400);
    assert_eq!(blamed.body["errors"].as_array().unwrap().len(), 100);
    let refused = ada.client.get(&format!("{teams}?{}", many(101))).expect(400);
    assert_eq!(refused.detail(), "A query string may hold at most 100 parameters");
    // Without a token that could be one, nothing of it is looked at.
    app.anonymous().get(&format!("{teams}?{}", many(30_000))).expect(401);
}

#[test]
fn a_body_has_64_kib_and_a_list_1_mib() {
    let Acme { app: _app, ada, team } = Acme::new();
    let padded = |document: serde_json::Value, size: usize| {
        let text = document.to_string();
        format!("{text}{}", " ".repeat(size - text.len()))
    };
    let send = |method: &str, path: &str, body: &str| {
        let headers = [("Content-Type", "application/vnd.api+json")];
        ada.client.send(method, &format!("/api/v2/{path}"), &headers, Some(body.as_bytes()))
    };
    let new = resource("teams", json!({"name": "new"}));
    let (one, list) = (64 * 1024, 1024 * 1024);
    let answer = send("POST", "organizations/acme/teams", &padded(new.clone(), one + 1)).expect(413);
    assert_eq!(answer.detail(), "A request body may hold at most 65536 bytes");
    send("POST", "organizations/acme/teams", &padded(new, one)).expect(200);
    let users = format!("teams/{team}/relationships/users");
    let nobody = json!({"data": []});
    send("POST", &users, &padded(nobody.clone(), list)).expect(204);
    send("POST", &users, &padded(nobody, list + 1)).expect(413);
}

/// Who brings no good token is answered before the body.
#[test]
fn nothing_of_a_body_is_kept_for_who_has_no_token() {
    let Acme { app, .. } = Acme::new();
    let unknown = latchkey::credential::Secret::generate(latchkey::credential::Kind::User).unwrap();
    for authorization in [
        String::new(),
        "Authorization: Bearer lku_x\r\n".to_owned(),
        format!("Authorization: Bearer {}\r\n", unknown.reveal()),
    ] {
        let head = format!(
            "POST /api/v2/organizations HTTP/1.1\r\nHost: x\r\n{authorization}Content-Type: application/vnd.api+json\r\n\
             Content-Length: 60000\r\n\r\n{{"
        );
        assert_eq!(raw(&app, head.as_bytes(), Duration::from_secs(5)), 401, "{authorization}");
    }
}

#[test]
fn json_may_say_its_charset_and_nothing_is_compressed() {
    let Acme { app: _app, ada, .. } = Acme::new();
    let send = |headers: &[(&str, &str)], name: &str| {
        let body = resource("teams", json!({"name": name})).to_string();
        ada.client.send("POST", "/api/v2/organizations/acme/teams", headers, Some(body.as_bytes()))
    };
    let types =
        ["application/json; charset=utf-8", "application/json;charset=UTF-8", "application/json; charset=\"utf-8\""];
    for (nth, kind) in types.iter().enumerate() {
        send(&[("Content-Type", kind)], &format!("team{nth}")).expect(200);
    }
    for kind in ["application/vnd.api+json; charset=utf-8", "application/json; charset=utf-16", "application/json; x=y"]
    {
        send(&[("Content-Type", kind)], "other").expect(415);
    }
    let json = ("Content-Type", "application/json");
    send(&[json, ("Content-Encoding", "identity")], "plain").expect(200);
    for encoding in ["gzip", "br", "deflate", "gzip, identity"] {
        let answer = send(&[json, ("Content-Encoding", encoding)], "packed").expect(415);
        assert_eq!(answer.header("Accept-Encoding"), Some("identity"), "{encoding}");
        assert_eq!(answer.blamed(), ["Content-Encoding"], "{encoding}");
    }
}

/// A team with more members than an answer names has links to pages of them.
#[test]
fn an_answer_names_a_bounded_number_of_members() {
    let Acme { app, ada, team } = Acme::new();
    let small = ada.team("acme", "small");
    ada.add_to_team(&small, &app.user("bob"));
    app.sql(
        "INSERT INTO users (id, username, email, organization_id, confirmed, site_admin) \
         SELECT new_id(), 'member' || n, CASE WHEN n % 10 > 0 THEN 'member' || n || '@example.com' END, \
         CASE WHEN n % 10 = 0 THEN organizations.id END, true, false FROM generate_series(1, 1001) n, organizations",
    );
    app.sql(
        "INSERT INTO memberships (id, organization_id, user_id, status) \
         SELECT new_id(), organizations.id, users.id, 'active' FROM users, organizations WHERE username LIKE 'member%'",
    );
    let put_in = |count: u32| {
        app.sql(&format!(
            "INSERT INTO team_members (team_id, user_id, organization_id) \
             SELECT teams.id, users.id, teams.organization_id FROM users, teams \
             WHERE teams.name = 'ci' AND username IN (SELECT 'member' || n FROM generate_series(1, {count}) n) \
             ON CONFLICT DO NOTHING"
        ));
    };
    let (one, list) = (format!("/api/v2/teams/{team}"), "/api/v2/organizations/acme/teams?sort=name");
    let shown = |answer: &serde_json::Value| answer["relationships"]["users"]["data"].as_array().map(Vec::len);
    let listed = || ada.client.get(list).expect(200).body["data"].as_array().unwrap().clone();

    put_in(100);
    assert_eq!(shown(&ada.client.get(&one).expect(200).body["data"]), Some(100));
    assert_eq!(listed().iter().map(shown).collect::<Vec<_>>(), [Some(100), Some(1), Some(1)]);
    put_in(101);
    assert_eq!(listed().iter().map(shown).collect::<Vec<_>>(), [None, Some(1), Some(1)]);
    assert_eq!(shown(&ada.client.get(&one).expect(200).body["data"]), Some(101));
    put_in(1001);
    let large = ada.client.get(&format!("{one}?include=users,organization-memberships")).expect(200);
    assert_eq!((shown(&large.body["data"]), large.body["included"].as_array().map(Vec::len)), (None, Some(0)));
    assert_eq!(
        (large.attribute("users-count"), large.attribute("non-service-users-count")),
        (&json!(1001), &json!(901))
    );
    for name in ["users", "organization-memberships"] {
        let link = large.body["data"]["relationships"][name]["links"]["related"].as_str().unwrap();
        let page = ada.client.get(&format!("{link}?page[size]=100&page[number]=11")).expect(200);
        assert_eq!((page.ids().len(), &page.body["meta"]["pagination"]["total-count"]), (1, &json!(1001)), "{name}");
    }
    // What is not asked for is not loaded, and is not there.
    let only = ada.client.get(&format!("{one}?fields[teams]=name")).expect(200);
    assert_eq!(only.body["data"]["attributes"], json!({"name": "ci"}));
}

#[test]
fn every_text_has_a_maximum() {
    let Acme { app: _app, ada, .. } = Acme::new();
    let workspaces = "/api/v2/organizations/acme/workspaces";
    let url = |length: usize| format!("https://example.com/{}", "x".repeat(length - 20));
    let new = |attributes: serde_json::Value| resource("workspaces", attributes);
    ada.client.post(workspaces, &new(json!({"name": "fits", "source-url": url(2048)}))).expect(201);
    let refused = ada.client.post(workspaces, &new(json!({"name": "long", "source-url": url(2049)}))).expect(422);
    assert_eq!(refused.blamed(), ["/data/attributes/source-url"]);
    let repo = |branch: String| {
        let repo = json!({"identifier": "acme/app", "branch": branch, "oauth-token-id": "ot-1"});
        new(json!({"name": "repo", "vcs-repo": repo}))
    };
    let refused = ada.client.post(workspaces, &repo("x".repeat(257))).expect(422);
    assert_eq!(refused.blamed(), ["/data/attributes/vcs-repo/branch"]);
    ada.client.post(workspaces, &repo("x".repeat(256))).expect(201);
}

/// An error says what is wrong, and does not send back all that came.
#[test]
fn a_detail_has_a_maximum() {
    let Acme { app: _app, ada, team } = Acme::new();
    let path = format!("/api/v2/teams/{team}/relationships/organization-memberships");
    let unknown = crate::support::app::identifiers("organization-memberships", &["é".repeat(100_000).as_str()]);
    let detail = ada.client.post(&path, &unknown).expect(404).detail();
    assert_eq!((detail.chars().count(), detail.ends_with("é…")), (1001, true), "{detail}");
}

/// The trail of a registry of a thousand abilities: no event names more than a hundred.
#[test]
fn an_event_has_a_bounded_size() {
    let Acme { app, ada, .. } = Acme::new();
    let registry = |letter: &str| {
        let names: Vec<_> = (0..1000).map(|nth| json!({"name": format!("{letter}{nth}:read")})).collect();
        resource("abilities", json!({ "abilities": names }))
    };
    let path = "/api/v2/organizations/acme/abilities";
    ada.client.patch(path, &registry("a")).expect(200);
    ada.client.patch(path, &registry("b")).expect(200);
    let events = "audit_events WHERE resource_type = 'organization_abilities'";
    assert_eq!(app.count(events), 30);
    assert_eq!(app.count(&format!("{events} AND length(meta::text) > 8000")), 0);
}

/// A member of more teams than a statement has parameters for can be removed.
#[test]
fn a_member_of_six_thousand_teams_can_be_removed() {
    let Acme { app, ada, team } = Acme::new();
    let bob = app.user("bob");
    ada.add_to_team(&team, &bob);
    app.sql(
        "INSERT INTO teams (id, organization_id, name) \
         SELECT new_id(), id, 'team' || n FROM organizations, generate_series(1, 6001) n",
    );
    app.sql(
        "INSERT INTO team_members (team_id, user_id, organization_id) SELECT teams.id, users.id, teams.organization_id \
         FROM teams, users WHERE username = 'bob' ON CONFLICT DO NOTHING",
    );
    let list = "/api/v2/organizations/acme/organization-memberships?filter[email]=bob@example.com";
    let membership = ada.client.get(list).expect(200).ids().remove(0);
    ada.client.delete(&format!("/api/v2/organization-memberships/{membership}")).expect(204);
    assert_eq!(app.count("audit_events WHERE resource_type = 'team_member' AND action = 'destroy'"), 6003);
}

#[test]
fn failed_authentications_are_limited_and_a_good_token_passes() {
    let app = App::with_failures(20);
    let ada = app.user("ada");
    ada.organization("acme");
    let unknown = latchkey::credential::Secret::generate(latchkey::credential::Kind::User).unwrap();
    let bad = [app.anonymous(), app.with("nonsense"), app.with(unknown.reveal())];
    let details = "/api/v2/account/details";
    let answers: Vec<u16> = (0..30).map(|nth| bad[nth % 3].get(details).status).collect();
    assert!(answers[..20].iter().all(|status| *status == 401), "{answers:?}");
    assert!(answers[24..].iter().all(|status| *status == 429), "{answers:?}");
    let refused = bad[2].post("/api/v2/organizations", &json!({})).expect(429);
    assert!(refused.header("Retry-After").is_some() && refused.header("X-RateLimit-Reset").is_some());
    ada.client.get(details).expect(200);
    // What needs no token is another matter.
    app.anonymous().get("/api/v2/ping").expect(204);
}

/// Who looks at a token again and again is told of once an hour, and a token that looks at itself never.
#[test]
fn looking_does_not_fill_the_audit_trail() {
    let Acme { app, ada, team } = Acme::new();
    let bob = app.user("bob");
    ada.add_to_team(&team, &bob);
    let made = ada.team_token(&team);
    let itself = app.with(&made.secret());
    let path = format!("/api/v2/authentication-tokens/{}", made.id());
    let shown = |count: i64| assert_eq!(app.count("audit_events WHERE action = 'show'"), count);
    for _ in 0..5 {
        itself.get(&path).expect(200);
        itself.get(&format!("/api/v2/teams/{team}/authentication-token")).expect(200);
    }
    shown(0);
    for _ in 0..5 {
        ada.client.get(&path).expect(200);
        bob.client.get(&path).expect(200);
    }
    shown(2);
    ada.client.get(&path).expect(200);
    shown(2);
}

/// An answer that nobody reads is not kept for ever.
#[test]
fn an_answer_that_is_not_read_is_given_up() {
    use socket2::{Domain, Socket, Type};

    let Acme { app, ada, .. } = Acme::new();
    let patterns = vec!["x".repeat(1000); 100];
    let large = resource("workspaces", json!({"name": "large", "trigger-patterns": patterns}));
    ada.client.post("/api/v2/organizations/acme/workspaces", &large).expect(201);
    app.sql(
        "INSERT INTO workspaces (id, organization_id, project_id, name, settings) \
         SELECT new_id(), organization_id, project_id, 'copy' || n, settings FROM workspaces, generate_series(1, 99) n",
    );
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.connect(&app.address.into()).unwrap();
    let mut stream = TcpStream::from(socket);
    let head = format!(
        "GET /api/v2/organizations/acme/workspaces?page[size]=100 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\r\n",
        ada.client.secret()
    );
    stream.write_all(head.as_bytes()).unwrap();
    std::thread::sleep(Duration::from_secs(30));
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut read = vec![];
    let ended = stream.read_to_end(&mut read);
    assert!(read.starts_with(b"HTTP/1.1 200"));
    let length = String::from_utf8_lossy(&read[..1000]).to_lowercase();
    let length = length.split_once("content-length: ").unwrap().1.split_once('\r').unwrap().0.parse::<usize>().unwrap();
    assert!(length > 9_000_000, "it does not fit into the buffers of the operating system: {length}");
    assert!(ended.is_err() && read.len() < length, "{} of {length}, {ended:?}", read.len());
}

/// What is asked about one organization reads nothing of others, however many tokens they have.
#[test]
fn the_tokens_of_others_are_not_read() {
    let scene = Acme::new();
    let root = scene.app.site_admin("root");
    let zoe = scene.app.user("zoe");
    zoe.organization("zeta");
    let large = zoe.team("zeta", "large");
    scene.app.sql(
        "INSERT INTO tokens (id, kind, organization_id, team_id, description, token_hash, token_prefix, created_at) \
         SELECT new_id(), 'team', organization_id, id, 'number ' || n, sha256(('of zeta' || n)::bytea), \
         'lkt_000000', now() - n * interval '1 second' FROM teams, generate_series(1, 30000) AS n WHERE name = 'large'",
    );
    scene.app.sql("ANALYZE tokens");
    let read = || {
        // A connection tells what it has read when it ends. One that ends only later would tell it during the next
        // request, or take that one with it.
        // Autovacuum is the superuser's, and no matter of ours.
        let ended = scene.app.text(
            "WITH others AS MATERIALIZED (SELECT pid FROM pg_stat_activity WHERE datname = current_database() \
             AND usename = current_user AND pid <> pg_backend_pid()) \
             SELECT coalesce(string_agg(pid::text, ','), '0') FROM others WHERE pg_terminate_backend(pid)",
        );
        until("the connections end", || {
            scene.app.count(&format!("pg_stat_get_activity(NULL) WHERE pid IN ({ended})")) == 0
        });
        let table = "generate_series(1, (SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_user_tables \
                     WHERE relname = 'tokens'))";
        scene.app.count(table)
    };
    let admins = "/api/v2/admin/authentication-tokens?page[after]=&filter[organization]=acme";
    let acts: [(&str, &dyn Fn()); 5] = [
        ("making one more", &|| {
            assert!(!scene.ada.described_token(&scene.team, json!({"description": "a"})).secret().is_empty());
        }),
        ("a description that is taken", &|| {
            scene.ada.client.post(&format!("{}s", scene.one()), &token(json!({"description": "a"}))).expect(422);
        }),
        ("making the one", &|| assert!(!scene.ada.team_token(&scene.team).secret().is_empty())),
        ("showing the one", &|| drop(scene.ada.client.get(&scene.one()).expect(200))),
        ("an admin's list by organization", &|| drop(root.client.get(admins).expect(200))),
    ];
    for (what, act) in acts {
        let before = read();
        act();
        let more = read() - before;
        assert!(more < 3000, "{what} reads {more} tokens");
    }
    // Nor are those of the team itself read to find one by its description.
    let before = read();
    assert!(!zoe.described_token(&large, json!({"description": "b"})).secret().is_empty());
    let more = read() - before;
    assert!(more < 3000, "making one of many reads {more} tokens");
}

fn token(attributes: Value) -> Value {
    resource("authentication-tokens", attributes)
}
