//! A pack's test cases as JUnit XML, for CI.

use anyhow::Result;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use std::collections::BTreeMap;

use crate::pipeline::cases::Asked;

/// A suite for each file. What XML can't hold (control characters) is left out.
///
/// # Errors
/// When it can't be written as XML.
pub fn report(pack: &str, asked: &[Asked]) -> Result<String> {
    let mut files: BTreeMap<&str, Vec<&Asked>> = BTreeMap::new();
    for asked in asked {
        files.entry(&asked.case.path).or_default().push(asked);
    }
    let mut report = Report::new(format!("policy pack {pack}"));
    for (file, asked) in files {
        let mut suite = TestSuite::new(file);
        suite.add_test_cases(asked.into_iter().map(test_case));
        report.add_test_suite(suite);
    }
    Ok(report.to_string()?)
}

fn test_case(asked: &Asked) -> TestCase {
    let result = &asked.result;
    let status = match result.failures.first() {
        None => TestCaseStatus::success(),
        Some(first) => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(first.as_str());
            status.set_description(format!(
                "{}:{}\n{}",
                result.path,
                result.line,
                result.failures.join("\n")
            ));
            status
        }
    };
    let mut case = TestCase::new(result.name.as_str(), status);
    case.set_classname(result.path.as_str());
    case
}
