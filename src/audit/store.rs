//! Writing and reading audit events.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use super::{Actor, Event, Recorded};
use crate::database::schema::audit_events;
use crate::ids::{AuditEventId, OrganizationId};

/// The most events in one statement: PostgreSQL takes 65,535 parameters, and each event has eleven.
const AT_ONCE: usize = 1000;

/// Writes events of what `actor` did, in the transaction that the connection is in.
///
/// # Errors
/// The database's own; the change must then be undone as well.
pub fn record(connection: &mut PgConnection, actor: &Actor, events: &[Event]) -> QueryResult<()> {
    let rows: Vec<_> = events
        .iter()
        .map(|event| {
            (
                audit_events::id.eq(AuditEventId::generate()),
                audit_events::organization_id.eq(event.organization),
                audit_events::actor_type.eq(actor.kind),
                audit_events::accessor_id.eq(&actor.accessor_id),
                audit_events::accessor_description.eq(&actor.description),
                audit_events::token_id.eq(actor.token),
                audit_events::request_id.eq(&actor.request_id),
                audit_events::resource_type.eq(event.resource_type),
                audit_events::resource_id.eq(&event.resource_id),
                audit_events::action.eq(event.action),
                audit_events::meta.eq(&event.meta),
            )
        })
        .collect();
    for some in rows.chunks(AT_ONCE) {
        diesel::insert_into(audit_events::table).values(some).execute(connection)?;
    }
    Ok(())
}

/// A page of an organization's events after a time, oldest first, and how many there are.
pub(crate) fn list(
    connection: &mut PgConnection,
    organization: OrganizationId,
    since: Option<DateTime<Utc>>,
    offset: i64,
    limit: i64,
) -> QueryResult<(Vec<Recorded>, i64)> {
    let since = since.unwrap_or(DateTime::UNIX_EPOCH);
    let events = audit_events::table
        .filter(audit_events::organization_id.eq(organization))
        .filter(audit_events::occurred_at.gt(since));
    let total = events.count().get_result(connection)?;
    let page = events
        .order((audit_events::occurred_at, audit_events::id))
        .select(Recorded::as_select())
        .offset(offset)
        .limit(limit)
        .load(connection)?;
    Ok((page, total))
}
