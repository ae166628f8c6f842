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
    /// It replaces itself.
    Renew(usize),
    /// Its team or workspace is deleted.
    EndOwner,
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
        3 => which.clone().prop_map(Step::Renew),
        1 => prop::bool::weighted(0.3).prop_map(|ends| if ends { Step::EndOwner } else { Step::Create }),
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
            (Step::Renew(_), "active") if self.replaced => (409, same()),
            (Step::Renew(_), "active") => (201, Self { replaced: true, in_grace: true, ..same() }),
            (Step::Renew(_), _) => (401, same()),
            (Step::EndOwner, _) => (204, Self { revoked: true, in_grace: false, ..same() }),
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
    /// Where the team or the workspace is, while it is there.
    owner: Option<String>,
    /// Whether it is not any more.
    ended: bool,
    all: Vec<(String, String, Model)>,
}

impl Tokens<'_> {
    fn create(&mut self) {
        let described = json!({"description": uuid::Uuid::now_v7().to_string(), "self-rotation": true});
        let made = self.ada.client.post(&self.made_at, &resource("authentication-tokens", described));
        if self.ended {
            made.expect(404);
            return;
        }
        let made = made.expect(201);
        self.all.push((made.id(), made.secret(), Model::default()));
    }

    fn take(&mut self, step: &Step) -> Result<(), TestCaseError> {
        let which = match step {
            Step::Create => {
                self.create();
                return Ok(());
            }
            Step::EndOwner => {
                if let Some(owner) = self.owner.take() {
                    self.ada.client.delete(&owner).expect(204);
                    self.ended = true;
                    self.all.iter_mut().for_each(|(.., model)| *model = model.after(step).1);
                }
                return Ok(());
            }
            Step::Edit(nth) | Step::Disable(nth) | Step::Enable(nth) | Step::Regenerate(nth, _) => *nth,
            Step::Renew(nth) => *nth,
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
        let secret = &self.all.iter().find(|(known, ..)| known == id)?.1;
        let prefix = &secret[..10];
        match step {
            Step::Create | Step::EndOwner => None,
            Step::Renew(_) => Some(self.app.with(secret).post_nothing(&format!("{path}/actions/regenerate"))),
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
    let (app, ada) = App::with_acme();
    // A team or a workspace of its own for each sequence: it may end.
    let owner = |which: usize| {
        let name = uuid::Uuid::now_v7().to_string();
        let abilities = json!({"abilities": ["agents:read"]});
        match which {
            0 => {
                format!("/api/v2/teams/{}", ada.team_with("acme", json!({"name": name, "abilities": ["agents:read"]})))
            }
            1 => {
                let path = format!("/api/v2/workspaces/{}", ada.workspace("acme", &name));
                ada.client.patch(&path, &resource("workspaces", abilities)).expect(200);
                path
            }
            _ => format!("/api/v2/users/{}", ada.id),
        }
    };
    // One seed, so that two runs do the same.
    let config = Config { cases: 48, failure_persistence: None, max_shrink_iters: 64, ..Config::default() };
    let seed = TestRng::from_seed(RngAlgorithm::ChaCha, &[21; 32]);
    let sequence = |(which, steps): (usize, Vec<Step>)| {
        let owner = owner(which);
        let made_at = format!("{owner}/authentication-tokens");
        let owner = Some(owner).filter(|_| which < 2);
        let mut tokens = Tokens { app: &app, ada: &ada, made_at, owner, ended: false, all: vec![] };
        tokens.create();
        for step in &steps {
            tokens.take(step)?;
            tokens.agree()?;
        }
        Ok(())
    };
    let found = TestRunner::new_with_rng(config, seed).run(&(0..3_usize, steps()), sequence);
    found.unwrap_or_else(|fault| panic!("{fault}"));
}
