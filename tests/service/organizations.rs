//! `organizations`, `organizations/:name` and its `entitlement-set`.

use serde_json::{Value, json};

use crate::support::App;
use crate::support::app::resource;

#[test]
fn a_list_holds_only_the_organizations_one_is_in() {
    let app = App::start();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    ada.organization("acme");
    bob.organization("bobs");
    let secret = bob.team_token(&bob.team("bobs", "ci")).secret();
    assert_eq!(ada.client.get("/api/v2/organizations").expect(200).ids(), ["acme"]);
    assert_eq!(app.with(&secret).get("/api/v2/organizations").expect(200).ids(), ["bobs"]);
    assert!(app.user("eve").client.get("/api/v2/organizations").expect(200).ids().is_empty());
}

#[test]
fn q_searches_in_name_and_email_without_regard_to_case() {
    let app = App::start();
    let ada = app.user("ada");
    for (name, email) in [("Acme", "a@north.example"), ("bobs", "b@south.example"), ("northern", "c@west.example")] {
        let document = resource("organizations", json!({"name": name, "email": email}));
        ada.client.post("/api/v2/organizations", &document).expect(201);
    }
    let found = |query: &str| ada.client.get(&format!("/api/v2/organizations?{query}")).expect(200).ids();
    assert_eq!(found("q=aCm"), ["Acme"]);
    assert_eq!(found("q=NORTH"), ["Acme", "northern"]);
    assert_eq!(found("q[name]=north"), ["northern"]);
    assert_eq!(found("q[email]=North"), ["Acme"]);
    assert_eq!(found("q[name]=b&q[email]=south"), ["bobs"]);
    assert!(found("q[name]=b&q[email]=north").is_empty());
    assert!(found("q=nothing").is_empty());
}

#[test]
fn q_goes_before_q_name_and_q_email() {
    let (_app, ada) = App::with_acme();
    ada.organization("bobs");
    let found = ada.client.get("/api/v2/organizations?q=acme&q[name]=bobs&q[email]=nobody").expect(200);
    assert_eq!(found.ids(), ["acme"]);
}

#[test]
fn the_wildcards_of_sql_are_ordinary_characters_in_q() {
    let app = App::start();
    let ada = app.user("ada");
    ada.organization("a_b");
    ada.organization("axb");
    let found = |query: &str| ada.client.get(&format!("/api/v2/organizations?{query}")).expect(200).ids();
    assert_eq!(found("q=a_b"), ["a_b"]);
    assert!(found("q=%25").is_empty());
    assert!(found("q=%5C").is_empty());
}

#[test]
fn a_list_is_sorted_by_what_is_asked() {
    let app = App::start();
    let ada = app.user("ada");
    for name in ["bobs", "acme", "cats"] {
        ada.organization(name);
    }
    let sorted = |query: &str| ada.client.get(&format!("/api/v2/organizations{query}")).expect(200).ids();
    assert_eq!(sorted("?sort=name"), ["acme", "bobs", "cats"]);
    assert_eq!(sorted("?sort=-name"), ["cats", "bobs", "acme"]);
    assert_eq!(sorted("?sort=created-at"), ["bobs", "acme", "cats"]);
    assert_eq!(sorted("?sort=-created-at,name"), ["cats", "acme", "bobs"]);
}

#[test]
fn a_list_has_numbered_pages_with_links_that_lead_on() {
    let app = App::start();
    let ada = app.user("ada");
    for name in ["a", "b", "c", "d", "e"] {
        ada.organization(name);
    }
    let page = ada.client.get("/api/v2/organizations?page[number]=2&page[size]=2&sort=name").expect(200);
    assert_eq!(page.ids(), ["c", "d"]);
    assert_eq!(
        page.body["meta"]["pagination"],
        json!({
            "from": 3, "to": 4, "current-page": 2, "page-size": 2, "prev-page": 1, "next-page": 3, "total-pages": 3, "total-count": 5
        })
    );
    let host = format!("http://{}", app.address);
    let follow = |name: &str| {
        let link = page.body["links"][name].as_str().unwrap();
        assert!(!link.contains(['[', ']']), "{link} is percent-encoded");
        ada.client.get(link.strip_prefix(&host).unwrap()).expect(200).ids()
    };
    assert_eq!(follow("self"), ["c", "d"]);
    assert_eq!(follow("first"), ["a", "b"]);
    assert_eq!(follow("prev"), ["a", "b"]);
    assert_eq!(follow("next"), ["e"]);
    assert_eq!(follow("last"), ["e"]);
    let last = ada.client.get("/api/v2/organizations?page[number]=3&page[size]=2").expect(200);
    assert_eq!(last.body["links"]["next"], Value::Null);
    assert_eq!(last.body["meta"]["pagination"]["next-page"], Value::Null);
}

#[test]
fn a_page_past_the_end_is_empty_and_a_size_over_100_counts_as_100() {
    let (_app, ada) = App::with_acme();
    let past = ada.client.get("/api/v2/organizations?page[number]=7").expect(200);
    assert!(past.ids().is_empty());
    assert_eq!(past.body["meta"]["pagination"]["total-count"], 1);
    let wide = ada.client.get("/api/v2/organizations?page[size]=1000").expect(200);
    assert_eq!(wide.body["meta"]["pagination"]["page-size"], 100);
    let usual = ada.client.get("/api/v2/organizations").expect(200);
    assert_eq!(usual.body["meta"]["pagination"]["page-size"], 20);
}

#[test]
fn a_list_can_be_walked_by_cursor() {
    let app = App::start();
    let ada = app.user("ada");
    for name in ["a", "b", "c", "d", "e"] {
        ada.organization(name);
    }
    let host = format!("http://{}", app.address);
    let accept = "application/vnd.api+json; profile=\"https://jsonapi.org/profiles/ethanresnick/cursor-pagination/\"";
    let mut path = "/api/v2/organizations?sort=-name&page[size]=2".to_owned();
    let (mut seen, mut links) = (vec![], vec![]);
    loop {
        let page = ada.client.send("GET", &path, &[("Accept", accept)], None).expect(200);
        seen.extend(page.ids());
        links.push(page.body["links"]["prev"].clone());
        let Some(next) = page.body["links"]["next"].as_str() else { break };
        path = next.strip_prefix(&host).unwrap().to_owned();
    }
    assert_eq!(seen, ["e", "d", "c", "b", "a"]);
    let back = links.last().unwrap().as_str().unwrap().strip_prefix(&host).unwrap();
    assert_eq!(ada.client.get(back).expect(200).ids(), ["c", "b"]);
}

#[test]
fn an_entitlement_set_can_be_included() {
    let app = App::start();
    let ada = app.user("ada");
    let acme = ada.organization("acme");
    for path in ["/api/v2/organizations?include=entitlement-set", "/api/v2/organizations/acme?include=entitlement_set"]
    {
        let answer = ada.client.get(path).expect(200);
        let included = answer.body["included"].as_array().unwrap();
        assert_eq!(included.len(), 1, "{path}");
        assert_eq!(included[0]["type"], "entitlement-sets");
        assert_eq!(included[0]["id"], *acme.attribute("external-id"));
    }
    let plain = ada.client.get("/api/v2/organizations/acme").expect(200);
    assert!(plain.body.get("included").is_none());
}

#[test]
fn fields_choose_what_is_shown() {
    let (_app, ada) = App::with_acme();
    let sparse = ada.client.get("/api/v2/organizations/acme?fields[organizations]=email,entitlement-set").expect(200);
    assert_eq!(sparse.body["data"]["attributes"], json!({"email": "admin@example.com"}));
    let relationships = sparse.body["data"]["relationships"].as_object().unwrap();
    assert_eq!(relationships.keys().collect::<Vec<_>>(), ["entitlement-set"]);
    let refused = ada.client.get("/api/v2/organizations/acme?fields[organizations]=nonsense").expect(400);
    assert_eq!(refused.blamed(), ["fields[organizations]"]);
}

#[test]
fn who_makes_an_organization_owns_it() {
    let app = App::start();
    let ada = app.user("ada");
    let made = ada.organization("acme");
    assert_eq!(made.id(), "acme");
    assert_eq!(made.header("Location"), made.body["data"]["links"]["self"].as_str());
    assert_eq!(made.attribute("permissions")["can-destroy"], true);
    assert!(made.attribute("external-id").as_str().unwrap().starts_with("org-"));
    let teams = ada.client.get("/api/v2/organizations/acme/teams?include=users").expect(200);
    assert_eq!(teams.body["data"][0]["attributes"]["name"], "owners");
    assert_eq!(teams.body["included"][0]["attributes"]["username"], "ada");
    assert_eq!(teams.ids().len(), 1);
    assert_eq!(app.count("memberships WHERE status = 'active'"), 1);
}

#[test]
fn only_a_user_makes_an_organization() {
    let (app, ada) = App::with_acme();
    let secret = ada.team_token(&ada.owners_team("acme")).secret();
    let document = resource("organizations", json!({"name": "other", "email": "a@example.com"}));
    let refused = app.with(&secret).post("/api/v2/organizations", &document).expect(403);
    assert_eq!(refused.detail(), "Only a person's token may create an organization");
    assert_eq!(app.count("organizations"), 1);
}

#[test]
fn a_name_holds_1_to_90_letters_digits_hyphens_and_underscores() {
    let app = App::start();
    let ada = app.user("ada");
    let create = |name: &str| {
        let document = resource("organizations", json!({"name": name, "email": "a@example.com"}));
        ada.client.post("/api/v2/organizations", &document)
    };
    for name in ["a", "A-b_9", &"x".repeat(90)] {
        assert_eq!(create(name).expect(201).id(), name);
    }
    for name in ["", " ", "a b", "a.b", "a/b", "a%2Fb", "ä", "a\n", "名前", &"x".repeat(91)] {
        assert_eq!(create(name).expect(422).blamed(), ["/data/attributes/name"], "{name:?}");
    }
    // Pages of the console are there.
    for name in ["settings", "inspect", "admin", "new", "login", "sign-in", "Settings", "SIGN-IN"] {
        let refused = create(name).expect(422);
        assert!(refused.detail().contains("a page of the console"), "{name:?}: {}", refused.detail());
    }
    let renamed = resource("organizations", json!({"name": "login"}));
    ada.client.patch("/api/v2/organizations/a", &renamed).expect(422);
}

#[test]
fn an_organization_name_is_unique_without_regard_to_case() {
    let app = App::start();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    ada.organization("Acme");
    let document = resource("organizations", json!({"name": "aCME", "email": "b@example.com"}));
    let refused = bob.client.post("/api/v2/organizations", &document).expect(422);
    assert_eq!(refused.blamed(), ["/data/attributes/name"]);
    assert_eq!(refused.detail(), "Name has already been taken");
    bob.organization("bobs");
    let renaming = resource("organizations", json!({"name": "ACME"}));
    let refused = bob.client.patch("/api/v2/organizations/bobs", &renaming).expect(422);
    assert_eq!(refused.blamed(), ["/data/attributes/name"]);
    ada.client.patch("/api/v2/organizations/Acme", &renaming).expect(200);
}

#[test]
fn name_and_email_are_required_and_every_fault_is_told() {
    let app = App::start();
    let ada = app.user("ada");
    let create = |attributes| ada.client.post("/api/v2/organizations", &resource("organizations", attributes));
    let both = ["/data/attributes/email", "/data/attributes/name"];
    assert_eq!(create(json!({})).expect(422).blamed(), both);
    assert_eq!(create(json!({"name": null, "email": null})).expect(422).blamed(), both);
    assert_eq!(create(json!({"name": "a b", "email": "nobody"})).expect(422).blamed(), both);
    assert_eq!(create(json!({"name": 7, "email": ["a@example.com"]})).expect(422).blamed(), both);
    assert_eq!(app.count("organizations"), 0);
}

#[test]
fn settings_are_stored_and_returned() {
    let (_app, ada) = App::with_acme();
    let settings = json!({
        "email": "new@example.com",
        "session-timeout": 30,
        "session-remember": 60,
        "collaborator-auth-policy": "two_factor_mandatory",
        "cost-estimation-enabled": true,
        "send-passing-statuses-for-untriggered-speculative-plans": true,
        "aggregated-commit-status-enabled": false,
        "speculative-plan-management-enabled": false,
        "allow-force-delete-workspaces": true,
        "owners-team-saml-role-id": "role",
        "assessments-enforced": true,
        "default-execution-mode": "agent",
        "stacks-default-execution-mode": "agent",
    });
    let changed =
        ada.client.patch("/api/v2/organizations/acme", &resource("organizations", settings.clone())).expect(200);
    let shown = ada.client.get("/api/v2/organizations/acme").expect(200);
    for (name, value) in settings.as_object().unwrap() {
        assert_eq!(changed.attribute(name), value, "{name}");
        assert_eq!(shown.attribute(name), value, "{name}");
    }
}

/// What binds its tokens can be said when it is made.
#[test]
fn the_rules_of_its_tokens_come_back_as_they_were_written() {
    let app = App::start();
    let ada = app.user("ada");
    let rules = json!({"allowed-token-roles": ["viewer", "manager"], "default-token-format": "jwt"});
    let mut attributes = rules.clone();
    attributes["name"] = json!("acme");
    attributes["email"] = json!("a@example.com");
    let made = ada.client.post("/api/v2/organizations", &resource("organizations", attributes)).expect(201);
    let shown = ada.client.get("/api/v2/organizations/acme").expect(200);
    for (name, value) in rules.as_object().unwrap() {
        assert_eq!((made.attribute(name), shown.attribute(name)), (value, value), "{name}");
    }
    ada.organization("usual");
    let usual = ada.client.get("/api/v2/organizations/usual").expect(200);
    assert_eq!(usual.attribute("allowed-token-roles"), &serde_json::Value::Null);
    assert_eq!(usual.attribute("default-token-format"), "opaque");
}

#[test]
fn null_unknown_and_read_only_attributes_change_nothing() {
    let (_app, ada) = App::with_acme();
    let timed = resource("organizations", json!({"session-timeout": 30, "owners-team-saml-role-id": "role"}));
    let before = ada.client.patch("/api/v2/organizations/acme", &timed).expect(200);
    let changes = json!({
        "name": null, "email": null, "cost-estimation-enabled": null, "default-execution-mode": null,
        "external-id": "org-mine", "created-at": "yesterday", "permissions": {"can-destroy": false}, "colour": "red",
    });
    let after = ada.client.patch("/api/v2/organizations/acme", &resource("organizations", changes)).expect(200);
    assert_eq!(after.body["data"], before.body["data"]);
    // These two are null where they are not set, so null takes them back.
    let unset = resource("organizations", json!({"session-timeout": null, "owners-team-saml-role-id": null}));
    let after = ada.client.patch("/api/v2/organizations/acme", &unset).expect(200);
    assert_eq!(*after.attribute("session-timeout"), Value::Null);
    assert_eq!(*after.attribute("owners-team-saml-role-id"), Value::Null);
}

#[test]
fn attribute_names_may_be_spelled_with_underscores() {
    let (_app, ada) = App::with_acme();
    let changes = json!({"cost_estimation_enabled": true, "session_timeout": 5});
    let changed = ada.client.patch("/api/v2/organizations/acme", &resource("organizations", changes)).expect(200);
    assert_eq!(*changed.attribute("cost-estimation-enabled"), true);
    assert_eq!(*changed.attribute("session-timeout"), 5);
    let wrong = resource("organizations", json!({"cost_estimation_enabled": "yes"}));
    ada.client.patch("/api/v2/organizations/acme", &wrong).expect(422);
}

#[test]
fn settings_are_validated() {
    let app = App::start();
    let ada = app.user("ada");
    let before = ada.organization("acme");
    for (name, value) in [
        ("email", json!("nobody")),
        ("session-timeout", json!(-1)),
        ("session-timeout", json!(99_999_999_999_i64)),
        ("session-remember", json!("an hour")),
        ("collaborator-auth-policy", json!("none")),
        ("cost-estimation-enabled", json!("yes")),
        ("default-execution-mode", json!("elsewhere")),
        ("stacks-default-execution-mode", json!("local")),
    ] {
        let document = resource("organizations", json!({name: value}));
        let refused = ada.client.patch("/api/v2/organizations/acme", &document).expect(422);
        assert_eq!(refused.blamed(), [format!("/data/attributes/{name}")]);
    }
    let after = ada.client.get("/api/v2/organizations/acme").expect(200);
    assert_eq!(after.body["data"], before.body["data"]);
}

#[test]
fn a_renamed_organization_is_found_under_its_new_name_only() {
    let app = App::start();
    let ada = app.user("ada");
    let before = ada.organization("acme");
    let team = ada.team("acme", "ci");
    let secret = ada.team_token(&team).secret();
    let renamed =
        ada.client.patch("/api/v2/organizations/acme", &resource("organizations", json!({"name": "emca"}))).expect(200);
    assert_eq!(renamed.id(), "emca");
    assert_eq!(renamed.attribute("external-id"), before.attribute("external-id"));
    ada.client.get("/api/v2/organizations/acme").expect(404);
    app.with(&secret).get("/api/v2/organizations/emca").expect(200);
    let shown = ada.client.get(&format!("/api/v2/teams/{team}")).expect(200);
    assert_eq!(shown.body["data"]["relationships"]["organization"]["data"]["id"], "emca");
}

#[test]
fn everything_in_a_deleted_organization_is_gone() {
    let (app, ada) = App::with_acme();
    ada.organization("other");
    let team = ada.team("acme", "ci");
    let token = ada.team_token(&team);
    let described = ada.described_token(&team, json!({"description": "nightly"}));
    let remaining = ada.team_token(&ada.team("other", "ci")).secret();
    ada.client.delete("/api/v2/organizations/acme").expect(204);
    for secret in [token.secret(), described.secret()] {
        app.with(&secret).get("/api/v2/account/details").expect(401);
    }
    for path in [
        "/api/v2/organizations/acme",
        "/api/v2/organizations/acme/teams",
        &format!("/api/v2/teams/{team}"),
        &format!("/api/v2/authentication-tokens/{}", token.id()),
    ] {
        ada.client.get(path).expect(404);
    }
    ada.client.delete("/api/v2/organizations/acme").expect(404);
    app.with(&remaining).get("/api/v2/account/details").expect(200);
    assert_eq!(app.count("teams"), 2, "those of the other organization");
    assert_eq!(app.count("audit_events WHERE resource_type = 'organization' AND action = 'destroy'"), 1);
    ada.organization("acme");
}

#[test]
fn an_entitlement_set_tells_what_there_is() {
    let app = App::start();
    let ada = app.user("ada");
    let acme = ada.organization("acme");
    let shown = ada.client.get("/api/v2/organizations/acme/entitlement-set").expect(200);
    assert_eq!(shown.body["data"]["type"], "entitlement-sets");
    assert_eq!(shown.id(), *acme.attribute("external-id"));
    for name in ["teams", "audit-logging"] {
        assert_eq!(*shown.attribute(name), true, "{name}");
    }
    for name in ["sso", "operations", "state-storage"] {
        assert_eq!(*shown.attribute(name), false, "{name}");
    }
    assert!(shown.body["data"]["attributes"].as_object().unwrap().contains_key("user-limit"));
    app.user("eve").client.get("/api/v2/organizations/acme/entitlement-set").expect(404);
}

#[test]
fn a_member_sees_an_organization_but_cannot_change_it() {
    let app = App::start();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    ada.organization("acme");
    ada.add_to_team(&ada.team("acme", "ci"), &bob);
    let shown = bob.client.get("/api/v2/organizations/acme").expect(200);
    assert_eq!(shown.attribute("permissions")["can-update"], false);
    assert_eq!(shown.attribute("permissions")["can-destroy"], false);
    let renaming = resource("organizations", json!({"name": "mine"}));
    bob.client.patch("/api/v2/organizations/acme", &renaming).expect(403);
    bob.client.delete("/api/v2/organizations/acme").expect(403);
    ada.client.get("/api/v2/organizations/acme").expect(200);
}

#[test]
fn a_stranger_cannot_tell_an_organization_from_none() {
    let app = App::start();
    let (ada, eve) = (app.user("ada"), app.user("eve"));
    ada.organization("acme");
    let renaming = resource("organizations", json!({"name": "mine"}));
    let team = resource("teams", json!({"name": "ci"}));
    let ask = |name: &str| {
        let path = format!("/api/v2/organizations/{name}");
        [
            eve.client.get(&path),
            eve.client.patch(&path, &renaming),
            eve.client.delete(&path),
            eve.client.get(&format!("{path}/entitlement-set")),
            eve.client.get(&format!("{path}/teams")),
            eve.client.post(&format!("{path}/teams"), &team),
            eve.client.get(&format!("{path}/team-tokens")),
        ]
    };
    for (mut hidden, mut absent) in ask("acme").into_iter().zip(ask("emca")) {
        assert_eq!((hidden.status, absent.status), (404, 404));
        for answer in [&mut hidden, &mut absent] {
            answer.body["errors"][0]["id"].take();
            answer.headers.remove("x-request-id");
            answer.headers.remove("date");
        }
        assert_eq!(hidden.body.to_string(), absent.body.to_string());
        assert_eq!(hidden.headers, absent.headers);
    }
}

#[test]
fn a_token_of_one_organization_cannot_see_another() {
    let (app, ada) = App::with_acme();
    ada.organization("other");
    let team = ada.team("other", "ci");
    let acme = app.with(&ada.team_token(&ada.owners_team("acme")).secret());
    acme.get("/api/v2/organizations/acme").expect(200);
    for path in [
        "/api/v2/organizations/other",
        "/api/v2/organizations/other/teams",
        "/api/v2/organizations/other/team-tokens",
        &format!("/api/v2/teams/{team}"),
        &format!("/api/v2/teams/{team}/authentication-tokens"),
    ] {
        acme.get(path).expect(404);
    }
    acme.delete(&format!("/api/v2/teams/{team}")).expect(404);
}

#[test]
fn a_site_admin_sees_and_changes_every_organization() {
    let app = App::start();
    let (ada, root) = (app.user("ada"), app.site_admin("root"));
    ada.organization("acme");
    ada.organization("bobs");
    assert_eq!(root.client.get("/api/v2/organizations").expect(200).ids(), ["acme", "bobs"]);
    let shown = root.client.get("/api/v2/organizations/acme").expect(200);
    assert_eq!(shown.attribute("permissions")["can-update"], true);
    let change = resource("organizations", json!({"email": "root@example.com"}));
    let changed = root.client.patch("/api/v2/organizations/acme", &change).expect(200);
    assert_eq!(*changed.attribute("email"), "root@example.com");
    root.client.delete("/api/v2/organizations/bobs").expect(204);
    assert_eq!(ada.client.get("/api/v2/organizations").expect(200).ids(), ["acme"]);
}
