//! The attributes of a resource that a client sent: deserialized into a room's own type and validated, with one error
//! and one JSON pointer for each fault.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use serde_path_to_error::{Path, Segment};
use validator::{Validate, ValidationError, ValidationErrors, ValidationErrorsKind};

use super::attribute_value::AttributeValue;
use super::error::{Error, Result};
use super::json::escape;

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

/// Faults by JSON pointer, so that they are reported in a stable order.
type Faults = BTreeMap<String, Vec<Error>>;

/// The attributes as their own type, or every fault in them: wrong types and broken rules.
pub(super) fn read_attributes<A: Attributes>(members: Map<String, Value>, at: &str, required: &[&str]) -> Result<A> {
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
pub(super) fn dashed(members: Map<String, Value>) -> Map<String, Value> {
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
        let error = match serde_path_to_error::deserialize(AttributeValue(&members)) {
            Ok(attributes) => return Some(attributes),
            Err(error) => error,
        };
        let path = pointer_parts(error.path());
        let pointer = pointer_of(at, &path);
        let detail = format!("{} {}", human(&path), error.inner());
        faults.insert(pointer.clone(), vec![Error::attribute(pointer, detail)]);
        remove(&mut members, &path)?;
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

/// Takes the value at `path` out of the objects that it is in; `None` if it is not there. A list goes as a whole, because
/// the places of its other items must not change.
fn remove(members: &mut Value, path: &[String]) -> Option<Value> {
    let (name, rest) = path.split_first()?;
    let members = members.as_object_mut()?;
    if !rest.is_empty() && members.get(name)?.is_object() {
        return remove(members.get_mut(name)?, rest);
    }
    members.remove(name)
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
    let unit = if error.code == "length" { " characters long" } else { "" };
    match (error.code.as_ref(), bound("min"), bound("max"), bound("equal")) {
        ("length", _, _, Some(equal)) => format!("{name} must be {equal}{unit}"),
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

/// What the tests of this layer read.
#[cfg(test)]
pub(super) mod testing {
    use super::super::error::testing::objects;
    use super::*;

    #[derive(Debug, Default, Deserialize, Validate)]
    #[serde(rename_all = "kebab-case", default)]
    pub struct Access {
        pub manage_teams: Option<bool>,
        pub read_all: Option<bool>,
    }

    #[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    pub enum Visibility {
        Secret,
        Organization,
    }

    #[derive(Debug, Default, Deserialize, Validate)]
    #[serde(rename_all = "kebab-case", default)]
    pub struct Team {
        #[validate(required, length(min = 1, max = 5))]
        pub name: Option<String>,
        #[validate(email(message = "Contact email is not an address"))]
        pub contact_email: Option<String>,
        #[validate(range(min = 0, max = 10))]
        pub seat_count: Option<i32>,
        pub visibility: Option<Visibility>,
        #[serde(deserialize_with = "present")]
        #[validate(length(max = 3))]
        pub description: Option<Option<String>>,
        pub expired_at: Option<chrono::DateTime<chrono::Utc>>,
        pub tags: Option<Vec<String>>,
        #[validate(nested)]
        pub organization_access: Option<Access>,
    }

    pub fn details(error: &Error) -> Vec<String> {
        let detail = |object: &Value| object["detail"].as_str().unwrap().to_owned();
        objects(error).iter().map(detail).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::error::testing::pointers;
    use super::testing::{Team, details};
    use super::*;

    fn with_attributes(attributes: Value) -> Result<Team> {
        let Value::Object(members) = attributes else { panic!("{attributes} is no object") };
        read_attributes(members, "/data/attributes", &[])
    }

    #[test]
    fn absent_is_not_null() {
        let body = with_attributes(json!({"name": "a"})).unwrap();
        assert_eq!(body.description, None);
        let body = with_attributes(json!({"name": "a", "description": "b"})).unwrap();
        assert_eq!(body.description, Some(Some("b".to_owned())));
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
        assert_eq!(details[1], "Description must be at most 3 characters long");
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
        assert_eq!(detail(json!({"name": ""})), "Name must be 1 to 5 characters long");
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
}
