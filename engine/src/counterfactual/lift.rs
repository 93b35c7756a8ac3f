//! What would make one policy apply, or no longer apply.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use holdpoint_schemas::fact::{Action, Fact, FactSet, FactValue};

use super::values::alternatives;
use crate::policy::{Atom, Condition, Literals, Pack};

/// Most ways to change one condition that are followed up.
const MAX_LIFTS: usize = 64;

/// New values of facts, by id.
pub(super) type Changes = BTreeMap<String, FactValue>;

/// The facts with changes.
pub(super) fn suppose(facts: &FactSet, changes: &Changes) -> FactSet {
    let mut supposed = facts.clone();
    insert(&mut supposed, changes.iter());
    supposed
}

fn insert<'a>(facts: &mut FactSet, values: impl Iterator<Item = (&'a String, &'a FactValue)>) {
    for (id, value) in values {
        let fact = Fact {
            value: value.clone(),
            source: "supposed".to_owned(),
            observed_at: jiff::Timestamp::UNIX_EPOCH,
            note: None,
        };
        facts.insert(id, fact);
    }
}

/// Works out changes of conditions by their structure: the parts of `&&` together, those of `||` one
/// by one, and only what has no connective by trying values.
pub(super) struct Lifter<'a> {
    pack: &'a Pack,
    action: Action,
    facts: &'a FactSet,
    /// Conditions of the action's policies, by id.
    conditions: BTreeMap<&'a str, Rc<Condition>>,
    /// What each fact could be instead, by id.
    alternatives: BTreeMap<String, Vec<FactValue>>,
    /// How often an atom may still be asked.
    left: usize,
    /// Whether something was left out, so that there may be more ways.
    pub(super) cut: bool,
}

impl<'a> Lifter<'a> {
    pub(super) fn new(pack: &'a Pack, action: Action, facts: &'a FactSet, tries: usize) -> Self {
        let mut cut = false;
        let mut conditions = BTreeMap::new();
        for policy in pack.policies().iter().filter(|policy| policy.actions.contains(&action)) {
            match pack.condition(&policy.id) {
                Some(condition) => drop(conditions.insert(policy.id.as_str(), Rc::new(condition))),
                None => cut = true,
            }
        }
        let mut literals: BTreeMap<String, Literals> = BTreeMap::new();
        for condition in conditions.values() {
            condition.atoms(&mut |atom| {
                for id in &atom.facts {
                    let all = literals.entry(id.clone()).or_default();
                    all.numbers.extend(&atom.literals.numbers);
                    all.words.extend(atom.literals.words.iter().cloned());
                }
            });
        }
        let alternatives = literals
            .into_iter()
            .filter_map(|(id, literals)| {
                let row = pack.fact_table().row(&id)?;
                let current = known(pack, facts, &id);
                let values = alternatives(row, &literals, current);
                Some((id, values))
            })
            .collect();
        Self {
            pack,
            action,
            facts,
            conditions,
            alternatives,
            left: tries,
            cut,
        }
    }

    /// Which of the fact's alternatives `value` is: the lower the likelier.
    pub(super) fn place(&self, id: &str, value: &FactValue) -> usize {
        let values = self.alternatives.get(id);
        values
            .and_then(|values| values.iter().position(|other| other == value))
            .unwrap_or_default()
    }

    #[cfg(test)]
    pub(super) fn alternatives(&self) -> &BTreeMap<String, Vec<FactValue>> {
        &self.alternatives
    }

    /// What to change, beside `state`, on the way to where the policy `id` applies (or doesn't). Any set of
    /// changes that gets there with `state` in it holds one of these.
    pub(super) fn steps(&mut self, id: &str, applies: bool, state: &Changes) -> Vec<Changes> {
        let Some(condition) = self.conditions.get(id).cloned() else {
            self.cut = true;
            return Vec::new();
        };
        let mut steps = self.lift(&condition, applies, state);
        steps.retain(|step| !step.is_empty());
        steps
    }

    /// Changes of facts that `state` doesn't change already, after which the condition is `want`.
    fn lift(&mut self, condition: &Condition, want: bool, state: &Changes) -> Vec<Changes> {
        match condition {
            Condition::Not(inner) => self.lift(inner, !want, state),
            Condition::All(parts) if want => self.each(parts, want, state),
            Condition::Any(parts) if !want => self.each(parts, want, state),
            Condition::All(parts) | Condition::Any(parts) => {
                let mut lifts = Vec::new();
                for part in parts {
                    lifts.extend(self.lift(part, want, state));
                }
                self.smallest(lifts)
            }
            Condition::If(parts) => {
                let [when, then, otherwise] = parts.as_ref();
                let mut lifts = self.both((when, true), (then, want), state);
                lifts.extend(self.both((when, false), (otherwise, want), state));
                self.smallest(lifts)
            }
            Condition::Atom(atom) => self.atom(atom, want, state),
        }
    }

    /// All parts at once, with one value for each fact.
    fn each(&mut self, parts: &[Condition], want: bool, state: &Changes) -> Vec<Changes> {
        let mut lifts = vec![Changes::new()];
        for part in parts {
            lifts = self.extend(&lifts, part, want, state);
        }
        lifts
    }

    fn both(&mut self, first: (&Condition, bool), second: (&Condition, bool), state: &Changes) -> Vec<Changes> {
        let lifts = self.lift(first.0, first.1, state);
        self.extend(&lifts, second.0, second.1, state)
    }

    fn extend(&mut self, lifts: &[Changes], part: &Condition, want: bool, state: &Changes) -> Vec<Changes> {
        let mut extended = Vec::new();
        for lift in lifts {
            let state: Changes = state.iter().chain(lift).map(pair).collect();
            for more in self.lift(part, want, &state) {
                extended.push(lift.iter().chain(&more).map(pair).collect());
            }
        }
        self.smallest(extended)
    }

    /// Tries values, of one fact before those of two.
    fn atom(&mut self, atom: &Atom, want: bool, state: &Changes) -> Vec<Changes> {
        let free: Vec<&String> = atom.facts.iter().filter(|id| !state.contains_key(*id)).collect();
        let mut tried = vec![Changes::new()];
        let mut lifts: Vec<Changes> = Vec::new();
        for _ in 0..=free.len() {
            let mut larger: BTreeSet<Changes> = BTreeSet::new();
            for changes in tried {
                if lifts.iter().any(|lift| is_within(lift, &changes)) {
                    continue;
                }
                let Some(left) = self.left.checked_sub(1) else {
                    self.cut = true;
                    return lifts;
                };
                self.left = left;
                if self.holds(atom, state, &changes) == Some(want) {
                    lifts.push(changes);
                    continue;
                }
                for id in &free {
                    // Facts in order, so that each combination is met once.
                    if changes.keys().next_back().is_some_and(|last| last >= *id) {
                        continue;
                    }
                    for value in self.alternatives.get(*id).into_iter().flatten() {
                        let mut more = changes.clone();
                        more.insert((*id).clone(), value.clone());
                        larger.insert(more);
                    }
                }
            }
            tried = larger.into_iter().collect();
        }
        lifts
    }

    fn holds(&self, atom: &Atom, state: &Changes, changes: &Changes) -> Option<bool> {
        let mut facts = FactSet::new();
        let value = |id: &'_ String| {
            let changed = changes.get(id).or_else(|| state.get(id));
            changed.or_else(|| known(self.pack, self.facts, id)).cloned()
        };
        let values: Vec<(&String, FactValue)> = atom.facts.iter().filter_map(|id| Some((id, value(id)?))).collect();
        insert(&mut facts, values.iter().map(|(id, value)| (*id, value)));
        self.pack.holds(self.action, atom, &facts)
    }

    /// Those that hold no other, smallest first; of the many only the first.
    fn smallest(&mut self, mut lifts: Vec<Changes>) -> Vec<Changes> {
        lifts.sort_by(|a, b| (a.len(), a).cmp(&(b.len(), b)));
        let mut smallest: Vec<Changes> = Vec::new();
        for lift in lifts {
            if !smallest.iter().any(|other| is_within(other, &lift)) {
                smallest.push(lift);
            }
        }
        if smallest.len() > MAX_LIFTS {
            smallest.truncate(MAX_LIFTS);
            self.cut = true;
        }
        smallest
    }
}

fn pair((id, value): (&String, &FactValue)) -> (String, FactValue) {
    (id.clone(), value.clone())
}

/// Whether each of the first changes is among the second.
fn is_within(few: &Changes, many: &Changes) -> bool {
    few.iter().all(|(id, value)| many.get(id) == Some(value))
}

/// The value that policies see: none of another type than the row's.
pub(super) fn known<'f>(pack: &Pack, facts: &'f FactSet, id: &str) -> Option<&'f FactValue> {
    let row = pack.fact_table().row(id)?;
    facts
        .get(id)
        .map(|fact| &fact.value)
        .filter(|value| row.fact_type.accepts(value))
}
