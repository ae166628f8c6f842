//! The queries of memberships.

use diesel::prelude::*;

use super::Status;
use crate::database::schema::memberships;
use crate::ids::{MembershipId, OrganizationId, UserId};

/// Makes users active members of an organization, and answers who was not one yet. Who is a member or invited
/// stays what they are.
pub fn add(connection: &mut PgConnection, organization: OrganizationId, users: &[UserId]) -> QueryResult<Vec<UserId>> {
    let rows: Vec<_> = users
        .iter()
        .map(|user| {
            (
                memberships::id.eq(MembershipId::generate()),
                memberships::organization_id.eq(organization),
                memberships::user_id.eq(user),
                memberships::status.eq(Status::Active),
            )
        })
        .collect();
    diesel::insert_into(memberships::table)
        .values(rows)
        .on_conflict((memberships::organization_id, memberships::user_id))
        .do_nothing()
        .returning(memberships::user_id)
        .get_results(connection)
}
