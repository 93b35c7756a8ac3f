//! The shipped rows of the table of facts: one each, grouped by family.

use super::Action;
use super::table::{FactRow, FactType};

const EVERY: &[Action] = &Action::ALL;
const PROMOTE: &[Action] = &[Action::Promote];
const VERDICTS: &[&str] = &["failed", "inconclusive", "passed"];
const DAY: i64 = 86_400;

const fn fact(id: &'static str, fact_type: FactType, doc: &'static str, resolver: &'static str) -> FactRow {
    FactRow {
        id,
        fact_type,
        doc,
        ttl_seconds: None,
        resolver,
        actions: EVERY,
        evidence_order: &[],
    }
}

const fn dated(days: i64, row: FactRow) -> FactRow {
    FactRow {
        ttl_seconds: Some(days * DAY),
        ..row
    }
}

const fn evidence(id: &'static str, doc: &'static str) -> FactRow {
    FactRow {
        evidence_order: VERDICTS,
        ..fact(
            id,
            FactType::Word(VERDICTS),
            doc,
            "a sandbox run (`holdpoint run` or `holdpoint validate`)",
        )
    }
}

const fn approval(id: &'static str, fact_type: FactType, doc: &'static str) -> FactRow {
    FactRow {
        actions: PROMOTE,
        ..fact(
            id,
            fact_type,
            doc,
            "a person with a key in the estate's approvers (`holdpoint approve`)",
        )
    }
}

const CATALOGUE: &str = "the service's owner, in the catalogue (`catalog-info.yaml`)";
const DIFF: &str = "a candidate fix";

/// Every shipped fact, grouped by family. Adding one touches its row here and its collector.
pub const FACTS: &[FactRow] = &[
    fact(
        "finding.severity",
        FactType::Word(&["unknown", "info", "low", "medium", "high", "critical"]),
        "Severity as the scanner says it.",
        "the scanner",
    ),
    fact(
        "finding.class",
        FactType::Word(&["dependency", "code", "secret", "iac", "drift", "config", "other"]),
        "What kind of thing was found.",
        "the scanner",
    ),
    fact(
        "service.known",
        FactType::Bool,
        "Whether a catalogue describes the service that owns what the fix touches.",
        CATALOGUE,
    ),
    dated(
        90,
        fact(
            "service.tier",
            FactType::Long,
            "Criticality: 0 is the most critical tier, 3 the least.",
            CATALOGUE,
        ),
    ),
    dated(
        90,
        fact(
            "service.production",
            FactType::Bool,
            "Whether a merge reaches production.",
            "the service's owner, in the catalogue (`holdpoint.dev/deployments`)",
        ),
    ),
    dated(
        90,
        fact(
            "service.environment",
            FactType::Text,
            "The most protected environment that a merge reaches.",
            "the service's owner, in the catalogue (`holdpoint.dev/deployments`)",
        ),
    ),
    dated(
        90,
        fact(
            "service.data_classes",
            FactType::Set,
            "Kinds of data it handles, for example `cardholder`.",
            CATALOGUE,
        ),
    ),
    dated(
        90,
        fact(
            "service.compliance_scopes",
            FactType::Set,
            "Standards whose scope it is in, for example `pci-dss`.",
            "whoever keeps the scope, in the catalogue (`holdpoint.dev/compliance-scopes`)",
        ),
    ),
    dated(
        90,
        fact(
            "service.customer_facing",
            FactType::Bool,
            "Whether customers use it directly.",
            CATALOGUE,
        ),
    ),
    fact(
        "graph.dependents",
        FactType::Long,
        "How many services and outside parties can be affected if it breaks.",
        CATALOGUE,
    ),
    fact(
        "graph.most_critical_tier",
        FactType::Long,
        "The most critical tier among itself and its dependents; 0 is the most critical.",
        CATALOGUE,
    ),
    fact(
        "graph.reaches_customers",
        FactType::Bool,
        "Whether it or something that depends on it faces customers or an outside party.",
        CATALOGUE,
    ),
    fact(
        "graph.reaches_revenue",
        FactType::Bool,
        "Whether the organisation loses revenue while it or something that depends on it is down.",
        "the services' owners, in the catalogue (`holdpoint.dev/revenue-critical`)",
    ),
    fact(
        "fix.class",
        FactType::Word(&["mechanical", "logic"]),
        "Computed from the diff; what can't be classified is logic.",
        DIFF,
    ),
    fact(
        "fix.kind",
        FactType::Word(&[
            "dependency-upgrade",
            "secret-to-reference",
            "security-header",
            "config-flag",
            "iac-attribute",
            "logic",
        ]),
        "What the diff does.",
        DIFF,
    ),
    fact("fix.files", FactType::Long, "How many files it changes.", DIFF),
    fact(
        "fix.upgrade_step",
        FactType::Word(&["none", "patch", "minor", "major"]),
        "The farthest any dependency moves.",
        "a candidate fix whose versions can be compared",
    ),
    fact(
        "fix.upgrade_scope",
        FactType::Word(&["none", "dev", "runtime"]),
        "Whether a moved dependency ships with the service.",
        DIFF,
    ),
    fact(
        "fix.governance_files",
        FactType::Bool,
        "Whether it touches policies, controls, rollout, CODEOWNERS or CI.",
        DIFF,
    ),
    fact(
        "fix.critical_resource",
        FactType::Bool,
        "Whether it changes a database, a core IAM role or a network boundary.",
        DIFF,
    ),
    fact(
        "fix.variables_provisioned",
        FactType::Bool,
        "Whether every variable that it newly reads exists where it will run.",
        "whoever provisions the environment, in the estate's `environments.yaml`",
    ),
    dated(
        1,
        fact(
            "change.freeze_active",
            FactType::Bool,
            "Whether a code freeze covers the service now.",
            "whoever keeps the calendar, in the estate's `calendar.yaml`",
        ),
    ),
    dated(
        1,
        fact(
            "change.pushed_by_others",
            FactType::Bool,
            "Whether a person pushed to a touched file in the last three days.",
            "the repo's remote",
        ),
    ),
    dated(
        1,
        fact(
            "change.reverts_break_glass",
            FactType::Bool,
            "Whether it reverts an active break-glass change.",
            "the control's owner, in the estate's `controls.yaml`",
        ),
    ),
    dated(
        1,
        fact(
            "change.touches_compensating_control",
            FactType::Bool,
            "Whether it removes or changes an active compensating control.",
            "the control's owner, in the estate's `controls.yaml`",
        ),
    ),
    dated(
        1,
        fact(
            "change.touches_hands_off",
            FactType::Bool,
            "Whether it touches what a person asked automation to leave alone.",
            "the control's owner, in the estate's `controls.yaml`",
        ),
    ),
    fact(
        "change.drift_explained",
        FactType::Bool,
        "Whether the live change that it would undo has a known actor; yes when the finding isn't drift.",
        "whoever made the change, or the cloud's audit log",
    ),
    evidence(
        "evidence.build.verdict",
        "Whether the candidate still builds, compared with the baseline.",
    ),
    evidence(
        "evidence.test.verdict",
        "Whether the tests still pass, compared with the baseline.",
    ),
    evidence(
        "evidence.contract.verdict",
        "Whether what consumers rely on still holds.",
    ),
    evidence(
        "evidence.rescan.verdict",
        "Whether the finding is gone and nothing new appeared.",
    ),
    approval(
        "approval.verified",
        FactType::Bool,
        "Whether a verified signature approves exactly this change.",
    ),
    approval(
        "approval.independent",
        FactType::Bool,
        "Whether an approver is someone other than the change's author.",
    ),
    approval(
        "approval.independent_approvers",
        FactType::Long,
        "How many different people other than the change's author approved.",
    ),
    approval(
        "approval.approvers",
        FactType::Long,
        "How many different people approved.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Check;
    use crate::fact::row;

    #[test]
    fn ids_are_unique_dotted_and_documented() {
        let mut seen = std::collections::BTreeSet::new();
        for row in FACTS {
            assert!(seen.insert(row.id), "{} twice", row.id);
            assert!(row.id.contains('.'), "{}", row.id);
            assert!(row.doc.ends_with('.') && !row.resolver.is_empty(), "{}", row.id);
        }
    }

    #[test]
    fn every_check_has_its_evidence_row() {
        for check in Check::ALL {
            assert_eq!(row(check.fact_id()).unwrap().evidence_order, VERDICTS);
        }
    }
}
