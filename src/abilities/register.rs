//! Registering abilities.

use std::collections::BTreeSet;

use diesel::PgConnection;
use serde_json::{Value, json};

use super::{Registered, store};
use crate::access::Caller;
use crate::audit::{self, Event};
use crate::credential::Ability;
use crate::ids::OrganizationId;
use crate::jsonapi::Result;

/// Registers abilities in the place of all before; the organization must be locked.
///
/// # Errors
/// The database's own.
pub(crate) fn register(
    connection: &mut PgConnection,
    caller: &Caller,
    organization: OrganizationId,
    registry: &[Registered],
) -> Result<()> {
    let before = store::list(connection, organization)?;
    if registry == before {
        return Ok(());
    }
    store::replace(connection, organization, registry)?;
    let event = Event::new(Some(organization), "organization_abilities", organization, "update");
    Ok(audit::record(connection, &caller.actor(), &[event.meta(difference(&before, registry))])?)
}

/// What the audit trail tells: a registry can be long, a change of it rarely is.
fn difference(before: &[Registered], after: &[Registered]) -> Value {
    let names = |registry: &[Registered]| registry.iter().map(|one| one.name.clone()).collect::<BTreeSet<Ability>>();
    let (were, are) = (names(before), names(after));
    let (before, after): (BTreeSet<&Registered>, BTreeSet<&Registered>) =
        (before.iter().collect(), after.iter().collect());
    let described = after.difference(&before).filter(|one| were.contains(&one.name)).map(|one| &one.name);
    json!({
        "added": are.difference(&were).collect::<Vec<_>>(),
        "removed": were.difference(&are).collect::<Vec<_>>(),
        "described-anew": described.collect::<Vec<_>>(),
    })
}
