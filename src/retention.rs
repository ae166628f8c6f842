//! How long things are kept.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A time for which something is kept: from a second to a hundred years.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention(Duration);

/// A text is no retention.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a number of days, or a time such as 90d, 12h or 30m, from a second to a hundred years")]
pub struct InvalidRetention;

impl FromStr for Retention {
    type Err = InvalidRetention;

    fn from_str(text: &str) -> Result<Self, InvalidRetention> {
        let days = text.parse::<u32>().ok().map(|days| days * DAY);
        let time = days.or_else(|| humantime::parse_duration(text).ok()).ok_or(InvalidRetention)?;
        let fits = (Duration::from_secs(1)..=36_525 * DAY).contains(&time);
        if fits { Ok(Self(time)) } else { Err(InvalidRetention) }
    }
}

impl fmt::Display for Retention {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", humantime::format_duration(self.0))
    }
}

impl Retention {
    /// So many days.
    #[must_use]
    pub const fn days(days: u32) -> Self {
        Self(Duration::from_secs(days as u64 * DAY.as_secs()))
    }

    pub(crate) const fn time(self) -> Duration {
        self.0
    }

    pub(crate) fn seconds(self) -> i64 {
        i64::try_from(self.0.as_secs()).unwrap_or(i64::MAX)
    }
}

/// What is kept for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// Revoked tokens.
    pub revoked_tokens: Retention,
    /// Events of the audit trail, and at most a month more.
    pub audit_events: Retention,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retention_is_a_number_of_days_or_a_time() {
        let read = |text: &str| text.parse::<Retention>().map(|retention| retention.0.as_secs());
        assert_eq!(read("90"), Ok(90 * 86_400));
        assert_eq!(read("90d"), Ok(90 * 86_400));
        assert_eq!(read("1d 12h"), Ok(36 * 3600));
        assert_eq!(read("1s"), Ok(1));
        assert_eq!(read("36525"), Ok(36_525 * 86_400));
        for wrong in
            ["", "0", "0s", "999ms", "-1", "-1d", "36526", "36525d 1s", "4294967295", "90 days ago", "x", "1.5"]
        {
            assert_eq!(read(wrong), Err(InvalidRetention), "{wrong:?}");
        }
        assert_eq!(Retention::days(90).to_string().parse(), Ok(Retention::days(90)));
    }
}
