//! All tokens that belong to an organization: `organizations/:name/authentication-tokens`. A user's token belongs to a
//! person and is in no such list.

use actix_web::web::{Data, Path, ServiceConfig, get, resource};
use actix_web::{HttpRequest, HttpResponse};

use super::super::store::Of;
use super::LISTED;
use crate::access::{Action, Gate, Subject, Visitor};
use crate::jsonapi::{Known, Result};
use crate::organizations::place;

pub(crate) const LIST: Known = Known { default_sort: "-created-at", ..LISTED };

/// The routes.
pub(super) fn routes(service: &mut ServiceConfig) {
    service.service(resource("/organizations/{organization}/authentication-tokens").route(get().to(list)));
}

/// Everything that the caller may read, and how many there are of each status.
async fn list(request: HttpRequest, visitor: Visitor, path: Path<String>, gate: Data<Gate>) -> Result<HttpResponse> {
    super::list(request, visitor, gate, place(&path), &LIST, |_, caller| {
        caller.may(Action::ListTokens, Subject::Place)?;
        Ok(Of::Organization(caller.organization()?))
    })
    .await
}
