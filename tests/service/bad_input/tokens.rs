//! Tokens that are wrong, and headers that hold one.

use super::wire::{END, speak, status};
use super::*;

#[test]
fn no_route_lets_in_who_has_no_good_token() {
    let world = World::new();
    let secret = world.ada.client.secret().to_owned();
    let last = if secret.ends_with('0') { "1" } else { "0" };
    let mistyped = format!("{}{last}", &secret[..secret.len() - 1]);
    let clients = [world.app.anonymous(), world.app.with(&mistyped), world.app.with("nonsense")];
    for route in &world.routes {
        for client in &clients {
            let answer = world.send_good(client, route, &world.target(route));
            assert_refused(&answer, &[401], &route.name());
            assert!(answer.header("WWW-Authenticate").unwrap().starts_with("Bearer"));
        }
    }
    world.assert_unchanged();
}

#[test]
fn every_wrong_token_gets_the_same_401() {
    let world = World::new();
    let secret = world.ada.client.secret().to_owned();
    let revoked = world.ada.team_token(world.id("team"));
    world.ada.client.delete(&format!("/api/v2/authentication-tokens/{}", revoked.id())).expect(204);
    let expired = world.ada.described_token(world.id("team"), json!({"description": "expired"}));
    world.app.sql("UPDATE tokens SET expired_at = now() - interval '1 second' WHERE description = 'expired'");
    let disabled = world.ada.described_token(world.id("team"), json!({"description": "disabled"}));
    world.app.sql("UPDATE tokens SET disabled_at = now() WHERE description = 'disabled'");
    let get = |authorization: &str| {
        let headers = [("Authorization", authorization)];
        let mut answer = world.app.anonymous().send("GET", "/api/v2/account/details", &headers, None);
        assert_refused(&answer, &[401], authorization.split(' ').next().unwrap());
        answer.body["errors"][0]["id"].take();
        answer.body
    };
    let expected = get("");
    for authorization in [
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        format!("Basic {secret}"),
        format!("Token {secret}"),
        format!("Bearer {secret}x"),
        format!("Bearer {secret} x"),
        format!("Bearer \"{secret}\""),
        format!("Bearer {}", secret.to_lowercase()),
        format!("Bearer {}", &secret[1..]),
        format!("Bearer{secret}"),
        secret.clone(),
        format!("Bearer {}", "x".repeat(4000)),
        format!("Bearer {}", revoked.secret()),
        format!("Bearer {}", expired.secret()),
        format!("Bearer {}", disabled.secret()),
    ] {
        assert_eq!(get(&authorization), expected);
    }
    // Each character counts, also those of the checksum and of the prefix.
    for place in 0..secret.len() {
        let other = if secret.as_bytes()[place] == b'a' { "b" } else { "a" };
        let changed = format!("{}{other}{}", &secret[..place], &secret[place + 1..]);
        assert_eq!(get(&format!("Bearer {changed}")), expected);
    }
}

#[test]
fn a_scheme_is_bearer_in_any_case() {
    let world = World::new();
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let authorization = format!("{scheme} {}", world.ada.client.secret());
        let headers = [("Authorization", authorization.as_str())];
        world.app.anonymous().send("GET", "/api/v2/account/details", &headers, None).expect(200);
    }
}

#[test]
fn two_authorization_headers_are_no_authorization() {
    let world = World::new();
    let secret = world.ada.client.secret();
    let good = format!("Authorization: Bearer {secret}\r\n");
    let get =
        |headers: &str| speak(&world.app, format!("GET /api/v2/account/details HTTP/1.1\r\n{headers}").as_bytes());
    assert_eq!(status(&get(&format!("{good}{END}"))), 200);
    assert_eq!(status(&get(&format!("{good}{good}{END}"))), 401);
    assert_eq!(status(&get(&format!("{good}Authorization: Basic YTpi\r\n{END}"))), 401);
    assert_eq!(status(&get(&format!("Authorization: Basic YTpi\r\n{good}{END}"))), 401);
}
