//! The hostile tenants, and strangers.

use std::io::Write as _;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use latchkey::credential::{Kind, Secret};
use serde_json::json;

use super::scene::{HOSTILE, Scene, Tenant, many_tokens};
use crate::limits::questions;
use crate::support::app::{identifiers, resource};
use crate::support::client::MEDIA_TYPE;
use crate::support::cluster;

/// One way to be hostile, and in how many threads.
pub struct Hostile {
    pub name: &'static str,
    pub threads: usize,
    /// Whether it waits for answers.
    pub asks: bool,
    pub act: fn(&Scene, usize, &AtomicBool),
}

pub const ALL: [Hostile; 9] = [
    Hostile { name: "slow bodies", threads: 1, asks: false, act: slow_bodies },
    Hostile { name: "answers not read", threads: 1, asks: false, act: unread_answers },
    Hostile { name: "huge queries", threads: 4, asks: true, act: huge_queries },
    Hostile { name: "lock holders", threads: 16, asks: true, act: lock_holders },
    Hostile { name: "wrong passwords", threads: 8, asks: true, act: wrong_passwords },
    Hostile { name: "filters × sorts", threads: 4, asks: true, act: walks },
    Hostile { name: "garbage tokens", threads: 8, asks: true, act: garbage },
    Hostile { name: "large searches", threads: 8, asks: true, act: searches },
    Hostile { name: "deletions", threads: 2, asks: true, act: deletions },
];

fn stopped(stop: &AtomicBool) -> bool {
    stop.load(Ordering::SeqCst)
}

/// The hostile tenant of a thread.
fn tenant(scene: &Scene, nth: usize) -> &Tenant {
    &scene.hostile[nth % HOSTILE]
}

/// Keeps so many connections on which something is begun; each is looked after about once a second, and opened anew
/// when `go_on` says so or the service has closed it.
fn keep_connections(
    scene: &Scene,
    count: usize,
    stop: &AtomicBool,
    begin: impl Fn(usize) -> Vec<u8>,
    go_on: impl Fn(&mut TcpStream, Instant) -> bool,
) {
    let open = |nth: usize| {
        let mut stream = TcpStream::connect_timeout(&scene.service.address, Duration::from_secs(1)).ok()?;
        stream.set_nonblocking(true).ok()?;
        let _ = stream.write(&begin(nth));
        Some((stream, Instant::now()))
    };
    let mut connections: Vec<_> = (0..count).map(|_| None).collect();
    while !stopped(stop) {
        for (nth, connection) in connections.iter_mut().enumerate() {
            let goes_on = connection.as_mut().is_some_and(|(stream, since)| go_on(stream, *since));
            if !goes_on && !stopped(stop) {
                *connection = open(nth);
            }
        }
        std::thread::sleep(Duration::from_millis(700));
    }
}

/// Bodies that come byte by byte.
fn slow_bodies(scene: &Scene, _: usize, stop: &AtomicBool) {
    let begin = |nth: usize| {
        let tenant = tenant(scene, nth);
        format!(
            "POST /api/v2/organizations/{}/teams HTTP/1.1\r\nHost: x\r\nContent-Type: {MEDIA_TYPE}\r\n\
             Authorization: Bearer {}\r\nContent-Length: 60000\r\n\r\n{{",
            tenant.organization,
            tenant.client.secret()
        )
        .into_bytes()
    };
    keep_connections(scene, 200, stop, begin, |stream, _| stream.write(b" ").is_ok());
}

/// Lists that are asked for again and again on one connection, and never read.
fn unread_answers(scene: &Scene, _: usize, stop: &AtomicBool) {
    let begin = |nth: usize| {
        let secret = tenant(scene, nth).client.secret();
        let path = "/api/v2/organizations/hostile0/authentication-tokens?page%5Bsize%5D=100";
        format!("GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {secret}\r\n\r\n").repeat(20).into_bytes()
    };
    keep_connections(scene, 60, stop, begin, |_, since| since.elapsed() < Duration::from_secs(5));
}

fn huge_queries(scene: &Scene, nth: usize, stop: &AtomicBool) {
    let Tenant { client, organization, team } = tenant(scene, nth);
    let ids = vec![team.as_str(); 250].join(",");
    let words = "%25_".repeat(2000);
    let many = vec!["q=x"; 3000].join("&");
    let paths = [
        format!("/api/v2/organizations/{organization}/authentication-tokens?filter[team]={ids}"),
        format!("/api/v2/organizations/{organization}/authentication-tokens?q={words}&sort=-description,team-name"),
        format!("/api/v2/organizations/{organization}/teams?{many}"),
    ];
    let members = identifiers("users", &vec!["nobody-of-this-name"; 5000]).to_string();
    let values = format!("{{\"data\":[{}0]}}", "0,".repeat(500_000));
    let nested = "[".repeat(60_000);
    let users = format!("/api/v2/teams/{team}/relationships/users");
    while !stopped(stop) {
        for path in &paths {
            scene.met(client.try_with("GET", path, None));
        }
        for body in [&members, &values, &nested] {
            let headers = [("Content-Type", MEDIA_TYPE)];
            scene.met(client.try_send("POST", &users, &headers, Some(body.as_bytes())));
        }
    }
}

/// Everybody replaces the token of one team, and changes that team.
fn lock_holders(scene: &Scene, nth: usize, stop: &AtomicBool) {
    let Tenant { client, team, .. } = &scene.hostile[1];
    let (token, one) = (format!("/api/v2/teams/{team}/authentication-token"), format!("/api/v2/teams/{team}"));
    let change = resource("teams", json!({"description": format!("of thread {nth}")}));
    while !stopped(stop) {
        scene.met(client.try_with("POST", &token, None));
        scene.met(client.try_with("PATCH", &one, Some(&change)));
    }
}

fn wrong_passwords(scene: &Scene, nth: usize, stop: &AtomicBool) {
    let new = "something else";
    let wrong = json!({"current_password": "wrong", "password": new, "password_confirmation": new});
    let wrong = resource("users", wrong);
    while !stopped(stop) {
        scene.met(tenant(scene, nth).client.try_with("PATCH", "/api/v2/account/password", Some(&wrong)));
    }
}

/// Every filter and every sort, each a statement of its own.
fn walks(scene: &Scene, nth: usize, stop: &AtomicBool) {
    let Tenant { client, organization, .. } = tenant(scene, nth);
    for question in questions().iter().cycle() {
        if stopped(stop) {
            return;
        }
        let list = format!("/api/v2/organizations/{organization}/authentication-tokens?{question}");
        scene.met(client.try_with("GET", &list, None));
    }
}

/// Tokens that never were, and what is no token at all.
fn garbage(scene: &Scene, nth: usize, stop: &AtomicBool) {
    let client = &scene.quiet.client;
    while !stopped(stop) {
        let unknown = Secret::generate(Kind::User).unwrap();
        let secret = if nth.is_multiple_of(2) { unknown.reveal() } else { "lku_nonsense" };
        scene.met(client.as_another(secret).try_with("GET", "/api/v2/account/details", None));
    }
}

/// Searches that look at every token of a large organization.
fn searches(scene: &Scene, nth: usize, stop: &AtomicBool) {
    let client = &scene.hostile[0].client;
    let lists = [
        "organizations/hostile0/authentication-tokens?q=not-there&sort=-description",
        "organizations/hostile0/team-tokens?q=number 9&sort=team-name,last-used-at",
        "organizations/hostile0/authentication-tokens?filter[unused-for-days]=3&sort=role,description&page[number]=900",
    ];
    while !stopped(stop) {
        scene.met(client.try_with("GET", &format!("/api/v2/{}", lists[nth % lists.len()]), None));
    }
}

/// Organizations with some thousand tokens, made and deleted.
fn deletions(scene: &Scene, nth: usize, stop: &AtomicBool) {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let client = &tenant(scene, nth + 2).client;
    while !stopped(stop) {
        let name = format!("doomed{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let organization = resource("organizations", json!({"name": name, "email": "x@example.com"}));
        scene.met(client.try_with("POST", "/api/v2/organizations", Some(&organization)));
        let one = format!("/api/v2/organizations/{name}");
        scene.met(client.try_with("POST", &format!("{one}/teams"), Some(&resource("teams", json!({"name": "ci"})))));
        many_tokens(&scene.database, &name, 3000);
        scene.met(client.try_with("DELETE", &one, None));
    }
    // What deletion leaves behind is looked at by the next phase as it is.
    cluster::execute(&scene.database, "ANALYZE tokens");
}
