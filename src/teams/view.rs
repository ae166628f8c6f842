//! How teams look on the wire.

use serde_json::{Map, Value, json};

use super::Team;
use crate::access::Permission;
use crate::access::{Action, Caller, Target};
use crate::ids::TeamId;
use crate::jsonapi::{Identifier, Resource, ResourceType};
use crate::organizations;
use crate::users::{self, Membership, User};

pub(crate) const TEAMS: ResourceType = ResourceType {
    name: "teams",
    fields: &[
        "name",
        "description",
        "users-count",
        "non-service-users-count",
        "sso-team-id",
        "visibility",
        "allow-member-token-management",
        "scim-linked",
        "scim-group-name",
        "scim-updated-at",
        "scim-sync-paused",
        "hcp-resource-name",
        "is-unified",
        "permissions",
        "organization-access",
        "organization",
        "users",
        "organization-memberships",
        "authentication-token",
        "authentication-tokens",
    ],
};

/// A reference to a team.
pub(crate) fn identifier(id: TeamId) -> Identifier {
    Identifier::new(TEAMS.name, id)
}

/// Teams as the caller sees them, out of who is in each.
pub(super) fn teams(
    teams: &[Team],
    organization: &str,
    members: &[(TeamId, User, Membership)],
    caller: &Caller,
) -> Vec<Resource> {
    let inside = |team: &Team| members.iter().filter(|(id, ..)| *id == team.id).collect::<Vec<_>>();
    teams.iter().map(|team| self::team(team, organization, &inside(team), caller)).collect()
}

/// A team as the caller sees it, with who is in it.
fn team(team: &Team, organization: &str, members: &[&(TeamId, User, Membership)], caller: &Caller) -> Resource {
    let path = format!("/api/v2/teams/{}", team.id);
    let people = members.iter().filter(|(_, user, _)| !user.service_account).count();
    Resource::new(&TEAMS, team.id)
        .attribute("name", &team.name)
        .attribute("description", &team.description)
        .attribute("users-count", members.len())
        .attribute("non-service-users-count", people)
        .attribute("sso-team-id", &team.sso_team_id)
        .attribute("visibility", team.visibility)
        .attribute("allow-member-token-management", team.allow_member_token_management)
        .attribute("scim-linked", false)
        .attribute("scim-group-name", ())
        .attribute("scim-updated-at", ())
        .attribute("scim-sync-paused", false)
        .attribute("hcp-resource-name", ())
        .attribute("is-unified", false)
        .attribute("permissions", permissions(team, caller))
        .attribute("organization-access", organization_access(team))
        .to_one("organization", Some(organizations::identifier(organization)))
        .to_many("users", members.iter().map(|(_, user, _)| users::identifier(user.id)).collect())
        .to_many(
            "organization-memberships",
            members.iter().map(|(_, _, membership)| users::membership_identifier(membership.id)).collect(),
        )
        .relation_link("authentication-token", format!("{path}/authentication-token"))
        .relation_link("authentication-tokens", format!("{path}/authentication-tokens"))
        .link_self(path)
}

fn organization_access(team: &Team) -> Value {
    Permission::ALL
        .iter()
        .map(|permission| (permission.to_string(), team.holds(*permission).into()))
        .collect::<Map<_, _>>()
        .into()
}

fn permissions(team: &Team, caller: &Caller) -> Value {
    let can = |action| caller.can(action, Target::Team(team.facts()));
    let update = can(Action::UpdateTeam);
    json!({
        "can-update-membership": can(Action::ChangeTeamMembers),
        "can-destroy": can(Action::DeleteTeam) && !team.owners,
        "can-update-organization-access": can(Action::SetOrganizationAccess) && !team.owners,
        "can-update-api-token": can(Action::CreateTeamToken),
        "can-view-api-token": can(Action::ReadTeamToken),
        "can-update-visibility": update,
        "can-update-name": update && !team.owners,
        "can-update-sso-team-id": update,
        "can-update-member-token-management": update,
    })
}
