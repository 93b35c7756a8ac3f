//! `holdpoint iac`

use anyhow::Result;
use clap::Subcommand;
use holdpoint_intake::plan::{Plan, read_plan};
use std::path::{Path, PathBuf};

use super::Global;
use crate::exit_code::ExitCode;
use crate::output::text::clean;
use crate::pipeline::estate::read_bytes;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Read a Terraform or OpenTofu plan (`terraform show -json PLAN`): what it adds, changes, destroys, and what drifted
    Read {
        /// The plan as JSON
        plan: PathBuf,
    },
}

pub fn run(global: &Global, command: &Command) -> Result<ExitCode> {
    let Command::Read { plan: file } = command;
    let name = file.to_string_lossy();
    let plan = read_plan(&name, &read_bytes(Path::new(""), &name)?)?;
    for gap in &plan.gaps {
        eprintln!("{}: {}", clean(&name), clean(gap));
    }
    global.print(&plan.summary, || human(&plan))?;
    Ok(ExitCode::Success)
}

fn human(plan: &Plan) -> String {
    let summary = &plan.summary;
    let mut lines = vec![format!(
        "{} to add, {} to change, {} to destroy, {} to import",
        summary.add, summary.change, summary.destroy, summary.imports
    )];
    for (heading, addresses) in [
        ("destroyed", &summary.destroys),
        ("replaced", &summary.replaces),
        ("changed outside of Terraform", &summary.drift),
    ] {
        if !addresses.is_empty() {
            lines.push(format!("{heading}:"));
            lines.extend(addresses.iter().map(|address| format!("  {}", clean(address))));
        }
    }
    let critical: Vec<String> = plan
        .critical_changes()
        .filter_map(|change| Some(format!("  {} ({})", clean(&change.address), change.critical?.as_str())))
        .collect();
    if !critical.is_empty() {
        lines.push("critical among what it does:".to_owned());
        lines.extend(critical);
    }
    lines.join("\n")
}
