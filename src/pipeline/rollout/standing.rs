//! Where each lane stands in an estate, by its rollout file and its ledger.

use anyhow::Result;
use holdpoint_engine::rollout::RolloutState;
use holdpoint_ledger::approval::Approvers;
use holdpoint_schemas::Timestamp;
use holdpoint_schemas::rollout::{Admission, Record, Rollout, StageCause};

use super::log::RolloutLog;

/// Where each lane stands.
#[derive(Debug, Clone)]
pub struct Standing {
    /// What the ledger says of each lane.
    pub state: RolloutState,
    /// The rollout that decisions are made with.
    pub effective: Rollout,
    /// The records that count.
    pub records: Vec<Record>,
    /// What the ledger holds and doesn't count, and why.
    pub refused: Vec<String>,
    /// How many entries of the ledger halt or resume something.
    pub halts: usize,
}

impl Standing {
    /// Where each lane stands at `now`. `approvers`: who may order, or why that isn't known: then nothing that people
    /// ordered raises anything.
    #[must_use]
    pub fn of(file: &Rollout, log: &RolloutLog, approvers: &Result<Approvers>, now: Timestamp) -> Self {
        let why = approvers.as_ref().err().map(|error| format!("{error:#}"));
        let known = approvers.as_ref().map_err(|_| why.as_deref().unwrap_or_default());
        let counted = log.counted(known, now);
        let mut refused = counted.refused;
        let mut records: Vec<Record> = Vec::with_capacity(counted.records.len());
        for record in counted.records {
            match not_earned(file, &records, &record) {
                None => records.push(record),
                Some(why) => refused.push(why),
            }
        }
        let state = RolloutState::fold(file, records.iter().cloned(), now);
        Self {
            effective: state.effective(file),
            state,
            records,
            refused,
            halts: log.halts(),
        }
    }

    /// What the ledger said before an admission was put on record: what of it came first.
    #[must_use]
    pub fn before(&self, file: &Rollout, admission: &Admission, now: Timestamp) -> RolloutState {
        let is_it = |record: &Record| matches!(record, Record::Admission(other) if other == admission);
        let place = self.records.iter().position(is_it).unwrap_or(self.records.len());
        RolloutState::fold(file, self.records.iter().take(place).cloned(), now)
    }
}

/// Why a promotion counts for nothing: a run records what the evidence has earned, so what was on record before it must
/// have earned it.
fn not_earned(file: &Rollout, before: &[Record], record: &Record) -> Option<String> {
    let Record::Stage(change) = record else { return None };
    if change.cause != StageCause::Promoted || change.to <= change.from {
        return None;
    }
    let state = RolloutState::fold(file, before.iter().cloned(), change.at);
    let earned = state
        .changes_due(file, change.at)
        .iter()
        .any(|due| due.lane == change.lane && due.to >= change.to);
    (!earned).then(|| {
        format!(
            "the promotion of lane `{}` to {} on {} doesn't count: what is on record before it doesn't earn it",
            change.lane, change.to, change.at
        )
    })
}
