//! Teams and who is in them.

use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::Room;
use super::route::Route;
use super::sends::Sends;
use crate::access::Permission;
use crate::jsonapi::QuerySpec;
use crate::jsonapi::schema::{ResourceSchema, count, null, object, or_null, truth, truths};
use crate::organizations::ORGANIZATIONS;
use crate::teams::{AccessChanges, TEAMS, TeamAttributes, http};
use crate::users::USERS;

pub(super) fn room() -> Room {
    Room { tag: "teams", about: "Groups of users inside one organization", routes: routes(), kinds: vec![team()] }
}

fn routes() -> Vec<Route> {
    let writes = || Sends::attributes::<TeamAttributes>(&[TEAMS.name]);
    let users = || Sends::identifiers(&[USERS.name]);
    vec![
        Route::get("/organizations/{organization}/teams", "listTeams", "List the teams that the caller sees")
            .query(&http::LIST)
            .gives_list(&TEAMS),
        Route::post("/organizations/{organization}/teams", "createTeam", "Make a team")
            .query(&http::WRITE)
            .sends(writes().requires(&["name"]))
            .gives(&TEAMS),
        Route::get("/teams/{team}", "showTeam", "Show a team").query(&http::SHOW).gives(&TEAMS),
        Route::patch("/teams/{team}", "updateTeam", "Change a team")
            .details("The team `owners` keeps its name and every permission.")
            .query(&http::WRITE)
            .sends(writes())
            .gives(&TEAMS),
        Route::delete("/teams/{team}", "deleteTeam", "Delete a team, with its tokens").query(&QuerySpec::NONE),
        Route::get("/teams/{team}/relationships/users", "listTeamUsers", "References to the users in a team")
            .query(&QuerySpec::NONE)
            .gives_identifiers(&USERS),
        Route::post("/teams/{team}/relationships/users", "addTeamUsers", "Put users into a team")
            .details(
                "The `id` of a user is the user's name. Who is in the team already stays in it. Who is no member of \
                 the organization is invited, and has no right before accepting.",
            )
            .query(&QuerySpec::NONE)
            .sends(users()),
        Route::delete("/teams/{team}/relationships/users", "removeTeamUsers", "Take users out of a team")
            .details("The `id` of a user is the user's name. Who is not in the team is passed over.")
            .query(&QuerySpec::NONE)
            .sends(users()),
    ]
}

fn team() -> ResourceSchema {
    const NONE: [&str; 3] = ["scim-group-name", "scim-updated-at", "hcp-resource-name"];
    ResourceSchema::new(&TEAMS, "A group of users with what they may do in their organization, and tokens of its own")
        .written::<TeamAttributes>(&["name", "visibility", "allow-member-token-management"])
        .written_or_null::<TeamAttributes>(&["description", "sso-team-id"])
        .attributes(&["users-count", "non-service-users-count"], || count(0))
        .attributes(&["scim-linked", "scim-sync-paused", "is-unified"], truth)
        .attributes(&NONE, null)
        .attribute("permissions", truths())
        .attribute("organization-access", truths())
        .one("organization", &[ORGANIZATIONS.name])
        .many("users", USERS.name)
        .many("organization-memberships", "organization-memberships")
        .link("authentication-token")
        .link("authentication-tokens")
}

impl PartialSchema for AccessChanges {
    fn schema() -> RefOr<Schema> {
        let change = || or_null(truth());
        let any = object().additional_properties(Some(Schema::from(change().build())));
        Permission::ALL.iter().fold(any, |all, permission| all.property(permission.as_str(), change())).into()
    }
}

impl ToSchema for AccessChanges {}
