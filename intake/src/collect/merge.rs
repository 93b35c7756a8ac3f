//! One finding out of several scanners' reports of the same thing.

use holdpoint_schemas::finding::{Component, Finding, FindingDetails, FindingSource, VexStatement};
use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;

use super::same;

/// Merges the findings of several reports of one repo and branch: one is left of each set that is about the same thing
/// (see [`super::groups`]). It keeps the identity of the least by scanner, rule and fingerprint, has the highest
/// severity, everything that any of them knows, and each of its sources in `details.also`. Where they contradict
/// each other it says what is worse, or nothing.
///
/// The result is sorted by scanner, rule and fingerprint: it doesn't hang on the order of the reports. Merging what
/// was merged changes nothing.
#[must_use]
pub fn merge(findings: Vec<Finding>) -> Vec<Finding> {
    // Two reports of one scan repeat its findings: the fingerprint alone says that they are one.
    let by_print = sets_by(&findings, |finding| finding.fingerprint.clone());
    let distinct = merged(findings, by_print);
    let same = same::sets(&distinct);
    let mut all = merged(distinct, same);
    all.sort_by(|a, b| order(a).cmp(&order(b)));
    all
}

fn sets_by<K: Eq + Hash>(findings: &[Finding], key: impl Fn(&Finding) -> K) -> Vec<Vec<usize>> {
    let mut sets: HashMap<K, Vec<usize>> = HashMap::with_capacity(findings.len());
    for (index, finding) in findings.iter().enumerate() {
        sets.entry(key(finding)).or_default().push(index);
    }
    sets.into_values().collect()
}

fn merged(findings: Vec<Finding>, sets: Vec<Vec<usize>>) -> Vec<Finding> {
    let mut findings: Vec<Option<Finding>> = findings.into_iter().map(Some).collect();
    let mut take = |index: usize| findings.get_mut(index).and_then(Option::take);
    let sets = sets
        .into_iter()
        .map(|set| set.into_iter().filter_map(&mut take).collect());
    sets.filter_map(one).collect()
}

/// What decides which of several stays: the first three for people, the others only so that nothing is left to chance.
fn order(finding: &Finding) -> impl Ord + '_ {
    let Finding {
        scanner,
        rule,
        fingerprint,
        ..
    } = finding;
    let rest = (
        &finding.location,
        &finding.component,
        &finding.iac_address,
        &finding.title,
        finding.class.as_str(),
    );
    ((scanner, rule, fingerprint), rest)
}

fn one(mut set: Vec<Finding>) -> Option<Finding> {
    set.sort_by(|a, b| order(a).cmp(&order(b)));
    if set.len() < 2 {
        return set.pop();
    }
    let mut primary = set.first()?.clone();
    primary.severity = set.iter().map(|finding| finding.severity).max()?;
    primary.cwes = union(set.iter().flat_map(|finding| &finding.cwes));
    // The other advisories' ids are names of this one; the other scanners' own rules aren't.
    let ids = set
        .iter()
        .map(|finding| &finding.rule)
        .filter(|rule| super::is_advisory_id(rule));
    let aliases = set.iter().flat_map(|finding| &finding.aliases).chain(ids);
    primary.aliases = union(aliases.filter(|alias| **alias != primary.rule));
    primary.component = component(&set);
    primary.location = set.iter().find_map(|finding| finding.location.clone());
    primary.iac_address = set.iter().find_map(|finding| finding.iac_address.clone());
    // Each list is in its ecosystem's order, which isn't that of the letters: others are put behind the first.
    primary.fixed_versions = super::bounded(set.iter().flat_map(|finding| &finding.fixed_versions).cloned());
    primary.details = details(&set);
    Some(primary)
}

fn union<'a>(texts: impl Iterator<Item = &'a String>) -> Vec<String> {
    texts.collect::<BTreeSet<_>>().into_iter().cloned().collect()
}

/// The first one, completed from the others: not every scanner gives a package URL.
fn component(set: &[Finding]) -> Option<Component> {
    let all = || set.iter().filter_map(|finding| finding.component.as_ref());
    let mut component = all().next()?.clone();
    component.purl = all().find_map(|known| known.purl.clone());
    component.version = all().find_map(|known| known.version.clone());
    Some(component)
}

fn details(set: &[Finding]) -> FindingDetails {
    let all = || set.iter().map(|finding| &finding.details);
    FindingDetails {
        cvss_vectors: union(all().flat_map(|details| &details.cvss_vectors)),
        cvss_tenths: all().filter_map(|details| details.cvss_tenths).max(),
        // Worse is what ships, and what is reached.
        scope: all().filter_map(|details| details.scope).max(),
        reached: all().filter_map(|details| details.reached).max(),
        direct: agreed(all().filter_map(|details| details.direct)),
        symbols: union(all().flat_map(|details| &details.symbols)),
        vex: all()
            .filter_map(|details| details.vex.as_ref())
            .min_by(|a, b| vex_order(a).cmp(&vex_order(b)))
            .cloned(),
        secret: agreed(all().filter_map(|details| details.secret.clone())),
        also: sources(set),
    }
}

/// What all say; `None` where nobody says anything, or they contradict each other.
fn agreed<T: PartialEq>(mut said: impl Iterator<Item = T>) -> Option<T> {
    let first = said.next()?;
    said.all(|other| other == first).then_some(first)
}

/// The least favourable status comes first; of equal ones, the one that ends first.
fn vex_order(statement: &VexStatement) -> impl Ord + '_ {
    let VexStatement {
        status,
        justification,
        author,
        at,
        until,
    } = statement;
    (*status, until.is_none(), *until, justification, author, *at)
}

/// Every source once. A finding that was merged already lists its own, with the severity that its scanner gave.
fn sources(set: &[Finding]) -> Vec<FindingSource> {
    let mut all: BTreeSet<FindingSource> = BTreeSet::new();
    for finding in set {
        all.extend(finding.details.also.iter().cloned());
        if finding.details.also.is_empty() {
            all.insert(FindingSource {
                scanner: finding.scanner.clone(),
                rule: finding.rule.clone(),
                severity: finding.severity,
                fingerprint: finding.fingerprint.clone(),
            });
        }
    }
    if all.len() < 2 {
        return Vec::new();
    }
    all.into_iter().collect()
}

#[cfg(test)]
mod tests;
