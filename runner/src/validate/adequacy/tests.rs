use super::super::fake::{Call, Fake, GREEN, NoReports, RED, tree};
use super::super::tests::plan;
use super::super::{compare, run_baseline, run_candidate};
use super::*;
use crate::contract_check::Mismatch;
use crate::plan::ValidationPlan;
use holdpoint_schemas::event::NoEvents;

const BEFORE: &str = "def f(a, b):\n    return a\n";
const AFTER: &str = "def f(a, b):\n    if a < b:\n        return b\n    return a\n";
const REPORT: &str = r#"{"meta": {}, "files": {"a.py": {"executed_lines": [1, 2, 3, 4], "missing_lines": []}}}"#;

fn adequacy_plan(sensitivity: bool) -> ValidationPlan {
    let mut plan = plan(&[Check::Test, Check::Adequacy]);
    plan.scrutiny.sensitivity = sensitivity;
    plan.baseline = tree(&[("a.py", BEFORE), ("test_a.py", "1")]).into();
    plan.candidate = tree(&[("a.py", AFTER), ("test_a.py", "1")]).into();
    plan
}

fn with_report(report: &str, script: impl Fn(&Call<'_>) -> (StepEnd, String) + Send + Sync + 'static) -> Fake {
    Fake::new(script).with_file("report/coverage/coverage.json", report.as_bytes())
}

async fn results(fake: Fake, plan: &ValidationPlan) -> BTreeMap<Check, CheckResult> {
    let key = SnapshotKey::new("0123456789abcdef").unwrap();
    let baseline = run_baseline(&fake, plan, Some(&key), &NoReports, &NoEvents)
        .await
        .unwrap();
    let record = run_candidate(&fake, plan, &baseline, &NoReports, &NoEvents)
        .await
        .unwrap();
    assert_eq!(fake.left_over(), 0);
    let judge = |_: usize, _: usize, _: &_| Vec::<Mismatch>::new();
    compare(plan, &baseline.record, &record, &judge).evidence.checks
}

async fn adequacy(fake: Fake, plan: &ValidationPlan) -> CheckResult {
    results(fake, plan).await.remove(&Check::Adequacy).unwrap()
}

fn green(_: &Call<'_>) -> (StepEnd, String) {
    (GREEN, String::new())
}

#[tokio::test]
async fn covered_lines_pass_and_others_are_named() {
    let plan = adequacy_plan(false);
    let covered = adequacy(with_report(REPORT, green), &plan).await;
    assert_eq!(covered.verdict, Verdict::Passed, "{covered:?}");
    let report = REPORT.replace("[1, 2, 3, 4]", "[1, 2, 4]").replace("[]", "[3]");
    let uncovered = adequacy(with_report(&report, green), &plan).await;
    assert_eq!(uncovered.verdict, Verdict::Inconclusive);
    assert_eq!(uncovered.reason, "no test runs a.py:3");
}

#[tokio::test]
async fn without_tool_report_or_green_tests_nothing_is_told() {
    let plan = adequacy_plan(false);
    let ended = |end: StepEnd| {
        with_report(REPORT, move |call| match call.step {
            "coverage" => (end.clone(), String::new()),
            _ => green(call),
        })
    };
    for (fake, said) in [
        (
            ended(StepEnd::MissingTool),
            "the tool (coverage.py) is not in the sandbox",
        ),
        (ended(RED), "do not pass when their coverage is measured"),
        (Fake::new(green), "there is no report"),
        (with_report("{", green), "it is no"),
    ] {
        let found = adequacy(fake, &plan).await;
        assert_eq!(found.verdict, Verdict::Inconclusive);
        assert!(found.reason.contains(said), "{}", found.reason);
    }
}

#[tokio::test]
async fn an_upgrade_is_judged_by_the_lines_that_use_it() {
    let mut plan = adequacy_plan(false);
    plan.baseline = tree(&[("a.py", BEFORE), ("requirements.txt", "x==1")]).into();
    plan.candidate = tree(&[("a.py", BEFORE), ("requirements.txt", "x==2")]).into();
    let unknown = adequacy(with_report(REPORT, green), &plan).await;
    assert_eq!(unknown.verdict, Verdict::Inconclusive);
    plan.scrutiny.used_lines.insert(("a.py".to_owned(), 2));
    assert_eq!(
        adequacy(with_report(REPORT, green), &plan).await.verdict,
        Verdict::Passed
    );
}

#[tokio::test]
async fn a_change_that_no_test_notices_is_inconclusive_with_its_lines() {
    let found = adequacy(with_report(REPORT, green), &adequacy_plan(true)).await;
    assert_eq!(found.verdict, Verdict::Inconclusive);
    assert_eq!(found.reason, "no test notices when a.py:2-3 is made wrong");
}

#[tokio::test]
async fn a_noticed_mutant_passes_and_an_invalid_one_does_not_count() {
    let at = |code: i64| {
        with_report(REPORT, move |call| {
            let wrong = call.side == Side::Candidate && !matches!(call.files["a.py"].as_str(), BEFORE | AFTER);
            let end = if call.step == "test" && wrong {
                StepEnd::Exited { code }
            } else {
                GREEN
            };
            (end, String::new())
        })
    };
    let found = adequacy(at(1), &adequacy_plan(true)).await;
    assert_eq!(found.verdict, Verdict::Passed, "{}", found.reason);
    let found = adequacy(at(INVALID), &adequacy_plan(true)).await;
    assert_eq!(found.verdict, Verdict::Inconclusive, "{}", found.reason);
}

#[tokio::test]
async fn a_file_that_cannot_be_loaded_is_not_a_test_that_notices() {
    let fake = with_report(REPORT, |call| {
        let wrong = call.side == Side::Candidate && !matches!(call.files["a.py"].as_str(), BEFORE | AFTER);
        match (call.step, wrong) {
            ("test", true) => (RED, "not ok 1 - a.py can't be loaded\n1..1\n".to_owned()),
            ("test", false) => (GREEN, "ok 1 - adds\n1..1\n".to_owned()),
            _ => (GREEN, String::new()),
        }
    });
    assert_eq!(
        adequacy(fake, &adequacy_plan(true)).await.verdict,
        Verdict::Inconclusive
    );
}

#[tokio::test]
async fn a_new_test_that_fails_without_the_fix_is_enough() {
    let mut plan = adequacy_plan(true);
    plan.candidate = tree(&[("a.py", AFTER), ("test_a.py", "1"), ("test_new.py", "2")]).into();
    let fake = with_report(REPORT, |call| {
        let undone = call.files["a.py"] == BEFORE && call.files.contains_key("test_new.py");
        (if call.step == "test" && undone { RED } else { GREEN }, String::new())
    });
    let found = adequacy(fake, &plan).await;
    assert_eq!(found.verdict, Verdict::Passed);
    assert!(
        found.reason.ends_with("a test fails when the fix is undone"),
        "{}",
        found.reason
    );
}

#[tokio::test]
async fn deleting_or_skipping_a_test_gains_nothing() {
    let mut plan = adequacy_plan(false);
    plan.checks.remove(&Check::Adequacy);
    // The test fails on the new source wherever it is still there as it was.
    let script = |call: &Call<'_>| match call.step {
        "test" => match call.files.get("test_a.py").map(String::as_str) {
            Some("1") if call.files["a.py"] == AFTER => (RED, "not ok 1 - a\nok 2 - b\n1..2\n".to_owned()),
            Some("1") => (GREEN, "ok 1 - a\nok 2 - b\n1..2\n".to_owned()),
            Some(_) => (GREEN, "ok 1 - a # SKIP\nok 2 - b\n1..2\n".to_owned()),
            None => (GREEN, "ok 2 - b\n1..2\n".to_owned()),
        },
        _ => (GREEN, String::new()),
    };
    for files in [&[("a.py", AFTER)][..], &[("a.py", AFTER), ("test_a.py", "skipped")]] {
        plan.candidate = tree(files).into();
        let test = results(Fake::new(script), &plan).await.remove(&Check::Test).unwrap();
        assert_eq!(test.verdict, Verdict::Failed, "{}", test.reason);
        assert_eq!(test.reason, "the fix breaks a test and takes it away: `a`");
    }
}
