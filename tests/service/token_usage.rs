//! `authentication-tokens/:id/usage`: how often a token was used, day by day (docs/design.md §3, rule 7).

use chrono::{NaiveDate, TimeDelta, Utc};
use serde_json::json;

use crate::support::App;
use crate::support::app::{Acme, User};
use crate::support::client::Answer;
use crate::support::holder::Holder;
use crate::support::process::until;

struct Scene {
    app: App,
    ada: User,
    token: Answer,
}

impl Scene {
    fn set() -> Self {
        let Acme { app, ada, team } = Acme::new();
        let token = ada.team_token(&team);
        Self { app, ada, token }
    }

    fn path(&self, query: &str) -> String {
        format!("/api/v2/authentication-tokens/{}/usage{query}", self.token.id())
    }

    /// Day and count, in the order of the answer.
    fn told(&self, query: &str) -> Vec<(NaiveDate, i64)> {
        let answer = self.ada.client.get(&self.path(query)).expect(200);
        let days = answer.body["data"].as_array().unwrap().iter().map(|day| {
            let date = day["attributes"]["date"].as_str().unwrap();
            assert_eq!(
                *day,
                json!({
                    "type": "token-usage-days",
                    "id": format!("{}-{date}", self.token.id()),
                    "attributes": {"date": date, "count": day["attributes"]["count"]},
                })
            );
            (date.parse().unwrap(), day["attributes"]["count"].as_i64().unwrap())
        });
        days.collect()
    }

    /// Uses of days that are over.
    fn used(&self, days_ago: i64, count: i64) {
        self.app.sql(&format!(
            "INSERT INTO token_usage_days SELECT id, (now() AT TIME ZONE 'UTC')::date - {days_ago}, {count} \
             FROM tokens WHERE kind = 'team'"
        ));
    }

    fn use_it(&self) {
        self.app.with(&self.token.secret()).get("/api/v2/organizations/acme").expect(200);
    }
}

fn day(ago: i64) -> NaiveDate {
    Utc::now().date_naive() - TimeDelta::days(ago)
}

#[test]
fn a_token_that_was_never_used_has_a_zero_for_each_day() {
    let scene = Scene::set();
    let expected: Vec<_> = (0..=90).rev().map(|ago| (day(ago), 0)).collect();
    assert_eq!(scene.told(""), expected);
}

#[test]
fn uses_are_told_on_their_days() {
    let scene = Scene::set();
    scene.used(1, 7);
    scene.used(90, 2);
    scene.used(91, 1000);
    (0..3).for_each(|_| scene.use_it());
    let written = |count: i64| {
        let rows = "token_usage_days JOIN tokens ON id = token_id WHERE kind = 'team' AND count =";
        until("the uses are written", || scene.app.count(&format!("{rows} {count}")) == 1);
    };
    written(3);
    scene.use_it();
    written(4);
    let used: Vec<_> = scene.told("").into_iter().filter(|(_, count)| *count > 0).collect();
    assert_eq!(used, [(day(90), 2), (day(1), 7), (day(0), 4)]);
    assert_eq!(scene.app.count("tokens WHERE kind = 'team' AND usage_count = 4"), 1);
}

#[test]
fn a_history_begins_where_one_asks() {
    let scene = Scene::set();
    scene.used(2, 5);
    scene.used(3, 6);
    let two_days_ago = [(day(2), 5), (day(1), 0), (day(0), 0)];
    for since in [day(2).to_string(), format!("{}T00:00:00Z", day(2)), format!("{}T23:59:59.999-00:00", day(2))] {
        assert_eq!(scene.told(&format!("?filter[since]={since}")), two_days_ago, "{since}");
    }
    // A day is one of UTC: there it is still the day before.
    let offset = format!("{}T01:00:00%2B02:00", day(1));
    assert_eq!(scene.told(&format!("?filter[since]={offset}")), two_days_ago);
    assert_eq!(scene.told(&format!("?filter[since]={}", day(0))), [(day(0), 0)]);
    assert_eq!(scene.told(&format!("?filter[since]={}", day(-1))), []);
    assert_eq!(scene.told("?filter[since]=9999-12-31"), []);
    // What is older is not kept.
    for long_ago in ["0001-01-01".to_owned(), day(91).to_string(), "2000-01-01T00:00:00Z".to_owned()] {
        assert_eq!(scene.told(&format!("?filter[since]={long_ago}")).len(), 91, "{long_ago}");
    }
    let plain = scene.ada.client.get(&scene.path(&format!("?filter[since]={}&fields[token-usage-days]=count", day(0))));
    assert_eq!(plain.expect(200).body["data"][0]["attributes"], json!({"count": 0}));
}

#[test]
fn a_wrong_beginning_is_refused() {
    let scene = Scene::set();
    for since in [
        "",
        "yesterday",
        "2026-02-30",
        "2026-2-3",
        "20260203",
        "2026-02-03T10:00:00",
        "2026-02-03,2026-02-04",
        "12026-01-01",
    ] {
        let answer = scene.ada.client.get(&scene.path(&format!("?filter[since]={since}"))).expect(400);
        assert_eq!(answer.blamed(), ["filter[since]"], "{since}");
    }
}

#[test]
fn a_revoked_token_keeps_its_history() {
    let scene = Scene::set();
    scene.used(1, 7);
    scene.ada.client.delete(&format!("/api/v2/authentication-tokens/{}", scene.token.id())).expect(204);
    assert_eq!(scene.told(&format!("?filter[since]={}", day(1))), [(day(1), 7), (day(0), 0)]);
}

#[test]
fn replicas_add_up_what_they_count() {
    let scene = Scene::set();
    let secrets: Vec<String> =
        std::iter::once(scene.token.secret()).chain([scene.ada.client.secret().into()]).collect();
    let others = [0, 1].map(|_| App::on(scene.app.database_url.clone()));
    std::thread::scope(|threads| {
        for replica in others.iter().chain([&scene.app]) {
            for secret in &secrets {
                threads.spawn(move || {
                    let client = replica.with(secret);
                    (0..40).for_each(|_| drop(client.get("/api/v2/organizations/acme").expect(200)));
                });
            }
        }
    });
    others.into_iter().for_each(App::stop);
    let Scene { app, .. } = scene;
    let url = app.database_url.clone();
    app.stop();
    let again = App::on(url);
    assert_eq!(again.count("token_usage_days JOIN tokens ON id = token_id WHERE kind = 'team' AND count = 120"), 1);
    let same = "tokens WHERE usage_count = (SELECT sum(count) FROM token_usage_days WHERE token_id = id)";
    assert_eq!(again.count(same), 2);
}

#[test]
fn a_clean_stop_writes_the_days_and_the_sum_alike() {
    let scene = Scene::set();
    (0..5).for_each(|_| scene.use_it());
    let url = scene.app.database_url.clone();
    scene.app.stop();
    let again = App::on(url);
    assert_eq!(again.count("tokens WHERE kind = 'team' AND usage_count = 5"), 1);
    assert_eq!(again.count("token_usage_days JOIN tokens ON id = token_id WHERE kind = 'team' AND count = 5"), 1);
}

/// A statement of somebody else that takes its time, or a migration that is stuck.
#[test]
fn a_locked_token_keeps_no_other_from_being_counted() {
    let scene = Scene::set();
    let team = scene.ada.team("acme", "other");
    let other = scene.ada.described_token(&team, json!({"description": "other"}));
    let used =
        |description: &str| scene.app.count(&format!("tokens WHERE usage_count > 0 AND description {description}"));
    let lock = Holder::of(&scene.app, "SELECT id FROM tokens WHERE description = 'other' FOR NO KEY UPDATE");
    scene.app.with(&other.secret()).get("/api/v2/account/details").expect(200);
    scene.use_it();
    until("the other one is counted", || used("IS DISTINCT FROM 'other' AND kind = 'team'") == 1);
    assert_eq!(used("= 'other'"), 0);
    lock.release();
    until("it is counted as well", || used("= 'other'") == 1);
}
