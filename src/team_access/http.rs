//! `team-workspaces` and `team-workspaces/:id`.

use diesel::PgConnection;

use super::store::{self, TeamAccessList};
use super::view::{self, TEAM_WORKSPACES};
use super::{TeamAccess, TeamAccessAttributes, write};
use crate::access::{Action, Caller, OrganizationRef, Permit, Target, TeamFacts};
use crate::database::page::sort_keys;
use crate::http::{Allowed, Endpoint, OneResource, Read, Reply, Route, Write};
use crate::ids::TeamAccessId;
use crate::jsonapi::{Compound, Document, Error, Pages, Query, QuerySpec, Relationships, ResourceBody, Result};
use crate::organizations;
use crate::teams::{self, ShownTeams, TEAMS, Team};
use crate::workspaces::{self, WORKSPACES, Workspace};

const SHOW: QuerySpec = QuerySpec {
    include: &["team", "workspace"],
    ..QuerySpec::show(&[&TEAM_WORKSPACES, &teams::TEAMS, &workspaces::WORKSPACES])
};
const LIST: QuerySpec = QuerySpec {
    pages: Pages::Both,
    sort: sort_keys!(TeamAccess),
    default_sort: "created-at",
    filters: &["workspace.id", "team.id"],
    ..SHOW
};

const NEW: OneResource<TeamAccessAttributes> = OneResource::any(&[TEAM_WORKSPACES.name])
    .requires(&["access"])
    .related(|sends| sends.related_to_one("team", TEAMS.name).related_to_one("workspace", WORKSPACES.name));
const CHANGES: OneResource<TeamAccessAttributes> = OneResource::changes(&[TEAM_WORKSPACES.name], "access");

/// The endpoints of team access, which are told together with those of workspaces.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    let (many, one) = ("/team-workspaces", "/team-workspaces/{access}");
    vec![
        Route::get(many, "listTeamAccess", "List which teams have access to a workspace")
            .details("The workspace, or else the team, must be named by a filter.")
            .filters(&LIST, |query| Ok(Asked::of(query)))
            .organization_of(Asked::organization_ref)
            .lists(&TEAM_WORKSPACES)
            .allows(&[Action::ListWorkspaces])
            .read(list),
        Route::post(many, "createTeamAccess", "Give a team access to a workspace")
            .query(&SHOW)
            .body(NEW)
            .organization_of(organization_of_new)
            .creates(&TEAM_WORKSPACES)
            .allows(&[Action::HandleTeamAccess])
            .write(create),
        Route::get(one, "showTeamAccess", "Show a team's access")
            .query(&SHOW)
            .shows(&TEAM_WORKSPACES)
            .allows(&[Action::SeeTeamAccess])
            .read(show),
        Route::patch(one, "updateTeamAccess", "Change a team's access")
            .query(&SHOW)
            .body(CHANGES)
            .shows(&TEAM_WORKSPACES)
            .allows(&[Action::HandleTeamAccess])
            .write(update),
        Route::delete(one, "deleteTeamAccess", "Take a team's access away")
            .query(&QuerySpec::NONE)
            .allows(&[Action::HandleTeamAccess])
            .write(destroy),
    ]
}

/// The ids that the filters of a list name.
struct Asked {
    workspace: Option<String>,
    team: Option<String>,
}

impl Asked {
    fn of(query: &Query) -> Self {
        let filter = |name| query.filter(name).map(str::to_owned);
        Self { workspace: filter("workspace.id"), team: filter("team.id") }
    }

    fn organization_ref(&self) -> OrganizationRef {
        match (&self.workspace, &self.team) {
            (Some(workspace), _) => workspaces::organization_of_workspace(workspace),
            (None, Some(team)) => teams::organization_of_team(team),
            (None, None) => OrganizationRef::None,
        }
    }
}

/// The access to a workspace, or a team's; the request must name one of the two.
fn list(mut call: Read<'_, Asked>) -> Result<Reply> {
    let (of, permit) = call.find_by_input(listed)?;
    let call = call.permitted(permit)?;
    let found = store::list(call.connection, call.caller.organization()?, of, &call.query)?;
    let rendered = render(call.connection, &call.caller, &call.query, &found.rows)?;
    Ok(call.page(rendered.resources, found.info).include(rendered.included))
}

/// What the list holds of what is asked for: whoever is a manager in the workspace sees every team's access, the
/// others that of the teams that they see.
fn listed(connection: &mut PgConnection, caller: &Caller, asked: &Asked) -> Result<(TeamAccessList, Permit)> {
    let team = asked.team.as_ref().map(|id| id.parse().map_err(|_| Error::not_found())).transpose()?;
    if let Some(id) = &asked.workspace {
        // A workspace's own token sees the workspace and not who has access to it.
        let permit = caller.may(Action::ListWorkspaces, Target::Organization)?;
        let (workspace, rights) = workspaces::find_visible(connection, caller, id)?;
        let any = Target::TeamAccess(TeamFacts::of_any_secret_team(), Some(rights.role));
        let whose = if caller.can(Action::SeeTeamAccess, any) {
            ShownTeams::All
        } else {
            ShownTeams::OpenAnd(caller.rights.teams.iter().copied().collect())
        };
        return Ok((TeamAccessList::Workspace(workspace.id, whose, team), permit));
    }
    let team = team.ok_or_else(|| {
        Error::parameter("filter[workspace][id]", "Must be there: the list is that of a workspace or of a team")
    })?;
    let (team, _) = teams::find(connection, team)?;
    caller.may(Action::SeeTeam, Target::Team(team.facts()))?;
    let permit = caller.may(Action::ListWorkspaces, Target::Organization)?;
    Ok((TeamAccessList::Team(team.id, caller.visible_workspaces()), permit))
}

fn render(connection: &mut PgConnection, caller: &Caller, query: &Query, rows: &[TeamAccess]) -> Result<Compound> {
    let mut included = vec![];
    if rows.is_empty() || !(query.includes("team") || query.includes("workspace")) {
        return Ok(Compound { resources: rows.iter().map(view::team_access).collect(), included });
    }
    let organization = organizations::find(connection, caller.organization()?)?;
    if query.includes("team") {
        let ids: Vec<_> = rows.iter().map(|row| row.team_id).collect();
        let mut teams = teams::find_all(connection, &ids)?;
        teams.retain(|team| caller.can(Action::SeeTeam, Target::Team(team.facts())));
        included.extend(teams::render(connection, caller, &organization.name, &teams)?);
    }
    if query.includes("workspace") {
        let ids: Vec<_> = rows.iter().map(|row| row.workspace_id).collect();
        let here = |id| (id == organization.id).then_some((caller, &organization));
        included.extend(workspaces::render_seen(connection, &ids, here)?);
    }
    Ok(Compound { resources: rows.iter().map(view::team_access).collect(), included })
}

fn render_one(connection: &mut PgConnection, caller: &Caller, query: &Query, access: &TeamAccess) -> Result<Document> {
    let rendered = render(connection, caller, query, std::slice::from_ref(access))?;
    Ok(Document::one(view::team_access(access)).include(rendered.included))
}

/// Gives a team access. The body names the workspace, and so the organization that the request is about.
fn create(call: Write<'_, ResourceBody<TeamAccessAttributes>>) -> Result<Reply> {
    let (mut call, ()) = call.lock_named(|connection, caller, _, body| lock_named(connection, caller, body))?;
    let ((team, workspace), permit) =
        call.find_by_input(|connection, caller, body| named(connection, caller, &body.relationships))?;
    let (call, body) = call.permitted(permit)?.take_input();
    let access = write::create(call.connection, &call.caller, &team, workspace.id, &body.attributes)?;
    shown(call, &access)
}

/// Locks the workspace and the team that a body names. Who takes access away locks the same, so that a right that is
/// taken away while this waits is gone when it is asked for.
fn lock_named(
    connection: &mut PgConnection,
    caller: &Caller,
    body: Option<&ResourceBody<TeamAccessAttributes>>,
) -> Result<()> {
    let named = |name, kind| body.and_then(|body| body.relationships.to_one(name, kind).ok().flatten());
    // What is wrong with the body is told by the next step.
    let Some(workspace) = named("workspace", WORKSPACES.name) else { return Ok(()) };
    // Nobody else has a role in any of the organization's workspaces, and so a lock to ask for.
    caller.may(Action::ListWorkspaces, Target::Organization)?;
    workspaces::lock(connection, workspace.parse().map_err(|_| Error::not_found())?)?;
    if let Some(id) = named("team", teams::TEAMS.name).and_then(|id| id.parse().ok()) {
        teams::hold(connection, caller.organization()?, id)?;
    }
    Ok(())
}

fn organization_of_new(body: &ResourceBody<TeamAccessAttributes>) -> OrganizationRef {
    let id = body.relationships.to_one("workspace", WORKSPACES.name).ok().flatten();
    id.map_or(OrganizationRef::None, workspaces::organization_of_workspace)
}

/// The team and the workspace that a body names, if the caller may give the team access.
fn named(
    connection: &mut PgConnection,
    caller: &Caller,
    relationships: &Relationships,
) -> Result<((Team, Workspace), Permit)> {
    let team = relationships.required_to_one("team", TEAMS.name);
    let (team, workspace) = Error::both(team, relationships.required_to_one("workspace", WORKSPACES.name))?;
    let (workspace, rights) = workspaces::find_visible(connection, caller, workspace)?;
    // Asked before the team is looked for, so that nobody else learns which teams there are.
    let permit = caller.may(Action::HandleTeamAccess, Target::Workspace(Some(rights.role)))?;
    let team = teams::named_in_body(connection, caller, team, "workspace")?;
    Ok(((team, workspace), permit))
}

fn show(mut call: Read<'_>) -> Result<Reply> {
    let id = call.path("access")?;
    let (access, permit) = call.find(|connection, caller| found(connection, caller, Action::SeeTeamAccess, id))?;
    shown(call.permitted(permit)?, &access)
}

fn shown(call: Allowed<'_>, access: &TeamAccess) -> Result<Reply> {
    let document = render_one(call.connection, &call.caller, &call.query, access)?;
    Ok(call.document(document))
}

fn update(call: Write<'_, ResourceBody<TeamAccessAttributes>>) -> Result<Reply> {
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
fn locked<'c, I>(call: Write<'c, I>) -> Result<(Allowed<'c, I>, TeamAccess)> {
    let id = call.path("access")?;
    let (mut call, _) = call.lock(|connection, caller| {
        // Nobody else has a role in any of the organization's workspaces, and so a lock to ask for.
        caller.may(Action::ListWorkspaces, Target::Organization)?;
        // The workspace first: whoever gives access, or goes by what it gives, has the same lock.
        let workspace = store::workspace_of(connection, id)?;
        workspaces::lock(connection, workspace)?;
        Ok(store::lock(connection, id)?)
    })?;
    let (access, permit) = call.find(|connection, caller| found(connection, caller, Action::HandleTeamAccess, id))?;
    Ok((call.permitted(permit)?, access))
}

/// The access, if the caller may do `action` to it.
fn found(
    connection: &mut PgConnection,
    caller: &Caller,
    action: Action,
    id: TeamAccessId,
) -> Result<(TeamAccess, Permit)> {
    let (access, team) = store::find(connection, id)?;
    let rights = workspaces::rights(connection, caller, access.workspace_id)?;
    let permit = caller.may(action, Target::TeamAccess(team.facts(), rights.map(|rights| rights.role)))?;
    Ok((access, permit))
}
