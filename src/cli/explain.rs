//! `holdpoint explain`

use anyhow::Result;
use clap::Args;
use holdpoint_intake::estate::read_estate;
use holdpoint_schemas::approval::Verb;

use super::Global;
use crate::exit_code::ExitCode;
use crate::failure::BadInput;
use crate::output::explain;
use crate::output::json::ExplainDocument;
use crate::output::rollout;
use crate::output::text::clean;
use crate::pipeline::estate::{CONFIG_FILE, read_text};
use crate::pipeline::further::Further;
use crate::pipeline::history::History;
use crate::pipeline::packs;
use crate::pipeline::report::{ReportItem, RunReport};
use crate::pipeline::store;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Id of the finding, or its beginning; a scenario's name in the demo
    finding: String,
}

pub fn run(global: &Global, arguments: &Arguments) -> Result<ExitCode> {
    let report = newest_report(global)?;
    let wanted = arguments.finding.as_str();
    let is_match = |item: &&ReportItem| {
        item.finding.id().starts_with(wanted) || item.scenario.as_ref().is_some_and(|scenario| scenario.id == wanted)
    };
    let found: Vec<&ReportItem> = report.items.iter().filter(is_match).collect();
    match found.as_slice() {
        [item] => {
            let since = since(global, item)?;
            let further = further(global, item);
            let lane = rollout::capping(report.rollout.as_ref(), item);
            let document = ExplainDocument::of(item, &further, lane);
            global.print(&document, || {
                let story = explain::explain(item, further.as_ref().map_err(String::as_str), &global.command_line());
                let lane = lane.map(rollout::section).unwrap_or_default();
                format!("{story}{lane}{since}")
            })?;
            Ok(ExitCode::Success)
        }
        [] => Err(BadInput::new(
            format!("the last run has no finding `{wanted}`"),
            "its table shows the ids; `holdpoint run` decides again",
        )
        .into()),
        several => {
            let ids: Vec<String> = several.iter().map(|item| item.finding.id()).collect();
            Err(BadInput::new(
                format!("`{wanted}` may be any of {} findings", several.len()),
                format!("name one of: {}", ids.join(", ")),
            )
            .into())
        }
    }
}

/// What would take it further, by the estate's policies; or why that can't be worked out.
fn further(global: &Global, item: &ReportItem) -> Result<Further, String> {
    let load = || Ok(Further::of(&packs::of_estate(&global.estate)?.pack, item));
    load().map_err(|error: anyhow::Error| format!("the estate's policies can't be used: {error:#}"))
}

/// What people did about it since that run, by the ledger.
fn since(global: &Global, item: &ReportItem) -> Result<String> {
    let config = read_estate(CONFIG_FILE, &read_text(&global.estate, CONFIG_FILE)?)?;
    let ledger = store::existing(&global.estate, &config)?;
    let history = History::read(&ledger)?;
    let Some(fix) = &item.fix else { return Ok(String::new()) };
    let mut lines: Vec<String> = Vec::new();
    for approval in history.approvals.get(&fix.id).into_iter().flatten() {
        let statement = &approval.statement;
        let did = match statement.verb {
            Verb::Approve => format!("approved it, until {}", statement.expires),
            Verb::Decline => "declined it".to_owned(),
        };
        let why = statement
            .comment
            .as_ref()
            .map(|comment| format!(": {}", clean(comment)))
            .unwrap_or_default();
        lines.push(format!("  - {}: {} {did}{why}.", statement.at, clean(&statement.by)));
    }
    if let Some(merge) = history.merges.get(&fix.id) {
        lines.push(format!(
            "  - Merged into {}@{} as {} ({}).",
            merge.repo, merge.branch, merge.commit, merge.by
        ));
    }
    if lines.is_empty() {
        Ok(String::new())
    } else {
        Ok(format!(
            "\nWhat the ledger says of it\n--------------------------\n{}\n",
            lines.join("\n")
        ))
    }
}

/// The report of the last run.
fn newest_report(global: &Global) -> Result<RunReport> {
    let config = read_estate(CONFIG_FILE, &read_text(&global.estate, CONFIG_FILE)?)?;
    let file = format!("{}/{}", config.state, super::run::LAST_RUN);
    let text = read_text(&global.estate, &file)
        .map_err(|_| BadInput::new("nothing was decided here yet", "start with `holdpoint run`"))?;
    serde_json::from_str(&text).map_err(|error| {
        BadInput::new(
            format!("`{file}` isn't a report of this version: {error}"),
            "`holdpoint run` writes a new one",
        )
        .into()
    })
}
