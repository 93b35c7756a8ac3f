//! Local times and the moments that they name. A local time that a clock skips is read with the
//! offset before the gap, and of one that a clock shows twice the first is meant (RFC 5545, 3.3.5).

use holdpoint_schemas::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, ToSpan};

/// How local times become moments.
#[derive(Debug, Clone)]
pub(super) enum Zone {
    /// A zone of the IANA database.
    Named(TimeZone),
    /// A zone that a file defines itself.
    Listed {
        /// Offset before the first change.
        first: Offset,
        /// When the offset changes, ascending, and to what.
        changes: Vec<(Timestamp, Offset)>,
    },
}

impl Zone {
    /// The zone of an IANA name, such as `Europe/Berlin`.
    pub(super) fn named(name: &str) -> Option<Self> {
        TimeZone::get(name).ok().map(Self::Named)
    }

    /// The moment of a local time; `None` when no timestamp can hold it.
    pub(super) fn moment(&self, local: DateTime) -> Option<Timestamp> {
        let (first, changes) = match self {
            Self::Named(zone) => return zone.to_ambiguous_timestamp(local).compatible().ok(),
            Self::Listed { first, changes } => (first, changes),
        };
        let mut before = *first;
        let mut now = *first;
        let mut since = Timestamp::MIN;
        for (at, next) in changes {
            if now.to_timestamp(local).ok()? < *at {
                break;
            }
            (before, since, now) = (now, *at, *next);
        }
        let read = now.to_timestamp(local).ok()?;
        if read < since {
            before.to_timestamp(local).ok()
        } else {
            Some(read)
        }
    }

    /// What the clocks show at a moment.
    pub(super) fn local(&self, at: Timestamp) -> DateTime {
        match self {
            Self::Named(zone) => zone.to_datetime(at),
            Self::Listed { first, changes } => {
                let passed = changes.iter().take_while(|(change, _)| *change <= at);
                passed.last().map_or(*first, |(_, offset)| *offset).to_datetime(at)
            }
        }
    }
}

/// How long something lasts. Days are days of the calendar (23 to 25 hours); the rest is exact
/// (RFC 5545, 3.3.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Length {
    pub days: i32,
    pub rest: SignedDuration,
}

/// Longest that one occurrence may last, in days: a longer one is two entries, or a mistake.
const MAX_DAYS: i32 = 3_660;

impl Length {
    /// Reads `8h`, `PT8H`, `1 day`, `P1D`, `P2W`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let span: jiff::Span = text.trim().parse().ok()?;
        if span.is_negative() || span.get_years() != 0 || span.get_months() != 0 {
            return None;
        }
        let days = span.get_weeks().checked_mul(7)?.checked_add(span.get_days())?;
        let rest = span.weeks(0).days(0);
        let rest = SignedDuration::try_from(rest).ok()?;
        (days <= MAX_DAYS && rest.as_hours() <= i64::from(MAX_DAYS) * 24).then_some(Self { days, rest })
    }

    /// The moment at which something ends that begins at `from`.
    pub(super) fn end(self, from: Timestamp, zone: &Zone) -> Option<Timestamp> {
        let whole = if self.days == 0 {
            from
        } else {
            zone.moment(zone.local(from).checked_add(self.days.days()).ok()?)?
        };
        whole.checked_add(self.rest).ok()
    }
}

/// Reads a moment: with an offset (`2026-03-17T09:00+01:00`, `…Z`), with a zone
/// (`2026-03-17T09:00[Europe/Berlin]`), or a local time of the entry's own zone. A date alone is
/// none: whether its day would belong to the span, each reader thinks otherwise.
pub(super) fn moment(text: &str, zone: Option<&Zone>) -> Option<Timestamp> {
    let text = text.trim();
    if text.contains('[') {
        return text.parse::<jiff::Zoned>().ok().map(|zoned| zoned.timestamp());
    }
    if let Ok(at) = text.parse() {
        return Some(at);
    }
    zone?.moment(local(text)?)
}

/// Reads a local date and time, such as `2026-03-17T09:00`.
pub(super) fn local(text: &str) -> Option<DateTime> {
    let text = text.trim();
    if text.contains(':') && text.contains('-') {
        text.parse().ok()
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        moment(text, None).map(|at| at.to_string())
    }

    #[test]
    fn a_moment_has_an_offset_or_a_zone() {
        assert_eq!(read("2026-03-17T09:00:00Z").unwrap(), "2026-03-17T09:00:00Z");
        assert_eq!(read("2026-03-17T09:00+01:00").unwrap(), "2026-03-17T08:00:00Z");
        assert_eq!(read("2026-07-17T09:00[Europe/Berlin]").unwrap(), "2026-07-17T07:00:00Z");
        assert_eq!(read("2026-07-17T09:00[Europe/Atlantis]"), None);
        assert_eq!(read("2026-03-17T09:00"), None, "whose nine o'clock?");
        assert_eq!(read("2026-03-17"), None);
        let berlin = Zone::named("Europe/Berlin").unwrap();
        assert_eq!(moment("2026-03-17", Some(&berlin)), None);
        let at = moment("2026-03-17 09:00", Some(&berlin)).unwrap();
        assert_eq!(at.to_string(), "2026-03-17T08:00:00Z");
    }

    #[test]
    fn a_skipped_time_is_read_with_the_offset_before_and_a_doubled_one_is_the_first() {
        for (zone, local, moment) in [
            ("Europe/Berlin", "2026-03-29T02:30", "2026-03-29T01:30:00Z"),
            ("Europe/Berlin", "2026-10-25T02:30", "2026-10-25T00:30:00Z"),
            ("America/New_York", "2026-03-08T02:30", "2026-03-08T07:30:00Z"),
            ("America/New_York", "2026-11-01T01:30", "2026-11-01T05:30:00Z"),
            // Half an hour is skipped and doubled.
            ("Australia/Lord_Howe", "2026-10-04T02:15", "2026-10-03T15:45:00Z"),
            ("Australia/Lord_Howe", "2026-04-05T01:45", "2026-04-04T14:45:00Z"),
        ] {
            let read = Zone::named(zone).unwrap().moment(local.parse().unwrap()).unwrap();
            assert_eq!(read.to_string(), moment, "{zone} {local}");
        }
    }

    #[test]
    fn a_listed_zone_reads_as_the_database_does() {
        let berlin = Zone::named("Europe/Berlin").unwrap();
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let (winter, summer) = (Offset::constant(1), Offset::constant(2));
        let listed = Zone::Listed {
            first: winter,
            changes: vec![
                (at("2026-03-29T01:00:00Z"), summer),
                (at("2026-10-25T01:00:00Z"), winter),
            ],
        };
        for day in [
            "2026-01-15",
            "2026-03-28",
            "2026-03-29",
            "2026-07-01",
            "2026-10-25",
            "2026-10-26",
        ] {
            for minutes in (0..24 * 60).step_by(15) {
                let local: DateTime = format!("{day}T{:02}:{:02}", minutes / 60, minutes % 60)
                    .parse()
                    .unwrap();
                let moment = listed.moment(local).unwrap();
                assert_eq!(Some(moment), berlin.moment(local), "{local}");
                assert_eq!(listed.local(moment), berlin.local(moment), "{local}");
            }
        }
    }

    #[test]
    fn days_follow_the_calendar_and_hours_the_clockwork() {
        let berlin = Zone::named("Europe/Berlin").unwrap();
        let from = "2026-03-28T12:00:00Z".parse().unwrap();
        let end = |text: &str| Length::parse(text).unwrap().end(from, &berlin).unwrap().to_string();
        assert_eq!(end("P1D"), "2026-03-29T11:00:00Z");
        assert_eq!(end("PT24H"), "2026-03-29T12:00:00Z");
        assert_eq!(end("1 day 30 minutes"), "2026-03-29T11:30:00Z");
        assert_eq!(end("P1W"), "2026-04-04T11:00:00Z");
        for text in ["-PT1H", "P1M", "1 year", "", "8", "P99999D", "PT999999999H"] {
            assert_eq!(Length::parse(text), None, "{text}");
        }
    }
}
