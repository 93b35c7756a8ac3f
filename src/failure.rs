//! Errors as people see them: bad input apart from what is our own fault.

use holdpoint_contract::ContractError;
use holdpoint_engine::policy::PolicyError;
use holdpoint_fixes::FixError;
use holdpoint_intake::IntakeError;
use holdpoint_ledger::LedgerError;
use holdpoint_schemas::SourceError;
use std::fmt::Write as _;

use crate::cli::Format;
use crate::exit_code::ExitCode;
use crate::output::diagnostics::{self, Diagnostic, with_caret};
use crate::output::json::{ErrorDocument, to_text};
use crate::pipeline::state::Held;

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
        Self {
            message: message.into(),
            help: Some(help.into()),
        }
    }
}

/// The source error in an error's chain, if it is about a place in a file.
pub fn source_error(error: &anyhow::Error) -> Option<&SourceError> {
    error.chain().find_map(|cause| {
        let in_box = || cause.downcast_ref::<Box<SourceError>>().map(AsRef::as_ref);
        let of_intake = || cause.downcast_ref::<IntakeError>().and_then(IntakeError::source_error);
        let of_fixes = || match cause.downcast_ref::<FixError>() {
            Some(FixError::Source(source)) => Some(source.as_ref()),
            _ => None,
        };
        let of_contract = || {
            cause
                .downcast_ref::<ContractError>()
                .map(|ContractError::Source(source)| source.as_ref())
        };
        let of_policies = || {
            cause
                .downcast_ref::<PolicyError>()
                .and_then(|error| error.errors.first())
        };
        cause
            .downcast_ref::<SourceError>()
            .or_else(in_box)
            .or_else(of_intake)
            .or_else(of_fixes)
            .or_else(of_contract)
            .or_else(of_policies)
    })
}

/// The bad input in an error's chain.
pub fn bad_input(error: &anyhow::Error) -> Option<&BadInput> {
    error.chain().find_map(|cause| {
        let held = || cause.downcast_ref::<Held>().map(|Held(bad)| bad);
        cause.downcast_ref::<BadInput>().or_else(held)
    })
}

/// Errors that the application's users can do something about, by type.
fn is_bad_input(error: &anyhow::Error) -> bool {
    let of_ledger = |cause: &(dyn std::error::Error + 'static)| {
        let found = cause.downcast_ref::<LedgerError>();
        found.is_some_and(|error| matches!(error, LedgerError::Altered { .. } | LedgerError::Full { .. }))
    };
    source_error(error).is_some()
        || bad_input(error).is_some()
        || error.chain().any(|cause| cause.is::<FixError>() || of_ledger(cause))
}

/// The exit code that an error ends the process with.
pub fn exit_code(error: &anyhow::Error) -> ExitCode {
    if is_bad_input(error) {
        ExitCode::BadInput
    } else {
        ExitCode::Internal
    }
}

/// An error as people or machines read it on stderr.
pub fn render(error: &anyhow::Error, format: Format) -> String {
    match format {
        Format::Human | Format::Markdown | Format::Html => human(error),
        Format::Json | Format::Sarif => to_text(&ErrorDocument::of(error)).unwrap_or_else(|_| human(error)),
    }
}

/// An error as text for a terminal: with the place in the file and the help line, where known.
fn human(error: &anyhow::Error) -> String {
    if let Some(pack) = error.chain().find_map(|cause| cause.downcast_ref::<PolicyError>()) {
        let found = pack.errors.iter().map(Diagnostic::broken);
        return diagnostics::human(&found.collect::<Vec<_>>());
    }
    let mut text = String::new();
    if let Some(source) = source_error(error) {
        text.push_str(&with_caret(source, "error"));
    } else {
        let _ = write!(text, "error: {error}");
        for cause in error.chain().skip(1) {
            let _ = write!(text, "\n  because: {cause}");
        }
        if let Some(help) = bad_input(error).and_then(|bad| bad.help.as_deref()) {
            let _ = write!(text, "\n  help: {help}");
        }
    }
    text
}
