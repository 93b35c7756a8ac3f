//! Snapshots: volumes that nobody writes to any more. A branch is a copy into a volume of its own, made
//! by its holder, which mounts the snapshot read-only: not every cluster's storage can clone.

use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use kube::api::{ListParams, Patch, PatchParams};
use serde_json::json;
use std::time::SystemTime;

use super::exec::{Answer, Program};
use super::profile::{LABEL, LABEL_RUN, LABEL_SNAPSHOT, LABEL_VALUE, NOTE_BYTES, VOLUME_DIR};
use super::workspace::Holder;
use super::{KubernetesSandbox, script};
use crate::error::SandboxError;
use crate::sandbox::snapshot::{SnapshotInfo, SnapshotKey, TreeChange};
use crate::sandbox::{WorkspaceId, tree};

/// Bytes that `du` may say.
const MAX_DU_BYTES: usize = 4 << 10;
/// Characters of a key that go into a label: 63 are allowed, and 60 hexadecimal digits are enough.
const KEY_CHARS: usize = 60;

impl KubernetesSandbox {
    /// The volume becomes nobody's, so that it stays when its workspace goes.
    pub(super) async fn seal_workspace(
        &self,
        workspace: &WorkspaceId,
        key: &SnapshotKey,
    ) -> Result<SnapshotInfo, SandboxError> {
        let holder = self.holder(workspace)?;
        let said = self
            .ask_holder(&holder, "measure a snapshot", script::size(VOLUME_DIR))
            .await?;
        let kib: u64 = said
            .split_whitespace()
            .next()
            .and_then(|word| word.parse().ok())
            .unwrap_or(0);
        let bytes = kib.saturating_mul(1024);
        let change = Patch::Merge(json!({"metadata": {
            "ownerReferences": null,
            "labels": {LABEL_RUN: null, LABEL_SNAPSHOT: short(key)},
            "annotations": {NOTE_BYTES: bytes.to_string(), NOTE_KEY: key.as_str()},
        }}));
        let claims = self.cluster.api::<PersistentVolumeClaim>();
        let params = PatchParams::default();
        self.cluster
            .ask("seal a snapshot", |_| {
                claims.patch(workspace.as_str(), &params, &change)
            })
            .await?;
        self.remove_workspace(workspace).await?;
        Ok(SnapshotInfo {
            key: key.clone(),
            bytes,
        })
    }

    pub(super) async fn all_snapshots(&self) -> Result<Vec<SnapshotInfo>, SandboxError> {
        let claims = self.claims(&format!("{LABEL}={LABEL_VALUE},{LABEL_SNAPSHOT}")).await?;
        Ok(claims.iter().filter_map(info).collect())
    }

    pub(super) async fn branch_of(&self, key: &SnapshotKey, change: &TreeChange) -> Result<WorkspaceId, SandboxError> {
        let claim = self.claim_of(key).await?;
        let claim = claim.ok_or_else(|| SandboxError::NoSnapshot(key.as_str().to_owned()))?;
        let written = if change.written.is_empty() {
            None
        } else {
            Some(tree::repack(&change.written, SystemTime::now())?)
        };
        for path in &change.removed {
            super::workspace::check_path(path)?;
        }
        self.make_branch((&claim, &short(key)), async |holder| {
            let what = "copy a snapshot";
            self.ask_holder(holder, what, script::copy(SNAPSHOT_DIR, VOLUME_DIR))
                .await?;
            // An argument list is bounded by the kernel, an input isn't.
            let removed: Vec<u8> = change
                .removed
                .iter()
                .flat_map(|path| [path.as_bytes(), b"\0"].concat())
                .collect();
            if !removed.is_empty() {
                self.feed_holder(holder, what, script::remove(removed.len(), VOLUME_DIR), &removed)
                    .await?;
            }
            match &written {
                Some(archive) => self.unpack(holder, archive, VOLUME_DIR).await,
                None => Ok(()),
            }
        })
        .await
    }

    pub(super) async fn forget_snapshot(&self, key: &SnapshotKey) -> Result<(), SandboxError> {
        if let Some(name) = self.claim_of(key).await? {
            // A branch that copies it just now is finished first: the cluster protects volumes in use.
            self.cluster
                .delete::<PersistentVolumeClaim>("delete a snapshot", &name)
                .await?;
        }
        Ok(())
    }

    async fn claim_of(&self, key: &SnapshotKey) -> Result<Option<String>, SandboxError> {
        let selector = format!("{LABEL}={LABEL_VALUE},{LABEL_SNAPSHOT}={}", short(key));
        let claims = self.claims(&selector).await?;
        let found = claims
            .into_iter()
            .find(|claim| info(claim).is_some_and(|info| info.key == *key));
        Ok(found.and_then(|claim| claim.metadata.name))
    }

    async fn claims(&self, selector: &str) -> Result<Vec<PersistentVolumeClaim>, SandboxError> {
        let api = self.cluster.api::<PersistentVolumeClaim>();
        let params = ListParams::default().labels(selector);
        Ok(self.cluster.ask("list snapshots", |_| api.list(&params)).await?.items)
    }

    async fn ask_holder(
        &self,
        holder: &Holder,
        what: &'static str,
        command: Vec<String>,
    ) -> Result<String, SandboxError> {
        self.feed_holder(holder, what, command, &[]).await
    }

    async fn feed_holder(
        &self,
        holder: &Holder,
        what: &'static str,
        command: Vec<String>,
        input: &[u8],
    ) -> Result<String, SandboxError> {
        let program = Program {
            what,
            pod: &holder.pod,
            command,
            input: (!input.is_empty()).then_some(input),
            max_output: MAX_DU_BYTES,
        };
        let Answer {
            code,
            output,
            complaint,
        } = self.cluster.exec(program).await?;
        if code == 0 {
            return Ok(String::from_utf8_lossy(&output).into_owned());
        }
        let reason = format!("it ended with {code}: {complaint}");
        Err(SandboxError::Engine { what, reason })
    }
}

/// The whole key: the label has only most of it.
const NOTE_KEY: &str = "holdpoint.dev/snapshot-key";
/// Where a branch's holder sees its snapshot.
pub(super) const SNAPSHOT_DIR: &str = "/snapshot";

fn short(key: &SnapshotKey) -> String {
    key.as_str().chars().take(KEY_CHARS).collect()
}

/// What a sealed volume says of itself; `None` for one that is being deleted.
fn info(claim: &PersistentVolumeClaim) -> Option<SnapshotInfo> {
    let notes = claim.metadata.annotations.as_ref()?;
    if claim.metadata.deletion_timestamp.is_some() {
        return None;
    }
    Some(SnapshotInfo {
        key: SnapshotKey::new(notes.get(NOTE_KEY)?.as_str()).ok()?,
        bytes: notes.get(NOTE_BYTES)?.parse().ok()?,
    })
}
