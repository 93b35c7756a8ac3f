//! Two scans compared: the finding must be gone, and nothing new may appear. Pure.
//!
//! Findings are matched one to one: by their fingerprints where their code agrees, else by the code itself. What
//! moved, was renamed or reformatted is not new; whatever is in doubt is.

mod dependency;
mod matching;
mod place;
mod suppression;
mod words;

use holdpoint_schemas::evidence::{CheckResult, Verdict};
use holdpoint_schemas::finding::{Finding, Fingerprint};
use serde::Serialize;
use std::collections::BTreeSet;

use crate::code::{Code, Lang};
use crate::files::{self, Files, NoFiles};
use words::{count, gone, join, named, place as place_of};

pub use dependency::RULE as NEW_DEPENDENCY;
pub use matching::Side;
pub use suppression::RULE as SUPPRESSION_ADDED;

/// Shortest statement, in tokens, that is looked for in other files.
const MIN_HIDDEN: usize = 5;

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

/// What became of every finding by the reports alone, without their trees, in a stable order: fingerprints decide,
/// and one that is worse than before is new.
#[must_use]
pub fn states(baseline: &[Finding], newer: &[Finding]) -> Vec<StateOf> {
    let side = |findings| Side {
        findings,
        files: &NoFiles,
    };
    states_of(side(baseline), side(newer))
}

/// What became of every finding, in a stable order.
#[must_use]
pub fn states_of(baseline: Side<'_>, newer: Side<'_>) -> Vec<StateOf> {
    let pairs = matching::matched(baseline, newer);
    let known: BTreeSet<usize> = pairs.iter().flatten().copied().collect();
    let mut states = Vec::with_capacity(baseline.findings.len().max(newer.findings.len()));
    for (finding, pair) in newer.findings.iter().zip(pairs) {
        let state = match pair.and_then(|old| baseline.findings.get(old)) {
            None => State::New,
            Some(old) if says_the_same(old, finding) => State::Unchanged,
            Some(_) => State::Updated,
        };
        states.push(state_of(finding, state));
    }
    for (index, finding) in baseline.findings.iter().enumerate() {
        if !known.contains(&index) {
            states.push(state_of(finding, State::Absent));
        }
    }
    states.sort();
    states
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

/// Whether the fix resolved what it says and added nothing: the result, and the findings it added. Suppressions
/// ([`SUPPRESSION_ADDED`]) and packages ([`NEW_DEPENDENCY`]) that it brings in are findings, too.
///
/// A finding that the re-scan doesn't see on the baseline either can't be shown to be gone
/// (infrastructure drift, for example, is in no source tree): that is inconclusive.
#[must_use]
pub fn compare(baseline: Side<'_>, candidate: Side<'_>, resolves: &[Finding]) -> (CheckResult, Vec<Finding>) {
    let pairs = matching::matched(baseline, candidate);
    let is_new = candidate.findings.iter().zip(&pairs).filter(|(_, pair)| pair.is_none());
    let mut added: Vec<Finding> = is_new.map(|(finding, _)| finding.clone()).collect();
    added.extend(suppression::added(baseline.files, candidate.files, resolves));
    let packages = dependency::change(baseline.files, candidate.files, resolves);
    added.extend(packages.added);

    let seen = |list: &[Finding], wanted: &Finding| list.iter().any(|f| f.fingerprint == wanted.fingerprint);
    // As the candidate has it: code that moved is at another line there.
    let now = |wanted: &Finding| {
        let same = |finding: &&Finding| finding.fingerprint == wanted.fingerprint;
        let was = |index: usize| baseline.findings.get(index).is_some_and(|finding| same(&finding));
        let mut told = candidate.findings.iter().zip(&pairs);
        let moved = || told.find_map(|(finding, pair)| pair.is_some_and(was).then_some(finding));
        candidate.findings.iter().find(same).or_else(moved)
    };
    let still_there: Vec<_> = resolves.iter().filter_map(now).collect();
    let hidden = hidden(baseline, candidate, resolves);
    let unseen: Vec<_> = resolves
        .iter()
        .filter(|wanted| !seen(baseline.findings, wanted) && !seen(candidate.findings, wanted))
        .collect();

    let mut details = Vec::new();
    details.extend(named("new", &added));
    details.extend(named("still there", still_there.iter().copied()));
    details.extend(hidden.iter().cloned());
    details.extend(named("not seen on the baseline either", unseen.iter().copied()));
    details.extend(
        packages
            .unread
            .iter()
            .chain(&packages.upgraded)
            .take(words::MAX_NAMED)
            .cloned(),
    );
    let (verdict, reason) = if !added.is_empty() {
        let names = join(added.iter().map(place_of));
        (
            Verdict::Failed,
            format!("the fix adds {}: {names}", count(added.len(), "new finding")),
        )
    } else if !still_there.is_empty() {
        (
            Verdict::Failed,
            format!(
                "the finding is still there: {}",
                join(still_there.iter().map(|f| place_of(f)))
            ),
        )
    } else if let Some(first) = hidden.first() {
        (Verdict::Failed, first.clone())
    } else if resolves.is_empty() {
        (
            Verdict::Inconclusive,
            "the fix names no finding that it resolves".to_owned(),
        )
    } else if let Some(file) = packages.unread.first() {
        let reason = format!("new dependencies can't be told: {file}");
        (Verdict::Inconclusive, reason)
    } else if !unseen.is_empty() {
        (Verdict::Inconclusive, unseen_reason(baseline.findings, &unseen))
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

/// Code of findings to resolve that the fix put into another file, where the scanner doesn't report it: one line each.
fn hidden(baseline: Side<'_>, candidate: Side<'_>, resolves: &[Finding]) -> Vec<String> {
    let wanted: BTreeSet<&Fingerprint> = resolves.iter().map(|finding| &finding.fingerprint).collect();
    let findings = || {
        baseline
            .findings
            .iter()
            .filter(|finding| wanted.contains(&finding.fingerprint))
    };
    let own: Vec<Finding> = findings().cloned().collect();
    let places = place::Places::of(Side {
        findings: &own,
        files: baseline.files,
    });
    let statements: Vec<_> = own
        .iter()
        .enumerate()
        .filter_map(|(index, finding)| Some((finding, places.statement(index)?)))
        .filter(|(_, statement)| statement.len() >= MIN_HIDDEN)
        .collect();
    if statements.is_empty() {
        return Vec::new();
    }
    let mut lines = Vec::new();
    for path in files::changed(baseline.files, candidate.files) {
        for (finding, statement) in &statements {
            if finding.location.as_ref().is_some_and(|location| location.path == path) {
                continue;
            }
            let times = |files: &dyn Files| {
                files
                    .file(path)
                    .text()
                    .map_or(0, |text| occurrences(text, path, statement))
            };
            if times(candidate.files) > times(baseline.files) {
                lines.push(format!(
                    "the finding's code moved to where the scanner doesn't report it: {} is now in {}",
                    place_of(finding),
                    crate::text::one_line(path)
                ));
            }
        }
    }
    lines.truncate(words::MAX_NAMED);
    lines
}

fn occurrences(text: &str, path: &str, statement: &[&str]) -> usize {
    let Some(code) = Code::of(text, Lang::of(path)) else {
        return 0;
    };
    let texts: Vec<&str> = code.parts.iter().map(|part| part.token.text).collect();
    texts
        .windows(statement.len())
        .filter(|window| *window == statement)
        .count()
}

fn unseen_reason(baseline: &[Finding], unseen: &[&Finding]) -> String {
    let looked_at: BTreeSet<_> = baseline.iter().map(|finding| finding.class).collect();
    let classes: BTreeSet<_> = unseen.iter().map(|finding| finding.class).collect();
    let names = join(
        classes
            .difference(&looked_at)
            .map(|class| format!("`{}`", class.as_str())),
    );
    let places = join(unseen.iter().map(|finding| place_of(finding)));
    if names.is_empty() {
        format!("the re-scan does not see the finding on the baseline either: {places}")
    } else {
        format!("no re-scan looks at findings of the kind {names}: {places}")
    }
}

#[cfg(test)]
mod law_tests;
#[cfg(test)]
mod move_tests;
#[cfg(test)]
mod tests;
