//! The description of the API: it tells of every route and parameter that there is, and of no other; what it says of
//! documents is true; people can read it without any network but the service.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use regex::Regex;
use serde_json::{Value, json};

use crate::support::App;
use crate::support::everything::Everything;
use crate::support::routes::{Route, description, routes};

#[test]
fn every_route_is_described_and_no_other() {
    let app = App::start();
    let described = routes(&description(&app));
    let mut paths: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for route in &described {
        paths.entry(&route.path).or_default().insert(&route.method);
    }
    assert!(paths.len() > 40);
    for (path, mut methods) in paths {
        if methods.contains("GET") {
            methods.insert("HEAD");
        }
        let answer = app.anonymous().send("PUT", path, &[], None).expect(405);
        let allow = answer.header("Allow").unwrap_or_default();
        assert_eq!(allow.split(", ").collect::<BTreeSet<_>>(), methods, "{path}");
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Whatever an error says of a parameter that the endpoint does not know.
const UNKNOWN: [&str; 3] =
    ["This endpoint knows no parameter", "is not supported here", "No resource of this type can be in the answer"];

/// Sends every parameter that any route has to each route: what is not described must be unknown, the rest not.
#[test]
fn every_parameter_is_described_and_no_other() {
    let world = Everything::new();
    let routes = routes(&description(&world.app));
    let all: BTreeSet<String> = routes.iter().flat_map(Route::query_names).collect();
    // Always one that no route knows, so that no request is carried out.
    let query: Vec<String> =
        all.iter().map(String::as_str).chain(["nonsense"]).map(|name| format!("{name}=x")).collect();
    let mut tried = 0;
    for route in &routes {
        let name = route.name();
        let described: BTreeSet<String> = route.query_names().collect();
        let strict = route.operation["responses"].get("400").is_some();
        assert!(strict || described.is_empty(), "{name}");
        if !strict {
            continue;
        }
        let target = format!("{}?{}", world.path(&route.path), query.join("&"));
        let answer = world.client(route).send(&route.method, &target, &[], None).expect(400);
        let unknown = |error: &&Value| UNKNOWN.iter().any(|words| error["detail"].as_str().unwrap().contains(words));
        let refused: BTreeSet<String> = answer.body["errors"]
            .as_array()
            .unwrap()
            .iter()
            .filter(unknown)
            .map(|error| error["source"]["parameter"].as_str().unwrap().to_owned())
            .collect();
        let mut expected: BTreeSet<String> = all.difference(&described).cloned().collect();
        expected.insert("nonsense".to_owned());
        assert_eq!(refused, expected, "{name}");
        tried += 1;
    }
    assert!(tried > 40);
}

/// Every name that `fields[type]` can hold has a schema of its own.
#[test]
fn every_field_is_described() {
    let app = App::start();
    let description = description(&app);
    let mut seen = BTreeSet::new();
    for route in routes(&description) {
        for parameter in route.operation["parameters"].as_array().into_iter().flatten() {
            let name = parameter["name"].as_str().unwrap();
            let Some(kind) = name.strip_prefix("fields[").and_then(|name| name.strip_suffix(']')) else { continue };
            let properties = &description["components"]["schemas"][kind]["properties"];
            for field in parameter["schema"]["items"]["enum"].as_array().unwrap() {
                let field = field.as_str().unwrap();
                if field.is_empty() {
                    continue;
                }
                let of = |holder: &str| properties[holder]["properties"].get(field).cloned();
                let schema = of("attributes").or_else(|| of("relationships")).unwrap_or_default();
                assert!(schema.as_object().is_some_and(|schema| !schema.is_empty()), "{kind}: {field} has no schema");
            }
            seen.insert(kind.to_owned());
        }
    }
    assert!(seen.len() >= 7, "{seen:?}");
}

#[test]
fn references_and_names_are_sound() {
    let app = App::start();
    let description = description(&app);
    let mut references = vec![];
    collect_references(&description, &mut references);
    assert!(references.len() > 100);
    for reference in references {
        let found = description.pointer(reference.strip_prefix('#').unwrap());
        assert!(found.is_some(), "{reference} leads nowhere");
    }
    let schemes = &description["components"]["securitySchemes"];
    let routes = routes(&description);
    for route in routes.iter().filter(|route| route.needs_token) {
        let either: Vec<&str> = route.operation["security"]
            .as_array()
            .unwrap()
            .iter()
            .map(|scheme| schemes[scheme.as_object().unwrap().keys().next().unwrap()]["scheme"].as_str().unwrap())
            .collect();
        assert_eq!(either, ["bearer", "basic"], "{}", route.name());
    }
    assert!(schemes.to_string().contains("lkw_"));
    let names: BTreeSet<String> = routes.iter().map(|route| route.operation["operationId"].to_string()).collect();
    assert_eq!(names.len(), routes.len(), "each operation has a name of its own");
    for route in &routes {
        let needs = app.anonymous().send(&route.method, &route.path, &[], None).status == 401;
        assert_eq!(needs, route.needs_token, "{} and its token", route.name());
        let summary = route.operation["summary"].as_str();
        assert!(summary.is_some_and(|summary| !summary.is_empty()), "{}", route.name());
    }
}

fn collect_references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get("$ref") {
                found.push(reference.clone());
            }
            members.values().for_each(|member| collect_references(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_references(item, found)),
        _ => {}
    }
}

/// What is on file was said by a real service: the description allows it, and shows it as an example.
#[test]
fn documents_are_as_described() {
    let app = App::start();
    let description = description(&app);
    let text = description.to_string();
    let routes = routes(&description);
    for file in fs::read_dir(root().join("fixtures/documents")).unwrap().map(|file| file.unwrap().path()) {
        let name = file.file_stem().unwrap().to_str().unwrap();
        let exchange: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        let (request, response) = (&exchange["request"], &exchange["response"]);
        let method = request["method"].as_str().unwrap();
        let path = request["path"].as_str().unwrap().split('?').next().unwrap();
        let status = response["status"].to_string();
        let route = routes.iter().find(|route| route.method == method && route.leads_to(path));
        let answers = match route {
            Some(route) => resolved(&description, &route.operation["responses"][&status]),
            None if status == "405" => description["components"]["responses"]["MethodNotAllowed"].clone(),
            None => panic!("{name}: {method} {path} is not described"),
        };
        assert!(answers.is_object(), "{name}: {status} is not described");
        match response.get("document") {
            Some(document) => {
                check(&description, schema_of(&answers), document, name);
                assert!(text.contains(&format!("\"{name}\":")), "{name} is no example");
            }
            None => assert!(answers.get("content").is_none(), "{name}: described with a document"),
        }
        if let (Some(route), Some(document)) = (route, request.get("document"))
            && status.starts_with('2')
        {
            check(&description, schema_of(&route.operation["requestBody"]), document, name);
        }
    }
}

fn resolved(description: &Value, value: &Value) -> Value {
    match value["$ref"].as_str() {
        Some(reference) => description.pointer(reference.strip_prefix('#').unwrap()).unwrap().clone(),
        None => value.clone(),
    }
}

fn schema_of(holder: &Value) -> &Value {
    let contents = holder["content"].as_object().unwrap();
    &contents.values().next().unwrap()["schema"]
}

#[track_caller]
fn check(description: &Value, schema: &Value, document: &Value, name: &str) {
    let whole = json!({"allOf": [schema], "components": description["components"]});
    let validator = jsonschema::validator_for(&whole).unwrap();
    let faults: Vec<String> =
        validator.iter_errors(document).map(|fault| format!("{}: {fault}", fault.instance_path())).collect();
    assert!(faults.is_empty(), "{name} is not as described:\n{}", faults.join("\n"));
}

#[test]
fn the_page_loads_nothing_from_outside() {
    let app = App::start();
    let mut response = ureq::get(format!("http://{}/docs", app.address)).call().unwrap();
    let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "text/html; charset=utf-8");
    let policy = header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    assert!(!policy.contains("http") && !policy.contains("unsafe") && !policy.contains("data:"), "{policy}");
    let page = response.body_mut().read_to_string().unwrap();
    for loading in ["<script", "<link", "<img", "<iframe", " src=", "url(", "@import", " style=", " onclick="] {
        assert!(!page.contains(loading), "{loading}");
    }
    for target in Regex::new(r#"href="([^"]*)""#).unwrap().captures_iter(&page) {
        let inside = target[1].strip_prefix('#').is_some_and(|name| page.contains(&format!("id=\"{name}\"")));
        assert!(inside || &target[1] == "/api/v2/openapi.json", "{}", &target[1]);
    }
    for route in routes(&description(&app)) {
        let shown = format!("{}</b> <code>{}</code>", route.method, route.path);
        assert!(page.contains(&shown), "{}", route.name());
    }
}
