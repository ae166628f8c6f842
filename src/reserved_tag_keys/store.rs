//! The queries of reserved tag keys.

use std::collections::BTreeSet;

use diesel::prelude::*;

use super::ReservedTagKey;
use crate::database::page::{Listed, SortColumn, page};
use crate::database::schema::reserved_tag_keys as keys;
use crate::database::violated_key;
use crate::ids::{OrganizationId, ReservedTagKeyId};
use crate::jsonapi::{Error, Page, Query, Result};

impl Listed for ReservedTagKey {
    const COLUMNS: &'static [SortColumn<Self>] = &[SortColumn::time("created-at", "created_at", |row| row.created_at)];

    fn id(&self) -> uuid::Uuid {
        self.id.uuid()
    }
}

pub(super) fn list(
    connection: &mut PgConnection,
    organization: OrganizationId,
    query: &Query,
) -> Result<Page<ReservedTagKey>> {
    let found = keys::table.filter(keys::organization_id.eq(organization)).select(ReservedTagKey::as_select());
    page(connection, found, query)
}

/// The keys of which an organization's workspaces have the value of their project.
pub(crate) fn fixed(connection: &mut PgConnection, organization: OrganizationId) -> QueryResult<BTreeSet<String>> {
    let fixed = keys::table.filter(keys::organization_id.eq(organization)).filter(keys::disable_overrides);
    Ok(fixed.select(keys::key).load(connection)?.into_iter().collect())
}

/// How many keys an organization has reserved.
pub(super) fn count(connection: &mut PgConnection, organization: OrganizationId) -> QueryResult<i64> {
    keys::table.filter(keys::organization_id.eq(organization)).count().get_result(connection)
}

/// A key by its id, in this organization.
pub(super) fn find(
    connection: &mut PgConnection,
    organization: OrganizationId,
    id: ReservedTagKeyId,
) -> QueryResult<ReservedTagKey> {
    let found = keys::table.find(id).filter(keys::organization_id.eq(organization));
    found.select(ReservedTagKey::as_select()).first(connection)
}

pub(super) fn create(
    connection: &mut PgConnection,
    organization: OrganizationId,
    key: &str,
    disable_overrides: bool,
) -> Result<ReservedTagKey> {
    diesel::insert_into(keys::table)
        .values((
            keys::id.eq(ReservedTagKeyId::generate()),
            keys::organization_id.eq(organization),
            keys::key.eq(key),
            keys::disable_overrides.eq(disable_overrides),
        ))
        .returning(ReservedTagKey::as_returning())
        .get_result(connection)
        .map_err(taken)
}

pub(super) fn update(connection: &mut PgConnection, changed: &ReservedTagKey) -> Result<ReservedTagKey> {
    diesel::update(keys::table.find(changed.id))
        .set((
            keys::key.eq(&changed.key),
            keys::disable_overrides.eq(changed.disable_overrides),
            keys::updated_at.eq(diesel::dsl::now),
        ))
        .returning(ReservedTagKey::as_returning())
        .get_result(connection)
        .map_err(taken)
}

pub(super) fn delete(connection: &mut PgConnection, id: ReservedTagKeyId) -> QueryResult<usize> {
    diesel::delete(keys::table.find(id)).execute(connection)
}

fn taken(fault: diesel::result::Error) -> Error {
    match violated_key(&fault) {
        Some("reserved_tag_keys_key") => Error::attribute("/data/attributes/key", "Key has already been taken"),
        _ => fault.into(),
    }
}
