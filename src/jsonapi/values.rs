//! Values that attributes of any type share: times and names.

use std::str::FromStr;

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, NaiveTime, SecondsFormat, TimeDelta, Timelike, Utc};
use serde::{Deserialize, Deserializer, Serialize};
use validator::ValidationError;

/// A time that a client sent: RFC 3339, or another form of ISO 8601 that can mean one time only, and so with its offset from
/// UTC. Also in UTC its year has four digits, so that it can be shown again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Timestamp(pub DateTime<Utc>);

/// A text is no [`Timestamp`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTimestamp {
    #[error("must be a time such as 2031-05-17T08:00:00Z (RFC 3339, ISO 8601)")]
    NoTime,
    /// What it means depends on where it is read.
    #[error("must have an offset from UTC, such as Z in 2031-05-17T08:00:00Z or +02:00")]
    NoOffset,
    /// When a day begins depends on where it is read.
    #[error("must be a time with its offset from UTC, such as 2031-05-17T00:00:00Z, and not a date alone")]
    DateAlone,
}

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
        let time = match DateTime::parse_from_rfc3339(text) {
            Ok(time) => time.to_utc(),
            Err(_) => iso_8601(text)?,
        };
        // A second 60 is one of those few that were announced (RFC 3339 §5.7), and PostgreSQL takes it for the next.
        let leaps = time.nanosecond() >= 1_000_000_000;
        if (0..=9999).contains(&time.year()) && !leaps { Ok(Self(time)) } else { Err(InvalidTimestamp::NoTime) }
    }
}

/// Reads the forms of ISO 8601 that RFC 3339 leaves out: basic ones, without seconds or minutes, weeks and days of the year,
/// a fraction of whatever comes last, a comma before it, 24:00, offsets without colon or minutes. No form without an offset.
fn iso_8601(text: &str) -> Result<DateTime<Utc>, InvalidTimestamp> {
    let Some((date, rest)) = text.split_once(['T', 't', ' ']) else {
        return Err(date_of(text).map_or(InvalidTimestamp::NoTime, |_| InvalidTimestamp::DateAlone));
    };
    let end = rest.find(['Z', 'z', '+', '-', '\u{2212}']);
    let (time, offset) = end.map_or((rest, ""), |end| rest.split_at(end));
    let midnight = date_of(date).ok_or(InvalidTimestamp::NoTime)?.and_time(NaiveTime::MIN);
    let since = since_midnight(time).ok_or(InvalidTimestamp::NoTime)?;
    if offset.is_empty() {
        return Err(InvalidTimestamp::NoOffset);
    }
    let local = midnight.checked_add_signed(since).ok_or(InvalidTimestamp::NoTime)?;
    let offset = offset_of(offset).ok_or(InvalidTimestamp::NoTime)?;
    local.and_local_timezone(offset).single().map(|time| time.to_utc()).ok_or(InvalidTimestamp::NoTime)
}

/// A date of ISO 8601, by month, week or day of the year.
fn date_of(text: &str) -> Option<NaiveDate> {
    const FORMS: [&str; 6] = ["%Y-%m-%d", "%Y%m%d", "%G-W%V-%u", "%GW%V%u", "%Y-%j", "%Y%j"];
    let mut forms = FORMS.iter().filter(|form| is_of_form(text, form));
    forms.find_map(|form| NaiveDate::parse_from_str(text, form).ok())
}

/// How long after midnight a time of the day is, to the nanosecond; `24:00` is the end of the day.
fn since_midnight(text: &str) -> Option<TimeDelta> {
    /// Each with the nanoseconds of its smallest unit, of which it may have a fraction.
    const FORMS: [(&str, i64); 5] = [
        ("%H:%M:%S", 1_000_000_000),
        ("%H%M%S", 1_000_000_000),
        ("%H:%M", 60_000_000_000),
        ("%H%M", 60_000_000_000),
        ("%H", 3_600_000_000_000),
    ];
    const DAY: i64 = 24 * 3_600_000_000_000;
    let (whole, fraction) = text.split_once(['.', ',']).map_or((text, None), |(whole, rest)| (whole, Some(rest)));
    let (_, unit) = FORMS.iter().find(|(form, _)| is_of_form(whole, form))?;
    let digits: String = whole.chars().filter(char::is_ascii_digit).collect();
    let number = |at: usize| digits.get(at..at + 2).map_or(Some(0), |two| two.parse::<i64>().ok());
    let (hours, minutes, seconds) = (number(0)?, number(2)?, number(4)?);
    let part = fraction.map_or(Some(0), |fraction| fraction_of(*unit, fraction))?;
    let since = (hours * 3600 + minutes * 60 + seconds) * 1_000_000_000 + part;
    (minutes < 60 && seconds < 60 && since <= DAY).then(|| TimeDelta::nanoseconds(since))
}

/// The part of a unit that the digits after the point say.
fn fraction_of(unit: i64, digits: &str) -> Option<i64> {
    let digits = plain(digits, b"").filter(|digits| !digits.is_empty())?;
    // What comes after these is less than a nanosecond.
    let digits = digits.get(..digits.len().min(15))?;
    let of = 10_i128.pow(u32::try_from(digits.len()).ok()?);
    i64::try_from(digits.parse::<i128>().ok()? * i128::from(unit) / of).ok()
}

/// The text, if it holds nothing but digits and these.
fn plain<'a>(text: &'a str, others: &[u8]) -> Option<&'a str> {
    text.bytes().all(|byte| byte.is_ascii_digit() || others.contains(&byte)).then_some(text)
}

/// Whether a text is as long as what a form of chrono's writes, with the same signs between.
fn is_of_form(text: &str, form: &str) -> bool {
    let digits = |letter| match letter {
        'Y' | 'G' => "0000",
        'j' => "000",
        'u' => "0",
        _ => "00",
    };
    let mut letters = form.chars();
    let mut shape = String::new();
    while let Some(letter) = letters.next() {
        match letter {
            '%' => shape.push_str(letters.next().map_or("", digits)),
            other => shape.push(other),
        }
    }
    text.len() == shape.len()
        && text.bytes().zip(shape.bytes()).all(|(is, of)| if of == b'0' { is.is_ascii_digit() } else { is == of })
}

/// `Z`, `+02`, `+0200`, `+02:00` and the like.
fn offset_of(text: &str) -> Option<FixedOffset> {
    if text.eq_ignore_ascii_case("z") {
        return FixedOffset::east_opt(0);
    }
    let east = match text.chars().next()? {
        '+' => 1,
        '-' | '\u{2212}' => -1,
        _ => return None,
    };
    let digits = text.strip_prefix(['+', '-', '\u{2212}']).and_then(|digits| plain(digits, b":"))?;
    let (hours, minutes) = match digits.len() {
        2 => (digits, "00"),
        4 => digits.split_at(2),
        5 => digits.split_once(':').filter(|(hours, _)| hours.len() == 2)?,
        _ => return None,
    };
    let number = |text: &str| plain(text, b"").and_then(|text| text.parse::<i32>().ok());
    let (hours, minutes) = (number(hours)?, number(minutes).filter(|minutes| *minutes < 60)?);
    FixedOffset::east_opt(east * (hours * 3600 + minutes * 60))
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
    fn other_forms_of_iso_8601_mean_the_same() {
        let expected = "2031-05-17T08:00:00Z".parse::<Timestamp>().unwrap();
        for text in [
            "2031-05-17T08:00Z",
            "2031-05-17 08:00:00Z",
            "2031-05-17t10:00:00+02",
            "2031-05-17T10:00:00+0200",
            "2031-05-17T10:00+02:00",
            "2031-05-17T08:00:00+0000",
            "2031-05-17T04:30-0330",
            "2031-05-17T04:30\u{2212}03:30",
            "20310517T080000Z",
            "20310517T0800Z",
            "20310517T080000.000+00:00",
            "2031-05-17T08:00:00,000Z",
            "2031-W20-6T08:00:00Z",
            "2031W206T080000Z",
            "2031-137T08:00Z",
            "2031137T0800Z",
            "2031-05-17T08Z",
            "2031-05-17T08.0Z",
        ] {
            assert_eq!(text.parse::<Timestamp>(), Ok(expected), "{text}");
        }
        // A fraction is one of what comes last; the end of a day is the beginning of the next.
        for (text, same) in [
            ("2031-05-17T08.5Z", "2031-05-17T08:30:00Z"),
            ("2031-05-17T08,75+02", "2031-05-17T06:45:00Z"),
            ("2031-05-17T08:30.5Z", "2031-05-17T08:30:30Z"),
            ("20310517T0830.25Z", "2031-05-17T08:30:15Z"),
            ("2031-05-17T08:30:15,125Z", "2031-05-17T08:30:15.125Z"),
            ("2031-05-17T08:30:15.1234567891234567Z", "2031-05-17T08:30:15.123456789Z"),
            ("2031-05-17T24:00:00Z", "2031-05-18T00:00:00Z"),
            ("2031-12-31T24Z", "2032-01-01T00:00:00Z"),
            ("20310517T2400Z", "2031-05-18T00:00:00Z"),
        ] {
            assert_eq!(text.parse::<Timestamp>(), same.parse(), "{text}");
        }
        for text in ["2031-05-17T08:00:00", "20310517T0800", "2031-W20-6 08:00", "2031-05-17T08"] {
            assert_eq!(text.parse::<Timestamp>(), Err(InvalidTimestamp::NoOffset), "{text}");
        }
        for text in ["2031-05-17", "20310517", "2031-137", "2031-W20-6"] {
            assert_eq!(text.parse::<Timestamp>(), Err(InvalidTimestamp::DateAlone), "{text}");
        }
        for text in [
            "2031-5-17T08:00Z",
            "2031-05-17T8:00Z",
            "2031-05-17T0800Z0",
            "31-05-17T08:00Z",
            "+2031-05-17T08:00Z",
            "2031-05-17T08:00+2",
            "2031-05-17T08:00+02:60",
            "2031-05-17T08:00+24:00",
            "2031-05-17T24:01Z",
            "2031-05-17T24:00:00.1Z",
            "2031-05-17T25Z",
            "9999-12-31T24:00Z",
            "2031-05-17T08:60Z",
            "2031-05-17T08:00:60Z",
            "2031-05-17T8Z",
            "2031-05-17T08.Z",
            "2031-05-17T08:30.5.5Z",
            "2031-05-17TZ",
            "2031-05",
            "2031-W54-1T08:00Z",
            "2031-366T08:00Z",
            "2031-05-17T08:00 Z",
            "2031-05-17T08:00Z ",
            " 2031-05-17T08:00Z",
            "2031-05-17T08:00:00.Z",
            "2031-05-17T08:00ZZ",
            "\u{664}031-05-17T08:00Z",
            "T",
            "TZ",
            "Z",
            "t+",
        ] {
            assert_eq!(text.parse::<Timestamp>(), Err(InvalidTimestamp::NoTime), "{text}");
        }
    }

    #[test]
    fn only_times_with_an_offset_are_times() {
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
