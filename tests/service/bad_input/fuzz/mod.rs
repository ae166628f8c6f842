//! Random requests that are nearly right, against one running service: no panic, no fault of the service, and every
//! refusal is an error document.
//!
//! `make fuzz` runs it for an hour, `LATCHKEY_FUZZ_SECONDS` for as long as it says. A fault is told with the
//! `LATCHKEY_FUZZ_SEED` that makes the same requests again.

mod request;
mod words;

use std::collections::BTreeMap;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use self::request::{Framing, Request, Sent, requests};
use self::words::Text;
use super::*;
use crate::support::app::ENCRYPTION_KEY;
use crate::support::process::{Folder, Served, latchkey};
use crate::support::{leaks, say};

/// How long it goes on unless told otherwise.
const SECONDS: u64 = 40;

/// How many requests one seed makes.
const CASES: u32 = 50;

/// How many cursors of the service there are to begin with.
const CURSORS: usize = 8;

/// How long an answer may take. Nobody else asks for anything.
const PATIENCE: Duration = Duration::from_secs(15);

const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

fn from_environment(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}

#[test]
#[ignore = "it takes a minute: make test-long"]
fn near_valid_requests_find_no_fault() {
    let target = Target::new();
    let description = description(&target.world.app);
    let all: Vec<(Route, Option<Value>)> = routes(&description)
        .into_iter()
        .map(|route| {
            let good = if route.needs_token { target.world.good_body(&route) } else { Some(leak_report()) };
            (route, good)
        })
        .collect();
    let requests = requests(&all, &description);
    let given = from_environment("LATCHKEY_FUZZ_SEED");
    let seconds = from_environment("LATCHKEY_FUZZ_SECONDS").unwrap_or(if given.is_some() { 0 } else { SECONDS });
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    // Other requests every time; seeds count up from here, and never so fast.
    let first = given.unwrap_or(now * 1000);
    say(&format!("fuzz: from LATCHKEY_FUZZ_SEED={first} for {seconds} s"));
    let until = Instant::now() + Duration::from_secs(seconds);
    let mut seed = first;
    loop {
        let config = Config { cases: CASES, failure_persistence: None, max_shrink_time: 30_000, ..Config::default() };
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let random = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        let found = TestRunner::new_with_rng(config, random).run(&requests, |request| target.holds(&request));
        match found {
            Ok(()) => {}
            Err(TestError::Fail(fault, _)) => panic!("LATCHKEY_FUZZ_SEED={seed} makes it again: {fault}"),
            Err(fault) => panic!("LATCHKEY_FUZZ_SEED={seed}: {fault}"),
        }
        seed += 1;
        if Instant::now() >= until {
            break;
        }
    }
    target.tell(seed - first);
}

/// A report of a leaked token.
fn leak_report() -> Value {
    json!({"data": [{"type": "leaked-tokens", "attributes": {"token": "«unknown»", "type": "x", "url": "https://x"}}]})
}

/// The service that is asked, and everything that a request can name.
struct Target {
    world: World,
    filled: BTreeMap<String, String>,
    /// Every table that requests change, but for the audit trail.
    tables: Vec<String>,
    service: Served,
    _data: Folder,
    log: std::cell::Cell<u64>,
    statuses: std::cell::RefCell<BTreeMap<u16, u64>>,
}

impl Target {
    fn new() -> Self {
        let world = World::new();
        let mut filled: BTreeMap<String, String> =
            world.ids().map(|(name, id)| (name.to_owned(), id.to_owned())).collect();
        filled.extend(more(&world).into_iter().map(|(name, value)| (name.to_owned(), value)));
        filled.extend(cursors(&world).into_iter().enumerate().map(|(nth, cursor)| (format!("cursor{nth}"), cursor)));
        let data = Folder::new();
        let database: &str = &world.app.database_url;
        let service = Served::spawn(
            latchkey()
                .args(["--database-url", database, "--encryption-key", ENCRYPTION_KEY])
                .args(["--failed-authentications", "4000000000", "--data-dir"])
                .arg(&*data),
        );
        filled.insert("here".to_owned(), service.address.to_string());
        let tables = save(&world);
        let (log, statuses) = (std::cell::Cell::new(0), std::cell::RefCell::default());
        Self { world, filled, tables, service, _data: data, log, statuses }
    }

    /// A text as it is sent.
    fn sent(&self, text: &Text) -> Vec<u8> {
        text.damaged(self.fill(&text.base))
    }

    fn fill(&self, text: &str) -> String {
        if !text.contains('«') {
            return text.to_owned();
        }
        self.filled.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("«{name}»"), value))
    }

    /// Sends a request, and tells what is wrong with the answer.
    fn holds(&self, request: &Request) -> Result<(), TestCaseError> {
        let sending = Sending::new(self, request);
        let mut answer = self.ask(&sending);
        if answer.status() == 503 {
            // What may happen on a busy machine does not happen twice.
            std::thread::sleep(Duration::from_secs(1));
            answer = self.ask(&sending);
        }
        let judged = sending.judge(&answer).and_then(|()| self.log_is_clean());
        *self.statuses.borrow_mut().entry(answer.status()).or_default() += 1;
        if answer.status() < 300 && sending.method != "GET" {
            restore(&self.world, &self.tables);
        }
        judged.map_err(|fault| {
            let told = String::from_utf8_lossy(&sending.bytes);
            let told = if told.len() > 3000 {
                format!("{}…", &told.chars().take(3000).collect::<String>())
            } else {
                told.into()
            };
            TestCaseError::fail(format!("{fault}\n--- the request:\n{told}\n--- the answer:\n{}", answer.text()))
        })
    }

    fn ask(&self, sending: &Sending) -> Received {
        let mut stream = TcpStream::connect(self.service.address).expect("the service is there");
        // Else the ports of connections that have ended run out.
        let _ = socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO));
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        // A server may refuse, and close, before it has read everything.
        let _ = stream.write_all(&sending.bytes);
        if !sending.well_formed {
            // It may have announced more.
            let _ = stream.shutdown(Shutdown::Write);
        }
        let mut bytes = vec![];
        let timed_out = stream
            .read_to_end(&mut bytes)
            .is_err_and(|fault| matches!(fault.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut));
        Received { bytes, timed_out }
    }

    /// Nothing has panicked, and nothing has been logged as an error, since the last time.
    fn log_is_clean(&self) -> Result<(), String> {
        let mut log = std::fs::File::open(self.service.log()).unwrap();
        log.seek(SeekFrom::Start(self.log.get())).unwrap();
        let mut bytes = vec![];
        self.log.set(self.log.get() + log.read_to_end(&mut bytes).unwrap() as u64);
        let text = String::from_utf8_lossy(&bytes);
        // The HTTP library calls it an error when a client sends what is no HTTP.
        match text.lines().find(|line| line.contains("panicked at") || line.contains(" ERROR latchkey")) {
            Some(line) => Err(format!("logged: {line}")),
            None => Ok(()),
        }
    }

    fn tell(&self, seeds: u64) {
        let statuses = self.statuses.borrow();
        let total: u64 = statuses.values().sum();
        let shares: Vec<String> = statuses.iter().map(|(status, count)| format!("{status}: {count}")).collect();
        say(&format!("fuzz: {total} requests of {seeds} seeds; {}", shares.join(", ")));
        // Requests that nobody lets in find nothing.
        let good: u64 = statuses.range(200..300).map(|(_, count)| count).sum();
        assert!(good * 25 > total, "only {good} of {total} requests were good ones");
    }
}

/// Secrets and ids beside those of [`Everything`].
fn more(world: &World) -> Vec<(&'static str, String)> {
    let (app, ada) = (&world.app, &world.ada);
    let token = |path: &str, attributes: Value| {
        ada.client.post(&world.below(path), &resource("authentication-tokens", attributes)).expect(201)
    };
    let users = "users/{user}/authentication-tokens";
    let described = |name: &str| token("teams/{team}/authentication-tokens", json!({ "description": name }));
    let revoked = described("revoked");
    ada.client.delete(&format!("/api/v2/authentication-tokens/{}", revoked.id())).expect(204);
    let disabled = described("disabled");
    let switch = format!("/api/v2/authentication-tokens/{}/actions/disable", disabled.id());
    ada.client.post_nothing(&switch).expect(200);
    let unknown = latchkey::credential::Secret::generate(latchkey::credential::Kind::User).unwrap();
    leaks::remember(unknown.reveal());
    let organization = "organizations/{organization}/authentication-token";
    vec![
        ("ada", ada.client.secret().to_owned()),
        ("owners", ada.owners_team("acme")),
        ("other_team", world.other_team.clone()),
        ("revoked", revoked.id()),
        ("revoked_secret", revoked.secret()),
        ("disabled_secret", disabled.secret()),
        ("unknown", unknown.reveal().to_owned()),
        ("viewer", token(users, json!({"role": "viewer"})).secret()),
        ("jwt", token(users, json!({"format": "jwt"})).secret()),
        ("team_secret", described("team").secret()),
        (
            "workspace_secret",
            token("workspaces/{workspace}/authentication-tokens", json!({"description": "w"})).secret(),
        ),
        ("organization_secret", token(organization, json!({})).secret()),
        ("audit_secret", token(&format!("{organization}?token=audit-trails"), json!({})).secret()),
        ("user_token", ada.token_id(app)),
    ]
}

/// Cursors of several lists in several orders.
fn cursors(world: &World) -> Vec<String> {
    let lists = [
        "organizations?",
        "organizations/{organization}/teams?sort=name&",
        "organizations/{organization}/workspaces?",
        "organizations/{organization}/authentication-tokens?",
        "organizations/{organization}/authentication-tokens?sort=-expired-at,description&",
        "organizations/{organization}/authentication-tokens?sort=last-used-at&",
        "organizations/{organization}/organization-memberships?",
        "teams/{team}/authentication-tokens?sort=-created-at&",
    ];
    let found: Vec<String> = lists
        .map(|list| {
            let page = world.ada.client.get(&format!("{}page[after]=&page[size]=1", world.below(list)));
            page.body["data"][0]["meta"]["page"]["cursor"].as_str().map(str::to_owned).unwrap_or_default()
        })
        .into();
    assert!(found.iter().filter(|cursor| !cursor.is_empty()).count() >= 3, "{found:?}");
    assert_eq!(found.len(), CURSORS);
    found
}

/// Keeps a copy of every table but the audit trail, which nobody can take back.
fn save(world: &World) -> Vec<String> {
    let listed = "SELECT string_agg(relname::text, ',' ORDER BY relname <> 'tokens', relname) FROM pg_class \
                  WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND NOT relispartition \
                  AND relname NOT LIKE 'audit%' AND relname NOT LIKE '\\_\\_diesel%'";
    let tables: Vec<String> = world.app.text(listed).split(',').map(str::to_owned).collect();
    world.app.sql("CREATE SCHEMA saved");
    tables.iter().for_each(|table| world.app.sql(&format!("CREATE TABLE saved.{table} AS TABLE public.{table}")));
    tables
}

/// Puts back what was there, so that each request meets the same.
fn restore(world: &World, tables: &[String]) {
    // Foreign keys are looked at when the whole statement is done.
    let insert = |table: &String| format!("of_{table} AS (INSERT INTO public.{table} TABLE saved.{table})");
    let inserts: Vec<String> = tables.iter().map(insert).collect();
    let truncate = format!("TRUNCATE public.{}", tables.join(", public."));
    world.app.in_one_transaction(&[&truncate, &format!("WITH {} SELECT 1", inserts.join(", "))]);
}

/// A request as bytes, and what is known of it.
struct Sending {
    bytes: Vec<u8>,
    method: String,
    /// Whether HTTP allows it, so that it is Latchkey and not the HTTP library that answers.
    well_formed: bool,
}

impl Sending {
    fn new(target: &Target, request: &Request) -> Self {
        let path: Vec<u8> = request.path.iter().flat_map(|part| [b"/".to_vec(), target.sent(part)].concat()).collect();
        let mut uri = path;
        for (nth, (name, value, sent)) in request.query.iter().enumerate() {
            uri.push(if nth == 0 { b'?' } else { b'&' });
            let (name, value) = (target.sent(name), target.sent(value));
            match sent {
                Sent::Raw => uri.extend([name, b"=".to_vec(), value].concat()),
                Sent::Encoded => {
                    uri.extend(format!("{}={}", percent_encode(&name, PLAIN), percent_encode(&value, PLAIN)).bytes());
                }
            }
        }
        let mut well_formed = request.method.bytes().all(|byte| byte.is_ascii_alphabetic())
            && !matches!(request.method.as_str(), "" | "CONNECT")
            && uri.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?%".contains(byte))
            && uri.len() < 60_000
            // RFC 9112 §3.2.
            && request.host.is_some()
            // For the HTTP library, what comes after such a head is no body but another protocol, without an end.
            && !request.others.iter().any(|(name, value)| name == "Upgrade" && value == "websocket");
        let mut head = [request.method.as_bytes(), b" ", &uri, b" HTTP/1.1\r\n"].concat();
        let mut header = |name: &str, value: &[u8]| {
            let clean = |byte: &u8| *byte == b'\t' || (*byte >= b' ' && *byte != 0x7f);
            well_formed &= value.iter().all(clean) && value.len() < 30_000;
            well_formed &= !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
            head.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
        };
        let once = [("Host", &request.host), ("Accept", &request.accept), ("Content-Type", &request.content_type)];
        for (name, value) in once {
            value.iter().for_each(|value| header(name, &target.sent(value)));
        }
        request.authorization.iter().for_each(|value| header("Authorization", &target.sent(value)));
        request.others.iter().for_each(|(name, value)| header(name, value.as_bytes()));
        let body = request.body.as_ref().map(|body| target.sent(body));
        let framed = framed(request.framing, body.as_deref());
        well_formed &= body.is_none() || matches!(request.framing, Framing::Length | Framing::Chunked);
        well_formed &= head.len() < 100_000;
        head.extend(b"Connection: close\r\n");
        Self { bytes: [head, framed].concat(), method: request.method.clone(), well_formed }
    }

    /// What is wrong with an answer.
    fn judge(&self, answer: &Received) -> Result<(), String> {
        if answer.timed_out {
            return Err(format!("no end of an answer within {PATIENCE:?}"));
        }
        if answer.parts().0.is_empty() {
            return if self.well_formed { Err("no answer".to_owned()) } else { Ok(()) };
        }
        let status = answer.status();
        if !(200..500).contains(&status) {
            return Err(format!("the status is {status}"));
        }
        let Some(request_id) = answer.header("x-request-id") else {
            let librarys = matches!(status, 400 | 408 | 413 | 431) && !self.well_formed;
            return if librarys { Ok(()) } else { Err("not the service's own answer".to_owned()) };
        };
        let named = match status {
            401 => Some("www-authenticate"),
            405 => Some("allow"),
            429 => Some("retry-after"),
            _ => None,
        };
        if let Some(name) = named.filter(|name| answer.header(name).is_none()) {
            return Err(format!("{status} without {name}"));
        }
        if self.method == "HEAD" || matches!(status, 204 | 304) {
            return if answer.body().is_empty() { Ok(()) } else { Err("a body where none belongs".to_owned()) };
        }
        let media_type = answer.header("content-type").unwrap_or_default();
        if status < 400 && !media_type.contains("json") {
            return Ok(());
        }
        let document: Value =
            serde_json::from_slice(answer.body()).map_err(|fault| format!("the body is no JSON: {fault}"))?;
        if status < 400 {
            return Ok(());
        }
        if !media_type.starts_with(MEDIA_TYPE) && media_type != "application/json" {
            return Err(format!("an error document is labelled {media_type:?}"));
        }
        is_error_document(&document, status, &request_id)
    }
}

/// Whether a document is one of errors as docs/design.md §5 has them.
fn is_error_document(document: &Value, status: u16, request_id: &str) -> Result<(), String> {
    let errors = document["errors"].as_array().filter(|errors| !errors.is_empty()).ok_or("no errors are told")?;
    if document.get("data").is_some() {
        return Err("data beside errors".to_owned());
    }
    if errors.len() == 1 && errors[0]["status"].as_str() != Some(&*status.to_string()) {
        return Err(format!("the only error is not {status}"));
    }
    for error in errors {
        let told = |member: &str| error[member].as_str().is_some_and(|text| !text.is_empty());
        if !["status", "title", "detail"].iter().all(|member| told(member)) || error["id"] != request_id {
            return Err(format!("an error lacks something: {error}"));
        }
        let detail = error["detail"].as_str().unwrap_or_default();
        if detail.len() > 4000 {
            return Err(format!("a detail of {} bytes", detail.len()));
        }
    }
    Ok(())
}

/// The rest of a request: what it says of its body, and the body.
fn framed(framing: Framing, body: Option<&[u8]>) -> Vec<u8> {
    let Some(body) = body else { return b"\r\n".to_vec() };
    let length = body.len();
    let chunked = || {
        let (one, other) = body.split_at(length / 2);
        let chunk = |part: &[u8]| {
            if part.is_empty() { vec![] } else { [format!("{:x}\r\n", part.len()).as_bytes(), part, b"\r\n"].concat() }
        };
        [chunk(one), chunk(other), b"0\r\n\r\n".to_vec()].concat()
    };
    let (said, sent) = match framing {
        Framing::Length => (format!("Content-Length: {length}"), body.to_vec()),
        Framing::Chunked => ("Transfer-Encoding: chunked".to_owned(), chunked()),
        Framing::Unsaid => ("X-Nothing: 1".to_owned(), body.to_vec()),
        Framing::TooShort => (format!("Content-Length: {}", length / 2), body.to_vec()),
        Framing::TooLong => (format!("Content-Length: {}", length + 7), body.to_vec()),
        Framing::Twice => (format!("Content-Length: {length}\r\nContent-Length: {}", length + 1), body.to_vec()),
        Framing::LengthAndChunked => (format!("Content-Length: {length}\r\nTransfer-Encoding: chunked"), chunked()),
        Framing::WrongChunk => ("Transfer-Encoding: chunked".to_owned(), [b"zz\r\n", body].concat()),
        Framing::NotANumber => (format!("Content-Length: +{length}"), body.to_vec()),
        Framing::Huge => ("Content-Length: 18446744073709551615".to_owned(), body.to_vec()),
    };
    [said.as_bytes(), b"\r\n\r\n", &sent].concat()
}

/// What came back.
struct Received {
    bytes: Vec<u8>,
    timed_out: bool,
}

impl Received {
    /// Head and body of the answer that is not an interim one.
    fn parts(&self) -> (&[u8], &[u8]) {
        let mut rest: &[u8] = &self.bytes;
        loop {
            let end = rest.windows(4).position(|four| four == b"\r\n\r\n").map_or(rest.len(), |at| at + 4);
            let (head, body) = rest.split_at(end);
            if !head.starts_with(b"HTTP/1.1 1") {
                return (head, body);
            }
            rest = body;
        }
    }

    fn status(&self) -> u16 {
        let head = String::from_utf8_lossy(self.parts().0);
        head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or_default()
    }

    fn header(&self, name: &str) -> Option<String> {
        let head = String::from_utf8_lossy(self.parts().0).into_owned();
        head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    }

    /// The body, without anything that came after it.
    fn body(&self) -> &[u8] {
        let body = self.parts().1;
        let length = self.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(body.len());
        if self.header("content-length").is_none() { body } else { &body[..length.min(body.len())] }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).chars().take(3000).collect()
    }
}
