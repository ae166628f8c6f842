//! What is removed once it is old: revoked tokens, days of use (docs/design.md §3, rules 6 and 7), and kept answers.

use std::time::Duration;

use diesel::{Connection, PgConnection, RunQueryDsl, sql_query};
use serde_json::json;

use crate::support::App;
use crate::support::app::{Acme, User, resource};
use crate::support::process::{Folder, Served, until};

/// A service of its own, which keeps revoked tokens for so long, on the database of another one.
fn keeping(app: &App, data: &Folder, time: &str) -> Served {
    Served::on(&app.database_url, data, &["--revoked-retention", time])
}

struct Scene {
    app: App,
    ada: User,
    team: String,
    data: Folder,
}

impl Scene {
    fn set() -> Self {
        let Acme { app, ada, team } = Acme::new();
        Self { app, ada, team, data: Folder::new() }
    }

    fn token(&self, description: &str) -> String {
        self.ada.described_token(&self.team, json!({ "description": description })).id()
    }

    /// Tokens that were revoked so many days ago.
    fn revoked(&self, how_many: u32, days_ago: u32) {
        self.app.sql(&format!(
            "INSERT INTO tokens (id, kind, organization_id, team_id, description, token_hash, token_prefix, revoked_at) \
             SELECT new_id(), 'team', organization_id, id, '{days_ago} days ago', \
             sha256(convert_to('{days_ago}/' || n, 'UTF8')), 'lkt_000000', now() - interval '{days_ago} days' \
             FROM teams, generate_series(1, {how_many}) AS n WHERE name = 'ci'"
        ));
    }

    fn count(&self, from_where: &str) -> i64 {
        self.app.count(from_where)
    }
}

const REMOVED: &str = "audit_events WHERE action = 'remove'";

#[test]
fn a_revoked_token_is_removed_when_its_time_is_over() {
    let scene = Scene::set();
    let [revoked, expired, disabled, graced, replaced] =
        ["revoked", "expired", "disabled", "graced", "replaced"].map(|name| scene.token(name));
    let act = |token: &str, action: &str, attributes| {
        let path = format!("/api/v2/authentication-tokens/{token}/actions/{action}");
        scene.ada.client.post(&path, &resource("authentication-tokens", attributes))
    };
    act(&disabled, "disable", json!({})).expect(200);
    act(&graced, "regenerate", json!({"grace-period-seconds": 600})).expect(201);
    let successor = act(&replaced, "regenerate", json!({})).expect(201).id();
    act(&revoked, "revoke", json!({})).expect(200);
    scene.app.sql("UPDATE tokens SET expired_at = now() - interval '1 day' WHERE description = 'expired'");
    let tokens = scene.count("tokens");
    let service = keeping(&scene.app, &scene.data, "2s");
    until("what is revoked is removed", || scene.count("tokens") == tokens - 2);
    let listed = scene.ada.client.get(&format!("/api/v2/teams/{}/authentication-tokens", scene.team)).expect(200);
    for kept in [&expired, &disabled, &graced, &successor] {
        assert!(listed.ids().contains(kept));
    }
    let shown = scene.ada.client.get(&format!("/api/v2/authentication-tokens/{successor}")).expect(200);
    assert_eq!(shown.body["data"]["relationships"]["replaces"]["data"], json!(null));
    act(&revoked, "revoke", json!({})).expect(404);
    for id in [&revoked, &replaced] {
        let event =
            format!("{REMOVED} AND resource_id = '{id}' AND actor_type = 'System' AND organization_id IS NOT NULL");
        assert_eq!(scene.count(&event), 1);
    }
    assert_eq!(scene.count(REMOVED), 2);
    assert!(service.stop());
}

#[test]
fn tokens_stay_for_90_days_where_nothing_else_is_said() {
    let scene = Scene::set();
    scene.revoked(1, 91);
    scene.revoked(1, 89);
    let service = Served::on(&scene.app.database_url, &scene.data, &[]);
    until("the older one is removed", || scene.count("tokens WHERE description = '91 days ago'") == 0);
    assert!(service.stop());
    assert_eq!(scene.count("tokens WHERE description = '89 days ago'"), 1);
    let told = format!("{REMOVED} AND meta->>'description' = '91 days ago' AND meta->>'kind' = 'team'");
    assert_eq!(scene.count(&told), 1);
}

#[test]
fn replicas_remove_each_token_once() {
    let scene = Scene::set();
    let live = scene.count("tokens");
    scene.revoked(2300, 100);
    let others = [Folder::new(), Folder::new()];
    let services: Vec<Served> =
        others.iter().chain([&scene.data]).map(|data| keeping(&scene.app, data, "1s")).collect();
    until("all are removed", || scene.count("tokens") == live);
    assert!(services.into_iter().all(Served::stop));
    assert_eq!(scene.count(REMOVED), 2300);
    assert_eq!(scene.count("(SELECT DISTINCT resource_id FROM audit_events WHERE action = 'remove') AS removed"), 2300);
    // Not more in one transaction, which is one time.
    let batches = "(SELECT count(*) AS size FROM audit_events WHERE action = 'remove' GROUP BY xmin::text) AS batches";
    assert!(scene.count(&format!("{batches} WHERE size > 500")) == 0 && scene.count(batches) == 5);
}

#[test]
fn a_replica_leaves_it_to_the_one_that_has_the_lock() {
    let scene = Scene::set();
    scene.revoked(1, 100);
    let mut other = PgConnection::establish(&scene.app.database_url).unwrap();
    sql_query("SELECT pg_advisory_lock(x'1a7c4b3f'::int)").execute(&mut other).unwrap();
    let service = keeping(&scene.app, &scene.data, "1s");
    std::thread::sleep(Duration::from_secs(2));
    assert!(service.stop());
    assert_eq!(scene.count(REMOVED), 0);
    drop(other);
    let service = keeping(&scene.app, &scene.data, "1s");
    until("it is removed", || scene.count(REMOVED) == 1);
    assert!(service.stop());
}

#[test]
fn days_of_use_are_removed_after_90_days() {
    let scene = Scene::set();
    scene.token("used");
    scene.app.sql(
        "INSERT INTO token_usage_days SELECT id, (now() AT TIME ZONE 'UTC')::date - n, 7 \
         FROM tokens, generate_series(80, 1600) AS n WHERE description = 'used'",
    );
    let service = keeping(&scene.app, &scene.data, "90");
    until("the old days are removed", || scene.count("token_usage_days WHERE count = 7") == 11);
    assert!(service.stop());
    let kept = "token_usage_days WHERE count = 7 AND date >= (now() AT TIME ZONE 'UTC')::date - 90";
    assert_eq!(scene.count(kept), 11);
    assert_eq!(scene.count(REMOVED), 0);
}

#[test]
fn answers_that_are_given_no_more_are_removed() {
    let scene = Scene::set();
    scene.app.sql(
        "INSERT INTO kept_answers (name, token_id, content, sealed_answer, created_at) SELECT \
         sha256(convert_to(n::text, 'UTF8')), new_id(), sha256(''), '', now() - n * interval '1 minute' \
         FROM generate_series(8, 1208) AS n",
    );
    let service = keeping(&scene.app, &scene.data, "90");
    until("the old ones are removed", || scene.count("kept_answers") == 2);
    assert!(service.stop());
    assert_eq!(scene.count("kept_answers WHERE created_at > now() - interval '11 minutes'"), 2);
}
