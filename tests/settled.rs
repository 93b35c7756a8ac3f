//! A fix that can't get any further isn't tested any further.

use crate::support::flock::Flock;

/// Checks that the evidence on record has, and the steps that ran on the candidate.
fn evidence(flock: &Flock) -> Vec<(Vec<String>, Vec<String>)> {
    let output = flock.run(&["ledger", "log", "--kind", "evidence", "--format", "json"]);
    let entries: Vec<serde_json::Value> =
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()["entries"]
            .as_array()
            .unwrap()
            .clone();
    let steps = |record: &serde_json::Value| -> Vec<String> {
        let steps = record["steps"].as_array().unwrap().iter();
        steps
            .filter(|step| step["side"] == "candidate")
            .map(|step| step["step"].as_str().unwrap().to_owned())
            .collect()
    };
    let checks = |record: &serde_json::Value| {
        record["evidence"]["checks"]
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect()
    };
    entries
        .iter()
        .map(|entry| &entry["body"]["record"])
        .map(|record| (checks(record), steps(record)))
        .collect()
}

#[test]
fn nothing_is_run_once_the_decision_is_settled_and_its_evidence_is_used_again() {
    let flock = Flock::new(1, 1, "");
    flock.also_asks_for("revert");
    flock.fix("repo0", 0, "broken");
    flock.run(&["run"]);
    let (checks, steps) = evidence(&flock).remove(0);
    assert_eq!(checks, ["build", "test"]);
    assert!(!steps.iter().any(|step| step.contains("revert")), "{steps:?}");
    flock.run(&["run"]);
    assert_eq!(evidence(&flock).len(), 1, "what settled it once does so again");
    // Without the rule that it broke, the rest matters, and is found out.
    flock.no_longer_asks_for("test");
    flock.run(&["run"]);
    let found = evidence(&flock);
    assert_eq!(found.len(), 2);
    assert!(found[1].0.contains(&"revert".to_owned()), "{:?}", found[1]);
}

#[test]
fn a_fix_that_passes_is_tested_to_the_end() {
    let flock = Flock::new(1, 1, "");
    flock.also_asks_for("revert");
    flock.run(&["run"]);
    let (checks, _) = evidence(&flock).remove(0);
    assert_eq!(checks, ["build", "test", "revert"].map(str::to_owned).to_vec());
    assert_eq!(flock.line("repo0", 0), "ok 2");
}
