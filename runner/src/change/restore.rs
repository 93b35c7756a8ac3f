//! The base's tests, and how they are run, put back into the candidate: a fix that deletes, skips or
//! weakens tests gains nothing.

use std::collections::BTreeSet;

use serde_json::Value as Json;
use toml::Value as Toml;

use super::test_files::is_test_file;
use super::{SourceFile, SourceTree};

/// Keys of `package.json` that say how tests are run.
const PACKAGE_KEYS: [&str; 8] = ["jest", "mocha", "ava", "vitest", "nyc", "c8", "tap", "scripts"];
/// Tables of `pyproject.toml` that do.
const PYPROJECT_TABLES: [&str; 5] = ["pytest", "coverage", "tox", "nox", "hatch"];
/// Keys of `Cargo.toml` that do, as paths.
const CARGO_KEYS: [&[&str]; 6] = [
    &["test"],
    &["lib", "test"],
    &["lib", "harness"],
    &["profile", "test"],
    &["package", "autotests"],
    &["package", "build"],
];
/// Words in lines of other manifests that do.
const OTHER_WORDS: [&str; 12] = [
    "argline",
    "ignorefailures",
    "onlyif",
    "enabled",
    "surefire",
    "failsafe",
    "skiptests",
    "maven.test",
    "testfailureignore",
    "usejunit",
    "pytest",
    "test {",
];
/// Files in which such lines are looked for.
const OTHER_FILES: [&str; 3] = ["pom.xml", "build.gradle", "build.gradle.kts"];
/// Beginnings of the sections of `setup.cfg` that do.
const INI_SECTIONS: [&str; 7] = ["tool:", "pytest", "coverage", "tox", "testenv", "aliases", "nosetests"];
/// Files of which every line may: recipes that tests are run by, settings of what runs them, and scripts that a build
/// runs, which may write what it likes into the tests.
const WHOLE_FILES: [&str; 21] = [
    "tox.ini",
    "Makefile",
    "makefile",
    "GNUmakefile",
    "justfile",
    "Justfile",
    "Taskfile.yml",
    "Taskfile.yaml",
    "Rakefile",
    "build.rs",
    ".npmrc",
    ".yarnrc",
    ".yarnrc.yml",
    ".pnpmfile.cjs",
    "bunfig.toml",
    "gradle.properties",
    "maven.config",
    "jvm.config",
    "extensions.xml",
    ".envrc",
    ".env.test",
];
/// Beginnings of the names of such files.
const WHOLE_PREFIXES: [&str; 3] = ["vite.config.", "babel.config.", "webpack.config."];
/// Paths whose ends are such files.
const WHOLE_PATHS: [&str; 2] = [".cargo/config.toml", ".cargo/config"];
/// Endings of files that a command may run by their name.
const SCRIPTS: [&str; 4] = ["sh", "bash", "mk", "bat"];

/// The candidate with the base's tests.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Restoration {
    /// Files that were put back, or taken away because the base hasn't them.
    pub files: Vec<String>,
    /// Files in which how tests are run is changed among other things, and can't be put back alone.
    pub mixed: Vec<String>,
}

/// Puts the base's tests into the candidate, and says what that changed. Neither: nothing had to be. `commands` are
/// those that build and test it: a script that one of them names is a part of how tests are run.
#[must_use]
pub fn restore<'a>(base: &SourceTree<'a>, candidate: &mut SourceTree<'a>, commands: &[&str]) -> Restoration {
    let mut named: BTreeSet<String> = commands.iter().flat_map(|command| words(command)).collect();
    named.extend(base.text("package.json").into_iter().flat_map(script_words));
    let mut restoration = Restoration::default();
    for path in base.differing(candidate) {
        if is_test_file(&path) {
            // New tests alone can't hide anything, but they may be what changes how the others run.
            candidate.set(&path, base.get(&path).cloned());
            restoration.files.push(path);
            continue;
        }
        let name = path.rsplit('/').next().unwrap_or(&path).to_owned();
        let (before, after) = (base.text(&path), candidate.text(&path));
        match name.as_str() {
            "package.json" => match package_json(before, after) {
                Part::Same => {}
                Part::PutBack(text) => {
                    candidate.set_text(&path, text);
                    restoration.files.push(path);
                }
                Part::Mixed => restoration.mixed.push(path),
            },
            "pyproject.toml" if !same_toml(before, after, pyproject) => restoration.mixed.push(path),
            "Cargo.toml" if !same_toml(before, after, cargo) => restoration.mixed.push(path),
            "setup.cfg" if ini(before) != ini(after) => restoration.mixed.push(path),
            name if OTHER_FILES.contains(&name) && test_lines(before) != test_lines(after) => {
                restoration.mixed.push(path);
            }
            name if is_whole(&path, name, &named) && meant_lines(before) != meant_lines(after) => {
                restoration.mixed.push(path);
            }
            _ => {}
        }
    }
    // Only added tests: the base's are all still there as they were.
    let added = |path: &String| base.get(path).is_none() && !super::test_files::is_test_config(path);
    if restoration.files.iter().all(added) {
        restoration.files.clear();
    }
    restoration
}

enum Part {
    Same,
    PutBack(String),
    Mixed,
}

fn package_json(before: Option<&str>, after: Option<&str>) -> Part {
    let (Some(before), Some(after)) = (before, after) else {
        return Part::Mixed;
    };
    let (Ok(Json::Object(before)), Ok(Json::Object(mut after))) =
        (serde_json::from_str(before), serde_json::from_str(after))
    else {
        return Part::Mixed;
    };
    let mut same = true;
    for key in PACKAGE_KEYS {
        if before.get(key) != after.get(key) {
            same = false;
            match before.get(key) {
                Some(value) => after.insert(key.to_owned(), value.clone()),
                None => after.remove(key),
            };
        }
    }
    if same {
        return Part::Same;
    }
    serde_json::to_string_pretty(&after).map_or(Part::Mixed, Part::PutBack)
}

fn same_toml(before: Option<&str>, after: Option<&str>, parts: fn(&Toml) -> Vec<Option<Toml>>) -> bool {
    let read = |text: Option<&str>| text.unwrap_or_default().parse::<toml::Table>().map(Toml::Table);
    match (read(before), read(after)) {
        (Ok(before), Ok(after)) => parts(&before) == parts(&after),
        _ => false,
    }
}

fn pyproject(manifest: &Toml) -> Vec<Option<Toml>> {
    let tool = manifest.get("tool");
    PYPROJECT_TABLES
        .iter()
        .map(|table| tool.and_then(|tool| tool.get(table)).cloned())
        .collect()
}

fn cargo(manifest: &Toml) -> Vec<Option<Toml>> {
    CARGO_KEYS
        .iter()
        .map(|keys| {
            let mut at = Some(manifest);
            for key in *keys {
                at = at.and_then(|value| value.get(key));
            }
            at.cloned()
        })
        .collect()
}

/// Whether all of a file says how tests are run.
fn is_whole(path: &str, name: &str, named: &BTreeSet<String>) -> bool {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let runs_by_name = extension.is_empty() || SCRIPTS.contains(&extension);
    WHOLE_FILES.contains(&name)
        || extension == "mk"
        || WHOLE_PREFIXES.iter().any(|front| name.starts_with(front))
        || WHOLE_PATHS.iter().any(|end| {
            path.strip_suffix(end)
                .is_some_and(|front| front.is_empty() || front.ends_with('/'))
        })
        || (runs_by_name && named.contains(path))
}

/// Words of a command that may be paths of the repo.
fn words(command: &str) -> impl Iterator<Item = String> {
    let ends = |c: char| c.is_whitespace() || ";&|()<>\"'`$={}".contains(c);
    let words = command.split(ends).filter(|word| !word.is_empty());
    words.map(|word| word.strip_prefix("./").unwrap_or(word).to_owned())
}

/// Those of the scripts of a `package.json`.
fn script_words(manifest: &str) -> BTreeSet<String> {
    let manifest: Json = serde_json::from_str(manifest).unwrap_or_default();
    let scripts = manifest.get("scripts").and_then(Json::as_object);
    let scripts = scripts.into_iter().flat_map(serde_json::Map::values);
    scripts.filter_map(Json::as_str).flat_map(words).collect()
}

/// Lines that are neither empty nor comments; of scripts and recipes a change of anything else may be one of meaning.
fn meant_lines(text: Option<&str>) -> Vec<&str> {
    let lines = text.unwrap_or_default().lines().map(str::trim_end);
    lines
        .filter(|line| {
            let start = line.trim_start();
            !start.is_empty() && !start.starts_with('#') && !start.starts_with("//")
        })
        .collect()
}

/// Lines of the sections of `setup.cfg` that say how tests are run.
fn ini(text: Option<&str>) -> Vec<&str> {
    let mut inside = false;
    let mut found = Vec::new();
    for line in meant_lines(text) {
        if let Some(section) = line.trim_start().strip_prefix('[') {
            inside = INI_SECTIONS.iter().any(|front| section.trim_start().starts_with(front));
        }
        if inside {
            found.push(line);
        }
    }
    found
}

fn test_lines(text: Option<&str>) -> Vec<String> {
    text.unwrap_or_default()
        .lines()
        .map(|line| line.trim().to_lowercase())
        .filter(|line| OTHER_WORDS.iter().any(|word| line.contains(word)) || line.starts_with("test"))
        .collect()
}

/// The candidate's source as the base has it, with the candidate's tests: what new tests must notice.
pub fn revert_source<'a>(base: &SourceTree<'a>, candidate: &mut SourceTree<'a>, paths: &[String]) {
    for path in paths {
        let before: Option<SourceFile<'a>> = base.get(path).cloned();
        candidate.set(path, before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate::fake::tree;

    fn restored(base: &[(&str, &str)], candidate: &[(&str, &str)]) -> (Restoration, Vec<(String, String)>) {
        let (base, candidate) = (tree(base), tree(candidate));
        let base = SourceTree::read(&base).unwrap();
        let mut candidate = SourceTree::read(&candidate).unwrap();
        let found = restore(&base, &mut candidate, &["sh scripts/run.sh && ./check"]);
        let files = candidate
            .paths()
            .map(|path| (path.to_owned(), candidate.text(path).unwrap().to_owned()))
            .collect();
        (found, files)
    }

    #[test]
    fn changed_removed_and_configuring_files_are_put_back() {
        let (found, files) = restored(
            &[("a.py", "1"), ("tests/test_a.py", "1"), ("tests/test_b.py", "1")],
            &[("a.py", "2"), ("tests/test_a.py", "2"), ("conftest.py", "skip()")],
        );
        assert_eq!(found.files, ["conftest.py", "tests/test_a.py", "tests/test_b.py"]);
        let expected = [("a.py", "2"), ("tests/test_a.py", "1"), ("tests/test_b.py", "1")];
        assert_eq!(files, expected.map(|(path, text)| (path.to_owned(), text.to_owned())));
    }

    #[test]
    fn added_tests_are_no_reason_for_another_run() {
        let (found, _) = restored(&[("a.py", "1")], &[("a.py", "2"), ("tests/test_a.py", "1")]);
        assert_eq!(found, Restoration::default());
    }

    #[test]
    fn scripts_are_put_back_beside_an_upgraded_dependency() {
        let (found, files) = restored(
            &[(
                "package.json",
                r#"{"scripts": {"test": "node --test"}, "dependencies": {"a": "1"}}"#,
            )],
            &[(
                "package.json",
                r#"{"scripts": {"test": "true"}, "dependencies": {"a": "2"}}"#,
            )],
        );
        assert_eq!(found.files, ["package.json"]);
        assert!(
            files[0].1.contains("node --test") && files[0].1.contains(r#""a": "2""#),
            "{files:?}"
        );
        let upgrade = [r#"{"dependencies": {"a": "1"}}"#, r#"{"dependencies": {"a": "2"}}"#];
        let (found, _) = restored(&[("package.json", upgrade[0])], &[("package.json", upgrade[1])]);
        assert_eq!(found, Restoration::default());
    }

    #[test]
    fn what_cannot_be_put_back_alone_is_named() {
        for (path, before, after) in [
            (
                "Cargo.toml",
                "[package]\nname = \"a\"\n",
                "[package]\nname = \"a\"\nautotests = false\n",
            ),
            (
                "pyproject.toml",
                "",
                "[tool.pytest.ini_options]\naddopts = \"-k nothing\"\n",
            ),
            ("pom.xml", "<a/>\n", "<a/>\n<skipTests>true</skipTests>\n"),
            ("Makefile", "test:\n\tpytest\n", "test:\n\ttrue\n"),
            ("Makefile", "check:\n\tpython3 -m x\n", "check:\n\t-python3 -m x\n"),
            ("rules.mk", "A = 1\n", "A = 2\n"),
            ("GNUmakefile", "", "all:\n"),
            (
                "setup.cfg",
                "[metadata]\na = 1\n[tool:pytest]\n",
                "[metadata]\na = 1\n[tool:pytest]\naddopts = -x\n",
            ),
            ("tox.ini", "[pytest]\n", "[pytest]\naddopts = -x\n"),
            (".npmrc", "", "script-shell=./s\n"),
            (".cargo/config.toml", "", "[target.x]\nrunner = 'r'\n"),
            ("scripts/run.sh", "python3 t.py\n", "python3 t.py || :\n"),
            ("check", "./a\n", "./a; true\n"),
            ("part/build.rs", "fn main() {}\n", "fn main() { w(); }\n"),
        ] {
            let (found, _) = restored(&[(path, before)], &[(path, after)]);
            assert_eq!(found.mixed, [path], "{path}");
            let more = format!("{before}# a dependency\n");
            if before.is_empty() {
                continue;
            }
            assert_eq!(
                restored(&[(path, before)], &[(path, &more)]).0,
                Restoration::default(),
                "{path}"
            );
        }
    }
}
