//! Steps that nobody had to write: what a repo's own manifests and lockfiles say about how it is
//! fetched, built and tested.
//!
//! Conservative where it matters. Dependencies are fetched only as a lockfile pins them, install
//! scripts of packages are off unless allowed, builds and tests run offline. Where the manifests
//! leave a choice nothing is guessed: the [`notes`](Detected::notes) say what was seen, and
//! `.holdpoint.yaml` decides ([`merge`]). Without steps there is no evidence, never a wrong one.
//!
//! Always read from the *base* tree: a fix that rewrites its own steps gains nothing.

mod archive;
mod cargo;
mod go;
mod gradle;
mod make;
mod maven;
mod node;
mod npm;
mod pip;
mod place;
mod pnpm;
mod poetry;
mod python;
mod uv;
mod yarn;

pub use archive::ArchiveFiles;

use holdpoint_schemas::estate::{PrepareConfig, StepsConfig, TestsConfig};
use std::collections::{BTreeMap, BTreeSet};

use self::place::Place;

/// Folder that outlives a step (its `/tmp` doesn't) and is no part of the repo's tree.
const CACHE: &str = "/workspace/cache";
/// Where detected steps leave their reports, relative to the folder they run in.
const REPORTS: &str = ".holdpoint";
/// Folders below the root that are looked into for manifests: a monorepo has them here.
const MAX_DEPTH: usize = 3;
/// Manifests below the root that are named in the notes.
const MAX_NAMED: usize = 8;
/// Folders whose manifests belong to somebody else or are data of tests.
const FOREIGN: [&str; 9] = [
    "node_modules",
    "vendor",
    "third_party",
    "testdata",
    "fixtures",
    "examples",
    "tests",
    "test",
    "target",
];

/// Files of a tree.
pub trait Files {
    /// Paths of all regular files, relative to the root, with `/`.
    fn paths(&self) -> Vec<String>;

    /// A file's text; `None` when it isn't there, isn't UTF-8 or is too large to be a manifest.
    fn text(&self, path: &str) -> Option<String>;
}

impl Files for BTreeMap<String, String> {
    fn paths(&self) -> Vec<String> {
        self.keys().cloned().collect()
    }

    fn text(&self, path: &str) -> Option<String> {
        self.get(path).cloned()
    }
}

/// What the manifests say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Detected {
    /// The steps.
    pub steps: StepsConfig,
    /// How single tests are told apart, and what they cover.
    pub tests: TestsConfig,
    /// Toolchains that the steps use: `cargo`, `npm` …
    pub toolchains: Vec<&'static str>,
    /// One line per step: which file it comes from.
    pub why: Vec<String>,
    /// What was seen and not used, for people: one line each, with what to do.
    pub notes: Vec<String>,
    /// Programs that the image must have.
    pub tools: Vec<&'static str>,
}

/// A command with the reason for it, which ends the sentence "`test` is `cargo test`, because …".
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    command: String,
    because: String,
}

fn line(command: impl Into<String>, because: impl Into<String>) -> Option<Line> {
    Some(Line {
        command: command.into(),
        because: because.into(),
    })
}

/// What one toolchain makes of a folder.
#[derive(Debug, Default, PartialEq, Eq)]
struct Recipe {
    prepare: Option<Line>,
    build: Option<Line>,
    test: Option<Line>,
    /// Globs, relative to the folder.
    reports: Vec<String>,
    /// Command and report, relative to the folder.
    coverage: Option<(String, String)>,
    tools: Vec<&'static str>,
    notes: Vec<String>,
}

/// One toolchain.
struct Toolchain {
    name: &'static str,
    /// File names that say that a folder is its business.
    marks: &'static [&'static str],
    /// What it makes of a folder; `None`: it isn't its business after all.
    read: fn(&Place<'_>) -> Option<Recipe>,
}

/// Every toolchain. Of one ecosystem only the first that applies is used, so the more specific ones
/// come first.
const ECOSYSTEMS: [&[Toolchain]; 6] = [
    &[cargo::TOOLCHAIN],
    &[go::TOOLCHAIN],
    &[maven::TOOLCHAIN, gradle::TOOLCHAIN],
    &[uv::TOOLCHAIN, poetry::TOOLCHAIN, pip::TOOLCHAIN],
    &[pnpm::TOOLCHAIN, yarn::TOOLCHAIN, npm::TOOLCHAIN],
    // Its targets mostly call the others, so it is used only where nothing else is there.
    &[make::TOOLCHAIN],
];

/// Finds the steps of a tree. `prepare` says whether packages may run scripts of their own.
#[must_use]
pub fn detect(files: &dyn Files, prepare: &PrepareConfig) -> Detected {
    let paths: BTreeSet<String> = files.paths().into_iter().collect();
    let at = |folder: &str| recipes(&Place::new(files, &paths, folder, prepare.scripts));
    let mut found = Detected::default();
    let root = at("");
    let below = folders_below(&paths);
    if !root.is_empty() {
        for folder in uncovered(&below, &root) {
            found.notes.push(format!(
                "`{folder}` is not part of the detected steps; add it to `.holdpoint.yaml` if fixes touch it"
            ));
        }
        found.add("", root);
        return found;
    }
    match below.as_slice() {
        [(folder, _)] => {
            let recipes = at(folder);
            if !recipes.is_empty() {
                found
                    .notes
                    .push(format!("the root has no manifest; the steps run in `{folder}`"));
            }
            found.add(folder, recipes);
        }
        [] => found
            .notes
            .push("no manifest of a known toolchain was found; write the steps into `.holdpoint.yaml`".to_owned()),
        many => {
            let mut names: Vec<String> = many
                .iter()
                .take(MAX_NAMED)
                .map(|(folder, mark)| format!("`{folder}/{mark}`"))
                .collect();
            if many.len() > MAX_NAMED {
                names.push("…".to_owned());
            }
            found.notes.push(format!(
                "the root has no manifest, but {} folders have: {}; write the steps into `.holdpoint.yaml`",
                many.len(),
                names.join(", ")
            ));
        }
    }
    found
}

fn recipes(place: &Place<'_>) -> Vec<(&'static str, Recipe)> {
    let mut found = Vec::new();
    for ecosystem in ECOSYSTEMS {
        let only_alone = ecosystem.iter().any(|toolchain| toolchain.name == make::TOOLCHAIN.name);
        if only_alone && !found.is_empty() {
            continue;
        }
        let first = ecosystem
            .iter()
            .filter(|toolchain| toolchain.marks.iter().any(|mark| place.has(mark)))
            .find_map(|toolchain| Some((toolchain.name, (toolchain.read)(place)?)));
        found.extend(first);
    }
    found
}

/// Folders below the root with a manifest in them, each with its first one.
fn folders_below(paths: &BTreeSet<String>) -> Vec<(String, String)> {
    let mut folders: BTreeMap<String, String> = BTreeMap::new();
    let marks: BTreeSet<&str> = ECOSYSTEMS
        .iter()
        .flat_map(|ecosystem| ecosystem.iter())
        .filter(|toolchain| toolchain.name != make::TOOLCHAIN.name)
        .flat_map(|toolchain| toolchain.marks.iter().copied())
        .collect();
    for path in paths {
        let Some((folder, name)) = path.rsplit_once('/') else {
            continue;
        };
        let mut components = folder.split('/');
        let ours = components.clone().count() <= MAX_DEPTH
            && components.all(|component| !FOREIGN.contains(&component) && !component.starts_with('.'));
        if ours && marks.contains(name) {
            folders.entry(folder.to_owned()).or_insert_with(|| name.to_owned());
        }
    }
    folders.into_iter().collect()
}

/// Folders with manifests of an ecosystem that the root's steps don't have at all. Members of a
/// workspace (Cargo, npm, Maven) are the root's business.
fn uncovered(below: &[(String, String)], root: &[(&'static str, Recipe)]) -> Vec<String> {
    let covered = |mark: &str| {
        ECOSYSTEMS
            .iter()
            .filter(|ecosystem| {
                ecosystem
                    .iter()
                    .any(|toolchain| root.iter().any(|(name, _)| *name == toolchain.name))
            })
            .any(|ecosystem| ecosystem.iter().any(|toolchain| toolchain.marks.contains(&mark)))
    };
    below
        .iter()
        .filter(|(_, mark)| !covered(mark))
        .take(MAX_NAMED)
        .map(|(folder, mark)| format!("{folder}/{mark}"))
        .collect()
}

impl Detected {
    fn add(&mut self, folder: &str, recipes: Vec<(&'static str, Recipe)>) {
        let inside = |command: &str| match folder {
            "" => command.to_owned(),
            _ => format!("cd {} && {command}", quoted(folder)),
        };
        let below = |path: &str| match folder {
            "" => path.to_owned(),
            _ => format!("{folder}/{path}"),
        };
        let several = recipes.len() > 1;
        let mut steps: [(&str, Vec<String>); 3] = ["prepare", "build", "test"].map(|step| (step, Vec::new()));
        let mut coverage = Vec::new();
        for (name, recipe) in recipes {
            self.toolchains.push(name);
            let [prepare, build, test] = &mut steps;
            for ((step, commands), command) in [(prepare, recipe.prepare), (build, recipe.build), (test, recipe.test)] {
                if let Some(command) = command {
                    self.why.push(format!("{step}: {}", command.because));
                    commands.push(inside(&command.command));
                }
            }
            self.tests
                .reports
                .extend(recipe.reports.iter().map(|report| below(report)));
            coverage.extend(recipe.coverage);
            self.notes.extend(recipe.notes);
            for tool in recipe.tools {
                if !self.tools.contains(&tool) {
                    self.tools.push(tool);
                }
            }
        }
        let [prepare, build, test] = steps.map(|(_, commands)| joined(&commands));
        self.steps = StepsConfig { prepare, build, test };
        // One report can't tell what the tests of several toolchains cover.
        if let (false, Some((command, report))) = (several, coverage.pop()) {
            self.tests.coverage = Some(inside(&command));
            self.tests.coverage_report = Some(below(&report));
        }
    }
}

/// Commands of several toolchains as one, each in a shell of its own, all of which must succeed.
fn joined(commands: &[String]) -> Option<String> {
    match commands {
        [] => None,
        [one] => Some(one.clone()),
        many => Some(
            many.iter()
                .map(|command| format!("( {command} )"))
                .collect::<Vec<_>>()
                .join(" && "),
        ),
    }
}

/// A text as one word of a shell command (POSIX shell, 2.2.2).
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '@' | '+' | '=' | ':');
    if !text.is_empty() && !text.starts_with('-') && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// Copies what `$HOLDPOINT_PACKAGES` has for a tool to where that tool looks, then runs `command`.
fn with_packages(folder: &str, target: &str, command: &str) -> String {
    format!(
        "if [ -n \"${{HOLDPOINT_PACKAGES:-}}\" ] && [ -d \"$HOLDPOINT_PACKAGES/{folder}\" ]; \
         then mkdir -p {target} && cp -R \"$HOLDPOINT_PACKAGES/{folder}/.\" {target}/; fi && {command}"
    )
}

/// What `.holdpoint.yaml` says on top of what was detected: a step that is written there wins, and
/// an empty one turns the step off. Reports and coverage of a detected test belong to that test.
#[must_use]
pub fn merge(detected: &Detected, steps: &StepsConfig, tests: &TestsConfig) -> (StepsConfig, TestsConfig) {
    let pick = |configured: &Option<String>, found: &Option<String>| match configured.as_deref().map(str::trim) {
        Some("") => None,
        Some(_) => configured.clone(),
        None => found.clone(),
    };
    let found = match steps.test {
        None => detected.tests.clone(),
        Some(_) => TestsConfig::default(),
    };
    let coverage = pick(&tests.coverage, &found.coverage);
    // The report of a command that isn't run would be an old one.
    let report_of_found = found.coverage_report.filter(|_| tests.coverage.is_none());
    (
        StepsConfig {
            prepare: pick(&steps.prepare, &detected.steps.prepare),
            build: pick(&steps.build, &detected.steps.build),
            test: pick(&steps.test, &detected.steps.test),
        },
        TestsConfig {
            reports: match tests.reports.as_slice() {
                [] => found.reports,
                configured => configured.to_vec(),
            },
            coverage_report: coverage.as_ref().and(pick(&tests.coverage_report, &report_of_found)),
            coverage,
        },
    )
}

#[cfg(test)]
mod tests;
