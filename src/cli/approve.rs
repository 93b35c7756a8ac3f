//! `holdpoint approve` and `holdpoint decline`

use anyhow::Result;
use clap::Args;
use holdpoint_schemas::approval::Verb;

use super::Global;
use super::signing::Who;
use crate::exit_code::ExitCode;
use crate::output::approval;
use crate::pipeline::approvals::{Signer, say};
use crate::pipeline::session::{Session, blocking};

#[derive(Debug, Args)]
pub struct Arguments {
    /// Id of the finding whose fix waits, or its beginning
    finding: String,
    #[command(flatten)]
    who: Who,
    /// Why
    #[arg(long, short, value_name = "TEXT")]
    message: Option<String>,
}

pub async fn run(global: &Global, arguments: Arguments, verb: Verb) -> Result<ExitCode> {
    let (root, at) = (global.estate.clone(), global.now());
    let promote = global.command_line().of("promote", &arguments.finding);
    let said = blocking(move || {
        let signer = Signer::new(arguments.who.key, arguments.who.by)?;
        let mut session = Session::open(&root, at)?;
        say(&mut session, &arguments.finding, verb, &signer, arguments.message)
    })
    .await?;
    global.print(&said, || approval::human(&said, &promote))?;
    Ok(ExitCode::Success)
}
