//! What a workspace may add, bounded by a disk of its own and by a watcher.

use super::support::{run_in, step, tree};
use holdpoint_runner::sandbox::Sandbox as _;
use holdpoint_runner::sandbox::control::Control;
use holdpoint_runner::{DockerSandbox, SandboxSettings};
use holdpoint_schemas::estate::SandboxConfig;
use holdpoint_schemas::evidence::StepEnd;

/// Once with disks of its own, once watched.
async fn both() -> [DockerSandbox; 2] {
    let config = SandboxConfig {
        disk_mib: 64,
        ..SandboxConfig::default()
    };
    let bounded = SandboxSettings::new(config.clone(), "disk");
    let mut watched = SandboxSettings::new(config, "disk");
    watched.may_mount = false;
    let both = [bounded, watched].map(|settings| async { DockerSandbox::connect(settings).await.unwrap() });
    let [bounded, watched] = both;
    let both = [bounded.await, watched.await];
    for (sandbox, how) in both.iter().zip(["on bounded disks", "on watched disks"]) {
        assert!(sandbox.describe().contains(how), "{}", sandbox.describe());
        assert!(sandbox.isolation().controls.has(Control::DiskBound));
    }
    both
}

async fn end_of(sandbox: &DockerSandbox, command: &str) -> StepEnd {
    let workspace = sandbox.workspace(&tree(&[("a", "1\n")])).await.unwrap();
    let mut spec = step(command);
    spec.limits.disk_mib = 64;
    let outcome = run_in(sandbox, &workspace, &spec).await;
    sandbox.remove(workspace).await.unwrap();
    outcome.end
}

#[tokio::test]
async fn a_flood_of_bytes_ends_as_out_of_disk_whatever_the_step_makes_of_it() {
    for sandbox in both().await {
        let flood = "head -c 200000000 /dev/zero > big || true; sleep 3";
        assert_eq!(end_of(&sandbox, flood).await, StepEnd::OutOfDisk);
        let fits = "head -c 20000000 /dev/zero > big";
        assert_eq!(end_of(&sandbox, fits).await, StepEnd::Exited { code: 0 });
    }
}

#[tokio::test]
async fn a_flood_of_files_ends_as_out_of_disk() {
    for sandbox in both().await {
        let flood = "mkdir many && cd many && seq 1 40000 | xargs touch || true; sleep 5";
        assert_eq!(end_of(&sandbox, flood).await, StepEnd::OutOfDisk);
    }
}

#[tokio::test]
async fn a_step_with_a_smaller_bound_than_its_workspace_is_killed_at_its_own() {
    let [bounded, _] = both().await;
    let workspace = bounded.workspace(&tree(&[])).await.unwrap();
    let mut spec = step("head -c 20000000 /dev/zero > big; sleep 30");
    spec.limits.disk_mib = 8;
    let outcome = run_in(&bounded, &workspace, &spec).await;
    bounded.remove(workspace).await.unwrap();
    assert_eq!(outcome.end, StepEnd::OutOfDisk);
    assert!(outcome.millis < 20_000, "{} ms", outcome.millis);
}
