//! Recurrence rules (RFC 5545, 3.3.10), expanded in local time.
//!
//! The `rrule` crate counts in a carrier without daylight saving; each local time then becomes a
//! moment by our own zone data. So one library decides what a skipped or doubled hour means.

use holdpoint_schemas::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use rrule::RRuleSet;

use super::zone::Zone;

/// Longest rule in bytes: every part with every value that makes sense is shorter.
const MAX_RULE: usize = 1_000;
/// How many steps of a rule's frequency between two occurrences cost as much as one more occurrence: the crate walks
/// them all, and a rule such as "hourly, on each 29th of February" has thousands.
const STEPS_PER_OCCURRENCE: i64 = 32;

/// A recurrence rule with the local time that it begins at.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    set: RRuleSet,
    /// The date that it begins at and the length of its frequency's steps, both in seconds of the carrier.
    begin: i64,
    step: i64,
    count: Option<u32>,
    last: Option<Last>,
}

/// What `UNTIL` says: the last moment that an occurrence may begin at.
#[derive(Debug, Clone, Copy)]
enum Last {
    Moment(Timestamp),
    Local(DateTime),
}

impl Rule {
    /// Reads a rule, with or without `RRULE:` before it.
    pub(super) fn parse(text: &str, start: DateTime) -> Result<Self, String> {
        let text = text.trim();
        let text = text.strip_prefix("RRULE:").unwrap_or(text).trim_end_matches(';');
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '=' | ';' | ',' | '+' | '-');
        if text.is_empty() || text.len() > MAX_RULE || !text.chars().all(plain) {
            return Err("isn't a recurrence rule".to_owned());
        }
        let (mut parts, mut count, mut last) = (Vec::new(), None, None);
        let (mut unit, mut interval) = (1, 1);
        for part in text.split(';') {
            let (key, value) = part.split_once('=').ok_or_else(|| format!("has the part `{part}`"))?;
            match key.to_ascii_uppercase().as_str() {
                // The crate would compare it with the carrier's time.
                "UNTIL" => last = Some(until(value).ok_or_else(|| format!("ends `{value}`"))?),
                "COUNT" => {
                    count = Some(value.parse().map_err(|_| format!("counts `{value}`"))?);
                    parts.push(part);
                }
                key => {
                    match key {
                        "FREQ" => unit = seconds(value),
                        "INTERVAL" => interval = value.parse().unwrap_or(1),
                        _ => {}
                    }
                    parts.push(part);
                }
            }
        }
        if count.is_some() && last.is_some() {
            return Err("has both `COUNT` and `UNTIL`".to_owned());
        }
        let begin = start.strftime("%Y%m%dT%H%M%SZ");
        let set = format!("DTSTART:{begin}\nRRULE:{}", parts.join(";"));
        let set: RRuleSet = set
            .parse()
            .map_err(|error: rrule::RRuleError| format!("can't be read: {error}"))?;
        Ok(Self {
            set: set.limit(),
            begin: Offset::UTC
                .to_timestamp(start)
                .map_err(|_| "begins beyond the times that can be told")?
                .as_second(),
            step: unit * i64::from(interval.max(1_u16)),
            count,
            last,
        })
    }

    /// Whether occurrences depend on the date that the rule begins at, beyond those before it.
    pub(super) fn needs_date(text: &str) -> bool {
        let text = text.to_ascii_uppercase();
        let has = |part: &str| text.split([';', ':']).any(|other| other.starts_with(part));
        let days = has("FREQ=DAILY") || has("BYDAY=") || has("BYMONTHDAY=") || has("BYYEARDAY=");
        !days || has("INTERVAL=") || has("COUNT=")
    }

    /// Local time and moment of each occurrence that begins up to `up_to`. Each one looked at takes
    /// one of `budget`, and so do many steps without one.
    pub(super) fn occurrences(
        &self,
        zone: &Zone,
        up_to: Timestamp,
        budget: &mut usize,
    ) -> Result<Vec<(DateTime, Timestamp)>, String> {
        let mut found = Vec::new();
        let mut seen = 0u32;
        let mut before = self.begin;
        for carrier in &self.set {
            let steps = carrier.timestamp().saturating_sub(before) / self.step;
            before = carrier.timestamp();
            let price = 1 + usize::try_from(steps / STEPS_PER_OCCURRENCE).unwrap_or_default();
            let Some(left) = budget.checked_sub(price) else {
                return Err("it recurs too often to be followed".to_owned());
            };
            *budget = left;
            seen = seen.saturating_add(1);
            let out_of_time = || "it recurs beyond the times that can be told".to_owned();
            let local = Timestamp::from_second(carrier.timestamp()).map_err(|_| out_of_time())?;
            let local = Offset::UTC.to_datetime(local);
            let at = zone.moment(local).ok_or_else(out_of_time)?;
            let over = match self.last {
                Some(Last::Moment(last)) => at > last,
                Some(Last::Local(last)) => local > last,
                None => false,
            };
            if over || at > up_to {
                return Ok(found);
            }
            found.push((local, at));
        }
        // Without a count the crate ends only when it has given up, and it doesn't say so.
        if self.count == Some(seen) {
            return Ok(found);
        }
        Err("its rule is never met, or too seldom to be followed".to_owned())
    }
}

/// Length of a frequency's shortest step, in seconds.
fn seconds(frequency: &str) -> i64 {
    let day = 24 * 60 * 60;
    match frequency.to_ascii_uppercase().as_str() {
        "MINUTELY" => 60,
        "HOURLY" => 60 * 60,
        "DAILY" => day,
        "WEEKLY" => 7 * day,
        "MONTHLY" => 28 * day,
        "YEARLY" => 365 * day,
        _ => 1,
    }
}

fn until(text: &str) -> Option<Last> {
    let digits = text.trim_end_matches('Z');
    if let Ok(date) = jiff::civil::Date::strptime("%Y%m%d", digits) {
        return Some(Last::Local(date.at(23, 59, 59, 0)));
    }
    let local = DateTime::strptime("%Y%m%dT%H%M%S", digits).ok()?;
    if text.ends_with('Z') {
        return Offset::UTC.to_timestamp(local).ok().map(Last::Moment);
    }
    Some(Last::Local(local))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn starts(rule: &str, start: &str, zone: &str, up_to: &str) -> Result<Vec<String>, String> {
        let rule = Rule::parse(rule, start.parse().unwrap())?;
        let zone = Zone::named(zone).unwrap();
        let found = rule.occurrences(&zone, up_to.parse().unwrap(), &mut 1_000)?;
        Ok(found.into_iter().map(|(_, at)| at.to_string()).collect())
    }

    #[test]
    fn a_local_time_keeps_its_hour_when_clocks_change() {
        let found = starts(
            "FREQ=DAILY",
            "2026-03-27T09:00",
            "Europe/Berlin",
            "2026-03-30T12:00:00Z",
        )
        .unwrap();
        assert_eq!(
            found,
            [
                "2026-03-27T08:00:00Z",
                "2026-03-28T08:00:00Z",
                "2026-03-29T07:00:00Z",
                "2026-03-30T07:00:00Z"
            ]
        );
    }

    #[test]
    fn an_occurrence_in_a_skipped_or_doubled_hour_happens_once() {
        let found = starts(
            "FREQ=DAILY;COUNT=3",
            "2026-03-07T02:30",
            "America/New_York",
            "2027-01-01T00:00:00Z",
        );
        assert_eq!(
            found.unwrap(),
            ["2026-03-07T07:30:00Z", "2026-03-08T07:30:00Z", "2026-03-09T06:30:00Z"]
        );
        let found = starts(
            "FREQ=DAILY;COUNT=3",
            "2026-04-04T01:45",
            "Australia/Lord_Howe",
            "2027-01-01T00:00:00Z",
        );
        assert_eq!(
            found.unwrap(),
            ["2026-04-03T14:45:00Z", "2026-04-04T14:45:00Z", "2026-04-05T15:15:00Z"]
        );
    }

    #[test]
    fn days_of_the_month_agree_with_a_calendar() {
        let last_friday = starts(
            "FREQ=MONTHLY;BYDAY=-1FR",
            "2026-01-01T08:00",
            "UTC",
            "2031-01-01T00:00:00Z",
        )
        .unwrap();
        let last_day = starts(
            "FREQ=MONTHLY;BYMONTHDAY=-1",
            "2026-01-01T08:00",
            "UTC",
            "2031-01-01T00:00:00Z",
        )
        .unwrap();
        let months = (0..60).map(|month| jiff::civil::date(2026 + month / 12, (month % 12 + 1) as i8, 1));
        let (mut fridays, mut days) = (Vec::new(), Vec::new());
        for first in months {
            let friday = first.nth_weekday_of_month(-1, jiff::civil::Weekday::Friday).unwrap();
            fridays.push(format!("{friday}T08:00:00Z"));
            days.push(format!("{}T08:00:00Z", first.last_of_month()));
        }
        assert_eq!((last_friday, last_day), (fridays, days));
    }

    #[test]
    fn until_is_a_moment_a_local_time_or_the_end_of_a_day() {
        for (until, many) in [
            ("20260331T070000Z", 2),
            ("20260331T065959Z", 1),
            ("20260331T090000", 2),
            ("20260331", 2),
            ("20260330", 1),
        ] {
            let rule = format!("FREQ=DAILY;UNTIL={until}");
            let found = starts(&rule, "2026-03-30T09:00", "Europe/Berlin", "2027-01-01T00:00:00Z").unwrap();
            assert_eq!(found.len(), many, "{until}");
        }
    }

    #[test]
    fn a_rule_that_floods_or_never_comes_is_an_error_and_not_an_end() {
        let up_to = "2027-01-01T00:00:00Z";
        let at = |rule| starts(rule, "2026-01-01T00:00", "UTC", up_to).unwrap_err();
        assert!(at("FREQ=SECONDLY;COUNT=4000000000").contains("too often"));
        assert!(at("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30").contains("never"));
        assert!(at("FREQ=MINUTELY;BYMONTH=2;BYMONTHDAY=30").contains("never"));
        assert_eq!(
            starts("FREQ=DAILY;COUNT=2", "2026-01-01T00:00", "UTC", up_to)
                .unwrap()
                .len(),
            2
        );
    }

    #[test]
    fn a_rule_pays_for_the_steps_between_its_occurrences() {
        let rule = Rule::parse(
            "FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=29;BYHOUR=3",
            "0400-01-01T00:00".parse().unwrap(),
        );
        let zone = Zone::named("UTC").unwrap();
        let mut budget = 5_000;
        let found = rule
            .unwrap()
            .occurrences(&zone, "2027-01-01T00:00:00Z".parse().unwrap(), &mut budget);
        assert!(found.unwrap_err().contains("too often"));
        // A rule that is written plainly pays for its occurrences only.
        let rule = Rule::parse("FREQ=WEEKLY;BYDAY=MO,WE", "2026-01-01T00:00".parse().unwrap());
        let mut budget = 1_000;
        let found = rule
            .unwrap()
            .occurrences(&zone, "2027-01-01T00:00:00Z".parse().unwrap(), &mut budget);
        assert_eq!(found.unwrap().len() + budget, 1_000 - 1);
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        for rule in [
            "",
            "daily",
            "FREQ=FORTNIGHTLY",
            "FREQ=DAILY;COUNT=x",
            "FREQ=DAILY;UNTIL=soon",
            "FREQ=DAILY;COUNT=2;UNTIL=20260401",
            "FREQ=DAILY\nEXDATE:20260101T000000Z",
            "BYDAY=MO",
            "FREQ=DAILY;BYHOUR=99",
            "FREQ=DAILY;INTERVAL=-1",
        ] {
            assert!(
                Rule::parse(rule, "2026-01-01T00:00".parse().unwrap()).is_err(),
                "{rule}"
            );
        }
        assert!(
            Rule::parse(
                &format!("FREQ=DAILY;{}", "X".repeat(9_999)),
                DateTime::constant(2026, 1, 1, 0, 0, 0, 0)
            )
            .is_err()
        );
    }
}
