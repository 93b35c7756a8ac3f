//! What it would take: the smallest sets of fact changes after which a pack permits more, and the
//! fewest facts that show something.
//!
//! [`ways`] looks from what stands in the way. It asks the pack; each policy that forbids says by its
//! condition which changes would lift it; it supposes one of those and asks again, the easiest set of
//! changes first. So it looks at few of the many combinations, and what it returns is Cedar's own
//! answer to the changed facts, whatever was worked out on the way.

mod effort;
mod lift;
mod values;

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

use holdpoint_schemas::fact::{Action, FactSet, FactValue};
use serde::{Deserialize, Serialize};

pub use effort::{Effort, effort};

use crate::policy::{Answer, Asker, Effect, Pack, STACK_BYTES};
use lift::{Changes, Lifter, known, suppose};

/// How far [`ways`] looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most sets of changes.
    pub sets: usize,
    /// Most questions to the pack.
    pub questions: usize,
    /// Most questions to single conditions of policies; they are much cheaper.
    pub tries: usize,
}

impl Default for Limits {
    /// Enough for people, who read about three ways, and within a fraction of a second.
    fn default() -> Self {
        Self {
            sets: 5,
            questions: 500,
            tries: 50_000,
        }
    }
}

/// One fact that would have to be another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FactChange {
    /// Fact id.
    pub id: String,
    /// Its value; `None` while it is unknown.
    pub from: Option<FactValue>,
    /// The value that it would have to have; others may do as well.
    pub to: FactValue,
    /// What it takes to change it.
    pub effort: Effort,
}

/// What it would take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ways {
    /// What is to be permitted.
    pub target: Action,
    /// Sets of changes, each by fact id: after any one of them the pack permits the target. Easiest
    /// first, then smallest. No set's facts hold those of another, and no change of a set can be left
    /// out. One empty set: the pack permits it already. None: no change of facts would do.
    pub sets: Vec<Vec<FactChange>>,
    /// Whether these are all, among the values that the pack's policies tell apart; else the search
    /// ended early or a condition couldn't be worked out.
    pub complete: bool,
}

/// Finds the smallest sets of fact changes after which `pack` permits `target`.
///
/// Pure Cedar, as [`assess`](crate::decide::assess): rollout stages and the clock are apart. Facts are
/// never made unknown (packs are proved not to permit more for it), evidence only becomes as good as
/// it can be (packs are proved not to permit less for it), and of several values that would do for a
/// fact the likeliest is given.
#[must_use]
pub fn ways(pack: &Pack, facts: &FactSet, target: Action, limits: Limits) -> Ways {
    // Conditions nest as deep as the parser lets them, and it has a stack of its own.
    stacker::grow(STACK_BYTES, || Search::new(pack, facts, target, limits).run())
}

/// Where the search stands: worst effort, number of changes, all efforts, how unlikely the values
/// are, and the changes themselves. Adding a change never makes it smaller.
type Step = Reverse<(Option<Effort>, usize, Vec<Effort>, usize, Changes)>;

struct Search<'a> {
    pack: &'a Pack,
    facts: &'a FactSet,
    target: Action,
    limits: Limits,
    lifter: Lifter<'a>,
    queue: BinaryHeap<Step>,
    seen: BTreeSet<Changes>,
}

impl<'a> Search<'a> {
    fn new(pack: &'a Pack, facts: &'a FactSet, target: Action, limits: Limits) -> Self {
        Self {
            pack,
            facts,
            target,
            limits,
            lifter: Lifter::new(pack, target, facts, limits.tries),
            queue: BinaryHeap::new(),
            seen: BTreeSet::new(),
        }
    }

    fn run(mut self) -> Ways {
        let mut found: Vec<Changes> = Vec::new();
        let mut questions = 0_usize;
        self.push(Changes::new());
        while let Some(Reverse((.., changes))) = self.queue.pop() {
            if found
                .iter()
                .any(|fewer| fewer.keys().all(|id| changes.contains_key(id)))
            {
                continue;
            }
            if found.len() >= self.limits.sets || questions >= self.limits.questions {
                self.lifter.cut = true;
                break;
            }
            questions += 1;
            let supposed = suppose(self.facts, &changes);
            match self.pack.evaluate(self.target, &Asker::anyone(), &supposed) {
                Answer::Permitted(_) if self.is_least(&changes) => found.push(changes),
                Answer::Permitted(_) => {}
                Answer::Denied(policies) => {
                    let ids: Vec<&str> = policies.iter().map(|policy| policy.id.as_str()).collect();
                    self.follow(&ids, &changes);
                }
                Answer::Failed(_) => self.lifter.cut = true,
            }
        }
        Ways {
            target: self.target,
            sets: found.iter().map(|changes| self.told(changes)).collect(),
            complete: !self.lifter.cut,
        }
    }

    /// Whether each of the changes is needed. A smaller set that would do was met before this one, unless the
    /// search for it was cut; it is looked at next then.
    fn is_least(&mut self, changes: &Changes) -> bool {
        let mut is_least = true;
        for left_out in changes.keys() {
            let mut fewer = changes.clone();
            fewer.remove(left_out);
            let answer = self
                .pack
                .evaluate(self.target, &Asker::anyone(), &suppose(self.facts, &fewer));
            if let Answer::Permitted(_) = answer {
                is_least = false;
                self.push(fewer);
            }
        }
        is_least
    }

    /// Goes on from where these policies forbid, or where none permits. All of them have to be lifted, so one is
    /// enough to go on from: the one that leaves the least choice.
    fn follow(&mut self, forbids: &[&str], changes: &Changes) {
        let steps = if forbids.is_empty() {
            self.permits(changes)
        } else {
            let all = forbids.iter().map(|id| self.lifter.steps(id, false, changes));
            all.min_by_key(Vec::len).unwrap_or_default()
        };
        for step in steps {
            self.push(
                changes
                    .iter()
                    .chain(&step)
                    .map(|(id, value)| (id.clone(), value.clone()))
                    .collect(),
            );
        }
    }

    fn permits(&mut self, changes: &Changes) -> Vec<Changes> {
        let policies = self.pack.policies().iter();
        let permits =
            policies.filter(|policy| policy.effect == Effect::Permit && policy.actions.contains(&self.target));
        permits
            .flat_map(|policy| self.lifter.steps(&policy.id, true, changes))
            .collect()
    }

    fn push(&mut self, changes: Changes) {
        if !self.seen.insert(changes.clone()) {
            return;
        }
        let mut efforts: Vec<Effort> = changes.keys().map(|id| self.effort(id)).collect();
        efforts.sort_unstable_by(|a, b| b.cmp(a));
        let unlikely = changes.iter().map(|(id, value)| self.lifter.place(id, value)).sum();
        let step = (efforts.first().copied(), changes.len(), efforts, unlikely, changes);
        self.queue.push(Reverse(step));
    }

    fn effort(&self, id: &str) -> Effort {
        effort(id, known(self.pack, self.facts, id))
    }

    fn told(&self, changes: &Changes) -> Vec<FactChange> {
        let told = changes.iter().map(|(id, to)| FactChange {
            id: id.clone(),
            from: known(self.pack, self.facts, id).cloned(),
            to: to.clone(),
            effort: self.effort(id),
        });
        told.collect()
    }
}

#[cfg(test)]
mod tests;
