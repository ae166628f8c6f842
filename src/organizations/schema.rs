//! Organizations in the words of the OpenAPI description.

use super::{ENTITLEMENT_SETS, ORGANIZATIONS, OrganizationAttributes, PROJECTS, Plan};
use crate::jsonapi::schema::{ResourceSchema, null, one_of, or_null, text, time, truth, truths};

/// Settings that are kept as clients write them.
const KEPT: [&str; 18] = [
    "name",
    "email",
    "max-ttl-enabled",
    "default-token-format",
    "user-tokens-enabled",
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

pub(super) fn organization() -> ResourceSchema {
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
        .written_or_null::<OrganizationAttributes>(&[
            "session-timeout",
            "session-remember",
            "owners-team-saml-role-id",
            "allowed-token-roles",
            "default-token-ttl",
        ])
        .attribute("external-id", text())
        .attribute("created-at", time())
        .attributes(&FLAGS, truth)
        .attribute("over-stacks-resource-limit", truth())
        .attribute("plan-expires-at", null())
        .attribute("plan-identifier", one_of(&Plan::ALL.map(Plan::as_str)))
        .attribute("permissions", truths())
        .link("authentication-token")
        .link("audit-trails-authentication-token")
        .one("entitlement-set", &[ENTITLEMENT_SETS.name])
        .one("default-project", &[PROJECTS.name])
        .one("default-agent-pool", &["agent-pools"])
}

pub(super) fn entitlements() -> ResourceSchema {
    let about =
        "What an organization may use: everything that Latchkey has, and what its plan says; a limit of null is none";
    ResourceSchema::new(&ENTITLEMENT_SETS, about).attributes(ENTITLEMENT_SETS.fields, || or_null(truth()))
}
