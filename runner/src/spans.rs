//! Spans of a validation, for whoever exports them (OpenTelemetry): `validate` ⊃ `baseline` and
//! `candidate` ⊃ `step`. Small fields only: no command, no output, no tree.

use holdpoint_schemas::evidence::{Side, StepEnd};
use tracing::field::Empty;
use tracing::{Span, info_span};

use crate::sandbox::StepOutcome;

/// The span of one step. `end`, `exit_code`, `millis` and `otel.status_code` are told when it ends.
pub(crate) fn step(subject: &str, step: &str, side: Side, sandbox: &str) -> Span {
    info_span!(
        "step",
        otel.name = step,
        otel.status_code = Empty,
        subject,
        step,
        side = side.as_str(),
        sandbox,
        end = Empty,
        exit_code = Empty,
        millis = Empty,
    )
}

/// Says how a step went.
pub(crate) fn ended(span: &Span, outcome: &StepOutcome) {
    span.record("end", end_name(&outcome.end));
    span.record("millis", outcome.millis);
    if let StepEnd::Exited { code } = outcome.end {
        span.record("exit_code", code);
    }
    // A red step is what a step is for; a span in error is one that gave no answer.
    if !matches!(outcome.end, StepEnd::Exited { .. }) {
        span.record("otel.status_code", "ERROR");
    }
}

/// A word to group by, as evidence files have it.
const fn end_name(end: &StepEnd) -> &'static str {
    match end {
        StepEnd::Exited { .. } => "exited",
        StepEnd::OutOfMemory => "out-of-memory",
        StepEnd::TimedOut { .. } => "timed-out",
        StepEnd::Killed => "killed",
        StepEnd::OutOfDisk => "out-of-disk",
        StepEnd::MissingTool => "missing-tool",
        StepEnd::EngineLost { .. } => "engine-lost",
        StepEnd::Infrastructure { .. } => "infrastructure",
    }
}

#[cfg(test)]
mod tests;
