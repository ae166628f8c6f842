//! Workspaces in the words of the OpenAPI description.

use utoipa::openapi::{ArrayBuilder, Schema};

use super::tags::TagAttributes;
use super::view::LOCKED_BY;
use super::{TAGS, WORKSPACES, WorkspaceAttributes};
use crate::jsonapi::schema::{ResourceSchema, count, one_of, or_null, text, time, truth, truths};
use crate::organizations::ORGANIZATIONS;
use crate::projects::PROJECTS;
use crate::tag_bindings::{self, EFFECTIVE_BINDINGS};
use crate::teams::TEAMS;
use crate::users::USERS;

/// All types that these endpoints show.
pub(super) fn all() -> Vec<ResourceSchema> {
    [workspace(), tag()].into_iter().chain(tag_bindings::schemas()).collect()
}

fn tag() -> ResourceSchema {
    ResourceSchema::new(&TAGS, "What workspaces are grouped by")
        .written::<TagAttributes>(&["name"])
        .attribute("created-at", time())
        .attribute("instance-count", count(0).description(Some("How many workspaces that the caller sees have it")))
        .one("organization", &[ORGANIZATIONS.name])
}

fn workspace() -> ResourceSchema {
    ResourceSchema::new(&WORKSPACES, "A workspace. What a token service has none of is zero, false or null")
        .written::<WorkspaceAttributes>(&["name", "abilities"])
        .written_or_null::<WorkspaceAttributes>(&["allowed-token-roles", "default-token-format"])
        .attributes(&["created-at", "updated-at", "latest-change-at"], time)
        .attribute("permissions", truths())
        .attribute("environment", text())
        .attribute("source", one_of(&["tfe-api"]) as Schema)
        .one("organization", &[ORGANIZATIONS.name])
        .one("agent-pool", &["agent-pools"])
        .one("project", &[PROJECTS.name])
        .one("current-run", &["runs"])
        .one("ssh-key", &["ssh-keys"])
        .one(LOCKED_BY, &[USERS.name, TEAMS.name])
        .attribute("locked", truth())
        .attribute("lock-reason", or_null(text()))
        .attribute("inherits-project-auto-destroy", truth())
        .attribute("tag-names", ArrayBuilder::new().items(text()))
        .link("tags")
        .link("tag-bindings")
        .many("effective-tag-bindings", EFFECTIVE_BINDINGS.name)
        .own_link("self-html")
}
