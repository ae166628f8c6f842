//! How plans look on the wire.

use crate::jsonapi::schema::{ResourceSchema, one_of, text, truth};
use crate::jsonapi::{Identifier, Resource, ResourceType};
use crate::organizations::{self, Organization, Plan};

pub(super) const FEATURE_SETS: ResourceType =
    ResourceType { name: "feature-sets", fields: &["name", "identifier", "is-current"] };

pub(super) const SUBSCRIPTIONS: ResourceType =
    ResourceType { name: "subscriptions", fields: &["identifier", "is-active", "organization", "feature-set"] };

/// What shipped clients call a plan.
pub(super) const fn name(plan: Plan) -> &'static str {
    match plan {
        Plan::Enterprise => "Enterprise",
        Plan::Free => "Free",
        Plan::Standard => "Standard (entitlement)",
        Plan::Premium => "Premium (entitlement)",
        Plan::Business => "Business",
    }
}

pub(super) fn feature_set(plan: Plan) -> Resource {
    Resource::new(&FEATURE_SETS, plan)
        .attribute("name", name(plan))
        .attribute("identifier", plan)
        .attribute("is-current", true)
}

/// The plan that an organization has.
pub(super) fn subscription(organization: &Organization) -> Resource {
    Resource::new(&SUBSCRIPTIONS, organization.id)
        .attribute("identifier", organization.plan)
        .attribute("is-active", true)
        .to_one("organization", Some(organizations::identifier(&organization.name)))
        .to_one("feature-set", Some(Identifier::new(FEATURE_SETS.name, organization.plan)))
}

pub(super) fn schemas() -> Vec<ResourceSchema> {
    let words = Plan::ALL.map(Plan::as_str);
    vec![
        ResourceSchema::new(&FEATURE_SETS, "A plan that an organization can have")
            .attribute("name", text())
            .attribute("identifier", one_of(&words))
            .attribute("is-current", truth()),
        ResourceSchema::new(&SUBSCRIPTIONS, "The plan of an organization")
            .attribute("identifier", one_of(&words))
            .attribute("is-active", truth())
            .one("organization", &["organizations"])
            .one("feature-set", &[FEATURE_SETS.name]),
    ]
}
