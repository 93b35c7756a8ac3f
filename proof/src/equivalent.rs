//! Whether a mutant of a policy means the same.

use std::collections::BTreeSet;

use holdpoint_engine::decide::assess;
use holdpoint_engine::policy::{Effect, Pack, PolicyInfo};
use holdpoint_schemas::fact::{Action, FactSet};

use crate::counterexample::Counterexample;
use crate::formula::{Formula, View, and, any, not};
use crate::prover::{Prover, outcome, permits, worst};
use crate::situation::Situation;
use crate::solver::Solver;
use crate::verify::Outcome;

/// Whether two packs that differ in the policy `id` give the same results as far as a case can tell. For
/// a forbid: it applies to the same facts under each action. For a permit: the packs give the same answer
/// under each action. If the policy is in one pack only, or permits in one and forbids in the other,
/// both must hold.
pub async fn equivalent_policy(solver: &Solver, original: &Pack, mutant: &Pack, id: &str) -> Outcome {
    let provers = async {
        if original.policy(id).is_none() && mutant.policy(id).is_none() {
            return Err(format!("there is no policy `{id}`"));
        }
        if original.without(id).digest() != mutant.without(id).digest() {
            return Err(format!("the packs differ in more than the policy `{id}`"));
        }
        Ok((
            Prover::checked(solver, original).await?,
            Prover::checked(solver, mutant).await?,
        ))
    };
    let pair = match provers.await {
        Ok((original, mutant)) => Pair { original, mutant, id },
        Err(why) => return Outcome::Inconclusive(why),
    };
    let mut outcomes = Vec::new();
    let [as_permit, as_forbid] = [Effect::Permit, Effect::Forbid].map(|effect| pair.has(effect));
    for action in pair.actions(as_permit) {
        if as_forbid {
            outcomes.push(pair.applies_alike(action).await);
        }
        if as_permit {
            outcomes.push(pair.answers_alike(action).await);
        }
        if outcomes.iter().any(|outcome| matches!(outcome, Outcome::Refuted(_))) {
            break;
        }
    }
    worst(outcomes)
}

struct Pair<'a> {
    original: Prover<'a>,
    mutant: Prover<'a>,
    id: &'a str,
}

impl Pair<'_> {
    fn policies(&self) -> impl Iterator<Item = &PolicyInfo> {
        let packs = [self.original.pack, self.mutant.pack];
        packs.into_iter().filter_map(|pack| pack.policy(self.id))
    }

    fn has(&self, effect: Effect) -> bool {
        self.policies().any(|policy| policy.effect == effect)
    }

    /// The actions under which the two may differ. Whether a forbid applies is the same under each of
    /// its actions, so that one will do if both have the same.
    fn actions(&self, as_permit: bool) -> Vec<Action> {
        let all: BTreeSet<Action> = self.policies().flat_map(|policy| policy.actions.clone()).collect();
        let both: Vec<&BTreeSet<Action>> = self.policies().map(|policy| &policy.actions).collect();
        let is_same = both.len() == 2 && both.first() == both.last();
        let enough = if is_same && !as_permit { 1 } else { all.len() };
        all.into_iter().take(enough).collect()
    }

    /// As a forbid, the policy applies to the same facts.
    async fn applies_alike(&self, action: Action) -> Outcome {
        let applies = |prover: &Prover<'_>| {
            let is_it = |id: &str| id == self.id;
            prover.conditions.some_of(Effect::Forbid, action, View::Whole, is_it)
        };
        let shows = |facts: &_| {
            let of = |pack: &Pack| {
                let forbids = pack
                    .policy(self.id)
                    .is_some_and(|policy| policy.effect == Effect::Forbid);
                forbids && pack.applies(self.id, action, facts) == Some(true)
            };
            of(self.original.pack) != of(self.mutant.pack)
        };
        let reads = self
            .policies()
            .flat_map(|policy| policy.facts.iter().map(String::as_str));
        let formulas = [applies(&self.original), applies(&self.mutant)];
        self.alike(action, reads.collect(), formulas, shows).await
    }

    /// The packs give the same answer.
    async fn answers_alike(&self, action: Action) -> Outcome {
        let answers = |prover: &Prover<'_>| prover.conditions.permits(action, View::Whole);
        let shows = |facts: &_| permits(self.original.pack, action, facts) != permits(self.mutant.pack, action, facts);
        let reads = self.original.conditions.reads(action).into_iter();
        let reads = reads.chain(self.mutant.conditions.reads(action));
        let formulas = [answers(&self.original), answers(&self.mutant)];
        self.alike(action, reads.collect(), formulas, shows).await
    }

    async fn alike(
        &self,
        action: Action,
        reads: BTreeSet<&str>,
        [original, mutant]: [Result<Formula, String>; 2],
        shows: impl Fn(&FactSet) -> bool,
    ) -> Outcome {
        let question = || {
            self.original.may_rest_on(action)?;
            self.mutant.may_rest_on(action)?;
            let (original, mutant) = (original?, mutant?);
            Ok::<_, String>(any(vec![
                and(original.clone(), not(mutant.clone())),
                and(mutant, not(original)),
            ]))
        };
        let formula = match question() {
            Ok(formula) => formula,
            Err(why) => return Outcome::Inconclusive(why),
        };
        let answer = self.original.can_be(reads, View::Whole, formula).await;
        outcome(
            answer,
            |situation: &Situation| shows(&situation.whole()),
            |situation| {
                let right = assess(self.original.pack, &situation.whole());
                Counterexample::otherwise(situation, action, &right)
            },
        )
    }
}
