//! What kept a level down, in words and in facts.

use std::collections::BTreeSet;

use holdpoint_schemas::Level;
use holdpoint_schemas::decision::{Bound, BoundKind, Cap};
use holdpoint_schemas::fact::{Action, FactReading, FactSet, Unknown};

use crate::policy::{Asker, Effect, Pack, PolicyInfo};
use crate::rollout::LaneChoice;

/// There is nothing to apply.
pub(super) fn no_fix(withholds: Level) -> Bound {
    Bound {
        withholds,
        kind: BoundKind::NoFix,
        id: "no-fix".to_owned(),
        reason: "there is no candidate fix".to_owned(),
        facts: Vec::new(),
        unknowns: Vec::new(),
        unlock: Some("a candidate fix from a remediator or a person".to_owned()),
    }
}

/// Policies that couldn't be evaluated, as (id, why).
pub(super) fn failed(errors: &[(String, String)], withholds: Level) -> Vec<Bound> {
    errors
        .iter()
        .map(|(id, why)| Bound {
            withholds,
            kind: BoundKind::EvaluationError,
            id: id.clone(),
            reason: format!("policy `{id}` couldn't be evaluated, so nothing is permitted: {why}"),
            facts: Vec::new(),
            unknowns: Vec::new(),
            unlock: Some("a policy that can't fail, for example one that doesn't do arithmetic".to_owned()),
        })
        .collect()
}

/// The lane doesn't go that far yet.
pub(super) fn rollout_stage(pack: &Pack, lane: &LaneChoice, withholds: Level, facts: &FactSet) -> Bound {
    let name = lane.lane.as_deref();
    let mut reason = match name {
        Some(name) => format!("rollout lane `{name}` is at stage {}", lane.stage),
        None => format!("no rollout lane takes it, and the default stage is {}", lane.stage),
    };
    let names = |ids: &BTreeSet<String>| ids.iter().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", ");
    if !lane.unknown.is_empty() {
        reason.push_str(&format!(
            "; which lane takes it is open while {} is unknown, and the lowest stage holds",
            names(&lane.unknown)
        ));
    } else if !lane.mixed.is_empty() {
        reason.push_str(&format!(
            "; which lane takes it is open because a lane names only a part of {}, and the lowest stage holds",
            names(&lane.mixed)
        ));
    }
    Bound {
        withholds,
        kind: BoundKind::RolloutStage,
        id: name.unwrap_or("default").to_owned(),
        reason,
        facts: readings(&lane.facts, facts),
        unknowns: unknowns(pack, &lane.unknown, facts),
        unlock: Some(
            "the lane earns a higher stage, or a named person advances it (`holdpoint rollout advance`)".to_owned(),
        ),
    }
}

/// What withholds a level from outside. Alert is the floor, so that nothing withholds it.
pub(super) fn cap(cap: &Cap) -> Bound {
    Bound {
        withholds: cap.withholds.max(Level::Suggest),
        kind: cap.kind,
        id: cap.id.clone(),
        reason: cap.reason.clone(),
        facts: Vec::new(),
        unknowns: Vec::new(),
        unlock: cap.unlock.clone(),
    }
}

/// A denial, and all that it takes to say why.
pub(super) struct Denied<'a> {
    pub(super) pack: &'a Pack,
    pub(super) asker: Asker<'a>,
    pub(super) action: Action,
    pub(super) facts: &'a FactSet,
}

impl Denied<'_> {
    /// One bound for each policy that forbids; without any, that none permits.
    pub(super) fn bounds(&self, policies: &[&PolicyInfo], withholds: Level) -> Vec<Bound> {
        if policies.is_empty() {
            return vec![self.not_permitted(withholds)];
        }
        policies
            .iter()
            .map(|policy| self.forbidden(policy, withholds))
            .collect()
    }

    /// Nothing forbids it and nothing permits it: what the permits would have needed.
    fn not_permitted(&self, withholds: Level) -> Bound {
        let permits: Vec<&PolicyInfo> = self
            .pack
            .policies()
            .iter()
            .filter(|policy| policy.effect == Effect::Permit && policy.actions.contains(&self.action))
            .collect();
        let read: BTreeSet<String> = permits.iter().flat_map(|policy| policy.facts.iter().cloned()).collect();
        let reasons: Vec<&str> = permits.iter().map(|policy| policy.reason.as_str()).collect();
        Bound {
            withholds,
            kind: BoundKind::NoPermit,
            id: "no-permit".to_owned(),
            reason: format!("no policy permits `{}` here", self.action.as_str()),
            facts: readings(&read, self.facts),
            unknowns: unknowns(self.pack, &read, self.facts),
            unlock: (!reasons.is_empty())
                .then(|| format!("it is permitted when this holds: {}", reasons.join("; or: "))),
        }
    }

    fn forbidden(&self, policy: &PolicyInfo, withholds: Level) -> Bound {
        let unknowns = unknowns(self.pack, &policy.facts, self.facts);
        let unknown_is_why = !unknowns.is_empty()
            && self
                .pack
                .could_be_lifted(&policy.id, self.action, &self.asker, self.facts);
        let kind = if unknown_is_why {
            BoundKind::UnknownFact
        } else if policy.facts.iter().any(|id| id.starts_with("evidence.")) {
            BoundKind::Evidence
        } else {
            BoundKind::Policy
        };
        Bound {
            withholds,
            kind,
            id: policy.id.clone(),
            reason: reason(policy, self.facts, if unknown_is_why { &unknowns } else { &[] }),
            facts: readings(&policy.facts, self.facts),
            unknowns,
            unlock: policy.unlock.clone(),
        }
    }
}

/// The policy's reason, with what its facts' sources add: which freeze, which commit, which control.
fn reason(policy: &PolicyInfo, facts: &FactSet, unknowns: &[Unknown]) -> String {
    let notes = policy
        .facts
        .iter()
        .filter_map(|id| facts.get(id)?.note.clone())
        .filter(|note| !note.is_empty());
    let missing = unknowns
        .iter()
        .map(|unknown| format!("`{}` is unknown, {}", unknown.id, unknown.why));
    // Facts of one source often share a note.
    let mut seen = BTreeSet::new();
    let details: Vec<String> = notes
        .chain(missing)
        .filter(|detail| seen.insert(detail.clone()))
        .collect();
    let words = if unknowns.is_empty() {
        &policy.reason
    } else {
        policy.unknown.as_ref().unwrap_or(&policy.reason)
    };
    let sentence = words.trim_end_matches('.');
    if details.is_empty() {
        sentence.to_owned()
    } else {
        format!("{sentence}: {}", details.join("; "))
    }
}

/// One bound for each rule, at the lowest level that it withholds: what withholds a level withholds
/// all above it. Lowest level first, then by kind and id; what waits for checks that haven't run comes after
/// its equals, because the others are why they weren't worth running.
pub(super) fn lowest_first(mut bounds: Vec<Bound>) -> Vec<Bound> {
    let place = |bound: &Bound| (bound.withholds, waits(bound), bound.kind);
    bounds.sort_by(|a, b| place(a).cmp(&place(b)).then_with(|| a.id.cmp(&b.id)));
    let mut seen = BTreeSet::new();
    bounds.retain(|bound| bound.kind == BoundKind::NoPermit || seen.insert((bound.kind, bound.id.clone())));
    bounds
}

/// Whether a check that hasn't run stands behind it.
fn waits(bound: &Bound) -> bool {
    bound.kind == BoundKind::UnknownFact && bound.unknowns.iter().any(|unknown| unknown.id.starts_with("evidence."))
}

fn readings(ids: &BTreeSet<String>, facts: &FactSet) -> Vec<FactReading> {
    ids.iter()
        .map(|id| FactReading {
            id: id.clone(),
            fact: facts.get(id).cloned(),
        })
        .collect()
}

fn unknowns(pack: &Pack, ids: &BTreeSet<String>, facts: &FactSet) -> Vec<Unknown> {
    ids.iter()
        .filter_map(|id| facts.unknown(pack.fact_table(), id))
        .collect()
}
