//! Published clients against a real service: each tells its story (`tests/clients/`) and checks every answer.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::serving::Folder;
use crate::support::process::{Served, admin_secret, require, run};

tests![go_tfe_tells_its_story, pytfe_tells_its_story];

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
    let output = run(client);
    let said = said(&output);
    let last = said.lines().rev().find(|line| line.contains(" passed, ")).unwrap_or_default();
    assert!(output.status.success() && last.ends_with(" passed, 0 failed"), "{story}:\n{said}");
    assert!(!last.starts_with("0 "), "{story} checked nothing:\n{said}");
    println!("{story}: {last}");
    assert!(service.stop());
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn go_tfe_tells_its_story() {
    if require(works("go", &["version"]), "Go is not installed: the client go-tfe is not tried") {
        tell("go-tfe", Command::new("go").args(["run", "."]).current_dir(clients("go")));
    }
}

fn pytfe_tells_its_story() {
    let python = works("python3", &["-c", "import ensurepip, venv"]);
    if require(python, "Python 3 with venv is not installed: the client pytfe is not tried") {
        tell("pytfe", Command::new(environment()).arg("pytfe_story.py").current_dir(clients("python")));
    }
}

/// The Python of an environment with pytfe in it, made under `target/` the first time.
fn environment() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pytfe");
    let (python, wanted) = (folder.join("bin/python"), clients("python").join("requirements.txt"));
    // Written last, so that an environment that was not finished is made again.
    let installed = folder.join("requirements.txt");
    let read = |file: &Path| std::fs::read(file).ok();
    if read(&installed) != read(&wanted) || !works(&python.to_string_lossy(), &["-c", "import pytfe"]) {
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
