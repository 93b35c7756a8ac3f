//! Runs the conformance suite on a sandbox: `holdpoint-conformance docker`, or `holdpoint-conformance
//! kubernetes IMAGE RECORD [CONTEXT] [NAMESPACE] [RUNTIME_CLASS]`, which writes the record without which
//! evidence from a cluster can't reach auto-apply. Exit status 0: all passed; 11: not all; 1: could not be run.

use holdpoint_runner::conformance::{self, CaseResult};
use holdpoint_runner::sandbox::kubernetes::record::{ConformanceCase, ConformanceRecord};
use holdpoint_runner::{DockerSandbox, KubernetesSandbox, KubernetesSettings, Sandbox, SandboxSettings};
use holdpoint_schemas::estate::SandboxConfig;
use k8s_openapi::jiff::Timestamp;
use std::error::Error;
use std::process::ExitCode;

/// What DESIGN calls "failed or breaking".
const FAILED: u8 = 11;
const USAGE: &str =
    "usage: holdpoint-conformance docker | kubernetes IMAGE RECORD [CONTEXT] [NAMESPACE] [RUNTIME_CLASS]";
/// Names the run in labels.
const RUN: &str = "conformance";

#[tokio::main]
async fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let passed = match words.as_slice() {
        ["docker"] => docker().await,
        ["kubernetes", image, record, more @ ..] if more.len() <= 3 => kubernetes(image, record, more).await,
        _ => Err(USAGE.into()),
    };
    match passed {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(FAILED),
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn docker() -> Result<bool, Box<dyn Error>> {
    let sandbox = DockerSandbox::connect(SandboxSettings::new(SandboxConfig::default(), RUN)).await?;
    Ok(told(&sandbox, &conformance::run(&sandbox).await))
}

async fn kubernetes(image: &str, record: &str, more: &[&str]) -> Result<bool, Box<dyn Error>> {
    let mut config = SandboxConfig {
        image: Some(image.to_owned()),
        // The suite fills it up; a small one is full sooner.
        disk_mib: 64,
        ..SandboxConfig::default()
    };
    // An empty word stands for the default.
    let mut more = more
        .iter()
        .map(|word| Some(*word).filter(|word| !word.is_empty()).map(str::to_owned));
    config.kubernetes.context = more.next().flatten();
    config.kubernetes.namespace = more.next().flatten();
    config.kubernetes.runtime_class = more.next().flatten();
    let settings = KubernetesSettings::new(config, RUN);
    let suite = settings.suite.clone();
    let sandbox = KubernetesSandbox::connect(settings).await?;
    sandbox.sweep().await?;
    let results = conformance::run(&sandbox).await;
    let passed = told(&sandbox, &results);
    let cluster = sandbox.identity().clone();
    sandbox.close().await?;
    if cluster.uid.is_empty() {
        return Err("the cluster can't be told from others: this user may not read the namespace kube-system".into());
    }
    let written = ConformanceRecord {
        cluster,
        suite,
        at: Timestamp::now().to_string(),
        cases: results
            .iter()
            .map(|case| ConformanceCase {
                name: case.name.to_owned(),
                passed: case.failure.is_none(),
            })
            .collect(),
    };
    // Also of what failed: a record that proves nothing is better than an old one that did.
    std::fs::write(record, serde_json::to_string_pretty(&written)? + "\n")?;
    Ok(passed)
}

/// Prints what came of it. Whether all passed.
fn told(sandbox: &dyn Sandbox, results: &[CaseResult]) -> bool {
    println!("{}", sandbox.describe());
    for case in results {
        match &case.failure {
            None => println!("passed  {:>7} ms  {}", case.millis, case.name),
            Some(failure) => println!("FAILED  {:>7} ms  {}: {failure}", case.millis, case.name),
        }
    }
    let passed = results.iter().filter(|case| case.failure.is_none()).count();
    println!("{passed} of {} passed", results.len());
    !results.is_empty() && passed == results.len()
}
