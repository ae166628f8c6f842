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
        ("displayName", "description"),
        ("Description", "description"),
        ("scope", "role"),
        ("roles", "role"),
        ("scopes", "abilities"),
        ("permission", "abilities"),
        ("permissions", "abilities"),
        ("effectiveAbilities", "effective-abilities"),
        ("expire-at", "expired-at"),
        ("expires", "expired-at"),
        ("expires-at", "expired-at"),
        ("expires_at", "expired-at"),
        ("expiresAt", "expired-at"),
        ("expiredAt", "expired-at"),
        ("EXPIRED_AT", "expired-at"),
        ("expires-on", "expired-at"),
        ("expiration", "expired-at"),
        ("expiration-date", "expired-at"),
        ("expirationDate", "expired-at"),
        ("expiry", "expired-at"),
        ("validUntil", "expired-at"),
        ("not_after", "expired-at"),
        ("enabled", "status"),
        ("is_active", "status"),
        ("tags", "labels"),
        ("selfRotation", "self-rotation"),
        ("labelsInJwt", "labels-in-jwt"),
    ];
    let lifetimes = ["ttl", "expires-in", "expires_at_mins", "expiresInSeconds", "lifetime", "max-age"];
    for (method, route) in &routes {
        // An edit takes no lifetime.
        let right = if *method == "POST" { "expires-in-seconds" } else { "expired-at" };
        let of_route = lifetimes.iter().map(|word| match *word {
            "expiresInSeconds" => (*word, "expires-in-seconds"),
            word => (word, right),
        });
        for (word, right) in words.into_iter().chain(of_route) {
            let body = token(json!({ word: null }));
            let headers = [("Content-Type", "application/vnd.api+json")];
            let refused = scene.ada.client.send(method, route, &headers, Some(body.to_string().as_bytes())).expect(422);
            assert_eq!(refused.blamed(), [format!("/data/attributes/{}", word.replace('_', "-"))], "{method} {route}");
            assert!(refused.detail().contains(&format!("is called {right}")), "{}", refused.detail());
        }
    }
    let regenerate = format!("{}/actions/regenerate", path(&made.id()));
    let refused = scene.ada.client.post(&regenerate, &token(json!({"gracePeriodSeconds": 60}))).expect(422);
    assert!(refused.detail().contains("grace-period-seconds"), "{}", refused.detail());
    let revoke = format!("{}/actions/revoke", path(&made.id()));
    let refused = scene.ada.client.post(&revoke, &token(json!({"reason": "unused"}))).expect(422);
    assert!(refused.detail().contains("revocation-reason"), "{}", refused.detail());
    // When it ends is nobody's to say but by `expired-at`; an edit may send back what GET shows.
    scene.ada.client.post(&scene.many(), &token(json!({"ends-at": null}))).expect(422);
    assert_eq!(scene.app.count("tokens"), tokens);
    assert!(scene.works(&made.secret()));
}

#[test]
fn a_new_token_is_active() {
    let scene = Acme::new();
    let made = scene.token(json!({"description": "a", "status": "active"}));
    assert!(!made.secret().is_empty());
    let tokens = scene.app.count("tokens");
    for route in [scene.one(), scene.many(), format!("{}/actions/regenerate", path(&made.id()))] {
        for status in ["inactive", "revoked", "disabled"] {
            let refused = scene.ada.client.post(&route, &token(json!({ "status": status }))).expect(422);
            assert_eq!(refused.blamed(), ["/data/attributes/status"], "{route}");
        }
    }
    let refused = scene.ada.client.post(&scene.many(), &token(json!({"status": "inactive"}))).expect(422);
    assert!(refused.detail().contains("disable it once it is made"), "{}", refused.detail());
    assert_eq!(scene.app.count("tokens"), tokens);
}

/// A successor is what the token was: what an edit is for is not dropped by a regeneration.
#[test]
fn a_successor_takes_no_edit() {
    let scene = Acme::new();
    let made = scene.token(json!({"description": "a", "role": "member", "labels": {"env": "prod"}}));
    let secret = made.secret();
    let regenerate = format!("{}/actions/regenerate", path(&made.id()));
    for (name, other) in [
        ("description", json!("b")),
        ("description", json!(null)),
        ("role", json!("viewer")),
        ("abilities", json!([])),
        ("effective-abilities", json!([])),
        ("labels", json!({})),
        ("labels-in-jwt", json!(true)),
        ("format", json!("jwt")),
        ("kind", json!("user")),
        ("self-rotation", json!(true)),
        ("rotates-until", json!("2099-01-01T00:00:00Z")),
    ] {
        let refused = scene.ada.client.post(&regenerate, &token(json!({ name: other }))).expect(422);
        assert_eq!(refused.blamed(), [format!("/data/attributes/{name}")]);
        assert!(refused.detail().contains("edit the token, or make a new one"), "{}", refused.detail());
    }
    let both = scene.ada.client.post(&regenerate, &token(json!({"role": "viewer", "format": "jwt"}))).expect(422);
    assert_eq!(both.blamed().len(), 2, "all faults together");
    assert!(scene.works(&secret), "nothing was replaced");
    // What GET shows may be sent.
    let mut whole = scene.ada.client.get(&path(&made.id())).expect(200).body["data"]["attributes"].clone();
    for name in ["expired-at", "expires-in-seconds", "status"] {
        whole.as_object_mut().unwrap().remove(name);
    }
    whole.as_object_mut().unwrap().remove("ends-at");
    let successor = scene.ada.client.post(&regenerate, &token(whole)).expect(201);
    assert!(!successor.secret().is_empty());
    assert_eq!(successor.attribute("labels"), &json!({"env": "prod"}));
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
        ("effective-abilities", json!([])),
        ("effective-abilities", json!(["agents:*"])),
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
fn descriptions_are_sorted_without_regard_to_case() {
    let scene = Acme::new();
    let described = ["b", "C", "a"].map(|description| {
        let made = scene.token(json!({ "description": description }));
        assert!(!made.secret().is_empty());
        made.id()
    });
    let [b, c, a] = &described;
    let list = scene.many();
    let sorted = |sort: &str| scene.ada.client.get(&format!("{list}?sort={sort}")).expect(200).ids();
    assert_eq!(sorted("description"), [a.as_str(), b, c]);
    assert_eq!(sorted("-description"), [c.as_str(), b, a]);
    let after = |id: &str| {
        let page = scene.ada.client.get(&format!("{list}?sort=description&page[size]=1&page[after]=")).expect(200);
        assert_eq!(page.ids(), [a.as_str()]);
        let next = page.body["links"]["next"].as_str().unwrap().split_once("/api/").unwrap().1.to_owned();
        assert_eq!(scene.ada.client.get(&format!("/api/{next}")).expect(200).ids(), [id]);
    };
    after(b);
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
    let empty = scene.ada.client.post(&tokens, &token(json!({"description": ""}))).expect(201);
    assert!(!empty.secret().is_empty());
    assert_eq!(*empty.attribute("description"), format!("Unnamed, {today}"));
    let named = scene.ada.client.post(&tokens, &token(json!({"description": "ci"}))).expect(201);
    assert!(!named.secret().is_empty());
    assert_eq!(*named.attribute("description"), "ci");
    // An edit takes none away: the token is called by the day when it was made.
    scene.app.sql("UPDATE tokens SET created_at = '2026-01-31T23:00:00Z' WHERE description = 'ci'");
    for none in [json!(null), json!(""), json!(" ")] {
        let edit = token(json!({ "description": none }));
        let edited = scene.ada.client.patch(&path(&named.id()), &edit).expect(200);
        assert_eq!(*edited.attribute("description"), "Unnamed, 2026-01-31");
    }
    // Of a team's token an empty text is a description.
    let of_team = scene.token(json!({"description": ""}));
    assert!(!of_team.secret().is_empty());
    assert_eq!(*of_team.attribute("description"), "");
}

/// Whose a token is, by name, also of what is gone.
#[test]
fn a_token_tells_whose_it_is() {
    let scene = Acme::new();
    let workspace = scene.ada.workspace("acme", "prod");
    let of_team = scene.token(json!({"description": "a"}));
    let of_workspace =
        scene.ada.client.post(&format!("/api/v2/workspaces/{workspace}/authentication-tokens"), &token(json!({})));
    let of_organization = scene.ada.client.post_nothing("/api/v2/organizations/acme/authentication-token");
    let own = format!("/api/v2/users/{}/authentication-tokens", scene.ada.id);
    let of_user = scene.ada.client.post(&own, &token(json!({"description": "laptop"})));
    for (made, owner) in [(&of_team, "ci"), (&of_workspace, "prod"), (&of_organization, "acme"), (&of_user, "ada")] {
        assert!(!made.secret().is_empty());
        assert_eq!(*made.attribute("owner-name"), owner);
        assert_eq!(*scene.ada.client.get(&path(&made.id())).expect(200).attribute("owner-name"), owner);
    }
    scene.ada.client.delete(&format!("/api/v2/teams/{}", scene.team)).expect(204);
    scene.ada.client.delete(&format!("/api/v2/workspaces/{workspace}")).expect(204);
    let list = "/api/v2/organizations/acme/authentication-tokens?filter[trashed]=only";
    let found = |filter: &str| {
        let listed = scene.ada.client.get(&format!("{list}&{filter}")).expect(200);
        let rows = listed.body["data"].as_array().unwrap().clone();
        rows.iter().map(|row| row["attributes"]["owner-name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(found("sort=owner-name"), ["ci", "prod"]);
    assert_eq!(found("filter[team]=CI"), ["ci"]);
    assert_eq!(found("filter[workspace]=prod"), ["prod"]);
    // Another one of the name has it beside that.
    let again = scene.ada.team("acme", "ci");
    assert!(!scene.ada.team_token(&again).secret().is_empty());
    let both = scene.ada.client.get(&format!("{}&filter[team]=ci", list.replace("only", "with"))).expect(200);
    assert_eq!(both.ids().len(), 2);
    // Of a secret team that is gone nobody learns who did not see it.
    let zoe = scene.app.user("zoe");
    let open = scene.ada.team_with("acme", json!({"name": "open", "visibility": "organization"}));
    scene.ada.add_to_team(&open, &zoe);
    scene.ada.client.delete(&format!("/api/v2/teams/{again}")).expect(204);
    for name in ["team", "workspace"] {
        let value = if name == "team" { "ci" } else { "prod" };
        zoe.client.get(&format!("{list}&filter[{name}]={value}")).expect(400);
    }
    // Users are everybody's, so that site admins alone find their tokens by name.
    let root = scene.app.site_admin("root");
    let bob = scene.app.user("bob");
    let laptop = format!("/api/v2/users/{}/authentication-tokens", bob.id);
    let laptop = bob.client.post(&laptop, &token(json!({"description": "laptop"}))).expect(201);
    assert!(!laptop.secret().is_empty());
    root.client.delete(&format!("/api/v2/admin/users/{}", bob.id)).expect(200);
    let of_bob = "/api/v2/admin/authentication-tokens?filter[user]=bob&filter[trashed]=with&q=laptop";
    let of_bob = root.client.get(of_bob).expect(200);
    assert_eq!(
        (of_bob.ids(), of_bob.body["data"][0]["attributes"]["owner-name"].as_str()),
        (vec![laptop.id()], Some("bob"))
    );
    // As long as the tokens are kept.
    scene.app.sql("DELETE FROM tokens WHERE team_id IS NOT NULL");
    scene.app.sql("DELETE FROM all_teams WHERE deleted_at IS NOT NULL");
    scene.ada.client.get(&format!("{list}&filter[team]=ci")).expect(400);
}

#[test]
fn a_time_can_have_any_form_that_means_one() {
    let scene = Acme::new();
    for (nth, (sent, shown)) in [
        ("2090-04-06T08Z", "2090-04-06T08:00:00.000Z"),
        ("2090-04-06T24:00:00Z", "2090-04-07T00:00:00.000Z"),
        ("2090-04-06T08:30.5Z", "2090-04-06T08:30:30.000Z"),
        ("2090-04-06T08.5Z", "2090-04-06T08:30:00.000Z"),
        ("2090-04-06T08,5+02", "2090-04-06T06:30:00.000Z"),
    ]
    .into_iter()
    .enumerate()
    {
        let made = scene.token(json!({"description": nth.to_string(), "expired-at": sent}));
        assert!(!made.secret().is_empty());
        assert_eq!(*made.attribute("expired-at"), shown, "{sent}");
    }
    let bare = scene.ada.client.post(&scene.many(), &token(json!({"expired-at": "2090-04-06"}))).expect(422);
    assert!(bare.detail().contains("with its offset from UTC"), "{}", bare.detail());
}
