//! How registered abilities look on the wire.

use super::Registered;
use crate::jsonapi::{Resource, ResourceType};

pub(crate) const ABILITIES: ResourceType =
    ResourceType { name: "abilities", fields: &["name", "description", "endpoints"] };

/// A registered ability, whose id is the ability: there is one of each in an organization.
pub(super) fn registered(registered: &Registered) -> Resource {
    Resource::new(&ABILITIES, &registered.name)
        .attribute("name", &registered.name)
        .attribute("description", &registered.description)
        .attribute("endpoints", &registered.endpoints)
}
