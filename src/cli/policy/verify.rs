//! `holdpoint policy verify`

use anyhow::Result;
use clap::Args;
use holdpoint_proof::{Solver, Verdict};
use serde_json::json;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::PackArgument;
use crate::cli::{Format, Global, print_line};
use crate::exit_code::ExitCode;
use crate::failure::BadInput;
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
    /// Write the counterexamples to this new file, as cases that fail until the pack is right
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
    if let Some(file) = &arguments.counterexamples {
        // Before minutes of proofs, not after them.
        may_be_made(file)?;
    }
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
        let examples: Vec<_> = failing(&entries).filter_map(|entry| entry.example.as_ref()).collect();
        if examples.is_empty() {
            // Not on stdout, where machines read.
            eprintln!("there is no counterexample, so `{}` isn't written", file.display());
        } else {
            write_new(file, &proofs::cases_yaml(examples.into_iter())?)?;
        }
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

/// Refuses a file that is there, be it a link that leads nowhere, or whose folder isn't.
fn may_be_made(file: &Path) -> Result<(), BadInput> {
    if file.symlink_metadata().is_ok() {
        return Err(already(file));
    }
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() && !folder.is_dir() => {
            Err(unwritable(file, &std::io::ErrorKind::NotFound.into()))
        }
        _ => Ok(()),
    }
}

/// Writes a file that wasn't there; follows no link.
fn write_new(file: &Path, text: &str) -> Result<(), BadInput> {
    let write = || {
        let mut new = std::fs::OpenOptions::new().write(true).create_new(true).open(file)?;
        new.write_all(text.as_bytes())
    };
    write().map_err(|error: std::io::Error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => already(file),
        _ => unwritable(file, &error),
    })
}

/// A file that was asked for and can't be written.
pub fn unwritable(file: &Path, error: &std::io::Error) -> BadInput {
    BadInput::new(
        format!("`{}` can't be written: {error}", file.display()),
        "name a file in a folder that is there and that you may write to",
    )
}

fn already(file: &Path) -> BadInput {
    BadInput::new(
        format!("`{}` is there already, and nothing is overwritten", file.display()),
        "name a new file, or move the old one away",
    )
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counterexamples_go_to_a_new_file_only() {
        let folder = tempfile::tempdir().unwrap();
        let (target, link, new) = (
            folder.path().join("target"),
            folder.path().join("link"),
            folder.path().join("new"),
        );
        std::os::unix::fs::symlink(&target, &link).unwrap();
        for (file, expected) in [
            (link.clone(), "is there already"),
            (folder.path().to_owned(), "is there already"),
            (folder.path().join("no/such"), "can't be written"),
        ] {
            for refused in [may_be_made(&file), write_new(&file, "x")] {
                let error = refused.unwrap_err();
                assert!(error.message.contains(expected) && error.help.is_some(), "{error}");
            }
        }
        assert!(!target.exists());
        may_be_made(&new).unwrap();
        write_new(&new, "cases").unwrap();
        assert_eq!(std::fs::read_to_string(&new).unwrap(), "cases");
        assert!(write_new(&new, "other").is_err());
        assert_eq!(std::fs::read_to_string(&new).unwrap(), "cases");
        may_be_made(Path::new("a-plain-name")).unwrap();
    }
}
