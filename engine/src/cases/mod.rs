//! A pack's test cases: facts, and what the pack must say of them.

mod bench;
mod coverage;
mod expect;

use holdpoint_schemas::decision::{Bound, BoundKind};
use holdpoint_schemas::pack::ResolvedCase;
use serde::Serialize;

use crate::decide::{Assessment, assess};
use crate::policy::Pack;

pub(crate) use bench::Change;
pub use bench::{Bench, Row};
pub use coverage::{AtomCoverage, PolicyCoverage};

/// What became of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CaseResult {
    /// Its name.
    pub name: String,
    /// File that it is in.
    pub path: String,
    /// Line, 1-based.
    pub line: usize,
    /// What came otherwise than expected, in plain words; empty: it passed.
    pub failures: Vec<String>,
    /// What the pack said.
    pub assessment: Assessment,
}

impl CaseResult {
    /// Whether everything came as expected.
    #[must_use]
    pub const fn passed(&self) -> bool {
        self.failures.is_empty()
    }

    /// Everything that withheld a level or promotion, the levels' first.
    pub fn bounds(&self) -> impl Iterator<Item = &Bound> {
        self.assessment.bounds.iter().chain(&self.assessment.promote_bounds)
    }
}

use expect::Outcome;

/// Asks the pack about a case. A policy that can't be evaluated fails it, whatever is expected.
#[must_use]
pub fn run(pack: &Pack, case: &ResolvedCase) -> CaseResult {
    let assessment = assess(pack, &case.facts);
    let mut failures = expect::failures(&case.case, &Outcome::of(&assessment), pack);
    let bounds = || assessment.bounds.iter().chain(&assessment.promote_bounds);
    for text in &case.case.reasons {
        if !bounds().any(|bound| bound.reason.contains(text.as_str())) {
            failures.push(format!("expected a reason that says `{text}`, but none does"));
        }
    }
    let errors = bounds().filter(|bound| bound.kind == BoundKind::EvaluationError);
    failures.extend(errors.map(|bound| bound.reason.clone()));
    failures.dedup();
    CaseResult {
        name: case.case.name.clone(),
        path: case.path.clone(),
        line: case.line,
        failures,
        assessment,
    }
}

#[cfg(test)]
mod tests;
