//! Any one token, by its id, and the one that calls.

use chrono::{NaiveDate, TimeDelta, Utc};
use diesel::PgConnection;
use utoipa::PartialSchema as _;

use super::super::filters::{self, Trashed};
use super::super::life::{self, Switch};
use super::super::right::{TokenOperation, may};
use super::super::view::{self, NAMES, TOKENS, USAGE_DAYS};
use super::super::{Replacement, Revocation, Token, TokenChanges, USAGE_KEPT_DAYS, handle, issue, schema, store};
use super::{OF_EDITED, OF_NEW, OF_REVOKED, OF_SUCCESSORS, REVOCATION, SHOW, WORDS, made, mint, one, revoked, shown};
use crate::access::{Action, Caller, Target};
use crate::credential::Status;
use crate::http::{Allowed, Endpoint, Locked, OneResource, Read, Reply, Route, Write};
use crate::ids::TokenId;
use crate::jsonapi::{Error, Query, QuerySpec, ResourceBody, Result, Timestamp};

/// Those of [`TokenOperation::Read`], and what shows the list of everybody's.
const SHOWING: &[Action] = &[
    Action::ReadUserToken,
    Action::ReadServiceAccountToken,
    Action::ReadTeamToken,
    Action::ReadWorkspaceToken,
    Action::ReadOrganizationToken,
    Action::ShowItself,
    Action::ListEveryToken,
];
const SHOW_TRASHED: QuerySpec = QuerySpec { filters: &[filters::TRASHED], ..SHOW };
const USAGE: QuerySpec = QuerySpec { filters: &["since"], ..QuerySpec::show(&[&USAGE_DAYS]) };
const CHANGES: OneResource<TokenChanges> =
    OneResource::changes(NAMES, "token").lenient().misnamed(TOKENS.fields, &[WORDS, OF_EDITED]).keeps(&view::READ_ONLY);
/// The same as [`REVOCATION`] of the token that the path names.
const REVOCATION_BY_ID: OneResource<Revocation> =
    OneResource::changes(NAMES, "token").or_nothing().misnamed(TOKENS.fields, &[OF_REVOKED]);
const REPLACEMENT: OneResource<Replacement> = OneResource::changes(NAMES, "token")
    .or_nothing()
    .misnamed(TOKENS.fields, &[WORDS, OF_NEW, OF_SUCCESSORS])
    .keeps(&view::INHERITED);

/// A request that ends a token.
pub(super) type Revoke<'c> = Write<'c, ResourceBody<Revocation>>;

pub(super) fn endpoints() -> Vec<Endpoint> {
    let current = "/authentication-tokens/current";
    vec![
        Route::get(current, "showCurrentToken", "Show the token that calls")
            .query(&SHOW)
            .shows(&TOKENS)
            .allows(&[Action::ShowItself])
            .read(show_current_token),
        Route::delete(current, "deleteCurrentToken", "Revoke the token that calls")
            .details("Whatever its kind and its role: who has found a token, or needs it no more, can end it.")
            .query(&QuerySpec::NONE)
            .body(REVOCATION)
            .allows(&[Action::EndItself])
            .write(delete_current_token),
        Route::get("/authentication-tokens/{token}", "showToken", "Show a token, without its secret")
            .details("What is revoked is shown only with `filter[trashed]=with`.")
            .filters(&SHOW_TRASHED, filters::trashed)
            .values(format!("filter[{}]", filters::TRASHED), Trashed::schema())
            .shows(&TOKENS)
            .allows(SHOWING)
            .read(show_token),
        Route::get("/authentication-tokens/{token}/usage", "listTokenUsage", "How often a token was used, day by day")
            .details(
                "Every day (UTC) from the one asked for to today, oldest first, with 0 where there was no use: at most \
                 91 of them, and never a second page. What is older is not kept. Uses are written about once a second. \
                 A revoked token has its history, too.",
            )
            .query(&USAGE)
            .values("filter[since]", schema::since())
            .means("filter[since]", "The first day, or a time on it; without it, and before that, 90 days ago")
            .lists(&USAGE_DAYS)
            .allows(TokenOperation::Read.actions())
            .read(list_usage),
        Route::delete("/authentication-tokens/{token}", "deleteToken", "Revoke a token, for good and at once")
            .details("A body can say why, as that of `actions/revoke`.")
            .query(&QuerySpec::NONE)
            .body(REVOCATION_BY_ID)
            .allows(TokenOperation::Revoke.actions())
            .write(delete_token),
        Route::patch("/authentication-tokens/{token}", "updateToken", "Edit a token")
            .conflicts()
            .details(
                "Never its owner and never its secret. A lower role or fewer abilities take effect at once. `status` \
                 `active` or `inactive` switches it. What cannot be changed may be sent as it is.",
            )
            .query(&SHOW)
            .body(CHANGES)
            .shows(&TOKENS)
            .allows(TokenOperation::Edit.actions())
            .write(edit_token),
        switching("/authentication-tokens/{token}/actions/disable", "disableToken", "Switch a token off", Switch::Off),
        switching("/authentication-tokens/{token}/actions/enable", "enableToken", "Switch a token on", Switch::On),
        switching(
            "/authentication-tokens/{token}/actions/deactivate",
            "deactivateToken",
            "The same as `disable`",
            Switch::Off,
        ),
        switching(
            "/authentication-tokens/{token}/actions/activate",
            "activateToken",
            "The same as `enable`",
            Switch::On,
        ),
        Route::post(
            "/authentication-tokens/{token}/actions/regenerate",
            "regenerateToken",
            "Issue a token's successor",
        )
        .details(
            "It inherits description, role, abilities, labels, format and length of life, which an edit changes; only the \
             last can be asked for here. The old token is revoked at once, or after the grace, during which both work.",
        )
        .query(&SHOW)
        .body(REPLACEMENT)
        .creates(&TOKENS)
        .idempotent()
        .allows(TokenOperation::Replace.actions())
        .write(regenerate_token),
        Route::post("/authentication-tokens/{token}/actions/revoke", "revokeToken", "Revoke a token, and show it")
            .details("One that is revoked already stays as it is, with the reason that was said then.")
            .query(&SHOW)
            .body(REVOCATION_BY_ID)
            .shows(&TOKENS)
            .allows(TokenOperation::Revoke.actions())
            .write(revoke_token),
        Route::delete(
            "/admin/authentication-tokens/{token}",
            "deleteAnyToken",
            "Revoke any token, for good and at once",
        )
        .details("Told in the trail of the organization or user whose token it was.")
        .query(&QuerySpec::NONE)
        .body(REVOCATION_BY_ID)
        .allows(&[Action::EndAnyToken])
        .write(delete_any_token),
    ]
}

/// An action that switches a token, by one of its names.
fn switching(path: &'static str, id: &'static str, summary: &'static str, to: Switch) -> Endpoint {
    Route::post(path, id, summary)
        .conflicts()
        .details("One that is so already stays as it is; an expired or revoked one is a conflict.")
        .query(&SHOW)
        .shows(&TOKENS)
        .allows(TokenOperation::Switch.actions())
        .write(move |call| switch_token(call, to))
}

fn show_current_token(call: Read<'_>) -> Result<Reply> {
    let call = call.may(Target::Organization)?;
    let token = store::find(call.connection, own(&call.caller)?)?;
    one(call, &token)
}

/// The token that calls.
fn own(caller: &Caller) -> Result<TokenId> {
    caller.token().ok_or_else(Error::not_found)
}

fn delete_current_token(call: Revoke<'_>) -> Result<Reply> {
    let (call, id) = call.lock(|connection, caller| {
        let token = own(caller)?;
        store::lock(connection, caller, token)?;
        Ok(token)
    })?;
    delete(call, id)
}

fn show_token(mut call: Read<'_, Trashed>) -> Result<Reply> {
    let id = call.path("token")?;
    let token = call.find_by_input(|connection, _, trashed| {
        let found = store::find_including_revoked(connection, id)?;
        let asked_for = match trashed {
            Trashed::With => true,
            Trashed::Only => found.status == Status::Revoked,
            Trashed::Without => found.status != Status::Revoked,
        };
        asked_for.then_some(found).ok_or_else(Error::not_found)
    })?;
    show(call, &token)
}

fn show<I>(mut call: Read<'_, I>, token: &Token) -> Result<Reply> {
    // Whoever is shown the list of everybody's tokens may follow its links.
    let permit = call.find(|connection, caller| {
        let listed = |refusal| caller.may(Action::ListEveryToken, Target::Organization).map_err(|_| refusal);
        may(connection, caller, TokenOperation::Read, token).or_else(listed)
    })?;
    shown(call.permitted(permit)?, token)
}

fn delete_token(call: Revoke<'_>) -> Result<Reply> {
    let id = call.path("token")?;
    lock_and_delete(call, id)
}

pub(super) fn lock_and_delete(call: Revoke<'_>, id: TokenId) -> Result<Reply> {
    let (call, ()) = call.lock(|connection, caller| Ok(store::lock(connection, caller, id)?))?;
    delete(call, id)
}

fn delete(mut call: Locked<'_, ResourceBody<Revocation>>, id: TokenId) -> Result<Reply> {
    let token = call.find(|connection, _| Ok(store::find(connection, id)?))?;
    let (call, said) = permitted(call, TokenOperation::Revoke, &token)?.take_input();
    revoked(call, token, said)
}

fn delete_any_token(call: Revoke<'_>) -> Result<Reply> {
    let id: TokenId = call.path("token")?;
    let (mut call, ()) = call.lock(|connection, caller| {
        caller.may(Action::EndAnyToken, Target::Organization)?;
        Ok(store::lock(connection, caller, id)?)
    })?;
    let token = call.find(|connection, _| Ok(store::find(connection, id)?))?;
    let (call, said) = call.may(Target::Organization)?.take_input();
    revoked(call, token, said)
}

fn edit_token(call: Write<'_, ResourceBody<TokenChanges>>) -> Result<Reply> {
    let (call, token) = lock(call, TokenOperation::Edit)?;
    let (call, changes) = permitted(call, TokenOperation::Edit, &token)?.take_input();
    Error::check(view::READ_ONLY.iter().filter_map(|name| view::changed(&token, &changes, name)))?;
    let to = life::asked_switch(&token, changes.attributes.status)?;
    let mut edited = life::edit(call.connection, &call.caller, &token, changes.attributes)?;
    if let Some(to) = to {
        may(call.connection, &call.caller, TokenOperation::Switch, &edited)?;
        edited = life::switch(call.connection, &call.caller, edited, to)?;
    }
    one(call, &edited)
}

fn switch_token(call: Write<'_>, to: Switch) -> Result<Reply> {
    let (call, token) = lock(call, TokenOperation::Switch)?;
    let call = permitted(call, TokenOperation::Switch, &token)?;
    let token = life::switch(call.connection, &call.caller, token, to)?;
    one(call, &token)
}

fn regenerate_token(call: Write<'_, ResourceBody<Replacement>>) -> Result<Reply> {
    let (call, token) = lock(call, TokenOperation::Replace)?;
    let call = permitted(call, TokenOperation::Replace, &token)?;
    call.once(issue::may_again, |call| {
        // Not before: of a request that is sent again, the token may have changed.
        let faults = view::INHERITED.iter().filter_map(|name| view::inherited(&token, &call.input, name));
        Error::check(faults)?;
        let (mint, asked) = (mint(&call.services), &call.input.attributes);
        let successor = life::replace(call.connection, &call.caller, mint, &token, asked)?;
        made(call, successor)
    })
}

/// Revokes a token and shows it; one that is revoked already stays as it is.
fn revoke_token(call: Revoke<'_>) -> Result<Reply> {
    let (call, token) = lock(call, TokenOperation::Revoke)?;
    let call = permitted(call, TokenOperation::Revoke, &token)?;
    if token.status != Status::Revoked {
        let reason = call.input.attributes.revocation_reason.as_deref();
        life::revoke(call.connection, &call.caller, std::slice::from_ref(&token), reason)?;
    }
    let shown = store::find_including_revoked(call.connection, token.id)?;
    one(call, &shown)
}

/// The token that the path names, locked, whether or not it is revoked.
fn lock<'c, I>(call: Write<'c, I>, operation: TokenOperation) -> Result<(Locked<'c, I>, Token)> {
    let id = call.path("token")?;
    call.lock(|connection, caller| handle::lock(connection, caller, operation, id))
}

fn permitted<'c, I>(mut call: Locked<'c, I>, operation: TokenOperation, token: &Token) -> Result<Allowed<'c, I>> {
    let permit = call.find(|connection, caller| may(connection, caller, operation, token))?;
    call.permitted(permit)
}

/// Every day from the one asked for to today, oldest first; never so many that there is a second page. A revoked token
/// has its history, too.
fn list_usage(mut call: Read<'_>) -> Result<Reply> {
    let id = call.path("token")?;
    let find = |connection: &mut PgConnection, caller: &Caller| {
        let token = store::find_including_revoked(connection, id)?;
        may(connection, caller, TokenOperation::Read, &token)
    };
    let permit = call.find(find)?;
    let call = call.permitted(permit)?;
    let today = Utc::now().date_naive();
    let oldest = today - TimeDelta::days(USAGE_KEPT_DAYS);
    let since = since(&call.query)?.map_or(oldest, |since| since.max(oldest));
    let used = store::usage(call.connection, id, since)?;
    let every_day = since.iter_days().take_while(|date| *date <= today);
    let days = every_day.map(|date| view::usage_day(id, date, used.get(&date).copied().unwrap_or(0)));
    Ok(call.list(days.collect()))
}

/// A day, or the day (UTC) of a time.
fn since(query: &Query) -> Result<Option<NaiveDate>> {
    let Some(text) = query.filter("since") else { return Ok(None) };
    let moment = || serde_json::from_value::<Timestamp>(text.into()).ok().map(|moment| moment.0.date_naive());
    // `%Y` alone would take years that no time on the wire has.
    let date =
        Some(text).filter(|text| text.len() == 10).and_then(|text| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok());
    date.or_else(moment).map(Some).ok_or_else(|| {
        Error::parameter("filter[since]", "Must be a day such as 2031-05-17, or a time such as 2031-05-17T08:00:00Z")
    })
}
