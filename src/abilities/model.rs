//! What a client may write of the registry, and what it lets tokens hold.

use std::collections::BTreeSet;

use diesel::PgConnection;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::endpoints::{ENDPOINTS_MAX, EndpointPattern, Endpoints};
use super::store;
use crate::access::Caller;
use crate::credential::Ability;
use crate::database::schema::abilities;
use crate::ids::OrganizationId;
use crate::jsonapi::{Error, Result};

/// The most abilities that an organization can register.
pub const REGISTERED_MAX: usize = 1000;

/// The most characters that a description may have.
pub const DESCRIPTION_MAX: usize = 255;

/// An ability that an organization knows.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema, Queryable, Selectable, Insertable,
)]
#[diesel(table_name = abilities, check_for_backend(diesel::pg::Pg))]
#[serde(rename_all = "kebab-case")]
pub struct Registered {
    /// `name`: the ability.
    pub name: Ability,
    /// `description`: what it lets one do, in at most 255 characters.
    #[schema(max_length = 255)]
    pub description: Option<String>,
    /// `endpoints`: the requests that need it, at most 20. Where several patterns fit, a literal part goes before one in
    /// braces, and that before `*`; of the abilities of the pattern that is left, any one suffices.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub endpoints: Endpoints,
}

/// What a client may write.
#[derive(Debug, Clone, Default, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct RegistryAttributes {
    /// `abilities`: at most 1000, each once; they take the place of all before. None is every ability allowed.
    #[schema(max_items = 1000)]
    pub abilities: Option<Vec<Registered>>,
}

/// The same abilities in their order, if they can be registered together.
pub(crate) fn checked(mut registry: Vec<Registered>) -> Result<Vec<Registered>> {
    const LIST: &str = "/data/attributes/abilities";
    if registry.len() > REGISTERED_MAX {
        return Err(Error::attribute(LIST, format!("Abilities must be at most {REGISTERED_MAX}")));
    }
    let (mut seen, mut faults) = (BTreeSet::new(), vec![]);
    for (nth, Registered { name, description, endpoints }) in registry.iter().enumerate() {
        let mut fault = |member: &str, detail| faults.push(Error::attribute(format!("{LIST}/{nth}/{member}"), detail));
        if !seen.insert(name) {
            fault("name", format!("The ability {name} can be registered only once"));
        }
        if name.is_latchkeys_own() {
            fault(
                "name",
                format!("The ability {name} is Latchkey's own: what begins with tokens: is always registered"),
            );
        }
        if endpoints.0.len() > ENDPOINTS_MAX {
            fault("endpoints", format!("Endpoints must be at most {ENDPOINTS_MAX}"));
        }
        for (each, EndpointPattern { methods, .. }) in endpoints.0.iter().enumerate() {
            let twice = methods.iter().enumerate().any(|(nth, method)| methods[..nth].contains(method));
            if methods.is_empty() || twice {
                let detail = "Methods must name at least one method, each once".to_owned();
                fault(&format!("endpoints/{each}/methods"), detail);
            }
        }
        if description.as_ref().is_some_and(|description| description.chars().count() > DESCRIPTION_MAX) {
            fault("description", format!("Description must be at most {DESCRIPTION_MAX} characters long"));
        }
    }
    Error::check(faults)?;
    registry.sort();
    Ok(registry)
}

/// Checks that a team or a workspace that may reach `before` may reach `after` from now on: what is new must be registered,
/// and the caller must be allowed to give it.
///
/// # Errors
/// 422 and 403, with a pointer.
pub fn check_reach(
    connection: &mut PgConnection,
    caller: &Caller,
    organization: OrganizationId,
    before: &[Ability],
    after: &[Ability],
) -> Result<()> {
    let added = || after.iter().filter(|ability| !before.iter().any(|had| had.covers(ability)));
    let added: Vec<Ability> = added().cloned().collect();
    caller.check_gives(&added, &caller.reach(), caller.rights.owner)?;
    check(connection, Some(organization), &added)
}

/// Checks that an organization knows abilities that one of its tokens, teams or workspaces is to get. A person's token belongs
/// to none. No lock is taken: what is given while the organization registers counts as given before, and reaches nothing
/// that is not registered.
///
/// # Errors
/// 422 for an ability that none of those registered covers.
pub fn check(connection: &mut PgConnection, organization: Option<OrganizationId>, given: &[Ability]) -> Result<()> {
    let Some(organization) = organization.filter(|_| !given.is_empty()) else { return Ok(()) };
    let known = store::covering(connection, organization, given)?;
    let registered = |ability: &Ability| known.iter().any(|known| known.covers(ability));
    let unknown = given.iter().find(|ability| !ability.is_latchkeys_own() && !registered(ability));
    match unknown {
        Some(ability) if store::any(connection, organization)? => {
            let detail =
                format!("Abilities must be among those that the organization has registered; {ability} is not");
            Err(Error::attribute("/data/attributes/abilities", detail))
        }
        _ => Ok(()),
    }
}
