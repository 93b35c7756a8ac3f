//! Facts, evidence and questions for the tests.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use holdpoint_schemas::actor::Remediator;
use holdpoint_schemas::decision::{Cap, Decision};
use holdpoint_schemas::evidence::{Check, CheckResult, Evidence, Isolation, Verdict};
use holdpoint_schemas::fact::{Fact, FactSet, FactTable, FactValue};
use holdpoint_schemas::finding::{Finding, FindingClass, Fingerprint, RepoFinding, Severity};
use holdpoint_schemas::fix::{Classification, Fix, FixKind};
use holdpoint_schemas::rollout::Rollout;
use holdpoint_schemas::service::ServiceId;
use holdpoint_schemas::{Digest, Level, Timestamp};

use crate::decide::Question;
use crate::policy::{Pack, PolicySource};

pub(crate) static BASELINE: LazyLock<Pack> =
    LazyLock::new(|| Pack::compile("baseline", &policies("baseline"), FactTable::shipped()).unwrap());

/// A file of the shipped packs.
#[allow(
    clippy::disallowed_methods,
    reason = "a pack is a folder of files, and only tests read it"
)]
pub(crate) fn read_pack_file(name: &str) -> String {
    std::fs::read_to_string(format!("{FOLDER}/{name}")).unwrap()
}

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../policies");

/// Files of a folder of the shipped packs by their ending, as `folder/name`, sorted.
#[allow(
    clippy::disallowed_methods,
    reason = "a pack is a folder of files, and only tests read it"
)]
pub(crate) fn pack_files(folder: &str, ending: &str) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(format!("{FOLDER}/{folder}"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(ending))
        .map(|name| format!("{folder}/{name}"))
        .collect();
    names.sort();
    names
}

/// The policies of a folder.
pub(crate) fn policies(folder: &str) -> Vec<PolicySource> {
    pack_files(folder, ".cedar")
        .into_iter()
        .map(|path| PolicySource {
            text: read_pack_file(&path),
            path,
        })
        .collect()
}

pub(crate) fn now() -> Timestamp {
    "2026-03-17T02:30:00Z".parse().unwrap()
}

pub(crate) fn fact(value: impl Into<FactValue>) -> Fact {
    Fact {
        value: value.into(),
        source: "test".to_owned(),
        observed_at: now(),
        note: None,
    }
}

pub(crate) fn words(words: &[&str]) -> FactValue {
    FactValue::Set(words.iter().map(|word| (*word).to_owned()).collect())
}

/// A case: a question of which every part can be changed.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) facts: FactSet,
    pub(crate) evidence: Option<Evidence>,
    pub(crate) fix: Option<Fix>,
    pub(crate) rollout: Rollout,
    pub(crate) caps: Vec<Cap>,
    pub(crate) service: ServiceId,
    pub(crate) finding: RepoFinding,
}

impl Case {
    /// A mechanical fix of a low-tier production service, all of it known and nothing against it.
    pub(crate) fn harmless(kind: FixKind) -> Self {
        let mut facts = FactSet::new();
        let known: [(&str, FactValue); 34] = [
            ("finding.severity", "high".into()),
            ("finding.class", "config".into()),
            ("service.known", true.into()),
            ("service.tier", 3.into()),
            ("service.production", true.into()),
            ("service.environment", "production".into()),
            ("service.data_classes", words(&[])),
            ("service.customer_facing", false.into()),
            ("graph.dependents", 0.into()),
            ("graph.most_critical_tier", 3.into()),
            ("graph.reaches_customers", false.into()),
            ("fix.files", 1.into()),
            ("fix.governance_files", false.into()),
            ("fix.critical_resource", false.into()),
            ("fix.variables_provisioned", true.into()),
            ("change.freeze_active", false.into()),
            ("change.pushed_by_others", false.into()),
            ("change.reverts_break_glass", false.into()),
            ("change.touches_compensating_control", false.into()),
            ("change.touches_hands_off", false.into()),
            ("change.drift_explained", true.into()),
            ("change.drift_by_human", false.into()),
            ("change.undoes_hardening", false.into()),
            ("change.callers_pushed_by_others", false.into()),
            ("change.conflicting_branches", 0.into()),
            ("change.window_open", true.into()),
            ("change.business_window_active", false.into()),
            ("change.restart_needed", true.into()),
            ("change.reboot_needed", false.into()),
            ("change.downtime_needed", false.into()),
            ("change.migration_needed", false.into()),
            ("change.destroys_resources", false.into()),
            ("fix.minimal", true.into()),
            ("finding.vex_status", "none".into()),
        ];
        for (id, value) in known {
            facts.insert(id, fact(value));
        }
        let step = match kind {
            FixKind::DependencyUpgrade => "patch",
            _ => "none",
        };
        facts.insert("fix.class", fact(kind.class().as_str()));
        facts.insert("fix.kind", fact(kind.as_str()));
        facts.insert("fix.upgrade_step", fact(step));
        Self {
            facts,
            evidence: Some(all_passed()),
            fix: Some(fix(kind)),
            rollout: Rollout::up_to(Level::AutoApply),
            caps: vec![],
            service: "admin".into(),
            finding: finding(),
        }
    }

    pub(crate) fn set(mut self, id: &str, value: impl Into<FactValue>) -> Self {
        self.facts.insert(id, fact(value));
        self
    }

    pub(crate) fn noted(mut self, id: &str, value: impl Into<FactValue>, note: &str) -> Self {
        let fact = Fact {
            note: Some(note.to_owned()),
            ..fact(value)
        };
        self.facts.insert(id, fact);
        self
    }

    pub(crate) fn unknown(mut self, id: &str, why: &str) -> Self {
        self.facts.insert_unknown(id, why);
        self
    }

    pub(crate) fn checked(mut self, check: Check, verdict: Verdict, reason: &str) -> Self {
        self.evidence
            .get_or_insert_with(|| Evidence {
                isolation: Isolation::Container,
                ..Evidence::default()
            })
            .checks
            .insert(check, result(verdict, reason));
        self
    }

    pub(crate) fn question(&self) -> Question<'_> {
        Question {
            finding: &self.finding,
            service: &self.service,
            fix: self.fix.as_ref(),
            facts: &self.facts,
            evidence: self.evidence.as_ref(),
            rollout: &self.rollout,
            caps: &self.caps,
            now: now(),
        }
    }

    pub(crate) fn release(&self, pack: &Pack) -> Decision {
        crate::decide::release(pack, &self.question()).unwrap()
    }

    pub(crate) fn triage(&self, pack: &Pack) -> crate::decide::Triage {
        let question = Question {
            evidence: None,
            ..self.question()
        };
        crate::decide::triage(pack, &question).unwrap()
    }
}

/// Bound ids of a decision, each with the level that it withholds.
pub(crate) fn bound_ids(decision: &Decision) -> Vec<(Level, &str)> {
    decision.bounds.iter().map(|b| (b.withholds, b.id.as_str())).collect()
}

pub(crate) fn result(verdict: Verdict, reason: &str) -> CheckResult {
    CheckResult {
        verdict,
        reason: reason.to_owned(),
        details: vec![],
    }
}

pub(crate) fn all_passed() -> Evidence {
    let checks: BTreeMap<Check, CheckResult> = Check::ALL
        .into_iter()
        .map(|check| (check, result(Verdict::Passed, "it holds")))
        .collect();
    Evidence {
        checks,
        sandbox: "test".to_owned(),
        isolation: Isolation::Container,
        ..Evidence::default()
    }
}

fn finding() -> RepoFinding {
    RepoFinding {
        repo: "admin".to_owned(),
        branch: "main".to_owned(),
        finding: Finding {
            fingerprint: Fingerprint::of(["admin", "rule"]),
            scanner: "semgrep".to_owned(),
            rule: "rule".to_owned(),
            title: "a finding".to_owned(),
            severity: Severity::High,
            class: FindingClass::Config,
            cwes: vec![],
            aliases: vec![],
            component: None,
            location: None,
            iac_address: None,
            fixed_versions: vec![],
            details: holdpoint_schemas::finding::FindingDetails::default(),
        },
    }
}

fn fix(kind: FixKind) -> Fix {
    Fix {
        id: Digest::of_bytes(b"fix"),
        repo: "admin".to_owned(),
        target_branch: "main".to_owned(),
        base_commit: "c0ffee".to_owned(),
        base_tree: "aaaa".to_owned(),
        candidate_tree: "bbbb".to_owned(),
        diff: Digest::of_bytes(b"diff"),
        diff_text: String::new(),
        remediator: Remediator("fixbot".to_owned()),
        title: "a fix".to_owned(),
        resolves: vec![],
        files: vec![],
        classification: Classification {
            kind,
            because: String::new(),
            upgrades: vec![],
            new_variables: vec![],
            governance_files: vec![],
            iac_addresses: vec![],
            iac_removed: vec![],
            critical_resources: vec![],
            data_flow: Vec::new(),
            operations: holdpoint_schemas::fix::Operations::default(),
        },
        received_at: None,
        minimal: None,
        plan: None,
    }
}
