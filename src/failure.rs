//! Errors as people see them: bad input apart from what is our own fault.

use holdpoint_schemas::SourceError;
use miette::{GraphicalReportHandler, GraphicalTheme};
use std::fmt::Write as _;

use crate::exit_code::ExitCode;

/// Input, configuration or a request that can't be used as it is.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct BadInput {
    /// What was wrong; lower case, no final period.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl BadInput {
    /// Bad input with help.
    pub fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), help: Some(help.into()) }
    }
}

/// The source error in an error's chain, if it is about a place in a file.
pub fn source_error(error: &anyhow::Error) -> Option<&SourceError> {
    error.chain().find_map(|cause| cause.downcast_ref::<SourceError>())
}

/// The exit code that an error ends the process with.
pub fn exit_code(error: &anyhow::Error) -> ExitCode {
    let bad_input = source_error(error).is_some() || error.chain().any(|cause| cause.is::<BadInput>());
    if bad_input { ExitCode::BadInput } else { ExitCode::Internal }
}

/// An error as text for a terminal: with the place in the file and the help line, where known.
pub fn render(error: &anyhow::Error) -> String {
    let mut text = String::new();
    if let Some(source) = source_error(error) {
        let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor()).with_width(100);
        let _ = write!(text, "error: {}", source.one_line());
        if source.span.is_some() {
            text.push('\n');
            if handler.render_report(&mut text, source).is_err() {
                text.push_str(&source.message);
            }
        } else if let Some(help) = &source.help {
            let _ = write!(text, "\n  help: {help}");
        }
    } else {
        let _ = write!(text, "error: {error}");
        for cause in error.chain().skip(1) {
            let _ = write!(text, "\n  because: {cause}");
        }
        if let Some(help) = error.chain().find_map(|cause| cause.downcast_ref::<BadInput>()).and_then(|bad| bad.help.as_deref()) {
            let _ = write!(text, "\n  help: {help}");
        }
    }
    text
}
