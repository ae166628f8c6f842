//! `organizations/:name/organization-memberships`, `organization-memberships` and `organization-memberships/:id`.

use std::collections::BTreeSet;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, ServiceConfig, delete, get, post, resource};
use actix_web::{HttpRequest, HttpResponse};
use diesel::PgConnection;
use serde_json::{Value, json};

use super::store::{self, Addresses, MembershipList};
use super::view::{self, MEMBERSHIPS};
use super::{InvitationAttributes, Membership, Status};
use crate::access::{Action, Authenticator, BearerToken, Caller, OrganizationRef, Target};
use crate::audit::{self, Event};
use crate::ids::{MembershipId, OrganizationId, TeamId, UserId};
use crate::jsonapi::{
    Body, Document, Error, Pages, Query, QuerySpec, Relationships, Resource, Result, Search, list_document,
};
use crate::organizations;
use crate::teams::{self, Team, members};
use crate::users;

pub(crate) const SHOW: QuerySpec =
    QuerySpec { include: &["user", "teams"], ..QuerySpec::show(&[&MEMBERSHIPS, &users::USERS, &teams::TEAMS]) };
pub(crate) const OWN: QuerySpec = QuerySpec {
    pages: Pages::Both,
    sort: &["created-at", "status"],
    default_sort: "created-at",
    include: &["user"],
    ..SHOW
};
pub(crate) const OF_TEAM: QuerySpec = QuerySpec {
    pages: Pages::Both,
    sort: &["created-at", "username", "status"],
    default_sort: "created-at",
    filters: &["status", "is_service_account"],
    ..SHOW
};
pub(crate) const LIST: QuerySpec = QuerySpec {
    pages: Pages::Both,
    sort: &["created-at", "username", "status"],
    default_sort: "created-at",
    q: Search::Text,
    filters: &["status", "email"],
    ..SHOW
};

pub fn routes(service: &mut ServiceConfig) {
    service
        .service(
            resource("/organizations/{organization}/organization-memberships")
                .route(get().to(list))
                .route(post().to(invite)),
        )
        .service(
            resource("/teams/{team}/relationships/organization-memberships")
                .route(get().to(list_of_team))
                .route(post().to(add_to_team))
                .route(delete().to(remove_from_team)),
        )
        .service(resource("/organization-memberships").route(get().to(list_own)))
        .service(resource("/organization-memberships/{membership}").route(get().to(show)).route(delete().to(destroy)))
        .service(resource("/organization-memberships/{membership}/actions/accept").route(post().to(accept)));
}

fn organization_of_membership(id: &str) -> OrganizationRef {
    OrganizationRef::Membership(id.parse().ok())
}

async fn list(
    request: HttpRequest,
    bearer: BearerToken,
    path: Path<String>,
    authenticator: Data<Authenticator>,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &LIST);
    let (query, rendered, info, counts) = authenticator
        .read(bearer, organizations::organization_ref(&path), move |connection, caller| {
            caller.may(Action::SeeMembers, Target::Organization)?;
            let (query, organization) = (query?, caller.organization()?);
            let seen = caller.can(Action::SeeAddresses, Target::Organization);
            let addresses = if seen { Addresses::Seen } else { Addresses::Hidden };
            let found = store::list(connection, MembershipList::Organization(organization, addresses), &query)?;
            let counts = store::status_counts(connection, organization)?;
            let rendered = render(connection, caller, &query, organization, &found.rows)?;
            Ok((query, rendered, found.info, counts))
        })
        .await?;
    let document = list_document(&request, &query, rendered.resources, &info)
        .include(rendered.included)
        .meta("status-counts", status_counts(&counts));
    Ok(document.respond(&query, &request, StatusCode::OK))
}

fn status_counts(counts: &[(Status, i64)]) -> Value {
    let of = |status| counts.iter().find(|(counted, _)| *counted == status).map_or(0, |(_, count)| *count);
    let (invited, active) = (of(Status::Invited), of(Status::Active));
    json!({"total": invited + active, "active": active, "invited": invited})
}

/// The memberships of the user who calls, also those that wait for acceptance.
async fn list_own(
    request: HttpRequest,
    bearer: BearerToken,
    authenticator: Data<Authenticator>,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &OWN);
    let (query, rendered, info) = authenticator
        .read(bearer, OrganizationRef::None, move |connection, caller| {
            let query = query?;
            let found =
                store::list(connection, caller.user().map_or(MembershipList::Nobody, MembershipList::User), &query)?;
            let resources = found.rows.iter().map(|row| view::membership(row, caller)).collect();
            let users: Vec<UserId> = found.rows.first().map(|row| row.user_id).into_iter().collect();
            let included = if query.includes("user") {
                users::find_all(connection, &users)?.iter().map(users::public).collect()
            } else {
                vec![]
            };
            Ok((query, Compound { resources, included }, found.info))
        })
        .await?;
    let document = list_document(&request, &query, rendered.resources, &info).include(rendered.included);
    Ok(document.respond(&query, &request, StatusCode::OK))
}

/// Memberships as resources, and what the client wants included.
struct Compound {
    resources: Vec<Resource>,
    included: Vec<Resource>,
}

/// Memberships of one organization, with those of their teams that the caller sees.
fn render(
    connection: &mut PgConnection,
    caller: &Caller,
    query: &Query,
    organization: OrganizationId,
    memberships: &[Membership],
) -> Result<Compound> {
    let ids: Vec<UserId> = memberships.iter().map(|membership| membership.user_id).collect();
    let teams: Vec<(UserId, Team)> = store::teams_of(connection, organization, &ids)?
        .into_iter()
        .filter(|(_, team)| caller.can(Action::SeeTeam, Target::Team(team.facts())))
        .collect();
    let of = |membership: &Membership| -> Vec<TeamId> {
        teams.iter().filter(|(user, _)| *user == membership.user_id).map(|(_, team)| team.id).collect()
    };
    let resources = memberships.iter().map(|row| view::with_teams(row, caller, &of(row))).collect();
    let mut included = vec![];
    if query.includes("user") {
        included.extend(users::find_all(connection, &ids)?.iter().map(users::public));
    }
    if let (true, Some(first)) = (query.includes("teams"), memberships.first()) {
        let mut distinct: Vec<Team> = teams.into_iter().map(|(_, team)| team).collect();
        distinct.sort_by_key(|team| team.id);
        distinct.dedup_by_key(|team| team.id);
        included.extend(teams::render(connection, caller, &first.organization_name, &distinct)?);
    }
    Ok(Compound { resources, included })
}

fn render_one(
    connection: &mut PgConnection,
    caller: &Caller,
    query: &Query,
    membership: &Membership,
) -> Result<Document> {
    let rendered = render(connection, caller, query, membership.organization_id, std::slice::from_ref(membership))?;
    let resource = rendered.resources.into_iter().next().ok_or_else(Error::not_found)?;
    Ok(Document::one(resource).include(rendered.included))
}

/// Invites an address into at least one team. Latchkey sends no mail; the user accepts by a request.
async fn invite(
    request: HttpRequest,
    bearer: BearerToken,
    path: Path<String>,
    body: Body,
    authenticator: Data<Authenticator>,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &SHOW);
    let (query, document) = authenticator
        .transaction(bearer, organizations::organization_ref(&path), move |connection, caller| {
            caller.may(Action::InviteMembers, Target::Organization)?;
            let query = query?;
            let body = body.resource::<InvitationAttributes>(&[MEMBERSHIPS.name], &["email"])?.without_id()?;
            let organization = caller.organization()?;
            let (caller, teams) = invited_into(connection, caller, organization, &body.relationships)?;
            let caller = &caller;
            let email = body.attributes.email.unwrap_or_default();
            let user = match users::by_email(connection, &email)? {
                Some(user) => user,
                None => users::create_invited(connection, &email)?,
            };
            // Also not while somebody else removes the caller, which takes no lock on the teams.
            if caller.user() == Some(user.id) {
                return Err(store::taken());
            }
            let id = store::invite(connection, organization, user.id)?;
            let mut events =
                vec![event(organization, "organization_user", user.id, "create", json!({"status": "invited"}))];
            for team in &teams {
                teams::add_users(connection, team, &[user.id])?;
                events.push(event(organization, "team_member", user.id, "create", json!({"team": team.id})));
            }
            audit::record(connection, &caller.actor(), &events)?;
            let membership = store::find(connection, id)?;
            let document = render_one(connection, caller, &query, &membership)?;
            Ok((query, document))
        })
        .await?;
    Ok(document.respond(&query, &request, StatusCode::CREATED))
}

/// The teams of an invitation, locked in one order, if the caller, as it stands now, may put users into all of them.
fn invited_into(
    connection: &mut PgConnection,
    caller: &Caller,
    organization: OrganizationId,
    relationships: &Relationships,
) -> Result<(Caller, Vec<Team>)> {
    const POINTER: &str = "/data/relationships/teams";
    let named = relationships.to_many("teams", teams::TEAMS.name)?.unwrap_or_default();
    if named.is_empty() {
        return Err(Error::attribute(POINTER, "Teams must hold at least one team"));
    }
    let mut places: Vec<(usize, &str, Option<TeamId>)> =
        named.iter().enumerate().map(|(nth, id)| (nth, *id, id.parse().ok())).collect();
    places.sort_by_key(|(_, _, id)| *id);
    places.dedup_by_key(|(_, id, _)| *id);
    let mut found = vec![];
    for (nth, name, id) in places {
        found.push((nth, name, id.map(|id| teams::lock(connection, id)).transpose().or_else(absent)?));
    }
    let caller = caller.reauthenticated(connection)?;
    caller.may(Action::InviteMembers, Target::Organization)?;
    let mut teams = vec![];
    let mut faults = vec![];
    for (nth, name, team) in found {
        let refusal = match team {
            Some((team, _)) if team.organization_id == organization => {
                match caller.may(Action::ChangeTeamMembers, Target::Team(team.facts())) {
                    Ok(_) => {
                        teams.push(team);
                        continue;
                    }
                    Err(refusal) => refusal.with_pointer(format!("{POINTER}/data/{nth}/id")),
                }
            }
            _ => Error::not_found_at(format!("{POINTER}/data/{nth}/id"), format!("There is no team {name:?}")),
        };
        faults.push(refusal);
    }
    Error::check(faults)?;
    Ok((caller, teams))
}

fn absent<T>(fault: diesel::result::Error) -> Result<Option<T>> {
    if fault == diesel::result::Error::NotFound { Ok(None) } else { Err(fault.into()) }
}

async fn show(
    request: HttpRequest,
    bearer: BearerToken,
    path: Path<String>,
    authenticator: Data<Authenticator>,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &SHOW);
    let (query, document) = authenticator
        .read(bearer, organization_of_membership(&path), move |connection, caller| {
            let membership = find_visible(connection, caller, &path)?;
            let query = query?;
            let document = render_one(connection, caller, &query, &membership)?;
            Ok((query, document))
        })
        .await?;
    Ok(document.respond(&query, &request, StatusCode::OK))
}

/// The membership that a path names, if it is the caller's or one of an organization whose members the caller sees.
fn find_visible(connection: &mut PgConnection, caller: &Caller, id: &str) -> Result<Membership> {
    let id: MembershipId = id.parse().map_err(|_| Error::not_found())?;
    let membership = store::find(connection, id)?;
    if !caller.can(Action::SeeOwnMembership, Target::User(membership.user_id)) {
        caller.may(Action::SeeMembers, Target::Organization)?;
    }
    Ok(membership)
}

/// Ends a membership: the user's rights end at once, in every team. The invited decline their own by it.
async fn destroy(
    request: HttpRequest,
    bearer: BearerToken,
    path: Path<String>,
    authenticator: Data<Authenticator>,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &QuerySpec::NONE);
    authenticator
        .transaction(bearer, organization_of_membership(&path), move |connection, caller| {
            let membership = find_visible(connection, caller, &path)?;
            may_end(caller, &membership)?;
            query?;
            let organization = membership.organization_id;
            // Whoever changes who the owners are takes turns here, so that two removals cannot leave none.
            // The organization first, as its deletion does.
            organizations::hold(connection, organization)?;
            let owners = teams::lock_owners(connection, organization)?;
            let membership = Membership { status: store::lock(connection, membership.id)?, ..membership };
            let caller = &caller.reauthenticated(connection)?;
            may_end(caller, &membership)?;
            if !declines(caller, &membership) && teams::holds_user(connection, &owners, membership.user_id)? {
                caller.may(Action::ChangeTeamMembers, Target::Team(owners.facts()))?;
            }
            let left = store::leave_teams(connection, organization, membership.user_id)?;
            store::delete(connection, membership.id)?;
            if teams::active_members(connection, &owners)? == 0 {
                return Err(Error::forbidden("The last owner of an organization cannot be removed from it"));
            }
            let event = |resource, about| self::event(organization, resource, membership.user_id, "destroy", about);
            let mut events: Vec<Event> =
                left.iter().map(|team| event("team_member", json!({ "team": team }))).collect();
            events.push(event("organization_user", json!({})));
            Ok(audit::record(connection, &caller.actor(), &events)?)
        })
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

fn may_end(caller: &Caller, membership: &Membership) -> Result<()> {
    if declines(caller, membership) {
        caller.may(Action::AnswerInvitation, Target::User(membership.user_id))?;
    } else {
        caller.may(Action::RemoveMembers, Target::Organization)?;
    }
    Ok(())
}

/// Whether it is an invitation of the caller's own.
fn declines(caller: &Caller, membership: &Membership) -> bool {
    let own = Target::User(membership.user_id);
    membership.status == Status::Invited && caller.can(Action::SeeOwnMembership, own)
}

/// The invited user becomes a member.
async fn accept(
    request: HttpRequest,
    bearer: BearerToken,
    path: Path<String>,
    authenticator: Data<Authenticator>,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &SHOW);
    let (query, document) = authenticator
        .transaction(bearer, organization_of_membership(&path), move |connection, caller| {
            let id: MembershipId = path.parse().map_err(|_| Error::not_found())?;
            let membership = store::find(connection, id)?;
            caller.may(Action::AnswerInvitation, Target::User(membership.user_id))?;
            let query = query?;
            if membership.status == Status::Invited && store::accept(connection, id)? == 1 {
                let caller = &caller.reauthenticated(connection)?;
                let about = json!({"status": "active"});
                let event = event(membership.organization_id, "organization_user", membership.user_id, "update", about);
                audit::record(connection, &caller.actor(), &[event])?;
            }
            // Again, because it may have been ended in the meantime.
            let accepted = store::find(connection, id)?;
            let document = render_one(connection, caller, &query, &accepted)?;
            Ok((query, document))
        })
        .await?;
    Ok(document.respond(&query, &request, StatusCode::OK))
}

async fn list_of_team(
    request: HttpRequest,
    bearer: BearerToken,
    path: Path<String>,
    authenticator: Data<Authenticator>,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &OF_TEAM);
    let (query, rendered, info) = authenticator
        .read(bearer, teams::organization_of_team(&path), move |connection, caller| {
            let (team, _) = teams::find(connection, path.parse().map_err(|_| Error::not_found())?)?;
            caller.may(Action::SeeTeam, Target::Team(team.facts()))?;
            let query = query?;
            let found = store::list(connection, MembershipList::Team(team.organization_id, team.id), &query)?;
            let rendered = render(connection, caller, &query, team.organization_id, &found.rows)?;
            Ok((query, rendered, found.info))
        })
        .await?;
    let document = list_document(&request, &query, rendered.resources, &info).include(rendered.included);
    Ok(document.respond(&query, &request, StatusCode::OK))
}

async fn add_to_team(
    request: HttpRequest,
    bearer: BearerToken,
    path: Path<String>,
    body: Body,
    authenticator: Data<Authenticator>,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &QuerySpec::NONE);
    authenticator
        .transaction(bearer, teams::organization_of_team(&path), move |connection, caller| {
            let (caller, team) = members::changeable(connection, caller, &path)?;
            query?;
            let users = named(connection, team.organization_id, &body.identifiers(&[MEMBERSHIPS.name])?)?;
            members::put_in(connection, &caller, &team, &users)
        })
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

async fn remove_from_team(
    request: HttpRequest,
    bearer: BearerToken,
    path: Path<String>,
    body: Body,
    authenticator: Data<Authenticator>,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &QuerySpec::NONE);
    authenticator
        .transaction(bearer, teams::organization_of_team(&path), move |connection, caller| {
            let (caller, team) = members::changeable(connection, caller, &path)?;
            query?;
            let users = named(connection, team.organization_id, &body.identifiers(&[MEMBERSHIPS.name])?)?;
            members::take_out(connection, &caller, &team, &users)
        })
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The users of an organization's memberships, ordered by id, so that requests that lock several do it in one order.
fn named(connection: &mut PgConnection, organization: OrganizationId, ids: &[String]) -> Result<Vec<UserId>> {
    let parsed: Vec<MembershipId> = ids.iter().filter_map(|id| id.parse().ok()).collect();
    let found = store::find_all(connection, organization, &parsed)?;
    let unknown = |id: &&String| !found.iter().any(|membership| membership.id.to_string() == **id);
    let places = ids.iter().enumerate().filter(|(_, id)| unknown(id));
    Error::check(places.map(|(nth, id)| {
        Error::not_found_at(format!("/data/{nth}/id"), format!("There is no membership {id:?} in this organization"))
    }))?;
    Ok(found.iter().map(|membership| membership.user_id).collect::<BTreeSet<_>>().into_iter().collect())
}

fn event(
    organization: OrganizationId,
    resource: &'static str,
    user: UserId,
    action: &'static str,
    about: Value,
) -> Event {
    Event::new(Some(organization), resource, user, action).meta(about)
}
