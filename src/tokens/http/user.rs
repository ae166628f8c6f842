//! User tokens: `users/:id/authentication-tokens`. They are that user's alone.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, ServiceConfig, get, post, resource};
use actix_web::{HttpRequest, HttpResponse};

use super::super::store::{Slot, TokenList};
use super::super::view::NAMES;
use super::super::{Owner, TokenAttributes};
use super::{LISTED, SHOW, issue};
use crate::access::{Action, Authenticator, BearerToken, OrganizationRef, Target};
use crate::ids::UserId;
use crate::jsonapi::{Body, Error, Query, QuerySpec, Result};
use crate::signing::Signer;

pub(crate) const LIST: QuerySpec = QuerySpec { default_sort: "created-at", ..LISTED };

pub(super) fn routes(service: &mut ServiceConfig) {
    service.service(resource("/users/{user}/authentication-tokens").route(get().to(list)).route(post().to(create)));
}

/// The user's own tokens; to anybody else the list is empty (docs/design.md §4).
async fn list(
    request: HttpRequest,
    bearer: BearerToken,
    path: Path<String>,
    authenticator: Data<Authenticator>,
) -> Result<HttpResponse> {
    super::list(request, bearer, authenticator, OrganizationRef::None, &LIST, move |_, caller| {
        let user: UserId = path.parse().map_err(|_| Error::not_found())?;
        let own = caller.can(Action::ReadUserToken, Target::User(user));
        Ok(if own { TokenList::User(user) } else { TokenList::Nobody })
    })
    .await
}

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
        .transaction(bearer, OrganizationRef::None, move |connection, caller| {
            let user: UserId = path.parse().map_err(|_| Error::not_found())?;
            caller.may(Action::ChangeUserToken, Target::User(user))?;
            let query = query?;
            let attributes = body.resource_lenient::<TokenAttributes>(NAMES)?.without_id()?.attributes;
            let description = attributes.description.as_ref().and_then(Option::as_deref);
            let document = issue(
                connection,
                &signer,
                caller,
                Owner::User(user),
                Slot::OneMore(description),
                &attributes,
                caller.role,
            )?;
            Ok((query, document))
        })
        .await?;
    Ok(document.respond(&query, &request, StatusCode::CREATED))
}
