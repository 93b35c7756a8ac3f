//! What a validation costs over the bare commands. One command:
//! `cargo bench -p holdpoint-runner --bench candidates`; the figures of one run are in
//! `benches/figures/candidates.json`.
//!
//! Two questions. *Overhead*: one candidate in the Docker sandbox, against the same commands in one
//! hand-written, equally isolated `docker run` each, whose workspace lies ready; in alternating pairs.
//! *Twenty candidates*: a baseline and twenty candidates of a repo, as many at once as `sandbox.at_once` says with
//! their steps in turn, against a bare cold run and twenty bare incremental ones on the host.
//! `HOLDPOINT_BENCH_REPO` names the one repo to measure.

#![allow(clippy::unwrap_used, reason = "a bench that can't set up has nothing to measure")]

mod bare;
mod repos;

use futures_util::{StreamExt as _, stream};
use holdpoint_runner::contract_check::ContractPlan;
use holdpoint_runner::sandbox::snapshot::SnapshotKey;
use holdpoint_runner::sandbox::{Limits, Sandbox as _};
use holdpoint_runner::schedule::{Budget, Weight};
use holdpoint_runner::turns::InTurn;
use holdpoint_runner::{
    Baseline, DockerSandbox, ReportReader, SandboxSettings, ValidationPlan, run_baseline, run_candidate,
};
use holdpoint_schemas::estate::{PrepareConfig, SandboxConfig, StepsConfig, TestsConfig};
use holdpoint_schemas::event::NoEvents;
use holdpoint_schemas::evidence::{Check, Side};
use holdpoint_schemas::finding::Finding;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Instant;

use repos::Repo;

const CANDIDATES: usize = 20;
const PAIRS: usize = 20;
/// One-sided 95 % quantile of Student's t with 19 degrees of freedom.
const T_95: f64 = 1.729;
/// What a candidate may take longer than the hand-written commands.
const MOST_RATIO: f64 = 1.05;
/// What all candidates may take: this much more than the bare commands, and so many seconds each.
const MOST_SHARE: f64 = 1.15;
const MOST_SECONDS_EACH: f64 = 0.3;

#[tokio::main]
async fn main() {
    let engine = DockerSandbox::connect(SandboxSettings::new(SandboxConfig::default(), "bench"))
        .await
        .unwrap();
    let sandbox = InTurn::new(Arc::new(engine), Budget::new(Weight::of_machine()));
    println!("{}", sandbox.describe());
    let mut overhead = Vec::new();
    let mut twenty = Vec::new();
    let only = std::env::var("HOLDPOINT_BENCH_REPO").ok();
    let wanted = |repo: &Repo| only.as_deref().is_none_or(|only| only == repo.name);
    for repo in [repos::python(), repos::node(), repos::rust()]
        .into_iter()
        .filter(wanted)
    {
        overhead.push(overhead_of(&sandbox, &repo).await);
        twenty.push(twenty_of(&sandbox, &repo).await);
    }
    if only.is_some() {
        return;
    }
    let figures = json!({
        "sandbox": sandbox.describe(),
        "overhead": overhead,
        "twenty_candidates": twenty,
    });
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../benches/figures/candidates.json");
    std::fs::write(path, serde_json::to_string_pretty(&figures).unwrap() + "\n").unwrap();
}

async fn overhead_of(sandbox: &InTurn, repo: &Repo) -> Value {
    let key = key_of(repo, 1);
    let baseline = baseline(sandbox, repo, &key).await;
    let by_hand = bare::ByHand::new(repo, &Limits::from(&SandboxConfig::default()));
    let (mut ours, mut theirs, mut inside) = (Vec::new(), Vec::new(), Vec::new());
    for pair in 0..PAIRS {
        let candidate = pair + 1;
        for turn in [pair % 2, (pair + 1) % 2] {
            if turn == 0 {
                let began = Instant::now();
                inside.push(ours_once(sandbox, repo, &baseline, candidate).await);
                ours.push(began.elapsed().as_secs_f64());
            } else {
                by_hand.ready(candidate);
                theirs.push(seconds_of(async { by_hand.run() }).await);
            }
        }
    }
    sandbox.drop_snapshot(&key).await.unwrap();
    let logs: Vec<f64> = ours
        .iter()
        .zip(&theirs)
        .map(|(ours, theirs)| (ours / theirs).ln())
        .collect();
    let mean = mean(&logs);
    let spread = logs.iter().map(|log| (log - mean).powi(2)).sum::<f64>() / (PAIRS as f64 - 1.0);
    let upper = (mean + T_95 * (spread / PAIRS as f64).sqrt()).exp();
    let figures = json!({
        "repo": repo.name,
        "pairs": PAIRS,
        "candidate_seconds": median(&ours),
        "of_it_in_steps_seconds": median(&inside),
        "by_hand_seconds": median(&theirs),
        "ratio": mean.exp(),
        "ratio_upper_95": upper,
        "within": upper <= MOST_RATIO,
    });
    println!("{figures}");
    figures
}

async fn twenty_of(sandbox: &InTurn, repo: &Repo) -> Value {
    let bare = bare::OnHost::new(repo);
    let cold = seconds_of(async { bare.run(0) }).await;
    let mut incremental = 0.0;
    for candidate in 1..=CANDIDATES {
        incremental += seconds_of(async { bare.run(candidate) }).await;
    }
    let key = key_of(repo, 2);
    let began = Instant::now();
    let baseline = &baseline(sandbox, repo, &key).await;
    let first = began.elapsed().as_secs_f64();
    let at_once = SandboxConfig::default().at_once;
    stream::iter(1..=CANDIDATES)
        .for_each_concurrent(at_once, |candidate| async move {
            ours_once(sandbox, repo, baseline, candidate).await;
        })
        .await;
    let total = began.elapsed().as_secs_f64();
    sandbox.drop_snapshot(&key).await.unwrap();
    let most = (cold + incremental) * MOST_SHARE + MOST_SECONDS_EACH * CANDIDATES as f64;
    let figures = json!({
        "repo": repo.name,
        "candidates": CANDIDATES,
        "at_once": at_once,
        "bare_cold_seconds": cold,
        "bare_incremental_seconds": incremental,
        "baseline_seconds": first,
        "total_seconds": total,
        "most_seconds": most,
        "within": total <= most,
    });
    println!("{figures}");
    figures
}

async fn baseline(sandbox: &InTurn, repo: &Repo, key: &SnapshotKey) -> Baseline {
    let plan = plan(repo, 0);
    let baseline = run_baseline(sandbox, &plan, Some(key), &NoReports, &NoEvents)
        .await
        .unwrap();
    assert!(baseline.snapshot.is_some());
    assert_eq!(baseline.record.side, Side::Baseline);
    baseline
}

/// Validates a candidate; how long its steps took, in seconds.
async fn ours_once(sandbox: &InTurn, repo: &Repo, baseline: &Baseline, candidate: usize) -> f64 {
    let plan = plan(repo, candidate);
    let record = run_candidate(sandbox, &plan, baseline, &NoReports, &NoEvents)
        .await
        .unwrap();
    assert_eq!(record.steps.len(), 2);
    for step in &record.steps {
        assert!(step.end.is_success(), "{}: {:?}\n{}", step.step, step.end, step.tail);
    }
    record.steps.iter().map(|step| step.millis as f64 / 1000.0).sum()
}

fn plan(repo: &Repo, candidate: usize) -> ValidationPlan {
    ValidationPlan {
        scrutiny: holdpoint_runner::scrutiny::Scrutiny::default(),
        subject: repo.name.to_owned(),
        checks: [Check::Build, Check::Test].into(),
        steps: StepsConfig {
            prepare: None,
            build: Some(repo.build.to_owned()),
            test: Some(repo.test.to_owned()),
        },
        unused: Vec::new(),
        limits: Limits::from(&SandboxConfig::default()),
        tests: TestsConfig::default(),
        reruns: 0,
        prepare: PrepareConfig::default(),
        packages: None,
        contract: ContractPlan::default(),
        scanners: Vec::new(),
        resolves: Vec::new(),
        baseline: repo.tar(0).into(),
        candidate: repo.tar(candidate).into(),
    }
}

fn key_of(repo: &Repo, part: u8) -> SnapshotKey {
    let name: String = repo.name.bytes().map(|byte| format!("{byte:02x}")).collect();
    SnapshotKey::new(format!("{part:02x}{:016x}{name}", std::process::id())).unwrap()
}

async fn seconds_of(what: impl Future<Output = ()>) -> f64 {
    let began = Instant::now();
    what.await;
    began.elapsed().as_secs_f64()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

/// No scanner runs here.
struct NoReports;

impl ReportReader for NoReports {
    fn read(&self, scanner: &str, _: Side, _: &[u8]) -> Result<Vec<Finding>, String> {
        Err(format!("`{scanner}` did not run"))
    }
}
