//! Refused sign-ins: somebody presented a token that is revoked, expired or disabled, and the audit trail tells it.
//!
//! A program that goes on with a dead token would fill the trail, so that one token is told of once a minute. A
//! secret that was never issued belongs to nobody's trail.

use diesel::PgConnection;
use serde_json::json;

use super::store::Refused;
use crate::audit::{self, Actor, Event, Looking};
use crate::credential::Status;

/// Writes the event of a refused sign-in, unless there was one lately. The answer is 401 whether or not that
/// succeeds: nothing changes but the trail.
pub(super) fn record(connection: &mut PgConnection, refused: Refused, request_id: String) {
    if let Err(fault) = record_if_due(connection, refused, request_id) {
        log::warn!("a refused sign-in is not in the audit trail: {fault}");
    }
}

fn record_if_due(connection: &mut PgConnection, refused: Refused, request_id: String) -> diesel::QueryResult<()> {
    let token = refused.token;
    // Somebody still holds a credential that was replaced, and whose grace is over (docs/design.md §3, rule 5).
    let outdated = refused.replaced && refused.status == Status::Revoked;
    let looking = if outdated { Looking::RefuseReplaced } else { Looking::Refuse };
    let actor = Actor::client(token.to_string(), "refused token".to_owned(), Some(token), request_id);
    if audit::told_lately(connection, looking, token, &actor)? {
        return Ok(());
    }
    let event = Event::new(refused.organization, "authentication_token", token, looking.action()).of_user(refused.user);
    audit::record(connection, &actor, &[event.meta(json!({"status": refused.status}))])
}
