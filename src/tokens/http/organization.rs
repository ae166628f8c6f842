//! An organization's own tokens: `organizations/:name/authentication-token`, and with `?token=audit-trails` the one
//! that reads its audit trail. One of each kind (docs/design.md §3, rule 1).

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, ServiceConfig, delete, get, post, resource};
use actix_web::{HttpRequest, HttpResponse};

use super::super::store::{self, Slot};
use super::super::view::{self, NAMES};
use super::super::{Owner, TokenAttributes};
use super::{SHOW, TokenOperation, issue, locked_token, may, record, revoke};
use crate::access::{Action, Authenticator, BearerToken, Target};
use crate::credential::Kind;
use crate::ids::OrganizationId;
use crate::jsonapi::{Body, Document, Error, Query, QuerySpec, Result};
use crate::organizations::{self, organization_ref};
use crate::signing::Signer;

pub(crate) const ONE_OF_TWO: QuerySpec = QuerySpec { parameters: &["token"], ..SHOW };

pub(super) fn routes(service: &mut ServiceConfig) {
    service.service(
        resource("/organizations/{organization}/authentication-token")
            .route(get().to(show))
            .route(post().to(regenerate))
            .route(delete().to(destroy)),
    );
}

/// Which of the two tokens the query asks for.
fn kind(query: &Query) -> Result<Kind> {
    match query.parameter("token") {
        None => Ok(Kind::Organization),
        Some(word) if word == Kind::AuditTrails.as_str() => Ok(Kind::AuditTrails),
        Some(_) => Err(Error::parameter("token", "Must be audit-trails, or absent for the organization's token")),
    }
}

fn owner(organization: OrganizationId, kind: Kind) -> Owner {
    if kind == Kind::AuditTrails { Owner::AuditTrails(organization) } else { Owner::Organization(organization) }
}

async fn show(
    request: HttpRequest,
    bearer: BearerToken,
    path: Path<String>,
    authenticator: Data<Authenticator>,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &ONE_OF_TWO);
    let (query, token) = authenticator
        .read(bearer, organization_ref(&path), move |connection, caller| {
            caller.may(Action::ReadOrganizationToken, Target::Organization)?;
            let query = query?;
            let token = store::of_organization(connection, caller.organization()?, kind(&query)?)?;
            record(connection, caller, &token, "show")?;
            Ok((query, token))
        })
        .await?;
    Ok(Document::one(view::token(&token)).respond(&query, &request, StatusCode::OK))
}

/// Makes the token and revokes the one before.
async fn regenerate(
    request: HttpRequest,
    bearer: BearerToken,
    path: Path<String>,
    body: Body,
    authenticator: Data<Authenticator>,
    signer: Data<Signer>,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &ONE_OF_TWO);
    let (query, document) = authenticator
        .transaction(bearer, organization_ref(&path), move |connection, caller| {
            caller.may(Action::CreateOrganizationToken, Target::Organization)?;
            let query = query?;
            let kind = kind(&query)?;
            let attributes = body.resource_or_empty::<TokenAttributes>(NAMES)?.without_id()?.attributes;
            let organization = organizations::lock(connection, caller.organization()?)?;
            let owner = owner(organization.id, kind);
            store::lock_current(connection, owner)?;
            let caller = &caller.reauthenticated(connection)?;
            caller.may(Action::CreateOrganizationToken, Target::Organization)?;
            let document = issue(connection, &signer, caller, owner, Slot::OneOfKind, &attributes, caller.role)?;
            Ok((query, document))
        })
        .await?;
    Ok(document.respond(&query, &request, StatusCode::CREATED))
}

async fn destroy(
    request: HttpRequest,
    bearer: BearerToken,
    path: Path<String>,
    authenticator: Data<Authenticator>,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &ONE_OF_TWO);
    authenticator
        .transaction(bearer, organization_ref(&path), move |connection, caller| {
            caller.may(Action::ChangeOrganizationToken, Target::Organization)?;
            let kind = kind(&query?)?;
            let organization = organizations::lock(connection, caller.organization()?)?;
            let id = store::of_organization(connection, organization.id, kind)?.id;
            let (caller, token) = locked_token(connection, caller, id)?;
            may(connection, &caller, TokenOperation::Delete, &token)?;
            revoke(connection, &caller, &[token])
        })
        .await?;
    Ok(HttpResponse::NoContent().finish())
}
