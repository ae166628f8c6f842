//! `organizations/:name/teams`, `teams/:id` and `teams/:id/relationships/users`.

use std::collections::BTreeSet;

use diesel::PgConnection;

use super::members;
use super::store::{self, Members, Scope};
use super::view::{self, TEAMS};
use super::write;
use super::{Team, TeamAttributes, schema};
use crate::access::{Action, Caller, Target, TeamFacts};
use crate::database::page::sort_keys;
use crate::http::{Endpoint, Identifiers, OneResource, Read, Reply, Route, Section, Write};
use crate::ids::{TeamId, UserId};
use crate::jsonapi::{Compound, Document, Error, Pages, Query, QuerySpec, Resource, ResourceBody, Result, Search};
use crate::organizations;
use crate::users::{self, MEMBERSHIPS, Membership, USERS, User};

const SHOW: QuerySpec =
    QuerySpec { include: &["users", "organization-memberships"], ..QuerySpec::show(&[&TEAMS, &USERS, &MEMBERSHIPS]) };
const LIST: QuerySpec = QuerySpec {
    pages: Pages::Both,
    sort: sort_keys!(Team),
    default_sort: "created-at",
    q: Search::Text,
    filters: &["names"],
    ..SHOW
};
const USERS_OF_TEAM: QuerySpec =
    QuerySpec { pages: Pages::Both, sort: &["created-at"], default_sort: "created-at", ..QuerySpec::NONE };
const WRITE: QuerySpec = QuerySpec::show(&[&TEAMS]);

const TEAM: OneResource<TeamAttributes> = OneResource::new(&[TEAMS.name]).requires(&["name"]);
const CHANGES: OneResource<TeamAttributes> = OneResource::changes(&[TEAMS.name], "team");
const USER_NAMES: Identifiers = Identifiers(&[USERS.name]);

/// The endpoints of teams.
pub(crate) fn section() -> Section {
    Section {
        tag: "teams",
        about: "Groups of users inside one organization",
        endpoints: endpoints(),
        kinds: vec![schema::team()],
    }
}

fn endpoints() -> Vec<Endpoint> {
    let (many, one) = ("/organizations/{organization}/teams", "/teams/{team}");
    let users = "/teams/{team}/relationships/users";
    vec![
        Route::get(many, "listTeams", "List the teams that the caller sees")
            .query(&LIST)
            .lists(&TEAMS)
            .allows(&[Action::SeeOrganization])
            .read(list),
        Route::post(many, "createTeam", "Make a team")
            .query(&WRITE)
            .body(TEAM)
            .shows(&TEAMS)
            .allows(&[Action::CreateTeam])
            .write(create),
        Route::get(one, "showTeam", "Show a team").query(&SHOW).shows(&TEAMS).allows(&[Action::SeeTeam]).read(show),
        Route::patch(one, "updateTeam", "Change a team")
            .details("The team `owners` keeps its name and every permission.")
            .query(&WRITE)
            .body(CHANGES)
            .shows(&TEAMS)
            .allows(&[Action::UpdateTeam])
            .write(update),
        Route::delete(one, "deleteTeam", "Delete a team, with its tokens")
            .query(&QuerySpec::NONE)
            .allows(&[Action::DeleteTeam])
            .write(destroy),
        Route::get(users, "listTeamUsers", "References to the users in a team")
            .query(&USERS_OF_TEAM)
            .identifies(&USERS)
            .allows(&[Action::SeeTeam])
            .read(list_users),
        Route::post(users, "addTeamUsers", "Put users into a team")
            .details(
                "The `id` of a user is the user's name. Who is in the team already stays in it. Who is no member of \
                 the organization is invited, and has no right before accepting.",
            )
            .query(&QuerySpec::NONE)
            .body(USER_NAMES)
            .allows(&[Action::ChangeTeamMembers])
            .write(add_users),
        Route::delete(users, "removeTeamUsers", "Take users out of a team")
            .details("The `id` of a user is the user's name. Who is not in the team is passed over.")
            .query(&QuerySpec::NONE)
            .body(USER_NAMES)
            .allows(&[Action::ChangeTeamMembers])
            .write(remove_users),
    ]
}

fn list(call: Read<'_>) -> Result<Reply> {
    let call = call.may(Target::Organization)?;
    let organization = organizations::find(call.connection, call.caller.organization()?)?;
    let found = store::list(call.connection, organization.id, scope(&call.caller), &call.query)?;
    let compound =
        render(call.connection, &call.caller, &call.query, &organization.name, &found.rows, view::NAMED_IN_LIST_MAX)?;
    Ok(call.page(compound.resources, found.info).include(compound.included))
}

/// All teams if the caller may see secret ones; otherwise the visible ones and the caller's own.
fn scope(caller: &Caller) -> Scope {
    let secret = TeamFacts::of_any_secret_team();
    if caller.can(Action::SeeTeam, Target::Team(secret)) {
        Scope::All
    } else {
        Scope::OpenAnd(caller.rights.teams.iter().copied().collect())
    }
}

/// Teams with those who are in each, by name if they are at most `most`.
fn render(
    connection: &mut PgConnection,
    caller: &Caller,
    query: &Query,
    organization: &str,
    teams: &[Team],
    most: i64,
) -> Result<Compound> {
    let asked =
        query.fields_of(TEAMS.name).is_none_or(|fields| view::OF_MEMBERS.iter().any(|name| fields.contains(*name)));
    let members =
        if asked || included_types(query) { store::members(connection, teams, most)? } else { Members::default() };
    let resources = view::teams(teams, organization, &members, caller);
    Ok(Compound { resources, included: included(query, caller, &members.named) })
}

fn included_types(query: &Query) -> bool {
    query.includes("users") || query.includes("organization-memberships")
}

fn included(query: &Query, caller: &Caller, members: &[(TeamId, User, Membership)]) -> Vec<Resource> {
    let mut included = vec![];
    for (_, user, membership) in members {
        if query.includes("users") {
            included.push(users::public(user));
        }
        if query.includes("organization-memberships") {
            included.push(users::membership(membership, caller));
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
    let compound = render(connection, caller, query, organization, std::slice::from_ref(team), view::NAMED_MAX)?;
    compound.into_one().ok_or_else(Error::not_found)
}

fn create(call: Write<'_, ResourceBody<TeamAttributes>>) -> Result<Reply> {
    let (call, organization) =
        call.lock(|connection, caller| Ok(organizations::hold(connection, caller.organization()?)?))?;
    let (mut call, body) = call.may(Target::Organization)?.take_input();
    let team = write::create(call.connection, &call.caller, organization.id, body.attributes)?;
    call.check_again(|_, caller| caller.may(Action::CreateTeam, Target::Organization))?;
    let document = render_one(call.connection, &call.caller, &call.query, &(team, organization.name))?;
    Ok(call.document(document))
}

fn show(mut call: Read<'_>) -> Result<Reply> {
    let id = call.path("team")?;
    let found = call.find(|connection, _| Ok(store::find(connection, id)?))?;
    let call = call.may(Target::Team(found.0.facts()))?;
    let document = render_one(call.connection, &call.caller, &call.query, &found)?;
    Ok(call.document(document))
}

fn update(call: Write<'_, ResourceBody<TeamAttributes>>) -> Result<Reply> {
    let id = call.path("team")?;
    let (call, (team, organization)) = call.lock(|connection, _| Ok(store::lock(connection, id)?))?;
    let facts = team.facts();
    let (call, body) = call.may(Target::Team(facts))?.take_input();
    let caller = &call.caller;
    let again = |connection: &mut PgConnection| {
        caller.reauthenticated(connection)?.may(Action::UpdateTeam, Target::Team(facts))
    };
    let team = write::update(call.connection, caller, team, body.attributes, again)?;
    let document = render_one(call.connection, &call.caller, &call.query, &(team, organization))?;
    Ok(call.document(document))
}

fn destroy(call: Write<'_>) -> Result<Reply> {
    let id = call.path("team")?;
    let (call, (team, _)) = call.lock(|connection, _| Ok(store::lock(connection, id)?))?;
    let call = call.may(Target::Team(team.facts()))?;
    write::delete(call.connection, &call.caller, &team)?;
    Ok(call.done())
}

/// References to the users who are in the team.
fn list_users(mut call: Read<'_>) -> Result<Reply> {
    let id = call.path("team")?;
    let (team, _) = call.find(|connection, _| Ok(store::find(connection, id)?))?;
    let call = call.may(Target::Team(team.facts()))?;
    let found = store::list_users(call.connection, team.id, &call.query)?;
    Ok(call.page(found.rows.iter().map(|user| Resource::new(&USERS, user.id)).collect(), found.info))
}

fn add_users(call: Write<'_, Vec<String>>) -> Result<Reply> {
    let id = call.path("team")?;
    let (call, (team, _)) = call.lock(|connection, _| Ok(store::lock(connection, id)?))?;
    let call = call.may(Target::Team(team.facts()))?;
    let users = named(call.connection, &team, &call.input, Unknown::Refuse)?;
    members::put_in(call.connection, &call.caller, &team, &users)?;
    Ok(call.done())
}

fn remove_users(call: Write<'_, Vec<String>>) -> Result<Reply> {
    let id = call.path("team")?;
    let (call, (team, _)) = call.lock(|connection, _| Ok(store::lock(connection, id)?))?;
    let call = call.may(Target::Team(team.facts()))?;
    let users = named(call.connection, &team, &call.input, Unknown::Ignore)?;
    members::take_out(call.connection, &call.caller, &team, &users)?;
    Ok(call.done())
}

/// What to do about a name that no user has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unknown {
    /// 404, with its place in the body.
    Refuse,
    /// Nothing: who does not exist is not in the team either (JSON:API, "Updating To-Many Relationships").
    Ignore,
}

/// The users of these names who can be in a team, ordered by id, so that requests that lock several do it in one order. Of
/// another organization's service account nothing is learned.
fn named(connection: &mut PgConnection, team: &Team, names: &[String], unknown: Unknown) -> Result<Vec<UserId>> {
    let mut found = users::by_usernames(connection, names)?;
    found.retain(|user| user.organization_id.is_none_or(|own| own == team.organization_id));
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
