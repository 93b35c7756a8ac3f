//! A pack keeps its invariants.

use holdpoint_engine::policy::Effect;
use holdpoint_schemas::fact::Action;

use crate::counterexample::Counterexample;
use crate::formula::{View, and, not};
use crate::prover::{Prover, outcome, worst};
use crate::question::Answer;
use crate::situation::Situation;
use crate::verify::Outcome;

pub(super) async fn prove(prover: &Prover<'_>, invariants: Option<&Prover<'_>>, id: &str) -> Result<Outcome, String> {
    let invariants = invariants.ok_or("there are no invariants")?;
    let invariant = invariants.pack.policy(id).ok_or("there is no such invariant")?;
    if invariants.unsafe_policies.contains(id) {
        return Err(format!("the invariant `{id}` itself may fail to be evaluated"));
    }
    let mut outcomes = Vec::new();
    for action in &invariant.actions {
        outcomes.push(under(prover, invariants, id, invariant.effect, *action).await?);
    }
    match worst(outcomes) {
        Outcome::Proved => ever_applies(invariants, id).await,
        other => Ok(other),
    }
}

/// An invariant that never applies would be kept by any pack: it says something else than it should.
async fn ever_applies(invariants: &Prover<'_>, id: &str) -> Result<Outcome, String> {
    let applies = invariants.conditions.applies(id, View::Whole)?;
    let reads = invariants
        .pack
        .policy(id)
        .map(|policy| &policy.facts)
        .into_iter()
        .flatten();
    let reads = reads.map(String::as_str);
    match invariants.can_be(reads, View::Whole, applies).await {
        Answer::Never => Ok(Outcome::Dead),
        Answer::Example(_) => Ok(Outcome::Proved),
        Answer::Open(why) => Err(why),
    }
}

async fn under(
    prover: &Prover<'_>,
    invariants: &Prover<'_>,
    id: &str,
    effect: Effect,
    action: Action,
) -> Result<Outcome, String> {
    prover.may_rest_on(action)?;
    let applies = invariants.conditions.applies(id, View::Whole)?;
    let permits = prover.conditions.permits(action, View::Whole)?;
    let must_permit = effect == Effect::Permit;
    let broken = and(applies, if must_permit { not(permits) } else { permits });
    let reads = prover.conditions.reads(action).into_iter();
    let reads = reads.chain(invariants.conditions.reads(action));
    let answer = prover.can_be(reads, View::Whole, broken).await;
    let shows = |situation: &Situation| {
        let facts = situation.whole();
        invariants.pack.applies(id, action, &facts) == Some(true) && prover.permits(action, &facts) != must_permit
    };
    Ok(outcome(answer, shows, |situation| {
        if must_permit {
            Counterexample::withheld(situation, action)
        } else {
            Counterexample::permitted(situation, action, prover.pack)
        }
    }))
}
