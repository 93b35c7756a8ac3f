//! A run as JUnit XML, for the test page of a CI system: a suite per repo and branch, a case per finding.
//!
//! A case fails while its finding needs a person; it is skipped where its time wasn't enough or another fix stands for
//! it; and it passes once its fix is merged.

use anyhow::Result;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use std::collections::BTreeMap;

use super::junit::fit;
use super::phrase;
use crate::pipeline::report::{Outcome, ReportItem, RunReport};
use crate::pipeline::window::is_not_reached;

/// The run. Characters that XML can't hold become U+FFFD.
///
/// # Errors
/// When it can't be written as XML.
pub fn junit(report: &RunReport) -> Result<String> {
    let mut suites: BTreeMap<String, Vec<&ReportItem>> = BTreeMap::new();
    for item in &report.items {
        let finding = &item.finding;
        suites
            .entry(format!("{}@{}", finding.repo, finding.branch))
            .or_default()
            .push(item);
    }
    let mut out = Report::new(fit(&format!("holdpoint {}", report.estate)));
    for (name, items) in suites {
        let mut suite = TestSuite::new(fit(&name));
        suite.add_test_cases(items.into_iter().map(case));
        out.add_test_suite(suite);
    }
    Ok(out.to_string()?)
}

fn case(item: &ReportItem) -> TestCase {
    let finding = &item.finding.finding;
    let reason = phrase::reason(item);
    let status = match &item.outcome {
        Outcome::Merged { .. } | Outcome::AlreadyMerged { .. } => TestCaseStatus::success(),
        Outcome::Superseded { .. } => skipped(&phrase::outcome_sentence(&item.outcome)),
        outcome if is_not_reached(outcome) => skipped("not reached: the run's time was over"),
        Outcome::Alerted | Outcome::PullRequest { .. } | Outcome::NotDone { .. } => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_type(item.decision.level.as_str());
            status.set_message(fit(&format!("{}: {reason}", item.decision.level)));
            status.set_description(fit(&description(item, &reason)));
            status
        }
    };
    let mut case = TestCase::new(fit(&format!("{} {}", item.finding.id(), finding.title)), status);
    case.set_classname(fit(&format!("{}.{}", finding.scanner, finding.rule)));
    case
}

fn skipped(why: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_message(fit(why));
    status
}

fn description(item: &ReportItem, reason: &str) -> String {
    let finding = &item.finding.finding;
    let mut lines = vec![
        format!("{}, severity {}", finding.title, finding.severity.as_str()),
        reason.to_owned(),
        phrase::outcome_sentence(&item.outcome),
    ];
    if let Some(location) = &finding.location {
        let line = location.line.map(|line| format!(":{line}")).unwrap_or_default();
        lines.insert(0, format!("{}{line}", location.path));
    }
    lines.push(format!("holdpoint explain {}", item.finding.id()));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::samples;
    use crate::pipeline::window::NOT_REACHED;

    #[test]
    fn a_case_fails_while_its_finding_needs_a_person() {
        let mut report = samples::report();
        report.items[1].outcome = Outcome::NotDone {
            why: NOT_REACHED.to_owned(),
        };
        let xml = junit(&report).unwrap();
        let parsed = roxmltree::Document::parse(&xml).unwrap();
        let cases: Vec<_> = parsed
            .descendants()
            .filter(|node| node.has_tag_name("testcase"))
            .collect();
        assert_eq!(cases.len(), report.items.len());
        let failures = parsed.descendants().filter(|node| node.has_tag_name("failure")).count();
        let skipped = parsed.descendants().filter(|node| node.has_tag_name("skipped")).count();
        let merged = report
            .items
            .iter()
            .filter(|item| matches!(item.outcome, Outcome::Merged { .. }))
            .count();
        assert_eq!((failures, skipped), (cases.len() - merged - 1, 1));
        assert_eq!(
            parsed.root_element().attribute("failures"),
            Some(failures.to_string().as_str())
        );
    }

    #[test]
    fn hostile_text_is_well_formed_all_the_same() {
        let mut report = samples::report();
        for item in &mut report.items {
            item.finding.finding.title = "]]>\u{0}\u{b}<failure>&amp;\u{fffe}".to_owned();
            item.finding.repo = "<x>\"".to_owned();
        }
        let xml = junit(&report).unwrap();
        assert!(roxmltree::Document::parse(&xml).is_ok(), "{xml}");
    }
}
