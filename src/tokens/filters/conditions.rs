//! Conditions on tokens: what filters hold lists to.

use chrono::{SubsecRound, TimeDelta};
use diesel::dsl::{IntervalDsl, exists, not, now, sql};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Nullable, Timestamptz};

use super::values::{Name, YesNo};
use crate::credential::{Ability, Status};
use crate::database::schema::{abilities, listed_tokens as t, memberships, users};
use crate::jsonapi::Timestamp;
use crate::tokens::ExpiryStatus;
use crate::users::MembershipStatus;

/// A condition on a token.
pub(in crate::tokens) type Condition = Box<dyn BoxableExpression<t::table, Pg, SqlType = Nullable<Bool>>>;

/// A column with a time, which may be null.
pub(super) type Time = Box<dyn BoxableExpression<t::table, Pg, SqlType = Nullable<Timestamptz>>>;

/// Makes the condition of a filter that is there.
pub(super) type Holds = Box<dyn Fn() -> Condition + Send>;

/// A token is stale that has not been used for so many days, …
const STALE_DAYS: i32 = 90;
/// … or never in so many days since it was made.
const STALE_DAYS_IF_NEVER: i32 = 30;

/// Times are compared as they are shown, in whole milliseconds: what is after a time that a client was shown is not what
/// it was shown with that time. Null is neither after nor before anything.
const MILLISECOND: TimeDelta = TimeDelta::milliseconds(1);

pub(super) fn after(Timestamp(time): Timestamp, column: fn() -> Time) -> Holds {
    let first = time.trunc_subsecs(3) + MILLISECOND;
    holds(move || boxed(column().ge(first)))
}

pub(super) fn before(Timestamp(time): Timestamp, column: fn() -> Time) -> Holds {
    let shown = time.trunc_subsecs(3);
    let end = if shown < time { shown + MILLISECOND } else { time };
    holds(move || boxed(column().lt(end)))
}

/// Whether a user made it, for an organization, who is no active member of that any more. Never null.
pub(super) fn by_former_member() -> Condition {
    let members = memberships::table
        .inner_join(users::table.on(users::id.eq(memberships::user_id)))
        .filter(memberships::organization_id.nullable().eq(t::organization_id))
        .filter(memberships::user_id.nullable().eq(t::created_by_user_id))
        .filter(memberships::status.eq(MembershipStatus::Active))
        .filter(users::suspended_at.is_null());
    let of_organization = t::organization_id.is_not_null().and(t::created_by_user_id.is_not_null());
    boxed(of_organization.and(not(exists(members))).nullable())
}

/// Whether a token reaches an ability: its own list, its owner's and what is registered each cover it. The same as its
/// effective abilities tell, without computing these for each token.
pub(super) fn reaching(asked: &Ability) -> Condition {
    let covering = asked.covering();
    let listed = t::abilities.overlaps_with(covering.clone());
    let owner_lists = t::owner_abilities.overlaps_with(covering.clone());
    if asked.is_latchkeys_own() {
        // Always registered, and no part of every ability.
        let of_every = t::owner_abilities.is_null().nullable().and(listed.clone());
        let of_list = owner_lists.and(t::abilities.is_null().nullable().or(listed));
        return boxed(of_every.or(of_list));
    }
    let own = t::abilities.is_null().nullable().or(listed);
    let owner = t::owner_abilities.is_null().nullable().or(owner_lists);
    let of_organization = || abilities::table.filter(abilities::organization_id.nullable().eq(t::organization_id));
    let known = exists(of_organization().filter(abilities::name.eq_any(covering)));
    let registered = not(exists(of_organization())).or(known).nullable();
    boxed(own.and(owner).and(registered))
}

/// Last used before so many days, or never, and then made before so many. Never null, so that it can be negated.
pub(super) fn unused(days: i32, days_if_never: i32) -> Condition {
    let before = |days: i32| (now.into_sql::<Timestamptz>() - days.days()).nullable();
    let not_lately = t::last_used_at.is_not_null().nullable().and(t::last_used_at.lt(before(days)));
    let never = t::last_used_at.is_null().nullable().and(t::created_at.nullable().lt(before(days_if_never)));
    boxed(not_lately.or(never))
}

/// Whether it works and nobody seems to need it.
pub(super) fn stale() -> Condition {
    boxed(t::status.eq(Status::Active).nullable().and(unused(STALE_DAYS, STALE_DAYS_IF_NEVER)))
}

/// What a filter holds to that asks whether a condition, which is never null, is so.
pub(super) fn whether(asked: YesNo, condition: fn() -> Condition) -> Holds {
    match asked {
        YesNo::Yes => holds(condition),
        YesNo::No => holds(move || boxed(not(condition()))),
    }
}

/// Whose it is by the words of `filter[name]`: what is no person's belongs to an organization.
pub(super) fn named(name: Name) -> Condition {
    match name {
        Name::PersonalAccess => boxed(t::organization_id.is_null().nullable()),
        Name::ServiceAccess => boxed(t::organization_id.is_not_null().nullable()),
        Name::CliActivation | Name::CliAccess | Name::CliRefresh => never(),
    }
}

pub(super) fn expiring(status: ExpiryStatus) -> Condition {
    // By its own expiry or its organization's TTL policy.
    let at = t::ends_at;
    match status {
        ExpiryStatus::Active => boxed(at.gt(now).or(at.is_null())),
        ExpiryStatus::ExpiringIn7Days => {
            boxed(at.gt(now).and(at.le((now.into_sql::<Timestamptz>() + 7.days()).nullable())))
        }
        ExpiryStatus::ExpiringIn30Days => {
            boxed(at.gt(now).and(at.le((now.into_sql::<Timestamptz>() + 30.days()).nullable())))
        }
        ExpiryStatus::Expired => boxed(at.le(now)),
        ExpiryStatus::NoExpiration => boxed(at.is_null().nullable()),
    }
}

/// One condition of several, joined by "or"; none of none.
pub(in crate::tokens) fn any(conditions: impl IntoIterator<Item = Condition>) -> Option<Condition> {
    conditions.into_iter().reduce(|one, other| boxed(one.or(other)))
}

/// How a condition is made, each time that it is asked for: two queries of a request use it.
pub(super) fn holds(condition: impl Fn() -> Condition + Send + 'static) -> Holds {
    Box::new(condition)
}

pub(in crate::tokens) fn always() -> Condition {
    literal("true")
}

pub(in crate::tokens) fn never() -> Condition {
    literal("false")
}

fn literal(text: &str) -> Condition {
    boxed(sql::<Bool>(text).nullable())
}

/// Gives a condition the one type that all of them have.
pub(in crate::tokens) fn boxed<E>(condition: E) -> Condition
where
    E: BoxableExpression<t::table, Pg, SqlType = Nullable<Bool>> + 'static,
{
    Box::new(condition)
}
