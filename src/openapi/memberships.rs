//! Memberships: users in organizations and in their teams.

use super::route::Route;
use super::sends::Sends;
use crate::http::Section;
use crate::jsonapi::QuerySpec;
use crate::jsonapi::schema::{ResourceSchema, null, one_of, text, time};
use crate::memberships::{InvitationAttributes, MEMBERSHIPS, Status, http};
use crate::organizations::ORGANIZATIONS;
use crate::teams::TEAMS;
use crate::users::USERS;

pub(super) fn room() -> Section {
    Section {
        tag: "memberships",
        about: "Users in organizations: invited, then active",
        endpoints: [of_organizations(), of_teams()].into_iter().flatten().map(Into::into).collect(),
        kinds: vec![membership()],
    }
}

fn of_organizations() -> Vec<Route> {
    let invitation = || {
        let writes = Sends::attributes::<InvitationAttributes>(&[MEMBERSHIPS.name]);
        writes.requires(&["email"]).related_to_some("teams", TEAMS.name)
    };
    let one = "/organization-memberships/{membership}";
    vec![
        Route::get(
            "/organizations/{organization}/organization-memberships",
            "listMembers",
            "List an organization's members",
        )
        .query(&http::LIST)
        .values("filter[status]", status())
        .gives_list(&MEMBERSHIPS),
        Route::post(
            "/organizations/{organization}/organization-memberships",
            "inviteMember",
            "Invite an address into at least one team",
        )
        .details("Latchkey sends no mail; the user accepts by a request.")
        .query(&http::SHOW)
        .sends(invitation())
        .gives_new(&MEMBERSHIPS),
        Route::get("/organization-memberships", "listOwnMemberships", "List the caller's own memberships")
            .details("Also those that wait for acceptance.")
            .query(&http::OWN)
            .gives_list(&MEMBERSHIPS),
        Route::get(one, "showMembership", "Show a membership").query(&http::SHOW).gives(&MEMBERSHIPS),
        Route::delete(one, "deleteMembership", "End a membership")
            .details("The user's rights end at once, in every team. Who is invited declines by it.")
            .query(&QuerySpec::NONE),
        Route::post(
            "/organization-memberships/{membership}/actions/accept",
            "acceptInvitation",
            "Accept an invitation",
        )
        .query(&http::SHOW)
        .gives(&MEMBERSHIPS),
    ]
}

fn of_teams() -> Vec<Route> {
    let path = "/teams/{team}/relationships/organization-memberships";
    let memberships = || Sends::identifiers(&[MEMBERSHIPS.name]);
    vec![
        Route::get(path, "listTeamMembers", "List the members of a team")
            .query(&http::OF_TEAM)
            .values("filter[status]", status())
            .values("filter[is_service_account]", one_of(&["true", "false"]))
            .gives_list(&MEMBERSHIPS),
        Route::post(path, "addTeamMembers", "Put members into a team").query(&QuerySpec::NONE).sends(memberships()),
        Route::delete(path, "removeTeamMembers", "Take members out of a team")
            .query(&QuerySpec::NONE)
            .sends(memberships()),
    ]
}

fn status() -> utoipa::openapi::Schema {
    one_of(&Status::ALL.map(Status::as_str))
}

fn membership() -> ResourceSchema {
    ResourceSchema::new(&MEMBERSHIPS, "A user in an organization; the address only to the user and to who can invite")
        .attribute("status", status())
        .attribute("email", text())
        .attribute("created-at", time())
        .attribute("is-org-two-factor-required", null())
        .one("user", &[USERS.name])
        .one("organization", &[ORGANIZATIONS.name])
        .many("teams", TEAMS.name)
}
