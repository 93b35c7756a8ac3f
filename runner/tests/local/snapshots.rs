//! Snapshots and what starts from them.

use super::support::{Local, config, connect, local, mounts_below, output_in, tree, without};
use holdpoint_runner::sandbox::control::{Control, Controls};
use holdpoint_runner::sandbox::keeper::Keeper;
use holdpoint_runner::sandbox::snapshot::{SnapshotKey, TreeChange};
use holdpoint_runner::sandbox::tree::change;
use holdpoint_runner::sandbox::{Sandbox as _, WorkspaceId};
use holdpoint_runner::{LocalSandbox, LocalSettings, SandboxError};

fn key() -> SnapshotKey {
    SnapshotKey::new("0123456789abcdef").unwrap()
}

/// A base, built: its build writes a product, and changes and removes tracked files.
async fn baseline(local: &Local) -> Vec<u8> {
    let base = tree(&[
        ("a.txt", "a\n"),
        ("gone.txt", "g\n"),
        ("version", "0\n"),
        ("dir/deep.txt", "d\n"),
        ("eaten", "e\n"),
    ]);
    let workspace = local.sandbox.workspace(&base).await.unwrap();
    let build =
        "mkdir out && echo built > out/product && echo 1 > version && rm eaten && touch -d 2020-01-01 out/product";
    output_in(&local.sandbox, &workspace, build).await;
    let info = local.sandbox.seal(workspace, &key()).await.unwrap();
    assert!(info.bytes > 0);
    base
}

async fn branch(local: &Local, change: &TreeChange) -> WorkspaceId {
    local.sandbox.branch(&key(), change).await.unwrap()
}

async fn seen(local: &Local, workspace: &WorkspaceId) -> String {
    output_in(
        &local.sandbox,
        workspace,
        "find . -type f | sort | while read f; do echo $f $(cat $f); done",
    )
    .await
}

#[tokio::test]
async fn without_a_change_a_branch_is_what_the_build_left() {
    let local = local().await;
    baseline(&local).await;
    let workspace = branch(&local, &TreeChange::default()).await;
    let expected = "./a.txt a\n./dir/deep.txt d\n./gone.txt g\n./out/product built\n./version 1\n";
    assert_eq!(seen(&local, &workspace).await, expected);
    let year = output_in(&local.sandbox, &workspace, "date -r out/product +%Y").await;
    assert_eq!(year, "2020\n", "dates of the snapshot stay");
    local.sandbox.remove(workspace).await.unwrap();
}

#[tokio::test]
async fn a_change_is_applied_dated_now_and_tracked_files_are_as_committed() {
    let local = local().await;
    let base = baseline(&local).await;
    let candidate = tree(&[
        ("a.txt", "A\n"),
        ("version", "0\n"),
        ("dir", "now a file\n"),
        ("new/b.txt", "b\n"),
        ("eaten", "e\n"),
    ]);
    let workspace = branch(&local, &change(&base, &candidate).unwrap()).await;
    let expected = "./a.txt A\n./dir now a file\n./eaten e\n./new/b.txt b\n./out/product built\n./version 0\n";
    assert_eq!(seen(&local, &workspace).await, expected);
    let fresh = "for f in a.txt dir new/b.txt version eaten; do test $(( $(date +%s) - $(stat -c %Y $f) )) -lt 120 || exit 1; done; stat -c %u a.txt";
    assert_eq!(output_in(&local.sandbox, &workspace, fresh).await, "10001\n");
    local.sandbox.remove(workspace).await.unwrap();
}

#[tokio::test]
async fn branches_do_not_reach_the_snapshot_or_each_other() {
    let local = local().await;
    baseline(&local).await;
    let (one, two) = (
        branch(&local, &TreeChange::default()).await,
        branch(&local, &TreeChange::default()).await,
    );
    output_in(&local.sandbox, &one, "echo poison > out/product; rm -r dir; echo x > x").await;
    let expected = "./a.txt a\n./dir/deep.txt d\n./gone.txt g\n./out/product built\n./version 1\n";
    assert_eq!(seen(&local, &two).await, expected);
    local.sandbox.remove(one).await.unwrap();
    local.sandbox.remove(two).await.unwrap();
}

#[tokio::test]
async fn without_the_seal_a_branch_poisons_the_next() {
    let local = without(Some(Control::SealedSnapshot)).await;
    baseline(&local).await;
    let one = branch(&local, &TreeChange::default()).await;
    output_in(&local.sandbox, &one, "echo poison > out/product").await;
    local.sandbox.remove(one).await.unwrap();
    let two = branch(&local, &TreeChange::default()).await;
    assert!(seen(&local, &two).await.contains("poison"));
    local.sandbox.remove(two).await.unwrap();
}

#[tokio::test]
async fn snapshots_are_listed_until_they_are_dropped_and_not_dropped_in_use() {
    let local = local().await;
    assert!(local.sandbox.snapshots().await.unwrap().is_empty());
    baseline(&local).await;
    assert_eq!(local.sandbox.snapshots().await.unwrap()[0].key, key());
    let workspace = branch(&local, &TreeChange::default()).await;
    assert!(local.sandbox.drop_snapshot(&key()).await.is_err());
    local.sandbox.remove(workspace).await.unwrap();
    local.sandbox.drop_snapshot(&key()).await.unwrap();
    local.sandbox.drop_snapshot(&key()).await.unwrap();
    assert!(local.sandbox.snapshots().await.unwrap().is_empty());
    let none = local.sandbox.branch(&key(), &TreeChange::default()).await;
    assert!(matches!(none, Err(SandboxError::NoSnapshot(_))));
    assert!(mounts_below(&local.root.path().join("snapshots")).is_empty());
}

#[tokio::test]
async fn a_path_of_a_change_that_leaves_the_repo_is_refused() {
    let local = local().await;
    baseline(&local).await;
    for removed in ["../x", "/etc/passwd", "", "a/../../x"] {
        let change = TreeChange {
            written: Vec::new(),
            removed: vec![removed.to_owned()],
        };
        assert!(local.sandbox.branch(&key(), &change).await.is_err(), "{removed}");
    }
}

#[tokio::test]
async fn a_baseline_goes_with_the_folder_that_it_is_kept_for_whoever_sweeps() {
    let (root, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut settings = LocalSettings::new(config(), root.path(), "test");
    settings.keeper = Some(Keeper::of(&state.path().join("baselines")).unwrap());
    let deleted = LocalSandbox::connect(settings).await.unwrap();
    let lasting = connect(root.path(), Controls::default()).await;
    let other = SnapshotKey::new("fedcba9876543210").unwrap();
    for (sandbox, key) in [(&deleted, &key()), (&lasting, &other)] {
        let workspace = sandbox.workspace(&tree(&[("a", "1\n")])).await.unwrap();
        sandbox.seal(workspace, key).await.unwrap();
    }
    lasting.sweep().await.unwrap();
    assert_eq!(lasting.snapshots().await.unwrap().len(), 2);

    let user = lasting.branch(&key(), &TreeChange::default()).await.unwrap();
    state.close().unwrap();
    lasting.sweep().await.unwrap();
    assert_eq!(lasting.snapshots().await.unwrap().len(), 2, "what is in use stays");
    lasting.remove(user).await.unwrap();
    lasting.sweep().await.unwrap();
    let left = lasting.snapshots().await.unwrap();
    assert_eq!(left.iter().map(|info| &info.key).collect::<Vec<_>>(), [&other]);
    lasting.drop_snapshot(&other).await.unwrap();
    assert!(mounts_below(&root.path().join("snapshots")).is_empty());
}

#[tokio::test]
async fn a_snapshot_whose_disk_is_gone_is_none_and_can_be_made_anew() {
    let local = local().await;
    baseline(&local).await;
    let tree = local.root.path().join("snapshots").join(key().as_str()).join("tree");
    let unmounted = std::process::Command::new("umount").arg(tree.join("disk")).status();
    assert!(unmounted.unwrap().success());
    std::fs::remove_file(tree.join("disk.img")).unwrap();
    assert!(local.sandbox.snapshots().await.unwrap().is_empty());
    let none = local.sandbox.branch(&key(), &TreeChange::default()).await;
    assert!(matches!(none, Err(SandboxError::NoSnapshot(_))));
    baseline(&local).await;
    let workspace = branch(&local, &TreeChange::default()).await;
    assert!(seen(&local, &workspace).await.contains("./out/product built"));
    local.sandbox.remove(workspace).await.unwrap();
}
