//! Comments that silence a scanner: a fix that adds one may only hide the finding.

use holdpoint_schemas::fix::FileChange;

/// Markers of common scanners and linters, lower case.
const MARKERS: [&str; 17] = [
    "nosec",
    "nosemgrep",
    "noqa",
    "nolint",
    "pragma: no cover",
    "checkov:skip",
    "tfsec:ignore",
    "trivy:ignore",
    "kics-scan",
    "eslint-disable",
    "lgtm[",
    "codeql[",
    "nosonar",
    "snyk:ignore",
    "gitleaks:allow",
    "pragma: allowlist",
    "type: ignore",
];

/// A marker that the change adds: more often on added lines than on removed ones.
pub(super) fn added(change: &FileChange) -> Option<&'static str> {
    let count = |lines: &[(u32, String)], marker: &str| {
        lines
            .iter()
            .filter(|(_, line)| line.to_ascii_lowercase().contains(marker))
            .count()
    };
    MARKERS
        .into_iter()
        .find(|marker| count(&change.added, marker) > count(&change.removed, marker))
}
