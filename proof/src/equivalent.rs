//! Whether a mutant of a policy means the same.

use holdpoint_engine::decide::assess;
use holdpoint_engine::policy::{Effect, Pack};
use holdpoint_schemas::fact::Action;

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
        Ok::<_, String>((
            Prover::checked(solver, original).await?,
            Prover::checked(solver, mutant).await?,
        ))
    };
    let pair = match provers.await {
        Ok((original, mutant)) => Pair { original, mutant, id },
        Err(why) => return Outcome::Inconclusive(why),
    };
    let forbids = |pack: &Pack| pack.policy(id).is_none_or(|policy| policy.effect == Effect::Forbid);
    let permits = |pack: &Pack| pack.policy(id).is_none_or(|policy| policy.effect == Effect::Permit);
    let mut outcomes = Vec::new();
    for action in Action::ALL {
        if !(permits(original) && permits(mutant)) {
            outcomes.push(pair.applies_alike(action).await);
        }
        if !(forbids(original) && forbids(mutant)) || (original.policy(id).is_none() && mutant.policy(id).is_none()) {
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
        self.alike(action, applies(&self.original), applies(&self.mutant), shows)
            .await
    }

    /// The packs give the same answer.
    async fn answers_alike(&self, action: Action) -> Outcome {
        let answers = |prover: &Prover<'_>| prover.conditions.permits(action, View::Whole);
        let shows = |facts: &_| permits(self.original.pack, action, facts) != permits(self.mutant.pack, action, facts);
        self.alike(action, answers(&self.original), answers(&self.mutant), shows)
            .await
    }

    async fn alike(
        &self,
        action: Action,
        original: Result<Formula, String>,
        mutant: Result<Formula, String>,
        shows: impl Fn(&holdpoint_schemas::fact::FactSet) -> bool,
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
        let reads = self.original.conditions.reads(action).into_iter();
        let reads = reads.chain(self.mutant.conditions.reads(action));
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
