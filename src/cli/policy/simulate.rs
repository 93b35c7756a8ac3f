//! `holdpoint policy simulate`

use anyhow::Result;
use clap::Args;
use holdpoint_intake::estate::read_estate;
use holdpoint_ledger::LedgerError;

use crate::cli::{Global, run::LAST_RUN};
use crate::exit_code::ExitCode;
use crate::failure::BadInput;
use crate::output::simulation;
use crate::pipeline::approvals::approvers;
use crate::pipeline::estate::{CONFIG_FILE, read_text};
use crate::pipeline::history::History;
use crate::pipeline::packs;
use crate::pipeline::report::RunReport;
use crate::pipeline::rollout::desk::rollout_file;
use crate::pipeline::rollout::standing::Standing;
use crate::pipeline::simulate::{recorded, simulate};
use crate::pipeline::store::Location;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The pack to try: its folder, or the name of a shipped one
    #[arg(long = "with", value_name = "PACK")]
    with: String,
    /// Only decisions on these findings (ids, or their beginnings)
    #[arg(long, value_name = "ID", num_args = 1..)]
    findings: Vec<String>,
    /// End with 11 if any decision would go further than it does today
    #[arg(long)]
    fail_if_looser: bool,
}

pub fn run(global: &Global, arguments: &Arguments) -> Result<ExitCode> {
    let root = &global.estate;
    let config = read_estate(CONFIG_FILE, &read_text(root, CONFIG_FILE)?)?;
    let file = rollout_file(root, &config)?;
    let old = packs::of_estate(root)?;
    let new = super::named(global, &arguments.with)?;
    let state = root.join(&config.state);
    let last_run = state
        .join(LAST_RUN)
        .exists()
        .then(|| last_run(global, &config.state))
        .transpose()?;
    let ledger = Location::of(root, &config)?
        .open_existing()
        .map_err(|error| match error {
            LedgerError::Missing { .. } => BadInput::new(
                format!(
                    "there is no ledger in `{}`: nothing was decided here yet",
                    state.display()
                ),
                "start with `holdpoint run`",
            ),
            other => BadInput::new(
                other.to_string(),
                "restore the ledger from a copy, or move it away and start with `holdpoint run`",
            ),
        })?;
    let approvers = approvers(root, &config);
    let standing = Standing::of(&file, &History::read(&ledger)?.rollout, &approvers, global.now());
    let recorded = recorded(&ledger, last_run.as_ref(), &arguments.findings)?;
    let simulation = simulate(&old.pack, &new.pack, &standing.effective, &recorded);
    global.print(&simulation, || simulation::human(&simulation))?;
    Ok(if arguments.fail_if_looser && simulation.looser > 0 {
        ExitCode::Failed
    } else {
        ExitCode::Success
    })
}

fn last_run(global: &Global, state: &str) -> Result<RunReport> {
    let file = format!("{state}/{LAST_RUN}");
    serde_json::from_str(&read_text(&global.estate, &file)?).map_err(|error| {
        BadInput::new(
            format!("`{file}` isn't a report of this version: {error}"),
            "`holdpoint run` writes a new one",
        )
        .into()
    })
}
