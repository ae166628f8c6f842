//! Parameters: of the path by their names, of the query from what the endpoint knows.

use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn, ParameterStyle};
use utoipa::openapi::{ArrayBuilder, ObjectBuilder, RefOr, Required, Schema};

use crate::idempotency::{HEADER, KEY_MAX};
use crate::jsonapi::schema::{count, object, one_of, text};
use crate::jsonapi::{Pages, QuerySpec, Search};

/// The parameters in a path, `{team}` and the like.
pub(super) fn of_path(path: &str) -> Vec<Parameter> {
    let names = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    names.map(of_path_named).collect()
}

fn of_path_named(name: &str) -> Parameter {
    let id = |prefix: &str| text().pattern(Some(format!("^{prefix}-[1-9A-HJ-NP-Za-km-z]{{16}}$")));
    let (about, schema) = match name {
        "organization" => ("The organization's name", text().pattern(Some("^[A-Za-z0-9_-]{1,90}$"))),
        "team" => ("The team's id", id("team")),
        "user" => ("The user's id", id("user")),
        "membership" => ("The membership's id", id("ou")),
        "token" => ("The token's id", id("at")),
        "workspace" => ("The workspace's id, or below an organization its name", text().min_length(Some(1))),
        "access" => ("The team access' id", id("tws")),
        "tag" => ("The tag's id", id("tag")),
        "project" => ("The project's id", id("prj")),
        "project_access" => ("The id of a team's access to a project", id("tprj")),
        "reserved_key" => ("The reserved tag key's id", id("rtk")),
        _ => ("The id", text().min_length(Some(1))),
    };
    let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Path).required(Required::True);
    parameter.description(Some(about)).schema(Some(schema)).build()
}

/// The header of a request that is to be done once.
pub(super) fn idempotency_key() -> Parameter {
    let about = "The client's own name for this request, of 1 to 255 visible characters, such as a UUID; also in \
                 quotes, as a string of RFC 9651. For ten minutes the same request of the same token under the same key \
                 gets the same answer, and nothing is done again";
    // In quotes it may be longer. A quote at the beginning wants one at the end.
    let schema = text().pattern(Some(format!("^[!#-~][!-~]{{0,{}}}$", KEY_MAX - 1)));
    ParameterBuilder::new()
        .name(HEADER)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(about))
        .schema(Some(schema))
        .build()
}

/// The parameters of the query.
pub(super) fn of_query(spec: &QuerySpec) -> Vec<Parameter> {
    let mut all = pages(spec);
    all.extend(sort(spec));
    all.extend(searches(spec));
    for filter in spec.filters {
        if let Some(filter) = filter.strip_suffix(".*") {
            let texts = object().additional_properties(Some(Schema::from(text().build())));
            let about = "Only what matches in each member";
            let any = with_schema(&format!("filter[{filter}]"), about, texts).style(Some(ParameterStyle::DeepObject));
            all.push(any.explode(Some(true)).build());
            continue;
        }
        // A member of any name in the middle is a number by which others go with it.
        let part = |part| if part == "*" { "0" } else { part };
        let name = filter.split('.').map(part).fold("filter".to_owned(), |name, part| format!("{name}[{part}]"));
        let about = if filter.contains(".*.") {
            "Only what matches; 1 and so on for more of them, all of which must match"
        } else {
            "Only what matches; several values with commas"
        };
        all.push(parameter(&name, about, text()).build());
    }
    if !spec.include.is_empty() {
        let about = "Related resources to put into `included`, with commas";
        all.push(with_commas("include", about, list_of(spec.include)));
    }
    for kind in spec.types {
        let about = format!("The only fields of {} to show, with commas", kind.name);
        all.push(with_commas(&format!("fields[{}]", kind.name), &about, list_or_nothing(kind.fields)));
    }
    all.extend(
        spec.parameters.iter().map(|other| parameter(other, "What the description of the route says", text()).build()),
    );
    all
}

fn pages(spec: &QuerySpec) -> Vec<Parameter> {
    if spec.pages == Pages::None {
        return vec![];
    }
    let size = format!("How many on a page; more than {most} is taken as {most}", most = spec.page_sizes.most);
    let default = Some(spec.page_sizes.default.into());
    let mut all = vec![
        parameter("page[number]", "Which page, from 1", count(1).maximum(Some(i64::MAX)).default(Some(1.into())))
            .build(),
        parameter("page[size]", &size, count(1).default(default)).build(),
    ];
    if spec.pages == Pages::Both {
        let cursor = |name, about| parameter(name, about, text()).build();
        all.push(cursor("page[after]", "What comes after this cursor (`meta.page.cursor`); empty: from the start"));
        all.push(cursor("page[before]", "What comes before this cursor; empty: up to the end"));
    }
    all
}

fn sort(spec: &QuerySpec) -> Option<Parameter> {
    let keys: Vec<String> = spec.sort.iter().flat_map(|key| [(*key).to_owned(), format!("-{key}")]).collect();
    if keys.is_empty() {
        return None;
    }
    let about = format!("Keys with commas, `-` for descending, each once; default: {}", spec.default_sort);
    let words: Vec<&str> = keys.iter().map(String::as_str).collect();
    let list = list_of(&words).unique_items(true);
    Some(with_commas("sort", &about, list))
}

fn searches(spec: &QuerySpec) -> Vec<Parameter> {
    let named = spec.search.iter().map(|field| {
        let about = format!("Only what holds this text in {field}, in any case");
        parameter(&format!("search[{field}]"), &about, text()).build()
    });
    named.chain(searches_by_q(spec)).collect()
}

fn searches_by_q(spec: &QuerySpec) -> Vec<Parameter> {
    let fields: &[&str] = match spec.q {
        Search::None => return vec![],
        Search::Text => &[],
        Search::TextOr(fields) => fields,
    };
    let all = parameter("q", "Only what holds this text, in any case", text()).build();
    let in_field = |field: &&str| {
        let about = format!("Only what holds this text in {field}, in any case");
        parameter(&format!("q[{field}]"), &about, text()).build()
    };
    std::iter::once(all).chain(fields.iter().map(in_field)).collect()
}

fn parameter(name: &str, about: &str, schema: ObjectBuilder) -> ParameterBuilder {
    with_schema(name, about, schema)
}

fn with_schema(name: &str, about: &str, schema: impl Into<RefOr<Schema>>) -> ParameterBuilder {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Query)
        .required(Required::False)
        .description(Some(about))
        .schema(Some(schema))
}

/// A list that an empty text names nothing in: `fields[teams]=` asks for no fields.
fn list_or_nothing(words: &[&str]) -> ArrayBuilder {
    list_of(&words.iter().copied().chain([""]).collect::<Vec<_>>())
}

fn list_of(words: &[&str]) -> ArrayBuilder {
    ArrayBuilder::new().items(RefOr::T(one_of(words)))
}

fn with_commas(name: &str, about: &str, list: ArrayBuilder) -> Parameter {
    with_schema(name, about, list).style(Some(ParameterStyle::Form)).explode(Some(false)).build()
}
