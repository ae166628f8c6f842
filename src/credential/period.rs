//! A period of the calendar, such as the life that tokens get by default.

use std::fmt;
use std::num::NonZeroU16;
use std::str::FromStr;

use chrono::{DateTime, Days, Months, TimeDelta, Utc};
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::Text;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A number from 1 to 9999 and a unit: `12h`, `90d` or `2y`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromSqlRow, AsExpression)]
#[diesel(sql_type = Text)]
pub struct Period {
    number: NonZeroU16,
    unit: Unit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Hours,
    Days,
    Years,
}

/// A text is no period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a number from 1 to 9999 and h, d or y for hours, days or years, such as 90d")]
pub struct InvalidPeriod;

/// The pattern of a period, as in the migration.
const PATTERN: &str = "^[1-9][0-9]{0,3}[hdy]$";

impl Period {
    /// The time that lies so long after another one, in UTC; none if the calendar has no such time.
    #[must_use]
    pub fn after(self, time: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let number = u32::from(self.number.get());
        match self.unit {
            Unit::Hours => time.checked_add_signed(TimeDelta::hours(number.into())),
            Unit::Days => time.checked_add_days(Days::new(number.into())),
            // The 29th of February is followed by the 28th.
            Unit::Years => time.checked_add_months(Months::new(number * 12)),
        }
    }
}

impl FromStr for Period {
    type Err = InvalidPeriod;

    fn from_str(text: &str) -> Result<Self, InvalidPeriod> {
        let unit = match text.as_bytes().last() {
            Some(b'h') => Unit::Hours,
            Some(b'd') => Unit::Days,
            Some(b'y') => Unit::Years,
            _ => return Err(InvalidPeriod),
        };
        let digits = &text[..text.len() - 1];
        let fits = (1..=4).contains(&digits.len()) && !digits.starts_with(['0', '+']);
        let number = digits.parse().ok().filter(|_| fits).ok_or(InvalidPeriod)?;
        Ok(Self { number, unit })
    }
}

impl fmt::Display for Period {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            Unit::Hours => 'h',
            Unit::Days => 'd',
            Unit::Years => 'y',
        };
        write!(out, "{}{unit}", self.number)
    }
}

impl Serialize for Period {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl FromSql<Text, Pg> for Period {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        Ok(std::str::from_utf8(value.as_bytes())?.parse()?)
    }
}

impl ToSql<Text, Pg> for Period {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        std::io::Write::write_all(out, self.to_string().as_bytes())?;
        Ok(IsNull::No)
    }
}

impl utoipa::PartialSchema for Period {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        crate::jsonapi::schema::pattern(PATTERN, 5).into()
    }
}

impl utoipa::ToSchema for Period {}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(period: &str, time: &str) -> Option<String> {
        let time: DateTime<Utc> = time.parse().unwrap();
        period.parse::<Period>().unwrap().after(time).map(|end| end.to_rfc3339())
    }

    #[test]
    fn a_period_is_a_number_and_a_unit() {
        for text in ["1h", "12h", "90d", "2y", "9999y"] {
            assert_eq!(text.parse::<Period>().unwrap().to_string(), text);
        }
        for text in ["", "d", "0d", "01d", "+1d", "-1d", "10000d", "1m", "1D", "1 d", "d1", "1.5y", "٣d", "1dd"] {
            assert_eq!(text.parse::<Period>(), Err(InvalidPeriod), "{text:?}");
        }
    }

    #[test]
    fn it_is_added_by_the_calendar() {
        assert_eq!(after("2y", "2026-11-26T12:00:00Z").as_deref(), Some("2028-11-26T12:00:00+00:00"));
        assert_eq!(after("1y", "2028-02-29T12:00:00Z").as_deref(), Some("2029-02-28T12:00:00+00:00"));
        assert_eq!(after("90d", "2026-11-26T12:00:00Z").as_deref(), Some("2027-02-24T12:00:00+00:00"));
        assert_eq!(after("12h", "2026-11-26T12:00:00Z").as_deref(), Some("2026-11-27T00:00:00+00:00"));
        assert!(after("9999y", "2026-11-26T12:00:00Z").is_some_and(|end| end.starts_with("+12025")));
    }
}
