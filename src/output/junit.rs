//! A pack's test cases as JUnit XML, for CI.

use anyhow::Result;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::pipeline::cases::Asked;

/// A suite for each file. Characters that XML can't hold become U+FFFD.
///
/// # Errors
/// When it can't be written as XML.
pub fn report(pack: &str, asked: &[Asked]) -> Result<String> {
    let mut files: BTreeMap<&str, Vec<&Asked>> = BTreeMap::new();
    for asked in asked {
        files.entry(&asked.case.path).or_default().push(asked);
    }
    let mut report = Report::new(fit(&format!("policy pack {pack}")));
    for (file, asked) in files {
        let mut suite = TestSuite::new(fit(file));
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
            status.set_message(fit(first));
            let description = format!("{}:{}\n{}", result.path, result.line, result.failures.join("\n"));
            status.set_description(fit(&description));
            status
        }
    };
    let mut case = TestCase::new(fit(&result.name), status);
    case.set_classname(fit(&result.path));
    case
}

/// Text as XML 1.0 can hold it; not even an escape makes its other characters well-formed.
pub fn fit(text: &str) -> Cow<'_, str> {
    let is_char = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..);
    if text.chars().all(is_char) {
        return Cow::Borrowed(text);
    }
    let fitting = text
        .chars()
        .map(|c| if is_char(c) { c } else { char::REPLACEMENT_CHARACTER });
    Cow::Owned(fitting.collect())
}
