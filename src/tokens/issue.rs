//! Making tokens. Every token is made here, with its event.

use diesel::{OptionalExtension, PgConnection};

use super::jwt::Form;
use super::model::event;
use super::right::highest_role;
use super::store::{self, Slot};
use super::{NewToken, Owner, Token, TokenAttributes};
use crate::access::{Caller, Role};
use crate::audit::{self, Actor, Event};
use crate::credential::{Ability, Format, Secret};
use crate::ids::TokenId;
use crate::jsonapi::{Error, Result};
use crate::signing::Signer;
use crate::{abilities, ttl_policies};

/// Makes a token for an owner, and revokes what stood in its place. What the owner is must be locked.
///
/// # Errors
/// 403 for more than the caller has, 422 for what the organization's policies do not allow.
pub(crate) fn issue(
    connection: &mut PgConnection,
    caller: &Caller,
    signer: &Signer,
    (owner, room): (Owner, Slot<'_>),
    attributes: &TokenAttributes,
) -> Result<(Token, Secret)> {
    let highest = highest_role(connection, caller, owner)?;
    let role = attributes.role.unwrap_or(highest);
    let abilities = attributes.abilities.as_deref().unwrap_or_default();
    no_escalation(caller, highest, role, abilities)?;
    abilities::check(connection, owner.organization(), abilities)?;
    let asked = attributes.expired_at.map(|moment| moment.0);
    let expired_at = ttl_policies::expiry(connection, caller, owner.governed(), caller.now, asked)?;
    let revoked = store::revoke_current(connection, owner, room)?;
    let description = room.description();
    let form = Form::of(attributes.format.unwrap_or(Format::Opaque), signer);
    let created_by = caller.creator();
    let asked_for = NewToken::asked_for(owner, attributes);
    let new = NewToken { description, expired_at, role, form, created_by, ..asked_for };
    create(connection, &caller.actor(), &new, |token| {
        revoked.iter().map(|id| event(token, "destroy").about(*id)).collect()
    })
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
    no_escalation(caller, highest, token.role, &token.abilities)?;
    let outlives = caller.ends_at.is_some_and(|end| token.ends_at.is_none_or(|other| other > end));
    if outlives && token.replaces != Some(caller.token) {
        return Err(Error::forbidden("The token that this made would end after the token that calls"));
    }
    Ok(())
}

/// Checks that nobody gives a token more than they have (docs/design.md §3, rule 8).
///
/// # Errors
/// 403 with a pointer to each attribute that asks for more.
pub(super) fn no_escalation(caller: &Caller, highest: Role, role: Role, abilities: &[Ability]) -> Result<()> {
    let too_high = (role > highest).then(|| {
        let detail = format!("The role must be at most {highest}, which is the highest that the caller may give");
        Error::forbidden(&detail).with_pointer("/data/attributes/role")
    });
    let missing = abilities.iter().find(|ability| !caller.holds(ability)).map(|ability| {
        let detail = format!("The caller does not have the ability {ability}, and so cannot give it");
        Error::forbidden(&detail).with_pointer("/data/attributes/abilities")
    });
    Error::check(too_high.into_iter().chain(missing))
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
