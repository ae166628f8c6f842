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
use crate::access::{Action, Caller, Gate, Place, Subject, Visitor};
use crate::audit::{self, Event};
use crate::ids::WorkspaceId;
use crate::jsonapi::{
    Body, Document, Error, Extent, Known, Pages, Query, Resource, Result, SearchIn, is_name, list_document,
};
use crate::organizations::{self, ORGANIZATIONS, Organization};
use crate::team_access::{self, Grant};

// Shipped clients ask for all of these. There are no runs, no state and no projects, so that only the organization and
// the tag bindings add anything.
pub(crate) const SHOW: Known = Known {
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
    ..Known::show(&[&WORKSPACES, &ORGANIZATIONS, &EFFECTIVE_BINDINGS])
};
pub(crate) const LIST: Known = Known {
    pages: Pages::Both,
    sort: &["name", "created-at", "latest-change-at"],
    default_sort: "name",
    q: SearchIn::Text,
    search: &["name", "wildcard-name", "tags", "exclude-tags"],
    ..SHOW
};
pub(crate) const CONSUMERS: Known = Known::list(&[&WORKSPACES]);

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
    pub(super) fn place(&self) -> Place {
        match &self.organization {
            Some(organization) => organizations::place(organization),
            None => super::place(&self.workspace),
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
        caller.may(Action::ListWorkspaces, Subject::Place)?;
        let id = self.find(connection, caller)?.id;
        let workspace = store::lock(connection, id)?;
        let caller = caller.after_waiting(connection)?;
        may(connection, &caller, action, &workspace)?;
        Ok((caller, workspace))
    }
}

fn may(connection: &mut PgConnection, caller: &Caller, action: Action, workspace: &Workspace) -> Result<()> {
    let standing = super::standing(connection, caller, workspace.id)?;
    caller.may(action, Subject::Workspace(standing.map(|standing| standing.role)))
}

async fn list(request: HttpRequest, visitor: Visitor, path: Path<String>, gate: Data<Gate>) -> Result<HttpResponse> {
    let query = Query::of(&request, &LIST);
    let (query, resources, included, extent) = gate
        .read(visitor, organizations::place(&path), move |connection, caller| {
            caller.may(Action::ListWorkspaces, Subject::Place)?;
            let query = query?;
            let organization = organizations::find(connection, caller.organization()?)?;
            let found = store::list(connection, organization.id, caller.workspace_reach(), &query)?;
            let told = tell_all(connection, caller, &organization, &found.rows)?;
            let (resources, included) = with_included(&query, caller, &organization, told);
            Ok((query, resources, included, found.extent))
        })
        .await?;
    let document = list_document(&request, &query, resources, &extent).include(included);
    Ok(document.respond(&query, &request, StatusCode::OK))
}

/// Workspaces that are told, as resources, and what the query asks to include of them.
fn with_included(
    query: &Query,
    caller: &Caller,
    organization: &Organization,
    told: Vec<(&Workspace, Resource)>,
) -> (Vec<Resource>, Vec<Resource>) {
    let mut included = vec![];
    let seen = caller.can(Action::SeeOrganization, Subject::Place);
    if query.includes("organization") && seen && !told.is_empty() {
        included.push(organizations::organization(organization, caller));
    }
    let bindings = query.includes(EFFECTIVE_BINDINGS.name);
    let mut resources = vec![];
    for (workspace, resource) in told {
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
pub(super) fn tell_all<'a>(
    connection: &mut PgConnection,
    caller: &Caller,
    organization: &Organization,
    workspaces: &'a [Workspace],
) -> Result<Vec<(&'a Workspace, Resource)>> {
    let ids: Vec<WorkspaceId> = workspaces.iter().map(|workspace| workspace.id).collect();
    let teams: Vec<_> = caller.standing.teams.iter().copied().collect();
    let mut grants: BTreeMap<WorkspaceId, Vec<Grant>> = BTreeMap::new();
    for (id, grant) in team_access::grants(connection, &ids, &teams)? {
        grants.entry(id).or_default().push(grant);
    }
    let tell = |workspace: &'a Workspace| {
        let by_teams = caller.standing_in(grants.remove(&workspace.id).unwrap_or_default());
        let standing = caller.standing_in_own(workspace.id).or(by_teams)?;
        Some((workspace, view::workspace(workspace, organization, caller, &standing)))
    };
    Ok(workspaces.iter().filter_map(tell).collect())
}

fn tell_one(connection: &mut PgConnection, caller: &Caller, query: &Query, workspace: &Workspace) -> Result<Document> {
    let organization = organizations::find(connection, workspace.organization_id)?;
    let told = tell_all(connection, caller, &organization, std::slice::from_ref(workspace))?;
    let (resources, included) = with_included(query, caller, &organization, told);
    let resource = resources.into_iter().next().ok_or_else(Error::not_found)?;
    Ok(Document::one(resource).include(included))
}

/// The workspaces that read a workspace's state: there is no state, so that there are none. Shipped clients ask all the
/// same, and take 404 for a workspace whose state everybody reads.
async fn list_consumers(
    request: HttpRequest,
    visitor: Visitor,
    path: Path<Named>,
    gate: Data<Gate>,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &CONSUMERS);
    let query = gate
        .read(visitor, path.place(), move |connection, caller| {
            path.allowed(connection, caller, Action::SeeWorkspace)?;
            query
        })
        .await?;
    let none = Extent::Numbered { total: 0 };
    Ok(list_document(&request, &query, vec![], &none).respond(&query, &request, StatusCode::OK))
}

async fn create(
    request: HttpRequest,
    visitor: Visitor,
    path: Path<String>,
    body: Body,
    gate: Data<Gate>,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &SHOW);
    let (query, document) = gate
        .write(visitor, organizations::place(&path), move |connection, caller| {
            caller.may(Action::CreateWorkspace, Subject::Place)?;
            let query = query?;
            let body = body.resource::<WorkspaceAttributes>(&[WORKSPACES.name], &["name"])?.without_id()?;
            let tags = Written::read(connection, caller, &body.relationships)?;
            let new = Workspace::new(caller.organization()?).changed(body.attributes)?;
            let workspace = store::create(connection, &tags.put_on(new)?)?;
            // Making it waits for who deletes the organization, or makes another one of this name.
            let caller = &caller.after_waiting(connection)?;
            caller.may(Action::CreateWorkspace, Subject::Place)?;
            record(connection, caller, &workspace, "create")?;
            let document = tell_one(connection, caller, &query, &workspace)?;
            Ok((query, document))
        })
        .await?;
    Ok(document.respond(&query, &request, StatusCode::CREATED))
}

async fn show(request: HttpRequest, visitor: Visitor, path: Path<Named>, gate: Data<Gate>) -> Result<HttpResponse> {
    let query = Query::of(&request, &SHOW);
    let (query, document) = gate
        .read(visitor, path.place(), move |connection, caller| {
            let workspace = path.allowed(connection, caller, Action::SeeWorkspace)?;
            let query = query?;
            let document = tell_one(connection, caller, &query, &workspace)?;
            Ok((query, document))
        })
        .await?;
    Ok(document.respond(&query, &request, StatusCode::OK))
}

async fn update(
    request: HttpRequest,
    visitor: Visitor,
    path: Path<Named>,
    body: Body,
    gate: Data<Gate>,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &SHOW);
    let (query, document) = gate
        .write(visitor, path.place(), move |connection, caller| {
            let (caller, workspace) = path.locked(connection, caller, Action::UpdateWorkspace)?;
            let query = query?;
            let body = body.resource::<WorkspaceAttributes>(&[WORKSPACES.name], &[])?;
            let body = body.about(&[&workspace.id.to_string()])?;
            let tags = Written::read(connection, &caller, &body.relationships)?;
            let changed = tags.put_on(workspace.changed(body.attributes)?)?;
            let workspace = store::update(connection, &changed)?;
            record(connection, &caller, &workspace, "update")?;
            let document = tell_one(connection, &caller, &query, &workspace)?;
            Ok((query, document))
        })
        .await?;
    Ok(document.respond(&query, &request, StatusCode::OK))
}

async fn destroy(request: HttpRequest, visitor: Visitor, path: Path<Named>, gate: Data<Gate>) -> Result<HttpResponse> {
    let query = Query::of(&request, &Known::NOTHING);
    gate.write(visitor, path.place(), move |connection, caller| {
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
