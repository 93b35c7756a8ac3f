//! Whether the lines that matter were run by tests that pass. Pure.

use holdpoint_schemas::evidence::{CheckResult, Verdict};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use super::result;
use crate::change::lines::shown;
use crate::coverage::Coverage;

/// Ranges that go into one result.
const MAX_RANGES: usize = 20;

/// Judges coverage. A report has no entry for lines that can't run, and for all but the first line of a
/// statement, so: of the lines with an entry in a range, each must have run; a range without any belongs
/// to the statement that begins above it; a file that the report doesn't know was never loaded.
#[must_use]
pub fn judge_covered(
    lines: &BTreeMap<String, Vec<RangeInclusive<u32>>>,
    coverage: &Coverage,
    tool: &str,
) -> CheckResult {
    if coverage.is_empty() {
        let reason = format!("the coverage report ({tool}) has none of the repo's files");
        return result(Verdict::Inconclusive, reason);
    }
    let mut uncovered = Vec::new();
    let mut count = 0_usize;
    for (path, ranges) in lines {
        let mut missing = BTreeSet::new();
        for range in ranges {
            let Some(known) = coverage.file(path) else {
                missing.extend(range.clone());
                continue;
            };
            let mut any = false;
            for (line, ran) in known.range(range.clone()) {
                any = true;
                count += 1;
                if !ran {
                    missing.insert(*line);
                }
            }
            if !any {
                count += 1;
                let above = known.range(..*range.start()).next_back();
                if !above.is_some_and(|(_, ran)| *ran) {
                    missing.extend(range.clone());
                }
            }
        }
        let missing: Vec<_> = missing.into_iter().collect();
        uncovered.extend(shown(path, &missing));
    }
    if uncovered.is_empty() {
        return result(
            Verdict::Passed,
            format!("passing tests run all {count} changed lines that can run ({tool})"),
        );
    }
    uncovered.truncate(MAX_RANGES);
    let mut unsure = result(Verdict::Inconclusive, format!("no test runs {}", uncovered.join(", ")));
    unsure.details = uncovered;
    unsure
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(ranges: &[RangeInclusive<u32>], known: &[(u32, bool)]) -> CheckResult {
        let mut coverage = Coverage::default();
        coverage.add("other.py", 1, true);
        for (line, ran) in known {
            coverage.add("a.py", *line, *ran);
        }
        let lines = BTreeMap::from([("a.py".to_owned(), ranges.to_vec())]);
        judge_covered(&lines, &coverage, "tool")
    }

    #[test]
    fn lines_that_no_test_runs_are_named() {
        let found = judged(&[2..=4, 9..=9], &[(2, false), (3, false), (9, false)]);
        assert_eq!(found.verdict, Verdict::Inconclusive);
        assert_eq!(found.reason, "no test runs a.py:2-3, a.py:9");
        assert_eq!(judged(&[2..=3], &[(2, true), (3, false)]).reason, "no test runs a.py:3");
        assert_eq!(judged(&[2..=3], &[(2, true), (3, true)]).verdict, Verdict::Passed);
    }

    #[test]
    fn the_rest_of_a_statement_belongs_to_its_first_line() {
        assert_eq!(judged(&[3..=3], &[(2, true), (5, false)]).verdict, Verdict::Passed);
        assert_eq!(judged(&[3..=3], &[(2, false), (5, true)]).reason, "no test runs a.py:3");
        assert_eq!(judged(&[1..=1], &[(2, true)]).verdict, Verdict::Inconclusive);
    }

    #[test]
    fn a_file_that_was_never_loaded_is_not_covered() {
        assert_eq!(judged(&[3..=3], &[]).reason, "no test runs a.py:3");
    }
}
