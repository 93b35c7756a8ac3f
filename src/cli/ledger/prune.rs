//! `holdpoint ledger prune`

use anyhow::Result;
use clap::Args;
use holdpoint_ledger::Pruned;

use super::config;
use crate::cli::Global;
use crate::exit_code::ExitCode;
use crate::pipeline::retention::prunable;
use crate::pipeline::state::State;
use crate::pipeline::store::{self, Location};

#[derive(Debug, Args)]
pub struct Arguments {
    /// Say what would go, and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Lets go of what is old and needed by nothing, under the lock of the state folder.
pub fn run(global: &Global, arguments: &Arguments) -> Result<ExitCode> {
    let dry_run = arguments.dry_run;
    let config = config(global)?;
    let now = global.now();
    let retention = &config.ledger.retention;
    let exports = global.estate.join(&config.state).join(&retention.exports);
    let pruned = if dry_run {
        let places = prunable(
            &store::existing(&global.estate, &config)?.entries(None)?,
            retention,
            now,
        )?;
        Pruned {
            bodies: places.len() as u64,
            ..Pruned::default()
        }
    } else {
        let mut state = State::take(&global.estate.join(&config.state))?;
        let mut ledger = state.ledger(&Location::of(&global.estate, &config)?)?;
        let places = prunable(&ledger.entries(None)?, retention, now)?;
        ledger.prune(&places, &exports, now)?
    };
    global.print(&pruned, || match (&pruned.export, dry_run) {
        (_, true) => format!("{} bodies would go", pruned.bodies),
        (None, _) => "Nothing is old enough to go".to_owned(),
        (Some(file), _) => format!(
            "{} bodies ({} bytes) went to `{}`; their places are still proved",
            pruned.bodies,
            pruned.bytes,
            file.display()
        ),
    })?;
    Ok(ExitCode::Success)
}
