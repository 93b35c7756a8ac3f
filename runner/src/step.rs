//! One step in the sandbox as it is told and recorded: the same for a repo's own steps and for scanners.

use holdpoint_schemas::event::{Event, EventSink};
use holdpoint_schemas::evidence::{Side, StepRun};
use tracing::Instrument as _;

use crate::sandbox::{Limits, OnLine, Sandbox, StepOutcome, StepSpec, WorkspaceId};
use crate::spans;
use crate::validate::prepare;

/// A step with the environment that all steps have.
pub(crate) fn spec(name: &str, command: &str, side: Side, limits: &Limits) -> StepSpec {
    // Each step has a fresh /tmp; what `prepare` fetched has to outlive it.
    let cache = |(name, folder): (&str, &str)| (name.to_owned(), prepare::cache_folder(folder));
    StepSpec {
        name: name.to_owned(),
        side,
        command: command.to_owned(),
        env: prepare::CACHES.into_iter().map(cache).collect(),
        proxy: None,
        mounts: Vec::new(),
        stdin: None,
        capture_bytes: 0,
        limits: limits.clone(),
    }
}

/// Whom a step is told to, and under which names.
pub(crate) struct Telling<'a> {
    /// For people: repo and fix title.
    pub subject: &'a str,
    /// Name of the step as it is told and recorded.
    pub name: &'a str,
    /// The sandbox, for people.
    pub sandbox: &'a str,
    /// Who hears of it.
    pub events: &'a dyn EventSink,
}

/// Runs a step and tells about it. `then` may look at its outcome, change its tail and tell more lines before it is
/// recorded.
pub(crate) async fn run(
    sandbox: &dyn Sandbox,
    workspace: &WorkspaceId,
    spec: &StepSpec,
    telling: &Telling<'_>,
    then: impl Fn(&mut StepOutcome, OnLine<'_>) + Send + Sync,
) -> (StepOutcome, StepRun) {
    let Telling {
        subject, name, events, ..
    } = *telling;
    let side = spec.side;
    events.event(Event::StepStarted {
        subject: subject.to_owned(),
        step: name.to_owned(),
        side,
    });
    let on_line = |line: &str| {
        events.event(Event::StepOutput {
            step: name.to_owned(),
            side,
            line: line.to_owned(),
        });
    };
    let span = spans::step(subject, name, side, telling.sandbox);
    let running = sandbox.run(workspace, spec, &on_line);
    let mut outcome = running.instrument(span.clone()).await;
    spans::ended(&span, &outcome);
    then(&mut outcome, &on_line);
    events.event(Event::StepFinished {
        subject: subject.to_owned(),
        step: name.to_owned(),
        side,
        end: outcome.end.clone(),
        millis: outcome.millis,
    });
    let run = StepRun {
        step: name.to_owned(),
        side,
        end: outcome.end.clone(),
        millis: outcome.millis,
        tail: outcome.tail.clone(),
    };
    (outcome, run)
}
