//! Steps that somebody else ends, and an engine that goes away.

use super::support::{left_over, run_in, step, tree};
use holdpoint_runner::sandbox::Sandbox as _;
use holdpoint_runner::sandbox::docker::DEFAULT_SOCKET;
use holdpoint_runner::{DockerSandbox, SandboxError, SandboxSettings};
use holdpoint_schemas::estate::SandboxConfig;
use holdpoint_schemas::evidence::StepEnd;
use std::process::Command;
use std::time::Duration;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;

#[tokio::test]
async fn a_step_that_is_stopped_or_killed_from_outside_has_no_exit_status() {
    for (end, command) in [
        ("kill", "sleep 60"),
        ("stop", "trap 'exit 0' TERM; while true; do sleep 0.1; done"),
        ("stop", "trap 'exit 1' TERM; while true; do sleep 0.1; done"),
    ] {
        let run = format!("killed-{}-{}", std::process::id(), command.len());
        let settings = SandboxSettings::new(SandboxConfig::default(), run.as_str());
        let sandbox = DockerSandbox::connect(settings).await.unwrap();
        let workspace = sandbox.workspace(&tree(&[])).await.unwrap();
        let spec = step(command);
        let by_hand = tokio::task::spawn_blocking(move || {
            let filter = format!("label=holdpoint.run={run}");
            loop {
                let running = Command::new("docker")
                    .args(["ps", "--quiet", "--filter", &filter])
                    .output();
                let name = String::from_utf8(running.unwrap().stdout).unwrap().trim().to_owned();
                if !name.is_empty() {
                    // The shell needs a moment to set its trap.
                    std::thread::sleep(Duration::from_secs(1));
                    assert!(
                        Command::new("docker")
                            .args([end, &name])
                            .output()
                            .unwrap()
                            .status
                            .success()
                    );
                    return;
                }
                std::thread::yield_now();
            }
        });
        let outcome = run_in(&sandbox, &workspace, &spec).await;
        by_hand.await.unwrap();
        sandbox.remove(workspace).await.unwrap();
        assert_eq!(outcome.end, StepEnd::Killed, "{end}");
    }
}

/// A socket that leads to the engine, until it is told not to.
fn relay(path: &std::path::Path) -> watch::Sender<bool> {
    let listener = UnixListener::bind(path).unwrap();
    let (open, state) = watch::channel(true);
    tokio::spawn(async move {
        while let Ok((mut here, _)) = listener.accept().await {
            let mut state = state.clone();
            tokio::spawn(async move {
                if !*state.borrow() {
                    return;
                }
                let mut there = UnixStream::connect(DEFAULT_SOCKET).await.unwrap();
                tokio::select! {
                    _ = tokio::io::copy_bidirectional(&mut here, &mut there) => {}
                    _ = state.wait_for(|open| !open) => {}
                }
            });
        }
    });
    open
}

#[tokio::test]
async fn an_engine_that_goes_away_is_no_verdict_and_leaves_nothing_when_it_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let run = format!("lost-{}", std::process::id());
    let mut settings = SandboxSettings::new(SandboxConfig::default(), run.as_str());
    settings.socket = folder.path().join("engine.sock");
    let open = relay(&settings.socket);
    let sandbox = DockerSandbox::connect(settings).await.unwrap();
    let workspace = sandbox.workspace(&tree(&[])).await.unwrap();
    let cut = async {
        let label = format!("holdpoint.run={run}");
        while left_over(&label).len() < 4 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        open.send(false).unwrap();
    };
    let spec = step("echo began; sleep 5; exit 1");
    let (outcome, ()) = tokio::join!(run_in(&sandbox, &workspace, &spec), cut);
    assert!(matches!(outcome.end, StepEnd::EngineLost { .. }), "{:?}", outcome.end);
    assert_eq!(outcome.tail, "began\n");
    let again = run_in(&sandbox, &workspace, &step("true")).await;
    assert!(matches!(again.end, StepEnd::EngineLost { .. }), "{:?}", again.end);

    open.send(true).unwrap();
    assert_eq!(
        run_in(&sandbox, &workspace, &step("true")).await.end,
        StepEnd::Exited { code: 0 }
    );
    sandbox.remove(workspace).await.unwrap();
    assert!(left_over(&format!("holdpoint.run={run}")).is_empty());
}

#[tokio::test]
async fn an_unknown_runtime_is_refused_with_those_that_are_there() {
    let config = SandboxConfig {
        runtime: Some("none-such".to_owned()),
        ..SandboxConfig::default()
    };
    let error = DockerSandbox::connect(SandboxSettings::new(config, "runtime"))
        .await
        .unwrap_err();
    assert!(matches!(error, SandboxError::NoRuntime { .. }), "{error}");
    assert!(
        error.to_string().contains("`none-such`") && error.to_string().contains("runc"),
        "{error}"
    );
}

#[tokio::test]
async fn the_runtime_in_force_is_told() {
    let config = SandboxConfig {
        runtime: Some("runc".to_owned()),
        ..SandboxConfig::default()
    };
    let sandbox = DockerSandbox::connect(SandboxSettings::new(config, "runtime"))
        .await
        .unwrap();
    assert!(
        sandbox.isolation().engine.ends_with(", runc"),
        "{}",
        sandbox.isolation().engine
    );
}
