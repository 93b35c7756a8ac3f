//! Facts that show something, made as small as possible.

use std::collections::{BTreeMap, BTreeSet};

use holdpoint_schemas::Timestamp;
use holdpoint_schemas::fact::{Fact, FactRow, FactSet, FactType, FactValue};

use crate::question::Example;

/// Most passes over the facts: each makes it smaller, and two or three are usual.
const MAX_PASSES: usize = 16;

/// What is known, with what a property compares it with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Situation {
    /// Values of what is known.
    pub(crate) facts: BTreeMap<String, FactValue>,
    /// Those of them that are unknown in the other set of facts.
    pub(crate) hidden: BTreeSet<String>,
    /// Evidence that is better in the other set of facts.
    pub(crate) better: BTreeMap<String, FactValue>,
}

impl From<Example> for Situation {
    fn from(example: Example) -> Self {
        let mut facts = example.facts;
        let mut better = BTreeMap::new();
        for (id, worse) in example.worse {
            if let Some(value) = facts.insert(id.clone(), worse.clone())
                && value != worse
            {
                better.insert(id, value);
            }
        }
        Self {
            facts,
            hidden: example.hidden,
            better,
        }
    }
}

impl Situation {
    /// All that is known.
    pub(crate) fn whole(&self) -> FactSet {
        set(&self.facts)
    }

    /// What is known without what is hidden.
    pub(crate) fn fewer(&self) -> FactSet {
        set(self.facts.iter().filter(|(id, _)| !self.hidden.contains(*id)))
    }

    /// What is known, with the better evidence.
    pub(crate) fn improved(&self) -> FactSet {
        let mut facts = self.facts.clone();
        facts.extend(self.better.clone());
        set(&facts)
    }

    /// The same with one fact unknown or, of few values, with another one.
    pub(crate) fn neighbours(&self, row: &FactRow) -> Vec<Self> {
        let values: Vec<FactValue> = match row.fact_type {
            FactType::Bool => vec![true.into(), false.into()],
            FactType::Word(words) => words.iter().map(|word| (*word).into()).collect(),
            FactType::Long | FactType::Text | FactType::Set => Vec::new(),
        };
        let mut unknown = self.clone();
        unknown.facts.remove(row.id);
        let others = values.into_iter().map(|value| {
            let mut other = self.clone();
            other.facts.insert(row.id.to_owned(), value);
            other
        });
        [unknown].into_iter().chain(others).collect()
    }

    /// The smallest that still shows it: greedily, facts are dropped, then values made simpler. `None`
    /// if not even this one shows it.
    pub(crate) fn smallest(mut self, shows: impl Fn(&Self) -> bool) -> Option<Self> {
        if !shows(&self) {
            return None;
        }
        for _ in 0..MAX_PASSES {
            match self.smaller().into_iter().find(&shows) {
                None => break,
                Some(_) => self = self.pass(&shows),
            }
        }
        Some(self)
    }

    /// Takes every step once that still shows it.
    fn pass(&self, shows: &impl Fn(&Self) -> bool) -> Self {
        let mut best = self.clone();
        let ids: Vec<String> = self.facts.keys().cloned().collect();
        for id in &ids {
            for candidate in best.steps(id) {
                if shows(&candidate) {
                    best = candidate;
                    break;
                }
            }
        }
        best
    }

    fn smaller(&self) -> Vec<Self> {
        self.facts.keys().flat_map(|id| self.steps(id)).collect()
    }

    /// Smaller ones that differ in one fact, smallest first.
    fn steps(&self, id: &str) -> Vec<Self> {
        let Some(value) = self.facts.get(id) else {
            return Vec::new();
        };
        let mut steps = vec![self.clone()];
        for step in &mut steps {
            step.facts.remove(id);
            step.hidden.remove(id);
            step.better.remove(id);
        }
        if self.hidden.contains(id) || self.better.contains_key(id) {
            let mut step = self.clone();
            step.hidden.remove(id);
            step.better.remove(id);
            steps.push(step);
        }
        steps.extend(simpler(value).into_iter().map(|value| {
            let mut step = self.clone();
            step.facts.insert(id.to_owned(), value);
            step
        }));
        steps
    }
}

/// Simpler values of the same type, simplest first. A word of a few stays as it is, for it doesn't fit
/// otherwise.
fn simpler(value: &FactValue) -> Vec<FactValue> {
    match value {
        FactValue::Bool(_) => Vec::new(),
        FactValue::Long(number) => {
            let size = number.unsigned_abs();
            let small = [0, 1, 2, 3, 5, 10, 100, 1000];
            let signed = small.into_iter().flat_map(|small: i64| [small, -small]);
            let halves = [number / 2, number - number.signum()];
            signed
                .chain(halves)
                .filter(|other| other.unsigned_abs() < size)
                .map(FactValue::Long)
                .collect()
        }
        FactValue::String(text) => ["", "x"]
            .into_iter()
            .filter(|other| other.len() < text.len() || (*other == "x" && is_strange(text)))
            .map(FactValue::from)
            .collect(),
        FactValue::Set(words) => {
            let without = words.iter().map(|word| {
                let mut fewer = words.clone();
                fewer.remove(word);
                FactValue::Set(fewer)
            });
            let plain = words.iter().filter(|word| is_strange(word)).map(|word| {
                let mut plain = words.clone();
                plain.remove(word);
                plain.insert("x".to_owned());
                FactValue::Set(plain)
            });
            without.chain(plain).collect()
        }
    }
}

/// A text that only a solver would write.
fn is_strange(text: &str) -> bool {
    text != "x" && !text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_. /".contains(&b))
}

/// Facts as the engine takes them.
fn set<'a>(facts: impl IntoIterator<Item = (&'a String, &'a FactValue)>) -> FactSet {
    let mut set = FactSet::new();
    for (id, value) in facts {
        let fact = Fact {
            value: value.clone(),
            source: "a proof's example".to_owned(),
            observed_at: Timestamp::UNIX_EPOCH,
            note: None,
        };
        set.insert(id, fact);
    }
    set
}
