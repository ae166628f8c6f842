//! The quiet tenant: it makes a token, uses it, lists the tokens, revokes it and sees that it is dead, one after the other.

use std::time::{Duration, Instant};

use serde_json::json;

use super::scene::Scene;
use crate::support::app::resource;
use crate::support::client::Answer;

/// What came of its requests.
#[derive(Default)]
pub struct Seen {
    /// How long each took.
    pub times: Vec<Duration>,
    /// What was not answered as it must be.
    pub wrong: Vec<String>,
}

impl Seen {
    /// Sends a request; the answer is there if it has one of the statuses.
    fn send(
        &mut self,
        what: &str,
        statuses: &[u16],
        send: impl FnOnce() -> Result<Answer, ureq::Error>,
    ) -> Option<Answer> {
        let began = Instant::now();
        let answer = send();
        self.times.push(began.elapsed());
        let fault = match answer {
            Ok(answer) if statuses.contains(&answer.status) => return Some(answer),
            Ok(answer) => format!("{} {:#}", answer.status, answer.body),
            Err(fault) => fault.to_string(),
        };
        self.wrong.push(format!("{what} after {:?}: {fault}", began.elapsed()));
        None
    }
}

/// What the tenant sees during some time.
pub fn live(scene: &Scene, time: Duration) -> Seen {
    let (mut seen, quiet) = (Seen::default(), &scene.quiet);
    let tokens = format!("/api/v2/teams/{}/authentication-tokens", quiet.team);
    let until = Instant::now() + time;
    while Instant::now() < until {
        let new = json!({"description": uuid::Uuid::now_v7().to_string()});
        let new = resource("authentication-tokens", new);
        let made = seen.send("making", &[201], || quiet.client.try_with("POST", &tokens, Some(&new)));
        let Some(made) = made else { continue };
        let itself = quiet.client.as_another(&made.secret());
        let current = "/api/v2/authentication-tokens/current";
        seen.send("using", &[200], || itself.try_with("GET", current, None));
        let list = format!("{tokens}?page[size]=20&sort=-created-at");
        seen.send("listing", &[200], || quiet.client.try_with("GET", &list, None));
        let one = format!("/api/v2/authentication-tokens/{}", made.id());
        let revoked = seen.send("revoking", &[204], || quiet.client.try_with("DELETE", &one, None));
        if revoked.is_some() {
            // 429 where the address, which it shares with the hostile ones, has failed too often.
            seen.send("using what is revoked", &[401, 429], || itself.try_with("GET", current, None));
        }
    }
    seen
}
