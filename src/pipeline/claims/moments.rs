//! Moments and lengths of time as people type them.

use holdpoint_schemas::Timestamp;
use holdpoint_schemas::length::Length;
use jiff::SignedDuration;
use jiff::civil::Date;
use jiff::tz::Offset;

use crate::failure::BadInput;

/// When something ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// This long after it begins.
    After(SignedDuration),
    /// At this moment.
    At(Timestamp),
}

impl End {
    /// The moment.
    ///
    /// # Errors
    /// When it isn't after both the beginning and `now`.
    pub fn of(self, from: Timestamp, now: Timestamp) -> Result<Timestamp, BadInput> {
        let end = match self {
            Self::At(end) => end,
            Self::After(length) => from
                .checked_add(length)
                .map_err(|_| BadInput::new("it would end after the end of time", "say a shorter time"))?,
        };
        if end <= from.max(now) {
            let message = if end <= now {
                format!("it would have ended already, at {end}")
            } else {
                format!("it would end at {end}, before it begins at {from}")
            };
            return Err(BadInput::new(message, format!("say a later end; it is now {now}")));
        }
        Ok(end)
    }
}

/// A length of time: `4h`, `90m`, `3d`, `1w`. A day has 24 hours.
///
/// # Errors
/// When it is none, or not positive.
pub fn length(text: &str) -> Result<SignedDuration, String> {
    Length::positive(text)
        .map(Length::signed)
        .map_err(|error| error.to_string())
}

/// When something begins: a moment with its offset, or a day (its beginning in UTC).
///
/// # Errors
/// When it is neither.
pub fn beginning(text: &str) -> Result<Timestamp, String> {
    moment(text, Some)
}

/// When something ends: a moment with its offset, or a day (its end in UTC).
///
/// # Errors
/// When it is neither.
pub fn end(text: &str) -> Result<Timestamp, String> {
    moment(text, |day| day.tomorrow().ok())
}

fn moment(text: &str, of_day: impl Fn(Date) -> Option<Date>) -> Result<Timestamp, String> {
    let text = text.trim();
    let found = match Date::strptime("%Y-%m-%d", text) {
        Ok(day) => of_day(day).and_then(|day| Offset::UTC.to_timestamp(day.at(0, 0, 0, 0)).ok()),
        Err(_) if text.contains('[') => text.parse::<jiff::Zoned>().ok().map(|zoned| zoned.timestamp()),
        Err(_) => text.parse().ok(),
    };
    found.ok_or_else(|| "write `2026-12-01`, `2026-12-01T08:00Z` or `2026-12-01T08:00+01:00`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn lengths_are_read_as_people_write_them() {
        for (text, hours) in [
            ("4h", 4),
            ("3d", 72),
            ("1w", 168),
            ("1d 12h", 36),
            ("120m", 2),
            ("2 hours", 2),
        ] {
            assert_eq!(length(text), Ok(SignedDuration::from_hours(hours)), "{text}");
        }
        for text in [
            "",
            "0h",
            "-3h",
            "3",
            "soon",
            "1mo",
            "1y",
            "99999999999999999999h",
            "9999999w",
        ] {
            assert!(length(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_day_begins_and_ends_in_utc() {
        assert_eq!(beginning("2026-12-01"), Ok(at("2026-12-01T00:00:00Z")));
        assert_eq!(end("2026-12-01"), Ok(at("2026-12-02T00:00:00Z")));
        assert_eq!(end("2026-12-01T08:00+01:00"), Ok(at("2026-12-01T07:00:00Z")));
        assert_eq!(end("2026-12-01T08:00[Europe/Berlin]"), Ok(at("2026-12-01T07:00:00Z")));
        for text in ["tomorrow", "2026-13-01", "2026-12-01T08:00", "9999-12-31"] {
            assert!(end(text).is_err(), "{text}");
        }
    }

    #[test]
    fn nothing_ends_before_it_begins_or_in_the_past() {
        let now = at("2026-03-17T02:30:00Z");
        let later = at("2026-03-18T02:30:00Z");
        let hour = End::After(SignedDuration::from_hours(1));
        assert_eq!(hour.of(later, now).unwrap(), at("2026-03-18T03:30:00Z"));
        assert!(End::At(now).of(now, now).is_err());
        assert!(End::At(at("2026-03-17T03:00:00Z")).of(later, now).is_err());
        assert!(End::After(SignedDuration::MAX).of(now, now).is_err());
    }
}
