//! `holdpoint validate`: the runner on one candidate.

use anyhow::{Context, Result};
use clap::Args;
use holdpoint_runner::scrutiny::{AUTO_APPLY_RUNS, AUTO_APPLY_SECONDS, Scrutiny};
use holdpoint_schemas::actor::Remediator;
use holdpoint_schemas::estate::StepsConfig;
use holdpoint_schemas::evidence::{Check, EvidenceRecord, Verdict};
use holdpoint_schemas::finding::RepoFinding;
use holdpoint_schemas::fix::Fix;
use holdpoint_schemas::{Digest, Timestamp};
use serde::Serialize;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::Global;
use crate::exit_code::ExitCode;
use crate::failure::BadInput;
use crate::pipeline::approvals::find;
use crate::pipeline::estate::{Estate, read_bytes};
use crate::pipeline::history::History;
use crate::pipeline::mirror::Mirror;
use crate::pipeline::owners::Owners;
use crate::pipeline::scrutiny::changes_behaviour;
use crate::pipeline::session::blocking;
use crate::pipeline::store;
use crate::pipeline::validation::{self, Asked, Job, Runner};

#[derive(Debug, Args)]
pub struct Arguments {
    /// Repo in the estate
    #[arg(long)]
    repo: String,
    /// Patch to try
    #[arg(long, value_name = "FILE")]
    patch: PathBuf,
    /// Branch that it is made for
    #[arg(long, default_value = "main")]
    base: String,
    /// Finding that it resolves, by the id that the last run gave it; the re-scan then looks for it
    #[arg(long, value_name = "ID")]
    resolves: Vec<String>,
    /// Clean runs of the tests that a pass takes; an automatic merge takes 20
    #[arg(long, value_name = "N", default_value_t = AUTO_APPLY_RUNS, value_parser = clap::value_parser!(u32).range(1..=200))]
    clean_runs: u32,
    /// Keep the workspaces and say how to look inside; the next run, or `gc`, removes them
    #[arg(long)]
    keep: bool,
}

pub async fn run(global: &Global, arguments: Arguments) -> Result<ExitCode> {
    let agent = super::run::agent()?;
    let root = global.estate.clone();
    let (keep, at) = (arguments.keep, global.now());
    let (estate, job) = blocking(move || prepare(&root, &arguments, &agent, at)).await?;
    let runner = Runner::start_with(&estate, "validate", global.events(), keep).await?;
    let record = runner.one(&job).await;
    let kept = runner.kept();
    runner.finish().await;
    let validated = Validated {
        record: &record,
        commands: job.steps(),
    };
    global.print(&validated, || human(&validated))?;
    if keep && kept.is_empty() {
        eprintln!(
            "nothing was kept: no step ran, or the sandbox ({}) can't keep workspaces",
            record.evidence.sandbox
        );
    }
    for look in kept {
        eprintln!("kept: {look}");
    }
    Ok(exit_code(&record))
}

fn prepare(root: &Path, arguments: &Arguments, agent: &Path, at: Timestamp) -> Result<(Estate, Job)> {
    let estate = Estate::load(root)?;
    let mirror = Mirror::fetch(&estate, &arguments.repo)?;
    let head = mirror.head(&arguments.base).ok_or_else(|| {
        BadInput::new(
            format!("the repo `{}` has no branch `{}`", arguments.repo, arguments.base),
            "name the branch that the patch is made for with `--base`",
        )
    })?;
    let name = arguments.patch.to_string_lossy();
    let bytes = read_bytes(Path::new(""), &name)?;
    let patch = holdpoint_fixes::patch::read_patch(&name, &bytes)?;
    let applied = holdpoint_fixes::apply::apply_patch(&mirror.git, &head, &patch)?;
    let classification = crate::pipeline::classify::of(&mirror.git, &applied);
    let fix = Fix {
        id: Digest::of_bytes(&bytes),
        repo: arguments.repo.clone(),
        target_branch: arguments.base.clone(),
        base_commit: head,
        base_tree: applied.base_tree,
        candidate_tree: applied.candidate_tree,
        diff: applied.diff,
        diff_text: applied.diff_text,
        remediator: Remediator::none(),
        title: name.into_owned(),
        resolves: Vec::new(),
        files: applied.files,
        classification,
        authors: Vec::new(),
        received_at: None::<Timestamp>,
        minimal: None,
        plan: None,
    };
    let paths: Vec<&str> = fix.files.iter().map(|file| file.path.as_str()).collect();
    let resolved = resolved(&estate, &arguments.resolves)?;
    let resolved: Vec<&RepoFinding> = resolved.iter().collect();
    let owners = Owners::of(&estate, &fix.repo, &paths, &[]);
    let checks: BTreeSet<Check> = Check::ALL.into_iter().collect();
    let asked = Asked {
        checks: &checks,
        scrutiny: Scrutiny {
            clean_runs: arguments.clean_runs,
            clean_seconds: AUTO_APPLY_SECONDS,
            sensitivity: changes_behaviour(fix.classification.kind),
            ..Scrutiny::default()
        },
        at,
    };
    let job = validation::prepare(&estate, &mirror, &fix, &resolved, &owners, asked, agent)
        .context("preparing the sandbox")?;
    Ok((estate, job))
}

/// Findings by the ids that the ledger knows them by.
fn resolved(estate: &Estate, ids: &[String]) -> Result<Vec<RepoFinding>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let history = History::read(&store::existing(&estate.root, &estate.config)?)?;
    ids.iter().map(|id| find(&history, id).cloned()).collect()
}

/// What was found out, and by which commands.
#[derive(Serialize)]
struct Validated<'a> {
    #[serde(flatten)]
    record: &'a EvidenceRecord,
    commands: &'a StepsConfig,
}

fn human(validated: &Validated<'_>) -> String {
    let Validated { record, commands } = validated;
    let mut lines = vec![format!("Ran in {}", record.evidence.sandbox)];
    for (name, command) in [
        ("prepare", &commands.prepare),
        ("build", &commands.build),
        ("test", &commands.test),
    ] {
        lines.extend(command.as_ref().map(|command| format!("  {name:<9} `{command}`")));
    }
    lines.push("Found".to_owned());
    let mut shown = Vec::new();
    for (check, result) in &record.evidence.checks {
        lines.push(format!("  {check:<9} {:<13} {}", result.verdict, result.reason));
        if !result.details.is_empty() && shown.contains(&&result.details) {
            lines.push("              as above".to_owned());
        } else {
            lines.extend(result.details.iter().map(|detail| format!("              {detail}")));
            shown.push(&result.details);
        }
    }
    lines.join("\n")
}

fn exit_code(record: &EvidenceRecord) -> ExitCode {
    match record.evidence.checks.values().map(|result| result.verdict).min() {
        Some(Verdict::Passed) => ExitCode::Success,
        Some(Verdict::Failed) => ExitCode::Failed,
        Some(Verdict::Inconclusive) | None => ExitCode::Inconclusive,
    }
}
