//! Which page of a list is asked for (docs/design.md §5): by number, as the HCP API has it, or by cursor, as the
//! cursor-pagination profile of JSON:API has it.
//!
//! A cursor holds the sort values of one row; how they become a query is the business of a room.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::error::{Error, Result};
use super::sort::{Direction, Sort};

/// The URI of the cursor-pagination profile.
pub const CURSOR_PROFILE: &str = "https://jsonapi.org/profiles/ethanresnick/cursor-pagination/";

/// The kind of error for `page[after]` together with `page[before]` (profile, "Error Cases").
pub(super) const RANGE_NOT_SUPPORTED: &str =
    "https://jsonapi.org/profiles/ethanresnick/cursor-pagination/range-pagination-not-supported";

/// The kind of error for a `page[size]` that is too large (profile, "Max Page Size Exceeded Error").
pub(super) const MAX_SIZE_EXCEEDED: &str =
    "https://jsonapi.org/profiles/ethanresnick/cursor-pagination/max-size-exceeded";

/// The rows of a page where the client does not say (docs/design.md §5).
pub const DEFAULT_PAGE_SIZE: i64 = 20;

/// The most rows of a page; a client that asks for more by number gets as many (docs/design.md §5).
pub const MAX_PAGE_SIZE: i64 = 100;

/// How many rows the pages of a list have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageSizes {
    /// Where the client does not say.
    pub default: i64,
    /// At most; more is taken as this.
    pub most: i64,
}

impl PageSizes {
    /// 20, at most 100 (docs/design.md §5).
    pub const USUAL: Self = Self { default: DEFAULT_PAGE_SIZE, most: MAX_PAGE_SIZE };
    /// 20, at most 500: where no HCP client asks, and many rows are read at once.
    pub const LARGE: Self = Self { most: 500, ..Self::USUAL };
}

/// Which page of a list is asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum PageRequest {
    /// `page[number]`, from 1
    Number {
        /// The page, from 1.
        number: i64,
        /// Rows of a page, from 1 to [`MAX_PAGE_SIZE`].
        size: i64,
    },
    /// `page[after]` or `page[before]`, never both; neither is the beginning of the list
    Cursor {
        /// Rows that come after this one.
        after: Option<Cursor>,
        /// The last rows that come before this one.
        before: Option<Cursor>,
        /// Rows of a page, from 1 to [`MAX_PAGE_SIZE`].
        size: i64,
    },
}

impl Default for PageRequest {
    fn default() -> Self {
        Self::Number { number: 1, size: DEFAULT_PAGE_SIZE }
    }
}

impl PageRequest {
    /// The rows of a page.
    pub fn size(&self) -> i64 {
        match self {
            Self::Number { size, .. } | Self::Cursor { size, .. } => *size,
        }
    }

    /// The rows before a numbered page; 0 with cursors. Never overflows.
    pub fn offset(&self) -> i64 {
        match self {
            Self::Number { number, size } => (number - 1).saturating_mul(*size),
            Self::Cursor { .. } => 0,
        }
    }

    /// 400 for a cursor that was read but whose values do not fit the columns of the sort.
    ///
    /// Cursors are not signed: a room checks their number and types before it uses them.
    pub fn bad_cursor(&self) -> Error {
        match self {
            Self::Cursor { before: Some(_), .. } => invalid_cursor("page[before]"),
            _ => invalid_cursor("page[after]"),
        }
    }
}

/// A place in a sorted list: the values of one row by which the list is sorted, and its id.
/// Clients see it as an opaque string.
#[derive(Debug, Clone, PartialEq)]
pub struct Cursor(pub Vec<Value>);

/// What a cursor looks like before it is base64url.
#[derive(Serialize, Deserialize)]
struct CursorDocument {
    sort: String,
    values: Vec<Value>,
}

impl Cursor {
    /// The cursor as clients see it, for a list in this order.
    pub fn encode(&self, sort: &[Sort]) -> String {
        let document = json!({"sort": signature(sort), "values": self.0});
        URL_SAFE_NO_PAD.encode(document.to_string())
    }

    /// Reads a cursor; `None` if it is malformed or was made under another order.
    pub fn decode(text: &str, sort: &[Sort]) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let document: CursorDocument = serde_json::from_slice(&bytes).ok()?;
        let plain = document.values.iter().all(is_plain);
        (plain && document.sort == signature(sort)).then_some(Self(document.values))
    }
}

/// Whether a value can be that of a column: no structure, and no NUL, which PostgreSQL refuses.
fn is_plain(value: &Value) -> bool {
    match value {
        Value::Array(_) | Value::Object(_) => false,
        Value::String(text) => !text.contains('\0'),
        _ => true,
    }
}

/// An order in the syntax of `sort`.
fn signature(sort: &[Sort]) -> String {
    let keys: Vec<String> = sort
        .iter()
        .map(|sort| match sort.direction {
            Direction::Ascending => sort.key.to_owned(),
            Direction::Descending => format!("-{}", sort.key),
        })
        .collect();
    keys.join(",")
}

/// How a list is paged if no parameter says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PageMode {
    Numbers,
    Cursors,
}

/// Whether a client names the profile. Its text writes the URI with `http:`, so both schemes count.
pub(super) fn names_cursor_profile(profiles: &[String]) -> bool {
    let plain = |uri: &str| {
        let rest = uri.strip_prefix("https://").or_else(|| uri.strip_prefix("http://"));
        rest.map(|rest| rest.trim_end_matches('/').to_owned())
    };
    profiles.iter().any(|uri| plain(uri) == plain(CURSOR_PROFILE))
}

/// The `page[…]` parameters as sent.
#[derive(Debug, Default)]
pub(super) struct PageParameters {
    pub(super) number: Option<String>,
    pub(super) size: Option<String>,
    pub(super) after: Option<String>,
    pub(super) before: Option<String>,
}

impl PageParameters {
    /// The page that is asked for, or every fault of the parameters.
    pub(super) fn read(&self, sort: &[Sort], mode: PageMode, sizes: PageSizes) -> Result<PageRequest> {
        let mut faults = Vec::new();
        let number = self.number.as_deref().map_or(Ok(1), read_number);
        let number = keep(number, &mut faults);
        let cursors = self.has_cursor() || (mode == PageMode::Cursors && self.number.is_none());
        let size = self.size.as_deref().map_or(Ok(sizes.default), |size| read_size(size, sizes.most, cursors));
        let size = keep(size, &mut faults);
        let after = keep(read_cursor("page[after]", self.after.as_deref(), sort), &mut faults);
        let before = keep(read_cursor("page[before]", self.before.as_deref(), sort), &mut faults);
        keep(self.check_combination(), &mut faults);
        Error::check(faults)?;
        if cursors { Ok(PageRequest::Cursor { after, before, size }) } else { Ok(PageRequest::Number { number, size }) }
    }

    fn has_cursor(&self) -> bool {
        self.after.is_some() || self.before.is_some()
    }

    fn check_combination(&self) -> Result<()> {
        if self.after.is_some() && self.before.is_some() {
            let detail = "page[after] and page[before] cannot be used together";
            return Err(Error::parameter("page[before]", detail)
                .with_title("range pagination not supported")
                .with_type(RANGE_NOT_SUPPORTED));
        }
        if self.number.is_some() && self.has_cursor() {
            let detail = "A page has either a number or a cursor";
            return Err(Error::parameter("page[number]", detail));
        }
        Ok(())
    }
}

/// The value, or its default and one fault more.
fn keep<T: Default>(result: Result<T>, faults: &mut Vec<Error>) -> T {
    result.unwrap_or_else(|fault| {
        faults.push(fault);
        T::default()
    })
}

fn read_number(text: &str) -> Result<i64> {
    let number = is_positive(text).then(|| text.parse().ok()).flatten();
    number.ok_or_else(|| {
        let detail = format!("Must be a whole number from 1 to {}", i64::MAX);
        Error::parameter("page[number]", detail)
    })
}

/// How long a page is to be. What is too long is cut to the most, but not of a page by cursor, for which the profile has it
/// refused ("Max Page Size Exceeded Error").
fn read_size(text: &str, most: i64, cursors: bool) -> Result<i64> {
    if !is_positive(text) {
        let detail = format!("Must be a whole number from 1; more than {most} is taken as {most}");
        return Err(Error::parameter("page[size]", detail));
    }
    // What does not even fit an i64 is more than the most, too.
    match text.parse::<i64>() {
        Ok(size) if size <= most => Ok(size),
        _ if cursors => Err(Error::parameter("page[size]", format!("A page by cursor has at most {most} rows"))
            .with_title("max page size exceeded")
            .with_type(MAX_SIZE_EXCEEDED)
            .with_meta("page", json!({ "maxSize": most }))),
        _ => Ok(most),
    }
}

/// Whether a text is a whole number from 1, however large.
fn is_positive(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.bytes().any(|byte| byte != b'0')
}

fn read_cursor(name: &str, text: Option<&str>, sort: &[Sort]) -> Result<Option<Cursor>> {
    match text {
        None | Some("") => Ok(None),
        Some(text) => match Cursor::decode(text, sort) {
            Some(cursor) => Ok(Some(cursor)),
            None => Err(invalid_cursor(name)),
        },
    }
}

fn invalid_cursor(name: &str) -> Error {
    Error::parameter(name, "Is not a cursor of this list in this order")
}
