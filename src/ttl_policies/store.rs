//! The queries of TTL policies.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::upsert::excluded;

use super::{DEFAULT_MAX_TTL_MS, Policy, PolicyItem, TokenType};
use crate::database::schema::{memberships, organizations, token_ttl_policies};
use crate::ids::{OrganizationId, UserId};
use crate::users::MembershipStatus;

/// The maximum for a kind of token, if the organization enforces any.
pub(super) fn in_force(
    connection: &mut PgConnection,
    organization: OrganizationId,
    token_type: TokenType,
) -> QueryResult<Option<i64>> {
    let (enabled, set): (bool, Option<i64>) = organizations::table
        .left_join(
            token_ttl_policies::table.on(token_ttl_policies::organization_id
                .eq(organizations::id)
                .and(token_ttl_policies::token_type.eq(token_type))),
        )
        .filter(organizations::id.eq(organization))
        .select((organizations::max_ttl_enabled, token_ttl_policies::max_ttl_ms.nullable()))
        .first(connection)?;
    Ok(enabled.then(|| set.unwrap_or(DEFAULT_MAX_TTL_MS)))
}

/// The shortest maximum for users' tokens among the organizations in which a user is active and that enforce any.
pub(super) fn shortest_of_user(connection: &mut PgConnection, user: UserId) -> QueryResult<Option<i64>> {
    let policy = token_ttl_policies::table.on(token_ttl_policies::organization_id
        .eq(organizations::id)
        .and(token_ttl_policies::token_type.eq(TokenType::User)));
    let maxima: Vec<Option<i64>> = memberships::table
        .inner_join(organizations::table.on(organizations::id.eq(memberships::organization_id)))
        .left_join(policy)
        .filter(memberships::user_id.eq(user))
        .filter(memberships::status.eq(MembershipStatus::Active))
        .filter(organizations::max_ttl_enabled)
        .select(token_ttl_policies::max_ttl_ms.nullable())
        .distinct()
        .load(connection)?;
    Ok(maxima.into_iter().map(|set| set.unwrap_or(DEFAULT_MAX_TTL_MS)).min())
}

/// The policy of every kind, with the default where none is set.
pub(super) fn list(connection: &mut PgConnection, organization: OrganizationId) -> QueryResult<Vec<Policy>> {
    type Row = (TokenType, Option<i64>, DateTime<Utc>, DateTime<Utc>);
    let set: Vec<Row> = token_ttl_policies::table
        .filter(token_ttl_policies::organization_id.eq(organization))
        .select((
            token_ttl_policies::token_type,
            token_ttl_policies::max_ttl_ms,
            token_ttl_policies::created_at,
            token_ttl_policies::updated_at,
        ))
        .load(connection)?;
    let policy = |token_type| match set.iter().find(|row| row.0 == token_type) {
        Some((_, Some(max_ttl_ms), created_at, updated_at)) => {
            Policy { token_type, max_ttl_ms: *max_ttl_ms, set: Some((*created_at, *updated_at)) }
        }
        _ => Policy { token_type, max_ttl_ms: DEFAULT_MAX_TTL_MS, set: None },
    };
    // Latchkey issues no metrics tokens, and shipped clients know of no workspace tokens: these policies are told only
    // where somebody has set one.
    let quiet = |token_type| matches!(token_type, TokenType::Metrics | TokenType::Workspace);
    let told = |policy: &Policy| !quiet(policy.token_type) || policy.set.is_some();
    Ok(TokenType::ALL.into_iter().map(policy).filter(told).collect())
}

/// Sets policies; the others stay as they are.
pub(super) fn set(
    connection: &mut PgConnection,
    organization: OrganizationId,
    policies: &[PolicyItem],
) -> QueryResult<()> {
    let rows: Vec<_> = policies
        .iter()
        .map(|policy| {
            (
                token_ttl_policies::organization_id.eq(organization),
                token_ttl_policies::token_type.eq(policy.token_type),
                token_ttl_policies::max_ttl_ms.eq(policy.max_ttl_ms),
            )
        })
        .collect();
    diesel::insert_into(token_ttl_policies::table)
        .values(rows)
        .on_conflict((token_ttl_policies::organization_id, token_ttl_policies::token_type))
        .do_update()
        .set((
            token_ttl_policies::max_ttl_ms.eq(excluded(token_ttl_policies::max_ttl_ms)),
            token_ttl_policies::updated_at.eq(diesel::dsl::now),
        ))
        .execute(connection)?;
    Ok(())
}
