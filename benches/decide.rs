//! What a decision costs: the pack is compiled once per run, the graph built once, and triage and
//! release run for each finding. `cargo bench --bench decide` measures; the figures of one run are in
//! `figures/decide.json`.

#![allow(clippy::unwrap_used, reason = "a bench that can't set up has nothing to measure")]

use std::collections::BTreeSet;

use divan::Bencher;
use holdpoint_engine::decide::{self, Question};
use holdpoint_engine::graph::ServiceGraph;
use holdpoint_engine::policy::{Pack, PolicySource};
use holdpoint_schemas::actor::Remediator;
use holdpoint_schemas::evidence::{Check, CheckResult, Evidence, Isolation, Verdict};
use holdpoint_schemas::fact::{Fact, FactSet, FactTable, FactValue};
use holdpoint_schemas::finding::{Finding, FindingClass, Fingerprint, RepoFinding, Severity};
use holdpoint_schemas::fix::{Classification, Fix, FixKind};
use holdpoint_schemas::rollout::Rollout;
use holdpoint_schemas::service::{Catalogue, Edge, EdgeKind, NodeKind, Service, ServiceId};
use holdpoint_schemas::{Digest, Level, Timestamp};
use include_dir::{Dir, include_dir};

static BASELINE: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/policies/baseline");

const SERVICES: usize = 1_000;
const EDGES: usize = 5_000;

fn main() {
    divan::main();
}

#[divan::bench]
fn compile_of_the_baseline_pack(bencher: Bencher<'_, '_>) {
    let (sources, schema) = (baseline_sources(), FactTable::shipped());
    bencher.bench(|| Pack::compile("baseline", &sources, schema).unwrap());
}

#[divan::bench]
fn triage_of_one_finding(bencher: Bencher<'_, '_>) {
    let (pack, case) = (baseline(), Case::new());
    let question = case.question(None);
    let triage = decide::triage(&pack, &question).unwrap();
    assert!(
        !triage.checks.is_empty(),
        "a triage that ends at alert is the cheap one"
    );
    bencher.bench(|| decide::triage(&pack, &question).unwrap());
}

#[divan::bench]
fn release_of_one_finding(bencher: Bencher<'_, '_>) {
    let (pack, case) = (baseline(), Case::new());
    let question = case.question(Some(&case.evidence));
    assert_eq!(decide::release(&pack, &question).unwrap().level, Level::AutoApply);
    bencher.bench(|| decide::release(&pack, &question).unwrap());
}

#[divan::bench]
fn graph_of_1000_services_and_5000_edges(bencher: Bencher<'_, '_>) {
    let catalogue = catalogue();
    bencher.bench(|| ServiceGraph::new(&catalogue));
}

#[divan::bench]
fn blast_radius_among_1000_services_and_5000_edges(bencher: Bencher<'_, '_>) {
    let (graph, service) = (ServiceGraph::new(&catalogue()), service_id(0));
    let reached = graph.blast_radius(&service).unwrap().dependents.len();
    assert!(
        reached > SERVICES / 2,
        "only {reached} services rely on it: not the worst case"
    );
    bencher.bench(|| graph.blast_radius(&service));
}

fn baseline_sources() -> Vec<PolicySource> {
    let policies = BASELINE
        .files()
        .filter(|file| file.path().extension().is_some_and(|e| e == "cedar"));
    policies
        .map(|file| PolicySource {
            path: file.path().display().to_string(),
            text: file.contents_utf8().unwrap().to_owned(),
        })
        .collect()
}

fn baseline() -> Pack {
    Pack::compile("baseline", &baseline_sources(), FactTable::shipped()).unwrap()
}

/// The same on every run. Drawn freely, the edges make one large cycle, so that nearly every service
/// relies on every other: the worst case of its size.
fn catalogue() -> Catalogue {
    let mut draw = Draw(1);
    let edges = (0..EDGES).map(|_| {
        let from = draw.below(SERVICES);
        let to = (from + 1 + draw.below(SERVICES - 1)) % SERVICES;
        Edge {
            from: service_id(from),
            to: service_id(to),
            kind: EdgeKind::Unspecified,
            sources: vec!["generated".to_owned()],
            basis: holdpoint_schemas::service::EdgeBasis::Declared,
        }
    });
    Catalogue {
        edges: edges.collect(),
        services: (0..SERVICES).map(service).collect(),
        conflicts: Vec::new(),
    }
}

fn service_id(number: usize) -> ServiceId {
    ServiceId(format!("service-{number:04}"))
}

fn service(number: usize) -> Service {
    let id = service_id(number);
    Service {
        name: id.0.clone(),
        id,
        kind: NodeKind::Service,
        system: None,
        owner: None,
        tier: Some(3),
        customer_facing: Some(false),
        revenue_critical: None,
        data_classes: None,
        compliance_scopes: None,
        repo: None,
        path: String::new(),
        deployments: None,
        iac_addresses: Vec::new(),
        source: "generated".to_owned(),
        runtime: holdpoint_schemas::service::ServiceRuntime::default(),
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014): enough to scatter edges, and nothing to depend on.
struct Draw(u64);

impl Draw {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) >> 32).unwrap() % limit
    }
}

/// A mechanical fix of a low-tier service, all of it known and nothing against it: every policy of
/// the pack is evaluated, and triage has four checks to choose from.
struct Case {
    finding: RepoFinding,
    service: ServiceId,
    fix: Fix,
    facts: FactSet,
    evidence: Evidence,
    rollout: Rollout,
}

impl Case {
    fn new() -> Self {
        let passed = CheckResult {
            verdict: Verdict::Passed,
            reason: "it holds".to_owned(),
            details: Vec::new(),
        };
        Self {
            finding: finding(),
            service: "admin".into(),
            fix: fix(),
            facts: facts(),
            evidence: Evidence {
                checks: Check::ALL.into_iter().map(|check| (check, passed.clone())).collect(),
                sandbox: "bench".to_owned(),
                isolation: Isolation::Container,
                ..Evidence::default()
            },
            rollout: Rollout::up_to(Level::AutoApply),
        }
    }

    fn question<'a>(&'a self, evidence: Option<&'a Evidence>) -> Question<'a> {
        Question {
            finding: &self.finding,
            service: &self.service,
            fix: Some(&self.fix),
            facts: &self.facts,
            evidence,
            rollout: &self.rollout,
            caps: &[],
            now: Timestamp::UNIX_EPOCH,
        }
    }
}

fn facts() -> FactSet {
    let kind = FixKind::ConfigFlag;
    let known: [(&str, FactValue); 37] = [
        ("finding.severity", "high".into()),
        ("finding.class", "config".into()),
        ("service.known", true.into()),
        ("service.tier", 3.into()),
        ("service.production", true.into()),
        ("service.environment", "production".into()),
        ("service.data_classes", FactValue::Set(BTreeSet::new())),
        ("service.customer_facing", false.into()),
        ("graph.dependents", 0.into()),
        ("graph.most_critical_tier", 3.into()),
        ("graph.reaches_customers", false.into()),
        ("fix.class", kind.class().as_str().into()),
        ("fix.kind", kind.as_str().into()),
        ("fix.upgrade_step", "none".into()),
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
    let mut facts = FactSet::new();
    for (id, value) in known {
        let fact = Fact {
            value,
            source: "bench".to_owned(),
            observed_at: Timestamp::UNIX_EPOCH,
            note: None,
        };
        facts.insert(id, fact);
    }
    facts
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
            cwes: Vec::new(),
            aliases: Vec::new(),
            component: None,
            location: None,
            iac_address: None,
            fixed_versions: Vec::new(),
            details: holdpoint_schemas::finding::FindingDetails::default(),
        },
    }
}

fn fix() -> Fix {
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
        resolves: Vec::new(),
        files: Vec::new(),
        classification: Classification {
            kind: FixKind::ConfigFlag,
            because: String::new(),
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
    }
}
