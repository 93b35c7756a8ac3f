//! What may be applied without asking may also be suggested.

use holdpoint_schemas::fact::Action;

use crate::counterexample::Counterexample;
use crate::formula::{View, and, not};
use crate::prover::{Prover, outcome};
use crate::situation::Situation;
use crate::verify::Outcome;

pub(super) async fn prove(prover: &Prover<'_>) -> Result<Outcome, String> {
    let (higher, lower) = (Action::AutoApply, Action::Suggest);
    prover.may_rest_on(higher)?;
    prover.may_rest_on(lower)?;
    let applied = prover.conditions.permits(higher, View::Whole)?;
    let suggested = prover.conditions.permits(lower, View::Whole)?;
    let reads = prover.conditions.reads(higher).into_iter();
    let reads = reads.chain(prover.conditions.reads(lower));
    let answer = prover.can_be(reads, View::Whole, and(applied, not(suggested))).await;
    let shows = |situation: &Situation| {
        let facts = situation.whole();
        prover.permits(higher, &facts) && !prover.permits(lower, &facts)
    };
    Ok(outcome(answer, shows, |situation| {
        Counterexample::permitted(situation, higher, prover.pack)
    }))
}
