//! `policy coverage`: what the cases show, and which mutants they miss.

use std::process::Output;

use crate::packs::PackFolder;
use crate::policy_test::{pack, told};
use crate::support::{run, stdout};

fn coverage(pack: &str, more: &[&str]) -> Output {
    run(&[&["policy", "coverage", pack], more].concat())
}

fn document(pack: &PackFolder, more: &[&str]) -> serde_json::Value {
    let output = coverage(pack.arg(), &[&["--format", "json"], more].concat());
    serde_json::from_str(&stdout(&output)).unwrap()
}

#[test]
fn gaps_are_shown_and_a_policy_that_decides_nothing_fails() {
    let pack = pack().policy(
        "late",
        "forbid (principal, action == Action::\"promote\", resource)\nwhen { context has service.tier && context.service.tier < 2 };",
    );
    let output = coverage(pack.arg(), &[]);
    assert_eq!(output.status.code(), Some(11));
    insta::assert_snapshot!(told(&pack, &output));
    pack.write(
        "cases/promote.yaml",
        "cases:\n  - {name: x, given: {service.tier: 1}, promote_bounds: [late]}\n",
    );
    assert_eq!(coverage(pack.arg(), &[]).status.code(), Some(0));
}

#[test]
fn cases_that_fail_cover_nothing() {
    let pack = pack().with("cases/wrong.yaml", "cases: [{name: x, from: ready, level: alert}]");
    let output = coverage(pack.arg(), &["--mutants"]);
    assert_eq!(output.status.code(), Some(11));
    assert!(told(&pack, &output).contains("coverage rests on cases that pass"));
}

#[test]
fn the_case_that_is_printed_for_a_surviving_mutant_kills_it() {
    let pack = pack();
    let output = coverage(pack.arg(), &["--mutants"]);
    assert_eq!(output.status.code(), Some(11));
    insta::assert_snapshot!(told(&pack, &output));
    // Each round adds the cases that the last one asked for.
    let survivors = document(&pack, &["--mutants"]);
    let cases: Vec<_> = survivors["mutants"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|mutant| mutant["fate"] == "survived")
        .map(|mutant| mutant["case"]["cases"][0].clone())
        .collect();
    assert!(!cases.is_empty());
    pack.write("cases/more.yaml", serde_json::json!({ "cases": cases }).to_string());
    let after = coverage(pack.arg(), &["--mutants"]);
    assert_eq!(after.status.code(), Some(0), "{}", told(&pack, &after));
}

#[test]
fn without_a_solver_a_survivor_is_open() {
    let pack = pack();
    let binary = env!("CARGO_BIN_EXE_holdpoint");
    let output = std::process::Command::new(binary)
        .args(["policy", "coverage", "--mutants", pack.arg()])
        .env_remove("CVC5")
        .env_remove("HOLDPOINT_CVC5")
        .env("PATH", "/nowhere")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(12), "{}", told(&pack, &output));
    assert!(told(&pack, &output).contains("isn't known"));
}

#[test]
fn only_a_layers_own_policies_are_looked_at_unless_all_are_asked_for() {
    let layer = PackFolder::new()
        .with("pack.yaml", "name: mine\ndescription: Mine.\nextends: baseline\n")
        .policy(
            "many",
            "forbid (principal, action == Action::\"autoApply\", resource)\nunless { context has fix.files && context.fix.files < 5 };",
        )
        .with("cases/many.yaml", "cases: [{name: many, given: {fix.files: 9}, level: alert}]");
    let ids = |more: &[&str]| -> Vec<String> {
        let document = document(&layer, more);
        let policies = document["policies"].as_array().unwrap().iter();
        policies
            .map(|policy| policy["id"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(ids(&[]), ["many"]);
    assert!(ids(&["--all"]).len() > 20);
}
