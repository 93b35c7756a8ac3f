//! `holdpoint rollout`

use anyhow::Result;
use clap::{Args, Subcommand};
use holdpoint_schemas::Timestamp;
use holdpoint_schemas::actor::Remediator;
use holdpoint_schemas::rollout::HaltScope;
use std::path::PathBuf;

use super::Global;
use crate::exit_code::ExitCode;
use crate::output::rollout as output;
use crate::pipeline::approvals::Signer;
use crate::pipeline::claims::moments;
use crate::pipeline::rollout::desk::{Desk, Wish};
use crate::pipeline::session::blocking;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show where each lane stands, what it has shown, and how far it is from its next stage
    Status {
        /// Only this lane
        #[arg(long, value_name = "LANE")]
        lane: Option<String>,
    },
    /// Take a lane one stage further, never above its ceiling; signed with your SSH key
    Advance {
        /// Lane of the rollout file
        lane: String,
        #[command(flatten)]
        order: Order,
    },
    /// Keep a lane from being promoted by its evidence, whatever that shows; signed with your SSH key
    ///
    /// Reverts and incidents still lower it.
    Hold {
        /// Lane of the rollout file
        lane: String,
        /// Until when: a moment such as 2026-12-01T08:00Z, or a day (to its end in UTC); without it until it is resumed
        #[arg(long, value_name = "TIME", value_parser = moments::end)]
        until: Option<Timestamp>,
        #[command(flatten)]
        order: Order,
    },
    /// Stop all automation, or that of one remediator: nothing merges, no pull request is opened; signed with your SSH key
    ///
    /// It holds from the next merge on, also for a run that is under way.
    Halt {
        /// Only what this remediator makes
        #[arg(long, value_name = "NAME")]
        remediator: Option<String>,
        #[command(flatten)]
        order: Order,
    },
    /// Let automation go on after a halt, or a lane that is held; signed with your SSH key
    Resume {
        /// Only what this remediator makes
        #[arg(long, value_name = "NAME", conflicts_with = "lane")]
        remediator: Option<String>,
        /// Let go of this lane, which is held
        #[arg(long, value_name = "LANE")]
        lane: Option<String>,
        #[command(flatten)]
        order: Order,
    },
}

/// Who orders something, and why.
#[derive(Debug, Args)]
pub struct Order {
    /// Why, in your words
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// SSH key to sign with; git's `user.signingkey` without it
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Who you are in the estate's approvers; git's `user.email` without it
    #[arg(long, value_name = "IDENTITY")]
    by: Option<String>,
}

pub async fn run(global: &Global, command: Command) -> Result<ExitCode> {
    let (root, now) = (global.estate.clone(), global.now());
    let (wish, order) = match command {
        Command::Status { lane } => {
            let status = blocking(move || Desk::reading(&root, now)?.status(lane.as_deref())).await?;
            global.print(&status, || output::status(&status, &global.command_line()))?;
            return Ok(if status.is_halted() {
                ExitCode::NeedsHuman
            } else {
                ExitCode::Success
            });
        }
        Command::Advance { lane, order } => (Wish::Advance { lane }, order),
        Command::Hold { lane, until, order } => (Wish::Hold { lane, until }, order),
        Command::Halt { remediator, order } => (Wish::Halt(scope(remediator)), order),
        Command::Resume {
            lane: Some(lane),
            order,
            ..
        } => (Wish::Release { lane }, order),
        Command::Resume { remediator, order, .. } => (Wish::Resume(scope(remediator)), order),
    };
    let done = blocking(move || {
        let signer = Signer::new(order.key, order.by)?;
        Desk::open(&root, now)?.order(&wish, &signer, &order.reason)
    })
    .await?;
    global.print(&done, || output::ordered(&done, &global.command_line()))?;
    Ok(ExitCode::Success)
}

fn scope(remediator: Option<String>) -> HaltScope {
    remediator.map_or(HaltScope::Estate, |name| HaltScope::Remediator(Remediator(name)))
}
