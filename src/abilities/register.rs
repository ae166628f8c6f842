//! Registering abilities.

use std::collections::BTreeSet;

use diesel::PgConnection;
use serde_json::{Value, json};

use super::{Registered, store};
use crate::audit::{self, Actor, Event};
use crate::credential::Ability;
use crate::ids::OrganizationId;
use crate::jsonapi::Result;

/// Registers abilities in the place of all before; the organization must be locked.
///
/// # Errors
/// The database's own.
pub(crate) fn register(
    connection: &mut PgConnection,
    actor: &Actor,
    organization: OrganizationId,
    registry: &[Registered],
) -> Result<()> {
    let before = store::list(connection, organization)?;
    if registry == before {
        return Ok(());
    }
    store::replace(connection, organization, registry)?;
    let event = |about| Event::new(Some(organization), "organization_abilities", organization, "update").meta(about);
    let events: Vec<Event> = differences(&before, registry).into_iter().map(event).collect();
    Ok(audit::record(connection, actor, &events)?)
}

/// The most abilities that one event names: a registry can be long, and a page of the trail holds many events.
const IN_ONE_EVENT: usize = 100;

/// What the audit trail tells, an event for each hundred abilities that are not as they were.
fn differences(before: &[Registered], after: &[Registered]) -> Vec<Value> {
    let names = |registry: &[Registered]| registry.iter().map(|one| one.name.clone()).collect::<BTreeSet<Ability>>();
    let (were, are) = (names(before), names(after));
    let (before, after): (BTreeSet<&Registered>, BTreeSet<&Registered>) =
        (before.iter().collect(), after.iter().collect());
    let described = after.difference(&before).filter(|one| were.contains(&one.name)).map(|one| &one.name);
    let added = are.difference(&were).map(|name| ("added", name));
    let removed = were.difference(&are).map(|name| ("removed", name));
    let named: Vec<(&str, &Ability)> =
        added.chain(removed).chain(described.map(|name| ("described-anew", name))).collect();
    let told = |some: &[(&str, &Ability)]| {
        let of = |how: &str| some.iter().filter(|(one, _)| *one == how).map(|(_, name)| *name).collect::<Vec<_>>();
        json!({"added": of("added"), "removed": of("removed"), "described-anew": of("described-anew")})
    };
    named.chunks(IN_ONE_EVENT).map(told).collect()
}
