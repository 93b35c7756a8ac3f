//! `holdpoint promote`

use anyhow::Result;
use clap::Args;

use super::Global;
use crate::exit_code::ExitCode;
use crate::pipeline::approvals::{Promotion, UNAPPROVED, promote};
use crate::pipeline::session::{Session, blocking};

#[derive(Debug, Args)]
pub struct Arguments {
    /// Id of the finding whose fix was approved, or its beginning
    finding: String,
}

pub async fn run(global: &Global, arguments: Arguments) -> Result<ExitCode> {
    let (root, at) = (global.estate.clone(), global.now());
    let approve = global.command_line().signed("approve", &arguments.finding);
    let acknowledge = global.command_line().signed("acknowledge", &arguments.finding);
    let promotion = blocking(move || {
        let mut session = Session::open(&root, at)?;
        promote(&mut session, &arguments.finding)
    })
    .await?;
    match promotion {
        Promotion::Done { record, overridden } => {
            global.print(&record, || {
                let look = if overridden {
                    format!("\n\nSomebody else has to look at it now:\n\n    {acknowledge}")
                } else {
                    String::new()
                };
                format!(
                    "Merged: {}@{} is at {}, tree {}. Approved by {}.{look}",
                    record.repo, record.branch, record.commit, record.tree, record.by
                )
            })?;
            Ok(if overridden {
                ExitCode::NeedsHuman
            } else {
                ExitCode::Success
            })
        }
        Promotion::Held(why) => {
            let held = serde_json::json!({ "held": why });
            global.print(&held, || {
                let lines: Vec<String> = why.iter().map(|line| format!("  - {line}")).collect();
                let hint = if why.iter().any(|line| line == UNAPPROVED) {
                    format!("\n\nTo approve it:\n\n    {approve}")
                } else {
                    String::new()
                };
                format!("Held:\n{}{hint}", lines.join("\n"))
            })?;
            Ok(ExitCode::NeedsHuman)
        }
    }
}
