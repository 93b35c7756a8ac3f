//! `holdpoint run`

use anyhow::{Context, Result};
use clap::Args;
use holdpoint_schemas::evidence::Check;
use holdpoint_schemas::length::Length;
use holdpoint_schemas::{Level, Timestamp};
use std::path::{Path, PathBuf};

use super::{Format, Global, print_json, print_line};
use crate::exit_code::ExitCode;
use crate::notify::{self, Gist, Message, Secrets};
use crate::output::night::NightWords;
use crate::output::table::Look;
use crate::output::{html, json, markdown, run_junit, run_sarif, table};
use crate::pipeline::archive;
use crate::pipeline::report::{Outcome, RunReport};
use crate::pipeline::run::{RunOptions, RunResult, run as run_pipeline};
use crate::pipeline::window::Window;

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
    /// End after so long, for example 2h: what is under way is stopped, what isn't done is reported as not reached
    #[arg(long, value_name = "TIME")]
    limit: Option<Length>,
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
        window: Window::starting(arguments.limit.map(Length::duration)),
        night: None,
    };
    let result = run_pipeline(&global.estate, &options, global.events()).await;
    let mut result = match result {
        Ok(result) => result,
        Err(error) => {
            for problem in tell_failure(&global.estate, options.at, &error).await {
                eprintln!("warning: {problem}");
            }
            return Err(error);
        }
    };
    let folder = conclude(&global.estate, &mut result).await?.folder;
    match global.format {
        Format::Human => {
            print_line(&table::summary(&result.report, Look::of_stdout()))?;
            let night = NightWords::of(&result.report).terminal();
            if !night.is_empty() {
                print_line(&format!("{night}\n"))?;
            }
            print_line(&closing(&result.report, &folder))?;
        }
        _ => print_json(&json::RunDocument::of(&result.report))?,
    }
    Ok(finish(global, &result))
}

/// This program, which replays recorded interactions inside the sandbox.
pub fn agent() -> Result<PathBuf> {
    std::env::current_exe().context("finding this program's own file")
}

/// What came of a run after its last decision.
pub struct Concluded {
    /// Folder of its reports.
    pub folder: PathBuf,
    /// Notifications that couldn't be sent, in words.
    pub unsent: Vec<String>,
}

/// Writes a run's reports and tells whom the estate names. Whom it can't tell is a warning of the run.
///
/// # Errors
/// When a report can't be written.
pub async fn conclude(estate: &Path, result: &mut RunResult) -> Result<Concluded> {
    let folder = write_reports(estate, &result.report)?;
    let (_, config) = crate::pipeline::estate::config(estate)?;
    if config.notify.is_empty() {
        return Ok(Concluded {
            folder,
            unsent: Vec::new(),
        });
    }
    let own = format!("{}/{}", archive::REPORTS, archive::folder_name(result.report.at));
    let message = Message::of_run(&result.report, &own);
    let secrets = Secrets::from_environment(&config.notify);
    let unsent = notify::tell(&config.notify, Gist::of(result), &message, &secrets).await;
    if !unsent.is_empty() {
        for problem in &unsent {
            eprintln!("warning: {problem}");
        }
        result.report.warnings.extend(unsent.iter().cloned());
        write_reports(estate, &result.report)?;
    }
    Ok(Concluded { folder, unsent })
}

/// Tells whom the estate names that a run broke off. What couldn't be sent comes back in words.
pub async fn tell_failure(estate: &Path, at: Timestamp, error: &anyhow::Error) -> Vec<String> {
    let Ok((_, config)) = crate::pipeline::estate::config(estate) else {
        return Vec::new();
    };
    let message = Message::of_failure(&config.name, at, &format!("{error:#}"));
    let gist = Gist {
        failed: true,
        ..Gist::default()
    };
    let secrets = Secrets::from_environment(&config.notify);
    notify::tell(&config.notify, gist, &message, &secrets).await
}

/// Writes the report beside the ledger, in every form, and keeps those of the runs before.
pub fn write_reports(estate: &Path, report: &RunReport) -> Result<PathBuf> {
    let config = crate::pipeline::estate::read_text(estate, crate::pipeline::estate::CONFIG_FILE)?;
    let config = holdpoint_intake::estate::read_estate(crate::pipeline::estate::CONFIG_FILE, &config)?;
    let folder = estate.join(&config.state);
    let forms: [(&'static str, archive::Writing<'_>); 6] = [
        (
            "report.html",
            Box::new(|out| Ok(out.write_all(html::html(report)?.as_bytes())?)),
        ),
        (
            "report.json",
            Box::new(|out| json::write(out, &json::RunDocument::of(report))),
        ),
        (
            "report.md",
            Box::new(|out| Ok(out.write_all(markdown::markdown(report).as_bytes())?)),
        ),
        (
            "report.junit.xml",
            Box::new(|out| Ok(out.write_all(run_junit::junit(report)?.as_bytes())?)),
        ),
        (
            "report.sarif",
            Box::new(|out| json::write(out, &run_sarif::sarif(report))),
        ),
        (LAST_RUN, Box::new(|out| Ok(serde_json::to_writer(out, report)?))),
    ];
    let forms = forms.map(|(name, write)| archive::Form {
        name,
        kept: name != LAST_RUN,
        write,
    });
    archive::write(&folder, report.at, &forms, config.keep_reports.unwrap_or(archive::KEPT))?;
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
