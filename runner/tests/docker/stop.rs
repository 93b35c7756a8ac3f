//! What a signal leaves behind: nothing.

use super::support::{left_over, step, tree};
use holdpoint_runner::sandbox::Sandbox;
use holdpoint_runner::track::{STOP_WITHIN, Tracked};
use holdpoint_runner::{DockerSandbox, SandboxSettings};
use holdpoint_schemas::estate::SandboxConfig;
use holdpoint_schemas::evidence::StepEnd;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

#[tokio::test]
async fn a_stop_in_the_middle_of_a_step_leaves_nothing_and_takes_less_than_its_bound() {
    let run = format!("stop-{}", std::process::id());
    let docker = DockerSandbox::connect(SandboxSettings::new(SandboxConfig::default(), &run))
        .await
        .expect("run ci/setup first");
    let sandbox = Arc::new(Tracked::new(Arc::new(docker)));
    let busy = sandbox.workspace(&tree(&[("a.txt", "a")])).await.unwrap();
    // One that nobody uses, as it is between two steps.
    sandbox.workspace(&tree(&[])).await.unwrap();
    let (begun, mut has_begun) = mpsc::unbounded_channel();
    let running = tokio::spawn({
        let sandbox = Arc::clone(&sandbox);
        async move {
            let on_line = |line: &str| {
                let _ = begun.send(line.to_owned());
            };
            sandbox.run(&busy, &step("echo begun; sleep 600"), &on_line).await
        }
    });
    assert_eq!(has_begun.recv().await.as_deref(), Some("begun"));
    let label = format!("holdpoint.run={run}");
    assert!(left_over(&label).len() >= 3, "{:?}", left_over(&label));

    let stopping = Instant::now();
    let mut left = sandbox.stop(STOP_WITHIN).await;
    assert!(stopping.elapsed() < STOP_WITHIN + Duration::from_secs(1));
    // A machine that is busy with other tests takes longer; then it is said, and tried again.
    while !left.is_nothing() && stopping.elapsed() < Duration::from_secs(60) {
        left = sandbox.stop(STOP_WITHIN).await;
    }
    assert!(left.is_nothing(), "{left:?}");
    assert!(matches!(running.await.unwrap().end, StepEnd::Infrastructure { .. }));
    // The step's container goes away by a task of its own.
    let deadline = Instant::now() + Duration::from_secs(10);
    while !left_over(&label).is_empty() && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(left_over(&label).is_empty(), "{:?}", left_over(&label));
}
