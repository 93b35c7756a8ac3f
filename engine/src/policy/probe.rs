//! Whether knowing more could lift a policy.

use std::collections::BTreeSet;

use cedar_policy::{Authorizer, Entities, PolicySet};
use holdpoint_schemas::fact::{Action, Fact, FactSet, FactType, FactValue};

use super::reads::Literals;
use super::shape;
use super::{Asker, Pack};

/// Most combinations of values that are tried. Above it the answer is "it could".
const MAX_TRIES: usize = 1024;

impl Pack {
    /// Whether some values of the unknown facts that a forbidding policy reads would lift it. If
    /// none would, what is known is why it forbids. It is for the explanation only: the level
    /// doesn't rest on it.
    pub(crate) fn could_be_lifted(&self, id: &str, action: Action, asker: &Asker<'_>, facts: &FactSet) -> bool {
        let found = self
            .policies
            .iter()
            .zip(&self.compiled)
            .find(|(policy, _)| policy.id == id);
        let Some((policy, compiled)) = found else {
            return true;
        };
        let Ok(alone) = PolicySet::from_policies([compiled.policy.clone()]) else {
            return true;
        };
        let unknown: Vec<(&str, Vec<FactValue>)> = policy
            .facts
            .iter()
            .filter(|id| facts.get(id).is_none())
            .filter_map(|id| Some((id.as_str(), probes(self.facts.row(id)?.fact_type, &compiled.literals))))
            .collect();
        let tries = unknown
            .iter()
            .map(|(_, values)| values.len())
            .try_fold(1_usize, usize::checked_mul);
        let Some(tries) = tries.filter(|tries| *tries <= MAX_TRIES) else {
            return true;
        };
        (0..tries).any(|number| {
            let supposed = suppose(facts, &unknown, number);
            self.request(action, asker, &supposed).is_ok_and(|request| {
                let response =
                    shape::with_stack(|| Authorizer::new().is_authorized(&request, &alone, &Entities::empty()));
                let diagnostics = response.diagnostics();
                diagnostics.reason().next().is_none() && diagnostics.errors().next().is_none()
            })
        })
    }
}

/// The facts with the `number`th combination of the unknown ones' values.
fn suppose(facts: &FactSet, unknown: &[(&str, Vec<FactValue>)], mut number: usize) -> FactSet {
    let mut supposed = facts.clone();
    for (id, values) in unknown {
        if let Some(value) = values.get(number % values.len().max(1)) {
            let fact = Fact {
                value: value.clone(),
                source: "supposed".to_owned(),
                observed_at: jiff::Timestamp::UNIX_EPOCH,
                note: None,
            };
            supposed.insert(id, fact);
        }
        number /= values.len().max(1);
    }
    supposed
}

/// Values that make a difference to a policy with these literals: one for each side of each
/// comparison that it can make.
fn probes(fact_type: FactType, literals: &Literals) -> Vec<FactValue> {
    let text = |words: BTreeSet<String>| words.into_iter().map(FactValue::String).collect();
    match fact_type {
        FactType::Bool => vec![true.into(), false.into()],
        FactType::Word(words) => words.iter().map(|word| (*word).into()).collect(),
        FactType::Long => {
            let around = |number: &i64| [number.saturating_sub(1), *number, number.saturating_add(1)];
            let numbers: BTreeSet<i64> = literals.numbers.iter().flat_map(around).chain([0]).collect();
            numbers.into_iter().map(FactValue::Long).collect()
        }
        FactType::Text => text(literals.words.iter().cloned().chain([String::new()]).collect()),
        FactType::Set => {
            let single = literals.words.iter().map(|word| BTreeSet::from([word.clone()]));
            let sets: BTreeSet<BTreeSet<String>> = single.chain([BTreeSet::new(), literals.words.clone()]).collect();
            sets.into_iter().map(FactValue::Set).collect()
        }
    }
}
