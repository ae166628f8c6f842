//! What a team may be permitted in its organization.

use crate::database::text_enum::text_enum;

text_enum! {
    /// What a team may do in its organization: the members of `organization-access`.
    pub enum Permission {
        /// `manage-policies`.
        ManagePolicies = "manage-policies",
        /// `manage-workspaces`: admin in every workspace.
        ManageWorkspaces = "manage-workspaces",
        /// `manage-vcs-settings`.
        ManageVcsSettings = "manage-vcs-settings",
        /// `manage-policy-overrides`.
        ManagePolicyOverrides = "manage-policy-overrides",
        /// `delegate-policy-overrides`.
        DelegatePolicyOverrides = "delegate-policy-overrides",
        /// `manage-modules`.
        ManageModules = "manage-modules",
        /// `manage-providers`.
        ManageProviders = "manage-providers",
        /// `manage-run-tasks`.
        ManageRunTasks = "manage-run-tasks",
        /// `manage-projects`.
        ManageProjects = "manage-projects",
        /// `manage-membership`: invite, remove, put into teams.
        ManageMembership = "manage-membership",
        /// `manage-teams`: all but the team `owners`.
        ManageTeams = "manage-teams",
        /// `manage-organization-access`: give these permissions to teams.
        ManageOrganizationAccess = "manage-organization-access",
        /// `access-secret-teams`: see them.
        AccessSecretTeams = "access-secret-teams",
        /// `read-projects`.
        ReadProjects = "read-projects",
        /// `read-workspaces`: viewer in every workspace.
        ReadWorkspaces = "read-workspaces",
        /// `manage-agent-pools`.
        ManageAgentPools = "manage-agent-pools",
        /// `manage-public-providers`.
        ManagePublicProviders = "manage-public-providers",
        /// `manage-public-modules`.
        ManagePublicModules = "manage-public-modules",
        /// `manage-registry-components`.
        ManageRegistryComponents = "manage-registry-components",
        /// `manage-registry-artifact-tags`.
        ManageRegistryArtifactTags = "manage-registry-artifact-tags",
        /// `manage-registry-artifact-version-tags`.
        ManageRegistryArtifactVersionTags = "manage-registry-artifact-version-tags",
    }
}
