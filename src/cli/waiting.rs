//! `holdpoint waiting`

use anyhow::Result;
use clap::Args;

use super::Global;
use crate::exit_code::ExitCode;
use crate::output::waiting::human;
use crate::pipeline::approvals::list;
use crate::pipeline::session::{Session, blocking};

#[derive(Debug, Args)]
pub struct Arguments {}

pub async fn run(global: &Global, _: &Arguments) -> Result<ExitCode> {
    let (root, at) = (global.estate.clone(), global.now());
    let queue = blocking(move || list(&mut Session::open(&root, at)?)).await?;
    global.print(&queue, || human(&queue, &global.command_line()))?;
    Ok(if queue.waiting.is_empty() && queue.overrides.is_empty() {
        ExitCode::Success
    } else {
        ExitCode::NeedsHuman
    })
}
