//! `holdpoint init`: what it makes passes every check at once.

use crate::support::{git, holdpoint, refused, repository, stderr, stdout};
use std::path::Path;
use std::process::Output;
use tempfile::TempDir;

fn init(folder: &Path, more: &[&str]) -> Output {
    holdpoint().arg("init").arg(folder).args(more).output().unwrap()
}

fn in_estate(folder: &Path, arguments: &[&str]) -> Output {
    holdpoint()
        .current_dir(folder)
        .arg("--quiet")
        .args(arguments)
        .output()
        .unwrap()
}

/// The three next commands that it names, and the tests of its policies.
fn assert_ready(folder: &Path, exit: i32) {
    for arguments in [&["policy", "check"][..], &["policy", "test"], &["facts", "--missing"]] {
        let output = in_estate(folder, arguments);
        assert_eq!(
            output.status.code(),
            Some(0),
            "{arguments:?}: {}{}",
            stdout(&output),
            stderr(&output)
        );
    }
    let output = in_estate(folder, &["run", "--dry-run"]);
    assert_eq!(
        output.status.code(),
        Some(exit),
        "{}{}",
        stdout(&output),
        stderr(&output)
    );
}

#[test]
fn a_new_estate_is_ready_and_never_written_over() {
    let root = TempDir::with_prefix("holdpoint-init-").unwrap();
    let folder = root.path().join("our estate");
    let made = init(&folder, &[]);
    assert_eq!(made.status.code(), Some(0), "{}", stderr(&made));
    assert!(stdout(&made).contains("holdpoint --estate") && stdout(&made).contains("run --dry-run"));
    assert_ready(&folder, 0);

    std::fs::write(folder.join("rollout.yaml"), "default_stage: alert\n").unwrap();
    let again = init(&folder, &[]);
    assert!(stdout(&again).contains("kept   rollout.yaml"), "{}", stdout(&again));
    assert_eq!(
        std::fs::read_to_string(folder.join("rollout.yaml")).unwrap(),
        "default_stage: alert\n"
    );
}

#[test]
fn repos_that_are_given_are_governed_at_once_and_state_stays_out_of_git() {
    let root = TempDir::with_prefix("holdpoint-init-").unwrap();
    let repo = root.path().join("checkout");
    std::fs::create_dir(&repo).unwrap();
    std::fs::write(repo.join("app.py"), "print('hello')\n").unwrap();
    repository(&repo);
    let folder = root.path().join("estate");
    let made = init(&folder, &["--repo", repo.to_str().unwrap(), "--name", "Shop"]);
    assert_eq!(made.status.code(), Some(0), "{}", stderr(&made));
    let config = std::fs::read_to_string(folder.join("holdpoint.yaml")).unwrap();
    assert!(
        config.contains("name: \"checkout\"") && config.contains("name: \"Shop\""),
        "{config}"
    );
    assert_ready(&folder, 0);
    repository(&folder);
    assert!(!git(&folder, &["ls-files"]).contains("state/"));
}

#[test]
fn a_remote_that_is_none_is_refused() {
    let root = TempDir::with_prefix("holdpoint-init-").unwrap();
    refused(
        &init(&root.path().join("a"), &["--repo", "no/such/folder"]),
        &["no/such/folder"],
    );
    assert!(!root.path().join("a").exists(), "nothing was made");
}
