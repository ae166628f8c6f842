//! What ends a token, and how its use is counted (docs/design.md §3, rules 3, 4, 6 and 7).

use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};

use crate::support::App;
use crate::support::app::{Acme, User};
use crate::support::client::Answer;

struct Scene {
    app: App,
    ada: User,
    team: String,
    token: Answer,
}

impl Scene {
    fn set() -> Self {
        let Acme { app, ada, team } = Acme::new();
        let token = ada.team_token(&team);
        Self { app, ada, team, token }
    }

    fn use_it(&self) -> Answer {
        self.app.with(&self.token.secret()).get(&format!("/api/v2/teams/{}", self.team))
    }

    fn update(&self, change: &str) {
        self.app.sql(&format!("UPDATE tokens SET {change} WHERE kind = 'team'"));
    }
}

#[test]
fn a_token_stops_at_its_expiry() {
    let scene = Scene::set();
    let soon = (Utc::now() + TimeDelta::milliseconds(3000)).to_rfc3339();
    let token = scene.ada.described_token(&scene.team, json!({"description": "short", "expired-at": soon}));
    let client = scene.app.with(&token.secret());
    client.get("/api/v2/organizations/acme").expect(200);
    std::thread::sleep(Duration::from_millis(3100));
    client.get("/api/v2/organizations/acme").expect(401);
    // It stays listed, so that people see that it is over.
    let listed =
        scene.ada.client.get("/api/v2/organizations/acme/team-tokens?filter[expiry_status]=expired").expect(200);
    assert_eq!(listed.ids(), [token.id()]);
}

#[test]
fn a_disabled_token_works_again_when_enabled() {
    let scene = Scene::set();
    scene.update("disabled_at = now()");
    scene.use_it().expect(401);
    scene.update("disabled_at = NULL");
    scene.use_it().expect(200);
}

#[test]
fn a_revoked_token_is_kept_in_the_table() {
    let scene = Scene::set();
    scene.use_it().expect(200);
    scene.ada.client.delete(&format!("/api/v2/teams/{}/authentication-token", scene.team)).expect(204);
    scene.use_it().expect(401);
    let kept = "tokens WHERE kind = 'team' AND revoked_at <= now() AND octet_length(token_hash) = 32 \
                AND token_prefix LIKE 'lkt_%'";
    assert_eq!(scene.app.count(kept), 1);
}

#[test]
fn during_the_grace_a_token_still_works() {
    let scene = Scene::set();
    scene.update("revoked_at = now() + interval '1 second'");
    scene.use_it().expect(200);
    std::thread::sleep(Duration::from_millis(1100));
    scene.use_it().expect(401);
}

#[test]
fn a_user_and_a_team_lose_their_tokens_with_themselves() {
    let scene = Scene::set();
    scene.ada.client.delete(&format!("/api/v2/teams/{}", scene.team)).expect(204);
    scene.use_it().expect(401);
    let bob = scene.app.user("bob");
    scene.app.sql("DELETE FROM users WHERE username = 'bob'");
    bob.client.get("/api/v2/account/details").expect(401);
}

#[test]
fn nobody_learns_why_a_token_is_refused() {
    let scene = Scene::set();
    let path = "/api/v2/organizations/acme";
    let refusals = [
        ("revoked_at = now()", "revoked_at = NULL"),
        ("expired_at = now()", "expired_at = NULL"),
        ("disabled_at = now()", "disabled_at = NULL"),
        ("token_hash = sha256('other')", "disabled_at = NULL"),
    ];
    let mut answers = vec![
        scene.app.anonymous().get(path),
        scene.app.with("nonsense").get(path),
        scene.app.with(&"x".repeat(5000)).get(path),
        scene.app.with(&scene.token.secret()[..52]).get(path),
    ];
    for (refuse, restore) in refusals {
        scene.update(refuse);
        answers.push(scene.app.with(&scene.token.secret()).get(path));
        scene.update(restore);
    }
    let plain = |answer: Answer| {
        let answer = answer.expect(401);
        assert!(answer.header("WWW-Authenticate").unwrap().starts_with("Bearer"));
        let mut names: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
        names.sort();
        let mut body = answer.body;
        assert!(body["errors"][0]["id"].is_string());
        body["errors"][0]["id"] = Value::Null;
        (names, body)
    };
    let mut plain_answers = answers.into_iter().map(plain);
    let first = plain_answers.next().unwrap();
    plain_answers.for_each(|other| assert_eq!(other, first));
}

#[test]
fn every_use_is_counted_within_two_seconds() {
    let scene = Scene::set();
    (0..25).for_each(|_| drop(scene.use_it().expect(200)));
    let counted = "tokens WHERE kind = 'team' AND usage_count = 25 AND last_used_at > now() - interval '5 seconds'";
    let deadline = Instant::now() + Duration::from_secs(2);
    while scene.app.count(counted) == 0 && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(scene.app.count(counted), 1);
    let shown = scene.ada.client.get(&format!("/api/v2/teams/{}/authentication-token", scene.team)).expect(200);
    assert!(shown.attribute("last-used-at").is_string());
    std::thread::sleep(Duration::from_millis(1200));
    assert_eq!(scene.app.count(counted), 1, "a use must not be counted twice");
}

#[test]
fn a_clean_stop_writes_every_use() {
    let Scene { app, token, .. } = Scene::set();
    let client = app.with(&token.secret());
    (0..17).for_each(|_| drop(client.get("/api/v2/organizations/acme").expect(200)));
    let url = app.database_url.clone();
    app.stop();
    let again = App::on(url);
    assert_eq!(again.count("tokens WHERE kind = 'team' AND usage_count = 17 AND last_used_at IS NOT NULL"), 1);
}

#[test]
fn no_request_writes_the_use_of_its_token() {
    let scene = Scene::set();
    scene.use_it().expect(200);
    let written = || scene.app.count("tokens WHERE kind = 'team' AND usage_count > 0");
    let deadline = Instant::now() + Duration::from_secs(3);
    while written() == 0 && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(10));
    }
    // The counts have just been written; the next time is a second away.
    let seen = "tokens WHERE kind = 'team' AND usage_count = 1";
    (0..5).for_each(|_| drop(scene.use_it().expect(200)));
    assert_eq!(scene.app.count(seen), 1);
}

#[test]
fn a_refused_token_is_not_counted_as_used() {
    let scene = Scene::set();
    scene.update("disabled_at = now()");
    scene.use_it().expect(401);
    let url = scene.app.database_url.clone();
    scene.app.stop();
    assert_eq!(App::on(url).count("tokens WHERE kind = 'team' AND usage_count = 0 AND last_used_at IS NULL"), 1);
}

#[test]
fn the_last_use_never_goes_back() {
    let scene = Scene::set();
    // Another replica, whose clock is ahead, has counted already.
    scene.update("last_used_at = now() + interval '1 hour', usage_count = 5");
    scene.use_it().expect(200);
    let url = scene.app.database_url.clone();
    scene.app.stop();
    assert_eq!(App::on(url).count("tokens WHERE kind = 'team' AND usage_count = 6 AND last_used_at > now()"), 1);
}
