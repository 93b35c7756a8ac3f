//! Lengths of time as people write them in files and on the command line.

use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp, Unit};
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A length of time in whole seconds: `90s`, `30m`, `2h`, `7d`, `1w 2d`. A day has 24 hours, a week 7 days; months and
/// years differ in length and are refused. It may be none; where that makes no sense, it is read by [`Self::positive`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Length(u64);

/// Why a text is no [`Length`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no length of time; {help}")]
pub struct ParseLengthError {
    text: String,
    help: &'static str,
}

impl Length {
    /// So many seconds.
    #[must_use]
    pub const fn of_seconds(seconds: u64) -> Self {
        Self(seconds)
    }

    /// So many hours.
    #[must_use]
    pub const fn hours(hours: u32) -> Self {
        Self(hours as u64 * 3_600)
    }

    /// So many days of 24 hours.
    #[must_use]
    pub const fn days(days: u32) -> Self {
        Self(days as u64 * 86_400)
    }

    /// Reads one that isn't none.
    ///
    /// # Errors
    /// When it is none, or no length at all.
    pub fn positive(text: &str) -> Result<Self, ParseLengthError> {
        match text.parse()? {
            Self(0) => Err(ParseLengthError {
                text: text.to_owned(),
                help: "write one that is longer than none",
            }),
            length => Ok(length),
        }
    }

    /// Its seconds.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        self.0
    }

    /// As a duration.
    #[must_use]
    pub const fn duration(self) -> Duration {
        Duration::from_secs(self.0)
    }

    /// As a duration that moments are moved by; the longest, where it is longer than that.
    #[must_use]
    pub fn signed(self) -> SignedDuration {
        SignedDuration::from_secs(i64::try_from(self.0).unwrap_or(i64::MAX))
    }

    /// The moment that is this long after another; the end of time, where that comes first.
    #[must_use]
    pub fn after(self, moment: Timestamp) -> Timestamp {
        moment.checked_add(self.signed()).unwrap_or(Timestamp::MAX)
    }
}

impl FromStr for Length {
    type Err = ParseLengthError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = |help| ParseLengthError {
            text: text.to_owned(),
            help,
        };
        let wrong = || refused("write it as `90s`, `30m`, `2h`, `7d` or `1d 12h`");
        let span: Span = text.trim().parse().map_err(|_| wrong())?;
        // A month has no length of its own.
        if span.get_months() != 0 || span.get_years() != 0 {
            return Err(refused("months and years differ in length: write days or weeks"));
        }
        let relative: SpanRelativeTo<'_> = SpanRelativeTo::days_are_24_hours();
        let length = span.to_duration(relative).map_err(|_| wrong())?;
        let rounded = length.round(Unit::Second).map_err(|_| wrong())?;
        u64::try_from(rounded.as_secs()).map(Self).map_err(|_| wrong())
    }
}

impl TryFrom<String> for Length {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse().map_err(|_| in_a_file(&text))
    }
}

impl From<Length> for String {
    fn from(length: Length) -> Self {
        length.to_string()
    }
}

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u64, char); 4] = [(86_400, 'd'), (3_600, 'h'), (60, 'm'), (1, 's')];
        let mut rest = self.0;
        let mut parts = Vec::new();
        for (unit, name) in UNITS {
            if rest >= unit {
                parts.push(format!("{}{name}", rest / unit));
                rest %= unit;
            }
        }
        f.pad(&if parts.is_empty() {
            "0s".to_owned()
        } else {
            parts.join(" ")
        })
    }
}

/// Reads a field by [`Length::positive`], for `#[serde(deserialize_with)]`.
///
/// # Errors
/// As there.
pub fn positive<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Length, D::Error> {
    let text = String::deserialize(deserializer)?;
    Length::positive(&text).map_err(|_| serde::de::Error::custom(in_a_file(&text)))
}

/// Reads a field that may be absent by [`Length::positive`], for `#[serde(deserialize_with)]`.
///
/// # Errors
/// As there.
pub fn positive_if_any<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Length>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    let length = text.map(|text| Length::positive(&text).map_err(|_| serde::de::Error::custom(in_a_file(&text))));
    length.transpose()
}

/// What is said of a text in a file: whoever reads the file adds what to write.
fn in_a_file(text: &str) -> String {
    format!("`{text}` is no length of time")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read_as_people_write_them_and_written_in_the_same_form() {
        for (text, seconds, shown) in [
            ("90s", 90, "1m 30s"),
            ("30m", 1_800, "30m"),
            ("120m", 7_200, "2h"),
            ("2 hours", 7_200, "2h"),
            ("4h", 14_400, "4h"),
            ("1d 12h", 129_600, "1d 12h"),
            ("3d", 259_200, "3d"),
            ("7d", 604_800, "7d"),
            ("1w", 604_800, "7d"),
            ("1w 2d", 777_600, "9d"),
            (" 1500ms ", 2, "2s"),
            ("0s", 0, "0s"),
            ("0h", 0, "0s"),
        ] {
            let length: Length = text.parse().unwrap();
            assert_eq!(
                (length.seconds(), length.to_string().as_str()),
                (seconds, shown),
                "{text}"
            );
            assert_eq!(shown.parse(), Ok(length));
            assert_eq!(Length::positive(text).is_ok(), seconds > 0, "{text}");
            let json = serde_json::to_string(&length).unwrap();
            assert_eq!(json, format!("\"{shown}\""));
            assert_eq!(serde_json::from_str::<Length>(&json).unwrap(), length);
        }
    }

    #[test]
    fn lengths_that_differ_and_times_before_the_start_are_refused() {
        for text in [
            "",
            "-2h",
            "-3h",
            "2",
            "3",
            "soon",
            "2h!",
            "1mo",
            "1 month",
            "1y",
            "99999999999999999999h",
        ] {
            let error = text.parse::<Length>().unwrap_err();
            assert!(error.to_string().contains("is no length of time; "), "{error}");
            assert_eq!(Length::positive(text).unwrap_err(), error);
        }
    }

    #[test]
    fn a_field_that_must_not_be_none_says_so_as_any_other() {
        #[derive(Debug, Deserialize)]
        struct Wait {
            #[serde(deserialize_with = "positive")]
            after: Length,
        }
        assert_eq!(
            serde_json::from_str::<Wait>(r#"{"after": "1d"}"#).unwrap().after,
            Length::days(1)
        );
        for text in ["0d", "soon", "-1d"] {
            let error = serde_json::from_str::<Wait>(&format!(r#"{{"after": "{text}"}}"#)).unwrap_err();
            assert!(
                error.to_string().starts_with(&format!("`{text}` is no length of time")),
                "{error}"
            );
        }
    }

    #[test]
    fn what_would_end_after_the_end_of_time_ends_with_it() {
        assert_eq!(Length::days(1).after(Timestamp::MAX), Timestamp::MAX);
        assert_eq!(
            Length::of_seconds(u64::MAX).after(Timestamp::UNIX_EPOCH),
            Timestamp::MAX
        );
    }
}
