//! Names of packages in lockfiles and manifests. A format is one line in [`FORMATS`] and its reader.
//!
//! This is no replacement for the intake's readers, which match versions to advisories: it only has to notice that
//! there is a name which wasn't there, in more formats, and text that looks like a package without being one is a
//! name too many on both sides.

use serde_json::Value;

/// A package as a file names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Package {
    /// Name, normalised as its ecosystem does.
    pub(super) name: String,
    /// Version or range, as written; empty where there is none.
    pub(super) version: String,
    /// Line, 1-based, where known.
    pub(super) line: Option<u32>,
}

/// One format.
pub(super) struct Format {
    /// Type in a package URL.
    pub(super) ecosystem: &'static str,
    /// Whether a file is of this format, by its name.
    detect: fn(&str) -> bool,
    /// Its packages.
    pub(super) read: fn(&str) -> Vec<Package>,
}

const FORMATS: &[Format] = &[
    Format {
        ecosystem: "npm",
        detect: |name| matches!(name, "package-lock.json" | "npm-shrinkwrap.json"),
        read: package_lock,
    },
    Format {
        ecosystem: "npm",
        detect: |name| name == "package.json",
        read: package_json,
    },
    Format {
        ecosystem: "npm",
        detect: |name| name == "yarn.lock",
        read: yarn_lock,
    },
    Format {
        ecosystem: "npm",
        detect: |name| name == "pnpm-lock.yaml",
        read: pnpm_lock,
    },
    Format {
        ecosystem: "cargo",
        detect: |name| name == "cargo.lock",
        read: toml_packages,
    },
    Format {
        ecosystem: "pypi",
        detect: |name| matches!(name, "poetry.lock" | "uv.lock" | "pdm.lock"),
        read: toml_packages,
    },
    Format {
        ecosystem: "pypi",
        detect: |name| {
            (name.starts_with("requirements") || name.starts_with("constraints"))
                && (name.ends_with(".txt") || name.ends_with(".in"))
        },
        read: requirements,
    },
    Format {
        ecosystem: "golang",
        detect: |name| name == "go.mod",
        read: go_mod,
    },
    Format {
        ecosystem: "gem",
        detect: |name| name == "gemfile.lock",
        read: gemfile_lock,
    },
    Format {
        ecosystem: "maven",
        detect: |name| name == "pom.xml",
        read: pom,
    },
    Format {
        ecosystem: "maven",
        detect: |name| matches!(name, "build.gradle" | "build.gradle.kts" | "gradle.lockfile"),
        read: gradle,
    },
    Format {
        ecosystem: "nuget",
        detect: |name| name.ends_with("proj") || name == "directory.packages.props",
        read: msbuild,
    },
    Format {
        ecosystem: "composer",
        detect: |name| name == "composer.lock",
        read: composer,
    },
];

/// The format of a file, by its path.
pub(super) fn of(path: &str) -> Option<&'static Format> {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    FORMATS.iter().find(|format| (format.detect)(&name))
}

fn lines(text: &str) -> impl Iterator<Item = (u32, &str)> {
    (1..).zip(text.lines())
}

fn package(name: &str, version: &str, line: u32) -> Package {
    Package {
        name: name.to_owned(),
        version: version.trim().to_owned(),
        line: Some(line),
    }
}

/// What is between two texts.
fn between<'a>(text: &'a str, from: &str, to: &str) -> Option<&'a str> {
    text.split_once(from)?.1.split_once(to).map(|(inner, _)| inner)
}

/// Names that start an entry, each with the version that follows before the next one.
fn entries(
    text: &str,
    name: impl Fn(&str) -> Option<String>,
    version: impl Fn(&str) -> Option<String>,
) -> Vec<Package> {
    let mut found: Vec<Package> = Vec::new();
    for (number, line) in lines(text) {
        if let Some(name) = name(line) {
            found.push(package(&name, "", number));
        } else if let Some(version) = version(line)
            && let Some(last) = found.last_mut().filter(|last| last.version.is_empty())
        {
            last.version = version;
        }
    }
    found
}

/// Keys below `packages` are folders (lockfile versions 2 and 3), those below `dependencies` names (1).
fn package_lock(text: &str) -> Vec<Package> {
    let json = json(text);
    let mut found = Vec::new();
    for (folder, entry) in object(&json, "packages") {
        if let Some((_, name)) = folder.rsplit_once("node_modules/") {
            found.push(named(name, string(entry, "version")));
        }
    }
    for (name, entry) in object(&json, "dependencies") {
        found.push(named(name, string(entry, "version")));
    }
    found
}

fn package_json(text: &str) -> Vec<Package> {
    let json = json(text);
    let sections = [
        "dependencies",
        "devDependencies",
        "optionalDependencies",
        "peerDependencies",
    ];
    let entries = sections.iter().flat_map(|section| object(&json, section));
    entries
        .map(|(name, version)| named(name, version.as_str().unwrap_or_default()))
        .collect()
}

fn composer(text: &str) -> Vec<Package> {
    let json = json(text);
    let lists = ["packages", "packages-dev"]
        .iter()
        .filter_map(|list| json.get(list)?.as_array());
    lists
        .flatten()
        .map(|entry| named(string(entry, "name"), string(entry, "version")))
        .collect()
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

fn object<'a>(json: &'a Value, key: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    json.get(key).and_then(Value::as_object).into_iter().flatten()
}

fn string<'a>(json: &'a Value, key: &str) -> &'a str {
    json.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn named(name: &str, version: &str) -> Package {
    Package {
        line: None,
        ..package(name, version, 0)
    }
}

/// `"a@^1", a@^2:` and below it `version "1"`; Berry's `"a@npm:^1":` and `version: 1`.
fn yarn_lock(text: &str) -> Vec<Package> {
    let name = |line: &str| {
        let entry = line
            .trim_end()
            .strip_suffix(':')
            .filter(|_| !line.starts_with([' ', '#', '_']))?;
        let first = entry.trim_matches('"').split(',').next()?;
        let at = first.get(1..)?.find('@')? + 1;
        first.get(..at).map(|name| name.trim_matches('"').to_owned())
    };
    entries(text, name, |line| {
        line.trim_start()
            .strip_prefix("version")
            .map(|version| version.trim_matches([' ', ':', '"']).to_owned())
    })
}

/// Below `packages:`, `a@1:`, `/a@1:` or `/a/1:`.
fn pnpm_lock(text: &str) -> Vec<Package> {
    let name = |(number, line): (u32, &str)| {
        let key = line
            .strip_prefix("  ")
            .filter(|key| !key.starts_with(' '))?
            .trim_end()
            .strip_suffix(':')?;
        let key = key.trim_matches(['\'', '"']).trim_start_matches('/');
        let key = key.split('(').next()?;
        let at = key.get(1..)?.rfind(['@', '/'])? + 1;
        let version = key.get(at + 1..)?;
        version
            .starts_with(|c: char| c.is_ascii_digit())
            .then(|| package(key.get(..at).unwrap_or_default(), version, number))
    };
    lines(text).filter_map(name).collect()
}

/// `[[package]]` tables.
fn toml_packages(text: &str) -> Vec<Package> {
    let mut table = "";
    let mut found: Vec<Package> = Vec::new();
    for (number, line) in lines(text) {
        let value = |key: &str| {
            Some(
                line.strip_prefix(key)?
                    .trim_start()
                    .strip_prefix('=')?
                    .trim()
                    .trim_matches('"'),
            )
        };
        if line.starts_with('[') {
            table = line.trim();
        } else if table == "[[package]]" {
            if let Some(name) = value("name") {
                found.push(package(name, "", number));
            } else if let (Some(version), Some(last)) = (value("version"), found.last_mut()) {
                last.version = version.to_owned();
            }
        }
    }
    found
}

/// `name[extra]==1 ; marker` (PEP 508); names as in PEP 503.
fn requirements(text: &str) -> Vec<Package> {
    let read = |(number, line): (u32, &str)| {
        let line = line.split(" #").next()?.split(';').next()?.trim();
        if line.starts_with(['#', '-']) || line.is_empty() {
            return None;
        }
        let end = line
            .find(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_' | '.')))
            .unwrap_or(line.len());
        let name = line.get(..end)?.to_ascii_lowercase().replace(['_', '.'], "-");
        let rest = line.get(end..)?;
        let version = rest.split_once(']').map_or(rest, |(_, after)| after);
        let version = version.split_whitespace().next().unwrap_or_default();
        Some(package(&name, version.trim_start_matches('='), number))
    };
    lines(text).filter_map(read).collect()
}

/// `require a v1`, alone or in a block.
fn go_mod(text: &str) -> Vec<Package> {
    let mut block = "";
    let mut found = Vec::new();
    for (number, line) in lines(text) {
        let line = line.split("//").next().unwrap_or_default().trim();
        if let Some(keyword) = line.strip_suffix('(') {
            block = keyword.trim();
            continue;
        }
        if line == ")" {
            block = "";
            continue;
        }
        let own = if block.is_empty() {
            line.split_once(' ')
        } else {
            Some((block, line))
        };
        let Some(("require" | "replace", rest)) = own else {
            continue;
        };
        // What stands in for another package is the one that is used.
        let used = rest.rsplit("=>").next().unwrap_or(rest);
        let mut words = used.split_whitespace();
        if let Some(name) = words.next() {
            found.push(package(name, words.next().unwrap_or_default(), number));
        }
    }
    found
}

/// `    a (1)` below `specs:`; what it needs itself is indented deeper.
fn gemfile_lock(text: &str) -> Vec<Package> {
    let read = |(number, line): (u32, &str)| {
        let entry = line.strip_prefix("    ").filter(|entry| !entry.starts_with(' '))?;
        let (name, version) = entry.split_once(" (")?;
        Some(package(name, version.trim_end_matches(')'), number))
    };
    lines(text).filter_map(read).collect()
}

fn pom(text: &str) -> Vec<Package> {
    let mut group = "";
    let mut found: Vec<Package> = Vec::new();
    for (number, line) in lines(text) {
        if let Some(id) = between(line, "<groupId>", "</groupId>") {
            group = id.trim();
        }
        if let Some(id) = between(line, "<artifactId>", "</artifactId>") {
            found.push(package(&format!("{group}:{}", id.trim()), "", number));
        }
        if let (Some(version), Some(last)) = (between(line, "<version>", "</version>"), found.last_mut()) {
            last.version = version.trim().to_owned();
        }
    }
    found
}

/// Strings of `group:name:version`.
fn gradle(text: &str) -> Vec<Package> {
    let mut found = Vec::new();
    for (number, line) in lines(text) {
        for word in line.split(['"', '\'', '=', ' ', '(', ')', ',']) {
            let mut parts = word.split(':');
            if let (Some(group), Some(name)) = (parts.next(), parts.next())
                && !group.is_empty()
                && !name.is_empty()
                && !group.contains('/')
            {
                found.push(package(
                    &format!("{group}:{name}"),
                    parts.next().unwrap_or_default(),
                    number,
                ));
            }
        }
    }
    found
}

fn msbuild(text: &str) -> Vec<Package> {
    let read = |(number, line): (u32, &str)| {
        let line = Some(line).filter(|line| line.contains("<Package"))?;
        let name = between(line, "Include=\"", "\"")?;
        Some(package(
            name,
            between(line, "Version=\"", "\"").unwrap_or_default(),
            number,
        ))
    };
    lines(text).filter_map(read).collect()
}
