//! Hand-made items for the tests of every renderer.

use holdpoint_engine::graph::{BlastRadius, Dependent};
use holdpoint_schemas::actor::Remediator;
use holdpoint_schemas::decision::{Bound, BoundKind, Decision, InputDigests, Phase};
use holdpoint_schemas::evidence::{Check, CheckResult, Evidence, EvidenceRecord, Side, StepEnd, StepRun, Verdict};
use holdpoint_schemas::fact::{Fact, FactReading, FactSet, FactValue};
use holdpoint_schemas::finding::{Component, Finding, FindingClass, Fingerprint, Location, RepoFinding, Severity};
use holdpoint_schemas::fix::{ChangeKind, Classification, FileChange, Fix, FixKind};
use holdpoint_schemas::service::{Catalogue, Deployment, Edge, EdgeKind, NodeKind, Service, ServiceId};
use holdpoint_schemas::{Digest, Level, Timestamp};
use std::collections::BTreeSet;

use crate::pipeline::report::{CiOnly, Outcome, ReportItem, RunReport, Scenario};

/// The demo's clock.
pub fn at() -> Timestamp {
    "2026-03-17T02:30:00Z".parse().unwrap()
}

/// A run over one item of each kind.
pub fn report() -> RunReport {
    RunReport {
        estate: "Example Fintech".to_owned(),
        at: at(),
        pack: "baseline".to_owned(),
        ledger_head: format!("42:{}", Digest::of_bytes(b"root")),
        ledger_verified: true,
        sandbox: "docker, no network, read-only root, uid 10001".to_owned(),
        catalogue: catalogue(),
        items: vec![
            broken_contract(),
            unknown_service(),
            unprovisioned(),
            frozen(),
            merged(),
        ],
        warnings: vec!["state/reports/old.sarif:3:1: truncated; the report was left out".to_owned()],
    }
}

/// An upgrade of a build tool that was merged.
pub fn merged() -> ReportItem {
    Sample::new("admin", "main", "wheel 0.38.0 can be stalled by a crafted header")
        .finding(
            "osv-lockfile",
            "PYSEC-2022-43017",
            Severity::Medium,
            FindingClass::Dependency,
        )
        .component("wheel", "0.38.0", "0.38.1")
        .location("requirements-dev.txt", 4)
        .fix(
            "depbot",
            "Upgrade wheel to 0.38.1",
            FixKind::DependencyUpgrade,
            "only the version and hash of wheel in requirements-dev.txt change",
            &[("requirements-dev.txt", 4, "wheel==0.38.0", "wheel==0.38.1")],
        )
        .checks(&[
            (Check::Build, Verdict::Passed, "it builds as before"),
            (Check::Test, Verdict::Passed, "14 tests pass, as before"),
            (
                Check::Contract,
                Verdict::Passed,
                "nothing relies on a contract of admin",
            ),
            (
                Check::Rescan,
                Verdict::Passed,
                "PYSEC-2022-43017 is gone and nothing new appeared",
            ),
        ])
        .permit("a patch upgrade of a development dependency of a service that nothing depends on")
        .blast(&[])
        .scenario(
            "dev-tool-upgrade",
            "A build tool's patch upgrade",
            Level::AutoApply,
            "development dependency",
        )
        .end(
            Level::AutoApply,
            CiOnly::Merge,
            Outcome::Merged {
                branch: "main".to_owned(),
                commit: "4f1c2d3e4a5b6c7d8e9f00112233445566778899".to_owned(),
            },
        )
}

/// A configuration fix that a freeze holds.
pub fn frozen() -> ReportItem {
    let note = "`Quarter close` until 2026-04-02T06:00:00Z, as calendar.yaml says";
    Sample::new("accounts", "main", "Verbose errors are on in production configuration")
        .finding(
            "semgrep",
            "config.verbose-errors",
            Severity::Medium,
            FindingClass::Config,
        )
        .location("config/accounts.toml", 7)
        .fix(
            "codemod",
            "Turn verbose errors off",
            FixKind::ConfigFlag,
            "only the value of the existing key `verbose_errors` changes",
            &[(
                "config/accounts.toml",
                7,
                "verbose_errors = true",
                "verbose_errors = false",
            )],
        )
        .checks(&[
            (Check::Build, Verdict::Passed, "it builds as before"),
            (Check::Test, Verdict::Passed, "9 tests pass, as before"),
            (
                Check::Contract,
                Verdict::Passed,
                "all 3 recorded interactions of gateway still hold",
            ),
            (
                Check::Rescan,
                Verdict::Passed,
                "config.verbose-errors is gone and nothing new appeared",
            ),
        ])
        .fact("change.freeze_active", true.into(), "calendar.yaml", 0, Some(note))
        .bound(
            Level::AutoApply,
            BoundKind::Policy,
            "freeze",
            "a code freeze covers accounts: `Quarter close` until 2026-04-02T06:00:00Z",
            &["change.freeze_active"],
            Some("wait until the freeze ends on 2026-04-02 at 06:00 UTC, or have a person promote it"),
        )
        .permit("a mechanical change whose evidence passed")
        .blast(&[(
            "gateway",
            NodeKind::Service,
            Some(1),
            Some(true),
            &["gateway", "accounts"],
        )])
        .scenario(
            "code-freeze",
            "A fix under a code freeze",
            Level::Suggest,
            "Quarter close",
        )
        .end(
            Level::Suggest,
            CiOnly::Merge,
            Outcome::PullRequest {
                branch: "holdpoint/hp-accounts-verbose".to_owned(),
                document: "state/pull-requests/accounts-verbose.md".to_owned(),
                existed: false,
            },
        )
}

/// A header fix that breaks what the bank partner relies on.
pub fn broken_contract() -> ReportItem {
    let mismatch = "GET /payments/42: header `content-type`: expected `application/json`, got `text/html`";
    Sample::new("payments", "main", "JSON responses lack X-Content-Type-Options")
        .finding("semgrep", "http.missing-nosniff", Severity::Low, FindingClass::Code)
        .location("payments/server.py", 58)
        .fix(
            "model-a",
            "Send X-Content-Type-Options and tidy the response headers",
            FixKind::SecurityHeader,
            "response headers are added or changed",
            &[(
                "payments/server.py",
                58,
                "self.send_header(\"Content-Type\", \"application/json\")",
                "self.send_header(\"Content-Type\", \"text/html\")",
            )],
        )
        .checks(&[
            (Check::Build, Verdict::Passed, "it builds as before"),
            (Check::Test, Verdict::Passed, "21 tests pass, as before"),
            (
                Check::Contract,
                Verdict::Failed,
                "bank-partner relies on a response that changes: GET /payments/42",
            ),
        ])
        .detail(Check::Contract, mismatch)
        .fact("evidence.contract.verdict", "failed".into(), "runner", 0, None)
        .bound(
            Level::Suggest,
            BoundKind::Evidence,
            "contract-holds",
            "the contract check failed: bank-partner relies on a response that changes: GET /payments/42",
            &["evidence.contract.verdict"],
            Some("a fix that keeps `content-type: application/json`, or a new contract agreed with bank-partner"),
        )
        .blast(&[
            (
                "gateway",
                NodeKind::Service,
                Some(1),
                Some(true),
                &["gateway", "payments"],
            ),
            (
                "bank-partner",
                NodeKind::External,
                None,
                Some(true),
                &["bank-partner", "payments"],
            ),
            (
                "notifications",
                NodeKind::Service,
                Some(2),
                Some(false),
                &["notifications", "payments"],
            ),
        ])
        .scenario(
            "partner-contract",
            "A header fix that breaks a partner",
            Level::Alert,
            "bank-partner",
        )
        .end(Level::Alert, CiOnly::Merge, Outcome::Alerted)
}

/// A secret fix whose variable isn't there.
pub fn unprovisioned() -> ReportItem {
    let note = "`SMTP_TOKEN` isn't provisioned in production";
    Sample::new("notifications", "release", "A mail token is written in the source")
        .finding("semgrep", "secrets.smtp-token", Severity::High, FindingClass::Secret)
        .location("src/mail.js", 6)
        .fix(
            "model-a",
            "Read the mail token from the environment",
            FixKind::SecretToReference,
            "a literal becomes `process.env.SMTP_TOKEN`",
            &[(
                "src/mail.js",
                6,
                "const token = \"•••\";",
                "const token = process.env.SMTP_TOKEN;",
            )],
        )
        .checks(&[
            (Check::Build, Verdict::Passed, "it builds as before"),
            (Check::Test, Verdict::Passed, "11 tests pass, as before"),
            (
                Check::Contract,
                Verdict::Inconclusive,
                "no recorded contract names notifications",
            ),
            (
                Check::Rescan,
                Verdict::Passed,
                "secrets.smtp-token is gone and nothing new appeared",
            ),
        ])
        .fact(
            "fix.variables_provisioned",
            false.into(),
            "environments.yaml",
            26,
            Some(note),
        )
        .bound(
            Level::AutoApply,
            BoundKind::Policy,
            "variables-provisioned",
            "the fix reads `SMTP_TOKEN`, which isn't provisioned in production",
            &["fix.variables_provisioned", "service.production"],
            Some("provision `SMTP_TOKEN` in production and list it in environments.yaml"),
        )
        .permit("a mechanical change whose evidence passed")
        .blast(&[])
        .advice("The old token stays in the history: rotate it.")
        .scenario(
            "secret-production",
            "A secret whose variable isn't there",
            Level::Suggest,
            "SMTP_TOKEN",
        )
        .end(
            Level::Suggest,
            CiOnly::Merge,
            Outcome::PullRequest {
                branch: "holdpoint/hp-mail-token".to_owned(),
                document: "state/pull-requests/mail-token.md".to_owned(),
                existed: true,
            },
        )
}

/// A finding on a service that no catalogue knows.
pub fn unknown_service() -> ReportItem {
    Sample::new("reports", "main", "Temporary file with a predictable name")
        .finding("bandit", "B306", Severity::Medium, FindingClass::Code)
        .location("reports/build.py", 19)
        .fix(
            "model-a",
            "Use mkstemp",
            FixKind::Logic,
            "statements of the program change",
            &[(
                "reports/build.py",
                19,
                "path = tempfile.mktemp()",
                "fd, path = tempfile.mkstemp()",
            )],
        )
        .fact("service.known", false.into(), "catalogue", 0, None)
        .bound(
            Level::Suggest,
            BoundKind::UnknownFact,
            "known-service",
            "no catalogue describes the service, so nobody can say what it is or who depends on it",
            &["service.known", "service.production", "graph.dependents"],
            Some("describe it in a `catalog-info.yaml` with owner, tier and deployments"),
        )
        .scenario(
            "unknown-service",
            "A service that no catalogue knows",
            Level::Alert,
            "service.production",
        )
        .end(Level::Alert, CiOnly::NotRun, Outcome::Alerted)
}

/// Builds an item step by step.
struct Sample {
    item: ReportItem,
}

impl Sample {
    fn new(repo: &str, branch: &str, title: &str) -> Self {
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
                advice: Vec::new(),
                scenario: None,
            },
        }
    }

    fn finding(mut self, scanner: &str, rule: &str, severity: Severity, class: FindingClass) -> Self {
        let finding = &mut self.item.finding.finding;
        (finding.scanner, finding.rule) = (scanner.to_owned(), rule.to_owned());
        (finding.severity, finding.class) = (severity, class);
        self
    }

    fn component(mut self, name: &str, version: &str, fixed: &str) -> Self {
        self.item.finding.finding.component = Some(Component {
            purl: Some(format!("pkg:pypi/{name}@{version}")),
            name: name.to_owned(),
            version: Some(version.to_owned()),
        });
        self.item.finding.finding.fixed_versions = vec![fixed.to_owned()];
        self
    }

    fn location(mut self, path: &str, line: u32) -> Self {
        self.item.finding.finding.location = Some(Location {
            path: path.to_owned(),
            line: Some(line),
        });
        self
    }

    fn fix(
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
            },
            received_at: None,
        };
        self.item.decision.fix = Some(fix.id.clone());
        self.item.decision.remediator = fix.remediator.clone();
        self.item.fix = Some(fix);
        self
    }

    fn checks(mut self, checks: &[(Check, Verdict, &str)]) -> Self {
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

    fn detail(mut self, check: Check, line: &str) -> Self {
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

    fn fact(mut self, id: &str, value: FactValue, source: &str, hours: i64, note: Option<&str>) -> Self {
        let fact = Fact {
            value,
            source: source.to_owned(),
            observed_at: at() - jiff::SignedDuration::from_hours(hours),
            note: note.map(str::to_owned),
        };
        self.item.decision.facts.insert(id, fact);
        self
    }

    fn bound(
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
            unknowns: facts.iter().filter_map(|id| set.unknown(id)).collect(),
            unlock: unlock.map(str::to_owned),
        };
        self.item.decision.bounds.push(bound);
        self
    }

    fn permit(mut self, reason: &str) -> Self {
        self.item.decision.permitted_by.push(reason.to_owned());
        self
    }

    fn advice(mut self, text: &str) -> Self {
        self.item.advice.push(text.to_owned());
        self
    }

    fn blast(mut self, dependents: &[(&str, NodeKind, Option<u8>, Option<bool>, &[&str])]) -> Self {
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
            reaches_customers: Some(dependents.iter().any(|d| d.customer_facing == Some(true))),
            dependents,
            in_cycle: false,
        });
        self
    }

    fn scenario(mut self, id: &str, title: &str, must_be: Level, must_name: &str) -> Self {
        self.item.scenario = Some(Scenario {
            id: id.to_owned(),
            title: title.to_owned(),
            must_be,
            must_name: must_name.to_owned(),
            met: false,
        });
        self
    }

    fn end(mut self, level: Level, ci_only: CiOnly, outcome: Outcome) -> ReportItem {
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

/// The fintech estate's graph.
pub fn catalogue() -> Catalogue {
    let service = |id: &str, kind, tier: Option<u8>, classes: Option<&[&str]>| Service {
        id: ServiceId::from(id),
        name: id.to_owned(),
        kind,
        system: Some("banking".to_owned()),
        owner: Some("team-a".to_owned()),
        tier,
        customer_facing: Some(id == "gateway"),
        data_classes: classes.map(|words| words.iter().map(|w| (*w).to_owned()).collect::<BTreeSet<String>>()),
        repo: Some(id.to_owned()),
        path: String::new(),
        deployments: Some(vec![Deployment {
            environment: "production".to_owned(),
            branch: "main".to_owned(),
        }]),
        iac_addresses: Vec::new(),
        source: "catalog-info.yaml".to_owned(),
    };
    let edge = |from: &str, to: &str, kind| Edge {
        from: ServiceId::from(from),
        to: ServiceId::from(to),
        kind,
        sources: vec!["catalog-info.yaml".to_owned()],
    };
    Catalogue {
        services: vec![
            service("gateway", NodeKind::Service, Some(1), Some(&[])),
            service("payments", NodeKind::Service, Some(0), Some(&["cardholder"])),
            service("accounts", NodeKind::Service, Some(1), Some(&["personal"])),
            service("ledger", NodeKind::Service, Some(0), Some(&[])),
            service("notifications", NodeKind::Service, Some(2), Some(&[])),
            service("fx-rates", NodeKind::Service, Some(2), Some(&[])),
            service("admin", NodeKind::Service, Some(3), Some(&[])),
            service("statements", NodeKind::Service, Some(2), None),
            service("platform", NodeKind::Service, Some(1), Some(&[])),
            service("bank-partner", NodeKind::External, None, None),
            service("ledger-db", NodeKind::Resource, None, None),
        ],
        edges: vec![
            edge("gateway", "payments", EdgeKind::Http),
            edge("gateway", "accounts", EdgeKind::Http),
            edge("bank-partner", "payments", EdgeKind::Http),
            edge("payments", "ledger", EdgeKind::Http),
            edge("payments", "fx-rates", EdgeKind::Http),
            edge("notifications", "payments", EdgeKind::Event),
            edge("ledger", "ledger-db", EdgeKind::Database),
        ],
    }
}
