//! Knowing less never permits more.

use holdpoint_schemas::fact::Action;

use crate::counterexample::Counterexample;
use crate::formula::{View, and, not};
use crate::prover::{Prover, outcome};
use crate::situation::Situation;
use crate::verify::Outcome;

/// The pack is asked twice about the same facts, once with some of them hidden: each fact has a flag
/// whether it is seen. Any two sets of facts of which one is part of the other are such a pair.
pub(super) async fn prove(prover: &Prover<'_>, action: Action) -> Result<Outcome, String> {
    prover.may_rest_on(action)?;
    let with_less = prover.conditions.permits(action, View::Fewer)?;
    let with_all = prover.conditions.permits(action, View::Whole)?;
    let answer = prover
        .can_be(
            prover.conditions.reads(action),
            View::Fewer,
            and(with_less, not(with_all)),
        )
        .await;
    let shows = |situation: &Situation| {
        prover.permits(action, &situation.fewer()) && !prover.permits(action, &situation.whole())
    };
    Ok(outcome(answer, shows, |situation| {
        Counterexample::permitted(situation, action, prover.pack)
    }))
}
