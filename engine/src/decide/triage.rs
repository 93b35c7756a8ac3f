//! Which checks are worth running.

use holdpoint_schemas::Level;
use holdpoint_schemas::evidence::Check;

use super::facts::{Pending, pending, with_evidence};
use super::{Question, Verdict, decide};
use crate::policy::Pack;

/// The verdict with the best values of all pending checks, and those of the checks whose best values
/// alone keep its level: none of them can be left out, and the costliest are left out first. Sound
/// because packs are monotone in evidence: a better value never lowers a level.
pub(super) fn plan(pack: &Pack, question: &Question<'_>) -> (Verdict, Vec<Check>) {
    let pending = pending(question);
    let with = |checks: &[Check]| decide(pack, question, &with_evidence(pack, question, Pending::BestFor(checks)));
    let best = with(&pending);
    if best.level == Level::Alert {
        return (best, Vec::new());
    }
    let mut checks = pending.clone();
    for check in pending.iter().rev() {
        let fewer: Vec<Check> = checks.iter().copied().filter(|kept| kept != check).collect();
        if with(&fewer).level == best.level {
            checks = fewer;
        }
    }
    (best, checks)
}
