//! Attacks on what one candidate shares with another, or leaves behind for a later step.

use super::backend::{Backend, Docker, Local};
use super::report::{self, Row, row};
use super::suite::{says, tree};
use holdpoint_runner::sandbox::Sandbox;
use holdpoint_runner::sandbox::control::{Control, Controls};
use holdpoint_runner::sandbox::snapshot::{SnapshotKey, TreeChange};
use std::process::Command;
use std::time::{Duration, Instant};

/// What a baseline's build leaves.
const BUILD: &str = "
for path, text in [('/workspace/repo/built', 'good'), ('/workspace/cache/entry', 'good'), ('/workspace/repo/kept', 'good')]:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'w') as file: file.write(text)";

/// What a candidate does, and what the next one finds when it worked.
const POISONS: [(&str, &str, &str); 4] = [
    (
        "write into the baseline's files",
        "
os.chmod('/workspace/repo/built', 0o600)
with open('/workspace/repo/built', 'r+') as file: file.write('evil')
with open('/workspace/repo/added', 'w') as file: file.write('evil')",
        "
if open('/workspace/repo/built').read() == 'evil' or os.path.exists('/workspace/repo/added'): worked()",
    ),
    (
        "baseline's files removed and renamed",
        "
os.remove('/workspace/repo/built')
os.rename('/workspace/repo/kept', '/workspace/repo/taken')",
        "
if set(os.listdir('/workspace/repo')) & {'built', 'kept'} != {'built', 'kept'}: worked()",
    ),
    (
        "poisoned cache",
        "
with open('/workspace/cache/entry', 'w') as file: file.write('evil')
os.symlink('/tmp/evil', '/workspace/cache/tool')",
        "
if open('/workspace/cache/entry').read() == 'evil' or os.path.islink('/workspace/cache/tool'): worked()",
    ),
    (
        "write by a mapping and by a hard link",
        "
import mmap
os.link('/workspace/repo/built', '/workspace/repo/second')
with open('/workspace/repo/second', 'r+b') as file:
    with mmap.mmap(file.fileno(), 4) as memory: memory[:4] = b'evil'",
        "
if open('/workspace/repo/built').read() == 'evil': worked()",
    ),
];

/// The same process that the sandbox must end, started by a plain shell: it outlives it.
const OUTLIVES: &str = "
for new_session in (True, False):
    if os.fork() == 0:
        if new_session: os.setsid()
        for number in (signal.SIGHUP, signal.SIGTERM): signal.signal(number, signal.SIG_IGN)
        if os.fork() == 0:
            os.close(0); os.close(1); os.close(2)
            time.sleep(2)
            open('/workspace/repo/late', 'w').close()
        os._exit(0)
";

pub async fn rows(backend: &dyn Backend) -> Vec<Row> {
    let sandbox = backend.with(Controls::default()).await;
    let mut rows = Vec::new();
    for (count, (name, poison, look)) in POISONS.into_iter().enumerate() {
        let sealed = poisoned_snapshot(sandbox.as_ref(), count, poison, look).await;
        let open = poisoned_workspace(sandbox.as_ref(), poison, look).await;
        rows.push(row(name, Control::SealedSnapshot.as_str(), sealed, open));
    }
    let stopped = outlives(sandbox.as_ref()).await;
    let name = "background process outlives its step";
    rows.push(row(name, Control::EndsWithStep.as_str(), stopped, outlives_a_shell()));
    rows
}

/// Two candidates from one snapshot: the first poisons, the second looks; so does a third, made before.
async fn poisoned_snapshot(sandbox: &dyn Sandbox, count: usize, poison: &str, look: &str) -> Result<String, String> {
    let base = sandbox.workspace(&tree()).await.unwrap();
    let built = says(sandbox, &base, BUILD).await.1;
    assert!(built.end.is_success(), "{built:?}");
    let key = SnapshotKey::new(format!("{:016x}{count:016x}", std::process::id())).unwrap();
    sandbox.seal(base, &key).await.map_err(|error| error.to_string())?;
    let change = TreeChange::default();
    let before = sandbox.branch(&key, &change).await.unwrap();
    let poisoner = sandbox.branch(&key, &change).await.unwrap();
    let first = says(sandbox, &poisoner, poison).await.1;
    let after = sandbox.branch(&key, &change).await.unwrap();
    let mut found = false;
    for candidate in [&before, &after] {
        let (said, outcome) = says(sandbox, candidate, look).await;
        assert!(
            outcome.end.is_success() && !outcome.tail.contains("refused"),
            "{outcome:?}"
        );
        found |= said;
    }
    for workspace in [before, poisoner, after] {
        sandbox.remove(workspace).await.unwrap();
    }
    sandbox.drop_snapshot(&key).await.unwrap();
    if found {
        Err("another candidate found it".to_owned())
    } else {
        Ok(format!("{:?}", first.end))
    }
}

/// The same two candidates where the baseline's workspace is what both use.
async fn poisoned_workspace(sandbox: &dyn Sandbox, poison: &str, look: &str) -> bool {
    let base = sandbox.workspace(&tree()).await.unwrap();
    let mut found = false;
    for program in [BUILD, poison, look] {
        found = says(sandbox, &base, program).await.0;
    }
    sandbox.remove(base).await.unwrap();
    found
}

/// A step that leaves processes behind, and a later one that waits for what they would do.
async fn outlives(sandbox: &dyn Sandbox) -> Result<String, String> {
    let workspace = sandbox.workspace(&tree()).await.unwrap();
    let began = Instant::now();
    let left = says(sandbox, &workspace, OUTLIVES).await.1;
    let look = "
time.sleep(4)
if os.path.exists('/workspace/repo/late'): worked()";
    let (late, outcome) = says(sandbox, &workspace, look).await;
    sandbox.remove(workspace).await.unwrap();
    if late || !left.end.is_success() || !outcome.end.is_success() || began.elapsed() < Duration::from_secs(4) {
        return Err(format!("{left:?}, then {outcome:?}"));
    }
    Ok(format!("{:?}", left.end))
}

fn outlives_a_shell() -> bool {
    let folder = tempfile::tempdir().unwrap();
    let late = folder.path().join("late");
    let program = OUTLIVES.replace("/workspace/repo/late", late.to_str().unwrap());
    let status = Command::new("/usr/bin/python3")
        .args(["-c", &format!("{}{program}", super::attack::PRELUDE)])
        .status()
        .unwrap();
    assert!(status.success() && !late.exists());
    let deadline = Instant::now() + Duration::from_secs(20);
    while !late.exists() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(50));
    }
    late.exists()
}

#[tokio::test(flavor = "multi_thread")]
async fn docker_keeps_candidates_and_steps_apart() {
    let docker = Docker::new();
    report::check(docker.name(), &rows(&docker).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn local_keeps_candidates_and_steps_apart() {
    let local = Local::new();
    report::check(local.name(), &rows(&local).await);
}
