//! `team-projects` and `team-projects/:id`.

use diesel::PgConnection;

use super::store::{self, ProjectAccessList};
use super::view::{self, TEAM_PROJECTS};
use super::{ProjectAccess, ProjectAccessAttributes, write};
use crate::access::{Action, Caller, OrganizationRef, Permit, Target, TeamFacts};
use crate::database::page::sort_keys;
use crate::http::{Allowed, Endpoint, OneResource, Read, Reply, Route, Write};
use crate::ids::ProjectAccessId;
use crate::jsonapi::{Compound, Document, Error, Pages, Query, QuerySpec, Relationships, ResourceBody, Result};
use crate::organizations;
use crate::projects::{self, PROJECTS, Project};
use crate::teams::{self, ShownTeams, TEAMS, Team};

const SHOW: QuerySpec = QuerySpec {
    include: &["team", "project"],
    ..QuerySpec::show(&[&TEAM_PROJECTS, &teams::TEAMS, &projects::PROJECTS])
};
const LIST: QuerySpec = QuerySpec {
    pages: Pages::Both,
    sort: sort_keys!(ProjectAccess),
    default_sort: "created-at",
    filters: &["project.id", "team.id"],
    ..SHOW
};

/// The second is what one shipped client sends.
const TYPES: &[&str] = &[TEAM_PROJECTS.name, "team-project-access"];

const NEW: OneResource<ProjectAccessAttributes> = OneResource::any(TYPES)
    .requires(&["access"])
    .related(|sends| sends.related_to_one("team", TEAMS.name).related_to_one("project", PROJECTS.name));
const CHANGES: OneResource<ProjectAccessAttributes> = OneResource::changes(TYPES, "project_access");

/// The endpoints of project access, which are told together with those of projects.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    let (many, one) = ("/team-projects", "/team-projects/{project_access}");
    vec![
        Route::get(many, "listProjectAccess", "List which teams have access to a project")
            .details("The project, or else the team, must be named by a filter.")
            .filters(&LIST, |query| Ok(Asked::of(query)))
            .organization_of(Asked::organization_ref)
            .lists(&TEAM_PROJECTS)
            .allows(&[Action::ListProjects])
            .read(list),
        Route::post(many, "createProjectAccess", "Give a team access to a project")
            .query(&SHOW)
            .body(NEW)
            .organization_of(organization_of_new)
            .creates(&TEAM_PROJECTS)
            .allows(&[Action::HandleProjectAccess])
            .write(create),
        Route::get(one, "showProjectAccess", "Show a team's access to a project")
            .query(&SHOW)
            .shows(&TEAM_PROJECTS)
            .allows(&[Action::SeeProjectAccess])
            .read(show),
        Route::patch(one, "updateProjectAccess", "Change a team's access to a project")
            .query(&SHOW)
            .body(CHANGES)
            .shows(&TEAM_PROJECTS)
            .allows(&[Action::HandleProjectAccess])
            .write(update),
        Route::delete(one, "deleteProjectAccess", "Take a team's access to a project away")
            .query(&QuerySpec::NONE)
            .allows(&[Action::HandleProjectAccess])
            .write(destroy),
    ]
}

/// The ids that the filters of a list name.
struct Asked {
    project: Option<String>,
    team: Option<String>,
}

impl Asked {
    fn of(query: &Query) -> Self {
        let filter = |name| query.filter(name).map(str::to_owned);
        Self { project: filter("project.id"), team: filter("team.id") }
    }

    fn organization_ref(&self) -> OrganizationRef {
        match (&self.project, &self.team) {
            (Some(project), _) => projects::organization_of_project(project),
            (None, Some(team)) => teams::organization_of_team(team),
            (None, None) => OrganizationRef::None,
        }
    }
}

/// The access to a project, or a team's; the request must name one of the two.
fn list(mut call: Read<'_, Asked>) -> Result<Reply> {
    let (of, permit) = call.find_by_input(listed)?;
    let call = call.permitted(permit)?;
    let found = store::list(call.connection, call.caller.organization()?, of, &call.query)?;
    let rendered = render(call.connection, &call.caller, &call.query, &found.rows)?;
    Ok(call.page(rendered.resources, found.info).include(rendered.included))
}

/// What the list holds of what is asked for: whoever may read the project's teams sees every team's access,
/// the others that of the teams that they see.
fn listed(connection: &mut PgConnection, caller: &Caller, asked: &Asked) -> Result<(ProjectAccessList, Permit)> {
    let team = asked.team.as_ref().map(|id| id.parse().map_err(|_| Error::not_found())).transpose()?;
    if let Some(id) = &asked.project {
        let permit = caller.may(Action::ListProjects, Target::Organization)?;
        let (project, rights) = projects::find_visible(connection, caller, id)?;
        let any = Target::ProjectAccess(TeamFacts::of_any_secret_team(), Some(rights));
        let whose = if caller.can(Action::SeeProjectAccess, any) {
            ShownTeams::All
        } else {
            ShownTeams::OpenAnd(caller.rights.teams.iter().copied().collect())
        };
        return Ok((ProjectAccessList::Project(project.id, whose, team), permit));
    }
    let team = team.ok_or_else(|| {
        Error::parameter("filter[project][id]", "Must be there: the list is that of a project or of a team")
    })?;
    let (team, _) = teams::find(connection, team)?;
    caller.may(Action::SeeTeam, Target::Team(team.facts()))?;
    let permit = caller.may(Action::ListProjects, Target::Organization)?;
    Ok((ProjectAccessList::Team(team.id, caller.visible_projects()), permit))
}

fn render(connection: &mut PgConnection, caller: &Caller, query: &Query, rows: &[ProjectAccess]) -> Result<Compound> {
    let mut included = vec![];
    if rows.is_empty() || !(query.includes("team") || query.includes("project")) {
        return Ok(Compound { resources: rows.iter().map(view::project_access).collect(), included });
    }
    let organization = organizations::find(connection, caller.organization()?)?;
    if query.includes("team") {
        let ids: Vec<_> = rows.iter().map(|row| row.team_id).collect();
        let mut teams = teams::find_all(connection, &ids)?;
        teams.retain(|team| caller.can(Action::SeeTeam, Target::Team(team.facts())));
        included.extend(teams::render(connection, caller, &organization.name, &teams)?);
    }
    if query.includes("project") {
        let ids: Vec<_> = rows.iter().map(|row| row.project_id).collect();
        let projects = projects::find_all(connection, &ids)?;
        included.extend(projects::render_seen(connection, caller, &organization, &projects)?);
    }
    Ok(Compound { resources: rows.iter().map(view::project_access).collect(), included })
}

fn render_one(
    connection: &mut PgConnection,
    caller: &Caller,
    query: &Query,
    access: &ProjectAccess,
) -> Result<Document> {
    let rendered = render(connection, caller, query, std::slice::from_ref(access))?;
    Ok(Document::one(view::project_access(access)).include(rendered.included))
}

/// Gives a team access. The body names the project, and so the organization that the request is about.
fn create(call: Write<'_, ResourceBody<ProjectAccessAttributes>>) -> Result<Reply> {
    let (mut call, ()) = call.lock_named(|connection, caller, _, body| lock_named(connection, caller, body))?;
    let ((team, project), permit) =
        call.find_by_input(|connection, caller, body| named(connection, caller, &body.relationships))?;
    let (call, body) = call.permitted(permit)?.take_input();
    let access = write::create(call.connection, &call.caller, &team, project.id, &body.attributes)?;
    shown(call, &access)
}

/// Locks the project and the team that a body names. Who takes access away locks the same, so that a right that is
/// taken away while this waits is gone when it is asked for.
fn lock_named(
    connection: &mut PgConnection,
    caller: &Caller,
    body: Option<&ResourceBody<ProjectAccessAttributes>>,
) -> Result<()> {
    let named = |name, kind| body.and_then(|body| body.relationships.to_one(name, kind).ok().flatten());
    // What is wrong with the body is told by the next step.
    let Some(project) = named("project", PROJECTS.name) else { return Ok(()) };
    // Nobody else has a part in any of the organization's projects, and so a lock to ask for.
    caller.may(Action::ListProjects, Target::Organization)?;
    projects::lock(connection, project.parse().map_err(|_| Error::not_found())?)?;
    if let Some(id) = named("team", teams::TEAMS.name).and_then(|id| id.parse().ok()) {
        teams::hold(connection, caller.organization()?, id)?;
    }
    Ok(())
}

fn organization_of_new(body: &ResourceBody<ProjectAccessAttributes>) -> OrganizationRef {
    let id = body.relationships.to_one("project", PROJECTS.name).ok().flatten();
    id.map_or(OrganizationRef::None, projects::organization_of_project)
}

/// The team and the project that a body names, if the caller may give the team access.
fn named(
    connection: &mut PgConnection,
    caller: &Caller,
    relationships: &Relationships,
) -> Result<((Team, Project), Permit)> {
    let team = relationships.required_to_one("team", TEAMS.name);
    let (team, project) = Error::both(team, relationships.required_to_one("project", PROJECTS.name))?;
    let (project, rights) = projects::find_visible(connection, caller, project)?;
    // Asked before the team is looked for, so that nobody else learns which teams there are.
    let permit = caller.may(Action::HandleProjectAccess, Target::Project(Some(rights)))?;
    let team = teams::named_in_body(connection, caller, team, "project")?;
    Ok(((team, project), permit))
}

fn show(mut call: Read<'_>) -> Result<Reply> {
    let id = call.path("project_access")?;
    let (access, permit) = call.find(|connection, caller| found(connection, caller, Action::SeeProjectAccess, id))?;
    shown(call.permitted(permit)?, &access)
}

fn shown(call: Allowed<'_>, access: &ProjectAccess) -> Result<Reply> {
    let document = render_one(call.connection, &call.caller, &call.query, access)?;
    Ok(call.document(document))
}

fn update(call: Write<'_, ResourceBody<ProjectAccessAttributes>>) -> Result<Reply> {
    let (call, access) = locked(call)?;
    let (call, changes) = call.take_input();
    let access = write::update(call.connection, &call.caller, &access, &changes.attributes)?;
    shown(call, &access)
}

fn destroy(call: Write<'_>) -> Result<Reply> {
    let (call, access) = locked(call)?;
    write::delete(call.connection, &call.caller, &access)?;
    Ok(call.done())
}

/// The access that the path names, locked, if the caller may handle it.
fn locked<'c, I>(call: Write<'c, I>) -> Result<(Allowed<'c, I>, ProjectAccess)> {
    let id = call.path("project_access")?;
    let (mut call, _) = call.lock(|connection, caller| {
        // Nobody else has a part in any of the organization's projects, and so a lock to ask for.
        caller.may(Action::ListProjects, Target::Organization)?;
        // The project first: whoever gives access, or goes by what it gives, has the same lock.
        let project = store::project_of(connection, id)?;
        projects::lock(connection, project)?;
        Ok(store::lock(connection, id)?)
    })?;
    let (access, permit) =
        call.find(|connection, caller| found(connection, caller, Action::HandleProjectAccess, id))?;
    Ok((call.permitted(permit)?, access))
}

/// The access, if the caller may do `action` to it.
fn found(
    connection: &mut PgConnection,
    caller: &Caller,
    action: Action,
    id: ProjectAccessId,
) -> Result<(ProjectAccess, Permit)> {
    let (access, team) = store::find(connection, id)?;
    let rights = projects::rights(connection, caller, access.project_id)?;
    let permit = caller.may(action, Target::ProjectAccess(team.facts(), rights))?;
    Ok((access, permit))
}
