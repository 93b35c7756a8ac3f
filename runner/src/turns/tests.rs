use super::*;
use crate::sandbox::Limits;
use crate::sandbox::control::Controls;
use futures_util::future::join_all;
use holdpoint_schemas::estate::SandboxConfig;
use holdpoint_schemas::evidence::{Isolation, Side};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts the steps that run at the same time, and the workspaces made meanwhile.
#[derive(Default)]
struct Counting {
    running: AtomicUsize,
    most: AtomicUsize,
    made_beside: AtomicUsize,
}

#[async_trait]
impl Sandbox for Counting {
    fn describe(&self) -> String {
        "counting".to_owned()
    }

    fn isolation(&self) -> IsolationReport {
        IsolationReport {
            kind: Isolation::Container,
            engine: "counting".to_owned(),
            controls: Controls::default(),
        }
    }

    async fn workspace(&self, _: &[u8]) -> Result<WorkspaceId, SandboxError> {
        if self.running.load(Ordering::SeqCst) > 0 {
            self.made_beside.fetch_add(1, Ordering::SeqCst);
        }
        Ok(WorkspaceId("w".to_owned()))
    }

    async fn run(&self, _: &WorkspaceId, _: &StepSpec, _: OnLine<'_>) -> StepOutcome {
        let now = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        self.running.fetch_sub(1, Ordering::SeqCst);
        StepOutcome {
            end: StepEnd::Exited { code: 0 },
            millis: 1,
            tail: String::new(),
            captured: Vec::new(),
            capture_cut: false,
        }
    }

    async fn read_file(&self, _: &WorkspaceId, _: &str, _: usize) -> Result<Option<Vec<u8>>, SandboxError> {
        Ok(None)
    }

    async fn remove(&self, _: WorkspaceId) -> Result<(), SandboxError> {
        Ok(())
    }

    async fn sweep(&self) -> Result<Swept, SandboxError> {
        Ok(Swept::default())
    }
}

fn step(cpu_millis: u32) -> StepSpec {
    StepSpec {
        name: "test".to_owned(),
        side: Side::Candidate,
        command: "true".to_owned(),
        env: BTreeMap::new(),
        proxy: None,
        mounts: Vec::new(),
        stdin: None,
        capture_bytes: 0,
        limits: Limits {
            cpu_millis,
            memory_mib: 1,
            ..Limits::from(&SandboxConfig::default())
        },
    }
}

async fn six_at_once(cpu_millis: u32) -> Arc<Counting> {
    let counting = Arc::new(Counting::default());
    let budget = Budget::new(Weight {
        cpu_millis: 2000,
        memory_mib: 100,
    });
    let turns = InTurn::new(Arc::clone(&counting) as Arc<dyn Sandbox>, budget);
    let step = step(cpu_millis);
    let candidates = (0..6).map(|_| async {
        let workspace = turns.workspace(b"").await.unwrap();
        // A second one, while somebody's step runs.
        tokio::task::yield_now().await;
        turns.workspace(b"").await.unwrap();
        turns.run(&workspace, &step, &|_| ()).await
    });
    for outcome in join_all(candidates).await {
        assert_eq!(outcome.end, StepEnd::Exited { code: 0 });
    }
    counting
}

#[tokio::test]
async fn steps_wait_for_their_share_and_workspaces_do_not() {
    let counting = six_at_once(2000).await;
    assert_eq!(counting.most.load(Ordering::SeqCst), 1);
    assert!(counting.made_beside.load(Ordering::SeqCst) > 0);
}

#[tokio::test]
async fn as_many_steps_run_as_the_machine_bears() {
    assert_eq!(six_at_once(1000).await.most.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_step_that_wants_more_than_there_is_runs_alone() {
    assert_eq!(six_at_once(9000).await.most.load(Ordering::SeqCst), 1);
}
