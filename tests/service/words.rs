//! Words that people bring along from other systems: none that matters is dropped in silence (docs/tokens.md).

use serde_json::{Value, json};

use crate::support::app::{Acme, resource};
use crate::support::client::Answer;

fn token(attributes: Value) -> Value {
    resource("authentication-tokens", attributes)
}

fn path(id: &str) -> String {
    format!("/api/v2/authentication-tokens/{id}")
}

#[test]
fn another_systems_name_of_an_attribute_is_refused_with_the_right_one() {
    let scene = Acme::new();
    let made = scene.ada.described_token(&scene.team, json!({"description": "a"}));
    assert!(!made.secret().is_empty());
    let workspace = scene.ada.workspace("acme", "prod");
    let routes = [
        ("POST", scene.one()),
        ("POST", format!("{}s", scene.one())),
        ("POST", "/api/v2/organizations/acme/authentication-token".to_owned()),
        ("POST", format!("/api/v2/users/{}/authentication-tokens", scene.ada.id)),
        ("POST", format!("/api/v2/workspaces/{workspace}/authentication-tokens")),
        ("POST", format!("{}/actions/regenerate", path(&made.id()))),
        ("PATCH", path(&made.id())),
    ];
    let tokens = scene.app.count("tokens");
    let words = [
        ("name", "description"),
        ("label", "description"),
        ("title", "description"),
        ("scope", "role"),
        ("scopes", "abilities"),
        ("permissions", "abilities"),
        ("expire-at", "expired-at"),
        ("expires", "expired-at"),
        ("expires-at", "expired-at"),
        ("expires_at", "expired-at"),
        ("expires-on", "expired-at"),
        ("expiration", "expired-at"),
        ("expiration-date", "expired-at"),
        ("expiry", "expired-at"),
    ];
    for (method, route) in &routes {
        for (word, right) in words {
            let body = token(json!({ word: null }));
            let headers = [("Content-Type", "application/vnd.api+json")];
            let refused = scene.ada.client.send(method, route, &headers, Some(body.to_string().as_bytes())).expect(422);
            assert_eq!(refused.blamed(), [format!("/data/attributes/{}", word.replace('_', "-"))], "{method} {route}");
            assert!(refused.detail().contains(right), "{}", refused.detail());
        }
    }
    assert_eq!(scene.app.count("tokens"), tokens);
    assert!(scene.works(&made.secret()));
}

#[test]
fn what_cannot_be_changed_may_be_sent_as_it_is() {
    let scene = Acme::new();
    let made = scene.ada.described_token(&scene.team, json!({"description": "a", "abilities": ["agents:read"]}));
    assert!(!made.secret().is_empty());
    let by_id = path(&made.id());
    let shown = scene.ada.client.get(&by_id).expect(200);
    let whole = shown.body["data"]["attributes"].clone();
    let patched = scene.ada.client.patch(&by_id, &token(whole)).expect(200);
    assert_eq!(patched.body, shown.body, "what GET shows, PATCH takes");
    for (name, other) in [
        ("kind", json!("user")),
        ("format", json!("jwt")),
        ("token", json!("lkt_mine")),
        ("created-at", json!("2020-01-01T00:00:00.000Z")),
        ("disabled-at", json!("2020-01-01T00:00:00.000Z")),
        ("revoked-at", json!("2020-01-01T00:00:00.000Z")),
        ("revocation-reason", json!("mine")),
        ("labels-in-jwt", json!(true)),
        ("status", json!("revoked")),
        ("status", json!("expired")),
    ] {
        let refused = scene.ada.client.patch(&by_id, &token(json!({ name: other }))).expect(422);
        assert_eq!(refused.blamed(), [format!("/data/attributes/{name}")]);
    }
    // What moves by itself is nobody's to say.
    let moving =
        json!({"usage-count": 7, "last-used-at": null, "updated-at": null, "ends-at": null, "description": "b"});
    assert_eq!(*scene.ada.client.patch(&by_id, &token(moving)).expect(200).attribute("description"), "b");
    // The same time written in another way is the same.
    let created = shown.attribute("created-at").as_str().unwrap().replace('Z', "+00:00");
    scene.ada.client.patch(&by_id, &token(json!({"created-at": created}))).expect(200);
}

#[test]
fn a_status_that_is_sent_switches_the_token() {
    let scene = Acme::new();
    let made = scene.ada.described_token(&scene.team, json!({"description": "a"}));
    let by_id = path(&made.id());
    let set = |status: &str| scene.ada.client.patch(&by_id, &token(json!({ "status": status }))).expect(200);
    let events = |action: &str| {
        scene.app.count(&format!("audit_events WHERE action = '{action}' AND resource_id = '{}'", made.id()))
    };
    assert_eq!(*set("inactive").attribute("status"), "inactive");
    assert!(!scene.works(&made.secret()));
    assert_eq!(*set("inactive").attribute("status"), "inactive");
    assert_eq!(*set("active").attribute("status"), "active");
    assert!(scene.works(&made.secret()));
    assert_eq!((events("disable"), events("enable"), events("update")), (1, 1, 0));
}

#[test]
fn what_is_switched_off_has_the_words_of_other_systems() {
    let scene = Acme::new();
    let made = scene.ada.described_token(&scene.team, json!({"description": "a"}));
    let act = |action: &str| scene.ada.client.post_nothing(&format!("{}/actions/{action}", path(&made.id())));
    let disabled =
        || scene.ada.client.get(&format!("{}s?filter[status]=disabled", scene.one())).expect(200).ids().len();
    assert_eq!((disabled(), scene.works(&made.secret())), (0, true));
    assert_eq!(*act("deactivate").expect(200).attribute("status"), "inactive");
    assert_eq!((disabled(), scene.works(&made.secret())), (1, false));
    assert_eq!(*act("activate").expect(200).attribute("status"), "active");
    assert_eq!((disabled(), scene.works(&made.secret())), (0, true));
    let both = scene.ada.client.get(&format!("{}s?filter[status]=disabled,active", scene.one())).expect(200);
    assert_eq!(both.ids(), [made.id()]);
}

/// Every link leads somewhere, also that of a token that has ended.
#[test]
fn what_was_revoked_can_be_looked_at() {
    let scene = Acme::new();
    let made = scene.ada.described_token(&scene.team, json!({"description": "a"}));
    assert!(!made.secret().is_empty());
    let by_id = path(&made.id());
    let status = |query: &str| scene.ada.client.get(&format!("{by_id}{query}")).status;
    let statuses = || ["", "?filter[trashed]=without", "?filter[trashed]=with", "?filter[trashed]=only"].map(status);
    assert_eq!(statuses(), [200, 200, 200, 404]);
    scene.ada.client.delete(&by_id).expect(204);
    assert_eq!(statuses(), [404, 404, 200, 200]);
    let bad = scene.ada.client.get(&format!("{by_id}?filter[trashed]=yes")).expect(400);
    assert_eq!(bad.blamed(), ["filter[trashed]"]);
    scene.app.user("eve").client.get(&format!("{by_id}?filter[trashed]=with")).expect(404);
    let list = format!("{}s?filter[trashed]=with", scene.one());
    let own_link = |answer: &Answer| answer.body["data"][0]["links"]["self"].as_str().unwrap().to_owned();
    let link = own_link(&scene.ada.client.get(&list).expect(200));
    let shown = scene.ada.client.get(&link).expect(200);
    assert_eq!((shown.id(), shown.attribute("status")), (made.id(), &json!("revoked")));
    assert_eq!(shown.body["data"]["links"]["self"], link);
    assert_eq!(scene.ada.client.get(&format!("{}s?filter[trashed]=without", scene.one())).expect(200).ids().len(), 0);
    // Also by the name that other systems have for it.
    let found = |filter: &str, year: u16| {
        let list = format!("{}s?filter[{filter}]={year}-01-01T00:00:00Z", scene.one());
        scene.ada.client.get(&list).expect(200).ids()
    };
    for (found, expected) in [
        (found("deleted-after", 2020), vec![made.id()]),
        (found("deleted-after", 2099), vec![]),
        (found("deleted-before", 2020), vec![]),
        (found("deleted-before", 2099), vec![made.id()]),
    ] {
        assert_eq!(found, expected);
    }
}

#[test]
fn what_was_never_used_comes_before_what_was() {
    let scene = Acme::new();
    let names = ["never", "long ago", "today"];
    let [never, long_ago, today] = names.map(|name| {
        let made = scene.ada.described_token(&scene.team, json!({ "description": name }));
        assert!(!made.secret().is_empty());
        made.id()
    });
    scene.app.sql("UPDATE tokens SET last_used_at = now() - interval '1 year' WHERE description = 'long ago'");
    scene.app.sql("UPDATE tokens SET last_used_at = now() WHERE description = 'today'");
    let sorted = |sort: &str| scene.ada.client.get(&format!("{}s?sort={sort}", scene.one())).expect(200).ids();
    assert_eq!(sorted("last-used-at"), [&*never, &*long_ago, &*today]);
    assert_eq!(sorted("-last-used-at"), [&*today, &*long_ago, &*never]);
    // One by one as well.
    let mut found = vec![];
    let mut next = format!("{}s?sort=-last-used-at&page[size]=1&page[after]=", scene.one());
    loop {
        let page = scene.ada.client.get(&next).expect(200);
        found.extend(page.ids());
        let Some(link) = page.body["links"]["next"].as_str() else { break };
        next = link.split_once("/api/").map(|(_, path)| format!("/api/{path}")).unwrap();
    }
    assert_eq!(found, [today, long_ago, never]);
}

#[test]
fn names_are_sorted_without_regard_to_case() {
    let scene = Acme::new();
    let [beta, alpha] = ["Beta", "alpha"].map(|name| scene.ada.team("acme", name));
    let teams = scene.ada.client.get("/api/v2/organizations/acme/teams?sort=name").expect(200).ids();
    let place = |id: &String| teams.iter().position(|team| team == id);
    assert!(place(&alpha) < place(&beta));
    let [of_beta, of_alpha] = [&beta, &alpha].map(|team| {
        let made = scene.ada.team_token(team);
        assert!(!made.secret().is_empty());
        made.id()
    });
    let list = "/api/v2/organizations/acme/team-tokens";
    let sorted = |sort: &str| scene.ada.client.get(&format!("{list}?sort={sort}")).expect(200).ids();
    assert_eq!(sorted("team-name"), [&*of_alpha, &*of_beta]);
    assert_eq!(sorted("-team-name"), [&*of_beta, &*of_alpha]);
}

/// What is shown of a JWT tells it from others, and finds it.
#[test]
fn the_prefix_of_a_jwt_tells_it_from_others() {
    let scene = Acme::new();
    let [one, other] = ["one", "other"]
        .map(|name| scene.ada.described_token(&scene.team, json!({"description": name, "format": "jwt"})));
    let prefix = |made: &Answer| made.attribute("token-prefix").as_str().unwrap().to_owned();
    for made in [&one, &other] {
        let secret = made.secret();
        assert_eq!(prefix(made), format!("eyJ…{}", &secret[secret.len() - 6..]));
    }
    assert_ne!(prefix(&one), prefix(&other));
    let end = prefix(&one).chars().skip(4).collect::<String>();
    let found = scene.ada.client.get(&format!("{}s?q={end}", scene.one())).expect(200);
    assert_eq!(found.ids(), [one.id()]);
}

#[test]
fn a_workspaces_token_has_a_description() {
    let scene = Acme::new();
    let workspace = scene.ada.workspace("acme", "prod");
    let tokens = format!("/api/v2/workspaces/{workspace}/authentication-tokens");
    let made = scene.ada.client.post(&tokens, &token(json!({}))).expect(201);
    assert!(!made.secret().is_empty());
    let today = &made.attribute("created-at").as_str().unwrap()[..10];
    assert_eq!(*made.attribute("description"), format!("Unnamed, {today}"));
    let named = scene.ada.client.post(&tokens, &token(json!({"description": "ci"}))).expect(201);
    assert!(!named.secret().is_empty());
    assert_eq!(*named.attribute("description"), "ci");
}
