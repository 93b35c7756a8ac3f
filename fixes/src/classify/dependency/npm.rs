//! `package.json` and `package-lock.json`.

use holdpoint_schemas::fix::{DependencyScope, Upgrade};

use super::{UNREADABLE, is_version, lock, moved_range, upgrade};
use crate::classify::FileView;
use crate::classify::node::{Difference, Node};

pub(super) fn manifest(_: &FileView<'_>, before: &str, after: &str) -> Result<Vec<Upgrade>, String> {
    let (before, after) = (
        Node::json(before).ok_or(UNREADABLE)?,
        Node::json(after).ok_or(UNREADABLE)?,
    );
    let mut upgrades = Vec::new();
    for difference in before.differences(&after)? {
        let path: Vec<&str> = difference.path.iter().map(String::as_str).collect();
        let scope = match path.as_slice() {
            ["dependencies" | "optionalDependencies", _] => DependencyScope::Runtime,
            ["devDependencies", _] => DependencyScope::Dev,
            _ => return Err(format!("changes `{}`, which is no dependency", difference.place())),
        };
        let (from, to) = texts(&difference)?;
        let (from, to) = moved_range(&difference.place(), from, to)?;
        upgrades.push(upgrade(
            "npm",
            path.last().copied().unwrap_or_default(),
            from,
            to,
            scope,
        ));
    }
    Ok(upgrades)
}

pub(super) fn lockfile(_: &FileView<'_>, before: &str, after: &str) -> Result<Vec<Upgrade>, String> {
    let (before, after) = (
        Node::json(before).ok_or(UNREADABLE)?,
        Node::json(after).ok_or(UNREADABLE)?,
    );
    let differences = before.differences(&after)?;
    let mut upgrades = Vec::new();
    for difference in &differences {
        let path: Vec<&str> = difference.path.iter().map(String::as_str).collect();
        let (from, to) = texts(difference)?;
        match path.as_slice() {
            // The root's and each package's own requirements mirror the manifests.
            [
                "packages",
                _,
                "dependencies" | "devDependencies" | "optionalDependencies" | "peerDependencies",
                _,
            ]
            | ["dependencies", _, "requires", _] => {
                moved_range(&difference.place(), from, to)?;
            }
            [.., package, "version"] if is_entry(&path) => {
                if !is_version(from) || !is_version(to) {
                    return Err(format!(
                        "changes `{}` to something that is no version",
                        difference.place()
                    ));
                }
                let integrity = |root| entry(root, &path).and_then(|entry| entry.get("integrity"));
                if integrity(&before).is_some() && integrity(&before) == integrity(&after) {
                    return Err(format!("moves `{}` but keeps its hash", difference.place()));
                }
                let entry = entry(&after, &path);
                let dev = entry.and_then(|entry| entry.get("dev")) == Some(&Node::Bool(true));
                let scope = if dev {
                    DependencyScope::Dev
                } else {
                    DependencyScope::Runtime
                };
                let name = package.rsplit("node_modules/").next().unwrap_or(package);
                upgrades.push(upgrade("npm", name, from, to, scope));
            }
            [.., "integrity"] if is_entry(&path) => {
                moved_version(&before, &after, &path)?;
                let hashes = |text: &str| -> Vec<String> { text.split_whitespace().map(str::to_owned).collect() };
                let (old, new) = (hashes(from), hashes(to));
                if new.is_empty() || !new.iter().all(|hash| lock::is_hash(hash)) {
                    return Err(format!("changes `{}` to something that is no hash", difference.place()));
                }
                if lock::strength(&new) < lock::strength(&old) {
                    return Err(format!("changes `{}` to a weaker hash", difference.place()));
                }
            }
            [.., "resolved"] if is_entry(&path) => {
                let (old, new) = moved_version(&before, &after, &path)?;
                if lock::with_version(from, &old, &new) != to {
                    return Err(format!("changes where `{}` comes from", difference.place()));
                }
            }
            _ => return Err(format!("changes `{}`, which is no version", difference.place())),
        }
    }
    Ok(upgrades)
}

/// Whether a path names a field of an installed package: not the repo itself, whose key is empty.
fn is_entry(path: &[&str]) -> bool {
    match path {
        ["packages", key, _] => key.contains("node_modules/"),
        ["dependencies", inner @ ..] => {
            // Version 1 nests: dependencies.a.dependencies.b.version.
            inner.len() % 2 == 0
                && inner
                    .iter()
                    .skip(1)
                    .step_by(2)
                    .rev()
                    .skip(1)
                    .all(|key| *key == "dependencies")
        }
        _ => false,
    }
}

fn entry<'a>(root: &'a Node, path: &[&str]) -> Option<&'a Node> {
    let (_, folders) = path.split_last()?;
    folders.iter().try_fold(root, |node, key| node.get(key))
}

/// The versions of a package on both sides: a hash or source may only move with the version.
fn moved_version(before: &Node, after: &Node, path: &[&str]) -> Result<(String, String), String> {
    let version = |root| {
        entry(root, path)
            .and_then(|entry| entry.get("version"))
            .and_then(Node::text)
            .map(str::to_owned)
    };
    match (version(before), version(after)) {
        (Some(old), Some(new)) if old != new => Ok((old, new)),
        _ => Err(format!("changes `{}` but not the version", path.join("."))),
    }
}

fn texts<'a>(difference: &Difference<'a>) -> Result<(&'a str, &'a str), String> {
    match (difference.before.text(), difference.after.text()) {
        (Some(before), Some(after)) => Ok((before, after)),
        _ => Err(format!("changes `{}`, which is no version", difference.place())),
    }
}
