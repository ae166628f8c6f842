//! `account/details` and `users/:id`.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, ServiceConfig, get, resource};
use actix_web::{HttpRequest, HttpResponse};
use diesel::PgConnection;

use super::resource::{self as look, USERS};
use super::store;
use crate::access::{Caller, Gate, Place, Principal, Visitor};
use crate::ids::UserId;
use crate::jsonapi::{Document, Error, Known, Query, Resource, Result};

const SHOW: Known = Known::show(&[&USERS]);

/// The routes.
pub fn routes(service: &mut ServiceConfig) {
    service
        .service(resource("/account/details").route(get().to(details)))
        .service(resource("/users/{user}").route(get().to(show)));
}

/// Who the request acts as.
async fn details(request: HttpRequest, visitor: Visitor, gate: Data<Gate>) -> Result<HttpResponse> {
    let query = Query::of(&request, &SHOW);
    let (query, account) = gate
        .read(visitor, Place::Nowhere, move |connection, caller| {
            let query = query?;
            Ok((query, account(connection, caller)?))
        })
        .await?;
    Ok(Document::one(account).respond(&query, &request, StatusCode::OK))
}

fn account(connection: &mut PgConnection, caller: &Caller) -> Result<Resource> {
    match caller.user() {
        Some(user) => Ok(look::own(&store::find(connection, user)?)),
        None => look::service(caller).ok_or_else(Error::not_found),
    }
}

/// Users see themselves, fellow members of an organization, and as site admins everybody.
async fn show(request: HttpRequest, visitor: Visitor, path: Path<String>, gate: Data<Gate>) -> Result<HttpResponse> {
    let query = Query::of(&request, &SHOW);
    let (query, user) = gate
        .read(visitor, Place::Nowhere, move |connection, caller| {
            let wanted: UserId = path.parse().map_err(|_| Error::not_found())?;
            let query = query?;
            Ok((query, seen(connection, caller, wanted)?))
        })
        .await?;
    Ok(Document::one(user).respond(&query, &request, StatusCode::OK))
}

fn seen(connection: &mut PgConnection, caller: &Caller, wanted: UserId) -> Result<Resource> {
    let visible = match &caller.principal {
        Principal::User { id, .. } if *id == wanted => return Ok(look::own(&store::find(connection, wanted)?)),
        Principal::User { site_admin: true, .. } => true,
        Principal::User { id, .. } => store::share_an_organization(connection, *id, wanted)?,
        Principal::Team { organization, .. } | Principal::Organization { id: organization, .. } => {
            store::is_member(connection, *organization, wanted)?
        }
        Principal::AuditTrails { .. } => false,
    };
    if visible { Ok(look::public(&store::find(connection, wanted)?)) } else { Err(Error::not_found()) }
}
