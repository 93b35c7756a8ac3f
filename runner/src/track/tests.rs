use super::*;
use crate::sandbox::Limits;
use crate::sandbox::control::Controls;
use holdpoint_schemas::estate::SandboxConfig;
use holdpoint_schemas::evidence::{Isolation, Side};
use std::collections::BTreeMap;
use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Notify;

/// Hands out workspaces; its steps never end by themselves.
#[derive(Default)]
struct Fake {
    made: AtomicUsize,
    there: Mutex<HashSet<String>>,
    /// Makes a workspace only when told.
    gate: Option<Arc<Notify>>,
    entered: Notify,
    stuck: bool,
    /// Removals that are still to fail.
    in_use: AtomicUsize,
    /// The first removal takes until it is told; meanwhile the workspace isn't known any more.
    leaving: Option<Arc<Notify>>,
    left: AtomicUsize,
}

impl Fake {
    fn there(&self) -> usize {
        self.there.lock().unwrap().len()
    }
}

#[async_trait]
impl Sandbox for Fake {
    fn describe(&self) -> String {
        "fake".to_owned()
    }

    fn isolation(&self) -> IsolationReport {
        IsolationReport {
            kind: Isolation::Container,
            engine: "fake".to_owned(),
            controls: Controls::default(),
        }
    }

    async fn workspace(&self, _tar: &[u8]) -> Result<WorkspaceId, SandboxError> {
        self.entered.notify_one();
        if let Some(gate) = &self.gate {
            gate.notified().await;
        }
        let id = format!("w{}", self.made.fetch_add(1, Ordering::SeqCst));
        self.there.lock().unwrap().insert(id.clone());
        Ok(WorkspaceId(id))
    }

    async fn seal(&self, _workspace: WorkspaceId, key: &SnapshotKey) -> Result<SnapshotInfo, SandboxError> {
        Ok(SnapshotInfo {
            key: key.clone(),
            bytes: 0,
        })
    }

    async fn branch(&self, _key: &SnapshotKey, _change: &TreeChange) -> Result<WorkspaceId, SandboxError> {
        self.workspace(b"").await
    }

    async fn run(&self, _workspace: &WorkspaceId, _step: &StepSpec, _on_line: OnLine<'_>) -> StepOutcome {
        self.entered.notify_one();
        pending().await
    }

    async fn read_file(&self, _: &WorkspaceId, _: &str, _: usize) -> Result<Option<Vec<u8>>, SandboxError> {
        pending().await
    }

    async fn remove(&self, workspace: WorkspaceId) -> Result<(), SandboxError> {
        if self.stuck {
            pending::<()>().await;
        }
        if let Some(gate) = &self.leaving {
            if self.left.fetch_add(1, Ordering::SeqCst) > 0 {
                return Ok(());
            }
            self.entered.notify_one();
            gate.notified().await;
        }
        let fails = |left: usize| left.checked_sub(1);
        if self
            .in_use
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, fails)
            .is_ok()
        {
            return Err(SandboxError::Engine {
                what: "remove a volume",
                reason: "it is in use".to_owned(),
            });
        }
        self.there.lock().unwrap().remove(workspace.as_str());
        Ok(())
    }

    async fn sweep(&self) -> Result<Swept, SandboxError> {
        Ok(Swept::default())
    }
}

fn step() -> StepSpec {
    StepSpec {
        name: "test".to_owned(),
        side: Side::Candidate,
        command: "sleep 600".to_owned(),
        env: BTreeMap::new(),
        proxy: None,
        mounts: Vec::new(),
        stdin: None,
        capture_bytes: 0,
        limits: Limits::from(&SandboxConfig::default()),
    }
}

fn tracked(fake: &Arc<Fake>) -> Arc<Tracked> {
    Arc::new(Tracked::new(Arc::clone(fake) as Arc<dyn Sandbox>))
}

#[tokio::test]
async fn a_stop_ends_running_steps_and_removes_every_workspace() {
    let fake = Arc::new(Fake::default());
    let sandbox = tracked(&fake);
    let workspace = sandbox.workspace(b"").await.unwrap();
    sandbox.workspace(b"").await.unwrap();
    fake.entered.notified().await;
    let running = tokio::spawn({
        let (sandbox, workspace) = (Arc::clone(&sandbox), workspace.clone());
        async move { sandbox.run(&workspace, &step(), &|_| {}).await }
    });
    fake.entered.notified().await;
    let left = sandbox.stop(STOP_WITHIN).await;
    assert!(left.is_nothing(), "{left:?}");
    assert_eq!(fake.there(), 0);
    let end = running.await.unwrap().end;
    assert_eq!(
        end,
        StepEnd::Infrastructure {
            reason: "the run was stopped".to_owned()
        }
    );
    assert!(sandbox.stopped().is_cancelled());
}

#[tokio::test]
async fn a_workspace_that_is_just_being_made_is_removed_too() {
    let gate = Arc::new(Notify::new());
    let fake = Arc::new(Fake {
        gate: Some(Arc::clone(&gate)),
        ..Fake::default()
    });
    let sandbox = tracked(&fake);
    let making = tokio::spawn({
        let sandbox = Arc::clone(&sandbox);
        async move { sandbox.workspace(b"").await }
    });
    fake.entered.notified().await;
    let stopping = tokio::spawn({
        let sandbox = Arc::clone(&sandbox);
        async move { sandbox.stop(STOP_WITHIN).await }
    });
    sandbox.stopped().cancelled().await;
    gate.notify_one();
    assert!(matches!(making.await.unwrap(), Err(SandboxError::Stopped)));
    assert!(stopping.await.unwrap().is_nothing());
    assert_eq!((fake.made.load(Ordering::SeqCst), fake.there()), (1, 0));
}

#[tokio::test]
async fn nothing_begins_after_a_stop() {
    let fake = Arc::new(Fake::default());
    let sandbox = tracked(&fake);
    let workspace = sandbox.workspace(b"").await.unwrap();
    let key = SnapshotKey::new("0123456789abcdef").unwrap();
    sandbox.stop(STOP_WITHIN).await;
    assert!(matches!(sandbox.workspace(b"").await, Err(SandboxError::Stopped)));
    let branch = sandbox.branch(&key, &TreeChange::default()).await;
    assert!(matches!(branch, Err(SandboxError::Stopped)));
    assert!(matches!(
        sandbox.read_file(&workspace, "x", 1).await,
        Err(SandboxError::Stopped)
    ));
    let outcome = sandbox.run(&workspace, &step(), &|_| {}).await;
    assert!(matches!(outcome.end, StepEnd::Infrastructure { .. }));
    assert_eq!(fake.made.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_sealed_workspace_is_a_snapshot_and_stays() {
    let fake = Arc::new(Fake::default());
    let sandbox = tracked(&fake);
    let workspace = sandbox.workspace(b"").await.unwrap();
    let key = SnapshotKey::new("0123456789abcdef").unwrap();
    sandbox.seal(workspace, &key).await.unwrap();
    assert!(sandbox.stop(STOP_WITHIN).await.is_nothing());
    assert_eq!(fake.there(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_workspace_that_is_still_in_use_is_tried_again() {
    let fake = Arc::new(Fake {
        in_use: AtomicUsize::new(3),
        ..Fake::default()
    });
    let sandbox = tracked(&fake);
    sandbox.workspace(b"").await.unwrap();
    assert!(sandbox.stop(STOP_WITHIN).await.is_nothing());
    assert_eq!(fake.there(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_stop_takes_no_longer_than_its_bound_and_says_what_is_left() {
    let fake = Arc::new(Fake {
        stuck: true,
        ..Fake::default()
    });
    let sandbox = tracked(&fake);
    sandbox.workspace(b"").await.unwrap();
    let begun = Instant::now();
    let left = sandbox.stop(STOP_WITHIN).await;
    assert_eq!(left.workspaces, ["w0"]);
    assert_eq!(begun.elapsed().as_secs(), STOP_WITHIN.as_secs());
}

#[tokio::test]
async fn a_stop_waits_for_a_removal_that_is_under_way() {
    let gate = Arc::new(Notify::new());
    let fake = Arc::new(Fake {
        leaving: Some(Arc::clone(&gate)),
        ..Fake::default()
    });
    let sandbox = tracked(&fake);
    let workspace = sandbox.workspace(b"").await.unwrap();
    fake.entered.notified().await;
    let removing = tokio::spawn({
        let sandbox = Arc::clone(&sandbox);
        async move { sandbox.remove(workspace).await }
    });
    fake.entered.notified().await;
    let stopping = tokio::spawn({
        let sandbox = Arc::clone(&sandbox);
        async move { sandbox.stop(STOP_WITHIN).await }
    });
    sandbox.stopped().cancelled().await;
    gate.notify_one();
    assert!(stopping.await.unwrap().is_nothing());
    assert_eq!(fake.there(), 0, "it is gone when the stop says so");
    removing.await.unwrap().unwrap();
}
