//! `holdpoint policy verify`

use anyhow::{Context, Result};
use clap::Args;
use holdpoint_proof::{Solver, Verdict};
use serde_json::json;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::PackArgument;
use crate::cli::{Format, Global, print_line};
use crate::exit_code::ExitCode;
use crate::output::json::to_text;
use crate::output::proofs::{self, Entry};
use crate::pipeline::packs::LoadedPack;
use crate::pipeline::proofs as pipeline;

#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    pack: PackArgument,
    #[command(flatten)]
    solver: SolverArguments,
    /// Write the counterexamples here, as cases that fail until the pack is right
    #[arg(long, value_name = "FILE")]
    counterexamples: Option<PathBuf>,
}

/// How the solver is asked.
#[derive(Debug, Args)]
pub struct SolverArguments {
    /// Seconds that the solver may take for one question
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3600))]
    limit: u64,
}

impl SolverArguments {
    /// The solver, or why there is none.
    pub fn find(&self) -> Result<Solver, holdpoint_proof::SolverMissing> {
        Ok(Solver::find()?.with_limit(Duration::from_secs(self.limit)))
    }
}

pub async fn run(global: &Global, arguments: &Arguments) -> Result<ExitCode> {
    let loaded = arguments.pack.open(global)?;
    let start = Instant::now();
    let human = global.format == Format::Human;
    if human {
        print_line(&heading(&loaded))?;
    }
    let entries = match arguments.solver.find() {
        Ok(solver) => {
            let told = |entry: &Entry| if human { print_line(&entry.human()) } else { Ok(()) };
            pipeline::verify(&solver, &loaded, told).await?
        }
        Err(missing) => {
            if human {
                print_line(&format!("? inconclusive: {missing}\n  help: {}", missing.help))?;
                return Ok(ExitCode::Inconclusive);
            }
            vec![pipeline::without_solver(&loaded, &missing)]
        }
    };
    if let Some(file) = &arguments.counterexamples {
        let text = proofs::cases_yaml(failing(&entries).filter_map(|entry| entry.example.as_ref()))?;
        std::fs::write(file, text).with_context(|| format!("writing `{}`", file.display()))?;
    }
    if human {
        let seconds = start.elapsed().as_secs_f64();
        print_line(&format!(
            "\npack `{}`: {} in {seconds:.1} s",
            loaded.manifest.name,
            proofs::summary(&entries)
        ))?;
        let example = failing(&entries).find_map(|entry| entry.example.as_ref());
        if let (Some(example), None) = (example, &arguments.counterexamples) {
            let yaml = proofs::cases_yaml(std::iter::once(example))?;
            print_line(&format!(
                "\nThe first counterexample as a case; `--counterexamples FILE` writes all, \
                 `holdpoint policy test --cases FILE` replays them:\n\n{yaml}"
            ))?;
        }
    } else {
        let document = json!({ "pack": loaded.manifest.name, "proofs": entries });
        print_line(to_text(&document)?.trim_end())?;
    }
    Ok(exit(entries.iter().map(Entry::verdict)))
}

fn failing(entries: &[Entry]) -> impl Iterator<Item = &Entry> {
    entries.iter().filter(|entry| entry.verdict() == Verdict::Fails)
}

/// The worst verdict as an exit code.
pub fn exit(verdicts: impl Iterator<Item = Verdict>) -> ExitCode {
    match verdicts.max() {
        Some(Verdict::Fails) => ExitCode::Failed,
        Some(Verdict::Open) => ExitCode::Inconclusive,
        _ => ExitCode::Success,
    }
}

fn heading(loaded: &LoadedPack) -> String {
    let invariants = loaded.invariants.as_ref().map_or(0, |pack| pack.policies().len());
    format!(
        "pack `{}`: {} policies, {invariants} invariants",
        loaded.manifest.name,
        loaded.pack.policies().len()
    )
}
