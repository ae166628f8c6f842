//! Workspace tokens: `workspaces/:id/authentication-tokens`. One acts as its workspace and sees nothing else.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, ServiceConfig, get, post, resource};
use actix_web::{HttpRequest, HttpResponse};

use super::super::store::{Slot, TokenList};
use super::super::view::NAMES;
use super::super::{Owner, TokenAttributes};
use super::{SHOW, issue};
use crate::access::{Action, Authenticator, BearerToken, Target};
use crate::jsonapi::{Body, Error, Query, Result};
use crate::signing::Signer;
use crate::workspaces::{self, organization_of_workspace};

pub(crate) use super::team::LIST;

pub(super) fn routes(service: &mut ServiceConfig) {
    service.service(
        resource("/workspaces/{workspace}/authentication-tokens").route(get().to(list)).route(post().to(create)),
    );
}

async fn list(
    request: HttpRequest,
    bearer: BearerToken,
    path: Path<String>,
    authenticator: Data<Authenticator>,
) -> Result<HttpResponse> {
    super::list(request, bearer, authenticator, organization_of_workspace(&path), &LIST, move |connection, caller| {
        let (workspace, _) = workspaces::find_visible(connection, caller, &path)?;
        Ok(TokenList::Workspace(workspace.id))
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
        .transaction(bearer, organization_of_workspace(&path), move |connection, caller| {
            let workspace = workspaces::lock(connection, path.parse().map_err(|_| Error::not_found())?)?;
            let caller = &caller.reauthenticated(connection)?;
            let rights = workspaces::rights(connection, caller, workspace.id)?;
            let role = rights.map(|rights| rights.role);
            caller.may(Action::CreateWorkspaceToken, Target::Workspace(role))?;
            let query = query?;
            let attributes = body.resource_lenient::<TokenAttributes>(NAMES)?.without_id()?.attributes;
            let description = attributes.description.as_ref().and_then(Option::as_deref);
            let owner = Owner::Workspace(workspace.organization_id, workspace.id);
            let highest = role.ok_or_else(Error::not_found)?;
            Ok((query, issue(connection, &signer, caller, owner, Slot::OneMore(description), &attributes, highest)?))
        })
        .await?;
    Ok(document.respond(&query, &request, StatusCode::CREATED))
}
