//! `holdpoint demo`: the main job on a small fintech company.

use anyhow::{Context, Result};
use clap::Args;
use std::path::PathBuf;

use super::{Format, Global, print_json, print_line};
use crate::exit_code::ExitCode;
use crate::output::table::Look;
use crate::output::{json, table};
use crate::pipeline::demo;
use crate::pipeline::run::{RunOptions, run as run_pipeline};
use crate::pipeline::window::Window;

#[derive(Debug, Args)]
pub struct Arguments {
    /// New folder for the demo's repos and estate; a temporary one without it
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Only make the estate; don't run it
    #[arg(long)]
    prepare_only: bool,
}

pub async fn run(global: &Global, arguments: &Arguments) -> Result<ExitCode> {
    let root = match &arguments.dir {
        Some(dir) => dir.clone(),
        None => tempfile::Builder::new()
            .prefix("holdpoint-demo-")
            .tempdir()
            .context("making a temporary folder")?
            .keep(),
    };
    let made = demo::make(&root)?;
    if arguments.prepare_only {
        print_line(&format!("The demo estate is in {}", made.estate.display()))?;
        return Ok(ExitCode::Success);
    }
    let at = match global.at {
        Some(at) => at,
        None => demo::CLOCK.parse().context("the demo's own clock")?,
    };
    let options = RunOptions {
        at,
        only: Vec::new(),
        dry_run: false,
        validate: true,
        compare_ci: true,
        skip_checks: Vec::new(),
        agent: super::run::agent()?,
        window: Window::starting(None),
        night: None,
    };
    let mut result = run_pipeline(&made.estate, &options, global.events()).await?;
    demo::annotate(&mut result.report)?;
    let folder = super::run::write_reports(&made.estate, &result.report)?;
    let missed = result
        .report
        .items
        .iter()
        .filter(|item| item.scenario.as_ref().is_some_and(|scenario| !scenario.met))
        .count();
    match global.format {
        Format::Human => {
            print_line(&table::scenarios(&result.report, Look::of_stdout()))?;
            print_line(&super::run::closing(&result.report, &folder))?;
            print_line(&next_steps(&made, at))?;
        }
        _ => print_json(&json::RunDocument::of(&result.report))?,
    }
    anyhow::ensure!(missed == 0, "{missed} scenarios didn't end as they must");
    Ok(super::run::finish(global, &result))
}

fn next_steps(made: &demo::Demo, at: holdpoint_schemas::Timestamp) -> String {
    let estate = made.estate.display();
    format!(
        "\nNext, with an id from the table:\n  \
         holdpoint --estate {estate} explain ID\n  \
         holdpoint --estate {estate} --at {at} approve ID --key {} --by {}\n  \
         holdpoint --estate {estate} --at {at} promote ID\n  \
         holdpoint --estate {estate} ledger verify",
        made.key.display(),
        demo::APPROVER,
    )
}
