//! Team tokens: `teams/:id/authentication-token`, `teams/:id/authentication-tokens` and
//! `organizations/:name/team-tokens`.

use std::collections::HashMap;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, ServiceConfig, delete, get, post, resource};
use actix_web::{HttpRequest, HttpResponse};
use diesel::PgConnection;

use super::super::store::{self, Slot, TokenList};
use super::super::view::{self, NAMES};
use super::super::{Owner, Token, TokenAttributes};
use super::{LISTED, SHOW, TokenOperation, issue, locked_token, may, record, revoke};
use crate::access::{Action, Authenticator, BearerToken, Target};
use crate::ids::TokenId;
use crate::jsonapi::{Body, Document, Error, Query, QuerySpec, Result};
use crate::organizations;
use crate::signing::Signer;
use crate::teams::organization_of_team;
use crate::teams::{self, Team};

pub(crate) const LIST: QuerySpec = QuerySpec { default_sort: "expired-at", ..LISTED };

pub(super) fn routes(service: &mut ServiceConfig) {
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
        );
}

/// Makes the team's one descriptionless token and revokes the one before (docs/design.md §3, rule 1).
async fn regenerate(
    request: HttpRequest,
    bearer: BearerToken,
    path: Path<String>,
    body: Body,
    authenticator: Data<Authenticator>,
    signer: Data<Signer>,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &SHOW);
    let (query, document) = authenticator
        .transaction(bearer, organization_of_team(&path), move |connection, caller| {
            let team = locked_team(connection, &path)?;
            let before = store::lock_current(connection, team_owner(&team))?;
            let caller = &caller.reauthenticated(connection)?;
            let target = Target::TeamToken(team.facts(), before);
            caller.may(Action::RegenerateTeamToken, target)?;
            let query = query?;
            let attributes = body.resource_or_empty::<TokenAttributes>(NAMES)?.without_id()?.attributes;
            Ok((
                query,
                issue(connection, &signer, caller, team_owner(&team), Slot::Described(None), &attributes, caller.role)?,
            ))
        })
        .await?;
    Ok(document.respond(&query, &request, StatusCode::CREATED))
}

/// Makes one more token of a team (docs/design.md §3, rule 2).
async fn create(
    request: HttpRequest,
    bearer: BearerToken,
    path: Path<String>,
    body: Body,
    authenticator: Data<Authenticator>,
    signer: Data<Signer>,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &SHOW);
    let (query, document) = authenticator
        .transaction(bearer, organization_of_team(&path), move |connection, caller| {
            let team = locked_team(connection, &path)?;
            let caller = &caller.reauthenticated(connection)?;
            caller.may(Action::CreateTeamToken, Target::TeamToken(team.facts(), None))?;
            let query = query?;
            let attributes = body.resource_lenient::<TokenAttributes>(NAMES)?.without_id()?.attributes;
            let description = attributes.description.as_ref().and_then(Option::as_deref);
            if store::description_taken(connection, team.id, description)? {
                return Err(super::description_taken());
            }
            Ok((
                query,
                issue(
                    connection,
                    &signer,
                    caller,
                    team_owner(&team),
                    Slot::Described(description),
                    &attributes,
                    caller.role,
                )?,
            ))
        })
        .await?;
    Ok(document.respond(&query, &request, StatusCode::CREATED))
}

async fn show_descriptionless(
    request: HttpRequest,
    bearer: BearerToken,
    path: Path<String>,
    authenticator: Data<Authenticator>,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &SHOW);
    let (query, token) = authenticator
        .read(bearer, organization_of_team(&path), move |connection, caller| {
            let token = store::descriptionless(connection, path.parse().map_err(|_| Error::not_found())?)?;
            may(connection, caller, TokenOperation::Read, &token)?;
            let query = query?;
            record(connection, caller, &token, "show")?;
            Ok((query, token))
        })
        .await?;
    Ok(Document::one(view::token(&token)).respond(&query, &request, StatusCode::OK))
}

async fn destroy_descriptionless(
    request: HttpRequest,
    bearer: BearerToken,
    path: Path<String>,
    authenticator: Data<Authenticator>,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &QuerySpec::NONE);
    authenticator
        .transaction(bearer, organization_of_team(&path), move |connection, caller| {
            let team = locked_team(connection, &path)?;
            // The lock on the team does not keep those away who name the token by its id.
            let id = store::descriptionless(connection, team.id)?.id;
            let (caller, token) = locked_token(connection, caller, id)?;
            may(connection, &caller, TokenOperation::Delete, &token)?;
            query?;
            revoke(connection, &caller, &[token])
        })
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

async fn list_of_team(
    request: HttpRequest,
    bearer: BearerToken,
    path: Path<String>,
    authenticator: Data<Authenticator>,
) -> Result<HttpResponse> {
    super::list(request, bearer, authenticator, organization_of_team(&path), &LIST, move |connection, caller| {
        let (team, _) = teams::find(connection, path.parse().map_err(|_| Error::not_found())?)?;
        caller.may(Action::SeeTeam, Target::Team(team.facts()))?;
        Ok(TokenList::Team(team.id))
    })
    .await
}

fn locked_team(connection: &mut PgConnection, id: &str) -> Result<Team> {
    let (team, _) = teams::lock(connection, id.parse().map_err(|_| Error::not_found())?)?;
    Ok(team)
}

async fn list_of_organization(
    request: HttpRequest,
    bearer: BearerToken,
    path: Path<String>,
    authenticator: Data<Authenticator>,
) -> Result<HttpResponse> {
    super::list(request, bearer, authenticator, organizations::organization_ref(&path), &LIST, |_, caller| {
        caller.may(Action::ListTeamTokens, Target::Organization)?;
        Ok(TokenList::Teams(caller.organization()?))
    })
    .await
}

/// Revokes all the tokens that the body names, or none of them.
async fn destroy_many(
    request: HttpRequest,
    bearer: BearerToken,
    path: Path<String>,
    body: Body,
    authenticator: Data<Authenticator>,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &QuerySpec::NONE);
    authenticator
        .transaction(bearer, organizations::organization_ref(&path), move |connection, caller| {
            caller.may(Action::ListTeamTokens, Target::Organization)?;
            query?;
            let ids = body.identifiers(NAMES)?;
            let parsed: Vec<TokenId> = ids.iter().filter_map(|id| id.parse().ok()).collect();
            let tokens = store::lock_all(connection, caller.organization()?, &parsed)?;
            let caller = &caller.reauthenticated(connection)?;
            caller.may(Action::ListTeamTokens, Target::Organization)?;
            let by_id: HashMap<String, &Token> = tokens.iter().map(|token| (token.id.to_string(), token)).collect();
            let faults = ids.iter().enumerate().filter_map(|(nth, id)| {
                let refusal = match by_id.get(id) {
                    Some(token) => may(connection, caller, TokenOperation::Delete, token).err()?,
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

const fn team_owner(team: &Team) -> Owner {
    Owner::Team(team.organization_id, team.id)
}
