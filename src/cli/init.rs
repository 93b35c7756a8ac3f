//! `holdpoint init`

use anyhow::{Context, Result};
use clap::Args;
use std::path::PathBuf;

use super::{Global, print_line};
use crate::exit_code::ExitCode;
use crate::output::command_line::CommandLine;
use crate::pipeline::init;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Folder of the estate; made if it isn't there. The one of `--estate` without it
    dir: Option<PathBuf>,
    /// Name of the estate; the folder's without it
    #[arg(long)]
    name: Option<String>,
    /// A repo to govern: its URL or its folder. May be given several times
    #[arg(long, value_name = "REMOTE")]
    repo: Vec<String>,
}

pub fn run(global: &Global, arguments: &Arguments) -> Result<ExitCode> {
    let repos = init::repos(&arguments.repo)?;
    let folder = arguments.dir.as_ref().unwrap_or(&global.estate);
    std::fs::create_dir_all(folder).with_context(|| format!("making `{}`", folder.display()))?;
    let name = match &arguments.name {
        Some(name) => name.clone(),
        None => {
            let full = folder
                .canonicalize()
                .with_context(|| format!("reading `{}`", folder.display()))?;
            let last = full.file_name().map(|name| name.to_string_lossy().into_owned());
            last.unwrap_or_else(|| "estate".to_owned())
        }
    };
    let made = init::make(folder, &name, &repos)?;
    global.print(&made, || {
        let mut lines: Vec<String> = made.written.iter().map(|path| format!("wrote  {path}")).collect();
        lines.extend(made.kept.iter().map(|path| format!("kept   {path}")));
        lines.join("\n")
    })?;
    if global.format == super::Format::Human {
        let estate = CommandLine::default().estate(folder);
        print_line(&format!(
            "\nNext:\n  {}\n  {}\n  {}",
            estate.plain("policy check"),
            estate.plain("run --dry-run"),
            estate.plain("facts --missing"),
        ))?;
    }
    Ok(ExitCode::Success)
}
