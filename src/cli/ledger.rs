//! `holdpoint ledger`

use anyhow::{Context, Result};
use clap::Subcommand;
use holdpoint_ledger::{Head, ParseHeadError, Pruned, Verification};
use holdpoint_schemas::estate::EstateConfig;

use super::Global;
use crate::exit_code::ExitCode;
use crate::failure::BadInput;
use crate::output::text::{clean, shorten};
use crate::pipeline::estate::{CONFIG_FILE, read_text};
use crate::pipeline::retention::prunable;
use crate::pipeline::state::State;
use crate::pipeline::store::{self, Location};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print the entries
    Log {
        /// Only entries of this kind
        #[arg(long)]
        kind: Option<String>,
    },
    /// Let go of bodies that are older than `ledger.retention` says and that nothing later needs
    ///
    /// They are written to a file first, which is read back. Their entries keep their places, times and proofs.
    Prune {
        /// Say what would go, and change nothing
        #[arg(long)]
        dry_run: bool,
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
    let ledger = || store::existing(&global.estate, &config);
    match command {
        Command::Prune { dry_run } => prune(global, &config, *dry_run),
        Command::Log { kind } => {
            let entries = ledger()?.entries(kind.as_deref())?;
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
            match ledger()?.verify(expected.as_ref()).context("verifying the ledger")? {
                Verification::Intact { head, pruned } => {
                    global.print(
                        &serde_json::json!({ "verified": true, "head": head.to_string(), "pruned": pruned }),
                        || match pruned {
                            0 => format!("The ledger is intact: {head}"),
                            gone => format!("The ledger is intact: {head}\nBodies of {gone} entries were pruned; their places are still proved."),
                        },
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

/// Lets go of what is old and needed by nothing, under the lock of the state folder.
fn prune(global: &Global, config: &EstateConfig, dry_run: bool) -> Result<ExitCode> {
    let now = global.now();
    let retention = &config.ledger.retention;
    let exports = global.estate.join(&config.state).join(&retention.exports);
    let pruned = if dry_run {
        let places = prunable(&store::existing(&global.estate, config)?.entries(None)?, retention, now)?;
        Pruned {
            bodies: places.len() as u64,
            ..Pruned::default()
        }
    } else {
        let mut state = State::take(&global.estate.join(&config.state))?;
        let mut ledger = state.ledger(&Location::of(&global.estate, config)?)?;
        let places = prunable(&ledger.entries(None)?, retention, now)?;
        ledger.prune(&places, &exports, now)?
    };
    global.print(&pruned, || match (&pruned.export, dry_run) {
        (_, true) => format!("{} bodies would go", pruned.bodies),
        (None, _) => "Nothing is old enough to go".to_owned(),
        (Some(file), _) => format!(
            "{} bodies ({} bytes) went to `{}`; their places are still proved",
            pruned.bodies,
            pruned.bytes,
            file.display()
        ),
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
