//! Python's `requirements*.txt` with exact pins (pip's requirements file format).

use holdpoint_schemas::fix::DependencyScope;

use super::{Lockfile, Package, line_number};
use crate::error::SourceResult;
use crate::osv::Ecosystem;

/// Whether a file of this name, in a folder of that name, is a requirements file.
pub fn is_one(name: &str, folder: Option<&str>) -> bool {
    let text = name.strip_suffix(".txt");
    text.is_some_and(|stem| stem.starts_with("requirements") || stem.ends_with("requirements"))
        || (text.is_some() && folder == Some("requirements"))
}

/// Reads the pins. What has no exact version can't be matched and is noted.
#[expect(clippy::unnecessary_wraps, reason = "the other kinds of lockfile can be malformed")]
pub fn read(path: &str, text: &str) -> SourceResult<Lockfile> {
    let scope = scope(path);
    let mut lockfile = Lockfile::default();
    let mut lines = text.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let mut logical = line.to_owned();
        while let Some(continued) = logical.strip_suffix('\\') {
            let next = lines.next().map_or("", |(_, next)| next);
            logical = format!("{continued} {}", next.trim());
        }
        let requirement = without_comment(&logical);
        if requirement.is_empty() {
            continue;
        }
        if requirement.starts_with('-') {
            // Options such as `--index-url` may hold credentials: only the name is repeated.
            let option = requirement.split([' ', '=']).next().unwrap_or_default();
            if matches!(option, "-r" | "--requirement" | "-e" | "--editable") {
                lockfile
                    .skipped
                    .push(format!("line {}: `{option}` is not followed", index + 1));
            }
            continue;
        }
        match pin(requirement) {
            Some((name, version)) => lockfile.packages.push(Package {
                ecosystem: Ecosystem::PyPi,
                name: name.to_owned(),
                version: version.to_owned(),
                line: line_number(index),
                scope: Some(scope),
                // A frozen list holds what its packages need, too.
                direct: None,
            }),
            None => lockfile
                .skipped
                .push(format!("line {}: no exact version (`==`)", index + 1)),
        }
    }
    Ok(lockfile)
}

/// Whether what it lists ships, by its name: `requirements-dev.txt`, `requirements/test.txt`.
fn scope(path: &str) -> DependencyScope {
    const DEVELOPMENT: [&str; 6] = ["dev", "develop", "development", "test", "tests", "docs"];
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = name.strip_suffix(".txt").unwrap_or(name);
    let says = stem.split(['-', '_', '.']).any(|word| DEVELOPMENT.contains(&word));
    if says {
        DependencyScope::Dev
    } else {
        DependencyScope::Runtime
    }
}

/// A comment begins with `#` at the start or after white space.
fn without_comment(line: &str) -> &str {
    let mut previous = ' ';
    for (at, c) in line.char_indices() {
        if c == '#' && previous.is_whitespace() {
            return line.get(..at).unwrap_or(line).trim();
        }
        previous = c;
    }
    line.trim()
}

/// Name and version of `name[extras]==version ; marker --hash=…`.
fn pin(requirement: &str) -> Option<(&str, &str)> {
    let requirement = requirement.split(';').next()?.split(" --").next()?.trim();
    let (name, version) = requirement.split_once("==")?;
    let name = name.split('[').next()?.trim();
    let version = version.trim_start_matches('=').trim();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let exact = !version.is_empty() && !version.contains([',', '*', ' ', '<', '>', '!', '~']);
    (exact && !name.is_empty() && name.chars().all(plain)).then_some((name, version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_are_read_with_hashes_extras_markers_and_comments() {
        let text = "# tools\n--index-url https://u:p@host/simple\nurllib3[socks]==1.26.17 \\\n    --hash=sha256:aa \\\n    \
                    --hash=sha256:bb\nwheel == 0.38.0 ; python_version > '3'  # why\nflask>=2\n-r other.txt\nx==1.*\n";
        let lockfile = read("requirements.txt", text).unwrap();
        let read: Vec<_> = lockfile
            .packages
            .iter()
            .map(|p| (p.name.as_str(), p.version.as_str(), p.line))
            .collect();
        assert_eq!(read, [("urllib3", "1.26.17", Some(3)), ("wheel", "0.38.0", Some(6))]);
        assert_eq!(
            lockfile.skipped,
            [
                "line 7: no exact version (`==`)",
                "line 8: `-r` is not followed",
                "line 9: no exact version (`==`)"
            ]
        );
    }

    #[test]
    fn names_of_requirements_files_are_known() {
        for (name, folder) in [
            ("requirements.txt", None),
            ("requirements-dev.txt", None),
            ("dev-requirements.txt", None),
            ("base.txt", Some("requirements")),
        ] {
            assert!(is_one(name, folder), "{name}");
        }
        assert!(!is_one("notes.txt", None) && !is_one("requirements.md", None));
    }

    #[test]
    fn a_continuation_at_the_end_of_the_file_ends() {
        assert_eq!(read("r", "wheel==1 \\").unwrap().packages.len(), 1);
        assert!(read("r", "\0\u{1}==\n==1\n").unwrap().packages.is_empty());
    }
}
