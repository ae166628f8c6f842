//! Reserving tag keys. The organization must be locked.

use diesel::PgConnection;
use serde_json::json;

use super::model::KEYS_MAX;
use super::{ReservedTagKey, ReservedTagKeyAttributes, store};
use crate::access::Caller;
use crate::audit::{self, Event};
use crate::ids::OrganizationId;
use crate::jsonapi::{Error, Result};

/// Reserves a key.
///
/// # Errors
/// 422 for a key that is reserved already, and for too many.
pub(super) fn create(
    connection: &mut PgConnection,
    caller: &Caller,
    organization: OrganizationId,
    attributes: ReservedTagKeyAttributes,
) -> Result<ReservedTagKey> {
    if store::count(connection, organization)? >= KEYS_MAX {
        let detail = format!("An organization can reserve at most {KEYS_MAX} tag keys");
        return Err(Error::attribute("/data/attributes/key", detail));
    }
    let key = attributes.key.unwrap_or_default();
    let made = store::create(connection, organization, &key, attributes.disable_overrides.unwrap_or_default())?;
    record(connection, caller, &made, "create")?;
    Ok(made)
}

/// Changes a reserved key.
///
/// # Errors
/// 422 for a key that is reserved already.
pub(super) fn update(
    connection: &mut PgConnection,
    caller: &Caller,
    before: ReservedTagKey,
    changes: ReservedTagKeyAttributes,
) -> Result<ReservedTagKey> {
    let changed = ReservedTagKey {
        key: changes.key.unwrap_or(before.key),
        disable_overrides: changes.disable_overrides.unwrap_or(before.disable_overrides),
        ..before
    };
    let changed = store::update(connection, &changed)?;
    record(connection, caller, &changed, "update")?;
    Ok(changed)
}

/// Gives a key free.
///
/// # Errors
/// The database's own.
pub(super) fn delete(connection: &mut PgConnection, caller: &Caller, key: &ReservedTagKey) -> Result<()> {
    store::delete(connection, key.id)?;
    record(connection, caller, key, "destroy")
}

fn record(connection: &mut PgConnection, caller: &Caller, key: &ReservedTagKey, action: &'static str) -> Result<()> {
    let about = json!({"key": key.key, "disable-overrides": key.disable_overrides});
    let event = Event::new(Some(key.organization_id), "reserved_tag_key", key.id, action).meta(about);
    Ok(audit::record(connection, &caller.actor(), &[event])?)
}
