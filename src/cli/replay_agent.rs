//! `holdpoint replay-agent`: inside the sandbox, starts a service and replays recorded requests.

use anyhow::{Context, Result};
use clap::Args;
use std::path::PathBuf;

use crate::exit_code::ExitCode;

#[derive(Debug, Args)]
pub struct Arguments {
    /// File that says what to start and what to send
    spec: PathBuf,
}

pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let spec = std::fs::read_to_string(&arguments.spec).with_context(|| format!("reading `{}`", arguments.spec.display()))?;
    holdpoint_runner::agent::replay(&spec, &mut std::io::stdout().lock())?;
    Ok(ExitCode::Success)
}
