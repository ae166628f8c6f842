//! Making service accounts. Each is an active member of its organization from the beginning to the end.

use diesel::PgConnection;
use serde_json::json;

use super::event;
use crate::audit::{self, Actor};
use crate::ids::OrganizationId;
use crate::jsonapi::Result;
use crate::users::{self, MembershipStatus, User};

/// Makes a service account of an organization, which must be held.
///
/// # Errors
/// 422 for a name that is taken.
pub(crate) fn create_service_account(
    connection: &mut PgConnection,
    actor: &Actor,
    organization: OrganizationId,
    username: &str,
) -> Result<User> {
    let user = users::create_service_account(connection, organization, username)?;
    users::add_members(connection, organization, &[user.id], MembershipStatus::Active)?;
    let status = json!({"status": MembershipStatus::Active});
    let events = [user.event("create"), event(organization, "organization_user", user.id, "create", status)];
    audit::record(connection, actor, &events)?;
    Ok(user)
}
