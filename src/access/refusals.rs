//! Refused sign-ins: somebody presented a token that is revoked, expired or disabled, and the audit trail tells it.
//!
//! A program that goes on with a dead token would fill the trail, so that one token is told of once a minute. A
//! secret that was never issued belongs to nobody's trail.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use diesel::PgConnection;
use serde_json::json;

use super::store::Refused;
use crate::audit::{self, Actor, Event};
use crate::credential::Status;
use crate::ids::TokenId;

const ONCE_IN: Duration = Duration::from_secs(60);

/// So many tokens are remembered; then those that were told long enough ago are forgotten.
const MOST: usize = 10_000;

/// Which tokens were told of lately, by this replica.
#[derive(Debug, Clone, Default)]
pub(super) struct Refusals(Arc<Mutex<HashMap<TokenId, Instant>>>);

impl Refusals {
    /// Writes the event of a refused sign-in, unless there was one lately. The answer is 401 whether or not that
    /// succeeds: nothing changes but the trail.
    pub(super) fn record(&self, connection: &mut PgConnection, refused: Refused, request_id: String) {
        if !self.is_due(refused.token, Instant::now()) {
            return;
        }
        let actor = Actor::client(refused.token.to_string(), "refused token".to_owned(), refused.token, request_id);
        // Somebody still holds a credential that was replaced, and whose grace is over (docs/design.md §3, rule 5).
        let outdated = refused.replaced && refused.status == Status::Revoked;
        let action = if outdated { "refuse_replaced" } else { "refuse" };
        let event = Event::new(refused.organization, "authentication_token", refused.token, action)
            .meta(json!({"status": refused.status}));
        if let Err(fault) = audit::record(connection, &actor, &[event]) {
            log::warn!("a refused sign-in is not in the audit trail: {fault}");
            self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&refused.token);
        }
    }

    fn is_due(&self, token: TokenId, now: Instant) -> bool {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let lately = |then: &Instant| now.duration_since(*then) < ONCE_IN;
        if told.get(&token).is_some_and(lately) {
            return false;
        }
        if told.len() >= MOST {
            told.retain(|_, then| lately(then));
        }
        // Where even that many were told lately, silence is better than growing without bound.
        told.len() < MOST && told.insert(token, now).is_none_or(|then| !lately(&then))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_told_of_once_a_minute() {
        let (refusals, token, now) = (Refusals::default(), TokenId::generate(), Instant::now());
        assert!(refusals.is_due(token, now));
        assert!(!refusals.is_due(token, now + Duration::from_secs(59)));
        assert!(refusals.is_due(TokenId::generate(), now));
        assert!(refusals.is_due(token, now + Duration::from_secs(61)));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (refusals, now) = (Refusals::default(), Instant::now());
        let told = (0..MOST + 5).filter(|_| refusals.is_due(TokenId::generate(), now)).count();
        assert_eq!(told, MOST);
        assert!(refusals.is_due(TokenId::generate(), now + ONCE_IN));
    }
}
