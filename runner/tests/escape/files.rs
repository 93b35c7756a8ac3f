//! Attacks by what a step leaves in its workspace for the runner to read, and what a reader that follows it gets.

use super::backend::{Backend, Docker, Local};
use super::report::{self, Row, row};
use super::suite::{says, tree};
use holdpoint_runner::sandbox::Sandbox;
use holdpoint_runner::sandbox::control::Controls;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// What stops these: no control of an engine, but how the runner reads.
const READER: &str = "reads stay in the workspace";
/// Longer than any reader takes that doesn't wait for a writer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Name, Python that leaves the file in `$REPORT`, and the path that is then read. `$SECRET` is a file of the host.
const ATTACKS: [(&str, &str, &str); 5] = [
    ("report is a symbolic link", "os.symlink('$SECRET', '$REPORT/r')", "r"),
    (
        "report's folder is a symbolic link",
        "os.symlink(os.path.dirname('$SECRET'), '$REPORT/d')",
        "d/secret",
    ),
    (
        "link of links",
        "os.symlink('$REPORT/two', '$REPORT/one'); os.symlink('$SECRET', '$REPORT/two')",
        "one",
    ),
    (
        "link through a process's root",
        "os.symlink('/proc/self/root$SECRET', '$REPORT/r')",
        "r",
    ),
    (
        "link that climbs",
        "os.symlink('../' * 40 + '$SECRET'.lstrip('/'), '$REPORT/r')",
        "r",
    ),
];

pub async fn rows(backend: &dyn Backend) -> Vec<Row> {
    let sandbox = backend.with(Controls::default()).await;
    let host = tempfile::tempdir().unwrap();
    std::fs::set_permissions(host.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let secret = host.path().join("secret");
    std::fs::write(&secret, "secret").unwrap();
    let mut rows = Vec::new();
    for (name, program, path) in ATTACKS {
        let program = program.replace("$SECRET", secret.to_str().unwrap());
        let stopped = reads(sandbox.as_ref(), &program, path).await;
        rows.push(row(name, READER, stopped, reads_on_the_host(&program, path)));
    }
    let stopped = reads(sandbox.as_ref(), "os.mkfifo('$REPORT/r')", "r").await;
    rows.push(row(
        "report is a pipe without a writer",
        READER,
        stopped,
        waits_on_a_pipe(),
    ));
    rows
}

/// Leaves the file in a step and reads it: the secret may not come.
async fn reads(sandbox: &dyn Sandbox, program: &str, path: &str) -> Result<String, String> {
    let workspace = sandbox.workspace(&tree()).await.unwrap();
    let left = says(sandbox, &workspace, &program.replace("$REPORT", "/workspace/report"))
        .await
        .1;
    assert!(left.end.is_success() && left.tail.is_empty(), "{left:?}");
    let path = format!("report/{path}");
    let read = tokio::time::timeout(PATIENCE, sandbox.read_file(&workspace, &path, 1000)).await;
    sandbox.remove(workspace).await.unwrap();
    match read {
        Err(_) => Err("the reader waits for ever".to_owned()),
        Ok(Ok(Some(content))) => Err(format!("it was read: {}", String::from_utf8_lossy(&content))),
        Ok(Ok(None)) => Ok("no regular file".to_owned()),
        Ok(Err(error)) => Ok(error.to_string()),
    }
}

fn leave(folder: &Path, program: &str) {
    let program = format!("import os\n{}", program.replace("$REPORT", folder.to_str().unwrap()));
    let status = Command::new("/usr/bin/python3")
        .args(["-c", &program])
        .status()
        .unwrap();
    assert!(status.success());
}

/// What a reader gets that opens the path in the workspace's folder on the host.
fn reads_on_the_host(program: &str, path: &str) -> bool {
    let folder = tempfile::tempdir().unwrap();
    leave(folder.path(), program);
    std::fs::read_to_string(folder.path().join(path)).is_ok_and(|read| read == "secret")
}

/// Whether such a reader is still waiting after a while.
fn waits_on_a_pipe() -> bool {
    let folder = tempfile::tempdir().unwrap();
    leave(folder.path(), "os.mkfifo('$REPORT/r')");
    let mut reader = Command::new("cat").arg(folder.path().join("r")).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(500));
    let waits = reader.try_wait().unwrap().is_none();
    reader.kill().unwrap();
    reader.wait().unwrap();
    waits
}

#[tokio::test(flavor = "multi_thread")]
async fn docker_reads_only_what_lies_in_the_workspace() {
    let docker = Docker::new();
    report::check(docker.name(), &rows(&docker).await);
    assert!(docker.left_over().is_empty(), "{:?}", docker.left_over());
}

#[tokio::test(flavor = "multi_thread")]
async fn local_reads_only_what_lies_in_the_workspace() {
    let local = Local::new();
    report::check(local.name(), &rows(&local).await);
}
