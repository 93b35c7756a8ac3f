//! A workspace: a volume, and a pod that keeps it at hand for what goes in and out.

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Event, PersistentVolumeClaim};
use kube::api::ListParams;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, PoisonError};
use std::time::SystemTime;
use tokio::sync::Mutex;

use super::api::ApiError;
use super::classify::{Stage, stage};
use super::exec::{Answer, Program};
use super::profile::{Input, Owned, VOLUME_DIR};
use super::watch::{PodWatch, Seen};
use super::{KubernetesSandbox, script};
use crate::error::SandboxError;
use crate::sandbox::{StepSpec, WorkspaceId, tree};
use crate::text::one_line;

/// Bytes of what a step sees of this machine: packages for a repo without a network, rules, the agent.
const MAX_MOUNT_BYTES: usize = 1 << 30;
/// Digits and a line break before a file's bytes.
const SIZE_LINE_BYTES: usize = 32;

/// The pod that holds a workspace's volume.
#[derive(Debug, Clone)]
pub(super) struct Holder {
    /// Name of its Job, and of the volume's claim.
    name: String,
    uid: String,
    pub(super) pod: String,
    /// What of this machine is on the volume already, and where.
    mounts: Arc<Mutex<BTreeMap<PathBuf, String>>>,
}

impl Holder {
    /// As the owner of what belongs to the workspace.
    pub(super) fn as_owner(&self) -> Owned<'_> {
        job_owner(&self.name, &self.uid)
    }
}

fn job_owner<'a>(name: &'a str, uid: &'a str) -> Owned<'a> {
    Owned {
        kind: "Job",
        version: "batch/v1",
        name,
        uid,
    }
}

impl KubernetesSandbox {
    pub(super) async fn make_workspace(&self, tar: &[u8]) -> Result<WorkspaceId, SandboxError> {
        let archive = tree::repack(tar, SystemTime::now())?;
        self.make(None, async |holder| self.unpack(holder, &archive, VOLUME_DIR).await)
            .await
    }

    /// A workspace that starts from a snapshot, given by its claim and its label.
    pub(super) async fn make_branch(
        &self,
        snapshot: (&str, &str),
        fill: impl AsyncFnOnce(&Holder) -> Result<(), SandboxError>,
    ) -> Result<WorkspaceId, SandboxError> {
        self.make(Some(snapshot), fill).await
    }

    async fn make(
        &self,
        snapshot: Option<(&str, &str)>,
        fill: impl AsyncFnOnce(&Holder) -> Result<(), SandboxError>,
    ) -> Result<WorkspaceId, SandboxError> {
        let name = self.fresh_name("w");
        let mut guard = Unfinished {
            sandbox: self,
            name: Some(&name),
        };
        let holder = self.make_holder(&name, snapshot).await?;
        fill(&holder).await?;
        guard.name = None;
        drop(guard);
        let mut holders = self.holders.lock().unwrap_or_else(PoisonError::into_inner);
        holders.insert(name.clone(), holder);
        Ok(WorkspaceId(name))
    }

    /// The Job first: it owns the volume, so that the volume goes with it.
    async fn make_holder(&self, name: &str, snapshot: Option<(&str, &str)>) -> Result<Holder, SandboxError> {
        let owner = self.lease.as_owner();
        let job = match snapshot {
            None => self.profile.holder(name, &owner),
            Some(snapshot) => self.profile.branch_holder(name, &owner, snapshot),
        };
        let job = self.cluster.create::<Job>("create a job", name, &job).await?;
        let uid = job.metadata.uid.unwrap_or_default();
        let claim = self.profile.claim(name, &job_owner(name, &uid));
        self.cluster
            .create::<PersistentVolumeClaim>("create a volume claim", name, &claim)
            .await?;
        let pod = self.started(name).await?;
        Ok(Holder {
            name: name.to_owned(),
            uid,
            pod,
            mounts: Arc::default(),
        })
    }

    /// Waits until the holder runs. The name of its pod.
    async fn started(&self, name: &str) -> Result<String, SandboxError> {
        let failed = |reason: String| SandboxError::Engine {
            what: "start a workspace's pod",
            reason,
        };
        let patience = &self.cluster.patience;
        let mut pods = PodWatch::of(&self.cluster, name);
        let deadline = tokio::time::sleep(patience.queue);
        tokio::pin!(deadline);
        let mut trouble = None;
        loop {
            let seen = tokio::select! {
                seen = pods.next() => seen,
                () = &mut deadline => {
                    let why = match trouble {
                        Some(why) => why,
                        None => self.why_no_pod(name).await,
                    };
                    return Err(failed(format!("it does not start: {why}")));
                }
            };
            let pod = match seen {
                Seen::Nothing => continue,
                Seen::Pod(pod) => pod,
                Seen::Deleted(_) => return Err(failed("it was deleted by somebody else".to_owned())),
                Seen::Lost(reason) => return Err(failed(reason)),
            };
            match stage(&pod, patience.queue) {
                Stage::Running => return Ok(pod.metadata.name.clone().unwrap_or_default()),
                Stage::Ended(end) => return Err(failed(format!("it ended: {end:?}"))),
                Stage::Stuck { why } => {
                    if trouble.replace(why).is_none() {
                        deadline.as_mut().reset(tokio::time::Instant::now() + patience.pull);
                    }
                }
                Stage::Waiting { why: Some(why) } if trouble.is_none() => {
                    tracing::debug!("the cluster has no room yet: {why}");
                }
                Stage::Waiting { .. } => {}
            }
        }
    }

    /// What the cluster says of a Job that has no pod: a quota, an admission rule.
    pub(super) async fn why_no_pod(&self, job: &str) -> String {
        let params = ListParams::default().fields(&format!("involvedObject.name={job},type=Warning"));
        let api = self.cluster.api::<Event>();
        let listed = tokio::time::timeout(self.cluster.patience.request, api.list(&params)).await;
        let message = match listed {
            Ok(Ok(events)) => events.items.into_iter().filter_map(|event| event.message).next_back(),
            _ => None,
        };
        message.map_or_else(|| "it doesn't say why".to_owned(), |message| one_line(&message))
    }

    pub(super) fn holder(&self, workspace: &WorkspaceId) -> Result<Holder, SandboxError> {
        let holders = self.holders.lock().unwrap_or_else(PoisonError::into_inner);
        holders
            .get(workspace.as_str())
            .cloned()
            .ok_or_else(|| SandboxError::NoWorkspace(workspace.as_str().to_owned()))
    }

    /// Puts on the volume what a step sees besides the workspace: files of this machine, its input, and
    /// an empty file where its captured output goes.
    pub(super) async fn inputs(&self, holder: &Holder, step: &StepSpec, job: &str) -> Result<Vec<Input>, SandboxError> {
        let mut inputs = Vec::new();
        for mount in &step.mounts {
            inputs.push(Input {
                part: self.mounted(holder, &mount.host).await?,
                inside: mount.inside.clone(),
                writable: false,
            });
        }
        let mut files: Vec<(String, &[u8])> = Vec::new();
        if let Some(bytes) = &step.stdin {
            let part = format!("stdin/{job}");
            files.push((part.clone(), bytes));
            inputs.push(Input {
                part,
                inside: script::STDIN.to_owned(),
                writable: false,
            });
        }
        if step.capture_bytes > 0 {
            let part = format!("stdout/{job}");
            files.push((part.clone(), &[]));
            inputs.push(Input {
                part,
                inside: script::STDOUT.to_owned(),
                writable: true,
            });
        }
        if !files.is_empty() {
            let archive = archive_of(&files).map_err(|error| unreadable(&error))?;
            self.unpack(holder, &archive, VOLUME_DIR).await?;
        }
        Ok(inputs)
    }

    /// The part of the volume that has a file or folder of this machine. Put there once per workspace.
    async fn mounted(&self, holder: &Holder, host: &Path) -> Result<String, SandboxError> {
        let mut mounts = holder.mounts.lock().await;
        if let Some(part) = mounts.get(host) {
            return Ok(part.clone());
        }
        let folder = format!("inputs/{}", mounts.len());
        let path = host.to_owned();
        let archive = tokio::task::spawn_blocking(move || archive_of_host(&path))
            .await
            .unwrap_or_else(|_| Err(io::Error::other("the reader ended")))
            .map_err(|error| unreadable(&error))?;
        self.unpack(holder, &archive, &format!("{VOLUME_DIR}/{folder}")).await?;
        let part = format!("{folder}/{MOUNTED}");
        mounts.insert(host.to_owned(), part.clone());
        Ok(part)
    }

    pub(super) async fn unpack(&self, holder: &Holder, archive: &[u8], folder: &str) -> Result<(), SandboxError> {
        let what = "unpack the source tree";
        let answer = self
            .cluster
            .exec(Program {
                what,
                pod: &holder.pod,
                command: script::unpack(archive.len(), folder),
                input: Some(archive),
                max_output: 0,
            })
            .await?;
        match answer.code {
            0 => Ok(()),
            code => Err(SandboxError::Engine {
                what,
                reason: format!("tar ended with {code}: {}", answer.complaint),
            }),
        }
    }

    pub(super) async fn read_workspace_file(
        &self,
        workspace: &WorkspaceId,
        path: &str,
        max_bytes: usize,
    ) -> Result<Option<Vec<u8>>, SandboxError> {
        check_path(path)?;
        let holder = self.holder(workspace)?;
        let part = Path::new(script::WORKSPACE_PART).join(path);
        match self.head_of(&holder, &part, max_bytes).await? {
            None => Ok(None),
            Some((size, _)) if size > max_bytes as u64 => Err(SandboxError::FileTooLarge {
                path: one_line(path),
                max_bytes,
            }),
            Some((size, bytes)) if size == bytes.len() as u64 => Ok(Some(bytes)),
            Some(_) => Err(changed()),
        }
    }

    /// A file's size and first bytes. `None`: it isn't there, or is no regular file.
    pub(super) async fn head_of(
        &self,
        holder: &Holder,
        part: &Path,
        max_bytes: usize,
    ) -> Result<Option<(u64, Vec<u8>)>, SandboxError> {
        let path = format!("{VOLUME_DIR}/{}", part.display());
        let program = Program {
            what: READ,
            pod: &holder.pod,
            command: script::read(&path, max_bytes),
            input: None,
            max_output: max_bytes.saturating_add(SIZE_LINE_BYTES),
        };
        let answer = self.cluster.exec(program).await?;
        if answer.code == script::NO_FILE {
            return Ok(None);
        }
        parse_head(&answer).map(Some)
    }

    pub(super) async fn remove_workspace(&self, workspace: &WorkspaceId) -> Result<(), SandboxError> {
        self.cluster
            .delete::<Job>("delete a job", workspace.as_str())
            .await
            .map_err(ApiError::into)
            .map(|_| {
                let mut holders = self.holders.lock().unwrap_or_else(PoisonError::into_inner);
                holders.remove(workspace.as_str());
            })
    }
}

/// Refuses a path that leaves the folder that it is relative to.
pub(super) fn check_path(path: &str) -> Result<(), SandboxError> {
    let inside = Path::new(path)
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    if path.is_empty() || path.contains('\0') || !inside {
        return Err(SandboxError::BadPath(one_line(path)));
    }
    Ok(())
}

const READ: &str = "read a file of the workspace";
/// What a file or folder of this machine is called on the volume.
const MOUNTED: &str = "it";

fn parse_head(answer: &Answer) -> Result<(u64, Vec<u8>), SandboxError> {
    if answer.code != 0 {
        return Err(SandboxError::Engine {
            what: READ,
            reason: format!("it ended with {}: {}", answer.code, answer.complaint),
        });
    }
    let end = answer
        .output
        .iter()
        .position(|byte| *byte == b'\n')
        .ok_or_else(changed)?;
    let (size, bytes) = answer.output.split_at(end);
    let size = str::from_utf8(size).ok().and_then(|text| text.trim().parse().ok());
    let bytes = bytes.strip_prefix(b"\n").unwrap_or(bytes);
    Ok((size.ok_or_else(changed)?, bytes.to_vec()))
}

fn changed() -> SandboxError {
    SandboxError::Engine {
        what: READ,
        reason: "it changed while it was read".to_owned(),
    }
}

fn unreadable(error: &io::Error) -> SandboxError {
    SandboxError::Engine {
        what: "send what the step sees of this machine",
        reason: one_line(&error.to_string()),
    }
}

fn archive_of(files: &[(String, &[u8])]) -> io::Result<Vec<u8>> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o600);
        header.set_size(bytes.len() as u64);
        builder.append_data(&mut header, path, *bytes)?;
    }
    builder.into_inner()
}

fn archive_of_host(path: &Path) -> io::Result<Vec<u8>> {
    let mut builder = tar::Builder::new(Bounded(Vec::new()));
    builder.follow_symlinks(false);
    if std::fs::metadata(path)?.is_dir() {
        builder.append_dir_all(MOUNTED, path)?;
    } else {
        builder.follow_symlinks(true);
        builder.append_path_with_name(path, MOUNTED)?;
    }
    Ok(builder.into_inner()?.0)
}

/// Takes no more than a mount may have.
struct Bounded(Vec<u8>);

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len().saturating_add(bytes.len()) > MAX_MOUNT_BYTES {
            return Err(io::Error::other(format!("it has more than {MAX_MOUNT_BYTES} bytes")));
        }
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Deletes what there is of a workspace that didn't come to be, also when its future is dropped.
struct Unfinished<'a> {
    sandbox: &'a KubernetesSandbox,
    name: Option<&'a str>,
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if let (Some(name), Ok(runtime)) = (self.name, tokio::runtime::Handle::try_current()) {
            let (cluster, name) = (self.sandbox.cluster.clone(), name.to_owned());
            runtime.spawn(async move {
                if let Err(error) = cluster.delete::<Job>("delete a job", &name).await {
                    let error = SandboxError::from(error);
                    tracing::warn!("a workspace was left behind for the next sweep: {error}");
                }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(code: i32, output: &[u8]) -> Answer {
        Answer {
            code,
            output: output.to_vec(),
            complaint: "no".to_owned(),
        }
    }

    #[test]
    fn a_file_comes_behind_its_size() {
        assert_eq!(parse_head(&answer(0, b"  3\na\nb")).unwrap(), (3, b"a\nb".to_vec()));
        for bad in [answer(0, b"3"), answer(0, b"x\n"), answer(1, b"3\nabc")] {
            assert!(parse_head(&bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_file_and_a_folder_of_this_machine_become_archives_with_their_modes() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("agent");
        std::fs::write(&file, "x").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
        for (path, name) in [(file.as_path(), "it"), (dir.path(), "it/agent")] {
            let archive = archive_of_host(path).unwrap();
            let mut archive = tar::Archive::new(archive.as_slice());
            let mut entries = archive.entries().unwrap().map(Result::unwrap);
            let found = entries
                .find(|entry| entry.path().unwrap().to_str() == Some(name))
                .unwrap();
            assert_eq!(found.header().mode().unwrap() & 0o777, 0o755);
        }
        assert!(archive_of_host(&dir.path().join("absent")).is_err());
    }
}
