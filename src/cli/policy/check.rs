//! `holdpoint policy check`

use anyhow::Result;
use clap::Args;
use holdpoint_engine::policy::PolicyError;
use serde_json::json;

use super::PackArgument;
use crate::cli::{Format, Global, print_line};
use crate::exit_code::ExitCode;
use crate::output::diagnostics::{self, Diagnostic, Severity};
use crate::output::json::to_text;

#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    pack: PackArgument,
}

pub async fn run(global: &Global, arguments: &Arguments) -> Result<ExitCode> {
    let (name, found) = match arguments.pack.open(global) {
        Ok(loaded) => (loaded.manifest.name.clone(), Vec::new()),
        Err(error) => match error.downcast::<PolicyError>() {
            Ok(error) => (
                error.pack.clone(),
                error.errors.iter().map(Diagnostic::broken).collect(),
            ),
            Err(error) => return Err(error),
        },
    };
    print(global, &name, &found)?;
    let worst = found.iter().map(|diagnostic| diagnostic.severity).min();
    Ok(if worst == Some(Severity::Error) {
        ExitCode::BadInput
    } else {
        ExitCode::Success
    })
}

fn print(global: &Global, name: &str, found: &[Diagnostic]) -> Result<()> {
    match global.format {
        Format::Human if found.is_empty() => print_line(&format!("pack `{name}`: nothing to report")),
        Format::Human => print_line(&format!(
            "{}\n\npack `{name}`: {}",
            diagnostics::human(found),
            diagnostics::summary(found)
        )),
        Format::Json => {
            let documents: Vec<_> = found.iter().map(Diagnostic::document).collect();
            print_line(to_text(&json!({ "pack": name, "diagnostics": documents }))?.trim_end())
        }
        Format::Sarif => print_line(to_text(&diagnostics::sarif(found))?.trim_end()),
    }
}
