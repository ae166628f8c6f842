//! The table of filters: for reading the query, for SQL and for OpenAPI.

use diesel::prelude::*;
use serde_json::json;
use utoipa::PartialSchema;
use utoipa::openapi::{RefOr, Schema};

use super::conditions::{
    Holds, after, always, any, before, boxed, by_former_member, expiring, holds, named, never, reaching, stale, unused,
    whether,
};
use super::named::What;
use super::values::{Name, Reader, STATUS_WORDS, Trashed, UNUSED_DAYS_MAX, YesNo, status};
use crate::access::Role;
use crate::credential::{Kind, Status};
use crate::database::schema::listed_tokens as t;
use crate::ids::TokenId;
use crate::jsonapi::schema::{self, count, one_of};
use crate::tokens::store::not_revoked;
use crate::tokens::{ExpiryStatus, labels};

/// One filter.
pub(in crate::tokens) struct Filter {
    /// Its name: `filter[name]`. A `*` at the end stands for the key in second brackets.
    pub(super) name: &'static str,
    /// What it finds.
    pub(in crate::tokens) about: &'static str,
    /// What it takes.
    pub(in crate::tokens) schema: fn() -> RefOr<Schema>,
    /// How its values are read.
    pub(super) read: Read,
}

/// How the values of a filter are read.
pub(super) enum Read {
    /// By themselves.
    Values(ReadFilter),
    /// Some are names, which are looked up.
    Names(What),
}

/// Reads the values of the filter of this name, if it is there.
pub(super) type ReadFilter = fn(&mut Reader<'_>, &'static str) -> Option<Holds>;

impl Filter {
    /// How a client writes its name.
    pub(in crate::tokens) fn written(&self) -> String {
        format!("filter[{}]", self.name.trim_end_matches(".*"))
    }
}

/// The filters that every list of tokens knows, but those by status: [`BY_STATUS`].
pub(super) const FILTERS: &[Filter] = &[
    Filter {
        name: "kind",
        about: "Only tokens of these kinds; several with commas",
        schema: Kind::schema,
        read: Read::Values(|query, name| {
            query.words::<Kind>(name).map(|kinds| holds(move || boxed(t::kind.eq_any(kinds.clone()).nullable())))
        }),
    },
    Filter {
        name: "name",
        about: "Whose they are, in the words of systems that call that the token's name: `personal_access` is a person's, \
                `svc_access` all others, service accounts' included; `cli_activation`, `cli_access` and `cli_refresh` find \
                nothing",
        schema: Name::schema,
        read: Read::Values(|query, name| {
            query
                .words::<Name>(name)
                .map(|names| holds(move || any(names.iter().copied().map(named)).unwrap_or_else(never)))
        }),
    },
    Filter {
        name: "role",
        about: "Only tokens of these roles; several with commas",
        schema: Role::schema,
        read: Read::Values(|query, name| {
            query.words::<Role>(name).map(|roles| holds(move || boxed(t::role.eq_any(roles.clone()).nullable())))
        }),
    },
    Filter {
        name: "ability",
        about: "Only whose effective abilities cover one of these, by name, as `resource:*` or as `*`; several with commas",
        schema: text,
        read: Read::Values(|query, name| {
            query.abilities(name).map(|asked| holds(move || any(asked.iter().map(reaching)).unwrap_or_else(never)))
        }),
    },
    Filter {
        name: "id",
        about: "Only these, by id; several with commas",
        schema: text,
        read: Read::Values(|query, name| {
            query.ids::<TokenId>(name).map(|ids| holds(move || boxed(t::id.eq_any(ids.clone()).nullable())))
        }),
    },
    Filter {
        name: "description",
        about: "Only this very description, commas and all; several by repeating the filter",
        schema: text,
        read: Read::Values(|query, name| {
            query.texts(name).map(|texts| holds(move || boxed(t::description.eq_any(texts.clone()))))
        }),
    },
    Filter {
        name: "team",
        about: "Only those of these teams, by id or name, also of deleted ones; several with commas",
        schema: text,
        read: Read::Names(What::Team),
    },
    Filter {
        name: "workspace",
        about: "Only those of these workspaces, by id or name, also of deleted ones; several with commas",
        schema: text,
        read: Read::Names(What::Workspace),
    },
    Filter {
        name: "created-by",
        about: "Only what these users, teams, workspaces or organizations made, by id or name; several with commas",
        schema: text,
        read: Read::Names(What::Maker),
    },
    Filter {
        name: "replaces",
        about: "Only the successors of these tokens, by id; several with commas",
        schema: text,
        read: Read::Values(|query, name| {
            query.ids::<TokenId>(name).map(|ids| holds(move || boxed(t::replaces.eq_any(ids.clone()))))
        }),
    },
    Filter {
        name: "replaced-by",
        about: "Only the predecessors of these tokens, by id; several with commas",
        schema: text,
        read: Read::Values(|query, name| {
            query.ids::<TokenId>(name).map(|ids| holds(move || boxed(t::replaced_by.eq_any(ids.clone()))))
        }),
    },
    Filter {
        name: "label.*",
        about: "Only what has this very value under the key in the second brackets; several values by repeating the filter",
        schema: || labels::texts().into(),
        read: Read::Values(|query, name| {
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
        }),
    },
    Filter {
        name: "created-by-former-member",
        about: "`true`: only what a user made who is no active member of the organization, or suspended; `false`: only the \
                rest",
        schema: YesNo::schema,
        read: Read::Values(|query, name| query.word::<YesNo>(name).map(|asked| whether(asked, by_former_member))),
    },
    Filter {
        name: "created-after",
        about: "Only what was made later",
        schema: time,
        read: Read::Values(|query, name| {
            query.time(name).map(|time| after(time, || Box::new(t::created_at.nullable())))
        }),
    },
    Filter {
        name: "created-before",
        about: "Only what was made earlier",
        schema: time,
        read: Read::Values(|query, name| {
            query.time(name).map(|time| before(time, || Box::new(t::created_at.nullable())))
        }),
    },
    Filter {
        name: "updated-after",
        about: "Only what was changed later",
        schema: time,
        read: Read::Values(|query, name| {
            query.time(name).map(|time| after(time, || Box::new(t::updated_at.nullable())))
        }),
    },
    Filter {
        name: "updated-before",
        about: "Only what was changed earlier",
        schema: time,
        read: Read::Values(|query, name| {
            query.time(name).map(|time| before(time, || Box::new(t::updated_at.nullable())))
        }),
    },
    Filter {
        name: "last-used-after",
        about: "Only what was last used later",
        schema: time,
        read: Read::Values(|query, name| query.time(name).map(|time| after(time, || Box::new(t::last_used_at)))),
    },
    Filter {
        name: "last-used-before",
        about: "Only what was last used earlier; not what never was",
        schema: time,
        read: Read::Values(|query, name| query.time(name).map(|time| before(time, || Box::new(t::last_used_at)))),
    },
    Filter {
        name: "expires-after",
        about: "Only what ends by itself later (`ends-at`); not what never does",
        schema: time,
        read: Read::Values(|query, name| query.time(name).map(|time| after(time, || Box::new(t::ends_at)))),
    },
    Filter {
        name: "expires-before",
        about: "Only what ends by itself earlier (`ends-at`); not what never does",
        schema: time,
        read: Read::Values(|query, name| query.time(name).map(|time| before(time, || Box::new(t::ends_at)))),
    },
    revoked_after(REVOKED_AFTER, "Only what was revoked later, also what is revoked by now"),
    revoked_before(REVOKED_BEFORE, "Only what was revoked earlier, also what is revoked by now"),
    revoked_after(DELETED_AFTER, "The same as `revoked-after`"),
    revoked_before(DELETED_BEFORE, "The same as `revoked-before`"),
    Filter {
        name: "unused-for-days",
        about: "Only what was not used for so many days, or was made before and never used",
        schema: || count(0).maximum(Some(UNUSED_DAYS_MAX)).into(),
        read: Read::Values(|query, name| query.days(name).map(|days| holds(move || unused(days, days)))),
    },
    Filter {
        name: "stale",
        about: "`true`: only what is active and was not used for 90 days, or never and was made 30 days ago; `false`: \
                only the rest",
        schema: YesNo::schema,
        read: Read::Values(|query, name| query.word::<YesNo>(name).map(|asked| whether(asked, stale))),
    },
    Filter {
        name: "expiry_status",
        about: "Only what expires so, by its own time or its organization's policy; several with commas",
        schema: ExpiryStatus::schema,
        read: Read::Values(|query, name| {
            query
                .words::<ExpiryStatus>(name)
                .map(|asked| holds(move || any(asked.iter().copied().map(expiring)).unwrap_or_else(never)))
        }),
    },
];

/// How a token must stand now. The counts of each status leave these out.
pub(super) const BY_STATUS: &[Filter] = &[
    Filter {
        name: STATUS,
        about: "Only what stands so; several with commas. With `revoked`, also what is revoked by now. `disabled` is \
                another word for `inactive`",
        schema: || one_of(STATUS_WORDS).into(),
        read: Read::Values(|query, name| {
            query
                .words_of(name, STATUS_WORDS, status)
                .map(|asked| holds(move || boxed(t::status.eq_any(asked.clone()).nullable())))
        }),
    },
    Filter {
        name: TRASHED,
        about: "`with`: also what is revoked, which is left out without it; `only`: nothing else; `without`: none",
        schema: Trashed::schema,
        read: Read::Values(|query, name| {
            query.word::<Trashed>(name).map(|asked| match asked {
                Trashed::With => holds(always),
                Trashed::Only => holds(|| boxed(t::status.eq(Status::Revoked).nullable())),
                Trashed::Without => holds(|| boxed(not_revoked().nullable())),
            })
        }),
    },
];

/// Those that the list of everybody's tokens knows beside these.
pub(super) const OF_ALL: &[Filter] = &[
    Filter {
        name: "organization",
        about: "Only those of these organizations and of what is in them, by id or name; several with commas",
        schema: text,
        read: Read::Names(What::Organization),
    },
    Filter {
        name: "user",
        about: "Only those of these users, by id or name, also of deleted ones; several with commas",
        schema: text,
        read: Read::Names(What::User),
    },
];

pub(super) const STATUS: &str = "status";
pub(in crate::tokens) const TRASHED: &str = "trashed";
pub(super) const REVOKED_AFTER: &str = "revoked-after";
pub(super) const REVOKED_BEFORE: &str = "revoked-before";
pub(super) const DELETED_AFTER: &str = "deleted-after";
pub(super) const DELETED_BEFORE: &str = "deleted-before";

const fn revoked_after(name: &'static str, about: &'static str) -> Filter {
    let read: ReadFilter = |query, name| query.time(name).map(|time| after(time, || Box::new(t::revoked_at)));
    Filter { name, about, schema: time, read: Read::Values(read) }
}

const fn revoked_before(name: &'static str, about: &'static str) -> Filter {
    let read: ReadFilter = |query, name| query.time(name).map(|time| before(time, || Box::new(t::revoked_at)));
    Filter { name, about, schema: time, read: Read::Values(read) }
}

fn text() -> RefOr<Schema> {
    schema::text().into()
}

fn time() -> RefOr<Schema> {
    schema::time().into()
}
