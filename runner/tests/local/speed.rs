//! What a step costs.

use super::support::{local, run_in, step, tree};
use holdpoint_runner::sandbox::Sandbox as _;
use holdpoint_schemas::evidence::StepEnd;
use std::time::Instant;

/// On a machine that does nothing else.
const MOST_MILLIS: f64 = 30.0;
/// What bubblewrap alone takes there, for nothing but namespaces.
const BARE_MILLIS: f64 = 5.0;
const BARE: &str = "--unshare-all --ro-bind /usr /usr --symlink usr/bin /bin --symlink usr/lib /lib --symlink usr/lib64 /lib64 \
    --proc /proc --dev /dev true";

fn median(mut millis: Vec<f64>) -> f64 {
    millis.sort_by(f64::total_cmp);
    millis[millis.len() / 2]
}

/// Other tests and builds run beside this one, so how slow the machine is just now is measured with each step.
#[tokio::test]
async fn a_step_starts_and_ends_within_thirty_milliseconds() {
    let local = local().await;
    let workspace = local.sandbox.workspace(&tree(&[])).await.unwrap();
    let (mut steps, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..50 {
        let began = Instant::now();
        let alone = std::process::Command::new("bwrap")
            .args(BARE.split_whitespace())
            .output()
            .unwrap();
        bare.push(began.elapsed().as_secs_f64() * 1e3);
        assert!(alone.status.success(), "{}", String::from_utf8_lossy(&alone.stderr));
        let began = Instant::now();
        let outcome = run_in(&local.sandbox, &workspace, &step("true")).await;
        steps.push(began.elapsed().as_secs_f64() * 1e3);
        assert_eq!(outcome.end, StepEnd::Exited { code: 0 }, "{}", outcome.tail);
    }
    local.sandbox.remove(workspace).await.unwrap();
    steps.sort_by(f64::total_cmp);
    let (best, middle, late) = (steps[0], steps[25], steps[47]);
    let slower = (median(bare) / BARE_MILLIS).max(1.0);
    println!(
        "best {best:.1} ms, median {middle:.1} ms, p95 {late:.1} ms; the machine is {slower:.1} times slower than when quiet"
    );
    assert!(best < MOST_MILLIS || middle < MOST_MILLIS * slower, "{steps:?}");
}
