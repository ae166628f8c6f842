//! Finds PostgreSQL's server programs on the machine, and says how to install
//! them where they are missing. Distributions keep them out of `PATH`, each in
//! its own place.

use std::cmp::Reverse;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use nix::unistd::geteuid;

use super::Error;
use super::account::Account;

/// The oldest major version that Latchkey supports (docs/design.md §6).
const OLDEST: u32 = 13;

/// The programs that must lie together in one folder.
const PROGRAMS: [&str; 3] = ["initdb", "pg_ctl", "postgres"];

/// Where packages put them: a folder, how a name in it begins, and what follows.
const PACKAGE_FOLDERS: [(&str, &str, &str); 7] = [
    ("/usr/lib/postgresql", "", "bin"),
    ("/usr", "pgsql-", "bin"),
    ("/usr/local", "pgsql", "bin"),
    ("/usr/lib", "postgresql", "bin"),
    ("/usr/libexec", "postgresql", ""),
    ("/opt/homebrew/opt", "postgresql", "bin"),
    ("/usr/local/opt", "postgresql", "bin"),
];

/// A folder with `initdb`, `pg_ctl` and `postgres` of one version.
#[derive(Debug, Clone)]
pub(super) struct Binaries {
    folder: PathBuf,
}

impl Binaries {
    /// Finds the programs: of the major version that made the cluster in `data`
    /// if there is one, else the first that is new enough.
    pub(super) fn find(data: &Path, account: &Account) -> Result<Binaries, Error> {
        let wanted = account.read(&data.join("PG_VERSION")).ok().and_then(|text| text.trim().parse().ok());
        let Some(folder) = env::var_os("LATCHKEY_POSTGRES_BIN").map(PathBuf::from) else {
            return choose(candidates(), wanted, data);
        };
        match version(&folder) {
            Some(_) => choose([folder], wanted, data),
            None => Err(Error::NotABinaryFolder { folder }),
        }
    }

    pub(super) fn initdb(&self) -> PathBuf {
        self.folder.join("initdb")
    }

    pub(super) fn pg_ctl(&self) -> PathBuf {
        self.folder.join("pg_ctl")
    }

    pub(super) fn postgres(&self) -> PathBuf {
        self.folder.join("postgres")
    }
}

/// The first of the folders whose version will do.
fn choose(folders: impl IntoIterator<Item = PathBuf>, wanted: Option<u32>, data: &Path) -> Result<Binaries, Error> {
    let mut found: Vec<u32> = Vec::new();
    for folder in folders {
        let Some(major) = version(&folder) else {
            continue;
        };
        if wanted.map_or(major >= OLDEST, |wanted| major == wanted) {
            return Ok(Binaries { folder });
        }
        if !found.contains(&major) {
            found.push(major);
        }
    }
    let names: Vec<String> = found.iter().map(u32::to_string).collect();
    let found = (!names.is_empty()).then(|| names.join(", "));
    Err(match (wanted, found) {
        (Some(wanted), Some(found)) => Error::OtherVersion { data: data.to_owned(), wanted, found },
        (_, too_old) => Error::NotInstalled { too_old, install: install_command() },
    })
}

/// The folders to look into, best first. Lazy, because the first mostly does.
fn candidates() -> impl Iterator<Item = PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let on_path: Vec<PathBuf> = env::split_paths(&path).filter(|folder| folder.is_absolute()).collect();
    on_path
        .into_iter()
        .chain(std::iter::once_with(folder_of_pg_config).flatten())
        .chain(PACKAGE_FOLDERS.into_iter().flat_map(package_folders))
}

fn folder_of_pg_config() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(PathBuf::from(text.trim_end()))
}

/// What fits one line of [`PACKAGE_FOLDERS`], the highest version first.
fn package_folders((parent, start, rest): (&str, &str, &str)) -> Vec<PathBuf> {
    let mut names: Vec<String> = fs::read_dir(parent)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.starts_with(start))
        .collect();
    names.sort_by_key(|name| Reverse(leading_number(name.trim_start_matches(|c: char| !c.is_ascii_digit()))));
    names.into_iter().map(|name| Path::new(parent).join(name).join(rest)).collect()
}

/// The major version of a folder's programs, if all of them are there.
fn version(folder: &Path) -> Option<u32> {
    if !PROGRAMS.iter().all(|program| folder.join(program).is_file()) {
        return None;
    }
    let output = Command::new(folder.join("postgres")).arg("--version").output().ok()?;
    // "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"
    String::from_utf8_lossy(&output.stdout).split_whitespace().find_map(leading_number)
}

fn leading_number(text: &str) -> Option<u32> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.get(..end)?.parse().ok()
}

/// The one command that installs PostgreSQL on this machine.
fn install_command() -> String {
    if cfg!(target_os = "macos") {
        return "brew install postgresql".to_owned();
    }
    let os_release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let command = package_command(&os_release);
    if geteuid().is_root() { command.to_owned() } else { format!("sudo {command}") }
}

/// The package manager's command, by `ID` and `ID_LIKE` of os-release(5).
fn package_command(os_release: &str) -> &'static str {
    let value_of = |key: &str| {
        os_release
            .lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
            .unwrap_or_default()
            .trim_matches('"')
    };
    let families = [value_of("ID"), value_of("ID_LIKE")].join(" ");
    families
        .split_whitespace()
        .find_map(|family| match family {
            "debian" | "ubuntu" => Some("apt-get install --yes postgresql"),
            "fedora" | "rhel" | "centos" | "amzn" => Some("dnf install postgresql-server"),
            "alpine" => Some("apk add postgresql"),
            "arch" => Some("pacman -S postgresql"),
            "suse" | "opensuse" | "sles" => Some("zypper install postgresql-server"),
            _ => None,
        })
        .unwrap_or("apt-get install --yes postgresql")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// A folder whose `postgres` claims to be of this version.
    fn pretend(parent: &Path, version: &str) -> PathBuf {
        let folder = parent.join(version);
        fs::create_dir(&folder).unwrap();
        for program in PROGRAMS {
            let path = folder.join(program);
            let script = format!("#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\n");
            fs::write(&path, script).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        folder
    }

    #[test]
    fn the_version_that_made_the_data_is_preferred_and_named_when_missing() {
        let parent = tempfile::tempdir().unwrap();
        let data = Path::new("/srv/latchkey/postgres");
        let folders = ["12.4", "17beta1", "15.2"].map(|version| pretend(parent.path(), version));
        let chosen = |wanted| choose(folders.clone(), wanted, data).map(|found| found.folder);
        assert_eq!(chosen(None).unwrap(), folders[1]);
        assert_eq!(chosen(Some(15)).unwrap(), folders[2]);
        assert_eq!(
            chosen(Some(14)).unwrap_err().to_string(),
            "the data in /srv/latchkey/postgres is of PostgreSQL 14, but only 12, 17, 15 is \
             installed here; install PostgreSQL 14 again, or convert the data with pg_upgrade"
        );
    }

    #[test]
    fn what_is_missing_is_named_with_the_command_that_installs_it() {
        let parent = tempfile::tempdir().unwrap();
        let data = Path::new("/srv/latchkey/postgres");
        let none = choose([], None, data).unwrap_err().to_string();
        assert!(none.starts_with("no PostgreSQL is installed here; install PostgreSQL with `"));
        let old = choose([pretend(parent.path(), "9.6.24")], None, data).unwrap_err();
        assert!(old.to_string().contains("13 or later, but only 9 is installed"));
    }

    #[test]
    fn the_install_command_follows_the_distribution() {
        let cases = [
            ("ID=debian\n", "apt-get install --yes postgresql"),
            ("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n", "apt-get install --yes postgresql"),
            ("ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n", "dnf install postgresql-server"),
            ("NAME=x\nID=alpine\n", "apk add postgresql"),
            ("ID=\"opensuse-leap\"\nID_LIKE=\"suse opensuse\"\n", "zypper install postgresql-server"),
            ("ID=arch\n", "pacman -S postgresql"),
        ];
        for (os_release, command) in cases {
            assert_eq!(package_command(os_release), command);
        }
    }

    #[test]
    fn this_machine_has_the_programs() {
        let account = Account::owner(&fs::metadata("/").unwrap());
        let binaries = Binaries::find(Path::new("/nonexistent"), &account).unwrap();
        assert!(binaries.postgres().is_file());
    }
}
