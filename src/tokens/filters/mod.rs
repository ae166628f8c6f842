//! What lists of tokens can be filtered by: one table (`table.rs`), for reading the query, for SQL and for OpenAPI.
//!
//! All filters that are there must hold; in a list with commas, any of its values may.

mod conditions;
mod named;
mod table;
mod values;

use diesel::prelude::*;
use serde_json::Value;
use utoipa::openapi::schema::{SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};

pub(super) use conditions::{Condition, always, any, boxed, never};
use conditions::{Holds, holds};
use named::Named;
use table::{BY_STATUS, DELETED_AFTER, DELETED_BEFORE, FILTERS, OF_ALL, REVOKED_AFTER, REVOKED_BEFORE, Read, STATUS};
pub(super) use table::{Filter, TRASHED};
pub(super) use values::Trashed;
use values::{Reader, items};

use super::store::not_revoked;
use crate::access::Caller;
use crate::credential::Status;
use crate::jsonapi::{Error, Query, Result, names};

/// Every filter of every list.
pub(super) fn all() -> impl Iterator<Item = &'static Filter> {
    FILTERS.iter().chain(BY_STATUS)
}

/// Those that the list of everybody's tokens has beside these.
pub(super) fn of_all() -> impl Iterator<Item = &'static Filter> {
    OF_ALL.iter()
}

/// The names of all filters, for a `QuerySpec`.
pub(super) const NAMES: &[&str] = names!(name of FILTERS, BY_STATUS);

/// The same of the list of everybody's tokens.
pub(super) const NAMES_OF_EVERYBODY: &[&str] = names!(name of FILTERS, BY_STATUS, OF_ALL);

/// The filters of one request, in which names are still to be looked up.
pub(super) struct Filters {
    named: Vec<Named>,
    conditions: Conditions,
}

/// What the filters of one request hold a list to.
#[derive(Default)]
pub(super) struct Conditions {
    others: Vec<Holds>,
    by_status: Vec<Holds>,
}

impl Filters {
    /// Reads the filters of a query, and tells of all faults in them together.
    ///
    /// # Errors
    /// 400 with each parameter that is at fault.
    pub(super) fn of(query: &Query) -> Result<Self> {
        Self::read(query, FILTERS.iter())
    }

    /// The same of a query for everybody's tokens.
    ///
    /// # Errors
    /// As [`Self::of`].
    pub(super) fn of_everybody(query: &Query) -> Result<Self> {
        Self::read(query, FILTERS.iter().chain(OF_ALL))
    }

    fn read(query: &Query, filters: impl Iterator<Item = &'static Filter>) -> Result<Self> {
        let (mut reader, mut named) = (Reader::new(query), vec![]);
        let mut values = |filter: &'static Filter| match filter.read {
            Read::Values(read) => read(&mut reader, filter.name),
            Read::Names(what) => {
                let given = query.given(filter.name).to_vec();
                named.extend((!given.is_empty()).then_some(Named { what, given }));
                None
            }
        };
        let others = filters.filter_map(&mut values).collect();
        let mut by_status: Vec<Holds> = BY_STATUS.iter().filter_map(&mut values).collect();
        Error::check(reader.faults)?;
        if !asks_for_revoked(query) {
            by_status.push(holds(|| boxed(not_revoked().nullable())));
        }
        Ok(Self { named, conditions: Conditions { others, by_status } })
    }

    /// What they hold a list to. A name counts where the caller sees what has it: within the organization that the request
    /// is about, or everywhere.
    ///
    /// # Errors
    /// 400 for what is neither an id nor such a name.
    pub(super) fn looked_up(self, connection: &mut PgConnection, caller: &Caller) -> Result<Conditions> {
        let Self { named, mut conditions } = self;
        let mut faults = vec![];
        for named in named {
            match named.condition(connection, caller) {
                Ok(condition) => conditions.others.push(condition),
                Err(fault) => faults.push(fault),
            }
        }
        Error::check(faults)?;
        Ok(conditions)
    }
}

impl Conditions {
    /// What every filter demands but those by status: what the counts of a list hold to.
    pub(super) fn others(&self) -> Vec<Condition> {
        self.others.iter().map(|holds| holds()).collect()
    }

    /// How a token must stand now. What is revoked is left out, unless the client asks for it in any way.
    pub(super) fn by_status(&self) -> Vec<Condition> {
        self.by_status.iter().map(|holds| holds()).collect()
    }
}

/// What `filter[trashed]` asks of one token.
pub(super) fn trashed(query: &Query) -> Result<Trashed> {
    let mut reader = Reader::new(query);
    let trashed = reader.word(TRASHED);
    Error::check(reader.faults)?;
    Ok(trashed.unwrap_or_default())
}

/// Whether a client asks for what is revoked, by a status or a time.
fn asks_for_revoked(query: &Query) -> bool {
    let there = |filter| !query.given(filter).is_empty();
    let revoked = Status::Revoked.as_str();
    let named = query.given(STATUS).iter().flat_map(items).any(|(_, word)| word == revoked);
    let of_time = [REVOKED_AFTER, REVOKED_BEFORE, DELETED_AFTER, DELETED_BEFORE];
    named || there(TRASHED) || of_time.into_iter().any(there)
}

/// The table of filters in `docs/tokens.md`, which a test holds to the file.
#[must_use]
pub fn reference() -> String {
    let rows: String = all()
        .map(|filter| {
            let name =
                if filter.name.ends_with(".*") { format!("{}[key]", filter.written()) } else { filter.name.into() };
            format!("| `{name}` | {} | {} |\n", taken(&(filter.schema)()), filter.about)
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
