//! All tokens that belong to an organization: `organizations/:name/authentication-tokens`. A user's token belongs to a
//! person and is in no such list.

use actix_web::web::{Data, Path, ServiceConfig, get, resource};
use actix_web::{HttpRequest, HttpResponse};

use super::super::store::TokenList;
use super::LISTED;
use crate::access::{Action, Authenticator, BearerToken, Target};
use crate::jsonapi::{QuerySpec, Result};
use crate::organizations::organization_ref;

pub(crate) const LIST: QuerySpec = QuerySpec { default_sort: "-created-at", ..LISTED };

pub(super) fn routes(service: &mut ServiceConfig) {
    service.service(resource("/organizations/{organization}/authentication-tokens").route(get().to(list)));
}

/// Everything that the caller may read, and how many there are of each status.
async fn list(
    request: HttpRequest,
    bearer: BearerToken,
    path: Path<String>,
    authenticator: Data<Authenticator>,
) -> Result<HttpResponse> {
    super::list(request, bearer, authenticator, organization_ref(&path), &LIST, |_, caller| {
        caller.may(Action::ListTokens, Target::Organization)?;
        Ok(TokenList::Organization(caller.organization()?))
    })
    .await
}
