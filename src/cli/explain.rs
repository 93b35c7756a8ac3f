//! `holdpoint explain`

use anyhow::Result;
use clap::Args;

use super::Global;
use crate::exit_code::ExitCode;
use crate::failure::BadInput;
use crate::output::explain;
use crate::pipeline::estate::{CONFIG_FILE, read_text};
use crate::pipeline::report::{ReportItem, RunReport};

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
            global.print(item, || explain::explain(item))?;
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

/// The report of the last run.
fn newest_report(global: &Global) -> Result<RunReport> {
    let config = holdpoint_intake::estate::read_estate(CONFIG_FILE, &read_text(&global.estate, CONFIG_FILE)?)?;
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
