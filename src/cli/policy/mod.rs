//! `holdpoint policy`: one file per subcommand, and this table.

mod check;
mod coverage;
mod diff;
mod fmt;
mod new;
mod simulate;
mod test;
mod verify;

use anyhow::Result;
use clap::{Args, Subcommand};
use holdpoint_schemas::fact::FactTable;
use std::path::Path;

use super::Global;
use crate::exit_code::ExitCode;
use crate::failure::BadInput;
use crate::pipeline::estate::CONFIG_FILE;
use crate::pipeline::packs::{self, LoadedPack};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a rule with its cases from a template, or import a decision table
    New(new::Arguments),
    /// Check a pack's files, and prove that its policies are sound by themselves
    Check(check::Arguments),
    /// Say what a changed pack permits more or less than before, proved, with an example each way
    Diff(diff::Arguments),
    /// Prove what must hold of a pack for every possible finding
    Verify(verify::Arguments),
    /// Ask a pack about its test cases
    Test(test::Arguments),
    /// Say which policies and conditions the test cases cover, and which mutants they miss
    Coverage(coverage::Arguments),
    /// Replay the decisions on record under another pack, and show what would change
    Simulate(simulate::Arguments),
    /// Lay out policies by Cedar's own formatter
    Fmt(fmt::Arguments),
}

/// Which pack.
#[derive(Debug, Args)]
pub struct PackArgument {
    /// Folder of the pack, or the name of a shipped one; the estate's own if left out
    #[arg(value_name = "PACK")]
    pub pack: Option<String>,
}

impl PackArgument {
    /// The pack with all its files.
    ///
    /// # Errors
    /// When none is named and there is no estate, or something in it is wrong.
    pub fn open(&self, global: &Global) -> Result<LoadedPack> {
        match &self.pack {
            Some(name) => named(global, name),
            None => {
                if !global.estate.join(CONFIG_FILE).exists() {
                    return Err(BadInput::new(
                        format!(
                            "no pack is named, and there is no `{CONFIG_FILE}` in `{}`",
                            global.estate.display()
                        ),
                        "name a pack's folder or a shipped pack, or the estate with `--estate`",
                    )
                    .into());
                }
                packs::of_estate(&global.estate)
            }
        }
    }
}

/// The pack of that name, or in that folder below the working directory.
///
/// # Errors
/// When there is none, or something in it is wrong.
pub fn named(global: &Global, name: &str) -> Result<LoadedPack> {
    packs::open(Path::new("."), name, &facts(global)?)
}

/// The shipped facts, with those that the estate declares where there is one.
///
/// # Errors
/// When the estate's declarations can't be read.
pub fn facts(global: &Global) -> Result<FactTable> {
    if global.estate.join(CONFIG_FILE).exists() {
        packs::facts_of_estate(&global.estate)
    } else {
        Ok(FactTable::shipped().clone())
    }
}

/// Runs the subcommand that was asked for.
///
/// # Errors
/// What it couldn't do.
pub async fn run(global: &Global, command: Command) -> Result<ExitCode> {
    match command {
        Command::New(arguments) => new::run(global, &arguments),
        Command::Check(arguments) => check::run(global, &arguments).await,
        Command::Diff(arguments) => diff::run(global, &arguments).await,
        Command::Verify(arguments) => verify::run(global, &arguments).await,
        Command::Test(arguments) => test::run(global, arguments).await,
        Command::Coverage(arguments) => coverage::run(global, arguments).await,
        Command::Simulate(arguments) => simulate::run(global, &arguments),
        Command::Fmt(arguments) => fmt::run(global, &arguments),
    }
}
