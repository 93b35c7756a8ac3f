//! The numbers of a run.

use holdpoint_schemas::Level;
use serde::Serialize;

use super::phrase;
use super::text::count;
use crate::pipeline::report::{CiOnly, Outcome, RunReport};

/// How many findings ended how.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Findings.
    pub findings: usize,
    /// Of level alert.
    pub alert: usize,
    /// Of level suggest.
    pub suggest: usize,
    /// Of level auto-apply.
    pub auto_apply: usize,
    /// Merged in this run.
    pub merged: usize,
    /// What a tool that looks only at green tests would have merged.
    pub ci_only_merges: usize,
    /// Of those: known to break something.
    pub ci_only_harmful: usize,
    /// Of those: not known to break anything, but a person had to be asked.
    pub ci_only_unasked: usize,
    /// Scenarios of the demo.
    pub scenarios: usize,
    /// Of those: ended as they must.
    pub scenarios_met: usize,
}

impl Summary {
    /// Counts a report.
    #[must_use]
    pub fn of(report: &RunReport) -> Self {
        let mut summary = Self {
            findings: report.items.len(),
            ..Self::default()
        };
        for item in &report.items {
            match item.decision.level {
                Level::Alert => summary.alert += 1,
                Level::Suggest => summary.suggest += 1,
                Level::AutoApply => summary.auto_apply += 1,
            }
            summary.merged += usize::from(matches!(item.outcome, Outcome::Merged { .. }));
            if item.ci_only == CiOnly::Merge {
                let harmful = phrase::harm(item).is_some();
                summary.ci_only_merges += 1;
                summary.ci_only_harmful += usize::from(harmful);
                summary.ci_only_unasked += usize::from(!harmful && item.decision.level < Level::AutoApply);
            }
            if let Some(scenario) = &item.scenario {
                summary.scenarios += 1;
                summary.scenarios_met += usize::from(scenario.met);
            }
        }
        summary
    }

    /// The levels in one line.
    #[must_use]
    pub fn levels_line(&self) -> String {
        format!(
            "{}: {} auto-apply, {} suggest, {} alert",
            count(self.findings, "finding", "findings"),
            self.auto_apply,
            self.suggest,
            self.alert
        )
    }

    /// The comparison with a CI-only tool in a sentence or two.
    #[must_use]
    pub fn ci_only_line(&self) -> String {
        if self.ci_only_merges == 0 {
            return "A CI-only tool would have merged none of these.".to_owned();
        }
        let would = format!(
            "A CI-only tool would have merged {} of these {}.",
            self.ci_only_merges, self.findings
        );
        let rest = match (self.ci_only_harmful, self.ci_only_unasked) {
            (0, 0) => String::new(),
            (0, unasked) => format!(" {unasked} of them needed a person's go."),
            (harmful, 0) => format!(" {harmful} of them would have broken something."),
            (harmful, unasked) => {
                format!(" {harmful} of them would have broken something; {unasked} more needed a person's go.")
            }
        };
        would + &rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::samples;

    #[test]
    fn every_item_is_counted_once_by_level() {
        let summary = Summary::of(&samples::report());
        assert_eq!(summary.alert + summary.suggest + summary.auto_apply, summary.findings);
        assert_eq!(summary.findings, samples::report().items.len());
    }

    #[test]
    fn harm_and_missing_consent_are_told_apart() {
        let mut report = samples::report();
        report.items = vec![samples::merged(), samples::frozen(), samples::broken_contract()];
        let summary = Summary::of(&report);
        assert_eq!(
            summary.ci_only_line(),
            "A CI-only tool would have merged 3 of these 3. 1 of them would have broken something; \
             1 more needed a person's go."
        );
    }
}
