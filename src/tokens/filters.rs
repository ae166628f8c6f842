//! What lists of tokens can be filtered by, and what each filter means.
//!
//! [`Filters::of`] reads the query string, [`Filters::conditions`] and [`Filters::status_conditions`] say it to the database. All
//! filters that are there must hold; in a list with commas, any of its values may.

use std::str::FromStr;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use diesel::dsl::{IntervalDsl, now};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Nullable, Timestamptz};

use super::ExpiryStatus;
use super::store::not_revoked;
use crate::access::Role;
use crate::credential::{Ability, InvalidAbility, Kind, Status};
use crate::database::schema::{listed_tokens as t, lower};
use crate::database::text_enum::text_enum;
use crate::ids::{OrganizationId, TeamId, TokenId, UserId, WorkspaceId};
use crate::jsonapi::{Error, Given, Query, Result, Timestamp};

/// The filters that every list of tokens knows.
pub(super) const FILTERS: &[&str] = &[
    "kind",
    "status",
    "role",
    "ability",
    "id",
    "description",
    "team",
    "workspace",
    "created-by",
    "created-after",
    "created-before",
    "updated-after",
    "updated-before",
    "last-used-after",
    "last-used-before",
    "expires-after",
    "expires-before",
    "revoked-after",
    "revoked-before",
    "unused-for-days",
    "stale",
    "expiry_status",
    "trashed",
];

/// The most that `filter[unused-for-days]` takes: a hundred years.
pub(crate) const UNUSED_DAYS_MAX: i32 = 36_500;

/// A token is stale that has not been used for so many days, …
const STALE_DAYS: i32 = 90;
/// … or never in so many days since it was made.
const STALE_DAYS_IF_NEVER: i32 = 30;

text_enum! {
    /// What `filter[trashed]` can ask for.
    pub enum Trashed {
        With = "with",
        /// Only what is revoked.
        Only = "only",
    }
}

text_enum! {
    /// What `filter[stale]` can ask for.
    pub enum Stale {
        /// What works and is not used.
        Yes = "true",
        No = "false",
    }
}

/// A condition on a token.
pub(super) type Condition = Box<dyn BoxableExpression<t::table, Pg, SqlType = Nullable<Bool>>>;

/// A column with a time, which may be null.
type Time = Box<dyn BoxableExpression<t::table, Pg, SqlType = Nullable<Timestamptz>>>;

/// The filters of one request.
#[derive(Debug, Default)]
pub(super) struct Filters {
    kind: Option<Vec<Kind>>,
    status: Option<Vec<Status>>,
    role: Option<Vec<Role>>,
    ability: Option<Vec<Ability>>,
    id: Option<Vec<TokenId>>,
    description: Option<Vec<String>>,
    team: Option<Vec<TeamId>>,
    workspace: Option<Vec<WorkspaceId>>,
    created_by: Option<CreatedBy>,
    created: Span,
    updated: Span,
    last_used: Span,
    expires: Span,
    revoked: Span,
    unused_for_days: Option<i32>,
    stale: Option<Stale>,
    expiry_status: Option<Vec<ExpiryStatus>>,
    trashed: Option<Trashed>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Span {
    after: Option<Timestamp>,
    before: Option<Timestamp>,
}

/// Who may have made a token: an organization is known by its id and by its name.
#[derive(Debug, Default)]
struct CreatedBy {
    users: Vec<UserId>,
    teams: Vec<TeamId>,
    organizations: Vec<OrganizationId>,
    organization_names: Vec<String>,
}

impl Filters {
    /// Reads the filters of a query, and tells of all faults in them together. An id that does not parse is no fault:
    /// it names nothing, and finds nothing (docs/design.md §2).
    pub(super) fn of(query: &Query) -> Result<Self> {
        let mut read = Reader { query, faults: vec![] };
        let filters = Self {
            kind: read.words("kind", &Kind::ALL, Kind::as_str),
            status: read.words("status", &Status::ALL, Status::as_str),
            role: read.words("role", &Role::ALL, Role::as_str),
            ability: read.abilities("ability"),
            id: read.ids("id"),
            description: read.texts("description"),
            team: read.ids("team"),
            workspace: read.ids("workspace"),
            created_by: read.created_by("created-by"),
            created: read.span("created-after", "created-before"),
            updated: read.span("updated-after", "updated-before"),
            last_used: read.span("last-used-after", "last-used-before"),
            expires: read.span("expires-after", "expires-before"),
            revoked: read.span("revoked-after", "revoked-before"),
            unused_for_days: read.days("unused-for-days"),
            stale: read.word("stale", &Stale::ALL, Stale::as_str),
            expiry_status: read.words("expiry_status", &ExpiryStatus::ALL, ExpiryStatus::as_str),
            trashed: read.word("trashed", &Trashed::ALL, Trashed::as_str),
        };
        Error::check(read.faults)?;
        Ok(filters)
    }

    /// What every filter demands but those that [`Filters::status_conditions`] has: what the counts of a list hold to.
    pub(super) fn conditions(&self) -> Vec<Condition> {
        let spans = [
            self.created.holds(|| Box::new(t::created_at.nullable())),
            self.updated.holds(|| Box::new(t::updated_at.nullable())),
            self.last_used.holds(|| Box::new(t::last_used_at)),
            self.expires.holds(|| Box::new(t::expired_at)),
            self.revoked.holds(|| Box::new(t::revoked_at)),
        ];
        let others = [
            self.kind.clone().map(|kinds| boxed(t::kind.eq_any(kinds).nullable())),
            self.role.clone().map(|roles| boxed(t::role.eq_any(roles).nullable())),
            self.ability.as_deref().map(|asked| boxed(t::abilities.overlaps_with(covering(asked)).nullable())),
            self.id.clone().map(|ids| boxed(t::id.eq_any(ids).nullable())),
            self.description.clone().map(|texts| boxed(t::description.eq_any(texts))),
            self.team.clone().map(|ids| boxed(t::team_id.eq_any(ids))),
            self.workspace.clone().map(|ids| boxed(t::workspace_id.eq_any(ids))),
            self.created_by.as_ref().map(CreatedBy::holds),
            self.unused_for_days.map(|days| unused(days, days)),
            self.stale.map(stale),
            self.expiry_status.as_deref().and_then(|statuses| any(statuses.iter().copied().map(expiring))),
        ];
        spans.into_iter().flatten().chain(others.into_iter().flatten()).collect()
    }

    /// How a token must stand now. What is revoked is left out, unless the client asks for it in any way.
    pub(super) fn status_conditions(&self) -> Vec<Condition> {
        let status = self.status.clone().map(|statuses| boxed(t::status.eq_any(statuses).nullable()));
        let revoked = match self.trashed {
            Some(Trashed::With) => None,
            Some(Trashed::Only) => Some(boxed(t::status.eq(Status::Revoked).nullable())),
            None if self.asks_for_revoked() => None,
            None => Some(boxed(not_revoked())),
        };
        status.into_iter().chain(revoked).collect()
    }

    fn asks_for_revoked(&self) -> bool {
        let named = self.status.as_ref().is_some_and(|statuses| statuses.contains(&Status::Revoked));
        named || self.revoked.after.is_some() || self.revoked.before.is_some()
    }
}

impl Span {
    /// Times are compared as they are shown, in whole milliseconds: what is after a time that a client was shown is
    /// not what it was shown with that time. Null is neither after nor before anything.
    fn holds(self, column: impl Fn() -> Time) -> Option<Condition> {
        const MILLISECOND: TimeDelta = TimeDelta::milliseconds(1);
        let shown = |time: DateTime<Utc>| time.trunc_subsecs(3);
        let after = self.after.map(|Timestamp(time)| boxed(column().ge(shown(time) + MILLISECOND)));
        let before = self.before.map(|Timestamp(time)| {
            let end = if shown(time) < time { shown(time) + MILLISECOND } else { time };
            boxed(column().lt(end))
        });
        match (after, before) {
            (Some(after), Some(before)) => Some(boxed(after.and(before))),
            (after, before) => after.or(before),
        }
    }
}

impl CreatedBy {
    fn holds(&self) -> Condition {
        let by_user = t::created_by_user_id.eq_any(self.users.clone());
        let by_team = t::created_by_team_id.eq_any(self.teams.clone());
        let by_organization = t::created_by_organization_id.eq_any(self.organizations.clone());
        let name = lower(t::created_by_organization_name.assume_not_null());
        let by_name = name.eq_any(self.organization_names.clone()).nullable();
        boxed(by_user.or(by_team).or(by_organization).or(by_name))
    }
}

/// What covers any of these abilities: themselves, and all verbs of their resources.
fn covering(asked: &[Ability]) -> Vec<String> {
    let every_verb = |ability: &Ability| ability.as_str().split_once(':').map(|(resource, _)| format!("{resource}:*"));
    asked.iter().flat_map(|ability| [Some(ability.to_string()), every_verb(ability)]).flatten().collect()
}

/// Last used before so many days, or never, and then made before so many. Never null, so that it can be negated.
fn unused(days: i32, days_if_never: i32) -> Condition {
    let before = |days: i32| (now.into_sql::<Timestamptz>() - days.days()).nullable();
    let not_lately = t::last_used_at.is_not_null().nullable().and(t::last_used_at.lt(before(days)));
    let never = t::last_used_at.is_null().nullable().and(t::created_at.nullable().lt(before(days_if_never)));
    boxed(not_lately.or(never))
}

/// Whether it works and nobody seems to need it.
fn stale(asked: Stale) -> Condition {
    let is = t::status.eq(Status::Active).nullable().and(unused(STALE_DAYS, STALE_DAYS_IF_NEVER));
    match asked {
        Stale::Yes => boxed(is),
        Stale::No => boxed(diesel::dsl::not(is)),
    }
}

fn expiring(status: ExpiryStatus) -> Condition {
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
pub(super) fn any(conditions: impl IntoIterator<Item = Condition>) -> Option<Condition> {
    conditions.into_iter().reduce(|one, other| boxed(one.or(other)))
}

/// Gives a condition the one type that all of them have.
pub(super) fn boxed<E>(condition: E) -> Condition
where
    E: BoxableExpression<t::table, Pg, SqlType = Nullable<Bool>> + 'static,
{
    Box::new(condition)
}

/// Reads values of filters, and gathers what is wrong with them.
struct Reader<'a> {
    query: &'a Query,
    faults: Vec<Error>,
}

impl Reader<'_> {
    /// The items of a list with commas, each read by `read`; none if the filter is not there.
    fn list<T>(&mut self, filter: &str, read: impl Fn(&str) -> Result<Option<T>, String>) -> Option<Vec<T>> {
        let given = self.query.given(filter);
        let mut all = vec![];
        for Given { name, value } in given {
            let items = value.split(',').map(str::trim).filter(|item| !item.is_empty());
            match items.map(&read).collect::<Result<Vec<_>, _>>() {
                Ok(items) => all.extend(items.into_iter().flatten()),
                Err(fault) => self.faults.push(Error::parameter(name, fault)),
            }
        }
        (!given.is_empty()).then_some(all)
    }

    /// The same, of a list that cannot be empty.
    fn some<T>(
        &mut self,
        filter: &str,
        read: impl Fn(&str) -> Result<Option<T>, String>,
        if_empty: impl Fn() -> String,
    ) -> Option<Vec<T>> {
        let faults = self.faults.len();
        let items = self.list(filter, read);
        if items.as_ref().is_some_and(Vec::is_empty) && self.faults.len() == faults {
            let first = self.query.given(filter).first();
            self.faults.extend(first.map(|given| Error::parameter(&given.name, if_empty())));
        }
        items
    }

    /// The one value of a filter that takes no list.
    fn one<T>(&mut self, filter: &str, read: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let (Given { name, value }, more) = self.query.given(filter).split_first()?;
        let more =
            more.iter().map(|given| Error::parameter(&given.name, "Takes one value, and is there more than once"));
        self.faults.extend(more);
        read(value).map_err(|fault| self.faults.push(Error::parameter(name, fault))).ok()
    }

    fn words<T: Copy>(&mut self, filter: &str, all: &[T], spelled: fn(T) -> &'static str) -> Option<Vec<T>> {
        let found = |word: &str| all.iter().copied().find(|known| spelled(*known) == word);
        let known = || all.iter().copied().map(spelled).collect::<Vec<_>>().join(", ");
        let words = |word: &str| found(word).map(Some).ok_or_else(|| format!("Must be among {}", known()));
        self.some(filter, words, || format!("Must name at least one of {}", known()))
    }

    fn word<T: Copy>(&mut self, filter: &str, all: &[T], spelled: fn(T) -> &'static str) -> Option<T> {
        let known = || all.iter().copied().map(spelled).collect::<Vec<_>>().join(" or ");
        self.one(filter, |word| {
            all.iter().copied().find(|known| spelled(*known) == word).ok_or_else(|| format!("Must be {}", known()))
        })
    }

    fn ids<T: FromStr>(&mut self, filter: &str) -> Option<Vec<T>> {
        self.list(filter, |id| Ok(id.parse().ok()))
    }

    fn abilities(&mut self, filter: &str) -> Option<Vec<Ability>> {
        let ability =
            |text: &str| text.parse().map(Some).map_err(|fault: InvalidAbility| format!("An ability {fault}"));
        self.some(filter, ability, || "Must name at least one ability".to_owned())
    }

    /// Whole texts, which may hold commas: only a repeated filter names several.
    fn texts(&self, filter: &str) -> Option<Vec<String>> {
        let given = self.query.given(filter);
        (!given.is_empty()).then(|| given.iter().map(|given| given.value.clone()).collect())
    }

    fn created_by(&mut self, filter: &str) -> Option<CreatedBy> {
        let makers = self.list(filter, |text| Ok(Some(text.to_owned())))?;
        Some(CreatedBy {
            users: makers.iter().filter_map(|maker| maker.parse().ok()).collect(),
            teams: makers.iter().filter_map(|maker| maker.parse().ok()).collect(),
            organizations: makers.iter().filter_map(|maker| maker.parse().ok()).collect(),
            organization_names: makers.iter().map(|maker| maker.to_ascii_lowercase()).collect(),
        })
    }

    fn span(&mut self, after: &str, before: &str) -> Span {
        Span { after: self.time(after), before: self.time(before) }
    }

    fn time(&mut self, filter: &str) -> Option<Timestamp> {
        self.one(filter, |text| {
            // A plus that is not percent-encoded is a space.
            text.parse().map_err(|fault| format!("Time {fault}; in a query, a + is written as %2B"))
        })
    }

    fn days(&mut self, filter: &str) -> Option<i32> {
        let number = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| text.parse().ok()).flatten().filter(|days| *days <= UNUSED_DAYS_MAX)
        };
        self.one(filter, |text| {
            number(text).ok_or_else(|| format!("Must be a whole number from 0 to {UNUSED_DAYS_MAX}"))
        })
    }
}
