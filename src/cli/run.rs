//! `holdpoint run`

use anyhow::{Context, Result};
use clap::Args;
use holdpoint_schemas::Level;
use holdpoint_schemas::evidence::Check;
use std::path::{Path, PathBuf};

use super::{Format, Global, print_line};
use crate::exit_code::ExitCode;
use crate::output::table::Look;
use crate::output::{html, json, markdown, table};
use crate::pipeline::report::{Outcome, RunReport};
use crate::pipeline::run::{RunOptions, RunResult, run as run_pipeline};

/// The last run with everything in it, for `explain`; its form may change with every version.
pub const LAST_RUN: &str = "last-run.json";

#[derive(Debug, Args)]
pub struct Arguments {
    /// Only these findings (ids, or their beginnings)
    #[arg(long, value_name = "ID")]
    finding: Vec<String>,
    /// Decide and record, but open no pull request and merge nothing
    #[arg(long)]
    dry_run: bool,
    /// Also run the tests of fixes that triage holds, only to say what a CI-only tool would have done
    #[arg(long)]
    compare_ci: bool,
    /// Leave a check out; whatever needs its evidence then stays low
    #[arg(long, value_name = "CHECK", value_parser = parse_check)]
    skip_check: Vec<Check>,
}

fn parse_check(name: &str) -> Result<Check, String> {
    Check::ALL
        .into_iter()
        .find(|check| check.as_str() == name)
        .ok_or_else(|| {
            let names: Vec<&str> = Check::ALL.iter().map(|check| check.as_str()).collect();
            format!("the checks are {}", names.join(", "))
        })
}

pub async fn run(global: &Global, arguments: &Arguments) -> Result<ExitCode> {
    let options = RunOptions {
        at: global.now(),
        only: arguments.finding.clone(),
        dry_run: arguments.dry_run,
        validate: true,
        compare_ci: arguments.compare_ci,
        skip_checks: arguments.skip_check.clone(),
        agent: agent()?,
    };
    let result = run_pipeline(&global.estate, &options, global.events()).await?;
    let folder = write_reports(&global.estate, &result.report)?;
    match global.format {
        Format::Human => {
            print_line(&table::summary(&result.report, Look::of_stdout()))?;
            print_line(&closing(&result.report, &folder))?;
        }
        _ => print_line(&json::to_text(&json::RunDocument::of(&result.report))?)?,
    }
    Ok(finish(global, &result))
}

/// This program, which replays recorded interactions inside the sandbox.
pub fn agent() -> Result<PathBuf> {
    std::env::current_exe().context("finding this program's own file")
}

/// Writes the report beside the ledger, in every form.
pub fn write_reports(estate: &Path, report: &RunReport) -> Result<PathBuf> {
    let config = crate::pipeline::estate::read_text(estate, crate::pipeline::estate::CONFIG_FILE)?;
    let config = holdpoint_intake::estate::read_estate(crate::pipeline::estate::CONFIG_FILE, &config)?;
    let folder = estate.join(&config.state);
    let forms = [
        ("report.html", html::html(report)?),
        ("report.json", json::to_text(&json::RunDocument::of(report))?),
        ("report.md", markdown::markdown(report)),
        (LAST_RUN, serde_json::to_string(report)?),
    ];
    for (name, text) in forms {
        let path = folder.join(name);
        std::fs::write(&path, text).with_context(|| format!("writing `{}`", path.display()))?;
    }
    Ok(folder)
}

/// Where to look further.
pub fn closing(report: &RunReport, folder: &Path) -> String {
    let verified = if report.ledger_verified {
        "verified"
    } else {
        "NOT VERIFIED"
    };
    format!(
        "Report: {}\nLedger: {} ({verified})",
        folder.join("report.html").display(),
        report.ledger_head
    )
}

/// Tells bad inputs on stderr and chooses the exit code.
pub fn finish(global: &Global, result: &RunResult) -> ExitCode {
    for problem in &result.problems {
        eprintln!("{}", crate::failure::render(&problem.clone().into(), global.format));
    }
    if !result.problems.is_empty() {
        return ExitCode::BadInput;
    }
    let held = |item: &crate::pipeline::report::ReportItem| {
        item.decision.level != Level::AutoApply
            && !matches!(item.outcome, Outcome::AlreadyMerged { .. } | Outcome::Superseded { .. })
    };
    if result.report.items.iter().any(held) || !result.report.queue.overrides.is_empty() {
        ExitCode::NeedsHuman
    } else {
        ExitCode::Success
    }
}
