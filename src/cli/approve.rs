//! `holdpoint approve` and `holdpoint decline`

use anyhow::Result;
use clap::Args;
use holdpoint_schemas::approval::Verb;

use super::Global;
use super::signing::Who;
use crate::exit_code::ExitCode;
use crate::pipeline::approvals::{Signer, sign};
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
    let approval = blocking(move || {
        let signer = Signer::new(arguments.who.key, arguments.who.by)?;
        let mut session = Session::open(&root, at)?;
        sign(&mut session, &arguments.finding, verb, &signer, arguments.message)
    })
    .await?;
    let statement = &approval.statement;
    global.print(&approval, || match verb {
        Verb::Approve => format!(
            "Approved by {} until {}: exactly the tree {} on {}@{}, with these policies and facts. Any change voids it. To merge it:\n\n    {promote}",
            statement.by, statement.expires, statement.binding.tree, statement.binding.repo, statement.binding.target_branch
        ),
        Verb::Decline => format!("Declined by {}. Nothing will be merged unless they approve it after this, or two other people do.", statement.by),
    })?;
    Ok(ExitCode::Success)
}
