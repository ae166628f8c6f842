//! The caller's own account, and users.

use super::route::Route;
use super::sends::Sends;
use crate::http::Section;
use crate::jsonapi::schema::{ResourceSchema, null, object, one_of, or_null, text, truth, truths};
use crate::users::{AccountAttributes, PasswordAttributes, USERS, http};

pub(super) fn room() -> Section {
    Section {
        tag: "users",
        about: "The caller's own account, and other users",
        endpoints: routes().into_iter().map(Into::into).collect(),
        kinds: vec![user()],
    }
}

fn routes() -> Vec<Route> {
    vec![
        Route::get("/account/details", "showAccount", "Who calls")
            .details("A token that is no user's shows a service account in the name of its team or organization.")
            .query(&http::SHOW)
            .gives(&USERS),
        Route::patch("/account/update", "updateAccount", "Change the own name, or ask for another address")
            .details("A new address is unconfirmed-email until somebody who runs the service confirms it.")
            .query(&http::SHOW)
            .sends(Sends::attributes::<AccountAttributes>(&[USERS.name]))
            .gives(&USERS),
        Route::patch("/account/password", "changePassword", "Set the own password")
            .details("Tokens go on working: a token is no session.")
            .query(&http::SHOW)
            .sends(
                Sends::attributes::<PasswordAttributes>(&[USERS.name]).requires(&["password", "password-confirmation"]),
            )
            .gives(&USERS),
        Route::get("/users/{user}", "showUser", "Another user whom the caller may know")
            .query(&http::SHOW)
            .gives(&USERS),
    ]
}

fn user() -> ResourceSchema {
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
