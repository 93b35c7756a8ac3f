//! Ages, times to remediate and missed deadlines, as reports show them.

use holdpoint_schemas::Timestamp;
use holdpoint_schemas::finding::Severity;
use holdpoint_schemas::length::Length;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use super::{DAY, Timeline, days};

/// What reports need to know of a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// Severity.
    pub severity: Severity,
    /// Lane of its newest decision; `None` where no lane takes it.
    pub lane: Option<String>,
}

/// Findings by short id.
pub type Lanes = BTreeMap<String, Watched>;

/// Findings over time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeReport {
    /// One per severity and lane of which there is anything to say, most severe first.
    pub rows: Vec<Remediation>,
    /// Open findings past their deadline, the longest overdue first.
    pub breaches: Vec<Breach>,
    /// Open findings that had gone and came back, by short id.
    pub reintroduced: Vec<String>,
    /// Whole days that each open finding has been open, by short id.
    pub ages: BTreeMap<String, i64>,
}

/// How long findings of one severity and lane stay open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remediation {
    /// Severity.
    pub severity: Severity,
    /// Lane; `None` for what no lane takes.
    pub lane: Option<String>,
    /// Open now.
    pub open: usize,
    /// Age of the oldest open one, in whole days.
    pub oldest_days: Option<i64>,
    /// How often one was settled: its fix merged, or gone from the reports.
    pub settled: usize,
    /// Half of them were settled within so many hours (nearest rank).
    pub median_hours: Option<i64>,
    /// Nine of ten were settled within so many hours (nearest rank).
    pub p90_hours: Option<i64>,
    /// Longest time that one of this severity may be open, in hours, where the estate says so.
    pub sla_hours: Option<u64>,
    /// Open ones past that.
    pub breached: usize,
}

/// An open finding past its deadline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breach {
    /// Short id.
    pub finding: String,
    /// Severity.
    pub severity: Severity,
    /// Whole days that it has been open.
    pub age_days: i64,
    /// Whole days since its deadline.
    pub over_days: i64,
}

/// Whether something that is open since `since` is past the deadline.
#[must_use]
pub fn breached(since: Timestamp, now: Timestamp, sla: Length) -> bool {
    now.duration_since(since).as_secs() > sla.signed().as_secs()
}

#[derive(Default)]
struct Group {
    open: Vec<i64>,
    settled: Vec<i64>,
    breached: usize,
}

impl TimeReport {
    /// The report of a moment.
    #[must_use]
    pub fn of(timeline: &Timeline, findings: &Lanes, slas: &BTreeMap<Severity, Length>, now: Timestamp) -> Self {
        let mut report = Self::default();
        let mut groups: BTreeMap<(std::cmp::Reverse<Severity>, Option<&str>), Group> = BTreeMap::new();
        for (id, course) in timeline.all() {
            let Some(watched) = findings.get(id) else { continue };
            let key = (std::cmp::Reverse(watched.severity), watched.lane.as_deref());
            let group = groups.entry(key).or_default();
            group
                .settled
                .extend(course.settled.iter().map(|stretch| stretch.length().as_hours()));
            if !course.is_open() {
                continue;
            }
            let age = course.age_days(now);
            group.open.push(age);
            report.ages.insert(id.clone(), age);
            if course.returns > 0 {
                report.reintroduced.push(id.clone());
            }
            if let Some(sla) = slas.get(&watched.severity)
                && breached(course.open_since, now, *sla)
            {
                group.breached += 1;
                let open = now.duration_since(course.open_since).as_secs();
                report.breaches.push(Breach {
                    finding: id.clone(),
                    severity: watched.severity,
                    age_days: age,
                    over_days: open.saturating_sub(sla.signed().as_secs()) / DAY,
                });
            }
        }
        report.breaches.sort_by_key(|breach| {
            (
                std::cmp::Reverse(breach.over_days),
                std::cmp::Reverse(breach.severity),
                breach.finding.clone(),
            )
        });
        report.rows = groups
            .into_iter()
            .map(|((severity, lane), mut group)| {
                group.settled.sort_unstable();
                Remediation {
                    severity: severity.0,
                    lane: lane.map(str::to_owned),
                    open: group.open.len(),
                    oldest_days: group.open.iter().max().copied(),
                    settled: group.settled.len(),
                    median_hours: rank(&group.settled, 50),
                    p90_hours: rank(&group.settled, 90),
                    sla_hours: slas.get(&severity.0).map(|sla| sla.seconds() / 3_600),
                    breached: group.breached,
                }
            })
            .collect();
        report
    }
}

/// The nearest-rank percentile of sorted values: the smallest that so many percent don't exceed.
fn rank(sorted: &[i64], percent: usize) -> Option<i64> {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

/// Hours as people say them.
#[must_use]
pub fn hours_in_words(hours: i64) -> String {
    if hours < 48 {
        format!("{hours} h")
    } else {
        format!("{} d", days(jiff::SignedDuration::from_hours(hours)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::time::PresenceRecord;

    fn day(number: u32) -> Timestamp {
        format!("2026-03-{number:02}T02:30:00Z").parse().unwrap()
    }

    fn watched(severity: Severity, lane: &str) -> Watched {
        Watched {
            severity,
            lane: Some(lane.to_owned()),
        }
    }

    #[test]
    fn percentiles_are_values_that_occurred() {
        let ten: Vec<i64> = (1..=10).collect();
        for (values, percent, expected) in [
            (&[][..], 50, None),
            (&[7][..], 50, Some(7)),
            (&[7][..], 90, Some(7)),
            (&[1, 9][..], 50, Some(1)),
            (&ten[..], 50, Some(5)),
            (&ten[..], 90, Some(9)),
        ] {
            assert_eq!(rank(values, percent), expected, "{values:?} {percent}");
        }
    }

    #[test]
    fn times_are_told_per_severity_and_lane_and_deadlines_by_severity() {
        let mut timeline = Timeline::default();
        for id in ["a", "b", "c", "d"] {
            timeline.seen(id.to_owned(), day(1));
        }
        timeline.merged("a", day(3));
        timeline.merged("b", day(5));
        let gone = PresenceRecord {
            gone: vec!["d".to_owned()],
            ..PresenceRecord::default()
        };
        timeline.presence(&gone, day(8));
        let returned = PresenceRecord {
            returned: vec!["d".to_owned()],
            ..PresenceRecord::default()
        };
        timeline.presence(&returned, day(9));
        let findings = Lanes::from([
            ("a".to_owned(), watched(Severity::High, "upgrades")),
            ("b".to_owned(), watched(Severity::High, "upgrades")),
            ("c".to_owned(), watched(Severity::Critical, "upgrades")),
            ("d".to_owned(), watched(Severity::Low, "rest")),
        ]);
        let slas = BTreeMap::from([(Severity::Critical, "7d".parse().unwrap())]);
        let report = TimeReport::of(&timeline, &findings, &slas, day(11));

        let high = report.rows.iter().find(|row| row.severity == Severity::High).unwrap();
        assert_eq!(
            (high.open, high.settled, high.median_hours, high.p90_hours),
            (0, 2, Some(48), Some(96))
        );
        assert_eq!(report.rows[0].severity, Severity::Critical, "most severe first");
        assert_eq!(report.reintroduced, ["d"]);
        let breach = Breach {
            finding: "c".to_owned(),
            severity: Severity::Critical,
            age_days: 10,
            over_days: 3,
        };
        assert_eq!(report.breaches, [breach]);
        assert_eq!(report.ages, BTreeMap::from([("c".to_owned(), 10), ("d".to_owned(), 2)]));
    }

    #[test]
    fn the_last_second_of_the_deadline_is_still_in_time() {
        let sla = "7d".parse().unwrap();
        assert!(!breached(day(1), day(8), sla));
        assert!(breached(day(1), day(8) + jiff::SignedDuration::from_secs(1), sla));
    }
}
