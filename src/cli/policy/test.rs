//! `holdpoint policy test`

use anyhow::Result;
use clap::Args;
use std::path::PathBuf;

use super::PackArgument;
use crate::cli::Global;
use crate::exit_code::ExitCode;
use crate::output::cases::{self, TestDocument};
use crate::output::junit;
use crate::pipeline::cases::{ask, load};
use crate::pipeline::session::blocking;

#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    pack: PackArgument,
    /// Ask the cases of this file instead of the pack's own: to replay a counterexample
    #[arg(long, value_name = "FILE")]
    cases: Vec<PathBuf>,
    /// Write the results as JUnit XML too
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

pub async fn run(global: &Global, arguments: Arguments) -> Result<ExitCode> {
    let loaded = arguments.pack.open(global)?;
    let (loaded, asked) = blocking(move || {
        let cases = load(&loaded, &arguments.cases)?;
        let asked = ask(&loaded, cases);
        if let Some(file) = &arguments.junit {
            let report = junit::report(&loaded.manifest.name, &asked)?;
            std::fs::write(file, report).map_err(|error| super::verify::unwritable(file, &error))?;
        }
        Ok((loaded, asked))
    })
    .await?;
    let document = TestDocument::of(&loaded.manifest.name, &asked);
    global.print(&document, || cases::human(&loaded.pack, &asked))?;
    Ok(if document.failed == 0 {
        ExitCode::Success
    } else {
        ExitCode::Failed
    })
}
