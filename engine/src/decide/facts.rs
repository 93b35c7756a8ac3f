//! The facts that a decision is asked about: what is known, not stale, and the evidence.

use holdpoint_schemas::evidence::{Check, Isolation};
use holdpoint_schemas::fact::{Fact, FactSet, FactValue};

use super::Question;
use crate::policy::Pack;

/// What a check that hasn't run counts as.
#[derive(Clone, Copy)]
pub(super) enum Pending<'a> {
    /// Unknown.
    Unknown,
    /// These have the best value that they can have; the others are unknown.
    BestFor(&'a [Check]),
}

/// Checks that haven't run, in running order.
pub(super) fn pending(question: &Question<'_>) -> Vec<Check> {
    let ran = |check: &Check| question.evidence.is_some_and(|e| e.checks.contains_key(check));
    Check::ALL.into_iter().filter(|check| !ran(check)).collect()
}

/// How isolated the sandbox was. Of one that is still to run it is assumed to be the best, as long as a
/// check is assumed to run at all.
fn insert_isolation(pack: &Pack, question: &Question<'_>, pending: Pending<'_>, facts: &mut FactSet) {
    let fact = |value: &str, source: &str| Fact {
        value: value.into(),
        source: source.to_owned(),
        observed_at: question.now,
        note: None,
    };
    let best = pack
        .fact_table()
        .row(Isolation::FACT_ID)
        .and_then(|row| row.evidence_order.last());
    match (question.evidence, pending, best) {
        (Some(evidence), _, _) if !evidence.checks.is_empty() => {
            let mut known = fact(evidence.isolation.as_str(), "the sandbox");
            known.note = Some(evidence.sandbox.clone());
            facts.insert(Isolation::FACT_ID, known);
        }
        (_, Pending::BestFor(checks), Some(best)) if !checks.is_empty() => {
            facts.insert(Isolation::FACT_ID, fact(best, "assumed at triage"));
        }
        _ => facts.insert_unknown(Isolation::FACT_ID, "nothing has run in a sandbox"),
    }
}

/// The question's facts at its moment, with one `evidence` fact for each check.
pub(super) fn with_evidence(pack: &Pack, question: &Question<'_>, pending: Pending<'_>) -> FactSet {
    let mut facts = question.facts.clone();
    // Evidence comes from the runner alone: a collector can't vouch for a check.
    let claimed: Vec<String> = facts
        .known()
        .map(|(id, _)| id.to_owned())
        .filter(|id| id.starts_with("evidence."))
        .collect();
    for id in claimed {
        facts.insert_unknown(&id, "only a sandbox run can supply it");
    }
    facts.expire(pack.fact_table(), question.now);
    for check in Check::ALL {
        let fact = |value: FactValue, source: String, note: Option<String>| Fact {
            value,
            source,
            observed_at: question.now,
            note,
        };
        let id = check.fact_id();
        let result = question.evidence.and_then(|evidence| evidence.checks.get(&check));
        match (result, pending) {
            (Some(result), _) => facts.insert(
                id,
                fact(
                    result.verdict.as_str().into(),
                    format!("the {check} check"),
                    Some(result.reason.clone()),
                ),
            ),
            (None, Pending::BestFor(checks)) if checks.contains(&check) => {
                match pack.fact_table().row(id).and_then(|row| row.evidence_order.last()) {
                    Some(best) => facts.insert(id, fact((*best).into(), "assumed at triage".to_owned(), None)),
                    None => facts.insert_unknown(id, "it has no best value"),
                }
            }
            (None, _) => facts.insert_unknown(id, format!("the {check} check hasn't run")),
        }
    }
    insert_isolation(pack, question, pending, &mut facts);
    facts
}
