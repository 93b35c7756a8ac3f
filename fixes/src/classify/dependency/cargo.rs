//! `Cargo.toml` and `Cargo.lock`.

use holdpoint_schemas::fix::{DependencyScope, Upgrade};

use super::{UNREADABLE, is_version, moved_range, upgrade};
use crate::classify::FileView;
use crate::classify::node::Node;

pub(super) fn manifest(_: &FileView<'_>, before: &str, after: &str) -> Result<Vec<Upgrade>, String> {
    let (before, after) = (
        Node::toml(before).ok_or(UNREADABLE)?,
        Node::toml(after).ok_or(UNREADABLE)?,
    );
    let mut upgrades = Vec::new();
    for difference in before.differences(&after)? {
        let path: Vec<&str> = difference.path.iter().map(String::as_str).collect();
        let inner = match path.as_slice() {
            ["target", _, inner @ ..] | ["workspace", inner @ ..] => inner,
            whole => whole,
        };
        let (scope, package) = match inner {
            ["dependencies", package] | ["dependencies", package, "version"] => (DependencyScope::Runtime, package),
            // A build script's code runs where the service is built, and can end up in it.
            ["build-dependencies", package] | ["build-dependencies", package, "version"] => {
                (DependencyScope::Runtime, package)
            }
            ["dev-dependencies", package] | ["dev-dependencies", package, "version"] => (DependencyScope::Dev, package),
            _ => return Err(format!("changes `{}`, which is no version", difference.place())),
        };
        let (Some(from), Some(to)) = (difference.before.text(), difference.after.text()) else {
            return Err(format!("changes `{}`, which is no version", difference.place()));
        };
        let (from, to) = moved_range(&difference.place(), from, to)?;
        upgrades.push(upgrade("cargo", package, from, to, scope));
    }
    Ok(upgrades)
}

pub(super) fn lockfile(view: &FileView<'_>, before: &str, after: &str) -> Result<Vec<Upgrade>, String> {
    let (before, after) = (
        Node::toml(before).ok_or(UNREADABLE)?,
        Node::toml(after).ok_or(UNREADABLE)?,
    );
    let mut upgrades = Vec::new();
    for difference in before.differences(&after)? {
        let path: Vec<&str> = difference.path.iter().map(String::as_str).collect();
        let (Some(from), Some(to)) = (difference.before.text(), difference.after.text()) else {
            return Err(format!("changes `{}`, which is no version", difference.place()));
        };
        let ["package", index, rest @ ..] = path.as_slice() else {
            return Err(format!("changes `{}`, which is no version", difference.place()));
        };
        let (old, new) = (package(&before, index)?, package(&after, index)?);
        let name = new.get("name").and_then(Node::text).unwrap_or_default();
        let moved = old.get("version") != new.get("version");
        match rest {
            ["version"] if new.get("source").is_none() => {
                return Err(format!("changes the repo's own package `{name}`"));
            }
            ["version"] if !is_version(from) || !is_version(to) => {
                return Err(format!(
                    "changes `{}` to something that is no version",
                    difference.place()
                ));
            }
            ["version"] if old.get("checksum").is_some() && old.get("checksum") == new.get("checksum") => {
                return Err(format!("moves `{name}` but keeps its checksum"));
            }
            ["version"] => upgrades.push(upgrade("cargo", name, from, to, scope(view, name))),
            ["checksum"] if moved => {}
            ["checksum"] => return Err(format!("changes the checksum of `{name}` but not its version")),
            // Entries name a version where several are locked: `name 1.2.3`.
            ["dependencies", _] if from.split(' ').next() == to.split(' ').next() => {}
            _ => return Err(format!("changes `{}`, which is no version", difference.place())),
        }
    }
    Ok(upgrades)
}

fn package<'a>(root: &'a Node, index: &str) -> Result<&'a Node, String> {
    let found = match (root.get("package"), index.parse::<usize>()) {
        (Some(Node::List(list)), Ok(index)) => list.get(index),
        _ => None,
    };
    found.ok_or_else(|| "has no list of packages".to_owned())
}

/// A lockfile doesn't say what ships; its manifest says so for direct dependencies.
fn scope(view: &FileView<'_>, package: &str) -> DependencyScope {
    let folder = view.path().strip_suffix("Cargo.lock").unwrap_or_default();
    let manifest = (view.sides.0)(&format!("{folder}Cargo.toml")).and_then(|text| Node::toml(&text));
    let has = |section: &str| {
        let section = manifest.as_ref().and_then(|manifest| manifest.get(section));
        section.is_some_and(|section| section.get(package).is_some())
    };
    let is_workspace = manifest
        .as_ref()
        .is_some_and(|manifest| manifest.get("workspace").is_some());
    if has("dev-dependencies") && !has("dependencies") && !has("build-dependencies") && !is_workspace {
        DependencyScope::Dev
    } else {
        DependencyScope::Runtime
    }
}
