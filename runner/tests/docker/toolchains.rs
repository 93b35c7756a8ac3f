//! Detected steps, run as they are: in the sandbox, without a network.

use super::support::{sandbox, tree};
use super::validation::{Reader, plan};
use holdpoint_runner::contract_check::Mismatch;
use holdpoint_runner::sandbox::Limits;
use holdpoint_runner::toolchain::{ArchiveFiles, Detected, detect};
use holdpoint_runner::validate;
use holdpoint_schemas::estate::{PrepareConfig, SandboxConfig};
use holdpoint_schemas::event::NoEvents;
use holdpoint_schemas::evidence::{Check, EvidenceRecord, Verdict};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

type Files<'a> = Vec<(&'a str, String)>;

fn archive(files: &Files<'_>) -> Vec<u8> {
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    tree(&files)
}

/// Detects the steps of the base and validates a fix with them that replaces one text in all files.
async fn validated(files: Files<'_>, fix: (&str, &str), packages: Option<PathBuf>) -> (Detected, EvidenceRecord) {
    let base = archive(&files);
    let detected = detect(&ArchiveFiles::read(&base).unwrap(), &PrepareConfig::default());
    let fixed = files
        .into_iter()
        .map(|(path, text)| (path, text.replace(fix.0, fix.1)))
        .collect();
    let mut plan = plan(
        &[Check::Build, Check::Test],
        detected.steps.clone(),
        base,
        archive(&fixed),
    );
    plan.limits = Limits::from(&SandboxConfig::default());
    plan.tests = detected.tests.clone();
    plan.packages = packages;
    let judge = |_: usize, _: usize, _: &_| Vec::<Mismatch>::new();
    let record = validate(&sandbox().await, &plan, &Reader, &judge, &NoEvents)
        .await
        .unwrap();
    (detected, record)
}

/// A good fix passes, and one that breaks what the tests look at fails: so the tests did run.
async fn tell_good_from_bad(toolchain: &str, files: Files<'_>, packages: Option<&Path>) {
    let packages = packages.map(Path::to_owned);
    let (detected, good) = validated(files.clone(), ("1 + 1", "1 + 1 + 0"), packages.clone()).await;
    assert_eq!(detected.toolchains, [toolchain]);
    for (check, result) in &good.evidence.checks {
        assert_eq!(result.verdict, Verdict::Passed, "{toolchain} {check}: {result:?}");
    }
    let (_, bad) = validated(files, ("1 + 1", "1 + 2"), packages).await;
    let test = &bad.evidence.checks[&Check::Test];
    assert_eq!(test.verdict, Verdict::Failed, "{toolchain}: {test:?}");
}

fn file<'a>(path: &'a str, text: &str) -> (&'a str, String) {
    (path, text.to_owned())
}

#[tokio::test]
async fn cargo() {
    let files = vec![
        file(
            "Cargo.toml",
            "[package]\nname = \"sums\"\nversion = \"0.1.0\"\nedition = \"2021\"\n",
        ),
        file(
            "Cargo.lock",
            "version = 3\n\n[[package]]\nname = \"sums\"\nversion = \"0.1.0\"\n",
        ),
        file(
            "src/lib.rs",
            "pub fn sum() -> u8 { 1 + 1 }\n#[test]\nfn sums() { assert_eq!(sum(), 2); }\n",
        ),
    ];
    tell_good_from_bad("cargo", files, None).await;
}

#[tokio::test]
async fn npm() {
    let manifest = r#"{"name": "sums", "version": "1.0.0", "dependencies": {"two": "file:two"},
        "scripts": {"build": "node --check sum.js", "test": "node --test test/"}}"#;
    let lock = r#"{"name": "sums", "version": "1.0.0", "lockfileVersion": 3, "packages": {
        "": {"name": "sums", "version": "1.0.0", "dependencies": {"two": "file:two"}},
        "two": {"version": "1.0.0"}, "node_modules/two": {"resolved": "two", "link": true}}}"#;
    let test = "const test = require('node:test');\nconst assert = require('node:assert');\n\
                test('sums', () => assert.equal(require('../sum.js')(), require('two')));\n";
    let files = vec![
        file("package.json", manifest),
        file("package-lock.json", lock),
        file(
            "two/package.json",
            r#"{"name": "two", "version": "1.0.0", "main": "index.js"}"#,
        ),
        file("two/index.js", "module.exports = 2;\n"),
        file("sum.js", "module.exports = () => 1 + 1;\n"),
        file("test/sum.test.js", test),
    ];
    tell_good_from_bad("npm", files, None).await;
}

/// Makes a wheel `two-1.0` in a folder and gives its SHA-256. pip reads nothing but name, metadata
/// and files of it (binary distribution format, PEP 427).
const WHEEL: &str = r#"
import hashlib, sys, zipfile
path = sys.argv[1] + "/two-1.0-py3-none-any.whl"
info = "two-1.0.dist-info/"
with zipfile.ZipFile(path, "w") as wheel:
    wheel.writestr("two.py", "TWO = 2\n")
    wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\nName: two\nVersion: 1.0\n")
    wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    wheel.writestr(info + "RECORD", "two.py,,\n" + info + "METADATA,,\n" + info + "WHEEL,,\n" + info + "RECORD,,\n")
print(hashlib.sha256(open(path, "rb").read()).hexdigest())
"#;

fn python(requirements: Option<String>) -> Files<'static> {
    let two = if requirements.is_some() {
        "import two\nTWO = two.TWO\n"
    } else {
        "TWO = 2\n"
    };
    let mut files = vec![
        file("sums.py", "def sum(): return 1 + 1\n"),
        (
            "tests/test_sums.py",
            format!(
                "import unittest\nimport sums\n{two}\nclass Sums(unittest.TestCase):\n\
                 \x20   def test_sum(self): self.assertEqual(sums.sum(), TWO)\n"
            ),
        ),
        file("pyproject.toml", "[project]\nname = \"sums\"\nversion = \"1\"\n"),
    ];
    files.extend(requirements.map(|text| ("requirements.txt", text)));
    files
}

#[tokio::test]
async fn pip_with_a_hashed_requirement_from_the_packages() {
    let packages = tempfile::tempdir().unwrap();
    std::fs::set_permissions(packages.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let made = Command::new("python3")
        .args(["-c", WHEEL])
        .arg(packages.path())
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let hash = String::from_utf8(made.stdout).unwrap();
    let pinned = |hash: &str| python(Some(format!("two==1.0 --hash=sha256:{}\n", hash.trim())));
    tell_good_from_bad("pip", pinned(&hash), Some(packages.path())).await;

    // Another package under the same name and version is not installed.
    let (_, record) = validated(
        pinned(&"0".repeat(64)),
        ("1 + 1", "1 + 1 + 0"),
        Some(packages.path().to_owned()),
    )
    .await;
    let build = &record.evidence.checks[&Check::Build];
    assert_eq!(build.verdict, Verdict::Inconclusive, "{build:?}");
    assert!(build.reason.contains("`prepare`"), "{}", build.reason);
}

#[tokio::test]
async fn python_without_dependencies() {
    tell_good_from_bad("pip", python(None), None).await;
}

#[tokio::test]
async fn make() {
    let makefile = "all: sums\n\nsums: sums.c\n\tgcc -o $@ $<\n\ntest: sums\n\t./sums\n";
    let files = vec![
        file("Makefile", makefile),
        file("sums.c", "int main(void) { return 1 + 1 == 2 ? 0 : 1; }\n"),
    ];
    tell_good_from_bad("make", files, None).await;
}

#[tokio::test]
async fn a_build_that_asks_for_input_gets_none_and_is_no_fault_of_the_fix() {
    let makefile = "all:\n\t@echo 'Continue? [y/N]'; read answer && test \"$$answer\" = y\ntest:\n\ttrue 1 + 1\n";
    let (_, record) = validated(vec![file("Makefile", makefile)], ("1 + 1", "2"), None).await;
    let build = &record.evidence.checks[&Check::Build];
    assert_eq!(build.verdict, Verdict::Inconclusive);
    assert!(
        build.reason.starts_with("the baseline is already red: `build` fails"),
        "{}",
        build.reason
    );
    assert!(build.details.iter().any(|line| line.contains("Continue?")), "{build:?}");
}
