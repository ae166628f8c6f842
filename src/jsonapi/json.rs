//! The JSON of a request's body: parsed, held to be free of NUL characters, and pointed into (RFC 6901).

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_json::{Map, Number, Value};

use super::error::{Error, Result};

/// The `data` of a document that is JSON and holds no NUL character.
pub(super) fn parse_data(bytes: &[u8]) -> Result<Value> {
    data_of(parse_plain(bytes, Kept::All)?)
}

/// The same of a document that identifies resources. Some clients send the whole resources: what does not identify them is
/// passed over, so that it costs nothing.
pub(super) fn parse_identifiers(bytes: &[u8]) -> Result<Value> {
    data_of(parse_plain(bytes, Kept::Identifiers)?)
}

fn data_of(document: Value) -> Result<Value> {
    match document {
        Value::Object(mut members) => {
            members.remove("data").ok_or_else(|| malformed("", "The document has no member \"data\""))
        }
        _ => Err(malformed("", "The document must be an object")),
    }
}

/// The members of an object that is no document, if `member` is among them; none for anything else.
pub(super) fn parse_bare(bytes: &[u8], member: &str) -> Result<Option<Map<String, Value>>> {
    if bytes.trim_ascii().is_empty() {
        return Ok(None);
    }
    match parse_plain(bytes, Kept::All)? {
        Value::Object(members) if members.contains_key(member) && !members.contains_key("data") => Ok(Some(members)),
        _ => Ok(None),
    }
}

/// JSON that holds no NUL character.
fn parse_plain(bytes: &[u8], kept: Kept) -> Result<Value> {
    let value = parse(bytes, kept).map_err(|error| {
        let refused = if error.classify() == Category::Data { "is refused" } else { "is not valid JSON" };
        Error::bad_request("invalid JSON", format!("The body {refused}: {error}"))
    })?;
    let mut faults = Vec::new();
    find_nul(&value, &mut Vec::new(), &mut faults);
    Error::check(faults)?;
    Ok(value)
}

/// So many values may be in any body, and one more for each 64 bytes of it. An empty object in a list takes three bytes
/// to send and hundreds to keep.
const VALUES: usize = 5000;

/// What is kept of a document.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kept {
    All,
    /// Of each item in `data` its type and its id.
    Identifiers,
}

impl Kept {
    /// Whether a member is kept of an object that lies so deep.
    fn has(self, name: &str, depth: usize) -> bool {
        // The document itself, its data, an item.
        self == Self::All || depth != 2 || ["type", "id"].contains(&name)
    }
}

/// Parses JSON of a bounded number of values. A member that is there twice is a fault: whoever else reads the body might
/// take the other one (RFC 8259 §4, RFC 7493 §2.3).
fn parse(bytes: &[u8], kept: Kept) -> serde_json::Result<Value> {
    let mut left = VALUES + bytes.len() / 64;
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = Bounded { left: &mut left, kept, depth: 0 }.deserialize(&mut reader)?;
    reader.end()?;
    Ok(value)
}

/// Reads a value, and counts it and all that are in it.
struct Bounded<'a> {
    left: &'a mut usize,
    kept: Kept,
    depth: usize,
}

impl Bounded<'_> {
    fn count<E: serde::de::Error>(&mut self) -> Result<(), E> {
        *self.left = self.left.checked_sub(1).ok_or_else(|| E::custom("it holds too many values"))?;
        Ok(())
    }

    /// For what is in it.
    fn below(&mut self) -> Bounded<'_> {
        Bounded { left: self.left, kept: self.kept, depth: self.depth + 1 }
    }
}

impl<'de> DeserializeSeed<'de> for Bounded<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(mut self, from: D) -> Result<Value, D::Error> {
        self.count()?;
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Bounded<'_> {
    type Value = Value;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<Value, A::Error> {
        let mut list = vec![];
        while let Some(item) = items.next_element_seed(self.below())? {
            list.push(item);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if !self.kept.has(&name, self.depth) {
                members.next_value::<IgnoredAny>()?;
                continue;
            }
            if object.contains_key(&name) {
                let shown: String = name.chars().take(MAX_NAME).collect();
                return Err(A::Error::custom(format_args!("the member {shown:?} is there twice")));
            }
            let value = members.next_value_seed(self.below())?;
            object.insert(name, value);
        }
        Ok(object.into())
    }
}

/// 400 for a document whose form is wrong at `pointer`.
pub(super) fn malformed(pointer: &str, detail: &str) -> Error {
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
pub(super) fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// The kind of a value, as words in a sentence.
pub(super) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::error::testing::{objects, pointers};
    use super::*;

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
            let error = parse_data(input).unwrap_err();
            assert_eq!(error.status(), 400);
            assert_eq!(objects(&error)[0]["title"], "invalid JSON");
            let detail = objects(&error)[0]["detail"].to_string();
            assert!(detail.contains("line 1 column"), "{detail}");
        }
    }

    #[test]
    fn a_member_that_is_there_twice_is_refused() {
        for twice in [r#"{"data": 1, "data": 2}"#, r#"{"data": {"attributes": {"a": 1, "\u0061": 2}}}"#] {
            let error = parse_data(twice.as_bytes()).unwrap_err();
            assert_eq!(error.status(), 400);
            assert!(objects(&error)[0]["detail"].to_string().contains("is there twice"), "{twice}");
        }
    }

    #[test]
    fn a_body_costs_a_small_multiple_of_its_size_whatever_its_shape() {
        let objects_of = |count: usize| format!(r#"{{"data":[{}]}}"#, vec![r#"{"":0}"#; count].join(","));
        assert!(parse_data(objects_of(2000).as_bytes()).is_ok());
        let error = parse_data(objects_of(149_000).as_bytes()).unwrap_err();
        assert!(objects(&error)[0]["detail"].to_string().contains("too many values"));
        // What lists need: a thousand resources with a few attributes each.
        let item = r#"{"type":"authentication-tokens","id":"at-1111111111111111111111"}"#;
        assert!(parse_data(format!(r#"{{"data":[{}]}}"#, vec![item; 1000].join(",")).as_bytes()).is_ok());
    }

    #[test]
    fn whole_resources_cost_no_more_than_their_identifiers() {
        let values = vec!["0"; 100].join(",");
        let whole = format!(r#"{{"type":"workspaces","id":"ws-1","attributes":{{"a":[{values}],"id":"ws-2"}}}}"#);
        let body = format!(r#"{{"data":[{}]}}"#, vec![whole.as_str(); 1000].join(","));
        assert!(parse_data(body.as_bytes()).is_err());
        let kept = parse_identifiers(body.as_bytes()).unwrap();
        assert_eq!(kept, json!(vec![json!({"type": "workspaces", "id": "ws-1"}); 1000]));
        assert!(parse_identifiers(br#"{"data":[{"type":"teams","attributes":{]}]}"#).is_err());
        let deep = format!(r#"{{"data":[{{"id":"x","a":{}{}}}]}}"#, "[".repeat(100_000), "]".repeat(100_000));
        assert!(parse_identifiers(deep.as_bytes()).is_ok());
    }

    #[test]
    fn values_are_read_as_they_are() {
        let text = r#"{"data":[null,true,false,0,-1,18446744073709551615,1.5,-0.0,1e3,"é\u00e9\ud83d\ude00",[],{}]}"#;
        let whole: Value = serde_json::from_str(text).unwrap();
        assert_eq!(parse_data(text.as_bytes()).unwrap(), whole["data"]);
    }

    #[test]
    fn a_nul_is_refused_wherever_it_is() {
        let document = json!({
            "data": {"type": "teams", "attributes": {"name": "a\0", "x/~y": ["b", "\0"], "\0": 1}},
            "meta": {"z": "\0"},
        });
        let error = parse_data(document.to_string().as_bytes()).unwrap_err();
        let expected = ["/data/attributes/\0", "/data/attributes/name", "/data/attributes/x~1~0y/1", "/meta/z"];
        assert_eq!(pointers(&error), expected);
        assert_eq!(error.status(), 422);
    }
}
