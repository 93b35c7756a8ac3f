//! What withholds a level of one fix besides policies, facts and the lane's stage.

use holdpoint_schemas::actor::Remediator;
use holdpoint_schemas::decision::{BoundKind, Cap};
use holdpoint_schemas::fact::{FactSet, FactTable, FactValue};
use holdpoint_schemas::finding::RepoFinding;
use holdpoint_schemas::fix::Fix;
use holdpoint_schemas::rollout::{Halt, HaltScope, Lane, LaneState, Ratio, Rollout};
use holdpoint_schemas::{Level, Timestamp};

use super::soak::{Soaked, soaked, subjects};
use super::state::RolloutState;
use super::{canary, lane_for, window};

/// What a cap is about.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// The finding.
    pub finding: &'a RepoFinding,
    /// The fix; without one there is nothing to withhold.
    pub fix: Option<&'a Fix>,
    /// What is known.
    pub facts: &'a FactSet,
    /// The table that says how long facts hold: stale ones are unknown.
    pub table: &'a FactTable,
}

/// Halts, shadow, canary, soak and windows that withhold a level of a fix at `now`. Budgets are apart ([`super::admit`]).
///
/// Where it is open which lane takes the fix, what any of those lanes withholds is withheld: knowing less never gives
/// more. What can't be told (the ring, a zone) withholds.
#[must_use]
pub fn caps(file: &Rollout, state: &RolloutState, candidate: &Candidate<'_>, now: Timestamp) -> Vec<Cap> {
    let Some(fix) = candidate.fix else {
        return Vec::new();
    };
    let mut facts = candidate.facts.clone();
    facts.expire(candidate.table, now);
    let mut caps = halts(state, &fix.remediator);
    for name in lane_for(file, &facts, &fix.remediator).open {
        if let (Some(lane), Some(standing)) = (file.lane(&name), state.lane(&name)) {
            caps.extend(shadow(lane, standing));
            caps.extend(in_canary(lane, standing, &candidate.finding.id()));
            caps.extend(soak(file, state, lane, fix, &facts, now));
            caps.extend(in_window(lane, now));
        }
    }
    caps
}

fn halts(state: &RolloutState, remediator: &Remediator) -> Vec<Cap> {
    let cap = |halt: &Halt, id: &str, what: String| Cap {
        withholds: Level::Suggest,
        kind: BoundKind::CircuitBreaker,
        id: id.to_owned(),
        reason: format!("{what} is halted by {} since {}: {}", halt.by, halt.at, halt.reason),
        unlock: Some("a named person resumes it (`holdpoint rollout resume`)".to_owned()),
    };
    let estate = state.halted.get(&HaltScope::Estate);
    let remediators = state.halted.get(&HaltScope::Remediator(remediator.clone()));
    estate
        .map(|halt| cap(halt, "estate", "the estate".to_owned()))
        .into_iter()
        .chain(remediators.map(|halt| cap(halt, &remediator.0, format!("remediator `{remediator}`"))))
        .collect()
}

fn shadow(lane: &Lane, standing: &LaneState) -> Option<Cap> {
    let below = standing.stage.previous().filter(|_| lane.shadow)?;
    Some(Cap {
        withholds: standing.stage,
        kind: BoundKind::Shadow,
        id: lane.name.clone(),
        reason: format!(
            "rollout lane `{}` is in shadow mode: it decides as at stage {} and acts as at {below}",
            lane.name, standing.stage
        ),
        unlock: Some("`shadow` is taken out of the lane in the estate's rollout file".to_owned()),
    })
}

fn in_canary(lane: &Lane, standing: &LaneState, finding: &str) -> Option<Cap> {
    let canary = lane.canary.as_ref()?;
    if standing.canary == Ratio::ONE || canary::holds(&lane.name, finding, standing.canary) {
        return None;
    }
    Some(Cap {
        withholds: Level::AutoApply,
        kind: BoundKind::Canary,
        id: lane.name.clone(),
        reason: format!(
            "rollout lane `{}` auto-applies {} of its fixes, and this one isn't among them",
            lane.name, standing.canary
        ),
        unlock: Some(match canary.shares.last() {
            Some(last) if *last > standing.canary => {
                format!("{} more fixes of the lane survive without a failure", canary.outcomes)
            }
            _ => "a larger canary share in the estate's rollout file".to_owned(),
        }),
    })
}

fn soak(file: &Rollout, state: &RolloutState, lane: &Lane, fix: &Fix, facts: &FactSet, now: Timestamp) -> Option<Cap> {
    let days = lane.soak_days?;
    let environment = facts.get("service.environment").and_then(|fact| match &fact.value {
        FactValue::String(name) => Some(name.as_str()),
        _ => None,
    });
    let (reason, unlock) = match soaked(&file.rings, environment, &subjects(fix), days, &state.track, now) {
        Soaked::Yes => return None,
        Soaked::Unknown => {
            let ring = environment.map_or("the environment is unknown".to_owned(), |name| {
                format!("`{name}` is none of the rings")
            });
            let rings = file.rings.join(", ");
            (
                format!("{ring}, so it can't be told whether it has soaked"),
                format!("an environment that is one of the rings ({rings})"),
            )
        }
        Soaked::Missing { ring, subjects } => {
            let what = subjects.join(", ");
            (
                format!("{what} hasn't been in `{ring}` for {days} days without trouble"),
                format!("{what} is merged in `{ring}` and stands for {days} days"),
            )
        }
    };
    Some(Cap {
        withholds: Level::AutoApply,
        kind: BoundKind::Soak,
        id: lane.name.clone(),
        reason,
        unlock: Some(unlock),
    })
}

fn in_window(lane: &Lane, now: Timestamp) -> Option<Cap> {
    if lane.windows.is_empty() || window::is_open(&lane.windows, now) {
        return None;
    }
    let windows: Vec<String> = lane
        .windows
        .iter()
        .map(|window| format!("{} to {} {}", window.from, window.to, window.zone))
        .collect();
    Some(Cap {
        withholds: Level::AutoApply,
        kind: BoundKind::Window,
        id: lane.name.clone(),
        reason: format!(
            "rollout lane `{}` auto-applies from {} only",
            lane.name,
            windows.join(" and ")
        ),
        unlock: Some("a run within its window".to_owned()),
    })
}
