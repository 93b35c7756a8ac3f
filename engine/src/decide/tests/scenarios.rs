//! The demo's scenarios, as facts: level, the rules that bind, and what must be named. The table
//! is also what shows that each rule is needed.

use holdpoint_schemas::Level::{self, Alert, AutoApply, Suggest};
use holdpoint_schemas::decision::BoundKind;
use holdpoint_schemas::evidence::{Check, Isolation, Verdict};
use holdpoint_schemas::fact::FactValue;
use holdpoint_schemas::fix::FixKind;

use super::fixtures::{BASELINE, Case, bound_ids, words};
use crate::policy::Effect;

struct Scenario {
    name: &'static str,
    case: Case,
    level: Level,
    /// Rules that bind, with the level that each withholds.
    bounds: Vec<(Level, &'static str)>,
    /// What the first bound's reason must name.
    names: &'static [&'static str],
}

fn scenario(
    name: &'static str,
    case: Case,
    level: Level,
    bounds: &[(Level, &'static str)],
    names: &'static [&'static str],
) -> Scenario {
    Scenario {
        name,
        case,
        level,
        bounds: bounds.to_vec(),
        names,
    }
}

fn payments(kind: FixKind) -> Case {
    Case::harmless(kind)
        .set("service.tier", 0)
        .set("service.data_classes", words(&["cardholder"]))
}

fn infra() -> Case {
    Case::harmless(FixKind::IacAttribute).set("service.tier", 1)
}

const EDGE: &str = "control `bg-17` of dana until 2026-03-20T00:00:00Z";
const WAF: &str = "control `cc-4` of sam protects risk acceptance `RA-12`";

fn scenarios() -> Vec<Scenario> {
    use Check::{Contract, Rescan};
    let upgrade = FixKind::DependencyUpgrade;
    let secret = FixKind::SecretToReference;
    let flag = FixKind::ConfigFlag;
    vec![
        scenario("dev-tool-upgrade", Case::harmless(upgrade), AutoApply, &[], &[]),
        scenario(
            "payments-upgrade",
            payments(upgrade),
            Suggest,
            &[(AutoApply, "cardholder-production"), (AutoApply, "tier-0-production")],
            &["ardholder"],
        ),
        scenario(
            "partner-contract",
            payments(FixKind::SecurityHeader).checked(
                Contract,
                Verdict::Failed,
                "`bank-partner` relies on content type `application/json`",
            ),
            Alert,
            &[
                (Suggest, "contract-failed"),
                (AutoApply, "cardholder-production"),
                (AutoApply, "tier-0-production"),
                (AutoApply, "contract-not-passed"),
            ],
            &["bank-partner"],
        ),
        scenario(
            "new-vulnerability",
            Case::harmless(flag).checked(Rescan, Verdict::Failed, "it adds `B602` in pdf.py"),
            Alert,
            &[(Suggest, "rescan-failed"), (AutoApply, "rescan-not-passed")],
            &["B602"],
        ),
        scenario(
            "sql-injection",
            Case::harmless(FixKind::Logic).set("service.tier", 0),
            Suggest,
            &[(AutoApply, "logic-fix"), (AutoApply, "tier-0-production")],
            &["logic"],
        ),
        scenario(
            "secret-staging",
            Case::harmless(secret)
                .set("service.production", false)
                .set("service.tier", 2),
            AutoApply,
            &[],
            &[],
        ),
        scenario(
            "secret-production",
            Case::harmless(secret).noted(
                "fix.variables_provisioned",
                false,
                "`SMTP_TOKEN` isn't provisioned in production",
            ),
            Suggest,
            &[(AutoApply, "variable-missing")],
            &["SMTP_TOKEN"],
        ),
        scenario(
            "break-glass",
            infra().noted("change.reverts_break_glass", true, EDGE),
            Alert,
            &[(Suggest, "reverts-break-glass")],
            &["bg-17", "dana", "2026-03-20"],
        ),
        scenario(
            "unexplained-drift",
            infra().unknown("change.drift_explained", "no actor is recorded"),
            Suggest,
            &[(AutoApply, "unexplained-drift")],
            &["change.drift_explained", "no actor is recorded"],
        ),
        scenario(
            "compensating-control",
            infra().noted("change.touches_compensating_control", true, WAF),
            Alert,
            &[(Suggest, "touches-compensating-control")],
            &["cc-4", "sam", "RA-12"],
        ),
        scenario(
            "hands-off",
            infra().noted("change.touches_hands_off", true, "control `ho-1` of kim"),
            Alert,
            &[(Suggest, "touches-hands-off")],
            &["ho-1"],
        ),
        scenario(
            "governance-files",
            Case::harmless(flag).noted("fix.governance_files", true, "`.github/workflows/ci.yml`"),
            Suggest,
            &[(AutoApply, "governance-files")],
            &["ci.yml"],
        ),
        scenario(
            "code-freeze",
            Case::harmless(flag).noted(
                "change.freeze_active",
                true,
                "freeze `Quarter close` ends 2026-04-02T06:00:00Z",
            ),
            Suggest,
            &[(AutoApply, "code-freeze")],
            &["Quarter close", "2026-04-02T06:00:00Z"],
        ),
        scenario(
            "recent-push",
            Case::harmless(flag).noted("change.pushed_by_others", true, "commit 1a2b3c4 by lee"),
            Suggest,
            &[(AutoApply, "recent-push")],
            &["1a2b3c4"],
        ),
        scenario(
            "unknown-service",
            ["tier", "production", "environment", "data_classes", "customer_facing"]
                .iter()
                .fold(Case::harmless(flag).set("service.known", false), |case, fact| {
                    case.unknown(&format!("service.{fact}"), "no catalogue knows the service")
                }),
            Alert,
            &[
                (Suggest, "unknown-service"),
                (AutoApply, "cardholder-production"),
                (AutoApply, "tier-0-production"),
            ],
            &["catalogue"],
        ),
        scenario(
            "red-baseline",
            Case::harmless(flag).checked(Check::Test, Verdict::Inconclusive, "the baseline's own tests are red"),
            Suggest,
            &[(AutoApply, "test-not-passed")],
            &["baseline's own tests"],
        ),
        scenario(
            "database",
            infra().noted("fix.critical_resource", true, "`aws_db_instance.ledger`"),
            Suggest,
            &[(AutoApply, "critical-resource")],
            &["aws_db_instance.ledger"],
        ),
        scenario(
            "minor upgrade",
            Case::harmless(upgrade).set("fix.upgrade_step", "minor"),
            Suggest,
            &[(AutoApply, "upgrade-not-patch")],
            &["patch"],
        ),
    ]
}

#[test]
fn every_scenario_ends_as_it_must_by_the_rules_that_it_must() {
    for scenario in scenarios() {
        let decision = scenario.case.release(&BASELINE);
        let name = scenario.name;
        assert_eq!(decision.level, scenario.level, "{name}: {:#?}", decision.bounds);
        assert_eq!(bound_ids(&decision), scenario.bounds, "{name}");
        assert_eq!(
            decision.permitted_by.len(),
            usize::from(decision.level > Alert),
            "{name}"
        );
        for text in scenario.names {
            let reason = &decision.bounds[0].reason;
            assert!(reason.contains(text), "{name}: `{reason}` doesn't name `{text}`");
        }
    }
}

/// Checks that fail, for the rules that no scenario of the table leaves alone with a check.
fn failing_checks() -> impl Iterator<Item = (String, Case)> {
    let of = |verdict: Verdict| {
        Check::ALL.into_iter().map(move |check| {
            (
                format!("{check} {verdict}"),
                Case::harmless(FixKind::ConfigFlag).checked(check, verdict, ""),
            )
        })
    };
    of(Verdict::Failed).chain(of(Verdict::Inconclusive))
}

/// All checks passed, in a sandbox that may not have held a hostile fix.
fn weakly_isolated() -> impl Iterator<Item = (String, Case)> {
    [Isolation::Unproven, Isolation::Namespaces]
        .into_iter()
        .map(|isolation| {
            let mut case = Case::harmless(FixKind::ConfigFlag);
            case.evidence.get_or_insert_default().isolation = isolation;
            (isolation.to_string(), case)
        })
}

#[test]
fn evidence_out_of_a_weak_sandbox_holds_a_fix_that_passed_everything() {
    for (isolation, case) in weakly_isolated() {
        let decision = case.release(&BASELINE);
        assert_eq!(decision.level, Suggest, "{isolation}");
        assert_eq!(bound_ids(&decision), [(AutoApply, "weak-isolation")], "{isolation}");
    }
}

/// One fact of the moment, of the fix or of a statement that alone holds an otherwise harmless fix.
fn held_by_one_fact() -> impl Iterator<Item = (String, Case)> {
    let facts: [(&str, FactValue); 12] = [
        ("change.window_open", false.into()),
        ("change.business_window_active", true.into()),
        ("change.downtime_needed", true.into()),
        ("change.reboot_needed", true.into()),
        ("change.migration_needed", true.into()),
        ("change.destroys_resources", true.into()),
        ("change.conflicting_branches", 2.into()),
        ("change.callers_pushed_by_others", true.into()),
        ("change.drift_by_human", true.into()),
        ("change.undoes_hardening", true.into()),
        ("fix.minimal", false.into()),
        ("finding.vex_status", "not_affected".into()),
    ];
    facts
        .into_iter()
        .map(|(id, value)| (id.to_owned(), Case::harmless(FixKind::ConfigFlag).set(id, value)))
}

#[test]
fn one_fact_of_the_moment_holds_an_otherwise_harmless_fix() {
    for (fact, case) in held_by_one_fact() {
        assert_eq!(case.release(&BASELINE).level, Suggest, "{fact}");
    }
}

#[test]
fn each_forbid_when_removed_changes_some_case() {
    let cases: Vec<(String, Case)> = scenarios()
        .into_iter()
        .map(|scenario| (scenario.name.to_owned(), scenario.case))
        .chain(failing_checks())
        .chain(held_by_one_fact())
        .chain(weakly_isolated())
        .collect();
    for policy in BASELINE
        .policies()
        .iter()
        .filter(|policy| policy.effect == Effect::Forbid)
    {
        let ablated = BASELINE.without(&policy.id);
        assert_ne!(ablated.digest(), BASELINE.digest());
        let changed = cases.iter().any(|(_, case)| {
            let (whole, without) = (case.release(&BASELINE), case.release(&ablated));
            assert!(without.level >= whole.level, "{} raised a level", policy.id);
            bound_ids(&whole) != bound_ids(&without)
        });
        assert!(changed, "no case needs {}", policy.id);
    }
}

#[test]
fn without_its_rule_a_scenario_rises_unless_another_rule_holds_it_too() {
    for scenario in scenarios() {
        let withholding: Vec<&str> = scenario.bounds.iter().map(|(_, id)| *id).collect();
        let ablated = withholding.iter().fold(BASELINE.clone(), |pack, id| pack.without(id));
        let level = scenario.case.release(&ablated).level;
        let expected = match scenario.name {
            // Nothing permits more than a suggestion for logic, whatever forbids.
            "sql-injection" => Suggest,
            _ => AutoApply,
        };
        assert_eq!(level, expected, "{}", scenario.name);
    }
}

#[test]
fn each_permit_is_needed() {
    let harmless = Case::harmless(FixKind::ConfigFlag);
    let without_auto = harmless.release(&BASELINE.without("auto-apply-mechanical"));
    assert_eq!(without_auto.level, Suggest);
    assert_eq!(without_auto.bounds[0].kind, BoundKind::NoPermit);
    let pack = BASELINE.without("auto-apply-mechanical").without("suggest-any-fix");
    assert_eq!(harmless.release(&pack).level, Alert);
}

#[test]
fn a_red_baseline_is_evidence_and_never_a_failure_of_the_fix() {
    let scenarios = scenarios();
    let red = scenarios.iter().find(|s| s.name == "red-baseline").unwrap();
    let bound = &red.case.release(&BASELINE).bounds[0];
    assert_eq!(bound.kind, BoundKind::Evidence);
    assert!(!bound.reason.contains("fail"), "{}", bound.reason);
}

#[test]
fn an_unknown_service_lists_what_is_unknown_and_who_could_supply_it() {
    let scenarios = scenarios();
    let case = &scenarios.iter().find(|s| s.name == "unknown-service").unwrap().case;
    let decision = case.release(&BASELINE);
    let unknowns: Vec<(&str, &str)> = decision
        .bounds
        .iter()
        .flat_map(|bound| &bound.unknowns)
        .map(|unknown| (unknown.id.as_str(), unknown.resolver.as_str()))
        .collect();
    for id in ["service.production", "service.data_classes", "service.tier"] {
        let (_, resolver) = unknowns.iter().find(|(unknown, _)| *unknown == id).unwrap();
        assert!(resolver.contains("catalogue"), "{id}");
    }
}
