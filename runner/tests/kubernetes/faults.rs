//! The API server at its worst: what a step did is told all the same, and told right.

use super::cluster::faults::Plan;
use super::support::{start, step, tree};
use holdpoint_runner::sandbox::Sandbox;
use holdpoint_schemas::evidence::StepEnd;
use std::time::Duration;

/// Seeds of a test run; `HOLDPOINT_SEEDS` has more of them run.
fn seeds() -> u64 {
    std::env::var("HOLDPOINT_SEEDS")
        .ok()
        .and_then(|count| count.parse().ok())
        .unwrap_or(5)
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_happens_to_requests_and_streams_nothing_is_told_wrong_or_left_over() {
    for seed in 0..seeds() {
        let (loopback, sandbox) = start(Plan::shaky(seed, 60)).await;
        let files = tree(&[("a.txt", &"hello\n".repeat(2_000)), ("b.txt", "")]);
        let workspace = sandbox.workspace(&files).await.unwrap();
        let first = step("wc -c <a.txt; for i in 1 2 3 4 5; do echo line $i; sleep 0.1; done; echo x >> b.txt");
        let outcome = sandbox.run(&workspace, &first, &|_| {}).await;
        let told = format!(
            "seed {seed}: {:?} {}",
            loopback.cluster.plan.happened.lock().unwrap(),
            outcome.tail
        );
        assert_eq!(outcome.end, StepEnd::Exited { code: 0 }, "{told}");
        assert_eq!(
            outcome.tail, "12000\nline 1\nline 2\nline 3\nline 4\nline 5\n",
            "{told}"
        );
        let mut second = step("cat b.txt; cat; exit 7");
        second.stdin = Some(b"in".to_vec());
        second.capture_bytes = 100;
        let outcome = sandbox.run(&workspace, &second, &|_| {}).await;
        // Once, however often it was asked for.
        assert_eq!(
            (outcome.end, outcome.captured),
            (StepEnd::Exited { code: 7 }, b"x\nin".to_vec()),
            "{told}"
        );
        assert_eq!(
            sandbox.read_file(&workspace, "repo/b.txt", 9).await.unwrap(),
            Some(b"x\n".to_vec()),
            "{told}"
        );
        sandbox.remove(workspace).await.unwrap();
        drop(sandbox);
        assert_eq!(loopback.until_empty().await, Vec::<String>::new(), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_away_for_a_while_is_waited_for() {
    let (loopback, sandbox) = start(Plan::default()).await;
    let workspace = sandbox.workspace(&tree(&[("a", "")])).await.unwrap();
    let spec = step("echo before; sleep 2; echo after; exit 3");
    let (outcome, ()) = tokio::join!(sandbox.run(&workspace, &spec, &|_| {}), async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        loopback.outage(Duration::from_secs(3));
    });
    assert_eq!(outcome.end, StepEnd::Exited { code: 3 });
    assert_eq!(outcome.tail, "before\nafter\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stays_away_loses_the_step_and_blames_nobody() {
    let loopback = super::cluster::Loopback::start(Plan::default()).await;
    let mut settings = super::support::settings(&loopback);
    settings.patience.outage = Duration::from_secs(2);
    let sandbox = holdpoint_runner::KubernetesSandbox::connect(settings).await.unwrap();
    let workspace = sandbox.workspace(&tree(&[("a", "")])).await.unwrap();
    let spec = step("sleep 1; exit 1");
    let (outcome, ()) = tokio::join!(sandbox.run(&workspace, &spec, &|_| {}), async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        loopback.outage(Duration::from_secs(3_600));
    });
    assert!(matches!(outcome.end, StepEnd::EngineLost { .. }), "{:?}", outcome.end);
}
