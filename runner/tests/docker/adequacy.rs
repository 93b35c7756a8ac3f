//! What a green is worth: on small repos of three languages, with their real tools.

use super::support::{sandbox, tree};
use super::validation::{Reader, plan};
use holdpoint_runner::contract_check::Mismatch;
use holdpoint_runner::sandbox::Limits;
use holdpoint_runner::scrutiny::Scrutiny;
use holdpoint_runner::{ValidationPlan, validate};
use holdpoint_schemas::estate::{SandboxConfig, StepsConfig};
use holdpoint_schemas::event::NoEvents;
use holdpoint_schemas::evidence::{Check, CheckResult, EvidenceRecord, Verdict};

type Tree<'a> = &'a [(&'a str, &'a str)];

async fn run(plan: &ValidationPlan) -> EvidenceRecord {
    let judge = |_: usize, _: usize, _: &_| Vec::<Mismatch>::new();
    validate(&sandbox().await, plan, &Reader, &judge, &NoEvents)
        .await
        .unwrap()
}

fn plan_of(checks: &[Check], test: &str, base: Tree<'_>, candidate: Tree<'_>) -> ValidationPlan {
    let steps = StepsConfig {
        prepare: None,
        build: None,
        test: Some(test.to_owned()),
    };
    let mut plan = plan(checks, steps, tree(base), tree(candidate));
    plan.limits = Limits::from(&SandboxConfig::default());
    plan
}

/// Adequacy of a change of one file, of which some lines may be run and noticed by a test.
async fn adequacy(test: &str, shared: Tree<'_>, before: (&str, &str), after: &str, sensitivity: bool) -> CheckResult {
    let with = |text| [shared, &[(before.0, text)]].concat();
    let mut plan = plan_of(&[Check::Test, Check::Adequacy], test, &with(before.1), &with(after));
    plan.scrutiny.sensitivity = sensitivity;
    let record = run(&plan).await;
    let checks = record.evidence.checks;
    let shown: Vec<_> = record
        .steps
        .iter()
        .map(|run| (&run.step, &run.end, &run.tail))
        .collect();
    assert_eq!(checks[&Check::Test].verdict, Verdict::Passed, "{checks:?} {shown:#?}");
    checks[&Check::Adequacy].clone()
}

/// A fix that no test runs, one that a test runs without looking at what comes out, and one that is tested.
async fn three_fixes(test: &str, shared: Tree<'_>, path: &str, before: &str, fixes: [&str; 3], lines: [&str; 2]) {
    let [unrun, unnoticed, tested] = fixes;
    let found = adequacy(test, shared, (path, before), unrun, false).await;
    assert_eq!(found.verdict, Verdict::Inconclusive, "{found:?}");
    assert_eq!(found.reason, format!("no test runs {}", lines[0]));
    let found = adequacy(test, shared, (path, before), unnoticed, true).await;
    assert_eq!(found.verdict, Verdict::Inconclusive, "{found:?}");
    assert_eq!(found.reason, format!("no test notices when {} is made wrong", lines[1]));
    let found = adequacy(test, shared, (path, before), tested, true).await;
    assert_eq!(found.verdict, Verdict::Passed, "{found:?}");
}

const PYTHON: &str = "def limit(a):\n    return a\n\ndef log(a):\n    return a\n\ndef other(a):\n    return a\n";

#[tokio::test]
async fn a_python_fix_is_run_and_noticed_by_tests_or_inconclusive() {
    let tests = "import unittest, app\nclass T(unittest.TestCase):\n    def test_limit(self):\n        self.assertEqual(app.limit(5), 5)\n        \
        app.log(5)\n";
    three_fixes(
        "python3 -m unittest -v",
        &[("test_app.py", tests)],
        "app.py",
        PYTHON,
        [
            &PYTHON.replace("def other(a):\n    return a", "def other(a):\n    return a + 1"),
            &PYTHON.replace("def log(a):\n    return a", "def log(a):\n    return a + 1"),
            &PYTHON.replace("def limit(a):\n    return a", "def limit(a):\n    return a + 0"),
        ],
        ["app.py:8", "app.py:5"],
    )
    .await;
}

const SCRIPT: &str = "exports.limit = (a) => {\n  return a;\n};\nexports.log = (a) => {\n  return a;\n};\n\
    exports.other = (a) => {\n  return a;\n};\n";

#[tokio::test]
async fn a_javascript_fix_is_run_and_noticed_by_tests_or_inconclusive() {
    let tests = "const test = require('node:test');\nconst assert = require('assert');\nconst app = require('./app.js');\n\
        test('limit', () => { assert.equal(app.limit(5), 5); app.log(5); });\n";
    three_fixes(
        "node --test",
        &[("app.test.js", tests)],
        "app.js",
        SCRIPT,
        [
            &SCRIPT.replace("other = (a) => {\n  return a", "other = (a) => {\n  return a + 1"),
            &SCRIPT.replace("log = (a) => {\n  return a", "log = (a) => {\n  return a + 1"),
            &SCRIPT.replace("limit = (a) => {\n  return a", "limit = (a) => {\n  return a + 0"),
        ],
        ["app.js:8", "app.js:5"],
    )
    .await;
}

const RUST: &str = "pub fn limit(a: u32) -> u32 {\n    a\n}\n\npub fn log(a: u32) -> u32 {\n    a\n}\n\n\
    pub fn other(a: u32) -> u32 {\n    a\n}\n";

#[tokio::test]
async fn a_rust_fix_is_run_and_noticed_by_tests_or_inconclusive() {
    let manifest = "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
    let tests = "#[test]\nfn limit() {\n    assert_eq!(app::limit(5), 5);\n    app::log(5);\n}\n";
    three_fixes(
        "cargo test --offline",
        &[("Cargo.toml", manifest), ("tests/limit.rs", tests)],
        "src/lib.rs",
        RUST,
        [
            &RUST.replace("other(a: u32) -> u32 {\n    a", "other(a: u32) -> u32 {\n    a + 1"),
            &RUST.replace("log(a: u32) -> u32 {\n    a", "log(a: u32) -> u32 {\n    a + 1"),
            &RUST.replace("limit(a: u32) -> u32 {\n    a", "limit(a: u32) -> u32 {\n    a + 0"),
        ],
        ["src/lib.rs:10", "src/lib.rs:6"],
    )
    .await;
}

/// Fails 30 % of the time, by real chance.
const FLAKY: &str = "import random, unittest\nclass T(unittest.TestCase):\n    def test_steady(self):\n        pass\n    \
    def test_flaky(self):\n        self.assertGreaterEqual(random.random(), 0.3)\n";

#[tokio::test]
async fn a_test_that_fails_30_percent_of_the_time_neither_passes_nor_fails_a_fix() {
    let mut plan = plan_of(
        &[Check::Test],
        "python3 -m unittest -v",
        &[("app.py", "a = 1\n"), ("test_app.py", FLAKY)],
        &[("app.py", "a = 2\n"), ("test_app.py", FLAKY)],
    );
    plan.reruns = 4;
    plan.scrutiny = Scrutiny {
        clean_runs: holdpoint_runner::scrutiny::AUTO_APPLY_RUNS,
        clean_seconds: 300,
        ..Scrutiny::default()
    };
    for _ in 0..3 {
        let evidence = run(&plan).await.evidence;
        let test = &evidence.checks[&Check::Test];
        assert_eq!(test.verdict, Verdict::Inconclusive, "{test:?}");
        assert!(
            evidence
                .flaky_tests
                .iter()
                .any(|flaky| flaky.name.starts_with("test_flaky")),
            "{evidence:?}"
        );
    }
}

#[tokio::test]
async fn skipping_the_test_that_the_fix_breaks_gains_nothing() {
    let tests = "import unittest, app\nclass T(unittest.TestCase):\n    def test_a(self):\n        self.assertEqual(app.a, 1)\n    \
        def test_b(self):\n        pass\n";
    let skipped = tests.replace("    def test_a", "    @unittest.skip('later')\n    def test_a");
    let plan = plan_of(
        &[Check::Test],
        "python3 -m unittest -v",
        &[("app.py", "a = 1\n"), ("test_app.py", tests)],
        &[("app.py", "a = 2\n"), ("test_app.py", &skipped)],
    );
    let record = run(&plan).await;
    let test = &record.evidence.checks[&Check::Test];
    assert_eq!(test.verdict, Verdict::Failed, "{test:?}");
    assert_eq!(
        test.reason,
        "the fix breaks a test and takes it away: `test_a (test_app.T.test_a)`"
    );
    assert_eq!(record.evidence.candidate_green, Some(true));
}

#[tokio::test]
async fn a_fix_is_taken_back_from_the_state_that_it_left_behind() {
    let test = "python3 -m unittest -v";
    let tests = "import os, unittest, app\nclass T(unittest.TestCase):\n    def test_a(self):\n        app.start()\n        \
        self.assertEqual(open('state').read(), 'v1') if app.VERSION == 1 else None\n";
    let old = "VERSION = 1\ndef start():\n    import os\n    if not os.path.exists('state'): open('state', 'w').write('v1')\n";
    let harmless = old.replace("    import os\n", "    import os  # the fix\n    os.stat('.')\n");
    let migrates = "VERSION = 2\ndef start():\n    open('state', 'w').write('v2')\n";
    for (fixed, verdict) in [(harmless.as_str(), Verdict::Passed), (migrates, Verdict::Failed)] {
        let mut plan = plan_of(
            &[Check::Revert],
            test,
            &[("app.py", old), ("test_app.py", tests), ("lib/gone.txt", "x")],
            &[("app.py", fixed), ("test_app.py", tests), ("lib/new/file.txt", "y")],
        );
        plan.reruns = 1;
        let record = run(&plan).await;
        let revert = &record.evidence.checks[&Check::Revert];
        let steps: Vec<_> = record.steps.iter().map(|run| (&run.step, &run.tail)).collect();
        assert_eq!(revert.verdict, verdict, "{revert:?} {steps:#?}");
    }
}
