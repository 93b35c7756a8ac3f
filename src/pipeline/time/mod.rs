//! Findings over time, as the ledger tells it: first seen, gone, back again, settled; and what follows: ages, times to
//! remediate, missed deadlines.

mod report;

#[cfg(test)]
pub use report::Breach;
pub use report::{Lanes, Remediation, TimeReport, Watched, breached, hours_in_words};

use holdpoint_schemas::decision::{Bound, Decision, Phase};
use holdpoint_schemas::{Level, Timestamp};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

const DAY: i64 = 86_400;

/// Findings that a run no longer saw, or saw again. What a run couldn't read says nothing: then nothing is gone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PresenceRecord {
    /// Short ids of those that the run before saw, and this one, which read all of their sources, didn't.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gone: Vec<String>,
    /// Short ids of those that had gone and are there again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub returned: Vec<String>,
}

impl PresenceRecord {
    /// Whether it says nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.gone.is_empty() && self.returned.is_empty()
    }
}

/// One stretch in which a finding was open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stretch {
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
}

impl Stretch {
    /// Its length; a clock that jumped back makes it nothing, never negative.
    #[must_use]
    pub fn length(self) -> SignedDuration {
        self.until.duration_since(self.from).max(SignedDuration::ZERO)
    }
}

/// A finding's course.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Course {
    /// When it was first seen.
    pub first_seen: Timestamp,
    /// When it was first seen, or came back, or what had settled it was reverted.
    pub open_since: Timestamp,
    /// When its fix was merged, if that holds.
    pub merged: Option<Timestamp>,
    /// When it was found gone, if it still is.
    pub gone: Option<Timestamp>,
    /// How often it came back.
    pub returns: u32,
    /// Stretches in which it was open and that ended.
    pub settled: Vec<Stretch>,
    /// Its newest level, and how many nights in a row it has had it.
    pub level: Option<Held>,
}

/// A level that a finding has had for some nights in a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Level.
    pub level: Level,
    /// Nights in a row, by their dates in UTC: several runs of one day are one.
    pub nights: u32,
    /// When that was decided last.
    pub last: Timestamp,
    /// What withheld a higher level then, without the facts.
    pub bounds: Vec<Bound>,
}

impl Course {
    fn new(at: Timestamp) -> Self {
        Self {
            first_seen: at,
            open_since: at,
            merged: None,
            gone: None,
            returns: 0,
            settled: Vec::new(),
            level: None,
        }
    }

    /// Whether it is there and nothing has settled it.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.gone.is_none() && self.merged.is_none()
    }

    /// Whole days that it has been open for; none when it isn't, and never negative.
    #[must_use]
    pub fn age_days(&self, now: Timestamp) -> i64 {
        days(now.duration_since(self.open_since))
    }

    fn settle(&mut self, at: Timestamp) {
        if self.is_open() {
            self.settled.push(Stretch {
                from: self.open_since,
                until: at,
            });
        }
    }

    fn reopen(&mut self, at: Timestamp) {
        self.gone = None;
        self.merged = None;
        self.open_since = at;
    }
}

/// Whole days of a duration, never negative.
#[must_use]
pub fn days(duration: SignedDuration) -> i64 {
    duration.as_secs().max(0) / DAY
}

/// The courses of all findings, by short id, folded from the ledger's entries in their order.
#[derive(Debug, Clone, Default)]
pub struct Timeline {
    courses: BTreeMap<String, Course>,
}

impl Timeline {
    /// A finding's course.
    #[must_use]
    pub fn of(&self, id: &str) -> Option<&Course> {
        self.courses.get(id)
    }

    /// All courses.
    pub fn all(&self) -> impl Iterator<Item = (&String, &Course)> {
        self.courses.iter()
    }

    /// A finding was recorded. Only the first time counts: a finding is recorded again when its report says more.
    pub fn seen(&mut self, id: String, at: Timestamp) {
        self.courses.entry(id).or_insert_with(|| Course::new(at));
    }

    /// A run told what is gone and what came back.
    pub fn presence(&mut self, record: &PresenceRecord, at: Timestamp) {
        for id in &record.gone {
            if let Some(course) = self.courses.get_mut(id) {
                course.settle(at);
                course.gone.get_or_insert(at);
            }
        }
        for id in &record.returned {
            if let Some(course) = self.courses.get_mut(id).filter(|course| course.gone.is_some()) {
                course.returns += 1;
                course.reopen(at);
            }
        }
    }

    /// A fix of it was merged. A report that still lists it is older than the merge.
    pub fn merged(&mut self, id: &str, at: Timestamp) {
        if let Some(course) = self.courses.get_mut(id) {
            course.settle(at);
            course.merged.get_or_insert(at);
        }
    }

    /// The merge that settled it was reverted.
    pub fn reverted(&mut self, id: &str, at: Timestamp) {
        if let Some(course) = self.courses.get_mut(id).filter(|course| course.merged.is_some()) {
            // It was never remediated, so that stretch doesn't count as one.
            let before = course.settled.pop();
            course.reopen(before.map_or(at, |stretch| stretch.from));
        }
    }

    /// A decision was made on it. What triage leaves open is none yet.
    pub fn decided(&mut self, id: &str, decision: &Decision, at: Timestamp) {
        let level = decision.level;
        if decision.phase == Phase::Triage && level > Level::Alert {
            return;
        }
        let Some(course) = self.courses.get_mut(id) else { return };
        let date = |at: Timestamp| at.as_second().div_euclid(DAY);
        let nights = match &course.level {
            Some(held) if held.level == level => held.nights + u32::from(date(held.last) != date(at)),
            _ => 1,
        };
        let without_facts = |bound: &Bound| Bound {
            facts: Vec::new(),
            unknowns: Vec::new(),
            ..bound.clone()
        };
        course.level = Some(Held {
            level,
            nights,
            last: at,
            bounds: decision.bounds.iter().map(without_facts).collect(),
        });
    }

    /// What a run adds that saw `present` and read all sources of the findings that `readable` says yes to.
    #[must_use]
    pub fn presence_of(&self, present: &BTreeSet<&str>, readable: impl Fn(&str) -> bool) -> PresenceRecord {
        let mut record = PresenceRecord::default();
        for (id, course) in &self.courses {
            match (present.contains(id.as_str()), course.gone) {
                (true, Some(_)) => record.returned.push(id.clone()),
                (false, None) if readable(id) => record.gone.push(id.clone()),
                _ => {}
            }
        }
        record
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::samples;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn day(number: u32) -> Timestamp {
        at(&format!("2026-03-{number:02}T02:30:00Z"))
    }

    fn gone(id: &str) -> PresenceRecord {
        PresenceRecord {
            gone: vec![id.to_owned()],
            ..PresenceRecord::default()
        }
    }

    fn returned(id: &str) -> PresenceRecord {
        PresenceRecord {
            returned: vec![id.to_owned()],
            ..PresenceRecord::default()
        }
    }

    #[test]
    fn what_comes_back_is_reintroduced_and_its_age_begins_anew() {
        let mut timeline = Timeline::default();
        timeline.seen("a".to_owned(), day(1));
        timeline.presence(&gone("a"), day(5));
        timeline.presence(&returned("a"), day(10));
        let course = timeline.of("a").unwrap();
        assert_eq!(
            (course.returns, course.first_seen, course.age_days(day(12))),
            (1, day(1), 2)
        );
        assert_eq!(
            course.settled,
            [Stretch {
                from: day(1),
                until: day(5)
            }]
        );
    }

    #[test]
    fn a_merge_settles_it_and_that_its_report_then_vanishes_settles_nothing_again() {
        let mut timeline = Timeline::default();
        timeline.seen("a".to_owned(), day(1));
        timeline.merged("a", day(3));
        timeline.presence(&gone("a"), day(6));
        let course = timeline.of("a").unwrap();
        assert!(!course.is_open());
        assert_eq!(
            course.settled,
            [Stretch {
                from: day(1),
                until: day(3)
            }]
        );
    }

    #[test]
    fn a_reverted_fix_remediated_nothing_and_the_age_goes_on() {
        let mut timeline = Timeline::default();
        timeline.seen("a".to_owned(), day(1));
        timeline.merged("a", day(3));
        timeline.reverted("a", day(4));
        let course = timeline.of("a").unwrap();
        assert!(course.is_open() && course.settled.is_empty());
        assert_eq!(course.age_days(day(9)), 8);
    }

    #[test]
    fn two_runs_of_one_day_are_one_night_and_another_level_begins_anew() {
        let mut timeline = Timeline::default();
        timeline.seen("a".to_owned(), day(1));
        for (level, moment, nights) in [
            (Level::Suggest, day(1), 1),
            (Level::Suggest, at("2026-03-01T14:00:00Z"), 1),
            (Level::Suggest, day(2), 2),
            (Level::Alert, day(3), 1),
        ] {
            let mut decision = samples::frozen().decision;
            (decision.level, decision.phase) = (level, Phase::Release);
            timeline.decided("a", &decision, moment);
            assert_eq!(timeline.of("a").unwrap().level.as_ref().unwrap().nights, nights);
        }
    }

    #[test]
    fn what_triage_leaves_open_is_no_decision() {
        let mut timeline = Timeline::default();
        timeline.seen("a".to_owned(), day(1));
        let mut decision = samples::frozen().decision;
        (decision.level, decision.phase) = (Level::AutoApply, Phase::Triage);
        timeline.decided("a", &decision, day(1));
        assert_eq!(timeline.of("a").unwrap().level, None);
    }

    #[test]
    fn a_source_that_could_not_be_read_makes_nothing_vanish() {
        let mut timeline = Timeline::default();
        for id in ["a", "b", "c"] {
            timeline.seen(id.to_owned(), day(1));
        }
        timeline.presence(&gone("c"), day(2));
        let record = timeline.presence_of(&BTreeSet::from(["c"]), |id| id != "b");
        assert_eq!(record.gone, ["a"]);
        assert_eq!(record.returned, ["c"]);
        assert!(timeline.presence_of(&BTreeSet::from(["a", "b"]), |_| true).is_empty());
    }

    #[test]
    fn a_clock_that_jumps_back_makes_no_age_negative() {
        let mut timeline = Timeline::default();
        timeline.seen("a".to_owned(), day(9));
        timeline.merged("a", day(2));
        let course = timeline.of("a").unwrap();
        assert_eq!(course.age_days(day(2)), 0);
        assert_eq!(course.settled[0].length(), SignedDuration::ZERO);
    }
}
