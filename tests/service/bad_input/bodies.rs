//! Documents that are none, of another type, or of another media type.

use super::*;

#[test]
fn no_route_takes_a_body_that_is_no_document() {
    let world = World::new();
    let deep = format!("{}{}", "[".repeat(30_000), "]".repeat(30_000));
    let deep_attribute = format!(r#"{{"data":{{"type":"teams","attributes":{{"name":{deep}}}}}}}"#);
    let bodies: [&[u8]; 17] = [
        b"{",
        b"nonsense",
        b"null",
        b"7",
        b"\"data\"",
        b"[]",
        b"{}",
        b"{\"data\":null}",
        b"{\"data\":7}",
        b"{\"data\":\"teams\"}",
        b"{\"data\":{\"type\":\"teams\",}}",
        b"{\"data\":{}} x",
        b"{\"data\":{\"type\":\"\xff\"}}",
        b"{\"data\":{\"type\":\"\\ud800\"}}",
        b"\xef\xbb\xbf{\"data\":{}}",
        deep.as_bytes(),
        deep_attribute.as_bytes(),
    ];
    for route in world.routes_with_body() {
        for body in bodies {
            let shown = String::from_utf8_lossy(&body[..body.len().min(40)]);
            assert_refused(&world.send_body(route, body), &[400], &format!("{} {shown}", route.name()));
        }
    }
    for route in world.routes_with_body() {
        if !matches!(route.takes, Takes::LenientResourceOrNothing(_)) {
            assert_refused(&world.send_body(route, b""), &[400], &format!("{} with nothing", route.name()));
        }
    }
    world.assert_unchanged();
}

#[test]
fn no_route_takes_a_body_of_another_type() {
    let world = World::new();
    for route in &world.routes {
        let name = route.name();
        let (kind, attributes) = match &route.takes {
            Takes::Resource(kind) => (kind, world.good_body(route).unwrap()["data"]["attributes"].clone()),
            Takes::LenientResource(kind) | Takes::LenientResourceOrNothing(kind) => (kind, json!({})),
            Takes::Nothing | Takes::Identifiers(_) | Takes::List(_) => continue,
        };
        let refused = |data: Value, status: u16, pointer: &str| {
            let body = json!({ "data": data }).to_string();
            let answer = world.send_body(route, body.as_bytes());
            assert_refused(&answer, &[status], &format!("{name} {body}"));
            assert_eq!(answer.blamed(), [pointer], "{name} {body}");
        };
        refused(json!({"type": "nonsense", "attributes": attributes}), 409, "/data/type");
        refused(json!({"type": kind.to_uppercase(), "attributes": attributes}), 409, "/data/type");
        refused(json!({"type": 7, "attributes": attributes}), 400, "/data/type");
        // Policies may come as a list, but not of something else.
        let listed = route.path.ends_with("/token-ttl-policies");
        let (of, status, pointer) =
            if listed { ("nonsense", 409, "/data/0/type") } else { (kind.as_str(), 400, "/data") };
        refused(json!([{"type": of, "attributes": attributes}]), status, pointer);
        refused(json!({"type": kind, "id": 7, "attributes": attributes}), 400, "/data/id");
        refused(json!({"type": kind, "attributes": []}), 422, "/data/attributes");
        refused(json!({"type": kind, "attributes": "name"}), 422, "/data/attributes");
        refused(json!({"type": kind, "attributes": attributes, "relationships": 7}), 422, "/data/relationships");
        if matches!(route.takes, Takes::Resource(_)) {
            refused(json!({"attributes": attributes}), 400, "/data/type");
            refused(json!({"type": "", "attributes": attributes}), 409, "/data/type");
        }
    }
    for route in world.routes.iter().filter(|route| matches!(route.takes, Takes::List(_))) {
        let name = route.name();
        let good = world.good_body(route).unwrap()["data"][0].clone();
        for (wrong, status, pointer) in [
            (good.clone(), 400, "/data"),
            (json!([7]), 400, "/data/0"),
            (json!([good, {"type": "nonsense"}]), 409, "/data/1/type"),
            (json!([good, {"attributes": {}}]), 400, "/data/1/type"),
            (json!([{"type": good["type"], "attributes": 7}]), 422, "/data/0/attributes"),
        ] {
            let body = json!({ "data": wrong }).to_string();
            let answer = world.send_body(route, body.as_bytes());
            assert_refused(&answer, &[status], &format!("{name} {body}"));
            assert_eq!(answer.blamed(), [pointer], "{name} {body}");
        }
    }
    world.assert_unchanged();
}

/// JSON:API "Client-Generated IDs" and "Updating Resources".
#[test]
fn no_route_takes_the_id_of_another_resource_or_one_for_a_new_one() {
    let world = World::new();
    for route in world.routes_with_body() {
        // A new access takes an id, and gets another one all the same.
        let ignored = ["POST /api/v2/team-workspaces", "POST /api/v2/team-projects"].contains(&route.name().as_str());
        if ignored || matches!(route.takes, Takes::Identifiers(_) | Takes::List(_)) {
            continue;
        }
        let mut body = world.good_body(route).unwrap();
        body["data"]["id"] = "another".into();
        let answer = world.send_body(route, body.to_string().as_bytes());
        let about_one = ["PATCH", "DELETE"].contains(&route.method.as_str()) || route.path.contains("/actions/");
        let status = if about_one { 409 } else { 403 };
        assert_refused(&answer, &[status], &route.name());
        assert_eq!(answer.blamed(), ["/data/id"], "{}", route.name());
    }
    world.assert_unchanged();
    let same = |kind: &str, id: &str| json!({"data": {"type": kind, "id": id, "attributes": {}}});
    world.ada.client.patch(&world.below("teams/{team}"), &same("teams", world.id("team"))).expect(200);
    for id in ["acme", "ACME", ""] {
        world.ada.client.patch("/api/v2/organizations/ACME", &same("organizations", id)).expect(200);
    }
}

#[test]
fn no_route_takes_a_body_of_another_media_type() {
    let world = World::new();
    for route in world.routes_with_body() {
        let (name, target) = (route.name(), world.target(route));
        let body = world.good_body(route).unwrap().to_string();
        for media_type in [
            "",
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/xml",
            "application/json; charset=utf-16",
            "application/vnd.api+json; charset=utf-8",
            "application/vnd.api+json; ext=\"https://jsonapi.org/ext/atomic\"",
            "nonsense",
        ] {
            let headers = [("Content-Type", media_type)];
            let answer = world.client(route).send(&route.method, &target, &headers, Some(body.as_bytes()));
            assert_refused(&answer, &[415], &format!("{name} as {media_type:?}"));
        }
        let answer = world.client(route).send(&route.method, &target, &[], Some(body.as_bytes()));
        assert_refused(&answer, &[415], &format!("{name} without a type"));
    }
    world.assert_unchanged();
}

#[test]
fn no_route_answers_whom_it_cannot_please() {
    let world = World::new();
    for route in &world.routes {
        let (name, target) = (route.name(), world.target(route));
        let body = world.good_body(route).map(|body| body.to_string());
        for accept in [
            "text/html",
            "application/vnd.api+json; charset=utf-8",
            "application/vnd.api+json; ext=\"https://jsonapi.org/ext/atomic\"",
            "application/vnd.api+json;q=0",
            "nonsense",
        ] {
            let headers = [("Content-Type", MEDIA_TYPE), ("Accept", accept)];
            let sent = body.as_deref().map(str::as_bytes);
            let answer = world.client(route).send(&route.method, &target, &headers, sent);
            assert_refused(&answer, &[406], &format!("{name} for {accept}"));
        }
    }
    world.assert_unchanged();
}

#[test]
fn no_route_takes_a_body_over_its_maximum() {
    let world = World::new();
    for route in world.routes_with_body() {
        let mut body = world.good_body(route).unwrap().to_string();
        body.push_str(&" ".repeat(1024 * 1024 + 1 - body.len()));
        assert_refused(&world.send_body(route, body.as_bytes()), &[413], &route.name());
    }
    world.assert_unchanged();
    let mut largest = resource("teams", json!({"description": "fits"})).to_string();
    largest.push_str(&" ".repeat(64 * 1024 - largest.len()));
    world.send("PATCH", &world.below("teams/{team}"), largest.as_bytes()).expect(200);
}
