//! `holdpoint outcome`

use anyhow::Result;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Args, Subcommand};
use holdpoint_schemas::outcome::OutcomeKind;

use super::Global;
use crate::exit_code::ExitCode;
use crate::output::rollout as output;
use crate::pipeline::rollout::desk::{Desk, Told};
use crate::pipeline::session::blocking;

/// The kinds that a person may record. That something merged only the ledger says.
const KINDS: [OutcomeKind; 5] = [
    OutcomeKind::Reverted,
    OutcomeKind::Incident,
    OutcomeKind::HeldByReview,
    OutcomeKind::ValidationFailed,
    OutcomeKind::Flaky,
];

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Record what became of a fix: a revert or an incident lowers its lane at once
    #[command(after_long_help = EXAMPLES)]
    Record(Record),
}

const EXAMPLES: &str = "For example:\n  \
    holdpoint outcome record 4be81f0c --kind incident --reason \"checkout failed for 20 minutes\" --reference https://incidents.example/INC-2291";

#[derive(Debug, Args)]
pub struct Record {
    /// The fix's id or the merge's commit, or the beginning of one
    fix: String,
    /// What became of it
    #[arg(long, value_parser = PossibleValuesParser::new(KINDS.map(OutcomeKind::as_str)).map(|name| kind(&name)))]
    kind: OutcomeKind,
    /// Why, in your words
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// The incident, the revert or the review, as people find it
    #[arg(long, value_name = "URL")]
    reference: Option<String>,
    /// Who says so; git's `user.email` without it
    #[arg(long, value_name = "IDENTITY")]
    by: Option<String>,
}

pub async fn run(global: &Global, command: Command) -> Result<ExitCode> {
    let Command::Record(arguments) = command;
    let (root, now) = (global.estate.clone(), global.now());
    let recorded = blocking(move || {
        Desk::open(&root, now)?.record(&Told {
            fix: arguments.fix,
            kind: arguments.kind,
            reason: arguments.reason,
            reference: arguments.reference,
            by: arguments.by,
        })
    })
    .await?;
    global.print(&recorded, || output::recorded(&recorded))?;
    Ok(ExitCode::Success)
}

fn kind(name: &str) -> OutcomeKind {
    // The parser takes no other name; of all kinds this one weighs most.
    KINDS
        .into_iter()
        .find(|kind| kind.as_str() == name)
        .unwrap_or(OutcomeKind::Incident)
}
