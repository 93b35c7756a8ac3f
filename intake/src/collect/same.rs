//! Which findings are about the same thing, though several scanners or rules reported them.
//!
//! A component's vulnerability is known by its advisory ids, and a flaw in a file by its place. What isn't known
//! (a version, a path, which secret it is) may be anything: then a finding belongs to the others of its family if
//! that leaves no choice, and stands with its like if it does.

use holdpoint_schemas::finding::{Component, Finding};
use std::collections::{BTreeMap, HashMap};

/// Sets of findings (by index) that are about the same thing; each finding is in exactly one.
///
/// The same thing is: one component, as far as version and path are known, with a shared advisory id in any case; or
/// one class at one place (a line, or a resource) with a shared CWE, advisory id or rule name. Sharing is passed on:
/// two that share an id with a third share it with each other. The time is near-linear.
pub fn sets(findings: &[Finding]) -> Vec<Vec<usize>> {
    let known = [purl_type, version, path, secret];
    let mut sets = families(findings);
    for known in known {
        sets = sets.into_iter().flat_map(|set| split(findings, set, known)).collect();
    }
    sets
}

/// Findings that share a key, directly or through others.
fn families(findings: &[Finding]) -> Vec<Vec<usize>> {
    let mut parent: Vec<usize> = (0..findings.len()).collect();
    let mut first_with: HashMap<String, usize> = HashMap::with_capacity(findings.len());
    for (index, finding) in findings.iter().enumerate() {
        for key in keys(finding) {
            let other = *first_with.entry(key).or_insert(index);
            join(&mut parent, index, other);
        }
    }
    let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for index in 0..findings.len() {
        members.entry(root(&mut parent, index)).or_default().push(index);
    }
    members.into_values().collect()
}

/// Takes apart what is known to differ. What isn't known stays with the only value there is, else with its like.
fn split(findings: &[Finding], set: Vec<usize>, known: fn(&Finding) -> Option<String>) -> Vec<Vec<usize>> {
    if set.len() < 2 {
        return vec![set];
    }
    let mut parts: BTreeMap<Option<String>, Vec<usize>> = BTreeMap::new();
    for index in &set {
        parts
            .entry(findings.get(*index).and_then(known))
            .or_default()
            .push(*index);
    }
    let values = parts.keys().flatten().count();
    if values < 2 {
        vec![set]
    } else {
        parts.into_values().collect()
    }
}

fn keys(finding: &Finding) -> Vec<String> {
    // The rules of what was merged into it are its names too.
    let merged = finding.details.also.iter().map(|source| &source.rule);
    let ids = finding
        .aliases
        .iter()
        .chain([&finding.rule])
        .chain(merged)
        .map(|id| id.to_ascii_lowercase());
    if let Some(component) = &finding.component {
        let package = package_name(component);
        return ids.map(|id| format!("{package}\0{id}")).collect();
    }
    let Some(place) = place(finding) else { return Vec::new() };
    let class = finding.class.as_str();
    let cwes = finding.cwes.iter().cloned();
    let names = ids.map(|id| rule_name(&id).to_owned());
    cwes.chain(names)
        .map(|shared| format!("{class}\0{place}\0{shared}"))
        .collect()
}

/// The resource where it is known, else the line. One of them, so that merging findings never moves them to a place at
/// which they meet others.
fn place(finding: &Finding) -> Option<String> {
    let path = finding.location.as_ref().map_or("", |location| location.path.as_str());
    if let Some(address) = &finding.iac_address {
        return Some(format!("{path}\0{address}"));
    }
    let line = finding.location.as_ref()?.line?;
    Some(format!("{path}\0{line}"))
}

/// A rule's own name, without the folders and packs before it: `B303` from `gitlab.bandit.B303`.
fn rule_name(rule: &str) -> &str {
    rule.rsplit(['.', '/', ':'])
        .find(|part| !part.is_empty())
        .unwrap_or(rule)
}

/// A package's name as any scanner writes it: without case, a distribution's namespace, a version, and the differences
/// between `group:artifact` and `group/artifact`, `my_pkg` and `my-pkg`.
fn package_name(component: &Component) -> String {
    let (kind, path) = match component.purl.as_deref().and_then(purl_parts) {
        Some((kind, path)) => (kind, path),
        None => ("", component.name.as_str()),
    };
    let path = match kind {
        "deb" | "apk" | "rpm" | "alpm" => path.rsplit('/').next().unwrap_or(path),
        _ => path,
    };
    let unescaped = path.replace("%40", "@").replace("%2F", "/").replace("%2f", "/");
    let mut name = String::with_capacity(unescaped.len());
    for c in unescaped.trim().chars() {
        match c {
            ':' => name.push('/'),
            '_' | '.' | '-' if name.ends_with('-') => {}
            '_' | '.' => name.push('-'),
            c => name.extend(c.to_lowercase()),
        }
    }
    name
}

/// Type and path (namespace and name) of a package URL (purl-spec), without version, qualifiers and subpath.
fn purl_parts(purl: &str) -> Option<(&str, &str)> {
    let plain = purl.split(['?', '#']).next().unwrap_or(purl);
    let (kind, path) = plain.strip_prefix("pkg:")?.trim_start_matches('/').split_once('/')?;
    // A scope may begin with `@`, so a version is what follows an `@` after the last slash.
    let version_at = path
        .rfind('@')
        .filter(|at| *at > path.rfind('/').map_or(0, |slash| slash + 1));
    Some((kind, version_at.and_then(|at| path.get(..at)).unwrap_or(path)))
}

fn purl_type(finding: &Finding) -> Option<String> {
    let purl = finding.component.as_ref()?.purl.as_deref()?;
    Some(purl_parts(purl)?.0.to_ascii_lowercase())
}

/// Without the `v` that Go puts before it and other tools leave out.
fn version(finding: &Finding) -> Option<String> {
    let version = finding.component.as_ref()?.version.as_deref()?.trim();
    let bare = version
        .strip_prefix(['v', 'V'])
        .filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    Some(bare.unwrap_or(version).to_ascii_lowercase()).filter(|version| !version.is_empty())
}

fn path(finding: &Finding) -> Option<String> {
    Some(finding.location.as_ref()?.path.clone())
}

fn secret(finding: &Finding) -> Option<String> {
    Some(finding.details.secret.as_ref()?.as_str().to_owned())
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

#[cfg(test)]
mod tests {
    use super::*;

    fn name(purl: Option<&str>, name: &str) -> String {
        package_name(&Component {
            purl: purl.map(str::to_owned),
            name: name.to_owned(),
            version: None,
        })
    }

    #[test]
    fn a_package_has_one_name_however_it_is_written() {
        assert_eq!(
            name(Some("pkg:npm/%40Babel/core@7.0.0?x=y"), ""),
            name(None, "@babel/core")
        );
        assert_eq!(name(Some("pkg:npm/@babel/core"), ""), name(None, "@babel/core"));
        assert_eq!(name(Some("pkg:maven/org.x/y@1"), ""), name(None, "org.x:y"));
        assert_eq!(
            name(Some("pkg:deb/debian/libc6@2.28?arch=amd64"), ""),
            name(None, "libc6")
        );
        assert_eq!(name(None, "Flask__Foo"), name(None, "flask-foo"));
        assert_ne!(name(None, "golang.org/x/text"), name(None, "golang.org/x/net"));
    }
}
