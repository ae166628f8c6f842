//! `organization/audit-trail`: the events of the organization whose token calls, oldest first.
//!
//! The HCP API answers this in plain JSON with snake_case keys, not in JSON:API; so does Latchkey.

use actix_web::web::{Data, ServiceConfig, get, resource};
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{Recorded, store};
use crate::access::{Action, Authenticator, BearerToken, Caller, OrganizationRef, Principal, Target};
use crate::ids::OrganizationId;
use crate::jsonapi::{Error, PageRequest, PageSizes, Pages, Query, QuerySpec, Result, time};

pub(crate) const LIST: QuerySpec = QuerySpec {
    pages: Pages::Numbered,
    page_sizes: PageSizes { default: 1000, most: 1000 },
    // go-tfe sends an empty `ListOptions` where its caller names no page.
    parameters: &["since", "ListOptions"],
    ..QuerySpec::NONE
};

pub fn routes(service: &mut ServiceConfig) {
    service.service(resource("/organization/audit-trail").route(get().to(list)));
}

async fn list(request: HttpRequest, bearer: BearerToken, authenticator: Data<Authenticator>) -> Result<HttpResponse> {
    let query = Query::of(&request, &LIST);
    let answer = authenticator
        .read(bearer, OrganizationRef::None, move |connection, caller| {
            caller.may(Action::ReadAuditTrail, Target::Organization)?;
            let query = query?;
            let organization = organization(caller)?;
            let page = query.page();
            let (events, total) = store::list(connection, organization, since(&query)?, page.offset(), page.size())?;
            let events: Vec<Value> = events.iter().map(|event| told(event, organization)).collect();
            Ok(json!({"data": events, "pagination": pagination(page, total)}))
        })
        .await?;
    Ok(HttpResponse::Ok().json(answer))
}

fn organization(caller: &Caller) -> Result<OrganizationId> {
    match caller.principal {
        Principal::AuditTrails { organization } | Principal::Organization { id: organization, .. } => Ok(organization),
        _ => Err(Error::not_found()),
    }
}

fn since(query: &Query) -> Result<Option<DateTime<Utc>>> {
    let Some(text) = query.parameter("since") else { return Ok(None) };
    match serde_json::from_value::<crate::jsonapi::Timestamp>(text.into()) {
        Ok(timestamp) => Ok(Some(timestamp.0)),
        Err(fault) => Err(Error::parameter("since", format!("Since {fault}"))),
    }
}

/// An event as the HCP API shows it.
fn told(event: &Recorded, organization: OrganizationId) -> Value {
    json!({
        "id": event.id,
        "version": "0",
        "type": "Resource",
        "timestamp": time(event.occurred_at),
        "auth": {
            "accessor_id": event.accessor_id,
            "description": event.accessor_description,
            "type": event.actor_type,
            "impersonator_id": null,
            "organization_id": organization,
        },
        "request": {"id": event.request_id},
        "resource": {
            "id": event.resource_id,
            "type": event.resource_type,
            "action": event.action,
            "meta": event.meta,
        },
    })
}

fn pagination(page: &PageRequest, total: i64) -> Value {
    let (number, size) = match page {
        PageRequest::Number { number, size } => (*number, *size),
        PageRequest::Cursor { size, .. } => (1, *size),
    };
    let pages = ((total + size - 1) / size).max(1);
    json!({
        "current_page": number,
        "prev_page": (number > 1).then(|| (number - 1).min(pages)),
        "next_page": (number < pages).then_some(number + 1),
        "total_pages": pages,
        "total_count": total,
    })
}
