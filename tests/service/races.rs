//! Many requests at once: the rules hold, and nobody is answered with a fault of the server.

use std::collections::BTreeMap;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;

use crate::support::App;
use crate::support::app::{Acme, identifiers, resource};
use crate::support::client::Answer;
use crate::support::process::until;

/// Sends these requests at the same moment, each on a thread of its own. One that is answered with 429 or 503 is sent
/// again, as its `Retry-After` asks.
fn at_once(requests: Vec<Box<dyn Fn() -> Answer + Send + '_>>) -> Vec<Answer> {
    let barrier = Barrier::new(requests.len());
    let barrier = &barrier;
    std::thread::scope(|scope| {
        let threads: Vec<_> = requests
            .into_iter()
            .map(|request| {
                scope.spawn(move || {
                    barrier.wait();
                    patiently(request)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

fn patiently(request: impl Fn() -> Answer) -> Answer {
    for _ in 0..20 {
        let answer = request();
        if ![429, 503].contains(&answer.status) {
            return answer;
        }
        let seconds = answer.header("Retry-After").expect("a 429 or 503 says when to try again").parse().unwrap();
        std::thread::sleep(Duration::from_secs(seconds));
    }
    panic!("the service is overloaded for ever");
}

/// The same request this many times at once.
pub fn times<'a>(count: usize, request: impl Fn(usize) -> Answer + Send + Clone + 'a) -> Vec<Answer> {
    let requests = (0..count).map(|nth| -> Box<dyn Fn() -> Answer + Send + 'a> {
        let request = request.clone();
        Box::new(move || request(nth))
    });
    at_once(requests.collect())
}

/// How often each status was answered.
fn statuses(answers: &[Answer]) -> BTreeMap<u16, usize> {
    let mut statuses = BTreeMap::new();
    answers.iter().for_each(|answer| *statuses.entry(answer.status).or_default() += 1);
    statuses
}

fn assert_one_live(scene: &Acme, answers: &[Answer]) {
    let secrets = answers.iter().filter(|answer| answer.status == 201).map(Answer::secret);
    assert_eq!(secrets.filter(|secret| scene.works(secret)).count(), 1);
    assert_eq!(scene.app.count("tokens WHERE kind = 'team' AND revoked_at IS NULL"), 1);
}

#[test]
fn of_64_new_tokens_of_a_team_one_is_live() {
    let scene = Acme::new();
    let answers = times(64, |_| scene.ada.client.post_nothing(&scene.one()));
    assert_eq!(statuses(&answers), BTreeMap::from([(201, 64)]));
    assert_one_live(&scene, &answers);
    let destroyed = "audit_events WHERE resource_type = 'authentication_token' AND action = 'destroy'";
    assert_eq!(scene.app.count(destroyed), 63);
}

#[test]
fn of_64_regenerations_by_the_token_itself_one_wins() {
    let scene = Acme::new();
    let itself = scene.app.with(&scene.ada.team_token(&scene.team).secret());
    let answers = times(64, |_| itself.post_nothing(&scene.one()));
    let statuses = statuses(&answers);
    assert_eq!(statuses.get(&201), Some(&1), "{statuses:?}");
    assert!(statuses.keys().all(|status| matches!(status, 201 | 401 | 403)), "{statuses:?}");
    assert_one_live(&scene, &answers);
}

#[test]
fn a_description_is_given_once() {
    let scene = Acme::new();
    for attributes in [json!({"description": "ci"}), json!({"description": ""}), json!({})] {
        let body = resource("authentication-tokens", attributes);
        let answers = times(32, |_| scene.ada.client.post(&format!("{}s", scene.one()), &body));
        assert_eq!(statuses(&answers), BTreeMap::from([(201, 1), (422, 31)]), "{body}");
    }
    assert_eq!(scene.app.count("tokens WHERE kind = 'team'"), 3);
}

#[test]
fn a_new_organizations_name_is_given_once() {
    let scene = Acme::new();
    let answers = times(16, |nth| {
        let name = if nth % 2 == 0 { "rush" } else { "RUSH" };
        let body = resource("organizations", json!({"name": name, "email": "a@example.com"}));
        scene.ada.client.post("/api/v2/organizations", &body)
    });
    assert_eq!(statuses(&answers), BTreeMap::from([(201, 1), (422, 15)]));
    assert_eq!(scene.app.count("teams WHERE owners"), 2, "of acme and of the one new organization");
}

#[test]
fn a_new_teams_name_is_given_once() {
    let scene = Acme::new();
    let answers = times(16, |nth| {
        let body = resource("teams", json!({"name": if nth % 2 == 0 { "rush" } else { "Rush" }}));
        scene.ada.client.post("/api/v2/organizations/acme/teams", &body)
    });
    assert_eq!(statuses(&answers), BTreeMap::from([(200, 1), (422, 15)]));
}

#[test]
fn owners_who_remove_each_other_leave_one() {
    let app = App::start();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    ada.organization("acme");
    let owners = ada.owners_team("acme");
    let path = format!("/api/v2/teams/{owners}/relationships/users");
    for round in 0..30 {
        ada.add_to_team(&owners, &bob);
        let answers = at_once(vec![
            Box::new(|| ada.client.delete_with(&path, &identifiers("users", &["bob"]))),
            Box::new(|| bob.client.delete_with(&path, &identifiers("users", &["ada"]))),
        ]);
        let statuses = statuses(&answers);
        assert_eq!(statuses.get(&204), Some(&1), "round {round}: {statuses:?}");
        assert!(statuses.keys().all(|status| matches!(status, 204 | 403 | 404)), "round {round}: {statuses:?}");
        assert_eq!(app.count("team_members JOIN teams ON teams.id = team_id WHERE owners"), 1, "round {round}");
        // Whoever is left lets Ada in again and leaves.
        if answers[1].status == 204 {
            bob.add_to_team(&owners, &ada);
            ada.client.delete_with(&path, &identifiers("users", &["bob"])).expect(204);
        }
    }
}

#[test]
fn overlapping_lists_are_deleted_without_deadlock() {
    let scene = Acme::new();
    let list = "/api/v2/organizations/acme/team-tokens";
    for round in 0..5 {
        let make = |n| scene.ada.described_token(&scene.team, json!({"description": format!("{round}-{n}")})).id();
        let ids: Vec<String> = (0..10).map(make).collect();
        let answers = times(16, |nth| {
            // Each names the same tokens, beginning with another one, every second in the opposite order.
            let mut mine: Vec<&str> = ids.iter().map(String::as_str).collect();
            mine.rotate_left(nth % 10);
            if nth % 2 == 1 {
                mine.reverse();
            }
            scene.ada.client.delete_with(list, &identifiers("authentication-tokens", &mine))
        });
        assert_eq!(statuses(&answers), BTreeMap::from([(204, 1), (404, 15)]), "round {round}");
    }
    assert_eq!(scene.app.count("audit_events WHERE action = 'destroy'"), 50);
}

#[test]
fn a_token_is_deleted_once() {
    let scene = Acme::new();
    let id = scene.ada.team_token(&scene.team).id();
    let list = "/api/v2/organizations/acme/team-tokens";
    let answers = times(24, |nth| match nth % 3 {
        0 => scene.ada.client.delete(&scene.one()),
        1 => scene.ada.client.delete(&format!("/api/v2/authentication-tokens/{id}")),
        _ => scene.ada.client.delete_with(list, &identifiers("authentication-tokens", &[&id])),
    });
    assert_eq!(statuses(&answers), BTreeMap::from([(204, 1), (404, 23)]));
    assert_eq!(scene.app.count("audit_events WHERE action = 'destroy'"), 1);
}

#[test]
fn a_team_that_goes_while_tokens_are_made_leaves_none() {
    let scene = Acme::new();
    for round in 0..5 {
        let team = scene.ada.team("acme", "passing");
        let path = format!("/api/v2/teams/{team}");
        let answers = times(16, |nth| {
            let body = resource("authentication-tokens", json!({"description": format!("nr {nth}")}));
            match nth {
                8 => scene.ada.client.delete(&path),
                _ if nth % 2 == 0 => scene.ada.client.post_nothing(&format!("{path}/authentication-token")),
                _ => scene.ada.client.post(&format!("{path}/authentication-tokens"), &body),
            }
        });
        assert!(
            answers.iter().all(|answer| matches!(answer.status, 201 | 204 | 404)),
            "round {round}: {:?}",
            statuses(&answers)
        );
        let made = answers.iter().filter(|answer| answer.status == 201);
        assert!(made.clone().all(|answer| !scene.works(&answer.secret())), "round {round}");
        until("all have ended", || scene.app.count("tokens WHERE kind = 'team' AND NOT revoked") == 0);
    }
}

#[test]
fn a_team_that_goes_while_its_tokens_are_deleted_ends_in_no_deadlock() {
    let scene = Acme::new();
    let list = "/api/v2/organizations/acme/team-tokens";
    for round in 0..5 {
        let team = scene.ada.team("acme", "passing");
        // The later a token is made, the sooner it expires: a team's tokens may go in another order than that of ids.
        let make = |n| {
            let expired_at = format!("20{}-01-01T00:00:00Z", 90 - n);
            scene.ada.described_token(&team, json!({"description": format!("{n}"), "expired-at": expired_at}))
        };
        let tokens: Vec<Answer> = (0..30).map(make).collect();
        let used = AtomicBool::new(true);
        let ids: Vec<String> = tokens.iter().map(Answer::id).collect();
        let all: Vec<&str> = ids.iter().map(String::as_str).collect();
        std::thread::scope(|scope| {
            let user = scope.spawn(|| {
                while used.load(Ordering::Relaxed) {
                    for token in &tokens {
                        scene.works(&token.secret());
                    }
                }
            });
            let answers = times(9, |nth| match nth {
                4 => scene.ada.client.delete(&format!("/api/v2/teams/{team}")),
                _ => scene.ada.client.delete_with(list, &identifiers("authentication-tokens", &all)),
            });
            used.store(false, Ordering::Relaxed);
            assert!(
                answers.iter().all(|answer| matches!(answer.status, 204 | 404)),
                "round {round}: {:?}",
                statuses(&answers)
            );
            user.join().unwrap();
        });
        until("all have ended", || scene.app.count("tokens WHERE kind = 'team' AND NOT revoked") == 0);
    }
}

#[test]
fn an_organization_that_goes_while_it_is_changed_leaves_nothing() {
    let app = App::start();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    for round in 0..5 {
        ada.organization("passing");
        let team = ada.team("passing", "ci");
        let organization = "/api/v2/organizations/passing";
        let answers = times(16, |nth| match nth % 4 {
            _ if nth == 9 => ada.client.delete(organization),
            0 => ada.client.post_nothing(&format!("/api/v2/teams/{team}/authentication-token")),
            1 => {
                let body = resource("teams", json!({"name": format!("team-{nth}")}));
                ada.client.post(&format!("{organization}/teams"), &body)
            }
            2 => {
                let path = format!("/api/v2/teams/{team}/relationships/users");
                ada.client.post(&path, &identifiers("users", &[&bob.username]))
            }
            _ => ada.client.patch(organization, &resource("organizations", json!({"email": "b@example.com"}))),
        });
        let fine = |answer: &Answer| matches!(answer.status, 200 | 201 | 204 | 404);
        assert!(answers.iter().all(fine), "round {round}: {:?}", statuses(&answers));
        for rows in ["organizations", "teams", "listed_memberships"] {
            assert_eq!(app.count(rows), 0, "round {round}: {rows}");
        }
        for rows in ["memberships", "team_members", "tokens WHERE kind = 'team' AND NOT revoked"] {
            until(rows, || app.count(rows) == 0);
        }
    }
}

#[test]
fn a_user_is_added_to_a_team_once() {
    let scene = Acme::new();
    let bob = scene.app.user("bob");
    let path = format!("/api/v2/teams/{}/relationships/users", scene.team);
    let answers = times(16, |_| scene.ada.client.post(&path, &identifiers("users", &[&bob.username])));
    assert_eq!(statuses(&answers), BTreeMap::from([(204, 16)]));
    assert_eq!(scene.app.count("audit_events WHERE resource_type = 'team_member' AND action = 'create'"), 2);
    assert_eq!(scene.app.count("memberships"), 2);
}
