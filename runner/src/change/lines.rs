//! Lines of source that a fix changes: what its tests have to run.

use similar::{DiffOp, TextDiff};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::SourceTree;
use super::language::language;
use super::test_files::is_test_file;

/// Largest file whose lines are compared: generated ones are larger.
const MAX_FILE_BYTES: usize = 2 << 20;

/// Changed lines of one file, by number in the candidate, in order. Where lines were only removed,
/// the line that comes after them stands for them.
pub type Hunks = Vec<RangeInclusive<u32>>;

/// What a fix changes of the source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChangedLines {
    /// By path.
    pub files: BTreeMap<String, Hunks>,
    /// Source files that are gone, or too large to compare.
    pub untold: Vec<String>,
}

/// The lines of source that differ; tests aside, and what is no code.
#[must_use]
pub fn changed_lines(base: &SourceTree<'_>, candidate: &SourceTree<'_>) -> ChangedLines {
    let mut changed = ChangedLines::default();
    for path in base.differing(candidate) {
        let Some(language) = language(&path).filter(|_| !is_test_file(&path)) else {
            continue;
        };
        let (before, after) = (base.text(&path).unwrap_or_default(), candidate.text(&path));
        let small = |text: &str| text.len() <= MAX_FILE_BYTES;
        let Some(after) = after.filter(|after| small(before) && small(after)) else {
            changed.untold.push(path);
            continue;
        };
        let lines: Vec<_> = after.lines().collect();
        let tests = inline_tests(&path, &lines);
        let is_code = |number: u32| {
            let line = usize::try_from(number - 1).ok().and_then(|at| lines.get(at));
            !tests.iter().any(|range| range.contains(&number)) && line.is_some_and(|line| language.is_code(line))
        };
        let count = number(lines.len());
        let hunks: Hunks = TextDiff::from_lines(before, after)
            .ops()
            .iter()
            .filter(|op| !matches!(op, DiffOp::Equal { .. }))
            .filter_map(|op| {
                let range = op.new_range();
                let (from, to) = (number(range.start) + 1, number(range.end));
                if from <= to {
                    (from..=to).any(is_code).then_some(from..=to)
                } else {
                    // Only comments or blank lines that are gone need no test.
                    let gone = before.lines().skip(op.old_range().start).take(op.old_range().len());
                    let code = gone.into_iter().any(|line| language.is_code(line));
                    let next = (from..=count).find(|at| is_code(*at));
                    let at = next.or_else(|| (1..from).rev().find(|at| is_code(*at)))?;
                    code.then_some(at..=at)
                }
            })
            .collect();
        if !hunks.is_empty() {
            changed.files.insert(path, hunks);
        }
    }
    changed
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX - 1)
}

/// Rust has its unit tests in the file that they test: `#[cfg(test)] mod tests { … }`.
fn inline_tests(path: &str, lines: &[&str]) -> Vec<RangeInclusive<u32>> {
    if !path.ends_with(".rs") {
        return Vec::new();
    }
    let mut ranges = Vec::new();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        let next = lines.get(at + 1).copied().unwrap_or_default().trim_start();
        let module = next.starts_with("mod ") || next.starts_with("pub mod ") || next.starts_with("pub(crate) mod ");
        if line.trim() == "#[cfg(test)]" && module {
            // `rustfmt` puts the closing bracket where the attribute begins.
            let indent = line.len() - line.trim_start().len();
            let closing = format!("{}}}", " ".repeat(indent));
            let end = lines.iter().skip(at).position(|line| *line == closing);
            let last = end.map_or(at + 1, |offset| at + offset);
            ranges.push(number(at) + 1..=number(last) + 1);
            at = last;
        }
        at += 1;
    }
    ranges
}

/// Lines for people: `src/a.py:3-5`, `src/a.py:9`.
#[must_use]
pub fn shown(path: &str, lines: &[u32]) -> Vec<String> {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for line in lines {
        match ranges.last_mut() {
            Some((_, to)) if *to + 1 == *line => *to = *line,
            _ => ranges.push((*line, *line)),
        }
    }
    let path = crate::text::one_line(path);
    ranges
        .into_iter()
        .map(|(from, to)| {
            if from == to {
                format!("{path}:{from}")
            } else {
                format!("{path}:{from}-{to}")
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate::fake::tree;

    fn changed(path: &str, before: &str, after: &str) -> Hunks {
        let (before, after) = (tree(&[(path, before)]), tree(&[(path, after)]));
        let trees = (SourceTree::read(&before).unwrap(), SourceTree::read(&after).unwrap());
        changed_lines(&trees.0, &trees.1).files.remove(path).unwrap_or_default()
    }

    #[test]
    fn changed_added_and_removed_lines_are_found() {
        assert_eq!(changed("a.py", "a\nb\nc\n", "a\nB\nc\n"), [2..=2]);
        assert_eq!(changed("a.py", "a\nb\n", "a\nx\ny\nb\n"), [2..=3]);
        assert_eq!(changed("a.py", "a\nb\nc\n", "a\nc\n"), [2..=2]);
        assert_eq!(changed("a.py", "a\nb\n", "a\n"), [1..=1]);
    }

    #[test]
    fn what_is_no_code_or_a_test_needs_none() {
        assert!(changed("a.py", "a\nb\n", "a\n# why\n\nb\n").is_empty());
        assert!(changed("a.py", "a\n# why\nb\n", "a\nb\n").is_empty());
        assert!(changed("tests/a.py", "a\n", "b\n").is_empty());
        assert!(changed("README.md", "a\n", "b\n").is_empty());
        let inline = |body: &str| format!("fn a() {{}}\n\n#[cfg(test)]\nmod tests {{\n    {body}\n}}\n");
        assert!(changed("a.rs", &inline("x();"), &inline("y();")).is_empty());
    }

    #[test]
    fn a_file_that_is_gone_cannot_be_told() {
        let (before, after) = (tree(&[("a.py", "a\n"), ("b.py", "b\n")]), tree(&[("a.py", "a\n")]));
        let trees = (SourceTree::read(&before).unwrap(), SourceTree::read(&after).unwrap());
        assert_eq!(changed_lines(&trees.0, &trees.1).untold, ["b.py"]);
    }

    #[test]
    fn neighbouring_lines_are_shown_as_a_range() {
        assert_eq!(shown("a.py", &[1, 2, 3, 7, 9, 10]), ["a.py:1-3", "a.py:7", "a.py:9-10"]);
    }
}
