//! `holdpoint ledger prove`

use anyhow::Result;
use clap::Args;
use holdpoint_ledger::note::Checkpoint;
use holdpoint_ledger::proof::InclusionDocument;

use super::Global;
use crate::cli::print_line;
use crate::exit_code::ExitCode;
use crate::failure::BadInput;
use crate::pipeline::{checkpoints, ledger_key};

#[derive(Debug, Args)]
pub struct Arguments {
    /// Number of the entry, as `ledger log` shows it; its body may be pruned
    #[arg(value_name = "SEQ", value_parser = super::parse_place)]
    seq: u64,
}

pub fn run(global: &Global, arguments: &Arguments) -> Result<ExitCode> {
    let opened = super::open(global)?;
    let head = checkpoints::intact(&opened.ledger, &opened.trusted)?;
    let leaves = checkpoints::leaves(&opened.ledger)?;
    let entry = opened.ledger.stub(arguments.seq)?;
    let path = leaves.prove_inclusion(arguments.seq - 1, head.size);
    let (Some(entry), Some(path)) = (entry, path) else {
        return Err(BadInput::new(
            format!("the ledger has {} entries, and no entry {}", head.size, arguments.seq),
            "`holdpoint ledger log` shows their numbers",
        )
        .into());
    };
    let key = ledger_key::signer(&global.estate, &opened.config)?;
    let document = InclusionDocument {
        format: InclusionDocument::FORMAT.to_owned(),
        seq: entry.seq,
        kind: entry.kind,
        at: entry.at,
        leaf: entry.leaf,
        path,
        checkpoint: Checkpoint::sign(head, &key)?.to_string(),
    };
    // It is for `ledger verify`, so it is JSON for people too.
    print_line(&serde_json::to_string_pretty(&document)?)?;
    Ok(ExitCode::Success)
}
