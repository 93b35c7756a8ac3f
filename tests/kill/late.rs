//! A push that outlives the run that began it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::flock::Flock;

/// The first push waits until there is another one; that one waits until the first has moved the branch.
const HOOK: &str = r#"#!/bin/sh
at() { git rev-parse refs/heads/main; }
wait_for() { n=0; until "$@" || [ $n -ge 600 ]; do sleep 0.05; n=$((n+1)); done; }
there() { [ -e "$0.second" ]; }
moved() { [ "$(at)" != "$base" ]; }
base=$(at)
while read -r _ _ name; do
  case $name in refs/heads/main)
    if mkdir "$0.first" 2>/dev/null; then wait_for there; else : >"$0.second"; wait_for moved; fi;;
  esac
done
"#;

#[test]
fn a_push_that_lands_after_the_next_run_looked_is_on_record_in_the_end() {
    let flock = Flock::new(1, 3, "");
    let hook = flock.remote("repo0").join("hooks/pre-receive");
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    fs::write(&hook, HOOK).unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();

    let mut killed = flock.command();
    let mut killed = killed
        .arg("run")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while !hook.with_file_name("pre-receive.first").exists() {
        assert!(begun.elapsed() < Duration::from_secs(60), "it doesn't push");
        assert!(killed.try_wait().unwrap().is_none(), "it ended");
        std::thread::sleep(Duration::from_millis(5));
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert_eq!(flock.line("repo0", 0), "ok 1", "the push is still under way");

    flock.run(&["run"]);
    assert!(
        hook.with_file_name("pre-receive.second").exists(),
        "nobody pushed again"
    );
    assert!((0..3).all(|file| flock.line("repo0", file) == "ok 2"));
    assert_eq!(flock.git("repo0", &["rev-list", "--count", "main"]).trim(), "4");
    let log = |kind: &str| -> Vec<String> {
        let output = flock.run(&["ledger", "log", "--kind", kind, "--format", "json"]);
        let entries: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let commit = |entry: &serde_json::Value| entry["body"]["commit"].as_str().unwrap().to_owned();
        let mut commits: Vec<String> = entries.as_array().unwrap().iter().map(commit).collect();
        commits.sort();
        commits
    };
    // What the killed run pushed was merged, not what the next one tried.
    let mut there: Vec<String> = (flock.git("repo0", &["log", "--format=%H", "-3", "main"]).lines())
        .map(str::to_owned)
        .collect();
    there.sort();
    assert_eq!(log("merge"), there);
    assert_eq!(log("merge-intent").len(), 6);
    flock.run(&["ledger", "verify"]);
}
