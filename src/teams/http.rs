//! `organizations/:name/teams`, `teams/:id` and `teams/:id/relationships/users`.

use std::collections::BTreeSet;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, ServiceConfig, delete, get, patch, post, resource};
use actix_web::{HttpRequest, HttpResponse};
use diesel::PgConnection;

use super::store::{self, Scope};
use super::view::{self, TEAMS};
use super::{Permissions, Team, TeamAttributes, members, organization_of_team};
use crate::access::{Action, Authenticator, BearerToken, Caller, Target};
use crate::audit::{self, Event};
use crate::ids::{TeamId, UserId};
use crate::jsonapi::{Body, Document, Error, Pages, Query, QuerySpec, Resource, Result, Search, list_document};
use crate::memberships::{self, Membership};
use crate::organizations;
use crate::users::{self, User};

pub(crate) const SHOW: QuerySpec = QuerySpec {
    include: &["users", "organization-memberships"],
    ..QuerySpec::show(&[&TEAMS, &users::USERS, &memberships::MEMBERSHIPS])
};
pub(crate) const LIST: QuerySpec = QuerySpec {
    pages: Pages::Both,
    sort: &["name", "created-at"],
    default_sort: "created-at",
    q: Search::Text,
    filters: &["names"],
    ..SHOW
};
pub(crate) const WRITE: QuerySpec = QuerySpec::show(&[&TEAMS]);

pub fn routes(service: &mut ServiceConfig) {
    service
        .service(resource("/organizations/{organization}/teams").route(get().to(list)).route(post().to(create)))
        .service(resource("/teams/{team}").route(get().to(show)).route(patch().to(update)).route(delete().to(destroy)))
        .service(
            resource("/teams/{team}/relationships/users")
                .route(get().to(list_users))
                .route(post().to(add_users))
                .route(delete().to(remove_users)),
        );
}

async fn list(
    request: HttpRequest,
    bearer: BearerToken,
    path: Path<String>,
    authenticator: Data<Authenticator>,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &LIST);
    let (query, rendered, info) = authenticator
        .read(bearer, organizations::organization_ref(&path), move |connection, caller| {
            caller.may(Action::SeeOrganization, Target::Organization)?;
            let query = query?;
            let organization = organizations::find(connection, caller.organization()?)?;
            let found = store::list(connection, organization.id, scope(caller), &query)?;
            let rendered = render(connection, caller, &query, &organization.name, &found.rows)?;
            Ok((query, rendered, found.info))
        })
        .await?;
    let document = list_document(&request, &query, rendered.resources, &info).include(rendered.included);
    Ok(document.respond(&query, &request, StatusCode::OK))
}

/// Every team for whom sees secret ones, for the others those that are open and their own.
fn scope(caller: &Caller) -> Scope {
    let secret = crate::access::TeamFacts::of_any_secret_team();
    if caller.can(Action::SeeTeam, Target::Team(secret)) {
        Scope::All
    } else {
        Scope::OpenAnd(caller.rights.teams.iter().copied().collect())
    }
}

/// Teams as resources, and what the client wants included.
struct Compound {
    resources: Vec<Resource>,
    included: Vec<Resource>,
}

fn render(
    connection: &mut PgConnection,
    caller: &Caller,
    query: &Query,
    organization: &str,
    teams: &[Team],
) -> Result<Compound> {
    let members = store::members_of(connection, teams)?;
    let resources = view::teams(teams, organization, &members, caller);
    Ok(Compound { resources, included: included(query, caller, &members) })
}

fn included(query: &Query, caller: &Caller, members: &[(TeamId, User, Membership)]) -> Vec<Resource> {
    let mut included = vec![];
    for (_, user, membership) in members {
        if query.includes("users") {
            included.push(users::public(user));
        }
        if query.includes("organization-memberships") {
            included.push(memberships::membership(membership, caller));
        }
    }
    included
}

fn render_one(
    connection: &mut PgConnection,
    caller: &Caller,
    query: &Query,
    (team, organization): &(Team, String),
) -> Result<Document> {
    let rendered = render(connection, caller, query, organization, std::slice::from_ref(team))?;
    let resource = rendered.resources.into_iter().next().ok_or_else(Error::not_found)?;
    Ok(Document::one(resource).include(rendered.included))
}

async fn create(
    request: HttpRequest,
    bearer: BearerToken,
    path: Path<String>,
    body: Body,
    authenticator: Data<Authenticator>,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &WRITE);
    let (query, document) = authenticator
        .transaction(bearer, organizations::organization_ref(&path), move |connection, caller| {
            caller.may(Action::CreateTeam, Target::Organization)?;
            let query = query?;
            let attributes = body.resource::<TeamAttributes>(&[TEAMS.name], &["name"])?.without_id()?.attributes;
            let organization = organizations::hold(connection, caller.organization()?)?;
            let caller = &caller.reauthenticated(connection)?;
            caller.may(Action::CreateTeam, Target::Organization)?;
            let new = changed(caller, Team::new(organization.id), attributes)?;
            let team = store::create(connection, &new)?;
            record(connection, caller, &team, "create")?;
            let document = render_one(connection, caller, &query, &(team, organization.name))?;
            Ok((query, document))
        })
        .await?;
    // Not 201: the HCP API answers so, and its status codes are kept (DESIGN, introduction).
    Ok(document.respond(&query, &request, StatusCode::OK))
}

/// The team after a change, if the caller may change all of that.
fn changed(caller: &Caller, team: Team, changes: TeamAttributes) -> Result<Team> {
    let organization_access = match &changes.organization_access {
        Some(access) => access.applied_to(&team.organization_access),
        None => team.organization_access.clone(),
    };
    if team.owners {
        owners_stay_owners(&changes)?;
    } else if organization_access != team.organization_access {
        caller.may(Action::SetOrganizationAccess, Target::Team(team.facts()))?;
    }
    Ok(Team {
        name: changes.name.unwrap_or(team.name),
        description: changes.description.unwrap_or(team.description),
        visibility: changes.visibility.unwrap_or(team.visibility),
        sso_team_id: changes.sso_team_id.unwrap_or(team.sso_team_id),
        allow_member_token_management: changes
            .allow_member_token_management
            .unwrap_or(team.allow_member_token_management),
        organization_access: if team.owners { Permissions::default() } else { organization_access },
        ..team
    })
}

/// The team `owners` keeps its name and every permission (docs/design.md §1).
fn owners_stay_owners(changes: &TeamAttributes) -> Result<()> {
    if changes.name.as_ref().is_some_and(|name| name != super::OWNERS) {
        return Err(Error::attribute("/data/attributes/name", "The team owners cannot be renamed"));
    }
    if changes.organization_access.as_ref().is_some_and(super::AccessChanges::take_any) {
        return Err(Error::attribute(
            "/data/attributes/organization-access",
            "The team owners has every permission, and none can be taken from it",
        ));
    }
    Ok(())
}

async fn show(
    request: HttpRequest,
    bearer: BearerToken,
    path: Path<String>,
    authenticator: Data<Authenticator>,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &SHOW);
    let (query, document) = authenticator
        .read(bearer, organization_of_team(&path), move |connection, caller| {
            let id: TeamId = path.parse().map_err(|_| Error::not_found())?;
            let found = store::find(connection, id)?;
            caller.may(Action::SeeTeam, Target::Team(found.0.facts()))?;
            let query = query?;
            let document = render_one(connection, caller, &query, &found)?;
            Ok((query, document))
        })
        .await?;
    Ok(document.respond(&query, &request, StatusCode::OK))
}

async fn update(
    request: HttpRequest,
    bearer: BearerToken,
    path: Path<String>,
    body: Body,
    authenticator: Data<Authenticator>,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &WRITE);
    let (query, document) = authenticator
        .transaction(bearer, organization_of_team(&path), move |connection, caller| {
            let (caller, team, organization) = locked(connection, caller, Action::UpdateTeam, &path)?;
            let query = query?;
            let changes = body.resource::<TeamAttributes>(&[TEAMS.name], &[])?.about(&[&path])?.attributes;
            let team = store::update(connection, &changed(&caller, team, changes)?)?;
            record(connection, &caller, &team, "update")?;
            let document = render_one(connection, &caller, &query, &(team, organization))?;
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
        .transaction(bearer, organization_of_team(&path), move |connection, caller| {
            let (caller, team, _) = locked(connection, caller, Action::DeleteTeam, &path)?;
            query?;
            if team.owners {
                return Err(Error::forbidden("The team owners cannot be deleted"));
            }
            store::delete(connection, team.id)?;
            record(connection, &caller, &team, "destroy")
        })
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// References to the users who are in the team.
async fn list_users(
    request: HttpRequest,
    bearer: BearerToken,
    path: Path<String>,
    authenticator: Data<Authenticator>,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &QuerySpec::NONE);
    let (query, users) = authenticator
        .read(bearer, organization_of_team(&path), move |connection, caller| {
            let (team, _) = store::find(connection, path.parse().map_err(|_| Error::not_found())?)?;
            caller.may(Action::SeeTeam, Target::Team(team.facts()))?;
            Ok((query?, store::members(connection, &[team.id])?))
        })
        .await?;
    let references = users.iter().map(|(_, user, _)| Resource::new(&users::USERS, user.id)).collect();
    Ok(Document::list(references).respond(&query, &request, StatusCode::OK))
}

async fn add_users(
    request: HttpRequest,
    bearer: BearerToken,
    path: Path<String>,
    body: Body,
    authenticator: Data<Authenticator>,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &QuerySpec::NONE);
    authenticator
        .transaction(bearer, organization_of_team(&path), move |connection, caller| {
            let (caller, team) = members::changeable(connection, caller, &path)?;
            query?;
            let users = named(connection, &body.identifiers(&[users::USERS.name])?, Unknown::Refuse)?;
            members::put_in(connection, &caller, &team, &users)
        })
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

async fn remove_users(
    request: HttpRequest,
    bearer: BearerToken,
    path: Path<String>,
    body: Body,
    authenticator: Data<Authenticator>,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &QuerySpec::NONE);
    authenticator
        .transaction(bearer, organization_of_team(&path), move |connection, caller| {
            let (caller, team) = members::changeable(connection, caller, &path)?;
            query?;
            let users = named(connection, &body.identifiers(&[users::USERS.name])?, Unknown::Ignore)?;
            members::take_out(connection, &caller, &team, &users)
        })
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The team that a path names, locked, beside its organization's name, if the caller, as it stands now, may do
/// `action` to it.
fn locked(connection: &mut PgConnection, caller: &Caller, action: Action, id: &str) -> Result<(Caller, Team, String)> {
    let (team, organization) = store::lock(connection, id.parse().map_err(|_| Error::not_found())?)?;
    let caller = caller.reauthenticated(connection)?;
    caller.may(action, Target::Team(team.facts()))?;
    Ok((caller, team, organization))
}

/// What to do about a name that no user has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unknown {
    /// 404, with its place in the body.
    Refuse,
    /// Nothing: who does not exist is not in the team either (JSON:API, "Updating To-Many Relationships").
    Ignore,
}

/// The users of these names, ordered by id, so that requests that lock several do it in one order.
fn named(connection: &mut PgConnection, names: &[String], unknown: Unknown) -> Result<Vec<UserId>> {
    let found = users::by_usernames(connection, names)?;
    if unknown == Unknown::Refuse {
        let known: BTreeSet<String> = found.iter().map(|user| user.username.to_lowercase()).collect();
        let missing = names.iter().enumerate().filter(|(_, name)| !known.contains(&name.to_lowercase()));
        let faults = missing
            .map(|(nth, name)| Error::not_found_at(format!("/data/{nth}/id"), format!("There is no user {name:?}")));
        if let Some(fault) = faults.reduce(Error::and) {
            return Err(fault);
        }
    }
    Ok(found.iter().map(|user| user.id).collect::<BTreeSet<_>>().into_iter().collect())
}

fn record(connection: &mut PgConnection, caller: &Caller, team: &Team, action: &'static str) -> Result<()> {
    let event =
        Event::new(Some(team.organization_id), "team", team.id, action).meta(serde_json::json!({"name": team.name}));
    Ok(audit::record(connection, &caller.actor(), &[event])?)
}
