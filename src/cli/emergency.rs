//! `holdpoint override` and `holdpoint acknowledge`

use anyhow::Result;
use clap::Args;
use holdpoint_schemas::length::Length;

use super::Global;
use super::signing::Who;
use crate::exit_code::ExitCode;
use crate::notify::{self, Gist, Message, Secrets};
use crate::pipeline::approvals::{Override, Signer, acknowledge as sign_reviews, override_waiting};
use crate::pipeline::session::{Session, blocking};

#[derive(Debug, Args)]
pub struct Arguments {
    /// Id of the finding whose fix waits, or its beginning
    finding: String,
    /// What the emergency is, for whoever looks at it afterwards
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// How long it holds: 30m, 2h; the estate's longest without it
    #[arg(long, value_name = "TIME", value_parser = Length::positive)]
    expires: Option<Length>,
    #[command(flatten)]
    who: Who,
}

pub async fn run(global: &Global, arguments: Arguments) -> Result<ExitCode> {
    let (root, at) = (global.estate.clone(), global.now());
    let line = global.command_line();
    let promote = line.of("promote", &arguments.finding);
    let acknowledge = format!(
        "{} --message 'WHAT YOU FOUND'",
        line.signed("acknowledge", &arguments.finding)
    );
    let (signed, message, notify) = blocking(move || {
        let signer = Signer::new(arguments.who.key, arguments.who.by)?;
        let mut session = Session::open(&root, at)?;
        let wanted = Override {
            reason: arguments.reason,
            lifetime: arguments.expires,
        };
        let signed = override_waiting(&mut session, &arguments.finding, &signer, &wanted)?;
        let title = session
            .history()?
            .fixes
            .get(&signed.statement.fix)
            .map(|fix| fix.title.clone());
        let config = &session.estate.config;
        let message = Message::of_override(&config.name, &signed.statement, &title.unwrap_or_default());
        Ok((signed, message, config.notify.clone()))
    })
    .await?;
    // It is on record whoever can be told.
    let secrets = Secrets::from_environment(&notify);
    for problem in notify::tell(&notify, Gist::ALARM, &message, &secrets).await {
        eprintln!("warning: {problem}");
    }
    let statement = &signed.statement;
    global.print(&signed, || {
        format!(
            "EMERGENCY OVERRIDE by {} until {}: exactly the tree {} on {}@{}.\nIt stands in for approvals that there is no time for, and for nothing else. To merge it:\n\n    {promote}\n\nEvery report shows it until somebody else has looked at it:\n\n    {acknowledge}",
            statement.by, statement.expires, statement.binding.tree, statement.binding.repo, statement.binding.target_branch
        )
    })?;
    // Whoever scripts this must notice: a person still has to look at it.
    Ok(ExitCode::NeedsHuman)
}

#[derive(Debug, Args)]
pub struct Acknowledge {
    /// Id of the finding whose fix was overridden, or its beginning
    finding: String,
    /// What you found when you looked at it
    #[arg(long, short, value_name = "TEXT")]
    message: String,
    #[command(flatten)]
    who: Who,
}

pub async fn acknowledge(global: &Global, arguments: Acknowledge) -> Result<ExitCode> {
    let (root, at) = (global.estate.clone(), global.now());
    let reviews = blocking(move || {
        let signer = Signer::new(arguments.who.key, arguments.who.by)?;
        let mut session = Session::open(&root, at)?;
        sign_reviews(&mut session, &arguments.finding, &signer, &arguments.message)
    })
    .await?;
    global.print(&reviews, || {
        let by = reviews.first().map_or("", |review| review.statement.by.as_str());
        let number = crate::output::text::count(reviews.len(), "override", "overrides");
        format!("{number} acknowledged by {by}.")
    })?;
    Ok(ExitCode::Success)
}
