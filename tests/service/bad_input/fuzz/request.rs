//! Requests that are nearly what a route wants, made from the route's description.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Map, Value, json};

use super::words::{self, Text, one_of, text};
use crate::support::routes::{Route, Takes};

/// A request, before the ids and secrets of a running service are filled in.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    /// Each part of the path.
    pub path: Vec<Text>,
    /// Names and values, and whether they are sent as they are or percent-encoded.
    pub query: Vec<(Text, Text, Sent)>,
    pub host: Option<Text>,
    pub authorization: Vec<Text>,
    pub accept: Option<Text>,
    pub content_type: Option<Text>,
    pub others: Vec<(String, String)>,
    pub body: Option<Text>,
    pub framing: Framing,
}

/// How a part of a query is sent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Sent {
    Encoded,
    Raw,
}

/// How a request says where its body ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Framing {
    Length,
    Chunked,
    /// Not at all.
    Unsaid,
    TooShort,
    TooLong,
    Twice,
    LengthAndChunked,
    WrongChunk,
    NotANumber,
    Huge,
}

/// In a string of a document: what stands between two of these is not quoted.
const UNQUOTED: char = '\u{f8f0}';
/// A backslash that starts an escape, where a string has it escaped otherwise.
const ESCAPE: char = '\u{f8f1}';

/// Requests to any of some routes, most of them to what is there.
pub fn requests(routes: &[(Route, Option<Value>)], description: &Value) -> BoxedStrategy<Request> {
    let each = routes.iter().map(|(route, good)| to(route, good.as_ref(), description)).collect::<Vec<_>>();
    proptest::strategy::Union::new(each).boxed()
}

fn to(route: &Route, good: Option<&Value>, description: &Value) -> BoxedStrategy<Request> {
    let head = (method(&route.method), path(&route.path), query(route));
    let headers = (
        prop_oneof![9 => text(Just("«here»".to_owned()), 30).prop_map(Some), 3 => text(words::host(), 9).prop_map(Some), 1 => Just(None)],
        authorization(),
        maybe(14, text(words::media_type(), 9)),
        content_type(),
        prop_oneof![3 => Just(vec![]), 1 => prop::collection::vec(words::other_header(), 1..4)],
    );
    let body = (body(route, good, description), framing());
    (head, headers, body)
        .prop_map(|(head, headers, (body, framing))| {
            let (method, path, query) = head;
            let (host, authorization, accept, content_type, others) = headers;
            Request { method, path, query, host, authorization, accept, content_type, others, body, framing }
        })
        .boxed()
}

fn maybe<T: Clone + std::fmt::Debug + 'static>(none: u32, some: BoxedStrategy<T>) -> BoxedStrategy<Option<T>> {
    prop_oneof![none => Just(None), 1 => some.prop_map(Some)].boxed()
}

fn method(good: &str) -> BoxedStrategy<String> {
    let other = one_of(&[
        "GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "get", "NONSENSE", "",
    ]);
    prop_oneof![30 => Just(good.to_owned()), 1 => other].boxed()
}

/// The parts of a path; what fills a parameter is an id, most often the right one.
fn path(template: &str) -> BoxedStrategy<Vec<Text>> {
    let below_organization = template.contains("{organization}/workspaces/{workspace}");
    let parts: Vec<BoxedStrategy<Text>> = template
        .split('/')
        .skip(1)
        .map(|part| match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            Some("workspace") if below_organization => part_of_path("prod".to_owned()),
            Some(name) => part_of_path(format!("«{name}»")),
            None => text(Just(part.to_owned()), 150),
        })
        .collect();
    parts.boxed()
}

fn part_of_path(right: String) -> BoxedStrategy<Text> {
    prop_oneof![
        12 => text(Just(right), 25),
        1 => text(prop_oneof![3 => words::id(), 1 => words::words(), 1 => words::secret()], 3),
    ]
    .boxed()
}

fn query(route: &Route) -> BoxedStrategy<Vec<(Text, Text, Sent)>> {
    let parameters = route.operation["parameters"].as_array().cloned().unwrap_or_default();
    let mut named: Vec<BoxedStrategy<(Text, Text)>> = parameters
        .iter()
        .filter(|parameter| parameter["in"] == "query")
        .map(|parameter| {
            let name = parameter["name"].as_str().unwrap().to_owned();
            let values = value_of_parameter(&name, &parameter["schema"]);
            (text(Just(name), 60), text(values, 12)).boxed()
        })
        .collect();
    named.push((text(words::words(), 3), text(words::words(), 3)).boxed());
    let many = if named.len() > 1 { 3 } else { 1 };
    let any = proptest::strategy::Union::new(named);
    let sent = prop_oneof![9 => Just(Sent::Encoded), 1 => Just(Sent::Raw)];
    let pair = (any, sent).prop_map(|((name, value), sent)| (name, value, sent));
    prop_oneof![
        12 => Just(vec![]),
        many * 6 => prop::collection::vec(pair.clone(), 1..4),
        1 => prop::collection::vec(pair, 90..110),
    ]
    .boxed()
}

fn value_of_parameter(name: &str, schema: &Value) -> BoxedStrategy<String> {
    let listed = schema["items"]["enum"].as_array().cloned().unwrap_or_default();
    let listed: Vec<String> = listed.iter().filter_map(|word| word.as_str().map(str::to_owned)).collect();
    let right = match name {
        "page[number]" | "page[size]" => words::number(),
        "page[after]" | "page[before]" => cursor(),
        _ if !listed.is_empty() => {
            let most = listed.len().min(4);
            subsequence(listed, 1..=most).prop_shuffle().prop_map(|words| words.join(",")).boxed()
        }
        _ if ["after", "before", "since"].iter().any(|part| name.contains(part)) => words::time(),
        _ => filter_value(),
    };
    prop_oneof![16 => right, 1 => filter_value(), 1 => words::words()].boxed()
}

/// Values of all filters: which filter takes which is not in the description.
fn filter_value() -> BoxedStrategy<String> {
    let known = one_of(&[
        "team",
        "user",
        "organization",
        "audit-trails",
        "workspace",
        "viewer",
        "member",
        "manager",
        "admin",
        "owner",
        "active",
        "inactive",
        "expired",
        "revoked",
        "no_expiration",
        "expiring_in_7_days",
        "true",
        "false",
        "opaque",
        "jwt",
        "invited",
        "read",
        "plan",
        "write",
        "custom",
        "audit-trails,metrics",
        "null",
        "lku_abcdef",
    ]);
    let one = prop_oneof![
        4 => known, 2 => words::id(), 1 => words::number(), 1 => words::time(), 1 => words::ability(), 1 => words::words(),
    ];
    prop_oneof![4 => one.clone(), 1 => prop::collection::vec(one, 2..120).prop_map(|all| all.join(","))].boxed()
}

/// Cursors that the service gave, and documents like those inside of them.
fn cursor() -> BoxedStrategy<String> {
    use base64::Engine as _;

    let given = select((0..super::CURSORS).map(|nth| format!("«cursor{nth}»")).collect::<Vec<_>>());
    let sort =
        one_of(&["created-at", "-created-at", "name", "-expired-at,description", "id", "description", "username", ""]);
    let value = prop_oneof![
        words::time().prop_map(Value::from),
        words::id().prop_map(Value::from),
        words::words().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        Just(Value::Null),
        Just(json!(true)),
        Just(json!([])),
        Just(json!({"a": 1})),
        Just(json!("01890a5d-ac96-774b-bcce-b302099a8057")),
    ];
    let made = (sort, prop::collection::vec(value, 0..5)).prop_map(|(sort, values)| {
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(json!({"sort": sort, "values": values}).to_string())
    });
    prop_oneof![3 => given, 2 => made, 1 => one_of(&["", "e30", "bnVsbA", "W10", "====", "e30="])].boxed()
}

fn authorization() -> BoxedStrategy<Vec<Text>> {
    let right = text(one_of(&["Bearer «ada»"]), 60).prop_map(|one| vec![one]);
    let scheme = one_of(&[
        "Bearer ",
        "Bearer ",
        "bearer ",
        "BEARER\t",
        "Bearer  ",
        "Bearer",
        "Basic ",
        "Token ",
        "",
        "Bearer:",
        "Bearer token=",
    ]);
    let other = text((scheme, words::secret()).prop_map(|(scheme, secret)| format!("{scheme}{secret}")), 3);
    prop_oneof![
        18 => right,
        3 => other.clone().prop_map(|one| vec![one]),
        1 => Just(vec![]),
        1 => prop::collection::vec(other, 2..4),
    ]
    .boxed()
}

fn content_type() -> BoxedStrategy<Option<Text>> {
    let right = text(one_of(&["application/vnd.api+json", "application/json"]), 40);
    prop_oneof![30 => right.prop_map(Some), 2 => text(words::media_type(), 9).prop_map(Some), 1 => Just(None)].boxed()
}

fn framing() -> BoxedStrategy<Framing> {
    let other = select(vec![
        Framing::Unsaid,
        Framing::TooShort,
        Framing::TooLong,
        Framing::Twice,
        Framing::LengthAndChunked,
        Framing::WrongChunk,
        Framing::NotANumber,
        Framing::Huge,
    ]);
    prop_oneof![30 => Just(Framing::Length), 4 => Just(Framing::Chunked), 1 => other].boxed()
}

/// A document that the route takes, and some that it nearly takes.
fn body(route: &Route, good: Option<&Value>, description: &Value) -> BoxedStrategy<Option<Text>> {
    let (Some(good), false) = (good, route.takes == Takes::Nothing) else {
        return prop_oneof![9 => Just(None), 1 => text(odd().prop_map(|odd| rendered(&odd)), 3).prop_map(Some)].boxed();
    };
    let contents = route.operation["requestBody"]["content"].as_object().unwrap();
    let schema = &contents.values().next().unwrap()["schema"];
    let by_schema = value(schema, description, 0);
    let good = Just(good.clone());
    let changed = (good.clone(), by_schema.clone()).prop_map(|(good, other)| merged(good, other));
    let document = prop_oneof![1 => good, 6 => changed, 1 => by_schema, 1 => odd()];
    let right = text(document.prop_map(|document| rendered(&document)), 4).prop_map(Some);
    prop_oneof![20 => right, 1 => Just(None), 1 => text(words::words(), 1).prop_map(Some)].boxed()
}

/// One document with what another says of attributes and relationships.
fn merged(mut good: Value, other: Value) -> Value {
    if let (Some(good), Value::Object(other)) = (good["data"].as_object_mut(), other["data"].clone()) {
        for part in ["attributes", "relationships"] {
            if let Some(Value::Object(others)) = other.get(part).cloned() {
                let mine = good.entry(part).or_insert_with(|| json!({}));
                mine.as_object_mut().unwrap().extend(others);
            }
        }
        return json!({ "data": good });
    }
    other
}

/// Values as a schema describes them, and some that it does not.
fn value(schema: &Value, description: &Value, depth: u32) -> BoxedStrategy<Value> {
    let right = described(schema, description, depth);
    prop_oneof![12 => right, 1 => odd()].boxed()
}

fn described(schema: &Value, description: &Value, depth: u32) -> BoxedStrategy<Value> {
    if let Some(reference) = schema["$ref"].as_str() {
        let named = description.pointer(&reference[1..]).unwrap_or_else(|| panic!("{reference} is not there"));
        return described(named, description, depth);
    }
    if depth > 7 {
        return odd();
    }
    if let Some(words) = schema["enum"].as_array() {
        return select(words.clone()).boxed();
    }
    for several in ["anyOf", "oneOf"] {
        if let Some(alternatives) = schema[several].as_array() {
            let all = alternatives.iter().map(|one| described(one, description, depth + 1)).collect::<Vec<_>>();
            return proptest::strategy::Union::new(all).boxed();
        }
    }
    if let Some(parts) = schema["allOf"].as_array() {
        let all = parts.iter().map(|part| described(part, description, depth + 1)).collect::<Vec<_>>();
        return all
            .prop_map(|parts| {
                let objects = parts.into_iter().filter_map(|part| part.as_object().cloned());
                Value::Object(objects.flatten().collect())
            })
            .boxed();
    }
    let kinds = schema["type"].as_array().cloned().unwrap_or_else(|| vec![schema["type"].clone()]);
    let each = kinds.iter().map(|kind| of_kind(kind.as_str().unwrap_or_default(), schema, description, depth));
    proptest::strategy::Union::new(each.collect::<Vec<_>>()).boxed()
}

fn of_kind(kind: &str, schema: &Value, description: &Value, depth: u32) -> BoxedStrategy<Value> {
    match kind {
        "null" => Just(Value::Null).boxed(),
        "boolean" => any::<bool>().prop_map(Value::from).boxed(),
        "integer" | "number" => number(),
        "string" if schema["format"] == "date-time" => words::time().prop_map(Value::from).boxed(),
        "string" => {
            // No secret: what a client writes into a description is there afterwards, also in the trail.
            let any = prop_oneof![3 => words::words(), 2 => words::id(), 1 => words::ability(), 1 => words::time()];
            any.prop_map(Value::from).boxed()
        }
        "array" => {
            let item = value(&schema["items"], description, depth + 1);
            let several = prop_oneof![9 => 0..4_usize, 1 => 99..102_usize];
            several.prop_flat_map(move |count| vec![item.clone(); count]).prop_map(Value::from).boxed()
        }
        "object" => object(schema, description, depth),
        _ => odd(),
    }
}

/// An object with what must be there, most often, and some of what may.
fn object(schema: &Value, description: &Value, depth: u32) -> BoxedStrategy<Value> {
    let Some(properties) = schema["properties"].as_object() else {
        return prop::collection::vec((words::words(), odd()), 0..4)
            .prop_map(|members| Value::Object(members.into_iter().collect()))
            .boxed();
    };
    let required = |name: &String| schema["required"].as_array().is_some_and(|all| all.contains(&json!(name)));
    let members: Vec<BoxedStrategy<Option<(String, Value)>>> = properties
        .iter()
        .map(|(name, member)| {
            let name = name.clone();
            let chance = if required(&name) || depth < 3 { 0.95 } else { 0.2 };
            let member = value(member, description, depth + 1).prop_map(move |value| (name.clone(), value));
            prop::option::weighted(chance, member).boxed()
        })
        .collect();
    members.prop_map(|members| Value::Object(members.into_iter().flatten().collect::<Map<_, _>>())).boxed()
}

fn number() -> BoxedStrategy<Value> {
    let unquoted = |text: String| Value::String(format!("{UNQUOTED}{text}{UNQUOTED}"));
    prop_oneof![
        3 => words::number().prop_map(move |text| if text.parse::<f64>().is_ok() { unquoted(text) } else { json!(text) }),
        1 => one_of(&["1e400", "-0", "0.1e-400", "1e", "0.0", "1E+2", "9007199254740993"]).prop_map(unquoted),
        1 => any::<i64>().prop_map(Value::from),
    ]
    .boxed()
}

/// Anything but what is expected.
fn odd() -> BoxedStrategy<Value> {
    let strings = one_of(&[
        "",
        "\u{0}",
        "\u{f8f1}ud800",
        "\u{f8f1}udc00\u{f8f1}ud800",
        "\u{f8f1}u0000",
        "\u{f8f1}x",
        "\u{f8f1}uD83D\u{f8f1}uDE00",
    ]);
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        number(),
        strings.prop_map(Value::from),
        words::words().prop_map(Value::from),
        Just(json!([])),
        Just(json!({})),
        Just(json!([[[]]])),
        Just(json!({"a": {"a": {"a": null}}})),
        Just(nested(127)),
        Just(nested(129)),
    ]
    .boxed()
}

fn nested(depth: usize) -> Value {
    (0..depth).fold(Value::Null, |inner, _| json!([inner]))
}

/// A document as text, with what JSON in memory cannot hold.
fn rendered(document: &Value) -> String {
    let quoted = format!("\"{UNQUOTED}");
    let text = document.to_string().replace(&quoted, "").replace(&format!("{UNQUOTED}\""), "");
    text.replace(ESCAPE, "\\")
}
