//! `holdpoint decide`

use anyhow::Result;
use clap::Args;

use super::{Format, Global, print_json, print_line};
use crate::exit_code::ExitCode;
use crate::output::table::Look;
use crate::output::{json, table};
use crate::pipeline::run::{RunOptions, run as run_pipeline};
use crate::pipeline::window::Window;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Only these findings (ids, or their beginnings)
    finding: Vec<String>,
}

pub async fn run(global: &Global, arguments: &Arguments) -> Result<ExitCode> {
    let options = RunOptions {
        at: global.now(),
        only: arguments.finding.clone(),
        dry_run: true,
        validate: false,
        compare_ci: false,
        skip_checks: Vec::new(),
        agent: super::run::agent()?,
        window: Window::starting(None),
        night: None,
    };
    let result = run_pipeline(&global.estate, &options, global.events()).await?;
    match global.format {
        Format::Human => print_line(&table::summary(&result.report, Look::of_stdout()))?,
        _ => print_json(&json::RunDocument::of(&result.report))?,
    }
    Ok(super::run::finish(global, &result))
}
