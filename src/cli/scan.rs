//! `holdpoint scan`

use anyhow::Result;
use clap::Args;

use super::Global;
use crate::exit_code::ExitCode;
use crate::output::text::{clean, count};
use crate::pipeline::scan::{BranchScan, ScannerReport, scan};

#[derive(Debug, Args)]
pub struct Arguments {
    /// Only these repos of the estate
    #[arg(long, value_name = "NAME")]
    repo: Vec<String>,
    /// This branch, instead of those that reports are about
    #[arg(long, value_name = "NAME")]
    branch: Option<String>,
}

pub async fn run(global: &Global, arguments: Arguments) -> Result<ExitCode> {
    let (scans, problems) = scan(
        &global.estate,
        &arguments.repo,
        arguments.branch.as_deref(),
        global.now(),
        global.events(),
    )
    .await?;
    global.print(&serde_json::json!({ "scans": scans }), || human(&scans))?;
    for problem in &problems {
        eprintln!("{}", crate::failure::render(&problem.clone().into(), global.format));
    }
    Ok(exit_code(&scans, problems.is_empty()))
}

fn human(scans: &[BranchScan]) -> String {
    if scans.is_empty() {
        return "Nothing to scan: no repo names a scanner that runs in the sandbox.".to_owned();
    }
    let mut lines = Vec::new();
    for scan in scans {
        let manifest = &scan.manifest;
        lines.push(format!(
            "{}@{} at {:.12}",
            clean(&manifest.repo),
            clean(&manifest.branch),
            manifest.commit
        ));
        for (name, report) in &manifest.scanners {
            match report {
                ScannerReport::Report { findings, .. } => {
                    lines.push(format!(
                        "  {}: {}",
                        clean(name),
                        count(*findings, "finding", "findings")
                    ));
                }
                ScannerReport::Failed { reason } => {
                    lines.push(format!("  {}: no answer: {}", clean(name), clean(reason)));
                }
            }
            for finding in scan.findings.get(name).into_iter().flatten() {
                lines.push(format!(
                    "    {:<8}  {:<24}  {}  {}",
                    finding.severity.as_str(),
                    clean(&finding.rule),
                    super::findings::place(finding),
                    clean(&finding.title)
                ));
            }
        }
    }
    lines.push("The next `holdpoint run` reads these reports.".to_owned());
    lines.join("\n")
}

/// A scanner that gave no answer could have found anything.
fn exit_code(scans: &[BranchScan], all_read: bool) -> ExitCode {
    let failed = scans
        .iter()
        .flat_map(|scan| scan.manifest.scanners.values())
        .any(|report| matches!(report, ScannerReport::Failed { .. }));
    match (all_read, failed) {
        (false, _) => ExitCode::BadInput,
        (true, true) => ExitCode::Inconclusive,
        (true, false) => ExitCode::Success,
    }
}
