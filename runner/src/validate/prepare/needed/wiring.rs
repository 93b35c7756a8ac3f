//! A candidate's `prepare`, on a sandbox that keeps snapshots and runs nothing.

use crate::error::SandboxError;
use crate::plan::{ReportReader, ValidationPlan};
use crate::sandbox::control::{Controls, IsolationReport};
use crate::sandbox::snapshot::{SnapshotInfo, SnapshotKey, TreeChange};
use crate::sandbox::{Limits, OnLine, Sandbox, StepOutcome, StepSpec, Swept, WorkspaceId};
use crate::validate::{run_baseline, run_candidate};
use async_trait::async_trait;
use holdpoint_schemas::estate::{PrepareConfig, SandboxConfig, StepsConfig, TestsConfig};
use holdpoint_schemas::event::NoEvents;
use holdpoint_schemas::evidence::{Check, Isolation, Side, StepEnd};
use holdpoint_schemas::finding::Finding;
use std::sync::Mutex;

#[derive(Default)]
struct Idle(Mutex<Vec<String>>);

#[async_trait]
impl Sandbox for Idle {
    fn describe(&self) -> String {
        "idle".to_owned()
    }

    fn isolation(&self) -> IsolationReport {
        IsolationReport {
            kind: Isolation::Unproven,
            engine: "idle".to_owned(),
            controls: Controls::default(),
        }
    }

    async fn workspace(&self, _tar: &[u8]) -> Result<WorkspaceId, SandboxError> {
        Ok(WorkspaceId("w".to_owned()))
    }

    async fn seal(&self, _workspace: WorkspaceId, key: &SnapshotKey) -> Result<SnapshotInfo, SandboxError> {
        Ok(SnapshotInfo {
            key: key.clone(),
            bytes: 0,
        })
    }

    async fn branch(&self, _key: &SnapshotKey, _change: &TreeChange) -> Result<WorkspaceId, SandboxError> {
        Ok(WorkspaceId("b".to_owned()))
    }

    async fn run(&self, _workspace: &WorkspaceId, step: &StepSpec, _on_line: OnLine<'_>) -> StepOutcome {
        let ran = format!("{} {}", step.side.as_str(), step.name);
        self.0.lock().unwrap().push(ran);
        StepOutcome {
            end: StepEnd::Exited { code: 0 },
            millis: 1,
            tail: String::new(),
            captured: Vec::new(),
            capture_cut: false,
        }
    }

    async fn read_file(&self, _: &WorkspaceId, _: &str, _: usize) -> Result<Option<Vec<u8>>, SandboxError> {
        Ok(Some(b"[]".to_vec()))
    }

    async fn remove(&self, _workspace: WorkspaceId) -> Result<(), SandboxError> {
        Ok(())
    }

    async fn sweep(&self) -> Result<Swept, SandboxError> {
        Ok(Swept::default())
    }
}

impl ReportReader for Idle {
    fn read(&self, _: &str, _: Side, _: &[u8]) -> Result<Vec<Finding>, String> {
        Ok(Vec::new())
    }
}

async fn steps_of(candidate: &[(&str, &str)]) -> (Vec<String>, bool) {
    let base = [("Cargo.lock", "[]"), ("src/lib.rs", "old")];
    let plan = ValidationPlan {
        scrutiny: crate::scrutiny::Scrutiny::default(),
        subject: "x".to_owned(),
        checks: [Check::Build].into(),
        steps: StepsConfig {
            prepare: Some("cargo fetch --locked".to_owned()),
            build: Some("cargo build".to_owned()),
            test: None,
        },
        unused: Vec::new(),
        limits: Limits::from(&SandboxConfig::default()),
        tests: TestsConfig::default(),
        reruns: 0,
        prepare: PrepareConfig::default(),
        packages: None,
        contract: crate::contract_check::ContractPlan::default(),
        scanners: Vec::new(),
        resolves: Vec::new(),
        baseline: super::tests::archive(&base).into(),
        candidate: super::tests::archive(candidate).into(),
    };
    let idle = Idle::default();
    let key = SnapshotKey::new("0123456789abcdef").unwrap();
    let baseline = run_baseline(&idle, &plan, Some(&key), &idle, &NoEvents).await.unwrap();
    let record = run_candidate(&idle, &plan, &baseline, &idle, &NoEvents).await.unwrap();
    let prepared = record.end("prepare").is_some_and(StepEnd::is_success);
    (idle.0.into_inner().unwrap(), prepared)
}

#[tokio::test]
async fn a_candidate_of_a_snapshot_prepares_only_when_it_has_to() {
    let (ran, prepared) = steps_of(&[("Cargo.lock", "[]"), ("src/lib.rs", "new")]).await;
    assert_eq!(ran, ["baseline prepare", "baseline build", "candidate build"]);
    assert!(prepared, "that it wasn't needed is recorded as an end");
    let (ran, _) = steps_of(&[("Cargo.lock", "[]"), ("src/lib.rs", "old"), ("Cargo.toml", "")]).await;
    assert_eq!(
        ran,
        [
            "baseline prepare",
            "baseline build",
            "candidate prepare",
            "candidate build"
        ]
    );
}
