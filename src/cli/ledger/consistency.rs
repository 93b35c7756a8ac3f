//! `holdpoint ledger consistency`

use anyhow::Result;
use clap::Args;
use holdpoint_ledger::Head;
use holdpoint_ledger::note::Checkpoint;
use holdpoint_ledger::proof::ConsistencyDocument;

use super::Global;
use crate::cli::print_line;
use crate::exit_code::ExitCode;
use crate::failure::BadInput;
use crate::pipeline::{checkpoints, ledger_key};

#[derive(Debug, Args)]
pub struct Arguments {
    /// What the ledger was: a number of entries, or a head `<entries>:<root>` from a report or a commit trailer
    #[arg(value_name = "OLD", value_parser = parse_state)]
    old: State,
    /// What it was later: a number of entries; without one, what it is now
    #[arg(value_name = "NEW", value_parser = super::parse_place)]
    new: Option<u64>,
}

/// A number of entries, with their root where somebody kept it.
#[derive(Debug, Clone, Copy)]
enum State {
    Size(u64),
    Head(Head),
}

fn parse_state(text: &str) -> Result<State, String> {
    match text.parse() {
        Ok(size) => Ok(State::Size(size)),
        Err(_) => text
            .parse()
            .map(State::Head)
            .map_err(|_| "expected a number of entries, or `<entries>:<root>`".to_owned()),
    }
}

pub fn run(global: &Global, arguments: &Arguments) -> Result<ExitCode> {
    let opened = super::open(global)?;
    let now = checkpoints::intact(&opened.ledger, &opened.trusted)?;
    let leaves = checkpoints::leaves(&opened.ledger)?;
    let (old, kept) = match arguments.old {
        State::Size(size) => (size, None),
        State::Head(head) => (head.size, Some(head)),
    };
    let new = arguments.new.unwrap_or(now.size);
    let key = ledger_key::signer(&global.estate, &opened.config)?;
    let head = leaves.head(new).filter(|_| new <= now.size);
    let document = match head {
        Some(head) => ConsistencyDocument::of(&leaves, old, new, Checkpoint::sign(head, &key)?.to_string()),
        None => None,
    };
    let Some(document) = document else {
        return Err(BadInput::new(
            format!(
                "the ledger has {} entries: it can't be shown from {old} to {new}",
                now.size
            ),
            "name an earlier and a later number of entries",
        )
        .into());
    };
    if let Some(kept) = kept.filter(|kept| *kept != document.first) {
        return Err(BadInput::new(
            format!(
                "the first {old} entries of the ledger have the root {}, not {}",
                document.first.root, kept.root
            ),
            "the ledger was rewritten since that head was published, or the head is another ledger's",
        )
        .into());
    }
    // It is for `ledger verify`, so it is JSON for people too.
    print_line(&serde_json::to_string_pretty(&document)?)?;
    Ok(ExitCode::Success)
}
