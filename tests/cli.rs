//! What users read of the command line.

use crate::support::{run, stderr, stdout};

#[test]
fn the_long_help_of_every_subcommand() {
    let commands: &[&[&str]] = &[
        &[],
        &["demo"],
        &["run"],
        &["assist"],
        &["decide"],
        &["explain"],
        &["facts"],
        &["approve"],
        &["decline"],
        &["promote"],
        &["rollout", "status"],
        &["rollout", "advance"],
        &["rollout", "hold"],
        &["rollout", "halt"],
        &["rollout", "resume"],
        &["outcome", "record"],
        &["waiting"],
        &["override"],
        &["acknowledge"],
        &["validate"],
        &["findings", "import"],
        &["graph", "import"],
        &["graph", "show"],
        &["graph", "blast"],
        &["iac", "read"],
        &["control", "add"],
        &["control", "expire"],
        &["control", "list"],
        &["freeze", "add"],
        &["freeze", "list"],
        &["fix", "classify"],
        &["contract", "diff"],
        &["contract", "match"],
        &["contract", "rules"],
        &["failures", "classify"],
        &["rescan", "diff"],
        &["ledger", "log"],
        &["ledger", "verify"],
        &["ledger", "export"],
        &["ledger", "checkpoint"],
        &["ledger", "prove"],
        &["ledger", "consistency"],
        &["ledger", "prune"],
        &["ledger", "key"],
    ];
    let help: Vec<String> = commands
        .iter()
        .map(|command| {
            let output = run(&[command, ["--help"].as_slice()].concat());
            assert!(output.status.success(), "{}", stderr(&output));
            format!("$ holdpoint {} --help\n{}", command.join(" "), stdout(&output))
        })
        .collect();
    insta::assert_snapshot!(help.join("\n----\n\n"));
}

#[test]
fn a_typo_is_a_usage_error() {
    assert_eq!(run(&["rnu"]).status.code(), Some(2));
}
