//! A sandbox in memory whose steps end as a test says.

use async_trait::async_trait;
use holdpoint_schemas::evidence::{Isolation, Side, StepEnd};
use holdpoint_schemas::finding::Finding;
use std::collections::BTreeMap;
use std::sync::Mutex;

use crate::error::SandboxError;
use crate::plan::ReportReader;
use crate::sandbox::control::{Controls, IsolationReport};
use crate::sandbox::snapshot::{SnapshotInfo, SnapshotKey, TreeChange};
use crate::sandbox::{OnLine, Sandbox, StepOutcome, StepSpec, Swept, WorkspaceId};

pub(crate) const GREEN: StepEnd = StepEnd::Exited { code: 0 };
pub(crate) const RED: StepEnd = StepEnd::Exited { code: 1 };

/// Files of a workspace, by path.
pub(crate) type Files = BTreeMap<String, String>;
type Script = dyn Fn(&Call<'_>) -> (StepEnd, String) + Send + Sync;

/// A step that is about to run.
pub(crate) struct Call<'a> {
    pub(crate) side: Side,
    /// Name of the step.
    pub(crate) step: &'a str,
    pub(crate) command: &'a str,
    /// Steps of this name in this workspace so far, this one included.
    pub(crate) in_place: u32,
    /// The workspace's tree.
    pub(crate) files: &'a Files,
}

#[derive(Default)]
struct State {
    next: u32,
    workspaces: BTreeMap<String, (Files, BTreeMap<String, u32>)>,
    sealed: BTreeMap<SnapshotKey, Files>,
    reports: BTreeMap<String, Vec<u8>>,
    failing_requests: u32,
    /// Whether the engine is away for them, instead of saying no.
    away: bool,
}

pub(crate) struct Fake {
    snapshots: bool,
    script: Box<Script>,
    state: Mutex<State>,
}

impl Fake {
    pub(crate) fn new(script: impl Fn(&Call<'_>) -> (StepEnd, String) + Send + Sync + 'static) -> Self {
        Self {
            snapshots: true,
            script: Box::new(script),
            state: Mutex::default(),
        }
    }

    pub(crate) fn without_snapshots(mut self) -> Self {
        self.snapshots = false;
        self
    }

    /// The next requests for a workspace fail.
    pub(crate) fn failing(self, requests: u32) -> Self {
        self.state.lock().unwrap().failing_requests = requests;
        self
    }

    /// The same, because the engine is away.
    pub(crate) fn away(self, requests: u32) -> Self {
        self.state.lock().unwrap().away = true;
        self.failing(requests)
    }

    /// A file that is in every workspace, by its path there.
    pub(crate) fn with_file(self, path: &str, bytes: &[u8]) -> Self {
        self.state
            .lock()
            .unwrap()
            .reports
            .insert(path.to_owned(), bytes.to_vec());
        self
    }

    /// Workspaces that nobody removed.
    pub(crate) fn left_over(&self) -> usize {
        self.state.lock().unwrap().workspaces.len()
    }

    fn open(&self, files: Files) -> Result<WorkspaceId, SandboxError> {
        let mut state = self.state.lock().unwrap();
        if state.failing_requests > 0 {
            state.failing_requests -= 1;
            let (what, reason) = ("create a volume", "gone".to_owned());
            return Err(if state.away {
                SandboxError::EngineLost { what, reason }
            } else {
                SandboxError::Engine { what, reason }
            });
        }
        state.next += 1;
        let id = format!("w{}", state.next);
        state.workspaces.insert(id.clone(), (files, BTreeMap::new()));
        Ok(WorkspaceId(id))
    }
}

fn read(tar: &[u8]) -> Files {
    let mut files = Files::new();
    for entry in tar::Archive::new(tar).entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().display().to_string();
        let mut text = String::new();
        std::io::Read::read_to_string(&mut entry, &mut text).unwrap();
        files.insert(path, text);
    }
    files
}

/// What the archive of a revert does to a workspace.
fn take_back(files: &mut Files, undo: &Files) {
    let removed: Vec<_> = undo["removed"]
        .split('\0')
        .map(|path| path.trim_start_matches("./"))
        .collect();
    files.retain(|path, _| !removed.contains(&path.as_str()));
    let back = undo
        .iter()
        .filter_map(|(path, text)| Some((path.strip_prefix("tree/")?, text)));
    files.extend(back.map(|(path, text)| (path.to_owned(), text.clone())));
}

/// An uncompressed archive of these files.
pub(crate) fn tree(files: &[(&str, &str)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, path, text.as_bytes()).unwrap();
    }
    builder.into_inner().unwrap()
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

    async fn workspace(&self, tar: &[u8]) -> Result<WorkspaceId, SandboxError> {
        self.open(read(tar))
    }

    async fn seal(&self, workspace: WorkspaceId, key: &SnapshotKey) -> Result<SnapshotInfo, SandboxError> {
        let mut state = self.state.lock().unwrap();
        let (files, _) = state.workspaces.remove(workspace.as_str()).unwrap();
        if !self.snapshots {
            return Err(SandboxError::NoSnapshots);
        }
        state.sealed.insert(key.clone(), files);
        Ok(SnapshotInfo {
            key: key.clone(),
            bytes: 0,
        })
    }

    async fn branch(&self, key: &SnapshotKey, change: &TreeChange) -> Result<WorkspaceId, SandboxError> {
        let mut files = self.state.lock().unwrap().sealed[key].clone();
        files.extend(read(&change.written));
        files.retain(|path, _| !change.removed.contains(path));
        self.open(files)
    }

    async fn run(&self, workspace: &WorkspaceId, step: &StepSpec, on_line: OnLine<'_>) -> StepOutcome {
        let (files, in_place) = {
            let mut state = self.state.lock().unwrap();
            let (files, counts) = state.workspaces.get_mut(workspace.as_str()).unwrap();
            if let Some(archive) = step.stdin.as_ref().filter(|_| step.name == "revert") {
                take_back(files, &read(archive));
            }
            let count = counts.entry(step.name.clone()).or_default();
            *count += 1;
            (files.clone(), *count)
        };
        let (end, output) = (self.script)(&Call {
            side: step.side,
            step: &step.name,
            command: &step.command,
            in_place,
            files: &files,
        });
        let captured = step.capture_bytes > 0;
        if !captured {
            output.lines().for_each(on_line);
        }
        StepOutcome {
            end,
            millis: 100,
            tail: if captured { String::new() } else { output.clone() },
            captured: if captured { output.into_bytes() } else { Vec::new() },
            capture_cut: false,
        }
    }

    async fn read_file(&self, id: &WorkspaceId, path: &str, _: usize) -> Result<Option<Vec<u8>>, SandboxError> {
        let state = self.state.lock().unwrap();
        let file = || {
            let (files, _) = state.workspaces.get(id.as_str())?;
            Some(files.get(path.strip_prefix("repo/")?)?.clone().into_bytes())
        };
        Ok(state.reports.get(path).cloned().or_else(file))
    }

    async fn remove(&self, workspace: WorkspaceId) -> Result<(), SandboxError> {
        self.state.lock().unwrap().workspaces.remove(workspace.as_str());
        Ok(())
    }

    async fn sweep(&self) -> Result<Swept, SandboxError> {
        Ok(Swept::default())
    }
}

/// No reports are read.
pub(crate) struct NoReports;

impl ReportReader for NoReports {
    fn read(&self, _: &str, _: Side, _: &[u8]) -> Result<Vec<Finding>, String> {
        Ok(Vec::new())
    }
}
