//! Team access in the words of the OpenAPI description.

use super::{TEAM_WORKSPACES, TeamAccessAttributes};
use crate::jsonapi::schema::ResourceSchema;
use crate::teams::TEAMS;
use crate::workspaces::WORKSPACES;

pub(crate) fn access() -> ResourceSchema {
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
