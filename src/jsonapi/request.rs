//! The one extractor for request bodies: a JSON:API document comes in, attributes of a room's own
//! type and relationships go out (JSON:API "Creating, Updating and Deleting Resources", docs/design.md §5).
//!
//! A document whose form is wrong is 400; one that names another type is 409; values that are not
//! acceptable are 422, with one error object and one JSON pointer per fault.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;

use actix_web::http::header::CONTENT_LENGTH;
use actix_web::web::{Bytes, Payload};
use actix_web::{FromRequest, HttpRequest, dev};
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use serde_path_to_error::{Path, Segment};
use validator::{Validate, ValidationError, ValidationErrors, ValidationErrorsKind};

use super::error::{Error, Result};
use super::negotiation::check_content_type;

/// The most bytes of a request body: 1 MiB (docs/design.md §5).
pub const MAX_BODY: usize = 1024 * 1024;

/// The most resource identifiers in one request.
pub const MAX_IDENTIFIERS: usize = 1000;

/// After so many wrong attributes the search for more is given up: each costs one more pass.
const MAX_WRONG_ATTRIBUTES: usize = 50;

/// The attributes that an endpoint understands: a struct in kebab-case whose fields are all
/// optional. Attributes that it does not have are ignored (docs/design.md §5).
///
/// `Option<T>` takes null for absent. Where the two differ, write `Option<Option<T>>` with
/// [`present`]. The name of a field must be that of its attribute but for `_` and `-`, because
/// `validator` knows only the field.
pub trait Attributes: DeserializeOwned + Validate {}

impl<T: DeserializeOwned + Validate> Attributes for T {}

/// Tells an attribute that is null (`Some(None)`) from one that is absent (`None`):
/// `#[serde(default, deserialize_with = "present")]` on an `Option<Option<T>>`.
pub fn present<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

/// An attribute that is an object: `#[serde(default, deserialize_with = "object")]` on an `Option<T>`. Without it, a list
/// of a struct's values in their order would be taken for the struct.
pub fn object<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::<Object<T>>::deserialize(deserializer).map(|value| value.map(|Object(value)| value))
}

/// [`object`] that tells null from absence, as [`present`] does.
pub fn present_object<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    object(deserializer).map(Some)
}

/// [`object`] for a list of objects.
pub fn objects<'de, T, D>(deserializer: D) -> Result<Option<Vec<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    let list = Option::<Vec<Object<T>>>::deserialize(deserializer)?;
    Ok(list.map(|items| items.into_iter().map(|Object(item)| item).collect()))
}

/// A value that is written as an object, and in no other way.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
            type Value = T;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(members))
            }
        }

        deserializer.deserialize_map(Members(PhantomData)).map(Self)
    }
}

#[derive(Debug, Clone, Copy)]
pub enum TypeRule<'a> {
    /// One of these, or 409 (JSON:API "Creating Resources")
    OneOf(&'a [&'a str]),
    /// One of these, or empty, or absent: what shipped clients send to the token endpoints (docs/design.md §5)
    Lenient(&'a [&'a str]),
}

/// The body of a request, not yet looked into: at most [`MAX_BODY`] bytes (413) of an acceptable
/// media type (415).
#[derive(Debug, Clone)]
pub struct Body(Bytes);

impl Body {
    /// The resource in the body, whose type must be one of `types`, and which must have the
    /// attributes `required`.
    pub fn resource<A: Attributes>(&self, types: &[&str], required: &[&str]) -> Result<ResourceBody<A>> {
        ResourceBody::parse(&self.0, TypeRule::OneOf(types), required)
    }

    /// The resource in the body, whose type may also be empty or absent.
    pub fn resource_lenient<A: Attributes>(&self, types: &[&str]) -> Result<ResourceBody<A>> {
        ResourceBody::parse(&self.0, TypeRule::Lenient(types), &[])
    }

    /// Like [`Body::resource_lenient`]; no body at all is a resource without attributes.
    pub fn resource_or_empty<A: Attributes>(&self, types: &[&str]) -> Result<ResourceBody<A>> {
        if self.0.trim_ascii().is_empty() {
            ResourceBody::parse(br#"{"data":{}}"#, TypeRule::Lenient(types), &[])
        } else {
            self.resource_lenient(types)
        }
    }

    /// The resources in the body if its data is a list of them, at most [`MAX_IDENTIFIERS`], each like that of
    /// [`Body::resource`]; `None` if its data is anything else.
    pub fn resources<A: Attributes>(&self, types: &[&str], required: &[&str]) -> Result<Option<Vec<ResourceBody<A>>>> {
        let Value::Array(items) = parse_data(&self.0)? else { return Ok(None) };
        read_all(items, "/data", types, required).map(Some)
    }

    /// The same, where the body must hold a list.
    pub fn list<A: Attributes>(&self, types: &[&str], required: &[&str]) -> Result<Vec<ResourceBody<A>>> {
        self.resources(types, required)?.ok_or_else(|| malformed("/data", "Must be a list of resources"))
    }

    /// The ids of the resource identifiers in the body, as sent, so that each is still at its place when a fault is
    /// pointed at: at most [`MAX_IDENTIFIERS`], of one of `types` (JSON:API "Updating To-Many Relationships").
    pub fn identifiers(&self, types: &[&str]) -> Result<Vec<String>> {
        identifiers_of(&parse_data(&self.0)?, types)
    }
}

impl FromRequest for Body {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        let request = request.clone();
        let payload = Payload::from_request(&request, payload).into_inner();
        Box::pin(async move {
            check_length(&request)?;
            let unreadable = || Error::bad_request("unreadable body", "The body broke off");
            match payload.map_err(|_| unreadable())?.to_bytes_limited(MAX_BODY).await {
                Ok(Ok(bytes)) => {
                    if !bytes.is_empty() {
                        check_content_type(request.headers())?;
                    }
                    Ok(Self(bytes))
                }
                Ok(Err(_)) => Err(unreadable()),
                Err(_) => Err(Error::payload_too_large(MAX_BODY)),
            }
        })
    }
}

/// Refuses a body that announces itself as too large before any of it is read.
fn check_length(request: &HttpRequest) -> Result<()> {
    let length = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    match length.map(str::parse::<usize>) {
        None => Ok(()),
        Some(Ok(length)) if length <= MAX_BODY => Ok(()),
        Some(_) => Err(Error::payload_too_large(MAX_BODY)),
    }
}

/// A resource object that a client sent.
#[derive(Debug)]
pub struct ResourceBody<A> {
    /// Its `id`, unless absent or empty.
    pub id: Option<String>,
    /// Its `attributes`, deserialized and validated.
    pub attributes: A,
    /// Its `relationships`, to be asked for by name.
    pub relationships: Relationships,
    /// Where it is in the document, as a JSON pointer.
    at: String,
}

impl<A: Attributes> ResourceBody<A> {
    /// Reads a document with one resource object; every fault of its attributes is reported.
    pub fn parse(bytes: &[u8], accepted: TypeRule<'_>, required: &[&str]) -> Result<Self> {
        Self::read(parse_data(bytes)?, "/data", accepted, required)
    }

    /// Reads the resource object at the pointer `at`.
    fn read(data: Value, at: &str, accepted: TypeRule<'_>, required: &[&str]) -> Result<Self> {
        let Value::Object(mut data) = data else {
            return Err(malformed(at, "Must be a resource object"));
        };
        check_type(data.get("type"), &format!("{at}/type"), accepted)?;
        let id = match data.remove("id") {
            None | Some(Value::Null) => None,
            Some(Value::String(id)) => Some(id).filter(|id| !id.is_empty()),
            Some(_) => return Err(malformed(&format!("{at}/id"), "Must be a string")),
        };
        let below = |name: &str| format!("{at}/{name}");
        let attributes = object_or_empty(data.remove("attributes"), &below("attributes"))?;
        let members = object_or_empty(data.remove("relationships"), &below("relationships"))?;
        Ok(Self {
            id,
            attributes: read_attributes(dashed(attributes), &below("attributes"), required)?,
            relationships: Relationships { members, at: below("relationships") },
            at: at.to_owned(),
        })
    }

    /// A JSON pointer to a member of it.
    pub fn pointer(&self, member: &str) -> String {
        format!("{}/{member}", self.at)
    }

    /// The same, if it leaves the id of something new to the server.
    ///
    /// # Errors
    /// 403 for an id that the client chose (JSON:API "Client-Generated IDs").
    pub fn without_id(self) -> Result<Self> {
        match self.id {
            None => Ok(self),
            Some(_) => {
                let fault = Error::forbidden("The server chooses the id of a new resource");
                Err(fault.with_pointer(self.pointer("id")))
            }
        }
    }

    /// The same, if it names no other resource than the request is about, which is known under these ids.
    ///
    /// # Errors
    /// 409 for the id of another one (JSON:API "Updating Resources").
    pub fn about(self, own: &[&str]) -> Result<Self> {
        match &self.id {
            Some(id) if !own.contains(&id.as_str()) => {
                let detail = "The id is not that of the resource that the request is about";
                Err(Error::conflict(Some(&self.pointer("id")), detail))
            }
            _ => Ok(self),
        }
    }
}

/// The resources in a list at the pointer `at`, or the faults of all of them.
fn read_all<A: Attributes>(
    items: Vec<Value>,
    at: &str,
    types: &[&str],
    required: &[&str],
) -> Result<Vec<ResourceBody<A>>> {
    if items.len() > MAX_IDENTIFIERS {
        return Err(Error::attribute(at, format!("Must hold at most {MAX_IDENTIFIERS} resources")));
    }
    let (mut resources, mut faults) = (Vec::new(), Vec::new());
    for (n, item) in items.into_iter().enumerate() {
        match ResourceBody::read(item, &format!("{at}/{n}"), TypeRule::OneOf(types), required) {
            Ok(resource) => resources.push(resource),
            Err(fault) => faults.push(fault),
        }
    }
    Error::check(faults)?;
    Ok(resources)
}

/// The `data` of a document that is JSON and holds no NUL character.
fn parse_data(bytes: &[u8]) -> Result<Value> {
    let document: Value = serde_json::from_slice(bytes)
        .map_err(|error| Error::bad_request("invalid JSON", format!("The body is not valid JSON: {error}")))?;
    let mut faults = Vec::new();
    find_nul(&document, &mut Vec::new(), &mut faults);
    Error::check(faults)?;
    match document {
        Value::Object(mut members) => {
            members.remove("data").ok_or_else(|| malformed("", "The document has no member \"data\""))
        }
        _ => Err(malformed("", "The document must be an object")),
    }
}

fn malformed(pointer: &str, detail: &str) -> Error {
    Error::bad_request("invalid document", detail).with_pointer(pointer)
}

/// A step into a document.
#[derive(Clone, Copy)]
enum Step<'a> {
    Member(&'a str),
    Item(usize),
}

/// After so many NUL characters the search for more is given up.
const MAX_NULS: usize = 20;

/// So much of a member's name is told in a pointer to a NUL character.
const MAX_NAME: usize = 200;

/// Finds NUL characters: PostgreSQL cannot hold them, so that no value of ours may.
///
/// The depth is bounded, because `serde_json` refuses what is nested deeper than 128. A pointer is written only where
/// there is a fault: a body of 1 MiB can hold a long name with a hundred thousand values below it.
fn find_nul<'a>(value: &'a Value, path: &mut Vec<Step<'a>>, faults: &mut Vec<Error>) {
    if faults.len() >= MAX_NULS {
        return;
    }
    match value {
        Value::String(text) if text.contains('\0') => faults.push(nul_at(path)),
        Value::Array(items) => {
            for (n, item) in items.iter().enumerate() {
                path.push(Step::Item(n));
                find_nul(item, path, faults);
                path.pop();
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                path.push(Step::Member(name));
                if name.contains('\0') {
                    faults.push(nul_at(path));
                }
                find_nul(member, path, faults);
                path.pop();
            }
        }
        _ => {}
    }
}

fn nul_at(path: &[Step<'_>]) -> Error {
    let told = |step: &Step<'_>| match step {
        Step::Item(n) => format!("/{n}"),
        Step::Member(name) => match name.char_indices().nth(MAX_NAME) {
            Some((end, _)) => format!("/{}…", escape(&name[..end])),
            None => format!("/{}", escape(name)),
        },
    };
    Error::attribute(path.iter().map(told).collect::<String>(), "Must not hold a NUL character")
}

/// A name as part of a JSON pointer (RFC 6901 §3).
fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

fn check_type(kind: Option<&Value>, at: &str, accepted: TypeRule<'_>) -> Result<()> {
    let (names, lenient) = match accepted {
        TypeRule::OneOf(names) => (names, false),
        TypeRule::Lenient(names) => (names, true),
    };
    match kind {
        None | Some(Value::Null) if lenient => Ok(()),
        None => Err(malformed(at, "A resource object needs a type")),
        Some(Value::String(name)) if name.is_empty() && lenient => Ok(()),
        Some(Value::String(name)) if names.contains(&name.as_str()) => Ok(()),
        Some(Value::String(_)) => Err(wrong_type(at, names)),
        Some(_) => Err(malformed(at, "Must be a string")),
    }
}

fn wrong_type(pointer: &str, names: &[&str]) -> Error {
    Error::conflict(Some(pointer), format!("The type must be {}", names.join(" or ")))
}

fn object_or_empty(value: Option<Value>, pointer: &str) -> Result<Map<String, Value>> {
    match value {
        None => Ok(Map::new()),
        Some(Value::Object(members)) => Ok(members),
        Some(other) => {
            let detail = format!("Must be an object, but is {}", kind_of(&other));
            Err(Error::attribute(pointer, detail))
        }
    }
}

fn identifiers_of(data: &Value, types: &[&str]) -> Result<Vec<String>> {
    let Value::Array(items) = data else {
        return Err(malformed("/data", "Must be a list of resource identifiers"));
    };
    if items.len() > MAX_IDENTIFIERS {
        let detail = format!("Must hold at most {MAX_IDENTIFIERS} resource identifiers");
        return Err(Error::attribute("/data", detail).with_title("too many identifiers"));
    }
    let mut faults = Vec::new();
    let mut ids = Vec::new();
    for (n, item) in items.iter().enumerate() {
        let pointer = format!("/data/{n}");
        match item.get("type") {
            Some(Value::String(name)) if types.contains(&name.as_str()) => {}
            Some(Value::String(_)) => faults.push(wrong_type(&format!("{pointer}/type"), types)),
            _ => faults.push(malformed(&format!("{pointer}/type"), "Must be a string")),
        }
        match item.get("id") {
            Some(Value::String(id)) if !id.is_empty() => ids.push(id.clone()),
            _ => faults.push(malformed(&format!("{pointer}/id"), "Must be a non-empty string")),
        }
    }
    Error::check(faults)?;
    Ok(ids)
}

/// Faults by JSON pointer, so that they are reported in a stable order.
type Faults = BTreeMap<String, Vec<Error>>;

/// The attributes as their own type, or every fault in them: wrong types and broken rules.
fn read_attributes<A: Attributes>(members: Map<String, Value>, at: &str, required: &[&str]) -> Result<A> {
    let mut wrong = missing(&members, at, required);
    let attributes: Option<A> = deserialize_attributes(members, at, &mut wrong);
    let mut faults = Faults::new();
    if let Some(Err(errors)) = attributes.as_ref().map(Validate::validate) {
        collect_invalid(&errors, at, &mut faults);
    }
    // An attribute of the wrong type was taken out, which is no reason to call it missing.
    faults.append(&mut wrong);
    Error::check(faults.into_values().flatten())?;
    attributes.ok_or_else(|| Error::attribute(at, "Cannot be read"))
}

/// Attribute names with hyphens: some shipped clients write underscores, and the HCP API takes both.
fn dashed(members: Map<String, Value>) -> Map<String, Value> {
    let (plain, odd): (Map<_, _>, Map<_, _>) = members.into_iter().partition(|(name, _)| !name.contains('_'));
    let odd = odd.into_iter().map(|(name, value)| (name.replace('_', "-"), value));
    // Where both spellings are there, the one with hyphens counts.
    odd.chain(plain).collect()
}

fn missing(members: &Map<String, Value>, at: &str, required: &[&str]) -> Faults {
    let absent = |name: &&&str| members.get(**name).is_none_or(Value::is_null);
    let fault = |name: &&str| {
        let pointer = format!("{at}/{name}");
        let detail = format!("{} is required", human(&[(*name).to_owned()]));
        (pointer.clone(), vec![Error::attribute(pointer, detail)])
    };
    required.iter().filter(absent).map(fault).collect()
}

/// Deserializes what can be: whenever a value has the wrong type, it is taken out, and the rest is
/// tried again. `None` if something is wrong that cannot be taken out.
fn deserialize_attributes<A: Attributes>(members: Map<String, Value>, at: &str, faults: &mut Faults) -> Option<A> {
    let mut members = Value::Object(members);
    while faults.len() < MAX_WRONG_ATTRIBUTES {
        let error = match serde_path_to_error::deserialize(&members) {
            Ok(attributes) => return Some(attributes),
            Err(error) => error,
        };
        let path = pointer_parts(error.path());
        let pointer = pointer_of(at, &path);
        let value = remove(&mut members, &path);
        let detail = describe(&path, value.as_ref(), &error.inner().to_string());
        faults.insert(pointer.clone(), vec![Error::attribute(pointer, detail)]);
        value?;
    }
    None
}

fn pointer_parts(path: &Path) -> Vec<String> {
    path.iter()
        .filter_map(|segment| match segment {
            Segment::Seq { index } => Some(index.to_string()),
            Segment::Map { key } => Some(key.clone()),
            Segment::Enum { .. } | Segment::Unknown => None,
        })
        .collect()
}

fn pointer_of(at: &str, path: &[String]) -> String {
    let path = path.iter().map(|part| format!("/{}", escape(part)));
    format!("{at}{}", path.collect::<String>())
}

/// Takes the value at `path` out of the objects that it is in. A list goes as a whole, because the
/// places of its other items must not change. Answers with the faulty value itself, or `None` if
/// nothing was taken.
fn remove(members: &mut Value, path: &[String]) -> Option<Value> {
    let (name, rest) = path.split_first()?;
    let members = members.as_object_mut()?;
    if !rest.is_empty() && members.get(name)?.is_object() {
        return remove(members.get_mut(name)?, rest);
    }
    let taken = members.remove(name)?;
    let inner = rest.iter().try_fold(&taken, |value, part| match value {
        Value::Array(items) => items.get(part.parse::<usize>().ok()?),
        other => other.get(part),
    });
    Some(inner.cloned().unwrap_or(taken))
}

/// What is wrong with an attribute in words; `message` is serde's own.
fn describe(path: &[String], value: Option<&Value>, message: &str) -> String {
    let name = human(path);
    let expected = message.rsplit_once("expected ").map(|(_, expected)| expected);
    match (expected, value) {
        (Some(expected), _) if message.starts_with("unknown variant") => {
            format!("{name} must be {}", expected.replace('`', "\""))
        }
        (Some(expected), Some(value)) if message.starts_with("invalid type") => {
            format!("{name} must be {}, but is {}", plain_type(expected), kind_of(value))
        }
        (Some(expected), _) if message.starts_with("invalid value: integer") => {
            format!("{name} is out of range: it must be {}", plain_type(expected))
        }
        // The words of a type of our own.
        _ if message.starts_with("must ") => format!("{name} {message}"),
        _ => format!("{name} is invalid: {message}"),
    }
}

/// The last name in a path, as the beginning of a sentence: `expired-at` is "Expired at".
fn human(path: &[String]) -> String {
    let is_name = |part: &&String| part.parse::<usize>().is_err();
    let Some(name) = path.iter().rfind(is_name) else {
        return "The value".to_owned();
    };
    let name = name.replace(['-', '_'], " ");
    let mut letters = name.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => "The value".to_owned(),
    }
}

/// What serde expects, in the words of JSON.
fn plain_type(expected: &str) -> &str {
    match expected {
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number from 0",
        "f32" | "f64" => "a number",
        "a sequence" => "a list",
        "a map" => "an object",
        other if other.starts_with("struct ") => "an object",
        other => other,
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// Everything that `validator` found, by pointer.
fn collect_invalid(errors: &ValidationErrors, at: &str, found: &mut Faults) {
    for (field, kind) in errors.errors() {
        let name = field.trim_start_matches("r#").replace('_', "-");
        // `__all__` is how validator names a rule about the struct as a whole.
        let pointer = if field == "__all__" { at.to_owned() } else { format!("{at}/{name}") };
        match kind {
            ValidationErrorsKind::Struct(inner) => collect_invalid(inner, &pointer, found),
            ValidationErrorsKind::List(items) => {
                for (n, inner) in items {
                    collect_invalid(inner, &format!("{pointer}/{n}"), found);
                }
            }
            ValidationErrorsKind::Field(inner) => {
                let name = human(std::slice::from_ref(&name));
                let fault = |error| Error::attribute(pointer.clone(), describe_invalid(&name, error));
                found.entry(pointer.clone()).or_default().extend(inner.iter().map(fault));
            }
        }
    }
}

/// The message of the rule, or a sentence made of its bounds.
fn describe_invalid(name: &str, error: &ValidationError) -> String {
    if let Some(message) = &error.message {
        return message.to_string();
    }
    let bound = |key: &str| error.params.get(key).map(whole);
    let unit = if error.code == "length" { " long" } else { "" };
    match (error.code.as_ref(), bound("min"), bound("max"), bound("equal")) {
        ("length", _, _, Some(equal)) => format!("{name} must be {equal} long"),
        ("length" | "range", Some(min), Some(max), _) => {
            format!("{name} must be {min} to {max}{unit}")
        }
        ("length" | "range", Some(min), None, _) => format!("{name} must be at least {min}{unit}"),
        ("length" | "range", None, Some(max), _) => format!("{name} must be at most {max}{unit}"),
        ("email", ..) => format!("{name} must be an email address"),
        ("url", ..) => format!("{name} must be a URL"),
        ("required", ..) => format!("{name} is required"),
        _ => format!("{name} is invalid"),
    }
}

/// A bound without the `.0` with which validator writes numbers.
fn whole(bound: &Value) -> String {
    let text = bound.to_string();
    text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
}

/// The relationships of a resource that a client sent. Faults are 422 with a pointer.
#[derive(Debug, Clone, Default)]
pub struct Relationships {
    members: Map<String, Value>,
    /// Where they are in the document, as a JSON pointer.
    at: String,
}

impl Relationships {
    /// The id in a to-one relationship; `None` if it is absent or null.
    pub fn to_one(&self, name: &str, kind: &str) -> Result<Option<&str>> {
        let pointer = format!("{}/data", self.pointer(name));
        match self.linkage(name)? {
            None | Some(Value::Null) => Ok(None),
            Some(data) => linked_id(data, &pointer, kind).map(Some),
        }
    }

    /// The ids in a to-many relationship; `None` if it is absent.
    pub fn to_many(&self, name: &str, kind: &str) -> Result<Option<Vec<&str>>> {
        let pointer = format!("{}/data", self.pointer(name));
        let items = match self.linkage(name)? {
            None => return Ok(None),
            Some(Value::Array(items)) if items.len() <= MAX_IDENTIFIERS => items,
            Some(Value::Array(_)) => {
                let detail = format!("Must hold at most {MAX_IDENTIFIERS} resource identifiers");
                return Err(invalid_relationship(&pointer, detail));
            }
            Some(other) => {
                let detail = format!("Must be a list, but is {}", kind_of(other));
                return Err(invalid_relationship(&pointer, detail));
            }
        };
        let mut faults = Vec::new();
        let mut ids = Vec::new();
        for (n, item) in items.iter().enumerate() {
            match linked_id(item, &format!("{pointer}/{n}"), kind) {
                Ok(id) => ids.push(id),
                Err(fault) => faults.push(fault),
            }
        }
        Error::check(faults)?;
        Ok(Some(ids))
    }

    /// The resources in a to-many relationship, whose attributes shipped clients send with it; `None` if it is absent.
    /// Their own faults are those of [`Body::resources`].
    pub fn resources<A: Attributes>(
        &self,
        name: &str,
        types: &[&str],
        required: &[&str],
    ) -> Result<Option<Vec<ResourceBody<A>>>> {
        let pointer = format!("{}/data", self.pointer(name));
        match self.linkage(name)? {
            None => Ok(None),
            Some(Value::Array(items)) => read_all(items.clone(), &pointer, types, required).map(Some),
            Some(other) => {
                let detail = format!("Must be a list, but is {}", kind_of(other));
                Err(invalid_relationship(&pointer, detail))
            }
        }
    }

    /// The `data` of a relationship; `None` if there is no such relationship.
    fn linkage(&self, name: &str) -> Result<Option<&Value>> {
        let Some(relationship) = self.members.get(name) else {
            return Ok(None);
        };
        relationship
            .get("data")
            .map(Some)
            .ok_or_else(|| invalid_relationship(&self.pointer(name), "Must be an object with a member \"data\""))
    }

    fn pointer(&self, name: &str) -> String {
        format!("{}/{}", self.at, escape(name))
    }
}

fn invalid_relationship(pointer: &str, detail: impl Into<String>) -> Error {
    Error::attribute(pointer, detail).with_title("invalid relationship")
}

fn linked_id<'a>(item: &'a Value, pointer: &str, kind: &str) -> Result<&'a str> {
    if !item.is_object() {
        let detail = format!("Must be a resource identifier, but is {}", kind_of(item));
        return Err(invalid_relationship(pointer, detail));
    }
    if item.get("type").and_then(Value::as_str) != Some(kind) {
        let detail = format!("The type must be {kind}");
        return Err(invalid_relationship(&format!("{pointer}/type"), detail));
    }
    let id = item.get("id").and_then(Value::as_str).filter(|id| !id.is_empty());
    id.ok_or_else(|| invalid_relationship(&format!("{pointer}/id"), "Must be a non-empty string"))
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::CONTENT_TYPE;
    use actix_web::test::TestRequest;
    use serde_json::json;

    use super::super::error::testing::{objects, pointers};
    use super::*;

    #[derive(Debug, Default, Deserialize, Validate)]
    #[serde(rename_all = "kebab-case", default)]
    struct Access {
        manage_teams: Option<bool>,
        read_all: Option<bool>,
    }

    #[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    enum Visibility {
        Secret,
        Organization,
    }

    #[derive(Debug, Default, Deserialize, Validate)]
    #[serde(rename_all = "kebab-case", default)]
    struct Team {
        #[validate(required, length(min = 1, max = 5))]
        name: Option<String>,
        #[validate(email(message = "Contact email is not an address"))]
        contact_email: Option<String>,
        #[validate(range(min = 0, max = 10))]
        seat_count: Option<i32>,
        visibility: Option<Visibility>,
        #[serde(deserialize_with = "present")]
        #[validate(length(max = 3))]
        description: Option<Option<String>>,
        expired_at: Option<chrono::DateTime<chrono::Utc>>,
        tags: Option<Vec<String>>,
        #[validate(nested)]
        organization_access: Option<Access>,
    }

    fn parse(document: Value) -> Result<ResourceBody<Team>> {
        ResourceBody::parse(document.to_string().as_bytes(), TypeRule::OneOf(&["teams"]), &[])
    }

    fn with_attributes(attributes: Value) -> Result<ResourceBody<Team>> {
        parse(json!({"data": {"type": "teams", "attributes": attributes}}))
    }

    #[track_caller]
    fn assert_fault(result: Result<ResourceBody<Team>>, status: u16, expected: &[&str]) {
        let error = result.unwrap_err();
        assert_eq!(pointers(&error), expected, "{error}");
        assert_eq!(error.status(), status, "{error}");
    }

    fn details(error: &Error) -> Vec<String> {
        let detail = |object: &Value| object["detail"].as_str().unwrap().to_owned();
        objects(error).iter().map(detail).collect()
    }

    #[test]
    fn a_long_name_with_many_values_below_it_costs_no_more_than_its_length() {
        let name = "x".repeat(500_000);
        for item in [r#""\u0000""#, "0"] {
            let items = vec![item; 50_000].join(",");
            let body = format!(r#"{{"{name}":[{items}],"data":null}}"#);
            let began = std::time::Instant::now();
            let faults = parse_data(body.as_bytes()).map_err(|error| error.to_string().len());
            assert!(faults.is_err_and(|length| length < 10_000) || item == "0");
            assert!(began.elapsed() < std::time::Duration::from_secs(5), "{:?}", began.elapsed());
        }
    }

    #[test]
    fn a_good_document_is_read_whole() {
        let body = parse(json!({"data": {
            "type": "teams",
            "id": "t",
            "attributes": {
                "name": "ops",
                "description": null,
                "visibility": "secret",
                "organization-access": {"manage-teams": true},
                "unknown": {"ignored": [1]},
            },
            "relationships": {
                "users": {"data": [{"type": "users", "id": "u1"}, {"type": "users", "id": "u2"}]},
                "owner": {"data": {"type": "users", "id": "u1"}},
                "none": {"data": null},
            },
        }}));
        let body = body.unwrap();
        assert_eq!(body.id.as_deref(), Some("t"));
        assert_eq!(body.attributes.name.as_deref(), Some("ops"));
        assert_eq!(body.attributes.description, Some(None));
        assert_eq!(body.attributes.visibility, Some(Visibility::Secret));
        let access = body.attributes.organization_access.unwrap();
        assert_eq!((access.manage_teams, access.read_all), (Some(true), None));
        let links = body.relationships;
        assert_eq!(links.to_many("users", "users").unwrap().unwrap(), ["u1", "u2"]);
        assert_eq!(links.to_one("owner", "users").unwrap(), Some("u1"));
        assert_eq!(links.to_one("none", "users").unwrap(), None);
        assert_eq!(links.to_many("absent", "users").unwrap(), None);
    }

    #[test]
    fn absent_is_not_null() {
        let body = with_attributes(json!({"name": "a"})).unwrap();
        assert_eq!(body.attributes.description, None);
        let body = with_attributes(json!({"name": "a", "description": "b"})).unwrap();
        assert_eq!(body.attributes.description, Some(Some("b".to_owned())));
    }

    #[test]
    fn what_is_not_json_is_400_with_its_place() {
        let deep = format!("{{\"data\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
        let inputs: [&[u8]; 7] = [
            b"",
            b"{",
            b"{\"data\": \xff}",
            b"{\"data\": \"\xff\"}",
            br#"{"data": "\ud800"}"#,
            br#"{"data": 1e999}"#,
            deep.as_bytes(),
        ];
        for input in inputs {
            let result = ResourceBody::<Team>::parse(input, TypeRule::OneOf(&["teams"]), &[]);
            let error = result.unwrap_err();
            assert_eq!(error.status(), 400);
            assert_eq!(objects(&error)[0]["title"], "invalid JSON");
            let detail = &details(&error)[0];
            assert!(detail.contains("line 1 column"), "{detail}");
        }
    }

    #[test]
    fn a_document_without_a_resource_is_400() {
        assert_fault(parse(json!([])), 400, &[""]);
        assert_fault(parse(json!({})), 400, &[""]);
        assert_fault(parse(json!({"data": null})), 400, &["/data"]);
        assert_fault(parse(json!({"data": [{"type": "teams"}]})), 400, &["/data"]);
        assert_fault(parse(json!({"data": {"type": "teams", "id": 1}})), 400, &["/data/id"]);
    }

    #[test]
    fn the_type_is_that_of_the_endpoint() {
        assert_fault(parse(json!({"data": {}})), 400, &["/data/type"]);
        assert_fault(parse(json!({"data": {"type": 1}})), 400, &["/data/type"]);
        assert_fault(parse(json!({"data": {"type": "team"}})), 409, &["/data/type"]);
        assert_fault(parse(json!({"data": {"type": ""}})), 409, &["/data/type"]);
    }

    #[test]
    fn the_lenient_rule_takes_what_shipped_clients_send() {
        let names = TypeRule::Lenient(&["authentication-tokens", "authentication-token"]);
        let status = |data: Value| {
            let document = json!({"data": data}).to_string();
            let result = ResourceBody::<Access>::parse(document.as_bytes(), names, &[]);
            result.map_or_else(|error| error.status().as_u16(), |_| 200)
        };
        for data in [json!({}), json!({"type": ""}), json!({"type": null}), json!({"type": "authentication-token"})] {
            assert_eq!(status(data), 200);
        }
        assert_eq!(status(json!({"type": "teams"})), 409);
        assert_eq!(status(json!({"type": 1})), 400);
    }

    #[test]
    fn attributes_are_an_object() {
        for attributes in [json!([]), json!("x"), json!(null)] {
            assert_fault(with_attributes(attributes), 422, &["/data/attributes"]);
        }
    }

    #[test]
    fn a_nul_is_refused_wherever_it_is() {
        let result = parse(json!({
            "data": {"type": "teams", "attributes": {"name": "a\0", "x/~y": ["b", "\0"], "\0": 1}},
            "meta": {"z": "\0"},
        }));
        let expected = ["/data/attributes/\0", "/data/attributes/name", "/data/attributes/x~1~0y/1", "/meta/z"];
        assert_fault(result, 422, &expected);
    }

    #[test]
    fn every_fault_has_its_own_error() {
        let result = with_attributes(json!({
            "name": 5,
            "contact-email": "nobody",
            "seat-count": 11,
            "visibility": "public",
            "description": "long",
            "expired-at": "tomorrow",
            "tags": ["a", 1, 2],
            "organization-access": {"manage-teams": "yes", "read-all": 1},
        }));
        let error = result.unwrap_err();
        assert_eq!(error.status(), 422);
        let expected = [
            "/data/attributes/contact-email",
            "/data/attributes/description",
            "/data/attributes/expired-at",
            "/data/attributes/name",
            "/data/attributes/organization-access/manage-teams",
            "/data/attributes/organization-access/read-all",
            "/data/attributes/seat-count",
            "/data/attributes/tags/1",
            "/data/attributes/visibility",
        ];
        assert_eq!(pointers(&error), expected);
        let details = details(&error);
        assert_eq!(details[0], "Contact email is not an address");
        assert_eq!(details[1], "Description must be at most 3 long");
        assert!(details[2].starts_with("Expired at is invalid: "), "{}", details[2]);
        assert_eq!(details[3], "Name must be a string, but is a number");
        assert_eq!(details[4], "Manage teams must be a boolean, but is a string");
        assert_eq!(details[6], "Seat count must be 0 to 10");
        assert_eq!(details[7], "Tags must be a string, but is a number");
        assert_eq!(details[8], "Visibility must be \"secret\" or \"organization\"");
    }

    #[test]
    fn rules_without_a_message_get_a_readable_one() {
        let detail = |attributes| details(&with_attributes(attributes).unwrap_err()).remove(0);
        assert_eq!(detail(json!({})), "Name is required");
        assert_eq!(detail(json!({"name": ""})), "Name must be 1 to 5 long");
        assert_eq!(
            detail(json!({"name": "a", "seat-count": 1.5})),
            "Seat count must be a whole number, but is a number"
        );
        assert_eq!(
            detail(json!({"name": "a", "seat-count": 5_000_000_000_u64})),
            "Seat count is out of range: it must be a whole number"
        );
        assert_eq!(
            detail(json!({"name": "a", "organization-access": 1})),
            "Organization access must be an object, but is a number"
        );
    }

    #[test]
    fn faults_of_relationships_have_pointers() {
        let body = parse(json!({"data": {
            "type": "teams",
            "attributes": {"name": "a"},
            "relationships": {
                "teams": {"data": [{"type": "users", "id": "a"}, {"type": "teams"}, 1]},
                "one": {"data": {"type": "teams", "id": 1}},
                "bare": {},
                "null": {"data": null},
            },
        }}));
        let links = body.unwrap().relationships;
        let error = links.to_many("teams", "teams").unwrap_err();
        let expected = [
            "/data/relationships/teams/data/0/type",
            "/data/relationships/teams/data/1/id",
            "/data/relationships/teams/data/2",
        ];
        assert_eq!(pointers(&error), expected);
        assert_eq!(error.status(), 422);
        let error = links.to_one("one", "teams").unwrap_err();
        assert_eq!(pointers(&error), ["/data/relationships/one/data/id"]);
        let error = links.to_one("bare", "teams").unwrap_err();
        assert_eq!(pointers(&error), ["/data/relationships/bare"]);
        let error = links.to_many("null", "teams").unwrap_err();
        assert_eq!(pointers(&error), ["/data/relationships/null/data"]);
    }

    #[test]
    fn identifiers_are_read_as_sent() {
        let read = |data: Value| Body(Bytes::from(json!({ "data": data }).to_string())).identifiers(&["users"]);
        let user = |id: &str| json!({"type": "users", "id": id});
        assert_eq!(read(json!([user("a"), user("b"), user("a")])).unwrap(), ["a", "b", "a"]);
        assert!(read(json!([])).unwrap().is_empty());

        let faulty = json!([{"type": "users"}, {"type": "teams", "id": "x"}, {"id": "y"}, 1]);
        let error = read(faulty).unwrap_err();
        let expected = ["/data/0/id", "/data/1/type", "/data/2/type", "/data/3/type", "/data/3/id"];
        assert_eq!(pointers(&error), expected);
        assert_eq!(pointers(&read(user("a")).unwrap_err()), ["/data"]);
        let many = vec![user("a"); MAX_IDENTIFIERS + 1];
        assert_eq!(read(many.into()).unwrap_err().status(), 422);
    }

    #[test]
    fn no_body_is_an_empty_resource_where_that_is_allowed() {
        let body = Body(Bytes::new());
        let empty = body.resource_or_empty::<Access>(&["authentication-tokens"]).unwrap();
        assert_eq!(empty.attributes.read_all, None);
        assert_eq!(body.resource::<Access>(&["teams"], &[]).unwrap_err().status(), 400);
    }

    /// What the client reads after it has sent these bytes to a real server and nothing more.
    async fn exchange(sent: Vec<u8>) -> String {
        use std::io::{Read, Write};
        let handler = |_: Body| async { "read" };
        let app = move || actix_web::App::new().default_service(actix_web::web::to(handler));
        let server = actix_web::HttpServer::new(app).workers(1);
        let server = server.disable_signals().bind("127.0.0.1:0").unwrap();
        let address = server.addrs()[0];
        let server = server.run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        let client = move || {
            let mut stream = std::net::TcpStream::connect(address).unwrap();
            let limit = std::time::Duration::from_secs(5);
            stream.set_read_timeout(Some(limit)).unwrap();
            let mut writer = stream.try_clone().unwrap();
            // The server may close the connection before everything is sent.
            std::thread::spawn(move || drop(writer.write_all(&sent)));
            let mut answer = [0; 12];
            stream.read_exact(&mut answer).unwrap();
            String::from_utf8_lossy(&answer).into_owned()
        };
        let answer = actix_web::web::block(client).await.unwrap();
        handle.stop(false).await;
        answer
    }

    #[actix_web::test]
    async fn a_large_body_is_refused_over_the_wire_without_waiting_for_its_end() {
        let head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/vnd.api+json\r\n";
        let announced = format!("{head}Content-Length: {}\r\n\r\n", MAX_BODY + 1);
        assert_eq!(exchange(announced.clone().into_bytes()).await, "HTTP/1.1 413");
        let sent = format!("{announced}{}", " ".repeat(MAX_BODY + 1));
        assert_eq!(exchange(sent.into_bytes()).await, "HTTP/1.1 413");

        let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
        let endless = format!("{head}Transfer-Encoding: chunked\r\n\r\n{}", chunk.repeat(17));
        assert_eq!(exchange(endless.into_bytes()).await, "HTTP/1.1 413");
    }

    async fn extract(request: TestRequest) -> u16 {
        let (request, mut payload) = request.to_http_parts();
        let body = Body::from_request(&request, &mut payload).await;
        body.map_or_else(|error| error.status().as_u16(), |_| 200)
    }

    #[actix_web::test]
    async fn a_body_has_a_type_and_at_most_a_mebibyte() {
        let post = |size: usize| {
            let kind = (CONTENT_TYPE, "application/vnd.api+json");
            TestRequest::post().insert_header(kind).set_payload(vec![b' '; size])
        };
        assert_eq!(extract(post(MAX_BODY)).await, 200);
        assert_eq!(extract(post(MAX_BODY + 1)).await, 413);
        let announced = post(2).insert_header((CONTENT_LENGTH, "99999999999999999999"));
        assert_eq!(extract(announced).await, 413);
        let unlabelled = TestRequest::post().insert_header((CONTENT_LENGTH, "2")).set_payload("{}");
        assert_eq!(extract(unlabelled).await, 415);
        assert_eq!(extract(TestRequest::post()).await, 200);
    }
}
