//! How reserved tag keys look on the wire.

use super::{ReservedTagKey, ReservedTagKeyAttributes};
use crate::jsonapi::schema::{self, ResourceSchema};
use crate::jsonapi::{Resource, ResourceType, time};

pub(super) const RESERVED_TAG_KEYS: ResourceType =
    ResourceType { name: "reserved-tag-keys", fields: &["key", "disable-overrides", "created-at", "updated-at"] };

pub(super) fn reserved(key: &ReservedTagKey) -> Resource {
    Resource::new(&RESERVED_TAG_KEYS, key.id)
        .attribute("key", &key.key)
        .attribute("disable-overrides", key.disable_overrides)
        .attribute("created-at", time(key.created_at))
        .attribute("updated-at", time(key.updated_at))
}

pub(super) fn schema() -> ResourceSchema {
    ResourceSchema::new(&RESERVED_TAG_KEYS, "A key of tag bindings that an organization gives a meaning to")
        .written::<ReservedTagKeyAttributes>(&["key", "disable-overrides"])
        .attributes(&["created-at", "updated-at"], schema::time)
}
