//! Making tokens. Every token is made here, with its event.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::{OptionalExtension, PgConnection};

use super::bounds::{highest_role, too_high};
use super::jwt::Form;
use super::model::event;
use super::store::{self, Slot};
use super::{NewToken, Owner, Token, TokenAttributes, rotation};
use crate::access::Caller;
use crate::audit::{self, Actor, Event};
use crate::credential::{Format, Period, Secret};
use crate::ids::TokenId;
use crate::jsonapi::{Error, Result, Timestamp};
use crate::signing::Signer;
use crate::ttl_policies::{self, LatestEnd};

/// What tokens are made with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mint<'a> {
    /// What signs those that are JWTs.
    pub(crate) signer: &'a Signer,
    /// How long one lives where neither its maker nor its organization says.
    pub(crate) default_ttl: Option<Period>,
}

/// Makes a token for an owner, and revokes what stood in its place. What the owner is must be locked.
///
/// # Errors
/// 403 for more than the caller has, 422 for what the organization's policies do not allow.
pub(crate) fn issue(
    connection: &mut PgConnection,
    caller: &Caller,
    mint: Mint<'_>,
    (owner, room): (Owner, Slot<'_>),
    attributes: &TokenAttributes,
) -> Result<(Token, Secret)> {
    let highest = highest_role(connection, caller, owner)?;
    let bounds = store::bounds(connection, owner)?;
    let asked = attributes.abilities.as_ref().map(|abilities| abilities.as_deref());
    let (role, abilities) = both(bounds.role(attributes.role, highest), bounds.given(connection, caller, asked))?;
    let rotation = rotation::of_new(caller, attributes.self_rotation, attributes.rotates_until)?;
    let asked = asked_end(caller, attributes.expired_at.map(|moment| moment.0), attributes.expires_in_seconds)?;
    let within = LatestEnd::of(caller);
    let latest = ttl_policies::expiry(connection, within, owner.governed(), caller.now, asked)?;
    let by_default = bounds.default_ttl.or(mint.default_ttl).map(|ttl| end_after(ttl, caller.now));
    let expired_at = ttl_policies::earliest(latest, by_default.filter(|_| asked.is_none()));
    let form = Form::of(attributes.format.unwrap_or(bounds.format), mint.signer, &bounds.abilities);
    let asked_for = NewToken::asked(owner, attributes);
    if asked_for.labels_in_jwt && form.format() != Format::Jwt {
        let detail = "Labels in jwt can be true only of a token whose format is jwt";
        return Err(Error::attribute("/data/attributes/labels-in-jwt", detail));
    }
    let revoked = store::revoke_current(connection, owner, room)?;
    let new = NewToken {
        description: room.description(),
        expired_at,
        role,
        abilities: abilities.as_deref(),
        rotation,
        form,
        created_by: caller.creator(),
        ..asked_for
    };
    create(connection, &caller.actor(), &new, |token| {
        revoked.iter().map(|id| event(token, "destroy").about(*id)).collect()
    })
}

/// When a token ends that is made `now` and lives so long; no later than with the calendar (docs/design.md §3, rule 5).
pub(super) fn end_after(ttl: Period, now: DateTime<Utc>) -> DateTime<Utc> {
    ttl.after(now).unwrap_or(Timestamp::MAX).min(Timestamp::MAX)
}

/// The end that is asked for, as a time or in seconds from now.
///
/// # Errors
/// 422 for both.
pub(super) fn asked_end(
    caller: &Caller,
    at: Option<DateTime<Utc>>,
    in_seconds: Option<i64>,
) -> Result<Option<DateTime<Utc>>> {
    match (at, in_seconds) {
        (Some(_), Some(_)) => {
            let detail = "Expires in seconds cannot be written together with expired-at";
            Err(Error::attribute("/data/attributes/expires-in-seconds", detail))
        }
        (None, Some(seconds)) => {
            let end = TimeDelta::try_seconds(seconds).and_then(|length| caller.now.checked_add_signed(length));
            Ok(Some(end.unwrap_or(Timestamp::MAX)))
        }
        (at, None) => Ok(at),
    }
}

/// Both values, or the faults of both.
pub(super) fn both<A, B>(one: Result<A>, other: Result<B>) -> Result<(A, B)> {
    match (one, other) {
        (Ok(one), Ok(other)) => Ok((one, other)),
        (Err(one), Err(other)) => Err(one.and(other)),
        (Err(fault), Ok(_)) | (Ok(_), Err(fault)) => Err(fault),
    }
}

/// Checks that the caller would still get a token that it has made and whose secret it asks for once more: what it was
/// allowed then may have been taken away. Of a token that has ended nothing is left to give.
///
/// # Errors
/// 403 for more than the caller has, or for a token that ends after it and is not its successor.
pub(super) fn may_again(connection: &mut PgConnection, caller: &Caller, id: TokenId) -> Result<()> {
    let Some(token) = store::find(connection, id).optional()? else { return Ok(()) };
    let owner = token.owner().ok_or_else(Error::not_found)?;
    let highest = highest_role(connection, caller, owner)?;
    let bounds = store::bounds(connection, owner)?;
    // What it has replaced itself with, as it was then, is what it has itself.
    let own = token.replaces.is_some_and(|id| caller.is_token(id)) && token.abilities == caller.abilities;
    let gives = if own { Ok(()) } else { bounds.check_gives_those_of(caller, &token) };
    both(too_high(token.role, highest), gives)?;
    let outlives = caller.ends_at.is_some_and(|end| token.ends_at.is_none_or(|other| other > end));
    if outlives && !token.replaces.is_some_and(|id| caller.is_token(id)) {
        return Err(Error::forbidden("The token that this made would end after the token that calls"));
    }
    Ok(())
}

/// Makes a token, and records that, after the events that led to it.
///
/// # Errors
/// The database's own.
pub(crate) fn create(
    connection: &mut PgConnection,
    actor: &Actor,
    new: &NewToken<'_>,
    led_to_it: impl FnOnce(&Token) -> Vec<Event>,
) -> Result<(Token, Secret)> {
    let (token, secret) = store::create(connection, new)?;
    let mut events = led_to_it(&token);
    events.push(event(&token, "create"));
    audit::record(connection, actor, &events)?;
    Ok((token, secret))
}
