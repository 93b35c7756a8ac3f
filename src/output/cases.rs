//! What became of a pack's test cases.

use holdpoint_engine::cases::CaseResult;
use holdpoint_engine::policy::Pack;
use holdpoint_schemas::decision::Bound;
use serde::Serialize;
use std::fmt::Write as _;

use super::text::{clause, clean, count};
use crate::pipeline::cases::Asked;

/// Names the shape; a change that isn't an addition gets another number.
const TEST_FORMAT: &str = "holdpoint.policy-test/1";
/// Most policies that are named for each case.
const MAX_POLICIES: usize = 5;

/// The cases of a pack, for machines.
#[derive(Debug, Serialize)]
pub struct TestDocument<'a> {
    /// `holdpoint.policy-test/1`.
    pub format: &'static str,
    /// Pack.
    pub pack: &'a str,
    /// How many cases passed.
    pub passed: usize,
    /// How many didn't.
    pub failed: usize,
    /// Each case, in the order of their files.
    pub cases: Vec<CaseDocument<'a>>,
}

/// A case, for machines.
#[derive(Debug, Serialize)]
pub struct CaseDocument<'a> {
    /// Whether everything came as expected.
    pub passed: bool,
    /// What came.
    #[serde(flatten)]
    pub result: &'a CaseResult,
}

impl<'a> TestDocument<'a> {
    /// The document of a pack's cases.
    #[must_use]
    pub fn of(pack: &'a str, asked: &'a [Asked]) -> Self {
        let passed = asked.iter().filter(|asked| asked.result.passed()).count();
        Self {
            format: TEST_FORMAT,
            pack,
            passed,
            failed: asked.len() - passed,
            cases: asked
                .iter()
                .map(|asked| CaseDocument {
                    passed: asked.result.passed(),
                    result: &asked.result,
                })
                .collect(),
        }
    }
}

/// The failing cases with what decided them, and a line that sums up.
#[must_use]
pub fn human(pack: &Pack, asked: &[Asked]) -> String {
    let mut text = String::new();
    let failing: Vec<&Asked> = asked.iter().filter(|asked| !asked.result.passed()).collect();
    for asked in &failing {
        let _ = writeln!(text, "{}", clean(&headline(&asked.result)));
        for line in details(pack, asked) {
            let _ = writeln!(text, "    {}", clean(&line));
        }
        text.push('\n');
    }
    let cases = count(asked.len(), "case", "cases");
    let name = pack.name();
    let _ = match failing.len() {
        0 => writeln!(text, "pack `{name}`: {cases}, all as expected"),
        failing => writeln!(text, "pack `{name}`: {cases}, {failing} not as expected"),
    };
    text
}

fn headline(result: &CaseResult) -> String {
    format!("{}:{}  {}", result.path, result.line, result.name)
}

/// What isn't as expected, then the policies that made it so.
pub fn details(pack: &Pack, asked: &Asked) -> Vec<String> {
    let result = &asked.result;
    let assessment = &result.assessment;
    let expected = &asked.case.case;
    let mut lines = result.failures.clone();
    if expected.is_about_level() {
        lines.extend(permits(pack, assessment.level.as_str(), &assessment.permitted_by));
        lines.extend(withholds(&assessment.bounds, |bound| bound.withholds.as_str()));
    }
    if expected.is_about_promotion() {
        lines.extend(permits(pack, "promotion", &assessment.promote_permitted_by));
        lines.extend(withholds(&assessment.promote_bounds, |_| "promotion"));
    }
    lines
}

fn permits(pack: &Pack, what: &str, ids: &[String]) -> Vec<String> {
    let line = |id: &String| {
        let reason = pack.policy(id).map_or("", |policy| policy.reason.as_str());
        format!("{what} is permitted by `{id}`: {}", clause(reason))
    };
    shorten(ids.iter().map(line).collect())
}

fn withholds(bounds: &[Bound], what: impl Fn(&Bound) -> &'static str) -> Vec<String> {
    let line = |bound: &Bound| {
        format!(
            "{} is withheld by `{}`: {}",
            what(bound),
            bound.id,
            clause(&bound.reason)
        )
    };
    shorten(bounds.iter().map(line).collect())
}

fn shorten(mut lines: Vec<String>) -> Vec<String> {
    let more = lines.len().saturating_sub(MAX_POLICIES);
    if more > 0 {
        lines.truncate(MAX_POLICIES);
        lines.push(format!("… and {more} more"));
    }
    lines
}
