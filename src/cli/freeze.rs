//! `holdpoint freeze`

use anyhow::Result;
use clap::{Args, Subcommand};
use holdpoint_schemas::Timestamp;

use super::Global;
use super::signing::{Ending, Signature, document};
use crate::exit_code::ExitCode;
use crate::failure::BadInput;
use crate::output::claims as output;
use crate::output::text::clean;
use crate::pipeline::claims::freezes::{NewFreeze, add, list};
use crate::pipeline::claims::moments::beginning;
use crate::pipeline::session::blocking;

const EXAMPLES: &str = "For example:\n  \
    holdpoint freeze add \"INC-2291\" --services '*' --for 4h\n  \
    holdpoint freeze add \"Year end\" --services payments,ledger --environments production --from 2026-12-24 --until 2027-01-02";

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Freeze services: nothing is deployed to them until the freeze ends
    ///
    /// The entry is written to the file that `holdpoint.yaml` names under `calendar`, signed with your git
    /// identity and committed; push it yourself. One of `--for` and `--until` says when it ends.
    #[command(after_long_help = EXAMPLES)]
    Add(Add),
    /// List freezes, change windows and business hours, now and in the next 30 days
    List,
}

#[derive(Debug, Args)]
pub struct Add {
    /// Name for people, such as the incident's
    name: String,
    /// Services that it covers, by id and separated by commas; `'*'` covers all
    #[arg(long, required = true, value_delimiter = ',', value_name = "IDS")]
    services: Vec<String>,
    /// Environments that it covers, separated by commas; all without it
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    environments: Vec<String>,
    /// When it begins: a moment or a day (in UTC); now without it
    #[arg(long, value_name = "TIME", value_parser = beginning)]
    from: Option<Timestamp>,
    #[command(flatten)]
    ending: Ending,
    #[command(flatten)]
    signature: Signature,
}

pub async fn run(global: &Global, command: Command) -> Result<ExitCode> {
    let (root, now) = (global.estate.clone(), global.now());
    match command {
        Command::Add(arguments) => {
            let signing = arguments.signature.signing()?;
            let new = arguments.freeze()?;
            let added = blocking(move || add(&root, now, &new, signing)).await?;
            if let Some(why) = &added.unchecked {
                eprintln!(
                    "warning: whether these services and environments exist wasn't checked: {}",
                    clean(why)
                );
            }
            global.print(&document("freeze", &added.freeze, &added.recorded), || {
                output::frozen(&added.freeze, &added.recorded, now)
            })?;
        }
        Command::List => {
            let listed = list(&root, now)?;
            global.print(&serde_json::json!({ "entries": listed }), || {
                output::calendar(&listed, now)
            })?;
        }
    }
    Ok(ExitCode::Success)
}

impl Add {
    fn freeze(self) -> Result<NewFreeze, BadInput> {
        let end = self.ending.end().ok_or_else(|| {
            BadInput::new(
                "nobody says when the freeze ends",
                "say `--for 4h` or `--until 2026-12-01T08:00Z`",
            )
        })?;
        Ok(NewFreeze {
            name: self.name,
            services: self.services,
            environments: self.environments,
            from: self.from,
            end,
        })
    }
}
