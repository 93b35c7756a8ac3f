//! Which files of a repo are its tests, and which say how they are run. By the conventions that the
//! runners themselves go by.

/// Folders that hold only tests and what they need.
const TEST_FOLDERS: [&str; 11] = [
    "test",
    "tests",
    "__tests__",
    "__mocks__",
    "__snapshots__",
    "spec",
    "specs",
    "testdata",
    "test-data",
    "e2e",
    "testing",
];
/// Beginnings of a test file's name, with its ending.
const TEST_PREFIXES: [(&str, &str); 2] = [("test_", ".py"), ("test-", ".js")];
/// Ends of a test file's name.
const TEST_SUFFIXES: [&str; 27] = [
    "_test.py",
    "_tests.py",
    "_test.go",
    "_test.rs",
    "_tests.rs",
    "Test.java",
    "Tests.java",
    "IT.java",
    "TestCase.java",
    "Test.kt",
    "Tests.kt",
    "_test.rb",
    "_spec.rb",
    "Test.php",
    "Tests.cs",
    "Test.cs",
    ".test.js",
    ".test.mjs",
    ".test.cjs",
    ".test.ts",
    ".test.tsx",
    ".test.jsx",
    ".spec.js",
    ".spec.ts",
    ".spec.tsx",
    ".snap",
    "_test.cc",
];
/// Files that say how tests are run, and nothing else that a build needs. The last ones are run by
/// Python itself before anything else.
const CONFIG_NAMES: [&str; 20] = [
    "pytest.toml",
    ".pytest.toml",
    "tox.toml",
    ".mocharc.jsonc",
    "jasmine.json",
    "conftest.py",
    "pytest.ini",
    ".pytest.ini",
    ".coveragerc",
    "noxfile.py",
    "runtests.py",
    "nextest.toml",
    ".mocharc.json",
    ".mocharc.yml",
    ".mocharc.yaml",
    ".mocharc.js",
    ".mocharc.cjs",
    "sitecustomize.py",
    "usercustomize.py",
    "phpunit.xml",
];
/// Beginnings of the names of such files.
const CONFIG_PREFIXES: [&str; 10] = [
    "playwright.config.",
    "cypress.config.",
    "web-test-runner.config.",
    "wdio.conf.",
    "jest.config.",
    "jest.setup.",
    "vitest.config.",
    "vitest.workspace.",
    "karma.conf.",
    "ava.config.",
];

/// Whether a file belongs to the tests, by its path.
#[must_use]
pub fn is_test_file(path: &str) -> bool {
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    folders.split('/').any(|folder| TEST_FOLDERS.contains(&folder))
        || name == "tests.rs"
        || name == "tests.py"
        || TEST_PREFIXES
            .iter()
            .any(|(front, end)| name.starts_with(front) && name.ends_with(end))
        || TEST_SUFFIXES.iter().any(|end| name.ends_with(end))
        || is_test_config(path)
}

/// Whether a file says how tests are run, by its path.
#[must_use]
pub fn is_test_config(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    CONFIG_NAMES.contains(&name) || CONFIG_PREFIXES.iter().any(|front| name.starts_with(front))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conventions_of_each_language_are_known() {
        for path in [
            "tests/a.py",
            "test_a.py",
            "pkg/a_test.go",
            "src/test/java/a/B.java",
            "src/a.test.ts",
            "src/parser/tests.rs",
            "conftest.py",
            "jest.config.cjs",
            "spec/a_spec.rb",
            "src/__tests__/a.js",
        ] {
            assert!(is_test_file(path), "{path}");
        }
        for path in [
            "src/testimony.py",
            "contest.py",
            "latest.js",
            "src/main.rs",
            "attest/a.go",
        ] {
            assert!(!is_test_file(path), "{path}");
        }
    }
}
