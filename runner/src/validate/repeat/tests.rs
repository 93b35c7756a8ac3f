use super::super::fake::{Call, Fake, GREEN, NoReports, RED, tree};
use super::super::tests::plan;
use super::super::{compare, run_baseline, run_candidate};
use crate::contract_check::Mismatch;
use crate::plan::ValidationPlan;
use crate::sandbox::snapshot::SnapshotKey;
use holdpoint_schemas::event::NoEvents;
use holdpoint_schemas::evidence::{Check, CheckResult, EvidenceRecord, Side, StepEnd, Verdict};
use std::sync::Mutex;
use std::time::Duration;

fn test_plan(reruns: u32, clean_runs: u32) -> ValidationPlan {
    let mut plan = plan(&[Check::Build, Check::Test]);
    plan.reruns = reruns;
    plan.scrutiny.clean_runs = clean_runs;
    plan.scrutiny.clean_seconds = 60;
    plan.baseline = tree(&[("a.py", "old")]).into();
    plan.candidate = tree(&[("a.py", "new")]).into();
    plan
}

async fn validate(fake: &Fake, plan: &ValidationPlan) -> EvidenceRecord {
    let key = SnapshotKey::new("0123456789abcdef").unwrap();
    let baseline = run_baseline(fake, plan, Some(&key), &NoReports, &NoEvents)
        .await
        .unwrap();
    let candidate = run_candidate(fake, plan, &baseline, &NoReports, &NoEvents)
        .await
        .unwrap();
    assert_eq!(fake.left_over(), 0);
    compare(plan, &baseline.record, &candidate, &|_: usize, _: usize, _: &_| {
        Vec::<Mismatch>::new()
    })
}

async fn test_result(fake: Fake, plan: &ValidationPlan) -> CheckResult {
    validate(&fake, plan).await.evidence.checks[&Check::Test].clone()
}

/// `ok` and `not ok` lines, and the end that goes with them.
fn tap(tests: &[(&str, bool)]) -> (StepEnd, String) {
    let lines: String = tests
        .iter()
        .map(|(name, ok)| format!("{} 1 - {name}\n", if *ok { "ok" } else { "not ok" }))
        .collect();
    let green = tests.iter().all(|(_, ok)| *ok);
    (if green { GREEN } else { RED }, format!("{lines}1..{}\n", tests.len()))
}

fn green() -> (StepEnd, String) {
    (GREEN, String::new())
}

fn candidate_broken(call: &Call<'_>) -> (StepEnd, String) {
    match call.step {
        "test" => tap(&[("adds", call.files["a.py"] == "old"), ("subtracts", true)]),
        _ => green(),
    }
}

#[tokio::test]
async fn a_broken_test_is_run_again_on_both_sides_before_the_fix_is_blamed() {
    let fake = Fake::new(candidate_broken);
    let record = validate(&fake, &test_plan(4, 0)).await;
    let test = &record.evidence.checks[&Check::Test];
    assert_eq!(test.verdict, Verdict::Failed);
    assert_eq!(test.reason, "`test` fails with the fix in 10 of 10 runs: `adds`");
    let runs = |side| {
        let of_side = record.steps.iter().filter(move |run| run.side == side);
        of_side.filter(|run| run.step.starts_with("test")).count()
    };
    assert_eq!((runs(Side::Baseline), runs(Side::Candidate)), (10, 10));
    assert_eq!(record.evidence.candidate_green, Some(false));
    assert!(record.evidence.flaky_tests.is_empty());
}

#[tokio::test]
async fn without_reruns_one_run_has_to_do() {
    let record = validate(&Fake::new(candidate_broken), &test_plan(0, 0)).await;
    assert_eq!(record.evidence.checks[&Check::Test].verdict, Verdict::Failed);
    assert_eq!(
        record.steps.iter().filter(|run| run.step.starts_with("test")).count(),
        2
    );
}

#[tokio::test]
async fn it_goes_the_same_way_without_snapshots() {
    let fake = Fake::new(candidate_broken).without_snapshots();
    assert_eq!(test_result(fake, &test_plan(1, 0)).await.verdict, Verdict::Failed);
}

#[tokio::test]
async fn tests_that_cannot_run_twice_in_place_get_fresh_workspaces() {
    let fake = Fake::new(|call| match call.step {
        "test" => tap(&[("leaves a file behind", call.in_place == 1)]),
        _ => green(),
    });
    let test = test_result(fake, &test_plan(4, 20)).await;
    assert_eq!(test.verdict, Verdict::Passed, "{test:?}");
    assert!(
        test.reason.ends_with("in 20 runs with it and 20 without"),
        "{}",
        test.reason
    );
}

#[tokio::test]
async fn a_suite_that_is_too_slow_for_its_clean_runs_is_inconclusive() {
    let mut plan = test_plan(4, 20);
    plan.scrutiny.clean_seconds = 1;
    let test = test_result(Fake::new(|_| green()), &plan).await;
    assert_eq!(test.verdict, Verdict::Inconclusive);
    assert!(test.reason.contains("20 are asked for"), "{}", test.reason);
}

#[tokio::test]
async fn a_known_flaky_test_costs_no_further_runs() {
    let mut plan = test_plan(4, 20);
    plan.scrutiny.known_flaky.insert("adds".to_owned());
    let fake = Fake::new(|call| match (call.step, call.side) {
        ("test", _) => tap(&[("adds", true)]),
        _ => green(),
    });
    let record = validate(&fake, &plan).await;
    assert_eq!(record.evidence.checks[&Check::Test].verdict, Verdict::Inconclusive);
    assert_eq!(record.evidence.flaky_tests[0].name, "adds");
    let candidate = record.steps.iter().filter(|run| run.side == Side::Candidate);
    assert_eq!(candidate.filter(|run| run.step.starts_with("test")).count(), 1);
}

#[tokio::test]
async fn each_outcome_has_its_own_reason_and_none_is_blamed_on_the_fix() {
    for (end, said) in [
        (StepEnd::OutOfMemory, "ran out of memory"),
        (StepEnd::TimedOut { after_seconds: 5 }, "did not end within 5 s"),
        (StepEnd::Killed, "killed by somebody"),
        (StepEnd::OutOfDisk, "used up the workspace's disk"),
        (StepEnd::MissingTool, "is not in the sandbox"),
        (
            StepEnd::EngineLost {
                reason: "eof".to_owned(),
            },
            "the engine went away: eof",
        ),
        (
            StepEnd::Infrastructure {
                reason: "full".to_owned(),
            },
            "the sandbox failed: full",
        ),
    ] {
        for step in ["prepare", "build", "test"] {
            let scripted = end.clone();
            let fake = Fake::new(move |call| {
                if call.step == step && call.side == Side::Candidate {
                    (scripted.clone(), String::new())
                } else {
                    green()
                }
            });
            let test = test_result(fake, &test_plan(4, 3)).await;
            assert_eq!(test.verdict, Verdict::Inconclusive, "{step} {end:?}");
            assert!(test.reason.contains(said), "{}", test.reason);
        }
    }
}

#[tokio::test]
async fn what_the_machine_lost_is_tried_again_and_not_more_than_twice() {
    for (losses, verdict) in [(1, Verdict::Passed), (2, Verdict::Passed), (3, Verdict::Inconclusive)] {
        for step in ["prepare", "build", "test"] {
            let left = Mutex::new(losses);
            let fake = Fake::new(move |call| {
                let mut left = left.lock().unwrap();
                if call.step == step && call.side == Side::Candidate && *left > 0 {
                    *left -= 1;
                    let reason = "eof".to_owned();
                    return (StepEnd::EngineLost { reason }, String::new());
                }
                green()
            });
            let record = validate(&fake, &test_plan(4, 0)).await;
            assert_eq!(record.evidence.checks[&Check::Test].verdict, verdict, "{losses} {step}");
            let lost = record.steps.iter().filter(|run| run.step.ends_with("(lost)"));
            assert!(lost.count() >= 1);
        }
    }
}

#[tokio::test]
async fn an_engine_that_refuses_workspaces_is_asked_again() {
    let fake = Fake::new(|_| green()).failing(2);
    assert_eq!(test_result(fake, &test_plan(4, 0)).await.verdict, Verdict::Passed);
    let fake = Fake::new(|_| green()).failing(3);
    let key = SnapshotKey::new("0123456789abcdef").unwrap();
    let plan = test_plan(4, 0);
    assert!(
        run_baseline(&fake, &plan, Some(&key), &NoReports, &NoEvents)
            .await
            .is_err()
    );
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_is_away_for_some_seconds_is_waited_for() {
    let plan = test_plan(4, 0);
    let fake = Fake::new(|_| green()).away(2);
    let began = tokio::time::Instant::now();
    let baseline = run_baseline(&fake, &plan, None, &NoReports, &NoEvents).await.unwrap();
    assert_eq!(baseline.record.end("test"), Some(&GREEN));
    assert!(began.elapsed() > Duration::from_secs(5), "{:?}", began.elapsed());
    let fake = Fake::new(|_| green()).away(3);
    assert!(run_baseline(&fake, &plan, None, &NoReports, &NoEvents).await.is_err());
}

#[tokio::test]
async fn reports_are_read_rather_than_the_output() {
    let mut plan = test_plan(0, 0);
    plan.tests.reports = vec!["out/*.xml".to_owned()];
    let report = br#"<testsuite><testcase name="a"/><testcase name="b"><skipped/></testcase></testsuite>"#;
    let fake = Fake::new(|call| match call.step {
        "test-reports" => (GREEN, "./out/x.xml\n./out/deep/y.xml\n".to_owned()),
        "test" => {
            assert!(
                call.command.contains("find . -type f -path './out/*.xml' -exec rm"),
                "{}",
                call.command
            );
            (GREEN, "ok 1 - c\n1..1\n".to_owned())
        }
        _ => green(),
    })
    .with_file("repo/out/x.xml", report);
    let baseline = run_baseline(&fake, &plan, None, &NoReports, &NoEvents).await.unwrap();
    let names: Vec<_> = baseline.record.tests.tests.keys().map(String::as_str).collect();
    assert_eq!(names, ["a", "b"]);
}

/// Pseudo-random numbers in 0..1000, always the same ones (xorshift64*, Marsaglia 2003).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % 1000
    }
}

/// Verdicts of many validations of a harmless fix in a repo with a test that fails so often.
async fn simulated(per_mille: u64, named: bool, validations: u64, plan: &ValidationPlan) -> [u64; 3] {
    let mut counts = [0; 3];
    for seed in 1..=validations {
        let dice = Mutex::new(Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15)));
        let fake = Fake::new(move |call| match call.step {
            "test" => {
                let (end, output) = tap(&[("steady", true), ("flaky", dice.lock().unwrap().roll() >= per_mille)]);
                (end, if named { output } else { String::new() })
            }
            _ => green(),
        });
        match test_result(fake, plan).await.verdict {
            Verdict::Passed => counts[0] += 1,
            Verdict::Failed => counts[1] += 1,
            Verdict::Inconclusive => counts[2] += 1,
        }
    }
    counts
}

#[tokio::test]
async fn a_test_that_fails_30_percent_of_the_time_neither_passes_nor_fails_a_fix() {
    let plan = test_plan(4, crate::scrutiny::AUTO_APPLY_RUNS);
    for named in [true, false] {
        let [passed, failed, unsure] = simulated(300, named, 1000, &plan).await;
        assert_eq!((passed, failed, unsure), (0, 0, 1000), "named: {named}");
    }
}

#[tokio::test]
async fn no_rate_of_failure_gets_a_fix_blamed() {
    let plan = test_plan(4, 0);
    for per_mille in [50, 500, 700, 950] {
        let [_, failed, _] = simulated(per_mille, true, 300, &plan).await;
        assert_eq!(failed, 0, "{per_mille}");
    }
}
