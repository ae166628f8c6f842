//! `organizations`, `organizations/:name` and its `entitlement-set`.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, ServiceConfig, delete, get, patch, post, resource};
use actix_web::{HttpRequest, HttpResponse};
use diesel::PgConnection;

use super::store::{self, Scope};
use super::view::{self, ENTITLEMENT_SETS, ORGANIZATIONS};
use super::{Organization, OrganizationAttributes, organization_ref};
use crate::access::{Action, Authenticator, BearerToken, Caller, OrganizationRef, Principal, Target};
use crate::audit::{self, Event};
use crate::jsonapi::{Body, Document, Error, Pages, Query, QuerySpec, Resource, Result, Search, list_document};
use crate::{memberships, teams};

pub(crate) const LIST: QuerySpec = QuerySpec {
    pages: Pages::Both,
    sort: &["name", "created-at"],
    default_sort: "name",
    q: Search::TextOr(&["name", "email"]),
    ..SHOW
};
// Shipped clients ask for the last two. There are no projects and no subscriptions, so that adds nothing.
pub(crate) const SHOW: QuerySpec = QuerySpec {
    include: &["entitlement-set", "default-project", "subscription"],
    ..QuerySpec::show(&[&ORGANIZATIONS, &ENTITLEMENT_SETS])
};
pub(crate) const WRITE: QuerySpec = QuerySpec::show(&[&ORGANIZATIONS]);
pub(crate) const SHOW_ENTITLEMENTS: QuerySpec = QuerySpec::show(&[&ENTITLEMENT_SETS]);

pub fn routes(service: &mut ServiceConfig) {
    service
        .service(resource("/organizations").route(get().to(list)).route(post().to(create)))
        .service(
            resource("/organizations/{organization}")
                .route(get().to(show))
                .route(patch().to(update))
                .route(delete().to(destroy)),
        )
        .service(resource("/organizations/{organization}/entitlement-set").route(get().to(entitlements)));
}

async fn list(request: HttpRequest, bearer: BearerToken, authenticator: Data<Authenticator>) -> Result<HttpResponse> {
    let query = Query::of(&request, &LIST);
    let (query, resources, included, info) = authenticator
        .read(bearer, OrganizationRef::None, move |connection, caller| {
            let query = query?;
            let found = store::list(connection, scope(caller), &query)?;
            let ids: Vec<_> = found.rows.iter().map(|row| row.id).collect();
            let callers = caller.in_each(connection, &ids)?;
            let resources =
                found.rows.iter().zip(&callers).map(|(row, caller)| view::organization(row, caller)).collect();
            let included = included(&query, &found.rows);
            Ok((query, resources, included, found.info))
        })
        .await?;
    let document = list_document(&request, &query, resources, &info).include(included);
    Ok(document.respond(&query, &request, StatusCode::OK))
}

const fn scope(caller: &Caller) -> Scope {
    match caller.principal {
        Principal::User { site_admin: true, .. } => Scope::All,
        Principal::User { id, .. } => Scope::Of(id, caller.token),
        Principal::Team { organization, .. } => Scope::Only(organization),
        Principal::Organization { id, .. } => Scope::Only(id),
        Principal::AuditTrails { .. } | Principal::Workspace { .. } => Scope::Nothing,
    }
}

fn included(query: &Query, organizations: &[Organization]) -> Vec<Resource> {
    if query.includes("entitlement-set") { organizations.iter().map(view::entitlements).collect() } else { vec![] }
}

/// Makes an organization and its team `owners`, with the caller as the first owner.
async fn create(
    request: HttpRequest,
    bearer: BearerToken,
    body: Body,
    authenticator: Data<Authenticator>,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &WRITE);
    let (query, resource) = authenticator
        .transaction(bearer, OrganizationRef::None, move |connection, caller| {
            caller.may(Action::CreateOrganization, Target::Organization)?;
            let owner = caller.user().ok_or_else(Error::not_found)?;
            let query = query?;
            let new = body.resource::<OrganizationAttributes>(&[ORGANIZATIONS.name], &["name", "email"])?;
            let new = Organization::new(String::new(), String::new()).changed(new.without_id()?.attributes);
            let organization = store::create(connection, &new)?;
            let owners = teams::create_owners(connection, organization.id)?;
            memberships::add(connection, organization.id, &[owner], memberships::Status::Active)?;
            teams::add_users(connection, &owners, &[owner])?;
            audit::record(
                connection,
                &caller.actor(),
                &[
                    Event::new(Some(organization.id), "organization", organization.id, "create"),
                    Event::new(Some(organization.id), "team", owners.id, "create"),
                    Event::new(Some(organization.id), "organization_user", owner, "create"),
                    Event::new(Some(organization.id), "team_member", owner, "create"),
                ],
            )?;
            let founder = caller.as_owner_of(organization.id);
            Ok((query, view::organization(&organization, &founder)))
        })
        .await?;
    Ok(Document::one(resource).respond(&query, &request, StatusCode::CREATED))
}

async fn show(
    request: HttpRequest,
    bearer: BearerToken,
    path: Path<String>,
    authenticator: Data<Authenticator>,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &SHOW);
    let (query, resource, included) = authenticator
        .read(bearer, organization_ref(&path), move |connection, caller| {
            let organization = find_visible(connection, caller)?;
            let query = query?;
            let included = included(&query, std::slice::from_ref(&organization));
            Ok((query, view::organization(&organization, caller), included))
        })
        .await?;
    Ok(Document::one(resource).include(included).respond(&query, &request, StatusCode::OK))
}

fn find_visible(connection: &mut PgConnection, caller: &Caller) -> Result<Organization> {
    caller.may(Action::SeeOrganization, Target::Organization)?;
    Ok(store::find(connection, caller.organization()?)?)
}

async fn update(
    request: HttpRequest,
    bearer: BearerToken,
    path: Path<String>,
    body: Body,
    authenticator: Data<Authenticator>,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &WRITE);
    let (query, resource) = authenticator
        .transaction(bearer, organization_ref(&path), move |connection, caller| {
            caller.may(Action::UpdateOrganization, Target::Organization)?;
            let query = query?;
            let changes = body.resource::<OrganizationAttributes>(&[ORGANIZATIONS.name], &[])?;
            let organization = store::lock(connection, caller.organization()?)?;
            let caller = &caller.reauthenticated(connection)?;
            caller.may(Action::UpdateOrganization, Target::Organization)?;
            let changes = changes.about(&[&path, &organization.name])?.attributes;
            let changed = organization.changed(changes);
            let changed = store::update(connection, &changed)?;
            let event = Event::new(Some(changed.id), "organization", changed.id, "update");
            audit::record(connection, &caller.actor(), &[event])?;
            Ok((query, view::organization(&changed, caller)))
        })
        .await?;
    Ok(Document::one(resource).respond(&query, &request, StatusCode::OK))
}

async fn destroy(
    request: HttpRequest,
    bearer: BearerToken,
    path: Path<String>,
    authenticator: Data<Authenticator>,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &QuerySpec::NONE);
    authenticator
        .transaction(bearer, organization_ref(&path), move |connection, caller| {
            caller.may(Action::DeleteOrganization, Target::Organization)?;
            query?;
            let id = caller.organization()?;
            store::lock_for_deletion(connection, id)?;
            let caller = &caller.reauthenticated(connection)?;
            caller.may(Action::DeleteOrganization, Target::Organization)?;
            store::delete(connection, id)?;
            audit::record(connection, &caller.actor(), &[Event::new(Some(id), "organization", id, "destroy")])?;
            Ok(())
        })
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

async fn entitlements(
    request: HttpRequest,
    bearer: BearerToken,
    path: Path<String>,
    authenticator: Data<Authenticator>,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &SHOW_ENTITLEMENTS);
    let (query, resource) = authenticator
        .read(bearer, organization_ref(&path), move |connection, caller| {
            let organization = find_visible(connection, caller)?;
            Ok((query?, view::entitlements(&organization)))
        })
        .await?;
    Ok(Document::one(resource).respond(&query, &request, StatusCode::OK))
}
