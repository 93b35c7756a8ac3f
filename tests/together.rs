//! Fixes of one repo that are tested, and merged, as one.

use rustix::process::Signal;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;

use crate::kill::process::signal;
use crate::small::{AT, Service, Small, with_outcome};
use crate::support::flock::Flock;
use crate::support::{git, holdpoint, stderr};

/// How often the tests of a repo ran, by the entries of its evidence.
fn evidence(flock: &Flock) -> usize {
    let output = flock.run(&["ledger", "log", "--kind", "evidence", "--format", "json"]);
    let entries: Value = serde_json::from_slice(&output.stdout).unwrap();
    let keys: BTreeSet<String> = (entries.as_array().unwrap().iter())
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
    let own = fs::read_to_string(&patch).unwrap();
    let other = fs::read_to_string(flock.root().join("fixes/bot/repo0-000/change.patch")).unwrap();
    fs::write(&patch, format!("{}{own}", other.replace("ok 2", "ok 3"))).unwrap();
    flock.run(&["run"]);
    let merged = outcomes(&flock)
        .into_iter()
        .filter(|line| line.ends_with(" merged"))
        .count();
    assert_eq!(merged, 1, "{:?}", outcomes(&flock));
    assert!(["ok 2", "ok 3"].contains(&&*flock.line("repo0", 0)));
}

/// The second fix of a stack passes its tests only with the first one. When a person takes the lane's autonomy away
/// between the tests and the merge, nothing may say of the second one that it was tested: it would wait for a go, and be
/// merged by itself.
#[test]
fn of_a_stack_that_is_held_at_the_merge_gate_no_decision_is_on_record() {
    let three = Service {
        findings: 3,
        ..Service::internal("one")
    };
    let small = Small::new(&[three], "lanes:\n  - {name: all, stage: auto-apply}\n");
    small.in_clone("one", |clone| {
        let settings =
            "steps:\n  build: 'true'\n  test: '! grep -q new value-0002.txt || grep -q new value-0001.txt'\n";
        fs::write(clone.join(".holdpoint.yaml"), settings).unwrap();
        git(clone, &["commit", "--quiet", "--all", "--message=Test them together"]);
    });
    let later =
        ["one-0001", "one-0002"].map(|name| (small.path(&format!("estate/fixes/bot/{name}")), small.path(name)));
    for (place, aside) in &later {
        fs::rename(place, aside).unwrap();
    }
    let merged = with_outcome(&small.report_at(AT), "merged")[0]["outcome"]["commit"].clone();
    for (place, aside) in &later {
        fs::rename(aside, place).unwrap();
    }

    let next = "2026-03-18T02:30:00Z";
    let mut run = holdpoint();
    run.arg("--estate")
        .arg(small.path("estate"))
        .args(["--at", next, "run"]);
    let mut run = run.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(run.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("deciding ") {
        line.clear();
        assert!(said.read_line(&mut line).unwrap() > 0, "it ended");
    }
    // It knows the lane as it was, and tests the stack.
    signal(run.id(), Signal::STOP);
    let commit = merged.as_str().unwrap();
    let told = [
        "outcome",
        "record",
        commit,
        "--kind",
        "incident",
        "--reason",
        "checkout failed",
        "--by",
        "ines@x.example",
    ];
    let told = small.run_at(next, &told);
    assert_eq!(told.status.code(), Some(0), "{}", stderr(&told));
    signal(run.id(), Signal::CONT);
    let mut rest = String::new();
    said.read_to_string(&mut rest).unwrap();
    assert!(matches!(run.wait().unwrap().code(), Some(0 | 10)), "{rest}");

    let mut tested: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for entry in small.entries("evidence") {
        let verdict = entry["record"]["evidence"]["checks"]["test"]["verdict"].clone();
        tested.entry(entry["key"].to_string()).or_default().push(verdict);
    }
    assert!(
        tested.values().any(|verdicts| *verdicts == ["passed", "passed"]),
        "{tested:?}"
    );
    assert_eq!(small.head("one"), commit, "nothing is merged");

    let report: Value = serde_json::from_slice(&fs::read(small.path("estate/state/last-run.json")).unwrap()).unwrap();
    let of = |path: &str| {
        let is_it = |item: &&Value| item["finding"]["location"]["path"] == path;
        report["items"].as_array().unwrap().iter().find(is_it).unwrap().clone()
    };
    assert_eq!(of("value-0001.txt")["outcome"]["outcome"], "pull-request", "{rest}");
    let second = of("value-0002.txt");
    assert_eq!(second["outcome"]["outcome"], "alerted", "{rest}");
    let decided = small
        .entries("decision")
        .into_iter()
        .filter(|decision| decision["at"] == next);
    let decided: Vec<Value> = decided.collect();
    assert!(
        !decided.is_empty() && decided.iter().all(|decision| decision["phase"] != "merge"),
        "{decided:#?}"
    );
    let of_second = decided
        .iter()
        .filter(|decision| decision["finding"] == second["decision"]["finding"]);
    assert!(
        of_second.into_iter().all(|decision| decision["level"] == "alert"),
        "{decided:#?}"
    );
}
