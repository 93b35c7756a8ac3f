//! `holdpoint replay-agent`: inside the sandbox, starts a service and replays recorded requests.

use anyhow::{Context, Result};
use clap::Args;
use std::io::Read as _;

use crate::exit_code::ExitCode;

/// A longer specification is none of ours.
const MAX_SPEC_BYTES: u64 = 64 << 20;

/// Takes what to start and what to send on standard input.
#[derive(Debug, Args)]
pub struct Arguments {}

pub fn run(_arguments: &Arguments) -> Result<ExitCode> {
    let mut spec = String::new();
    std::io::stdin()
        .take(MAX_SPEC_BYTES)
        .read_to_string(&mut spec)
        .context("reading the specification")?;
    holdpoint_runner::agent::replay(&spec, &mut std::io::stdout().lock())?;
    Ok(ExitCode::Success)
}
