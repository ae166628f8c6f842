//! Connections: so many of an address, idle for so long, and what trusted proxies say of them.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use latchkey::credential::{Kind, Secret};

use crate::support::app::{Acme, count};
use crate::support::cluster::Database;
use crate::support::holder::Holder;
use crate::support::process::{Folder, Served, admin_secret, until};

struct Scene {
    service: Served,
    folder: Folder,
    database: Database,
}

impl Scene {
    fn set(flags: &[&str]) -> Self {
        let (folder, database) = (Folder::new(), Database::new());
        let service = Served::on(&database, &folder, flags);
        Self { service, folder, database }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.service.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    }

    /// The answer to a request with these headers on a connection of its own.
    fn ask(&self, path: &str, headers: &str) -> String {
        answer(&mut self.connect(), path, headers).expect("an answer")
    }
}

/// The status and everything after it, or none if the connection has been closed.
fn answer(stream: &mut TcpStream, path: &str, headers: &str) -> Option<String> {
    write!(stream, "GET {path} HTTP/1.1\r\nHost: tokens.example\r\n{headers}\r\n").ok()?;
    let mut text = vec![];
    loop {
        let mut some = [0; 4096];
        let read = stream.read(&mut some).ok().filter(|read| *read > 0)?;
        text.extend_from_slice(&some[..read]);
        let so_far = String::from_utf8_lossy(&text);
        let Some((head, body)) = so_far.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if body.len() >= length.unwrap_or(0) {
            return Some(so_far.trim_start_matches("HTTP/1.1 ").to_owned());
        }
    }
}

/// How long it takes until the other side closes.
fn time_until_closed(stream: &mut TcpStream) -> Duration {
    let began = Instant::now();
    assert_eq!(stream.read(&mut [0; 64]).unwrap_or(0), 0, "nothing more comes");
    began.elapsed()
}

const PING: &str = "/api/v2/ping";

#[test]
fn an_address_has_only_so_many_connections() {
    let scene = Scene::set(&["--connections-per-address", "5"]);
    let mut open: Vec<TcpStream> = (0..5).map(|_| scene.connect()).collect();
    for stream in &mut open {
        assert!(answer(stream, PING, "").unwrap().starts_with("20"));
    }
    assert_eq!(answer(&mut scene.connect(), PING, ""), None);
    // Those that are there go on, and one that ends makes room.
    assert!(answer(&mut open[0], PING, "").unwrap().starts_with("20"));
    drop(open.pop());
    until("there is room", || answer(&mut scene.connect(), PING, "").is_some());
}

#[test]
fn a_trusted_proxy_has_any_number_of_connections() {
    let scene = Scene::set(&["--connections-per-address", "2", "--trusted-proxies", "10.0.0.0/8,127.0.0.0/8"]);
    let mut open: Vec<TcpStream> = (0..8).map(|_| scene.connect()).collect();
    assert!(open.iter_mut().all(|stream| answer(stream, PING, "").is_some()));
}

#[test]
fn who_shows_no_good_token_may_be_idle_only_for_a_moment() {
    let scene = Scene::set(&["--idle-timeout", "6s", "--idle-timeout-unauthenticated", "1s"]);
    let bad = format!("Authorization: Bearer lku_{}\r\n", "0".repeat(49));
    let good = format!("Authorization: Bearer {}\r\n", admin_secret(&scene.folder));
    let account = "/api/v2/account/details";
    for (path, headers, status) in [(PING, "", "20"), (PING, &*good, "20"), (account, &*bad, "401")] {
        let mut stream = scene.connect();
        assert!(answer(&mut stream, path, headers).unwrap().starts_with(status), "{path}");
        let took = time_until_closed(&mut stream);
        assert!((900..4000).contains(&took.as_millis()), "{path} {took:?}");
    }
    for (path, status) in [(account, "200"), ("/api/v2/organizations/none", "404")] {
        let mut stream = scene.connect();
        assert!(answer(&mut stream, path, &good).unwrap().starts_with(status));
        assert!(answer(&mut stream, PING, "").is_some());
        let took = time_until_closed(&mut stream);
        assert!((4000..12_000).contains(&took.as_millis()), "{took:?}");
    }
}

#[test]
fn a_request_that_is_under_way_is_not_idle() {
    let scene = Scene::set(&["--idle-timeout", "1s", "--idle-timeout-unauthenticated", "1s"]);
    let good = format!("Authorization: Bearer {}\r\n", admin_secret(&scene.folder));
    let holder = Holder::at(&scene.database, "LOCK TABLE tokens IN ACCESS EXCLUSIVE MODE");
    let mut stream = scene.connect();
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| answer(&mut stream, "/api/v2/account/details", &good));
        holder.until_waiting(1);
        // Shorter than a request waits for the database.
        std::thread::sleep(Duration::from_millis(1500));
        holder.release();
        assert!(waits.join().unwrap().unwrap().starts_with("200"));
    });
}

#[test]
fn a_trusted_proxy_may_be_idle_for_longer() {
    let flags = ["--idle-timeout", "6s", "--idle-timeout-unauthenticated", "1s", "--trusted-proxies", "127.0.0.1"];
    let scene = Scene::set(&flags);
    let mut stream = scene.connect();
    assert!(answer(&mut stream, PING, "").is_some());
    let took = time_until_closed(&mut stream);
    assert!((4000..12_000).contains(&took.as_millis()), "{took:?}");
}

/// However many secrets an address brings of which too many were bad, one connection to the database looks for them, and a
/// good one among them passes.
#[test]
fn secrets_of_a_doubted_address_are_looked_up_together() {
    let scene = Scene::set(&["--failed-authentications", "3"]);
    let good = format!("Authorization: Bearer {}\r\n", admin_secret(&scene.folder));
    let details = "/api/v2/account/details";
    let bad = || format!("Authorization: Bearer {}\r\n", Secret::generate(Kind::User).unwrap().reveal());
    let first = (0..5).map(|_| scene.ask(details, &bad())[..3].to_owned());
    assert_eq!(first.collect::<Vec<_>>(), ["401", "401", "401", "429", "429"]);

    let holder = Holder::at(&scene.database, "LOCK TABLE tokens IN ACCESS EXCLUSIVE MODE");
    std::thread::scope(|scope| {
        let (scene, bad) = (&scene, &bad);
        let ask = move |headers: String| scene.ask(details, &headers)[..3].to_owned();
        let bads: Vec<_> = (0..40).map(|_| scope.spawn(move || ask(bad()))).collect();
        let passes = scope.spawn(move || ask(good));
        std::thread::sleep(Duration::from_secs(1));
        // One, and whatever the service does beside the requests; without the batches, all that it has.
        let waiting = "pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        assert!((1..=4).contains(&count(&scene.database, waiting)));
        holder.release();
        assert_eq!(passes.join().unwrap(), "200");
        let answers: Vec<String> = bads.into_iter().map(|bad| bad.join().unwrap()).collect();
        // In so many seconds one or the other may be counted as the first of the next minute.
        let refused = answers.iter().filter(|status| *status == "429").count();
        assert!(refused >= 30 && answers.iter().all(|status| ["401", "429"].contains(&&**status)), "{answers:?}");
    });
}

/// Links go where the proxy says that the request was sent to, and bad tokens are counted for whom it names.
#[test]
fn a_trusted_proxy_is_believed() {
    let scene = Scene::set(&["--trusted-proxies", "127.0.0.1", "--failed-authentications", "3"]);
    let good = format!("Authorization: Bearer {}\r\n", admin_secret(&scene.folder));
    let links = |headers: &str| scene.ask("/api/v2/organizations", &format!("{good}{headers}"));
    let forwarded = links("X-Forwarded-Proto: https\r\nX-Forwarded-Host: tokens.acme.example\r\n");
    assert!(forwarded.contains("\"https://tokens.acme.example/api/v2/organizations"), "{forwarded}");
    assert!(links("X-Forwarded-Proto: https\r\n").contains("\"https://tokens.example/api/v2/organizations"));
    for wrong in ["X-Forwarded-Proto: javascript\r\n", "X-Forwarded-Host: a\"b\r\n", "X-Forwarded-Host: a/b?c\r\n"] {
        let answer = links(wrong);
        assert!(answer.contains(&format!("\"http://{}/api/v2/organizations", scene.service.address)), "{answer}");
    }
    let bad = format!("Authorization: Bearer lku_{}\r\n", "0".repeat(49));
    let status = |forwarded: &str| {
        let answer = scene.ask("/api/v2/account/details", &format!("{bad}X-Forwarded-For: {forwarded}\r\n"));
        answer[..3].to_owned()
    };
    // What a client says itself stands before what the proxy adds.
    let of_one = (0..5).map(|n| status(&format!("198.51.100.{n}, 203.0.113.1"))).collect::<Vec<_>>();
    assert_eq!(of_one, ["401", "401", "401", "429", "429"]);
    assert_eq!(status("203.0.113.2"), "401");
    // The proxy itself is not limited.
    let own = (0..6).map(|_| scene.ask("/api/v2/account/details", &bad)[..3].to_owned());
    assert!(own.into_iter().all(|status| status == "401"));
}

#[test]
fn who_is_no_trusted_proxy_is_not_believed() {
    let scene = Scene::set(&["--trusted-proxies", "10.0.0.1", "--failed-authentications", "3"]);
    let bad = format!("Authorization: Bearer lku_{}\r\n", "0".repeat(49));
    let status = |n: u8| {
        let forwarded = format!("{bad}X-Forwarded-For: 203.0.113.{n}\r\n");
        scene.ask("/api/v2/account/details", &forwarded)[..3].to_owned()
    };
    assert_eq!((0..5).map(status).collect::<Vec<_>>(), ["401", "401", "401", "429", "429"]);
    let good = format!("Authorization: Bearer {}\r\n", admin_secret(&scene.folder));
    let links = scene.ask("/api/v2/organizations", &format!("{good}X-Forwarded-Host: evil.example\r\n"));
    assert!(!links.contains("evil.example") && links.contains("\"http://tokens.example/"), "{links}");
}

#[test]
fn links_go_where_the_request_went_and_nowhere_that_a_header_names() {
    let Acme { app, ada, .. } = Acme::new();
    let here = format!("http://{}/api/v2/", app.address);
    for headers in [
        vec![("X-Forwarded-Host", "evil.example"), ("X-Forwarded-Proto", "javascript")],
        vec![("Forwarded", "host=\"evil.example\";proto=https")],
        vec![],
    ] {
        let answer = ada.client.send("GET", "/api/v2/organizations?page[size]=1", &headers, None).expect(200);
        let link = answer.body["links"]["self"].as_str().unwrap();
        assert!(link.starts_with(&here), "{headers:?}: {link}");
    }
}
