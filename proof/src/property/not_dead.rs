//! Every policy makes a difference.

use std::collections::BTreeSet;

use holdpoint_engine::policy::{Effect, Pack, PolicyInfo};
use holdpoint_schemas::fact::{Action, FactSet};

use crate::formula::{Formula, View, all, not};
use crate::prover::{NOT_REPLAYED, Prover, permits};
use crate::question::{Answer, Example};
use crate::situation::Situation;
use crate::verify::Outcome;

/// A policy is worth having if the pack gives some answer that it wouldn't give without it. Else it is
/// shadowed by others, or dead: it never applies.
pub(super) async fn prove(prover: &Prover<'_>, id: &str, effect: Effect) -> Result<Outcome, String> {
    let policy = prover.pack.policy(id).ok_or("there is no such policy")?;
    debug_assert_eq!(policy.effect, effect);
    let subject = Subject { prover, policy };
    for action in &policy.actions {
        prover.may_rest_on(*action)?;
        if subject.differs_nearby(*action).await {
            return Ok(Outcome::Proved);
        }
        if let Some(example) = subject.difference(*action, |_| true).await? {
            let without = prover.pack.without(id);
            let situation = Situation::from(example);
            if !differs(prover.pack, &without, *action, &situation.whole()) {
                return Err(NOT_REPLAYED.to_owned());
            }
            return Ok(Outcome::Proved);
        }
    }
    let applies = prover.conditions.applies(id, View::Whole)?;
    match prover
        .can_be(policy.facts.iter().map(String::as_str), View::Whole, applies)
        .await
    {
        Answer::Never => Ok(Outcome::Dead),
        Answer::Open(why) => Err(why),
        Answer::Example(_) => Ok(Outcome::Shadowed {
            by: subject.shadows().await?.into_iter().collect(),
        }),
    }
}

struct Subject<'a> {
    prover: &'a Prover<'a>,
    policy: &'a PolicyInfo,
}

fn differs(pack: &Pack, without: &Pack, action: Action, facts: &FactSet) -> bool {
    permits(pack, action, facts) != permits(without, action, facts)
}

impl Subject<'_> {
    /// Whether it makes a difference to facts that are one step away from some that are permitted. That
    /// is so for nearly every policy, and the engine says it at once, where the solver takes a while.
    async fn differs_nearby(&self, action: Action) -> bool {
        let Some(permitted) = self.prover.permitted(action).await else {
            return false;
        };
        let without = self.prover.pack.without(&self.policy.id);
        let table = self.prover.conditions.table;
        let rows = self.policy.facts.iter().filter_map(|id| table.row(id));
        rows.flat_map(|row| permitted.neighbours(row))
            .chain([permitted.clone()])
            .any(|situation| differs(self.prover.pack, &without, action, &situation.whole()))
    }

    /// Facts for which the answer to an action rests on the policy, if of the others only those count
    /// that `counts` chooses. Permits always count for a forbid: without one there is nothing to forbid.
    async fn difference(&self, action: Action, counts: impl Fn(&str) -> bool) -> Result<Option<Example>, String> {
        let formula = self.formula(action, counts)?;
        let reads = self.prover.conditions.reads(action);
        match self.prover.can_be(reads, View::Whole, formula).await {
            Answer::Never => Ok(None),
            Answer::Example(example) => Ok(Some(example)),
            Answer::Open(why) => Err(why),
        }
    }

    fn formula(&self, action: Action, counts: impl Fn(&str) -> bool) -> Result<Formula, String> {
        let conditions = &self.prover.conditions;
        let applies = conditions.applies(&self.policy.id, View::Whole)?;
        let is_other = |id: &str| id != self.policy.id && counts(id);
        let forbids = conditions.some_of(Effect::Forbid, action, View::Whole, is_other)?;
        let permits = match self.policy.effect {
            Effect::Permit => not(conditions.some_of(Effect::Permit, action, View::Whole, is_other)?),
            Effect::Forbid => conditions.some(Effect::Permit, action, View::Whole)?,
        };
        Ok(all(vec![applies, permits, not(forbids)]))
    }

    /// A set of other policies that leave it without effect, from which none can be taken. Empty for a
    /// forbid: nothing permits what it forbids.
    async fn shadows(&self) -> Result<BTreeSet<String>, String> {
        let mut shadows = BTreeSet::new();
        // Each example that the ones found don't cover names another one; that ends, because all the
        // other policies together cover everything.
        while let Some((action, example)) = self.uncovered(&shadows).await? {
            let found = self.covering(action, &Situation::from(example).whole(), &shadows);
            shadows.insert(found.ok_or(NOT_REPLAYED)?);
        }
        for id in shadows.clone() {
            let mut fewer = shadows.clone();
            fewer.remove(&id);
            if self.uncovered(&fewer).await?.is_none() {
                shadows = fewer;
            }
        }
        Ok(shadows)
    }

    /// Facts for which the policy would make a difference if only these others were there.
    async fn uncovered(&self, others: &BTreeSet<String>) -> Result<Option<(Action, Example)>, String> {
        for action in &self.policy.actions {
            if let Some(example) = self.difference(*action, |id| others.contains(id)).await? {
                return Ok(Some((*action, example)));
            }
        }
        Ok(None)
    }

    /// Another policy that applies to these facts and makes this one needless.
    fn covering(&self, action: Action, facts: &FactSet, found: &BTreeSet<String>) -> Option<String> {
        let others = self.prover.pack.policies().iter().filter(|other| {
            other.id != self.policy.id
                && !found.contains(&other.id)
                && (self.policy.effect == Effect::Permit || other.effect == Effect::Forbid)
        });
        let mut applying = others.filter(|other| self.prover.pack.applies(&other.id, action, facts) == Some(true));
        applying.next().map(|other| other.id.clone())
    }
}
