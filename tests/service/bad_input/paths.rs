//! Paths and methods.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

#[test]
fn no_route_takes_a_path_that_names_nothing() {
    let world = World::new();
    let long = "x".repeat(4000);
    let organization_id = world.ada.client.get("/api/v2/organizations/acme").attribute("external-id").clone();
    let wrong = [
        "nonsense",
        "%00",
        "a%00b",
        "%ff",
        "%C3%28",
        "%F0%9F%92%A9",
        "%20",
        "..",
        "acme%2f..%2facme",
        "'%20OR%201=1",
        "team-",
        "team-0OIl",
        "team-1111111111111111",
        "TEAM-1111111111111111111111",
        "ws-1111111111111111",
        organization_id.as_str().unwrap(),
        &long,
    ];
    for route in &world.routes {
        for (before, kind, after) in parameters(&route.path) {
            let others = world.ids().filter(|(other, _)| *other != kind && *other != "organization").map(|(_, id)| id);
            for id in wrong.iter().copied().chain(others) {
                // Some clients end a token by its id in the place of its team's.
                let ends_it = (route.method.as_str(), after) == ("DELETE", "/authentication-token");
                if ends_it && kind == "team" && id.starts_with("at-") {
                    continue;
                }
                let path = format!("{}{id}{}", world.path(before), world.path(after));
                let answer = world.send_good(world.client(route), route, &path);
                assert_refused(&answer, &[404], &format!("{} {path}", route.method));
            }
        }
    }
    world.assert_unchanged();
}

/// Each parameter of a path, with what stands before and after it.
fn parameters(path: &str) -> impl Iterator<Item = (&str, &str, &str)> {
    path.match_indices('{').map(|(start, _)| {
        let end = start + path[start..].find('}').unwrap();
        (&path[..start], &path[start + 1..end], &path[end + 1..])
    })
}

#[test]
fn no_path_takes_a_method_that_it_does_not_know() {
    let world = World::new();
    let mut known: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for route in &world.routes {
        known.entry(&route.path).or_default().insert(&route.method);
    }
    for (template, methods) in known {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "NONSENSE"] {
            if methods.contains(method) {
                continue;
            }
            let path = world.path(template);
            let answer = world.ada.client.send(method, &path, &[], None);
            assert_refused(&answer, &[405], &format!("{method} {path}"));
            let allowed: BTreeSet<&str> = answer.header("Allow").unwrap().split(", ").collect();
            assert_eq!(allowed, with_head(&methods), "{method} {path}");
        }
    }
    world.assert_unchanged();
}

/// Where there is GET there is HEAD.
fn with_head<'a>(methods: &BTreeSet<&'a str>) -> BTreeSet<&'a str> {
    let head = methods.contains("GET").then_some("HEAD");
    methods.iter().copied().chain(head).collect()
}

#[test]
fn an_unknown_path_is_404() {
    let world = World::new();
    for path in ["/x", "/api", "/api/v2", "/api/v2/", "/api/v2/nonsense", "/api/v2/teams", "/api/v2/%00", "/api/v2/%ff"]
    {
        for client in [&world.ada.client, &world.app.anonymous()] {
            assert_refused(&client.get(path), &[404], path);
        }
    }
}
