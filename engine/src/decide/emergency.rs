//! What no emergency lifts, whatever a pack says.

use holdpoint_schemas::Level;
use holdpoint_schemas::decision::{Bound, BoundKind};
use holdpoint_schemas::evidence::Check;
use holdpoint_schemas::fact::{FactReading, FactSet, FactValue, keys};

use crate::policy::Pack;

/// Checks without which nothing is merged, emergency or not.
const NEEDED: [Check; 4] = [Check::Build, Check::Test, Check::Contract, Check::Rescan];

/// What must be known to be so, and why nothing is merged otherwise.
const MUST_BE: [(&str, bool, &str); 4] = [
    (
        keys::service::KNOWN.id(),
        true,
        "an emergency lifts no unknown: no catalogue describes what would change",
    ),
    (
        keys::change::REVERTS_BREAK_GLASS.id(),
        false,
        "an emergency doesn't undo what another person changed by hand in one",
    ),
    (
        keys::change::TOUCHES_COMPENSATING_CONTROL.id(),
        false,
        "an emergency takes no compensating control away",
    ),
    (
        keys::change::TOUCHES_HANDS_OFF.id(),
        false,
        "an emergency doesn't touch what a person asked automation to leave alone",
    ),
];

/// What withholds a merge that rests on an emergency override; nothing where there is none. A policy that says more
/// than these is heard besides: an override is a fact, and lifts only the rules that ask for it.
pub(super) fn bounds(pack: &Pack, facts: &FactSet) -> Vec<Bound> {
    if facts.value(keys::approval::EMERGENCY) != Some(true) {
        return Vec::new();
    }
    let bound = |id: &str, kind: BoundKind, reason: String| Bound {
        withholds: Level::AutoApply,
        kind,
        id: format!("no-emergency/{id}"),
        reason,
        facts: vec![FactReading {
            id: id.to_owned(),
            fact: facts.get(id).cloned(),
        }],
        unknowns: facts.unknown(pack.fact_table(), id).into_iter().collect(),
        unlock: None,
    };
    let mut bounds: Vec<Bound> = MUST_BE
        .into_iter()
        .filter(|(id, wanted, _)| facts.get(id).is_none_or(|fact| fact.value != FactValue::Bool(*wanted)))
        .map(|(id, _, reason)| bound(id, BoundKind::Policy, reason.to_owned()))
        .collect();
    bounds.extend(Check::ALL.into_iter().filter_map(|check| {
        let id = check.fact_id();
        let why = match facts.get(id).map(|fact| &fact.value) {
            Some(FactValue::String(verdict)) if verdict == "failed" => "failed",
            Some(_) => return None,
            None if NEEDED.contains(&check) => "hasn't run",
            None => return None,
        };
        Some(bound(
            id,
            BoundKind::Evidence,
            format!("an emergency lifts no evidence: the {check} check {why}"),
        ))
    }));
    bounds
}
