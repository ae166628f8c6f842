//! `team-workspaces` and `team-workspaces/:id`.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, ServiceConfig, delete, get, patch, post, resource};
use actix_web::{HttpRequest, HttpResponse};
use diesel::PgConnection;
use serde_json::json;

use super::store::{self, TeamAccessList, Whose};
use super::view::{self, TEAM_WORKSPACES};
use super::{Level, TeamAccess, TeamAccessAttributes};
use crate::access::{Action, Authenticator, BearerToken, Caller, OrganizationRef, Target, TeamFacts};
use crate::audit::{self, Event};
use crate::ids::TeamAccessId;
use crate::jsonapi::{
    Body, Document, Error, Pages, Query, QuerySpec, Relationships, Resource, ResourceBody, Result, list_document,
};
use crate::organizations;
use crate::teams::{self, Team};
use crate::workspaces::{self, Workspace};

pub(crate) const SHOW: QuerySpec = QuerySpec {
    include: &["team", "workspace"],
    ..QuerySpec::show(&[&TEAM_WORKSPACES, &teams::TEAMS, &workspaces::WORKSPACES])
};
pub(crate) const LIST: QuerySpec = QuerySpec {
    pages: Pages::Both,
    sort: &["created-at"],
    default_sort: "created-at",
    filters: &["workspace.id", "team.id"],
    ..SHOW
};

pub fn routes(service: &mut ServiceConfig) {
    service.service(resource("/team-workspaces").route(get().to(list)).route(post().to(create))).service(
        resource("/team-workspaces/{access}")
            .route(get().to(show))
            .route(patch().to(update))
            .route(delete().to(destroy)),
    );
}

fn organization_of_team_access(id: &str) -> OrganizationRef {
    OrganizationRef::TeamAccess(id.parse().ok())
}

/// The access to a workspace, or a team's; the request must name one of the two.
async fn list(request: HttpRequest, bearer: BearerToken, authenticator: Data<Authenticator>) -> Result<HttpResponse> {
    let query = Query::of(&request, &LIST);
    let (query, rendered, info) = authenticator
        .read(bearer, listed_organization(&query), move |connection, caller| {
            let query = query?;
            let of = listed(connection, caller, &query)?;
            let found = store::list(connection, caller.organization()?, of, &query)?;
            let rendered = render(connection, caller, &query, &found.rows)?;
            Ok((query, rendered, found.info))
        })
        .await?;
    let document = list_document(&request, &query, rendered.resources, &info).include(rendered.included);
    Ok(document.respond(&query, &request, StatusCode::OK))
}

fn listed_organization(query: &Result<Query>) -> OrganizationRef {
    let filter = |name| query.as_ref().ok().and_then(|query| query.filter(name));
    match (filter("workspace.id"), filter("team.id")) {
        (Some(workspace), _) => workspaces::organization_of_workspace(workspace),
        (None, Some(team)) => teams::organization_of_team(team),
        (None, None) => OrganizationRef::None,
    }
}

/// What the list holds of what is asked for: whoever is a manager in the workspace sees every team's access, the
/// others that of the teams that they see.
fn listed(connection: &mut PgConnection, caller: &Caller, query: &Query) -> Result<TeamAccessList> {
    let team = query.filter("team.id").map(|id| id.parse().map_err(|_| Error::not_found())).transpose()?;
    if let Some(id) = query.filter("workspace.id") {
        // A workspace's own token sees the workspace and not who has access to it.
        caller.may(Action::ListWorkspaces, Target::Organization)?;
        let (workspace, rights) = workspaces::find_visible(connection, caller, id)?;
        let any = Target::TeamAccess(TeamFacts::of_any_secret_team(), Some(rights.role));
        let whose = if caller.can(Action::SeeTeamAccess, any) {
            Whose::EveryTeam
        } else {
            Whose::OpenTeamsAnd(caller.rights.teams.iter().copied().collect())
        };
        return Ok(TeamAccessList::Workspace(workspace.id, whose, team));
    }
    let team = team.ok_or_else(|| {
        Error::parameter("filter[workspace][id]", "Must be there: the list is that of a workspace or of a team")
    })?;
    let (team, _) = teams::find(connection, team)?;
    caller.may(Action::SeeTeam, Target::Team(team.facts()))?;
    caller.may(Action::ListWorkspaces, Target::Organization)?;
    Ok(TeamAccessList::Team(team.id, caller.visible_workspaces()))
}

/// Team access as resources, and what the client wants included.
struct Compound {
    resources: Vec<Resource>,
    included: Vec<Resource>,
}

fn render(connection: &mut PgConnection, caller: &Caller, query: &Query, rows: &[TeamAccess]) -> Result<Compound> {
    let mut included = vec![];
    if rows.is_empty() || !(query.includes("team") || query.includes("workspace")) {
        return Ok(Compound { resources: rows.iter().map(view::team_access).collect(), included });
    }
    let organization = organizations::find(connection, caller.organization()?)?;
    if query.includes("team") {
        let ids: Vec<_> = rows.iter().map(|row| row.team_id).collect();
        let mut teams = store::teams(connection, &ids)?;
        teams.retain(|team| caller.can(Action::SeeTeam, Target::Team(team.facts())));
        included.extend(teams::render(connection, caller, &organization.name, &teams)?);
    }
    if query.includes("workspace") {
        let ids: Vec<_> = rows.iter().map(|row| row.workspace_id).collect();
        included.extend(workspaces::render(connection, caller, &organization, &ids)?);
    }
    Ok(Compound { resources: rows.iter().map(view::team_access).collect(), included })
}

fn render_one(connection: &mut PgConnection, caller: &Caller, query: &Query, access: &TeamAccess) -> Result<Document> {
    let rendered = render(connection, caller, query, std::slice::from_ref(access))?;
    Ok(Document::one(view::team_access(access)).include(rendered.included))
}

/// Gives a team access. The body names the workspace, and so the organization that the request is about.
async fn create(
    request: HttpRequest,
    bearer: BearerToken,
    body: Body,
    authenticator: Data<Authenticator>,
) -> Result<HttpResponse> {
    // Which organization the request is about is in the body.
    bearer.require_secret()?;
    let query = Query::of(&request, &SHOW);
    let body = body.resource::<TeamAccessAttributes>(&[TEAM_WORKSPACES.name], &["access"]);
    let (query, document) = authenticator
        .transaction(bearer, created_place(&body), move |connection, caller| {
            let (query, body) = (query?, body?);
            let (team, workspace) = named(connection, caller, &body.relationships)?;
            let level = body.attributes.access.unwrap_or(Level::Custom);
            let before = super::Grant { level, permissions: level.permissions() };
            let access = store::create(connection, &team, workspace.id, &body.attributes.applied_to(before)?)?;
            record(connection, caller, &access, "create")?;
            let document = render_one(connection, caller, &query, &access)?;
            Ok((query, document))
        })
        .await?;
    Ok(document.respond(&query, &request, StatusCode::CREATED))
}

fn created_place(body: &Result<ResourceBody<TeamAccessAttributes>>) -> OrganizationRef {
    let relationships = body.as_ref().ok().map(|body| &body.relationships);
    let id = relationships.and_then(|all| all.to_one("workspace", workspaces::WORKSPACES.name).ok().flatten());
    id.map_or(OrganizationRef::None, workspaces::organization_of_workspace)
}

/// The team and the workspace that a body names, if the caller may give the team access.
fn named(connection: &mut PgConnection, caller: &Caller, relationships: &Relationships) -> Result<(Team, Workspace)> {
    let team = required(relationships, "team", teams::TEAMS.name);
    let workspace = required(relationships, "workspace", workspaces::WORKSPACES.name);
    let (team, workspace) = match (team, workspace) {
        (Ok(team), Ok(workspace)) => (team, workspace),
        (Err(fault), Ok(_)) | (Ok(_), Err(fault)) => return Err(fault),
        (Err(fault), Err(other)) => return Err(fault.and(other)),
    };
    let (workspace, rights) = workspaces::find_visible(connection, caller, workspace)?;
    // Asked before the team is looked for, so that nobody else learns which teams there are.
    caller.may(Action::HandleTeamAccess, Target::Workspace(Some(rights.role)))?;
    let unknown = || {
        let detail = "There is no such team in the workspace's organization";
        Error::not_found_at("/data/relationships/team/data/id", detail)
    };
    let (team, _) = teams::find(connection, team.parse().map_err(|_| unknown())?).map_err(|fault| match fault {
        diesel::result::Error::NotFound => unknown(),
        fault => fault.into(),
    })?;
    let seen = caller.can(Action::SeeTeam, Target::Team(team.facts()));
    if team.organization_id == workspace.organization_id && seen { Ok((team, workspace)) } else { Err(unknown()) }
}

fn required<'a>(relationships: &'a Relationships, name: &str, kind: &str) -> Result<&'a str> {
    relationships.to_one(name, kind)?.ok_or_else(|| {
        Error::attribute(format!("/data/relationships/{name}"), format!("The {name} is required"))
            .with_title("invalid relationship")
    })
}

async fn show(
    request: HttpRequest,
    bearer: BearerToken,
    path: Path<String>,
    authenticator: Data<Authenticator>,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &SHOW);
    let (query, document) = authenticator
        .read(bearer, organization_of_team_access(&path), move |connection, caller| {
            let access = found(connection, caller, Action::SeeTeamAccess, &path)?;
            let query = query?;
            let document = render_one(connection, caller, &query, &access)?;
            Ok((query, document))
        })
        .await?;
    Ok(document.respond(&query, &request, StatusCode::OK))
}

/// The access that a path names, locked, if the caller, as it stands now, may handle it.
fn locked(connection: &mut PgConnection, caller: &Caller, id: &str) -> Result<(Caller, TeamAccess)> {
    // Nobody else has a role in any of the organization's workspaces, and so a lock to ask for.
    caller.may(Action::ListWorkspaces, Target::Organization)?;
    store::lock(connection, id.parse().map_err(|_| Error::not_found())?)?;
    let caller = caller.reauthenticated(connection)?;
    let access = found(connection, &caller, Action::HandleTeamAccess, id)?;
    Ok((caller, access))
}

/// The access that a path names, if the caller may do `action` to it.
fn found(connection: &mut PgConnection, caller: &Caller, action: Action, id: &str) -> Result<TeamAccess> {
    let id: TeamAccessId = id.parse().map_err(|_| Error::not_found())?;
    let (access, team) = store::find(connection, id)?;
    let rights = workspaces::rights(connection, caller, access.workspace_id)?;
    caller.may(action, Target::TeamAccess(team.facts(), rights.map(|rights| rights.role)))?;
    Ok(access)
}

async fn update(
    request: HttpRequest,
    bearer: BearerToken,
    path: Path<String>,
    body: Body,
    authenticator: Data<Authenticator>,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &SHOW);
    let (query, document) = authenticator
        .transaction(bearer, organization_of_team_access(&path), move |connection, caller| {
            let (caller, access) = locked(connection, caller, &path)?;
            let query = query?;
            let changes = body.resource::<TeamAccessAttributes>(&[TEAM_WORKSPACES.name], &[])?.attributes;
            let access = store::update(connection, access.id, &changes.applied_to(access.grant)?)?;
            record(connection, &caller, &access, "update")?;
            let document = render_one(connection, &caller, &query, &access)?;
            Ok((query, document))
        })
        .await?;
    Ok(document.respond(&query, &request, StatusCode::OK))
}

async fn destroy(
    request: HttpRequest,
    bearer: BearerToken,
    path: Path<String>,
    authenticator: Data<Authenticator>,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &QuerySpec::NONE);
    authenticator
        .transaction(bearer, organization_of_team_access(&path), move |connection, caller| {
            let (caller, access) = locked(connection, caller, &path)?;
            query?;
            store::delete(connection, access.id)?;
            record(connection, &caller, &access, "destroy")
        })
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

fn record(connection: &mut PgConnection, caller: &Caller, access: &TeamAccess, action: &'static str) -> Result<()> {
    let about = json!({
        "team": access.team_id,
        "workspace": access.workspace_id,
        "access": access.grant.level,
        "permissions": access.grant.permissions,
    });
    let event = Event::new(Some(access.organization_id), "team_workspace", access.id, action).meta(about);
    Ok(audit::record(connection, &caller.actor(), &[event])?)
}
