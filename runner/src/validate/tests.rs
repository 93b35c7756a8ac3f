use super::*;
use crate::agent::AgentResponse;
use crate::contract_check::{ConsumerContract, ContractPlan, Mismatch, OpenApiResult, RecordedInteraction, Replay};
use crate::plan::{ScannerPlan, ScannerRun};
use crate::sandbox::Limits;
use crate::scrutiny::Scrutiny;
use holdpoint_schemas::estate::{PrepareConfig, SandboxConfig, ServeConfig, StepsConfig, TestsConfig};
use holdpoint_schemas::evidence::Isolation;
use holdpoint_schemas::finding::{FindingClass, Fingerprint, Severity};
use std::collections::BTreeSet;

const GREEN: StepEnd = StepEnd::Exited { code: 0 };
const RED: StepEnd = StepEnd::Exited { code: 1 };

pub(super) fn plan(checks: &[Check]) -> ValidationPlan {
    let command = |name: &str| Some(name.to_owned());
    ValidationPlan {
        subject: "repo: fix".to_owned(),
        checks: checks.iter().copied().collect(),
        steps: StepsConfig {
            prepare: command("p"),
            build: command("b"),
            test: command("t"),
        },
        unused: Vec::new(),
        limits: Limits::from(&SandboxConfig::default()),
        tests: TestsConfig::default(),
        reruns: 0,
        scrutiny: Scrutiny::default(),
        prepare: PrepareConfig::default(),
        packages: None,
        contract: ContractPlan::default(),
        scanners: vec![
            ScannerPlan {
                name: "one".to_owned(),
                run: ScannerRun::Builtin,
            },
            ScannerPlan {
                name: "two".to_owned(),
                run: ScannerRun::Builtin,
            },
        ],
        resolves: vec![finding("old")],
        baseline: Vec::new().into(),
        candidate: Vec::new().into(),
    }
}

fn finding(rule: &str) -> Finding {
    Finding {
        fingerprint: Fingerprint::of([rule]),
        scanner: "one".to_owned(),
        rule: rule.to_owned(),
        title: rule.to_owned(),
        severity: Severity::Low,
        class: FindingClass::Code,
        cwes: Vec::new(),
        aliases: Vec::new(),
        component: None,
        location: None,
        iac_address: None,
        fixed_versions: Vec::new(),
        details: holdpoint_schemas::finding::FindingDetails::default(),
    }
}

fn side(side: Side, ends: &[(&str, StepEnd)]) -> SideRecord {
    let steps = ends
        .iter()
        .map(|(step, end)| StepRun {
            step: (*step).to_owned(),
            side,
            end: end.clone(),
            millis: 1,
            tail: format!("output of {step}\n"),
        })
        .collect();
    SideRecord {
        steps,
        ..SideRecord::new(side, "test".to_owned(), Isolation::Container)
    }
}

fn all_green() -> Vec<(&'static str, StepEnd)> {
    vec![("prepare", GREEN), ("build", GREEN), ("test", GREEN)]
}

fn judge(_: usize, _: usize, answer: &AgentResponse) -> Vec<Mismatch> {
    match answer.status {
        200 => Vec::new(),
        _ => vec![Mismatch {
            path: "status".to_owned(),
            text: "not 200".to_owned(),
        }],
    }
}

fn evidence(plan: &ValidationPlan, before: &SideRecord, after: &SideRecord) -> Evidence {
    compare(plan, before, after, &judge).evidence
}

fn check(plan: &ValidationPlan, check: Check, before: &SideRecord, after: &SideRecord) -> CheckResult {
    evidence(plan, before, after).checks.remove(&check).unwrap()
}

#[test]
fn only_planned_checks_are_in_the_evidence() {
    let (before, after) = (side(Side::Baseline, &all_green()), side(Side::Candidate, &all_green()));
    let found = evidence(&plan(&[Check::Test]), &before, &after);
    assert_eq!(found.checks.keys().collect::<Vec<_>>(), [&Check::Test]);
    assert_eq!(found.checks[&Check::Test].verdict, Verdict::Passed);
    assert_eq!(
        plan(&Check::ALL).tests_only().checks,
        BTreeSet::from([Check::Build, Check::Test])
    );
}

#[test]
fn a_build_that_the_fix_breaks_fails_the_tests_that_need_it() {
    let before = side(Side::Baseline, &all_green());
    let after = side(Side::Candidate, &[("prepare", GREEN), ("build", RED)]);
    for which in [Check::Build, Check::Test] {
        let result = check(&plan(&[which]), which, &before, &after);
        assert_eq!(result.verdict, Verdict::Failed);
        assert!(
            result.reason.starts_with("`build` fails with the fix"),
            "{}",
            result.reason
        );
        assert_eq!(result.details, ["output of build"]);
    }
}

#[test]
fn a_prepare_over_the_network_is_not_blamed_on_the_fix() {
    let mut plan = plan(&[Check::Build]);
    let before = side(Side::Baseline, &all_green());
    let after = side(Side::Candidate, &[("prepare", RED)]);
    assert_eq!(check(&plan, Check::Build, &before, &after).verdict, Verdict::Failed);
    plan.prepare.hosts = vec!["registry.example".to_owned()];
    assert_eq!(
        check(&plan, Check::Build, &before, &after).verdict,
        Verdict::Inconclusive
    );
}

#[test]
fn nothing_configured_is_inconclusive() {
    let mut plan = plan(&Check::ALL);
    plan.steps = StepsConfig::default();
    plan.scanners.clear();
    plan.unused = vec!["no manifest was found".to_owned()];
    let found = evidence(&plan, &side(Side::Baseline, &[]), &side(Side::Candidate, &[]));
    for (which, reason) in [
        (Check::Build, "no build or prepare step is configured"),
        (Check::Test, "no tests are configured"),
        (Check::Rescan, "no scanner is configured"),
    ] {
        assert_eq!(found.checks[&which].verdict, Verdict::Inconclusive);
        assert_eq!(found.checks[&which].reason, reason);
        let about_steps = which != Check::Rescan;
        assert_eq!(found.checks[&which].details == plan.unused, about_steps, "{which}");
    }
    assert_eq!(found.candidate_green, None);
}

#[test]
fn a_step_that_did_not_run_is_inconclusive() {
    let (none, all) = (side(Side::Baseline, &[]), side(Side::Candidate, &all_green()));
    assert_eq!(
        check(&plan(&[Check::Test]), Check::Test, &none, &all).verdict,
        Verdict::Inconclusive
    );
    assert_eq!(
        check(&plan(&[Check::Test]), Check::Test, &all, &none).verdict,
        Verdict::Inconclusive
    );
}

#[test]
fn candidate_green_is_what_a_ci_only_tool_sees() {
    let green = |ends: &[(&str, StepEnd)]| candidate_green(&plan(&[]), &side(Side::Candidate, ends));
    assert_eq!(green(&all_green()), Some(true));
    for (end, seen) in [
        (RED, Some(false)),
        (StepEnd::OutOfMemory, Some(false)),
        (StepEnd::TimedOut { after_seconds: 1 }, Some(false)),
        (StepEnd::MissingTool, None),
        (StepEnd::Infrastructure { reason: String::new() }, None),
    ] {
        assert_eq!(green(&[("prepare", GREEN), ("build", GREEN), ("test", end)]), seen);
    }
    assert_eq!(green(&[("prepare", GREEN), ("build", RED)]), Some(false));
    assert_eq!(green(&[("prepare", GREEN), ("build", GREEN)]), None);
}

fn scanned(mut record: SideRecord, one: &[&str], two: Option<&[&str]>) -> SideRecord {
    let found = |rules: &[&str]| Scan::Found {
        findings: rules.iter().map(|rule| finding(rule)).collect(),
        version: "1.0".to_owned(),
        rules: None,
    };
    record.scans.insert("one".to_owned(), found(one));
    let failed = || Scan::Failed {
        reason: "it broke\u{1b}[2J".to_owned(),
    };
    record.scans.insert("two".to_owned(), two.map_or_else(failed, found));
    record
}

#[test]
fn a_scanner_that_fails_makes_a_clean_rescan_inconclusive() {
    let (base, cand) = (side(Side::Baseline, &[]), side(Side::Candidate, &[]));
    let before = scanned(base, &["old"], Some(&["other"]));
    let clean = check(
        &plan(&[Check::Rescan]),
        Check::Rescan,
        &before,
        &scanned(cand.clone(), &[], Some(&["other"])),
    );
    assert_eq!(clean.verdict, Verdict::Passed);
    let broken = check(
        &plan(&[Check::Rescan]),
        Check::Rescan,
        &before,
        &scanned(cand.clone(), &[], None),
    );
    assert_eq!(broken.verdict, Verdict::Inconclusive);
    assert_eq!(broken.reason, "`two` gives no answer on the candidate: it broke");
    let worse = check(
        &plan(&[Check::Rescan]),
        Check::Rescan,
        &before,
        &scanned(cand, &["new"], None),
    );
    assert_eq!(worse.verdict, Verdict::Failed);
}

#[test]
fn another_version_of_a_scanner_makes_a_clean_rescan_inconclusive() {
    let before = scanned(side(Side::Baseline, &[]), &["old"], Some(&[]));
    let mut after = scanned(side(Side::Candidate, &[]), &[], Some(&[]));
    let Some(Scan::Found { version, .. }) = after.scans.get_mut("one") else {
        panic!("it was scanned")
    };
    *version = "2.0".to_owned();
    let result = check(&plan(&[Check::Rescan]), Check::Rescan, &before, &after);
    assert_eq!(result.verdict, Verdict::Inconclusive);
    assert!(
        result
            .reason
            .contains("`one` 1.0 on the baseline, `one` 2.0 on the candidate"),
        "{}",
        result.reason
    );
    assert!(
        result.details.iter().any(|line| line == "scanned by `two` 1.0"),
        "{result:?}"
    );
}

#[test]
fn findings_of_a_scanner_that_saw_only_the_candidate_are_not_new() {
    let before = scanned(side(Side::Baseline, &[]), &["old"], None);
    let after = scanned(side(Side::Candidate, &[]), &[], Some(&["known all along"]));
    let found = evidence(&plan(&[Check::Rescan]), &before, &after);
    assert_eq!(found.checks[&Check::Rescan].verdict, Verdict::Inconclusive);
    assert!(found.new_findings.is_empty());
}

#[test]
fn a_red_baseline_build_is_the_reason_that_contracts_were_not_replayed() {
    let mut plan = plan(&[Check::Contract]);
    let interaction = RecordedInteraction {
        description: "a".to_owned(),
        request: Default::default(),
    };
    plan.contract.consumers = vec![ConsumerContract {
        consumer: "gateway".to_owned(),
        interactions: vec![interaction],
    }];
    plan.contract.serve = Some(ServeConfig {
        command: "s".to_owned(),
        port: 1,
        ready: "/".to_owned(),
        ready_seconds: 1,
    });
    let red = [("prepare", GREEN), ("build", RED)];
    let (before, after) = (side(Side::Baseline, &red), side(Side::Candidate, &red));
    let result = check(&plan, Check::Contract, &before, &after);
    assert_eq!(result.verdict, Verdict::Inconclusive);
    assert!(
        result.reason.starts_with("the baseline is already red: `build`"),
        "{}",
        result.reason
    );
    plan.contract.openapi = Some(OpenApiResult::Compared {
        breaking: vec!["gone".to_owned()],
    });
    assert_eq!(check(&plan, Check::Contract, &before, &after).verdict, Verdict::Failed);
}

#[test]
fn a_kept_baseline_is_used_only_for_what_it_covers() {
    let tested = side(Side::Baseline, &all_green());
    assert!(tested.covers(&plan(&[Check::Build, Check::Test])));
    assert!(!tested.covers(&plan(&[Check::Rescan])));
    assert!(scanned(tested.clone(), &[], None).covers(&plan(&Check::ALL)));
    assert!(!side(Side::Baseline, &[("prepare", GREEN), ("build", GREEN)]).covers(&plan(&[Check::Test])));
    assert!(side(Side::Baseline, &[("prepare", RED)]).covers(&plan(&[Check::Test])));
}

#[test]
fn a_baseline_that_something_cut_short_is_not_kept_and_one_with_a_lost_attempt_is() {
    let asked = plan(&[Check::Build, Check::Test]);
    for end in [StepEnd::OutOfMemory, StepEnd::OutOfDisk, StepEnd::Killed] {
        let short = [("prepare", GREEN), ("build", GREEN), ("test", end.clone())];
        let short = side(Side::Baseline, &short);
        assert!(!short.is_settled() && !short.covers(&asked), "{end:?}");
        let again = side(
            Side::Baseline,
            &[
                ("prepare", GREEN),
                ("build", GREEN),
                ("test (lost)", end),
                ("test", GREEN),
            ],
        );
        assert!(again.is_settled() && again.covers(&asked));
    }
}

#[test]
fn a_record_can_be_kept_as_json() {
    let mut record = scanned(side(Side::Baseline, &all_green()), &["old"], None);
    record.replay = Some(Replay::Answered {
        answers: vec![
            contract_check::Answer::Response(AgentResponse {
                body: vec![0, 255],
                ..AgentResponse::default()
            }),
            contract_check::Answer::TimedOut,
        ],
    });
    let text = serde_json::to_string(&record).unwrap();
    assert_eq!(serde_json::from_str::<SideRecord>(&text).unwrap(), record);
}
