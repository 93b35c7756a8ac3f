//! Every scenario of the example estate, through the binary and the real engine: what it must end
//! as, that a CI-only tool would have merged it, and that it fails if its rule or check is taken out.

use serde_json::Value;

use crate::support::{Estate, demo, finding_id, reasons, stderr, stdout};

/// What is taken out to show that a scenario can fail.
enum TakeOut {
    /// A policy of the pack.
    Policy(&'static str),
    /// A check of the runner.
    Check(&'static str),
}

struct Case {
    id: &'static str,
    level: &'static str,
    names: &'static [&'static str],
    /// Whether the candidate's own tests are green, so that a CI-only tool merges it.
    green: bool,
    take_out: TakeOut,
}

fn holds(case: &Case, item: &Value) -> bool {
    let text = format!("{}\n{}", reasons(item), item["advice"]).to_lowercase();
    item["decision"]["level"] == case.level && case.names.iter().all(|name| text.contains(&name.to_lowercase()))
}

fn check(case: &Case) {
    let report = demo().report();
    let item = report.scenario(case.id);
    assert!(
        holds(case, item),
        "{}: {}\n{}",
        case.id,
        item["decision"]["level"],
        reasons(item)
    );
    assert_eq!(
        item["scenario"]["met"], true,
        "{}: the example's own expectation",
        case.id
    );
    let ci_only = if case.green { "merge" } else { "hold" };
    assert_eq!(
        item["ci_only"], ci_only,
        "{}: what a CI-only tool would have done",
        case.id
    );
    assert_fails_without(case, item);
}

fn assert_fails_without(case: &Case, item: &Value) {
    let id = finding_id(item);
    let (estate, output) = match case.take_out {
        TakeOut::Policy(policy) => {
            // What was merged keeps the decision that it was merged on.
            let estate = match item["outcome"]["outcome"] == "merged" {
                true => Estate::prepared(),
                false => Estate::after_demo(),
            };
            estate.take_out_policy(policy);
            let output = estate.run(&["run", "--dry-run", "--finding", &id]);
            (estate, output)
        }
        TakeOut::Check(check) => {
            // Without the demo's evidence, so that the check would have to run.
            let estate = Estate::prepared();
            let output = estate.run(&["run", "--dry-run", "--finding", &id, "--skip-check", check]);
            (estate, output)
        }
    };
    assert!(matches!(output.status.code(), Some(0 | 10)), "{}", stderr(&output));
    let report = estate.report();
    let without = report.finding(&id);
    assert!(
        !holds(case, without),
        "{}: still {} without its rule\n{}",
        case.id,
        without["decision"]["level"],
        reasons(without)
    );
}

#[test]
fn the_demo_ends_as_it_must() {
    let demo = demo();
    assert_eq!(
        demo.output.status.code(),
        Some(10),
        "{}\n{}",
        stdout(&demo.output),
        stderr(&demo.output)
    );
    let text = stdout(&demo.output);
    assert!(text.contains("Ledger:") && text.contains("verified"), "{text}");
    let report = demo.report();
    let scenarios = report.items().iter().filter(|item| !item["scenario"].is_null()).count();
    assert_eq!(scenarios, 20, "{text}");
    for item in report
        .items()
        .iter()
        .filter(|item| item["decision"]["level"] == "suggest")
    {
        assert_eq!(
            item["outcome"]["outcome"], "pull-request",
            "{}: {}",
            item["finding"]["title"], item["outcome"]
        );
    }
}

#[test]
fn a_dev_tool_patch_upgrade_is_merged() {
    check(&Case {
        id: "dev-tool-upgrade",
        level: "auto-apply",
        names: &[],
        green: true,
        take_out: TakeOut::Policy("auto-apply-mechanical"),
    });
    let report = demo().report();
    let item = report.scenario("dev-tool-upgrade");
    let estate = Estate::after_demo();
    assert_eq!(item["outcome"]["outcome"], "merged");
    assert_eq!(
        estate.remote_git("admin", &["rev-parse", "main"]),
        item["outcome"]["commit"].as_str().unwrap()
    );
    let tree = estate.remote_git("admin", &["rev-parse", "main^{tree}"]);
    assert_eq!(
        tree,
        item["fix"]["candidate_tree"].as_str().unwrap(),
        "exactly the tree that was tested"
    );
    let message = estate.remote_git("admin", &["log", "-1", "--format=%B", "main"]);
    for trailer in [
        "Holdpoint-Finding:",
        "Holdpoint-Decision:",
        "Holdpoint-Evidence:",
        "Holdpoint-Ledger:",
    ] {
        assert!(message.contains(trailer), "{message}");
    }
}

#[test]
fn the_same_upgrade_in_production_payments_needs_a_human() {
    check(&Case {
        id: "payments-upgrade",
        level: "suggest",
        names: &["cardholder"],
        green: true,
        take_out: TakeOut::Policy("cardholder-production"),
    });
}

#[test]
fn a_response_change_that_breaks_the_bank_partner_is_stopped_by_the_contract_check() {
    check(&Case {
        id: "partner-contract",
        level: "alert",
        names: &["bank-partner"],
        green: true,
        take_out: TakeOut::Check("contract"),
    });
}

#[test]
fn a_fix_that_adds_a_vulnerability_is_stopped_by_the_rescan() {
    check(&Case {
        id: "new-vulnerability",
        level: "alert",
        names: &["B602"],
        green: true,
        take_out: TakeOut::Check("rescan"),
    });
}

#[test]
fn an_injection_in_the_transaction_path_is_logic() {
    check(&Case {
        id: "sql-injection",
        level: "suggest",
        names: &["logic"],
        green: true,
        take_out: TakeOut::Policy("logic-fix"),
    });
}

#[test]
fn a_secret_whose_variable_is_provisioned_is_replaced_and_must_be_rotated() {
    check(&Case {
        id: "secret-staging",
        level: "auto-apply",
        names: &["rotate"],
        green: true,
        take_out: TakeOut::Policy("auto-apply-mechanical"),
    });
}

#[test]
fn a_secret_in_production_waits_for_its_variable() {
    check(&Case {
        id: "secret-production",
        level: "suggest",
        names: &["SMTP_TOKEN"],
        green: true,
        take_out: TakeOut::Policy("variable-missing"),
    });
}

#[test]
fn a_secret_whose_variable_is_not_provisioned_waits_for_it() {
    check(&Case {
        id: "secret-unprovisioned",
        level: "suggest",
        names: &["SMS_API_KEY"],
        green: true,
        take_out: TakeOut::Policy("variable-missing"),
    });
}

#[test]
fn a_break_glass_change_is_not_reverted() {
    check(&Case {
        id: "break-glass",
        level: "alert",
        names: &["break-glass", "held by", "until"],
        green: true,
        take_out: TakeOut::Policy("reverts-break-glass"),
    });
}

#[test]
fn unexplained_drift_is_deliberate_until_a_human_says_otherwise() {
    check(&Case {
        id: "unexplained-drift",
        level: "suggest",
        names: &["who changed", "drift is deliberate until a person says otherwise"],
        green: true,
        take_out: TakeOut::Policy("unexplained-drift"),
    });
}

#[test]
fn a_compensating_control_is_not_removed() {
    check(&Case {
        id: "compensating-control",
        level: "alert",
        names: &["compensating", "held by", "protects"],
        green: true,
        take_out: TakeOut::Policy("touches-compensating-control"),
    });
}

#[test]
fn governance_files_are_a_persons_business() {
    check(&Case {
        id: "governance-files",
        level: "suggest",
        names: &[".github/workflows/ci.yml", "files that govern what automation may do"],
        green: true,
        take_out: TakeOut::Policy("governance-files"),
    });
}

#[test]
fn a_code_freeze_holds_and_says_when_it_ends() {
    check(&Case {
        id: "code-freeze",
        level: "suggest",
        names: &["2026-04-02T06:00:00Z"],
        green: true,
        take_out: TakeOut::Policy("code-freeze"),
    });
}

#[test]
fn a_teammates_push_of_yesterday_is_named() {
    let estate = Estate::after_demo();
    let commit = estate.remote_git("gateway", &["log", "-1", "--format=%H", "main"]);
    let short: &'static str = Box::leak(commit[..10].to_owned().into_boxed_str());
    let names: &'static [&'static str] = Box::leak(Box::new([short]));
    check(&Case {
        id: "recent-push",
        level: "suggest",
        names,
        green: true,
        take_out: TakeOut::Policy("recent-push"),
    });
}

#[test]
fn an_unknown_service_is_an_alert_that_says_who_can_help() {
    check(&Case {
        id: "unknown-service",
        level: "alert",
        names: &["catalogue", "service.tier"],
        green: true,
        take_out: TakeOut::Policy("unknown-service"),
    });
}

#[test]
fn a_red_baseline_is_inconclusive_and_never_blamed_on_the_fix() {
    check(&Case {
        id: "red-baseline",
        level: "suggest",
        names: &["baseline"],
        green: false,
        take_out: TakeOut::Policy("test-not-passed"),
    });
    let report = demo().report();
    let checks = &report.scenario("red-baseline")["evidence"]["evidence"]["checks"];
    assert_eq!(checks["test"]["verdict"], "inconclusive");
    assert!(
        checks
            .as_object()
            .unwrap()
            .values()
            .all(|check| check["verdict"] != "failed"),
        "{checks}"
    );
}

#[test]
fn a_database_is_a_critical_resource() {
    check(&Case {
        id: "database",
        level: "suggest",
        names: &["aws_db_instance.ledger"],
        green: true,
        take_out: TakeOut::Policy("critical-resource"),
    });
}

#[test]
fn a_core_iam_role_is_a_critical_resource() {
    check(&Case {
        id: "core-iam",
        level: "suggest",
        names: &["aws_iam_role_policy.payments_core"],
        green: true,
        take_out: TakeOut::Policy("critical-resource"),
    });
}

#[test]
fn triage_costs_no_sandbox_run_where_nothing_can_rise() {
    let report = demo().report();
    for id in ["break-glass", "compensating-control", "unknown-service"] {
        assert!(report.scenario(id)["evidence"].is_null(), "{id} was validated");
        assert_eq!(report.scenario(id)["decision"]["phase"], "triage");
    }
}

#[test]
fn a_second_run_decides_the_same_and_promotes_nothing() {
    let first = demo().report();
    let estate = Estate::after_demo();
    let heads = |estate: &Estate| -> Vec<String> {
        ["admin", "payments", "ledger", "notifications", "infra"]
            .iter()
            .map(|repo| estate.remote_git(repo, &["rev-parse", "main"]))
            .collect()
    };
    let before = heads(&estate);
    let output = estate.run(&["run"]);
    assert_eq!(output.status.code(), Some(10), "{}", stderr(&output));
    assert_eq!(heads(&estate), before, "nothing was promoted");
    let second = estate.report();
    assert_eq!(first.items().len(), second.items().len());
    for item in first.items() {
        let again = second.finding(&finding_id(item));
        assert_eq!(
            item["decision"]["level"], again["decision"]["level"],
            "{}",
            item["finding"]["title"]
        );
        assert_ne!(again["outcome"]["outcome"], "merged", "{}", item["finding"]["title"]);
    }
}

#[test]
fn a_secret_is_in_no_record_and_no_report() {
    let estate = Estate::after_demo();
    let mailer = estate.remote_git("notifications", &["show", "release:src/email.js"]);
    let secret = mailer
        .split(['"', '\''])
        .find(|literal| literal.len() > 16 && !literal.contains(' ') && literal.chars().any(|c| c.is_ascii_digit()))
        .unwrap();
    for file in [
        "last-run.json",
        "report.html",
        "report.json",
        "report.md",
        "ledger.sqlite",
    ] {
        let bytes = std::fs::read(estate.file(&format!("state/{file}"))).unwrap();
        let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!found, "{file} holds the secret");
    }
}

#[test]
fn a_restart_of_the_only_instance_in_peak_hours_waits_for_a_safe_window() {
    let case = |policy| Case {
        id: "peak-hours",
        level: "suggest",
        names: &["one instance runs", "the next safe window is 2026-03-17T05:00:00Z"],
        green: true,
        take_out: TakeOut::Policy(policy),
    };
    check(&case("peak-hours"));
    check(&case("downtime"));
}
