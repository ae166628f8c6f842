//! Users in the words of the OpenAPI description.

use super::USERS;
use crate::jsonapi::schema::{ResourceSchema, null, object, one_of, or_null, text, truth, truths};

pub(super) fn user() -> ResourceSchema {
    const FLAGS: [&str; 9] = [
        "is-service-account",
        "v2-only",
        "is-admin",
        "is-site-admin",
        "is-sso-login",
        "is-confirmed",
        "is-unified",
        "is-sudo",
        "enterprise-support",
    ];
    ResourceSchema::new(&USERS, "A person or a service account; what only users themselves see is missing to others")
        .attribute("username", text())
        .attribute("email", text())
        .attributes(&FLAGS, truth)
        .attributes(&["has-linked-hcp", "has-git-hub-app-token"], truth)
        .attribute("avatar-url", null())
        .attribute("unconfirmed-email", or_null(text()))
        .attribute("auth-method", one_of(&["tfc"]))
        .attribute("two-factor", object().property("enabled", truth()).property("verified", truth()))
        .attribute("permissions", truths())
        .link("authentication-tokens")
        .one("authenticated-resource", &["users", "teams", "organizations", "workspaces"])
}
