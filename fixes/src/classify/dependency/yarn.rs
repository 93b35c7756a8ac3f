//! `yarn.lock` of version 1 and of Berry, and `pnpm-lock.yaml`.

use std::collections::BTreeSet;

use holdpoint_schemas::fix::{DependencyScope, Upgrade};

use super::UNREADABLE;
use super::lock::{self, Entry};
use crate::classify::FileView;
use crate::classify::node::Node;

pub(super) fn yarn(_: &FileView<'_>, before: &str, after: &str) -> Result<Vec<Upgrade>, String> {
    let is_berry = |text: &str| text.contains("\n__metadata:");
    match (is_berry(before), is_berry(after)) {
        (true, true) => lock::compare("npm", &berry(before)?, &berry(after)?),
        (false, false) => lock::compare("npm", &classic(before)?, &classic(after)?),
        _ => Err("changes the format of the lockfile".to_owned()),
    }
}

/// Name and range of a descriptor such as `@a/b@^1.0.0` or `a@npm:^1.0.0`; no other protocol.
fn descriptor(text: &str) -> Option<(&str, &str)> {
    let at = text.get(1..)?.find('@')? + 1;
    let (name, range) = (text.get(..at)?, text.get(at + 1..)?);
    let range = range.strip_prefix("npm:").unwrap_or(range);
    let plain = !range.contains([':', '/', '@', '#']);
    plain.then_some((name, range))
}

/// The name that all descriptors of an entry share; anything else is kept as it is.
fn name_of(key: &str) -> (String, String) {
    let parts: Vec<&str> = key.split(',').map(|part| part.trim().trim_matches('"')).collect();
    let names: Option<BTreeSet<&str>> = parts.iter().map(|part| Some(descriptor(part)?.0)).collect();
    match names.as_ref().map(|names| (names.len(), names.first())) {
        Some((1, Some(name))) => ((*name).to_owned(), String::new()),
        // Only the name is shown: what follows may hold a password.
        _ => {
            let end = key
                .get(1..)
                .and_then(|rest| rest.find('@'))
                .map_or(key.len(), |at| at + 1);
            (key.get(..end).unwrap_or_default().to_owned(), key.to_owned())
        }
    }
}

fn classic(text: &str) -> Result<Vec<Entry>, String> {
    let mut found: Vec<Entry> = Vec::new();
    let mut section = "";
    for line in text
        .lines()
        .filter(|line| !line.trim().is_empty() && !line.starts_with('#'))
    {
        let depth = line.len() - line.trim_start_matches(' ').len();
        let line = line.trim();
        let (word, value) = line.split_once(' ').unwrap_or((line, ""));
        let value = value.trim_matches('"');
        match (depth, found.last_mut()) {
            (0, _) => {
                let (name, odd) = name_of(line.strip_suffix(':').ok_or(UNREADABLE)?);
                let mut entry = Entry::new(&name, "");
                entry.rest = odd;
                found.push(entry);
                section = "";
            }
            (2, Some(entry)) => match word {
                "version" if entry.version.is_empty() => value.clone_into(&mut entry.version),
                "resolved" => {
                    let (url, hash) = value.split_once('#').unwrap_or((value, ""));
                    entry.origin.insert(url.to_owned());
                    entry.hashes.extend((!hash.is_empty()).then(|| hash.to_owned()));
                }
                "integrity" => entry.hashes.extend(value.split(' ').map(str::to_owned)),
                "dependencies:" | "optionalDependencies:" => section = word,
                _ => entry.rest.push_str(&format!("{line}\n")),
            },
            (4, Some(entry)) if !section.is_empty() => {
                entry
                    .needs
                    .insert(format!("{section}{}", need(word.trim_matches('"'), value)));
            }
            _ => return Err(UNREADABLE.to_owned()),
        }
    }
    Ok(found)
}

/// A need by its name; with its range where that is more than a range.
fn need(name: &str, range: &str) -> String {
    match range.contains([':', '/', '#', '@']) {
        true => format!("{name} {range}"),
        false => name.to_owned(),
    }
}

fn berry(text: &str) -> Result<Vec<Entry>, String> {
    let Some(Node::Map(root)) = Node::yaml(text) else {
        return Err(UNREADABLE.to_owned());
    };
    let mut found = Vec::new();
    for (key, node) in &root {
        let Node::Map(fields) = node else {
            return Err(UNREADABLE.to_owned());
        };
        let (name, odd) = name_of(key);
        let version = node
            .get("version")
            .map(|version| version.text().map_or_else(|| format!("{version:?}"), str::to_owned));
        let mut entry = Entry::new(&name, version.as_deref().unwrap_or_default());
        entry.rest = odd;
        for (key, value) in fields {
            match (key.as_str(), value) {
                ("version", _) => {}
                ("resolution", Node::Text(origin)) => {
                    entry.origin.insert(origin.clone());
                }
                ("checksum", Node::Text(hash)) => {
                    entry.hashes.insert(hash.rsplit('/').next().unwrap_or(hash).to_owned());
                }
                ("dependencies" | "peerDependencies", Node::Map(needs)) => {
                    let needs = needs.iter().map(|(name, range)| {
                        let range = range.text().unwrap_or("?:");
                        need(name, range.strip_prefix("npm:").unwrap_or(range))
                    });
                    entry.needs.extend(needs);
                }
                _ => entry.rest.push_str(&lock::shown([(key, value)])),
            }
        }
        found.push(entry);
    }
    Ok(found)
}

pub(super) fn pnpm(_: &FileView<'_>, before: &str, after: &str) -> Result<Vec<Upgrade>, String> {
    let (before, after) = (
        Node::yaml(before).ok_or(UNREADABLE)?,
        Node::yaml(after).ok_or(UNREADABLE)?,
    );
    let ((before, old_rest), (after, new_rest)) = (pnpm_entries(&before)?, pnpm_entries(&after)?);
    if old_rest != new_rest {
        return Err("changes more than locked packages".to_owned());
    }
    lock::compare("npm", &before, &after)
}

/// Entries of `packages` (and `snapshots`), and all else with the versions in it taken out.
fn pnpm_entries(root: &Node) -> Result<(Vec<Entry>, String), String> {
    let Node::Map(map) = root else {
        return Err(UNREADABLE.to_owned());
    };
    let (mut found, mut rest) = (Vec::new(), String::new());
    for (section, node) in map {
        match (section.as_str(), node) {
            ("packages" | "snapshots", Node::Map(packages)) => {
                for (key, node) in packages {
                    found.push(pnpm_entry(section, key, node)?);
                }
            }
            ("importers" | "dependencies" | "devDependencies" | "optionalDependencies" | "specifiers", node) => {
                rest.push_str(section);
                versionless(node, &mut rest, 0);
            }
            _ => rest.push_str(&lock::shown([(section, node)])),
        }
    }
    Ok((found, rest))
}

fn pnpm_entry(section: &str, key: &str, node: &Node) -> Result<Entry, String> {
    let plain = key.trim_start_matches('/');
    let plain = plain.split('(').next().unwrap_or(plain);
    let (name, version) = descriptor(plain).ok_or_else(|| format!("locks `{key}` in a way that isn't known"))?;
    let mut entry = Entry::new(name, version);
    // The two sections hold the same packages; each is compared with itself.
    entry.name = if section == "snapshots" {
        format!("{name} (snapshot)")
    } else {
        name.to_owned()
    };
    let Node::Map(fields) = node else { return Ok(entry) };
    for (key, value) in fields {
        match (key.as_str(), value) {
            ("resolution", Node::Map(resolution)) => {
                for (key, value) in resolution {
                    match (key.as_str(), value) {
                        ("integrity", Node::Text(hash)) => drop(entry.hashes.insert(hash.clone())),
                        ("tarball", Node::Text(url)) => drop(entry.origin.insert(url.clone())),
                        _ => entry.rest.push_str(&lock::shown([(key, value)])),
                    }
                }
            }
            ("dependencies" | "optionalDependencies" | "peerDependencies", Node::Map(needs)) => {
                entry.needs.extend(
                    needs
                        .iter()
                        .map(|(name, range)| need(name, range.text().unwrap_or("?:"))),
                );
            }
            ("engines", _) => {}
            ("dev", Node::Bool(true)) => entry.scope = DependencyScope::Dev,
            _ => entry.rest.push_str(&lock::shown([(key, value)])),
        }
    }
    Ok(entry)
}

/// The shape of a section: plain versions and ranges as one word, all else as it is.
fn versionless(node: &Node, out: &mut String, depth: usize) {
    match node {
        Node::Map(map) => {
            for (key, value) in map {
                out.push_str(&format!("\n{}{key}:", " ".repeat(depth)));
                versionless(value, out, depth + 1);
            }
        }
        Node::Text(text) if super::range(text).is_some() => {
            let operator = text.trim_start_matches(|c: char| !c.is_ascii_digit());
            out.push_str(text.strip_suffix(operator).unwrap_or_default());
            out.push_str("version");
        }
        other => out.push_str(&format!("{other:?}")),
    }
}
