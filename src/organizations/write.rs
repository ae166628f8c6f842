//! Making, changing and deleting organizations. One that is there must be locked.

use std::fmt::Display;

use diesel::PgConnection;
use serde_json::json;

use super::{Organization, OrganizationAttributes, Plan, store};
use crate::access::{Caller, Permit};
use crate::audit::{self, Actor, Event};
use crate::deletions::{self, Deleted};
use crate::ids::UserId;
use crate::jsonapi::{Error, Result};

/// Makes an organization with its default project and its team `owners`, with the user who calls as the first owner.
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
    found(connection, &caller.actor(), &new, &[owner])
}

/// Makes an organization with its default project and its team `owners`, with these users in it.
///
/// # Errors
/// 422 for a name that is taken.
pub(crate) fn found(
    connection: &mut PgConnection,
    actor: &Actor,
    new: &Organization,
    owners: &[UserId],
) -> Result<Organization> {
    let organization = store::create(connection, new)?;
    let project = store::create_default_project(connection, organization.id)?;
    let team = store::create_owners(connection, organization.id, owners)?;
    let event = |resource, id: &dyn Display| Event::new(Some(organization.id), resource, id, "create");
    let mut events = vec![event("organization", &organization.id), event("project", &project), event("team", &team)];
    for owner in owners {
        events.push(event("organization_user", owner));
        events.push(event("team_member", owner));
    }
    audit::record(connection, actor, &events)?;
    Ok(organization)
}

/// Changes an organization. A new name comes first, for which it may have to wait, and then the caller is asked about
/// `again`, by that name: what else changes may shut the caller's own token out.
///
/// # Errors
/// 422 for a name that is taken.
pub(crate) fn update(
    connection: &mut PgConnection,
    caller: &Caller,
    organization: Organization,
    changes: OrganizationAttributes,
    again: impl FnOnce(&mut PgConnection, &str) -> Result<Permit>,
) -> Result<Organization> {
    let changed = organization.clone().changed(changes);
    if changed.name != organization.name {
        store::update(connection, &Organization { name: changed.name.clone(), ..organization })?;
        again(connection, &changed.name)?;
    }
    let changed = store::update(connection, &changed)?;
    let about = json!({
        "name": changed.name,
        "max-ttl-enabled": changed.max_ttl_enabled,
        "allowed-token-roles": changed.allowed_token_roles,
        "user-tokens-enabled": changed.user_tokens_enabled,
    });
    let event = Event::new(Some(changed.id), "organization", changed.id, "update").meta(about);
    audit::record(connection, &caller.actor(), &[event])?;
    Ok(changed)
}

/// Sets what an organization shows that it may use.
///
/// # Errors
/// The database's own.
pub(crate) fn set_plan(
    connection: &mut PgConnection,
    actor: &Actor,
    organization: Organization,
    plan: Plan,
) -> Result<Organization> {
    let changed = store::update(connection, &Organization { plan, ..organization })?;
    let event = Event::new(Some(changed.id), "organization", changed.id, "update").meta(json!({ "plan": plan }));
    audit::record(connection, actor, &[event])?;
    Ok(changed)
}

/// Lets tokens of users in again, for whoever runs the command line: their owners may have no other token.
///
/// # Errors
/// The database's own.
pub(crate) fn enable_user_tokens(
    connection: &mut PgConnection,
    actor: &Actor,
    organization: Organization,
) -> Result<Organization> {
    let changed = store::update(connection, &Organization { user_tokens_enabled: true, ..organization })?;
    let about = json!({"user-tokens-enabled": true});
    audit::record(
        connection,
        actor,
        &[Event::new(Some(changed.id), "organization", changed.id, "update").meta(about)],
    )?;
    Ok(changed)
}

/// Deletes an organization with everything in it.
///
/// # Errors
/// The database's own.
pub(crate) fn delete(connection: &mut PgConnection, caller: &Caller, organization: &Organization) -> Result<()> {
    let Organization { id, name, .. } = organization;
    let event = Event::new(Some(*id), "organization", id, "destroy").meta(json!({"name": name}));
    deletions::mark(connection, Deleted::Organization(*id), &event)?;
    Ok(audit::record(connection, &caller.actor(), &[event])?)
}
