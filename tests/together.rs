//! Fixes of one repo that are tested, and merged, as one.

use crate::support::flock::Flock;

/// How often the tests of a repo ran, by the entries of its evidence.
fn evidence(flock: &Flock) -> usize {
    let output = flock.run(&["ledger", "log", "--kind", "evidence", "--format", "json"]);
    let entries: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let keys: std::collections::BTreeSet<String> = (entries.as_array().unwrap().iter())
        .map(|entry| entry["body"]["key"].to_string())
        .collect();
    keys.len()
}

fn outcomes(flock: &Flock) -> Vec<String> {
    let mut outcomes: Vec<String> = (flock.report().items().iter())
        .map(|item| {
            let path = item["finding"]["location"]["path"].as_str().unwrap();
            format!("{path} {}", item["outcome"]["outcome"].as_str().unwrap())
        })
        .collect();
    outcomes.sort();
    outcomes
}

#[test]
fn five_fixes_of_one_repo_are_merged_in_one_night_by_one_validation() {
    let flock = Flock::new(1, 5, "");
    flock.run(&["run"]);
    assert!(
        outcomes(&flock).iter().all(|line| line.ends_with(" merged")),
        "{:?}",
        outcomes(&flock)
    );
    assert!((0..5).all(|file| flock.line("repo0", file) == "ok 2"));
    assert_eq!(evidence(&flock), 1);
    // One commit each, so that each can be reverted, and all said to have been tested as one.
    assert_eq!(flock.git("repo0", &["rev-list", "--count", "main"]).trim(), "6");
    let trailers = flock.git(
        "repo0",
        &[
            "log",
            "--format=%(trailers:key=Holdpoint-Tested-Together,valueonly)",
            "-5",
            "main",
        ],
    );
    assert_eq!(trailers.matches("5 fixes").count(), 5, "{trailers}");
    flock.run(&["ledger", "verify"]);
    flock.run(&["run"]);
    assert!(
        outcomes(&flock).iter().all(|line| line.ends_with(" already-merged")),
        "{:?}",
        outcomes(&flock)
    );
}

#[test]
fn a_fix_that_fails_is_found_and_the_others_are_merged() {
    let flock = Flock::new(1, 5, "");
    flock.fix("repo0", 3, "broken");
    flock.run(&["run"]);
    let lines: Vec<String> = (0..5).map(|file| flock.line("repo0", file)).collect();
    assert_eq!(lines, ["ok 2", "ok 2", "ok 2", "ok 1", "ok 2"]);
    assert_eq!(outcomes(&flock)[3], "3.txt alerted");
}

#[test]
fn of_two_fixes_that_clash_one_is_merged_and_the_other_is_tested_on_top_of_it() {
    let flock = Flock::new(1, 4, "[ \"$(cat 1.txt 2.txt)\" != \"$(printf 'ok 2\\nok 2')\" ]");
    flock.run(&["run"]);
    let lines: Vec<String> = (0..4).map(|file| flock.line("repo0", file)).collect();
    assert_eq!((&*lines[0], &*lines[3]), ("ok 2", "ok 2"));
    let one = [&*lines[1], &*lines[2]];
    assert!(one == ["ok 2", "ok 1"] || one == ["ok 1", "ok 2"], "{one:?}");
    let held = outcomes(&flock)
        .into_iter()
        .filter(|line| !line.ends_with(" merged"))
        .count();
    assert_eq!(held, 1, "{:?}", outcomes(&flock));
}

#[test]
fn fixes_of_the_same_line_are_not_merged_into_each_other() {
    let flock = Flock::new(1, 2, "");
    // The second fix changes the first file as well.
    let patch = flock.root().join("fixes/bot/repo0-001/change.patch");
    let own = std::fs::read_to_string(&patch).unwrap();
    let other = std::fs::read_to_string(flock.root().join("fixes/bot/repo0-000/change.patch")).unwrap();
    std::fs::write(&patch, format!("{}{own}", other.replace("ok 2", "ok 3"))).unwrap();
    flock.run(&["run"]);
    let merged = outcomes(&flock)
        .into_iter()
        .filter(|line| line.ends_with(" merged"))
        .count();
    assert_eq!(merged, 1, "{:?}", outcomes(&flock));
    assert!(["ok 2", "ok 3"].contains(&&*flock.line("repo0", 0)));
}
