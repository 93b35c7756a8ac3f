//! Findings in words.

use holdpoint_schemas::finding::Finding;

use crate::text::one_line;

/// Findings named one by one in a result.
pub(super) const MAX_NAMED: usize = 20;
/// New findings named in the one-line reason.
const MAX_IN_REASON: usize = 3;

pub(super) fn named<'a>(what: &str, findings: impl IntoIterator<Item = &'a Finding>) -> Vec<String> {
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
pub(super) fn place(finding: &Finding) -> String {
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

pub(super) fn join(texts: impl IntoIterator<Item = String>) -> String {
    let all: Vec<_> = texts.into_iter().collect();
    let more = all.len().saturating_sub(MAX_IN_REASON);
    let mut text = all.into_iter().take(MAX_IN_REASON).collect::<Vec<_>>().join(", ");
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    text
}

pub(super) fn count(n: usize, noun: &str) -> String {
    if n == 1 {
        format!("one {noun}")
    } else {
        format!("{n} {noun}s")
    }
}

pub(super) fn gone(n: usize) -> String {
    if n == 1 {
        "the finding is".to_owned()
    } else {
        format!("all {n} findings are")
    }
}
