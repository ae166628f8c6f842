//! The abilities that an organization knows.

use super::Room;
use super::route::Route;
use super::sends::Sends;
use crate::abilities::{ABILITIES, Registered, RegistryAttributes, http};
use crate::jsonapi::schema::ResourceSchema;

pub(super) fn room() -> Room {
    let path = "/organizations/{organization}/abilities";
    let writes = Sends::attributes::<RegistryAttributes>(&[ABILITIES.name]).requires(&["abilities"]);
    let routes = vec![
        Route::get(path, "listAbilities", "The abilities that the organization has registered")
            .query(&http::SHOW)
            .gives_list(&ABILITIES),
        Route::patch(path, "registerAbilities", "Register abilities, in the place of all before")
            .details(
                "Once an organization has registered any, its tokens and those of its teams and workspaces get no \
                 others: `storage:*` stands for every verb of `storage`. What a token holds it keeps, and its successor \
                 inherits. An empty list lets tokens get any again.",
            )
            .query(&http::SHOW)
            .sends(writes)
            .gives_list(&ABILITIES),
    ];
    let kind = ResourceSchema::new(&ABILITIES, "An ability that an organization knows")
        .written::<Registered>(&["name"])
        .written_or_null::<Registered>(&["description"]);
    Room {
        tag: "abilities",
        about: "What tokens of an organization may do at other services",
        routes,
        kinds: vec![kind],
    }
}
