//! `holdpoint contract match`

use anyhow::Result;
use clap::Args;
use holdpoint_contract::http::{HttpMessage, MatchResult, match_message};
use holdpoint_schemas::SourceError;
use std::path::{Path, PathBuf};

use crate::cli::Global;
use crate::exit_code::ExitCode;
use crate::output::text::clean;
use crate::pipeline::estate::read_text;

#[derive(Debug, Args)]
pub struct Arguments {
    /// What was expected, with its matching rules
    expected: PathBuf,
    /// What came
    actual: PathBuf,
}

pub fn run(global: &Global, arguments: &Arguments) -> Result<ExitCode> {
    let result = match_message(&message(&arguments.expected)?, &message(&arguments.actual)?);
    global.print(&result, || human(&result))?;
    Ok(if result.matches {
        ExitCode::Success
    } else {
        ExitCode::Failed
    })
}

fn message(file: &Path) -> Result<HttpMessage> {
    let name = file.to_string_lossy();
    let text = read_text(Path::new(""), &name)?;
    Ok(serde_json::from_str(&text).map_err(|error| {
        let message = error.to_string();
        let short = message.split(" at line ").next().unwrap_or_default();
        SourceError::new(&name, short)
            .at(&text, error.line(), error.column())
            .help("expected one HTTP message as JSON: `method`, `path`, `query`, `status`, `headers`, `body`")
    })?)
}

fn human(result: &MatchResult) -> String {
    let heading = match result.mismatches.len() {
        0 => "it matches".to_owned(),
        1 => "it doesn't match, in 1 place".to_owned(),
        number => format!("it doesn't match, in {number} places"),
    };
    let lines = result.mismatches.iter();
    let lines = lines.map(|found| format!("  {}  {}", clean(&found.path), clean(&found.text)));
    std::iter::once(heading).chain(lines).collect::<Vec<_>>().join("\n")
}
