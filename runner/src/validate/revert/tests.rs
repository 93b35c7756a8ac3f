use super::super::fake::{Fake, GREEN, NoReports, RED, tree};
use super::super::tests::plan;
use super::super::{run_baseline, run_candidate};
use super::*;
use crate::sandbox::snapshot::SnapshotKey;
use holdpoint_schemas::event::NoEvents;

fn revert_plan() -> ValidationPlan {
    let mut plan = plan(&[Check::Test, Check::Revert]);
    plan.reruns = 2;
    plan.baseline = tree(&[("a.py", "old"), ("gone.py", "x")]).into();
    plan.candidate = tree(&[("a.py", "new"), ("added.py", "y")]).into();
    plan
}

async fn reverted(fake: Fake, plan: &ValidationPlan) -> CheckResult {
    let key = SnapshotKey::new("0123456789abcdef").unwrap();
    let baseline = run_baseline(&fake, plan, Some(&key), &NoReports, &NoEvents)
        .await
        .unwrap();
    let mut record = run_candidate(&fake, plan, &baseline, &NoReports, &NoEvents)
        .await
        .unwrap();
    assert_eq!(fake.left_over(), 0);
    record.checked.remove(&Check::Revert).unwrap()
}

fn ends(which: &'static str, end: StepEnd) -> Fake {
    let reverting = std::sync::atomic::AtomicBool::new(false);
    Fake::new(move |call| {
        let reverting_now = reverting.fetch_or(call.step == "revert", std::sync::atomic::Ordering::SeqCst);
        let hit = call.step == which && (which == "revert" || reverting_now);
        (if hit { end.clone() } else { GREEN }, String::new())
    })
}

#[tokio::test]
async fn a_fix_that_comes_off_cleanly_passes() {
    assert_eq!(
        reverted(ends("none", GREEN), &revert_plan()).await.verdict,
        Verdict::Passed
    );
}

#[tokio::test]
async fn what_the_candidate_left_behind_can_make_it_impossible() {
    for (step, end, verdict) in [
        ("build", RED, Verdict::Failed),
        ("test", RED, Verdict::Failed),
        ("revert", RED, Verdict::Inconclusive),
        ("build", StepEnd::OutOfMemory, Verdict::Inconclusive),
        ("test", StepEnd::TimedOut { after_seconds: 1 }, Verdict::Inconclusive),
    ] {
        let found = reverted(ends(step, end.clone()), &revert_plan()).await;
        assert_eq!(found.verdict, verdict, "{step} {end:?}: {}", found.reason);
    }
}

#[tokio::test]
async fn lockfiles_are_held_to_the_bases_when_a_fix_that_changes_them_is_taken_back() {
    let mut plan = revert_plan();
    plan.steps.prepare = Some("npm ci".to_owned());
    plan.baseline = tree(&[("package.json", "{}"), ("package-lock.json", "1")]).into();
    plan.candidate = tree(&[("package.json", "{}"), ("package-lock.json", "2")]).into();
    let found = reverted(ends("none", GREEN), &plan).await;
    assert_eq!(found.verdict, Verdict::Passed, "{}", found.reason);
}

#[tokio::test]
async fn a_migration_cannot_be_taken_back_and_costs_no_run() {
    let mut plan = revert_plan();
    plan.scrutiny.irreversible = Some("it migrates the database".to_owned());
    let found = reverted(ends("none", GREEN), &plan).await;
    assert_eq!(found.verdict, Verdict::Failed);
    assert_eq!(found.reason, "it can't be taken back: it migrates the database");
}

#[test]
fn the_archive_takes_away_and_brings_back() {
    let archive = revert_archive(&revert_plan()).unwrap().unwrap();
    let tree = SourceTree::read(&archive).unwrap();
    assert_eq!(tree.text("removed"), Some("./a.py\0./added.py\0./gone.py\0"));
    assert_eq!(tree.text("tree/a.py"), Some("old"));
    assert_eq!(tree.text("tree/gone.py"), Some("x"));
    assert!(tree.get("tree/added.py").is_none());
}
