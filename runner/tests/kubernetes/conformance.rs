//! The suite that every sandbox must pass.

use super::cluster::faults::Plan;
use super::support::start;

#[tokio::test(flavor = "multi_thread")]
async fn the_sandbox_does_what_every_sandbox_must() {
    let (loopback, sandbox) = start(Plan::default()).await;
    let results = holdpoint_runner::conformance::run(&sandbox).await;
    assert!(!results.is_empty());
    let failed: Vec<_> = results.iter().filter(|case| case.failure.is_some()).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    drop(sandbox);
    assert_eq!(loopback.until_empty().await, Vec::<String>::new());
}
