//! `poetry.lock`, `uv.lock`, `Pipfile.lock` and `pyproject.toml`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use holdpoint_schemas::fix::{DependencyScope, Upgrade};
use regex::Regex;

use super::lock::{self, Entry};
use super::{UNREADABLE, moved_range, upgrade};
use crate::classify::FileView;
use crate::classify::node::Node;

/// `poetry.lock` and `uv.lock`.
pub(super) fn toml_lock(_: &FileView<'_>, before: &str, after: &str) -> Result<Vec<Upgrade>, String> {
    let (before, after) = (
        Node::toml(before).ok_or(UNREADABLE)?,
        Node::toml(after).ok_or(UNREADABLE)?,
    );
    if frame(&before) != frame(&after) {
        return Err("changes more than locked packages".to_owned());
    }
    lock::compare("pypi", &entries(&before)?, &entries(&after)?)
}

/// All but the packages and the hash of the manifest.
fn frame(root: &Node) -> String {
    let Node::Map(map) = root else { return String::new() };
    let mut map = map.clone();
    map.remove("package");
    if let Some(Node::Map(metadata)) = map.get_mut("metadata") {
        metadata.remove("content-hash");
    }
    lock::shown(&map)
}

fn entries(root: &Node) -> Result<Vec<Entry>, String> {
    let Some(Node::List(packages)) = root.get("package") else {
        return Err("has no list of packages".to_owned());
    };
    packages.iter().map(entry).collect()
}

fn entry(node: &Node) -> Result<Entry, String> {
    let text = |key| node.get(key).and_then(Node::text);
    let name = text("name").ok_or("has a package without a name")?;
    // The repo's own package has none in uv.lock.
    let mut entry = Entry::new(name, text("version").unwrap_or_default());
    let Node::Map(fields) = node else {
        return Err("has a package that is no table".to_owned());
    };
    let mut rest = BTreeMap::new();
    for (key, value) in fields {
        match (key.as_str(), value) {
            ("name" | "version" | "description", _) => {}
            ("dependencies" | "requires-dist", needs) => entry.needs.extend(lock::names(needs)),
            ("files" | "wheels", Node::List(files)) => files.iter().for_each(|file| artefact(&mut entry, file)),
            ("sdist", file) => artefact(&mut entry, file),
            _ => {
                rest.insert(key.clone(), value.clone());
            }
        }
    }
    let dev = text("category") == Some("dev")
        || node
            .get("groups")
            .is_some_and(|groups| lock::names(groups).iter().all(|group| group != "main"));
    if dev {
        entry.scope = DependencyScope::Dev;
    }
    entry.rest = lock::shown(&rest);
    Ok(entry)
}

/// A wheel or source archive: its hash, and its host if its file is named after the package.
fn artefact(entry: &mut Entry, file: &Node) {
    let text = |key| file.get(key).and_then(Node::text);
    entry.hashes.extend(text("hash").map(str::to_owned));
    if text("hash").is_none() {
        entry.rest.push_str("a file without a hash\n");
    }
    let Some(url) = text("url").or(text("file")) else {
        return;
    };
    let plain = |text: &str| text.to_lowercase().replace(['-', '.'], "_");
    let fits = url
        .rsplit('/')
        .next()
        .is_some_and(|file| plain(file).starts_with(&format!("{}_{}", plain(&entry.name), plain(&entry.version))));
    let place = if url.contains("://") {
        lock::host(url)
    } else {
        String::new()
    };
    entry.origin.insert(if fits { place } else { url.to_owned() });
}

pub(super) fn pipfile_lock(_: &FileView<'_>, before: &str, after: &str) -> Result<Vec<Upgrade>, String> {
    let (before, after) = (
        Node::json(before).ok_or(UNREADABLE)?,
        Node::json(after).ok_or(UNREADABLE)?,
    );
    let sections = |root: &Node| -> Result<(Vec<Entry>, String), String> {
        let Node::Map(map) = root else {
            return Err(UNREADABLE.to_owned());
        };
        let (mut found, mut rest) = (Vec::new(), String::new());
        for (section, node) in map {
            match (section.as_str(), node) {
                ("default" | "develop", Node::Map(packages)) => {
                    for (name, node) in packages {
                        found.push(pipfile_entry(section, name, node)?);
                    }
                }
                ("_meta", Node::Map(meta)) => {
                    rest.push_str(&lock::shown(meta.iter().filter(|(key, _)| *key != "hash")));
                }
                _ => rest.push_str(&lock::shown([(section, node)])),
            }
        }
        Ok((found, rest))
    };
    let ((before, old_rest), (after, new_rest)) = (sections(&before)?, sections(&after)?);
    if old_rest != new_rest {
        return Err("changes more than locked packages".to_owned());
    }
    lock::compare("pypi", &before, &after)
}

fn pipfile_entry(section: &str, name: &str, node: &Node) -> Result<Entry, String> {
    let Node::Map(fields) = node else {
        return Err(format!("locks `{name}` in a way that isn't known"));
    };
    let version = node
        .get("version")
        .and_then(Node::text)
        .and_then(|version| version.strip_prefix("=="));
    let mut entry = Entry::new(name, version.unwrap_or_default());
    entry
        .hashes
        .extend(node.get("hashes").map(lock::names).unwrap_or_default());
    entry.rest = lock::shown(
        fields
            .iter()
            .filter(|(key, _)| !matches!(key.as_str(), "version" | "hashes")),
    );
    if section == "develop" {
        entry.scope = DependencyScope::Dev;
    }
    Ok(entry)
}

/// PEP 508 with one lower or exact bound first; what follows must stay.
static REQUIREMENT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"^(?P<name>[A-Za-z0-9][\w.-]*)(?P<extras>\s*\[[\w., -]*\])?\s*(?P<operator>==|>=|~=)\s*(?P<version>[0-9][\w.!+-]*)(?P<rest>\s*(?:[,;].*)?)$").ok()
});

pub(super) fn pyproject(_: &FileView<'_>, before: &str, after: &str) -> Result<Vec<Upgrade>, String> {
    let (before, after) = (
        Node::toml(before).ok_or(UNREADABLE)?,
        Node::toml(after).ok_or(UNREADABLE)?,
    );
    let mut upgrades = Vec::new();
    for difference in before.differences(&after)? {
        let path: Vec<&str> = difference.path.iter().map(String::as_str).collect();
        let place = difference.place();
        let other = || format!("changes `{place}`, which is no dependency");
        let (Some(from), Some(to)) = (difference.before.text(), difference.after.text()) else {
            return Err(other());
        };
        let (scope, package) = match path.as_slice() {
            // A build's backend runs where the service is built, and can end up in it.
            ["project", "dependencies", _]
            | ["project", "optional-dependencies", _, _]
            | ["build-system", "requires", _] => (DependencyScope::Runtime, None),
            ["dependency-groups", _, _] => (DependencyScope::Dev, None),
            ["tool", "poetry", "dependencies", package] | ["tool", "poetry", "dependencies", package, "version"] => {
                (DependencyScope::Runtime, Some(*package))
            }
            ["tool", "poetry", "dev-dependencies", package]
            | ["tool", "poetry", "group", "dev" | "test", "dependencies", package] => {
                (DependencyScope::Dev, Some(*package))
            }
            _ => return Err(other()),
        };
        upgrades.push(match package {
            Some("python") => return Err(other()),
            Some(package) => {
                let (from, to) = moved_range(&place, from, to)?;
                upgrade("pypi", package, from, to, scope)
            }
            None => requirement(from, to, scope).ok_or_else(|| format!("changes `{place}` by more than a version"))?,
        });
    }
    Ok(upgrades)
}

fn requirement(from: &str, to: &str, scope: DependencyScope) -> Option<Upgrade> {
    let (old, new) = (
        REQUIREMENT.as_ref()?.captures(from)?,
        REQUIREMENT.as_ref()?.captures(to)?,
    );
    let part = |captures: &regex::Captures<'_>, name: &str| captures.name(name).map(|part| part.as_str().to_owned());
    let same = ["name", "extras", "operator", "rest"]
        .into_iter()
        .all(|name| part(&old, name) == part(&new, name));
    let name = part(&old, "name")?;
    same.then(|| {
        Some(upgrade(
            "pypi",
            &name,
            &part(&old, "version")?,
            &part(&new, "version")?,
            scope,
        ))
    })?
}
