//! Workspaces, and the access that teams have to them.

use utoipa::openapi::{ArrayBuilder, Schema};

use super::route::Route;
use super::sends::Sends;
use crate::http::Section;
use crate::jsonapi::schema::{ResourceSchema, one_of, text, time, truths, written};
use crate::jsonapi::{QuerySpec, ResourceType};
use crate::organizations::ORGANIZATIONS;
use crate::team_access::{self, TEAM_WORKSPACES, TeamAccessAttributes};
use crate::teams::TEAMS;
use crate::workspaces::tags::{BindingAttributes, TagAttributes};
use crate::workspaces::{BINDINGS, EFFECTIVE_BINDINGS, TAGS, WORKSPACES, WorkspaceAttributes, http, tag_http};

pub(super) fn room() -> Section {
    Section {
        tag: "workspaces",
        about: "Named things in an organization, and which teams have access to them",
        endpoints: [of_organization(), by_name(), by_id(), tagged(), of_teams()]
            .into_iter()
            .flatten()
            .map(Into::into)
            .collect(),
        kinds: vec![
            workspace(),
            access(),
            ResourceSchema::new(&TAGS, "What workspaces are grouped by").written::<TagAttributes>(&["name"]),
            binding(&BINDINGS, "A key with a value that is bound to a workspace"),
            binding(&EFFECTIVE_BINDINGS, "The same: a workspace inherits none"),
        ],
    }
}

fn writes() -> Sends {
    let writes = Sends::attributes::<WorkspaceAttributes>(&[WORKSPACES.name]);
    writes.related_to_any(TAGS.name, &writes_tag()).related_to_any(BINDINGS.name, &writes_binding())
}

/// A tag by its name, or by its id.
fn writes_tag() -> Sends {
    Sends::attributes::<TagAttributes>(&[TAGS.name])
}

fn writes_binding() -> Sends {
    Sends::attributes::<BindingAttributes>(&[BINDINGS.name]).requires(&["key"])
}

fn tagged() -> Vec<Route> {
    let tags = "/workspaces/{workspace}/relationships/tags";
    let bindings = "/workspaces/{workspace}/tag-bindings";
    vec![
        Route::get(tags, "listWorkspaceTags", "List the tags of a workspace")
            .query(&tag_http::TAGS_OF_ONE)
            .means("name", "Only what holds this text in its name, in any case")
            .gives_list(&TAGS),
        Route::post(tags, "addWorkspaceTags", "Give a workspace more tags")
            .query(&QuerySpec::NONE)
            .sends(writes_tag().listed()),
        Route::delete(tags, "removeWorkspaceTags", "Take tags from a workspace")
            .query(&QuerySpec::NONE)
            .sends(writes_tag().listed()),
        Route::get(bindings, "listTagBindings", "List the tag bindings of a workspace")
            .query(&tag_http::BINDINGS_OF_ONE)
            .gives_list(&BINDINGS),
        Route::patch(bindings, "addTagBindings", "Give a workspace more tag bindings, or others of the same keys")
            .query(&tag_http::BINDINGS_OF_ONE)
            .sends(writes_binding().listed())
            .gives_list(&BINDINGS),
        Route::get("/workspaces/{workspace}/effective-tag-bindings", "listEffectiveTagBindings", "The same")
            .details("There are no projects that a workspace could inherit others from.")
            .query(&tag_http::EFFECTIVE_BINDINGS_OF_ONE)
            .gives_list(&EFFECTIVE_BINDINGS),
        Route::get(
            "/workspaces/{workspace}/relationships/remote-state-consumers",
            "listRemoteStateConsumers",
            "List the workspaces that read its state: none, as there is no state",
        )
        .query(&http::CONSUMERS)
        .gives_list(&WORKSPACES),
    ]
}

fn of_organization() -> Vec<Route> {
    let path = "/organizations/{organization}/workspaces";
    vec![
        Route::get(path, "listWorkspaces", "List the workspaces that the caller has a role in")
            .query(&http::LIST)
            .means("search[wildcard-name]", "Only what has this name, where `*` stands for anything, in any case")
            .means("search[tags]", "Only what has all of these tags, with commas")
            .means("search[exclude-tags]", "Only what has none of these tags, with commas")
            .gives_list(&WORKSPACES),
        Route::post(path, "createWorkspace", "Make a workspace")
            .query(&http::SHOW)
            .sends(writes().requires(&["name"]))
            .gives_new(&WORKSPACES),
    ]
}

fn by_name() -> Vec<Route> {
    let path = "/organizations/{organization}/workspaces/{workspace}";
    let safe_delete = "/organizations/{organization}/workspaces/{workspace}/actions/safe-delete";
    vec![
        Route::get(path, "showWorkspaceByName", "Show a workspace by its name").query(&http::SHOW).gives(&WORKSPACES),
        Route::patch(path, "updateWorkspaceByName", "Change a workspace by its name")
            .query(&http::SHOW)
            .sends(writes())
            .gives(&WORKSPACES),
        Route::delete(path, "deleteWorkspaceByName", "Delete a workspace by its name").query(&QuerySpec::NONE),
        Route::post(safe_delete, "safeDeleteWorkspaceByName", "Delete a workspace by its name, as some clients ask")
            .query(&QuerySpec::NONE),
    ]
}

fn by_id() -> Vec<Route> {
    let path = "/workspaces/{workspace}";
    vec![
        Route::get(path, "showWorkspace", "Show a workspace").query(&http::SHOW).gives(&WORKSPACES),
        Route::patch(path, "updateWorkspace", "Change a workspace")
            .query(&http::SHOW)
            .sends(writes())
            .gives(&WORKSPACES),
        Route::delete(path, "deleteWorkspace", "Delete a workspace").query(&QuerySpec::NONE),
        Route::post(
            "/workspaces/{workspace}/actions/safe-delete",
            "safeDeleteWorkspace",
            "The same, as some clients ask",
        )
        .query(&QuerySpec::NONE),
    ]
}

fn of_teams() -> Vec<Route> {
    let one = "/team-workspaces/{access}";
    let writes = || Sends::attributes::<TeamAccessAttributes>(&[TEAM_WORKSPACES.name]);
    vec![
        Route::get("/team-workspaces", "listTeamAccess", "List which teams have access to a workspace")
            .details("The workspace, or else the team, must be named by a filter.")
            .query(&team_access::http::LIST)
            .gives_list(&TEAM_WORKSPACES),
        Route::post("/team-workspaces", "createTeamAccess", "Give a team access to a workspace")
            .query(&team_access::http::SHOW)
            .sends(
                writes()
                    .requires(&["access"])
                    .related_to_one("team", TEAMS.name)
                    .related_to_one("workspace", WORKSPACES.name),
            )
            .gives_new(&TEAM_WORKSPACES),
        Route::get(one, "showTeamAccess", "Show a team's access")
            .query(&team_access::http::SHOW)
            .gives(&TEAM_WORKSPACES),
        Route::patch(one, "updateTeamAccess", "Change a team's access")
            .query(&team_access::http::SHOW)
            .sends(writes())
            .gives(&TEAM_WORKSPACES),
        Route::delete(one, "deleteTeamAccess", "Take a team's access away").query(&QuerySpec::NONE),
    ]
}

fn workspace() -> ResourceSchema {
    ResourceSchema::new(&WORKSPACES, "A workspace. What a token service has none of is zero, false or null")
        .attribute("name", written::<WorkspaceAttributes>("name"))
        .attributes(&["created-at", "updated-at", "latest-change-at"], time)
        .attribute("permissions", truths())
        .attribute("environment", text())
        .attribute("source", one_of(&["tfe-api"]) as Schema)
        .one("organization", &[ORGANIZATIONS.name])
        .one("agent-pool", &["agent-pools"])
        .one("project", &["projects"])
        .one("current-run", &["runs"])
        .one("ssh-key", &["ssh-keys"])
        .attribute("tag-names", ArrayBuilder::new().items(text()))
        .link("tags")
        .link("tag-bindings")
        .many("effective-tag-bindings", EFFECTIVE_BINDINGS.name)
}

fn binding(kind: &'static ResourceType, about: &'static str) -> ResourceSchema {
    ResourceSchema::new(kind, about).written::<BindingAttributes>(&["key", "value"])
}

fn access() -> ResourceSchema {
    const ATTRIBUTES: [&str; 8] = [
        "access",
        "runs",
        "variables",
        "state-versions",
        "sentinel-mocks",
        "workspace-locking",
        "run-tasks",
        "policy-overrides",
    ];
    ResourceSchema::new(&TEAM_WORKSPACES, "What a team may do in a workspace")
        .written::<TeamAccessAttributes>(&ATTRIBUTES)
        .one("team", &[TEAMS.name])
        .one("workspace", &[WORKSPACES.name])
}
