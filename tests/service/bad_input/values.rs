//! Values inside a document that is one.

use super::*;

#[test]
fn a_nul_character_is_refused_wherever_it_is() {
    let world = World::new();
    let send = |path: &str, method: &str, document: Value| {
        let answer = world.send(method, &world.below(path), document.to_string().as_bytes());
        assert_refused(&answer, &[422], &document.to_string());
        answer.blamed()
    };
    let name = resource("organizations", json!({"name": "a\0", "email": "a@example.com"}));
    assert_eq!(send("organizations", "POST", name), ["/data/attributes/name"]);
    let description = resource("teams", json!({"name": "a", "description": "\0"}));
    assert_eq!(send("organizations/{organization}/teams", "POST", description), ["/data/attributes/description"]);
    let description = resource("authentication-tokens", json!({"description": "a\0b"}));
    assert_eq!(send("teams/{team}/authentication-tokens", "POST", description), ["/data/attributes/description"]);
    let user = identifiers("users", &["ada\0"]);
    assert_eq!(send("teams/{team}/relationships/users", "POST", user), ["/data/0/id"]);
    let email = resource("users", json!({"email": "ada\0@example.com"}));
    assert_eq!(send("account/update", "PATCH", email), ["/data/attributes/email"]);
    let member = identifiers("organization-memberships", &["ou-\0"]);
    let path = "teams/{team}/relationships/organization-memberships";
    assert_eq!(send(path, "POST", member), ["/data/0/id"]);
    let role = resource("organizations", json!({"owners-team-saml-role-id": "\0"}));
    let role = send("organizations/{organization}", "PATCH", role);
    assert_eq!(role, ["/data/attributes/owners-team-saml-role-id"]);
    world.assert_unchanged();
}

#[test]
fn a_time_that_is_none_is_refused() {
    let world = World::new();
    for time in [
        json!("2026-13-45"),
        json!("yesterday"),
        json!(""),
        json!("2031-02-30T00:00:00Z"),
        json!("2031-05-17"),
        json!("2031-05-17T00:00:00"),
        json!("999999999-01-01T00:00:00Z"),
        json!("2020-01-01T00:00:00Z"),
        json!(1_900_000_000),
        json!(true),
        json!({"at": "2031-05-17T00:00:00Z"}),
    ] {
        for pattern in [
            "teams/{team}/authentication-token",
            "teams/{team}/authentication-tokens",
            "users/{user}/authentication-tokens",
            "organizations/{organization}/authentication-token",
            "organizations/{organization}/authentication-token?token=audit-trails",
        ] {
            let document = resource("authentication-tokens", json!({"description": "x", "expired-at": time}));
            let answer = world.ada.client.post(&world.below(pattern), &document);
            assert_refused(&answer, &[422], &time.to_string());
            assert_eq!(answer.blamed(), ["/data/attributes/expired-at"], "{time}");
        }
    }
    world.assert_unchanged();
}

#[test]
fn a_null_document_is_not_an_empty_one() {
    let world = World::new();
    let path = world.below("teams/{team}/authentication-token");
    for body in ["null", "{\"data\":null}", "{\"data\":[]}"] {
        assert_refused(&world.send("POST", &path, body.as_bytes()), &[400], body);
    }
    world.assert_unchanged();
}

/// The values of an object's members in their order are not the object.
#[test]
fn a_list_of_values_is_no_object() {
    let world = World::new();
    let workspace = world.below("workspaces/{workspace}");
    let organization = world.below("organizations/{organization}");
    for (path, kind, attributes) in [
        (&workspace, "workspaces", json!({"setting-overwrites": [true, true]})),
        (&workspace, "workspaces", json!({"setting-overwrites": [null, null]})),
        (&workspace, "workspaces", json!({"vcs-repo": ["acme/app", "main"]})),
        (&workspace, "workspaces", json!({"vcs-repo": []})),
        (
            &format!("{organization}/token-ttl-policies"),
            "organization-token-ttl-policies",
            json!({"token-ttl-policies": [["team", 86_400_000]]}),
        ),
        (&format!("{organization}/abilities"), "abilities", json!({"abilities": [["agents:read", "Look"]]})),
    ] {
        let refused = world.ada.client.patch(path, &resource(kind, attributes.clone())).expect(422);
        assert!(refused.detail().contains("an object"), "{attributes}: {}", refused.detail());
    }
    world.assert_unchanged();
}
