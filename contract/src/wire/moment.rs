//! Texts and numbers that say when something is.

use jiff::civil::Date;
use jiff::{Timestamp, tz::TimeZone};

use super::Response;

/// Seconds in which a place that is "now" may lie beside the answer's own date: rounding to a minute.
const NEAR_SECONDS: f64 = 65.0;
/// Seconds in a day: how near a date without a time is.
const DAY_SECONDS: f64 = 86_400.0;
/// Seconds that a time kept in a distance to now may move between two runs, besides what was seen.
const SLACK_SECONDS: f64 = 5.0;
/// Largest distance between distances to now that are still "always the same".
const STEADY_SECONDS: f64 = 5.0;

/// Longest text that can be a moment.
const MAX_LENGTH: usize = 40;
/// Seconds since 1970 from 2001 to 2286: ten digits. Thirteen are milliseconds.
const EPOCH_SECONDS: std::ops::Range<f64> = 1e9..1e10;

/// A moment, and how exactly it is told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Moment {
    /// Seconds since 1970.
    pub(super) seconds: f64,
    /// Seconds to which it is rounded: a day, or less than a minute.
    near: f64,
}

/// The date of an answer, by its own `Date` header (RFC 9110 §6.6.1).
pub(super) fn clock(response: &Response) -> Option<f64> {
    let text = response.headers.get("date")?.first()?;
    read_text(text).map(|moment| moment.seconds)
}

/// Reads RFC 3339 with and without a zone (taken as UTC), a date, an IMF-fixdate (RFC 9110 §5.6.7) and the
/// date of a cookie, which has hyphens (RFC 6265 §5.1.1).
pub(super) fn read_text(text: &str) -> Option<Moment> {
    if text.len() > MAX_LENGTH || !text.is_ascii() || text.bytes().filter(u8::is_ascii_digit).count() < 6 {
        return None;
    }
    let exact = |timestamp: Timestamp| Moment {
        seconds: timestamp.as_duration().as_secs_f64(),
        near: NEAR_SECONDS,
    };
    if let Ok(timestamp) = text.parse::<Timestamp>() {
        return Some(exact(timestamp));
    }
    if text.len() == 10
        && let Ok(date) = text.parse::<Date>()
    {
        let zoned = date.to_zoned(TimeZone::UTC).ok()?;
        return Some(Moment {
            seconds: zoned.timestamp().as_duration().as_secs_f64(),
            near: DAY_SECONDS,
        });
    }
    if let Ok(local) = text.parse::<jiff::civil::DateTime>()
        && text.len() > 10
    {
        return Some(exact(local.to_zoned(TimeZone::UTC).ok()?.timestamp()));
    }
    let spaced = text.replacen('-', " ", 2);
    let (weekday, rest) = spaced.split_once(", ")?;
    let wanted = weekday.len() == 3 && rest.ends_with(" GMT");
    let parsed = || jiff::civil::DateTime::strptime("%d %b %Y %H:%M:%S GMT", rest).ok();
    let local = wanted.then(parsed).flatten()?;
    Some(exact(local.to_zoned(TimeZone::UTC).ok()?.timestamp()))
}

/// Reads a number as seconds, or milliseconds, since 1970.
pub(super) fn read_number(text: &str) -> Option<Moment> {
    let value: f64 = text.parse().ok()?;
    let seconds = match (EPOCH_SECONDS.contains(&value), EPOCH_SECONDS.contains(&(value / 1e3))) {
        (true, _) => value,
        (_, true) => value / 1e3,
        _ => return None,
    };
    Some(Moment {
        seconds,
        near: NEAR_SECONDS,
    })
}

/// What a candidate's moment is against the baseline's, by their distance to the answers' own dates.
#[derive(Debug, PartialEq)]
pub(super) enum Against {
    /// As far from now as always.
    Same,
    /// Always as far from now before, and elsewhere now; the text says how far.
    Moved(String),
    /// It can't be told.
    Unknown,
}

/// Compares distances to now. `before` has each baseline's value with the date of its answer.
pub(super) fn against(before: &[(Moment, Option<f64>)], after: (Moment, Option<f64>)) -> Against {
    let distance = |(moment, clock): &(Moment, Option<f64>)| Some(moment.seconds - (*clock)?);
    let (Some(known), Some(now)) = (
        before.iter().map(distance).collect::<Option<Vec<f64>>>(),
        distance(&after),
    ) else {
        return Against::Unknown;
    };
    let low = known.iter().copied().fold(f64::INFINITY, f64::min);
    let high = known.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if low > high {
        return Against::Unknown;
    }
    let coarse = before.iter().any(|(moment, _)| moment.near >= DAY_SECONDS);
    let near = if coarse { DAY_SECONDS } else { NEAR_SECONDS };
    let always_the_same = before.windows(2).all(|pair| match pair {
        [(one, _), (two, _)] => one.seconds == two.seconds,
        _ => true,
    });
    // Far from now, what stays the same is no clock but a date of something.
    if always_the_same && low.abs().max(high.abs()) > 2.0 * near {
        return Against::Unknown;
    }
    // Rounded to a minute or a day, a clock shows the same for a while.
    let slack = if always_the_same { near } else { SLACK_SECONDS };
    if now >= low - slack && now <= high + slack {
        return Against::Same;
    }
    if always_the_same || high - low > STEADY_SECONDS {
        return Against::Unknown;
    }
    Against::Moved(format!("{now:.0} s from the answer's date instead of {high:.0} s"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_in_the_ways_that_they_are_written() {
        for text in [
            "2026-01-02T03:04:05Z",
            "2026-01-02T03:04:05",
            "2026-01-02 03:04:05.000",
            "2026-01-02T04:04:05+01:00",
            "Fri, 02 Jan 2026 03:04:05 GMT",
            "Fri, 02-Jan-2026 03:04:05 GMT",
        ] {
            let moment = read_text(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(moment.seconds, 1_767_323_045.0, "{text}");
        }
        assert_eq!(read_text("2026-01-02").unwrap().seconds, 1_767_312_000.0);
        assert_eq!(read_number("1767323045").unwrap().seconds, 1_767_323_045.0);
        assert_eq!(read_number("1767323045123").unwrap().seconds, 1_767_323_045.123);
        for text in ["", "hello", "20260102", "2026-13-02", "123456", "Fri, 02 Jan"] {
            assert_eq!(read_text(text), None, "{text}");
        }
    }

    #[test]
    fn a_time_to_live_that_moves_is_seen_in_a_date_that_never_repeats() {
        let at = |seconds: f64, clock: f64| {
            let moment = Moment {
                seconds,
                near: NEAR_SECONDS,
            };
            (moment, Some(clock))
        };
        let before = [at(4_600.0, 1_000.0), at(4_602.0, 1_002.0)];
        assert_eq!(against(&before, at(4_700.0, 1_100.0)), Against::Same);
        assert!(matches!(against(&before, at(8_300.0, 1_100.0)), Against::Moved(_)));
        let random = [at(10.0, 1_000.0), at(9_000.0, 1_001.0)];
        assert_eq!(against(&random, at(90_000.0, 1_002.0)), Against::Unknown);
    }
}
