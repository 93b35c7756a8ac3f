//! Two scans compared: the finding must be gone, and nothing new may appear. Pure.

use holdpoint_schemas::evidence::{CheckResult, Verdict};
use holdpoint_schemas::finding::{Finding, Fingerprint};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

use crate::text::one_line;

/// Findings named one by one in a result.
const MAX_NAMED: usize = 20;
/// New findings named in the one-line reason.
const MAX_IN_REASON: usize = 3;

/// What became of one finding, as in SARIF's `baselineState` (SARIF 2.1.0 §3.27.24).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Only in the newer scan.
    New,
    /// In both, the same.
    Unchanged,
    /// In both, but what is said about it differs.
    Updated,
    /// Only in the older scan.
    Absent,
}

impl State {
    /// The name that people and files use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Unchanged => "unchanged",
            Self::Updated => "updated",
            Self::Absent => "absent",
        }
    }
}

/// One finding of a comparison.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct StateOf {
    /// The finding: as it is in the newer scan, where it is there.
    pub fingerprint: Fingerprint,
    /// Its rule.
    pub rule: String,
    /// What became of it.
    pub state: State,
}

/// What became of every finding, in a stable order. Equal fingerprints are counted, so a second
/// occurrence of a known flaw is new.
#[must_use]
pub fn states(baseline: &[Finding], newer: &[Finding]) -> Vec<StateOf> {
    let mut before = by_fingerprint(baseline);
    let mut states = Vec::with_capacity(baseline.len().max(newer.len()));
    for finding in newer {
        let known = before.get_mut(&finding.fingerprint).filter(|list| !list.is_empty());
        let state = match known {
            None => State::New,
            Some(list) => {
                let same = list.iter().position(|old| says_the_same(old, finding));
                list.remove(same.unwrap_or(0));
                if same.is_some() {
                    State::Unchanged
                } else {
                    State::Updated
                }
            }
        };
        states.push(state_of(finding, state));
    }
    for finding in before.into_values().flatten() {
        states.push(state_of(finding, State::Absent));
    }
    states.sort();
    states
}

fn by_fingerprint(findings: &[Finding]) -> BTreeMap<&Fingerprint, Vec<&Finding>> {
    let mut map: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for finding in findings {
        map.entry(&finding.fingerprint).or_default().push(finding);
    }
    map
}

/// A line that only moved is no change: the fingerprint was made to survive that.
fn says_the_same(old: &Finding, new: &Finding) -> bool {
    let path = |finding: &Finding| finding.location.as_ref().map(|location| location.path.clone());
    old.rule == new.rule
        && old.severity == new.severity
        && old.title == new.title
        && old.component == new.component
        && old.fixed_versions == new.fixed_versions
        && path(old) == path(new)
}

fn state_of(finding: &Finding, state: State) -> StateOf {
    StateOf {
        fingerprint: finding.fingerprint.clone(),
        rule: finding.rule.clone(),
        state,
    }
}

/// Whether the fix resolved what it says and added nothing: the result, and the findings it added.
///
/// A finding that the re-scan doesn't see on the baseline either can't be shown to be gone
/// (infrastructure drift, for example, is in no source tree): that is inconclusive.
#[must_use]
pub fn compare(baseline: &[Finding], candidate: &[Finding], resolves: &[Finding]) -> (CheckResult, Vec<Finding>) {
    let added = added(baseline, candidate);
    let seen = |list: &[Finding], wanted: &Finding| list.iter().any(|f| f.fingerprint == wanted.fingerprint);
    let still_there: Vec<_> = resolves.iter().filter(|wanted| seen(candidate, wanted)).collect();
    let unseen: Vec<_> = resolves
        .iter()
        .filter(|wanted| !seen(baseline, wanted) && !seen(candidate, wanted))
        .collect();

    let mut details = Vec::new();
    details.extend(named("new", &added));
    details.extend(named("still there", still_there.iter().copied()));
    details.extend(named("not seen on the baseline either", unseen.iter().copied()));
    let (verdict, reason) = if !added.is_empty() {
        let names = join(added.iter().map(place));
        (
            Verdict::Failed,
            format!("the fix adds {}: {names}", count(added.len(), "new finding")),
        )
    } else if !still_there.is_empty() {
        (
            Verdict::Failed,
            format!(
                "the finding is still there: {}",
                join(still_there.iter().map(|f| place(f)))
            ),
        )
    } else if resolves.is_empty() {
        (
            Verdict::Inconclusive,
            "the fix names no finding that it resolves".to_owned(),
        )
    } else if !unseen.is_empty() {
        (Verdict::Inconclusive, unseen_reason(baseline, &unseen))
    } else {
        (
            Verdict::Passed,
            format!("{} gone and nothing new", gone(resolves.len())),
        )
    };
    (
        CheckResult {
            verdict,
            reason,
            details,
        },
        added,
    )
}

/// Findings of the candidate that the baseline hasn't, or hasn't as often.
fn added(baseline: &[Finding], candidate: &[Finding]) -> Vec<Finding> {
    let mut left: BTreeMap<_, usize> = BTreeMap::new();
    for finding in baseline {
        *left.entry(&finding.fingerprint).or_default() += 1;
    }
    let is_added = |finding: &&Finding| match left.get_mut(&finding.fingerprint) {
        Some(count) if *count > 0 => {
            *count -= 1;
            false
        }
        _ => true,
    };
    candidate.iter().filter(is_added).cloned().collect()
}

fn unseen_reason(baseline: &[Finding], unseen: &[&Finding]) -> String {
    let looked_at: BTreeSet<_> = baseline.iter().map(|finding| finding.class).collect();
    let classes: BTreeSet<_> = unseen.iter().map(|finding| finding.class).collect();
    let names = join(
        classes
            .difference(&looked_at)
            .map(|class| format!("`{}`", class.as_str())),
    );
    let places = join(unseen.iter().map(|finding| place(finding)));
    if names.is_empty() {
        format!("the re-scan does not see the finding on the baseline either: {places}")
    } else {
        format!("no re-scan looks at findings of the kind {names}: {places}")
    }
}

fn named<'a>(what: &str, findings: impl IntoIterator<Item = &'a Finding>) -> Vec<String> {
    let all: Vec<_> = findings.into_iter().collect();
    let mut lines: Vec<_> = all
        .iter()
        .take(MAX_NAMED)
        .map(|f| format!("{what}: {} ({})", place(f), one_line(&f.title)))
        .collect();
    if all.len() > MAX_NAMED {
        lines.push(format!("{what}: {} more", all.len() - MAX_NAMED));
    }
    lines
}

/// `rule at path:line`, as far as that is known.
fn place(finding: &Finding) -> String {
    let rule = one_line(&finding.rule);
    match (&finding.location, &finding.iac_address) {
        (Some(location), _) => match location.line {
            Some(line) => format!("{rule} at {}:{line}", one_line(&location.path)),
            None => format!("{rule} at {}", one_line(&location.path)),
        },
        (None, Some(address)) => format!("{rule} on {}", one_line(address)),
        (None, None) => rule,
    }
}

fn join(texts: impl IntoIterator<Item = String>) -> String {
    let all: Vec<_> = texts.into_iter().collect();
    let more = all.len().saturating_sub(MAX_IN_REASON);
    let mut text = all.into_iter().take(MAX_IN_REASON).collect::<Vec<_>>().join(", ");
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    text
}

fn count(n: usize, noun: &str) -> String {
    if n == 1 {
        format!("one {noun}")
    } else {
        format!("{n} {noun}s")
    }
}

fn gone(n: usize) -> String {
    if n == 1 {
        "the finding is".to_owned()
    } else {
        format!("all {n} findings are")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdpoint_schemas::finding::{FindingClass, Location, Severity};

    fn finding(rule: &str, key: &str, line: u32) -> Finding {
        Finding {
            fingerprint: Fingerprint::of([rule, key]),
            scanner: "bandit".to_owned(),
            rule: rule.to_owned(),
            title: format!("{rule} title"),
            severity: Severity::High,
            class: FindingClass::Code,
            cwes: Vec::new(),
            aliases: Vec::new(),
            component: None,
            location: Some(Location {
                path: format!("{key}.py"),
                line: Some(line),
            }),
            iac_address: None,
            fixed_versions: Vec::new(),
            details: holdpoint_schemas::finding::FindingDetails::default(),
        }
    }

    #[test]
    fn a_finding_that_is_gone_with_nothing_new_passes() {
        let md5 = finding("B324", "a", 3);
        let other = finding("B101", "b", 1);
        let (result, added) = compare(&[md5.clone(), other.clone()], &[other], &[md5]);
        assert_eq!(
            (result.verdict, result.reason.as_str()),
            (Verdict::Passed, "the finding is gone and nothing new")
        );
        assert!(added.is_empty());
    }

    #[test]
    fn a_new_finding_fails_and_is_named_with_its_place() {
        let md5 = finding("B324", "a", 3);
        let shell = finding("B602", "a", 9);
        let (result, added) = compare(
            std::slice::from_ref(&md5),
            std::slice::from_ref(&shell),
            std::slice::from_ref(&md5),
        );
        assert_eq!(result.verdict, Verdict::Failed);
        assert_eq!(result.reason, "the fix adds one new finding: B602 at a.py:9");
        assert_eq!(added, [shell]);
    }

    #[test]
    fn a_second_occurrence_of_a_known_flaw_is_new() {
        let md5 = finding("B324", "a", 3);
        let known = finding("B101", "b", 1);
        let again = finding("B101", "b", 7);
        let (result, added) = compare(&[md5.clone(), known.clone()], &[known, again], &[md5]);
        assert_eq!(result.verdict, Verdict::Failed);
        assert_eq!(added.len(), 1);
    }

    #[test]
    fn a_finding_that_stays_fails() {
        let md5 = finding("B324", "a", 3);
        let moved = finding("B324", "a", 8);
        let (result, _) = compare(std::slice::from_ref(&md5), &[moved], std::slice::from_ref(&md5));
        assert_eq!(result.verdict, Verdict::Failed);
        assert!(
            result.reason.starts_with("the finding is still there"),
            "{}",
            result.reason
        );
    }

    #[test]
    fn what_no_scanner_looks_for_is_inconclusive() {
        let mut drift = finding("drift", "main", 1);
        drift.class = FindingClass::Drift;
        let (result, _) = compare(&[finding("B101", "b", 1)], &[finding("B101", "b", 1)], &[drift]);
        assert_eq!(result.verdict, Verdict::Inconclusive);
        assert_eq!(
            result.reason,
            "no re-scan looks at findings of the kind `drift`: drift at main.py:1"
        );
    }

    #[test]
    fn resolving_nothing_is_inconclusive() {
        assert_eq!(compare(&[], &[], &[]).0.verdict, Verdict::Inconclusive);
    }

    #[test]
    fn hostile_titles_and_paths_are_cleaned_and_bounded() {
        let many: Vec<_> = (0..500)
            .map(|n| {
                let mut f = finding("R\x1b[2J", &n.to_string(), n);
                f.title = "x\u{7}\n".repeat(10_000);
                f
            })
            .collect();
        let (result, _) = compare(&[], &many, &[]);
        assert!(result.details.len() <= MAX_NAMED + 1);
        assert!(
            result
                .details
                .iter()
                .chain([&result.reason])
                .all(|t| t.len() < 2_000 && !t.contains('\u{1b}'))
        );
    }

    #[test]
    fn states_tell_new_unchanged_updated_and_absent_apart() {
        let stays = finding("A", "a", 1);
        let moved = finding("A", "a", 5);
        let worse_before = finding("B", "b", 1);
        let mut worse = worse_before.clone();
        worse.severity = Severity::Critical;
        let goes = finding("C", "c", 1);
        let comes = finding("D", "d", 1);
        let mut found: Vec<_> = states(&[stays, worse_before, goes], &[moved, worse, comes])
            .into_iter()
            .map(|state| (state.rule, state.state))
            .collect();
        found.sort();
        let rule = |name: &str| name.to_owned();
        assert_eq!(
            found,
            [
                (rule("A"), State::Unchanged),
                (rule("B"), State::Updated),
                (rule("C"), State::Absent),
                (rule("D"), State::New)
            ]
        );
    }
}
