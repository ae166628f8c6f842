//! Published clients against a real service: each tells its story (`tests/clients/`) and checks every answer. And a
//! published validator of what such answers look like.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{TimeDelta, Utc};
use regex::Regex;
use serde_json::{Value, json};

use crate::support::app::{project_access, resource, team_access};
use crate::support::client::{Answer, Client};
use crate::support::process::{Folder, Served, admin_secret, latchkey, require, run};
use crate::support::say;

fn clients(language: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(language)
}

/// Whether a program is there and answers.
fn works(program: &str, arguments: &[&str]) -> bool {
    Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
}

/// Lets a client loose on a fresh service; it must say that nothing failed.
fn tell(story: &str, client: &mut Command) {
    let data = Folder::new();
    let service = Served::start(&data);
    client.env("TFE_ADDRESS", format!("http://{}", service.address)).env("TFE_TOKEN", admin_secret(&data));
    nothing_failed(story, &run(client));
    assert!(service.stop());
}

/// A program must say at its end how much it checked, and that nothing of it failed.
fn nothing_failed(program: &str, output: &Output) {
    let said = said(output);
    let last = said.lines().rev().find(|line| line.contains(" passed, ")).unwrap_or_default();
    assert!(output.status.success() && last.ends_with(" passed, 0 failed"), "{program}:\n{said}");
    assert!(!last.starts_with("0 "), "{program} checked nothing:\n{said}");
    say(&format!("{program}: {last}"));
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn go_tfe_tells_its_story() {
    if require(works("go", &["version"]), "Go is not installed: the client go-tfe is not tried") {
        tell("go-tfe", Command::new("go").args(["run", "."]).current_dir(clients("go")));
    }
}

#[test]
fn pytfe_tells_its_story() {
    let python = works("python3", &["-c", "import ensurepip, venv"]);
    if require(python, "Python 3 with venv is not installed: the client pytfe is not tried") {
        tell(
            "pytfe",
            Command::new(environment("python", "pytfe")).arg("pytfe_story.py").current_dir(clients("python")),
        );
    }
}

/// Every check that it has, in every phase, against what the service says of itself.
#[test]
#[ignore = "it takes minutes: make test-long"]
fn schemathesis_finds_nothing() {
    let python = works("python3", &["-c", "import ensurepip, venv"]);
    if !require(python, "Python 3 with venv is not installed: schemathesis is not tried") {
        return;
    }
    let data = Folder::new();
    // It brings many tokens that are not good.
    let service =
        Served::spawn(Command::new("").arg("--data-dir").arg(&*data).args(["--failed-authentications", "1000000"]));
    let secret = admin_secret(&data);
    let description = format!("http://{}/api/v2/openapi.json", service.address);
    let mut schemathesis = Command::new(environment("schemathesis", "schemathesis"));
    schemathesis.args(["-m", "schemathesis.cli"]).arg("--config-file");
    schemathesis.arg(clients("schemathesis").join("schemathesis.toml"));
    schemathesis.args(["run", &description, "--checks", "all", "--workers", "1", "--no-color"]);
    // Where it keeps what it found.
    schemathesis.current_dir(&*data).env("LATCHKEY_TOKEN", &secret);
    schemathesis.envs(world(&Client::new(service.address, Some(secret))));
    let output = run(&mut schemathesis);
    let said = said(&output);
    assert!(output.status.success(), "schemathesis:\n{said}");
    let counts =
        |line: &&str| line.trim().split_once(" generated").is_some_and(|(count, _)| count.parse::<u32>().is_ok());
    let tried = said.lines().find(counts).unwrap_or_default();
    assert!(!tried.is_empty(), "schemathesis tried nothing:\n{said}");
    say(&format!("schemathesis: {}", tried.trim()));
    assert!(service.stop());
}

/// Every request and answer in `fixtures/documents`, which `documents` holds the service to.
#[test]
fn jsonapi_validator_takes_every_document() {
    let node = works("node", &["--version"]) && works("npm", &["--version"]);
    if require(node, "Node.js with npm is not installed: jsonapi-validator is not tried") {
        let documents = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/documents");
        let mut check = Command::new("node");
        check.arg(clients("jsonapi").join("check.js")).arg(documents).env("NODE_PATH", node_modules("jsonapi"));
        nothing_failed("jsonapi-validator", &run(&mut check));
    }
}

/// The packages that a client's lock file names, put under `target/` the first time.
fn node_modules(client: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{client}-packages"));
    let lock = clients(client).join("package-lock.json");
    // Written last, so that packages that were not all put there are put there again.
    let installed = folder.join("installed");
    let read = |file: &Path| std::fs::read(file).ok();
    if read(&installed) != read(&lock) {
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        for file in ["package.json", "package-lock.json"] {
            std::fs::copy(clients(client).join(file), folder.join(file)).unwrap();
        }
        let mut install = Command::new("npm");
        install.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(&folder);
        let output = run(&mut install);
        assert!(output.status.success(), "{install:?}:\n{}", said(&output));
        std::fs::copy(&lock, &installed).unwrap();
    }
    folder.join("node_modules")
}

/// What `schemathesis.toml` calls by name.
fn world(owner: &Client) -> [(&'static str, String); 10] {
    let acme = json!({"name": "acme", "email": "admin@example.com"});
    owner.post("/api/v2/organizations", &resource("organizations", acme)).expect(201);
    let teams = "/api/v2/organizations/acme/teams";
    let team = owner.post(teams, &resource("teams", json!({"name": "tried"}))).expect(200).id();
    let tokens = format!("/api/v2/teams/{team}/authentication-tokens");
    let token = resource("authentication-tokens", json!({"description": "tried"}));
    let prod = resource("workspaces", json!({"name": "prod"}));
    let workspace = owner.post("/api/v2/organizations/acme/workspaces", &prod).expect(201).id();
    let access = team_access(&team, &workspace, json!({"access": "read"}));
    let tags = format!("/api/v2/workspaces/{workspace}/relationships/tags");
    owner.post(&tags, &json!({"data": [{"type": "tags", "attributes": {"name": "tried"}}]})).expect(204);
    let projects = "/api/v2/organizations/acme/projects";
    let project = owner.post(projects, &resource("projects", json!({"name": "tried"}))).expect(201).id();
    let to_project = project_access(&team, &project, json!({"access": "read"}));
    let keys = "/api/v2/organizations/acme/reserved-tag-keys";
    let key = resource("reserved-tag-keys", json!({"key": "tried"}));
    [
        ("LATCHKEY_PROJECT_ACCESS", owner.post("/api/v2/team-projects", &to_project).expect(201).id()),
        ("LATCHKEY_PROJECT", project),
        ("LATCHKEY_RESERVED_KEY", owner.post(keys, &key).expect(201).id()),
        ("LATCHKEY_ACCESS", owner.post("/api/v2/team-workspaces", &access).expect(201).id()),
        ("LATCHKEY_TAG", owner.get(&tags).expect(200).ids().remove(0)),
        ("LATCHKEY_WORKSPACE", workspace),
        ("LATCHKEY_TEAM_TOKEN", owner.post(&tokens, &token).expect(201).id()),
        ("LATCHKEY_TEAM", team),
        ("LATCHKEY_USER", owner.get("/api/v2/account/details").expect(200).id()),
        ("LATCHKEY_MEMBERSHIP", owner.get("/api/v2/organization-memberships").expect(200).ids().remove(0)),
    ]
}

#[test]
fn pyjwt_verifies_as_documented() {
    let python = works("python3", &["-c", "import ensurepip, venv"]);
    if require(python, "Python 3 with venv is not installed: PyJWT is not tried") {
        let python = environment("jwt", "jwt");
        verifies("PyJWT", || {
            let mut program = Command::new(&python);
            program.args(["-c", &documented("python")]);
            program
        });
    }
}

#[test]
fn jose_verifies_as_documented() {
    if require(works("npm", &["--version"]), "Node with npm is not installed: jose is not tried") {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("jose");
        std::fs::create_dir_all(&folder).unwrap();
        for file in ["package.json", "package-lock.json"] {
            std::fs::copy(clients("jwt").join(file), folder.join(file)).unwrap();
        }
        let output = run(Command::new("npm").args(["ci", "--silent", "--no-fund", "--no-audit"]).current_dir(&folder));
        assert!(output.status.success(), "{}", said(&output));
        std::fs::write(folder.join("documented.mjs"), documented("js")).unwrap();
        verifies("jose", || {
            let mut program = Command::new("node");
            program.arg("documented.mjs").current_dir(&folder);
            program
        });
    }
}

/// The block of this language in `docs/jwt.md`.
fn documented(language: &str) -> String {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/jwt.md")).unwrap();
    let block = text.split_once(&format!("```{language}\n")).unwrap().1;
    block.split_once("```").unwrap().0.to_owned()
}

/// Lets a program verify JWTs against what a service publishes, before and after its key is rotated.
fn verifies(library: &str, program: impl Fn() -> Command) {
    let data = Folder::new();
    // The address is the issuer, and so must be known before the service starts.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{address}");
    let service = Served::spawn(latchkey().arg("--data-dir").arg(&*data).args([
        "--listen",
        &address.to_string(),
        "--public-url",
        &url,
    ]));
    let owner = service.with(&admin_secret(&data));
    let organization = |name: &str| {
        let new = json!({"name": name, "email": "admin@example.com"});
        let made = owner.post("/api/v2/organizations", &resource("organizations", new)).expect(201);
        made.attribute("external-id").as_str().unwrap().to_owned()
    };
    let acme = organization("acme");
    organization("other");
    let make = |organization: &str, lives: i64| {
        let until = (Utc::now() + TimeDelta::seconds(lives)).to_rfc3339();
        let attributes = json!({"format": "jwt", "abilities": ["agents:read"], "expired-at": until});
        let path = format!("/api/v2/organizations/{organization}/authentication-token");
        owner.post(&path, &resource("authentication-tokens", attributes)).expect(201)
    };
    let attempt = |token: &str| {
        let mut program = program();
        program.env("LATCHKEY", &url).env("ORGANIZATION", &acme).env("TOKEN", token).env("no_proxy", "*");
        run(&mut program)
    };
    let accepts = |token: &Answer| {
        let output = attempt(&token.secret());
        assert!(output.status.success(), "{library}: {}", said(&output));
        let claims: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((&claims["jti"], &claims["sub"]), (&json!(token.id()), &json!(acme)), "{library}");
        assert_eq!(claims["abilities"], json!(["agents:read"]), "{library}");
    };
    let refuses = |token: &str, because: &str| {
        let output = attempt(token);
        assert!(!output.status.success(), "{library} accepts {because}");
        let because = Regex::new(because).unwrap();
        assert!(because.is_match(&said(&output)), "{library}, {because}: {}", said(&output));
    };

    let short = make("acme", 2).secret();
    let over = Utc::now() + TimeDelta::seconds(3);
    let old = make("acme", 3600);
    accepts(&old);
    let rotated = run(latchkey().args(["keys", "rotate", "--data-dir"]).arg(&*data));
    assert!(rotated.status.success(), "{}", said(&rotated));
    accepts(&old);
    let new = make("acme", 3600);
    accepts(&new);

    let secret = new.secret();
    let [header, claims, signature] = secret.split('.').collect::<Vec<_>>().try_into().unwrap();
    let base64 = |text: &[u8]| URL_SAFE_NO_PAD.encode(text);
    let text = |part: &str| String::from_utf8(URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    let altered = base64(text(claims).replace("agents:read", "agents:rule").as_bytes());
    assert_ne!(altered, claims);
    let mut other_signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    other_signature[9] ^= 1;
    let none = text(header).replace("EdDSA", "none");
    refuses(&format!("{header}.{altered}.{signature}"), "(?i)signature verification failed");
    refuses(&format!("{header}.{claims}.{}", base64(&other_signature)), "(?i)signature verification failed");
    refuses(&format!("{}.{claims}.", base64(none.as_bytes())), "alg.* not allowed");
    refuses(&make("other", 3600).secret(), "a token of another organization");
    // A library may be quicker than the token's two seconds.
    std::thread::sleep((over - Utc::now()).to_std().unwrap_or_default());
    refuses(&short, "has expired|\"exp\" claim timestamp check failed");
    assert!(service.stop());
}

/// The Python of an environment with a package and all that it needs, made under `target/` the first time.
fn environment(client: &str, package: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(package);
    let (python, wanted) = (folder.join("bin/python"), clients(client).join("requirements.txt"));
    // Written last, so that an environment that was not finished is made again.
    let installed = folder.join("requirements.txt");
    let read = |file: &Path| std::fs::read(file).ok();
    if read(&installed) != read(&wanted) || !works(&python.to_string_lossy(), &["-c", &format!("import {package}")]) {
        let _ = std::fs::remove_dir_all(&folder);
        let must = |command: &mut Command| {
            let output = run(command);
            assert!(output.status.success(), "{command:?}:\n{}", said(&output));
        };
        must(Command::new("python3").args(["-m", "venv"]).arg(&folder));
        must(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--requirement"]).arg(&wanted));
        std::fs::copy(&wanted, &installed).unwrap();
    }
    python
}
