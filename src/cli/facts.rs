//! `holdpoint facts`

use anyhow::Result;
use clap::Args;

use super::{Format, Global, print_line};
use crate::exit_code::ExitCode;
use crate::failure::BadInput;
use crate::output::table::Look;
use crate::output::{facts as output, json};
use crate::pipeline::knowledge::{FindingFacts, missing};
use crate::pipeline::plan::Plan;
use crate::pipeline::session::{Session, blocking};

#[derive(Debug, Args)]
pub struct Arguments {
    /// Id of the finding, or its beginning
    #[arg(required_unless_present = "missing", conflicts_with = "missing")]
    finding: Option<String>,
    /// What, over the whole estate, most often holds decisions back: what to connect next
    #[arg(long)]
    missing: bool,
}

pub async fn run(global: &Global, arguments: &Arguments) -> Result<ExitCode> {
    let (root, at) = (global.estate.clone(), global.now());
    let agent = super::run::agent()?;
    let only: Vec<String> = arguments.finding.iter().cloned().collect();
    let (session, plan) = blocking(move || Session::open(&root, at)?.plan(&only, &agent)).await?;
    match &arguments.finding {
        Some(finding) => of_finding(global, &session, &plan, finding)?,
        None => of_estate(global, &session, &plan)?,
    }
    for problem in session.problems.iter().chain(&plan.gathered.problems) {
        eprintln!("{}", crate::failure::render(&problem.clone().into(), global.format));
    }
    Ok(ExitCode::Success)
}

fn of_finding(global: &Global, session: &Session, plan: &Plan, wanted: &str) -> Result<()> {
    let all: Vec<FindingFacts> = plan
        .pairs
        .iter()
        .filter(|pair| pair.finding.id().starts_with(wanted))
        .map(|pair| FindingFacts::of(session, pair))
        .collect();
    let mut ids: Vec<&str> = all.iter().map(|facts| facts.id.as_str()).collect();
    ids.dedup();
    match ids.as_slice() {
        [_] => {}
        [] if plan.settled.keys().any(|id| id.starts_with(wanted)) => {
            return Err(BadInput::new(
                format!("a fix of `{wanted}` is merged already"),
                "`holdpoint explain` shows the facts of that decision",
            )
            .into());
        }
        [] => {
            return Err(BadInput::new(
                format!("the estate has no finding `{wanted}`"),
                "`holdpoint decide` lists the findings with their ids",
            )
            .into());
        }
        several => {
            return Err(BadInput::new(
                format!("`{wanted}` may be any of {} findings", several.len()),
                format!("name one of: {}", several.join(", ")),
            )
            .into());
        }
    }
    match global.format {
        Format::Human => print_line(output::finding(&all, Look::of_stdout()).trim_end()),
        _ => print_line(&json::to_text(&serde_json::json!({ "facts": all }))?),
    }
}

fn of_estate(global: &Global, session: &Session, plan: &Plan) -> Result<()> {
    let decisions = plan.pairs.iter().map(|pair| (pair.finding.id(), &pair.triage.decision));
    let report = missing(session.at, &session.estate.facts, decisions);
    match global.format {
        Format::Human => print_line(output::missing(&report, Look::of_stdout()).trim_end()),
        _ => print_line(&json::to_text(&report)?),
    }
}
