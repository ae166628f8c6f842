//! `workspaces/:id/relationships/tags`, `workspaces/:id/tag-bindings` and `workspaces/:id/effective-tag-bindings`.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, ServiceConfig, delete, get, patch, post, resource};
use actix_web::{HttpRequest, HttpResponse};
use diesel::PgConnection;
use serde_json::json;

use super::http::Named;
use super::tags::{self, BINDING, BindingAttributes, TAG, TagAttributes};
use super::view::{self, BINDINGS, EFFECTIVE_BINDINGS, TAGS};
use super::{Workspace, store};
use crate::access::{Action, Authenticator, BearerToken, Caller};
use crate::audit::{self, Event};
use crate::jsonapi::{Body, Document, PageInfo, Query, QuerySpec, Resource, Result, list_document};

/// `name` is how shipped clients search here.
pub(crate) const TAGS_OF_ONE: QuerySpec = QuerySpec { parameters: &["name"], ..QuerySpec::list(&[&TAGS]) };
pub(crate) const BINDINGS_OF_ONE: QuerySpec = QuerySpec::show(&[&BINDINGS]);
pub(crate) const EFFECTIVE_BINDINGS_OF_ONE: QuerySpec = QuerySpec::show(&[&EFFECTIVE_BINDINGS]);

pub fn routes(service: &mut ServiceConfig) {
    service
        .service(
            resource("/workspaces/{workspace}/relationships/tags")
                .route(get().to(list))
                .route(post().to(add))
                .route(delete().to(remove)),
        )
        .service(
            resource("/workspaces/{workspace}/tag-bindings").route(get().to(list_bindings)).route(patch().to(bind)),
        )
        .service(resource("/workspaces/{workspace}/effective-tag-bindings").route(get().to(list_effective_bindings)));
}

async fn list(
    request: HttpRequest,
    bearer: BearerToken,
    path: Path<Named>,
    authenticator: Data<Authenticator>,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &TAGS_OF_ONE);
    let (query, workspace) = authenticator
        .read(bearer, path.organization_ref(), move |connection, caller| {
            let workspace = path.allowed(connection, caller, Action::SeeWorkspace)?;
            Ok((query?, workspace))
        })
        .await?;
    let part = query.parameter("name").unwrap_or_default().to_lowercase();
    let found: Vec<&String> = workspace.tags.iter().filter(|name| name.contains(&part)).collect();
    let place = |number: i64| usize::try_from(number).unwrap_or(usize::MAX);
    let page = found.iter().skip(place(query.page().offset())).take(place(query.page().size()));
    let resources = page.map(|name| view::tag(workspace.organization_id, name)).collect();
    let extent = PageInfo::Numbered { total: i64::try_from(found.len()).unwrap_or(i64::MAX) };
    Ok(list_document(&request, &query, resources, &extent).respond(&query, &request, StatusCode::OK))
}

async fn add(
    request: HttpRequest,
    bearer: BearerToken,
    path: Path<Named>,
    body: Body,
    authenticator: Data<Authenticator>,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &QuerySpec::NONE);
    authenticator
        .transaction(bearer, path.organization_ref(), move |connection, caller| {
            let (caller, workspace, sent) = told(connection, caller, &path, query, &body)?;
            let all = tags::sorted(workspace.tags.iter().cloned().chain(sent).collect());
            set_tags(connection, &caller, workspace, all)
        })
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Takes tags away; what the workspace has not got stays away.
async fn remove(
    request: HttpRequest,
    bearer: BearerToken,
    path: Path<Named>,
    body: Body,
    authenticator: Data<Authenticator>,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &QuerySpec::NONE);
    authenticator
        .transaction(bearer, path.organization_ref(), move |connection, caller| {
            let (caller, workspace, sent) = told(connection, caller, &path, query, &body)?;
            let rest = workspace.tags.iter().filter(|name| !sent.contains(name)).cloned().collect();
            set_tags(connection, &caller, workspace, rest)
        })
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The caller as it stands now, the workspace, locked, and the names of the tags in the body.
fn told(
    connection: &mut PgConnection,
    caller: &Caller,
    path: &Named,
    query: Result<Query>,
    body: &Body,
) -> Result<(Caller, Workspace, Vec<String>)> {
    let (caller, workspace) = path.locked(connection, caller, Action::UpdateWorkspace)?;
    query?;
    let sent = body.list::<TagAttributes>(&[TAG], &[])?;
    let names = tags::names(connection, &caller, &sent)?;
    Ok((caller, workspace, names))
}

fn set_tags(connection: &mut PgConnection, caller: &Caller, workspace: Workspace, tags: Vec<String>) -> Result<()> {
    tags::check_number(tags.len(), "/data")?;
    if tags == workspace.tags {
        return Ok(());
    }
    let changed = store::update(connection, &Workspace { tags, ..workspace })?;
    record(connection, caller, &changed)
}

async fn list_bindings(
    request: HttpRequest,
    bearer: BearerToken,
    path: Path<Named>,
    authenticator: Data<Authenticator>,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &BINDINGS_OF_ONE);
    render(request, bearer, path, authenticator, query, view::bindings).await
}

/// Those that a workspace has by itself: there are no projects that it could have any from.
async fn list_effective_bindings(
    request: HttpRequest,
    bearer: BearerToken,
    path: Path<Named>,
    authenticator: Data<Authenticator>,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &EFFECTIVE_BINDINGS_OF_ONE);
    render(request, bearer, path, authenticator, query, view::effective_bindings).await
}

async fn render(
    request: HttpRequest,
    bearer: BearerToken,
    path: Path<Named>,
    authenticator: Data<Authenticator>,
    query: Result<Query>,
    look: fn(&Workspace) -> Vec<Resource>,
) -> Result<HttpResponse> {
    let (query, workspace) = authenticator
        .read(bearer, path.organization_ref(), move |connection, caller| {
            let workspace = path.allowed(connection, caller, Action::SeeWorkspace)?;
            Ok((query?, workspace))
        })
        .await?;
    Ok(Document::list(look(&workspace)).respond(&query, &request, StatusCode::OK))
}

/// Adds bindings, or gives another value to those that are there.
async fn bind(
    request: HttpRequest,
    bearer: BearerToken,
    path: Path<Named>,
    body: Body,
    authenticator: Data<Authenticator>,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &BINDINGS_OF_ONE);
    let (query, workspace) = authenticator
        .transaction(bearer, path.organization_ref(), move |connection, caller| {
            let (caller, before) = path.locked(connection, caller, Action::UpdateWorkspace)?;
            let query = query?;
            let sent = tags::bindings(body.list::<BindingAttributes>(&[BINDING], &["key"])?);
            let mut bindings = before.tag_bindings.clone();
            bindings.0.extend(sent);
            tags::check_number(bindings.0.len(), "/data")?;
            if bindings == before.tag_bindings {
                return Ok((query, before));
            }
            let changed = store::update(connection, &Workspace { tag_bindings: bindings, ..before })?;
            record(connection, &caller, &changed)?;
            Ok((query, changed))
        })
        .await?;
    Ok(Document::list(view::bindings(&workspace)).respond(&query, &request, StatusCode::OK))
}

fn record(connection: &mut PgConnection, caller: &Caller, workspace: &Workspace) -> Result<()> {
    let Workspace { name, tags, tag_bindings, .. } = workspace;
    let event = Event::new(Some(workspace.organization_id), "workspace", workspace.id, "update")
        .meta(json!({"name": name, "tags": tags, "tag-bindings": tag_bindings.0}));
    Ok(audit::record(connection, &caller.actor(), &[event])?)
}
