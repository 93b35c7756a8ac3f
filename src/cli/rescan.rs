//! `holdpoint rescan`

use anyhow::Result;
use clap::Subcommand;
use holdpoint_runner::rescan::{State, StateOf, states};
use holdpoint_schemas::finding::Finding;
use std::path::PathBuf;

use super::Global;
use crate::exit_code::ExitCode;
use crate::output::text::clean;

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
    let (before, after) = (
        super::findings::read(base)?.findings,
        super::findings::read(new)?.findings,
    );
    let results = states(&before, &after);
    let is_new = results.iter().any(|result| result.state == State::New);
    let shape = serde_json::json!({ "results": results });
    global.print(&shape, || {
        let lines = results.iter().map(|result| {
            let same = |finding: &&Finding| finding.fingerprint == result.fingerprint;
            let finding = after.iter().find(same).or_else(|| before.iter().find(same));
            let (place, title) = finding.map_or_else(Default::default, |finding| {
                (super::findings::place(finding), clean(&finding.title))
            });
            format!(
                "  {:<10} {}  {place}  {title}",
                result.state.as_str(),
                clean(&result.rule)
            )
        });
        std::iter::once(summary(&results))
            .chain(lines)
            .collect::<Vec<_>>()
            .join("\n")
    })?;
    Ok(if is_new { ExitCode::Failed } else { ExitCode::Success })
}

/// How many findings are in each state.
fn summary(results: &[StateOf]) -> String {
    let states = [State::New, State::Unchanged, State::Updated, State::Absent];
    let numbers = states.map(|state| {
        let number = results.iter().filter(|result| result.state == state).count();
        format!("{number} {}", state.as_str())
    });
    numbers.join(", ")
}
