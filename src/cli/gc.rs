//! `holdpoint gc`

use anyhow::{Context, Result};
use clap::Args;
use holdpoint_runner::cache::Cache;
use holdpoint_runner::sandbox::Swept;
use serde::Serialize;

use super::Global;
use crate::exit_code::ExitCode;
use crate::output::text::count;
use crate::pipeline::estate::Estate;
use crate::pipeline::session::blocking;
use crate::pipeline::validation::{BASELINES, LOGS, connect};

#[derive(Debug, Args)]
pub struct Arguments {
    /// Remove every kept baseline that isn't in use, and all logs of steps
    #[arg(long)]
    all: bool,
}

/// What was removed, and what stays.
#[derive(Serialize)]
struct Removed {
    containers: usize,
    volumes: usize,
    baselines: usize,
    kept_baselines: usize,
    kept_bytes: u64,
    logs: usize,
}

pub async fn run(global: &Global, arguments: &Arguments) -> Result<ExitCode> {
    let root = global.estate.clone();
    let estate = blocking(move || Estate::load(&root)).await?;
    let sandbox = connect(&estate, "gc").await?;
    let mut swept = Swept::default();
    // A sweep has a bound, since runs wait for it; here nobody does.
    loop {
        let more = sandbox.sweep().await.context("taking away what killed runs left")?;
        if more == Swept::default() {
            break;
        }
        swept.containers += more.containers;
        swept.volumes += more.volumes;
    }
    let _ = holdpoint_runner::proxy::sweep();
    let cache = Cache::open(estate.state().join(BASELINES), estate.config.sandbox.cache.clone())?;
    let evicted = if arguments.all {
        cache.clear(sandbox.as_ref()).await?
    } else {
        cache.evict(sandbox.as_ref()).await?
    };
    let logs = if arguments.all {
        remove_files(&estate.state().join(LOGS))?
    } else {
        0
    };
    let removed = Removed {
        containers: swept.containers,
        volumes: swept.volumes,
        baselines: evicted.removed,
        kept_baselines: evicted.kept,
        kept_bytes: evicted.bytes,
        logs,
    };
    global.print(&removed, || human(&removed))?;
    Ok(ExitCode::Success)
}

/// Removes a folder's files; returns how many.
fn remove_files(folder: &std::path::Path) -> Result<usize> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Ok(0);
    };
    let mut removed = 0;
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            std::fs::remove_file(entry.path()).context("removing a log")?;
            removed += 1;
        }
    }
    Ok(removed)
}

fn human(removed: &Removed) -> String {
    format!(
        "Removed {}, {}, {} and {}.\n{} kept, {} MB.",
        count(removed.containers, "container", "containers"),
        count(removed.volumes, "workspace or volume", "workspaces and volumes"),
        count(removed.baselines, "baseline", "baselines"),
        count(removed.logs, "log", "logs"),
        count(removed.kept_baselines, "baseline", "baselines"),
        removed.kept_bytes / 1_000_000
    )
}
