use super::super::fake::{Call, Fake, GREEN, NoReports, RED, tree};
use super::super::tests::plan;
use super::super::{compare, run_baseline, run_candidate_until};
use super::*;
use crate::agent::AgentResponse;
use crate::contract_check::Mismatch;
use crate::sandbox::snapshot::SnapshotKey;
use holdpoint_schemas::event::NoEvents;
use holdpoint_schemas::evidence::Side;
use std::sync::Mutex;

const CHECKS: [Check; 5] = [Check::Build, Check::Test, Check::Adequacy, Check::Rescan, Check::Revert];

fn judge(_: usize, _: usize, _: &AgentResponse) -> Vec<Mismatch> {
    Vec::new()
}

/// Settled by the first of these that didn't pass; keeps what it was asked.
struct ByFailure(Vec<Check>, Mutex<Vec<Vec<Check>>>);

impl ByFailure {
    fn of(checks: &[Check]) -> Self {
        Self(checks.to_vec(), Mutex::default())
    }
}

impl Settled for ByFailure {
    fn is_settled(&self, so_far: &Evidence) -> bool {
        self.1.lock().unwrap().push(so_far.checks.keys().copied().collect());
        let failed = |check: &Check| {
            so_far
                .checks
                .get(check)
                .is_some_and(|result| result.verdict == Verdict::Failed)
        };
        self.0.iter().any(failed)
    }
}

/// Names of the candidate's steps, and the checks that its evidence has.
async fn run(
    settled: &ByFailure,
    script: impl Fn(&Call<'_>) -> holdpoint_schemas::evidence::StepEnd + Send + Sync + 'static,
) -> (Vec<String>, Vec<Check>) {
    let mut plan = plan(&CHECKS);
    plan.baseline = tree(&[("a.py", "old"), ("test_a.py", "old")]).into();
    plan.candidate = tree(&[("a.py", "new"), ("test_a.py", "new")]).into();
    let fake = Fake::new(move |call| (script(call), String::new()));
    let key = SnapshotKey::new("0123456789abcdef").unwrap();
    let baseline = run_baseline(&fake, &plan, Some(&key), &NoReports, &NoEvents)
        .await
        .unwrap();
    let until = Until { judge: &judge, settled };
    let record = run_candidate_until(&fake, &plan, &baseline, &NoReports, Some(until), &NoEvents)
        .await
        .unwrap();
    assert_eq!(fake.left_over(), 0);
    let evidence = compare(&plan, &baseline.record, &record, &judge).evidence;
    let steps = record.steps.iter().map(|step| step.step.clone()).collect();
    (steps, evidence.checks.into_keys().collect())
}

fn red_at(step: &'static str) -> impl Fn(&Call<'_>) -> holdpoint_schemas::evidence::StepEnd + Send + Sync {
    move |call| {
        if call.step == step && call.side == Side::Candidate {
            RED
        } else {
            GREEN
        }
    }
}

#[tokio::test]
async fn nothing_runs_after_a_failure_that_settles_it() {
    let (steps, checks) = run(&ByFailure::of(&[Check::Build]), red_at("build")).await;
    assert_eq!(steps, ["prepare", "build"]);
    assert!(!checks.contains(&Check::Rescan), "{checks:?}");
    assert!(checks.contains(&Check::Build), "{checks:?}");

    let (steps, checks) = run(&ByFailure::of(&[Check::Test]), red_at("test")).await;
    assert!(
        !steps
            .iter()
            .any(|step| step.contains("revert") || step.contains("base's")),
        "{steps:?}"
    );
    assert_eq!(checks, [Check::Build, Check::Test]);
}

#[tokio::test]
async fn everything_runs_as_long_as_something_can_change_it() {
    for step in ["none", "test"] {
        let (_, checks) = run(&ByFailure::of(&[]), red_at(step)).await;
        assert_eq!(checks.len(), CHECKS.len(), "{step}: {checks:?}");
    }
}

#[tokio::test]
async fn green_tests_settle_nothing_before_the_bases_own_have_run() {
    let settled = ByFailure::of(&[]);
    run(&settled, red_at("none")).await;
    let asked = settled.1.into_inner().unwrap();
    assert_eq!(asked[0], [Check::Build]);
    assert!(
        asked[1..].iter().all(|checks| checks.contains(&Check::Test)),
        "{asked:?}"
    );
    assert!(asked.iter().all(|checks| !checks.contains(&Check::Rescan)), "{asked:?}");
}
