//! `holdpoint ledger checkpoint`

use anyhow::Result;
use holdpoint_ledger::note::Checkpoint;

use super::Global;
use crate::exit_code::ExitCode;
use crate::pipeline::{checkpoints, ledger_key};

pub fn run(global: &Global) -> Result<ExitCode> {
    let opened = super::open(global)?;
    let head = checkpoints::intact(&opened.ledger, &opened.trusted)?;
    let key = ledger_key::signer(&global.estate, &opened.config)?;
    let note = Checkpoint::sign(head, &key)?.to_string();
    let document = serde_json::json!({
        "checkpoint": note, "head": head.to_string(), "key": key.verifier().to_string()
    });
    global.print(&document, || note.clone())?;
    Ok(ExitCode::Success)
}
