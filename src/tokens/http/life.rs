//! The life of a token after it was made: `PATCH /authentication-tokens/:id` and
//! `authentication-tokens/:id/actions/disable|enable|regenerate|revoke` (docs/design.md §3, rules 3 to 6 and 8).

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, ServiceConfig, post, resource};
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, Utc};
use diesel::PgConnection;
use serde_json::json;

use super::super::jwt::{self, Form};
use super::super::store::{self, NewToken};
use super::super::view::{self, NAMES};
use super::super::{Owner, Replacement, Token, TokenChanges};
use super::{SHOW, TokenOperation, event, highest_role, may, no_escalation, record};
use crate::access::{Authenticator, BearerToken, Caller, OrganizationRef, Role};
use crate::audit;
use crate::credential::{Kind, Status};
use crate::ids::TokenId;
use crate::jsonapi::{Body, Document, Error, Query, Result};
use crate::signing::Signer;
use crate::{abilities, organizations, teams, ttl_policies};

pub(super) fn routes(service: &mut ServiceConfig) {
    service
        .service(resource("/authentication-tokens/{token}/actions/disable").route(post().to(disable)))
        .service(resource("/authentication-tokens/{token}/actions/enable").route(post().to(enable)))
        .service(resource("/authentication-tokens/{token}/actions/regenerate").route(post().to(regenerate)))
        .service(resource("/authentication-tokens/{token}/actions/revoke").route(post().to(revoke)));
}

/// Changes description, expiry, role or abilities; never the owner and never the secret.
pub(super) async fn edit(
    request: HttpRequest,
    bearer: BearerToken,
    path: Path<String>,
    body: Body,
    authenticator: Data<Authenticator>,
) -> Result<HttpResponse> {
    let id = path.into_inner();
    act(request, bearer, authenticator, id.clone(), TokenOperation::Edit, move |connection, caller, token| {
        let changes = body.resource_lenient::<TokenChanges>(NAMES)?.about(&[&id])?.attributes;
        match token.status {
            Status::Revoked => return Err(Error::not_found()),
            Status::Expired => return Err(over("An expired token cannot be edited; regenerate it instead")),
            Status::Inactive | Status::Active => {}
        }
        let edited = edited(connection, caller, &token, changes)?;
        if edited != token {
            store::edit(connection, &edited)?;
            record(connection, caller, &edited, "update")?;
        }
        shown(connection, token.id)
    })
    .await
}

/// The token after the changes.
fn edited(connection: &mut PgConnection, caller: &Caller, token: &Token, changes: TokenChanges) -> Result<Token> {
    let TokenChanges { description, expired_at, role, abilities } = changes;
    let mut edited = token.clone();
    if let Some(description) = description.filter(|description| *description != token.description) {
        check_description(connection, token, description.as_deref())?;
        edited.description = description;
    }
    if let Some(asked) = expired_at {
        let asked = asked.map(|timestamp| timestamp.0);
        edited.expired_at =
            ttl_policies::expiry(connection, token.organization_id, token.kind, token.created_at, asked)?;
        jwt::check_expiry(token, edited.expired_at)?;
    }
    edited.role = role.unwrap_or(token.role);
    edited.abilities = abilities.unwrap_or_else(|| token.abilities.clone());
    let added: Vec<_> = edited.abilities.iter().filter(|ability| !token.abilities.contains(ability)).cloned().collect();
    let given = if edited.role == token.role { Role::Viewer } else { edited.role };
    let highest = highest_role(connection, caller, token.owner().ok_or_else(Error::not_found)?)?;
    no_escalation(caller, highest, given, &added)?;
    abilities::check(connection, token.organization_id, &added)?;
    Ok(edited)
}

/// Descriptions are unique among a team's live tokens, and one token has none (docs/design.md §3, rules 1 and 2).
fn check_description(connection: &mut PgConnection, token: &Token, description: Option<&str>) -> Result<()> {
    let Some(team) = token.team_id else { return Ok(()) };
    let taken = match description {
        Some(_) => store::description_taken(connection, team, description)?,
        None => super::optional(store::descriptionless(connection, team))?.is_some(),
    };
    if taken { Err(super::description_taken()) } else { Ok(()) }
}

async fn disable(
    request: HttpRequest,
    bearer: BearerToken,
    path: Path<String>,
    authenticator: Data<Authenticator>,
) -> Result<HttpResponse> {
    switch(request, bearer, path, authenticator, false).await
}

async fn enable(
    request: HttpRequest,
    bearer: BearerToken,
    path: Path<String>,
    authenticator: Data<Authenticator>,
) -> Result<HttpResponse> {
    switch(request, bearer, path, authenticator, true).await
}

/// Switches a token off or on; one that is so already stays as it is.
async fn switch(
    request: HttpRequest,
    bearer: BearerToken,
    path: Path<String>,
    authenticator: Data<Authenticator>,
    on: bool,
) -> Result<HttpResponse> {
    act(request, bearer, authenticator, path.into_inner(), TokenOperation::Switch, move |connection, caller, token| {
        match (token.status, on) {
            (Status::Revoked, _) => return Err(over("A revoked token stays revoked")),
            (Status::Expired, _) => return Err(over("An expired token stays expired; regenerate it instead")),
            (Status::Active, true) | (Status::Inactive, false) => return Ok(Document::one(view::token(&token))),
            (Status::Active, false) | (Status::Inactive, true) => store::switch(connection, token.id, on)?,
        }
        record(connection, caller, &token, if on { "enable" } else { "disable" })?;
        shown(connection, token.id)
    })
    .await
}

/// Issues the successor of a token, which is revoked at once or after a grace (docs/design.md §3, rule 5).
async fn regenerate(
    request: HttpRequest,
    bearer: BearerToken,
    path: Path<String>,
    body: Body,
    authenticator: Data<Authenticator>,
    signer: Data<Signer>,
) -> Result<HttpResponse> {
    let id = path.into_inner();
    act(request, bearer, authenticator, id.clone(), TokenOperation::Regenerate, move |connection, caller, token| {
        let asked = body.resource_or_empty::<Replacement>(NAMES)?.about(&[&id])?.attributes;
        if token.replaced_by.is_some() {
            return Err(over("The token has been regenerated already; regenerate its successor instead"));
        }
        match token.status {
            Status::Revoked => return Err(over("A revoked token has no successor; make a new token instead")),
            Status::Inactive => return Err(over("A disabled token cannot be regenerated; enable it first")),
            Status::Expired | Status::Active => {}
        }
        let owner = token.owner().ok_or_else(Error::not_found)?;
        let highest = highest_role(connection, caller, owner)?;
        no_escalation(caller, highest, token.role, &token.abilities)?;
        replace(connection, &signer, caller, &token, owner, &asked)
    })
    .await
}

fn replace(
    connection: &mut PgConnection,
    signer: &Signer,
    caller: &Caller,
    token: &Token,
    owner: Owner,
    asked: &Replacement,
) -> Result<Document> {
    let grace = asked.grace_period_seconds.unwrap_or(0);
    store::revoke_after(connection, token.id, grace)?;
    if token.status == Status::Expired {
        // What is expired holds its description no more: another one may have taken it.
        check_description(connection, token, token.description.as_deref())?;
    }
    let new = NewToken {
        description: token.description.as_deref(),
        expired_at: successor_expiry(connection, token, asked)?,
        role: token.role,
        abilities: &token.abilities,
        form: Form::of(token.format, signer),
        replaces: Some(token.id),
        created_by: caller.creator(),
        ..NewToken::of(owner)
    };
    let (successor, secret) = store::create(connection, &new)?;
    let about = json!({"replaced-by": successor.id, "grace-period-seconds": grace});
    let events = [event(token, "regenerate").meta(about), event(&successor, "create")];
    audit::record(connection, &caller.actor(), &events)?;
    Ok(Document::one(view::created(&successor, &secret)))
}

/// When the successor expires: as asked for, or after as long a life as the token's own; within the TTL policy.
fn successor_expiry(
    connection: &mut PgConnection,
    token: &Token,
    asked: &Replacement,
) -> Result<Option<DateTime<Utc>>> {
    let now = Utc::now();
    if let Some(asked) = asked.expired_at {
        let asked = asked.map(|timestamp| timestamp.0);
        return ttl_policies::expiry(connection, token.organization_id, token.kind, now, asked);
    }
    let inherited = token.expired_at.map(|at| now + (at - token.created_at));
    let latest = ttl_policies::latest_expiry(connection, token.organization_id, token.kind, now)?;
    Ok(inherited.into_iter().chain(latest).min())
}

/// Revokes a token and shows it; one that is revoked already stays as it is.
async fn revoke(
    request: HttpRequest,
    bearer: BearerToken,
    path: Path<String>,
    authenticator: Data<Authenticator>,
) -> Result<HttpResponse> {
    act(request, bearer, authenticator, path.into_inner(), TokenOperation::Delete, |connection, caller, token| {
        let id = token.id;
        if token.status != Status::Revoked {
            super::revoke(connection, caller, &[token])?;
        }
        shown(connection, id)
    })
    .await
}

/// Does something with the token that a path names, locked and whether or not it is revoked, for a caller who may; the
/// answer is its document.
async fn act(
    request: HttpRequest,
    bearer: BearerToken,
    authenticator: Data<Authenticator>,
    id: String,
    operation: TokenOperation,
    work: impl FnOnce(&mut PgConnection, &Caller, Token) -> Result<Document> + Send + 'static,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &SHOW);
    let id = id.parse::<TokenId>().ok();
    let (query, document) = authenticator
        .transaction(bearer, OrganizationRef::Token(id), move |connection, caller| {
            let id = id.ok_or_else(Error::not_found)?;
            if matches!(operation, TokenOperation::Edit | TokenOperation::Regenerate) {
                lock_owner(connection, id)?;
            }
            let token = store::lock_including_revoked(connection, id)?;
            let caller = &caller.reauthenticated(connection)?;
            may(connection, caller, operation, &token)?;
            let query = query?;
            Ok((query, work(connection, caller, token)?))
        })
        .await?;
    let status = if operation == TokenOperation::Regenerate { StatusCode::CREATED } else { StatusCode::OK };
    Ok(document.respond(&query, &request, status))
}

/// Keeps others from making a token in the place of this one, or of its description.
fn lock_owner(connection: &mut PgConnection, id: TokenId) -> Result<()> {
    let token = store::find_including_revoked(connection, id)?;
    match (token.kind, token.team_id, token.organization_id) {
        (Kind::Team, Some(team), _) => drop(teams::lock(connection, team)?),
        (Kind::Organization | Kind::AuditTrails, _, Some(organization)) => {
            drop(organizations::lock(connection, organization)?);
        }
        _ => {}
    }
    Ok(())
}

fn shown(connection: &mut PgConnection, id: TokenId) -> Result<Document> {
    Ok(Document::one(view::token(&store::find_including_revoked(connection, id)?)))
}

fn over(detail: &str) -> Error {
    Error::conflict(None, detail)
}
