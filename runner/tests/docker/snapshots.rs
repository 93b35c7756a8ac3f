//! Baselines kept as snapshots, and what starts from them.

use super::support::{run_in, sandbox, step, tree};
use holdpoint_runner::sandbox::keeper::Keeper;
use holdpoint_runner::sandbox::snapshot::{SnapshotKey, TreeChange};
use holdpoint_runner::sandbox::{Sandbox, WorkspaceId, tree as trees};
use holdpoint_runner::{DockerSandbox, SandboxError, SandboxSettings};
use holdpoint_schemas::estate::SandboxConfig;
use holdpoint_schemas::evidence::StepEnd;
use std::sync::atomic::{AtomicU32, Ordering};

/// A key that no other test has, also not one of another process.
pub fn fresh_key() -> SnapshotKey {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    SnapshotKey::new(format!("{:012x}{count:012x}", std::process::id())).unwrap()
}

/// A snapshot of these files after a command.
async fn baseline(sandbox: &DockerSandbox, files: &[(&str, &str)], build: &str) -> SnapshotKey {
    let key = fresh_key();
    let workspace = sandbox.workspace(&tree(files)).await.unwrap();
    assert_eq!(said(sandbox, &workspace, build).await.1, StepEnd::Exited { code: 0 });
    sandbox.seal(workspace, &key).await.unwrap();
    key
}

async fn said(sandbox: &DockerSandbox, workspace: &WorkspaceId, command: &str) -> (String, StepEnd) {
    let outcome = run_in(sandbox, workspace, &step(command)).await;
    (outcome.tail, outcome.end)
}

/// What a command says in a candidate made by this change.
async fn candidate(sandbox: &DockerSandbox, key: &SnapshotKey, change: &TreeChange, command: &str) -> String {
    let workspace = sandbox.branch(key, change).await.unwrap();
    let (tail, end) = said(sandbox, &workspace, command).await;
    sandbox.remove(workspace).await.unwrap();
    assert_eq!(end, StepEnd::Exited { code: 0 }, "{tail}");
    tail
}

fn change(from: &[(&str, &str)], to: &[(&str, &str)]) -> TreeChange {
    trees::change(&tree(from), &tree(to)).unwrap()
}

#[tokio::test]
async fn a_candidate_sees_the_build_and_its_own_change_and_nobody_elses() {
    let sandbox = sandbox().await;
    let base = [("a", "1\n"), ("b", "1\n"), ("old/x", "1\n")];
    let key = baseline(&sandbox, &base, "mkdir out && cat a b > out/ab && echo 1 > old/made").await;
    let listed = sandbox.snapshots().await.unwrap();
    let info = listed.iter().find(|info| info.key == key).expect("it is listed");
    assert!(info.bytes > 0);

    let changed = change(&base, &[("a", "2\n"), ("b", "1\n"), ("new/y", "2\n")]);
    let one = sandbox.branch(&key, &changed).await.unwrap();
    let other = sandbox.branch(&key, &TreeChange::default()).await.unwrap();
    let look = "cat a b out/ab; ls; echo mine > out/ab; rm b; echo mine > shared";
    let (first, second) = tokio::join!(said(&sandbox, &one, look), said(&sandbox, &other, look));
    assert_eq!(first.0, "2\n1\n1\n1\na\nb\nnew\nout\n");
    assert_eq!(second.0, "1\n1\n1\n1\na\nb\nold\nout\n");
    sandbox.remove(one).await.unwrap();
    sandbox.remove(other).await.unwrap();

    let after = candidate(&sandbox, &key, &TreeChange::default(), "cat b out/ab; ls; ls old").await;
    assert_eq!(after, "1\n1\n1\na\nb\nold\nout\nmade\nx\n", "the snapshot was written");
    sandbox.drop_snapshot(&key).await.unwrap();
}

#[tokio::test]
async fn files_become_folders_links_and_nothing() {
    let sandbox = sandbox().await;
    let base = [("file", "1\n"), ("dir/one", "1\n"), ("dir/two", "1\n"), ("gone", "1\n")];
    let key = baseline(&sandbox, &base, "touch dir/untracked").await;
    let mut builder = tar::Builder::new(Vec::new());
    let mut link = tar::Header::new_gnu();
    link.set_entry_type(tar::EntryType::Symlink);
    link.set_size(0);
    builder.append_link(&mut link, "dir", "file").unwrap();
    let mut header = tar::Header::new_gnu();
    header.set_size(2);
    header.set_mode(0o755);
    builder.append_data(&mut header, "file/in", b"2\n".as_slice()).unwrap();
    let changed = trees::change(&tree(&base), &builder.into_inner().unwrap()).unwrap();
    let seen = candidate(
        &sandbox,
        &key,
        &changed,
        "find . | sort; readlink dir; cat file/in; test -x file/in",
    )
    .await;
    assert_eq!(seen, ".\n./dir\n./file\n./file/in\nfile\n2\n");
    sandbox.drop_snapshot(&key).await.unwrap();
}

#[tokio::test]
async fn changed_files_are_new_and_belong_to_the_step_and_the_rest_keeps_its_date() {
    let sandbox = sandbox().await;
    let base = [("same.c", "1\n"), ("changed.c", "1\n")];
    let key = baseline(&sandbox, &base, "sleep 1.1; touch built; stat -c %Y same.c > date").await;
    let changed = change(&base, &[("same.c", "1\n"), ("changed.c", "2\n")]);
    let look = "test changed.c -nt built && test built -nt same.c && test $(stat -c %Y same.c) = $(cat date) && \
                stat -c %u:%g changed.c && echo more >> changed.c && touch same.c";
    assert_eq!(candidate(&sandbox, &key, &changed, look).await, "10001:10001\n");
    sandbox.drop_snapshot(&key).await.unwrap();
}

#[tokio::test]
async fn what_the_build_did_to_tracked_files_reaches_no_candidate() {
    let sandbox = sandbox().await;
    let base = [
        ("lock", "1\n"),
        ("gone", "1\n"),
        ("src/a", "1\n"),
        ("src/b", "1\n"),
        ("kept", "1\n"),
    ];
    let build = "echo 2 > lock; rm gone; mv src ../moved; ln -s ../moved src; sleep 1.1; touch built";
    let key = baseline(&sandbox, &base, build).await;
    // A change below the planted link must land in the repo, and leave what the link leads to alone.
    let mut to = base;
    to[2].1 = "3\n";
    let look = "cat lock gone src/a src/b; test -d src && ! test -L src; cat ../moved/a; \
                test lock -nt built && test built -nt kept && echo dates";
    let seen = candidate(&sandbox, &key, &change(&base, &to), look).await;
    assert_eq!(seen, "1\n1\n3\n1\n1\ndates\n");
    sandbox.drop_snapshot(&key).await.unwrap();
}

#[tokio::test]
async fn a_snapshot_in_use_stays_and_one_that_is_not_goes() {
    let sandbox = sandbox().await;
    let key = baseline(&sandbox, &[("a", "1\n")], "true").await;
    let workspace = sandbox.branch(&key, &TreeChange::default()).await.unwrap();
    let refused = sandbox.drop_snapshot(&key).await.unwrap_err();
    assert!(matches!(refused, SandboxError::InUse(_)), "{refused}");
    assert_eq!(said(&sandbox, &workspace, "cat a").await.0, "1\n");
    sandbox.remove(workspace).await.unwrap();

    sandbox.drop_snapshot(&key).await.unwrap();
    sandbox.drop_snapshot(&key).await.unwrap();
    let missing = sandbox.branch(&key, &TreeChange::default()).await.unwrap_err();
    assert!(matches!(missing, SandboxError::NoSnapshot(_)), "{missing}");
    let left = std::process::Command::new("docker")
        .args(["volume", "ls", "--quiet", "--filter", &format!("name={key}")])
        .output()
        .unwrap();
    assert_eq!(left.stdout, b"");
}

#[tokio::test]
async fn of_two_that_seal_the_same_baseline_one_wins_and_both_may_use_it() {
    let (one, other) = tokio::join!(sandbox(), sandbox());
    let key = fresh_key();
    let seal = async |sandbox: &DockerSandbox, text: &str| {
        let workspace = sandbox.workspace(&tree(&[("a", text)])).await.unwrap();
        sandbox.seal(workspace, &key).await.unwrap();
    };
    tokio::join!(seal(&one, "1\n"), seal(&other, "2\n"));
    let same = TreeChange::default();
    let (first, second) = tokio::join!(
        candidate(&one, &key, &same, "cat a"),
        candidate(&other, &key, &same, "cat a")
    );
    assert_eq!(first, second);
    one.drop_snapshot(&key).await.unwrap();
}

#[tokio::test]
async fn a_change_that_leaves_the_repo_is_refused() {
    let sandbox = sandbox().await;
    let key = baseline(&sandbox, &[("a", "1\n")], "true").await;
    for removed in ["../report", "/etc/passwd", ""] {
        let bad = TreeChange {
            written: Vec::new(),
            removed: vec![removed.to_owned()],
        };
        let refused = sandbox.branch(&key, &bad).await.unwrap_err();
        assert!(matches!(refused, SandboxError::BadPath(_)), "{refused}");
    }
    sandbox.drop_snapshot(&key).await.unwrap();
}

/// A volume as a process of an earlier boot left it.
fn plant(name: &str, labels: &[&str]) {
    let mut command = std::process::Command::new("docker");
    command.args(["volume", "create"]);
    for label in labels {
        command.args(["--label", label]);
    }
    assert!(command.arg(name).output().unwrap().status.success());
}

fn is_there(volume: &str) -> bool {
    let inspect = std::process::Command::new("docker")
        .args(["volume", "inspect", volume])
        .output();
    inspect.unwrap().status.success()
}

#[tokio::test]
async fn a_half_made_snapshot_of_a_killed_run_is_never_used_and_is_swept() {
    let sandbox = sandbox().await;
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let (half, empty, old) = (fresh_key(), fresh_key(), fresh_key());
    let store = |key: &SnapshotKey| format!("planted-{key}-store");
    let owner = [
        "holdpoint=1",
        "holdpoint.pid=1",
        "holdpoint.pid-start=1",
        "holdpoint.boot=earlier",
        "holdpoint.pid-namespace=x",
    ];
    let marker = |key: &SnapshotKey, boot: &str| {
        let labels = [
            "holdpoint=1".to_owned(),
            format!("holdpoint.boot={boot}"),
            format!("holdpoint.snapshot={key}"),
            format!("holdpoint.snapshot-store={}", store(key)),
            "holdpoint.snapshot-bytes=1".to_owned(),
        ];
        plant(
            &format!("holdpoint-snapshot-{key}"),
            &labels.each_ref().map(String::as_str),
        );
    };
    // Killed before its marker; a marker whose store is gone; one of an earlier boot.
    plant(&store(&half), &owner);
    marker(&empty, boot.trim());
    plant(&store(&old), &owner);
    marker(&old, "earlier");
    let listed = sandbox.snapshots().await.unwrap();
    for key in [&half, &empty, &old] {
        assert!(listed.iter().all(|info| info.key != *key), "{key} is listed");
        let refused = sandbox.branch(key, &TreeChange::default()).await.unwrap_err();
        assert!(matches!(refused, SandboxError::NoSnapshot(_)), "{refused}");
    }
    sandbox.sweep().await.unwrap();
    for volume in [
        store(&half),
        store(&empty),
        store(&old),
        format!("holdpoint-snapshot-{old}"),
    ] {
        assert!(!is_there(&volume), "{volume} is left");
    }
    // What is left of one can be made anew.
    let workspace = sandbox.workspace(&tree(&[("a", "1\n")])).await.unwrap();
    sandbox.seal(workspace, &empty).await.unwrap();
    assert_eq!(
        candidate(&sandbox, &empty, &TreeChange::default(), "cat a").await,
        "1\n"
    );
    // Nor does a sweep take a whole one whose maker is gone.
    sandbox.sweep().await.unwrap();
    assert_eq!(
        candidate(&sandbox, &empty, &TreeChange::default(), "cat a").await,
        "1\n"
    );
    sandbox.drop_snapshot(&empty).await.unwrap();
}

#[tokio::test]
async fn a_baseline_goes_with_the_folder_that_it_is_kept_for_whoever_sweeps() {
    let root = tempfile::tempdir().unwrap();
    let state = |name: &str| root.path().join(name).join("baselines");
    let kept_for = async |name: &str| {
        let mut settings = SandboxSettings::new(SandboxConfig::default(), "test");
        settings.keeper = Some(Keeper::of(&state(name)).unwrap());
        DockerSandbox::connect(settings).await.unwrap()
    };
    let (deleted, lasting) = (kept_for("deleted").await, kept_for("lasting").await);
    let gone = baseline(&deleted, &[("a", "1\n")], "true").await;
    let used = baseline(&deleted, &[("a", "1\n")], "true").await;
    let kept = baseline(&lasting, &[("a", "1\n")], "true").await;
    let user = lasting.branch(&used, &TreeChange::default()).await.unwrap();
    let store = store_of(&gone);
    assert!(is_mounted(&store), "its disk is a mount of its own");
    std::fs::remove_dir_all(root.path().join("deleted")).unwrap();
    // Another state folder in its place asks for none of them.
    Keeper::of(&state("deleted")).unwrap();

    let keys = async || {
        let listed = lasting.snapshots().await.unwrap();
        [&gone, &used, &kept].map(|key| listed.iter().any(|info| info.key == *key))
    };
    assert_eq!(keys().await, [true; 3]);
    // One that makes no disks itself takes down those of others all the same.
    let mut settings = SandboxSettings::new(SandboxConfig::default(), "test");
    settings.may_mount = false;
    let sweeper = DockerSandbox::connect(settings).await.unwrap();
    sweeper.sweep().await.unwrap();
    assert_eq!(keys().await, [false, true, true], "what is in use stays");
    assert!(!is_mounted(&store) && !is_there(&store));
    lasting.remove(user).await.unwrap();
    lasting.sweep().await.unwrap();
    assert_eq!(keys().await, [false, false, true]);
    lasting.drop_snapshot(&kept).await.unwrap();
}

/// The volume with a snapshot's content.
fn store_of(key: &SnapshotKey) -> String {
    let format = "{{index .Labels \"holdpoint.snapshot-store\"}}";
    let output = std::process::Command::new("docker")
        .args(["volume", "inspect", "--format", format])
        .arg(format!("holdpoint-snapshot-{key}"))
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn is_mounted(volume: &str) -> bool {
    std::fs::read_to_string("/proc/self/mountinfo")
        .unwrap()
        .contains(&format!("/{volume}/"))
}
