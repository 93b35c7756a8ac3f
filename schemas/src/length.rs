//! Lengths of time as people write them in files and on the command line.

use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp, Unit};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// A positive length of time in whole seconds: `90m`, `4h`, `3d`, `1w`. A day has 24 hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Length(SignedDuration);

impl Length {
    /// So many days of 24 hours; none is one.
    #[must_use]
    pub const fn days(days: u32) -> Self {
        Self::hours(if days == 0 { 24 } else { days.saturating_mul(24) })
    }

    /// So many hours; none is one.
    #[must_use]
    pub const fn hours(hours: u32) -> Self {
        Self(SignedDuration::from_hours(if hours == 0 { 1 } else { hours as i64 }))
    }

    /// As a duration.
    #[must_use]
    pub const fn duration(self) -> SignedDuration {
        self.0
    }

    /// The moment that is this long after another; the end of time, where that comes first.
    #[must_use]
    pub fn after(self, moment: Timestamp) -> Timestamp {
        moment.checked_add(self.0).unwrap_or(Timestamp::MAX)
    }
}

impl FromStr for Length {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "write a time such as `4h`, `90m`, `3d` or `1w`".to_owned();
        let span: Span = text.trim().parse().map_err(|_| wrong())?;
        // A month has no length of its own.
        if span.get_months() != 0 || span.get_years() != 0 {
            return Err("months and years differ in length: write days or weeks".to_owned());
        }
        let relative: SpanRelativeTo<'_> = SpanRelativeTo::days_are_24_hours();
        let length = span.to_duration(relative).map_err(|_| wrong())?;
        let rounded = length.round(Unit::Second).map_err(|_| wrong())?;
        if rounded.is_positive() {
            Ok(Self(rounded))
        } else {
            Err(wrong())
        }
    }
}

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(i64, char); 3] = [(86_400, 'd'), (3_600, 'h'), (60, 'm')];
        let seconds = self.0.as_secs();
        let (size, unit) = UNITS
            .into_iter()
            .find(|(size, _)| seconds % size == 0)
            .unwrap_or((1, 's'));
        write!(f, "{}{unit}", seconds / size)
    }
}

impl Serialize for Length {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Length {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse()
            .map_err(|_| serde::de::Error::custom(format!("`{text}` is no length of time")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read_as_people_write_them_and_written_shortest() {
        for (text, hours, shown) in [
            ("4h", 4, "4h"),
            ("3d", 72, "3d"),
            ("1w", 168, "7d"),
            ("1d 12h", 36, "36h"),
            ("120m", 2, "2h"),
            ("2 hours", 2, "2h"),
        ] {
            let length: Length = text.parse().unwrap();
            assert_eq!(length.duration(), SignedDuration::from_hours(hours), "{text}");
            assert_eq!(length.to_string(), shown);
            assert_eq!(shown.parse::<Length>().unwrap(), length);
        }
        for text in ["", "0h", "-3h", "3", "soon", "1mo", "1y", "99999999999999999999h"] {
            assert!(text.parse::<Length>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_would_end_after_the_end_of_time_ends_with_it() {
        assert_eq!(Length::days(1).after(Timestamp::MAX), Timestamp::MAX);
    }
}
