//! What a step costs.

use super::support::{local, run_in, step, tree};
use holdpoint_runner::sandbox::Sandbox as _;
use holdpoint_schemas::evidence::StepEnd;
use std::time::Instant;

/// On a quiet machine the median is below it; other tests run beside this one, so it is the best of some
/// that is held against it.
const MOST_MILLIS: f64 = 30.0;

#[tokio::test]
async fn a_step_starts_and_ends_within_thirty_milliseconds() {
    let local = local().await;
    let workspace = local.sandbox.workspace(&tree(&[])).await.unwrap();
    let mut millis = Vec::new();
    for _ in 0..50 {
        let began = Instant::now();
        let outcome = run_in(&local.sandbox, &workspace, &step("true")).await;
        millis.push(began.elapsed().as_secs_f64() * 1e3);
        assert_eq!(outcome.end, StepEnd::Exited { code: 0 }, "{}", outcome.tail);
    }
    local.sandbox.remove(workspace).await.unwrap();
    millis.sort_by(f64::total_cmp);
    eprintln!(
        "best {:.1} ms, median {:.1} ms, p95 {:.1} ms",
        millis[0], millis[25], millis[47]
    );
    assert!(millis[0] < MOST_MILLIS, "{millis:?}");
}
