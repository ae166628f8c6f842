//! The JSON of a request's body: parsed, held to be free of NUL characters, and pointed into (RFC 6901).

use serde_json::Value;

use super::error::{Error, Result};

/// The `data` of a document that is JSON and holds no NUL character.
pub(super) fn parse_data(bytes: &[u8]) -> Result<Value> {
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
