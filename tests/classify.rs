//! `fix classify`: what a patch does, on any git repo.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use tempfile::TempDir;

use crate::support::{git, holdpoint, json, refused, repository, stdout};

/// A repo with a dependency, and a patch that upgrades it.
fn upgrade() -> (TempDir, PathBuf) {
    let folder = TempDir::with_prefix("holdpoint-test-").unwrap();
    let repo = folder.path().join("repo");
    std::fs::create_dir(&repo).unwrap();
    std::fs::write(repo.join("requirements.txt"), "flask==2.2.0\nrequests==2.31.0\n").unwrap();
    repository(&repo);
    let patch = folder.path().join("fix.patch");
    let text = "--- a/requirements.txt\n+++ b/requirements.txt\n@@ -1,2 +1,2 @@\n flask==2.2.0\n-requests==2.31.0\n+requests==2.33.1\n";
    std::fs::write(&patch, text).unwrap();
    (folder, patch)
}

fn classify(repo: &Path, more: &[&str], patch: &str) -> Output {
    let mut command = holdpoint();
    command.args(["fix", "classify", patch, "--repo"]).arg(repo).args(more);
    command.output().unwrap()
}

#[test]
fn a_patch_is_classified_against_a_commit_without_writing_to_the_repo() {
    let (folder, patch) = upgrade();
    let repo = folder.path().join("repo");
    let patch = patch.to_str().unwrap();
    let objects = git(&repo, &["count-objects", "-v"]);
    let found = json(&classify(&repo, &["--format", "json"], patch));
    assert_eq!(found["kind"], "dependency-upgrade");
    let upgrade = &found["upgrades"][0];
    assert_eq!(
        (
            upgrade["from"].as_str(),
            upgrade["to"].as_str(),
            upgrade["step"].as_str()
        ),
        (Some("2.31.0"), Some("2.33.1"), Some("minor"))
    );
    assert_eq!(git(&repo, &["count-objects", "-v"]), objects);
    let shown = stdout(&classify(&repo, &["--base", "main"], patch));
    assert!(shown.starts_with("dependency-upgrade (mechanical)"), "{shown}");
    assert!(shown.contains("requests (pypi): 2.31.0 → 2.33.1, minor"), "{shown}");
    assert!(shown.contains("restart"), "{shown}");
    let mut piped = holdpoint()
        .args(["fix", "classify", "-", "--format", "json", "--repo"])
        .arg(&repo)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    piped
        .stdin
        .take()
        .unwrap()
        .write_all(&std::fs::read(patch).unwrap())
        .unwrap();
    assert_eq!(json(&piped.wait_with_output().unwrap()), found);
}

#[test]
fn a_patch_that_can_not_be_classified_says_why() {
    let (folder, patch) = upgrade();
    let repo = folder.path().join("repo");
    let patch = patch.to_str().unwrap();
    refused(
        &classify(&repo, &["--base", "nowhere"], patch),
        &["`nowhere`", "--base"],
    );
    refused(&classify(Path::new("/"), &[], patch), &["no git repo", "--repo"]);
    std::fs::write(repo.join("requirements.txt"), "flask==2.2.0\nrequests==9.9.9\n").unwrap();
    git(&repo, &["commit", "--quiet", "--all", "--message=Move"]);
    refused(&classify(&repo, &[], patch), &["doesn't apply"]);
    json(&classify(&repo, &["--base", "HEAD~1", "--format", "json"], patch));
    let bad = folder.path().join("bad.patch");
    std::fs::write(&bad, "--- a/../x\n+++ b/../x\n@@ -1 +1 @@\n-a\n+b\n").unwrap();
    assert_eq!(classify(&repo, &[], bad.to_str().unwrap()).status.code(), Some(3));
    std::fs::write(&bad, [0xff, 0xfe, 0]).unwrap();
    assert_eq!(classify(&repo, &[], bad.to_str().unwrap()).status.code(), Some(3));
}
