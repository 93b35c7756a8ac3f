//! Where each lane stands, for people and machines.

use holdpoint_engine::rollout::{NightSpan, night_of};
use holdpoint_schemas::outcome::{OutcomeKind, OutcomeRecord};
use holdpoint_schemas::rollout::{Budget, Halt, Lane, LaneState, Record, Rollout, StageCause, StageChange};
use holdpoint_schemas::{Digest, Level, Timestamp};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

use super::changes::Changes;
use super::standing::Standing;

/// Names the shape; a change that isn't an addition gets another number.
pub const FORMAT: &str = "holdpoint.rollout/1";

/// Where an estate's lanes stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RolloutStatus {
    /// [`FORMAT`].
    pub format: String,
    /// Name of the estate.
    pub estate: String,
    /// When.
    pub at: Timestamp,
    /// What is halted.
    pub halts: Vec<Halt>,
    /// Lanes, in the file's order.
    pub lanes: Vec<LaneStatus>,
    /// Cap of what no lane takes.
    pub default_stage: Level,
    /// What all lanes together did tonight.
    pub tonight: Spent,
    /// What the ledger holds and doesn't count, and why.
    pub not_counted: Vec<String>,
}

/// Where lanes stand after a run, and what the run learnt of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RolloutReport {
    /// Where they stand.
    pub status: RolloutStatus,
    /// Outcomes that it found at its beginning.
    pub outcomes: Vec<OutcomeRecord>,
    /// What followed of them.
    pub changes: Changes,
    /// What people should know besides.
    pub notes: Vec<String>,
}

/// Where a lane stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneStatus {
    /// Stage, evidence, distance.
    #[serde(flatten)]
    pub state: LaneState,
    /// Whether it only decides and records.
    pub shadow: bool,
    /// Whether its evidence can raise it: else only a person does.
    pub earns: bool,
    /// Days for which a merge must have survived before it counts; `None` where none counts.
    pub survival_days: Option<u32>,
    /// What last changed its stage; `None` since it is as the file says.
    pub last_change: Option<StageChange>,
    /// What last lowered it.
    pub last_demotion: Option<StageChange>,
    /// When the next of its merges will have survived.
    pub next_counts_at: Option<Timestamp>,
    /// What was merged in a ring and soaks there before it goes on to the next.
    pub soaking: Vec<Soaking>,
    /// What it did tonight.
    pub tonight: Spent,
}

/// A change that soaks in a ring.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Soaking {
    /// From when on it may go to the next ring.
    pub until: Timestamp,
    /// What was changed, for example `pkg:npm/lodash@4.17.21`.
    pub subject: String,
    /// The ring that it is in.
    pub ring: String,
}

/// What was let through in a night, and what may be; `None`: there is no limit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    /// Merges.
    pub merges: usize,
    /// How many there may be.
    pub merges_of: Option<u32>,
    /// Pull requests.
    pub suggestions: usize,
    /// How many there may be.
    pub suggestions_of: Option<u32>,
    /// Minutes of sandbox time.
    pub minutes: u64,
    /// How many there may be.
    pub minutes_of: Option<u32>,
}

impl RolloutStatus {
    /// Whether anything is halted: then a person is needed.
    #[must_use]
    pub const fn is_halted(&self) -> bool {
        !self.halts.is_empty()
    }
}

/// Where the lanes stand at `now`.
#[must_use]
pub fn of(estate: &str, file: &Rollout, standing: &Standing, now: Timestamp) -> RolloutStatus {
    let night = night_of(&file.night, now);
    let lanes = file.lanes.iter().filter_map(|lane| {
        let state = standing.state.lane(&lane.name)?.clone();
        Some(lane_status(file, lane, state, &standing.records, night, now))
    });
    RolloutStatus {
        format: FORMAT.to_owned(),
        estate: estate.to_owned(),
        at: now,
        halts: standing.state.halted().cloned().collect(),
        lanes: lanes.collect(),
        default_stage: file.default_stage,
        tonight: spent(&standing.records, night, None, file.budget.as_ref()),
        not_counted: standing.refused.clone(),
    }
}

fn lane_status(
    file: &Rollout,
    lane: &Lane,
    state: LaneState,
    records: &[Record],
    night: Option<NightSpan>,
    now: Timestamp,
) -> LaneStatus {
    let changes: Vec<&StageChange> = records
        .iter()
        .filter_map(|record| match record {
            Record::Stage(change) if change.lane == lane.name => Some(change),
            _ => None,
        })
        .collect();
    let survival = lane.promotion.as_ref().map(|promotion| promotion.survival_days);
    LaneStatus {
        shadow: lane.shadow,
        earns: lane.promotion.is_some(),
        survival_days: survival,
        last_change: changes.last().map(|change| (*change).clone()),
        last_demotion: changes
            .iter()
            .rfind(|change| change.cause == StageCause::Demoted)
            .map(|change| (*change).clone()),
        next_counts_at: survival.and_then(|days| next_counted(lane, &state, records, days, now)),
        soaking: soaking(file, lane, records, now),
        tonight: spent(records, night, Some(&lane.name), lane.budget.as_ref()),
        state,
    }
}

/// Merges that nothing bad is known of.
fn standing_merges(records: &[Record]) -> Vec<&OutcomeRecord> {
    let mut merges: BTreeMap<&Digest, &OutcomeRecord> = BTreeMap::new();
    for record in records {
        let Record::Outcome(outcome) = record else { continue };
        match outcome.kind {
            OutcomeKind::Merged => {
                merges.insert(&outcome.fix, outcome);
            }
            OutcomeKind::Reverted | OutcomeKind::Incident | OutcomeKind::HeldByReview => {
                merges.remove(&outcome.fix);
            }
            OutcomeKind::ValidationFailed | OutcomeKind::Flaky => {}
        }
    }
    merges.into_values().collect()
}

fn next_counted(lane: &Lane, state: &LaneState, records: &[Record], days: u32, now: Timestamp) -> Option<Timestamp> {
    if state.evidence.pending == 0 {
        return None;
    }
    let merges = standing_merges(records);
    let of_lane = merges.iter().filter(|merge| merge.lane == lane.name);
    of_lane
        .map(|merge| after(merge.at, days))
        .filter(|counts| *counts > now)
        .min()
}

fn soaking(file: &Rollout, lane: &Lane, records: &[Record], now: Timestamp) -> Vec<Soaking> {
    let Some(days) = lane.soak_days else { return Vec::new() };
    let (_, before_last) = file
        .rings
        .split_last()
        .map_or((None, &[][..]), |(last, rest)| (Some(last), rest));
    let mut found = BTreeSet::new();
    for merge in standing_merges(records) {
        let until = after(merge.at, days);
        let ring = merge.environment.as_ref().filter(|ring| before_last.contains(ring));
        if let (Some(ring), true) = (ring, until > now) {
            let soaks = |subject: &String| Soaking {
                until,
                subject: subject.clone(),
                ring: ring.clone(),
            };
            found.extend(merge.subjects.iter().map(soaks));
        }
    }
    found.into_iter().collect()
}

fn after(at: Timestamp, days: u32) -> Timestamp {
    at.checked_add(SignedDuration::from_hours(i64::from(days) * 24))
        .unwrap_or(Timestamp::MAX)
}

/// What was let through in a night, by all lanes or by one.
fn spent(records: &[Record], night: Option<NightSpan>, lane: Option<&str>, budget: Option<&Budget>) -> Spent {
    let (mut merges, mut suggestions) = (BTreeSet::new(), BTreeSet::new());
    let mut minutes: BTreeMap<&Digest, u32> = BTreeMap::new();
    for record in records {
        let Record::Admission(admission) = record else { continue };
        if !night.is_some_and(|night| night.holds(admission.at)) || lane.is_some_and(|lane| lane != admission.lane) {
            continue;
        }
        match admission.level {
            Level::AutoApply => merges.insert(&admission.fix),
            Level::Suggest => suggestions.insert(&admission.fix),
            Level::Alert => false,
        };
        let known = minutes.entry(&admission.fix).or_default();
        *known = (*known).max(admission.minutes);
    }
    Spent {
        merges: merges.len(),
        merges_of: budget.and_then(|budget| budget.per_night),
        suggestions: suggestions.len(),
        suggestions_of: budget.and_then(|budget| budget.suggestions),
        minutes: minutes.values().map(|minutes| u64::from(*minutes)).sum(),
        minutes_of: budget.and_then(|budget| budget.minutes),
    }
}
