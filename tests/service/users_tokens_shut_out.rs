//! `user-tokens-enabled` of an organization: whether users' tokens let them in (docs/design.md §4).

use serde_json::json;

use crate::support::app::{Acme, resource};
use crate::support::client::{Answer, Client};
use crate::support::process::{Folder, latchkey, run};

const ORGANIZATION: &str = "/api/v2/organizations/acme";

fn enable(client: &Client, enabled: bool) -> Answer {
    client.patch(ORGANIZATION, &resource("organizations", json!({"user-tokens-enabled": enabled})))
}

#[test]
fn no_users_token_lets_anybody_in() {
    let acme = Acme::new();
    let (bob, root, zoe) = (acme.member("bob"), acme.app.site_admin("root"), acme.app.user("zoe"));
    acme.ada.organization("other");
    let prod = acme.ada.workspace("acme", "prod");
    let owners = acme.app.with(&acme.ada.team_token(&acme.ada.owners_team("acme")).secret());
    let own = acme.ada.client.post_nothing(&format!("{ORGANIZATION}/authentication-token")).expect(201).secret();
    let own = acme.app.with(&own);
    assert_eq!(*acme.ada.client.get(ORGANIZATION).expect(200).attribute("user-tokens-enabled"), true);
    let changed = enable(&acme.ada.client, false).expect(200);
    assert_eq!(*changed.attribute("user-tokens-enabled"), false);
    let paths = [
        ORGANIZATION.to_owned(),
        format!("{ORGANIZATION}/teams"),
        format!("{ORGANIZATION}/authentication-tokens"),
        format!("/api/v2/teams/{}", acme.team),
        format!("/api/v2/workspaces/{prod}"),
    ];
    for path in &paths {
        for user in [&acme.ada, &bob, &root] {
            user.client.get(path).expect(401);
        }
        // Who would not see it otherwise learns nothing.
        zoe.client.get(path).expect(404);
        own.get(path).expect(200);
    }
    acme.ada.client.post_nothing(&acme.one()).expect(401);
    enable(&acme.ada.client, true).expect(401);
    assert_eq!(acme.ada.client.get("/api/v2/organizations").expect(200).ids(), ["other"]);
    acme.ada.client.get("/api/v2/organizations/other").expect(200);
    acme.ada.client.get("/api/v2/account/details").expect(200);
    // Tokens of the owners' team and of the organization go on, and set it back.
    let robot = resource("users", json!({"username": "robot"}));
    let robot = own.post(&format!("{ORGANIZATION}/service-accounts"), &robot).expect(201).id();
    let tokens = format!("/api/v2/users/{robot}/authentication-tokens");
    let robot = acme.app.with(&own.post(&tokens, &resource("authentication-tokens", json!({}))).expect(201).secret());
    robot.get(ORGANIZATION).expect(200);
    assert_eq!(robot.get("/api/v2/organizations").expect(200).ids(), ["acme"], "a service account is no person");
    enable(&owners, true).expect(200);
    for path in &paths {
        acme.ada.client.get(path).expect(200);
    }
    enable(&own, false).expect(200);
    enable(&own, true).expect(200);
}

/// Who has no other token than a user's has shut everybody out.
#[test]
fn the_command_line_lets_users_in_again() {
    let acme = Acme::new();
    enable(&acme.ada.client, false).expect(200);
    acme.ada.client.get(ORGANIZATION).expect(401);
    let data = Folder::new();
    let mut command = latchkey();
    command.args(["organization", "enable-user-tokens", "Acme"]).arg("--data-dir").arg(&*data);
    let done = run(command.args(["--database-url", &acme.app.database_url]));
    assert_eq!(String::from_utf8_lossy(&done.stdout), "Tokens of users let them into acme again.\n");
    acme.ada.client.get(ORGANIZATION).expect(200);
}

/// While it waits for the lock, a user's token may have been shut out.
#[test]
fn who_is_shut_out_meanwhile_changes_nothing() {
    let acme = Acme::new();
    std::thread::scope(|scope| {
        let lock =
            crate::support::holder::Holder::of(&acme.app, "UPDATE all_organizations SET user_tokens_enabled = false");
        let waiting = scope.spawn(|| {
            acme.ada.client.patch(ORGANIZATION, &resource("organizations", json!({"email": "late@example.com"})))
        });
        lock.until_waiting(1);
        lock.release();
        waiting.join().unwrap().expect(401);
    });
    assert_eq!(acme.app.count("organizations WHERE email = 'late@example.com'"), 0);
}
