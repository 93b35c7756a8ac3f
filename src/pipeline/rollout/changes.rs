//! What follows from what is on record: stages that change, breakers that trip; and whom an outcome is about.

use anyhow::Result;
use holdpoint_engine::rollout::{AUTOMATION, lane_for, subjects};
use holdpoint_ledger::Ledger;
use holdpoint_schemas::decision::Decision;
use holdpoint_schemas::fact::FactSet;
use holdpoint_schemas::fact::keys::service;
use holdpoint_schemas::fix::Fix;
use holdpoint_schemas::order::Order;
use holdpoint_schemas::outcome::{OutcomeKind, OutcomeRecord};
use holdpoint_schemas::rollout::{DEFAULT_LANE, Halt, HaltScope, Record, Rollout, StageChange};
use holdpoint_schemas::service::ServiceId;
use holdpoint_schemas::{Digest, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

use super::standing::Standing;
use crate::failure::BadInput;
use crate::pipeline::history::History;
use crate::pipeline::record::{HALT, STAGE};

/// What changed by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    /// Lanes that went to another stage.
    pub stages: Vec<StageChange>,
    /// What circuit breakers halted.
    pub halts: Vec<Halt>,
}

impl Changes {
    /// Both.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.stages.extend(other.stages);
        self.halts.extend(other.halts);
        self
    }

    /// One sentence for each.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let stage = |change: &StageChange| {
            let did = if change.to < change.from { "lowered" } else { "promoted" };
            format!(
                "lane `{}` is {did} from {} to {}: {}",
                change.lane, change.from, change.to, change.reason
            )
        };
        let halt = |halt: &Halt| match &halt.scope {
            HaltScope::Estate => format!("everything is halted: {}", halt.reason),
            HaltScope::Remediator(remediator) => format!("what `{remediator}` makes is halted: {}", halt.reason),
        };
        self.stages
            .iter()
            .map(stage)
            .chain(self.halts.iter().map(halt))
            .collect()
    }

    /// Whether nothing changed.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.stages.is_empty() && self.halts.is_empty()
    }
}

/// Which way lanes may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Demotions and halts: as soon as what calls for them is on record.
    Down,
    /// Promotions: once all that lowers is on record.
    Up,
}

/// Records what is due one way. The next reading of the ledger has it.
///
/// # Errors
/// When the ledger can't be written.
pub fn apply(ledger: &mut Ledger, file: &Rollout, standing: &Standing, way: Way, at: Timestamp) -> Result<Changes> {
    let mut changes = Changes::default();
    if way == Way::Down {
        for halt in standing.state.halts_due() {
            ledger.append(HALT, at, &Order::own(Record::Halt(halt.clone())))?;
            changes.halts.push(halt);
        }
    }
    for change in standing.state.changes_due(file, at) {
        if (change.to < change.from) == (way == Way::Down) {
            ledger.append(STAGE, at, &Order::own(Record::Stage(change.clone())))?;
            changes.stages.push(change);
        }
    }
    Ok(changes)
}

/// What an outcome of a fix says of the fix itself; kind, time and the rest are the caller's. `facts`: as they were when
/// it was decided.
#[must_use]
pub fn about(file: &Rollout, fix: &Fix, facts: &FactSet, services: BTreeSet<ServiceId>) -> OutcomeRecord {
    let lane = lane_for(file, facts, &fix.remediator).lane;
    OutcomeRecord {
        slice: lane.as_ref().and_then(|lane| file.lane(lane)?.slice()),
        lane: lane.unwrap_or_else(|| DEFAULT_LANE.to_owned()),
        fix: fix.id.clone(),
        repo: fix.repo.clone(),
        branch: fix.target_branch.clone(),
        commit: None,
        remediator: fix.remediator.clone(),
        services,
        environment: facts.value(service::ENVIRONMENT).map(str::to_owned),
        subjects: subjects(fix),
        kind: OutcomeKind::Merged,
        at: Timestamp::UNIX_EPOCH,
        by: AUTOMATION.to_owned(),
        reference: None,
        reason: String::new(),
    }
}

/// The newest decision about a fix.
#[must_use]
pub fn decision_on<'h>(history: &'h History, fix: &Digest) -> Option<&'h Decision> {
    history
        .decisions
        .values()
        .filter(|decision| decision.fix.as_ref() == Some(fix))
        .max_by_key(|decision| (decision.at, decision.phase))
}

/// What is on record of the fix that a person names by its id, or by a commit of its merge, or the beginning of one.
///
/// # Errors
/// When there is none, or several.
pub fn named(history: &History, file: &Rollout, id: &str, shortest: usize) -> Result<OutcomeRecord> {
    let id = id.trim().to_ascii_lowercase();
    if id.len() < shortest {
        return Err(BadInput::new(
            format!("`{id}` is too short to name a fix"),
            format!("write at least {shortest} characters of its id, or of the merge's commit"),
        )
        .into());
    }
    let mut found: BTreeMap<&Digest, Option<&str>> = BTreeMap::new();
    for fix in history.fixes.keys().filter(|fix| fix.as_str().starts_with(&id)) {
        found.insert(fix, None);
    }
    for merge in history.merges.values() {
        if merge.fix.as_str().starts_with(&id) || merge.commit.starts_with(&id) {
            found.insert(&merge.fix, Some(&merge.commit));
        }
    }
    let (fix, commit) = match found.into_iter().collect::<Vec<_>>().as_slice() {
        [(fix, commit)] => (*fix, *commit),
        [] => {
            return Err(BadInput::new(
                format!("no fix and no merge `{id}` is on record"),
                "a merge's message names its fix (`Holdpoint-Fix`); `holdpoint ledger log` lists merges",
            )
            .into());
        }
        several => {
            let ids: Vec<&str> = several.iter().map(|(fix, _)| fix.short()).collect();
            return Err(BadInput::new(
                format!("`{id}` may be any of {} fixes", several.len()),
                format!("name one of: {}", ids.join(", ")),
            )
            .into());
        }
    };
    // The lane that it was in when it was merged, whatever the file says by now.
    let merged = |outcome: &&OutcomeRecord| outcome.fix == *fix && outcome.kind == OutcomeKind::Merged;
    if let Some(known) = history.rollout.outcomes().filter(merged).last() {
        return Ok(known.clone());
    }
    let known = history.fixes.get(fix).zip(decision_on(history, fix));
    let Some((fix, decision)) = known else {
        return Err(BadInput::new(
            format!("nothing was decided about fix {} yet", fix.short()),
            "`holdpoint run` decides",
        )
        .into());
    };
    Ok(OutcomeRecord {
        commit: commit.map(str::to_owned),
        ..about(file, fix, &decision.facts, [decision.service.clone()].into())
    })
}
