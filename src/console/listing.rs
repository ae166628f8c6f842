//! A list whose whole state is in its URL: what is searched and filtered, its order, and the page. The parameters are those of
//! the API, and are read by the same rules.

use url::form_urlencoded::Serializer;

use super::page::Visit;
use super::shell::Shown;
use crate::jsonapi::{Direction, More, PageInfo, Query, QuerySpec, Result};

/// What a list is asked for, and the way to its other pages.
pub(super) struct Listing {
    pub(super) query: Query,
    path: String,
    /// Every parameter that is there and not empty.
    parameters: Vec<(String, String)>,
    next: Option<String>,
    previous: Option<String>,
}

/// Where in the list a page is.
const PLACE: [&str; 2] = ["page[after]", "page[before]"];

impl Listing {
    /// Reads the query of a page. Fields that a form has left empty ask for nothing.
    ///
    /// # Errors
    /// 400 for what a list does not know.
    pub(super) fn asked(visit: &Visit, spec: &'static QuerySpec) -> Result<Self> {
        let parameters = visit.fields.all_given();
        let is_of_api = |name: &str| {
            matches!(name, "q" | "sort") || ["filter[", "page["].iter().any(|start| name.starts_with(start))
        };
        let mut asked: Vec<_> = parameters.iter().filter(|(name, _)| is_of_api(name)).cloned().collect();
        // By cursor, also the first page: that costs as much however long the list is.
        if !asked.iter().any(|(name, _)| PLACE.contains(&name.as_str())) {
            asked.push((PLACE[0].to_owned(), String::new()));
        }
        let written = Serializer::new(String::new()).extend_pairs(asked).finish();
        // The API's rules know no `+` for a space.
        let query = Query::parse(&written.replace('+', "%20"), spec)?;
        let path = visit.here.split('?').next().unwrap_or_default().to_owned();
        Ok(Self { query, path, parameters, next: None, previous: None })
    }

    /// Says what was found.
    pub(super) fn found(&mut self, info: &PageInfo) {
        let PageInfo::Cursors { rows, previous, next } = info else { return };
        let cursor = |more: More, row: Option<&crate::jsonapi::Cursor>| {
            row.filter(|_| more == More::Follows).map(|row| row.encode(self.query.sort()))
        };
        let (after, before) = (cursor(*next, rows.last()), cursor(*previous, rows.first()));
        self.next = after.map(|cursor| self.with(&[(PLACE[0], &cursor)]));
        self.previous = before.map(|cursor| self.with(&[(PLACE[1], &cursor)]));
    }

    /// The page after this one.
    pub(super) fn next(&self) -> Option<&str> {
        self.next.as_deref()
    }

    /// The page before this one.
    pub(super) fn previous(&self) -> Option<&str> {
        self.previous.as_deref()
    }

    /// What is searched for.
    pub(super) fn q(&self) -> &str {
        self.query.q().unwrap_or_default()
    }

    /// The first page of the same list with other parameters; an empty value takes one away.
    pub(super) fn with(&self, changes: &[(&str, &str)]) -> String {
        let changed = |name: &str| changes.iter().any(|(other, _)| *other == name);
        let kept = self.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let kept = kept.filter(|(name, _)| !changed(name) && !PLACE.contains(name));
        let new = changes.iter().copied().filter(|(_, value)| !value.is_empty());
        let query = Serializer::new(String::new()).extend_pairs(kept.chain(new)).finish();
        if query.is_empty() { self.path.clone() } else { format!("{}?{query}", self.path) }
    }

    /// Whether something is searched, so that an empty list may only be an empty result.
    pub(super) fn is_narrowed(&self) -> bool {
        self.parameters.iter().any(|(name, _)| name == "q" || name.starts_with("filter["))
    }

    /// By what the list is ordered first, and in which direction.
    pub(super) fn order(&self) -> (&str, Direction) {
        self.query.sort().first().map_or(("", Direction::Ascending), |sort| (sort.key, sort.direction))
    }

    /// What is asked of the list, but for these: what a form sends along that asks for something else.
    pub(super) fn beside(&self, names: &[&str]) -> Vec<(String, String)> {
        let kept = self.parameters.iter().filter(|(name, _)| !names.contains(&name.as_str()));
        kept.filter(|(name, _)| !PLACE.contains(&name.as_str()) && name != "about").cloned().collect()
    }

    /// The filters that are there: what each says, and the list without it.
    pub(super) fn filters(&self) -> Vec<(String, String)> {
        let filters = self.parameters.iter().filter(|(name, _)| name.starts_with("filter["));
        let said = |name: &str, value: &str| {
            let name =
                name.trim_start_matches("filter[").trim_end_matches(']').replace(['_', '-'], " ").replace("][", " ");
            format!("{name}: {}", Shown(value))
        };
        filters.map(|(name, value)| (said(name, value), self.with(&[(name, "")]))).collect()
    }
}
