//! One page of any query, in any of the orders that a list offers (docs/design.md §5).
//!
//! [`page`] wraps a query as `SELECT * FROM (query) AS page …` and adds order, limit and, for cursors, the
//! condition "after this row", whose cost does not grow with depth. Nulls come last ascending and first
//! descending, but what has not happened yet comes before what has; ties are broken by the ascending id.

use std::rc::Rc;

use chrono::{DateTime, Datelike, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::query_dsl::methods::LoadQuery;
use diesel::sql_types::{BigInt, Nullable, Text};
use serde_json::Value;

use crate::jsonapi::{Cursor, Direction, Error, More, Page, PageInfo, PageRequest, Query as ListQuery, Result, Sort};

/// A column that a list can be sorted by: declared once for the `sort` parameter, the SQL and the cursor.
pub struct SortColumn<Row> {
    /// Its name in the `sort` parameter.
    pub key: &'static str,
    /// Its name in the query's result.
    column: &'static str,
    value: SortValue<Row>,
    /// Whether case plays no part.
    folded: bool,
}

/// What a row has in the column.
enum SortValue<Row> {
    Text(fn(&Row) -> String),
    /// There is no text that comes after all others, for which null could count.
    TextOrNull(fn(&Row) -> Option<String>),
    Number(fn(&Row) -> i64),
    Time(fn(&Row) -> DateTime<Utc>),
    /// Null counts as the end of time, so that an index on `coalesce(column, 'infinity')` gives the order.
    TimeOrNever(fn(&Row) -> Option<DateTime<Utc>>),
    /// Null counts as the beginning of time.
    TimeOrNotYet(fn(&Row) -> Option<DateTime<Utc>>),
}

/// Whether a comparison has to reckon with null.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Nulls {
    /// It is never there, or counts as a value.
    None,
    /// It comes after every value.
    Last,
}

impl<Row> SortColumn<Row> {
    const fn new(key: &'static str, column: &'static str, value: SortValue<Row>) -> Self {
        Self { key, column, value, folded: false }
    }

    /// A text that is always there.
    pub const fn text(key: &'static str, column: &'static str, value: fn(&Row) -> String) -> Self {
        Self::new(key, column, SortValue::Text(value))
    }

    pub const fn text_or_null(key: &'static str, column: &'static str, value: fn(&Row) -> Option<String>) -> Self {
        Self::new(key, column, SortValue::TextOrNull(value))
    }

    /// A name that is always there; upper and lower case are alike, as where names must differ.
    pub const fn name(key: &'static str, column: &'static str, value: fn(&Row) -> String) -> Self {
        Self { folded: true, ..Self::text(key, column, value) }
    }

    pub const fn name_or_null(key: &'static str, column: &'static str, value: fn(&Row) -> Option<String>) -> Self {
        Self { folded: true, ..Self::text_or_null(key, column, value) }
    }

    /// A time that is always there.
    pub const fn time(key: &'static str, column: &'static str, value: fn(&Row) -> DateTime<Utc>) -> Self {
        Self::new(key, column, SortValue::Time(value))
    }

    /// A whole number that is always there.
    pub const fn number(key: &'static str, column: &'static str, value: fn(&Row) -> i64) -> Self {
        Self::new(key, column, SortValue::Number(value))
    }

    /// A time to come, or null for never: that is after every time.
    pub const fn time_or_never(
        key: &'static str,
        column: &'static str,
        value: fn(&Row) -> Option<DateTime<Utc>>,
    ) -> Self {
        Self::new(key, column, SortValue::TimeOrNever(value))
    }

    /// The time of what has happened, or null if it has not: that is before every time.
    pub const fn time_or_not_yet(
        key: &'static str,
        column: &'static str,
        value: fn(&Row) -> Option<DateTime<Utc>>,
    ) -> Self {
        Self::new(key, column, SortValue::TimeOrNotYet(value))
    }

    const fn sql_type(&self) -> &'static str {
        match self.value {
            SortValue::Text(_) | SortValue::TextOrNull(_) => "text",
            SortValue::Number(_) => "bigint",
            SortValue::Time(_) | SortValue::TimeOrNever(_) | SortValue::TimeOrNotYet(_) => "timestamptz",
        }
    }

    fn ordered(&self, direction: Direction) -> Ordered {
        let null_as = match self.value {
            SortValue::TimeOrNever(_) => Some("infinity"),
            SortValue::TimeOrNotYet(_) => Some("-infinity"),
            _ => None,
        };
        let nulls = if matches!(self.value, SortValue::TextOrNull(_)) { Nulls::Last } else { Nulls::None };
        Ordered { column: self.column, sql_type: self.sql_type(), null_as, nulls, folded: self.folded, direction }
    }

    /// The value in a row, as PostgreSQL reads it back from text.
    fn of(&self, row: &Row) -> Option<String> {
        match self.value {
            SortValue::Text(value) => Some(value(row)),
            SortValue::TextOrNull(value) => value(row),
            SortValue::Number(value) => Some(value(row).to_string()),
            SortValue::Time(value) => Some(value(row).to_rfc3339()),
            SortValue::TimeOrNever(value) | SortValue::TimeOrNotYet(value) => value(row).map(|time| time.to_rfc3339()),
        }
    }
}

/// A row of a list.
pub trait Listed: Sized + 'static {
    /// What the list can be sorted by.
    const COLUMNS: &'static [SortColumn<Self>];

    /// The id, the last of every order.
    fn id(&self) -> uuid::Uuid;
}

/// The keys of all columns of a type of row, for the `sort` of a `QuerySpec`.
macro_rules! sort_keys {
    ($row:ty) => {
        $crate::jsonapi::names!(key of <$row as $crate::database::page::Listed>::COLUMNS)
    };
}
pub(crate) use sort_keys;

/// Loads the page that a request asks for out of everything that `query` finds.
///
/// A statement stays prepared only for lists that are asked for without filter, search and order: with them there are
/// too many to keep.
///
/// # Errors
/// 400 for a cursor that holds something else than a place in this list; else the database's own.
pub fn page<Q, Row>(connection: &mut PgConnection, query: Q, asked: &ListQuery) -> Result<Page<Row>>
where
    Q: QueryFragment<Pg> + Query,
    Row: Listed,
    for<'a> PageQuery<Q>: LoadQuery<'a, PgConnection, (Row, i64)>,
    for<'a> Count<Q>: LoadQuery<'a, PgConnection, i64>,
{
    let (sort, request, kept) = (asked.sort(), asked.page(), asked.is_plain());
    let order = order::<Row>(sort)?;
    let query = Rc::new(query);
    match request {
        PageRequest::Number { size, .. } => {
            let offset = request.offset();
            let part = Part { limit: *size, offset, beyond: None, counted: true };
            let loaded: Vec<(Row, i64)> = PageQuery { query: Rc::clone(&query), order, part, kept }.load(connection)?;
            let total = match loaded.first() {
                Some((_, total)) => *total,
                None if offset == 0 => 0,
                None => Count { query, kept }.get_result(connection)?,
            };
            Ok(Page { rows: rows(loaded), info: PageInfo::Numbered { total } })
        }
        PageRequest::Cursor { after, before, size } => {
            let (end, toward) = match (after, before) {
                (_, Some(before)) => (Some(before), Toward::Start),
                (after, None) => (after.as_ref(), Toward::End),
            };
            let beyond = end.map(|cursor| place(cursor, &order).ok_or_else(|| request.bad_cursor())).transpose()?;
            let order = if toward == Toward::Start { reversed(order) } else { order };
            let part = Part { limit: size + 1, offset: 0, beyond, counted: false };
            let loaded: Vec<(Row, i64)> = PageQuery { query, order, part, kept }.load(connection)?;
            let came_from = if end.is_some() { More::Follows } else { More::Ends };
            Ok(cut(rows(loaded), *size, toward, came_from, sort))
        }
    }
}

fn rows<Row>(loaded: Vec<(Row, i64)>) -> Vec<Row> {
    loaded.into_iter().map(|(row, _)| row).collect()
}

/// Drops the row that was read only to learn whether there are more, and says what lies on both sides.
fn cut<Row: Listed>(mut rows: Vec<Row>, size: i64, toward: Toward, came_from: More, sort: &[Sort]) -> Page<Row> {
    let more = i64::try_from(rows.len()).is_ok_and(|read| read > size);
    rows.truncate(usize::try_from(size).unwrap_or(usize::MAX));
    let more = if more { More::Follows } else { More::Ends };
    let (previous, next) = match toward {
        Toward::End => (came_from, more),
        Toward::Start => {
            rows.reverse();
            (more, came_from)
        }
    };
    let cursors = rows.iter().map(|row| cursor(row, sort)).collect();
    Page { rows, info: PageInfo::Cursors { rows: cursors, previous, next } }
}

fn cursor<Row: Listed>(row: &Row, sort: &[Sort]) -> Cursor {
    let columns = sort.iter().filter_map(|sort| Row::COLUMNS.iter().find(|column| column.key == sort.key));
    let keys = columns.map(|column| column.of(row).map_or(Value::Null, Value::from));
    Cursor(keys.chain([Value::from(row.id().to_string())]).collect())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Toward {
    Start,
    End,
}

#[derive(Debug, Clone, Copy)]
struct Ordered {
    column: &'static str,
    sql_type: &'static str,
    null_as: Option<&'static str>,
    nulls: Nulls,
    folded: bool,
    direction: Direction,
}

const ID: Ordered = Ordered {
    column: "id",
    sql_type: "uuid",
    null_as: None,
    nulls: Nulls::None,
    folded: false,
    direction: Direction::Ascending,
};

/// A list's `QuerySpec::sort` names only keys that its columns have; another one is our own mistake.
fn order<Row: Listed>(sort: &[Sort]) -> Result<Vec<Ordered>> {
    let mut order = Vec::with_capacity(sort.len() + 1);
    for Sort { key, direction } in sort {
        let Some(found) = Row::COLUMNS.iter().find(|column| column.key == *key) else {
            log::error!("a list offers to sort by {key}, but has no column for it");
            return Err(Error::internal());
        };
        order.push(found.ordered(*direction));
    }
    order.push(ID);
    Ok(order)
}

fn reversed(order: Vec<Ordered>) -> Vec<Ordered> {
    let turn = |key: Ordered| Ordered { direction: key.direction.reversed(), ..key };
    order.into_iter().map(turn).collect()
}

/// The values of a cursor, if they are of the order's types, so that the database does not stumble over them.
fn place(cursor: &Cursor, order: &[Ordered]) -> Option<Vec<Option<String>>> {
    let of_order = |(value, key): (&Value, &Ordered)| match value {
        Value::Null if key.column != ID.column => Some(key.null_as.map(str::to_owned)),
        Value::String(text) => plain(key.sql_type, text).map(Some),
        _ => None,
    };
    (cursor.0.len() == order.len()).then(|| cursor.0.iter().zip(order).map(of_order).collect())?
}

/// A value as PostgreSQL reads it, if it is of the type. Our own parsers take spellings that PostgreSQL refuses, such
/// as `urn:uuid:…` and the year 0.
fn plain(sql_type: &str, text: &str) -> Option<String> {
    match sql_type {
        "uuid" => text.parse::<uuid::Uuid>().ok().map(|id| id.to_string()),
        "timestamptz" => {
            let time = DateTime::parse_from_rfc3339(text).ok()?.to_utc();
            (1..=9999).contains(&time.year()).then(|| time.to_rfc3339())
        }
        "bigint" => text.parse::<i64>().ok().map(|number| number.to_string()),
        _ => Some(text.to_owned()),
    }
}

#[derive(Debug, Clone)]
struct Part {
    limit: i64,
    offset: i64,
    /// The row that the page lies beyond: one value per key of the order.
    beyond: Option<Vec<Option<String>>>,
    counted: bool,
}

/// A part of a query's rows, each beside the number of all rows.
#[derive(Debug, Clone)]
pub struct PageQuery<Q> {
    query: Rc<Q>,
    order: Vec<Ordered>,
    part: Part,
    /// Whether the statement stays prepared.
    kept: bool,
}

impl<Q: Query> Query for PageQuery<Q> {
    type SqlType = (Q::SqlType, BigInt);
}

impl<Q> QueryId for PageQuery<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q> RunQueryDsl<PgConnection> for PageQuery<Q> {}

impl<Q: QueryFragment<Pg>> QueryFragment<Pg> for PageQuery<Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        if !self.kept {
            out.unsafe_to_cache_prepared();
        }
        out.push_sql("SELECT page.*, ");
        if self.part.counted {
            // Not count(*) OVER (): counted by itself, a list need not be joined to what is only shown.
            out.push_sql("(");
            walk_count(&*self.query, out.reborrow())?;
            out.push_sql(")");
        } else {
            out.push_sql("0::bigint");
        }
        out.push_sql(" FROM (");
        self.query.walk_ast(out.reborrow())?;
        out.push_sql(") AS page");
        if let Some(values) = &self.part.beyond {
            out.push_sql(" WHERE ");
            match one_way(&self.order) {
                Some(direction) => walk_row_beyond(direction, &self.order, values, &mut out)?,
                None => {
                    walk_from(&self.order, values, &mut out)?;
                    out.push_sql("(");
                    walk_beyond(&self.order, values, &mut out)?;
                    out.push_sql(")");
                }
            }
        }
        out.push_sql(" ORDER BY ");
        for (nth, key) in self.order.iter().enumerate() {
            out.push_sql(if nth == 0 { "" } else { ", " });
            walk_key(key, &mut out)?;
            // Also PostgreSQL's own: nulls last ascending, first descending.
            out.push_sql(if key.direction == Direction::Ascending { " ASC" } else { " DESC" });
        }
        out.push_sql(" LIMIT ");
        out.push_bind_param::<BigInt, _>(&self.part.limit)?;
        out.push_sql(" OFFSET ");
        out.push_bind_param::<BigInt, _>(&self.part.offset)
    }
}

/// The direction of all keys, if it is the same and none can be null.
fn one_way(order: &[Ordered]) -> Option<Direction> {
    let direction = order.first()?.direction;
    order.iter().all(|key| key.direction == direction && key.nulls == Nulls::None).then_some(direction)
}

/// `(k1, k2, …) beyond (v1, v2, …)`: an index can begin at that very row.
fn walk_row_beyond<'b>(
    direction: Direction,
    order: &[Ordered],
    values: &'b [Option<String>],
    out: &mut AstPass<'_, 'b, Pg>,
) -> QueryResult<()> {
    for (nth, key) in order.iter().enumerate() {
        out.push_sql(if nth == 0 { "(" } else { ", " });
        walk_key(key, out)?;
    }
    out.push_sql(if direction == Direction::Ascending { ") > (" } else { ") < (" });
    for (nth, (key, value)) in order.iter().zip(values).enumerate() {
        out.push_sql(if nth == 0 { "" } else { ", " });
        walk_value(key, value, out)?;
    }
    out.push_sql(")");
    Ok(())
}

/// `k1 not before v1 AND`: says nothing new, but an index can begin there, which it cannot with an `OR`.
fn walk_from<'b>(order: &[Ordered], values: &'b [Option<String>], out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
    let (Some(key), Some(value @ Some(_))) = (order.first(), values.first()) else { return Ok(()) };
    match (key.direction, key.nulls) {
        // Those that are null lie beyond, too.
        (Direction::Ascending, Nulls::Last) => return Ok(()),
        (Direction::Ascending, Nulls::None) => walk_comparison(key, " >= ", value, out)?,
        (Direction::Descending, _) => walk_comparison(key, " <= ", value, out)?,
    }
    out.push_sql(" AND ");
    Ok(())
}

/// `(k1 beyond v1) OR (k1 = v1 AND k2 beyond v2) OR …`
fn walk_beyond<'b>(order: &[Ordered], values: &'b [Option<String>], out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
    for nth in 0..order.len() {
        out.push_sql(if nth == 0 { "(" } else { " OR (" });
        for (key, value) in order.iter().zip(values).take(nth) {
            walk_key(key, out)?;
            out.push_sql(" IS NOT DISTINCT FROM ");
            walk_value(key, value, out)?;
            out.push_sql(" AND ");
        }
        walk_key_beyond(&order[nth], &values[nth], out)?;
        out.push_sql(")");
    }
    Ok(())
}

fn walk_key_beyond<'b>(key: &Ordered, value: &'b Option<String>, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
    match (key.direction, value) {
        (Direction::Ascending, None) => out.push_sql("false"),
        (Direction::Descending, None) => {
            walk_key(key, out)?;
            out.push_sql(" IS NOT NULL");
        }
        (Direction::Ascending, Some(_)) if key.nulls == Nulls::Last => {
            out.push_sql("(");
            walk_comparison(key, " > ", value, out)?;
            out.push_sql(" OR ");
            walk_key(key, out)?;
            out.push_sql(" IS NULL)");
        }
        (Direction::Ascending, Some(_)) => walk_comparison(key, " > ", value, out)?,
        (Direction::Descending, Some(_)) => walk_comparison(key, " < ", value, out)?,
    }
    Ok(())
}

fn walk_comparison<'b>(
    key: &Ordered,
    operator: &str,
    value: &'b Option<String>,
    out: &mut AstPass<'_, 'b, Pg>,
) -> QueryResult<()> {
    walk_key(key, out)?;
    out.push_sql(operator);
    walk_value(key, value, out)
}

fn walk_key(key: &Ordered, out: &mut AstPass<'_, '_, Pg>) -> QueryResult<()> {
    if key.null_as.is_some() {
        out.push_sql("coalesce(");
    }
    out.push_sql(if key.folded { "lower(page." } else { "page." });
    out.push_identifier(key.column)?;
    out.push_sql(if key.folded { ")" } else { "" });
    if let Some(null_as) = key.null_as {
        out.push_sql(", '");
        out.push_sql(null_as);
        out.push_sql("'::");
        out.push_sql(key.sql_type);
        out.push_sql(")");
    }
    Ok(())
}

fn walk_value<'b>(key: &Ordered, value: &'b Option<String>, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
    out.push_sql(if key.folded { "lower(" } else { "" });
    out.push_bind_param::<Nullable<Text>, _>(value)?;
    out.push_sql("::");
    out.push_sql(key.sql_type);
    out.push_sql(if key.folded { ")" } else { "" });
    Ok(())
}

/// How many rows a query finds.
#[derive(Debug, Clone)]
pub struct Count<Q> {
    query: Rc<Q>,
    kept: bool,
}

impl<Q: Query> Query for Count<Q> {
    type SqlType = BigInt;
}

impl<Q> QueryId for Count<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q> RunQueryDsl<PgConnection> for Count<Q> {}

impl<Q: QueryFragment<Pg>> QueryFragment<Pg> for Count<Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        if !self.kept {
            out.unsafe_to_cache_prepared();
        }
        walk_count(&*self.query, out)
    }
}

fn walk_count<'b, Q: QueryFragment<Pg>>(query: &'b Q, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
    out.push_sql("SELECT count(*) FROM (");
    query.walk_ast(out.reborrow())?;
    out.push_sql(") AS counted");
    Ok(())
}
