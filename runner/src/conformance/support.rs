//! What the cases share.

use holdpoint_schemas::evidence::{Side, StepEnd};
use std::collections::BTreeMap;
use std::time::Duration;
use tar::{Builder, EntryType, Header};

use crate::sandbox::{Limits, Sandbox, StepOutcome, StepSpec, WorkspaceId};

/// An error as a case's failure.
pub(super) fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// Fails with what was seen instead.
pub(super) fn ensure(holds: bool, seen: impl std::fmt::Debug) -> Result<(), String> {
    if holds { Ok(()) } else { Err(format!("{seen:?}")) }
}

/// Fails when the two differ.
pub(super) fn equal<T: PartialEq + std::fmt::Debug>(seen: T, expected: T) -> Result<(), String> {
    if seen == expected {
        Ok(())
    } else {
        Err(format!("{seen:?} where {expected:?} is due"))
    }
}

/// A file of a tree: path, mode, content.
pub(super) type TreeFile = (&'static str, u32, &'static [u8]);

/// An archive of these files, as old as archives get.
pub(super) fn tree(files: &[TreeFile]) -> Result<Vec<u8>, String> {
    let mut out = Builder::new(Vec::new());
    for (path, mode, content) in files {
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::Regular);
        header.set_mode(*mode);
        header.set_mtime(1);
        header.set_size(content.len() as u64);
        out.append_data(&mut header, path, *content).map_err(text)?;
    }
    out.into_inner().map_err(text)
}

/// A step that runs this command.
pub(super) fn step(command: &str) -> StepSpec {
    StepSpec {
        name: "conformance".to_owned(),
        side: Side::Candidate,
        command: command.to_owned(),
        env: BTreeMap::new(),
        proxy: None,
        mounts: Vec::new(),
        stdin: None,
        capture_bytes: 0,
        limits: Limits {
            cpu_millis: 1_000,
            memory_mib: 128,
            pids: 64,
            wall: Duration::from_secs(60),
            log_bytes: 1 << 20,
            tmp_mib: 16,
            disk_mib: 64,
        },
    }
}

/// Does something in a workspace of its own that holds one file, and removes that.
pub(super) async fn in_workspace<T>(
    sandbox: &dyn Sandbox,
    body: impl AsyncFnOnce(&WorkspaceId) -> Result<T, String>,
) -> Result<T, String> {
    in_tree(sandbox, &[("a.txt", 0o644, b"hello\n")], body).await
}

/// The same with these files.
pub(super) async fn in_tree<T>(
    sandbox: &dyn Sandbox,
    files: &[TreeFile],
    body: impl AsyncFnOnce(&WorkspaceId) -> Result<T, String>,
) -> Result<T, String> {
    let workspace = sandbox.workspace(&tree(files)?).await.map_err(text)?;
    let done = body(&workspace).await;
    sandbox.remove(workspace).await.map_err(text)?;
    done
}

/// Runs a step in a workspace of its own.
pub(super) async fn run(sandbox: &dyn Sandbox, step: &StepSpec) -> Result<StepOutcome, String> {
    in_workspace(sandbox, async |workspace| {
        Ok(sandbox.run(workspace, step, &|_| {}).await)
    })
    .await
}

/// What a command says that must end well.
pub(super) async fn said(sandbox: &dyn Sandbox, workspace: &WorkspaceId, command: &str) -> Result<String, String> {
    let outcome = sandbox.run(workspace, &step(command), &|_| {}).await;
    ensure(outcome.end == StepEnd::Exited { code: 0 }, &outcome)?;
    Ok(outcome.tail)
}
