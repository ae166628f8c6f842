//! `organizations/:name/abilities`.

use super::view::{self, ABILITIES};
use super::{Registered, RegistryAttributes, register, store};
use crate::access::{Action, Target};
use crate::http::{OneResource, Read, Reply, Route, Section, Write};
use crate::jsonapi::schema::ResourceSchema;
use crate::jsonapi::{QuerySpec, Resource, Result};
use crate::organizations;

const SHOW: QuerySpec = QuerySpec::show(&[&ABILITIES]);
const REGISTRY: OneResource<RegistryAttributes> =
    OneResource::changes(&[ABILITIES.name], "organization").requires(&["abilities"]).long();

/// The endpoints of abilities.
pub(crate) fn section() -> Section {
    let path = "/organizations/{organization}/abilities";
    Section {
        tag: "abilities",
        about: "What tokens of an organization may do at other services",
        endpoints: vec![
            Route::get(path, "listAbilities", "The abilities that the organization has registered")
                .query(&SHOW)
                .lists(&ABILITIES)
                .allows(&[Action::SeeAbilities])
                .read(list),
            Route::patch(path, "registerAbilities", "Register abilities, in the place of all before")
                .details(
                    "Once an organization has registered any, tokens that belong to it get no others: `storage:*` \
                     stands for every verb of `storage`. Of what a token lists beside these it reaches nothing. An empty \
                     list lets tokens get any again. `endpoints` are the requests that need an ability.",
                )
                .query(&SHOW)
                .body(REGISTRY)
                .prepare(|_, body| super::checked(body.attributes.abilities.unwrap_or_default()))
                .lists(&ABILITIES)
                .allows(&[Action::SetAbilities])
                .write(update),
        ],
        kinds: vec![
            ResourceSchema::new(&ABILITIES, "An ability that an organization knows")
                .written::<Registered>(&["name", "endpoints"])
                .written_or_null::<Registered>(&["description"]),
        ],
    }
}

/// All that are registered; one list, whose length is bounded.
fn list(call: Read<'_>) -> Result<Reply> {
    let call = call.may(Target::Organization)?;
    let registry = store::list(call.connection, call.caller.organization()?)?;
    Ok(call.list(resources(&registry)))
}

/// Registers the abilities in the body in the place of all before.
fn update(call: Write<'_, Vec<Registered>>) -> Result<Reply> {
    let (call, organization) = call.lock(organizations::lock_own)?;
    let call = call.may(Target::Organization)?;
    register(call.connection, &call.caller.actor(), organization, &call.input)?;
    let registered = resources(&call.input);
    Ok(call.list(registered))
}

fn resources(registry: &[Registered]) -> Vec<Resource> {
    registry.iter().map(view::registered).collect()
}
