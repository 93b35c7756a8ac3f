//! `holdpoint relay`: inside the sandbox, stands between a step and the socket of the filtering proxy.

use anyhow::Result;
use clap::Args;

use crate::exit_code::ExitCode;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Shell command of the step
    command: String,
}

/// Ends the process as the command ended: nothing of ours follows it.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let code = holdpoint_runner::agent::relay::relay(&arguments.command)?;
    std::process::exit(i32::from(code))
}
