//! Which policies of a pack can apply together.

use holdpoint_engine::policy::Pack;
use holdpoint_schemas::fact::FactSet;

use crate::formula::{View, and, any};
use crate::prover::{NOT_REPLAYED, Prover};
use crate::question::Answer;
use crate::situation::Situation;
use crate::solver::Solver;

/// Two policies that apply to the same facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overlap {
    /// Id of the one.
    pub first: String,
    /// Id of the other, which comes later in the list.
    pub second: String,
    /// Facts that both apply to: the smallest that were found.
    pub facts: FactSet,
}

/// Pairs of the named policies that share an action and can apply together: of a decision table's rows no
/// two should. One question for each policy that overlaps with none of those after it.
///
/// # Errors
/// Why it isn't known: no solver, too slow, a policy that isn't in the pack or may fail.
pub async fn overlaps(solver: &Solver, pack: &Pack, ids: &[&str]) -> Result<Vec<Overlap>, String> {
    let prover = Prover::checked(solver, pack).await?;
    if let Some(id) = ids.iter().find(|id| prover.unsafe_policies.contains(**id)) {
        return Err(format!("policy `{id}` may fail to be evaluated"));
    }
    let mut found = Vec::new();
    let mut rest = ids.iter();
    while let Some(first) = rest.next() {
        let mut others: Vec<&str> = rest.as_slice().to_vec();
        others.retain(|second| share_an_action(pack, first, second));
        while !others.is_empty() {
            let Some(overlap) = next(&prover, first, &others).await? else {
                break;
            };
            others.retain(|other| *other != overlap.second);
            found.push(overlap);
        }
    }
    Ok(found)
}

/// An overlap of the first policy with one of the others.
async fn next(prover: &Prover<'_>, first: &str, others: &[&str]) -> Result<Option<Overlap>, String> {
    let second: Result<Vec<_>, String> = others
        .iter()
        .map(|other| prover.conditions.applies(other, View::Whole))
        .collect();
    let formula = and(prover.conditions.applies(first, View::Whole)?, any(second?));
    let reads = others.iter().chain([&first]).filter_map(|id| prover.pack.policy(id));
    let reads = reads.flat_map(|policy| policy.facts.iter().map(String::as_str));
    let example = match prover.can_be(reads, View::Whole, formula).await {
        Answer::Never => return Ok(None),
        Answer::Open(why) => return Err(why),
        Answer::Example(example) => example,
    };
    let overlaps = |second: &str, situation: &Situation| applies(prover.pack, first, second, &situation.whole());
    let situation = Situation::from(example);
    let second = others
        .iter()
        .find(|second| overlaps(second, &situation))
        .ok_or(NOT_REPLAYED)?;
    let situation = situation
        .smallest(|situation| overlaps(second, situation))
        .unwrap_or_default();
    Ok(Some(Overlap {
        first: first.to_owned(),
        second: (*second).to_owned(),
        facts: situation.whole(),
    }))
}

fn share_an_action(pack: &Pack, first: &str, second: &str) -> bool {
    // Policies that aren't there are kept, so that they are told.
    match (pack.policy(first), pack.policy(second)) {
        (Some(first), Some(second)) => !first.actions.is_disjoint(&second.actions),
        _ => true,
    }
}

/// Whether both apply under an action that they share.
fn applies(pack: &Pack, first: &str, second: &str, facts: &FactSet) -> bool {
    let actions = pack.policy(first).map(|policy| &policy.actions).into_iter().flatten();
    let both = |action| {
        let applies = |id| pack.applies(id, action, facts) == Some(true);
        applies(first) && applies(second)
    };
    actions.copied().any(both)
}
