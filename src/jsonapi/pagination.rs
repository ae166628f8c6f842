//! A page of a list as a document: its links, and what is told of the rest of the list (docs/design.md §5).

use actix_web::HttpRequest;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

use super::document::{Document, Links, Resource};
use super::page_request::{CURSOR_PROFILE, Cursor, PageRequest};
use super::public_url::PublicUrl;
use super::query::Query;

/// The rows of one page, and what there is beside them.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The rows of the page, in order.
    pub rows: Vec<T>,
    /// What is known about the rest of the list.
    pub info: PageInfo,
}

/// What is known about a list beside the rows of a page.
#[derive(Debug, Clone, PartialEq)]
pub enum PageInfo {
    Numbered {
        /// The rows of the whole list.
        total: i64,
    },
    Cursors {
        /// The place of each row of the page, in order.
        rows: Vec<Cursor>,
        /// Whether there are rows before the page.
        previous: More,
        /// Whether there are rows after the page.
        next: More,
    },
}

/// Whether a list goes on in one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum More {
    Follows,
    Ends,
}

/// A document that lists one page, with `links` and `meta.pagination` (or, with cursors, `meta.page.cursor` of each
/// resource) for the page that `query` asked for.
pub fn paginate(document: Document, request: &HttpRequest, query: &Query, extent: &PageInfo) -> Document {
    let links = PageLinks { request, query };
    match extent {
        PageInfo::Numbered { total } => with_numbers(document, &links, *total),
        PageInfo::Cursors { rows, previous, next } => with_cursors(document, &links, rows, *previous, *next),
    }
}

fn with_numbers(document: Document, links: &PageLinks<'_>, total: i64) -> Document {
    let size = links.query.page().size();
    let current = match links.query.page() {
        PageRequest::Number { number, .. } => *number,
        PageRequest::Cursor { .. } => 1,
    };
    let (before, rows) = (links.query.page().offset(), document.rows());
    // An empty list has one page, as in the HCP API.
    let last = total.max(1).saturating_add(size - 1) / size;
    let previous = (current > 1).then(|| (current - 1).min(last));
    let next = (current < last).then(|| current + 1);
    let link = |number: i64| Some(links.to(&[("page[number]", &number.to_string())]));
    let urls = Links::new()
        .with("self", link(current))
        .with("first", link(1))
        .with("prev", previous.and_then(link))
        .with("next", next.and_then(link))
        .with("last", link(last));
    let pagination = json!({
        "from": (rows > 0).then(|| before + 1),
        "to": (rows > 0).then(|| before + rows),
        "current-page": current,
        "page-size": size,
        "prev-page": previous,
        "next-page": next,
        "total-pages": last,
        "total-count": total,
    });
    document.links(urls).meta("pagination", pagination)
}

fn with_cursors(document: Document, links: &PageLinks<'_>, rows: &[Cursor], previous: More, next: More) -> Document {
    let cursors: Vec<String> = rows.iter().map(|row| row.encode(links.query.sort())).collect();
    let link = |more: More, name: &str, cursor: Option<&String>| match more {
        More::Follows => cursor.map(|cursor| links.to(&[(name, cursor)])),
        More::Ends => None,
    };
    let urls = Links::new()
        .with("self", Some(links.to_itself()))
        .with("first", Some(links.to(&[("page[after]", "")])))
        .with("prev", link(previous, "page[before]", cursors.first()))
        .with("next", link(next, "page[after]", cursors.last()));
    let with_cursor = |nth: usize, resource: Resource| match cursors.get(nth) {
        Some(cursor) => resource.meta("page", json!({ "cursor": cursor })),
        None => resource,
    };
    document.map_primary(with_cursor).links(urls).profile(CURSOR_PROFILE)
}

/// Makes the URLs of other pages: those of the request, with other `page[…]` parameters.
struct PageLinks<'a> {
    request: &'a HttpRequest,
    query: &'a Query,
}

impl PageLinks<'_> {
    fn to(&self, page: &[(&str, &str)]) -> String {
        let size = self.query.page().size().to_string();
        let kept = self.query.pairs().iter().filter(|(name, _)| !name.starts_with("page["));
        let kept = kept.map(|(name, value)| (name.as_str(), value.as_str()));
        self.url(kept.chain(page.iter().copied()).chain([("page[size]", size.as_str())]))
    }

    fn to_itself(&self) -> String {
        let pairs = self.query.pairs().iter();
        self.url(pairs.map(|(name, value)| (name.as_str(), value.as_str())))
    }

    /// An absolute URL of the same path (docs/design.md §5).
    fn url<'a>(&self, pairs: impl Iterator<Item = (&'a str, &'a str)>) -> String {
        let pairs: Vec<String> = pairs.map(|(n, v)| format!("{}={}", encode(n), encode(v))).collect();
        let query = pairs.join("&");
        let separator = if query.is_empty() { "" } else { "?" };
        let path = self.request.uri().path();
        PublicUrl::of(self.request).join(&format!("{path}{separator}{query}"))
    }
}

/// All but the unreserved characters of RFC 3986 §2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

#[cfg(test)]
mod tests {
    use actix_web::http::StatusCode;
    use actix_web::http::header::CONTENT_TYPE;
    use actix_web::test::TestRequest;
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::Value;

    use super::super::error::Result;
    use super::super::error::testing::{body_of, objects, parameters};
    use super::super::page_request::{MAX_SIZE_EXCEEDED, RANGE_NOT_SUPPORTED, names_cursor_profile};
    use super::super::query_spec::{Pages, QuerySpec, Search};
    use super::super::resource_type::ResourceType;
    use super::*;

    static TREES: ResourceType = ResourceType { name: "trees", fields: &["age"] };
    static KNOWN: QuerySpec = QuerySpec {
        pages: Pages::Both,
        sort: &["age"],
        default_sort: "-age",
        q: Search::Text,
        ..QuerySpec::show(&[&TREES])
    };

    fn page(raw: &str) -> Result<PageRequest> {
        Query::parse(raw, &KNOWN).map(|query| query.page().clone())
    }

    fn cursor_under(sort: &str) -> String {
        let query = Query::parse(&format!("sort={sort}"), &KNOWN).unwrap();
        Cursor(vec![json!(7), json!("id-1")]).encode(query.sort())
    }

    /// The answer of a list with so many rows on this page and this extent.
    fn answer(query: &str, rows: usize, info: &PageInfo) -> (String, Value) {
        let request = TestRequest::with_uri(&format!("/api/v2/trees?{query}"))
            .insert_header(("Host", "keys.example:8443"))
            .to_http_request();
        let query = Query::of(&request, &KNOWN).unwrap();
        let resources = (0..rows).map(|n| Resource::new(&TREES, n)).collect();
        let document = paginate(Document::list(resources), &request, &query, info);
        let response = document.respond(&query, &request, StatusCode::OK);
        let label = response.headers().get(CONTENT_TYPE).unwrap().to_str().unwrap().to_owned();
        (label, body_of(response))
    }

    #[test]
    fn offsets_do_not_overflow() {
        assert_eq!(PageRequest::Number { number: 3, size: 20 }.offset(), 40);
        assert_eq!(PageRequest::Number { number: i64::MAX, size: 100 }.offset(), i64::MAX);
        let (_, body) = answer("page[number]=9223372036854775807", 0, &PageInfo::Numbered { total: 5 });
        assert_eq!(body["meta"]["pagination"]["prev-page"], 1);
    }

    #[test]
    fn cursors_come_back_as_they_went() {
        let cursor = cursor_under("-age");
        let expected = Cursor(vec![json!(7), json!("id-1")]);
        let request = page(&format!("page[after]={cursor}&page[size]=100")).unwrap();
        assert_eq!(request, PageRequest::Cursor { after: Some(expected.clone()), before: None, size: 100 });
        let request = page(&format!("page[before]={cursor}")).unwrap();
        assert_eq!(parameters(&request.bad_cursor()), ["page[before]"]);
        assert_eq!(request, PageRequest::Cursor { after: None, before: Some(expected), size: 20 });
        let beginning = PageRequest::Cursor { after: None, before: None, size: 20 };
        assert_eq!(page("page[after]=").unwrap(), beginning);
    }

    /// Profile, "Max Page Size Exceeded Error"; by number more is cut.
    #[test]
    fn a_page_by_cursor_that_would_be_too_long_is_refused() {
        for size in ["101", "500", "99999999999999999999"] {
            for cursor in ["page[after]=".to_owned(), format!("page[before]={}", cursor_under("-age"))] {
                let error = page(&format!("{cursor}&page[size]={size}")).unwrap_err();
                assert_eq!(
                    (error.status(), parameters(&error)),
                    (StatusCode::BAD_REQUEST, vec!["page[size]".to_owned()])
                );
                let object = &objects(&error)[0];
                assert_eq!(object["links"]["type"], MAX_SIZE_EXCEEDED);
                assert_eq!(object["meta"]["page"]["maxSize"], 100);
            }
            assert_eq!(page(&format!("page[size]={size}")).unwrap(), PageRequest::Number { number: 1, size: 100 });
        }
    }

    #[test]
    fn foreign_cursors_are_refused() {
        let other_order = cursor_under("age");
        let encoded = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let nul = encoded(json!({"sort": "-age", "values": ["\0"]}));
        let nested = encoded(json!({"sort": "-age", "values": [[1]]}));
        for cursor in [&other_order, &nul, &nested, "abc", "%C3%A9", "e30", "=="] {
            let error = page(&format!("page[after]={cursor}")).unwrap_err();
            assert_eq!(parameters(&error), ["page[after]"], "{cursor}");
        }
        assert_eq!(parameters(&page("page[before]=abc").unwrap_err()), ["page[before]"]);
    }

    #[test]
    fn contradictory_pages_are_refused() {
        let cursor = cursor_under("-age");
        let error = page(&format!("page[after]={cursor}&page[before]={cursor}")).unwrap_err();
        assert_eq!(error.status(), 400);
        assert_eq!(objects(&error)[0]["links"]["type"], RANGE_NOT_SUPPORTED);
        let error = page(&format!("page[after]={cursor}&page[number]=1")).unwrap_err();
        assert_eq!(parameters(&error), ["page[number]"]);
    }

    #[test]
    fn either_scheme_names_the_profile() {
        let named = |uri: &str| names_cursor_profile(&[uri.to_owned()]);
        assert!(named(CURSOR_PROFILE));
        assert!(named("http://jsonapi.org/profiles/ethanresnick/cursor-pagination/"));
        assert!(!named("https://example.org/"));
    }

    #[test]
    fn a_numbered_page_has_links_and_meta() {
        let query = "q=a%20b&page[number]=2&page[size]=10&sort=-age";
        let (label, body) = answer(query, 10, &PageInfo::Numbered { total: 35 });
        assert_eq!(label, "application/vnd.api+json");
        let url = |number: u8| {
            format!(
                "http://keys.example:8443/api/v2/trees?q=a%20b&sort=-age\
                 &page%5Bnumber%5D={number}&page%5Bsize%5D=10"
            )
        };
        let links = json!({
            "self": url(2), "first": url(1), "prev": url(1), "next": url(3), "last": url(4),
        });
        assert_eq!(body["links"], links);
        let pagination = json!({
            "from": 11, "to": 20, "current-page": 2, "page-size": 10, "prev-page": 1, "next-page": 3,
            "total-pages": 4, "total-count": 35,
        });
        assert_eq!(body["meta"]["pagination"], pagination);
    }

    #[test]
    fn an_empty_list_has_one_page() {
        let (_, body) = answer("", 0, &PageInfo::Numbered { total: 0 });
        let pagination = json!({
            "from": null, "to": null, "current-page": 1, "page-size": 20, "prev-page": null, "next-page": null,
            "total-pages": 1, "total-count": 0,
        });
        assert_eq!(body["meta"]["pagination"], pagination);
        assert_eq!((&body["links"]["prev"], &body["links"]["next"]), (&Value::Null, &Value::Null));
        assert_eq!(body["data"], json!([]));
    }

    #[test]
    fn a_page_past_the_end_leads_back_to_the_last() {
        let (_, body) = answer("page[number]=9", 0, &PageInfo::Numbered { total: 40 });
        assert_eq!(body["meta"]["pagination"]["prev-page"], 2);
        assert_eq!(body["meta"]["pagination"]["next-page"], Value::Null);
        assert_eq!(body["meta"]["pagination"]["current-page"], 9);
        assert_eq!(
            (&body["meta"]["pagination"]["from"], &body["meta"]["pagination"]["to"]),
            (&Value::Null, &Value::Null)
        );
    }

    #[test]
    fn a_cursor_page_follows_the_profile() {
        let row = |n: u8| Cursor(vec![json!(n)]);
        let info = PageInfo::Cursors { rows: vec![row(1), row(2)], previous: More::Ends, next: More::Follows };
        let (label, body) = answer("page[after]=&page[size]=2&q=x", 2, &info);
        assert_eq!(label, format!("application/vnd.api+json; profile=\"{CURSOR_PROFILE}\""));
        assert_eq!(body["jsonapi"]["profile"], json!([CURSOR_PROFILE]));
        assert_eq!(body["links"]["prev"], Value::Null);
        let cursor = body["data"][1]["meta"]["page"]["cursor"].as_str().unwrap();
        let next = format!("http://keys.example:8443/api/v2/trees?q=x&page%5Bafter%5D={cursor}&page%5Bsize%5D=2");
        assert_eq!(body["links"]["next"], next.as_str());
        let query = next.split_once('?').unwrap().1;
        let expected = PageRequest::Cursor { after: Some(row(2)), before: None, size: 2 };
        assert_eq!(page(query).unwrap(), expected);
    }
}
