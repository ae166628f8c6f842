//! Making, changing and deleting organizations. One that is there must be locked.

use diesel::PgConnection;

use super::{Organization, OrganizationAttributes, store};
use crate::access::Caller;
use crate::audit::{self, Event};
use crate::ids::OrganizationId;
use crate::jsonapi::{Error, Result};
use crate::{memberships, teams};

/// Makes an organization and its team `owners`, with the user who calls as the first owner.
///
/// # Errors
/// 404 if no user calls, 422 for a name that is taken.
pub(crate) fn create(
    connection: &mut PgConnection,
    caller: &Caller,
    attributes: OrganizationAttributes,
) -> Result<Organization> {
    let owner = caller.user().ok_or_else(Error::not_found)?;
    let new = Organization::new(String::new(), String::new()).changed(attributes);
    let organization = store::create(connection, &new)?;
    let owners = teams::create_owners(connection, organization.id)?;
    memberships::add(connection, organization.id, &[owner], memberships::Status::Active)?;
    teams::add_users(connection, &owners, &[owner])?;
    let events = [
        Event::new(Some(organization.id), "organization", organization.id, "create"),
        Event::new(Some(organization.id), "team", owners.id, "create"),
        Event::new(Some(organization.id), "organization_user", owner, "create"),
        Event::new(Some(organization.id), "team_member", owner, "create"),
    ];
    audit::record(connection, &caller.actor(), &events)?;
    Ok(organization)
}

/// Changes an organization.
///
/// # Errors
/// 422 for a name that is taken.
pub(crate) fn update(
    connection: &mut PgConnection,
    caller: &Caller,
    organization: Organization,
    changes: OrganizationAttributes,
) -> Result<Organization> {
    let changed = store::update(connection, &organization.changed(changes))?;
    let event = Event::new(Some(changed.id), "organization", changed.id, "update");
    audit::record(connection, &caller.actor(), &[event])?;
    Ok(changed)
}

/// Deletes an organization with everything in it.
///
/// # Errors
/// The database's own.
pub(crate) fn delete(connection: &mut PgConnection, caller: &Caller, id: OrganizationId) -> Result<()> {
    store::delete(connection, id)?;
    Ok(audit::record(connection, &caller.actor(), &[Event::new(Some(id), "organization", id, "destroy")])?)
}
