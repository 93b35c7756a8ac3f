//! `holdpoint ledger log`

use anyhow::Result;
use clap::Args;
use holdpoint_ledger::Entry;

use super::Global;
use crate::exit_code::ExitCode;
use crate::output::text::{clean, shorten};

#[derive(Debug, Args)]
pub struct Arguments {
    /// Only entries of this kind
    #[arg(long)]
    kind: Option<String>,
}

pub fn run(global: &Global, arguments: &Arguments) -> Result<ExitCode> {
    let entries = super::open(global)?.ledger.entries(arguments.kind.as_deref())?;
    global.print(&entries, || {
        let line = |entry: &Entry| {
            format!(
                "{:>6}  {}  {:<12}  {:<70}  {}",
                entry.seq,
                entry.at,
                entry.kind,
                about(&entry.body),
                short(&entry.leaf.to_string())
            )
        };
        entries.iter().map(line).collect::<Vec<_>>().join("\n")
    })?;
    Ok(ExitCode::Success)
}

/// What an entry is about, in one line: the fields that its kind has, in reading order.
fn about(body: &serde_json::Value) -> String {
    let fields = [
        "/state",
        "/statement/verb",
        "/statement/by",
        "/repo",
        "/branch",
        "/phase",
        "/level",
        "/title",
        "/commit",
        "/by",
        "/document",
        "/note",
        "/file",
    ];
    let words = fields
        .iter()
        .filter_map(|field| body.pointer(field)?.as_str())
        .map(|word| shorten(&clean(word), 40));
    shorten(&words.collect::<Vec<_>>().join(" "), 70)
}

/// Enough of a hash to tell entries apart; JSON has all of it.
fn short(hash: &str) -> &str {
    hash.get(..16).unwrap_or(hash)
}
