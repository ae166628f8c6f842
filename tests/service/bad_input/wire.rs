//! What is sent byte by byte.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::*;
use crate::support::App;

/// The end of a request's head.
pub const END: &str = "Host: latchkey\r\nConnection: close\r\n\r\n";

/// Sends bytes as they are, and reads until the server closes.
pub fn speak(app: &App, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(app.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.set_write_timeout(Some(Duration::from_secs(10))).unwrap();
    // A server may refuse, and close, before it has read everything.
    let _ = stream.write_all(bytes);
    let mut answer = vec![];
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

#[track_caller]
pub fn status(answer: &str) -> u16 {
    let line = answer.lines().next().unwrap_or_default();
    line.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or_else(|| panic!("no answer, but {answer:?}"))
}

#[test]
fn a_request_line_with_invalid_bytes_is_400() {
    let world = World::new();
    for line in [
        b"GET /api/v2/teams/\xff HTTP/1.1\r\n".as_slice(),
        b"GET /api/v2/teams/\0 HTTP/1.1\r\n",
        b"GET /api/v2/a b HTTP/1.1\r\n",
        b"GET nonsense HTTP/1.1\r\n",
        b"G\xffT / HTTP/1.1\r\n",
        b"GET / HTTP/9.9\r\n",
        b"nonsense\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n",
    ] {
        let answer = speak(&world.app, &[line, END.as_bytes()].concat());
        let status = status(&answer);
        assert!((400..500).contains(&status), "{:?}: {answer}", String::from_utf8_lossy(line));
    }
    world.assert_unchanged();
}

#[test]
fn a_header_over_the_limit_is_refused() {
    let world = World::new();
    for size in [200_000, 2_000_000] {
        let request = format!("GET /api/v2/ping HTTP/1.1\r\nX-Long: {}\r\n{END}", "x".repeat(size));
        let mut stream = TcpStream::connect(world.app.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let began = Instant::now();
        let _ = stream.write_all(request.as_bytes());
        let mut answer = vec![];
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer);
        // A reset while the client still writes can swallow the answer, but not turn it into a good one.
        assert!(answer.is_empty() || (400..500).contains(&status(&answer)), "{answer}");
        assert!(began.elapsed() < Duration::from_secs(9), "the server hangs up");
    }
    world.assert_unchanged();
}

#[test]
fn a_body_that_announces_10_mb_is_refused_before_it_is_sent() {
    let world = World::new();
    for route in world.routes_with_body() {
        let request = format!(
            "{} {} HTTP/1.1\r\nAuthorization: Bearer {}\r\nContent-Type: {MEDIA_TYPE}\r\n\
             Content-Length: 10485760\r\n{END}",
            route.method,
            world.target(route),
            world.client(route).secret()
        );
        let answer = speak(&world.app, request.as_bytes());
        assert_eq!(status(&answer), 413, "{answer}");
        assert!(answer.contains("\"status\":\"413\""), "{answer}");
    }
    world.assert_unchanged();
}

#[test]
fn a_chunked_body_over_1_mib_is_refused() {
    let world = World::new();
    let mut request = format!(
        "PATCH {} HTTP/1.1\r\nAuthorization: Bearer {}\r\nContent-Type: {MEDIA_TYPE}\r\n\
         Transfer-Encoding: chunked\r\n{END}",
        world.below("teams/{team}"),
        world.ada.client.secret()
    );
    let document = resource("teams", json!({"name": "changed"})).to_string();
    request.push_str(&format!("{:x}\r\n{document}\r\n", document.len()));
    for _ in 0..17 {
        request.push_str(&format!("10000\r\n{}\r\n", " ".repeat(0x10000)));
    }
    request.push_str("0\r\n\r\n");
    let answer = speak(&world.app, request.as_bytes());
    assert_eq!(status(&answer), 413, "{answer}");
    world.assert_unchanged();
}

#[test]
fn a_body_that_breaks_off_changes_nothing() {
    let world = World::new();
    let document = resource("teams", json!({"name": "changed"})).to_string();
    let head = format!(
        "PATCH {} HTTP/1.1\r\nAuthorization: Bearer {}\r\nContent-Type: {MEDIA_TYPE}\r\n",
        world.below("teams/{team}"),
        world.ada.client.secret()
    );
    for request in [
        format!("{head}Content-Length: {}\r\n{END}{document}", document.len() + 1),
        format!("{head}Transfer-Encoding: chunked\r\n{END}{:x}\r\n{document}\r\n", document.len()),
    ] {
        let mut stream = TcpStream::connect(world.app.address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        assert!(answer.is_empty() || (400..500).contains(&status(&answer)), "{answer}");
    }
    for wrong in [
        format!("{head}Content-Length: nonsense\r\n{END}{document}"),
        format!("{head}Content-Length: -1\r\n{END}{document}"),
        format!("{head}Content-Length: 1\r\nContent-Length: 2\r\n{END}{document}"),
    ] {
        let status = status(&speak(&world.app, wrong.as_bytes()));
        assert!((400..500).contains(&status), "{status}");
    }
    // Where a body ends cannot be told any more: the connection is closed, with an answer or without.
    let chunked = format!("{head}Transfer-Encoding: chunked\r\n{END}nonsense\r\n{document}\r\n0\r\n\r\n");
    let answer = speak(&world.app, chunked.as_bytes());
    assert!(answer.is_empty() || (400..500).contains(&status(&answer)), "{answer}");
    world.assert_unchanged();
}

/// RFC 9110 §9.1: GET and HEAD are what every server must support.
#[test]
fn head_is_get_without_a_body() {
    let world = World::new();
    for route in world.routes.iter().filter(|route| route.method == "GET") {
        let path = world.target(route);
        let ask = |method: &str, path: &str| {
            let secret = world.client(route).secret();
            speak(&world.app, format!("{method} {path} HTTP/1.1\r\nAuthorization: Bearer {secret}\r\n{END}").as_bytes())
        };
        for (path, expected) in [(path.clone(), 200), (with_query(&path, "nonsense=1"), 400)] {
            let answer = ask("HEAD", &path);
            assert_eq!(status(&answer), expected, "HEAD {path}");
            assert!(answer.ends_with("\r\n\r\n"), "HEAD {path}: {answer}");
        }
    }
    // What comes next on the same connection is the next answer and not the body that was left out.
    let head = "HEAD /api/v2/nonsense HTTP/1.1\r\nHost: latchkey\r\n\r\n";
    let two = speak(&world.app, format!("{head}GET /api/v2/ping HTTP/1.1\r\n{END}").as_bytes());
    assert!(two.starts_with("HTTP/1.1 404") && two.contains("\r\n\r\nHTTP/1.1 204"), "{two}");
    world.assert_unchanged();
}
