//! How team access looks on the wire.

use super::TeamAccess;
use crate::jsonapi::{Resource, ResourceType};
use crate::{teams, workspaces};

pub(crate) const TEAM_WORKSPACES: ResourceType = ResourceType {
    name: "team-workspaces",
    fields: &[
        "access",
        "runs",
        "variables",
        "state-versions",
        "sentinel-mocks",
        "workspace-locking",
        "run-tasks",
        "policy-overrides",
        "team",
        "workspace",
    ],
};

/// A team's access to a workspace.
pub(super) fn team_access(access: &TeamAccess) -> Resource {
    Resource::new(&TEAM_WORKSPACES, access.id)
        .attributes(&access.grant.permissions)
        .attribute("access", access.grant.level)
        .to_one("team", Some(teams::identifier(access.team_id)))
        .relation_link("team", format!("/api/v2/teams/{}", access.team_id))
        .to_one("workspace", Some(workspaces::identifier(access.workspace_id)))
        .relation_link("workspace", format!("/api/v2/workspaces/{}", access.workspace_id))
        .link_self(format!("/api/v2/team-workspaces/{}", access.id))
}
