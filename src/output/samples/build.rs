//! Builds sample items step by step.

use holdpoint_engine::graph::{BlastRadius, Dependent};
use holdpoint_schemas::actor::Remediator;
use holdpoint_schemas::decision::{Bound, BoundKind, Decision, InputDigests, Phase};
use holdpoint_schemas::evidence::{
    Check, CheckResult, Evidence, EvidenceRecord, Isolation, Side, StepEnd, StepRun, Verdict,
};
use holdpoint_schemas::fact::{Fact, FactReading, FactSet, FactTable, FactValue};
use holdpoint_schemas::finding::{Component, Finding, FindingClass, Fingerprint, Location, RepoFinding, Severity};
use holdpoint_schemas::fix::{ChangeKind, Classification, FileChange, Fix, FixKind};
use holdpoint_schemas::service::{NodeKind, ServiceId};
use holdpoint_schemas::{Digest, Level};

use super::at;
use crate::pipeline::report::{CiOnly, Outcome, ReportItem, Scenario};

/// Id, kind, tier, customer-facing, path.
pub type DependentRow<'a> = (&'a str, NodeKind, Option<u8>, Option<bool>, &'a [&'a str]);

/// Builds an item step by step.
pub struct Sample {
    item: ReportItem,
}

impl Sample {
    pub fn new(repo: &str, branch: &str, title: &str) -> Self {
        let known = repo != "reports";
        let finding = Finding {
            fingerprint: Fingerprint::of([repo, branch, title]),
            scanner: String::new(),
            rule: String::new(),
            title: title.to_owned(),
            severity: Severity::Unknown,
            class: FindingClass::Other,
            cwes: Vec::new(),
            aliases: Vec::new(),
            component: None,
            location: None,
            iac_address: None,
            fixed_versions: Vec::new(),
            details: holdpoint_schemas::finding::FindingDetails::default(),
        };
        let service = if known { repo } else { "unknown" };
        let mut facts = FactSet::new();
        if known {
            facts.insert(
                "service.production",
                known_fact((branch != "main" || repo != "notifications").into()),
            );
        }
        let decision = Decision {
            id: Digest::of_bytes(title.as_bytes()),
            finding: finding.fingerprint.clone(),
            repo: repo.to_owned(),
            branch: branch.to_owned(),
            service: ServiceId::from(service),
            fix: None,
            remediator: Remediator::none(),
            phase: Phase::Triage,
            level: Level::Alert,
            bounds: Vec::new(),
            permitted_by: Vec::new(),
            facts,
            at: at(),
            inputs: InputDigests {
                policies: Digest::of_bytes(b"policies"),
                schema: Digest::of_bytes(b"schema"),
                facts: Digest::of_bytes(b"facts"),
                diff: None,
                base: None,
                tree: None,
                evidence: None,
                rollout: Digest::of_bytes(b"rollout"),
                caps: Digest::of_bytes(b"caps"),
            },
        };
        Self {
            item: ReportItem {
                finding: RepoFinding {
                    repo: repo.to_owned(),
                    branch: branch.to_owned(),
                    finding,
                },
                service: service.to_owned(),
                fix: None,
                decision,
                evidence: None,
                outcome: Outcome::Alerted,
                ci_only: CiOnly::NotRun,
                blast: None,
                unknowns: Vec::new(),
                way: None,
                advice: Vec::new(),
                scenario: None,
            },
        }
    }

    pub fn finding(mut self, scanner: &str, rule: &str, severity: Severity, class: FindingClass) -> Self {
        let finding = &mut self.item.finding.finding;
        (finding.scanner, finding.rule) = (scanner.to_owned(), rule.to_owned());
        (finding.severity, finding.class) = (severity, class);
        self
    }

    pub fn component(mut self, name: &str, version: &str, fixed: &str) -> Self {
        self.item.finding.finding.component = Some(Component {
            purl: Some(format!("pkg:pypi/{name}@{version}")),
            name: name.to_owned(),
            version: Some(version.to_owned()),
        });
        self.item.finding.finding.fixed_versions = vec![fixed.to_owned()];
        self
    }

    pub fn location(mut self, path: &str, line: u32) -> Self {
        self.item.finding.finding.location = Some(Location {
            path: path.to_owned(),
            line: Some(line),
        });
        self
    }

    pub fn fix(
        mut self,
        remediator: &str,
        title: &str,
        kind: FixKind,
        because: &str,
        lines: &[(&str, u32, &str, &str)],
    ) -> Self {
        let diff_text: String = lines
            .iter()
            .map(|(path, line, old, new)| {
                format!("--- a/{path}\n+++ b/{path}\n@@ -{line} +{line} @@\n-{old}\n+{new}\n")
            })
            .collect();
        let files = lines.iter().map(|(path, line, old, new)| FileChange {
            path: (*path).to_owned(),
            kind: ChangeKind::Modified,
            removed: vec![(*line, (*old).to_owned())],
            added: vec![(*line, (*new).to_owned())],
        });
        let fix = Fix {
            id: Digest::of_bytes(diff_text.as_bytes()),
            repo: self.item.finding.repo.clone(),
            target_branch: self.item.finding.branch.clone(),
            base_commit: "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567".to_owned(),
            base_tree: "1".repeat(40),
            candidate_tree: "2".repeat(40),
            diff: Digest::of_bytes(diff_text.as_bytes()),
            diff_text,
            remediator: Remediator(remediator.to_owned()),
            title: title.to_owned(),
            resolves: vec![self.item.finding.finding.fingerprint.clone()],
            files: files.collect(),
            classification: Classification {
                kind,
                because: because.to_owned(),
                upgrades: Vec::new(),
                new_variables: Vec::new(),
                governance_files: Vec::new(),
                iac_addresses: Vec::new(),
                iac_removed: Vec::new(),
                critical_resources: Vec::new(),
                data_flow: Vec::new(),
                operations: holdpoint_schemas::fix::Operations::default(),
            },
            received_at: None,
            minimal: None,
            plan: None,
        };
        self.item.decision.fix = Some(fix.id.clone());
        self.item.decision.remediator = fix.remediator.clone();
        self.item.fix = Some(fix);
        self
    }

    pub fn checks(mut self, checks: &[(Check, Verdict, &str)]) -> Self {
        let step = |name: &str, side, millis| StepRun {
            step: name.to_owned(),
            side,
            end: StepEnd::Exited { code: 0 },
            millis,
            tail: "ok\n".to_owned(),
        };
        let results = checks.iter().map(|(check, verdict, reason)| {
            let result = CheckResult {
                verdict: *verdict,
                reason: (*reason).to_owned(),
                details: Vec::new(),
            };
            (*check, result)
        });
        self.item.evidence = Some(EvidenceRecord {
            evidence: Evidence {
                checks: results.collect(),
                new_findings: Vec::new(),
                sandbox: "docker, no network, read-only root, uid 10001".to_owned(),
                isolation: Isolation::Container,
                hosts: Vec::new(),
                flaky_tests: Vec::new(),
                candidate_green: Some(true),
            },
            steps: vec![
                step("prepare", Side::Baseline, 812),
                step("test", Side::Baseline, 1_430),
                step("prepare", Side::Candidate, 790),
                step("test", Side::Candidate, 12_450),
            ],
        });
        self.item.decision.phase = Phase::Release;
        self
    }

    pub fn detail(mut self, check: Check, line: &str) -> Self {
        let record = self.item.evidence.as_mut().unwrap();
        record
            .evidence
            .checks
            .get_mut(&check)
            .unwrap()
            .details
            .push(line.to_owned());
        self
    }

    pub fn fact(mut self, id: &str, value: FactValue, source: &str, hours: i64, note: Option<&str>) -> Self {
        let fact = Fact {
            value,
            source: source.to_owned(),
            observed_at: at() - jiff::SignedDuration::from_hours(hours),
            note: note.map(str::to_owned),
        };
        self.item.decision.facts.insert(id, fact);
        self
    }

    pub fn bound(
        mut self,
        withholds: Level,
        kind: BoundKind,
        id: &str,
        reason: &str,
        facts: &[&str],
        unlock: Option<&str>,
    ) -> Self {
        let set = &self.item.decision.facts;
        let readings = facts.iter().map(|id| FactReading {
            id: (*id).to_owned(),
            fact: set.get(id).cloned(),
        });
        let bound = Bound {
            withholds,
            kind,
            id: id.to_owned(),
            reason: reason.to_owned(),
            facts: readings.collect(),
            unknowns: facts
                .iter()
                .filter_map(|id| set.unknown(FactTable::shipped(), id))
                .collect(),
            unlock: unlock.map(str::to_owned),
        };
        self.item.decision.bounds.push(bound);
        self
    }

    pub fn permit(mut self, reason: &str) -> Self {
        self.item.decision.permitted_by.push(reason.to_owned());
        self
    }

    pub fn advice(mut self, text: &str) -> Self {
        self.item.advice.push(text.to_owned());
        self
    }

    pub fn blast(mut self, dependents: &[DependentRow<'_>]) -> Self {
        let dependents = dependents
            .iter()
            .map(|(id, kind, tier, customer_facing, path)| Dependent {
                id: ServiceId::from(*id),
                name: (*id).to_owned(),
                kind: *kind,
                tier: *tier,
                customer_facing: *customer_facing,
                path: path.iter().map(|id| ServiceId::from(*id)).collect(),
            });
        let dependents: Vec<Dependent> = dependents.collect();
        self.item.blast = Some(BlastRadius {
            service: self.item.decision.service.clone(),
            most_critical_tier: dependents.iter().filter_map(|d| d.tier).min(),
            reaches_revenue: None,
            reaches_customers: Some(dependents.iter().any(|d| d.customer_facing == Some(true))),
            dependents,
            in_cycle: false,
        });
        self
    }

    pub fn scenario(mut self, id: &str, title: &str, must_be: Level, must_name: &str) -> Self {
        self.item.scenario = Some(Scenario {
            id: id.to_owned(),
            title: title.to_owned(),
            must_be,
            must_name: must_name.to_owned(),
            met: false,
        });
        self
    }

    pub fn end(mut self, level: Level, ci_only: CiOnly, outcome: Outcome) -> ReportItem {
        self.item.decision.level = level;
        self.item.ci_only = ci_only;
        self.item.outcome = outcome;
        if let Some(scenario) = &mut self.item.scenario {
            scenario.met = scenario.must_be == level;
        }
        self.item
    }
}

fn known_fact(value: FactValue) -> Fact {
    Fact {
        value,
        source: "catalog-info.yaml".to_owned(),
        observed_at: at() - jiff::SignedDuration::from_hours(72),
        note: None,
    }
}
