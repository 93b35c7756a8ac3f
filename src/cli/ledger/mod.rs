//! `holdpoint ledger`: one file per subcommand.

mod checkpoint;
mod consistency;
mod export;
mod key;
mod log;
mod prove;
mod prune;
mod verify;

use anyhow::Result;
use clap::Subcommand;
use holdpoint_ledger::Ledger;
use holdpoint_ledger::note::VerifierKey;
use holdpoint_schemas::estate::EstateConfig;

use super::Global;
use crate::exit_code::ExitCode;
use crate::pipeline::estate::{CONFIG_FILE, read_text};
use crate::pipeline::ledger_key;
use crate::pipeline::store;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print the entries
    Log(log::Arguments),
    /// Find any change: in the ledger, or in a bundle, proof or checkpoint that was made from it
    Verify(verify::Arguments),
    /// Make a bundle of a finding for an auditor: what was decided and done, on what grounds, signed and with proofs
    Export(export::Arguments),
    /// Print the ledger's signed head
    Checkpoint,
    /// Prove that an entry is in the ledger
    Prove(prove::Arguments),
    /// Prove that the ledger only added to what it was
    Consistency(consistency::Arguments),
    /// Let go of bodies that are older than `ledger.retention` says and that nothing later needs
    ///
    /// They are written to a file first, which is read back. Their entries keep their places, times and proofs.
    Prune(prune::Arguments),
    /// Print the public key that checkpoints and bundles are verified with
    Key(key::Arguments),
}

pub fn run(global: &Global, command: &Command) -> Result<ExitCode> {
    match command {
        Command::Log(arguments) => log::run(global, arguments),
        Command::Verify(arguments) => verify::run(global, arguments),
        Command::Export(arguments) => export::run(global, arguments),
        Command::Checkpoint => checkpoint::run(global),
        Command::Prove(arguments) => prove::run(global, arguments),
        Command::Consistency(arguments) => consistency::run(global, arguments),
        Command::Prune(arguments) => prune::run(global, arguments),
        Command::Key(arguments) => key::run(global, arguments),
    }
}

/// An estate's ledger, and whose checkpoints in it are believed.
struct Opened {
    config: EstateConfig,
    ledger: Ledger,
    trusted: Vec<VerifierKey>,
}

fn config(global: &Global) -> Result<EstateConfig> {
    Ok(holdpoint_intake::estate::read_estate(
        CONFIG_FILE,
        &read_text(&global.estate, CONFIG_FILE)?,
    )?)
}

fn open(global: &Global) -> Result<Opened> {
    let config = config(global)?;
    Ok(Opened {
        ledger: store::existing(&global.estate, &config)?,
        trusted: ledger_key::trusted(&global.estate, &config)?,
        config,
    })
}

/// A place in the log, from 1.
fn parse_place(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(place) if place > 0 => Ok(place),
        _ => Err("expected the number of an entry, from 1".to_owned()),
    }
}
