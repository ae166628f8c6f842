//! How TTL policies look on the wire.

use super::{Policy, TokenType};
use crate::ids::OrganizationId;
use crate::jsonapi::{Resource, ResourceType, time};

pub(crate) const POLICIES: ResourceType = ResourceType {
    name: "organization-token-ttl-policies",
    fields: &["token-type", "max-ttl-ms", "created-at", "updated-at"],
};

/// The id of a policy, which is made of the organization's and the kind: there is one of each.
pub(super) fn id(organization: OrganizationId, token_type: TokenType) -> String {
    format!("{organization}-{token_type}")
}

pub(super) fn policy(organization: OrganizationId, policy: &Policy) -> Resource {
    Resource::new(&POLICIES, id(organization, policy.token_type))
        .attribute("token-type", policy.token_type)
        .attribute("max-ttl-ms", policy.max_ttl_ms)
        .attribute("created-at", policy.set.map(|(created_at, _)| time(created_at)))
        .attribute("updated-at", policy.set.map(|(_, updated_at)| time(updated_at)))
}
