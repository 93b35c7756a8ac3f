//! `holdpoint contract`

mod diff;
mod language;
mod matching;
mod rules;
mod upgrade;

use anyhow::Result;
use clap::Subcommand;

use super::Global;
use crate::exit_code::ExitCode;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Compare two versions of a contract: can a client that worked before fail now
    ///
    /// OpenAPI, AsyncAPI, JSON Schema, Protocol Buffers, GraphQL, SQL and recorded HTTP interactions (Pact); files or
    /// folders. What it is, is told from names
    /// and content, unless `--kind` says so. Ends with 0 if nothing breaks a client, 11 if something does, 12 if not
    /// all could be compared, and 3 if a side can't be read.
    Diff(diff::Arguments),
    /// Hold an HTTP request or response against what was expected of it
    ///
    /// Both are JSON files of one message: `method`, `path`, `query`, `status`, `headers`, `body`, and Pact's
    /// `matchingRules` (specification 1 to 4) with what was expected. Ends with 0 if it matches, and 11 if not.
    Match(matching::Arguments),
    /// List the rules that changes are judged by
    Rules(rules::Arguments),
    /// Judge whether a repo's code bears another version of a dependency
    Upgrade(Box<upgrade::Arguments>),
}

pub fn run(global: &Global, command: &Command) -> Result<ExitCode> {
    match command {
        Command::Diff(arguments) => diff::run(global, arguments),
        Command::Match(arguments) => matching::run(global, arguments),
        Command::Rules(arguments) => rules::run(global, arguments),
        Command::Upgrade(arguments) => upgrade::run(global, arguments),
    }
}
