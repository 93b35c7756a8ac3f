//! Manifests of one dependency a line: `go.mod`, Gradle scripts, `Gemfile`. A changed line must be
//! a known declaration on both sides, and differ in nothing but its version.

use std::sync::LazyLock;

use holdpoint_schemas::fix::{DependencyScope, Upgrade};
use regex::Regex;

use super::lock::{self, Entry};
use super::{is_version, upgrade};
use crate::classify::FileView;

type Pattern = LazyLock<Option<Regex>>;

const VERSION: &str = r"(?P<version>[0-9][A-Za-z0-9.+_-]*)";

static GO: Pattern = LazyLock::new(|| {
    Regex::new(r"^(?:require)?\s+(?P<name>[a-z0-9][\w.-]*\.[\w./~-]+) v(?P<version>[0-9][A-Za-z0-9.+_-]*)(?:\s*// indirect)?\s*$").ok()
});
static GRADLE: Pattern = LazyLock::new(|| {
    Regex::new(&format!(r#"^\s*(?:(?P<scope>implementation|api|compileOnly|runtimeOnly|annotationProcessor|kapt|ksp|developmentOnly|classpath|test\w+|androidTest\w+)[\s(]+(?:platform\s*\(\s*)?["'](?P<name>[\w.-]+:[\w.-]+):{VERSION}["'][\s)]*|id[\s(]*["'](?P<plugin>[\w.-]+)["'][\s)]*version[\s(]*["'](?P<moved>[0-9][A-Za-z0-9.+_-]*)["'][\s)]*)$"#)).ok()
});
static GEM: Pattern = LazyLock::new(|| {
    Regex::new(&format!(r#"^\s*gem[\s(]+["'](?P<name>[\w.-]+)["']\s*,\s*["'](?:(?:~>|=|>=)\s*)?{VERSION}["']\s*(?:,\s*(?:require|group|groups|platforms?):\s*[\w:\[\], '"-]+)?\)?$"#)).ok()
});
static GEM_LOCKED: Pattern = LazyLock::new(|| {
    Regex::new(r"^(?P<indent> {2}| {4}| {6})(?P<name>[\w.-]+)(?: \((?P<version>[^()]*)\))?(?P<bang>!)?(?: sha256=(?P<hash>[0-9a-f]{64}))?$").ok()
});
static GRADLE_LOCKED: Pattern =
    LazyLock::new(|| Regex::new(r"^(?P<name>[\w.-]+:[\w.-]+):(?P<version>[\w.+-]+)=(?P<rest>[\w.,-]*)$").ok());

struct Moved<'a> {
    name: &'a str,
    from: &'a str,
    to: &'a str,
    scope: &'a str,
    line: usize,
}

fn moved<'a>(pattern: &Pattern, before: &'a str, after: &'a str) -> Result<Vec<Moved<'a>>, String> {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    if old.len() != new.len() {
        return Err("adds or removes a line".to_owned());
    }
    let mut found = Vec::new();
    for (line, (old, new)) in old
        .into_iter()
        .zip(new)
        .enumerate()
        .filter(|(_, (old, new))| old != new)
    {
        let read = |text: &'a str| {
            let captures = pattern.as_ref()?.captures(text)?;
            let version = captures.name("version").or(captures.name("moved"))?;
            let name = captures.name("name").or(captures.name("plugin"))?.as_str();
            let scope = captures.name("scope").map_or("", |scope| scope.as_str());
            Some((
                name,
                version.as_str(),
                scope,
                text.get(..version.start())?,
                text.get(version.end()..)?,
            ))
        };
        match (read(old), read(new)) {
            (Some((name, from, scope, start, end)), Some((_, to, _, new_start, new_end)))
                if (start, end) == (new_start, new_end) && is_version(from) && is_version(to) =>
            {
                found.push(Moved {
                    name,
                    from,
                    to,
                    scope,
                    line,
                });
            }
            _ => return Err("changes a line by more than the version of a dependency".to_owned()),
        }
    }
    Ok(found)
}

/// A pseudo-version names a commit (Go modules reference): what is between two can't be told.
fn is_pseudo(version: &str) -> bool {
    let mut parts = version.rsplit('-');
    let commit = parts
        .next()
        .is_some_and(|part| part.len() == 12 && part.chars().all(|c| c.is_ascii_hexdigit()));
    commit
        && parts
            .next()
            .is_some_and(|part| part.rsplit('.').next().is_some_and(|time| time.len() == 14))
}

pub(super) fn go_mod(_: &FileView<'_>, before: &str, after: &str) -> Result<Vec<Upgrade>, String> {
    let lines: Vec<&str> = after.lines().collect();
    let mut upgrades = Vec::new();
    for found in moved(&GO, before, after)? {
        let earlier = lines.get(..found.line).unwrap_or_default();
        let block = earlier
            .iter()
            .rev()
            .find(|line| line.trim_end().ends_with(['(', ')']))
            .copied()
            .unwrap_or_default();
        let is_required = lines.get(found.line).is_some_and(|line| line.starts_with("require "))
            || block.split_whitespace().collect::<Vec<_>>() == ["require", "("];
        if !is_required || is_pseudo(found.from) || is_pseudo(found.to) {
            return Err(format!("changes `{}` by more than a released version", found.name));
        }
        upgrades.push(upgrade(
            "golang",
            found.name,
            found.from,
            found.to,
            DependencyScope::Runtime,
        ));
    }
    Ok(upgrades)
}

/// `go.sum`: hashes by module and version. Without `go.mod` it upgrades nothing.
pub(super) fn go_sum(_: &FileView<'_>, before: &str, after: &str) -> Result<Vec<Upgrade>, String> {
    let read = |text: &str| -> Result<Vec<Entry>, String> {
        let mut found = Vec::new();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let parts: Vec<&str> = line.split(' ').collect();
            let [module, version, hash] = parts.as_slice() else {
                return Err("has a line that is no checksum".to_owned());
            };
            let (version, kind) = version
                .split_once('/')
                .map_or((*version, ""), |(version, kind)| (version, kind));
            let version = version.strip_prefix('v').unwrap_or(version);
            let mut entry = Entry::new(&format!("{module} {kind}"), version);
            entry.hashes.insert((*hash).to_owned());
            if is_pseudo(version) {
                entry.rest = version.to_owned();
            }
            found.push(entry);
        }
        Ok(found)
    };
    let mut upgrades = lock::compare("golang", &read(before)?, &read(after)?)?;
    for upgrade in &mut upgrades {
        upgrade.package = upgrade.package.split(' ').next().unwrap_or_default().to_owned();
    }
    Ok(upgrades)
}

pub(super) fn gradle(_: &FileView<'_>, before: &str, after: &str) -> Result<Vec<Upgrade>, String> {
    // In a comment over several lines a declaration would be none.
    if before.contains("/*") || before.contains("\"\"\"") {
        return Err("holds comments or texts over several lines".to_owned());
    }
    let found = moved(&GRADLE, before, after)?;
    let scope = |found: &Moved<'_>| match found.scope.starts_with("test") || found.scope.starts_with("androidTest") {
        true => DependencyScope::Dev,
        false => DependencyScope::Runtime,
    };
    Ok(found
        .iter()
        .map(|found| upgrade("maven", found.name, found.from, found.to, scope(found)))
        .collect())
}

pub(super) fn gradle_lock(_: &FileView<'_>, before: &str, after: &str) -> Result<Vec<Upgrade>, String> {
    let read = |text: &str| -> Vec<Entry> {
        let lines = text
            .lines()
            .filter(|line| !line.starts_with('#') && !line.trim().is_empty());
        lines
            .map(
                |line| match GRADLE_LOCKED.as_ref().and_then(|pattern| pattern.captures(line)) {
                    Some(found) => {
                        let part = |name: &str| found.name(name).map_or("", |part| part.as_str());
                        let mut entry = Entry::new(part("name"), part("version"));
                        part("rest").clone_into(&mut entry.rest);
                        entry
                    }
                    None => Entry::new(line, ""),
                },
            )
            .collect()
    };
    lock::compare("maven", &read(before), &read(after))
}

pub(super) fn gemfile(_: &FileView<'_>, before: &str, after: &str) -> Result<Vec<Upgrade>, String> {
    if before.contains("=begin") || before.contains("<<") {
        return Err("holds texts over several lines".to_owned());
    }
    let found = moved(&GEM, before, after)?;
    Ok(found
        .iter()
        .map(|found| upgrade("gem", found.name, found.from, found.to, DependencyScope::Runtime))
        .collect())
}

pub(super) fn gemfile_lock(_: &FileView<'_>, before: &str, after: &str) -> Result<Vec<Upgrade>, String> {
    let mut upgrades = lock::compare("gem", &gems(before)?, &gems(after)?)?;
    // Checksums and direct needs tell of the same upgrades again.
    upgrades.retain(|upgrade| !upgrade.package.contains(' '));
    Ok(upgrades)
}

fn gems(text: &str) -> Result<Vec<Entry>, String> {
    let mut found: Vec<Entry> = Vec::new();
    let mut section = "";
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        if !line.starts_with(' ') {
            section = line;
            found.push(Entry::new(&format!("{line} (section)"), ""));
            continue;
        }
        let gem = GEM_LOCKED.as_ref().and_then(|pattern| pattern.captures(line));
        let Some(gem) = gem.filter(|_| matches!(section, "GEM" | "DEPENDENCIES" | "CHECKSUMS")) else {
            // The line isn't part of the name, which is shown: a source may hold a password.
            let mut entry = Entry::new(&format!("{section} (source or option)"), "");
            line.clone_into(&mut entry.rest);
            found.push(entry);
            continue;
        };
        let part = |name: &str| gem.name(name).map_or("", |part| part.as_str());
        match (section, part("indent").len(), found.last_mut()) {
            ("GEM", 4, _) => found.push(Entry::new(part("name"), part("version"))),
            ("GEM", 6, Some(entry)) => drop(entry.needs.insert(part("name").to_owned())),
            ("DEPENDENCIES", 2, _) => {
                let bare = part("version").trim_start_matches(['~', '>', '=', ' ']);
                let mut entry = Entry::new(&format!("{} (direct)", part("name")), bare);
                entry.rest = format!(
                    "{}{}",
                    part("version").strip_suffix(bare).unwrap_or_default(),
                    part("bang")
                );
                found.push(entry);
            }
            ("CHECKSUMS", 2, _) => {
                let mut entry = Entry::new(&format!("{} (checksum)", part("name")), part("version"));
                entry.hashes.insert(part("hash").to_owned());
                found.push(entry);
            }
            _ => return Err("has a line that isn't known".to_owned()),
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles() {
        for pattern in [&GO, &GRADLE, &GEM, &GEM_LOCKED, &GRADLE_LOCKED] {
            assert!(pattern.is_some());
        }
    }

    #[test]
    fn pseudo_versions_are_known() {
        assert!(is_pseudo("0.0.0-20220101120000-abcdef123456") && is_pseudo("1.2.4-0.20220101120000-abcdef123456"));
        assert!(!is_pseudo("1.2.3") && !is_pseudo("1.2.3-rc1"));
    }
}
