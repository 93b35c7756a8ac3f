//! `holdpoint explain`: why, and what would take a finding further.

use serde_json::Value;

use crate::support::{AT, Estate, holdpoint, stderr, stdout};

/// What `explain` says of a scenario, without line breaks.
fn told(estate: &Estate, scenario: &str) -> String {
    let output = estate.run(&["explain", scenario]);
    assert!(output.status.success(), "{}", stderr(&output));
    stdout(&output).split_whitespace().collect::<Vec<_>>().join(" ")
}

fn document(estate: &Estate, scenario: &str) -> Value {
    let output = estate.run(&["--format", "json", "explain", scenario]);
    assert!(output.status.success(), "{}", stderr(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn each_scenario_says_what_would_take_it_further_in_peoples_words() {
    let estate = Estate::after_demo();
    let by_a_person = "Merge if a person other than the fix's author approves exactly this change.";
    for (scenario, ways) in [
        (
            "code-freeze",
            &[
                by_a_person,
                "Auto-apply if the freeze `Quarter close` ends (2026-04-02 06:00 UTC), and the adequacy, surface and \
                 revert checks pass.",
            ][..],
        ),
        (
            "secret-production",
            &[
                "Auto-apply if `SMTP_TOKEN` is provisioned for `notifications` in production, and the adequacy, surface and revert checks pass.",
            ],
        ),
        (
            "payments-upgrade",
            &[
                by_a_person,
                "Auto-apply if a merge doesn't reach production,",
                "the adequacy, surface and revert checks pass",
                "a contract is recorded for notifications → payments and holds",
                "it would take another service",
            ],
        ),
        (
            "red-baseline",
            &[
                "a contract is recorded for payments → fx-rates and holds",
                "the test check passes",
            ],
        ),
        (
            "partner-contract",
            &[
                "Suggest if another fix comes that passes the contract check.",
                "Only another fix leads to suggest.",
            ],
        ),
        (
            "break-glass",
            &[
                "held by priya.nair@fintech.example until 2026-03-20T18:00:00Z, ends, and the build, test, contract and \
                 rescan checks pass.",
                "Who: the control's owner, in the estate's `controls.yaml`;",
            ],
        ),
        (
            "unknown-service",
            &["Suggest if a catalogue describes the service, and the build, test, contract and rescan checks pass."],
        ),
        (
            "sql-injection",
            &["another fix comes that changes no program logic; and if its rollout lane goes as far as auto-apply."],
        ),
    ] {
        let text = told(&estate, scenario);
        for way in ways {
            assert!(text.contains(way), "{scenario}: {text}");
        }
    }
    assert!(!told(&estate, "dev-tool-upgrade").contains("What would take it further"));
}

#[test]
fn a_machine_gets_the_same_ways_with_the_changes_of_facts() {
    let estate = Estate::after_demo();
    let document = document(&estate, "code-freeze");
    assert_eq!(document["decision"]["level"], "suggest");
    let further = &document["further"];
    assert_eq!(further["same_policies"], true);
    assert_eq!(further["complete"], true);
    let change = &further["ways"][1]["changes"][0];
    assert_eq!(
        *change,
        serde_json::json!({"id": "change.freeze_active", "from": true, "to": false, "effort": "time"})
    );
}

#[test]
fn the_ways_are_by_todays_policies_and_a_broken_pack_leaves_the_rest() {
    let estate = Estate::after_demo();
    estate.take_out_policy("code-freeze");
    let text = told(&estate, "code-freeze");
    assert!(
        text.contains("policies have changed since it was decided; this is by today's:"),
        "{text}"
    );
    assert!(
        text.contains("Auto-apply if the adequacy, surface and revert checks pass."),
        "{text}"
    );

    std::fs::write(estate.file("pack/broken.cedar"), "permit (").unwrap();
    let text = told(&estate, "code-freeze");
    assert!(
        text.contains("The ways can't be worked out: the estate's policies can't be used"),
        "{text}"
    );
    assert!(
        text.contains("the freeze `Quarter close` ends 2026-04-02T06:00:00Z"),
        "{text}"
    );
    assert_eq!(
        document(&estate, "code-freeze")["further"]["ways"],
        serde_json::json!([])
    );
}

#[test]
fn the_command_lines_can_be_pasted() {
    let estate = Estate::after_demo();
    // Git's config says nothing here, so it can't say who signs.
    let nobody = tempfile::tempdir().unwrap();
    let output = holdpoint()
        .env("HOME", nobody.path())
        .env("XDG_CONFIG_HOME", nobody.path())
        .arg("--estate")
        .arg(estate.estate())
        .args(["--at", AT, "explain", "code-freeze"])
        .output()
        .unwrap();
    let text = stdout(&output);
    let promote = text.lines().find(|line| line.contains(" promote ")).unwrap();
    let prefix = format!(
        "    holdpoint --estate {} --at {} promote hp-",
        estate.estate().display(),
        AT
    );
    assert!(promote.starts_with(&prefix), "{promote}");
    let approve = text.lines().find(|line| line.contains(" approve ")).unwrap();
    assert!(
        approve.ends_with(" --key YOUR-SSH-KEY --by YOUR-NAME-AMONG-THE-APPROVERS"),
        "{approve}"
    );
}

#[test]
fn the_report_shows_the_easiest_way() {
    let estate = Estate::after_demo();
    let html = std::fs::read_to_string(estate.file("state/report.html")).unwrap();
    assert!(html.contains("Auto-apply if the freeze "), "the way of `code-freeze`");
    assert!(
        html.contains("Suggest if another fix comes that passes the contract check."),
        "the way of `partner-contract`"
    );
}
