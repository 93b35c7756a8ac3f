//! Nights, and windows of lanes. Time zones come from the copy of the IANA database in the binary, never from the
//! machine, so that the same file means the same everywhere.

use holdpoint_schemas::Timestamp;
use holdpoint_schemas::rollout::{LaneWindow, Night, Weekday};
use jiff::Zoned;
use jiff::civil::{Date, Time};
use jiff::tz::{TimeZone, TimeZoneDatabase};

/// A night: budgets count what was done since it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NightSpan {
    /// First moment.
    pub from: Timestamp,
    /// First moment after it.
    pub until: Timestamp,
}

impl NightSpan {
    /// Whether a moment is in it.
    #[must_use]
    pub fn holds(&self, at: Timestamp) -> bool {
        self.from <= at && at < self.until
    }
}

/// The night that holds `now`. `None` where its zone or its begin can't be read: then there is no budget to spend.
#[must_use]
pub fn night_of(night: &Night, now: Timestamp) -> Option<NightSpan> {
    let zone = zone(&night.zone)?;
    let begins = minute(&night.begins)?;
    let today = now.to_zoned(zone.clone()).date();
    let begin = |date: Date| Some(date.to_datetime(begins).to_zoned(zone.clone()).ok()?.timestamp());
    let todays = begin(today)?;
    let (from, until) = if now < todays {
        (begin(today.yesterday().ok()?)?, todays)
    } else {
        (todays, begin(today.tomorrow().ok()?)?)
    };
    Some(NightSpan { from, until })
}

/// Whether one of the windows is open. One that can't be read is closed.
pub(super) fn is_open(windows: &[LaneWindow], now: Timestamp) -> bool {
    windows.iter().any(|window| opened(window, now) == Some(true))
}

fn opened(window: &LaneWindow, now: Timestamp) -> Option<bool> {
    let now = now.to_zoned(zone(&window.zone)?);
    let (from, to) = (minute(&window.from)?, minute(&window.to)?);
    let time = now.time();
    if from < to {
        return Some(from <= time && time < to && on(window, &now));
    }
    // Over midnight: it began today, or yesterday.
    let yesterday = now.yesterday().ok()?;
    Some((from <= time && on(window, &now)) || (time < to && on(window, &yesterday)))
}

fn on(window: &LaneWindow, day: &Zoned) -> bool {
    window.days.is_empty() || window.days.contains(&weekday(day.weekday()))
}

const fn weekday(day: jiff::civil::Weekday) -> Weekday {
    match day {
        jiff::civil::Weekday::Monday => Weekday::Monday,
        jiff::civil::Weekday::Tuesday => Weekday::Tuesday,
        jiff::civil::Weekday::Wednesday => Weekday::Wednesday,
        jiff::civil::Weekday::Thursday => Weekday::Thursday,
        jiff::civil::Weekday::Friday => Weekday::Friday,
        jiff::civil::Weekday::Saturday => Weekday::Saturday,
        jiff::civil::Weekday::Sunday => Weekday::Sunday,
    }
}

fn zone(name: &str) -> Option<TimeZone> {
    TimeZoneDatabase::bundled().get(name).ok()
}

fn minute(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let two = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    if !two(hour) || !two(minute) {
        return None;
    }
    Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn runs_before_and_after_midnight_share_a_night() {
        let night = Night::default();
        let evening = night_of(&night, at("2026-03-16T23:00:00Z")).unwrap();
        assert_eq!(night_of(&night, at("2026-03-17T04:00:00Z")), Some(evening));
        assert_eq!(
            (evening.from, evening.until),
            (at("2026-03-16T12:00:00Z"), at("2026-03-17T12:00:00Z"))
        );
        assert_ne!(night_of(&night, at("2026-03-17T12:00:00Z")), Some(evening));
    }

    #[test]
    fn a_night_follows_its_zone_through_the_change_of_clocks() {
        let night = Night {
            begins: "12:00".to_owned(),
            zone: "Europe/Berlin".to_owned(),
        };
        let span = night_of(&night, at("2026-03-29T00:30:00Z")).unwrap();
        assert_eq!(
            (span.from, span.until),
            (at("2026-03-28T11:00:00Z"), at("2026-03-29T10:00:00Z"))
        );
        assert!(span.holds(span.from) && !span.holds(span.until));
    }

    #[test]
    fn what_cannot_be_read_is_no_night_and_a_closed_window() {
        let night = |begins: &str, zone: &str| Night {
            begins: begins.to_owned(),
            zone: zone.to_owned(),
        };
        for night in [
            night("25:00", "UTC"),
            night("noon", "UTC"),
            night("12:00", "Mars/Olympus"),
        ] {
            assert_eq!(night_of(&night, at("2026-03-17T02:30:00Z")), None);
        }
        let window = |from: &str| LaneWindow {
            days: vec![],
            from: from.to_owned(),
            to: "24:00".to_owned(),
            zone: "UTC".to_owned(),
        };
        assert!(!is_open(&[window("00:00")], at("2026-03-17T02:30:00Z")));
    }

    #[test]
    fn a_window_over_midnight_belongs_to_the_day_on_which_it_begins() {
        let window = LaneWindow {
            days: vec![Weekday::Monday],
            from: "22:00".to_owned(),
            to: "05:00".to_owned(),
            zone: "Europe/Berlin".to_owned(),
        };
        let open = |text: &str| is_open(std::slice::from_ref(&window), at(text));
        // 2026-03-16 is a Monday; Berlin is one hour ahead of UTC.
        assert!(open("2026-03-16T21:00:00Z") && open("2026-03-17T03:59:00Z"));
        assert!(!open("2026-03-16T20:59:00Z") && !open("2026-03-17T04:00:00Z"));
        assert!(!open("2026-03-16T02:00:00Z") && !open("2026-03-17T21:30:00Z"));
        assert!(!is_open(&[], at("2026-03-16T21:00:00Z")));
    }
}
