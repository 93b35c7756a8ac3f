//! Files and records for the tests.

use holdpoint_schemas::actor::Remediator;
use holdpoint_schemas::outcome::{OutcomeKind, OutcomeRecord};
use holdpoint_schemas::rollout::{Lane, LaneMatch, Promotion, Ratio, Record, Rollout};
use holdpoint_schemas::{Digest, Level, Timestamp};
use jiff::SignedDuration;

use crate::rollout::RolloutState;

/// A night: day 0 is 2026-01-01, at 02:30.
pub(super) fn night(day: i64) -> Timestamp {
    let first: Timestamp = "2026-01-01T02:30:00Z".parse().unwrap();
    first + SignedDuration::from_hours(24 * day)
}

/// Starts at suggest and may earn auto-apply: 95% with an error of 5%, 20 outcomes, 14 days.
pub(super) fn lane() -> Lane {
    Lane {
        ceiling: Some(Level::AutoApply),
        promotion: Some(Promotion {
            success_rate: Ratio::percent(95),
            error: Ratio::percent(5),
            outcomes: 20,
            survival_days: 14,
        }),
        ..Lane::new("upgrades", Level::Suggest).matching(LaneMatch {
            kinds: Some(vec!["dependency-upgrade".to_owned()]),
            ..LaneMatch::default()
        })
    }
}

pub(super) fn file(lane: Lane) -> Rollout {
    Rollout {
        lanes: vec![lane],
        ..Rollout::default()
    }
}

pub(super) fn outcome(fix: u32, kind: OutcomeKind, day: i64) -> OutcomeRecord {
    OutcomeRecord {
        lane: "upgrades".to_owned(),
        slice: lane().slice(),
        fix: Digest::of_bytes(&fix.to_be_bytes()),
        repo: "admin".to_owned(),
        branch: "main".to_owned(),
        commit: Some(format!("{fix:040}")),
        remediator: Remediator("fixbot".to_owned()),
        services: ["admin".into()].into(),
        environment: Some("staging".to_owned()),
        subjects: [format!("pkg:npm/left-pad@{fix}")].into(),
        kind,
        at: night(day),
        by: "holdpoint".to_owned(),
        reference: None,
        reason: String::new(),
    }
}

pub(super) fn record(fix: u32, kind: OutcomeKind, day: i64) -> Record {
    Record::Outcome(outcome(fix, kind, day))
}

/// So many merges on a day, numbered from `first`.
pub(super) fn merges(first: u32, count: u32, day: i64) -> Vec<Record> {
    (first..first + count)
        .map(|fix| record(fix, OutcomeKind::Merged, day))
        .collect()
}

/// A ledger that grows, and what runs make of it.
#[derive(Debug, Clone)]
pub(super) struct Estate {
    pub(super) file: Rollout,
    pub(super) records: Vec<Record>,
}

impl Estate {
    pub(super) fn new(lane: Lane) -> Self {
        Self {
            file: file(lane),
            records: vec![],
        }
    }

    pub(super) fn with(mut self, records: impl IntoIterator<Item = Record>) -> Self {
        self.records.extend(records);
        self
    }

    pub(super) fn state(&self, day: i64) -> RolloutState {
        RolloutState::fold(&self.file, self.records.iter().cloned(), night(day))
    }

    pub(super) fn stage(&self, day: i64) -> Level {
        self.state(day).lane("upgrades").unwrap().stage
    }

    /// A run: what is due is recorded.
    pub(super) fn run(&mut self, day: i64) -> Level {
        let due = self.state(day).changes_due(&self.file, night(day));
        self.records.extend(due.into_iter().map(Record::Stage));
        self.stage(day)
    }
}
