//! What is deleted is gone at once, whatever it holds; each of its tokens gets its own end (docs/design.md §3, rule 9).

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::app::{Acme, User, resource};
use crate::support::process::{Folder, Served, until};

/// Where `acme`'s tokens are listed, also those that have ended.
const ALL_TOKENS: &str = "/api/v2/organizations/acme/authentication-tokens?filter[trashed]=with&page[size]=100";

/// The events that tell of the ends of tokens with what was deleted.
fn told(acme: &Acme) -> i64 {
    acme.app.count("audit_events WHERE action = 'destroy' AND meta ? 'ended-with'")
}

/// Nothing of what was deleted is left but what is looked at once more.
fn finished(acme: &Acme) -> bool {
    acme.app.count("deletions WHERE NOT looked") == 0
}

/// Tokens of what a condition on `all_teams` names, as they are made in bulk.
fn many_tokens(acme: &Acme, how_many: u32, of_teams: &str) {
    acme.app.sql(&format!(
        "INSERT INTO tokens (id, kind, organization_id, team_id, description, token_hash, token_prefix) \
         SELECT new_id(), 'team', organization_id, id, 'bulk ' || n, \
         sha256(convert_to(id || '/' || n, 'UTF8')), 'lkt_000000' \
         FROM all_teams, generate_series(1, {how_many}) AS n WHERE {of_teams}"
    ));
}

fn event_of(acme: &Acme, token: &str) -> Value {
    let trail = acme.ada.client.post_nothing("/api/v2/organizations/acme/authentication-token").expect(201);
    let trail = acme.app.with(&trail.secret()).get("/api/v2/organization/audit-trail?page[size]=1000").expect(200);
    let events = trail.body["data"].as_array().unwrap();
    let is_it = |event: &&Value| event["resource"]["id"] == token && event["resource"]["action"] == json!("destroy");
    events.iter().find(is_it).cloned().unwrap_or_else(|| panic!("no event of {token} in {events:?}"))
}

#[test]
fn the_tokens_of_a_team_end_with_it_and_each_is_told() {
    let acme = Acme::new();
    let one = acme.ada.team_token(&acme.team);
    let other = acme.ada.described_token(&acme.team, json!({"description": "other"}));
    let before = acme.ada.described_token(&acme.team, json!({"description": "before"}));
    acme.ada.client.delete(&format!("/api/v2/authentication-tokens/{}", before.id())).expect(204);
    acme.ada.client.delete(&format!("/api/v2/teams/{}", acme.team)).expect(204);
    for token in [&one, &other] {
        acme.app.with(&token.secret()).get("/api/v2/account/details").expect(401);
    }
    until("each token's end is told", || told(&acme) == 2);
    for token in [&one, &other] {
        let event = event_of(&acme, &token.id());
        let with = &event["resource"]["meta"]["ended-with"];
        assert_eq!(with["type"], "team");
        assert_eq!(with["id"], json!(acme.team));
        let deletion = format!(
            "audit_events WHERE resource_id = '{}' AND action = 'destroy' AND accessor_description = 'ada'",
            acme.team
        );
        assert_eq!(acme.app.count(&deletion), 1);
        assert_eq!(with["event"], event_of(&acme, &acme.team)["id"], "{with}");
    }
    // They are told of with the team's name, for as long as they are kept.
    let listed = acme.ada.client.get(ALL_TOKENS).expect(200);
    for token in [&one, &other, &before] {
        assert!(listed.ids().contains(&token.id()));
    }
    acme.ada.client.get(&format!("/api/v2/authentication-tokens/{}", one.id())).expect(404);
    let act = format!("/api/v2/authentication-tokens/{}/actions/enable", one.id());
    acme.ada.client.post_nothing(&act).expect(409);
}

/// Before its own row says so, a token has ended for whoever looks.
#[test]
fn a_token_has_ended_with_its_owner_before_its_row_says_so() {
    let acme = Acme::new();
    let workspace = acme.ada.workspace("acme", "app");
    let of_workspace = format!("/api/v2/workspaces/{workspace}/authentication-tokens");
    let made = acme.ada.client.post(&of_workspace, &resource("authentication-tokens", json!({}))).expect(201);
    // As a deletion does it that nobody finishes.
    for (table, token) in [("all_workspaces", &made), ("all_teams", &acme.ada.team_token(&acme.team))] {
        acme.app.sql(&format!("UPDATE {table} SET deleted_at = now() WHERE name IN ('app', 'ci')"));
        acme.app.with(&token.secret()).get("/api/v2/account/details").expect(401);
        let refused = format!("audit_events WHERE action = 'refuse' AND resource_id = '{}'", token.id());
        assert_eq!(acme.app.count(&refused), 1);
        assert_eq!(acme.app.count("tokens WHERE revoked"), 0);
        let listed = acme.ada.client.get(&format!("{ALL_TOKENS}&filter[status]=revoked")).expect(200);
        let shown = listed.body["data"].as_array().unwrap().iter().find(|shown| shown["id"] == token.id()).unwrap();
        assert_eq!(shown["attributes"]["status"], "revoked");
        assert!(shown["attributes"]["revoked-at"].is_string(), "{shown}");
        acme.app.sql(&format!("UPDATE {table} SET deleted_at = NULL"));
        acme.app.with(&token.secret()).get("/api/v2/authentication-tokens/current").expect(200);
    }
}

/// Before its row is removed, a team's access has gone with the team or the workspace.
#[test]
fn access_has_gone_with_either_side_before_its_row_has() {
    let acme = Acme::new();
    let (app, kept) = (acme.ada.workspace("acme", "app"), acme.ada.workspace("acme", "kept"));
    let accesses = [&app, &kept].map(|workspace| acme.ada.give_access(&acme.team, workspace, "read"));
    let of = |what: &str, id: &str| {
        acme.ada.client.get(&format!("/api/v2/team-workspaces?filter[{what}][id]={id}")).expect(200).ids()
    };
    // As a deletion does it that nobody finishes.
    acme.app.sql("UPDATE all_workspaces SET deleted_at = now() WHERE name = 'app'");
    acme.ada.client.get(&format!("/api/v2/team-workspaces/{}", accesses[0])).expect(404);
    assert_eq!(of("team", &acme.team), [accesses[1].clone()]);
    acme.app.sql("UPDATE all_teams SET deleted_at = now() WHERE name = 'ci'");
    acme.ada.client.get(&format!("/api/v2/team-workspaces/{}", accesses[1])).expect(404);
    assert_eq!(of("workspace", &kept), [""; 0]);
}

#[test]
fn names_are_free_again_and_the_old_ids_name_nothing() {
    let acme = Acme::new();
    let workspace = acme.ada.workspace("acme", "app");
    let access = acme.ada.give_access(&acme.team, &workspace, "read");
    let bob = acme.app.user("bob");
    acme.ada.add_to_team(&acme.team, &bob);
    let [membership] = &bob.memberships()[..] else { panic!("bob is in acme alone") };
    acme.ada.client.delete(&format!("/api/v2/teams/{}", acme.team)).expect(204);
    acme.ada.client.get(&format!("/api/v2/team-workspaces/{access}")).expect(404);
    bob.client.get("/api/v2/organizations/acme").expect(200);
    let team = acme.ada.team("acme", "ci");
    acme.ada.client.delete(&format!("/api/v2/workspaces/{workspace}")).expect(204);
    acme.ada.workspace("acme", "app");
    acme.ada.client.delete("/api/v2/organizations/acme").expect(204);
    let root = acme.app.site_admin("root");
    for client in [&acme.ada.client, &bob.client, &root.client] {
        client.get("/api/v2/organizations/acme").expect(404);
        client.get(&format!("/api/v2/teams/{team}")).expect(404);
        client.get(&format!("/api/v2/workspaces/{workspace}")).expect(404);
        client.get(&format!("/api/v2/organization-memberships/{membership}")).expect(404);
        client.post_nothing(&format!("/api/v2/teams/{team}/authentication-token")).expect(404);
        assert!(client.get("/api/v2/organizations").expect(200).ids().is_empty());
    }
    assert_eq!(bob.memberships(), Vec::<String>::new());
    acme.ada.organization("acme");
    bob.client.get("/api/v2/organizations/acme").expect(404);
    until("the rest is removed", || finished(&acme));
    let left = acme
        .app
        .count("memberships JOIN all_organizations AS o ON o.id = organization_id WHERE deleted_at IS NOT NULL");
    assert_eq!(left, 0);
    assert_eq!(acme.app.count("team_members"), 1);
    assert_eq!(acme.app.count("team_workspaces"), 0);
}

/// Whatever it holds, its deletion answers within a second, and others go on.
#[test]
fn a_big_organization_is_deleted_at_once() {
    let acme = Acme::new();
    let zoe = acme.app.user("zoe");
    zoe.organization("other");
    acme.app.sql(
        "INSERT INTO all_teams (id, organization_id, name) \
         SELECT new_id(), id, 'team' || n FROM organizations, generate_series(1, 1500) AS n WHERE name = 'acme'",
    );
    many_tokens(&acme, 20, "name LIKE 'team%'");
    let tokens = acme.app.count("tokens WHERE organization_id IS NOT NULL");
    let began = Instant::now();
    acme.ada.client.delete("/api/v2/organizations/acme").expect(204);
    let took = began.elapsed();
    assert!(took < Duration::from_secs(1), "{took:?}");
    let mut in_turn = 0;
    while acme.app.count("deletions WHERE kind = 'organization' AND NOT looked") > 0 {
        let began = Instant::now();
        zoe.client.get("/api/v2/organizations/other").expect(200);
        let small = zoe.team("other", "small");
        let token = zoe.team_token(&small);
        zoe.client.delete(&format!("/api/v2/teams/{small}")).expect(204);
        acme.app.with(&token.secret()).get("/api/v2/account/details").expect(401);
        let took = began.elapsed();
        assert!(took < Duration::from_secs(2), "another tenant waited {took:?}");
        if in_turn == 0 {
            let told = format!("audit_events WHERE meta->'ended-with'->>'id' = '{small}'");
            until("the small deletion has had its turn", || acme.app.count(&told) == 1);
            in_turn = acme.app.count("deletions WHERE kind = 'organization' AND NOT looked");
        }
    }
    assert_eq!(in_turn, 1, "the big one was still under way when a small one was finished");
    let of_acme = "audit_events WHERE action = 'destroy' AND meta->'ended-with'->>'type' = 'organization'";
    assert_eq!(acme.app.count(of_acme), tokens);
    assert_eq!(
        acme.app
            .count(&format!("(SELECT DISTINCT resource_id {}) AS told", of_acme.replacen("audit", "FROM audit", 1))),
        tokens
    );
    let live = "tokens JOIN all_organizations AS o ON o.id = organization_id WHERE NOT revoked AND o.name = 'acme'";
    assert_eq!(acme.app.count(live), 0);
    // Not more than 500 in one transaction, which is one time.
    let batches = format!("(SELECT count(*) AS size FROM {of_acme} GROUP BY xmin::text) AS batches");
    assert_eq!(acme.app.count(&format!("{batches} WHERE size > 500")), 0);
}

/// A request that had begun before the deletion may write after it.
#[test]
fn a_token_that_is_made_a_moment_too_late_ends_as_well() {
    let acme = Acme::new();
    acme.ada.client.delete(&format!("/api/v2/teams/{}", acme.team)).expect(204);
    until("nothing is left", || finished(&acme));
    many_tokens(&acme, 1, "name = 'ci'");
    acme.app.sql("UPDATE deletions SET due_at = now()");
    until("it has ended", || told(&acme) == 1);
    until("it is looked at again", || finished(&acme));
    acme.app.sql("UPDATE deletions SET due_at = now()");
    until("the deletion is over", || acme.app.count("deletions") == 0);
}

/// A grace that was over by then ended the token, and its replacement has told it.
#[test]
fn what_had_ended_before_is_not_told_again() {
    let acme = Acme::new();
    let one = acme.ada.team_token(&acme.team);
    acme.app.sql("UPDATE tokens SET revoked_at = now() - interval '1 s' WHERE team_id IS NOT NULL");
    let other = acme.ada.described_token(&acme.team, json!({"description": "in its grace"}));
    acme.app.sql("UPDATE tokens SET revoked_at = now() + interval '1 hour' WHERE description = 'in its grace'");
    acme.ada.client.delete(&format!("/api/v2/teams/{}", acme.team)).expect(204);
    until("the deletion is finished", || finished(&acme));
    assert_eq!(told(&acme), 1);
    event_of(&acme, &other.id());
    let past = "tokens WHERE revoked AND revoked_at <= now() AND team_id IS NOT NULL";
    assert_eq!(acme.app.count(past), 2);
    acme.app.with(&one.secret()).get("/api/v2/account/details").expect(401);
}

#[test]
fn the_row_stays_as_long_as_a_token_names_it() {
    let acme = Acme::new();
    acme.ada.team_token(&acme.team);
    let workspace = acme.ada.workspace("acme", "app");
    acme.ada.client.delete(&format!("/api/v2/teams/{}", acme.team)).expect(204);
    acme.ada.client.delete(&format!("/api/v2/workspaces/{workspace}")).expect(204);
    until("the deletions are finished", || finished(&acme));
    for _ in 0..2 {
        acme.app.sql("UPDATE deletions SET due_at = now()");
        until("they are looked at", || acme.app.count("deletions WHERE due_at <= now()") == 0);
    }
    assert_eq!(acme.app.count("deletions"), 0);
    acme.app.sql("UPDATE all_teams SET deleted_at = now() - interval '91 days' WHERE deleted_at IS NOT NULL");
    acme.app.sql("UPDATE all_workspaces SET deleted_at = now() - interval '91 days' WHERE deleted_at IS NOT NULL");
    let data = Folder::new();
    let keep = || Served::on(&acme.app.database_url, &data, &["--revoked-retention", "90d"]);
    let service = keep();
    until("the workspace is removed", || acme.app.count("all_workspaces") == 0);
    assert_eq!(acme.app.count("all_teams WHERE name = 'ci'"), 1);
    assert!(service.stop());
    acme.app.sql("UPDATE tokens SET revoked_at = now() - interval '91 days' WHERE revoked");
    let service = keep();
    until("the team is removed after its token", || acme.app.count("all_teams WHERE name = 'ci'") == 0);
    assert_eq!(acme.app.count("tokens WHERE team_id IS NOT NULL"), 0);
    assert!(service.stop());
}

/// Who made a token that lives on stays by name, and an organization until nothing of it is left.
#[test]
fn a_maker_stays_as_long_as_the_tokens_and_an_organization_as_long_as_its_parts() {
    let acme = Acme::new();
    let (bob, root) = (acme.app.user("bob"), acme.app.site_admin("root"));
    acme.ada.organization("gone");
    acme.ada.workspace("acme", "app");
    acme.ada.add_to_team(&acme.team, &bob);
    let made = bob.described_token(&acme.team, json!({"description": "by bob"}));
    root.client.delete(&format!("/api/v2/admin/users/{}", bob.id)).expect(200);
    acme.ada.client.delete("/api/v2/organizations/gone").expect(204);
    let over = || {
        for _ in 0..2 {
            until("the deletions are finished", || finished(&acme));
            acme.app.sql("UPDATE deletions SET due_at = now()");
            until("they are looked at", || acme.app.count("deletions WHERE due_at <= now()") == 0);
        }
        for kept in ["all_users", "all_teams", "all_workspaces", "all_projects", "all_organizations"] {
            let long_ago = "SET deleted_at = now() - interval '91 days' WHERE deleted_at IS NOT NULL";
            acme.app.sql(&format!("UPDATE {kept} {long_ago}"));
        }
        acme.app.sql("UPDATE tokens SET revoked_at = now() - interval '91 days' WHERE revoked");
    };
    let data = Folder::new();
    let keep = || Served::on(&acme.app.database_url, &data, &["--revoked-retention", "90d"]);
    over();
    let service = keep();
    // Organizations are looked at after users.
    until("the empty organization has gone", || acme.app.count("all_organizations WHERE name = 'gone'") == 0);
    assert!(service.stop());
    assert_eq!(acme.app.count("tokens WHERE user_id IN (SELECT id FROM all_users WHERE username = 'bob')"), 0);
    let shown = acme.ada.client.get(&format!("/api/v2/authentication-tokens/{}", made.id())).expect(200);
    assert_eq!(*shown.attribute("created-by-name"), "bob");
    acme.ada.client.delete("/api/v2/organizations/acme").expect(204);
    over();
    let service = keep();
    for all in ["all_organizations", "all_teams", "all_workspaces", "all_projects", "all_users WHERE username = 'bob'"]
    {
        until(all, || acme.app.count(all) == 0);
    }
    assert!(service.stop());
    assert_eq!(acme.app.count("tokens WHERE organization_id IS NOT NULL"), 0);
}

/// Whoever comes while something is being deleted gets 404, and makes nothing in it.
#[test]
fn many_at_once_make_no_token_that_works_in_what_is_deleted() {
    let acme = Acme::new();
    let teams: Vec<String> = (0..8).map(|n| acme.ada.team("acme", &format!("team-{n}"))).collect();
    let secrets: Vec<String> = std::thread::scope(|scope| {
        let makers: Vec<_> = teams
            .iter()
            .map(|team| {
                let (ada, team): (&User, &String) = (&acme.ada, team);
                scope.spawn(move || {
                    let path = format!("/api/v2/teams/{team}/authentication-token");
                    let answers = (0..20).map(|_| ada.client.post_nothing(&path));
                    answers.filter(|answer| answer.status == 201).map(|answer| answer.secret()).collect::<Vec<_>>()
                })
            })
            .collect();
        for team in &teams[..4] {
            acme.ada.client.delete(&format!("/api/v2/teams/{team}")).expect(204);
        }
        acme.ada.client.delete("/api/v2/organizations/acme").expect(204);
        makers.into_iter().flat_map(|maker| maker.join().unwrap()).collect()
    });
    assert!(!secrets.is_empty());
    for secret in &secrets {
        acme.app.with(secret).get("/api/v2/account/details").expect(401);
    }
    until("all is finished", || finished(&acme));
    assert_eq!(acme.app.count("tokens WHERE NOT revoked AND organization_id IS NOT NULL"), 0);
}
