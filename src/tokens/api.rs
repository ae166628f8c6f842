//! Team tokens: `teams/:id/authentication-token`, `teams/:id/authentication-tokens`,
//! `organizations/:name/team-tokens`, and `authentication-tokens/:id` for any token.

use std::collections::HashMap;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, ServiceConfig, delete, get, post, resource};
use actix_web::{HttpRequest, HttpResponse};
use diesel::PgConnection;
use serde_json::json;

use super::resource::{self as look, NAMES, TOKENS};
use super::store::{self, NewToken, Of};
use super::{Owner, Secret, Token, TokenAttributes};
use crate::access::{Action, Caller, Gate, Place, Subject, Visitor};
use crate::audit::{self, Event};
use crate::ids::TokenId;
use crate::jsonapi::{Body, Document, Error, Known, Pages, Query, Result, SearchIn, list_document};
use crate::teams::{self, Team};
use crate::{organizations, teams::api::place};

const SHOW: Known = Known::show(&[&TOKENS]);
const LIST: Known = Known {
    pages: Pages::Both,
    sort: &["team-name", "created-by", "expired-at", "last-used-at"],
    default_sort: "expired-at",
    q: SearchIn::Text,
    filters: &["expiry_status"],
    ..SHOW
};

/// The routes.
pub fn routes(service: &mut ServiceConfig) {
    service
        .service(
            resource("/teams/{team}/authentication-token")
                .route(get().to(show_descriptionless))
                .route(post().to(regenerate))
                .route(delete().to(destroy_descriptionless)),
        )
        .service(resource("/teams/{team}/authentication-tokens").route(get().to(list_of_team)).route(post().to(create)))
        .service(
            resource("/organizations/{organization}/team-tokens")
                .route(get().to(list_of_organization))
                .route(delete().to(destroy_many)),
        )
        .service(resource("/authentication-tokens/{token}").route(get().to(show)).route(delete().to(destroy)));
}

/// Makes the team's one descriptionless token and revokes the one before (DESIGN §3, rule 1).
async fn regenerate(
    request: HttpRequest,
    visitor: Visitor,
    path: Path<String>,
    body: Body,
    gate: Data<Gate>,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &SHOW);
    let (query, document) = gate
        .write(visitor, place(&path), move |connection, caller| {
            let team = locked_team(connection, &path)?;
            let before = optional(store::descriptionless(connection, team.id))?;
            let subject = Subject::TeamToken(team.facts(), before.map(|token| token.id));
            caller.may(Action::RegenerateTeamToken, subject)?;
            let query = query?;
            let attributes = body.resource_or_empty::<TokenAttributes>(NAMES)?.attributes;
            Ok((query, replace(connection, caller, &team, None, &attributes)?))
        })
        .await?;
    Ok(document.respond(&query, &request, StatusCode::CREATED))
}

/// Makes one more token of a team (DESIGN §3, rule 2).
async fn create(
    request: HttpRequest,
    visitor: Visitor,
    path: Path<String>,
    body: Body,
    gate: Data<Gate>,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &SHOW);
    let (query, document) = gate
        .write(visitor, place(&path), move |connection, caller| {
            let team = locked_team(connection, &path)?;
            caller.may(Action::CreateTeamToken, Subject::TeamToken(team.facts(), None))?;
            let query = query?;
            let attributes = body.resource_lenient::<TokenAttributes>(NAMES)?.attributes;
            let description = attributes.description.as_ref().and_then(Option::as_deref);
            if store::description_taken(connection, team.id, description)? {
                let taken = "Validation failed: Description has already been taken";
                return Err(Error::attribute("/data/attributes/description", taken).with_title("invalid attributes"));
            }
            Ok((query, replace(connection, caller, &team, description, &attributes)?))
        })
        .await?;
    Ok(document.respond(&query, &request, StatusCode::CREATED))
}

/// Revokes what stands in a new token's place, then makes it. The team's row must be locked.
fn replace(
    connection: &mut PgConnection,
    caller: &Caller,
    team: &Team,
    description: Option<&str>,
    attributes: &TokenAttributes,
) -> Result<Document> {
    let revoked = store::make_room(connection, team.id, description)?;
    let new = NewToken {
        owner: Owner::Team(team.organization_id, team.id),
        description,
        expired_at: attributes.expired_at.map(|moment| moment.0),
        created_by: caller.creator(),
    };
    let (token, secret) = store::create(connection, &new)?;
    let mut events: Vec<Event> = revoked.into_iter().map(|id| event(&token, "destroy").about(id)).collect();
    events.push(event(&token, "create"));
    audit::record(connection, &caller.actor(), &events)?;
    Ok(shown_once(&token, &secret))
}

fn shown_once(token: &Token, secret: &Secret) -> Document {
    Document::one(look::created(token, secret))
}

fn event(token: &Token, action: &'static str) -> Event {
    let meta = json!({"kind": token.kind, "team": token.team_id, "description": token.description});
    Event::new(token.organization_id, "authentication_token", token.id, action).meta(meta)
}

async fn show_descriptionless(
    request: HttpRequest,
    visitor: Visitor,
    path: Path<String>,
    gate: Data<Gate>,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &SHOW);
    let (query, token) = gate
        .read(visitor, place(&path), move |connection, caller| {
            let token = store::descriptionless(connection, path.parse().map_err(|_| Error::not_found())?)?;
            may(caller, Action::ReadTeamToken, &token)?;
            Ok((query?, token))
        })
        .await?;
    Ok(Document::one(look::token(&token)).respond(&query, &request, StatusCode::OK))
}

async fn destroy_descriptionless(
    request: HttpRequest,
    visitor: Visitor,
    path: Path<String>,
    gate: Data<Gate>,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &Known::NOTHING);
    gate.write(visitor, place(&path), move |connection, caller| {
        let team = locked_team(connection, &path)?;
        let token = store::descriptionless(connection, team.id)?;
        may(caller, Action::DeleteTeamToken, &token)?;
        query?;
        revoke(connection, caller, &[token])
    })
    .await?;
    Ok(HttpResponse::NoContent().finish())
}

async fn list_of_team(
    request: HttpRequest,
    visitor: Visitor,
    path: Path<String>,
    gate: Data<Gate>,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &LIST);
    let (query, found) = gate
        .read(visitor, place(&path), move |connection, caller| {
            let (team, _) = teams::store::find(connection, path.parse().map_err(|_| Error::not_found())?)?;
            caller.may(Action::SeeTeam, Subject::Team(team.facts()))?;
            let query = query?;
            let found = store::list(connection, Of::Team(team.id), caller.token_reach(), &query)?;
            Ok((query, found))
        })
        .await?;
    let resources = found.rows.iter().map(look::token).collect();
    Ok(list_document(&request, &query, resources, &found.extent).respond(&query, &request, StatusCode::OK))
}

async fn list_of_organization(
    request: HttpRequest,
    visitor: Visitor,
    path: Path<String>,
    gate: Data<Gate>,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &LIST);
    let (query, found) = gate
        .read(visitor, organizations::api::place(&path), move |connection, caller| {
            caller.may(Action::ListTeamTokens, Subject::Place)?;
            let (query, organization) = (query?, caller.organization()?);
            let found = store::list(connection, Of::Organization(organization), caller.token_reach(), &query)?;
            Ok((query, found))
        })
        .await?;
    let resources = found.rows.iter().map(look::token).collect();
    Ok(list_document(&request, &query, resources, &found.extent).respond(&query, &request, StatusCode::OK))
}

/// Revokes all the tokens that the body names, or none of them.
async fn destroy_many(
    request: HttpRequest,
    visitor: Visitor,
    path: Path<String>,
    body: Body,
    gate: Data<Gate>,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &Known::NOTHING);
    gate.write(visitor, organizations::api::place(&path), move |connection, caller| {
        caller.may(Action::ListTeamTokens, Subject::Place)?;
        query?;
        let ids = body.identifiers(NAMES)?;
        let parsed: Vec<TokenId> = ids.iter().filter_map(|id| id.parse().ok()).collect();
        let tokens = store::lock_all(connection, caller.organization()?, &parsed)?;
        let by_id: HashMap<String, &Token> = tokens.iter().map(|token| (token.id.to_string(), token)).collect();
        let faults = ids.iter().enumerate().filter_map(|(nth, id)| {
            let refusal = match by_id.get(id) {
                Some(token) => may(caller, Action::DeleteTeamToken, token).err()?,
                None => Error::not_found(),
            };
            Some(refusal.with_pointer(format!("/data/{nth}/id")))
        });
        Error::check(faults)?;
        revoke(connection, caller, &tokens)
    })
    .await?;
    Ok(HttpResponse::NoContent().finish())
}

async fn show(request: HttpRequest, visitor: Visitor, path: Path<String>, gate: Data<Gate>) -> Result<HttpResponse> {
    let query = Query::of(&request, &SHOW);
    let id = path.parse::<TokenId>().ok();
    let (query, token) = gate
        .read(visitor, Place::Token(id), move |connection, caller| {
            let token = store::find(connection, id.ok_or_else(Error::not_found)?)?;
            may(caller, Action::ReadTeamToken, &token)?;
            Ok((query?, token))
        })
        .await?;
    Ok(Document::one(look::token(&token)).respond(&query, &request, StatusCode::OK))
}

async fn destroy(request: HttpRequest, visitor: Visitor, path: Path<String>, gate: Data<Gate>) -> Result<HttpResponse> {
    let query = Query::of(&request, &Known::NOTHING);
    let id = path.parse::<TokenId>().ok();
    gate.write(visitor, Place::Token(id), move |connection, caller| {
        let id = id.ok_or_else(Error::not_found)?;
        store::lock(connection, id)?;
        let token = store::find(connection, id)?;
        may(caller, Action::DeleteTeamToken, &token)?;
        query?;
        revoke(connection, caller, &[token])
    })
    .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Checks an action on a token: the given one for a team's, the user's own business for a user's.
fn may(caller: &Caller, action: Action, token: &Token) -> Result<()> {
    match token.subject() {
        Some(subject @ Subject::User(_)) => caller.may(Action::UseUserToken, subject),
        Some(subject) => caller.may(action, subject),
        None => Err(Error::not_found()),
    }
}

fn revoke(connection: &mut PgConnection, caller: &Caller, tokens: &[Token]) -> Result<()> {
    let ids: Vec<TokenId> = tokens.iter().map(|token| token.id).collect();
    store::revoke(connection, &ids)?;
    let events: Vec<Event> = tokens.iter().map(|token| event(token, "destroy")).collect();
    Ok(audit::record(connection, &caller.actor(), &events)?)
}

fn locked_team(connection: &mut PgConnection, id: &str) -> Result<Team> {
    let (team, _) = teams::store::lock(connection, id.parse().map_err(|_| Error::not_found())?)?;
    Ok(team)
}

fn optional(found: diesel::QueryResult<Token>) -> Result<Option<Token>> {
    Ok(diesel::OptionalExtension::optional(found)?)
}
