//! pip: requirements files whose every line is pinned, or a project without dependencies.

use std::collections::{BTreeMap, BTreeSet};

use super::place::Place;
use super::python::{environment, normalised};
use super::{Recipe, Toolchain, line, python};

/// Requirements files that are installed, where they are there.
const REQUIREMENTS: [&str; 8] = [
    "requirements.txt",
    "requirements-dev.txt",
    "requirements_dev.txt",
    "dev-requirements.txt",
    "requirements-test.txt",
    "test-requirements.txt",
    "requirements/dev.txt",
    "requirements/test.txt",
];
/// Files that requirements files include, one in the other.
const MAX_INCLUDED: usize = 20;

pub(super) const TOOLCHAIN: Toolchain = Toolchain {
    name: "pip",
    marks: &[
        "requirements.txt",
        "pyproject.toml",
        "setup.cfg",
        "setup.py",
        "Pipfile.lock",
    ],
    read,
};

fn read(place: &Place<'_>) -> Option<Recipe> {
    let mut recipe = Recipe {
        tools: vec!["python3"],
        ..Recipe::default()
    };
    let files: Vec<&str> = REQUIREMENTS.iter().copied().filter(|file| place.has(file)).collect();
    let mut pins = Pins::default();
    for file in &files {
        pins.read(place, file);
    }
    let mut python = "python3".to_owned();
    if !pins.names.is_empty() || !pins.loose.is_empty() {
        if pins.loose.is_empty() {
            python = format!("{}/bin/python", environment());
            recipe.prepare = line(install(place, &files, pins.all_hashed), shown(&files));
            if !pins.all_hashed {
                recipe
                    .notes
                    .push(format!("{} pins versions but no hashes", shown(&files)));
            }
        } else {
            for (file, requirement) in pins.loose.iter().take(1) {
                recipe.notes.push(format!(
                    "`{file}` has `{requirement}`, which pins no version: nothing is fetched; pin it with `==`"
                ));
            }
        }
    } else if files.is_empty() && declares_dependencies(place) {
        recipe.notes.push(
            "the dependencies are in no lockfile: nothing is fetched that isn't pinned; \
             write `requirements.txt` with hashes, `uv.lock` or `poetry.lock`"
                .to_owned(),
        );
    }
    python::add_steps(place, &mut recipe, &python, |name| pins.names.contains(name));
    Some(recipe)
}

fn shown(files: &[&str]) -> String {
    let names: Vec<String> = files.iter().map(|file| format!("`{file}`")).collect();
    names.join(" and ")
}

fn install(place: &Place<'_>, files: &[&str], hashed: bool) -> String {
    let environment = environment();
    let hashes = if hashed { " --require-hashes" } else { "" };
    // Building a source distribution runs its code.
    let binary = if place.scripts { "" } else { " --only-binary :all:" };
    let from: Vec<String> = files.iter().map(|file| format!("-r {file}")).collect();
    // Cleared: what the fix no longer asks for must not be there any more.
    format!(
        "python3 -m venv --clear {environment} && {environment}/bin/python -m pip install --quiet --no-input \
         --disable-pip-version-check{hashes}{binary} \
         ${{HOLDPOINT_PACKAGES:+--no-index --find-links \"$HOLDPOINT_PACKAGES\"}} {}",
        from.join(" ")
    )
}

/// What requirements files ask for (pip's documentation, "Requirements File Format").
#[derive(Debug)]
struct Pins {
    names: BTreeSet<String>,
    all_hashed: bool,
    /// First requirement of a file that pins nothing, by file.
    loose: BTreeMap<String, String>,
    seen: BTreeSet<String>,
}

impl Default for Pins {
    fn default() -> Self {
        Self {
            names: BTreeSet::new(),
            all_hashed: true,
            loose: BTreeMap::new(),
            seen: BTreeSet::new(),
        }
    }
}

impl Pins {
    fn read(&mut self, place: &Place<'_>, file: &str) {
        if self.seen.len() >= MAX_INCLUDED || !self.seen.insert(file.to_owned()) {
            return;
        }
        let Some(text) = place.text(file) else {
            self.loose.insert(file.to_owned(), "(it can't be read)".to_owned());
            return;
        };
        for requirement in text.replace("\\\r\n", " ").replace("\\\n", " ").lines() {
            // A comment starts at the line's start or after a blank; a URL may hold a `#`.
            let requirement = match requirement.split_once(" #") {
                Some((before, _)) => before.trim(),
                None => requirement.trim(),
            };
            if !requirement.is_empty() && !requirement.starts_with('#') {
                self.requirement(place, file, requirement);
            }
        }
    }

    fn requirement(&mut self, place: &Place<'_>, file: &str, requirement: &str) {
        for option in ["-r", "--requirement"] {
            let rest = requirement.strip_prefix(option);
            if let Some(rest) = rest.filter(|rest| rest.starts_with([' ', '='])) {
                let folder = file
                    .rsplit_once('/')
                    .map_or(String::new(), |(folder, _)| format!("{folder}/"));
                let included = format!("{folder}{}", rest.trim_start_matches([' ', '=']));
                return self.read(place, &included);
            }
        }
        let (what, hashes) = match requirement.split_once("--hash=") {
            Some((what, _)) => (what, true),
            None => (requirement, false),
        };
        let what = what.split(';').next().unwrap_or_default().trim();
        match what.split_once("==") {
            // `-e .`, `--index-url …`, a URL and a folder are all no name with a version.
            Some((name, version))
                if is_name(name) && !version.contains(['*', ',']) && !version.trim_start_matches('=').is_empty() =>
            {
                let bare = name.split('[').next().unwrap_or_default();
                self.names.insert(normalised(bare));
                self.all_hashed &= hashes;
            }
            _ => {
                let short = requirement.chars().take(60).collect();
                self.loose.entry(file.to_owned()).or_insert(short);
            }
        }
    }
}

/// A name, perhaps with extras: `requests[socks]`.
fn is_name(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.[], ".contains(c);
    text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.chars().all(allowed)
}

/// Whether the project's metadata asks for anything. What can't be told, asks.
fn declares_dependencies(place: &Place<'_>) -> bool {
    if place.has("setup.py") || place.has("Pipfile.lock") {
        return true;
    }
    if place
        .text("setup.cfg")
        .is_some_and(|text| text.lines().any(|line| line.starts_with("install_requires")))
    {
        return true;
    }
    let Some(text) = place.text("pyproject.toml") else {
        return false;
    };
    let Ok(manifest) = text.parse::<toml::Table>() else {
        return true;
    };
    let project = manifest.get("project").and_then(toml::Value::as_table);
    let listed = project
        .and_then(|project| project.get("dependencies"))
        .and_then(toml::Value::as_array)
        .is_some_and(|list| !list.is_empty());
    let dynamic = project.is_some_and(|project| project.contains_key("dynamic"));
    listed || dynamic || manifest.get("tool").is_some_and(|tool| tool.get("poetry").is_some())
}
