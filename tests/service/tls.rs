//! TLS from PEM files that may change while the service runs, and the public URL that links follow.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::Value;

use crate::support::authority::Authority;
use crate::support::cluster::Database;
use crate::support::process::{Folder, Served, admin_secret, latchkey, run};
use crate::support::{App, leaks};

/// A running service with a certificate, and who has issued that.
struct Scene {
    authority: Authority,
    certificate: PathBuf,
    key: PathBuf,
    service: Served,
    folder: Folder,
    _database: Database,
}

impl Scene {
    fn set(more: &[&str]) -> Self {
        let (authority, folder) = (Authority::new(), Folder::new());
        let place = folder.parent().unwrap();
        let (certificate, key) = (place.join("certificate.pem"), place.join("key.pem"));
        let (chain, secret) = authority.issue();
        std::fs::write(&certificate, chain).unwrap();
        std::fs::write(&key, secret).unwrap();
        let database = Database::new();
        let mut command = latchkey();
        command.arg("--data-dir").arg(&*folder).args(["--database-url", &database]);
        command.arg("--tls-certificate").arg(&certificate).arg("--tls-key").arg(&key).args(more);
        let service = Served::spawn(&mut command);
        Self { authority, certificate, key, service, folder, _database: database }
    }

    fn get(&self, path: &str) -> Result<Answer, String> {
        let secret = admin_secret(&self.folder);
        get(self.service.address, &self.authority.certificate, path, &secret)
    }

    /// Puts other files in place, each in one step as programs that renew certificates do.
    fn replace(&self, certificate: &str, key: &str) {
        for (path, text) in [(&self.certificate, certificate), (&self.key, key)] {
            let new = path.with_extension("new");
            std::fs::write(&new, text).unwrap();
            std::fs::rename(&new, path).unwrap();
        }
    }
}

struct Answer {
    status: u16,
    body: Value,
    certificate: Vec<u8>,
}

/// A client that trusts just this authority.
fn trusting(authority: &CertificateDer<'static>) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(authority.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    Arc::new(config.with_root_certificates(roots).with_no_client_auth())
}

/// One request on a new connection, which trusts just this authority.
fn get(address: SocketAddr, trusted: &CertificateDer<'static>, path: &str, secret: &str) -> Result<Answer, String> {
    let config = trusting(trusted);
    let name = ServerName::try_from("localhost").unwrap();
    let connection = ClientConnection::new(config, name).map_err(|fault| fault.to_string())?;
    let stream = TcpStream::connect(address).map_err(|fault| fault.to_string())?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut stream = StreamOwned::new(connection, stream);
    let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
    let request = format!("{head}Authorization: Bearer {secret}\r\n\r\n");
    stream.write_all(request.as_bytes()).map_err(|fault| fault.to_string())?;
    let mut text = vec![];
    // A server may close without saying so.
    let _ = stream.read_to_end(&mut text);
    let text = String::from_utf8(text).unwrap();
    leaks::remember(&text);
    let (head, body) = text.split_once("\r\n\r\n").ok_or_else(|| format!("no answer: {text:?}"))?;
    Ok(Answer {
        status: head.split(' ').nth(1).unwrap().parse().unwrap(),
        body: serde_json::from_str(body).unwrap_or_default(),
        certificate: stream.conn.peer_certificates().unwrap()[0].to_vec(),
    })
}

const DETAILS: &str = "/api/v2/account/details";

#[test]
fn a_client_that_trusts_the_authority_is_served() {
    let scene = Scene::set(&[]);
    let address = format!("https://{}", scene.service.address);
    assert!(scene.service.greeting.contains(&address), "{}", scene.service.greeting);
    let answer = scene.get(DETAILS).unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body["data"]["attributes"]["username"], "admin");
    let listed = scene.get("/api/v2/organizations").unwrap();
    let link = listed.body["links"]["self"].as_str().unwrap();
    assert!(link.starts_with("https://localhost/api/v2/organizations"), "{link}");
    assert!(scene.service.stop());
}

#[test]
fn a_client_that_does_not_trust_it_is_not() {
    let scene = Scene::set(&[]);
    let other = Authority::new().certificate;
    let refused = get(scene.service.address, &other, DETAILS, "x").err().expect("no trust, no answer");
    assert!(refused.contains("certificate"), "{refused}");
}

/// Who connects and says nothing holds up nobody else, however many they are.
#[test]
fn silent_handshakes_hold_up_nobody() {
    let scene = Scene::set(&[]);
    let silent: Vec<TcpStream> = (0..700).map(|_| TcpStream::connect(scene.service.address).unwrap()).collect();
    for _ in 0..3 {
        let began = Instant::now();
        assert_eq!(scene.get(DETAILS).unwrap().status, 200);
        assert!(began.elapsed() < Duration::from_millis(1500), "it took {:?}", began.elapsed());
    }
    drop(silent);
}

#[test]
fn plain_http_is_not_answered_on_a_tls_port() {
    let scene = Scene::set(&[]);
    let mut stream = TcpStream::connect(scene.service.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.write_all(b"GET /api/v2/ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut text = vec![];
    let _ = stream.read_to_end(&mut text);
    assert!(!text.starts_with(b"HTTP/"), "{}", String::from_utf8_lossy(&text));
    assert_eq!(scene.get(DETAILS).unwrap().status, 200);
}

#[test]
fn a_new_certificate_is_used_within_three_seconds() {
    let scene = Scene::set(&[]);
    let first = scene.get(DETAILS).unwrap().certificate;
    let (chain, key) = scene.authority.issue();
    scene.replace(&chain, &key);
    let replaced = Instant::now();
    while scene.get(DETAILS).unwrap().certificate == first {
        assert!(replaced.elapsed() < Duration::from_secs(3), "the old certificate is still in use");
        std::thread::sleep(Duration::from_millis(50));
    }
    // Another authority's is as good.
    let other = Authority::new();
    let (chain, key) = other.issue();
    scene.replace(&chain, &key);
    let secret = admin_secret(&scene.folder);
    let replaced = Instant::now();
    while get(scene.service.address, &other.certificate, DETAILS, &secret).is_err() {
        assert!(replaced.elapsed() < Duration::from_secs(3), "the old certificate is still in use");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(scene.get(DETAILS).is_err());
}

#[test]
fn a_broken_certificate_leaves_the_old_one_in_use() {
    let scene = Scene::set(&[]);
    let first = scene.get(DETAILS).unwrap().certificate;
    let (chain, key) = scene.authority.issue();
    let (other_chain, _) = scene.authority.issue();
    for (certificate, key) in [("nonsense", "nonsense"), ("", ""), (other_chain.as_str(), key.as_str())] {
        scene.replace(certificate, key);
        std::thread::sleep(Duration::from_millis(2200));
        assert_eq!(scene.get(DETAILS).unwrap().certificate, first);
    }
    std::fs::remove_file(&scene.key).unwrap();
    std::thread::sleep(Duration::from_millis(2200));
    assert_eq!(scene.get(DETAILS).unwrap().certificate, first);
    // And a good pair after that is taken.
    scene.replace(&chain, &key);
    let replaced = Instant::now();
    while scene.get(DETAILS).unwrap().certificate == first {
        assert!(replaced.elapsed() < Duration::from_secs(3), "the good certificate is not in use");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(scene.service.stop());
}

/// What `latchkey serve` says with these arguments: its exit status, and standard error.
fn refused(arguments: &[&str]) -> (Option<i32>, String) {
    let folder = Folder::new();
    let database = Database::new();
    let mut command = latchkey();
    command.args(["serve", "--listen", "127.0.0.1:0", "--database-url", &database, "--data-dir"]).arg(&*folder);
    let output = run(command.args(arguments));
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn one_of_the_two_flags_alone_is_a_wrong_command_line() {
    for (flag, other) in [("--tls-certificate", "--tls-key"), ("--tls-key", "--tls-certificate")] {
        let (status, said) = refused(&[flag, "file.pem"]);
        assert_eq!(status, Some(2), "{said}");
        assert!(said.contains(other) && said.lines().count() == 1, "{said}");
    }
}

#[test]
fn a_file_that_cannot_be_read_ends_the_start_in_one_line() {
    let folder = Folder::new();
    let write = |name: &str, text: &str| {
        let path = folder.parent().unwrap().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let authority = Authority::new();
    let (chain, key) = authority.issue();
    let (chain, key) = (write("chain.pem", &chain), write("key.pem", &key));
    let other = write("other.pem", &authority.issue().1);
    let nonsense = write("nonsense.pem", "nonsense");
    let absent = folder.parent().unwrap().join("absent.pem").to_str().unwrap().to_owned();
    for (chain, key, named) in [
        (&absent, &key, absent.as_str()),
        (&chain, &absent, &absent),
        (&nonsense, &key, &nonsense),
        (&chain, &nonsense, &nonsense),
        (&chain, &other, "certificate"),
    ] {
        let (status, said) = refused(&["--tls-certificate", chain, "--tls-key", key]);
        assert_eq!(status, Some(1), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(said.contains(named), "{said}");
        assert!(Path::new(chain).exists() || !said.contains("PRIVATE KEY"), "{said}");
    }
}

#[test]
fn links_and_discovery_follow_the_public_url() {
    let scene = Scene::set(&["--public-url", "https://tokens.example.com/base/"]);
    let listed = scene.get("/api/v2/organizations?page%5Bsize%5D=1").unwrap();
    assert_eq!(listed.status, 200);
    for link in ["self", "first", "last"] {
        let link = listed.body["links"][link].as_str().unwrap();
        assert!(link.starts_with("https://tokens.example.com/base/api/v2/organizations?"), "{link}");
    }
    let discovery = scene.get("/.well-known/terraform.json").unwrap();
    assert_eq!(discovery.body["tfe.v2"], "https://tokens.example.com/base/api/v2/");
    // Without one, discovery is relative and links follow the request.
    let app = App::start();
    assert_eq!(app.anonymous().get("/.well-known/terraform.json").expect(200).body["tfe.v2"], "/api/v2/");
    let own = app.user("ada").client.get("/api/v2/organizations").expect(200).body["links"]["self"].clone();
    assert!(own.as_str().unwrap().starts_with(&format!("http://{}/api/v2/", app.address)), "{own}");
}

#[test]
fn a_public_url_that_is_none_is_a_wrong_command_line() {
    for wrong in ["", "tokens.example.com", "ftp://tokens.example.com", "https://x/?y"] {
        let (status, said) = refused(&["--public-url", wrong]);
        assert_eq!(status, Some(2), "{wrong:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}

/// The same rules as without TLS.
#[test]
fn connections_are_bounded_and_idle_ones_closed() {
    let scene = Scene::set(&["--connections-per-address", "1", "--idle-timeout-unauthenticated", "2s"]);
    scene.get("/api/v2/account/details").unwrap();
    let config = trusting(&scene.authority.certificate);
    let open = || {
        let name = ServerName::try_from("localhost").unwrap();
        let stream = TcpStream::connect(scene.service.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let mut stream = StreamOwned::new(ClientConnection::new(Arc::clone(&config), name).unwrap(), stream);
        let _ = stream.write_all(b"GET /api/v2/ping HTTP/1.1\r\nHost: localhost\r\n\r\n");
        let read = stream.read(&mut [0; 4096]).unwrap_or(0);
        (stream, read > 0)
    };
    let (mut first, answered) = open();
    assert!(answered);
    assert!(!open().1, "a second one is refused");
    assert_eq!(first.read(&mut [0; 64]).unwrap_or(0), 0, "it is closed when it is idle");
    crate::support::process::until("there is room again", || open().1);
}

#[test]
fn every_answer_tells_browsers_what_it_is_not() {
    let app = App::start();
    for path in
        ["/api/v2/account/details", "/api/v2/nonsense", "/health/live", "/docs", "/nonsense", "/.well-known/jwks.json"]
    {
        let answer = app.anonymous().get(path);
        assert_eq!(answer.header("X-Content-Type-Options"), Some("nosniff"), "{path}");
        assert!(answer.header("Content-Security-Policy").unwrap().contains("frame-ancestors 'none'"), "{path}");
        assert_eq!(answer.header("Strict-Transport-Security"), None, "{path}: there is no TLS");
    }
}
