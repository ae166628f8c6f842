//! Memberships in the words of the OpenAPI description.

use crate::jsonapi::schema::{ResourceSchema, null, one_of, text, time};
use crate::organizations::ORGANIZATIONS;
use crate::teams::TEAMS;
use crate::users::{MEMBERSHIPS, MembershipStatus, USERS};

pub(super) fn status() -> utoipa::openapi::Schema {
    one_of(&MembershipStatus::ALL.map(MembershipStatus::as_str))
}

pub(super) fn membership() -> ResourceSchema {
    ResourceSchema::new(&MEMBERSHIPS, "A user in an organization; the address only to the user and to who can invite")
        .attribute("status", status())
        .attribute("email", text())
        .attribute("created-at", time())
        .attribute("is-org-two-factor-required", null())
        .one("user", &[USERS.name])
        .one("organization", &[ORGANIZATIONS.name])
        .many("teams", TEAMS.name)
}
