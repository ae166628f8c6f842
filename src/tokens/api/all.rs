//! All tokens that belong to an organization: `organizations/:name/authentication-tokens`. A user's token belongs to a
//! person and is in no such list.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, ServiceConfig, get, resource};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

use super::super::filters::Filters;
use super::super::resource as look;
use super::super::store::Of;
use super::super::{Status, lists};
use super::LISTED;
use crate::access::{Action, Gate, Subject, Visitor};
use crate::jsonapi::{Extent, Known, Query, Result, list_document};
use crate::organizations::place;

pub(crate) const LIST: Known = Known { default_sort: "-created-at", ..LISTED };

/// The routes.
pub(super) fn routes(service: &mut ServiceConfig) {
    service.service(resource("/organizations/{organization}/authentication-tokens").route(get().to(list)));
}

/// Everything that the caller may read, and how many there are of each status.
async fn list(request: HttpRequest, visitor: Visitor, path: Path<String>, gate: Data<Gate>) -> Result<HttpResponse> {
    let asked = Query::of_with(&request, &LIST, Filters::of);
    let (query, found, counts) = gate
        .read(visitor, place(&path), move |connection, caller| {
            caller.may(Action::ListTokens, Subject::Place)?;
            let ((query, filters), of) = (asked?, Of::Organization(caller.organization()?));
            let reach = caller.token_reach();
            let found = lists::list(connection, of, &reach, &query, &filters)?;
            // Counting reads everything; a cursor's cost must not grow with the list.
            let counts = match found.extent {
                Extent::Numbered { .. } => Some(lists::status_counts(connection, of, &reach, &query, &filters)?),
                Extent::Cursors { .. } => None,
            };
            Ok((query, found, counts))
        })
        .await?;
    let resources = found.rows.iter().map(look::token).collect();
    let document = list_document(&request, &query, resources, &found.extent);
    let document = match counts {
        Some(counts) => document.meta("status-counts", told(&counts)),
        None => document,
    };
    Ok(document.respond(&query, &request, StatusCode::OK))
}

fn told(counts: &[(Status, i64)]) -> Value {
    let of = |status| counts.iter().find(|(counted, _)| *counted == status).map_or(0, |(_, count)| *count);
    json!({
        "active": of(Status::Active),
        "inactive": of(Status::Inactive),
        "expired": of(Status::Expired),
        "revoked": of(Status::Revoked),
    })
}
