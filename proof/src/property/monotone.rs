//! Better evidence never permits less.

use holdpoint_schemas::fact::Action;

use crate::counterexample::Counterexample;
use crate::formula::{View, and, not};
use crate::prover::{Prover, outcome};
use crate::question::is_evidence;
use crate::situation::Situation;
use crate::verify::Outcome;

/// The pack is asked twice about the same facts, but evidence that is known has a second value, which
/// is the same or worse by the order of its row. Evidence that is missing is what [`super::unknown_safe`]
/// is about.
pub(super) async fn prove(prover: &Prover<'_>, action: Action) -> Result<Outcome, String> {
    prover.may_rest_on(action)?;
    let reads = prover.conditions.reads(action);
    if !prover.rows(reads.iter().copied()).into_iter().any(is_evidence) {
        return Ok(Outcome::Proved);
    }
    let with_worse = prover.conditions.permits(action, View::Worse)?;
    let with_better = prover.conditions.permits(action, View::Whole)?;
    let answer = prover
        .can_be(reads, View::Worse, and(with_worse, not(with_better)))
        .await;
    let shows = |situation: &Situation| {
        prover.permits(action, &situation.whole()) && !prover.permits(action, &situation.improved())
    };
    Ok(outcome(answer, shows, |situation| {
        Counterexample::withheld(situation, action)
    }))
}
