//! What is left behind: nothing.

use super::support::{connect, eventually, groups_named, mounts_below, run_in, step, tree};
use holdpoint_runner::sandbox::Sandbox as _;
use holdpoint_runner::sandbox::control::Controls;
use holdpoint_runner::{LocalSandbox, LocalSettings, SandboxError};
use holdpoint_schemas::estate::SandboxConfig;
use std::path::Path;
use std::time::Duration;

/// Files and folders of a root besides the view of the sandbox itself.
fn slots(root: &Path) -> usize {
    std::fs::read_dir(root.join("slots")).unwrap().count()
}

#[tokio::test]
async fn nothing_is_left_after_a_step_however_it_ends() {
    let root = tempfile::tempdir().unwrap();
    let sandbox = connect(root.path(), Controls::default()).await;
    let before = (slots(root.path()), mounts_below(root.path()).len());
    let workspace = sandbox.workspace(&tree(&[])).await.unwrap();
    let with_one = mounts_below(root.path()).len();
    let mut late = step("sleep 60");
    late.limits.wall = Duration::from_secs(1);
    let mut bound = step("true");
    bound.mounts.push(holdpoint_runner::sandbox::ReadOnlyMount {
        host: "/etc".into(),
        inside: "/holdpoint/rules".to_owned(),
    });
    for spec in [step("true"), step("exit 1"), step("no-such-tool"), late, bound] {
        run_in(&sandbox, &workspace, &spec).await;
    }
    assert_eq!(mounts_below(root.path()).len(), with_one);
    assert_eq!(groups_named(workspace.as_str()), Vec::<String>::new());
    sandbox.remove(workspace).await.unwrap();
    assert_eq!((slots(root.path()), mounts_below(root.path()).len()), before);
    drop(sandbox);
    assert_eq!((slots(root.path()), mounts_below(root.path()).len()), (0, 0));
}

#[tokio::test]
async fn a_process_that_ends_without_dropping_it_closes_it() {
    let root = tempfile::tempdir().unwrap();
    let sandbox = connect(root.path(), Controls::default()).await;
    let workspace = sandbox.workspace(&tree(&[])).await.unwrap();
    sandbox.remove(workspace).await.unwrap();
    assert_ne!(slots(root.path()), 0);
    sandbox.close().await.unwrap();
    assert_eq!((slots(root.path()), mounts_below(root.path()).len()), (0, 0));
    sandbox.close().await.unwrap();
}

#[tokio::test]
async fn a_step_that_is_given_up_ends() {
    let root = tempfile::tempdir().unwrap();
    let sandbox = connect(root.path(), Controls::default()).await;
    let workspace = sandbox.workspace(&tree(&[])).await.unwrap();
    let spec = step("sleep 61.25");
    let given_up = tokio::time::timeout(Duration::from_secs(1), run_in(&sandbox, &workspace, &spec)).await;
    assert!(given_up.is_err());
    let prefix = workspace.as_str().to_owned();
    eventually("its group is gone", || groups_named(&format!("{prefix}.")).is_empty()).await;
    sandbox.remove(workspace).await.unwrap();
}

#[tokio::test]
async fn a_refused_tree_leaves_nothing() {
    let root = tempfile::tempdir().unwrap();
    let sandbox = connect(root.path(), Controls::default()).await;
    let before = slots(root.path());
    let refused = sandbox.workspace(b"not a tar archive").await;
    assert!(matches!(refused, Err(SandboxError::Tree(_))));
    let mut large = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(100 << 20);
    header.set_mode(0o644);
    let content = vec![0; 100 << 20];
    large.append_data(&mut header, "large", content.as_slice()).unwrap();
    let refused = sandbox
        .workspace(&large.into_inner().unwrap())
        .await
        .unwrap_err()
        .to_string();
    assert!(refused.contains("does not fit"), "{refused}");
    assert_eq!(slots(root.path()), before);
}

#[tokio::test]
async fn a_sweep_takes_what_killed_owners_left_and_nothing_of_live_ones() {
    let root = tempfile::tempdir().unwrap();
    let sandbox = connect(root.path(), Controls::default()).await;
    let mine = sandbox.workspace(&tree(&[("mine", "")])).await.unwrap();
    let theirs = sandbox.workspace(&tree(&[("theirs", "")])).await.unwrap();
    sandbox.sweep().await.unwrap();
    assert_eq!(run_in(&sandbox, &theirs, &step("ls")).await.tail, "theirs\n");

    // As a process of before the machine was started again would have left it.
    let record = root.path().join("slots").join(format!("{}.json", theirs.as_str()));
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let text = std::fs::read_to_string(&record).unwrap();
    std::fs::write(&record, text.replace(boot.trim(), "earlier")).unwrap();
    let swept = sandbox.sweep().await.unwrap();
    assert_eq!(swept.volumes, 1);
    assert!(!root.path().join("slots").join(theirs.as_str()).exists());
    assert!(
        mounts_below(root.path())
            .iter()
            .all(|point| !point.contains(theirs.as_str()))
    );
    assert_eq!(run_in(&sandbox, &mine, &step("ls")).await.tail, "mine\n");
    sandbox.remove(mine).await.unwrap();
    sandbox.remove(theirs).await.unwrap();
}

#[tokio::test]
async fn a_folder_that_steps_could_not_reach_is_refused_with_advice() {
    let private = tempfile::tempdir().unwrap();
    std::fs::set_permissions(private.path(), std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let settings = LocalSettings::new(SandboxConfig::default(), private.path().join("below"), "test");
    let error = LocalSandbox::connect(settings).await.unwrap_err().to_string();
    assert!(error.contains("choose a folder elsewhere"), "{error}");
}

#[tokio::test]
async fn folders_of_the_host_are_bound_read_only_so_that_no_removal_reaches_through() {
    let root = tempfile::tempdir().unwrap();
    let sandbox = connect(root.path(), Controls::default()).await;
    let table = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    let bound: Vec<_> = table
        .lines()
        .map(|line| line.split(' ').collect::<Vec<_>>())
        .filter(|fields| Path::new(fields[4]).starts_with(root.path()))
        .collect();
    assert!(!bound.is_empty());
    for fields in bound {
        assert!(fields[5].split(',').any(|option| option == "ro"), "{fields:?}");
    }
    drop(sandbox);
}
