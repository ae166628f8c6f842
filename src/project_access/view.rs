//! How project access looks on the wire, and in the words of the OpenAPI description.

use serde_json::{Map, Value};

use super::model::{IN_PROJECT, IN_WORKSPACES, members};
use super::{ProjectAccess, ProjectAccessAttributes};
use crate::jsonapi::schema::ResourceSchema;
use crate::jsonapi::{Resource, ResourceType};
use crate::projects::{self, PROJECTS};
use crate::teams::{self, TEAMS};

pub(crate) const TEAM_PROJECTS: ResourceType =
    ResourceType { name: "team-projects", fields: &["access", IN_PROJECT, IN_WORKSPACES, "team", "project"] };

pub(crate) fn schema() -> ResourceSchema {
    ResourceSchema::new(&TEAM_PROJECTS, "What a team may do in a project and in its workspaces")
        .written::<ProjectAccessAttributes>(&["access", IN_PROJECT, IN_WORKSPACES])
        .one("team", &[TEAMS.name])
        .one("project", &[PROJECTS.name])
}

/// A team's access to a project.
pub(super) fn project_access(access: &ProjectAccess) -> Resource {
    let all = members(&access.grant.permissions);
    let of = |object: &str| -> Map<String, Value> {
        let own = all.iter().filter(|(of, ..)| *of == object);
        own.map(|(_, name, value)| ((*name).to_owned(), value.clone())).collect()
    };
    Resource::new(&TEAM_PROJECTS, access.id)
        .attribute("access", access.grant.level)
        .attribute(IN_PROJECT, of(IN_PROJECT))
        .attribute(IN_WORKSPACES, of(IN_WORKSPACES))
        .to_one("team", Some(teams::identifier(access.team_id)))
        .relation_link("team", format!("/api/v2/teams/{}", access.team_id))
        .to_one("project", Some(projects::identifier(access.project_id)))
        .relation_link("project", projects::link(access.project_id))
        .link_self(format!("/api/v2/team-projects/{}", access.id))
}
