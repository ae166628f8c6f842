//! The rooms of `src/` use those below them, as docs/architecture.md lists them, and none above.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

#[test]
fn no_room_uses_one_above_it() {
    let rooms = listed();
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = rust_files(&src);
    let floor = |room: &str| {
        rooms.iter().position(|known| known == room).unwrap_or_else(|| panic!("docs/architecture.md has no {room}"))
    };
    let mut seen = BTreeSet::new();
    let mut upward = vec![];
    for file in &files {
        let inside = file.strip_prefix(&src).unwrap();
        let room = inside.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs").to_owned();
        if room == "lib" {
            continue;
        }
        let own = floor(&room);
        seen.insert(room);
        for used in imports(&fs::read_to_string(file).unwrap()) {
            if floor(&used) < own {
                upward.push(format!("{} uses {used}", inside.display()));
            }
        }
    }
    assert_eq!(upward, Vec::<String>::new());
    let listed: BTreeSet<String> = rooms.into_iter().collect();
    assert_eq!(seen, listed, "docs/architecture.md lists each room");
}

#[test]
fn imports_are_read_however_they_are_written() {
    let code = "use crate::{access, teams::{self, Team}};\nfn a() { crate::users::any() }\nuse crate::ids::TeamId;";
    assert_eq!(imports(code), ["access", "ids", "teams", "users"].map(str::to_owned).into());
}

/// The rooms of docs/architecture.md, from the top.
fn listed() -> Vec<String> {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/architecture.md")).unwrap();
    let line = Regex::new(r"(?m)^    ([a-z_]+)  +\S").unwrap();
    line.captures_iter(&page).map(|found| found[1].to_owned()).collect()
}

/// The rooms that a file names after `crate::`.
fn imports(code: &str) -> BTreeSet<String> {
    let one = Regex::new(r"\bcrate::([a-z_]+)").unwrap();
    let mut found: BTreeSet<String> = one.captures_iter(code).map(|found| found[1].to_owned()).collect();
    for (start, opening) in code.match_indices("crate::{") {
        let mut depth = 0;
        let mut name = String::new();
        for letter in code[start + opening.len()..].chars().chain(['}']) {
            match letter {
                '{' => depth += 1,
                '}' if depth > 0 => depth -= 1,
                ',' | '}' => {
                    if depth == 0 {
                        found.insert(name.trim().split("::").next().unwrap().to_owned());
                        name.clear();
                    }
                    if letter == '}' {
                        break;
                    }
                }
                _ if depth == 0 => name.push(letter),
                _ => {}
            }
        }
    }
    found.remove("");
    found
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = vec![];
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.join("Cargo.toml").exists() {
            files.extend(rust_files(&path));
        } else if path.is_dir() {
            files.push(path.join("lib.rs"));
        } else if path.extension().is_some_and(|end| end == "rs") {
            files.push(path);
        }
    }
    files
}
