//! How teams look on the wire.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::Team;
use super::store::Members;
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
        "abilities",
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

/// The most members that a team is shown with; one that has more has links to pages of them instead.
pub(super) const NAMED_MAX: i64 = 1000;

/// The same where several teams are shown.
pub(super) const NAMED_IN_LIST_MAX: i64 = 100;

/// The same where teams are included beside something that there may be hundreds of.
pub(super) const NAMED_INCLUDED_MAX: i64 = 0;

/// What of a team tells who is in it.
pub(super) const OF_MEMBERS: [&str; 4] =
    ["users-count", "non-service-users-count", "users", "organization-memberships"];

/// Teams as the caller sees them, out of who is in each.
pub(super) fn teams(teams: &[Team], organization: &str, members: &Members, caller: &Caller) -> Vec<Resource> {
    let mut inside: HashMap<TeamId, Vec<(&User, &Membership)>> = HashMap::new();
    for (team, user, membership) in &members.named {
        inside.entry(*team).or_default().push((user, membership));
    }
    let counted: HashMap<TeamId, (i64, i64)> =
        members.counted.iter().map(|(team, all, people)| (*team, (*all, *people))).collect();
    let each = |team: &Team| match counted.get(&team.id) {
        Some((all, people)) => linked(self::team(team, organization, *all, *people, caller), team),
        None => {
            let named = inside.remove(&team.id).unwrap_or_default();
            let people = named.iter().filter(|(user, _)| !user.is_service_account()).count();
            let [all, people] = [named.len(), people].map(|number| i64::try_from(number).unwrap_or(i64::MAX));
            self::named(self::team(team, organization, all, people, caller), &named)
        }
    };
    teams.iter().map(each).collect()
}

/// With everybody who is in it.
fn named(team: Resource, members: &[(&User, &Membership)]) -> Resource {
    let memberships = members.iter().map(|(_, membership)| users::membership_identifier(membership.id)).collect();
    team.to_many("users", members.iter().map(|(user, _)| users::identifier(user.id)).collect())
        .to_many("organization-memberships", memberships)
}

/// With links to pages of those who are in it.
fn linked(resource: Resource, team: &Team) -> Resource {
    let at = |name: &str| format!("/api/v2/teams/{}/relationships/{name}", team.id);
    let memberships = "organization-memberships";
    resource.relation_link("users", at("users")).relation_link(memberships, at(memberships))
}

/// A team as the caller sees it, with how many are in it and how many of them are persons.
fn team(team: &Team, organization: &str, all: i64, people: i64, caller: &Caller) -> Resource {
    let path = format!("/api/v2/teams/{}", team.id);
    Resource::new(&TEAMS, team.id)
        .attribute("name", &team.name)
        .attribute("description", &team.description)
        .attribute("users-count", all)
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
        .attribute("abilities", (!team.owners).then_some(&team.abilities))
        .to_one("organization", Some(organizations::identifier(organization)))
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
