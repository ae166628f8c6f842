//! A JSON value to deserialize an attribute from, whose faults are in words of our own.
//!
//! `serde_json` says what is wrong in English that any of its releases may change. Here a fault is made where it is
//! found: the type that is deserialized asks for what it expects, and the value is of that kind or not.

use std::fmt;

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{self, Deserializer, Expected, IntoDeserializer, Unexpected, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::Value;

use super::json::kind_of;

/// What is wrong with a value, as the rest of a sentence that begins with the attribute's name.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault(String);

impl Fault {
    fn kind(expected: &str, found: &Value) -> Self {
        Self(format!("must be {expected}, but is {}", kind_of(found)))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for Fault {}

impl de::Error for Fault {
    /// The message of a type of ours begins with "must".
    fn custom<T: fmt::Display>(message: T) -> Self {
        let message = message.to_string();
        Self(if message.starts_with("must ") { message } else { format!("is invalid: {message}") })
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self(format!("must be {expected}"))
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self(format!("must be {expected}"))
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        let variants: Vec<String> = expected.iter().map(|variant| format!("\"{variant}\"")).collect();
        Self(format!("must be {}", variants.join(" or ")))
    }

    fn missing_field(field: &'static str) -> Self {
        Self(format!("is invalid: missing field `{field}`"))
    }
}

/// A value of the request's document.
#[derive(Clone, Copy)]
pub(super) struct AttributeValue<'de>(pub &'de Value);

impl<'de> AttributeValue<'de> {
    fn boolean<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let value = self.0.as_bool().ok_or_else(|| Fault::kind("a boolean", self.0))?;
        visitor.visit_bool(value)
    }

    fn whole_number<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.integer("a whole number", visitor)
    }

    fn whole_number_from_0<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.integer("a whole number from 0", visitor)
    }

    fn integer<V: Visitor<'de>>(self, expected: &str, visitor: V) -> Result<V::Value, Fault> {
        let visited = match (self.0.as_u64(), self.0.as_i64()) {
            (Some(number), _) => visitor.visit_u64(number),
            (None, Some(number)) => visitor.visit_i64(number),
            (None, None) => return Err(Fault::kind(expected, self.0)),
        };
        visited.map_err(|_: Fault| Fault(format!("is out of range: it must be {expected}")))
    }

    fn number<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let number = self.0.as_f64().ok_or_else(|| Fault::kind("a number", self.0))?;
        visitor.visit_f64(number)
    }

    fn text(self) -> Result<&'de str, Fault> {
        self.0.as_str().ok_or_else(|| Fault::kind("a string", self.0))
    }

    fn string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_borrowed_str(self.text()?)
    }

    fn list<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let items = self.0.as_array().ok_or_else(|| Fault::kind("a list", self.0))?;
        visitor.visit_seq(SeqDeserializer::new(items.iter().map(AttributeValue)))
    }

    fn object<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let members = self.0.as_object().ok_or_else(|| Fault::kind("an object", self.0))?;
        let members = members.iter().map(|(name, value)| (name.as_str(), AttributeValue(value)));
        visitor.visit_map(MapDeserializer::new(members))
    }
}

impl<'de> IntoDeserializer<'de, Fault> for AttributeValue<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// The methods by which a type says which kind of value it expects.
macro_rules! expect {
    ($($kind:ident: $($method:ident)+;)+) => {$($(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            self.$kind(visitor)
        }
    )+)+};
}

impl<'de> Deserializer<'de> for AttributeValue<'de> {
    type Error = Fault;

    expect! {
        boolean: deserialize_bool;
        whole_number: deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64;
        whole_number_from_0: deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64;
        number: deserialize_f32 deserialize_f64;
        string: deserialize_str deserialize_string;
        list: deserialize_seq;
        object: deserialize_map;
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(_) => self.boolean(visitor),
            Value::Number(number) if number.is_f64() => self.number(visitor),
            Value::Number(_) => self.whole_number(visitor),
            Value::String(_) => self.string(visitor),
            Value::Array(_) => self.list(visitor),
            Value::Object(_) => self.object(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    /// Not from a list of the members' values, which serde would take for the struct, too.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.object(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_enum(self.text()?.into_deserializer())
    }

    forward_to_deserialize_any! {
        i128 u128 char bytes byte_buf unit unit_struct tuple tuple_struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Pair {
        one: u8,
        other: Option<i64>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Size {
        Small,
        Large,
    }

    #[track_caller]
    fn read<'de, T: Deserialize<'de>>(value: &'de Value) -> Result<T, String> {
        T::deserialize(AttributeValue(value)).map_err(|fault| fault.to_string())
    }

    #[track_caller]
    fn assert_fault<T: for<'de> Deserialize<'de> + fmt::Debug>(value: Value, expected: &str) {
        assert_eq!(read::<T>(&value).unwrap_err(), expected);
    }

    #[test]
    fn what_serde_json_reads_is_read() {
        assert_eq!(
            read(&json!({"one": 1, "other": -2, "unknown": [{"a": null}]})),
            Ok(Pair { one: 1, other: Some(-2) })
        );
        assert_eq!(read(&json!({"one": 1, "other": null})), Ok(Pair { one: 1, other: None }));
        assert_eq!(read(&json!(["small", "large"])), Ok(vec![Size::Small, Size::Large]));
        assert_eq!(read(&json!([1, 1.5])), Ok(vec![1.0, 1.5]));
        let any = json!({"a": [null, true, 1, -1, 1.5, "b"]});
        assert_eq!(read::<Value>(&any).as_ref(), Ok(&any));
    }

    #[test]
    fn a_value_of_another_kind_is_named_with_what_was_expected() {
        assert_fault::<bool>(json!("yes"), "must be a boolean, but is a string");
        assert_fault::<i32>(json!(1.5), "must be a whole number, but is a number");
        assert_fault::<u32>(json!(true), "must be a whole number from 0, but is a boolean");
        assert_fault::<f64>(json!("1"), "must be a number, but is a string");
        assert_fault::<String>(json!(null), "must be a string, but is null");
        assert_fault::<Vec<String>>(json!({}), "must be a list, but is an object");
        assert_fault::<BTreeMap<String, bool>>(json!([]), "must be an object, but is a list");
        assert_fault::<Pair>(json!([1, 2]), "must be an object, but is a list");
        assert_fault::<Size>(json!(1), "must be a string, but is a number");
    }

    #[test]
    fn a_value_of_the_right_kind_can_be_wrong() {
        assert_fault::<i8>(json!(128), "is out of range: it must be a whole number");
        assert_fault::<u8>(json!(-1), "is out of range: it must be a whole number from 0");
        assert_fault::<Size>(json!("huge"), "must be \"small\" or \"large\"");
        assert_fault::<Pair>(json!({}), "is invalid: missing field `one`");
        assert_fault::<super::super::values::Timestamp>(
            json!("soon"),
            "must be a time such as 2031-05-17T08:00:00Z (RFC 3339, ISO 8601)",
        );
    }
}
