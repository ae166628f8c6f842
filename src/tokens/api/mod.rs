//! The routes of tokens: `authentication-tokens/:id` for any token here, and those of each kind of owner beside it.

pub(crate) mod organization;
pub(crate) mod team;
pub(crate) mod user;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, ServiceConfig, delete, get, resource};
use actix_web::{HttpRequest, HttpResponse};
use diesel::PgConnection;
use serde_json::json;

use super::resource::{self as look, TOKENS};
use super::store::{self, NewToken, Room};
use super::{Kind, Owner, Token, TokenAttributes};
use crate::access::{Action, Caller, Gate, Place, Subject, TeamFacts, Visitor};
use crate::audit::{self, Event};
use crate::ids::TokenId;
use crate::jsonapi::{Document, Error, Known, Query, Result};
use crate::ttl_policies;

pub(crate) const SHOW: Known = Known::show(&[&TOKENS]);

/// The routes.
pub fn routes(service: &mut ServiceConfig) {
    service
        .configure(team::routes)
        .configure(organization::routes)
        .configure(user::routes)
        .service(resource("/authentication-tokens/{token}").route(get().to(show)).route(delete().to(destroy)));
}

async fn show(request: HttpRequest, visitor: Visitor, path: Path<String>, gate: Data<Gate>) -> Result<HttpResponse> {
    let query = Query::of(&request, &SHOW);
    let id = path.parse::<TokenId>().ok();
    let (query, token) = gate
        .read(visitor, Place::Token(id), move |connection, caller| {
            let token = store::find(connection, id.ok_or_else(Error::not_found)?)?;
            may(caller, Deed::Read, &token)?;
            let query = query?;
            record(connection, caller, &token, "show")?;
            Ok((query, token))
        })
        .await?;
    Ok(Document::one(look::token(&token)).respond(&query, &request, StatusCode::OK))
}

async fn destroy(request: HttpRequest, visitor: Visitor, path: Path<String>, gate: Data<Gate>) -> Result<HttpResponse> {
    let query = Query::of(&request, &Known::NOTHING);
    let id = path.parse::<TokenId>().ok();
    gate.write(visitor, Place::Token(id), move |connection, caller| {
        let token = locked_token(connection, id.ok_or_else(Error::not_found)?)?;
        may(caller, Deed::Delete, &token)?;
        query?;
        revoke(connection, caller, &[token])
    })
    .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// What is to be done with a token that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    /// Look at it.
    Read,
    /// Revoke it.
    Delete,
}

/// Checks a deed by the row of the access table that its token's kind has.
fn may(caller: &Caller, deed: Deed, token: &Token) -> Result<()> {
    let (action, subject) = match (token.kind, token.user_id, token.team_id) {
        (Kind::User, Some(user), _) => (Action::UseUserToken, Subject::User(user)),
        (Kind::Team, _, Some(id)) => {
            // Whether its team is secret plays no part in who may handle a token.
            let (owners, allows_members) = (token.team_owners == Some(true), token.team_allows_members == Some(true));
            let subject = Subject::TeamToken(TeamFacts { id, owners, secret: true, allows_members }, Some(token.id));
            (if deed == Deed::Read { Action::ReadTeamToken } else { Action::DeleteTeamToken }, subject)
        }
        (Kind::Organization | Kind::AuditTrails, ..) if deed == Deed::Read => {
            (Action::ReadOrganizationToken, Subject::Place)
        }
        (Kind::Organization | Kind::AuditTrails, ..) => (Action::DeleteOrganizationToken, Subject::Place),
        _ => return Err(Error::not_found()),
    };
    caller.may(action, subject)
}

/// Makes a token and revokes what stood in its place. What the room is in must be locked.
fn issue(
    connection: &mut PgConnection,
    caller: &Caller,
    owner: Owner,
    room: Room<'_>,
    attributes: &TokenAttributes,
) -> Result<Document> {
    let asked = attributes.expired_at.map(|moment| moment.0);
    let expired_at = ttl_policies::expiry(connection, owner.organization(), owner.kind(), asked)?;
    let revoked = store::make_room(connection, owner, room)?;
    let new = NewToken { owner, description: room.description(), expired_at, created_by: caller.creator() };
    let (token, secret) = store::create(connection, &new)?;
    let mut events: Vec<Event> = revoked.into_iter().map(|id| event(&token, "destroy").about(id)).collect();
    events.push(event(&token, "create"));
    audit::record(connection, &caller.actor(), &events)?;
    Ok(Document::one(look::created(&token, &secret)))
}

fn revoke(connection: &mut PgConnection, caller: &Caller, tokens: &[Token]) -> Result<()> {
    let ids: Vec<TokenId> = tokens.iter().map(|token| token.id).collect();
    store::revoke(connection, &ids)?;
    let events: Vec<Event> = tokens.iter().map(|token| event(token, "destroy")).collect();
    Ok(audit::record(connection, &caller.actor(), &events)?)
}

fn record(connection: &mut PgConnection, caller: &Caller, token: &Token, action: &'static str) -> Result<()> {
    Ok(audit::record(connection, &caller.actor(), &[event(token, action)])?)
}

fn event(token: &Token, action: &'static str) -> Event {
    let meta = json!({"kind": token.kind, "team": token.team_id, "description": token.description});
    Event::new(token.organization_id, "authentication_token", token.id, action).meta(meta)
}

fn locked_token(connection: &mut PgConnection, id: TokenId) -> Result<Token> {
    store::lock(connection, id)?;
    Ok(store::find(connection, id)?)
}

fn optional(found: diesel::QueryResult<Token>) -> Result<Option<Token>> {
    Ok(diesel::OptionalExtension::optional(found)?)
}
