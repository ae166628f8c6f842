//! The README's own words, executed: `make run`, and its quick start as it stands.

use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use regex::Regex;
use serde_json::Value;

use crate::support::client::Client;
use crate::support::process::{Folder, Served, admin_secret, latchkey, release_binary, run, until};
use crate::support::{cluster, leaks, say};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// From `make run` to the first answer, the second time.
const SECOND_START: Duration = Duration::from_secs(2);

fn document(path: &str) -> String {
    std::fs::read_to_string(Path::new(ROOT).join(path)).unwrap()
}

fn readme() -> String {
    document("README.md")
}

/// What people read: the pages at the top, and `docs/`. Each by its folder and its text.
fn pages() -> Vec<(PathBuf, String)> {
    let of = |folder: PathBuf| std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = of(PathBuf::from(ROOT)).chain(of(Path::new(ROOT).join("docs")));
    let pages = files.filter(|file| file.extension().is_some_and(|extension| extension == "md"));
    pages.map(|file| (file.parent().unwrap().to_owned(), std::fs::read_to_string(&file).unwrap())).collect()
}

/// The blocks of a text that are marked as `sh`, one after the other.
fn commands(text: &str) -> String {
    let fenced = Regex::new(r"(?ms)^```sh\n(.*?)^```$").unwrap();
    fenced.captures_iter(text).map(|block| block[1].to_owned()).collect()
}

/// A command as from a terminal: without what `make test` and `cargo test` have told this process. What a person has
/// told cargo stays, or `make run` would build everything anew.
fn at_a_terminal(program: &str, data: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        let ours = name.starts_with("LATCHKEY_") && name != "LATCHKEY_POSTGRES_BIN";
        let cargos = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"].iter().any(|start| name.starts_with(start));
        let makes = ["MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKEOVERRIDES", "CARGO", "CARGO_TARGET_TMPDIR", "OUT_DIR"];
        if ours || cargos || makes.contains(&name.as_str()) || ["DATABASE_URL", "RUST_LOG"].contains(&name.as_str()) {
            command.env_remove(name);
        }
    }
    command.current_dir(ROOT).env("LATCHKEY_DATA_DIR", data).env("no_proxy", "*");
    command
}

/// Each answer that a reader sees stands on lines of its own (docs/tokens.md, README).
#[track_caller]
fn ends_its_lines(said: &str) {
    let answers: Vec<&str> = said.lines().filter(|line| line.contains("{\"data\"")).collect();
    assert!(answers.len() >= 5, "{said}");
    for answer in answers {
        assert!(serde_json::from_str::<Value>(answer).is_ok(), "something else on the line of an answer: {answer}");
    }
}

/// Executes the quick start against a service, and checks what a reader would see at its end.
fn follow(address: SocketAddr, data: &Path) {
    let mut shell = at_a_terminal("sh", data);
    // Where README's address is not free, its variable says another, as a reader would.
    shell.args(["-eu", "-c", &commands(&readme())]).env("LATCHKEY", format!("http://{address}"));
    let output = run(&mut shell);
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
    assert!(said.contains("\"username\":\"admin\""), "{said}");
    assert!(said.contains("the revoked token gets 401"), "{said}");
    ends_its_lines(&String::from_utf8_lossy(&output.stdout));

    let secret = Regex::new(r"lkt_[0-9A-Za-z]{49}").unwrap();
    let secrets: Vec<&str> = secret.find_iter(&said).map(|found| found.as_str()).collect();
    let team = Regex::new(r"the team is (team-\w+)").unwrap().captures(&said).expect(&said)[1].to_owned();
    let path = format!("/api/v2/teams/{team}");
    assert_eq!(secrets.len(), 2, "{said}");
    Client::new(address, Some(secrets[0].to_owned())).get(&path).expect(401);
    Client::new(address, Some(secrets[1].to_owned())).get(&path).expect(200);
}

#[test]
fn the_quick_start_works_as_it_stands() {
    let data = Folder::new();
    // README's own address, unless somebody has it already.
    let theirs = "127.0.0.1:8080";
    let free = TcpListener::bind(theirs).is_ok();
    let listen = if free { theirs } else { "127.0.0.1:0" };
    let service = Served::spawn(latchkey().arg("--data-dir").arg(&*data).args(["--listen", listen]));
    follow(service.address, &data);
    assert!(service.stop());
}

#[test]
fn the_guide_to_tokens_works_as_it_stands() {
    let data = Folder::new();
    let service = Served::spawn(latchkey().arg("--data-dir").arg(&*data).args(["--listen", "127.0.0.1:0"]));
    let guide = document("docs/tokens.md");
    let mut shell = at_a_terminal("sh", &data);
    shell.args(["-eu", "-c", &commands(&guide)]).env("LATCHKEY", format!("http://{}", service.address));
    let output = run(&mut shell);
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    leaks::remember(&said);
    assert!(output.status.success(), "{said}");
    for expected in [
        "a workspace's token gets 200",
        "disabled, it gets 401",
        "enabled, it gets 200",
        "the one that has renewed itself gets 200",
        "in the grace the old one gets 200 and the new one 200",
        "after the grace the old one gets 401 and the new one 200",
        "sent again, it gets the same secret, which gets 200",
        "reported, it gets 401",
    ] {
        assert!(said.lines().any(|line| line == expected), "{expected}:\n{said}");
    }
    ends_its_lines(&String::from_utf8_lossy(&output.stdout));
    // What the lists found, by the query that they were asked for.
    let documents = said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let lists: Vec<Value> = documents.filter(|document| document["data"].is_array()).collect();
    let found = |query: &str, attribute: &str| -> Vec<Value> {
        let asked = |list: &&Value| list["links"]["self"].as_str().is_some_and(|link| link.contains(query));
        let list = lists.iter().find(asked).unwrap_or_else(|| panic!("no list of {query}:\n{said}"));
        list["data"].as_array().unwrap().iter().map(|token| token["attributes"][attribute].clone()).collect()
    };
    assert_eq!(found("ability", "kind"), ["workspace"; 3], "the exporter's, and one that has renewed itself");
    assert_eq!(found("q=dash", "description"), ["dashboard"]);
    assert_eq!(found("label", "description"), ["dashboard"]);
    assert!(found("stale", "kind").is_empty());
    assert_eq!(found("trashed", "status"), ["revoked"]);
    assert!(service.stop());
}

/// A running `make run`, with all that it started.
struct Made {
    make: Child,
    log: PathBuf,
}

impl Made {
    fn run(data: &Path, listen: SocketAddr) -> Self {
        let path = cluster::logs().join("make-run.log");
        let log = File::options().create(true).append(true).open(&path).unwrap();
        let mut make = at_a_terminal("make", data);
        make.arg("run").arg(format!("ARGS=--listen {listen}")).process_group(0);
        make.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        Self { make: make.spawn().unwrap(), log: path }
    }

    /// Ctrl-C: the terminal sends it to every process in the group.
    fn interrupt(mut self) {
        self.signal(Signal::SIGINT);
        self.make.wait().unwrap();
    }

    fn signal(&self, signal: Signal) {
        let _ = killpg(Pid::from_raw(i32::try_from(self.make.id()).unwrap()), signal);
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        self.signal(Signal::SIGKILL);
        let _ = self.make.wait();
        let said = std::fs::read_to_string(&self.log).unwrap();
        // A person at the terminal is given this one, to sign in with; the rest is what a log would hold.
        let logged: Vec<&str> = said.lines().filter(|line| !line.starts_with("  console ")).collect();
        leaks::fail_on(|| leaks::look(&logged.join("\n"), "what `make run` says"));
    }
}

#[test]
fn make_run_serves_and_its_second_start_is_quick() {
    // Without a release build, this test would make one, for minutes.
    if release_binary("`make run` is not tried").is_none() {
        return;
    }
    let data = Folder::new();
    let listen = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let lives = || std::net::TcpStream::connect(listen).is_ok();

    let first = Made::run(&data, listen);
    until("`make run` serves", lives);
    follow(listen, &data);
    first.interrupt();
    until("PostgreSQL is stopped", || !data.join("postgres/postmaster.pid").exists());

    // Other tests share the machine: the best of three is what it takes.
    let admin = admin_secret(&data);
    let starts = (0..3).map(|_| {
        let began = Instant::now();
        let again = Made::run(&data, listen);
        while !lives() {
            assert!(began.elapsed() < Duration::from_secs(30), "no second start");
            std::thread::sleep(Duration::from_millis(5));
        }
        Client::new(listen, None).get("/health/live").expect(200);
        let took = began.elapsed();
        Client::new(listen, Some(admin.clone())).get("/api/v2/organizations/acme").expect(200);
        again.interrupt();
        took
    });
    let best = starts.min().unwrap();
    say(&format!("make run: the second start takes {} ms, limit {} ms", best.as_millis(), SECOND_START.as_millis()));
    assert!(best < SECOND_START);
}

/// `docs/api.md` is what the endpoints say. `LATCHKEY_BLESS=1` writes it anew.
#[test]
fn the_page_of_routes_is_up_to_date() {
    let page = latchkey::routes::reference();
    if std::env::var_os("LATCHKEY_BLESS").is_some() {
        std::fs::write(Path::new(ROOT).join("docs/api.md"), &page).unwrap();
    }
    assert!(document("docs/api.md") == page, "docs/api.md is out of date: run this test with LATCHKEY_BLESS=1");
}

/// The files and folders that the pages for contributors name are there.
#[test]
fn pages_for_contributors_name_files_that_exist() {
    let named = Regex::new(r"`((?:src|tests|migrations|docs|fixtures|script)/[a-z0-9_./-]+)`").unwrap();
    let mut seen = 0;
    for page in ["CONTRIBUTING.md", "docs/architecture.md", "migrations/README.md"] {
        for name in named.captures_iter(&document(page)) {
            assert!(Path::new(ROOT).join(&name[1]).exists(), "{page}: there is no {}", &name[1]);
            seen += 1;
        }
    }
    assert!(seen >= 10, "only {seen} are named");
}

/// The table of filters in docs/tokens.md is made from the filters.
#[test]
fn the_table_of_filters_is_up_to_date() {
    let page = document("docs/tokens.md");
    let begin = page.find("| filter | ").expect("a table of filters");
    let end = begin + page[begin..].find("\n\n").expect("the end of the table") + 1;
    let made = format!("{}{}{}", &page[..begin], latchkey::tokens::filters_reference(), &page[end..]);
    if std::env::var_os("LATCHKEY_BLESS").is_some() {
        std::fs::write(Path::new(ROOT).join("docs/tokens.md"), &made).unwrap();
    }
    assert!(document("docs/tokens.md") == made, "docs/tokens.md is out of date: run this test with LATCHKEY_BLESS=1");
}

/// The commands that the pages show outside of the guides, and the flags in the tables, are parts of the command line and
/// of the Makefile; what they do is tried in `command_line` and `serving`.
#[test]
fn the_readme_names_what_exists() {
    let (pages, makefile) = (pages(), document("Makefile"));
    let mut seen = 0;
    let made = Regex::new(r"(?m)(?:`|^ {4}|\(|[A-Z] )make (?:--silent )?([a-z-]+)").unwrap();
    for made in pages.iter().flat_map(|(_, page)| made.captures_iter(page)) {
        assert!(makefile.contains(&format!("\n{}: ", &made[1])), "there is no `make {}`", &made[1]);
        seen += 1;
    }
    assert!(seen >= 12, "only {seen} targets are named");

    let lines = pages.iter().flat_map(|(_, page)| page.lines().filter_map(|line| line.strip_prefix("    latchkey ")));
    let mut seen = 0;
    for line in lines {
        let command = line.split_once(" #").map_or(line, |(command, _)| command);
        let mut parts = latchkey();
        parts.args(command.split_whitespace()).arg("--help");
        assert!(run(&mut parts).status.success(), "there is no `latchkey {command}`");
        seen += 1;
    }
    assert!(seen >= 7, "only {seen} commands are shown");
    let configuration = document("docs/configuration.md");
    for row in configuration.lines().filter(|line| line.starts_with("| `--")) {
        let cells: Vec<&str> = row.split(" | ").map(|cell| cell.trim_matches(['|', ' ', '`'])).collect();
        let (flag, variable) = (cells[0].split_whitespace().next().unwrap(), cells[1]);
        let of = match *cells.last().unwrap() {
            of if of.starts_with("user create") => &["user", "create"][..],
            of if of.starts_with("keys rotate") => &["keys", "rotate"],
            "audit" => &["audit"],
            _ => &["serve"],
        };
        let help = run(latchkey().args(of).arg("--help")).stdout;
        let help = String::from_utf8(help).unwrap();
        assert!(help.contains(flag) && help.contains(variable), "{flag} {variable}: {help}");
    }
    let link = Regex::new(r"\]\(([A-Za-z./_-]+)(?:#[a-z-]+)?\)").unwrap();
    for (folder, page) in &pages {
        for file in link.captures_iter(page) {
            assert!(folder.join(&file[1]).exists(), "there is no {}", &file[1]);
        }
    }
    let leaked: Vec<String> = pages.iter().flat_map(|(_, page)| leaks::look(page, "the documentation")).collect();
    assert!(leaked.is_empty(), "{leaked:?}");
}
