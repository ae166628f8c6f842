//! `organizations/:name/token-ttl-policies`.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, ServiceConfig, get, patch, resource};
use actix_web::{HttpRequest, HttpResponse};
use diesel::PgConnection;
use serde_json::json;

use super::store;
use super::view::{self, POLICIES};
use crate::access::{Action, Authenticator, BearerToken, Target};
use crate::audit::{self, Event};
use crate::ids::OrganizationId;
use crate::jsonapi::{Body, Document, Query, QuerySpec, Result};
use crate::organizations::{self, organization_ref};

pub(crate) const SHOW: QuerySpec = QuerySpec::show(&[&POLICIES]);

pub fn routes(service: &mut ServiceConfig) {
    service.service(
        resource("/organizations/{organization}/token-ttl-policies").route(get().to(list)).route(patch().to(update)),
    );
}

/// Every kind's policy; one list, which never needs a second page.
async fn list(
    request: HttpRequest,
    bearer: BearerToken,
    path: Path<String>,
    authenticator: Data<Authenticator>,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &SHOW);
    let (query, document) = authenticator
        .read(bearer, organization_ref(&path), move |connection, caller| {
            caller.may(Action::SeeTtlPolicies, Target::Organization)?;
            let query = query?;
            Ok((query, all(connection, caller.organization()?)?))
        })
        .await?;
    Ok(document.respond(&query, &request, StatusCode::OK))
}

async fn update(
    request: HttpRequest,
    bearer: BearerToken,
    path: Path<String>,
    body: Body,
    authenticator: Data<Authenticator>,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &SHOW);
    let (query, document) = authenticator
        .transaction(bearer, organization_ref(&path), move |connection, caller| {
            caller.may(Action::SetTtlPolicies, Target::Organization)?;
            let query = query?;
            let policies = super::policies_of(&body, caller.organization()?, &path)?;
            let organization = organizations::lock(connection, caller.organization()?)?.id;
            let caller = &caller.reauthenticated(connection)?;
            caller.may(Action::SetTtlPolicies, Target::Organization)?;
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
