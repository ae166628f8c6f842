//! Organizations and what they may use.

use super::route::Route;
use super::sends::Sends;
use crate::http::Section;
use crate::jsonapi::schema::{ResourceSchema, null, one_of, or_null, text, time, truth, truths};
use crate::organizations::{ENTITLEMENT_SETS, ORGANIZATIONS, OrganizationAttributes, http};

pub(super) fn room() -> Section {
    Section {
        tag: "organizations",
        about: "The tenants. An organization's id is its name",
        endpoints: routes().into_iter().map(Into::into).collect(),
        kinds: vec![organization(), entitlements()],
    }
}

fn routes() -> Vec<Route> {
    let writes = || Sends::attributes::<OrganizationAttributes>(&[ORGANIZATIONS.name]);
    vec![
        Route::get("/organizations", "listOrganizations", "List the organizations that the caller sees")
            .query(&http::LIST)
            .gives_list(&ORGANIZATIONS),
        Route::post("/organizations", "createOrganization", "Make an organization")
            .details("Its team `owners` is made with it, and the caller is the first owner.")
            .query(&http::WRITE)
            .sends(writes().requires(&["name", "email"]))
            .gives_new(&ORGANIZATIONS),
        Route::get("/organizations/{organization}", "showOrganization", "Show an organization")
            .query(&http::SHOW)
            .gives(&ORGANIZATIONS),
        Route::patch("/organizations/{organization}", "updateOrganization", "Change an organization")
            .query(&http::WRITE)
            .sends(writes())
            .gives(&ORGANIZATIONS),
        Route::delete("/organizations/{organization}", "deleteOrganization", "Delete an organization")
            .query(&crate::jsonapi::QuerySpec::NONE),
        Route::get("/organizations/{organization}/entitlement-set", "showEntitlements", "What it may use")
            .query(&http::SHOW_ENTITLEMENTS)
            .gives(&ENTITLEMENT_SETS),
    ]
}

/// Settings that are kept as clients write them.
const KEPT: [&str; 16] = [
    "name",
    "email",
    "max-ttl-enabled",
    "collaborator-auth-policy",
    "cost-estimation-enabled",
    "send-passing-statuses-for-untriggered-speculative-plans",
    "aggregated-commit-status-enabled",
    "speculative-plan-management-enabled",
    "allow-force-delete-workspaces",
    "assessments-enforced",
    "global-module-sharing",
    "global-provider-sharing",
    "stacks-enabled",
    "recoverable-items-enabled",
    "default-execution-mode",
    "stacks-default-execution-mode",
];

fn organization() -> ResourceSchema {
    const FLAGS: [&str; 8] = [
        "plan-expired",
        "plan-is-trial",
        "plan-is-enterprise",
        "is-unified",
        "fair-run-queuing-enabled",
        "saml-enabled",
        "two-factor-conformant",
        "is-in-degraded-mode",
    ];
    ResourceSchema::new(&ORGANIZATIONS, "A tenant")
        .written::<OrganizationAttributes>(&KEPT)
        .written_or_null::<OrganizationAttributes>(&["session-timeout", "session-remember", "owners-team-saml-role-id"])
        .attribute("external-id", text())
        .attribute("created-at", time())
        .attributes(&FLAGS, truth)
        .attribute("over-stacks-resource-limit", truth())
        .attribute("plan-expires-at", null())
        .attribute("plan-identifier", one_of(&["enterprise"]))
        .attribute("permissions", truths())
        .link("authentication-token")
        .link("audit-trails-authentication-token")
        .one("entitlement-set", &[ENTITLEMENT_SETS.name])
        .one("default-project", &["projects"])
        .one("default-agent-pool", &["agent-pools"])
}

fn entitlements() -> ResourceSchema {
    let about = "What an organization may use: everything that Latchkey has; a limit of null is none";
    ResourceSchema::new(&ENTITLEMENT_SETS, about).attributes(ENTITLEMENT_SETS.fields, || or_null(truth()))
}
