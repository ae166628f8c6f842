//! What a team may be permitted in its organization.

use crate::database::text_enum::text_enum;

text_enum! {
    /// What a team may do in its organization: the members of `organization-access`.
    pub enum Permission {
        ManagePolicies = "manage-policies",
        /// `manage-workspaces`: admin in every workspace.
        ManageWorkspaces = "manage-workspaces",
        ManageVcsSettings = "manage-vcs-settings",
        ManagePolicyOverrides = "manage-policy-overrides",
        DelegatePolicyOverrides = "delegate-policy-overrides",
        ManageModules = "manage-modules",
        ManageProviders = "manage-providers",
        ManageRunTasks = "manage-run-tasks",
        /// `manage-projects`: admin in every project, and so in every workspace.
        ManageProjects = "manage-projects",
        /// `manage-membership`: invite, remove, put into teams.
        ManageMembership = "manage-membership",
        /// `manage-teams`: all but the team `owners`.
        ManageTeams = "manage-teams",
        /// `manage-organization-access`: give these permissions to teams.
        ManageOrganizationAccess = "manage-organization-access",
        AccessSecretTeams = "access-secret-teams",
        /// `read-projects`: viewer in every project, and so in every workspace.
        ReadProjects = "read-projects",
        /// `read-workspaces`: viewer in every workspace.
        ReadWorkspaces = "read-workspaces",
        ManageAgentPools = "manage-agent-pools",
        ManagePublicProviders = "manage-public-providers",
        ManagePublicModules = "manage-public-modules",
        ManageRegistryComponents = "manage-registry-components",
        ManageRegistryArtifactTags = "manage-registry-artifact-tags",
        ManageRegistryArtifactVersionTags = "manage-registry-artifact-version-tags",
    }
}
