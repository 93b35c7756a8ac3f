//! `policy simulate` on the ledger of a demo run.

use std::path::Path;
use std::process::Output;

use serde_json::Value;
use std::collections::BTreeSet;

use crate::packs::{PackFolder, all, code, files, shipped};
use crate::support::{Estate, stderr, stdout};

fn simulate(estate: &Estate, with: &Path, options: &[&str]) -> Output {
    estate.run(&[&["policy", "simulate", "--with", with.to_str().unwrap()], options].concat())
}

#[test]
fn a_simulation_names_who_goes_further_by_which_policy_and_changes_nothing() {
    let estate = Estate::after_demo();
    let before = files(&estate.file("state"));
    let same = simulate(&estate, &shipped("baseline"), &["--fail-if-looser"]);
    assert_eq!(code(&same), Some(0), "{}", all(&same));
    assert!(stdout(&same).contains("No decision changes."), "{}", stdout(&same));

    let looser = PackFolder::of_shipped("baseline");
    std::fs::remove_file(looser.path().join("contract-failed.cedar")).unwrap();
    let told = simulate(&estate, looser.path(), &["--fail-if-looser", "--format", "json"]);
    assert_eq!(code(&told), Some(11), "{}", all(&told));
    let document: Value = serde_json::from_str(&stdout(&told)).unwrap();
    let changed = document["changed"].as_array().unwrap();
    assert!(!changed.is_empty() && document["stricter"] == 0);
    for change in changed {
        assert_eq!(
            (change["from"].as_str(), change["to"].as_str()),
            (Some("alert"), Some("suggest"))
        );
        assert_eq!(change["lifted"], serde_json::json!(["contract-failed"]));
    }
    let total: u64 = document["moves"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["count"].as_u64().unwrap())
        .sum();
    assert_eq!(Some(total), document["decisions"].as_u64());
    let human = simulate(&estate, looser.path(), &[]);
    assert_eq!(code(&human), Some(0), "without the option it only tells");
    assert!(
        stdout(&human).contains("no longer withheld by contract-failed"),
        "{}",
        stdout(&human)
    );

    let strict = PackFolder::of_shipped("baseline");
    strict.write(
        "no-one.cedar",
        "@id(\"no-one\") @reason(\"no\") forbid (principal, action, resource);\n",
    );
    let told = simulate(&estate, strict.path(), &["--fail-if-looser"]);
    assert_eq!(code(&told), Some(0), "{}", all(&told));
    assert!(stdout(&told).contains("withheld by no-one"), "{}", stdout(&told));
    let id = changed[0]["finding"].as_str().unwrap();
    let one = simulate(&estate, looser.path(), &["--findings", id, "--format", "json"]);
    let document: Value = serde_json::from_str(&stdout(&one)).unwrap();
    assert_eq!(document["looser"], 1);
    let none = simulate(&estate, looser.path(), &["--findings", "zzz"]);
    assert_eq!(code(&none), Some(3));
    let after = files(&estate.file("state"));
    let all: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let changed: Vec<_> = all
        .into_iter()
        .filter(|path| before.get(*path) != after.get(*path))
        .map(|path| (path, before.get(path).map(Vec::len), after.get(path).map(Vec::len)))
        .collect();
    assert!(
        changed.is_empty(),
        "a simulation must not change the state: {changed:?}"
    );
}

#[test]
fn without_a_ledger_a_simulation_says_so() {
    let estate = Estate::prepared();
    let output = simulate(&estate, &shipped("baseline"), &[]);
    assert_eq!(code(&output), Some(3), "{}", all(&output));
    assert!(stderr(&output).contains("there is no ledger in"), "{}", stderr(&output));
}

#[test]
fn what_is_no_ledger_is_refused_with_help() {
    for (content, expected) in [("", "it is empty"), ("no database at all", "is not a ledger")] {
        let estate = Estate::prepared();
        let ledger = estate.file("state/ledger.sqlite");
        std::fs::create_dir_all(ledger.parent().unwrap()).unwrap();
        std::fs::write(&ledger, content).unwrap();
        let output = simulate(&estate, &shipped("baseline"), &[]);
        assert_eq!(code(&output), Some(3), "{}", all(&output));
        let text = stderr(&output);
        assert!(
            text.contains(expected) && text.contains("help: restore the ledger"),
            "{text}"
        );
    }
}
