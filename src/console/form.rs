//! What forms of several pages have in common: they are held to the rules of the API, they name a moment, and those that make
//! a token are spent once.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::fields::Fields;
use crate::jsonapi::{Attributes, Error, ResourceBody, Result, TypeRule, time};
use crate::tokens;

/// The name of the field with a form's number.
pub(super) const NUMBER: &str = "form-number";

/// Holds what a form says of a token to the rules of the API, as if it had been sent there.
///
/// # Errors
/// 422 with each fault.
pub(super) fn checked<A: Attributes>(attributes: Value) -> Result<A> {
    let document = json!({"data": {"attributes": attributes}}).to_string();
    Ok(ResourceBody::parse(document.as_bytes(), TypeRule::Lenient(tokens::NAMES), &[], &[])?.attributes)
}

/// A new number for a form that makes a token.
///
/// # Errors
/// 500 where there are no random numbers.
pub(super) fn number() -> Result<String> {
    let mut number = [0; 18];
    getrandom::fill(&mut number).map_err(|fault| {
        log::error!("no form can be shown: {fault}");
        Error::internal()
    })?;
    Ok(URL_SAFE_NO_PAD.encode(number))
}

/// The number of a form that was sent.
///
/// # Errors
/// 400 if it has none.
pub(super) fn number_of(fields: &Fields) -> Result<String> {
    let number = fields.text(NUMBER);
    let fits = (16..=64).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_graphic());
    if fits { Ok(number) } else { Err(Error::bad_request("no number", "The form is not whole: open its page again")) }
}

/// A length of life that a form offers.
pub(super) struct Preset {
    pub(super) days: i64,
    /// When it ends, if it begins now.
    pub(super) until: String,
    pub(super) chosen: bool,
}

/// The lengths of life that are not longer than the policies allow.
pub(super) fn presets(now: DateTime<Utc>, latest: Option<DateTime<Utc>>, chosen: &str) -> Vec<Preset> {
    let within = |days: &i64| latest.is_none_or(|latest| now + TimeDelta::days(*days) <= latest);
    [7, 30, 60, 90, 365]
        .into_iter()
        .filter(within)
        .map(|days| Preset {
            days,
            until: (now + TimeDelta::days(days)).format("%Y-%m-%d %H:%M UTC").to_string(),
            chosen: days.to_string() == chosen,
        })
        .collect()
}

/// The end that a form asks for, as attributes of the API: nothing for the usual one.
///
/// # Errors
/// 422 for a moment that is none.
pub(super) fn end_of(fields: &Fields, attributes: &mut Value) -> Result<()> {
    match fields.text("expiry").as_str() {
        "" | "usual" => {}
        "never" => attributes["expired-at"] = Value::Null,
        "at" => attributes["expired-at"] = moment(&fields.trimmed("expired-at"))?.into(),
        days => {
            let seconds = days.parse::<i64>().ok().and_then(|days| days.checked_mul(86_400));
            let seconds = seconds.ok_or_else(|| wrong_moment("Choose how long the token lives"))?;
            attributes["expires-in-seconds"] = seconds.into();
        }
    }
    Ok(())
}

/// A moment in UTC. A day is its end.
///
/// # Errors
/// 422 for what is none.
pub(super) fn moment(text: &str) -> Result<String> {
    let wrong =
        || wrong_moment("Expired at must be a day such as 2031-05-17, or a time in UTC such as 2031-05-17T08:00");
    if let Some(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|_| text.len() == 10) {
        let end = day.and_hms_milli_opt(23, 59, 59, 999).ok_or_else(wrong)?;
        return Ok(time(end.and_utc()));
    }
    let local = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M");
    if let Ok(moment) = local.or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S")) {
        return Ok(time(moment.and_utc()));
    }
    // Whatever else the API reads as a time, or says what is wrong with.
    if text.is_empty() { Err(wrong()) } else { Ok(text.to_owned()) }
}

fn wrong_moment(detail: &str) -> Error {
    Error::attribute("/data/attributes/expired-at", detail)
}

/// The abilities that a form asks for: nothing for the usual ones, null for all of the owner, or a list.
pub(super) fn abilities_of(fields: &Fields, attributes: &mut Value) {
    match fields.text("which-abilities").as_str() {
        "all" => attributes["abilities"] = Value::Null,
        "these" => {
            let text = fields.text("abilities");
            let words = text.split([',', '\n', '\r', ' ']).map(str::trim).filter(|word| !word.is_empty());
            attributes["abilities"] = words.collect::<Vec<_>>().into();
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_its_end_and_a_time_is_of_utc() {
        assert_eq!(moment("2031-05-17").unwrap(), "2031-05-17T23:59:59.999Z");
        assert_eq!(moment("2028-02-29").unwrap(), "2028-02-29T23:59:59.999Z");
        assert_eq!(moment("2031-05-17T08:00").unwrap(), "2031-05-17T08:00:00.000Z");
        // The API judges the rest.
        for text in ["2031-05-17T08:00:00.000Z", "2031-05-17T08:00+02:00", "2027-02-29", "tomorrow"] {
            assert_eq!(moment(text).unwrap(), text);
        }
        assert!(moment("").is_err());
    }
}
