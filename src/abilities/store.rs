//! The queries of registered abilities.

use diesel::prelude::*;

use super::Registered;
use crate::credential::Ability;
use crate::database::schema::abilities;
use crate::ids::OrganizationId;

/// What an organization has registered, in its order.
pub(super) fn list(connection: &mut PgConnection, organization: OrganizationId) -> QueryResult<Vec<Registered>> {
    let mut registry = abilities::table
        .filter(abilities::organization_id.eq(organization))
        .select(Registered::as_select())
        .load(connection)?;
    // Not by the database, whose order of texts depends on its locale.
    registry.sort();
    Ok(registry)
}

/// Those registered that cover any of these abilities, which may be few of many.
pub(super) fn covering(
    connection: &mut PgConnection,
    organization: OrganizationId,
    asked: &[Ability],
) -> QueryResult<Vec<Ability>> {
    let covering: Vec<String> = asked.iter().flat_map(Ability::covering).collect();
    abilities::table
        .filter(abilities::organization_id.eq(organization))
        .filter(abilities::name.eq_any(covering))
        .select(abilities::name)
        .load(connection)
}

/// Whether an organization has registered any.
pub(super) fn any(connection: &mut PgConnection, organization: OrganizationId) -> QueryResult<bool> {
    let registered = abilities::table.filter(abilities::organization_id.eq(organization));
    diesel::select(diesel::dsl::exists(registered)).get_result(connection)
}

/// Registers these abilities and no others. The organization must be locked.
pub(super) fn replace(
    connection: &mut PgConnection,
    organization: OrganizationId,
    registry: &[Registered],
) -> QueryResult<()> {
    diesel::delete(abilities::table.filter(abilities::organization_id.eq(organization))).execute(connection)?;
    let rows: Vec<_> =
        registry.iter().map(|registered| (abilities::organization_id.eq(organization), registered)).collect();
    diesel::insert_into(abilities::table).values(rows).execute(connection)?;
    Ok(())
}
