//! `organization/audit-trail`: the events of the organization whose token calls, oldest first; and the trails of an
//! organization by its name, of the user who calls, and of everybody.
//!
//! The HCP API answers this in plain JSON with snake_case keys, not in JSON:API; so does Latchkey.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use utoipa::openapi::{ArrayBuilder, ObjectBuilder};

use crate::access::{Action, Caller, Principal, Target};
use crate::audit::{self, Asked, Recorded, Trail};
use crate::http::{Read, Reply, Route, Section};
use crate::ids::{TokenId, UserId};
use crate::jsonapi::schema::{count, null, object, one_of, or_null, text, time};
use crate::jsonapi::{Error, PageRequest, PageSizes, Pages, Query, QuerySpec, Result};
use crate::jsonapi::{Timestamp, time as rfc3339};

const LIST: QuerySpec = QuerySpec {
    pages: Pages::Numbered,
    page_sizes: PageSizes { default: 1000, most: 1000 },
    // go-tfe sends an empty `ListOptions` where its caller names no page.
    parameters: &["since", "ListOptions"],
    filters: &["token"],
    ..QuerySpec::NONE
};

/// The endpoints of the audit trail.
pub(crate) fn section() -> Section {
    let route = |path, id, summary, details, action, trail_of: fn(&Caller) -> Result<Trail>| {
        Route::get(path, id, summary)
            .details(details)
            .query(&LIST)
            .values("since", time())
            .means("filter[token]", "Only what was done by the token of this id")
            .gives("application/json", trail_schema())
            .allows(action)
            .read(move |call| list(call, trail_of))
    };
    let endpoints = vec![
        route(
            "/organization/audit-trail",
            "listAuditEvents",
            "What happened, oldest first",
            "Of the organization whose token calls: its own, or its audit-trails token. `since` is a time.",
            &[Action::ReadAuditTrail],
            of_caller,
        ),
        route(
            "/organizations/{organization}/audit-trail",
            "listOrganizationAuditEvents",
            "The same of an organization by its name",
            "The token that calls must not be capped to a role below owner.",
            &[Action::ReadOrganizationTrail],
            |caller| Ok(Trail::Organization(caller.organization()?)),
        ),
        route(
            "/account/audit-trail",
            "listOwnAuditEvents",
            "What happened to the own account and the own tokens, oldest first",
            "Also what others did to them.",
            &[Action::ReadOwnTrail],
            |caller| caller.user().map(Trail::User).ok_or_else(Error::not_found),
        ),
        route(
            "/admin/audit-trail",
            "listAllAuditEvents",
            "What happened to everybody, oldest first",
            "Also of organizations and users that are gone, and of the service itself.",
            &[Action::ReadEveryTrail],
            |_| Ok(Trail::Everybody),
        ),
    ];
    Section { tag: "audit", about: "What happened, by whom", endpoints, kinds: vec![] }
}

fn list(call: Read<'_>, trail_of: fn(&Caller) -> Result<Trail>) -> Result<Reply> {
    let call = call.may(Target::Organization)?;
    let trail = trail_of(&call.caller)?;
    let page = call.query.page();
    let asked = Asked { trail, since: since(&call.query)?, token: token(&call.query)? };
    let (mut events, total) = audit::list(call.connection, asked, page.offset(), page.size())?;
    match trail {
        Trail::Organization(_) => events.iter_mut().for_each(hide_users_token),
        Trail::User(own) => {
            let of_others = |event: &&mut Recorded| event.accessor_id.as_ref() != Some(&own.to_string());
            events.iter_mut().filter(of_others).for_each(hide_users_token);
        }
        Trail::Everybody => {}
    }
    let events: Vec<Value> = events.iter().map(told).collect();
    let answer = json!({"data": events, "pagination": pagination(page, total)});
    Ok(call.json(answer))
}

fn of_caller(caller: &Caller) -> Result<Trail> {
    match caller.principal {
        Principal::AuditTrails { organization } | Principal::Organization { id: organization, .. } => {
            Ok(Trail::Organization(organization))
        }
        _ => Err(Error::not_found()),
    }
}

fn since(query: &Query) -> Result<Option<DateTime<Utc>>> {
    let Some(text) = query.parameter("since") else { return Ok(None) };
    match serde_json::from_value::<Timestamp>(text.into()) {
        Ok(moment) => Ok(Some(moment.0)),
        Err(fault) => Err(Error::parameter("since", format!("Since {fault}"))),
    }
}

fn token(query: &Query) -> Result<Option<TokenId>> {
    let Some(text) = query.filter("token") else { return Ok(None) };
    text.parse().map(Some).map_err(|_| Error::parameter("filter[token]", "Must be the id of a token, such as at-…"))
}

/// What users say of their own tokens is nobody else's to know.
fn hide_users_token(event: &mut Recorded) {
    if event.accessor_id.as_deref().is_some_and(|id| id.parse::<UserId>().is_ok()) {
        event.token_description = None;
    }
}

/// An event as the HCP API shows it, and with the token by which it was done.
#[must_use]
pub fn told(event: &Recorded) -> Value {
    json!({
        "id": event.id,
        "version": "0",
        "type": "Resource",
        "timestamp": rfc3339(event.occurred_at),
        "auth": {
            "accessor_id": event.accessor_id,
            "description": event.accessor_description,
            "type": event.actor_type,
            "impersonator_id": null,
            "organization_id": event.organization_id,
            "token_id": event.token_id,
            "token_description": event.token_description,
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
        "next_page": (number < pages).then(|| number + 1),
        "total_pages": pages,
        "total_count": total,
    })
}

fn trail_schema() -> ObjectBuilder {
    object()
        .required("data")
        .required("pagination")
        .property("data", ArrayBuilder::new().items(event_schema()))
        .property("pagination", pagination_schema())
}

fn event_schema() -> ObjectBuilder {
    let auth = object()
        .property("accessor_id", or_null(text()))
        .property("description", or_null(text()))
        .property("type", one_of(&["Client", "System"]))
        .property("impersonator_id", null())
        .property("organization_id", or_null(text()))
        .property("token_id", or_null(text()))
        .property("token_description", or_null(text()));
    let resource =
        object().property("id", text()).property("type", text()).property("action", text()).property("meta", object());
    object()
        .property("id", text())
        .property("version", one_of(&["0"]))
        .property("type", one_of(&["Resource"]))
        .property("timestamp", time())
        .property("auth", auth)
        .property("request", object().property("id", or_null(text())))
        .property("resource", resource)
}

fn pagination_schema() -> ObjectBuilder {
    object()
        .property("current_page", count(1))
        .property("prev_page", or_null(count(1)))
        .property("next_page", or_null(count(1)))
        .property("total_pages", count(1))
        .property("total_count", count(0))
}
