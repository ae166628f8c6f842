//! `organizations/:name/workspaces`, `organizations/:name/workspaces/:name` and `workspaces/:id`.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, ServiceConfig, delete, get, patch, post, resource};
use actix_web::{HttpRequest, HttpResponse};
use diesel::PgConnection;
use serde::Deserialize;
use serde_json::json;

use super::tags::Written;
use super::view::{self, EFFECTIVE_BINDINGS, WORKSPACES};
use super::{Workspace, WorkspaceAttributes, store};
use crate::access::{Action, Authenticator, BearerToken, Caller, OrganizationRef, Target};
use crate::audit::{self, Event};
use crate::ids::WorkspaceId;
use crate::jsonapi::{
    Body, Document, Error, PageInfo, Pages, Query, QuerySpec, Resource, Result, Search, is_name, list_document,
};
use crate::organizations::{self, ORGANIZATIONS, Organization};
use crate::team_access::{self, Grant};

// Shipped clients ask for all of these. There are no runs, no state and no projects, so that only the organization and
// the tag bindings add anything.
pub(crate) const SHOW: QuerySpec = QuerySpec {
    include: &[
        "organization",
        "current-configuration-version",
        "current-run",
        "current-state-version",
        "effective-tag-bindings",
        "locked-by",
        "outputs",
        "project",
        "readme",
    ],
    ..QuerySpec::show(&[&WORKSPACES, &ORGANIZATIONS, &EFFECTIVE_BINDINGS])
};
pub(crate) const LIST: QuerySpec = QuerySpec {
    pages: Pages::Both,
    sort: &["name", "created-at", "latest-change-at"],
    default_sort: "name",
    q: Search::Text,
    search: &["name", "wildcard-name", "tags", "exclude-tags"],
    ..SHOW
};
pub(crate) const CONSUMERS: QuerySpec = QuerySpec::list(&[&WORKSPACES]);

/// The routes. There is no state that could be lost, so that every deletion is a safe one.
pub fn routes(service: &mut ServiceConfig) {
    service
        .service(resource("/organizations/{organization}/workspaces").route(get().to(list)).route(post().to(create)))
        .service(
            resource("/organizations/{organization}/workspaces/{workspace}")
                .route(get().to(show))
                .route(patch().to(update))
                .route(delete().to(destroy)),
        )
        .service(
            resource("/organizations/{organization}/workspaces/{workspace}/actions/safe-delete")
                .route(post().to(destroy)),
        )
        .service(
            resource("/workspaces/{workspace}")
                .route(get().to(show))
                .route(patch().to(update))
                .route(delete().to(destroy)),
        )
        .service(resource("/workspaces/{workspace}/actions/safe-delete").route(post().to(destroy)))
        .service(
            resource("/workspaces/{workspace}/relationships/remote-state-consumers").route(get().to(list_consumers)),
        );
}

/// A workspace as a path names it: by its id, or by its name in an organization.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Named {
    organization: Option<String>,
    workspace: String,
}

impl Named {
    pub(super) fn organization_ref(&self) -> OrganizationRef {
        match &self.organization {
            Some(organization) => organizations::organization_ref(organization),
            None => super::organization_of_workspace(&self.workspace),
        }
    }

    fn find(&self, connection: &mut PgConnection, caller: &Caller) -> Result<Workspace> {
        if self.organization.is_none() {
            let id: WorkspaceId = self.workspace.parse().map_err(|_| Error::not_found())?;
            return Ok(store::find(connection, id)?);
        }
        if !is_name(&self.workspace) {
            return Err(Error::not_found());
        }
        Ok(store::find_named(connection, caller.organization()?, &self.workspace)?)
    }

    /// The workspace, if the caller may do `action` to it.
    pub(super) fn allowed(&self, connection: &mut PgConnection, caller: &Caller, action: Action) -> Result<Workspace> {
        let workspace = self.find(connection, caller)?;
        may(connection, caller, action, &workspace)?;
        Ok(workspace)
    }

    /// The workspace, locked, if the caller, as it stands now, may do `action` to it.
    pub(super) fn locked(
        &self,
        connection: &mut PgConnection,
        caller: &Caller,
        action: Action,
    ) -> Result<(Caller, Workspace)> {
        // Nobody else has a role in any of its workspaces, and so a lock to ask for.
        caller.may(Action::ListWorkspaces, Target::Organization)?;
        let id = self.find(connection, caller)?.id;
        let workspace = store::lock(connection, id)?;
        let caller = caller.reauthenticated(connection)?;
        may(connection, &caller, action, &workspace)?;
        Ok((caller, workspace))
    }
}

fn may(connection: &mut PgConnection, caller: &Caller, action: Action, workspace: &Workspace) -> Result<()> {
    let rights = super::rights(connection, caller, workspace.id)?;
    caller.may(action, Target::Workspace(rights.map(|rights| rights.role)))?;
    Ok(())
}

async fn list(
    request: HttpRequest,
    bearer: BearerToken,
    path: Path<String>,
    authenticator: Data<Authenticator>,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &LIST);
    let (query, resources, included, info) = authenticator
        .read(bearer, organizations::organization_ref(&path), move |connection, caller| {
            caller.may(Action::ListWorkspaces, Target::Organization)?;
            let query = query?;
            let organization = organizations::find(connection, caller.organization()?)?;
            let found = store::list(connection, organization.id, caller.visible_workspaces(), &query)?;
            let rendered = render_all(connection, caller, &organization, &found.rows)?;
            let (resources, included) = with_included(&query, caller, &organization, rendered);
            Ok((query, resources, included, found.info))
        })
        .await?;
    let document = list_document(&request, &query, resources, &info).include(included);
    Ok(document.respond(&query, &request, StatusCode::OK))
}

/// Workspaces that are told, as resources, and what the query asks to include of them.
fn with_included(
    query: &Query,
    caller: &Caller,
    organization: &Organization,
    rendered: Vec<(&Workspace, Resource)>,
) -> (Vec<Resource>, Vec<Resource>) {
    let mut included = vec![];
    let seen = caller.can(Action::SeeOrganization, Target::Organization);
    if query.includes("organization") && seen && !rendered.is_empty() {
        included.push(organizations::organization(organization, caller));
    }
    let bindings = query.includes(EFFECTIVE_BINDINGS.name);
    let mut resources = vec![];
    for (workspace, resource) in rendered {
        if bindings {
            included.extend(view::effective_bindings(workspace));
            resources.push(view::with_effective_bindings(resource, workspace));
        } else {
            resources.push(resource);
        }
    }
    (resources, included)
}

/// Those of an organization's workspaces that the caller sees, each as a resource.
pub(super) fn render_all<'a>(
    connection: &mut PgConnection,
    caller: &Caller,
    organization: &Organization,
    workspaces: &'a [Workspace],
) -> Result<Vec<(&'a Workspace, Resource)>> {
    let ids: Vec<WorkspaceId> = workspaces.iter().map(|workspace| workspace.id).collect();
    let teams: Vec<_> = caller.rights.teams.iter().copied().collect();
    let mut grants: BTreeMap<WorkspaceId, Vec<Grant>> = BTreeMap::new();
    for (id, grant) in team_access::grants(connection, &ids, &teams)? {
        grants.entry(id).or_default().push(grant);
    }
    let render = |workspace: &'a Workspace| {
        let by_teams = caller.rights_in(grants.remove(&workspace.id).unwrap_or_default());
        let rights = caller.rights_in_own(workspace.id).or(by_teams)?;
        Some((workspace, view::workspace(workspace, organization, caller, &rights)))
    };
    Ok(workspaces.iter().filter_map(render).collect())
}

fn render_one(
    connection: &mut PgConnection,
    caller: &Caller,
    query: &Query,
    workspace: &Workspace,
) -> Result<Document> {
    let organization = organizations::find(connection, workspace.organization_id)?;
    let rendered = render_all(connection, caller, &organization, std::slice::from_ref(workspace))?;
    let (resources, included) = with_included(query, caller, &organization, rendered);
    let resource = resources.into_iter().next().ok_or_else(Error::not_found)?;
    Ok(Document::one(resource).include(included))
}

/// The workspaces that read a workspace's state: there is no state, so that there are none. Shipped clients ask all the
/// same, and take 404 for a workspace whose state everybody reads.
async fn list_consumers(
    request: HttpRequest,
    bearer: BearerToken,
    path: Path<Named>,
    authenticator: Data<Authenticator>,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &CONSUMERS);
    let query = authenticator
        .read(bearer, path.organization_ref(), move |connection, caller| {
            path.allowed(connection, caller, Action::SeeWorkspace)?;
            query
        })
        .await?;
    let none = PageInfo::Numbered { total: 0 };
    Ok(list_document(&request, &query, vec![], &none).respond(&query, &request, StatusCode::OK))
}

async fn create(
    request: HttpRequest,
    bearer: BearerToken,
    path: Path<String>,
    body: Body,
    authenticator: Data<Authenticator>,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &SHOW);
    let (query, document) = authenticator
        .transaction(bearer, organizations::organization_ref(&path), move |connection, caller| {
            caller.may(Action::CreateWorkspace, Target::Organization)?;
            let query = query?;
            let body = body.resource::<WorkspaceAttributes>(&[WORKSPACES.name], &["name"])?.without_id()?;
            let tags = Written::read(connection, caller, &body.relationships)?;
            let new = Workspace::new(caller.organization()?).changed(body.attributes)?;
            let workspace = store::create(connection, &tags.put_on(new)?)?;
            // Making it waits for who deletes the organization, or makes another one of this name.
            let caller = &caller.reauthenticated(connection)?;
            caller.may(Action::CreateWorkspace, Target::Organization)?;
            record(connection, caller, &workspace, "create")?;
            let document = render_one(connection, caller, &query, &workspace)?;
            Ok((query, document))
        })
        .await?;
    Ok(document.respond(&query, &request, StatusCode::CREATED))
}

async fn show(
    request: HttpRequest,
    bearer: BearerToken,
    path: Path<Named>,
    authenticator: Data<Authenticator>,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &SHOW);
    let (query, document) = authenticator
        .read(bearer, path.organization_ref(), move |connection, caller| {
            let workspace = path.allowed(connection, caller, Action::SeeWorkspace)?;
            let query = query?;
            let document = render_one(connection, caller, &query, &workspace)?;
            Ok((query, document))
        })
        .await?;
    Ok(document.respond(&query, &request, StatusCode::OK))
}

async fn update(
    request: HttpRequest,
    bearer: BearerToken,
    path: Path<Named>,
    body: Body,
    authenticator: Data<Authenticator>,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &SHOW);
    let (query, document) = authenticator
        .transaction(bearer, path.organization_ref(), move |connection, caller| {
            let (caller, workspace) = path.locked(connection, caller, Action::UpdateWorkspace)?;
            let query = query?;
            let body = body.resource::<WorkspaceAttributes>(&[WORKSPACES.name], &[])?;
            let body = body.about(&[&workspace.id.to_string()])?;
            let tags = Written::read(connection, &caller, &body.relationships)?;
            let changed = tags.put_on(workspace.changed(body.attributes)?)?;
            let workspace = store::update(connection, &changed)?;
            record(connection, &caller, &workspace, "update")?;
            let document = render_one(connection, &caller, &query, &workspace)?;
            Ok((query, document))
        })
        .await?;
    Ok(document.respond(&query, &request, StatusCode::OK))
}

async fn destroy(
    request: HttpRequest,
    bearer: BearerToken,
    path: Path<Named>,
    authenticator: Data<Authenticator>,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &QuerySpec::NONE);
    authenticator
        .transaction(bearer, path.organization_ref(), move |connection, caller| {
            let (caller, workspace) = path.locked(connection, caller, Action::DeleteWorkspace)?;
            query?;
            store::delete(connection, workspace.id)?;
            record(connection, &caller, &workspace, "destroy")
        })
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

fn record(connection: &mut PgConnection, caller: &Caller, workspace: &Workspace, action: &'static str) -> Result<()> {
    let event = Event::new(Some(workspace.organization_id), "workspace", workspace.id, action)
        .meta(json!({"name": workspace.name}));
    Ok(audit::record(connection, &caller.actor(), &[event])?)
}
