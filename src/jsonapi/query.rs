//! The query string: each endpoint declares what its own may hold, as [`QuerySpec`], and anything else
//! is 400 with the parameter as the client spelled it (JSON:API "Query Parameters", docs/design.md §5).
//!
//! Pairs are read one at a time, so that a fault, a repetition or broken UTF-8 is laid to the parameter that has it, and
//! all faults of a query are reported together.

use std::collections::{BTreeMap, BTreeSet};

use actix_web::HttpRequest;
use percent_encoding::percent_decode_str;

use super::error::{Error, Result};
use super::negotiation::Answer;
use super::page_request::{PageMode, PageParameters, PageRequest, names_cursor_profile};
use super::query_spec::{Pages, QuerySpec, Search};
use super::sort::{Direction, Sort};

/// What a client gave for one filter.
#[derive(Debug, Clone, Default)]
struct Filter {
    given: Vec<Given>,
    /// All values, with commas between.
    joined: String,
}

/// One time that a client gave a filter: some shipped ones repeat it where others write a list with commas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// The parameter as the client spelled it, for an error.
    pub name: String,
    pub value: String,
    /// What stands where the filter is declared with `*`.
    pub member: Option<String>,
}

/// The most bytes of a query string.
pub const QUERY_MAX: usize = 8 * 1024;

/// The most parameters in one.
pub const PAIRS_MAX: usize = 100;

/// A query string that holds nothing but what its endpoint knows.
#[derive(Debug, Clone, Default)]
pub struct Query {
    page: PageRequest,
    sort: Vec<Sort>,
    searches: BTreeMap<&'static str, String>,
    named_searches: BTreeMap<&'static str, String>,
    filters: BTreeMap<&'static str, Filter>,
    includes: Option<BTreeSet<&'static str>>,
    /// What is included if the client does not say.
    included: &'static [&'static str],
    fields: BTreeMap<&'static str, BTreeSet<String>>,
    parameters: BTreeMap<&'static str, String>,
    pairs: Vec<(String, String)>,
}

impl Query {
    /// Reads the query string of a request. Where the endpoint knows cursors, a client can also
    /// ask for them by naming the profile in `Accept`.
    ///
    /// All faults are reported together, as 400.
    pub fn of(request: &HttpRequest, spec: &'static QuerySpec) -> Result<Self> {
        Ok(Self::raw(request).read(spec, |_| Ok(()))?.0)
    }

    /// The query string of a request, to be read later and elsewhere.
    pub fn raw(request: &HttpRequest) -> RawQuery {
        RawQuery { text: request.query_string().to_owned(), mode: mode_of(request) }
    }

    /// Reads a raw query string (without `?`); see [`Query::of`].
    pub fn parse(raw: &str, spec: &'static QuerySpec) -> Result<Self> {
        Ok(Self::read(raw, spec, PageMode::Numbers, |_| Ok(()))?.0)
    }

    fn read<T>(
        raw: &str,
        spec: &'static QuerySpec,
        mode: PageMode,
        values: impl FnOnce(&Self) -> Result<T>,
    ) -> Result<(Self, T)> {
        if raw.len() > QUERY_MAX {
            return Err(Error::uri_too_long(QUERY_MAX));
        }
        if raw.split('&').filter(|pair| !pair.is_empty()).count() > PAIRS_MAX {
            let detail = format!("A query string may hold at most {PAIRS_MAX} parameters");
            return Err(Error::bad_request("too many parameters", detail));
        }
        let mut reader = Reader::new(spec);
        for pair in raw.split('&').filter(|pair| !pair.is_empty()) {
            if let Err(fault) = reader.take_pair(pair) {
                reader.faults.push(fault);
            }
        }
        reader.finish(mode, values)
    }

    /// Which page is asked for.
    pub fn page(&self) -> &PageRequest {
        &self.page
    }

    /// The order: what the client asked for, or else the endpoint's default.
    pub fn sort(&self) -> &[Sort] {
        &self.sort
    }

    /// Whether nothing was asked for that changes what a list finds or its order: no filter, no search, no sort.
    pub fn is_plain(&self) -> bool {
        let shapes_only = |name: &str| name == "include" || name.starts_with("page[") || name.starts_with("fields[");
        self.pairs.iter().all(|(name, _)| shapes_only(name))
    }

    /// What to search for; never an empty string.
    pub fn q(&self) -> Option<&str> {
        self.q_in("")
    }

    /// What to search for in one field (`q[name]`); never an empty string.
    pub fn q_in(&self, name: &str) -> Option<&str> {
        self.searches.get(name).map(String::as_str).filter(|text| !text.is_empty())
    }

    /// What `search[field]` asks for; never an empty string.
    pub fn search(&self, field: &str) -> Option<&str> {
        self.named_searches.get(field).map(String::as_str).filter(|text| !text.is_empty())
    }

    /// The value of a filter, by the name under which it is declared.
    pub fn filter(&self, name: &str) -> Option<&str> {
        self.filters.get(name).map(|filter| filter.joined.as_str())
    }

    /// The value of a filter that is true or false.
    ///
    /// # Errors
    /// 400 with the parameter for anything else.
    pub fn truth(&self, name: &str) -> Result<Option<bool>> {
        let wrong = |_| Error::parameter(format!("filter[{name}]"), "Must be true or false");
        self.filter(name).map(|word| word.parse().map_err(wrong)).transpose()
    }

    /// Everything that the client gave for a filter, as given: for values that can hold a comma.
    pub fn given(&self, name: &str) -> &[Given] {
        self.filters.get(name).map(|filter| filter.given.as_slice()).unwrap_or_default()
    }

    /// The comma-separated values of a filter; empty ones are left out.
    pub fn filter_list(&self, name: &str) -> Option<Vec<&str>> {
        let value = self.filter(name)?;
        Some(value.split(',').map(str::trim).filter(|item| !item.is_empty()).collect())
    }

    /// Whether related resources are to be included, by the path under which they are declared.
    pub fn includes(&self, name: &str) -> bool {
        self.includes.as_ref().map_or_else(|| self.included.contains(&name), |includes| includes.contains(name))
    }

    /// The value of a plain parameter.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }

    /// The fields of a type that the client wants; `None` means all.
    pub fn fields_of(&self, kind: &str) -> Option<&BTreeSet<String>> {
        self.fields.get(kind)
    }

    /// Whether the client sent `include`, even an empty one.
    pub(super) fn asks_to_include(&self) -> bool {
        self.includes.is_some()
    }

    /// Every parameter as name and value, decoded and in the order of the client.
    pub(super) fn pairs(&self) -> &[(String, String)] {
        &self.pairs
    }
}

/// A query in the making.
struct Reader {
    spec: &'static QuerySpec,
    query: Query,
    page: PageParameters,
    seen: BTreeSet<String>,
    faults: Vec<Error>,
}

impl Reader {
    fn new(spec: &'static QuerySpec) -> Self {
        Self {
            spec,
            query: Query { included: spec.included, ..Query::default() },
            page: PageParameters::default(),
            seen: BTreeSet::new(),
            faults: Vec::new(),
        }
    }

    fn take_pair(&mut self, pair: &str) -> Result<()> {
        let (raw_name, raw_value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = spelled(raw_name);
        let (Some(decoded), Some(value)) = (decode(raw_name), decode(raw_value)) else {
            return Err(Error::parameter(name, "Is not valid UTF-8, or holds a NUL character"));
        };
        let (family, path) = split_brackets(&decoded).ok_or_else(|| unknown_parameter(&name))?;
        self.take(&name, family, &path, &value)?;
        self.query.pairs.push((name, value));
        Ok(())
    }

    fn take(&mut self, name: &str, family: &str, path: &[&str], value: &str) -> Result<()> {
        let unknown = || unknown_parameter(name);
        let spec = self.spec;
        match (family, path) {
            ("page", [member]) => self.take_page(name, member, value),
            ("sort", []) if !spec.sort.is_empty() => self.take_sort(value),
            ("q", []) if spec.q != Search::None => self.take_search(name, "", value),
            ("q", [field]) => {
                let Search::TextOr(fields) = spec.q else {
                    return Err(unknown());
                };
                let field = fields.iter().find(|known| *known == field).ok_or_else(unknown)?;
                self.take_search(name, field, value)
            }
            ("search", [field]) => {
                let field = spec.search.iter().find(|known| *known == field).ok_or_else(unknown)?;
                self.only_once(name, name)?;
                self.query.named_searches.insert(field, value.to_owned());
                Ok(())
            }
            ("filter", [_, ..]) => {
                let declared = spec.filters.iter().find(|filter| is_filter(filter, path));
                self.take_filter(declared.ok_or_else(unknown)?, name, path, value);
                Ok(())
            }
            ("include", [] | ["" | "0"]) => self.take_include(name, value),
            ("fields", [kind]) => self.take_fields(name, kind, value),
            (_, []) if spec.ignored.contains(&family) => Ok(()),
            (_, []) => {
                let declared = spec.parameters.iter().find(|other| **other == family);
                let declared = declared.ok_or_else(unknown)?;
                self.only_once(name, name)?;
                self.query.parameters.insert(declared, value.to_owned());
                Ok(())
            }
            _ => Err(unknown()),
        }
    }

    /// Some shipped clients repeat a filter where others write a list with commas.
    fn take_filter(&mut self, declared: &'static str, name: &str, path: &[&str], value: &str) {
        let filter = self.query.filters.entry(declared).or_default();
        if !filter.joined.is_empty() {
            filter.joined.push(',');
        }
        filter.joined.push_str(value);
        let place = declared.split('.').position(|part| part == "*");
        let member = place.and_then(|place| path.get(place)).map(|member| (*member).to_owned());
        filter.given.push(Given { name: name.to_owned(), value: value.to_owned(), member });
    }

    /// Refuses what was there before, under whatever spelling.
    fn only_once(&mut self, name: &str, key: &str) -> Result<()> {
        if self.seen.insert(key.to_owned()) { Ok(()) } else { Err(Error::parameter(name, "Is there more than once")) }
    }

    fn take_page(&mut self, name: &str, member: &str, value: &str) -> Result<()> {
        let slot = match (self.spec.pages, member) {
            (Pages::None, _) => None,
            (_, "number") => Some(&mut self.page.number),
            (_, "size") => Some(&mut self.page.size),
            (Pages::Both, "after") => Some(&mut self.page.after),
            (Pages::Both, "before") => Some(&mut self.page.before),
            _ => None,
        };
        let slot = slot.ok_or_else(|| unknown_parameter(name))?;
        let before = slot.replace(value.to_owned());
        if before.is_some() {
            return Err(Error::parameter(name, "Is there more than once"));
        }
        Ok(())
    }

    fn take_sort(&mut self, value: &str) -> Result<()> {
        self.only_once("sort", "sort")?;
        let fault = |detail: String| Error::parameter("sort", detail);
        for item in value.split(',') {
            let (name, direction) = sort_key(item);
            let key = self.spec.sort.iter().find(|key| **key == name).ok_or_else(|| {
                let known = self.spec.sort.join(", ");
                fault(format!("\"{}\" is no sort key; known are: {known}", shorten(name)))
            })?;
            if self.query.sort.iter().any(|sort| sort.key == *key) {
                return Err(fault(format!("\"{key}\" is there more than once")));
            }
            self.query.sort.push(Sort { key, direction });
        }
        Ok(())
    }

    fn take_search(&mut self, name: &str, field: &'static str, value: &str) -> Result<()> {
        self.only_once(name, name)?;
        self.query.searches.insert(field, value.to_owned());
        Ok(())
    }

    /// Every detail here holds the words "include parameter": a shipped client looks for them.
    fn take_include(&mut self, name: &str, value: &str) -> Result<()> {
        let fault = |detail: String| Error::parameter(name, detail);
        if self.spec.include.is_empty() {
            return Err(fault("The include parameter is not supported here".into()));
        }
        // The array spelling `include[]` is repeated by nature.
        if name == "include" && self.only_once(name, name).is_err() {
            return Err(fault("The include parameter is there more than once".into()));
        }
        let includes = self.query.includes.get_or_insert_default();
        for path in value.split(',').filter(|_| !value.is_empty()) {
            let declared = self.spec.include.iter().find(|declared| is_same_name(declared, path));
            let Some(declared) = declared else {
                let known = self.spec.include.join(", ");
                let path = shorten(path);
                return Err(fault(format!("The include parameter cannot be \"{path}\"; known are: {known}")));
            };
            includes.insert(*declared);
        }
        Ok(())
    }

    fn take_fields(&mut self, name: &str, kind: &str, value: &str) -> Result<()> {
        let kind = self.spec.types.iter().find(|known| known.name == kind);
        let kind =
            kind.ok_or_else(|| Error::parameter(shorten(name), "No resource of this type can be in the answer"))?;
        self.only_once(name, name)?;
        let chosen = value.split(',').filter(|field| !field.is_empty());
        for field in chosen.clone() {
            if !kind.fields.contains(&field) {
                let detail = format!("\"{}\" is no field of {}", shorten(field), kind.name);
                return Err(Error::parameter(name, detail));
            }
        }
        self.query.fields.insert(kind.name, chosen.map(str::to_owned).collect());
        Ok(())
    }

    fn finish<T>(mut self, mode: PageMode, values: impl FnOnce(&Query) -> Result<T>) -> Result<(Query, T)> {
        if self.query.sort.is_empty() {
            self.query.sort = default_sort(self.spec.default_sort);
        }
        let mode = if self.spec.pages == Pages::Both { mode } else { PageMode::Numbers };
        match self.page.read(&self.query.sort, mode, self.spec.page_sizes) {
            Ok(page) => self.query.page = page,
            Err(fault) => self.faults.push(fault),
        }
        let values = values(&self.query);
        let of_values = values.as_ref().err().cloned();
        Error::check(self.faults.into_iter().chain(of_values))?;
        Ok((self.query, values?))
    }
}

/// A query string as the client sent it, with what its `Accept` says of pages.
#[derive(Debug, Clone)]
pub struct RawQuery {
    text: String,
    mode: Result<PageMode>,
}

impl RawQuery {
    /// The query, and beside it what the endpoint reads from the values of its filters.
    ///
    /// # Errors
    /// 400 with all faults of both together.
    pub fn read<T>(self, spec: &'static QuerySpec, values: impl FnOnce(&Query) -> Result<T>) -> Result<(Query, T)> {
        Query::read(&self.text, spec, self.mode?, values)
    }
}

/// A client can ask for cursors by naming the profile in `Accept`.
fn mode_of(request: &HttpRequest) -> Result<PageMode> {
    let answer = Answer::of(request.headers())?;
    Ok(if names_cursor_profile(&answer.profiles) { PageMode::Cursors } else { PageMode::Numbers })
}

fn unknown_parameter(name: &str) -> Error {
    let detail = format!("This endpoint knows no parameter \"{}\"", shorten(name));
    Error::parameter(shorten(name), detail)
}

/// The text that a name or value stands for; `None` if it is not UTF-8, or holds a NUL character.
fn decode(raw: &str) -> Option<String> {
    let raw = raw.replace('+', " ");
    let text = percent_decode_str(&raw).decode_utf8().ok()?;
    (!text.contains('\0')).then(|| text.into_owned())
}

/// `family[a][b]` as `family` and `[a, b]`; `None` if the brackets do not match.
fn split_brackets(name: &str) -> Option<(&str, Vec<&str>)> {
    let Some((family, rest)) = name.split_once('[') else { return Some((name, vec![])) };
    let path: Vec<&str> = rest.strip_suffix(']')?.split("][").collect();
    path.iter().all(|member| !member.contains(['[', ']'])).then_some((family, path))
}

/// A parameter's name as the client spelled it, for an error.
fn spelled(raw: &str) -> String {
    let raw = raw.replace('+', " ");
    shorten(&percent_decode_str(&raw).decode_utf8_lossy())
}

fn is_filter(declared: &str, path: &[&str]) -> bool {
    let mut declared = declared.split('.');
    let mut path = path.iter();
    loop {
        match (declared.next(), path.next()) {
            (Some("*"), Some(member)) if !member.is_empty() => {}
            (Some(name), Some(member)) if is_same_name(name, member) => {}
            (None, None) => return true,
            _ => return false,
        }
    }
}

/// Whether two names are the same but for `-` and `_`.
fn is_same_name(one: &str, other: &str) -> bool {
    let plain = |byte| if byte == b'_' { b'-' } else { byte };
    one.len() == other.len() && one.bytes().map(plain).eq(other.bytes().map(plain))
}

fn sort_key(item: &str) -> (&str, Direction) {
    match item.strip_prefix('-') {
        Some(key) => (key, Direction::Descending),
        None => (item, Direction::Ascending),
    }
}

fn default_sort(declared: &'static str) -> Vec<Sort> {
    let items = declared.split(',').filter(|item| !item.is_empty()).map(sort_key);
    items.map(|(key, direction)| Sort { key, direction }).collect()
}

/// The beginning of a text of the client's, for an error that quotes it.
fn shorten(text: &str) -> String {
    match text.char_indices().nth(200) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::ACCEPT;
    use actix_web::test::TestRequest;

    use super::super::error::testing::{objects, parameters};
    use super::super::page_request::CURSOR_PROFILE;
    use super::super::resource_type::ResourceType;
    use super::*;

    static TEAMS: ResourceType = ResourceType { name: "teams", fields: &["name", "users"] };
    static KNOWN: QuerySpec = QuerySpec {
        pages: Pages::Both,
        sort: &["name", "created-at"],
        default_sort: "-created-at",
        q: Search::Text,
        filters: &["names", "created-after", "expiry_status", "workspace.id"],
        include: &["users", "organization-memberships"],
        parameters: &["since"],
        ..QuerySpec::show(&[&TEAMS])
    };
    static FIELDS: QuerySpec = QuerySpec { q: Search::TextOr(&["name"]), ..QuerySpec::NONE };

    fn parse(raw: &str) -> Query {
        Query::parse(raw, &KNOWN).unwrap()
    }

    #[track_caller]
    fn assert_fault(raw: &str, parameter: &str) {
        let error = Query::parse(raw, &KNOWN).unwrap_err();
        assert_eq!(error.status(), 400, "{raw}");
        assert_eq!(parameters(&error), [parameter], "{raw}");
    }

    #[test]
    fn what_shipped_clients_send_is_understood() {
        let query = parse(
            "filter%5Bnames%5D=a%2Cb&include=users,organization_memberships\
             &page%5Bnumber%5D=2&page%5Bsize%5D=30&q=a+b%20c&since=2024&sort=name,-created-at",
        );
        assert_eq!(*query.page(), PageRequest::Number { number: 2, size: 30 });
        assert_eq!(query.filter_list("names").unwrap(), ["a", "b"]);
        assert!(query.includes("users") && query.includes("organization-memberships"));
        assert_eq!(query.q(), Some("a b c"));
        assert_eq!(query.parameter("since"), Some("2024"));
        let keys: Vec<_> = query.sort().iter().map(|sort| (sort.key, sort.direction)).collect();
        assert_eq!(keys, [("name", Direction::Ascending), ("created-at", Direction::Descending)]);
    }

    #[test]
    fn an_empty_query_has_the_defaults() {
        let query = parse("");
        assert_eq!(*query.page(), PageRequest::Number { number: 1, size: 20 });
        assert_eq!(query.sort(), [Sort { key: "created-at", direction: Direction::Descending }]);
        assert_eq!((query.q(), query.filter("names"), query.parameter("since")), (None, None, None));
        assert!(!query.includes("users"));
        assert_eq!(query.fields_of("teams"), None);
    }

    #[test]
    fn an_unknown_parameter_is_named() {
        for name in [
            "nonsense",
            "page",
            "page[nonsense]",
            "filter",
            "filter[nonsense]",
            "filter[]",
            "filter[names][x]",
            "filter[workspace.id]",
            "sort[a]",
            "q[x]",
            "since[a]",
            "page[size",
            "a]b[",
            "include[x]",
            "fields",
            "fields[a][b]",
            "",
        ] {
            assert_fault(&format!("{name}=x"), name);
        }
        assert_fault("a%5Bb%5D=1", "a[b]");
        assert_fault("[sort]=name", "[sort]");
        assert_fault("filter[names]x=1", "filter[names]x");
        assert_fault("filter%255Bnames%255D=1", "filter%5Bnames%5D");
        assert_fault("nonsense", "nonsense");
    }

    #[test]
    fn page_numbers_and_sizes_are_positive() {
        for value in ["0", "-1", "abc", "99999999999999999999", "", "1.5", "%2B1", "+1"] {
            assert_fault(&format!("page[number]={value}"), "page[number]");
        }
        for value in ["0", "-1", "abc", ""] {
            assert_fault(&format!("page[size]={value}"), "page[size]");
        }
        for value in ["101", "99999999999999999999"] {
            let size = PageRequest::Number { number: 1, size: 100 };
            assert_eq!(*parse(&format!("page[size]={value}")).page(), size);
        }
    }

    #[test]
    fn sort_keys_are_known_and_distinct() {
        for value in ["nonsense", "", "name,name", "name,-name", "--name", "name,", "Name"] {
            assert_fault(&format!("sort={value}"), "sort");
        }
    }

    #[test]
    fn a_parameter_comes_once() {
        for (raw, name) in [
            ("page[size]=1&page[size]=1", "page[size]"),
            ("sort=name&sort=name", "sort"),
            ("q=a&q=a", "q"),
            ("include=users&include=users", "include"),
            ("fields[teams]=name&fields[teams]=name", "fields[teams]"),
            ("since=1&since=1", "since"),
        ] {
            assert_fault(raw, name);
        }
    }

    #[test]
    fn filters_are_spelled_with_either_line() {
        assert_eq!(parse("filter[created_after]=x").filter("created-after"), Some("x"));
        assert_eq!(parse("filter[created-after]=x").filter("created-after"), Some("x"));
        assert_eq!(parse("filter[expiry-status]=x").filter("expiry_status"), Some("x"));
        assert_eq!(parse("filter[expiry_status]=x").filter("expiry_status"), Some("x"));
        assert_eq!(parse("filter[workspace][id]=x").filter("workspace.id"), Some("x"));
        assert_eq!(parse("filter[names]=,a,,").filter_list("names").unwrap(), ["a"]);
        assert_eq!(parse("filter[names]=a&filter[names]=b").filter_list("names").unwrap(), ["a", "b"]);
    }

    #[test]
    fn a_fault_of_include_says_so_in_words() {
        for (raw, name) in [
            ("include=nonsense", "include"),
            ("include=users,,users", "include"),
            ("include[]=nonsense", "include[]"),
            ("include=users&include=users", "include"),
        ] {
            let error = Query::parse(raw, &KNOWN).unwrap_err();
            assert_eq!(parameters(&error), [name]);
            let detail = objects(&error)[0]["detail"].to_string();
            assert!(detail.contains("include parameter"), "{detail}");
        }
        let error = Query::parse("include=users", &QuerySpec::NONE).unwrap_err();
        assert!(objects(&error)[0]["detail"].to_string().contains("include parameter"));
    }

    #[test]
    fn include_may_be_an_array_or_empty() {
        let query = parse("include[]=users&include%5b0%5D=organization-memberships");
        assert!(query.includes("users") && query.includes("organization-memberships"));
        assert!(parse("include=").asks_to_include());
        assert!(!parse("include=").includes("users"));
    }

    #[test]
    fn fields_are_those_of_the_type() {
        assert_fault("fields[nonsense]=name", "fields[nonsense]");
        assert_fault("fields[teams]=nonsense", "fields[teams]");
        let query = parse("fields[teams]=name");
        assert!(query.fields_of("teams").unwrap().contains("name"));
        assert!(parse("fields[teams]=").fields_of("teams").unwrap().is_empty());
    }

    #[test]
    fn searches_may_name_a_field() {
        let query = Query::parse("q[name]=x", &FIELDS).unwrap();
        assert_eq!((query.q(), query.q_in("name")), (None, Some("x")));
        assert_eq!(Query::parse("q=", &FIELDS).unwrap().q(), None);
        let error = Query::parse("q[other]=x", &FIELDS).unwrap_err();
        assert_eq!(parameters(&error), ["q[other]"]);
    }

    #[test]
    fn text_that_is_none_is_refused() {
        assert_fault("q=%00", "q");
        assert_fault("q=%FF", "q");
        assert_fault("q=%ED%A0%80", "q");
        assert_fault("filter[names]=a%00b", "filter[names]");
        assert_fault("a%00=1", "a\0");
        assert_fault("a%FF=1", "a\u{fffd}");
    }

    #[test]
    fn monstrous_queries_are_refused_calmly() {
        let deep = "[a]".repeat(2_600);
        let brackets = "[".repeat(8_000);
        for name in [format!("filter{deep}"), format!("q{brackets}"), "x".repeat(8_000)] {
            let error = Query::parse(&format!("{name}=1"), &KNOWN).unwrap_err();
            assert_eq!(error.status(), 400);
            assert!(objects(&error)[0].to_string().len() < 2_000);
        }
        assert_eq!(parse(&format!("q={}", "x".repeat(QUERY_MAX - 2))).q().unwrap().len(), QUERY_MAX - 2);
        let long = Query::parse(&"x".repeat(QUERY_MAX + 1), &KNOWN).unwrap_err();
        assert_eq!(long.status(), 414);
        let many = Query::parse(&"&a&".repeat(PAIRS_MAX + 1), &KNOWN).unwrap_err();
        assert_eq!(many.status(), 400);
        assert_eq!(objects(&many).len(), 1);
    }

    #[test]
    fn all_faults_are_reported_together() {
        let error = Query::parse("page[number]=0&page[size]=x&sort=x&y=1&filter[z]=1", &KNOWN).unwrap_err();
        let mut names = parameters(&error);
        names.sort();
        assert_eq!(names, ["filter[z]", "page[number]", "page[size]", "sort", "y"]);
    }

    #[test]
    fn the_profile_in_accept_chooses_cursors() {
        let accept = format!("application/vnd.api+json; profile=\"{CURSOR_PROFILE}\"");
        let page = |uri: &str, spec| {
            let request = TestRequest::with_uri(uri).insert_header((ACCEPT, accept.as_str())).to_http_request();
            Query::of(&request, spec).unwrap().page().clone()
        };
        static NUMBERED: QuerySpec = QuerySpec::list(&[]);
        let cursor = PageRequest::Cursor { after: None, before: None, size: 20 };
        assert_eq!(page("/x", &KNOWN), cursor);
        assert_eq!(page("/x?page[number]=1", &KNOWN), PageRequest::default());
        assert_eq!(page("/x", &NUMBERED), PageRequest::default());
        assert_eq!(page("/x", &QuerySpec::NONE), PageRequest::default());
    }
}
