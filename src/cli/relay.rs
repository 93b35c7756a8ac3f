//! `holdpoint relay`: inside the sandbox, stands between a step and the socket of the filtering proxy.

use clap::Args;
use std::process::ExitCode;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Shell command of the step
    pub command: String,
}

/// Ends as the command ends.
pub fn run(command: &str) -> ExitCode {
    match holdpoint_runner::agent::relay::relay(command) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("relay: {error}");
            ExitCode::FAILURE
        }
    }
}
