//! How organizations look on the wire.

use diesel::PgConnection;
use serde_json::{Value, json};

use super::{Organization, Plan};
use crate::access::{Action, Caller, Target};
use crate::ids::ProjectId;
use crate::jsonapi::{Identifier, Resource, ResourceType, Result, time};

pub(crate) const ORGANIZATIONS: ResourceType = ResourceType {
    name: "organizations",
    fields: &[
        "external-id",
        "name",
        "created-at",
        "email",
        "max-ttl-enabled",
        "allowed-token-roles",
        "default-token-format",
        "default-token-ttl",
        "user-tokens-enabled",
        "session-timeout",
        "session-remember",
        "collaborator-auth-policy",
        "plan-expired",
        "plan-expires-at",
        "plan-is-trial",
        "plan-is-enterprise",
        "plan-identifier",
        "cost-estimation-enabled",
        "send-passing-statuses-for-untriggered-speculative-plans",
        "aggregated-commit-status-enabled",
        "speculative-plan-management-enabled",
        "allow-force-delete-workspaces",
        "is-unified",
        "permissions",
        "fair-run-queuing-enabled",
        "saml-enabled",
        "owners-team-saml-role-id",
        "two-factor-conformant",
        "assessments-enforced",
        "is-in-degraded-mode",
        "global-module-sharing",
        "global-provider-sharing",
        "stacks-enabled",
        "recoverable-items-enabled",
        "over-stacks-resource-limit",
        "hcp-id",
        "parent-data-retention-policy-info",
        "module-consuming-organizations-count",
        "provider-consuming-organizations-count",
        "remaining-testable-count",
        "test-generation-enabled",
        "default-execution-mode",
        "stacks-default-execution-mode",
        "authentication-token",
        "audit-trails-authentication-token",
        "entitlement-set",
        "default-project",
        "default-agent-pool",
    ],
};

pub(crate) const ENTITLEMENT_SETS: ResourceType = ResourceType {
    name: "entitlement-sets",
    fields: &[
        "agents",
        "audit-logging",
        "cost-estimation",
        "global-run-tasks",
        "module-tests-generation",
        "operations",
        "policy-enforcement",
        "policy-limit",
        "policy-mandatory-enforcement-limit",
        "policy-set-limit",
        "private-module-registry",
        "private-run-tasks",
        "private-vcs",
        "run-task-limit",
        "run-task-mandatory-enforcement-limit",
        "run-task-workspace-limit",
        "run-tasks",
        "self-serve-billing",
        "sentinel",
        "sso",
        "state-storage",
        "teams",
        "usage-reporting",
        "user-limit",
        "vcs-integrations",
        "versioned-policy-set-limit",
        "infragraph",
        "infragraph-with-nrtu",
        "waypoint-actions",
        "waypoint-templates-and-addons",
    ],
};

/// What `projects` makes of the default project of an organization, to be included with it.
pub(crate) const PROJECTS: ResourceType = ResourceType {
    name: "projects",
    fields: &[
        "name",
        "description",
        "auto-destroy-activity-duration",
        "default-execution-mode",
        "setting-overwrites",
        "is-unified",
        "permissions",
        "organization",
        "default-agent-pool",
        "tag-bindings",
        "effective-tag-bindings",
    ],
};

/// A reference to an organization.
pub(crate) fn identifier(name: &str) -> Identifier {
    Identifier::new(ORGANIZATIONS.name, name)
}

/// Organizations as the caller sees each of them.
///
/// # Errors
/// The database's own.
pub(crate) fn organizations(
    connection: &mut PgConnection,
    caller: &Caller,
    rows: &[Organization],
) -> Result<Vec<Resource>> {
    let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
    let callers = caller.in_each(connection, &ids)?;
    Ok(rows.iter().zip(&callers).map(|(row, caller)| organization(row, caller)).collect())
}

/// An organization as the caller sees it, who must be in its place.
pub(crate) fn organization(organization: &Organization, caller: &Caller) -> Resource {
    let path = format!("/api/v2/organizations/{}", organization.name);
    Resource::new(&ORGANIZATIONS, &organization.name)
        .attributes(&organization.settings)
        .attribute("external-id", organization.id)
        .attribute("name", &organization.name)
        .attribute("email", &organization.email)
        .attribute("max-ttl-enabled", organization.max_ttl_enabled)
        .attribute("allowed-token-roles", &organization.allowed_token_roles)
        .attribute("default-token-format", organization.default_token_format)
        .attribute("default-token-ttl", organization.default_token_ttl)
        .attribute("user-tokens-enabled", organization.user_tokens_enabled)
        .attribute("created-at", time(organization.created_at))
        .attribute("plan-expired", false)
        .attribute("plan-expires-at", ())
        .attribute("plan-is-trial", false)
        .attribute("plan-is-enterprise", organization.plan == Plan::Enterprise)
        .attribute("plan-identifier", organization.plan)
        .attribute("is-unified", false)
        .attribute("fair-run-queuing-enabled", false)
        .attribute("saml-enabled", false)
        .attribute("two-factor-conformant", true)
        .attribute("is-in-degraded-mode", false)
        .attribute("over-stacks-resource-limit", false)
        .attribute("hcp-id", ())
        .attribute("parent-data-retention-policy-info", ())
        .attribute("module-consuming-organizations-count", 0)
        .attribute("provider-consuming-organizations-count", 0)
        .attribute("remaining-testable-count", 0)
        .attribute("test-generation-enabled", false)
        .attribute("permissions", permissions(organization.plan, caller))
        .relation_link("authentication-token", format!("{path}/authentication-token"))
        .relation_link("audit-trails-authentication-token", format!("{path}/authentication-token?token=audit-trails"))
        .to_one("entitlement-set", Some(Identifier::new(ENTITLEMENT_SETS.name, organization.id)))
        .relation_link("entitlement-set", format!("{path}/entitlement-set"))
        .to_one("default-project", Some(Identifier::new(PROJECTS.name, ProjectId::default_of(organization.id))))
        .to_one("default-agent-pool", None)
        .link_self(path)
}

/// What Latchkey has, whatever the plan.
const OFFERED: [&str; 3] = ["audit-logging", "teams", "usage-reporting"];

/// What an organization shows as well whose plan is one of the HCP API's: whoever sets such a plan says so.
const HOSTED: [&str; 5] = ["operations", "private-module-registry", "run-tasks", "state-storage", "vcs-integrations"];
const PAID: [&str; 6] = ["agents", "cost-estimation", "infragraph", "sentinel", "sso", "waypoint-templates-and-addons"];

fn shows(plan: Plan, entitlement: &str) -> bool {
    let hosted = plan != Plan::Enterprise && HOSTED.contains(&entitlement);
    let paid = !matches!(plan, Plan::Enterprise | Plan::Free) && PAID.contains(&entitlement);
    OFFERED.contains(&entitlement) || hosted || paid
}

/// What an organization may use, without limits: everything that Latchkey has, and what its plan says.
pub(super) fn entitlements(organization: &Organization) -> Resource {
    const UNLIMITED: [&str; 8] = [
        "policy-limit",
        "policy-mandatory-enforcement-limit",
        "policy-set-limit",
        "run-task-limit",
        "run-task-mandatory-enforcement-limit",
        "run-task-workspace-limit",
        "user-limit",
        "versioned-policy-set-limit",
    ];
    let path = format!("/api/v2/organizations/{}/entitlement-set", organization.name);
    let resource = Resource::new(&ENTITLEMENT_SETS, organization.id).link_self(path);
    ENTITLEMENT_SETS.fields.iter().fold(resource, |resource, field| {
        let value = if UNLIMITED.contains(field) { Value::Null } else { Value::Bool(shows(organization.plan, field)) };
        resource.attribute(field, value)
    })
}

/// Permissions over what a token service does not have.
const NOT_OFFERED: [&str; 28] = [
    "can-create-module",
    "can-create-provider",
    "can-manage-subscription",
    "can-manage-sso",
    "can-update-oauth",
    "can-update-sentinel",
    "can-update-ssh-keys",
    "can-update-agent-pools",
    "can-manage-varsets",
    "can-read-varsets",
    "can-manage-run-tasks",
    "can-read-run-tasks",
    "can-read-policies",
    "can-manage-public-providers",
    "can-manage-public-modules",
    "can-manage-custom-providers",
    "can-enable-stacks",
    "can-manage-org-public-providers",
    "can-manage-org-public-modules",
    "can-manage-assessments",
    "can-read-assessments",
    "can-view-explorer",
    "can-deploy-no-code-modules",
    "can-manage-no-code-modules",
    "can-manage-groups-in-hcp",
    "can-create-project-in-hcp",
    "can-update-hyok-configuration",
    "can-manage-recoverable-items",
];

fn permissions(plan: Plan, caller: &Caller) -> Value {
    let can = |action| caller.can(action, Target::Organization);
    let update = can(Action::UpdateOrganization);
    let mut permissions = json!({
        "can-update": update,
        "can-destroy": can(Action::DeleteOrganization),
        "can-update-authentication-token": can(Action::CreateOrganizationToken),
        "can-update-api-token": can(Action::CreateOrganizationToken),
        "can-view-authentication": can(Action::ReadOrganizationToken),
        "can-access-via-teams": true,
        "can-create-team": can(Action::CreateTeam),
        "can-create-project": can(Action::CreateProject),
        // In a project that no access was given to.
        "can-create-workspace": caller.can(Action::CreateWorkspace, Target::Project(caller.rights_in_project([]))),
        "can-manage-tags": can(Action::DeleteTags),
        "can-manage-users": can(Action::InviteMembers),
        "can-view-users": can(Action::SeeMembers),
        "can-traverse": true,
        "can-view-usage": update,
    });
    for name in NOT_OFFERED {
        permissions[name] = Value::Bool(false);
    }
    permissions["can-manage-run-tasks"] = Value::Bool(update && shows(plan, "run-tasks"));
    for name in ["can-deploy-no-code-modules", "can-manage-no-code-modules"] {
        permissions[name] = Value::Bool(update && plan == Plan::Business);
    }
    permissions
}
