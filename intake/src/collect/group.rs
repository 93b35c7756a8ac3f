//! Findings of one report that are about the same thing.

use holdpoint_schemas::finding::{Finding, Fingerprint};
use std::collections::BTreeSet;

use super::same;

/// Findings that are about the same thing: one component and version with a shared advisory id, or one place with a
/// shared CWE or rule name. Only groups of two or more; each finding is in one group at most.
#[must_use]
pub fn groups(findings: &[Finding]) -> Vec<Vec<Fingerprint>> {
    let several = same::sets(findings).into_iter().filter(|set| set.len() > 1);
    let prints = several.map(|set| {
        let members = set.into_iter().filter_map(|index| findings.get(index));
        members
            .map(|finding| finding.fingerprint.clone())
            .collect::<BTreeSet<_>>()
    });
    prints
        .filter(|group| group.len() > 1)
        .map(|group| group.into_iter().collect())
        .collect()
}
