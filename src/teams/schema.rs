//! Teams in the words of the OpenAPI description.

use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::{AccessChanges, TEAMS, TeamAttributes};
use crate::access::Permission;
use crate::jsonapi::schema::{ResourceSchema, count, null, object, or_null, truth, truths};
use crate::organizations::ORGANIZATIONS;
use crate::users::USERS;

pub(super) fn team() -> ResourceSchema {
    const NONE: [&str; 3] = ["scim-group-name", "scim-updated-at", "hcp-resource-name"];
    ResourceSchema::new(&TEAMS, "A group of users with what they may do in their organization, and tokens of its own")
        .written::<TeamAttributes>(&["name", "visibility", "allow-member-token-management"])
        .written_or_null::<TeamAttributes>(&["description", "sso-team-id", "abilities"])
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
