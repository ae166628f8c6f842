//! Tokens that renew themselves: with a short life that is access and refresh in one (docs/design.md §3, rule 5).

use chrono::{DateTime, SubsecRound, Utc};

use super::{Rotation, Token, TokenChanges};
use crate::access::Caller;
use crate::jsonapi::{Error, Result, Timestamp};
use crate::ttl_policies::{LatestEnd, earliest};

/// Whether a new token may renew itself, and until when: within the end of the token that asks.
///
/// # Errors
/// 422 for a later time, or for a time where it may not renew itself.
pub(super) fn of_new(caller: &Caller, itself: Option<bool>, until: Option<Option<Timestamp>>) -> Result<Rotation> {
    given(caller, itself.unwrap_or(false), until.flatten())
}

/// The same of a token after an edit; what it has already stays, whoever edits something else.
///
/// # Errors
/// As [`of_new`].
pub(super) fn of_edited(caller: &Caller, token: &Token, changes: &TokenChanges) -> Result<Rotation> {
    let before = Rotation { itself: token.self_rotation, until: token.rotates_until };
    let itself = changes.self_rotation.unwrap_or(before.itself);
    let shown = |time: Option<DateTime<Utc>>| time.map(|time| time.trunc_subsecs(3));
    let asked = changes.rotates_until.map(|until| until.map(|until| until.0));
    let same = itself == before.itself && asked.is_none_or(|asked| shown(asked) == shown(before.until));
    if same {
        return Ok(before);
    }
    let kept = before.until.filter(|_| asked.is_none() && itself);
    given(caller, itself, asked.flatten().or(kept).map(Timestamp))
}

/// What a successor has of it that somebody else asks for: within their own end.
pub(super) fn of_successor(caller: &Caller, token: &Token) -> Rotation {
    let until = if caller.is_token(token.id) {
        token.rotates_until
    } else {
        earliest(token.rotates_until, caller.ends_at).filter(|_| token.self_rotation)
    };
    Rotation { itself: token.self_rotation, until }
}

/// The latest end of a token's successor: that of the token that calls, or, if it renews itself, what its maker has set.
pub(super) fn latest_end(caller: &Caller, token: &Token) -> LatestEnd {
    if renews_itself(caller, token) {
        // Never less than the token has already.
        let later = |(until, end): (DateTime<Utc>, DateTime<Utc>)| until.max(end);
        let at = token.rotates_until.zip(caller.ends_at).map(later);
        LatestEnd { at, because: "the token may renew itself until then (rotates-until)" }
    } else {
        LatestEnd::of(caller)
    }
}

/// Whether a token calls that may renew itself, and this is it.
pub(super) fn renews_itself(caller: &Caller, token: &Token) -> bool {
    token.self_rotation && caller.is_token(token.id)
}

fn given(caller: &Caller, itself: bool, until: Option<Timestamp>) -> Result<Rotation> {
    const POINTER: &str = "/data/attributes/rotates-until";
    match (itself, until) {
        (false, Some(_)) => {
            Err(Error::attribute(POINTER, "Rotates until can be there only where self-rotation is true"))
        }
        (false, None) => Ok(Rotation { itself, until: None }),
        (true, Some(Timestamp(until))) if caller.ends_at.is_some_and(|end| until > end) => {
            let end = caller.ends_at.map(crate::jsonapi::time).unwrap_or_default();
            let detail = format!("Rotates until must be no later than {end}: the token that calls ends then");
            Err(Error::attribute(POINTER, detail))
        }
        (true, Some(Timestamp(until))) if until <= caller.now => {
            Err(Error::attribute(POINTER, "Rotates until must be a time to come, or null for no limit"))
        }
        (true, until) => Ok(Rotation { itself, until: earliest(until.map(|until| until.0), caller.ends_at) }),
    }
}
