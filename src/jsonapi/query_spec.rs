//! What the query string of an endpoint may hold (JSON:API "Query Parameters").

use super::page_request::PageSizes;
use super::resource_type::ResourceType;

/// What the query string of an endpoint may hold. Declare it as a `const` or `static`:
///
/// ```
/// use latchkey_jsonapi::{QuerySpec, ResourceType, Search};
///
/// static TEAMS: ResourceType = ResourceType { name: "teams", fields: &["name"] };
/// static LIST: QuerySpec = QuerySpec {
///     sort: &["name", "created-at"],
///     default_sort: "name",
///     q: Search::Text,
///     ..QuerySpec::list(&[&TEAMS])
/// };
/// ```
#[derive(Debug)]
pub struct QuerySpec {
    /// How the endpoint pages, if it does.
    pub pages: Pages,
    /// How long its pages are.
    pub page_sizes: PageSizes,
    /// The keys that `sort` may name.
    pub sort: &'static [&'static str],
    /// The order where the client asks for none, in the syntax of `sort`; may be empty.
    pub default_sort: &'static str,
    /// Whether the endpoint searches.
    pub q: Search,
    /// The fields of the HCP API's older spelling of a search, `search[field]=`.
    pub search: &'static [&'static str],
    /// The filters. A dot stands for nesting: `workspace.id` is `filter[workspace][id]`. Clients may
    /// write `_` for `-` and the other way round. `label.*` is `filter[label][…]` with any member, and
    /// `tagged.*.key` is `filter[tagged][…][key]`.
    pub filters: &'static [&'static str],
    /// The relationship paths that `include` may name; `_` and `-` count as the same here, too.
    pub include: &'static [&'static str],
    /// Those of them that are included where the client sends no `include`.
    pub included: &'static [&'static str],
    /// The types whose fields `fields[type]` may choose: all that can be in the document.
    pub types: &'static [&'static ResourceType],
    /// Plain parameters of this endpoint alone.
    pub parameters: &'static [&'static str],
    /// Plain parameters that shipped clients send without a meaning, any number of times.
    pub ignored: &'static [&'static str],
}

impl QuerySpec {
    /// Knows no parameter at all.
    pub const NONE: Self = Self {
        pages: Pages::None,
        page_sizes: PageSizes::USUAL,
        sort: &[],
        default_sort: "",
        q: Search::None,
        search: &[],
        filters: &[],
        include: &[],
        included: &[],
        types: &[],
        parameters: &[],
        ignored: &[],
    };

    /// Knows `fields[…]` of these types: what an endpoint that shows a resource needs.
    pub const fn show(types: &'static [&'static ResourceType]) -> Self {
        Self { types, ..Self::NONE }
    }

    /// Knows `fields[…]` of these types and numbered pages: what any list needs.
    pub const fn list(types: &'static [&'static ResourceType]) -> Self {
        Self { pages: Pages::Numbered, ..Self::show(types) }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pages {
    None,
    Numbered,
    /// These, and the cursors of the cursor-pagination profile
    Both,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Search {
    None,
    Text,
    /// `q=`, and `q[field]=` for these fields
    TextOr(&'static [&'static str]),
}
