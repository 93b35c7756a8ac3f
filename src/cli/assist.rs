//! `holdpoint assist`

use anyhow::Result;
use clap::Args;
use holdpoint_schemas::length::Length;
use tokio::sync::watch;

use super::Global;
use super::run::agent;
use crate::exit_code::ExitCode;
use crate::failure::BadInput;
use crate::output::text::{clean, count};
use crate::pipeline::sharing::{Assisted, assist};

#[derive(Debug, Args)]
pub struct Arguments {
    /// How long to wait for a run to begin, for example `30m`; without, it ends at once where none is under way
    #[arg(long, value_name = "LENGTH")]
    wait: Option<Length>,
}

pub async fn run(global: &Global, arguments: Arguments) -> Result<ExitCode> {
    if global.at.is_some() {
        return Err(BadInput::new(
            "`assist` works as of the moment of the run that it helps, and takes no `--at`",
            "leave it out",
        )
        .into());
    }
    let wait = arguments.wait.map(Length::duration).unwrap_or_default();
    // Ctrl-C and SIGTERM end the sandbox's steps, and the process with them.
    let (_stop, stopped) = watch::channel(false);
    let assisted = assist(&global.estate, &agent()?, wait, global.events(), stopped).await?;
    global.print(&assisted, || human(&assisted))?;
    Ok(ExitCode::Success)
}

fn human(assisted: &Assisted) -> String {
    match &assisted.run_of {
        None => "No other host runs this estate.".to_owned(),
        Some(host) => format!(
            "Validated {} for the run on {}, which is over.",
            count(assisted.validated, "fix", "fixes"),
            clean(host)
        ),
    }
}
