//! What the tests share.

use holdpoint_runner::sandbox::control::{Control, Controls};
use holdpoint_runner::sandbox::{Limits, Sandbox, StepOutcome, StepSpec, WorkspaceId};
use holdpoint_runner::{LocalSandbox, LocalSettings};
use holdpoint_schemas::estate::SandboxConfig;
use holdpoint_schemas::evidence::{Side, StepEnd};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;

/// A sandbox with a root folder of its own, which goes away with it.
pub struct Local {
    // Dropped first: it unmounts what is in the folder.
    pub sandbox: LocalSandbox,
    pub root: TempDir,
}

impl Drop for Local {
    /// Snapshots outlive their sandbox; those of a test don't.
    fn drop(&mut self) {
        for point in mounts_below(&self.root.path().join("snapshots")).iter().rev() {
            let unmounted = std::process::Command::new("umount").arg(point).status();
            assert!(unmounted.unwrap().success(), "{point}");
        }
    }
}

pub fn config() -> SandboxConfig {
    SandboxConfig {
        disk_mib: 64,
        ..SandboxConfig::default()
    }
}

pub async fn connect(root: &Path, controls: Controls) -> LocalSandbox {
    let mut settings = LocalSettings::new(config(), root, "test");
    settings.controls = controls;
    LocalSandbox::connect(settings).await.expect("run ci/setup first")
}

pub async fn local() -> Local {
    without(None).await
}

pub async fn without(control: Option<Control>) -> Local {
    let root = tempfile::tempdir().unwrap();
    let controls = control.map_or_else(Controls::default, |control| Controls::default().without(control));
    let sandbox = connect(root.path(), controls).await;
    Local { sandbox, root }
}

pub fn limits() -> Limits {
    Limits {
        cpu_millis: 2000,
        memory_mib: 256,
        pids: 64,
        wall: Duration::from_secs(60),
        log_bytes: 1 << 20,
        tmp_mib: 64,
        disk_mib: 64,
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
    run_without(None, spec).await
}

pub async fn run_without(control: Option<Control>, spec: StepSpec) -> StepOutcome {
    let local = without(control).await;
    let sandbox = &local.sandbox;
    let mut tries = 1;
    loop {
        // Whoever binds all of the host's mounts meets those of other tests, which come and go.
        let again = control == Some(Control::NoHostMounts) && tries < 10;
        tries += 1;
        let workspace = match sandbox.workspace(&tree(&[("a.txt", "hello\n")])).await {
            Ok(workspace) => workspace,
            Err(error) if again => {
                println!("once more: {error}");
                continue;
            }
            Err(error) => panic!("{error}"),
        };
        let outcome = run_in(sandbox, &workspace, &spec).await;
        sandbox.remove(workspace).await.unwrap();
        if !(again && matches!(outcome.end, StepEnd::Infrastructure { .. })) {
            return outcome;
        }
    }
}

pub async fn run_in(sandbox: &LocalSandbox, workspace: &WorkspaceId, spec: &StepSpec) -> StepOutcome {
    sandbox.run(workspace, spec, &|_| {}).await
}

/// The output of a command that must succeed.
pub async fn output_in(sandbox: &LocalSandbox, workspace: &WorkspaceId, command: &str) -> String {
    let outcome = run_in(sandbox, workspace, &step(command)).await;
    assert_eq!(outcome.end, StepEnd::Exited { code: 0 }, "{}", outcome.tail);
    outcome.tail
}

/// Mounts below a folder, as the kernel lists them.
pub fn mounts_below(folder: &Path) -> Vec<String> {
    let folder = folder.canonicalize().unwrap();
    let table = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    table
        .lines()
        .filter_map(|line| line.split(' ').nth(4))
        .filter(|point| Path::new(point).starts_with(&folder))
        .map(str::to_owned)
        .collect()
}

/// Control groups whose names begin so, in any hierarchy.
pub fn groups_named(prefix: &str) -> Vec<String> {
    let output = std::process::Command::new("find")
        .args(["/sys/fs/cgroup", "-type", "d", "-name"])
        .arg(format!("{prefix}*"))
        .output()
        .unwrap();
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect()
}

/// Waits until it holds, for as long as a busy machine may take.
pub async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..200 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("never happened: {what}");
}
