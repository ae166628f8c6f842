//! Users in the words of the OpenAPI description.

use super::{MEMBERSHIPS, USERS};
use crate::jsonapi::schema::{ResourceSchema, object, one_of, or_null, text, truth, truths};

pub(super) fn user() -> ResourceSchema {
    const FLAGS: [&str; 10] = [
        "is-service-account",
        "v2-only",
        "is-admin",
        "is-site-admin",
        "is-suspended",
        "is-sso-login",
        "is-confirmed",
        "is-unified",
        "is-sudo",
        "enterprise-support",
    ];
    let about = "A person or a service account; what only users themselves or site admins see is missing to others";
    ResourceSchema::new(&USERS, about)
        .attribute("username", text())
        .attribute("email", text())
        .attributes(&FLAGS, truth)
        .attributes(&["has-linked-hcp", "has-git-hub-app-token"], truth)
        .attribute("avatar-url", text())
        .attribute("unconfirmed-email", or_null(text()))
        .attribute("auth-method", one_of(&["tfc"]))
        .attribute("two-factor", object().property("enabled", truth()).property("verified", truth()))
        .attribute("permissions", truths())
        .link("authentication-tokens")
        .one("authenticated-resource", &["users", "teams", "organizations", "workspaces"])
        .many("organizations", "organizations")
        .one("organization-membership", &[MEMBERSHIPS.name])
}
