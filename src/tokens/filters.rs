//! What lists of tokens can be filtered by: one table, [`FILTERS`], for reading the query, for SQL and for OpenAPI.
//!
//! All filters that are there must hold; in a list with commas, any of its values may.

use std::collections::BTreeMap;
use std::str::FromStr;

use chrono::{SubsecRound, TimeDelta};
use diesel::dsl::{IntervalDsl, exists, not, now, sql};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Nullable, Timestamptz};
use serde_json::{Value, json};
use utoipa::PartialSchema;
use utoipa::openapi::schema::{SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};

use super::store::{self, Makers, not_revoked};
use super::{ExpiryStatus, Labels, labels};
use crate::access::{Action, Caller, Principal, Role, Target, VisibleWorkspaces};
use crate::credential::{Ability, InvalidAbility, Kind, Status};
use crate::database::schema::{abilities, listed_tokens as t, memberships, users as u};
use crate::database::text_enum::{TextEnum, text_enum};
use crate::ids::{OrganizationId, TeamId, TokenId, UserId, WorkspaceId};
use crate::jsonapi::schema::{self, count, one_of};
use crate::jsonapi::{Error, Given, Query, Result, Timestamp, names};
use crate::users::{self, MembershipStatus};
use crate::{organizations, teams, workspaces};

/// One filter.
pub(super) struct Filter {
    /// Its name: `filter[name]`.
    pub(super) name: &'static str,
    /// What it finds.
    pub(super) about: &'static str,
    /// What it takes.
    pub(super) schema: fn() -> RefOr<Schema>,
    /// Reads its values, if it is there.
    read: ReadFilter,
}

/// Reads the values of the filter of this name.
type ReadFilter = fn(&mut Reader<'_>, &'static str) -> Option<Holds>;

/// Makes the condition of a filter that is there.
type Holds = Box<dyn Fn() -> Condition + Send>;

/// A filter by something that has a name, which is looked up before the tokens are.
pub(super) struct Whose {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    what: What,
}

/// What has a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Team,
    Workspace,
    Maker,
    Organization,
    User,
}

/// Of every list.
const NAMED: &[Whose] = &[
    Whose { name: "team", about: "Only those of these teams, by id or name; several with commas", what: What::Team },
    Whose {
        name: "workspace",
        about: "Only those of these workspaces, by id or name; several with commas",
        what: What::Workspace,
    },
    Whose {
        name: "created-by",
        about: "Only what these users, teams, workspaces or organizations made, by id or name; several with commas",
        what: What::Maker,
    },
];

/// Of the list of everybody's tokens alone.
const OF_ALL: &[Whose] = &[
    Whose {
        name: "organization",
        about: "Only those of these organizations and of their teams and workspaces, by id or name; several with commas",
        what: What::Organization,
    },
    Whose { name: "user", about: "Only those of these users, by id or name; several with commas", what: What::User },
];

/// The filters that every list of tokens knows; [`BY_STATUS`] are two more.
const FILTERS: &[Filter] = &[
    Filter {
        name: "kind",
        about: "Only tokens of these kinds; several with commas",
        schema: Kind::schema,
        read: |query, name| {
            query.words::<Kind>(name).map(|kinds| holds(move || boxed(t::kind.eq_any(kinds.clone()).nullable())))
        },
    },
    Filter {
        name: "name",
        about: "The same as `kind`, in the words of systems that call a kind the token's name: `personal_access` is `user`, \
                `svc_access` all others; `cli_activation`, `cli_access` and `cli_refresh` find nothing",
        schema: Name::schema,
        read: |query, name| {
            query.words::<Name>(name).map(|names| {
                let kinds: Vec<Kind> = names.iter().flat_map(|name| name.kinds()).copied().collect();
                holds(move || boxed(t::kind.eq_any(kinds.clone()).nullable()))
            })
        },
    },
    Filter {
        name: "role",
        about: "Only tokens of these roles; several with commas",
        schema: Role::schema,
        read: |query, name| {
            query.words::<Role>(name).map(|roles| holds(move || boxed(t::role.eq_any(roles.clone()).nullable())))
        },
    },
    Filter {
        name: "ability",
        about: "Only whose effective abilities cover one of these, by name, as `resource:*` or as `*`; several with commas",
        schema: text,
        read: |query, name| {
            query.abilities(name).map(|asked| holds(move || any(asked.iter().map(reaching)).unwrap_or_else(never)))
        },
    },
    Filter {
        name: "id",
        about: "Only these, by id; several with commas",
        schema: text,
        read: |query, name| {
            query.ids::<TokenId>(name).map(|ids| holds(move || boxed(t::id.eq_any(ids.clone()).nullable())))
        },
    },
    Filter {
        name: "description",
        about: "Only this very description, commas and all; several by repeating the filter",
        schema: text,
        read: |query, name| query.texts(name).map(|texts| holds(move || boxed(t::description.eq_any(texts.clone())))),
    },
    Filter {
        name: "replaces",
        about: "Only the successors of these tokens, by id; several with commas",
        schema: text,
        read: |query, name| query.ids::<TokenId>(name).map(|ids| holds(move || boxed(t::replaces.eq_any(ids.clone())))),
    },
    Filter {
        name: "replaced-by",
        about: "Only the predecessors of these tokens, by id; several with commas",
        schema: text,
        read: |query, name| {
            query.ids::<TokenId>(name).map(|ids| holds(move || boxed(t::replaced_by.eq_any(ids.clone()))))
        },
    },
    Filter {
        name: "label.*",
        about: "Only what has this very value under the key in the second brackets; several values by repeating the filter",
        schema: || labels::texts().into(),
        read: |query, name| {
            query.labels(name).map(|labels| {
                holds(move || {
                    let any_of = |(key, values): (&String, &Vec<String>)| {
                        let has = |value: &String| boxed(t::labels.contains(json!({ key: value })).nullable());
                        any(values.iter().map(has))
                    };
                    let each = labels.iter().filter_map(any_of);
                    each.reduce(|one, other| boxed(one.and(other))).unwrap_or_else(always)
                })
            })
        },
    },
    Filter {
        name: "created-by-former-member",
        about: "`true`: only what a user made who is no active member of the organization, or suspended; `false`: only the \
                rest",
        schema: FormerMember::schema,
        read: |query, name| query.word::<FormerMember>(name).map(|asked| holds(move || by_former_member(asked))),
    },
    Filter {
        name: "created-after",
        about: "Only what was made later",
        schema: time,
        read: |query, name| query.time(name).map(|time| after(time, || Box::new(t::created_at.nullable()))),
    },
    Filter {
        name: "created-before",
        about: "Only what was made earlier",
        schema: time,
        read: |query, name| query.time(name).map(|time| before(time, || Box::new(t::created_at.nullable()))),
    },
    Filter {
        name: "updated-after",
        about: "Only what was changed later",
        schema: time,
        read: |query, name| query.time(name).map(|time| after(time, || Box::new(t::updated_at.nullable()))),
    },
    Filter {
        name: "updated-before",
        about: "Only what was changed earlier",
        schema: time,
        read: |query, name| query.time(name).map(|time| before(time, || Box::new(t::updated_at.nullable()))),
    },
    Filter {
        name: "last-used-after",
        about: "Only what was last used later",
        schema: time,
        read: |query, name| query.time(name).map(|time| after(time, || Box::new(t::last_used_at))),
    },
    Filter {
        name: "last-used-before",
        about: "Only what was last used earlier; not what never was",
        schema: time,
        read: |query, name| query.time(name).map(|time| before(time, || Box::new(t::last_used_at))),
    },
    Filter {
        name: "expires-after",
        about: "Only what ends by itself later (`ends-at`); not what never does",
        schema: time,
        read: |query, name| query.time(name).map(|time| after(time, || Box::new(t::ends_at))),
    },
    Filter {
        name: "expires-before",
        about: "Only what ends by itself earlier (`ends-at`); not what never does",
        schema: time,
        read: |query, name| query.time(name).map(|time| before(time, || Box::new(t::ends_at))),
    },
    revoked_after(REVOKED_AFTER, "Only what was revoked later, also what is revoked by now"),
    revoked_before(REVOKED_BEFORE, "Only what was revoked earlier, also what is revoked by now"),
    revoked_after(DELETED_AFTER, "The same as `revoked-after`"),
    revoked_before(DELETED_BEFORE, "The same as `revoked-before`"),
    Filter {
        name: "unused-for-days",
        about: "Only what was not used for so many days, or was made before and never used",
        schema: || count(0).maximum(Some(UNUSED_DAYS_MAX)).into(),
        read: |query, name| query.days(name).map(|days| holds(move || unused(days, days))),
    },
    Filter {
        name: "stale",
        about: "`true`: only what is active and was not used for 90 days, or never and was made 30 days ago; `false`: \
                only the rest",
        schema: Stale::schema,
        read: |query, name| query.word::<Stale>(name).map(|asked| holds(move || stale(asked))),
    },
    Filter {
        name: "expiry_status",
        about: "Only what expires so, by its own time or its organization's policy; several with commas",
        schema: ExpiryStatus::schema,
        read: |query, name| {
            query
                .words::<ExpiryStatus>(name)
                .map(|asked| holds(move || any(asked.iter().copied().map(expiring)).unwrap_or_else(never)))
        },
    },
];

/// How a token must stand now. The counts of each status leave these out.
const BY_STATUS: &[Filter] = &[
    Filter {
        name: STATUS,
        about: "Only what stands so; several with commas. With `revoked`, also what is revoked by now. `disabled` is \
                another word for `inactive`",
        schema: || one_of(&["active", "inactive", "disabled", "expired", "revoked"]).into(),
        read: |query, name| {
            query.words_by(name, status).map(|asked| holds(move || boxed(t::status.eq_any(asked.clone()).nullable())))
        },
    },
    Filter {
        name: TRASHED,
        about: "`with`: also what is revoked, which is left out without it; `only`: nothing else; `without`: none",
        schema: Trashed::schema,
        read: |query, name| {
            query.word::<Trashed>(name).map(|asked| match asked {
                Trashed::With => holds(always),
                Trashed::Only => holds(|| boxed(t::status.eq(Status::Revoked).nullable())),
                Trashed::Without => holds(|| boxed(not_revoked().nullable())),
            })
        },
    },
];

const STATUS: &str = "status";
pub(super) const TRASHED: &str = "trashed";
const REVOKED_AFTER: &str = "revoked-after";
const REVOKED_BEFORE: &str = "revoked-before";
const DELETED_AFTER: &str = "deleted-after";
const DELETED_BEFORE: &str = "deleted-before";

/// What `filter[trashed]` asks of one token.
pub(super) fn trashed(query: &Query) -> Result<Trashed> {
    let Some(word) = query.filter(TRASHED) else { return Ok(Trashed::default()) };
    let known = || format!("Must be {}", spelled::<Trashed>(" or "));
    Trashed::of_word(word).ok_or_else(|| Error::parameter(format!("filter[{TRASHED}]"), known()))
}

const fn revoked_after(name: &'static str, about: &'static str) -> Filter {
    let read: ReadFilter = |query, name| query.time(name).map(|time| after(time, || Box::new(t::revoked_at)));
    Filter { name, about, schema: time, read }
}

const fn revoked_before(name: &'static str, about: &'static str) -> Filter {
    let read: ReadFilter = |query, name| query.time(name).map(|time| before(time, || Box::new(t::revoked_at)));
    Filter { name, about, schema: time, read }
}

/// Every filter of every list: its name as it is written, what it takes, and what it finds.
pub(super) fn all() -> impl Iterator<Item = (String, RefOr<Schema>, &'static str)> {
    let written = |name: &str| format!("filter[{}]", name.trim_end_matches(".*"));
    let plain = FILTERS.iter().chain(BY_STATUS);
    let plain = plain.map(move |filter| (written(filter.name), (filter.schema)(), filter.about));
    plain.chain(NAMED.iter().map(move |filter| (written(filter.name), text(), filter.about)))
}

/// The same of those that the list of everybody's tokens has beside these.
pub(super) fn of_all() -> impl Iterator<Item = (String, &'static str)> {
    OF_ALL.iter().map(|filter| (format!("filter[{}]", filter.name), filter.about))
}

/// The names of all filters, for a `QuerySpec`.
pub(super) const NAMES: &[&str] = names!(name of FILTERS, BY_STATUS, NAMED);

/// The same of the list of everybody's tokens.
pub(super) const NAMES_OF_EVERYBODY: &[&str] = names!(name of FILTERS, BY_STATUS, NAMED, OF_ALL);

/// The most that `filter[unused-for-days]` takes: a hundred years.
pub(crate) const UNUSED_DAYS_MAX: i32 = 36_500;

/// A token is stale that has not been used for so many days, …
const STALE_DAYS: i32 = 90;
/// … or never in so many days since it was made.
const STALE_DAYS_IF_NEVER: i32 = 30;

text_enum! {
    /// What `filter[trashed]` can ask for.
    #[derive(Default)]
    pub enum Trashed {
        With = "with",
        /// Only what is revoked.
        Only = "only",
        /// Nothing that is revoked: as if it were not asked.
        #[default]
        Without = "without",
    }
}

text_enum! {
    /// What `filter[name]` can ask for.
    pub enum Name {
        PersonalAccess = "personal_access",
        /// What belongs to no person.
        ServiceAccess = "svc_access",
        CliActivation = "cli_activation",
        CliAccess = "cli_access",
        CliRefresh = "cli_refresh",
    }
}

impl Name {
    const fn kinds(self) -> &'static [Kind] {
        match self {
            Self::PersonalAccess => &[Kind::User],
            Self::ServiceAccess => &[Kind::Team, Kind::Organization, Kind::AuditTrails, Kind::Workspace],
            Self::CliActivation | Self::CliAccess | Self::CliRefresh => &[],
        }
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

text_enum! {
    /// What `filter[created-by-former-member]` can ask for.
    pub enum FormerMember {
        /// What nobody answers for any more.
        Yes = "true",
        No = "false",
    }
}

/// A condition on a token.
pub(super) type Condition = Box<dyn BoxableExpression<t::table, Pg, SqlType = Nullable<Bool>>>;

/// A column with a time, which may be null.
type Time = Box<dyn BoxableExpression<t::table, Pg, SqlType = Nullable<Timestamptz>>>;

/// The filters of one request, once all names in them are looked up.
#[derive(Default)]
pub(super) struct Filters {
    others: Vec<Holds>,
    by_status: Vec<Holds>,
    named: Vec<Named>,
}

/// The values of a filter by something that has a name.
#[derive(Debug)]
struct Named {
    what: What,
    given: Vec<Given>,
}

impl Filters {
    /// Reads the filters of a query, and tells of all faults in them together.
    ///
    /// # Errors
    /// 400 with each parameter that is at fault.
    pub(super) fn of(query: &Query) -> Result<Self> {
        Self::with(query, NAMED.iter())
    }

    /// The same of a query for everybody's tokens.
    ///
    /// # Errors
    /// As [`Self::of`].
    pub(super) fn of_everybody(query: &Query) -> Result<Self> {
        Self::with(query, NAMED.iter().chain(OF_ALL))
    }

    fn with(query: &Query, named: impl Iterator<Item = &'static Whose>) -> Result<Self> {
        let mut read = Reader { query, faults: vec![] };
        let others = FILTERS.iter().filter_map(|filter| (filter.read)(&mut read, filter.name)).collect();
        let mut by_status: Vec<Holds> =
            BY_STATUS.iter().filter_map(|filter| (filter.read)(&mut read, filter.name)).collect();
        Error::check(read.faults)?;
        if !asks_for_revoked(query) {
            by_status.push(holds(|| boxed(not_revoked().nullable())));
        }
        let there = named.map(|Whose { name, what, .. }| Named { what: *what, given: query.given(name).to_vec() });
        Ok(Self { others, by_status, named: there.filter(|named| !named.given.is_empty()).collect() })
    }

    /// The same with ids in the place of names, by which an index serves. A name counts where the caller sees what has it:
    /// within the organization that the request is about, or everywhere.
    ///
    /// # Errors
    /// 400 for what is neither an id nor such a name.
    pub(super) fn looked_up(mut self, connection: &mut PgConnection, caller: &Caller) -> Result<Self> {
        let mut faults = vec![];
        for named in std::mem::take(&mut self.named) {
            match named.condition(connection, caller) {
                Ok(condition) => self.others.push(condition),
                Err(fault) => faults.push(fault),
            }
        }
        Error::check(faults)?;
        Ok(self)
    }

    /// What every filter demands but those by status: what the counts of a list hold to.
    pub(super) fn conditions(&self) -> Vec<Condition> {
        self.others.iter().map(|holds| holds()).collect()
    }

    /// How a token must stand now. What is revoked is left out, unless the client asks for it in any way.
    pub(super) fn status_conditions(&self) -> Vec<Condition> {
        self.by_status.iter().map(|holds| holds()).collect()
    }
}

/// Whether a client asks for what is revoked, by a status or a time.
fn asks_for_revoked(query: &Query) -> bool {
    let there = |filter| !query.given(filter).is_empty();
    let revoked = Status::Revoked.as_str();
    let named = query.given(STATUS).iter().any(|given| given.value.split(',').any(|word| word.trim() == revoked));
    let of_time = [REVOKED_AFTER, REVOKED_BEFORE, DELETED_AFTER, DELETED_BEFORE];
    named || there(TRASHED) || of_time.into_iter().any(there)
}

/// Times are compared as they are shown, in whole milliseconds: what is after a time that a client was shown is not what
/// it was shown with that time. Null is neither after nor before anything.
const MILLISECOND: TimeDelta = TimeDelta::milliseconds(1);

fn after(Timestamp(time): Timestamp, column: fn() -> Time) -> Holds {
    let first = time.trunc_subsecs(3) + MILLISECOND;
    holds(move || boxed(column().ge(first)))
}

fn before(Timestamp(time): Timestamp, column: fn() -> Time) -> Holds {
    let shown = time.trunc_subsecs(3);
    let end = if shown < time { shown + MILLISECOND } else { time };
    holds(move || boxed(column().lt(end)))
}

impl Named {
    fn condition(&self, connection: &mut PgConnection, caller: &Caller) -> Result<Holds> {
        let asked: Vec<(&str, &str)> = self.given.iter().flat_map(items).collect();
        let names: Vec<String> = asked.iter().map(|(_, text)| text.to_lowercase()).collect();
        let place = Place::of(caller);
        let (condition, found): (Holds, Vec<String>) = match self.what {
            What::Team => {
                let teams = teams_named(connection, caller, &names)?;
                let ids = ids(&asked, teams.iter().map(|(id, _)| *id));
                (holds(move || boxed(t::team_id.eq_any(ids.clone()))), names_of(teams))
            }
            What::Workspace => {
                let workspaces = workspaces_named(connection, caller, &names)?;
                let ids = ids(&asked, workspaces.iter().map(|(id, _)| *id));
                (holds(move || boxed(t::workspace_id.eq_any(ids.clone()))), names_of(workspaces))
            }
            What::Organization => {
                let organizations = organizations::named(connection, &names)?;
                let ids = ids(&asked, organizations.iter().map(|(id, _)| *id));
                (holds(move || boxed(t::organization_id.eq_any(ids.clone()))), names_of(organizations))
            }
            What::User => {
                let users = users::by_usernames(connection, &names)?;
                let ids = ids(&asked, users.iter().map(|user| user.id));
                (
                    holds(move || boxed(t::user_id.eq_any(ids.clone()))),
                    users.into_iter().map(|user| user.username.to_lowercase()).collect(),
                )
            }
            What::Maker => {
                let users = match (place, &caller.principal) {
                    // It learns nothing of who else is in the organization.
                    (Place::Organization(_), Principal::Workspace { id, .. }) => {
                        store::makers_named(connection, Makers::OfWorkspace(*id), &names)?
                    }
                    (Place::Organization(id), _) => store::makers_named(connection, Makers::Of(id), &names)?,
                    (Place::Everywhere, _) => store::makers_named(connection, Makers::OfAll, &names)?,
                    (Place::Nowhere, Principal::User { id, username, .. }) => vec![(*id, username.clone())],
                    (Place::Nowhere, _) => vec![],
                };
                let users =
                    users.into_iter().filter(|(_, name)| names.contains(&name.to_lowercase())).collect::<Vec<_>>();
                let teams = teams_named(connection, caller, &names)?;
                let workspaces = workspaces_named(connection, caller, &names)?;
                let organizations = match place {
                    Place::Nowhere => vec![],
                    Place::Everywhere => organizations::named(connection, &names)?,
                    Place::Organization(place) => {
                        let named = organizations::named(connection, &names)?;
                        named.into_iter().filter(|(id, _)| *id == place).collect()
                    }
                };
                let by_user = ids(&asked, users.iter().map(|(id, _)| *id));
                let by_team = ids(&asked, teams.iter().map(|(id, _)| *id));
                let by_workspace = ids(&asked, workspaces.iter().map(|(id, _)| *id));
                let by_organization = ids(&asked, organizations.iter().map(|(id, _)| *id));
                let condition = holds(move || {
                    let (by_user, by_team) = (by_user.clone(), by_team.clone());
                    let (by_workspace, by_organization) = (by_workspace.clone(), by_organization.clone());
                    boxed(
                        t::created_by_user_id
                            .eq_any(by_user)
                            .or(t::created_by_team_id.eq_any(by_team))
                            .or(t::created_by_workspace_id.eq_any(by_workspace))
                            .or(t::created_by_organization_id.eq_any(by_organization)),
                    )
                });
                let found = [names_of(users), names_of(teams), names_of(workspaces), names_of(organizations)];
                (condition, found.into_iter().flatten().collect())
            }
        };
        let known = |text: &str| self.what.is_id(text) || found.iter().any(|name| *name == text.to_lowercase());
        match asked.iter().find(|(_, text)| !known(text)) {
            None => Ok(condition),
            Some((parameter, text)) => {
                let detail = format!("{text:?} is neither the id nor the name of {} that you see", self.what.word());
                Err(Error::parameter(*parameter, detail))
            }
        }
    }
}

impl What {
    fn is_id(self, text: &str) -> bool {
        match self {
            Self::Team => text.parse::<TeamId>().is_ok(),
            Self::Workspace => text.parse::<WorkspaceId>().is_ok(),
            Self::Organization => text.parse::<OrganizationId>().is_ok(),
            Self::User => text.parse::<UserId>().is_ok(),
            Self::Maker => {
                [Self::User, Self::Team, Self::Workspace, Self::Organization].iter().any(|one| one.is_id(text))
            }
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Team => "a team",
            Self::Workspace => "a workspace",
            Self::Organization => "an organization",
            Self::User => "a user",
            Self::Maker => "a maker of tokens",
        }
    }
}

/// The items of a list with commas, each beside its parameter.
fn items(given: &Given) -> impl Iterator<Item = (&str, &str)> {
    let items = given.value.split(',').map(str::trim).filter(|item| !item.is_empty());
    items.map(|item| (given.name.as_str(), item))
}

/// What is asked for by its id, and what was found by its name.
fn ids<T: FromStr>(asked: &[(&str, &str)], found: impl Iterator<Item = T>) -> Vec<T> {
    asked.iter().filter_map(|(_, text)| text.parse().ok()).chain(found).collect()
}

fn names_of<T>(found: Vec<(T, String)>) -> Vec<String> {
    found.into_iter().map(|(_, name)| name.to_lowercase()).collect()
}

/// Where names count.
#[derive(Debug, Clone, Copy)]
enum Place {
    /// In the organization that the request is about.
    Organization(OrganizationId),
    /// In every organization: for site admins alone.
    Everywhere,
    /// A user's own tokens are no organization's.
    Nowhere,
}

impl Place {
    fn of(caller: &Caller) -> Self {
        match caller.organization_id {
            Some(id) => Self::Organization(id),
            None if caller.is_site_admin() => Self::Everywhere,
            None => Self::Nowhere,
        }
    }
}

/// Those teams of these names that the caller sees.
fn teams_named(connection: &mut PgConnection, caller: &Caller, names: &[String]) -> Result<Vec<(TeamId, String)>> {
    let found = match Place::of(caller) {
        Place::Nowhere => vec![],
        Place::Everywhere => teams::named(connection, None, names)?,
        Place::Organization(id) => {
            let mut found = teams::named(connection, Some(id), names)?;
            found.retain(|team| caller.can(Action::SeeTeam, Target::Team(team.facts())));
            found
        }
    };
    Ok(found.into_iter().map(|team| (team.id, team.name)).collect())
}

/// Those workspaces of these names that the caller sees.
fn workspaces_named(
    connection: &mut PgConnection,
    caller: &Caller,
    names: &[String],
) -> Result<Vec<(WorkspaceId, String)>> {
    match Place::of(caller) {
        Place::Nowhere => Ok(vec![]),
        Place::Everywhere => Ok(workspaces::named(connection, None, VisibleWorkspaces::All, names)?),
        Place::Organization(id) => Ok(workspaces::named(connection, Some(id), caller.visible_workspaces(), names)?),
    }
}

/// Whether a user made it, for an organization, who is no active member of that any more. Never null.
fn by_former_member(asked: FormerMember) -> Condition {
    let members = memberships::table
        .inner_join(u::table.on(u::id.eq(memberships::user_id)))
        .filter(memberships::organization_id.nullable().eq(t::organization_id))
        .filter(memberships::user_id.nullable().eq(t::created_by_user_id))
        .filter(memberships::status.eq(MembershipStatus::Active))
        .filter(u::suspended_at.is_null());
    let of_organization = t::organization_id.is_not_null().and(t::created_by_user_id.is_not_null());
    let is = of_organization.and(not(exists(members))).nullable();
    match asked {
        FormerMember::Yes => boxed(is),
        FormerMember::No => boxed(not(is)),
    }
}

/// A status by its word, or by that of systems which call what is switched off disabled.
fn status(word: &str) -> Option<Status> {
    if word == "disabled" { Some(Status::Inactive) } else { Status::of_word(word) }
}

/// Whether a token reaches an ability: its own list, its owner's and what is registered each cover it. The same as its
/// effective abilities tell, without computing these for each token.
fn reaching(asked: &Ability) -> Condition {
    let covering = covering(asked);
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

/// What covers an ability: itself, all verbs of its resource, and every ability.
fn covering(asked: &Ability) -> Vec<String> {
    let every_verb = asked.as_str().split_once(':').map(|(resource, _)| format!("{resource}:*"));
    let every_one = (!asked.is_latchkeys_own()).then(|| "*".to_owned());
    [Some(asked.to_string()), every_verb, every_one].into_iter().flatten().collect()
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
        Stale::No => boxed(not(is)),
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

/// How a condition is made, each time that it is asked for: two queries of a request use it.
fn holds(condition: impl Fn() -> Condition + Send + 'static) -> Holds {
    Box::new(condition)
}

pub(super) fn always() -> Condition {
    literal("true")
}

pub(super) fn never() -> Condition {
    literal("false")
}

fn literal(text: &str) -> Condition {
    boxed(sql::<Bool>(text).nullable())
}

fn text() -> RefOr<Schema> {
    schema::text().into()
}

fn time() -> RefOr<Schema> {
    schema::time().into()
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
        for Given { name, value, .. } in given {
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
        let (Given { name, value, .. }, more) = self.query.given(filter).split_first()?;
        let more =
            more.iter().map(|given| Error::parameter(&given.name, "Takes one value, and is there more than once"));
        self.faults.extend(more);
        read(value).map_err(|fault| self.faults.push(Error::parameter(name, fault))).ok()
    }

    fn words<T: TextEnum>(&mut self, filter: &str) -> Option<Vec<T>> {
        self.words_by(filter, T::of_word)
    }

    fn words_by<T: TextEnum>(&mut self, filter: &str, of_word: fn(&str) -> Option<T>) -> Option<Vec<T>> {
        let word = |word: &str| of_word(word).map(Some).ok_or_else(|| format!("Must be among {}", spelled::<T>(", ")));
        let asked = self.some(filter, word, || format!("Must name at least one of {}", spelled::<T>(", ")))?;
        // A set: each once and in one order, however often and in which order the client names them.
        let is_asked = |known: &T| asked.iter().any(|word| word.word() == known.word());
        Some(T::all().iter().copied().filter(is_asked).collect())
    }

    fn word<T: TextEnum>(&mut self, filter: &str) -> Option<T> {
        self.one(filter, |word| T::of_word(word).ok_or_else(|| format!("Must be {}", spelled::<T>(" or "))))
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

    /// The values of labels, by their keys.
    fn labels(&mut self, filter: &str) -> Option<BTreeMap<String, Vec<String>>> {
        let given = self.query.given(filter);
        let mut labels: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for Given { name, value, member } in given {
            match member.as_ref().filter(|key| Labels::is_key(key)) {
                Some(key) => labels.entry(key.clone()).or_default().push(value.clone()),
                None => self.faults.push(Error::parameter(name, "No label has such a key")),
            }
        }
        (!given.is_empty()).then_some(labels)
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

fn spelled<T: TextEnum>(between: &str) -> String {
    T::all().iter().map(|known| known.word()).collect::<Vec<_>>().join(between)
}

/// The table of filters in `docs/tokens.md`, which a test holds to the file.
#[must_use]
pub fn reference() -> String {
    let rows: String = all()
        .map(|(name, schema, about)| {
            let name = name.trim_start_matches("filter[").trim_end_matches(']');
            let name = if name == "label" { "label][key" } else { name };
            format!("| `{name}` | {} | {about} |\n", taken(&schema))
        })
        .collect();
    format!("| filter | takes | finds |\n| --- | --- | --- |\n{rows}")
}

/// What a schema takes, in a word or a few.
fn taken(schema: &RefOr<Schema>) -> String {
    let RefOr::T(Schema::Object(one)) = schema else { return String::new() };
    if let Some(words) = &one.enum_values {
        let words: Vec<String> = words.iter().filter_map(Value::as_str).map(|word| format!("`{word}`")).collect();
        return words.join(", ");
    }
    let word = match (&one.schema_type, &one.format) {
        (SchemaType::Type(Type::Integer), _) => "a number",
        (SchemaType::Type(Type::Object), _) => "text",
        (_, Some(_)) => "a time (RFC 3339)",
        _ => "text",
    };
    word.to_owned()
}
