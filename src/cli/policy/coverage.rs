//! `holdpoint policy coverage`

use anyhow::Result;
use clap::Args;
use holdpoint_schemas::pack::ResolvedCase;

use super::PackArgument;
use super::verify::SolverArguments;
use crate::cli::{Global, print_line};
use crate::exit_code::ExitCode;
use crate::output::cases::{self, TestDocument};
use crate::output::coverage::{self, CoverageDocument};
use crate::pipeline::cases::{Asked, ask, load};
use crate::pipeline::mutants::{self, Fate};
use crate::pipeline::packs::LoadedPack;
use crate::pipeline::session::blocking;

#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    pack: PackArgument,
    /// Make each policy slightly wrong in many ways, and see whether a case notices
    #[arg(long)]
    mutants: bool,
    /// Look at the inherited policies too, not only at the pack's own
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    solver: SolverArguments,
}

pub async fn run(global: &Global, arguments: Arguments) -> Result<ExitCode> {
    let loaded = arguments.pack.open(global)?;
    let (loaded, asked) = blocking(move || {
        let asked = ask(&loaded, load(&loaded, &[])?);
        Ok((loaded, asked))
    })
    .await?;
    if asked.iter().any(|asked| !asked.result.passed()) {
        return failing(global, &loaded, &asked);
    }
    let cases: Vec<ResolvedCase> = asked.into_iter().map(|asked| asked.case).collect();
    let (all, with_mutants) = (arguments.all, arguments.mutants);
    let (loaded, cases, policies, mut trials) = blocking(move || {
        let ids = ids(&loaded, all);
        let policies = mutants::coverage(&loaded.pack, &cases, &ids);
        let trials = with_mutants.then(|| mutants::try_all(&loaded.pack, &cases, &ids));
        Ok((loaded, cases, policies, trials))
    })
    .await?;
    if let Some(trials) = &mut trials {
        mutants::settle(&loaded.pack, &cases, trials, &arguments.solver.find()).await;
    }
    let document = CoverageDocument::new(&loaded.manifest.name, cases.len(), policies, trials);
    global.print(&document, || coverage::human(&document))?;
    Ok(exit_code(&document))
}

fn ids(loaded: &LoadedPack, all: bool) -> Vec<&str> {
    let policies = loaded.pack.policies().iter().map(|policy| policy.id.as_str());
    policies.filter(|id| all || loaded.own.contains(*id)).collect()
}

/// What cases cover that fail says nothing.
fn failing(global: &Global, loaded: &LoadedPack, asked: &[Asked]) -> Result<ExitCode> {
    let document = TestDocument::of(&loaded.manifest.name, asked);
    global.print(&document, || cases::human(&loaded.pack, asked))?;
    if global.format == crate::cli::Format::Human {
        print_line("coverage rests on cases that pass: put these right first")?;
    }
    Ok(ExitCode::Failed)
}

fn exit_code(document: &CoverageDocument) -> ExitCode {
    let fates = || document.mutants.iter().flatten().map(|trial| &trial.fate);
    if document.policies.iter().any(|policy| policy.decided == 0)
        || fates().any(|fate| matches!(fate, Fate::Survived { .. }))
    {
        ExitCode::Failed
    } else if fates().any(|fate| matches!(fate, Fate::Open { .. })) {
        ExitCode::Inconclusive
    } else {
        ExitCode::Success
    }
}
