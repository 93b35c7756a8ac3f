//! What every lockfile says, whatever its format: packages with version, origin, hashes and needs.
//! Two of them differ by an upgrade when nothing but versions moves, and hashes with them.

use std::collections::{BTreeMap, BTreeSet};

use holdpoint_schemas::fix::{DependencyScope, Upgrade};

use super::{is_version, upgrade};
use crate::classify::node::Node;

/// One locked package.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub name: String,
    pub version: String,
    /// Where it comes from; the version within moves along.
    pub origin: BTreeSet<String>,
    pub hashes: BTreeSet<String>,
    /// Names of what it needs.
    pub needs: BTreeSet<String>,
    /// All else, which must stay.
    pub rest: String,
    pub scope: DependencyScope,
}

impl Entry {
    pub(super) fn new(name: &str, version: &str) -> Self {
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            origin: BTreeSet::new(),
            hashes: BTreeSet::new(),
            needs: BTreeSet::new(),
            rest: String::new(),
            scope: DependencyScope::Runtime,
        }
    }
}

/// The upgrades between two lockfiles, or what else differs.
pub(super) fn compare(ecosystem: &str, before: &[Entry], after: &[Entry]) -> Result<Vec<Upgrade>, String> {
    let (before, after) = (by_name(before), by_name(after));
    if let Some(name) = after.keys().find(|name| !before.contains_key(*name)) {
        return Err(format!("adds the dependency `{name}`"));
    }
    let mut upgrades = Vec::new();
    for (name, old) in before {
        let new = after.get(name).map(Vec::as_slice).unwrap_or_default();
        if old.len() != new.len() {
            return Err(format!("adds or removes a version of `{name}`"));
        }
        for (old, new) in old.iter().zip(new) {
            upgrades.extend(pair(ecosystem, old, new)?);
        }
    }
    Ok(upgrades)
}

fn by_name(entries: &[Entry]) -> BTreeMap<&str, Vec<&Entry>> {
    let mut found: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
    for entry in entries {
        found.entry(&entry.name).or_default().push(entry);
    }
    found
}

fn pair(ecosystem: &str, old: &Entry, new: &Entry) -> Result<Option<Upgrade>, String> {
    let name = &old.name;
    if old.needs != new.needs {
        return Err(format!("changes what `{name}` needs"));
    }
    if old.rest != new.rest || old.scope != new.scope {
        return Err(format!("changes more of `{name}` than its version"));
    }
    if !moves_along(&old.origin, &new.origin, &old.version, &new.version) {
        return Err(format!("changes where `{name}` comes from"));
    }
    if old.version == new.version {
        return match old.hashes == new.hashes {
            true => Ok(None),
            false => Err(format!("changes the hashes of `{name}` but not its version")),
        };
    }
    if !is_version(&old.version) || !is_version(&new.version) {
        return Err(format!("changes `{name}` to something that is no version"));
    }
    let fresh = old.hashes.is_disjoint(&new.hashes) && old.hashes.is_empty() == new.hashes.is_empty();
    let weaker = strength(&new.hashes) < strength(&old.hashes);
    if !fresh || weaker || !new.hashes.iter().all(|hash| is_hash(hash)) {
        return Err(format!("moves `{name}`, but its hashes don't move with it"));
    }
    Ok(Some(upgrade(ecosystem, name, &old.version, &new.version, new.scope)))
}

/// Whether addresses differ by the version alone, and by that only in what follows the host.
fn moves_along(before: &BTreeSet<String>, after: &BTreeSet<String>, from: &str, to: &str) -> bool {
    let moved: BTreeSet<String> = before.iter().map(|url| with_version(url, from, to)).collect();
    moved == *after
}

/// An address with another version in its path.
pub(super) fn with_version(url: &str, from: &str, to: &str) -> String {
    let host = match url.contains("://") {
        true => host(url).len(),
        false => 0,
    };
    let (host, path) = url.split_at_checked(host).unwrap_or((url, ""));
    format!("{host}{}", path.replace(from, to))
}

/// A digest in hexadecimal or base64, with or without its algorithm: as long as that makes it.
/// What names none is at least as long as SHA-1 in base64.
pub(super) fn is_hash(text: &str) -> bool {
    let (algorithm, digest) = text.split_once([':', '-']).unwrap_or(("", text));
    let bytes = match algorithm {
        "sha1" => 20,
        "sha256" => 32,
        "sha384" => 48,
        "sha512" => 64,
        _ => 0,
    };
    let digits = digest.trim_end_matches('=');
    let fits = bytes == 0 || digits.len() == bytes * 2 || digits.len() == (bytes * 8).div_ceil(6);
    digits.len() >= 27
        && fits
        && digits
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '-' | '_'))
}

/// Rank of the weakest algorithm that these hashes name: a tool may take any of them.
pub(super) fn strength<'a>(hashes: impl IntoIterator<Item = &'a String>) -> Option<usize> {
    let rank = |hash: &String| {
        let (algorithm, _) = hash.split_once([':', '-']).unwrap_or(("", hash));
        ["md5", "sha1", "h1", "sha256", "sha384", "sha512"]
            .iter()
            .position(|known| *known == algorithm)
            .map_or(0, |at| at + 1)
    };
    hashes.into_iter().map(rank).min()
}

/// A value as text, so that two can be compared; maps are in the order of their keys.
pub(super) fn shown<'a>(fields: impl IntoIterator<Item = (&'a String, &'a Node)>) -> String {
    fields
        .into_iter()
        .map(|(key, value)| format!("{key}: {value:?}\n"))
        .collect()
}

/// The names in a list of needs: keys of a map, or the `name` of each element.
pub(super) fn names(node: &Node) -> BTreeSet<String> {
    match node {
        Node::Map(map) => map.keys().cloned().collect(),
        Node::List(list) => list
            .iter()
            .map(|need| match need.get("name").unwrap_or(need) {
                Node::Text(text) => text.clone(),
                other => format!("{other:?}"),
            })
            .collect(),
        other => BTreeSet::from([format!("{other:?}")]),
    }
}

/// Scheme and host of a URL.
pub(super) fn host(url: &str) -> String {
    let end = url
        .find("://")
        .map(|at| at + 3)
        .and_then(|start| Some(start + url.get(start..)?.find('/')?));
    end.and_then(|end| url.get(..end)).unwrap_or(url).to_owned()
}
