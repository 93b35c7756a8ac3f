//! What the tests share.

use super::cluster::Loopback;
use super::cluster::faults::Plan;
use holdpoint_runner::sandbox::kubernetes::Patience;
use holdpoint_runner::sandbox::{Limits, Sandbox, StepOutcome, StepSpec};
use holdpoint_runner::{KubernetesSandbox, KubernetesSettings};
use holdpoint_schemas::estate::SandboxConfig;
use holdpoint_schemas::evidence::Side;
use std::collections::BTreeMap;
use std::time::Duration;

pub fn settings(loopback: &Loopback) -> KubernetesSettings {
    let config = SandboxConfig {
        image: Some("holdpoint/host-view:latest".to_owned()),
        disk_mib: 64,
        ..SandboxConfig::default()
    };
    KubernetesSettings {
        kubeconfig: Some(loopback.kubeconfig.clone()),
        patience: Patience {
            request: Duration::from_secs(10),
            transfer: Duration::from_secs(60),
            outage: Duration::from_secs(20),
            queue: Duration::from_secs(60),
            pull: Duration::from_secs(20),
        },
        ..KubernetesSettings::new(config, "test")
    }
}

pub async fn start(plan: Plan) -> (Loopback, KubernetesSandbox) {
    let loopback = Loopback::start(plan).await;
    let sandbox = KubernetesSandbox::connect(settings(&loopback)).await.unwrap();
    (loopback, sandbox)
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
        limits: Limits {
            cpu_millis: 1000,
            memory_mib: 128,
            pids: 64,
            wall: Duration::from_secs(60),
            log_bytes: 1 << 20,
            tmp_mib: 64,
            disk_mib: 64,
        },
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

/// A workspace with one file, and one step in it.
pub async fn run(sandbox: &KubernetesSandbox, spec: StepSpec) -> StepOutcome {
    let workspace = sandbox.workspace(&tree(&[("a.txt", "hello\n")])).await.unwrap();
    let outcome = sandbox.run(&workspace, &spec, &|_| {}).await;
    sandbox.remove(workspace).await.unwrap();
    outcome
}
