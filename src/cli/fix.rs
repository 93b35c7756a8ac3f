//! `holdpoint fix`

use anyhow::Result;
use clap::Subcommand;
use std::path::PathBuf;

use super::Global;
use crate::exit_code::ExitCode;
use crate::output::classification::card;
use crate::pipeline::classify::classify;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Say from the diff alone what a patch does: mechanical or logic, and what it takes to take effect
    Classify {
        /// The patch, as `git diff` writes it; `-` for standard input
        patch: String,
        /// Folder of the git repo that it is made for; needs no estate, and nothing is written to it
        #[arg(long, default_value = ".", value_name = "DIR")]
        repo: PathBuf,
        /// Commit, branch or tag that it is made for
        #[arg(long, default_value = "HEAD", value_name = "REV")]
        base: String,
    },
}

pub fn run(global: &Global, command: &Command) -> Result<ExitCode> {
    let Command::Classify { patch, repo, base } = command;
    let found = classify(repo, base, patch)?;
    global.print(&found, || card(&found))?;
    Ok(ExitCode::Success)
}
