//! When nothing more has to be found out about a candidate.

use holdpoint_schemas::evidence::{Check, Evidence, Verdict};
use std::collections::BTreeSet;

use super::compare;
use crate::contract_check::ContractJudge;
use crate::plan::{SideRecord, ValidationPlan};

/// Says when nothing more has to be found out.
pub trait Settled: Send + Sync {
    /// Whether no check that isn't in `so_far` can still change what is decided.
    fn is_settled(&self, so_far: &Evidence) -> bool;
}

/// Who judges what is known in between, and who says whether that is enough.
#[derive(Clone, Copy)]
pub struct Until<'a> {
    /// Judges contracts.
    pub judge: &'a dyn ContractJudge,
    /// Says whether it is enough.
    pub settled: &'a dyn Settled,
}

/// What a candidate is through with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Through {
    Surface,
    /// Build, contract, and its own tests: green ones may still fall with the base's.
    OwnTests,
    BaseTests,
    Adequacy,
    Revert,
}

impl Through {
    const fn checks(self) -> &'static [Check] {
        match self {
            Self::Surface => &[Check::Surface],
            Self::OwnTests | Self::BaseTests => &[Check::Surface, Check::Build, Check::Test, Check::Contract],
            Self::Adequacy => &[
                Check::Surface,
                Check::Build,
                Check::Test,
                Check::Contract,
                Check::Adequacy,
            ],
            Self::Revert => &[
                Check::Surface,
                Check::Build,
                Check::Test,
                Check::Contract,
                Check::Adequacy,
                Check::Revert,
            ],
        }
    }
}

impl Until<'_> {
    /// Whether what the candidate is through with settles it. What hasn't run is left out of its evidence then.
    pub(super) fn is_over(
        &self,
        plan: &ValidationPlan,
        baseline: &SideRecord,
        candidate: &mut SideRecord,
        through: Through,
    ) -> bool {
        if !candidate.left_out.is_empty() {
            return true;
        }
        let part = ValidationPlan {
            checks: through
                .checks()
                .iter()
                .copied()
                .filter(|check| plan.checks.contains(check))
                .collect(),
            ..plan.clone()
        };
        let mut so_far = compare(&part, baseline, candidate, self.judge).evidence;
        if through == Through::OwnTests {
            so_far
                .checks
                .retain(|check, result| *check != Check::Test || result.verdict != Verdict::Passed);
        }
        let known: BTreeSet<Check> = so_far.checks.keys().copied().collect();
        let open: BTreeSet<Check> = plan.checks.difference(&known).copied().collect();
        if known.is_empty() || open.is_empty() || !self.settled.is_settled(&so_far) {
            return false;
        }
        candidate.left_out = open;
        true
    }
}

#[cfg(test)]
mod tests;
