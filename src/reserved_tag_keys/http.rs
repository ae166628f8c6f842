//! `organizations/:name/reserved-tag-keys` and `reserved-tag-keys/:id`.

use super::view::{self, RESERVED_TAG_KEYS};
use super::{ReservedTagKey, ReservedTagKeyAttributes, store, write};
use crate::access::{Action, Target};
use crate::database::page::sort_keys;
use crate::http::{Allowed, OneResource, Read, Reply, Route, Section, Write};
use crate::jsonapi::{Pages, QuerySpec, ResourceBody, Result};
use crate::organizations;

const SHOW: QuerySpec = QuerySpec::show(&[&RESERVED_TAG_KEYS]);
const LIST: QuerySpec =
    QuerySpec { pages: Pages::Both, sort: sort_keys!(ReservedTagKey), default_sort: "created-at", ..SHOW };

const NEW: OneResource<ReservedTagKeyAttributes> = OneResource::new(&[RESERVED_TAG_KEYS.name]).requires(&["key"]);
const CHANGES: OneResource<ReservedTagKeyAttributes> = OneResource::changes(&[RESERVED_TAG_KEYS.name], "reserved_key");

/// The endpoints of reserved tag keys.
pub(crate) fn section() -> Section {
    let (many, one) = ("/organizations/{organization}/reserved-tag-keys", "/reserved-tag-keys/{reserved_key}");
    Section {
        tag: "reserved tag keys",
        about: "Keys of tag bindings that an organization gives a meaning to",
        endpoints: vec![
            Route::get(many, "listReservedTagKeys", "List the tag keys that the organization has reserved")
                .query(&LIST)
                .lists(&RESERVED_TAG_KEYS)
                .allows(&[Action::SeeReservedTagKeys])
                .read(list),
            Route::post(many, "createReservedTagKey", "Reserve a tag key")
                .query(&SHOW)
                .body(NEW)
                .creates(&RESERVED_TAG_KEYS)
                .allows(&[Action::SetReservedTagKeys])
                .write(create),
            Route::patch(one, "updateReservedTagKey", "Change a reserved tag key")
                .query(&SHOW)
                .body(CHANGES)
                .shows(&RESERVED_TAG_KEYS)
                .allows(&[Action::SetReservedTagKeys])
                .write(update),
            Route::delete(one, "deleteReservedTagKey", "Give a reserved tag key free")
                .query(&QuerySpec::NONE)
                .allows(&[Action::SetReservedTagKeys])
                .write(destroy),
        ],
        kinds: vec![view::schema()],
    }
}

fn list(call: Read<'_>) -> Result<Reply> {
    let call = call.may(Target::Organization)?;
    let found = store::list(call.connection, call.caller.organization()?, &call.query)?;
    let resources = found.rows.iter().map(view::reserved).collect();
    Ok(call.page(resources, found.info))
}

fn create(call: Write<'_, ResourceBody<ReservedTagKeyAttributes>>) -> Result<Reply> {
    let (call, organization) =
        call.lock(|connection, caller| Ok(organizations::lock(connection, caller.organization()?)?))?;
    let (call, body) = call.may(Target::Organization)?.take_input();
    let key = write::create(call.connection, &call.caller, organization.id, body.attributes)?;
    Ok(call.one(view::reserved(&key)))
}

fn update(call: Write<'_, ResourceBody<ReservedTagKeyAttributes>>) -> Result<Reply> {
    let (call, key) = locked(call)?;
    let (call, body) = call.take_input();
    let key = write::update(call.connection, &call.caller, key, body.attributes)?;
    Ok(call.one(view::reserved(&key)))
}

fn destroy(call: Write<'_>) -> Result<Reply> {
    let (call, key) = locked(call)?;
    write::delete(call.connection, &call.caller, &key)?;
    Ok(call.done())
}

/// The key that the path names, with its organization locked, if the caller may change it.
fn locked<'c, I>(call: Write<'c, I>) -> Result<(Allowed<'c, I>, ReservedTagKey)> {
    let id = call.path("reserved_key")?;
    let (call, key) = call.lock(|connection, caller| {
        let organization = organizations::lock(connection, caller.organization()?)?;
        Ok(store::find(connection, organization.id, id)?)
    })?;
    Ok((call.may(Target::Organization)?, key))
}
