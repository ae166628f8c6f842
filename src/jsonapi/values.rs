//! Values that attributes of any type share: times and names.

use std::str::FromStr;

use chrono::{DateTime, Datelike, SecondsFormat, Timelike, Utc};
use serde::{Deserialize, Deserializer, Serialize};
use validator::ValidationError;

/// A time that a client sent: RFC 3339, with its offset from UTC. Also in UTC its year has four digits, so that it can
/// be shown again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Timestamp(pub DateTime<Utc>);

/// A text is no [`Timestamp`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an RFC 3339 time such as 2031-05-17T08:00:00Z")]
pub struct InvalidTimestamp;

impl Timestamp {
    /// The last time that can be shown, and so the last that anything computes: 9999-12-31T23:59:59.999Z.
    pub const MAX: DateTime<Utc> = match DateTime::from_timestamp_millis(253_402_300_799_999) {
        Some(last) => last,
        None => DateTime::<Utc>::MAX_UTC,
    };
}

impl FromStr for Timestamp {
    type Err = InvalidTimestamp;

    fn from_str(text: &str) -> Result<Self, InvalidTimestamp> {
        let time = DateTime::parse_from_rfc3339(text).map_err(|_| InvalidTimestamp)?.to_utc();
        // A second 60 is one of those few that were announced (RFC 3339 §5.7), and PostgreSQL takes it for the next.
        let leaps = time.nanosecond() >= 1_000_000_000;
        if (0..=9999).contains(&time.year()) && !leaps { Ok(Self(time)) } else { Err(InvalidTimestamp) }
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A time as answers show it: RFC 3339 in UTC with milliseconds (docs/design.md §5).
pub fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Whether a text can be a name: 1 to 90 letters, digits, hyphens and underscores of ASCII.
pub fn is_name(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=90).contains(&text.len()) && text.bytes().all(fits)
}

/// Validates an attribute that is a name.
///
/// # Errors
/// With a message that says what a name may be.
pub fn valid_name(text: &str) -> Result<(), ValidationError> {
    if is_name(text) {
        return Ok(());
    }
    let message = "Name must be 1 to 90 characters long and hold only letters, digits, hyphens and underscores";
    Err(ValidationError::new("name").with_message(message.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_rfc_3339_is_a_time() {
        let read = |text: &str| serde_json::from_value::<Timestamp>(text.into()).map(|timestamp| time(timestamp.0));
        assert_eq!(read("2031-05-17T10:00:00.5+02:00").unwrap(), "2031-05-17T08:00:00.500Z");
        let beyond = "9999-12-31T23:59:59-12:00";
        assert_eq!(time(Timestamp::MAX), "9999-12-31T23:59:59.999Z");
        assert_eq!(read("9999-12-31T23:59:59Z").unwrap(), "9999-12-31T23:59:59.000Z");
        for leap in ["9999-12-31T23:59:60Z", "2031-05-17T10:00:60Z", "2016-12-31T23:59:60Z"] {
            assert!(read(leap).is_err(), "{leap}");
        }
        for text in [beyond, "2026-13-45", "yesterday", "", "2031-05-17", "2031-05-17T10:00:00", "2031-02-30T10:00:00Z"]
        {
            assert!(read(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn names_are_plain_and_short() {
        for name in ["a", "A-b_9", &"x".repeat(90)] {
            assert!(is_name(name));
        }
        for name in ["", "a b", "ä", "a.b", "a/b", "a\0", &"x".repeat(91)] {
            assert!(!is_name(name), "{name:?}");
        }
    }
}
