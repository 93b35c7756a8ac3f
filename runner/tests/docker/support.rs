//! What the tests share.

use holdpoint_runner::sandbox::{Limits, Sandbox, StepOutcome, StepSpec, WorkspaceId};
use holdpoint_runner::{DockerSandbox, SandboxSettings};
use holdpoint_schemas::estate::SandboxConfig;
use holdpoint_schemas::evidence::Side;
use std::collections::BTreeMap;
use std::time::Duration;

pub async fn sandbox() -> DockerSandbox {
    connect(SandboxConfig::default()).await
}

pub async fn connect(config: SandboxConfig) -> DockerSandbox {
    DockerSandbox::connect(SandboxSettings::new(config, "test"))
        .await
        .expect("run ci/setup first")
}

pub fn limits() -> Limits {
    Limits {
        cpu_millis: 2000,
        memory_mib: 256,
        pids: 64,
        wall: Duration::from_secs(60),
        log_bytes: 1 << 20,
        tmp_mib: 64,
        disk_mib: 256,
    }
}

pub fn step(command: &str) -> StepSpec {
    StepSpec {
        name: "test".to_owned(),
        side: Side::Candidate,
        command: command.to_owned(),
        env: BTreeMap::new(),
        proxy: None,
        mounts: Vec::new(),
        stdin: None,
        capture_bytes: 0,
        limits: limits(),
    }
}

/// An uncompressed archive of these files.
pub fn tree(files: &[(&str, &str)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, path, text.as_bytes()).unwrap();
    }
    builder.into_inner().unwrap()
}

/// A workspace, one step in it, and the workspace removed.
pub async fn run(spec: StepSpec) -> StepOutcome {
    let sandbox = sandbox().await;
    let workspace = sandbox.workspace(&tree(&[("a.txt", "hello\n")])).await.unwrap();
    let outcome = run_in(&sandbox, &workspace, &spec).await;
    sandbox.remove(workspace).await.unwrap();
    outcome
}

pub async fn run_in(sandbox: &DockerSandbox, workspace: &WorkspaceId, spec: &StepSpec) -> StepOutcome {
    sandbox.run(workspace, spec, &|_| {}).await
}

/// Names of containers and volumes with this label, as the engine's own command line sees them.
pub fn left_over(label: &str) -> Vec<String> {
    let list = |args: &[&str]| {
        let filter = format!("label={label}");
        let output = std::process::Command::new("docker")
            .args(args)
            .args(["--filter", &filter])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout)
            .unwrap()
            .lines()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let mut names = list(&["ps", "--all", "--format", "{{.Names}}"]);
    names.extend(list(&["volume", "ls", "--quiet"]));
    names
}
