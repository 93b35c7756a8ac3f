//! `composer.json`, `composer.lock` and NuGet's `packages.lock.json`.

use holdpoint_schemas::fix::{DependencyScope, Upgrade};

use super::lock::{self, Entry};
use super::{UNREADABLE, moved_range, upgrade};
use crate::classify::FileView;
use crate::classify::node::Node;

pub(super) fn composer(_: &FileView<'_>, before: &str, after: &str) -> Result<Vec<Upgrade>, String> {
    let (before, after) = (
        Node::json(before).ok_or(UNREADABLE)?,
        Node::json(after).ok_or(UNREADABLE)?,
    );
    let mut upgrades = Vec::new();
    for difference in before.differences(&after)? {
        let path: Vec<&str> = difference.path.iter().map(String::as_str).collect();
        let other = || format!("changes `{}`, which is no dependency", difference.place());
        let (scope, package) = match path.as_slice() {
            ["require", package] if package.contains('/') => (DependencyScope::Runtime, package),
            ["require-dev", package] if package.contains('/') => (DependencyScope::Dev, package),
            _ => return Err(other()),
        };
        let (from, to) = difference
            .before
            .text()
            .zip(difference.after.text())
            .ok_or_else(other)?;
        let (from, to) = moved_range(&difference.place(), from, to)?;
        upgrades.push(upgrade("composer", package, from, to, scope));
    }
    Ok(upgrades)
}

pub(super) fn composer_lock(_: &FileView<'_>, before: &str, after: &str) -> Result<Vec<Upgrade>, String> {
    let (before, after) = (
        Node::json(before).ok_or(UNREADABLE)?,
        Node::json(after).ok_or(UNREADABLE)?,
    );
    let ((before, old_rest), (after, new_rest)) = (composer_entries(&before)?, composer_entries(&after)?);
    if old_rest != new_rest {
        return Err("changes more than locked packages".to_owned());
    }
    lock::compare("composer", &before, &after)
}

fn composer_entries(root: &Node) -> Result<(Vec<Entry>, String), String> {
    let Node::Map(map) = root else {
        return Err(UNREADABLE.to_owned());
    };
    let (mut found, mut rest) = (Vec::new(), String::new());
    for (section, node) in map {
        match (section.as_str(), node) {
            ("packages" | "packages-dev", Node::List(packages)) => {
                for package in packages {
                    found.push(composer_entry(section, package)?);
                }
            }
            ("content-hash", _) => {}
            _ => rest.push_str(&lock::shown([(section, node)])),
        }
    }
    Ok((found, rest))
}

fn composer_entry(section: &str, node: &Node) -> Result<Entry, String> {
    let text = |key| node.get(key).and_then(Node::text);
    let (Some(name), Some(version), Node::Map(fields)) = (text("name"), text("version"), node) else {
        return Err("has a package without name or version".to_owned());
    };
    let mut entry = Entry::new(name, version.trim_start_matches('v'));
    for (key, value) in fields {
        match (key.as_str(), value) {
            (
                "name" | "version" | "time" | "description" | "support" | "keywords" | "authors" | "homepage"
                | "funding",
                _,
            ) => {}
            ("require", needs) => entry.needs.extend(lock::names(needs)),
            // The commit is the hash of what is fetched; it stands in the URL too.
            ("source" | "dist", Node::Map(origin)) => {
                let commit = value.get("reference").and_then(Node::text).unwrap_or("?");
                entry.hashes.insert(commit.to_owned());
                for (key, value) in origin
                    .iter()
                    .filter(|(key, _)| !matches!(key.as_str(), "reference" | "shasum"))
                {
                    let value = value.text().unwrap_or("?").replace(commit, "{commit}");
                    entry.origin.insert(format!("{key} {value}"));
                }
            }
            _ => entry.rest.push_str(&lock::shown([(key, value)])),
        }
    }
    if section == "packages-dev" {
        entry.scope = DependencyScope::Dev;
    }
    Ok(entry)
}

pub(super) fn nuget_lock(_: &FileView<'_>, before: &str, after: &str) -> Result<Vec<Upgrade>, String> {
    let read = |text: &str| -> Result<Vec<Entry>, String> {
        let root = Node::json(text).ok_or(UNREADABLE)?;
        let Some(Node::Map(targets)) = root.get("dependencies") else {
            return Err(UNREADABLE.to_owned());
        };
        let mut found = Vec::new();
        for (target, packages) in targets {
            let Node::Map(packages) = packages else {
                return Err(UNREADABLE.to_owned());
            };
            for (name, node) in packages {
                let text = |key| node.get(key).and_then(Node::text);
                let mut entry = Entry::new(&format!("{name} {target}"), text("resolved").unwrap_or_default());
                entry.hashes.extend(text("contentHash").map(str::to_owned));
                entry
                    .needs
                    .extend(node.get("dependencies").map(lock::names).unwrap_or_default());
                entry.rest = text("type").unwrap_or_default().to_owned();
                found.push(entry);
            }
        }
        Ok(found)
    };
    let mut upgrades = lock::compare("nuget", &read(before)?, &read(after)?)?;
    for upgrade in &mut upgrades {
        upgrade.package = upgrade.package.split(' ').next().unwrap_or_default().to_owned();
    }
    Ok(upgrades)
}

/// Gradle's version catalogue.
pub(super) fn gradle_catalogue(_: &FileView<'_>, before: &str, after: &str) -> Result<Vec<Upgrade>, String> {
    let (before, after) = (
        Node::toml(before).ok_or(UNREADABLE)?,
        Node::toml(after).ok_or(UNREADABLE)?,
    );
    let mut upgrades = Vec::new();
    for difference in before.differences(&after)? {
        let path: Vec<&str> = difference.path.iter().map(String::as_str).collect();
        let name = match path.as_slice() {
            ["versions", name] | ["libraries" | "plugins", name, "version"] => name,
            _ => return Err(format!("changes `{}`, which is no version", difference.place())),
        };
        let texts = difference.before.text().zip(difference.after.text());
        let (from, to) = texts.ok_or_else(|| format!("changes `{}`, which is no version", difference.place()))?;
        let (from, to) = moved_range(&difference.place(), from, to)?;
        upgrades.push(upgrade("maven", name, from, to, DependencyScope::Runtime));
    }
    Ok(upgrades)
}
