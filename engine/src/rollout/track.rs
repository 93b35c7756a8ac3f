//! The track record: what became of fixes, one trial each.

use std::collections::BTreeMap;

use holdpoint_schemas::actor::Remediator;
use holdpoint_schemas::outcome::{OutcomeKind, OutcomeRecord};
use holdpoint_schemas::{Digest, Timestamp};

/// A place on record: which record it was, and when.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    /// Its number. What came first is told by this and not by clocks.
    pub(super) number: usize,
    pub(super) at: Timestamp,
}

/// One fix that was put forward, and what became of it.
#[derive(Debug, Clone)]
pub(super) struct Trial {
    /// The merge.
    pub(super) outcome: OutcomeRecord,
    pub(super) merged: Option<Mark>,
    pub(super) failed: Option<(Mark, OutcomeKind)>,
}

impl Trial {
    /// Whether it was merged and nothing bad is known of it.
    pub(super) fn stands(&self) -> Option<Mark> {
        self.merged.filter(|_| self.failed.is_none())
    }

    fn broke_something(&self) -> bool {
        matches!(self.failed, Some((_, OutcomeKind::Reverted | OutcomeKind::Incident)))
    }
}

/// A fix that was reverted or led to an incident.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    pub(super) mark: Mark,
    pub(super) remediator: Remediator,
}

/// All trials, and which lane they belong to.
#[derive(Debug, Clone, Default)]
pub(super) struct TrackRecord {
    trials: Vec<Trial>,
    /// Newest trial of a fix.
    by_fix: BTreeMap<Digest, usize>,
    /// Newest trial of a merge: a revert may be known by its commit only.
    by_commit: BTreeMap<(String, String), usize>,
    by_lane: BTreeMap<String, Vec<usize>>,
    /// Newest word on each fix that was validated: whether it failed.
    validated: BTreeMap<String, BTreeMap<Digest, (Mark, bool)>>,
    pub(super) failures: Vec<Failure>,
}

impl TrackRecord {
    /// Adds an outcome. Gives the lanes that it breaks: those of a fix that was reverted or led to an incident, the
    /// first time that this is said of it.
    pub(super) fn add(&mut self, mark: Mark, outcome: OutcomeRecord) -> Vec<String> {
        match outcome.kind {
            OutcomeKind::Merged => {
                self.validation(mark, &outcome, false);
                self.merged(mark, outcome);
                Vec::new()
            }
            OutcomeKind::Reverted | OutcomeKind::Incident => self.broke(mark, outcome),
            OutcomeKind::HeldByReview => {
                self.validation(mark, &outcome, false);
                self.held(mark, outcome);
                Vec::new()
            }
            OutcomeKind::ValidationFailed => {
                self.validation(mark, &outcome, true);
                Vec::new()
            }
            OutcomeKind::Flaky => Vec::new(),
        }
    }

    fn validation(&mut self, mark: Mark, outcome: &OutcomeRecord, failed: bool) {
        let lane = self.validated.entry(outcome.lane.clone()).or_default();
        lane.insert(outcome.fix.clone(), (mark, failed));
    }

    fn merged(&mut self, mark: Mark, outcome: OutcomeRecord) {
        let known = self.newest(&outcome).and_then(|at| self.trials.get(at));
        let again = known.is_some_and(|trial| trial.merged.is_some() && trial.outcome.commit == outcome.commit);
        if !again {
            self.push(Trial {
                outcome,
                merged: Some(mark),
                failed: None,
            });
        }
    }

    fn held(&mut self, mark: Mark, outcome: OutcomeRecord) {
        let newest = self.newest(&outcome);
        match newest.and_then(|at| self.trials.get_mut(at)) {
            Some(trial) if trial.failed.is_some() => {}
            Some(trial) => trial.failed = Some((mark, OutcomeKind::HeldByReview)),
            None => self.push(Trial {
                outcome,
                merged: None,
                failed: Some((mark, OutcomeKind::HeldByReview)),
            }),
        }
    }

    fn broke(&mut self, mark: Mark, outcome: OutcomeRecord) -> Vec<String> {
        let newest = self.newest(&outcome);
        let (kind, lane) = (outcome.kind, outcome.lane.clone());
        let remediator = match newest.and_then(|at| self.trials.get(at)) {
            Some(trial) if trial.broke_something() => return Vec::new(),
            Some(trial) => trial.outcome.remediator.clone(),
            None => outcome.remediator.clone(),
        };
        self.failures.push(Failure { mark, remediator });
        let Some(at) = newest else {
            self.push(Trial {
                outcome,
                merged: None,
                failed: Some((mark, kind)),
            });
            return vec![lane];
        };
        let mut lanes = vec![lane];
        if let Some(trial) = self.trials.get_mut(at) {
            trial.failed = Some((mark, kind));
            lanes.push(trial.outcome.lane.clone());
        }
        lanes.sort();
        lanes.dedup();
        for lane in &lanes {
            let trials = self.by_lane.entry(lane.clone()).or_default();
            if !trials.contains(&at) {
                trials.push(at);
            }
        }
        lanes
    }

    fn newest(&self, outcome: &OutcomeRecord) -> Option<usize> {
        let by_commit = || {
            let commit = outcome.commit.clone()?;
            self.by_commit.get(&(outcome.repo.clone(), commit))
        };
        self.by_fix.get(&outcome.fix).or_else(by_commit).copied()
    }

    fn push(&mut self, trial: Trial) {
        let at = self.trials.len();
        self.by_fix.insert(trial.outcome.fix.clone(), at);
        if let Some(commit) = &trial.outcome.commit {
            self.by_commit.insert((trial.outcome.repo.clone(), commit.clone()), at);
        }
        self.by_lane.entry(trial.outcome.lane.clone()).or_default().push(at);
        self.trials.push(trial);
    }

    /// The trials of a lane, oldest first.
    pub(super) fn of_lane(&self, lane: &str) -> impl Iterator<Item = &Trial> {
        let at = self.by_lane.get(lane).into_iter().flatten();
        at.filter_map(|at| self.trials.get(*at))
    }

    /// All trials, oldest first.
    pub(super) fn trials(&self) -> &[Trial] {
        &self.trials
    }

    /// Fixes of a lane that were validated since a moment and after a record, and how many of them failed.
    pub(super) fn validations(&self, lane: &str, after: Option<usize>, since: Timestamp) -> (usize, usize) {
        let fixes = self.validated.get(lane).into_iter().flat_map(BTreeMap::values);
        let counted = fixes.filter(|(mark, _)| Some(mark.number) > after && mark.at >= since);
        counted.fold((0, 0), |(all, failed), (_, bad)| (all + 1, failed + usize::from(*bad)))
    }
}
