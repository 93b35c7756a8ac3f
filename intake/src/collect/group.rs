//! Which findings are about the same thing, though several scanners or rules reported them.

use holdpoint_schemas::finding::{Finding, Fingerprint};
use std::collections::{BTreeMap, BTreeSet};

/// Findings that are equal: the same package and version with a shared advisory id, or the same
/// line with a shared CWE. Only groups of two or more; each finding is in one group at most.
#[must_use]
pub fn groups(findings: &[Finding]) -> Vec<Vec<Fingerprint>> {
    let mut parent: Vec<usize> = (0..findings.len()).collect();
    let mut first_with: BTreeMap<String, usize> = BTreeMap::new();
    for (index, finding) in findings.iter().enumerate() {
        for key in keys(finding) {
            let other = *first_with.entry(key).or_insert(index);
            join(&mut parent, index, other);
        }
    }
    let mut members: BTreeMap<usize, BTreeSet<&Fingerprint>> = BTreeMap::new();
    for (index, finding) in findings.iter().enumerate() {
        members
            .entry(root(&mut parent, index))
            .or_default()
            .insert(&finding.fingerprint);
    }
    let several = members.into_values().filter(|group| group.len() > 1);
    several.map(|group| group.into_iter().cloned().collect()).collect()
}

fn keys(finding: &Finding) -> Vec<String> {
    let path = finding.location.as_ref().map_or("", |l| l.path.as_str());
    if let Some(component) = &finding.component {
        let package = super::text::package_key(component);
        let version = component.version.as_deref().unwrap_or_default();
        let ids = finding.aliases.iter().chain([&finding.rule]);
        return ids
            .map(|id| format!("{package}\0{version}\0{path}\0{}", id.to_ascii_lowercase()))
            .collect();
    }
    match finding.location.as_ref().and_then(|l| l.line) {
        Some(line) => finding
            .cwes
            .iter()
            .map(|cwe| format!("{path}\0{line}\0{cwe}"))
            .collect(),
        None => Vec::new(),
    }
}

fn join(parent: &mut [usize], a: usize, b: usize) {
    let (a, b) = (root(parent, a), root(parent, b));
    if let Some(slot) = parent.get_mut(a.max(b)) {
        *slot = a.min(b);
    }
}

fn root(parent: &mut [usize], start: usize) -> usize {
    let mut node = start;
    while let Some(up) = parent.get(node).copied().filter(|up| *up != node) {
        // Halving the path keeps later look-ups short.
        let further = parent.get(up).copied().unwrap_or(up);
        if let Some(slot) = parent.get_mut(node) {
            *slot = further;
        }
        node = further;
    }
    node
}
