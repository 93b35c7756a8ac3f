//! The base's tests, and how they are run, put back into the candidate: a fix that deletes, skips or
//! weakens tests gains nothing.

use serde_json::Value as Json;
use toml::Value as Toml;

use super::test_files::is_test_file;
use super::{SourceFile, SourceTree};

/// Keys of `package.json` that say how tests are run.
const PACKAGE_KEYS: [&str; 8] = ["jest", "mocha", "ava", "vitest", "nyc", "c8", "tap", "scripts"];
/// Tables of `pyproject.toml` that do.
const PYPROJECT_TABLES: [&str; 5] = ["pytest", "coverage", "tox", "nox", "hatch"];
/// Keys of `Cargo.toml` that do, as paths.
const CARGO_KEYS: [&[&str]; 5] = [
    &["test"],
    &["lib", "test"],
    &["lib", "harness"],
    &["profile", "test"],
    &["package", "autotests"],
];
/// Words in lines of other manifests that do.
const OTHER_WORDS: [&str; 8] = [
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
const OTHER_FILES: [&str; 8] = [
    "pom.xml",
    "build.gradle",
    "build.gradle.kts",
    "setup.cfg",
    "tox.ini",
    "Makefile",
    "makefile",
    "GNUmakefile",
];

/// The candidate with the base's tests.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Restoration {
    /// Files that were put back, or taken away because the base hasn't them.
    pub files: Vec<String>,
    /// Files in which how tests are run is changed among other things, and can't be put back alone.
    pub mixed: Vec<String>,
}

/// Puts the base's tests into the candidate, and says what that changed. Neither: nothing had to be.
#[must_use]
pub fn restore<'a>(base: &SourceTree<'a>, candidate: &mut SourceTree<'a>) -> Restoration {
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
            name if OTHER_FILES.contains(&name) && test_lines(before) != test_lines(after) => {
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
        let found = restore(&base, &mut candidate);
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
        ] {
            let (found, _) = restored(&[(path, before)], &[(path, after)]);
            assert_eq!(found.mixed, [path], "{path}");
            let more = format!("{before}# a dependency\n");
            assert_eq!(
                restored(&[(path, before)], &[(path, &more)]).0,
                Restoration::default(),
                "{path}"
            );
        }
    }
}
