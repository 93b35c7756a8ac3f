//! `policy test`: what it says of cases that pass, fail, and can't be read.

use std::process::Output;

use crate::packs::PackFolder;
use crate::support::{run, stderr, stdout};

const SUGGEST: &str = "permit (principal, action == Action::\"suggest\", resource)\nwhen { context has fix.kind };";
const MERGE: &str = "permit (principal, action == Action::\"autoApply\", resource)\n\
                     when { context has fix.class && context.fix.class == \"mechanical\" };";
const FREEZE: &str = "forbid (principal, action == Action::\"autoApply\", resource)\n\
                      unless { context has change.freeze_active && !context.change.freeze_active };";
const CASES: &str = "facts:
  ready: {fix.class: mechanical, fix.kind: config-flag, change.freeze_active: false}
cases:
  - {name: a ready fix goes, from: ready, level: auto-apply}
  - {name: a frozen one waits, from: ready, given: {change.freeze_active: true}, level: suggest, bounds: [freeze]}
";

/// A pack whose two cases pass.
pub fn pack() -> PackFolder {
    PackFolder::new()
        .policy("suggest", SUGGEST)
        .policy("merge", MERGE)
        .policy("freeze", FREEZE)
        .with("cases/ready.yaml", CASES)
}

/// What is said of a pack, without its folder.
pub fn told(pack: &PackFolder, output: &Output) -> String {
    let folder = pack.path().file_name().unwrap().to_str().unwrap();
    let text = format!("{}{}", stdout(output), stderr(output));
    text.replace(pack.arg(), "PACK").replace(folder, "PACK")
}

fn test(pack: &PackFolder, more: &[&str]) -> Output {
    run(&[&["policy", "test", pack.arg()], more].concat())
}

#[test]
fn cases_that_pass_are_summed_up() {
    let pack = pack();
    let output = test(&pack, &[]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(told(&pack, &output), "pack `PACK`: 2 cases, all as expected\n");
}

#[test]
fn a_case_that_fails_says_what_came_and_by_which_policies() {
    let pack = pack().with(
        "cases/wrong.yaml",
        "cases:
  - {name: it never goes, from: ready, at_most: suggest, promote: permitted}
  - {name: a frozen one goes, from: ready, unknown: [change.freeze_active], level: auto-apply, bounds: [freze]}
",
    );
    // Nothing withholds an auto-apply, so that the second case contradicts itself.
    let output = test(&pack, &[]);
    assert_eq!(output.status.code(), Some(3));
    pack.write(
        "cases/wrong.yaml",
        "cases:
  - {name: it never goes, from: ready, at_most: suggest, promote: permitted}
  - {name: a frozen one stops, from: ready, unknown: [change.freeze_active], level: alert, bounds: [freze]}
",
    );
    let output = test(&pack, &[]);
    assert_eq!(output.status.code(), Some(11));
    insta::assert_snapshot!(told(&pack, &output));
}

#[test]
fn machines_get_every_case() {
    let pack = pack();
    let output = test(&pack, &["--format", "json"]);
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (document["passed"].as_u64(), document["failed"].as_u64()),
        (Some(2), Some(0))
    );
    assert_eq!(document["cases"][1]["assessment"]["bounds"][0]["id"], "freeze");
    assert_eq!(document["cases"][1]["line"], 5);
}

#[test]
fn junit_holds_every_case_whatever_its_name() {
    let pack = pack().with(
        "cases/odd.yaml",
        "cases: [{name: \"<&\\\"'\\u0007]]>\", from: ready, level: alert}]",
    );
    let file = pack.path().join("junit.xml");
    let output = test(&pack, &["--junit", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(11));
    let xml = std::fs::read_to_string(file).unwrap();
    let report = quick_junit::Report::deserialize_from_str(&xml).unwrap();
    assert_eq!((report.tests, report.failures), (3, 1));
    let odd = &report.test_suites[0].test_cases[0];
    assert_eq!(odd.name.as_str(), "<&\"'\u{fffd}]]>");
    assert!(xml.contains("expected alert, got auto-apply"), "{xml}");
}

#[test]
fn junit_is_well_formed_whatever_the_characters() {
    let pack = pack().with(
        "cases/odd.yaml",
        "cases: [{name: \"a\\uFFFE\\uFFFF\\u0001\\e[31mb\\U0001F600\", from: ready, level: alert, bounds: [\"x\\uFFFE\"]}]",
    );
    let file = pack.path().join("junit.xml");
    let output = test(&pack, &["--junit", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(11), "{}", told(&pack, &output));
    let xml = std::fs::read_to_string(file).unwrap();
    let document = roxmltree::Document::parse(&xml).unwrap();
    let names: Vec<&str> = document
        .descendants()
        .filter(|node| node.has_tag_name("testcase"))
        .filter_map(|node| node.attribute("name"))
        .collect();
    let odd = "a\u{fffd}\u{fffd}\u{fffd}\u{fffd}[31mb\u{1f600}";
    assert!(names.len() == 3 && names.contains(&odd), "{names:?}");
}

#[test]
fn junit_that_cannot_be_written_is_bad_input() {
    let pack = pack();
    let output = test(&pack, &["--junit", "no/such/folder/junit.xml"]);
    assert_eq!(output.status.code(), Some(3));
    let text = told(&pack, &output);
    assert!(
        text.contains("`no/such/folder/junit.xml` can't be written") && text.contains("help: "),
        "{text}"
    );
}

#[test]
fn a_file_of_cases_is_asked_instead_of_the_packs_own() {
    let pack = pack();
    let file = pack.path().join("counterexample.yaml");
    let text = "cases: [{name: never, from: ready, at_most: suggest}]";
    std::fs::write(&file, text).unwrap();
    let replay = ["--cases", file.to_str().unwrap()];
    let output = test(&pack, &replay);
    assert_eq!(output.status.code(), Some(11));
    let text = told(&pack, &output);
    assert!(text.contains("auto-apply is permitted by `merge`: "), "{text}");
    assert!(text.contains("1 case, 1 not as expected"), "{text}");
    // Replaying a file that is part of the pack by now is no collision of names.
    std::fs::copy(&file, pack.path().join("cases/counterexample.yaml")).unwrap();
    assert_eq!(test(&pack, &replay).status.code(), Some(11));
    let missing = test(&pack, &["--cases", "no-such-file.yaml"]);
    assert_eq!(missing.status.code(), Some(3));
}

#[test]
fn a_layers_cases_are_asked_of_all_that_it_inherits() {
    let layer = PackFolder::new()
        .with("pack.yaml", "name: mine\ndescription: Mine.\nextends: baseline\n")
        .policy(
            "late",
            "forbid (principal, action == Action::\"autoApply\", resource)\nunless { context has fix.files && context.fix.files < 5 };",
        )
        .with(
            "cases/late.yaml",
            "cases: [{name: many files wait, given: {fix.files: 9, service.known: false}, level: alert, reasons: [\"catalogue\"]}]",
        );
    let output = test(&layer, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", told(&layer, &output));
}

#[test]
fn bad_cases_are_all_told_with_their_places() {
    for (what, cases, place) in [
        (
            "a cycle",
            "facts:\n  a: {from: b}\n  b: {from: a}\n",
            "cases/bad.yaml:2:13",
        ),
        (
            "an unknown fact",
            "cases:\n  - {name: x, given: {service.teir: 1}, level: alert}",
            "cases/bad.yaml:2:23",
        ),
        (
            "a wrong word",
            "cases:\n  - {name: x, given: {fix.class: mechnical}, level: alert}",
            "cases/bad.yaml:2:34",
        ),
        (
            "nothing expected",
            "cases:\n  - {name: x, from: ready}",
            "cases/bad.yaml:2:12",
        ),
        ("no YAML", "cases: [", "cases/bad.yaml:1:"),
        ("another shape", "cases: 7", "cases/bad.yaml:1:"),
    ] {
        let pack = pack().with("cases/bad.yaml", cases);
        let output = test(&pack, &[]);
        assert_eq!(output.status.code(), Some(3), "{what}");
        let text = told(&pack, &output);
        assert!(text.contains(place) && text.contains("help: "), "{what}: {text}");
    }
    let pack = pack().with(
        "cases/bad.yaml",
        "cases:\n  - {name: x, given: {fix.class: 1, a.b: 2}, level: alert}",
    );
    insta::assert_snapshot!(told(&pack, &test(&pack, &[])));
    pack.write("cases/bad.yaml", [0xff, 0xfe, 0x00]);
    assert_eq!(test(&pack, &[]).status.code(), Some(3));
}

#[test]
fn a_pack_without_cases_is_not_tested() {
    let pack = PackFolder::new().policy("suggest", SUGGEST);
    let output = test(&pack, &[]);
    assert_eq!(output.status.code(), Some(3));
    assert!(told(&pack, &output).contains("has no cases"));
}
