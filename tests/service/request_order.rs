//! The order of the steps of a request (docs/architecture.md, "The way of a request").

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use serde_json::json;

use crate::support::App;
use crate::support::app::resource;
use crate::support::client::MEDIA_TYPE;

/// A stranger with a good token waits for no lock on another tenant's rows, and so takes none.
#[test]
fn a_stranger_takes_no_lock() {
    let app = App::start();
    let (ada, eve) = (app.user("ada"), app.user("eve"));
    ada.organization("acme");
    let team = ada.team("acme", "ci");
    let workspace = ada.workspace("acme", "app");
    let access = ada.give_access(&team, &workspace, "read");
    let team_token = ada.team_token(&team).id();
    let own_token = ada.token_id(&app);
    let membership = ada.memberships().remove(0);
    let mut connection = PgConnection::establish(&app.database_url).unwrap();
    connection
        .batch_execute(
            "BEGIN; SELECT FROM organizations FOR UPDATE; SELECT FROM teams FOR UPDATE; SELECT FROM workspaces FOR UPDATE; \
             SELECT FROM tokens FOR UPDATE; SELECT FROM team_workspaces FOR UPDATE; SELECT FROM memberships FOR UPDATE; \
             SET LOCAL idle_in_transaction_session_timeout = '60s'",
        )
        .unwrap();
    let began = std::time::Instant::now();
    let body = json!({});
    for (method, path) in [
        ("PATCH", "organizations/acme".to_owned()),
        ("DELETE", "organizations/acme".to_owned()),
        ("POST", "organizations/acme/teams".to_owned()),
        ("POST", "organizations/acme/organization-memberships".to_owned()),
        ("POST", "organizations/acme/authentication-token".to_owned()),
        ("DELETE", "organizations/acme/team-tokens".to_owned()),
        ("PATCH", "organizations/acme/token-ttl-policies".to_owned()),
        ("PATCH", "organizations/acme/abilities".to_owned()),
        ("POST", "organizations/acme/workspaces".to_owned()),
        ("PATCH", format!("teams/{team}")),
        ("DELETE", format!("teams/{team}")),
        ("POST", format!("teams/{team}/authentication-token")),
        ("POST", format!("teams/{team}/authentication-tokens")),
        ("DELETE", format!("teams/{team}/authentication-token")),
        ("POST", format!("teams/{team}/relationships/users")),
        ("DELETE", format!("teams/{team}/relationships/organization-memberships")),
        ("PATCH", format!("workspaces/{workspace}")),
        ("POST", format!("workspaces/{workspace}/authentication-tokens")),
        ("PATCH", format!("team-workspaces/{access}")),
        ("DELETE", format!("team-workspaces/{access}")),
        ("PATCH", format!("authentication-tokens/{team_token}")),
        ("DELETE", format!("authentication-tokens/{team_token}")),
        ("POST", format!("authentication-tokens/{own_token}/actions/disable")),
        ("POST", format!("authentication-tokens/{own_token}/actions/regenerate")),
        ("DELETE", format!("organization-memberships/{membership}")),
        ("POST", format!("organization-memberships/{membership}/actions/accept")),
    ] {
        let headers = [("Content-Type", MEDIA_TYPE)];
        let body = body.to_string();
        let answer = eve.client.send(method, &format!("/api/v2/{path}"), &headers, Some(body.as_bytes()));
        assert_eq!(answer.status, 404, "{method} {path}: {}", answer.body);
    }
    assert!(began.elapsed() < std::time::Duration::from_secs(15), "somebody waited: {:?}", began.elapsed());
    connection.batch_execute("ROLLBACK").unwrap();
}

/// Without the form of a secret it is 401 whatever else is wrong, and nothing of the body is read.
#[test]
fn without_a_secret_nothing_else_is_looked_at() {
    let app = App::start();
    let large = "x".repeat(2 * 1024 * 1024);
    let anonymous = app.anonymous();
    for (method, path, body) in [
        ("POST", "organizations?nonsense=1", large.as_str()),
        ("PATCH", "teams/nonsense", "{"),
        ("POST", "team-workspaces", ""),
        ("DELETE", "organizations/a%00/team-tokens", "[]"),
    ] {
        let headers = [("Content-Type", "text/plain")];
        let path = format!("/api/v2/{path}");
        assert_eq!(anonymous.send(method, &path, &headers, Some(body.as_bytes())).status, 401, "{method} {path}");
        let bad = app.with("lku_nonsense");
        assert_eq!(bad.send(method, &path, &headers, Some(body.as_bytes())).status, 401, "{method} {path}");
    }
}

/// Faults of query and body are told only to who may do the thing: 404 and 403 come first.
#[test]
fn faults_are_kept_until_the_caller_may() {
    let app = App::start();
    let (ada, bob, eve) = (app.user("ada"), app.user("bob"), app.user("eve"));
    ada.organization("acme");
    let team = ada.team("acme", "ci");
    ada.add_to_team(&team, &bob);
    let path = "/api/v2/organizations/acme/abilities?nonsense=1";
    let body = resource("abilities", json!({"abilities": "none"}));
    eve.client.patch(path, &body).expect(404);
    bob.client.patch(path, &body).expect(403);
    ada.client.patch(path, &body).expect(400);
    ada.client.patch("/api/v2/organizations/acme/abilities", &body).expect(422);
}
