//! `holdpoint ledger`

use anyhow::{Context, Result};
use clap::Subcommand;
use holdpoint_ledger::{Head, Ledger, ParseHeadError, Verification};

use super::Global;
use crate::exit_code::ExitCode;
use crate::failure::BadInput;
use crate::output::text::{clean, shorten};
use crate::pipeline::estate::{CONFIG_FILE, read_text};
use crate::pipeline::state::State;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print the entries
    Log {
        /// Only entries of this kind
        #[arg(long)]
        kind: Option<String>,
    },
    /// Find any changed, dropped, reordered or rewritten entry
    Verify {
        /// A head that you know from a report or a commit trailer: `<entries>:<root>`
        #[arg(long)]
        head: Option<String>,
    },
}

pub fn run(global: &Global, command: &Command) -> Result<ExitCode> {
    let config = holdpoint_intake::estate::read_estate(CONFIG_FILE, &read_text(&global.estate, CONFIG_FILE)?)?;
    let path = State::ledger_path(&global.estate.join(&config.state));
    if !path.exists() {
        return Err(BadInput::new(
            format!("there is no ledger at `{}`", path.display()),
            "`holdpoint run` starts one",
        )
        .into());
    }
    let ledger = Ledger::open(&path)?;
    match command {
        Command::Log { kind } => {
            let entries = ledger.entries(kind.as_deref())?;
            global.print(&entries, || {
                let line = |entry: &holdpoint_ledger::Entry| {
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
        Command::Verify { head } => {
            let expected: Option<Head> = match head {
                Some(text) => Some(text.parse().map_err(|error: ParseHeadError| {
                    BadInput::new(
                        error.to_string(),
                        "take it whole from a report or from a commit's `Holdpoint-Ledger` trailer",
                    )
                })?),
                None => None,
            };
            match ledger.verify(expected.as_ref()).context("verifying the ledger")? {
                Verification::Intact { head } => {
                    global.print(
                        &serde_json::json!({ "verified": true, "head": head.to_string() }),
                        || format!("The ledger is intact: {head}"),
                    )?;
                    Ok(ExitCode::Success)
                }
                Verification::Tampered { problems } => {
                    global.print(&serde_json::json!({ "verified": false, "problems": problems }), || {
                        format!(
                            "The ledger was changed:\n{}",
                            problems
                                .iter()
                                .map(|problem| format!("  - {problem}"))
                                .collect::<Vec<_>>()
                                .join("\n")
                        )
                    })?;
                    Ok(ExitCode::Failed)
                }
            }
        }
    }
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
