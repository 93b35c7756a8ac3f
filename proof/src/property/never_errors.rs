//! Every policy can be evaluated, whatever is known.

use holdpoint_engine::decide::assess;
use holdpoint_engine::policy::Said;
use holdpoint_schemas::fact::Action;

use crate::counterexample::Counterexample;
use crate::prover::{Prover, outcome};
use crate::situation::Situation;
use crate::verify::Outcome;

/// The case of a counterexample asks for the answer that the pack would give without the policy.
pub(super) async fn prove(prover: &Prover<'_>, policy: &str) -> Result<Outcome, String> {
    let answer = prover.never_fails(policy).await;
    let actions = prover.pack.policy(policy).map(|info| &info.actions);
    let action = actions
        .and_then(|actions| actions.first().copied())
        .unwrap_or(Action::Suggest);
    let shows = |situation: &Situation| match prover.pack.says(action, &situation.whole()) {
        Said::Failed(policies) => policies.iter().any(|id| id == policy),
        Said::Permitted(_) | Said::Denied(_) => false,
    };
    Ok(outcome(answer, shows, |situation| {
        let right = assess(&prover.pack.without(policy), &situation.whole());
        Counterexample::otherwise(situation, action, &right)
    }))
}
