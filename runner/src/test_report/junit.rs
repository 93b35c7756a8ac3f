//! JUnit XML, as surefire, gradle, pytest, jest-junit, cargo-nextest and many others write it.

use roxmltree::{Document, ParsingOptions};
use thiserror::Error;

use super::{SingleTests, TestEnd};

/// Nodes of one report: a hundred thousand tests with their properties and output.
const MAX_NODES: u32 = 2_000_000;

/// Why a report can't be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BadReport {
    /// Not UTF-8.
    #[error("it is not UTF-8")]
    Encoding,
    /// Not well-formed, or more than is read.
    #[error("it is no XML that can be read: {0}")]
    Malformed(String),
    /// Some other XML.
    #[error("its root element is `{0}`, not `testsuites` or `testsuite`")]
    OtherRoot(String),
}

/// The tests of one JUnit XML report, named `classname.name`, or `name` alone.
///
/// # Errors
/// When it is no such report.
pub fn read_junit(report: &[u8]) -> Result<SingleTests, BadReport> {
    let text = std::str::from_utf8(report).map_err(|_| BadReport::Encoding)?;
    let options = ParsingOptions {
        nodes_limit: MAX_NODES,
        ..ParsingOptions::default()
    };
    let document =
        Document::parse_with_options(text, options).map_err(|error| BadReport::Malformed(error.to_string()))?;
    let root = document.root_element();
    if !matches!(root.tag_name().name(), "testsuites" | "testsuite") {
        return Err(BadReport::OtherRoot(crate::text::one_line(root.tag_name().name())));
    }
    let mut tests = SingleTests::default();
    for case in root.descendants().filter(|node| node.has_tag_name("testcase")) {
        let name = case.attribute("name").unwrap_or_default();
        let full = match case.attribute("classname") {
            Some(class) if !class.is_empty() => format!("{class}.{name}"),
            _ => name.to_owned(),
        };
        let has = |tags: &[&str]| case.children().any(|child| tags.contains(&child.tag_name().name()));
        let end = if has(&["failure", "error"]) {
            TestEnd::Failed
        } else if has(&["skipped", "disabled"]) {
            TestEnd::Skipped
        } else {
            TestEnd::Passed
        };
        tests.add(&full, end);
        // Surefire writes what failed first and passed when it was run again.
        if has(&["flakyFailure", "flakyError"]) {
            tests.add(&full, TestEnd::Failed);
        }
    }
    Ok(tests)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_suites_are_read_and_a_hidden_rerun_counts_as_a_failure() {
        let xml = br#"<?xml version="1.0"?><testsuites><testsuite name="s">
            <testcase classname="a.B" name="ok"/>
            <testcase classname="a.B" name="bad"><failure message="x"/></testcase>
            <testcase name="off"><skipped/></testcase>
            <testsuite><testcase classname="a.B" name="sometimes"><flakyFailure/></testcase></testsuite>
            </testsuite></testsuites>"#;
        let tests = read_junit(xml).unwrap();
        assert_eq!(
            tests.iter().collect::<Vec<_>>(),
            [
                ("a.B.bad", TestEnd::Failed),
                ("a.B.ok", TestEnd::Passed),
                ("a.B.sometimes", TestEnd::Failed),
                ("off", TestEnd::Skipped),
            ]
        );
    }

    #[test]
    fn other_files_are_refused() {
        assert_eq!(read_junit(b"\xff"), Err(BadReport::Encoding));
        assert!(matches!(read_junit(b"<coverage/>"), Err(BadReport::OtherRoot(_))));
        assert!(matches!(read_junit(b"<testsuite>"), Err(BadReport::Malformed(_))));
        let bomb = br#"<!DOCTYPE x [<!ENTITY a "aaaa">]><testsuite><testcase name="&a;"/></testsuite>"#;
        assert!(matches!(read_junit(bomb), Err(BadReport::Malformed(_))));
    }
}
