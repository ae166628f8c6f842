//! `docs/coming-from.md`: each line of its tables says what another system's word is here, and proves it by a request.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use regex::Regex;
use serde_json::{Value, json};

use crate::support::app::{Acme, resource};
use crate::support::client::Answer;

/// A line of a table: who asks for what, and what must come of it.
struct Line {
    there: String,
    by: Option<String>,
    method: String,
    path: String,
    sends: Option<String>,
    status: u16,
    is: Option<(String, String)>,
}

/// The tables of the page, each with its title.
fn tables() -> Vec<(String, Vec<Line>)> {
    let page = std::fs::read_to_string(root().join("docs/coming-from.md")).unwrap();
    let request = Regex::new(
        r"^(?:by `([^`]+)`: )?`([A-Z]+) ([^`]+)`(?: `([{@][^`]*)`)? → (\d{3})(?:, `([^`]+)` is `([^`]+)`)?$",
    )
    .unwrap();
    let mut tables: Vec<(String, Vec<Line>)> = vec![];
    for line in page.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            tables.push((title.to_owned(), vec![]));
        }
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [there, _, asked] = cells.as_slice() else { continue };
        if !line.starts_with("| ") || *there == "there" || there.starts_with("---") {
            continue;
        }
        let found = request.captures(asked).unwrap_or_else(|| panic!("no request in {line}"));
        let text = |nth: usize| found.get(nth).map(|part| part.as_str().to_owned());
        let parsed = Line {
            there: (*there).to_owned(),
            by: text(1),
            method: text(2).unwrap(),
            path: text(3).unwrap(),
            sends: text(4),
            status: text(5).unwrap().parse().unwrap(),
            is: text(6).zip(text(7)),
        };
        tables.last_mut().unwrap().1.push(parsed);
    }
    tables
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Sends the request of a line, in a world of its own.
fn asked(line: &Line) -> (Answer, Vec<(&'static str, String)>) {
    let scene = Acme::new();
    let client = &scene.ada.client;
    let workspace = scene.ada.workspace("acme", "prod");
    let tokens = format!("/api/v2/workspaces/{workspace}/authentication-tokens");
    let of_workspace =
        |role: &str| client.post(&tokens, &resource("authentication-tokens", json!({ "role": role }))).expect(201);
    let token = scene.ada.described_token(&scene.team, json!({"description": "mine"}));
    let secret = token.secret();
    let sibling = of_workspace("viewer");
    assert!(!sibling.secret().is_empty());
    let mut names = vec![
        ("{team}", scene.team.clone()),
        ("{workspace}", workspace.clone()),
        ("{token}", token.id()),
        ("{sibling}", sibling.id()),
        ("{prefix}", secret[..10].to_owned()),
    ];
    // With a token of its own, which other lines do not count.
    if line.path.contains("{account}") {
        names.push(("{account}", scene.ada.service_account("acme", "bot").id));
    }
    // One that ends and was used, which other lines do not count either.
    if line.is.as_ref().is_some_and(|(_, value)| value.contains("{used}")) || line.path.contains("sort=") {
        let used = json!({"description": "used", "expired-at": "2099-04-06T12:00:00Z"});
        let used = scene.ada.described_token(&scene.team, used);
        assert!(!used.secret().is_empty());
        scene.app.sql("UPDATE tokens SET last_used_at = now() WHERE description = 'used'");
        names.push(("{used}", used.id()));
    }
    let path = names.iter().fold(line.path.clone(), |path, (name, id)| path.replace(name, id));
    let path = format!("/api/v2/{path}");
    let kind = match path.split('?').next().unwrap().split('/').collect::<Vec<_>>().as_slice() {
        [.., "abilities"] => "abilities",
        [.., "workspaces", _] => "workspaces",
        [.., "teams", _] => "teams",
        _ => "authentication-tokens",
    };
    let body = line.sends.as_ref().map(|sends| match sends.strip_prefix('@') {
        Some(file) => std::fs::read_to_string(root().join(file)).unwrap(),
        None => resource(kind, serde_json::from_str(sends).unwrap()).to_string(),
    });
    let caller = match line.by.as_deref() {
        None => scene.app.with(client.secret()),
        Some("site admin") => scene.app.site_admin("root").client,
        Some("password") => scene.app.anonymous(),
        Some(role) => scene.app.with(&of_workspace(role).secret()),
    };
    let basic = format!("Basic {}", STANDARD.encode(format!("anybody:{secret}")));
    let mut headers = vec![];
    if body.is_some() {
        headers.push(("Content-Type", "application/vnd.api+json"));
    }
    if line.by.as_deref() == Some("password") {
        headers.push(("Authorization", basic.as_str()));
    }
    (caller.send(&line.method, &path, &headers, body.as_deref().map(str::as_bytes)), names)
}

/// Each line's request is answered as it says.
fn hold(title: &str) {
    let (_, lines) = tables().into_iter().find(|(known, _)| known == title).unwrap();
    assert!(lines.len() >= 10, "{title}");
    for line in &lines {
        let (answer, names) = asked(line);
        let what = format!("{title}, {}: {} {}", line.there, line.method, line.path);
        assert_eq!(answer.status, line.status, "{what}: {:#}", answer.body);
        if answer.status == 201 {
            // Told once; the leak search knows it from here on.
            assert!(!answer.secret().is_empty());
        }
        let Some((name, value)) = &line.is else {
            assert!(![200, 201].contains(&line.status), "{what}: nothing proves that the answer is the one meant");
            continue;
        };
        let value = names.iter().fold(value.clone(), |value, (name, id)| value.replace(name, id));
        let expected: Value = serde_json::from_str(&value).unwrap();
        let pointer = if name.starts_with('/') { name.clone() } else { format!("/data/attributes/{name}") };
        // What is not there is not null.
        assert_eq!(answer.body.pointer(&pointer), Some(&expected), "{what}: {:#}", answer.body);
    }
}

#[test]
fn from_workspace_tokens_of_an_integration_service() {
    hold("Workspace tokens of an integration service");
}

#[test]
fn from_team_tokens_of_hcp_terraform() {
    hold("Team tokens of HCP Terraform");
}

#[test]
fn from_a_list_of_tokens_with_filters() {
    hold("A list of API tokens with filters");
}

#[test]
fn from_access_tokens_with_roles() {
    hold("Access tokens with roles");
}

#[test]
fn from_api_tokens_of_a_product() {
    hold("API tokens of a product, on cards");
}

#[test]
fn every_table_of_the_page_is_tried() {
    let titles: Vec<String> = tables().into_iter().map(|(title, _)| title).collect();
    assert_eq!(
        titles,
        [
            "Workspace tokens of an integration service",
            "Team tokens of HCP Terraform",
            "A list of API tokens with filters",
            "Access tokens with roles",
            "API tokens of a product, on cards",
        ]
    );
}
