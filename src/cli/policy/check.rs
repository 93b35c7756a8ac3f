//! `holdpoint policy check`

use anyhow::Result;
use clap::Args;
use holdpoint_engine::policy::PolicyError;
use serde_json::json;

use super::PackArgument;
use super::verify::SolverArguments;
use crate::cli::{Format, Global, print_line};
use crate::exit_code::ExitCode;
use crate::output::diagnostics::{self, Diagnostic, Severity};
use crate::output::json::to_text;
use crate::pipeline::soundness;

#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    pack: PackArgument,
    /// Only read the files; prove nothing, and need no solver
    #[arg(long)]
    no_proofs: bool,
    #[command(flatten)]
    solver: SolverArguments,
}

/// What was found, and whether all of it was looked for.
struct Checked {
    name: String,
    found: Vec<Diagnostic>,
    /// Why something couldn't be proved either way.
    open: Vec<String>,
}

pub async fn run(global: &Global, arguments: &Arguments) -> Result<ExitCode> {
    let mut checked = Checked {
        name: String::new(),
        found: Vec::new(),
        open: Vec::new(),
    };
    match arguments.pack.open(global) {
        Ok(loaded) => {
            checked.name.clone_from(&loaded.manifest.name);
            checked.found = soundness::of_files(&loaded);
            match arguments.solver.find() {
                _ if arguments.no_proofs => {}
                Ok(solver) => {
                    let (found, open) = soundness::proved(&solver, &loaded).await;
                    checked.found.extend(found);
                    checked.open = open;
                }
                Err(missing) => checked.open.push(format!("{missing}; {}", missing.help)),
            }
        }
        Err(error) => {
            let error = error.downcast::<PolicyError>()?;
            checked.name.clone_from(&error.pack);
            checked.found = error.errors.iter().map(Diagnostic::broken).collect();
        }
    }
    print(global, &checked)?;
    let is_error = |diagnostic: &Diagnostic| diagnostic.severity == Severity::Error;
    Ok(if checked.found.iter().any(is_error) {
        ExitCode::BadInput
    } else if checked.open.is_empty() {
        ExitCode::Success
    } else {
        ExitCode::Inconclusive
    })
}

fn print(global: &Global, checked: &Checked) -> Result<()> {
    match global.format {
        Format::Human => {
            let mut blocks = Vec::new();
            if !checked.found.is_empty() {
                blocks.push(diagnostics::human(&checked.found));
            }
            blocks.extend(checked.open.iter().map(|why| format!("inconclusive: {why}")));
            blocks.push(format!(
                "pack `{}`: {}",
                checked.name,
                diagnostics::summary(&checked.found)
            ));
            print_line(&blocks.join("\n\n"))
        }
        Format::Sarif => print_line(to_text(&diagnostics::sarif(&checked.found))?.trim_end()),
        _ => {
            let documents: Vec<_> = checked.found.iter().map(Diagnostic::document).collect();
            let document = json!({ "pack": checked.name, "diagnostics": documents, "inconclusive": checked.open });
            print_line(to_text(&document)?.trim_end())
        }
    }
}
