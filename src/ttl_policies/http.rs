//! `organizations/:name/token-ttl-policies`.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, ServiceConfig, get, patch, resource};
use actix_web::{HttpRequest, HttpResponse};
use diesel::PgConnection;
use serde_json::json;

use super::store;
use super::view::{self, POLICIES};
use crate::access::{Action, Gate, Subject, Visitor};
use crate::audit::{self, Event};
use crate::ids::OrganizationId;
use crate::jsonapi::{Body, Document, Known, Query, Result};
use crate::organizations::{self, place};

pub(crate) const SHOW: Known = Known::show(&[&POLICIES]);

/// The routes.
pub fn routes(service: &mut ServiceConfig) {
    service.service(
        resource("/organizations/{organization}/token-ttl-policies").route(get().to(list)).route(patch().to(update)),
    );
}

/// Every kind's policy; one list, which never needs a second page.
async fn list(request: HttpRequest, visitor: Visitor, path: Path<String>, gate: Data<Gate>) -> Result<HttpResponse> {
    let query = Query::of(&request, &SHOW);
    let (query, document) = gate
        .read(visitor, place(&path), move |connection, caller| {
            caller.may(Action::SeeTtlPolicies, Subject::Place)?;
            let query = query?;
            Ok((query, all(connection, caller.organization()?)?))
        })
        .await?;
    Ok(document.respond(&query, &request, StatusCode::OK))
}

async fn update(
    request: HttpRequest,
    visitor: Visitor,
    path: Path<String>,
    body: Body,
    gate: Data<Gate>,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &SHOW);
    let (query, document) = gate
        .write(visitor, place(&path), move |connection, caller| {
            caller.may(Action::SetTtlPolicies, Subject::Place)?;
            let query = query?;
            let policies = super::policies_of(&body, caller.organization()?, &path)?;
            let organization = organizations::lock(connection, caller.organization()?)?.id;
            let caller = &caller.after_waiting(connection)?;
            caller.may(Action::SetTtlPolicies, Subject::Place)?;
            store::set(connection, organization, &policies)?;
            let event = Event::new(Some(organization), "organization_token_ttl_policy", organization, "update");
            audit::record(connection, &caller.actor(), &[event.meta(json!({ "policies": policies }))])?;
            Ok((query, all(connection, organization)?))
        })
        .await?;
    Ok(document.respond(&query, &request, StatusCode::OK))
}

fn all(connection: &mut PgConnection, organization: OrganizationId) -> Result<Document> {
    let policies = store::list(connection, organization)?;
    Ok(Document::list(policies.iter().map(|policy| view::policy(organization, policy)).collect()))
}
