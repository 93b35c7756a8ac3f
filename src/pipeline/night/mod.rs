//! One night: its place in the ledger, and what its report says besides the findings.

mod session;
mod since;

pub use session::{nights_of, record_failure};
pub use since::{Before, Change, ChangeKind, Since};

use holdpoint_schemas::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use super::time::TimeReport;

/// A night of the schedule began, or ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NightRecord {
    /// The moment that the schedule names, without jitter: what the night is called by.
    pub night: Timestamp,
    /// What became of it.
    pub state: NightState,
}

/// What became of a night.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NightState {
    /// It began.
    Started,
    /// It ended, or its time did.
    Finished,
    /// The run broke off with an error.
    Failed,
}

/// The nights that the ledger knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Nights {
    begun: BTreeMap<Timestamp, NightState>,
}

impl Nights {
    /// Takes in a record.
    pub fn record(&mut self, record: NightRecord) {
        let state = self.begun.entry(record.night).or_insert(record.state);
        // What is over stays over, whatever a confused clock writes later.
        if *state == NightState::Started {
            *state = record.state;
        }
    }

    /// Whether a night is over. One that began and never ended was killed: its run is to be resumed.
    #[must_use]
    pub fn is_over(&self, night: Timestamp) -> bool {
        self.begun
            .get(&night)
            .is_some_and(|state| *state != NightState::Started)
    }

    /// Whether this night or one before it ever began.
    #[must_use]
    pub fn began_by(&self, night: Timestamp) -> bool {
        self.begun.range(..=night).next().is_some()
    }
}

/// What a run's report says besides its findings.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct NightReport {
    /// The night of the schedule, where it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub night: Option<Timestamp>,
    /// Longest time that the run was given, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_seconds: Option<u64>,
    /// Short ids of the findings that it didn't get to.
    #[serde(default)]
    pub not_reached: Vec<String>,
    /// What differs from the run before; `None` for a first run, and for one that looked at some findings only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Since>,
    /// Findings over time.
    #[serde(default)]
    pub times: TimeReport,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn night(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_night_that_was_killed_is_not_over_and_one_that_failed_is() {
        let (first, second) = (night("2026-03-16T01:30:00Z"), night("2026-03-17T01:30:00Z"));
        let mut nights = Nights::default();
        for (night, state) in [
            (first, NightState::Started),
            (first, NightState::Failed),
            (second, NightState::Started),
        ] {
            nights.record(NightRecord { night, state });
        }
        assert!(nights.is_over(first) && !nights.is_over(second));
        assert!(nights.began_by(second) && !nights.began_by(night("2026-03-15T01:30:00Z")));
    }

    #[test]
    fn what_is_over_stays_over() {
        let at = night("2026-03-16T01:30:00Z");
        let mut nights = Nights::default();
        for state in [NightState::Started, NightState::Finished, NightState::Started] {
            nights.record(NightRecord { night: at, state });
        }
        assert!(nights.is_over(at));
    }
}
