//! `holdpoint rescan`

use anyhow::Result;
use clap::Subcommand;
use holdpoint_runner::rescan::{State, states};
use std::path::PathBuf;

use super::Global;
use crate::exit_code::ExitCode;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Compare two reports of the same scanner: what is new, unchanged, updated, absent
    Diff {
        /// Report of the base
        base: PathBuf,
        /// Report of the candidate
        new: PathBuf,
    },
}

pub fn run(global: &Global, command: &Command) -> Result<ExitCode> {
    let Command::Diff { base, new } = command;
    let results = states(
        &super::findings::read(base)?.findings,
        &super::findings::read(new)?.findings,
    );
    let is_new = results.iter().any(|result| result.state == State::New);
    let shape = serde_json::json!({ "results": results });
    global.print(&shape, || {
        results
            .iter()
            .map(|result| format!("{:<10} {}  {}", result.state.as_str(), result.rule, result.fingerprint))
            .collect::<Vec<_>>()
            .join("\n")
    })?;
    Ok(if is_new { ExitCode::Failed } else { ExitCode::Success })
}
