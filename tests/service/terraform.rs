//! `terraform` with the `tfe` provider, over TLS: what people keep in Latchkey with it, from nothing to nothing
//! (`tests/clients/terraform/`), what it prints when they are mistaken, and the guide, docs/terraform.md. No registry that the
//! tests reach has the provider, so that it is tried where it is installed: named by `LATCHKEY_TFE_PROVIDER`, or where terraform
//! looks for providers.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Instant;

use chrono::{SecondsFormat, Utc};
use diesel::sql_types::BigInt;
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl};
use regex::Regex;
use serde_json::{Value, json};

use crate::support::authority::Authority;
use crate::support::process::{Folder, Served, admin_secret, latchkey, private_database, run};
use crate::support::{leaks, say};

/// The binary of the provider, if there is one and terraform is there.
fn provider() -> Option<PathBuf> {
    let terraform = Command::new("terraform").arg("version").output().is_ok_and(|output| output.status.success());
    let named = std::env::var_os("LATCHKEY_TFE_PROVIDER").map(PathBuf::from);
    let home = std::env::home_dir().unwrap_or_default().join(".terraform.d/plugins");
    let installed = [home, "/usr/local/share/terraform/plugins".into(), "/usr/share/terraform/plugins".into()];
    let found = named.or_else(|| installed.iter().find_map(|folder| within(folder)));
    if terraform && found.is_some() {
        return found;
    }
    let lack = if terraform { "terraform's tfe provider" } else { "terraform" };
    say(&format!("\n*** SKIPPED: {lack} is not installed: terraform is not tried ***\n"));
    None
}

/// The newest provider below a folder of plugins.
fn within(plugins: &Path) -> Option<PathBuf> {
    let named = |file: &PathBuf| file.file_name().is_some_and(|name| name.to_string_lossy().starts_with(PROGRAM));
    files_below(&plugins.join(SOURCE)).into_iter().filter(named).max()
}

const PROGRAM: &str = "terraform-provider-tfe";
const SETTINGS: &str = "settings.tfrc";
const SOURCE: &str = "registry.terraform.io/hashicorp/tfe";

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

/// A service with a certificate, and folders with configurations that terraform applies to it.
struct Scene {
    service: Served,
    secret: String,
    data: Folder,
    began: String,
}

impl Scene {
    fn set() -> Self {
        let (authority, data) = (Authority::new(), Folder::new());
        let (chain, key) = authority.issue();
        let place = data.parent().unwrap();
        for (name, text) in [("authority.pem", &authority.pem), ("certificate.pem", &chain), ("key.pem", &key)] {
            std::fs::write(place.join(name), text).unwrap();
        }
        let mut command = latchkey();
        command.arg("--data-dir").arg(&*data);
        command.arg("--tls-certificate").arg(place.join("certificate.pem")).arg("--tls-key").arg(place.join("key.pem"));
        let service = Served::spawn(&mut command);
        let secret = admin_secret(&data);
        let began = Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true);
        Self { service, secret, data, began }
    }

    /// Puts the provider where terraform finds it without a registry.
    fn with(self, provider: &Path) -> Self {
        let mirror = self.place("mirror");
        let platform = match std::env::consts::ARCH {
            "aarch64" => "linux_arm64",
            _ => "linux_amd64",
        };
        let folder = mirror.join(SOURCE).join("0.0.1").join(platform);
        std::fs::create_dir_all(&folder).unwrap();
        std::os::unix::fs::symlink(provider, folder.join(format!("{PROGRAM}_v0.0.1"))).unwrap();
        let only = format!("provider_installation {{\n  filesystem_mirror {{\n    path = {mirror:?}\n  }}\n}}\n");
        std::fs::write(self.place(SETTINGS), only).unwrap();
        self
    }

    fn place(&self, name: &str) -> PathBuf {
        self.data.parent().unwrap().join(name)
    }

    /// What a program needs to know of the service.
    fn tell(&self, program: &mut Command) {
        program.env("TF_CLI_CONFIG_FILE", self.place(SETTINGS));
        program.env("SSL_CERT_FILE", self.place("authority.pem"));
        program.env("CURL_CA_BUNDLE", self.place("authority.pem"));
        program.env("TFE_HOSTNAME", format!("localhost:{}", self.service.address.port()));
        program.env("TFE_TOKEN", &self.secret).env("TF_VAR_now", &self.began);
        program.envs([("TF_IN_AUTOMATION", "1"), ("TF_INPUT", "0"), ("CHECKPOINT_DISABLE", "1"), ("no_proxy", "*")]);
    }

    /// A folder with a configuration of `tests/clients/terraform`.
    fn folder(&self, name: &str, configuration: &str) -> Configured<'_> {
        let folder = self.place(name);
        std::fs::create_dir(&folder).unwrap();
        let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/terraform").join(configuration);
        std::fs::copy(ours, folder.join("main.tf")).unwrap();
        let configured = Configured { scene: self, folder };
        configured.well(&["init"], false);
        configured
    }

    /// How many requests were answered so.
    fn answered(&self, status: &str) -> usize {
        let line = Regex::new(&format!(" → {status} in ")).unwrap();
        line.find_iter(&self.service.logged()).count()
    }

    /// How much of what belongs to organizations is left in the database.
    fn left(&self) -> i64 {
        #[derive(QueryableByName)]
        struct Left {
            #[diesel(sql_type = BigInt)]
            count: i64,
        }
        let views = ["organizations", "projects", "teams", "workspaces"].map(|view| format!("SELECT FROM {view}"));
        let tokens = "SELECT FROM tokens WHERE revoked_at IS NULL AND user_id IS NULL".to_owned();
        let all = [&views[..], &[tokens]].concat().join(" UNION ALL ");
        let mut connection = PgConnection::establish(&private_database(&self.data)).unwrap();
        let counted: Left =
            diesel::sql_query(format!("SELECT count(*) FROM ({all}) AS found")).get_result(&mut connection).unwrap();
        counted.count
    }
}

/// A folder in which terraform runs.
struct Configured<'a> {
    scene: &'a Scene,
    folder: PathBuf,
}

impl Configured<'_> {
    fn run(&self, arguments: &[&str], changed: bool) -> Output {
        let mut terraform = Command::new("terraform");
        terraform.args(arguments).arg("-no-color").current_dir(&self.folder);
        self.scene.tell(&mut terraform);
        run(terraform.env("TF_VAR_changed", changed.to_string()))
    }

    /// Runs terraform, which must end well, and answers what it said.
    #[track_caller]
    fn well(&self, arguments: &[&str], changed: bool) -> String {
        let output = self.run(arguments, changed);
        assert!(output.status.success(), "{arguments:?}:\n{}", said(&output));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Makes it so, and sees that there is nothing left to do.
    #[track_caller]
    fn apply(&self, parallelism: &str, changed: bool) -> String {
        let applied = self.well(&["apply", "-auto-approve", parallelism], changed);
        let again = self.run(&["plan", "-detailed-exitcode", parallelism], changed);
        assert_eq!(again.status.code(), Some(0), "it is not as it was configured:\n{}", said(&again));
        let outcome = Regex::new(r"Apply complete! Resources: (.*)\.").unwrap();
        outcome.captures(&applied).expect(&applied)[1].to_owned()
    }

    /// What it keeps.
    fn state(&self) -> Vec<Value> {
        let shown: Value = serde_json::from_str(&self.well(&["show", "-json"], true)).unwrap();
        let all = shown.pointer("/values/root_module/resources").and_then(Value::as_array).unwrap().clone();
        all.into_iter().filter(|resource| resource["mode"] == "managed").collect()
    }
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// By what a resource is imported, as the provider's documentation tells.
fn import_id(resource: &Value) -> String {
    let value = |name: &str| resource["values"][name].as_str().unwrap_or_default().to_owned();
    match resource["type"].as_str().unwrap() {
        "tfe_organization_token"
        | "tfe_audit_trail_token"
        | "tfe_organization_default_settings"
        | "tfe_org_max_token_ttl_policy" => value("organization"),
        "tfe_team" => format!("{}/{}", value("organization"), value("id")),
        "tfe_organization_membership" => format!("{}/{}", value("organization"), value("email")),
        "tfe_team_organization_member" => format!("{}/{}", value("team_id"), value("organization_membership_id")),
        "tfe_team_organization_members" => value("team_id"),
        "tfe_team_access" => {
            // By the workspace's name, which has the number of the access in it.
            let number = resource["index"].as_u64().unwrap() + if resource["name"] == "custom" { 20 } else { 0 };
            format!("acme/workspace-{number:02}-changed/{}", value("id"))
        }
        _ => value("id"),
    }
}

/// Plan, apply, nothing to change, change all, import all, destroy all.
fn live(parallelism: &str) {
    let Some(provider) = provider() else { return };
    let scene = Scene::set().with(&provider);
    let first = scene.folder("first", "main.tf");
    let parallelism = format!("-parallelism={parallelism}");
    let mut times = vec![];
    let mut timed = |what: &str, work: &dyn Fn() -> String| {
        let began = Instant::now();
        let outcome = work();
        times.push(format!("{what} {:.1} s ({outcome})", began.elapsed().as_secs_f32()));
    };
    timed("make", &|| first.apply(&parallelism, false));
    timed("change", &|| first.apply(&parallelism, true));

    let kept = first.state();
    let second = scene.folder("second", "main.tf");
    let imports = kept.iter().map(|resource| json!({"to": resource["address"], "id": import_id(resource)}));
    let imports = json!({"import": imports.collect::<Vec<_>>()});
    std::fs::write(second.folder.join("imports.tf.json"), imports.to_string()).unwrap();
    timed("import", &|| {
        let outcome = second.apply(&parallelism, true);
        // The provider itself has some settings that no service tells it of, and so changes what it imports.
        assert!(outcome.starts_with(&format!("{} imported, 0 added", kept.len())), "{outcome}");
        assert!(outcome.ends_with(" 0 destroyed"), "{outcome}");
        outcome
    });
    assert_eq!(second.state().len(), kept.len());

    timed("destroy", &|| {
        let destroyed = first.well(&["destroy", "-auto-approve", &parallelism], true);
        destroyed.lines().last().unwrap_or_default().to_owned()
    });
    assert_eq!(scene.left(), 0);
    assert_eq!(scene.answered("5.."), 0, "{}", scene.service.logged());
    assert_eq!(scene.answered("409"), 0, "{}", scene.service.logged());
    say(&format!("terraform {parallelism}: {}", times.join(", ")));
    assert!(scene.service.stop());
}

#[test]
fn ten_at_once_make_change_import_and_destroy_all() {
    live("10");
}

#[test]
fn fifty_at_once_make_change_import_and_destroy_all() {
    live("50");
}

/// What terraform must print of each resource in `mistakes.tf`. Where it is only a status, the provider prints nothing else,
/// whatever a service says.
const MISTAKES: &[(&str, &str)] = &[
    ("tfe_organization.taken", "Name has already been taken"),
    ("tfe_project.taken", "422 Unprocessable Entity"),
    ("tfe_team.taken", "422 Unprocessable Entity"),
    ("tfe_team_token.taken", "Description has already been taken"),
    ("tfe_workspace.taken", "Name has already been taken"),
    (
        "tfe_organization_membership.taken",
        "Email has already been taken: this user is a member of the organization or invited to it",
    ),
    ("tfe_team_access.taken", "422 Unprocessable Entity"),
    ("tfe_team_project_access.taken", "422 Unprocessable Entity"),
    ("tfe_organization_token.taken", "a token already exists for organization: acme"),
    ("tfe_project.refused", "404 Not Found"),
    ("tfe_team.refused", "404 Not Found"),
    ("tfe_workspace.refused", "resource not found"),
    ("tfe_organization_membership.refused", "resource not found"),
    ("tfe_team_organization_member.refused", "403 Forbidden"),
    ("tfe_team_access.refused", "404 Not Found"),
    ("tfe_team_project_access.refused", "404 Not Found"),
    ("tfe_team_token.refused", "resource not found, team does not exist"),
    ("tfe_organization_token.refused", "403 Forbidden"),
    ("tfe_audit_trail_token.refused", "403 Forbidden"),
    ("tfe_org_max_token_ttl_policy.refused", "403 Forbidden"),
    ("tfe_organization_default_settings.refused", "403 Forbidden"),
    ("tfe_project.missing", "404 Not Found"),
    ("tfe_team.missing", "404 Not Found"),
    ("tfe_workspace.missing", "resource not found"),
    ("tfe_organization_membership.missing", "resource not found"),
    ("tfe_team_organization_member.missing", "404 Not Found"),
    ("tfe_team_access.missing", "404 Not Found"),
    ("tfe_team_project_access.missing", "404 Not Found"),
    ("tfe_team_token.missing", "resource not found, team does not exist"),
    ("tfe_organization_token.missing", "404 Not Found"),
    ("tfe_audit_trail_token.missing", "404 Not Found"),
    ("tfe_org_max_token_ttl_policy.missing", "404 Not Found"),
    ("tfe_organization_default_settings.missing", "404 Not Found"),
];

#[test]
fn what_terraform_prints_of_mistakes_is_in_the_guide() {
    let Some(provider) = provider() else { return };
    let scene = Scene::set().with(&provider);
    let mistaken = scene.folder("mistaken", "mistakes.tf");
    let output = mistaken.run(&["apply", "-auto-approve"], false);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let words = String::from_utf8_lossy(&output.stderr).split_whitespace().collect::<Vec<_>>().join(" ");
    let place = Regex::new(r" with (tfe_[a-z_.]+), on ").unwrap();
    let faults =
        words.split("Error: ").filter_map(|fault| Some((place.captures(fault)?[1].to_owned(), fault.to_owned())));
    let faults: BTreeMap<String, String> = faults.collect();
    let expected: BTreeMap<String, &str> = MISTAKES.iter().map(|(place, text)| ((*place).to_owned(), *text)).collect();
    assert_eq!(faults.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "{}", said(&output));
    let guide = guide();
    let printed = Regex::new(r"(?m)^\| (`[^|]+`) \|").unwrap();
    let told: Vec<String> = printed.captures_iter(&guide).map(|row| row[1].replace('`', "")).collect();
    let told: Vec<&str> = told.iter().flat_map(|row| row.split(", ")).collect();
    for (place, fault) in &faults {
        assert!(fault.contains(expected[place]), "{place}: {fault}");
        assert!(told.iter().any(|words| fault.contains(words)), "the guide does not tell of {place}: {fault}");
    }
}

fn guide() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/terraform.md")).unwrap()
}

/// The blocks of the guide that are marked so, one after the other.
fn blocks(mark: &str) -> String {
    let fenced = Regex::new(&format!("(?ms)^```{mark}\n(.*?)^```$")).unwrap();
    fenced.captures_iter(&guide()).map(|block| block[1].to_owned()).collect()
}

#[test]
fn the_guide_to_terraform_works_as_it_stands() {
    let scene = Scene::set();
    let provider = provider();
    let scene = match &provider {
        Some(provider) => scene.with(provider),
        None => scene,
    };
    let folder = scene.place("guide");
    std::fs::create_dir(&folder).unwrap();
    let commands = blocks("sh") + &provider.map(|_| blocks("terraform")).unwrap_or_default();
    let mut shell = Command::new("sh");
    shell.args(["-eu", "-c", &commands]).current_dir(&folder);
    scene.tell(&mut shell);
    let output = run(&mut shell);
    let said = said(&output);
    leaks::remember(&said);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("tfe.v2"), "{said}");
    assert!(said.contains(r#""name":"owners""#), "{said}");
    if commands.contains("terraform destroy") {
        assert!(said.contains("No changes."), "{said}");
        assert!(said.contains("Destroy complete!"), "{said}");
    }
    assert!(scene.service.stop());
}
