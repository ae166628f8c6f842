//! The life of tokens as a machine of states: random sequences of what can happen to them, against a small model of
//! docs/design.md §3. No token is ever accepted that the model refuses, nor the other way round.

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::json;

use crate::support::App;
use crate::support::app::{User, resource};
use crate::support::client::Answer;

/// Something that happens to one of the tokens that there are by then.
#[derive(Debug, Clone)]
enum Step {
    Create,
    Edit(usize),
    Disable(usize),
    Enable(usize),
    Regenerate(usize, bool),
    Expire(usize),
    /// Its grace passes, if it is in one.
    EndGrace(usize),
    Revoke(usize),
    Delete(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let which = 0..6_usize;
    let step = prop_oneof![
        1 => Just(Step::Create),
        1 => which.clone().prop_map(Step::Edit),
        2 => which.clone().prop_map(Step::Disable),
        2 => which.clone().prop_map(Step::Enable),
        4 => (which.clone(), any::<bool>()).prop_map(|(which, grace)| Step::Regenerate(which, grace)),
        1 => which.clone().prop_map(Step::Expire),
        1 => which.clone().prop_map(Step::EndGrace),
        1 => which.clone().prop_map(Step::Revoke),
        1 => which.prop_map(Step::Delete),
    ];
    prop::collection::vec(step, 1..14)
}

/// What docs/design.md §3 says of a token.
#[derive(Debug, Clone, Default)]
struct Model {
    disabled: bool,
    expired: bool,
    revoked: bool,
    in_grace: bool,
    replaced: bool,
}

impl Model {
    fn status(&self) -> &'static str {
        match self {
            Self { revoked: true, .. } => "revoked",
            Self { expired: true, .. } => "expired",
            Self { disabled: true, .. } => "inactive",
            _ => "active",
        }
    }

    /// What is answered, and how the token stands afterwards.
    fn after(&self, step: &Step) -> (u16, Self) {
        let same = || self.clone();
        match (step, self.status()) {
            (Step::Create, _) => (201, same()),
            (Step::Edit(_) | Step::Delete(_), "revoked") => (404, same()),
            (Step::Delete(_), _) => (204, Self { revoked: true, in_grace: false, ..same() }),
            (Step::Revoke(_), _) => (200, Self { revoked: true, in_grace: false, ..same() }),
            (Step::Edit(_) | Step::Disable(_) | Step::Enable(_), "expired") => (409, same()),
            (Step::Disable(_) | Step::Enable(_) | Step::Regenerate(..), "revoked") => (409, same()),
            (Step::Edit(_), _) => (200, same()),
            (Step::Disable(_), _) => (200, Self { disabled: true, ..same() }),
            (Step::Enable(_), _) => (200, Self { disabled: false, ..same() }),
            (Step::Regenerate(..), "inactive") => (409, same()),
            (Step::Regenerate(..), _) if self.replaced => (409, same()),
            (Step::Regenerate(_, grace), _) => {
                (201, Self { replaced: true, revoked: !grace, in_grace: *grace, ..same() })
            }
            (Step::Expire(_), _) => (0, Self { expired: true, ..same() }),
            (Step::EndGrace(_), _) => (0, Self { revoked: self.revoked || self.in_grace, in_grace: false, ..same() }),
        }
    }
}

/// The tokens of one sequence, each beside its model.
struct Tokens<'a> {
    app: &'a App,
    ada: &'a User,
    made_at: String,
    all: Vec<(String, String, Model)>,
}

impl Tokens<'_> {
    fn create(&mut self) {
        let described = json!({"description": uuid::Uuid::now_v7().to_string()});
        let made = self.ada.client.post(&self.made_at, &resource("authentication-tokens", described)).expect(201);
        self.all.push((made.id(), made.secret(), Model::default()));
    }

    fn take(&mut self, step: &Step) -> Result<(), TestCaseError> {
        let which = match step {
            Step::Create => {
                self.create();
                return Ok(());
            }
            Step::Edit(nth) | Step::Disable(nth) | Step::Enable(nth) | Step::Regenerate(nth, _) => *nth,
            Step::Expire(nth) | Step::EndGrace(nth) | Step::Revoke(nth) | Step::Delete(nth) => *nth,
        };
        let which = which % self.all.len();
        let (id, _, model) = &self.all[which];
        let (status, after) = model.after(step);
        let answer = self.request(step, id);
        if let Some(answer) = &answer {
            prop_assert_eq!(answer.status, status, "{:?} of {:?}: {:#}", step, model, answer.body);
        }
        let successor = answer.filter(|answer| answer.status == 201);
        self.all[which].2 = after;
        if let Some(new) = successor {
            self.all.push((new.id(), new.secret(), Model::default()));
        }
        Ok(())
    }

    fn request(&self, step: &Step, id: &str) -> Option<Answer> {
        let path = format!("/api/v2/authentication-tokens/{id}");
        let act = |action: &str| Some(self.ada.client.post_nothing(&format!("{path}/actions/{action}")));
        let prefix = &self.all.iter().find(|(known, ..)| known == id)?.1[..10];
        match step {
            Step::Create => None,
            Step::Edit(_) => {
                let change = json!({"description": uuid::Uuid::now_v7().to_string(), "abilities": ["agents:read"]});
                Some(self.ada.client.patch(&path, &resource("authentication-tokens", change)))
            }
            Step::Disable(_) => act("disable"),
            Step::Enable(_) => act("enable"),
            Step::Revoke(_) => act("revoke"),
            Step::Regenerate(_, grace) => {
                let grace = json!({"grace-period-seconds": if *grace { 3600 } else { 0 }});
                let replacement = resource("authentication-tokens", grace);
                Some(self.ada.client.post(&format!("{path}/actions/regenerate"), &replacement))
            }
            Step::Delete(_) => Some(self.ada.client.delete(&path)),
            Step::Expire(_) => {
                self.app.sql(&format!(
                    "UPDATE tokens SET created_at = now() - interval '2 hours', expired_at = now() - interval '1 hour' \
                     WHERE token_prefix = '{prefix}'"
                ));
                None
            }
            Step::EndGrace(_) => {
                let graceful = format!("token_prefix = '{prefix}' AND revoked_at > now()");
                self.app.sql(&format!("UPDATE tokens SET revoked_at = now() WHERE {graceful}"));
                None
            }
        }
    }

    fn agree(&self) -> Result<(), TestCaseError> {
        for (id, secret, model) in &self.all {
            let accepted = self.app.with(secret).get("/api/v2/account/details").status;
            let expected = if model.status() == "active" { 200 } else { 401 };
            prop_assert_eq!(accepted, expected, "{:?}", model);
            let shown = self.ada.client.get(&format!("/api/v2/authentication-tokens/{id}"));
            if model.revoked {
                prop_assert_eq!(shown.status, 404);
            } else {
                prop_assert_eq!(shown.attribute("status"), model.status());
            }
        }
        Ok(())
    }
}

#[test]
fn the_service_and_the_model_agree() {
    let app = App::start();
    let ada = app.user("ada");
    ada.organization("acme");
    let team = ada.team_with("acme", json!({"name": "ci", "abilities": ["agents:read"]}));
    let workspace = ada.workspace("acme", "prod");
    let reach = resource("workspaces", json!({"abilities": ["agents:read"]}));
    ada.client.patch(&format!("/api/v2/workspaces/{workspace}"), &reach).expect(200);
    let owners = [
        format!("/api/v2/teams/{team}/authentication-tokens"),
        format!("/api/v2/workspaces/{workspace}/authentication-tokens"),
        format!("/api/v2/users/{}/authentication-tokens", ada.id),
    ];
    // One seed, so that two runs do the same.
    let config = Config { cases: 48, failure_persistence: None, max_shrink_iters: 64, ..Config::default() };
    let seed = TestRng::from_seed(RngAlgorithm::ChaCha, &[21; 32]);
    let sequence = |(owner, steps): (usize, Vec<Step>)| {
        let mut tokens = Tokens { app: &app, ada: &ada, made_at: owners[owner].clone(), all: vec![] };
        tokens.create();
        for step in &steps {
            tokens.take(step)?;
            tokens.agree()?;
        }
        Ok(())
    };
    let found = TestRunner::new_with_rng(config, seed).run(&(0..owners.len(), steps()), sequence);
    found.unwrap_or_else(|fault| panic!("{fault}"));
}
