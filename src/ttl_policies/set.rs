//! Setting policies.

use diesel::PgConnection;
use serde_json::json;

use super::{PolicyItem, store};
use crate::access::Caller;
use crate::audit::{self, Event};
use crate::ids::OrganizationId;
use crate::jsonapi::Result;

/// Sets the policies of some kinds of token; the organization must be locked.
///
/// # Errors
/// The database's own.
pub(crate) fn set(
    connection: &mut PgConnection,
    caller: &Caller,
    organization: OrganizationId,
    policies: &[PolicyItem],
) -> Result<()> {
    store::set(connection, organization, policies)?;
    let event = Event::new(Some(organization), "organization_token_ttl_policy", organization, "update");
    Ok(audit::record(connection, &caller.actor(), &[event.meta(json!({ "policies": policies }))])?)
}
