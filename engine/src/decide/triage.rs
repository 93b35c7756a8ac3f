//! Which checks are worth running.

use holdpoint_schemas::Level;
use holdpoint_schemas::evidence::Check;

use super::facts::{Pending, pending, with_evidence};
use super::{Question, Verdict, decide};
use crate::policy::Pack;

/// The verdict with the best values of all pending checks, and the fewest and cheapest of those
/// checks whose best values alone keep its level. Sound because packs are monotone in evidence:
/// a better value never lowers a level.
pub(super) fn plan(pack: &Pack, question: &Question<'_>) -> (Verdict, Vec<Check>) {
    let pending = pending(question);
    let with = |checks: &[Check]| decide(pack, question, &with_evidence(pack, question, Pending::BestFor(checks)));
    let best = with(&pending);
    if best.level == Level::Alert {
        return (best, Vec::new());
    }
    let checks = subsets(&pending)
        .into_iter()
        .find(|checks| with(checks).level == best.level)
        .unwrap_or(pending);
    (best, checks)
}

/// All subsets, smallest first; of equal size the one without the costliest check first.
fn subsets(checks: &[Check]) -> Vec<Vec<Check>> {
    let mut subsets: Vec<Vec<Check>> = (0_u32..1 << checks.len())
        .map(|mask| {
            let chosen = checks.iter().enumerate().filter(|(i, _)| mask & (1 << i) != 0);
            chosen.map(|(_, check)| *check).collect()
        })
        .collect();
    // Masks count upwards with later, costlier checks as their higher bits; the sort is stable.
    subsets.sort_by_key(Vec::len);
    subsets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subsets_come_smallest_and_cheapest_first() {
        let subsets = subsets(&Check::ALL);
        assert_eq!(subsets.len(), 16);
        assert!(subsets[0].is_empty());
        assert_eq!(
            subsets[1..5].concat(),
            [Check::Build, Check::Test, Check::Contract, Check::Rescan]
        );
        assert_eq!(subsets[5], [Check::Build, Check::Test]);
        assert_eq!(subsets[15], Check::ALL);
    }
}
