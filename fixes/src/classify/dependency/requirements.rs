//! `requirements*.txt` (pip's requirements file format): `==` pins and their hashes move.

use std::sync::LazyLock;

use holdpoint_schemas::fix::{DependencyScope, Upgrade};
use regex::Regex;

use super::upgrade;
use crate::classify::FileView;

/// `name[extras] == version ; marker`, hashes cut off.
static PIN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"^(?P<name>[A-Za-z0-9][\w.-]*(?:\[[\w., -]*\])?)\s*(?P<operator>==|>=|~=)\s*(?P<version>[0-9][A-Za-z0-9.!+_-]*)\s*(?P<marker>;.*)?$")
        .ok()
});

static HASH: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\s+--hash=(sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})").ok());

/// One logical line.
#[derive(Debug, PartialEq, Eq)]
enum Line {
    Pin {
        name: String,
        version: String,
        marker: String,
        hashes: Vec<String>,
    },
    /// An option, a URL, an editable install, a range: must stay as it is.
    Other(String),
}

/// Whether a path is a requirements or constraints file: `requirements-dev.txt`, `requirements/dev.txt`.
pub(super) fn is_one(path: &str, name: &str) -> bool {
    let folder = path.rsplit('/').nth(1) == Some("requirements");
    name.ends_with(".txt") && (folder || name.starts_with("requirements") || name.starts_with("constraints"))
}

pub(super) fn read(view: &FileView<'_>, before: &str, after: &str) -> Result<Vec<Upgrade>, String> {
    let scope = match view.name() {
        name if name.starts_with("requirements-dev") || name.starts_with("requirements_dev") => DependencyScope::Dev,
        "dev.txt" | "test.txt" | "docs.txt" | "requirements-test.txt" => DependencyScope::Dev,
        _ => DependencyScope::Runtime,
    };
    // pip reads the file in the encoding that a comment on the first two lines names (PEP 263).
    let coding = |text: &str| -> Vec<String> {
        let first = text.lines().take(2).filter(|line| line.contains("coding"));
        first.map(str::to_owned).collect()
    };
    if coding(before) != coding(after) {
        return Err("changes the encoding that the file is read in".to_owned());
    }
    let (before, after) = (lines(before)?, lines(after)?);
    if before.len() != after.len() {
        return Err("adds or removes a requirement or an option".to_owned());
    }
    let mut upgrades = Vec::new();
    for (old, new) in before.iter().zip(&after) {
        if old == new {
            continue;
        }
        match (old, new) {
            (
                Line::Pin {
                    name,
                    version,
                    marker,
                    hashes,
                },
                Line::Pin {
                    name: new_name,
                    version: to,
                    marker: new_marker,
                    hashes: new_hashes,
                },
            ) if name == new_name && marker == new_marker => {
                if version == to {
                    return Err(format!("changes the hashes of `{name}` but not its version"));
                }
                if hashes.is_empty() != new_hashes.is_empty() {
                    return Err(format!("adds or drops the hashes of `{name}`"));
                }
                let package = name.split('[').next().unwrap_or(name);
                upgrades.push(upgrade("pypi", package, version, to, scope));
            }
            // The line isn't shown: an index may be named with a password.
            (_, Line::Other(_)) => return Err("changes a line that is no pin".to_owned()),
            _ => return Err("changes more than the version of a pin".to_owned()),
        }
    }
    Ok(upgrades)
}

/// Logical lines as pip joins them: a trailing backslash continues, unless the line is a comment.
fn lines(text: &str) -> Result<Vec<Line>, String> {
    let mut found = Vec::new();
    let mut pending = String::new();
    for line in text.lines() {
        let is_comment = line.trim_start().starts_with('#');
        if let Some(start) = line.strip_suffix('\\').filter(|_| !is_comment) {
            if start.contains('#') {
                return Err("continues a line after a comment".to_owned());
            }
            pending.push_str(start);
            continue;
        }
        if is_comment && !pending.is_empty() {
            return Err("continues a line with a comment".to_owned());
        }
        pending.push_str(line);
        found.extend(parse(&std::mem::take(&mut pending)));
    }
    found.extend(parse(&pending));
    Ok(found)
}

fn parse(line: &str) -> Option<Line> {
    // A comment starts at the line's start or after white space.
    let comment = line.char_indices().find(|(at, c)| {
        *c == '#'
            && line
                .get(..*at)
                .is_none_or(|before| before.is_empty() || before.ends_with([' ', '\t']))
    });
    let line = comment
        .map_or(line, |(at, _)| line.get(..at).unwrap_or_default())
        .trim();
    if line.is_empty() {
        return None;
    }
    let other = || Some(Line::Other(line.to_owned()));
    let (Some(pin), Some(hash)) = (PIN.as_ref(), HASH.as_ref()) else {
        return other();
    };
    let hashes: Vec<String> = hash
        .captures_iter(line)
        .filter_map(|found| Some(found.get(1)?.as_str().to_owned()))
        .collect();
    let rest = hash.replace_all(line, "");
    let Some(captures) = pin.captures(rest.trim()) else {
        return other();
    };
    let part = |name: &str| {
        captures
            .name(name)
            .map(|part| part.as_str().to_owned())
            .unwrap_or_default()
    };
    // Operator and marker stay together.
    let marker = format!("{}{}", part("operator"), part("marker"));
    // A further option could hide behind the marker.
    if marker.contains(" -") || rest.contains("--") {
        return other();
    }
    Some(Line::Pin {
        name: part("name"),
        version: part("version"),
        marker,
        hashes,
    })
}
