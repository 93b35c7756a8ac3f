//! Whether a candidate needs a `prepare` of its own, or can use what the baseline's left. Skipping one
//! that was needed would give a wrong verdict, so only what is known to be unaffected is skipped. Pure.

use std::collections::BTreeMap;

use crate::sandbox::snapshot::TreeChange;
use crate::sandbox::tree;

/// Endings of source files, which the installs below don't read.
const SOURCES: [&str; 16] = [
    "py", "pyi", "js", "jsx", "mjs", "cjs", "ts", "tsx", "mts", "cts", "rs", "go", "java", "css", "html", "md",
];
/// Source files that package managers do read or run.
const READ_BY_TOOLS: [&str; 3] = ["setup.py", "build.rs", "conanfile.py"];
/// Folders that package managers write, or read packages from.
const OF_TOOLS: [&str; 4] = ["node_modules", "vendor", "target", "site-packages"];
/// The folder of package archives, as commands name it.
const PACKAGES: [&str; 2] = ["\"$HOLDPOINT_PACKAGES\"", "$HOLDPOINT_PACKAGES"];

/// An install that reads manifests and lockfiles alone.
struct Install {
    words: &'static [&'static str],
    /// Options that change nothing about that.
    options: &'static [&'static str],
    ecosystem: Ecosystem,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ecosystem {
    Node,
    Rust,
    Go,
}

const NPM_OPTIONS: &[&str] = &[
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--no-progress",
    "--offline",
    "--prefer-offline",
    "--omit=dev",
    "--silent",
];
const FROZEN: &[&str] = &[
    "--frozen-lockfile",
    "--immutable",
    "--ignore-scripts",
    "--offline",
    "--prefer-offline",
    "--non-interactive",
];

const INSTALLS: [Install; 9] = [
    Install {
        words: &["npm", "ci"],
        options: NPM_OPTIONS,
        ecosystem: Ecosystem::Node,
    },
    Install {
        words: &["npm", "clean-install"],
        options: NPM_OPTIONS,
        ecosystem: Ecosystem::Node,
    },
    Install {
        words: &["npm", "install"],
        options: NPM_OPTIONS,
        ecosystem: Ecosystem::Node,
    },
    Install {
        words: &["pnpm", "install"],
        options: FROZEN,
        ecosystem: Ecosystem::Node,
    },
    Install {
        words: &["pnpm", "i"],
        options: FROZEN,
        ecosystem: Ecosystem::Node,
    },
    Install {
        words: &["yarn"],
        options: FROZEN,
        ecosystem: Ecosystem::Node,
    },
    Install {
        words: &["yarn", "install"],
        options: FROZEN,
        ecosystem: Ecosystem::Node,
    },
    Install {
        words: &["cargo", "fetch"],
        options: &["--locked", "--offline", "--frozen", "--quiet"],
        ecosystem: Ecosystem::Rust,
    },
    Install {
        words: &["go", "mod", "download"],
        options: &["-x"],
        ecosystem: Ecosystem::Go,
    },
];

/// Options of `pip install` that have a value, and those that have none.
const PIP_WITH_VALUE: [&str; 5] = ["--find-links", "-f", "--target", "-t", "--only-binary"];
const PIP_ALONE: [&str; 8] = [
    "--no-index",
    "--require-hashes",
    "--no-deps",
    "--no-cache-dir",
    "--quiet",
    "-q",
    "--user",
    "--disable-pip-version-check",
];
/// What in a manifest or a setting makes a JavaScript install read, copy or mark sources of the tree.
const READS_SOURCES: [&str; 8] = [
    "\"file:",
    "\"link:",
    "portal:",
    "exec:",
    "injected",
    "install-links",
    "\"workspaces\"",
    "ignore-scripts",
];

/// Whether `prepare` has to run again on a candidate that starts from the baseline's workspace: unless
/// its command is nothing but known installs, packages run no scripts, and the change only writes source
/// files that such an install doesn't read. `base` is the base commit's tree, as an uncompressed archive.
#[must_use]
pub fn needs_prepare(command: &str, scripts: bool, change: &TreeChange, base: &[u8]) -> bool {
    let unaffected = || -> Option<bool> {
        let only_sources = change.removed.is_empty() && only_sources(&change.written)?;
        Some(!scripts && only_sources && installs(command)?.iter().all(|words| is_known(words, base)))
    };
    !unaffected().unwrap_or(false)
}

fn only_sources(written: &[u8]) -> Option<bool> {
    if written.is_empty() {
        return Some(true);
    }
    let mut all = true;
    for entry in tar::Archive::new(written).entries().ok()? {
        let entry = entry.ok()?;
        let path = entry.path().ok()?.to_str()?.to_owned();
        all &= entry.header().entry_type().is_file() && is_source(&path);
    }
    Some(all)
}

fn is_source(path: &str) -> bool {
    let mut parts = path.split('/');
    let name = parts.next_back().unwrap_or_default();
    let plain_folders = parts.all(|part| !part.starts_with('.') && !OF_TOOLS.contains(&part));
    let ending = name.rsplit_once('.').map(|(_, ending)| ending);
    plain_folders
        && !name.starts_with('.')
        && !READ_BY_TOOLS.contains(&name)
        && ending.is_some_and(|ending| SOURCES.contains(&ending))
}

/// The command's words, one list for each part joined by `&&`. `None`: the shell may do more with it.
fn installs(command: &str) -> Option<Vec<Vec<String>>> {
    let mut plain = command.trim().to_owned();
    for variable in PACKAGES {
        plain = plain.replace(variable, "packages");
    }
    let known = |c: char| c.is_ascii_alphanumeric() || " -_./=:,&".contains(c);
    if plain.is_empty() || !plain.chars().all(known) {
        return None;
    }
    let words = |part: &str| {
        part.split(' ')
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let parts: Vec<Vec<String>> = plain.split("&&").map(words).collect();
    // A single `&` would be left in a word.
    let single = parts.iter().flatten().any(|word| word.contains('&'));
    (!single).then_some(parts)
}

fn is_known(words: &[String], base: &[u8]) -> bool {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let pip = match words.as_slice() {
        ["pip" | "pip3", "install", rest @ ..] | ["python" | "python3", "-m", "pip", "install", rest @ ..] => {
            Some(rest)
        }
        _ => None,
    };
    if let Some(arguments) = pip {
        return is_known_pip(arguments, base).unwrap_or(false);
    }
    let known = INSTALLS.iter().find(|install| {
        words
            .strip_prefix(install.words)
            .is_some_and(|rest| rest.iter().all(|word| install.options.contains(word)))
    });
    known.is_some_and(|install| match install.ecosystem {
        Ecosystem::Node => reads_no_sources(base).unwrap_or(false),
        Ecosystem::Rust | Ecosystem::Go => true,
    })
}

/// Requirement files that name neither folders nor further files.
fn is_known_pip(arguments: &[&str], base: &[u8]) -> Option<bool> {
    let mut files = Vec::new();
    let mut rest = arguments.iter();
    while let Some(word) = rest.next() {
        match *word {
            "-r" | "--requirement" | "-c" | "--constraint" => files.push(*rest.next()?),
            word if PIP_WITH_VALUE.contains(&word) => {
                rest.next()?;
            }
            word if PIP_ALONE.contains(&word) => {}
            _ => return None,
        }
    }
    let there: BTreeMap<_, _> = tree::pick(base, |path| files.contains(&path)).ok()?;
    let remote = |line: &str| {
        let line = line.trim();
        let option = line.starts_with('-') && !line.starts_with("--hash=");
        let local = line.starts_with('.') || line.contains('/') || line.contains('@');
        // A comment may hold anything.
        line.starts_with('#') || !(option || local)
    };
    let all_remote = there
        .values()
        .all(|text| std::str::from_utf8(text).is_ok_and(|text| text.lines().all(remote)));
    Some(!files.is_empty() && there.len() == files.len() && all_remote)
}

/// Whether no manifest, lockfile or setting of a JavaScript tree has an install read its sources.
fn reads_no_sources(base: &[u8]) -> Option<bool> {
    let name = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    let run_code = |path: &str| path.starts_with(".yarn/") || name(path).starts_with(".pnpmfile");
    let looked_at = |path: &str| {
        let manifest = matches!(
            name(path).as_str(),
            "package.json"
                | "package-lock.json"
                | "npm-shrinkwrap.json"
                | "yarn.lock"
                | "pnpm-lock.yaml"
                | "pnpm-workspace.yaml"
                | ".npmrc"
                | ".yarnrc"
                | ".yarnrc.yml"
        );
        manifest || run_code(path)
    };
    let files = tree::pick(base, looked_at).ok()?;
    let reads = files.iter().any(|(path, text)| {
        let text = String::from_utf8_lossy(text);
        run_code(path) || name(path) == "pnpm-workspace.yaml" || READS_SOURCES.iter().any(|word| text.contains(word))
    });
    Some(files.contains_key("package.json") && !reads)
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod wiring;
