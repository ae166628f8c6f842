//! The life of a token after it was made (docs/design.md §3, rules 3 to 6 and 8). The token must be locked.

use chrono::{DateTime, SubsecRound, Utc};
use diesel::{OptionalExtension, PgConnection};
use serde_json::json;

use super::bounds::highest_role;
use super::issue::Mint;
use super::jwt::{self, Form};
use super::model::event;
use super::right::{TokenOperation, may};
use super::{NewToken, Owner, Replacement, SELF_ROTATION_GRACE, Token, TokenChanges, issue, rotation, store};
use crate::access::Caller;
use crate::audit::{self, Event, Looking};
use crate::credential::{Ability, Kind, Period, Secret, Status};
use crate::ids::TokenId;
use crate::jsonapi::{Error, Result, Timestamp};
use crate::ttl_policies::LatestEnd;
use crate::{organizations, teams, ttl_policies};

/// Changes what a client may change of a token, never its owner and never its secret. Switching it is [`switch`]'s.
///
/// # Errors
/// 404 for a revoked token, 409 for an expired one, 403 and 422 as for a new one.
pub(crate) fn edit(
    connection: &mut PgConnection,
    caller: &Caller,
    token: &Token,
    changes: TokenChanges,
) -> Result<Token> {
    match token.status {
        Status::Revoked => return Err(Error::not_found()),
        Status::Expired => return Err(over("An expired token cannot be edited; regenerate it instead")),
        Status::Inactive | Status::Active => {}
    }
    let edited = edited(connection, caller, token, changes)?;
    if edited != *token {
        store::edit(connection, token, &edited)?;
        record(connection, caller, &edited, "update")?;
    }
    Ok(store::find_including_revoked(connection, token.id)?)
}

/// The token after the changes.
fn edited(connection: &mut PgConnection, caller: &Caller, token: &Token, changes: TokenChanges) -> Result<Token> {
    let asked = changes.expired_at;
    let rotation = rotation::of_edited(caller, token, &changes)?;
    let mut edited = token.clone().changed(changes);
    if edited.description != token.description {
        keeps_description(token, &edited)?;
        check_description(connection, caller, token, edited.description.as_deref())?;
    }
    let owner = token.owner().ok_or_else(Error::not_found)?;
    // What GET shows can be sent back, whatever has become of policies since.
    let shown = |time: Option<DateTime<Utc>>| time.map(|time| time.trunc_subsecs(3));
    (edited.self_rotation, edited.rotates_until) = (rotation.itself, rotation.until);
    edited.expired_at = token.expired_at;
    if let Some(asked) =
        asked.map(|asked| asked.map(|moment| moment.0)).filter(|asked| shown(*asked) != shown(token.expired_at))
    {
        let shortens = asked.is_some_and(|asked| token.ends_at.is_none_or(|end| asked <= end));
        let outlives = caller.ends_at.is_some_and(|end| asked.is_none_or(|asked| asked > end));
        edited.expired_at = if shortens && !outlives {
            asked
        } else {
            ttl_policies::expiry(connection, LatestEnd::of(caller), owner.governed(), token.created_at, asked)?
        };
        // A person's token may be older than a policy lets a new one become.
        if edited.expired_at.is_some_and(|end| end <= caller.now) {
            let detail = "Expired at would be over already: the policies in force let no token of this age live longer";
            return Err(Error::attribute("/data/attributes/expired-at", detail));
        }
        jwt::check_expiry(token, edited.expired_at)?;
    }
    let more = gives_more(connection, caller, token, &edited)?;
    let outlives = caller.ends_at.is_some_and(|end| edited.expired_at.is_none_or(|other| other > end));
    if outlives && more {
        return Err(Error::forbidden("A token that ends gives no more to one that outlives it"));
    }
    Ok(edited)
}

/// Whether the edited token may do more than before, which the caller must be allowed to give.
fn gives_more(connection: &mut PgConnection, caller: &Caller, token: &Token, edited: &Token) -> Result<bool> {
    if (edited.role, &edited.abilities) == (token.role, &token.abilities) {
        return Ok(false);
    }
    let owner = token.owner().ok_or_else(Error::not_found)?;
    let bounds = store::bounds(connection, owner)?;
    let role = if edited.role == token.role {
        Ok(())
    } else {
        let highest = highest_role(connection, caller, owner)?;
        bounds.check_gives_role(edited.role, highest)
    };
    let had = |ability: &Ability| match &token.abilities {
        Some(listed) => listed.iter().any(|own| own.covers(ability)),
        None => token.effective_abilities.iter().any(|had| match had.as_str() {
            "*" => !ability.is_latchkeys_own(),
            had => had.parse().is_ok_and(|had: Ability| had.covers(ability)),
        }),
    };
    let (abilities, more) = match &edited.abilities {
        None => {
            (token.abilities.as_ref().map_or(Ok(()), |_| bounds.check_gives_all(caller)), token.abilities.is_some())
        }
        Some(abilities) => {
            let added: Vec<Ability> = abilities.iter().filter(|ability| !had(ability)).cloned().collect();
            (bounds.check_given(connection, caller, &added), !added.is_empty())
        }
    };
    issue::both(role, abilities)?;
    Ok(edited.role > token.role || more)
}

/// No edit makes a token the team's one without a description: the next request for that one would end it, without a word
/// to whoever uses it (docs/design.md §3, rule 2).
fn keeps_description(token: &Token, edited: &Token) -> Result<()> {
    if token.team_id.is_none() || edited.description.is_some() {
        return Ok(());
    }
    let detail = "Description must not become null: whoever makes the team's one token without a description would end \
                  this one";
    Err(Error::attribute("/data/attributes/description", detail))
}

/// Descriptions are unique among a team's live tokens, and one token has none (docs/design.md §3, rules 1 and 2).
fn check_description(
    connection: &mut PgConnection,
    caller: &Caller,
    token: &Token,
    description: Option<&str>,
) -> Result<()> {
    let Some(team) = token.team_id else { return Ok(()) };
    let other = match description {
        Some(description) => store::of_description(connection, team, Some(description)),
        None => store::descriptionless(connection, team),
    };
    other.optional()?.map_or(Ok(()), |other| Err(description_taken(connection, caller, &other)))
}

/// 422 for a description that another live token of the team has.
pub(super) fn description_taken(connection: &mut PgConnection, caller: &Caller, other: &Token) -> Error {
    let taken = match other.description {
        Some(_) => "Validation failed: Description has already been taken",
        None => {
            "Validation failed: Description is required: the team has its one token without a description already, which \
             POST to authentication-token replaces"
        }
    };
    let fault = Error::attribute("/data/attributes/description", taken).with_title("invalid attributes");
    in_the_way(connection, caller, fault, other)
}

/// The fault with the id of the token that is in the way, for who may read that token: whoever has lost the answer that
/// made it finds it by that.
fn in_the_way(connection: &mut PgConnection, caller: &Caller, fault: Error, other: &Token) -> Error {
    match may(connection, caller, TokenOperation::Read, other) {
        Ok(_) => fault.with_meta("token", other.id.to_string()),
        Err(_) => fault,
    }
}

/// Whether a token is to work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Switch {
    On,
    Off,
}

/// What a `status` in a PATCH asks for: nothing, if it is the token's own.
///
/// # Errors
/// 422 for a status that nobody gives a token this way.
pub(super) fn asked_switch(token: &Token, status: Option<Status>) -> Result<Option<Switch>> {
    match status.filter(|status| *status != token.status) {
        None => Ok(None),
        Some(Status::Active) => Ok(Some(Switch::On)),
        Some(Status::Inactive) => Ok(Some(Switch::Off)),
        Some(Status::Expired | Status::Revoked) => {
            let detail = "Status can be set to active or inactive; what is to end for good is revoked by DELETE";
            Err(Error::attribute("/data/attributes/status", detail))
        }
    }
}

/// Switches a token off or on; one that is so already stays as it is.
///
/// # Errors
/// 409 for an expired or revoked token.
pub(crate) fn switch(connection: &mut PgConnection, caller: &Caller, token: Token, to: Switch) -> Result<Token> {
    match (token.status, to) {
        (Status::Revoked, _) => return Err(over("A revoked token stays revoked")),
        (Status::Expired, _) => return Err(over("An expired token stays expired; regenerate it instead")),
        (Status::Active, Switch::On) | (Status::Inactive, Switch::Off) => return Ok(token),
        (Status::Active, Switch::Off) | (Status::Inactive, Switch::On) => {
            store::switch(connection, token.id, to == Switch::On)?;
        }
    }
    record(connection, caller, &token, if to == Switch::On { "enable" } else { "disable" })?;
    Ok(store::find_including_revoked(connection, token.id)?)
}

/// Issues the successor of a token, which is revoked at once or after a grace (docs/design.md §3, rule 5).
///
/// # Errors
/// 409 for a token that is revoked, disabled or replaced already; 403 for one that has more than the caller.
pub(crate) fn replace(
    connection: &mut PgConnection,
    caller: &Caller,
    mint: Mint<'_>,
    token: &Token,
    asked: &Replacement,
) -> Result<(Token, Secret)> {
    if let Some(successor) = token.replaced_by {
        let fault = over("The token has been regenerated already; regenerate its successor instead");
        let successor = store::find_including_revoked(connection, successor)?;
        return Err(in_the_way(connection, caller, fault, &successor));
    }
    match token.status {
        Status::Revoked => return Err(over("A revoked token has no successor; make a new token instead")),
        Status::Inactive => return Err(over("A disabled token cannot be regenerated; enable it first")),
        Status::Expired | Status::Active => {}
    }
    let owner = token.owner().ok_or_else(Error::not_found)?;
    let highest = highest_role(connection, caller, owner)?;
    let bounds = store::bounds(connection, owner)?;
    issue::both(bounds.check_gives_role(token.role, highest), bounds.check_gives_those_of(caller, token))?;
    let usual = if rotation::renews_itself(caller, token) { SELF_ROTATION_GRACE } else { 0 };
    let grace = asked.grace_period_seconds.unwrap_or(usual);
    store::revoke_after(connection, token.id, grace)?;
    if token.status == Status::Expired {
        // What is expired holds its description no more: another one may have taken it.
        check_description(connection, caller, token, token.description.as_deref())?;
    }
    let new = NewToken {
        expired_at: successor_expiry(
            connection,
            caller,
            (token, owner),
            (asked, bounds.default_ttl.or(mint.default_ttl)),
        )?,
        rotation: rotation::of_successor(caller, token),
        form: Form::of(token.format, mint.signer, &bounds.abilities),
        created_by: caller.creator(),
        ..NewToken::successor_of(token, owner)
    };
    issue::create(connection, &caller.actor(), &new, |successor| {
        let told = event(token, "regenerate").and_meta("replaced-by", json!(successor.id));
        vec![told.and_meta("grace-period-seconds", json!(grace))]
    })
}

/// When the successor expires: as asked for, after the default life if null was, or else after as long a life as the
/// token's own; within the TTL policy, and not after the token that calls.
fn successor_expiry(
    connection: &mut PgConnection,
    caller: &Caller,
    (token, owner): (&Token, Owner),
    (asked, default_ttl): (&Replacement, Option<Period>),
) -> Result<Option<DateTime<Utc>>> {
    let now = caller.now;
    let within = rotation::latest_end(caller, token);
    if asked.expired_at.is_some() || asked.expires_in_seconds.is_some() {
        let at = asked.expired_at.flatten().map(|moment| moment.0);
        let end = issue::asked_end(caller, at, asked.expires_in_seconds)?;
        let latest = ttl_policies::expiry(connection, within, owner.governed(), now, end)?;
        let by_default = default_ttl.map(|ttl| issue::end_after(ttl, now)).filter(|_| end.is_none());
        return Ok(ttl_policies::earliest(latest, by_default));
    }
    let as_long = |at: DateTime<Utc>| now.checked_add_signed(at - token.created_at).unwrap_or(Timestamp::MAX);
    let inherited = token.expired_at.map(|at| as_long(at).min(Timestamp::MAX));
    let latest = ttl_policies::latest_expiry(connection, owner.governed(), now)?;
    Ok(ttl_policies::earliest(ttl_policies::earliest(inherited, latest), within.at))
}

/// Revokes tokens for good and at once, for a reason if one was said.
///
/// # Errors
/// The database's own.
pub(crate) fn revoke(
    connection: &mut PgConnection,
    caller: &Caller,
    tokens: &[Token],
    reason: Option<&str>,
) -> Result<()> {
    let ids: Vec<TokenId> = tokens.iter().map(|token| token.id).collect();
    store::revoke(connection, &ids, reason)?;
    let told = |token| event(token, "destroy").and_meta("revocation-reason", json!(reason));
    let events: Vec<Event> = tokens.iter().map(told).collect();
    Ok(audit::record(connection, &caller.actor(), &events)?)
}

/// Records something that was done with a token.
pub(super) fn record(
    connection: &mut PgConnection,
    caller: &Caller,
    token: &Token,
    action: &'static str,
) -> Result<()> {
    Ok(audit::record(connection, &caller.actor(), &[event(token, action)])?)
}

/// Records that somebody has looked at a token: once an hour for each who did, and not that it looked at itself.
///
/// # Errors
/// The database's own.
pub(crate) fn record_look(connection: &mut PgConnection, caller: &Caller, token: &Token) -> Result<()> {
    if caller.is_token(token.id) || audit::told_lately(connection, Looking::Show, token.id, &caller.actor())? {
        return Ok(());
    }
    record(connection, caller, token, Looking::Show.action())
}

/// Locks what a token belongs to, so that nobody makes another in its place, or of its description.
pub(super) fn lock_owner(connection: &mut PgConnection, id: TokenId) -> Result<()> {
    match store::belonging(connection, id)? {
        // A team that is gone has no token that could be made.
        (Kind::Team, Some(team), _) => drop(teams::lock(connection, team).optional()?),
        (Kind::Organization | Kind::AuditTrails, _, Some(organization)) => {
            drop(organizations::lock(connection, organization).optional()?);
        }
        _ => {}
    }
    Ok(())
}

fn over(detail: &str) -> Error {
    Error::conflict(None, detail)
}
